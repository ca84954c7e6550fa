"""Builds the three distributions into dist/, and checks them: `make dist`.

Each wheel is built from its sdist, as package indexes and distributors do. So an sdist that lacks a
file fails here. Two builds have identical bytes. All times in the archives are that of
`SOURCE_DATE_EPOCH` (seconds since 1970), or 2020-02-02, hatchling's default.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .sources import SourcesError, copy_sources, has_uncommitted_changes, record_revision

PROJECTS = {
    "leadconnector": ".",
    "leadconnector-emulator": "tools/leadconnector_emulator",
    "specdrift": "tools/specdrift",
}
"""The folder with the pyproject.toml of each distribution."""

OUTPUT = Path("dist")


class DistError(Exception):
    """A distribution cannot be built, or has a defect. The message has one line."""


def main() -> int:
    """Build and check the distributions of the checkout in the working directory.

    Returns:
        The exit status: 0, or 2 after an error. Then dist/ is unchanged.
    """
    checkout = Path.cwd()
    try:
        if has_uncommitted_changes(checkout):
            print("The distributions contain changes that are not committed.", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            archives = build_all(checkout, Path(folder))
            check(archives)
            files = publish(archives, OUTPUT)
    except (DistError, SourcesError) as error:
        print(f"make dist: {error}", file=sys.stderr)
        return 2
    for file in files:
        print(summary(file))
    return 0


def build_all(checkout: Path, folder: Path) -> list[Path]:
    """Build an sdist and a wheel of each project.

    Args:
        checkout: the folder with the Makefile; not changed.
        folder: an empty folder for the archives and for temporary files.

    Raises:
        DistError: a build failed.
        SourcesError: git cannot list the files.
    """
    sources = copy_sources(checkout, folder / "sources")
    # The copy has no `.git`, and the archives name the commit that they are built from.
    record_revision(checkout, sources)
    archives: list[Path] = []
    for name, project in PROJECTS.items():
        sdist = build(sources / project, folder / f"{name}-sdist", "sdist")
        tree = unpack(sdist, folder / f"{name}-tree")
        wheel = build(tree, folder / f"{name}-wheel", "wheel")
        archives += [sdist, wheel]
    return archives


def build(project: Path, target: Path, kind: str) -> Path:
    """Build one distribution.

    Args:
        project: the folder with the pyproject.toml.
        target: the folder for the distribution; created.
        kind: `sdist` or `wheel`.

    Raises:
        DistError: the build failed. The reason is printed.
    """
    run("hatchling", "build", "-t", kind, "-d", str(target), cwd=project)
    (archive,) = target.iterdir()
    return archive


def unpack(sdist: Path, target: Path) -> Path:
    """Unpack an sdist, and return its only folder."""
    extract(sdist, target)
    (tree,) = target.iterdir()
    return tree


def extract(path: Path, target: Path) -> None:
    """Extract the files of a tar archive into a folder."""
    with tarfile.open(path) as archive:
        # Rejects links that lead out of the folder. Python 3.11.2, as in Debian 12, has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(target)  # noqa: S202  # the archives are our own


def check(archives: list[Path]) -> None:
    """Check that the metadata renders on a package index, and that the wheels have no stray files.

    Raises:
        DistError: an archive has a defect. It is printed.
    """
    wheels = [archive for archive in archives if archive.suffix == ".whl"]
    run("twine", "check", "--strict", *map(str, archives))
    run("check_wheel_contents", *map(str, wheels))


def run(module: str, *arguments: str, cwd: Path | None = None) -> None:
    """Run a program. Its output is printed only if it fails.

    Raises:
        DistError: it failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    result = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    if result.returncode != 0:
        print(result.stdout + result.stderr, file=sys.stderr)
        raise DistError(f"{module} failed; its output is above, and dist/ is unchanged")


def publish(archives: list[Path], output: Path) -> list[Path]:
    """Replace the archives of earlier builds. Other files in the folder stay.

    Returns:
        The new files.
    """
    output.mkdir(exist_ok=True)
    earlier_files = {*output.glob("*.whl"), *output.glob("*.tar.gz")}
    files = [Path(shutil.move(archive, output / archive.name)) for archive in archives]
    # Afterwards: a full disk must not leave the folder without any archive.
    for earlier in earlier_files.difference(files):
        earlier.unlink()
    return files


def summary(file: Path) -> str:
    """The path, the size and the SHA-256 hash of a file, in one line."""
    content = file.read_bytes()
    return f"{file}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    sys.exit(main())
