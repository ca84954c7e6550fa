"""Reads the spec into what the emulator enforces: operations with a schema validator for each parameter and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

SPEC = Path(__file__).with_name("openapi.yaml")
"""The spec that this package was released with; in a checkout a link to `spec/openapi.yaml`."""

Schema = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Validated:
    """A JSON schema, and what checks data against it."""

    schema: Schema
    components: Schema

    @cached_property
    def _validator(self) -> Any:
        """Finds the document's components where references look for them."""
        return Draft202012Validator({**self.schema, "components": self.components})

    def problems(self, data: Any) -> list[ValidationError]:
        """Every way in which data does not fit, in the order of their places."""
        found: list[ValidationError] = list(self._validator.iter_errors(data))
        return sorted(found, key=lambda problem: [str(part) for part in problem.absolute_path])


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    location: str
    required: bool
    schema: Validated


@dataclass(frozen=True)
class Operation:
    """One operation, ready to be enforced."""

    method: str
    path: str
    pattern: re.Pattern[str]
    secured: bool
    parameters: tuple[Parameter, ...]
    body_required: bool
    body: Validated | None
    responses: Mapping[str, Validated | None]

    @property
    def collection(self) -> str:
        """What the resources of this path are called: its first fixed part."""
        return next((part for part in self.path.split("/") if part and not part.startswith("{")), "")

    def resource_id(self, path: str) -> str | None:
        """The id that a raw path names: its last parameter, percent-decoded."""
        found = self.pattern.fullmatch(path)
        return unquote(found.groups()[-1]) if found and found.groups() else None


class Spec:
    """A loaded spec."""

    def __init__(self, path: Path = SPEC) -> None:
        self.root = cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))
        self.operations = tuple(
            self._operation(method, str(template), node, item)
            for template, item in self.root["paths"].items()
            for method, node in item.items()
            if method in _METHODS
        )

    def resolve(self, node: Any) -> Any:
        """Follow `$ref` within the document."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.root
            for part in cast("str", node["$ref"]).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return cast("Any", node)

    def sample(self, schema: Any) -> Any:
        """Data that fits a schema: its example where it has one, else the simplest."""
        schema = self.resolve(schema)
        if "example" in schema:
            return deepcopy(schema["example"])
        if "enum" in schema:
            return schema["enum"][0]
        if "properties" in schema:
            return {name: self.sample(child) for name, child in schema["properties"].items()}
        samples: dict[str, Any] = {"string": "", "number": 0, "integer": 0, "boolean": False, "array": [], "object": {}}
        return samples.get(schema.get("type", "null"))

    def _operation(self, method: str, template: str, node: Schema, item: Schema) -> Operation:
        raw = [*node.get("parameters", []), *item.get("parameters", [])]
        parameters = [self.resolve(parameter) for parameter in raw]
        body = self.resolve(node.get("requestBody", {}))
        security = node.get("security", self.root.get("security", []))
        return Operation(
            method=method.upper(),
            path=template,
            pattern=re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template))),
            secured=bool(security) and {} not in security,
            parameters=tuple(
                Parameter(
                    parameter["name"],
                    parameter["in"],
                    parameter.get("required", False),
                    self._validated(parameter["schema"]),
                )
                for parameter in parameters
            ),
            body_required=body.get("required", False),
            body=self._content(body),
            responses={str(code): self._content(self.resolve(answer)) for code, answer in node["responses"].items()},
        )

    def _content(self, node: Schema) -> Validated | None:
        media = node.get("content", {}).get("application/json")
        if media is None:
            return None
        return self._validated(media["schema"])

    def _validated(self, schema: Schema) -> Validated:
        return Validated(self.resolve(schema), self.root.get("components", {}))
