"""The door for ASGI: the emulator as an application, to be run by a server or called by a test client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .emulator import Emulator
from .messages import Request

Message = MutableMapping[str, Any]


class EmulatorApp:
    """An ASGI 3 application.

    ASGI has no way to end a connection: a fault that does so raises `ConnectionResetError`, of which a server makes
    what it makes of any failed application.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request, or take part in the lifespan."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            raise ValueError(f"the emulator speaks http, not {scope['type']}")
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope.get("raw_path") or scope["path"].encode()
        if scope.get("query_string"):
            target += b"?" + scope["query_string"]
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        answer = self.emulator.respond(
            Request(scope["method"], target.decode("latin-1"), headers, body)
        )
        delivery = answer.delivery
        await asyncio.sleep(delivery.delay)
        if delivery.drop in {"before", "within"}:
            raise ConnectionResetError("a fault ends the connection before its response")
        pairs = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in answer.headers.items()
        ]
        pairs.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        end = (
            0
            if delivery.drop
            else len(answer.body)
            if delivery.truncate is None
            else delivery.truncate
        )
        step = 1 if delivery.drip is not None else max(end, 1)
        for place in range(0, min(end, len(answer.body)), step):
            await asyncio.sleep(delivery.drip or 0)
            piece = answer.body[place : min(place + step, end)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if delivery.drop or end < len(answer.body):
            raise ConnectionResetError("a fault ends the connection within its response")
        await send({"type": "http.response.body", "body": b""})
