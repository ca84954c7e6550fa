"""Tests of `RedisRateLimit` with a real Redis: the guarantees of `RateLimit`, also in an outage."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import pickle
import re
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from leadconnector import (
    AsyncLeadConnector,
    ConfigurationError,
    DailyRateLimitError,
    RateLimitUnavailableError,
    RedisRateLimit,
)
from leadconnector._runtime.secrets import Secret
from leadconnector.rate_limit import Reservation, redis_script
from leadconnector.rate_limit.circuit_breaker import RETRY_SECONDS
from leadconnector.rate_limit.rate import DAY_SECONDS, STRETCH, Rate
from leadconnector.rate_limit.reservations import (
    GRACE_SECONDS,
    MAXIMUM_LAG_WINDOWS,
    Action,
    Operation,
)
from leadconnector.rate_limit.shared_key import SharedKey, State

from tests.client.test_rate_limit import (
    INVALID_RESETS,
    KEY,
    LIMIT,
    SECONDS,
    STEPS,
    WINDOW,
    Clock,
    Simulation,
    Step,
    Update,
    apply_response,
    apply_update,
    exhausted,
    headers,
    update,
    update_after,
    wait,
)
from tests.support import redis_server
from tests.support.calling import TOKEN, succeeding
from tests.support.paths import ROOT
from tests.support.redis_server import SECONDS as PATIENCE
from tests.support.redis_server import RedisServer

RESERVE_250 = """
import sys
from leadconnector import RedisRateLimit
# The window is an hour, so that no request expires while a busy machine runs the program.
rate_limit = RedisRateLimit(sys.argv[1], seconds=3600)
print(*(rate_limit.reserve("key").number for _ in range(250)))
rate_limit.close()
"""
"""A program that reserves, and prints the numbers."""

REPORTING_SECONDS = 1.5
"""How long reserve.lua lets the active processes report what they sent without Redis."""


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that do not stop it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may stop."""
    redis_server = RedisServer(tmp_path)
    yield redis_server
    redis_server.stop()


@pytest.fixture
def rate_limit(shared_server: RedisServer) -> Iterator[RedisRateLimit]:
    """A rate limit that no other test shares."""
    with closing(new_rate_limit(shared_server)) as rate_limit:
        yield rate_limit


def new_rate_limit(server: RedisServer, prefix: str = "") -> RedisRateLimit:
    """A rate limit that waits for a slow machine; with a prefix of its own by default."""
    url = server.url_with_timeout(PATIENCE)
    return RedisRateLimit(url, LIMIT, SECONDS, prefix=prefix or str(uuid4()))


def redis_name(rate_limit: RedisRateLimit, name: str) -> str:
    """The name in Redis of what it stores for the key."""
    return f"{rate_limit._redis._prefix}:{{{KEY}}}:{name}"


def numbers_in_redis(server: RedisServer, rate_limit: RedisRateLimit) -> set[int]:
    """The numbers of all reservations of the key, permitted and waiting."""
    numbers = set[int]()
    with closing(server.client()) as client:
        for name in ("sends", "waiting"):
            members: list[bytes] = client.zrange(redis_name(rate_limit, name), 0, -1)
            numbers.update(int(member) for member in members)
    return numbers


def with_clock(rate_limit: RedisRateLimit) -> Clock:
    """Give the rate limit a clock that the test moves. Redis keeps its own."""
    clock = Clock()
    rate_limit._clock = clock
    return clock


def key_of(rate_limit: RedisRateLimit) -> SharedKey:
    return rate_limit._shared_keys(os.getpid(), KEY)


def simulated(server: RedisServer) -> tuple[Simulation, RedisRateLimit]:
    """Callers of a rate limit whose Redis has the clock of the test."""
    rate_limit = new_rate_limit(server)
    clock = with_clock(rate_limit)
    client = server.client()
    clock_name = f"{rate_limit._redis._prefix}:clock"
    script = rate_limit._redis._script
    read_clock = f"redis.call('HMGET', '{clock_name}', 'seconds', 'microseconds')"
    text = str(script.script).replace("redis.call('TIME')", read_clock)
    assert "TIME" not in text
    rate_limit._redis._script = script.registered_client.register_script(text)

    def write_clock() -> None:
        seconds, microseconds = divmod(round(clock.now * 1e6), 1_000_000)
        client.hset(clock_name, mapping={"seconds": seconds, "microseconds": microseconds})

    write_clock()
    return Simulation(rate_limit, clock, write_clock), rate_limit


VALID_REPLY: dict[str, object] = {
    "number": "1795745772549148",
    "wait": "0",
    "limit": "5",
    "window": "10000000",
    "day_exhausted": False,
    "day_ends_in": "0",
    "process_count": 1,
    "memory_id": "1795745772549148",
    "memory_lost": False,
    "local_for": "0",
    "period_over": False,
    "free_in": "0",
    "last_permitted_age": "0",
}
"""A reply of the script that permits a request."""

MALFORMED_VALUES: list[object] = [
    None,
    -(10**18),
    "-9" + "0" * 18,
    "9" * 20,
    "9" * 5000,
    1.5,
    math.nan,
    math.inf,
    "nan",
    "x",
    "",
    [],
    {},
]
"""No number, boolean or text that the script returns."""

