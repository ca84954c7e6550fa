"""Compares the types, formats and nullability of two schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.normal_form import read_schema
from ...model.schema import NEVER, Schema
from ...rules import Change, Direction
from ..context import Context, Part
from .pairs import schema_pointers

_TEXT = frozenset({"string"})
_LIST = frozenset({"array"})
_NOTHING = frozenset({NEVER})

_CONTAINED_FORMATS = {
    "double": frozenset({"float"}),
    "int64": frozenset({"int32"}),
    "bigint": frozenset({"int32", "int64"}),
}
"""The formats that have no value outside another format."""


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
    def widened(self) -> str:
        """The end of the id if the types are wider."""
        return "list-of-types-widened" if self.is_type_union else "type-generalized"

    @property
    def narrowed(self) -> str:
        """The end of the id if the types are narrower."""
        return "list-of-types-narrowed" if self.is_type_union else "type-specialized"


def compare_types(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report a changed type or format, at most one change."""
    relation = _type_relation(base_schema, revised_schema)
    # Wider and narrower at the same time means equal.
    if relation.is_wider and relation.is_narrower:
        return
    if context.direction == Direction.REQUEST:
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
    """Report that `null` became allowed or forbidden, if both schemas say whether it is."""
    if base_schema.nullable is None or revised_schema.nullable is None:
        return
    if base_schema.nullable == revised_schema.nullable:
        return
    action = "became-nullable" if revised_schema.nullable else "became-not-nullable"
    yield context.change(f"*-{action}", schema_pointers(base_schema, revised_schema))


def accepts_repeated_value(base_schema: Schema, revised_schema: Schema, context: Context) -> bool:
    """Return whether a single query value became a list that still accepts it.

    An exploded list of one element is written `?tag=a`, exactly as the single value was.
    """
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
    """Return the types and formats of a schema for a sentence."""
    if schema.unresolved_references:
        return f"the unresolved {', '.join(sorted(schema.unresolved_references))}"
    formats = [f" ({name})" for name in schema.restrictions.get("format", ())]
    return _type_names(schema) + "".join(formats)


def _item_accepts_types(item_schema: Schema, types: frozenset[str]) -> bool:
    has_restriction = item_schema.limits or item_schema.restrictions or item_schema.unions
    if has_restriction or item_schema.values is not None:
        return False
    return item_schema.types == _TEXT or _contains_types(item_schema.types, types)


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
        return relation.widened
    is_parameter_property = context.part == Part.PARAMETER and context.is_nested
    # Outside JSON every value is written as text, so a text accepts all of them.
    if context.is_text and _accepts_as_text(revised_schema, base_schema):
        if is_parameter_property:
            return "type-changed"
        return "type-generalized" if context.part == Part.PARAMETER else "type-compatible"
    if relation.is_narrower and relation.is_type_union:
        return relation.narrowed
    # Like oasdiff: only properties of parameters have an id of their own for a narrower type.
    return "type-specialized" if is_parameter_property else "type-changed"


def _action_in_response(
    base_schema: Schema, revised_schema: Schema, context: Context, relation: _TypeRelation
) -> str:
    if relation.is_narrower:
        return relation.narrowed
    # A wider format of the same type counts as another type, because clients parse by format.
    if relation.is_wider and base_schema.types != revised_schema.types:
        return relation.widened
    if context.is_text and _accepts_as_text(base_schema, revised_schema):
        return "type-compatible"
    return "type-changed"


def _accepts_as_text(text_schema: Schema, schema: Schema) -> bool:
    """Whether a schema of text accepts the written form of another schema's values."""
    text_formats = text_schema.restrictions.get("format", ())
    formats = schema.restrictions.get("format", ())
    return text_schema.types == _TEXT and _contains_formats(text_formats, formats)


def _contains_types(outer: frozenset[str], inner: frozenset[str]) -> bool:
    """Whether `outer` has all values of `inner`. No types at all means every type."""
    if not outer or inner == _NOTHING:
        return True
    if not inner:
        return False
    expanded = outer | {"integer"} if "number" in outer else outer
    return inner <= expanded


def _contains_formats(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    """Whether `outer` has all values of `inner`. No formats at all means no restriction."""
    if not outer or outer == inner:
        return True
    contained = _CONTAINED_FORMATS.get(outer[0], frozenset())
    return not contained.isdisjoint(inner)
