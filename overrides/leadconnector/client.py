"""The two clients: what a user makes, configures and closes; and the course of their calls.

The course is a coroutine for both, written once. What takes time in it blocks in the sync client, where it runs to its
end at once, without an event loop, and suspends in the async one.
"""

import asyncio
import math
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Self, TypeVar, Unpack, cast
from weakref import WeakKeyDictionary

import httpx

from ._generated import Operation, T
from ._generated.api import AsyncResources, Resources
from ._runtime.call import Call
from ._runtime.http import RawResponse, exchange, exchange_async, logger, proxy_for
from ._runtime.retry import NEVER, Tried, retry_after, wait_after
from ._runtime.settings import Options, Settings, checked_base_url
from .auth import AsyncTokenSource, Secret, SyncTokenSource, Token, credentials
from .errors import APITimeoutError, ClientClosedError, ConfigurationError, LeadConnectorError
from .rate_limit import RateLimit, Reservation

LONGEST_SLEEP = 1.0
"""Seconds after which one who waits for a slot looks again: it comes earlier where others give theirs up."""

Source = TypeVar("Source", bound=AsyncTokenSource)
Transport = TypeVar("Transport")
Result = TypeVar("Result")


class Pipe(Generic[Transport]):
    """The transport of a client and of those made of it with other options; and whether it is closed.

    A transport of our own is made anew in a process that was forked, and once for each user (an event loop, or all
    threads): two cannot share a connection.
    """

    def __init__(
        self, make: Callable[[], Transport], user: Callable[[], object], given: Transport | None
    ) -> None:
        self._make, self._user, self._given, self.closed, self._process = (
            make,
            user,
            given,
            False,
            os.getpid(),
        )
        self._own: WeakKeyDictionary[object, Transport] = WeakKeyDictionary()

    def opened(self) -> Transport:
        """The transport for who uses it now.

        Raises:
            ClientClosedError: the client is closed, or was made in another process with a transport of its own.
        """
        if self.closed:
            raise ClientClosedError(
                "this client is closed: make a new one, or call within its `with` block"
            )
        if os.getpid() != self._process:
            if self._given is not None:
                raise ClientClosedError(
                    "this client was given a transport before the process forked: make a new one"
                )
            self._process, self._own = os.getpid(), WeakKeyDictionary()
        return (
            self._given
            or self._own.get(self._user())
            or self._own.setdefault(self._user(), self._make())
        )

    def close(self) -> list[Transport]:
        """Closed from now on; the transports that are to be closed. A second time there are none."""
        closed, self.closed = self.closed, True
        return [
            each
            for each in (self._given, self._own.get(self._user()))
            if each is not None and not closed
        ]


