"""Receives the redirect of the authorization page on this machine, and checks it."""

import hmac
import queue
import socketserver
import threading
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET, AF_INET6
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from .._runtime.secrets import Secret
from .._runtime.text import one_line
from ..errors import ArgumentError
from .endpoint import is_valid_credential

CLIENT_SECONDS = 10.0
"""How long a browser's connection may take to send its request: our own bound."""

MAXIMUM_PARAMETERS = 50
"""Parameters of a redirect; the standard has five (RFC 6749, section 4.1.2)."""

LONGEST_EXPLANATION = 200
"""Characters of the authorization page's explanation that a message quotes."""


class RedirectError(Exception):
    """The redirect cannot be used. The message says why, and never shows a code or a state."""


class DeniedError(RedirectError):
    """The user denied the request, or the authorization page reported another error."""


class InvalidRedirectError(RedirectError):
    """The redirect is not the answer to this authorization."""


class RedirectTimeoutError(RedirectError):
    """No redirect arrived in time."""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a redirect arrives."""

    host: str
    """As in the redirect URI, in lower case."""
    port: int
    path: str
    query: str

    @property
    def bound_host(self) -> str:
        """The address to listen on. A browser also tries this one for `localhost`."""
        return "127.0.0.1" if self.host == "localhost" else self.host

    def host_headers(self, port: int) -> set[str]:
        """The values of the header `Host` with which a browser names this address."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        headers = {f"{name}:{port}"}
        if port == 80:
            headers.add(name)
        return headers


