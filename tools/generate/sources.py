"""Knows the file and line of every value of a bundled document, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from specdrift.loading import ParsedFile
from specdrift.rules import Source


@dataclass(frozen=True)
class Origin:
    """Where a part of the document was before it was bundled."""

    file: ParsedFile
    pointer: str


@dataclass(frozen=True)
class Sources:
    """The file of a document, and the origins of the parts that come from other places."""

    file: ParsedFile
    origins: Mapping[str, Origin] = field(default_factory=dict[str, Origin])
    """The origins of the bundled parts, by their JSON pointers in the document."""

    def source(self, pointer: str) -> Source:
        """The line of a value, or of the nearest existing value around it."""
        ancestor = pointer
        while ancestor:
            if ancestor in self.origins:
                origin = self.origins[ancestor]
                return origin.file.source(origin.pointer + pointer.removeprefix(ancestor))
            ancestor = ancestor.rpartition("/")[0]
        return self.file.source(pointer)
