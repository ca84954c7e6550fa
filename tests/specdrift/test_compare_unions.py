"""Verifies how branches of `anyOf` and `oneOf` are matched, named and judged."""

from collections.abc import Callable
from typing import Any

import pytest
from specdrift import compare

from tests.specdrift.documents import (
    CAT,
    DOG,
    TEXT,
    Json,
    api,
    object_with,
    reordered,
    reported,
    request_and_response,
)


def schemas(**components: Json) -> Json:
    """Return components with schemas."""
    return {"schemas": components}


def reference(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def levels(base: Json, revision: Json) -> set[str]:
    """Return the severities of all changes."""
    return {change.level for change in compare(base, revision)}


def tagged(*values: str, **properties: Json) -> Json:
    """Return an object whose property `t` has one of some values."""
    return {
        "type": "object",
        "properties": {"t": {"type": "string", "enum": list(values)}, **properties},
    }


WIDENED: list[tuple[Json, Json]] = [
    ({"oneOf": [tagged("A"), tagged("B")]}, {"oneOf": [tagged("A", "A2"), tagged("B")]}),
    ({"oneOf": [tagged("A"), tagged("B")]}, {"oneOf": [tagged("B"), tagged("A", x=TEXT)]}),
    (
        {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "integer"}]},
        {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 9}]},
    ),
    (
        {"anyOf": [{"title": "A", **object_with({"enum": ["x"]})}, DOG]},
        {"anyOf": [DOG, {"title": "A", **object_with({"enum": ["x", "y"]})}]},
    ),
    (
        {"oneOf": [{"type": "array", "items": {"enum": ["x"]}}, TEXT]},
        {"oneOf": [TEXT, {"type": "array", "items": {"enum": ["x", "y"]}}]},
    ),
]


@pytest.mark.parametrize(("base", "revision"), WIDENED)
@pytest.mark.parametrize("added", [{"type": "boolean"}, tagged("C"), {"title": "New", **CAT}])
def test_a_request_may_widen_one_branch_and_add_another(
    base: Json, revision: Json, added: Json
) -> None:
    keyword = next(iter(revision))
    wider = {keyword: [*revision[keyword], added]}
    assert levels(api(base), api(wider)) == {"INFO"}
    # The reverse takes a branch away and narrows another.
    assert "ERR" in levels(api(wider), api(base))
    narrower_response = levels(api(response=wider), api(response=base))
    assert narrower_response == {"INFO"}


@pytest.mark.parametrize(("base", "revision"), WIDENED)
def test_the_order_of_changed_branches_means_nothing(base: Json, revision: Json) -> None:
    expected = reported(api(base), api(revision))
    assert expected
    assert reported(api(base), reordered(api(revision))) == expected
    assert reported(reordered(api(base)), api(revision)) == expected


ORIGINALS: list[tuple[Json, Json]] = [
    ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a", "b"]}),
    ({"type": "string", "maxLength": 3}, TEXT),
    (TEXT, TEXT),
    ({**CAT, "required": ["kind"]}, {**CAT, "required": []}),
    ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {}}),
]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize(("original", "wider"), ORIGINALS)
def test_a_request_may_be_wrapped_in_a_union_that_contains_the_original(
    keyword: str, original: Json, wider: Json
) -> None:
    union = {keyword: [{"type": "integer"}, wider]}
    assert levels(api(original), api(union)) == {"INFO"}
    assert levels(api(object_with(original)), api(object_with(union))) == {"INFO"}
    assert levels(api({"items": original}), api({"items": union})) == {"INFO"}


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize(("narrower", "original"), ORIGINALS)
def test_a_response_may_collapse_to_something_narrower(
    keyword: str, narrower: Json, original: Json
) -> None:
    union = {keyword: [{"type": "integer"}, original]}
    assert levels(api(response=union), api(response=narrower)) == {"INFO"}
    # As a request, the integers are rejected now.
    assert "ERR" in levels(api(union), api(narrower))


def test_wrapping_in_a_union_without_the_original_breaks() -> None:
    union = {"anyOf": [{"type": "integer"}, {"type": "string", "enum": ["b"]}]}
    assert levels(api({"type": "string", "enum": ["a"]}), api(union)) == {"ERR"}


def test_one_of_breaks_a_request_that_matches_two_of_its_branches() -> None:
    both: Json = {"type": "object", "required": ["a", "b"], "properties": {"a": TEXT, "b": TEXT}}
    branches = [{**both, "required": ["a"]}, {**both, "required": ["b"]}]
    assert levels(api(both), api({"oneOf": branches})) == {"ERR"}
    assert levels(api(both), api({"anyOf": branches})) == {"INFO"}


