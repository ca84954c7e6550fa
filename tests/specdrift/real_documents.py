"""Loads OpenAPI documents that were written by hand or published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from specdrift.model.document import is_list, is_mapping

from tests.specdrift.documents import Json
from tests.support.paths import ROOT

SUFFIXES = {".json", ".yaml", ".yml"}


@dataclass(frozen=True)
class LoadedDocument:
    """A document with the files that it refers to."""

    document: Json
    files: Json = field(default_factory=Json)
    """The content of each file, by its path from the document."""


def document_paths(folder: str | None) -> list[Path]:
    """Return the paths of the OpenAPI documents in a folder; that of the spec without a folder."""
    if folder is None:
        return [ROOT / "spec" / "openapi.yaml"]
    candidates = sorted(path for path in Path(folder).rglob("*") if path.suffix in SUFFIXES)
    paths = [path for path in candidates if _is_openapi_document(path)]
    if not paths:
        raise pytest.UsageError(f"{folder}: contains no OpenAPI document: name another folder")
    return paths


def _is_openapi_document(path: Path) -> bool:
    # Both keys are at the top of a document, and a whole folder is slow to parse.
    beginning = path.read_text(encoding="utf-8")[:10_000]
    return "openapi" in beginning and "paths" in beginning


def load_document(path: Path) -> LoadedDocument:
    """Load a document, and the files that it refers to itself, as far as they exist."""
    document = _load_file(path)
    names = set(_files_of(document))
    files = {
        name: _load_file(path.parent / name) for name in names if (path.parent / name).is_file()
    }
    return LoadedDocument(document, files)


def _load_file(path: Path) -> Json:
    text = path.read_text(encoding="utf-8")
    data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    # JSON has no dates and no aliases, so that an edit of one place changes one place.
    document: Json = json.loads(json.dumps(data, default=str))
    return document


def _files_of(value: Any) -> Iterator[str]:
    """Yield the file of each reference that leads out of a document."""
    if is_mapping(value):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference.partition("#")[0]
        for item in value.values():
            yield from _files_of(item)
    elif is_list(value):
        for item in value:
            yield from _files_of(item)
