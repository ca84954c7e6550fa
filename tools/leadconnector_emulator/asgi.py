"""The ASGI interface: the emulator as an application, for a server or a test client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import TYPE_CHECKING, Any

from .access import check_texts
from .emulator import Emulator
from .hosts import HostRules
from .messages import Request, Response, combined_headers
from .response_future import response_of, submit_to

if TYPE_CHECKING:
    from .control import Control

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class EmulatorApp:
    """An ASGI 3 application.

    ASGI cannot end a connection. A fault that does so raises `ConnectionResetError`, which a
    server handles like any other failure of an application.

    Args:
        emulator: the emulator that responds.
        control: whether the control over HTTP is served, below `/_emulator/`. Everyone who reaches
            it can change the emulator, and read its tokens.
        allowed_hosts: host names under which the control is served besides addresses, names
            without a dot, and names that cannot be registered.

    Raises:
        TypeError: `allowed_hosts` is one string.
    """

    def __init__(
        self, emulator: Emulator, *, control: bool = False, allowed_hosts: Collection[str] = ()
    ) -> None:
        check_texts("allowed_hosts", allowed_hosts)
        self.emulator = emulator
        self._control: Control | None = None
        if control:
            from .control import Control, ControlRules  # noqa: PLC0415  # only if used

            names = frozenset(host.lower().removesuffix(".") for host in allowed_hosts)
            # The application does not know the address of its server.
            rules = HostRules(listens_on_loopback=False, names=names)
            self._control = Control(emulator, ControlRules(hosts=rules))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Respond to one request, or run the lifespan protocol.

        Raises:
            ConnectionResetError: a fault ends the connection.
            ValueError: the scope is neither `http` nor `lifespan`.
        """
        match scope["type"]:
            case "http":
                await self._respond(scope, receive, send)
            case "lifespan":
                await _run_lifespan(receive, send)
                self.emulator.close()
            case scope_type:
                raise ValueError(f"the emulator supports http, not {scope_type}")

    async def _respond(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = await _receive_body(receive, self.emulator.maximum_body)
        except _ClientDisconnectedError:
            return
        headers = combined_headers(scope["headers"])
        request = Request(scope["method"], _request_target(scope), headers, body)
        await _send_response(await self._response_to(request), send)

    async def _response_to(self, request: Request) -> Response:
        if self._control is not None:
            response = self._control.respond(request)
            if response is not None:
                return response
        future = submit_to(self.emulator, request)
        if future is None:
            return self.emulator.respond(request)
        return await response_of(future)


class _ClientDisconnectedError(Exception):
    """The client went away before its request was complete."""


async def _receive_body(receive: Receive, maximum_body: int) -> bytes:
    """The body, or the first part of one that is too large."""
    # A server may deliver the body in several messages.
    body = bytearray()
    has_more = True
    # The emulator rejects a body beyond the maximum, so the rest is not needed.
    while has_more and len(body) <= maximum_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientDisconnectedError
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return bytes(body)


def _request_target(scope: Message) -> str:
    """The raw path with its query. Servers need not provide the raw path."""
    target: bytes = scope.get("raw_path") or scope["path"].encode()
    if scope.get("query_string"):
        target += b"?" + scope["query_string"]
    # Latin-1 maps each byte to one character, so nothing is lost.
    return target.decode("latin-1")


async def _send_response(response: Response, send: Send) -> None:
    delivery = response.delivery
    await asyncio.sleep(delivery.delay)
    if delivery.drop in {"before", "within"}:
        raise ConnectionResetError("a fault ends the connection before its response")

    start = {
        "type": "http.response.start",
        "status": response.status,
        "headers": _encoded_headers(response),
    }
    await send(start)
    for chunk in response.body_chunks():
        await asyncio.sleep(delivery.drip or 0.0)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if not response.has_complete_body:
        raise ConnectionResetError("a fault ends the connection within its response")
    await send({"type": "http.response.body", "body": b""})


def _encoded_headers(response: Response) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI has them: lower-case names, both parts as bytes."""
    headers = [(name.lower(), value) for name, value in response.header_lines()]
    content_length = str(len(response.body))
    # A response to HEAD has the length of the body that a GET would return.
    if b"content-length" not in dict(headers):
        headers.append((b"content-length", content_length.encode()))
    return headers


async def _run_lifespan(receive: Receive, send: Send) -> None:
    """Confirm startup and shutdown: the emulator has nothing to prepare or to release."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            break
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