MALFORMED_FIELDS = [
    (name, value)
    for name in sorted(VALID_REPLY)
    for value in MALFORMED_VALUES
    # Any text is a valid `memory_id`.
    if name != "memory_id" or not isinstance(value, str)
]

REPLIES = st.one_of(
    st.binary(),
    st.text(),
    st.none(),
    st.integers(),
    st.floats(),
    st.lists(st.integers()),
    st.dictionaries(
        st.sampled_from(sorted(VALID_REPLY)),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.integers().map(str),
            st.floats(),
            st.text(max_size=5),
        ),
    ).map(lambda fields: json.dumps({**VALID_REPLY, **fields}).encode()),
)
"""What a broken server can return in the place of the script's reply."""


@dataclass
class Replying:
    """Stands for the script: it returns one reply, whatever it is called with."""

    reply: Any
    registered_client: Any = None

    def __post_init__(self) -> None:
        self.registered_client = redis.Redis()

    def __call__(self, keys: list[str], arguments: list[bytes]) -> Any:
        return self.reply


def fail_to_connect(*_: object) -> bytes:
    raise redis.ConnectionError


fail_to_connect.registered_client = redis.Redis()  # type: ignore[attr-defined]


def use_once(rate_limit: RedisRateLimit) -> None:
    """Reserve, update and release, and verify the values."""
    # A reply can state that the day is used up.
    with suppress(DailyRateLimitError):
        reservation = rate_limit.reserve(KEY)
        assert 0.0 <= rate_limit.remaining(reservation) < math.inf
        assert 1 <= reservation.state.rate.limit <= LIMIT
        rate_limit.update(reservation, None)
        rate_limit.release(reservation)


def script_request() -> redis_script.ScriptRequest:
    """A reservation of a process that has sent nothing."""
    operation = Operation(Action.RESERVE, KEY)
    rate = Rate(LIMIT, SECONDS)
    return redis_script.ScriptRequest(operation, rate, "process", False, False, "", [])


@contextmanager
def replying_server(reply: bytes) -> Generator[int]:
    """A server that sends one reply to everything. Yields its port."""
    connections = list[socket.socket]()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                connection.recv(65_536)
                connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in connections:
                connection.close()
            thread.join(PATIENCE)


