"""A service vendors the client, in an environment with only the requirements of the client."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import tomllib
from glob import glob
from pathlib import Path

import pytest
from leadconnector_emulator import Emulator, Server

from tests.support.calling import TOKEN
from tests.support.environments import copy_distribution, distributions_for
from tests.support.paths import ROOT
from tests.support.vendoring import copy_sources, run, set_version, tree, vendor

REQUIREMENTS = ["attrs", "httpx", "sniffio"]

MAIN = '''"""Sets the number of unread messages of a conversation, with both clients."""

from __future__ import annotations

import asyncio
import sys

from service._vendor.leadconnector import (
    AsyncLeadConnector,
    BadRequestError,
    LeadConnector,
    Unset,
    __version__,
)
from service._vendor.leadconnector.models import UpdateConversationResponse


def unread_count(response: UpdateConversationResponse) -> float | None:
    """The number in a response."""
    if isinstance(response.conversation, Unset) or isinstance(
        response.conversation.unread_count, Unset
    ):
        return None
    return response.conversation.unread_count


def update(conversation_id: str, location_id: str) -> float | None:
    """Update a conversation. None if there is no such conversation."""
    with LeadConnector() as client:
        try:
            response = client.conversations.update_conversation(
                conversation_id, location_id=location_id, unread_count=3
            )
        except BadRequestError:
            return None
    return unread_count(response)


async def update_async(conversation_id: str, location_id: str) -> float | None:
    """Update a conversation without blocking."""
    async with AsyncLeadConnector() as client:
        response = await client.conversations.update_conversation(
            conversation_id, location_id=location_id, unread_count=4
        )
    return unread_count(response)


def main() -> None:
    """Print the numbers."""
    conversation_id, location_id = sys.argv[1:]
    print(update(conversation_id, location_id))
    print(asyncio.run(update_async(conversation_id, location_id)))
    print(update("missing", location_id))
    print(__version__)


if __name__ == "__main__":
    main()
'''

BOTH_VERSIONS = '''"""Uses both versions of the client in one process."""

from __future__ import annotations

import sys

from service import main, main_next
from service._vendor import leadconnector
from service._vendor_next import leadconnector as leadconnector_next


def main_of_both() -> None:
    """Print the versions, and let each client raise its exception."""
    conversation_id, location_id = sys.argv[1:]
    print(leadconnector.__version__, main.update(conversation_id, location_id))
    print(leadconnector_next.__version__, main_next.update(conversation_id, location_id))
    with leadconnector_next.LeadConnector(token="wrong") as client:
        try:
            client.conversations.update_conversation(conversation_id, location_id=location_id)
        except leadconnector.LeadConnectorError:
            print("the exception of the other version")
        except leadconnector_next.AuthenticationError as error:
            print(type(error).__module__)


if __name__ == "__main__":
    main_of_both()
'''

NEXT_VERSION = "9.0.0"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the requirements of the client and nothing else."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    result = run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    values = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", values))
    for name in distributions_for(REQUIREMENTS):
        copy_distribution(name, packages)
    return Path(sysconfig.get_path("scripts", "venv", values)) / Path(sys.executable).name


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with two versions of the copy."""
    root = tmp_path_factory.mktemp("service")
    package = root / "src" / "service"
    package.mkdir(parents=True)
    checkout = copy_sources(tmp_path_factory.mktemp("next") / "checkout")
    set_version(checkout, NEXT_VERSION)
    vendor(package / "_vendor")
    vendor(package / "_vendor_next", checkout)
    for folder in ("", "_vendor", "_vendor_next"):
        (package / folder / "__init__.py").touch()
    (package / "main.py").write_text(MAIN, encoding="utf-8")
    (package / "main_next.py").write_text(
        MAIN.replace("service._vendor.", "service._vendor_next."), encoding="utf-8"
    )
    (package / "both.py").write_text(BOTH_VERSIONS, encoding="utf-8")
    return root


def run_module(
    python: Path, service: Path, module: str, *arguments: str, server: Server | None = None
) -> str:
    """Run a module of the service, and return its output."""
    environment = {"PYTHONPATH": str(service / "src")}
    if server is not None:
        environment |= {"LEADCONNECTOR_BASE_URL": server.url, "LEADCONNECTOR_TOKEN": TOKEN}
    command = [str(python), "-W", "error", "-m", module, *arguments]
    result = run(*command, cwd=service, **environment)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_the_environment_has_only_the_requirements(python: Path) -> None:
    names = ["leadconnector", "leadconnector_emulator", "yaml", "jsonschema", "pydantic", "pytest"]
    code = (
        "import sys; from importlib.util import find_spec; print([*map(find_spec, sys.argv[1:])])"
    )
    result = run(python, "-I", "-c", code, *names, cwd=python.parent)
    assert result.stdout == f"{[None] * len(names)}\n"


def test_the_service_updates_a_conversation(
    python: Path, service: Path, server: Server, emulator: Emulator
) -> None:
    example = emulator.example
    arguments = [example["id"], example["locationId"]]
    version = vars(sys.modules["leadconnector"])["__version__"]
    for module, module_version in (("main", version), ("main_next", NEXT_VERSION)):
        output = run_module(python, service, f"service.{module}", *arguments, server=server)
        assert output.split() == ["3", "4", "None", module_version]
    conversation = emulator.get("conversations", example["id"])
    assert conversation is not None
    assert conversation["unreadCount"] == 4


