"""`make vendor`: the copy is self-contained, works in any folder, and replaces no other code."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.make import clean_environment
from tests.support.paths import ROOT

TIMEOUT = 300
"""Seconds. A program takes much less; the limit keeps a failing test from hanging."""

# Runs without the module `site`, so that no `.pth` file adds this checkout to the path.
# Only the requirements of the client are importable.
ISOLATED_CODE = f"""
import sys
sys.path += sys.argv[1:] + [{sysconfig.get_path("purelib")!r}, {sysconfig.get_path("platlib")!r}]
import asyncio, importlib.util, json, pickle
assert importlib.util.find_spec("leadconnector") is None
import httpx

def respond(request):
    if request.headers["Authorization"] != "Bearer good":
        return httpx.Response(401, json={{"statusCode": 401, "message": "Invalid token"}})
    location_id = json.loads(request.content)["locationId"]
    conversation = {{"locationId": location_id, "contactId": "c", "deleted": False}}
    return httpx.Response(200, json={{"success": True, "conversation": conversation}})

transport = httpx.MockTransport(respond)

def use(package):
    with package.LeadConnector(token="good", transport=transport) as client:
        result = client.conversations.update_conversation("a", location_id="l")
    assert result == asyncio.run(use_async(package))
    assert result.conversation.location_id == "l"
    assert type(result).__module__.startswith(package.__name__ + ".")
    assert pickle.loads(pickle.dumps(result)) == result

async def use_async(package):
    async with package.AsyncLeadConnector(token="good", transport=transport) as client:
        return await client.conversations.update_conversation("a", location_id="l")

def error_of(package):
    with package.LeadConnector(token="bad", transport=transport) as client:
        try:
            client.conversations.update_conversation("a", location_id="l")
        except package.AuthenticationError as error:
            assert error.messages == ["Invalid token"]
            return error
"""

CONSUMER = """
from typing import assert_type

from app._vendor.leadconnector import AuthenticationError, LeadConnector, RedisRateLimit, Unset
from app._vendor.leadconnector.models import Conversation, UpdateConversationResponse


def create_client() -> LeadConnector:
    return LeadConnector(token="t", rate_limit=RedisRateLimit("redis://localhost"))


def star(client: LeadConnector) -> Conversation | None:
    try:
        result = client.conversations.update_conversation(
            "a", location_id="l", starred=True, feedback={"rating": 5}
        )
    except AuthenticationError as error:
        assert_type(error.messages, list[str])
        return None
    assert_type(result, UpdateConversationResponse)
    if isinstance(result.conversation, Unset):
        return None
    assert_type(result.conversation.location_id, str | Unset)
    assert_type(result.conversation.starred, bool | Unset)
    return result.conversation
"""


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program. The variables of a `make test` around this test are removed."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def vendor(destination: str | Path, checkout: Path = ROOT) -> Path:
    """Vendor the client and return the path of the copy."""
    result = run("make", "vendor", f"DEST={destination}", cwd=checkout)
    assert (result.returncode, result.stderr) == (0, "")
    # Over another copy, a report of the upgrade precedes the path.
    assert result.stdout.splitlines()[-1] == f"{destination}/leadconnector"
    return checkout / destination / "leadconnector"


def rejection(destination: str | Path, checkout: Path = ROOT) -> str:
    """The error message of `make vendor` for an invalid destination."""
    result = run("make", "vendor", f"DEST={destination}", cwd=checkout)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, without caches. Links to folders are not followed."""
    files: dict[str, bytes] = {}
    for parent, _, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        if any(part == "__pycache__" or part.startswith(".") for part in relative.parts):
            continue
        for name in names:
            files[(relative / name).as_posix()] = Path(parent, name).read_bytes()
    return files


