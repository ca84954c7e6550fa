"""The rule for `allOf`: it must be possible to merge the branches into one schema."""

from __future__ import annotations

from collections.abc import Iterator

from ..document import Document, Node, is_mapping
from .keywords import VALIDATED_KEYWORDS

_MERGED_KEYWORDS = frozenset({"allOf", "type", "properties", "required"})


def reject_unmergeable_all_of(document: Document, schema: Node) -> None:
    """Generator and contract turn `allOf` into one branch, or one object with all properties."""
    if "allOf" not in schema.mapping or _is_wrapped_branch(schema):
        return
    required: set[str] = set()
    origins: dict[str, str] = {}
    for part in _parts(document, schema):
        _check_part(document, part)
        required.update(part.child("required").sequence)
        for name in part.child("properties").mapping:
            # A part that is included twice has the same properties at the same place.
            if origins.setdefault(name, part.pointer) != part.pointer:
                raise document.error(
                    part.pointer, f"two schemas of one allOf have a property {name!r}"
                )
    missing = sorted(required - origins.keys())
    if missing:
        raise document.error(
            schema.pointer, f"required names {missing[0]!r}, which is not a property here"
        )


def _is_wrapped_branch(schema: Node) -> bool:
    """Whether the schema only wraps one branch, usually to describe a reference."""
    constraints = schema.mapping.keys() & VALIDATED_KEYWORDS
    return constraints == {"allOf"} and len(schema.mapping["allOf"]) == 1


def _check_part(document: Document, part: Node) -> None:
    unmerged = part.mapping.keys() & VALIDATED_KEYWORDS - _MERGED_KEYWORDS
    if unmerged:
        keyword = min(unmerged)
        raise document.error(
            part.pointer,
            f"only the properties of several schemas in allOf are merged; {keyword} would be lost",
        )
    if part.get("type", "object") != "object":
        raise document.error(part.pointer, "each of several schemas in allOf must be an object")


def _parts(
    document: Document, reference: Node, ancestors: frozenset[str] = frozenset()
) -> Iterator[Node]:
    """The schema and, recursively, the branches of its `allOf`."""
    part = document.resolve(reference)
    if part.pointer in ancestors:
        raise document.error(part.pointer, "an allOf contains itself")
    if not is_mapping(part.value):
        return
    yield part
    for branch in part.child("allOf").elements():
        yield from _parts(document, branch, ancestors | {part.pointer})
