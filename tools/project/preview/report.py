"""Says in text what a candidate would change."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from generate.templates import GENERATOR, report

from .comparison import Preview


def report_lines(preview: Preview) -> Iterator[str]:
    """The whole report: a summary, the details of everything that changes, and what to do."""
    yield from summary(preview)
    yield from section("requirements", preview.requirements)
    yield from section("templates", tuple(report(preview.reviews)))
    yield from section("Python API", tuple(str(change) for change in preview.surface))
    yield from section("types", preview.type_errors)
    yield from section("generated/", preview.diff)
    yield ""
    yield from conclusion(preview)


def summary(preview: Preview) -> Iterator[str]:
    """The versions, and one line for each subject."""
    candidate = preview.candidate
    yield f"{GENERATOR} {version(GENERATOR)} -> {candidate.version}"
    yield f"ruff {version('ruff')} -> {candidate.ruff_version}"
    yield f"  generation    {generation_result(preview)}"
    yield f"  requirements  {count(len(preview.requirements), 'changed line')}"
    yield f"  templates     {count(len(preview.reviews), 'override')} to review"
    if preview.problem:
        return
    breaking = [change for change in preview.surface if change.severity == "ERR"]
    yield f"  generated/    {count(len(preview.files), 'changed file')}"
    yield f"  Python API    {count(len(preview.surface), 'change')}, {len(breaking)} breaking"
    yield f"  types         {count(len(preview.type_errors), 'error')}"


def generation_result(preview: Preview) -> str:
    """Whether the generation step works with the candidate."""
    if not preview.problem:
        return "verified"
    if preview.place:
        return f"failed in tools/generate/{preview.place}: {preview.problem}"
    return f"failed: {preview.problem}"


def section(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    """A part of the report with a heading; nothing without lines."""
    if not lines:
        return
    yield ""
    yield f"== {title} =="
    yield from lines


def conclusion(preview: Preview) -> Iterator[str]:
    """What to do next."""
    candidate = preview.candidate
    if preview.changes_nothing:
        yield "This version changes nothing."
    elif preview.needs_work:
        yield "This version needs work: see docs/changing-the-spec.md, `Upgrade the generator`."
    else:
        yield (
            f"To upgrade, write {GENERATOR}=={candidate.version} and ruff=={candidate.ruff_version}"
            " into pyproject.toml. Then run `make lock`, `make generate`, `make templates`,"
            " `make check` and `make test`."
        )
    yield "The checkout is unchanged."


def count(number: int, noun: str) -> str:
    """A number of things, in words: `no change`, `1 change`, `2 changes`."""
    if number == 0:
        return f"no {noun}"
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}s"
