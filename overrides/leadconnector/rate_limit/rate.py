"""Defines a rate, and decides which one is in force when the API advertises another."""

import math
from typing import NamedTuple

from .._runtime.scalars import seconds_of, whole_number
from ..errors import ConfigurationError

HIGHEST_LIMIT = 1_000_000
"""Requests in a window. The process stores one entry for each of them per key."""

SHORTEST_WINDOW_SECONDS = 1e-6
"""Redis counts in microseconds."""

DAY_SECONDS = 86_400.0
"""The longest window that can be configured."""

STRETCH = 1.005
"""Factor by which the window is longer here than at the API: 50 ms for the vendor's ten seconds.

Two requests can take a different time to the API. Without the stretch, a slow one followed by a
fast one would arrive closer together than they were sent.
"""


class Rate(NamedTuple):
    """A number of requests in any window of time."""

    limit: int
    """Requests."""
    seconds: float
    """Length of the window."""

    @property
    def stretched_seconds(self) -> float:
        """Seconds that this client keeps between a request and the one `limit` requests later."""
        return self.seconds * STRETCH


def configured_rate(limit: object, seconds: object) -> Rate:
    """Return the rate that a user configured.

    Raises:
        ConfigurationError: the limit or the window is out of range, or of another type. Users
            without a type checker get a message instead of a failure during a call.
    """
    requests = whole_number(limit)
    if requests is None or not 1 <= requests <= HIGHEST_LIMIT:
        raise ConfigurationError("a rate limit's limit must be a positive integer up to a million")
    window = seconds_of(seconds)
    if window is None or not SHORTEST_WINDOW_SECONDS <= window <= DAY_SECONDS:
        raise ConfigurationError(
            "a rate limit's seconds must be a number or a timedelta, 1e-6 to 86,400 s"
        )
    # Whole microseconds are the same number in Python and in the Lua script.
    return Rate(requests, round(window, 6))


def effective_rate(configured: Rate, advertised: Rate) -> Rate:
    """Return the fastest rate that exceeds neither the configured nor the advertised one.

    An advertised rate never raises the configured one.
    """
    windows = math.ceil(advertised.seconds / configured.seconds)
    # The configured rate sends at most this many requests in one advertised window.
    if configured.limit * windows <= advertised.limit:
        return configured
    limit = min(configured.limit, advertised.limit)
    # As many requests take this long at the configured rate: 50 of 100 in 10 s take 5 s.
    seconds_as_configured = configured.seconds * limit / configured.limit
    return Rate(limit, max(advertised.seconds, seconds_as_configured))
