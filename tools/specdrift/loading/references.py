"""Loads the files that a document refers to, and only from the roots that are allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.document import file_of, is_list, is_mapping, members, pointer
from .errors import ComparisonError
from .parsed_file import ParsedFile
from .sources import LocalFile, Origin, WebFile, cause_of, origin_of, without_secrets

LEADS_NOWHERE = ""
"""The replacement of a reference that is compared by its text instead of its target."""


class ReferencedFiles(Mapping[str, Any]):
    """The data of the files that a document refers to, by their path from the document.

    A file is loaded when it is looked up. A lookup raises `ComparisonError` if the file is not
    allowed or cannot be read, because its content would remain uncompared.
    """

    def __init__(
        self,
        origin: Origin,
        main_file: ParsedFile,
        roots: Sequence[str],
        replacements: Mapping[str, str],
    ) -> None:
        self.parsed_files = {"": main_file}
        """The files that are loaded so far, by their path; the document itself is under ``""``."""
        self._origin = origin
        self._roots = (origin.folder, *roots)
        self._replacements = replacements

    def __getitem__(self, file: str) -> Any:
        if file not in self.parsed_files:
            self.parsed_files[file] = self._load(file)
        return self.parsed_files[file].data

    def __iter__(self) -> Iterator[str]:
        return (file for file in self.parsed_files if file)

    def __len__(self) -> int:
        return len(self.parsed_files) - 1

    def _load(self, file: str) -> ParsedFile:
        replacement = self._replacement_of(file)
        if replacement == LEADS_NOWHERE:
            # `Mapping.get` returns None, and the document notes a dangling reference.
            raise KeyError(file)
        try:
            if replacement is None:
                return self._read(self._allowed_origin(file), self._roots)
            # The user named the replacement, so it may be anywhere.
            origin = origin_of(replacement)
            return self._read(origin, (origin.folder, *self._roots))
        except OSError as error:
            path = self._origin_of(file).display_name if replacement is None else replacement
            raise ComparisonError(
                f"{self._describe_reference(file)} cannot be followed:"
                f" {without_secrets(path)}: {cause_of(error)}:"
                " `--map REFERENCE=FILE` replaces the file,"
                " and `--map REFERENCE=` compares the reference by its text"
            ) from error

    def _replacement_of(self, file: str) -> str | None:
        """The replacement of a file; None if it has none.

        A replacement applies to the reference as it is written in any of the loaded files.
        """
        for reference, replacement in self._replacements.items():
            for base in self.parsed_files:
                if file_of(reference, base) == file:
                    return replacement
        return None

    def _allowed_origin(self, file: str) -> Origin:
        origin = self._origin_of(file)
        for root in self._roots:
            if origin.is_within(root):
                return origin
        reference = self._describe_reference(file)
        problem = f"{reference} leads out of {without_secrets(self._roots[0])}"
        if not origin.can_be_allowed:
            raise ComparisonError(f"{problem}: `--map REFERENCE=FILE` replaces the file")
        raise ComparisonError(
            f"{problem}: `--root {without_secrets(origin.folder)}` allows it,"
            " and `--map REFERENCE=FILE` replaces the file"
        )

    def _origin_of(self, file: str) -> Origin:
        if "://" in file:
            return WebFile(file)
        return self._origin.sibling(file)

    def _read(self, origin: Origin, roots: Sequence[str]) -> ParsedFile:
        if origin.may_be_endless:
            raise OSError("it is not a regular file")
        parsed_file = self._loaded_from(origin)
        if parsed_file is None:
            parsed_file = ParsedFile.parse(origin.display_name, origin.read(roots))
        # In git, the content of a symbolic link is a path: plain text.
        if not is_mapping(parsed_file.data) and not is_list(parsed_file.data):
            raise OSError("it contains neither a mapping nor a list")
        return parsed_file

    def _loaded_from(self, origin: Origin) -> ParsedFile | None:
        """The file, if it is already loaded under another path."""
        # The display name of a URL lacks the query, so it does not identify the file.
        if isinstance(origin, WebFile):
            return None
        for parsed_file in self.parsed_files.values():
            if parsed_file.name == origin.display_name:
                return parsed_file
            if isinstance(origin, LocalFile) and _is_same_path(origin.path, parsed_file.name):
                return parsed_file
        return None

    def _describe_reference(self, file: str) -> str:
        """The line and the text of the first reference to a file."""
        for base, parsed_file in self.parsed_files.items():
            for string_pointer, text in _strings(parsed_file.data):
                if _is_reference(string_pointer) and _leads_to(file, text, base):
                    return f"{parsed_file.source(string_pointer)}: the reference {text!r}"
        return f"{self.parsed_files[''].name}: the reference {file!r}"


def _is_same_path(path: str, other_path: str) -> bool:
    """Whether two paths lead to one entry of a folder, such as `spec.yaml` and `a/../spec.yaml`.

    A link to a file is an entry of its own: what it refers to is relative to the link.
    """
    folder, name = os.path.split(path)
    other_folder, other_name = os.path.split(other_path)
    return name == other_name and os.path.realpath(folder) == os.path.realpath(other_folder)


def _is_reference(string_pointer: str) -> bool:
    """Whether the string at a pointer is a reference: a `$ref`, or in a discriminator's mapping."""
    return string_pointer.endswith("/$ref") or "/mapping/" in string_pointer


def _leads_to(file: str, reference: str, base: str) -> bool:
    name = reference.partition("#")[0]
    return name != "" and file_of(name, base) == file


def _strings(value: Any, parent_pointer: str = "") -> Iterator[tuple[str, str]]:
    """The JSON pointer and the text of every string in a value."""
    if isinstance(value, str):
        yield parent_pointer, value
    for key, child in members(value):
        yield from _strings(child, parent_pointer + pointer(key))
