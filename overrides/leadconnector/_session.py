"""Carries calls out: the thin rim that blocks or awaits. What is decided, is decided in `_call`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import aclosing, closing
from dataclasses import dataclass
from typing import Generic, NamedTuple, NoReturn, TypeVar, cast
from urllib.request import getproxies, proxy_bypass

import httpx

from ._call import Call
from ._generated import Operation, T
from ._settings import Settings
from .errors import ClientClosedError

Transport = TypeVar("Transport")


@dataclass
class Pipe(Generic[Transport]):
    """A transport and whether it is closed, shared by a client and those made of it with other options."""

    transport: Transport
    closed: bool = False

    def opened(self) -> Transport:
        """The transport, or `ClientClosedError`."""
        if self.closed:
            raise ClientClosedError("this client is closed: make a new one, or call within its `with` block")
        return self.transport

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a credential and connections: make a new one rather than a copy or a pickle")


class SyncSession(NamedTuple):
    """Implements the protocol through which the generated resources call."""

    pipe: Pipe[httpx.BaseTransport]
    settings: Settings

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        call = Call(operation, arguments, self.settings)
        transport, request = self.pipe.opened(), call.request(self.settings.token())
        try:
            with closing(transport.handle_request(request)) as response:
                call.begin(response)
                all(call.feed(chunk) for chunk in cast("Iterable[bytes]", response.stream))
        except Exception as error:
            raise call.failure(error) from call.cause
        return call.result()


class AsyncSession(NamedTuple):
    """Implements the protocol through which the generated async resources call."""

    pipe: Pipe[httpx.AsyncBaseTransport]
    settings: Settings

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        call = Call(operation, arguments, self.settings)
        transport = self.pipe.opened()
        given = self.settings.token()
        request = call.request(await given if inspect.isawaitable(given) else given)
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                response = await transport.handle_async_request(request)
            async with aclosing(response), asyncio.timeout(self.settings.body_seconds):
                call.begin(response)
                async for chunk in cast("AsyncIterable[bytes]", response.stream):
                    if not call.feed(chunk):
                        break
        except Exception as error:
            raise call.failure(error) from call.cause
        return call.result()


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this URL (`HTTPS_PROXY`, `NO_PROXY`, …), as httpx's client does."""
    url, proxies = httpx.URL(base_url), getproxies()
    proxy = None if proxy_bypass(url.host) else proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
