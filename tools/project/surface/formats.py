"""Writes changes of public Python names as text, as Markdown, and as annotations for GitHub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from specdrift.report.github import COMMANDS, workflow_command
from specdrift.report.markdown import code_text, plain_text
from specdrift.rules import Source
from specdrift.terminal import visible

from .model import SEVERITIES, Severity, SurfaceChange

HEADLINES: Mapping[Severity, str] = {
    "ERR": "Breaks code that uses the package.",
    "WARN": "May break code that uses the package.",
    "INFO": "Breaks no code that uses the package.",
}
"""What a change means, by its severity."""


def write_text(changes: Sequence[SurfaceChange], revision: str) -> str:
    """A line for each change."""
    if not changes:
        return f"{unchanged_sentence(visible(revision))}\n"
    return "".join(f"{visible(str(change))}\n" for change in changes)


def write_markdown(changes: Sequence[SurfaceChange], revision: str) -> str:
    """A table of the changes."""
    if not changes:
        return f"## Nothing changed.\n\n{unchanged_sentence(code_text(revision))}\n"
    severities: list[Severity] = [change.severity for change in changes]
    worst_severity = min(severities, key=SEVERITIES.index)
    numbers = [f"{severities.count(severity)} {severity}" for severity in SEVERITIES]
    lines = [
        f"## {HEADLINES[worst_severity]}",
        "",
        f"Since {code_text(revision)}: **{', '.join(numbers)}**",
        "",
        "| Level | What changed | Where |",
        "| --- | --- | --- |",
        *(_row(change) for change in changes),
    ]
    return "\n".join(lines) + "\n"


def write_github(changes: Sequence[SurfaceChange], revision: str) -> str:
    """Workflow commands of GitHub Actions, which annotate the lines of the definitions."""
    return "".join(f"{_command(change)}\n" for change in changes)


def unchanged_sentence(revision: str) -> str:
    """That there is no change since a revision."""
    return f"The public Python surface is as it was in {revision}."


def _row(change: SurfaceChange) -> str:
    cells = (
        f"**{change.severity}**",
        f"{code_text(change.path)}: {plain_text(change.text)}<br>{code_text(change.kind)}",
        code_text(f"{change.file}:{change.line}"),
    )
    return f"| {' | '.join(cells)} |"


def _command(change: SurfaceChange) -> str:
    return workflow_command(
        COMMANDS[change.severity],
        f"Python API: {change.kind}",
        [f"{change.path}: {change.text}"],
        Source(change.file, change.line),
    )


WRITERS: Mapping[str, Callable[[Sequence[SurfaceChange], str], str]] = {
    "text": write_text,
    "markdown": write_markdown,
    "github": write_github,
}
"""The function that writes each format, by the name of the format."""
