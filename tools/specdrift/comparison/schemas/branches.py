"""Finds which branches of two unions correspond, and names them.

The order of branches means nothing, and a branch often has no name. So branches are matched in this
order, and each step only sees what the earlier ones left over:

1. The same structure, under whatever name: a renamed or reordered branch.
2. The same name (that of a reference, or a title), the same text, or else the same structure on
   fewer and fewer levels, as long as it is that of one branch on each side.
3. A branch that is itself such a union is replaced by its branches, which begin with step 1.
4. Equal schemas that are written differently. A branch that equals a branch of the other side with
   another counterpart is dropped: the union repeats it.
5. Compatible schemas: the revised branch allows what it has to.
6. Similar schemas: the same value of a discriminating property, the same values, or at least half
   of the properties in common.
7. The only branch left on each side, if both are inline.

All others were removed or added. While `SchemaEquality` decides about two unions, a branch that is
merely compatible or similar is a difference, so only the first steps count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from ...model.document import Node, unescaped
from ...model.schema import Schema
from ..context import Context
from .compatibility import SchemaCompatibility
from .equality import SchemaEquality
from .pairs import SchemaCache, SchemaCaches, SchemaPair
from .signatures import SchemaSignatures, SignatureTable
from .types import type_description

_SIGNATURE_DEPTH = 4
"""How many levels of two branches are compared first to recognize one as the other.

A difference below is reported as a change of the branch.
"""

_FULL_SIGNATURE_DEPTH = 20
"""How many levels count where several branches are the same on the first ones."""

_SIMILAR = 0.5
"""The share of common properties from which on two objects count as one with changes."""

_MAXIMUM_NAMED_PROPERTIES = 3
"""How many properties or values the description of an unnamed branch lists."""

_MAXIMUM_COMPARED_BRANCHES = 50
"""Up to this number of unmatched branches, each is compared with each branch of the other side.

