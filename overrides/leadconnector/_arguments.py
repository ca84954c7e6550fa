"""Checks a call's arguments against the contract, so that what the API would refuse, or misread, is never sent."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from ._contract import Finding, Schema, fit
from ._generated.types import Unset
from .errors import ArgumentError

MAXIMUM_PATH_LENGTH = 512
"""Characters of one path parameter: far above any id, far below what servers allow of a URL."""

_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def checked(operation: Schema, arguments: Mapping[str, object], version: str | None) -> dict[str, Any]:
    """The arguments, each of them acceptable, with those filled in that the contract has a default for.

    Raises:
        ArgumentError: names the first argument that is not acceptable, and what it must be.
    """
    complete = dict(arguments)
    for argument in operation["arguments"]:
        name: str = argument["argument"]
        is_version = argument.get("role") == "api-version"
        if isinstance(complete[name], Unset) and "default" in argument:
            complete[name] = version if is_version and version is not None else argument["default"]
        if not isinstance(complete[name], Unset):
            data, findings = _examined(argument, name, complete[name], is_version)
            for finding in findings:
                raise ArgumentError(" ".join(finding), argument=name)
            plain = (str, Mapping) if "format" in argument["schema"] else (str, Mapping, datetime.date, uuid.UUID)
            if isinstance(complete[name], plain):
                complete[name] = data  # what was examined is what is sent, whatever a subclass makes of itself
        elif argument["required"]:
            raise ArgumentError(f"{name} is required", argument=name)
    return complete


def _examined(argument: Schema, name: str, value: object, is_version: bool) -> tuple[Any, list[Finding]]:
    """The value as JSON has it, and what is wrong with it."""
    where, findings = argument["in"], list[Finding]()
    if where == "body" and not argument["schema"]:
        return value, findings  # a body that is no JSON: the generated request builder knows its form
    try:
        data = json.loads(json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False).encode())
        # A version that the spec does not know may be asked for: it is checked as any header is.
        fit({"type": "string"} if is_version else argument["schema"], data, name, findings)
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        return value, [Finding(name, f"must be data that JSON can hold ({error})")]
    text = data if isinstance(data, str) else "-"
    rules = (
        (not text and (argument["required"] or is_version), "must not be empty"),
        (where == "path" and len(text) > MAXIMUM_PATH_LENGTH, f"must have at most {MAXIMUM_PATH_LENGTH} characters"),
        (where == "path" and text in {".", ".."}, "must not be '.' or '..': the URL would be another one"),
        (where == "path" and _CONTROL.search(text), "must not hold control characters"),
        (where in {"header", "cookie"} and not _HEADER.fullmatch(text), "must be printable ASCII, not blank"),
        (where == "cookie" and not {*';," '}.isdisjoint(text), "must have nothing that separates cookies"),
    )
    return data, findings + [Finding(name, problem) for broken, problem in rules if broken]


def _plain(value: Any) -> object:
    """What `json.dumps` can write, of a model, a mapping, a date or a UUID."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, datetime.date | uuid.UUID):
        return getattr(value, "isoformat", value.__str__)()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} is no such data")
