"""Tests of `RateLimit`: no window above the limit, first come first served, and nothing lost."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import ConfigurationError, DailyRateLimitError
from leadconnector._highlevel import CONVENTIONS
from leadconnector._runtime.http import RawResponse
from leadconnector.rate_limit import RateLimit, Reservation
from leadconnector.rate_limit.headers import LONGEST_PAUSE, LimitState, advertised_limit
from leadconnector.rate_limit.rate import DAY_SECONDS, STRETCH, Rate
from leadconnector.rate_limit.reservations import (
    GRACE_SECONDS,
    LATENESS_TOLERANCE_WINDOWS,
    MAXIMUM_LAG_WINDOWS,
    NO_NUMBER,
    Action,
    Operation,
    ReservationQueue,
)

LIMIT = 5
SECONDS = 10.0
WINDOW = SECONDS * STRETCH
"""Seconds between a request and the one that takes its place."""

KEY = "key"

Step = tuple[str, Any]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(1, 12)),
        st.tuples(st.just("release"), st.lists(st.integers(0, 30), min_size=1, max_size=20)),
        st.tuples(st.just("pause"), st.floats(0, 15)),
        st.tuples(st.just("limit"), st.integers(1, 8)),
        st.tuples(st.just("advance"), st.floats(0, 25)),
    ),
    max_size=25,
)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def stopped_clock() -> float:
    """A clock that never moves."""
    return 0.0


def do_nothing() -> None:
    """What happens by default when a simulation's clock moves."""


@dataclass
class Simulation:
    """Callers of one key: who waits, and who sent when."""

    rate_limit: RateLimit
    clock: Clock
    on_tick: Callable[[], None] = do_nothing
    """Called whenever the clock has moved."""
    waiting: list[tuple[int, Reservation]] = field(default_factory=list[tuple[int, Reservation]])
    """Caller and reservation."""
    sends: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    """Caller and time."""
    caller_count: int = 0
    paused_until: float = 0.0
    limit: int = LIMIT

    def step(self, name: str, value: Any) -> None:
        duration = 0.0
        if name == "reserve":
            self.reserve(value)
        elif name == "release":
            self.release(value)
        elif name == "pause":
            apply_update(self.rate_limit, update(limit=self.limit, pause=value))
            self.paused_until = max(self.paused_until, self.clock.now + value)
        elif name == "limit":
            self.limit = min(value, LIMIT)
            apply_update(self.rate_limit, update(limit=self.limit))
        elif name == "advance":
            duration = value
        self.advance(self.clock.now + duration)

    def reserve(self, count: int) -> None:
        for _ in range(count):
            self.waiting.append((self.caller_count, self.rate_limit.reserve(KEY)))
            self.caller_count += 1

    def release(self, indexes: list[int]) -> None:
        for index in indexes:
            if index < len(self.waiting):
                _, reservation = self.waiting.pop(index)
                self.rate_limit.release(reservation)

    def advance(self, until: float) -> None:
        """Move the clock. Each caller sends as soon as it may."""
        while True:
            waits = [self.rate_limit.remaining(reservation) for _, reservation in self.waiting]
            self.send_due(waits)
            next_wait = min((wait for wait in waits if wait > 0), default=None)
            if next_wait is None or self.clock.now + next_wait > until:
                break
            self.move(self.clock.now + next_wait)
        self.move(until)

    def send_due(self, waits: list[float]) -> None:
        still_waiting = list[tuple[int, Reservation]]()
        for (caller, reservation), wait in zip(self.waiting, waits, strict=True):
            if wait > 0:
                still_waiting.append((caller, reservation))
                continue
            # Redis counts microseconds, from a rounded clock.
            assert self.clock.now >= self.paused_until - 2e-6
            self.sends.append((caller, self.clock.now))
        self.waiting = still_waiting

    def move(self, now: float) -> None:
        self.clock.now = now
        self.on_tick()

    def check(self) -> None:
        """Verify the order and the limit of all requests so far."""
        callers = [caller for caller, _ in self.sends]
        assert callers == sorted(callers)
        assert_within([sent_at for _, sent_at in self.sends], LIMIT, SECONDS)


