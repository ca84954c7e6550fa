"""Whether an attempt that failed is made again, and when: a table of small rules, without I/O.

Each rule answers one question with the seconds to wait, `NEVER`, or `None` where it has nothing to say; the first that
says something decides.
"""

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

import httpx

NEVER = math.inf

MAXIMUM_RETRIES = 2
"""What Stripe's and OpenAI's clients do by default, too."""

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds that a wait of our own choosing is drawn below: at first, and at the most (it doubles each time)."""

LONGEST_ASKED_FOR = 60.0
"""Seconds that an answer may ask us to wait; if it asks for more the caller is told. No location pauses for longer, so
that of those who call it then, one in that time asks again."""

VENDORS_INTERVAL = 10.0
"""Seconds in which the vendor counts requests: after it, a location that was refused has its whole quota again."""

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504, *range(520, 528)})  # 520 to 527 are Cloudflare's
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})  # RFC 9110, section 9.2.2


Failure = Literal["never sent", "lost", "no HTTP"]


class Attempt(NamedTuple):
    """How an attempt ended."""

    number: int
    """From 1."""
    method: str
    random: float
    """From 0 to 1."""
    retries: int = MAXIMUM_RETRIES
    """How many are wanted at the most."""
    status: int | None = None
    """Of the answer, where a whole one came."""
    retry_after: float | None = None
    """Seconds to wait that the answer asks for, where it does."""
    failure: Failure | None = None
    """Why no whole answer came, else."""
    day_is_used_up: bool = False
    """Whether the location has no request left for the day."""


def failure(error: Exception) -> Failure:
    """What an attempt without a whole answer failed in: `never sent` is one that surely has not reached the API."""
    if isinstance(error, httpx.ConnectTimeout):  # of httpx's own transports: others say so of a lost connection, too
        return "never sent" if type(error.__cause__).__module__.partition(".")[0] == "httpcore" else "lost"
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return "no HTTP"
    return "never sent" if isinstance(error, httpx.ConnectError | httpx.PoolTimeout) else "lost"


RULES: tuple[Callable[[Attempt], float | None], ...] = (
    # All that are wanted were made.
    lambda last: NEVER if last.number > last.retries else None,
    # The answer is final.
    lambda last: NEVER if last.failure is None and last.status not in _TRANSIENT else None,
    # It would fail again: the mistake is ours, or the transport's, or the location has no request left for the day.
    lambda last: NEVER if last.failure == "no HTTP" or last.day_is_used_up else None,
    # It may have been executed, and must not be twice.
    lambda last: None if last.method in _IDEMPOTENT or last.status == 429 or last.failure == "never sent" else NEVER,
    # It asks for a wait that is too long, or for one that is not.
    lambda last: NEVER if (last.retry_after or 0.0) > LONGEST_ASKED_FOR else last.retry_after,
    # The location's quota is used up.
    lambda last: VENDORS_INTERVAL if last.status == 429 else None,
    # Full jitter, so that those who failed together do not come back together.
    lambda last: last.random * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (last.number - 1)),
)


def wait_before_retry(attempt: Attempt) -> float:
    """Seconds until the next attempt, or `NEVER`."""
    return next(wait for rule in RULES if (wait := rule(attempt)) is not None)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait that an answer asks for: a number or a date (RFC 9110, section 10.2.3); `None` where it does not.

    A date is counted from the answer's own, so that clocks which differ do no harm; from `now` (seconds since the
    epoch) where it has none.
    """
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d*)?", value, re.ASCII):
        return float(value)
    until, since = _seconds(value), _seconds(headers.get("date", ""))
    return None if until is None else max(0.0, until - (now if since is None else since))


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
