"""Keeps an access token fresh with its refresh token, which is good once: one refresh for all who share a store."""

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Protocol

from .._highlevel import ACCESS_TOKEN_SECONDS, REFRESH_FORM, TOKEN_PATH, USER_AGENT
from .._runtime.http import (
    URL,
    BaseTransport,
    Limits,
    RawResponse,
    check_base_url,
    common_headers,
    connection_error,
    default_transport,
    form_request,
    is_transport_failure,
    send,
)
from .._runtime.log import logger
from .._runtime.secrets import Secret, Token, refuse_pickling
from ..errors import (
    ConfigurationError,
    CredentialsError,
    LeadConnectorError,
    OAuthError,
    ReauthorizationError,
)

_DAY, _LONGEST, _PAUSE = ACCESS_TOKEN_SECONDS, 1e11, 30.0
"""Seconds: an access token's life where the answer does not say (the vendor's live a day), and its life at the most;
until what failed is tried again while a token is still valid, and until a token just got is replaced."""

_FORM, _LIMITS, _SENDABLE = (
    REFRESH_FORM,
    Limits(),
    re.compile(r"[ -~]+"),
)


@dataclass(frozen=True)
class Tokens:
    """What a store keeps of one authorisation. Its repr shows no token, and it is neither pickled nor copied."""

    access_token: str = field(repr=False)
    """Empty where only the refresh token is known."""
    refresh_token: str = field(repr=False)
    expires_at: float
    """When the access token ends, in seconds since the epoch; 0.0 has it refreshed at once."""

    __reduce__ = refuse_pickling


class TokenStore(Protocol):
    """Where tokens are kept. `OAuth` calls it from threads of its own, under its lock; its methods may block.

    What they raise is the cause of the `CredentialsError` that callers get; but where `save` fails, the new tokens are
    used all the same, as the old refresh token is used up by then, and saving them is tried again when the store is
    read next: for the next refresh, or because the API refused a token.
    """

    def load(self) -> Tokens | None:
        """The tokens last saved; `None` where there are none."""

    def save(self, tokens: Tokens) -> None:
        """Keep these in place of those before, wholly or not at all."""

    def lock(self) -> AbstractContextManager[object]:
        """Shuts out every other thread and process that shares the store, and ends with a process that dies."""
        ...


class MemoryTokenStore:
    """Keeps tokens while the process lives. No other process shares it, not even a fork."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens, self._locks = tokens, dict[int, Lock]()

    def load(self) -> Tokens:
        """The tokens last saved."""
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        """Keep these."""
        self._tokens = tokens

    def lock(self) -> AbstractContextManager[object]:
        """Shuts out other threads."""
        return self._locks.setdefault(
            os.getpid(), Lock()
        )  # a fork may inherit a lock that nobody will release


class FileTokenStore:
    """Keeps tokens in a JSON file, shared by the processes of one user on one machine that has `fcntl` (not Windows).

    The file holds the members of `Tokens`. It is replaced as a whole; the lock is on another beside it, `….lock`, which
    stays. A file that others than its owner may read or write is refused, as ssh refuses such a key.

    Args:
        path: the file, which need not exist yet; its owner alone should be able to write to its directory. A link is
            followed once, here.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.realpath(path)

    def load(self) -> Tokens | None:
        """The tokens last saved; `None` where the file is missing.

        Raises:
            CredentialsError: it is open to others, or holds no tokens; the message never shows what is in it.
            OSError: it cannot be read.
        """
        with suppress(FileNotFoundError), open(self._path, "rb") as file:
            tokens, _ = _read(file.read(1 << 20), "expires_at")
            if tokens.refresh_token and not os.fstat(file.fileno()).st_mode & 0o077:
                return tokens
            raise CredentialsError(
                f"{self._path} holds no tokens (authorise anew) or is open to others (chmod 600 it)"
            )
        return None

    def save(self, tokens: Tokens) -> None:
        """Replace the file, or raise OSError and leave it as it was; beside it `….new`, which is replaced next time.

        Hold the lock meanwhile where others may be at work.
        """
        new = f"{self._path}.new"
        with suppress(FileNotFoundError):
            os.remove(new)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            print(json.dumps(vars(tokens)), file=file, flush=True)
            os.fsync(file.fileno())  # else a power cut may leave neither the old tokens nor the new
        os.replace(new, self._path)

    @contextmanager
    def lock(self) -> Generator[None]:
        """Shuts out other threads and processes; the kernel releases what a dying process holds.

        Raises:
            ImportError: the platform has no `fcntl`.
            OSError: the lock file cannot be used.
        """
        from fcntl import LOCK_EX, LOCK_UN, flock  # noqa: PLC0415  # not on every platform

        with (
            open(os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)) as file,
            ExitStack() as stack,
        ):
            flock(file, LOCK_EX)
            stack.callback(
                flock, file, LOCK_UN
            )  # closing would not do: a fork may hold the same open file
            yield


