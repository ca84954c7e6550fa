"""Decides whether an object is closed: whether it rejects properties that it does not describe."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...model.schema import Schema
from .pairs import SchemaCache

_CLOSING_KEYWORDS = ("additionalProperties", "unevaluatedProperties")


def rejects_others(schema: Schema, cache: SchemaCache) -> bool:
    """Whether the object rejects each property that neither a name nor a pattern describes."""
    for keyword in _CLOSING_KEYWORDS:
        nodes = schema.subschemas.get(keyword)
        # `additionalProperties` evaluates all others, so that nothing remains unevaluated.
        if nodes:
            return cache.schema(nodes).rejects_everything
    return False


def rejects_property(schema: Schema, name: str, cache: SchemaCache) -> bool:
    """Whether a closed object rejects a property that it does not describe by name."""
    patterns = schema.subschema_groups.get("patternProperties", {})
    return rejects_others(schema, cache) and not any(
        matches_any(pattern, [name]) for pattern in patterns
    )


def matches_any(pattern: str, names: Iterable[str]) -> bool:
    """Whether a pattern of `patternProperties` matches one of the names.

    Patterns are ECMA-262 expressions (JSON Schema 2020-12, section 6.4 of the core). Python cannot
    read all of them. Such a pattern counts as a match, so that nothing is said to be rejected
    without knowing it.
    """
    try:
        expression = re.compile(pattern)
    except re.error:
        return True
    return any(expression.search(name) for name in names)
