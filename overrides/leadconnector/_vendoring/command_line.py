"""The commands `vendor`, `verify` and `version`.

The exit status is 0 if all is well. `verify` exits with 1 if the copy differs from its manifest, or
has lost it. A command that cannot be carried out exits with 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import manifest as manifests
from .errors import VendoringError, printable
from .manifest import FILE_NAME, Manifest, ManifestError
from .source import (
    PACKAGE_NAME,
    is_in_checkout,
    is_installed,
    load_source,
    read_manifest,
)
from .vendor import vendor
from .verification import LocalChanges, local_changes

if TYPE_CHECKING:
    # `argparse` has no public type for the result of `add_subparsers`.
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    Commands = _SubParsersAction[argparse.ArgumentParser]

_HOW_TO_RESTORE = (
    "Restore this file from the version control of the service. Or vendor again with --force"
    " (make: FORCE=1), which saves the local changes."
)

_HOW_TO_REINSTALL = "Install the package again: pip install --force-reinstall."

_NOTHING_TO_VERIFY = (
    "is the source of a checkout, not a copy that `vendor` made. There is nothing to verify:"
    " git shows changes of these files. To verify a copy, run its own program, for example"
    " `python -m leadconnector verify` in the folder that contains the copy."
)

INTERRUPTED = "Interrupted. The earlier copy is in its place, or the new one."


def add_commands(commands: Commands) -> None:
    """Add the commands to a program."""
    vendor_command = commands.add_parser("vendor", help="copy this package into a folder")
    vendor_command.add_argument(
        "destination", metavar="DEST", help="the folder, such as src/app/_vendor"
    )
    vendor_command.add_argument(
        "--force",
        action="store_true",
        help="replace a copy with local changes, and save them beside it",
    )
    commands.add_parser("verify", help="list edited, added and missing files of this copy")
    commands.add_parser("version", help="print where this copy comes from")


def run_command(
    options: argparse.Namespace, folder: Path, may_replace: Callable[[], bool] | None
) -> int:
    """Carry out one of the commands.

    Args:
        options: the parsed arguments.
        folder: the package that `verify` and `version` look at.
        may_replace: asked before `vendor` replaces an older copy.

    Returns:
        The exit status.

    Raises:
        VendoringError, OSError: the command cannot be carried out.
    """
    if options.command == "vendor":
        return _vendor(options.destination, force=options.force, may_replace=may_replace)
    if options.command == "verify":
        return _verify(folder)
    return _print_version(folder)


def _vendor(destination: str, *, force: bool, may_replace: Callable[[], bool] | None) -> int:
    if not destination:
        raise VendoringError("the destination is empty: name a folder such as src/app/_vendor")
    # The path as the user wrote it, so that a script can use it.
    path = f"{destination}/{PACKAGE_NAME}"
    try:
        result = vendor(destination, force=force, may_replace=may_replace)
    except OSError as error:
        # Some errors name no file, such as that of a full disk.
        raise VendoringError(
            f"{printable(path)} cannot be made: {printable(str(error))}: correct that, then run the"
            " same command again"
        ) from error
    for note in result.notes:
        print(note, file=sys.stderr)
    _print_path(path)
    return 0


def _print_path(path: str) -> None:
    try:
        print(path, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VendoringError(
            f"{printable(path)} is complete, but the standard output cannot be written:"
            f" {error.strerror}"
        ) from error


def _verify(folder: Path) -> int:
    try:
        manifest = manifests.read(folder)
    except ManifestError as error:
        print(f"edited: {FILE_NAME}")
        reason = f"{error}. {_how_to_restore(folder)}"
        print(f"{folder} cannot be verified: {reason}", file=sys.stderr)
        return 1
    except OSError as error:
        raise _unreadable(folder, error) from error
    if manifest is None:
        return _verify_without_manifest(folder)
    try:
        changes = local_changes(folder, manifest)
    except OSError as error:
        raise _unreadable(folder, error) from error
    if changes:
        _print_changes(changes)
        return 1
    print(f"{manifest.name} {manifest.version}: all {len(manifest.files) + 1} files are unchanged.")
    return 0


def _verify_without_manifest(folder: Path) -> int:
    if is_in_checkout(folder):
        raise VendoringError(f"{folder} {_NOTHING_TO_VERIFY}")
    if not folder.is_dir():
        raise VendoringError(
            f"{folder} is in an archive such as a zip file, where it cannot be verified: unpack"
            " the archive, and verify the package there"
        )
    print(f"missing: {FILE_NAME}")
    print(
        f"{folder} cannot be verified: {FILE_NAME} is missing. {_how_to_restore(folder)}",
        file=sys.stderr,
    )
    return 1


def _how_to_restore(folder: Path) -> str:
    return _HOW_TO_REINSTALL if is_installed(folder) else _HOW_TO_RESTORE


def _unreadable(folder: Path, error: OSError) -> VendoringError:
    name = printable(str(error.filename or folder))
    return VendoringError(
        f"{folder} cannot be verified: {name} cannot be read: {error.strerror}. Make it readable"
        " for this user, then verify again."
    )


def _print_changes(changes: LocalChanges) -> None:
    for line in changes.lines():
        print(line)
    if changes.line_endings:
        print(
            f"{len(changes.line_endings)} of the edited files differ only in their line endings."
            " git converts them unless .gitattributes contains a line for the copy:"
            f" **/{PACKAGE_NAME}/** -text",
            file=sys.stderr,
        )


def _print_version(folder: Path) -> int:
    manifest = read_manifest(folder)
    if manifest is None:
        manifest = load_source(folder).manifest
    for line in _version_lines(manifest):
        print(line)
    return 0


def _version_lines(manifest: Manifest) -> list[str]:
    return [
        f"{manifest.name} {manifest.version}",
        f"revision: {manifest.revision or 'unknown'}",
        f"API version: {manifest.api_version}",
        f"spec: sha256 {manifest.spec_sha256}",
        *(f"generated with: {name} {version}" for name, version in manifest.generated_with.items()),
    ]