def assert_within(times: list[float], limit: int, seconds: float) -> None:
    """Verify that no window of this length, wherever it begins, contains more than the limit."""
    ordered = sorted(times)
    pairs = zip(ordered, ordered[limit:], strict=False)
    assert all(later - first >= seconds for first, later in pairs)


@dataclass(frozen=True)
class Update:
    """What `RateLimit.update` applies. Without a state, the request only counts later."""

    state: LimitState | None
    pause: float = 0.0


LATE_RESPONSE = Update(None)


def update(
    limit: int = LIMIT, seconds: float = SECONDS, pause: float = 0.0, day_exhausted: bool = False
) -> Update:
    return Update(LimitState(Rate(limit, seconds), day_exhausted), pause)


def apply_update(
    rate_limit: RateLimit, change: Update, reservation: Reservation | None = None
) -> None:
    """Apply the update of a reservation; by default, of one that the rate limit does not know."""
    number = reservation.number if reservation else NO_NUMBER
    operation = Operation(Action.UPDATE, KEY, number, change.state, change.pause)
    rate_limit._perform(operation)


def update_after(
    rate_limit: RateLimit,
    reservation: Reservation,
    status_code: int = 200,
    response_headers: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> Update | None:
    """Return the update that a response makes necessary, if any, without applying it."""
    headers_by_name = dict(response_headers or {})
    response = RawResponse(status_code, headers_by_name, b"", retry_after=retry_after)
    if not rate_limit.needs_update(reservation, response):
        return None
    operation = rate_limit._update_operation(reservation, response)
    assert operation.action is Action.UPDATE
    assert (operation.key, operation.number) == (reservation.key, reservation.number)
    return Update(operation.state, operation.pause)


def headers(
    limit: object = None, interval: object = None, daily_remaining: object = None
) -> httpx.Headers:
    values = {
        "X-RateLimit-Max": limit,
        "X-RateLimit-Interval-Milliseconds": interval,
        "x-ratelimit-daily-remaining": daily_remaining,
    }
    return httpx.Headers({name: str(value) for name, value in values.items() if value is not None})


def wait(rate_limit: RateLimit, key: str = KEY) -> float:
    """Return how long a new reservation has to wait."""
    return rate_limit.remaining(rate_limit.reserve(key))


def state_of(rate_limit: RateLimit) -> LimitState:
    """Return what the rate limit knows about the key."""
    return rate_limit._perform(Operation(Action.RELEASE, KEY)).state


def queue_of(rate_limit: RateLimit) -> ReservationQueue:
    return rate_limit._queues(os.getpid(), KEY)


def simulation() -> Simulation:
    clock = Clock()
    return Simulation(RateLimit(LIMIT, SECONDS, clock=clock), clock)


@given(STEPS)
def test_no_window_exceeds_the_limit_and_callers_send_in_the_order_of_their_reservations(
    steps: list[Step],
) -> None:
    run = simulation()
    for name, value in steps:
        run.step(name, value)
    run.advance(run.clock.now + 10_000)
    run.check()
    assert run.waiting == []


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 40)), max_size=60), st.integers(0, 60))
def test_a_caller_that_asks_late_never_exceeds_the_limit(
    wakes: list[tuple[float, int]], callers: int
) -> None:
    run = simulation()
    rate_limit = run.rate_limit
    sends = list[float]()
    waiting = [rate_limit.reserve(KEY) for _ in range(callers)]
    for delay, index in [*wakes, *((15.0, 0) for _ in range(200))]:
        run.clock.now += delay
        if index < len(waiting) and rate_limit.remaining(waiting[index]) == 0:
            sends.append(run.clock.now)
            waiting.pop(index)
        waiting.append(rate_limit.reserve(KEY))
        if index % 3 == 0:
            rate_limit.release(waiting.pop())
    assert_within(sends, LIMIT, SECONDS)
    assert not wakes or sends or not callers


