"""A web server on the loopback interface, with pages that a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """The URL of a server, what it serves, and what clients requested."""

    url: str
    pages: dict[str, str] = field(default_factory=dict[str, str])
    """The text at each path."""
    redirects: dict[str, str] = field(default_factory=dict[str, str])
    """The target at each path that redirects."""
    requested_paths: list[str] = field(default_factory=list[str])


@contextmanager
def serving(pages: dict[str, str]) -> Generator[Site]:
    """Serve some pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requested_paths.append(self.path)
            if self.path in site.redirects:
                self.send_response(302)
                self.send_header("Location", site.redirects[self.path])
                self.end_headers()
                return
            page = site.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}", pages)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
