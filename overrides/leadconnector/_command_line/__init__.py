"""The program of this package: `authorize`, `vendor`, `verify` and `version`.

It runs where the dependencies of the client are not installed. Only `authorize` needs them.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from .._requirements import missing_requirement
from .._vendoring import command_line as vendoring
from .._vendoring.errors import VendoringError
from .._vendoring.source import PACKAGE_FOLDER, PACKAGE_NAME
from .._version import __version__
from .authorize_options import add_authorize

_PACKAGE = __name__.rpartition(".")[0]

_INTERRUPTED = 130
"""The exit status of a shell's command that Ctrl-C ended: 128 and the number of the signal."""

_BROKEN_PIPE = 141
"""The exit status of a shell's command that ended by SIGPIPE: 128 and the number of the signal."""

_INTERRUPTED_AUTHORIZATION = "Interrupted. The store has its earlier tokens, or the new ones."


def main(
    arguments: list[str] | None = None,
    *,
    folder: Path = PACKAGE_FOLDER,
    may_replace: Callable[[], bool] | None = None,
) -> int:
    """Run one command.

    Args:
        arguments: the words after the name of the program; by default those of this process.
        folder: the package that `verify` and `version` look at.
        may_replace: asked before `vendor` replaces an older copy.

    Returns:
        The exit status.
    """
    _escape_unprintable_output()
    options = _parser().parse_args(arguments)
    try:
        status = _run(options, folder, may_replace)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Other programs end silently too.
        _fail()
        return _BROKEN_PIPE
    except (VendoringError, OSError) as error:
        print(error, file=sys.stderr)
        return _fail()
    except KeyboardInterrupt:
        print(_interruption(options), file=sys.stderr)
        return _INTERRUPTED
    return status


def _run(options: argparse.Namespace, folder: Path, may_replace: Callable[[], bool] | None) -> int:
    if options.command == "authorize":
        return _authorize(options)
    return vendoring.run_command(options, folder, may_replace)


def _authorize(options: argparse.Namespace) -> int:
    try:
        # By its name: the dependencies of the client are imported only here.
        command = import_module(".oauth.command", _PACKAGE)
    except ModuleNotFoundError as error:
        print(missing_requirement(error, _PACKAGE), file=sys.stderr)
        return _fail()
    status: int = command.authorize(options)
    return status


def _interruption(options: argparse.Namespace) -> str:
    if options.command == "authorize":
        return _INTERRUPTED_AUTHORIZATION
    return vendoring.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_program(),
        description=(
            "Authorizes an application, copies this package into another project, and verifies "
            "such a copy."
        ),
    )
    parser.add_argument("--version", action="version", version=f"{PACKAGE_NAME} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_authorize(commands)
    vendoring.add_commands(commands)
    return parser


def _program() -> str:
    """How the user runs this program: the installed script, or the module."""
    if Path(sys.argv[0]).stem == PACKAGE_NAME:
        return PACKAGE_NAME
    return f"python -m {_PACKAGE}"


def _escape_unprintable_output() -> None:
    """A name of a file may have characters that the output cannot encode."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail() -> int:
    """Keep Python from writing to a full or closed output again when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2
