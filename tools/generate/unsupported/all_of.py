"""The rule for `allOf`: it must be possible to merge the branches into one schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..document import Document, Node, SpecError, is_mapping
from .keywords import VALIDATED_KEYWORDS

_MERGED_KEYWORDS = frozenset({"allOf", "type", "properties", "required"})

_TEXT_KEYWORDS = frozenset({"contentEncoding", "contentMediaType", "format"})
"""What decides about the Python type of a text or a number."""


def find_unmergeable_all_of(document: Document, schema: Node) -> Iterator[SpecError]:
    """Generator and contract turn `allOf` into one branch, or one object with all properties.

    `reading` merges the others, if it can.
    """
    if "allOf" not in schema.mapping or _is_wrapped_branch(schema):
        return
    origins: dict[str, Node] = {}
    for part in _parts(document, schema, frozenset()):
        if part.contains_itself:
            yield document.error(part.schema.pointer, "an allOf contains itself")
            return
        yield from _find_unmerged(document, part.schema)
        for name, child in part.schema.child("properties").entries():
            # A part can be included twice, and some documents repeat a property in each part.
            if origins.setdefault(name, child).value != child.value:
                yield document.error(
                    part.schema.pointer, f"two schemas of one allOf have a property {name!r}"
                )


def _is_wrapped_branch(schema: Node) -> bool:
    """Whether the schema only wraps one branch, usually to describe a reference."""
    constraints = schema.mapping.keys() & VALIDATED_KEYWORDS
    return constraints == {"allOf"} and len(schema.mapping["allOf"]) == 1


def _find_unmerged(document: Document, part: Node) -> Iterator[SpecError]:
    unmerged = part.mapping.keys() & VALIDATED_KEYWORDS - _MERGED_KEYWORDS
    # It allows what is allowed anyway.
    if part.get("additionalProperties") in (True, {}):
        unmerged -= {"additionalProperties"}
    is_object = part.get("type", "object") == "object"
    if not is_object:
        unmerged |= part.mapping.keys() & _TEXT_KEYWORDS
    for keyword in sorted(unmerged):
        yield document.error(
            part.pointer,
            f"the schemas of this allOf have no clear common meaning; {keyword} would be lost",
        )
    if not is_object:
        yield document.error(part.pointer, "each of several schemas in allOf must be an object")


@dataclass(frozen=True)
class _Part:
    """The schema around an `allOf`, or one of its branches."""

    schema: Node
    contains_itself: bool = False


def _parts(document: Document, reference: Node, ancestors: frozenset[str]) -> Iterator[_Part]:
    """The schema and, recursively, the branches of its `allOf`."""
    part = document.resolve(reference)
    if part.pointer in ancestors:
        yield _Part(part, contains_itself=True)
        return
    if not is_mapping(part.value):
        return
    yield _Part(part)
    for branch in part.child("allOf").elements():
        yield from _parts(document, branch, ancestors | {part.pointer})
