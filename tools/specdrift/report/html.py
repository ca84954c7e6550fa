"""The report as a page for a browser: one file that asks nobody for anything, to be sent and kept."""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..rules import ERR, Change, Source
from .report import Entry, Report
from .wording import (
    CLIENT,
    CONTRACT,
    Spot,
    counts,
    grouped,
    headline,
    spots,
    told_fault,
    until,
    visible,
)

AROUND = 3
"""Lines that are shown before and after the one that is meant."""

BLOCK = 60
"""Lines of what is written at a place that are looked through for what differs."""

MOST = 40
"""Lines that are shown of one side."""

WIDTH = 300
"""Characters that are shown of a line: a document may be written in a single one."""

DEPTH = 8
"""Steps into a schema that are told one by one."""

_AT = re.compile(r", at `([^`]+)`, ")
_PARAMETER = re.compile(r"The (\w+ parameter \S+)")
_HEADER = re.compile(r"The (header \S+) of the response ")
_STATUS = re.compile(
    r"(?:\b(?:response|status) |/responses/)([1-5](?:\d\d|XX)|default)\b", re.IGNORECASE
)


class Line(NamedTuple):
    """A line of a document."""

    number: int
    text: str
    differs: bool
    """Whether the other side has no such line in its place."""


class Pane(NamedTuple):
    """One side of a change, as it is shown."""

    spot: Spot
    lines: list[Line]
    """Empty where it is not there, or where nobody knows where."""


class Shown(NamedTuple):
    """A change as it is shown."""

    number: int
    entry: Entry
    panes: tuple[Pane, ...]

    @property
    def breaks(self) -> bool:
        """Whether it counts, and breaks the contract or our client."""
        worst = self.entry.change.level == ERR or self.entry.verdict.effect == "breaks"
        return worst and self.entry.waiver is None


class Branch(NamedTuple):
    """A place in an operation, with what changed there and further in."""

    name: str
    changes: list[Shown]
    branches: dict[str, Branch]

    def joined(self) -> Branch:
        """The same, with places that only lead to one further in told in one with that."""
        branches = {name: branch.joined() for name, branch in self.branches.items()}
        if self.name and not self.changes and len(branches) == 1:
            (only,) = branches.values()
            return Branch(f"{self.name} › {only.name}", only.changes, only.branches)
        return Branch(self.name, self.changes, branches)


def page(report: Report) -> str:
    """The report as HTML."""
    told = list[Shown]()

    @cache
    def lines(role: str, file: str) -> list[str]:
        side = report.base if role == "base" else report.revision
        # The ends of lines that YAML knows, by which places are counted.
        return re.split("\r\n|[\r\n\x85\u2028\u2029]", side.text(file).removesuffix("\n"))

    def panes(change: Change) -> tuple[Pane, ...]:
        both = spots(change)
        texts = [
            lines(spot.role, spot.source.file) if spot.there and spot.source else []
            for spot in both
        ]
        blocks = [_block(text, spot.source) for text, spot in zip(texts, both, strict=True)]
        differing = _differing(
            *(text[block.start : block.stop] for text, block in zip(texts, blocks, strict=True))
        )
        return tuple(map(_pane, both, texts, blocks, differing))

    def tree(entries: list[Entry]) -> Branch:
        root = Branch("", [], {})
        for entry in sorted(
            entries,
            key=lambda entry: [(step != "Parameters", step) for step in steps(entry.change)],
        ):
            branch = root
            for step in steps(entry.change):
                branch = branch.branches.setdefault(step, Branch(step, [], {}))
            told.append(Shown(len(told) + 1, entry, panes(entry.change)))
            branch.changes.append(told[-1])
        return root.joined()

    # Whatever is written out, and is not markup already, is made visible first, and escaped then.
    environment = Environment(
        autoescape=True, finalize=_visible, trim_blocks=True, lstrip_blocks=True
    )
    environment.undefined = StrictUndefined
    environment.filters |= {
        "digest": _digest,
        "sentence": _sentence,
        "told_fault": told_fault,
        "until": until,
    }
    template = environment.from_string(
        (files("specdrift.report") / "page.html.jinja").read_text(encoding="utf-8")
    )
    operations = [
        (name, tree(entries), counts(entries)) for name, entries in grouped(report.entries)
    ]
    breaking = [shown for shown in told if shown.breaks]
    known = {"report": report, "headline": headline(report), "contract": CONTRACT, "client": CLIENT}
    numbers = {
        "counts": counts(report.entries),
        "effects": Counter(entry.verdict.effect for entry in report.counted),
    }
    return template.render(known | numbers, operations=operations, breaking=breaking) + "\n"


def steps(change: Change) -> tuple[str, ...]:
    """The way from an operation to a change, as far as the sentence and the pointers tell it."""
    if change.direction == "none":
        return ()
    found = _AT.search(change.text)
    inner = found[1].split("/", DEPTH - 1) if found else []
    if change.direction == "request":
        parameter = _PARAMETER.match(change.text)
        return (
            "Request",
            *(("Parameters", parameter[1].rstrip(",")) if parameter else ("Body",)),
            *inner,
        )
    status = _STATUS.search(f"{change.text} {change.revision_pointer} {change.base_pointer}")
    header = _HEADER.match(change.text)
    return (
        f"Response {status[1]}" if status else "Response",
        *([header[1]] if header else []),
        *inner,
    )


def _block(lines: list[str], source: Source | None) -> range:
    """What is written at a place: its line, and those after it that are further in, counted from 0."""
    start = source.line - 1 if source else 0
    after = lines[start + 1 : start + BLOCK]
    within = takewhile(lambda line: not line.strip() or _depth(line) > _depth(lines[start]), after)
    return range(start, min(start + 1 + len(list(within)), len(lines)))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _differing(base: list[str], revision: list[str]) -> tuple[set[int], set[int]]:
    """The lines of either that the other does not have in their place."""
    edits = [
        edit
        for edit in SequenceMatcher(None, base, revision, autojunk=False).get_opcodes()
        if edit[0] != "equal"
    ]
    old = {index for _, start, stop, _, _ in edits for index in range(start, stop)}
    return old, {index for _, _, _, start, stop in edits for index in range(start, stop)}


def _pane(spot: Spot, lines: list[str], block: range, differing: set[int]) -> Pane:
    """A side with the lines around the place, and around what differs further in."""
    if not block:
        return Pane(spot, [])
    differs = {block[index] for index in differing}
    near = {*range(block.start - AROUND, block.start + AROUND + 1)}
    near |= {index + step for index in differs for step in (-1, 0, 1)}
    numbers = sorted(near & {*range(len(lines))})[:MOST]
    texts = textwrap.dedent(
        "\n".join(lines[index][: WIDTH * 2].expandtabs(4) for index in numbers)
    ).split("\n")
    shown = (f"{text[:WIDTH]}…" if text[WIDTH:] else text for text in texts)
    return Pane(
        spot,
        [
            Line(index + 1, text, index in differs)
            for index, text in zip(numbers, shown, strict=True)
        ],
    )


def _visible(value: object) -> object:
    return visible(value) if type(value) is str else value


def _digest(text: str) -> str:
    """What a policy allows a script or a style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _sentence(text: str) -> Markup:
    """A text with what it has between backticks as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return Markup.escape(visible(text))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if odd % 2 else part
        for odd, part in enumerate(parts)
    )
