"""Walks the spec: every reference and every schema in it, used or not."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, is_mapping

_EXAMPLE_KEYWORDS = frozenset({"example", "examples"})

_DATA_KEYWORDS = _EXAMPLE_KEYWORDS | {"default", "enum", "const"}
"""Keywords with arbitrary data as value: a `$ref` in it is text, not a reference."""


def all_references(node: Node) -> Iterator[Node]:
    """Every reference object at or below a node."""
    # Below `properties`, a key is the name of a property and never a keyword.
    keys_are_names = node.pointer.endswith("/properties")
    if isinstance(node.get("$ref"), str) and not keys_are_names:
        yield node
    for key, child in node.entries():
        if keys_are_names or key not in _DATA_KEYWORDS:
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
            yield from _with_subschemas(child)
        elif child.pointer == "/components/schemas":
            for _, schema in child.entries():
                yield from _with_subschemas(schema)
        elif key not in _EXAMPLE_KEYWORDS:
            yield from _schemas_below(child)
    for child in node.elements():
        yield from _schemas_below(child)


def _with_subschemas(schema: Node) -> Iterator[Node]:
    # `true`, `false` and broken values: the rule `reject_boolean_schema` looks at the parent.
    if not is_mapping(schema.value):
        return
    yield schema
    for keyword in ("properties", "patternProperties", "$defs"):
        for _, child in schema.child(keyword).entries():
            yield from _with_subschemas(child)
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for child in schema.child(keyword).elements():
            yield from _with_subschemas(child)
    for keyword in ("items", "additionalProperties", "not"):
        yield from _with_subschemas(schema.child(keyword))