class OAuth:
    """Credentials that refresh themselves, for clients sync and async, in any number of threads and processes.

    A token that will soon expire is still given out while one thread refreshes it; one that has expired, or that the
    API refused, is waited for. Nothing interrupts a refresh: a caller who gives up only stops waiting. A token that was
    got less than 30 seconds ago is not replaced while it is valid: its age is not why the API refuses it.

    Args:
        client_id: the application's.
        client_secret: the application's.
        store: holds the tokens, at first those of the authorisation.
        token_url: where to refresh; by default `/oauth/token` of the client's base URL. https, or http to loopback.
        transport: an httpx transport to refresh with, from any thread, which is not closed; by default a new one for
            each refresh, which heeds the environment's proxies; where it needs none, it tries thrice to connect.
        refresh_ahead: seconds before its end from which a token is refreshed; half of what is left of it at the most.
        clock: gives seconds since the epoch.

    Raises:
        ConfigurationError: one of them is not acceptable.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        store: TokenStore,
        token_url: str | None = None,
        transport: BaseTransport | None = None,
        refresh_ahead: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # From here on no traceback shows the secret.
        self._form, client_secret = (
            {"client_id": client_id, "client_secret": client_secret} | _FORM,
            "",
        )
        sendable = all(
            type(each) is str and _SENDABLE.fullmatch(each) for each in self._form.values()
        )
        if not sendable:
            raise ConfigurationError(
                "client_id and client_secret must be printable ASCII, and not empty"
            )
        sends = transport is None or hasattr(transport, "handle_request")
        if not (sends and hasattr(store, "lock")):
            raise ConfigurationError("store must be a token store, transport httpx's")
        seconds = type(refresh_ahead) in {int, float} and refresh_ahead >= 0
        if not (seconds and callable(clock)):
            raise ConfigurationError("refresh_ahead must be 0 s or more, clock callable")
        self._token_url = token_url and check_base_url(token_url, "token_url")
        self._store, self._transport, self._clock = (
            store,
            transport and nullcontext(transport),
            clock,
        )
        # The token in use; until when it is given out without a further thought; when it ends. Replaced as a whole.
        self._current, self._refreshed_at, self._refresh_ahead = (
            (Token(Secret("none")), 0.0, 0.0),
            0.0,
            refresh_ahead,
        )
        # What came in the place of what the store held; the answers to refresh tokens that were refused for ever.
        self._renewals, self._refusals = dict[Tokens, Tokens](), dict[str, RawResponse]()
        # By process: a fork has no refresh under way, and must not wait for its parent's.
        self._locks, self._flights = dict[int, Lock](), dict[int, Future[Token | BaseException]]()

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """The token of a sync client's request; see `TokenSource`.

        Raises:
            ReauthorizationError: the refresh token is used up or revoked. It is not sent again, but the store is read.
            OAuthError: the token endpoint refused, or its answer cannot be understood.
            APIConnectionError: the token endpoint gave no answer.
            CredentialsError: the store holds no tokens, or failed.
            TimeoutError: not in time. The refresh goes on.
        """
        found = self._token_or_flight(base_url, rejected)
        return found if isinstance(found, Token) else _opened(found.result(timeout))

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """The token of an async client's request; raises what `get_token` does."""
        found = self._token_or_flight(base_url, rejected)
        async with asyncio.timeout(timeout):
            return found if isinstance(found, Token) else _opened(await asyncio.wrap_future(found))

    def _token_or_flight(
        self, url: str, rejected: Token | None
    ) -> Token | Future[Token | BaseException]:
        """The token in use, or the refresh to wait for; starts one where it is time for it and none is under way."""
        with self._locks.setdefault(os.getpid(), Lock()):
            (token, look_at, expires_at), now = self._current, self._clock()
            usable, flight = now < expires_at and token != rejected, self._flights.get(os.getpid())
            if not (usable and now < look_at) and (flight is None or flight.done()):
                flight = Future[Token | BaseException]()
                flight.set_running_or_notify_cancel()  # now the end of a task that awaits it does not cancel it
                Thread(
                    None,
                    self._fly,
                    "leadconnector-refresh",
                    (flight, url, rejected or token),
                    daemon=False,
                ).start()
                self._flights[os.getpid()] = (
                    flight  # only now: an interrupt before leaves nobody waiting for nothing
                )
            return token if usable else self._flights[os.getpid()]

    def _fly(self, flight: Future[Token | BaseException], url: str, stale: Token) -> None:
        outcome: Token | BaseException
        try:
            with self._store.lock():
                outcome, *_ = current = self._renewed(url, stale)
        except BaseException as error:  # each waiter raises one of its own
            outcome, current = error, (self._current[0], self._clock() + _PAUSE, self._current[2])
        with self._locks[os.getpid()]:
            flight.set_result(outcome)
            self._current = current  # not before: who has it refused finds no flight any more that would give it again
        if isinstance(outcome, BaseException) and self._clock() < self._current[2]:
            logger.warning("the token is still valid, but was not refreshed: %s", _told(outcome))

    def _renewed(self, url: str, stale: Token) -> tuple[Token, float, float]:
        """The token that is stored, if it is valid and another than the stale one; else a new one."""
        # No local shows what a store may have given instead of tokens.
        stored = stored if isinstance(stored := self._store.load(), Tokens) else Tokens("", "", 0.0)
        tokens, now = self._renewals.get(stored, stored), self._clock()
        other = tokens.access_token != stale.reveal() or abs(now - self._refreshed_at) < _PAUSE
        if not (tokens.access_token and now < tokens.expires_at and other):
            tokens, self._refreshed_at = (
                self._refreshed(tokens, self._token_url or f"{url}{TOKEN_PATH}", now),
                now,
            )
        self._renewals = {stored: tokens}
        try:
            if tokens is not stored:
                self._store.save(tokens)
        except Exception as error:  # whatever it is: the old refresh token is used up, and the new must not be lost
            logger.error("new tokens are in use, but could not be saved yet: %s", _told(error))
        look_at = tokens.expires_at - min(self._refresh_ahead, (tokens.expires_at - now) / 2)
        return Token(Secret(tokens.access_token)), look_at, tokens.expires_at

    def _refreshed(self, old: Tokens, url: str, now: float) -> Tokens:
        if not _SENDABLE.fullmatch(old.refresh_token):
            raise CredentialsError(
                "the token store holds no refresh token that can be sent: save an authorisation's"
            )
        answer = self._refusals.get(old.refresh_token) or self._asked(old, url)
        new, code = _read(answer.body, "expires_in", _DAY, old.refresh_token, now)
        if 200 <= answer.status_code < 300 and new.access_token:
            return new
        advice = ": the user must authorise anew" if code == "invalid_grant" else ""
        self._refusals = {old.refresh_token: answer} if advice else {}  # it is not sent again
        text = f"POST {URL(url).path}: {answer.status_code} {code or '(no code)'}, no usable access token{advice}"
        raise (ReauthorizationError if advice else OAuthError)(
            text, status_code=answer.status_code, error=code
        )

    def _asked(self, old: Tokens, url: str) -> RawResponse:
        request = form_request(
            url, self._form | {"refresh_token": old.refresh_token}, common_headers(USER_AGENT)
        )
        secrets = [Secret(self._form["client_secret"]), Secret(old.refresh_token)]
        try:
            with self._transport or default_transport(url, retries=2) as transport:
                return send(transport, request, _LIMITS)
        except Exception as error:
            # Without its frames, which hold what was sent and received.
            error.with_traceback(None)
            if not is_transport_failure(error):
                raise error from None
            raise connection_error(error, f"POST {request.url.path}", request, secrets, 1) from None


