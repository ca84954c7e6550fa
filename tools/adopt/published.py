"""Reads documents that the vendor published, with their known faults repaired."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generate.document import Document, SpecError, is_mapping
from generate.reading import read_document
from specdrift.loading import ComparisonError, ParsedFile, ReferencedFiles, origin_of, read_file

from .errors import AdoptionError
from .overlay import Action, Repair, apply_overlay

_SUFFIXES = (".json", ".yaml", ".yml")

_COMMON_SCHEMAS = "../common/common-schemas.json"
"""The reference of all documents of the vendor to the schemas of errors."""

_MOVED_COMMON_SCHEMAS = ("common/common-schemas.json", "../../common/common-schemas.json")
"""Where they are for the documents of v3, which moved into a folder of their own."""


@dataclass(frozen=True)
class PublishedDocument:
    """A document as OpenAPI 3.1, in one file."""

    source: str
    document: Document
    repairs: Sequence[Repair]
    """What the overlay repaired."""


def read_published(source: str, overlay: Sequence[Action]) -> list[PublishedDocument]:
    """Read a document, or all documents of a folder.

    Args:
        source: a file, a folder, or a URL.
        overlay: the repairs of known faults.

    Raises:
        AdoptionError: one cannot be read, or refers to a file that cannot be read.
    """
    if not os.path.isdir(source):
        return [_read(source, overlay)]
    paths = sorted(path for path in Path(source).iterdir() if path.suffix in _SUFFIXES)
    if not paths:
        raise AdoptionError(f"{source}: has no document: name a file, or another folder")
    return [_read(str(path), overlay) for path in paths]


def _read(source: str, overlay: Sequence[Action]) -> PublishedDocument:
    roots = [_root(source)]
    try:
        original = read_file(source, roots)
        _check_is_openapi(original)
        file, repairs = apply_overlay(overlay, original)
        files = ReferencedFiles(origin_of(source), file, roots, _replacements(source))
        document = read_document(Path(file.name), file, files)
    except (ComparisonError, SpecError, OSError) as error:
        raise AdoptionError(str(error)) from error
    return PublishedDocument(source, document, repairs)


def _check_is_openapi(file: ParsedFile) -> None:
    if not is_mapping(file.data):
        # `read_document` says so.
        return
    if "swagger" in file.data:
        line = file.source("/swagger")
        raise AdoptionError(f"{line}: is a document of Swagger 2.0: convert it to OpenAPI 3 first")
    if "openapi" not in file.data:
        raise AdoptionError(f"{file.name}: is not an OpenAPI document: it has no member `openapi`")


def _root(source: str) -> str:
    """Where references may lead: to each file, or to the parent folder of a URL."""
    if "://" not in source:
        return Path(source).resolve().anchor
    folder = source.rpartition("/")[0]
    return folder.rpartition("/")[0]


def _replacements(source: str) -> Mapping[str, str]:
    """The files to read for a reference that leads nowhere."""
    folder = source.rpartition("/")[0]
    if "://" in source:
        is_moved = folder.endswith("/v3")
        return {_COMMON_SCHEMAS: f"{folder}/{_MOVED_COMMON_SCHEMAS[0]}"} if is_moved else {}
    if os.path.exists(os.path.join(folder, _COMMON_SCHEMAS)):
        return {}
    for candidate in _MOVED_COMMON_SCHEMAS:
        path = os.path.join(folder, candidate)
        if os.path.exists(path):
            return {_COMMON_SCHEMAS: path}
    return {}
