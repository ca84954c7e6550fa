"""Compares the properties of two objects: whether they exist, and what role they have.

The role is what the object says about a property (`required`), and the flags `readOnly`,
`writeOnly` and `deprecated`. The schemas of common properties become pairs; see `property_pairs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change, Direction
from ..context import Context, Pointers
from ..differences import Action, common_names
from ..elements import deprecation_action
from .pairs import SchemaCache, SchemaCaches, SchemaPair, schema_pointers

_FLAG_IDS = {"readOnly": "read-only", "writeOnly": "write-only"}
"""The flags of a schema, as check ids contain them."""


@dataclass(frozen=True)
class _Property:
    """A property of an object."""

    schema: Schema
    is_required: bool

    @property
    def requirement(self) -> str:
        """`required` or `optional`, as ids contain it."""
        return "required" if self.is_required else "optional"


def compare_properties(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[Change]:
    """Report added and removed properties, and changed roles of common ones."""
    base_properties = _properties(base_schema, caches.base)
    revised_properties = _properties(revised_schema, caches.revised)
    for name in base_properties | revised_properties:
        if name not in revised_properties:
            removed_property = base_properties[name]
            property_context = _property_context(context, removed_property.schema, name)
            container = _container(base_schema, name, revised_schema)
            yield _removed_property(removed_property, property_context, container)
            continue

        # The flags of the revision decide whether a property is sent, unless it was removed.
        revised_property = revised_properties[name]
        property_context = _property_context(context, revised_property.schema, name)
        if name in base_properties:
            yield from _compare_property(base_properties[name], revised_property, property_context)
        else:
            container = _container(revised_schema, name, base_schema)
            yield _added_property(revised_property, property_context, container)


def property_pairs(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[SchemaPair]:
    """Yield the schemas of each property that both objects have, as pairs to compare later."""
    for name in common_names(base_schema.properties, revised_schema.properties):
        revised_nodes = revised_schema.properties[name]
        property_context = _property_context(context, caches.revised.schema(revised_nodes), name)
        yield SchemaPair(base_schema.properties[name], revised_nodes, property_context)


def _properties(schema: Schema, cache: SchemaCache) -> dict[str, _Property]:
    properties = dict[str, _Property]()
    for name, nodes in schema.properties.items():
        properties[name] = _Property(cache.schema(nodes), is_required=name in schema.required)
    return properties


def _property_context(context: Context, schema: Schema, name: str) -> Context:
    """The context of a property of the object at `context`."""
    # OpenAPI 3.1, "Schema Object": a read-only property should not be part of a request, and a
    # write-only property should not be part of a response. Nothing inside it is sent either.
    unsent_flag = "readOnly" if context.direction == Direction.REQUEST else "writeOnly"
    is_never_sent = context.is_never_sent or unsent_flag in schema.flags
    return replace(context.below(name), is_never_sent=is_never_sent)


def _container(owner_schema: Schema, name: str, schema: Schema) -> Node:
    """The place that would contain a property which a schema lacks.

    Args:
        owner_schema: the schema of the other document, which has the property.
        name: the name of the property.
        schema: the schema that lacks it.
    """
    owner = _owner(owner_schema, name)
    # A reference, a component and the parts of an `allOf` usually have one place in both documents.
    for node in (schema.node, *schema.all_of_branches):
        target = node.resolved()
        if (target.file, target.pointer) == owner:
            return target
    return _described_at(schema)


def _owner(schema: Schema, name: str) -> tuple[str, str]:
    """The file and the pointer of the schema or part of an `allOf` that describes a property."""
    node = schema.properties[name][0]
    owner_pointer = node.pointer.rsplit("/", maxsplit=2)[0]
    return node.file, owner_pointer


def _described_at(schema: Schema) -> Node:
    """The place of a schema's properties, if the other document has none to compare with.

    An `allOf` with one branch only adds something to the branch, such as a description.
    """
    node = schema.node.resolved()
    if len(schema.all_of_branches) == 1 and node.get("properties") is None:
        return schema.all_of_branches[0].resolved()
    return node


def _removed_property(removed_property: _Property, context: Context, container: Node) -> Change:
    pointers = Pointers.of_removed(removed_property.schema.node, container)
    if context.direction == Direction.RESPONSE:
        return _response_property(removed_property, context, Action.REMOVED, pointers)
    return context.change("*-removed", pointers)


def _added_property(added_property: _Property, context: Context, container: Node) -> Change:
    pointers = Pointers.of_added(added_property.schema.node, container)
    if context.direction == Direction.RESPONSE:
        return _response_property(added_property, context, Action.ADDED, pointers)
    rule_id = f"new-{added_property.requirement}-*"
    if added_property.is_required and added_property.schema.default is not None:
        rule_id += "-with-default"
    return context.change(rule_id, pointers)


def _response_property(
    schema_property: _Property, context: Context, action: Action, pointers: Pointers
) -> Change:
    """Report an added or removed property of a response.

    The rule ids are written out instead of with `*`: oasdiff puts `required` or `optional` between
    the direction and `property`, and uses these ids for bodies and headers alike.
    """
    requirement = schema_property.requirement
    change = context.change(f"response-{requirement}-property-{action}", pointers)
    # oasdiff has check ids of their own for write-only properties. The severity is INFO already,
    # because the context says that the property is never sent.
    if context.is_never_sent:
        return replace(change, id=f"response-{requirement}-write-only-property-{action}")
    return change


def _compare_property(
    base_property: _Property, revised_property: _Property, context: Context
) -> Iterator[Change]:
    """Report differences of the role that a common property has in its object."""
    pointers = schema_pointers(base_property.schema, revised_property.schema)
    base_flags = base_property.schema.flags
    revised_flags = revised_property.schema.flags

    if base_property.is_required != revised_property.is_required:
        yield context.change(_requirement_rule_id(revised_property, context), pointers)

    # oasdiff names the requirement in the ids of flags, so that `*` cannot stand for the place.
    id_prefix = f"{context.direction}-{revised_property.requirement}-property"
    for flag, flag_id in _FLAG_IDS.items():
        had_flag = flag in base_flags
        has_flag = flag in revised_flags
        if has_flag and not had_flag:
            yield context.change(f"{id_prefix}-became-{flag_id}", pointers)
        elif had_flag and not has_flag:
            yield context.change(f"{id_prefix}-became-not-{flag_id}", pointers)

    was_deprecated = "deprecated" in base_flags
    is_deprecated = "deprecated" in revised_flags
    if was_deprecated != is_deprecated:
        yield context.change(f"*-{deprecation_action(is_deprecated)}", pointers)


def _requirement_rule_id(revised_property: _Property, context: Context) -> str:
    """The id of the rule for a property that became required or optional."""
    rule_id = f"*-became-{revised_property.requirement}"
    has_default = revised_property.schema.default is not None
    # A server applies the default to a request without the property. In a response, the default
    # has no effect on the client, so it is not part of the id.
    if revised_property.is_required and has_default and context.direction == Direction.REQUEST:
        return f"{rule_id}-with-default"
    return rule_id
