"""Compares the types, formats and nullability of two schemas.

`format` belongs to the type here: an `int32` is a narrower type than an `int64`. "Wider" means that
the revised schema has all types and formats of the base schema, "narrower" means the reverse.
`compare_types` reports at most one change. The first matching row decides how its id ends:

| condition in a request | end of the id |
|---|---|
| wider, or a list that still accepts the single value | `type-generalized` * |
| accepted as a string, inside a parameter's object | `type-changed` (there only a warning) |
| accepted as a string, the parameter itself | `type-generalized` |
| accepted as a string, in a body | `type-compatible` |
| narrower, and a schema lists its types in a union | `list-of-types-narrowed` |
| any other change inside a parameter's object | `type-specialized` |
| any other change | `type-changed` |

| condition in a response | end of the id |
|---|---|
| narrower | `type-specialized` * |
| wider, with other types | `type-generalized` * |
| was accepted as a string | `type-compatible` |
| any other change, also a wider format of the same type | `type-changed` |

* If a schema lists its types in a union, the ids end in `list-of-types-widened` and
`list-of-types-narrowed` instead.

"Accepted as a string" is about places outside JSON, such as a query or a form. There every value is
written as text, so the type `string` accepts the written form of every other type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.normal_form import read_schema
from ...model.schema import NEVER, Schema
from ...rules import Change, Direction
from ..context import Context, Part
from .pairs import schema_pointers

_STRING = frozenset({"string"})
_LIST = frozenset({"array"})
_NOTHING = frozenset({NEVER})

_CONTAINED_FORMATS = {
    "double": frozenset({"float"}),
    "int64": frozenset({"int32"}),
    "bigint": frozenset({"int32", "int64"}),
}
"""By wide format: the formats whose values it contains. Each `float` is a `double` as well."""


@dataclass(frozen=True)
class _TypeRelation:
    """How the types and formats of two schemas relate."""

    is_wider: bool
    """Whether the revised schema has all types and formats of the base schema."""
    is_narrower: bool
    """Whether the base schema has all types and formats of the revised schema."""
    is_type_union: bool
    """Whether a schema lists its types in a union, for which oasdiff has ids of its own."""

    @property
    def widened_action(self) -> str:
        """The end of the id if the types are wider."""
        return "list-of-types-widened" if self.is_type_union else "type-generalized"

    @property
    def narrowed_action(self) -> str:
        """The end of the id if the types are narrower."""
        return "list-of-types-narrowed" if self.is_type_union else "type-specialized"


def compare_types(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report a changed type or format, at most one change; see the tables of the module."""
    relation = _type_relation(base_schema, revised_schema)
    # Each schema has all types and formats of the other one, so they are equal.
    if relation.is_wider and relation.is_narrower:
        return
    # Inside `not`, a narrower type in a request means what a wider one means elsewhere.
    is_like_request = (context.direction == Direction.REQUEST) != context.is_inverted
    if is_like_request:
        action = _action_in_request(base_schema, revised_schema, context, relation)
    else:
        action = _action_in_response(base_schema, revised_schema, context, relation)
    yield context.change(
        f"*-{action}",
        schema_pointers(base_schema, revised_schema),
        old=type_description(base_schema),
        new=type_description(revised_schema),
    )


