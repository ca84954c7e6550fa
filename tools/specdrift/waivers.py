"""Differences that are known: which changes a waiver covers, and which waivers cover nothing any more."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from .loading import ComparisonError, Text
from .model.document import is_list, is_mapping
from .report.report import Fault, Waiver
from .rules import Change, Source

_REQUIRED, _OPTIONAL = ("id", "at", "reason"), ("name", "expires", "on")


def waivers(file: Text) -> list[Waiver]:
    """The waivers of a file: a list under `waivers`.

    Raises:
        ComparisonError: it is not such a file.
    """
    found: Any = (
        file.data.get("waivers")
        if is_mapping(file.data) and set(file.data) == {"waivers"}
        else None
    )
    if not is_list(found):
        raise ComparisonError(
            f"{file.source('')}: a waiver file holds one list, `waivers`, and nothing else"
        )
    return [_waiver(each, file.source(f"/waivers/{index}")) for index, each in enumerate(found)]


def _waiver(data: Any, source: Source) -> Waiver:
    known = data if is_mapping(data) else {}
    missing = [
        key for key in _REQUIRED if not (isinstance(known.get(key), str) and known[key].strip())
    ]
    odd = [key for key in known if key not in (*_REQUIRED, *_OPTIONAL)]
    if missing or odd:
        problem = (
            f"has no {missing[0]}, which must be text"
            if missing
            else f"has {odd[0]!r}, which means nothing"
        )
        raise ComparisonError(
            f"{source}: a waiver {problem} (it has {', '.join(_REQUIRED)}; also {', '.join(_OPTIONAL)})"
        )
    if known.get("on", "wire") != "wire":
        raise ComparisonError(
            f"{source}: `on` must be wire: then the waiver is for findings in answers alone"
        )
    try:
        expires = datetime.date.fromisoformat(known["expires"]) if "expires" in known else None
    except (TypeError, ValueError):
        raise ComparisonError(f"{source}: `expires` must be a date such as 2027-06-30") from None
    name, on_the_wire = str(known.get("name", "")), known.get("on") == "wire"
    return Waiver(
        known["id"], known["at"], known["reason"].strip(), source, expires, name, on_the_wire
    )


def waived(
    changes: Sequence[Change], wire: Sequence[Change], known: Sequence[Waiver], today: datetime.date
) -> tuple[list[Waiver | None], list[Fault]]:
    """The waiver of each change, and those that are at fault: they are past their last day, or cover nothing.

    Args:
        changes: between the documents.
        wire: what clients found in answers; these come after the others in what is given back.
        known: the waivers. Those for the wire alone are not asked to cover anything where nothing was found there.
        today: the date.
    """
    covering = [
        [each for each in known if not each.on_the_wire and _covers(each, change)]
        for change in changes
    ]
    covering += [[each for each in known if _covers(each, change)] for change in wire]
    used = {each for found in covering for each in found}
    faults = [
        Fault(each, f"expired on {each.expires}: look again")
        for each in known
        if each in used and _over(each, today)
    ]
    idle = [each for each in known if each not in used and (wire or not each.on_the_wire)]
    faults += [Fault(each, "covers nothing any more: remove it") for each in idle]
    return [
        next((each for each in found if not _over(each, today)), None) for found in covering
    ], faults


def _covers(waiver: Waiver, change: Change) -> bool:
    names = {"", change.name, _text(change.name)}
    return (
        waiver.id == change.id
        and waiver.at in {change.base_pointer, change.revision_pointer}
        and waiver.name in names
    )


def _over(waiver: Waiver, today: datetime.date) -> bool:
    return waiver.expires is not None and waiver.expires < today


def _text(name: str) -> str:
    """A name without the quotes that text has in JSON."""
    try:
        found = json.loads(name)
    except ValueError:
        return name
    return found if isinstance(found, str) else name