@given(st.integers(0, 100), st.data())
def test_constant_demand_uses_the_whole_limit(released: int, data: st.DataObject) -> None:
    run = simulation()
    run.step("reserve", 200)
    for _ in range(released):
        run.step("release", [data.draw(st.integers(0, len(run.waiting) - 1))])
    run.advance(run.clock.now + 10_000)
    expected = [1000.0 + index // LIMIT * WINDOW for index in range(200 - released)]
    assert [sent_at for _, sent_at in run.sends] == pytest.approx(expected)


def test_a_thousand_released_reservations_block_nobody() -> None:
    rate_limit = RateLimit(LIMIT, SECONDS, clock=Clock())
    *others, last = (rate_limit.reserve(KEY) for _ in range(1001))
    for reservation in others[LIMIT:]:
        rate_limit.release(reservation)
    assert rate_limit.remaining(last) == pytest.approx(WINDOW)
    for reservation in others[:LIMIT]:
        rate_limit.release(reservation)
    assert rate_limit.remaining(last) == 0.0
    assert wait(rate_limit) == 0.0


def test_keys_do_not_block_each_other() -> None:
    run = simulation()
    run.step("reserve", 100)
    assert wait(run.rate_limit, "another key") == 0.0


def test_a_late_reservation_stays_behind_earlier_and_before_later_ones() -> None:
    clock = Clock()
    rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
    reservations = [rate_limit.reserve(KEY) for _ in range(LIMIT + 3)]
    clock.now += 1
    apply_update(rate_limit, update(pause=5.0))
    waits = [rate_limit.remaining(reservations[index]) for index in (1, 0, 2)]
    assert waits == [5.0, 5.0, 5.0]
    clock.now += 5
    waits = [rate_limit.remaining(reservation) for reservation in reservations[:3]]
    assert waits == [0.0, 0.0, 0.0]
    assert rate_limit.remaining(reservations[LIMIT]) > 0.0


def test_a_pause_does_not_move_a_reservation_that_is_due() -> None:
    run = simulation()
    reservation = run.rate_limit.reserve(KEY)
    apply_update(run.rate_limit, update(pause=5.0))
    assert run.rate_limit.remaining(reservation) == 0.0
    assert wait(run.rate_limit) == 5.0


def test_a_pause_moves_a_waiting_reservation() -> None:
    clock = Clock()
    rate_limit = RateLimit(1, SECONDS, clock=clock)
    rate_limit.reserve(KEY)
    reservation = rate_limit.reserve(KEY)
    apply_update(rate_limit, update(limit=1, pause=15.0))
    clock.now += WINDOW
    assert rate_limit.remaining(reservation) == pytest.approx(15.0 - WINDOW)


def test_a_pause_does_not_end_a_longer_one() -> None:
    run = simulation()
    apply_update(run.rate_limit, update(pause=DAY_SECONDS))
    apply_update(run.rate_limit, update(pause=1.0))
    assert wait(run.rate_limit) == DAY_SECONDS


@pytest.mark.parametrize(
    ("limit", "interval", "expected"),
    [
        (3, None, Rate(3, 10.0)),
        (3, 20, Rate(3, 20.0)),
        (50, 10, Rate(5, 10.0)),
        (5, 20, Rate(5, 20.0)),
        (10, 20, Rate(5, 10.0)),
        (3, 5, Rate(3, 6.0)),
        (50, 1, Rate(5, 10.0)),
        (1, 2, Rate(1, 2.0)),
    ],
)
def test_the_effective_rate_exceeds_neither_the_configured_nor_the_advertised_one(
    limit: int, interval: int | None, expected: Rate
) -> None:
    rate_limit = RateLimit(LIMIT, SECONDS, clock=stopped_clock)
    milliseconds = None if interval is None else interval * 1000
    for response_headers in (headers(limit, milliseconds), headers(LIMIT, 10_000)):
        change = update_after(rate_limit, rate_limit.reserve(KEY), 200, response_headers)
        if change is not None:
            apply_update(rate_limit, change)
        assert rate_limit.reserve(KEY).state.rate == expected
        # The second response advertises the configured rate again.
        expected = Rate(LIMIT, SECONDS)


class TestExhaustedDay:
    def test_one_call_in_each_window_finds_out_whether_it_is_over(self) -> None:
        run = simulation()
        apply_update(run.rate_limit, update(day_exhausted=True))
        with pytest.raises(DailyRateLimitError) as caught:
            run.rate_limit.reserve(KEY)
        for _ in range(3):
            with pytest.raises(DailyRateLimitError):
                run.rate_limit.reserve(KEY)
            run.clock.now += SECONDS
            probe = run.rate_limit.reserve(KEY)
            assert run.rate_limit.remaining(probe) == 0.0
            assert update_after(run.rate_limit, probe, 200, headers(daily_remaining=0)) is None
        error = caught.value
        assert (error.status_code, error.attempts, error.messages) == (429, 0, [])
        assert error.retry_after is None
        assert (error.headers, error.body, error.request_id) == ({}, None, None)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)

    def test_a_response_with_remaining_requests_ends_it(self) -> None:
        run = simulation()
        apply_update(run.rate_limit, update(day_exhausted=True))
        run.clock.now += SECONDS
        probe = run.rate_limit.reserve(KEY)
        change = update_after(run.rate_limit, probe, 200, headers(daily_remaining=7))
        assert change == update(day_exhausted=False)
        apply_update(run.rate_limit, update(day_exhausted=False))
        assert not run.rate_limit.reserve(KEY).state.day_exhausted
        assert not run.rate_limit.reserve(KEY).state.day_exhausted

    def test_a_response_to_an_earlier_request_does_not_end_it(self) -> None:
        run = simulation()
        earlier = run.rate_limit.reserve(KEY)
        apply_update(run.rate_limit, update(day_exhausted=True))
        assert update_after(run.rate_limit, earlier, 200, headers(daily_remaining=3)) is None

    def test_it_concerns_one_key(self) -> None:
        run = simulation()
        apply_update(run.rate_limit, update(day_exhausted=True))
        assert wait(run.rate_limit, "another key") == 0.0