def test_one_of_breaks_a_request_that_an_equal_and_a_wider_branch_match() -> None:
    integer: Json = {"type": "integer"}
    branches = [integer, {"type": ["integer", "boolean"]}]
    assert request_levels(api(integer), api({"oneOf": branches})) == {"ERR"}
    assert request_levels(api(integer), api({"anyOf": branches})) == {"INFO"}


def test_a_discriminator_selects_one_of_the_branches_that_match() -> None:
    base = api(reference("Cat"), components=schemas(Cat=FREE_CAT))
    revision = discriminated(None, Cat=FREE_CAT, Any=FREE_CAT)
    assert "ERR" not in request_levels(base, revision)


ANTS: Json = {"type": "object", "properties": {"ants": TEXT}}
BEES: Json = {"type": "object", "properties": {"bees": TEXT}}


UNION_WRAPS: list[Callable[[Json], Json]] = [
    lambda union: union,
    lambda union: {"allOf": [union]},
]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
@pytest.mark.parametrize("wrap", UNION_WRAPS)
def test_a_union_inside_a_union_means_the_same_as_one_list(keyword: str, wrap: Any) -> None:
    flat = {keyword: [CAT, DOG, ANTS, BEES]}
    nested = {keyword: [wrap({keyword: [ANTS, wrap({keyword: [DOG, BEES]})]}), CAT]}
    for base, revision in ((flat, nested), (nested, flat)):
        assert compare(request_and_response(base), request_and_response(revision)) == []


def test_a_branch_that_two_nested_unions_repeat_means_nothing() -> None:
    base = {"anyOf": [{"anyOf": [ANTS, BEES]}, {"anyOf": [ANTS, DOG]}]}
    revision = {"anyOf": [{"anyOf": [ANTS, BEES, DOG]}, CAT]}
    flat = {"anyOf": [ANTS, BEES, DOG]}
    assert compare(request_and_response(base), request_and_response(flat)) == []
    assert reported(api(base), api(revision)) == ["INFO request-body-any-of-added"]


def test_a_branch_added_inside_a_union_inside_a_union_is_reported() -> None:
    nested = {"anyOf": [{"anyOf": [ANTS, DOG]}, CAT]}
    revision = {"anyOf": [CAT, DOG, ANTS, BEES]}
    assert reported(api(nested), api(revision)) == ["INFO request-body-any-of-added"]
    assert reported(api(response=nested), api(response=revision)) == [
        "WARN response-body-any-of-added"
    ]


@pytest.mark.parametrize("union", [{"anyOf": [{"type": "null"}]}, {"oneOf": [{"const": None}]}])
def test_a_union_of_null_alone_accepts_nothing_else(union: Json) -> None:
    for base in (TEXT, {}):
        assert "ERR" in levels(api(base), api(union))
        assert "ERR" in levels(api(response=union), api(response=base))


def test_a_union_of_plain_types_without_null_rejects_null() -> None:
    types = {"anyOf": [TEXT, {"type": "integer"}]}
    assert "ERR" in levels(api({"type": "null"}), api(types))
    assert "ERR" in levels(api(response=types), api(response={"type": "null"}))


def test_it_does_not_matter_which_branch_of_a_union_allows_null() -> None:
    nullable_ants = {**ANTS, "type": ["object", "null"]}
    unions = [
        {"anyOf": [nullable_ants, BEES]},
        {"anyOf": [ANTS, {**BEES, "type": ["object", "null"]}]},
        {"anyOf": [ANTS, BEES, {"type": "null"}]},
        {"anyOf": [nullable_ants, BEES, {"type": "null"}]},
    ]
    for base in unions:
        for revision in unions:
            assert compare(request_and_response(base), request_and_response(revision)) == []


def test_a_nullable_schema_in_a_union_still_accepts_null() -> None:
    nullable = {"type": ["string", "null"]}
    union = {"anyOf": [nullable, {"type": "boolean", "title": "Flag"}]}
    assert levels(api(nullable), api(union)) == {"INFO"}
    assert levels(api(response=union), api(response=nullable)) == {"INFO"}


def test_a_union_that_contains_itself_adds_nothing() -> None:
    components = schemas(Pet={"anyOf": [reference("Pet"), CAT, DOG]})
    base = api({"anyOf": [reference("Pet"), ANTS]}, components=components)
    assert compare(base, api({"anyOf": [ANTS, CAT, DOG]}, components=components)) == []


