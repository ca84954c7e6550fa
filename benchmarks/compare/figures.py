"""What is measured without a server: the types that a caller sees, and the time of the import."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from .clients import LEADCONNECTOR, ROOT, Client
from .outcomes import Judgement, Outcome
from .running import environment_of

TIMEOUT = 300
"""Seconds for one run of the type checker or of the interpreter."""

IMPORTS = 3
"""The fastest of these counts: it is disturbed least by other programs."""

REVEALED = re.compile(r'Revealed type is "(.*)"')
MODULE_NAMES = re.compile(r"\b(?:\w+\.)+(?=\w)")

UNTYPED = re.compile(r"\b(Any|dict)\b")
"""Types that tell a caller nothing about the fields."""


REVEAL = "reveal_type(result)"
"""The last line of the program of a client."""


def judge_types(client: Client) -> Judgement:
    """Check a program that calls the client with `mypy --strict`.

    The client's own code is not checked, as a service does not check its dependencies.
    """
    return judge_mypy(run_mypy(client, client.caller))


def judge_reading(client: Client) -> Judgement:
    """Check the same program when it reads a field of the result."""
    program = client.caller.replace(REVEAL, "print(result.conversation.starred)")
    count = error_count(run_mypy(client, program))
    if count:
        return type_errors(count)
    return Judgement(Outcome.TYPED)


def error_count(output: str) -> int:
    """How many errors mypy reports."""
    return output.count(": error: ")


def type_errors(count: int) -> Judgement:
    """The outcome of a program with errors."""
    noun = "error" if count == 1 else "errors"
    return Judgement(Outcome.TYPE_ERRORS, f"{count} {noun}")


def judge_mypy(output: str) -> Judgement:
    """The outcome that the output of mypy for a caller means."""
    count = error_count(output)
    if count:
        return type_errors(count)
    revealed = REVEALED.search(output)
    type_name = short_type(revealed[1]) if revealed else "Any"
    if UNTYPED.search(type_name):
        return Judgement(Outcome.UNTYPED, f"`{type_name}`")
    # With a union, the caller must exclude the error models and `None` before it reads a field.
    if "|" in type_name:
        return Judgement(Outcome.UNION, f"{type_name.count('|') + 1} types")
    return Judgement(Outcome.TYPED, f"`{type_name}`")


def short_type(name: str) -> str:
    """A type without the modules of its classes, with unions as `|`."""
    short = MODULE_NAMES.sub("", name)
    union = re.fullmatch(r"Union\[(.*)\]", short)
    if union:
        short = union[1].replace(", ", " | ")
    return short


def run_mypy(client: Client, program: str) -> str:
    """The output of mypy for a program that calls a client."""
    source = ROOT / "overrides" if client.key == LEADCONNECTOR else client.import_path
    command = [
        *(sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent"),
        *("--python-executable", str(client.python), "--config-file", ""),
        *("--cache-dir", str(client.folder / "mypy-cache"), "caller.py"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "caller.py").write_text(program, encoding="utf-8")
        result = subprocess.run(
            command,
            cwd=folder,
            env={**environment_of(client), "PYTHONPATH": "", "MYPYPATH": str(source)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
    return result.stdout


def import_seconds(client: Client) -> float:
    """The processor time of the import of a client: the fastest of several runs."""
    # With the names of the program, because some packages load their modules only for a name.
    imports = client.caller.partition("\n\n")[0]
    timing = "from time import process_time\nstart = process_time()"
    program = f"{timing}\n{imports}\nprint(process_time() - start)"
    return round(min(seconds_of_import(client, program) for _ in range(IMPORTS)), 3)


def seconds_of_import(client: Client, program: str) -> float:
    """The seconds that a program prints."""
    result = subprocess.run(
        [str(client.python), "-c", program],
        cwd=ROOT,
        env=environment_of(client),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=True,
    )
    return float(result.stdout)
