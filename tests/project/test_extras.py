"""An install without extras breaks nothing: each part that needs an extra names it when used."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from tests.support.environments import TIMEOUT, run

PythonWith = Callable[[str], Path]

OTHER_EXTRAS = ["", "drift", "redis"]
"""Extras without which the emulator does not work; the empty one is an install without extras."""

EMULATOR_MESSAGE = " is not installed: pip install 'leadconnector[emulator]'"
DRIFT_MESSAGE = " is not installed: pip install 'leadconnector[drift]'"


@dataclass(frozen=True)
class Result:
    """What a program did."""

    status: int
    output: str
    error_output: str


def result_of(*command: str | Path, cwd: Path) -> Result:
    """Run a program that may fail."""
    process = subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False
    )
    return Result(process.returncode, process.stdout, process.stderr)


def pytest_in(project: Path, python: Path, *options: str) -> Result:
    """Run pytest in a project. A warning is an error."""
    return result_of(
        *(python, "-I", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *options,
        cwd=project,
    )


OTHER_TESTS = """
def test_something_else():
    assert 1 + 1 == 2
"""

TESTS_WITH_FIXTURES = """
import pytest


@pytest.mark.parametrize("name", ["leadconnector_emulator", "leadconnector_client"])
def test_with_a_fixture(request, name):
    request.getfixturevalue(name)


def test_with_the_emulator(leadconnector_emulator):
    raise AssertionError("must not run")


def test_with_the_client(leadconnector_client):
    raise AssertionError("must not run")


def test_without_a_fixture():
    pass
"""

OVERRIDDEN_FIXTURE = """
import pytest

@pytest.fixture
def leadconnector_emulator():
    return "a fixture of the project"

def test_the_project_may_have_a_fixture_of_the_same_name(leadconnector_emulator):
    assert leadconnector_emulator == "a fixture of the project"
"""


class TestPytest:
    @pytest.mark.parametrize("extra", [*OTHER_EXTRAS, "emulator"])
    def test_the_tests_of_any_project_run_with_any_extra(
        self, python_with: PythonWith, extra: str, tmp_path: Path
    ) -> None:
        (tmp_path / "test_other.py").write_text(OTHER_TESTS + OVERRIDDEN_FIXTURE, encoding="utf-8")

        result = pytest_in(tmp_path, python_with(extra))

        assert (result.status, result.error_output) == (0, "")
        assert "2 passed" in result.output

    @pytest.mark.parametrize("extra", OTHER_EXTRAS)
    def test_a_test_that_uses_a_fixture_without_the_extra_fails_and_names_it(
        self, python_with: PythonWith, extra: str, tmp_path: Path
    ) -> None:
        (tmp_path / "test_service.py").write_text(TESTS_WITH_FIXTURES, encoding="utf-8")

        result = pytest_in(tmp_path, python_with(extra))

        assert (result.status, result.error_output) == (1, "")
        # Fixtures that a test requests as arguments fail before the test.
        assert "2 failed, 1 passed, 2 errors" in result.output
        lines = result.output.splitlines()
        assert sum(line.startswith("leadconnector_emulator: ") for line in lines) == 4
        assert result.output.count(EMULATOR_MESSAGE) >= 4
        assert "Traceback" not in result.output

    @pytest.mark.parametrize("extra", OTHER_EXTRAS)
    def test_the_fixtures_are_listed_without_the_extra(
        self, python_with: PythonWith, extra: str, tmp_path: Path
    ) -> None:
        result = pytest_in(tmp_path, python_with(extra), "--fixtures")

        assert result.status == 0
        assert "leadconnector_client" in result.output

    def test_the_plugin_imports_no_package_even_if_installed(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        code = "import sys, leadconnector_emulator.pytest_plugin; print(*sys.modules)"

        modules = set(run(python_with("emulator"), "-I", "-c", code, cwd=tmp_path).split())

        assert modules.isdisjoint({"yaml", "h11", "jsonschema_rs", "httpx", "leadconnector"})


def packages_with_main(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        paths = [PurePosixPath(name) for name in archive.namelist()]
    return [".".join(path.parts[:-1]) for path in paths if path.name == "__main__.py"]


LIST_PROGRAMS = """
import importlib.metadata
for entry_point in importlib.metadata.distribution("leadconnector").entry_points:
    if entry_point.group == "console_scripts":
        print(entry_point.name)