def test_two_versions_of_the_copy_work_in_one_process(
    python: Path, service: Path, server: Server, emulator: Emulator
) -> None:
    example = emulator.example
    arguments = [example["id"], example["locationId"]]
    output = run_module(python, service, "service.both", *arguments, server=server)
    version = vars(sys.modules["leadconnector"])["__version__"]
    assert output.splitlines() == [
        f"{version} 3",
        f"{NEXT_VERSION} 3",
        "service._vendor_next.leadconnector.errors",
    ]


@pytest.mark.parametrize("folder", ["_vendor", "_vendor_next"])
def test_each_copy_verifies_after_its_use(python: Path, service: Path, folder: str) -> None:
    module = f"service.{folder}.leadconnector"
    assert "files are unchanged." in run_module(python, service, module, "verify")


def test_a_copy_verifies_without_any_dependency(service: Path) -> None:
    result = run(
        *(sys.executable, "-S", "-B", "-m", "service._vendor.leadconnector", "verify"),
        cwd=service / "src",
    )
    assert (result.returncode, result.stderr) == (0, "")
    result = run(
        *(sys.executable, "-S", "-B", "-m", "leadconnector", "verify"),
        cwd=service / "src" / "service" / "_vendor",
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_mypy_finds_no_error_in_the_whole_tree(python: Path, service: Path, tmp_path: Path) -> None:
    options = ["--strict", "--config-file=", f"--python-executable={python}"]
    cache = f"--cache-dir={tmp_path}"
    result = run(
        *(sys.executable, "-m", "mypy", *options, cache, "-p", "service"), cwd=service / "src"
    )
    assert result.stdout.startswith("Success: no issues found in ")
    assert result.returncode == 0


def test_pyright_finds_no_error_in_the_whole_tree(python: Path, service: Path) -> None:
    settings = {"include": ["src"], "extraPaths": ["src"], "typeCheckingMode": "strict"}
    (service / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = (sys.executable, "-m", "pyright", "--stats", "--pythonpath", python)
    result = run(*command, cwd=service)
    lines = result.stdout.splitlines()
    assert "0 errors, 0 warnings, 0 informations" in lines
    (checked,) = [line for line in lines if line.startswith("Total files checked: ")]
    assert int(checked.rpartition(" ")[2]) == len([*(service / "src").rglob("*.py")])
    assert result.returncode == 0


def test_the_documented_settings_of_setuptools_name_every_file(service: Path) -> None:
    settings = tomllib.loads(documented_settings("setuptools"))
    ((package, patterns),) = settings["tool"]["setuptools"]["package-data"].items()
    copy = service.joinpath("src", *package.split("."))
    # setuptools looks for patterns in the same way: hidden files and folders do not match `*`.
    matches = {
        copy / name for pattern in patterns for name in glob(pattern, root_dir=copy, recursive=True)
    }
    assert (copy / "_generated" / "contract.json") in matches
    assert {copy / name for name in tree(copy)} <= matches


def test_the_copy_verifies_from_the_root_of_the_service_with_its_sources_in_the_path(
    service: Path,
) -> None:
    command = [sys.executable, "-S", "-B", "-m", "service._vendor.leadconnector", "verify"]
    result = run(*command, cwd=service, PYTHONPATH="src")
    assert (result.returncode, result.stderr) == (0, "")


COMMANDS = {
    "ruff": ["ruff", "check", "--no-cache", "--output-format=concise", "."],
    "ruff format": ["ruff", "format", "--no-cache", "--check", "."],
    "ruff with names of files": [
        *("ruff", "check", "--no-cache", "--output-format=concise", "src/service/faults.py"),
        "src/service/_vendor/leadconnector/faults.py",
    ],
    "mypy": ["mypy", "--strict", "--package", "service"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}


def documented_settings(*tools: str) -> str:
    """The settings of these tools in docs/vendoring.md."""
    text = (ROOT / "docs" / "vendoring.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (block,) = [
        block for block in blocks if set(tomllib.loads(block).get("tool", ())) == set(tools)
    ]
    return str(block)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with the same faults in its own code and in the copy.

    The copy is no more than these faults, so that the tools are fast.
    """
    root = tmp_path_factory.mktemp("project")
    package = root / "src" / "service"
    copy = package / "_vendor" / "leadconnector"
    copy.mkdir(parents=True)
    for folder in (package, copy.parent, copy):
        (folder / "__init__.py").touch()
    faults = 'import os\ncount: int = "x"\n'
    (copy / "faults.py").write_text(faults, encoding="utf-8")
    (package / "faults.py").write_text(
        f"from service._vendor.leadconnector import faults\n\n{faults}print(faults.count)\n",
        encoding="utf-8",
    )
    return root


def report(project: Path, tool: str, settings: str) -> str:
    """What a tool prints for the project with these settings."""
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")
    environment = {"MYPYPATH": "src", "MYPY_CACHE_DIR": str(project / ".mypy_cache")}
    return run(sys.executable, "-m", *COMMANDS[tool], cwd=project, **environment).stdout


@pytest.mark.parametrize("tool", COMMANDS)
def test_with_the_documented_settings_a_tool_skips_the_copy(project: Path, tool: str) -> None:
    without_settings = report(project, tool, "")
    assert "src/service/faults.py" in without_settings
    assert "src/service/_vendor/leadconnector/faults.py" in without_settings

    with_settings = report(project, tool, documented_settings("ruff", "mypy", "pyright"))
    assert "src/service/faults.py" in with_settings
    assert "_vendor" not in with_settings
