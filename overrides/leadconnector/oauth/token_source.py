"""Supplies access tokens and refreshes them: one refresh for all who share a token store."""

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from threading import Thread

from .._highlevel import TOKEN_PATH
from .._runtime.http import BaseTransport, check_base_url
from .._runtime.log import logger
from .._runtime.secrets import Secret, Token, refuse_pickling
from ..errors import ConfigurationError
from .endpoint import TokenEndpoint, is_form_value
from .process_lock import ProcessLock
from .refresh import PendingToken, ReadyToken, Refresh, describe_error
from .stores import TokenStore
from .tokens import Tokens

REFRESH_AHEAD = 300.0
"""Default of the seconds before its expiry at which a token is refreshed."""

RETRY_PAUSE = 30.0
"""Seconds after a failed refresh of a valid token, and after a success, without another refresh."""


class TokenState(Enum):
    """Whether the current token can be used, and whether it needs a refresh."""

    FRESH = auto()
    """Callers get it at once."""
    REFRESH_DUE = auto()
    """It expires soon. Callers get it at once, while one thread refreshes it."""
    EXPIRED = auto()
    """It has expired, or no token was loaded yet. Callers wait for a refresh."""
    REJECTED = auto()
    """The API rejected it with `401 Unauthorized`. That caller waits for a refresh."""


@dataclass(frozen=True, slots=True)
class CurrentToken:
    """The token in use. Times are in seconds since the epoch."""

    token: Token
    refresh_at: float
    """When it is due for a refresh."""
    expires_at: float

    def state(self, rejected: Token | None, now: float) -> TokenState:
        """The state for a caller; `rejected` is the token that the API rejected, if any."""
        if self.token == rejected:
            return TokenState.REJECTED
        if now >= self.expires_at:
            return TokenState.EXPIRED
        if now >= self.refresh_at:
            return TokenState.REFRESH_DUE
        return TokenState.FRESH


