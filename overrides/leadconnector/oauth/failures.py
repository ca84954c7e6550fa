"""Limits failing token requests: a request that failed is not sent again for some time."""

from dataclasses import dataclass, field

from .._runtime.secrets import Secret
from ..errors import APIConnectionError, OAuthError, ReauthorizationError
from .refresh import error_for_waiter

PERMANENT_FAILURE_PAUSE = 300.0
"""Seconds in which a request that the endpoint rejected is not sent again: our own choice.

The same request would fail again, unless somebody changes the application or the location in the
meantime.
"""

FIRST_TRANSIENT_PAUSE = 1.0
"""Seconds to the next attempt after the second transient failure in a row. It doubles with each.

There is no pause after the first one, which is often an accident, such as a lost connection.
"""

LONGEST_TRANSIENT_PAUSE = 30.0
"""Seconds to the next attempt after a transient failure, at most."""

LONGEST_RETRY_AFTER = 60.0
"""Seconds; a longer `Retry-After` of the endpoint is cut to this, as for the rate limit."""

# A 4xx means that the same request fails again, except for these two (RFC 9110, section 15.5.9, and
# RFC 6585, section 4).
_TRANSIENT_CLIENT_ERRORS = frozenset({408, 429})


class FailureMemory:
    """Remembers the last failure of one kind of request. It is not thread-safe."""

    def __init__(self) -> None:
        self._last_failure: _Failure | None = None

    def check(self, subject: Secret[str], url: str, now: float) -> None:
        """Check that a request may be sent.

        Args:
            subject: distinguishes the request from others to the same URL, such as its refresh
                token.
            url: where the request goes.
            now: seconds since the epoch.

        Raises:
            OAuthError, APIConnectionError: the same request failed recently. It is the same error.
        """
        failure = self._last_failure
        if failure is None or not failure.concerns(subject, url):
            return
        if failure.is_in_force(now):
            raise error_for_waiter(failure.error)

    def record(
        self, subject: Secret[str], url: str, error: OAuthError | APIConnectionError, now: float
    ) -> None:
        """Remember a failure; the arguments are those of `check`, and the error."""
        number = 1
        last_failure = self._last_failure
        if last_failure is not None and last_failure.concerns(subject, url):
            number = last_failure.number + 1
        self._last_failure = _Failure(subject, url, error, number, now)

    def clear(self) -> None:
        """Forget the last failure, because a request succeeded."""
        self._last_failure = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """The last of several failures of the same request in a row."""

    subject: Secret[str]
    url: str
    error: OAuthError | APIConnectionError = field(repr=False)
    """It is copied for each caller."""
    number: int
    """How many failures there were in a row."""
    failed_at: float

    def concerns(self, subject: Secret[str], url: str) -> bool:
        """Whether a request is the one that failed."""
        return self.subject == subject and self.url == url

    def is_in_force(self, now: float) -> bool:
        """Whether the request is not sent now."""
        # The refresh token, or the agency's authorization, never becomes valid again.
        if isinstance(self.error, ReauthorizationError):
            return True
        # If the clock has been set back, the failure is in the future, maybe by years.
        return 0.0 <= now - self.failed_at < pause_after(self.error, self.number)


def pause_after(error: OAuthError | APIConnectionError, number: int) -> float:
    """Seconds until a request that failed is sent again.

    Args:
        error: the last failure.
        number: how many failures there were in a row.
    """
    if isinstance(error, OAuthError) and is_permanent(error.status_code):
        return PERMANENT_FAILURE_PAUSE
    pause = 0.0
    if number > 1:
        # The limit of the exponent only prevents an overflow.
        pause = FIRST_TRANSIENT_PAUSE * 2.0 ** min(number - 2, 10)
    pause = min(pause, LONGEST_TRANSIENT_PAUSE)
    if isinstance(error, OAuthError) and error.retry_after is not None:
        pause = max(pause, min(error.retry_after, LONGEST_RETRY_AFTER))
    return pause


def is_permanent(status_code: int) -> bool:
    """Whether a status of the endpoint means that the same request fails again."""
    return 400 <= status_code < 500 and status_code not in _TRANSIENT_CLIENT_ERRORS
