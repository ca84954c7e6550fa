"""The pytest fixtures of the emulator: their options, and the class that a service names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.paths import ROOT

SECONDS = 120
"""The timeout of the run: a bound, so that it does not hang on a busy machine."""

TESTS = """
import asyncio
import functools

import httpx
import pytest
from leadconnector import AuthenticationError, BadRequestError, LeadConnector
from leadconnector_emulator import TokenAccess, TokenEndpoint


def star(client, emulator, **options):
    example = emulator.example
    client.conversations.update_conversation(
        example["id"], location_id=example["locationId"], starred=True, **options
    )


class TestDefault:
    def test_default(self, leadconnector_client, leadconnector_emulator):
        star(leadconnector_client, leadconnector_emulator)
        with pytest.raises(AuthenticationError, match="version header is invalid"):
            star(leadconnector_client, leadconnector_emulator, version="v3")


class TestAsync:
    def test_async(self, async_leadconnector_client, leadconnector_emulator):
        async def star_twice():
            for _ in range(2):
                await async_leadconnector_client.conversations.update_conversation(
                    leadconnector_emulator.example["id"],
                    location_id=leadconnector_emulator.example["locationId"],
                    starred=True,
                )

        asyncio.run(star_twice())
        assert len(leadconnector_emulator.exchanges) == 2

    def test_closed_by_the_test(self, async_leadconnector_client):
        asyncio.run(async_leadconnector_client.close())


class TestServer:
    def test_it_is_the_emulator_with_its_control(
        self, leadconnector_emulator_server, leadconnector_emulator
    ):
        url = leadconnector_emulator_server.url + "/_emulator/faults"
        response = httpx.post(url, json={"status": 503}, trust_env=False)
        assert response.status_code == 201
        assert len(leadconnector_emulator.fault_rules) == 1


class TestPartial:
    @pytest.fixture
    def leadconnector_class(self):
        return functools.partial(LeadConnector, version="v3")

    def test_partial(self, leadconnector_client, leadconnector_emulator):
        with pytest.raises(AuthenticationError, match="version header is invalid"):
            star(leadconnector_client, leadconnector_emulator)


class TestVersions:
    @pytest.fixture
    def leadconnector_emulator_options(self):
        return {"version_status": 400, "additional_versions": ["v3"]}

    def test_versions(self, leadconnector_client, leadconnector_emulator):
        star(leadconnector_client, leadconnector_emulator, version="v3")
        with pytest.raises(BadRequestError):
            star(leadconnector_client, leadconnector_emulator, version="v4")


class TestTokens:
    @pytest.fixture
    def leadconnector_emulator_options(self):
        access = TokenAccess(scopes=["contacts.readonly"])
        return {"tokens": {"limited": access}, "required_scopes": ["conversations.write"]}

    def test_scopes(self, leadconnector_client, leadconnector_emulator):
        with pytest.raises(AuthenticationError, match="not authorized for this scope"):
            star(leadconnector_client, leadconnector_emulator)


class TestTokenEndpointAlone:
    @pytest.fixture
    def leadconnector_emulator_options(self):
        return {"tokens": [], "token_endpoint": TokenEndpoint()}

    def test_no_token(self, leadconnector_client):
        pass

    def test_no_token_for_async(self, async_leadconnector_client):
        pass
"""

DOCUMENT = ROOT / "docs" / "emulator.md"
CONFTEST_BLOCK = re.compile(r"^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SERVICE_TESTS = """
import asyncio
import sys

import pytest
from app._vendor.leadconnector import AsyncLeadConnector, AuthenticationError, LeadConnector


def test_sync(leadconnector_client, leadconnector_emulator):
    assert type(leadconnector_client) is LeadConnector
    example = leadconnector_emulator.example
    result = leadconnector_client.conversations.update_conversation(
        example["id"], location_id=example["locationId"], starred=True
    )
    assert type(result).__module__.startswith("app._vendor.leadconnector.")
    assert leadconnector_emulator.get("conversations", example["id"])["starred"] is True
    leadconnector_emulator.tokens.clear()
    with pytest.raises(AuthenticationError):
        leadconnector_client.conversations.update_conversation(
            example["id"], location_id=example["locationId"], starred=False
        )


def test_async(async_leadconnector_client, leadconnector_emulator):
    assert type(async_leadconnector_client) is AsyncLeadConnector
    example = leadconnector_emulator.example
    call = async_leadconnector_client.conversations.update_conversation(
        example["id"], location_id=example["locationId"], starred=True
    )
    result = asyncio.run(call)
    assert type(result).__module__.startswith("app._vendor.leadconnector.")
    assert leadconnector_emulator.get("conversations", example["id"])["starred"] is True


def test_no_other_client_is_imported():
    assert "leadconnector" not in sys.modules
"""

NEITHER_TESTS = """
def test_sync(leadconnector_client):
    pass


def test_async(async_leadconnector_client):
    pass


def test_without_client(leadconnector_emulator):
    assert leadconnector_emulator.example
"""

ISOLATED_CODE = f"""
import importlib.util, sys
sys.path += [*sys.argv[1:], {sysconfig.get_path("purelib")!r}, {sysconfig.get_path("platlib")!r}]
assert importlib.util.find_spec("leadconnector") is None
import pytest
plugin = "leadconnector_emulator.pytest_plugin"
sys.exit(pytest.main(["-q", "-W", "error", "-p", plugin, "-p", "no:cacheprovider", "."]))
"""
"""Runs pytest without the module `site`, so that no `.pth` file adds this checkout to the path."""


def run_without_installed_client(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of a service. Its packages and the emulator are importable, no client is."""
    command = [sys.executable, "-I", "-S", "-c", ISOLATED_CODE, str(folder), str(ROOT / "tools")]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def test_the_fixtures_make_clients_of_a_vendored_copy(tmp_path: Path) -> None:
    copy = tmp_path / "app" / "_vendor" / "leadconnector"
    ignored = shutil.ignore_patterns("__pycache__")
    # A link becomes a folder.
    shutil.copytree(ROOT / "overrides" / "leadconnector", copy, ignore=ignored)
    for package in (tmp_path / "app", tmp_path / "app" / "_vendor"):
        (package / "__init__.py").touch()
    (conftest,) = CONFTEST_BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "test_service.py").write_text(SERVICE_TESTS, encoding="utf-8")

    result = run_without_installed_client(tmp_path)

    assert "3 passed" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0


def test_without_any_client_the_message_names_the_fixture_to_define(tmp_path: Path) -> None:
    (tmp_path / "test_service.py").write_text(NEITHER_TESTS, encoding="utf-8")

    result = run_without_installed_client(tmp_path)

    assert "1 passed, 2 errors" in result.stdout, result.stdout + result.stderr
    for name in ("leadconnector_class", "async_leadconnector_class"):
        assert f"\n{name}: the client is not installed: for a vendored copy" in result.stdout
    assert "Traceback" not in result.stdout


def test_the_options_reach_the_emulator(tmp_path: Path) -> None:
    (tmp_path / "test_service.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "leadconnector_emulator.pytest_plugin"]
    path = os.pathsep.join([str(ROOT / "tools"), str(ROOT / "overrides")])
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "7 passed, 2 errors" in result.stdout, result.stdout
    assert "\nleadconnector_client needs a token" in result.stdout
    assert "\nasync_leadconnector_client needs a token" in result.stdout
