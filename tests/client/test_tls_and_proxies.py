"""Connections that cannot be made: untrusted certificates, other protocols, rejecting proxies."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from leadconnector import APIConnectionError, APITimeoutError, RateLimit
from leadconnector._runtime.http import failure_of, is_final
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

from tests.support.calling import LOCATION_ID, Caller, Clock, call_async, call_sync, responding
from tests.support.outside import Connections, hanging_up


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of `localhost`, and its key."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    key = path.with_suffix(".key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command += " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", f"{key}", "-out", f"{path}"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


@contextmanager
def tls_server(serve: Callable[[socket.socket], None]) -> Generator[Connections]:
    """A server at an https URL.

    Args:
        serve: serves one connection.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    connections = Connections(f"https://localhost:{listener.getsockname()[1]}")

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.count += 1
                with suppress(OSError), connection:
                    serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield connections
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


def handshake_with(certificate: Path) -> Callable[[socket.socket], None]:
    """Makes a TLS handshake, and then hangs up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    return serve


def respond_without_tls(connection: socket.socket) -> None:
    """Responds as a server of plain http does."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    """Reads the first message of the handshake, and hangs up."""
    connection.recv(65536)


def rate_limit_after(call: Caller, transport: Any, base_url: str | None) -> RateLimit:
    """Make a call that fails for good before it sends a request. Returns its rate limit."""
    clock = Clock()
    rate_limit = RateLimit(limit=1, clock=clock)
    options = {"base_url": base_url, "rate_limit": rate_limit}
    with pytest.raises(APIConnectionError) as caught:
        call(transport, options=options, clock=clock)

    assert not isinstance(caught.value, APITimeoutError)
    assert caught.value.failure == "never sent"
    assert caught.value.attempts == 1
    assert clock.waits == []
    return rate_limit


# Certificates.


@pytest.mark.parametrize(
    ("make_call", "transport"),
    [
        (call_sync, None),
        (call_async, None),
        (call_async, AiohttpTransport),
        (call_sync, SyncHttpxTransport),
        (call_async, HttpxTransport),
    ],
)
def test_an_untrusted_certificate_is_final_and_nothing_is_sent(
    certificate: Path, make_call: Caller, transport: Callable[[], Any] | None
) -> None:
    with tls_server(handshake_with(certificate)) as server:
        used = None if transport is None else transport()
        rate_limit = rate_limit_after(make_call, used, server.url)

    assert server.count == 1
    assert rate_limit.reserve(LOCATION_ID).wait == 0


def test_a_certificate_of_another_host_is_final_and_nothing_is_sent(
    certificate: Path, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_server(handshake_with(certificate)) as server:
        url = server.url.replace("localhost", "127.0.0.1")
        rate_limit = rate_limit_after(call, None, url)

    assert server.count == 1
    assert rate_limit.reserve(LOCATION_ID).wait == 0


def test_a_server_without_tls_is_final_and_nothing_is_sent(call: Caller) -> None:
    with tls_server(respond_without_tls) as server:
        rate_limit_after(call, None, server.url)

    assert server.count == 1


def test_a_connection_that_ends_within_its_handshake_is_retried(call: Caller) -> None:
    with tls_server(hang_up) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": server.url})

    assert caught.value.failure == "never sent"
    assert server.count == 3


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (ssl.SSLCertVerificationError(1, "hostname mismatch"), True),
        (tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), True),
        (tls_error("TLSV1_ALERT_PROTOCOL_VERSION"), True),
        (tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), True),
        (tls_error("UNEXPECTED_EOF_WHILE_READING"), False),
        (tls_error("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), False),
        (ssl.SSLZeroReturnError(6, "closed"), False),
        (ConnectionRefusedError("refused"), False),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_only_a_tls_error_that_a_repetition_cannot_change_is_final(
    call: Caller, error: OSError, final: bool, is_wrapped: bool
) -> None:
    requests: list[httpx.Request] = []

    def respond() -> httpx.Response:
        if is_wrapped:
            raise httpx.ConnectError("no connection") from error
        raise error

    with pytest.raises(APIConnectionError):
        call(responding(respond, requests))

    assert len(requests) == (1 if final else 3)


def test_an_earlier_certificate_error_that_the_caller_handles_does_not_matter(
    call: Caller,
) -> None:
    def respond() -> httpx.Response:
        raise httpx.ReadError("reset")

    def update() -> None:
        try:
            raise ssl.SSLCertVerificationError(1, "of another connection")
        except ssl.SSLCertVerificationError:
            call(responding(respond))

    with pytest.raises(APIConnectionError) as caught:
        update()

    assert caught.value.attempts == 3
    assert caught.value.failure == "lost"


# Proxies.


def test_a_407_of_a_proxy_of_another_library_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging_up(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        rate_limit_after(call_sync, SyncHttpxTransport(), None)
        proxy_options = httpx.Proxy(proxy.url)
        rate_limit_after(call_async, AiohttpTransport(proxy=proxy_options), None)

    assert proxy.count == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 451, 501])
def test_a_proxy_that_rejects_the_connection_is_final_and_nothing_is_sent(
    call: Caller, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    response = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    with hanging_up(response) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        rate_limit = rate_limit_after(call, None, None)

    assert proxy.count == 1
    assert rate_limit.reserve(LOCATION_ID).wait == 0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_temporary_failure_of_a_proxy_is_retried(
    call: Caller, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    response = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    with hanging_up(response) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(APIConnectionError) as caught:
            call(None)

    assert proxy.count == 3
    assert caught.value.failure == "never sent"


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("407 Proxy Authentication Required", True),
        ("407, message='Proxy Authentication Required', url='http://proxy:3128'", True),
        ("Invalid username/password", True),
        ("Requested NO AUTHENTICATION REQUIRED from proxy server, but got 0x02", True),
        ("Proxy Server could not connect: Host unreachable.", False),
        ("503 Service Unavailable", False),
        ("", False),
    ],
)
def test_the_error_of_a_proxy_is_final_by_its_text(text: str, final: bool) -> None:
    error = httpx.ProxyError(text)

    assert is_final(error) == final
    assert failure_of(error) == "never sent"


@pytest.mark.parametrize("response", [b"", None, b"SSH-2.0-OpenSSH\r\n", b"\x05"])
def test_nothing_is_sent_to_a_proxy_that_does_not_open_the_connection(
    call: Caller, monkeypatch: pytest.MonkeyPatch, response: bytes | None
) -> None:
    with hanging_up(response) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(APIConnectionError) as caught:
            call(None, options={"retries": 0})

    assert caught.value.failure == "never sent"


def test_nothing_is_sent_to_a_proxy_that_hangs(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with pytest.raises(APITimeoutError) as caught:
            call(None, options={"retries": 0, "timeout": 0.3})

    assert caught.value.failure == "never sent"


@pytest.mark.parametrize("status", [407, 403, 503, 599])
def test_the_reason_phrase_of_a_proxy_is_not_repeated(
    call: Caller, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    reason = b"HTTP/1.1 %d name:hidden is not Basic bmFtZTpoaWRkZW4=\r\nContent-Length: 0\r\n\r\n"
    with hanging_up(reason % status) as proxy:
        url = proxy.url.replace("http://", "http://name:hidden@")
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(APIConnectionError, match=str(status)) as caught:
            call(None, options={"retries": 0})

    report = "".join(traceback.format_exception(caught.value))
    assert "hidden" not in report
    assert "bmFtZTpoaWRkZW4=" not in report
