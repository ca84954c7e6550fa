"""Supplies access tokens and refreshes them: one refresh for all who share a token store."""

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from threading import Thread
from typing import cast

from .._highlevel import TOKEN_PATH
from .._runtime import lazy_asyncio as asyncio
from .._runtime.log import logger
from .._runtime.secrets import Secret, Token, encoded_forms, redact, refuse_pickling
from ..errors import CredentialsError
from .endpoint import TokenIssuer
from .process_lock import ProcessLock
from .refresh import ReadyToken, Refresh, TokenHandle, describe_error
from .rejection import is_new, recent_replacements, replacement_can_help
from .stores import TokenStore
from .tokens import NO_TOKENS, IssuedToken, Tokens

RETRY_PAUSE = 30.0
"""Seconds between a failed refresh and the next attempt, while the token is still valid.

Otherwise each call would send a request to an endpoint that is down.
"""


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """The validated options of a token source; `OAuth` describes them."""

    token_url: str | None
    refresh_ahead: float
    clock: Callable[[], float]


class TokenState(Enum):
    """The state of the current token for one caller."""

    FRESH = auto()
    """The caller gets it at once."""
    REFRESH_DUE = auto()
    """It expires soon. The caller gets it at once, while a thread refreshes it."""
    UNUSABLE = auto()
    """The caller waits for a refresh.

    The token has expired, or none was loaded yet. Or the API rejected it with `401 Unauthorized`:
    then it is unusable only for the caller whose request was rejected.
    """


@dataclass(frozen=True, slots=True)
class CurrentToken:
    """The token in use. Times are in seconds since the epoch."""

    token: IssuedToken
    refresh_at: float
    """When it is due for a refresh."""
    expires_at: float

    def is_due(self, now: float) -> bool:
        """Whether it expires soon, but is still valid."""
        return self.refresh_at <= now < self.expires_at

    def state(self, rejected: Token | None, now: float) -> TokenState:
        """The state for one caller; `rejected` is the token of its rejected request, if any."""
        if self.token == rejected:
            return TokenState.UNUSABLE
        if now >= self.expires_at:
            return TokenState.UNUSABLE
        if self.is_due(now):
            return TokenState.REFRESH_DUE
        return TokenState.FRESH

    def token_to_refresh(self, rejected: Token | None, now: float) -> "TokenToRefresh":
        """The token to refresh, for a caller that does not simply get this one."""
        # It is refreshed anyway, rejected or not.
        if rejected is None or self.is_due(now):
            return TokenToRefresh(self.token, is_rejected=False)
        return TokenToRefresh(rejected, is_rejected=True)


@dataclass(frozen=True, slots=True)
class TokenToRefresh:
    """The token for which a refresh starts."""

    token: Token
    is_rejected: bool
    """Whether the refresh starts because the API rejected it."""


