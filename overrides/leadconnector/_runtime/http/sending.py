"""Sends one request and reads its whole response, within limits of time and size.

The default transports do that themselves. The rest is for the transports of callers, which have the
interface of httpx.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Self, TypeAlias

import httpx

from .. import lazy_asyncio as asyncio
from ..coroutines import other_tasks
from .body import MAXIMUM_BODY_BYTES, decode
from .failures import decisive_error, is_transport_failure
from .limits import Limits
from .outgoing import OutgoingRequest
from .received import RawResponse, checked_response, decoded_headers, raw_response
from .types import AsyncBaseTransport, BaseTransport

_CHUNKS_BETWEEN_PAUSES = 64
"""Chunks of a body after which other tasks of the event loop can run: about 1 ms.

A transport can have many chunks at once, for which it does not wait.
"""


class DirectTransport(ABC):
    """A default transport of a sync client. It limits the time of whole responses by itself."""

    @abstractmethod
    def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """Send a request, and receive its whole response within limits.

        Raises:
            httpx.TransportError: there is no response.
            ClientClosedError: the client was closed before the request was sent.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections. Requests that are being sent fail."""

    @abstractmethod
    def abandon(self) -> None:
        """Close all sockets after their users are gone, as in a forked process. Takes no lock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class DirectAsyncTransport(ABC):
    """`DirectTransport` for async code."""

    @abstractmethod
    async def exchange(self, request: OutgoingRequest, limits: Limits) -> RawResponse:
        """See `DirectTransport`."""

    @abstractmethod
    async def aclose(self) -> None:
        """See `DirectTransport`."""

    @abstractmethod
    def abandon(self) -> None:
        """See `DirectTransport`. Also for a closed event loop."""

    @abstractmethod
    def close(self) -> None:
        """`aclose` without waiting, in any thread."""


SyncTransport: TypeAlias = BaseTransport | DirectTransport
AsyncTransport: TypeAlias = AsyncBaseTransport | DirectAsyncTransport


def send(transport: SyncTransport, request: OutgoingRequest, limits: Limits) -> RawResponse:
    """Send a request and read its response.

    Raises:
        TimeoutError: the body takes too long.
        Exception: any error of the transport.
    """
    if isinstance(transport, DirectTransport):
        return transport.exchange(request, limits)
    httpx_request = request.for_httpx()
    # A blocking transport of the caller cannot be interrupted while it receives the head.
    response = transport.handle_request(httpx_request)
    try:
        response.request = httpx_request
        result = _read(response, limits)
    except BaseException as error:
        with _ignored_network_errors(error):
            response.close()
        raise
    with _ignored_network_errors():
        response.close()
    return result


def _read(response: httpx.Response, limits: Limits) -> RawResponse:
    """Read the body of a response."""
    if _is_read_by_transport(response):
        return _read_by_transport(response)
    body = _BodyBuffer(limits)
    stream: Any = response.stream
    for chunk in stream:
        body.add(chunk)
        # The code of a transport can raise, and a traceback can show variables.
        del chunk
        if body.is_full:
            break
    return raw_response(response.status_code, response.headers.raw, body.content)


async def send_async(
    transport: AsyncTransport, request: OutgoingRequest, limits: Limits
) -> RawResponse:
    """`send` for async code."""
    if isinstance(transport, DirectAsyncTransport):
        return await transport.exchange(request, limits)
    httpx_request = request.for_httpx()
    async with asyncio.timeout(limits.phase_seconds(limits.clock())):
        response = await transport.handle_async_request(httpx_request)
    try:
        async with asyncio.timeout(limits.phase_seconds(limits.clock())):
            response.request = httpx_request
            result = await _read_async(response, limits)
    except BaseException as error:
        await _close(response, limits, error)
        raise
    await _close(response, limits)
    return result


async def _read_async(response: httpx.Response, limits: Limits) -> RawResponse:
    """`_read` for async code."""
    if _is_read_by_transport(response):
        return _read_by_transport(response)
    body = _BodyBuffer(limits)
    stream: Any = response.stream
    async for chunk in stream:
        body.add(chunk)
        # The code of a transport can raise, and a traceback can show variables.
        del chunk
        if body.is_full:
            break
        if body.chunks % _CHUNKS_BETWEEN_PAUSES == 0:
            await other_tasks()
    return raw_response(response.status_code, response.headers.raw, body.content)


async def _close(
    response: httpx.Response, limits: Limits, ambient_error: BaseException | None = None
) -> None:
    """Close a response within the limits: the code of a transport can wait for the network."""
    with _ignored_network_errors(ambient_error):
        async with asyncio.timeout(limits.phase_seconds(limits.clock())):
            await response.aclose()


@contextmanager
def _ignored_network_errors(ambient_error: BaseException | None = None) -> Generator[None]:
    """Ignore errors of the network while a response is closed: it is complete, or has failed.

    Mistakes in the code of a transport and interruptions of the call are raised.

    Args:
        ambient_error: the error of the response, if it has failed.
    """
    try:
        yield
    except Exception as error:
        if not is_transport_failure(decisive_error(error, ambient_error)):
            raise


def _is_read_by_transport(response: httpx.Response) -> bool:
    """Whether a transport has read the body itself, as one that logs or caches responses does.

    A body that was passed to the response as bytes can be read again, and is not decompressed.
    """
    return response.is_stream_consumed and not isinstance(response.stream, httpx.ByteStream)


class _BodyBuffer:
    """Collects a body up to the limits of size and time.

    A traceback can show variables. The repr of this class shows no data, unlike a bytearray's.
    """

    __slots__ = ("_clock", "_seconds", "_started_at", "chunks", "content")

    def __init__(self, limits: Limits) -> None:
        self.content = bytearray()
        self.chunks = 0
        """How many chunks were added."""
        self._clock = limits.clock
        self._started_at = limits.clock()
        self._seconds = limits.phase_seconds(self._started_at)

    def add(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            TimeoutError: the body takes too long.
        """
        self.content += chunk
        self.chunks += 1
        if self._clock() - self._started_at > self._seconds:
            raise TimeoutError(f"the body took longer than {self._seconds:g} s")

    @property
    def is_full(self) -> bool:
        """Whether the body is larger than a client reads."""
        return len(self.content) > MAXIMUM_BODY_BYTES


def _read_by_transport(response: httpx.Response) -> RawResponse:
    """The response of a transport that has read the body. httpx has decompressed it.

    Raises:
        httpx.ResponseNotRead: the transport did not use `Response.read`, but took the bytes.
        httpx.RemoteProtocolError: the connection ended within the body of a success.
    """
    body = decode("", bytearray(response.content))
    return checked_response(response.status_code, decoded_headers(response.headers.raw), body)
