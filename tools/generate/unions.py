"""Finds which schema of the spec each branch of a generated union stands for.

The client compares a response with the contract and chooses the branch of a union. It tells the
generated code the JSON pointer of that branch. The generator does not keep pointers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from .document import Document, Node, is_list, is_mapping
from .generator_api import model_name, model_properties, spec_name
from .operations import Resource
from .webhooks import Webhook

_CONVERTED_FORMATS = frozenset({"date", "date-time", "uuid"})
"""The formats whose texts have a Python type of their own in generated code."""

_TYPE_KEYWORDS = frozenset({"allOf", "properties", "type"})
"""The keywords by which the generator knows the type of a schema. Without any, it is `Any`."""

_SCALARS = frozenset({"boolean", "integer", "null", "number"})

SCALAR_TYPES = _SCALARS | {"string"}
"""The types of schemas without parts."""


class UnionBranches:
    """The JSON pointers of the branches of all unions in responses and events.

    Args:
        document: the spec as the generator reads it.
        data: the same spec, as the generator parsed it.
        resources: the operations of the spec.
        webhooks: its webhooks.

    Raises:
        SpecError: a union has several branches that generated code converts, and it is not known
            which is which.
    """

    def __init__(
        self,
        document: Document,
        data: GeneratorData,
        resources: Sequence[Resource],
        webhooks: Sequence[Webhook],
    ) -> None:
        self._document = document
        self._models = {model_name(model): model for model in data.models}
        self._pointers: dict[int, dict[str, None]] = {}
        self._visited: set[tuple[str, int]] = set()
        for resource in resources:
            for operation in resource.operations:
                for response in operation.responses:
                    content = document.at(response.pointer).child("content")
                    for _, media_type in content.entries():
                        self._visit(media_type.child("schema"), response.prop)
        for webhook in webhooks:
            self._visit(document.at(webhook.body.pointer), webhook.model)

    def pointers(self, branch: PropertyProtocol) -> tuple[str, ...]:
        """Return the pointers of the schemas that a branch stands for; none if they are not known.

        They are the pointers by which the contract's validators know the schemas.
        """
        return tuple(self._pointers.get(id(branch), ()))

    def _visit(self, reference: Node, prop: PropertyProtocol) -> None:
        schema = _unwrapped(self._document, reference)
        key = (schema.pointer, id(prop))
        # A schema can contain itself.
        if not is_mapping(schema.value) or key in self._visited:
            return
        self._visited.add(key)
        if isinstance(prop, ListProperty):
            self._visit(schema.child("items"), prop.inner_property)
        elif isinstance(prop, ModelProperty):
            self._visit_model(schema, self._models[model_name(prop)])
        elif isinstance(prop, UnionProperty):
            self._visit_union(schema, prop)

    def _visit_model(self, schema: Node, model: ModelProperty) -> None:
        generated = {spec_name(prop): prop for prop in model_properties(model)}
        for name, child in self._document.properties(schema).items():
            if name in generated:
                self._visit(child.schema, generated[name])
        additional: Any = model.additional_properties
        if not isinstance(additional, bool | None):
            self._visit(schema.child("additionalProperties"), additional)

    def _visit_union(self, schema: Node, prop: UnionProperty) -> None:
        pairs = paired_branches(self._document, schema, prop)
        if not pairs:
            self._reject_ambiguous(schema, prop)
        for branch, inner_property in pairs:
            pointers = self._pointers.setdefault(id(inner_property), {})
            pointers.update(dict.fromkeys(branch.pointers))
            self._visit(branch.schema, inner_property)

    def _reject_ambiguous(self, schema: Node, prop: UnionProperty) -> None:
        """Raise `SpecError` if generated code could take the first branch for another one."""
        converted = [
            branch
            for branch in prop.inner_properties
            if isinstance(branch, EnumProperty | ListProperty | ModelProperty)
        ]
        if len(converted) > 1:
            raise self._document.error(
                schema.pointer,
                "the generator reads this union with other branches than the spec has:"
                " make each branch a component",
            )


@dataclass(frozen=True)
class UnionBranch:
    """A branch of a union, or of a union inside it."""

    schema: Node
    pointers: tuple[str, ...]
    """Where the client can have found it: the schema, and unions of it alone around it.

    The client marks no union of a single branch, so that the union around it marks that one.
    """


def paired_branches(
    document: Document, schema: Node, prop: UnionProperty
) -> list[tuple[UnionBranch, PropertyProtocol]]:
    """The branches of a union, each with the generator's property; empty if it is not known.

    Branches of one type share a property.

    Args:
        document: the spec as the generator reads it.
        schema: the union in it.
        prop: the generator's property of the union.
    """
    branches: dict[object, list[UnionBranch]] = {}
    for branch in _branches(document, schema, frozenset()):
        key = _type_key(document, branch.schema, frozenset())
        branches.setdefault(key, []).append(branch)
    if len(branches) != len(prop.inner_properties):
        return []
    return [
        (branch, inner_property)
        for equal_branches, inner_property in zip(
            branches.values(), prop.inner_properties, strict=True
        )
        for branch in equal_branches
    ]


def _unwrapped(document: Document, reference: Node) -> Node:
    """The schema that a node stands for, as the contract reads it: see `ContractSchemas`."""
    schema = document.resolve(reference)
    visited: set[str] = set()
    while schema.pointer not in visited:
        visited.add(schema.pointer)
        parts = list(schema.child("allOf").elements())
        if len(parts) != 1 or schema.mapping.keys() & {"type", "properties", "required"}:
            break
        schema = document.resolve(parts[0])
    return schema


def _branches(document: Document, union: Node, ancestors: frozenset[str]) -> Iterator[UnionBranch]:
    """The branches of a union in the generator's order, with those of unions inside it."""
    if union.pointer in ancestors:
        return
    for keyword in ("anyOf", "oneOf"):
        references = list(union.child(keyword).elements())
        # The outermost union has no union around it that could mark it.
        around = (union.pointer,) if ancestors and len(references) == 1 else ()
        for reference in references:
            branch = _unwrapped(document, reference)
            for part in _parts(document, branch, ancestors | {union.pointer}):
                yield UnionBranch(part.schema, (*part.pointers, *around))
    # The generator makes a branch of each type in a list.
    if is_list(union.get("type")):
        for name in union.get("type"):
            node = Node({**union.mapping, "type": name}, union.pointer)
            yield UnionBranch(node, (union.pointer,))


