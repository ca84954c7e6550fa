"""The quota of one process: no window above the limit, in order, nothing lost, whatever happens in between."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import ConfigurationError, DailyRateLimitError
from leadconnector._runtime.http import RawResponse
from leadconnector._runtime.retry import LONGEST_RETRY_AFTER
from leadconnector.rate_limit import (
    DAY,
    GRACE,
    LONGEST_LAG,
    STRETCH,
    TOLERANCE,
    RateLimit,
    Reservation,
)

LIMIT, SECONDS = 5, 10.0

Step = tuple[str, Any]
Correction = tuple[float, ...]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(1, 12)),
        st.tuples(st.just("release"), st.lists(st.integers(0, 30), min_size=1, max_size=20)),
        st.tuples(st.just("pause"), st.floats(0, 15)),
        st.tuples(st.just("limit"), st.integers(1, 8)),
        st.tuples(st.just("advance"), st.floats(0, 25)),
    ),
    max_size=25,
)


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Simulation:
    """Callers of one key who wait, and what they sent when."""

    rate_limit: RateLimit
    clock: Clock
    tick: Callable[[], None] = lambda: None
    """Called whenever the clock has moved."""
    waiting: list[tuple[int, Reservation]] = field(default_factory=list[tuple[int, Reservation]])
    sent: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """Who, and when."""
    booked: int = 0
    paused: float = 0.0
    limit: int = LIMIT

    def step(self, name: str, value: Any) -> None:
        if name == "book":
            for _ in range(value):
                self.waiting.append((self.booked, self.rate_limit.reserve("key")))
                self.booked += 1
        elif name == "release":
            for index in value:
                if index < len(self.waiting):
                    self.rate_limit.release(self.waiting.pop(index)[1])
        elif name == "pause":
            correct(self.rate_limit, correction(limit=self.limit, pause=value))
            self.paused = max(self.paused, self.clock.now + value)
        elif name == "limit":
            self.limit = min(value, LIMIT)
            correct(self.rate_limit, correction(limit=self.limit))
        self.advance(self.clock.now + (value if name == "advance" else 0.0))

    def advance(self, until: float) -> None:
        """Let everybody send who may, as soon as they may."""
        while True:
            waits = [self.rate_limit.remaining(slot) for _, slot in self.waiting]
            for (who, _), wait in zip(self.waiting, waits, strict=True):
                if wait == 0:
                    assert (
                        self.clock.now >= self.paused - 2e-6
                    )  # Redis counts microseconds, from a rounded clock
                    self.sent.append((who, self.clock.now))
            self.waiting = [
                waiter for waiter, wait in zip(self.waiting, waits, strict=True) if wait > 0
            ]
            soonest = min((wait for wait in waits if wait > 0), default=None)
            if soonest is None or self.clock.now + soonest > until:
                break
            self.move(self.clock.now + soonest)
        self.move(until)

    def move(self, now: float) -> None:
        self.clock.now = now
        self.tick()

    def check(self) -> None:
        assert [who for who, _ in self.sent] == sorted(who for who, _ in self.sent)
        assert_within([at for _, at in self.sent], LIMIT, SECONDS)


def assert_within(times: list[float], limit: int, seconds: float) -> None:
    """No window of the length, wherever it begins, holds more than the limit."""
    ordered = sorted(times)
    assert all(
        later - first >= seconds for first, later in zip(ordered, ordered[limit:], strict=False)
    )


def correction(
    limit: int = LIMIT, seconds: float = SECONDS, pause: float = 0.0, exhausted: bool = False
) -> Correction:
    return limit, seconds, pause, exhausted


def correct(quota: RateLimit, correction: Correction, slot: Reservation | None = None) -> None:
    """What an answer to a request tells; by default to one without a slot of its own."""
    quota._act("correct", "key", slot.number if slot else 0, *correction)


def news(
    quota: RateLimit, slot: Reservation, status: int, said: Mapping[str, str], delay: float | None
) -> Correction | None:
    """What an answer says that is to be heeded."""
    found = quota._correction(slot, RawResponse(status, said, b"", retry_after=delay))
    assert found is None or found.args[:3] == ("correct", slot.key, slot.number)
    return None if found is None else found.args[3:]


def simulation() -> Simulation:
    clock = Clock()
    return Simulation(RateLimit(LIMIT, SECONDS, clock=clock), clock)


@given(STEPS)
def test_no_window_has_more_than_the_limit_and_all_send_in_the_order_of_their_bookings(
    steps: list[Step],
) -> None:
    run = simulation()
    for name, value in steps:
        run.step(name, value)
    run.advance(run.clock.now + 10_000)
    run.check()
    assert run.waiting == []


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 40)), max_size=60), st.integers(0, 60))
def test_who_wakes_late_never_breaks_the_limit(
    wakes: list[tuple[float, int]], callers: int
) -> None:
    run, sent = simulation(), list[float]()
    waiting = [run.rate_limit.reserve("key") for _ in range(callers)]
    for later, index in [*wakes, *((15.0, 0) for _ in range(200))]:
        run.clock.now += later
        if index < len(waiting) and run.rate_limit.remaining(waiting[index]) == 0:
            sent.append(run.clock.now)
            waiting.pop(index)
        waiting.append(run.rate_limit.reserve("key"))
        if index % 3 == 0:
            run.rate_limit.release(waiting.pop())
    assert_within(sent, LIMIT, SECONDS)
    assert not wakes or sent or not callers


@given(st.integers(0, 100), st.data())
def test_while_there_is_demand_the_limit_is_used_to_the_full(
    released: int, data: st.DataObject
) -> None:
    run = simulation()
    run.step("book", 200)
    for _ in range(released):
        run.step("release", [data.draw(st.integers(0, len(run.waiting) - 1))])
    run.advance(run.clock.now + 10_000)
    rounds = [1000.0 + index // LIMIT * SECONDS * STRETCH for index in range(200 - released)]
    assert [at for _, at in run.sent] == pytest.approx(rounds)


def test_nobody_waits_for_a_thousand_who_were_cancelled() -> None:
    quota = RateLimit(LIMIT, SECONDS, clock=Clock())
    *others, last = (quota.reserve("key") for _ in range(1001))
    for slot in others[LIMIT:]:
        quota.release(slot)
    assert quota.remaining(last) == pytest.approx(SECONDS * STRETCH)
    for slot in others[:LIMIT]:
        quota.release(slot)
    assert quota.remaining(last) == 0.0
    assert quota.remaining(quota.reserve("key")) == 0.0


def test_keys_do_not_wait_for_each_other() -> None:
    run = simulation()
    run.step("book", 100)
    assert run.rate_limit.remaining(run.rate_limit.reserve("other")) == 0.0


def test_who_is_late_goes_before_those_who_came_later_and_behind_those_who_came_earlier() -> None:
    clock = Clock()
    quota = RateLimit(LIMIT, SECONDS, clock=clock)
    slots = [quota.reserve("key") for _ in range(LIMIT + 3)]
    clock.now += 1
    correct(quota, correction(pause=5.0))
    assert [quota.remaining(slots[index]) for index in (1, 0, 2)] == [5.0, 5.0, 5.0]
    clock.now += 5
    assert [quota.remaining(slot) for slot in slots[:3]] == [0.0, 0.0, 0.0]
    assert quota.remaining(slots[LIMIT]) > 0.0


def test_a_slot_that_is_due_is_not_moved_by_a_pause() -> None:
    run = simulation()
    slot = run.rate_limit.reserve("key")
    correct(run.rate_limit, correction(pause=5.0))
    assert run.rate_limit.remaining(slot) == 0.0
    assert run.rate_limit.remaining(run.rate_limit.reserve("key")) == 5.0


def test_a_slot_that_a_pause_moved_is_not_due_at_its_old_time() -> None:
    clock = Clock()
    quota = RateLimit(1, SECONDS, clock=clock)
    quota.reserve("key")
    slot = quota.reserve("key")
    correct(quota, correction(limit=1, pause=15.0))
    clock.now += SECONDS * STRETCH
    assert quota.remaining(slot) == pytest.approx(15.0 - SECONDS * STRETCH)


def test_a_pause_does_not_end_a_longer_one() -> None:
    run = simulation()
    correct(run.rate_limit, correction(pause=DAY))
    correct(run.rate_limit, correction(pause=1.0))
    assert run.rate_limit.remaining(run.rate_limit.reserve("key")) == DAY


@pytest.mark.parametrize(
    ("limit", "interval", "expected"),
    [
        (3, None, (3, 10.0)),
        (3, 20, (3, 20.0)),
        (50, 10, (5, 10.0)),
        (5, 20, (5, 20.0)),
        (10, 20, (5, 10.0)),
        (3, 5, (3, 6.0)),
        (50, 1, (5, 10.0)),
        (1, 2, (1, 2.0)),
    ],
)
def test_what_is_in_force_keeps_to_the_configured_rate_and_to_the_one_that_the_api_names(
    limit: int, interval: int | None, expected: tuple[int, float]
) -> None:
    quota = RateLimit(LIMIT, SECONDS)
    for said in (headers(limit, interval and interval * 1000), headers(LIMIT, 10_000)):
        found = news(quota, quota.reserve("key"), 200, said, None)
        if found is not None:
            correct(quota, found)
        assert quota.reserve("key").rate == expected
        expected = (LIMIT, SECONDS)


class TestDay:
    def test_once_used_up_one_call_in_each_window_is_to_find_out(self) -> None:
        run = simulation()
        correct(run.rate_limit, correction(exhausted=True))
        with pytest.raises(DailyRateLimitError) as caught:
            run.rate_limit.reserve("key")
        for _ in range(3):
            with pytest.raises(DailyRateLimitError):
                run.rate_limit.reserve("key")
            run.clock.now += SECONDS
            probe = run.rate_limit.reserve("key")
            assert run.rate_limit.remaining(probe) == 0.0
            assert news(run.rate_limit, probe, 200, headers(left=0), None) is None
        error = caught.value
        assert (error.status_code, error.attempts, error.messages, error.retry_after) == (
            429,
            0,
            [],
            None,
        )
        assert (error.headers, error.body, error.request_id) == ({}, None, None)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)

    def test_an_answer_with_a_remainder_ends_it(self) -> None:
        run = simulation()
        correct(run.rate_limit, correction(exhausted=True))
        run.clock.now += SECONDS
        found = news(run.rate_limit, run.rate_limit.reserve("key"), 200, headers(left=7), None)
        assert found == correction(exhausted=False)
        correct(run.rate_limit, correction(exhausted=False))
        assert not run.rate_limit.reserve("key").exhausted
        assert not run.rate_limit.reserve("key").exhausted

    def test_an_answer_to_what_was_sent_before_does_not_end_it(self) -> None:
        run = simulation()
        before = run.rate_limit.reserve("key")
        correct(run.rate_limit, correction(exhausted=True))
        assert news(run.rate_limit, before, 200, headers(left=3), None) is None

    def test_it_concerns_one_key(self) -> None:
        run = simulation()
        correct(run.rate_limit, correction(exhausted=True))
        assert run.rate_limit.remaining(run.rate_limit.reserve("other")) == 0.0


def headers(limit: object = None, interval: object = None, left: object = None) -> httpx.Headers:
    named = {
        "X-RateLimit-Max": limit,
        "X-RateLimit-Interval-Milliseconds": interval,
        "x-ratelimit-daily-remaining": left,
    }
    return httpx.Headers({name: str(value) for name, value in named.items() if value is not None})


class TestCorrection:
    @pytest.mark.parametrize(
        "said", [headers(), headers(5, 10_000, 7), headers(100, 10_000), headers(None, None, 1)]
    )
    def test_a_usual_answer_needs_none(self, said: httpx.Headers) -> None:
        quota = RateLimit(LIMIT, SECONDS)
        assert news(quota, quota.reserve("key"), 200, said, None) is None

    @pytest.mark.parametrize(
        ("status", "said", "retry_after", "expected"),
        [
            (200, headers(3, 10_000), None, correction(limit=3)),
            (500, headers(3), None, correction(limit=3)),
            (200, headers(3, 20_000), None, correction(limit=3, seconds=20.0)),
            (200, headers(left=0), None, correction(exhausted=True)),
            (429, headers(), 2.5, correction(pause=2.5)),
            (429, headers(), float("inf"), correction(pause=LONGEST_RETRY_AFTER)),
            (429, headers(), 0.0, None),
            (429, headers(interval=4000), None, correction(pause=4.0)),
            (429, headers(interval=0), None, correction(pause=10.0)),
            (429, headers(), None, correction(pause=10.0)),
            (503, headers(), 2.5, None),
        ],
    )
    def test_what_an_answer_says(
        self,
        status: int,
        said: httpx.Headers,
        retry_after: float | None,
        expected: Correction | None,
    ) -> None:
        quota = RateLimit(LIMIT, SECONDS)
        assert news(quota, quota.reserve("key"), status, said, retry_after) == expected

    def test_a_limit_that_is_known_is_not_told_again_and_one_that_grows_back_is(self) -> None:
        quota = RateLimit(LIMIT, SECONDS)
        correct(quota, correction(limit=3))
        slot = quota.reserve("key")
        assert news(quota, slot, 200, headers(3, 10_000), None) is None
        assert news(quota, slot, 200, headers(100, 10_000), None) == correction(limit=LIMIT)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "X-RateLimit-Max",
                        "x-ratelimit-interval-milliseconds",
                        "X-RateLimit-Daily-Remaining",
                        "x-frame-options",
                    ]
                ),
                st.one_of(st.binary(), st.integers().map(lambda n: b"%d" % n)),
            )
        ),
        st.integers(100, 599),
    )
    def test_garbage_in_headers_does_no_harm(
        self, said: list[tuple[str, bytes]], status: int
    ) -> None:
        quota = RateLimit(LIMIT, SECONDS)
        found = news(
            quota,
            quota.reserve("key"),
            status,
            httpx.Headers([(n.encode(), v) for n, v in said]),
            None,
        )
        assert found is None or status == 429 or any(value.strip().isdigit() for _, value in said)
        if found is not None:
            correct(quota, found)
        limit, seconds = quota._act("release", "key", 0).rate
        assert 1 <= limit <= LIMIT
        assert seconds >= SECONDS


def test_forty_threads_get_slots_within_the_limit() -> None:
    quota, clock, slots = RateLimit(100, SECONDS, clock=lambda: 0.0), 0.0, list[list[Reservation]]()
    start = threading.Barrier(40)

    def hammer() -> None:
        start.wait()
        slots.append([quota.reserve("key") for _ in range(50)])

    threads = [threading.Thread(target=hammer) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [slot.wait for mine in slots for slot in mine]
    assert len(times) == 2000
    assert_within(times, 100, SECONDS)
    assert max(times) == pytest.approx(clock + 19 * SECONDS * STRETCH)
    assert all(mine == sorted(mine, key=lambda slot: slot.wait) for mine in slots)
    assert len({slot.number for mine in slots for slot in mine}) == 2000


def test_keys_that_were_not_used_for_the_longest_time_are_forgotten() -> None:
    quota = RateLimit(1, SECONDS, clock=lambda: 0.0)
    for number in range(15_000):
        quota.reserve(f"location {number}")
        quota.reserve("used all the time")
    assert quota._window.cache_info().currsize == 10_000
    assert quota.reserve("location 14999").wait > 0
    assert quota.reserve("used all the time").wait > 15_000
    assert quota.reserve("location 0").wait == 0


def test_what_is_out_of_the_window_is_forgotten() -> None:
    run = simulation()
    for _ in range(1000):
        run.rate_limit.reserve("key")
        run.clock.now += SECONDS / LIMIT * 2
    window = run.rate_limit._window(os.getpid(), "key", run.rate_limit._rate)
    assert (len(window.sent), window.waiting) == (LIMIT, [])


def test_who_never_asks_again_keeps_nobody_waiting_for_long() -> None:
    clock = Clock()
    quota = RateLimit(1, SECONDS, clock=clock)
    _, gone, waiting = (quota.reserve("key") for _ in range(3))
    clock.now += SECONDS * STRETCH
    assert quota.remaining(waiting) > GRACE
    clock.now += GRACE + 0.1
    assert quota.remaining(waiting) == 0.0
    assert quota.remaining(gone) == pytest.approx(SECONDS * STRETCH)
    window = quota._window(os.getpid(), "key", quota._rate)
    assert [number for number, _ in window.waiting] == [gone.number]


def test_who_is_given_up_and_asks_again_is_served_before_those_who_came_later() -> None:
    clock = Clock()
    quota = RateLimit(1, SECONDS, clock=clock)
    _, late, later = (quota.reserve("key") for _ in range(3))
    clock.now += 2 * SECONDS * STRETCH
    correct(quota, correction(limit=1, pause=3.0))
    assert quota.remaining(later) == 3.0
    assert quota.remaining(late) == 3.0
    assert quota.remaining(later) == pytest.approx(3.0 + SECONDS * STRETCH)


def test_a_slot_that_is_used_late_counts_from_when_it_is_used() -> None:
    clock = Clock()
    quota = RateLimit(1, SECONDS, clock=clock)
    slot, next_one = quota.reserve("key"), quota.reserve("key")
    clock.now += SECONDS * TOLERANCE * 0.9
    assert quota.remaining(slot) == 0.0
    assert quota.remaining(next_one) == pytest.approx(SECONDS * (STRETCH - TOLERANCE * 0.9))
    clock.now += 5
    assert quota.remaining(slot) == 0.0
    assert quota.remaining(next_one) == pytest.approx(SECONDS * STRETCH)


def test_a_slot_that_was_booked_elsewhere_is_queued_by_its_number() -> None:
    quota, here = RateLimit(1, SECONDS, clock=lambda: 0.0), RateLimit(1, SECONDS, clock=lambda: 0.0)
    elsewhere = [quota.reserve("key") for _ in range(3)]
    booked = [here.reserve("key") for _ in range(3)]
    waits = [
        round(here.remaining(slot) / SECONDS / STRETCH) for slot in [*elsewhere[1:], *booked[1:]]
    ]
    assert waits == [1, 2, 3, 4]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_anew_though_a_lock_was_held() -> None:
    quota = RateLimit(1, SECONDS, clock=lambda: 0.0)
    quota.reserve("key")
    with quota._locks[os.getpid()]:
        child = os.fork()
        if child == 0:
            os._exit(0 if quota.remaining(quota.reserve("key")) == 0.0 else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert quota.reserve("key").wait > 0


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None, "100"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="limit must be a positive integer"):
        RateLimit(limit)


@pytest.mark.parametrize(
    "seconds", [0, -1.0, float("nan"), float("inf"), True, None, "10", 86_401, 1e-7]
)
def test_seconds_that_are_none_are_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="its seconds 1e-6 to 86,400"):
        RateLimit(100, seconds)


class TestLateAnswers:
    @given(st.lists(st.tuples(st.floats(0, 12), st.floats(0, 0.04), st.floats(0, 1)), max_size=60))
    def test_wherever_between_its_sending_and_its_answer_the_api_counts_a_request_the_limit_holds(
        self, calls: list[tuple[float, float, float]]
    ) -> None:
        clock = Clock()
        quota, counted = RateLimit(LIMIT, SECONDS, clock=clock), list[float]()
        for pause, answered, share in calls:
            clock.now += pause
            slot = quota.reserve("key")
            while wait := quota.remaining(slot) if slot.wait else 0.0:
                clock.now += wait
            slot = slot._replace(wait=clock.now - slot.asked)
            counted.append(clock.now + answered * SECONDS * share)
            clock.now += answered * SECONDS
            if (known := news(quota, slot, 200, {}, None)) is not None:
                correct(quota, known, slot)
        assert_within(counted, LIMIT, SECONDS)

    @pytest.mark.parametrize("status", [200, 500, 0])
    def test_a_slot_counts_from_its_answer_or_the_failure_of_its_request(self, status: int) -> None:
        clock = Clock()
        quota = RateLimit(2, SECONDS, clock=clock)
        first, _ = quota.reserve("key"), quota.reserve("key")
        clock.now += 0.3
        assert news(quota, first, status, {}, None) == ()
        correct(quota, (), first)
        waits = [quota.reserve("key").wait for _ in range(2)]
        assert waits == pytest.approx([SECONDS * STRETCH - 0.3, SECONDS * STRETCH])

    def test_an_answer_that_comes_at_once_needs_no_correction(self) -> None:
        clock = Clock()
        quota = RateLimit(LIMIT, SECONDS, clock=clock)
        slot = quota.reserve("key")
        clock.now += SECONDS * TOLERANCE * 0.9
        assert news(quota, slot, 200, {}, None) is None

    def test_no_answer_is_so_slow_that_more_than_a_twentieth_of_the_quota_is_lost(self) -> None:
        clock = Clock()
        quota = RateLimit(1, SECONDS, clock=clock)
        slot = quota.reserve("key")
        clock.now += SECONDS * 0.9
        correct(quota, (), slot)
        assert quota.reserve("key").wait == pytest.approx(SECONDS * (STRETCH + LONGEST_LAG - 0.9))

    def test_what_is_known_of_the_rate_stays_as_it_is(self) -> None:
        run = simulation()
        slot = run.rate_limit.reserve("key")
        correct(run.rate_limit, correction(limit=3, exhausted=True))
        correct(run.rate_limit, (), slot)
        assert run.rate_limit._act("release", "key", 0)[-2:] == ((3, SECONDS), True)
