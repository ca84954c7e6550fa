"""Compiled schemas: which data is valid, and how invalid data is normalised."""

from __future__ import annotations

from typing import Any

import pytest
from leadconnector._runtime.schema import MAXIMUM_FINDINGS, Normalised, compile_schema


def normalise(schema: dict[str, Any], data: Any) -> Normalised:
    return compile_schema(schema, {}).normalise(data)


def findings_as_text(schema: dict[str, Any], data: Any) -> list[str]:
    findings = normalise(schema, data).findings
    return [f"{finding.path} must be {finding.expected}" for finding in findings]


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"type": ["string", "null"], "maxLength": 5}, None),
        ({"type": ["integer", "null"], "minimum": 5}, None),
        ({"type": ["string", "integer"], "minimum": 100}, "abc"),
        ({"type": ["string", "integer"], "maxLength": 5}, 123456),
        ({"minLength": 1}, True),
        ({"type": "array", "maxItems": 2, "maxLength": 0}, [1, 2]),
        ({"type": "number", "minimum": 1, "maximum": 2}, 1.5),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        ({"type": ["string", "null"], "enum": ["a", None]}, None),
        ({}, {"anything": [1, None]}),
        ({"minimum": 5, "maximum": 5}, 5),
        ({"minLength": 2, "maxLength": 2}, "ab"),
        ({"minItems": 2, "maxItems": 2}, [1, 2]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
        ({"multipleOf": 0.1}, 0.3),
        ({"multipleOf": 0.01}, 19.99),
        ({"multipleOf": 1e-5}, 1e300),
        ({"multipleOf": 5}, "text"),
        ({"uniqueItems": True}, [1, True, "1", [1], [True], {"a": 1}, {"a": True}]),
        ({"uniqueItems": False}, [1, 1]),
        ({"minProperties": 1, "maxProperties": 1}, {"a": 1}),
    ],
)
def test_valid_data_has_no_finding(schema: dict[str, Any], data: Any) -> None:
    assert findings_as_text(schema, data) == []
    assert normalise(schema, data).data == data


@pytest.mark.parametrize(
    ("schema", "data", "finding"),
    [
        ({"type": "string", "minLength": 2}, "a", "$ must be valid for minLength 2"),
        ({"type": "integer", "maximum": 5}, 6, "$ must be valid for maximum 5"),
        (
            {"type": "integer", "exclusiveMinimum": 5},
            5,
            "$ must be valid for exclusiveMinimum 5",
        ),
        ({"type": "array", "minItems": 1}, [], "$ must be valid for minItems 1"),
        ({"multipleOf": 0.1}, 0.25, "$ must be valid for multipleOf 0.1"),
        ({"multipleOf": 2}, 3, "$ must be valid for multipleOf 2"),
        ({"uniqueItems": True}, [1, 1.0], "$ must be valid for uniqueItems True"),
        ({"uniqueItems": True}, [{"a": [0]}, {"a": [0.0]}], "$ must be valid for uniqueItems True"),
        ({"type": "object", "minProperties": 1}, {}, "$ must be valid for minProperties 1"),
        ({"type": "object", "maxProperties": 0}, {"a": 1}, "$ must be valid for maxProperties 0"),
        ({"type": "string", "pattern": "^a"}, "b", "$ must be valid for pattern ^a"),
        ({"type": "integer"}, 1.5, "$ must be of type integer"),
        ({"type": "number"}, True, "$ must be of type number"),
        ({"enum": [1]}, True, "$ must be a documented value, such as 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "$ must be of type string"),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, 5, "$ must be of a documented form"),
        ({"type": "object", "required": ["a"]}, {}, "$.a must be there"),
        (
            {"type": "object", "additionalProperties": False},
            {"a": 1},
            "$.a must be a documented property",
        ),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], "$[1] must be of type string"),
    ],
)
def test_invalid_data_is_one_finding_with_its_path(
    schema: dict[str, Any], data: Any, finding: str
) -> None:
    assert findings_as_text(schema, data) == [finding]


@pytest.mark.parametrize(
    ("schema", "data", "normalised"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"a": None, "b": None},
            {"b": None},
        ),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": "text"}, {}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 5}, {"a": 5}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": [5]}, {}),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}}, {"a": 5}, {}),
        (
            {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}},
            {"a": "y"},
            {"a": "y"},
        ),
        ({"type": "object", "properties": {"a": {"enum": ["x"]}}}, {"a": None}, {}),
        ({"type": "array", "items": {"type": "object"}}, [{}, None, "x", {"a": 1}], [{}, {"a": 1}]),
    ],
)
def test_an_optional_part_that_no_model_can_store_is_removed(
    schema: dict[str, Any], data: Any, normalised: Any
) -> None:
    assert normalise(schema, data).data == normalised


