"""Reads the names that new entries of the changelog mention under `Removed` or `Changed`."""

from __future__ import annotations

import re
from dataclasses import dataclass

FILE = "CHANGELOG.md"
UNRELEASED = "unreleased"

KINDS_OF_BREAKS = {"removed", "changed"}
"""Headings of Keep a Changelog 1.1.0 that can announce a break."""

HEADING = re.compile(r"(#{2,3})\s+(.+)")
ENTRY_START = re.compile(r"\s*([-*+]\s|\||$)")
CODE_SPAN = re.compile(r"(`+)(.+?)\1")
NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Entry:
    """One entry: an item of a list, a row of a table or a paragraph."""

    section: str
    """The version in lower case, such as `unreleased` or `1.2.0`."""
    kind: str
    """The heading in lower case, such as `removed`."""
    text: str


def announced_names(base: str, revision: str) -> set[str]:
    """The names that new entries mention in backticks.

    An entry counts if the base has neither the entry nor, unless it is `[Unreleased]`, its version.
    So the names of earlier releases do not count, and a pull request may prepare a release.

    Args:
        base: the changelog of the base; empty if it has none.
        revision: the changelog of the change.
    """
    base_entries = read_entries(base)
    base_texts = {entry.text for entry in base_entries}
    base_versions = {entry.section for entry in base_entries} - {UNRELEASED}
    names: set[str] = set()
    for entry in read_entries(revision):
        is_break = entry.kind in KINDS_OF_BREAKS
        is_new = entry.text not in base_texts and entry.section not in base_versions
        if is_break and is_new:
            names |= names_in(entry.text)
    return names


def names_in(text: str) -> set[str]:
    """The names in the code spans of a text: `Model.field` has two."""
    names: set[str] = set()
    for span in CODE_SPAN.finditer(text):
        names.update(NAME.findall(span[2]))
    return names


def read_entries(text: str) -> list[Entry]:
    """The entries of a changelog that follows Keep a Changelog."""
    entries: list[Entry] = []
    section = ""
    kind = ""
    lines: list[str] = []

    def finish() -> None:
        if lines:
            entries.append(Entry(section, kind, " ".join(lines)))
            lines.clear()

    for line in text.splitlines():
        heading = HEADING.fullmatch(line.strip())
        if heading or ENTRY_START.match(line):
            finish()
        if heading is None:
            if line.strip():
                lines.append(line.strip())
        elif heading[1] == "##":
            section = version_in(heading[2])
            kind = ""
        else:
            kind = heading[2].strip().lower()
    finish()
    return entries


def version_in(heading: str) -> str:
    """The version of a heading such as `[1.2.0] - 2026-01-31`, in lower case."""
    version, _, _ = heading.partition(" - ")
    return version.strip().strip("[]").lower()
