"""The vendor's rate limits: requests per ten seconds and per day, for each token and location."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

SECONDS_PER_DAY = 86_400.0

ROUNDING_TOLERANCE = 1e-9
"""Seconds. Differences of clock readings are rounded; a request must not wait for that."""

MAXIMUM_COUNTER_BYTES = 32 * 1024 * 1024
"""Bytes for the counts of all locations. Beyond that the counter drops the counts of the location
that was not used for the longest time."""

WINDOW_BYTES = 950
"""Bytes of one window without its times, rounded up from a measurement with tracemalloc: the deque
has 760, the rest is its key and its place in the mapping."""

TIME_BYTES = 36
"""Bytes of one time in a window: a float of 24, and its place in the deque."""

DAILY_COUNT_BYTES = 200
"""Bytes of one daily count, measured likewise: the key, the number and the place in the mapping."""


@dataclass(frozen=True)
class RateLimits:
    """The limits. The defaults are the vendor's; `None` disables a limit.

    Raises:
        TypeError: a limit is not a number; an interval is seconds, not a `timedelta`.
        ValueError: a limit is too small or too large; the message names it.
    """

    burst: int | None = 100
    """Requests in one interval."""
    interval: float = 10.0
    """Seconds."""
    daily: int | None = 200_000
    """Requests in a day (UTC)."""
    retry_after: bool = False
    """Whether a 429 has a `Retry-After` header. The vendor documents none."""

    def __post_init__(self) -> None:
        _check_number("burst", self.burst, "requests, or None for no limit", is_optional=True)
        _check_number("daily", self.daily, "requests, or None for no limit", is_optional=True)
        _check_number("interval", self.interval, "seconds")
        if self.burst is not None and self.burst < 1:
            raise ValueError("burst: a rate limit allows at least one request in an interval")
        if self.daily is not None and self.daily < 0:
            raise ValueError("daily: a rate limit cannot allow a negative number of requests")
        if not 0 < self.interval < SECONDS_PER_DAY:
            raise ValueError("interval: a rate limit needs more than 0 seconds, less than a day")


def _check_number(name: str, value: object, unit: str, *, is_optional: bool = False) -> None:
    if value is None and is_optional:
        return
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number of {unit}, not {value!r}")


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


UNLIMITED = Admission(is_allowed=True, headers={})
"""Every request passes without limits, and its response has no headers for them."""


class RequestCounter:
    """Counts requests in strict sliding windows: no interval has more than `burst` requests.

    Memory is bounded. A window is dropped when its interval is over, and the daily counts are
    dropped at midnight. A disabled limit stores nothing.

    Args:
        limits: the limits.
        maximum_bytes: the bytes for the counts of all locations.
    """

    def __init__(self, limits: RateLimits, *, maximum_bytes: int = MAXIMUM_COUNTER_BYTES) -> None:
        self._limits = limits
        self._is_disabled = limits.burst is None and limits.daily is None
        self._maximum_bytes = maximum_bytes
        # Both mappings have the key that was used last at their end.
        self._windows: OrderedDict[bytes, deque[float]] = OrderedDict()
        self._daily_counts: OrderedDict[bytes, int] = OrderedDict()
        self.reset()

    def reset(self) -> None:
        """Forget every request."""
        self._windows.clear()
        self._daily_counts.clear()
        self._day = 0
        self._window_bytes = 0
        self.dropped = 0
        """How many counts of a location were dropped because of the bound in bytes."""

    def count(self, key: RateLimitKey, now: float) -> Admission:
        """Count a request unless it exceeds a limit.

        Args:
            key: what the request counts for.
            now: seconds since 1970.
        """
        if self._is_disabled:
            return UNLIMITED
        digest = _digest(key)
        self._expire(now)
        window = self._window(digest, now)
        used_today = self._daily_counts.get(digest, 0)
        waits = self._waits(window, used_today, now)
        if not waits:
            used_today += 1
            window.append(now)
            self._store(digest, window, used_today)
        headers = self._headers(len(window), used_today, now)
        if waits and self._limits.retry_after:
            headers["Retry-After"] = _whole_seconds(max(waits))
        return Admission(is_allowed=not waits, headers=headers)

    def headers(self, key: RateLimitKey, now: float) -> Mapping[str, str]:
        """The rate-limit headers of a response that is not counted."""
        if self._is_disabled:
            return UNLIMITED.headers
        digest = _digest(key)
        self._expire(now)
        window = self._window(digest, now)
        used_today = self._daily_counts.get(digest, 0)
        return self._headers(len(window), used_today, now)

    def _expire(self, now: float) -> None:
        """Drop the counts of earlier days, and the windows without a request in the interval."""
        today = int(now // SECONDS_PER_DAY)
        if self._day != today:
            self._day = today
            self._daily_counts.clear()
        # The windows are sorted by their last request, so the loop ends at the first recent one.
        while self._windows:
            digest, window = next(iter(self._windows.items()))
            if not self._is_over(window[-1], now):
                return
            self._drop_window(digest)

    def _window(self, digest: bytes, now: float) -> deque[float]:
        """The times of the requests of the current interval, oldest first."""
        window = self._windows.get(digest)
        if window is None:
            return deque()
        # The window slides with each request, so no interval of this length exceeds the limit.
        while window and self._is_over(window[0], now):
            window.popleft()
            self._window_bytes -= TIME_BYTES
        if not window:
            # Only after a clock that ran backwards: the windows were not sorted then.
            self._drop_window(digest)
        return window

    def _is_over(self, time: float, now: float) -> bool:
        """Whether the interval that began with a request at this time is over."""
        return now - time >= self._limits.interval - ROUNDING_TOLERANCE

    def _store(self, digest: bytes, window: deque[float], used_today: int) -> None:
        """Store the counts of a location, and drop those of others beyond the bound."""
        if self._limits.burst is not None:
            if digest not in self._windows:
                self._windows[digest] = window
                self._window_bytes += WINDOW_BYTES
            self._windows.move_to_end(digest)
            self._window_bytes += TIME_BYTES
        if self._limits.daily is not None:
            self._daily_counts[digest] = used_today
            self._daily_counts.move_to_end(digest)
        while self._size > self._maximum_bytes:
            self._drop_oldest()

    @property
    def _size(self) -> int:
        """The bytes of all counts."""
        return self._window_bytes + DAILY_COUNT_BYTES * len(self._daily_counts)

    def _drop_oldest(self) -> None:
        """Drop the larger kind of count of the location that was not used for the longest time."""
        daily_bytes = DAILY_COUNT_BYTES * len(self._daily_counts)
        if self._window_bytes > daily_bytes:
            self._drop_window(next(iter(self._windows)))
        else:
            self._daily_counts.popitem(last=False)
        self.dropped += 1

    def _drop_window(self, digest: bytes) -> None:
        window = self._windows.pop(digest)
        self._window_bytes -= WINDOW_BYTES + TIME_BYTES * len(window)

    def _waits(self, window: deque[float], used_today: int, now: float) -> list[float]:
        """The seconds until each exceeded limit allows a request again."""
        limits = self._limits
        waits: list[float] = []
        if limits.burst is not None and len(window) >= limits.burst:
            # A request may pass when the oldest of the last `burst` requests leaves the interval.
            blocking_time = window[len(window) - limits.burst]
            waits.append(blocking_time + limits.interval - now)
        if limits.daily is not None and used_today >= limits.daily:
            waits.append(_seconds_until_midnight(now))
        return waits

    def _headers(self, used_in_interval: int, used_today: int, now: float) -> dict[str, str]:
        """The vendor's headers for the limits that are enabled."""
        limits = self._limits
        headers: dict[str, str] = {}
        if limits.daily is not None:
            headers["X-RateLimit-Limit-Daily"] = str(limits.daily)
            headers["X-RateLimit-Daily-Remaining"] = str(max(0, limits.daily - used_today))
            # Not documented, but the live API sends it and the vendor's Node SDK 3.1 reads it.
            headers["X-RateLimit-Daily-Reset"] = _whole_milliseconds(_seconds_until_midnight(now))
        if limits.burst is not None:
            milliseconds = round(limits.interval * 1000)
            headers["X-RateLimit-Interval-Milliseconds"] = str(milliseconds)
            headers["X-RateLimit-Max"] = str(limits.burst)
            headers["X-RateLimit-Remaining"] = str(max(0, limits.burst - used_in_interval))
        return headers


def _digest(key: RateLimitKey) -> bytes:
    """A key of a fixed size: a location is a text of the request, up to the size of its body."""
    token = key.token.encode(errors="surrogatepass")
    location = key.location.encode(errors="surrogatepass")
    # The length of the token separates the two texts.
    prefix = len(token).to_bytes(8, "big")
    return hashlib.blake2b(prefix + token + location, digest_size=16).digest()


def _seconds_until_midnight(now: float) -> float:
    """The daily limit has fixed days; the emulator's end at midnight UTC."""
    day = now // SECONDS_PER_DAY
    return (day + 1) * SECONDS_PER_DAY - now


def _whole_seconds(wait: float) -> str:
    """A wait as `Retry-After` has it: whole seconds, rounded up, at least one."""
    return str(max(1, math.ceil(wait)))


def _whole_milliseconds(wait: float) -> str:
    """A wait in whole milliseconds, rounded up, at least one.

    A clock reading has an error below a microsecond, which must not add a millisecond.
    """
    milliseconds = round(wait * 1000, 3)
    return str(max(1, math.ceil(milliseconds)))
