"""The header `Prefer`, with which a client selects one of the documented responses (RFC 7240).

Other mock servers, such as Prism, have the same preferences `code` and `example`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .messages import Request
from .operation import Operation
from .rejection import RejectionError
from .spec import Spec

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'

_PREFERENCE = re.compile(
    rf"\s*({_TOKEN})(?:\s*=\s*({_TOKEN}|{_QUOTED}))?((?:\s*;[^,;\"]*(?:{_QUOTED})?)*)\s*(?:,|$)"
)
"""A preference with its value and its parameters (RFC 7240, section 2)."""

_STATUS = re.compile(r"[2-9][0-9]{2}")
"""A final status. Statuses below 200 are informational: a client waits for another response."""


class PreferenceError(RejectionError):
    """A preference that cannot be applied. The response is the emulator's own.

    The spec's error responses need not have a place for its message.
    """


@dataclass(frozen=True)
class PreferredResponse:
    """The response that a request selects."""

    status: int
    content: Any
    """The JSON of the body; `None` if the spec documents none."""
    applied: str
    """The value of the header `Preference-Applied` (RFC 7240, section 3)."""


def preferred_response(
    spec: Spec, operation: Operation, request: Request
) -> PreferredResponse | None:
    """The documented response that a request selects; `None` if it selects none.

    Raises:
        PreferenceError: 400, the spec does not document the status or the example. The message
            names those that it documents.
    """
    header = request.headers.get("prefer")
    if header is None:
        return None
    preferences = _parse(header)
    code = preferences.get("code")
    example = preferences.get("example")
    if code is None and example is None:
        return None
    status = operation.success_status if code is None else _documented_status(operation, code)
    applied = f"code={status}"
    if example is None:
        return PreferredResponse(status, _content(spec, operation, status), applied)
    content = _named_example(operation, status, example)
    return PreferredResponse(status, content, f"{applied}, example={_quoted(example)}")


def _parse(header: str) -> dict[str, str]:
    """The preferences by lower-case name. The first of several equal ones counts.

    What is no preference is ignored (RFC 7240, section 2).
    """
    preferences: dict[str, str] = {}
    position = 0
    while position < len(header):
        match = _PREFERENCE.match(header, position)
        if match is None:
            # Continue after the next comma.
            _, comma, _ = header[position:].partition(",")
            position = header.index(",", position) + 1 if comma else len(header)
            continue
        value = match[2] or ""
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        preferences.setdefault(match[1].lower(), value)
        position = match.end()
    return preferences


def _documented_status(operation: Operation, code: str) -> int:
    """The status that a preference names.

    Raises:
        PreferenceError: 400, it is no final status, or the spec does not document it.
    """
    names = ", ".join(sorted(operation.responses))
    operation_name = f"{operation.method} {operation.path}"
    if not _STATUS.fullmatch(code):
        raise PreferenceError(
            400,
            f"Prefer: code must be a status from 200 to 999, not {code[:40]!r}; the spec documents"
            f" {names} for {operation_name}",
        )
    if operation.response_name(int(code)) is None:
        raise PreferenceError(
            400,
            f"Prefer: the spec does not document the code {code} for {operation_name}; it documents"
            f" {names}",
        )
    return int(code)


def _content(spec: Spec, operation: Operation, status: int) -> Any:
    """The example of a response, or data for its schema; `None` if it has no JSON."""
    schema = operation.response_schema(status)
    if schema is None:
        return None
    for example in operation.examples(status).values():
        # An example in the spec may be outdated.
        if schema.is_valid(example):
            return example
    return spec.sample(schema.schema)


def _named_example(operation: Operation, status: int, name: str) -> Any:
    """A named example of a response.

    Raises:
        PreferenceError: 400, there is no such example.
    """
    examples = operation.examples(status)
    if name not in examples:
        names = ", ".join(sorted(example for example in examples if example)) or "none"
        raise PreferenceError(
            400,
            f"Prefer: the spec has no example {name[:40]!r} for the status {status} of"
            f" {operation.method} {operation.path}; the examples are {names}",
        )
    return examples[name]


def _quoted(value: str) -> str:
    """A value as a header contains it."""
    if re.fullmatch(_TOKEN, value):
        return value
    escaped_value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped_value}"'
