"""The door for httpx: the emulator as a transport, for tests that need no socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx

from .emulator import Emulator
from .messages import Request, Response


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers each request from the emulator, in the caller's own thread or task.

    A fault that ends the connection raises what httpx raises for it. A wait that is longer than the request's read
    timeout raises `httpx.ReadTimeout` at once, so that a test need not wait for it.

    Args:
        emulator: what answers.
        sleep: waits so many seconds, in sync code.
        async_sleep: the same, awaited.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        sleep: Callable[[float], object] = time.sleep,
        async_sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.emulator = emulator
        self._sleep = sleep
        self._async_sleep = async_sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        answer = self._answer(request, request.read())
        if wait := _wait(request, answer.delivery.delay):
            self._sleep(wait)
        return _head(answer, _Body(request, answer, self._sleep, self._async_sleep))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        answer = self._answer(request, await request.aread())
        if wait := _wait(request, answer.delivery.delay):
            await self._async_sleep(wait)
        return _head(answer, _Body(request, answer, self._sleep, self._async_sleep))

    def _answer(self, request: httpx.Request, body: bytes) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self.emulator.respond(
            Request(request.method, request.url.raw_path.decode("ascii"), headers, body)
        )


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as its delivery has it: whole, cut, or in drips."""

    def __init__(
        self,
        request: httpx.Request,
        answer: Response,
        sleep: Callable[[float], object],
        async_sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._request, self._answer, self._sleep, self._async_sleep = (
            request,
            answer,
            sleep,
            async_sleep,
        )

    def _pieces(self) -> Iterator[bytes]:
        """The chunks; raises where the connection ends."""
        delivery, body = self._answer.delivery, self._answer.body
        if delivery.drop == "after":
            raise httpx.ReadError("the connection was reset")
        end = len(body) if delivery.truncate is None else delivery.truncate
        if delivery.drip is None:
            yield body[:end]
        else:
            yield from (body[place : place + 1] for place in range(min(end, len(body))))
        if end < len(body):
            raise httpx.RemoteProtocolError("the connection was closed before the whole body came")

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            if wait := _wait(self._request, self._answer.delivery.drip or 0.0):
                self._sleep(wait)
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces():
            if wait := _wait(self._request, self._answer.delivery.drip or 0.0):
                await self._async_sleep(wait)
            yield piece


def _head(answer: Response, body: _Body) -> httpx.Response:
    if answer.delivery.drop in {"before", "within"}:
        raise httpx.RemoteProtocolError("the connection was closed without a response")
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    if answer.delivery == type(answer.delivery)():
        return httpx.Response(answer.status, headers=headers, content=answer.body)
    return httpx.Response(answer.status, headers=headers, stream=body)


def _wait(request: httpx.Request, seconds: float) -> float:
    """How long to wait, or `httpx.ReadTimeout` where the request does not wait so long."""
    patience = request.extensions.get("timeout", {}).get("read")
    if patience is not None and seconds > patience:
        raise httpx.ReadTimeout("the answer did not come in time", request=request)
    return seconds
