"""Requests as they are sent: as bytes for a connection, or as httpx's object for a transport."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import httpx

from ..secrets import Secret, Token
from .limits import Timeouts
from .response_parser import RawHeaders
from .types import URL, Request

DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

_IDEMPOTENT_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
"""Methods whose repetition changes nothing (RFC 9110, section 9.2.2)."""

# RFC 9110: a name is a token (section 5.6.2), and a value has no control characters (section 5.5).
# A line break would be a header of its own.
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")

# A method is a token, too (section 9.1). A target has no spaces and no control characters (RFC
# 9112, section 3.2).
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP/1\.1")


class Origin(NamedTuple):
    """Where requests go."""

    host: str
    """A name in ASCII, or an address without brackets."""
    port: int
    is_encrypted: bool

    @classmethod
    def of(cls, url: URL) -> "Origin":
        """The origin of a URL."""
        port = url.port or DEFAULT_PORTS[url.scheme]
        return cls(url.raw_host.decode("ascii"), port, is_encrypted=url.scheme == "https")


class PreparedRequest:
    """What all attempts of a call send: the request without its token.

    It is no named tuple: error reporters show the items of a tuple, and not its repr.

    Args:
        method: in upper case.
        origin: where it goes.
        target: the path with the query, encoded.
        headers: its headers, with those of the body.
        body: its body, which can be empty.
    """

    __slots__ = ("body", "headers", "method", "origin", "target")

    def __init__(
        self, method: str, origin: Origin, target: bytes, headers: RawHeaders, body: bytes
    ) -> None:
        self.method = method
        self.origin = origin
        self.target = target
        self.headers = headers
        self.body = Secret(body)
        """It can have personal data, or the secret of an OAuth application."""

    def remove_headers(self, names: Collection[bytes]) -> None:
        """Remove the headers with these names in lower case."""
        self.headers = [(name, value) for name, value in self.headers if name.lower() not in names]

    def add_headers(self, headers: Mapping[str, str]) -> None:
        """Add headers in ASCII that the request does not have, such as those of a trace."""
        for name, value in headers.items():
            self.headers.append((name.encode("ascii"), value.encode("ascii")))

    def for_attempt(self, token: Token | None, timeouts: Timeouts) -> "OutgoingRequest":
        """The request of one attempt. A public operation gets no token."""
        return OutgoingRequest(self, timeouts, token)

    def __repr__(self) -> str:
        return f"PreparedRequest({self.method})"


class OutgoingRequest:
    """The request of one attempt.

    Args:
        prepared: the request without its token.
        timeouts: the timeouts of each step.
        token: the token; `None` for a request without one.
    """

    __slots__ = ("_prepared", "_timeouts", "_token", "times_sent")

    def __init__(
        self, prepared: PreparedRequest, timeouts: Timeouts, token: Token | None = None
    ) -> None:
        self._prepared = prepared
        self._timeouts = timeouts
        self._token = token
        self.times_sent = 0
        """How often a default transport has sent it: twice if it met a stale connection."""

    @property
    def method(self) -> str:
        """The method in upper case."""
        return self._prepared.method

    @property
    def origin(self) -> Origin:
        """Where it goes."""
        return self._prepared.origin

    @property
    def is_idempotent(self) -> bool:
        """Whether it can be sent twice without another effect."""
        return self.method in _IDEMPOTENT_METHODS

    def data(self) -> memoryview:
        """The head and the body, as HTTP/1.1 sends them.

        Raises:
            httpx.LocalProtocolError: the method, the target or a header is invalid.
        """
        prepared = self._prepared
        method = prepared.method.encode("utf-8", "surrogatepass")
        request_line = b"%s %s HTTP/1.1" % (method, prepared.target)
        if not _REQUEST_LINE.fullmatch(request_line):
            raise httpx.LocalProtocolError("the method or the target is invalid")
        # No variable contains the token, which a traceback could show.
        return memoryview(
            b"\r\n".join([request_line, *self._header_lines(), b"", prepared.body.reveal()])
        )

    def _header_lines(self) -> Iterator[bytes]:
        for name, value in (*self._prepared.headers, *self._authorization()):
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise httpx.LocalProtocolError("a header is invalid")
            yield b"%s: %s" % (name, value)

    def _authorization(self) -> RawHeaders:
        if self._token is None:
            return []
        return [(b"Authorization", b"Bearer " + self._token.reveal().encode())]

    def for_httpx(self) -> Request:
        """The request for a custom transport."""
        prepared = self._prepared
        request = Request(
            prepared.method,
            self._url(),
            headers=[*prepared.headers, *self._authorization()],
            stream=httpx.ByteStream(prepared.body.reveal()),
            extensions={"timeout": self._timeouts},
        )
        # Some transports use `request.content`, which is available only after this.
        request.read()
        return request

    def for_errors(self) -> Request:
        """The request without headers and body, for an exception."""
        return Request(self.method, self._url())

    def _url(self) -> URL:
        origin = self.origin
        scheme = "https" if origin.is_encrypted else "http"
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        return URL(f"{scheme}://{host}:{origin.port}{self._prepared.target.decode('ascii')}")

    def __repr__(self) -> str:
        return f"OutgoingRequest({self.method})"
