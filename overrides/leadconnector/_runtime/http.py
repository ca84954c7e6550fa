"""One request and its answer on the wire, with limits on time and size; the same for the API and the token endpoint."""

import asyncio
import json
import logging
import math
import re
import time
import zlib
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import aclosing, closing, suppress
from typing import NamedTuple, cast
from urllib.request import getproxies, proxy_bypass

import httpx

from ..errors import APIConnectionError, APITimeoutError, LeadConnectorError

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of one answer's body, decompressed. Answers of this API are a few hundred bytes long."""

BODY_SECONDS = 60.0
"""How long a whole body may take; a server that sends a byte now and then would otherwise never end."""

logger = logging.getLogger("leadconnector")

_QUOTED = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")
"""Where an exception's text begins to quote bytes."""


class RawResponse(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case; of those that came several times, the last."""
    body: bytes
    """Decompressed."""
    problem: str = ""
    """Why the body could not be read, if so: too large, badly compressed; else why no whole answer came: `failure`."""
    error: APIConnectionError | None = None
    """What to raise, where this stands for an answer that did not come; the status is then 0."""
    asked: float | None = None
    """Seconds to wait that it asks for, where it does."""

    @property
    def day_is_used_up(self) -> bool:
        """Whether it refuses the request since the location has none left for the day."""
        return (
            self.status == 429
            and self.headers.get("x-ratelimit-daily-remaining", "").strip() == "0"
        )

    def __repr__(
        self,
    ) -> (
        str
    ):  # headers and body may hold whatever was sent, and a traceback's variables may be shown
        return f"RawResponse({self.status}, {len(self.body)} bytes)"


class Limits(NamedTuple):
    """How long an attempt may take, in seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    timeouts: Mapping[str, float | None] = {"read": BODY_SECONDS}
    """Httpx's, for each step of it."""
    deadline: float = math.inf
    """When the call ends, whatever it is doing."""

    def allowed(self, begun: float) -> float:
        """What the head of an answer may take, and then its body, if it begins then, however steadily it comes."""
        return max(0.0, min(max(BODY_SECONDS, self.timeouts["read"] or 0.0), self.deadline - begun))

    def steps(self) -> dict[str, float | None]:
        """Httpx's timeouts, none of them beyond the deadline."""
        left = max(
            0.001, self.deadline - self.clock()
        )  # none at all is no timeout for some transports
        return {
            name: left if each is None or each > left else each
            for name, each in self.timeouts.items()
        }


def exchange(transport: httpx.BaseTransport, request: httpx.Request, limits: Limits) -> RawResponse:
    """Send a request and read its answer; raises whatever the transport does, or `TimeoutError`."""
    with closing(transport.handle_request(request)) as response:
        response.request, body, begun = request, bytearray(), limits.clock()
        for chunk in cast("Iterable[bytes]", response.stream):
            if _is_full(body, chunk, limits, begun):
                break
    return _answer(response, body)


async def exchange_async(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, limits: Limits
) -> RawResponse:
    """`exchange` for async code, where the head of an answer may not drip either."""
    async with asyncio.timeout(limits.allowed(limits.clock())):
        response = await transport.handle_async_request(request)
    async with aclosing(response), asyncio.timeout(limits.allowed(limits.clock())):
        response.request, body, begun = request, bytearray(), limits.clock()
        async for chunk in cast("AsyncIterable[bytes]", response.stream):
            if _is_full(body, chunk, limits, begun):
                break
    return _answer(response, body)


def _is_full(body: bytearray, chunk: bytes, limits: Limits, begun: float) -> bool:
    """Whether a body, which gets this chunk as it comes, has more than is wanted.

    Raises:
        TimeoutError: the body takes too long.
    """
    body += chunk
    seconds = limits.allowed(begun)
    if limits.clock() - begun > seconds:
        body.clear()  # a traceback's variables may be shown
        raise TimeoutError(f"the body took longer than {seconds:g} s")
    return len(body) > MAXIMUM_BODY


def _answer(response: httpx.Response, received: bytearray) -> RawResponse:
    """The answer, once its body has ended or no more of it is wanted.

    Raises:
        httpx.RemoteProtocolError: nothing but the end of the connection ended a success's body, and it is cut.
    """
    raw, body, problem = (
        response.headers.raw,
        bytes(received),
        "",
    )  # read once: httpx makes the list anew each time
    headers = {
        name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in raw
    }
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        problem = "has an encoding that was not asked for"
    elif body and coding not in {"", "identity"}:
        inflate, body = zlib.decompressobj(47), b""
        with suppress(zlib.error):
            body = inflate.decompress(received, MAXIMUM_BODY + 1)
        if not inflate.eof or inflate.unused_data:
            problem = "is badly compressed, or has no end, or more behind it"
    if len(body) > MAXIMUM_BODY:
        problem = f"is larger than {MAXIMUM_BODY} bytes"
    unbounded = "content-length" not in headers and "transfer-encoding" not in headers
    if unbounded and response.status_code < 300 and not problem and _is_cut(body):
        raise httpx.RemoteProtocolError("the connection ended within the body")
    return RawResponse(response.status_code, headers, body, problem)


def _is_cut(body: bytes) -> bool:
    """Whether a body begins as JSON does, and is none."""
    try:
        return body[:1] in {b"{", b"["} and json.loads(body) is None
    except (RecursionError, ValueError) as error:  # what is too deep, or not UTF-8, is not cut
        return isinstance(error, json.JSONDecodeError)


def failure(error: Exception) -> str:
    """What an attempt without a whole answer failed in: `never sent` is one that surely has not reached the API."""
    if isinstance(
        error, httpx.ConnectTimeout
    ):  # of httpx's own transports: others say so of a lost connection, too
        return (
            "never sent"
            if type(error.__cause__).__module__.partition(".")[0] == "httpcore"
            else "lost"
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return "invalid request"
    return "never sent" if isinstance(error, httpx.ConnectError | httpx.PoolTimeout) else "lost"


def no_answer(
    error: Exception,
    name: str,
    request: httpx.Request,
    redacted: Callable[[str], str],
    attempts: int,
) -> APIConnectionError:
    """The exception for a request that got no whole answer, its cause set where that shows no credential and no body.

    A mistake in a given transport's own code passes: it is raised as it is, and so is an error of ours.
    """
    of_a_connection = isinstance(error, OSError) or "event loop" in str(error).lower()
    if isinstance(error, LeadConnectorError) or (
        type(error).__module__ == "builtins" and not of_a_connection
    ):
        raise error
    if isinstance(
        error, httpx.RequestError
    ):  # whoever reads the cause finds no credential and no body in it
        error.request = httpx.Request(request.method, request.url)
    said = re.split(_QUOTED, str(error))[0]
    if said != str(
        error
    ):  # what is no HTTP is quoted, and may be anything: a token, a conversation
        error.args, error.__cause__, error.__context__ = (said,), None, None
    late = isinstance(error, httpx.TimeoutException | TimeoutError)
    text = redacted(
        f"{name}: no whole answer{' in time' * late} ({type(error).__name__}{': ' * bool(said)}{said})"
    )
    made = (APITimeoutError if late else APIConnectionError)(
        text, attempts=attempts, failure=failure(error)
    )
    if isinstance(error, httpx.RequestError | OSError) and redacted(said) == str(error):
        made.__cause__ = error
    return made


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this URL (`HTTPS_PROXY`, `NO_PROXY`, …), as httpx's client does.

    None for plain http, which goes to loopback alone: a proxy would see the token in clear.
    """
    url, proxies = httpx.URL(base_url), getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or url.scheme == "http" or proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
