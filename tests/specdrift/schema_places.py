"""Finds the places of an OpenAPI document that an edit can change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from specdrift.model.document import is_list, is_mapping

from tests.specdrift.documents import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SIMPLE_TYPES = ("string", "integer", "number", "boolean")
IGNORED_HEADERS = ("accept", "content-type", "authorization")


def resolved(document: Json, value: Any) -> Any:
    """Return the target of a reference within the document; the value itself without one."""
    seen = set[str]()
    while is_mapping(value) and isinstance(value.get("$ref"), str):
        reference: str = value["$ref"]
        if not reference.startswith("#/") or reference in seen:
            return value
        seen.add(reference)
        target: Any = document
        for key in reference.removeprefix("#/").split("/"):
            unescaped = key.replace("~1", "/").replace("~0", "~")
            if not is_mapping(target) or unescaped not in target:
                return value
            target = target[unescaped]
        value = target
    return value


@dataclass(frozen=True)
class SchemaPlace:
    """A place of a document that contains a schema."""

    container: Any
    """The mapping or list around the schema."""
    key: Any
    """The key or index of the schema in its container."""
    is_branch: bool = False
    """Whether it is a branch of `oneOf` or `anyOf`."""
    is_discriminated: bool = False
    """Whether it is a branch of a union with a discriminator.

    The name of such a branch is data: the property that the discriminator names contains it.
    """

    @property
    def schema(self) -> Any:
        """The schema."""
        return self.container[self.key]

    def replace(self, schema: Any) -> None:
        """Put another schema in this place."""
        self.container[self.key] = schema


@dataclass(frozen=True)
class Operation:
    """An operation of a document."""

    path: str
    method: str
    path_item: Json
    node: Json

    @property
    def name(self) -> str:
        """The name, as changes contain it."""
        return f"{self.method.upper()} {self.path}"


def operations(document: Json) -> list[Operation]:
    """Return the operations of a document."""
    found = list[Operation]()
    for path, path_item in document.get("paths", {}).items():
        for method in METHODS:
            if method in path_item and is_mapping(path_item[method]):
                found.append(Operation(path, method, path_item, path_item[method]))
    return found


def elements(document: Json) -> Iterator[tuple[Any, Any]]:
    """Yield each parameter, header, body and response that is written in place.

    Each has the form container and key.
    """
    for operation in operations(document):
        for owner in (operation.path_item, operation.node):
            yield from _entries(owner.get("parameters"))
        if "requestBody" in operation.node:
            yield operation.node, "requestBody"
        yield from _entries(operation.node.get("responses"))
    components = document.get("components", {})
    for kind in ("parameters", "headers", "requestBodies", "responses"):
        yield from _entries(components.get(kind))


def _entries(container: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the entries of a mapping or list that are mappings, as container and key."""
    if is_mapping(container):
        keys: list[Any] = list(container)
    elif is_list(container):
        keys = list(range(len(container)))
    else:
        return
    for key in keys:
        if is_mapping(container[key]):
            yield container, key


def schema_places(document: Json) -> list[SchemaPlace]:
    """Return the places of all schemas."""
    places = list[SchemaPlace]()
    schemas = document.get("components", {}).get("schemas", {})
    places += [SchemaPlace(schemas, name) for name in schemas]
    for container, key in elements(document):
        places += _places_of_element(container[key])
    # The list grows while the places below each schema are appended. YAML aliases let two places
    # share one container.
    seen = set[tuple[int, Any]]()
    for place in places:
        if (id(place.container), place.key) not in seen:
            seen.add((id(place.container), place.key))
            places += _places_below(place.schema)
    return places


def _places_of_element(element: Json) -> Iterator[SchemaPlace]:
    if "schema" in element:
        yield SchemaPlace(element, "schema")
    for container, media_type in _entries(element.get("content")):
        if "schema" in container[media_type]:
            yield SchemaPlace(container[media_type], "schema")
    for container, name in _entries(element.get("headers")):
        yield from _places_of_element(container[name])


def _places_below(schema: Any) -> Iterator[SchemaPlace]:
    if not is_mapping(schema) or "$ref" in schema:
        return
    properties = schema.get("properties")
    # A rewrite can replace the mapping by a reference to it.
    if is_mapping(properties) and not isinstance(properties.get("$ref"), str):
        for name in properties:
            yield SchemaPlace(properties, name)
    for keyword in ("items", "additionalProperties", "not"):
        if keyword in schema:
            yield SchemaPlace(schema, keyword)
    combinations = [keyword for keyword in ("allOf", "oneOf", "anyOf") if keyword in schema]
    for keyword in combinations:
        is_branch = keyword != "allOf"
        # The keyword beside a union can be a reference to a schema with a discriminator.
        is_discriminated = "discriminator" in schema or len(combinations) > 1
        for index in range(len(schema.get(keyword, []))):
            yield SchemaPlace(schema[keyword], index, is_branch, is_discriminated)


