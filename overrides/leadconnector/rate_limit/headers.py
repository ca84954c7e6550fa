"""Decides what a response changes about the rate limit of its key."""

from collections.abc import Mapping
from typing import NamedTuple

from .._highlevel import (
    DAILY_REMAINING_HEADER,
    DAILY_RESET_HEADER,
    RATE_LIMIT_INTERVAL_HEADER,
    RATE_LIMIT_MAX_HEADER,
)
from .._runtime.header_values import interval_seconds, seconds_until_reset, whole_number
from .._runtime.http import RawResponse
from .._runtime.retry import LONGEST_RETRY_AFTER
from .rate import Rate, effective_rate

LONGEST_PAUSE = LONGEST_RETRY_AFTER
"""Seconds. A call that is asked to wait for longer raises `RateLimitError` instead of waiting.

After this pause, one of the next callers finds out whether the API still rejects requests.
"""


class AdvertisedLimit(NamedTuple):
    """What the headers of one response say about the rate limit; `None` where they say nothing."""

    limit: int | None
    """Requests in an interval. It becomes the limit of the window."""
    interval: float | None
    """Length of the interval in seconds, at most `LONGEST_PAUSE`."""
    daily_remaining: int | None
    """Requests that the location has for the rest of the day."""


class LimitState(NamedTuple):
    """What is known about the rate limit of a key, apart from its reservations."""

    rate: Rate
    """The rate in force."""
    day_exhausted: bool
    """Whether the location has no request left for the day."""


class UsualLimit(NamedTuple):
    """What most responses say, as text, so that the next one can be compared without parsing."""

    rate: Rate
    """The rate in force, which the headers do not change."""
    limit_text: str
    interval_text: str

    @classmethod
    def of(cls, response: RawResponse, state: LimitState) -> "UsualLimit":
        """What a response says that does not change the state of its key."""
        headers = response.headers
        return cls(
            state.rate,
            headers.get(RATE_LIMIT_MAX_HEADER, ""),
            headers.get(RATE_LIMIT_INTERVAL_HEADER, ""),
        )


def says_certainly_nothing_new(
    response: RawResponse, state: LimitState, usual: UsualLimit | None
) -> bool:
    """Return whether a response certainly changes nothing, in a quarter of the time of parsing it.

    Args:
        response: the response.
        state: what was known when the request was permitted.
        usual: what an earlier response said that changed nothing; `None` if there is none.
    """
    if usual is None or response.status_code == 429 or state.day_exhausted:
        return False
    headers = response.headers
    # A number with such a first digit is not 0. Any other text is no number. A missing header is
    # an empty text, which is contained too.
    if headers.get(DAILY_REMAINING_HEADER, "")[:1] not in "123456789":
        return False
    limit_text = headers.get(RATE_LIMIT_MAX_HEADER, "")
    interval_text = headers.get(RATE_LIMIT_INTERVAL_HEADER, "")
    return usual == (state.rate, limit_text, interval_text)


def advertised_limit(headers: Mapping[str, str]) -> AdvertisedLimit:
    """Read the vendor's rate-limit headers. A value that is no whole number is ignored.

    `X-RateLimit-Remaining` is not read: it includes requests of other clients, and responses
    overtake each other.

    Args:
        headers: by name in lower case.
    """
    # A limit or an interval of 0 has no meaning.
    limit = whole_number(headers, RATE_LIMIT_MAX_HEADER) or None
    interval = interval_seconds(headers, RATE_LIMIT_INTERVAL_HEADER)
    return AdvertisedLimit(limit, interval, whole_number(headers, DAILY_REMAINING_HEADER))


def state_after_response(
    state: LimitState, response: RawResponse, configured_rate: Rate
) -> LimitState:
    """Return the state of a key after a response; an equal one where it says nothing new.

    Args:
        state: what was known when the request was permitted.
        response: the response to the request.
        configured_rate: the rate that the user configured.
    """
    advertised = advertised_limit(response.headers)
    rate = _rate_after(state.rate, advertised, configured_rate)
    day_exhausted = _day_exhausted_after(state.day_exhausted, advertised)
    return LimitState(rate, day_exhausted)


def pause_after_response(response: RawResponse, configured_rate: Rate) -> float:
    """Return for how many seconds no request of the key is sent; 0.0 unless the API rejected one.

    It is what `Retry-After` asks for, else the interval in which the API counts.
    """
    if response.status_code != 429:
        return 0.0
    wait = response.retry_after
    if wait is None:
        wait = advertised_limit(response.headers).interval or configured_rate.seconds
    return min(wait, LONGEST_PAUSE)


def day_end_after_response(response: RawResponse, now: float) -> float:
    """Return the seconds until the exhausted day ends.

    0.0 if the day is not exhausted, or if the response does not state that.

    Args:
        response: the response.
        now: seconds since 1970.
    """
    if whole_number(response.headers, DAILY_REMAINING_HEADER) != 0:
        return 0.0
    return seconds_until_reset(response.headers, DAILY_RESET_HEADER, now) or 0.0


def _rate_after(current: Rate, advertised: AdvertisedLimit, configured_rate: Rate) -> Rate:
    if advertised.limit is None:
        return current
    advertised_rate = Rate(advertised.limit, advertised.interval or configured_rate.seconds)
    # The usual case. It is checked first, since this runs after every request.
    if advertised_rate == current:
        return current
    return effective_rate(configured_rate, advertised_rate)


def _day_exhausted_after(current: bool, advertised: AdvertisedLimit) -> bool:
    if advertised.daily_remaining is None:
        return current
    return advertised.daily_remaining == 0
