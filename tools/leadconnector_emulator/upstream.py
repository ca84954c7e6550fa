"""Sends requests to one API, the upstream, and says clearly why there is no response."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import h11
import httpx

from .body_coding import DECODABLE
from .hosts import LOOPBACK_HOSTS
from .messages import Request, Response
from .upstream_error import UpstreamError

DEADLINE = 60.0
"""Seconds that an exchange with the upstream may take by default."""

MAXIMUM_RESPONSE_BYTES = 64 * 1024 * 1024
"""The largest body of a response. The proxy sends nothing before it has the whole body."""

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that concern one connection only (RFC 9110, section 7.6.1)."""

_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
"""The path of a URL (RFC 3986, section 3.3)."""

_HOST = re.compile(r"[^\s%<>\"\\^`{|}]+")
"""The characters that a host may have. The system checks the rest when it looks up the name."""

REPLACED_HEADERS = frozenset({"host", "expect", "accept-encoding", "content-length"})
"""Headers of the request that the proxy sends with a value of its own, or has dealt with."""

CHECK_ADDRESS = "Check the address after --upstream, and that the API is running."


@dataclass(frozen=True)
class UpstreamAddress:
    """The checked URL of an upstream.

    Raises:
        ValueError: the URL is not usable; the message says why, without a password in it.
    """

    url: str
    allow_http: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            port = parts.port
            host = httpx.URL(self.url).host
        except (ValueError, httpx.InvalidURL) as error:
            raise ValueError(f"the upstream is not a URL ({error}); use https://HOST") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("the upstream must not contain a user name or password")
        if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
            raise ValueError(f"the upstream {self.url!r} must be a URL such as https://HOST")
        if port == 0 or parts.query or parts.fragment:
            raise ValueError(f"the upstream {self.url!r} must be a URL without query and fragment")
        if not _PATH.fullmatch(parts.path):
            escaped_path = quote(parts.path, safe="/%")
            raise ValueError(
                f"the path of the upstream {self.url!r} has characters that a URL cannot have:"
                f" write it as {escaped_path}"
            )
        if parts.scheme == "http" and not self.allow_http and not self.is_loopback:
            raise ValueError(
                f"the upstream {self.url!r} must use https, since requests contain credentials;"
                " --allow-http accepts plain http in a network that you trust"
            )

    @property
    def is_loopback(self) -> bool:
        """Whether the upstream is a name or address of this machine."""
        return urlsplit(self.url).hostname in LOOPBACK_HOSTS

    @property
    def origin(self) -> str:
        """Scheme, host and port, for messages."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path before that of each request."""
        return urlsplit(self.url).path.rstrip("/")


