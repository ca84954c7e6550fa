"""`make vendor`: the copy is self-contained, works in any folder, and replaces no other code."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.make import clean_environment, make
from tests.support.paths import ROOT
from tests.support.vendoring import copy_sources, rejection, run, run_program, tree, vendor, verify

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
    return copy_sources(tmp_path / "checkout")


def test_the_copy_is_the_client_with_the_generated_code_inside(app: Path) -> None:
    copy = app / "app" / "_vendor" / "leadconnector"
    generated = {f"_generated/{name}": data for name, data in tree(ROOT / "generated").items()}
    expected = tree(ROOT / "overrides" / "leadconnector") | generated
    # The link is the only entry of the source that is not in the copy.
    del expected["_generated"]
    expected["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files = tree(copy)
    manifest = json.loads(files.pop("_manifest.json"))
    assert files == expected
    assert manifest["files"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in expected.items()
    }
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
        *("", ".py", ".json", ".lua", ".typed"),
        *(
            "_command_line",
            "_generated",
            "_runtime",
            "_vendoring",
            "api",
            "conversations",
            "http",
            "models",
        ),
        *("oauth", "rate_limit", "webhooks"),
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
    # redis-py and cryptography are imported by name where they are used, so that type checkers do
    # not look for them.
    # httpx requires httpcore, and httpcore requires h11.
    assert imported - sys.stdlib_module_names == {"attrs", "h11", "httpx"}


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


@pytest.mark.parametrize("extra", ["redis,webhooks"])
class TestStrictTypes:
    """A service type-checks its vendored copy too, with its own checker.

    `test_vendored_service.py` does the same without Redis.
    """

    def test_mypy_finds_no_error(
        self, app: Path, python_with: Callable[[str], Path], extra: str, tmp_path: Path
    ) -> None:
        (app / "consumer.py").write_text(CONSUMER, encoding="utf-8")
        python = python_with(f"leadconnector[{extra}]")
        options = [
            "--strict",
            "--config-file=",
            f"--python-executable={python}",
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
        python = python_with(f"leadconnector[{extra}]")
        options: list[str | Path] = ["--project", app, "--pythonpath", python]
        result = run(sys.executable, "-m", "pyright", *options, cwd=app)
        assert result.stdout == "0 errors, 0 warnings, 0 informations\n"
        assert result.returncode == 0


def test_the_destination_may_be_relative_to_the_checkout(checkout: Path, tmp_path: Path) -> None:
    assert (
        vendor("src/app/_vendor", checkout)
        == checkout / "src" / "app" / "_vendor" / "leadconnector"
    )
    assert tree(checkout / "src" / "app" / "_vendor" / "leadconnector") == tree(
        vendor(tmp_path / "absolute", checkout)
    )
    assert (vendor("../outside", checkout) / "py.typed").is_file()
    assert (tmp_path / "outside" / "leadconnector" / "py.typed").is_file()


def test_the_name_of_the_destination_may_contain_a_space(app: Path, tmp_path: Path) -> None:
    assert tree(vendor(tmp_path / "a folder" / "a package")) == tree(
        app / "app" / "_vendor" / "leadconnector"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a folder"]


def test_vendoring_works_if_git_checked_links_out_as_text(checkout: Path, tmp_path: Path) -> None:
    expected = tree(vendor(tmp_path / "with-link", checkout))
    link = checkout / "overrides" / "leadconnector" / "_generated"
    target = os.readlink(link)
    link.unlink()
    link.write_text(target, encoding="utf-8")
    assert tree(vendor(tmp_path / "vendored", checkout)) == expected
    assert link.read_text(encoding="utf-8") == target


def test_a_newer_version_removes_files_that_no_longer_exist_in_the_copy_only(
    checkout: Path, tmp_path: Path
) -> None:
    stale = checkout / "overrides" / "leadconnector" / "stale"
    stale.mkdir()
    (stale / "__init__.py").touch()
    (checkout / "generated" / "models" / "stale.py").touch()
    folder = tmp_path / "service"
    copy = vendor(folder, checkout)
    (folder / "other.py").touch()
    assert {"stale/__init__.py", "_generated/models/stale.py"} <= tree(copy).keys()
    vendor(folder)
    assert tree(folder).keys() == {
        "other.py",
        *(f"leadconnector/{name}" for name in tree(vendor(tmp_path / "new"))),
    }
    assert not (copy / "stale").exists()


def test_vendoring_the_same_version_again_changes_nothing(tmp_path: Path) -> None:
    copy = vendor(tmp_path)
    status = copy.stat()
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "client.cpython-311.pyc").touch()
    vendor(tmp_path)
    assert copy.stat().st_ino == status.st_ino
    assert [path.name for path in tmp_path.iterdir()] == ["leadconnector"]


@pytest.mark.parametrize("arguments", [[], ["DEST="]])
def test_without_a_destination_the_usage_is_printed(checkout: Path, arguments: list[str]) -> None:
    before = tree(checkout)
    result = make("vendor", *arguments, cwd=checkout)
    assert result.returncode == 2
    assert "usage: make vendor DEST=DIRECTORY [FORCE=1]\n" in result.stderr
    assert tree(checkout) == before


def test_a_folder_that_is_not_a_copy_of_the_client_is_not_changed(tmp_path: Path) -> None:
    foreign = tmp_path / "leadconnector"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("ours = True\n", encoding="utf-8")
    message = rejection(tmp_path)
    assert f"{foreign} is not a copy that this program made, so it was not changed" in message
    assert "edited: __init__.py" in message
    assert tree(tmp_path) == {"leadconnector/__init__.py": b"ours = True\n"}


@pytest.mark.parametrize("force", ["", "1"])
def test_a_file_in_the_place_of_the_copy_is_not_changed(tmp_path: Path, force: str) -> None:
    (tmp_path / "leadconnector").write_text("ours", encoding="utf-8")
    assert "is not a folder, so it was not changed" in rejection(tmp_path, force=force)
    assert (tmp_path / "leadconnector").read_text(encoding="utf-8") == "ours"


@pytest.mark.parametrize("destination", ["overrides", "overrides/leadconnector", "generated"])
@pytest.mark.parametrize("link", ["as a link", "as text"])
def test_the_source_of_the_client_is_not_changed(
    checkout: Path, link: str, destination: str
) -> None:
    generated = checkout / "overrides" / "leadconnector" / "_generated"
    if link == "as text":
        target = os.readlink(generated)
        generated.unlink()
        generated.write_text(target, encoding="utf-8")
    before = tree(checkout)
    message = rejection(destination, checkout, force="1")
    assert "is the source of the copy or within it, so it was not changed" in message
    assert tree(checkout) == before
    assert generated.is_symlink() == (link == "as a link")


def test_the_source_in_another_checkout_is_not_changed(checkout: Path) -> None:
    before = tree(checkout)
    message = rejection(checkout / "overrides", force="1")
    assert "is the source of a checkout, not a copy, so it was not changed" in message
    assert tree(checkout) == before


def test_make_vendor_writes_the_same_copy_and_prints_its_path(
    app: Path, checkout: Path, tmp_path: Path
) -> None:
    result = make("vendor", f"DEST={tmp_path / 'copies'}", cwd=checkout)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{tmp_path / 'copies'}/leadconnector\n"
    copy = tmp_path / "copies" / "leadconnector"
    expected = tree(app / "app" / "_vendor" / "leadconnector")
    assert tree(copy).keys() == expected.keys()
    assert verify(copy).returncode == 0


@pytest.mark.parametrize("force", ["2", "yes", " 1"])
def test_force_is_0_or_1(tmp_path: Path, force: str) -> None:
    result = run_program(tmp_path / "copies", force=force)
    assert (result.returncode, result.stdout) == (2, "")
    assert "FORCE is neither 0 nor 1" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_force_0_replaces_no_local_changes(tmp_path: Path) -> None:
    copy = vendor(tmp_path / "copies")
    (copy / "client.py").write_text("edited = True\n", encoding="utf-8")

    result = run_program(tmp_path / "copies", force="0")

    assert result.returncode == 2
    assert "has local changes" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_standard_output_does_not_sound_like_a_failed_copy(tmp_path: Path) -> None:
    program = ROOT / "tools" / "project" / "vendor.py"
    environment = clean_environment() | {"DEST": str(tmp_path / "copies")}
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        result = subprocess.run(
            [sys.executable, str(program)],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )

    assert result.returncode == 2
    copy = tmp_path / "copies" / "leadconnector"
    expected = f"{copy} is complete, but the standard output cannot be written"
    assert result.stderr.startswith(expected)
    assert result.stderr.count("\n") == 1
    assert verify(copy).returncode == 0
