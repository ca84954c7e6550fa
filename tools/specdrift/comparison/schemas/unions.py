"""Compares the branches of two schemas: those of `anyOf`, `oneOf` and `allOf`.

`branches.py` finds out which branches correspond.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change
from ..context import Context, Pointers
from ..differences import action_between
from .branches import BranchMatcher, BranchMatches, branch_name
from .ids import keyword_in_id
from .pairs import PairResult, SchemaCaches, SchemaPair, schema_pointers
from .subschemas import restriction_change


class UnionComparison:
    """Compares the unions of two schemas, and the branches of their `allOf`."""

    def __init__(self, caches: SchemaCaches, matcher: BranchMatcher) -> None:
        self._caches = caches
        self._matcher = matcher

    def compare_unions(
        self, base_schema: Schema, revised_schema: Schema, context: Context
    ) -> PairResult:
        """Report added and removed branches. Corresponding branches become pairs of subschemas."""
        changes = list[Change]()
        subschemas = list[SchemaPair]()
        base_unions = base_schema.unions
        if _swaps_keyword(base_schema, revised_schema):
            changes += _keyword_changes(base_schema, revised_schema, context)
            base_unions = _base_unions_by_revised_keyword(base_schema, revised_schema)

        for keyword in sorted(base_unions.keys() | revised_schema.unions.keys()):
            if keyword not in base_unions or keyword not in revised_schema.unions:
                # A union beside other keywords is a restriction. `wrapping.py` compares the other
                # case: a schema that is nothing but a union, against a schema without one.
                action = action_between(keyword in base_unions, keyword in revised_schema.unions)
                pointers = schema_pointers(base_schema, revised_schema)
                changes.append(restriction_change(keyword, action, context, pointers))
                continue
            is_null_allowed = bool(base_schema.nullable and revised_schema.nullable)
            matches = self._matcher.match(
                keyword,
                base_unions[keyword],
                revised_schema.unions[keyword],
                replace(context, is_null_allowed_around=is_null_allowed),
            )
            changes += self._branch_changes(keyword, matches, base_schema, revised_schema, context)
            for base_branch, revised_branch in matches.matched:
                name = branch_name(revised_branch, self._caches.revised)
                branch_context = replace(
                    context.below(keyword, name), is_null_allowed_around=is_null_allowed
                )
                subschemas.append(SchemaPair((base_branch,), (revised_branch,), branch_context))
        return PairResult(changes, subschemas)

    def compare_all_of(
        self, base_schema: Schema, revised_schema: Schema, context: Context
    ) -> Iterator[Change]:
        """Report removed and added branches of an `allOf`.

        Changed ones need no report: their keywords are merged into the schema and compared there.
        """
        if not base_schema.all_of_branches or not revised_schema.all_of_branches:
            return
        matches = self._matcher.match(
            "allOf", base_schema.all_of_branches, revised_schema.all_of_branches, context
        )
        pointers = schema_pointers(base_schema, revised_schema)
        if matches.removed:
            yield context.change("*-all-of-removed", pointers)
        if matches.added:
            yield context.change("*-all-of-added", pointers)

    def _branch_changes(
        self,
        keyword: str,
        matches: BranchMatches,
        base_schema: Schema,
        revised_schema: Schema,
        context: Context,
    ) -> Iterator[Change]:
        keyword_id = keyword_in_id(keyword)
        for branch in matches.removed:
            pointers = Pointers.to_both(branch, revised_schema.node)
            name = branch_name(branch, self._caches.base)
            yield context.change(f"*-{keyword_id}-removed", pointers, name=name)
        for branch in matches.added:
            pointers = Pointers.to_both(base_schema.node, branch)
            name = branch_name(branch, self._caches.revised)
            yield context.change(f"*-{keyword_id}-added", pointers, name=name)


def _swaps_keyword(base_schema: Schema, revised_schema: Schema) -> bool:
    """Whether `oneOf` became `anyOf` or the reverse."""
    if len(base_schema.unions) != 1 or len(revised_schema.unions) != 1:
        return False
    return base_schema.unions.keys() != revised_schema.unions.keys()


def _keyword_changes(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    # A discriminator selects one branch, so that both keywords mean the same.
    if base_schema.discriminator and revised_schema.discriminator:
        return
    was_exclusive = "oneOf" in base_schema.unions
    rule_id = "*-one-of-generalized" if was_exclusive else "*-any-of-specialized"
    yield context.change(rule_id, schema_pointers(base_schema, revised_schema))


def _base_unions_by_revised_keyword(
    base_schema: Schema, revised_schema: Schema
) -> dict[str, list[Node]]:
    """The union of the base schema under the keyword of the revised schema."""
    (keyword,) = revised_schema.unions
    (branches,) = base_schema.unions.values()
    return {keyword: branches}
