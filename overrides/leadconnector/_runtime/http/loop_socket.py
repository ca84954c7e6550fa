"""The socket of an async client's connection, which waits in the running event loop."""

import asyncio
import socket

import httpx

from ..coroutines import other_tasks
from .addresses import connect_to_fastest, find_addresses
from .sockets import Socket

READ_BYTES_IN_LOOP = 16_384
"""Bytes that an async client reads at once: 16 KiB, one full TLS record (RFC 8446, section 5.1).

h11 needs about 20 ms for so many bytes of the smallest chunks or interim responses. Other tasks
can run after each read.
"""


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
