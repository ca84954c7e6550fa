"""What a client is made with, checked where it is made: token, base URL, timeouts."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from ._contract import load_contract
from .errors import ConfigurationError, CredentialsError, ResponseInfo

READ_SECONDS, CONNECT_SECONDS = 30.0, 5.0
"""How long an answer, and a connection, may let wait for them."""

BODY_SECONDS = 60.0
"""How long a whole body may take; a server that sends a byte now and then would otherwise never end."""

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_SECURE = r"https://([^\s/@?#:\[\]\\]+|\[[0-9a-f:.]+\])"
_LOOPBACK = r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])"  # a token never travels in clear to another machine
_BASE_URL = re.compile(rf"({_SECURE}|{_LOOPBACK})(:\d{{1,5}})?(/[^\s@?#\\]*)?", re.IGNORECASE)

SyncTokenSource = str | Callable[[], str]
TokenSource = str | Callable[[], str | Awaitable[str]]
Seconds = float | httpx.Timeout
OnResponse = Callable[[ResponseInfo], object]


def token_source(token: TokenSource | None) -> Callable[[], object]:
    """What gives the token of each attempt (or, of an async callable, what to await); by default the environment's.

    Raises:
        CredentialsError: there is no token, or it is not one that can be sent.
    """
    source = os.environ.get("LEADCONNECTOR_TOKEN") if token is None else token
    if source is None:
        raise CredentialsError("there is no token: pass token=, or set the environment variable LEADCONNECTOR_TOKEN")
    # A bound method, whose repr does not show the string that it gives.
    return source if callable(source) else checked_token(source).__str__


def checked_token(token: object) -> str:
    """The token, if it is one that can be sent.

    Raises:
        CredentialsError: it is not; the message never shows it.
    """
    if not isinstance(token, str) or not _BEARER.fullmatch(token):
        raise CredentialsError(
            "the token, not shown here, must be what follows 'Bearer ' alone: no blank, no line break"
        )
    return token


def checked_base_url(given: str | None) -> str:
    """The base URL without a slash at its end; where none is given, the environment's, else the spec's server.

    Raises:
        ConfigurationError: it is not the https URL of a host (http only for loopback), or has more than a path.
    """
    url: str = os.environ.get("LEADCONNECTOR_BASE_URL") or load_contract()["server"] if given is None else given
    with suppress(TypeError, httpx.InvalidURL):
        if _BASE_URL.fullmatch(url):
            return str(httpx.URL(url)).rstrip("/")
    raise ConfigurationError("the base URL must be https://HOST/PATH (http only to loopback), with nothing else in it")


def checked_timeout(timeout: Seconds | None) -> httpx.Timeout:
    """All four of httpx's timeouts, from seconds to wait for an answer; the default where none are given.

    Raises:
        ConfigurationError: not a positive, finite number.
    """
    if isinstance(timeout, httpx.Timeout):
        return timeout
    seconds: Any = READ_SECONDS if timeout is None else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 86_400:
        raise ConfigurationError("timeout must be a positive number of seconds (a day at most), or an httpx.Timeout")
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


@dataclass(frozen=True)
class Settings:
    """What a call needs to know of its client."""

    base_url: str
    token: Callable[[], object] = field(repr=False)
    timeout: httpx.Timeout
    version: str | None
    on_response: OnResponse | None
    clock: Callable[[], float] = time.monotonic

    @property
    def body_seconds(self) -> float:
        """How long a whole body may take."""
        return max(BODY_SECONDS, self.timeout.read or 0.0)
