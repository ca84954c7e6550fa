"""Recognizes schemas of the same structure, so that a branch is found under another name or order.

A signature is a number. Two schemas have the same signature of some depth if their normal forms
cannot be told apart down to that depth. Names of components do not count, so a renamed schema keeps
its signature. Comparing signatures is far cheaper than deciding whether two schemas are equal.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from ...model.schema import Nodes, Schema
from .pairs import SchemaCache, SchemaCaches, resolved_nodes


class SignatureTable:
    """The signatures of the schemas of both documents."""

    def __init__(self, caches: SchemaCaches) -> None:
        # Both documents share the numbers, so that their signatures can be compared.
        numbers: dict[Hashable, int] = {}
        self.base = SchemaSignatures(caches.base, numbers)
        self.revised = SchemaSignatures(caches.revised, numbers)


class SchemaSignatures:
    """The signatures of the schemas of one document, each computed once."""

    def __init__(self, cache: SchemaCache, numbers: dict[Hashable, int]) -> None:
        self._cache = cache
        self._numbers = numbers
        self._signatures: dict[tuple[Nodes, int], int] = {}

    def signature(self, nodes: Nodes, depth: int) -> int:
        """Return the signature of a schema.

        Args:
            nodes: The schema.
            depth: How many levels of subschemas count.
        """
        key = (resolved_nodes(nodes), depth)
        if key not in self._signatures:
            schema = self._cache.schema(nodes)
            content = (_own_content(schema), frozenset(self._subschemas(schema, depth)))
            self._signatures[key] = self._numbers.setdefault(content, len(self._numbers))
        return self._signatures[key]

    def _subschemas(self, schema: Schema, depth: int) -> Iterator[tuple[str, Hashable]]:
        if depth == 0:
            return
        for name, nodes in schema.properties.items():
            yield f"properties/{name}", self.signature(nodes, depth - 1)
        for keyword, nodes in schema.subschemas.items():
            yield keyword, self.signature(nodes, depth - 1)
        for keyword, group in schema.subschema_groups.items():
            for name, nodes in group.items():
                yield f"{keyword}/{name}", self.signature(nodes, depth - 1)
        for keyword, branches in schema.unions.items():
            # Neither the order of branches nor a repeated branch means anything.
            yield keyword, frozenset(self.signature((branch,), depth - 1) for branch in branches)


def _own_content(schema: Schema) -> Hashable:
    """Everything in a schema except its subschemas."""
    discriminator = schema.discriminator
    return (
        schema.types,
        schema.nullable,
        None if schema.values is None else frozenset(schema.values),
        frozenset(schema.limits.items()),
        frozenset(schema.restrictions.items()),
        schema.default,
        frozenset(schema.flags),
        frozenset(schema.required),
        frozenset(schema.dependent_required.items()),
        frozenset(schema.properties),
        None if discriminator is None else str(discriminator.get("propertyName")),
        schema.unresolved_references,
    )
