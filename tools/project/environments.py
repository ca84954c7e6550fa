"""Creates temporary virtual environments in which the project tries other versions of packages."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path


class EnvironmentSetupError(Exception):
    """An environment cannot be created, or a program in it failed. The message has one line."""


def create_environment(folder: Path, paths: Sequence[Path] = ()) -> Path:
    """Create a virtual environment without packages.

    Args:
        folder: the folder to create.
        paths: further folders from which it can import, in this order. A package that is
            installed in the environment has precedence.

    Returns:
        The Python of the environment.

    Raises:
        EnvironmentSetupError: it cannot be created.
    """
    run_program([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    values = {"base": str(folder), "platbase": str(folder)}
    if paths:
        packages = Path(sysconfig.get_path("purelib", "venv", values))
        lines = [f"{path}\n" for path in paths]
        (packages / "added.pth").write_text("".join(lines), encoding="utf-8")
    return Path(sysconfig.get_path("scripts", "venv", values)) / "python"


def own_packages() -> Path:
    """The folder with the packages of the environment that runs this program."""
    return Path(sysconfig.get_path("purelib"))


def link_programs(python: Path) -> None:
    """Add the programs of the environment that runs this one, such as `ruff`, to another one."""
    for program in sorted(Path(sys.executable).parent.iterdir()):
        link = python.parent / program.name
        if program.is_file() and os.access(program, os.X_OK) and not link.exists():
            link.symlink_to(program)


def install(python: Path, *requirements: str) -> None:
    """Install packages from the registry that pip is configured to use.

    Args:
        python: the Python of the environment.
        requirements: such as `httpx2==2.16.2`.

    Raises:
        EnvironmentSetupError: pip failed.
    """
    names = " ".join(requirements)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    # Each environment is used once, so compiling every module would take longer than it saves.
    options = ["--quiet", "--no-compile", "--no-input"]
    result = run([*pip, "install", *options, *requirements])
    if result.returncode != 0:
        raise EnvironmentSetupError(
            f"pip cannot install {names}: {pip_error(result.stderr)}; "
            "check the version and the connection to the package registry"
        )


def run_program(command: Sequence[str]) -> str:
    """Run a program that must succeed, and return its standard output.

    Raises:
        EnvironmentSetupError: it failed. The message has the last line that it wrote.
    """
    result = run(command)
    if result.returncode != 0:
        reason = last_line(result.stderr) or f"exit status {result.returncode}"
        raise EnvironmentSetupError(f"{' '.join(command)}: {reason}")
    return result.stdout


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program, and collect its output."""
    return subprocess.run(command, check=False, capture_output=True, text=True)


def last_line(text: str) -> str:
    """The last line of a text that is not empty; an empty text without one."""
    lines = text.split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")


def pip_error(output: str) -> str:
    """The first error that pip reports. Those after it are less specific."""
    errors = [line for line in output.split("\n") if line.startswith("ERROR: ")]
    if not errors:
        return last_line(output)
    # The list of all versions may have thousands of characters.
    message, _, _ = errors[0].removeprefix("ERROR: ").partition(" (from versions:")
    return message
