"""Copies the client into another project: `make vendor DEST=DIRECTORY`.

The copy is the package `leadconnector` with `generated/` inside it. It contains no links and needs
nothing else from this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "overrides" / "leadconnector"
GENERATED = ROOT / "generated"
PREVIEW_PROGRAM = ROOT / "tools" / "project" / "preview.py"


class VendorError(Exception):
    """There is something else in the place of the copy. The message has one line."""


def main() -> int:
    """Copy the client into the folder that the environment variable `DEST` names.

    Returns:
        The exit status: 0, or 2 if nothing was copied.
    """
    destination = os.environ.get("DEST", "")
    if not destination:
        print("usage: make vendor DEST=DIRECTORY", file=sys.stderr)
        return 2
    # The path as the user wrote it: messages repeat it.
    copy = f"{destination}/leadconnector"
    try:
        if is_copy(Path(copy)):
            report_upgrade()
        vendor(copy)
    except (VendorError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(copy)
    return 0


def report_upgrade() -> None:
    """Print what the new copy changes for the code that uses the earlier one.

    Raises:
        VendorError: `FAIL_ON_BREAKING` is set, and it breaks code, or there is no full report.
    """
    # Without this, what is printed here would come after the report.
    sys.stdout.flush()
    result = subprocess.run(
        [sys.executable, str(PREVIEW_PROGRAM), "--before-vendoring"], check=False
    )
    is_strict = os.environ.get("FAIL_ON_BREAKING", "") not in {"", "0"}
    if is_strict and result.returncode != 0:
        raise VendorError(
            "nothing was vendored, because FAIL_ON_BREAKING is set: see the report above,"
            " then vendor with FAIL_ON_BREAKING=0"
        )


def vendor(copy: str) -> None:
    """Write a copy of the client, or replace an earlier copy.

    Args:
        copy: the path of the copy.

    Raises:
        VendorError: there is something at this path that is not a copy of the client.
        OSError: the copy cannot be written.
    """
    target = Path(copy)
    if target.exists() and not is_copy(target):
        raise VendorError(f"{copy} is not a copy that `make vendor` made: it was not changed")
    # Complete the new copy first, so that a failure leaves the earlier copy intact.
    new_copy = target.with_name(f"{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    remove(new_copy)
    copy_tree(PACKAGE, new_copy)
    # `_generated` is a link to `generated/`. Where git does not create links, it is a text file.
    remove(new_copy / "_generated")
    copy_tree(GENERATED, new_copy / "_generated")
    remove(target)
    new_copy.rename(target)


def is_copy(folder: Path) -> bool:
    """Whether a folder is a copy of the client: it contains the generated code itself.

    In the source, `_generated` is a link, or a text file. So the source is never overwritten.
    """
    generated = folder / "_generated"
    if generated.is_symlink():
        return False
    return (generated / "contract.json").is_file()


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder without caches and hidden files."""
    # `__pycache__` comes from Python. `.mypy_cache` and `.ruff_cache` come from tools.
    ignore_caches = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(source, target, symlinks=True, ignore=ignore_caches)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it exists. A link's target stays."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


if __name__ == "__main__":
    sys.exit(main())
