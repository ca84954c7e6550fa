"""Compares a client that a candidate generated with the one of the installed generator."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

from generate.swap import changed_files
from generate.templates import GENERATOR, Review, compare_templates

from ..surface import SurfaceChange, surface_changes
from .candidate import Candidate
from .generation import Generation, Sources


@dataclass(frozen=True)
class Preview:
    """Everything that a candidate would change."""

    candidate: Candidate
    problem: str
    """Why the generation failed. Empty if it passed the verification."""
    place: str
    requirements: tuple[str, ...]
    """The changed requirements, with `-` or `+` in front."""
    reviews: tuple[Review, ...]
    files: tuple[str, ...]
    """The changed files of `generated/`."""
    diff: tuple[str, ...]
    """The lines of their diff."""
    surface: tuple[SurfaceChange, ...]
    type_errors: tuple[str, ...]
    """What mypy and pyright report in the new code."""

    @property
    def needs_work(self) -> bool:
        """Whether somebody has to change something before the upgrade."""
        is_breaking = any(change.severity == "ERR" for change in self.surface)
        return bool(self.problem or self.reviews or self.type_errors or is_breaking)

    @property
    def changes_nothing(self) -> bool:
        """Whether the candidate writes the same files and requires the same packages."""
        return not (self.needs_work or self.requirements or self.files)


def preview_of(
    candidate: Candidate, sources: Sources, baseline: Path, generation: Generation
) -> Preview:
    """Compare a generation with the baseline.

    Args:
        candidate: the version of the generator.
        sources: the spec and the templates.
        baseline: the checkout with the client of the installed generator.
        generation: the client of the candidate.

    Raises:
        RecordError: the record of upstream templates cannot be read.
        SurfaceError: the Python names of a client cannot be read.
    """
    files: list[str] = []
    diff: list[str] = []
    surface: list[SurfaceChange] = []
    type_errors: list[str] = []
    if generation.is_complete:
        base_package = baseline / "generated"
        files = changed_files(base_package, generation.package)
        diff = diff_of_files(base_package, generation.package, files)
    has_changed_code = any(name.endswith(".py") for name in files)
    # Invalid Python would end the comparison of names, and does not pass the verification.
    if has_changed_code and not generation.problem:
        surface = surface_changes(baseline, generation.checkout)
        type_errors = check_types(generation.checkout)
    return Preview(
        candidate=candidate,
        problem=generation.problem,
        place=generation.place,
        requirements=tuple(changed_requirements(candidate.requirements)),
        reviews=tuple(compare_templates(sources.templates, candidate.templates)),
        files=tuple(files),
        diff=tuple(diff),
        surface=tuple(surface),
        type_errors=tuple(type_errors),
    )


def changed_requirements(candidate_requirements: Sequence[str]) -> list[str]:
    """The requirements that a candidate drops or adds, compared with the installed version."""
    generator = metadata(GENERATOR)
    base_requirements = {
        *(generator.get_all("Requires-Dist") or []),
        f"python {generator['Requires-Python']}",
    }
    revised_requirements = set(candidate_requirements)
    removals = [f"- {text}" for text in sorted(base_requirements - revised_requirements)]
    additions = [f"+ {text}" for text in sorted(revised_requirements - base_requirements)]
    return removals + additions


def diff_of_files(base: Path, revision: Path, names: Sequence[str]) -> list[str]:
    """The diff of some files of two folders. A file that is missing in one counts as empty."""
    lines: list[str] = []
    for name in names:
        lines += difflib.unified_diff(
            lines_of(base / name),
            lines_of(revision / name),
            fromfile=f"installed/{name}",
            tofile=f"candidate/{name}",
            lineterm="",
        )
    return lines


def lines_of(path: Path) -> list[str]:
    """The lines of a text file; none if there is no such file."""
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8").split("\n")


def check_types(checkout: Path) -> list[str]:
    """The errors that mypy and pyright report in strict mode in generated code."""
    settings = {"include": ["generated"], "pythonVersion": "3.11", "typeCheckingMode": "strict"}
    project = checkout / "pyrightconfig.json"
    project.write_text(json.dumps(settings), encoding="utf-8")
    mypy = ["mypy", "--strict", "--config-file=", "--no-error-summary", "--cache-dir=.mypy"]
    pyright = ["pyright", "--pythonpath", sys.executable, "--project", str(project)]
    errors: list[str] = []
    for arguments in ([*mypy, "-p", "generated"], pyright):
        command = [sys.executable, "-m", *arguments]
        result = subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True)
        if result.returncode != 0:
            errors += lines_with_errors(result.stdout + result.stderr, checkout)
    return errors


def lines_with_errors(output: str, checkout: Path) -> list[str]:
    """The lines with an error in the output of a type checker; all lines if there are none."""
    lines = [line.strip().removeprefix(f"{checkout}/") for line in output.split("\n")]
    errors = [line for line in lines if "error: " in line or " - error" in line]
    return errors or [line for line in lines if line]
