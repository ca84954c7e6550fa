"""The rule for schemas that contain themselves: an object must be in between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..document import Document, Node, SpecError

_COMPONENT = re.compile(r"/components/schemas/[^/]+")


def find_endless_type(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator has a class, which can refer to itself, of an object only."""
    # Nothing else can be referred to by its own parts.
    if not _COMPONENT.fullmatch(schema.pointer) or "$ref" in schema.mapping:
        return
    visited: set[str] = set()
    pending = list(_parts(schema))
    while pending:
        part = document.resolve(pending.pop())
        if part.pointer == schema.pointer:
            yield document.error(
                schema.pointer,
                "this schema contains itself through lists and unions alone: put an object in"
                " between, which has the list as a property",
            )
            return
        if part.pointer not in visited:
            visited.add(part.pointer)
            pending += _parts(part)


def _parts(schema: Node) -> Iterator[Node]:
    """The schemas that are a part of the Python type of a schema."""
    for keyword in ("anyOf", "oneOf"):
        yield from schema.child(keyword).elements()
    if "items" in schema.mapping:
        yield schema.child("items")