RESET_HEADER = "X-RateLimit-Daily-Reset"
SENT_AT = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
SENT_AT_SECONDS = int(SENT_AT.timestamp())


def exhausted(reset: object, **more: str) -> httpx.Headers:
    """Headers of a response that used up the day."""
    values = headers(daily_remaining=0)
    values[RESET_HEADER] = str(reset)
    values["Date"] = format_datetime(SENT_AT, usegmt=True)
    values.update(more)
    return values


def apply_response(
    rate_limit: RateLimit,
    reservation: Reservation,
    status_code: int,
    response_headers: Mapping[str, str],
) -> None:
    """Do what a session does with a response."""
    response = RawResponse(status_code, dict(response_headers), b"")
    if rate_limit.needs_update(reservation, response):
        rate_limit.update(reservation, response)


RESETS = [
    ("3600000", 3600.0),
    ("1", 0.001),
    ("86400000", 86_400.0),
    # A time: seconds and milliseconds since 1970.
    (SENT_AT_SECONDS + 3600, 3600.0),
    ((SENT_AT_SECONDS + 3600) * 1000, 3600.0),
]
"""What a header can state, and the seconds that it means."""

INVALID_RESETS = [
    "0",
    "-1",
    "",
    "soon",
    "NaN",
    "1e3",
    "3600.5",
    "90000001",
    "\u0663\u0660\u0660",
    "9" * 400,
    SENT_AT_SECONDS,
    SENT_AT_SECONDS - 60,
    (SENT_AT_SECONDS - 60) * 1000,
    SENT_AT_SECONDS + 200_000,
    (SENT_AT_SECONDS + 200_000) * 1000,
]


