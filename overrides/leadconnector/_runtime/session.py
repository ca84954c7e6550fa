"""The lifecycle of one call: validate, get a token, wait for the rate limit, send, retry.

It is written once, as a coroutine, for both clients. An `IO` object does all that takes time.
`BlockingIO` blocks, so the coroutine of a sync client never suspends. `AwaitingIO` awaits.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar, TypeVarTuple

from .._generated import Operation, T
from ..errors import APIConnectionError, APITimeoutError, LeadConnectorError
from .call import Call
from .connections import Connections
from .http import (
    AsyncBaseTransport,
    BaseTransport,
    Limits,
    RawResponse,
    Request,
    connection_error,
    is_transport_failure,
    send,
    send_async,
)
from .log import logger
from .protocols import RateLimiter, Reservation
from .request import Arguments
from .retry import RETRY_NOW, STOP, Attempt, Decision, RetryPolicy, decide, parse_retry_after
from .secrets import Token
from .settings import Settings

LONGEST_SLEEP = 1.0
"""Seconds after which a waiting call checks its reservation again.

It may move forward when calls before it release theirs.
"""

Result = TypeVar("Result")
Args = TypeVarTuple("Args")


class AsyncSession:
    """Carries out the calls of a client. The generated async resources call it."""

    def __init__(self, io: "IO", settings: Settings) -> None:
        self._io = io
        self._settings = settings
        self._rate_limit = settings.rate_limit
        self._retry_policy = RetryPolicy(
            settings.retries, settings.conventions.rate_limit_interval, settings.random
        )

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry out an operation.

        Raises:
            LeadConnectorError: the error of the last attempt, or the reason why there was none.
        """
        # Creating a transport takes longer than a reservation stays valid, so it comes first.
        self._io.check_open()
        call = Call(operation, Arguments(arguments), self._settings)
        attempt = await self._send_until_final(call)
        if isinstance(attempt.outcome, APIConnectionError):
            raise attempt.outcome
        return call.reader(attempt.token).read(attempt.outcome)

    async def _send_until_final(self, call: Call[T]) -> Attempt:
        """Send requests until no other is useful or possible.

        Returns:
            The last attempt.
        """
        attempt: Attempt | None = None
        while True:
            try:
                # A token source can take longer than a reservation stays valid, so it comes first.
                token = call.renewed_token
                if token is None:
                    token = await self._get_token(call, rejected=None)
                reservation = await self._reserve(call)
            except LeadConnectorError:
                if attempt is None:
                    raise
                # The failure of the last attempt explains more than why no other is possible.
                return attempt
            attempt = await self._attempt(call, token)
            if reservation is not None:
                await self._update_rate_limit(reservation, attempt)
            if attempt.is_success:
                return attempt
            decision = await self._decide(call, attempt)
            if not decision.retry or call.is_over_in(decision.wait):
                return attempt
            await self._pause(call, attempt, decision.wait)

    # The token.

    async def _get_token(self, call: Call[T], rejected: Token | None) -> Token:
        """Ask the token source.

        Raises:
            APITimeoutError: the deadline passed before the token was there.
        """
        try:
            token = await self._io.get_token(
                self._settings.base_url, rejected, call.remaining_seconds()
            )
        except TimeoutError:
            call.check_deadline(0.0, "a token")
            # The deadline has not passed: this is an error of the caller's own function.
            raise
        call.check_deadline(0.0, "a token")
        return token

    # The rate limit.

    async def _reserve(self, call: Call[T]) -> Reservation | None:
        """Wait until the rate limit permits the next request; `None` without a rate limit.

        Raises:
            APITimeoutError: that is after the deadline.
        """
        if self._rate_limit is None:
            return None
        reservation: Reservation = await self._io.call_rate_limit(
            self._rate_limit.reserve, call.rate_limit_key
        )
        try:
            call.check_deadline(reservation.wait, "the rate limit")
            if reservation.wait > 0.0:
                await self._wait_for(call, self._rate_limit, reservation)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            # The calls behind this one move forward. GeneratorExit is not handled: a coroutine that
            # is being closed cannot await.
            await self._io.call_rate_limit(self._rate_limit.release, reservation)
            raise
        return reservation

    async def _wait_for(
        self, call: Call[T], rate_limit: RateLimiter[Any], reservation: Reservation
    ) -> None:
        wait = reservation.wait
        logger.info("%s: waits %.3f s for the rate limit", call.name, wait)
        while wait > 0.0:
            await self._io.sleep(min(wait, LONGEST_SLEEP))
            # Another thread or task can close the client meanwhile.
            self._io.check_open()
            wait = await self._io.call_rate_limit(rate_limit.remaining, reservation)
            call.check_deadline(wait, "the rate limit")

    async def _update_rate_limit(self, reservation: Reservation, attempt: Attempt) -> None:
        """Report the outcome of a request to the rate limit."""
        if self._rate_limit is None:
            return
        if attempt.was_never_sent:
            await self._io.call_rate_limit(self._rate_limit.release, reservation)
            return
        response = attempt.response
        if self._rate_limit.needs_update(reservation, response):
            await self._io.call_rate_limit(self._rate_limit.update, reservation, response)

    # One request.

    async def _attempt(self, call: Call[T], token: Token) -> Attempt:
        """Send a request. Errors that are no transport failures are raised unchanged."""
        request = call.next_request(token)
        try:
            response = await self._io.send(request, call.limits)
        except Exception as error:
            if not is_transport_failure(error):
                raise
            failure = connection_error(error, call.name, request, [token], call.attempts)
            return Attempt(call.method, call.retry_number(), token, failure)
        if response.is_success:
            return Attempt(call.method, call.retry_number(), token, response)
        retry_after = parse_retry_after(response.headers, self._settings.now())
        response = response._replace(retry_after=retry_after)
        is_daily_limit = self._settings.conventions.is_daily_limit(response)
        return Attempt(call.method, call.retry_number(), token, response, is_daily_limit)

    async def _decide(self, call: Call[T], attempt: Attempt) -> Decision:
        """What to do after a failed attempt."""
        if attempt.status_code == 401 and call.renewed_token is None:
            return await self._renew_token(call, attempt.token)
        return decide(attempt, self._retry_policy)

    async def _pause(self, call: Call[T], attempt: Attempt, seconds: float) -> None:
        """Wait before the next attempt."""
        _log_retry(call, attempt, seconds)
        if seconds > 0.0:
            await self._io.sleep(seconds)

    async def _renew_token(self, call: Call[T], rejected: Token) -> Decision:
        """Get another token after a 401, once in a call. The first may have expired."""
        try:
            call.renewed_token = await self._get_token(call, rejected)
        except APITimeoutError:
            # The response with 401 explains more.
            return STOP
        if call.renewed_token == rejected:
            return STOP
        return RETRY_NOW


