"""Sends one request and reads its whole response, within limits of time and size."""

import asyncio
from abc import abstractmethod
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from .body import MAXIMUM_BODY_BYTES, Body, decode, is_truncated_json
from .failures import decisive_error, is_transport_failure
from .limits import Limits
from .types import AsyncBaseTransport, BaseTransport, Request

_CHUNKS_BETWEEN_PAUSES = 64
"""Chunks of a body after which other tasks of the event loop can run: about 1 ms.

A transport can have many chunks at once, for which it does not wait.
"""


class RawResponse:
    """A whole response, before its body is parsed.

    It is no named tuple: error reporters show the items of a tuple, and not its repr. Every call
    makes one, and a frozen dataclass takes twice as long.
    """

    __slots__ = ("body", "body_problem", "headers", "retry_after", "status_code")

    def __init__(
        self,
        status_code: int,
        headers: Mapping[str, str],
        body: bytes,
        body_problem: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        """By name in lower case. Of a repeated header, the last value."""
        self.body = body
        """Decompressed as far as possible; as received if it was not compressed."""
        self.body_problem = body_problem
        """Why the body is not what its headers say (too large, badly compressed); may be empty."""
        self.retry_after = retry_after
        """Seconds that the response asks to wait before the next request."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_too_large(self) -> bool:
        """Whether the body is larger than a client reads, so that it is not complete."""
        return len(self.body) > MAXIMUM_BODY_BYTES

    def with_retry_after(self, seconds: float | None) -> "RawResponse":
        """The same response with another `retry_after`."""
        return RawResponse(self.status_code, self.headers, self.body, self.body_problem, seconds)

    def __repr__(self) -> str:
        # A traceback can show variables. Headers and body can repeat the token or personal data.
        return f"RawResponse({self.status_code}, {len(self.body)} bytes)"


class LimitedTransport(BaseTransport):
    """A transport that limits the time of whole responses by itself."""

    @abstractmethod
    def handle_within(self, request: Request, limits: Limits) -> httpx.Response:
        """`handle_request` within limits, which also apply to the body of the response."""

    @abstractmethod
    def abandon(self) -> None:
        """Close all sockets after their users are gone, as in a forked process. Takes no lock."""


class LimitedAsyncTransport(AsyncBaseTransport):
    """`LimitedTransport` for async code."""

    @abstractmethod
    async def handle_within(self, request: Request, limits: Limits) -> httpx.Response:
        """See `LimitedTransport`."""

    @abstractmethod
    def abandon(self) -> None:
        """See `LimitedTransport`. Also for a closed event loop."""

    @abstractmethod
    def close(self) -> None:
        """`aclose` without waiting, in any thread."""


def send(transport: BaseTransport, request: Request, limits: Limits) -> RawResponse:
    """Send a request and read its response.

    Raises:
        TimeoutError: the body takes too long.
        Exception: any error of the transport.
    """
    response = _open_response(transport, request, limits)
    try:
        raw_response = _read(response, request, limits)
    except BaseException as error:
        with _ignored_network_errors(error):
            response.close()
        raise
    with _ignored_network_errors():
        response.close()
    return raw_response


def _read(response: httpx.Response, request: Request, limits: Limits) -> RawResponse:
    """Read the body of a response."""
    response.request = request
    if _is_read_by_transport(response):
        return _raw_response(response, _body_of_transport(response))
    body = _BodyBuffer(limits)
    stream: Any = response.stream
    for chunk in stream:
        body.add(chunk)
        # The code of a transport can raise, and a traceback can show variables.
        del chunk
        if body.is_full:
            break
    return _raw_response(response, _decoded(response, body))


async def send_async(
    transport: AsyncBaseTransport, request: Request, limits: Limits
) -> RawResponse:
    """`send` for async code."""
    response = await _open_async_response(transport, request, limits)
    try:
        async with asyncio.timeout(limits.phase_seconds(limits.clock())):
            raw_response = await _read_async(response, request, limits)
    except BaseException as error:
        await _close(response, limits, error)
        raise
    await _close(response, limits)
    return raw_response


async def _read_async(response: httpx.Response, request: Request, limits: Limits) -> RawResponse:
    """`_read` for async code."""
    response.request = request
    if _is_read_by_transport(response):
        return _raw_response(response, _body_of_transport(response))
    body = _BodyBuffer(limits)
    stream: Any = response.stream
    async for chunk in stream:
        body.add(chunk)
        # The code of a transport can raise, and a traceback can show variables.
        del chunk
        if body.is_full:
            break
        if body.chunks % _CHUNKS_BETWEEN_PAUSES == 0:
            await asyncio.sleep(0)
    return _raw_response(response, _decoded(response, body))


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


def _open_response(transport: BaseTransport, request: Request, limits: Limits) -> httpx.Response:
    """Send a request, and receive the head of its response."""
    if isinstance(transport, LimitedTransport):
        return transport.handle_within(request, limits)
    # A blocking transport of the caller cannot be interrupted while it receives the head.
    return transport.handle_request(request)


async def _open_async_response(
    transport: AsyncBaseTransport, request: Request, limits: Limits
) -> httpx.Response:
    """`_open_response` for async code."""
    if isinstance(transport, LimitedAsyncTransport):
        # It knows in which step the time is up, and so whether the request was sent.
        return await transport.handle_within(request, limits)
    async with asyncio.timeout(limits.phase_seconds(limits.clock())):
        return await transport.handle_async_request(request)


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


def _body_of_transport(response: httpx.Response) -> Body:
    """The body that a transport has read. httpx has decompressed it.

    Raises:
        httpx.ResponseNotRead: the transport did not use `Response.read`, but took the bytes.
    """
    return decode("", bytearray(response.content))


def _decoded(response: httpx.Response, buffer: _BodyBuffer) -> Body:
    """Decompress a body that has ended or is too large."""
    # httpx's own lookup of a header takes 5 µs.
    encodings: list[str] = []
    for name, value in response.headers.raw:
        if name.lower() == b"content-encoding":
            encodings.append(value.decode("latin-1"))
    # Repeated lines of a header are one list (RFC 9110, section 5.3).
    return decode(", ".join(encodings), buffer.content)


def _raw_response(response: httpx.Response, body: Body) -> RawResponse:
    """The response with a body.

    Raises:
        httpx.RemoteProtocolError: the connection ended within the body of a success.
    """
    headers: dict[str, str] = {}
    for name, value in response.headers.raw:
        headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
    # Without these headers the body ends with the connection (RFC 9112, section 6.3).
    # A connection that breaks within the body then looks like its end.
    has_length = "content-length" in headers or "transfer-encoding" in headers
    may_be_cut = not has_length and response.status_code < 300 and not body.problem
    if may_be_cut and is_truncated_json(body.content):
        raise httpx.RemoteProtocolError("the connection ended within the body")
    return RawResponse(response.status_code, headers, body.content, body.problem)