def test_a_required_object_that_is_none_leaves_the_object_around_it() -> None:
    inner = {"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}}
    schema = {"type": "object", "required": ["inner"], "properties": {"inner": inner}}

    result = normalise(schema, {"inner": {"a": "x"}, "b": 1})

    assert (result.misfit, result.data) == (None, {"inner": {}, "b": 1})
    finding = result.findings[0]
    assert (finding.kind, finding.path) == ("wrong-type", "$.inner.a")
    assert finding.pointer == "/properties/inner/properties/a"
    assert finding.expected == "of type object"


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"type": "string"}, None),
        ({"type": "object"}, None),
        ({"type": "array"}, None),
        ({"enum": ["x"]}, None),
        ({"enum": ["x"]}, 5),
        ({"type": "string", "enum": ["x"]}, 5),
        ({"type": "string", "format": "date-time"}, "tomorrow"),
        ({"type": "string", "format": "date-time"}, 5),
        ({"type": "string", "format": "date"}, "2021-13-01"),
        ({"type": "string", "format": "uuid"}, "1"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, True),
    ],
)
def test_a_required_null_or_scalar_that_no_model_can_store_is_removed(
    schema: dict[str, Any], data: Any
) -> None:
    result = normalise({"required": ["a"], "properties": {"a": schema}}, {"a": data, "b": 1})

    assert (result.misfit, result.data) == (None, {"b": 1})
    assert [finding.path for finding in result.findings] == ["$.a"]


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"type": "string"}, []),
        ({"type": "string"}, {}),
        ({"type": "object"}, "x"),
        ({"type": "array"}, 5),
        ({"type": ["object", "null"]}, "x"),
        ({"anyOf": [{"type": "object"}, {"type": "integer"}]}, "x"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {}),
    ],
)
def test_a_required_object_or_array_in_the_wrong_place_is_left_out(
    schema: dict[str, Any], data: Any
) -> None:
    result = normalise({"required": ["a"], "properties": {"a": schema}}, {"a": data})

    assert (result.misfit, result.data) == (None, {})
    assert [finding.path for finding in result.findings] == ["$.a"]


def test_a_required_property_that_is_missing_is_no_misfit() -> None:
    schema = {"required": ["a", "b"], "properties": {"a": {"type": "object"}}}

    result = normalise(schema, {"c": 1})

    assert (result.misfit, result.data) == (None, {"c": 1})
    assert [finding.path for finding in result.findings] == ["$.a", "$.b"]


@pytest.mark.parametrize(("name", "additional"), [("changed", {}), ("list", {"more": {}})])
def test_unchanged_data_stays_the_same_object(name: str, additional: Any) -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    array = {"type": "array", "items": inner}
    schema = {"properties": {"changed": inner, "same": inner, "list": array}}
    data = {"changed": {"a": "x"}, "same": {"a": "x"}, "list": [{"a": "x"}], **additional}
    assert normalise(schema, data).data is data

    data[name] = {"a": None} if name == "changed" else [{"a": None}]
    normalised = normalise(schema, data).data

    assert normalised == {**data, name: {} if name == "changed" else [{}]}
    assert normalised["same"] is data["same"]
    assert data[name] in ({"a": None}, [{"a": None}]), "the input is not modified"


def test_every_deviation_is_a_finding_and_no_required_property_is_a_misfit() -> None:
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "object"}, "b": {"type": "array"}},
    }

    result = normalise(schema, {"a": "x", "b": 5})

    assert (result.misfit, result.data) == (None, {})
    assert [(finding.kind, finding.path) for finding in result.findings] == [
        ("wrong-type", "$.a"),
        ("wrong-type", "$.b"),
    ]


BRANCHES: list[tuple[Any, Any, Any, list[str]]] = [
    # (branches, data, normalised data or None for a misfit, kinds of findings)
    ([{"required": ["a"]}, {"required": ["b"]}], {"b": 1}, {"b": 1}, []),
    ([{"required": ["a"]}, {"required": ["b"]}], {"a": 1, "b": 1}, {"a": 1, "b": 1}, []),
    ([{"required": ["a"]}, {"required": ["b"]}], {}, None, ["undocumented-form"]),
    ([{"type": "string"}, {"type": "integer"}], None, None, ["null"]),
    (
        [
            {"required": ["a"]},
            {"properties": {"b": {}}, "required": ["b"], "additionalProperties": False},
        ],
        {"b": 1, "new": 2},
        {"b": 1, "new": 2},
        ["undocumented-field"],
    ),
    (
        [
            {"properties": {"a": {}, name: {}}, "additionalProperties": False}
            for name in ("c", "b", "d")
        ],
        {"a": 1, "b": 2},
        {"a": 1, "b": 2},
        [],
    ),
]


