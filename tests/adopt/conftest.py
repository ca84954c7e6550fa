"""The fixtures of the tests of `make adopt`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adopt.contacts import SPEC_TEXT


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A copy of the spec."""
    path = tmp_path / "openapi.yaml"
    path.write_text(SPEC_TEXT, encoding="utf-8")
    return path
