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

from generate.document import Document, Schema, SpecError, is_list, is_mapping, json_pointer
from generate.reading import load_document
from specdrift.loading import ComparisonError, ParsedFile

from .errors import AdoptionError
from .spec_text import Edit, edited, is_same

_KIND_DEPTH = 2
"""The length of the path of a kind of components, such as `components.schemas`."""


def write_spec(spec: Document, new_root: Schema) -> Sequence[Edit]:
    """Replace the spec, after a check that the new text says what it should.

    Args:
        spec: the spec as it is. If its file is a link, it stays one.
        new_root: the spec as it should be.

    Returns:
        The changes of the text.

    Raises:
        AdoptionError: the text cannot say that, or cannot be written.
    """
    path = spec.path
    target = path.resolve()
    try:
        content = target.read_bytes()
        text = content.decode("utf-8")
        data = ParsedFile.parse(str(path), content).data
        new_data = _changed(spec, data, spec.root, new_root, ())
        result = edited(text, data, new_data, str(path))
        _replace(target, result.text, new_data, new_root)
    except (OSError, ComparisonError) as error:
        raise AdoptionError(f"{path}: cannot be written: {error}") from error
    return result.edits


def _changed(spec: Document, data: Any, root: Any, new_root: Any, keys: tuple[str, ...]) -> Any:
    """The data of the file with the changes of the spec, which can be written in several files.

    Args:
        spec: the spec, for messages.
        data: a part of the file.
        root: the same part as it was read: as OpenAPI 3.1, with references to components only.
        new_root: the same part as it should be read.
        keys: the names of the members that lead to the part.
    """
    if is_same(root, new_root):
        return data
    if is_same(data, root):
        return deepcopy(new_root)
    if is_list(data) and is_list(root) and is_list(new_root):
        return _changed_elements(spec, data, root, new_root, keys)
    if not is_mapping(data) or not is_mapping(root) or not is_mapping(new_root):
        raise _not_in_this_file(spec, keys)
    if "$ref" in data:
        raise _not_in_this_file(spec, keys)
    return _changed_members(spec, data, root, new_root, keys)


def _not_in_this_file(spec: Document, keys: tuple[str, ...]) -> AdoptionError:
    source = spec.sources.source(json_pointer(*keys))
    return AdoptionError(
        f"{source}: {'.'.join(keys)} differs from what is published, and is written in another"
        " file, or not as in OpenAPI 3.1: change it by hand"
    )


def _changed_elements(
    spec: Document, data: list[Any], root: list[Any], new_root: list[Any], keys: tuple[str, ...]
) -> list[Any]:
    if is_same(root, new_root[: len(root)]):
        return [*data, *deepcopy(new_root[len(root) :])]
    if not len(data) == len(root) == len(new_root):
        raise _not_in_this_file(spec, keys)
    return [
        _changed(spec, element, root[index], new_root[index], (*keys, str(index)))
        for index, element in enumerate(data)
    ]


def _changed_members(
    spec: Document, data: Schema, root: Schema, new_root: Schema, keys: tuple[str, ...]
) -> Schema:
    result: Schema = {}
    for key, value in data.items():
        if key in new_root:
            result[key] = _changed(spec, value, root.get(key), new_root[key], (*keys, key))
        elif key not in root:
            result[key] = value
    for key, value in new_root.items():
        if key not in root:
            result[key] = deepcopy(value)
        elif key not in data and not is_same(root[key], value):
            raise _not_in_this_file(spec, (*keys, key))
    for key in root:
        # A component of another file is gone with the last reference to it.
        if key not in data and key not in new_root and len(keys) != _KIND_DEPTH:
            raise _not_in_this_file(spec, (*keys, key))
    return result


def _replace(path: Path, text: str, data: Any, root: Schema) -> None:
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
        _check_is_read_as(temporary, root)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_text(path: Path, data: Any) -> None:
    written = ParsedFile.parse(str(path), path.read_bytes()).data
    place = _first_difference(written, data)
    if place is not None:
        raise AdoptionError(f"{place}: YAML would not keep a text of this part: edit it by hand")


def _check_is_read_as(path: Path, root: Schema) -> None:
    """Check that the spec would be read as planned.

    It can differ where the spec refers to other files, or to parts of components.
    """
    try:
        written = load_document(path)
    except SpecError as error:
        raise AdoptionError(f"the result would be no valid spec: {error}") from error
    place = _first_difference(written.root, root)
    if place is not None:
        raise AdoptionError(
            f"{place}: the result would not say what is published, because this part is written in"
            " another file, or not as in OpenAPI 3.1: change it by hand"
        )


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
