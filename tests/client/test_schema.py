"""Fitting data to the schemas of the contract: what is a difference, and what a model is then given."""

from __future__ import annotations

from typing import Any

import pytest
from leadconnector._runtime.schema import MAXIMUM_FINDINGS, Finding, planned


def fit(schema: dict[str, Any], data: Any) -> tuple[Any, list[Finding]]:
    return planned(schema, {}).fit(data)


def differences(schema: dict[str, Any], data: Any) -> list[str]:
    return [f"{finding.path} must be {finding.expected}" for finding in fit(schema, data)[1]]


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
    ],
)
def test_data_that_fits_is_no_finding(schema: dict[str, Any], data: Any) -> None:
    assert differences(schema, data) == []
    assert fit(schema, data)[0] == data


@pytest.mark.parametrize(
    ("schema", "data", "found"),
    [
        ({"type": "string", "minLength": 2}, "a", "$ must be in keeping with minLength 2"),
        ({"type": "integer", "maximum": 5}, 6, "$ must be in keeping with maximum 5"),
        (
            {"type": "integer", "exclusiveMinimum": 5},
            5,
            "$ must be in keeping with exclusiveMinimum 5",
        ),
        ({"type": "array", "minItems": 1}, [], "$ must be in keeping with minItems 1"),
        ({"type": "string", "pattern": "^a"}, "b", "$ must be in keeping with pattern ^a"),
        ({"type": "integer"}, 1.5, "$ must be of type integer"),
        ({"type": "number"}, True, "$ must be of type number"),
        ({"enum": [1]}, True, "$ must be a documented value, such as 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "$ must be of a documented form"),
        ({"type": "object", "required": ["a"]}, {}, "$.a must be there"),
        (
            {"type": "object", "additionalProperties": False},
            {"a": 1},
            "$.a must be a documented property",
        ),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], "$[1] must be of type string"),
    ],
)
def test_data_that_does_not_fit_is_a_finding_with_its_place(
    schema: dict[str, Any], data: Any, found: str
) -> None:
    assert differences(schema, data) == [found]


@pytest.mark.parametrize(
    ("schema", "data", "fitted"),
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
def test_what_is_optional_and_cannot_be_held_is_left_out(
    schema: dict[str, Any], data: Any, fitted: Any
) -> None:
    assert fit(schema, data)[0] == fitted


def test_what_is_required_and_cannot_be_held_takes_what_is_around_it_along() -> None:
    inner = {"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}}
    schema = {"type": "object", "properties": {"inner": inner}}

    assert fit(schema, {"inner": {"a": None}, "b": 1})[0] == {"b": 1}
    unfit = fit({**schema, "required": ["inner"]}, {"inner": {"a": None}})[0]
    assert isinstance(unfit, Finding)
    assert (unfit.kind, unfit.path, unfit.pointer) == (
        "null",
        "$.inner.a",
        "/properties/inner/properties/a",
    )
    assert unfit.expected == "of type object"


@pytest.mark.parametrize(("name", "rest"), [("changed", {}), ("list", {"more": {}})])
def test_what_is_as_documented_stays_the_same_object(name: str, rest: Any) -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "properties": {"changed": inner, "same": inner, "list": {"type": "array", "items": inner}}
    }
    data = {"changed": {"a": "x"}, "same": {"a": "x"}, "list": [{"a": "x"}], **rest}
    assert fit(schema, data)[0] is data

    data[name] = {"a": None} if name == "changed" else [{"a": None}]
    fitted = fit(schema, data)[0]

    assert fitted == {**data, name: {} if name == "changed" else [{}]}
    assert fitted["same"] is data["same"]
    assert data[name] in ({"a": None}, [{"a": None}]), "what was given is as it was"


def test_every_difference_is_told_and_the_first_misfit_is_why() -> None:
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "object"}, "b": {"type": "array"}},
    }

    unfit, found = fit(schema, {"a": "x", "b": None})

    assert unfit == found[0]
    assert [(finding.kind, finding.path) for finding in found] == [
        ("wrong-type", "$.a"),
        ("null", "$.b"),
    ]


FORMS: list[tuple[Any, Any, Any, list[str]]] = [
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


@pytest.mark.parametrize(("schema", "data", "fitted", "kinds"), FORMS)
def test_data_is_held_as_the_form_that_it_has(
    schema: Any, data: Any, fitted: Any, kinds: list[str]
) -> None:
    result, found = fit({"oneOf": schema}, data)

    assert [finding.kind for finding in found] == kinds
    assert result == (found[0] if fitted is None else fitted)


@pytest.mark.parametrize(
    ("item", "data"),
    [
        ({"type": "string"}, None),
        ({"anyOf": [{"additionalProperties": False}]}, {"a": 1, "b": 2, "c": 3}),
    ],
)
def test_a_body_full_of_differences_is_told_by_its_first(
    item: dict[str, Any], data: object
) -> None:
    _, found = fit({"items": item}, [data] * (MAXIMUM_FINDINGS * 3))

    assert len(found) == MAXIMUM_FINDINGS
    assert found[0].path.startswith("$[0]")


def test_a_form_is_not_taken_for_fitting_because_there_is_too_much_to_tell() -> None:
    names = {f"n{number}": 1 for number in range(MAXIMUM_FINDINGS * 2)}
    form = {"properties": {"last": {"type": "object"}}, "additionalProperties": False}

    assert [x.kind for x in fit({"anyOf": [form]}, {**names, "last": 1})[1]] == [
        "undocumented-form"
    ]
