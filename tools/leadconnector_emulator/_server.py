"""The emulator on a real socket, which only this machine can reach."""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RD, socket
from threading import Thread
from typing import Any, Self

from ._core import Emulator, Request, Response

_MAXIMUM_BODY = 1024 * 1024


class Server:
    """Serves an emulator on a loopback port while its `with` block runs.

    Args:
        emulator: what answers.
        port: the port to listen on; 0 takes a free one.

    Raises:
        OSError: the port is taken, or may not be listened on.
    """

    def __init__(self, emulator: Emulator, *, port: int = 0) -> None:
        self.emulator = emulator
        handler = type("Handler", (_Handler,), {"emulator": emulator})
        self._server = _HTTPServer(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _HTTPServer(ThreadingHTTPServer):
    """Closing it ends the connections that clients keep open, and waits for the threads that serve them."""

    daemon_threads = False  # the base class waits for no other
    request_queue_size = 128  # by default 5, and a burst of connections is refused

    def __init__(self, *arguments: Any) -> None:
        self._connections = set[socket]()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):  # it has just ended
                connection.shutdown(SHUT_RD)
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    emulator: Emulator

    def handle_one_request(self) -> None:
        """Read one request and answer it, whatever its method: the base class serves only those it has a name for."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if len(self.raw_requestline) > 65536 or not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > _MAXIMUM_BODY:
                self.close_connection = True
                self._send(Response(411, b""))
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(int(length)))
            self._send(self.emulator.respond(request))
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else response.body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: what a test or a demonstration prints is its own."""
