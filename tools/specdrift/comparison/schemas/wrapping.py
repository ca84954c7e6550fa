"""Compares a schema with a union: the schema became a branch, or a branch became the schema.

For example `Pet` became `oneOf: [Pet, Error]`. Compared keyword by keyword, every keyword of `Pet`
would look removed. So the schema is compared with each branch as a whole instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change, Direction
from ..context import Context, Pointers
from ..differences import Action
from .branches import branch_name
from .compatibility import SchemaCompatibility
from .equality import SchemaEquality
from .ids import keyword_in_id
from .pairs import PairResult, SchemaCaches, SchemaPair, schema_pointers
from .types import compare_nullable, type_description


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


class WrappingComparison:
    """Compares a schema with a union."""

    def __init__(
        self, caches: SchemaCaches, equality: SchemaEquality, compatibility: SchemaCompatibility
    ) -> None:
        self._caches = caches
        self._equality = equality
        self._compatibility = compatibility

    def compare_with_new_union(
        self, pair: SchemaPair, base_schema: Schema, revised_schema: Schema
    ) -> PairResult:
        """Report that a schema became a union: the branches that are new.

        One branch continues the schema: an equal one, or else a compatible one, whose differences
        are reported. Without either, that is the only change. A comparison with each branch would
        not help a reader, and the change is breaking whether or not `null` is allowed.
        """
        branches = _union_branches(revised_schema)
        pairs = [SchemaPair(pair.base, (branch.node,), pair.context) for branch in branches]
        continued = [self._are_equal(candidate) for candidate in pairs]
        subschemas = list[SchemaPair]()
        if self._rejects_all(pairs, branches, revised_schema, pair.context):
            return _nothing_continues(base_schema, revised_schema, pair.context)
        if not any(continued):
            compatible = [index for index, item in enumerate(pairs) if self._is_compatible(item)]
            if not compatible:
                return _nothing_continues(base_schema, revised_schema, pair.context)
            index = compatible[0]
            continued[index] = True
            subschemas.append(self._branch_pair(pairs[index], branches[index]))
        new_branches = [
            branch
            for branch, is_continued in zip(branches, continued, strict=True)
            if not is_continued
        ]
        changes = self._branch_changes(
            new_branches, Action.ADDED, pair.context, base_schema, revised_schema
        )
        return PairResult(changes, subschemas)

    def compare_with_removed_union(
        self, pair: SchemaPair, base_schema: Schema, revised_schema: Schema
    ) -> PairResult:
        """Report that a union became one schema: the branches that were removed.

        In a request, the schema can accept more than one of the branches. If it continues none of
        them, the type changed, and that is the only change. oasdiff has an id for a schema that was
        wrapped in a union, but none for the reverse.
        """
        branches = _union_branches(base_schema)
        pairs = [SchemaPair((branch.node,), pair.revised, pair.context) for branch in branches]
        continued = [self._are_equal(candidate) for candidate in pairs]
        subschemas = list[SchemaPair]()
        if not any(continued):
            continued = [self._is_compatible(candidate) for candidate in pairs]
            if not any(continued):
                change = pair.context.change(
                    "*-type-changed",
                    schema_pointers(base_schema, revised_schema),
                    old="one of several schemas",
                    new=type_description(revised_schema),
                )
                return PairResult([change])
            index = continued.index(True)
            subschemas.append(self._branch_pair(pairs[index], branches[index]))
        elif pair.context.direction == Direction.REQUEST:
            # The schema may accept the values of other branches as well.
            continued = [
                is_continued or self._is_compatible(candidate)
                for candidate, is_continued in zip(pairs, continued, strict=True)
            ]
        removed_branches = [
            branch
            for branch, is_continued in zip(branches, continued, strict=True)
            if not is_continued
        ]
        changes = self._branch_changes(
            removed_branches, Action.REMOVED, pair.context, base_schema, revised_schema
        )
        return PairResult(changes, subschemas)

    def _are_equal(self, pair: SchemaPair) -> bool:
        return self._equality.are_equal(pair.base, pair.revised, pair.context)

    def _is_compatible(self, pair: SchemaPair) -> bool:
        # For a decision about equality, a schema that is only compatible is a difference.
        return not self._equality.is_deciding and self._compatibility.is_compatible(pair)

    def _rejects_all(
        self,
        pairs: list[SchemaPair],
        branches: list[_UnionBranch],
        union_schema: Schema,
        context: Context,
    ) -> bool:
        """Whether the union rejects all requests that the schema accepted.

        `oneOf` rejects what matches two of its branches. With a discriminator, only the branch that
        it selects counts.
        """
        if context.direction != Direction.REQUEST or union_schema.discriminator is not None:
            return False
        accepting = (
            pair
            for pair, branch in zip(pairs, branches, strict=True)
            if branch.keyword == "oneOf" and self._is_compatible(pair)
        )
        return len(list(islice(accepting, 2))) > 1

    def _branch_pair(self, pair: SchemaPair, branch: _UnionBranch) -> SchemaPair:
        """A schema and the branch that continues it, at the place of the branch."""
        is_base_branch = pair.base == (branch.node,)
        cache = self._caches.base if is_base_branch else self._caches.revised
        name = branch_name(branch.node, cache)
        return replace(pair, context=pair.context.below(branch.keyword, name))

    def _branch_changes(
        self,
        branches: list[_UnionBranch],
        action: Action,
        context: Context,
        base_schema: Schema,
        revised_schema: Schema,
    ) -> list[Change]:
        """Report added or removed branches, and whether `null` became allowed or forbidden.

        The normal form takes `null` out of the branches, so it has to be compared separately.
        """
        cache = self._caches.revised if action == Action.ADDED else self._caches.base
        changes = list[Change]()
        for branch in branches:
            rule_id = f"*-{keyword_in_id(branch.keyword)}-{action}"
            name = branch_name(branch.node, cache)
            branch_pointers = Pointers.to_both(base_schema.node, branch.node)
            if action == Action.REMOVED:
                branch_pointers = Pointers.to_both(branch.node, revised_schema.node)
            changes.append(context.change(rule_id, branch_pointers, name=name))
        changes += compare_nullable(base_schema, revised_schema, context)
        return changes


def _nothing_continues(base_schema: Schema, revised_schema: Schema, context: Context) -> PairResult:
    pointers = schema_pointers(base_schema, revised_schema)
    return PairResult([context.change("*-wrapped-in-one-of", pointers)])


def _union_branches(schema: Schema) -> list[_UnionBranch]:
    return [
        _UnionBranch(keyword, node) for keyword, nodes in schema.unions.items() for node in nodes
    ]
