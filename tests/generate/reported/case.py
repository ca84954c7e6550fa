"""The form of a case: a small spec like one in a bug report, and what its user expects.

Each case is a spec of our own. Only the kind of the problem is from the report, in whichever
generator it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = dict[str, Any]

ABSENT: Any = object()
"""No body at all. `None` is a body: the JSON value null."""

HEAD: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Reported", "version": "1"},
    "servers": [{"url": "https://api.example"}],
}


@dataclass(frozen=True)
class Reading:
    """A response of the API, and what the call returns for it."""

    body: Any
    """A JSON value; bytes if the content type is another one; `ABSENT`."""
    returns: str
    """The returned value as `describe` writes it."""
    arguments: str = ""
    """The arguments of the call, as Python code."""
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True)
class Sending:
    """The arguments of a call, and the request that it sends."""

    arguments: str
    """Python code. It can use the models, `datetime`, `UUID` and `File`."""
    target: str = ""
    """Path and query. Empty: not compared."""
    body: Any = ABSENT
    """A JSON value; bytes for another content type."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Invalid:
    """Arguments that the client must not send, and a part of its message."""

    arguments: str
    message: str


Check = Reading | Sending | Invalid


@dataclass(frozen=True)
class Case:
    """A spec with one operation, which `make generate` accepts."""

    key: str
    """The operationId."""
    expected: str
    """What a user expects, in words."""
    reported: str
    """A report of this kind of problem: project and number. Empty: a sibling of other cases."""
    checks: tuple[Check, ...]
    response: str = ""
    """The schema of the response 200, as YAML."""
    body: str = ""
    """The schema of the JSON body, as YAML."""
    parameters: str = ""
    """The parameters, as YAML."""
    operation: str = ""
    """What else the operation has, as YAML."""
    path: str = ""
    """The path. Empty: named after the key."""
    method: str = ""
    """The name of the method in Python, if it is not the key."""
    schemas: str = ""
    """The components that only this case uses, as YAML."""
    components: str = ""
    """The components that are no schemas, as YAML."""
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    """The static types of expressions. `value` is what the call of the first check returns."""
    fault: str = ""
    """Why this case fails today. It is then generated alone. Empty: it passes."""


@dataclass(frozen=True)
class Rejected:
    """A spec that `make generate` rejects, rather than a client that would not work."""

    key: str
    expected: str
    reported: str
    at: str
    """The start of the line in the spec that the error names."""
    message: str
    """A part of the error. It says what to do."""
    spec: str
    """Paths and components, as YAML."""
    fault: str = ""


def compose(cases: Iterable[Case]) -> str:
    """One spec with the operations of several cases, each with the tag Things."""
    paths: Json = {}
    components: Json = {"schemas": {}}
    for case in cases:
        path_item: Json = paths.setdefault(case.path or f"/{case.key}", {})
        path_item["put" if case.body else "get"] = _operation(case)
        _add(components["schemas"], _read(case.schemas))
        for kind, members in _read(case.components).items():
            _add(components.setdefault(kind, {}), members)
    return yaml.safe_dump(
        {**HEAD, "paths": paths, "components": components}, sort_keys=False, allow_unicode=True
    )


def compose_rejected(case: Rejected) -> str:
    """The spec of a case that is rejected."""
    return yaml.safe_dump({**HEAD, **_read(case.spec)}, sort_keys=False, allow_unicode=True)


def _operation(case: Case) -> Json:
    operation: Json = {"operationId": case.key, "tags": ["Things"]}
    if case.parameters:
        operation["parameters"] = _read(case.parameters)
    if case.body:
        operation["requestBody"] = {"required": True, "content": _json_content(case.body)}
    operation["responses"] = {"204": {"description": "Nothing"}}
    if case.response:
        content = _json_content(case.response)
        operation["responses"] = {"200": {"description": "Something", "content": content}}
    return {**operation, **_read(case.operation)}


def _json_content(schema: str) -> Json:
    return {"application/json": {"schema": _read(schema)}}


def _read(text: str) -> Any:
    return yaml.safe_load(text) or {}


def _add(members: Json, new_members: Json) -> None:
    # Two cases of a theme with one name would disturb each other.
    shared = members.keys() & new_members.keys()
    assert not shared, f"used twice: {shared}"
    members.update(new_members)
