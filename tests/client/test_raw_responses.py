"""`with_raw_response`: the whole response, and the same result and errors as the plain call."""

from __future__ import annotations

import inspect
import json
import logging
from functools import partial
from typing import Any, get_type_hints
from unittest.mock import create_autospec

import httpx
import pytest
from leadconnector import (
    APIDecodingError,
    APIResponse,
    AsyncLeadConnector,
    BadRequestError,
    DriftError,
    Finding,
    LeadConnector,
    LeadConnectorError,
    RequestOptions,
    ResponseInfo,
)
from leadconnector.models import UpdateConversationResponse
from leadconnector_emulator import Emulator, EmulatorTransport, Fault

from tests.support.both_clients import Runner, run_async
from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    returning,
    succeeding,
)
from tests.support.compression import gzipped
from tests.support.reports import Sentry, texts_of

DRIFTING_BODY = {"success": True, "conversation": {**SUCCESS_BODY["conversation"], "new": "secret"}}


def raw_update(client: Any, **arguments: Any) -> Any:
    return client.conversations.with_raw_response.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, **arguments
    )


def plain_update(client: Any, **arguments: Any) -> Any:
    return client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, **arguments
    )


def test_the_response_has_its_status_headers_bytes_and_model(run: Runner) -> None:
    headers = {"X-Request-Id": "r-1", "X-RateLimit-Remaining": "98"}
    transport = returning(200, json=SUCCESS_BODY, headers=headers)

    response: APIResponse[UpdateConversationResponse] = run(transport, raw_update)

    assert type(response) is APIResponse
    assert response.status_code == 200
    assert response.headers["x-ratelimit-remaining"] == "98"
    assert response.headers["X-RATELIMIT-REMAINING"] == "98"
    assert response.request_id == "r-1"
    assert response.attempts == 1
    assert json.loads(response.content) == SUCCESS_BODY
    assert response.parse() == run(transport, plain_update)


def test_the_request_is_that_of_the_plain_call(run: Runner) -> None:
    requests: list[httpx.Request] = []
    options = RequestOptions(headers={"X-Trace": "1"}, timeout=3.0)
    for update in (plain_update, raw_update):
        use = partial(update, starred=True, version="v3", options=options)
        run(succeeding(requests), use)

    plain, raw = requests
    assert (raw.url, raw.content, raw.headers.raw) == (plain.url, plain.content, plain.headers.raw)
    assert raw.extensions == plain.extensions


def test_the_content_is_decompressed(run: Runner) -> None:
    body = json.dumps(SUCCESS_BODY).encode()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    response = run(returning(200, content=gzipped(body), headers=headers), raw_update)

    assert response.content == body


def test_attempts_counts_retries(run: Runner) -> None:
    emulator = Emulator(tokens=[TOKEN])
    emulator.set_faults(Fault(nth=1, status=503, headers={"Retry-After": "0"}))

    def update(client: Any) -> Any:
        example = emulator.example
        return client.conversations.with_raw_response.update_conversation(
            example["id"], location_id=example["locationId"], starred=True
        )

    response = run(EmulatorTransport(emulator), update)

    assert response.attempts == 2
    assert response.parse().conversation.starred is True


def test_an_error_status_raises_the_exception_of_the_plain_call(run: Runner) -> None:
    transport = returning(400, json={"statusCode": 400, "message": "No such conversation"})
    errors: list[BadRequestError] = []
    for update in (plain_update, raw_update):
        with pytest.raises(BadRequestError) as caught:
            run(transport, update)
        errors.append(caught.value)

    plain, raw = errors
    assert str(raw) == str(plain)
    assert (raw.body, raw.messages, raw.attempts) == (plain.body, plain.messages, plain.attempts)


