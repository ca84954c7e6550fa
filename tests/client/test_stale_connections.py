"""A request that meets the end of an idle connection is sent once more, if that is safe."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from leadconnector import APIConnectionError, AsyncLeadConnector, LeadConnector, ResponseInfo
from leadconnector._runtime.http import Limits, default_transport, form_request, send
from leadconnector._runtime.http.connection import Connection
from leadconnector._runtime.http.sync_pool import SyncPool

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY, TOKEN
from tests.support.switchable import Certificate, length_of_body, make_certificate

pytestmark = pytest.mark.usefixtures("each_parser")

BODY = json.dumps(SUCCESS_BODY).encode()
SUCCESS = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
CLOSE = b""
"""No response: the server closes the connection when the request has arrived."""
CUT_OFF = b"HTTP/1.1 2"
"""The start of a response, after which the server closes the connection."""


class ScriptedServer:
    """Sends prepared responses, one for each request of a connection.

    Args:
        scripts: the responses of each connection. Behind the last one, it closes the connection.
            The last script serves all further connections.
    """

    def __init__(self, scripts: Sequence[Sequence[bytes]]) -> None:
        self._scripts = scripts
        self.before_close: Callable[[], object] = bool
        """Called when the last request of a connection has arrived."""
        self.requests: list[int] = []
        """The number of the connection of each request that arrived."""

    def script_of(self, number: int) -> Sequence[bytes]:
        """The responses of a connection, which are counted from 0."""
        return self._scripts[min(number, len(self._scripts) - 1)]

    def serve(self, connection: socket.socket, number: int) -> None:
        """Serve one connection."""
        with suppress(OSError), connection:
            for response in self.script_of(number):
                if not has_received_request(connection):
                    return
                self.requests.append(number)
                connection.sendall(response)
                if response in {CLOSE, CUT_OFF}:
                    return
            # The next request finds the connection open, and gets no response.
            if has_received_request(connection):
                self.requests.append(number)
                self.before_close()


def has_received_request(connection: socket.socket) -> bool:
    """Receive a request. Whether there was one before the client closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return False
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    while len(body) < length_of_body(head):
        received = connection.recv(65536)
        if not received:
            return False
        body += received
    return True


@contextmanager
def scripted(
    *scripts: Sequence[bytes], certificate: Certificate | None = None
) -> Generator[tuple[ScriptedServer, str]]:
    """Run a server. Gives it, and its URL."""
    server = ScriptedServer(scripts)
    context = None if certificate is None else certificate.server_context()
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                threading.Thread(target=server.serve, args=[connection, number]).start()
                number += 1

    thread = threading.Thread(target=accept)
    thread.start()
    scheme = "http" if context is None else "https"
    try:
        yield server, f"{scheme}://localhost:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


Outcomes = list[bool | APIConnectionError]


def call_sync(url: str, calls: int) -> Outcomes:
    """The outcomes of some calls of one client, without retries."""
    outcomes: Outcomes = []
    with LeadConnector(token=TOKEN, base_url=url, rate_limit=None, retries=0) as client:
        for _ in range(calls):
            try:
                updated = client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=LOCATION_ID, starred=True
                )
                outcomes.append(updated.success is True)
            except APIConnectionError as error:
                outcomes.append(error)
    return outcomes


def call_async(url: str, calls: int) -> Outcomes:
    """`call_sync` with an async client."""

    async def run() -> Outcomes:
        outcomes: Outcomes = []
        async with AsyncLeadConnector(
            token=TOKEN, base_url=url, rate_limit=None, retries=0
        ) as client:
            for _ in range(calls):
                try:
                    updated = await client.conversations.update_conversation(
                        CONVERSATION_ID, location_id=LOCATION_ID, starred=True
                    )
                    outcomes.append(updated.success is True)
                except APIConnectionError as error:
                    outcomes.append(error)
        return outcomes

    return asyncio.run(run())


