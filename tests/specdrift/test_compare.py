"""The engine that compares OpenAPI documents: what is the same, what differs, and what that means to who calls."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import Change, TooComplexError, compare
from specdrift.comparison.context import Context, Part, Pointers
from specdrift.model.document import is_list, is_mapping
from specdrift.rules import RULES, Direction

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
    """A document with one operation, with the schemas of its body and of its answer."""
    responses: Json = {
        "200": {"description": "", "content": {"application/json": {"schema": response}}}
    }
    found: Json = {
        "responses": responses if response is not None else {"200": {"description": ""}},
        **operation,
    }
    if request is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": request}}}
    return {"openapi": version, "paths": {path: {"put": found}}, "components": components or {}}


def both(schema: Any, **more: Any) -> Json:
    """A document with a schema as that of the body and of the answer."""
    return api(schema, schema, **more)


def header(schema: Any, name: str = "X-Trace", **more: Any) -> Json:
    return api(parameters=[{"name": name, "in": "header", "schema": schema, **more}])


def told(base: Json, revision: Json) -> list[str]:
    return sorted(f"{change.level} {change.id}" for change in compare(base, revision))


def reordered(value: Any) -> Any:
    """The same document with each mapping, and each list in which order means nothing, the other way round."""
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

SAME: dict[str, tuple[Json, Json]] = {
    "a reference inlined": (both(REF, components=PETS), both(PET)),
    "a reference renamed": (
        both(REF, components=PETS),
        both({"$ref": "#/components/schemas/Animal"}, components={"schemas": {"Animal": PET}}),
    ),
    "a reference through a reference": (
        both(REF, components=PETS),
        both(REF, components={"schemas": {"Pet": {"$ref": "#/components/schemas/P"}, "P": PET}}),
    ),
    "everything reordered": (WIDE, reordered(WIDE)),
    "an allOf flattened": (
        both({"allOf": [OBJECT, {"required": ["name"]}]}),
        both(PET),
    ),
    "an allOf of references flattened": (
        both({"allOf": [REF, {"properties": {"tag": {"type": "string"}}}]}, components=PETS),
        both({**PET, "properties": {**PET["properties"], "tag": {"type": "string"}}}),
    ),
    "an allOf around one schema": (both({"allOf": [PET]}), both(PET)),
    "an allOf within an allOf": (both({"allOf": [{"allOf": [PET]}, {}]}), both(PET)),
    "a part of an allOf that says nothing new": (
        both({"allOf": [PET]}),
        both({"allOf": [PET, OBJECT]}),
    ),
    "const and an enum of one value": (both({"const": "a"}), both({"enum": ["a"]})),
    "a type beside an enum that has no other": (
        both({"enum": ["a"]}),
        both({"type": "string", "enum": ["a"]}),
    ),
    "nullable and a null type": (
        both({"type": "string", "nullable": True}, version="3.0.3"),
        both({"type": ["string", "null"]}),
    ),
    "nullable and anyOf with null": (
        both({"type": "string", "nullable": True}, version="3.0.3"),
        both({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ),
    "nullable and oneOf with null": (
        both({"nullable": True, "allOf": [REF]}, version="3.0.3", components=PETS),
        both({"oneOf": [REF, {"type": "null"}]}, components=PETS),
    ),
    "a list of types and anyOf of types": (
        both({"type": ["string", "integer"]}),
        both({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    ),
    "integer beside number": (both({"type": ["integer", "number"]}), both({"type": "number"})),
    "a list of one type": (both({"type": ["string"]}), both({"type": "string"})),
    "exclusive bounds": (
        both({"type": "number", "minimum": 1, "exclusiveMinimum": True}, version="3.0.3"),
        both({"type": "number", "exclusiveMinimum": 1}),
    ),
    "bounds that exclude nothing": (
        both({"type": "number", "maximum": 9, "exclusiveMaximum": False}, version="3.0.3"),
        both({"type": "number", "maximum": 9.0}),
    ),
    "least lengths of nothing": (
        both({"type": "string", "minLength": 0}),
        both({"type": "string"}),
    ),
    "descriptions, titles and examples": (
        both(PET),
        both(
            {
                **PET,
                "description": "A pet",
                "title": "Pet",
                "example": {"name": "x"},
                "x-internal": 1,
            }
        ),
    ),
    "header names in another case": (
        header({"type": "string"}, "X-Trace"),
        header({"type": "string"}, "x-trace"),
    ),
    "the case of a media type": (
        api(requestBody={"content": {"application/json": {"schema": PET}}}),
        api(requestBody={"content": {"Application/JSON": {"schema": PET}}}),
    ),
    "a parameter of the path under another name": (
        api(
            parameters=[
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        ),
        api(
            path="/pets/{petId}",
            parameters=[
                {"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
        ),
    ),
    "a security scheme renamed": (
        api(security=[{"a": []}], components={"securitySchemes": SCHEMES}),
        api(
            security=[{"b": []}],
            components={"securitySchemes": {"b": SCHEMES["a"], "k": SCHEMES["k"]}},
        ),
    ),
    "security said of the document": (
        api(security=[{"a": []}], components={"securitySchemes": SCHEMES}),
        {**api(components={"securitySchemes": SCHEMES}), "security": [{"a": []}]},
    ),
    "a second security scheme of the same meaning": (
        api(components={"securitySchemes": SCHEMES}),
        api(components={"securitySchemes": {**SCHEMES, "again": SCHEMES["a"]}}),
    ),
    "no security in two ways": (api(security=[]), api(security=[{}])),
    "a parameter said of the path": (
        api(parameters=[{"name": "q", "in": "query", "schema": {"type": "string"}}]),
        {
            **api(),
            "paths": {
                "/pets/{id}": {
                    **api()["paths"]["/pets/{id}"],
                    "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                }
            },
        },
    ),
    "a reference by a name that a schema has": (
        both(REF, components=PETS),
        both({"$ref": "#pet"}, components={"schemas": {"Pet": {**PET, "$anchor": "pet"}}}),
    ),
    "a bound beside one that says more": (
        both({"type": "integer", "minimum": 5}),
        both({"type": "integer", "minimum": 5, "exclusiveMinimum": 4}),
    ),
    "bytes as OpenAPI 3.0 and 3.1 write them": (
        both({"type": "string", "format": "byte"}),
        both({"type": "string", "contentEncoding": "base64"}),
    ),
    "a file as OpenAPI 3.0 and 3.1 write it": (
        both({"type": "string", "format": "binary"}),
        both({"type": "string", "contentMediaType": "application/octet-stream"}),
    ),
    "the document's security where each operation has the same of its own": (
        {
            **api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
            "security": [{"a": []}],
        },
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
    ),
    "a union of one schema": (both({"oneOf": [PET]}), both(PET)),
    "how many of several schemas may hold, where one is told by its name": (
        both({"oneOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}),
        both({"anyOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}),
    ),
    "an array whose elements are any, in two ways": (
        both({"type": "array"}),
        both(
            {"type": "array", "items": {"$ref": "#/components/schemas/Any"}},
            components={"schemas": {"Any": True}},
        ),
    ),
    "a union that holds twice": (
        both({"allOf": [{"oneOf": [CAT, DOG]}, {"oneOf": [CAT, DOG]}]}),
        both({"oneOf": [CAT, DOG]}),
    ),
    "the order of parts of an allOf, one of which repeats a branch": (
        both({"allOf": [{"oneOf": [{}, CAT]}, {"oneOf": [CAT, CAT]}]}),
        both({"allOf": [{"oneOf": [CAT, CAT]}, {"oneOf": [CAT, {}]}]}),
    ),
    "a required property that is described nowhere": (
        both({"required": ["a"]}),
        both({"allOf": [{"required": ["a"]}]}),
    ),
    "additional properties of any kind": (both(PET), both({**PET, "additionalProperties": True})),
    "a component that nothing uses": (both(PET), both(PET, components=PETS)),
    "the style that is the default": (
        header({"type": "array", "items": {"type": "string"}}),
        header({"type": "array", "items": {"type": "string"}}, style="simple", explode=False),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_only_is_written_in_another_way_is_no_change(name: str) -> None:
    base, revision = SAME[name]
    assert told(base, revision) == []
    assert told(revision, base) == []


def prop(schema: Json) -> Json:
    return {"type": "object", "properties": {"a": schema}}


TEXT: Json = {"type": "string"}
# What differs; then what is told of a body and of an answer, and the same the other way round.
MOVES: dict[str, tuple[Json, Json, list[str], list[str]]] = {
    "a required property": (
        OBJECT,
        {**OBJECT, "properties": {**OBJECT["properties"], "b": TEXT}, "required": ["b"]},
        ["ERR new-required-request-property", "INFO response-required-property-added"],
        ["ERR response-required-property-removed", "WARN request-property-removed"],
    ),
    "an optional property": (
        OBJECT,
        {**OBJECT, "properties": {**OBJECT["properties"], "b": TEXT}},
        ["INFO new-optional-request-property", "INFO response-optional-property-added"],
        ["INFO response-optional-property-removed", "WARN request-property-removed"],
    ),
    "what is required": (
        OBJECT,
        PET,
        ["ERR request-property-became-required", "INFO response-property-became-required"],
        ["ERR response-property-became-optional", "INFO request-property-became-optional"],
    ),
    "a value of an enum": (
        prop({"enum": ["x"]}),
        prop({"enum": ["x", "y"]}),
        ["INFO request-property-enum-value-added", "WARN response-property-enum-value-added"],
        ["ERR request-property-enum-value-removed", "INFO response-property-enum-value-removed"],
    ),
    "a bound that became exclusive": (
        prop({"type": "integer", "minimum": 0}),
        prop({"type": "integer", "exclusiveMinimum": 0}),
        ["ERR request-property-exclusive-min-set", "INFO response-property-exclusive-min-set"],
        ["ERR response-property-exclusive-min-unset", "INFO request-property-exclusive-min-unset"],
    ),
    "null among the values of an enum": (
        prop({"type": ["string", "null"], "enum": ["x", None]}),
        prop({"type": ["string", "null"], "enum": ["x"]}),
        ["ERR request-property-became-not-nullable", "INFO response-property-became-not-nullable"],
        ["ERR response-property-became-nullable", "INFO request-property-became-nullable"],
    ),
    "a schema that nothing may be": (
        prop(TEXT),
        prop({**TEXT, "not": {}}),
        ["ERR request-property-not-added", "INFO response-property-not-added"],
        ["ERR response-property-not-removed", "INFO request-property-not-removed"],
    ),
    "an enum": (
        prop(TEXT),
        prop({**TEXT, "enum": ["x"]}),
        ["ERR request-property-became-enum", "INFO response-property-became-enum"],
        ["ERR response-property-became-not-enum", "INFO request-property-became-not-enum"],
    ),
    "null": (
        prop(TEXT),
        prop({"type": ["string", "null"]}),
        ["ERR response-property-became-nullable", "INFO request-property-became-nullable"],
        ["ERR request-property-became-not-nullable", "INFO response-property-became-not-nullable"],
    ),
    "a type that has the other": (
        prop({"type": "integer"}),
        prop({"type": "number"}),
        ["ERR response-property-type-generalized", "INFO request-property-type-generalized"],
        ["ERR request-property-type-changed", "INFO response-property-type-specialized"],
    ),
    "an upper bound": (
        prop({**TEXT, "maxLength": 5}),
        prop({**TEXT, "maxLength": 9}),
        [
            "ERR response-property-max-length-increased",
            "INFO request-property-max-length-increased",
        ],
        [
            "ERR request-property-max-length-decreased",
            "INFO response-property-max-length-decreased",
        ],
    ),
    "a lower bound": (
        prop({"type": "integer", "minimum": 5}),
        prop({"type": "integer", "minimum": 9}),
        ["ERR request-property-min-increased", "INFO response-property-min-increased"],
        ["ERR response-property-min-decreased", "INFO request-property-min-decreased"],
    ),
    "a bound where there was none": (
        prop({"type": "array"}),
        prop({"type": "array", "maxItems": 9}),
        ["ERR request-property-max-items-set", "INFO response-property-max-items-set"],
        ["ERR response-property-max-items-unset", "INFO request-property-max-items-unset"],
    ),
    "a pattern": (
        prop(TEXT),
        prop({**TEXT, "pattern": "^a"}),
        ["ERR request-property-pattern-added", "INFO response-property-pattern-added"],
        ["ERR response-property-pattern-removed", "INFO request-property-pattern-removed"],
    ),
    "a branch of a union": (
        {"oneOf": [CAT]},
        {"oneOf": [CAT, DOG]},
        ["INFO request-body-one-of-added", "WARN response-body-one-of-added"],
        ["ERR request-body-one-of-removed", "INFO response-body-one-of-removed"],
    ),
    "how many of several schemas may hold": (
        {"oneOf": [CAT, DOG]},
        {"anyOf": [CAT, DOG]},
        ["INFO request-body-one-of-generalized", "WARN response-body-one-of-generalized"],
        ["INFO response-body-any-of-specialized", "WARN request-body-any-of-specialized"],
    ),
    "a default": (
        prop(TEXT),
        prop({**TEXT, "default": "x"}),
        ["INFO request-property-default-value-added", "INFO response-property-default-value-added"],
        [
            "INFO request-property-default-value-removed",
            "INFO response-property-default-value-removed",
        ],
    ),
    "a property within a list within a property": (
        prop({"type": "array", "items": {"type": "object"}}),
        prop({"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}),
        ["INFO new-optional-request-property", "INFO response-optional-property-added"],
        ["INFO response-optional-property-removed", "WARN request-property-removed"],
    ),
    "a read-only property": (
        OBJECT,
        {
            **OBJECT,
            "properties": {**OBJECT["properties"], "b": {**TEXT, "readOnly": True}},
            "required": ["b"],
        },
        ["INFO new-required-request-property", "INFO response-required-property-added"],
        ["ERR response-required-property-removed", "INFO request-property-removed"],
    ),
    "a write-only property": (
        OBJECT,
        {
            **OBJECT,
            "properties": {**OBJECT["properties"], "b": {**TEXT, "writeOnly": True}},
            "required": ["b"],
        },
        ["ERR new-required-request-property", "INFO response-required-write-only-property-added"],
        ["INFO response-required-write-only-property-removed", "WARN request-property-removed"],
    ),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_request_must_not_narrow_and_a_response_must_not_widen(name: str) -> None:
    base, revision, forth, back = MOVES[name]
    assert told(both(base), both(revision)) == forth
    assert told(both(revision), both(base)) == back


OPERATIONS: dict[str, tuple[Json, Json, list[str], list[str]]] = {
    "an operation": (
        {"paths": {"/a": {"get": {}}}},
        {"paths": {"/a": {"get": {}, "put": {}}}},
        ["INFO endpoint-added"],
        ["ERR api-removed-without-deprecation"],
    ),
    "a path": (
        {"paths": {}},
        {"paths": {"/a": {"get": {}}}},
        ["INFO endpoint-added"],
        ["ERR api-path-removed-without-deprecation"],
    ),
    "a required parameter": (
        api(),
        header(TEXT, required=True),
        ["ERR new-required-request-parameter"],
        ["WARN request-parameter-removed"],
    ),
    "a restriction of a parameter": (
        header(TEXT),
        header({**TEXT, "maxLength": 5}),
        ["ERR request-parameter-max-length-set"],
        ["INFO request-parameter-max-length-unset"],
    ),
    "a value of the elements of a parameter": (
        header({"type": "array", "items": {"enum": ["x"]}}),
        header({"type": "array", "items": {"enum": ["x", "y"]}}),
        ["INFO request-parameter-enum-value-added"],
        ["ERR request-parameter-enum-value-removed"],
    ),
    "a required body": (
        api(),
        api(requestBody={"required": True, "content": {}}),
        ["ERR request-body-added-required"],
        ["ERR request-body-removed"],
    ),
    "a media type": (
        api(TEXT),
        api(requestBody={"content": {"application/json": {"schema": TEXT}, "text/plain": {}}}),
        ["INFO request-body-media-type-added"],
        ["ERR request-body-media-type-removed"],
    ),
    "a status": (
        api(),
        api(responses={"200": {}, "404": {}}),
        ["INFO response-non-success-status-added"],
        ["INFO response-non-success-status-removed"],
    ),
    "a header that is always sent": (
        api(),
        api(responses={"200": {"headers": {"X-Left": {"required": True, "schema": TEXT}}}}),
        ["INFO response-header-added"],
        ["ERR required-response-header-removed"],
    ),
    "a scope": (
        api(security=[{"o": ["read"]}], components={"securitySchemes": {"o": {"type": "oauth2"}}}),
        api(
            security=[{"o": ["read", "write"]}],
            components={"securitySchemes": {"o": {"type": "oauth2"}}},
        ),
        ["ERR api-security-scope-added"],
        ["INFO api-security-scope-removed"],
    ),
    "a security requirement": (
        api(components={"securitySchemes": SCHEMES}),
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
        ["ERR api-security-added"],
        ["ERR api-security-removed"],
    ),
    "security that may be left out": (
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}, {}]),
        ["INFO api-security-added"],
        ["ERR api-security-removed"],
    ),
    "security that may be left out, where none was asked for": (
        api(components={"securitySchemes": SCHEMES}, security=[]),
        api(components={"securitySchemes": SCHEMES}, security=[{}, {"a": []}]),
        ["INFO api-security-added", "INFO api-security-added"],
        ["INFO api-security-removed", "INFO api-security-removed"],
    ),
    "a parameter that is JSON now": (
        api(parameters=[{"name": "q", "in": "query", "schema": TEXT}]),
        api(
            parameters=[
                {"name": "q", "in": "query", "content": {"application/json": {"schema": TEXT}}}
            ]
        ),
        ["ERR request-parameter-style-changed"],
        ["ERR request-parameter-style-changed"],
    ),
    "a flow of OAuth": (
        api(
            components={
                "securitySchemes": {"o": {"type": "oauth2", "flows": {"authorizationCode": {}}}}
            }
        ),
        api(
            components={
                "securitySchemes": {"p": {"type": "oauth2", "flows": {"clientCredentials": {}}}}
            }
        ),
        ["INFO api-security-component-type-changed"],
        ["INFO api-security-component-type-changed"],
    ),
    "a deprecation": (
        api(),
        api(deprecated=True),
        ["INFO endpoint-deprecated"],
        ["INFO endpoint-reactivated"],
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_added_one_way_is_removed_the_other_way(name: str) -> None:
    base, revision, forth, back = OPERATIONS[name]
    assert told(base, revision) == forth
    assert told(revision, base) == back


def test_a_flag_that_is_no_flag_says_nothing() -> None:
    base, revision = ({"type": "array", "uniqueItems": value} for value in (5, "yes"))
    assert told(both(base), both(revision)) == []


def test_what_may_still_be_sent_by_a_range_of_media_types_was_not_removed() -> None:
    def taking(*names: str) -> Json:
        content = {name: {"schema": TEXT} for name in names}
        return {"paths": {"/a": {"put": {"requestBody": {"content": content}}}}}

    base, revision = taking("application/json", "application/xml"), taking("*/*")
    assert [line for line in told(base, revision) if line.startswith("ERR")] == []
    assert told(taking("*/*", "application/json"), taking("*/*")) == []
    assert [line for line in told(revision, base) if line.startswith("ERR")] != []


def test_a_value_may_become_a_list_where_that_is_written_as_the_parameter_repeated() -> None:
    one, several = (
        api(parameters=[{"name": "q", "in": "query", "schema": schema}])
        for schema in ({"type": "integer"}, {"type": "array", "items": {"type": "integer"}})
    )
    assert told(one, several) == ["INFO request-parameter-type-generalized"]


def test_an_answer_that_may_hold_other_properties_breaks_nobody_however_little_is_said_of_them() -> (
    None
):
    closed = {"type": "object", "additionalProperties": False}
    for opened in ({"type": "object"}, {**closed, "additionalProperties": TEXT}):
        assert told(api(None, closed), api(None, opened)) == [
            "INFO response-body-additional-properties-removed"
        ]


def test_the_schema_of_a_header_is_compared_also_where_it_has_a_media_type() -> None:
    def giving(kind: str) -> Json:
        header = {"content": {"application/json": {"schema": {"type": kind}}}}
        return {"paths": {"/a": {"put": {"responses": {"200": {"headers": {"X-A": header}}}}}}}

    assert told(giving("object"), giving("array")) == ["ERR response-header-type-changed"]


def test_a_change_says_where_it_is_on_either_side() -> None:
    revision = {
        "schemas": {
            "Pet": {**PET, "properties": {**PET["properties"], "name": {"type": "integer"}}}
        }
    }
    change = Change(
        id="request-property-type-changed",
        level="ERR",
        operation="PUT /pets/{id}",
        direction=Direction.REQUEST,
        base_pointer="/paths/~1pets~1{id}/put/requestBody/content/application~1json/schema/properties/name",
        revision_pointer="/components/schemas/Pet/properties/name",
        text="The request body, at `name`, changed its type from string to integer.",
    )
    assert compare(api(PET), api(REF, components=revision)) == [change]


def test_a_schema_that_contains_itself_is_compared_to_its_end() -> None:
    def tree(leaf: str) -> Json:
        node: Json = {
            "type": "object",
            "properties": {"next": {"$ref": "#/components/schemas/Node"}, "v": {"type": leaf}},
        }
        return both({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})

    unrolled = tree("string")
    unrolled["components"]["schemas"]["Node"]["properties"]["next"] = copy.deepcopy(
        unrolled["components"]["schemas"]["Node"]
    )
    assert told(tree("string"), tree("string")) == []
    assert told(tree("string"), unrolled) == []
    assert told(tree("string"), tree("boolean")) == [
        "ERR request-property-type-changed",
        "ERR response-property-type-changed",
    ]


def test_references_and_parts_that_go_in_circles_end() -> None:
    circles = {
        "schemas": {
            "A": {"$ref": "#/components/schemas/B"},
            "B": {"$ref": "#/components/schemas/A"},
        }
    }
    assert (
        told(
            both({"$ref": "#/components/schemas/A"}, components=circles),
            api(REF, REF, components=PETS),
        )
        != []
    )
    selves = {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, PET]}}}
    assert told(both({"$ref": "#/components/schemas/A"}, components=selves), both(PET)) == []
    unions = {"schemas": {"A": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]}}}
    assert told(both({"$ref": "#/components/schemas/A"}, components=unions), both(TEXT)) == []


def test_a_reference_that_leads_nowhere_equals_another_with_the_same_text() -> None:
    one, other = {"$ref": "../elsewhere.json#/One"}, {"$ref": "../elsewhere.json#/Other"}
    assert told(both(one), both(one)) == []
    assert told(api(one), api(other)) == ["ERR request-body-type-changed"]
    assert told(api(one), api(PET)) == ["ERR request-body-type-changed"]


def test_a_reference_to_another_file_is_followed_where_that_is_given() -> None:
    files = {
        "../common.json": {"Pet": {"$ref": "more/pets.json#/Pet"}},
        "../more/pets.json": {"Pet": PET},
    }
    base = both({"$ref": "../common.json#/Pet"})
    assert compare(base, both(PET), base_files=files) == []


def test_a_document_that_doubles_with_each_schema_is_compared_in_time() -> None:
    def doubling(leaf: str) -> Json:
        schemas: Json = {
            f"S{n}": prop({"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(60)
        }
        for n in range(60):
            schemas[f"S{n}"]["properties"]["b"] = {"$ref": f"#/components/schemas/S{n + 1}"}
        return api(
            {"$ref": "#/components/schemas/S0"},
            components={"schemas": {**schemas, "S60": {"type": leaf}}},
        )

    assert told(doubling("string"), doubling("boolean")) == ["ERR request-property-type-changed"]


def test_deep_nesting_ends_no_comparison_early() -> None:
    def deep(leaf: str) -> Json:
        schema: Json = {"type": leaf}
        for _ in range(3000):
            schema = {"type": "array", "items": schema}
        return api(schema)

    assert told(deep("string"), deep("boolean")) == ["ERR request-property-type-changed"]


def chained(length: int, leaf: str) -> Json:
    """Unions of two that lead to both of the next two, which differ at the end alone."""
    schemas: Json = {
        f"S{length}{name}": {"type": leaf, "minLength": number} for number, name in enumerate("ab")
    }
    for n in range(length):
        following = [{"$ref": f"#/components/schemas/S{n + 1}{name}"} for name in "ab"]
        schemas |= {f"S{n}{name}": {"title": f"{n}{name}", "anyOf": following} for name in "ab"}
    return api({"$ref": "#/components/schemas/S0a"}, components={"schemas": schemas})


def test_chained_unions_are_compared_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 40_000)
    assert told(chained(60, "string"), chained(60, "string")) == []
    assert (
        told(chained(60, "string"), chained(60, "boolean"))
        == ["ERR request-property-type-changed"] * 2
    )


def test_a_long_union_in_another_order_is_compared_in_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 200_000)
    kinds = [
        prop({"anyOf": [{"const": number}, {"type": "array", "items": {"const": number}}]})
        for number in range(80)
    ]
    base, revision = ({"anyOf": [TEXT, prop({"oneOf": order})]} for order in (kinds, kinds[::-1]))
    assert told(both(base), both(revision)) == []
    assert told(api(base), api({"anyOf": [TEXT, prop({"oneOf": kinds[:0:-1]})]})) != []


def test_unions_within_unions_are_the_same_however_deep_they_are() -> None:
    def nested(leaf: str, order: int = 1) -> Json:
        schema: Json = {"type": leaf}
        for number in range(300):
            schema = {"anyOf": [{"const": number}, {"type": "array", "items": schema}][::order]}
        return api(schema)

    assert told(nested("string"), nested("string", -1)) == []
    assert told(nested("string"), nested("boolean")) != []


def test_unions_that_contain_each_other_in_a_long_circle_are_compared() -> None:
    def circle(length: int) -> Json:
        schemas: Json = {
            f"S{n}": {"anyOf": [TEXT, prop({"$ref": f"#/components/schemas/S{(n + 1) % length}"})]}
            for n in range(length)
        }
        return both({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})

    assert told(circle(150), circle(150)) == []
    assert told(circle(50), circle(49)) == []
    other = circle(150)
    other["components"]["schemas"]["S149"]["anyOf"][0] = {"type": "integer"}
    assert told(circle(150), other) != []


def test_branches_that_are_the_same_only_at_first_sight_do_not_take_the_place_of_others() -> None:
    def list_of(name: str) -> Json:
        return {
            "type": "array",
            "items": {"anyOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "null"}, TEXT]},
        }

    schemas = {"A": prop({"const": 1}), "B": prop({"const": 2})}
    base, revision = [list_of("A"), list_of("B")], [list_of("B"), list_of("A")]
    within = [
        {"type": "object", "properties": {"a": {"anyOf": union}}} for union in (base, revision)
    ]
    old, new = (both({"anyOf": [TEXT, each]}, components={"schemas": schemas}) for each in within)
    assert told(old, new) == []


def test_what_would_take_too_long_is_refused_with_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 50)
    with pytest.raises(
        TooComplexError,
        match=r"^/components/schemas/S\d+[ab].*more than 50 steps.*names, or fewer$",
    ):
        compare(chained(60, "string"), chained(60, "boolean"))


@pytest.mark.parametrize("key", ["default", "const", "enum"])
def test_a_value_that_is_nested_too_deeply_is_refused_with_its_place(key: str) -> None:
    value: Any = [1]
    for _ in range(5000):
        value = [value]
    deep = api(prop({key: value}))
    with pytest.raises(
        TooComplexError, match=r"/schema/properties/a: a value is nested too deeply .*flatten it"
    ):
        compare(deep, api(prop({})))
    with pytest.raises(TooComplexError, match="a value is nested too deeply"):
        compare(deep, deep)


def test_deep_nesting_where_a_text_belongs_is_refused() -> None:
    value: Any = [1]
    for _ in range(5000):
        value = [value]
    for base, revision in [
        (api(operationId=value), api()),
        (api(), {**api(), "security": [{"a": value}]}),
    ]:
        with pytest.raises(TooComplexError, match="a value of the documents is nested too deeply"):
            compare(base, revision)


def test_a_schema_that_became_several_others_is_told_once() -> None:
    assert told(api(PET), api({"oneOf": [CAT, DOG]})) == ["ERR request-body-wrapped-in-one-of"]
    assert told(both(CAT), both({"oneOf": [CAT, DOG]})) == [
        "INFO request-body-one-of-added",
        "WARN response-body-one-of-added",
    ]


def test_a_branch_of_a_union_that_changed_is_told_by_its_change() -> None:
    cat = {"$ref": "#/components/schemas/Cat"}
    union = {"oneOf": [DOG, cat]}
    changed = {**CAT, "properties": {**CAT["properties"], "lives": {"type": "integer"}}}
    base = api(union, components={"schemas": {"Cat": CAT}})
    assert told(base, api(union, components={"schemas": {"Cat": changed}})) == [
        "INFO new-optional-request-property"
    ]


def test_parts_of_a_whole_are_told_only_beside_what_they_change() -> None:
    more = {"properties": {"b": TEXT}, "required": ["b"]}
    assert told(api({"allOf": [OBJECT]}), api({"allOf": [OBJECT, more]})) == [
        "ERR new-required-request-property",
        "ERR request-body-all-of-added",
    ]


def test_within_not_the_worse_direction_counts() -> None:
    base, revision = {"not": {**TEXT, "maxLength": 5}}, {"not": {**TEXT, "maxLength": 9}}
    assert told(api(base), api(revision)) == ["ERR request-property-max-length-increased"]


@pytest.mark.parametrize("rule", RULES)
def test_each_row_of_the_table_makes_a_sentence(rule: str) -> None:
    context = Context(
        "PUT /pets", Direction.RESPONSE, Part.BODY, "the response 200", ("a", "items")
    )
    change = context.change(rule, Pointers("/a", "/b"), old="old", new="new", name="name")
    assert change.id == rule.replace("*", "response-property")
    assert change.text[0].isupper()
    assert change.text.endswith(".")
    assert "{" not in change.text


def test_in_a_draft_nothing_breaks() -> None:
    draft: Json = {"x-stability-level": "draft"}
    assert told(api(OBJECT, **draft), api(PET, **draft)) == [
        "INFO request-property-became-required"
    ]


DOCUMENTS_THAT_MAKE_NO_SENSE: list[Any] = [
    {},
    {"openapi": 3, "paths": None, "components": [], "security": "none"},
    {
        "paths": {
            "/a": None,
            "/b": [],
            "/c": {"get": None, "put": {"parameters": "x", "responses": [], "security": {}}},
        }
    },
    both(
        {
            "type": 5,
            "enum": "x",
            "required": "name",
            "properties": [],
            "items": [],
            "allOf": {},
            "minimum": "1",
        }
    ),
    both(
        {
            "properties": {"a": None, "b": True, "c": False, "d": 5},
            "oneOf": [None, 1],
            "discriminator": "x",
        }
    ),
    api(
        parameters=[
            None,
            5,
            {},
            {"name": 5, "in": None},
            {"$ref": 5},
            {"$ref": "#/nowhere"},
            {"content": []},
        ]
    ),
    api(
        requestBody={"content": {"": None, "a": 5, "*/*": {"schema": 5}}},
        responses={200: None, "default": {"headers": 5}},
    ),
]


@pytest.mark.parametrize("number", range(len(DOCUMENTS_THAT_MAKE_NO_SENSE)))
def test_a_document_that_does_not_validate_is_compared_all_the_same(number: int) -> None:
    odd = DOCUMENTS_THAT_MAKE_NO_SENSE[number]
    assert compare(odd, copy.deepcopy(odd)) == []
    for other in (*DOCUMENTS_THAT_MAKE_NO_SENSE, WIDE):
        compare(odd, other)
        compare(other, odd)


NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.sampled_from(
    [
        {},
        TEXT,
        {"type": ["integer", "null"], "minimum": 1},
        {"enum": ["x", "y"], "default": "x"},
        {"const": 1},
        REF,
        {"$ref": "#/components/schemas/Self"},
        {"$ref": "#/nowhere"},
        True,
        False,
    ]
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
        optional={
            "required": st.lists(NAMES, unique=True),
            "additionalProperties": inner,
            "allOf": several,
        },
    )
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 9)}
    )
    unions = st.fixed_dictionaries(
        {}, optional={"oneOf": several, "anyOf": several, "not": inner, "nullable": st.booleans()}
    )
    return objects | lists | unions


SCHEMAS = st.recursive(LEAVES, _larger, max_leaves=8)


def _document(request: Any, response: Any, own: Any) -> Json:
    return api(request, response, {"schemas": {"Pet": PET, "Self": own}})


DOCUMENTS = st.builds(_document, SCHEMAS, SCHEMAS, SCHEMAS)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_a_document_does_not_differ_from_itself_however_it_is_ordered(document: Json) -> None:
    assert compare(document, json.loads(json.dumps(document))) == []
    assert compare(document, reordered(document)) == []
    wrapped = copy.deepcopy(document)
    body = wrapped["paths"]["/pets/{id}"]["put"]["requestBody"]["content"]["application/json"]
    wrapped["components"]["schemas"]["Body"] = body["schema"]
    body["schema"] = {"allOf": [{"$ref": "#/components/schemas/Body"}]}
    assert compare(document, wrapped) == []


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_one_way_differs_the_other_way(base: Json, revision: Json) -> None:
    assert bool(compare(base, revision)) == bool(compare(revision, base))


def _wide_document(schemas: list[Any], own: Any, required: bool) -> Json:
    """A document with two operations, with schemas wherever one may be."""
    query, head, request, response, left = schemas
    parameters = [
        {"name": "q", "in": "query", "required": required, "schema": query},
        {"name": "X-Trace", "in": "header", "schema": head},
    ]
    document = api(request, response, {"schemas": {"Pet": PET, "Self": own}}, parameters=parameters)
    path = document["paths"]["/pets/{id}"]
    path["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    path["put"]["responses"]["200"]["headers"] = {"X-Left": {"required": required, "schema": left}}
    path["put"]["responses"]["404"] = {"description": ""}
    path["get"] = {"responses": {"200": {"content": {"application/json": {"schema": REF}}}}}
    return document


WIDE_DOCUMENTS = st.builds(
    _wide_document, st.lists(SCHEMAS, min_size=5, max_size=5), SCHEMAS, st.booleans()
)

Slot = tuple[Any, Any]
"""A mapping or list that has a schema, and the key or the number that it has it by."""


class Writing:
    """A document under way from one way to write it to another, with the files that it refers to."""

    def __init__(self, document: Json, choice: random.Random) -> None:
        self.document: Json = json.loads(json.dumps(document))
        self.files: Json = {}
        self.choice = choice
        self.made = 0

    @property
    def schemas(self) -> Json:
        """The schemas among the components."""
        found: Json = self.document["components"]["schemas"]
        return found

    @property
    def path(self) -> Json:
        """The one path."""
        found: Json = self.document["paths"]["/pets/{id}"]
        return found

    def name(self) -> str:
        """A name that nothing has."""
        self.made += 1
        return f"Made{self.made}"

    def responses(self) -> list[Json]:
        """All answers."""
        return [
            answer
            for method in ("put", "get")
            for answer in self.path[method]["responses"].values()
        ]

    def slots(self) -> list[Slot]:
        """The places of all schemas, but for the branches of unions: what those are called matters."""
        parameters = [
            each
            for part in (self.path, self.path["put"], self.path["get"])
            for each in part.get("parameters", [])
        ]
        contents = [
            each.get("content", {}) for each in (self.path["put"]["requestBody"], *self.responses())
        ]
        headers = [
            header for answer in self.responses() for header in answer.get("headers", {}).values()
        ]
        media = [each for content in contents for each in content.values()]
        todo: list[Slot] = [(self.schemas, name) for name in self.schemas]
        todo += [(holder, "schema") for holder in (*parameters, *media, *headers)]
        for holder, key in todo:
            schema = holder[key]
            if is_mapping(schema):
                todo += [(schema["properties"], name) for name in schema.get("properties", {})]
                todo += [
                    (schema, name)
                    for name in ("items", "additionalProperties", "not")
                    if name in schema
                ]
                todo += [
                    (schema["allOf"], number) for number in range(len(schema.get("allOf", [])))
                ]
        return todo

    def pick(self, fits: Callable[[Any], bool]) -> Slot | None:
        """The place of some schema that fits."""
        fitting = [(holder, key) for holder, key in self.slots() if fits(holder[key])]
        return self.choice.choice(fitting) if fitting else None


def _reference(schema: Any) -> str:
    """The name of the component that a schema refers to; empty where it does not."""
    text: str = schema.get("$ref", "") if is_mapping(schema) else ""
    return (
        text.removeprefix("#/components/schemas/")
        if text.startswith("#/components/schemas/")
        else ""
    )


def inline_a_reference(at: Writing) -> None:
    if slot := at.pick(lambda schema: _reference(schema) in at.schemas):
        slot[0][slot[1]] = copy.deepcopy(at.schemas[_reference(slot[0][slot[1]])])


def move_into_components(at: Writing) -> None:
    if slot := at.pick(lambda schema: True):
        name = at.name()
        at.schemas[name] = slot[0][slot[1]]
        slot[0][slot[1]] = {"$ref": f"#/components/schemas/{name}"}


def move_into_another_file(at: Writing) -> None:
    if slot := at.pick(lambda schema: "$ref" not in json.dumps(schema)):
        name = at.name()
        at.files[f"more/{name}.json"] = {"defs": {"a/b": slot[0][slot[1]]}}
        slot[0][slot[1]] = {"$ref": f"./more/{name}.json#/defs/a~1b"}


def rename_a_component(at: Writing) -> None:
    named = [
        name for name in at.schemas if name.startswith("Made")
    ]  # no branch of a union refers to those
    if named:
        old, new = at.choice.choice(named), at.name()
        at.document = json.loads(
            json.dumps(at.document).replace(f'/schemas/{old}"', f'/schemas/{new}"')
        )
        at.schemas[new] = at.schemas.pop(old)


def wrap_in_all_of(at: Writing) -> None:
    if slot := at.pick(lambda schema: True):
        slot[0][slot[1]] = {"allOf": [slot[0][slot[1]]]}


def split_an_object(at: Writing) -> None:
    def fits(schema: Any) -> bool:
        return (
            is_mapping(schema)
            and len(schema.get("properties", {})) > 1
            and "additionalProperties" not in schema
        )

    if slot := at.pick(fits):
        schema = slot[0][slot[1]]
        first, *others = schema["properties"].items()
        rest = {**schema, "properties": dict(others)}
        slot[0][slot[1]] = {"allOf": [{"type": "object", "properties": dict([first])}, rest]}


def reorder(at: Writing) -> None:
    at.document = reordered(at.document)


def write_null_in_another_way(at: Writing) -> None:
    def fits(schema: Any) -> bool:
        return is_mapping(schema) and (
            is_list(schema.get("type")) or {"type", "nullable"} <= schema.keys()
        )

    if slot := at.pick(fits):
        schema = slot[0][slot[1]]
        written = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        null = schema.pop("nullable", False) or "null" in written
        kinds = [kind for kind in written if kind != "null"]
        if len(kinds) == 1 and "null" in written:
            schema |= {"type": kinds[0], "nullable": True}
        else:
            schema["type"] = [*kinds, "null"] if null else kinds


def describe(at: Writing) -> None:
    if slot := at.pick(is_mapping):
        slot[0][slot[1]] |= {"description": "Told.", "examples": [{"a": 1}]}
    at.path["put"]["summary"] = at.path["put"]["responses"]["200"]["description"] = "Told."


def change_case_of_headers(at: Writing) -> None:
    for parameter in at.path["put"].get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].swapcase()
    for answer in at.responses():
        if "headers" in answer:
            answer["headers"] = {
                name.swapcase(): header for name, header in answer["headers"].items()
            }


Way = Callable[[Writing], None]
WAYS: list[Way] = [
    *(
        inline_a_reference,
        move_into_components,
        move_into_another_file,
        rename_a_component,
        wrap_in_all_of,
    ),
    *(split_an_object, reorder, write_null_in_another_way, describe, change_case_of_headers),
]


def write_a_constant_in_another_way(at: Writing) -> None:
    if slot := at.pick(
        lambda schema: (
            is_mapping(schema) and ("const" in schema or len(schema.get("enum", [])) == 1)
        )
    ):
        schema = slot[0][slot[1]]
        if "const" in schema:
            schema["enum"] = [schema.pop("const")]
        else:
            schema["const"] = schema.pop("enum")[0]


def say_parameters_of_the_path_at_its_operations(at: Writing) -> None:
    for parameter in at.path.pop("parameters", []):
        for method in ("put", "get"):
            at.path[method].setdefault("parameters", []).append(copy.deepcopy(parameter))


def say_parameters_of_all_operations_at_the_path(at: Writing) -> None:
    for parameter in list(at.path["put"].get("parameters", [])):
        if parameter in at.path["get"].get("parameters", []):
            at.path.setdefault("parameters", []).append(parameter)
            at.path["put"]["parameters"].remove(parameter)
            at.path["get"]["parameters"].remove(parameter)


# What a change is called depends on these; whether there is one does not.
WAYS_WITH_NAMES: list[Way] = [
    *(write_a_constant_in_another_way, say_parameters_of_the_path_at_its_operations),
    say_parameters_of_all_operations_at_the_path,
]
CHOICES = st.randoms(use_true_random=False)


def _some(ways: list[Way]) -> st.SearchStrategy[list[Way]]:
    return st.lists(st.sampled_from(ways), min_size=1, max_size=6)


def _written(document: Json, ways: list[Way], choice: random.Random) -> Writing:
    found = Writing(document, choice)
    for way in ways:
        way(found)
    return found


@settings(max_examples=200, deadline=None)
@given(WIDE_DOCUMENTS, _some([*WAYS, *WAYS_WITH_NAMES]), CHOICES)
def test_what_is_written_in_several_other_ways_at_once_is_no_change(
    document: Json, ways: list[Way], choice: random.Random
) -> None:
    other = _written(document, ways, choice)
    assert compare(document, other.document, revision_files=other.files) == []
    assert compare(other.document, document, base_files=other.files) == []


def _in_sum(changes: list[Change]) -> set[tuple[str, str, str]]:
    """What is told, but for what `allOf` has: that is told as it is written."""
    return {
        (change.id, change.operation, change.level)
        for change in changes
        if "-all-of-" not in change.id
    }


@settings(max_examples=150, deadline=None)
@given(WIDE_DOCUMENTS, WIDE_DOCUMENTS, _some(WAYS), CHOICES)
def test_what_changed_is_told_alike_however_it_is_written(
    base: Json, revision: Json, ways: list[Way], choice: random.Random
) -> None:
    other = _written(revision, ways, choice)
    assert _in_sum(compare(base, other.document, revision_files=other.files)) == _in_sum(
        compare(base, revision)
    )
    assert _in_sum(compare(other.document, base, base_files=other.files)) == _in_sum(
        compare(revision, base)
    )


PARTIAL: Json = {
    "openapi": "3.1.0",
    "paths": {
        "/pets": {
            "put": {
                "parameters": [
                    {
                        "name": "q",
                        "in": "query",
                        "schema": {"type": "string", "enum": ["a", "b"], "maxLength": 9},
                    },
                    {
                        "name": "X-Trace",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 1},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["name", "tags"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1, "pattern": "^a"},
                                    "kind": {"type": "string", "enum": ["cat", "dog", "cow"]},
                                    "tags": {
                                        "type": "array",
                                        "maxItems": 3,
                                        "items": {"type": "string"},
                                    },
                                },
                            }
                        },
                        "text/csv": {},
                    },
                },
                "responses": {
                    "200": {
                        "headers": {
                            "X-Left": {"required": True, "schema": {"type": "integer"}},
                            "X-Of": {"schema": {"type": "integer", "maximum": 9}},
                        },
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["id"],
                                    "properties": {
                                        "id": {"type": "string", "pattern": "^b", "maxLength": 8},
                                        "state": {"type": "string", "enum": ["on", "off", "lost"]},
                                        "size": {
                                            "type": "number",
                                            "exclusiveMinimum": 0,
                                            "multipleOf": 2,
                                        },
                                    },
                                }
                            },
                            "application/xml": {},
                        },
                    },
                    "204": {},
                    "404": {},
                },
            }
        }
    },
}
"""What can be taken out of: each place that `REMOVABLE` names."""

PUT = ("paths", "/pets", "put")
SENT = (*PUT, "requestBody", "content", "application/json", "schema")
ANSWERED = (*PUT, "responses", "200", "content", "application/json", "schema")
# What is taken out; then what is told of that, and of the same coming back.
REMOVABLE: dict[tuple[str | int, ...], tuple[str, str]] = {
    (*PUT, "parameters", 0): ("request-parameter-removed", "new-optional-request-parameter"),
    (*PUT, "parameters", 1): ("request-parameter-removed", "new-required-request-parameter"),
    (*PUT, "parameters", 1, "required"): (
        "request-parameter-became-optional",
        "request-parameter-became-required",
    ),
    (*PUT, "parameters", 0, "schema", "enum", 1): (
        "request-parameter-enum-value-removed",
        "request-parameter-enum-value-added",
    ),
    (*PUT, "parameters", 0, "schema", "enum"): (
        "request-parameter-became-not-enum",
        "request-parameter-became-enum",
    ),
    (*PUT, "parameters", 0, "schema", "maxLength"): (
        "request-parameter-max-length-unset",
        "request-parameter-max-length-set",
    ),
    (*PUT, "parameters", 1, "schema", "minimum"): (
        "request-parameter-min-unset",
        "request-parameter-min-set",
    ),
    (*PUT, "requestBody"): ("request-body-removed", "request-body-added-required"),
    (*PUT, "requestBody", "required"): (
        "request-body-became-optional",
        "request-body-became-required",
    ),
    (*PUT, "requestBody", "content", "text/csv"): (
        "request-body-media-type-removed",
        "request-body-media-type-added",
    ),
    (*SENT, "required", 0): (
        "request-property-became-optional",
        "request-property-became-required",
    ),
    (*SENT, "properties", "kind"): ("request-property-removed", "new-optional-request-property"),
    (*SENT, "properties", "kind", "enum", 0): (
        "request-property-enum-value-removed",
        "request-property-enum-value-added",
    ),
    (*SENT, "properties", "name", "pattern"): (
        "request-property-pattern-removed",
        "request-property-pattern-added",
    ),
    (*SENT, "properties", "name", "minLength"): (
        "request-property-min-length-decreased",
        "request-property-min-length-increased",
    ),
    (*SENT, "properties", "tags", "maxItems"): (
        "request-property-max-items-unset",
        "request-property-max-items-set",
    ),
    (*SENT, "properties", "tags", "items"): (
        "request-property-items-removed",
        "request-property-items-added",
    ),
    (*PUT, "responses", "204"): (
        "response-success-status-removed",
        "response-success-status-added",
    ),
    (*PUT, "responses", "404"): (
        "response-non-success-status-removed",
        "response-non-success-status-added",
    ),
    (*PUT, "responses", "200", "headers", "X-Left"): (
        "required-response-header-removed",
        "response-header-added",
    ),
    (*PUT, "responses", "200", "headers", "X-Of"): (
        "optional-response-header-removed",
        "response-header-added",
    ),
    (*PUT, "responses", "200", "headers", "X-Left", "required"): (
        "response-header-became-optional",
        "response-header-became-required",
    ),
    (*PUT, "responses", "200", "content", "application/xml"): (
        "response-media-type-removed",
        "response-media-type-added",
    ),
    (*ANSWERED, "required", 0): (
        "response-property-became-optional",
        "response-property-became-required",
    ),
    (*ANSWERED, "properties", "size"): (
        "response-optional-property-removed",
        "response-optional-property-added",
    ),
    (*ANSWERED, "properties", "state", "enum", 0): (
        "response-property-enum-value-removed",
        "response-property-enum-value-added",
    ),
    (*ANSWERED, "properties", "state", "enum"): (
        "response-property-became-not-enum",
        "response-property-became-enum",
    ),
    (*ANSWERED, "properties", "id", "pattern"): (
        "response-property-pattern-removed",
        "response-property-pattern-added",
    ),
    (*ANSWERED, "properties", "id", "maxLength"): (
        "response-property-max-length-unset",
        "response-property-max-length-set",
    ),
    (*ANSWERED, "properties", "size", "exclusiveMinimum"): (
        "response-property-exclusive-min-unset",
        "response-property-exclusive-min-set",
    ),
    (*ANSWERED, "properties", "size", "multipleOf"): (
        "response-property-multiple-of-unset",
        "response-property-multiple-of-set",
    ),
}


def without(document: Json, places: list[tuple[str | int, ...]]) -> Json:
    """The document with some places taken out."""
    found = copy.deepcopy(document)
    # From the last, so that what is taken out of a list moves nothing that is still to go.
    for *above, last in sorted(
        places, key=lambda place: [str(step) for step in place], reverse=True
    ):
        holder: Any = found
        for step in above:
            holder = holder[step]
        del holder[last]
    return found


def _apart(places: list[tuple[str | int, ...]]) -> bool:
    """Whether none of the places is within another, or becomes another by what goes."""
    return not any(one != other and other[: len(one)] == one for one in places for other in places)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(list(REMOVABLE)), min_size=1, max_size=6, unique=True).filter(_apart)
)
def test_whatever_is_removed_one_way_is_added_the_other_way(
    places: list[tuple[str | int, ...]],
) -> None:
    rest = without(PARTIAL, places)
    assert sorted(change.id for change in compare(PARTIAL, rest)) == sorted(
        REMOVABLE[place][0] for place in places
    )
    assert sorted(change.id for change in compare(rest, PARTIAL)) == sorted(
        REMOVABLE[place][1] for place in places
    )


@pytest.mark.parametrize("place", REMOVABLE, ids=str)
def test_to_remove_and_to_add_are_no_two_harmless_things_in_what_is_sent(
    place: tuple[str | int, ...],
) -> None:
    levels = {
        change.level
        for pair in ((PARTIAL, without(PARTIAL, [place])), (without(PARTIAL, [place]), PARTIAL))
        for change in compare(*pair)
    }
    harmless = {(*PUT, "responses", "404"), (*PUT, "responses", "200", "headers", "X-Of")}
    harmless |= {(*ANSWERED, "properties", "size")}
    assert (levels == {"INFO"}) == (place in harmless)
