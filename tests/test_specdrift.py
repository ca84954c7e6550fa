"""The engine that compares OpenAPI documents: what is the same, what differs, and what that means to who calls."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import Change, TooComplexError, compare
from specdrift._document import is_list, is_mapping
from specdrift._rules import RULES, Place

Json = dict[str, Any]
OBJECT: Json = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
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
    responses: Json = {"200": {"description": "", "content": {"application/json": {"schema": response}}}}
    found: Json = {"responses": responses if response is not None else {"200": {"description": ""}}, **operation}
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


SCHEMES: Json = {"a": {"type": "http", "scheme": "bearer"}, "k": {"type": "apiKey", "in": "header", "name": "X-Key"}}
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
    "a part of an allOf that says nothing new": (both({"allOf": [PET]}), both({"allOf": [PET, OBJECT]})),
    "const and an enum of one value": (both({"const": "a"}), both({"enum": ["a"]})),
    "a type beside an enum that has no other": (both({"enum": ["a"]}), both({"type": "string", "enum": ["a"]})),
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
    "least lengths of nothing": (both({"type": "string", "minLength": 0}), both({"type": "string"})),
    "descriptions, titles and examples": (
        both(PET),
        both({**PET, "description": "A pet", "title": "Pet", "example": {"name": "x"}, "x-internal": 1}),
    ),
    "header names in another case": (header({"type": "string"}, "X-Trace"), header({"type": "string"}, "x-trace")),
    "the case of a media type": (
        api(requestBody={"content": {"application/json": {"schema": PET}}}),
        api(requestBody={"content": {"Application/JSON": {"schema": PET}}}),
    ),
    "a parameter of the path under another name": (
        api(parameters=[{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]),
        api(
            path="/pets/{petId}",
            parameters=[{"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}],
        ),
    ),
    "a security scheme renamed": (
        api(security=[{"a": []}], components={"securitySchemes": SCHEMES}),
        api(security=[{"b": []}], components={"securitySchemes": {"b": SCHEMES["a"], "k": SCHEMES["k"]}}),
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
    "a union of one schema": (both({"oneOf": [PET]}), both(PET)),
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
        ["ERR response-property-max-length-increased", "INFO request-property-max-length-increased"],
        ["ERR request-property-max-length-decreased", "INFO response-property-max-length-decreased"],
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
    "a default": (
        prop(TEXT),
        prop({**TEXT, "default": "x"}),
        ["INFO request-property-default-value-added", "INFO response-property-default-value-added"],
        ["INFO request-property-default-value-removed", "INFO response-property-default-value-removed"],
    ),
    "a property within a list within a property": (
        prop({"type": "array", "items": {"type": "object"}}),
        prop({"type": "array", "items": {"type": "object", "properties": {"b": TEXT}}}),
        ["INFO new-optional-request-property", "INFO response-optional-property-added"],
        ["INFO response-optional-property-removed", "WARN request-property-removed"],
    ),
    "a read-only property": (
        OBJECT,
        {**OBJECT, "properties": {**OBJECT["properties"], "b": {**TEXT, "readOnly": True}}, "required": ["b"]},
        ["INFO new-required-request-property", "INFO response-required-property-added"],
        ["ERR response-required-property-removed", "INFO request-property-removed"],
    ),
    "a write-only property": (
        OBJECT,
        {**OBJECT, "properties": {**OBJECT["properties"], "b": {**TEXT, "writeOnly": True}}, "required": ["b"]},
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
        api(security=[{"o": ["read", "write"]}], components={"securitySchemes": {"o": {"type": "oauth2"}}}),
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
    "a deprecation": (api(), api(deprecated=True), ["INFO endpoint-deprecated"], ["INFO endpoint-reactivated"]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_added_one_way_is_removed_the_other_way(name: str) -> None:
    base, revision, forth, back = OPERATIONS[name]
    assert told(base, revision) == forth
    assert told(revision, base) == back


def test_a_change_says_where_it_is_on_either_side() -> None:
    revision = {"schemas": {"Pet": {**PET, "properties": {**PET["properties"], "name": {"type": "integer"}}}}}
    change = Change(
        id="request-property-type-changed",
        level="ERR",
        operation="PUT /pets/{id}",
        direction="request",
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
    circles = {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}}
    assert told(both({"$ref": "#/components/schemas/A"}, components=circles), api(REF, REF, components=PETS)) != []
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
    files = {"../common.json": {"Pet": {"$ref": "more/pets.json#/Pet"}}, "../more/pets.json": {"Pet": PET}}
    base = both({"$ref": "../common.json#/Pet"})
    assert compare(base, both(PET), base_files=files) == []


def test_a_document_that_doubles_with_each_schema_is_compared_in_time() -> None:
    def doubling(leaf: str) -> Json:
        schemas: Json = {f"S{n}": prop({"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(60)}
        for n in range(60):
            schemas[f"S{n}"]["properties"]["b"] = {"$ref": f"#/components/schemas/S{n + 1}"}
        return api({"$ref": "#/components/schemas/S0"}, components={"schemas": {**schemas, "S60": {"type": leaf}}})

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
    schemas: Json = {f"S{length}{name}": {"type": leaf, "minLength": number} for number, name in enumerate("ab")}
    for n in range(length):
        following = [{"$ref": f"#/components/schemas/S{n + 1}{name}"} for name in "ab"]
        schemas |= {f"S{n}{name}": {"title": f"{n}{name}", "anyOf": following} for name in "ab"}
    return api({"$ref": "#/components/schemas/S0a"}, components={"schemas": schemas})


def test_chained_unions_are_compared_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specdrift._schemas.MAXIMUM_STEPS", 20_000)
    assert told(chained(60, "string"), chained(60, "string")) == []
    assert told(chained(60, "string"), chained(60, "boolean")) == ["ERR request-property-type-changed"] * 2


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
        return {"type": "array", "items": {"anyOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "null"}, TEXT]}}

    schemas = {"A": prop({"const": 1}), "B": prop({"const": 2})}
    base, revision = [list_of("A"), list_of("B")], [list_of("B"), list_of("A")]
    within = [{"type": "object", "properties": {"a": {"anyOf": union}}} for union in (base, revision)]
    old, new = (both({"anyOf": [TEXT, each]}, components={"schemas": schemas}) for each in within)
    assert told(old, new) == []


def test_what_would_take_too_long_is_refused_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specdrift._schemas.MAXIMUM_STEPS", 50)
    with pytest.raises(TooComplexError, match=r"^/components/schemas/S\d+[ab].*more than 50 steps.*names, or fewer$"):
        compare(chained(60, "string"), chained(60, "boolean"))


@pytest.mark.parametrize("key", ["default", "const", "enum"])
def test_a_value_that_is_nested_too_deeply_is_refused_with_its_place(key: str) -> None:
    value: Any = [1]
    for _ in range(5000):
        value = [value]
    deep = api(prop({key: value}))
    with pytest.raises(TooComplexError, match=r"/schema/properties/a: a value is nested too deeply .*flatten it"):
        compare(deep, api(prop({})))
    with pytest.raises(TooComplexError, match="a value is nested too deeply"):
        compare(deep, deep)


def test_deep_nesting_where_a_text_belongs_is_refused() -> None:
    value: Any = [1]
    for _ in range(5000):
        value = [value]
    for base, revision in [(api(operationId=value), api()), (api(), {**api(), "security": [{"a": value}]})]:
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
    assert told(base, api(union, components={"schemas": {"Cat": changed}})) == ["INFO new-optional-request-property"]


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
    place = Place("PUT /pets", "response", "body", "the response 200", ("a", "items"))
    change = place.change(rule, "/a", "/b", "old", "new", name="name")
    assert change.id == rule.replace("*", "response-property")
    assert change.text[0].isupper()
    assert change.text.endswith(".")
    assert "{" not in change.text


def test_in_a_draft_nothing_breaks() -> None:
    draft: Json = {"x-stability-level": "draft"}
    assert told(api(OBJECT, **draft), api(PET, **draft)) == ["INFO request-property-became-required"]


DOCUMENTS_THAT_MAKE_NO_SENSE: list[Any] = [
    {},
    {"openapi": 3, "paths": None, "components": [], "security": "none"},
    {"paths": {"/a": None, "/b": [], "/c": {"get": None, "put": {"parameters": "x", "responses": [], "security": {}}}}},
    both({"type": 5, "enum": "x", "required": "name", "properties": [], "items": [], "allOf": {}, "minimum": "1"}),
    both({"properties": {"a": None, "b": True, "c": False, "d": 5}, "oneOf": [None, 1], "discriminator": "x"}),
    api(parameters=[None, 5, {}, {"name": 5, "in": None}, {"$ref": 5}, {"$ref": "#/nowhere"}, {"content": []}]),
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
        optional={"required": st.lists(NAMES, unique=True), "additionalProperties": inner, "allOf": several},
    )
    lists = st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 9)})
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
