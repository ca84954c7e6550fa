"""Compares keywords that contain schemas, such as `items`, `not` and `additionalProperties`.

A keyword that only one schema has is an added or removed restriction. If both have it, the two
subschemas become a pair. Properties and unions have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...model.schema import NEVER, Schema
from ...rules import INFO, Change, Direction, Level
from ..context import Context, Pointers
from ..differences import Action, common_names, name_differences
from .closed_objects import matches_any, rejects_others
from .ids import keyword_in_id
from .pairs import SchemaCaches, SchemaPair, schema_pointers
from .types import accepts_repeated_value

_UNDESCRIBED_PROPERTIES = frozenset({"additionalProperties", "unevaluatedProperties"})
"""Keywords with the schema of all properties that the object does not describe."""

_GROUPS_OF_RESTRICTIONS = {
    "patternProperties": "patternProperty",
    "dependentSchemas": "dependentSchema",
}
"""Keywords with named schemas that each restrict, and the singular that check ids contain.

`prefixItems` is a group of named schemas too, but has ids of its own.
"""

_NOTHING = frozenset({NEVER})


def compare_subschemas(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[Change]:
    """Report keywords with a schema that only one side has. Every such schema is a restriction."""
    pointers = schema_pointers(base_schema, revised_schema)
    restrictions = _restriction_actions(base_schema, revised_schema, context, caches)
    for keyword in sorted(restrictions):
        change = restriction_change(keyword, restrictions[keyword], context, pointers)
        # A client reads the properties that the schema describes, by their names. It does not
        # notice whether others can occur. So this breaks no client that reads a response.
        if keyword in _UNDESCRIBED_PROPERTIES and _is_read_by_client(context):
            change = replace(change, level=INFO)
        yield change

    for keyword, singular in _GROUPS_OF_RESTRICTIONS.items():
        base_group = base_schema.subschema_groups.get(keyword, {})
        revised_group = revised_schema.subschema_groups.get(keyword, {})
        for difference in name_differences(base_group, revised_group):
            name = f"{keyword}: {difference.name}"
            change = restriction_change(singular, difference.action, context, pointers, name)
            is_permission = keyword == "patternProperties" and _permits_properties(
                difference.name, difference.action, base_schema, revised_schema, caches
            )
            if is_permission:
                change = replace(change, level=_level_of_permission(difference.action, context))
            yield change

    # oasdiff has ids and severities of its own for leading items.
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
        # Reported by `compare_subschemas` as a removed restriction.
        if _stops_forbidding_properties(keyword, base_schema, revised_schema, context, caches):
            continue
        yield SchemaPair(
            base_schema.subschemas[keyword],
            revised_schema.subschemas[keyword],
            _subschema_context(keyword, context),
        )

    for keyword in common_names(base_schema.subschema_groups, revised_schema.subschema_groups):
        base_group = base_schema.subschema_groups[keyword]
        revised_group = revised_schema.subschema_groups[keyword]
        for name in common_names(base_group, revised_group):
            yield SchemaPair(base_group[name], revised_group[name], context.below(keyword, name))


def _subschema_context(keyword: str, context: Context) -> Context:
    subschema_context = context.below(keyword)
    if keyword == "not":
        return replace(subschema_context, is_inverted=not context.is_inverted)
    # An `if` restricts nothing itself. It selects `then` or `else`.
    if keyword == "if":
        return replace(subschema_context, is_direction_unknown=True)
    return subschema_context


def _is_read_by_client(context: Context) -> bool:
    """Whether a client reads what the schema describes, by the names of the properties."""
    return context.direction == Direction.RESPONSE and not context.is_condition


def _permits_properties(
    pattern: str,
    action: Action,
    base_schema: Schema,
    revised_schema: Schema,
    caches: SchemaCaches,
) -> bool:
    """Whether a pattern lets properties into an object that is closed without the pattern.

    In an open object a pattern only restricts properties that could be sent anyway. In a closed one
    it allows them. A pattern that also matches described properties may restrict these as well.
    """
    if action == Action.REMOVED:
        return rejects_others(revised_schema, caches.revised)
    return rejects_others(base_schema, caches.base) and not matches_any(
        pattern, base_schema.properties
    )


def _level_of_permission(action: Action, context: Context) -> Level:
    """The severity of a pattern that allows properties: the opposite of a restriction."""
    # A client does not notice whether other properties can occur; see `compare_subschemas`.
    if _is_read_by_client(context):
        return INFO
    opposite = Action.REMOVED if action == Action.ADDED else Action.ADDED
    return context.change(f"*-restriction-{opposite}", Pointers()).level


def restriction_change(
    keyword: str, action: Action, context: Context, pointers: Pointers, name: str = ""
) -> Change:
    """Report an added or removed restriction.

    All keywords share the rules `*-restriction-added` and `*-restriction-removed`, which decide the
    severity and the sentence. But each keyword has a check id of its own, such as
    `request-body-not-added`.

    Args:
        keyword: The keyword that the check id contains.
        action: Whether the restriction was added or removed.
        context: The place of the schema.
        pointers: The locations of both schemas.
        name: The name of the restriction in the sentence; by default the keyword.
    """
    change = context.change(f"*-restriction-{action}", pointers, name=name or keyword)
    return replace(change, id=f"{context.place_in_id}-{keyword_in_id(keyword)}-{action}")


def _restriction_actions(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> dict[str, Action]:
    """The keywords whose schema was added or removed as a restriction, with the action."""
    actions = dict[str, Action]()
    for difference in name_differences(base_schema.subschemas, revised_schema.subschemas):
        actions[difference.name] = difference.action
    # If a single value became a list, `items` is not a new restriction but the old value.
    if accepts_repeated_value(base_schema, revised_schema, context):
        actions.pop("items", None)
    for keyword in common_names(base_schema.subschemas, revised_schema.subschemas):
        if _stops_forbidding_properties(keyword, base_schema, revised_schema, context, caches):
            actions[keyword] = Action.REMOVED
    return actions


def _stops_forbidding_properties(
    keyword: str,
    base_schema: Schema,
    revised_schema: Schema,
    context: Context,
    caches: SchemaCaches,
) -> bool:
    """Whether a response forbade undescribed properties and now allows some.

    For example `additionalProperties: false` became `additionalProperties: {type: string}`. Both
    schemas have the keyword, but the restriction is gone. That breaks no client, while a comparison
    of the two subschemas would report a wider type as breaking.
    """
    if keyword not in _UNDESCRIBED_PROPERTIES or not _is_read_by_client(context):
        return False
    base_types = caches.base.schema(base_schema.subschemas[keyword]).types
    revised_types = caches.revised.schema(revised_schema.subschemas[keyword]).types
    return base_types == _NOTHING and revised_types != _NOTHING