@pytest.mark.parametrize("value", [1, "1"])
def test_branches_are_told_apart_by_the_types_of_their_values(value: Any) -> None:
    """The values 1 and "1" select different branches."""
    number = {**object_with({"const": 1}), "title": ""}
    text = {**object_with({"const": "1"}), "title": ""}
    changed: Json = {"type": "object", "properties": {"a": {"const": value}, "b": TEXT}}
    (change,) = compare(api({"anyOf": [number, text]}), api({"anyOf": [changed, number, text]}))
    assert change.id == "request-body-any-of-added"


def test_values_in_all_of_tell_branches_apart() -> None:
    cat: Json = {
        "type": "object",
        "properties": {"a": {"allOf": [{"enum": ["cat"]}]}, "lives": TEXT},
    }
    dog: Json = {"type": "object", "properties": {"a": {"enum": ["dog"]}, "tricks": TEXT}}
    new_dog: Json = {**dog, "properties": {**dog["properties"], "new": TEXT}}
    other_cat: Json = {**object_with({"const": "cat"}), "title": "Cat"}
    revision = {"anyOf": [new_dog, other_cat]}
    ids = {change.id for change in compare(api({"anyOf": [cat, dog]}), api(revision))}
    assert ids == {"new-optional-request-property", "request-property-removed"}


@pytest.mark.parametrize(
    ("branch", "name"),
    [
        (tagged("C"), "object with t=C"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "array", "items": TEXT}, "array"),
        ({"title": "Hound", **DOG}, "Hound"),
        (object_with(TEXT), "object with a"),
        ({"type": "object", "properties": dict.fromkeys("abcde", TEXT)}, "object with a, b, c, …"),
    ],
)
def test_a_branch_is_named_by_what_it_is(branch: Json, name: str) -> None:
    base = {"anyOf": [TEXT, {"type": "integer"}, CAT]}
    revision = {"anyOf": [*base["anyOf"], branch]}
    (change,) = compare(api(base), api(revision))
    assert change.text == f"The request body can now also be {name}."


def test_branches_with_exchanged_names_are_matched_by_their_content() -> None:
    union = {"oneOf": [reference("A"), reference("B")]}
    base = api(union, components=schemas(A=CAT, B=DOG))
    assert reported(base, api(union, components=schemas(A=DOG, B=CAT))) == []
    renamed = {"oneOf": [reference("X"), reference("Y")]}
    assert reported(base, api(renamed, components=schemas(X=DOG, Y=CAT))) == []
    assert reported(base, api({"oneOf": [DOG, CAT]})) == []


def discriminated(mapping: Json | None, **components: Json) -> Json:
    """Return a document whose request and response have a union with a discriminator."""
    union: Json = {
        "oneOf": [reference(name) for name in components],
        "discriminator": {"propertyName": "t"},
    }
    if mapping is not None:
        names = {value: f"#/components/schemas/{name}" for value, name in mapping.items()}
        union["discriminator"]["mapping"] = names
    return api(union, union, components=schemas(**components))


FREE_CAT: Json = {"type": "object", "properties": {"t": TEXT, "lives": {"type": "integer"}}}
FREE_DOG: Json = {"type": "object", "properties": {"t": TEXT, "tricks": TEXT}}


def request_levels(base: Json, revision: Json) -> set[str]:
    """Return the severities of the changes of requests."""
    return {change.level for change in compare(base, revision) if change.direction == "request"}


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        pytest.param(
            discriminated({"cat": "Cat", "dog": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG),
            discriminated({"cat": "Cat", "hound": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG),
            id="in the mapping",
        ),
        pytest.param(
            discriminated(None, Cat=FREE_CAT, Dog=FREE_DOG),
            discriminated(None, Cat=FREE_CAT, Hound=FREE_DOG),
            id="as the name of the component",
        ),
        pytest.param(
            discriminated(None, Cat=tagged("cat"), Dog=tagged("dog", x=TEXT)),
            discriminated(None, Cat=tagged("cat"), Dog=tagged("hound", x=TEXT)),
            id="in an enum",
        ),
    ],
)
def test_a_renamed_discriminator_value_breaks_requests(base: Json, revision: Json) -> None:
    assert "ERR" in request_levels(base, revision)


def test_schemas_that_exchange_their_names_under_a_discriminator_break() -> None:
    base = discriminated(None, Cat=FREE_CAT, Dog=FREE_DOG)
    revision = discriminated(None, Cat=FREE_DOG, Dog=FREE_CAT)
    assert request_levels(base, revision) == {"ERR"}


