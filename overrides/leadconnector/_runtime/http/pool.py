"""Connection pools of clients without a custom transport. A request has a connection to itself.

httpcore's pools are not used. They lose connections to requests that are cancelled at the wrong
moment (its issue 1093), and they look at every idle socket for every request. Here a connection
belongs to one request until it is returned or closed. Both happen without waiting, so nothing can
interrupt them.
"""

import asyncio
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import h11
import httpcore
import httpx

from ...errors import ClientClosedError
from .fair_semaphore import FairSemaphore, Permit
from .limits import Limits
from .network import AsyncNetwork, Network, SyncNetwork
from .routes import KEEPALIVE_SECONDS, Route, core_url
from .sending import LimitedAsyncTransport, LimitedTransport

MAXIMUM_CONNECTIONS = 100
"""How many requests a client sends at once: httpx's default. Each of them has a connection."""

# httpcore raises exactly these classes, and no subclasses of them. So `_httpx_error` looks up the
# class of an error, and not its bases.
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

# The errors of a proxy that hangs, ends the connection or sends no HTTP. An API causes the same.
_PROXY_FAILURES = (
    httpcore.ReadTimeout,
    httpcore.WriteTimeout,
    httpcore.ReadError,
    httpcore.WriteError,
    httpcore.RemoteProtocolError,
)

_MAXIMUM_NESTING = 4
"""Connections of httpcore within each other: one for a proxy, one for the API, and one for HTTP."""


HTTPConnectionT = TypeVar(
    "HTTPConnectionT", httpcore.ConnectionInterface, httpcore.AsyncConnectionInterface
)


class _PooledConnection(Generic[HTTPConnectionT]):
    """One connection to the API."""

    http_connection: HTTPConnectionT

    def __init__(self, network: Network) -> None:
        self.network = network
        self.idle_until = 0.0
        """Seconds of `time.monotonic`, while it is idle."""

    @property
    def is_clean(self) -> bool:
        """Whether the last response has ended, and nothing of another one has been received."""
        return self.http_connection.is_idle() and has_read_all(self.http_connection)

    @property
    def is_reusable(self) -> bool:
        """Whether another request can be sent."""
        return self.is_clean and not self.http_connection.has_expired()


class _SyncPooledConnection(_PooledConnection[httpcore.ConnectionInterface]):
    network: SyncNetwork

    def __init__(self, route: Route, origin: httpcore.Origin, permit: Permit) -> None:
        super().__init__(SyncNetwork(has_proxy=route.has_proxy))
        self.http_connection = route.connection(origin, self.network)
        self.permit: Permit | None = permit
        """The permit that it occupies; `None` while it is idle."""


class _AsyncPooledConnection(_PooledConnection[httpcore.AsyncConnectionInterface]):
    network: AsyncNetwork

    def __init__(self, route: Route, origin: httpcore.Origin) -> None:
        super().__init__(AsyncNetwork(has_proxy=route.has_proxy))
        self.http_connection = route.async_connection(origin, self.network)


PooledConnectionT = TypeVar("PooledConnectionT", _SyncPooledConnection, _AsyncPooledConnection)


