"""Creates environments as users have them: a built wheel, and only what its metadata requires."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.paths import ROOT

TIMEOUT = 120
"""Seconds. A program takes much less; the limit keeps a failing test from hanging."""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed, and return its output."""
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def copy_checkout(target: Path) -> Path:
    """Copy the files that git tracks, with links as links.

    Without git, as in an unpacked sdist, copy the files that `.gitignore` does not name.
    """
    if not (ROOT / ".git").exists():
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
        patterns = shutil.ignore_patterns(*(pattern.rstrip("/") for pattern in ignored))
        shutil.copytree(ROOT, target, symlinks=True, ignore=patterns)
        return target
    for name in run("git", "ls-files", "-z", cwd=ROOT).rstrip("\0").split("\0"):
        # A file may be deleted and not committed yet.
        if os.path.lexists(ROOT / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target


def build(checkout: Path, target: Path, kind: str = "wheel") -> Path:
    """Build one distribution with the build backend."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=checkout)
    (built,) = target.iterdir()
    return built


def distributions_for(requirements: Iterable[str], extra: str = "") -> set[str]:
    """The names of all distributions that requirements need, as installed here."""
    names: set[str] = set()
    pending = [(Requirement(text), extra) for text in requirements]
    while pending:
        requirement, requested_extra = pending.pop()
        marker = requirement.marker
        if requirement.name in names:
            continue
        if marker is not None and not marker.evaluate({"extra": requested_extra}):
            continue
        names.add(requirement.name)
        for text in distribution(requirement.name).requires or []:
            for inner_extra in requirement.extras or {""}:
                pending.append((Requirement(text), inner_extra))
    return names


def install(environment: Path, wheel: Path, extra: str = "", also: Iterable[str] = ()) -> Path:
    """Create a virtual environment with a wheel and its requirements. Nothing is downloaded.

    Args:
        environment: the folder to create.
        wheel: the wheel.
        extra: the extra of the wheel to install.
        also: further requirements.

    Returns:
        The Python of the environment.
    """
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    values = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", values))
    metadata = unpacked(wheel, packages)
    names = distributions_for(metadata.requires or [], extra) | distributions_for(also)
    for name in names:
        copy_distribution(name, packages)
    return Path(sysconfig.get_path("scripts", "venv", values)) / Path(sys.executable).name


def copy_distribution(name: str, packages: Path) -> None:
    """Copy the modules of an installed distribution. Scripts, which are elsewhere, are omitted."""
    for file in distribution(name).files or []:
        if ".." in file.parts or file.suffix == ".pyc":
            continue
        (packages / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(str(file.locate()), packages / file)


def unpacked(wheel: Path, target: Path) -> Distribution:
    """Unpack a wheel into a folder, and return its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    (metadata,) = target.glob("leadconnector-*.dist-info")
    return Distribution.at(metadata)
