"""Unusual responses, arguments and settings, each in a short test, for both clients.

Tests of the wire use the emulator on a socket, or a server that hangs up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import pickle
import threading
import traceback
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from leadconnector import (
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    APITimeoutError,
    ArgumentError,
    AsyncLeadConnector,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    CredentialsError,
    DriftError,
    LeadConnector,
    LeadConnectorError,
    RateLimitError,
    ServerError,
    UnexpectedStatusError,
    UnprocessableEntityError,
)
from leadconnector._runtime.http import MAXIMUM_BODY_BYTES
from leadconnector.models import LastMessageType, UpdateConversationResponse
from leadconnector_emulator import Fault, Server

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    Clock,
    conversation_of,
    returning,
    succeeding,
)
from tests.support.compression import gzipped
from tests.support.outside import hanging_up, run_program

Ask = Callable[..., UpdateConversationResponse]
BODY = json.dumps(SUCCESS_BODY).encode()
both = pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])


@pytest.fixture(name="ask")
def ask_over_a_socket(server: Server, call: Caller) -> Ask:
    """Calls the emulator on a socket, with faults."""

    def ask(
        *faults: Fault,
        conversation_id: str = CONVERSATION_ID,
        clock: Clock | None = None,
        **options: Any,
    ) -> UpdateConversationResponse:
        server.emulator.set_faults(*faults)
        return call(
            None,
            conversation_id,
            options={"base_url": server.url, **options},
            clock=clock,
            starred=True,
        )

    return ask


def error_of(ask: Ask, *faults: Fault, **options: Any) -> Any:
    """The exception that a call of the emulator raises."""
    with pytest.raises(LeadConnectorError) as caught:
        ask(*faults, **options)
    return caught.value


def decoding_error(call: Caller, body: bytes) -> APIDecodingError:
    """The exception for a success with this body."""
    with pytest.raises(APIDecodingError) as caught:
        call(returning(200, content=body))
    return caught.value


def drifting(
    ask: Ask, *faults: Fault, **options: Any
) -> tuple[UpdateConversationResponse, list[tuple[str, str]]]:
    """The result of a call, and the kind and path of each finding."""
    findings: list[Any] = []
    updated = ask(*faults, on_drift=findings.append, **options)
    return updated, [(finding.kind, finding.path) for finding in findings]


def compressed(status: int, body: bytes) -> bytes:
    """The bytes of a response whose headers say that its body is compressed."""
    return b"HTTP/1.1 %d X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


# Responses


@pytest.mark.parametrize("status", [520, 599, 999])
def test_an_unregistered_status_is_a_server_error(ask: Ask, status: int) -> None:
    error = error_of(ask, Fault(status=status))

    assert type(error) is ServerError
    assert (type(error.status_code), error.status_code) == (int, status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, RateLimitError),
        (500, ServerError),
        (302, UnexpectedStatusError),
        (307, UnexpectedStatusError),
        (418, UnexpectedStatusError),
    ],
)
def test_an_undocumented_status_is_raised(
    ask: Ask, status: int, kind: type[APIStatusError]
) -> None:
    error = error_of(ask, Fault(status=status, headers={"Location": "/elsewhere"}))

    assert (type(error), error.status_code) == (kind, status)


def test_a_429_has_the_seconds_to_wait(ask: Ask) -> None:
    error = error_of(ask, Fault(status=429, headers={"Retry-After": "7"}), retries=0)

    assert (type(error), error.retry_after) == (RateLimitError, 7.0)


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequestError), (401, AuthenticationError)])
@pytest.mark.parametrize(
    ("body", "expected_body", "messages"),
    [("<html>Oops</html>", "<html>Oops</html>", ["Oops"]), ("", "", []), ("null", None, [])],
    ids=["html", "empty", "null"],
)
def test_an_error_with_any_body_is_raised_by_its_status_with_the_body(
    ask: Ask,
    status: int,
    kind: type[APIStatusError],
    body: str,
    expected_body: object,
    messages: list[str],
) -> None:
    error = error_of(ask, Fault(status=status, body=body))

    assert (type(error), error.status_code, error.body, error.messages) == (
        kind,
        status,
        expected_body,
        messages,
    )


@pytest.mark.parametrize("body", ["<html>Oops</html>", "", "[]", '"text"', "null"])
def test_a_success_that_is_not_an_object_is_a_decoding_error_at_the_root(
    ask: Ask, body: str
) -> None:
    error = error_of(ask, Fault(status=200, body=body))

    assert (type(error), error.path, error.status_code) == (APIDecodingError, "$", 200)


def test_a_list_of_pairs_is_not_decoded_as_a_documented_error(ask: Ask) -> None:
    error = error_of(ask, Fault(status=400, body='[["message","x"]]'))

    assert (type(error), error.body, error.messages) == (BadRequestError, [["message", "x"]], [])


@pytest.mark.parametrize("place", ["success", "conversation", "conversation.deleted"])
def test_a_missing_required_field_is_unset_and_a_finding(ask: Ask, place: str) -> None:
    updated, findings = drifting(ask, Fault(missing=place))

    assert isinstance(updated, UpdateConversationResponse)
    assert findings == [("missing", f"$.{place}")]


@pytest.mark.parametrize(
    "place", ["success", "conversation", "conversation.locationId", "conversation.deleted"]
)
def test_an_undocumented_null_in_a_required_field_is_unset_and_a_finding(
    ask: Ask, place: str
) -> None:
    updated, findings = drifting(ask, Fault(null=place))

    assert isinstance(updated, UpdateConversationResponse)
    assert findings == [("null", f"$.{place}")]


@pytest.mark.parametrize("name", ["assignedTo", "unreadCount", "inbox", "lastMessageType"])
def test_null_in_an_optional_field_is_absent_and_a_finding(ask: Ask, name: str) -> None:
    updated, findings = drifting(ask, Fault(null=f"conversation.{name}"))

    assert updated.success is True
    assert name not in conversation_of(updated).to_dict()
    assert findings == [("null", f"$.conversation.{name}")]


def test_an_unknown_enum_value_round_trips_and_is_a_finding(ask: Ask) -> None:
    updated, findings = drifting(ask, Fault(unknown_enum="conversation.lastMessageType"))

    kind = conversation_of(updated).last_message_type
    assert isinstance(kind, LastMessageType)
    assert (kind.is_unknown, kind) == (True, "TYPE_OF_TOMORROW")
    assert UpdateConversationResponse.from_dict(updated.to_dict()) == updated
    assert updated.to_dict()["conversation"]["lastMessageType"] == "TYPE_OF_TOMORROW"
    assert findings == [("unknown-enum-value", "$.conversation.lastMessageType")]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [("$.success", "success", "no"), ("$", "deleted", "false"), ("$", "unreadCount", "12")],
)
def test_a_scalar_of_another_type_is_unchanged_and_a_finding_that_strict_raises(
    call: Caller, path: str, name: str, value: str
) -> None:
    conversation = {**SUCCESS_BODY["conversation"], name: value}
    response_body = (
        {**SUCCESS_BODY, name: value}
        if path == "$.success"
        else {**SUCCESS_BODY, "conversation": conversation}
    )
    place = "$.success" if path == "$.success" else f"$.conversation.{name}"
    findings: list[Any] = []
    transport = returning(200, json=response_body)

    assert call(transport, options={"on_drift": findings.append}).to_dict() == response_body
    assert [(finding.kind, finding.path) for finding in findings] == [("wrong-type", place)]
    with pytest.raises(DriftError) as caught:
        call(transport, options={"strict": True})
    assert (caught.value.path, [finding.path for finding in caught.value.findings]) == (
        place,
        [place],
    )


def test_an_optional_value_that_its_model_cannot_represent_is_absent_and_a_finding(
    ask: Ask,
) -> None:
    updated, findings = drifting(ask, Fault(wrong_type="conversation.lastMessageType"))

    assert "lastMessageType" not in conversation_of(updated).to_dict()
    assert findings == [("wrong-type", "$.conversation.lastMessageType")]


def test_a_required_value_that_its_model_cannot_represent_is_absent_and_a_finding(
    ask: Ask,
) -> None:
    updated, findings = drifting(ask, Fault(wrong_type="conversation"))

    assert "conversation" not in updated.to_dict()
    assert findings == [("wrong-type", "$.conversation")]


def test_an_undocumented_field_is_returned_and_a_finding(ask: Ask) -> None:
    updated, findings = drifting(ask, Fault(undocumented="conversation.mood"))

    assert conversation_of(updated).additional_properties == {"mood": {"since": "tomorrow"}}
    assert findings == [("undocumented-field", "$.conversation.mood")]


@pytest.mark.parametrize(
    ("status", "kind", "message", "messages"),
    [
        (422, UnprocessableEntityError, "No", ["No"]),
        (422, UnprocessableEntityError, ["No", "Never"], ["No", "Never"]),
        (400, BadRequestError, ["No", "Never"], ["No", "Never"]),
        (400, BadRequestError, "No", ["No"]),
    ],
)
def test_the_messages_of_an_error_are_always_a_list_of_texts(
    ask: Ask, status: int, kind: type[APIStatusError], message: object, messages: list[str]
) -> None:
    error = error_of(
        ask, Fault(status=status, body=json.dumps({"statusCode": status, "message": message}))
    )

    assert (type(error), error.messages) == (kind, messages)


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"contact", b"\xff", 1),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        BODY.replace(b"true", b"1" * 5000, 1),
        BODY.replace(b"true", b"NaN", 1),
        BODY.replace(b"true", b"Infinity", 1),
    ],
    ids=[
        "invalid UTF-8",
        "deep arrays",
        "deep objects",
        "a number of 5,000 digits",
        "NaN",
        "Infinity",
    ],
)
def test_invalid_json_is_a_decoding_error(call: Caller, body: bytes) -> None:
    error = decoding_error(call, body)

    assert (type(error), error.path) == (APIDecodingError, "$")


def test_a_byte_order_mark_is_ignored(call: Caller) -> None:
    transport = returning(200, content=b"\xef\xbb\xbf" + BODY)

    assert call(transport).to_dict() == SUCCESS_BODY


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_json_in_another_encoding_than_utf_8_is_a_decoding_error(
    call: Caller, encoding: str
) -> None:
    error = decoding_error(call, json.dumps(SUCCESS_BODY).encode(encoding))

    assert (type(error), error.path) == (APIDecodingError, "$")


def test_a_gzip_bomb_over_a_socket_uses_bounded_memory(
    call: Caller,
) -> None:
    with hanging_up(compressed(200, gzipped(b" " * 8 * MAXIMUM_BODY_BYTES))) as server:
        tracemalloc.start()
        try:
            with pytest.raises(APIDecodingError, match="larger") as caught:
                call(None, options={"base_url": server.url})
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert caught.value.path == "$"
    assert peak < 4 * MAXIMUM_BODY_BYTES


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzipped(BODY)[:-20], gzipped(BODY)[:30]],
    # Without names, they would contain the time in a header of gzip.
    ids=["no gzip", "without its end", "the start"],
)
@pytest.mark.parametrize(("status", "kind"), [(200, APIDecodingError), (400, BadRequestError)])
def test_an_invalid_compression_is_a_documented_error(
    call: Caller, body: bytes, status: int, kind: type[LeadConnectorError]
) -> None:
    with hanging_up(compressed(status, body)) as server, pytest.raises(kind) as caught:
        call(None, options={"base_url": server.url})

    assert type(caught.value) is kind


@pytest.mark.parametrize("drop", ["before", "within", "after"])
def test_a_dropped_connection_is_retried_and_then_a_connection_error(ask: Ask, drop: Any) -> None:
    assert conversation_of(ask(Fault(drop=drop, times=2))).starred is True

    error = error_of(ask, Fault(drop=drop))
    assert (type(error), error.attempts) == (APIConnectionError, 3)


@pytest.mark.parametrize(
    "response_body",
    [
        b"Transfer-Encoding: chunked\r\n\r\nFF\r\n" + BODY,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(BODY), BODY),
        b"Content-Length: 1000\r\n\r\n" + BODY,
        b"\r\n" + BODY[:-1],
    ],
    ids=["within a chunk", "before the last chunk", "before the length", "without a length"],
)
def test_a_truncated_body_is_retried_and_then_a_connection_error(
    call: Caller, response_body: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    with hanging_up(head + response_body) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": server.url})

    assert (type(caught.value), caught.value.attempts, server.count) == (APIConnectionError, 3, 3)


class Ticking(Clock):
    """A clock that advances by a second with each reading."""

    def __call__(self) -> float:
        self.seconds += 1.0
        return self.seconds


def test_a_slow_body_raises_a_timeout(ask: Ask) -> None:
    error = error_of(ask, Fault(drip=0.001), clock=Ticking(), rate_limit=None, retries=0)

    assert (type(error), error.attempts) == (APITimeoutError, 1)
    assert "the body took longer than 60 s" in str(error)


# Requests


def argument_error(call: Caller, *arguments: Any, **named: Any) -> ArgumentError:
    """The exception for invalid arguments. No request is sent."""
    requests: list[httpx.Request] = []
    with pytest.raises(ArgumentError) as caught:
        call(succeeding(requests), *arguments, **named)
    assert requests == []
    return caught.value


@pytest.mark.parametrize("conversation_id", ["", ".", ".."])
def test_an_id_that_changes_the_url_is_rejected(call: Caller, conversation_id: str) -> None:
    assert argument_error(call, conversation_id).argument == "conversation_id"


@pytest.mark.parametrize(
    "conversation_id", [None, "x" * 513, "a\x00b", "a\nb", "\x7f", "\x85", "a\ud800"]
)
def test_an_id_of_an_invalid_length_or_type_is_rejected(
    call: Caller, conversation_id: object
) -> None:
    assert argument_error(call, conversation_id).argument == "conversation_id"


@pytest.mark.parametrize("conversation_id", ["a/b", "%2F", "é日本", "a b", "a?b", "a#b", "a/../b"])
def test_any_other_id_reaches_its_conversation(
    ask: Ask, server: Server, conversation_id: str
) -> None:
    server.emulator.put(
        "conversations", {**server.emulator.example, "id": conversation_id, "starred": False}
    )

    assert conversation_of(ask(conversation_id=conversation_id)).id == conversation_id
    assert (server.emulator.get("conversations", conversation_id) or {})["starred"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unread_count", math.nan),
        ("unread_count", math.inf),
        ("unread_count", "x"),
        ("unread_count", Decimal(1)),
        ("starred", None),
        ("location_id", None),
        ("location_id", ""),
    ],
)
def test_an_argument_of_another_type_is_rejected_by_name(
    call: Caller, name: str, value: object
) -> None:
    error = argument_error(call, **{name: value})

    assert error.argument == name
    assert name in str(error)


def test_an_integer_is_sent_as_an_integer(call: Caller) -> None:
    requests: list[httpx.Request] = []
    call(succeeding(requests), unread_count=3)

    assert b'"unreadCount":3}' in requests[0].read()


def test_feedback_can_be_any_mapping_of_json_data(call: Caller) -> None:
    requests: list[httpx.Request] = []
    call(succeeding(requests), feedback={"a": 1})

    assert json.loads(requests[0].read())["feedback"] == {"a": 1}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", math.nan, "\ud800", 3j])
def test_feedback_that_is_not_json_data_is_rejected(call: Caller, value: object) -> None:
    assert argument_error(call, feedback={"a": value}).argument == "feedback"


@both
@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN} {TOKEN}", f"{TOKEN}é", "", b"bytes", 7])
def test_an_invalid_token_is_rejected_and_not_shown(client: Any, token: Any) -> None:
    with pytest.raises(CredentialsError) as caught:
        client(token=token)

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@both
def test_a_client_without_a_token_is_rejected(client: Any) -> None:
    with pytest.raises(CredentialsError, match="LEADCONNECTOR_TOKEN"):
        client(token=None)


def test_a_callable_is_called_for_each_request() -> None:
    requests: list[httpx.Request] = []
    tokens = iter(["first", "second"])
    transport = succeeding(requests)

    with LeadConnector(token=lambda: next(tokens), transport=transport) as client:
        for _ in range(2):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert [request.headers["authorization"] for request in requests] == [
        "Bearer first",
        "Bearer second",
    ]


@both
def test_a_client_does_not_show_its_token_and_cannot_be_pickled(client: Any) -> None:
    made = client(token=TOKEN, transport=returning(200))

    assert TOKEN not in f"{made!r} {made} {vars(made)!r} {made.conversations!r}"
    with pytest.raises(TypeError, match="credential"):
        pickle.dumps(made)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 503])
def test_exceptions_and_logs_do_not_show_the_token(
    call: Caller, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        authorization = request.headers["authorization"]
        return httpx.Response(
            status,
            headers={"x-echo": authorization},
            # It deviates from the spec, so for a strict client a success is an exception too.
            json={"message": authorization, "more": [authorization], "conversation": "x"},
        )

    with caplog.at_level(logging.DEBUG), pytest.raises(LeadConnectorError) as caught:
        call(httpx.MockTransport(echo), options={"strict": True})

    error = caught.value
    shown_texts = [str(error), repr(error), repr(vars(error)), caplog.text]
    shown_texts.append(repr(pickle.dumps(error)))
    shown_texts.append("".join(traceback.format_exception(error)))
    assert [text for text in shown_texts if TOKEN in text] == []


@both
@pytest.mark.parametrize(
    "base_url",
    [
        "http://services.leadconnectorhq.com",
        "http://127.0.0.1.example.com",
        "https://user:password@services.leadconnectorhq.com",
        "https://services.leadconnectorhq.com?a=b",
        "https://services.leadconnectorhq.com#a",
    ],
)
def test_an_unsafe_base_url_is_rejected(client: Any, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        client(token=TOKEN, base_url=base_url)

    assert "password" not in str(caught.value)


def test_a_closed_client_raises() -> None:
    client = LeadConnector(token=TOKEN, transport=succeeding())
    client.close()

    with pytest.raises(ClientClosedError, match="closed"):
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def test_a_closed_async_client_raises() -> None:
    async def run() -> None:
        client = AsyncLeadConnector(token=TOKEN, transport=succeeding())
        await client.close()
        await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    with pytest.raises(ClientClosedError, match="closed"):
        asyncio.run(run())


def test_each_of_a_hundred_threads_gets_its_own_response(server: Server) -> None:
    barrier = threading.Barrier(100)
    ids = [f"conversation-{number}" for number in range(100)]
    for conversation_id in ids:
        server.emulator.put("conversations", {**server.emulator.example, "id": conversation_id})

    def update(client: LeadConnector, conversation_id: str) -> object:
        barrier.wait()
        updated = client.conversations.update_conversation(conversation_id, location_id=LOCATION_ID)
        return conversation_of(updated).id

    with (
        LeadConnector(token=TOKEN, base_url=server.url) as client,
        ThreadPoolExecutor(100) as threads,
    ):
        assert list(threads.map(partial(update, client), ids)) == ids


def test_an_async_client_works_in_one_event_loop_after_another(server: Server) -> None:
    client = AsyncLeadConnector(token=TOKEN, base_url=server.url)

    async def update() -> object:
        updated = await client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID
        )
        return updated.success

    assert [asyncio.run(update()), asyncio.run(update())] == [True, True]


FORKING = """
import os, sys
from leadconnector import LeadConnector
url, token, ident = sys.argv[1:]
client = LeadConnector(token=token, base_url=url)
def update():
    return client.conversations.update_conversation(ident, location_id=ident).success
before = update()
child = os.fork()
if child == 0:
    os._exit(0 if before and update() and update() else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) or not (update() and update()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_client_works_in_a_forked_process_and_in_its_parent(server: Server) -> None:
    assert run_program(FORKING, server.url) == (0, "")
