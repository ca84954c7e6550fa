"""Compares the lower and upper limits of two schemas, such as `minimum` and `maxLength`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.schema import EXCLUSIVE_LIMITS, LOWER_LIMITS, UPPER_LIMITS, Schema, canonical
from ...rules import Change
from ..context import Context
from .pairs import keyword_in_id, schema_pointers

_INCLUSIVE_LIMITS = {exclusive: inclusive for inclusive, exclusive in EXCLUSIVE_LIMITS.items()}


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
        if _is_implied(keyword, base_schema, revised_schema):
            continue
        limit = _limit_values(keyword, base_schema, revised_schema)
        if limit.base == limit.revised:
            continue
        # The kind of limit is part of the id only: rules exist for `max` and `min` in general.
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
    # Like oasdiff: no `minLength` means 0, so it increases or decreases, and is never set or unset.
    if keyword == "minLength" and base_limit != revised_limit:
        return _LimitValues(base_limit or 0, revised_limit or 0)
    return _LimitValues(base_limit, revised_limit)


def _is_implied(keyword: str, base_schema: Schema, revised_schema: Schema) -> bool:
    """Whether one schema lacks the limit, but has the other form of it, which is as tight.

    For example `minimum: 5` in the base, and `exclusiveMinimum: 5` alone in the revision.
    """
    other_keyword = EXCLUSIVE_LIMITS.get(keyword) or _INCLUSIVE_LIMITS.get(keyword)
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
    """Whether the other form of a limit, exclusive or inclusive, is at least as tight.

    Two forms with one value: `exclusiveMinimum: 5` implies `minimum: 5`, but not the reverse.
    """
    if other_limit == limit:
        return other_keyword in _INCLUSIVE_LIMITS
    if other_keyword in LOWER_LIMITS:
        return other_limit > limit
    return other_limit < limit


def _text(limit: float | None) -> str:
    return "" if limit is None else canonical(limit)
