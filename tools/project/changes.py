"""Reports what vendoring over an older copy of the client would change: `make changes DEST=…`.

`make vendor` runs it too, before it replaces a copy. It uses the standard library only, and imports
nothing from this package, because `make vendor` needs no virtual environment.

Environment variables: `DEST` is the folder that contains the copy. `FAIL_ON_BREAKING=1` makes a
breaking change a failure. `ARGS` are further arguments of `project.upgrade_report`.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENDOR_PROGRAM = ROOT / "tools" / "project" / "vendor.py"
PACKAGE = "leadconnector"

BEFORE_VENDORING = "--before-vendoring"
"""The argument that `make vendor` passes: it needs no report where a copy stays as it is."""

SWITCH_VALUES = {"": False, "0": False, "1": True}
"""The values of a variable that switches something on or off."""


class ReportError(Exception):
    """There is no report. The message says why and what to do, in one line."""


def main() -> int:
    """Print the report.

    Returns:
        The exit status: 0; 2 if there is no report. With `FAIL_ON_BREAKING`, also 1 if a change
        breaks code, and 2 if the report is incomplete.
    """
    destination = os.environ.get("DEST", "")
    if not destination:
        print("usage: make changes DEST=DIRECTORY", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="upgrade-") as folder:
            return report_changes(Path(destination, PACKAGE), Path(folder), report_arguments())
    except (ReportError, OSError) as error:
        print(f"upgrade report: {error}", file=sys.stderr)
        return 2


def report_arguments() -> list[str]:
    """The arguments of the report, from the environment.

    Raises:
        ReportError: a variable is invalid.
    """
    value = os.environ.get("ARGS", "")
    try:
        arguments = shlex.split(value)
    except ValueError as error:
        raise ReportError(f"ARGS={value}: {error}") from error
    if is_switched_on("FAIL_ON_BREAKING"):
        arguments.append("--fail-on-breaking")
    return arguments


def is_switched_on(variable: str) -> bool:
    """Whether an environment variable switches something on.

    Raises:
        ReportError: it is neither 0 nor 1.
    """
    value = os.environ.get(variable, "")
    if value not in SWITCH_VALUES:
        raise ReportError(f"{variable}={value}: is neither 0 nor 1")
    return SWITCH_VALUES[value]


def report_changes(copy: Path, folder: Path, arguments: list[str]) -> int:
    """Compare a copy with a new one in an empty folder. Returns the status of the report.

    Raises:
        ReportError: there is no copy, or the client cannot be vendored.
    """
    if not is_copy(copy):
        raise ReportError(
            f"{copy}: is not a copy of the client: name the folder that contains one,"
            f" for example DEST=src/app/_vendor"
        )
    # A new copy, not the source: in the source, `_generated` can be a link that is a text file.
    vendor(folder)
    new_copy = folder / PACKAGE
    if BEFORE_VENDORING in sys.argv and contents_of(copy) == contents_of(new_copy):
        return 0
    return run_report(copy, new_copy, arguments)


def is_copy(folder: Path) -> bool:
    """Whether a folder is a copy of the client, not its source, where `_generated` is a link."""
    generated = folder / "_generated"
    return not generated.is_symlink() and (generated / "contract.json").is_file()


def contents_of(folder: Path) -> dict[Path, bytes]:
    """The files of a copy, without the caches that Python writes when the copy is imported."""
    return {
        file.relative_to(folder): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }


def vendor(destination: Path) -> None:
    """Vendor the client into a folder that has no copy.

    Raises:
        ReportError: it cannot be vendored. Its program has printed why.
    """
    command = [sys.executable, str(VENDOR_PROGRAM)]
    environment = {**os.environ, "DEST": str(destination)}
    result = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        raise ReportError(f"{ROOT} cannot be vendored: correct what the message above says")


def run_report(base: Path, revision: Path, arguments: list[str]) -> int:
    """Run the report, and return its exit status."""
    # -P: a folder `project` in the current directory is not the one that is meant.
    # -B: vendoring writes nothing into this checkout, which may be read-only.
    command = [report_python(), "-P", "-B", "-m", "project.upgrade_report"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    result = subprocess.run(
        [*command, *arguments, "--", str(base), str(revision)], env=environment, check=False
    )
    if result.returncode < 0:
        # `subprocess` reports a signal as a negative number.
        return 128 - result.returncode
    return result.returncode


def report_python() -> str:
    """The Python that runs the report: one that has griffe, if there is one.

    Without griffe, the report lists fewer changes of Python names, and says so.
    """
    if importlib.util.find_spec("griffe") is not None:
        return sys.executable
    # The Makefile sets BIN, the folder with the programs of the virtual environment.
    environment_python = ROOT / os.environ.get("BIN", ".venv/bin") / "python"
    if environment_python.is_file():
        return str(environment_python)
    return sys.executable


def exit_on_signal(number: int, frame: object) -> NoReturn:
    """Raise an exception on SIGTERM, so that the temporary folder is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    sys.exit(main())
