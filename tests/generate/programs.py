"""Runs a program with the client of a spec, against the emulator of the same spec."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from generate.__main__ import main

from tests.support.paths import ROOT

HAND_WRITTEN = ROOT / "overrides" / "leadconnector"
NOT_HAND_WRITTEN = frozenset({"_generated", "__pycache__", ".ruff_cache"})


def write_client(text: str, folder: Path, name: str = "leadconnector") -> None:
    """Write the client of a spec to a folder: the hand-written package and the generated code.

    Args:
        text: the spec.
        folder: where `spec.yaml` and the package are written.
        name: the name of the package.
    """
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    package = folder / name
    ignored = shutil.ignore_patterns(*NOT_HAND_WRITTEN)
    shutil.copytree(HAND_WRITTEN, package, ignore=ignored)
    assert main(["--spec", str(spec), "--output", str(package / "_generated")]) == 0


def run_program(program: str, folder: Path) -> Any:
    """Run a program that imports the client in a folder, and return the JSON that it prints.

    Warnings are errors.
    """
    path = [str(folder), str(ROOT / "tools")]
    result = subprocess.run(
        [
            sys.executable,
            "-I",
            "-W",
            "error",
            "-c",
            f"import sys\nsys.path[:0] = {path!r}\n{program}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
