"""Turns the keywords of one schema into checks of data, without the schemas inside it."""

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import Any, TypeAlias

from .._generated.types import has_format

Schema: TypeAlias = Mapping[str, Any]

Predicate: TypeAlias = Callable[[Any], object]
"""Returns something true for valid data."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """The fields of a `Finding` that depend on the schema alone."""

    kind: str
    """`Finding.kind`: a short name for the deviation, such as `wrong-type`."""
    rule: str
    """`Finding.rule`: the id of the change to the spec that would allow the data.

    The ids are those of oasdiff, a tool that compares OpenAPI documents. `{}` stands for `body` or
    `property`: `response-{}-type-changed`.
    """
    expected: str
    """`Finding.expected`: what the spec allows. It completes the sentence "it must be …"."""


@dataclass(frozen=True, slots=True)
class Check:
    """One keyword of a schema, for data of one type."""

    accepts: Predicate
    deviation: Deviation
    """Reported for data that fails the check."""
    is_fatal: bool
    """Whether no generated model can store data that fails the check.

    `_is_type_fatal`, `_enum_check` and `_format_check` decide it. No other check is fatal by
    itself. In a branch of `anyOf` or `oneOf`, any failed check rejects the branch.
    """
    tolerates: Predicate | None = None
    """Accepts data that fails a fatal check although a generated model can store it."""


TYPE_NAME_BY_TYPE: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    NoneType: "null",
    dict: "object",
    list: "array",
}
"""The JSON Schema type of each type that `json.loads` returns."""

DATA_TYPES = tuple(TYPE_NAME_BY_TYPE)
"""The types that `json.loads` returns."""

CONTAINERS = frozenset({dict, list})
"""The types that contain other data."""

_CONTAINER_NAMES = frozenset({"object", "array"})


def _uuid_of(text: str) -> object:
    # Few APIs have this format, and the module takes milliseconds to import.
    import uuid  # noqa: PLC0415

    return uuid.UUID(text)


_FORMAT_CONVERTERS: Mapping[str, Callable[[str], object]] = {
    "date-time": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "uuid": _uuid_of,
}
"""How a generated model converts a text of a format. It stores a text of any other format as it is.

