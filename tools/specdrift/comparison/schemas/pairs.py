"""Defines a pair of schemas to compare, its result, and the cache of schemas in normal form."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...model.document import Node, TooComplexError
from ...model.normal_form import read_schema
from ...model.schema import Nodes, Schema
from ...rules import Change
from ..context import Context, Pointers

MAXIMUM_STEPS = 500_000
"""The most steps in one comparison.

A step is a pair of schemas that is compared, a question whether a pair is equal, or a branch of
`allOf` that is read. That many steps take about ten seconds. The largest document of the vendor
takes some hundred.
"""


@dataclass(frozen=True)
class SchemaPair:
    """A schema of the base, its counterpart in the revision, and their place."""

    base: Nodes
    revised: Nodes
    context: Context

    def resolved(self) -> SchemaPair:
        """Return the pair with references replaced by their targets.

        Without that, one pair of schemas could appear as several.
        """
        return SchemaPair(resolved_nodes(self.base), resolved_nodes(self.revised), self.context)


@dataclass(frozen=True)
class PairResult:
    """The differences of two schemas themselves, and the pairs of subschemas still to compare."""

    changes: list[Change]
    subschemas: list[SchemaPair] = field(default_factory=list[SchemaPair])


class StepBudget:
    """Limits the number of steps of one comparison; see `MAXIMUM_STEPS`."""

    def __init__(self) -> None:
        self._steps = 0

    def spend(self, steps: int = 1, *, place: Node) -> None:
        """Count steps.

        Args:
            steps: The number of steps to count.
            place: The schema that takes them. An error names its location.

        Raises:
            TooComplexError: The comparison takes more than `MAXIMUM_STEPS`.
        """
        self._steps += steps
        if self._steps > MAXIMUM_STEPS:
            raise TooComplexError(
                f"{place.location}: there is too much in it to be compared"
                f" (more than {MAXIMUM_STEPS:,} steps):"
                " reduce the number of branches in its unions"
            )


class SchemaCache:
    """The schemas of one document in normal form, each read once."""

    def __init__(self, budget: StepBudget) -> None:
        self._budget = budget
        self._schemas: dict[Nodes, Schema] = {}

    def schema(self, nodes: Nodes) -> Schema:
        """Return the normal form of one schema, merged from the nodes that describe it."""
        if nodes not in self._schemas:
            schema = read_schema(nodes)
            self._schemas[nodes] = schema
            self._budget.spend(len(schema.all_of_branches), place=nodes[0])
        return self._schemas[nodes]


@dataclass(frozen=True)
class SchemaCaches:
    """The schema cache of each document."""

    base: SchemaCache
    revised: SchemaCache


def schema_pointers(base_schema: Schema, revised_schema: Schema) -> Pointers:
    """Return the locations of two schemas."""
    return Pointers.to_both(base_schema.node, revised_schema.node)


def resolved_nodes(nodes: Nodes) -> Nodes:
    """Return the targets of the nodes of one schema, in an order that does not vary.

    Without that, one schema could appear as several.
    """
    # All nodes apply together. So neither their order nor a repeated node changes the meaning.
    # Sorting and a set give schemas of one meaning one key, in every run.
    targets = {node.target for node in nodes}
    return tuple(sorted(targets, key=_location))


def _location(node: Node) -> str:
    return node.location
