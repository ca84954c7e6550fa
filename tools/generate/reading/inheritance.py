"""Notes where a discriminator describes inheritance, which the client does not read.

OpenAPI 3 has two forms. A discriminator beside `oneOf` or `anyOf` selects a branch, and the client
reads it. A discriminator in a parent schema selects one of the schemas that extend the parent in
their `allOf`. There, the client reads the parent alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..document import Document, Node, json_pointer


def remark_inheritance(document: Document) -> None:
    """Remark each parent with a discriminator, and name the schemas that are not read.

    It has to be called before the branches of `allOf` are merged.
    """
    schemas = document.top.child("components", "schemas")
    for name, schema in schemas.entries():
        is_union = not schema.mapping.keys().isdisjoint({"anyOf", "oneOf"})
        if is_union or not schema.get("discriminator"):
            continue
        children = sorted(_children(schemas, f"#{json_pointer('components', 'schemas', name)}"))
        if children:
            document.remark(
                schema.child("discriminator").pointer,
                f"a value described as {name} is never read or sent as {', '.join(children)}: to"
                f" get these, refer to a schema with a oneOf of them instead of {name}",
            )


def _children(schemas: Node, parent: str) -> Iterator[str]:
    """The names of the components that extend a component."""
    for name, schema in schemas.entries():
        if any(branch.get("$ref") == parent for branch in schema.child("allOf").elements()):
            yield name
