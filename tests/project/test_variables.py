"""Variables of the Makefile are data: neither make nor a shell evaluates their values.

Each test passes values that create the file `x` if anything evaluates them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.make import make
from tests.support.paths import ROOT

PAYLOADS = [
    '";touch x;"',
    "';touch x;'",
    "a;touch x;",
    "$(touch x)",
    "`touch x`",
    "$(shell touch x)",
    "$$(shell touch x)",
    "${shell touch x}",
    "a\ntouch x\n",
    "a & touch x | touch x",
    "\\$(shell touch x)",
]

RECORDER = """
import json, os, sys
with open(os.environ["RECORD"], "a", encoding="utf-8") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""
"""The source of a module that records its arguments."""

RECORDED_MODULES = [
    "pytest",
    "uv",
    "specdrift",
    "leadconnector_emulator",
    "benchmarks/long/fuzz",
    "benchmarks/long/rates",
    "benchmarks/long/soak",
    "benchmarks/long/oauth",
    "benchmarks/long/kills",
    "benchmarks/compare",
    "benchmarks/speed",
    "tools/project/surface",
]
"""The modules that the targets run. In these tests, they record their arguments."""


@dataclass(frozen=True)
class Checkout:
    """A folder with the Makefile and its programs, which run recorders instead of real modules."""

    root: Path
    record: Path

    def make(self, target: str, name: str, value: str, origin: str) -> list[list[str]]:
        """Run make and return the arguments of each module that it ran.

        Args:
            target: the target.
            name: the name of the variable.
            value: its value.
            origin: where the variable is set: "command line" or "environment".
        """
        bin_folder = str(Path(sys.executable).parent)
        variables = {"BIN": bin_folder, "PYTHON": sys.executable, name: value}
        arguments = [f"{key}={text}" for key, text in variables.items()]
        environment: dict[str, str] = {}
        if origin == "environment":
            arguments.remove(f"{name}={value}")
            environment = {name: value}
        python_path = os.pathsep.join([str(self.root), str(self.root / "tools")])
        make(
            target,
            *arguments,
            cwd=self.root,
            PYTHONPATH=python_path,
            RECORD=str(self.record),
            PYTHONDONTWRITEBYTECODE="1",
            **environment,
        )
        if not self.record.exists():
            return []
        lines = self.record.read_text(encoding="utf-8").splitlines()
        self.record.unlink()
        return [json.loads(line) for line in lines]

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "surface")
    shutil.copytree(ROOT / "tools" / "project", root / "tools" / "project", ignore=ignored)
    shutil.copy(ROOT / "Makefile", root)
    for name in ("overrides", "generated"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "LICENSE", root)
    # Nothing is to be installed.
    (root / ".venv").mkdir()
    (root / ".venv" / "demo.installed").touch()
    (root / ".venv" / "dev.installed").touch()
    for name in RECORDED_MODULES:
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").touch()
        (root / name / "__main__.py").write_text(RECORDER, encoding="utf-8")
    return Checkout(root, tmp_path / "record")


def words_of(value: str) -> list[list[str]]:
    """The arguments that a module receives for a value; nothing runs if quotes are unbalanced."""
    try:
        return [shlex.split(value)]
    except ValueError:
        return []


def delivered(value: str, origin: str) -> str:
    """A value as programs receive it: make removes leading spaces on its command line."""
    return value.lstrip() if origin == "command line" else value


both_origins = pytest.mark.parametrize("origin", ["command line", "environment"])
each_payload = pytest.mark.parametrize("payload", PAYLOADS)


@both_origins
@each_payload
@pytest.mark.parametrize(("target", "name"), [("test", "TESTS"), ("fuzz", "ARGS")])
def test_lists_of_arguments_are_split_and_not_evaluated(
    checkout: Checkout, target: str, name: str, payload: str, origin: str
) -> None:
    before = checkout.files()

    assert checkout.make(target, name, payload, origin) == words_of(payload)
    assert checkout.files() == before


@both_origins
@pytest.mark.parametrize("target", ["rates", "soak", "refreshes", "kills", "compare", "emulator"])
def test_other_targets_split_their_arguments_in_the_same_way(
    checkout: Checkout, target: str, origin: str
) -> None:
    before = checkout.files()
    value = "--seed 1 '$(touch x)' `touch x` $(shell touch x)"

    assert checkout.make(target, "ARGS", value, origin) == words_of(value)
    assert checkout.files() == before


@both_origins
@each_payload
def test_upgrade_is_passed_to_uv_and_not_evaluated(
    checkout: Checkout, payload: str, origin: str
) -> None:
    before = checkout.files()
    words = words_of(payload)

    calls = checkout.make("lock", "UPGRADE", payload, origin)

    assert len(calls) == 4 * len(words)
    assert [call[-2 - len(words[0]) : -2] for call in calls[:1]] == words
    assert checkout.files() == before


