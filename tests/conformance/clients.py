"""Generates clients of the specs in this folder once, and checks damaged copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.long.conformance.checking import Check
from benchmarks.long.conformance.documents import Document
from benchmarks.long.conformance.packages import generate, imported
from benchmarks.long.conformance.reports import Report

SPECS = Path(__file__).parent
_NUMBERS = count()


class GeneratedClient:
    """A client of a spec.

    Args:
        spec: the name of the file in this folder.
        folder: where to write the client.
    """

    def __init__(self, spec: str, folder: Path) -> None:
        self._spec = SPECS / spec
        self._folder = folder
        generate(self._spec, folder, "original")

    def check(self, damage: Callable[[Path], None] | None = None) -> Report:
        """Check a copy of the client.

        Args:
            damage: changes the generated package, whose folder is the argument.
        """
        # A process imports each name once.
        name = f"checked_client_{next(_NUMBERS)}"
        shutil.copytree(self._folder / "original", self._folder / name)
        if damage is not None:
            damage(self._folder / name / "_generated")
        document = Document.from_text(self._spec.read_text(encoding="utf-8"))
        with imported(self._folder, name) as package:
            return Check(document, package).run()
