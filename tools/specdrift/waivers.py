"""Reads the waivers of accepted differences, and decides which changes they cover."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .loading import ComparisonError, ParsedFile
from .model.document import is_list, is_mapping
from .report.report import Fault, Waiver
from .rules import Change, Source

_REQUIRED_KEYS = ("id", "at", "reason")
_OPTIONAL_KEYS = ("name", "expires", "on")
_KEYS_HINT = f"required: {', '.join(_REQUIRED_KEYS)}; optional: {', '.join(_OPTIONAL_KEYS)}"


@dataclass(frozen=True)
class Coverage:
    """What the waivers do in a comparison."""

    waivers: list[Waiver | None]
    """The waiver of each change; None if no waiver covers it."""
    faults: list[Fault]


def read_waivers(file: ParsedFile) -> list[Waiver]:
    """The waivers in a file, which has them as a list under `waivers`.

    Raises:
        ComparisonError: the file has another structure.
    """
    data = file.data
    if not is_mapping(data) or set(data) != {"waivers"} or not is_list(data["waivers"]):
        raise ComparisonError(
            f"{file.source('')}: a waiver file contains one list, `waivers`, and nothing else"
        )
    return [
        _waiver(item, file.source(f"/waivers/{index}"))
        for index, item in enumerate(data["waivers"])
    ]


def _waiver(data: Any, source: Source) -> Waiver:
    fields: dict[str, Any] = data if is_mapping(data) else {}
    for key in _REQUIRED_KEYS:
        if not _is_text(fields.get(key)):
            raise _invalid(source, f"a waiver has no {key}, which must be text ({_KEYS_HINT})")
    for key in fields:
        if key not in _REQUIRED_KEYS and key not in _OPTIONAL_KEYS:
            raise _invalid(source, f"a waiver has the unknown key {key!r} ({_KEYS_HINT})")
    if fields.get("on", "wire") != "wire":
        raise _invalid(source, "`on` must be wire: such a waiver covers findings of clients only")
    return Waiver(
        id=fields["id"],
        at=fields["at"],
        reason=fields["reason"].strip(),
        source=source,
        expires=_expiry(fields, source),
        name=str(fields.get("name", "")),
        on_the_wire="on" in fields,
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _expiry(fields: dict[str, Any], source: Source) -> datetime.date | None:
    if "expires" not in fields:
        return None
    try:
        return datetime.date.fromisoformat(fields["expires"])
    except (TypeError, ValueError):
        # TypeError: YAML may have a number here.
        raise _invalid(source, "`expires` must be a date such as 2027-06-30") from None


def _invalid(source: Source, problem: str) -> ComparisonError:
    return ComparisonError(f"{source}: {problem}")


def apply_waivers(
    waivers: Sequence[Waiver],
    *,
    document_changes: Sequence[Change],
    wire_changes: Sequence[Change],
    today: datetime.date,
) -> Coverage:
    """Decide which waiver covers each change, and which waivers are faulty.

    An expired waiver covers nothing. A waiver for the wire covers no change between documents, and
    may be unused if there are no findings.

    Args:
        waivers: the waivers.
        document_changes: the changes between the documents.
        wire_changes: what clients found in responses. They follow the others in the result.
        today: the current date.
    """
    document_waivers = [waiver for waiver in waivers if not waiver.on_the_wire]
    matches = [_matching(document_waivers, change) for change in document_changes]
    matches += [_matching(waivers, change) for change in wire_changes]
    # An expired waiver is used too, so that it is reported as expired and not as unused.
    used = {waiver for candidates in matches for waiver in candidates}
    expired = [waiver for waiver in waivers if waiver in used and _is_expired(waiver, today)]
    # Without findings, nobody knows whether a waiver for the wire still covers something.
    required = waivers if wire_changes else document_waivers
    unused = [waiver for waiver in required if waiver not in used]
    faults = [Fault(waiver, f"expired on {waiver.expires}: check it again") for waiver in expired]
    faults += [Fault(waiver, "covers nothing any more: remove it") for waiver in unused]
    return Coverage([_first_valid(candidates, today) for candidates in matches], faults)


def _matching(waivers: Sequence[Waiver], change: Change) -> list[Waiver]:
    return [waiver for waiver in waivers if _covers(waiver, change)]


def _covers(waiver: Waiver, change: Change) -> bool:
    if waiver.id != change.id:
        return False
    if waiver.at not in {change.base_pointer, change.revision_pointer}:
        return False
    return waiver.name in {"", change.name, _without_quotes(change.name)}


def _without_quotes(name: str) -> str:
    """The name of an enum value, which a change has as JSON: `"a"` becomes `a`."""
    try:
        value = json.loads(name)
    except ValueError:
        return name
    return value if isinstance(value, str) else name


def _first_valid(waivers: Sequence[Waiver], today: datetime.date) -> Waiver | None:
    for waiver in waivers:
        if not _is_expired(waiver, today):
            return waiver
    return None


def _is_expired(waiver: Waiver, today: datetime.date) -> bool:
    return waiver.expires is not None and waiver.expires < today
