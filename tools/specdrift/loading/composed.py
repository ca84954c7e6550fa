"""Loads several documents as one that has the paths of all of them.

The result is a document of references: its path `/pets` is `$ref: pets.yaml#/paths/~1pets`. So each
change is located in the file that contains it.
"""

from __future__ import annotations

import glob
import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ..model.document import file_of, is_mapping, pointer
from .document import LoadedDocument, openapi_document, read_file
from .errors import ComparisonError
from .parsed_file import ParsedFile
from .references import ReferencedFiles
from .sources import LocalFile

_INHERITED_KEYWORDS = ("security", "servers")
"""What operations inherit from their document (OpenAPI 3.1, "OpenAPI Object")."""


def load_composed(
    pattern: str,
    *,
    roots: Sequence[str] = (),
    replacements: Mapping[str, str] | None = None,
) -> LoadedDocument:
    """Load all documents whose path matches a pattern such as `specs/**/*.yaml`.

    Args:
        pattern: the pattern. `*` stands for any text in a name, `**` for any folders.
        roots: as in `load`. The folder of each document is a root too.
        replacements: as in `load`.

    Raises:
        ComparisonError: no file matches, a file cannot be read, two files have the same path, or
            they define a security scheme differently.
    """
    paths = matching_files(pattern)
    if not paths:
        raise ComparisonError(
            f"{pattern}: no file matches: correct the pattern, and put it in quotes so that the"
            " shell does not expand it"
        )
    composition = _Composition(pattern)
    folder = os.path.dirname(paths[0])
    for path in paths:
        # References between the files are relative to the first of them.
        file = posixpath.normpath(posixpath.relpath(path, folder or "."))
        composition.add(file, read_file(path, roots))
    folders = [LocalFile(path).folder for path in paths]
    main_file = ParsedFile(pattern, text="", data=composition.document, lines={})
    files = ReferencedFiles(LocalFile(paths[0]), main_file, (*folders, *roots), replacements or {})
    files.parsed_files.update(composition.files)
    return LoadedDocument(main_file, files)


def matching_files(pattern: str) -> list[str]:
    """Return the files whose path matches a pattern, sorted."""
    return sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))


class _Composition:
    """The documents so far, and the document that refers to them."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._paths: dict[str, Any] = {}
        self._schemes: dict[str, Any] = {}
        self._owners: dict[tuple[str, str], ParsedFile] = {}
        self.files: dict[str, ParsedFile] = {}
        """The files by their path from the first one."""
        self._version = ""

    @property
    def document(self) -> dict[str, Any]:
        """The document with references to the paths and security schemes of all files."""
        return {
            "openapi": self._version,
            "info": {"title": self._pattern, "version": ""},
            "paths": self._paths,
            "components": {"securitySchemes": self._schemes},
        }

    def add(self, file: str, parsed_file: ParsedFile) -> None:
        """Add a file.

        Raises:
            ComparisonError: it contradicts an earlier one.
        """
        document = openapi_document(parsed_file)
        self._version = max(self._version, str(document["openapi"]))
        self.files[file] = replace(parsed_file, data=_with_inherited_keywords(document))
        for template in _members(document, "paths"):
            self._claim("paths", template, parsed_file)
            self._paths[template] = _reference(file, "paths", template)
        for name in _members(document, "components", "securitySchemes"):
            self._add_scheme(name, file, parsed_file)

    def _claim(self, kind: str, name: str, parsed_file: ParsedFile) -> None:
        owner = self._owners.setdefault((kind, name), parsed_file)
        if owner is not parsed_file:
            location = pointer(kind, name)
            raise ComparisonError(
                f"{parsed_file.source(location)}: the path {name} is also in"
                f" {owner.source(location)}: leave one of the files out of the pattern"
            )

    def _add_scheme(self, name: str, file: str, parsed_file: ParsedFile) -> None:
        owner = self._owners.setdefault(("schemes", name), parsed_file)
        schemes = _members(parsed_file.data, "components", "securitySchemes")
        owner_schemes = _members(owner.data, "components", "securitySchemes")
        if schemes[name] != owner_schemes[name]:
            location = pointer("components", "securitySchemes", name)
            raise ComparisonError(
                f"{parsed_file.source(location)}: the security scheme {name} differs from that in"
                f" {owner.source(location)}: rename one of them"
            )
        self._schemes.setdefault(name, _reference(file, "components", "securitySchemes", name))


def _members(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The mapping at the end of a path of names; empty if there is none."""
    value: Any = document
    for name in names:
        value = value.get(name) if is_mapping(value) else None
    return value if is_mapping(value) else {}


def _reference(file: str, *tokens: str) -> dict[str, str]:
    # A `%` in a name would be decoded when the reference is followed.
    return {"$ref": f"{file_of(file, '')}#{quote(pointer(*tokens), safe='/~')}"}


def _with_inherited_keywords(document: dict[str, Any]) -> dict[str, Any]:
    """The document with what its operations inherit from it, written in each path and operation."""
    inherited = {
        keyword: document[keyword] for keyword in _INHERITED_KEYWORDS if keyword in document
    }
    path_items = {
        template: _with_defaults(path_item, inherited)
        for template, path_item in _members(document, "paths").items()
    }
    return {**document, "paths": path_items}


def _with_defaults(path_item: Any, inherited: Mapping[str, Any]) -> Any:
    if not is_mapping(path_item):
        return path_item
    servers = {key: value for key, value in inherited.items() if key == "servers"}
    security = {key: value for key, value in inherited.items() if key == "security"}
    # Of a path item, operations inherit servers but no security.
    members = {
        name: {**security, **member} if "responses" in _as_mapping(member) else member
        for name, member in path_item.items()
    }
    return {**servers, **members}


def _as_mapping(value: Any) -> dict[str, Any]:
    return value if is_mapping(value) else {}
