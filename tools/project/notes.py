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
        The exit status: 0, or 2 if the tag cannot be released. Then no notes are written.
    """
    try:
        version = version_of_tag(os.environ.get("TAG", ""), read_version())
        notes = release_notes(CHANGELOG.read_text(encoding="utf-8"), version)
    except (ReleaseError, OSError) as error:
        print(f"make notes: {error}", file=sys.stderr)
        return 2
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(notes, encoding="utf-8")
    # The workflow marks a version such as 1.0rc1 as a pre-release.
    set_output("prerelease", str(version.is_prerelease).lower())
    append_summary(f"## {version}\n\n{notes}")
    print(f"{NOTES}: the notes of {version}")
    return 0


def read_version() -> str:
    """The version of the packages.

    The file is parsed, not imported: its package needs dependencies.

    Raises:
        ReleaseError: the file has no version.
    """
    module = ast.parse(VERSION_FILE.read_text(encoding="utf-8"))
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__version__":
            return str(ast.literal_eval(statement.value))
    raise ReleaseError(f"{VERSION_FILE} has no `__version__`")


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
    if not section.body:
        raise ReleaseError(f"{CHANGELOG} says nothing below `## {section.heading}`: add entries")
    return f"{section.body}\n"


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
    lines = without_definitions(changelog.splitlines(), definitions)
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
