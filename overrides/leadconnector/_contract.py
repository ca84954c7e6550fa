"""Reads the contract that generation writes beside its code, and fits data to the schemas in it.

One walk serves both directions: an argument must fit without a finding; an answer is made to fit what the generated
models hold, and the findings say where it differs.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, cast

Schema = Mapping[str, Any]


@cache
def load_contract() -> Schema:
    """The contract of the generated package beside this module; read once."""
    return cast("Schema", json.loads((files(f"{__package__}._generated") / "contract.json").read_bytes()))


class Finding(NamedTuple):
    """Where data is not as its schema says, and what it must be. Never the data itself, which may be personal."""

    path: str
    problem: str


_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}

_MEASURED = {"string": "Length", "array": "Items", "integer": "imum", "number": "imum"}
"""How the keywords end that limit a kind of data."""

_LIMITS: dict[str, Callable[[Any, Any], object]] = {
    **dict.fromkeys(("minimum", "minLength", "minItems"), operator.ge),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), operator.le),
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


def fit(schema: Schema, data: Any, path: str, findings: list[Finding]) -> Any:
    """The data as a generated model takes it, or the `Finding` that says why no such model can hold it.

    Every difference from the schema is added to the findings. What is optional and cannot be held is left out; a scalar
    of the wrong type stays as it is.
    """
    while "$ref" in schema:
        schema = load_contract()["schemas"][schema["$ref"].removeprefix("#/schemas/")]
    for branch in schema.get("allOf", ()):
        data = fit(branch, data, path, findings)
    if isinstance(data, Finding):
        return data
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for branch in branches:
        differences: list[Finding] = []
        fitted = fit(branch, data, path, differences)
        if not differences:
            return fitted
    if branches:
        return _report(findings, path, "must be of one of the documented forms")
    kind = _KINDS.get(data.__class__, "null")
    named: str | list[str] = schema.get("type", kind)
    types = [named] if isinstance(named, str) else named
    if kind not in types and not (kind == "integer" and "number" in types):
        finding = _report(findings, path, f"must be of type {' or '.join(types)}, not {kind}")
        held = {"object", "array"}.isdisjoint([kind, *types]) and kind != "null" and "enum" not in schema
        return data if held else finding
    if "enum" in schema and not any(type(data) is type(value) and data == value for value in schema["enum"]):
        _report(findings, path, f"must be a documented value, such as {', '.join(map(repr, schema['enum'][:5]))}")
    for keyword, holds in _LIMITS.items():
        measured = keyword in schema and keyword.endswith(_MEASURED.get(kind, "none"))
        if measured and not holds(len(data) if kind in {"string", "array"} else data, schema[keyword]):
            _report(findings, path, f"must keep to {keyword} {schema[keyword]}")
    if kind == "string" and "pattern" in schema and not re.search(schema["pattern"], data):
        _report(findings, path, f"must match the pattern {schema['pattern']}")
    if kind == "array":
        items = [fit(schema.get("items", {}), item, f"{path}[{index}]", findings) for index, item in enumerate(data)]
        return [item for item in items if not isinstance(item, Finding)]
    return _fit_object(schema, data, path, findings) if kind == "object" else data


def _report(findings: list[Finding], path: str, problem: str) -> Finding:
    findings.append(Finding(path, problem))
    return findings[-1]


def _fit_object(schema: Schema, data: dict[str, Any], path: str, findings: list[Finding]) -> Any:
    required, properties = schema.get("required", ()), schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    if missing := [name for name in required if name not in data]:
        return _report(findings, f"{path}.{missing[0]}", "is missing")
    result: dict[str, Any] = {}
    for name, value in data.items():
        if others is False and name not in properties:
            _report(findings, f"{path}.{name}", "is not a documented property")
        child = properties.get(name, {} if others in (True, False) else others)
        fitted = fit(child, value, f"{path}.{name}", findings)
        if not isinstance(fitted, Finding):
            result[name] = fitted
        elif name in required:
            return fitted
    return result
