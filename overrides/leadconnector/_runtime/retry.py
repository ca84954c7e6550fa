"""Whether an attempt that failed is made again, and when: a table of small rules, without I/O.

Each rule answers one question with the seconds to wait, `NEVER`, or `None` where it has nothing to say; the first that
says something decides.
"""

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from .http import RawResponse

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

_TRANSIENT = frozenset(
    {0, 408, 429, 500, 502, 503, 504, *range(520, 528)}
)  # 0 is none; 520 to 527 are Cloudflare's
_IDEMPOTENT = frozenset(
    {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
)  # RFC 9110, section 9.2.2


class Tried(NamedTuple):
    """What was tried."""

    number: int
    """Of the attempt, from 1."""
    method: str
    retries: int
    """How many are wanted at the most."""
    random: float
    """From 0 to 1."""


RULES: tuple[Callable[[RawResponse, Tried], float | None], ...] = (
    # All that are wanted were made.
    lambda _, tried: NEVER if tried.number > tried.retries else None,
    # It would come again: it is final, the mistake is ours or the transport's, or the day's requests are used up.
    lambda it, _: (
        NEVER
        if it.status not in _TRANSIENT or it.problem == "invalid request" or it.day_is_used_up
        else None
    ),
    # It may have been executed, and must not be twice.
    lambda it, tried: (
        None
        if tried.method in _IDEMPOTENT or it.status == 429 or it.problem == "never sent"
        else NEVER
    ),
    # It asks for a wait that is too long, or for one that is not.
    lambda it, _: NEVER if (it.asked or 0.0) > LONGEST_ASKED_FOR else it.asked,
    # The location's quota is used up.
    lambda it, _: VENDORS_INTERVAL if it.status == 429 else None,
    # Full jitter, so that those who failed together do not come back together.
    lambda _, tried: tried.random * min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (tried.number - 1)),
)


def wait_after(answer: RawResponse, tried: Tried) -> float:
    """Seconds until the next attempt, or `NEVER`, after this answer to what was tried."""
    return next(wait for rule in RULES if (wait := rule(answer, tried)) is not None)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait that an answer asks for: a number or a date (RFC 9110, section 10.2.3); `None` where it does not.

    A date is counted from the answer's own, so that clocks which differ do no harm; from `now` (seconds since the
    epoch) where it has none.
    """
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,300}(\.\d*)?", value, re.ASCII):
        return float(value)
    until, since = _seconds(value), _seconds(headers.get("date", ""))
    return None if until is None else max(0.0, until - (now if since is None else since))


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