Caller = Callable[[str, int], Outcomes]
both_clients = pytest.mark.parametrize("call", [call_sync, call_async])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@both_clients
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_put_on_a_connection_that_the_server_ends_is_sent_once_more_without_a_retry(
    call: Caller,
    is_encrypted: bool,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    used_certificate = certificate if is_encrypted else None
    with scripted([SUCCESS], [SUCCESS], certificate=used_certificate) as (server, url):
        assert call(url, 2) == [True, True]

    assert server.requests == [0, 0, 1]


@both_clients
def test_it_is_sent_once_more_only(call: Caller) -> None:
    with scripted([SUCCESS], [CLOSE]) as (server, url):
        first, second = call(url, 2)

    assert first is True
    assert isinstance(second, APIConnectionError)
    assert (second.attempts, second.failure) == (2, "lost")
    assert server.requests == [0, 0, 1]


def test_it_counts_as_an_attempt_but_not_as_a_retry() -> None:
    infos: list[ResponseInfo] = []
    rejection = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with (
        scripted([SUCCESS], [rejection, SUCCESS]) as (server, url),
        LeadConnector(
            token=TOKEN, base_url=url, rate_limit=None, retries=1, on_response=infos.append
        ) as client,
    ):
        for _ in range(2):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert server.requests == [0, 0, 1, 1]
    assert [info.attempts for info in infos] == [1, 3]


@both_clients
def test_it_is_not_sent_again_if_a_part_of_a_response_has_arrived(call: Caller) -> None:
    with scripted([SUCCESS, CUT_OFF], [SUCCESS]) as (server, url):
        first, second = call(url, 2)

    assert first is True
    assert isinstance(second, APIConnectionError)
    assert server.requests == [0, 0]


@both_clients
def test_a_request_on_a_new_connection_is_not_sent_again(call: Caller) -> None:
    with scripted([CLOSE]) as (server, url):
        (error,) = call(url, 1)

    assert isinstance(error, APIConnectionError)
    assert server.requests == [0]


def test_a_post_is_not_sent_again() -> None:
    with scripted([SUCCESS], [SUCCESS]) as (server, url), default_transport(url) as transport:
        request = form_request(url, {"a": "b"}, {})
        assert send(transport, request, Limits()).status_code == 200
        with pytest.raises(Exception, match="without a response"):
            send(transport, request, Limits())

    assert server.requests == [0, 0]


@both_clients
def test_a_response_that_comes_before_the_request_is_sent_is_received(call: Caller) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def respond() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(SUCCESS)
            has_received_request(connection)

    thread = threading.Thread(target=respond)
    thread.start()
    with listener:
        assert call(f"http://127.0.0.1:{listener.getsockname()[1]}", 1) == [True]
    thread.join(60)


def used_connection(client: LeadConnector) -> tuple[SyncPool, Connection]:
    """The pool of a client, and its connection after a call. The test has taken it."""
    client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    pool = client._connections.transport()
    assert isinstance(pool, SyncPool)
    connection = pool._connections.take_idle()
    assert connection is not None
    return pool, connection


def test_a_connection_that_has_expired_before_it_is_returned_is_closed() -> None:
    """As in a process that was stopped at that moment."""
    with (
        scripted([SUCCESS]) as (_, url),
        LeadConnector(token=TOKEN, base_url=url, rate_limit=None) as client,
    ):
        pool, connection = used_connection(client)
        connection.idle_until = 0.0

        pool._connections.put_back(connection)

        assert pool._connections.take_idle() is None
        assert connection.socket.is_readable()  # as a closed one is


def test_an_idle_connection_has_no_data_of_its_last_response() -> None:
    with (
        scripted([SUCCESS]) as (_, url),
        LeadConnector(token=TOKEN, base_url=url, rate_limit=None) as client,
    ):
        pool, connection = used_connection(client)

        assert connection._parser.headers == []
        assert connection._parser.body == bytearray()
        pool._connections.discard(connection)


def test_a_request_that_fails_because_the_client_is_closed_is_not_called_unsent() -> None:
    with scripted([SUCCESS], [SUCCESS]) as (server, url), ThreadPoolExecutor(1) as threads:
        client = LeadConnector(token=TOKEN, base_url=url, rate_limit=None, retries=0)
        update = client.conversations.update_conversation
        update(CONVERSATION_ID, location_id=LOCATION_ID)
        server.before_close = client.close

        call = threads.submit(update, CONVERSATION_ID, location_id=LOCATION_ID)

        with pytest.raises(APIConnectionError) as caught:
            call.result()
    assert caught.value.failure == "lost"
    assert server.requests == [0, 0]
