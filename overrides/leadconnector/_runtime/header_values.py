"""Reads the numbers of rate-limit headers, which servers and proxies can send malformed."""

from collections.abc import Mapping

from .retry import LONGEST_RETRY_AFTER, epoch_seconds

MAXIMUM_DIGITS = 15
LARGEST_NUMBER = 999_999_999_999_999
"""It replaces a number with more digits. It is more than any real value."""

LONGEST_DAY_SECONDS = 90_000.0
"""25 hours: a day on which clocks are put back. A reset that is further away is ignored."""

# Milliseconds until a reset are at most 9e7 (see above), and both kinds of time are larger. These
# bounds are the years 2001 and 5138.
FIRST_EPOCH_SECONDS = 10**9
LAST_EPOCH_SECONDS = 10**11
FIRST_EPOCH_MILLISECONDS = 10**12
LAST_EPOCH_MILLISECONDS = 10**14


def whole_number(headers: Mapping[str, str], name: str) -> int | None:
    """Return the number in a header; `None` if it is missing, or no whole number of digits.

    Args:
        headers: by name in lower case.
        name: in lower case.
    """
    text = headers.get(name, "").strip()
    if not text.isascii() or not text.isdecimal():
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > MAXIMUM_DIGITS:
        return LARGEST_NUMBER
    return int(digits)


def interval_seconds(headers: Mapping[str, str], name: str) -> float | None:
    """Return the length of a rate limit's interval, at most `LONGEST_RETRY_AFTER` seconds.

    `None` if the header is missing, malformed, or 0, which has no meaning.

    Args:
        headers: by name in lower case.
        name: the header with the milliseconds, in lower case.
    """
    milliseconds = whole_number(headers, name)
    if not milliseconds:
        return None
    return min(milliseconds / 1000, LONGEST_RETRY_AFTER)


def seconds_until_reset(headers: Mapping[str, str], name: str, now: float) -> float | None:
    """Return the seconds until a daily limit resets; `None` if the header does not state that.

    The number is in milliseconds. By its size, it can also be a time: seconds or milliseconds since
    1970. A reset that is now, in the past, or more than a day away is ignored.

    Args:
        headers: by name in lower case.
        name: in lower case.
        now: seconds since 1970, used if the response has no `Date`. The `Date` is from the server
            that chose the time. Our clock can differ from it.
    """
    number = whole_number(headers, name)
    if number is None:
        return None
    sent_at = epoch_seconds(headers.get("date", ""))
    if sent_at is None:
        sent_at = now
    seconds = number / 1000
    if FIRST_EPOCH_SECONDS <= number < LAST_EPOCH_SECONDS:
        seconds = number - sent_at
    elif FIRST_EPOCH_MILLISECONDS <= number < LAST_EPOCH_MILLISECONDS:
        seconds = number / 1000 - sent_at
    if not 0.0 < seconds <= LONGEST_DAY_SECONDS:
        return None
    return seconds
