"""Selects the lines of both documents that show a change, for formats that show source text."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from ..rules import Change, Source
from .report import Report
from .wording import Location, locations

CONTEXT_LINES = 3
"""Lines before and after the line of the change."""

MAXIMUM_BLOCK_LINES = 60
"""Lines of the changed part that are searched for differences."""

MAXIMUM_LINES = 40
"""Lines of an excerpt."""

MAXIMUM_WIDTH = 300
"""Characters of a line. A whole document may be in a single line."""

_TAB_WIDTH = 4
# `str.splitlines` has more line ends than YAML, and the lines of places are counted as in YAML.
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Line(NamedTuple):
    """A line of a document."""

    number: int
    """Counted from 1."""
    text: str
    differs: bool
    """Whether the other document has no such line in its place."""


class Excerpt(NamedTuple):
    """The lines that show a change in one of the two documents."""

    location: Location
    lines: list[Line]
    """Empty if the changed part does not exist here, or its line is unknown."""


class ExcerptReader:
    """Reads the excerpts for changes. It splits each file into lines once."""

    def __init__(self, report: Report) -> None:
        self._sides = {"base": report.base, "revision": report.revision}
        self._lines_by_file: dict[tuple[str, str], list[str]] = {}

    def excerpts(self, change: Change) -> tuple[Excerpt, Excerpt]:
        """The lines of the base and of the revision."""
        base_location, revision_location = locations(change)
        base = self._block(base_location)
        revision = self._block(revision_location)
        differences = _differences(base, revision)
        return (
            Excerpt(base_location, _excerpt_lines(base, differences.base)),
            Excerpt(revision_location, _excerpt_lines(revision, differences.revision)),
        )

    def _block(self, location: Location) -> _Block:
        if location.source is None or not location.exists:
            return _Block([], range(0))
        file_lines = self._lines_of(location.role, location.source.file)
        return _Block(file_lines, _block_indexes(file_lines, location.source))

    def _lines_of(self, role: str, file: str) -> list[str]:
        if (role, file) not in self._lines_by_file:
            text = self._sides[role].text(file)
            self._lines_by_file[role, file] = _LINE_END.split(text.removesuffix("\n"))
        return self._lines_by_file[role, file]


@dataclass(frozen=True)
class _Block:
    """The lines of a changed part: its first line and the lines that are indented deeper."""

    file_lines: list[str]
    indexes: range
    """The indexes of the block's lines in the file, counted from 0."""

    @property
    def lines(self) -> list[str]:
        return self.file_lines[self.indexes.start : self.indexes.stop]


class _Differences(NamedTuple):
    """The indexes in the file of the lines that the other document lacks."""

    base: set[int]
    revision: set[int]


def _block_indexes(file_lines: list[str], source: Source) -> range:
    start = source.line - 1
    # The text may be unknown, or shorter than the line says.
    if start >= len(file_lines):
        return range(0)
    end = start + 1
    limit = min(start + MAXIMUM_BLOCK_LINES, len(file_lines))
    while end < limit and _belongs_to(file_lines[start], file_lines[end]):
        end += 1
    return range(start, end)


def _belongs_to(first_line: str, line: str) -> bool:
    # Blank lines have no indentation of their own.
    if not line.strip():
        return True
    return _indentation(line) > _indentation(first_line)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _differences(base: _Block, revision: _Block) -> _Differences:
    differences = _Differences(set(), set())
    # Without `autojunk`, frequent lines such as `}` match as well.
    matcher = SequenceMatcher(None, base.lines, revision.lines, autojunk=False)
    for operation, base_start, base_end, revision_start, revision_end in matcher.get_opcodes():
        if operation != "equal":
            differences.base.update(base.indexes[base_start:base_end])
            differences.revision.update(revision.indexes[revision_start:revision_end])
    return differences


def _excerpt_lines(block: _Block, differences: set[int]) -> list[Line]:
    """The lines around the place of the change, and around each difference in the block."""
    if not block.indexes:
        return []
    first = block.indexes.start
    # The margin may begin before the file or end after it. Indexes outside are removed below.
    indexes = set(range(first - CONTEXT_LINES, first + CONTEXT_LINES + 1))
    for index in differences:
        indexes.update({index - 1, index, index + 1})
    existing = indexes.intersection(range(len(block.file_lines)))
    shown_indexes = sorted(existing)[:MAXIMUM_LINES]
    texts = _without_margin([block.file_lines[index] for index in shown_indexes])
    return [
        Line(index + 1, text, index in differences)
        for index, text in zip(shown_indexes, texts, strict=True)
    ]


def _without_margin(lines: list[str]) -> list[str]:
    """Some lines without their common indentation, each cut to the maximum width."""
    # Cut before the indentation is removed, because a line may have millions of characters.
    short_lines = [line[: MAXIMUM_WIDTH * 2].expandtabs(_TAB_WIDTH) for line in lines]
    dedented = textwrap.dedent("\n".join(short_lines)).split("\n")
    return [_cut(line) for line in dedented]


def _cut(line: str) -> str:
    if len(line) <= MAXIMUM_WIDTH:
        return line
    return f"{line[:MAXIMUM_WIDTH]}…"
