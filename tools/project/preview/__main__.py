"""The command line: `python -m project.preview`, which `make preview` runs.

Environment variables: `VERSION` is a version of openapi-python-client; without it, the newest one
is used. `RUFF` is a version of the formatter; without it, the installed one is used.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from generate.templates import RecordError
from specdrift.terminal import visible

from ..environments import EnvironmentSetupError
from ..processes import run_as_program
from ..surface import SurfaceError
from .candidate import Candidate, VersionError, check_version, install_candidate
from .comparison import Preview, preview_of
from .generation import BaselineError, Sources, generate_baseline, generate_with
from .report import report_lines

ROOT = Path(__file__).resolve().parents[3]

SOURCES = Sources(
    root=ROOT,
    spec=ROOT / "spec" / "openapi.yaml",
    config=ROOT / "generator-config.yaml",
    templates=ROOT / "templates",
)

FAILURES = (BaselineError, EnvironmentSetupError, RecordError, SurfaceError, VersionError)
"""Why there may be no preview. The candidate's own failures are part of the preview."""


def main() -> int:
    """Print what a version of the generator would change.

    Returns:
        Exit status 0; 1 if the version needs work before an upgrade; 2 if there is no preview.
    """
    generator_version = os.environ.get("VERSION", "")
    ruff_version = os.environ.get("RUFF", "")
    try:
        check_version("VERSION", generator_version)
        check_version("RUFF", ruff_version)
        with tempfile.TemporaryDirectory(prefix="preview-") as name:
            folder = Path(name)
            candidate = install_candidate(folder / "environment", generator_version, ruff_version)
            preview = make_preview(candidate, SOURCES, folder)
    except FAILURES as error:
        print(f"preview: {visible(str(error))}", file=sys.stderr)
        return 2
    for line in report_lines(preview):
        print(visible(line))
    return 1 if preview.needs_work else 0


def make_preview(candidate: Candidate, sources: Sources, folder: Path) -> Preview:
    """Generate the client twice, and compare.

    Args:
        candidate: the version of the generator.
        sources: what to generate from.
        folder: a temporary folder.

    Raises:
        BaselineError: the installed generator does not work.
        RecordError: the record of upstream templates cannot be read.
        SurfaceError: the Python names of a client cannot be read.
    """
    baseline = folder / "installed"
    generate_baseline(sources, baseline)
    generation = generate_with(candidate.python, sources, folder / "candidate")
    return preview_of(candidate, sources, baseline, generation)


if __name__ == "__main__":
    run_as_program(main)
