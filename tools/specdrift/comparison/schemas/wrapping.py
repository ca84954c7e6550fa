"""Compares a schema with a union: the schema became a branch, or a branch became the schema."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change
from .equality import SchemaEquality
from .pairs import SchemaPair, keyword_in_id, schema_pointers
from .types import compare_nullable, type_description
from .unions import branch_name


@dataclass(frozen=True)
class _Branch:
    """A branch of a union, with the keyword of the union."""

    keyword: str
    node: Node


def is_wrapped_in_union(schema: Schema, union_schema: Schema) -> bool:
    """Return whether only the second of two schemas is a union, and nothing but a union."""
    return union_schema.is_only_union and not schema.unions and schema.has_restriction


def compare_with_new_union(
    pair: SchemaPair, base_schema: Schema, revised_schema: Schema, equality: SchemaEquality
) -> list[Change]:
    """Report that a schema became a union: the branches that are new.

    If no branch equals the schema, that is the only change. A comparison with each branch would
    not help a reader.
    """
    # A union can have both keywords, so every branch keeps the keyword that it came from.
    branches = _branches(revised_schema)
    new_branches = [
        branch
        for branch in branches
        if not equality.are_equal(pair.base, (branch.node,), pair.context)
    ]
    pointers = schema_pointers(base_schema, revised_schema)
    if len(new_branches) == len(branches):
        return [pair.context.change("*-wrapped-in-one-of", pointers)]
    changes = [
        pair.context.change(
            f"*-{keyword_in_id(branch.keyword)}-added", pointers, name=branch_name(branch.node)
        )
        for branch in new_branches
    ]
    return [*changes, *compare_nullable(base_schema, revised_schema, pair.context)]


def compare_with_removed_union(
    pair: SchemaPair, base_schema: Schema, revised_schema: Schema, equality: SchemaEquality
) -> list[Change]:
    """Report that a union became one schema: the branches that were removed.

    If the schema equals no branch, the type changed.
    """
    branches = _branches(base_schema)
    removed_branches = [
        branch
        for branch in branches
        if not equality.are_equal((branch.node,), pair.revised, pair.context)
    ]
    pointers = schema_pointers(base_schema, revised_schema)
    if len(removed_branches) == len(branches):
        description = type_description(revised_schema)
        return [
            pair.context.change(
                "*-type-changed", pointers, old="one of several schemas", new=description
            )
        ]
    changes = [
        pair.context.change(
            f"*-{keyword_in_id(branch.keyword)}-removed", pointers, name=branch_name(branch.node)
        )
        for branch in removed_branches
    ]
    return [*changes, *compare_nullable(base_schema, revised_schema, pair.context)]


def _branches(schema: Schema) -> list[_Branch]:
    return [_Branch(keyword, node) for keyword, nodes in schema.unions.items() for node in nodes]