def test_a_renamed_discriminator_property_breaks() -> None:
    base = discriminated(None, Cat=FREE_CAT, Dog=FREE_DOG)
    revision = discriminated(None, Cat=FREE_CAT, Dog=FREE_DOG)
    for owner in (
        revision["paths"]["/pets/{id}"]["put"]["requestBody"],
        revision["paths"]["/pets/{id}"]["put"]["responses"]["200"],
    ):
        schema = owner["content"]["application/json"]["schema"]
        schema["discriminator"] = {"propertyName": "kind"}
    assert [change.level for change in compare(base, revision)] == ["ERR", "ERR"]


def test_an_added_discriminator_value_breaks_no_request() -> None:
    base = discriminated({"cat": "Cat", "dog": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG)
    revision = discriminated(
        {"cat": "Cat", "dog": "Dog", "hound": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG
    )
    assert request_levels(base, revision) == {"INFO"}
    assert request_levels(revision, base) == {"ERR"}


@pytest.mark.parametrize(
    "revision",
    [
        discriminated({"Cat": "Cat", "Dog": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG),
        discriminated({"Dog": "Dog"}, Cat=FREE_CAT, Dog=FREE_DOG),
        discriminated({"Cat": "Kitten", "Dog": "Dog"}, Kitten=FREE_CAT, Dog=FREE_DOG),
    ],
)
def test_a_mapping_of_the_names_that_apply_anyway_means_nothing(revision: Any) -> None:
    base = discriminated(None, Cat=FREE_CAT, Dog=FREE_DOG)
    assert compare(base, revision) == []
    assert compare(revision, base) == []


@pytest.mark.parametrize("spelling", ["Cat", "#/components/schemas/Cat"])
def test_a_mapping_of_a_changed_schema_is_the_same_in_both_spellings(spelling: str) -> None:
    base = discriminated({"cat": "Cat"}, Cat=FREE_CAT, Dog=FREE_DOG)
    changed_cat = {**FREE_CAT, "properties": {**FREE_CAT["properties"], "new": TEXT}}
    revision = discriminated({"cat": "Cat"}, Cat=changed_cat, Dog=FREE_DOG)
    for owner in (
        revision["paths"]["/pets/{id}"]["put"]["requestBody"],
        revision["paths"]["/pets/{id}"]["put"]["responses"]["200"],
    ):
        schema = owner["content"]["application/json"]["schema"]
        schema["discriminator"]["mapping"]["cat"] = spelling
    ids = {change.id for change in compare(base, revision)}
    assert ids == {"new-optional-request-property", "response-optional-property-added"}


def test_a_renamed_component_means_nothing_if_its_values_are_listed() -> None:
    base = discriminated(None, Cat=tagged("cat"), Dog=tagged("dog", x=TEXT))
    revision = discriminated(None, Cat=tagged("cat"), Hound=tagged("dog", x=TEXT))
    assert compare(base, revision) == []


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("branch", "equal_branch"),
    [
        (TEXT, {"type": ["string"]}),
        (TEXT, {**TEXT, "description": "A text."}),
        (TEXT, {"$ref": "#/components/schemas/Text"}),
        (TEXT, {"allOf": [TEXT]}),
        ({}, True),
        (object_with(TEXT), {**object_with(TEXT), "additionalProperties": {}}),
    ],
)
def test_a_branch_repeated_in_another_form_means_nothing(
    keyword: str, branch: Any, equal_branch: Any
) -> None:
    components = {"schemas": {"Text": TEXT}}
    unions: list[Any] = [
        [branch, CAT],
        [branch, branch, CAT],
        [branch, equal_branch, CAT],
        [equal_branch, CAT, equal_branch],
    ]
    for base_union in unions:
        for revised_union in unions:
            base = request_and_response({keyword: base_union}, components=components)
            revision = request_and_response({keyword: revised_union}, components=components)
            assert compare(base, revision) == []


def test_a_branch_that_repeats_another_only_in_part_is_reported() -> None:
    base = request_and_response({"oneOf": [TEXT, {"type": "number"}]})
    revision = request_and_response({"oneOf": [TEXT, {**TEXT, "format": "date"}]})
    assert compare(base, revision) != []
    assert compare(revision, base) != []


@pytest.mark.parametrize(
    "restriction", [{"minProperties": 2}, {"pattern": "^a"}, {"minLength": 5}, {"format": "date"}]
)
def test_a_restriction_beside_a_new_union_is_reported(restriction: Json) -> None:
    union = {"anyOf": [CAT, DOG], **restriction}
    assert "ERR" in levels(api(CAT), api(union))
    assert "ERR" in levels(api(response=union), api(response=CAT))


def test_two_new_branches_of_one_name_are_both_reported() -> None:
    union = {"anyOf": [TEXT, {"title": "New", **CAT}, {"title": "New", **DOG}]}
    assert len(compare(api(TEXT), api(union))) == 2
