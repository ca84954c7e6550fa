"""TLS over a stream, so that each step of it obeys the limits of time.

Python's `SSLSocket` cannot run over another TLS connection, as to an API behind an `https` proxy,
and asyncio can only close a TLS connection by waiting. `SSLObject` does no I/O itself,
so it has neither limitation.
"""

import math
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import httpx

from ..log import logger
from .failures import ConnectTimeout
from .sockets import READ_BYTES, Stream
from .timer import PhaseTimer

Result = TypeVar("Result")


class TLSStream(Stream):
    """TLS over another stream. The state of TLS exchanges encrypted bytes through memory.

    Args:
        stream: the stream that carries the encrypted bytes.
        context: the trusted certificates.
        hostname: the name that the certificate must have.
        timer: the limit on the time of the connection.
    """

    def __init__(
        self, stream: Stream, context: ssl.SSLContext, hostname: str, timer: PhaseTimer
    ) -> None:
        self._stream = stream
        self._timer = timer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl_object = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=hostname
        )

    async def handshake(self, ends_at: float) -> None:
        """Agree on keys, and check the certificate.

        Args:
            ends_at: when the handshake must end, in seconds of the client's clock.

        Raises:
            httpx.ConnectTimeout: it does not end in time.
            httpx.ConnectError: it fails.
        """
        try:
            await self._run(self._ssl_object.do_handshake, None, ends_at)
            await self._flush(self._timer.seconds(None, ends_at))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ConnectTimeout("the TLS handshake timed out") from error
        except (httpx.TransportError, OSError) as error:
            # Whatever failed, no request was sent.
            raise httpx.ConnectError(str(error)) from error
        version = self._ssl_object.version()
        logger.debug(
            "TLS has started: %s", version, extra={"event": "tls_started", "tls_version": version}
        )

    async def read(self, timeout: float | None) -> bytes:
        """See `Stream`."""
        try:
            return await self._run(partial(self._ssl_object.read, READ_BYTES), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            # The parser notices a cut if the body has a length or chunks. For other bodies see
            # `is_truncated_json`.
            return b""
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except ssl.SSLError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, data: memoryview, timeout: float | None) -> None:
        """See `Stream`."""
        try:
            while data:
                count = await self._run(partial(self._ssl_object.write, data), timeout)
                data = data[count:]
                await self._flush(timeout)
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except ssl.SSLError as error:
            raise httpx.WriteError(str(error)) from error

    def is_readable(self) -> bool:
        """See `Stream`. It decrypts what was received."""
        try:
            self._ssl_object.read(1)
        except ssl.SSLWantReadError:
            # A part of a record can be unread.
            return self._incoming.pending > 0 or self._stream.is_readable()
        except ssl.SSLError:
            return True
        return True

    async def _run(
        self, operation: Callable[[], Result], timeout: float | None, ends_at: float = math.inf
    ) -> Result:
        """Repeat an operation until it has received all bytes that it needs.

        Raises:
            TimeoutError: the phase or the handshake has ended.
        """
        while True:
            try:
                # No variable contains the result, which a traceback could show.
                return operation()
            except ssl.SSLWantReadError:
                await self._flush(self._timer.seconds(timeout, ends_at))
                self._add(await self._stream.read(self._timer.seconds(timeout, ends_at)))
            except ssl.SSLError:
                # The alert that explains the error to the server.
                with suppress(httpx.NetworkError, httpx.TimeoutException, TimeoutError):
                    await self._flush(self._timer.seconds(timeout, ends_at))
                raise

    def _add(self, encrypted: bytes) -> None:
        """Add bytes from the network. No bytes mean the end of the connection."""
        if encrypted:
            self._incoming.write(encrypted)
        else:
            self._incoming.write_eof()

    async def _flush(self, timeout: float | None) -> None:
        encrypted = self._outgoing.read()
        if encrypted:
            await self._stream.write(memoryview(encrypted), timeout)