class OAuth:
    """A token source that refreshes its access token. Clients, threads and processes may share it.

    While one thread refreshes a token that expires soon, callers still get it. They wait only for
    the refresh of an expired or rejected token. Nothing interrupts a refresh: a caller who gives up
    only stops waiting. A valid token that is less than 30 seconds old is not replaced: the API
    rejects it for another reason than its age.

    Args:
        client_id: the application's.
        client_secret: the application's.
        store: has the tokens of the authorisation, and later the refreshed ones.
        token_url: the token endpoint; by default `/oauth/token` of the client's base URL. It must
            be https, or http of loopback.
        transport: an httpx transport for the refresh requests, used from any thread and never
            closed. By default, each refresh opens a new one with the environment's proxies, which
            repeats a failed connection twice if there is no proxy.
        refresh_ahead: seconds before its expiry at which a token is refreshed, but not before half
            of its remaining life.
        clock: returns the seconds since the epoch.

    Raises:
        ConfigurationError: an argument is invalid.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        store: TokenStore,
        token_url: str | None = None,
        transport: BaseTransport | None = None,
        refresh_ahead: float = REFRESH_AHEAD,
        clock: Callable[[], float] = time.time,
    ) -> None:
        secret = Secret(client_secret)
        # The checks raise, and tracebacks can show arguments.
        del client_secret
        _check_credentials(client_id, secret)
        _check_store_and_transport(store, transport)
        _check_times(refresh_ahead, clock)
        self._token_url: str | None = None
        if token_url:
            self._token_url = check_base_url(token_url, "token_url")
        self._endpoint = TokenEndpoint(client_id, secret, transport)
        self._store = store
        self._refresh_ahead = refresh_ahead
        self._clock = clock

        # Guards the two attributes below.
        self._lock = ProcessLock()
        # A placeholder that has expired: the first caller loads the stored token.
        self._current = CurrentToken(Token(Secret("not-loaded")), -math.inf, -math.inf)
        # By process: a fork must not wait for the refresh of its parent.
        self._refreshes: dict[int, Refresh] = {}

        # Only the refreshing thread uses these two.
        self._refreshed_at = -math.inf
        self._replacement: _Replacement | None = None

    __reduce__ = refuse_pickling

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """Return the token of a sync client's request; see `TokenSource`.

        Raises:
            ReauthorizationError: the refresh token is used up, revoked or expired. It is not sent
                again, but each call reads the store.
            OAuthError: the token endpoint rejected the request, or its response has no token.
            APIConnectionError: the token endpoint sent no complete response.
            CredentialsError: the store has no tokens, or failed.
            TimeoutError: the timeout expired. The refresh continues.
        """
        return self._look_up(base_url, rejected).wait(timeout)

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Return the token of an async client's request; raises like `get_token`."""
        pending = self._look_up(base_url, rejected)
        async with asyncio.timeout(timeout):
            return await pending.wait_async()

    def _look_up(self, base_url: str, rejected: Token | None) -> PendingToken:
        """The current token, or the refresh to wait for. Starts a refresh if one is needed."""
        with self._lock.current():
            current = self._current
            state = current.state(rejected, self._clock())
            if state is TokenState.FRESH:
                return ReadyToken(current.token)
            # All other states need a refresh. One serves all callers, so join one in progress.
            refresh = self._refreshes.get(os.getpid())
            if refresh is None or refresh.is_done:
                refresh = self._start_refresh(base_url, rejected or current.token)
            if state is TokenState.REFRESH_DUE:
                return ReadyToken(current.token)
            return refresh

    def _start_refresh(self, base_url: str, stale: Token) -> Refresh:
        refresh = Refresh()
        thread = Thread(
            target=self._run,
            args=(refresh, base_url, stale),
            name="leadconnector-refresh",
            # The interpreter waits for it at exit. An interruption would lose the new tokens.
            daemon=False,
        )
        thread.start()
        # Not before the start: if that fails, nobody waits for a refresh without a thread.
        self._refreshes[os.getpid()] = refresh
        return refresh

    def _run(self, refresh: Refresh, base_url: str, stale: Token) -> None:
        """Refresh the token and set the outcome. This is the refreshing thread."""
        try:
            with self._store.lock():
                current = self._renew(base_url, stale)
        # A store may raise anything, also SystemExit. Each waiter must get an outcome.
        except BaseException as error:
            self._finish_failed(refresh, error)
        else:
            self._finish(refresh, current)

    def _finish(self, refresh: Refresh, current: CurrentToken) -> None:
        """REFRESH_DUE, EXPIRED or REJECTED to FRESH."""
        # Together: a caller whose new token is rejected at once must not join this refresh.
        with self._lock.current():
            refresh.succeed(current.token)
            self._current = current

    def _finish_failed(self, refresh: Refresh, error: BaseException) -> None:
        """REFRESH_DUE to FRESH, until the next attempt. An unusable token stays unusable."""
        with self._lock.current():
            refresh.fail(error)
            self._current = replace(self._current, refresh_at=self._clock() + RETRY_PAUSE)
        if self._clock() < self._current.expires_at:
            logger.warning(
                "the token is still valid, but was not refreshed: %s", describe_error(error)
            )

    def _renew(self, base_url: str, stale: Token) -> CurrentToken:
        """Use the stored token if it is valid and not the stale one; otherwise refresh it.

        Another process may have refreshed and stored it before this one got the store's lock.
        """
        stored = self._load()
        tokens = self._replacement_of(stored)
        now = self._clock()
        if not self._is_usable(tokens, stale, now):
            url = self._token_url or f"{base_url}{TOKEN_PATH}"
            tokens = self._endpoint.refresh(tokens, url, now)
            self._refreshed_at = now
        self._replacement = _Replacement(stored, tokens)
        if tokens is not stored:
            self._save(tokens)
        remaining = tokens.expires_at - now
        ahead = min(self._refresh_ahead, remaining / 2)
        return CurrentToken(
            Token(Secret(tokens.access_token)),
            refresh_at=tokens.expires_at - ahead,
            expires_at=tokens.expires_at,
        )

    def _load(self) -> Tokens:
        stored = self._store.load()
        # A store without type checks may return anything, for example a mapping.
        if isinstance(stored, Tokens):
            return stored
        return _NO_TOKENS

    def _replacement_of(self, stored: Tokens) -> Tokens:
        """The newer tokens, if the store still has the old ones because saving failed."""
        replacement = self._replacement
        if replacement is not None and replacement.stored == stored:
            return replacement.tokens
        return stored

    def _is_usable(self, tokens: Tokens, stale: Token, now: float) -> bool:
        """Whether the access token needs no refresh."""
        if not tokens.access_token:
            return False
        is_valid = now < tokens.expires_at
        if not is_valid:
            return False
        # `abs`: the clock may have been set back.
        is_new = abs(now - self._refreshed_at) < RETRY_PAUSE
        return is_new or tokens.access_token != stale.reveal()

    def _save(self, tokens: Tokens) -> None:
        try:
            self._store.save(tokens)
        # Whatever a store raises: the old refresh token is used up, and the new one must survive.
        except Exception as error:
            logger.error(
                "new tokens are in use, but could not be saved yet: %s", describe_error(error)
            )


_NO_TOKENS = Tokens(access_token="", refresh_token="", expires_at=0.0)


@dataclass(frozen=True, slots=True)
class _Replacement:
    """The tokens that replaced those in the store; the same ones if nothing was refreshed."""

    stored: Tokens
    tokens: Tokens


def _check_credentials(client_id: str, client_secret: Secret[str]) -> None:
    if not is_form_value(client_id) or not is_form_value(client_secret.reveal()):
        raise ConfigurationError(
            "client_id and client_secret must be printable ASCII, and not empty"
        )


def _check_store_and_transport(store: TokenStore, transport: BaseTransport | None) -> None:
    if not hasattr(store, "lock"):
        raise ConfigurationError("store must be a token store")
    if transport is not None and not hasattr(transport, "handle_request"):
        raise ConfigurationError("transport must be an httpx transport")


def _check_times(refresh_ahead: float, clock: Callable[[], float]) -> None:
    is_number = type(refresh_ahead) in {int, float}
    if not is_number or not refresh_ahead >= 0:
        raise ConfigurationError("refresh_ahead must be 0 s or more")
    if not callable(clock):
        raise ConfigurationError("clock must be callable")
