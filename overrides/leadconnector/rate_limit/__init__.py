"""Keeps an application within the API's rate limit, so that no request is rejected.

- `in_process`: `RateLimit`, for the threads and event loops of one process.
- `shared`: `RedisRateLimit`, for all processes that share a Redis.
- `reservations` decides when each request of a key may be sent; `reserve.lua` does so in Redis.
- `headers` decides what a response changes; `rate` combines the configured and the advertised rate.
- `shared_key` is the state machine of `RedisRateLimit`: who decides, Redis or this process.
- `redis_script` talks to Redis; `circuit_breaker` leaves a failed Redis alone.

A *rate-limit key* is what the API counts requests by, here a location. It is no credential.
"""

from typing import TYPE_CHECKING

from .._runtime.rate_limit_status import RateLimitStatus
from .in_process import RateLimit, Reservation

if TYPE_CHECKING:
    from .shared import RedisRateLimit

__all__ = ["RateLimit", "RateLimitStatus", "RedisRateLimit", "Reservation"]


# Hidden from type checkers. With a function `__getattr__`, they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import `RedisRateLimit` at its first use (PEP 562): few programs share a rate limit."""
        if name != "RedisRateLimit":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .shared import RedisRateLimit  # noqa: PLC0415

        # The next use finds it without this function.
        globals()[name] = RedisRateLimit
        return RedisRateLimit

    def __dir__() -> list[str]:
        """Every name, also the one that is not imported yet."""
        return sorted({*globals(), *__all__})
