"""Rules about imports between the parts of the repository, for parts without tests of their own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDERS = ["overrides", "generated", "tools", "examples", "benchmarks"]


def imported_modules(file: Path) -> Iterator[str]:
    """The top-level names of the absolute imports in a file."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_tests_import_tests(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))

    assert files
    assert [file for file in files if "tests" in imported_modules(file)] == []


@pytest.mark.parametrize("name", ["install.py", "vendor.py"])
def test_programs_that_run_before_the_installation_need_only_the_standard_library(
    name: str,
) -> None:
    file = ROOT / "tools" / "project" / name

    assert set(imported_modules(file)) <= sys.stdlib_module_names
    relative_imports = [
        node
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative_imports == []
