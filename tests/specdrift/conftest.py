"""Fixtures of the tests of specdrift."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.specdrift.documents import Json
from tests.support.paths import ROOT

SUFFIXES = {".json", ".yaml", ".yml"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the fixture `real_document` for the spec, or for each selected document."""
    if "real_document" in metafunc.fixturenames:
        paths = _document_paths(metafunc.config.getoption("--documents"))
        names = [path.stem for path in paths]
        metafunc.parametrize("real_document", paths, ids=names, indirect=True, scope="session")


def _document_paths(folder: str | None) -> list[Path]:
    if folder is None:
        return [ROOT / "spec" / "openapi.yaml"]
    candidates = sorted(path for path in Path(folder).rglob("*") if path.suffix in SUFFIXES)
    paths = [path for path in candidates if "openapi" in path.read_text(encoding="utf-8")[:2000]]
    if not paths:
        raise pytest.UsageError(f"{folder}: contains no OpenAPI document: name another folder")
    return paths


@pytest.fixture(scope="session")
def real_document(request: pytest.FixtureRequest) -> Json:
    """Return a document that was written by hand or published."""
    text = Path(request.param).read_text(encoding="utf-8")
    data = json.loads(text) if request.param.suffix == ".json" else yaml.safe_load(text)
    # JSON has no dates and no aliases, so that an edit of one place changes one place.
    document: Json = json.loads(json.dumps(data, default=str))
    return document