class TestSimulated:
    @given(STEPS)
    @settings(max_examples=40)
    def test_no_window_exceeds_the_limit_and_callers_send_in_the_order_of_their_reservations(
        self, shared_server: RedisServer, steps: list[Step]
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            for name, value in steps:
                run.step(name, value)
            run.advance(run.clock.now + 10_000)
        run.check()
        assert run.waiting == []
        key = key_of(rate_limit)
        # It never decided alone.
        assert (key.state, key._local_until) == (State.ASKING, -math.inf)

    def test_constant_demand_uses_the_whole_limit(self, shared_server: RedisServer) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            run.step("reserve", 50)
            run.step("release", list(range(20, -1, -1)))
            run.advance(run.clock.now + 10_000)
        expected = [1000.0 + index // LIMIT * WINDOW for index in range(29)]
        assert [sent_at for _, sent_at in run.sends] == pytest.approx(expected, abs=0.001)

    def test_a_late_reservation_is_booked_anew_in_the_order_of_the_numbers(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            reservations = [rate_limit.reserve(KEY) for _ in range(LIMIT + 3)]
            run.move(run.clock.now + 1)
            apply_update(rate_limit, update(pause=5.0))
            waits = [rate_limit.remaining(reservations[index]) for index in (1, 0, 2)]
            assert waits == [5.0, 5.0, 5.0]
            run.move(run.clock.now + 5)
            waits = [rate_limit.remaining(reservation) for reservation in reservations[:3]]
            assert waits == [0.0, 0.0, 0.0]
            assert rate_limit.remaining(reservations[LIMIT]) > 0.0
            waits = [rate_limit.remaining(reservation) for reservation in reservations[3:LIMIT]]
            assert waits == [0.0, 0.0]
            numbers = {reservation.number for reservation in reservations}
            assert numbers_in_redis(shared_server, rate_limit) == numbers

    def test_late_reservations_keep_their_order(self, shared_server: RedisServer) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_update(rate_limit, update(limit=1))
            reservations = [rate_limit.reserve(KEY) for _ in range(4)]
            run.move(run.clock.now + 100)
            waits = [rate_limit.remaining(reservations[index]) for index in (0, 1, 3, 2, 3)]
            assert [round(seconds, 2) for seconds in waits] == [0.0, 10.05, 20.1, 20.1, 30.15]

    def test_one_call_in_each_window_finds_out_whether_an_exhausted_day_is_over(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_update(rate_limit, update(day_exhausted=True))
            probes = list[Reservation]()
            for _ in range(2):
                with pytest.raises(DailyRateLimitError):
                    rate_limit.reserve(KEY)
                run.move(run.clock.now + SECONDS)
                probes.append(rate_limit.reserve(KEY))
                assert rate_limit.remaining(probes[-1]) == 0.0
                assert update_after(rate_limit, probes[-1], 200, headers(daily_remaining=0)) is None
            change = update_after(rate_limit, probes[-1], 200, headers(daily_remaining=7))
            assert change is not None
            apply_update(rate_limit, change)
            assert not rate_limit.reserve(KEY).state.day_exhausted
            assert not rate_limit.reserve(KEY).state.day_exhausted

    def test_nothing_is_sent_before_the_day_ends(self, shared_server: RedisServer) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            first, *_, waiting = (rate_limit.reserve(KEY) for _ in range(LIMIT + 1))
            apply_response(rate_limit, first, 200, exhausted(3_600_000))
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.remaining(waiting)
            assert caught.value.retry_after == pytest.approx(3600.0, abs=0.001)
            assert waiting.number not in numbers_in_redis(shared_server, rate_limit)
            run.move(run.clock.now + 3599.0)
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.reserve(KEY)
            assert caught.value.retry_after == pytest.approx(1.0, abs=0.001)
            run.move(run.clock.now + 1.0)
            probe = rate_limit.reserve(KEY)
            assert probe.wait == 0.0
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.reserve(KEY)
            assert caught.value.retry_after is None
            apply_response(rate_limit, probe, 200, headers(daily_remaining=7))
            assert rate_limit.reserve(KEY).wait == 0.0

    @pytest.mark.parametrize("reset", INVALID_RESETS)
    def test_an_invalid_end_of_the_day_is_ignored(
        self, shared_server: RedisServer, reset: object
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_response(rate_limit, rate_limit.reserve(KEY), 200, exhausted(reset))
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.reserve(KEY)
            assert caught.value.retry_after is None
            run.move(run.clock.now + SECONDS)
            assert rate_limit.reserve(KEY).wait == 0.0

    def test_another_process_knows_the_end_of_the_day_also_without_redis(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_response(rate_limit, rate_limit.reserve(KEY), 200, exhausted(3_600_000))
            with pytest.raises(DailyRateLimitError):
                rate_limit.reserve(KEY)

            rate_limit._redis._script = fail_to_connect
            run.clock.now += 60.0
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.reserve(KEY)
            assert caught.value.retry_after == pytest.approx(3540.0, abs=0.001)
            run.clock.now += 3540.0
            assert rate_limit.reserve(KEY).wait == 0.0

    def test_a_request_that_finds_out_whether_the_day_is_over_may_have_to_wait(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_update(rate_limit, update(day_exhausted=True, pause=15.0))
            run.move(run.clock.now + SECONDS)
            probe = rate_limit.reserve(KEY)
            assert probe.wait == pytest.approx(5.0)
            run.move(run.clock.now + 5.0)
            assert rate_limit.remaining(probe) == 0.0

    def test_a_redis_clock_that_is_put_back_after_a_wait_makes_nobody_wait(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_update(rate_limit, update(limit=1))
            waiting = [rate_limit.reserve(KEY) for _ in range(4)][1:]
            for reservation in waiting:
                run.move(run.clock.now + WINDOW)
                assert rate_limit.remaining(reservation) == 0.0
            # Still after the last `reserve`.
            run.move(run.clock.now - 25.0)
            assert wait(rate_limit) == 0.0

    def test_a_redis_clock_that_is_put_back_makes_nobody_wait(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            for _ in range(LIMIT):
                rate_limit.reserve(KEY)
            run.move(run.clock.now - 300)
            assert wait(rate_limit) == 0.0

    def test_a_caller_that_never_asks_again_blocks_others_only_for_the_grace_period(
        self, shared_server: RedisServer
    ) -> None:
        run, rate_limit = simulated(shared_server)
        with closing(rate_limit):
            apply_update(rate_limit, update(limit=1))
            _, abandoned, waiting = (rate_limit.reserve(KEY) for _ in range(3))
            run.move(run.clock.now + WINDOW)
            assert rate_limit.remaining(waiting) > GRACE_SECONDS
            run.move(run.clock.now + GRACE_SECONDS + 0.1)
            assert rate_limit.remaining(waiting) == 0.0
            assert rate_limit.remaining(abandoned) == pytest.approx(WINDOW)


def test_four_processes_share_one_limit_and_lose_nothing(shared_server: RedisServer) -> None:
    command = [sys.executable, "-c", RESERVE_250, shared_server.url]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "overrides")}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    numbers = [[int(number) for number in output.split()] for output in outputs]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    with closing(RedisRateLimit(shared_server.url)) as rate_limit:
        in_redis = numbers_in_redis(shared_server, rate_limit)
    assert in_redis == {number for of_process in numbers for number in of_process}
    assert len(in_redis) == 1000
    assert all(of_process == sorted(of_process) for of_process in numbers)


def test_rate_limits_of_one_prefix_share_and_those_of_another_do_not(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    prefix = rate_limit._redis._prefix
    with (
        closing(new_rate_limit(shared_server, prefix)) as same_prefix,
        closing(new_rate_limit(shared_server)) as other_prefix,
    ):
        waits = [wait(user) for user in (rate_limit, same_prefix) * 3]
        assert [seconds > 0 for seconds in waits] == [False] * LIMIT + [True]
        assert wait(other_prefix) == 0.0


def test_forty_threads_share_the_connections(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    reservations = list[Reservation]()

    def reserve_ten() -> None:
        reservations.extend(rate_limit.reserve(KEY) for _ in range(10))

    threads = [threading.Thread(target=reserve_ten) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {reservation.number for reservation in reservations}
    assert numbers_in_redis(shared_server, rate_limit) == numbers
    assert len(numbers) == 400
    with closing(shared_server.client()) as client:
        maximum = redis_script.CONNECTION_OPTIONS["max_connections"]
        assert len(client.client_list()) <= maximum + 2


def test_a_call_that_does_not_wait_uses_redis_once(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    with closing(shared_server.client()) as client:
        wait(rate_limit)
        before: Any = client.info("commandstats")
        reservation = rate_limit.reserve(KEY)
        assert rate_limit.remaining(reservation) == 0.0
        assert update_after(rate_limit, reservation, 200, headers(LIMIT, 10_000, 1000)) is None
        after: Any = client.info("commandstats")
    assert after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"] == 1


def test_a_script_that_redis_forgot_is_sent_again(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    rate_limit.reserve(KEY)
    with closing(shared_server.client()) as client:
        client.script_flush()
    assert rate_limit.reserve(KEY).number in numbers_in_redis(shared_server, rate_limit)


def test_an_idle_key_expires(shared_server: RedisServer, rate_limit: RedisRateLimit) -> None:
    last = [rate_limit.reserve(KEY) for _ in range(LIMIT + 1)][-1]
    with closing(shared_server.client()) as client:
        milliseconds = [
            int(client.pttl(redis_name(rate_limit, name))) for name in redis_script.KEY_NAMES
        ]
    longest = last.wait + WINDOW + GRACE_SECONDS + 1
    assert len(milliseconds) == 4
    assert all(SECONDS < lifetime / 1000 <= longest for lifetime in milliseconds)


def test_an_exhausted_day_is_remembered_for_a_day_without_calls(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    apply_update(rate_limit, update(day_exhausted=True))
    with closing(shared_server.client()) as client:
        assert int(client.pttl(redis_name(rate_limit, "state"))) > DAY_SECONDS * 1000


@pytest.mark.parametrize(
    "change",
    [update(limit=LIMIT - 1), update(seconds=SECONDS * 2)],
    ids=["a lower limit", "a longer window"],
)
def test_a_slower_advertised_rate_is_remembered_for_a_day_without_calls(
    shared_server: RedisServer, rate_limit: RedisRateLimit, change: Update
) -> None:
    apply_update(rate_limit, change)
    with closing(shared_server.client()) as client:
        assert int(client.pttl(redis_name(rate_limit, "state"))) > DAY_SECONDS * 1000


def test_released_reservations_block_nobody(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    apply_update(rate_limit, update(limit=1))
    first, waiting, *others, last = (rate_limit.reserve(KEY) for _ in range(20))
    for reservation in others:
        rate_limit.release(reservation)
    assert SECONDS < rate_limit.remaining(last) <= 2 * WINDOW
    numbers = {first.number, waiting.number, last.number}
    assert numbers_in_redis(shared_server, rate_limit) == numbers
    rate_limit.release(first)
    assert rate_limit.remaining(waiting) == 0.0
    with closing(shared_server.client()) as client:
        fields: list[bytes] = client.hkeys(redis_name(rate_limit, "state"))
    assert {field for field in fields if field.isdigit()} == {b"%d" % last.number}


def test_a_client_of_redis_py_can_be_passed(shared_server: RedisServer) -> None:
    with closing(shared_server.client()) as client:
        rate_limit = RedisRateLimit(client, prefix=str(uuid4()))
        assert rate_limit.reserve(KEY).number in numbers_in_redis(shared_server, rate_limit)
        rate_limit.close()
        assert rate_limit.reserve(KEY).number in numbers_in_redis(shared_server, rate_limit)


def test_fractions_of_a_second_are_the_same_on_both_sides(shared_server: RedisServer) -> None:
    url = shared_server.url_with_timeout(PATIENCE)
    with closing(RedisRateLimit(url, 3, 0.125014, prefix=str(uuid4()))) as rate_limit:
        seconds = rate_limit._rate.seconds
        assert rate_limit.reserve(KEY).state.rate == rate_limit._rate
        apply_update(rate_limit, update(limit=2, seconds=seconds))
        assert rate_limit.reserve(KEY).state.rate == Rate(2, seconds)


def test_the_script_has_the_constants_of_the_process() -> None:
    path = ROOT / "overrides/leadconnector/rate_limit/reserve.lua"
    pairs = re.findall(r"^local ([A-Z_]+) = ([\d.e]+)$", path.read_text("utf-8"), re.MULTILINE)
    constants = {name: float(value) for name, value in pairs}
    assert constants["STRETCH"] == STRETCH
    assert constants["MAXIMUM_LAG_WINDOWS"] == MAXIMUM_LAG_WINDOWS
    assert constants["GRACE"] == GRACE_SECONDS * 1e6
    assert constants["DAY"] == DAY_SECONDS * 1e6
    # Each active process retries within RETRY_SECONDS, so it can report in time.
    assert constants["REPORTING_PERIOD"] == REPORTING_SECONDS * 1e6 > RETRY_SECONDS * 1e6


class TestAway:
    def test_calls_go_on_within_the_limit_of_the_process_and_return_to_redis(
        self, server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "leadconnector")
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as rate_limit:
            clock = with_clock(rate_limit)
            waiting = [rate_limit.reserve(KEY) for _ in range(LIMIT + 1)][-1]
            server.stop()
            clock.now += WINDOW
            assert rate_limit.remaining(waiting) == 0.0
            reservations = [rate_limit.reserve(KEY) for _ in range(LIMIT)]
            last = reservations[-1]
            waits = [rate_limit.remaining(reservation) for reservation in reservations]
            assert [seconds > 0 for seconds in waits] == [False] * (LIMIT - 1) + [True]
            rate_limit.release(last)
            apply_update(rate_limit, update(pause=1.0))
            assert len(caplog.messages) == 1
            assert key_of(rate_limit).state is State.LOCAL
            server.start()
            # Redis is not tried again yet.
            assert rate_limit.reserve(KEY).number not in numbers_in_redis(server, rate_limit)
            clock.now += RETRY_SECONDS
            later = WINDOW - RETRY_SECONDS
            # The process still decides alone, until all active processes can have reported.
            assert rate_limit.remaining(last) == pytest.approx(later)
            assert key_of(rate_limit).state is State.REPORTING
            assert reservations[0].number in numbers_in_redis(server, rate_limit)
            assert last.number not in numbers_in_redis(server, rate_limit)
            clock.now += REPORTING_SECONDS
            # By Redis's clock, which did not move.
            assert rate_limit.remaining(last) == pytest.approx(later, abs=0.5)
            assert key_of(rate_limit).state is State.ASKING
            assert last.number in numbers_in_redis(server, rate_limit)
        assert len(caplog.messages) == 2
        assert "does not respond (ConnectionError)" in caplog.messages[0]
        assert "responds again" in caplog.messages[1]
        assert server.PASSWORD not in caplog.text
        assert {record.name for record in caplog.records} == {"leadconnector"}

    def test_each_process_keeps_to_its_share_and_counts_what_it_sent_before(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as second,
        ):
            clocks = [with_clock(rate_limit) for rate_limit in (first, second)]
            for rate_limit in (first, second, second, first):
                assert rate_limit.reserve(KEY).wait == 0.0
            server.stop()
            waits = [
                [round(rate_limit.reserve(KEY).wait, 2) for _ in range(3)]
                for rate_limit in (first, second)
            ]
            assert waits == [[0.0, 10.05, 10.05]] * 2
            for clock in clocks:
                clock.now += WINDOW
            waits_of_new_key = [
                rate_limit.reserve("another key").wait
                for rate_limit in (first, second)
                for _ in range(2)
            ]
            assert waits_of_new_key == [0.0] * 4

    def test_requests_of_other_processes_count_until_the_time_that_redis_stated(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as second,
        ):
            clocks = [with_clock(rate_limit) for rate_limit in (first, second)]
            for rate_limit in (first, second, second, second, second, second):
                assert rate_limit.reserve(KEY).wait == 0.0
            reservations = [rate_limit.reserve(KEY) for rate_limit in (first, first, second, first)]
            server.stop()
            for clock in clocks:
                clock.now += SECONDS / 2
            expected = WINDOW - SECONDS / 2
            assert first.remaining(reservations[0]) == pytest.approx(expected, abs=0.5)
            for clock in clocks:
                clock.now += WINDOW - SECONDS / 2
            # Its whole share is free.
            waits = [first.remaining(reservations[index]) for index in (0, 1, 3)]
            assert waits == [0.0] * 3

    def test_a_caller_that_asks_after_others_may_have_sent_waits_for_a_window(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as second,
        ):
            clock = with_clock(first)
            for rate_limit in (first, second, second, second, second, second):
                assert rate_limit.reserve(KEY).wait == 0.0
            reservations = [first.reserve(KEY) for _ in range(3)]
            server.stop()
            clock.now += WINDOW
            waits = [first.remaining(reservation) for reservation in reservations]
            assert [seconds > 0.0 for seconds in waits] == [False, True, True]

    def test_where_nobody_waits_the_whole_limit_is_free(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as rate_limit:
            with_clock(rate_limit)
            reservation = rate_limit.reserve(KEY)
            server.stop()
            rate_limit.release(reservation)
            assert [rate_limit.reserve(KEY).wait for _ in range(LIMIT)] == [0.0] * LIMIT

    def test_a_process_keeps_to_its_share_until_all_have_reported(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as second,
        ):
            clocks = [with_clock(rate_limit) for rate_limit in (first, second)]
            for rate_limit in (first, second, first):
                assert rate_limit.reserve(KEY).wait == 0.0
            server.stop()
            assert first.reserve(KEY).wait == second.reserve(KEY).wait == 0.0
            server.start()
            for clock in clocks:
                clock.now += RETRY_SECONDS
            assert first.reserve(KEY).wait > SECONDS - RETRY_SECONDS
            assert second.reserve(KEY).wait == 0.0
            assert second.reserve(KEY).wait > SECONDS - RETRY_SECONDS
            assert len(numbers_in_redis(server, first)) == 6
            for clock in clocks:
                clock.now += REPORTING_SECONDS
            expected = WINDOW - RETRY_SECONDS
            assert first.reserve(KEY).wait == pytest.approx(expected, abs=0.5)

    def test_a_request_reported_after_the_reporting_period_is_decided_by_redis(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 8, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 8, SECONDS)) as second,
        ):
            clocks = [with_clock(rate_limit) for rate_limit in (first, second)]
            for rate_limit in (second, first, second):
                assert rate_limit.reserve(KEY).wait == 0.0
            server.stop()
            assert [rate_limit.reserve(KEY).wait for rate_limit in (first, second)] == [0.0, 0.0]
            server.start()
            for clock in clocks:
                clock.now += RETRY_SECONDS
            assert [rate_limit.reserve(KEY).wait for rate_limit in (first, second)] == [0.0, 0.0]
            with closing(server.client()) as client:
                client.hset(redis_name(first, "state"), "local_until", 1)
            # The second process asks Redis, and gets the last request that is free.
            clocks[1].now += REPORTING_SECONDS
            assert second.reserve(KEY).wait == 0.0
            # The first one has used three of its four. By its clock, it still decides alone.
            assert key_of(first).state is State.REPORTING
            reservation = first.reserve(KEY)
            assert reservation.wait > 0.0
            assert key_of(first).state is State.ASKING
            assert first.remaining(reservation) > 0.0
            assert len(numbers_in_redis(server, first)) == 8 + 1

    def test_a_request_of_another_thread_during_a_report_is_reported_too(
        self, server: RedisServer
    ) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as rate_limit:
            clock = with_clock(rate_limit)
            server.stop()
            rate_limit.reserve(KEY)
            server.start()
            clock.now += RETRY_SECONDS
            script = rate_limit._redis._script
            reservations = list[Reservation]()

            def run_after_another_thread(*arguments: Any) -> object:
                reservations.append(rate_limit.reserve(KEY))
                rate_limit._redis._script = script
                return script(*arguments)

            rate_limit._redis._script = run_after_another_thread
            rate_limit.reserve(KEY)
            rate_limit.reserve(KEY)
            assert reservations[0].wait == 0.0
            assert reservations[0].number in numbers_in_redis(server, rate_limit)

    def test_a_failure_in_another_thread_does_not_turn_a_decision_into_a_report(
        self, server: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as rate_limit:
            breaker = rate_limit._circuit_breaker
            allows = breaker.allows

            def deny(now: float) -> bool:
                return False

            def allow_after_another_thread(now: float) -> bool:
                # The other thread finds Redis away.
                monkeypatch.setattr(breaker, "allows", deny)
                rate_limit.reserve(KEY)
                monkeypatch.setattr(breaker, "allows", allows)
                return True

            monkeypatch.setattr(breaker, "allows", allow_after_another_thread)
            reservation = rate_limit.reserve(KEY)
            assert key_of(rate_limit).state is State.LOCAL
            assert reservation.number in numbers_in_redis(server, rate_limit)

    def test_a_redis_that_lost_its_memory_gets_a_report_before_more_is_sent(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 3, SECONDS)) as first,
            closing(RedisRateLimit(server.url, 3, SECONDS)) as second,
        ):
            for rate_limit in (first, second, first):
                assert rate_limit.reserve(KEY).wait == 0.0
            with closing(server.client()) as client:
                client.flushall()
            reservation = first.reserve(KEY)
            assert reservation.wait > SECONDS - 1.0
            assert second.reserve(KEY).wait > SECONDS - 1.0
            assert first.remaining(reservation) > SECONDS - 1.0
            assert len(numbers_in_redis(server, first)) == 3

    def test_a_key_that_was_idle_has_nothing_to_report(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, 1, SECONDS)) as rate_limit:
            clock = with_clock(rate_limit)
            rate_limit.reserve(KEY)
            with closing(server.client()) as client:
                # As if the keys had expired.
                client.flushall()
            clock.now += WINDOW + 1.0
            assert rate_limit.reserve(KEY).wait == 0.0

    def test_without_fail_open_nothing_is_sent(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS, fail_open=False)) as rate_limit:
            clock = with_clock(rate_limit)
            last = [rate_limit.reserve(KEY) for _ in range(LIMIT + 1)][-1]
            server.stop()
            clock.now += WINDOW
            for _ in range(2):
                with pytest.raises(RateLimitUnavailableError, match="nothing is sent until it"):
                    rate_limit.reserve(KEY)
                with pytest.raises(RateLimitUnavailableError):
                    rate_limit.remaining(last)
            rate_limit.release(last)
            apply_update(rate_limit, update(pause=1.0))
            server.start()
            clock.now += RETRY_SECONDS
            assert rate_limit.reserve(KEY).number in numbers_in_redis(server, rate_limit)

    def test_a_call_that_fails_closed_books_nothing(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS, fail_open=False)) as rate_limit:
            with_clock(rate_limit)
            reservation = rate_limit.reserve(KEY)
            server.stop()
            # A release goes on without Redis, so the key is in the state LOCAL.
            rate_limit.release(reservation)
            for _ in range(LIMIT):
                with pytest.raises(RateLimitUnavailableError):
                    rate_limit.reserve(KEY)
            assert key_of(rate_limit).state is State.LOCAL
            assert key_of(rate_limit).queue.recent_requests(rate_limit._clock()) == []

    def test_a_redis_that_hangs_is_waited_for_once(
        self, server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = server.url_with_timeout(0.02)
        with closing(RedisRateLimit(url, LIMIT, SECONDS)) as rate_limit:
            clock = with_clock(rate_limit)
            calls = 0
            rate_limit.reserve(KEY)
            server.suspend()
            rate_limit.reserve(KEY)

            def count_and_fail(*_: object) -> bytes:
                nonlocal calls
                calls += 1
                # As another thread would while this one tries.
                rate_limit.reserve(KEY)
                raise redis.TimeoutError

            script = rate_limit._redis._script
            rate_limit._redis._script = count_and_fail
            for _ in range(20):
                rate_limit.reserve(KEY)
            assert calls == 0
            clock.now += RETRY_SECONDS
            for _ in range(20):
                rate_limit.reserve(KEY)
            assert calls == 1
            rate_limit._redis._script = script
        assert len(caplog.messages) == 1

    @pytest.mark.parametrize(
        "reply",
        [
            b"*1\r\n" * 5000 + b":1\r\n",
            b"%1\r\n" * 5000,
            b">1\r\n" * 5000,
            b"$5000\r\n" + b"[" * 5000 + b"\r\n",
            b"$10000\r\n" + b"[" * 5000 + b"]" * 5000 + b"\r\n",
            b"$3\r\n\xff\xfe\xfd\r\n",
            b"$-1\r\n",
            b"$999999999999999999999999\r\n",
            b"$x\r\n",
            b"*-5\r\n",
            b":1\r\n",
            b":" + b"9" * 5000 + b"\r\n",
            b",nan\r\n",
            b"#t\r\n",
            b"+OK\r\n",
            b"-\r\n",
            b"-ERR \xff\r\n",
            b"\r\n",
            b"\x00" * 100,
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ],
    )
    def test_a_redis_that_replies_with_garbage_is_away(
        self, reply: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (
            replying_server(reply) as port,
            closing(RedisRateLimit(f"redis://127.0.0.1:{port}?socket_timeout=0.2")) as rate_limit,
        ):
            reservation = rate_limit.reserve(KEY)
            assert rate_limit.remaining(reservation) == 0.0
            rate_limit.release(reservation)
            rate_limit.update(reservation, None)
            assert key_of(rate_limit).state is State.LOCAL
        assert "does not respond" in caplog.text

    @given(reply=REPLIES)
    @example(reply=b"[" * 5000 + b"]" * 5000)
    @example(reply=b'{"limit":' * 5000)
    def test_any_reply_leads_to_a_reservation_within_the_limit(self, reply: object) -> None:
        with closing(RedisRateLimit("redis://127.0.0.1:1", LIMIT, SECONDS)) as rate_limit:
            clock = with_clock(rate_limit)
            rate_limit._redis._script = Replying(reply)
            for _ in range(2 * LIMIT):
                use_once(rate_limit)
            clock.now += RETRY_SECONDS
            rate_limit._redis._script = fail_to_connect
            use_once(rate_limit)

    @pytest.mark.parametrize(("name", "value"), MALFORMED_FIELDS, ids=repr)
    def test_a_reply_with_a_malformed_field_is_a_failure(self, name: str, value: object) -> None:
        script = redis_script.RedisScript(Secret("redis://127.0.0.1:1"), "prefix")
        script._script = Replying(json.dumps(VALID_REPLY).encode())
        request = script_request()
        assert script.run(request).wait == 0.0
        script._script = Replying(json.dumps({**VALID_REPLY, name: value}).encode())
        with pytest.raises(redis_script.RedisUnavailableError):
            script.run(request)
        without_it = {key: text for key, text in VALID_REPLY.items() if key != name}
        script._script = Replying(json.dumps(without_it).encode())
        with pytest.raises(redis_script.RedisUnavailableError):
            script.run(request)

    def test_a_redis_that_is_starting_is_away(
        self, rate_limit: RedisRateLimit, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object) -> bytes:
            raise redis.BusyLoadingError

        script = rate_limit._redis._script
        rate_limit._redis._script = fail
        assert rate_limit.reserve(KEY).wait == 0.0
        assert "BusyLoadingError" in caplog.text
        rate_limit._redis._script = script

    def test_a_closed_connection_is_not_retried_at_once(self) -> None:
        connections = list[socket.socket]()
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def accept_and_close() -> None:
                with suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        connections.append(connection)
                        connection.close()

            thread = threading.Thread(target=accept_and_close)
            thread.start()
            port = listener.getsockname()[1]
            with closing(RedisRateLimit(f"redis://127.0.0.1:{port}")) as rate_limit:
                assert rate_limit.reserve(KEY).wait == 0.0
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
        assert len(connections) == 1

    def test_a_redis_that_rejects_the_password_is_away(
        self, shared_server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = shared_server.url.replace(shared_server.PASSWORD, "wrong-one")
        with closing(RedisRateLimit(url, LIMIT, SECONDS)) as rate_limit:
            assert rate_limit.reserve(KEY).wait == 0.0
        assert "AuthenticationError" in caplog.text
        assert "wrong-one" not in caplog.text


class TestAsyncCalls:
    def test_waiting_calls_use_redis_a_fixed_number_of_times(
        self, shared_server: RedisServer, rate_limit: RedisRateLimit
    ) -> None:
        count = 100

        async def run() -> int:
            client = new_async_client(rate_limit)
            tasks = [start_call(client) for _ in range(count)]
            await until(lambda: len(key_queues(rate_limit).get(KEY, ())) == count - LIMIT)
            before = commands(shared_server)
            await client.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert len(numbers_in_redis(shared_server, rate_limit)) == LIMIT
            return commands(shared_server) - before

        before = commands(shared_server)
        used_while_closing = asyncio.run(run())
        total = commands(shared_server) - before
        # Each one releases its reservation, and those that move up may ask.
        assert used_while_closing <= 4 * count
        assert total <= 7 * count

    @pytest.mark.parametrize("is_waiting", [False, True])
    def test_a_call_that_is_cancelled_while_redis_decides_keeps_no_reservation(
        self, shared_server: RedisServer, rate_limit: RedisRateLimit, is_waiting: bool
    ) -> None:
        gate = Gate(rate_limit._redis._script)

        async def run() -> None:
            if is_waiting:
                for _ in range(LIMIT):
                    rate_limit.reserve(KEY)
            client = new_async_client(rate_limit)
            if is_waiting:
                task = start_call(client)
                await until(lambda: KEY in key_queues(rate_limit))
                rate_limit._redis._script = gate
                rate_limit.waiting_calls.wake_first(KEY)
            else:
                rate_limit._redis._script = gate
                task = start_call(client)
            await until(gate.is_used)
            task.cancel()
            await asyncio.sleep(0)
            gate.open()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.close()

        asyncio.run(run())
        rate_limit._redis._script = gate.script
        expected = LIMIT if is_waiting else 0
        assert len(numbers_in_redis(shared_server, rate_limit)) == expected


class Gate:
    """Stands for the script: Redis has decided, but the reply does not arrive until `open`."""

    def __init__(self, script: Any) -> None:
        self.script = script
        self.registered_client = script.registered_client
        self._was_used = threading.Event()
        self._is_open = threading.Event()
        self.is_used = self._was_used.is_set
        self.open = self._is_open.set

    def __call__(self, keys: list[str], arguments: list[bytes]) -> Any:
        reply = self.script(keys, arguments)
        self._was_used.set()
        self._is_open.wait(PATIENCE)
        return reply


def new_async_client(rate_limit: RedisRateLimit) -> AsyncLeadConnector:
    return AsyncLeadConnector(token=TOKEN, transport=succeeding(), rate_limit=rate_limit)


def start_call(client: AsyncLeadConnector) -> asyncio.Task[Any]:
    return asyncio.ensure_future(
        client.conversations.update_conversation(KEY, location_id=KEY, starred=True)
    )


def key_queues(rate_limit: RedisRateLimit) -> dict[str, Any]:
    """The calls that wait, by rate-limit key."""
    return rate_limit.waiting_calls._queues().by_key


def commands(server: RedisServer) -> int:
    """How many times the script was run."""
    with closing(server.client()) as client:
        statistics: Any = client.info("commandstats")
    return int(statistics.get("cmdstat_evalsha", {"calls": 0})["calls"])


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks and threads run until a condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(
    shared_server: RedisServer, rate_limit: RedisRateLimit
) -> None:
    first = rate_limit.reserve(KEY)
    pool = rate_limit._redis._script.registered_client.connection_pool
    connection = pool.get_connection()
    child = os.fork()
    if child == 0:
        of_child = rate_limit.reserve(KEY)
        by_redis = rate_limit._circuit_breaker._retry_at is None
        os._exit(0 if of_child.number > first.number and by_redis else 1)
    assert os.waitpid(child, 0)[1] == 0
    pool.release(connection)
    assert rate_limit.reserve(KEY).number in numbers_in_redis(shared_server, rate_limit)
    assert len(numbers_in_redis(shared_server, rate_limit)) == 3


class TestSecrets:
    @pytest.mark.parametrize(
        "url",
        [
            "http://:hunter2hunter2@host",
            "redis://:hunter2hunter2/x@host:1",
            "hunter2hunter2",
            "redis://:hunter2hunter2@[host",
        ],
    )
    def test_an_invalid_url_is_rejected_and_not_shown(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="not shown here") as caught:
            RedisRateLimit(url)
        assert_hidden(caught.value, "hunter2hunter2")

    def test_no_exception_and_no_repr_shows_the_password(self, server: RedisServer) -> None:
        with pytest.raises(ConfigurationError) as caught:
            RedisRateLimit(server.url, seconds=0)
        assert_hidden(caught.value, server.PASSWORD)
        rate_limit = RedisRateLimit(server.url, fail_open=False)
        server.stop()
        with pytest.raises(RateLimitUnavailableError) as failure:
            rate_limit.reserve(KEY)
        assert_hidden(failure.value, server.PASSWORD)
        assert server.PASSWORD not in repr(vars(rate_limit))
        assert server.PASSWORD not in repr(vars(rate_limit._redis))
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(rate_limit)

    @pytest.mark.parametrize("target", [None, 5, b"redis://host", object(), redis.asyncio.Redis()])
    def test_another_object_is_rejected(self, target: Any) -> None:
        with pytest.raises(ConfigurationError, match="must be a client, or a URL"):
            RedisRateLimit(target)

    def test_the_error_without_redis_py_says_how_to_install_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "redis", None)
        with pytest.raises(ConfigurationError, match=r"pip install 'redis>=6\.0'"):
            RedisRateLimit("redis://host")


def assert_hidden(error: BaseException, secret: str) -> None:
    """Verify that neither the text nor a local variable of the package shows a secret."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in shown.stack if "overrides" in frame.filename]
    assert frames
    assert secret not in str([error, error.args, error.__cause__, error.__context__])
    assert secret not in "".join(str(frame.locals) for frame in frames)


class TestWithoutServer:
    def test_the_tests_are_skipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="redis-server is not installed"):
            redis_server.executable()

    def test_the_tests_fail_in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="redis-server is not installed"):
            redis_server.executable()
