"""The two clients: their options, defaults and lifecycle.

The generated resources are their attributes.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, Never, Self, TypeVar, Unpack, cast

from . import _requirements
from ._generated.api import AsyncResources, Resources
from ._generated.types import UNSET, APIResponse, RequestOptions
from ._highlevel import (
    BASE_URL_VARIABLE,
    CONVENTIONS,
    LIMIT_HEADERS,
    TOKEN_VARIABLE,
    USER_AGENT,
)
from ._options import (
    Options,
    check_option_changes,
    check_options,
    default_base_url,
    is_async_function,
)
from ._runtime.call_io import AsyncIO, SyncIO
from ._runtime.checks import (
    check_flag,
    check_rate_limit_key,
    check_transport,
    explain_wrong_arguments,
)
from ._runtime.connections import AsyncConnections, SyncConnections
from ._runtime.finding import Finding
from ._runtime.frames import clear_frames
from ._runtime.http import (
    AsyncBaseTransport,
    AsyncTransport,
    BaseTransport,
    DefaultTransports,
    RequestFactory,
    SyncTransport,
    Timeout,
    check_base_url,
    common_headers,
    is_interruption,
)
from ._runtime.observed_limits import ObservedLimits
from ._runtime.protocols import Tracing
from ._runtime.rate_limit_status import RateLimitStatus
from ._runtime.retry import DEFAULT_RETRIES
from ._runtime.scalars import Duration, Query
from ._runtime.secrets import Secret, refuse_pickling
from ._runtime.session import AsyncSession, SyncSession
from ._runtime.settings import Settings
from .auth import AsyncTokenOption, SyncTokenOption, location_token_source, token_source
from .errors import APIConnectionError, ConfigurationError, CredentialsError, ResponseInfo
from .rate_limit.in_process import RateLimit

_LOCATION_REQUIREMENT = "location_id must be a string"

_requirements.check_attrs(__name__.rpartition(".")[0])

TokenOption = TypeVar("TokenOption", bound=AsyncTokenOption)
Transport = TypeVar("Transport")
NewTransport = TypeVar("NewTransport")
ConnectionsT = TypeVar("ConnectionsT", SyncConnections, AsyncConnections)


class _Client(Generic[TokenOption, Transport, ConnectionsT]):
    """The options and the lifecycle of both clients."""

    _connections: ConnectionsT
    _transport_method: str
    """The method that a custom transport must have."""
    _awaits_callbacks: bool
    """Whether `on_response` and `on_drift` can be async."""
    _base_url = ""  # the repr can be needed before the base URL is validated

    @explain_wrong_arguments
    def __init__(
        self,
        *,
        token: TokenOption | None = None,
        base_url: str | None = None,
        version: str | None = None,
        timeout: Duration | Timeout | None = None,
        deadline: Duration | None = None,
        retries: int = DEFAULT_RETRIES,
        rate_limit: RateLimit | Literal["default"] | None = "default",
        on_response: Callable[[ResponseInfo], object] | None = None,
        on_drift: Callable[[Finding], object] | None = None,
        strict: bool = False,
        default_headers: Mapping[str, str] | None = None,
        tracing: Tracing | None = None,
        allow_http: bool = False,
        transport: Transport | None = None,
    ) -> None:
        token_option = Secret(os.environ.get(TOKEN_VARIABLE) if token is None else token)
        base_url_option = Secret(base_url)
        headers_option = Secret(default_headers)
        # The rest can raise, and a traceback can show the arguments of this frame: see `frames`. An
        # invalid base URL can contain a password.
        del token, base_url, default_headers
        self._connections = self._make_connections(transport)
        self._base_url = _validated_base_url(base_url_option, allow_http=allow_http)
        self._transports = DefaultTransports(self._base_url)
        if not self._awaits_callbacks and is_async_function(token_option.reveal()):
            raise CredentialsError("token must not be async: only AsyncLeadConnector awaits it")
        source = token_source(token_option)
        check_transport(transport, self._transport_method)
        options = check_options(
            {
                "version": version,
                "timeout": timeout,
                "deadline": deadline,
                "retries": retries,
                "rate_limit": _rate_limit_of(rate_limit),
                "on_response": on_response,
                "on_drift": on_drift,
                "strict": strict,
                "tracing": tracing,
            },
            awaits_callbacks=self._awaits_callbacks,
        )
        self._settings = Settings(
            base_url=self._base_url,
            token_source=source,
            conventions=CONVENTIONS,
            requests=_request_factory(self._base_url, headers_option),
            unlimited=ObservedLimits(LIMIT_HEADERS),
            **options,
        )
        self._make_resources()

    def with_options(self, *positional: Never, **options: Unpack[Options]) -> Self:
        """A client with some options changed.

        Both share their connections, and their rate limit unless that option is changed. New
        `default_headers` replace all former ones.

        Raises:
            ConfigurationError: an option is invalid.
            TypeError: there is no such option, or only a new client can have another value.
        """
        if positional:
            raise TypeError(f"{type(self).__name__}.with_options() takes keyword arguments only")
        try:
            check_option_changes(options, type(self).__name__)
        except TypeError:
            # One of them can be a token, and a traceback can show variables.
            del options
            raise
        settings: dict[str, Any] = {}
        if "default_headers" in options:
            headers_option = Secret(options.pop("default_headers"))
            settings["requests"] = _request_factory(self._base_url, headers_option)
        settings |= check_options(options, awaits_callbacks=self._awaits_callbacks)
        client = object.__new__(type(self))
        # It shares the connections, so it needs no `_transports`, which make them.
        client._connections = self._connections
        client._base_url = self._base_url
        client._settings = replace(self._settings, **settings)
        client._make_resources()
        return client

    def for_location(self, location_id: str) -> Self:
        """A client whose calls use the token of one location. Its `token` is an `AgencyOAuth`.

        Both share their connections and their rate limit. Without this method, a call uses the
        token of the location that it names.

        Raises:
            ConfigurationError: the token of this client is no `AgencyOAuth`, or the id is invalid.
            CredentialsError: the token store failed.
        """
        source = location_token_source(self._settings.token_source, location_id)
        client = self.with_options()
        client._settings = replace(client._settings, token_source=source)
        client._make_resources()
        return client

    def _make_resources(self) -> None:
        """Make the generated resources, with a session of the current settings."""
        raise NotImplementedError

    def _make_connections(self, transport: Transport | None) -> ConnectionsT:
        """Make the connections, with the custom transport if there is one."""
        raise NotImplementedError

    # A client has a token. And a copy would close the connections of the original.
    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        if "_connections" not in vars(self):
            # A traceback can show a client whose options are invalid.
            return f"{type(self).__name__}()"
        state = ", closed" if self._connections.is_closed else ""
        return f"{type(self).__name__}(base_url={self._base_url!r}{state})"


class LeadConnector(_Client[SyncTokenOption, BaseTransport, SyncConnections], Resources):
    """A client of HighLevel's API. Threads can share it.

    Args:
        token: the bearer token, a callable that returns it for each request, or an `OAuth`.
            Default: the environment variable `LEADCONNECTOR_TOKEN`.
        base_url: the URL of the API.
            Default: the environment variable `LEADCONNECTOR_BASE_URL`, else the server in the spec.
        version: the API version to send. Default: each operation's documented version.
        timeout: seconds that an attempt waits for the next bytes, as a number or a `timedelta`, or
            an `httpx.Timeout`. Default: 30 s, and 5 s to connect. The whole head and the whole body
            of a response are limited to 60 s each, or to `timeout` if that is longer.
        deadline: seconds that a whole call may take, with its retries and waits, as a number or a
            `timedelta`. Default: no limit.
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
        default_headers: further headers of every request, by name. They can replace `User-Agent`
            and `Accept`, but no other header of the client. The `RequestOptions` of a call replace
            those with the same name. Default: none.
        tracing: records each call, such as an `OpenTelemetryTracing`. Default: no record.
        allow_http: whether the base URL may be plain http on another machine, as in a test network.
            The token then travels unencrypted. Default: `False`: http only to loopback.
        transport: an httpx transport to send with. The client closes it.
            Default: a connection pool that uses the environment's proxies.

    Raises:
        CredentialsError: there is no token, or it cannot be sent.
        ConfigurationError: another option is invalid.
    """

    _transport_method = "handle_request"
    _awaits_callbacks = False

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = UNSET,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        version: str | None = None,
        rate_limit_key: str = "",
        options: RequestOptions | None = None,
    ) -> APIResponse[Any]:
        """Carry out an operation that the spec does not have.

        It has the token, the rate limit, the retries and the exceptions of any other call. A method
        that is not idempotent, such as POST, is only repeated if the API did not execute it.

        Args:
            method: the HTTP method, such as `GET`.
            path: the path below the base URL, which starts with `/`. Encode values in it with
                `urllib.parse.quote(value, safe="")`.
            json: the body, as data that JSON can hold. Default: no body.
            query: the query parameters by name: strings, numbers and booleans, or lists of them.
            headers: further headers by name.
            version: the API version. Default: that of the client. Leave it out if the spec has no
                header for it.
            rate_limit_key: what the API counts requests by: the id of the location. Requests
                without one are counted together.
            options: options of this call alone.

        Returns:
            The response. Its `parse` returns JSON data, and `None` for an empty body.

        Raises:
            ArgumentError: an argument is invalid. Nothing was sent.
            APIStatusError: the API returned an error status.
            APIConnectionError: no complete response arrived.
        """
        # Imported here, which keeps the import of the package fast: few programs need it.
        from ._runtime.undocumented import UndocumentedRequest  # noqa: PLC0415

        request = UndocumentedRequest(
            method,
            path,
            json=json,
            query=query,
            headers=headers,
            version=version,
            rate_limit_key=rate_limit_key,
        )
        # A traceback can show them: ids, personal data, and headers that can be credentials. See
        # `frames`.
        del path, json, query, headers
        return self._call_session.request(request, options)

    def _make_resources(self) -> None:
        io = SyncIO(self._connections, self._settings)
        self._call_session = SyncSession(io, self._settings)
        Resources.__init__(self, self._call_session)

    def _make_connections(self, transport: BaseTransport | None) -> SyncConnections:
        return SyncConnections(self._default_transport, transport)

    def _default_transport(self) -> SyncTransport:
        return _new_transport(self._transports.sync_transport)

    def rate_limit(self, location_id: str) -> RateLimitStatus:
        """Return what is known about the rate limit of a location. Sends no request to the API.

        A `RedisRateLimit` is asked, so that the responses of other processes count. While Redis is
        away, the result is what this process knows.

        Args:
            location_id: the location of the calls. Where the spec marks several arguments as
                `rate-limit-key`, their values joined by `/`; an empty string where it marks none.

        Raises:
            ArgumentError: it is no string.
        """
        key = check_rate_limit_key(location_id, _LOCATION_REQUIREMENT)
        rate_limit = self._settings.rate_limit
        if rate_limit is None:
            return _status_without_rate_limit(self._settings, key)
        return rate_limit.status(key)

    def close(self) -> None:
        """Close the connections. A second call does nothing."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncLeadConnector(
    _Client[AsyncTokenOption, AsyncBaseTransport, AsyncConnections], AsyncResources
):
    """`LeadConnector` for asyncio, with the same options. Tasks can share it.

    The callables for the token, `on_response` and `on_drift` can be async.
    """

    _transport_method = "handle_async_request"
    _awaits_callbacks = True

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = UNSET,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        version: str | None = None,
        rate_limit_key: str = "",
        options: RequestOptions | None = None,
    ) -> APIResponse[Any]:
        """Carry out an operation that the spec does not have.

        It has the token, the rate limit, the retries and the exceptions of any other call. A method
        that is not idempotent, such as POST, is only repeated if the API did not execute it.

        Args:
            method: the HTTP method, such as `GET`.
            path: the path below the base URL, which starts with `/`. Encode values in it with
                `urllib.parse.quote(value, safe="")`.
            json: the body, as data that JSON can hold. Default: no body.
            query: the query parameters by name: strings, numbers and booleans, or lists of them.
            headers: further headers by name.
            version: the API version. Default: that of the client. Leave it out if the spec has no
                header for it.
            rate_limit_key: what the API counts requests by: the id of the location. Requests
                without one are counted together.
            options: options of this call alone.

        Returns:
            The response. Its `parse` returns JSON data, and `None` for an empty body.

        Raises:
            ArgumentError: an argument is invalid. Nothing was sent.
            APIStatusError: the API returned an error status.
            APIConnectionError: no complete response arrived.
        """
        # Imported here, which keeps the import of the package fast: few programs need it.
        from ._runtime.undocumented import UndocumentedRequest  # noqa: PLC0415

        request = UndocumentedRequest(
            method,
            path,
            json=json,
            query=query,
            headers=headers,
            version=version,
            rate_limit_key=rate_limit_key,
        )
        # A traceback can show them: ids, personal data, and headers that can be credentials. See
        # `frames`.
        del path, json, query, headers
        return await self._call_session.request(request, options)

    def _make_resources(self) -> None:
        io = AsyncIO(self._connections, self._settings)
        self._call_session = AsyncSession(io, self._settings)
        AsyncResources.__init__(self, self._call_session)

    def _make_connections(self, transport: AsyncBaseTransport | None) -> AsyncConnections:
        return AsyncConnections(self._default_transport, transport)

    def _default_transport(self) -> AsyncTransport:
        return _new_transport(self._transports.async_transport)

    async def rate_limit(self, location_id: str) -> RateLimitStatus:
        """Return what is known about the rate limit of a location. Sends no request to the API.

        A `RedisRateLimit` is asked, so that the responses of other processes count. While Redis is
        away, the result is what this process knows.

        Args:
            location_id: the location of the calls. Where the spec marks several arguments as
                `rate-limit-key`, their values joined by `/`; an empty string where it marks none.

        Raises:
            ArgumentError: it is no string.
        """
        key = check_rate_limit_key(location_id, _LOCATION_REQUIREMENT)
        rate_limit = self._settings.rate_limit
        if rate_limit is None:
            return _status_without_rate_limit(self._settings, key)
        io = AsyncIO(self._connections, self._settings)
        return await io.call_rate_limit(rate_limit, rate_limit.status, key)

    async def close(self) -> None:
        """Close the connections. A second call does nothing."""
        await self._connections.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


