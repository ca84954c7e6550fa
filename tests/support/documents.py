"""Reads the blocks of code in the project's Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.paths import ROOT

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tools/*/README.md")]
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@dataclass(frozen=True)
class Block:
    """A block of code."""

    document: str
    """The file, relative to the project."""
    line: int
    """The line with its language. The first line of a file is 1."""
    language: str
    """Empty if the block names none, as one that is only indented."""
    code: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks() -> list[Block]:
    """All blocks of all documents."""
    return [block for document in DOCUMENTS for block in _blocks_of(document)]


def blocks_in(language: str) -> list[Block]:
    """All blocks in a language."""
    return [block for block in blocks() if block.language == language]


def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a document.

    GitHub lowers the case, removes punctuation, and replaces blanks by hyphens. It numbers repeated
    headings.
    """
    anchors: set[str] = set()
    tokens = _tokens_of(document)
    for opening, heading in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(part.content for part in heading.children or [])
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 1
        unique_anchor = anchor
        while unique_anchor in anchors:
            unique_anchor = f"{anchor}-{number}"
            number += 1
        anchors.add(unique_anchor)
    return anchors


def _blocks_of(document: Path) -> list[Block]:
    name = document.relative_to(ROOT).as_posix()
    return [
        Block(name, token.map[0] + 1, token.info, token.content)
        for token in _tokens_of(document)
        if token.type in {"fence", "code_block"} and token.map is not None
    ]


def _tokens_of(document: Path) -> list[Token]:
    return MarkdownIt().parse(document.read_text(encoding="utf-8"))
