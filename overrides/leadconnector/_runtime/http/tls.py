"""TLS over the streams of `network`, so that each step of it obeys the limits of time.

Python's `SSLSocket` cannot run over another TLS connection, as to an API behind an `https` proxy,
and asyncio can only close a TLS connection by waiting. `SSLObject` does no I/O itself,
so it has neither limitation.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpcore

READ_BYTES = 65_536
"""Bytes to read at once: 64 KiB, four full TLS records (RFC 8446, section 5.2)."""

Result = TypeVar("Result")


class _Engine:
    """The state of TLS. It exchanges encrypted bytes through memory."""

    def __init__(self, context: ssl.SSLContext, hostname: str | None) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=hostname)

    def add(self, encrypted: bytes) -> None:
        """Add bytes from the network. No bytes mean the end of the connection."""
        if encrypted:
            self.incoming.write(encrypted)
        else:
            self.incoming.write_eof()

    def has_unread_data(self) -> bool:
        """Whether a read would return at once, with data or because the server has ended TLS.

        It decrypts what was received. So it may be used only for an idle connection, which is
        closed if this returns true.
        """
        try:
            self.ssl_object.read(1)
        except ssl.SSLWantReadError:
            # A part of a record can be unread.
            return self.incoming.pending > 0
        except ssl.SSLError:
            return True
        return True


class SyncTLSStream(httpcore.NetworkStream):
    """TLS over a stream of a thread.

    Args:
        stream: the stream that carries the encrypted bytes.
        context: the trusted certificates.
        hostname: the name that the certificate must have.
    """

    def __init__(
        self, stream: httpcore.NetworkStream, context: ssl.SSLContext, hostname: str | None
    ) -> None:
        self._stream = stream
        self._engine = _Engine(context, hostname)

    def handshake(self, ends_at: float) -> None:
        """Agree on keys, and check the certificate.

        Args:
            ends_at: when the handshake must end, in seconds of `time.monotonic`.

        Raises:
            httpcore.ConnectTimeout: it does not end in time.
            httpcore.ConnectError: it fails.
        """
        try:
            self._run(self._engine.ssl_object.do_handshake, None, ends_at)
            self._flush(step_timeout(None, ends_at))
        except httpcore.TimeoutException as error:
            raise httpcore.ConnectTimeout("the TLS handshake timed out") from error
        except (httpcore.NetworkError, OSError) as error:
            raise httpcore.ConnectError(str(error)) from error

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.NetworkStream`."""
        try:
            return self._run(partial(self._engine.ssl_object.read, max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            # h11 notices a cut if the body has a length or chunks. For other bodies see
            # `is_truncated_json`.
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.NetworkStream`."""
        remaining = memoryview(buffer)
        del buffer  # see `network`
        try:
            while remaining:
                count = self._run(partial(self._engine.ssl_object.write, remaining), timeout)
                remaining = remaining[count:]
                self._flush(timeout)
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """See `httpcore.NetworkStream`."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """TLS within this TLS connection, as to an API behind an `https` proxy."""
        stream = SyncTLSStream(self, ssl_context, server_hostname)
        stream.handshake(end_after(timeout))
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.NetworkStream`."""
        if info == "ssl_object":
            return self._engine.ssl_object
        if info == "is_readable" and self._engine.has_unread_data():
            return True
        return self._stream.get_extra_info(info)

    def _run(
        self, operation: Callable[[], Result], timeout: float | None, ends_at: float = math.inf
    ) -> Result:
        """Repeat an operation until it has received all bytes that it needs."""
        while True:
            try:
                # No variable contains the result, which a traceback could show.
                return operation()
            except ssl.SSLWantReadError:
                self._flush(step_timeout(timeout, ends_at))
                self._engine.add(self._stream.read(READ_BYTES, step_timeout(timeout, ends_at)))
            except ssl.SSLError:
                # The alert that explains the error to the server.
                with suppress(httpcore.NetworkError, httpcore.TimeoutException):
                    self._flush(step_timeout(timeout, ends_at))
                raise

    def _flush(self, timeout: float | None) -> None:
        encrypted = self._engine.outgoing.read()
        if encrypted:
            self._stream.write(encrypted, timeout)


class AsyncTLSStream(httpcore.AsyncNetworkStream):
    """`SyncTLSStream` for an event loop."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext, hostname: str | None
    ) -> None:
        self._stream = stream
        self._engine = _Engine(context, hostname)

    async def handshake(self, ends_at: float) -> None:
        """See `SyncTLSStream`."""
        try:
            async with asyncio.timeout(seconds_until(ends_at)):
                await self._run(self._engine.ssl_object.do_handshake, None)
                await self._flush(None)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise httpcore.ConnectTimeout("the TLS handshake timed out") from error
        except (httpcore.NetworkError, OSError) as error:
            raise httpcore.ConnectError(str(error)) from error

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `httpcore.AsyncNetworkStream`."""
        try:
            return await self._run(partial(self._engine.ssl_object.read, max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            # h11 notices a cut if the body has a length or chunks. For other bodies see
            # `is_truncated_json`.
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        remaining = memoryview(buffer)
        del buffer  # see `network`
        try:
            while remaining:
                count = await self._run(partial(self._engine.ssl_object.write, remaining), timeout)
                remaining = remaining[count:]
                await self._flush(timeout)
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """See `httpcore.AsyncNetworkStream`."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See `SyncTLSStream`."""
        stream = AsyncTLSStream(self, ssl_context, server_hostname)
        await stream.handshake(end_after(timeout))
        return stream

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.AsyncNetworkStream`."""
        if info == "ssl_object":
            return self._engine.ssl_object
        if info == "is_readable" and self._engine.has_unread_data():
            return True
        return self._stream.get_extra_info(info)

    async def _run(self, operation: Callable[[], Result], timeout: float | None) -> Result:
        """Repeat an operation until it has received all bytes that it needs."""
        while True:
            try:
                # No variable contains the result, which a traceback could show.
                return operation()
            except ssl.SSLWantReadError:
                await self._flush(timeout)
                self._engine.add(await self._stream.read(READ_BYTES, timeout))
            except ssl.SSLError:
                # The alert that explains the error to the server.
                with suppress(httpcore.NetworkError, httpcore.TimeoutException):
                    await self._flush(timeout)
                raise

    async def _flush(self, timeout: float | None) -> None:
        encrypted = self._engine.outgoing.read()
        if encrypted:
            await self._stream.write(encrypted, timeout)


def end_after(timeout: float | None) -> float:
    """When a step that starts now must end, in seconds of `time.monotonic`."""
    if timeout is None:
        return math.inf
    return time.monotonic() + timeout


def step_timeout(timeout: float | None, ends_at: float) -> float | None:
    """The seconds of one step: its timeout, but not beyond an end; `None` for no limit."""
    remaining = seconds_until(ends_at)
    if timeout is None:
        return remaining
    if remaining is None:
        return timeout
    return min(timeout, remaining)


def seconds_until(ends_at: float) -> float | None:
    """Seconds until an end, at least 0; `None` if it never comes."""
    if ends_at == math.inf:
        return None
    return max(0.0, ends_at - time.monotonic())
