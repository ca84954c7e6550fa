"""Token sources: they supply the token of each request, from a string or from a callable."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from ._highlevel import TOKEN_VARIABLE
from ._runtime import lazy_asyncio as asyncio
from ._runtime.protocols import LocationTokenSource, TokenSource
from ._runtime.secrets import Secret, Token
from .errors import ConfigurationError, CredentialsError

SyncTokenOption = str | Callable[[], str] | TokenSource
"""The `token` option of `LeadConnector`."""

AsyncTokenOption = str | Callable[[], str | Awaitable[str]] | TokenSource
"""The `token` option of `AsyncLeadConnector`, which also accepts an async callable."""


def token_source(option: Secret[Any]) -> TokenSource:
    """The token source for a client's `token` option.

    Args:
        option: the option, or else the environment variable; `None` if there is neither.

    Raises:
        CredentialsError: there is no token, or it cannot be sent.
    """
    if option.reveal() is None:
        raise CredentialsError(f"there is no token: pass token=, or set {TOKEN_VARIABLE}")
    if isinstance(option.reveal(), type):
        raise CredentialsError(f"token= is the class {option.reveal().__name__}: pass an instance")
    # An `OAuth`, or any other implementation of the protocol.
    if hasattr(option.reveal(), "get_token_async"):
        return cast("TokenSource", option.reveal())
    if callable(option.reveal()):
        return CallableToken(option)
    if option.reveal() == "":
        raise CredentialsError(
            f"the token is empty: pass one as token=, or check {TOKEN_VARIABLE}, "
            "which may be set but empty"
        )
    return StaticToken(Token(option, f"the token, from token= or {TOKEN_VARIABLE},"))


def location_token_source(source: TokenSource, location_id: str) -> TokenSource:
    """The token source of one location, for a client whose calls all use its token.

    Raises:
        ConfigurationError: the token source of the client has no tokens of locations.
        CredentialsError: the token store failed.
    """
    if not hasattr(source, "for_location"):
        raise ConfigurationError(
            "for_location() needs a client whose token= has a token for each location: an "
            "AgencyOAuth"
        )
    return cast("LocationTokenSource", source).for_location(location_id)


@dataclass(frozen=True)
class StaticToken:
    """A token that never changes. It is also returned after the API rejected it."""

    _token: Token

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """Return the token."""
        return self._token

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Return the token."""
        return self._token


_RETURNED_TOKEN = "the token that the callable returned"


@dataclass(frozen=True)
class CallableToken:
    """Calls a function for the token of each request.

    It is called once more after a 401. Nothing limits how often: by its contract it is called for
    each request anyway, and it does not learn whether the API rejected its token.
    """

    _function: Secret[Callable[[], str | Awaitable[str]]]

    def get_token(self, base_url: str, rejected: Token | None, timeout: float | None) -> Token:
        """Call the function.

        Raises:
            CredentialsError: it returned no valid token.
        """
        return Token(Secret(self._function.reveal()()), _RETURNED_TOKEN)

    async def get_token_async(
        self, base_url: str, rejected: Token | None, timeout: float | None
    ) -> Token:
        """Call the function, and await its result if it is awaitable.

        Raises:
            CredentialsError: it returned no valid token.
            TimeoutError: the result did not arrive in time.
        """
        async with asyncio.timeout(timeout):
            result: Secret[Any] = Secret(self._function.reveal()())
            if isinstance(result.reveal(), Awaitable):
                return Token(Secret(await result.reveal()), _RETURNED_TOKEN)
            return Token(result, _RETURNED_TOKEN)