class TestDailyReset:
    @pytest.mark.parametrize("status_code", [200, 429, 500])
    @pytest.mark.parametrize(("reset", "seconds"), RESETS)
    def test_nothing_is_sent_before_it(
        self, reset: object, seconds: float, status_code: int
    ) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        first = rate_limit.reserve(KEY)
        # Otherwise the 429 pauses the location beyond a short reset.
        more = {"Retry-After": "0"} if status_code == 429 else {}
        response = RawResponse(
            status_code, dict(exhausted(reset, **more)), b"", retry_after=0.0 if more else None
        )
        assert rate_limit.needs_update(first, response)
        rate_limit.update(first, response)
        for elapsed in (0.0, seconds / 2, seconds * 0.99):
            clock.now = 1000.0 + elapsed
            with pytest.raises(DailyRateLimitError) as caught:
                rate_limit.reserve(KEY)
            assert caught.value.retry_after == pytest.approx(seconds - elapsed)
        clock.now = 1000.0 + seconds + 1e-6
        assert rate_limit.reserve(KEY).wait == 0.0
        # Only one finds out whether the day is over.
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.reserve(KEY)
        assert caught.value.retry_after is None

    @pytest.mark.parametrize("reset", INVALID_RESETS)
    def test_an_invalid_one_is_ignored(self, reset: object) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        apply_response(rate_limit, rate_limit.reserve(KEY), 200, exhausted(reset))
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.reserve(KEY)
        assert caught.value.retry_after is None
        clock.now += SECONDS
        assert rate_limit.reserve(KEY).wait == 0.0

    @given(st.one_of(st.text(), st.integers().map(str)))
    def test_any_value_leads_to_a_wait_of_a_day_at_most(self, reset: str) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        response_headers = {"x-ratelimit-daily-remaining": "0", RESET_HEADER.lower(): reset}
        apply_response(rate_limit, rate_limit.reserve(KEY), 200, response_headers)
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.reserve(KEY)
        retry_after = caught.value.retry_after
        assert retry_after is None or 0.0 < retry_after <= 90_000.0
        clock.now += 90_000.0
        assert rate_limit.reserve(KEY).wait == 0.0

    def test_it_has_no_effect_while_requests_remain(self) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=Clock())
        reservation = rate_limit.reserve(KEY)
        response_headers = {**headers(daily_remaining=1), RESET_HEADER: "3600000"}
        assert update_after(rate_limit, reservation, 200, response_headers) is None

    def test_a_later_response_without_it_does_not_shorten_the_wait(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        first, second = rate_limit.reserve(KEY), rate_limit.reserve(KEY)
        apply_response(rate_limit, first, 200, exhausted(3_600_000))
        apply_response(rate_limit, second, 429, headers(daily_remaining=0))
        clock.now += SECONDS + 1.0
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.reserve(KEY)
        assert caught.value.retry_after == pytest.approx(3600.0 - SECONDS - 1.0)

    def test_a_request_that_finds_the_day_exhausted_again_starts_the_next_wait(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        apply_response(rate_limit, rate_limit.reserve(KEY), 200, exhausted(1000))
        clock.now += 1.0
        probe = rate_limit.reserve(KEY)
        apply_response(rate_limit, probe, 200, exhausted(60_000))
        clock.now += SECONDS + 1.0
        with pytest.raises(DailyRateLimitError):
            rate_limit.reserve(KEY)
        clock.now += 60.0
        assert rate_limit.reserve(KEY).wait == 0.0

    def test_a_day_that_continues_ends_the_wait(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        first = rate_limit.reserve(KEY)
        apply_response(rate_limit, first, 200, exhausted(3_600_000))
        clock.now += 3600.0
        probe = rate_limit.reserve(KEY)
        apply_response(rate_limit, probe, 200, headers(daily_remaining=200_000))
        assert rate_limit.reserve(KEY).wait == 0.0
        # The next exhausted day without the header is probed once in each window.
        apply_response(rate_limit, rate_limit.reserve(KEY), 200, headers(daily_remaining=0))
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.reserve(KEY)
        assert caught.value.retry_after is None

    def test_a_waiting_reservation_ends_when_the_day_is_used_up(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(1, SECONDS, clock=clock)
        first, waiting = rate_limit.reserve(KEY), rate_limit.reserve(KEY)
        apply_response(rate_limit, first, 200, exhausted(3_600_000))
        clock.now += WINDOW
        with pytest.raises(DailyRateLimitError) as caught:
            rate_limit.remaining(waiting)
        assert caught.value.retry_after == pytest.approx(3600.0 - WINDOW)
        assert len(queue_of(rate_limit)._waiting) == 0

    def test_a_request_that_finds_out_whether_the_day_is_over_may_have_to_wait(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        apply_update(rate_limit, update(day_exhausted=True, pause=15.0))
        clock.now += SECONDS
        probe = rate_limit.reserve(KEY)
        assert probe.wait == pytest.approx(5.0)
        clock.now += 5.0
        assert rate_limit.remaining(probe) == 0.0


@pytest.mark.parametrize("remaining", ["0", " 0", "00", "0 ", "000000000000000000"])
def test_a_day_is_used_up_for_the_rate_limit_and_for_the_error(remaining: str) -> None:
    response = RawResponse(429, {"x-ratelimit-daily-remaining": remaining}, b"")
    assert CONVENTIONS.is_daily_limit(response)
    assert advertised_limit(response.headers).daily_remaining == 0


@pytest.mark.parametrize("remaining", ["", "-0", "0x0", "0.0", "1", "00000000001", "+0", "\u0660"])
def test_a_day_is_not_used_up_for_the_rate_limit_nor_for_the_error(remaining: str) -> None:
    response = RawResponse(429, {"x-ratelimit-daily-remaining": remaining}, b"")
    assert not CONVENTIONS.is_daily_limit(response)
    assert advertised_limit(response.headers).daily_remaining != 0


class TestUpdate:
    @pytest.mark.parametrize(
        "response_headers",
        [headers(), headers(5, 10_000, 7), headers(100, 10_000), headers(None, None, 1)],
    )
    def test_a_usual_response_needs_none(self, response_headers: httpx.Headers) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=stopped_clock)
        assert update_after(rate_limit, rate_limit.reserve(KEY), 200, response_headers) is None

    @pytest.mark.parametrize(
        ("status_code", "response_headers", "retry_after", "expected"),
        [
            (200, headers(3, 10_000), None, update(limit=3)),
            (500, headers(3), None, update(limit=3)),
            (200, headers(3, 20_000), None, update(limit=3, seconds=20.0)),
            (200, headers(daily_remaining=0), None, update(day_exhausted=True)),
            (429, headers(), 2.5, update(pause=2.5)),
            (429, headers(), float("inf"), update(pause=LONGEST_PAUSE)),
            (429, headers(), 0.0, None),
            (429, headers(interval=4000), None, update(pause=4.0)),
            (429, headers(interval=0), None, update(pause=10.0)),
            (429, headers(), None, update(pause=10.0)),
            (503, headers(), 2.5, None),
        ],
    )
    def test_a_response_changes_the_rate_the_day_or_pauses_the_key(
        self,
        status_code: int,
        response_headers: httpx.Headers,
        retry_after: float | None,
        expected: Update | None,
    ) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=stopped_clock)
        change = update_after(
            rate_limit, rate_limit.reserve(KEY), status_code, response_headers, retry_after
        )
        assert change == expected

    def test_a_known_limit_needs_none_and_a_restored_limit_does(self) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=stopped_clock)
        apply_update(rate_limit, update(limit=3))
        reservation = rate_limit.reserve(KEY)
        assert update_after(rate_limit, reservation, 200, headers(3, 10_000)) is None
        change = update_after(rate_limit, reservation, 200, headers(100, 10_000))
        assert change == update(limit=LIMIT)

    def test_it_is_applied_by_the_public_method(self) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=Clock())
        reservation = rate_limit.reserve(KEY)
        response = RawResponse(429, dict(headers(3, 10_000)), b"", retry_after=2.5)
        rate_limit.update(reservation, response)
        assert rate_limit.reserve(KEY).state.rate == Rate(3, SECONDS)
        assert wait(rate_limit) == 2.5

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
                st.one_of(st.binary(), st.integers().map(lambda number: b"%d" % number)),
            )
        ),
        st.integers(100, 599),
    )
    def test_malformed_headers_are_ignored(
        self, pairs: list[tuple[str, bytes]], status_code: int
    ) -> None:
        rate_limit = RateLimit(LIMIT, SECONDS, clock=stopped_clock)
        response_headers = httpx.Headers([(name.encode(), value) for name, value in pairs])
        change = update_after(rate_limit, rate_limit.reserve(KEY), status_code, response_headers)
        has_number = any(value.strip().isdigit() for _, value in pairs)
        assert change is None or status_code == 429 or has_number
        if change is not None:
            apply_update(rate_limit, change)
        rate = state_of(rate_limit).rate
        assert 1 <= rate.limit <= LIMIT
        assert rate.seconds >= SECONDS


