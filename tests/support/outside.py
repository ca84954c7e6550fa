"""What tests need outside the client's process or its manners: a server that hangs up, and a program that calls one."""

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
    """A server's address, and how many have called it."""

    url: str
    count: int = 0


@contextmanager
def hanging_up(answer: bytes | None) -> Generator[Connections]:
    """A server that reads a request, sends these bytes, and hangs up; with `None` it hangs up before it reads."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Connections(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with (
                connection,
                connection.makefile("rb") as request,
                suppress(OSError),
            ):  # who calls may hang up first
                made.count += 1
                if answer is not None:
                    lines = (
                        line.lower().partition(b":") for line in takewhile(bytes.strip, request)
                    )
                    head = {name: value for name, _, value in lines}
                    request.read(int(head.get(b"content-length", 0)))
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def run_program(program: str, url: str, *options: str) -> tuple[int, str]:
    """Exit status and stderr of a program, which is given a server's URL, the token and a conversation."""
    done = subprocess.run(
        [sys.executable, *options, "-c", program, url, TOKEN, CONVERSATION_ID],
        env={"PYTHONPATH": f"{ROOT / 'overrides'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr
