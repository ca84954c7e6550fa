"""Loads the spec from a YAML or JSON file."""

from __future__ import annotations

from pathlib import Path

from specdrift.loading import ComparisonError, ParsedFile

from .document import Document, SpecError, is_mapping


def load_document(path: Path) -> Document:
    """Read and parse a spec.

    Raises:
        SpecError: the file cannot be read or parsed, has a duplicate key, or is not a mapping.
    """
    try:
        text = ParsedFile.parse(str(path), path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    except ComparisonError as error:
        # The message already names file and line.
        raise SpecError(str(error)) from error
    if not is_mapping(text.data):
        raise SpecError(f"{path}: is not an OpenAPI document: the top level is not a mapping")
    return Document(path, text.data, text)
