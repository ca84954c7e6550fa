"""Loads the spec from YAML or JSON files."""

from __future__ import annotations

from pathlib import Path

from specdrift.loading import ComparisonError, LocalFile, ParsedFile, ReferencedFiles

from ..document import Document, SpecError, is_mapping
from .bundle import bundle
from .equivalents import write_equivalents
from .openapi30 import (
    is_openapi_30,
    read_as_openapi_31,
    upgrade,
    write_limits,
    write_nullable_as_type,
)


def load_document(path: Path) -> Document:
    """Read and parse a spec, with the files that it refers to.

    The result is one document of OpenAPI 3.1 without references to other files.

    Raises:
        SpecError: a file cannot be read or parsed, or has a duplicate key. A reference to another
            file leads nowhere. The top level of the spec is not a mapping.
    """
    try:
        file = ParsedFile.parse(str(path), path.read_bytes())
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error
    except ComparisonError as error:
        # The message already names file and line.
        raise SpecError(str(error)) from error
    # The spec belongs to the user, so it may refer to each of the user's files.
    root_folder = path.resolve().anchor
    files = ReferencedFiles(LocalFile(str(path)), file, [root_folder], {})
    return read_document(path, file, files)


def read_document(path: Path, file: ParsedFile, files: ReferencedFiles) -> Document:
    """Turn parsed files into one document of OpenAPI 3.1 without references to other files.

    Args:
        path: the path of the document, for messages about the whole of it.
        file: the document. It stays as it is.
        files: the files that it refers to.

    Raises:
        SpecError: the top level is not a mapping, or a reference to another file leads nowhere.
    """
    if not is_mapping(file.data):
        raise SpecError(f"{path}: is not an OpenAPI document: the top level is not a mapping")
    root, sources = bundle(file, files)
    # The copy that `bundle` made is changed in place.
    document = Document(path, root, sources)
    if is_openapi_30(document):
        upgrade(document)
    read_as_openapi_31(document)
    write_limits(document)
    write_nullable_as_type(document)
    write_equivalents(document)
    return document
