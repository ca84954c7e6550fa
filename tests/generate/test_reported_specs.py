"""Specs like those in bug reports about generators give a client that works, or a clear error.

The folder `reported` contains the cases. Each is a spec of our own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from generate.__main__ import main

from tests.generate.packages import ClientPackage, loaded_client
from tests.generate.reported.case import Case, Reading, Rejected, compose, compose_rejected
from tests.generate.reported.themes import REJECTED, THEMES
from tests.generate.reported.trial import run_case

LoadPackage = Callable[[str, Case], ClientPackage]

ACCEPTED = [(theme, case) for theme, cases in THEMES.items() for case in cases]
TYPED = [(theme, case) for theme, case in ACCEPTED if case.types and not case.fault]


def with_marks(parameter: Any, key: str, fault: str) -> Any:
    """A parameter of a test, which is expected to fail if it has a fault."""
    marks = [pytest.mark.xfail(reason=fault, strict=True)] if fault else []
    return pytest.param(parameter, id=key, marks=marks)


@pytest.fixture(scope="module", name="load")
def package_loader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadPackage]:
    """Generates the client of a theme, without the cases that fail, or of one that fails."""
    packages: dict[str, ClientPackage] = {}
    with ExitStack() as stack:

        def load(theme: str, case: Case) -> ClientPackage:
            name = f"reported_{theme}"
            cases = [other for other in THEMES[theme] if not other.fault]
            if case.fault:
                name = f"{name}_{case.key}"
                cases = [case]
            if name not in packages:
                folder = tmp_path_factory.mktemp(name)
                packages[name] = stack.enter_context(loaded_client(compose(cases), folder, name))
            return packages[name]

        yield load


@pytest.mark.parametrize(
    "place",
    [with_marks((theme, case), f"{theme}-{case.key}", case.fault) for theme, case in ACCEPTED],
)
def test_the_client_sends_and_returns_what_a_user_expects(
    place: tuple[str, Case], load: LoadPackage
) -> None:
    theme, case = place
    run_case(load(theme, case), case)


CONSUMER_HEAD = """
import datetime
from typing import Any, Literal, assert_type
from uuid import UUID

from PACKAGE.api.things import Things
from PACKAGE.models import *
from PACKAGE.types import File, Unset

def use(things: Things) -> None:
"""


def consumer(case: Case, package: str) -> str:
    """Code that is only valid with the types that a case expects."""
    first = case.checks[0]
    arguments = first.arguments if isinstance(first, Reading) else ""
    lines = [f"    value = things.{case.method or case.key}({arguments})"]
    for expression, expected_type in case.types.items():
        if "." in expression:
            lines.append("    assert value and not isinstance(value, (list, str, int, float))")
        lines.append(f"    assert_type({expression}, {expected_type})")
    return CONSUMER_HEAD.replace("PACKAGE", package) + "\n".join(lines) + "\n"


@pytest.fixture(scope="module", name="mypy_lines")
def mypy_output(load: LoadPackage, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy prints about the consumers of all cases, in strict mode."""
    folder = tmp_path_factory.mktemp("types")
    for theme, case in TYPED:
        package = load(theme, case)
        # Alone: the types do not depend on the hand-written client, which takes long to check.
        link = folder / f"generated_{theme}"
        if not link.exists():
            link.symlink_to(package.folder / package.name / "_generated")
        file = folder / f"use_{case.key}.py"
        file.write_text(consumer(case, link.name), encoding="utf-8")
    options = ["--strict", "--config-file=", "--cache-dir", str(folder / "cache"), "--no-pretty"]
    files = [f"use_{case.key}.py" for _, case in TYPED]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--no-error-summary", *files],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize("place", [pytest.param(place, id=place[1].key) for place in TYPED])
def test_the_static_types_are_what_a_user_expects(
    place: tuple[str, Case], mypy_lines: list[str]
) -> None:
    theme, case = place
    prefixes = (f"use_{case.key}.py:", f"generated_{theme}/")
    assert [line for line in mypy_lines if line.startswith(prefixes)] == []


@pytest.mark.parametrize("case", [with_marks(case, case.key, case.fault) for case in REJECTED])
def test_a_spec_that_would_give_a_broken_client_is_rejected_with_its_line(
    case: Rejected, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(compose_rejected(case), encoding="utf-8")

    status = main(["--spec", str(spec), "--output", str(tmp_path / "output")])

    assert status == 1
    lines = spec.read_text(encoding="utf-8").splitlines()
    number = next(
        i for i, line in enumerate(lines, 1) if line.lstrip("- ").startswith(case.at.lstrip("- "))
    )
    errors = capsys.readouterr().err.splitlines()
    assert [
        error for error in errors if f"spec.yaml:{number}:" in error and case.message in error
    ], errors


def test_every_case_has_a_key_of_its_own() -> None:
    keys = [case.key for _, case in ACCEPTED] + [case.key for case in REJECTED]
    assert len(set(keys)) == len(keys)
    assert len(keys) > 100
