"""Generates a client from a document, and imports it beside the client of this project."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.long.conformance.checking import Package

ROOT = Path(__file__).resolve().parents[3]
HAND_WRITTEN = ROOT / "overrides" / "leadconnector"


class GenerationError(Exception):
    """The generation failed. The message is its output."""


def generate(spec: Path, folder: Path, name: str) -> None:
    """Write a client: the hand-written code of this project, and code generated from a document.

    Args:
        spec: the file of the document.
        folder: where to write the package.
        name: its name.

    Raises:
        GenerationError: the document is rejected.
    """
    shutil.copytree(
        HAND_WRITTEN, folder / name, ignore=shutil.ignore_patterns("_generated", "__pycache__")
    )
    output = folder / name / "_generated"
    command = ["-m", "generate", "--spec", str(spec), "--output", str(output)]
    result = subprocess.run(
        [sys.executable, *command],
        env={"PYTHONPATH": str(ROOT / "tools"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise GenerationError(result.stderr)


@contextmanager
def imported(folder: Path, name: str) -> Generator[Package]:
    """Import a client. Its modules are forgotten at the end."""
    sys.path.insert(0, str(folder))
    try:
        yield Package(
            client=importlib.import_module(name),
            models=importlib.import_module(f"{name}.models"),
            types=importlib.import_module(f"{name}._generated.types"),
        )
    finally:
        sys.path.remove(str(folder))
        for module_name in list(sys.modules):
            if module_name.partition(".")[0] == name:
                del sys.modules[module_name]
