"""Reads what is known about a rate limit from the headers of its latest responses.

Imported when somebody asks, since most programs never do.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .header_values import (
    LONGEST_DAY_SECONDS,
    seconds_until_reset,
    whole_number,
)
from .observed_limits import NO_OBSERVATIONS, Observation, Observations, ObservedLimits
from .rate_limit_status import RateLimitStatus
from .retry import LONGEST_RETRY_AFTER


class Usage(NamedTuple):
    """What a rate limiter itself knows about a key; `None` if it does not know the key."""

    reserved: int | None = None
    """Requests that count in the window."""
    waiting: int | None = None
    """Requests that wait."""


NO_USAGE = Usage()


class _Window(NamedTuple):
    """The fields of a `RateLimitStatus` about the window."""

    limit: int | None = None
    interval: float | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


class _Day(NamedTuple):
    """The fields of a `RateLimitStatus` about the day."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


class _Now(NamedTuple):
    """The present moment on two clocks."""

    clock_seconds: float
    """Of the clock that the observations use."""
    epoch_seconds: float
    """Since 1970."""

    def epoch_seconds_of(self, clock_seconds: float) -> float:
        """Return a time of the clock in seconds since 1970."""
        return self.epoch_seconds + clock_seconds - self.clock_seconds

    def datetime_of(self, clock_seconds: float) -> datetime:
        """Return a time of the clock as a datetime with a time zone."""
        return datetime.fromtimestamp(self.epoch_seconds, UTC) + timedelta(
            seconds=clock_seconds - self.clock_seconds
        )


def limit_status(
    limits: ObservedLimits,
    key: str,
    usage: Usage = NO_USAGE,
    shared: Observations = NO_OBSERVATIONS,
    epoch_clock: Callable[[], float] = time.time,
) -> RateLimitStatus:
    """Return what is known about a rate-limit key.

    Args:
        limits: what this process has observed.
        key: the rate-limit key.
        usage: what the rate limiter itself knows.
        shared: what other processes have observed, in times of the clock of `limits`.
        epoch_clock: returns seconds since 1970.
    """
    observations = limits.observations(key)
    window = _later(observations.window, shared.window)
    day = _later(observations.day, shared.day)
    now = _Now(limits.clock(), epoch_clock())
    window_status = _window_status(window, limits, now)
    day_status = _day_status(day, limits, now)
    return RateLimitStatus(
        limit=window_status.limit,
        interval=window_status.interval,
        remaining=window_status.remaining,
        resets_at=window_status.resets_at,
        daily_limit=day_status.limit,
        daily_remaining=day_status.remaining,
        daily_resets_at=day_status.resets_at,
        observed_at=_last_arrival(window, day, now),
        reserved=usage.reserved,
        waiting=usage.waiting,
    )


def _later(first: Observation | None, second: Observation | None) -> Observation | None:
    """Return the observation of the later request."""
    if first is None:
        return second
    if second is None or second.number < first.number:
        return first
    return second


def _last_arrival(
    window: Observation | None, day: Observation | None, now: _Now
) -> datetime | None:
    arrivals = [group.received_at for group in (window, day) if group is not None]
    if not arrivals:
        return None
    return now.datetime_of(max(arrivals))


def _window_status(window: Observation | None, limits: ObservedLimits, now: _Now) -> _Window:
    if window is None:
        return _Window()
    names = limits.headers
    headers = limits.texts_of(window)
    # A limit of 0 has no meaning.
    limit = whole_number(headers, names.limit) or None
    interval = _interval_seconds(headers, names.interval)
    # Without an interval, the number is too old at some time all the same.
    ends_at = window.received_at + (interval or LONGEST_RETRY_AFTER)
    if now.clock_seconds >= ends_at:
        return _Window(limit, interval)
    resets_at = None
    if interval is not None:
        resets_at = now.datetime_of(ends_at)
    return _Window(limit, interval, whole_number(headers, names.remaining), resets_at)


def _interval_seconds(headers: Mapping[str, str], name: str) -> float | None:
    """Return the interval that a header states in milliseconds.

    Unlike the rate limit, which must not pause for longer, this shows it up to a day.
    """
    milliseconds = whole_number(headers, name) or 0
    seconds = milliseconds / 1000
    if not 0.0 < seconds <= LONGEST_DAY_SECONDS:
        return None
    return seconds


def _day_status(day: Observation | None, limits: ObservedLimits, now: _Now) -> _Day:
    if day is None:
        return _Day()
    names = limits.headers
    headers = limits.texts_of(day)
    # A limit of 0 has no meaning.
    limit = whole_number(headers, names.daily_limit) or None
    received_at = now.epoch_seconds_of(day.received_at)
    seconds = seconds_until_reset(headers, names.daily_reset, received_at)
    ends_at = day.received_at + (seconds or LONGEST_DAY_SECONDS)
    if now.clock_seconds >= ends_at:
        return _Day(limit)
    resets_at = None
    if seconds is not None:
        resets_at = now.datetime_of(ends_at)
    return _Day(limit, whole_number(headers, names.daily_remaining), resets_at)
