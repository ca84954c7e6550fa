"""Compares the lower and upper limits of two schemas, such as `minimum` and `maxLength`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.schema import EXCLUSIVE_LIMITS, LOWER_LIMITS, UPPER_LIMITS, Schema, canonical
from ...rules import Change
from ..context import Context
from .ids import keyword_in_id
from .pairs import schema_pointers

_EXCLUSIVE_BY_INCLUSIVE = EXCLUSIVE_LIMITS
_INCLUSIVE_BY_EXCLUSIVE = {
    exclusive: inclusive for inclusive, exclusive in EXCLUSIVE_LIMITS.items()
}


@dataclass(frozen=True)
class _LimitValues:
    """The values of one limit; None if a schema does not have it."""

    base: float | None
    revised: float | None

    @property
    def action(self) -> str:
        """The end of the id."""
        if self.base is None:
            return "set"
        if self.revised is None:
            return "unset"
        return "increased" if self.revised > self.base else "decreased"


def compare_limits(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of the limits."""
    for keyword in sorted(LOWER_LIMITS | UPPER_LIMITS):
        if _is_covered_by_other_form(keyword, base_schema, revised_schema):
            continue
        limit = _limit_values(keyword, base_schema, revised_schema)
        if limit.base == limit.revised:
            continue
        # The check id names the keyword, such as `max-length`. The rules do not: `rule_for` finds
        # the rule `*-max-increased` for `*-max-length-increased`.
        yield context.change(
            f"*-{keyword_in_id(keyword)}-{limit.action}",
            schema_pointers(base_schema, revised_schema),
            old=_text(limit.base),
            new=_text(limit.revised),
            name=keyword,
        )


def _limit_values(keyword: str, base_schema: Schema, revised_schema: Schema) -> _LimitValues:
    base_limit = base_schema.limits.get(keyword)
    revised_limit = revised_schema.limits.get(keyword)
    # oasdiff reads a missing `minLength` as 0, so it increases or decreases, and is never set or
    # unset. oasdiff does so for this limit only; for `minItems` it has the ids `set` and `unset`.
    if keyword == "minLength":
        return _LimitValues(base_limit or 0, revised_limit or 0)
    return _LimitValues(base_limit, revised_limit)


def _is_covered_by_other_form(keyword: str, base_schema: Schema, revised_schema: Schema) -> bool:
    """Whether one schema lacks the limit, but has the other form of it, which is as tight.

    The two forms are the inclusive and the exclusive one. For example `minimum: 5` in the base, and
    `exclusiveMinimum: 5` alone in the revision: the missing `minimum` allows nothing new.
    """
    other_keyword = _EXCLUSIVE_BY_INCLUSIVE.get(keyword) or _INCLUSIVE_BY_EXCLUSIVE.get(keyword)
    if other_keyword is None:
        return False
    if (keyword in base_schema.limits) == (keyword in revised_schema.limits):
        return False
    if keyword in base_schema.limits:
        limit = base_schema.limits[keyword]
        other_limit = revised_schema.limits.get(other_keyword)
    else:
        limit = revised_schema.limits[keyword]
        other_limit = base_schema.limits.get(other_keyword)
    return other_limit is not None and _implies(other_keyword, other_limit, limit)


def _implies(other_keyword: str, other_limit: float, limit: float) -> bool:
    """Whether the other form of a limit is at least as tight as the limit.

    If both have one value, the exclusive form is tighter: `exclusiveMinimum: 5` implies
    `minimum: 5`, but not the reverse.
    """
    if other_limit == limit:
        # The keys are the exclusive keywords, so this means: the other form is the exclusive one.
        return other_keyword in _INCLUSIVE_BY_EXCLUSIVE
    if other_keyword in LOWER_LIMITS:
        return other_limit > limit
    return other_limit < limit


def _text(limit: float | None) -> str:
    return "" if limit is None else canonical(limit)
