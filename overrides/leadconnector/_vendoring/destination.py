"""Decides where a copy goes, and whether what is there already may be replaced."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from .errors import VendoringError
from .source import PACKAGE_NAME


class Existing(Enum):
    """What is in the place of the copy."""

    NOTHING = "nothing"
    FOLDER = "folder"


def resolve(destination: str) -> Path:
    """The real path of the destination, whose last folders need not exist.

    A link on the way may lead to another place below its own folder, as `/tmp` does on macOS. A
    link that leads elsewhere is rejected: the files behind it belong to somebody else's tree.

    Raises:
        VendoringError: the path follows a link out of its folder, or contains a file.
        OSError: a folder on the way cannot be read.
    """
    path = Path(destination)
    current = Path(path.anchor) if path.is_absolute() else Path.cwd()
    for part in path.relative_to(path.anchor).parts:
        if part == "..":
            current = current.parent
            continue
        current = _step(current, part)
    return current


def _step(folder: Path, part: str) -> Path:
    """One folder further down."""
    path = folder / part
    if path.is_symlink():
        return _link_target(path)
    if path.exists() and not path.is_dir():
        raise VendoringError(f"{path} is not a folder: name a folder as destination")
    return path


def _link_target(link: Path) -> Path:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # Python 3.12 and older raise a RuntimeError for a loop of links.
        raise VendoringError(
            f"{link} is a link that leads nowhere: remove it, or name another destination"
        ) from error
    if not target.is_relative_to(link.parent):
        raise VendoringError(
            f"{link} is a link that leads to {target}, out of its folder, so it is not followed:"
            " name the real path as destination"
        )
    if not target.is_dir():
        raise VendoringError(f"{target} is not a folder: name a folder as destination")
    return target


def check_not_in_copy(folder: Path) -> None:
    """Check that the destination is not a copy itself, which would then contain another one.

    Raises:
        VendoringError: it is a copy, or within one.
    """
    for parent in (folder, *folder.parents):
        if has_contract(parent):
            raise VendoringError(
                f"{parent} is a copy or a source of the package: name the folder that is to contain"
                f" the copy, such as {parent.parent}"
            )


def check_outside_of_source(copy: Path, source_folder: Path) -> None:
    """Check that a copy neither replaces nor enters the package that it is made from.

    Raises:
        VendoringError: it does.
    """
    source = source_folder.resolve()
    generated_folder = source.parents[1] / "generated"
    is_within = copy.is_relative_to(source) or copy.is_relative_to(generated_folder)
    if is_within or source.is_relative_to(copy):
        raise VendoringError(
            f"{copy} is the source of the copy or within it, so it was not changed: name another"
            " destination"
        )


def classify(copy: Path) -> Existing:
    """Look at what is in the place of the copy.

    Raises:
        VendoringError: it is nothing that a copy may replace, not even if local changes are saved.
    """
    if copy.is_symlink():
        raise VendoringError(
            f"{copy} is a link, not a copy, so it was not changed: remove it to vendor here"
        )
    if not copy.exists():
        return Existing.NOTHING
    if not copy.is_dir():
        raise VendoringError(
            f"{copy} is not a folder, so it was not changed: move it to vendor here"
        )
    generated = copy / "_generated"
    if generated.is_symlink() or generated.is_file():
        raise VendoringError(
            f"{copy} is the source of a checkout, not a copy, so it was not changed: name another"
            f" destination than {copy.parent}"
        )
    return Existing.FOLDER


def has_contract(folder: Path) -> bool:
    """Whether this is a copy, also by a version of the program that wrote no manifest."""
    return (folder / "_generated" / "contract.json").is_file()


def copy_in(folder: Path) -> Path:
    """The path of the copy in a folder."""
    return folder / PACKAGE_NAME
