"""Writes the report as one HTML file that loads nothing else, so that it can be archived."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ..terminal import html_text, visible
from .excerpts import ExcerptReader
from .report import Report
from .tree import Branch, Item, build_tree, sorted_by_place
from .wording import (
    CLIENT_WORDS,
    CONTRACT_WORDS,
    counts,
    expiry_suffix,
    fault_sentence,
    group_by_operation,
    headline,
)


def write_html(report: Report) -> str:
    """The report as an HTML page."""
    sections = _sections(report)
    breaking_items = [item for section in sections for item in section.items if item.breaks]
    html = _load_template().render(
        report=report,
        headline=headline(report),
        contract_words=CONTRACT_WORDS,
        client_words=CLIENT_WORDS,
        counts=counts(report.entries),
        effects=Counter(entry.verdict.effect for entry in report.counted),
        sections=sections,
        breaking_items=breaking_items,
    )
    return html_text(html) + "\n"


class Section(NamedTuple):
    """An operation on the page, or the document as a whole."""

    heading: str
    tree: Branch
    items: list[Item]
    """All items of the tree, in the order of the page."""
    counts: dict[str, int]


def _sections(report: Report) -> list[Section]:
    reader = ExcerptReader(report)
    sections: list[Section] = []
    number = 0
    for heading, entries in group_by_operation(report.entries):
        items: list[Item] = []
        for entry in sorted_by_place(entries):
            number += 1
            items.append(Item(number, entry, reader.excerpts(entry.change)))
        sections.append(Section(heading, build_tree(items), items, counts(entries)))
    return sections


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
