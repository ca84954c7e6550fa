"""The state of one call: what it sends, until when, and with how many attempts."""

import math
from typing import Generic

from .._generated import Operation, T
from ..errors import APITimeoutError
from .contract import OperationContract, operation_contract
from .http import Limits, PreparedRequest, Request
from .request import Arguments, complete_arguments, prepare_request, rate_limit_key
from .response import ResponseReader
from .secrets import Token
from .settings import Settings


class Call(Generic[T]):
    """The state of one call: what it sends, its deadline, and its attempts.

    Raises:
        ArgumentError: an argument is invalid.
    """

    def __init__(self, operation: Operation[T], arguments: Arguments, settings: Settings) -> None:
        description = operation_contract(operation.operation_id)
        self._operation = operation
        self._description: OperationContract = description
        self._settings = settings
        self.name = description.name
        self.method = description.method
        self.limits = Limits(settings.clock, settings.timeouts, _deadline(settings))
        complete_arguments(description, arguments, settings.version)
        self.rate_limit_key = rate_limit_key(description, arguments)
        self._request: PreparedRequest = prepare_request(
            description, operation, arguments, settings.requests
        )
        self.attempts = 0
        """How many requests were sent."""
        self.renewed_token: Token | None = None
        """The token that replaced a rejected one."""

    def next_request(self, token: Token) -> Request:
        """The request of the next attempt. None of its timeouts is beyond the deadline."""
        self.attempts += 1
        return self._request.authorized(token, self.limits.step_timeouts())

    def retry_number(self) -> int:
        """The number of the attempt for the retry rules.

        A request with a renewed token is no retry, so it does not count.
        """
        if self.renewed_token is None:
            return self.attempts
        return self.attempts - 1

    def remaining_seconds(self) -> float | None:
        """Seconds until the deadline; `None` without one."""
        if self.limits.deadline == math.inf:
            return None
        return max(0.0, self.limits.deadline - self._settings.clock())

    def is_over_in(self, seconds: float) -> bool:
        """Whether the deadline is not after these seconds."""
        return self._settings.clock() + seconds >= self.limits.deadline

    def check_deadline(self, wait: float, purpose: str) -> None:
        """Check that a wait ends before the deadline.

        Raises:
            APITimeoutError: it does not.
        """
        if self.is_over_in(wait):
            raise APITimeoutError(
                f"{self.name}: not sent: waiting {wait:.3f} s for {purpose} exceeds the deadline",
                attempts=self.attempts,
                failure="never sent",
            )

    def reader(self, token: Token) -> ResponseReader[T]:
        """Reads the response to the last request, which was sent with this token."""
        return ResponseReader(
            self._operation, self._description, self._settings, token, self.attempts
        )


def _deadline(settings: Settings) -> float:
    if settings.deadline is None:
        return math.inf
    return settings.clock() + settings.deadline
