"""Compares a schema with a union: the schema became a branch, or a branch became the schema.

For example `Pet` became `oneOf: [Pet, Error]`. Compared keyword by keyword, every keyword of `Pet`
would look removed. So the schema is compared with each branch as a whole instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change
from ..context import Context
from ..differences import Action
from .equality import SchemaEquality
from .ids import keyword_in_id
from .pairs import SchemaPair, schema_pointers
from .types import compare_nullable, type_description
from .unions import branch_name


@dataclass(frozen=True)
class _UnionBranch:
    """A branch of a union, with the keyword of the union."""

    keyword: str
    """`anyOf` or `oneOf`. A schema can have both, so each branch keeps its own.

    Simplification: the branches of both are then treated as one list.
    """
    node: Node


def is_schema_against_union(schema: Schema, union_schema: Schema) -> bool:
    """Return whether the first schema has no union, and the second is nothing but a union.

    A first schema without any restriction does not count: it allows everything, so a comparison
    with the branches says nothing. The union is then reported as an added or removed restriction.
    """
    if schema.unions or not schema.has_restriction:
        return False
    return union_schema.is_only_union


def compare_with_new_union(
    pair: SchemaPair, base_schema: Schema, revised_schema: Schema, equality: SchemaEquality
) -> list[Change]:
    """Report that a schema became a union: the branches that are new.

    If no branch equals the schema, that is the only change. A comparison with each branch would
    not help a reader, and the change is breaking whether or not `null` is allowed.
    """
    branches = _union_branches(revised_schema)
    new_branches = [
        branch
        for branch in branches
        if not equality.are_equal(pair.base, (branch.node,), pair.context)
    ]
    if len(new_branches) == len(branches):
        pointers = schema_pointers(base_schema, revised_schema)
        return [pair.context.change("*-wrapped-in-one-of", pointers)]
    return _branch_changes(new_branches, Action.ADDED, pair.context, base_schema, revised_schema)


def compare_with_removed_union(
    pair: SchemaPair, base_schema: Schema, revised_schema: Schema, equality: SchemaEquality
) -> list[Change]:
    """Report that a union became one schema: the branches that were removed.

    If the schema equals no branch, the type changed, and that is the only change. oasdiff has an id
    for a schema that was wrapped in a union, but none for the reverse.
    """
    branches = _union_branches(base_schema)
    removed_branches = [
        branch
        for branch in branches
        if not equality.are_equal((branch.node,), pair.revised, pair.context)
    ]
    if len(removed_branches) == len(branches):
        change = pair.context.change(
            "*-type-changed",
            schema_pointers(base_schema, revised_schema),
            old="one of several schemas",
            new=type_description(revised_schema),
        )
        return [change]
    return _branch_changes(
        removed_branches, Action.REMOVED, pair.context, base_schema, revised_schema
    )


def _branch_changes(
    branches: list[_UnionBranch],
    action: Action,
    context: Context,
    base_schema: Schema,
    revised_schema: Schema,
) -> list[Change]:
    """Report added or removed branches, and whether `null` became allowed or forbidden.

    The normal form takes `null` out of the branches, so it has to be compared separately.
    """
    pointers = schema_pointers(base_schema, revised_schema)
    changes = list[Change]()
    for branch in branches:
        rule_id = f"*-{keyword_in_id(branch.keyword)}-{action}"
        changes.append(context.change(rule_id, pointers, name=branch_name(branch.node)))
    changes += compare_nullable(base_schema, revised_schema, context)
    return changes


def _union_branches(schema: Schema) -> list[_UnionBranch]:
    return [
        _UnionBranch(keyword, node) for keyword, nodes in schema.unions.items() for node in nodes
    ]
