"""The lifecycle of one call: validate, get a token, wait for the rate limit, send, retry.

`AsyncSession` is the engine of both clients. All that takes time is awaited from a `CallIO`. With
a `SyncIO` the coroutine never suspends, so `SyncSession` runs it without an event loop.

The class names follow the generated protocols `Session` and `AsyncSession`, which they implement.

Terms:

- rate-limit key: the arguments by which the API counts requests, such as the location's id.
- reservation: the right to send one request of a key, from a stated time on, and only for a short
  time after it. A call may wait for that time. Then nothing slow may happen before the request.
- deadline: when the whole call must end. It starts with the call (see `Call`), and it covers the
  token, the rate limit, all attempts and the pauses between them. It cuts off requests (see
  `Limits` in `http`) and token sources. No wait starts that would end after it.
- conventions: facts about the API that its OpenAPI document does not state (`ApiConventions`).
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from .._generated import Operation, T
from .._generated.types import APIResponse
from .._generated.types import RequestOptions as BaseOptions
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    LeadConnectorError,
)
from .call import Call, OperationCall
from .call_io import CallIO, SyncIO
from .call_log import report_attempt, report_rate_limit_wait, report_retry
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
from .protocols import RateLimiter, Reservation
from .request import Arguments
from .response import ResponseReader
from .retry import RETRY_NOW, STOP, Attempt, Decision, RetryPolicy, decide
from .secrets import Token, encoded_forms
from .settings import Settings
from .waiting import WaitingCall

if TYPE_CHECKING:
    from .request_options import RequestOptions
    from .undocumented import UndocumentedRequest

    NewCall: TypeAlias = Callable[[Settings, RequestOptions | None], Call[T]]
    """Creates the state of a call from its settings and its options."""

Result = TypeVar("Result")

MAXIMUM_REJECTED_CALLS = 1000
"""How many rejected calls are remembered with a token: our own bound for the memory."""


class _BookedReservation(NamedTuple):
    """A reservation, with the rate limit that made it."""

    rate_limit: RateLimiter[Any]
    reservation: Reservation


class AsyncSession:
    """Carries out the calls of a client.

    The generated async resources call it. `SyncSession` also uses it.
    """

    def __init__(self, io: CallIO, settings: Settings) -> None:
        self._io = io
        self._settings = settings
        self._observed_limits = settings.observed_limits
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

    async def request(
        self, request: "UndocumentedRequest", options: BaseOptions | None
    ) -> APIResponse[Any]:
        """Carry out an operation that the spec does not have; raises like `call`."""
        # Few programs need it.
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
        # Python makes it the context of all errors.
        ambient_error = sys.exception()
        try:
            if options is None:
                return await self._take_steps(new_call, None, read)
            # Few programs have options.
            from .request_options import checked_options, settings_with  # noqa: PLC0415

            request_options = checked_options(options)
            session = AsyncSession(self._io, settings_with(request_options, self._settings))
            return await session._take_steps(new_call, request_options, read)
        except BaseException as error:
            # The frames hold the response, and objects with the token.
            clear_frames(error, ambient_error)
            raise

    async def _take_steps(
        self,
        new_call: "NewCall[T]",
        options: "RequestOptions | None",
        read: Callable[[ResponseReader[T], RawResponse], Result],
    ) -> Result:
        """The steps of `_carry_out`."""
        # A new transport loads certificates, which can take longer than a reservation stays valid.
        # So it exists before the first reservation. Its creation is not inside the deadline, which
        # starts with `Call`.
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
            if reader.awaitables:
                await self._io.await_callbacks(reader.awaitables)

    async def _send_until_final(self, call: Call[T]) -> Attempt:
        """Send requests until one succeeds, or until a further one is useless or impossible.

        Returns:
            The last attempt: a success, or the failure to raise. A client closed during a
            rate-limit wait returns the last attempt, if there is one.

        Raises:
            LeadConnectorError: no request could be sent, the token source failed after a 401, or
                the client was closed before a further request was sent.
            Exception: an error of the caller's own functions.
        """
        attempt: Attempt | None = None
        while True:
            try:
                # A token source can take longer than a reservation stays valid. So the token comes
                # before the reservation.
                token = await self._next_token(call)
                booking = await self._reserve(call)
            except LeadConnectorError:
                if attempt is None:
                    raise
                # The last outcome explains more than the reason why no further request is sent.
                # Renewing the token after a 401 is different: see `_renew_token`, which runs
                # outside of this `try`.
                return attempt
            # If this raises or is cancelled, the reservation stays used: the API may have counted
            # the request.
            number = self._request_number(booking)
            attempt = await self._send_request(call, token)
            self._report(call, number, attempt)
            if booking is not None:
                await self._update_rate_limit(booking, attempt)
            if attempt.is_success:
                token.was_accepted = True
                if token.rejected_calls:
                    # The earlier rejection was temporary. A later one can be a revocation.
                    token.rejected_calls.discard(call.permission)
                return attempt
            decision = await self._handle_failure(call, attempt)
            if not decision.retry or call.deadline_passes_within(decision.wait):
                return attempt
            await self._log_and_pause(call, attempt, decision.wait)

    # The token.

    async def _next_token(self, call: Call[T]) -> Token:
        """The token of the next request: the renewed one after a 401, else that of the source."""
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

    # The rate limit.

    async def _reserve(self, call: Call[T]) -> _BookedReservation | None:
        """Wait until the rate limit permits the next request; `None` without a rate limit.

        Raises:
            APITimeoutError: the rate limit permits the request only after the deadline.
        """
        rate_limit = self._settings.rate_limit
        if rate_limit is None:
            return None
        # Before the `try`: if this fails or is cancelled, there is no reservation to release.
        reservation: Reservation = await self._io.book(
            rate_limit, rate_limit.reserve, call.rate_limit_key
        )
        booking = _BookedReservation(rate_limit, reservation)
        try:
            call.check_deadline(wait=reservation.wait, purpose="the rate limit")
            if reservation.wait > 0.0:
                return await self._wait_for_reservation(call, booking)
        except GeneratorExit:
            # A coroutine that is being closed cannot await.
            raise
        except BaseException:
            # The calls behind this one move forward. Time limits of gevent, dramatiq and pytest
            # derive from `BaseException`, so `except Exception` would miss them.
            await self._io.call_rate_limit(rate_limit, rate_limit.release, reservation)
            raise
        return booking

    async def _wait_for_reservation(
        self, call: Call[T], booking: _BookedReservation
    ) -> _BookedReservation:
        """Wait in line until the rate limit permits the request.

        Returns:
            The rate limit, with the reservation that permits it.

        Raises:
            APITimeoutError: the rate limit permits the request only after the deadline.
            ClientClosedError: the client was closed meanwhile.
            DailyRateLimitError: the requests of the day were used up meanwhile.
        """
        report_rate_limit_wait(call, booking.reservation.wait)
        waiting_calls = booking.rate_limit.waiting_calls
        signal = self._io.new_signal()
        waiting_call = waiting_calls.join(call.rate_limit_key, booking.reservation.number, signal)
        try:
            return await self._wait_in_line(call, booking, waiting_call)
        except GeneratorExit:
            # The garbage collector can close a coroutine in the middle of any other one. So this
            # only marks the call: to leave the line needs a lock.
            waiting_call.is_gone = True
            raise
        finally:
            self._io.discard_signal(signal)
            waiting_calls.leave(waiting_call)

    async def _wait_in_line(
        self, call: Call[T], booking: _BookedReservation, waiting_call: WaitingCall
    ) -> _BookedReservation:
        """Sleep until the send time or until a signal, and book again.

        It returns and raises like `_wait_for_reservation`.
        """
        rate_limit = booking.rate_limit
        reservation = booking.reservation
        while reservation.wait > 0.0:
            seconds = rate_limit.waiting_calls.seconds_to_sleep(waiting_call, reservation.wait)
            await waiting_call.signal.wait(call.seconds_within_deadline(seconds))
            # Another thread or task can close the client meanwhile.
            self._io.ensure_open()
            reservation = await self._io.book(rate_limit, rate_limit.rebook, reservation)
            call.check_deadline(wait=reservation.wait, purpose="the rate limit")
        return _BookedReservation(rate_limit, reservation)

    def _request_number(self, booking: _BookedReservation | None) -> int:
        """The position of a request among those of its key: responses can overtake each other."""
        if booking is None:
            return self._observed_limits.next_number()
        return booking.reservation.number

    def _report(self, call: Call[Any], number: int, attempt: Attempt) -> None:
        """Report an attempt to the trace, and what its response says about the rate limit."""
        report_attempt(call, attempt)
        response = attempt.response
        if response is not None:
            self._observed_limits.record(call.rate_limit_key, number, response.headers)

    async def _update_rate_limit(self, booking: _BookedReservation, attempt: Attempt) -> None:
        """Report the outcome of a request to the rate limit. `release` and `update` never raise."""
        rate_limit = booking.rate_limit
        if attempt.was_never_sent:
            await self._io.call_rate_limit(rate_limit, rate_limit.release, booking.reservation)
            return
        response = attempt.response
        # A response usually changes nothing. The check uses no network, so `CallIO` is not needed.
        if rate_limit.needs_update(booking.reservation, response):
            await self._io.call_rate_limit(
                rate_limit, rate_limit.update, booking.reservation, response
            )

    # One request.

    async def _send_request(self, call: Call[T], token: Token) -> Attempt:
        """Send one request.

        Raises:
            Exception: any error that is not a failure of the transport: an exception of this
                package, such as `ClientClosedError`, an interruption of the call, or a mistake in a
                custom transport.
        """
        # Counts the request: `call.attempts` and `call.try_number` are those of this one from here.
        request = call.next_request(token)
        # Python makes it the context of the transport's errors.
        ambient_error = sys.exception()
        try:
            response = await self._send_and_count(call, request)
        except Exception as error:
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

    def _attempt_with_response(self, call: Call[T], token: Token, response: RawResponse) -> Attempt:
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

    async def _handle_failure(self, call: Call[T], attempt: Attempt) -> Decision:
        """Decide whether a failed attempt is repeated, and get another token after a 401."""
        if attempt.status_code != 401:
            return decide(attempt, self._retry_policy)
        if call.renewed_token is None:
            # The API does not execute a request that it rejects with 401. So it is safe to repeat,
            # also for POST. It is no retry, so it happens with `retries=0` too. It happens once in
            # a call: a renewed token that is rejected as well will not improve.
            return await self._renew_token(call, attempt.token)
        call.rejection_explanation = explain_rejection(attempt.token)
        if len(attempt.token.rejected_calls) < MAXIMUM_REJECTED_CALLS:
            attempt.token.rejected_calls.add(call.permission)
        return STOP

    async def _renew_token(self, call: Call[T], token: Token) -> Decision:
        """Get another token after a 401. The rejected `token` may have expired.

        Raises:
            LeadConnectorError: the token source failed. Its error replaces the 401, because it
                names the cause: the user must authorize the application again, for example.
        """
        token_to_replace = token
        if call.permission in token.rejected_calls:
            # Other calls may work with this token, but calls like this one never did.
            token_to_replace = token.never_accepted()
        try:
            call.renewed_token = await self._get_token(call, token_to_replace)
        except APITimeoutError:
            # There was no time for another token, because of the deadline or in the token source's
            # own request. That is not the cause of the 401, so the 401 is raised.
            return STOP
        if call.renewed_token == token:
            # A token source without another token, such as a fixed token. Or one that knows when
            # the token was issued: it does not replace a token that is not the cause of the 401.
            if token.age() is not None:
                call.rejection_explanation = explain_rejection(token)
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


def explain_rejection(token: Token) -> str:
    """The end of the message for a 401 that a new token did not fix.

    Args:
        token: the last token that was rejected.
    """
    age = token.age()
    rejected_token = "another token"
    if age is not None:
        rejected_token = f"a token obtained {age:.0f} s ago"
    return (
        f"; the API also rejected {rejected_token}; probable causes: missing scope, "
        "wrong token class (agency or location), bad Version header"
    )


def _failed_attempt(
    call: Call[Any],
    token: Token,
    request: OutgoingRequest,
    error: Exception,
    ambient_error: BaseException | None,
) -> Attempt:
    """The attempt of a request that got no complete response.

    Args:
        call: the call.
        token: the token of the request.
        request: the request.
        error: the error of the transport.
        ambient_error: the exception that the caller handles, which is no part of the failure.
    """
    is_final_failure = is_final(error, ambient_error)
    secrets = encoded_forms(call.tokens)
    failure = connection_error(error, call.name, request, secrets, call.attempts, ambient_error)
    return Attempt(call.method, call.try_number, token, failure, is_final=is_final_failure)
