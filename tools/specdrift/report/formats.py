"""The forms in which a comparison is told: to a person, to a program, and to those that show it in a review."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate

from ..rules import ERR, INFO, WARN, Change, Level, Source
from .html import page
from .report import Entry, Report, Waiver
from .sarif import sarif
from .wording import (
    CLIENT,
    clipped,
    counts,
    grouped,
    headline,
    sentences,
    spots,
    summary,
    told_fault,
    until,
    visible,
)

JSON_FORM = 1
"""The version of the JSON form: it grows where something is taken away or changes its meaning."""

COMMENT = 65_536
"""Characters that GitHub takes in a comment."""

_COLOURS: dict[Level, str] = {ERR: "31", WARN: "33", INFO: "36"}
_COMMANDS: dict[Level, str] = {ERR: "error", WARN: "warning", INFO: "notice"}


def text(report: Report, colour: bool = False) -> str:
    """The report for a terminal, without a code for it unless colour is asked for."""

    def painted(words: str, code: str) -> str:
        return f"\033[{code}m{words}\033[0m" if colour else words

    names = f"from {visible(report.base.name)} to {visible(report.revision.name)}"
    lines = [f"Changes {names}:"] if report.entries else []
    for operation, entries in grouped(report.counted):
        lines += ["", painted(visible(operation), "1")]
        for entry in entries:
            level = entry.change.level
            lines.append(f"  {painted(level.ljust(4), _COLOURS[level])} {visible(entry.change.id)}")
            lines += [f"       {visible(words)}" for words in _told(entry)]
    covered = [f"{change} {reason}" for change, reason in _waived(report)]
    faults = [f"{fault.waiver.source}: {told_fault(fault)}" for fault in report.faults]
    for title, told in (("Waived", covered), ("Waivers at fault", faults), ("Notes", report.notes)):
        if told:
            lines += ["", painted(title, "1"), *(f"  {visible(words)}" for words in told)]
    lines += [
        "",
        summary(report) if report.entries or report.faults else f"Nothing changed {names}.",
    ]
    return "\n".join(lines).lstrip("\n") + "\n"


def _told(entry: Entry) -> list[str]:
    """The lines that tell a change, below its level and id."""
    change, *others = sentences(entry)
    told = zip(
        ("base", "revision", "client", "advice"),
        (*map(str, spots(entry.change)), *others),
        strict=False,
    )
    return [change, *(f"{f'{name}:':10}{words}" for name, words in told)]


def _waived(report: Report) -> list[tuple[str, str]]:
    """Each change that a waiver covers in few words, and why it is accepted."""
    found = ((entry.change, entry.waiver) for entry in report.entries if entry.waiver)
    return [(_which(change), f"{waiver.reason}{until(waiver)}") for change, waiver in found]


def _which(change: Change) -> str:
    return f"{change.level} {change.id}{' in ' * bool(change.operation)}{change.operation}: {change.text}"


def _json(report: Report) -> str:
    told = {
        "form": JSON_FORM,
        "base": report.base.name,
        "revision": report.revision.name,
        "counts": counts(report.entries),
        "changes": [_change(entry) for entry in report.entries],
        "faults": [
            {"waiver": _waiver(fault.waiver), "problem": fault.problem} for fault in report.faults
        ],
        "notes": report.notes,
    }
    return json.dumps(told, indent=2) + "\n"


def _change(entry: Entry) -> dict[str, object]:
    return {
        **_members(entry.change, "id", "level", "operation", "direction", "name", "text"),
        "client": entry.verdict._asdict(),
        "advice": entry.advice,
        **{spot.role: spot.data() for spot in spots(entry.change)},
        "waiver": entry.waiver and _waiver(entry.waiver),
    }


def _waiver(waiver: Waiver) -> dict[str, object]:
    expires = waiver.expires and waiver.expires.isoformat()
    told = _members(waiver, "id", "at", "name", "reason")
    return {**told, "expires": expires, "source": waiver.source._asdict()}


def _members(held: object, *names: str) -> dict[str, object]:
    return {name: getattr(held, name) for name in names}


def _markdown(report: Report) -> str:
    """The report for a comment or a summary on GitHub, as much of it as that takes."""
    names = f"{_code(report.base.name)} to {_code(report.revision.name)}"
    lines = [f"## {headline(report)}", "", f"From {names}: **{summary(report)}**"]
    faults = [
        (_code(str(fault.waiver.source)), _plain(told_fault(fault))) for fault in report.faults
    ]
    sections = [_table("Waivers at fault", ("Where", "Problem"), faults)] if faults else []
    for operation, entries in grouped(report.counted):
        columns = ("Level", "What changed", "Our client", "Where")
        sections.append(_table(_plain(operation), columns, map(_row, entries)))
    if report.notes:
        sections.append(("\n### Notes\n", [f"- {_plain(note)}" for note in report.notes], ""))
    if items := [f"- {_plain(change)} {_plain(reason)}" for change, reason in _waived(report)]:
        sections.append(
            (f"\n<details><summary>{len(items)} waived</summary>\n", items, "\n</details>")
        )
    left_out = 0
    room = (
        COMMENT - sum(len(line) + 1 for line in lines) - 100
    )  # the last for the sentence on what is left out
    for opening, items, closing in sections:
        room -= len(opening) + len(closing) + 2
        sizes = [len(item) + 1 for item in items]
        kept = [item for item, end in zip(items, accumulate(sizes), strict=True) if end <= room]
        room -= sum(sizes)
        left_out += len(items) - len(kept)
        lines += [opening, *kept, closing] if kept else []
    if left_out:
        lines.append(
            f"\n**{left_out} more left out:** a comment takes no more than {COMMENT:,} characters."
        )
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(
    title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> tuple[str, list[str], str]:
    """What opens a table, its rows, and what closes it."""
    opening = f"\n### {title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"
    return opening, [f"| {' | '.join(row)} |" for row in rows], ""


def _row(entry: Entry) -> tuple[str, ...]:
    change = entry.change
    client = f"**{CLIENT[entry.verdict.effect]}.** {_plain(entry.verdict.reason)}<br>{_plain(entry.advice)}"
    where = "<br>".join(f"{spot.role}: {_code(str(spot))}" for spot in spots(change))
    return (
        f"**{change.level}**",
        f"{_plain(change.text)}<br>{_code(change.id)}",
        client.removesuffix("<br>"),
        where,
    )


def _plain(words: str) -> str:
    """A text that is no markup, and nobody's name: GitHub looks for names and numbers in what is shown."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", clipped(words, 400))
    return re.sub(r"(@|#(?=\d))", "\\1\u200b", escaped)