def test_forty_threads_reserve_within_the_limit() -> None:
    rate_limit = RateLimit(100, SECONDS, clock=stopped_clock)
    reservations = list[list[Reservation]]()
    start = threading.Barrier(40)

    def reserve_fifty() -> None:
        start.wait()
        reservations.append([rate_limit.reserve(KEY) for _ in range(50)])

    threads = [threading.Thread(target=reserve_fifty) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [reservation.wait for of_thread in reservations for reservation in of_thread]
    assert len(times) == 2000
    assert_within(times, 100, SECONDS)
    assert max(times) == pytest.approx(19 * WINDOW)
    for of_thread in reservations:
        assert of_thread == sorted(of_thread, key=lambda reservation: reservation.wait)
    numbers = {reservation.number for of_thread in reservations for reservation in of_thread}
    assert len(numbers) == 2000


def test_the_least_recently_used_keys_are_forgotten() -> None:
    rate_limit = RateLimit(1, SECONDS, clock=stopped_clock)
    for number in range(15_000):
        rate_limit.reserve(f"location {number}")
        rate_limit.reserve("used all the time")
    assert rate_limit._queues.cache_info().currsize == 10_000
    assert rate_limit.reserve("location 14999").wait > 0
    assert rate_limit.reserve("used all the time").wait > 15_000
    assert rate_limit.reserve("location 0").wait == 0


def test_requests_outside_of_the_window_are_forgotten() -> None:
    run = simulation()
    for _ in range(1000):
        run.rate_limit.reserve(KEY)
        run.clock.now += SECONDS / LIMIT * 2
    queue = queue_of(run.rate_limit)
    assert (len(queue._permitted), len(queue._waiting)) == (LIMIT, 0)


def test_a_caller_that_never_asks_again_blocks_others_only_for_the_grace_period() -> None:
    clock = Clock()
    rate_limit = RateLimit(1, SECONDS, clock=clock)
    _, abandoned, waiting = (rate_limit.reserve(KEY) for _ in range(3))
    clock.now += WINDOW
    assert rate_limit.remaining(waiting) > GRACE_SECONDS
    clock.now += GRACE_SECONDS + 0.1
    assert rate_limit.remaining(waiting) == 0.0
    assert rate_limit.remaining(abandoned) == pytest.approx(WINDOW)
    assert [entry.number for entry in queue_of(rate_limit)._waiting] == [abandoned.number]


def test_an_expired_reservation_is_served_before_later_ones_when_its_caller_asks_again() -> None:
    clock = Clock()
    rate_limit = RateLimit(1, SECONDS, clock=clock)
    _, late, later = (rate_limit.reserve(KEY) for _ in range(3))
    clock.now += 2 * WINDOW
    apply_update(rate_limit, update(limit=1, pause=3.0))
    assert rate_limit.remaining(later) == 3.0
    assert rate_limit.remaining(late) == 3.0
    assert rate_limit.remaining(later) == pytest.approx(3.0 + WINDOW)


def test_a_reservation_that_is_used_late_counts_from_its_use() -> None:
    clock = Clock()
    rate_limit = RateLimit(1, SECONDS, clock=clock)
    first, second = rate_limit.reserve(KEY), rate_limit.reserve(KEY)
    clock.now += SECONDS * LATENESS_TOLERANCE_WINDOWS * 0.9
    assert rate_limit.remaining(first) == 0.0
    assert rate_limit.remaining(second) == pytest.approx(
        SECONDS * (STRETCH - LATENESS_TOLERANCE_WINDOWS * 0.9)
    )
    clock.now += 5
    assert rate_limit.remaining(first) == 0.0
    assert rate_limit.remaining(second) == pytest.approx(WINDOW)


def test_a_reservation_of_another_rate_limit_is_queued_by_its_number() -> None:
    foreign_limit = RateLimit(1, SECONDS, clock=stopped_clock)
    rate_limit = RateLimit(1, SECONDS, clock=stopped_clock)
    foreign = [foreign_limit.reserve(KEY) for _ in range(3)]
    native = [rate_limit.reserve(KEY) for _ in range(3)]
    waits = [rate_limit.remaining(reservation) for reservation in [*foreign[1:], *native[1:]]]
    assert [round(seconds / WINDOW) for seconds in waits] == [1, 2, 3, 4]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_anew_even_if_a_lock_was_taken() -> None:
    rate_limit = RateLimit(1, SECONDS, clock=stopped_clock)
    rate_limit.reserve(KEY)
    with rate_limit._lock():
        child = os.fork()
        if child == 0:
            os._exit(0 if wait(rate_limit) == 0.0 else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert rate_limit.reserve(KEY).wait > 0


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None, "100"])
def test_an_invalid_limit_is_rejected(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="limit must be a positive integer"):
        RateLimit(limit)


