"""Decides, without I/O, whether a failed attempt is repeated, and when.

Each rule is a function. It returns a `Decision`, or `None` if it does not apply. The first matching
rule decides. All `stop_...` rules come before the rules that choose a wait. So a wait is chosen
only for a request that may be repeated.

Repeating a request with a renewed token after a 401 is not a retry; see `AsyncSession`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from ..errors import APIConnectionError
from .http import RawResponse
from .secrets import Token

DEFAULT_RETRIES = 2
"""Retries of a call if the caller does not choose, as in Stripe's and OpenAI's clients."""

FIRST_BACKOFF_BOUND = 0.5
"""Upper bound in seconds of the first random wait, as in Stripe's and OpenAI's clients.

It doubles with each retry.
"""

LONGEST_BACKOFF_BOUND = 8.0
"""Upper bound in seconds of any random wait, as in OpenAI's client."""

LONGEST_RETRY_AFTER = 60.0
"""Longest `Retry-After` in seconds that a call waits for. If it is longer, the call fails instead.

OpenAI's client has the same bound.
"""

# These statuses report a temporary condition, so the same request can succeed later (RFC 9110,
# section 15; RFC 6585 for 429). Cloudflare is in front of the API. It sends 520 to 527 if the API
# does not respond properly.
TRANSIENT_STATUS_CODES = frozenset({408, 429, 500, 502, 503, 504, *range(520, 528)})

# RFC 9110, section 9.2.2.
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


Outcome: TypeAlias = RawResponse | APIConnectionError
"""The result of a request: a whole response, or the error of a request without one."""


class Attempt:
    """One request of a call, and its outcome.

    It is no named tuple: error reporters show the items of a tuple, and not its repr.
    """

    __slots__ = (
        "interval",
        "is_daily_limit",
        "is_final",
        "method",
        "outcome",
        "token",
        "try_number",
    )

    def __init__(
        self,
        method: str,
        try_number: int,
        token: Token | None,
        outcome: Outcome,
        is_daily_limit: bool = False,
        interval: float | None = None,
        is_final: bool = False,
    ) -> None:
        self.method = method
        self.try_number = try_number
        """The number of the request as the rules count it, from 1; see `Call.try_number`."""
        self.token = token
        """The token that it was sent with; `None` for a public operation."""
        self.outcome = outcome
        self.is_daily_limit = is_daily_limit
        """Whether the API rejected it because the requests of the day are used up."""
        self.interval = interval
        """Seconds of the API's rate-limit interval, if the response states it."""
        self.is_final = is_final
        """Whether the next request would certainly fail in the same way, before it is sent."""

    def __repr__(self) -> str:
        return f"Attempt({self.method}, {self.try_number}, {type(self.outcome).__name__})"

    @property
    def is_success(self) -> bool:
        """Whether there is a response with a 2xx status."""
        return isinstance(self.outcome, RawResponse) and self.outcome.is_success

    @property
    def response(self) -> RawResponse | None:
        """The response, if there is one."""
        return self.outcome if isinstance(self.outcome, RawResponse) else None

    @property
    def status_code(self) -> int | None:
        """The status of the response, if there is one."""
        return self.outcome.status_code if isinstance(self.outcome, RawResponse) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the response asks to wait, if it does."""
        return self.outcome.retry_after if isinstance(self.outcome, RawResponse) else None

    @property
    def was_never_sent(self) -> bool:
        """Whether the API certainly did not receive the request.

        An "invalid request" is excluded: a part of it may have been sent before it failed.
        """
        return isinstance(self.outcome, APIConnectionError) and self.outcome.failure == "never sent"

    @property
    def was_never_executed(self) -> bool:
        """Whether the API did not act on the request.

        For 429 this is an assumption. A rate limit is checked before a request is executed, but no
        RFC guarantees it.
        """
        return self.was_never_sent or self.status_code == 429


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The settings that the rules need."""

    retries: int
    """How many retries a call may make."""
    wait_after_429: float
    """Seconds to wait after a 429 that states neither a `Retry-After` nor an interval."""
    random: Callable[[], float]
    """Returns a number from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after an attempt."""

    retry: bool
    wait: float = 0.0
    """Seconds until the next attempt."""


STOP = Decision(retry=False)
RETRY_NOW = Decision(retry=True)

Rule = Callable[[Attempt, RetryPolicy], Decision | None]


