"""An incomplete installation breaks nothing: each part names what it needs when it is used.

`pip install --no-deps` makes such an installation, and so does a checkout on `PYTHONPATH`.
"""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests.support.environments import (
    TIMEOUT,
    create_environment,
    packages_folder,
    run,
    unpacked,
)

PythonWith = Callable[..., Path]
PythonWithout = Callable[[str], Path]

CLIENT = "leadconnector"
EMULATOR = "leadconnector-emulator"
SPECDRIFT = "specdrift"

MESSAGES = {
    CLIENT: " is not installed: pip install 'attrs>=23.1' 'httpx>=0.28,<0.29' 'sniffio>=1.3'",
    EMULATOR: " is not installed: pip install"
    " 'h11>=0.14' 'httpx>=0.28,<0.29' 'jsonschema-rs>=0.49.9' 'pyyaml>=6.0.1'",
    SPECDRIFT: " is not installed: pip install 'httpx>=0.28,<0.29' 'jinja2>=3.1' 'pyyaml>=6.0.1'",
}
"""The end of the message of each distribution about a missing requirement."""


@pytest.fixture(scope="session")
def python_without_requirements(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> PythonWithout:
    """Returns the Python of an environment with one distribution and pytest, and nothing else."""

    @cache
    def python_with_distribution(name: str) -> Path:
        environment = tmp_path_factory.mktemp("incomplete") / "installed"
        python = create_environment(environment, ["pytest"])
        unpacked(wheels[name], packages_folder(environment))
        return python

    return python_with_distribution


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
    def test_the_tests_of_any_project_run_without_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        (tmp_path / "test_other.py").write_text(OTHER_TESTS + OVERRIDDEN_FIXTURE, encoding="utf-8")

        result = pytest_in(tmp_path, python_without_requirements(EMULATOR))

        assert (result.status, result.error_output) == (0, "")
        assert "2 passed" in result.output

    def test_a_test_that_uses_a_fixture_without_the_requirements_fails_and_names_them(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        (tmp_path / "test_service.py").write_text(TESTS_WITH_FIXTURES, encoding="utf-8")

        result = pytest_in(tmp_path, python_without_requirements(EMULATOR))

        assert (result.status, result.error_output) == (1, "")
        # Fixtures that a test requests as arguments fail before the test.
        assert "2 failed, 1 passed, 2 errors" in result.output
        lines = result.output.splitlines()
        assert sum(line.startswith("leadconnector_emulator: ") for line in lines) == 2
        assert result.output.count(MESSAGES[EMULATOR]) >= 2
        # The client is not installed either. Its fixture comes first, since its scope is larger.
        assert sum(line.startswith("leadconnector_class: ") for line in lines) == 2
        assert "Traceback" not in result.output

    def test_the_fixtures_are_listed_without_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        result = pytest_in(tmp_path, python_without_requirements(EMULATOR), "--fixtures")

        assert result.status == 0
        assert "leadconnector_client" in result.output

    @pytest.mark.parametrize("name", ["leadconnector", SPECDRIFT])
    def test_the_other_distributions_change_nothing_in_pytest(
        self, python_with: PythonWith, name: str, tmp_path: Path
    ) -> None:
        (tmp_path / "test_other.py").write_text(OTHER_TESTS, encoding="utf-8")
        python = python_with(name)

        assert "1 passed" in pytest_in(tmp_path, python).output
        assert "leadconnector" not in pytest_in(tmp_path, python, "--fixtures").output

    def test_the_plugin_imports_no_package_even_if_installed(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        python = python_with("leadconnector", EMULATOR)
        code = "import sys, leadconnector_emulator.pytest_plugin; print(*sys.modules)"

        modules = set(run(python, "-I", "-c", code, cwd=tmp_path).split())

        assert modules.isdisjoint({"yaml", "h11", "jsonschema_rs", "httpx", "leadconnector"})


def packages_with_main(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        paths = [PurePosixPath(name) for name in archive.namelist()]
    return [".".join(path.parts[:-1]) for path in paths if path.name == "__main__.py"]


class TestVendoring:
    def test_the_client_is_copied_and_verified_without_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        program = (python_without_requirements(CLIENT), "-I", "-W", "error", "-m", CLIENT)

        copied = result_of(*program, "vendor", "_vendor", cwd=tmp_path)
        verified = result_of(*program, "verify", cwd=tmp_path)

        assert (copied.status, copied.error_output) == (0, "")
        assert copied.output == "_vendor/leadconnector\n"
        assert (verified.status, verified.error_output) == (0, "")
        assert "files are unchanged." in verified.output


RUN_PROGRAM = """
import importlib.metadata, sys
[program] = importlib.metadata.entry_points(group="console_scripts", name=sys.argv.pop(1))
sys.exit(program.load()())
"""
"""What the script of an installed program does."""


def assert_names_requirements(result: Result, name: str) -> None:
    """Verify that a program printed one line about the distribution, and nothing else."""
    assert (result.status, result.output) == (2, "")
    [line] = result.error_output.splitlines()
    assert line.startswith(f"{name.replace('-', '_')}: ")
    assert line.endswith(MESSAGES[name])


@pytest.mark.parametrize("arguments", [[], ["--help"], ["a.yaml", "b.yaml"]])
@pytest.mark.parametrize("name", [EMULATOR, SPECDRIFT])
class TestPrograms:
    def test_each_module_with_a_command_line_names_its_requirements_in_one_line(
        self,
        python_without_requirements: PythonWithout,
        wheels: dict[str, Path],
        name: str,
        arguments: list[str],
        tmp_path: Path,
    ) -> None:
        [package] = packages_with_main(wheels[name])

        python = python_without_requirements(name)
        result = result_of(python, "-I", "-m", package, *arguments, cwd=tmp_path)

        assert_names_requirements(result, name)

    def test_the_installed_program_names_its_requirements_in_one_line(
        self,
        python_without_requirements: PythonWithout,
        name: str,
        arguments: list[str],
        tmp_path: Path,
    ) -> None:
        python = python_without_requirements(name)
        result = result_of(python, "-I", "-c", RUN_PROGRAM, name, *arguments, cwd=tmp_path)

        assert_names_requirements(result, name)


IMPORT_EACH_MODULE = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{sys.argv[1]}."):
    importlib.import_module(module.name)
    print(module.name)
"""

USE_EMULATOR_WITHOUT_REQUIREMENTS = """
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

USE_CLIENT_WITHOUT_REQUIREMENTS = """
import importlib, sys
package = importlib.import_module(sys.argv[1])
for name in sorted({*package.__all__, *package._PUBLIC_MODULES}):
    try:
        getattr(package, name)
    except ImportError as error:
        assert isinstance(error, ModuleNotFoundError)
        assert error.name in {'attrs', 'httpx'}
        print(error)
    else:
        print(name, "needs nothing")
try:
    from leadconnector.models import Conversation
except ImportError as error:
    print(error)
try:
    package.unknown
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

COMPARE_WITHOUT_REQUIREMENTS = """
from specdrift import compare
document = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {}}}}}
print(len(compare(document, {**document, "paths": {}})))
"""


class TestImports:
    @pytest.mark.parametrize(
        ("name", "module"),
        [
            ("leadconnector", "leadconnector.rate_limit.redis_script"),
            (SPECDRIFT, "specdrift.loading.sources"),
        ],
    )
    def test_every_module_imports_with_the_requirements(
        self, python_with: PythonWith, name: str, module: str, tmp_path: Path
    ) -> None:
        python = python_with(name)

        output = run(python, "-I", "-W", "error", "-c", IMPORT_EACH_MODULE, name, cwd=tmp_path)

        assert module in output.split()

    def test_every_module_of_the_emulator_imports_without_the_client(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        python = python_with(EMULATOR)
        package = "leadconnector_emulator"

        output = run(python, "-I", "-W", "error", "-c", IMPORT_EACH_MODULE, package, cwd=tmp_path)

        assert "leadconnector_emulator.pytest_plugin" in output.split()

    def test_a_public_name_of_the_emulator_names_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        python = python_without_requirements(EMULATOR)

        output = run(python, "-I", "-c", USE_EMULATOR_WITHOUT_REQUIREMENTS, cwd=tmp_path)

        *lines, last_line = output.splitlines()
        assert last_line == "module 'leadconnector_emulator' has no attribute 'unknown'"
        assert any(line.endswith(MESSAGES[EMULATOR]) for line in lines)
        assert all(line.endswith((MESSAGES[EMULATOR], "needs nothing")) for line in lines)

    def test_a_public_name_of_the_client_names_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        python = python_without_requirements(CLIENT)

        output = run(
            *(python, "-I", "-W", "error", "-c", USE_CLIENT_WITHOUT_REQUIREMENTS, CLIENT),
            cwd=tmp_path,
        )

        *lines, last_line = output.splitlines()
        assert last_line == "module 'leadconnector' has no attribute 'unknown'"
        assert lines[-1].startswith("leadconnector: attr")
        messages = [line for line in lines if line.startswith("leadconnector: ")]
        assert len(messages) > 10
        assert all(line.endswith(MESSAGES[CLIENT]) for line in messages)
        assert all(line.endswith("needs nothing") for line in set(lines) - set(messages))

    @pytest.mark.parametrize("installed", ["attrs", "httpx"])
    def test_a_copy_names_itself_and_the_requirement_that_is_missing(
        self, wheel: Path, installed: str, tmp_path: Path
    ) -> None:
        environment = tmp_path / "environment"
        python = create_environment(environment, [installed])
        service = tmp_path / "service"
        unpacked(wheel, service / "_vendor")
        code = "from service._vendor.leadconnector import LeadConnector"

        result = result_of(
            *(python, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"),
            cwd=tmp_path,
        )

        [last_line] = result.error_output.splitlines()[-1:]
        missing = {"attrs": "httpx", "httpx": "attrs"}[installed]
        assert last_line == (
            f"ModuleNotFoundError: service._vendor.leadconnector: {missing}{MESSAGES[CLIENT]}"
        )
        # The error of Python is not repeated.
        assert result.error_output.count("Traceback") == 1

    def test_the_client_works_without_sniffio(self, wheel: Path, tmp_path: Path) -> None:
        environment = tmp_path / "environment"
        python = create_environment(environment, ["attrs", "httpx"])
        unpacked(wheel, packages_folder(environment))
        code = "from leadconnector import LeadConnector; LeadConnector(token='t').close()"

        assert run(python, "-I", "-W", "error", "-c", code, cwd=tmp_path) == ""

    def test_a_shared_rate_limit_says_how_to_install_redis(
        self, python_with: PythonWith, tmp_path: Path
    ) -> None:
        python = python_with("leadconnector")

        [line] = run(python, "-I", "-c", USE_REDIS_WITHOUT_EXTRA, cwd=tmp_path).splitlines()

        assert "pip install 'redis>=6.0'" in line
        assert "password" not in line

    def test_documents_are_compared_in_python_without_the_requirements(
        self, python_without_requirements: PythonWithout, tmp_path: Path
    ) -> None:
        python = python_without_requirements(SPECDRIFT)

        assert run(python, "-I", "-c", COMPARE_WITHOUT_REQUIREMENTS, cwd=tmp_path) == "1\n"
