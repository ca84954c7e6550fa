"""What a bearer token is valid for: its locations, its scopes and its class."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

ANY: Collection[str] | None = None
"""Every location, as the locations of a token; every scope, as its scopes."""

UserType: TypeAlias = Literal["Location", "Company"]
"""The class of a token: it is for one location (sub-account), or for a company (agency)."""

_TOKEN = re.compile(r"[!-~]+")
"""The characters of a token: visible ASCII. RFC 6750, section 2.1, allows fewer of them."""

USER_TYPES: tuple[UserType, ...] = ("Location", "Company")


def check_texts(name: str, value: object) -> None:
    """Reject one string, which is a collection of its characters.

    Raises:
        TypeError: the value is one string.
    """
    if isinstance(value, str):
        raise TypeError(f"{name} are collections of strings, not one string")


def check_token(token: object) -> None:
    """Require a bearer token that a header can contain.

    Raises:
        TypeError: it is not text.
        ValueError: it is empty, starts with `Bearer`, or contains blanks, control characters or
            other characters than ASCII. The message does not contain it.
    """
    if not isinstance(token, str):
        raise TypeError(f"a token must be a string, not {type(token).__name__}")
    if not token:
        raise ValueError("a token is empty; without it, the default is `emulator`")
    if token.lower().startswith("bearer "):
        raise ValueError('a token starts with "Bearer ": pass only the token after it')
    if not _TOKEN.fullmatch(token):
        raise ValueError("a token may contain only printable ASCII characters without blanks")


def check_user_type(user_type: object) -> None:
    """Require a class of tokens.

    Raises:
        ValueError: the class is unknown.
    """
    if user_type not in USER_TYPES:
        raise ValueError(f"user_type must be Location or Company, not {user_type!r}")


@dataclass(frozen=True)
class TokenAccess:
    """What a bearer token is valid for. The default is everything, as a token of a location.

    Raises:
        TypeError: `locations` or `scopes` is one string instead of a collection.
        ValueError: `user_type` is unknown.
    """

    locations: Collection[str] | None = ANY
    """The locations; `ANY` for every location."""
    scopes: Collection[str] | None = ANY
    """The scopes, such as `conversations.write`; `ANY` for every scope. They have an effect on
    operations for which the spec lists scopes, and on all with `Emulator(required_scopes=…)`."""
    user_type: UserType = "Location"
    """The class. A token of a company is rejected by each operation that names a location."""

    def __post_init__(self) -> None:
        check_texts("the locations of a token", self.locations)
        check_texts("the scopes of a token", self.scopes)
        check_user_type(self.user_type)

    def includes_location(self, location: str) -> bool:
        """Whether the token is valid for a location."""
        return self.locations is None or location in self.locations

    def includes_scopes(self, scopes: Collection[str]) -> bool:
        """Whether the token has all of these scopes."""
        return self.scopes is None or set(scopes) <= set(self.scopes)


EVERYTHING = TokenAccess()
"""What most tokens are valid for."""

TokenAccessOrLocations: TypeAlias = "TokenAccess | Collection[str] | None"
"""What a token is valid for, or only its locations."""


def access_by_token(
    tokens: Iterable[str] | Mapping[str, TokenAccessOrLocations],
) -> dict[str, TokenAccessOrLocations]:
    """The tokens as a mapping. Tokens without a value are valid for everything.

    Raises:
        TypeError: the tokens, or the locations of a token, are one string; a token is not a string.
        ValueError: a token is invalid.
    """
    check_texts("tokens", tokens)
    access: dict[str, TokenAccessOrLocations]
    if isinstance(tokens, Mapping):
        access = dict(cast("Mapping[str, TokenAccessOrLocations]", tokens))
    else:
        access = dict.fromkeys(tokens, ANY)
    for token, value in access.items():
        check_token(token)
        check_texts("the locations of a token", value)
    return access


def as_access(value: TokenAccessOrLocations) -> TokenAccess:
    """What a token is valid for, if perhaps only its locations are stated."""
    if value is None:  # `ANY`
        return EVERYTHING
    if isinstance(value, TokenAccess):
        return value
    return TokenAccess(locations=value)
