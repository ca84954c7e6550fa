"""Versions of the generator that do not exist: copies of the installed one, with edits."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from project.environments import create_environment, link_programs, own_packages
from project.preview.candidate import Candidate, describe

from tests.support.environments import copy_distribution

GENERATOR = "openapi-python-client"
NEWER_VERSION = "99.0"

Edits = Mapping[str, tuple[str, str]]
"""A text and its replacement, by the file below `openapi_python_client/`."""

REQUIREMENT = ("httpx<0.29.0,>=0.23.1", "httpx>=0.23.1")
"""An edit of the metadata: the newer version no longer limits httpx."""


def edit(path: Path, existing: str, replacement: str) -> None:
    """Replace a text in a file, which must contain it."""
    text = path.read_text(encoding="utf-8")
    assert existing in text
    path.write_text(text.replace(existing, replacement), encoding="utf-8")


def newer_generator(folder: Path, edits: Edits) -> None:
    """Write a newer version of the generator into a folder of packages."""
    copy_distribution(GENERATOR, folder)
    metadata = folder / f"openapi_python_client-{NEWER_VERSION}.dist-info"
    shutil.move(folder / f"openapi_python_client-{version(GENERATOR)}.dist-info", metadata)
    edit(
        metadata / "METADATA", f"\nVersion: {version(GENERATOR)}\n", f"\nVersion: {NEWER_VERSION}\n"
    )
    edit(metadata / "METADATA", *REQUIREMENT)
    for name, (existing, replacement) in edits.items():
        edit(folder / "openapi_python_client" / name, existing, replacement)


def candidate_with(folder: Path, edits: Edits) -> Candidate:
    """An environment with a newer version. Its dependencies are those of this environment."""
    python = create_environment(folder, [own_packages()])
    link_programs(python)
    (packages,) = folder.glob("lib/python*/site-packages")
    newer_generator(packages, edits)
    return describe(python)


def write_wheel(packages: Path, folder: Path) -> None:
    """Pack the one distribution in a folder of packages into a wheel, for pip."""
    (metadata,) = packages.glob("*.dist-info")
    stem = metadata.name.removesuffix(".dist-info")
    files = [path for path in packages.rglob("*") if path.is_file() and path.name != "RECORD"]
    names = [path.relative_to(packages).as_posix() for path in files]
    record = f"{metadata.name}/RECORD"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        for path, name in zip(files, names, strict=True):
            archive.write(path, name)
        archive.writestr(record, "".join(f"{name},,\n" for name in [*names, record]))
