"""A server that receives webhooks and responds as a test says."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ReceivedRequest:
    """One request, as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What a server received, and how it responds."""

    url: str = ""
    statuses: list[int] = field(default_factory=list[int])
    """The statuses of the next responses. After the last one, the status is 200."""
    requests: list[ReceivedRequest] = field(default_factory=list[ReceivedRequest])
    is_open: threading.Event = field(default_factory=threading.Event)
    """Until it is set, requests wait for their response."""
    has_request: threading.Event = field(default_factory=threading.Event)
    """Set by the first request."""

    def status_of(self, request: ReceivedRequest) -> int:
        """Store a request, and return the status of its response."""
        self.requests.append(request)
        self.has_request.set()
        self.is_open.wait(30)
        return self.statuses.pop(0) if self.statuses else 200


@contextmanager
def receiving(*statuses: int, is_open: bool = True) -> Generator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver(statuses=list(statuses))
    if is_open:
        receiver.is_open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.status_of(ReceivedRequest(self.path, headers, body))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_open.set()
            server.shutdown()
            thread.join()
