"""Runs `make vendor` and the command line of a copy for tests."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from leadconnector._command_line import main
from leadconnector._vendoring.source import PACKAGE_FOLDER
from project.vendor import command_arguments

from tests.support.make import clean_environment
from tests.support.paths import ROOT

TIMEOUT = 300
"""Seconds. A program takes much less; the limit keeps a failing test from hanging."""

PROGRAM = Path("tools", "project", "vendor.py")
"""The program behind `make vendor`, in a checkout."""

WORKSPACE = ".leadconnector.vendoring"
"""The folder beside a copy in which a run works."""


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program. The variables of a `make test` around this test are removed."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment() | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def run_vendor(
    destination: str | Path, checkout: Path = ROOT, force: str = ""
) -> subprocess.CompletedProcess[str]:
    """Do what `make vendor` does.

    From this checkout, in this process, which is faster. A relative destination is below the
    checkout, as for make.
    """
    if checkout == ROOT:
        arguments = command_arguments(str(ROOT / destination), force)
        return run_in_process(arguments)
    return run_program(destination, checkout, force)


def run_program(
    destination: str | Path, checkout: Path = ROOT, force: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program behind `make vendor`. make itself adds 50 ms and nothing else."""
    variables = {"DEST": str(destination), "FORCE": force}
    return run(sys.executable, checkout / PROGRAM, cwd=checkout, **variables)


def run_in_process(
    arguments: list[str], folder: Path = PACKAGE_FOLDER
) -> subprocess.CompletedProcess[str]:
    """Run the command line of the package in this process."""
    output = io.StringIO()
    errors = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main(arguments, folder=folder)
    return subprocess.CompletedProcess(arguments, status, output.getvalue(), errors.getvalue())


def vendor(destination: str | Path, checkout: Path = ROOT, force: str = "") -> Path:
    """Vendor the client and return the path of the copy."""
    result = run_vendor(destination, checkout, force)
    assert result.returncode == 0, result.stderr
    # Over another copy, a report of the upgrade precedes the path.
    assert result.stdout.splitlines()[-1] == f"{destination}/leadconnector"
    if not force:
        assert result.stderr == ""
    return checkout / destination / "leadconnector"


def rejection(destination: str | Path, checkout: Path = ROOT, force: str = "") -> str:
    """The error message for something that must not be vendored."""
    result = run_vendor(destination, checkout, force)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, without caches. Links to folders are not followed."""
    files: dict[str, bytes] = {}
    for parent, folders, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        if any(part == "__pycache__" or part.startswith(".") for part in relative.parts):
            continue
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*names, *links):
            path = Path(parent, name)
            data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            files[(relative / name).as_posix()] = data
    return files


def copy_sources(folder: Path) -> Path:
    """Copy the files that vendoring reads, with links as links."""
    ignore_caches = shutil.ignore_patterns("__pycache__")
    for name in ("overrides", "generated", "tools/project", "tools/specdrift", "spec"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore_caches)
    for name in ("Makefile", "LICENSE", ".gitattributes"):
        shutil.copy(ROOT / name, folder)
    return folder


def set_version(checkout: Path, version: str) -> None:
    """Make a checkout another version of the client."""
    path = checkout / "overrides" / "leadconnector" / "_version.py"
    path.write_text(f'"""The version."""\n\n__version__ = "{version}"\n', encoding="utf-8")


def verify(copy: Path) -> subprocess.CompletedProcess[str]:
    """Compare a copy with its manifest."""
    return run_in_process(["verify"], copy)


def run_command_of(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line of a copy without site-packages."""
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1));"
        'runpy.run_module("leadconnector", run_name="__main__", alter_sys=True)'
    )
    options = ["-I", "-S", "-B", "-W", "error"]
    command = [sys.executable, *options, "-c", code, str(copy.parent), *arguments]
    return run(*command, cwd=copy.parent)
