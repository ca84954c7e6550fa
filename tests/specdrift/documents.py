"""Small OpenAPI documents for the tests of the comparison."""

from typing import Any

from specdrift import compare
from specdrift.model.document import is_list, is_mapping

Json = dict[str, Any]
OBJECT: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
}
PET: Json = {**OBJECT, "required": ["name"]}


def api(
    request: Any = None,
    response: Any = None,
    components: Json | None = None,
    version: str = "3.1.0",
    path: str = "/pets/{id}",
    **operation: Any,
) -> Json:
    """Return a document with one operation, with the schemas of its request and response body."""
    success: Json = {"description": ""}
    if response is not None:
        success["content"] = {"application/json": {"schema": response}}
    put: Json = {"responses": {"200": success}, **operation}
    if request is not None:
        put["requestBody"] = {"content": {"application/json": {"schema": request}}}
    return {"openapi": version, "paths": {path: {"put": put}}, "components": components or {}}


def request_and_response(schema: Any, **options: Any) -> Json:
    """Return a document with one schema for the request body and the response body."""
    return api(schema, schema, **options)


def header(schema: Any, name: str = "X-Trace", **keywords: Any) -> Json:
    """Return a document whose operation has one header parameter."""
    return api(parameters=[{"name": name, "in": "header", "schema": schema, **keywords}])


def reported(base: Json, revision: Json) -> list[str]:
    """Return the severity and id of each change, sorted."""
    return sorted(f"{change.level} {change.id}" for change in compare(base, revision))


def reordered(value: Any) -> Any:
    """Return an equivalent document: every mapping and every unordered list is reversed."""
    if is_mapping(value):
        return {key: reordered(item) for key, item in reversed(value.items())}
    if is_list(value) and all(isinstance(item, str | dict) for item in value):
        return [reordered(item) for item in reversed(value)]
    return value


SCHEMES: Json = {
    "a": {"type": "http", "scheme": "bearer"},
    "k": {"type": "apiKey", "in": "header", "name": "X-Key"},
}
WIDE: Json = api(
    PET,
    {"oneOf": [PET, {"type": "array", "items": PET}]},
    {"securitySchemes": SCHEMES},
    security=[{"a": []}, {"k": []}],
    parameters=[
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "state", "in": "query", "schema": {"enum": ["on", "off"]}},
    ],
)
REF = {"$ref": "#/components/schemas/Pet"}
PETS = {"schemas": {"Pet": PET}}
CAT: Json = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cat"}}}
DOG: Json = {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dog"}}}


def object_with(schema: Json) -> Json:
    """Return an object with one property."""
    return {"type": "object", "properties": {"a": schema}}


TEXT: Json = {"type": "string"}