@pytest.mark.parametrize(
    "seconds", [0, -1.0, float("nan"), float("inf"), True, None, "10", 86_401, 1e-7]
)
def test_an_invalid_window_is_rejected(seconds: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="seconds must be a number or a timedelta, 1e-6 to"
    ):
        RateLimit(100, seconds)


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [(numpy.int64(3), numpy.float64(2)), (3, timedelta(seconds=2)), (3, numpy.int32(2))],
)
def test_a_limit_can_be_numbers_of_numpy_and_a_timedelta(limit: Any, seconds: Any) -> None:
    rate = RateLimit(limit, seconds)._rate

    assert rate == (3, 2.0)
    assert [type(value) for value in rate] == [int, float]


class TestLateResponses:
    @given(st.lists(st.tuples(st.floats(0, 12), st.floats(0, 0.04), st.floats(0, 1)), max_size=60))
    def test_the_limit_is_kept_whenever_the_api_counts_a_request_until_its_response(
        self, calls: list[tuple[float, float, float]]
    ) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        counted_at = list[float]()
        for pause, duration, share in calls:
            clock.now += pause
            reservation = rate_limit.reserve(KEY)
            seconds = reservation.wait
            while seconds:
                clock.now += seconds
                seconds = rate_limit.remaining(reservation)
            reservation = reservation._replace(wait=clock.now - reservation.requested_at)
            counted_at.append(clock.now + duration * SECONDS * share)
            clock.now += duration * SECONDS
            if (change := update_after(rate_limit, reservation)) is not None:
                apply_update(rate_limit, change, reservation)
        assert_within(counted_at, LIMIT, SECONDS)

    @pytest.mark.parametrize("status_code", [200, 500, None])
    def test_a_request_counts_from_its_response_or_its_failure(
        self, status_code: int | None
    ) -> None:
        clock = Clock()
        rate_limit = RateLimit(2, SECONDS, clock=clock)
        first, _ = rate_limit.reserve(KEY), rate_limit.reserve(KEY)
        clock.now += 0.3
        response = None if status_code is None else RawResponse(status_code, {}, b"")
        assert rate_limit.needs_update(first, response)
        operation = rate_limit._update_operation(first, response)
        assert operation == Operation(Action.UPDATE, KEY, first.number)
        rate_limit.update(first, response)
        waits = [rate_limit.reserve(KEY).wait for _ in range(2)]
        assert waits == pytest.approx([WINDOW - 0.3, WINDOW])

    def test_a_fast_response_needs_no_update(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(LIMIT, SECONDS, clock=clock)
        reservation = rate_limit.reserve(KEY)
        clock.now += SECONDS * LATENESS_TOLERANCE_WINDOWS * 0.9
        assert update_after(rate_limit, reservation) is None

    def test_a_slow_response_costs_at_most_four_percent_of_the_limit(self) -> None:
        clock = Clock()
        rate_limit = RateLimit(1, SECONDS, clock=clock)
        reservation = rate_limit.reserve(KEY)
        clock.now += SECONDS * 0.9
        apply_update(rate_limit, LATE_RESPONSE, reservation)
        expected = SECONDS * (STRETCH + MAXIMUM_LAG_WINDOWS - 0.9)
        assert rate_limit.reserve(KEY).wait == pytest.approx(expected)

    def test_it_does_not_change_the_state_of_the_key(self) -> None:
        run = simulation()
        reservation = run.rate_limit.reserve(KEY)
        apply_update(run.rate_limit, update(limit=3, day_exhausted=True))
        apply_update(run.rate_limit, LATE_RESPONSE, reservation)
        assert state_of(run.rate_limit) == LimitState(Rate(3, SECONDS), day_exhausted=True)