"""

RUN_PROGRAM = """
import importlib.metadata, sys
name = sys.argv.pop(1)
[program] = importlib.metadata.entry_points(group="console_scripts", name=name)
sys.exit(program.load()())
"""
"""What the script of an installed program does."""


def assert_names_extra(result: Result, messages: Iterable[str]) -> None:
    """Verify that a program printed one line and nothing else."""
    assert (result.status, result.output) == (2, "")
    [line] = result.error_output.splitlines()
    assert line.endswith(tuple(messages))


class TestPrograms:
    @pytest.mark.parametrize("arguments", [[], ["--help"], ["a.yaml", "b.yaml"]])
    def test_each_module_with_a_command_line_names_its_extra_in_one_line(
        self, python_with: PythonWith, wheel: Path, arguments: list[str], tmp_path: Path
    ) -> None:
        packages = packages_with_main(wheel)

        assert sorted(packages) == ["leadconnector_emulator", "specdrift"]
        for package in packages:
            result = result_of(python_with(""), "-I", "-m", package, *arguments, cwd=tmp_path)
            assert_names_extra(result, [EMULATOR_MESSAGE, DRIFT_MESSAGE])
            assert result.error_output.startswith(f"{package}: ")

    @pytest.mark.parametrize("arguments", [[], ["--help"], ["a.yaml", "b.yaml"]])
    def test_each_installed_program_names_its_extra_in_one_line(
        self, python_with: PythonWith, arguments: list[str], tmp_path: Path
    ) -> None:
        python = python_with("")
        programs = run(python, "-I", "-c", LIST_PROGRAMS, cwd=tmp_path).split()

        assert programs
        for program in programs:
            result = result_of(python, "-I", "-c", RUN_PROGRAM, program, *arguments, cwd=tmp_path)
            assert_names_extra(result, [DRIFT_MESSAGE])

    @pytest.mark.parametrize(
        ("extra", "package", "message"),
        [
            ("drift", "leadconnector_emulator", "jsonschema_rs" + EMULATOR_MESSAGE),
            ("emulator", "specdrift", "jinja2" + DRIFT_MESSAGE),
            ("redis", "leadconnector_emulator", EMULATOR_MESSAGE),
            ("redis", "specdrift", DRIFT_MESSAGE),
        ],
    )
    def test_another_extra_does_not_replace_the_one_of_a_program(
        self, python_with: PythonWith, extra: str, package: str, message: str, tmp_path: Path
    ) -> None:
        result = result_of(python_with(extra), "-I", "-m", package, cwd=tmp_path)

        assert_names_extra(result, [message])


IMPORT_EACH_MODULE = """
import importlib, pkgutil, sys
from leadconnector_emulator.extra import MissingExtraError
for name in ("leadconnector", "leadconnector_emulator", "specdrift"):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name, error.name)
"""

USE_EMULATOR_WITHOUT_EXTRA = """
import leadconnector_emulator
for name in leadconnector_emulator.__all__:
    try:
        getattr(leadconnector_emulator, name)
    except ImportError as error:
        assert not isinstance(error, ModuleNotFoundError)
        print(error)
    else:
        print(name, "needs nothing")
try:
    leadconnector_emulator.unknown
except AttributeError as error:
    print(error)
"""

USE_REDIS_WITHOUT_EXTRA = """
import sys
from typing import get_type_hints
from leadconnector import ConfigurationError, RedisRateLimit
get_type_hints(RedisRateLimit.__init__)
try:
    RedisRateLimit("redis://:password@localhost/0")
except ConfigurationError as error:
    print(error)
"""

COMPARE_WITHOUT_EXTRA = """
from specdrift import compare
document = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {}}}}}
print(len(compare(document, {**document, "paths": {}})))
"""


class TestImports:
    def test_every_module_of_the_client_imports_without_an_extra(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        output = run(python_with(""), "-I", "-W", "error", "-c", IMPORT_EACH_MODULE, cwd=tmp_path)

        missing_by_module = dict(line.split() for line in output.splitlines())
        assert not [name for name in missing_by_module if name.startswith("leadconnector.")]
        assert set(missing_by_module.values()) <= {"yaml", "jinja2", "jsonschema_rs"}

    def test_a_public_name_of_the_emulator_names_the_extra(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        output = run(python_with(""), "-I", "-c", USE_EMULATOR_WITHOUT_EXTRA, cwd=tmp_path)

        *lines, last_line = output.splitlines()
        assert last_line == "module 'leadconnector_emulator' has no attribute 'unknown'"
        assert any(line.endswith(EMULATOR_MESSAGE) for line in lines)
        assert all(line.endswith((EMULATOR_MESSAGE, "needs nothing")) for line in lines)

    def test_a_shared_rate_limit_names_the_extra(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        [line] = run(
            python_with(""), "-I", "-c", USE_REDIS_WITHOUT_EXTRA, cwd=tmp_path
        ).splitlines()

        assert "pip install 'leadconnector[redis]'" in line
        assert "password" not in line

    def test_documents_are_compared_in_python_without_the_extra(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        assert run(python_with(""), "-I", "-c", COMPARE_WITHOUT_EXTRA, cwd=tmp_path) == "1\n"
