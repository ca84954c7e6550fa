"""Reads the files that a copy consists of: from a checkout, an installed package, or a copy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .._version import __version__
from . import manifest as manifests
from .entries import Entry, entries_in
from .errors import VendoringError, printable
from .manifest import FILE_NAME, Manifest, ManifestError, sha256
from .revision import revision_of
from .verification import local_changes

PACKAGE_NAME = "leadconnector"
PACKAGE_FOLDER = Path(__file__).absolute().parents[1].resolve()
"""The folder of the package that is running.

Only links to this folder are followed. A link below it is a change of the copy, and may lead into
another copy.
"""

_GENERATED = "_generated"
_LINK_TARGET = "../../generated"
"""Where the link `_generated` leads in a checkout."""

_CONTRACT = f"{_GENERATED}/contract.json"
_SOURCES = ["overrides/leadconnector", "generated", "spec/openapi.yaml", "LICENSE"]
"""What decides the bytes of a copy, relative to the root of a checkout."""


@dataclass(frozen=True)
class Source:
    """The content of a copy."""

    manifest: Manifest
    files: Mapping[str, bytes]
    """Every file by name, with the manifest."""


def load_source(folder: Path = PACKAGE_FOLDER) -> Source:
    """Read the package that is running, completely and before anything is written.

    Raises:
        VendoringError: the package is damaged, or out of step with its spec.
        OSError: a file cannot be read.
    """
    if not folder.is_dir():
        raise VendoringError(
            f"{folder} is not a folder: the package cannot be copied out of an archive such as"
            " a zip file; install it in another way"
        )
    manifest = read_manifest(folder)
    if manifest is None:
        return _load_checkout(folder)
    return _load_package(folder, manifest)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the package that is running; None if it has none.

    Raises:
        VendoringError: it is damaged.
        OSError: it cannot be read.
    """
    try:
        return manifests.read(folder)
    except ManifestError as error:
        raise VendoringError(f"{folder}: {error}: install or vendor the package again") from error


def is_in_checkout(folder: Path) -> bool:
    """Whether this is the package of a checkout, an archive or a source distribution."""
    return folder.parent.name == "overrides"


def is_installed(folder: Path) -> bool:
    """Whether an installer such as pip put the package here. It leaves the metadata beside it."""
    return any(folder.parent.glob(f"{PACKAGE_NAME}-*.dist-info"))


def _load_package(folder: Path, manifest: Manifest) -> Source:
    """Read an installed package or a copy. It must be unchanged: its manifest is copied too."""
    changes = local_changes(folder, manifest)
    if changes:
        raise VendoringError(
            "\n  ".join([f"{folder} was changed, so it cannot be copied:", *changes.lines()])
            + "\nInstall or vendor it again."
        )
    names = [*manifest.files, FILE_NAME]
    return Source(manifest, {name: (folder / name).read_bytes() for name in names})


def _load_checkout(folder: Path) -> Source:
    """Read the package of a checkout, an archive or a source distribution."""
    if not is_in_checkout(folder):
        raise VendoringError(
            f"{folder} has no {FILE_NAME}, so nobody knows whether it is complete: install or"
            " vendor it again"
        )
    root = folder.parents[1]
    files = _hand_written_files(folder) | _generated_files(folder, root)
    files["LICENSE"] = _license(root)
    contract = _contract(files)
    _check_spec(contract, root)
    manifest = Manifest(
        name=PACKAGE_NAME,
        version=__version__,
        revision=revision_of(root, _SOURCES, _paths_in_checkout(files)),
        api_version=str(contract.get("api_version")),
        spec_sha256=str(contract.get("spec_sha256")),
        generated_with=_tool_versions(contract),
        files={name: sha256(files[name]) for name in sorted(files)},
    )
    files[FILE_NAME] = manifests.render(manifest)
    return Source(manifest, files)


