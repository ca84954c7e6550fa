"""Python names of the names in a document."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection
from functools import cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")


@cache
def snake_case(name: str) -> str:
    """A name in snake case: `unreadCount` is `unread_count`."""
    return "_".join(re.findall(r"\w+", _spaced(name))).strip("_")


def _spaced(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"[\W_]+", " ", words).lower()


@cache
def bare(name: str) -> str:
    """A name without case and punctuation, in which equal names do not differ."""
    return "".join(word.lower() for word in re.findall(r"[^\W_]+", name))


def attribute_of(name: str, attributes: Collection[str]) -> str | None:
    """The attribute or argument for a name; `None` if there is none.

    A keyword of Python and the name of another argument get a suffix.
    """
    expected = snake_case(name)
    for candidate in (expected, f"{expected}_", f"field_{expected}"):
        if candidate in attributes:
            return candidate
    for same_name in (bare(name), bare(f"field{name}")):
        for attribute in attributes:
            if bare(attribute) == same_name:
                return attribute
    return None


def attributes_of(names: Collection[str], attributes: Collection[str]) -> dict[str, str]:
    """The attributes of several names, by name. Each attribute has one name at most.

    Names that are equal in snake case, such as `ID` and `id`, keep more of their form.
    """
    chosen: dict[str, str] = {}
    similar = Counter(bare(name) for name in names)
    for name in names:
        if similar[bare(name)] > 1 and name in attributes:
            chosen[name] = name
    for name in names:
        if name not in chosen:
            taken = set(chosen.values())
            free = [attribute for attribute in attributes if attribute not in taken]
            attribute = attribute_of(name, free)
            if attribute is not None:
                chosen[name] = attribute
    return chosen


def is_expected(attribute: str, name: str) -> bool:
    """Whether an attribute is the name in snake case, or as close as Python allows."""
    expected = snake_case(name)
    if keyword.iskeyword(expected) or expected == "self":
        return attribute == f"{expected}_"
    # Whether digits are words of their own is left to the client: `line_1` or `line1`.
    is_same = bare(attribute) in {bare(name), bare(f"field{name}")}
    return is_same and attribute == attribute.lower()
