"""Reads severities as users write them: `ERR`, `error` and `err` are one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from .rules import ERR, INFO, WARN, Level

OMITTED = "none"
"""What a user writes to omit a change from the report."""

CustomLevel: TypeAlias = Level | Literal["none"]
"""A severity, or `none`."""

_LEVELS: dict[str, Level] = {
    "err": ERR,
    "error": ERR,
    "warn": WARN,
    "warning": WARN,
    "info": INFO,
}


def level_named(name: str) -> Level | None:
    """Return the severity with a name, in any case; None if there is none."""
    return _LEVELS.get(name.strip().lower())


def custom_level_named(name: str) -> CustomLevel | None:
    """Like `level_named`, with `none` as a further name."""
    if name.strip().lower() == OMITTED:
        return OMITTED
    return level_named(name)
