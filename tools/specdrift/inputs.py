"""Loads the documents that the command line names, and selects their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .comparison.selection import Selection, Selections
from .loading import ComparisonError, load, load_composed, matching_files
from .model.document import Document
from .notes import ComparedDocument
from .options import InputOptions


def document_files(options: InputOptions) -> list[str]:
    """Return the files that the options name as documents. They may not exist."""
    sources = [options.base, options.revision]
    if not options.composed:
        return sources
    return [file for source in sources for file in matching_files(source)]


def load_documents(options: InputOptions) -> tuple[ComparedDocument, ComparedDocument]:
    """Load the base and the revision.

    Raises:
        ComparisonError: one of them cannot be read, or has no path to compare.
    """
    base = _load(options.base, options)
    revision = _load(options.revision, options)
    if options.within_base and not base.loaded.document.get("paths"):
        raise ComparisonError(
            f"{base.loaded.name}: has no `paths`, so there is nothing to compare within it"
        )
    return base, revision


def _load(source: str, options: InputOptions) -> ComparedDocument:
    load_source = load_composed if options.composed else load
    loaded = load_source(source, roots=options.root, replacements=dict(options.map))
    return ComparedDocument(loaded, Document(loaded.document, loaded.files))


def selections_of(
    base: ComparedDocument, revision: ComparedDocument, options: InputOptions
) -> Selections:
    """The selected paths of both documents.

    Raises:
        ComparisonError: no path is selected, a prefix removes nothing, or two paths get one name.
    """
    base_selection = _selection(options, options.strip_prefix_base, options.prefix_base)
    revised_selection = _selection(options, options.strip_prefix_revision, options.prefix_revision)
    base_templates = list(base_selection.templates(base.nodes))
    revised_templates = list(revised_selection.templates(revision.nodes))
    if base_selection.is_partial and not base_templates and not revised_templates:
        raise ComparisonError(
            f"no path of {base.loaded.name} or {revision.loaded.name} is selected by"
            f" {_conditions(options)}: correct the expression"
        )
    _check_names(base, base_selection, base_templates)
    _check_names(revision, revised_selection, revised_templates)
    return Selections(base_selection, revised_selection)


def _selection(options: InputOptions, stripped_prefix: str, added_prefix: str) -> Selection:
    return Selection(options.match_path, options.unmatch_path, stripped_prefix, added_prefix)


def _conditions(options: InputOptions) -> str:
    return " and ".join(_condition_texts(options))


def _condition_texts(options: InputOptions) -> Iterator[str]:
    conditions: dict[str, re.Pattern[str] | None] = {
        "--match-path": options.match_path,
        "--unmatch-path": options.unmatch_path,
    }
    for name, expression in conditions.items():
        if expression is not None:
            yield f"{name} {expression.pattern}"


def _check_names(document: ComparedDocument, selection: Selection, templates: list[str]) -> None:
    """Check that a prefix fits the paths, because a wrong one would add and remove every path."""
    prefix = selection.stripped_prefix
    if templates and not any(template.startswith(prefix) for template in templates):
        raise ComparisonError(
            f"{document.loaded.name}: no path begins with {prefix}, so it cannot be stripped:"
            f" the first path is {templates[0]}"
        )
    written_templates: dict[str, str] = {}
    for template in templates:
        other_template = written_templates.setdefault(selection.name_of(template), template)
        if other_template != template:
            raise ComparisonError(
                f"{document.loaded.name}: without the prefix {prefix}, {other_template} and"
                f" {template} are one path: exclude one of them with --unmatch-path"
            )
