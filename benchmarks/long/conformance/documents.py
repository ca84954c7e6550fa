"""Reads the operations of an OpenAPI 3.0 or 3.1 document that is one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias, TypeGuard

import yaml

Json: TypeAlias = Any
"""JSON data."""

Node: TypeAlias = Mapping[str, Any]
"""An object of the document."""


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether JSON data is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether JSON data is an array."""
    return isinstance(value, list)


def is_container(value: object) -> bool:
    """Whether JSON data is an object or an array."""
    return is_object(value) or is_array(value)


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The methods of a path item, in the order of OpenAPI 3.1, section 4.8.9."""

DEFAULT_HOST = "https://host.example"
"""The host of a document that names none."""

IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI ignores parameters with these names (3.1, section 4.8.12.2)."""

DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
"""OpenAPI 3.1, section 4.8.12.2."""


@dataclass(frozen=True)
class MediaType:
    """The content of a body in one media type."""

    name: str
    schema: Json
    encoding: Node = field(default_factory=dict[str, Any])

    @property
    def main_name(self) -> str:
        """The name without parameters such as `charset`."""
        return self.name.partition(";")[0].strip()

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON text."""
        return self.main_name == "application/json" or self.main_name.endswith("+json")

    @property
    def is_text(self) -> bool:
        """Whether the body is a text that is no JSON."""
        return self.name.startswith("text/")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    place: str
    """The value of `in`."""
    is_required: bool
    schema: Json
    style: str
    explode: bool

    @property
    def key(self) -> str:
        """Identifies the parameter in its operation."""
        return f"{self.place} {self.name}"


@dataclass(frozen=True)
class Body:
    """The request body of an operation."""

    is_required: bool
    content: tuple[MediaType, ...]


@dataclass(frozen=True)
class Response:
    """A documented response."""

    key: str
    """The status, a range such as `4XX`, or `default`."""
    content: tuple[MediaType, ...]


@dataclass(frozen=True)
class Operation:
    """An operation of the document."""

    operation_id: str
    method: str
    """In upper case."""
    path: str
    tag: str
    """The first tag; empty without tags."""
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[Response, ...]
    sends_token: bool = True
    """Whether its requests have the token. A public operation gets none."""

    @property
    def name(self) -> str:
        """Method and path, as in the document."""
        return f"{self.method} {self.path}"


class Document:
    """A document whose references lead to itself."""

    def __init__(self, root: Node) -> None:
        self.root = root

    @classmethod
    def from_text(cls, text: str) -> Document:
        """Read YAML or JSON. Dates stay texts, as in JSON."""
        data: Json = yaml.load(text, Loader=_json_loader())  # noqa: S506  # a safe loader
        return cls(_without_dialect(data))

    def resolve(self, node: Json) -> Json:
        """The object that a reference leads to; any other object itself."""
        while is_object(node) and isinstance(node.get("$ref"), str):
            node = self.target(node["$ref"])
        return node

    def target(self, reference: str) -> Json:
        """The object at a JSON pointer of this document."""
        node: Json = self.root
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            node = node[int(name)] if is_array(node) else node[name]
        return node

    def operations(self) -> Iterator[Operation]:
        """All operations, in the order of the document."""
        for path, reference in self.root["paths"].items():
            item = self.resolve(reference)
            for method in METHODS:
                if method in item:
                    yield self._operation(path, item, method)

    def base_url(self) -> str:
        """The URL of the first server, with the defaults of its variables.

        A client of a document without a host gets `DEFAULT_HOST`.
        """
        url = self._first_url()
        if "//" in url:
            return url
        return f"{DEFAULT_HOST}/{url.lstrip('/')}".rstrip("/")

    def has_default_base_url(self) -> bool:
        """Whether a client knows its base URL from the document, and accepts it."""
        return self._first_url().lower().startswith("https://")

    def _first_url(self) -> str:
        servers: list[Any] = self.root.get("servers", [])
        # The operations can have one server, which the document does not repeat.
        for item in self.root["paths"].values():
            owners = [item, *(item[method] for method in METHODS if method in item)]
            servers = servers or [server for owner in owners for server in owner.get("servers", [])]
        if not servers:
            return "/"
        url: str = servers[0]["url"]
        for name, variable in servers[0].get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable["default"]))
        return url

    def _sends_token(self, node: Node) -> bool:
        """Whether a bearer token meets a requirement, or the document requires nothing."""
        requirements = node.get("security", self.root.get("security"))
        if requirements is None:
            return True
        return any(
            requirement and all(self._is_bearer(name) for name in requirement)
            for requirement in requirements
        )

    def _is_bearer(self, name: str) -> bool:
        scheme = self.resolve(self.root["components"]["securitySchemes"][name])
        if scheme["type"] == "http":
            return bool(scheme["scheme"].lower() == "bearer")
        return scheme["type"] in {"oauth2", "openIdConnect"}

    def _operation(self, path: str, item: Node, method: str) -> Operation:
        node = item[method]
        parameters: dict[tuple[str, str], Parameter] = {}
        # The operation's parameters replace those of its path.
        for reference in [*item.get("parameters", []), *node.get("parameters", [])]:
            parameter = _parameter(self.resolve(reference))
            if parameter.place == "header" and parameter.name.lower() in IGNORED_HEADERS:
                continue
            parameters[parameter.place, parameter.name] = parameter
        responses: list[Response] = []
        for key, reference in node["responses"].items():
            response = self.resolve(reference)
            responses.append(Response(str(key), _content(response)))
        tags = node.get("tags", [])
        return Operation(
            operation_id=node["operationId"],
            method=method.upper(),
            path=path,
            tag=tags[0] if tags else "",
            parameters=tuple(parameters.values()),
            body=self._body(node),
            responses=tuple(responses),
            sends_token=self._sends_token(node),
        )

    def _body(self, node: Node) -> Body | None:
        if "requestBody" not in node:
            return None
        body = self.resolve(node["requestBody"])
        return Body(body.get("required", False), _content(body))


def _content(node: Node) -> tuple[MediaType, ...]:
    return tuple(
        MediaType(name, media.get("schema", {}), media.get("encoding", {}))
        for name, media in node.get("content", {}).items()
    )


def _parameter(node: Node) -> Parameter:
    place = node["in"]
    style = node.get("style", DEFAULT_STYLES[place])
    return Parameter(
        name=node["name"],
        place=place,
        is_required=node.get("required", False),
        schema=node.get("schema", {}),
        style=style,
        explode=node.get("explode", style == "form"),
    )


@cache
def _json_loader() -> type[yaml.SafeLoader]:
    """A loader of YAML as JSON data: dates are texts. The one in C is faster, where it exists."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [entry for entry in entries if not entry[0].endswith(":timestamp")]
        for first, entries in base.yaml_implicit_resolvers.items()
    }
    return type("JsonLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def _without_dialect(node: Json) -> Json:
    """The keywords of OpenAPI 3.0 in the form of 3.1, and all names as texts."""
    if is_array(node):
        return [_without_dialect(item) for item in node]
    if not is_object(node):
        return node
    changed: dict[str, Json] = {}
    for name, value in node.items():
        # Examples and defaults are data, not schemas.
        is_data = name in {"example", "examples", "default", "enum", "const"}
        changed[str(name)] = value if is_data else _without_dialect(value)
    if changed.get("nullable") is True:
        _make_nullable(changed)
    for limit in ("minimum", "maximum"):
        exclusive = f"exclusive{limit.capitalize()}"
        if changed.get(exclusive) is True:
            changed[exclusive] = changed.pop(limit)
        elif changed.get(exclusive) is False:
            del changed[exclusive]
    return changed


def _make_nullable(schema: dict[str, Json]) -> None:
    del schema["nullable"]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    for keyword in ("$ref", "allOf"):
        if keyword in schema:
            schema["anyOf"] = [{keyword: schema.pop(keyword)}, {"type": "null"}]
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema and {"type": "null"} not in schema[keyword]:
            schema[keyword] = [*schema[keyword], {"type": "null"}]
