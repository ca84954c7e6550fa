"""Where the token of a request comes from, and how it is kept out of everything that is shown."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, Protocol, TypeVar, cast

from .errors import CredentialsError

Value_co = TypeVar("Value_co", covariant=True)

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1


@dataclass(frozen=True, slots=True)
class Secret(Generic[Value_co]):
    """A value that no repr, log, local variable of a traceback or pickle shows: `reveal` it only where it is used."""

    _value: Value_co = field(repr=False)

    def reveal(self) -> Value_co:
        """The value itself."""
        return self._value

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is not pickled or copied")


class Token(Secret[str]):
    """A bearer token that can be sent; as credentials, the token of each attempt.

    Raises:
        CredentialsError: it is not one; the message never shows it.
    """

    def __init__(self, secret: Secret[Any]) -> None:
        fits = isinstance(secret.reveal(), str) and _BEARER.fullmatch(secret.reveal()) is not None
        CredentialsError.unless(
            fits, "the token, not shown, must be text without blanks (only async clients await)"
        )
        super().__init__(secret.reveal())

    def token(self, base_url: str, rejected: "Token | None", timeout: float | None) -> "Token":
        """This one, also where it was refused."""
        return self

    async def token_async(
        self, base_url: str, rejected: "Token | None", timeout: float | None
    ) -> "Token":
        """This one, also where it was refused."""
        return self


class Credentials(Protocol):
    """Gives the token of each attempt: `token` that of a sync client's request, `token_async` of an async client's.

    Args of both methods:
        base_url: where the API is.
        rejected: the token that the API has just refused (401), where it has: another one is wanted.
        timeout: seconds that may be spent on getting one; `None` is no limit.

    Raises of both: LeadConnectorError, or whatever a user's callable does. `TimeoutError` once the timeout has passed.
    """

    def token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """The token of a sync client's request."""
        ...

    async def token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """The token of an async client's request."""
        ...


class CallableToken(Secret[Callable[[], str | Awaitable[str]]]):
    """A token that a callable of the user's gives, for each request anew."""

    def token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """What the callable gives now."""
        return Token(Secret(self._value()))

    async def token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """What the callable gives now, awaited where it is to be."""
        async with asyncio.timeout(timeout):
            given: Secret[Any] = Secret(self._value())
            return Token(
                Secret(await given.reveal()) if isinstance(given.reveal(), Awaitable) else given
            )


SyncTokenSource = str | Callable[[], str] | Credentials
AsyncTokenSource = str | Callable[[], str | Awaitable[str]] | Credentials


def credentials(secret: Secret[Any]) -> Credentials:
    """What gives the token of each attempt, from what a user passed.

    Raises:
        CredentialsError: there is no token, or it is not one that can be sent.
    """
    CredentialsError.unless(
        secret.reveal() is not None, "there is no token: pass token=, or set LEADCONNECTOR_TOKEN"
    )
    if hasattr(secret.reveal(), "token_async"):
        return cast("Credentials", secret.reveal())
    return CallableToken(secret.reveal()) if callable(secret.reveal()) else Token(secret)
