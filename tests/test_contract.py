"""Fitting data to the schemas of the contract: what is a difference, and what a model is then given."""

from __future__ import annotations

from typing import Any

import pytest
from leadconnector._contract import Finding, fit


def differences(schema: dict[str, Any], data: Any) -> list[str]:
    findings: list[Finding] = []
    fit(schema, data, "$", findings)
    return [" ".join(finding) for finding in findings]


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
        ({"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "string"}}}]}, {"a": "x"}),
        ({}, {"anything": [1, None]}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
    ],
)
def test_data_that_fits_is_no_finding(schema: dict[str, Any], data: Any) -> None:
    assert differences(schema, data) == []
    assert fit(schema, data, "$", []) == data


@pytest.mark.parametrize(
    ("schema", "data", "found"),
    [
        ({"type": "string", "minLength": 2}, "a", "$ must keep to minLength 2"),
        ({"type": "integer", "maximum": 5}, 6, "$ must keep to maximum 5"),
        ({"type": "integer", "exclusiveMinimum": 5}, 5, "$ must keep to exclusiveMinimum 5"),
        ({"type": "array", "minItems": 1}, [], "$ must keep to minItems 1"),
        ({"type": "string", "pattern": "^a"}, "b", "$ must match the pattern ^a"),
        ({"type": "integer"}, 1.5, "$ must be of type integer, not number"),
        ({"type": "number"}, True, "$ must be of type number, not boolean"),
        ({"enum": [1]}, True, "$ must be a documented value, such as 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "$ must be of one of the documented forms"),
        ({"type": "object", "required": ["a"]}, {}, "$.a is missing"),
        ({"type": "object", "additionalProperties": False}, {"a": 1}, "$.a is not a documented property"),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], "$[1] must be of type string, not integer"),
    ],
)
def test_data_that_does_not_fit_is_a_finding_with_its_place(schema: dict[str, Any], data: Any, found: str) -> None:
    assert differences(schema, data) == [found]


@pytest.mark.parametrize(
    ("schema", "data", "fitted"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": None, "b": None}, {"b": None}),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": "text"}, {}),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 5}, {"a": 5}),
        ({"type": "array", "items": {"type": "object"}}, [{}, None, "x", {"a": 1}], [{}, {"a": 1}]),
    ],
)
def test_what_is_optional_and_cannot_be_held_is_left_out(schema: dict[str, Any], data: Any, fitted: Any) -> None:
    assert fit(schema, data, "$", []) == fitted


def test_what_is_required_and_cannot_be_held_takes_what_is_around_it_along() -> None:
    inner = {"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}}
    schema = {"type": "object", "properties": {"inner": inner}}

    assert fit(schema, {"inner": {"a": None}, "b": 1}, "$", []) == {"b": 1}
    assert fit({**schema, "required": ["inner"]}, {"inner": {"a": None}}, "$", []) == Finding(
        "$.inner.a", "must be of type object, not null"
    )
