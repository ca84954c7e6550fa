"""The cases by theme. The cases of a theme share one spec, so that it is generated once."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    bodies,
    defaults,
    enums,
    formats,
    names,
    objects,
    operations,
    references,
    rejected,
    responses,
    unions,
)
from .case import Case, Rejected

THEMES: Mapping[str, tuple[Case, ...]] = {
    "unions": unions.CASES,
    "enums": enums.CASES,
    "formats": formats.CASES,
    "names": names.CASES,
    "operations": operations.CASES,
    "bodies": bodies.CASES,
    "defaults": defaults.CASES,
    "references": references.CASES,
    "objects": objects.CASES,
    "responses": responses.CASES,
}

REJECTED: tuple[Rejected, ...] = rejected.CASES
