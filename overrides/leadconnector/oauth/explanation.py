"""Finds the explanation in an error response of the token endpoint, without its credentials.

RFC 6749, section 5.2, has `error_description`. The vendor also sends `message`, and a proxy in
front of the endpoint can send anything.
"""

import json
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._runtime.secrets import REDACTED, Secret, encoded_forms, redact
from .._runtime.text import MAXIMUM_QUOTED_CHARACTERS, one_line

MAXIMUM_SEARCHED_CHARACTERS = 10_000
"""How much of a text is searched for patterns of credentials: our own bound."""

MAXIMUM_VALUES = 1000
"""How many values of a document are searched: our own bound."""

OPAQUE_LENGTH = 20
"""Characters from which a word with a digit counts as a credential. Tokens, keys and ids have more.

No word of an explanation is that long and has a digit.
"""

# Names of members with an explanation. `error` is last: next to a message, it often has only the
# name of the status.
_EXPLAINING_NAMES = (
    "error_description",
    "message",
    "messages",
    "msg",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "errors",
    "error",
)

# Members that contain no explanation, also within one.
_CREDENTIAL_NAME = re.compile(r"token|secret|password|authorization|^code$|assertion", re.I)

# `code=…`, `"refresh_token": "…"`, `Bearer …`: an echo of a request, or of a part of it.
_NAMED_CREDENTIAL = re.compile(
    r"\b(client_secret|refresh_token|access_token|id_token|code|secret|password|bearer)"
    r"(\W{0,3}[=:]\W{0,3}|(?<=bearer)\s+)[^\s\"'&,;<>(){}\[\]]+",
    re.I,
)

# The first condition, that a word starts here, keeps the search linear.
_OPAQUE_VALUE = re.compile(
    r"(?<![\w.~+/=%-])(?=[\w.~+/=%-]*\d)[\w.~+/=%-]" + f"{{{OPAQUE_LENGTH},}}"
)


def explanation_in(body: bytes, error_code: str, secrets: Sequence[Secret[str]]) -> str:
    """The explanation in a body, as one printable line without credentials; may be empty.

    It accepts any bytes and raises nothing.

    Args:
        body: the body of an error response.
        error_code: the error code in the body, which is no explanation; may be empty.
        secrets: the credentials of the request and of the response. They are redacted in clear and
            as a form encodes them. So is what looks like a credential.
    """
    lines: list[str] = []
    for text in _texts(body):
        line = _redacted_line(text.reveal(), secrets)
        if line not in {"", REDACTED, error_code, *lines}:
            lines.append(line)
    # Cut last, because a part of a credential would not be recognised.
    return "; ".join(lines)[:MAXIMUM_QUOTED_CHARACTERS]


def _texts(body: bytes) -> list[Secret[str]]:
    """The explaining texts of a body, the most important first."""
    try:
        document = Secret(json.loads(body))
    except (ValueError, RecursionError):
        return _plain_text(body)
    if isinstance(document.reveal(), str):
        return [document]
    values = _values_in(document)
    texts: list[Secret[str]] = []
    for name in _EXPLAINING_NAMES:
        for value in values:
            if value.name == name:
                texts.extend(_strings_in(value.content))
    return texts


def _plain_text(body: bytes) -> list[Secret[str]]:
    """The text of a body that is not JSON; nothing if it is HTML or damaged JSON."""
    text = Secret(body.decode("utf-8", "replace").strip())
    if text.reveal().startswith(("<", "{", "[")):
        return []
    return [text]


class _Value(NamedTuple):
    """A value in a document."""

    name: str
    """Its name in lower case; empty for an item of an array."""
    content: Secret[Any]


def _strings_in(content: Secret[Any]) -> list[Secret[str]]:
    """All strings in a value, or the value itself if it is one."""
    values = [_Value("", content), *_values_in(content)]
    return [value.content for value in values if isinstance(value.content.reveal(), str)]


def _values_in(document: Secret[Any]) -> list[_Value]:
    """The values in a document, from the outside inwards, but none that is named as a credential.

    There is no recursion, because a document can be nested deeply. The number is limited.
    """
    values: list[_Value] = []
    waiting = deque(_members_of(document))
    while waiting and len(values) < MAXIMUM_VALUES:
        value = waiting.popleft()
        values.append(value)
        # No more than these can become part of the result.
        if len(values) + len(waiting) < MAXIMUM_VALUES:
            waiting.extend(_members_of(value.content))
    return values


def _members_of(content: Secret[Any]) -> list[_Value]:
    """The items of an array or the members of an object; none of any other value."""
    members: list[_Value] = []
    if isinstance(content.reveal(), list):
        for item in content.reveal()[:MAXIMUM_VALUES]:
            members.append(_Value("", Secret(item)))
    if isinstance(content.reveal(), dict):
        for name in list(content.reveal())[:MAXIMUM_VALUES]:
            if not _CREDENTIAL_NAME.search(name):
                members.append(_Value(name.lower(), Secret(content.reveal()[name])))
    return members


def _redacted_line(text: str, secrets: Sequence[Secret[str]]) -> str:
    """A text as one printable line without credentials."""
    text = redact(text, *encoded_forms(secrets))[:MAXIMUM_SEARCHED_CHARACTERS]
    text = _NAMED_CREDENTIAL.sub(rf"\1 {REDACTED}", text)
    text = _OPAQUE_VALUE.sub(REDACTED, text)
    return one_line(text)
