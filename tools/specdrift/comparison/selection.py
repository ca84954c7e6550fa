"""Selects the paths of a document, and names them as the other document does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..model.document import Document


@dataclass(frozen=True)
class Selection:
    """Which paths of a document are compared, and under which name."""

    match_path: re.Pattern[str] | None = None
    """What a path has to contain, as it is written in the document; None if anything."""
    unmatch_path: re.Pattern[str] | None = None
    """What a path must not contain; None if there is no such text."""
    stripped_prefix: str = ""
    """What is removed from the start of a path."""
    added_prefix: str = ""
    """What is added to the start afterwards."""

    @property
    def is_partial(self) -> bool:
        """Whether a path can be excluded."""
        return self.match_path is not None or self.unmatch_path is not None

    def includes(self, template: str) -> bool:
        """Whether a path is compared."""
        if self.match_path is not None and not self.match_path.search(template):
            return False
        return self.unmatch_path is None or not self.unmatch_path.search(template)

    def name_of(self, template: str) -> str:
        """The name under which a path is compared. Another prefix makes another name."""
        if not template.startswith(self.stripped_prefix):
            return self.added_prefix + template
        name = self.added_prefix + template.removeprefix(self.stripped_prefix)
        # `/v1` without the prefix `/v1` is the root.
        return name if name.startswith("/") else f"/{name}"

    def templates(self, document: Document) -> Iterator[str]:
        """Yield the compared paths of a document, as they are written there."""
        for template, _ in document.root.members("paths"):
            # Such a key is an extension (OpenAPI 3.1, "Paths Object").
            if not template.startswith("x-") and self.includes(template):
                yield template


EVERYTHING = Selection()
"""Every path, under the name that the document gives it."""


@dataclass(frozen=True)
class Selections:
    """The selected paths of both documents."""

    base: Selection = field(default=EVERYTHING)
    revised: Selection = field(default=EVERYTHING)

    @property
    def is_partial(self) -> bool:
        """Whether a path of one of the documents can be excluded."""
        return self.base.is_partial or self.revised.is_partial
