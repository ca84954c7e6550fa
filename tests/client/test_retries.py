"""Retries: the rules on their own, and their effect on calls of both clients."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncLeadConnector,
    AuthenticationError,
    ClientClosedError,
    DailyRateLimitError,
    LeadConnector,
    RateLimit,
    RateLimitError,
    ResponseInfo,
    ServerError,
)
from leadconnector._highlevel import CONVENTIONS, RATE_LIMIT_SECONDS
from leadconnector._runtime.http import RawResponse, failure_of
from leadconnector._runtime.retry import (
    DEFAULT_RETRIES,
    FIRST_BACKOFF_BOUND,
    LONGEST_BACKOFF_BOUND,
    LONGEST_RETRY_AFTER,
    Attempt,
    RetryPolicy,
    decide,
    parse_retry_after,
)
from leadconnector._runtime.secrets import Secret, Token
from leadconnector.rate_limit import Reservation
from leadconnector_emulator import Emulator, EmulatorTransport, Fault, Server

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    Clock,
    timed,
    with_settings,
)

TRANSIENT = [408, 429, 500, 502, 503, 504, *range(520, 528)]


NEVER = float("inf")


def waits(
    status: int = 0,
    error: Exception | None = None,
    retry_after: float | None = None,
    *,
    headers: dict[str, str] | None = None,
    method: str = "PUT",
    number: int = 1,
    retries: int = DEFAULT_RETRIES,
    random: float = 1.0,
) -> float:
    """The wait after this response, or this error, of an attempt; `NEVER` if it is not repeated."""
    outcome: RawResponse | APIConnectionError
    if error is None:
        outcome = RawResponse(status, headers or {}, b"", retry_after=retry_after)
        is_daily_limit = CONVENTIONS.is_daily_limit(outcome)
    else:
        outcome = APIConnectionError("lost", attempts=number, failure=failure_of(error))
        is_daily_limit = False
    attempt = Attempt(method, number, Token(Secret("token")), outcome, is_daily_limit)
    policy = RetryPolicy(retries, CONVENTIONS.wait_after_429, lambda: random)
    decision = decide(attempt, policy)
    return decision.wait if decision.retry else NEVER


@pytest.mark.parametrize("status", range(100, 600))
def test_only_transient_statuses_are_retried(status: int) -> None:
    assert (waits(status=status) < NEVER) == (status in TRANSIENT)


@pytest.mark.parametrize(
    ("number", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0), (90, 8.0)]
)
def test_a_random_wait_is_below_a_bound_that_doubles(number: int, longest: float) -> None:
    assert waits(number=number, status=503, retries=100) == longest
    assert waits(number=number, status=503, retries=100, random=0.25) == longest / 4
    assert waits(number=number, status=503, retries=100, random=0.0) == 0.0


def test_a_call_makes_no_more_than_its_retries() -> None:
    assert waits(number=2, status=503) < NEVER
    assert waits(number=3, status=503) == NEVER
    assert waits(status=503, retries=0) == NEVER


def test_retry_after_is_obeyed_unless_it_is_too_long() -> None:
    assert waits(status=503, retry_after=0.0) == 0.0
    assert waits(status=503, retry_after=LONGEST_RETRY_AFTER) == LONGEST_RETRY_AFTER
    assert waits(status=503, retry_after=LONGEST_RETRY_AFTER + 0.001) == NEVER
    assert waits(status=429, retry_after=3.0) == 3.0


def test_after_429_without_retry_after_the_wait_is_the_vendors_interval() -> None:
    assert waits(status=429) == RATE_LIMIT_SECONDS
    assert waits(status=429, headers={"x-ratelimit-daily-remaining": "0"}) == NEVER


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "error", [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
)
def test_an_idempotent_request_is_retried_even_if_it_may_have_been_executed(
    method: str, error: Exception
) -> None:
    assert waits(method=method, error=error) < NEVER


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_other_requests_are_retried_only_if_they_were_certainly_not_executed(
    method: str,
) -> None:
    retried: list[dict[str, Any]] = [
        {"error": httpx.ConnectError("x")},
        {"error": httpx.PoolTimeout("x")},
        {"status": 429},
    ]
    not_retried: list[dict[str, Any]] = [
        {"error": httpx.ReadError("x")},
        {"error": httpx.WriteError("x")},
        {
            "error": httpx.ConnectTimeout(
                "of another library, which says so of a lost connection, too"
            )
        },
        {"error": TimeoutError("x")},
        {"status": 503},
        {"status": 500},
        {"status": 408},
    ]

    assert all(waits(method=method, **case) < NEVER for case in retried)
    assert all(waits(method=method, **case) == NEVER for case in not_retried)


def test_a_timeout_while_connecting_means_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(2):  # the backlog is then full
            client_socket = waiting.enter_context(socket.socket())
            client_socket.setblocking(False)
            client_socket.connect_ex(full.getsockname())
        transport = waiting.enter_context(httpx.HTTPTransport())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        timeout = {"timeout": httpx.Timeout(0.02).as_dict()}
        with pytest.raises(httpx.ConnectTimeout) as caught:
            transport.handle_request(httpx.Request("PUT", url, extensions=timeout))

    assert failure_of(caught.value) == "never sent"


def test_an_invalid_request_is_not_retried() -> None:
    assert waits(error=httpx.UnsupportedProtocol("x")) == NEVER
    assert waits(error=httpx.LocalProtocolError("x")) == NEVER


@given(
    st.integers(1, 200),
    st.sampled_from(["PUT", "POST"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(100, 999) | st.none(),
    st.floats(0, 1e9) | st.none(),
    st.integers(0, 100),
)
def test_every_wait_is_bounded_and_the_number_of_attempts_too(
    number: int,
    method: str,
    random: float,
    status: int | None,
    retry_after: float | None,
    retries: int,
) -> None:
    outcome: dict[str, Any] = (
        {"error": TimeoutError("x")}
        if status is None
        else {"status": status, "retry_after": retry_after}
    )
    wait = waits(**outcome, number=number, method=method, random=random, retries=retries)

    assert wait == NEVER or 0 <= wait <= max(
        LONGEST_RETRY_AFTER, LONGEST_BACKOFF_BOUND, RATE_LIMIT_SECONDS
    )
    assert wait == NEVER or number <= retries
    assert FIRST_BACKOFF_BOUND < LONGEST_BACKOFF_BOUND


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        (
            {
                "Retry-After": formatdate(1000.0, usegmt=True),
                "Date": formatdate(970.0, usegmt=True),
            },
            30.0,
        ),
        ({"Retry-After": formatdate(1000.0, usegmt=True)}, 900.0),
        ({"Retry-After": formatdate(50.0, usegmt=True)}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "٧"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Mon, 99 Foo 2020 99:99:99 GMT"}, None),
        ({"Retry-After": "9999999999"}, 9999999999.0),
        ({"Retry-After": "9" * 400}, None),
    ],
)
def test_retry_after_is_parsed_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    encoded = httpx.Headers([(name.encode(), value.encode()) for name, value in headers.items()])

    assert parse_retry_after(encoded, now=100.0) == seconds


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_retry_after_is_invalid_or_not_negative(value: bytes, date: bytes) -> None:
    seconds = parse_retry_after(httpx.Headers([(b"Retry-After", value), (b"Date", date)]), 0.0)

    assert seconds is None or seconds >= 0.0


def in_turn(
    responses: Iterable[Callable[[httpx.Request], httpx.Response]], requests: list[httpx.Request]
) -> Any:
    """A transport that handles each request with the next handler, and records the requests."""
    handlers = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return next(handlers)(request)

    return httpx.MockTransport(handle)


def success(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=SUCCESS_BODY)


def status(code: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(
        code, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("the connection was reset", request=request)


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_success_after_transient_failures_counts_its_attempts(call: Caller, code: int) -> None:
    requests: list[httpx.Request] = []
    infos: list[ResponseInfo] = []
    clock = Clock()

    updated = call(
        in_turn([status(code), lost, success], requests),
        options={"on_response": infos.append},
        clock=clock,
        starred=True,
    )

    assert updated.to_dict() == SUCCESS_BODY
    assert [info.attempts for info in infos] == [3]
    assert len(clock.waits) >= 2
    assert {(request.url, request.content) for request in requests} == {
        (requests[0].url, requests[0].content)
    }
    assert json.loads(requests[2].content) == {"locationId": LOCATION_ID, "starred": True}


def test_the_error_of_the_last_attempt_counts_the_attempts(call: Caller) -> None:
    clock = Clock()

    with pytest.raises(ServerError) as caught:
        call(in_turn([status(503)] * 9, []), options={"retries": 4}, clock=clock)
    assert caught.value.attempts == 5
    assert clock.waits == [0.5, 1.0, 2.0, 4.0]

    with pytest.raises(APIConnectionError) as lost_caught:
        call(in_turn([lost] * 9, []), options={"retries": 0})
    assert lost_caught.value.attempts == 1


def test_a_long_retry_after_is_raised_and_not_retried_early(
    call: Caller,
) -> None:
    clock = Clock()

    with pytest.raises(RateLimitError) as caught:
        call(in_turn([status(429, Retry_After="3600")], []), clock=clock)

    assert caught.value.retry_after == 3600.0
    assert clock.waits == []


def test_an_exhausted_daily_limit_is_raised_at_once(call: Caller) -> None:
    clock = Clock()

    with pytest.raises(DailyRateLimitError) as caught:
        call(
            in_turn([status(429, X_RateLimit_Daily_Remaining="0")], []),
            options={"rate_limit": None},
            clock=clock,
        )

    assert caught.value.attempts == 1
    assert clock.waits == []


def test_a_failure_is_raised_if_the_daily_limit_prevents_its_retry(call: Caller) -> None:
    requests: list[httpx.Request] = []

    with pytest.raises(ServerError) as caught:
        call(in_turn([status(503, X_RateLimit_Daily_Remaining="0"), success], requests))

    assert (caught.value.status_code, caught.value.attempts, len(requests)) == (503, 1, 1)


@pytest.mark.parametrize("has_rate_limit", [True, False])
@pytest.mark.parametrize(
    ("response_headers", "seconds"),
    [
        ({"X_RateLimit_Interval_Milliseconds": "2000"}, 2.0),
        ({"X_RateLimit_Interval_Milliseconds": "2000", "X_RateLimit_Max": "100"}, 2.0),
        ({"X_RateLimit_Interval_Milliseconds": "1"}, 0.001),
        ({"X_RateLimit_Interval_Milliseconds": "30000"}, 30.0),
        ({"X_RateLimit_Interval_Milliseconds": "999999999999"}, 60.0),
        ({"X_RateLimit_Interval_Milliseconds": "9" * 400}, 60.0),
        ({"X_RateLimit_Interval_Milliseconds": "2000", "Retry_After": "3"}, 3.0),
        ({"X_RateLimit_Interval_Milliseconds": "0"}, 10.0),
        ({"X_RateLimit_Interval_Milliseconds": "-2000"}, 10.0),
        ({"X_RateLimit_Interval_Milliseconds": "2000.5"}, 10.0),
        ({"X_RateLimit_Interval_Milliseconds": "two"}, 10.0),
        ({}, 10.0),
    ],
)
def test_a_429_is_repeated_after_the_interval_that_it_states(
    call: Caller, response_headers: dict[str, str], seconds: float, has_rate_limit: bool
) -> None:
    clock = Clock()
    options: dict[str, Any] = {} if has_rate_limit else {"rate_limit": None}

    call(
        in_turn([status(429, **response_headers), success], []),
        options=options,
        clock=clock,
    )

    assert sum(clock.waits) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("response_headers", "retry_after"),
    [
        ({"X_RateLimit_Daily_Reset": "3600000"}, 3600.0),
        ({"X_RateLimit_Daily_Reset": "3600000", "Retry_After": "10"}, 3600.0),
        ({"X_RateLimit_Daily_Reset": "1000", "Retry_After": "10"}, 10.0),
        ({"Retry_After": "10"}, 10.0),
        ({"X_RateLimit_Daily_Reset": "-5"}, None),
        ({"X_RateLimit_Daily_Reset": "tomorrow"}, None),
        ({"X_RateLimit_Daily_Reset": "9" * 400}, None),
        ({}, None),
    ],
)
def test_the_error_of_an_exhausted_day_states_when_it_ends(
    call: Caller, response_headers: dict[str, str], retry_after: float | None
) -> None:
    requests: list[httpx.Request] = []
    clock = Clock()
    rate_limit = RateLimit(clock=clock)
    respond = status(429, X_RateLimit_Daily_Remaining="0", **response_headers)

    errors = list[DailyRateLimitError]()
    for _ in range(2):
        with pytest.raises(DailyRateLimitError) as caught:
            call(in_turn([respond], requests), options={"rate_limit": rate_limit}, clock=clock)
        errors.append(caught.value)

    assert len(requests) == 1
    assert [error.attempts for error in errors] == [1, 0]
    assert errors[0].retry_after == retry_after
    reset_only = retry_after if retry_after == 3600.0 else None
    if response_headers.get("X_RateLimit_Daily_Reset") == "1000":
        reset_only = 1.0
    assert errors[1].retry_after == reset_only
    assert clock.waits == []


def test_the_other_headers_of_a_429_do_not_set_retry_after(call: Caller) -> None:
    respond = status(429, X_RateLimit_Daily_Remaining="5", X_RateLimit_Daily_Reset="3600000")

    with pytest.raises(RateLimitError) as caught:
        call(in_turn([respond], []), options={"retries": 0}, clock=Clock())

    assert caught.value.retry_after is None


def test_a_location_pauses_for_a_minute_at_most(
    call: Caller,
) -> None:
    clock = Clock()
    rate_limit = RateLimit(clock=clock)
    asks_for_an_hour = status(429, Retry_After="3600")

    for _ in range(2):
        with pytest.raises(RateLimitError):
            call(in_turn([asks_for_an_hour], []), options={"rate_limit": rate_limit}, clock=clock)

    assert 59.0 < clock.seconds < 61.0


def test_each_retry_is_logged_without_body_or_token(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "leadconnector"):
        call(in_turn([status(503), lost, success], []), feedback={"note": "personal"})

    records = [record for record in caplog.records if record.name == "leadconnector"]
    shown_texts = [record.getMessage() for record in records]
    assert len(shown_texts) == 2
    assert "503" in shown_texts[0]
    assert "lost" in shown_texts[1]
    assert TOKEN not in caplog.text
    assert "personal" not in caplog.text
    assert CONVERSATION_ID not in "".join(shown_texts)


def test_the_deadline_limits_attempts_and_waits(call: Caller) -> None:
    clock = Clock()

    with pytest.raises(ServerError) as caught:
        call(
            in_turn([status(503)] * 50, []), options={"retries": 50, "deadline": 10.0}, clock=clock
        )

    assert caught.value.attempts == 5  # after 0.5 + 1 + 2 + 4 s, the next would be at 15.5 s
    assert sum(clock.waits) == 7.5


def test_no_timeout_of_an_attempt_exceeds_the_deadline(call: Caller) -> None:
    requests: list[httpx.Request] = []

    call(in_turn([status(503), success], requests), options={"deadline": 3.0}, clock=Clock())

    assert requests[0].extensions["timeout"] == {
        "connect": 3.0,
        "read": 3.0,
        "write": 3.0,
        "pool": 3.0,
    }
    assert requests[1].extensions["timeout"] == {
        "connect": 2.5,
        "read": 2.5,
        "write": 2.5,
        "pool": 2.5,
    }


def test_nothing_is_sent_if_the_token_arrives_after_the_deadline(call: Caller) -> None:
    clock, requests = Clock(), list[httpx.Request]()

    def slow() -> str:
        clock.seconds += 5.0
        return TOKEN

    with pytest.raises(APITimeoutError, match=r"not sent: .* for a token") as caught:
        call(in_turn([success], requests), options={"deadline": 5.0, "token": slow}, clock=clock)

    assert (requests, caught.value.attempts, caught.value.failure) == ([], 0, "never sent")


def test_nothing_is_sent_if_the_rate_limit_permits_it_after_the_deadline(call: Caller) -> None:
    clock, requests = Clock(), list[httpx.Request]()

    class Slow(RateLimit):
        def reserve(self, key: str) -> Reservation:
            reservation = super().reserve(key)
            clock.seconds += 5.0
            return reservation

    rate_limit = Slow(1, clock=lambda: 0.0)
    with pytest.raises(APITimeoutError, match=r"not sent: .* for the rate limit"):
        call(
            in_turn([success], requests),
            options={"deadline": 5.0, "rate_limit": rate_limit},
            clock=clock,
        )

    assert requests == []
    assert RateLimit.reserve(rate_limit, LOCATION_ID).wait == 0.0  # the reservation was released


def test_a_401_is_raised_if_a_new_token_arrives_after_the_deadline(
    call: Caller,
) -> None:
    clock, asked_at = Clock(), list[float]()

    def slow() -> str:
        asked_at.append(clock.seconds)
        clock.seconds += 3.0
        return f"token-{len(asked_at)}"

    with pytest.raises(AuthenticationError) as caught:
        call(in_turn([status(401)] * 3, []), options={"deadline": 5.0, "token": slow}, clock=clock)

    assert (asked_at, caught.value.attempts) == ([0.0, 3.0], 1)


def test_closing_the_client_releases_the_reservation_of_a_waiting_call() -> None:
    clock = Clock()
    rate_limit = RateLimit(1, clock=clock)
    rate_limit.reserve(LOCATION_ID)
    transport = in_turn([success], [])
    with LeadConnector(token=TOKEN, transport=transport, rate_limit=rate_limit) as client:
        timed(client, clock)

        def sleep(seconds: float) -> None:
            client.close()
            clock.sleep(seconds)

        with_settings(client, sleep=sleep)
        with pytest.raises(ClientClosedError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert clock.waits == [1.0]
    assert rate_limit.reserve(LOCATION_ID).wait < 10.0  # the next place, not the one behind it


def test_a_slow_body_ends_at_the_deadline() -> None:
    with Server(Emulator(tokens=[TOKEN])) as server:
        server.emulator.set_faults(Fault(drip=0.02))
        with (
            LeadConnector(token=TOKEN, base_url=server.url, deadline=0.2) as client,
            pytest.raises(APITimeoutError),
        ):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def test_an_async_call_ends_at_the_deadline_without_any_response() -> None:
    async def run() -> None:
        with Server(Emulator(tokens=[TOKEN])) as server:
            server.emulator.set_faults(Fault(latency=20.0))
            async with AsyncLeadConnector(token=TOKEN, base_url=server.url, deadline=0.2) as client:
                await client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=LOCATION_ID
                )

    with pytest.raises(APITimeoutError):
        asyncio.run(run())


@pytest.mark.parametrize("drop", ["before", "within", "after"])
def test_a_dropped_connection_is_retried_over_a_socket(
    server: Server, call: Caller, drop: Any
) -> None:
    server.emulator.set_faults(Fault(nth=1, drop=drop))

    call(None, options={"base_url": server.url}, starred=True)

    assert (server.emulator.get("conversations", CONVERSATION_ID) or {})["starred"] is True


def test_a_truncated_body_is_retried_over_a_socket(server: Server, call: Caller) -> None:
    server.emulator.set_faults(Fault(nth=1, truncate=7))

    assert call(None, options={"base_url": server.url}).success is True


def test_a_rejected_static_token_is_not_sent_twice(call: Caller) -> None:
    requests: list[httpx.Request] = []

    with pytest.raises(AuthenticationError) as caught:
        call(in_turn([status(401), success], requests))

    assert (caught.value.attempts, len(requests)) == (1, 1)


def test_a_request_is_repeated_once_with_a_renewed_token(call: Caller) -> None:
    requests: list[httpx.Request] = []
    tokens = iter(["first", "second", "third"])

    call(in_turn([status(401), success], requests), options={"token": lambda: next(tokens)})
    assert [request.headers["authorization"] for request in requests] == [
        "Bearer first",
        "Bearer second",
    ]

    tokens = iter(["first", "second", "third"])
    with pytest.raises(AuthenticationError) as caught:
        call(
            in_turn([status(401), status(401), success], []),
            options={"token": lambda: next(tokens)},
        )
    assert caught.value.attempts == 2


def test_a_request_with_a_renewed_token_does_not_count_as_a_retry(call: Caller) -> None:
    tokens = iter(["first", "second"])

    call(
        in_turn([status(401), status(503), status(503), success], []),
        options={"token": lambda: next(tokens, "second"), "retries": 2},
    )


def test_cancelling_a_wait_ends_the_call_and_leaves_the_client_open() -> None:
    async def run() -> None:
        requests: list[httpx.Request] = []
        transport = in_turn([status(503), success], requests)
        async with AsyncLeadConnector(token=TOKEN, transport=transport) as client:
            with_settings(client, random=lambda: 1.0)
            waiting = asyncio.ensure_future(
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            )
            while not requests:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    asyncio.run(run())


def test_the_source_of_random_numbers_can_be_replaced() -> None:
    clock = Clock()
    with LeadConnector(token=TOKEN, transport=in_turn([status(500), success], [])) as client:
        timed(client, clock, random=lambda: 0.5)
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert clock.waits == [0.25]


def test_the_error_of_the_first_attempt_is_raised_if_the_rate_limit_exceeds_the_deadline(
    emulator: Emulator, call: Caller
) -> None:
    emulator.set_faults(Fault(status=500))

    with pytest.raises(APIStatusError) as caught:
        call(EmulatorTransport(emulator), options={"deadline": 0.4}, clock=Clock())

    assert (caught.value.status_code, caught.value.attempts) == (500, 1)
