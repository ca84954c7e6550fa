"""Looks at what data a schema allows: a scalar, a list or an object, through unions."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, is_list, is_mapping

STRUCTURES = frozenset({"array", "object"})
"""The types that contain other data."""


def alternatives(document: Document, schema: Node) -> Iterator[Node]:
    """The schemas of a union, of unions in it, or the schema itself. References are followed."""
    pending = [schema]
    visited: set[str] = set()
    while pending:
        node = document.resolve(pending.pop())
        if node.pointer in visited or not is_mapping(node.value):
            continue
        visited.add(node.pointer)
        for keyword in ("allOf", "anyOf", "oneOf"):
            pending += node.child(keyword).elements()
        yield node


def types_of(schema: Node) -> frozenset[str]:
    """The types that one schema allows, without its branches. Empty if it does not say it."""
    types = schema.get("type", [])
    names = {str(name) for name in types} if is_list(types) else {str(types)}
    if "items" in schema.mapping:
        names.add("array")
    if "properties" in schema.mapping or is_mapping(schema.get("additionalProperties")):
        names.add("object")
    return frozenset(names)


def structures(document: Document, schema: Node) -> frozenset[str]:
    """Which of `array` and `object` a schema allows."""
    names: set[str] = set()
    for alternative in alternatives(document, schema):
        names |= types_of(alternative) & STRUCTURES
    return frozenset(names)


def parts(document: Document, schema: Node) -> Iterator[Node]:
    """The schemas of the items and properties of a schema."""
    for alternative in alternatives(document, schema):
        yield from (child for _, child in alternative.child("properties").entries())
        for keyword in ("items", "additionalProperties"):
            child = alternative.child(keyword)
            if is_mapping(child.value):
                yield child


def leaves(document: Document, part: Node) -> Iterator[Node]:
    """The schemas of one part of a form: of its value, or of the items of a list."""
    for alternative in alternatives(document, part):
        if "array" in types_of(alternative):
            yield from alternatives(document, alternative.child("items"))
        elif "type" in alternative.mapping or "properties" in alternative.mapping:
            yield alternative
