"""The only module that imports httpx: it sends one request within limits of time and size.

The API and the token endpoint use it alike. It also makes requests and transports.
"""

import asyncio
import json
import math
import re
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.request import getproxies, proxy_bypass

import httpx

from ..errors import APIConnectionError, APITimeoutError, ConfigurationError, LeadConnectorError
from .secrets import Secret, Token, redact

# The types of httpx that the rest of the package and its callers need.
URL: TypeAlias = httpx.URL
Request: TypeAlias = httpx.Request
Timeout: TypeAlias = httpx.Timeout
BaseTransport: TypeAlias = httpx.BaseTransport
AsyncBaseTransport: TypeAlias = httpx.AsyncBaseTransport
InvalidURL: TypeAlias = httpx.InvalidURL

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of a response's body after decompression. Responses of the API have a few hundred."""

BODY_SECONDS = 60.0
"""How long a whole body may take. A server could otherwise send a byte now and then forever."""

READ_SECONDS = 30.0
"""Default of how long an attempt waits for the next bytes."""

CONNECT_SECONDS = 5.0
"""How long an attempt waits for a connection, at most."""

PARSED_URLS = 512
"""Parsed URLs that a client remembers. Parsing takes a seventh of a call's CPU time."""

Timeouts = Mapping[str, float | None]
"""Seconds by httpx's names: `connect`, `read`, `write`, `pool`; `None` for no limit."""

RawHeaders = list[tuple[bytes, bytes]]

Failure = Literal["never sent", "lost", "invalid request"]
"""What is known about a failed request; see `APIConnectionError.failure`."""


# Named tuples are made twice as fast as frozen dataclasses. Every call makes several.
class RawResponse(NamedTuple):
    """A whole response, before its body is parsed."""

    status_code: int
    headers: Mapping[str, str]
    """By name in lower case. Of a repeated header, the last value."""
    body: bytes
    """Decompressed."""
    body_problem: str = ""
    """Why the body cannot be used (too large, badly compressed); empty if it can."""
    retry_after: float | None = None
    """Seconds that the response asks to wait before the next request."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    def __repr__(self) -> str:
        # A traceback can show variables. Headers and body can repeat the token or personal data.
        return f"RawResponse({self.status_code}, {len(self.body)} bytes)"


class Limits(NamedTuple):
    """How long an attempt may take, in seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    timeouts: Timeouts = MappingProxyType({})
    """The timeouts of each step. Each step of progress starts a new timeout."""
    deadline: float = math.inf
    """When the whole call must end."""

    def phase_seconds(self, started_at: float) -> float:
        """Seconds for one phase of a response: its head, or its body.

        Unlike the timeouts of steps, it also ends a response that arrives slowly but steadily.
        """
        read_timeout = self.timeouts.get("read") or 0.0
        longest = max(BODY_SECONDS, read_timeout)
        return max(0.0, min(longest, self.deadline - started_at))

    def step_timeouts(self) -> dict[str, float | None]:
        """The timeouts for httpx, none of them beyond the deadline."""
        # Some transports understand 0 as "no timeout".
        remaining = max(0.001, self.deadline - self.clock())
        timeouts: dict[str, float | None] = {}
        for name, seconds in self.timeouts.items():
            timeouts[name] = remaining if seconds is None else min(seconds, remaining)
        return timeouts


def send(transport: BaseTransport, request: Request, limits: Limits) -> RawResponse:
    """Send a request and read its response.

    Raises:
        TimeoutError: the body takes too long.
        Exception: any error of the transport.
    """
    with closing(transport.handle_request(request)) as response:
        response.request = request
        body = _BodyBuffer(limits)
        stream: Any = response.stream
        for chunk in stream:
            body.add(chunk)
            if body.is_full:
                break
    return _raw_response(response, body)


async def send_async(
    transport: AsyncBaseTransport, request: Request, limits: Limits
) -> RawResponse:
    """`send` for async code. It also limits the head of the response.

    A blocking transport cannot be interrupted while it receives the head.
    """
    async with asyncio.timeout(limits.phase_seconds(limits.clock())):
        response = await transport.handle_async_request(request)
    async with aclosing(response), asyncio.timeout(limits.phase_seconds(limits.clock())):
        response.request = request
        body = _BodyBuffer(limits)
        stream: Any = response.stream
        async for chunk in stream:
            body.add(chunk)
            if body.is_full:
                break
    return _raw_response(response, body)


