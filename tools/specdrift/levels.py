"""Reads severities as users write them: `ERR`, `error` and `err` are one."""

from __future__ import annotations

from .rules import ERR, INFO, WARN, Level

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
