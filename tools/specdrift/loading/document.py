"""Loads an OpenAPI document with its referenced files and the lines of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.document import is_mapping
from ..rules import Source
from .errors import ComparisonError
from .parsed_file import ParsedFile
from .references import ReferencedFiles
from .sources import StandardInput, cause_of, origin_of, without_secrets

_VERSION = re.compile(r"3\.[012](\.|$)")
_NEEDED_VERSION = "OpenAPI 3.0, 3.1 or 3.2 is needed"


def load(
    source: str,
    *,
    roots: Sequence[str] = (),
    replacements: Mapping[str, str] | None = None,
) -> LoadedDocument:
    """Load a document. The files that it refers to are loaded when a comparison needs them.

    Args:
        source: a path, `REVISION:PATH` in the git repository of the current directory, or a URL.
        roots: where references may lead to, beside the document's own folder: folders (of the
            repository, for `REVISION:PATH`) and prefixes of URLs.
        replacements: what to load instead of a referenced file, by the reference without its
            fragment. An empty replacement makes the reference lead nowhere. References in a
            replacement are resolved as if it were in the original place.

    Raises:
        ComparisonError: it cannot be read, or is not an OpenAPI 3 document.
    """
    parsed_file = read_file(source, roots)
    files = ReferencedFiles(origin_of(source), parsed_file, roots, replacements or {})
    return LoadedDocument(parsed_file, files)


def read_file(source: str, roots: Sequence[str] = ()) -> ParsedFile:
    """Read and parse a file of YAML or JSON.

    Args:
        source: as in `load`.
        roots: where a redirect may lead to, beside the folder of the source.

    Raises:
        ComparisonError: it cannot be read, or does not parse.
    """
    name = without_secrets(source)
    try:
        origin = origin_of(source)
        if isinstance(origin, StandardInput):
            name = origin.display_name
        content = origin.read((origin.folder, *roots))
    except OSError as error:
        raise ComparisonError(
            f"{name}: cannot be read: {cause_of(error)}:"
            " name a file, REVISION:PATH in this git repository, or an https URL"
        ) from error
    return ParsedFile.parse(name, content)


class LoadedDocument:
    """A document and the files that it refers to."""

    def __init__(self, main_file: ParsedFile, files: ReferencedFiles) -> None:
        self.name = main_file.name
        """The source, without secrets."""
        self.document = openapi_document(main_file)
        """The data of the main file."""
        self.files = files

    def text(self, file: str) -> str:
        """The text of a loaded file, by its name in a `Source`; empty if no such file is loaded."""
        for parsed_file in self.files.parsed_files.values():
            if parsed_file.name == file:
                return parsed_file.text
        return ""

    def source(self, location: str) -> Source | None:
        """The line of a value, or of the nearest existing value around it.

        Args:
            location: as in a change, such as `/paths/~1pets` or `../common.json#/components`. An
                empty location has no line: the result is None.
        """
        if not location:
            return None
        file, separator, pointer = location.partition("#")
        parsed_files = self.files.parsed_files
        # A `#` may also be part of a key in the main document.
        if separator and file in parsed_files:
            return parsed_files[file].source(pointer)
        return parsed_files[""].source(location)

    def dangling_notes(self, dangling: Mapping[str, str]) -> list[str]:
        """Describe references that lead nowhere, each text once with its first place.

        Args:
            dangling: the texts of the references, by the location of their nodes.
        """
        first_locations: dict[str, str] = {}
        for location, text in dangling.items():
            first_locations.setdefault(text, location)
        return [
            f"{self.source(f'{location}/$ref')}: the reference {text!r} leads nowhere:"
            " compared by its text"
            for text, location in first_locations.items()
        ]


def openapi_document(file: ParsedFile) -> dict[str, Any]:
    """Return the data of a file that is an OpenAPI 3 document.

    Raises:
        ComparisonError: it is none.
    """
    data = file.data
    if not is_mapping(data):
        problem = "is not an OpenAPI document: the top level is not a mapping"
        raise ComparisonError(f"{file.name}: {problem}: name another file")
    # A version that is no version may be long, so messages show its first 20 characters.
    if "swagger" in data:
        raise _wrong_version(file, "swagger", f"Swagger {data['swagger']!s:.20}")
    if "openapi" not in data:
        problem = f"has no `openapi` at the top level, and {_NEEDED_VERSION}"
        raise ComparisonError(f"{file.name}: {problem}: name another file")
    if not _VERSION.match(str(data["openapi"])):
        raise _wrong_version(file, "openapi", f"OpenAPI {data['openapi']!s:.20}")
    return data


def _wrong_version(file: ParsedFile, key: str, version: str) -> ComparisonError:
    source = file.source(f"/{key}")
    return ComparisonError(f"{source}: is {version}, and {_NEEDED_VERSION}: convert it first")