class _BodyBuffer:
    """Collects a body up to the limits of size and time.

    A traceback can show variables. The repr of this class shows no data, unlike a bytearray's.
    """

    __slots__ = ("_clock", "_seconds", "_started_at", "content")

    def __init__(self, limits: Limits) -> None:
        self.content = bytearray()
        self._clock = limits.clock
        self._started_at = limits.clock()
        self._seconds = limits.phase_seconds(self._started_at)

    def add(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            TimeoutError: the body takes too long.
        """
        self.content += chunk
        if self._clock() - self._started_at > self._seconds:
            raise TimeoutError(f"the body took longer than {self._seconds:g} s")

    @property
    def is_full(self) -> bool:
        """Whether the body is larger than a client reads."""
        return len(self.content) > MAXIMUM_BODY


def _raw_response(response: httpx.Response, buffer: _BodyBuffer) -> RawResponse:
    """Decode a response whose body has ended or is too large.

    Raises:
        httpx.RemoteProtocolError: the connection ended within the body of a success.
    """
    headers: dict[str, str] = {}
    for name, value in response.headers.raw:
        headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")
    body = _decode(headers.get("content-encoding", ""), buffer.content)
    # Without these headers the body ends with the connection (RFC 9112, section 6.3).
    # A connection that breaks within the body then looks like its end.
    has_length = "content-length" in headers or "transfer-encoding" in headers
    may_be_cut = not has_length and response.status_code < 300 and not body.problem
    if may_be_cut and _is_truncated_json(body.content):
        raise httpx.RemoteProtocolError("the connection ended within the body")
    return RawResponse(response.status_code, headers, body.content, body.problem)


class _Body(NamedTuple):
    """A body after decompression."""

    content: bytes
    problem: str = ""
    """Why the content cannot be used; empty if it can."""

    def __repr__(self) -> str:
        return f"_Body({len(self.content)} bytes)"


def _decode(content_encoding: str, received: bytearray) -> _Body:
    """Decompress a body up to the maximum size. A gzip bomb of 199 KiB has 200 MiB."""
    encoding = content_encoding.strip().lower()
    if encoding in {"", "identity"}:
        return _limited(bytes(received))
    if encoding not in {"gzip", "x-gzip"}:
        return _limited(bytes(received), "has an unsupported Content-Encoding")
    if not received:
        return _Body(b"")
    return _decompress(received)


def _decompress(received: bytearray) -> _Body:
    # 32 + 15: a gzip or zlib header, and the largest window (zlib's manual, inflateInit2).
    decompressor = zlib.decompressobj(47)
    content = b""
    with suppress(zlib.error):
        content = decompressor.decompress(received, MAXIMUM_BODY + 1)
    if not decompressor.eof or decompressor.unused_data:
        return _limited(content, "is not valid gzip, is cut off, or is followed by other data")
    return _limited(content)


def _limited(content: bytes, problem: str = "") -> _Body:
    """A body that is not too large; an excess size replaces any other problem."""
    if len(content) > MAXIMUM_BODY:
        return _Body(content, f"is larger than {MAXIMUM_BODY} bytes")
    return _Body(content, problem)


def _is_truncated_json(body: bytes) -> bool:
    """Whether a body starts as a JSON object or array, but does not parse."""
    if body[:1] not in {b"{", b"["}:
        return False
    try:
        json.loads(body)
    except json.JSONDecodeError:
        return True
    except (RecursionError, ValueError):
        # Nested too deeply, or not UTF-8. That is no sign of a cut; the decoder reports it later.
        return False
    return False


# Errors of a transport.


def is_transport_failure(error: Exception) -> bool:
    """Whether an error of a transport means a failed request.

    Other errors are raised to the caller unchanged: our own exceptions, and mistakes in the code of
    a custom transport.
    """
    if isinstance(error, LeadConnectorError):
        return False
    if isinstance(error, OSError):
        return True
    # asyncio raises a RuntimeError for a connection of another event loop, or of a closed one.
    if "event loop" in str(error).lower():
        return True
    # Libraries have exceptions of their own. A built-in one, such as a TypeError, is a mistake.
    return type(error).__module__ != "builtins"


def failure_of(error: Exception) -> Failure:
    """Classify the error of a request without a whole response."""
    if isinstance(error, httpx.ConnectTimeout):
        # httpx's own transports raise it only while they connect. Others, such as that of aiohttp,
        # also raise it for a connection that they lost.
        from_httpcore = type(error.__cause__).__module__.partition(".")[0] == "httpcore"
        return "never sent" if from_httpcore else "lost"
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return "invalid request"
    if isinstance(error, httpx.ConnectError | httpx.PoolTimeout):
        return "never sent"
    return "lost"


# The start of quoted bytes in the text of an exception.
_QUOTED_BYTES = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")


def connection_error(
    error: Exception,
    operation: str,
    request: Request,
    secrets: Sequence[Secret[str]],
    attempts: int,
) -> APIConnectionError:
    """The exception of a request without a whole response.

    The transport's error is its cause, unless it quoted private data.

    Args:
        error: an error for which `is_transport_failure` is true. Private data is removed from it.
        operation: names the operation in the message.
        request: the request that failed.
        secrets: the credentials of the request. A custom transport can quote them.
        attempts: how many requests were sent, with this one.
    """
    if isinstance(error, httpx.RequestError):
        # The original request contains the token and the body.
        error.request = Request(request.method, request.url)
    reason = _without_quoted_bytes(error)
    timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
    error_class = APITimeoutError if timed_out else APIConnectionError
    message = f"{operation}: no complete response"
    if timed_out:
        message += " in time"
    details = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    raised = error_class(
        redact(f"{message} ({details})", *secrets), attempts=attempts, failure=failure_of(error)
    )
    if isinstance(error, httpx.RequestError | OSError) and redact(reason, *secrets) == str(error):
        raised.__cause__ = error
    return raised


def _without_quoted_bytes(error: Exception) -> str:
    """Remove the bytes that an error quotes from the error. Returns the rest of its text.

    h11 quotes a response that is not HTTP. The bytes can be anything: a token, a conversation.
    """
    text = str(error)
    reason = _QUOTED_BYTES.split(text)[0]
    if reason != text:
        error.args = (reason,)
        error.__cause__ = None
        error.__context__ = None
    return reason


# URLs, transports and requests.

# A host is labels of up to 63 characters (RFC 1035, section 2.3.4), or an IPv6 address in brackets.
_LABEL = r"[^\s/@?#:.\[\]\\]{1,63}"
_HTTPS_HOST = rf"https://({_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\])"
# A token never travels in clear to another machine.
_LOOPBACK_HOST = r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])"
_PORT_AND_PATH = r"(:\d{1,5})?(/[^\s@?#\\]*)?"
_BASE_URL = re.compile(rf"({_HTTPS_HOST}|{_LOOPBACK_HOST}){_PORT_AND_PATH}", re.IGNORECASE)


def check_base_url(url: str, name: str) -> str:
    """Return a base URL without a slash at its end.

    Args:
        url: the URL. Untyped callers can pass any object.
        name: names the option in the message.

    Raises:
        ConfigurationError: it is not `https://HOST[:PORT][/PATH]`, or `http://` of loopback.
    """
    with suppress(TypeError, ValueError, InvalidURL):
        if _BASE_URL.fullmatch(url):
            return str(URL(url)).rstrip("/")
    raise ConfigurationError(
        f"{name} must be https://HOST/PATH (http only to loopback), with nothing else in it"
    )


def environment_proxy(url: str) -> str | None:
    """The proxy of a URL in the environment: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    httpx reads the same variables. Plain http has no proxy: it goes only to loopback, and a proxy
    would see the token in clear.
    """
    target = URL(url)
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or target.scheme == "http" or proxy_bypass(target.host):
        return None
    if "://" in proxy:
        return proxy
    return f"http://{proxy}"


def default_transport(url: str, *, retries: int = 0) -> httpx.HTTPTransport:
    """A new connection pool for a URL, which uses the environment's proxy.

    Args:
        url: the base URL.
        retries: how often a failed attempt to connect is repeated.

    Raises:
        OSError, ValueError, ImportError: the proxy or certificate file of the environment is
            unusable.
    """
    return httpx.HTTPTransport(proxy=environment_proxy(url), retries=retries)


def default_async_transport(url: str) -> httpx.AsyncHTTPTransport:
    """`default_transport` for async code."""
    return httpx.AsyncHTTPTransport(proxy=environment_proxy(url))


def timeouts_of(timeout: float | Timeout | None) -> Timeouts:
    """The timeouts for the `timeout` option.

    Args:
        timeout: seconds, of which connecting gets at most 5; or all of httpx's timeouts;
            `None` for the default.
    """
    if isinstance(timeout, Timeout):
        return timeout.as_dict()
    seconds = READ_SECONDS if timeout is None else timeout
    return Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)).as_dict()


def common_headers(user_agent: str) -> dict[str, str]:
    """The headers of every request, except the host."""
    return {
        "Accept": "application/json",
        # `send` decompresses gzip with a bound. It supports no other encoding.
        "Accept-Encoding": "gzip",
        "User-Agent": user_agent,
    }


def case_insensitive(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers whose lookup ignores case."""
    return httpx.Headers(dict(headers), encoding="utf-8")


def form_request(
    url: str,
    fields: Mapping[str, str],
    headers: Mapping[str, str],
    timeout: float = READ_SECONDS,
) -> Request:
    """A `POST` of a form.

    Args:
        url: where to.
        fields: the fields of the form, unencoded.
        headers: headers beside those of the form.
        timeout: seconds, as in `timeouts_of`.
    """
    extensions = {"timeout": timeouts_of(timeout)}
    return Request("POST", url, headers=dict(headers), data=dict(fields), extensions=extensions)


class PreparedRequest(NamedTuple):
    """What all attempts of a call send: the request without its token."""

    method: str
    url: URL
    headers: RawHeaders
    body: httpx.ByteStream

    def authorized(self, token: Token, timeouts: Timeouts) -> Request:
        """The request of one attempt."""
        authorization = (b"Authorization", b"Bearer " + token.reveal().encode())
        return Request(
            self.method,
            self.url,
            headers=[*self.headers, authorization],
            stream=self.body,
            extensions={"timeout": timeouts},
        )

    def __repr__(self) -> str:
        return f"PreparedRequest({self.method})"


# The keyword arguments for a request with a JSON body and without query parameters.
_JSON_REQUEST_ARGUMENTS = frozenset({"method", "url", "json", "headers"})


class RequestFactory:
    """Makes the requests of a client from its base URL, its common headers and the arguments."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url = base_url
        host = URL(base_url).netloc.decode()
        self._headers: RawHeaders = httpx.Headers({"Host": host, **headers}).raw
        self._parse_url = lru_cache(PARSED_URLS)(URL)

    def prepare(self, method: str, arguments: dict[str, Any]) -> PreparedRequest:
        """Prepare a request.

        Args:
            method: the method in upper case.
            arguments: keyword arguments for `httpx.Request`, as generated code returns them.
                Their `url` is a path.

        Raises:
            InvalidURL: the path makes no URL.
            TypeError, ValueError, RecursionError: the arguments make no request.
        """
        url = self._parse_url(self._base_url + arguments["url"])
        if arguments.keys() == _JSON_REQUEST_ARGUMENTS:
            return self._prepare_json(method, url, arguments["headers"], arguments["json"])
        # httpx encodes any other body, and adds the host, which is the first common header.
        request_arguments: dict[str, Any] = {**arguments, "url": url}
        request = Request(**request_arguments)
        headers = request.headers.raw + self._headers[1:]
        return PreparedRequest(method, request.url, headers, httpx.ByteStream(request.read()))

    def _prepare_json(
        self, method: str, url: URL, headers: Mapping[str, str], data: object
    ) -> PreparedRequest:
        """Encode a JSON body as httpx does, in a tenth of the time."""
        content = _encode_json(data).encode()
        encoded = list(self._headers)
        for name, value in headers.items():
            encoded.append((name.encode("ascii"), value.encode("ascii")))
        encoded.append((b"Content-Length", b"%d" % len(content)))
        return PreparedRequest(method, url, encoded, httpx.ByteStream(content))


_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
