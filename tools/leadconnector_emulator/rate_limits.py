"""The vendor's rate limits: requests per ten seconds and per day, for each token and location."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

SECONDS_PER_DAY = 86_400.0

ROUNDING_TOLERANCE = 1e-9
"""Seconds. Differences of clock readings are rounded; a request must not wait for that."""


@dataclass(frozen=True)
class RateLimits:
    """The limits. The defaults are the vendor's; `None` disables a limit."""

    burst: int | None = 100
    """Requests in one interval."""
    interval: float = 10.0
    """Seconds."""
    daily: int | None = 200_000
    """Requests in a day (UTC)."""
    retry_after: bool = False
    """Whether a 429 has a `Retry-After` header. The vendor documents none."""

    def __post_init__(self) -> None:
        if self.burst is not None and self.burst < 1:
            raise ValueError("burst: a rate limit allows at least one request in an interval")
        if self.daily is not None and self.daily < 0:
            raise ValueError("daily: a rate limit cannot allow a negative number of requests")
        if not 0 < self.interval < SECONDS_PER_DAY:
            raise ValueError("interval: a rate limit needs more than 0 seconds, less than a day")


NO_LIMITS = RateLimits(burst=None, daily=None)


@dataclass(frozen=True)
class RateLimitKey:
    """What the vendor counts requests for."""

    token: str = ""
    location: str = ""


@dataclass(frozen=True)
class Admission:
    """Whether a request may pass, and the rate-limit headers of its response."""

    is_allowed: bool
    headers: Mapping[str, str]


@dataclass
class _Usage:
    """The requests of one key that passed."""

    times: deque[float] = field(default_factory=deque[float])
    """The times of the requests in the current interval, oldest first."""
    day: int = 0
    """The day, counted from 1970, of `used_today`."""
    used_today: int = 0


class RequestCounter:
    """Counts requests in strict sliding windows: no interval has more than `burst` requests."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._usage_by_key: dict[RateLimitKey, _Usage] = {}

    def count(self, key: RateLimitKey, now: float) -> Admission:
        """Count a request unless it exceeds a limit.

        Args:
            key: what the request counts for.
            now: seconds since 1970.
        """
        usage = self._usage_by_key.setdefault(key, _Usage())
        self._expire(usage, now)
        waits = self._waits(usage, now)
        if not waits:
            usage.times.append(now)
            usage.used_today += 1
        headers = self._headers(len(usage.times), usage.used_today)
        if waits and self._limits.retry_after:
            headers["Retry-After"] = _whole_seconds(max(waits))
        return Admission(is_allowed=not waits, headers=headers)

    def headers(self, key: RateLimitKey, now: float) -> Mapping[str, str]:
        """The rate-limit headers of a response that is not counted."""
        usage = self._usage_by_key.get(key)
        if usage is None:
            return self._headers(0, 0)
        recent_times = [time for time in usage.times if now - time < self._limits.interval]
        return self._headers(len(recent_times), usage.used_today)

    def reset(self) -> None:
        """Forget every request."""
        self._usage_by_key.clear()

    def _expire(self, usage: _Usage, now: float) -> None:
        """Forget the requests of earlier intervals, and of earlier days."""
        interval = self._limits.interval - ROUNDING_TOLERANCE
        # The window slides with each request, so no interval of this length exceeds the limit.
        while usage.times and now - usage.times[0] >= interval:
            usage.times.popleft()
        today = int(now // SECONDS_PER_DAY)
        if usage.day != today:
            usage.day = today
            usage.used_today = 0

    def _waits(self, usage: _Usage, now: float) -> list[float]:
        """The seconds until each exceeded limit allows a request again."""
        limits = self._limits
        waits: list[float] = []
        if limits.burst is not None and len(usage.times) >= limits.burst:
            # A request may pass when the oldest of the last `burst` requests leaves the interval.
            blocking_time = usage.times[len(usage.times) - limits.burst]
            waits.append(blocking_time + limits.interval - now)
        if limits.daily is not None and usage.used_today >= limits.daily:
            # The daily limit has fixed days; the emulator's end at midnight UTC.
            midnight = (usage.day + 1) * SECONDS_PER_DAY
            waits.append(midnight - now)
        return waits

    def _headers(self, used_in_interval: int, used_today: int) -> dict[str, str]:
        """The vendor's headers for the limits that are enabled."""
        limits = self._limits
        headers: dict[str, str] = {}
        if limits.daily is not None:
            headers["X-RateLimit-Limit-Daily"] = str(limits.daily)
            headers["X-RateLimit-Daily-Remaining"] = str(max(0, limits.daily - used_today))
        if limits.burst is not None:
            milliseconds = round(limits.interval * 1000)
            headers["X-RateLimit-Interval-Milliseconds"] = str(milliseconds)
            headers["X-RateLimit-Max"] = str(limits.burst)
            headers["X-RateLimit-Remaining"] = str(max(0, limits.burst - used_in_interval))
        return headers


def _whole_seconds(wait: float) -> str:
    """A wait as `Retry-After` has it: whole seconds, rounded up, at least one."""
    return str(max(1, math.ceil(wait)))