@pytest.mark.parametrize(("branches", "data", "normalised", "kinds"), BRANCHES)
def test_data_is_normalised_by_the_branch_with_the_fewest_findings(
    branches: Any, data: Any, normalised: Any, kinds: list[str]
) -> None:
    result = normalise({"oneOf": branches}, data)

    assert [finding.kind for finding in result.findings] == kinds
    if normalised is None:
        assert result.misfit == result.findings[0]
    else:
        assert result.data == normalised


@pytest.mark.parametrize(
    ("item", "data"),
    [
        ({"type": "string"}, None),
        ({"anyOf": [{"additionalProperties": False}]}, {"a": 1, "b": 2, "c": 3}),
    ],
)
def test_a_body_full_of_deviations_reports_the_first_ones(
    item: dict[str, Any], data: object
) -> None:
    findings = normalise({"items": item}, [data] * (MAXIMUM_FINDINGS * 3)).findings

    assert len(findings) == MAXIMUM_FINDINGS
    assert findings[0].path.startswith("$[0]")


def test_a_full_list_of_findings_does_not_make_a_branch_match() -> None:
    names = {f"n{number}": 1 for number in range(MAXIMUM_FINDINGS * 2)}
    branch = {"properties": {"last": {"type": "object"}}, "additionalProperties": False}

    findings = normalise({"anyOf": [branch, branch]}, {**names, "last": 1}).findings

    assert [finding.kind for finding in findings] == ["undocumented-form"]


def test_a_full_list_of_findings_keeps_a_deviation_of_the_branch_that_is_meant() -> None:
    names = {f"n{number}": 1 for number in range(MAXIMUM_FINDINGS * 2)}
    branch = {"properties": {"last": {"type": "string"}}, "additionalProperties": False}
    schema = {"anyOf": [{"anyOf": [branch, {"type": "null"}]}, {"type": "integer"}]}

    findings = normalise(schema, {**names, "last": 1}).findings

    assert len(findings) == MAXIMUM_FINDINGS
    assert findings[-1].path == "$.last"


INNER: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "string"}, "b": {"type": "integer", "maximum": 5}},
}
CAT: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"enum": ["cat"]}, "a": {"type": "string"}},
}
DOG: dict[str, Any] = {"type": "object", "properties": {"kind": {"enum": ["dog"]}}}
NUMBERED: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"enum": ["dog", "wolf"]}, "n": {"type": "integer"}},
}
SIZED: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {"size": {"type": "integer"}},
}
NULL: dict[str, Any] = {"type": "null"}


@pytest.mark.parametrize(
    ("branches", "data", "problem"),
    [
        ([INNER, NULL], {"a": 1}, "$.a must be of type string"),
        ([NULL, INNER], {"b": 1}, "$.a must be there"),
        ([INNER, NULL], {"a": "x", "b": 9}, "$.b must be valid for maximum 5"),
        ([INNER, NULL], "text", "$ must be of type object"),
        ([INNER, {"type": "string"}], {"a": 1}, "$.a must be of type string"),
        ([INNER, {"type": "array", "items": INNER}], [{"a": 1}], "$[0].a must be of type string"),
        ([{"oneOf": [INNER, NULL]}, {"type": "string"}], {"a": 1}, "$.a must be of type string"),
        ([{"type": "string", "maxLength": 1}, NULL], "ab", "$ must be valid for maxLength 1"),
        ([{"type": "integer"}, {"type": "string"}], 1.5, "$ must be of type integer"),
        ([INNER, SIZED], {"a": 1}, "$.a must be of type string"),
        ([INNER, SIZED], {"size": "s"}, "$.size must be of type integer"),
        ([CAT, DOG], {"kind": "cat", "a": 1}, "$.a must be of type string"),
        ([NUMBERED, CAT, NULL], {"kind": "wolf", "n": "1"}, "$.n must be of type integer"),
        ([INNER, SIZED], {}, "$ must be of a documented form"),
        ([INNER, SIZED], {"a": 1, "size": "s"}, "$ must be of a documented form"),
        ([CAT, DOG], {"kind": "new"}, "$ must be of a documented form"),
        ([INNER, {"type": "string"}], 5, "$ must be of a documented form"),
        (
            [{"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["b"]}],
            "c",
            "$ must be of a documented form",
        ),
    ],
)
@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_a_deviation_from_the_one_branch_that_can_be_meant_has_its_place(
    keyword: str, branches: list[Any], data: Any, problem: str
) -> None:
    assert findings_as_text({keyword: branches}, data)[:1] == [problem]
