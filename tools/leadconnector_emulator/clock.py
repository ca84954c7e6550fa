"""A clock that runs ahead of another one, so that a test need not wait for time to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from numbers import Real

Clock = Callable[[], float]
"""Seconds since 1970."""


@dataclass(frozen=True)
class ShiftedClock:
    """The time of another clock, and some seconds more."""

    base: Clock
    seconds: float

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.base() + self.seconds


def advanced_clock(clock: Clock, seconds: object) -> ShiftedClock:
    """A clock that is ahead of another one.

    Args:
        clock: the other clock.
        seconds: the seconds by which the new clock is ahead.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: it is negative or not finite. The counts of the rate limits need a clock that
            never goes back.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"a clock advances by a number of seconds, not {seconds!r}")
    if not isfinite(seconds) or seconds < 0:
        raise ValueError(f"a clock advances by 0 or more seconds, not {seconds!r}")
    if isinstance(clock, ShiftedClock):
        return ShiftedClock(clock.base, clock.seconds + float(seconds))
    return ShiftedClock(clock, float(seconds))


def base_clock(clock: Clock) -> Clock:
    """The clock without the seconds by which it was advanced."""
    if isinstance(clock, ShiftedClock):
        return clock.base
    return clock


def seconds_ahead(clock: Clock) -> float:
    """The seconds by which a clock was advanced."""
    if isinstance(clock, ShiftedClock):
        return clock.seconds
    return 0.0
