"""The interfaces that a session uses: token sources, rate limiters, and conventions of the API.

The session imports no implementation of them. So it can be read and tested without OAuth and Redis.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from .header_values import interval_seconds, seconds_until_reset, whole_number
from .http import RawResponse
from .observed_limits import ObservedLimits
from .rate_limit_status import RateLimitStatus
from .retry import parse_retry_after
from .secrets import Token
from .waiting import WaitingCalls

Clock = Callable[[], float]
"""Returns seconds."""

GENERATED_CODE_ERRORS = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What generated code raises for data that it cannot encode or decode."""


class TokenSource(Protocol):
    """Supplies the token of each request.

    A sync client calls `get_token`, an async client `get_token_async`.

    Args of both methods:
        base_url: the API's base URL.
        rejected: the token that the API rejected with 401, if any. A source that can get another
            one returns it.
        timeout: seconds that the method may take; `None` for no limit.

    Raises of both methods:
        LeadConnectorError: no token is available.
        TimeoutError: the timeout expired.
    """

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """Return the token of a sync client's next request."""
        ...

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Return the token of an async client's next request."""
        ...


class LocationTokenSource(TokenSource, Protocol):
    """Supplies the token of each request by the rate-limit key of the call, such as a location.

    Its own methods supply the token of calls without a key.
    """

    def for_location(self, location_id: str) -> TokenSource:
        """Return the token source of one location."""
        ...


class Reservation(Protocol):
    """A place in the queue of one rate-limit key. It permits one request.

    It is valid only for a short time after its `wait`, a small part of the rate limit's interval.
    """

    @property
    def number(self) -> int:
        """The position in the queue: lower numbers are served first."""
        ...

    @property
    def wait(self) -> float:
        """Seconds until the request may be sent, counted from the reservation."""
        ...


ReservationT = TypeVar("ReservationT", bound=Reservation)


class RateLimiter(Protocol[ReservationT]):
    """Decides when the next request of a key may be sent. Its methods do not sleep."""

    uses_network: bool
    """Whether the methods wait for a network. An event loop then calls them in a thread."""

    waiting_calls: WaitingCalls
    """The calls of this process that wait for it. It wakes the first one when it can be earlier."""

    observed_limits: ObservedLimits
    """What responses say about the limits of the API. Sessions fill it."""

    def status(self, key: str) -> RateLimitStatus:
        """Return what is known about the rate limit of a key. Never raises."""
        ...

    def reserve(self, key: str) -> ReservationT:
        """Reserve the next request of a key.

        Raises:
            DailyRateLimitError: the requests of the day are used up.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        ...

    def rebook(self, reservation: ReservationT) -> ReservationT:
        """Ask again for a reservation with a wait. Send at once if the new one has none.

        Raises:
            DailyRateLimitError: the requests of the day were used up meanwhile.
            RateLimitUnavailableError: a shared rate limit cannot be reached and fails closed.
        """
        ...

    def release(self, reservation: ReservationT) -> None:
        """Give back a reservation whose request was not sent. Never raises."""
        ...

    def needs_update(self, reservation: ReservationT, response: RawResponse | None) -> bool:
        """Whether `update` has anything to do. Uses no network.

        Args:
            reservation: the reservation that permitted the request.
            response: the response, or `None` if the request was sent but got no complete response.
        """
        ...

    def update(self, reservation: ReservationT, response: RawResponse | None) -> None:
        """Apply what a response says about the rate limit. Never raises.

        Args:
            reservation: as for `needs_update`.
            response: as for `needs_update`.
        """
        ...


class CallTrace(Protocol):
    """Records one call, for `tracing`."""

    def request_headers(self) -> Mapping[str, str]:
        """Return headers to add to each request of the call."""
        ...

    def record_attempt(self, attempt: int, status_code: int | None, failure: str) -> None:
        """Record the end of an attempt.

        Args:
            attempt: its number, from 1. It counts all requests of the call.
            status_code: the status of the response; `None` without a complete one.
            failure: why there is none; empty if there is one.
        """
        ...

    def record_event(self, event: str, fields: Mapping[str, str | int | float]) -> None:
        """Record a step of the call. Its name and fields are those of its log record."""
        ...


class Tracing(Protocol):
    """Records the calls of a client."""

    def start_call(
        self, method: str, path_template: str | None, base_url: str
    ) -> AbstractContextManager[CallTrace]:
        """Return a context manager that records one call.

        Args:
            method: the method of HTTP.
            path_template: the path without IDs; `None` if the spec has no such operation.
            base_url: where the client sends its requests.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ErrorVocabulary:
    """The property names in the bodies of errors, by what they mean.

    All names are in the form that `_plain` returns: `error_message` and `errorMessage` are equal.
    """

    explanation_names: frozenset[str]
    """Their values explain the error: texts, or lists and objects of texts."""
    explanation_prefixes: tuple[str, ...] = ()
    """How other names of explanations start."""
    explanation_suffixes: tuple[str, ...] = ()
    """How other names of explanations end."""
    field_map_names: frozenset[str]
    """Those explanations whose objects have the names of fields or rules as names."""
    wrapper_names: frozenset[str]
    """Their values are objects with further such properties."""
    identifier_names: frozenset[str]
    """Their texts are codes, places or the values of the request. They are never explanations."""

    def explains(self, name: str) -> bool:
        """Whether the value of a property explains the error.

        Its name is one of the names, or starts or ends as an explanation does: `errorText`,
        `formErrors`. A name such as `errorCode` ends as an identifier does, so it explains nothing.
        """
        plain_name = _plain(name)
        if plain_name in self.explanation_names:
            return True
        if plain_name.endswith(self.explanation_suffixes):
            return True
        if not plain_name.startswith(self.explanation_prefixes):
            return False
        return not plain_name.endswith(tuple(self.identifier_names))

    def maps_fields(self, name: str) -> bool:
        """Whether an object with this name has an explanation for each field."""
        return _plain(name) in self.field_map_names

    def wraps(self, name: str) -> bool:
        """Whether a property contains the properties of the error."""
        return _plain(name) in self.wrapper_names

    def identifies(self, name: str) -> bool:
        """Whether a text with this name explains nothing."""
        plain_name = _plain(name)
        if plain_name in self.identifier_names:
            return True
        # Such as `errorId`.
        is_of_error = plain_name.startswith(self.explanation_prefixes)
        return is_of_error and plain_name.endswith(tuple(self.identifier_names))

    def with_explanations(self, names: Iterable[str]) -> "ErrorVocabulary":
        """This vocabulary with further names of explanations, such as those of the spec."""
        additional_names = {_plain(name) for name in names}
        return replace(self, explanation_names=self.explanation_names | additional_names)


