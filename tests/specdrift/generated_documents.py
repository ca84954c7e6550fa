"""Hypothesis strategies for OpenAPI documents with several operations."""

from typing import Any

from hypothesis import strategies as st

from tests.specdrift.documents import CAT, DOG, PET, REF, SCHEMES, TEXT, Json

CHOICES = st.randoms(use_true_random=False)
"""Sources of the random choices that an edit makes."""

NAMES = st.sampled_from(["a", "b", "c"])
SELF = {"$ref": "#/components/schemas/Self"}
ANIMAL = {"$ref": "#/components/schemas/Animal"}

ORDINARY_SCHEMAS = [
    TEXT,
    {"type": "integer", "minimum": 1},
    {"type": "number", "maximum": 10},
    {"type": "boolean"},
    {"type": "string", "maxLength": 20},
    {"type": "string", "enum": ["x", "y", "z"]},
    REF,
    SELF,
    ANIMAL,
]
UNUSUAL_SCHEMAS = [
    {},
    True,
    False,
    {"const": 1},
    {"enum": ["x", "y"], "default": "x"},
    {"type": ["integer", "null"], "minimum": 1},
    {"$ref": "#/nowhere"},
]


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={"required": st.lists(NAMES, unique=True)},
    )


def _lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(1, 9)}
    )


def _closed_objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "type": st.just("object"),
            "properties": st.dictionaries(NAMES, inner, min_size=1, max_size=3),
            "additionalProperties": st.just(False),
        }
    )


def _unusual_compounds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "required": st.lists(NAMES, unique=True),
            "additionalProperties": inner,
            "allOf": several,
        },
    )
    unions = st.fixed_dictionaries(
        {}, optional={"oneOf": several, "anyOf": several, "not": inner, "nullable": st.booleans()}
    )
    return objects | _lists(inner) | unions


def _ordinary_compounds(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _objects(inner) | _lists(inner) | _closed_objects(inner)


ORDINARY = st.recursive(st.sampled_from(ORDINARY_SCHEMAS), _ordinary_compounds, max_leaves=8)
"""Schemas that restrict values in one obvious way. Every edit of them has an obvious effect."""
ANY = st.recursive(
    st.sampled_from([*ORDINARY_SCHEMAS, *UNUSUAL_SCHEMAS]), _unusual_compounds, max_leaves=8
)
"""Schemas with every keyword, also contradictory ones."""


def _json_content(schema: Any) -> Json:
    return {"application/json": {"schema": schema}}


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


def _components(self_schema: Any) -> Json:
    mapping = {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"}
    animal = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return {
        "schemas": {"Pet": PET, "Self": self_schema, "Cat": CAT, "Dog": DOG, "Animal": animal},
        "securitySchemes": SCHEMES,
    }


def _document(schemas: list[Any], is_required: bool) -> Json:
    """Return a document with a schema in each kind of place that has one."""
    query, header, request, response, response_header, self_schema, element = schemas
    put: Json = {
        "operationId": "replace",
        "security": [{"a": []}, {"k": []}],
        "parameters": [
            {"name": "q", "in": "query", "required": is_required, "schema": query},
            {"name": "X-Trace", "in": "header", "schema": header},
        ],
        "requestBody": {"required": is_required, "content": _json_content(request)},
        "responses": {
            "200": {
                "description": "",
                "headers": {"X-Left": {"required": is_required, "schema": response_header}},
                "content": _json_content(response),
            },
            "404": {"description": ""},
        },
    }
    get = {"responses": {"200": {"description": "", "content": _json_content(REF)}}}
    listing = {"type": "array", "items": element}
    post = {
        "requestBody": {"content": _json_content(element)},
        "responses": {"201": {"description": "", "content": _json_content(listing)}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {
            "/pets/{id}": {"parameters": [_path_parameter("id")], "put": put, "get": get},
            "/pets": {"post": post},
        },
        "components": _components(self_schema),
    }


def documents(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Return a strategy of documents that contain such schemas."""
    return st.builds(_document, st.lists(schemas, min_size=7, max_size=7), st.booleans())