Of more branches, those that are equal but look different count as removed and added.
"""


@dataclass
class BranchMatches:
    """How the branches of two unions correspond."""

    removed: list[Node]
    """The branches of the base without a counterpart. Matching takes branches from here."""
    added: list[Node]
    """The branches of the revision without a counterpart."""
    matched: list[tuple[Node, Node]] = field(default_factory=list[tuple[Node, Node]])
    """Branches of the base with their counterparts in the revision, which may be equal."""

    def match(self, base_branch: Node, revised_branch: Node) -> None:
        """Take two branches for versions of one."""
        self.removed.remove(base_branch)
        self.added.remove(revised_branch)
        self.matched.append((base_branch, revised_branch))


_Predicate: TypeAlias = Callable[[Node, Node], bool]


class BranchMatcher:
    """Matches branches of unions of the two documents."""

    def __init__(
        self, caches: SchemaCaches, equality: SchemaEquality, compatibility: SchemaCompatibility
    ) -> None:
        self._caches = caches
        self._signatures = SignatureTable(caches)
        self._equality = equality
        self._compatibility = compatibility

    def match(
        self,
        keyword: str,
        base_branches: list[Node],
        revised_branches: list[Node],
        context: Context,
    ) -> BranchMatches:
        """Match the branches of two unions; see the module.

        Args:
            keyword: `anyOf`, `oneOf` or `allOf`.
            base_branches: The branches in the base.
            revised_branches: The branches in the revision.
            context: The place of the unions.
        """
        matches = BranchMatches(list(base_branches), list(revised_branches))
        self._match_by_structure_and_name(matches)
        if self._take_apart(keyword, matches):
            self._match_by_structure_and_name(matches)
            base_branches = _without_nested_unions(keyword, base_branches, self._caches.base)
            revised_branches = _without_nested_unions(
                keyword, revised_branches, self._caches.revised
            )
        if self._equality.is_deciding:
            self._drop_repeated(matches, base_branches, revised_branches, context)
            return matches
        if max(len(matches.removed), len(matches.added)) <= _MAXIMUM_COMPARED_BRANCHES:
            _match_pairs(matches, lambda base, revised: self._are_equal(base, revised, context))
            self._drop_repeated(matches, base_branches, revised_branches, context)
            _match_pairs(
                matches, lambda base, revised: self._are_compatible(base, revised, context)
            )
            self._match_by_similarity(matches)
        # If one branch is left on each side, it is most likely the same branch with changes.
        if len(matches.removed) == 1 and len(matches.added) == 1:
            _match_pairs(matches, _are_inline)
        return matches

    def _match_by_structure_and_name(self, matches: BranchMatches) -> None:
        # Few levels are cheap, and recognize a branch that changed far below. Only where several
        # branches look the same there, more levels tell them apart.
        self._match_by_signature(matches, _SIGNATURE_DEPTH, skips_ambiguous=True)
        self._match_by_signature(matches, _FULL_SIGNATURE_DEPTH)
        _match_by_name(matches)
        _match_pairs(matches, _are_written_alike)
        self._match_by_signature(matches, _SIGNATURE_DEPTH)
        # The more levels two branches have in common, the more likely they are one.
        for depth in range(_SIGNATURE_DEPTH - 1, 0, -1):
            self._match_by_signature(matches, depth, skips_ambiguous=True)

    def _take_apart(self, keyword: str, matches: BranchMatches) -> bool:
        """Replace each branch without a counterpart that is such a union by its branches.

        `anyOf: [A, {anyOf: [B, C]}]` means the same as `anyOf: [A, B, C]`. With `oneOf`, only a
        value that matches A, B and C makes a difference, which is ignored.

        Returns:
            Whether there was such a branch.
        """
        removed = _without_nested_unions(keyword, matches.removed, self._caches.base)
        added = _without_nested_unions(keyword, matches.added, self._caches.revised)
        if removed == matches.removed and added == matches.added:
            return False
        matches.removed = removed
        matches.added = added
        return True

    def _match_by_signature(
        self, matches: BranchMatches, depth: int, *, skips_ambiguous: bool = False
    ) -> None:
        if not matches.removed or not matches.added:
            return
        base_groups = _groups_by_signature(matches.removed, self._signatures.base, depth)
        revised_groups = _groups_by_signature(matches.added, self._signatures.revised, depth)
        for signature, base_group in base_groups.items():
            revised_group = revised_groups.get(signature, [])
            is_ambiguous = len(base_group) > 1 or len(revised_group) > 1
            if is_ambiguous and skips_ambiguous:
                continue
            group = BranchMatches(base_group, revised_group)
            # Of several branches with one structure, that of the same name is the counterpart.
            _match_by_name(group)
            others = zip(group.removed, group.added, strict=False)
            for base_branch, revised_branch in [*group.matched, *others]:
                matches.match(base_branch, revised_branch)

    def _drop_repeated(
        self,
        matches: BranchMatches,
        base_branches: list[Node],
        revised_branches: list[Node],
        context: Context,
    ) -> None:
        """Drop the branches that equal a branch of the other side, although that has a counterpart.

        A union that repeats a branch in another form counts as the union without the repetition,
        like one that repeats it literally. As `anyOf`, both allow the same values. Only as `oneOf`
        a difference is missed.

        Decisions about equality do the same. While equality is only assumed, a branch can take a
        partner that is not really equal, and so leave another branch without one. Only a branch
        unlike all others is a certain difference, and an uncertain one would break the contract of
        `SchemaComparison`.
        """
        matches.removed = [
            branch
            for branch in matches.removed
            if not any(
                self._are_equal(branch, candidate, context) for candidate in revised_branches
            )
        ]
        matches.added = [
            branch
            for branch in matches.added
            if not any(self._are_equal(candidate, branch, context) for candidate in base_branches)
        ]

    def _are_equal(self, base_branch: Node, revised_branch: Node, context: Context) -> bool:
        return self._equality.are_equal((base_branch,), (revised_branch,), context)

    def _are_compatible(self, base_branch: Node, revised_branch: Node, context: Context) -> bool:
        pair = SchemaPair((base_branch,), (revised_branch,), context)
        return self._compatibility.is_compatible(pair)

    def _match_by_similarity(self, matches: BranchMatches) -> None:
        """Match the most similar branches first. Two references of different names stay apart."""
        scores: list[tuple[float, int, Node, Node]] = []
        for base_branch in matches.removed:
            base_schema = self._caches.base.schema((base_branch,))
            for revised_branch in matches.added:
                if base_branch.reference and revised_branch.reference:
                    continue
                revised_schema = self._caches.revised.schema((revised_branch,))
                score = _similarity(base_schema, revised_schema, self._caches)
                if score >= _SIMILAR:
                    scores.append((-score, len(scores), base_branch, revised_branch))
        for _, _, base_branch, revised_branch in sorted(scores, key=_rank):
            if base_branch in matches.removed and revised_branch in matches.added:
                matches.match(base_branch, revised_branch)


def branch_name(branch: Node, cache: SchemaCache) -> str:
    """Return the name of a branch: that of its reference, its title, or else what it is.

    Args:
        branch: The branch.
        cache: The schemas of its document.
    """
    return _explicit_name(branch) or _description(cache.schema((branch,)), cache)


def _description(schema: Schema, cache: SchemaCache) -> str:
    description = type_description(schema)
    for name, values in _property_values(schema, cache).items():
        if len(values) == 1:
            (value,) = values.values()
            return f"{description} with {name}={value}"
    if schema.values is not None and len(schema.values) <= _MAXIMUM_NAMED_PROPERTIES:
        return f"{description} {', '.join(schema.values)}"
    if schema.properties:
        names = list(schema.properties)[:_MAXIMUM_NAMED_PROPERTIES]
        if len(names) < len(schema.properties):
            names.append("…")
        return f"{description} with {', '.join(names)}"
    return description


def _groups_by_signature(
    branches: list[Node], signatures: SchemaSignatures, depth: int
) -> dict[int, list[Node]]:
    groups = dict[int, list[Node]]()
    for branch in branches:
        groups.setdefault(signatures.signature((branch,), depth), []).append(branch)
    return groups


def _without_nested_unions(
    keyword: str, branches: Iterable[Node], cache: SchemaCache
) -> list[Node]:
    """The branches of a union, with those of each union inside it that has the same keyword."""
    flat_branches = list[Node]()
    visited = set[Node]()
    pending = deque(branches)
    while pending:
        branch = pending.popleft()
        schema = cache.schema((branch,))
        is_nested = schema.is_only_union and schema.unions.keys() == {keyword}
        if not is_nested or schema.nullable or schema.discriminator is not None:
            flat_branches.append(branch)
        elif branch.target not in visited:
            # A union that contains itself adds nothing to itself.
            visited.add(branch.target)
            pending += schema.unions[keyword]
    return flat_branches


def _match_pairs(matches: BranchMatches, correspond: _Predicate) -> None:
    """Match each branch of the base with the first one left that corresponds to it."""
    for base_branch in list(matches.removed):
        for revised_branch in matches.added:
            if correspond(base_branch, revised_branch):
                matches.match(base_branch, revised_branch)
                break


def _match_by_name(matches: BranchMatches) -> None:
    """Match each branch of the base with the first one left that has the same explicit name."""
    revised_branches = dict[str, list[Node]]()
    for branch in matches.added:
        name = _explicit_name(branch)
        if name is not None:
            revised_branches.setdefault(name, []).append(branch)
    for branch in list(matches.removed):
        name = _explicit_name(branch)
        if name is not None and revised_branches.get(name):
            matches.match(branch, revised_branches[name].pop(0))


def _are_written_alike(base_branch: Node, revised_branch: Node) -> bool:
    """Whether both have the same text. What it refers to may have changed."""
    return bool(base_branch.value == revised_branch.value)


def _explicit_name(branch: Node) -> str | None:
    """The name of the reference of a branch, or else its title; None without both."""
    if branch.reference is not None:
        name = unescaped(branch.reference.rpartition("/")[2])
        # A reference to a whole file ends with the name of the file.
        return name if "#" in branch.reference else PurePosixPath(name).stem
    title = branch.get("title")
    return title if isinstance(title, str) else None


def _are_inline(base_branch: Node, revised_branch: Node) -> bool:
    return not base_branch.reference and not revised_branch.reference


def _rank(score: tuple[float, int, Node, Node]) -> tuple[float, int]:
    return score[:2]


def _similarity(base_schema: Schema, revised_schema: Schema, caches: SchemaCaches) -> float:
    """How likely two schemas are versions of one, from 0 to 1."""
    if base_schema.types != revised_schema.types:
        return 0
    if base_schema.values is not None and revised_schema.values is not None:
        return _share(base_schema.values, revised_schema.values)
    base_values = _property_values(base_schema, caches.base)
    revised_values = _property_values(revised_schema, caches.revised)
    for name in base_values.keys() & revised_values.keys():
        # Such a property discriminates: it decides which branch a value belongs to.
        if base_values[name].keys().isdisjoint(revised_values[name]):
            return 0
    for name, values in base_values.items():
        if len(values) == 1 and values == revised_values.get(name):
            return 1
    if not base_schema.properties and not revised_schema.properties:
        return _SIMILAR
    return _share(base_schema.properties, revised_schema.properties)


def _property_values(schema: Schema, cache: SchemaCache) -> dict[str, dict[str, Any]]:
    """The values of each property that is restricted to some, by their canonical texts."""
    values = dict[str, dict[str, Any]]()
    for name, nodes in schema.properties.items():
        property_values = cache.schema(nodes).values
        if property_values is not None:
            values[name] = property_values
    return values


def _share(base_names: Iterable[str], revised_names: Iterable[str]) -> float:
    common_names = set(base_names) & set(revised_names)
    all_names = set(base_names) | set(revised_names)
    return len(common_names) / len(all_names) if all_names else 0