def _plain(name: str) -> str:
    """A property name without the differences between naming styles."""
    return "".join(character for character in name if character.isalnum()).lower()


@dataclass(frozen=True, kw_only=True)
class ApiConventions:
    """Facts about an API that a session needs and that its OpenAPI document does not state."""

    request_id_headers: tuple[str, ...]
    """Headers that can contain a request id, in order of preference; in lower case."""
    request_id_property: str
    """The property of an error's body with the request id, used if no header has one."""
    error_vocabulary: ErrorVocabulary
    """The properties of an error's body that explain it, beside those that the spec marks."""
    daily_remaining_header: str
    """The header with the number of requests that the day still allows; in lower case."""
    daily_reset_header: str
    """The header that states when the daily limit resets; in lower case."""
    interval_header: str
    """The header with the milliseconds of the rate limit's interval; in lower case."""
    wait_after_429: float
    """Seconds to wait after a 429 that states neither a `Retry-After` nor an interval."""

    def is_daily_limit(self, response: RawResponse) -> bool:
        """Whether the API rejected the request because the requests of the day are used up."""
        if response.status_code != 429:
            return False
        return whole_number(response.headers, self.daily_remaining_header) == 0

    def retry_after(self, response: RawResponse, now: float) -> float | None:
        """Seconds that an unsuccessful response asks to wait; `None` if it does not say.

        If the requests of the day are used up, it is never less than the seconds until their reset.

        Args:
            response: the response.
            now: seconds since the epoch. Used if the response has no `Date`.
        """
        retry_after = parse_retry_after(response.headers, now)
        if not self.is_daily_limit(response):
            return retry_after
        day_ends_in = seconds_until_reset(response.headers, self.daily_reset_header, now)
        waits = [wait for wait in (retry_after, day_ends_in) if wait is not None]
        return max(waits, default=None)

    def interval(self, response: RawResponse) -> float | None:
        """Seconds of the rate limit's interval; `None` if the response does not state it."""
        return interval_seconds(response.headers, self.interval_header)