class Upstream:
    """The connections to one API. Redirects are not followed, and no other host is contacted.

    Args:
        address: the URL of the API.
        deadline: the seconds that an exchange may take in total.
        ssl_context: the trusted certificates; by default those of the system's configuration.
    """

    def __init__(
        self,
        address: UpstreamAddress,
        *,
        deadline: float = DEADLINE,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        if not 0 < deadline < float("inf"):
            raise ValueError(f"the deadline must be a positive number of seconds, not {deadline}")
        self.address = address
        self._deadline = deadline
        self._destination = address.origin
        if proxy_variable := environment_proxy_name(address):
            self._destination = f"{address.origin} (through the proxy in {proxy_variable})"
        # The transport, not a client: a client has cookies, redirects and headers of its own.
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context or _default_ssl_context(),
            proxy=_checked_proxy(address),
            limits=httpx.Limits(max_connections=100, keepalive_expiry=2.0),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def send(self, request: Request) -> Response:
        """Send a request, and return the complete response.

        The body stays compressed. Only headers that concern one connection are removed.

        Raises:
            UpstreamError: there is no complete response that can be passed on.
        """
        origin = self._destination
        try:
            async with asyncio.timeout(self._deadline):
                return await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException):
            raise UpstreamError(
                504,
                f"{origin} did not send a complete response within {self._deadline:g} seconds."
                " The request may have been executed. Try again, or allow more time with"
                " --deadline SECONDS.",
            ) from None
        except httpx.ConnectError as error:
            raise UpstreamError(502, _connection_problem(origin, error)) from None
        except httpx.RemoteProtocolError as error:
            # After a colon, the text quotes what the API sent. It may be a credential.
            reason = str(error).partition(":")[0].rstrip(".")
            raise UpstreamError(
                502,
                f"{origin} did not send a complete response of HTTP/1.1 ({reason})."
                f" The request may have been executed. {CHECK_ADDRESS}",
            ) from None
        except (httpx.LocalProtocolError, h11.LocalProtocolError):
            raise UpstreamError(
                502, f"the request cannot be sent to {origin} as it is. Correct its headers."
            ) from None
        # A failure of TLS within a connection is an `OSError`.
        except (httpx.TransportError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise UpstreamError(
                502,
                f"the connection to {origin} ended before the response was complete ({reason})."
                " The request may have been executed. Try again.",
            ) from None

    async def _exchange(self, request: Request) -> Response:
        upstream_response = await self._transport.handle_async_request(self._prepared(request))
        try:
            body = await self._body(upstream_response)
        finally:
            await upstream_response.aclose()
        return _passed_on(upstream_response, body, self.address.origin)

    def _prepared(self, request: Request) -> httpx.Request:
        if not request.target.startswith("/"):
            raise UpstreamError(
                502,
                "the request names no path: this is no proxy for other hosts."
                f" Send requests for {self.address.origin} to this address.",
            )
        target = self.address.path.encode("ascii") + request.target.encode("latin-1")
        prepared_request = httpx.Request(
            request.method,
            self.address.url,
            headers=_request_headers(request),
            content=request.body,
            # The exact bytes of the target: parsing and writing a URL could change them. The host
            # is that of the URL, whatever the target looks like.
            extensions={
                "target": target,
                "timeout": httpx.Timeout(self._deadline).as_dict(),
            },
        )
        # httpx writes it in upper case, and methods are case-sensitive (RFC 9110, section 9.1).
        prepared_request.method = request.method
        return prepared_request

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAXIMUM_RESPONSE_BYTES:
                raise UpstreamError(
                    502,
                    f"{self.address.origin} sent a body of more than {MAXIMUM_RESPONSE_BYTES}"
                    " bytes, which the proxy does not pass on. Call the API directly for it.",
                )
        return bytes(body)


def _request_headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The headers for the upstream: those of the client, but for those of one connection."""
    named_headers = _listed(request.headers.get("connection", ""))
    headers: list[tuple[bytes, bytes]] = []
    for name, value in request.headers.items():
        if name in HOP_BY_HOP or name in REPLACED_HEADERS or name in named_headers:
            continue
        headers.append((name.encode("latin-1"), value.encode("latin-1")))
    if request.body or "content-length" in request.headers:
        # That of the client is for its own connection, where the body may also be chunked, and
        # then the length is wrong (RFC 9112, section 6.3).
        headers.append((b"content-length", str(len(request.body)).encode("ascii")))
    if "accept-encoding" in request.headers:
        encodings = _decodable_encodings(request.headers["accept-encoding"])
        headers.append((b"accept-encoding", encodings.encode("latin-1")))
    return headers


def _decodable_encodings(accept_encoding: str) -> str:
    """What of `Accept-Encoding` the proxy can decode, so that it can check each response."""
    accepted: list[str] = []
    for item in accept_encoding.split(","):
        name = item.partition(";")[0].strip().lower()
        if name in DECODABLE:
            accepted.append(item.strip())
    return ", ".join(accepted) or "identity"


def _listed(value: str) -> set[str]:
    return {item.strip().lower() for item in value.split(",")}


def _passed_on(response: httpx.Response, body: bytes, origin: str) -> Response:
    """The response for the client.

    Raises:
        UpstreamError: its status or headers cannot be sent to a client.
    """
    named_headers = _listed(response.headers.get("connection", ""))
    headers: dict[str, str] = {}
    repeated_headers: list[tuple[str, str]] = []
    names: set[str] = set()
    for raw_name, raw_value in response.headers.raw:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        if name.lower() in HOP_BY_HOP or name.lower() in named_headers:
            continue
        if name.lower() in names:
            repeated_headers.append((name, value))
        else:
            names.add(name.lower())
            headers[name] = value
    passed_response = Response(
        response.status_code, body, headers, repeated_headers=tuple(repeated_headers)
    )
    try:
        h11.Response(status_code=response.status_code, headers=passed_response.header_lines())
    except h11.LocalProtocolError:
        raise UpstreamError(
            502,
            f"{origin} sent a status or header that a server cannot pass on. {CHECK_ADDRESS}",
        ) from None
    return passed_response


def _connection_problem(origin: str, error: httpx.ConnectError) -> str:
    """Why there is no connection, and what to do."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {origin} is not trusted ({cause.verify_message})."
                " Nothing was sent. Set SSL_CERT_FILE to a file with the certificate authority."
            )
        if isinstance(cause, ssl.SSLError):
            return (
                f"{origin} does not speak TLS ({cause.reason}). Nothing was sent. {CHECK_ADDRESS}"
            )
        if isinstance(cause, socket.gaierror):
            reason = cause.strerror or "no address"
            return (
                f"the host of {origin} was not found ({reason}). Nothing was sent. {CHECK_ADDRESS}"
            )
        cause = cause.__cause__ or cause.__context__
    return f"{origin} cannot be reached ({error}). Nothing was sent. {CHECK_ADDRESS}"