def _paths_in_checkout(names: Iterable[str]) -> set[str]:
    """Where the files of a copy are in a checkout, relative to its root."""
    paths: set[str] = set()
    for name in names:
        if name == "LICENSE":
            paths.add(name)
        elif name.startswith(f"{_GENERATED}/"):
            paths.add(f"generated/{name.removeprefix(f'{_GENERATED}/')}")
        else:
            paths.add(f"overrides/{PACKAGE_NAME}/{name}")
    return paths


def _hand_written_files(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for entry in entries_in(folder):
        # In a checkout, `_generated` is a link, or a text file where git creates no links. An
        # archive may contain a folder instead.
        if entry.name.partition("/")[0] == _GENERATED or _is_hidden(entry):
            continue
        files[entry.name] = _content(entry)
    return files


def _generated_files(folder: Path, root: Path) -> dict[str, bytes]:
    """The generated code, by its names in a copy.

    Raises:
        VendoringError: there is none, or there are two that differ.
    """
    inner_folder = folder / _GENERATED
    outer_folder = root / "generated"
    _check_link(inner_folder)
    if outer_folder.is_symlink():
        raise VendoringError(f"{outer_folder} is a link: replace it by the folder that it leads to")
    candidates: list[dict[str, bytes]] = []
    for candidate in (outer_folder, inner_folder):
        if candidate.is_dir() and not candidate.is_symlink():
            candidates.append(_files_below(candidate))
    if not candidates:
        raise VendoringError(
            f"{outer_folder}: there is no generated code to copy: run `make generate`"
        )
    if candidates[0] != candidates[-1]:
        raise VendoringError(
            f"{inner_folder} and {outer_folder} differ: remove the first one, which is out of step"
        )
    return candidates[0]


def _files_below(folder: Path) -> dict[str, bytes]:
    entries = [entry for entry in entries_in(folder) if not _is_hidden(entry)]
    return {f"{_GENERATED}/{entry.name}": _content(entry) for entry in entries}


def _check_link(path: Path) -> None:
    """Reject a link to another place than `generated/`, whose files would not be copied."""
    if not path.is_symlink():
        return
    target = os.readlink(path).replace(os.sep, "/")
    if target.rstrip("/") != _LINK_TARGET:
        raise VendoringError(
            f"{path} leads to {printable(target)} instead of {_LINK_TARGET}: restore the link"
            " with `git checkout`"
        )


def _is_hidden(entry: Entry) -> bool:
    """Whether a tool or an editor made the file: no file of the package is hidden."""
    return any(part.startswith(".") for part in entry.name.split("/"))


def _content(entry: Entry) -> bytes:
    if not entry.is_file:
        raise VendoringError(
            f"{entry.path} is a link or a special file, which is not copied: remove it"
        )
    return entry.path.read_bytes()


def _license(root: Path) -> bytes:
    path = root / "LICENSE"
    if not path.is_file():
        raise VendoringError(f"{path} is missing: a copy needs the license")
    return path.read_bytes()


def _contract(files: Mapping[str, bytes]) -> Mapping[str, object]:
    try:
        content: object = json.loads(files[_CONTRACT])
    except (KeyError, ValueError, RecursionError) as error:
        raise VendoringError(
            "generated/contract.json is missing or damaged: run `make generate`"
        ) from error
    if not isinstance(content, dict):
        raise VendoringError("generated/contract.json is damaged: run `make generate`")
    return cast("dict[str, object]", content)


def _check_spec(contract: Mapping[str, object], root: Path) -> None:
    """Reject generated code of another spec. Where there is no spec, there is nothing to check."""
    spec = root / "spec" / "openapi.yaml"
    if not spec.is_file():
        return
    if sha256(spec.read_bytes()) != contract.get("spec_sha256"):
        raise VendoringError(
            f"generated/ is out of step with {spec}: run `make generate`, then vendor again"
        )


def _tool_versions(contract: Mapping[str, object]) -> dict[str, str]:
    versions = contract.get("generated_with")
    if not isinstance(versions, dict):
        raise VendoringError("generated/contract.json names no generator: run `make generate`")
    return {str(name): str(version) for name, version in cast("dict[str, str]", versions).items()}
