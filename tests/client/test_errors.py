"""The exceptions for responses that are no documented success, for both clients."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from leadconnector import (
    APIDecodingError,
    APIStatusError,
    ArgumentError,
    AuthenticationError,
    BadRequestError,
    LeadConnectorError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseInfo,
    ServerError,
    UnexpectedStatusError,
    UnprocessableEntityError,
    errors,
)
from leadconnector.models import BadRequest, Unauthorized, UnprocessableEntity

from tests.support.calling import (
    SUCCESS_BODY,
    TOKEN,
    Caller,
    responding,
    returning,
    succeeding,
)

STATUSES: list[tuple[int, type[APIStatusError]]] = [
    (302, UnexpectedStatusError),
    (307, UnexpectedStatusError),
    (400, BadRequestError),
    (401, AuthenticationError),
    (402, UnexpectedStatusError),
    (403, PermissionDeniedError),
    (404, NotFoundError),
    (408, UnexpectedStatusError),
    (418, UnexpectedStatusError),
    (422, UnprocessableEntityError),
    (429, RateLimitError),
    (500, ServerError),
    (503, ServerError),
    (520, ServerError),
    (599, ServerError),
    (999, ServerError),
]


def status_error(call: Caller, response: Callable[[], httpx.Response]) -> APIStatusError:
    with pytest.raises(APIStatusError) as caught:
        call(responding(response))
    return caught.value


def decoding_error(call: Caller, **response: Any) -> APIDecodingError:
    with pytest.raises(APIDecodingError) as caught:
        call(returning(200, **response))
    return caught.value


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"<html>Oops</html>", b'{"message": "Oops"}', b"[[]]", b"\xff\xfe"]
)
def test_each_status_raises_its_own_error_for_any_body(
    call: Caller, status: int, kind: type[APIStatusError], body: bytes
) -> None:
    error = status_error(call, lambda: httpx.Response(status, content=body))

    assert type(error) is kind
    assert error.status_code == status
    assert error.attempts == (3 if status in {408, 429, 500, 503, 520} else 1)
    assert str(status) in str(error)
    assert "PUT /conversations/{conversationId}" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "model"),
    [
        (400, {"statusCode": 400, "message": "No"}, BadRequest(status_code=400, message="No")),
        (
            401,
            {"statusCode": 401, "message": "No", "error": "Unauthorized"},
            Unauthorized(status_code=401, message="No", error="Unauthorized"),
        ),
        (
            422,
            {"statusCode": 422, "message": ["No", "Never"], "error": "Unprocessable Entity"},
            UnprocessableEntity(
                status_code=422, message=["No", "Never"], error="Unprocessable Entity"
            ),
        ),
    ],
)
def test_a_documented_error_body_is_its_model(
    call: Caller, status: int, body: object, model: object
) -> None:
    assert status_error(call, lambda: httpx.Response(status, json=body)).body == model


@pytest.mark.parametrize(
    ("status", "content", "body"),
    [
        (400, b'[["message","x"]]', [["message", "x"]]),
        (400, b"<html>Oops</html>", "<html>Oops</html>"),
        (401, b"", ""),
        (401, b"null", None),
        (500, b'{"message":"Oops"}', {"message": "Oops"}),
        (429, b'"slow down"', "slow down"),
    ],
)
def test_any_other_error_body_is_returned_as_received(
    call: Caller, status: int, content: bytes, body: object
) -> None:
    assert status_error(call, lambda: httpx.Response(status, content=content)).body == body


@pytest.mark.parametrize("status", [400, 401, 422, 429, 500])
@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"message": "No"}, ["No"]),
        ({"message": ["No", "Never"]}, ["No", "Never"]),
        ({"message": ["No", 7, None, {"a": 1}]}, ["No"]),
        ({"message": {"a": 1}}, []),
        ({"message": None}, []),
        ({}, []),
        ([], []),
        ("No", ["No"]),
    ],
)
def test_the_messages_are_always_a_list_of_strings(
    call: Caller, status: int, body: object, messages: object
) -> None:
    assert status_error(call, lambda: httpx.Response(status, json=body)).messages == messages


def test_the_message_of_an_error_has_the_api_messages_in_one_short_line(call: Caller) -> None:
    api_message = "line one\nline two\x1b[31m" + "x" * 1000

    text = str(status_error(call, lambda: httpx.Response(400, json={"message": api_message})))

    assert "line one line two" in text
    assert text.isprintable()
    assert len(text) < 400


@pytest.mark.parametrize(
    ("headers", "body", "request_id"),
    [
        ({"x-request-id": "a", "x-trace-id": "b", "cf-ray": "c"}, {"traceId": "d"}, "a"),
        ({"x-trace-id": "b", "cf-ray": "c"}, {"traceId": "d"}, "b"),
        ({"CF-Ray": "c"}, {"traceId": "d"}, "c"),
        ({}, {"traceId": "d"}, "d"),
        ({}, {"traceId": 5}, None),
        ({}, {}, None),
    ],
)
def test_the_request_id_comes_from_the_first_available_source(
    call: Caller, headers: dict[str, str], body: object, request_id: str | None
) -> None:
    assert (
        status_error(call, lambda: httpx.Response(500, headers=headers, json=body)).request_id
        == request_id
    )


def test_the_header_lookup_of_an_error_ignores_case(call: Caller) -> None:
    error = status_error(call, lambda: httpx.Response(429, headers={"Retry-After": "7"}))

    assert error.headers["retry-after"] == error.headers["RETRY-AFTER"] == "7"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", "$"),
        (b"<html></html>", "$"),
        (b"[]", "$"),
        (b"null", "$"),
        (b'"text"', "$"),
        (b'{"success":NaN}', "$"),
        (b'{"success":' + b"1" * 5000 + b"}", "$"),
        (b"[" * 100_000, "$"),
        (b'{"success":tr', "$"),
        (json.dumps(SUCCESS_BODY).encode("utf-16"), "$"),
        (b'{"success":"\xff"}', "$"),
    ],
)
def test_a_success_that_no_model_fits_names_the_path(call: Caller, body: bytes, path: str) -> None:
    error = decoding_error(call, content=body, headers={"x-request-id": "r"})

    assert error.path == path
    assert path in str(error)
    assert (error.status_code, error.request_id, error.attempts) == (200, "r", 1)


def test_a_body_above_the_maximum_size_is_a_decoding_error(call: Caller) -> None:
    assert "larger than" in str(decoding_error(call, content=b" " * (10 * 1024 * 1024 + 1)))


def test_an_error_does_not_show_the_content_of_a_conversation(call: Caller) -> None:
    response_body = {
        "success": True,
        "conversation": {"lastMessageBody": ["my diagnosis"], "contactId": ["Erika"]},
    }

    error = decoding_error(call, json=[response_body])

    # The attribute `body` exists to contain it.
    attributes = {name: value for name, value in vars(error).items() if name != "body"}
    shown_texts = "".join(traceback.format_exception(error)) + repr(error) + repr(attributes)
    assert "diagnosis" not in shown_texts
    assert "Erika" not in shown_texts
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_token_echoed_by_the_api_is_redacted(call: Caller) -> None:
    error = status_error(
        call,
        lambda: httpx.Response(
            401, json={"message": f"Invalid token: {TOKEN}"}, headers={"x-echo": f"Bearer {TOKEN}"}
        ),
    )

    shown_texts = (
        "".join(traceback.format_exception(error))
        + repr(error)
        + repr(error.__dict__)
        + str(error.headers.get("x-echo"))
    )
    assert TOKEN not in shown_texts
    assert error.messages == ["Invalid token: [redacted]"]
    assert TOKEN.encode() not in pickle.dumps(error)


@pytest.mark.parametrize("escaped", ["\\u0039", "\\/"])
def test_a_token_echoed_in_json_escapes_is_redacted(call: Caller, escaped: str) -> None:
    token = "9/c48df2694a849b6089f9d0d3513efe"
    body = '{"message": ["Invalid: TOKEN"], "TOKEN": {"deep": ["TOKEN"]}}'.replace("TOKEN", token)
    body = body.replace("9", escaped) if escaped != "\\/" else body.replace("/", escaped)

    with pytest.raises(APIStatusError) as caught:
        call(returning(422, text=body), options={"token": token})

    assert caught.value.messages == ["Invalid: [redacted]"]
    assert token not in repr(caught.value.__dict__) + str(caught.value)


def encodings_of(token: str) -> dict[str, str]:
    """A token in the forms in which a server can write it into a URL or a form."""
    codes = quote(token, safe="")
    return {
        "URL": codes,
        "lower case": codes.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
        "form": quote_plus(token),
    }


@pytest.mark.parametrize("status", [200, 302, 400, 401, 503])
@pytest.mark.parametrize("form", ["URL", "lower case", "form"])
@pytest.mark.parametrize("body", ['{{"message": "bad {}"}}', "<p>bad {}</p>", "bad {}"])
def test_a_token_echoed_in_url_encoding_is_redacted(
    call: Caller, status: int, form: str, body: str
) -> None:
    token = "first+part/second~part=="
    encoded_token = encodings_of(token)[form]
    headers = {"location": f"https://login.example/?token={encoded_token}"}
    response = returning(status, text=body.format(encoded_token), headers=headers)

    with pytest.raises(LeadConnectorError) as caught:
        call(response, options={"token": token, "retries": 0, "strict": True})

    assert encoded_token not in text_of(caught.value)


class Tokens:
    """A callable that returns another token for each request."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self) -> str:
        self.texts.append(f"secret-token-number-{len(self.texts)}")
        return self.texts[-1]


