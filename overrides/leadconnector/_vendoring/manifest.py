"""The manifest of a copy: where it comes from, and one hash for each of its files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from .errors import VendoringError

FILE_NAME = "_manifest.json"

_FORMAT = 1
"""Increases when a field changes its meaning, or a required one is added."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(VendoringError):
    """A file is not a manifest of this format."""


@dataclass(frozen=True)
class Manifest:
    """The origin of a copy, and its files without the manifest itself."""

    name: str
    version: str
    revision: str | None
    """The git commit of the project. It ends with `+modified` if a file was not committed."""
    api_version: str
    spec_sha256: str
    generated_with: Mapping[str, str]
    """The version of the generator and of its formatter, by name."""
    files: Mapping[str, str]
    """The SHA-256 of each file, by its name relative to the copy."""


def sha256(data: bytes) -> str:
    """The hash of a file, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def render(manifest: Manifest) -> bytes:
    """The manifest as a file: stable, readable in a diff, without a date or a path."""
    fields: dict[str, object] = {"format": _FORMAT, **asdict(manifest)}
    # Shows an edit of the manifest itself, such as one line lost in a merge.
    fields["sha256"] = sha256(_json(fields))
    return _json(fields)


def parse(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: the file is no manifest, or one of a newer format.
    """
    fields = _parse_object(data)
    _check_format(fields.get("format"))
    return Manifest(
        name=_text(fields, "name"),
        version=_text(fields, "version"),
        revision=None if fields.get("revision") is None else _text(fields, "revision"),
        api_version=_text(fields, "api_version"),
        spec_sha256=_text(fields, "spec_sha256"),
        generated_with=_texts(fields, "generated_with"),
        files=_hashes(fields),
    )


def read(folder: Path) -> Manifest | None:
    """The manifest of a copy; None if it has none.

    Raises:
        ManifestError: the file is no manifest, or is a link or a folder.
        OSError: the file cannot be read.
    """
    path = folder / FILE_NAME
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file():
        raise ManifestError(f"{FILE_NAME} is a link, a folder or a special file")
    return parse(path.read_bytes())


def _parse_object(data: bytes) -> dict[str, object]:
    if not data.strip():
        raise ManifestError(f"{FILE_NAME} is empty")
    try:
        content: object = json.loads(data)
    except json.JSONDecodeError as error:
        # The end of a truncated file, or the markers of a merge conflict.
        raise ManifestError(
            f"{FILE_NAME} is damaged or truncated: line {error.lineno} is not JSON"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{FILE_NAME} is not JSON") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{FILE_NAME} is not an object")
    return cast("dict[str, object]", content)


def _check_format(value: object) -> None:
    if value == _FORMAT:
        return
    if isinstance(value, int) and value > _FORMAT:
        raise ManifestError(
            f"{FILE_NAME} has the format {value} of a newer version of this project, and this"
            f" version reads only format {_FORMAT}"
        )
    raise ManifestError(f"{FILE_NAME} does not have the format {_FORMAT}")


def _json(fields: Mapping[str, object]) -> bytes:
    return f"{json.dumps(fields, indent=2)}\n".encode()


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ManifestError(f"{FILE_NAME}: {name} is not a text")
    return value


def _texts(fields: Mapping[str, object], name: str) -> dict[str, str]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise ManifestError(f"{FILE_NAME}: {name} is not an object")
    texts = cast("dict[str, object]", value)
    return {key: _text(texts, key) for key in texts}


def _hashes(fields: Mapping[str, object]) -> dict[str, str]:
    hashes = _texts(fields, "files")
    for name, value in hashes.items():
        if not _SHA256.fullmatch(value):
            raise ManifestError(f"{FILE_NAME}: the hash of {name!r} is not a SHA-256")
        # A manifest is also a list of files to copy. No name may lead out of the folder.
        parts = name.split("/")
        if "\\" in name or {"", ".", ".."} & set(parts):
            raise ManifestError(f"{FILE_NAME}: {name!r} is not the name of a file in the copy")
    return hashes
