"""Compares deprecations, sunsets and stability levels of operations and parameters.

OpenAPI has `deprecated` only. `x-sunset`, the first day on which the element may be gone, and
`x-stability-level` are extensions that oasdiff defines. Its check ids are used here. The current
date is a parameter of the comparison, so that the same documents always give the same changes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from ..model.document import Node
from ..rules import Change
from .context import Context, Pointers
from .elements import deprecation_action, is_deprecated

_SUNSET = "x-sunset"
_STABILITY = "x-stability-level"

_STABILITY_LEVELS = ("draft", "alpha", "beta", "stable")
"""In the order of a rising stability."""

_DEFAULT_STABILITY = "stable"


@dataclass(frozen=True)
class Schedule:
    """What sunsets have to satisfy."""

    today: datetime.date | None = None
    """The current date; None if unknown. Then no date is too early."""
    days: int = 0
    """The least number of days from a deprecation to the sunset; 0 if a sunset is optional."""

    @property
    def earliest_sunset(self) -> datetime.date | None:
        """The first valid sunset of an element that is deprecated today; None if any is valid."""
        if self.today is None or self.days == 0:
            return None
        return self.today + datetime.timedelta(days=self.days)


@dataclass(frozen=True)
class LifecyclePolicy:
    """The schedule of each stability level."""

    today: datetime.date | None = None
    beta_days: int = 0
    stable_days: int = 0

    def schedule_of(self, operation: Node) -> Schedule:
        """Return the schedule of an operation and its parameters."""
        days_by_level = {"beta": self.beta_days, "stable": self.stable_days}
        # A draft can be removed at any time.
        days = days_by_level.get(_stability_of(operation), 0)
        return Schedule(self.today, days)


@dataclass(frozen=True)
class _Ids:
    """The check ids of sunsets, which do not follow a pattern in oasdiff."""

    deprecated: str
    deprecated_with_sunset: str
    sunset_missing: str
    sunset_too_early: str
    sunset_moved_forward: str
    sunset_deleted: str
    sunset_unreadable: str


_OPERATION_IDS = _Ids(
    deprecated="endpoint-deprecated",
    deprecated_with_sunset="endpoint-deprecated-with-sunset",
    sunset_missing="api-deprecated-sunset-missing",
    sunset_too_early="api-sunset-date-too-small",
    sunset_moved_forward="api-sunset-date-changed-too-small",
    sunset_deleted="sunset-deleted",
    sunset_unreadable="api-deprecated-sunset-parse",
)
_PARAMETER_IDS = _Ids(
    deprecated="request-parameter-deprecated",
    deprecated_with_sunset="request-parameter-deprecated",
    sunset_missing="request-parameter-deprecated-sunset-missing",
    sunset_too_early="request-parameter-sunset-date-too-small",
    sunset_moved_forward="request-parameter-sunset-date-changed-too-small",
    sunset_deleted="request-parameter-sunset-deleted",
    sunset_unreadable="request-parameter-sunset-parse",
)


def removal_rule_id(operation: Node, prefix: str, today: datetime.date | None) -> str:
    """Return the id of the rule for a removed operation.

    Args:
        operation: The operation in the base.
        prefix: The start of the id: `api-removed`, or `api-path-removed` for a whole path.
        today: The current date; None if unknown.
    """
    if not is_deprecated(operation):
        return f"{prefix}-without-deprecation"
    if has_sunset(operation) and sunset_of(operation) is None:
        return "api-path-sunset-parse"
    if _is_before_sunset(operation, today):
        return f"{prefix}-before-sunset"
    return f"{prefix}-with-deprecation"


def parameter_removal_rule_id(parameter: Node, today: datetime.date | None) -> str:
    """Return the id of the rule for a removed parameter. See `removal_rule_id`."""
    if not is_deprecated(parameter):
        return "*-removed"
    if has_sunset(parameter) and sunset_of(parameter) is None:
        return "request-parameter-sunset-parse"
    if _is_before_sunset(parameter, today):
        return "request-parameter-removed-before-sunset"
    return "request-parameter-removed-with-deprecation"


def compare_operation_deprecation(
    base: Node, revised: Node, context: Context, schedule: Schedule
) -> Iterator[Change]:
    """Yield the changes of the deprecation and the sunset of an operation."""
    if is_deprecated(base) and not is_deprecated(revised):
        yield context.change(
            f"endpoint-{deprecation_action(False)}", Pointers.to_both(base, revised)
        )
        return
    yield from _compare_sunsets(base, revised, context, schedule, _OPERATION_IDS)


def compare_parameter_deprecation(
    base: Node, revised: Node, context: Context, schedule: Schedule
) -> Iterator[Change]:
    """Yield the changes of the deprecation and the sunset of a parameter of a request."""
    if is_deprecated(base) and not is_deprecated(revised):
        yield context.change(f"*-{deprecation_action(False)}", Pointers.to_both(base, revised))
        return
    yield from _compare_sunsets(base, revised, context, schedule, _PARAMETER_IDS)


def _compare_sunsets(
    base: Node, revised: Node, context: Context, schedule: Schedule, ids: _Ids
) -> Iterator[Change]:
    """Compare an element that is deprecated in the revision, or in neither document."""
    if not is_deprecated(revised):
        return
    pointers = Pointers.to_both(base, revised)
    if not is_deprecated(base):
        rule_id = _deprecation_rule_id(revised, schedule, ids)
        yield context.change(
            rule_id,
            pointers,
            new=_text(revised),
            name=schedule.earliest_sunset or "",
        )
        return
    if base.get(_SUNSET) == revised.get(_SUNSET):
        return
    rule_id = _changed_sunset_rule_id(base, revised, schedule, ids)
    if rule_id:
        yield context.change(rule_id, pointers, old=_text(base), new=_text(revised))


def _deprecation_rule_id(revised: Node, schedule: Schedule, ids: _Ids) -> str:
    if not has_sunset(revised):
        return ids.deprecated if schedule.days == 0 else ids.sunset_missing
    sunset = sunset_of(revised)
    if sunset is None:
        return ids.sunset_unreadable
    earliest_sunset = schedule.earliest_sunset
    if earliest_sunset is not None and sunset < earliest_sunset:
        return ids.sunset_too_early
    return ids.deprecated_with_sunset


def _changed_sunset_rule_id(base: Node, revised: Node, schedule: Schedule, ids: _Ids) -> str:
    """The id for a sunset that differs; empty if the difference breaks no promise."""
    if not has_sunset(revised):
        return ids.sunset_deleted
    revised_sunset = sunset_of(revised)
    if revised_sunset is None:
        return ids.sunset_unreadable
    base_sunset = sunset_of(base)
    # A first sunset promises more than none.
    if base_sunset is None or revised_sunset >= base_sunset:
        return ""
    # An earlier sunset is valid again after the whole period from now.
    earliest_sunset = schedule.earliest_sunset
    if earliest_sunset is not None and revised_sunset >= earliest_sunset:
        return ""
    return ids.sunset_moved_forward


def compare_stability(base: Node, revised: Node, context: Context) -> Iterator[Change]:
    """Yield the change of the stability level of an operation.

    A draft makes no promise, so that its level can change without notice.
    """
    if base.get(_STABILITY) == revised.get(_STABILITY):
        return
    pointers = Pointers.to_both(base, revised)
    revised_level = _stability_of(revised)
    if revised_level not in _STABILITY_LEVELS:
        yield context.change("api-invalid-stability-level", pointers, new=revised_level)
        return
    base_level = _stability_of(base)
    if context.is_draft or base_level not in _STABILITY_LEVELS or base_level == revised_level:
        return
    is_less_stable = _STABILITY_LEVELS.index(revised_level) < _STABILITY_LEVELS.index(base_level)
    action = "decreased" if is_less_stable else "increased"
    yield context.change(f"api-stability-{action}", pointers, old=base_level, new=revised_level)


def has_sunset(node: Node) -> bool:
    """Whether an element has a sunset, also one that is no date."""
    return node.get(_SUNSET) is not None


def sunset_of(node: Node) -> datetime.date | None:
    """The sunset of an element; None if there is none, or if it is no date of RFC 3339."""
    text = _text(node)
    try:
        # A date has ten characters. The time of day after it does not matter.
        datetime.datetime.fromisoformat(text)
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _is_before_sunset(node: Node, today: datetime.date | None) -> bool:
    sunset = sunset_of(node)
    return sunset is not None and today is not None and today < sunset


def _text(node: Node) -> str:
    value = node.get(_SUNSET)
    return "" if value is None else str(value)


def _stability_of(operation: Node) -> str:
    value = operation.get(_STABILITY)
    return _DEFAULT_STABILITY if value is None else str(value)