def _code(words: str) -> str:
    return f"<code>{_plain(words)}</code>"


def _github(report: Report) -> str:
    """The report as commands to a GitHub workflow, which shows them at the lines that they name."""
    lines = [
        _command("error", fault.waiver.source, "waiver", told_fault(fault))
        for fault in report.faults
    ]
    for entry in report.counted:
        change = entry.change
        where = change.revision_source or change.base_source
        lines.append(_command(_COMMANDS[change.level], where, change.id, *sentences(entry)))
    lines += [_command("notice", None, "note", note) for note in report.notes]
    return "".join(f"{line}\n" for line in lines)


def _command(name: str, where: Source | None, title: str, *told: str) -> str:
    place = [("file", where.file), ("line", str(where.line))] if where else []
    written = ",".join(
        f"{key}={_data(value, ':,')}" for key, value in [*place, ("title", f"specdrift: {title}")]
    )
    return f"::{name} {written}::{'%0A'.join(map(_data, told))}"


def _data(value: str, more: str = "") -> str:
    """A value as GitHub reads it back."""
    for character in f"%\r\n{more}":
        value = value.replace(character, f"%{ord(character):02X}")
    return visible(value)


FORMS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "sarif": sarif,
    "html": page,
}
"""What writes a report in each form, by the form's name."""
