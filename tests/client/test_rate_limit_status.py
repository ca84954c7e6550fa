"""`client.rate_limit(location_id)`: what responses and the client's own rate limit say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    ArgumentError,
    AsyncLeadConnector,
    LeadConnector,
    RateLimit,
    RateLimitStatus,
    RedisRateLimit,
)
from leadconnector._highlevel import LIMIT_HEADERS
from leadconnector._runtime.limit_status import limit_status
from leadconnector._runtime.observed_limits import (
    LONGEST_TEXT,
    MAXIMUM_KEYS,
    REORDERING_SECONDS,
    ObservedLimits,
)
from leadconnector_emulator import Emulator, EmulatorTransport, RateLimits

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY, TOKEN, Clock
from tests.support.paths import ROOT
from tests.support.redis_server import SECONDS as PATIENCE
from tests.support.redis_server import RedisServer

UNKNOWN = RateLimitStatus()

StatusAfterCall = Callable[[RateLimit | None], RateLimitStatus]
"""Makes one call with a client that has a rate limit, and then asks the client."""

WINDOW_HEADERS = {
    "x-ratelimit-max": "100",
    "x-ratelimit-interval-milliseconds": "10000",
    "x-ratelimit-remaining": "42",
}
DAY_HEADERS = {
    "x-ratelimit-limit-daily": "200000",
    "x-ratelimit-daily-remaining": "1234",
    "x-ratelimit-daily-reset": "3600000",
}
RECEIVED_AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)

HEADER_VALUES = st.one_of(st.text(max_size=40), st.integers().map(str))


def new_emulator() -> EmulatorTransport:
    return EmulatorTransport(Emulator(tokens=[TOKEN], rate_limits=RateLimits()))


def status_after_sync_call(rate_limit: RateLimit | None) -> RateLimitStatus:
    with LeadConnector(token=TOKEN, transport=new_emulator(), rate_limit=rate_limit) as client:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        return client.rate_limit(LOCATION_ID)


def status_after_async_call(rate_limit: RateLimit | None) -> RateLimitStatus:
    async def run() -> RateLimitStatus:
        async with AsyncLeadConnector(
            token=TOKEN, transport=new_emulator(), rate_limit=rate_limit
        ) as client:
            await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            return await client.rate_limit(LOCATION_ID)

    return asyncio.run(run())


@pytest.fixture(params=[status_after_sync_call, status_after_async_call])
def status_after_call(request: pytest.FixtureRequest) -> StatusAfterCall:
    function: StatusAfterCall = request.param
    return function


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


def new_redis_rate_limit(server: RedisServer, prefix: str) -> RedisRateLimit:
    """A rate limit with a clock that stands still: so no response is late."""
    rate_limit = RedisRateLimit(server.url_with_timeout(PATIENCE), prefix=prefix)
    rate_limit._clock = Clock(1000.0)
    return rate_limit


def status_of(
    limits: ObservedLimits, clock: Clock, key: str = "key", received_at: float = 0.0
) -> RateLimitStatus:
    """The status by a clock that was at `received_at` at `RECEIVED_AT`."""
    return limit_status(
        limits, key, epoch_clock=lambda: RECEIVED_AT.timestamp() + clock.seconds - received_at
    )


def observed(clock: Clock, headers: dict[str, str]) -> ObservedLimits:
    limits = ObservedLimits(LIMIT_HEADERS, clock)
    limits.record("key", 1, headers)
    return limits


def test_a_client_knows_what_the_response_said_and_what_it_reserved(
    status_after_call: StatusAfterCall,
) -> None:
    before = datetime.now(UTC)

    status = status_after_call(RateLimit())

    assert (status.limit, status.interval, status.remaining) == (100, 10.0, 99)
    assert (status.daily_limit, status.daily_remaining) == (200_000, 199_999)
    assert (status.reserved, status.waiting) == (1, 0)
    assert status.observed_at is not None
    assert before <= status.observed_at <= datetime.now(UTC)
    assert status.resets_at == status.observed_at + timedelta(seconds=10)
    assert status.daily_resets_at is not None
    midnight = (status.observed_at + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert abs(status.daily_resets_at - midnight) < timedelta(seconds=2)


def test_a_client_without_rate_limit_knows_what_the_response_said(
    status_after_call: StatusAfterCall,
) -> None:
    status = status_after_call(None)

    assert (status.limit, status.remaining, status.daily_remaining) == (100, 99, 199_999)
    assert (status.reserved, status.waiting) == (None, None)


@pytest.mark.parametrize("rate_limit", [RateLimit(), None], ids=["limited", "unlimited"])
def test_nothing_is_known_about_another_location(rate_limit: RateLimit | None) -> None:
    with LeadConnector(token=TOKEN, transport=new_emulator(), rate_limit=rate_limit) as client:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        assert client.rate_limit("another") == UNKNOWN


def test_clients_of_with_options_know_the_same() -> None:
    with LeadConnector(token=TOKEN, transport=new_emulator(), rate_limit=None) as client:
        client.with_options(retries=0).conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID
        )
        assert client.rate_limit(LOCATION_ID).remaining == 99


def test_a_closed_client_still_knows_it() -> None:
    with LeadConnector(token=TOKEN, transport=new_emulator()) as client:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    assert client.rate_limit(LOCATION_ID).remaining == 99


def test_a_waiting_reservation_is_counted() -> None:
    rate_limit = RateLimit(limit=2, clock=Clock())
    reservations = [rate_limit.reserve("key") for _ in range(5)]

    assert (rate_limit.status("key").reserved, rate_limit.status("key").waiting) == (2, 3)

    rate_limit.release(reservations[4])
    assert rate_limit.status("key").waiting == 2


def test_reserved_requests_count_for_a_window() -> None:
    clock = Clock()
    rate_limit = RateLimit(clock=clock)
    rate_limit.reserve("key")
    clock.seconds = 11.0
    assert rate_limit.status("key").reserved == 0


def test_a_status_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        UNKNOWN.limit = 5  # type: ignore[misc]


@pytest.mark.parametrize("value", [None, 5, b"id", ["id"], "\ud800"])
def test_a_location_that_is_no_text_is_an_argument_error(value: Any) -> None:
    with LeadConnector(token=TOKEN) as client, pytest.raises(ArgumentError) as caught:
        client.rate_limit(value)
    assert caught.value.argument == "location_id"

    async def request_status() -> None:
        async with AsyncLeadConnector(token=TOKEN) as client:
            await client.rate_limit(value)

    with pytest.raises(ArgumentError, match="location_id must be a string"):
        asyncio.run(request_status())


class TestObservedLimits:
    def test_the_numbers_of_a_window_are_unknown_once_it_is_over(self) -> None:
        clock = Clock()
        limits = observed(clock, WINDOW_HEADERS)
        clock.seconds = 9.9
        assert status_of(limits, clock).remaining == 42
        assert status_of(limits, clock).resets_at == RECEIVED_AT + timedelta(seconds=10)
        clock.seconds = 10.0
        status = status_of(limits, clock)
        assert (status.remaining, status.resets_at) == (None, None)
        assert (status.limit, status.interval) == (100, 10.0)
        assert status.observed_at == RECEIVED_AT

    def test_the_numbers_of_a_day_are_unknown_once_it_is_over(self) -> None:
        clock = Clock()
        limits = observed(clock, DAY_HEADERS)
        clock.seconds = 3599.0
        status = status_of(limits, clock)
        assert (status.daily_remaining, status.limit) == (1234, None)
        assert status.daily_resets_at == RECEIVED_AT + timedelta(hours=1)
        clock.seconds = 3600.0
        status = status_of(limits, clock)
        assert (status.daily_remaining, status.daily_resets_at) == (None, None)
        assert status.daily_limit == 200_000

    def test_without_a_reset_a_day_is_over_after_25_hours(self) -> None:
        clock = Clock()
        limits = observed(clock, {"x-ratelimit-daily-remaining": "7"})
        clock.seconds = 89_999.0
        assert status_of(limits, clock).daily_remaining == 7
        clock.seconds = 90_000.0
        assert status_of(limits, clock).daily_remaining is None

    def test_a_response_that_was_overtaken_changes_nothing(self) -> None:
        clock = Clock()
        limits = ObservedLimits(LIMIT_HEADERS, clock)
        limits.record("key", 2, {**WINDOW_HEADERS, **DAY_HEADERS})
        overtaken = {"x-ratelimit-remaining": "43", "x-ratelimit-daily-remaining": "1235"}
        limits.record("key", 1, overtaken)
        status = status_of(limits, clock)
        assert (status.remaining, status.daily_remaining) == (42, 1234)

        # A clock that is put back gives lower numbers.
        clock.seconds = REORDERING_SECONDS + 0.1
        limits.record("key", 1, overtaken)
        assert status_of(limits, clock).remaining == 43

    @given(st.permutations(range(10)))
    def test_in_any_order_of_responses_the_last_request_decides(self, order: list[int]) -> None:
        clock = Clock()
        limits = ObservedLimits(LIMIT_HEADERS, clock)
        for number in order:
            limits.record("key", number, {"x-ratelimit-remaining": str(100 - number)})
        assert status_of(limits, clock).remaining == 91

    def test_a_response_without_such_headers_changes_nothing(self) -> None:
        clock = Clock()
        limits = observed(clock, WINDOW_HEADERS)
        limits.record("key", 2, {"content-type": "text/html"})
        limits.record("key", 3, DAY_HEADERS)
        status = status_of(limits, clock)
        assert (status.remaining, status.daily_remaining) == (42, 1234)

    @given(st.dictionaries(st.sampled_from([*WINDOW_HEADERS, *DAY_HEADERS, "date"]), HEADER_VALUES))
    def test_any_headers_lead_to_numbers_or_to_nothing(self, headers: dict[str, str]) -> None:
        clock = Clock()
        status = status_of(observed(clock, headers), clock)
        for number in (status.limit, status.remaining, status.daily_limit, status.daily_remaining):
            assert number is None or 0 <= number < 10**15
        assert status.interval is None or 0 < status.interval <= 90_000
        for time in (status.resets_at, status.daily_resets_at):
            assert time is None or RECEIVED_AT < time <= RECEIVED_AT + timedelta(hours=25)

    def test_memory_is_bounded(self) -> None:
        limits = ObservedLimits(LIMIT_HEADERS, Clock())
        for number in range(MAXIMUM_KEYS + 10):
            limits.record(str(number), number, WINDOW_HEADERS)
        assert len(limits._windows) == MAXIMUM_KEYS
        assert limits.observations("9").window is None
        assert limits.observations("10").window is not None

    def test_headers_that_are_too_long_change_nothing(self) -> None:
        clock = Clock()
        limits = observed(clock, WINDOW_HEADERS)
        limits.record("key", 2, {"x-ratelimit-remaining": "9" * (LONGEST_TEXT + 1)})
        assert status_of(limits, clock).remaining == 42

    def test_asking_for_unknown_locations_stores_nothing(self) -> None:
        rate_limit = RateLimit()
        for number in range(100):
            assert rate_limit.status(str(number)) == UNKNOWN
        assert len(rate_limit.observed_limits._windows) == 0
        assert rate_limit._queues.cache_info().currsize == 0


@pytest.mark.parametrize("rate_limit", [RateLimit(), None], ids=["limited", "unlimited"])
def test_of_responses_in_the_wrong_order_the_last_request_decides(
    rate_limit: RateLimit | None,
) -> None:
    """The first request gets its response after the second one got its own."""
    first_may_end = threading.Event()
    first_has_come = threading.Event()
    remaining = iter(["99", "98"])

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"X-RateLimit-Remaining": next(remaining)}
        if not first_has_come.is_set():
            first_has_come.set()
            first_may_end.wait(PATIENCE)
        return httpx.Response(200, json=SUCCESS_BODY, headers=headers)

    with LeadConnector(
        token=TOKEN, transport=httpx.MockTransport(handle), rate_limit=rate_limit
    ) as client:

        def call() -> None:
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

        thread = threading.Thread(target=call)
        thread.start()
        first_has_come.wait(PATIENCE)
        call()
        first_may_end.set()
        thread.join(PATIENCE)
        assert client.rate_limit(LOCATION_ID).remaining == 98


@dataclass
class Replying:
    """Stands for the script: it returns one reply, whatever it is called with."""

    reply: bytes

    def __call__(self, keys: list[str], arguments: list[bytes]) -> bytes:
        return self.reply


class TestRedis:
    def test_one_call_is_known_to_another_process(
        self, status_after_call: StatusAfterCall, server: RedisServer
    ) -> None:
        prefix = str(uuid4())
        with (
            closing(new_redis_rate_limit(server, prefix)) as first,
            closing(new_redis_rate_limit(server, prefix)) as second,
        ):
            expected = status_after_call(first)
            status = second.status(LOCATION_ID)

        assert (status.limit, status.interval, status.remaining) == (100, 10.0, 99)
        assert (status.daily_limit, status.daily_remaining) == (200_000, 199_999)
        assert (status.reserved, status.waiting) == (1, 0)
        for name in ("observed_at", "resets_at", "daily_resets_at"):
            difference = getattr(status, name) - getattr(expected, name)
            # Redis has its own clock, and the one of the test stands still.
            assert abs(difference) < timedelta(seconds=PATIENCE)

    def test_a_further_call_is_shared_with_the_next_operation_or_question(
        self, server: RedisServer
    ) -> None:
        prefix = str(uuid4())
        with (
            closing(new_redis_rate_limit(server, prefix)) as first,
            closing(new_redis_rate_limit(server, prefix)) as second,
        ):
            with LeadConnector(token=TOKEN, transport=new_emulator(), rate_limit=first) as client:
                for _ in range(3):
                    client.conversations.update_conversation(
                        CONVERSATION_ID, location_id=LOCATION_ID
                    )
                assert second.status(LOCATION_ID).remaining == 98
                assert client.rate_limit(LOCATION_ID).remaining == 97
            assert second.status(LOCATION_ID).remaining == 97

    def test_calls_use_redis_once_each_and_the_first_one_twice(self, server: RedisServer) -> None:
        def evaluations() -> int:
            with closing(server.client()) as client:
                statistics: Any = client.info("commandstats")
            return int(statistics["cmdstat_evalsha"]["calls"])

        with (
            closing(new_redis_rate_limit(server, str(uuid4()))) as rate_limit,
            LeadConnector(token=TOKEN, transport=new_emulator(), rate_limit=rate_limit) as client,
        ):
            rate_limit.reserve("another")
            before = evaluations()
            for _ in range(20):
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            assert evaluations() - before == 21

    def test_a_response_that_was_overtaken_changes_nothing(self, server: RedisServer) -> None:
        prefix = str(uuid4())
        with (
            closing(new_redis_rate_limit(server, prefix)) as first,
            closing(new_redis_rate_limit(server, prefix)) as second,
        ):
            early, late = first.reserve("key"), second.reserve("key")
            second.observed_limits.record("key", late.number, {"x-ratelimit-remaining": "1"})
            assert second.status("key").remaining == 1
            first.observed_limits.record("key", early.number, {"x-ratelimit-remaining": "2"})
            assert first.status("key").remaining == 1
            assert second.status("key").remaining == 1

    def test_an_unknown_location_stays_unknown(self, server: RedisServer) -> None:
        prefix = str(uuid4())
        with (
            closing(new_redis_rate_limit(server, prefix)) as rate_limit,
            closing(server.client()) as client,
        ):
            assert rate_limit.status("key") == UNKNOWN
            assert client.keys(f"{prefix}*") == []

    def test_what_redis_stores_expires_after_a_day(self, server: RedisServer) -> None:
        prefix = str(uuid4())
        with (
            closing(new_redis_rate_limit(server, prefix)) as rate_limit,
            closing(server.client()) as client,
        ):
            rate_limit.observed_limits.record("key", 1, DAY_HEADERS)
            rate_limit.status("key")
            milliseconds = int(client.pttl(f"{prefix}:{{key}}:observed"))
        assert 86_000_000 < milliseconds <= 86_400_000

    @pytest.mark.parametrize("fail_open", [True, False])
    def test_without_redis_a_process_knows_what_it_saw_itself(
        self, tmp_path: Path, *, fail_open: bool
    ) -> None:
        server = RedisServer(tmp_path)
        rate_limit = RedisRateLimit(server.url, fail_open=fail_open)
        with closing(rate_limit):
            rate_limit.reserve("key")
            rate_limit.observed_limits.record("key", 1, WINDOW_HEADERS)
            server.stop()
            status = rate_limit.status("key")
            assert (status.remaining, status.reserved) == (42, 1)
            assert rate_limit.status("another") == UNKNOWN

    @pytest.mark.parametrize(
        "reply",
        [
            b"",
            b"[]",
            b"{}",
            b'{"is_known": true, "reserved": "-1", "waiting": "0", "observed": {}}',
            b'{"is_known": 1, "reserved": "1", "waiting": "0", "observed": {}}',
            b'{"is_known": false, "observed": {"window": {"number": "1"}}}',
            b'{"is_known": false, "observed": {"window": {"number": "1", "age": "1", "text": 5}}}',
            b'{"is_known": false, "observed": {"day": {"number": "-1", "age": "1", "text": ""}}}',
        ],
    )
    def test_a_malformed_reply_is_no_reply(self, server: RedisServer, reply: bytes) -> None:
        rate_limit = new_redis_rate_limit(server, str(uuid4()))
        rate_limit._redis._script = Replying(reply)
        assert rate_limit.status("key") == UNKNOWN

    def test_headers_of_another_version_of_the_client_are_ignored(
        self, server: RedisServer
    ) -> None:
        rate_limit = new_redis_rate_limit(server, str(uuid4()))
        rate_limit._redis._script = Replying(
            b'{"is_known": false, "observed": {"day": {"number": "1", "age": "0", "text": "7"}}}'
        )
        status = rate_limit.status("key")
        assert (status.daily_remaining, status.reserved) == (None, None)


def test_every_field_has_a_row_in_the_documentation() -> None:
    text = (ROOT / "docs" / "rate-limits.md").read_text(encoding="utf-8")
    assert [name for name in RateLimitStatus._fields if f"\n| `{name}` |" not in text] == []
