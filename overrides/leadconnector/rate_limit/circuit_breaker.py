"""Stops using a failed Redis for a while, so that not every call waits for a timeout."""

from .._runtime.log import logger

RETRY_SECONDS = 1.0
"""How long a failed Redis is not used. Its restart takes about as long."""


class CircuitBreaker:
    """Decides whether a call may use Redis, and logs when Redis fails and responds again."""

    def __init__(self) -> None:
        # `None` while Redis responds.
        self._retry_at: float | None = None

    def allows(self, now: float) -> bool:
        """Return whether the caller may use Redis; after a failure, one caller a second."""
        # Read once: another thread can change it at any time.
        retry_at = self._retry_at
        if retry_at is None:
            return True
        if now < retry_at:
            return False
        # This caller tries Redis. The others go on without it, instead of waiting for a timeout.
        self._retry_at = now + RETRY_SECONDS
        return True

    def failed(self, now: float, failure: str) -> None:
        """Note a failure; its text must not contain a credential."""
        if self._retry_at is None:
            logger.warning(
                "the rate limit's Redis does not respond (%s)",
                failure,
                extra={"event": "redis_unavailable", "failure": failure},
            )
        self._retry_at = now + RETRY_SECONDS

    def succeeded(self) -> None:
        """Note a reply."""
        if self._retry_at is not None:
            logger.warning(
                "the rate limit's Redis responds again", extra={"event": "redis_available"}
            )
        self._retry_at = None
