"""The socket of a sync client's connection, which blocks its thread."""

import socket
import time
from collections.abc import Sequence

import httpx

from .failures import is_interruption
from .sockets import READ_BYTES, Address, Socket, new_socket


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
