"""The quota that processes share, against a real Redis: the same promises, and what happens while it is away."""

from __future__ import annotations

import logging
import math
import os
import pickle
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from hypothesis import given, settings
from leadconnector import (
    ConfigurationError,
    DailyRateLimitError,
    RateLimitUnavailableError,
    RedisRateLimit,
    rate_limit,
)
from leadconnector.rate_limit import DAY, GRACE, RETRY_SECONDS, STRETCH, Reservation

from tests.client.test_rate_limit import (
    LIMIT,
    SECONDS,
    STEPS,
    Clock,
    Simulation,
    Step,
    correct,
    correction,
    headers,
    news,
)
from tests.support import redis_server
from tests.support.paths import ROOT
from tests.support.redis_server import SECONDS as PATIENCE
from tests.support.redis_server import RedisServer

BOOK = """
import sys
from leadconnector import RedisRateLimit
quota = RedisRateLimit(sys.argv[1])
print(*(quota.reserve("key").number for _ in range(250)))
quota.close()
"""

RESTORING = 1.5
"""Seconds that quota.lua gives all to tell what they sent alone."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that leave it as it is."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may stop."""
    made = RedisServer(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def quota(shared: RedisServer) -> Iterator[RedisRateLimit]:
    """A quota that no other test shares."""
    with closing(
        RedisRateLimit(shared.timed(PATIENCE), LIMIT, SECONDS, prefix=str(uuid4()))
    ) as made:
        yield made


def in_redis(server: RedisServer, quota: RedisRateLimit) -> dict[int, float]:
    """The numbers of slots in Redis: those that were free, with their times in seconds, and those that wait."""
    with closing(server.client()) as client:
        names = [f"{quota._prefix}:{{key}}:{what}" for what in ("sent", "waiting")]
        found: Any = [client.zrange(name, 0, -1, withscores=True) for name in names]
        return {int(number): score / 1e6 for each in found for number, score in each}


def clocked(quota: RedisRateLimit) -> Clock:
    """The clock of a quota, that a test moves; Redis keeps its own."""
    quota._clock = Clock()
    return quota._clock


def simulated(server: RedisServer) -> tuple[Simulation, RedisRateLimit]:
    """Callers whose Redis has a clock that the test moves, and who ask it each time."""
    quota = RedisRateLimit(server.timed(PATIENCE), LIMIT, SECONDS, prefix=str(uuid4()))
    clock, client, name = clocked(quota), server.client(), f"{quota._prefix}:clock"
    text = str(quota._script.script).replace(
        "redis.call('TIME')", f"redis.call('HMGET', '{name}', 'seconds', 'rest')"
    )
    assert "TIME" not in text
    quota._script = quota._script.registered_client.register_script(text)

    def tick() -> None:
        seconds, rest = divmod(round(clock.now * 1e6), 1_000_000)
        client.hset(name, mapping={"seconds": seconds, "rest": rest})

    tick()
    return Simulation(quota, clock, tick), quota


class TestSimulated:
    @given(STEPS)
    @settings(max_examples=40)
    def test_no_window_has_more_than_the_limit_and_all_send_in_the_order_of_their_bookings(
        self, shared: RedisServer, steps: list[Step]
    ) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            for name, value in steps:
                run.step(name, value)
            run.advance(run.clock.now + 10_000)
        run.check()
        assert run.waiting == []
        assert quota._window(os.getpid(), "key", quota._rate).alone == -math.inf

    def test_while_there_is_demand_the_limit_is_used_to_the_full(self, shared: RedisServer) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            run.step("book", 50)
            run.step("release", list(range(20, -1, -1)))
            run.advance(run.clock.now + 10_000)
        rounds = [1000.0 + index // LIMIT * SECONDS * STRETCH for index in range(29)]
        assert [at for _, at in run.sent] == pytest.approx(rounds, abs=0.001)

    def test_who_is_late_is_booked_anew_by_the_order_of_the_places(
        self, shared: RedisServer
    ) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            slots = [quota.reserve("key") for _ in range(LIMIT + 3)]
            run.move(run.clock.now + 1)
            correct(quota, correction(pause=5.0))
            assert [quota.remaining(slots[index]) for index in (1, 0, 2)] == [5.0, 5.0, 5.0]
            run.move(run.clock.now + 5)
            assert [quota.remaining(slot) for slot in slots[:3]] == [0.0, 0.0, 0.0]
            assert quota.remaining(slots[LIMIT]) > 0.0
            assert [quota.remaining(slot) for slot in slots[3:LIMIT]] == [0.0, 0.0]
            assert set(in_redis(shared, quota)) == {slot.number for slot in slots}

    def test_who_are_late_keep_their_order_among_each_other(self, shared: RedisServer) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            correct(quota, correction(limit=1))
            slots = [quota.reserve("key") for _ in range(4)]
            run.move(run.clock.now + 100)
            waits = [round(quota.remaining(slots[index]), 2) for index in (0, 1, 3, 2, 3)]
            assert waits == [0.0, 10.05, 20.1, 20.1, 30.15]

    def test_once_the_day_is_used_up_one_call_in_each_window_is_to_find_out(
        self, shared: RedisServer
    ) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            correct(quota, correction(exhausted=True))
            probes = list[Reservation]()
            for _ in range(2):
                with pytest.raises(DailyRateLimitError):
                    quota.reserve("key")
                run.move(run.clock.now + SECONDS)
                probes.append(quota.reserve("key"))
                assert quota.remaining(probes[-1]) == 0.0
                assert news(quota, probes[-1], 200, headers(left=0), None) is None
            found = news(quota, probes[-1], 200, headers(left=7), None)
            assert found is not None
            correct(quota, found)
            assert not quota.reserve("key").exhausted
            assert not quota.reserve("key").exhausted

    def test_a_clock_of_redis_that_is_put_back_makes_nobody_wait(self, shared: RedisServer) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            for _ in range(LIMIT):
                quota.reserve("key")
            run.move(run.clock.now - 300)
            assert quota.remaining(quota.reserve("key")) == 0.0

    def test_who_never_asks_again_keeps_nobody_waiting_for_long(self, shared: RedisServer) -> None:
        run, quota = simulated(shared)
        with closing(quota):
            correct(quota, correction(limit=1))
            _, gone, waiting = (quota.reserve("key") for _ in range(3))
            run.move(run.clock.now + SECONDS * STRETCH)
            assert quota.remaining(waiting) > GRACE
            run.move(run.clock.now + GRACE + 0.1)
            assert quota.remaining(waiting) == 0.0
            assert quota.remaining(gone) == pytest.approx(SECONDS * STRETCH)


def test_four_processes_share_one_limit_and_lose_nothing(shared: RedisServer) -> None:
    command = [sys.executable, "-c", BOOK, shared.url]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "overrides")}
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment)
        for _ in range(4)
    ]
    places = [
        [int(place) for place in process.communicate(timeout=60)[0].split()] for process in running
    ]
    assert [process.returncode for process in running] == [0, 0, 0, 0]
    with closing(RedisRateLimit(shared.url)) as quota:
        found = in_redis(shared, quota)
    assert set(found) == {place for mine in places for place in mine}
    assert len(found) == 1000
    assert all(mine == sorted(mine) for mine in places)


