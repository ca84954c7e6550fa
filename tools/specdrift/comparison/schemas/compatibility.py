"""Decides whether a schema can take the place of another one without breaking clients."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ...rules import INFO
from .pairs import PairResult, SchemaPair

_MAXIMUM_PAIRS = 200
"""How many pairs of subschemas a check compares. Beyond that, the schemas count as incompatible."""


class SchemaCompatibility:
    """Decides and remembers which pairs of schemas are compatible.

    In a request, the revised schema is compatible if it allows everything that the base schema
    allows. In a response it is the reverse.
    """

    def __init__(self, compare_pair: Callable[[SchemaPair], PairResult]) -> None:
        self._compare_pair = compare_pair
        self._results: dict[SchemaPair, bool] = {}
        self._is_checking = False

    def is_compatible(self, pair: SchemaPair) -> bool:
        """Return whether no client breaks if the revised schema replaces that of the base.

        The result is cautious: if it is not certain, the schemas are not compatible. For example,
        no check starts inside another one. So branches of a union inside the schema only count if
        they are equal.
        """
        if self._is_checking:
            return False
        key = _key(pair)
        if key not in self._results:
            self._is_checking = True
            try:
                self._results[key] = self._check(key)
            finally:
                self._is_checking = False
        return self._results[key]

    def _check(self, start: SchemaPair) -> bool:
        visited = {start}
        pending = deque([start])
        while pending:
            result = self._compare_pair(pending.popleft())
            if any(change.level != INFO for change in result.changes):
                return False
            for subschemas in result.subschemas:
                key = _key(subschemas)
                if key not in visited:
                    visited.add(key)
                    pending.append(key)
            if len(visited) > _MAXIMUM_PAIRS:
                return False
        return True


def _key(pair: SchemaPair) -> SchemaPair:
    resolved = pair.resolved()
    # What is never sent breaks nobody, so every schema would be compatible with every other.
    context = replace(resolved.context.kind_of_place(), is_never_sent=False)
    return replace(resolved, context=context)
