"""Tells where an answer is not as the spec describes it, without ever telling what was in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One place where an answer is not as documented. It never holds the value that was there."""

    kind: str
    """What it is, such as `unknown-enum-value`."""
    rule: str
    """The check id, as oasdiff names it, that a comparison of specs would give it."""
    operation: str
    """Method and path as the spec has them, such as `PUT /conversations/{conversationId}`."""
    pointer: str
    """Where in the spec, as a JSON pointer."""
    path: str
    """Where in the answer, as a JSON path; `$` is the whole."""
    expected: str
    """What the spec has in that place."""
