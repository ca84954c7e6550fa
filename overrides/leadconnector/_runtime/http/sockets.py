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
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress

import httpx

from .. import lazy_asyncio as asyncio
from ..coroutines import other_tasks
from .addresses import Address, connect_to_fastest, find_addresses, new_socket, share_of_time
from .failures import ConnectTimeout, is_interruption
from .timer import PhaseTimer

READ_BYTES = 65_536
"""Bytes that a thread reads at once: 64 KiB, four full TLS records (RFC 8446, section 5.2)."""

READ_BYTES_IN_LOOP = 16_384
"""Bytes that an async client reads at once: 16 KiB, one full TLS record (RFC 8446, section 5.1).

h11 needs about 20 ms for so many bytes of the smallest chunks or interim responses. Other tasks
can run after each read.
"""


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


class ThreadSocket(Socket):
    """The socket of a sync client's connection."""

    async def _connect(self, host: str, port: int) -> None:
        # This cannot be interrupted.
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self._check_not_shut_down()
        self._connect_to_any(addresses)

    def _connect_to_any(self, addresses: Sequence[Address]) -> None:
        """Connect to the first address that responds, one after the other.

        Raises:
            OSError: the error of the last attempt.
            TimeoutError: no time remains for an attempt.
        """
        last_error: OSError | None = None
        for position, address in enumerate(addresses):
            try:
                remaining = self._seconds_to_connect()
            except TimeoutError as error:
                # The error of an address says more than that the time is up.
                raise last_error or error from None
            try:
                is_first = position == 0
                seconds = share_of_time(remaining, len(addresses) - position, is_first=is_first)
                return self._connect_to(address, seconds)
            except OSError as error:
                if is_interruption(error):
                    raise
                last_error = error
        raise last_error or OSError("the host has no address")

    def _connect_to(self, address: Address, seconds: float | None) -> None:
        sock = new_socket(address)
        # Before it connects, so that `shut_down` ends the attempt.
        self._socket = sock
        try:
            sock.settimeout(seconds)
            self._check_not_shut_down()
            sock.connect(address[4])
            # A shutdown has no effect on a socket that is not connecting yet.
            self._check_not_shut_down()
        except BaseException:
            # Also for a signal handler that raises.
            sock.close()
            raise

    async def sleep(self, seconds: float) -> None:
        """See `Socket`."""
        time.sleep(seconds)

    async def read(self, timeout: float | None) -> bytes:
        """See `Stream`."""
        self.timer.check_bytes_left()
        try:
            sock = self._connected_socket()
            sock.settimeout(self.timer.seconds(timeout))
            return self.timer.counted(sock.recv(READ_BYTES))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, data: memoryview, timeout: float | None) -> None:
        """See `Stream`."""
        try:
            sock = self._connected_socket()
            while data:
                sock.settimeout(self.timer.seconds(timeout))
                count = sock.send(data)
                data = data[count:]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error


class LoopSocket(Socket):
    """The socket of an async client's connection."""

    async def _connect(self, host: str, port: int) -> None:
        async with asyncio.timeout(self._seconds_to_connect()):
            addresses = await find_addresses(host, port)
            self._check_not_shut_down()
            self._socket = await connect_to_fastest(addresses)
        try:
            # The client can have been closed meanwhile.
            self._check_not_shut_down()
        except OSError:
            self.close()
            raise

    async def sleep(self, seconds: float) -> None:
        """See `Socket`."""
        await asyncio.sleep(seconds)

    async def read(self, timeout: float | None) -> bytes:
        """See `Stream`."""
        self.timer.check_bytes_left()
        loop = asyncio.get_running_loop()
        try:
            sock = self._connected_socket()
            async with asyncio.timeout(self.timer.seconds(timeout)):
                # `sock_recv` does not wait if bytes are there. A server that responds or sends
                # without a pause would stop the event loop, its timers and cancellation.
                await other_tasks()
                return self.timer.counted(await loop.sock_recv(sock, READ_BYTES_IN_LOOP))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, data: memoryview, timeout: float | None) -> None:
        """See `Stream`."""
        try:
            sock = self._connected_socket()
            remaining = data[_send_now(sock, data) :]
            if not remaining:
                return
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(self.timer.seconds(timeout)):
                await loop.sock_sendall(sock, remaining)
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error


def _send_now(sock: socket.socket, data: memoryview) -> int:
    """Send what the system accepts at once. Returns the number of bytes.

    Most requests are sent in this way, without the cost of `asyncio.timeout`.
    """
    try:
        return sock.send(data)
    except (BlockingIOError, InterruptedError):
        return 0


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
