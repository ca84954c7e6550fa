"""Checks that a tag can be released, and writes its release notes: `make notes TAG=v1.2.3`.

The workflow `release` runs it before it builds anything. The environment variable `TAG` names the
tag. The notes are the section of CHANGELOG.md for its version, in build/release-notes.md.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from packaging.version import InvalidVersion, Version

from .job_files import append_summary, set_output

VERSION_FILE = Path("overrides/leadconnector/_version.py")
CHANGELOG = Path("CHANGELOG.md")
NOTES = Path("build/release-notes.md")

HEADING = re.compile(r"\[(?P<version>[^\]]+)\](?:\(\S+\))? - \d{4}-\d\d-\d\d", re.ASCII)
"""The heading of a released version in https://keepachangelog.com, which can be a link."""

LINE_END = re.compile("\r\n|\r|\n")


class ReleaseError(Exception):
    """The tag cannot be released. The message says what to change."""


@dataclass(frozen=True)
class Section:
    """A section of the changelog.

    Attributes:
        heading: the text after `## `.
        body: the Markdown below the heading.
    """

    heading: str
    body: str


def main() -> int:
    """Check the tag, and write the notes.

    Returns:
        The exit status: 0, or 2 if the tag cannot be released. Then there are no notes, not even
        those of an earlier run.
    """
    try:
        remove_notes()
        version = version_of_tag(os.environ.get("TAG", ""), read_version())
        notes = release_notes(read_text(CHANGELOG), version)
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(notes, encoding="utf-8")
    except (ReleaseError, OSError) as error:
        print(f"make notes: {error}", file=sys.stderr)
        return 2
    # The workflow marks a version such as 1.0rc1 as a pre-release.
    set_output("prerelease", str(version.is_prerelease).lower())
    append_summary(f"## {version}\n\n{notes}")
    print(f"{NOTES}: the notes of {version}")
    return 0


