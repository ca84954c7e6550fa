"""Compares the unions of two schemas: the branches of `anyOf`, `oneOf` and `allOf`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change
from ..context import Context, Pointers
from ..differences import action_between
from .equality import SchemaEquality
from .pairs import PairResult, SchemaPair, keyword_in_id, schema_pointers
from .subschemas import restriction_change


@dataclass(frozen=True)
class _Branches:
    """The branches of a union that have no equal branch on the other side."""

    removed: list[Node]
    added: list[Node]


@dataclass(frozen=True)
class _Matches:
    """How the branches of two unions correspond, except for equal ones."""

    removed: list[Node]
    added: list[Node]
    changed: list[tuple[Node, Node]]
    """Branches of the base with their counterparts."""


def compare_unions(
    base_schema: Schema, revised_schema: Schema, context: Context, equality: SchemaEquality
) -> PairResult:
    """Report added and removed branches. Changed branches become pairs of subschemas."""
    changes = list[Change]()
    subschemas = list[SchemaPair]()
    base_unions = base_schema.unions
    if _swaps_keyword(base_schema, revised_schema):
        changes += _keyword_changes(base_schema, revised_schema, context)
        base_unions = _with_keyword_of(revised_schema, base_schema)

    for keyword in sorted(base_unions.keys() | revised_schema.unions.keys()):
        if keyword not in base_unions or keyword not in revised_schema.unions:
            # A union beside other keywords is a restriction.
            action = action_between(keyword in base_unions, keyword in revised_schema.unions)
            pointers = schema_pointers(base_schema, revised_schema)
            changes.append(restriction_change(keyword, keyword, action, context, pointers))
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
    """Report that an `allOf` has more or fewer parts."""
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


def _with_keyword_of(revised_schema: Schema, base_schema: Schema) -> dict[str, list[Node]]:
    """The branches of the base schema by the keyword of the revised schema."""
    (keyword,) = revised_schema.unions
    (branches,) = base_schema.unions.values()
    return {keyword: branches}


def _branch_changes(
    keyword: str, matches: _Matches, base_schema: Schema, revised_schema: Schema, context: Context
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
) -> _Matches:
    """Match branches that are equal, then those of one name, then the last one of each side."""
    # Reordered branches are no change, so the position of a branch does not matter.
    unequal = _branches_without_partner(base_branches, revised_branches, context, equality)
    if unequal.removed and equality.is_deciding and len(base_branches) == len(revised_branches):
        unequal = _branches_unlike_all(base_branches, revised_branches, context, equality)

    matches = _match_by_name(unequal)
    # A single branch left on each side is most likely the same branch with changes.
    if len(matches.removed) != 1 or len(matches.added) != 1:
        return matches
    (removed,) = matches.removed
    (added,) = matches.added
    # References with different names are different schemas, even if nothing else remains.
    if removed.reference or added.reference:
        return matches
    return _Matches([], [], [*matches.changed, (removed, added)])


def _branches_without_partner(
    base_branches: list[Node],
    revised_branches: list[Node],
    context: Context,
    equality: SchemaEquality,
) -> _Branches:
    """Take each branch of the base with the first equal branch of the revision."""
    removed = list[Node]()
    added = list(revised_branches)
    for branch in base_branches:
        for candidate in added:
            if _are_equal(branch, candidate, context, equality):
                added.remove(candidate)
                break
        else:
            removed.append(branch)
    return _Branches(removed, added)


def _branches_unlike_all(
    base_branches: list[Node],
    revised_branches: list[Node],
    context: Context,
    equality: SchemaEquality,
) -> _Branches:
    """The branches that equal no branch of the other side.

    While equality is only assumed, a branch can take a partner that is not really equal, and so
    leave another branch without one. Only a branch unlike all others is a certain difference.
    """
    removed = list[Node]()
    for branch in base_branches:
        if not any(
            _are_equal(branch, candidate, context, equality) for candidate in revised_branches
        ):
            removed.append(branch)
    added = list[Node]()
    for branch in revised_branches:
        if not any(_are_equal(candidate, branch, context, equality) for candidate in base_branches):
            added.append(branch)
    return _Branches(removed, added)


def _are_equal(
    base_branch: Node, revised_branch: Node, context: Context, equality: SchemaEquality
) -> bool:
    return equality.are_equal((base_branch,), (revised_branch,), context)


def _match_by_name(branches: _Branches) -> _Matches:
    """Match branches with the same reference or title. A number is no name."""
    removed = list[Node]()
    added = list(branches.added)
    changed = list[tuple[Node, Node]]()
    for branch in branches.removed:
        namesakes = [
            candidate for candidate in added if branch_name(candidate) == branch_name(branch)
        ]
        is_named = branch.reference or branch.get("title")
        if is_named and namesakes:
            changed.append((branch, namesakes[0]))
            added.remove(namesakes[0])
        else:
            removed.append(branch)
    return _Matches(removed, added, changed)
