"""A proxy over its lifetime: a reset hides nothing, and closing it leaves no client waiting."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from leadconnector_emulator import (
    EmulatorApp,
    EmulatorTransport,
    Fault,
    Request,
    Server,
    ValidatingProxy,
)

from tests.emulator.test_proxy import (
    BODY,
    HEADERS,
    PATH,
    SECONDS,
    TestCommandLine,
    address_of,
    head_lines,
    proxied,
    upstream_sending,
)
from tests.support.wire import receive_request, serving

TEAPOT = head_lines("418 Teapot", "Content-Length: 0")
"""A response with an undocumented status."""


@contextmanager
def waiting_api() -> Generator[tuple[str, threading.Event]]:
    """The URL of an API that never responds, and an event: it has a request."""
    has_request = threading.Event()

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        has_request.set()
        connection.recv(1)

    with serving(serve) as server:
        yield f"http://127.0.0.1:{server.port}", has_request


class TestReset:
    def test_it_changes_neither_the_exit_status_nor_the_report(self, tmp_path: Path) -> None:
        report = tmp_path / "findings.jsonl"
        options = ["--exit-code", "--report", str(report)]
        with (
            upstream_sending(TEAPOT) as upstream_url,
            TestCommandLine.running("--upstream", upstream_url, *options) as (process, url),
            httpx.Client(base_url=url, trust_env=False, timeout=SECONDS) as client,
        ):
            for _ in range(2):
                client.put(PATH, json=BODY, headers=HEADERS)
                client.post("/_emulator/reset").raise_for_status()
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=SECONDS)

        assert process.returncode == 1
        assert "1 different findings" in output
        assert report.read_text().count("\n") == 1

    def test_the_failed_exchanges_before_it_count_for_the_exit_status(self) -> None:
        with (
            upstream_sending(b"") as upstream_url,
            TestCommandLine.running("--upstream", upstream_url, "--exit-code") as (process, url),
            httpx.Client(base_url=url, trust_env=False, timeout=SECONDS) as client,
        ):
            assert client.put(PATH, json=BODY, headers=HEADERS).status_code == 502
            client.post("/_emulator/reset").raise_for_status()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=SECONDS)

        assert process.returncode == 1
        assert "1 requests without a response" in output

    def test_what_it_shows_starts_again(self) -> None:
        with upstream_sending(TEAPOT) as url, proxied(url) as (proxy, client):
            for _ in range(2):
                proxy.reset()
                client.put(PATH, json=BODY, headers=HEADERS)
                assert len(proxy.findings) == 1
            assert proxy.totals.findings == 1


class TestClose:
    def test_a_client_that_waits_gets_a_response(self) -> None:
        with waiting_api() as (url, has_request), proxied(url) as (proxy, client):
            responses: list[httpx.Response] = []
            thread = threading.Thread(target=lambda: responses.append(client.get("/x")))
            thread.start()
            assert has_request.wait(SECONDS)
            proxy.close()
            thread.join(SECONDS)

            (response,) = responses
            assert response.status_code == 502
            assert "the proxy was closed" in response.json()["message"]
            # The connection is usable, and so is the page.
            assert client.get("/x").status_code == 502
            assert client.get("/_emulator/log").json()["total"] == 1

    @pytest.mark.parametrize("interface", ["transport", "application"])
    def test_a_task_that_waits_gets_a_response(self, interface: str) -> None:
        async def run() -> httpx.Response:
            with waiting_api() as (url, has_request), ValidatingProxy(url) as proxy:
                transport: httpx.AsyncBaseTransport = EmulatorTransport(proxy)
                if interface == "application":
                    transport = httpx.ASGITransport(EmulatorApp(proxy))
                async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                    task = asyncio.create_task(client.get("/x"))
                    assert await asyncio.to_thread(has_request.wait, SECONDS)
                    await asyncio.to_thread(proxy.close)
                    return await asyncio.wait_for(task, SECONDS)

        assert asyncio.run(run()).status_code == 502

    def test_an_application_responds_after_it(self) -> None:
        async def run(proxy: ValidatingProxy) -> int:
            transport = httpx.ASGITransport(EmulatorApp(proxy))
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                response = await client.get("/x")
                return response.status_code

        proxy = ValidatingProxy("https://api.test")
        proxy.close()
        assert asyncio.run(run(proxy)) == 502

    def test_a_cancelled_task_stays_cancelled(self) -> None:
        async def run() -> None:
            with waiting_api() as (url, has_request), ValidatingProxy(url) as proxy:
                transport = EmulatorTransport(proxy)
                async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                    task = asyncio.create_task(client.get("/x"))
                    assert await asyncio.to_thread(has_request.wait, SECONDS)
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task

        asyncio.run(run())

    def test_a_server_rejects_a_closed_proxy(self) -> None:
        proxy = ValidatingProxy("https://api.test")
        proxy.close()
        server = Server(proxy)
        with pytest.raises(RuntimeError, match="the proxy is closed: create another one"):
            server.__enter__()


class TestAbandoned:
    def test_a_request_whose_client_leaves_is_counted_and_logged(self) -> None:
        with waiting_api() as (url, has_request), proxied(url) as (proxy, client):
            with closing(socket.create_connection(address_of(client), SECONDS)) as connection:
                connection.sendall(b"GET /x?access_token=secret-123 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert has_request.wait(SECONDS)
            while proxy.failed_exchanges == 0:
                threading.Event().wait(0.005)
            log = client.get("/_emulator/log").json()

        (entry,) = log["exchanges"]
        assert (entry["method"], entry["status"]) == ("GET", None)
        assert "secret-123" not in repr(proxy.exchanges)

    def test_one_in_flight_at_the_end_of_the_program_counts(self) -> None:
        with (
            waiting_api() as (upstream_url, has_request),
            TestCommandLine.running("--upstream", upstream_url, "--exit-code") as (process, url),
        ):
            parts = httpx.URL(url)
            with closing(socket.create_connection((parts.host, parts.port or 0))) as connection:
                connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                assert has_request.wait(SECONDS)
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=SECONDS)

        assert process.returncode == 1
        assert "1 requests without a response" in output


class TestControlPaths:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/_emulator/fault"),
            ("PUT", "/_emulator/log"),
            ("GET", "/_emulator/no-such-page"),
            ("POST", "/_emulator"),
            ("POST", "/_emulator/"),
            ("POST", "/%5Femulator/fault"),
        ],
    )
    def test_no_request_below_the_prefix_reaches_the_api(self, method: str, path: str) -> None:
        heads: list[bytes] = []
        with upstream_sending(TEAPOT, heads) as url, proxied(url) as (proxy, client):
            response = client.request(method, path, json={"status": 503})
            assert response.status_code == 404
            assert response.headers["content-type"] == "application/problem+json"
            assert "/_emulator/faults" in response.json()["detail"]

            with httpx.Client(transport=EmulatorTransport(proxy), base_url="http://x") as plain:
                unavailable = plain.request(method, path, json={"status": 503})
            assert unavailable.status_code == 404
            assert "with control=True" in unavailable.json()["detail"]

            assert isinstance(proxy.submit(Request("GET", "/_emulator/x", {})), Future)
        assert heads == []
        assert proxy.exchanges == []

    def test_a_path_that_only_starts_alike_is_one_of_the_api(self) -> None:
        heads: list[bytes] = []
        with upstream_sending(TEAPOT, heads) as url, proxied(url) as (_, client):
            assert client.get("/_emulators").status_code == 418
        assert len(heads) == 1

    def test_the_findings_can_be_read(self) -> None:
        with upstream_sending(TEAPOT) as url, proxied(url) as (proxy, client):
            client.put(PATH, json=BODY, headers=HEADERS)
            proxy.set_faults(Fault(status=503, path="/_emulator/*"))
            content = client.get("/_emulator/findings").json()
            health = client.get("/_emulator/health").json()

        (finding,) = proxy.findings
        assert content == {
            "findings": [json.loads(finding.as_json())],
            "failed_exchanges": 0,
            "unchecked_exchanges": 0,
        }
        assert health["kind"] == "proxy"


def test_a_callback_that_is_no_function_is_rejected() -> None:
    options: dict[str, object] = {"on_finding": 5}
    with pytest.raises(TypeError, match="on_finding must be a function"):
        ValidatingProxy("https://api.test", **options)  # type: ignore[arg-type]