@both_origins
@each_payload
def test_the_base_of_a_diff_reaches_both_comparisons_unchanged(
    checkout: Checkout, payload: str, origin: str
) -> None:
    before = checkout.files()

    calls = checkout.make("diff", "BASE", payload, origin)

    base = delivered(payload, origin)
    assert calls == [
        ["--", f"{base}:spec/openapi.yaml", "spec/openapi.yaml"],
        ["--root", ".", "--", base],
    ]
    assert checkout.files() == before


@both_origins
@each_payload
@pytest.mark.parametrize("name", ["UPSTREAM", "UPSTREAM_ROOT"])
def test_the_document_of_the_vendor_reaches_specdrift_unchanged(
    checkout: Checkout, name: str, payload: str, origin: str
) -> None:
    before = checkout.files()

    calls = checkout.make("drift", name, payload, origin)

    # Without UPSTREAM, there are two documents.
    assert len(calls) == (1 if name == "UPSTREAM" else 2)
    position = 1 if name == "UPSTREAM" else -1
    assert {arguments[position] for arguments in calls} == {delivered(payload, origin)}
    assert checkout.files() == before


@both_origins
@pytest.mark.parametrize("target", ["drift", "diff"])
def test_arguments_of_a_comparison_are_split_and_not_evaluated(
    checkout: Checkout, target: str, origin: str
) -> None:
    before = checkout.files()
    value = "--fail-on INFO '$(touch x)' `touch x` $(shell touch x)"

    calls = checkout.make(target, "ARGS", value, origin)

    # Without BASE, `make diff` stops before it runs anything.
    assert all(" ".join(*words_of(value)) in " ".join(call) for call in calls)
    # `make drift` compares two documents.
    assert len(calls) == (2 if target == "drift" else 0)
    assert checkout.files() == before


@both_origins
@each_payload
def test_the_destination_of_a_copy_is_a_name_and_not_evaluated(
    checkout: Checkout, payload: str, origin: str
) -> None:
    before = checkout.files()

    assert checkout.make("vendor", "DEST", payload, origin) == []
    assert checkout.make("vendor", "FORCE", payload, origin) == []

    copy = checkout.root / delivered(payload, origin) / "leadconnector"
    assert (copy / "_generated" / "contract.json").is_file()
    shutil.rmtree(copy.parent)
    assert checkout.files() == before


@both_origins
@each_payload
@pytest.mark.parametrize(
    ("target", "name"),
    [("vendor", "PYTHON"), ("test", "BIN"), ("test", "DEV"), ("help", "UNKNOWN")],
)
def test_no_other_variable_is_evaluated(
    checkout: Checkout, target: str, name: str, payload: str, origin: str
) -> None:
    before = checkout.files()

    checkout.make(target, name, payload, origin)

    assert checkout.files() == before


@both_origins
@pytest.mark.parametrize(
    ("target", "name"), [("notes", "TAG"), ("regenerate", "PATCH"), ("coverage", "TESTS")]
)
def test_a_value_for_a_workflow_is_not_evaluated(
    checkout: Checkout, target: str, name: str, origin: str
) -> None:
    before = checkout.files()

    calls = checkout.make(target, name, "a;touch x;`touch x` $(touch x) $(shell touch x)", origin)

    # pytest gets the words. The other two reject the value.
    assert len(calls) == (1 if target == "coverage" else 0)
    assert checkout.files() == before


@each_payload
def test_a_branch_with_special_characters_in_its_name_is_compared(
    tmp_path: Path, payload: str
) -> None:
    # git allows no space, no newline and no backslash in the name of a branch.
    branch = payload.replace(" ", "${IFS}").replace("\n", ";").replace("\\", "")
    root = tmp_path / "checkout"
    # A package without a public name is compared much faster than the real one.
    package = root / "overrides" / "leadconnector"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__all__: list[str] = []\n", encoding="utf-8")
    shutil.copytree(ROOT / "spec", root / "spec")
    shutil.copy(ROOT / "Makefile", root)
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["commit", "--quiet", "--message=One"],
        ["branch", branch],
    ):
        subprocess.run(["git", *settings, *arguments], cwd=root, check=True, timeout=60)
    before = sorted(root.rglob("*"))

    result = make(
        "diff",
        f"BASE={branch}",
        f"BIN={Path(sys.executable).parent}",
        "DEV=",
        cwd=root,
        PYTHONPATH=str(ROOT / "tools"),
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert f"Nothing changed from {branch}:spec/openapi.yaml" in result.stdout
    assert f"The public Python surface is as it was in {branch}." in result.stdout
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("options", [[], ["-e"]])
@pytest.mark.parametrize("origin", ["command line", "environment"])
@pytest.mark.parametrize("name", ["BASE", "BIN", "DEV", "DEMO", "RUN", "name", "variable"])
def test_make_itself_evaluates_no_variable(
    checkout: Checkout, name: str, origin: str, options: list[str]
) -> None:
    before = checkout.files()
    payload = "$(shell touch x)"
    if origin == "environment":
        make(*options, "help", cwd=checkout.root, **{name: payload})
    else:
        make(*options, "help", f"{name}={payload}", cwd=checkout.root)

    assert checkout.files() == before
