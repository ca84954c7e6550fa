"""aiohttp, with a session."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp

from benchmarks.speed.peer import HEADERS, AsyncCall, Peer, body_of


class AiohttpSession(Peer):
    """It has no sync interface."""

    async def async_call(self) -> AsyncCall:
        """`ClientSession.put`."""
        context: ssl.SSLContext | bool = True
        if self.settings.certificate is not None:
            context = ssl.create_default_context(cafile=self.settings.certificate)
        connector = aiohttp.TCPConnector(ssl=context)
        session = aiohttp.ClientSession(headers=HEADERS, connector=connector)

        async def call(number: int) -> Any:
            async with session.put(self.url(number), json=body_of(number)) as response:
                response.raise_for_status()
                return await response.json()

        return call


peer = AiohttpSession
