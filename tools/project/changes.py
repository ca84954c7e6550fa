"""Reports what vendoring over an older copy of the client would change: `make changes DEST=…`.

`make vendor` runs it too: first to check the variables, and then before it replaces a copy. It uses
the standard library only, and imports nothing from this package, because `make vendor` needs no
virtual environment.

Environment variables: `DEST` is the folder that contains the copy. `FAIL_ON_BREAKING=1` makes a
breaking change a failure. `ARGS` are further options of the report.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENDOR_PROGRAM = ROOT / "tools" / "project" / "vendor.py"
PACKAGE = "leadconnector"

BEFORE_VENDORING = "--before-vendoring"
"""The argument that `make vendor` passes: it needs no report where a copy stays as it is. Then the
exit status says whether the copy may be replaced: 0 if it may."""

CHECK_VARIABLES = "--check-variables"
"""The argument with which `make vendor` only checks the variables, before anything else."""

SWITCH_VALUES = {"": False, "0": False, "1": True}
"""The values of a variable that switches something on or off."""

FORMATS = ("text", "markdown")
"""The formats of a report."""

ALLOWED_OPTIONS = f"the options are --format ({' or '.join(FORMATS)}) and --fail-on-breaking"

INTERRUPTED = 130
"""The exit status of a shell's command that Ctrl-C ended: 128 and the number of the signal."""

BREAKING = 1
"""The exit status of a report with a breaking change, with `--fail-on-breaking`."""

REJECTED_BREAKING = (
    "FAIL_ON_BREAKING is set, and the report above has a breaking change: adapt the service, then"
    " vendor with FAIL_ON_BREAKING=0"
)

REJECTED_INCOMPLETE = (
    "FAIL_ON_BREAKING is set, and the report above is missing or incomplete: run `make changes"
    " DEST=…`, which installs what a complete report needs, then vendor again. If the report stays"
    " incomplete, review the upgrade, then vendor with FAIL_ON_BREAKING=0"
)


class ReportError(Exception):
    """There is no report. The message says why and what to do, in one line."""


class OptionParser(argparse.ArgumentParser):
    """A parser that raises, because the variable with the options belongs into the message."""

    def error(self, message: str) -> NoReturn:
        """Raise the message of an invalid option."""
        raise ReportError(message)


@dataclass(frozen=True)
class Options:
    """The options of the report."""

    format: str
    fails_on_breaking: bool

    def arguments(self) -> list[str]:
        """The arguments of `project.upgrade_report`."""
        arguments = ["--format", self.format]
        if self.fails_on_breaking:
            arguments.append("--fail-on-breaking")
        return arguments


def main() -> int:
    """Print the report.

    Returns:
        The exit status: 0; 2 if there is no report. With `FAIL_ON_BREAKING`, also 1 if a change
        breaks code, and 2 if the report is incomplete.
    """
    try:
        options = report_options()
        if CHECK_VARIABLES in sys.argv:
            return 0
        destination = os.environ.get("DEST", "")
        if not destination:
            print("usage: make changes DEST=DIRECTORY", file=sys.stderr)
            return 2
        status = try_to_report(Path(destination, PACKAGE), options)
    except ReportError as error:
        print(f"upgrade report: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted. There is no upgrade report.", file=sys.stderr)
        return INTERRUPTED
    if BEFORE_VENDORING not in sys.argv:
        return status
    return status_for_vendoring(status, options)


def status_for_vendoring(status: int, options: Options) -> int:
    """The exit status that says whether the copy may be replaced, after the status of a report."""
    if status == 0 or not options.fails_on_breaking:
        return 0
    message = REJECTED_BREAKING if status == BREAKING else REJECTED_INCOMPLETE
    print(message, file=sys.stderr)
    return status


def try_to_report(copy: Path, options: Options) -> int:
    """Print the report, or why there is none. Returns the exit status."""
    try:
        with tempfile.TemporaryDirectory(prefix="upgrade-") as folder:
            # The vendoring program rejects links, and TMPDIR can be one.
            return report_changes(copy, Path(folder).resolve(), options.arguments())
    except (ReportError, OSError) as error:
        print(f"upgrade report: {error}", file=sys.stderr)
        return 2


def report_options() -> Options:
    """The options of the report, from the environment.

    Raises:
        ReportError: a variable is invalid.
    """
    value = os.environ.get("ARGS", "")
    # Without abbreviations and `--help`: a help text is no report.
    parser = OptionParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--fail-on-breaking", action="store_true")
    try:
        options = parser.parse_args(shlex.split(value))
    except (ValueError, ReportError) as error:
        raise ReportError(f"ARGS={value}: {error}: {ALLOWED_OPTIONS}") from error
    is_strict = is_switched_on("FAIL_ON_BREAKING")
    return Options(options.format, is_strict or options.fail_on_breaking)


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
    # Without the variables of the report, which this program has checked.
    variables = {"DEST": str(destination), "ARGS": "", "FAIL_ON_BREAKING": ""}
    status = run(command, {**os.environ, **variables}, subprocess.DEVNULL)
    if status != 0:
        raise ReportError(f"{ROOT} cannot be vendored: correct what the message above says")


def run_report(base: Path, revision: Path, arguments: list[str]) -> int:
    """Run the report, and return its exit status."""
    # -P: a folder `project` in the current directory is not the one that is meant.
    # -B: vendoring writes nothing into this checkout, which may be read-only.
    command = [report_python(), "-P", "-B", "-m", "project.upgrade_report"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    status = run([*command, *arguments, "--", str(base), str(revision)], environment)
    if status < 0:
        # `subprocess` reports a signal as a negative number.
        return 128 - status
    return status


def run(command: list[str], environment: dict[str, str], stdout: int | None = None) -> int:
    """Run a program, and return its exit status. Ctrl-C reaches this process only.

    A terminal sends Ctrl-C to all processes. Each would print a traceback.
    """
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # The program inherits that it ignores the signal.
        process = subprocess.Popen(command, env=environment, stdout=stdout)
    finally:
        signal.signal(signal.SIGINT, handler)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def report_python() -> str:
    """The Python that runs the report: that of the virtual environment, if it has griffe.

    Another griffe can have another version than the one in the lock file. Without griffe, the
    report lists fewer changes of Python names, and says so.
    """
    # The Makefile sets BIN, the folder with the programs of the virtual environment.
    environment_python = ROOT / os.environ.get("BIN", ".venv/bin") / "python"
    if has_griffe(environment_python):
        return str(environment_python)
    return sys.executable


def has_griffe(python: Path) -> bool:
    """Whether a Python can be run, and finds griffe."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('griffe') is None)"
    try:
        return run([str(python), "-P", "-c", code], dict(os.environ), subprocess.DEVNULL) == 0
    except OSError:
        return False


def exit_on_signal(number: int, frame: object) -> NoReturn:
    """Raise an exception on SIGTERM, so that the temporary folder is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    sys.exit(main())
