"""Keeps credentials out of every repr, log, traceback and pickle."""

import re
from collections.abc import Iterable
from inspect import iscoroutine
from typing import Any, Generic, NoReturn, TypeVar, cast
from urllib.parse import quote, quote_plus

from .._generated.types import UnionBranch
from ..errors import CredentialsError

Value_co = TypeVar("Value_co", covariant=True)

REDACTED = "[redacted]"
"""Replaces a credential in a text."""

SHORT_SECRET = 8
"""A secret with fewer characters is redacted only where it is a whole word.

Otherwise a token `a` would replace every letter a of a message. The vendor's tokens are longer: 40
characters and more.
"""

# The syntax of a bearer token: RFC 6750, section 2.1.
_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

# An encoded character in a URL (RFC 3986, section 2.1).
_PERCENT_CODE = re.compile("%[0-9A-F]{2}")

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"

# An authorization header, or its value: the scheme is not part of the token.
_SCHEME = re.compile(r"(authorization\s*:\s*)?(bearer|token|basic)(\s+.*|:.*)?", re.I | re.S)


# Characters that URLs and forms never encode (RFC 3986, section 2.3). Most tokens have no others.
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")


def refuse_pickling(self: object) -> NoReturn:
    """Use as `__reduce__` of a class that contains a credential.

    Raises:
        TypeError: always. `pickle`, `copy.copy` and `copy.deepcopy` call it.
    """
    raise TypeError("a credential is not pickled or copied")


