"""The socket server under load: memory, descriptors and connections are bounded."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from leadconnector_emulator import (
    Emulator,
    EmulatorTransport,
    Fault,
    Request,
    Response,
    Server,
    accepting,
)
from leadconnector_emulator import server as server_module
from leadconnector_emulator.connection import (
    MAXIMUM_UNSENT_BYTES,
    STALL_TIMEOUT,
    Connection,
)

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

T = TypeVar("T")

MIB = 1024 * 1024
SECONDS = 240
"""The timeout of each step: a bound, so that no test hangs on a busy machine."""

TARGET = f"/conversations/{CONVERSATION_ID}"
BUNDLE = "/_emulator/swagger-ui-bundle.js"
"""The largest response: more than a megabyte."""

BODY = json.dumps({"locationId": LOCATION_ID, "unreadCount": 7}).encode()
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": "2021-07-28",
    "Content-Type": "application/json",
}


def get_request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def put_request(body: bytes = BODY, *, complete: bool = True) -> bytes:
    lines = [f"PUT {TARGET} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    return request if complete else request[:-1]


def connect(server: Server) -> socket.socket:
    url = urlsplit(server.url)
    return socket.create_connection((str(url.hostname), url.port or 0), timeout=SECONDS)


def status_of(server: Server) -> int:
    """The status of a valid update on a new connection."""
    address = urlsplit(server.url).netloc
    with closing(http.client.HTTPConnection(address, timeout=SECONDS)) as connection:
        connection.request("PUT", TARGET, BODY, HEADERS)
        response = connection.getresponse()
        response.read()
        return response.status


def in_loop(server: Server, act: Callable[[], T]) -> T:
    """Call a function in the thread of the server."""
    future: Future[T] = Future()

    def call() -> None:
        future.set_result(act())

    server._loop.call_soon_threadsafe(call)
    return future.result(SECONDS)


def has_buffered(server: Server, count: int) -> bool:
    """Whether the connections of a server have this many bytes, or more."""
    return server._buffered_bytes >= count


def until(server: Server, condition: Callable[[], bool]) -> None:
    """Wait until a condition is true in the server, which turns its event loop meanwhile."""
    with anyio.from_thread.start_blocking_portal() as portal:

        async def wait() -> None:
            with anyio.fail_after(SECONDS):
                while not in_loop(server, condition):
                    await anyio.lowlevel.checkpoint()

        portal.call(wait)


class FullTransport(asyncio.Transport):
    """A transport in memory whose client reads only when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Connection | None = None
        self.buffer = bytearray()
        self.received = bytearray()
        """What the client has read."""
        self.largest_buffer = 0
        self.is_reading_paused = False
        self.is_closed = False
        self._high = 0
        self._is_writing_paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high or 0

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.buffer += data
        self.largest_buffer = max(self.largest_buffer, len(self.buffer))
        if len(self.buffer) > self._high and not self._is_writing_paused:
            self._is_writing_paused = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def read_all(self) -> None:
        """Let the client read what is buffered."""
        self.received += self.buffer
        self.buffer.clear()
        if self._is_writing_paused:
            self._is_writing_paused = False
            assert self.protocol is not None
            self.protocol.resume_writing()

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True


