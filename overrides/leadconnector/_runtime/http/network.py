"""Opens the sockets of one connection, and limits the time of all that happens on them.

httpcore speaks HTTP over them. Its own network backends do not fit, for three reasons:

- httpcore's sync backend gives every address of a host the whole timeout.
- Their timeouts limit single steps, but not a whole response.
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
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import httpcore

from .limits import Limits
from .tls import (
    AsyncTLSStream,
    SyncTLSStream,
    end_after,
    seconds_until,
    step_timeout,
)

STAGGER_SECONDS = 0.25
"""Seconds after which an async client also tries the next address of a host.

The recommended "Connection Attempt Delay" (RFC 8305, section 5).
"""

READ_BYTES = 16_384
"""Bytes that an async client reads at once: 16 KiB, one full TLS record (RFC 8446, section 5.1).

h11 needs about 20 ms for so many bytes of the smallest chunks or interim responses. Other tasks
can run after each read.
"""

MAXIMUM_HEAD_BYTES = 256 * 1024
"""Bytes that are read before the head of a response is complete: 256 KiB.

h11 limits a single head to 100 KiB, but not the number of interim responses (`100 Continue`) before
it. The last read can contain the start of the body.
"""

Address: TypeAlias = tuple[int, int, int, str, Any]
"""One result of `socket.getaddrinfo`."""

_Attempt: TypeAlias = asyncio.Task[socket.socket]
"""An attempt to connect to one address."""


class PhaseTimer:
    """The end of the current phase of a request.

    There are two phases: connecting with the head, and the body.
    """

    __slots__ = ("bytes_left", "ends_at", "has_read")

    def __init__(self) -> None:
        self.ends_at = math.inf
        """Seconds of `time.monotonic`."""
        self.bytes_left: float = math.inf
        """How many bytes may still be read."""
        self.has_read = False
        """Whether something was read in this phase."""

    def start_head(self, limits: Limits) -> None:
        """Start the phase that connects, sends the request and receives the head."""
        self.ends_at = time.monotonic() + limits.phase_seconds(limits.clock())
        self.bytes_left = MAXIMUM_HEAD_BYTES
        self.has_read = False

    def start_body(self, limits: Limits) -> None:
        """Start the phase that receives the body. `sending` limits its size."""
        self.ends_at = time.monotonic() + limits.phase_seconds(limits.clock())
        self.bytes_left = math.inf
        self.has_read = False

    def check_bytes_left(self) -> None:
        """Check that more bytes may be read.

        Raises:
            httpcore.RemoteProtocolError: there are too many for a head.
        """
        if self.bytes_left < 0:
            raise httpcore.RemoteProtocolError(
                f"the server sent more than {MAXIMUM_HEAD_BYTES} bytes before its response"
            )

    def counted(self, received: bytes) -> bytes:
        """Count received bytes. Returns them, so that no variable contains them."""
        self.bytes_left -= len(received)
        self.has_read = True
        return received

    def seconds(self, timeout: float | None) -> float | None:
        """Seconds that a step may take now; `None` for no limit.

        Raises:
            TimeoutError: the phase has ended.
        """
        seconds = step_timeout(timeout, self.ends_at)
        # `settimeout(0)` makes the socket non-blocking, which raises `BlockingIOError` instead of a
        # timeout.
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
        self.waits_for_proxy = has_proxy
        """Whether a proxy must still open the connection to the API."""
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

        Connecting and the TLS handshake share one timeout. Through a proxy, the handshake has its
        own, because the proxy's response comes before it.
        """
        ends_at = self.connect_ends_at
        if self._has_proxy:
            ends_at = end_after(timeout)
        return min(ends_at, self.timer.ends_at)


class SyncNetwork(Network, httpcore.NetworkBackend):
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
            self.connect_ends_at = end_after(self.timer.seconds(timeout))
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._check_not_shut_down()
            sock = self._connect_to_any(addresses)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return SyncStream(sock, self)

    def _connect_to_any(self, addresses: Sequence[Address]) -> socket.socket:
        """Connect to the first address that responds.

        Raises:
            OSError: the error of the last attempt.
            TimeoutError: no time remains for an attempt.
        """
        last_error: OSError = TimeoutError("timed out")
        for position, address in enumerate(addresses):
            remaining = seconds_until(self.connect_ends_at)
            if remaining == 0.0:
                # The error of an address says more than that the time is up.
                break
            try:
                is_first = position == 0
                seconds = share_of_time(remaining, len(addresses) - position, is_first=is_first)
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


