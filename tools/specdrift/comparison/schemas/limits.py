"""Compares the lower and upper limits of two schemas, such as `minimum` and `maxLength`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ...model.schema import EXCLUSIVE_LIMITS, LOWER_LIMITS, UPPER_LIMITS, Schema, canonical
from ...rules import Change
from ..context import Context
from .ids import keyword_in_id
from .pairs import schema_pointers

_EXCLUSIVE_BY_INCLUSIVE = EXCLUSIVE_LIMITS
_INTEGER = frozenset({"integer"})
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


@dataclass(frozen=True)
class _Bound:
    """The tighter one of the inclusive and the exclusive form of a limit."""

    value: float
    is_exclusive: bool

    def __str__(self) -> str:
        return f"{_text(self.value)} (exclusive)" if self.is_exclusive else _text(self.value)


def compare_limits(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of the limits."""
    compared_keywords = set[str]()
    for keyword, exclusive_keyword in EXCLUSIVE_LIMITS.items():
        base_bound = _bound(keyword, base_schema)
        revised_bound = _bound(keyword, revised_schema)
        if base_bound is None or revised_bound is None:
            continue
        if base_bound == revised_bound:
            compared_keywords |= {keyword, exclusive_keyword}
        # The loosened limit is still there, only in the other form: it is not removed.
        elif _is_loosened_in_other_form(keyword, base_schema, revised_schema):
            compared_keywords |= {keyword, exclusive_keyword}
            action = "decreased" if keyword in LOWER_LIMITS else "increased"
            yield context.change(
                f"*-{keyword_in_id(keyword)}-{action}",
                schema_pointers(base_schema, revised_schema),
                old=str(base_bound),
                new=str(revised_bound),
                name=keyword,
            )
    # `minContains` comes and goes with `contains`, which is reported.
    if ("contains" in base_schema.subschemas) != ("contains" in revised_schema.subschemas):
        compared_keywords.add("minContains")
    for keyword in sorted((LOWER_LIMITS | UPPER_LIMITS) - compared_keywords):
        yield from _compare_limit(keyword, base_schema, revised_schema, context)


def _compare_limit(
    keyword: str, base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    if _is_covered_by_other_form(keyword, base_schema, revised_schema):
        return
    limit = _limit_values(keyword, base_schema, revised_schema)
    if limit.base == limit.revised:
        return
    # The check id names the keyword, such as `max-length`. The rules do not: `rule_for` finds
    # the rule `*-max-increased` for `*-max-length-increased`.
    yield context.change(
        f"*-{keyword_in_id(keyword)}-{limit.action}",
        schema_pointers(base_schema, revised_schema),
        old=_text(limit.base),
        new=_text(limit.revised),
        name=keyword,
    )


def _bound(keyword: str, schema: Schema) -> _Bound | None:
    """The bound that both forms of a limit mean together; None without either.

    A bound of integers is inclusive: `exclusiveMinimum: 0` means the same as `minimum: 1`.
    """
    bounds = list[_Bound]()
    if keyword in schema.limits:
        bounds.append(_Bound(schema.limits[keyword], is_exclusive=False))
    if EXCLUSIVE_LIMITS[keyword] in schema.limits:
        bounds.append(_Bound(schema.limits[EXCLUSIVE_LIMITS[keyword]], is_exclusive=True))
    if not bounds:
        return None
    is_lower = keyword in LOWER_LIMITS
    if schema.types == _INTEGER:
        bounds = [_integer_bound(bound, is_lower) for bound in bounds]
    if is_lower:
        return max(bounds, key=_lower_tightness)
    return min(bounds, key=_upper_tightness)


def _lower_tightness(bound: _Bound) -> tuple[float, bool]:
    return bound.value, bound.is_exclusive


def _upper_tightness(bound: _Bound) -> tuple[float, bool]:
    return bound.value, not bound.is_exclusive


def _integer_bound(bound: _Bound, is_lower: bool) -> _Bound:
    # An infinite bound, which YAML has as `.inf`, has no nearest integer.
    if math.isinf(bound.value):
        return bound
    if is_lower:
        value = math.floor(bound.value) + 1 if bound.is_exclusive else math.ceil(bound.value)
    else:
        value = math.ceil(bound.value) - 1 if bound.is_exclusive else math.floor(bound.value)
    return _Bound(value, is_exclusive=False)


def _is_loosened_in_other_form(keyword: str, base_schema: Schema, revised_schema: Schema) -> bool:
    """Whether the base has one form only, the revision the other, and the revision allows more."""
    base_forms = _forms(keyword, base_schema)
    revised_forms = _forms(keyword, revised_schema)
    if len(base_forms) != 1 or len(revised_forms) != 1 or base_forms == revised_forms:
        return False
    (base_form,) = base_forms
    (revised_form,) = revised_forms
    # Tighter limits are reported as the new form that was set.
    return not _implies(
        revised_form, revised_schema.limits[revised_form], base_schema.limits[base_form]
    )


def _forms(keyword: str, schema: Schema) -> set[str]:
    return {keyword, EXCLUSIVE_LIMITS[keyword]} & schema.limits.keys()


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