def remove_notes() -> None:
    """Remove the notes of an earlier run.

    Raises:
        OSError: they cannot be removed.
    """
    try:
        NOTES.unlink()
    except (FileNotFoundError, NotADirectoryError):
        # If `build` is a file, writing the notes reports it.
        return


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        ReleaseError: it is not UTF-8.
        OSError: it cannot be read.
    """
    try:
        # The line ends stay as they are: the parser reads each kind.
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{file} is not UTF-8: {error}") from error


def read_version() -> str:
    """The version of the packages.

    The file is parsed, not imported: its package needs dependencies.

    Raises:
        ReleaseError: the file has no version.
    """
    text = read_text(VERSION_FILE)
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise ReleaseError(f"{VERSION_FILE} is not valid Python: {error}") from error
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__version__":
            return version_in(statement.value)
    raise ReleaseError(f"{VERSION_FILE} has no `__version__`")


def version_in(value: ast.expr) -> str:
    """The version that a module assigns.

    Raises:
        ReleaseError: it is not written as a string.
    """
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        raise ReleaseError(f"{VERSION_FILE}: write `__version__` as a string")
    return value.value


def version_of_tag(tag: str, package_version: str) -> Version:
    """The version that a tag releases.

    Raises:
        ReleaseError: the tag is not `v` and the version of the packages.
    """
    if not tag:
        raise ReleaseError("no tag is named: make notes TAG=v1.2.3")
    try:
        version = Version(package_version)
    except InvalidVersion as error:
        raise ReleaseError(f"{VERSION_FILE}: {error}") from error
    # Package indexes show the normalised form. A tag in another form would be a second name for it.
    if package_version != str(version):
        raise ReleaseError(f"{VERSION_FILE}: write {package_version} as {version}")
    if version.local is not None:
        raise ReleaseError(f"{VERSION_FILE}: package indexes reject {version}: remove the `+`")
    if tag != f"v{version}":
        raise ReleaseError(
            f"the tag is {tag}, and {VERSION_FILE} has {version}: the tag must be v{version}."
            " Delete the tag, correct the version, and tag again."
        )
    return version


def release_notes(changelog: str, version: Version) -> str:
    """The changelog's section of a version.

    Raises:
        ReleaseError: there is not exactly one section with content for the version.
    """
    heading = f"[{version}] - YYYY-MM-DD"
    matching_sections = [
        section for section in sections_of(changelog) if heading_version(section) == str(version)
    ]
    if not matching_sections:
        raise ReleaseError(
            f"{CHANGELOG} has no section `## {heading}`:"
            " move the entries of `## [Unreleased]` to it"
        )
    if len(matching_sections) > 1:
        raise ReleaseError(f"{CHANGELOG} has two sections for {version}: merge them")
    [section] = matching_sections
    if not has_entries(section.body):
        raise ReleaseError(f"{CHANGELOG} says nothing below `## {section.heading}`: add entries")
    check_date(section)
    return f"{section.body}\n"


def has_entries(body: str) -> bool:
    """Whether there is text or code. Headings and comments alone describe no change."""
    tokens = MarkdownIt("commonmark").parse(body)
    if any(token.type in ("fence", "code_block") for token in tokens):
        return True
    return any(
        content.type == "inline" and opening.type != "heading_open" and has_text(content)
        for opening, content in pairwise(tokens)
    )


def has_text(content: Token) -> bool:
    """Whether something is visible: a paragraph can have only a comment."""
    visible_types = ("text", "code_inline", "image")
    return any(
        child.type in visible_types and child.content.strip() for child in content.children or []
    )


def check_date(section: Section) -> None:
    """Check that the day of a section exists.

    Raises:
        ReleaseError: it does not, such as 2026-02-30.
    """
    _, _, day = section.heading.rpartition(" - ")
    try:
        date.fromisoformat(day)
    except ValueError as error:
        raise ReleaseError(
            f"{CHANGELOG} has no day of the calendar in `## {section.heading}`: {error}"
        ) from error


def heading_version(section: Section) -> str:
    """The version in the heading of a section; empty for one that is not released."""
    match = HEADING.fullmatch(section.heading)
    if match is None:
        return ""
    return match["version"]


def sections_of(changelog: str) -> list[Section]:
    """The sections of a changelog, each from its heading of level two to the next one.

    A Markdown parser finds the headings, because a line such as `## a` in a code block is none.
    """
    environment: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark").parse(changelog, environment)
    definitions: dict[str, Any] = environment.get("references", {})
    # As the parser counts them. `splitlines` also ends a line at U+2028 and at form feeds.
    lines = without_definitions(LINE_END.split(changelog), definitions)
    headings = headings_in(tokens)
    # A section ends at the next heading, or at the end of the file.
    first_lines = [*(heading.first_line for heading in headings), len(lines)]
    sections: list[Section] = []
    for number, heading in enumerate(headings, start=1):
        body = "\n".join(lines[heading.end_line : first_lines[number]]).strip()
        sections.append(Section(heading.text, with_definitions(body, definitions)))
    return sections


@dataclass(frozen=True)
class Heading:
    """A heading of level two, and its lines: the first one, and the one after the last."""

    text: str
    first_line: int
    end_line: int


def headings_in(tokens: Sequence[Token]) -> list[Heading]:
    """The headings of level two, except those inside of another block."""
    headings: list[Heading] = []
    for token, content in pairwise(tokens):
        if token.type != "heading_open" or token.tag != "h2" or token.level > 0:
            continue
        if token.map is not None:
            first_line, end_line = token.map
            headings.append(Heading(content.content, first_line, end_line))
    return headings


def without_definitions(lines: list[str], definitions: Mapping[str, Any]) -> list[str]:
    """The lines, with empty ones in place of link definitions such as `[name]: https://HOST`."""
    remaining_lines = list(lines)
    for definition in definitions.values():
        first_line, end_line = definition["map"]
        remaining_lines[first_line:end_line] = [""] * (end_line - first_line)
    return remaining_lines


def with_definitions(body: str, definitions: Mapping[str, Any]) -> str:
    """The body, with the definitions of the links in it.

    They are at the end of the file, in no section or in the last one.
    """
    used_definitions = [
        f"[{label}]: {definition['href']}"
        for label, definition in definitions.items()
        if f"[{label}]".casefold() in body.casefold()
    ]
    if not used_definitions:
        return body
    return "\n".join([body, "", *used_definitions])


if __name__ == "__main__":
    sys.exit(main())
