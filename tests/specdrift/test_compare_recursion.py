"""Verifies that recursive, deep and large schemas are compared completely and in time."""

import copy
from typing import Any

import pytest
from specdrift import TooComplexError, compare

from tests.specdrift.documents import (
    PET,
    PETS,
    REF,
    TEXT,
    Json,
    api,
    object_with,
    reported,
    request_and_response,
)


def test_recursive_schemas_are_compared_completely() -> None:
    def tree(leaf: str) -> Json:
        node: Json = {
            "type": "object",
            "properties": {"next": {"$ref": "#/components/schemas/Node"}, "v": {"type": leaf}},
        }
        return request_and_response(
            {"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}}
        )

    unrolled = tree("string")
    unrolled["components"]["schemas"]["Node"]["properties"]["next"] = copy.deepcopy(
        unrolled["components"]["schemas"]["Node"]
    )
    assert reported(tree("string"), tree("string")) == []
    assert reported(tree("string"), unrolled) == []
    assert reported(tree("string"), tree("boolean")) == [
        "ERR request-property-type-changed",
        "ERR response-property-type-changed",
    ]


def test_circular_references_terminate() -> None:
    reference_to_a = {"$ref": "#/components/schemas/A"}
    reference_to_b = {"$ref": "#/components/schemas/B"}

    circle = {"schemas": {"A": reference_to_b, "B": reference_to_a}}
    base = request_and_response(reference_to_a, components=circle)
    assert reported(base, api(REF, REF, components=PETS)) != []

    part_of_itself = {"schemas": {"A": {"allOf": [reference_to_a, PET]}}}
    base = request_and_response(reference_to_a, components=part_of_itself)
    assert reported(base, request_and_response(PET)) == []

    branch_of_itself = {"schemas": {"A": {"oneOf": [reference_to_a, {"type": "string"}]}}}
    base = request_and_response(reference_to_a, components=branch_of_itself)
    assert reported(base, request_and_response(TEXT)) == []


def test_exponentially_growing_documents_are_compared_in_time() -> None:
    def doubling(leaf: str) -> Json:
        schemas: Json = {"S60": {"type": leaf}}
        for n in range(60):
            next_schema = {"$ref": f"#/components/schemas/S{n + 1}"}
            schemas[f"S{n}"] = {
                "type": "object",
                "properties": {"a": next_schema, "b": next_schema},
            }
        start = {"$ref": "#/components/schemas/S0"}
        return api(start, components={"schemas": schemas})

    assert reported(doubling("string"), doubling("boolean")) == [
        "ERR request-property-type-changed"
    ]


def test_deeply_nested_schemas_are_compared_completely() -> None:
    def deep(leaf: str) -> Json:
        schema: Json = {"type": leaf}
        for _ in range(3000):
            schema = {"type": "array", "items": schema}
        return api(schema)

    assert reported(deep("string"), deep("boolean")) == ["ERR request-property-type-changed"]


def chained(length: int, leaf: str) -> Json:
    """Return a chain of unions. Each has two branches, and each branch leads to both next ones.

    Only the last two schemas contain the leaf type, and 2^length ways lead there.
    """
    schemas: Json = {
        f"S{length}a": {"type": leaf, "minLength": 0},
        f"S{length}b": {"type": leaf, "minLength": 1},
    }
    for n in range(length):
        next_branches = [{"$ref": f"#/components/schemas/S{n + 1}{name}"} for name in "ab"]
        for name in "ab":
            schemas[f"S{n}{name}"] = {"title": f"{n}{name}", "anyOf": next_branches}
    return api({"$ref": "#/components/schemas/S0a"}, components={"schemas": schemas})


def test_chained_unions_are_compared_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 40_000)
    assert reported(chained(60, "string"), chained(60, "string")) == []
    expected = ["ERR request-property-type-changed", "ERR request-property-type-changed"]
    assert reported(chained(60, "string"), chained(60, "boolean")) == expected


