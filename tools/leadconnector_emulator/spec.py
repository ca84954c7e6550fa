"""Reads the spec into what the emulator enforces: operations with a compiled schema for each parameter and body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import yaml
from jsonschema_rs import Draft202012Validator, ValidationError

SPEC = Path(__file__).with_name("openapi.yaml")
"""The spec that this package was released with; in a checkout a link to `spec/openapi.yaml`."""

Schema = dict[str, Any]
_NAMES = re.compile(r"\{([^}]*)\}")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Validated:
    """A JSON schema, and what checks data against it."""

    schema: Schema
    components: Schema

    @cached_property
    def _validator(self) -> Draft202012Validator:
        """Finds the document's components where references look for them."""
        return Draft202012Validator(
            {**self.schema, "components": self.components}, validate_formats=True
        )

    def problems(self, data: Any) -> list[str]:
        """A sentence for every way in which data does not fit, each naming its place, in the order of the places."""
        found = [
            (".".join(map(str, error.instance_path)), error.message)
            for error in self._validator.iter_errors(data)
        ]
        return [f"{place}: {message}" if place else message for place, message in sorted(found)]

    def fits(self, data: Any) -> bool:
        """Whether there is no problem at all."""
        return self._validator.is_valid(data)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    location: str
    required: bool
    schema: Validated
    array: bool = False
    """Whether it may have several values."""
    explode: bool = True
    """Whether each of them is a parameter of its own; else one text has them all, with commas."""

    def fits(self, texts: list[str]) -> bool:
        """Whether the texts stand for a documented value: in a URL or a header, numbers and booleans are texts too."""
        if self.array and not self.explode:
            texts = texts[0].split(",")
        read = [_read(text) for text in texts]
        return any(self.schema.fits(found if self.array else found[0]) for found in (texts, read))


@dataclass(frozen=True)
class Shape:
    """Where in an answer the resource is, or the list of resources, and what a resource looks like there."""

    name: str | None
    """The property of the answer that has it; `None` where it is the whole answer."""
    listed: bool
    properties: Mapping[str, Validated]
    required: frozenset[str]
    sample: Schema
    """A resource that is made of the examples."""

    def shows(self, resource: Schema) -> Schema:
        """The part of a resource that an answer has; what it requires and the resource has not is an example's."""
        held = {
            **{name: value for name, value in self.sample.items() if name in self.required},
            **resource,
        }
        return {name: deepcopy(held[name]) for name in self.properties if name in held}

    def takes(self, name: str, value: Any) -> bool:
        """Whether a resource may have this value."""
        return name not in self.properties or self.properties[name].fits(value)


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
    """By status; `None` where the spec documents no JSON."""
    rate_limit_key: str | None
    """The property of the body, or the parameter, that the spec marks with the role `rate-limit-key`."""
    body_properties: frozenset[str]
    shape: Shape | None
    """Where the answer of a success has the resource."""

    @cached_property
    def collection(self) -> str:
        """What the resources of this path are called: its first fixed part."""
        return next(
            (part for part in self.path.split("/") if part and not part.startswith("{")), ""
        )

    @cached_property
    def success(self) -> tuple[int, Validated | None]:
        """The first documented answer of status 2XX."""
        for status, content in self.responses.items():
            if status.startswith("2"):
                return int(status.replace("X", "0")), content
        return 200, self.responses.get("default")

    def path_values(self, path: str) -> dict[str, str]:
        """The path parameters that a raw path gives, percent-decoded, in their order."""
        found = self.pattern.fullmatch(path)
        return (
            dict(zip(_NAMES.findall(self.path), map(unquote, found.groups()), strict=True))
            if found
            else {}
        )

    def resource_id(self, path: str) -> str | None:
        """The id that a raw path names: its last parameter; `None` where the path has no parameter."""
        return next(reversed(self.path_values(path).values()), None)

    def answer(self, status: int) -> Validated | None:
        """What is documented for a status, by itself, by its class or by default."""
        named = (str(status), f"{status // 100}XX", "default")
        return next((self.responses[name] for name in named if name in self.responses), None)


