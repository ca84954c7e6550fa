"""Compares keywords that contain schemas, such as `items`, `not` and `additionalProperties`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...model.schema import NEVER, Schema
from ...rules import INFO, Change, Direction
from ..context import Context, Pointers
from ..differences import Action, common_names, name_differences
from .pairs import SchemaCaches, SchemaPair, keyword_in_id, schema_pointers
from .types import accepts_repeated_value

_INVERTING_KEYWORDS = frozenset({"not", "if"})
"""Keywords whose schema does not restrict directly: if it allows more, the value may allow less."""

_UNDESCRIBED_PROPERTIES = frozenset({"additionalProperties", "unevaluatedProperties"})
"""Keywords about properties that the object does not describe."""

_GROUPS_OF_RESTRICTIONS = {
    "patternProperties": "patternProperty",
    "dependentSchemas": "dependentSchema",
}
"""Keywords with named schemas that each restrict, and the singular that ids contain."""

_NOTHING = frozenset({NEVER})


def compare_subschemas(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[Change]:
    """Report keywords with a schema that only one side has. Every such schema is a restriction."""
    pointers = schema_pointers(base_schema, revised_schema)
    for keyword in _differing_keywords(base_schema, revised_schema, context, caches):
        # A keyword that both have is here because the response opened: its restriction is gone.
        action = Action.REMOVED if keyword in base_schema.subschemas else Action.ADDED
        change = restriction_change(keyword, keyword, action, context, pointers)
        # Undescribed properties are no promise, and clients read properties by name.
        if keyword in _UNDESCRIBED_PROPERTIES and context.direction == Direction.RESPONSE:
            change = replace(change, level=INFO)
        yield change

    for keyword, singular in _GROUPS_OF_RESTRICTIONS.items():
        base_group = base_schema.subschema_groups.get(keyword, {})
        revised_group = revised_schema.subschema_groups.get(keyword, {})
        for difference in name_differences(base_group, revised_group):
            name = f"{keyword}: {difference.name}"
            yield restriction_change(singular, name, difference.action, context, pointers)

    base_items = base_schema.subschema_groups.get("prefixItems", {})
    revised_items = revised_schema.subschema_groups.get("prefixItems", {})
    for difference in name_differences(base_items, revised_items):
        rule_id = f"*-prefix-items-{difference.action}"
        yield context.change(rule_id, pointers, name=difference.name)


def subschema_pairs(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[SchemaPair]:
    """Yield the pairs of schemas that both sides have by the same keyword."""
    for keyword in common_names(base_schema.subschemas, revised_schema.subschemas):
        # Already reported as a removed restriction.
        if _opens_response(keyword, base_schema, revised_schema, context, caches):
            continue
        is_inverted = context.is_inverted or keyword in _INVERTING_KEYWORDS
        yield SchemaPair(
            base_schema.subschemas[keyword],
            revised_schema.subschemas[keyword],
            replace(context.below(keyword), is_inverted=is_inverted),
        )

    for keyword in common_names(base_schema.subschema_groups, revised_schema.subschema_groups):
        base_group = base_schema.subschema_groups[keyword]
        revised_group = revised_schema.subschema_groups[keyword]
        for name in common_names(base_group, revised_group):
            yield SchemaPair(base_group[name], revised_group[name], context.below(keyword, name))


def restriction_change(
    keyword: str, name: str, action: Action, context: Context, pointers: Pointers
) -> Change:
    """Report an added or removed restriction. All keywords share a rule, but each has its id."""
    change = context.change(f"*-part-{action}", pointers, name=name)
    return replace(change, id=f"{context.place}-{keyword_in_id(keyword)}-{action}")


def _differing_keywords(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> list[str]:
    base_keywords = base_schema.subschemas.keys()
    revised_keywords = revised_schema.subschemas.keys()
    keywords = set(base_keywords ^ revised_keywords)
    # If a single value became a list, `items` is not a new restriction but the old value.
    if accepts_repeated_value(base_schema, revised_schema, context):
        keywords.discard("items")
    for keyword in base_keywords & revised_keywords:
        if _opens_response(keyword, base_schema, revised_schema, context, caches):
            keywords.add(keyword)
    return sorted(keywords)


def _opens_response(
    keyword: str,
    base_schema: Schema,
    revised_schema: Schema,
    context: Context,
    caches: SchemaCaches,
) -> bool:
    """Whether a response forbade undescribed properties and now allows some.

    That breaks no client, so the schemas of the keyword are not compared further.
    """
    if keyword not in _UNDESCRIBED_PROPERTIES or context.direction != Direction.RESPONSE:
        return False
    base_types = caches.base.schema(base_schema.subschemas[keyword]).types
    revised_types = caches.revised.schema(revised_schema.subschemas[keyword]).types
    return base_types == _NOTHING and revised_types != _NOTHING
