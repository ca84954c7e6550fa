"""What the proxy sends to its upstream, and which configuration it rejects at its start."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector_emulator import (
    EmulatorTransport,
    Request,
    ValidatingProxy,
    upstream,
)
from leadconnector_emulator.cli import main
from leadconnector_emulator.hosts import leads_to
from leadconnector_emulator.upstream import Upstream, UpstreamAddress

from tests.emulator.test_proxy import SECONDS, address_of, free_port, head_lines, proxied
from tests.support.wire import serving

NO_CONTENT = head_lines("204 No Content")


def sent_and_received(request: bytes) -> tuple[bytes, bytes, int]:
    """What the API receives for the bytes of a client, the response, and the failed exchanges."""
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(10_000)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while lengths and len(body) < lengths[0]:
            body += connection.recv(10_000)
        received.append(head + b"\r\n\r\n" + body)
        connection.sendall(NO_CONTENT)

    with serving(serve) as server, proxied(f"http://127.0.0.1:{server.port}") as (proxy, client):
        with closing(socket.create_connection(address_of(client), SECONDS)) as connection:
            connection.sendall(request)
            response = b"".join(iter(lambda: connection.recv(10_000), b""))
        failed_exchanges = proxy.failed_exchanges
    return received[0], response, failed_exchanges


class TestRequest:
    @pytest.mark.parametrize("length", [0, 3, 5, 500])
    def test_the_length_is_that_of_the_body(self, length: int) -> None:
        head = (
            "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        data, response, failed_exchanges = sent_and_received(
            head.encode() + b"5\r\nhello\r\n0\r\n\r\n"
        )

        head_lines_of_data, _, body = data.partition(b"\r\n\r\n")
        assert body == b"hello"
        assert head_lines_of_data.lower().count(b"content-length: 5") == 1
        assert b"transfer-encoding" not in head_lines_of_data.lower()
        assert response.startswith(b"HTTP/1.1 204")
        assert failed_exchanges == 0

    @given(
        length=st.text(alphabet="0123456789, -+x", max_size=5),
        body=st.binary(max_size=10),
        method=st.sampled_from(["GET", "POST", "DELETE"]),
    )
    def test_any_length_of_the_client_is_replaced(
        self, length: str, body: bytes, method: str
    ) -> None:
        request = Request(method, "/x", {"content-length": length, "x-other": "1"}, body)
        headers = upstream._request_headers(request)
        assert headers == [(b"x-other", b"1"), (b"content-length", str(len(body)).encode())]

    def test_a_header_that_cannot_be_sent_is_a_failed_exchange(self) -> None:
        with ValidatingProxy(f"http://127.0.0.1:{free_port()}") as proxy:
            response = proxy.respond(Request("GET", "/x", {"x-name": "a\r\nb"}))
        assert response.status == 502
        assert proxy.failed_exchanges == 1

    def test_cookies_and_the_method_stay_as_they_are(self) -> None:
        data, _, _ = sent_and_received(
            b"foo /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Cookie: a=1\r\nX: 1\r\nCookie: b=2, c\r\nX: 2\r\n\r\n"
        )
        assert data.startswith(b"foo /x HTTP/1.1")
        assert b"a=1; b=2, c\r\n" in data
        assert b"x: 1, 2\r\n" in data.lower()

    def test_a_transport_joins_cookies_too(self) -> None:
        received: list[bytes] = []

        def serve(connection: socket.socket) -> None:
            received.append(connection.recv(10_000))
            connection.sendall(NO_CONTENT)

        headers = [(b"Cookie", b"a=1"), (b"Cookie", b"b=2"), (b"X-Name", "café".encode())]
        with serving(serve) as server:
            transport = EmulatorTransport(ValidatingProxy(f"http://127.0.0.1:{server.port}"))
            with httpx.Client(transport=transport, base_url="http://x") as client:
                response = client.get("/x", headers=headers)
            transport.emulator.close()
        assert response.status_code == 204
        assert b"a=1; b=2\r\n" in received[0]
        assert "café".encode() in received[0]


class TestAddress:
    @pytest.mark.parametrize(
        ("path", "escaped_path"),
        [
            ("/é", "/%C3%A9"),
            ("/a b", "/a%20b"),
            ("/ ", "/%20"),
            ('/"', "/%22"),
            ("/\\", "/%5C"),
            ("/v1/日本", "/v1/%E6%97%A5%E6%9C%AC"),
        ],
    )
    def test_a_path_that_a_url_cannot_have_is_rejected(self, path: str, escaped_path: str) -> None:
        with pytest.raises(ValueError, match="characters that a URL cannot have") as caught:
            UpstreamAddress(f"http://127.0.0.1:1{path}")
        assert escaped_path in str(caught.value)
        assert UpstreamAddress(f"http://127.0.0.1:1{escaped_path}").path == escaped_path.rstrip("/")

    @pytest.mark.parametrize("url", [" http://127.0.0.1:1/a", "https://a b/", "https://a<b/", " "])
    def test_a_host_that_a_url_cannot_have_is_rejected(self, url: str) -> None:
        with pytest.raises(ValueError, match="must be a URL such as https://HOST"):
            UpstreamAddress(url)

    @given(st.text(max_size=20))
    def test_every_accepted_path_can_be_sent(self, text: str) -> None:
        try:
            address = UpstreamAddress(f"http://127.0.0.1:1/{text}")
        except ValueError:
            return
        request = Upstream(address)._prepared(Request("GET", "/x", {}))
        assert request.extensions["target"] == f"{address.path}/x".encode("ascii")

    def test_an_upstream_that_is_the_proxy_itself_is_rejected(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port = free_port()
        options = ["--port", str(port), "--upstream", f"http://localhost:{port}/v1"]
        assert main(options) == 2
        assert "is the address of this proxy itself" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("url", "host", "is_own"),
        [
            ("http://127.0.0.1:8080", "127.0.0.1", True),
            ("http://localhost:8080", "0.0.0.0", True),
            ("http://127.0.0.2:8080", "0.0.0.0", True),
            ("http://[::1]:8080", "::", True),
            ("http://127.0.0.2:8080", "127.0.0.1", False),
            ("http://127.0.0.1:8081", "127.0.0.1", False),
            ("https://127.0.0.1", "127.0.0.1", False),
            ("http://api.invalid:8080", "127.0.0.1", False),
        ],
    )
    def test_the_own_address_is_recognized(self, url: str, host: str, is_own: bool) -> None:
        assert leads_to(url, host, 8080) == is_own


class TestEnvironment:
    @pytest.mark.parametrize(
        "proxy", ["ftp://proxy.test", "http://:1", "http://proxy.test:99999", "http://a b:1"]
    )
    @pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_an_invalid_proxy_is_rejected_with_the_name_of_the_variable(
        self, name: str, proxy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, proxy)
        with pytest.raises(ValueError, match=f"{name} is not the URL of a proxy"):
            Upstream(UpstreamAddress("https://api.test"))

    def test_a_proxy_that_is_down_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"user:pass-word@127.0.0.1:{free_port()}")
        with ValidatingProxy("https://api.test") as proxy:
            response = proxy.respond(Request("GET", "/x", {}))
        assert response.status == 502
        assert b"https://api.test (through the proxy in HTTPS_PROXY) cannot be" in response.body
        assert b"pass-word" not in response.body

    @pytest.mark.parametrize("content", [None, b"no certificate"])
    def test_certificates_that_cannot_be_read_are_named(
        self, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(ValueError, match="correct SSL_CERT_FILE="):
            Upstream(UpstreamAddress("https://api.test"))
