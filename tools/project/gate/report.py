"""Writes the result of the gate: what breaks, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specdrift.terminal import visible

from .changelog import FILE as CHANGELOG
from .gate import BrokenCode, Verdict


def write_report(verdict: Verdict) -> str:
    """The result as text."""
    return "".join(f"{visible(line)}\n" for line in lines_of(verdict))


def lines_of(verdict: Verdict) -> Iterator[str]:
    """The lines of the text."""
    evidence = verdict.evidence
    yield f"Compared with {evidence.base}."
    if not evidence.files:
        yield "The client is as it was: nothing can break."
        return
    heading = "Changes of public Python names that break nothing, or only unusual code:"
    yield from section(heading, verdict.harmless)
    heading = f"Breaking, and mentioned in {CHANGELOG}:"
    yield from section(heading, [*verdict.announced, *texts_of(verdict.announced_code)])
    heading = f"Breaking, and not mentioned in {CHANGELOG}:"
    yield from section(heading, verdict.unannounced)
    if verdict.unannounced:
        yield entry_to_add({change.name for change in verdict.unannounced})
    heading = f"Code of {evidence.base.revision} that fails with the changed client:"
    yield from section(heading, texts_of(verdict.unannounced_code))
    if verdict.unannounced_code and not verdict.unannounced:
        yield f"Restore what this code uses. No breaking change in {CHANGELOG} explains it."
    yield ""
    yield conclusion(verdict)


def section(heading: str, items: Sequence[object]) -> Iterator[str]:
    """A heading and its items; nothing without items."""
    if not items:
        return
    yield ""
    yield heading
    for item in items:
        yield f"  {item}"


def texts_of(code: list[BrokenCode]) -> list[str]:
    """Places and their messages."""
    return [f"{item.place}: {item.message}" for item in code]


def entry_to_add(names: set[str]) -> str:
    """What to do about breaking changes that the changelog does not mention."""
    list_of_names = ", ".join(f"`{name}`" for name in sorted(names))
    return (
        f"Restore these names. Or add to {CHANGELOG}, below `### Removed` or `### Changed` of"
        f" `[Unreleased]`, what to use instead. The entry names them in backticks: {list_of_names}"
    )


def conclusion(verdict: Verdict) -> str:
    """The result in one sentence."""
    if not verdict.passes:
        return "Failed."
    if verdict.announced:
        return f"Passed: {CHANGELOG} mentions each breaking change."
    return "Passed: nothing breaks."
