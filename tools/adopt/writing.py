"""Writes an adoption to the spec: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from generate.document import Schema, SpecError, is_list, is_mapping
from generate.reading import load_document
from specdrift.loading import ComparisonError, ParsedFile

from .errors import AdoptionError
from .spec_text import Edit, edited, is_same

_PART_DEPTH = 3
"""The length of the path of an operation or component, which are changed as a whole."""


def write_spec(path: Path, root: Schema, new_root: Schema) -> Sequence[Edit]:
    """Replace the spec, after a check that the new text says what it should.

    Args:
        path: the file of the spec. A link stays one.
        root: the spec as it is.
        new_root: the spec as it should be.

    Returns:
        The changes of the text.

    Raises:
        AdoptionError: the text cannot say that, or cannot be written.
    """
    target = path.resolve()
    try:
        content = target.read_bytes()
        text = content.decode("utf-8")
        data = ParsedFile.parse(str(path), content).data
        new_data = _changed(data, root, new_root, path, ())
        result = edited(text, data, new_data, str(path))
        _replace(target, result.text, new_data)
    except (OSError, ComparisonError) as error:
        raise AdoptionError(f"{path}: cannot be written: {error}") from error
    return result.edits


def _changed(data: Any, root: Any, new_root: Any, path: Path, keys: tuple[str, ...]) -> Any:
    """The data of the file with the changes of the spec, which can be written in several files."""
    if is_same(root, new_root):
        return data
    if is_same(data, root):
        return deepcopy(new_root)
    if is_list(data) and is_list(root) and is_list(new_root):
        return [*data, *deepcopy(new_root[len(root) :])]
    if not is_mapping(data) or "$ref" in data or len(keys) == _PART_DEPTH:
        raise _not_in_this_file(path, keys)
    if not is_mapping(root) or not is_mapping(new_root):
        raise _not_in_this_file(path, keys)
    return _changed_members(data, root, new_root, path, keys)


def _not_in_this_file(path: Path, keys: tuple[str, ...]) -> AdoptionError:
    return AdoptionError(
        f"{path}: {'.'.join(keys)} is written in another file, or not as in OpenAPI 3.1:"
        " change it by hand"
    )


def _changed_members(
    data: Schema, root: Schema, new_root: Schema, path: Path, keys: tuple[str, ...]
) -> Schema:
    result: Schema = {}
    for key, value in data.items():
        if key in new_root:
            result[key] = _changed(value, root.get(key), new_root[key], path, (*keys, key))
        elif key not in root:
            result[key] = value
    for key, value in new_root.items():
        if key not in root:
            result[key] = deepcopy(value)
    return result


def _replace(path: Path, text: str, data: Any) -> None:
    mode = path.stat().st_mode
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        # Its folder would allow a replacement. But somebody protected the file.
        raise AdoptionError(f"{path}: is read-only: make it writable")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        shutil.copymode(path, temporary)
        _check_text(temporary, data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_text(path: Path, data: Any) -> None:
    written = ParsedFile.parse(str(path), path.read_bytes()).data
    place = _first_difference(written, data)
    if place is not None:
        raise AdoptionError(f"{place}: YAML would not keep a text of this part: edit it by hand")
    try:
        load_document(path)
    except SpecError as error:
        raise AdoptionError(f"the result would be no valid spec: {error}") from error


def _first_difference(value: Any, other: Any) -> str | None:
    """The place where two values differ; None if they are equal."""
    if is_same(value, other):
        return None
    if is_mapping(value) and is_mapping(other):
        for key in {**value, **other}:
            place = _first_difference(value.get(key), other.get(key))
            if place is not None:
                return f"{key}.{place}".rstrip(".")
    return ""
