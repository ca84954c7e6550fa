"""A connection is used again only if nothing of another response can be in it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector._runtime.http.response_parser import ResponseParser

from tests.support.calling import LOCATION_ID, TOKEN, conversation_of
from tests.support.switchable import Certificate, length_of_body, make_certificate

pytestmark = pytest.mark.usefixtures("each_parser")

CLOSE_NOTIFY = b"<close_notify>"
"""Stands for the end of TLS on a connection that stays open."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def response_for(conversation_id: str) -> bytes:
    conversation = {"id": conversation_id, "locationId": LOCATION_ID, "contactId": "contact"}
    body = json.dumps({"success": True, "conversation": conversation}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


@dataclass
class KeepAliveServer:
    """Sends the response of the requested conversation, and more bytes behind it."""

    surplus: Callable[[str], bytes]
    context: ssl.SSLContext | None = None
    connections: list[socket.socket] = field(default_factory=list[socket.socket])

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection until the client closes it."""
        with suppress(OSError), connection:
            if self.context is None:
                self._respond(connection.recv, connection.sendall)
                return
            incoming = ssl.MemoryBIO()
            outgoing = ssl.MemoryBIO()
            tls = self.context.wrap_bio(incoming, outgoing, server_side=True)

            def run(operation: Callable[[], Any]) -> Any:
                while True:
                    try:
                        result = operation()
                    except ssl.SSLWantReadError:
                        connection.sendall(outgoing.read())
                        received = connection.recv(65536)
                        if not received:
                            raise OSError from None
                        incoming.write(received)
                    else:
                        return result

            def send(data: bytes) -> None:
                data, has_end, _ = data.partition(CLOSE_NOTIFY)
                tls.write(data)
                if has_end:
                    with suppress(ssl.SSLWantReadError):
                        tls.unwrap()
                connection.sendall(outgoing.read())

            run(tls.do_handshake)
            self._respond(lambda size: run(lambda: tls.read(size)), send)

    def _respond(self, receive: Callable[[int], bytes], send: Callable[[bytes], None]) -> None:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                received = receive(65536)
                if not received:
                    return
                data += received
            head, _, data = data.partition(b"\r\n\r\n")
            while len(data) < length_of_body(head):
                data += receive(65536)
            data = data[length_of_body(head) :]
            conversation_id = head.split()[1].rpartition(b"/")[2].decode()
            # In one write, so that the client receives the surplus with the response.
            send(response_for(conversation_id) + self.surplus(conversation_id))


@contextmanager
def keep_alive_server(
    surplus: Callable[[str], bytes] = lambda _: b"", certificate: Certificate | None = None
) -> Generator[tuple[KeepAliveServer, str]]:
    """Run the server. Gives it, and its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = None if certificate is None else certificate.server_context()
    server = KeepAliveServer(surplus, context)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                server.connections.append(connection)
                threading.Thread(target=server.serve, args=[connection], daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    scheme = "http" if context is None else "https"
    try:
        yield server, f"{scheme}://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


def call_one_after_the_other(url: str, ids: list[str], *, is_async: bool) -> list[str]:
    """Update conversations with one client. Returns the ids in the responses."""
    options: dict[str, Any] = {"token": TOKEN, "base_url": url, "rate_limit": None, "retries": 0}

    async def run() -> list[str]:
        async with AsyncLeadConnector(**options) as client:
            update = client.conversations.update_conversation
            responses = [await update(x, location_id=LOCATION_ID, starred=True) for x in ids]
            return [str(conversation_of(response).id) for response in responses]

    if is_async:
        return asyncio.run(run())
    with LeadConnector(**options) as client:
        update = client.conversations.update_conversation
        sync_responses = [update(x, location_id=LOCATION_ID, starred=True) for x in ids]
        return [str(conversation_of(response).id) for response in sync_responses]


SURPLUS: list[Callable[[str], bytes]] = [
    lambda conversation_id: response_for("stale-" + conversation_id),
    lambda conversation_id: response_for("stale-" + conversation_id)[:20],
    lambda _: b"\r\n",
    lambda _: b"HTTP/1.1 100 Continue\r\n\r\n",
    lambda _: b"x" * 20_000,
]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("surplus", SURPLUS, ids=["response", "part", "line", "100", "garbage"])
def test_bytes_behind_a_response_never_reach_the_next_call(
    surplus: Callable[[str], bytes],
    is_encrypted: bool,
    is_async: bool,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    ids = ["first", "second", "third"]
    with keep_alive_server(surplus, certificate if is_encrypted else None) as (server, url):
        assert call_one_after_the_other(url, ids, is_async=is_async) == ids

    assert len(server.connections) == 3


@pytest.mark.parametrize("is_async", [False, True])
def test_a_connection_whose_tls_has_ended_is_not_used_again(
    is_async: bool, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    ids = ["first", "second"]
    with keep_alive_server(lambda _: CLOSE_NOTIFY, certificate) as (server, url):
        assert call_one_after_the_other(url, ids, is_async=is_async) == ids

    assert len(server.connections) == 2


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_connection_without_unread_bytes_is_used_again(
    is_encrypted: bool,
    is_async: bool,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    ids = ["first", "second", "third"]
    with keep_alive_server(certificate=certificate if is_encrypted else None) as (server, url):
        assert call_one_after_the_other(url, ids, is_async=is_async) == ids

    assert len(server.connections) == 1


class SignalError(Exception):
    """The exception of a signal handler."""


def test_an_interrupted_connection_is_not_used_again(
    each_parser: type[ResponseParser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise SignalError

    start = each_parser._start
    starts: list[str] = []

    def start_interrupted(parser: ResponseParser, method: str) -> None:
        starts.append(method)
        # The second response is that of a connection that was idle.
        if len(starts) == 2:
            signal.raise_signal(signal.SIGINT)
        start(parser, method)

    monkeypatch.setattr(each_parser, "_start", start_interrupted)
    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        with (
            keep_alive_server() as (server, url),
            LeadConnector(token=TOKEN, base_url=url, rate_limit=None, retries=0) as client,
        ):
            update = client.conversations.update_conversation
            update("first", location_id=LOCATION_ID, starred=True)
            with pytest.raises(SignalError):
                update("second", location_id=LOCATION_ID, starred=True)
            response = update("third", location_id=LOCATION_ID, starred=True)
            assert conversation_of(response).id == "third"
            assert len(server.connections) == 2
    finally:
        signal.signal(signal.SIGINT, previous)
