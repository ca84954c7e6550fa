"""Writes the report as one HTML file that loads nothing else, so that it can be archived."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ..terminal import html_text, visible
from .edits import Edit, group_by_edit
from .excerpts import ExcerptReader
from .report import LEVELS, Report
from .tree import Branch, Item, build_tree, group_by_owner
from .wording import (
    CLIENT_WORDS,
    CONTRACT_WORDS,
    counts,
    counts_of_edits,
    edit_counts,
    expiry_suffix,
    fault_sentence,
    headline,
    hidden_sentence,
)

_MAXIMUM_BREAKING_ITEMS = 200
"""How many edits the list of what breaks names."""


def write_html(report: Report) -> str:
    """The report as an HTML page."""
    sections = _sections(report)
    items = [item for section in sections for item in section.items]
    html = _load_template().render(
        report=report,
        headline=headline(report),
        edit_counts=edit_counts(report) if report.entries else "",
        hidden=hidden_sentence(report),
        contract_words=CONTRACT_WORDS,
        client_words=CLIENT_WORDS,
        counts=counts_of_edits(report.entries),
        effects=Counter(edit.entry.verdict.effect for edit in group_by_edit(report.counted)),
        sections=sections,
        breaking_items=sorted((item for item in items if item.edit.breaks), key=_severity),
        maximum_breaking_items=_MAXIMUM_BREAKING_ITEMS,
    )
    return html_text(html) + "\n"


def _severity(item: Item) -> int:
    return LEVELS.index(item.entry.change.level)


class Section(NamedTuple):
    """An operation or component on the page, or the document as a whole."""

    heading: str
    tree: Branch
    items: list[Item]
    """All items of the tree, in the order of the page."""
    counts: dict[str, int]


def _sections(report: Report) -> list[Section]:
    reader = ExcerptReader(report)
    sections: list[Section] = []
    number = 0
    for heading, edits in _groups(report):
        items: list[Item] = []
        for edit in edits:
            number += 1
            items.append(Item(number, edit, reader.excerpts(edit.change)))
        entries = [edit.entry for edit in edits]
        sections.append(Section(heading, build_tree(items), items, counts(entries)))
    return sections


def _groups(report: Report) -> Iterator[tuple[str, list[Edit]]]:
    for group in group_by_owner(group_by_edit(report.shown)):
        yield group.heading, group.edits


def _load_template() -> Template:
    # Texts of the documents are hostile input. Each is made visible first and escaped afterwards;
    # only the template and `Markup` count as HTML.
    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["digest"] = _digest
    environment.filters["sentence"] = _sentence
    environment.filters["fault_sentence"] = fault_sentence
    environment.filters["expiry_suffix"] = expiry_suffix
    source = (files("specdrift.report") / "page.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)


def _finalize(value: object) -> object:
    """Make a text visible. `Markup` is a subclass of `str` and stays as it is."""
    return visible(value) if type(value) is str else value


def _digest(text: str) -> str:
    """The hash by which the Content-Security-Policy allows an inline script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _sentence(text: str) -> Markup:
    """A text in which the parts between backticks are shown as code."""
    parts = visible(text).split("`")
    # Unpaired backticks are part of the text.
    if len(parts) % 2 == 0:
        return Markup.escape(visible(text))
    html = Markup()
    for index, part in enumerate(parts):
        if index % 2 == 0:
            html += part
        else:
            html += Markup("<code>{}</code>").format(part)
    return html
