"""Walks the spec: every reference and every schema in it, used or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .document import Document, Node, is_mapping

_COMPONENTS = re.compile(r"/components/[^/]+")
_NAMED_SUBSCHEMAS = frozenset({"$defs", "patternProperties", "properties"})
_LISTED_SUBSCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SUBSCHEMAS = frozenset({"additionalProperties", "items", "not"})

_DATA_KEYWORDS = frozenset({"const", "default", "enum", "example", "examples"})


def is_data(keyword: str) -> bool:
    """Whether the value of a keyword is arbitrary data: a `$ref` in it is text, not a reference."""
    # OpenAPI 3.1, "Specification Extensions": their values have any format.
    return keyword in _DATA_KEYWORDS or keyword.startswith("x-")


def keys_are_names(pointer: str) -> bool:
    """Whether the keys of the mapping at a JSON pointer are names in the spec, not keywords."""
    if pointer.endswith(("/headers", "/properties")):
        # A property can have one of these names itself.
        parent, _, _ = pointer.rpartition("/")
        return not keys_are_names(parent)
    return _COMPONENTS.fullmatch(pointer) is not None


def all_references(node: Node) -> Iterator[Node]:
    """Every reference object at or below a node."""
    has_names = keys_are_names(node.pointer)
    if isinstance(node.get("$ref"), str) and not has_names:
        yield node
    for key, child in node.entries():
        if has_names or not is_data(key):
            yield from all_references(child)
    for child in node.elements():
        yield from all_references(child)


def all_schemas(document: Document) -> Iterator[Node]:
    """Every schema object of the document, in the order of the file."""
    return _schemas_below(document.top)


def _schemas_below(node: Node) -> Iterator[Node]:
    for key, child in node.entries():
        # Parameters, headers and media types have their schema under this key.
        if key == "schema":
            yield from with_subschemas(child)
        elif child.pointer == "/components/schemas":
            for _, schema in child.entries():
                yield from with_subschemas(schema)
        elif not is_data(key) or keys_are_names(node.pointer):
            yield from _schemas_below(child)
    for child in node.elements():
        yield from _schemas_below(child)


def with_subschemas(schema: Node) -> Iterator[Node]:
    """A schema and all schemas in it. References are not followed."""
    # `true`, `false` and broken values: the rule `reject_boolean_schema` looks at the parent.
    if not is_mapping(schema.value):
        return
    yield schema
    # Most schemas have few of these keywords, and this loop runs for each schema of the spec.
    for keyword in schema.mapping:
        if keyword in _NAMED_SUBSCHEMAS:
            for _, child in schema.child(keyword).entries():
                yield from with_subschemas(child)
        elif keyword in _LISTED_SUBSCHEMAS:
            for child in schema.child(keyword).elements():
                yield from with_subschemas(child)
        elif keyword in _SUBSCHEMAS:
            yield from with_subschemas(schema.child(keyword))
