"""Reads custom severities, and applies them to changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import filter as matching_names

from .checks import CHECK_IDS
from .levels import level_named
from .loading import ComparisonError, ParsedFile
from .model.document import is_mapping
from .rules import Change, Level, Source

_OMITTED = "none"
"""What a user writes to omit a change from the report."""

_LEVELS_HINT = "write ERR, WARN, INFO or none"


@dataclass(frozen=True)
class Severities:
    """Custom severities."""

    levels: Mapping[str, Level | None]
    """The severity of each customised check id; None if its changes are omitted."""

    def applied_to(self, changes: Iterable[Change]) -> list[Change]:
        """Return the changes with their custom severities, without the omitted ones."""
        if not self.levels:
            return list(changes)
        return list(self._customised(changes))

    def _customised(self, changes: Iterable[Change]) -> Iterator[Change]:
        for change in changes:
            level = self.levels.get(change.id, change.level)
            if level is not None:
                yield replace(change, level=level)

    def note(self, file: str, changes: Iterable[Change]) -> str:
        """Describe what the custom severities do, so that nobody takes them for the usual ones.

        Args:
            file: The name of their file.
            changes: The changes with their usual severities.
        """
        levels = [
            (change.level, self.levels[change.id]) for change in changes if change.id in self.levels
        ]
        omitted = sum(level is None for _, level in levels)
        moved = sum(level not in (None, usual_level) for usual_level, level in levels)
        return (
            f"severities are customised by {file}:"
            f" {_number_of_changes(moved)} with another severity,"
            f" {_number_of_changes(omitted)} omitted"
        )


USUAL_SEVERITIES = Severities({})
"""No severity is customised."""


def _number_of_changes(number: int) -> str:
    return f"{number:,} change" if number == 1 else f"{number:,} changes"


@dataclass(frozen=True)
class _Line:
    """A line of the file: an id or a pattern of ids, and what is written as its severity."""

    pattern: str
    level: object
    source: Source


def read_severities(file: ParsedFile) -> Severities:
    """Read a file with lines such as `api-removed-without-deprecation: warn`.

    An id may contain `*` for any text. If several lines cover an id, the line with the id itself
    decides, or else the last line. oasdiff's files, without a colon, are valid too.

    Raises:
        ComparisonError: a line has no known id or no known severity.
    """
    levels: dict[str, Level | None] = {}
    # A line with `*` comes first, so that a line with one id can replace it.
    for line in sorted(_lines(file), key=_is_exact):
        level = _level(line)
        for check_id in _check_ids(line):
            levels[check_id] = level
    return Severities(levels)


def _level(line: _Line) -> Level | None:
    """The severity of a line; None if the line omits a change.

    Raises:
        ComparisonError: the severity is unknown.
    """
    name = line.level if isinstance(line.level, str) else ""
    if name.strip().lower() == _OMITTED:
        return None
    level = level_named(name)
    if level is None:
        raise ComparisonError(
            f"{line.source}: the severity {line.level!r} is unknown: {_LEVELS_HINT}"
        )
    return level


def _is_exact(line: _Line) -> bool:
    return "*" not in line.pattern


def _lines(file: ParsedFile) -> Iterator[_Line]:
    data = file.data
    if is_mapping(data):
        for pattern, level in data.items():
            # A key with `/` or `~` is no id, so it needs no escape to be rejected with its line.
            yield _Line(pattern, level, file.source(f"/{pattern}"))
    elif isinstance(data, str):
        yield from _lines_without_colon(file)
    elif data is not None:
        raise ComparisonError(
            f"{file.source('')}: is not a file of severities: write lines such as"
            " `api-removed-without-deprecation: WARN`"
        )


def _lines_without_colon(file: ParsedFile) -> Iterator[_Line]:
    """The lines of oasdiff's format, which YAML reads as one text: `api-tag-removed  err`."""
    for number, text in enumerate(file.text.splitlines(), start=1):
        words = text.partition("#")[0].split()
        if not words:
            continue
        source = Source(file.name, number)
        if len(words) != 2:
            raise ComparisonError(
                f"{source}: is not a check id and a severity: write a line such as"
                " `api-removed-without-deprecation: WARN`"
            )
        yield _Line(words[0], words[1], source)


def _check_ids(line: _Line) -> list[str]:
    """The known ids that a line is about.

    Raises:
        ComparisonError: there are none.
    """
    if _is_exact(line):
        check_ids = [line.pattern] if line.pattern in CHECK_IDS else []
    else:
        check_ids = matching_names(CHECK_IDS, line.pattern)
    if check_ids:
        return check_ids
    nearest_ids = difflib.get_close_matches(line.pattern, sorted(CHECK_IDS), n=3)
    suggestion = "`specdrift checks` lists all ids"
    if nearest_ids:
        suggestion = f"write {' or '.join(nearest_ids)}; {suggestion}"
    raise ComparisonError(f"{line.source}: no check has the id {line.pattern!r}: {suggestion}")
