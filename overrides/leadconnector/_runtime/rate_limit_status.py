"""The result of `client.rate_limit`. The code that makes it is imported when somebody asks."""

from datetime import datetime
from typing import NamedTuple


# Its definition takes a tenth of the time of a dataclass. Every start of a client needs it.
class RateLimitStatus(NamedTuple):
    """What is known about the rate limit of a location. `None` means that it is unknown.

    The fields up to `observed_at` are from the headers of the latest response, so they include the
    requests of other programs. A number of a window or a day that is over is unknown.
    """

    limit: int | None = None
    """Requests that the API allows in an interval."""
    interval: float | None = None
    """Length of the interval in seconds."""
    remaining: int | None = None
    """Requests that remained in the interval when the API sent the response."""
    resets_at: datetime | None = None
    """The arrival of the response plus the interval, when that interval is certainly over."""
    daily_limit: int | None = None
    """Requests that the API allows in a day."""
    daily_remaining: int | None = None
    """Requests that remained for the day when the API sent the response."""
    daily_resets_at: datetime | None = None
    """When the day of the API ends."""
    observed_at: datetime | None = None
    """When the latest response with such headers arrived."""
    reserved: int | None = None
    """Requests that count in the window now, by the client's own `RateLimit`.

    With a `RedisRateLimit`, those of all processes.
    """
    waiting: int | None = None
    """Requests that wait for that `RateLimit`; with a `RedisRateLimit`, in all processes."""
