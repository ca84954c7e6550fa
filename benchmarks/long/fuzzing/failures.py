"""Exceptions that a transport may raise while a call runs."""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

import h11
import httpcore
import httpx

from .constants import TOKEN

OTHER_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    ConnectionResetError,
    BrokenPipeError,
    TimeoutError,
    PermissionError,
    InterruptedError,
    socket.gaierror,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
    zlib.error,
    asyncio.InvalidStateError,
    h11.RemoteProtocolError,
    h11.LocalProtocolError,
)
"""Exceptions of the libraries below httpx. A transport should convert them, and may forget to."""


def transport_failures() -> Mapping[str, type[Exception]]:
    """Every exception that a transport may raise, by its full name."""
    candidates: list[object] = [getattr(httpx, name) for name in httpx.__all__]
    candidates += [getattr(httpcore, name) for name in httpcore.__all__]
    candidates += OTHER_FAILURES
    failures: dict[str, type[Exception]] = {}
    for candidate in candidates:
        if not isinstance(candidate, type) or not issubclass(candidate, Exception):
            continue
        # Only `Response.raise_for_status` raises it, never a transport.
        if candidate is httpx.HTTPStatusError:
            continue
        failures[f"{candidate.__module__}.{candidate.__qualname__}"] = candidate
    return failures


FAILURES: Mapping[str, type[Exception]] = transport_failures()
"""Every exception that a transport may raise, by its full name."""


def failure(name: str, request: httpx.Request) -> Exception:
    """Create an exception that quotes the token, as some libraries quote what they send.

    Args:
        name: its full name, a key of `FAILURES`.
        request: the request that the transport sends.
    """
    exception_class = FAILURES[name]
    create = cast("Callable[..., Exception]", exception_class)
    # Both forms occur in messages: bytes and text.
    is_quoted_as_bytes = len(name) % 2 == 1
    message = f"while sending Bearer {TOKEN}"
    if is_quoted_as_bytes:
        message = f"while sending b'Bearer {TOKEN}'"
    if issubclass(exception_class, httpx.RequestError):
        return create(message, request=request)
    with suppress(TypeError):
        return create(message)
    # Some exceptions of httpx take no message.
    return create()