class Spec:
    """A loaded spec.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no YAML, or no OpenAPI document; the message says what is missing.
    """

    def __init__(self, path: Path = SPEC) -> None:
        try:
            root: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
            self.root = cast("dict[str, Any]", root)
            self._samples: dict[int, tuple[Any, Any]] = {}
            self._check_references(self.root)
            self.components: Schema = self.root.get("components", {})
            self.operations = tuple(self._operations())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: is no YAML: {str(error).splitlines()[0]}") from error
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError) as error:
            raise ValueError(f"{path}: is no OpenAPI document: {error!r}") from error
        except ValidationError as error:
            raise ValueError(f"{path}: has a schema that is none: {error.message}") from error
        if not self.operations:
            raise ValueError(f"{path}: has no operation")

    def _check_references(self, node: Any) -> None:
        """Refuse what a validator would fetch from elsewhere, and what leads back to itself."""
        if node.__class__ is dict:
            seen: list[str] = []
            target: Any = node
            while target.__class__ is dict and isinstance(target.get("$ref"), str):
                reference: str = target["$ref"]
                if not reference.startswith("#/") or reference in seen:
                    raise ValueError(
                        f"the reference {reference!r} leads outside the document, or back to itself"
                    )
                seen.append(reference)
                target = self.root
                for part in reference.removeprefix("#/").split("/"):
                    target = target[part.replace("~1", "/").replace("~0", "~")]
            for value in node.values():
                self._check_references(value)
        elif node.__class__ is list:
            for value in node:
                self._check_references(value)

    def resolve(self, node: Any) -> Any:
        """Follow `$ref` within the document; what stands beside one goes before what it refers to."""
        beside: dict[str, Any] = {}
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.root
            beside = {
                name: value
                for name, value in cast("dict[str, Any]", node).items()
                if name != "$ref"
            } | beside
            for part in cast("str", node["$ref"]).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        if isinstance(node, bool):  # as a schema: anything, or nothing
            return dict[str, Any]() if node else {"not": dict[str, Any]()}
        return cast("dict[str, Any]", node) | beside if beside else cast("Any", node)

    def properties(self, schema: Any) -> dict[str, Schema]:
        """The properties of an object schema, `allOf` included, each resolved."""
        schema = self.resolve(schema)
        found: dict[str, Schema] = {}
        for branch in schema.get("allOf", []):
            found |= self.properties(branch)
        return found | {
            name: self.resolve(child) for name, child in schema.get("properties", {}).items()
        }

    def required(self, schema: Any) -> list[str]:
        """The required properties of an object schema, `allOf` included."""
        schema = self.resolve(schema)
        inherited = [name for branch in schema.get("allOf", []) for name in self.required(branch)]
        return [*inherited, *schema.get("required", [])]

    def sample(self, schema: Any) -> Any:
        """Data that fits a schema: its example where it has one, else the simplest."""
        if id(schema) not in self._samples:
            self._samples[id(schema)] = schema, self._sample(schema, 0)
        return deepcopy(self._samples[id(schema)][1])

    def _sample(self, schema: Any, depth: int) -> Any:
        schema = self.resolve(schema)
        for key in ("example", "default", "const"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if key in schema:
                return schema[key][0]
        if properties := self.properties(schema):
            required = self.required(schema)
            names = properties if depth < 4 else required  # a schema may contain itself
            found = {
                name: self._sample(properties[name], depth + 1)
                for name in names
                if name in properties
            }
            return {
                name: value
                for name, value in found.items()
                if name in required or self._validated(properties[name]).fits(value)
            }
        for key in ("oneOf", "anyOf", "allOf"):
            if branches := schema.get(key):
                ends = [branch for branch in branches if self.resolve(branch).get("type") == "null"]
                return self._sample(ends[0] if ends and depth >= 4 else branches[0], depth + 1)
        kinds = schema.get("type", "null")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        if kind == "array":
            return [
                self._sample(schema.get("items", {}), depth + 1)
                for _ in range(schema.get("minItems", 0))
            ]
        if kind in {"integer", "number"}:
            return _number(schema)
        if kind == "string":
            text = _FORMATTED.get(schema.get("format", ""), "")
            return text.ljust(schema.get("minLength", 0), "a")
        return {"boolean": False, "object": dict[str, Any]()}.get(kind)

    def shape(self, schema: Any) -> Shape | None:
        """Where an answer of this schema has the resource, or a list of them."""
        properties = self.properties(schema)
        whole = (
            cast("dict[str, Any]", sample)
            if isinstance(sample := self.sample(schema), dict)
            else dict[str, Any]()
        )
        if self.resolve(schema).get("type") == "array":
            items = self.resolve(schema).get("items", {})
            return self._shape(None, items, self.sample(items), listed=True)
        if "id" in properties:
            return self._shape(None, schema, whole)
        inner = {name: child for name, child in properties.items() if self.properties(child)}
        for name in sorted(inner, key=lambda name: "id" not in self.properties(inner[name])):
            return self._shape(name, inner[name], whole.get(name))
        for name, child in properties.items():
            if child.get("type") == "array" and self.properties(child.get("items", {})):
                return self._shape(name, child["items"], self.sample(child["items"]), listed=True)
        return None

    def _shape(self, name: str | None, schema: Any, sample: Any, *, listed: bool = False) -> Shape:
        properties = {
            each: self._validated(child) for each, child in self.properties(schema).items()
        }
        resource = cast("Schema", sample) if isinstance(sample, dict) else dict[str, Any]()
        return Shape(name, listed, properties, frozenset(self.required(schema)), resource)

    def _operations(self) -> Iterator[Operation]:
        for template, raw in self.root["paths"].items():
            item = self.resolve(raw)
            for method in _METHODS:
                if method in item:
                    yield self._operation(method, template, item[method], item)

    def _operation(self, method: str, template: str, node: Schema, item: Schema) -> Operation:
        raw = [
            self.resolve(parameter)
            for parameter in [*node.get("parameters", []), *item.get("parameters", [])]
        ]
        parameters = {
            (parameter["name"], parameter["in"]): parameter for parameter in reversed(raw)
        }
        body = self.resolve(node.get("requestBody", {}))
        content = self._content(body)
        security = node.get("security", self.root.get("security", []))
        marked = [
            parameter["name"] for parameter in raw if parameter.get("x-role") == "rate-limit-key"
        ]
        described = self.properties(content.schema) if content else {}
        marked += [
            name for name, schema in described.items() if schema.get("x-role") == "rate-limit-key"
        ]
        answers = {
            str(code): self._content(self.resolve(answer))
            for code, answer in node["responses"].items()
        }
        success = next(
            (found for code, found in answers.items() if code.startswith("2")),
            answers.get("default"),
        )
        return Operation(
            method=method.upper(),
            path=template,
            pattern=re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template))),
            secured=bool(security) and {} not in security,
            parameters=tuple(
                self._parameter(name, location, found)
                for (name, location), found in parameters.items()
            ),
            body_required=body.get("required", False),
            body=content,
            responses=answers,
            rate_limit_key=marked[0] if marked else None,
            body_properties=frozenset(described),
            shape=self.shape(success.schema) if success else None,
        )

    def _parameter(self, name: str, location: str, found: Schema) -> Parameter:
        schema = self.resolve(found["schema"])
        types = schema.get("type", "")
        array = "array" in ([types] if isinstance(types, str) else types)
        explode = found.get("explode", location == "query")
        return Parameter(
            name, location, found.get("required", False), self._validated(schema), array, explode
        )

    def _content(self, node: Schema) -> Validated | None:
        media = node.get("content", {}).get("application/json")
        return None if media is None else self._validated(media["schema"])

    def _validated(self, schema: Schema) -> Validated:
        validated = Validated(self.resolve(schema), self.components)
        validated.fits(
            None
        )  # a schema that is none is said to be so here, not when the first request comes
        return validated


class _Loader(yaml.SafeLoader):
    """Reads YAML as JSON's types only: a date stays the text that it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_FORMATTED = {
    "date": "2021-07-28",
    "date-time": "2021-07-28T00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def _number(schema: Schema) -> float:
    """Nought, or what is nearest to it within the bounds."""
    step: float = schema.get("multipleOf", 1)
    lowest: float | None = schema.get("minimum")
    highest: float | None = schema.get("maximum")
    if "exclusiveMinimum" in schema:
        lowest = schema["exclusiveMinimum"] + step
    if "exclusiveMaximum" in schema:
        highest = schema["exclusiveMaximum"] - step
    if lowest is not None and lowest > 0:
        return -(-lowest // step) * step
    return highest // step * step if highest is not None and highest < 0 else 0


def _read(text: str) -> Any:
    """The number or boolean that a text stands for, else the text."""
    if text in {"true", "false"}:
        return text == "true"
    return json.loads(text) if _NUMBER.fullmatch(text) else text


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,307})(\.[0-9]{1,307})?([eE][+-]?[0-9]{1,2})?")
