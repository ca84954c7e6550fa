"""Tells what requests and responses need not contain: OpenAPI's `readOnly` and `writeOnly`.

OpenAPI 3.0, "Schema Object": if such a property is required, that applies to one direction only.
OpenAPI 3.1 takes both keywords from JSON Schema, which does not say so, but has no other meaning
for a required one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .document import Document, Node, is_mapping


@dataclass(frozen=True)
class RequiredNames:
    """The required properties of an object by the direction in which they are required."""

    always: list[str]
    in_requests: list[str]
    in_responses: list[str]


def required_names(
    document: Document, names: Iterable[str], properties: dict[str, Node]
) -> RequiredNames:
    """Split required names by direction.

    Args:
        document: the spec.
        names: what a schema requires.
        properties: the properties that it describes, with those of its `allOf`.
    """
    required = RequiredNames([], [], [])
    for name in names:
        schema = properties.get(name)
        read_only = schema is not None and is_read_only(document, schema)
        write_only = schema is not None and is_write_only(document, schema)
        if not read_only and not write_only:
            required.always.append(name)
        elif not read_only:
            required.in_requests.append(name)
        elif not write_only:
            required.in_responses.append(name)
    return required


def is_read_only(document: Document, schema: Node) -> bool:
    """Whether only responses have the property of this schema."""
    return has_flag(document, schema, "readOnly")


def is_write_only(document: Document, schema: Node) -> bool:
    """Whether only requests have the property of this schema."""
    return has_flag(document, schema, "writeOnly")


def has_flag(document: Document, schema: Node, keyword: str) -> bool:
    """Whether a keyword is true: in a schema, in the target of its `$ref`, or in its `allOf`."""
    if schema.get(keyword) is True:
        return True
    return any(part.get(keyword) is True for part in all_of_parts(document, schema, frozenset()))


def all_of_parts(document: Document, schema: Node, ancestors: frozenset[str]) -> Iterator[Node]:
    """The target of a schema, and the branches of its `allOf`, each also before its `$ref`."""
    part = document.resolve(schema)
    if part.pointer in ancestors or not is_mapping(part.value):
        return
    yield part
    for branch in part.child("allOf").elements():
        # Keywords can be beside a `$ref`.
        yield branch
        yield from all_of_parts(document, branch, ancestors | {part.pointer})
