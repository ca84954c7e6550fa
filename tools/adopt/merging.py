"""Merges a published part into that of the spec. What only the spec can say is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from generate.document import Schema, is_list, is_mapping, json_pointer
from generate.walk import is_data, keys_are_names

from .spec_text import ElementKey, element_key, elements_by_key

_NAMES = "x-enum-varnames"


def merged(existing: Any, published: Any, pointer: str) -> Any:
    """A part as it is published, in the order of the spec and with its extensions.

    The vendor's documents have none of our extensions, so those in the spec are of its author.

    Args:
        existing: the part in the spec.
        published: the converted part.
        pointer: the JSON pointer of the part in the spec.
    """
    if is_mapping(existing) and is_mapping(published):
        return _merged_mapping(existing, published, pointer)
    if is_list(existing) and is_list(published):
        return _merged_list(existing, published, pointer)
    return published


def _merged_mapping(existing: Schema, published: Schema, pointer: str) -> Schema:
    has_names = keys_are_names(pointer)
    if "$ref" in published and "$ref" not in existing and not has_names:
        # Nothing is read beside a reference.
        return published
    members: Schema = {}
    for key, value in existing.items():
        is_own = not has_names and (key.startswith("x-") or _is_text(key, published))
        if is_own:
            members[key] = value
        elif key in published and _is_replaced_whole(key) and not has_names:
            members[key] = published[key]
        elif key in published:
            members[key] = merged(value, published[key], pointer + json_pointer(key))
    result = {key: members.get(key, published.get(key)) for key in _order(members, published)}
    if _NAMES in existing and not has_names:
        _keep_enum_names(existing, result)
    return result


def _is_replaced_whole(key: str) -> bool:
    """Whether a member is data, such as an example, in which no key has a meaning.

    An enum is data too, but a list of values: it is merged, so that they keep the spec's order.
    """
    return is_data(key) and key != "enum"


def _is_text(key: str, published: Schema) -> bool:
    """Whether a member is a text that only the spec has."""
    return key in ("description", "summary", "title") and key not in published


def _merged_list(existing: list[Any], published: list[Any], pointer: str) -> list[Any]:
    existing_by_key = elements_by_key(existing)
    published_by_key = elements_by_key(published)
    if existing_by_key is None or published_by_key is None:
        return published
    kept = [key for key in existing_by_key if key in published_by_key]
    # The pointer only says whether keys below it are names. Any index says the same.
    return [
        merged(existing_by_key[key], published_by_key[key], f"{pointer}/0")
        if key in existing_by_key
        else published_by_key[key]
        for key in _order(dict.fromkeys(kept), published_by_key)
    ]


def _order(kept: Mapping[Any, Any], published: Mapping[Any, Any]) -> Sequence[Any]:
    """The keys of both, with each new one behind the one that precedes it in the publication.

    Example: the spec has `b, a`, and `a, x, b, y` are published. The result is `b, y, a, x`.
    """
    order = list(kept)
    position = 0
    for key in published:
        if key in kept:
            position = order.index(key) + 1
        else:
            order.insert(position, key)
            position += 1
    return order


def _keep_enum_names(existing: Schema, result: Schema) -> None:
    """Keep the Python names of the values that the enum still has, and name the new ones."""
    known_names: dict[ElementKey | None, Any] = dict(
        zip(map(element_key, existing.get("enum", [])), existing[_NAMES], strict=False)
    )
    names = [
        known_names.get(element_key(value)) or _python_name(value)
        for value in result.get("enum", [])
    ]
    if names and len(set(names)) == len(names):
        result[_NAMES] = names
    else:
        del result[_NAMES]


def _python_name(value: Any) -> str:
    name = re.sub(r"\W+", "_", str(value)).strip("_").upper()
    if not name or name[0].isdigit():
        return f"VALUE_{name}"
    return name