def run_isolated(code: str, folder: Path) -> None:
    """Run Python code that can import packages in a folder, but not those of this checkout."""
    program = ISOLATED_CODE + code
    options = ["-I", "-S", "-W", "error"]
    result = run(sys.executable, *options, "-c", program, folder, cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package `app` that has vendored the client."""
    folder = tmp_path_factory.mktemp("vendoring")
    (folder / "app" / "_vendor").mkdir(parents=True)
    (folder / "app" / "__init__.py").touch()
    (folder / "app" / "_vendor" / "__init__.py").touch()
    vendor(folder / "app" / "_vendor")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that vendoring reads, with links as links."""
    folder = tmp_path / "checkout"
    for name in ("overrides", "generated", "tools/project"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def test_the_copy_is_the_client_with_the_generated_code_inside(app: Path) -> None:
    copy = app / "app" / "_vendor" / "leadconnector"
    generated = {f"_generated/{name}": data for name, data in tree(ROOT / "generated").items()}
    assert tree(copy) == tree(ROOT / "overrides" / "leadconnector") | generated
    for name in ("py.typed", "_generated/py.typed", "_generated/contract.json"):
        assert (copy / name).is_file()


def test_the_copy_has_no_links_and_no_caches(checkout: Path, tmp_path: Path) -> None:
    for folder in ("overrides/leadconnector", "generated", "generated/models"):
        for cache in (
            "__pycache__/module.cpython-311.pyc",
            ".ruff_cache/cache",
            ".mypy_cache/cache.json",
        ):
            (checkout / folder / cache).parent.mkdir(exist_ok=True)
            (checkout / folder / cache).touch()
    paths = list(vendor(tmp_path / "vendored", checkout).rglob("*"))
    assert not [path for path in paths if path.is_symlink()]
    assert {path.suffix if path.is_file() else path.name for path in paths} == {
        *(".py", ".json", ".lua", ".typed"),
        *("_generated", "_runtime", "api", "conversations", "http", "models", "oauth"),
        "rate_limit",
    }


def test_the_copy_imports_only_its_requirements_and_itself_relatively(app: Path) -> None:
    copy = app / "app" / "_vendor" / "leadconnector"
    imported: set[str] = set()
    for path in copy.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes(), path)):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= len(path.relative_to(copy).parts), (
                    f"{path}:{node.lineno} leaves the package"
                )
    # redis-py is imported by name where it is used, so that type checkers do not look for it.
    # httpx requires httpcore, and httpcore requires h11.
    assert imported - sys.stdlib_module_names == {"attrs", "h11", "httpcore", "httpx"}


def test_the_copy_works_in_another_package_without_an_installed_client(app: Path) -> None:
    code = """
    import app._vendor.leadconnector as package
    use(package)
    assert isinstance(error_of(package), package.LeadConnectorError)
    assert "leadconnector" not in sys.modules
    """
    run_isolated(code.replace("\n    ", "\n"), app)


def test_two_copies_in_one_process_have_separate_exceptions(tmp_path: Path) -> None:
    for name in ("app_a", "app_b"):
        vendor(tmp_path / name / "_vendor")
    code = """
    import app_a._vendor.leadconnector as a
    import app_b._vendor.leadconnector as b
    use(a)
    use(b)
    assert a.AuthenticationError is not b.AuthenticationError
    assert isinstance(error_of(a), a.AuthenticationError)
    assert not isinstance(error_of(a), b.LeadConnectorError)
    assert isinstance(error_of(b), b.AuthenticationError)
    assert not isinstance(error_of(b), a.LeadConnectorError)
    """
    run_isolated(code.replace("\n    ", "\n"), tmp_path)