def _parts(document: Document, branch: Node, ancestors: frozenset[str]) -> Iterator[UnionBranch]:
    """What the generator makes of one branch: those of a union, or null and the other values."""
    if _has_branches(branch):
        yield from _branches(document, branch, ancestors)
        return
    if None in branch.child("enum").sequence:
        yield UnionBranch(Node({"type": "null"}, branch.pointer), (branch.pointer,))
    if not _is_null(branch):
        yield UnionBranch(branch, (branch.pointer,))


def _is_null(schema: Node) -> bool:
    """Whether null is the only value of an enum."""
    values = schema.child("enum").sequence
    return bool(values) and all(value is None for value in values)


def _has_branches(schema: Node) -> bool:
    return bool(schema.get("anyOf") or schema.get("oneOf") or is_list(schema.get("type")))


def _type_key(document: Document, branch: Node, ancestors: frozenset[str]) -> object:
    """What decides the generated type of a branch: the generator keeps each type once."""
    is_enum = "enum" in branch.mapping
    if is_enum or branch.pointer in ancestors or _has_branches(branch):
        return branch.pointer
    kind = branch.get("type")
    if "const" in branch.mapping:
        return "const", repr(branch.get("const"))
    if kind == "array":
        items = _unwrapped(document, branch.child("items"))
        return kind, _type_key(document, items, ancestors | {branch.pointer})
    if kind == "string":
        text_format = branch.get("format")
        return kind, text_format if text_format in _CONVERTED_FORMATS else None
    if not branch.mapping.keys() & _TYPE_KEYWORDS:
        kind = "any"
    if kind in _SCALARS or kind == "any":
        return kind
    return branch.pointer