class SyncSession:
    """Carries out the calls of a client. The generated resources call it."""

    def __init__(self, io: "BlockingIO", settings: Settings) -> None:
        self._session = AsyncSession(io, settings)

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry out an operation; like `AsyncSession.call`."""
        return run_without_event_loop(self._session.call(operation, arguments))


def run_without_event_loop(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends, as with `BlockingIO`.

    `send(None)` starts a coroutine and runs it to its first suspension. Here there is none, so it
    runs to its end. `StopIteration` then carries its result.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking call suspended")


class IO(Protocol):
    """What takes time in a call."""

    def check_open(self) -> None:
        """Check that the client is open, and create its transport.

        Raises:
            ClientClosedError: it is closed.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def get_token(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Get a token from the token source; see `TokenSource`."""
        ...

    async def call_rate_limit(self, function: Callable[[*Args], Result], *args: *Args) -> Result:
        """Call a method of the rate limit."""
        ...

    async def send(self, request: Request, limits: Limits) -> RawResponse:
        """Send a request with the client's transport."""
        ...


class BlockingIO:
    """Blocks the thread. Its coroutines never suspend."""

    def __init__(self, connections: Connections[BaseTransport], settings: Settings) -> None:
        self._connections = connections
        self._settings = settings

    def check_open(self) -> None:
        """See `IO`."""
        self._connections.transport()

    async def sleep(self, seconds: float) -> None:
        """See `IO`."""
        self._settings.sleep(seconds)

    async def get_token(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """See `IO`."""
        return self._settings.token_source.get_token(base_url, rejected, timeout)

    async def call_rate_limit(self, function: Callable[[*Args], Result], *args: *Args) -> Result:
        """See `IO`."""
        return function(*args)

    async def send(self, request: Request, limits: Limits) -> RawResponse:
        """See `IO`."""
        return send(self._connections.transport(), request, limits)


class AwaitingIO:
    """Awaits in the running event loop."""

    def __init__(self, connections: Connections[AsyncBaseTransport], settings: Settings) -> None:
        self._connections = connections
        self._settings = settings

    def check_open(self) -> None:
        """See `IO`."""
        self._connections.transport()

    async def sleep(self, seconds: float) -> None:
        """See `IO`."""
        await self._settings.sleep_async(seconds)

    async def get_token(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """See `IO`."""
        return await self._settings.token_source.get_token_async(base_url, rejected, timeout)

    async def call_rate_limit(self, function: Callable[[*Args], Result], *args: *Args) -> Result:
        """See `IO`. A thread waits for the network, so that the event loop goes on."""
        if self._settings.rate_limit is not None and self._settings.rate_limit.uses_network:
            return await asyncio.to_thread(function, *args)
        return function(*args)

    async def send(self, request: Request, limits: Limits) -> RawResponse:
        """See `IO`."""
        return await send_async(self._connections.transport(), request, limits)


def _log_retry(call: Call[Any], attempt: Attempt, wait: float) -> None:
    if isinstance(attempt.outcome, APIConnectionError):
        reason = f"no whole response ({attempt.outcome.failure})"
    else:
        reason = f"status {attempt.outcome.status_code}"
    logger.info("%s: %s; attempt %d in %.3f s", call.name, reason, call.attempts + 1, wait)
