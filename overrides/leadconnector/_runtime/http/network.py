"""Opens the sockets of one connection, and limits the time of all that happens on them.

httpcore speaks HTTP over them. Its own network backends do not fit, for three reasons:

- A blocking connection attempt gets the whole timeout for each address of a host.
- Their timeouts limit single steps, but no whole response.
- asyncio's transports cannot be closed without their event loop. A plain socket can be closed at
  any moment, also when its task is cancelled or its event loop is closed.

A request contains the token. A traceback can show the variables of the functions that write it. So
they keep it only as a `memoryview`, whose repr shows no bytes.
"""

import asyncio
import ipaddress
import math
import select
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import httpcore

from .limits import Limits
from .tls import (
    AwaitingTLSStream,
    BlockingTLSStream,
    end_of_handshake,
    seconds_until,
    step_timeout,
)

STAGGER_SECONDS = 0.25
"""Seconds after which an async client also tries the next address of a host.

The recommended "Connection Attempt Delay" (RFC 8305, section 5).
"""

Address: TypeAlias = tuple[int, int, int, str, Any]
"""One result of `socket.getaddrinfo`."""


class PhaseTimer:
    """When the current phase of a request ends: its head, with connecting, or its body."""

    __slots__ = ("ends_at",)

    def __init__(self) -> None:
        self.ends_at = math.inf
        """Seconds of `time.monotonic`."""

    def start(self, limits: Limits) -> None:
        """Start a phase."""
        self.ends_at = time.monotonic() + limits.phase_seconds(limits.clock())

    def seconds(self, timeout: float | None) -> float | None:
        """Seconds that a step may take now; `None` for no limit.

        Raises:
            TimeoutError: the phase has ended.
        """
        seconds = step_timeout(timeout, self.ends_at)
        # A socket does not wait at all with a timeout of 0: that is another error.
        if seconds is not None and seconds <= 0.0:
            raise TimeoutError("timed out")
        return seconds


class Network:
    """What the networks of both clients have in common: their socket.

    Args:
        has_proxy: whether the connection leads through a proxy.
    """

    def __init__(self, *, has_proxy: bool) -> None:
        self.timer = PhaseTimer()
        self.connect_ends_at = math.inf
        self._has_proxy = has_proxy
        self._socket: socket.socket | None = None
        self._is_shut_down = False

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

    def end_of_tls_handshake(self, timeout: float | None) -> float:
        """When the TLS handshake must end, in seconds of `time.monotonic`.

        To connect has one timeout, with the handshake. Through a proxy the handshake has its own,
        because the proxy's response comes between and has the read timeout.
        """
        ends_at = self.connect_ends_at
        if self._has_proxy:
            ends_at = end_of_handshake(timeout)
        return min(ends_at, self.timer.ends_at)


class BlockingNetwork(Network, httpcore.NetworkBackend):
    """The network of a sync client's connection."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of a host's addresses, one after the other.

        Args:
            host: the name or the address.
            port: the port.
            timeout: seconds for all addresses together. Looking up the host counts, but it cannot
                be interrupted.
            local_address: not used.
            socket_options: not used.

        Raises:
            httpcore.ConnectTimeout: no address responds in time.
            httpcore.ConnectError: no address can be connected to.
        """
        try:
            self.connect_ends_at = end_of_handshake(self.timer.seconds(timeout))
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._check_not_shut_down()
            sock = self._connect_to_any(addresses)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return BlockingStream(sock, self)

    def _connect_to_any(self, addresses: Sequence[Address]) -> socket.socket:
        """Connect to the first address that responds.

        Raises:
            OSError: the error of the last address.
        """
        last_error = OSError("the host has no address")
        for position, address in enumerate(addresses):
            remaining = seconds_until(self.connect_ends_at)
            try:
                seconds = share_of_time(remaining, len(addresses) - position)
                return self._connect(address, seconds)
            except OSError as error:
                last_error = error
        raise last_error

    def _connect(self, address: Address, seconds: float | None) -> socket.socket:
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
        return sock


class BlockingStream(httpcore.NetworkStream):
    """The socket of a sync client's connection."""

    def __init__(self, sock: socket.socket, network: BlockingNetwork) -> None:
        self._socket = sock
        self._network = network
        self._timer = network.timer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.NetworkStream`."""
        try:
            self._socket.settimeout(self._timer.seconds(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.NetworkStream`."""
        remaining = memoryview(buffer)
        del buffer
        try:
            while remaining:
                self._socket.settimeout(self._timer.seconds(timeout))
                count = self._socket.send(remaining)
                remaining = remaining[count:]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """See `httpcore.NetworkStream`."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """See `httpcore.NetworkStream`."""
        stream = BlockingTLSStream(self, ssl_context, server_hostname)
        try:
            stream.handshake(self._network.end_of_tls_handshake(timeout))
        except BaseException:
            self._socket.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.NetworkStream`."""
        return socket_info(self._socket, info)


