"""A server on loopback that sends prepared bytes, and records the requests.

The emulator always speaks correct HTTP. This server also sends what no correct server sends.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import repeat
from typing import BinaryIO, Literal

from .observation import ReceivedRequest

SOCKET_TIMEOUT = 300.0
"""Seconds. Every scenario is shorter. The limit ends a thread whose client has gone."""

OTHER_SERVER = b"%OTHER%"
"""Stands for the address of the other server in the bytes of a reply."""

RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which closing a socket sends a reset."""


@dataclass(frozen=True)
class Reply:
    """What the server sends in response to one request."""

    chunks: Iterable[bytes]
    delay: float = 0.0
    """Seconds before the first chunk."""
    pause: float = 0.0
    """Seconds before each further chunk."""
    end: Literal["keep", "close", "reset"] = "keep"
    """What happens to the connection afterwards."""
    is_applied: bool = False
    """Whether the server makes the update."""


Script = Callable[[int], Reply]
"""The reply to each request, by the number of the request from 0."""


@dataclass
class ScriptedServer:
    """A running server."""

    url: str
    requests: list[ReceivedRequest] = field(default_factory=list[ReceivedRequest])


def response(
    status: int,
    body: bytes = b"",
    *,
    headers: tuple[str, ...] = ("Content-Type: application/json",),
    length: int | None = None,
) -> bytes:
    """The bytes of a response.

    Args:
        status: the status code; the phrase is the usual one, if there is one.
        body: the body as sent.
        headers: further header lines.
        length: the value of `Content-Length`, if it is not that of the body.
    """
    phrase = ""
    with suppress(ValueError):
        phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}", *headers]
    # RFC 9110, section 8.6: no `Content-Length` in a response without content.
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def single_bytes(data: bytes) -> Iterable[bytes]:
    """Data as chunks of one byte."""
    return [data[position : position + 1] for position in range(len(data))]


@dataclass(frozen=True)
class RepeatedChunk:
    """A head, and then the same chunk several times. It takes the memory of one chunk."""

    head: bytes
    chunk: bytes
    count: int

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        yield from repeat(self.chunk, self.count)


def in_order(*replies: Reply) -> Script:
    """One reply after the other. The last one is repeated."""

    def reply_to(number: int) -> Reply:
        return replies[min(number, len(replies) - 1)]

    return reply_to


def rate_limited(success: Reply, rejection: Reply, limit: int, seconds: float) -> Script:
    """A success within a rate limit, otherwise a rejection.

    Args:
        success: the reply within the limit.
        rejection: the reply above it. A rejected request does not count.
        limit: how many requests succeed in each window.
        seconds: the length of the sliding window.
    """
    accepted: list[float] = []

    def reply_to(number: int) -> Reply:
        now = time.monotonic()
        recent = [moment for moment in accepted if now - moment < seconds]
        if len(recent) >= limit:
            return rejection
        accepted.append(now)
        return success

    return reply_to


@contextmanager
def serving(script: Script, other_url: str = "") -> Generator[ScriptedServer]:
    """Run a server in threads of this process.

    Args:
        script: decides the replies.
        other_url: replaces `OTHER_SERVER` in the replies.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = ScriptedServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    # Makes the number of a request and its reply belong together.
    lock = threading.Lock()
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(SOCKET_TIMEOUT)
        # The client can close the connection at any time: that is an OSError.
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while (request := read_request(stream)) is not None:
                with lock:
                    reply = script(len(server.requests))
                    recorded = replace(request, is_applied=is_update(request, reply))
                    server.requests.append(recorded)
                send_reply(connection, reply, other_url)
                if reply.end != "keep":
                    return

    def accept() -> None:
        # Closing the listener ends the loop.
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=serve, args=[connection], daemon=True).start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def is_update(request: ReceivedRequest, reply: Reply) -> bool:
    """Whether the server makes the update of a request. A redirected GET updates nothing."""
    return reply.is_applied and request.method == "PUT"


def read_request(stream: BinaryIO) -> ReceivedRequest | None:
    """Read a request; `None` at the end of the connection."""
    request_line = stream.readline()
    if not request_line.strip():
        return None
    method, target, _ = request_line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, target, headers, body, time.monotonic(), is_applied=False)


def send_reply(connection: socket.socket, reply: Reply, other_url: str) -> None:
    """Send a reply, and end the connection as it says.

    Raises:
        OSError: the client has closed the connection.
    """
    time.sleep(reply.delay)
    for number, chunk in enumerate(reply.chunks):
        if number > 0:
            time.sleep(reply.pause)
        connection.sendall(chunk.replace(OTHER_SERVER, other_url.encode()))
    if reply.end == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
