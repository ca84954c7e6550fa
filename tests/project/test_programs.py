"""The programs behind the targets `drift` and `diff`, and how they read lists of arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import diff, drift, processes
from project.arguments import ArgumentsError, arguments_from

from tests.support.make import make
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("value", "arguments"),
    [
        ("", []),
        ("--port 9000", ["--port", "9000"]),
        ("-k 'a and b' tests", ["-k", "a and b", "tests"]),
        ("a\\ b $HOME *.py", ["a b", "$HOME", "*.py"]),
    ],
)
def test_a_variable_is_split_as_a_shell_does_and_nothing_is_expanded(
    monkeypatch: pytest.MonkeyPatch, value: str, arguments: list[str]
) -> None:
    monkeypatch.setenv("ARGS", value)

    assert arguments_from("ARGS") == arguments


def test_a_variable_that_is_not_set_has_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARGS", raising=False)

    assert arguments_from("ARGS") == []


def test_an_open_quote_is_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARGS", "'a b")

    with pytest.raises(ArgumentsError, match="ARGS='a b: No closing quotation"):
        arguments_from("ARGS")


@pytest.mark.parametrize(
    ("target", "name"),
    [("test", "TESTS"), ("drift", "ARGS"), ("diff", "ARGS"), ("lock", "UPGRADE")],
)
def test_an_open_quote_is_one_line_of_output(target: str, name: str) -> None:
    bin_folder = Path(sys.executable).parent
    path = str(ROOT / "tools")
    result = make(target, f"{name}='a b", "BASE=HEAD", f"BIN={bin_folder}", "DEV=", PYTHONPATH=path)

    assert (result.returncode, result.stdout) == (2, "")
    assert f"{name}='a b: No closing quotation\n" in result.stderr


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_module_gets_its_default_arguments_without_a_value(value: str | None) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "ARGS"}
    if value is not None:
        environment["ARGS"] = value
    command = [
        sys.executable,
        "-m",
        "project.run_module",
        "timeit",
        "ARGS",
        "--number=1",
        "print(7)",
    ]

    result = subprocess.run(
        command, cwd=ROOT / "tools", env=environment, check=True, capture_output=True, text=True
    )

    assert result.stdout.startswith("7\n")


def test_a_module_gets_no_default_arguments_beside_those_of_the_variable() -> None:
    environment = {**os.environ, "ARGS": "--number=1 print(8)"}
    command = [sys.executable, "-m", "project.run_module", "timeit", "ARGS", "print(7)"]

    result = subprocess.run(
        command, cwd=ROOT / "tools", env=environment, check=True, capture_output=True, text=True
    )

    assert result.stdout.startswith("8\n")
    assert "7\n" not in result.stdout.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("upstream", "root"),
    [
        (drift.PUBLISHED_DOCUMENT, drift.PUBLISHED_DOCUMENT.partition("/apps/")[0]),
        ("../docs/apps/conversations.json", "../docs"),
        ("a folder/conversations.json", "a folder/"),
        ("conversations.json", "./"),
    ],
)
def test_references_are_read_from_the_folder_above_apps(upstream: str, root: str) -> None:
    assert drift.root_of(upstream) == root


@pytest.mark.parametrize(
    ("spec_status", "names_status", "status"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 1, 2), (1, 2, 2)],
)
def test_the_status_of_a_diff_is_the_worse_one(
    monkeypatch: pytest.MonkeyPatch, spec_status: int, names_status: int, status: int
) -> None:
    statuses = {"specdrift": spec_status, "project.surface": names_status}

    def run(module: str, *arguments: str) -> int:
        return statuses[module]

    monkeypatch.setattr("project.diff.run", run)
    monkeypatch.setenv("BASE", "main")
    monkeypatch.delenv("ARGS", raising=False)

    assert diff.main() == status


def test_a_signal_counts_as_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    (tmp_path / "killed.py").write_text(module, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert processes.run("killed") == 128 + 9
