"""The fields of log records: each record has those that the documentation lists, no secrets."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from leadconnector import LeadConnector, RateLimit, RedisRateLimit
from leadconnector_emulator import Emulator, EmulatorTransport, Fault

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    Clock,
    responding,
    returning,
    succeeding,
    timed,
)
from tests.support.paths import ROOT
from tests.support.redis_server import free_port
from tests.support.switchable import SUCCESS
from tests.support.wire import receive_request, serving

PACKAGE = ROOT / "overrides" / "leadconnector"
PAGE = ROOT / "docs" / "observability.md"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
STANDARD_ATTRIBUTES = vars(logging.makeLogRecord({})).keys() | {"asctime", "message", "taskName"}

Fields = dict[str, Any]


def logging_calls() -> Iterator[tuple[Path, ast.Call]]:
    """Each call of a method of the logger that logs."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "_generated" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                logger = ast.unparse(node.func.value)
                if logger == "logger" and node.func.attr in LEVELS:
                    yield path, node


def test_only_the_one_logger_is_used() -> None:
    """So the tests here cover each record of the package."""
    loggers: list[str] = []
    calls: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = ast.unparse(node.func)
            if function.rpartition(".")[2] in {"getLogger", "makeRecord", "warn"}:
                loggers.append(f"{path.name}: {function}")
            if re.search(r"log(ger|ging)?\.\w+$", function, re.IGNORECASE):
                calls.append(function)

    assert loggers == ["log.py: logging.getLogger"]
    expected = {"logging.getLogger", *(f"logger.{level}" for level in LEVELS)}
    assert set(calls) <= expected


def fields_in_code() -> dict[str, set[str]]:
    """The fields of each event. Fails for a record without a literal `extra`."""
    fields: dict[str, set[str]] = {}
    for path, call in logging_calls():
        place = f"{path.name}:{call.lineno}"
        extras = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
        assert len(extras) == 1, f"{place}: pass extra={{…}}, and list it in {PAGE.name}"
        extra = extras[0]
        assert isinstance(extra, ast.Dict), place
        names = [ast.literal_eval(key) for key in extra.keys if key is not None]
        assert names[0] == "event", place
        event = ast.literal_eval(extra.values[0])
        assert event not in fields, f"{place}: another record has the event {event}"
        fields[event] = set(names[1:])
    return fields


def rows_below(header: str) -> list[list[str]]:
    """The cells of each row of the table with this header."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows: list[list[str]] = []
    for line in lines[lines.index(header) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def names_in(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_the_table_of_events_is_that_of_the_code() -> None:
    documented = {
        row[0].strip("`"): names_in(row[2])
        for row in rows_below("| event | level | fields | meaning |")
    }

    assert documented == fields_in_code()


def names_in_code() -> set[str]:
    """The names of all fields."""
    names = {"event"}
    for fields in fields_in_code().values():
        names |= fields
    return names


def test_the_table_of_fields_is_that_of_the_code() -> None:
    documented: set[str] = set()
    for row in rows_below("| field | type | meaning |"):
        documented |= names_in(row[0])

    assert documented == names_in_code()


def test_no_field_has_the_name_of_a_standard_attribute() -> None:
    # logging raises a KeyError for some of them, and only when the record is made.
    assert names_in_code().isdisjoint(STANDARD_ATTRIBUTES)


def fields_of(record: logging.LogRecord) -> Fields:
    return {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}


def records_of(caplog: pytest.LogCaptureFixture, event: str) -> list[Fields]:
    return [
        fields_of(record)
        for record in caplog.records
        if record.name == "leadconnector" and vars(record)["event"] == event
    ]


@pytest.fixture(autouse=True)
def at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "leadconnector")


OPERATION = "PUT /conversations/{conversationId}"


def test_a_retry_after_a_status(call: Caller, caplog: pytest.LogCaptureFixture) -> None:
    responses = [httpx.Response(503), httpx.Response(200, json=SUCCESS_BODY)]
    call(responding(lambda: responses.pop(0)))

    assert records_of(caplog, "retry") == [
        {
            "event": "retry",
            "operation": OPERATION,
            "attempt": 2,
            "wait_seconds": 0.5,
            "status_code": 503,
            "failure": "",
        }
    ]


def test_a_retry_without_a_response(call: Caller, caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [httpx.ReadError("lost"), None]

    def respond() -> httpx.Response:
        error = outcomes.pop(0)
        if error is not None:
            raise error
        return httpx.Response(200, json=SUCCESS_BODY)

    call(responding(respond))

    [fields] = records_of(caplog, "retry")
    assert (fields["status_code"], fields["failure"]) == (None, "lost")


def test_a_wait_for_the_rate_limit(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    rate_limit = RateLimit(limit=1, seconds=10, clock=clock)
    rate_limit.reserve(LOCATION_ID)
    with LeadConnector(token=TOKEN, transport=succeeding(), rate_limit=rate_limit) as client:
        timed(client, clock)
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert records_of(caplog, "rate_limit_wait") == [
        {
            "event": "rate_limit_wait",
            "operation": OPERATION,
            "wait_seconds": pytest.approx(10.05),
        }
    ]


def test_drift(caplog: pytest.LogCaptureFixture) -> None:
    emulator = Emulator(tokens=[TOKEN])
    emulator.set_faults(Fault(unknown_enum="conversation.lastMessageType"))
    with LeadConnector(token=TOKEN, transport=EmulatorTransport(emulator)) as client:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    [fields] = records_of(caplog, "drift")
    assert (fields["operation"], fields["kind"]) == (OPERATION, "unknown-enum-value")
    assert fields["path"] == "$.conversation.lastMessageType"
    assert fields["value"] == ""


def test_a_redis_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    rate_limit = RedisRateLimit(f"redis://:secret-password@127.0.0.1:{free_port()}")
    rate_limit.reserve("key")
    rate_limit.close()

    [fields] = records_of(caplog, "redis_unavailable")
    assert fields == {"event": "redis_unavailable", "failure": "ConnectionError"}


def test_the_steps_of_a_connection(call: Caller, caplog: pytest.LogCaptureFixture) -> None:
    def respond(connection: Any) -> None:
        receive_request(connection)
        connection.sendall(SUCCESS)

    with serving(respond) as server:
        call(None, options={"base_url": server.url})

    records = [fields_of(record) for record in caplog.records]
    assert records[0] == {"event": "connecting", "host": "localhost", "port": server.port}
    events = [fields["event"] for fields in records]
    assert events[:5] == [
        "connecting",
        "connected",
        "request_sent",
        "response_head_received",
        "response_body_received",
    ]


def test_no_field_contains_a_token_an_id_or_a_body(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"message": "private", "new": TOKEN, TOKEN: CONVERSATION_ID}
    for status in (400, 503):
        with pytest.raises(Exception, match=str(status)):
            call(returning(status, json=body, headers={"Content-Type": f"text/{TOKEN}"}))

    assert len(caplog.records) > 3
    text = repr([fields_of(record) for record in caplog.records])
    for private in (TOKEN, CONVERSATION_ID, LOCATION_ID, "private"):
        assert private not in text
