"""One request and its answer on the wire, with limits on time and size; the same for the API and the token endpoint."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import aclosing, closing
from typing import NamedTuple, cast
from urllib.request import getproxies, proxy_bypass

import httpx

from .errors import APIConnectionError, APITimeoutError

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of one answer's body, decompressed. Answers of this API are a few hundred bytes long."""

BODY_SECONDS = 60.0
"""How long a whole body may take; a server that sends a byte now and then would otherwise never end."""

_QUOTED = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")
"""Where an exception's text begins to quote bytes."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: httpx.Headers
    body: bytes
    """Decompressed."""
    problem: str = ""
    """Why the body could not be read, if so: too large, badly compressed."""


class Limits(NamedTuple):
    """How long an answer may take, in seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    body_seconds: float = BODY_SECONDS
    deadline: float | None = None
    """When the call ends, whatever it is doing."""


class Reader:
    """Puts the body of an answer together, within the limits."""

    def __init__(self, response: httpx.Response, limits: Limits) -> None:
        self._response, self._limits, self._body, self._problem = response, limits, bytearray(), ""
        end = limits.clock() + limits.body_seconds
        self._end = end if limits.deadline is None else min(end, limits.deadline)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        self._inflate = zlib.decompressobj(47) if encoding in {"gzip", "x-gzip"} else None
        if encoding not in {"gzip", "x-gzip", "identity", ""}:
            self._problem = "has an encoding that was not asked for"

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk as it came; false where nothing more is wanted.

        Raises:
            TimeoutError: the body takes too long.
        """
        if self._limits.clock() > self._end:
            raise TimeoutError("the body took longer than it may")
        try:
            while chunk and not self._problem:
                room = MAXIMUM_BODY + 1 - len(self._body)
                self._body += chunk if self._inflate is None else self._inflate.decompress(chunk, room)
                if len(self._body) > MAXIMUM_BODY:
                    self._problem = f"is larger than {MAXIMUM_BODY} bytes"
                chunk = b"" if self._inflate is None else self._inflate.unused_data
                if chunk:  # a compressed file may be several, one after the other (RFC 1952, section 2.2)
                    self._inflate = zlib.decompressobj(47)
        except zlib.error:
            self._problem = "is badly compressed"
        return not self._problem

    def answer(self) -> Answer:
        """The answer, once its body has ended or nothing more of it is wanted."""
        if not self._problem and self._body and self._inflate is not None and not self._inflate.eof:
            self._problem = "is badly compressed: it has no end"
        return Answer(self._response.status_code, self._response.headers, bytes(self._body), self._problem)


def exchange(transport: httpx.BaseTransport, request: httpx.Request, limits: Limits) -> Answer:
    """Send a request and read its answer; raises whatever the transport does, or `TimeoutError`."""
    with closing(transport.handle_request(request)) as response:
        response.request = request
        reader = Reader(response, limits)
        all(reader.feed(chunk) for chunk in cast("Iterable[bytes]", response.stream))
    return reader.answer()


async def exchange_async(transport: httpx.AsyncBaseTransport, request: httpx.Request, limits: Limits) -> Answer:
    """`exchange` for async code, where the head of an answer may not drip either."""
    left = limits.body_seconds if limits.deadline is None else limits.deadline - limits.clock()
    seconds = max(0.0, min(limits.body_seconds, left))
    async with asyncio.timeout(seconds):
        response = await transport.handle_async_request(request)
    async with aclosing(response), asyncio.timeout(seconds):
        response.request = request
        reader = Reader(response, limits)
        async for chunk in cast("AsyncIterable[bytes]", response.stream):
            if not reader.feed(chunk):
                break
    return reader.answer()


def no_answer(
    error: Exception, name: str, request: httpx.Request, redacted: Callable[[str], str], attempts: int
) -> APIConnectionError:
    """The exception for a request that got no whole answer, its cause set where that shows no credential and no body.

    A mistake in a given transport's own code passes: it is raised as it is.
    """
    if type(error).__module__ == "builtins" and not isinstance(error, OSError):
        raise error
    if isinstance(error, httpx.RequestError):  # whoever reads the cause finds no credential and no body in it
        error.request = httpx.Request(request.method, request.url)
    said = re.split(_QUOTED, str(error))[0]
    if said != str(error):  # what is no HTTP is quoted, and may be anything: a token, a conversation
        error.args, error.__cause__, error.__context__ = (said,), None, None
    timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
    told = f"{'no whole answer in time' if timed_out else 'no whole answer'} ({type(error).__name__}: {said})"
    made = (APITimeoutError if timed_out else APIConnectionError)(redacted(f"{name}: {told}"), attempts=attempts)
    made.__cause__ = error if str(error) == redacted(said) == said else None
    made.__suppress_context__ = True
    return made


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this URL (`HTTPS_PROXY`, `NO_PROXY`, …), as httpx's client does."""
    url, proxies = httpx.URL(base_url), getproxies()
    proxy = None if proxy_bypass(url.host) else proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
