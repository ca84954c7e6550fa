"""Turns the keywords of one schema into checks of data, without the schemas inside it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

Predicate: TypeAlias = Callable[[Any], object]
"""Returns something true for valid data."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """The part of a finding that depends on the schema alone."""

    kind: str
    """As in `Finding`."""
    rule: str
    """As in `Finding`, with `{}` for `body` or `property`."""
    expected: str
    """As in `Finding`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One keyword of a schema, for data of one type."""

    accepts: Predicate
    deviation: Deviation
    is_fatal: bool
    """Whether no generated model can store data that fails this check."""


TYPE_NAMES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    NoneType: "null",
    dict: "object",
    list: "array",
}
"""The JSON Schema type of each type that `json.loads` returns."""

_CONTAINERS = frozenset({dict, list})


def checks_of(schema: Schema, data_type: type) -> Iterator[Check]:
    """The checks that data of this type must pass, in the order in which they are reported."""
    type_names = _documented_types(schema)
    if type_names and not _is_type_documented(data_type, type_names):
        yield _type_check(schema, data_type, type_names)
    if "enum" in schema:
        yield _enum_check(schema, data_type)
    for keyword in _LIMITS:
        if keyword.name in schema and data_type in keyword.types:
            yield _limit_check(schema, keyword)


def _documented_types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    if isinstance(types, str):
        return [types]
    return list(types)


def _is_type_documented(data_type: type, type_names: list[str]) -> bool:
    if data_type is int and "number" in type_names:
        return True
    return TYPE_NAMES[data_type] in type_names


def _type_check(schema: Schema, data_type: type, type_names: list[str]) -> Check:
    """The check of a type that `type` does not list."""
    accepts: Predicate = nothing
    if data_type is float and "integer" in type_names:
        # 1.0 is an integer (JSON Schema 2020-12, Core, section 4.2.1).
        accepts = float.is_integer
    expected = f"of type {', '.join(type_names)}"
    deviation = Deviation("wrong-type", "response-{}-type-changed", expected)
    return Check(accepts, deviation, _is_type_fatal(schema, data_type, type_names))


def _is_type_fatal(schema: Schema, data_type: type, type_names: list[str]) -> bool:
    """Whether a generated model fails for a value of a wrong type; it stores most scalars as is."""
    if data_type is NoneType or data_type in _CONTAINERS:
        return True
    # A model parses what it expects to be an enum, an object or an array.
    return "enum" in schema or "object" in type_names or "array" in type_names


def _enum_check(schema: Schema, data_type: type) -> Check:
    """The check of documented values; generation ensures that they are scalars."""
    examples = ", ".join(map(str, schema["enum"][:5]))
    deviation = Deviation(
        "unknown-enum-value",
        "response-property-enum-value-added",
        f"a documented value, such as {examples}",
    )
    is_bool = data_type is bool
    # In Python `1 == True`, in JSON they differ.
    values = frozenset(value for value in schema["enum"] if isinstance(value, bool) == is_bool)
    accepts: Predicate = values.__contains__
    if data_type in _CONTAINERS:
        accepts = nothing
    # Generated enums are open: they take any value but null.
    return Check(accepts, deviation, is_fatal=data_type is NoneType)


@dataclass(frozen=True, slots=True)
class _Limit:
    """A keyword that limits a value (JSON Schema 2020-12, Validation, section 6)."""

    name: str
    types: frozenset[type]
    """The types of data it applies to; other data always passes."""
    is_valid: Callable[[Any, Any], object]
    """Tests data, its second argument, against the value of the keyword, its first."""
    rule: str
    """As in `Deviation`."""


def _limit_check(schema: Schema, keyword: _Limit) -> Check:
    limit = schema[keyword.name]
    expected = f"in keeping with {keyword.name} {limit}"
    if keyword is _SENDABLE_TEXT:
        expected = schema["x-expected"]
    deviation = Deviation("out-of-bounds", keyword.rule, expected)
    if isinstance(limit, str):
        # Patterns are the only limits that are text. They are compiled once, not at each check.
        limit = re.compile(limit)
    return Check(partial(keyword.is_valid, limit), deviation, is_fatal=False)


def anything(data: object) -> bool:
    """Accept all data."""
    return True


def nothing(data: object) -> bool:
    """Accept no data."""
    return False


def _is_at_least(limit: float, number: float) -> bool:
    return number >= limit


def _is_at_most(limit: float, number: float) -> bool:
    return number <= limit


def _is_above(limit: float, number: float) -> bool:
    return number > limit


def _is_below(limit: float, number: float) -> bool:
    return number < limit


def _has_minimum_size(limit: int, data: Sized) -> bool:
    return len(data) >= limit


def _has_maximum_size(limit: int, data: Sized) -> bool:
    return len(data) <= limit


_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})
_ARRAYS = frozenset({list})

_SENDABLE_TEXT = _Limit("x-text", _TEXT, re.Pattern[str].fullmatch, "")
"""An extension that generation adds to arguments: the text that a path or header can carry."""

# The rules are oasdiff's. It has no rule for `maxItems`, so that one is a more general type.
_LIMITS = (
    _Limit("minimum", _NUMBERS, _is_at_least, "response-{}-min-decreased"),
    _Limit("maximum", _NUMBERS, _is_at_most, "response-{}-max-increased"),
    _Limit("exclusiveMinimum", _NUMBERS, _is_above, "response-{}-exclusive-min-decreased"),
    _Limit("exclusiveMaximum", _NUMBERS, _is_below, "response-{}-exclusive-max-increased"),
    _Limit("minLength", _TEXT, _has_minimum_size, "response-{}-min-length-decreased"),
    _Limit("maxLength", _TEXT, _has_maximum_size, "response-{}-max-length-increased"),
    _Limit("minItems", _ARRAYS, _has_minimum_size, "response-{}-min-items-decreased"),
    _Limit("maxItems", _ARRAYS, _has_maximum_size, "response-{}-type-generalized"),
    # JSON Schema patterns are not anchored (2020-12, Core, section 6.4).
    _Limit("pattern", _TEXT, re.Pattern[str].search, "response-property-pattern-changed"),
    _SENDABLE_TEXT,
)