def text_of(error: BaseException) -> str:
    """All that an exception shows."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


@pytest.mark.parametrize("statuses", [[401, 401], [503, 401, 400], [401, 200], [503, 503, 200]])
@pytest.mark.parametrize("template", ["{}", '{{"message": "unknown: {}"}}', "<p>unknown: {}</p>"])
def test_the_tokens_of_all_attempts_are_redacted(
    call: Caller, statuses: list[int], template: str
) -> None:
    tokens = Tokens()
    remaining = list(statuses)

    def respond() -> httpx.Response:
        echoed_tokens = " ".join(tokens.texts)
        headers = {"x-echo": echoed_tokens, "content-type": "application/json"}
        content = template.format(echoed_tokens)
        return httpx.Response(remaining.pop(0), text=content, headers=headers)

    with pytest.raises(LeadConnectorError) as caught:
        call(responding(respond), options={"token": tokens, "strict": True})

    assert len(tokens.texts) == len(statuses)
    for token in tokens.texts:
        assert token not in text_of(caught.value)


def test_the_tokens_of_all_attempts_are_redacted_in_a_connection_error(call: Caller) -> None:
    tokens = Tokens()
    outcomes = iter([401, 401])

    def respond() -> httpx.Response:
        status = next(outcomes)
        if len(tokens.texts) == 1:
            return httpx.Response(status)
        raise httpx.ConnectError(f"no route for {' '.join(tokens.texts)}")

    with pytest.raises(LeadConnectorError) as caught:
        call(responding(respond), options={"token": tokens, "retries": 0})

    assert len(tokens.texts) == 2
    for token in tokens.texts:
        assert token not in text_of(caught.value)


def test_the_message_of_an_undocumented_status_does_not_show_the_conversation(
    call: Caller,
) -> None:
    error = status_error(
        call,
        lambda: httpx.Response(300, text='{"conversation": {"lastMessageBody": "my diagnosis"'),
    )

    assert "diagnosis" not in str(error)
    assert error.messages == []


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_header_that_is_not_ascii_is_decoded(call: Caller, status: int) -> None:
    infos: list[ResponseInfo] = []
    headers = [(b"x-note", "café".encode("latin-1")), (b"x-other", "日本".encode())]
    response = httpx.Response(status, headers=headers, json=SUCCESS_BODY)
    with suppress(APIStatusError):
        call(responding(lambda: response), options={"on_response": infos.append})

    assert "caf" in infos[0].headers["x-note"]
    assert pickle.loads(pickle.dumps(infos[0])).status_code == status


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("depth", [300, 500, 900, 5000])
def test_a_response_of_any_depth_is_a_result_or_a_documented_error(
    call: Caller, status: int, depth: int
) -> None:
    deep = "[" * depth + "]" * depth
    body = json.dumps({**SUCCESS_BODY, "message": "No"})[:-1] + f', "more": {deep}}}'
    for is_strict in (False, True):
        with suppress(LeadConnectorError):
            call(returning(status, text=body), options={"strict": is_strict})


def test_a_token_in_an_html_page_with_a_success_status_is_redacted(call: Caller) -> None:
    assert TOKEN not in str(decoding_error(call, text=f"<html>{TOKEN}"))


def test_an_error_survives_pickle_and_copy(call: Caller) -> None:
    original = status_error(
        call, lambda: httpx.Response(422, json={"message": ["No"]}, headers={"x-request-id": "r"})
    )

    for twin in (
        pickle.loads(pickle.dumps(original)),
        copy.copy(original),
        copy.deepcopy(original),
    ):
        assert type(twin) is UnprocessableEntityError
        assert str(twin) == str(original)
        assert (twin.status_code, twin.messages, twin.body) == (422, ["No"], original.body)
        assert twin.headers["X-Request-Id"] == "r"


def test_an_argument_error_survives_pickle(call: Caller) -> None:
    with pytest.raises(ArgumentError) as caught:
        call(succeeding(), "")

    assert pickle.loads(pickle.dumps(caught.value)).argument == "conversation_id"


def test_all_exceptions_of_the_package_are_in_one_tree() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, BaseException)
    ]

    assert len(classes) > 15
    assert all(issubclass(error_class, LeadConnectorError) for error_class in classes)


def test_the_log_shows_no_token_and_no_conversation(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    call(succeeding(), feedback={"text": "my diagnosis"})

    assert TOKEN not in caplog.text
    assert "diagnosis" not in caplog.text


def test_a_short_token_is_redacted_only_where_it_is_a_word_of_a_text(call: Caller) -> None:
    body = {"message": "true: t", "statusCode": 400, "tt": [True, "t"]}

    assert call(succeeding(), options={"token": "t"}).to_dict() == SUCCESS_BODY
    with pytest.raises(BadRequestError) as caught:
        call(returning(400, json=body), options={"token": "t"})
    assert caught.value.messages == ["true: [redacted]"]


def test_an_undocumented_status_that_echoes_the_token_raises_without_it(call: Caller) -> None:
    error = status_error(call, lambda: httpx.Response(300, json={"token": TOKEN}))

    assert error.body == {"token": "[redacted]"}