class SyncStream(httpcore.NetworkStream):
    """The socket of a sync client's connection."""

    def __init__(self, sock: socket.socket, network: SyncNetwork) -> None:
        self._socket = sock
        self._network = network
        self._timer = network.timer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.NetworkStream`."""
        self._timer.check_bytes_left()
        try:
            self._socket.settimeout(self._timer.seconds(timeout))
            return self._timer.counted(self._socket.recv(max_bytes))
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
        stream = SyncTLSStream(self, ssl_context, server_hostname)
        try:
            stream.handshake(self._network.end_of_tls_handshake(timeout))
        except BaseException:
            self._socket.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.NetworkStream`."""
        return socket_info(self._socket, info)


class AsyncNetwork(Network, httpcore.AsyncNetworkBackend):
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
            self.connect_ends_at = end_after(seconds)
            async with asyncio.timeout(seconds):
                addresses = await find_addresses(host, port)
                self._check_not_shut_down()
                sock = await connect_to_fastest(addresses)
            self._adopt(sock)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return AsyncStream(sock, self)

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


class AsyncStream(httpcore.AsyncNetworkStream):
    """The socket of an async client's connection."""

    def __init__(self, sock: socket.socket, network: AsyncNetwork) -> None:
        self._socket = sock
        self._network = network
        self._timer = network.timer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.AsyncNetworkStream`."""
        self._timer.check_bytes_left()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timer.seconds(timeout)):
                if self._timer.has_read:
                    # `sock_recv` does not wait if bytes are there. A server that sends without a
                    # pause would stop the event loop, its timers and cancellation.
                    await asyncio.sleep(0)
                return self._timer.counted(
                    await loop.sock_recv(self._socket, min(max_bytes, READ_BYTES))
                )
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        # httpcore writes an empty body too, and `asyncio.timeout` costs more than this check.
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
        stream = AsyncTLSStream(self, ssl_context, server_hostname)
        try:
            await stream.handshake(self._network.end_of_tls_handshake(timeout))
        except BaseException:
            self._socket.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.AsyncNetworkStream`."""
        return socket_info(self._socket, info)


def share_of_time(seconds: float | None, addresses: int, *, is_first: bool) -> float | None:
    """Seconds for an attempt to connect to the next of some addresses; `None` for no limit.

    The first address gets half of the time, as it usually responds. The others get equal shares of
    the rest. So an unresponsive address leaves time for the next one.

    Args:
        seconds: the time that remains.
        addresses: how many addresses remain, with the next one.
        is_first: whether the next address is the first one of the host.

    Raises:
        TimeoutError: no time remains.
    """
    if seconds is None:
        return None
    if seconds <= 0.0:
        raise TimeoutError("timed out")
    if is_first and addresses > 1:
        return seconds / 2
    return seconds / addresses


async def find_addresses(host: str, port: int) -> Sequence[Address]:
    """Look up the addresses of a host. A name is looked up in a thread."""
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

    Section 5 only; the order is that of `getaddrinfo`. asyncio's own version of it is not used:
    uvloop has none.

    Args:
        addresses: the addresses, at least one.

    Raises:
        OSError: the error of the last attempt.
    """
    if len(addresses) == 1:
        return await _connect_async(addresses[0])
    remaining_addresses = deque(addresses)
    running_attempts: set[_Attempt] = set()
    finished_attempts: set[_Attempt] = set()
    try:
        while True:
            pause: float | None = None
            if remaining_addresses:
                address = remaining_addresses.popleft()
                running_attempts.add(asyncio.create_task(_connect_async(address)))
            if remaining_addresses:
                pause = STAGGER_SECONDS
            finished_attempts, running_attempts = await asyncio.wait(
                running_attempts, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            winner = _first_success(finished_attempts)
            if winner is not None:
                finished_attempts.discard(winner)
                return winner.result()
            if not remaining_addresses and not running_attempts:
                # All attempts failed. This raises the error of the last one.
                return finished_attempts.pop().result()
    finally:
        await _abandon([*finished_attempts, *running_attempts])


def _first_success(attempts: Iterable[_Attempt]) -> _Attempt | None:
    for attempt in attempts:
        if attempt.exception() is None:
            return attempt
    return None


async def _abandon(attempts: Sequence[_Attempt]) -> None:
    """Cancel attempts that are not needed, and close the sockets that they have connected."""
    for attempt in attempts:
        attempt.add_done_callback(_close_socket_of)
        attempt.cancel()
    running_attempts = [attempt for attempt in attempts if not attempt.done()]
    if running_attempts:
        await asyncio.wait(running_attempts)


def _close_socket_of(attempt: _Attempt) -> None:
    if attempt.cancelled() or attempt.exception() is not None:
        return
    attempt.result().close()


async def _connect_async(address: Address) -> socket.socket:
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
    """The information that httpcore requests about a socket; `None` if it is unknown."""
    if info == "is_readable":
        return is_readable(sock)
    if info == "socket":
        return sock
    return None


def is_readable(sock: socket.socket) -> bool:
    """Whether a read would return at once.

    An idle connection is readable if the server has ended it.
    """
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
