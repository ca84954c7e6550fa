"""Type-checks code that uses the client, with mypy and pyright in their strict modes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .base import GateError
from .code import UserCode

PACKAGE_FOLDERS = ("overrides", "tools")
"""Where a checkout has the packages that users import."""

MYPY_ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<message>.*)")

CONSEQUENCE_RULE = "[reportUnknown"
"""The beginning of the rules about unknown types, as a message of pyright contains them."""

PYTHON_VERSION = "3.11"
"""The oldest supported version."""


@dataclass(frozen=True)
class CheckerError:
    """An error of a type checker."""

    file: str
    """The file in the folder of the code."""
    line: int
    message: str


def type_errors(code: UserCode, client: Path, cache: Path) -> list[CheckerError]:
    """The errors of both type checkers.

    Args:
        code: the code to check.
        client: the checkout with the client.
        cache: a folder for mypy.

    Raises:
        GateError: a type checker fails.
    """
    return [*mypy_errors(code, client, cache), *pyright_errors(code, client)]


def without_consequences(errors: list[CheckerError]) -> list[CheckerError]:
    """The errors in the order of their places, without the consequences of others.

    pyright reports each use of the result of a wrong call, because its type is unknown.
    """
    causes = [error for error in errors if CONSEQUENCE_RULE not in error.message]
    files_with_causes = {error.file for error in causes}
    others = [error for error in errors if error.file not in files_with_causes]
    return sorted([*causes, *others], key=place_of)


def place_of(error: CheckerError) -> tuple[str, int]:
    """The sort key of an error."""
    return error.file, error.line


def mypy_errors(code: UserCode, client: Path, cache: Path) -> Iterator[CheckerError]:
    """The errors of mypy."""
    paths = [str(client.resolve() / folder) for folder in PACKAGE_FOLDERS]
    command = [
        *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
        *("--no-error-summary", "--no-pretty", "--show-error-codes", "--hide-error-context"),
        # The client itself is checked by `make check`.
        *("--follow-imports=silent", f"--python-version={PYTHON_VERSION}"),
        f"--cache-dir={cache}",
        *sorted(code.sources),
    ]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(paths)}
    result = subprocess.run(
        command, cwd=code.folder, env=environment, check=False, capture_output=True, text=True
    )
    # 1: there are errors. 2: mypy could not check, for example because of invalid syntax.
    if result.returncode not in {0, 1}:
        raise GateError(f"mypy failed: {' '.join((result.stdout + result.stderr).split())}")
    for line in result.stdout.splitlines():
        error = MYPY_ERROR.fullmatch(line)
        if error and error["file"] in code.sources:
            yield CheckerError(error["file"], int(error["line"]), error["message"])


def pyright_errors(code: UserCode, client: Path) -> Iterator[CheckerError]:
    """The errors of pyright."""
    settings = {
        "include": ["."],
        "extraPaths": [str(client.resolve() / folder) for folder in PACKAGE_FOLDERS],
        "typeCheckingMode": "strict",
        "pythonVersion": PYTHON_VERSION,
    }
    (code.folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pyright", "--outputjson"),
        *("--project", str(code.folder), "--pythonpath", sys.executable),
    ]
    result = subprocess.run(command, cwd=code.folder, check=False, capture_output=True, text=True)
    try:
        report: dict[str, Any] = json.loads(result.stdout)
    except ValueError as error:
        output = " ".join((result.stdout + result.stderr).split())
        raise GateError(f"pyright failed: {output}") from error
    for diagnostic in report["generalDiagnostics"]:
        file = Path(diagnostic["file"]).name
        if diagnostic["severity"] == "error" and file in code.sources:
            # pyright counts lines from 0.
            line = diagnostic["range"]["start"]["line"] + 1
            yield CheckerError(file, line, one_line(diagnostic))


def one_line(diagnostic: dict[str, Any]) -> str:
    """The message of pyright as mypy writes it: in one line, with the rule at its end."""
    message = " ".join(diagnostic["message"].split())
    rule = diagnostic.get("rule", "")
    return f"{message}  [{rule}]" if rule else message