class AwaitingNetwork(Network, httpcore.AsyncNetworkBackend):
    """The network of an async client's connection."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of a host's addresses that responds.

        Args:
            host: the name or the address.
            port: the port.
            timeout: seconds for all addresses together, and for looking up the host.
            local_address: not used.
            socket_options: not used.

        Raises:
            httpcore.ConnectTimeout: no address responds in time.
            httpcore.ConnectError: no address can be connected to.
        """
        try:
            seconds = self.timer.seconds(timeout)
            self.connect_ends_at = end_of_handshake(seconds)
            async with asyncio.timeout(seconds):
                addresses = await find_addresses(host, port)
                self._check_not_shut_down()
                sock = await connect_to_fastest(addresses)
            self._adopt(sock)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return AwaitingStream(sock, self)

    def _adopt(self, sock: socket.socket) -> None:
        """Use a socket that has connected, unless the client was closed meanwhile.

        Raises:
            OSError: the client was closed.
        """
        self._socket = sock
        try:
            self._check_not_shut_down()
        except OSError:
            sock.close()
            raise

    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts to connect."""
        await asyncio.sleep(seconds)


class AwaitingStream(httpcore.AsyncNetworkStream):
    """The socket of an async client's connection."""

    def __init__(self, sock: socket.socket, network: AwaitingNetwork) -> None:
        self._socket = sock
        self._network = network
        self._timer = network.timer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.AsyncNetworkStream`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timer.seconds(timeout)):
                return await loop.sock_recv(self._socket, max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        if not buffer:
            return
        data = memoryview(buffer)
        del buffer
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timer.seconds(timeout)):
                await loop.sock_sendall(self._socket, data)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        self._socket.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `httpcore.AsyncNetworkStream`."""
        stream = AwaitingTLSStream(self, ssl_context, server_hostname)
        try:
            await stream.handshake(self._network.end_of_tls_handshake(timeout))
        except BaseException:
            self._socket.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.AsyncNetworkStream`."""
        return socket_info(self._socket, info)


def share_of_time(seconds: float | None, addresses: int) -> float | None:
    """Seconds for an attempt to connect to the next of some addresses; `None` for no limit.

    Each address gets the same share of the time that remains. So an unresponsive address leaves
    time for the next one.

    Raises:
        TimeoutError: no time remains.
    """
    if seconds is None:
        return None
    if seconds <= 0.0:
        raise TimeoutError("timed out")
    return seconds / addresses


async def find_addresses(host: str, port: int) -> Sequence[Address]:
    """Look up the addresses of a host, in a thread."""
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def connect_to_fastest(addresses: Sequence[Address]) -> socket.socket:
    """Connect to the first address that responds ("Happy Eyeballs", RFC 8305).

    asyncio's own version of it is not used: uvloop has none.

    Raises:
        OSError: the error of the last attempt.
    """
    if len(addresses) == 1:
        return await _connect_awaiting(addresses[0])
    attempts: list[asyncio.Task[socket.socket]] = []
    winner: asyncio.Task[socket.socket] | None = None
    try:
        winner = await _first_success(addresses, attempts)
        return winner.result()
    finally:
        await _abandon([attempt for attempt in attempts if attempt is not winner])


async def _first_success(
    addresses: Sequence[Address], attempts: list[asyncio.Task[socket.socket]]
) -> asyncio.Task[socket.socket]:
    """Start the attempts, and wait for the first one that succeeds.

    Args:
        addresses: the addresses, at least one.
        attempts: all started attempts are added to it.

    Raises:
        OSError: the error of the last attempt.
    """
    last_error: BaseException = OSError("the host has no address")
    remaining_addresses = list(addresses)
    running_attempts: set[asyncio.Task[socket.socket]] = set()
    while remaining_addresses or running_attempts:
        pause = None
        if remaining_addresses:
            attempt = asyncio.create_task(_connect_awaiting(remaining_addresses.pop(0)))
            attempts.append(attempt)
            running_attempts.add(attempt)
            pause = STAGGER_SECONDS if remaining_addresses else None
        finished_attempts, running_attempts = await asyncio.wait(
            running_attempts, timeout=pause, return_when=asyncio.FIRST_COMPLETED
        )
        for attempt in finished_attempts:
            error = attempt.exception()
            if error is None:
                return attempt
            last_error = error
    raise last_error


async def _abandon(attempts: Sequence[asyncio.Task[socket.socket]]) -> None:
    """End attempts that are not needed, and close what they have opened."""
    for attempt in attempts:
        attempt.add_done_callback(_close_socket_of)
        attempt.cancel()
    running_attempts = [attempt for attempt in attempts if not attempt.done()]
    if running_attempts:
        await asyncio.wait(running_attempts)


def _close_socket_of(attempt: asyncio.Task[socket.socket]) -> None:
    if attempt.cancelled() or attempt.exception() is not None:
        return
    attempt.result().close()


async def _connect_awaiting(address: Address) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = new_socket(address)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address[4])
    except BaseException:
        # Also if it is cancelled.
        sock.close()
        raise
    return sock


def new_socket(address: Address) -> socket.socket:
    """A socket for an address, which sends small writes at once."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    try:
        # A request is two writes: without this, the second one waits for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def socket_info(sock: socket.socket, info: str) -> Any:
    """What httpcore wants to know about a socket; `None` if it is unknown."""
    if info == "is_readable":
        return is_readable(sock)
    if info == "socket":
        return sock
    return None


def is_readable(sock: socket.socket) -> bool:
    """Whether there is something to read. On an idle connection, that is its end."""
    if sock.fileno() < 0:
        return True
    # Windows has no poll.
    if not hasattr(select, "poll"):
        readable, _, _ = select.select([sock], [], [], 0)
        return bool(readable)
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))