class Secret(Generic[Value_co]):
    """A value that no repr, log or traceback shows.

    Call `reveal` only in the expression that uses the value: a variable would show it.
    """

    # Not a dataclass: error reporters show the fields of a dataclass one by one.
    __slots__ = ("_value",)

    def __init__(self, value: Value_co) -> None:
        self._value = value

    def reveal(self) -> Value_co:
        """The value itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        secret = cast("Secret[object]", other)
        return bool(self._value == secret.reveal())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    __reduce__ = refuse_pickling


class Token(Secret[str]):
    """A bearer token with valid syntax.

    Args:
        secret: the token as the caller passed it. Untyped callers can pass any object.
        name: names the token in the message of an error.

    Raises:
        CredentialsError: it is not text with the syntax of a bearer token. The message says what is
            wrong, but does not show the token.
    """

    __slots__ = ("rejected_permissions", "was_accepted")

    was_accepted: bool
    """Whether the API executed a request with it. A session sets it.

    A later 401 can then mean that it was revoked. So `OAuth` replaces it at once after a 401, and
    any other token only under conditions: see `replacement_can_help`.
    """
    rejected_permissions: set[str]
    """The permissions that it never had: see the terms in `session`.

    A session adds the permission of a call that the API rejects with this token just after it has
    replaced another one. If the API executes such a call later, the rejection was temporary, and a
    session removes the permission.
    """

    def __init__(self, secret: Secret[Any], name: str = "the token") -> None:
        if not _is_bearer_token(secret.reveal()):
            raise CredentialsError(f"{name} {_token_problem(secret)} (it is not shown here)")
        # A subclass of str could return other text than it was validated with.
        super().__init__(str.__str__(secret.reveal()))
        self.was_accepted = False
        self.rejected_permissions = set()

    def as_never_accepted(self) -> "Token":
        """A copy of the token, as if the API had never accepted it."""
        return Token(self)

    def age(self) -> float | None:
        """Seconds since the token was issued; `None` if the token source does not know it."""
        return None


def _is_bearer_token(value: object) -> bool:
    if not isinstance(value, str) or not _BEARER_TOKEN.fullmatch(value):
        return False
    # It has the syntax of a token, but it is what remains of "Bearer " and an empty token.
    return value.lower() != "bearer"


def _token_problem(secret: Secret[Any]) -> str:
    """What is wrong with a token, and what to do, as the end of a sentence. It quotes nothing."""
    if secret.reveal() is None:
        return "is None: pass or return a str"
    if isinstance(secret.reveal(), bytes | bytearray):
        return "is of type bytes: decode it to a str"
    if iscoroutine(secret.reveal()):
        # Otherwise Python would warn that nobody awaited it.
        secret.reveal().close()
        return "is a coroutine: only AsyncLeadConnector accepts an async callable"
    if hasattr(secret.reveal(), "__await__"):
        return "must be awaited: only AsyncLeadConnector accepts an async callable"
    if not isinstance(secret.reveal(), str):
        return f"must be a str, not {type(secret.reveal()).__name__}"
    return _text_problem(secret)


def _text_problem(secret: Secret[str]) -> str:
    """`_token_problem` of a text that is no bearer token."""
    if not secret.reveal():
        return "is empty"
    if not secret.reveal().strip():
        return "contains only blanks"
    # The most helpful rule decides.
    return _problem_at_an_end(secret) or _problem_of_a_character(secret)


def _problem_at_an_end(secret: Secret[str]) -> str:
    """The problem at the start or the end of a text; empty if there is none."""
    if secret.reveal().strip()[0] in _QUOTES or secret.reveal().strip()[-1] in _QUOTES:
        return "has a quotation mark at its start or end: pass it without quotes"
    if _SCHEME.fullmatch(secret.reveal().strip()):
        return 'starts with a scheme such as "Bearer": pass the token alone'
    if secret.reveal().rstrip("\r\n") != secret.reveal():
        return "ends with a line break, as the content of a file does: strip it"
    if secret.reveal().strip() != secret.reveal():
        return "has a blank or a line break at its start or end: strip it"
    return ""


def _problem_of_a_character(secret: Secret[str]) -> str:
    """The problem of a text with a character that no token has."""
    if any(character.isspace() for character in secret.reveal()):
        return "contains a blank or a line break"
    if not secret.reveal().isascii():
        return "contains a character that is not ASCII"
    return 'contains a character other than letters, digits, "-._~+/", and "=" at its end'


def redact(text: str, *secrets: Secret[str]) -> str:
    """Replace secrets in a text.

    A secret of fewer than `SHORT_SECRET` characters is replaced only where it is a whole word. An
    empty one is never replaced.
    """
    # The longest first: another secret can be a part of it.
    for secret in sorted(secrets, key=_length, reverse=True):
        if len(secret.reveal()) >= SHORT_SECRET:
            text = text.replace(secret.reveal(), REDACTED)
        elif secret.reveal():
            text = re.sub(rf"(?<!\w){re.escape(secret.reveal())}(?!\w)", REDACTED, text)
    return text


def encoded_forms(secrets: Iterable[Secret[str]]) -> list[Secret[str]]:
    """The secrets in clear, and as they are encoded in a form or in a URL."""
    forms: dict[Secret[str], None] = {}
    for secret in secrets:
        forms[secret] = None
        if _UNRESERVED.fullmatch(secret.reveal()):
            continue
        for form in (_url_encoded(secret), Secret(quote_plus(secret.reveal()))):
            forms[form] = None
            forms[_with_lower_case_codes(form)] = None
    return list(forms)


def _url_encoded(secret: Secret[str]) -> Secret[str]:
    return Secret(quote(secret.reveal(), safe=""))


def _with_lower_case_codes(form: Secret[str]) -> Secret[str]:
    """A form with `%2b` in place of `%2B`: RFC 3986 (section 2.1) permits both."""
    if "%" not in form.reveal():
        return form
    return Secret(_PERCENT_CODE.sub(_in_lower_case, form.reveal()))


def _in_lower_case(code: re.Match[str]) -> str:
    return code[0].lower()


def _length(secret: Secret[str]) -> int:
    return len(secret.reveal())


def redact_data(data: Any, *secrets: Secret[str]) -> Any:
    """Replace secrets in JSON data, in keys and values at any depth.

    Raises:
        RecursionError: the data is nested too deeply.
    """
    if isinstance(data, str):
        return redact(data, *secrets)
    if data.__class__ is list:
        return [redact_data(item, *secrets) for item in data]
    if data.__class__ is dict:
        return {redact(key, *secrets): redact_data(item, *secrets) for key, item in data.items()}
    if isinstance(data, UnionBranch):
        return UnionBranch(data.pointer, redact_data(data.value, *secrets))
    return data