def test_drift_is_reported_once_however_often_the_response_is_parsed(
    run: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    findings: list[Finding] = []
    infos: list[ResponseInfo] = []

    with caplog.at_level(logging.INFO, "leadconnector"):
        response = run(
            returning(200, json=DRIFTING_BODY),
            raw_update,
            on_drift=findings.append,
            on_response=infos.append,
        )
        assert [finding.path for finding in findings] == ["$.conversation.new"]
        assert response.parse() is response.parse()

    assert len(findings) == 1
    assert [info.status_code for info in infos] == [200]
    assert len(caplog.records) == 1


def test_async_callbacks_are_awaited_before_the_call_returns() -> None:
    findings: list[Finding] = []

    async def on_drift(finding: Finding) -> None:
        findings.append(finding)

    response = run_async(returning(200, json=DRIFTING_BODY), raw_update, on_drift=on_drift)

    assert len(findings) == 1
    response.parse()
    assert len(findings) == 1


def test_a_body_that_fits_no_model_is_in_the_response_and_parse_raises(run: Runner) -> None:
    response = run(returning(200, text="<p>moved</p>"), raw_update)

    assert response.content == b"<p>moved</p>"
    with pytest.raises(APIDecodingError) as plain:
        run(returning(200, text="<p>moved</p>"), plain_update)
    for _ in range(2):
        with pytest.raises(APIDecodingError) as caught:
            response.parse()
        assert caught.value.body == "<p>moved</p>"
        assert caught.value.attempts == 1
        assert str(caught.value) == str(plain.value)


def test_a_strict_client_raises_drift_in_parse(run: Runner) -> None:
    response = run(returning(200, json=DRIFTING_BODY), raw_update, strict=True)

    with pytest.raises(DriftError) as caught:
        response.parse()
    assert isinstance(caught.value.result, UpdateConversationResponse)


def test_an_undocumented_success_is_parsed_as_by_the_plain_call(run: Runner) -> None:
    response = run(returning(204), raw_update)

    assert (response.status_code, response.content) == (204, b"")
    assert response.parse() == run(returning(204), plain_update)


def test_the_repr_shows_no_body_and_no_header(run: Runner) -> None:
    response = run(returning(200, json=DRIFTING_BODY, headers={"X-A": "secret"}), raw_update)

    assert repr(response) == f"APIResponse(200, {len(response.content)} bytes)"


def test_a_token_that_the_api_sends_back_is_redacted_in_the_headers(run: Runner) -> None:
    response = run(returning(200, json=SUCCESS_BODY, headers={"X-Echo": TOKEN}), raw_update)

    assert TOKEN not in str(response.headers["x-echo"])


def test_an_error_of_parse_shows_no_data_in_its_variables(run: Runner) -> None:
    response = run(returning(200, json=DRIFTING_BODY), raw_update, strict=True)
    list_response = run(returning(200, json=["secret", TOKEN]), raw_update)

    for failing in (response, list_response):
        with pytest.raises(LeadConnectorError) as caught:
            failing.parse()
        vars(caught.value).clear()
        texts = [*texts_of(caught.value), Sentry().text_of(caught.value)]
        assert [text for text in texts if "secret" in text or TOKEN in text] == []


def test_the_methods_have_the_arguments_and_the_documentation_of_the_plain_ones() -> None:
    for client in (LeadConnector, AsyncLeadConnector):
        plain = client.conversations.update_conversation
        raw = client.conversations.with_raw_response.update_conversation
        assert inspect.signature(raw).parameters == inspect.signature(plain).parameters
        assert inspect.getdoc(raw) == inspect.getdoc(plain)
        assert get_type_hints(raw)["return"] == APIResponse[UpdateConversationResponse]
        assert inspect.iscoroutinefunction(raw) is inspect.iscoroutinefunction(plain)


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_an_autospec_has_the_methods(client: Any) -> None:
    mock = create_autospec(client, instance=True)

    with pytest.raises(TypeError, match="location_id"):
        mock.conversations.with_raw_response.update_conversation("an id")
    with pytest.raises(AttributeError):
        mock.conversations.with_raw_response.update_conversatio("an id", location_id="l")


def test_the_attribute_is_one_object() -> None:
    client = LeadConnector(token=TOKEN)
    resource = client.conversations

    assert resource.with_raw_response is resource.with_raw_response
    assert client.with_options(retries=0).conversations.with_raw_response is not (
        resource.with_raw_response
    )
