"""Finds the parts of a document that a schema refers to: a validator compiles only those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from .schema import JsonObject

Steps: TypeAlias = tuple[str, ...]
"""The names that lead to a part of the document, such as `components`, `schemas`, `Contact`."""

PART_LENGTH = 3
"""The steps to a part that is copied as a whole. OpenAPI's components have three steps."""


class References:
    """The references between the parts of one document. Thread-safe.

    Args:
        root: the parsed document; its references must have targets.
    """

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        # A part never changes. So it does not matter which of two threads stores its references.
        self._direct_parts: dict[Steps, frozenset[Steps]] = {}

    def self_contained(self, schema: JsonObject) -> JsonObject:
        """A schema as a document of its own, with the parts that its references lead to.

        The parts have the same places as in the whole document, so that the references stay valid.
        """
        parts: JsonObject = {}
        # A part within another one is there already: the shorter path comes first.
        included: set[Steps] = set()
        for part in sorted(self._reachable_parts(schema), key=len):
            if not any(part[:length] in included for length in range(1, len(part))):
                included.add(part)
                _insert(parts, part, self._target(part))
        return {**schema, **parts}

    def _reachable_parts(self, schema: JsonObject) -> set[Steps]:
        reachable: set[Steps] = set()
        pending = set(_parts_in(schema))
        while pending:
            part = pending.pop()
            reachable.add(part)
            pending |= self._parts_of(part) - reachable
        return reachable

    def _parts_of(self, part: Steps) -> frozenset[Steps]:
        """The parts to which a part refers itself."""
        parts = self._direct_parts.get(part)
        if parts is None:
            parts = frozenset(_parts_in(self._target(part)))
            self._direct_parts[part] = parts
        return parts

    def _target(self, steps: Steps) -> Any:
        return target_of(self._root, steps)


def steps_of(reference: str) -> Steps:
    """The steps of a reference such as `#/components/schemas/Contact` (RFC 6901)."""
    parts = reference.removeprefix("#/").split("/")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def target_of(root: Any, steps: Steps) -> Any:
    """The node to which steps lead.

    Raises:
        KeyError, TypeError, ValueError: there is none.
    """
    node = root
    for step in steps:
        key = int(step) if node.__class__ is list else step
        node = node[key]
    return node


def _parts_in(node: Any) -> Iterator[Steps]:
    """The parts to which the references of a node lead, with repetitions."""
    pending = [node]
    while pending:
        node = pending.pop()
        # The parser returns plain dicts and lists, for which this is the fastest check.
        if node.__class__ is dict:
            reference = node.get("$ref")
            if isinstance(reference, str):
                yield steps_of(reference)[:PART_LENGTH]
            pending += node.values()
        elif node.__class__ is list:
            pending += node


def _insert(parts: JsonObject, steps: Steps, node: Any) -> None:
    *parents, name = steps
    for parent in parents:
        parts = parts.setdefault(parent, {})
    parts[name] = node