From the templates `datetime_property`, `date_property` and `uuid_property` of
openapi-python-client 0.29.1.
"""


def accept_all(data: object) -> bool:
    """Accept all data."""
    return True


def reject_all(data: object) -> bool:
    """Accept no data."""
    return False


# Tests of data against the value of a keyword. The value is the first argument, as in
# `re.Pattern.search(pattern, text)`, so that `partial` can bind it.


def _is_at_least(minimum: float, number: float) -> bool:
    return number >= minimum


def _is_at_most(maximum: float, number: float) -> bool:
    return number <= maximum


def _is_above(limit: float, number: float) -> bool:
    return number > limit


def _is_below(limit: float, number: float) -> bool:
    return number < limit


def _has_minimum_size(minimum: int, data: Sized) -> bool:
    return len(data) >= minimum


def _has_maximum_size(maximum: int, data: Sized) -> bool:
    return len(data) <= maximum


def _is_multiple(divisor: float, number: float) -> bool:
    # Few APIs have this keyword, and the module takes milliseconds to import.
    from fractions import Fraction  # noqa: PLC0415

    # By their decimal texts: as binary numbers, 0.3 is not a multiple of 0.1.
    quotient = Fraction(str(number)) / Fraction(str(divisor))
    return quotient.denominator == 1


def _has_unique_items(is_required: bool, items: list[Any]) -> bool:
    if not is_required:
        return True
    keys = {json.dumps(_comparable(item), sort_keys=True) for item in items}
    return len(keys) == len(items)


def _comparable(data: Any) -> Any:
    """Data whose JSON texts are equal if the data is.

    1 and 1.0 are equal (JSON Schema 2020-12, Core, section 4.2.2).
    """
    data_type = data.__class__
    if data_type is float and data.is_integer():
        return int(data)
    if data_type is list:
        return [_comparable(item) for item in data]
    if data_type is dict:
        return {name: _comparable(value) for name, value in data.items()}
    return data


@dataclass(frozen=True, slots=True)
class _Restriction:
    """A keyword for one kind of data (JSON Schema 2020-12, Validation, section 6)."""

    keyword: str
    types: frozenset[type]
    """The types of data it applies to; other data always passes."""
    is_valid: Callable[[Any, Any], object]
    """Tests data, its second argument, against the value of the keyword, its first."""
    rule: str
    """As in `Deviation`."""


_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})
_ARRAYS = frozenset({list})
_OBJECTS = frozenset({dict})

# An extension that generation adds to arguments: the text that a path or header can carry. It has
# no rule, because rules are about responses.
_SENDABLE_TEXT = _Restriction("x-text", _TEXT, re.Pattern[str].fullmatch, "")

# oasdiff has no rule for a larger `maxItems`, so that one has the rule for a more general type.
_RESTRICTIONS = (
    _Restriction("minimum", _NUMBERS, _is_at_least, "response-{}-min-decreased"),
    _Restriction("maximum", _NUMBERS, _is_at_most, "response-{}-max-increased"),
    _Restriction("exclusiveMinimum", _NUMBERS, _is_above, "response-{}-exclusive-min-decreased"),
    _Restriction("exclusiveMaximum", _NUMBERS, _is_below, "response-{}-exclusive-max-increased"),
    _Restriction("minLength", _TEXT, _has_minimum_size, "response-{}-min-length-decreased"),
    _Restriction("maxLength", _TEXT, _has_maximum_size, "response-{}-max-length-increased"),
    _Restriction("minItems", _ARRAYS, _has_minimum_size, "response-{}-min-items-decreased"),
    _Restriction("maxItems", _ARRAYS, _has_maximum_size, "response-{}-type-generalized"),
    _Restriction("multipleOf", _NUMBERS, _is_multiple, "response-{}-multiple-of-changed"),
    _Restriction("uniqueItems", _ARRAYS, _has_unique_items, "response-{}-unique-items-unset"),
    _Restriction(
        "minProperties", _OBJECTS, _has_minimum_size, "response-{}-min-properties-decreased"
    ),
    _Restriction(
        "maxProperties", _OBJECTS, _has_maximum_size, "response-{}-max-properties-increased"
    ),
    # JSON Schema patterns are not anchored (2020-12, Core, section 6.4).
    _Restriction("pattern", _TEXT, re.Pattern[str].search, "response-property-pattern-changed"),
    _SENDABLE_TEXT,
)


def checks_of(schema: Schema, data_type: type) -> Iterator[Check]:
    """The checks that data of this type must pass, in the order in which they are reported.

    Args:
        schema: the schema; the schemas inside it are ignored.
        data_type: one of `DATA_TYPES`.
    """
    type_names = _documented_types(schema)
    if type_names and not _is_type_documented(data_type, type_names):
        yield _type_check(schema, data_type, type_names)
    if "enum" in schema:
        yield _enum_check(schema, data_type)
    if data_type is str and _converted_format(schema):
        yield _format_check(schema["format"])
    for restriction in _RESTRICTIONS:
        if restriction.keyword in schema and data_type in restriction.types:
            yield _restriction_check(schema, restriction)


def described_types(schema: Schema) -> frozenset[type]:
    """The types of data that a schema is about, without those of the schemas inside it.

    A number has two types in Python and one in JSON.
    """
    type_names = _documented_types(schema)
    types = {
        data_type
        for data_type in DATA_TYPES
        if not type_names or _is_type_documented(data_type, type_names)
    }
    if "enum" in schema:
        types &= {type(value) for value in schema["enum"]}
    if not types.isdisjoint(_NUMBERS):
        types |= _NUMBERS
    return frozenset(types)


def is_integer_schema(schema: Schema) -> bool:
    """Whether each number that the schema allows is an integer."""
    type_names = _documented_types(schema)
    if type_names:
        return "integer" in type_names and "number" not in type_names
    return any(type(value) is int for value in schema.get("enum", ()))


def _documented_types(schema: Schema) -> list[str]:
    """The types that the schema lists; empty if it allows all."""
    types = schema.get("type", [])
    if isinstance(types, str):
        return [types]
    return list(types)


def _is_type_documented(data_type: type, type_names: list[str]) -> bool:
    if data_type is int and "number" in type_names:
        return True
    return TYPE_NAME_BY_TYPE[data_type] in type_names


def _type_check(schema: Schema, data_type: type, type_names: list[str]) -> Check:
    """The check for data of a type that the schema does not list."""
    accepts: Predicate = reject_all
    if data_type is float and "integer" in type_names:
        # 1.0 is an integer (JSON Schema 2020-12, Core, section 4.2.1).
        accepts = float.is_integer
    expected = f"of type {', '.join(type_names)}"
    deviation = Deviation("wrong-type", "response-{}-type-changed", expected)
    return Check(
        accepts,
        deviation,
        is_fatal=_is_type_fatal(schema, data_type, type_names),
    )


def _is_type_fatal(schema: Schema, data_type: type, type_names: list[str]) -> bool:
    """Whether no generated model can store data of a type that the schema does not list.

    A model stores a string, number or boolean as it is, if the schema describes only such scalars.
    An object or an array never fits there.
    """
    # Models mark an absent property with `UNSET` and do not expect null.
    if data_type is NoneType:
        return True
    if data_type in CONTAINERS:
        return True
    # A model converts data for these schemas. The conversion raises for another type: generated
    # enums accept unknown values, but only of their own type.
    if "enum" in schema or _converted_format(schema):
        return True
    return not _CONTAINER_NAMES.isdisjoint(type_names)


def _converted_format(schema: Schema) -> str:
    """The format whose texts a generated model converts; empty if it stores the text as it is."""
    # In a list of types, the generated code stores a text that it cannot convert. An enum has
    # precedence over a format.
    if _documented_types(schema) != ["string"] or "enum" in schema:
        return ""
    name = schema.get("format")
    return name if isinstance(name, str) and name in _FORMAT_CONVERTERS else ""


def _format_check(name: str) -> Check:
    """The check of a text that the generated model converts.

    A text in another form of ISO 8601, such as a date where a time is documented, deviates from the
    format. But a model can store it, unless it is one of another branch of a union.
    """
    deviation = Deviation("wrong-type", "response-{}-type-changed", f"of format {name}")
    converter = _FORMAT_CONVERTERS[name]
    return Check(
        partial(_is_of_format, name, converter),
        deviation,
        is_fatal=True,
        tolerates=partial(_is_convertible, converter),
    )


def _is_of_format(name: str, converter: Callable[[str], object], text: str) -> bool:
    return has_format(text, name) and _is_convertible(converter, text)


def _is_convertible(converter: Callable[[str], object], text: str) -> bool:
    try:
        converter(text)
    except ValueError:
        return False
    return True


def _enum_check(schema: Schema, data_type: type) -> Check:
    """The check of documented values. Generation ensures that they are scalars.

    A value that the enum does not list is not fatal, because generated enums accept unknown values
    of their type. A value of another type is fatal.
    """
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
    if data_type in CONTAINERS:
        # They are not hashable, so a lookup in the set would raise.
        accepts = reject_all
    value_types: set[type] = {type(value) for value in values}
    return Check(accepts, deviation, is_fatal=data_type not in value_types)


def _restriction_check(schema: Schema, restriction: _Restriction) -> Check:
    value = schema[restriction.keyword]
    expected = f"valid for {restriction.keyword} {value}"
    if restriction is _SENDABLE_TEXT:
        # Generation writes a description next to this pattern.
        expected = schema["x-expected"]
    deviation = Deviation("out-of-bounds", restriction.rule, expected)
    if isinstance(value, str):
        # Only patterns are text. The methods of `re.Pattern` need a compiled one.
        value = re.compile(value)
    return Check(partial(restriction.is_valid, value), deviation, is_fatal=False)