class Owner:
    """The server of a connection in memory: every response has a body of the same length."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.targets: list[str] = []
        self.buffered_bytes = 0
        self.has_full_buffers = False

    def respond(self, request: Request) -> Response:
        self.targets.append(request.target)
        return Response(200, request.target[-1:].encode() * self.length)

    def change_buffered_bytes(self, difference: int) -> None:
        self.buffered_bytes += difference

    def add_connection(self, connection: Connection) -> None:
        pass

    def remove_connection(self, connection: Connection) -> None:
        pass


@pytest.fixture
def transport() -> FullTransport:
    return FullTransport()


def connected(owner: Owner, transport: FullTransport) -> Connection:
    connection = Connection(owner)
    transport.protocol = connection
    connection.connection_made(transport)
    return connection


class TestUnreadResponses:
    @pytest.mark.parametrize("length", [0, 10, 70_000, 2 * MIB])
    def test_unread_responses_stop_the_next_requests(
        self, transport: FullTransport, length: int
    ) -> None:
        owner = Owner(length)
        connection = connected(owner, transport)
        connection.data_received(get_request("/a") * 3_000)
        assert transport.largest_buffer <= 2 * MAXIMUM_UNSENT_BYTES + 1_000
        assert len(owner.targets) < 3_000
        assert transport.is_reading_paused
        assert owner.buffered_bytes > 0

    @pytest.mark.parametrize("length", [0, 10, 65_536, 70_000, 300_000])
    @pytest.mark.parametrize("is_half_closed", [False, True])
    def test_every_request_gets_its_response_in_order_while_the_client_reads(
        self, transport: FullTransport, length: int, is_half_closed: bool
    ) -> None:
        owner = Owner(length)
        connection = connected(owner, transport)
        paths = [f"/{number % 10}" for number in range(40)]
        connection.data_received(b"".join(map(get_request, paths)))
        if is_half_closed:
            stays_open = connection.eof_received()
            assert stays_open == (len(owner.targets) < 40 or len(transport.buffer) > 65_536)
        for _ in range(1_000):
            if not transport.buffer:
                break
            transport.read_all()
        assert owner.targets == paths
        assert transport.is_closed == is_half_closed
        assert transport.is_closed or not transport.is_reading_paused
        assert owner.buffered_bytes == 0
        bodies = [part.partition(b"\r\n\r\n")[2] for part in transport.received.split(b"HTTP/")]
        assert bodies[1:] == [path[-1:].encode() * length for path in paths]

    def test_a_connection_that_ends_returns_its_bytes(self, transport: FullTransport) -> None:
        owner = Owner(2 * MIB)
        connection = connected(owner, transport)
        connection.data_received(get_request("/a") * 10)
        assert owner.buffered_bytes > MIB
        connection.connection_lost(None)
        assert owner.buffered_bytes == 0

    def test_a_partly_read_response_counts_completely(self, transport: FullTransport) -> None:
        owner = Owner(MIB)
        connection = connected(owner, transport)
        connection.data_received(get_request("/a"))
        while connection._is_unread:
            if connection._unsent_body:
                assert owner.buffered_bytes >= MIB
            transport.read_all()
        assert owner.buffered_bytes == 0

    def test_a_client_that_reads_late_receives_every_byte(self, server: Server) -> None:
        with connect(server) as connection:
            connection.sendall(get_request(BUNDLE) * 20 + get_request("/nowhere"))
            received = 0
            tail = b""
            while b"Cannot GET /nowhere" not in tail:
                data = connection.recv(MIB)
                assert data
                received += len(data)
                tail = (tail + data)[-1_000:]
        assert received > 20 * MIB


class TestFullBuffers:
    def test_a_new_request_is_rejected_with_503(self, transport: FullTransport) -> None:
        owner = Owner(10)
        owner.has_full_buffers = True
        connection = connected(owner, transport)
        connection.data_received(put_request())
        assert transport.buffer.startswith(b"HTTP/1.1 503")
        assert b"buffers are full" in transport.buffer
        assert transport.is_closed
        assert owner.targets == []

    @pytest.mark.parametrize("is_chunked", [False, True])
    def test_the_rest_of_a_body_is_rejected_with_503(
        self, transport: FullTransport, is_chunked: bool
    ) -> None:
        owner = Owner(10)
        connection = connected(owner, transport)
        framing = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 100"
        head = f"PUT {TARGET} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"
        connection.data_received(head.encode() + b"10\r\n" + b"x" * 16 + b"\r\n")
        owner.has_full_buffers = True
        connection.data_received(b"10\r\n" + b"x" * 16 + b"\r\n")
        assert transport.buffer.startswith(b"HTTP/1.1 503")
        assert owner.buffered_bytes <= len(transport.buffer)

    def test_unfinished_bodies_fill_the_buffers_of_the_server(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "MAXIMUM_BUFFERED_BYTES", 900_000)
        with ExitStack() as stack:
            for length in (450_000, 449_000, 50_000):
                assert status_of(server) == 200
                connection = stack.enter_context(connect(server))
                before = in_loop(server, lambda: server._buffered_bytes)
                connection.sendall(put_request(b" " * length, complete=False))
                expected = before + length - 1
                until(server, partial(has_buffered, server, expected))
            assert status_of(server) == 503
            # The connections may neither finish their requests.
            connection.sendall(b" ")
            assert connection.recv(MIB).startswith(b"HTTP/1.1 503")
        until(server, lambda: server._buffered_bytes == 0)
        assert status_of(server) == 200


class TestSlowResponses:
    def test_further_requests_stop_waiting_for_a_slow_response_in_memory(
        self, emulator: Emulator
    ) -> None:
        emulator.set_faults(Fault(latency=3_600.0))
        transport = FullTransport()

        async def run() -> None:
            owner = FaultyOwner(emulator)
            connection = connected(owner, transport)
            connection.data_received(put_request())
            assert not transport.is_reading_paused
            connection.data_received(put_request() * 100)
            assert not transport.is_reading_paused
            connection.data_received(put_request(BODY.ljust(70_000)))
            assert transport.is_reading_paused
            connection.connection_lost(None)
            await asyncio.sleep(0)

        asyncio.run(run())
        assert len(emulator.exchanges) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(latency=1e-6),
            Fault(drip=0.0),
            Fault(truncate=299_999),
            Fault(latency=1e-6, status=200, body="x" * 300_000),
        ],
        ids=["latency", "drip", "truncate", "status"],
    )
    def test_a_response_with_a_fault_waits_for_the_client_in_counted_memory(
        self, transport: FullTransport, fault: Fault
    ) -> None:
        owner = FaultyOwner(FixedEmulator(fault, 300_000))

        async def run() -> None:
            connection = connected(owner, transport)
            connection.data_received(get_request("/a"))
            while not transport.buffer:
                await asyncio.sleep(0)
            for _ in range(100_000):
                await asyncio.sleep(0)
                if connection._is_buffer_full:
                    break
            assert transport.largest_buffer <= 2 * MAXIMUM_UNSENT_BYTES + 1_000
            assert owner.buffered_bytes >= 300_000
            # A client that sends no more, but reads, gets the whole response.
            assert connection.eof_received()
            while connection._delivery_task is not None:
                transport.read_all()
                await asyncio.sleep(0)
            transport.read_all()
            assert transport.is_closed
            connection.connection_lost(None)
            assert owner.buffered_bytes == 0

        asyncio.run(run())
        assert transport.largest_buffer <= 2 * MAXIMUM_UNSENT_BYTES + 1_000
        expected_length = 299_999 if fault.truncate else 300_000
        assert len(transport.received.partition(b"\r\n\r\n")[2]) == expected_length

    def test_a_client_that_does_not_read_a_slow_response_is_disconnected(
        self, transport: FullTransport
    ) -> None:
        owner = FaultyOwner(FixedEmulator(Fault(latency=1e-6), 300_000))

        async def run() -> None:
            connection = connected(owner, transport)
            connection.data_received(get_request("/a"))
            while not connection._is_buffer_full:
                await asyncio.sleep(0)
            connection.abort_if_stalled(0.0)
            transport.read_all()
            await asyncio.sleep(0)
            connection.abort_if_stalled(STALL_TIMEOUT)
            assert not transport.is_closed
            connection.abort_if_stalled(2 * STALL_TIMEOUT)
            assert transport.is_closed
            connection.connection_lost(None)
            await asyncio.sleep(0)

        asyncio.run(run())

    def test_waiting_requests_are_served_after_the_slow_response(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(drip=0.0, times=1))
        transport = FullTransport()

        async def run() -> None:
            connection = connected(FaultyOwner(emulator), transport)
            connection.data_received(put_request() + put_request(BODY.ljust(100_000)))
            assert transport.is_reading_paused
            while len(emulator.exchanges) < 2:
                await asyncio.sleep(0)
                transport.read_all()

        asyncio.run(run())
        assert not transport.is_reading_paused
        assert [exchange.response.status for exchange in emulator.exchanges] == [200, 200]

    @pytest.mark.parametrize(
        "fault", [Fault(latency=3_600.0), Fault(drip=3_600.0), Fault(latency=3_600.0, status=503)]
    )
    @pytest.mark.parametrize("is_reset", [False, True])
    def test_the_socket_of_a_client_that_has_gone_is_closed(
        self, server: Server, fault: Fault, is_reset: bool
    ) -> None:
        server.emulator.set_faults(fault)
        with connect(server) as connection:
            connection.sendall(put_request())
            until(server, lambda: len(server.emulator.exchanges) == 1)
            if is_reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        until(server, lambda: not server._connections)


class FixedEmulator:
    """Responds with a body of the same length and a fault."""

    def __init__(self, fault: Fault, length: int) -> None:
        self._fault = fault
        self._length = length

    def respond(self, request: Request) -> Response:
        return self._fault.apply(Response(200, bytes(self._length)))


class FaultyOwner(Owner):
    """The server of a connection in memory, with an emulator."""

    def __init__(self, emulator: Emulator | FixedEmulator) -> None:
        super().__init__(0)
        self._emulator = emulator

    def respond(self, request: Request) -> Response:
        return self._emulator.respond(request)


class TestStalledClients:
    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"G", id="first byte"),
            pytest.param(put_request()[:40], id="head"),
            pytest.param(put_request(complete=False), id="body"),
            pytest.param(
                b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                id="chunked body",
            ),
            pytest.param(get_request("/a") * 2_000, id="unread responses"),
            pytest.param(get_request("/a"), id="one unread response"),
        ],
    )
    def test_a_client_without_progress_is_disconnected(
        self, transport: FullTransport, data: bytes
    ) -> None:
        connection = connected(Owner(1_000), transport)
        connection.data_received(data)
        for now in (0.0, STALL_TIMEOUT - 1.0):
            connection.abort_if_stalled(now)
            assert not transport.is_closed
        connection.abort_if_stalled(STALL_TIMEOUT)
        assert transport.is_closed

    def test_a_slow_client_with_progress_stays_connected(self, transport: FullTransport) -> None:
        connection = connected(Owner(1_000), transport)
        now = 0.0
        for byte in put_request():
            connection.data_received(bytes([byte]))
            connection.abort_if_stalled(now)
            now += STALL_TIMEOUT - 1.0
        for _ in range(900):
            del transport.buffer[:1]
            connection.abort_if_stalled(now)
            now += STALL_TIMEOUT - 1.0
        assert not transport.is_closed

    def test_an_idle_connection_stays_open(self, transport: FullTransport) -> None:
        connection = connected(Owner(10), transport)
        connection.abort_if_stalled(0.0)
        connection.data_received(put_request())
        transport.read_all()
        for now in (1.0, STALL_TIMEOUT, 10 * STALL_TIMEOUT):
            connection.abort_if_stalled(now)
        assert not transport.is_closed

    def test_a_client_that_waits_for_a_slow_response_stays_connected(
        self, emulator: Emulator, transport: FullTransport
    ) -> None:
        emulator.set_faults(Fault(latency=3_600.0))

        async def run() -> None:
            connection = connected(FaultyOwner(emulator), transport)
            connection.data_received(put_request() + get_request("/next"))
            for now in (0.0, 10 * STALL_TIMEOUT):
                connection.abort_if_stalled(now)
            assert not transport.is_closed
            connection.connection_lost(None)

        asyncio.run(run())

    def test_the_server_searches_for_stalled_clients(
        self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "STALL_CHECK_INTERVAL", 0.001)
        monkeypatch.setattr("leadconnector_emulator.connection.STALL_TIMEOUT", 0.01)
        with Server(emulator) as server, connect(server) as connection:
            connection.sendall(put_request(complete=False))
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
            assert emulator.exchanges == []


class TestConnections:
    def test_further_connections_wait_for_the_end_of_others(
        self,
        server: Server,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(accepting, "MAXIMUM_CONNECTIONS", 3)
        monkeypatch.setattr(accepting, "RETRY_INTERVAL", 3_600.0)
        with ExitStack() as stack:
            connections = [stack.enter_context(closing(connect(server))) for _ in range(6)]
            for connection in connections:
                connection.sendall(put_request())
            for connection in connections[:3]:
                assert connection.recv(MIB).startswith(b"HTTP/1.1 200")
            assert in_loop(server, lambda: len(server._connections)) == 3
            assert len(server.emulator.exchanges) == 3
            for number in range(3):
                connections[number].close()
                assert connections[number + 3].recv(MIB).startswith(b"HTTP/1.1 200")
        messages = [record.getMessage() for record in caplog.records]
        assert len(messages) == 1
        assert "3 are open" in messages[0]

    def test_a_failed_accept_pauses_once_and_logs_one_line(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Server(emulator) as server:
            failing = FailingListener(server._listener)
            in_loop(server, lambda: setattr(server._acceptor, "_listener", failing))
            with connect(server) as connection:
                until(server, lambda: failing.failures == 1)
                in_loop(server, server._acceptor.resume)
                until(server, lambda: failing.failures == 2)
                failing.fails = False
                in_loop(server, server._acceptor.resume)
                connection.sendall(put_request())
                assert connection.recv(MIB).startswith(b"HTTP/1.1 200")
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "Too many open files" in caplog.text

    def test_a_server_that_is_paused_stops(self, emulator: Emulator) -> None:
        with Server(emulator) as server:
            failing = FailingListener(server._listener)
            in_loop(server, lambda: setattr(server._acceptor, "_listener", failing))
            with connect(server):
                until(server, lambda: failing.failures == 1)
        assert not server._thread.is_alive()


class FailingListener:
    """A listening socket whose `accept` fails as at the limit of descriptors."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.fails = True
        self.failures = 0

    def fileno(self) -> int:
        return self._listener.fileno()

    def accept(self) -> Any:
        if self.fails:
            self.failures += 1
            raise OSError(24, "Too many open files")
        return self._listener.accept()


