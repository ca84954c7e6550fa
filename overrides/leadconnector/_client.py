"""The two clients: what a user makes, configures and closes. Their resources are generated."""

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Self, TypeVar, Unpack

import httpx

from ._credentials import AsyncTokenSource, Secret, SyncTokenSource, credentials
from ._exchange import proxy_for
from ._generated.api import AsyncResources, Resources
from ._session import AsyncSession, Pipe, SyncSession, Transport
from ._settings import Options, Settings, checked_base_url
from .errors import ConfigurationError

Source = TypeVar("Source", bound=AsyncTokenSource)


class _Client(Generic[Source, Transport]):
    """What both clients are, but for awaiting."""

    _default_transport: Callable[..., Transport]
    _sends: str
    _user: Callable[[], object]
    _make_resources: Callable[[], None]
    _url = ""  # in the traceback of an option that was refused

    def __init__(
        self,
        *,
        token: Source | None = None,
        base_url: str | None = None,
        transport: Transport | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._pipe = Pipe(self._own_transport, self._user, transport)
        secret = Secret(os.environ.get("LEADCONNECTOR_TOKEN") if token is None else token)
        del token  # what follows may raise, and a traceback's variables may be shown
        self._url = checked_base_url(base_url)
        self._settings = Settings(base_url=self._url, credentials=credentials(secret), **options)
        if transport is not None and not callable(getattr(transport, self._sends, None)):
            raise ConfigurationError(f"transport must be an httpx transport with the method {self._sends}")
        self._make_resources()

    def _own_transport(self) -> Transport:
        try:
            return self._default_transport(proxy=proxy_for(self._url))
        except (OSError, ValueError, ImportError) as error:
            text = "no connections can be made: look at HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR in the"
            told = f"{text} environment ({type(error).__name__}; not shown, as a proxy's URL may hold a password)"
            raise ConfigurationError(told) from None

    def with_options(self, **options: Unpack[Options]) -> Self:
        """This client with some options changed. Both share their connections and, unless it is changed, the quota.

        Raises:
            ConfigurationError: an option is not acceptable.
        """
        other = object.__new__(type(self))
        other._pipe, other._url, other._settings = self._pipe, self._url, replace(self._settings, **options)
        other._make_resources()
        return other

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._url!r}{', closed' if self._pipe.closed else ''})"


class LeadConnector(_Client[SyncTokenSource, httpx.BaseTransport], Resources):
    """A client of HighLevel's API. Threads may share it.

    Args:
        token: the bearer token, a callable that gives it before each request, or an `OAuth`; by default the environment
            variable `LEADCONNECTOR_TOKEN`.
        base_url: where the API is; by default `LEADCONNECTOR_BASE_URL`, else the server that the spec names.
        version: the API version to send with every call; by default each operation's documented one.
        timeout: seconds to wait for an answer, or an `httpx.Timeout`, for each attempt; by default 30. Connecting gets
            5 at the most.
        deadline: seconds that a call may take in all: its attempts, the waits between them, and for the quota.
        retries: how many times an attempt that failed is made again, where that can help and does no harm.
        quota: how many requests are sent for each location, and in what time; by default the vendor's limit, counted by
            this client (and those made of it); `None` for no limit of our own.
        on_response: called with status, headers, request id and attempts of a call's last answer, before it returns or
            raises. What it raises passes through to the caller.
        on_drift: called with a `Finding` for each place where an answer is not as documented; what it raises passes
            through. The log tells each kind and place once.
        strict: whether a success that is not as documented raises `DriftError`, though it can be read.
        transport: an httpx transport to send with, in place of a connection pool that heeds the environment's proxies.
            The client closes it.

    Raises:
        CredentialsError: there is no token, or it is not one that can be sent.
        ConfigurationError: another option is not acceptable.
    """

    _default_transport, _sends = httpx.HTTPTransport, "handle_request"
    _user = staticmethod(threading.main_thread)

    def _make_resources(self) -> None:
        Resources.__init__(self, SyncSession(self._pipe, self._settings))

    def close(self) -> None:
        """Close the connections. A second time does nothing."""
        for transport in self._pipe.close():
            transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncLeadConnector(_Client[AsyncTokenSource, httpx.AsyncBaseTransport], AsyncResources):
    """`LeadConnector` for asyncio: the same options, and a token's callable may be async. Tasks may share it."""

    _default_transport, _sends = httpx.AsyncHTTPTransport, "handle_async_request"
    _user = staticmethod(asyncio.get_running_loop)

    def _make_resources(self) -> None:
        AsyncResources.__init__(self, AsyncSession(self._pipe, self._settings))

    async def close(self) -> None:
        """Close the connections. A second time does nothing."""
        for transport in self._pipe.close():
            await transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