def decide(attempt: Attempt, policy: RetryPolicy) -> Decision:
    """Apply the rules to a failed attempt. The first matching rule decides."""
    for rule in RULES:
        decision = rule(attempt, policy)
        if decision is not None:
            return decision
    return wait_with_full_jitter(attempt, policy)


def stop_after_last_retry(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if the call has made all its retries."""
    if attempt.try_number > policy.retries:
        return STOP
    return None


def stop_on_permanent_status(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if the same request would get the same response."""
    if attempt.status_code is not None and attempt.status_code not in TRANSIENT_STATUS_CODES:
        return STOP
    return None


def stop_on_invalid_request(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if the transport can never send the request, because it is not valid HTTP."""
    outcome = attempt.outcome
    if isinstance(outcome, APIConnectionError) and outcome.failure == "invalid request":
        return STOP
    return None


def stop_on_final_failure(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if the connection cannot be made: a proxy rejects it, or a certificate is invalid."""
    if attempt.is_final:
        return STOP
    return None


def stop_on_daily_limit(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if the requests of the day are used up. The next day is too far away to wait for."""
    if attempt.is_daily_limit:
        return STOP
    return None


def stop_if_possibly_executed(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Stop if a request that is not idempotent could be executed twice (RFC 9110, 9.2.2)."""
    if attempt.method in _IDEMPOTENT_METHODS or attempt.was_never_executed:
        return None
    return STOP


def obey_retry_after(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Wait for the response's `Retry-After`, or stop if it is too long (RFC 9110, section 10.2.3).

    The wait is never shortened: the API would reject an earlier request.
    """
    if attempt.retry_after is None:
        return None
    if attempt.retry_after > LONGEST_RETRY_AFTER:
        return STOP
    return Decision(retry=True, wait=attempt.retry_after)


def wait_for_rate_limit(attempt: Attempt, policy: RetryPolicy) -> Decision | None:
    """Wait one interval if the rate limit is exceeded. The API then permits all requests again."""
    if attempt.status_code != 429:
        return None
    if attempt.interval is not None:
        return Decision(retry=True, wait=attempt.interval)
    return Decision(retry=True, wait=policy.wait_after_429)


def wait_with_full_jitter(attempt: Attempt, policy: RetryPolicy) -> Decision:
    """Wait for a random time, up to a bound that doubles with each retry ("full jitter", AWS).

    So calls that failed together are not repeated together.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    bound = min(LONGEST_BACKOFF_BOUND, FIRST_BACKOFF_BOUND * 2.0 ** (attempt.try_number - 1))
    return Decision(retry=True, wait=policy.random() * bound)


RULES: tuple[Rule, ...] = (
    stop_after_last_retry,
    stop_on_permanent_status,
    stop_on_invalid_request,
    stop_on_final_failure,
    stop_on_daily_limit,
    stop_if_possibly_executed,
    obey_retry_after,
    wait_for_rate_limit,
)
"""In order of precedence. If none matches, `wait_with_full_jitter` decides."""


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds of a `Retry-After` header; `None` if there is none, or if it is invalid.

    It is a number of seconds or a date (RFC 9110, section 10.2.3). Laxer than the RFC, a number may
    have a fraction: some servers send one.

    Args:
        headers: by name in lower case.
        now: seconds since the epoch. Used if the response has no `Date`.
    """
    value = headers.get("retry-after", "")
    # Numbers of more than 300 digits are ignored, like any invalid value. The largest float has 309
    # digits, and a longer number would become infinite, also in the exception. ASCII: `\d` alone
    # matches the digits of all scripts.
    if re.fullmatch(r"\d{1,300}(\.\d*)?", value, re.ASCII):
        return float(value)
    retry_at = epoch_seconds(value)
    if retry_at is None:
        return None
    # `Date` is the time of the server that chose `retry_at`. Our clock can differ from it.
    sent_at = epoch_seconds(headers.get("date", ""))
    if sent_at is None:
        sent_at = now
    return max(0.0, retry_at - sent_at)


def epoch_seconds(date: str) -> float | None:
    """Parse an HTTP date; `None` if it is invalid. A date without a zone counts as local time."""
    try:
        return parsedate_to_datetime(date).timestamp()
    # Which of these an invalid or extreme date raises depends on Python's version and the platform.
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
