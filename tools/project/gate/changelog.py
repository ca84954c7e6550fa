"""Reads the names that new entries of the changelog mention under `Removed` or `Changed`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

FILE = "CHANGELOG.md"
UNRELEASED = "unreleased"

KINDS_OF_BREAKS = {"removed", "changed"}
"""Headings of Keep a Changelog 1.1.0 that can announce a break."""

NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Entry:
    """One entry: a paragraph, which can be that of a list item, or a row of a table."""

    section: str
    """The version in lower case, such as `unreleased` or `1.2.0`."""
    kind: str
    """The heading in lower case, such as `removed`."""
    text: str
    names: frozenset[str]
    """The names in its code spans: `Model.field` has two."""


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
            names |= entry.names
    return names


def read_entries(text: str) -> list[Entry]:
    """The entries of a changelog that follows Keep a Changelog.

    A Markdown parser finds them. So comments and code blocks are no entries.
    """
    entries: list[Entry] = []
    section = ""
    kind = ""
    content: list[Token] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            content.append(token)
        elif token.type == "heading_close" and token.level == 0:
            heading = plain_text(content)
            if token.tag == "h2":
                section = version_in(heading)
                kind = ""
            elif token.tag == "h3":
                kind = kind_in(heading)
        elif token.type in ("paragraph_close", "tr_close"):
            entries.append(entry_from(section, kind, content))
        if token.type in ("heading_close", "paragraph_close", "tr_close"):
            content = []
    return entries


def entry_from(section: str, kind: str, content: list[Token]) -> Entry:
    """An entry with the content of a paragraph, or of the cells of a row."""
    # Line breaks in the source have no meaning, so an entry that is wrapped again is not new.
    text = " ".join(" ".join(token.content.split()) for token in content)
    names: set[str] = set()
    for token in content:
        for child in token.children or []:
            if child.type == "code_inline":
                names.update(NAME.findall(child.content))
    return Entry(section, kind, text, frozenset(names))


def plain_text(content: list[Token]) -> str:
    """The text of a heading as readers see it: without the address of a link."""
    return "".join(child.content for token in content for child in token.children or [])


def kind_in(heading: str) -> str:
    """The kind of changes below a heading such as `Removed (breaking)`, in lower case."""
    words = NAME.findall(heading.lower())
    return words[0] if words else ""


def version_in(heading: str) -> str:
    """The version of a heading such as `[1.2.0] - 2026-01-31`, in lower case."""
    version, _, _ = heading.partition(" - ")
    return version.strip().strip("[]").lower()
