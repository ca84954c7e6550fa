"""Verifies which changes the comparison reports, and how severe they are."""

import copy
from typing import Any

import pytest
from specdrift import Change, compare
from specdrift.comparison.context import Context, Part, Pointers
from specdrift.rules import RULES, Direction

from tests.specdrift.documents import (
    CAT,
    DOG,
    OBJECT,
    PET,
    PETS,
    REF,
    SCHEMES,
    TEXT,
    WIDE,
    Json,
    api,
    header,
    object_with,
    reordered,
    reported,
    request_and_response,
)

# Pairs of documents with the same meaning.
EQUIVALENT_DOCUMENTS: dict[str, tuple[Json, Json]] = {
    "a reference inlined": (request_and_response(REF, components=PETS), request_and_response(PET)),
    "a reference renamed": (
        request_and_response(REF, components=PETS),
        request_and_response(
            {"$ref": "#/components/schemas/Animal"}, components={"schemas": {"Animal": PET}}
        ),
    ),
    "a reference through a reference": (
        request_and_response(REF, components=PETS),
        request_and_response(
            REF, components={"schemas": {"Pet": {"$ref": "#/components/schemas/P"}, "P": PET}}
        ),
    ),
    "everything reordered": (WIDE, reordered(WIDE)),
    "an allOf flattened": (
        request_and_response({"allOf": [OBJECT, {"required": ["name"]}]}),
        request_and_response(PET),
    ),
    "an allOf of references flattened": (
        request_and_response(
            {"allOf": [REF, {"properties": {"tag": {"type": "string"}}}]}, components=PETS
        ),
        request_and_response(
            {**PET, "properties": {**PET["properties"], "tag": {"type": "string"}}}
        ),
    ),
    "an allOf around one schema": (
        request_and_response({"allOf": [PET]}),
        request_and_response(PET),
    ),
    "an allOf within an allOf": (
        request_and_response({"allOf": [{"allOf": [PET]}, {}]}),
        request_and_response(PET),
    ),
    "a redundant part of an allOf": (
        request_and_response({"allOf": [PET]}),
        request_and_response({"allOf": [PET, OBJECT]}),
    ),
    "const and an enum of one value": (
        request_and_response({"const": "a"}),
        request_and_response({"enum": ["a"]}),
    ),
    "a type that the enum implies": (
        request_and_response({"enum": ["a"]}),
        request_and_response({"type": "string", "enum": ["a"]}),
    ),
    "nullable and a null type": (
        request_and_response({"type": "string", "nullable": True}, version="3.0.3"),
        request_and_response({"type": ["string", "null"]}),
    ),
    "nullable and anyOf with null": (
        request_and_response({"type": "string", "nullable": True}, version="3.0.3"),
        request_and_response({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ),
    "nullable and oneOf with null": (
        request_and_response({"nullable": True, "allOf": [REF]}, version="3.0.3", components=PETS),
        request_and_response({"oneOf": [REF, {"type": "null"}]}, components=PETS),
    ),
    "a list of types and anyOf of types": (
        request_and_response({"type": ["string", "integer"]}),
        request_and_response({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    ),
    "integer beside number": (
        request_and_response({"type": ["integer", "number"]}),
        request_and_response({"type": "number"}),
    ),
    "a list of one type": (
        request_and_response({"type": ["string"]}),
        request_and_response({"type": "string"}),
    ),
    "exclusive bounds": (
        request_and_response(
            {"type": "number", "minimum": 1, "exclusiveMinimum": True}, version="3.0.3"
        ),
        request_and_response({"type": "number", "exclusiveMinimum": 1}),
    ),
    "a bound that is not exclusive": (
        request_and_response(
            {"type": "number", "maximum": 9, "exclusiveMaximum": False}, version="3.0.3"
        ),
        request_and_response({"type": "number", "maximum": 9.0}),
    ),
    "a minimum length of 0": (
        request_and_response({"type": "string", "minLength": 0}),
        request_and_response({"type": "string"}),
    ),
    "descriptions, titles and examples": (
        request_and_response(PET),
        request_and_response(
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
    "a renamed path parameter": (
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
    "security moved to the document": (
        api(security=[{"a": []}], components={"securitySchemes": SCHEMES}),
        {**api(components={"securitySchemes": SCHEMES}), "security": [{"a": []}]},
    ),
    "a second security scheme of the same meaning": (
        api(components={"securitySchemes": SCHEMES}),
        api(components={"securitySchemes": {**SCHEMES, "again": SCHEMES["a"]}}),
    ),
    "no security, and an empty requirement": (api(security=[]), api(security=[{}])),
    "a parameter moved to the path": (
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
    "a reference to an anchor": (
        request_and_response(REF, components=PETS),
        request_and_response(
            {"$ref": "#pet"}, components={"schemas": {"Pet": {**PET, "$anchor": "pet"}}}
        ),
    ),
    "a bound beside a tighter one": (
        request_and_response({"type": "integer", "minimum": 5}),
        request_and_response({"type": "integer", "minimum": 5, "exclusiveMinimum": 4}),
    ),
    "bytes as OpenAPI 3.0 and 3.1 write them": (
        request_and_response({"type": "string", "format": "byte"}),
        request_and_response({"type": "string", "contentEncoding": "base64"}),
    ),
    "a file as OpenAPI 3.0 and 3.1 write it": (
        request_and_response({"type": "string", "format": "binary"}),
        request_and_response({"type": "string", "contentMediaType": "application/octet-stream"}),
    ),
    "security of the document that each operation repeats": (
        {
            **api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
            "security": [{"a": []}],
        },
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
    ),
    "a union of one schema": (request_and_response({"oneOf": [PET]}), request_and_response(PET)),
    "oneOf and anyOf with a discriminator": (
        request_and_response({"oneOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}),
        request_and_response({"anyOf": [CAT, DOG], "discriminator": {"propertyName": "kind"}}),
    ),
    "an array of any elements, with and without items": (
        request_and_response({"type": "array"}),
        request_and_response(
            {"type": "array", "items": {"$ref": "#/components/schemas/Any"}},
            components={"schemas": {"Any": True}},
        ),
    ),
    "a repeated union": (
        request_and_response({"allOf": [{"oneOf": [CAT, DOG]}, {"oneOf": [CAT, DOG]}]}),
        request_and_response({"oneOf": [CAT, DOG]}),
    ),
    "the order of parts of an allOf, one of which repeats a branch": (
        request_and_response({"allOf": [{"oneOf": [{}, CAT]}, {"oneOf": [CAT, CAT]}]}),
        request_and_response({"allOf": [{"oneOf": [CAT, CAT]}, {"oneOf": [CAT, {}]}]}),
    ),
    "a required property without a schema": (
        request_and_response({"required": ["a"]}),
        request_and_response({"allOf": [{"required": ["a"]}]}),
    ),
    "additional properties of any kind": (
        request_and_response(PET),
        request_and_response({**PET, "additionalProperties": True}),
    ),
    "an unused component": (request_and_response(PET), request_and_response(PET, components=PETS)),
    "an explicit default style": (
        header({"type": "array", "items": {"type": "string"}}),
        header({"type": "array", "items": {"type": "string"}}, style="simple", explode=False),
    ),
}


@pytest.mark.parametrize("name", EQUIVALENT_DOCUMENTS)
def test_equivalent_documents_have_no_changes(name: str) -> None:
    base, revision = EQUIVALENT_DOCUMENTS[name]
    assert reported(base, revision) == []
    assert reported(revision, base) == []


# Two schemas; the changes if both are used in a request and a response; the changes in reverse.
SCHEMA_CHANGES: dict[str, tuple[Json, Json, list[str], list[str]]] = {
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
    "a property that became required": (
        OBJECT,
        PET,
        ["ERR request-property-became-required", "INFO response-property-became-required"],
        ["ERR response-property-became-optional", "INFO request-property-became-optional"],
    ),
    "a value of an enum": (
        object_with({"enum": ["x"]}),
        object_with({"enum": ["x", "y"]}),
        ["INFO request-property-enum-value-added", "WARN response-property-enum-value-added"],
        ["ERR request-property-enum-value-removed", "INFO response-property-enum-value-removed"],
    ),
    "a bound that became exclusive": (
        object_with({"type": "integer", "minimum": 0}),
        object_with({"type": "integer", "exclusiveMinimum": 0}),
        ["ERR request-property-exclusive-min-set", "INFO response-property-exclusive-min-set"],
        ["ERR response-property-min-decreased", "INFO request-property-min-decreased"],
    ),
    "null among the values of an enum": (
        object_with({"type": ["string", "null"], "enum": ["x", None]}),
        object_with({"type": ["string", "null"], "enum": ["x"]}),
        ["ERR request-property-became-not-nullable", "INFO response-property-became-not-nullable"],
        ["ERR response-property-became-nullable", "INFO request-property-became-nullable"],
    ),
    "a schema that no value matches": (
        object_with(TEXT),
        object_with({**TEXT, "not": {}}),
        ["ERR request-property-type-changed", "INFO response-property-type-specialized"],
        ["ERR response-property-type-generalized", "INFO request-property-type-generalized"],
    ),
    "an enum": (
        object_with(TEXT),
        object_with({**TEXT, "enum": ["x"]}),
        ["ERR request-property-became-enum", "INFO response-property-became-enum"],
        ["ERR response-property-became-not-enum", "INFO request-property-became-not-enum"],
    ),
    "null": (
        object_with(TEXT),
        object_with({"type": ["string", "null"]}),
        ["ERR response-property-became-nullable", "INFO request-property-became-nullable"],
        ["ERR request-property-became-not-nullable", "INFO response-property-became-not-nullable"],
    ),
    "a wider type": (
        object_with({"type": "integer"}),
        object_with({"type": "number"}),
        ["ERR response-property-type-generalized", "INFO request-property-type-generalized"],
        ["ERR request-property-type-changed", "INFO response-property-type-specialized"],
    ),
    "an upper bound": (
        object_with({**TEXT, "maxLength": 5}),
        object_with({**TEXT, "maxLength": 9}),
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
        object_with({"type": "integer", "minimum": 5}),
        object_with({"type": "integer", "minimum": 9}),
        ["ERR request-property-min-increased", "INFO response-property-min-increased"],
        ["ERR response-property-min-decreased", "INFO request-property-min-decreased"],
    ),
    "an added bound": (
        object_with({"type": "array"}),
        object_with({"type": "array", "maxItems": 9}),
        ["ERR request-property-max-items-set", "INFO response-property-max-items-set"],
        ["ERR response-property-max-items-unset", "INFO request-property-max-items-unset"],
    ),
    "a pattern": (
        object_with(TEXT),
        object_with({**TEXT, "pattern": "^a"}),
        ["ERR request-property-pattern-added", "INFO response-property-pattern-added"],
        ["ERR response-property-pattern-removed", "INFO request-property-pattern-removed"],
    ),
    "a branch of a union": (
        {"oneOf": [CAT]},
        {"oneOf": [CAT, DOG]},
        ["INFO request-body-one-of-added", "WARN response-body-one-of-added"],
        ["ERR request-body-one-of-removed", "INFO response-body-one-of-removed"],
    ),
    "oneOf that became anyOf": (
        {"oneOf": [CAT, DOG]},
        {"anyOf": [CAT, DOG]},
        ["INFO request-body-one-of-generalized", "WARN response-body-one-of-generalized"],
        ["INFO response-body-any-of-specialized", "WARN request-body-any-of-specialized"],
    ),
    "a default": (
        object_with(TEXT),
        object_with({**TEXT, "default": "x"}),
        ["INFO request-property-default-value-added", "INFO response-property-default-value-added"],
        [
            "INFO request-property-default-value-removed",
            "INFO response-property-default-value-removed",
        ],
    ),
    "a property within a list within a property": (
        object_with({"type": "array", "items": {"type": "object"}}),
        object_with({"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}),
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


@pytest.mark.parametrize("name", SCHEMA_CHANGES)
def test_stricter_requests_and_looser_responses_break(name: str) -> None:
    base_schema, revised_schema, expected, expected_in_reverse = SCHEMA_CHANGES[name]
    base = request_and_response(base_schema)
    revision = request_and_response(revised_schema)
    assert reported(base, revision) == expected
    assert reported(revision, base) == expected_in_reverse


# Two documents, the changes between them, and the changes in reverse.
OPERATION_CHANGES: dict[str, tuple[Json, Json, list[str], list[str]]] = {
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
    "an enum value of the elements of a parameter": (
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
    "a required header": (
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
    "optional security": (
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}]),
        api(components={"securitySchemes": SCHEMES}, security=[{"a": []}, {}]),
        ["INFO api-security-added"],
        ["ERR api-security-removed"],
    ),
    "optional security instead of none": (
        api(components={"securitySchemes": SCHEMES}, security=[]),
        api(components={"securitySchemes": SCHEMES}, security=[{}, {"a": []}]),
        ["INFO api-security-added", "INFO api-security-added"],
        ["INFO api-security-removed", "INFO api-security-removed"],
    ),
    "a parameter that became JSON": (
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


@pytest.mark.parametrize("name", OPERATION_CHANGES)
def test_added_elements_are_removed_in_the_reverse_comparison(name: str) -> None:
    base, revision, expected, expected_in_reverse = OPERATION_CHANGES[name]
    assert reported(base, revision) == expected
    assert reported(revision, base) == expected_in_reverse


def test_a_flag_that_is_not_boolean_is_ignored() -> None:
    base = request_and_response({"type": "array", "uniqueItems": 5})
    revision = request_and_response({"type": "array", "uniqueItems": "yes"})
    assert reported(base, revision) == []


def test_a_media_type_inside_a_remaining_range_is_not_removed() -> None:
    def accepting(*media_types: str) -> Json:
        content = {media_type: {"schema": TEXT} for media_type in media_types}
        return {"paths": {"/a": {"put": {"requestBody": {"content": content}}}}}

    base = accepting("application/json", "application/xml")
    revision = accepting("*/*")
    assert [line for line in reported(base, revision) if line.startswith("ERR")] == []
    assert reported(accepting("*/*", "application/json"), accepting("*/*")) == []
    assert [line for line in reported(revision, base) if line.startswith("ERR")] != []


def test_a_query_value_may_become_a_list_of_repeated_values() -> None:
    def query(schema: Json) -> Json:
        return api(parameters=[{"name": "q", "in": "query", "schema": schema}])

    number = {"type": "integer"}
    numbers = {"type": "array", "items": number}
    assert reported(query(number), query(numbers)) == ["INFO request-parameter-type-generalized"]


def test_a_response_that_allows_other_properties_breaks_no_client() -> None:
    strict = {"type": "object", "additionalProperties": False}
    for open_schema in ({"type": "object"}, {**strict, "additionalProperties": TEXT}):
        assert reported(api(None, strict), api(None, open_schema)) == [
            "INFO response-body-additional-properties-removed"
        ]


def test_a_header_schema_inside_a_media_type_is_compared() -> None:
    def returning(schema_type: str) -> Json:
        header = {"content": {"application/json": {"schema": {"type": schema_type}}}}
        return {"paths": {"/a": {"put": {"responses": {"200": {"headers": {"X-A": header}}}}}}}

    assert reported(returning("object"), returning("array")) == ["ERR response-header-type-changed"]


def test_a_change_points_into_both_documents() -> None:
    revised_pet = {**PET, "properties": {**PET["properties"], "name": {"type": "integer"}}}
    revision = api(REF, components={"schemas": {"Pet": revised_pet}})
    base_body = "/paths/~1pets~1{id}/put/requestBody/content/application~1json"
    change = Change(
        id="request-property-type-changed",
        level="ERR",
        operation="PUT /pets/{id}",
        direction=Direction.REQUEST,
        base_pointer=f"{base_body}/schema/properties/name",
        revision_pointer="/components/schemas/Pet/properties/name",
        text="The request body, at `name`, changed its type from string to integer.",
        path=("name",),
    )
    assert compare(api(PET), revision) == [change]


def test_unresolved_references_are_equal_if_their_texts_are() -> None:
    reference = {"$ref": "../elsewhere.json#/One"}
    other_reference = {"$ref": "../elsewhere.json#/Other"}
    base = request_and_response(reference)
    assert reported(base, request_and_response(reference)) == []
    assert reported(api(reference), api(other_reference)) == ["ERR request-body-type-changed"]
    assert reported(api(reference), api(PET)) == ["ERR request-body-type-changed"]


def test_references_to_supplied_files_are_followed() -> None:
    files = {
        "../common.json": {"Pet": {"$ref": "more/pets.json#/Pet"}},
        "../more/pets.json": {"Pet": PET},
    }
    base = request_and_response({"$ref": "../common.json#/Pet"})
    assert compare(base, request_and_response(PET), base_files=files) == []


def test_a_schema_replaced_by_a_union_is_reported_once() -> None:
    assert reported(api(PET), api({"oneOf": [CAT, DOG]})) == ["ERR request-body-wrapped-in-one-of"]
    assert reported(request_and_response(CAT), request_and_response({"oneOf": [CAT, DOG]})) == [
        "INFO request-body-one-of-added",
        "WARN response-body-one-of-added",
    ]


def test_a_changed_branch_is_reported_by_its_own_changes() -> None:
    union = {"oneOf": [DOG, {"$ref": "#/components/schemas/Cat"}]}
    revised_cat = {**CAT, "properties": {**CAT["properties"], "lives": {"type": "integer"}}}
    base = api(union, components={"schemas": {"Cat": CAT}})
    revision = api(union, components={"schemas": {"Cat": revised_cat}})
    assert reported(base, revision) == ["INFO new-optional-request-property"]


def test_parts_of_all_of_are_reported_only_beside_other_changes() -> None:
    extension = {"properties": {"b": TEXT}, "required": ["b"]}
    assert reported(api({"allOf": [OBJECT]}), api({"allOf": [OBJECT, extension]})) == [
        "ERR new-required-request-property",
        "ERR request-body-all-of-added",
    ]


def test_inside_not_the_worse_severity_counts() -> None:
    base = api({"not": {**TEXT, "maxLength": 5}})
    revision = api({"not": {**TEXT, "maxLength": 9}})
    assert reported(base, revision) == ["ERR request-property-max-length-increased"]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_produces_a_sentence(rule: str) -> None:
    context = Context(
        "PUT /pets", Direction.RESPONSE, Part.BODY, "the response 200", ("a", "items")
    )
    change = context.change(rule, Pointers("/a", "/b"), old="old", new="new", name="name")
    assert change.id == rule.replace("*", "response-property")
    assert change.text[0].isupper()
    assert change.text.endswith(".")
    assert "{" not in change.text


def test_changes_of_a_draft_do_not_break() -> None:
    draft: Json = {"x-stability-level": "draft"}
    assert reported(api(OBJECT, **draft), api(PET, **draft)) == [
        "INFO request-property-became-required"
    ]


INVALID_DOCUMENTS: list[Any] = [
    {},
    {"openapi": 3, "paths": None, "components": [], "security": "none"},
    {
        "paths": {
            "/a": None,
            "/b": [],
            "/c": {"get": None, "put": {"parameters": "x", "responses": [], "security": {}}},
        }
    },
    request_and_response(
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
    request_and_response(
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


@pytest.mark.parametrize("number", range(len(INVALID_DOCUMENTS)))
def test_invalid_documents_are_compared(number: int) -> None:
    invalid_document = INVALID_DOCUMENTS[number]
    assert compare(invalid_document, copy.deepcopy(invalid_document)) == []
    for document in (*INVALID_DOCUMENTS, WIDE):
        compare(invalid_document, document)
        compare(document, invalid_document)
