"""Creates environments as users have them: built wheels, and only what their metadata requires."""

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
from project.sources import copy_sources

from tests.support.paths import ROOT

TIMEOUT = 120
"""Seconds. A program takes much less; the limit keeps a failing test from hanging."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program that must succeed, and return its output."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def copy_checkout(target: Path) -> Path:
    """Copy the files that git tracks, with links as links.

    Without git, as in an unpacked sdist, copy the files that `.gitignore` does not name.
    """
    return copy_sources(ROOT, target)


def build(project: Path, target: Path, kind: str = "wheel") -> Path:
    """Build one distribution with the build backend.

    Args:
        project: the folder with the pyproject.toml.
        target: the folder for the distribution; created.
        kind: `wheel` or `sdist`.
    """
    # -B: the backend imports hooks from the project, and would add bytecode to it.
    run(sys.executable, "-B", "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=project)
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
    python = create_environment(environment, also)
    add_wheel(environment, wheel, extra)
    return python


def create_environment(environment: Path, requirements: Iterable[str] = ()) -> Path:
    """Create a virtual environment without pip. Nothing is downloaded.

    Args:
        environment: the folder to create.
        requirements: what it contains, as installed here.

    Returns:
        The Python of the environment.
    """
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    copy_distributions(distributions_for(requirements), packages_folder(environment))
    scripts = sysconfig.get_path("scripts", "venv", path_values(environment))
    return Path(scripts) / Path(sys.executable).name


def add_wheel(environment: Path, wheel: Path, extra: str = "") -> None:
    """Install a wheel and its requirements into a virtual environment."""
    packages = packages_folder(environment)
    metadata = unpacked(wheel, packages)
    copy_distributions(distributions_for(metadata.requires or [], extra), packages)


def packages_folder(environment: Path) -> Path:
    """The folder of the installed modules of a virtual environment."""
    return Path(sysconfig.get_path("purelib", "venv", path_values(environment)))


def path_values(environment: Path) -> dict[str, str]:
    """The values of the variables in `sysconfig`'s paths."""
    return {"base": str(environment), "platbase": str(environment)}


def copy_distributions(names: Iterable[str], packages: Path) -> None:
    """Copy the modules of installed distributions."""
    for name in names:
        copy_distribution(name, packages)


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
    name, version, *_ = wheel.name.split("-")
    return Distribution.at(target / f"{name}-{version}.dist-info")
