"""The socket of one connection, with a limit on the time and size of all that happens on it.

Both kinds have the same coroutines, so that one connection serves both clients. Those of a thread's
socket block, and never suspend. It is a plain socket also in an event loop: asyncio's transports
cannot be closed without their event loop. A socket can be closed at any moment, also when its task
is cancelled or its event loop is closed.

A request contains the token. A traceback can show the variables of the functions that write it. So
they have it only as a `memoryview`, whose repr shows no bytes.
"""

import math
import select
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, TypeAlias

import httpx

from .failures import ConnectTimeout
from .timer import PhaseTimer

READ_BYTES = 65_536
"""Bytes that a thread reads at once: 64 KiB, four full TLS records (RFC 8446, section 5.2)."""

Address: TypeAlias = tuple[int, int, int, str, Any]
"""One result of `socket.getaddrinfo`."""


class Stream(ABC):
    """What carries the bytes of a connection: a socket, or TLS over another stream."""

    @abstractmethod
    async def read(self, timeout: float | None) -> bytes:
        """Wait for bytes; none at the end of the connection.

        Args:
            timeout: seconds; `None` for no limit but that of the phase.

        Raises:
            httpx.ReadTimeout: no bytes come in time.
            httpx.ReadError: the connection failed.
            httpx.RemoteProtocolError: the server has sent too much in this phase.
        """

    @abstractmethod
    async def write(self, data: memoryview, timeout: float | None) -> None:
        """Send bytes.

        Args:
            data: the bytes.
            timeout: seconds for each step; `None` for no limit but that of the phase.

        Raises:
            httpx.WriteTimeout: the server does not receive them in time.
            httpx.WriteError: the connection failed.
        """

    @abstractmethod
    def is_readable(self) -> bool:
        """Whether a read would return at once.

        An idle connection is readable if the server has ended it. It may be used only for an idle
        connection, which is closed if this returns true.
        """


class Socket(Stream):
    """The socket of one connection. It connects once."""

    def __init__(self) -> None:
        self.timer = PhaseTimer()
        self.connect_ends_at = math.inf
        """When connecting must end, with the TLS handshake, in seconds of the client's clock."""
        self._socket: socket.socket | None = None
        self._is_shut_down = False

    async def connect(self, host: str, port: int, timeout: float | None) -> None:
        """Connect to one of a host's addresses.

        Args:
            host: the name or the address.
            port: the port.
            timeout: seconds for all addresses together, with looking up the host.

        Raises:
            httpx.ConnectTimeout: no address responds in time.
            httpx.ConnectError: no address can be connected to.
        """
        try:
            self.connect_ends_at = self.timer.end_after(timeout)
            await self._connect(host, port)
        except TimeoutError as error:
            raise ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    @abstractmethod
    async def _connect(self, host: str, port: int) -> None:
        """Connect before `connect_ends_at`."""

    def _seconds_to_connect(self) -> float | None:
        """Seconds until connecting must end; `None` for no limit.

        Raises:
            TimeoutError: it has ended.
        """
        return self.timer.seconds(None, self.connect_ends_at)

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts to connect."""

    def is_readable(self) -> bool:
        """See `Stream`."""
        return self._socket is None or is_readable(self._socket)

    def close(self) -> None:
        """Close the socket. Only the thread or the task that uses the connection may do that."""
        if self._socket is not None:
            self._socket.close()

    def prevent_connecting(self) -> None:
        """Have an attempt to connect fail that has not ended yet. Any thread can use it."""
        self._is_shut_down = True

    def shut_down(self) -> None:
        """End the connection under its user, in any thread. The user gets an error."""
        # First: a user who misses it has stored its socket before.
        self.prevent_connecting()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _check_not_shut_down(self) -> None:
        """Check that the client was not closed while a request waited for its connection.

        Raises:
            OSError: it was. The request has not been sent.
        """
        if self._is_shut_down:
            raise OSError("the client was closed before the request was sent")

    def _connected_socket(self) -> socket.socket:
        if self._socket is None:
            raise OSError("the connection is not open")
        return self._socket


def new_socket(address: Address) -> socket.socket:
    """A socket for an address, which sends small writes at once."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    try:
        # A large request is several writes: without this, one can wait for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def is_readable(sock: socket.socket) -> bool:
    """Whether a read of a socket would return at once."""
    # The socket is closed.
    if sock.fileno() < 0:
        return True
    # Windows has no poll.
    if not hasattr(select, "poll"):
        readable, _, _ = select.select([sock], [], [], 0)
        return bool(readable)
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))
