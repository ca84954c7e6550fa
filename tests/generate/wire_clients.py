"""Makes a whole client from the text of a spec, as a package of its own in this process."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from generate.__main__ import main

from tests.support.paths import ROOT

HAND_WRITTEN = ROOT / "overrides" / "leadconnector"
NOT_COPIED = ("_generated", "__pycache__", ".ruff_cache")


@contextmanager
def client_package(spec: str, folder: Path, name: str) -> Generator[Any]:
    """Import the client of a spec. It is a copy, as in a service that vendors it.

    Args:
        spec: the text of the spec.
        folder: where to write it.
        name: the name of the package, which no other one in the process has.
    """
    path = folder / "spec.yaml"
    path.write_text(spec, encoding="utf-8")
    package = folder / name
    shutil.copytree(HAND_WRITTEN, package, ignore=shutil.ignore_patterns(*NOT_COPIED))
    assert main(["--spec", str(path), "--output", str(package / "_generated")]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        yield importlib.import_module(name)
        for module_name in list(sys.modules):
            if module_name.partition(".")[0] == name:
                patch.delitem(sys.modules, module_name)