def environment_proxy(address: UpstreamAddress) -> str | None:
    """The proxy that the environment names for the upstream (`HTTPS_PROXY`, `NO_PROXY`)."""
    parts = urlsplit(address.url)
    if address.is_loopback or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        # As curl, and as httpx itself.
        return f"http://{proxy}"
    return proxy


def environment_proxy_name(address: UpstreamAddress) -> str | None:
    """Where the proxy of the upstream is configured, for messages; `None` without a proxy."""
    if environment_proxy(address) is None:
        return None
    scheme = urlsplit(address.url).scheme
    for name in (f"{scheme}_proxy", "all_proxy"):
        # In the order of `urllib`, which prefers lower case.
        for variable in (name, name.upper()):
            if os.environ.get(variable):
                return variable
    return "the settings of the system"


def _checked_proxy(address: UpstreamAddress) -> httpx.Proxy | None:
    """The proxy of the environment.

    Raises:
        ValueError: its URL is invalid, or it needs a package. The message has no password.
    """
    url = environment_proxy(address)
    if url is None:
        return None
    name = environment_proxy_name(address)
    proxy = _parsed_proxy(url)
    if proxy is None:
        raise ValueError(f"{name} is not the URL of a proxy: use one such as http://HOST:PORT")
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ValueError(f"{name} names a SOCKS proxy: install the package socksio for it")
    return proxy


def _parsed_proxy(url: str) -> httpx.Proxy | None:
    """The proxy with a URL; `None` if the URL is invalid."""
    try:
        port = urlsplit(url).port
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        return None
    if port == 0 or not _HOST.fullmatch(proxy.url.host):
        return None
    return proxy


def _default_ssl_context() -> ssl.SSLContext:
    """The certificates that the environment names, or else those of the package certifi.

    Raises:
        ValueError: they cannot be read; the message names the variable.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        # An `SSLError`, for a file without certificates, is an `OSError` too.
        variables = [
            f"{name}={os.environ[name]}"
            for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")
            if os.environ.get(name)
        ]
        reason = error.strerror or type(error).__name__
        raise ValueError(
            f"the trusted certificates cannot be read ({reason}):"
            f" correct {' or '.join(variables) or 'the installation of certifi'}"
        ) from None