class _ConnectionSet(Generic[PooledConnectionT]):
    """The connections of a pool. Threads can share it."""

    def __init__(self) -> None:
        # Not a `Lock`: a signal handler can interrupt its own thread in here, and use the client.
        # Of the locks of a call, only this one and that of the permits allow that; see
        # docs/known-limitations.md.
        self._lock = threading.RLock()
        self._idle: deque[PooledConnectionT] = deque()
        # Weak: a connection whose user was interrupted before it could return it disappears.
        self._active: weakref.WeakSet[PooledConnectionT] = weakref.WeakSet()
        self.is_closed = False

    @property
    def active_count(self) -> int:
        """How many connections are in use. Only tests use it."""
        return len(self._active)

    def add(self, connection: PooledConnectionT) -> None:
        """Add a new connection, which is in use.

        Raises:
            ClientClosedError: the pool was closed.
        """
        with self._lock:
            # With the lock: a connection that came later would stay open in the closed pool.
            self.check_open()
            self._active.add(connection)

    def check_open(self) -> None:
        """Check that the pool is open.

        Raises:
            ClientClosedError: it is closed.
        """
        if self.is_closed:
            raise ClientClosedError("this client was closed before the request was sent")

    def take_idle(self) -> PooledConnectionT | None:
        """Get the connection that was used last, if it still works; `None` if there is none.

        The others stay unused, and expire.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
                self._active.add(connection)
            if connection.is_reusable:
                return connection
            self.discard(connection)

    def put_back(self, connection: PooledConnectionT) -> None:
        """Return a connection after its request. It is closed if it cannot be used again."""
        if not connection.is_clean or not self._add_idle(connection):
            self.discard(connection)

    def _add_idle(self, connection: PooledConnectionT) -> bool:
        """Add an idle connection, and close those that have expired.

        Returns:
            Whether the pool was still open.
        """
        now = time.monotonic()
        connection.idle_until = now + KEEPALIVE_SECONDS
        with self._lock:
            if self.is_closed:
                return False
            self._active.discard(connection)
            self._idle.append(connection)
            while self._idle[0].idle_until < now:
                self._idle.popleft().network.close()
        return True

    def discard(self, connection: PooledConnectionT) -> None:
        """Close a connection that is in use."""
        with self._lock:
            self._active.discard(connection)
        connection.network.close()

    def close_idle(self) -> None:
        """Close the idle connections, now and whenever one becomes idle. Make no new ones."""
        with self._lock:
            self.is_closed = True
            for connection in list(self._active):
                connection.network.prevent_connecting()
            while self._idle:
                self._idle.pop().network.close()

    def shut_down_active(self) -> None:
        """End the connections in use. Their users get an error, and close them."""
        # With the lock, as their users cannot close a socket then. Its number could already belong
        # to another file.
        with self._lock:
            for connection in list(self._active):
                connection.network.shut_down()

    def abandon(self) -> None:
        """Close all connections after their users are gone.

        Without the lock: in a forked process, a thread can have it that does not exist there. From
        now on, another lock is used.
        """
        self._lock = threading.RLock()
        self.is_closed = True
        for connection in [*self._idle, *self._active]:
            connection.network.close()
        self._idle.clear()
        self._active.clear()


class SyncPool(LimitedTransport):
    """The default transport of a sync client. Threads can share it.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._permits = FairSemaphore(MAXIMUM_CONNECTIONS)
        self._connections: _ConnectionSet[_SyncPooledConnection] = _ConnectionSet()
        # A pool that nobody closes is closed when it is collected, and has no users then. It is
        # also closed when the interpreter exits: a request of a daemon thread fails then.
        weakref.finalize(self, self._connections.abandon)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        return self.handle_within(request, Limits(timeouts=request.extensions.get("timeout", {})))

    def handle_within(self, request: httpx.Request, limits: Limits) -> httpx.Response:
        """Send a request within limits of time.

        Raises:
            httpx.TransportError: there is no response.
            ClientClosedError: the client was closed before the request was sent.
        """
        connection = self._connection_for(request, limits)
        try:
            connection.network.timer.start_head(limits)
            response = connection.http_connection.handle_request(
                _core_request(request, connection.network)
            )
            # The body has its own time limit, so the timer starts again.
            connection.network.timer.start_body(limits)
            stream = _SyncBody(response, connection, self)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        except _CORE_ERRORS as error:
            self.discard(connection)
            raise _head_error(error, connection.network) from error
        except BaseException:
            self.discard(connection)
            raise

    def put_back(self, connection: _SyncPooledConnection) -> None:
        """Return a connection after its response."""
        try:
            self._connections.put_back(connection)
        finally:
            self._release_permit(connection)

    def discard(self, connection: _SyncPooledConnection) -> None:
        """Close a connection that failed."""
        try:
            self._connections.discard(connection)
        finally:
            self._release_permit(connection)

    def close(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._connections.close_idle()
        self._connections.shut_down_active()

    def abandon(self) -> None:
        """See `LimitedTransport`."""
        self._connections.abandon()

    def _connection_for(self, request: httpx.Request, limits: Limits) -> _SyncPooledConnection:
        try:
            permit = self._permits.acquire(_pool_seconds(limits))
        except TimeoutError as error:
            raise httpx.PoolTimeout(str(error)) from None
        try:
            self._connections.check_open()
            connection = self._connections.take_idle()
            if connection is None:
                connection = _SyncPooledConnection(
                    self._route, core_url(request.url).origin, permit
                )
                self._connections.add(connection)
            connection.permit = permit
        except BaseException:
            self._permits.release(permit)
            raise
        return connection

    def _release_permit(self, connection: _SyncPooledConnection) -> None:
        permit = connection.permit
        # A connection is released once, although `put_back` can follow a failed `discard`.
        connection.permit = None
        if permit is not None:
            self._permits.release(permit)


class AsyncPool(LimitedAsyncTransport):
    """The default transport of an async client, in the running event loop.

    Args:
        route: how connections reach the API.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._loop = asyncio.get_running_loop()
        # It is fair, and a cancelled task loses no permit. `FairSemaphore` would block the loop.
        self._permits = asyncio.Semaphore(MAXIMUM_CONNECTIONS)
        self._connections: _ConnectionSet[_AsyncPooledConnection] = _ConnectionSet()
        # See `SyncPool`.
        weakref.finalize(self, self._connections.abandon)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        limits = Limits(timeouts=request.extensions.get("timeout", {}))
        return await self.handle_within(request, limits)

    async def handle_within(self, request: httpx.Request, limits: Limits) -> httpx.Response:
        """See `SyncPool`."""
        connection = await self._connection_for(request, limits)
        try:
            connection.network.timer.start_head(limits)
            response = await connection.http_connection.handle_async_request(
                _core_request(request, connection.network)
            )
            # The body has its own time limit, so the timer starts again.
            connection.network.timer.start_body(limits)
            stream = _AsyncBody(response, connection, self)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        except _CORE_ERRORS as error:
            self.discard(connection)
            raise _head_error(error, connection.network) from error
        except BaseException:
            # Also if the task is cancelled.
            self.discard(connection)
            raise

    def put_back(self, connection: _AsyncPooledConnection) -> None:
        """Return a connection after its response."""
        self._connections.put_back(connection)
        self._permits.release()

    def discard(self, connection: _AsyncPooledConnection) -> None:
        """Close a connection that failed."""
        self._connections.discard(connection)
        self._permits.release()

    async def aclose(self) -> None:
        """Close all connections. Requests that are being sent fail. A second call does nothing."""
        self._connections.close_idle()
        self._connections.shut_down_active()

    def close(self) -> None:
        """See `LimitedAsyncTransport`."""
        self._connections.close_idle()
        if self._loop.is_closed():
            self._connections.abandon()
            return
        # The requests that are being sent belong to the loop. Only its thread may end them. A loop
        # that is closed meanwhile ends them too: that is the RuntimeError.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._connections.shut_down_active)

    def abandon(self) -> None:
        """See `LimitedAsyncTransport`."""
        self._connections.abandon()

    async def _connection_for(
        self, request: httpx.Request, limits: Limits
    ) -> _AsyncPooledConnection:
        await self._acquire_permit(_pool_seconds(limits))
        try:
            self._connections.check_open()
            connection = self._connections.take_idle()
            if connection is None:
                connection = _AsyncPooledConnection(self._route, core_url(request.url).origin)
                self._connections.add(connection)
        except BaseException:
            self._permits.release()
            raise
        return connection

    async def _acquire_permit(self, seconds: float) -> None:
        if not self._permits.locked():
            # This does not wait, so it needs no timeout.
            await self._permits.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._permits.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None


class _SyncBody(httpx.SyncByteStream):
    """The body of a response. Its end returns the connection."""

    def __init__(
        self, response: httpcore.Response, connection: _SyncPooledConnection, pool: SyncPool
    ) -> None:
        self._stream: Any = response.stream
        self._connection: _SyncPooledConnection | None = connection
        self._pool = pool
        self._is_complete = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except _CORE_ERRORS as error:
            raise _httpx_error(error) from error
        self._is_complete = True

    def close(self) -> None:
        """Return the connection, or close it if the body is not complete."""
        connection = self._connection
        if connection is None:
            return
        # First, so that a second call does not return it twice.
        self._connection = None
        try:
            self._stream.close()
        except BaseException:
            # A signal handler can interrupt httpcore before its connection is ready again.
            self._pool.discard(connection)
            raise
        if self._is_complete:
            self._pool.put_back(connection)
        else:
            self._pool.discard(connection)


class _AsyncBody(httpx.AsyncByteStream):
    """`_SyncBody` for an async client."""

    def __init__(
        self, response: httpcore.Response, connection: _AsyncPooledConnection, pool: AsyncPool
    ) -> None:
        stream: Any = response.stream
        self._stream = stream
        self._chunks: AsyncIterator[bytes] = aiter(stream)
        self._connection: _AsyncPooledConnection | None = connection
        self._pool = pool
        self._is_complete = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        # No variable contains a chunk: a traceback could show it.
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._is_complete = True
            raise
        except _CORE_ERRORS as error:
            raise _httpx_error(error) from error

    async def aclose(self) -> None:
        """Return the connection, or close it if the body is not complete."""
        connection = self._connection
        if connection is None:
            return
        # First, so that a second call does not return it twice.
        self._connection = None
        try:
            await self._stream.aclose()
        except BaseException:
            # Also if the task is cancelled.
            self._pool.discard(connection)
            raise
        if self._is_complete:
            self._pool.put_back(connection)
        else:
            self._pool.discard(connection)


def has_read_all(http_connection: object) -> bool:
    """Whether h11 has no bytes behind the last response.

    The next request would get them as its response. A server can send them together with the last
    response, so no look at the socket shows them.

    httpcore has no public way to its h11 connection. If a new version of httpcore has it elsewhere,
    this returns false: no connection is used twice, which is slow, but correct.
    """
    inner: object = http_connection
    # The connection through a proxy contains another one.
    for _ in range(_MAXIMUM_NESTING):
        http_state = getattr(inner, "_h11_state", None)
        if isinstance(http_state, h11.Connection):
            return http_state.trailing_data == (b"", False)
        inner = getattr(inner, "_connection", None)
    return False


def _pool_seconds(limits: Limits) -> float:
    """Seconds to wait for a permit: the pool timeout, but not beyond the end of the phase."""
    seconds = limits.phase_seconds(limits.clock())
    timeout = limits.timeouts.get("pool")
    if timeout is None:
        return seconds
    return min(timeout, seconds)


class _RequestBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a request through a proxy. httpcore iterates it after it has sent the head.

    So the proxy has opened the connection to the API then. There is no other public sign of it.
    """

    def __init__(self, stream: Any, network: Network) -> None:
        self._stream = stream
        self._network = network

    def __iter__(self) -> Iterator[bytes]:
        self._network.waits_for_proxy = False
        return iter(self._stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._network.waits_for_proxy = False
        return aiter(self._stream)


def _core_request(request: httpx.Request, network: Network) -> httpcore.Request:
    content: Any = request.stream
    if network.waits_for_proxy:
        content = _RequestBody(content, network)
    return httpcore.Request(
        request.method,
        core_url(request.url),
        headers=request.headers.raw,
        content=content,
        extensions=request.extensions,
    )


def _head_error(error: Exception, network: Network) -> httpx.TransportError:
    """The error of httpx for a request without the head of a response."""
    if isinstance(error, httpcore.ProxyError):
        error.args = (_proxy_error_text(str(error)),)
    if not network.waits_for_proxy or not isinstance(error, _PROXY_FAILURES):
        return _httpx_error(error)
    # `failure_of` takes these two classes for requests that were never sent.
    if isinstance(error, httpcore.TimeoutException):
        return httpx.ConnectTimeout("the proxy did not open the connection in time")
    return httpx.ProxyError(f"the proxy did not open the connection: {error}")


def _proxy_error_text(text: str) -> str:
    """The text of a proxy's error without the reason phrase, which can repeat the password."""
    status, _, _ = text.partition(" ")
    if not status.isdecimal():
        # httpcore's own text, for a SOCKS proxy.
        return text
    try:
        return f"{status} {HTTPStatus(int(status)).phrase}"
    except ValueError:
        return status


def _httpx_error(error: Exception) -> httpx.TransportError:
    """The error of httpx that corresponds to one of httpcore.

    The frames of httpcore and h11 contain the request, with the token. `connection_error` clears
    them. Until then they are needed: they show whether a signal handler raised the error.
    """
    return _HTTPX_ERRORS[type(error)](str(error))
