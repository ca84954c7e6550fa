"""The pytest fixtures of the emulator take options from a test module."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

SECONDS = 120
"""The timeout of the run: a bound, so that it does not hang on a busy machine."""

TESTS = """
import pytest
from leadconnector import AuthenticationError, BadRequestError
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
"""


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
    assert "3 passed, 1 error" in result.stdout, result.stdout
    assert "leadconnector_client needs a token" in result.stdout
