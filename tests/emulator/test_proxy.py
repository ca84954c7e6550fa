"""The validating proxy passes everything on unchanged, and never hangs or stores a credential."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from leadconnector import LeadConnector, ServerError
from leadconnector_emulator import (
    Emulator,
    EmulatorApp,
    EmulatorTransport,
    Fault,
    Finding,
    Recorder,
    Request,
    Response,
    Server,
    ValidatingProxy,
    upstream,
)
from leadconnector_emulator import proxy as proxy_module
from leadconnector_emulator.cli import main
from leadconnector_emulator.exchange_check import ExchangeCheck
from leadconnector_emulator.proxy_cli import add_proxy_options
from leadconnector_emulator.redaction import ExchangeRedaction, Redaction

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY, TOKEN
from tests.support.compression import gzipped
from tests.support.paths import ROOT
from tests.support.wire import receive_request, serving

PATH = f"/conversations/{CONVERSATION_ID}"
SECONDS = 60
"""A bound, so that no test hangs on a busy machine."""

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": "2021-07-28",
    "Content-Type": "application/json",
}
BODY = {"locationId": LOCATION_ID, "starred": True}
SUCCESS = json.dumps(SUCCESS_BODY).encode()


# The API of `upstream_sending` ends each connection. A test with several requests has to say so:
# the proxy could send the next request on the connection that is about to end.
CLOSE = "Connection: close"


@contextmanager
def upstream_sending(data: bytes, heads: list[bytes] | None = None) -> Generator[str]:
    """The URL of an API that sends these bytes after each request, and ends the connection."""

    def serve(connection: socket.socket) -> None:
        head = receive_request(connection)
        if heads is not None:
            heads.append(head)
        connection.sendall(data)

    with serving(serve) as server:
        yield f"http://127.0.0.1:{server.port}"


@contextmanager
def proxied(url: str, **options: Any) -> Generator[tuple[ValidatingProxy, httpx.Client]]:
    """A proxy on a socket, and a client of it."""
    with (
        ValidatingProxy(url, **options) as proxy,
        Server(proxy) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=SECONDS) as client,
    ):
        yield proxy, client


def head_lines(status: str, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


class TestUnchanged:
    def test_status_headers_and_body_are_those_of_the_api(self) -> None:
        body = gzipped(SUCCESS)
        lines = [
            "Content-Type: application/json",
            "Content-Encoding: gzip",
            f"content-length: {len(body)}",
            "Set-Cookie: a=1",
            "X-Name: caf\xe9",
            "Set-Cookie: b=2",
            "Connection: close, X-Hop",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
        ]
        with upstream_sending(head_lines("200 Fine", *lines) + body) as url, proxied(url) as pair:
            proxy, client = pair
            with client.stream("PUT", PATH, json=BODY, headers=HEADERS) as response:
                received = b"".join(response.iter_raw())

        assert response.status_code == 200
        assert received == body
        assert response.headers.raw == [
            (b"Content-Type", b"application/json"),
            (b"Content-Encoding", b"gzip"),
            (b"content-length", str(len(body)).encode()),
            (b"Set-Cookie", b"a=1"),
            (b"X-Name", b"caf\xe9"),
            (b"Set-Cookie", b"b=2"),
        ]
        assert proxy.findings == []
        assert proxy.unchecked_exchanges == 0

    def test_the_request_arrives_with_its_target_headers_and_body(self) -> None:
        heads: list[bytes] = []
        data = head_lines("204 No Content")
        with upstream_sending(data, heads) as url, proxied(f"{url}/api/") as (proxy, client):
            target = "/a%2Fb/../%7Bc%7D//d?x=%41&y=a+b;c"
            with closing(socket.create_connection(address_of(client), SECONDS)) as connection:
                connection.sendall(
                    f"DELETE {target} HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\nTE: trailers\r\n"
                    "Connection: close, X-Hop\r\nX-Hop: 1\r\nUpgrade: h2c\r\n"
                    "Accept-Encoding: br, gzip;q=0.5\r\nAuthorization: Bearer abc\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".encode()
                )
                assert connection.recv(1000).startswith(b"HTTP/1.1 204")

        request_line, *lines = heads[0].decode().split("\r\n")
        assert request_line == f"DELETE /api{target} HTTP/1.1"
        headers = dict(line.lower().split(": ", 1) for line in lines)
        assert headers == {
            "host": url.removeprefix("http://"),
            "x-own": "1",
            "accept-encoding": "gzip;q=0.5",
            "authorization": "bearer abc",
            "content-length": "3",
        }
        assert [finding.rule for finding in proxy.findings] == ["endpoint-added"]

    def test_no_header_of_an_http_library_is_added(self) -> None:
        heads: list[bytes] = []
        with (
            upstream_sending(head_lines("200 OK", "Content-Length: 0"), heads) as url,
            proxied(url) as (_, client),
            closing(socket.create_connection(address_of(client), SECONDS)) as connection,
        ):
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")

        names = [line.partition(b":")[0].lower() for line in heads[0].split(b"\r\n")[1:]]
        assert names == [b"host"]

    def test_head_has_the_length_of_the_body_that_it_lacks(self) -> None:
        data = head_lines("200 OK", "Content-Length: 12345", "Content-Type: text/plain")
        with upstream_sending(data) as url, proxied(url) as (_, client):
            response = client.head("/x")

        assert response.headers["content-length"] == "12345"
        assert response.content == b""

    def test_a_redirect_is_passed_on_and_not_followed(self) -> None:
        heads: list[bytes] = []
        data = head_lines("302 Found", "Location: http://127.0.0.1:9/x", "Content-Length: 0")
        with upstream_sending(data, heads) as url, proxied(url) as (_, client):
            response = client.put(PATH, json=BODY, headers=HEADERS)

        assert (response.status_code, response.headers["location"]) == (302, "http://127.0.0.1:9/x")
        assert len(heads) == 1

    def test_interim_responses_and_chunks_are_one_complete_response(self) -> None:
        data = head_lines("103 Early Hints", "Link: </x>") + head_lines(
            "200 OK", "Transfer-Encoding: chunked", "Content-Type: application/json"
        )
        data += f"{len(SUCCESS):x}\r\n".encode() + SUCCESS + b"\r\n0\r\n\r\n"
        with upstream_sending(data) as url, proxied(url) as (proxy, client):
            response = client.put(PATH, json=BODY, headers=HEADERS)

        assert response.content == SUCCESS
        assert response.headers["content-length"] == str(len(SUCCESS))
        assert "transfer-encoding" not in response.headers
        assert proxy.findings == []

    def test_the_root_of_the_api_is_not_the_page(self) -> None:
        with (
            upstream_sending(head_lines("200 OK", "Content-Length: 3", CLOSE) + b"api") as url,
            proxied(url) as (_, client),
        ):
            assert client.get("/").text == "api"
            assert client.get("/openapi.json").text == "api"
            assert "Request log" in client.get("/_emulator/").text
            assert client.get("/_emulator/openapi.json").json()["openapi"] == "3.1.0"

    def test_a_large_body_passes_in_both_directions(self) -> None:
        lengths: list[int] = []

        class Echo(Emulator):
            maximum_body = 40 * 1024 * 1024

            def respond(self, request: Request) -> Response:
                lengths.append(len(request.body))
                return Response(200, request.body, {"Content-Type": "application/octet-stream"})

        content = os.urandom(5 * 1024 * 1024)
        with Server(Echo()) as api, proxied(api.url) as (_, client):
            response = client.post("/upload", content=content)

        assert response.content == content
        assert lengths == [len(content)]

    def test_the_client_library_works_through_it(self) -> None:
        emulator = Emulator(tokens=[TOKEN])
        with (
            Server(emulator) as api,
            ValidatingProxy(api.url) as proxy,
            Server(proxy) as server,
            LeadConnector(token=TOKEN, base_url=server.url) as client,
        ):
            updated = client.conversations.update_conversation(
                emulator.example["id"], location_id=emulator.example["locationId"], starred=False
            )
            emulator.set_faults(Fault(status=503))
            with pytest.raises(ServerError):
                client.with_options(retries=0).conversations.update_conversation(
                    emulator.example["id"], location_id=emulator.example["locationId"]
                )

        assert updated.success
        assert [finding.value for finding in proxy.findings] == ["503"]

    def test_the_transport_keeps_repeated_headers_and_one_length(self) -> None:
        lines = ["content-length: 2", "Set-Cookie: a=1", "Set-Cookie: b=2"]
        with (
            upstream_sending(head_lines("200 OK", *lines) + b"ok") as url,
            ValidatingProxy(url) as proxy,
            httpx.Client(transport=EmulatorTransport(proxy), base_url="http://proxy") as client,
        ):
            response = client.get("/x")

        assert response.headers.get_list("content-length") == ["2"]
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]

    def test_the_other_interfaces_pass_requests_on(self) -> None:
        emulator = Emulator(tokens=[TOKEN])

        async def call(transport: httpx.AsyncBaseTransport) -> int:
            async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
                response = await client.put(PATH, json=BODY, headers=HEADERS)
                return response.status_code

        with Server(emulator) as api, ValidatingProxy(api.url) as proxy:
            app = EmulatorApp(proxy)
            statuses = [
                asyncio.run(call(httpx.ASGITransport(app=app))),
                asyncio.run(call(EmulatorTransport(proxy))),
                proxy.respond(Request("PUT", PATH, {"authorization": f"Bearer {TOKEN}"})).status,
            ]

        assert statuses == [200, 200, 401]
        assert len(proxy.exchanges) == 3


def address_of(client: httpx.Client) -> tuple[str, int]:
    return client.base_url.host, client.base_url.port or 0


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def hanging(connection: socket.socket) -> None:
    """Respond with a head, and with nothing after it, until the other side ends the connection."""
    receive_request(connection)
    connection.sendall(head_lines("200 OK", "Content-Length: 10") + b"half")
    with suppress(OSError):
        connection.recv(1)


def silent(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(10_000):
            pass


GARBAGE: list[tuple[bytes, str]] = [
    (b"", "did not send a complete response"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "did not send a complete response"),
    (b"\x00" * 1000, "did not send a complete response"),
    (head_lines("200 OK", "Content-Length: 100") + b"half", "did not send a complete response"),
    (
        head_lines("200 OK", "Transfer-Encoding: chunked") + b"5\r\nab",
        "did not send a complete response",
    ),
    (
        head_lines("200 OK", "Transfer-Encoding: chunked") + b"zz\r\nab",
        "did not send a complete response",
    ),
    (head_lines("200 OK", "Content-Length: -1"), "did not send a complete response"),
    (head_lines("200 OK", "X a: b"), "did not send a complete response"),
    (head_lines("101 Switching Protocols", "Upgrade: h2c", "Connection: upgrade"), ""),
]


class TestFailures:
    """The client gets a JSON response that says what is wrong, and never a part of a response."""

    @staticmethod
    def failed(url: str, status: int, **options: Any) -> str:
        with proxied(url, **options) as (proxy, client):
            response = client.put(PATH, json=BODY, headers=HEADERS)
        assert response.status_code == status
        assert response.headers["x-emulator-error"] == "upstream"
        assert response.json()["statusCode"] == status
        assert proxy.failed_exchanges == 1
        assert proxy.findings == []
        (exchange,) = proxy.exchanges
        assert exchange.response.status == status
        return str(response.json()["message"])

    @pytest.mark.parametrize(("data", "reason"), GARBAGE)
    def test_garbage_and_half_responses(self, data: bytes, reason: str) -> None:
        with upstream_sending(data) as url:
            message = self.failed(url, 502)

        assert url in message
        assert reason in message

    def test_an_api_that_is_down(self) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        message = self.failed(url, 502)

        assert message.startswith(f"{url} cannot be reached")
        assert "Nothing was sent. Check the address after --upstream" in message

    def test_a_fault_does_not_change_the_reason(self) -> None:
        with ValidatingProxy(f"http://127.0.0.1:{free_port()}", faults=[Fault(drip=9)]) as proxy:
            response = proxy.respond(Request("GET", "/x", {}))

        assert (response.status, response.delivery.is_plain) == (502, True)
        assert [exchange.fault for exchange in proxy.exchanges] == [None]

    def test_an_unknown_host(self) -> None:
        message = self.failed("https://api.invalid", 502)

        assert message.startswith("the host of https://api.invalid was not found")

    @pytest.mark.parametrize("serve", [hanging, silent])
    def test_an_api_that_does_not_respond(self, serve: Callable[[socket.socket], None]) -> None:
        with serving(serve) as server:
            message = self.failed(f"http://127.0.0.1:{server.port}", 504, deadline=0.3)

        assert "did not send a complete response within 0.3 seconds" in message
        assert "--deadline" in message

    def test_an_api_that_sends_one_byte_at_a_time(self) -> None:
        """Each read is short, so that only a limit for the whole exchange ends it."""
        is_over = threading.Event()

        def drip(connection: socket.socket) -> None:
            receive_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            with suppress(OSError):
                while not is_over.wait(0.02):
                    connection.sendall(b"a")

        with serving(drip) as server:
            message = self.failed(f"http://127.0.0.1:{server.port}", 504, deadline=0.3)
            is_over.set()

        assert "within 0.3 seconds" in message

    def test_a_body_that_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upstream, "MAXIMUM_RESPONSE_BYTES", 10)
        with upstream_sending(head_lines("200 OK", "Content-Length: 11") + b"a" * 11) as url:
            message = self.failed(url, 502)

        assert "sent a body of more than 10 bytes" in message

    def test_an_untrusted_certificate(self, certificate: Path) -> None:
        with tls_api(certificate) as url:
            message = self.failed(url, 502)

        assert message.startswith(f"the certificate of {url} is not trusted")
        assert "SSL_CERT_FILE" in message

    def test_a_trusted_certificate(self, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=str(certificate))
        with tls_api(certificate) as url, proxied(url, ssl_context=context) as (proxy, client):
            response = client.put(PATH, json=BODY, headers=HEADERS)

        assert response.content == SUCCESS
        assert proxy.failed_exchanges == 0

    def test_plain_http_at_an_https_address(self) -> None:
        def serve(connection: socket.socket) -> None:
            connection.recv(10_000)
            connection.sendall(head_lines("400 Bad Request", "Content-Length: 0"))

        with serving(serve) as server:
            message = self.failed(f"https://127.0.0.1:{server.port}", 502)

        assert "does not speak TLS" in message

    def test_a_request_that_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ValidatingProxy, "maximum_body", 1000)
        heads: list[bytes] = []

        async def call(proxy: ValidatingProxy) -> httpx.Response:
            transport = httpx.ASGITransport(app=EmulatorApp(proxy))
            async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
                return await client.put(PATH, content=b"a" * 3000)

        with upstream_sending(head_lines("200 OK"), heads) as url, proxied(url) as (proxy, client):
            responses = [client.put(PATH, content=b"a" * 3000), asyncio.run(call(proxy))]

        assert heads == []
        for response in responses:
            assert response.status_code == 413
            assert response.json()["message"] == "a body may have 1000 bytes"

    def test_a_request_for_another_host(self) -> None:
        heads: list[bytes] = []
        with (
            upstream_sending(head_lines("204 No Content"), heads) as url,
            proxied(url) as (_, client),
        ):
            for target in ("http://127.0.0.1:9/x", "*", "127.0.0.1:9"):
                method = "CONNECT" if target.endswith(":9") else "OPTIONS"
                with closing(socket.create_connection(address_of(client), SECONDS)) as connection:
                    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode())
                    received = b"".join(iter(lambda: connection.recv(10_000), b""))
                assert b"this is no proxy for other hosts" in received, target

        assert heads == []

    def test_requests_that_wait_for_the_api_do_not_block_others(self) -> None:
        is_waiting = threading.Event()
        may_respond = threading.Event()

        def serve(connection: socket.socket) -> None:
            head = receive_request(connection)
            if b"/slow" in head:
                is_waiting.set()
                may_respond.wait(SECONDS)
            connection.sendall(head_lines("204 No Content"))

        with serving(serve) as server, proxied(f"http://127.0.0.1:{server.port}") as (_, client):
            statuses: list[int] = []
            thread = threading.Thread(
                target=lambda: statuses.append(client.get("/slow").status_code)
            )
            thread.start()
            assert is_waiting.wait(SECONDS)
            assert client.get("/fast").status_code == 204
            assert client.get("/_emulator/log").status_code == 200
            may_respond.set()
            thread.join(SECONDS)
            assert statuses == [204]

    def test_a_client_that_leaves_ends_the_request_to_the_api(self) -> None:
        is_waiting = threading.Event()
        has_ended = threading.Event()

        def serve(connection: socket.socket) -> None:
            receive_request(connection)
            is_waiting.set()
            if connection.recv(1) == b"":
                has_ended.set()

        with serving(serve) as server, proxied(f"http://127.0.0.1:{server.port}") as (_, client):
            with closing(socket.create_connection(address_of(client), SECONDS)) as connection:
                connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                assert is_waiting.wait(SECONDS)
            assert has_ended.wait(SECONDS)

    def test_closing_ends_what_is_under_way(self) -> None:
        with serving(silent) as server:
            proxy = ValidatingProxy(f"http://127.0.0.1:{server.port}")
            future = proxy.submit(Request("GET", "/x", {}))
            proxy.close()
            proxy.close()

        assert future.cancelled()
        with pytest.raises(CancelledError):
            future.result()
        with pytest.raises(RuntimeError, match="the proxy is closed"):
            proxy.respond(Request("GET", "/x", {}))

    def test_a_client_of_a_proxy_that_is_closed_does_not_wait(self) -> None:
        is_waiting = threading.Event()

        def serve(connection: socket.socket) -> None:
            receive_request(connection)
            is_waiting.set()
            silent(connection)

        with (
            serving(serve) as server,
            proxied(f"http://127.0.0.1:{server.port}") as (proxy, client),
            closing(socket.create_connection(address_of(client), SECONDS)) as connection,
        ):
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert is_waiting.wait(SECONDS)
            proxy.close()
            assert connection.recv(1000).startswith(b"HTTP/1.1 502 ")


def malformed_request(field: str) -> Request:
    """A request that no interface creates."""
    values: dict[str, Any] = {"method": "GET", "target": "/x", "headers": {}, "body": b""}
    values[field] = None
    return Request(**values)


class TestFailuresOfTheProxy:
    @pytest.mark.parametrize("field", ["method", "target", "headers", "body"])
    def test_a_malformed_request_gets_a_response_and_the_proxy_works_on(self, field: str) -> None:
        with upstream_sending(head_lines("204 No Content")) as url, ValidatingProxy(url) as proxy:
            response = proxy.submit(malformed_request(field)).result(SECONDS)
            assert proxy.respond(Request("GET", "/x", {})).status == 204

        assert response.status == 502
        assert "the proxy failed with this exchange" in json.loads(response.body)["message"]
        assert proxy.failed_exchanges == 1
        assert len(proxy.exchanges) == 1

    @pytest.mark.parametrize("target", ["/\u20ac", "/x?\u20ac=1"])
    def test_a_target_that_cannot_be_sent_gets_a_response(self, target: str) -> None:
        with ValidatingProxy("http://127.0.0.1:9") as proxy:
            assert proxy.respond(Request("GET", target, {})).status == 502

    @pytest.mark.parametrize(
        ("owner", "name"),
        [(Redaction, "exchange"), (ExchangeRedaction, "finding"), (Recorder, "add")],
    )
    def test_an_exchange_with_which_the_proxy_fails_is_not_half_stored(
        self,
        owner: type,
        name: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*arguments: object) -> None:
            raise LookupError("secret-12345")

        report = tmp_path / "findings.jsonl"
        record = tmp_path / "record.jsonl"
        received: list[Finding] = []
        data = head_lines("418 Teapot", "Content-Length: 0", CLOSE)
        with (
            upstream_sending(data) as url,
            Recorder(record) as recorder,
            proxied(url, report=report, on_finding=received.append) as (proxy, client),
        ):
            proxy.recorder = recorder
            monkeypatch.setattr(owner, name, fail)
            response = client.put(PATH, json=BODY, headers=HEADERS)
            monkeypatch.undo()
            assert (proxy.findings, proxy.exchanges, received) == ([], [], [])
            assert report.read_bytes() + record.read_bytes() == b""
            assert client.put(PATH, json=BODY, headers=HEADERS).status_code == 418

        assert response.status_code == 502
        assert "Call the API directly" in response.json()["message"]
        assert len(proxy.findings) == len(proxy.exchanges) == len(received) == 1
        assert "The proxy failed with an exchange: LookupError in test_proxy.py" in caplog.text
        assert "secret-12345" not in caplog.text

    def test_a_failed_comparison_is_named_without_its_data(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*arguments: object) -> None:
            raise LookupError("secret-12345")

        monkeypatch.setattr(ExchangeCheck, "check", fail)
        with upstream_sending(head_lines("204 No Content")) as url, proxied(url) as (proxy, client):
            assert client.get("/x").status_code == 204

        assert proxy.unchecked_exchanges == 1
        assert "GET /x: not compared with the spec: the comparison failed: Look" in caplog.text
        assert "secret-12345" not in caplog.text


class TestClosing:
    """`close` ends everything, or says what did not end."""

    @staticmethod
    @contextmanager
    def reporting(
        tmp_path: Path, on_finding: Callable[[Finding], object]
    ) -> Generator[ValidatingProxy]:
        """A proxy of an API whose responses all deviate from the spec."""
        report = tmp_path / "findings.jsonl"
        with upstream_sending(head_lines("418 Teapot", "Content-Length: 0", CLOSE)) as url:
            yield ValidatingProxy(url, report=report, on_finding=on_finding)

    def test_a_callback_that_does_not_return_is_named_and_the_report_is_closed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_called = threading.Event()
        may_return = threading.Event()

        def block(finding: Finding) -> None:
            is_called.set()
            may_return.wait(SECONDS)

        monkeypatch.setattr(proxy_module, "CLOSING_TIMEOUT", 0.05)
        threads = threading.enumerate()
        descriptors = len(os.listdir("/proc/self/fd"))
        with self.reporting(tmp_path, block) as proxy:
            future = proxy.submit(Request("PUT", PATH, {}))
            assert is_called.wait(SECONDS)
            with pytest.raises(TimeoutError, match=r"within 0\.05 seconds.*Check that on_finding"):
                proxy.close()
            proxy.close()
            may_return.set()
            assert future.result(SECONDS).status == 418
            for thread in threading.enumerate():
                if thread.name == "leadconnector-emulator-proxy":
                    thread.join(SECONDS)

        assert set(threading.enumerate()) <= set(threads)
        assert len(os.listdir("/proc/self/fd")) <= descriptors

    @pytest.mark.parametrize("name", ["close", "respond"])
    def test_a_callback_that_would_wait_for_itself_gets_an_error(
        self, name: str, tmp_path: Path
    ) -> None:
        messages: list[str] = []

        def call(finding: Finding) -> None:
            with pytest.raises(RuntimeError) as raised:
                proxy.close() if name == "close" else proxy.respond(request)
            messages.append(str(raised.value))

        request = Request("PUT", PATH, {})
        with self.reporting(tmp_path, call) as proxy, proxy:
            for _ in range(2):
                assert proxy.submit(request).result(SECONDS).status == 418

        assert len(messages) >= 2
        assert f"on_finding must not call {name}, which would wait for itself" in messages[0]

    def test_a_failure_of_the_connections_ends_the_thread_and_closes_the_report(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real_close = upstream.Upstream.close

        async def fail(connections: upstream.Upstream) -> None:
            await real_close(connections)
            raise OSError("no descriptor")

        threads = threading.enumerate()
        descriptors = len(os.listdir("/proc/self/fd"))
        monkeypatch.setattr(upstream.Upstream, "close", fail)
        with self.reporting(tmp_path, str) as proxy:
            assert proxy.respond(Request("PUT", PATH, {})).status == 418
            with pytest.raises(OSError, match="no descriptor"):
                proxy.close()
            proxy.close()

        assert set(threading.enumerate()) <= set(threads)
        assert len(os.listdir("/proc/self/fd")) <= descriptors


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of `localhost`, and its key."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    key = path.with_suffix(".key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command += " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", f"{key}", "-out", f"{path}"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True, timeout=SECONDS)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


@contextmanager
def tls_api(certificate: Path) -> Generator[str]:
    """The URL of an API with a certificate."""

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        lines = ["Content-Type: application/json", f"Content-Length: {len(SUCCESS)}"]
        connection.sendall(head_lines("200 OK", *lines) + SUCCESS)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(serve, context) as server:
        yield server.url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "must be a URL such as https://HOST"),
        ("localhost:80", "must be a URL such as https://HOST"),
        ("ftp://api.test", "must be a URL such as https://HOST"),
        ("https://", "must be a URL such as https://HOST"),
        ("https://user:pass-word@api.test", "must not contain a user name or password"),
        ("https://api.test/?a=1", "without query and fragment"),
        ("https://api.test/#a", "without query and fragment"),
        ("https://api.test:99999", "is not a URL"),
        ("https://api.test:0", "without query and fragment"),
        ("https://api.test/\r\nX: 1", "is not a URL"),
        ("http://api.test", "must use https, since requests contain credentials"),
    ],
)
def test_an_invalid_upstream_is_rejected(
    url: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=reason):
        ValidatingProxy(url)

    assert main(["--port", "0", f"--upstream={url}"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "pass-word" not in output.err


@pytest.mark.parametrize("deadline", [0, -1, float("inf"), float("nan")])
def test_an_invalid_deadline_is_rejected(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline must be a positive number"):
        ValidatingProxy("https://api.test", deadline=deadline)


class TestReports:
    def test_a_finding_is_logged_and_reported_once_and_passed_on_every_time(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        report = tmp_path / "findings.jsonl"
        received: list[Finding] = []
        data = head_lines("418 Teapot", "Content-Length: 0", CLOSE)
        with (
            upstream_sending(data) as url,
            proxied(url, report=report, on_finding=received.append) as (proxy, client),
        ):
            for _ in range(3):
                client.put(PATH, json=BODY, headers=HEADERS)
            log = client.get("/_emulator/log").json()

        (finding,) = proxy.findings
        assert finding.value == "418"
        assert received == [finding] * 3
        assert [json.loads(line)["value"] for line in report.read_text().splitlines()] == ["418"]
        assert [record.getMessage() for record in caplog.records] == [str(finding)]
        assert [entry["findings"] for entry in log["exchanges"]] == [[str(finding)]] * 3
        assert [exchange.findings for exchange in proxy.exchanges] == [(finding,)] * 3

    @pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(1), KeyboardInterrupt()])
    def test_a_callback_that_raises_does_not_change_the_response(
        self, error: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(finding: Finding) -> None:
            raise error

        data = head_lines("418 Teapot", "Content-Length: 0", CLOSE)
        with upstream_sending(data) as url, proxied(url, on_finding=fail) as (_, client):
            assert client.put(PATH, json=BODY, headers=HEADERS).status_code == 418

        assert "on_finding raised an exception" in caplog.text

    def test_reset_forgets_the_findings(self) -> None:
        with upstream_sending(head_lines("418 Teapot")) as url, proxied(url) as (proxy, client):
            client.put(PATH, json=BODY, headers=HEADERS)
            assert len(proxy.findings) == 1
            proxy.reset()

        assert proxy.findings == []
        assert proxy.exchanges == []

    def test_faults_apply_to_the_responses_of_the_api(self) -> None:
        body = gzipped(SUCCESS)
        lines = ["Content-Type: application/json", "Content-Encoding: gzip", CLOSE]
        heads: list[bytes] = []
        data = head_lines("200 OK", *lines, f"Content-Length: {len(body)}") + body
        with upstream_sending(data, heads) as url, proxied(url) as (proxy, client):
            proxy.set_faults(Fault(nth=1, status=503), Fault(unknown_enum="conversation.id"))
            replaced = client.put(PATH, json=BODY, headers=HEADERS)
            changed = client.put(PATH, json=BODY, headers=HEADERS)

        assert (replaced.status_code, len(heads)) == (503, 1)
        assert changed.json()["conversation"]["id"] == "TYPE_OF_TOMORROW"
        # The faults are our own, and no deviation of the API.
        assert proxy.findings == []

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [
            (gzipped(SUCCESS), "gzip"),
            (SUCCESS, "br"),
            (SUCCESS, "gzip"),
            (b"<p>text</p>", "identity"),
            (b"[" * 100_000 + b"]" * 100_000, "identity"),
        ],
    )
    @pytest.mark.parametrize("latency", [0.0, 0.001])
    def test_a_fault_of_a_place_that_the_response_lacks_changes_no_byte(
        self, body: bytes, encoding: str, latency: float
    ) -> None:
        lines = ["Content-Type: application/json", f"Content-Encoding: {encoding}"]
        data = head_lines("200 OK", *lines, f"Content-Length: {len(body)}") + body
        with upstream_sending(data) as url, proxied(url) as (proxy, client):
            fault = Fault(null="conversation.no.such.place", latency=latency)
            proxy.set_faults(fault)
            with client.stream("PUT", PATH, json=BODY, headers=HEADERS) as response:
                received = b"".join(response.iter_raw())

        assert received == body
        assert response.headers["content-encoding"] == encoding
        # The log names a fault only if it changed the response, here by its latency.
        assert [exchange.fault for exchange in proxy.exchanges] == [fault if latency else None]

    def test_no_credential_is_stored_or_logged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        report = tmp_path / "findings.jsonl"
        secrets = ["tok-12345", "cookie-12345", "query-12345", "refresh-12345", "client-12345"]
        body = json.dumps({"access_token": secrets[3], "echo": secrets[0], secrets[0]: 1}).encode()
        lines = ["Set-Cookie: s=cookie-12345", f"Content-Length: {len(body)}", "X-E: tok-12345"]
        lines.append("Content-Type: application/json")
        heads: list[bytes] = []
        with (
            upstream_sending(head_lines("200 OK", *lines) + body, heads) as url,
            proxied(url, report=report) as (proxy, client),
        ):
            client.put(
                f"{PATH}?access_token={secrets[2]}",
                json={"locationId": LOCATION_ID, "clientSecret": secrets[4]},
                headers={
                    **HEADERS,
                    "Authorization": "Bearer tok-12345",
                    "Cookie": "s=cookie-12345",
                },
            )
            log = client.get("/_emulator/log").text

        assert b"Bearer tok-12345" in heads[0]
        stored = repr(proxy.exchanges) + log + report.read_text() + caplog.text
        assert '$["redacted"]' in [finding.path for finding in proxy.findings]
        assert [secret for secret in secrets if secret in stored] == []

    def test_a_closed_proxy_never_uses_the_descriptor_of_its_report_again(
        self, tmp_path: Path
    ) -> None:
        with (
            upstream_sending(head_lines("200 OK", "Content-Length: 0"), []) as url,
            proxied(url, report=tmp_path / "findings.jsonl") as (proxy, _),
        ):
            proxy.close()
            # The system assigns the number of the descriptor again.
            with (tmp_path / "another-file").open("w+b") as another_file:
                proxy.close()
                another_file.write(b"intact")
                another_file.flush()


class TestCommandLine:
    @staticmethod
    @contextmanager
    def running(*options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
        """The program, and its URL."""
        command = [sys.executable, "-m", "leadconnector_emulator", "--port", "0", *options]
        paths = os.pathsep.join([str(ROOT / "tools")])
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        ) as process:
            try:
                assert process.stdout is not None
                lines = [process.stdout.readline() for _ in range(4)]
                (url,) = [
                    word.partition("=")[2]
                    for word in lines[2].split()
                    if word.startswith("LEADCONNECTOR_BASE_URL=")
                ]
                yield process, url
            finally:
                process.kill()

    @pytest.mark.parametrize(
        ("options", "status", "code"),
        [([], 418, 0), (["--exit-code"], 418, 1), (["--exit-code"], 401, 0)],
    )
    def test_the_exit_status_says_whether_there_were_findings(
        self, options: list[str], status: int, code: int, tmp_path: Path
    ) -> None:
        report = tmp_path / "findings.jsonl"
        body = b'{"message": "no"}'
        lines = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        with (
            upstream_sending(head_lines(f"{status} X", *lines) + body) as upstream_url,
            self.running("--upstream", upstream_url, "--report", str(report), *options) as running,
        ):
            process, url = running
            response = httpx.put(url + PATH, json=BODY, headers=HEADERS, trust_env=False)
            assert response.status_code == status
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=SECONDS)

        assert process.returncode == code
        assert ("1 different findings" if status == 418 else "0 different findings") in output
        assert ("undocumented-status" in errors) == (status == 418)
        assert report.read_text().count("\n") == (1 if status == 418 else 0)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (["--upstream=https://a.test", "--token=x"], "--token has no effect with --upstream"),
            (
                ["--upstream=https://a.test", "--rate-limit=off"],
                "--rate-limit has no effect with --upstream",
            ),
            (["--report=x"], "--report has no effect without --upstream"),
            (["--exit-code"], "--exit-code has no effect without --upstream"),
            (["--upstream=https://a.test", "--replay=x"], "exclude each other"),
            (["--record=x", "--replay=x"], "--record has no effect with --replay"),
            (["--replay=x", "--create-missing"], "--create-missing has no effect with --replay"),
        ],
    )
    def test_options_without_effect_are_rejected(
        self, options: list[str], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as raised:
            main(options)

        assert raised.value.code == 2
        assert reason in capsys.readouterr().err


def test_the_documentation_lists_every_option_of_the_proxy() -> None:
    parser = argparse.ArgumentParser()
    add_proxy_options(parser)
    text = (ROOT / "docs" / "emulator-proxy.md").read_text(encoding="utf-8")

    options = [option for action in parser._actions for option in action.option_strings]
    assert len(options) == 9
    assert [
        name for name in options if name not in {"-h", "--help"} and f"`{name}" not in text
    ] == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.test:1"}, "http://proxy.test:1"),
        ({"ALL_PROXY": "http://proxy.test:2"}, "http://proxy.test:2"),
        ({"HTTPS_PROXY": "http://proxy.test:1", "NO_PROXY": "api.test"}, None),
        ({"HTTP_PROXY": "http://proxy.test:1"}, None),
    ],
)
def test_the_proxy_of_the_environment_is_used(
    environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    address = upstream.UpstreamAddress("https://api.test")
    assert upstream.environment_proxy(address) == expected
    loopback = upstream.UpstreamAddress("http://localhost:1")
    assert upstream.environment_proxy(loopback) is None


def test_the_address_has_no_credentials_for_the_proxy() -> None:
    assert urlsplit(upstream.UpstreamAddress("https://api.test:444/v1/").origin).port == 444
