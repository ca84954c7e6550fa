"""Defines the tokens of one authorization and reads them from JSON without revealing them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

from .._runtime.secrets import Secret, Token, refuse_pickling
from ..errors import CredentialsError

LONGEST_LIFETIME = 1e11
"""Seconds, some 3,000 years. JSON numbers have no bound, but a later one makes no usable date."""

UserType: TypeAlias = Literal["Location", "Company"]
"""The class of tokens: for one location, or for a company (an agency)."""

USER_TYPES: tuple[UserType, ...] = ("Location", "Company")

TokenVersion: TypeAlias = Literal["2021-07-28", "v3"]
"""A version of the token endpoint. The first one has the names of RFC 6749, v3 has camelCase."""

TOKEN_VERSIONS: tuple[TokenVersion, ...] = ("2021-07-28", "v3")

# RFC 6749, section 5.2, allows more characters. The registered codes have these.
_ERROR_CODE = re.compile("[a-z_]{1,64}")


@dataclass(frozen=True)
class Tokens:
    """The tokens of one authorization. The repr shows none, and they are not pickled or copied."""

    access_token: str = field(repr=False)
    """Empty if only the refresh token is known."""
    refresh_token: str = field(repr=False)
    """Valid for one refresh, which returns the next one."""
    expires_at: float
    """Expiry of the access token, in seconds since the epoch; 0.0 causes an immediate refresh."""
    obtained_at: float = 0.0
    """When a refresh returned them, in seconds since the epoch; 0.0 if that is unknown."""
    replacements: Sequence[float] = ()
    """When `OAuth` refreshed tokens because the API rejected them, in seconds since the epoch.

    At most the last two. A store that saves this and `obtained_at` shares the limit on such
    refreshes between processes. With any other store, each process has its own limit.
    """
    user_type: str = ""
    """`Location` or `Company`; empty if the endpoint has not named it."""
    location_id: str = ""
    """The location that authorized the application; empty for an agency, or if unknown."""
    company_id: str = ""
    """The agency; empty if unknown."""
    scopes: Sequence[str] = ()
    """The scopes of the access token; empty if unknown."""

    def equal_credentials(self, tokens: "Tokens") -> bool:
        """Whether other tokens are the same, apart from when and why they were obtained."""
        if self.access_token != tokens.access_token or self.expires_at != tokens.expires_at:
            return False
        return self.refresh_token == tokens.refresh_token

    __reduce__ = refuse_pickling


NO_TOKENS = Tokens(access_token="", refresh_token="", expires_at=0.0)
"""Stands for the tokens of an empty store."""


class IssuedToken(Token):
    """An access token of the token endpoint, which knows its age.

    Args:
        tokens: the tokens that it belongs to.
        clock: returns the seconds since the epoch.

    Raises:
        CredentialsError: the access token has no valid syntax.
    """

    __slots__ = ("_clock", "company_id", "obtained_at")

    obtained_at: float
    """Seconds since the epoch; 0.0 if that is unknown."""
    company_id: str
    """The agency; empty if unknown."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float]) -> None:
        super().__init__(Secret(tokens.access_token), "the access token in the token store")
        self.obtained_at = tokens.obtained_at
        self.company_id = tokens.company_id
        self._clock = clock

    def age(self) -> float | None:
        """Seconds since it was obtained; `None` if that is unknown."""
        if not self.obtained_at:
            return None
        # If the clock has been set back, the token was obtained in the future.
        return max(0.0, self._clock() - self.obtained_at)


class TokenDocument:
    """A JSON object with tokens, from a file or from the token endpoint.

    It accepts any bytes: an absent or invalid member has a default. No exception leaves it, because
    an exception could quote the document.

    Args:
        document: the JSON.
        version: the version of the endpoint, which decides the names; a file has those of the
            first one.
    """

    def __init__(self, document: bytes, version: TokenVersion = "2021-07-28") -> None:
        self._members = Secret(_parse_object(document))
        self._version: TokenVersion = version

    @property
    def access_token(self) -> str:
        """The access token; empty if there is none that a request can carry."""
        try:
            return Token(Secret(self._member("access_token"))).reveal()
        except CredentialsError:
            return ""

    @property
    def has_unusable_access_token(self) -> bool:
        """Whether there is an access token that no request can carry."""
        return bool(self.text(self._name("access_token"))) and not self.access_token

    @property
    def refresh_token(self) -> str:
        """The refresh token; empty if there is none."""
        return self.text(self._name("refresh_token"))

    @property
    def error_code(self) -> str:
        """The error code, such as `invalid_grant` (RFC 6749, section 5.2); empty if none."""
        if _ERROR_CODE.fullmatch(self.text("error")):
            return self.text("error")
        return ""

    @property
    def other_version(self) -> TokenVersion | None:
        """The other version of the endpoint, if the document has the access token in its name."""
        version: TokenVersion = "v3"
        if self._version == "v3":
            version = "2021-07-28"
        if _name_in("access_token", version) in self._members.reveal():
            return version
        return None

    def seconds(self, name: str, *, default: float) -> float:
        """A positive number of seconds, at most `LONGEST_LIFETIME`."""
        seconds = self._member(name)
        # NaN, which Python's parser accepts, is not positive.
        if isinstance(seconds, int | float) and seconds > 0:
            return float(min(seconds, LONGEST_LIFETIME))
        return default

    def times(self, name: str) -> tuple[float, ...]:
        """The positive numbers in an array; empty if there is none."""
        items = self._members.reveal().get(name)
        if not isinstance(items, list):
            return ()
        times: list[float] = []
        for item in cast("list[object]", items):
            if isinstance(item, int | float) and 0.0 < item < LONGEST_LIFETIME:
                times.append(float(item))
        return tuple(times)

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts in an array; empty if there is none."""
        items = self._members.reveal().get(name)
        if not isinstance(items, list):
            return ()
        return tuple(item for item in cast("list[object]", items) if isinstance(item, str))

    def text(self, name: str) -> str:
        """A member that is text; empty if there is none. The name is that of the document."""
        text = Secret(self._members.reveal().get(name))
        if isinstance(text.reveal(), str):
            return cast("str", text.reveal())
        return ""

    @property
    def user_type(self) -> UserType | None:
        """The class of the tokens in a response; `None` if it names none of the documented ones."""
        for user_type in USER_TYPES:
            if self.text("userType") == user_type:
                return user_type
        return None

    def _member(self, name: str) -> object:
        """A member by its name in RFC 6749."""
        return self._members.reveal().get(self._name(name))

    def _name(self, name: str) -> str:
        """A name of RFC 6749 as the document has it."""
        return _name_in(name, self._version)


def camel_case(name: str) -> str:
    """A name such as `access_token` as `accessToken`."""
    first_word, *words = name.split("_")
    return first_word + "".join(word.capitalize() for word in words)


def _name_in(name: str, version: TokenVersion) -> str:
    """A name of RFC 6749 in a version of the endpoint."""
    return camel_case(name) if version == "v3" else name


def _parse_object(document: bytes) -> Mapping[str, object]:
    """The members of a JSON object; none if the document is anything else."""
    try:
        members = Secret(json.loads(document))
    except (ValueError, RecursionError):
        return {}
    if isinstance(members.reveal(), dict):
        return cast("Mapping[str, object]", members.reveal())
    return {}
