"""Compares two schemas and everything below them, in whatever way they refer to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...model.document import Node
from ...model.schema import NEVER, Schema
from ...rules import Change, worst
from ..context import Context
from .branches import BranchMatcher
from .compatibility import SchemaCompatibility
from .discriminators import compare_discriminators
from .equality import SchemaEquality
from .graph import PairGraph
from .limits import compare_limits
from .pairs import PairResult, SchemaCache, SchemaCaches, SchemaPair, StepBudget, schema_pointers
from .properties import compare_properties, property_pairs
from .restrictions import compare_dependent_required, compare_restrictions
from .subschemas import compare_subschemas, subschema_pairs
from .types import compare_nullable, compare_types, type_description
from .unions import UnionComparison
from .values import compare_default, compare_values
from .wrapping import WrappingComparison, is_schema_against_union

_NOTHING = frozenset({NEVER})


@dataclass(frozen=True)
class _Reported:
    """What was reported for one part of an operation, such as its request body."""

    nodes: set[int] = field(default_factory=set[int])
    """The nodes of the graph: a pair that returns under another path is not reported again."""
    changes: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    """What identifies each change, whatever its path is."""


class SchemaComparison:
    """Compares the schemas of two documents, and reports each pair once for each place.

    The comparison and `SchemaEquality` call each other. To compare two unions, `_compare_pair` asks
    which of their branches are equal. To decide that, `SchemaEquality` calls `_compare_pair` for
    two branches: they are equal if it reports no change for them and for all pairs below them.

    Schemas can contain themselves, so such a decision can need its own result. It then assumes that
    the pair is equal, and corrects the assumption later (see `equality.py`). That works under one
    contract, which every comparison has to keep: **assuming more pairs to be equal must never turn
    a pair without changes into one with changes.** Otherwise a difference found under an assumption
    could be wrong.
    """

    def __init__(self) -> None:
        self._budget = StepBudget()
        self._caches = SchemaCaches(SchemaCache(self._budget), SchemaCache(self._budget))
        self._equality = SchemaEquality(self._compare_pair, self._budget)
        compatibility = SchemaCompatibility(self._compare_pair)
        matcher = BranchMatcher(self._caches, self._equality, compatibility)
        self._unions = UnionComparison(self._caches, matcher)
        self._wrapping = WrappingComparison(self._caches, self._equality, compatibility)
        self._graph = PairGraph(self._compare_pair)
        self._operation = ""
        # What was reported for each part of the current operation.
        self._reported: dict[Context, _Reported] = {}

    def changes(self, base: Node, revised: Node, context: Context) -> Iterator[Change]:
        """Yield the differences of two schemas that were not yielded for the same place before.

        Raises:
            TooComplexError: The comparison takes too many steps, or a value is nested too deeply.
        """
        start = SchemaPair((base,), (revised,), context)
        reported = self._reported_for(context)
        for change in self._graph.changes(start, reported.nodes):
            # The schema of a body can return below itself, which is another kind of place.
            # Two properties can refer to one component, so their names count. The severity counts,
            # because only one of them may be sent.
            name = change.path[-1] if change.path else ""
            places = (change.base_pointer, change.revision_pointer)
            key = (change.id, change.level, *places, change.name, name)
            if key not in reported.changes:
                reported.changes.add(key)
                yield change

    def _reported_for(self, context: Context) -> _Reported:
        if context.operation != self._operation:
            self._operation = context.operation
            self._reported.clear()
        return self._reported.setdefault(replace(context, path=()), _Reported())

    def read_base(self, node: Node) -> Schema:
        """Return a schema of the base in normal form."""
        return self._caches.base.schema((node,))

    def read_revised(self, node: Node) -> Schema:
        """Return a schema of the revision in normal form."""
        return self._caches.revised.schema((node,))

    def _compare_pair(self, pair: SchemaPair) -> PairResult:
        """Compare two schemas themselves. Their subschemas are only paired."""
        self._budget.spend(place=pair.base[0])
        base_schema = self._caches.base.schema(pair.base)
        revised_schema = self._caches.revised.schema(pair.revised)

        # The content of unresolved references is unknown, so only their texts can be compared. If
        # they differ, that is the one change: what stands beside them in an `allOf` is incomplete.
        # If they are the same, the rest is compared as usual.
        if base_schema.unresolved_references != revised_schema.unresolved_references:
            return PairResult([_unresolved_change(base_schema, revised_schema, pair.context)])
        # A schema that only `null` can match, or nothing, has no keywords to compare.
        if _NOTHING in (base_schema.types, revised_schema.types):
            types = compare_types(base_schema, revised_schema, pair.context)
            nullable = compare_nullable(base_schema, revised_schema, pair.context)
            return PairResult([*types, *nullable])
        # A schema against a union is compared with whole branches.
        if is_schema_against_union(base_schema, revised_schema):
            return self._wrapping.compare_with_new_union(pair, base_schema, revised_schema)
        if is_schema_against_union(revised_schema, base_schema):
            return self._wrapping.compare_with_removed_union(pair, base_schema, revised_schema)
        return self._compare_keywords(base_schema, revised_schema, pair.context)

    def _compare_keywords(
        self, base_schema: Schema, revised_schema: Schema, context: Context
    ) -> PairResult:
        unions = self._unions.compare_unions(base_schema, revised_schema, context)
        changes = [
            *compare_types(base_schema, revised_schema, context),
            *compare_nullable(base_schema, revised_schema, context),
            *compare_values(base_schema, revised_schema, context),
            *compare_default(base_schema, revised_schema, context),
            *compare_limits(base_schema, revised_schema, context),
            *compare_restrictions(base_schema, revised_schema, context),
            *compare_dependent_required(base_schema, revised_schema, context),
            *compare_subschemas(base_schema, revised_schema, context, self._caches),
            *compare_properties(base_schema, revised_schema, context, self._caches),
            *unions.changes,
            *compare_discriminators(
                base_schema, revised_schema, context, self._caches, self._equality
            ),
        ]
        # An `allOf` is merged into the schema. So a difference of its branches is only worth a
        # report beside another change, and takes the severity of that change.
        # `not is_deciding` only saves time: the schemas are unequal already.
        if changes and not self._equality.is_deciding:
            severity = worst(change.level for change in changes)
            for change in self._unions.compare_all_of(base_schema, revised_schema, context):
                changes.append(replace(change, level=severity))
        return PairResult(
            changes,
            [
                *unions.subschemas,
                *property_pairs(base_schema, revised_schema, context, self._caches),
                *subschema_pairs(base_schema, revised_schema, context, self._caches),
            ],
        )


def _unresolved_change(base_schema: Schema, revised_schema: Schema, context: Context) -> Change:
    return context.change(
        "*-type-changed",
        schema_pointers(base_schema, revised_schema),
        old=type_description(base_schema),
        new=type_description(revised_schema),
    )
