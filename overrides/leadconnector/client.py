"""The two clients: their options, defaults and lifecycle.

The generated resources are their attributes.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Self, TypedDict, TypeVar, Unpack, cast

from ._generated import load_contract
from ._generated.api import AsyncResources, Resources
from ._highlevel import BASE_URL_VARIABLE, CONVENTIONS, TOKEN_VARIABLE, USER_AGENT
from ._runtime.call_io import AwaitingIO, BlockingIO
from ._runtime.connections import LoopConnections, ThreadConnections
from ._runtime.finding import Finding
from ._runtime.http import (
    AsyncBaseTransport,
    BaseTransport,
    DefaultTransports,
    RequestFactory,
    Timeout,
    check_base_url,
    common_headers,
)
from ._runtime.secrets import Secret, refuse_pickling
from ._runtime.session import AsyncSession, SyncSession
from ._runtime.settings import Settings
from .auth import AsyncTokenOption, SyncTokenOption, token_source
from .errors import APIConnectionError, ConfigurationError, ResponseInfo
from .rate_limit import RateLimit

LONGEST_TIMEOUT = 86_400.0
"""Seconds: a day. A longer `timeout` or `deadline` is a mistake, such as milliseconds."""

LARGEST_RETRIES = 100
"""Upper bound of the `retries` option. More is a mistake."""

TokenOption = TypeVar("TokenOption", bound=AsyncTokenOption)
Transport = TypeVar("Transport")
ConnectionsT = TypeVar("ConnectionsT", ThreadConnections, LoopConnections)


class Options(TypedDict, total=False):
    """The options that `with_options` can change. `LeadConnector` describes them."""

    version: str | None
    timeout: float | Timeout | None
    deadline: float | None
    retries: int
    rate_limit: RateLimit | None
    on_response: Callable[[ResponseInfo], object] | None
    on_drift: Callable[[Finding], object] | None
    strict: bool


class _Client(Generic[TokenOption, Transport, ConnectionsT]):
    """The options and the lifecycle of both clients."""

    _connections: ConnectionsT
    _transport_method: str
    """The method that a custom transport must have."""
    _base_url = ""  # the repr can be needed before the base URL is validated

    def __init__(
        self,
        *,
        token: TokenOption | None = None,
        base_url: str | None = None,
        transport: Transport | None = None,
        **options: Unpack[Options],
    ) -> None:
        token_option = Secret(os.environ.get(TOKEN_VARIABLE) if token is None else token)
        # The rest can raise, and a traceback can show the variables of this frame.
        del token
        self._connections = self._make_connections(transport)
        self._base_url = check_base_url(_resolve_base_url(base_url), "the base URL")
        self._transports = DefaultTransports(self._base_url)
        source = token_source(token_option)
        _check_names(options, type(self).__name__)
        _check_options(options)
        _check_transport(transport, self._transport_method)
        if "rate_limit" not in options:
            options["rate_limit"] = RateLimit()
        self._settings = Settings(
            base_url=self._base_url,
            token_source=source,
            conventions=CONVENTIONS,
            requests=RequestFactory(self._base_url, common_headers(USER_AGENT)),
            **options,
        )
        self._make_resources()

    def with_options(self, **options: Unpack[Options]) -> Self:
        """A client with some options changed.

        Both share their connections, and their rate limit unless that option is changed.

        Raises:
            ConfigurationError: an option is invalid.
            TypeError: there is no such option, or only a new client can have another value.
        """
        _check_names(options, f"{type(self).__name__}.with_options")
        _check_options(options)
        client = object.__new__(type(self))
        client._connections = self._connections
        client._base_url = self._base_url
        client._settings = replace(self._settings, **options)
        client._make_resources()
        return client

    def _make_resources(self) -> None:
        """Make the generated resources, with a session of the current settings."""
        raise NotImplementedError

    def _make_connections(self, transport: Transport | None) -> ConnectionsT:
        """Make the connections, with the custom transport if there is one."""
        raise NotImplementedError

    def _default_transport(self) -> Transport:
        """Create a transport that uses the environment's proxies."""
        raise NotImplementedError

    def _new_transport(self) -> Transport:
        try:
            return self._default_transport()
        except OSError as error:
            # Such as too many open files. `from None`: the frames of the error know the proxy,
            # which can have a password.
            raise APIConnectionError(
                f"no connection can be made: {_reason(error)}", attempts=0, failure="never sent"
            ) from None

    # A client has a token. And a copy would close the connections of the original.
    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        state = ", closed" if self._connections.is_closed else ""
        return f"{type(self).__name__}(base_url={self._base_url!r}{state})"


