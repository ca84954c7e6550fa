"""Puts the members of operations, parameters and schemas in the order of the spec."""

from __future__ import annotations

from generate.document import Schema

_FIRST_MEMBERS = (
    "operationId",
    "tags",
    "name",
    "in",
    "type",
    "format",
    "summary",
    "description",
    "deprecated",
    "security",
    "parameters",
    "requestBody",
    "enum",
    "x-enum-varnames",
    "required",
)

_LAST_MEMBERS = (
    "properties",
    "items",
    "additionalProperties",
    "default",
    "example",
    "x-role",
    "schema",
    "content",
    "responses",
)


def in_style(members: Schema) -> Schema:
    """The members of an object in the order of the spec. Unknown ones keep theirs in the middle."""
    names = [name for name in _FIRST_MEMBERS if name in members]
    names += [name for name in members if name not in _FIRST_MEMBERS + _LAST_MEMBERS]
    names += [name for name in _LAST_MEMBERS if name in members]
    # A parameter says whether it is required before it is described.
    if "in" in members and "required" in members:
        names.remove("required")
        names.insert(names.index("in") + 1, "required")
    return {name: members[name] for name in names}