def _status_without_rate_limit(settings: Settings, key: str) -> RateLimitStatus:
    """What responses said. The client itself limits and counts nothing."""
    # Imported here, which keeps the import of the package fast: few programs need it.
    from ._runtime.limit_status import limit_status  # noqa: PLC0415

    return limit_status(settings.unlimited, key)


def _new_transport(create: Callable[[], NewTransport]) -> NewTransport:
    """Create a transport.

    Raises:
        ConfigurationError: the environment's proxy or certificate file is unusable.
        APIConnectionError: the system has too few resources for a connection.
    """
    try:
        return create()
    except OSError as error:
        if is_interruption(error):
            raise
        # For example: too many open files.
        reason = _reason(error)
    # Outside of the handler: the frames of the error know the proxy, which can have a password.
    raise APIConnectionError(
        f"no connection can be made: {reason}", attempts=0, failure="never sent"
    )


def _reason(error: OSError) -> str:
    """The operating system's number and text of an error, without the names of files."""
    if error.errno is None or error.strerror is None:
        return type(error).__name__
    return f"[Errno {error.errno}] {error.strerror}"


def _request_factory(
    base_url: str, default_headers: Secret[Mapping[str, str] | None]
) -> RequestFactory:
    """The factory of a client's requests.

    Raises:
        ConfigurationError: the default headers are invalid.
    """
    headers = common_headers(USER_AGENT)
    if default_headers.reveal() is None:
        return RequestFactory(base_url, headers)
    # Imported here, which keeps the import of the package fast: few programs need it.
    from ._runtime.added_headers import checked_headers  # noqa: PLC0415

    try:
        added_headers = Secret(checked_headers("default_headers", default_headers.reveal()))
    except ConfigurationError as error:
        # A traceback can show variables, and headers can be credentials: see `frames`.
        clear_frames(error)
        raise
    return RequestFactory(base_url, headers, added_headers.reveal())


def _validated_base_url(option: Secret[str | None], *, allow_http: bool) -> str:
    """The base URL of the option, the environment or the spec, without a slash at its end."""
    return check_base_url(
        _resolve_base_url(option).reveal(),
        _base_url_name(option),
        allow_http=check_flag("allow_http", allow_http),
    )


def _resolve_base_url(option: Secret[str | None]) -> Secret[str]:
    """The base URL: the option, the environment variable, or the server in the spec.

    Raises:
        ConfigurationError: there is none of them.
    """
    if option.reveal() is not None:
        return cast("Secret[str]", option)
    return Secret(default_base_url())


def _base_url_name(option: Secret[str | None]) -> str:
    """Names the source of the base URL in a message."""
    if option.reveal() is None and os.environ.get(BASE_URL_VARIABLE):
        return BASE_URL_VARIABLE
    return "the base URL"


def _rate_limit_of(option: RateLimit | Literal["default"] | None) -> RateLimit | None:
    """The rate limit of the option. Untyped callers can pass any object, which is checked later."""
    # `==` could run the caller's `__eq__`.
    if isinstance(option, str) and option == "default":
        return RateLimit()
    return option
