"""A server that can hang and recover, a host with dead addresses, and a certificate."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.calling import SUCCESS_BODY

_BODY = json.dumps(SUCCESS_BODY).encode()
SUCCESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)
"""A whole response."""


@dataclass
class Switchable:
    """A server that responds to each request, or to none."""

    port: int = 0
    is_hanging: bool = False
    has_tls: bool = False
    open_connections: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    requests: int = 0

    @property
    def url(self) -> str:
        """The base URL."""
        scheme = "https" if self.has_tls else "http"
        return f"{scheme}://localhost:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open_connections.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(length_of_body(head))
                self.requests += 1
                if self.is_hanging:
                    await reader.read()
                    break
                writer.write(SUCCESS)
                await writer.drain()
        self.open_connections.discard(writer)
        writer.close()


@dataclass
class Proxy(Switchable):
    """A proxy that connects to any port of this machine."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open_connections.add(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        port = int(head.split()[1].rpartition(b":")[2])
        remote_reader, remote_writer = await asyncio.open_connection("127.0.0.1", port)
        self.open_connections.add(remote_writer)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, remote_writer), copy(remote_reader, writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes to the end, and close the destination."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def length_of_body(head: bytes) -> int:
    """The `Content-Length` of a request."""
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


@contextmanager
def switchable(
    context: ssl.SSLContext | None = None, kind: type[Switchable] = Switchable
) -> Generator[Switchable]:
    """Run a `Switchable` in a thread.

    Args:
        context: the certificate, for TLS.
        kind: `Switchable` or `Proxy`.
    """
    server = kind(has_tls=context is not None)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    is_ready = threading.Event()

    async def run() -> None:
        listener = await asyncio.start_server(
            server.serve, "127.0.0.1", 0, ssl=context, backlog=512
        )
        server.port = listener.sockets[0].getsockname()[1]
        is_ready.set()
        await stop.wait()
        listener.close()
        for writer in list(server.open_connections):
            # Python 3.11.2 raises this for a TLS connection that has just ended.
            with suppress(AttributeError):
                writer.transport.abort()

    def run_in_loop() -> None:
        # Its end cancels the tasks of connections, and runs the callbacks that close sockets.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=run_in_loop)
    thread.start()
    is_ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextmanager
def dead_addresses(count: int, live: socket.socket | None = None) -> Generator[int]:
    """Loopback addresses from 127.0.1.1 on, which respond to no attempt to connect.

    Args:
        count: how many.
        live: a listener of 127.0.0.1. The others use its port.

    Yields:
        Their port.
    """
    port = 0
    if live is not None:
        port = live.getsockname()[1]
    with ExitStack() as sockets:
        for number in range(1, count + 1):
            # Linux ignores attempts to connect when the queue of a listener is full.
            listener = sockets.enter_context(socket.socket())
            listener.bind((f"127.0.1.{number}", port))
            port = listener.getsockname()[1]
            listener.listen(0)
            for _ in range(4):
                filler = sockets.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
        yield port


def addresses_of(hosts: list[str]) -> object:
    """A `socket.getaddrinfo` that finds these addresses for every host."""

    def getaddrinfo(host: object, port: int, *_: object, **__: object) -> list[object]:
        stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*stream, (address, port)) for address in hosts]

    return getaddrinfo


@dataclass(frozen=True)
class Certificate:
    """A certificate of `localhost` that signs itself."""

    path: Path

    def server_context(self) -> ssl.SSLContext:
        """For a server that has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


def make_certificate(folder: Path) -> Certificate:
    """Make a new certificate with openssl."""
    path = folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(path), "-out", str(folder / "only-certificate.pem")),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    with path.open("a", encoding="ascii") as file:
        file.write((folder / "only-certificate.pem").read_text(encoding="ascii"))
    return Certificate(path)
