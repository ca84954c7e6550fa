"""Describes what was not compared, so that nobody mistakes it for unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .loading import ComparisonError, LoadedDocument
from .model.document import Document


@dataclass(frozen=True)
class ComparedDocument:
    """A document in its two forms: with the lines of its text, and as nodes to compare."""

    loaded: LoadedDocument
    nodes: Document


def notes_of(base: ComparedDocument, revision: ComparedDocument) -> Iterator[str]:
    """Yield what was not compared. The comparison has to be complete."""
    yield from base.loaded.dangling_notes(base.nodes.dangling)
    yield from revision.loaded.dangling_notes(revision.nodes.dangling)
    yield from _lost_parts(base)
    yield from _lost_parts(revision)
    yield from _skipped_notes(base, revision)
    yield from _limitation_notes(base.loaded)
    yield from _limitation_notes(revision.loaded)


def reject_lost_parts(document: ComparedDocument) -> None:
    """Check that no mapping or list of a document was lost behind a broken reference.

    Raises:
        ComparisonError: a reference in place of a mapping or list leads nowhere, and the user did
            not replace its file by nothing.
    """
    for location, node in document.nodes.lost_parts.items():
        reference = str(node.reference)
        if not document.nodes.has_file_of(reference, node.file):
            continue
        source = document.loaded.source(f"{location}/$ref")
        raise ComparisonError(
            f"{source}: the reference {reference!r} leads nowhere, so nothing there can be"
            " compared: correct the reference"
        )


def _lost_parts(document: ComparedDocument) -> Iterator[str]:
    """The references in place of a mapping or list whose file the user replaced by nothing."""
    for location, node in document.nodes.lost_parts.items():
        source = document.loaded.source(f"{location}/$ref")
        yield f"{source}: the reference {node.reference!r} leads nowhere: not compared"


def _skipped_notes(base: ComparedDocument, revision: ComparedDocument) -> Iterator[str]:
    """What the comparison skipped: each reason once, with its first place and the number."""
    places: dict[str, list[str]] = {}
    for document in (base, revision):
        for location, reason in document.nodes.skipped.items():
            places.setdefault(reason, []).append(str(document.loaded.source(location)))
    for reason, sources in places.items():
        others = len(sources) - 1
        count = ""
        if others:
            count = f" (and {others:,} other {'place' if others == 1 else 'places'})"
        yield f"{sources[0]}: {reason}: not compared{count}"


def _limitation_notes(document: LoadedDocument) -> Iterator[str]:
    if not document.document.get("paths"):
        yield f"{document.name} has no `paths`"
    if "$dynamicRef" in document.text(document.name):
        yield f"{document.name} has `$dynamicRef`, which is not followed"
    if str(document.document["openapi"]).startswith("3.2"):
        yield (
            f"{document.name} is OpenAPI 3.2, and compared as 3.1:"
            " what is new in 3.2 is not compared"
        )