def _told(error: BaseException) -> str:
    """What a log or an exception may show of an error; the text of a store's, or a transport's, may be anything."""
    return (
        str(error)
        if isinstance(error, LeadConnectorError | OSError | ImportError)
        else type(error).__name__
    )


def _opened(outcome: BaseException | Token) -> Token:
    """The token; or raises, each time an exception of its own: one that many threads raise mixes their tracebacks."""
    if isinstance(outcome, Token):
        return outcome
    if isinstance(outcome, LeadConnectorError):
        raise type(outcome)(str(outcome), **vars(outcome)) from outcome.__cause__
    raise CredentialsError(f"the token could not be refreshed: {_told(outcome)}") from outcome


def _read(
    document: bytes, end: str, otherwise: float = 0.0, refresh: str = "", now: float = 0.0
) -> tuple[Tokens, str]:
    """The tokens in a JSON document, whatever it is, and its error code; what it lacks is filled in.

    Its locals are secrets: it never raises.
    """
    members, access = dict[str, object](), ""
    with suppress(TypeError, ValueError, RecursionError):
        members = {**json.loads(document)}
        access = Token(Secret(members.get("access_token"))).reveal()
    seconds, renewed, code = members.get(end), members.get("refresh_token"), members.get("error")
    lives = (
        min(seconds, _LONGEST) if isinstance(seconds, int | float) and seconds > 0 else otherwise
    )
    found = Tokens(
        access, renewed if isinstance(renewed, str) and renewed else refresh, now + lives
    )
    return found, code if isinstance(code, str) and re.fullmatch("[a-z_]{1,64}", code) else ""
