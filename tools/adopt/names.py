"""Chooses the names of adopted operations and components, in the style of the spec."""

from __future__ import annotations

import re
from collections.abc import Collection

_SUFFIX = re.compile(r"(?<=.)(Dto|DTO|Schema)(?=\d*$)")
"""What the vendor's names have because of the framework behind them."""


def operation_id(name: str) -> str:
    """An operationId in the style of the spec: `search-conversation` is `searchConversation`.

    Empty for a name without Latin letters and digits.
    """
    words: list[str] = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(_capitalized(word) for word in words)
    return joined[:1].lower() + joined[1:]


def tag_name(path: str) -> str:
    """The tag of an operation: the first part of its path, such as `Social Media Posting`."""
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    words = re.findall(r"[A-Za-z0-9]+", parts[0]) if parts else ["Other"]
    return " ".join(_capitalized(word) for word in words)


def component_name(name: str) -> str:
    """A component's name without the vendor's suffixes: `SendMessageBodyDto` loses `Dto`."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(_capitalized(word) for word in words) or "Part"
    return _SUFFIX.sub("", joined)


def _capitalized(word: str) -> str:
    # Not `capitalize`: it would change the other letters.
    return word[0].upper() + word[1:]


def key_of(name: str) -> str:
    """What is equal for names that would become one Python name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def free_name(name: str, prefix: str, taken: Collection[str]) -> str:
    """A name whose key is not taken: the name itself, one with a prefix, or one with a number."""
    prefixed = component_name(prefix) + name
    for candidate in (name, prefixed):
        if key_of(candidate) not in taken:
            return candidate
    number = 2
    while key_of(f"{prefixed}{number}") in taken:
        number += 1
    return f"{prefixed}{number}"
