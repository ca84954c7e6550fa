"""Finds the names that two documents do not share, and the word for a difference in ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The kind of a difference, as ids contain it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class NameDifference:
    """A name that only one of two documents has."""

    name: str
    action: Action


def action_between(base: object, revised: object) -> Action:
    """Return the kind of the difference between two values. An empty value counts as absent."""
    if not base:
        return Action.ADDED
    return Action.CHANGED if revised else Action.REMOVED


def name_differences(base: Iterable[str], revised: Iterable[str]) -> Iterator[NameDifference]:
    """Yield the removed names, then the added names, each in the order of its document."""
    base_names = dict.fromkeys(base)
    revised_names = dict.fromkeys(revised)
    for name in base_names:
        if name not in revised_names:
            yield NameDifference(name, Action.REMOVED)
    for name in revised_names:
        if name not in base_names:
            yield NameDifference(name, Action.ADDED)


def common_names(base: Mapping[str, object], revised: Mapping[str, object]) -> list[str]:
    """Return the names that both have, in the order of the base, so that reports are stable."""
    return [name for name in base if name in revised]
