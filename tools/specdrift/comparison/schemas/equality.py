"""Decides whether two schemas have no difference, even if they contain themselves or each other.

Two schemas that contain themselves cannot be compared to the end: the comparison would come back to
the same pair again and again. So the definition is the other way round (mathematics calls it
coinductive): two schemas are equal unless a difference can be found. Every pair counts as equal
until a comparison shows a difference. Then the pairs that relied on the wrong assumption are
compared again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from ...model.schema import Nodes
from ..context import Context
from .pairs import PairResult, SchemaPair, StepBudget

_PREVIEW_DEPTH = 3
"""How many levels of previews a comparison may start, one inside the other.

Each level can preview every pair of branches of a union, so more levels cost more steps. Three is a
choice from experience: most differences show within three levels. The number affects only the
number of steps and never the decision.
"""


class _State(Enum):
    """What is known about a pair of schemas. See `SchemaEquality` for the transitions."""

    UNKNOWN = auto()
    PREVIEWED = auto()
    PROVISIONALLY_EQUAL = auto()
    UNEQUAL = auto()

    @property
    def may_be_equal(self) -> bool:
        """Whether no difference was found so far."""
        return self != _State.UNEQUAL


@dataclass
class _Run:
    """One comparison of a pair that is in progress."""

    remaining_preview_depth: int
    consulted: dict[SchemaPair, None] = field(default_factory=dict[SchemaPair, None])
    """The pairs consulted so far; a dict serves as an ordered set."""


@dataclass(frozen=True)
class _Decision:
    """The result of comparing one pair while every pair without a known difference is equal."""

    is_equal: bool
    consulted: Iterable[SchemaPair]
    """The pairs that the result depends on, in a stable order."""


class SchemaEquality:
    """Decides and remembers which pairs of schemas are equal.

    States of a pair:

    - UNKNOWN: never compared.
    - PREVIEWED: its preview started, and found no difference so far. Not decided.
    - PROVISIONALLY_EQUAL: compared without a difference. It is final when `_decide` returns: by
      then, all pairs that the result relied on are compared as well.
    - UNEQUAL: a difference exists even if every undecided pair is equal. Final.

    All states except UNEQUAL count as equal while a decision is in progress.

    Transitions:

    - UNKNOWN -> PREVIEWED: another comparison consults the pair, and `_preview` starts.
    - PREVIEWED -> UNEQUAL: the preview finds a difference.
    - UNKNOWN or PREVIEWED -> PROVISIONALLY_EQUAL or UNEQUAL: `_decide` compares the pair.
    - PROVISIONALLY_EQUAL -> UNEQUAL: a pair that the result relied on turned out to be unequal, and
      `_decide` compared this one again.

    A pair waits for its comparison in the local variable `pending` of `_decide`, in any state.

    After a `TooComplexError` the object may contain provisional results that were never checked.
    Nobody uses it any more: the error ends the comparison of the documents that owns the object.
    """

    def __init__(
        self, compare_pair: Callable[[SchemaPair], PairResult], budget: StepBudget
    ) -> None:
        self._compare_pair = compare_pair
        self._budget = budget
        # Pairs that are not in here are UNKNOWN.
        self._states: dict[SchemaPair, _State] = {}
        # The innermost comparison in progress; None outside decisions.
        self._run: _Run | None = None

    @property
    def is_deciding(self) -> bool:
        """Whether a decision is in progress, so that `are_equal` returns assumptions."""
        return self._run is not None

    def are_equal(self, base: Nodes, revised: Nodes, context: Context) -> bool:
        """Return whether two schemas in the same place have no difference.

        Outside a decision the result is final. While a decision is in progress,
        `compare_pair` calls this method again: then undecided pairs count as equal.
        """
        # `for_equality` drops what only changes the id or the text of a change, such as the path.
        # So one decision serves every place in which the schemas mean the same.
        pair = SchemaPair(base, revised, context.for_equality()).resolved()
        if self._run is not None:
            return self._consult(pair, self._run)
        if self._state(pair) not in (_State.PROVISIONALLY_EQUAL, _State.UNEQUAL):
            self._decide(pair)
        return self._state(pair).may_be_equal

    def _state(self, pair: SchemaPair) -> _State:
        return self._states.get(pair, _State.UNKNOWN)

    def _consult(self, pair: SchemaPair, run: _Run) -> bool:
        """Return whether a pair is equal as far as known, and record that the run relied on it."""
        # Every question counts as a step: a long union asks for each pair of its branches.
        self._budget.spend(place=pair.base[0])
        run.consulted[pair] = None
        may_be_previewed = self._state(pair) == _State.UNKNOWN and run.remaining_preview_depth > 0
        if may_be_previewed:
            self._preview(pair, run.remaining_preview_depth - 1)
        return self._state(pair).may_be_equal

    def _decide(self, start: SchemaPair) -> None:
        """Decide a pair and all pairs that the decision depends on."""
        # Both are ordered sets, so that the number of steps does not vary between runs.
        pending = {start: None}
        dependents = dict[SchemaPair, dict[SchemaPair, None]]()
        while pending:
            pair = next(iter(pending))
            del pending[pair]
            decision = self._compare_assuming_equality(pair, _PREVIEW_DEPTH)

            if not decision.is_equal:
                self._states[pair] = _State.UNEQUAL
                # The assumption was wrong: compare the pairs again that relied on it. A pair that
                # is already unequal stays unequal, so that the loop ends.
                for dependent in dependents.pop(pair, ()):
                    if self._state(dependent) == _State.PROVISIONALLY_EQUAL:
                        pending[dependent] = None
                continue

            self._states[pair] = _State.PROVISIONALLY_EQUAL
            # Remember who relied on which assumption, and check the assumptions themselves.
            for consulted_pair in decision.consulted:
                dependents.setdefault(consulted_pair, {})[pair] = None
                if self._state(consulted_pair) in (_State.UNKNOWN, _State.PREVIEWED):
                    pending[consulted_pair] = None

    def _preview(self, pair: SchemaPair, remaining_preview_depth: int) -> None:
        """Search for a difference that exists even if all undecided pairs are equal.

        Such a difference is final: a comparison that assumes less finds it as well. Most pairs of
        branches in two unions differ visibly. Without previews, each of them would first count as
        equal, and the whole union would be compared again for each assumption that fails.

        A preview costs one comparison of the pair, and each pair is previewed only once. If it
        finds no difference, its result is discarded and `_decide` compares the pair again.
        """
        self._states[pair] = _State.PREVIEWED
        decision = self._compare_assuming_equality(pair, remaining_preview_depth)
        if not decision.is_equal:
            self._states[pair] = _State.UNEQUAL

    def _compare_assuming_equality(
        self, pair: SchemaPair, remaining_preview_depth: int
    ) -> _Decision:
        """Compare one pair, and record the pairs that the result depends on."""
        run = _Run(remaining_preview_depth)
        # A preview runs inside another comparison, which continues afterwards.
        outer_run = self._run
        self._run = run
        try:
            result = self._compare_pair(pair)
            is_equal = not result.changes and all(
                self.are_equal(subschemas.base, subschemas.revised, subschemas.context)
                for subschemas in result.subschemas
            )
        finally:
            self._run = outer_run
        return _Decision(is_equal, run.consulted)