def test_a_long_reordered_union_is_compared_in_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 200_000)
    branches = [
        object_with({"anyOf": [{"const": number}, {"type": "array", "items": {"const": number}}]})
        for number in range(80)
    ]
    reversed_branches = branches[::-1]
    base_schema = {"anyOf": [TEXT, object_with({"oneOf": branches})]}
    revised_schema = {"anyOf": [TEXT, object_with({"oneOf": reversed_branches})]}
    shorter_schema = {"anyOf": [TEXT, object_with({"oneOf": reversed_branches[:-1]})]}
    base = request_and_response(base_schema)
    assert reported(base, request_and_response(revised_schema)) == []
    assert reported(api(base_schema), api(shorter_schema)) != []


def test_deeply_nested_unions_are_compared_completely() -> None:
    def nested(leaf: str, *, reverse: bool = False) -> Json:
        schema: Json = {"type": leaf}
        for number in range(300):
            branches: list[Json] = [{"const": number}, {"type": "array", "items": schema}]
            if reverse:
                branches.reverse()
            schema = {"anyOf": branches}
        return api(schema)

    assert reported(nested("string"), nested("string", reverse=True)) == []
    assert reported(nested("string"), nested("boolean")) != []


def test_long_circles_of_unions_are_compared() -> None:
    def circle(length: int) -> Json:
        schemas: Json = {}
        for n in range(length):
            next_schema = {"$ref": f"#/components/schemas/S{(n + 1) % length}"}
            schemas[f"S{n}"] = {"anyOf": [TEXT, object_with(next_schema)]}
        start = {"$ref": "#/components/schemas/S0"}
        return request_and_response(start, components={"schemas": schemas})

    assert reported(circle(150), circle(150)) == []
    assert reported(circle(50), circle(49)) == []
    changed_circle = circle(150)
    changed_circle["components"]["schemas"]["S149"]["anyOf"][0] = {"type": "integer"}
    assert reported(circle(150), changed_circle) != []


def test_assumed_equality_does_not_match_the_wrong_branches() -> None:
    def list_of(name: str) -> Json:
        return {
            "type": "array",
            "items": {"anyOf": [{"$ref": f"#/components/schemas/{name}"}, {"type": "null"}, TEXT]},
        }

    def document(*branches: Json) -> Json:
        schemas = {"A": object_with({"const": 1}), "B": object_with({"const": 2})}
        union = {"anyOf": [TEXT, object_with({"anyOf": list(branches)})]}
        return request_and_response(union, components={"schemas": schemas})

    base = document(list_of("A"), list_of("B"))
    revision = document(list_of("B"), list_of("A"))
    assert reported(base, revision) == []


def test_too_many_steps_raise_an_error_with_the_location(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("specdrift.comparison.schemas.pairs.MAXIMUM_STEPS", 50)
    with pytest.raises(
        TooComplexError,
        match=r"^/components/schemas/S\d+[ab].*more than 50 steps.*branches in its unions$",
    ):
        compare(chained(60, "string"), chained(60, "boolean"))


def deeply_nested_list() -> Any:
    """Return a value that is too deep for every supported Python."""
    value: Any = [1]
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize("key", ["default", "const", "enum"])
def test_a_too_deeply_nested_value_raises_an_error_with_the_location(key: str) -> None:
    value = deeply_nested_list()
    deep = api(object_with({key: value}))
    with pytest.raises(
        TooComplexError, match=r"/schema/properties/a: a value is nested too deeply .*flatten it"
    ):
        compare(deep, api(object_with({})))
    with pytest.raises(TooComplexError, match="a value is nested too deeply"):
        compare(deep, deep)


def test_deep_nesting_in_place_of_a_text_raises_an_error() -> None:
    value = deeply_nested_list()
    for base, revision in [
        (api(operationId=value), api()),
        (api(), {**api(), "security": [{"a": value}]}),
    ]:
        with pytest.raises(TooComplexError, match="a value of the documents is nested too deeply"):
            compare(base, revision)