class RedirectListener:
    """Listens for one redirect. Use it in a `with` block.

    Args:
        redirect_uri: an http URI of loopback. Port 0 selects a free one.
        state: the state of the authorization, which the redirect must repeat.

    Raises:
        ArgumentError: the URI is not one of loopback.
        OSError: the port is in use, or this process may not listen on it.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        self._uri = redirect_uri
        self._address = _loopback_address(redirect_uri)
        self._state = state
        self._outcomes: queue.Queue[Secret[str] | RedirectError] = queue.Queue()
        self._server = _Server(self._address, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="leadconnector-redirect",
            daemon=True,
        )

    @property
    def redirect_uri(self) -> str:
        """The redirect URI; with the port on which this listens, if the URI has port 0."""
        if self._address.port != 0:
            # Unchanged: the endpoint compares it with the one of the application.
            return self._uri
        name = self._address.host
        if ":" in name:
            name = f"[{name}]"
        query = f"?{self._address.query}" if self._address.query else ""
        return f"http://{name}:{self._server.server_port}{self._address.path}{query}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, seconds: float) -> Secret[str]:
        """Return the code of the redirect.

        Raises:
            RedirectError: the redirect cannot be used, or none arrived in time.
        """
        try:
            outcome = self._outcomes.get(timeout=seconds)
        except queue.Empty:
            raise RedirectTimeoutError(
                f"no redirect arrived within {seconds:g} s: run the command again, and approve "
                "the request in the browser"
            ) from None
        if isinstance(outcome, RedirectError):
            raise outcome
        return outcome

    def concerns(self, path: str) -> bool:
        """Whether a request has the path of the redirect. Browsers also ask for an icon."""
        return path == self._address.path

    def check(self, query: str, host_header: str) -> "Secret[str] | RedirectError":
        """Check a redirect.

        Args:
            query: the query of its URL.
            host_header: the header `Host`.

        Returns:
            The code, or what is wrong with the redirect.
        """
        try:
            self._check_host(host_header)
            return self._code_in(query)
        except RedirectError as error:
            return error

    def finish(self, outcome: "Secret[str] | RedirectError") -> None:
        """Set the outcome of the first redirect, for which `wait` waits."""
        self._outcomes.put(outcome)

    def _check_host(self, host_header: str) -> None:
        # A web site can point its own name at this machine (DNS rebinding).
        if host_header.lower() not in self._address.host_headers(self._server.server_port):
            raise InvalidRedirectError(
                f"the redirect came for another host than {self._address.host}: it was not "
                "accepted, run the command again"
            )

    def _code_in(self, query: str) -> Secret[str]:
        """The code in the query of a redirect.

        Raises:
            RedirectError: the redirect cannot be used.
        """
        parameters = _parameters_in(query)
        # Compared in constant time, and before all else: only the right page knows the state.
        state = parameters.reveal().get("state", "")
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            raise InvalidRedirectError(
                "the redirect has another state than this authorization: it may belong to an "
                "earlier one, or to an attack; close other tabs of it, and run the command again"
            )
        if "error" in parameters.reveal():
            raise DeniedError(_explanation(parameters))
        code = parameters.reveal().get("code", "")
        if not code:
            raise InvalidRedirectError("the redirect has no code: run the command again")
        if not is_valid_credential(code):
            raise InvalidRedirectError(
                "the redirect has a code that is not printable ASCII: run the command again"
            )
        return Secret(code)


def _loopback_address(redirect_uri: str) -> _Address:
    """The address of a redirect URI.

    Raises:
        ArgumentError: a browser on this machine would be sent elsewhere.
    """
    problem = (
        "the redirect URI must be http://localhost:PORT/PATH, or http of a loopback address: "
        "only this machine can receive it"
    )
    try:
        parts = urlsplit(redirect_uri)
        port = 80 if parts.port is None else parts.port
        host = parts.hostname or ""
        is_loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        raise ArgumentError(problem, argument="redirect_uri") from None
    has_more = bool(parts.fragment) or "@" in parts.netloc
    if parts.scheme != "http" or not is_loopback or has_more:
        raise ArgumentError(problem, argument="redirect_uri")
    return _Address(host, port, parts.path or "/", parts.query)


def _parameters_in(query: str) -> Secret[dict[str, str]]:
    """The parameters of a redirect, each once.

    Raises:
        InvalidRedirectError: a parameter is repeated (RFC 6749, section 3.1), or there are many.
    """
    try:
        values = Secret(parse_qs(query, keep_blank_values=True, max_num_fields=MAXIMUM_PARAMETERS))
    except ValueError:
        raise InvalidRedirectError(
            "the redirect has too many parameters: run the command again"
        ) from None
    for name in ("code", "error", "state"):
        if len(values.reveal().get(name, ())) > 1:
            raise InvalidRedirectError(
                f"the redirect has the parameter {name} more than once: run the command again"
            )
    return Secret({name: texts[0] for name, texts in values.reveal().items()})


def _explanation(parameters: Secret[dict[str, str]]) -> str:
    """The message for an error that the authorization page reported."""
    error = one_line(parameters.reveal()["error"])[:LONGEST_EXPLANATION]
    description = one_line(parameters.reveal().get("error_description", ""))
    message = f"the authorization page reported {error}"
    if error == "access_denied":
        message = "the user denied the request (access_denied)"
    if description:
        message += f": {description[:LONGEST_EXPLANATION]}"
    return f"{message}; run the command again to ask once more"


class _Server(ThreadingHTTPServer):
    """The server of one `RedirectListener`. A thread for each connection: browsers open several."""

    daemon_threads = True

    def __init__(self, address: _Address, listener: RedirectListener) -> None:
        self.listener = listener
        self.address_family = AF_INET6 if ":" in address.bound_host else AF_INET
        super().__init__((address.bound_host, address.port), _Handler)

    def server_bind(self) -> None:
        """Bind the socket. The inherited method would also look up the name of this machine."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a connection that failed. The inherited method prints a traceback."""


class _Handler(BaseHTTPRequestHandler):
    """Responds to the requests of a browser."""

    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = CLIENT_SECONDS
    server_version = "leadconnector"
    sys_version = ""

    def do_GET(self) -> None:
        """Receive a redirect. Any other path has no page."""
        path, _, query = self.path.partition("?")
        if not self.server.listener.concerns(path):
            self._respond(404, "Not found", "Only the authorization page redirects here.")
            return
        outcome = self.server.listener.check(query, self.headers.get("Host", ""))
        try:
            self._respond_to_redirect(outcome)
        finally:
            # After the response: the program can end at once. And even if the browser has gone.
            self.server.listener.finish(outcome)

    def _respond_to_redirect(self, outcome: "Secret[str] | RedirectError") -> None:
        if isinstance(outcome, RedirectError):
            self._respond(400, "The authorization failed", str(outcome))
            return
        self._respond(
            200,
            "The authorization has arrived",
            "The terminal shows whether the tokens were saved. You can close this page.",
        )

    def _respond(self, status: int, title: str, text: str) -> None:
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            f"<h1>{title}</h1><p>{escape(text)}</p></html>"
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        # The URL contains the code: no page may learn it, and no cache may store it.
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:  # the inherited name
        """Print nothing: a request contains the code."""
