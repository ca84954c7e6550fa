"""The connections of a client that was given no transport: each request gets one for itself.

httpcore's pools are not used. They lose places to requests that are cancelled at the wrong moment
(its issue 1093), and they look at every idle socket for every request. Here a connection belongs to
one request until it is returned or closed. Both happen without waiting, so nothing can interrupt
them.
"""

import asyncio
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

import httpcore
import httpx

from ...errors import ClientClosedError
from .limits import Limits
from .network import AwaitingNetwork, BlockingNetwork, Network
from .places import Place, Places
from .routes import KEEPALIVE_SECONDS, Route, core_url
from .sending import LimitedAsyncTransport, LimitedTransport

MAXIMUM_CONNECTIONS = 100
"""How many requests a client sends at once: httpx's default. Each of them has a connection."""

# httpcore raises exactly these classes.
_HTTPX_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}
_CORE_ERRORS = tuple(_HTTPX_ERRORS)


class _Line:
    """One connection to the API."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.idle_until = 0.0
        """Seconds of `time.monotonic`, while it is idle."""


class _BlockingLine(_Line):
    network: BlockingNetwork

    def __init__(self, route: Route, origin: httpcore.Origin, place: Place) -> None:
        super().__init__(BlockingNetwork(has_proxy=route.has_proxy))
        self.connection = route.connection(origin, self.network)
        self.place: Place | None = place
        """The place that it occupies; `None` while it is idle."""

    @property
    def is_reusable(self) -> bool:
        """Whether another request can be sent."""
        return self.connection.is_idle() and not self.connection.has_expired()


class _AwaitingLine(_Line):
    network: AwaitingNetwork

    def __init__(self, route: Route, origin: httpcore.Origin) -> None:
        super().__init__(AwaitingNetwork(has_proxy=route.has_proxy))
        self.connection = route.async_connection(origin, self.network)

    @property
    def is_reusable(self) -> bool:
        """Whether another request can be sent."""
        return self.connection.is_idle() and not self.connection.has_expired()


LineT = TypeVar("LineT", _BlockingLine, _AwaitingLine)


class _Lines(Generic[LineT]):
    """The connections of a pool. Threads can share it."""

    def __init__(self) -> None:
        # A signal handler can use the client while its own thread is in here.
        self._lock = threading.RLock()
        self._idle: deque[LineT] = deque()
        # Weak: a connection whose user was interrupted before it could return it disappears.
        self._active: weakref.WeakSet[LineT] = weakref.WeakSet()
        self.is_closed = False

    @property
    def active_count(self) -> int:
        """How many connections are in use."""
        return len(self._active)

    def add(self, line: LineT) -> None:
        """Add a new connection, which is in use.

        Raises:
            ClientClosedError: the pool was closed.
        """
        with self._lock:
            # With the lock: a connection that came later would stay open in the closed pool.
            self.check_open()
            self._active.add(line)

    def check_open(self) -> None:
        """Check that the pool is open.

        Raises:
            ClientClosedError: it is closed.
        """
        if self.is_closed:
            raise ClientClosedError("this client was closed before the request was sent")

    def take_idle(self) -> LineT | None:
        """Get the connection that was used last, if it still works; `None` if there is none.

        The others stay unused, and expire.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                line = self._idle.pop()
                self._active.add(line)
            if line.is_reusable:
                return line
            self.discard(line)

    def put_back(self, line: LineT) -> None:
        """Return a connection after its request. It is closed if it cannot be used again."""
        if not line.connection.is_idle() or not self._add_idle(line):
            self.discard(line)

    def _add_idle(self, line: LineT) -> bool:
        """Add an idle connection, and close those that have expired.

        Returns:
            Whether the pool was still open.
        """
        now = time.monotonic()
        line.idle_until = now + KEEPALIVE_SECONDS
        with self._lock:
            if self.is_closed:
                return False
            self._active.discard(line)
            self._idle.append(line)
            while self._idle[0].idle_until < now:
                self._idle.popleft().network.close()
        return True

    def discard(self, line: LineT) -> None:
        """Close a connection that is in use."""
        with self._lock:
            self._active.discard(line)
        line.network.close()

    def close_idle(self) -> None:
        """Close the idle connections, now and whenever one becomes idle. Make no new ones."""
        with self._lock:
            self.is_closed = True
            for line in list(self._active):
                line.network.prevent_connecting()
            while self._idle:
                self._idle.pop().network.close()

    def shut_down_active(self) -> None:
        """End the connections in use. Their users get an error, and close them."""
        # With the lock, as their users cannot close a socket then. Its number could already belong
        # to another file.
        with self._lock:
            for line in list(self._active):
                line.network.shut_down()

    def abandon(self) -> None:
        """Close all connections after their users are gone.

        Without the lock: in a forked process, a thread can have it that does not exist there. From
        now on, another lock is used.
        """
        self._lock = threading.RLock()
        self.is_closed = True
        for line in [*self._idle, *self._active]:
            line.network.close()
        self._idle.clear()
        self._active.clear()