class RefreshingTokenSource:
    """A token source that refreshes its access token. Clients, threads and processes may share it.

    A thread of its own runs each refresh. While it refreshes a token that expires soon, callers
    still get the old token. They wait only if their token has expired or was rejected. Nothing
    interrupts a refresh: a caller who gives up only stops waiting.

    A token that the API rejects is replaced at most twice an hour, and not if it is new: then the
    API rejects it for another reason, such as a missing scope. See `rejection`.

    Args:
        issuer: returns the new tokens of a refresh.
        store: contains the tokens.
        options: the options of `OAuth` that are independent of the authorization.
        location_id: the location of the tokens, which no log shows; empty if it is unknown.
    """

    def __init__(
        self,
        issuer: TokenIssuer,
        store: TokenStore,
        options: TokenOptions,
        location_id: str = "",
    ) -> None:
        self._issuer = issuer
        self._store = store
        self._token_url = options.token_url
        self._refresh_ahead = options.refresh_ahead
        self._clock = options.clock
        self._location_id = location_id

        # Guards the two attributes below.
        self._lock = ProcessLock()
        # A placeholder that has expired: the first caller loads the stored token.
        placeholder = Tokens("not-loaded", "", expires_at=-math.inf)
        self._current = CurrentToken(IssuedToken(placeholder, self._clock), -math.inf, -math.inf)
        # The last refresh by process id. Threads do not survive a fork, so a child would wait
        # forever for its parent's refresh.
        self._refreshes: dict[int, Refresh] = {}

        # Only the refresh thread uses these two, and an exchange that holds the store's lock. At
        # most one refresh runs in a process, so no lock of their own is needed.
        self._last_load: LastLoad | None = None
        # When this object refreshed a rejected token. A custom store may not save these times.
        self._replacements: Sequence[float] = ()

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
            RuntimeError: the thread for a refresh could not start, for example because the process
                has too many. This also fails callers whose token is still valid.
        """
        return self._token_or_refresh(base_url, rejected).wait(timeout)

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Return the token of an async client's request; raises like `get_token`."""
        handle = self._token_or_refresh(base_url, rejected)
        async with asyncio.timeout(timeout):
            return await handle.wait_async()

    def _token_or_refresh(self, base_url: str, rejected: Token | None) -> TokenHandle:
        """The current token, or the refresh to wait for. Starts a refresh if one is needed."""
        with self._lock.of_this_process():
            current = self._current
            now = self._clock()
            state = current.state(rejected, now)
            if state is TokenState.FRESH:
                return ReadyToken(current.token)
            # All other states need a refresh. One serves all callers, so join one in progress.
            refresh = self._refreshes.get(os.getpid())
            if refresh is None or refresh.is_done:
                refresh = self._start_refresh(base_url, current.token_to_refresh(rejected, now))
            if state is TokenState.REFRESH_DUE:
                return ReadyToken(current.token)
            return refresh

    def use_new_tokens(self, tokens: Tokens, now: float) -> None:
        """Return these tokens to callers from now on. The caller holds the store's lock.

        Args:
            tokens: the tokens of a new authorization, which the store contains already.
            now: seconds since the epoch.
        """
        self._last_load = LastLoad(tokens, tokens)
        self._replacements = ()
        with self._lock.of_this_process():
            self._current = self._current_token(tokens, now)

    def wait_for_refresh(self) -> None:
        """Wait for the refresh in progress, if there is one."""
        refresh = self._refreshes.get(os.getpid())
        if refresh is not None:
            refresh.wait_for_end()

    def _start_refresh(self, base_url: str, token_to_refresh: TokenToRefresh) -> Refresh:
        """Start a thread that replaces a token: the rejected, expired or expiring one."""
        refresh = Refresh()
        thread = Thread(
            target=self._run,
            args=(refresh, base_url, token_to_refresh),
            name="leadconnector-refresh",
            # The interpreter waits for it at exit. It would kill a daemon thread, and the new
            # tokens would be lost.
            daemon=False,
        )
        thread.start()
        # Not before the start: if that fails, nobody waits for a refresh without a thread.
        self._refreshes[os.getpid()] = refresh
        return refresh

    def _run(self, refresh: Refresh, base_url: str, token_to_refresh: TokenToRefresh) -> None:
        """Get a new token and set the outcome. This is the main function of the refresh thread."""
        try:
            with self._store.lock():
                current = self._load_or_refresh(base_url, token_to_refresh)
        # A store may raise anything, also SystemExit. Each waiter must get an outcome.
        except BaseException as error:
            self._fail(refresh, error, token_to_refresh)
        else:
            self._succeed(refresh, current)

    def _succeed(self, refresh: Refresh, current: CurrentToken) -> None:
        """Make the token fresh for all callers: REFRESH_DUE or UNUSABLE to FRESH."""
        # Both steps under one lock. Otherwise a caller could see a finished refresh with the old
        # token, and start another one. Or it could get the new token, have it rejected at once, and
        # join the refresh that gave it.
        with self._lock.of_this_process():
            refresh.succeed(current.token)
            self._current = current

    def _fail(
        self, refresh: Refresh, error: BaseException, token_to_refresh: TokenToRefresh
    ) -> None:
        """Postpone the next attempt: REFRESH_DUE to FRESH. An unusable token stays unusable."""
        with self._lock.of_this_process():
            refresh.fail(error)
            next_attempt_at = self._clock() + RETRY_PAUSE
            refresh_at = max(self._current.refresh_at, next_attempt_at)
            self._current = replace(self._current, refresh_at=refresh_at)
        # Callers without a usable token wait and get the error. For others, only the log shows it.
        if not token_to_refresh.is_rejected and self._clock() < self._current.expires_at:
            failure = self._failure_for_log(error)
            logger.warning(
                "the token is still valid, but was not refreshed: %s",
                failure,
                extra={"event": "token_not_refreshed", "failure": failure},
            )

    def _load_or_refresh(self, base_url: str, token_to_refresh: TokenToRefresh) -> CurrentToken:
        """Load the tokens, refresh them if necessary, and save new ones.

        Another process may have refreshed and stored them before this one got the store's lock.
        Then there is nothing to refresh.
        """
        stored_tokens = self._load()
        tokens = self._newest_tokens(stored_tokens)
        must_save = not tokens.equal_credentials(stored_tokens)
        now = self._clock()
        if not self._is_usable(tokens, token_to_refresh, now):
            tokens = self._refresh(base_url, tokens, token_to_refresh, now)
            must_save = True
        # Before saving: even if a store ends the thread (SystemExit), the new tokens are known.
        self._last_load = LastLoad(stored_tokens, tokens)
        if must_save:
            self._save(tokens)
        return self._current_token(tokens, now)

    def _refresh(
        self, base_url: str, tokens: Tokens, token_to_refresh: TokenToRefresh, now: float
    ) -> Tokens:
        """Exchange the refresh token.

        The endpoint raises without a request if the same request failed recently.
        """
        is_expired = now >= tokens.expires_at
        url = self._token_url or f"{base_url}{TOKEN_PATH}"
        new_tokens = self._issuer.refresh(tokens, base_url, url, now)
        self._replacements = self._known_replacements(tokens, now)
        if token_to_refresh.is_rejected and not is_expired:
            self._replacements = (*self._replacements, now)
        return replace(new_tokens, replacements=self._replacements)

    def _known_replacements(self, tokens: Tokens, now: float) -> Sequence[float]:
        """The recent replacements by this process and by the others that share the store."""
        # The store usually has those of this process as well, so each counts once. Two that a
        # coarse clock gives the same time count twice, so this is no set: `|` takes the larger
        # count of each time.
        replacements = Counter(tokens.replacements) | Counter(self._replacements)
        return recent_replacements(list(replacements.elements()), now)

    def _current_token(self, tokens: Tokens, now: float) -> CurrentToken:
        """The tokens as the token in use, with the time of its next refresh."""
        remaining = tokens.expires_at - now
        # At most half: a token with a short life would otherwise be due for a refresh at once.
        lead_time = min(self._refresh_ahead, remaining / 2)
        token = IssuedToken(tokens, self._clock)
        current_token = self._current.token
        if token == current_token and token.obtained_at == current_token.obtained_at:
            # It is in use already, and knows whether the API accepted it.
            token = current_token
        return CurrentToken(
            token,
            refresh_at=tokens.expires_at - lead_time,
            expires_at=tokens.expires_at,
        )

    def _load(self) -> Tokens:
        """The tokens in the store; `NO_TOKENS` if it has none.

        Raises:
            CredentialsError: a custom store returned something else, such as a dictionary. If that
                counted as no tokens, the message would ask for a new authorization.
        """
        stored_tokens = cast("object", self._store.load())
        if stored_tokens is None:
            return NO_TOKENS
        if not isinstance(stored_tokens, Tokens):
            raise CredentialsError(
                "the token store has no Tokens: load() must return Tokens or None, not "
                f"{type(stored_tokens).__name__}"
            )
        return stored_tokens

    def _newest_tokens(self, stored_tokens: Tokens) -> Tokens:
        """The stored tokens, or those that could not be saved in their place."""
        last_load = self._last_load
        if last_load is None:
            return stored_tokens
        if last_load.stored_tokens == stored_tokens:
            return last_load.tokens_in_use
        # A custom store may save the credentials only.
        if last_load.tokens_in_use.equal_credentials(stored_tokens):
            return last_load.tokens_in_use
        # The store has changed since: these tokens are newer.
        return stored_tokens

    def _is_usable(self, tokens: Tokens, token_to_refresh: TokenToRefresh, now: float) -> bool:
        """Whether the access token needs no refresh, or a refresh would be useless."""
        # Only the refresh token is known: see `Tokens.access_token`.
        if not tokens.access_token:
            return False
        if now >= tokens.expires_at:
            return False
        # The token is another one: another process or thread has refreshed it.
        if tokens.access_token != token_to_refresh.token.reveal():
            return True
        if not token_to_refresh.is_rejected:
            # A token that is still new was just refreshed by another process or thread.
            return is_new(tokens.obtained_at, now)
        return not replacement_can_help(
            was_accepted=token_to_refresh.token.was_accepted,
            obtained_at=tokens.obtained_at,
            replacements=self._known_replacements(tokens, now),
            now=now,
        )

    def _save(self, tokens: Tokens) -> None:
        try:
            self._store.save(tokens)
        # Whatever a store raises: the old refresh token is used up, and the new one must survive.
        except Exception as error:
            # A store can name a file or a key by the token.
            secrets = [Secret(tokens.refresh_token), Secret(tokens.access_token)]
            failure = self._failure_for_log(error, *secrets)
            logger.error(
                "new tokens are in use, but could not be saved; "
                "saving is tried again when the store is next read: %s",
                failure,
                extra={"event": "token_not_saved", "failure": failure},
            )

    def _failure_for_log(self, error: BaseException, *secrets: Secret[str]) -> str:
        """Text about an error without secrets, the name of a file and the location's id."""
        private_texts = encoded_forms([*secrets, Secret(self._location_id)])
        return redact(describe_error(error, names_file=False), *private_texts)


@dataclass(frozen=True, slots=True)
class LastLoad:
    """The tokens that the store last contained, and the tokens that are in use since then."""

    stored_tokens: Tokens
    tokens_in_use: Tokens
    """The new tokens after a refresh; otherwise `stored_tokens`."""
