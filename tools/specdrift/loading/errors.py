"""Defines the error for input that cannot be compared."""

from __future__ import annotations


class ComparisonError(Exception):
    """The input cannot be compared.

    The message states in one line where the problem is, its cause, and what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


def error_at(name: str, line: int | None, problem: str) -> ComparisonError:
    """Build the error for a problem in a file, with the line if it is known."""
    place = name if line is None else f"{name}:{line}"
    return ComparisonError(f"{place}: {problem}")
