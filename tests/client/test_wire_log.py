"""What a client logs about its connections at DEBUG: the host and the status, nothing private."""

from __future__ import annotations

import logging
import re
import socket

import pytest
from leadconnector import APIConnectionError, LeadConnector

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN, Caller
from tests.support.switchable import SUCCESS, Certificate, make_certificate
from tests.support.wire import receive_request, receive_until, relay, serving

SECRETS = [TOKEN, CONVERSATION_ID, LOCATION_ID, "hidden", "contact"]
PRIVATE_SUCCESS = SUCCESS.replace(
    b"OK\r\n", b"OK hidden\r\nX-Trace: hidden\r\nConnection: close\r\n"
)


@pytest.fixture
def certificate(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Certificate:
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    return certificate


@pytest.fixture(autouse=True)
def at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "leadconnector")


def bypass_no_proxy(_: str) -> bool:
    return False


def respond(connection: socket.socket) -> None:
    receive_request(connection)
    connection.sendall(PRIVATE_SUCCESS)


def messages_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages, with each number as N. They show no secret."""
    for secret in SECRETS:
        assert secret not in caplog.text
    messages = [record.getMessage() for record in caplog.records]
    return [re.sub(r"(?<=port )\d+|\d+(?= bytes)", "N", message) for message in messages]


def test_a_call_logs_each_step(
    call: Caller, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(respond, certificate.server_context()) as server:
        assert call(None, options={"base_url": server.url}).success

    assert f"connects to localhost, port {server.port}" in caplog.text
    assert "received the head of a response: 200" in caplog.text
    assert messages_of(caplog) == [
        "connects to localhost, port N",
        "TLS has started: TLSv1.3",
        "connected to localhost, port N",
        "sent a request: N bytes",
        "received the head of a response: 200",
        "received the body of a response: N bytes",
        "closed a connection",
    ]


def test_a_call_through_a_proxy_logs_no_password(
    call: Caller,
    certificate: Certificate,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def proxy(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", api.port)) as remote:
            connection.sendall(b"HTTP/1.1 200 hidden\r\nVia: hidden\r\n\r\n")
            relay(connection, remote)

    monkeypatch.setattr("leadconnector._runtime.http.urls.proxy_bypass", bypass_no_proxy)
    with serving(respond, certificate.server_context()) as api, serving(proxy) as server:
        monkeypatch.setenv("https_proxy", f"http://name:hidden@127.0.0.1:{server.port}")
        assert call(None, options={"base_url": api.url}).success

    assert messages_of(caplog)[:4] == [
        "connects to 127.0.0.1, port N",
        "has the proxy connect to localhost, port N",
        "TLS has started: TLSv1.3",
        "connected to localhost, port N",
    ]


def test_a_connection_that_is_used_again_and_one_that_was_closed_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def serve(connection: socket.socket) -> None:
        for _ in range(2):
            receive_request(connection)
            connection.sendall(SUCCESS)
        # This request gets no response.
        receive_request(connection)

    with (
        serving(serve) as server,
        LeadConnector(token=TOKEN, base_url=server.url, rate_limit=None) as client,
    ):
        for _ in range(3):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    messages = messages_of(caplog)
    assert messages.count("uses a connection again") == 2
    resent = "the server had closed the connection: sends the request once more"
    assert messages.count(resent) == 1
    assert messages.count("sent a request: N bytes") == 4


def test_a_failed_call_logs_the_end_of_its_connection(
    call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        connection.sendall(b"hidden")

    with serving(serve) as server, pytest.raises(APIConnectionError):
        call(None, options={"base_url": server.url, "retries": 0})

    assert messages_of(caplog)[-1] == "closed a connection"