class AsyncSession:
    """Implements the protocol through which the generated async resources call; where it blocks, for the sync ones."""

    def __init__(self, pipe: Pipe[Any], settings: Settings, *, blocks: bool = False) -> None:
        self._pipe, self._settings, self._blocks = pipe, settings, blocks

    async def _do(
        self, block: Callable[..., Result], suspend: Callable[..., Awaitable[Result]], *given: Any
    ) -> Result:
        """Do what takes time, in one form or the other."""
        return block(*given) if self._blocks else await suspend(*given)

    async def _ask(self, function: Callable[..., Result], *given: object) -> Result:
        """Call a method of the quota; where that waits for a network, an event loop has a thread do it."""
        if self._settings.rate_limit and self._settings.rate_limit.blocks:
            return await self._do(function, partial(asyncio.to_thread, function), *given)
        return function(*given)

    async def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out, from its first attempt to its result.

        Raises:
            LeadConnectorError: what the last attempt ended in.
        """
        self._pipe.opened()  # already now, as that takes longer at first than a slot can wait
        settings, quota, answer = self._settings, self._settings.rate_limit, None
        call = Call(operation, arguments, settings)
        fresh: Token | None = None  # in the place of the one that was refused: that is tried once
        while True:
            try:
                token = fresh or await self._token(
                    call, None
                )  # first, as it may take longer than a slot can wait
                slot = await self._slot(call, quota) if quota else None
            except LeadConnectorError:
                if answer is None:
                    raise
                break  # what the last attempt ended in says more
            answer = await self._attempted(call, slot, token)
            if 200 <= answer.status < 300:
                break
            if answer.status == 401 and fresh is None:
                try:
                    fresh = await self._token(call, token)
                except APITimeoutError:
                    break  # what the last attempt ended in says more
                wait = NEVER if fresh == token else 0.0
            else:  # the request with another token was no retry
                number = call.attempts - (fresh is not None)
                wait = wait_after(
                    answer, Tried(number, call.method, settings.retries, settings.random())
                )
            if call.limits.clock() + wait >= call.limits.deadline:
                break
            told = (
                f"no whole answer ({answer.problem})" if answer.error else f"status {answer.status}"
            )
            logger.info("%s: %s; attempt %d in %.3f s", call.name, told, call.attempts + 1, wait)
            if wait:
                await self._do(settings.sleep, settings.sleep_async, wait)
        return call.result(answer)

    async def _slot(self, call: Call[T], quota: RateLimit) -> Reservation:
        """Wait for a slot in the quota. Whoever gives up gives it back."""
        slot = await self._ask(quota.reserve, call.rate_limit_key)
        if (wait := slot.wait) > 0.0:
            logger.info("%s: waits %.3f s for the quota of its location", call.name, wait)
        try:
            while call.in_time(wait, "its location's quota") > 0.0:
                await self._do(
                    self._settings.sleep, self._settings.sleep_async, min(wait, LONGEST_SLEEP)
                )
                self._pipe.opened()  # else it was closed meanwhile
                wait = await self._ask(quota.remaining, slot)
        except (Exception, asyncio.CancelledError, KeyboardInterrupt):
            await self._ask(quota.release, slot)
            raise
        return slot

    async def _token(self, call: Call[T], rejected: Token | None) -> Token:
        """A token, before the deadline."""
        source, left = self._settings.credentials, call.limits.deadline - call.limits.clock()
        given = self._settings.base_url, rejected, None if left == math.inf else max(0.0, left)
        try:
            token = source.token(*given) if self._blocks else await source.token_async(*given)
        except TimeoutError:
            call.in_time(0.0, "a token")
            raise  # of a callable that was given to us
        call.in_time(0.0, "a token")
        return token

    async def _attempted(
        self, call: Call[T], slot: Reservation | None, token: Token
    ) -> RawResponse:
        """Send the request, read the answer and how long it asks to wait, and let the quota know."""
        quota, request = self._settings.rate_limit, call.request(token)
        try:
            answer = await self._do(
                exchange, exchange_async, self._pipe.opened(), request, call.limits
            )
        except Exception as error:
            answer = call.failed(error, request)
        if not 200 <= answer.status < 300:
            answer = answer._replace(asked=retry_after(answer.headers, self._settings.now()))
        if quota and slot:
            if answer.problem == "never sent":
                await self._ask(quota.release, slot)
            elif heed := quota.correction(slot, answer):
                await self._ask(heed)
        return answer


class SyncSession:
    """Implements the protocol through which the generated resources call."""

    def __init__(self, pipe: Pipe[Any], settings: Settings) -> None:
        self._session = AsyncSession(pipe, settings, blocks=True)

    def call(self, operation: Operation[T], arguments: Mapping[str, object]) -> T:
        """Carry the operation out; raises `LeadConnectorError`."""
        course = self._session.call(operation, arguments)
        try:
            while True:
                course.send(None)
        except StopIteration as end:
            return cast("T", end.value)


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
        sends = transport is None or callable(getattr(transport, self._sends, None))
        ConfigurationError.unless(
            sends, f"transport must be an httpx transport with the method {self._sends}"
        )
        self._make_resources()

    def _own_transport(self) -> Transport:
        try:
            return self._default_transport(proxy=proxy_for(self._url))
        except (OSError, ValueError, ImportError) as error:
            # Not from the error, which may show a proxy's password.
            raise ConfigurationError(
                f"bad HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE ({type(error).__name__})"
            ) from None

    def with_options(self, **options: Unpack[Options]) -> Self:
        """This client with some options changed. Both share their connections and, unless it is changed, the quota.

        Raises:
            ConfigurationError: an option is not acceptable.
        """
        other = object.__new__(type(self))
        other._pipe, other._url, other._settings = (
            self._pipe,
            self._url,
            replace(self._settings, **options),
        )
        other._make_resources()
        return other

    __reduce__ = Token.__reduce__  # it holds one

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
        rate_limit: how many requests are sent for each location, and in what time; by default the
            vendor's limit, counted by this client (and those made of it); `None` for no limit.
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
