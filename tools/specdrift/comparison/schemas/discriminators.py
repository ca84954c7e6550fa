"""Compares discriminators: the property that selects a branch of a union, and its mapping.

Only the discriminator itself is compared here. If an entry of the mapping still names the same
schema, but that schema changed, `unions.py` reports the change: the target is normally a branch of
the union as well (OpenAPI 3.1.0, section 4.8.25).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.document import Node, is_mapping
from ...model.schema import Schema
from ...rules import Change
from ..context import Context, Pointers
from ..differences import Action, common_names, name_differences
from .equality import SchemaEquality
from .pairs import SchemaCache, SchemaCaches, schema_pointers


@dataclass(frozen=True)
class _MappedSchema:
    """The schema that a value of the discriminator stands for."""

    text: str
    """What the mapping says, or the reference of the branch."""
    target: Node | None
    """The schema; None if it does not exist."""

    @property
    def name(self) -> str:
        """The name of the schema, whether the text is that name or a reference."""
        return self.text.rpartition("/")[2]


def compare_discriminators(
    base_schema: Schema,
    revised_schema: Schema,
    context: Context,
    caches: SchemaCaches,
    equality: SchemaEquality,
) -> Iterator[Change]:
    """Report differences of the discriminators."""
    base = base_schema.discriminator
    revised = revised_schema.discriminator
    if base is not None and revised is not None:
        yield from _compare_property_names(base, revised, context)
        yield from _compare_mappings(
            _mapping(base, base_schema, caches.base),
            _mapping(revised, revised_schema, caches.revised),
            Pointers.to_both(base, revised),
            context,
            equality,
        )
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
    base: dict[str, _MappedSchema],
    revised: dict[str, _MappedSchema],
    pointers: Pointers,
    context: Context,
    equality: SchemaEquality,
) -> Iterator[Change]:
    for difference in name_differences(base, revised):
        # oasdiff names this action `deleted` in this id, and `removed` in all others.
        action = "deleted" if difference.action == Action.REMOVED else difference.action
        yield context.change(f"*-discriminator-mapping-{action}", pointers, name=difference.name)

    for name in common_names(base, revised):
        if _mean_the_same(base[name], revised[name], revised, context, equality):
            continue
        yield context.change(
            "*-discriminator-mapping-changed",
            pointers,
            old=base[name].text,
            new=revised[name].text,
            name=name,
        )


def _mapping(discriminator: Node, schema: Schema, cache: SchemaCache) -> dict[str, _MappedSchema]:
    """The values of a discriminator: those in its `mapping`, and the names of other branches.

    A branch that the mapping does not name has the name of its component as its value (OpenAPI
    3.1.0, section 4.8.25). That name does not count if the branch lists its values itself, with
    `const` or `enum`: then the comparison of the branch reports a difference.
    """
    mapping = dict[str, _MappedSchema]()
    for name, entry in discriminator.members("mapping"):
        mapping[name] = _MappedSchema(str(entry.value), _mapping_target(entry))
    mapped_targets = {entry.target for entry in mapping.values()}
    property_name = str(discriminator.get("propertyName"))
    for branches in schema.unions.values():
        for branch in branches:
            target = branch.resolved()
            if branch.reference is None or target in mapped_targets:
                continue
            property_nodes = cache.schema((branch,)).properties.get(property_name)
            if property_nodes and cache.schema(property_nodes).values is not None:
                continue
            mapped_schema = _MappedSchema(branch.reference, target)
            mapping.setdefault(mapped_schema.name, mapped_schema)
    return mapping


def _mean_the_same(
    base: _MappedSchema,
    revised: _MappedSchema,
    revised_mapping: dict[str, _MappedSchema],
    context: Context,
    equality: SchemaEquality,
) -> bool:
    """Whether two entries name the same schema, which may have changes, or equal schemas."""
    if base.target is None or revised.target is None:
        return base.text == revised.text
    if equality.are_equal((base.target,), (revised.target,), context):
        return True
    if base.name != revised.name:
        return False
    # Under the same name the schema may have changes, unless its content has another name now.
    return not any(
        entry.target is not None and equality.are_equal((base.target,), (entry.target,), context)
        for entry in revised_mapping.values()
    )


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
    return target.resolved()
