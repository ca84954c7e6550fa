"""The log of drift: what a line names, its level, and that each deviation is logged once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from leadconnector import APIStatusError, Finding, LeadConnector
from leadconnector._runtime.contract import operation_contract
from leadconnector._runtime.response import ResponseReader, is_ordinary_status
from leadconnector._runtime.secrets import Secret, Token

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    returning,
)

ORDINARY_STATUSES = [403, 404, 408, 429, 500, 502, 503, 504, 520, 599]
OTHER_STATUSES = [201, 202, 204, 300, 302, 304, 402, 405, 409, 410, 418, 423, 451]


def log_of_responses(
    caplog: pytest.LogCaptureFixture, responses: Iterable[httpx.Response]
) -> list[tuple[int, str]]:
    """The level and text of each line about drift that one client logs for these responses."""
    waiting = list(responses)
    caplog.set_level(logging.DEBUG, "leadconnector")
    transport = httpx.MockTransport(lambda request: waiting.pop(0))
    with LeadConnector(token=TOKEN, transport=transport, retries=0, rate_limit=None) as client:
        while waiting:
            try:
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            except APIStatusError:
                continue
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_each_undocumented_status_is_logged_once_by_its_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    statuses = [429, 404, 503, 418, 409]

    lines = log_of_responses(caplog, [httpx.Response(status) for status in statuses * 3])

    start = "PUT /conversations/{conversationId}: undocumented-status:"
    documented = "must be one of the documented statuses 200, 400, 401, 422"
    assert [line.partition(" (spec")[0] for _, line in lines] == [
        f"{start} {status} {documented}" for status in statuses
    ]


@pytest.mark.parametrize(
    ("statuses", "level"), [(ORDINARY_STATUSES, logging.INFO), (OTHER_STATUSES, logging.WARNING)]
)
def test_an_ordinary_status_is_information_and_any_other_a_warning(
    caplog: pytest.LogCaptureFixture, statuses: list[int], level: int
) -> None:
    lines = log_of_responses(caplog, [httpx.Response(status) for status in statuses])

    assert [line_level for line_level, _ in lines] == [level] * len(statuses)


def test_an_ordinary_status_is_one_with_an_exception_or_a_retry() -> None:
    ordinary = [status for status in range(100, 500) if is_ordinary_status(status)]

    assert ordinary == [400, 401, 403, 404, 408, 422, 429]
    assert all(is_ordinary_status(status) for status in range(500, 1000))


def test_each_media_type_is_logged_once_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    types = ["text/html", "text/plain; charset=utf-8", "application/problem+json", "text/html;a=b"]

    lines = log_of_responses(
        caplog,
        [
            httpx.Response(200, json=SUCCESS_BODY, headers={"Content-Type": content_type})
            for content_type in types * 2
        ],
    )

    documented = "must be one of the documented media types application/json"
    assert [line.partition(": ")[2].partition(" (spec")[0] for _, line in lines] == [
        f"undocumented-content-type: {name} {documented}"
        for name in ("text/html", "text/plain", "application/problem+json")
    ]
    assert {level for level, _ in lines} == {logging.WARNING}


def test_the_same_deviation_in_another_response_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bodies: dict[int, Any] = {
        status: {"statusCode": status, "new": 1} for status in (400, 401, 422)
    }

    lines = log_of_responses(
        caplog, [httpx.Response(status, json=body) for status, body in bodies.items()] * 2
    )

    assert len(lines) == 3
    assert all(
        "undocumented-field: $.new must be a documented property" in line for _, line in lines
    )


def test_the_same_deviation_of_another_operation_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "leadconnector")
    token = Token(Secret(TOKEN))
    findings = [
        Finding("missing", "rule", operation, "/pointer", "$.a", "there")
        for operation in ("PUT /a", "PUT /b", "PUT /a")
    ]
    with LeadConnector(token=TOKEN, transport=returning(200)) as client:
        contract: Any = operation_contract("updateConversation")
        reader: Any = ResponseReader(None, contract, client._settings, [token], 1)  # type: ignore[arg-type]
        for finding in findings:
            reader._report((finding,))

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "PUT /a",
        "PUT /b",
    ]


@pytest.mark.parametrize("status", [429, 404, 503, 418, 204])
def test_every_undocumented_status_is_reported_to_on_drift_with_its_number(
    call: Caller, status: int
) -> None:
    findings: list[Finding] = []
    options = {"on_drift": findings.append, "retries": 0}
    with suppress(APIStatusError):
        call(returning(status), options=options)

    assert [(finding.kind, finding.value) for finding in findings] == [
        ("undocumented-status", str(status))
    ]


@pytest.mark.parametrize("content_type", [f"x/{TOKEN}", f"{TOKEN}/x", TOKEN])
def test_the_token_in_a_media_type_is_redacted(
    call: Caller, content_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    findings: list[Finding] = []

    call(
        returning(200, json=SUCCESS_BODY, headers={"Content-Type": content_type.lower()}),
        options={"on_drift": findings.append, "token": TOKEN.lower()},
    )

    assert len(findings) == 1
    assert TOKEN.lower() not in repr(findings) + caplog.text


def test_other_findings_have_no_value(call: Caller) -> None:
    findings: list[Finding] = []
    conversation = {**SUCCESS_BODY["conversation"], "starred": "private", "new": "private"}

    call(
        returning(200, json={**SUCCESS_BODY, "conversation": conversation}),
        options={"on_drift": findings.append},
    )

    assert [(finding.value, finding.subject) for finding in findings] == [
        ("", "$.conversation.starred"),
        ("", "$.conversation.new"),
    ]
    assert "private" not in repr(findings)
