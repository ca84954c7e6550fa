"""No line break or other control character of a request reaches the network as one."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest
from leadconnector import ArgumentError, ConfigurationError, CredentialsError
from leadconnector._runtime.http import DefaultTransports, Limits
from leadconnector._runtime.http.outgoing import Origin, OutgoingRequest, PreparedRequest
from leadconnector._runtime.secrets import Secret, Token

from tests.support.calling import CONVERSATION_ID, Caller
from tests.support.wire import WireServer, serving

CONTROL_CHARACTERS = ["\r", "\n", "\r\n", "\0", "\r\nX-Injected: 1\r\n", "\x0b", "\x7f", "\x85"]
controls = pytest.mark.parametrize("control", CONTROL_CHARACTERS, ids=ascii)

received: list[bytes] = []


def record(connection: socket.socket) -> None:
    """Fail the test if anything arrives."""
    received.append(connection.recv(65_536))


def send(server: WireServer, request: OutgoingRequest, *, is_async: bool) -> None:
    transports = DefaultTransports(server.url)
    if not is_async:
        with transports.sync_transport() as transport:
            transport.exchange(request, Limits())
        return

    async def run() -> None:
        transport = transports.async_transport()
        try:
            await transport.exchange(request, Limits())
        finally:
            await transport.aclose()

    asyncio.run(run())


@controls
@pytest.mark.parametrize("place", ["method", "target", "name", "value"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_control_character_in_a_request_is_rejected_before_anything_is_sent(
    control: str, place: str, is_async: bool
) -> None:
    if control == "\x85" and place == "value":
        # Such bytes are valid in a value (RFC 9110, section 5.5).
        return
    received.clear()
    parts = {"method": "PUT", "target": "/a", "name": "X-A", "value": "b"}
    parts[place] = f"a{control}b"
    with serving(record) as server:
        prepared = PreparedRequest(
            parts["method"],
            Origin("127.0.0.1", server.port, is_encrypted=False),
            parts["target"].encode("latin-1"),
            [(parts["name"].encode("latin-1"), parts["value"].encode("latin-1"))],
            b"",
        )
        request = prepared.for_attempt(Token(Secret("token")), {})
        with pytest.raises(httpx.LocalProtocolError, match=r"invalid|Illegal"):
            send(server, request, is_async=is_async)

    assert b"".join(received) == b""


@controls
@pytest.mark.parametrize("place", ["id", "version", "token", "base_url"])
def test_a_control_character_of_a_user_is_rejected_before_anything_is_sent(
    call: Caller, control: str, place: str
) -> None:
    received.clear()
    text = f"a{control}b"
    with serving(record) as server:
        options: dict[str, Any] = {"base_url": server.url, "retries": 0}
        arguments: dict[str, Any] = {}
        conversation_id = CONVERSATION_ID
        if place == "id":
            conversation_id = text
        elif place == "version":
            arguments["version"] = text
        elif place == "token":
            options["token"] = text
        else:
            options["base_url"] += f"/{text}"
        with pytest.raises((ArgumentError, ConfigurationError, CredentialsError)):
            call(None, conversation_id, options=options, **arguments)

    assert b"".join(received) == b""
