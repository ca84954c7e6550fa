"""Fixtures for the tests of the generation step."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generate.samples import contents, identities


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder with the output of an earlier run, alone in its parent."""
    folder = tmp_path / "place" / "generated"
    (folder / "models").mkdir(parents=True)
    (folder / "contract.json").write_bytes(b"{}")
    (folder / "marker.txt").write_bytes(b"from an earlier run\n")
    (folder / "models" / "marker.py").write_bytes(b"VALUE = 1\n")
    return folder


@pytest.fixture(name="is_unchanged")
def output_comparison(output: Path) -> Callable[[], bool]:
    """Whether that folder is untouched, with no other file beside it."""
    contents_before = contents(output)
    identities_before = identities(output)

    def is_unchanged() -> bool:
        if os.listdir(output.parent) != ["generated"]:
            return False
        return contents(output) == contents_before and identities(output) == identities_before

    return is_unchanged