def compare_nullable(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report that `null` became allowed or forbidden, if both schemas say whether it is.

    A schema that allows every type does not say it.
    """
    if base_schema.nullable is None or revised_schema.nullable is None:
        return
    if context.is_null_allowed_around:
        return
    if base_schema.nullable == revised_schema.nullable:
        return
    action = "became-nullable" if revised_schema.nullable else "became-not-nullable"
    yield context.change(f"*-{action}", schema_pointers(base_schema, revised_schema))


def accepts_repeated_value(base_schema: Schema, revised_schema: Schema, context: Context) -> bool:
    """Return whether a single query value became a list that still accepts it.

    An exploded list of one element is written `?tag=a`, exactly as the single value was.
    """
    # Only the parameter itself is repeated, and nothing inside its value.
    if not context.is_exploded or context.path:
        return False
    # `minItems` or `maxItems` can reject a list of one element.
    if revised_schema.types != _LIST or revised_schema.limits:
        return False
    if not base_schema.types or base_schema.types & {"array", "object"}:
        return False
    if "items" not in revised_schema.subschemas:
        return True
    item_schema = read_schema(revised_schema.subschemas["items"])
    return _item_accepts_types(item_schema, base_schema.types)


def type_description(schema: Schema) -> str:
    """Return the types and formats of a schema for a sentence, such as `string (date)`."""
    if schema.unresolved_references:
        return f"the unresolved {', '.join(sorted(schema.unresolved_references))}"
    formats = [f" ({name})" for name in schema.restrictions.get("format", ())]
    return _type_names(schema) + "".join(formats)


def _item_accepts_types(item_schema: Schema, types: frozenset[str]) -> bool:
    # Cautious: any restriction counts, also one that the single value had, such as its format.
    has_restriction = item_schema.limits or item_schema.restrictions or item_schema.unions
    if has_restriction or item_schema.values is not None:
        return False
    # Values in a query are written as text, so items of the type `string` accept all of them.
    return item_schema.types == _STRING or _contains_types(item_schema.types, types)


def _type_names(schema: Schema) -> str:
    if schema.types:
        return " or ".join(sorted(schema.types))
    return "one of several schemas" if schema.unions else "anything"


def _type_relation(base_schema: Schema, revised_schema: Schema) -> _TypeRelation:
    base_formats = base_schema.restrictions.get("format", ())
    revised_formats = revised_schema.restrictions.get("format", ())
    has_base_types = _contains_types(revised_schema.types, base_schema.types)
    has_revised_types = _contains_types(base_schema.types, revised_schema.types)
    return _TypeRelation(
        is_wider=has_base_types and _contains_formats(revised_formats, base_formats),
        is_narrower=has_revised_types and _contains_formats(base_formats, revised_formats),
        is_type_union=base_schema.is_type_union or revised_schema.is_type_union,
    )


def _action_in_request(
    base_schema: Schema, revised_schema: Schema, context: Context, relation: _TypeRelation
) -> str:
    if relation.is_wider or accepts_repeated_value(base_schema, revised_schema, context):
        return relation.widened_action
    is_parameter_property = context.part == Part.PARAMETER and context.is_nested
    if context.is_written_as_text and _accepts_written_form(revised_schema, base_schema):
        # oasdiff does not check the written form inside the object of a parameter. It calls the
        # change `type-changed`, and reports that id as a warning (see the rules).
        if is_parameter_property:
            return "type-changed"
        return "type-generalized" if context.part == Part.PARAMETER else "type-compatible"
    if relation.is_narrower and relation.is_type_union:
        return relation.narrowed_action
    # Like oasdiff: inside the object of a parameter, every other change is called specialized,
    # whether or not the type is narrower. Elsewhere a narrower type is called changed.
    return "type-specialized" if is_parameter_property else "type-changed"


def _action_in_response(
    base_schema: Schema, revised_schema: Schema, context: Context, relation: _TypeRelation
) -> str:
    if relation.is_narrower:
        return relation.narrowed_action
    # A client parses by format: code for `int32` fails on an `int64`. So a wider format of the same
    # type counts as another type.
    if relation.is_wider and base_schema.types != revised_schema.types:
        return relation.widened_action
    if context.is_written_as_text and _accepts_written_form(base_schema, revised_schema):
        return "type-compatible"
    return "type-changed"


def _accepts_written_form(string_schema: Schema, schema: Schema) -> bool:
    """Whether the first schema is a string that accepts the written form of the other's values."""
    string_formats = string_schema.restrictions.get("format", ())
    formats = schema.restrictions.get("format", ())
    return string_schema.types == _STRING and _contains_formats(string_formats, formats)


def _contains_types(outer: frozenset[str], inner: frozenset[str]) -> bool:
    """Whether `outer` has all values of `inner`. No types at all means every type."""
    if not outer or inner == _NOTHING:
        return True
    if not inner:
        return False
    expanded = outer | {"integer"} if "number" in outer else outer
    return inner <= expanded


def _contains_formats(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    """Whether `outer` has all values of `inner`. No formats at all means no restriction.

    A schema has several formats only if branches of an `allOf` differ in it.
    """
    if not outer or outer == inner:
        return True
    # Known limitations: of several outer formats, only the first one is looked up, and a format is
    # not found in a list of several inner formats that contains it.
    contained_formats = _CONTAINED_FORMATS.get(outer[0], frozenset())
    # All inner formats apply together. So the values are within `outer` if one of them is.
    return not contained_formats.isdisjoint(inner)
