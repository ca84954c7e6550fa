"""The emulator as an httpx transport, for tests that need no socket."""

from __future__ import annotations

import httpx

from ._core import Emulator, Request


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers each request from the emulator, in the caller's own thread or task."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.emulator.respond(Request(request.method, request.url.raw_path.decode("ascii"), headers, body))
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)
