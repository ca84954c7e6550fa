"""Does all that takes time in a call, either blocking a thread or in an event loop.

The session is written once, as a coroutine, for both clients. It awaits only a `CallIO`.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar, TypeVarTuple

from ..errors import ConfigurationError
from . import lazy_asyncio as asyncio
from .connections import AsyncConnections, SyncConnections
from .http import Limits, OutgoingRequest, RawResponse, send_async
from .http import send as send_sync
from .protocols import RateLimiter, ReservationT, TokenSource
from .secrets import Token
from .settings import Settings, sleep_in_loop
from .waiting import LoopSignal, Signal, SleepingSignal, ThreadSignal

ConnectionsT = TypeVar("ConnectionsT", SyncConnections, AsyncConnections)
Result = TypeVar("Result")
Args = TypeVarTuple("Args")


class CallIO(Protocol):
    """The I/O of a call. It raises errors of the caller's functions unchanged."""

    def ensure_open(self) -> None:
        """Check that the client is open. Create its transport if there is none yet.

        Raises:
            ClientClosedError: the client is closed.
            ConfigurationError: the environment's proxy or certificate file is unusable.
            APIConnectionError: the system has too few resources for a connection.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def new_signal(self) -> Signal:
        """Return a signal that wakes the call while it waits. Closing the client sets it."""
        ...

    def discard_signal(self, signal: Signal) -> None:
        """Have the client forget a signal: its call waits no longer."""
        ...

    async def get_token(
        self, source: TokenSource, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Get a token from a token source; see `TokenSource`."""
        ...

    async def reserve(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], ReservationT],
        *args: *Args,
    ) -> ReservationT:
        """Call `reserve` or `rebook` of the rate limit. If cancelled, nothing stays reserved."""
        ...

    async def call_rate_limit(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], Result],
        *args: *Args,
    ) -> Result:
        """Call a method of the rate limit."""
        ...

    async def send(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """Send a request with the client's transport; see `http.send`."""
        ...

    async def await_callbacks(self, awaitables: Sequence[Awaitable[object]]) -> None:
        """Wait for the awaitables of `on_response` and `on_drift`, if they are async.

        Raises:
            Exception: the first error of the caller's functions.
            ConfigurationError: the client is a sync one.
        """
        ...


class _ClientIO(ABC, Generic[ConnectionsT]):
    """The parts of a `CallIO` that do not wait."""

    def __init__(self, connections: ConnectionsT, settings: Settings) -> None:
        self._connections: ConnectionsT = connections
        self._settings = settings

    def ensure_open(self) -> None:
        """See `CallIO`."""
        self._connections.transport()

    def new_signal(self) -> Signal:
        """See `CallIO`."""
        signal = self._new_signal()
        self._connections.signals.add(signal)
        return signal

    def discard_signal(self, signal: Signal) -> None:
        """See `CallIO`."""
        self._connections.signals.remove(signal)

    @abstractmethod
    def _new_signal(self) -> Signal:
        """Return a signal that no client knows yet."""


class SyncIO(_ClientIO[SyncConnections]):
    """The `CallIO` of a sync client. It blocks the thread, so its coroutines never suspend."""

    async def sleep(self, seconds: float) -> None:
        """See `CallIO`."""
        self._settings.sleep(seconds)

    def _new_signal(self) -> Signal:
        # Tests replace `sleep`, and the signal has to use the replacement.
        if self._settings.sleep is not time.sleep:
            return SleepingSignal(self.sleep)
        return ThreadSignal()

    async def get_token(
        self, source: TokenSource, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """See `CallIO`."""
        return source.get_token(base_url, rejected, timeout)

    async def reserve(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], ReservationT],
        *args: *Args,
    ) -> ReservationT:
        """See `CallIO`."""
        return function(*args)

    async def call_rate_limit(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], Result],
        *args: *Args,
    ) -> Result:
        """See `CallIO`."""
        return function(*args)

    async def send(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """See `CallIO`."""
        return send_sync(self._connections.transport(), request, limits)

    async def await_callbacks(self, awaitables: Sequence[Awaitable[object]]) -> None:
        """See `CallIO`."""
        for awaitable in awaitables:
            if isinstance(awaitable, Coroutine):
                awaitable.close()
        raise ConfigurationError(
            "on_response and on_drift of LeadConnector must not be async: only AsyncLeadConnector "
            "awaits them (the request was sent)"
        )


class AsyncIO(_ClientIO[AsyncConnections]):
    """The `CallIO` of an async client. It awaits in the running event loop."""

    async def sleep(self, seconds: float) -> None:
        """See `CallIO`."""
        await self._settings.sleep_async(seconds)

    def _new_signal(self) -> Signal:
        # See `SyncIO`.
        if self._settings.sleep_async is not sleep_in_loop:
            return SleepingSignal(self.sleep)
        return LoopSignal()

    async def get_token(
        self, source: TokenSource, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """See `CallIO`."""
        return await source.get_token_async(base_url, rejected, timeout)

    async def reserve(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], ReservationT],
        *args: *Args,
    ) -> ReservationT:
        """See `CallIO`."""
        if not rate_limit.uses_network:
            return function(*args)
        threaded_reservation = _ThreadedReservation(rate_limit)
        try:
            return await asyncio.to_thread(threaded_reservation.run, partial(function, *args))
        except asyncio.CancelledError:
            # The thread cannot be interrupted. It gives back what it reserves from now on.
            reservation = threaded_reservation.cancel()
            if reservation is not None:
                await asyncio.to_thread(rate_limit.release, reservation)
            raise

    async def call_rate_limit(
        self,
        rate_limit: RateLimiter[ReservationT],
        function: Callable[[*Args], Result],
        *args: *Args,
    ) -> Result:
        """See `CallIO`."""
        if rate_limit.uses_network:
            # The methods of a rate limit are not async. Such a one blocks until Redis responds,
            # so it runs in a worker thread. The event loop serves its other tasks meanwhile.
            return await asyncio.to_thread(function, *args)
        # A rate limit without a network takes microseconds: less than a change of threads.
        return function(*args)

    async def send(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """See `CallIO`."""
        return await send_async(self._connections.transport(), request, limits)

    async def await_callbacks(self, awaitables: Sequence[Awaitable[object]]) -> None:
        """See `CallIO`."""
        # All of them run to their end, also after an error of one: `gather` alone would leave them
        # running after the call.
        results = await asyncio.gather(*awaitables, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result


class _ThreadedReservation(Generic[ReservationT]):
    """A reservation that a thread makes for a call, which may be cancelled meanwhile."""

    def __init__(self, rate_limit: RateLimiter[ReservationT]) -> None:
        self._rate_limit = rate_limit
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._reservation: ReservationT | None = None

    def run(self, function: Callable[[], ReservationT]) -> ReservationT:
        """Reserve, and give the reservation back if the call was cancelled meanwhile."""
        reservation = function()
        with self._lock:
            self._reservation = reservation
            is_cancelled = self._is_cancelled
        if is_cancelled:
            self._rate_limit.release(reservation)
        return reservation

    def cancel(self) -> ReservationT | None:
        """Note that the call was cancelled. Returns the reservation that it has to release."""
        with self._lock:
            self._is_cancelled = True
            return self._reservation