@pytest.mark.parametrize("extra", ["", "redis"])
class TestStrictTypes:
    """A service type-checks its vendored copy too, with its own checker, with or without Redis."""

    def test_mypy_finds_no_error(
        self, app: Path, python_with: Callable[[str], Path], extra: str, tmp_path: Path
    ) -> None:
        (app / "consumer.py").write_text(CONSUMER, encoding="utf-8")
        options = [
            "--strict",
            "--config-file=",
            f"--python-executable={python_with(extra)}",
            f"--cache-dir={tmp_path}",
        ]
        result = run(sys.executable, "-m", "mypy", *options, "consumer.py", "app", cwd=app)
        assert result.stdout.startswith("Success: no issues found in ")
        assert result.returncode == 0

    def test_pyright_finds_no_error(
        self, app: Path, python_with: Callable[[str], Path], extra: str
    ) -> None:
        (app / "consumer.py").write_text(CONSUMER, encoding="utf-8")
        settings = {"include": ["consumer.py", "app"], "typeCheckingMode": "strict"}
        (app / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        options: list[str | Path] = ["--project", app, "--pythonpath", python_with(extra)]
        result = run(sys.executable, "-m", "pyright", *options, cwd=app)
        assert result.stdout == "0 errors, 0 warnings, 0 informations\n"
        assert result.returncode == 0


def test_the_copy_itself_passes_pyright_in_strict_mode(app: Path) -> None:
    settings = {
        "include": ["app"],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    (app / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = ["-m", "pyright", "--pythonpath", sys.executable]
    result = run(sys.executable, *command, cwd=app)
    assert (result.returncode, result.stdout) == (0, "0 errors, 0 warnings, 0 informations\n")


def test_the_destination_may_be_relative_to_the_checkout(checkout: Path, tmp_path: Path) -> None:
    assert (
        vendor("src/app/_vendor", checkout)
        == checkout / "src" / "app" / "_vendor" / "leadconnector"
    )
    assert tree(checkout / "src" / "app" / "_vendor" / "leadconnector") == tree(
        vendor(tmp_path / "absolute")
    )
    assert (vendor("../outside", checkout) / "py.typed").is_file()
    assert (tmp_path / "outside" / "leadconnector" / "py.typed").is_file()


def test_the_name_of_the_destination_may_contain_a_space(app: Path, tmp_path: Path) -> None:
    assert tree(vendor(tmp_path / "a folder" / "a package")) == tree(
        app / "app" / "_vendor" / "leadconnector"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a folder"]


def test_vendoring_works_if_git_checked_links_out_as_text(
    app: Path, checkout: Path, tmp_path: Path
) -> None:
    link = checkout / "overrides" / "leadconnector" / "_generated"
    target = os.readlink(link)
    link.unlink()
    link.write_text(target, encoding="utf-8")
    assert tree(vendor(tmp_path / "vendored", checkout)) == tree(
        app / "app" / "_vendor" / "leadconnector"
    )
    assert link.read_text(encoding="utf-8") == target


def test_vendoring_again_removes_stale_files_of_the_copy_only(tmp_path: Path) -> None:
    copy = vendor(tmp_path)
    expected = tree(copy)
    (copy / "_generated" / "models" / "stale.py").touch()
    (copy / "stale").mkdir()
    (copy / "stale" / "__init__.py").touch()
    (copy / "errors.py").write_text("changed = True\n", encoding="utf-8")
    (tmp_path / "other.py").touch()
    assert tree(vendor(tmp_path)) == expected
    assert not (copy / "stale").exists()
    assert (tmp_path / "other.py").exists()


@pytest.mark.parametrize("arguments", [[], ["DEST="]])
def test_without_a_destination_the_usage_is_printed(checkout: Path, arguments: list[str]) -> None:
    before = tree(checkout)
    result = run("make", "vendor", *arguments, cwd=checkout)
    assert result.returncode == 2
    assert "usage: make vendor DEST=DIRECTORY\n" in result.stderr
    assert tree(checkout) == before


def test_a_folder_that_is_not_a_copy_of_the_client_is_not_changed(tmp_path: Path) -> None:
    foreign = tmp_path / "leadconnector"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("ours = True\n", encoding="utf-8")
    message = f"{foreign} is not a copy that `make vendor` made: it was not changed\n"
    assert message in rejection(tmp_path)
    assert tree(tmp_path) == {"leadconnector/__init__.py": b"ours = True\n"}


def test_a_file_in_the_place_of_the_copy_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "leadconnector").write_text("ours", encoding="utf-8")
    assert "is not a copy that `make vendor` made" in rejection(tmp_path)
    assert (tmp_path / "leadconnector").read_text(encoding="utf-8") == "ours"


@pytest.mark.parametrize("link", ["as a link", "as text"])
def test_the_source_of_the_client_is_not_changed(checkout: Path, link: str) -> None:
    generated = checkout / "overrides" / "leadconnector" / "_generated"
    if link == "as text":
        target = os.readlink(generated)
        generated.unlink()
        generated.write_text(target, encoding="utf-8")
    before = tree(checkout)
    assert "is not a copy that `make vendor` made" in rejection("overrides", checkout)
    assert tree(checkout) == before
    assert generated.is_symlink() == (link == "as a link")
