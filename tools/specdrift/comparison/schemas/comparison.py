"""Compares two schemas and everything below them, in whatever way they refer to each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from ...model.document import Node
from ...model.schema import Schema
from ...rules import Change, worst
from ..context import Context
from .discriminators import compare_discriminators
from .equality import SchemaEquality
from .limits import compare_limits
from .pairs import PairResult, SchemaCache, SchemaCaches, SchemaPair, StepBudget, schema_pointers
from .properties import compare_properties, property_pairs
from .restrictions import compare_dependent_required, compare_restrictions
from .subschemas import compare_subschemas, subschema_pairs
from .types import compare_nullable, compare_types, type_description
from .unions import compare_all_of, compare_unions
from .values import compare_default, compare_values
from .wrapping import compare_with_new_union, compare_with_removed_union, is_wrapped_in_union


class SchemaComparison:
    """Compares the schemas of two documents, and reports each pair once for each place."""

    def __init__(self) -> None:
        self._budget = StepBudget()
        self._caches = SchemaCaches(SchemaCache(self._budget), SchemaCache(self._budget))
        self._equality = SchemaEquality(self._compare_pair, self._budget)
        # Pairs already reported, by place. Recursive schemas return to pairs in this set.
        self._reported = set[SchemaPair]()

    def changes(self, base: Node, revised: Node, context: Context) -> Iterator[Change]:
        """Yield the differences of two schemas that were not yielded for the same place before.

        Raises:
            TooComplexError: The comparison takes too many steps, or a value is nested too deeply.
        """
        # A queue instead of recursion, so that deep and recursive schemas are compared completely.
        pending = deque([SchemaPair((base,), (revised,), context)])
        while pending:
            pair = pending.popleft().resolved()
            key = replace(pair, context=pair.context.without_steps())
            if key in self._reported:
                continue
            self._reported.add(key)
            result = self._compare_pair(pair)
            yield from result.changes
            pending += result.subschemas

    def base_schema(self, node: Node) -> Schema:
        """Return a schema of the base in normal form."""
        return self._caches.base.schema((node,))

    def revised_schema(self, node: Node) -> Schema:
        """Return a schema of the revision in normal form."""
        return self._caches.revised.schema((node,))

    def _compare_pair(self, pair: SchemaPair) -> PairResult:
        """Compare two schemas themselves. Their subschemas are only paired."""
        self._budget.spend(pair.base)
        base_schema = self._caches.base.schema(pair.base)
        revised_schema = self._caches.revised.schema(pair.revised)

        # The content of unresolved references is unknown, so only their texts can be compared.
        if base_schema.unresolved_references != revised_schema.unresolved_references:
            return PairResult([_unresolved_change(base_schema, revised_schema, pair.context)])
        if is_wrapped_in_union(base_schema, revised_schema):
            changes = compare_with_new_union(pair, base_schema, revised_schema, self._equality)
            return PairResult(changes)
        if is_wrapped_in_union(revised_schema, base_schema):
            changes = compare_with_removed_union(pair, base_schema, revised_schema, self._equality)
            return PairResult(changes)
        return self._compare_keywords(base_schema, revised_schema, pair.context)

    def _compare_keywords(
        self, base_schema: Schema, revised_schema: Schema, context: Context
    ) -> PairResult:
        unions = compare_unions(base_schema, revised_schema, context, self._equality)
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
            *compare_discriminators(base_schema, revised_schema, context, self._equality),
        ]
        # The parts of an `allOf` are only worth a report if they changed the meaning. For
        # equality, any other change decides already.
        if changes and not self._equality.is_deciding:
            severity = worst(change.level for change in changes)
            for change in compare_all_of(base_schema, revised_schema, context, self._equality):
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
