"""Keeps credentials out of every repr, log, traceback and pickle."""

import re
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar

from ..errors import CredentialsError

Value_co = TypeVar("Value_co", covariant=True)

REDACTED = "[redacted]"
"""Replaces a credential in a text."""

# The syntax of a bearer token: RFC 6750, section 2.1.
_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def refuse_pickling(self: object) -> NoReturn:
    """Use as `__reduce__` of a class that contains a credential.

    Raises:
        TypeError: always. `pickle`, `copy.copy` and `copy.deepcopy` call it.
    """
    raise TypeError("a credential is not pickled or copied")


@dataclass(frozen=True, slots=True)
class Secret(Generic[Value_co]):
    """A value that no repr, log or traceback shows.

    Call `reveal` only in the expression that uses the value: a variable would show it.
    """

    _value: Value_co = field(repr=False)

    def reveal(self) -> Value_co:
        """The value itself."""
        return self._value

    __reduce__ = refuse_pickling


class Token(Secret[str]):
    """A bearer token with valid syntax.

    Args:
        secret: the token as the caller passed it. Untyped callers can pass any object.

    Raises:
        CredentialsError: it is not text with the syntax of a bearer token. The message does not
            show it.
    """

    def __init__(self, secret: Secret[Any]) -> None:
        if not _is_bearer_token(secret.reveal()):
            raise CredentialsError(
                "the token, not shown, must be text without blanks (only async clients await)"
            )
        super().__init__(secret.reveal())


def _is_bearer_token(value: object) -> bool:
    return isinstance(value, str) and _BEARER_TOKEN.fullmatch(value) is not None


def redact(text: str, *secrets: Secret[str]) -> str:
    """Replace secrets in a text."""
    for secret in secrets:
        text = text.replace(secret.reveal(), REDACTED)
    return text


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
    return data