@dataclass
class ReachedSchema:
    """A schema of bodies, parameters or headers that operations reach in one direction."""

    schema: Json
    """The schema itself, after its references."""
    operations: set[str] = field(default_factory=set[str])
    """The names of the operations."""


class Reachability:
    """Finds which operations reach which schemas, in one direction of the data.

    It walks only where an edit certainly has an effect: through properties, items and references.
    A union can accept what one of its branches rejects, so it does not walk into the branches. A
    property that is never sent or never returned has no effect. Of parameters and headers it only
    reaches the schema itself.
    """

    def __init__(self, document: Json, direction: str) -> None:
        self._document = document
        self._unused_flag = "readOnly" if direction == "request" else "writeOnly"
        self._reached = dict[int, ReachedSchema]()
        self._unions = dict[int, ReachedSchema]()
        for operation in operations(document):
            for schema in self._entrances(operation, direction):
                self._walk(schema, operation.name)
            for schema in self._simple_entrances(operation, direction):
                self._reach(schema, operation.name)

    def schemas(self, condition: Callable[[Json], bool]) -> list[ReachedSchema]:
        """Return the schemas without combinations that meet a condition."""
        return [reached for reached in self._reached.values() if condition(reached.schema)]

    def unions(self, condition: Callable[[Json], bool]) -> list[ReachedSchema]:
        """Return the schemas that consist of one `oneOf` or `anyOf`, and that meet a condition."""
        return [reached for reached in self._unions.values() if condition(reached.schema)]

    def property_schema(self, schema: Json, name: str) -> Json | None:
        """Return the schema of a property, after its references; None if it has no effect."""
        property_schema = resolved(self._document, schema["properties"][name])
        if not self._has_effect(property_schema):
            return None
        result: Json = property_schema
        return result

    def _entrances(self, operation: Operation, direction: str) -> Iterator[Any]:
        for body in self._bodies(operation, direction):
            for media in body.get("content", {}).values():
                if "schema" in media:
                    yield media["schema"]

    def _bodies(self, operation: Operation, direction: str) -> Iterator[Json]:
        if direction == "request":
            if "requestBody" in operation.node:
                yield resolved(self._document, operation.node["requestBody"])
            return
        for status, response in operation.node["responses"].items():
            if str(status).startswith("2"):
                yield resolved(self._document, response)

    def _simple_entrances(self, operation: Operation, direction: str) -> Iterator[Any]:
        """Yield the schemas of parameters or of headers, if each is text or a number."""
        owners = list[Any]()
        if direction == "request":
            owners += operation.path_item.get("parameters", [])
            owners += operation.node.get("parameters", [])
        else:
            for response in self._bodies(operation, direction):
                owners += _response_headers(response)
        for owner in owners:
            element = resolved(self._document, owner)
            schema = resolved(self._document, element.get("schema"))
            is_simple = is_mapping(schema) and schema.get("type") in SIMPLE_TYPES
            if is_simple and not _is_ignored_header(element):
                yield schema

    def _walk(self, entrance: Any, operation: str) -> None:
        waiting = [entrance]
        while waiting:
            schema = resolved(self._document, waiting.pop())
            if not self._reach(schema, operation):
                continue
            if is_mapping(schema.get("properties")):
                waiting += schema["properties"].values()
            if "items" in schema:
                waiting.append(schema["items"])

    def _reach(self, schema: Any, operation: str) -> bool:
        """Record a schema. Return whether the schemas below it are to be reached as well."""
        if self._is_union(schema):
            union = self._unions.setdefault(id(schema), ReachedSchema(schema))
            union.operations.add(operation)
            return False
        if not self._has_effect(schema):
            return False
        reached = self._reached.setdefault(id(schema), ReachedSchema(schema))
        if operation in reached.operations:
            return False
        reached.operations.add(operation)
        return True

    def _is_used(self, schema: Any) -> bool:
        return is_mapping(schema) and not schema.keys() & {"$ref", self._unused_flag}

    def _has_effect(self, schema: Any) -> bool:
        if not self._is_used(schema):
            return False
        return not schema.keys() & {"allOf", "anyOf", "oneOf", "not", "const", "if"}

    def _is_union(self, schema: Any) -> bool:
        if not self._is_used(schema):
            return False
        if schema.keys() & {"allOf", "not", "const", "if", "enum", "nullable", "properties"}:
            return False
        return len(schema.keys() & {"oneOf", "anyOf"}) == 1


def _response_headers(response: Json) -> list[Any]:
    """OpenAPI 3.1, "Response Object": a header named `Content-Type` is ignored."""
    headers = response.get("headers", {})
    return [headers[name] for name in headers if name.lower() != "content-type"]


def _is_ignored_header(parameter: Json) -> bool:
    """OpenAPI 3.1, "Parameter Object": header parameters of these names are ignored."""
    return parameter.get("in") == "header" and parameter["name"].lower() in IGNORED_HEADERS