def test_clients_of_one_prefix_share_and_those_of_another_do_not(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    with (
        closing(RedisRateLimit(shared.timed(PATIENCE), LIMIT, prefix=quota._prefix)) as same,
        closing(RedisRateLimit(shared.timed(PATIENCE), LIMIT, prefix=str(uuid4()))) as other,
    ):
        waits = [each.remaining(each.reserve("key")) for each in (quota, same) * 3]
        assert [wait > 0 for wait in waits] == [False] * LIMIT + [True]
        assert other.remaining(other.reserve("key")) == 0.0


def test_forty_threads_share_the_connections(shared: RedisServer, quota: RedisRateLimit) -> None:
    slots = list[Reservation]()
    threads = [
        threading.Thread(target=lambda: slots.extend(quota.reserve("key") for _ in range(10)))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(in_redis(shared, quota)) == {slot.number for slot in slots}
    assert len({slot.number for slot in slots}) == 400
    with closing(shared.client()) as client:
        assert len(client.client_list()) <= rate_limit.OPTIONS["max_connections"] + 2


def test_a_call_that_need_not_wait_asks_redis_once(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    with closing(shared.client()) as client:
        quota.remaining(quota.reserve("key"))
        before: Any = client.info("commandstats")
        slot = quota.reserve("key")
        assert quota.remaining(slot) == 0.0
        assert news(quota, slot, 200, headers(LIMIT, 10_000, 1000), None) is None
        after: Any = client.info("commandstats")
    assert after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"] == 1


def test_a_script_that_redis_forgot_is_sent_again(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    quota.reserve("key")
    with closing(shared.client()) as client:
        client.script_flush()
    assert quota.reserve("key").number in in_redis(shared, quota)


def test_what_is_idle_expires(shared: RedisServer, quota: RedisRateLimit) -> None:
    last = [quota.reserve("key") for _ in range(LIMIT + 1)][-1]
    with closing(shared.client()) as client:
        lives = [
            int(client.pttl(f"{quota._prefix}:{{key}}:{what}"))
            for what in ("sent", "waiting", "known")
        ]
    assert all(SECONDS < life / 1000 <= last.wait + SECONDS * STRETCH + GRACE + 1 for life in lives)


def test_what_is_known_of_the_day_outlives_an_idle_day(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    correct(quota, correction(exhausted=True))
    with closing(shared.client()) as client:
        assert int(client.pttl(f"{quota._prefix}:{{key}}:known")) > DAY * 1000


def test_nobody_waits_for_those_who_were_cancelled(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    correct(quota, correction(limit=1))
    first, waiting, *others, last = (quota.reserve("key") for _ in range(20))
    for slot in others:
        quota.release(slot)
    assert SECONDS < quota.remaining(last) <= 2 * SECONDS * STRETCH
    assert set(in_redis(shared, quota)) == {first.number, waiting.number, last.number}
    quota.release(first)
    assert quota.remaining(waiting) == 0.0
    with closing(shared.client()) as client:
        left: Any = client.hkeys(f"{quota._prefix}:{{key}}:known")
    assert {name for name in left if name.isdigit()} == {b"%d" % last.number}


def test_a_client_can_be_given(shared: RedisServer) -> None:
    with closing(shared.client()) as client:
        quota = RedisRateLimit(client, prefix=str(uuid4()))
        assert quota.reserve("key").number in in_redis(shared, quota)
        quota.close()
        assert quota.reserve("key").number in in_redis(shared, quota)


def test_seconds_of_any_length_are_the_same_on_both_sides(shared: RedisServer) -> None:
    with closing(RedisRateLimit(shared.timed(PATIENCE), 3, 0.125014, prefix=str(uuid4()))) as quota:
        assert quota.reserve("key").rate == quota._rate
        correct(quota, (2, quota._rate[1], 0.0, False))
        assert quota.reserve("key").rate == (2, quota._rate[1])


class TestAway:
    def test_calls_go_on_within_the_limit_of_the_process_and_come_back(
        self, server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "leadconnector")
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as quota:
            clock = clocked(quota)
            waiting = [quota.reserve("key") for _ in range(LIMIT + 1)][-1]
            server.stop()
            clock.now += SECONDS * STRETCH
            assert quota.remaining(waiting) == 0.0
            slots = [quota.reserve("key") for _ in range(LIMIT)]
            assert [quota.remaining(slot) > 0 for slot in slots] == [False] * (LIMIT - 1) + [True]
            quota.release(slots[-1])
            correct(quota, correction(pause=1.0))
            assert len(caplog.messages) == 1
            server.start()
            assert quota.reserve("key").number not in in_redis(server, quota)
            clock.now += RETRY_SECONDS
            later = SECONDS * STRETCH - RETRY_SECONDS
            assert quota.remaining(slots[-1]) == pytest.approx(
                later
            )  # alone, until all have told what they sent
            assert slots[0].number in in_redis(server, quota)
            assert slots[-1].number not in in_redis(server, quota)
            clock.now += RESTORING
            assert quota.remaining(slots[-1]) == pytest.approx(
                later, abs=0.5
            )  # by Redis's clock, which did not move
            assert slots[-1].number in in_redis(server, quota)
        assert len(caplog.messages) == 2
        assert "does not answer (ConnectionError)" in caplog.messages[0]
        assert "answers again" in caplog.messages[1]
        assert server.PASSWORD not in caplog.text
        assert {record.name for record in caplog.records} == {"leadconnector"}

    def test_each_of_those_who_share_keeps_to_its_part_and_counts_what_it_sent_before(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as one,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as other,
        ):
            clocks = [clocked(quota) for quota in (one, other)]
            for quota in (one, other, other, one):
                assert quota.reserve("key").wait == 0.0
            server.stop()
            waits = [
                [round(quota.reserve("key").wait, 2) for _ in range(3)] for quota in (one, other)
            ]
            assert waits == [[0.0, 10.05, 10.05]] * 2
            for clock in clocks:
                clock.now += SECONDS * STRETCH
            assert [quota.reserve("other").wait for quota in (one, other) for _ in range(2)] == [
                0.0
            ] * 4

    def test_what_others_sent_is_waited_for_no_longer_than_redis_had_said(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as one,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as other,
        ):
            clocks = [clocked(quota) for quota in (one, other)]
            for quota in (one, other, other, other, other, other):
                assert quota.reserve("key").wait == 0.0
            slots = [quota.reserve("key") for quota in (one, one, other, one)]
            server.stop()
            for clock in clocks:
                clock.now += SECONDS / 2
            assert one.remaining(slots[0]) == pytest.approx(
                SECONDS * STRETCH - SECONDS / 2, abs=0.5
            )
            for clock in clocks:
                clock.now += SECONDS * STRETCH - SECONDS / 2
            assert [one.remaining(slots[index]) for index in (0, 1, 3)] == [
                0.0
            ] * 3  # its whole part

    def test_who_asks_when_others_may_have_sent_again_waits_for_them(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as one,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as other,
        ):
            clock = clocked(one)
            for quota in (one, other, other, other, other, other):
                assert quota.reserve("key").wait == 0.0
            slots = [one.reserve("key") for _ in range(3)]
            server.stop()
            clock.now += SECONDS * STRETCH
            assert [one.remaining(slot) > 0.0 for slot in slots] == [False, True, True]

    def test_who_does_not_wait_when_it_goes_away_need_not_wait_then(
        self, server: RedisServer
    ) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as quota:
            clocked(quota)
            slot = quota.reserve("key")
            server.stop()
            quota.release(slot)
            assert [quota.reserve("key").wait for _ in range(LIMIT)] == [0.0] * LIMIT

    def test_who_comes_back_keeps_to_its_part_until_all_have_told_what_they_sent(
        self, server: RedisServer
    ) -> None:
        with (
            closing(RedisRateLimit(server.url, 6, SECONDS)) as one,
            closing(RedisRateLimit(server.url, 6, SECONDS)) as other,
        ):
            clocks = [clocked(quota) for quota in (one, other)]
            for quota in (one, other, one):
                assert quota.reserve("key").wait == 0.0
            server.stop()
            assert one.reserve("key").wait == other.reserve("key").wait == 0.0
            server.start()
            for clock in clocks:
                clock.now += RETRY_SECONDS
            assert one.reserve("key").wait > SECONDS - RETRY_SECONDS
            assert other.reserve("key").wait == 0.0
            assert other.reserve("key").wait > SECONDS - RETRY_SECONDS
            assert len(in_redis(server, one)) == 6
            for clock in clocks:
                clock.now += RESTORING
            assert one.reserve("key").wait == pytest.approx(
                SECONDS * STRETCH - RETRY_SECONDS, abs=0.5
            )

    def test_what_is_sent_while_one_tries_is_told_too(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS)) as quota:
            clock = clocked(quota)
            server.stop()
            quota.reserve("key")
            server.start()
            clock.now += RETRY_SECONDS
            script, slots = quota._script, list[Reservation]()

            def meanwhile(*arguments: Any) -> object:
                slots.append(quota.reserve("key"))  # as another thread would
                quota._script = script
                return script(*arguments)

            quota._script = meanwhile
            quota.reserve("key")
            quota.reserve("key")
            assert slots[0].wait == 0.0
            assert slots[0].number in in_redis(server, quota)

    def test_a_redis_that_forgot_is_told_before_more_is_sent(self, server: RedisServer) -> None:
        with (
            closing(RedisRateLimit(server.url, 3, SECONDS)) as one,
            closing(RedisRateLimit(server.url, 3, SECONDS)) as other,
        ):
            for quota in (one, other, one):
                assert quota.reserve("key").wait == 0.0
            with closing(server.client()) as client:
                client.flushall()
            slot = one.reserve("key")
            assert slot.wait > SECONDS - 1.0
            assert other.reserve("key").wait > SECONDS - 1.0
            assert one.remaining(slot) > SECONDS - 1.0
            assert len(in_redis(server, one)) == 3

    def test_a_location_that_was_idle_has_nothing_to_be_told(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, 1, SECONDS)) as quota:
            clock = clocked(quota)
            quota.reserve("key")
            with closing(server.client()) as client:
                client.flushall()  # as its keys expire
            clock.now += SECONDS * STRETCH + 1.0
            assert quota.reserve("key").wait == 0.0

    def test_to_fail_closed_is_to_send_nothing(self, server: RedisServer) -> None:
        with closing(RedisRateLimit(server.url, LIMIT, SECONDS, fail_open=False)) as quota:
            clock = clocked(quota)
            slot = [quota.reserve("key") for _ in range(LIMIT + 1)][-1]
            server.stop()
            clock.now += SECONDS * STRETCH
            for _ in range(2):
                with pytest.raises(
                    RateLimitUnavailableError, match="nothing is sent until it does"
                ):
                    quota.reserve("key")
                with pytest.raises(RateLimitUnavailableError):
                    quota.remaining(slot)
            quota.release(slot)
            correct(quota, correction(pause=1.0))
            server.start()
            clock.now += RETRY_SECONDS
            assert quota.reserve("key").number in in_redis(server, quota)

    def test_one_that_hangs_is_waited_for_once(
        self, server: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with closing(RedisRateLimit(server.timed(0.02), LIMIT, SECONDS)) as quota:
            clock, calls = clocked(quota), 0
            quota.reserve("key")
            server.halt()
            quota.reserve("key")

            def count(*_: object) -> list[int]:
                nonlocal calls
                calls += 1
                quota.reserve("key")  # as another thread would while this one tries
                raise redis.TimeoutError

            script, quota._script = quota._script, count
            for _ in range(20):
                quota.reserve("key")
            assert calls == 0
            clock.now += RETRY_SECONDS
            for _ in range(20):
                quota.reserve("key")
            assert calls == 1
            quota._script = script
        assert len(caplog.messages) == 1

    def test_one_that_is_starting_is_away(
        self, quota: RedisRateLimit, caplog: pytest.LogCaptureFixture
    ) -> None:
        def load(*_: object) -> list[int]:
            raise redis.BusyLoadingError

        script, quota._script = quota._script, load
        assert quota.reserve("key").wait == 0.0
        assert "BusyLoadingError" in caplog.text
        quota._script = script

    def test_a_connection_that_ends_is_not_tried_again_at_once(self) -> None:
        connections = list[socket.socket]()
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def accept() -> None:
                with suppress(OSError):
                    while True:
                        connections.append(listener.accept()[0])
                        connections[-1].close()

            thread = threading.Thread(target=accept)
            thread.start()
            with closing(RedisRateLimit(f"redis://127.0.0.1:{listener.getsockname()[1]}")) as quota:
                assert quota.reserve("key").wait == 0.0
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
        assert len(connections) == 1

    def test_a_wrong_password_is_one_that_does_not_answer(
        self, shared: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with closing(
            RedisRateLimit(shared.url.replace(shared.PASSWORD, "wrong-one"), LIMIT, SECONDS)
        ) as quota:
            assert quota.reserve("key").wait == 0.0
        assert "AuthenticationError" in caplog.text
        assert "wrong-one" not in caplog.text


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(
    shared: RedisServer, quota: RedisRateLimit
) -> None:
    first = quota.reserve("key")
    pool = quota._script.registered_client.connection_pool
    used = pool.get_connection()
    child = os.fork()
    if child == 0:
        mine = quota.reserve("key")
        os._exit(0 if mine.number > first.number and not quota._retry_at else 1)
    assert os.waitpid(child, 0)[1] == 0
    pool.release(used)
    assert quota.reserve("key").number in in_redis(shared, quota)
    assert len(in_redis(shared, quota)) == 3


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
    def test_a_url_that_is_none_is_refused_without_being_shown(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="not shown here") as caught:
            RedisRateLimit(url)
        assert_hidden(caught.value, "hunter2hunter2")

    def test_nothing_that_is_raised_or_shown_has_the_password(self, server: RedisServer) -> None:
        with pytest.raises(ConfigurationError) as caught:
            RedisRateLimit(server.url, seconds=0)
        assert_hidden(caught.value, server.PASSWORD)
        quota = RedisRateLimit(server.url, fail_open=False)
        server.stop()
        with pytest.raises(RateLimitUnavailableError) as failed:
            quota.reserve("key")
        assert_hidden(failed.value, server.PASSWORD)
        assert server.PASSWORD not in repr(vars(quota))
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(quota)

    @pytest.mark.parametrize("target", [None, 5, b"redis://host", object(), redis.asyncio.Redis()])
    def test_what_is_no_redis_is_refused(self, target: Any) -> None:
        with pytest.raises(ConfigurationError, match="must be a client, or a URL"):
            RedisRateLimit(target)

    def test_without_redis_py_it_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "redis", None)
        with pytest.raises(ConfigurationError, match=r"install leadconnector\[redis\]"):
            RedisRateLimit("redis://host")


def assert_hidden(error: BaseException, secret: str) -> None:
    """Neither the text nor a local variable of ours on the way shows it."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in shown.stack if "overrides" in frame.filename]
    assert ours
    assert secret not in str([error, error.args, error.__cause__, error.__context__])
    assert secret not in "".join(str(frame.locals) for frame in ours)


class TestWithoutServer:
    def test_its_tests_are_skipped_and_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="redis-server is not installed"):
            redis_server.executable()

    def test_ci_does_not_let_them_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="redis-server is not installed"):
            redis_server.executable()
