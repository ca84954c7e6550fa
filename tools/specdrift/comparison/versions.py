"""Compares the versions of two documents, if a change between them breaks clients.

A breaking change needs a higher major version (https://semver.org, item 8). Other schemes of
versions have no such rule, so they are not compared.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..model.document import Document
from ..rules import Change
from .context import Context, Pointers

_SEMANTIC_VERSION = re.compile(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)
"""A leading `v` is usual, although it is not part of a semantic version."""


class _Version(NamedTuple):
    """A semantic version without the label of a pre-release."""

    major: int
    minor: int
    patch: int

    @property
    def compatible_range(self) -> tuple[int, ...]:
        """Equal for versions that are compatible.

        Before 1.0.0, a new minor version may break clients, as package managers assume.
        """
        return (0, self.minor) if self.major == 0 else (self.major,)


def compare_versions(base: Document, revised: Document) -> Change | None:
    """Return what is wrong with the version of a revision that breaks clients; None if nothing."""
    base_info = base.root.child("info")
    revised_info = revised.root.child("info")
    base_text = str(base_info.get("version"))
    revised_text = str(revised_info.get("version"))
    base_version = _parsed(base_text)
    revised_version = _parsed(revised_text)
    if base_version is None or revised_version is None:
        return None
    rule_id = _rule_id(base_version, revised_version, base_text == revised_text)
    if rule_id is None:
        return None
    pointers = Pointers.to_both(base_info.child("version"), revised_info.child("version"))
    return Context().change(rule_id, pointers, old=base_text, new=revised_text)


def _rule_id(base: _Version, revised: _Version, is_same_text: bool) -> str | None:
    if is_same_text:
        return "api-version-not-bumped"
    if revised < base:
        return "api-version-decreased"
    if revised.compatible_range == base.compatible_range:
        return "api-major-version-not-bumped"
    return None


def _parsed(text: str) -> _Version | None:
    match = _SEMANTIC_VERSION.fullmatch(text)
    if match is None:
        return None
    return _Version(int(match[1]), int(match[2]), int(match[3]))
