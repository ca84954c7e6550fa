"""The state of one call: what it sends, until when, and with how many attempts."""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic

from .._generated import Operation, T
from ..errors import APITimeoutError
from .contract import OperationContract, operation_contract
from .http import Limits, OutgoingRequest, PreparedRequest
from .protocols import CallTrace
from .request import (
    Arguments,
    api_version,
    complete_arguments,
    prepare_request,
    rate_limit_key,
)
from .response import ResponseReader
from .secrets import Token, encoded_forms
from .settings import Settings

if TYPE_CHECKING:
    from .request_options import RequestOptions

TRACE_HEADERS = frozenset({b"traceparent", b"tracestate"})
"""W3C Trace Context, section 3. A `tracestate` belongs to its `traceparent`, so both change."""


class Call(ABC, Generic[T]):
    """The state of one call: what it sends, its deadline, and its attempts.

    The creation of a subclass validates the arguments. The deadline counts from its start.

    Args:
        name: names the operation in messages. It contains no id.
        method: the method in upper case.
        settings: the settings of the client.
    """

    rate_limit_key: str
    """What the API counts requests by."""
    sends_token = True
    """Whether its requests have a token. Those of a public operation have none."""
    _request: PreparedRequest

    def __init__(self, name: str, method: str, settings: Settings) -> None:
        self._settings = settings
        self.name = name
        self.method = method
        self.limits = Limits(settings.clock, settings.timeouts, _deadline(settings))
        self.attempts = 0
        """How many requests were sent."""
        self._resends = 0
        """How many of them were sent again because of a stale connection."""
        self.tokens: list[Token] = []
        """The different tokens of the requests. The API can send back each of them."""
        self.renewed_token: Token | None = None
        """The token that replaced a rejected one after a 401."""
        self.rejection_explanation = ""
        """Why a new token does not fix the 401, for its exception; empty if it is unknown."""
        self.trace: CallTrace | None = None
        """Records the steps of the call, if somebody wants that."""

    @property
    @abstractmethod
    def path_template(self) -> str | None:
        """The path without IDs, as in the spec; `None` if the spec has no such operation."""

    def start_trace(self, trace: CallTrace) -> None:
        """Record the steps of the call from now on.

        Headers of the trace replace those of the caller: the parent of the API's spans is the span
        of this call.
        """
        self.trace = trace
        headers = trace.request_headers()
        if headers:
            self._request.remove_headers(TRACE_HEADERS)
            self._request.add_headers(headers)

    def next_request(self, token: Token | None) -> OutgoingRequest:
        """The request of the next attempt. None of its timeouts is beyond the deadline."""
        self.attempts += 1
        if token is not None and token not in self.tokens:
            self.tokens.append(token)
        return self._request.for_attempt(token, self.limits.step_timeouts())

    @property
    def try_number(self) -> int:
        """The number of the last request as the retry rules count it, from 1.

        A repetition with a renewed token is not a retry. So it has the number of the request before
        it, which the API rejected with 401. The same applies to a request that is sent again
        because of a stale connection. `attempts` counts all of them.
        """
        tries = self.attempts - self._resends
        if self.renewed_token is None:
            return tries
        return tries - 1

    def count_resends(self, request: OutgoingRequest) -> None:
        """Count how often a transport has sent a request again."""
        resends = max(0, request.times_sent - 1)
        self.attempts += resends
        self._resends += resends

    def remaining_seconds(self) -> float | None:
        """Seconds until the deadline; `None` without one."""
        if self.limits.deadline == math.inf:
            return None
        return max(0.0, self.limits.deadline - self._settings.clock())

    def seconds_within_deadline(self, seconds: float) -> float:
        """A wait, cut at the deadline."""
        return min(seconds, max(0.0, self.limits.deadline - self._settings.clock()))

    def deadline_passes_within(self, seconds: float) -> bool:
        """Whether the deadline passes within a number of seconds, or at their end."""
        return self._settings.clock() + seconds >= self.limits.deadline

    def check_deadline(self, *, wait: float, purpose: str) -> None:
        """Check that a wait ends before the deadline.

        Args:
            wait: its seconds; 0.0 checks that the deadline has not passed yet.
            purpose: names in the message what the call waits for.

        Raises:
            APITimeoutError: the wait does not end before the deadline.
        """
        if self.deadline_passes_within(wait):
            raise APITimeoutError(
                f"{self.name}: not sent: waiting {wait:.3f} s for {purpose} exceeds the deadline",
                attempts=self.attempts,
                failure="never sent",
            )

    @property
    @abstractmethod
    def permission(self) -> str:
        """Names what the token must permit: the operation, for the caller's location and version.

        The API rejects an invalid `Version` with 401 as well.
        """

    @abstractmethod
    def reader(self) -> ResponseReader[T]:
        """The reader of the response to the last request."""


class OperationCall(Call[T]):
    """The state of one call of an operation in the spec.

    Raises:
        ArgumentError: an argument is invalid.
    """

    def __init__(
        self,
        operation: Operation[T],
        arguments: Arguments,
        settings: Settings,
        options: "RequestOptions | None",
    ) -> None:
        contract = operation_contract(operation.operation_id)
        super().__init__(contract.name, contract.method, settings)
        self.sends_token = contract.sends_token
        self._operation = operation
        self._contract: OperationContract = contract
        self._arguments = arguments
        complete_arguments(contract, arguments, settings.version)
        self.rate_limit_key = rate_limit_key(contract, arguments)
        self._request = prepare_request(contract, operation, arguments, settings.requests, options)

    @property
    def path_template(self) -> str | None:
        """See `Call`."""
        return self._contract.path_template

    @property
    def permission(self) -> str:
        """See `Call`. It is rarely needed."""
        version = api_version(self._contract, self._arguments)
        return f"{self.name} {self.rate_limit_key} {version}"

    def reader(self) -> ResponseReader[T]:
        """See `Call`."""
        return ResponseReader(
            self._operation,
            self._contract,
            self._settings,
            encoded_forms(self.tokens),
            self.attempts,
            self.rejection_explanation,
        )


def _deadline(settings: Settings) -> float:
    """When a call that starts now must end, in seconds of the client's clock."""
    if settings.deadline is None:
        return math.inf
    return settings.clock() + settings.deadline
