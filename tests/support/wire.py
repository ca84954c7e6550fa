"""Servers that decide about each byte on a connection, for tests of the default transports."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.switchable import length_of_body

Serve = Callable[[socket.socket], None]
"""Serves one connection, in a thread of its own. The connection is closed at its end."""


@dataclass
class WireServer:
    """A server whose connections are served by a function."""

    port: int = 0
    scheme: str = "http"
    connections: list[socket.socket] = field(default_factory=list[socket.socket])
    """All connections so far."""
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])
    is_stopping: threading.Event = field(default_factory=threading.Event)
    """Set at the end of the test. Functions that serve connections can wait for it."""

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{self.scheme}://localhost:{self.port}"

    def accept(self, listener: socket.socket, serve: Serve, context: ssl.SSLContext | None) -> None:
        """Accept connections until the listener is shut down."""
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append(connection)
                arguments = (connection, serve, context)
                thread = threading.Thread(target=self._serve, args=arguments)
                self.threads.append(thread)
                thread.start()

    def _serve(
        self, connection: socket.socket, serve: Serve, context: ssl.SSLContext | None
    ) -> None:
        with suppress(OSError), connection:
            if context is None:
                serve(connection)
                return
            with context.wrap_socket(connection, server_side=True) as tls_connection:
                self.connections.append(tls_connection)
                serve(tls_connection)

    def stop(self) -> None:
        """End all connections and threads."""
        self.is_stopping.set()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(60)


@contextmanager
def serving(
    serve: Serve, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Generator[WireServer]:
    """Run a server in threads.

    Args:
        serve: serves one connection.
        context: the certificate, for TLS.
        host: the address that it listens on.
    """
    server = WireServer(scheme="http" if context is None else "https")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=512)
    server.port = listener.getsockname()[1]
    thread = threading.Thread(target=server.accept, args=[listener, serve, context])
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)
        server.stop()


def receive_request(connection: socket.socket) -> bytes:
    """Receive a request. Returns its head.

    Raises:
        OSError: the client ended the connection.
    """
    data = receive_until(connection, b"\r\n\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    missing = length_of_body(head) - len(body)
    if missing > 0:
        receive_exactly(connection, missing)
    return head


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    """Receive bytes until they contain an end.

    Raises:
        OSError: the client ended the connection.
    """
    data = b""
    while end not in data:
        received = connection.recv(65_536)
        if not received:
            raise OSError("the client ended the connection")
        data += received
    return data


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    """Receive a number of bytes.

    Raises:
        OSError: the client ended the connection.
    """
    data = b""
    while len(data) < count:
        received = connection.recv(count - len(data))
        if not received:
            raise OSError("the client ended the connection")
        data += received
    return data


def send_in_bytes(connection: socket.socket, data: bytes) -> None:
    """Send bytes one by one, each in a packet of its own."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in range(len(data)):
        connection.sendall(data[number : number + 1])


def relay(client: socket.socket, remote: socket.socket) -> None:
    """Copy bytes in both directions until one side ends."""
    thread = threading.Thread(target=_copy, args=[remote, client])
    thread.start()
    _copy(client, remote)
    thread.join(60)


def _copy(source: socket.socket, destination: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            destination.sendall(data)
    for connection in (source, destination):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
