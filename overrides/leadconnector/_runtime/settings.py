"""What a client is made with, checked where it is made."""

import asyncio
import os
import random
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypedDict

import httpx

from .._generated import load_contract
from .._version import __version__
from ..auth import Credentials
from ..errors import ConfigurationError, ResponseInfo
from ..rate_limit import RateLimit
from .finding import Finding
from .retry import MAXIMUM_RETRIES

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"leadconnector/{__version__}",
}
"""Those that all requests have in common, but for the host."""

READ_SECONDS, CONNECT_SECONDS = 30.0, 5.0
"""How long an answer, and a connection, may let wait for them."""

_SECURE = r"https://([^\s/@?#:.\[\]\\]{1,63}(\.[^\s/@?#:.\[\]\\]{1,63})*\.?|\[[0-9a-f:.]+\])"
_LOOPBACK = r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])"  # a token never travels in clear to another machine
_BASE_URL = re.compile(rf"({_SECURE}|{_LOOPBACK})(:\d{{1,5}})?(/[^\s@?#\\]*)?", re.IGNORECASE)


class Options(TypedDict, total=False):
    """The options that calls on the same connections may differ in. `LeadConnector` says what each of them means."""

    version: str | None
    timeout: float | httpx.Timeout | None
    deadline: float | None
    retries: int
    rate_limit: RateLimit | None
    on_response: Callable[[ResponseInfo], object] | None
    on_drift: Callable[[Finding], object] | None
    strict: bool


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a call needs to know of its client.

    Raises:
        ConfigurationError: an option is not acceptable.
    """

    base_url: str
    credentials: Credentials = field(repr=False)
    version: str | None = None
    timeout: float | httpx.Timeout | None = None
    deadline: float | None = None
    retries: int = MAXIMUM_RETRIES
    rate_limit: RateLimit | None = field(default_factory=RateLimit)
    on_response: Callable[[ResponseInfo], object] | None = None
    on_drift: Callable[[Finding], object] | None = None
    strict: bool = False
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep
    url: Callable[[str], httpx.URL] = field(default_factory=lambda: lru_cache(512)(httpx.URL))
    """Parses a URL: that of a conversation which is updated again only once, as it takes a seventh of a call."""
    reported: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]], repr=False)
    """Kinds and paths of the drift that the log has seen already."""

    def __post_init__(self) -> None:
        given: Any = self  # the types say what was asked for, not what came
        unless = ConfigurationError.unless
        unless(
            _seconds(given.timeout, httpx.Timeout),
            "timeout must be above 0 s and up to a day, or an httpx.Timeout",
        )
        unless(_seconds(given.deadline), "deadline must be above 0 s and up to a day")
        unless(
            type(given.retries) is int and 0 <= given.retries <= 100,
            "retries must be a whole number, 0 to 100",
        )
        unless(
            isinstance(given.rate_limit, RateLimit | None),
            "rate_limit must be a RateLimit, or None",
        )
        unless(
            given.on_response is None or callable(given.on_response), "on_response must be callable"
        )
        unless(given.on_drift is None or callable(given.on_drift), "on_drift must be callable")
        unless(type(given.strict) is bool, "strict must be True or False")

    @cached_property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Those that all requests have in common, first the host."""
        return httpx.Headers({"Host": httpx.URL(self.base_url).netloc.decode()} | HEADERS).raw

    @cached_property
    def timeouts(self) -> dict[str, float | None]:
        """All four of httpx's timeouts, of one attempt."""
        read = self.timeout or READ_SECONDS
        timeout = (
            read
            if isinstance(read, httpx.Timeout)
            else httpx.Timeout(read, connect=min(read, CONNECT_SECONDS))
        )
        return timeout.as_dict()


def _seconds(given: Any, *others: type) -> bool:
    return (
        given is None
        or isinstance(given, others)
        or (type(given) in {int, float} and 0 < given <= 86_400)
    )


def checked_base_url(given: str | None, name: str = "the base URL") -> str:
    """The base URL without a slash at its end; where none is given, the environment's, else the spec's server.

    Raises:
        ConfigurationError: it is not the https URL of a host (http only for loopback), or has more than a path.
    """
    url: str = (
        os.environ.get("LEADCONNECTOR_BASE_URL") or load_contract()["server"]
        if given is None
        else given
    )
    with suppress(TypeError, ValueError, httpx.InvalidURL):
        if _BASE_URL.fullmatch(url):
            return str(httpx.URL(url)).rstrip("/")
    raise ConfigurationError(
        f"{name} must be https://HOST/PATH (http only to loopback), with nothing else in it"
    )