@contextmanager
def process_with(*options: str) -> Generator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """Run the command line in another process; yields it and its address."""
    command = [sys.executable, "-m", "leadconnector_emulator", "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=ROOT / "tools",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            match = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert match is not None
            yield process, ("127.0.0.1", int(match[1]))
        finally:
            process.kill()


def status_at(address: tuple[str, int]) -> int:
    with closing(http.client.HTTPConnection(*address, timeout=SECONDS)) as connection:
        connection.request("GET", "/_emulator/log")
        response = connection.getresponse()
        response.read()
        return response.status


def peak_memory(process: subprocess.Popen[str]) -> int:
    """The largest number of bytes that a process has used."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        match = re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.MULTILINE)
    assert match is not None
    return int(match[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestProcess:
    def test_at_the_limit_of_descriptors_it_prints_one_line_and_recovers(self) -> None:
        with process_with() as (process, address):
            assert status_at(address) == 200
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (30, 30))
            with ExitStack() as stack:
                for _ in range(100):
                    stack.enter_context(closing(socket.create_connection(address, timeout=SECONDS)))
                assert process.stderr is not None
                warning = process.stderr.readline()
            # All of them end, and the server accepts again.
            assert status_at(address) == 200
            process.terminate()
            _, errors = process.communicate(timeout=SECONDS)
        assert "accepts no more connections for now: Too many open files" in warning
        assert errors == ""

    def test_the_page_responds_at_the_limit_of_descriptors(self) -> None:
        with process_with() as (process, address):
            with closing(http.client.HTTPConnection(*address, timeout=SECONDS)) as connection:
                connection.connect()
                assert status_at(address) == 200
                resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))
                connection.request("GET", BUNDLE)
                response = connection.getresponse()
                response.read()
                assert response.status == 503
            process.terminate()
            _, errors = process.communicate(timeout=SECONDS)
        assert "Traceback" not in errors

    @pytest.mark.parametrize("path", ["/", BUNDLE, "/openapi.json", "/nowhere"])
    def test_pipelined_requests_that_nobody_reads_use_little_memory(self, path: str) -> None:
        options = ("--log-bytes", str(5 * MIB))
        with process_with(*options) as (process, address):
            assert status_at(address) == 200
            before = peak_memory(process)
            with ExitStack() as stack:
                for _ in range(4):
                    connection = stack.enter_context(
                        closing(socket.create_connection(address, timeout=SECONDS))
                    )
                    connection.setblocking(False)
                    send_what_fits(connection, get_request(path) * 8_000)
                # The server is single-threaded: it has handled the requests before this one.
                assert status_at(address) == 200
                growth = peak_memory(process) - before
            assert growth < 30 * MIB

    def test_recorded_bodies_use_no_more_than_the_bound(self) -> None:
        body = json.dumps({"locationId": LOCATION_ID, "feedback": {"a": "x" * 1_000_000}}).encode()
        headers = {**HEADERS, "Authorization": "Bearer emulator"}
        with (
            process_with("--log-bytes", str(20 * MIB), "--rate-limit", "off") as (process, address),
            closing(http.client.HTTPConnection(*address, timeout=SECONDS)) as connection,
        ):
            assert status_at(address) == 200
            before = peak_memory(process)
            for _ in range(100):
                connection.request("PUT", TARGET, body, headers)
                response = connection.getresponse()
                response.read()
                assert response.status == 200
            assert peak_memory(process) - before < 60 * MIB


def send_what_fits(connection: socket.socket, data: bytes) -> None:
    """Send data without blocking, until the buffers of both sides are full for a while."""
    connection.settimeout(1.0)
    with suppress(TimeoutError):
        connection.sendall(data)


class TestCancellation:
    @pytest.mark.parametrize(
        "fault", [None, Fault(latency=3_600.0), Fault(drip=3_600.0), Fault(drip=0.001)]
    )
    def test_cancelled_calls_leave_no_socket(self, server: Server, fault: Fault | None) -> None:
        if fault is not None:
            server.emulator.set_faults(fault)

        async def call(client: httpx.AsyncClient, seconds: float) -> None:
            with anyio.move_on_after(seconds):
                await client.put(TARGET, content=BODY, headers=HEADERS)

        async def run() -> None:
            async with (
                httpx.AsyncClient(base_url=server.url, timeout=None, trust_env=False) as client,
                anyio.create_task_group() as tasks,
            ):
                for number in range(20):
                    tasks.start_soon(call, client, number * 0.005)

        anyio.run(run)
        until(server, lambda: not server._connections)
        assert in_loop(server, lambda: server._buffered_bytes) == 0
        server.emulator.set_faults()
        assert status_of(server) == 200

    def test_cancelled_calls_in_process_leave_no_task(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(latency=1.0, drip=1.0))

        async def call(client: httpx.AsyncClient) -> None:
            await client.put(TARGET, content=BODY, headers=HEADERS)

        async def run() -> int:
            async with httpx.AsyncClient(
                transport=EmulatorTransport(emulator), base_url="http://emulator", timeout=None
            ) as client:
                calls: list[Coroutine[Any, Any, None]] = [call(client) for _ in range(10)]
                tasks = [asyncio.create_task(coroutine) for coroutine in calls]
                await asyncio.sleep(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                return len(asyncio.all_tasks())

        assert asyncio.run(run()) == 1
        assert len(emulator.exchanges) == 10
