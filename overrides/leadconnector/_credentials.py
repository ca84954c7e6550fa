"""Where the token of a request comes from, and how it is kept out of everything that is shown."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol, cast

from .errors import CredentialsError

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1


class Secret:
    """A value that no repr, log, local variable of a traceback or pickle shows: `reveal` it only where it is used."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def reveal(self) -> object:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "[redacted]"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential is not pickled or copied")


class Token(Secret):
    """A bearer token that can be sent; as credentials, it is the token of each attempt.

    Raises:
        CredentialsError: it is not one; the message never shows it.
    """

    __slots__ = ()

    def __init__(self, secret: Secret) -> None:
        if not isinstance(secret.reveal(), str) or not _BEARER.fullmatch(str(secret.reveal())):
            raise CredentialsError("the token, not shown here, must be what follows 'Bearer ': no blank, no line break")
        super().__init__(secret.reveal())

    def reveal(self) -> str:
        """The token itself."""
        return str(self._value)

    def token(self, base_url: str, rejected: "Token | None", timeout: float | None) -> "Token":
        """This one, also where it was refused."""
        return self

    async def token_async(self, base_url: str, rejected: "Token | None", timeout: float | None) -> "Token":
        """This one, also where it was refused."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class Credentials(Protocol):
    """Gives the token of each attempt.

    Args of both methods:
        base_url: where the API is.
        rejected: the token that the API has just refused (401), where it has: another one is wanted.
        timeout: seconds that may be spent on getting one; `None` is no limit.

    Raises of both: LeadConnectorError, or whatever a user's callable does. `TimeoutError` once the timeout has passed.
    """

    def token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """The token of a sync client's request."""
        ...

    async def token_async(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """The token of an async client's request."""
        ...


class CallableToken:
    """A token that a callable of the user's gives, for each request anew."""

    def __init__(self, source: Callable[[], str | Awaitable[str]]) -> None:
        self._source = source

    def token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """What the callable gives now."""
        return Token(Secret(self._source()))

    async def token_async(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """What the callable gives now, awaited where it is to be."""
        given = Secret(self._source())
        if isinstance(given.reveal(), Awaitable):
            async with asyncio.timeout(timeout):
                given = Secret(await cast("Awaitable[object]", given.reveal()))
        return Token(given)


SyncTokenSource = str | Callable[[], str] | Credentials
AsyncTokenSource = str | Callable[[], str | Awaitable[str]] | Credentials


def credentials(secret: Secret) -> Credentials:
    """What gives the token of each attempt, from what a user passed.

    Raises:
        CredentialsError: there is no token, or it is not one that can be sent.
    """
    if secret.reveal() is None:
        raise CredentialsError("there is no token: pass token=, or set the environment variable LEADCONNECTOR_TOKEN")
    if hasattr(secret.reveal(), "token_async"):
        return cast("Credentials", secret.reveal())
    if callable(secret.reveal()):
        return CallableToken(cast("Callable[[], str]", secret.reveal()))
    return Token(secret)
