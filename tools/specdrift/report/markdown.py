"""Writes the report as Markdown for a GitHub comment or job summary, within GitHub's size limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .edits import Edit, group_by_edit, operations_in_short
from .report import LEVELS, Report
from .wording import (
    CLIENT_WORDS,
    CONTRACT_WORDS,
    fault_sentence,
    headline,
    hidden_sentence,
    locations,
    shortened,
    summary,
    waived_changes,
)

MAXIMUM_CHARACTERS = 65_536
"""GitHub's limit for the body of a comment."""

_CLOSING_CHARACTERS = 100
"""Reserved for the sentence about omitted items."""

_MAXIMUM_TEXT_CHARACTERS = 400
"""Of one text, so that a long description leaves room for the other changes."""


def write_markdown(report: Report) -> str:
    """The report as Markdown. Items beyond GitHub's limit are omitted, and counted at the end."""
    base_name = code_text(report.base.name)
    revision_name = code_text(report.revision.name)
    lines = [
        f"## {headline(report)}",
        "",
        f"From {base_name} to {revision_name}: **{summary(report)}**",
    ]
    room = MAXIMUM_CHARACTERS - _CLOSING_CHARACTERS - _size(lines)
    omitted = 0
    # The most important sections come first. Omitted items use up room as well, so that nothing
    # follows the first omission and the report is never silently incomplete in the middle.
    for section in _sections(report):
        room -= len(section.opening) + len(section.closing) + 2
        items = _items_within(section.items, room)
        room -= _size(section.items)
        omitted += len(section.items) - len(items)
        if items:
            lines += [section.opening, *items, section.closing]
    if omitted:
        limit = f"a comment has at most {MAXIMUM_CHARACTERS:,} characters."
        lines.append(f"\n**{omitted} more left out:** {limit}")
    return "\n".join(lines).rstrip("\n") + "\n"


class _Section(NamedTuple):
    """A table or list, of which some rows or items may be omitted."""

    opening: str
    items: list[str]
    """One line each."""
    closing: str = ""


def _sections(report: Report) -> list[_Section]:
    sections: list[_Section] = []
    if report.faults:
        sections.append(_fault_table(report))
    edits = group_by_edit(entry for entry in report.shown if entry.waiver is None)
    for level in LEVELS:
        rows = [_row(edit) for edit in edits if edit.change.level == level]
        if rows:
            title = f"{CONTRACT_WORDS[level]}: {len(rows)} {level}"
            columns = ("What changed", "Operations", "Our client", "Where")
            sections.append(_table(title, columns, rows))
    hidden = hidden_sentence(report)
    if hidden:
        sections.append(_Section("", [hidden]))
    if report.notes:
        notes = [f"- {plain_text(note)}" for note in report.notes]
        sections.append(_Section("\n### Notes\n", notes))
    waived = waived_changes(report)
    if waived:
        items = [
            f"- {plain_text(change.sentence)} {plain_text(change.reason)}" for change in waived
        ]
        opening = f"\n<details><summary>{len(waived)} waived</summary>\n"
        sections.append(_Section(opening, items, closing="\n</details>"))
    return sections


def _fault_table(report: Report) -> _Section:
    rows = [
        (code_text(str(fault.waiver.source)), plain_text(fault_sentence(fault)))
        for fault in report.faults
    ]
    return _table("Waivers at fault", ("Where", "Problem"), rows)


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> _Section:
    header = f"| {' | '.join(columns)} |"
    separator = f"|{' --- |' * len(columns)}"
    items = [f"| {' | '.join(cells)} |" for cells in rows]
    return _Section(f"\n### {title}\n\n{header}\n{separator}", items)


def _row(edit: Edit) -> tuple[str, ...]:
    change = edit.change
    entry = edit.entry
    client = f"**{CLIENT_WORDS[entry.verdict.effect]}.** {plain_text(entry.verdict.reason)}"
    if entry.advice:
        client += f"<br>{plain_text(entry.advice)}"
    places = [f"{location.role}: {code_text(str(location))}" for location in locations(change)]
    return (
        f"{plain_text(change.text)}<br>{code_text(change.id)}",
        plain_text(operations_in_short(edit)) or "the whole document",
        client,
        "<br>".join(places),
    )


def plain_text(text: str) -> str:
    """A text without markup, mentions and links to issues."""
    short_text = shortened(text, _MAXIMUM_TEXT_CHARACTERS)
    # CommonMark allows a backslash before any ASCII punctuation.
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", short_text)
    # GitHub looks for @name, #1 and GH-1 after it interprets the escapes. A zero-width space
    # prevents it.
    return re.sub(r"(@|#(?=\d)|(?<=[Gg][Hh])\\-(?=\d))", "\\1\u200b", escaped)


def code_text(text: str) -> str:
    """A text as code, without links as in `plain_text`."""
    return f"<code>{plain_text(text)}</code>"


def _items_within(items: list[str], room: int) -> list[str]:
    """The first items that fit into a number of characters."""
    end = 0
    for index, item in enumerate(items):
        end += len(item) + 1
        if end > room:
            return items[:index]
    return items


def _size(lines: list[str]) -> int:
    """The number of characters of some lines with their line ends."""
    return sum(len(line) + 1 for line in lines)
