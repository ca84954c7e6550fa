"""A server that closes its connections, and programs that run in a process of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile

from tests.support.calling import CONVERSATION_ID, TOKEN
from tests.support.paths import ROOT


@dataclass
class Connections:
    """The URL of a server, and its number of connections."""

    url: str
    count: int = 0


@contextmanager
def hanging_up(response: bytes | None) -> Generator[Connections]:
    """A server that reads a request, sends some bytes, and closes the connection.

    Args:
        response: the bytes. With `None` it closes the connection before it reads.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    connections = Connections(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            # The client can close the connection first: that is an OSError.
            with connection, connection.makefile("rb") as request, suppress(OSError):
                connections.count += 1
                if response is not None:
                    lines = (
                        line.lower().partition(b":") for line in takewhile(bytes.strip, request)
                    )
                    head = {name: value for name, _, value in lines}
                    request.read(int(head.get(b"content-length", 0)))
                    connection.sendall(response)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield connections
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def run_program(program: str, url: str, *options: str) -> tuple[int, str]:
    """Run a program with three arguments: the URL of a server, the token, a conversation id.

    Returns:
        Its exit status and its stderr.
    """
    process = subprocess.run(
        [sys.executable, *options, "-c", program, url, TOKEN, CONVERSATION_ID],
        env={"PYTHONPATH": f"{ROOT / 'overrides'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.returncode, process.stderr
