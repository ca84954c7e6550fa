"""The httpx interface: the emulator as a transport, for tests that need no socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from .emulator import Emulator
from .messages import Request, Response, combined_headers
from .response_future import response_of

if TYPE_CHECKING:
    from .control import Control

Sleep = Callable[[float], object]
AsyncSleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True)
class _Waiting:
    """The two ways of waiting; either awaits or blocks."""

    sleep: Sleep
    async_sleep: AsyncSleep


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Responds to each request from the emulator, in the caller's thread or task.

    A fault that ends the connection raises httpx's exception for it. A wait that is longer than
    the request's read timeout raises `httpx.ReadTimeout` at once: a test does not wait for it.

    Args:
        emulator: the emulator that responds.
        sleep: waits the given seconds in sync code.
        async_sleep: waits the given seconds in async code.
        control: whether the control over HTTP is available, below `/_emulator/`.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        sleep: Sleep = time.sleep,
        async_sleep: AsyncSleep = asyncio.sleep,
        control: bool = False,
    ) -> None:
        self.emulator = emulator
        self._control: Control | None = None
        if control:
            from .control import Control, ControlRules  # noqa: PLC0415  # only if used

            # Only this process reaches the transport, so every host name is allowed.
            self._control = Control(emulator, ControlRules(hosts=None))
        self._waiting = _Waiting(sleep, async_sleep)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request.

        Raises:
            httpx.TransportError: a fault ends the connection, or exceeds the read timeout.
        """
        response = self._respond(request, request.read())
        seconds = _checked_wait(request, response.delivery.delay)
        if seconds:
            self._waiting.sleep(seconds)
        return self._httpx_response(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request.

        Raises:
            httpx.TransportError: a fault ends the connection, or exceeds the read timeout.
        """
        response = await self._respond_async(request, await request.aread())
        seconds = _checked_wait(request, response.delivery.delay)
        if seconds:
            await self._waiting.async_sleep(seconds)
        return self._httpx_response(request, response)

    def _respond(self, request: httpx.Request, body: bytes) -> Response:
        received_request = _received_request(request, body)
        response = self._control_response(received_request)
        if response is not None:
            return response
        return self.emulator.respond(received_request)

    async def _respond_async(self, request: httpx.Request, body: bytes) -> Response:
        received_request = _received_request(request, body)
        response = self._control_response(received_request)
        if response is not None:
            return response
        future = self.emulator.submit(received_request)
        if future is None:
            return self.emulator.respond(received_request)
        return await response_of(future)

    def _control_response(self, request: Request) -> Response | None:
        """The response of the control; `None` for any other request."""
        if self._control is None:
            return None
        return self._control.respond(request)

    def _httpx_response(self, request: httpx.Request, response: Response) -> httpx.Response:
        if response.delivery.drop in {"before", "within"}:
            raise httpx.RemoteProtocolError("the connection was closed without a response")
        headers = _response_headers(response)
        # Without a fault the body is there at once, and httpx needs no stream.
        if response.delivery.is_plain:
            return httpx.Response(response.status, headers=headers, content=response.body)
        stream = _BodyStream(request, response, self._waiting)
        return httpx.Response(response.status, headers=headers, stream=stream)


def _response_headers(response: Response) -> httpx.Headers | dict[str, str]:
    length = str(len(response.body))
    # The name may have any case in a response that a proxy passes on.
    has_length = any(name.lower() == "content-length" for name in response.headers)
    if not has_length and not response.repeated_headers:
        return {"Content-Length": length, **response.headers}
    headers = httpx.Headers(response.header_lines())
    headers.setdefault("Content-Length", length)
    return headers


def _received_request(request: httpx.Request, body: bytes) -> Request:
    target = request.url.raw_path.decode("ascii")
    headers = combined_headers(request.headers.raw)
    return Request(request.method, target, headers, body)


class _BodyStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body with a fault: it is cut, or arrives slowly."""

    def __init__(self, request: httpx.Request, response: Response, waiting: _Waiting) -> None:
        self._request = request
        self._response = response
        self._waiting = waiting

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks():
            seconds = self._wait_per_chunk()
            if seconds:
                self._waiting.sleep(seconds)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks():
            seconds = self._wait_per_chunk()
            if seconds:
                await self._waiting.async_sleep(seconds)
            yield chunk

    def _chunks(self) -> Iterator[bytes]:
        """The chunks of the body; raises where the connection ends."""
        if self._response.delivery.drop == "after":
            raise httpx.ReadError("the connection was reset")
        yield from self._response.body_chunks()
        if not self._response.has_complete_body:
            raise httpx.RemoteProtocolError("the connection was closed before the end of the body")

    def _wait_per_chunk(self) -> float:
        return _checked_wait(self._request, self._response.delivery.drip or 0.0)


def _checked_wait(request: httpx.Request, seconds: float) -> float:
    """The seconds to wait.

    Raises:
        httpx.ReadTimeout: the wait is longer than the request's read timeout.
    """
    # httpx passes its timeouts to a transport as an extension of the request.
    read_timeout = request.extensions.get("timeout", {}).get("read")
    if read_timeout is not None and seconds > read_timeout:
        raise httpx.ReadTimeout("the response did not arrive in time", request=request)
    return seconds
