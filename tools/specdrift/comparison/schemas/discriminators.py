"""Compares discriminators: the property that selects a branch of a union, and its mapping.

Only the discriminator itself is compared here. If an entry of the mapping still names the same
schema, but that schema changed, `unions.py` reports the change: the target is normally a branch of
the union as well (OpenAPI 3.1.0, section 4.8.25).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.document import Node, is_mapping
from ...model.schema import Schema
from ...rules import Change
from ..context import Context, Pointers
from ..differences import Action, common_names, name_differences
from .equality import SchemaEquality
from .pairs import schema_pointers


def compare_discriminators(
    base_schema: Schema, revised_schema: Schema, context: Context, equality: SchemaEquality
) -> Iterator[Change]:
    """Report differences of the discriminators."""
    base = base_schema.discriminator
    revised = revised_schema.discriminator
    if base is not None and revised is not None:
        yield from _compare_property_names(base, revised, context)
        yield from _compare_mappings(base, revised, context, equality)
        return
    pointers = schema_pointers(base_schema, revised_schema)
    if base is not None:
        property_name = base.get("propertyName")
        yield context.change("*-discriminator-removed", pointers, old=property_name)
    if revised is not None:
        property_name = revised.get("propertyName")
        yield context.change("*-discriminator-added", pointers, new=property_name)


def _compare_property_names(base: Node, revised: Node, context: Context) -> Iterator[Change]:
    base_name = base.get("propertyName")
    revised_name = revised.get("propertyName")
    if base_name != revised_name:
        pointers = Pointers.to_both(base, revised)
        rule_id = "*-discriminator-property-name-changed"
        yield context.change(rule_id, pointers, old=base_name, new=revised_name)


def _compare_mappings(
    base: Node, revised: Node, context: Context, equality: SchemaEquality
) -> Iterator[Change]:
    pointers = Pointers.to_both(base, revised)
    base_mapping = dict(base.members("mapping"))
    revised_mapping = dict(revised.members("mapping"))
    for difference in name_differences(base_mapping, revised_mapping):
        # oasdiff names this action `deleted` in this id, and `removed` in all others.
        action = "deleted" if difference.action == Action.REMOVED else difference.action
        yield context.change(f"*-discriminator-mapping-{action}", pointers, name=difference.name)

    for name in common_names(base_mapping, revised_mapping):
        base_entry = base_mapping[name]
        revised_entry = revised_mapping[name]
        if _means_the_same(base_entry, revised_entry, context, equality):
            continue
        yield context.change(
            "*-discriminator-mapping-changed",
            pointers,
            old=base_entry.value,
            new=revised_entry.value,
            name=name,
        )


def _means_the_same(
    base_entry: Node, revised_entry: Node, context: Context, equality: SchemaEquality
) -> bool:
    """Whether two entries are written alike, or lead to equal schemas, such as a renamed one."""
    if base_entry.value == revised_entry.value:
        return True
    base_target = _mapping_target(base_entry)
    revised_target = _mapping_target(revised_entry)
    if base_target is None or revised_target is None:
        return False
    return equality.are_equal((base_target,), (revised_target,), context)


def _mapping_target(entry: Node) -> Node | None:
    """The schema that an entry of the mapping names; None if there is no such schema.

    An entry is a reference or the name of a component (OpenAPI 3.1.0, section 4.8.25).
    """
    text = entry.value
    if not isinstance(text, str):
        return None
    is_reference = "#" in text or "/" in text
    reference = text if is_reference else f"#/components/schemas/{text}"
    target = entry.document.find(reference, entry.file)
    if target is None or not is_mapping(target.value):
        return None
    return target
