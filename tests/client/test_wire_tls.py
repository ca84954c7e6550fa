"""TLS with certificates that are not valid, over IPv6, and with servers that break it off."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from leadconnector import APIConnectionError, APITimeoutError

from tests.support.calling import Caller
from tests.support.switchable import SUCCESS, Certificate
from tests.support.wire import receive_request, serving

AUTHORITY = """
[ca]
default_ca = authority
[authority]
database = index.txt
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectAltName = {names}
"""


def make_certificate_of(folder: Path, names: str, ends_at: str) -> Certificate:
    """A certificate that signs itself.

    Args:
        folder: a new folder.
        names: its names, for openssl.
        ends_at: when it expires, as YYYYMMDDHHMMSSZ.
    """
    folder.mkdir()
    (folder / "index.txt").touch()
    (folder / "authority.cnf").write_text(AUTHORITY.format(names=names), encoding="ascii")
    request = "req -new -nodes -subj /CN=localhost -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    request += " -keyout key.pem -out request.pem"
    signature = "ca -batch -selfsign -config authority.cnf -keyfile key.pem -in request.pem"
    signature += f" -startdate 20200101000000Z -enddate {ends_at} -notext -out certificate.pem"
    for command in (request, signature):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    path = folder / "certificate.pem"
    path.write_bytes(path.read_bytes() + (folder / "key.pem").read_bytes())
    return Certificate(path)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certificates")
    future = "20990101000000Z"
    return {
        "expired": make_certificate_of(folder / "expired", "DNS:localhost", "20200102000000Z"),
        "wrong name": make_certificate_of(folder / "name", "DNS:other.invalid", future),
        "IPv6": make_certificate_of(folder / "IPv6", "IP:::1", future),
        "valid": make_certificate_of(folder / "valid", "DNS:localhost", future),
    }


def respond(connection: socket.socket) -> None:
    receive_request(connection)
    connection.sendall(SUCCESS)


def refused(call: Caller, url: str) -> APIConnectionError:
    """The error of a call that is not retried, and sends nothing."""
    with pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": url})
    assert not isinstance(caught.value, APITimeoutError)
    assert (caught.value.failure, caught.value.attempts) == ("never sent", 1)
    return caught.value


@pytest.mark.parametrize(
    ("name", "reason"), [("expired", "certificate has expired"), ("wrong name", "localhost")]
)
def test_an_invalid_certificate_is_final_and_nothing_is_sent(
    call: Caller,
    certificates: dict[str, Certificate],
    name: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = certificates[name]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with serving(respond, certificate.server_context()) as server:
        error = refused(call, server.url)

    assert reason in str(error)
    # The handshake failed, so that there was no TLS connection.
    assert [type(connection) for connection in server.connections] == [socket.socket]


def test_an_unknown_certificate_is_final_and_nothing_is_sent(
    call: Caller, certificates: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["IPv6"].path))
    with serving(respond, certificates["valid"].server_context()) as server:
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused(call, server.url))


def test_an_ipv6_address_in_a_certificate_is_checked(
    call: Caller, certificates: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["IPv6"].path))
    with serving(respond, certificates["IPv6"].server_context(), "::1") as server:
        url = f"https://[::1]:{server.port}"
        assert call(None, options={"base_url": url, "retries": 0}).success

    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["valid"].path))
    with serving(respond, certificates["valid"].server_context(), "::1") as server:
        refused(call, f"https://[::1]:{server.port}")


def test_a_client_offers_http_1_1_only(
    call: Caller, certificates: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    protocols: list[str | None] = []

    def record(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        protocols.append(connection.selected_alpn_protocol())
        respond(connection)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["valid"].path))
    context = certificates["valid"].server_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with serving(record, context) as server:
        assert call(None, options={"base_url": server.url, "retries": 0}).success

    assert protocols == ["http/1.1"]


HELLO_REQUESTS = b"\x16\x03\x03\0\x04\0\0\0\0" * 100_000
"""A message that clients skip during a handshake (RFC 5246, section 7.4.1.1), without an end."""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\x16\x03\x03\xff\xff",
        b"\x15\x03\x03\0\x02\x02\x28",
        b"x" * 300_000,
        HELLO_REQUESTS,
    ],
    ids=["nothing", "a byte", "the start of a record", "an alert", "no TLS", "no end"],
)
def test_what_is_no_handshake_is_an_error_before_anything_is_sent(
    call: Caller, data: bytes
) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(data)

    with serving(serve) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": f"https://localhost:{server.port}", "retries": 0})

    assert caught.value.failure == "never sent"


@pytest.mark.parametrize("length", [0, 10, len(SUCCESS) - 1])
def test_tls_that_is_cut_off_is_a_lost_response(
    call: Caller,
    certificates: dict[str, Certificate],
    length: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        connection.sendall(SUCCESS[:length])

    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["valid"].path))
    with (
        serving(serve, certificates["valid"].server_context()) as server,
        pytest.raises(APIConnectionError) as caught,
    ):
        call(None, options={"base_url": server.url, "retries": 0})

    assert caught.value.failure == "lost"
