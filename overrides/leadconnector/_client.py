"""The two clients: what a user makes, configures and closes. Their resources are generated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Self, TypeVar

import httpx

from . import _settings as settings
from ._generated.api import AsyncResources, Resources
from ._session import AsyncSession, Pipe, SyncSession, Transport, proxy_for
from ._settings import OnResponse, Seconds, Settings, SyncTokenSource, TokenSource

Source = TypeVar("Source", bound=TokenSource)


class _Client(Generic[Source, Transport]):
    """What both clients are, but for awaiting."""

    def __init__(
        self,
        *,
        token: Source | None = None,
        base_url: str | None = None,
        version: str | None = None,
        timeout: Seconds | None = None,
        on_response: OnResponse | None = None,
        transport: Transport | None = None,
    ) -> None:
        url, seconds = settings.checked_base_url(base_url), settings.checked_timeout(timeout)
        self._settings = Settings(url, settings.token_source(token), seconds, version, on_response)
        self._pipe = Pipe(self._default_transport(proxy=proxy_for(url)) if transport is None else transport)
        self._make_resources()

    _default_transport: Callable[..., Transport]
    _make_resources: Callable[[], None]

    def with_options(
        self, *, timeout: Seconds | None = None, version: str | None = None, on_response: OnResponse | None = None
    ) -> Self:
        """This client with some options changed. Both share their connections, and are closed together.

        Raises:
            ConfigurationError: the timeout is not acceptable.
        """
        old = self._settings
        seconds = old.timeout if timeout is None else settings.checked_timeout(timeout)
        version = old.version if version is None else version
        other = object.__new__(type(self))
        other._pipe = self._pipe
        other._settings = replace(old, timeout=seconds, version=version, on_response=on_response or old.on_response)
        other._make_resources()
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._settings.base_url!r}{', closed' if self._pipe.closed else ''})"


class LeadConnector(_Client[SyncTokenSource, httpx.BaseTransport], Resources):
    """A client of HighLevel's API.

    Args:
        token: the bearer token, or a callable that gives it before each request; by default `LEADCONNECTOR_TOKEN`.
        base_url: where the API is; by default `LEADCONNECTOR_BASE_URL`, else the server that the spec names.
        version: the API version to send with every call; by default each operation's documented one.
        timeout: seconds to wait for an answer, or an `httpx.Timeout`; by default 30. Connecting gets 5 at the most.
        on_response: called with status, headers, request id and attempts of every answer, before the call returns or
            raises. What it raises passes through to the caller.
        transport: an httpx transport to send with, in place of a connection pool that heeds the environment's proxies.
            The client closes it.

    Raises:
        CredentialsError: there is no token, or it is not one that can be sent.
        ConfigurationError: the base URL or the timeout is not acceptable.
    """

    _default_transport = httpx.HTTPTransport

    def _make_resources(self) -> None:
        Resources.__init__(self, SyncSession(self._pipe, self._settings))

    def close(self) -> None:
        """Close the connections. A second time does nothing."""
        if not self._pipe.closed:
            self._pipe.closed = True
            self._pipe.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncLeadConnector(_Client[TokenSource, httpx.AsyncBaseTransport], AsyncResources):
    """`LeadConnector` for asyncio: the same options, and a token's callable may be async."""

    _default_transport = httpx.AsyncHTTPTransport

    def _make_resources(self) -> None:
        AsyncResources.__init__(self, AsyncSession(self._pipe, self._settings))

    async def close(self) -> None:
        """Close the connections. A second time does nothing."""
        if not self._pipe.closed:
            self._pipe.closed = True
            await self._pipe.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
