"""Compares the properties of two objects: whether they exist, and what role they have.

The role is what the object says about a property (`required`), and the flags `readOnly`,
`writeOnly` and `deprecated`. The schemas of common properties become pairs; see `property_pairs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...model.document import Node
from ...model.schema import Nodes, Schema
from ...rules import ERR, Change, Direction
from ..context import Context, Pointers
from ..differences import Action
from ..elements import deprecation_action
from .closed_objects import rejects_others, rejects_property
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
        base_property = base_properties.get(name)
        revised_property = revised_properties.get(name)
        if base_property is not None and revised_property is not None:
            yield from _compare_property(base_property, revised_property, context.below(name))
        elif base_property is not None:
            property_context = _property_context(context, name, base_property.schema)
            container = _container(base_schema, name, revised_schema)
            pointers = Pointers.of_removed(base_property.schema.node, container)
            is_closed = rejects_property(revised_schema, name, caches.revised)
            yield _removed_property(base_property, is_closed, property_context, pointers)
        elif revised_property is not None:
            property_context = _property_context(context, name, revised_property.schema)
            container = _container(revised_schema, name, base_schema)
            pointers = Pointers.of_added(revised_property.schema.node, container)
            yield _added_property(revised_property, property_context, pointers)


def property_pairs(
    base_schema: Schema, revised_schema: Schema, context: Context, caches: SchemaCaches
) -> Iterator[SchemaPair]:
    """Yield the schemas of each property in both objects, as pairs to compare later.

    If only one object describes a property, the other one can still restrict it: with the schema in
    `additionalProperties`.
    """
    for name in base_schema.properties | revised_schema.properties:
        base_nodes = base_schema.properties.get(name) or _schema_of_others(base_schema, caches.base)
        revised_nodes = revised_schema.properties.get(name) or _schema_of_others(
            revised_schema, caches.revised
        )
        if not base_nodes or not revised_nodes:
            continue
        property_context = _property_context(
            context, name, caches.base.schema(base_nodes), caches.revised.schema(revised_nodes)
        )
        yield SchemaPair(base_nodes, revised_nodes, property_context)


def _schema_of_others(schema: Schema, cache: SchemaCache) -> Nodes:
    """The schema of properties that the object does not describe; empty without restriction.

    `false` is no schema to compare with: whether such properties exist is reported instead.
    """
    if schema.subschema_groups.get("patternProperties") or rejects_others(schema, cache):
        return ()
    return schema.subschemas.get("additionalProperties", ())


def _properties(schema: Schema, cache: SchemaCache) -> dict[str, _Property]:
    properties = dict[str, _Property]()
    for name, nodes in schema.properties.items():
        properties[name] = _Property(cache.schema(nodes), is_required=name in schema.required)
    return properties


def _property_context(context: Context, name: str, *schemas: Schema) -> Context:
    """The context of a property of the object at `context`.

    What was never sent before, or is never sent any more, breaks nobody. So the flag in one of the
    documents is enough. `_compare_property` reports what the change of the flag itself means.

    Args:
        context: the place of the object.
        name: the name of the property.
        schemas: its schemas in the documents that have it.
    """
    # OpenAPI 3.1, "Schema Object": a read-only property should not be part of a request, and a
    # write-only property should not be part of a response. Nothing inside it is sent either.
    unsent_flag = _unsent_flag(context.direction)
    is_unsent = any(unsent_flag in schema.flags for schema in schemas)
    return replace(context.below(name), is_never_sent=context.is_never_sent or is_unsent)


def _unsent_flag(direction: Direction) -> str:
    return "readOnly" if direction == Direction.REQUEST else "writeOnly"


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


def _removed_property(
    removed_property: _Property, is_closed: bool, context: Context, pointers: Pointers
) -> Change:
    if context.direction == Direction.RESPONSE:
        return _response_property(removed_property, context, Action.REMOVED, pointers)
    change = context.change("*-removed", pointers)
    if not is_closed or removed_property.schema.rejects_everything:
        return change
    # The object rejects what it does not describe, so every request with the property fails.
    closed_change = context.change("*-removed-from-closed-object", pointers)
    return replace(closed_change, id=change.id)


def _added_property(added_property: _Property, context: Context, pointers: Pointers) -> Change:
    if added_property.schema.rejects_everything:
        return context.change("*-forbidden", pointers)
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
    """Report differences of the role that a common property has in its object.

    Args:
        base_property: the property in the base.
        revised_property: the property in the revision.
        context: the place of the property, without regard to its own flags.
    """
    pointers = schema_pointers(base_property.schema, revised_property.schema)
    base_flags = base_property.schema.flags
    revised_flags = revised_property.schema.flags
    unsent_flag = _unsent_flag(context.direction)
    is_unsent = unsent_flag in base_flags or unsent_flag in revised_flags
    sent_context = replace(context, is_never_sent=context.is_never_sent or is_unsent)

    if base_property.is_required != revised_property.is_required:
        yield sent_context.change(_requirement_rule_id(revised_property, context), pointers)

    for flag, flag_id in _FLAG_IDS.items():
        if (flag in base_flags) == (flag in revised_flags):
            continue
        action = "became" if flag in revised_flags else "became-not"
        # oasdiff names the requirement in the ids of flags, so that `*` cannot stand for the place.
        prefix = f"{context.direction}-{revised_property.requirement}-property"
        change = context.change(f"{prefix}-{action}-{flag_id}", pointers)
        if _breaks_by_flag(flag, base_property, revised_property, context):
            change = replace(change, level=ERR)
        yield change

    was_deprecated = "deprecated" in base_flags
    is_deprecated = "deprecated" in revised_flags
    if was_deprecated != is_deprecated:
        yield sent_context.change(f"*-{deprecation_action(is_deprecated)}", pointers)


def _breaks_by_flag(
    flag: str, base_property: _Property, revised_property: _Property, context: Context
) -> bool:
    """Whether a changed flag breaks clients, because it decides whether a property is sent.

    | direction | flag | what breaks |
    |---|---|---|
    | request | `readOnly` removed | clients now have to send a required property |
    | response | `writeOnly` added | a required property is no longer returned |

    The other flag of each direction says nothing about what is sent in it. A condition only tests
    what is sent.
    """
    if flag != _unsent_flag(context.direction) or context.is_condition:
        return False
    if context.is_never_sent or context.is_draft:
        return False
    if context.direction == Direction.REQUEST:
        return flag not in revised_property.schema.flags and revised_property.is_required
    return flag in revised_property.schema.flags and base_property.is_required


def _requirement_rule_id(revised_property: _Property, context: Context) -> str:
    """The id of the rule for a property that became required or optional."""
    rule_id = f"*-became-{revised_property.requirement}"
    has_default = revised_property.schema.default is not None
    # A server applies the default to a request without the property. In a response, the default
    # has no effect on the client, so it is not part of the id.
    if revised_property.is_required and has_default and context.direction == Direction.REQUEST:
        return f"{rule_id}-with-default"
    return rule_id
