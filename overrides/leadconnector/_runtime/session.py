"""The lifecycle of one call: validate, get a token, wait for the rate limit, send, retry.

`AsyncSession` is the engine of both clients. All that takes time is awaited from a `CallIO`. With
a `SyncIO` the coroutine never suspends, so `SyncSession` runs it without an event loop.

The class names follow the generated protocols `Session` and `AsyncSession`, which they implement.

Terms:

- rate-limit key: the arguments by which the API counts requests, such as the location's id.
- reservation: the right to send one request of a key. It starts at its send time, for which the
  call may have to wait. It ends a four-hundredth of the rate limit's window later: after 25 ms for
  the vendor's ten seconds (`LATENESS_TOLERANCE_WINDOWS`). So nothing happens between the send time
  and the request that can take as long: no token is requested, and no certificate is loaded.
- permission: what the token of a call must permit, as one text: the operation for one location and
  one API version. The API rejects a token for some permissions, and accepts it for others.
- deadline: when the whole call must end. It starts with the call (see `Call`), and it covers the
  token, the rate limit, all attempts and the pauses between them. It cuts off requests (see
  `Limits` in `http`) and token sources. No wait starts that would end after it.
- conventions: facts about the API that its OpenAPI document does not state (`ApiConventions`).

Numbers:

- `call.attempts`: how many requests the call has sent, for whatever reason.
- `call.try_number`: the same without requests that are no retries: the one after a 401, and those
  that were sent again because of a stale connection. The retry rules count by it.
- `reservation.number`: the position of a reservation in the queue of its key.
- request number: higher for a later request of a key. It is the number of the reservation. Without
  a rate limit, the client numbers its requests.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from .._generated import ItemT, Operation, T
from .._generated.types import APIResponse, Pagination
from .._generated.types import RequestOptions as BaseOptions
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    LeadConnectorError,
)
from .call import Call, OperationCall
from .call_io import CallIO, SyncIO
from .call_log import report_attempt, report_retry
from .coroutines import run_without_event_loop
from .frames import clear_frames
from .http import (
    OutgoingRequest,
    RawResponse,
    connection_error,
    decisive_error,
    is_final,
    is_interruption,
    is_transport_failure,
)
from .protocols import Reservation
from .request import Arguments
from .request_reservations import RequestReservations
from .response import ResponseReader
from .retry import RETRY_NOW, STOP, Attempt, Decision, RetryPolicy, decide
from .secrets import Token, encoded_forms
from .settings import Settings

if TYPE_CHECKING:
    from .request_options import RequestOptions
    from .undocumented import UndocumentedRequest

    NewCall: TypeAlias = Callable[[Settings, RequestOptions | None], Call[T]]
    """Creates the state of a call from its settings and its options."""

Result = TypeVar("Result")

MAXIMUM_REJECTED_PERMISSIONS = 1000
"""How many rejected permissions are remembered with a token: our own bound for the memory."""


class AsyncSession:
    """Carries out the calls of a client.

    The generated async resources call it. `SyncSession` also uses it.
    """

    def __init__(self, io: CallIO, settings: Settings) -> None:
        self._io = io
        self._settings = settings
        self._observed_limits = settings.observed_limits
        self._reservations: RequestReservations | None = None
        if settings.rate_limit is not None:
            self._reservations = RequestReservations(io, settings.rate_limit)
        self._retry_policy = RetryPolicy(
            settings.retries, settings.conventions.wait_after_429, settings.random
        )

    async def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: BaseOptions | None = None,
    ) -> T:
        """Carry out an operation.

        Raises:
            LeadConnectorError: the error of the last attempt, or the reason why there was none.
            Exception: an error of the caller's own token callable, transport, `on_response` or
                `on_drift`. It is raised unchanged.
        """
        return await self._carry_out(_new_call(operation, arguments), options, _read)

    async def call_raw(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: BaseOptions | None = None,
    ) -> APIResponse[T]:
        """Carry out an operation, and return the whole response; raises like `call`."""
        return await self._carry_out(_new_call(operation, arguments), options, _read_raw)

    def iterate(
        self,
        operation: Operation[T],
        pagination: Pagination[T, ItemT],
        arguments: Mapping[str, object],
        max_items: int | None,
        options: BaseOptions | None = None,
    ) -> AsyncIterator[ItemT]:
        """Iterate over the items of all pages. Each page is a call, which raises like `call`.

        Raises:
            ArgumentError: `max_items` or the start of the iteration is invalid.
        """
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .item_iterators import AsyncItemIterator  # noqa: PLC0415
        from .pagination import ItemQueue, Pages  # noqa: PLC0415

        queue = ItemQueue(Pages(pagination, arguments), max_items)
        return AsyncItemIterator(partial(self.call, operation, options=options), queue)

    async def request(
        self, request: "UndocumentedRequest", options: BaseOptions | None
    ) -> APIResponse[Any]:
        """Carry out an operation that the spec does not have; raises like `call`."""
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .undocumented import UndocumentedCall  # noqa: PLC0415

        return await self._carry_out(partial(UndocumentedCall, request), options, _read_raw)

    async def _carry_out(
        self,
        new_call: "NewCall[T]",
        options: BaseOptions | None,
        read: Callable[[ResponseReader[T], RawResponse], Result],
    ) -> Result:
        """Carry out a call; raises like `call`.

        Args:
            new_call: creates the call, which validates its arguments.
            options: the options of the call.
            read: reads the response.
        """
        # The exception that the caller handles at the moment, if any. Python makes it the context
        # of each error that is raised here, although it has nothing to do with the call.
        ambient_error = sys.exception()
        try:
            if options is None:
                return await self._start_call(new_call, None, read)
            # Imported here, which keeps the import of the package fast: few programs need it.
            from .request_options import checked_options  # noqa: PLC0415

            request_options = checked_options(options)
            session = self._session_for(request_options)
            return await session._start_call(new_call, request_options, read)
        except BaseException as error:
            # The frames have the response and plain arguments: see `frames`.
            clear_frames(error, ambient_error)
            raise

    def _session_for(self, options: "RequestOptions") -> "AsyncSession":
        """A session for one call, with its options in place of the client's.

        The settings of a session are fixed, and its retry policy follows from them. So a call with
        other settings has a session of its own. Both have the same connections and rate limit.
        """
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .request_options import settings_with  # noqa: PLC0415

        return AsyncSession(self._io, settings_with(options, self._settings))

    async def _start_call(
        self,
        new_call: "NewCall[T]",
        options: "RequestOptions | None",
        read: Callable[[ResponseReader[T], RawResponse], Result],
    ) -> Result:
        """Create the transport, the call and its trace, then send requests.

        It is `_carry_out` without the clearing of frames, in the session that has the options.
        """
        # Here, this is for its effect: it creates the transport of a new client. A new transport
        # loads certificates, which can take longer than a reservation stays valid. So it exists
        # before the first reservation. Its creation is not inside the deadline, which starts with
        # `Call`.
        self._io.ensure_open()
        call = new_call(self._settings, options)
        tracing = self._settings.tracing
        if tracing is None:
            return await self._send_and_read(call, read)
        base_url = self._settings.base_url
        with tracing.start_call(call.method, call.path_template, base_url) as trace:
            call.start_trace(trace)
            return await self._send_and_read(call, read)

    async def _send_and_read(
        self, call: Call[T], read: Callable[[ResponseReader[T], RawResponse], Result]
    ) -> Result:
        """Send requests, and read the last response."""
        attempt = await self._send_until_final(call)
        if isinstance(attempt.outcome, APIConnectionError):
            raise attempt.outcome
        reader = call.reader()
        try:
            # Also raises the error of an unsuccessful response. The token is redacted from errors.
            return read(reader, attempt.outcome)
        finally:
            # What `on_response` and `on_drift` returned, if they are async functions.
            if reader.awaitables:
                await self._io.await_callbacks(reader.awaitables)

    async def _send_until_final(self, call: Call[T]) -> Attempt:
        """Send requests until one succeeds, or until a further one is useless or impossible.

        Before each request, the token source or the wait for the rate limit can fail: the deadline
        would pass, or the client is closed during that wait, for example. Before the first request,
        this failure is raised. Before a further one, the last attempt is returned.

        Returns:
            The last attempt: a success, or the failure to raise.

        Raises:
            LeadConnectorError: no request could be sent, or the token source failed after a 401.
            ClientClosedError: the client was closed before the first request, or when a further one
                was about to be sent.
            Exception: an error of the caller's own functions.
        """
        attempt: Attempt | None = None
        while True:
            reservation: Reservation | None = None
            try:
                # A token source can take longer than a reservation stays valid. So the token comes
                # before the reservation.
                token = await self._next_token(call)
                if self._reservations is not None:
                    reservation = await self._reservations.reserve(call)
            except LeadConnectorError:
                if attempt is None:
                    raise
                # The last outcome explains more than the reason why no further request is sent.
                # Renewing the token after a 401 is different: see `_renew_token`, which runs
                # outside of this `try`.
                return attempt
            # If this raises or is cancelled, the reservation stays used: the API may have counted
            # the request.
            number = self._request_number(reservation)
            attempt = await self._send_request(call, token)
            self._report(call, number, attempt)
            if self._reservations is not None and reservation is not None:
                await self._reservations.report_outcome(reservation, attempt)
            if attempt.is_success:
                if token is not None:
                    _note_acceptance(call, token)
                return attempt
            decision = await self._decide(call, attempt)
            if not decision.retry or call.deadline_passes_within(decision.wait):
                return attempt
            await self._log_and_pause(call, attempt, decision.wait)

    # The token.

    async def _next_token(self, call: Call[T]) -> Token | None:
        """The token of the next request: the renewed one after a 401, else that of the source.

        A public operation gets none, and its token source is not asked.
        """
        if not call.sends_token:
            return None
        if call.renewed_token is not None:
            return call.renewed_token
        return await self._get_token(call, rejected=None)

    async def _get_token(self, call: Call[T], rejected: Token | None) -> Token:
        """Get a token from the token source.

        Args:
            call: the call.
            rejected: the token that the API rejected with 401, if any.

        Raises:
            APITimeoutError: the deadline passed before the token was there.
        """
        # The API counts requests by location, and an agency has a token for each location. So one
        # key selects both.
        source = self._settings.token_source_of(call.rate_limit_key)
        try:
            token = await self._io.get_token(
                source, self._settings.base_url, rejected, call.remaining_seconds()
            )
        except TimeoutError as error:
            if is_interruption(error):
                raise
            call.check_deadline(wait=0.0, purpose="a token")
            # The deadline has not passed: this is an error of the caller's own function.
            raise
        call.check_deadline(wait=0.0, purpose="a token")
        return token

    # One request.

    def _request_number(self, reservation: Reservation | None) -> int:
        """The request number of the next request: see "Numbers" above.

        Responses can overtake each other. The numbers show which is that of the latest request.
        """
        if reservation is None:
            return self._observed_limits.next_number()
        return reservation.number

    def _report(self, call: Call[Any], number: int, attempt: Attempt) -> None:
        """Report an attempt to the trace, and what its response says about the rate limit."""
        report_attempt(call, attempt)
        response = attempt.response
        if response is not None:
            self._observed_limits.record(call.rate_limit_key, number, response.headers)

    async def _send_request(self, call: Call[T], token: Token | None) -> Attempt:
        """Send one request.

        Raises:
            Exception: any error that is not a failure of the transport: an exception of this
                package, such as `ClientClosedError`, an interruption of the call, or a mistake in a
                custom transport.
        """
        # Counts the request: `call.attempts` and `call.try_number` are those of this one from here.
        request = call.next_request(token)
        # As in `_carry_out`: the exception that the caller handles at the moment, if any.
        ambient_error = sys.exception()
        try:
            response = await self._send_and_count(call, request)
        except Exception as error:
            # A transport can turn an interruption of the call, such as the time limit of a task
            # queue, into an error of its own. Then the interruption is raised.
            reason = decisive_error(error, ambient_error)
            if is_transport_failure(reason):
                return _failed_attempt(call, token, request, error, ambient_error)
            if reason is error:
                raise
        else:
            return self._attempt_with_response(call, token, response)
        # Outside of the handler, so that the transport's error does not become the context.
        raise reason

    async def _send_and_count(self, call: Call[T], request: OutgoingRequest) -> RawResponse:
        """Send a request, and count how often it was sent; raises like `CallIO.send`."""
        try:
            return await self._io.send(request, call.limits)
        finally:
            call.count_resends(request)

    def _attempt_with_response(
        self, call: Call[T], token: Token | None, response: RawResponse
    ) -> Attempt:
        """The attempt of a request that got a response."""
        if response.is_success:
            return Attempt(call.method, call.try_number, token, response)
        conventions = self._settings.conventions
        retry_after = conventions.retry_after(response, self._settings.now())
        response = response.with_retry_after(retry_after)
        return Attempt(
            call.method,
            call.try_number,
            token,
            response,
            is_daily_limit=conventions.is_daily_limit(response),
            interval=conventions.interval(response),
        )

    # After a failed attempt.

    async def _decide(self, call: Call[T], attempt: Attempt) -> Decision:
        """Decide whether a failed attempt is repeated. After a 401, get the token for that.

        A 401 of a public operation rejects no token.
        """
        if attempt.status_code == 401 and attempt.token is not None:
            return await self._handle_rejection(call, attempt.token)
        return decide(attempt, self._retry_policy)

    async def _handle_rejection(self, call: Call[T], token: Token) -> Decision:
        """Get another token after a 401, but only once in a call; raises like `_renew_token`.

        The API does not execute a request that it rejects with 401. So it is safe to repeat, also
        for POST. It is no retry, so it happens with `retries=0` too.
        """
        if call.renewed_token is None:
            return await self._renew_token(call, token)
        # A third token would not help either.
        call.rejection_explanation = explain_second_rejection(token)
        _note_rejection(call, token)
        return STOP

    async def _renew_token(self, call: Call[T], token: Token) -> Decision:
        """Get another token after a 401. The rejected `token` may have expired.

        Returns:
            `RETRY_NOW`, with the other token in the call. `STOP`, if there is none.

        Raises:
            LeadConnectorError: the token source failed. Its error replaces the 401, because it
                names the cause: the user must authorize the application again, for example.
        """
        token_to_replace = token
        if call.permission in token.rejected_permissions:
            # Other calls may work with this token, but calls like this one never did.
            token_to_replace = token.as_never_accepted()
        try:
            call.renewed_token = await self._get_token(call, token_to_replace)
        except APITimeoutError:
            # There was no time for another token, because of the deadline or in the token source's
            # own request. That is not the cause of the 401, so the 401 is raised.
            return STOP
        if call.renewed_token == token:
            call.rejection_explanation = explain_unreplaced_token(token)
            return STOP
        return RETRY_NOW

    async def _log_and_pause(self, call: Call[T], attempt: Attempt, seconds: float) -> None:
        """Log that a failed attempt is repeated, and wait until then."""
        report_retry(call, attempt, seconds)
        if seconds > 0.0:
            await self._io.sleep(seconds)


class SyncSession:
    """Carries out the calls of a sync client. The generated resources call it."""

    def __init__(self, io: SyncIO, settings: Settings) -> None:
        self._session = AsyncSession(io, settings)

    def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: BaseOptions | None = None,
    ) -> T:
        """Carry out an operation; like `AsyncSession.call`."""
        return run_without_event_loop(self._session.call(operation, arguments, options))

    def call_raw(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        options: BaseOptions | None = None,
    ) -> APIResponse[T]:
        """Carry out an operation; like `AsyncSession.call_raw`."""
        return run_without_event_loop(self._session.call_raw(operation, arguments, options))

    def iterate(
        self,
        operation: Operation[T],
        pagination: Pagination[T, ItemT],
        arguments: Mapping[str, object],
        max_items: int | None,
        options: BaseOptions | None = None,
    ) -> Iterator[ItemT]:
        """Iterate over the items of all pages; like `AsyncSession.iterate`."""
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .item_iterators import ItemIterator  # noqa: PLC0415
        from .pagination import ItemQueue, Pages  # noqa: PLC0415

        queue = ItemQueue(Pages(pagination, arguments), max_items)
        return ItemIterator(partial(self.call, operation, options=options), queue)

    def request(
        self, request: "UndocumentedRequest", options: BaseOptions | None
    ) -> APIResponse[Any]:
        """Carry out an operation; like `AsyncSession.request`."""
        return run_without_event_loop(self._session.request(request, options))


def _new_call(operation: Operation[T], arguments: Mapping[str, object]) -> "NewCall[T]":
    return partial(OperationCall, operation, Arguments(arguments))


def _read(reader: ResponseReader[T], response: RawResponse) -> T:
    return reader.read(response)


def _read_raw(reader: ResponseReader[T], response: RawResponse) -> APIResponse[T]:
    return reader.read_raw(response)


_PROBABLE_CAUSES = (
    "probable causes: missing scope, wrong token class (agency or location), bad Version header"
)


def explain_second_rejection(token: Token) -> str:
    """The end of the message for a 401 of a request with a renewed token.

    Args:
        token: the renewed token.
    """
    age = token.age()
    rejected_token = "another token"
    if age is not None:
        rejected_token = f"a token obtained {age:.0f} s ago"
    return f"; the API also rejected {rejected_token}; {_PROBABLE_CAUSES}"


def explain_unreplaced_token(token: Token) -> str:
    """The end of the message for a 401 after which the token source returned the same token.

    Only a source that knows when it got a token decides that another one would not help. Any other
    source simply has no other token, such as a fixed one. It can be wrong for any reason, and
    nothing is known about that.

    Args:
        token: the token, which the source has not replaced.
    """
    age = token.age()
    if age is None:
        return ""
    return f"; the token was obtained {age:.0f} s ago and was not replaced; {_PROBABLE_CAUSES}"


def _note_acceptance(call: Call[Any], token: Token) -> None:
    """Remember with a token that the API has executed a call with it."""
    token.was_accepted = True
    if token.rejected_permissions:
        # The earlier rejection was temporary. A later one can be a revocation.
        token.rejected_permissions.discard(call.permission)


def _note_rejection(call: Call[Any], token: Token) -> None:
    """Remember with a new token that the API has rejected a call with it."""
    if len(token.rejected_permissions) < MAXIMUM_REJECTED_PERMISSIONS:
        token.rejected_permissions.add(call.permission)


def _failed_attempt(
    call: Call[Any],
    token: Token | None,
    request: OutgoingRequest,
    error: Exception,
    ambient_error: BaseException | None,
) -> Attempt:
    """The attempt of a request that got no complete response.

    Args:
        call: the call.
        token: the token of the request; `None` for a public operation.
        request: the request.
        error: the error of the transport.
        ambient_error: the exception that the caller handles, which is no part of the failure.
    """
    is_final_failure = is_final(error, ambient_error)
    secrets = encoded_forms(call.tokens)
    failure = connection_error(error, call.name, request, secrets, call.attempts, ambient_error)
    return Attempt(call.method, call.try_number, token, failure, is_final=is_final_failure)
