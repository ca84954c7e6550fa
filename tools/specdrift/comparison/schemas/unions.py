"""Compares the branches of two schemas: those of `anyOf`, `oneOf` and `allOf`.

The order of branches means nothing. So branches of the base are matched with branches of the
revision in this order (`_match_branches`):

1. Equal branches. They need no report.
2. Branches of one name. They become pairs, whose differences are reported.
3. The only branch left on each side, if both are inline. They become a pair as well.
4. All others were removed or added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change
from ..context import Context, Pointers
from ..differences import action_between
from .equality import SchemaEquality
from .ids import keyword_in_id
from .pairs import PairResult, SchemaPair, schema_pointers
from .subschemas import restriction_change


@dataclass(frozen=True)
class _UnequalBranches:
    """The branches that have no equal branch on the other side."""

    base: list[Node]
    revised: list[Node]


@dataclass(frozen=True)
class _BranchMatches:
    """How the branches of two unions correspond, except for equal ones."""

    removed: list[Node]
    added: list[Node]
    changed: list[tuple[Node, Node]]
    """Branches of the base with their counterparts in the revision."""


def compare_unions(
    base_schema: Schema, revised_schema: Schema, context: Context, equality: SchemaEquality
) -> PairResult:
    """Report added and removed branches. Changed branches become pairs of subschemas."""
    changes = list[Change]()
    subschemas = list[SchemaPair]()
    base_unions = base_schema.unions
    if _swaps_keyword(base_schema, revised_schema):
        changes += _keyword_changes(base_schema, revised_schema, context)
        base_unions = _base_unions_by_revised_keyword(base_schema, revised_schema)

    for keyword in sorted(base_unions.keys() | revised_schema.unions.keys()):
        if keyword not in base_unions or keyword not in revised_schema.unions:
            # A union beside other keywords is a restriction. `wrapping.py` compares the other case:
            # a schema that is nothing but a union, against a restricted schema without one.
            action = action_between(keyword in base_unions, keyword in revised_schema.unions)
            pointers = schema_pointers(base_schema, revised_schema)
            changes.append(restriction_change(keyword, action, context, pointers))
            continue
        matches = _match_branches(
            base_unions[keyword], revised_schema.unions[keyword], context, equality
        )
        changes += _branch_changes(keyword, matches, base_schema, revised_schema, context)
        for base_branch, revised_branch in matches.changed:
            branch_context = context.below(keyword, branch_name(revised_branch))
            subschemas.append(SchemaPair((base_branch,), (revised_branch,), branch_context))
    return PairResult(changes, subschemas)


def compare_all_of(
    base_schema: Schema, revised_schema: Schema, context: Context, equality: SchemaEquality
) -> Iterator[Change]:
    """Report removed and added branches of an `allOf`.

    Changed ones need no report: their keywords are merged into the schema and compared there.
    """
    if not base_schema.all_of_branches or not revised_schema.all_of_branches:
        return
    matches = _match_branches(
        base_schema.all_of_branches, revised_schema.all_of_branches, context, equality
    )
    pointers = schema_pointers(base_schema, revised_schema)
    if matches.removed:
        yield context.change("*-all-of-removed", pointers)
    if matches.added:
        yield context.change("*-all-of-added", pointers)


def branch_name(branch: Node) -> str:
    """Return the name of a branch: that of its reference, its title, or else its number."""
    if branch.reference is not None:
        return branch.reference.rpartition("/")[2]
    title = branch.get("title")
    if isinstance(title, str):
        return title
    return branch.pointer.rpartition("/")[2]


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


def _branch_changes(
    keyword: str,
    matches: _BranchMatches,
    base_schema: Schema,
    revised_schema: Schema,
    context: Context,
) -> Iterator[Change]:
    keyword_id = keyword_in_id(keyword)
    for branch in matches.removed:
        pointers = Pointers.to_both(branch, revised_schema.node)
        yield context.change(f"*-{keyword_id}-removed", pointers, name=branch_name(branch))
    for branch in matches.added:
        pointers = Pointers.to_both(base_schema.node, branch)
        yield context.change(f"*-{keyword_id}-added", pointers, name=branch_name(branch))


def _match_branches(
    base_branches: list[Node],
    revised_branches: list[Node],
    context: Context,
    equality: SchemaEquality,
) -> _BranchMatches:
    """Match branches that are equal, then those of one name, then the only one left of each side.

    While equality is being decided, equal numbers of branches match if each branch is like some
    branch of the other side. So the unions `[A, A, B]` and `[A, B, B]` count as equal there. That
    is a tolerance: a comparison outside a decision pairs the branches one by one, and reports a
    change. As `anyOf`, both allow the same values. Only as `oneOf` a difference is missed.
    """
    unequal = _branches_without_partner(base_branches, revised_branches, context, equality)
    if unequal.base and equality.is_deciding and len(base_branches) == len(revised_branches):
        unequal = _branches_unlike_all(base_branches, revised_branches, context, equality)

    matches = _match_by_name(unequal)
    # If one branch is left on each side, it is most likely the same branch with changes.
    if len(matches.removed) != 1 or len(matches.added) != 1:
        return matches
    (removed,) = matches.removed
    (added,) = matches.added
    # References with different names are different schemas, even if nothing else is left.
    if removed.reference or added.reference:
        return matches
    return _BranchMatches([], [], [*matches.changed, (removed, added)])


def _branches_without_partner(
    base_branches: list[Node],
    revised_branches: list[Node],
    context: Context,
    equality: SchemaEquality,
) -> _UnequalBranches:
    """Take each branch of the base with the first equal branch of the revision."""
    unequal_base = list[Node]()
    unequal_revised = list(revised_branches)
    for branch in base_branches:
        for candidate in unequal_revised:
            if _are_equal(branch, candidate, context, equality):
                unequal_revised.remove(candidate)
                break
        else:
            unequal_base.append(branch)
    return _UnequalBranches(unequal_base, unequal_revised)


def _branches_unlike_all(
    base_branches: list[Node],
    revised_branches: list[Node],
    context: Context,
    equality: SchemaEquality,
) -> _UnequalBranches:
    """The branches that equal no branch of the other side.

    While equality is only assumed, a branch can take a partner that is not really equal, and so
    leave another branch without one. Only a branch unlike all others is a certain difference, and
    an uncertain one would break the contract of `SchemaComparison`.
    """
    unequal_base = list[Node]()
    for branch in base_branches:
        if not any(
            _are_equal(branch, candidate, context, equality) for candidate in revised_branches
        ):
            unequal_base.append(branch)
    unequal_revised = list[Node]()
    for branch in revised_branches:
        if not any(_are_equal(candidate, branch, context, equality) for candidate in base_branches):
            unequal_revised.append(branch)
    return _UnequalBranches(unequal_base, unequal_revised)


def _are_equal(
    base_branch: Node, revised_branch: Node, context: Context, equality: SchemaEquality
) -> bool:
    return equality.are_equal((base_branch,), (revised_branch,), context)


def _match_by_name(branches: _UnequalBranches) -> _BranchMatches:
    """Match branches with the same `branch_name`: the last part of a reference, or a title.

    The number of a branch is no name.
    """
    removed = list[Node]()
    added = list(branches.revised)
    changed = list[tuple[Node, Node]]()
    for branch in branches.base:
        namesakes = [
            candidate for candidate in added if branch_name(candidate) == branch_name(branch)
        ]
        # Checking one side is enough: the name of a candidate without a reference or title is its
        # number, and a reference or title is hardly ever a number.
        is_named = branch.reference or branch.get("title")
        if is_named and namesakes:
            changed.append((branch, namesakes[0]))
            added.remove(namesakes[0])
        else:
            removed.append(branch)
    return _BranchMatches(removed, added, changed)
