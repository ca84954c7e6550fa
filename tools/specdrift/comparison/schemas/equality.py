"""Decides whether two schemas have no difference, even if they contain themselves or each other.

The definition is coinductive: two schemas are equal unless a difference can be found. So each pair
is assumed to be equal until it shows a difference. Then the pairs that relied on the assumption are
compared again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...model.schema import Nodes
from ..context import Context
from .pairs import PairResult, SchemaPair, StepBudget

_PREVIEW_DEPTH = 3
"""How many levels of subschemas a preview looks at. Most differences show within three."""


@dataclass(frozen=True)
class _Decision:
    """The result of comparing one pair while assuming that all undecided pairs are equal."""

    is_equal: bool
    consulted: Iterable[SchemaPair]
    """The pairs that the result depends on, in a stable order."""


class SchemaEquality:
    """Decides and remembers which pairs of schemas are equal."""

    def __init__(
        self, compare_pair: Callable[[SchemaPair], PairResult], budget: StepBudget
    ) -> None:
        self._compare_pair = compare_pair
        self._budget = budget
        self._results: dict[SchemaPair, bool] = {}
        # While a pair is decided: the pairs consulted so far, as an ordered set. Otherwise None.
        self._consulted: dict[SchemaPair, None] | None = None
        # Pairs whose preview has started; each is previewed once.
        self._previewed = set[SchemaPair]()
        self._remaining_depth = _PREVIEW_DEPTH

    @property
    def is_deciding(self) -> bool:
        """Whether a decision is in progress, so that `are_equal` returns assumptions."""
        return self._consulted is not None

    def are_equal(self, base: Nodes, revised: Nodes, context: Context) -> bool:
        """Return whether two schemas in the same place have no difference.

        While a decision is in progress, undecided pairs count as equal.
        """
        pair = SchemaPair(base, revised, context.for_equality()).resolved()
        if self._consulted is None:
            if pair not in self._results:
                self._decide(pair)
            return self._results[pair]

        # Every question counts as a step: a long union asks for each pair of its branches.
        self._budget.spend(base)
        self._consulted[pair] = None
        is_undecided = pair not in self._results and pair not in self._previewed
        if is_undecided and self._remaining_depth > 0:
            self._preview(pair)
        return self._results.get(pair, True)

    def _decide(self, start: SchemaPair) -> None:
        """Decide a pair and all pairs that the decision depends on."""
        # Both are ordered sets, so that the number of steps does not vary between runs.
        pending = {start: None}
        dependents = dict[SchemaPair, dict[SchemaPair, None]]()
        while pending:
            pair = next(iter(pending))
            del pending[pair]
            decision = self._compare_assuming_equality(pair)
            self._results[pair] = decision.is_equal

            if not decision.is_equal:
                # The assumption was wrong: compare the pairs again that relied on it. A pair that
                # is already unequal stays unequal, so that the loop ends.
                for dependent in dependents.pop(pair, ()):
                    if self._results[dependent]:
                        pending[dependent] = None
                continue
            # Remember who relied on which assumption, and check the assumptions themselves.
            for consulted_pair in decision.consulted:
                dependents.setdefault(consulted_pair, {})[pair] = None
                if consulted_pair not in self._results:
                    pending[consulted_pair] = None

    def _preview(self, pair: SchemaPair) -> None:
        """Search for a difference that exists even if all undecided pairs are equal.

        Such a difference is final. Finding it early spares most pairs a second comparison.
        """
        self._previewed.add(pair)
        outer_consulted = self._consulted
        self._remaining_depth -= 1
        decision = self._compare_assuming_equality(pair)
        if not decision.is_equal:
            self._results[pair] = False
        self._remaining_depth += 1
        self._consulted = outer_consulted

    def _compare_assuming_equality(self, pair: SchemaPair) -> _Decision:
        """Compare one pair, and record the pairs that the result depends on."""
        consulted = dict[SchemaPair, None]()
        self._consulted = consulted
        result = self._compare_pair(pair)
        is_equal = not result.changes and all(
            self.are_equal(subschemas.base, subschemas.revised, subschemas.context)
            for subschemas in result.subschemas
        )
        self._consulted = None
        return _Decision(is_equal, consulted)
