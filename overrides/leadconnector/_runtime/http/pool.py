"""Connection pools of clients without a custom transport. A request has a connection to itself.

A connection belongs to one request until it is returned or closed. Both happen without waiting, so
nothing can interrupt them.
"""

import threading
import time
import weakref
from collections import deque
from typing import Protocol, TypeVar

import httpx

from ...errors import ClientClosedError
from ..log import logger
from .connection import Connection
from .failures import is_caused_by_interruption
from .limits import Limits
from .outgoing import OutgoingRequest
from .received import RawResponse
from .routes import Route
from .sockets import Socket

MAXIMUM_CONNECTIONS = 100
"""How many requests a client sends at once: httpx's default. Each of them has a connection."""

PermitT = TypeVar("PermitT")


class _ConnectionSet:
    """The connections of a pool. Threads can share it."""

    def __init__(self) -> None:
        # Not a `Lock`: a signal handler can interrupt its own thread in here, and use the client.
        # Of the locks of a call, only this one and that of the permits allow that; see
        # docs/known-limitations.md.
        self._lock = threading.RLock()
        self._idle: deque[Connection] = deque()
        # Weak: a connection whose user was interrupted before it could return it disappears.
        self._active: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.is_closed = False

    @property
    def active_count(self) -> int:
        """How many connections are in use. Only tests use it."""
        return len(self._active)

    def add(self, connection: Connection) -> None:
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

    def take_idle(self) -> Connection | None:
        """Get the connection that was used last, if it still works; `None` if there is none.

        The others stay unused, and expire.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
                self._active.add(connection)
            if connection.is_reusable():
                logger.debug("uses a connection again", extra={"event": "connection_reused"})
                return connection
            self.discard(connection)

    def put_back(self, connection: Connection) -> None:
        """Return a connection after its request. It is closed if it cannot be used again."""
        if not connection.is_idle or not self._add_idle(connection):
            self.discard(connection)

    def _add_idle(self, connection: Connection) -> bool:
        """Add an idle connection, and close those that have expired.

        Returns:
            Whether the pool was still open.
        """
        with self._lock:
            if self.is_closed:
                return False
            self._active.discard(connection)
            self._idle.append(connection)
            now = time.monotonic()
            # It can be empty: a process that was stopped meanwhile has nothing but expired ones.
            while self._idle and self._idle[0].idle_until < now:
                self._idle.popleft().socket.close()
        return True

    def discard(self, connection: Connection) -> None:
        """Close a connection that is in use."""
        with self._lock:
            self._active.discard(connection)
        connection.socket.close()
        logger.debug("closed a connection", extra={"event": "connection_closed"})

    def close_idle(self) -> None:
        """Close the idle connections, now and whenever one becomes idle. Make no new ones."""
        with self._lock:
            self.is_closed = True
            for connection in list(self._active):
                connection.socket.prevent_connecting()
            while self._idle:
                self._idle.pop().socket.close()

    def shut_down_active(self) -> None:
        """End the connections in use. Their users get an error, and close them."""
        # With the lock, as their users cannot close a socket then. Its number could already belong
        # to another file.
        with self._lock:
            for connection in list(self._active):
                connection.socket.shut_down()

    def abandon(self) -> None:
        """Close all connections after their users are gone.

        Without the lock: in a forked process, a thread can have it that does not exist there. From
        now on, another lock is used.
        """
        self._lock = threading.RLock()
        self.is_closed = True
        for connection in [*self._idle, *self._active]:
            connection.socket.close()
        self._idle.clear()
        self._active.clear()


class Permits(Protocol[PermitT]):
    """Bounds the number of requests that are sent at once, in the order in which they come."""

    async def acquire(self, seconds: float) -> PermitT:
        """Wait for a permit, at most for some seconds.

        Raises:
            TimeoutError: none became free in time.
        """
        ...

    def release(self, permit: PermitT) -> None:
        """Free a permit."""
        ...


class Pool:
    """What both pools have in common."""

    def __init__(self, route: Route, new_socket: type[Socket]) -> None:
        self._route = route
        self._new_socket = new_socket
        self._connections = _ConnectionSet()
        # A pool that nobody closes is closed when it is collected, and has no users then. It is
        # also closed when the interpreter exits: a request of a daemon thread fails then.
        weakref.finalize(self, self._connections.abandon)

    def abandon(self) -> None:
        """Close all sockets after their users are gone; see `DirectTransport`."""
        self._connections.abandon()

    async def _exchange(
        self, permits: Permits[PermitT], request: OutgoingRequest, limits: Limits
    ) -> RawResponse:
        """Send a request on a connection, as soon as there is one.

        Raises:
            httpx.TransportError: there is no response.
            ClientClosedError: the client was closed before the request was sent.
        """
        try:
            permit = await permits.acquire(_pool_seconds(limits))
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None
        try:
            return await self._send(request, limits)
        finally:
            permits.release(permit)

    async def _send(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        self._connections.check_open()
        connection = self._connections.take_idle()
        if connection is not None:
            try:
                return await self._send_on(connection, request, limits)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                if not self._may_send_again(connection, request):
                    raise
                if is_caused_by_interruption(error):
                    raise
                logger.debug(
                    "the server had closed the connection: sends the request once more",
                    extra={"event": "request_resent"},
                )
        # No other idle connection: the server may have ended all of them.
        connection = Connection(self._route, self._new_socket())
        self._connections.add(connection)
        return await self._send_on(connection, request, limits)

    def _may_send_again(self, connection: Connection, request: OutgoingRequest) -> bool:
        """Whether a request that failed is sent on a new connection."""
        # Closing the client ends its connections too. They look stale then.
        is_open = not self._connections.is_closed
        return is_open and connection.was_stale and request.is_idempotent

    async def _send_on(
        self, connection: Connection, request: OutgoingRequest, limits: Limits
    ) -> RawResponse:
        try:
            response = await connection.exchange(request, limits)
        except BaseException:
            # Also if the task is cancelled, or if a signal handler raises.
            self._connections.discard(connection)
            raise
        self._connections.put_back(connection)
        return response


def _pool_seconds(limits: Limits) -> float:
    """Seconds to wait for a permit: the pool timeout, but not beyond the end of the phase."""
    seconds = limits.phase_seconds(limits.clock())
    timeout = limits.timeouts.get("pool")
    if timeout is None:
        return seconds
    return min(timeout, seconds)
