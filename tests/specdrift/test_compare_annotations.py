"""Verifies that annotations do not restrict, and that equal bounds are equal in every form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specdrift import compare

from tests.specdrift.documents import TEXT, Json, api, object_with, request_and_response

ANNOTATIONS: dict[str, Any] = {
    "x-label": "map",
    "x-order": 3,
    "title": "A title",
    "description": "A text",
    "example": 1,
    "examples": [1],
    "externalDocs": {"url": "https://example.com"},
    "xml": {"name": "x"},
    "$comment": "for authors",
    "$id": "https://example.com/schema",
    "unknownKeyword": {"type": "string"},
}
FLAGS: dict[str, Any] = {"deprecated": True, "readOnly": True, "writeOnly": True, "default": "x"}


def silent(base: Any, revision: Any, version: str = "3.1.0") -> bool:
    """Whether two schemas have no difference, in requests and responses."""
    base_document = request_and_response(base, version=version)
    revision_document = request_and_response(revision, version=version)
    forth = compare(base_document, revision_document)
    return not forth and not compare(revision_document, base_document)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("keyword", [*ANNOTATIONS, *FLAGS])
def test_an_annotation_on_an_empty_schema_does_not_restrict(keyword: str, version: str) -> None:
    annotated = {keyword: (ANNOTATIONS | FLAGS)[keyword]}
    for owner in (
        "additionalProperties",
        "unevaluatedProperties",
        "items",
        "propertyNames",
        "then",
    ):
        assert silent({owner: {}}, {owner: annotated}, version)
        assert silent({}, {owner: annotated}, version)
    # A default that appears is reported, although it restricts nothing.
    if keyword != "default":
        assert silent({"not": {}}, {"not": annotated}, version)


@pytest.mark.parametrize("keyword", ANNOTATIONS)
def test_an_annotation_on_a_branch_means_nothing(keyword: str) -> None:
    annotation = {keyword: ANNOTATIONS[keyword]}
    for base, revision in [
        ([TEXT, {"type": "number"}], [{**TEXT, **annotation}, {"type": "number"}]),
        ([{"const": 1}, {"const": 2}], [{"const": 1, **annotation}, {"const": 2}]),
        ([TEXT, {"type": "null"}], [{**TEXT, **annotation}, {"type": "null", **annotation}]),
    ]:
        for union in ("oneOf", "anyOf"):
            assert silent(object_with({union: base}), object_with({union: revision}))
    assert silent({"allOf": [TEXT]}, {"allOf": [TEXT, annotation]})
    assert silent({"anyOf": [TEXT]}, {"anyOf": [{**TEXT, **annotation}]})


VALUES = st.lists(
    st.sampled_from(["a", "b", "c", 1, 2, True, 1.5]), min_size=1, max_size=4, unique_by=repr
)


@given(VALUES, st.sampled_from(["oneOf", "anyOf"]), st.randoms(use_true_random=False))
def test_an_enum_equals_a_union_of_its_values(values: list[Any], keyword: str, random: Any) -> None:
    branches: list[Json] = []
    for value in values:
        branch = random.choice([{"const": value}, {"enum": [value]}])
        branches.append({**branch, "title": f"The value {value}"})
    random.shuffle(branches)
    assert silent(object_with({"enum": values}), object_with({keyword: branches}))


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        ({"type": "string", "enum": ["a", "b"]}, {"oneOf": [{"const": "a"}, {"const": "b"}]}),
        (
            {"enum": ["a", "b", "c"]},
            {"anyOf": [{"enum": ["a", "b"]}, {"type": "string", "const": "c"}]},
        ),
        (
            {"enum": ["a", "b", None]},
            {"oneOf": [{"const": "a"}, {"const": "b"}, {"type": "null"}]},
        ),
        (
            {"type": ["string", "null"], "enum": ["a", "b", None]},
            {"anyOf": [{"enum": ["a", "b"]}, {"const": None}]},
        ),
        ({"enum": ["a", "b", "c"]}, {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["c"]}]}),
        ({"enum": ["a"]}, {"oneOf": [{"const": "a"}]}),
        (
            {"enum": ["a", "b"]},
            {"oneOf": [{"allOf": [{"const": "a"}]}, {"allOf": [{}, {"const": "b"}]}]},
        ),
        (
            {"type": ["string", "null"]},
            {"anyOf": [{"allOf": [TEXT]}, {"allOf": [{"type": "null"}]}]},
        ),
    ],
)
def test_lists_of_values_are_equal_in_every_form(base: Json, revision: Json) -> None:
    assert silent(object_with(base), object_with(revision))


def test_an_exclusive_union_rejects_a_repeated_value() -> None:
    repeated = {"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}
    assert not silent(object_with({"enum": ["a", "b", "c"]}), object_with(repeated))


BOUNDS = st.integers(-5, 5)


@given(BOUNDS)
def test_bounds_of_integers_are_equal_in_every_form(bound: int) -> None:
    inclusive: Json = {"type": "integer", "minimum": bound, "maximum": bound + 3}
    exclusive = {"exclusiveMinimum": bound - 1, "exclusiveMaximum": bound + 4}
    fractions = {"minimum": bound - 0.5, "maximum": bound + 3.5}
    assert silent(inclusive, {"type": "integer", **exclusive})
    assert silent(inclusive, {"type": "integer", **fractions})
    assert silent(inclusive, {**inclusive, **exclusive})
    assert silent(
        inclusive,
        {
            "type": "integer",
            "minimum": bound - 1,
            "exclusiveMinimum": True,
            "maximum": bound + 4,
            "exclusiveMaximum": True,
        },
        version="3.0.3",
    )


@given(BOUNDS, BOUNDS, st.sampled_from(["integer", "number"]))
def test_a_bound_in_another_form_is_changed_and_not_removed(
    inclusive: int, exclusive: int, type_name: str
) -> None:
    base = object_with({"type": type_name, "minimum": inclusive})
    revision = object_with({"type": type_name, "exclusiveMinimum": exclusive})
    effective = exclusive + 1 if type_name == "integer" else exclusive + 0.5
    request_levels = {change.level for change in compare(api(base), api(revision))}
    if effective == inclusive:
        assert request_levels == set()
    elif effective > inclusive:
        assert request_levels == {"ERR"}
    else:
        assert request_levels == {"INFO"}
    for change in compare(api(response=base), api(response=revision)):
        assert "unset" not in change.id


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        ({"type": "integer", "multipleOf": 1}, {"type": "integer"}),
        ({"type": "string", "pattern": ".*"}, {"type": "string"}),
        ({"type": "string", "if": {"minLength": 3}}, {"type": "string"}),
        ({"type": "string", "then": {"minLength": 3}}, {"type": "string"}),
        ({"contains": TEXT}, {"contains": TEXT, "minContains": 1}),
        ({"contains": TEXT, "minContains": 0}, {}),
        (
            {**object_with(TEXT), "unevaluatedProperties": False},
            {**object_with(TEXT), "additionalProperties": False},
        ),
        ({"anyOf": [TEXT, object_with(TEXT), False]}, {"anyOf": [TEXT, object_with(TEXT)]}),
        ({"type": "number", "multipleOf": 1}, {"type": "integer"}),
        ({"type": "number", "multipleOf": 1.0}, {"type": "integer"}),
        ({"type": ["number", "string"], "multipleOf": 1}, {"type": ["integer", "string"]}),
        (
            {"type": "number", "allOf": [{"multipleOf": 1}, {"multipleOf": 5}]},
            {"type": "integer", "multipleOf": 5},
        ),
        ({"type": ["string"]}, {"type": "string"}),
        (
            {"anyOf": [TEXT, {"type": ["number"]}]},
            {"anyOf": [{"type": ["string"]}, {"type": "number"}]},
        ),
        ({"type": "string", "minLength": 0}, {"type": "string"}),
        ({"type": "array", "uniqueItems": False}, {"type": "array"}),
        ({"type": "object", "required": []}, {"type": "object"}),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
        ({"enum": ["a", "a"]}, {"enum": ["a"]}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}),
    ],
)
def test_a_keyword_without_effect_means_nothing(base: Json, revision: Json) -> None:
    assert silent(object_with(base), object_with(revision))