class LeadConnector(_Client[SyncTokenOption, BaseTransport, ThreadConnections], Resources):
    """A client of HighLevel's API. Threads can share it.

    Args:
        token: the bearer token, a callable that returns it for each request, or an `OAuth`.
            Default: the environment variable `LEADCONNECTOR_TOKEN`.
        base_url: the URL of the API.
            Default: the environment variable `LEADCONNECTOR_BASE_URL`, else the server in the spec.
        version: the API version to send. Default: each operation's documented version.
        timeout: seconds that an attempt waits for the next bytes, or an `httpx.Timeout`.
            Default: 30 s, and 5 s to connect.
        deadline: seconds that a whole call may take, with its retries and waits.
            Default: no limit.
        retries: how many times a failed attempt is repeated, if that is safe and can help.
            Default: 2.
        rate_limit: how many requests may be sent per location; `None` for no limit.
            Default: the vendor's limit, counted by this client.
        on_response: called with the `ResponseInfo` of the last response, before the call returns
            or raises. Its exceptions reach the caller.
        on_drift: called with a `Finding` for each deviation of a response from the spec. Its
            exceptions reach the caller. The log has each kind and path once.
        strict: whether a success that deviates from the spec raises `DriftError`.
            Default: `False`.
        transport: an httpx transport to send with. The client closes it.
            Default: a connection pool that uses the environment's proxies.

    Raises:
        CredentialsError: there is no token, or it cannot be sent.
        ConfigurationError: another option is invalid.
    """

    _transport_method = "handle_request"

    def _make_resources(self) -> None:
        io = BlockingIO(self._connections, self._settings)
        Resources.__init__(self, SyncSession(io, self._settings))

    def _make_connections(self, transport: BaseTransport | None) -> ThreadConnections:
        return ThreadConnections(self._new_transport, transport)

    def _default_transport(self) -> BaseTransport:
        return self._transports.blocking()

    def close(self) -> None:
        """Close the connections. A second call does nothing."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncLeadConnector(
    _Client[AsyncTokenOption, AsyncBaseTransport, LoopConnections], AsyncResources
):
    """`LeadConnector` for asyncio, with the same options. Tasks can share it.

    A callable for the token can be async.
    """

    _transport_method = "handle_async_request"

    def _make_resources(self) -> None:
        io = AwaitingIO(self._connections, self._settings)
        AsyncResources.__init__(self, AsyncSession(io, self._settings))

    def _make_connections(self, transport: AsyncBaseTransport | None) -> LoopConnections:
        return LoopConnections(self._new_transport, transport)

    def _default_transport(self) -> AsyncBaseTransport:
        return self._transports.awaiting()

    async def close(self) -> None:
        """Close the connections. A second call does nothing."""
        await self._connections.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def _reason(error: OSError) -> str:
    """The operating system's number and text of an error, without the names of files."""
    if error.errno is None or error.strerror is None:
        return type(error).__name__
    return f"[Errno {error.errno}] {error.strerror}"


def _resolve_base_url(option: str | None) -> str:
    """The base URL: the option, the environment variable, or the server in the spec."""
    if option is not None:
        return option
    return os.environ.get(BASE_URL_VARIABLE) or load_contract()["server"]


# Type checkers already reject these values. The checks give untyped callers a clear message.


def _check_names(options: Mapping[str, object], function: str) -> None:
    """Reject unknown options, such as `base_url` for a client that exists already.

    Raises:
        TypeError: as for every function that gets an unexpected keyword argument.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def _check_options(options: Options) -> None:
    """Validate the options that the caller passed.

    Raises:
        ConfigurationError: one is invalid.
    """
    values = cast("Mapping[str, Any]", options)
    timeout = values.get("timeout")
    if timeout is not None and not isinstance(timeout, Timeout) and not _is_duration(timeout):
        raise ConfigurationError("timeout must be above 0 s and up to a day, or an httpx.Timeout")
    deadline = values.get("deadline")
    if deadline is not None and not _is_duration(deadline):
        raise ConfigurationError("deadline must be above 0 s and up to a day")
    retries = values.get("retries", 0)
    if type(retries) is not int or not 0 <= retries <= LARGEST_RETRIES:
        raise ConfigurationError("retries must be a whole number, 0 to 100")
    if not isinstance(values.get("rate_limit"), RateLimit | None):
        raise ConfigurationError("rate_limit must be a RateLimit, or None")
    for name in ("on_response", "on_drift"):
        if values.get(name) is not None and not callable(values[name]):
            raise ConfigurationError(f"{name} must be callable")
    if type(values.get("strict", False)) is not bool:
        raise ConfigurationError("strict must be True or False")


def _is_duration(value: object) -> bool:
    """Whether a value is a number of seconds, above 0 and up to a day."""
    if type(value) not in {int, float}:
        return False
    return 0 < cast("float", value) <= LONGEST_TIMEOUT


def _check_transport(transport: object, method: str) -> None:
    if transport is not None and not callable(getattr(transport, method, None)):
        raise ConfigurationError(f"transport must be an httpx transport with the method {method}")
