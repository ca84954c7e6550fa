"""The vendor's rate limits: so many requests in any ten seconds and in any day, for each token and location."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

DAY = 86_400.0


@dataclass(frozen=True)
class RateLimits:
    """The limits. The vendor's are the defaults; `None` switches one off."""

    burst: int | None = 100
    """Requests in one interval."""
    interval: float = 10.0
    """Seconds."""
    daily: int | None = 200_000
    """Requests in a day."""
    retry_after: bool = False
    """Whether a refusal says how long to wait; the vendor documents no such header."""

    def __post_init__(self) -> None:
        if (self.burst is not None and self.burst < 1) or (
            self.daily is not None and self.daily < 0
        ):
            raise ValueError(
                "a rate allows at least one request in an interval, and none or more in a day"
            )
        if not 0 < self.interval < DAY:
            raise ValueError("the interval of a rate is more than 0 seconds and less than a day")


@dataclass
class Quota:
    """Counts requests in strict sliding windows."""

    rate: RateLimits
    _burst: dict[tuple[str, str], deque[float]] = field(
        default_factory=dict[tuple[str, str], "deque[float]"]
    )
    _daily: dict[tuple[str, str], tuple[int, int]] = field(
        default_factory=dict[tuple[str, str], tuple[int, int]]
    )

    def take(self, key: tuple[str, str], now: float) -> tuple[bool, Mapping[str, str]]:
        """Count a request at this time (seconds); whether it may pass, and the headers of its answer."""
        rate = self.rate
        sent = self._burst.setdefault(key, deque())
        while sent and now - sent[0] >= rate.interval - 1e-9:
            sent.popleft()
        day, used = self._daily.get(key, (0, 0))
        if day != int(now // DAY):
            day, used = int(now // DAY), 0
        waits: list[float] = []
        if rate.burst is not None and len(sent) >= rate.burst:
            waits.append(sent[len(sent) - rate.burst] + rate.interval - now)
        if rate.daily is not None and used >= rate.daily:
            waits.append((day + 1) * DAY - now)
        if not waits:
            sent.append(now)
            used += 1
        self._daily[key] = day, used
        headers = self._headers(len(sent), used)
        if waits and rate.retry_after:
            headers["Retry-After"] = str(max(1, -int(-max(waits) // 1)))
        return not waits, headers

    def headers(self, key: tuple[str, str], now: float) -> Mapping[str, str]:
        """The headers of an answer that counts for nobody."""
        sent = self._burst.get(key, ())
        return self._headers(
            sum(now - when < self.rate.interval for when in sent), self._daily.get(key, (0, 0))[1]
        )

    def _headers(self, sent: int, used: int) -> dict[str, str]:
        rate = self.rate
        headers: dict[str, str] = {}
        if rate.daily is not None:
            headers["X-RateLimit-Limit-Daily"] = str(rate.daily)
            headers["X-RateLimit-Daily-Remaining"] = str(max(0, rate.daily - used))
        if rate.burst is not None:
            headers["X-RateLimit-Interval-Milliseconds"] = str(round(rate.interval * 1000))
            headers["X-RateLimit-Max"] = str(rate.burst)
            headers["X-RateLimit-Remaining"] = str(max(0, rate.burst - sent))
        return headers

    def reset(self) -> None:
        """Forget every request."""
        self._burst.clear()
        self._daily.clear()