class BlockingPool(LimitedTransport):
    """The default transport of a sync client. Threads can share it.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._places = Places(MAXIMUM_CONNECTIONS)
        self._lines: _Lines[_BlockingLine] = _Lines()
        # A pool that nobody closes is closed when it is collected. It has no users then.
        weakref.finalize(self, self._lines.abandon)

    @property
    def places_in_use(self) -> int:
        """How many requests are being sent, and responses being read."""
        return self._places.in_use

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        return self.handle_within(request, Limits(timeouts=request.extensions.get("timeout", {})))

    def handle_within(self, request: httpx.Request, limits: Limits) -> httpx.Response:
        """Send a request within limits of time.

        Raises:
            httpx.TransportError: there is no response.
            ClientClosedError: the client was closed before the request was sent.
        """
        line = self._line_for(request, limits)
        try:
            line.network.timer.start(limits)
            response = line.connection.handle_request(_core_request(request))
            # Now the body starts.
            line.network.timer.start(limits)
            stream = _BlockingBody(response, line, self)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        except _CORE_ERRORS as error:
            self.discard(line)
            raise _httpx_error(error) from error
        except BaseException:
            self.discard(line)
            raise

    def put_back(self, line: _BlockingLine) -> None:
        """Return a connection after its response."""
        try:
            self._lines.put_back(line)
        finally:
            self._release_place(line)

    def discard(self, line: _BlockingLine) -> None:
        """Close a connection that failed."""
        try:
            self._lines.discard(line)
        finally:
            self._release_place(line)

    def close(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._lines.close_idle()
        self._lines.shut_down_active()

    def abandon(self) -> None:
        """See `LimitedTransport`."""
        self._lines.abandon()

    def _line_for(self, request: httpx.Request, limits: Limits) -> _BlockingLine:
        try:
            place = self._places.acquire(_pool_seconds(limits))
        except TimeoutError as error:
            raise httpx.PoolTimeout(str(error)) from None
        try:
            self._lines.check_open()
            line = self._lines.take_idle()
            if line is None:
                line = _BlockingLine(self._route, core_url(request.url).origin, place)
                self._lines.add(line)
            line.place = place
        except BaseException:
            self._places.release(place)
            raise
        return line

    def _release_place(self, line: _BlockingLine) -> None:
        place = line.place
        line.place = None
        if place is not None:
            self._places.release(place)


class AwaitingPool(LimitedAsyncTransport):
    """The default transport of an async client, in the running event loop.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._loop = asyncio.get_running_loop()
        # It is fair, and a cancelled task loses no place.
        self._places = asyncio.Semaphore(MAXIMUM_CONNECTIONS)
        self._lines: _Lines[_AwaitingLine] = _Lines()
        # As for `BlockingPool`.
        weakref.finalize(self, self._lines.abandon)

    @property
    def places_in_use(self) -> int:
        """How many requests are being sent, and responses being read."""
        return self._lines.active_count

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        limits = Limits(timeouts=request.extensions.get("timeout", {}))
        return await self.handle_within(request, limits)

    async def handle_within(self, request: httpx.Request, limits: Limits) -> httpx.Response:
        """See `BlockingPool`."""
        line = await self._line_for(request, limits)
        try:
            line.network.timer.start(limits)
            response = await line.connection.handle_async_request(_core_request(request))
            # Now the body starts.
            line.network.timer.start(limits)
            stream = _AwaitingBody(response, line, self)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        except _CORE_ERRORS as error:
            self.discard(line)
            raise _httpx_error(error) from error
        except BaseException:
            # Also if the task is cancelled.
            self.discard(line)
            raise

    def put_back(self, line: _AwaitingLine) -> None:
        """Return a connection after its response."""
        self._lines.put_back(line)
        self._places.release()

    def discard(self, line: _AwaitingLine) -> None:
        """Close a connection that failed."""
        self._lines.discard(line)
        self._places.release()

    async def aclose(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._lines.close_idle()
        self._lines.shut_down_active()

    def close(self) -> None:
        """See `LimitedAsyncTransport`."""
        self._lines.close_idle()
        if self._loop.is_closed():
            self._lines.abandon()
            return
        # The requests that are being sent belong to the loop. Only its thread may end them. A loop
        # that is closed meanwhile ends them too: that is the RuntimeError.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.shut_down_active)

    def abandon(self) -> None:
        """See `LimitedAsyncTransport`."""
        self._lines.abandon()

    async def _line_for(self, request: httpx.Request, limits: Limits) -> _AwaitingLine:
        await self._acquire_place(_pool_seconds(limits))
        try:
            self._lines.check_open()
            line = self._lines.take_idle()
            if line is None:
                line = _AwaitingLine(self._route, core_url(request.url).origin)
                self._lines.add(line)
        except BaseException:
            self._places.release()
            raise
        return line

    async def _acquire_place(self, seconds: float) -> None:
        if not self._places.locked():
            # This does not wait, so it needs no timeout.
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None


class _BlockingBody(httpx.SyncByteStream):
    """The body of a response. Its end returns the connection."""

    def __init__(
        self, response: httpcore.Response, line: _BlockingLine, pool: BlockingPool
    ) -> None:
        self._stream: Any = response.stream
        self._line: _BlockingLine | None = line
        self._pool = pool

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except _CORE_ERRORS as error:
            raise _httpx_error(error) from error

    def close(self) -> None:
        """Return the connection, or close it if the body is not complete."""
        line = self._line
        if line is None:
            return
        try:
            self._stream.close()
        finally:
            self._line = None
            self._pool.put_back(line)


class _AwaitingBody(httpx.AsyncByteStream):
    """`_BlockingBody` for an async client."""

    def __init__(
        self, response: httpcore.Response, line: _AwaitingLine, pool: AwaitingPool
    ) -> None:
        stream: Any = response.stream
        self._stream = stream
        self._chunks: AsyncIterator[bytes] = aiter(stream)
        self._line: _AwaitingLine | None = line
        self._pool = pool

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        # No variable contains a chunk: a traceback could show it.
        try:
            return await anext(self._chunks)
        except _CORE_ERRORS as error:
            raise _httpx_error(error) from error

    async def aclose(self) -> None:
        """Return the connection, or close it if the body is not complete."""
        line = self._line
        if line is None:
            return
        # First, so that a second call does not return it twice.
        self._line = None
        try:
            await self._stream.aclose()
        finally:
            # Also if the task is cancelled.
            self._pool.put_back(line)


def _pool_seconds(limits: Limits) -> float:
    """Seconds to wait for a place."""
    seconds = limits.phase_seconds(limits.clock())
    timeout = limits.timeouts.get("pool")
    if timeout is None:
        return seconds
    return min(timeout, seconds)


def _core_request(request: httpx.Request) -> httpcore.Request:
    return httpcore.Request(
        request.method,
        core_url(request.url),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _httpx_error(error: Exception) -> httpx.TransportError:
    """The error of httpx that corresponds to one of httpcore.

    The frames of httpcore and h11 contain the request, with the token. `connection_error` clears
    them. Until then they are needed: they show whether a signal handler raised the error.
    """
    return _HTTPX_ERRORS[type(error)](str(error))
