"""Keeps an application within the API's rate limit, so that no request is rejected.

- `in_process`: `RateLimit`, for the threads and event loops of one process.
- `shared`: `RedisRateLimit`, for all processes that share a Redis.
- `reservations` decides when each request of a key may be sent; `reserve.lua` does so in Redis.
- `headers` decides what a response changes; `rate` combines the configured and the advertised rate.
- `shared_key` is the state machine of `RedisRateLimit`: who decides, Redis or this process.
- `redis_script` talks to Redis; `circuit_breaker` leaves a failed Redis alone.

A *rate-limit key* is what the API counts requests by, here a location. It is no credential.
"""

from .in_process import RateLimit, Reservation
from .shared import RedisRateLimit

__all__ = ["RateLimit", "RedisRateLimit", "Reservation"]
