"""Verifies how properties are judged: closed objects, maps, flags and forbidden properties."""

import itertools
from collections.abc import Callable

import pytest
from specdrift import compare

from tests.specdrift.documents import TEXT, Json, api, object_with

INTEGER: Json = {"type": "integer"}
OPEN: Json = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
SMALLER: Json = {"type": "object", "properties": {"a": TEXT}}


def closed(schema: Json, keyword: str = "additionalProperties") -> Json:
    """Return the object without any other properties."""
    return {**schema, keyword: False}


def request_levels(base: Json, revision: Json) -> set[str]:
    """Return the severities of the changes of two request bodies."""
    return {change.level for change in compare(api(base), api(revision))}


def response_levels(base: Json, revision: Json) -> set[str]:
    """Return the severities of the changes of two response bodies."""
    return {change.level for change in compare(api(response=base), api(response=revision))}


PLACES: dict[str, Callable[[Json], Json]] = {
    "body": lambda schema: schema,
    "property": object_with,
    "items": lambda schema: {"type": "array", "items": schema},
    "allOf": lambda schema: {"allOf": [schema]},
    "union": lambda schema: {"oneOf": [schema, TEXT]},
}


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("required", [[], ["b"]])
def test_a_property_removed_from_a_closed_request_object_breaks(
    keyword: str, place: str, required: list[str]
) -> None:
    base = PLACES[place](closed({**OPEN, "required": required}, keyword))
    assert "ERR" in request_levels(base, PLACES[place](closed(SMALLER, keyword)))
    # The response may lose an optional property.
    if not required:
        assert response_levels(base, PLACES[place](closed(SMALLER, keyword))) == {"INFO"}


def test_the_revision_decides_whether_an_object_is_closed() -> None:
    assert request_levels(closed(OPEN), SMALLER) == {"WARN", "INFO"}
    assert request_levels(OPEN, closed(SMALLER)) == {"ERR"}
    assert request_levels(OPEN, SMALLER) == {"WARN"}


def test_an_object_is_closed_by_a_branch_of_all_of() -> None:
    base = {"allOf": [OPEN, {"unevaluatedProperties": False}]}
    assert request_levels(base, {"allOf": [SMALLER, {"unevaluatedProperties": False}]}) == {"ERR"}


def test_a_pattern_keeps_an_object_open() -> None:
    pattern = {"patternProperties": {"^b": TEXT}}
    assert request_levels({**closed(OPEN), **pattern}, {**closed(SMALLER), **pattern}) == {"WARN"}


def test_a_pattern_that_does_not_match_leaves_a_closed_object_closed() -> None:
    pattern = {"patternProperties": {"^x-": TEXT}}
    assert request_levels({**closed(OPEN), **pattern}, {**closed(SMALLER), **pattern}) == {"ERR"}


@pytest.mark.parametrize("rejected", [False, {"not": {}}])
@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
@pytest.mark.parametrize("place", PLACES)
def test_a_pattern_permits_properties_of_a_closed_object(
    rejected: object, keyword: str, place: str
) -> None:
    closed_object = PLACES[place]({**OPEN, keyword: rejected})
    extensible = PLACES[place]({**OPEN, keyword: rejected, "patternProperties": {"^x-": TEXT}})
    assert "ERR" not in request_levels(closed_object, extensible)
    assert "ERR" in request_levels(extensible, closed_object)
    assert "ERR" not in response_levels(closed_object, extensible)
    assert "ERR" not in response_levels(extensible, closed_object)


@pytest.mark.parametrize("pattern", ["^a", "(?<name>a)"])
def test_a_pattern_that_may_match_described_properties_restricts_them(pattern: str) -> None:
    revision = {**closed(OPEN), "patternProperties": {pattern: {"maxLength": 3}}}
    assert "ERR" in request_levels(closed(OPEN), revision)


def test_a_pattern_restricts_an_open_object() -> None:
    restricted = {**OPEN, "patternProperties": {"^x-": TEXT}}
    assert "ERR" in request_levels(OPEN, restricted)
    assert "ERR" not in request_levels(restricted, OPEN)


def test_a_property_added_to_an_object_closed_by_not_breaks_no_client() -> None:
    rejected: Json = {"additionalProperties": {"not": {}}}
    assert "ERR" not in response_levels({**SMALLER, **rejected}, {**OPEN, **rejected})
    assert request_levels({**OPEN, **rejected}, {**SMALLER, **rejected}) == {"ERR"}


def test_unevaluated_properties_do_not_close_an_object_with_additional_ones() -> None:
    open_map = {"additionalProperties": TEXT, "unevaluatedProperties": False}
    assert "ERR" not in request_levels({**OPEN, **open_map}, {**SMALLER, **open_map})


@pytest.mark.parametrize(
    ("map_value", "value", "breaks"),
    [
        (TEXT, INTEGER, True),
        (TEXT, TEXT, False),
        (TEXT, {"type": "string", "maxLength": 3}, True),
        ({"type": "object", "properties": {"a": TEXT}}, object_with(INTEGER), True),
        (INTEGER, {"type": "number"}, False),
    ],
)
def test_a_new_property_of_a_map_has_to_accept_what_the_map_accepted(
    map_value: Json, value: Json, breaks: bool
) -> None:
    base: Json = {"type": "object", "additionalProperties": map_value}
    revision = {**base, "properties": {"n": value}}
    assert ("ERR" in request_levels(base, revision)) == breaks
    # The reverse, in a response: the property becomes one of the map.
    assert ("ERR" in response_levels(revision, base)) == breaks


# Flags


CASES = list(itertools.product([False, True], repeat=4))
"""Each combination of: flag and requirement in the base, flag and requirement in the revision."""


def _object(schema: Json, flag: str, has_flag: bool, is_required: bool) -> Json:
    property_schema = {**schema, flag: True} if has_flag else schema
    required = ["a"] if is_required else []
    return {"type": "object", "required": required, "properties": {"a": property_schema}}


@pytest.mark.parametrize(("had_flag", "was_required", "has_flag", "is_required"), CASES)
def test_a_read_only_property_breaks_only_a_request_that_now_has_to_send_it(
    had_flag: bool, was_required: bool, has_flag: bool, is_required: bool
) -> None:
    base = _object(TEXT, "readOnly", had_flag, was_required)
    revision = _object(TEXT, "readOnly", has_flag, is_required)
    must_be_sent = not has_flag and is_required
    had_to_be_sent = not had_flag and was_required
    assert ("ERR" in request_levels(base, revision)) == (must_be_sent and not had_to_be_sent)


@pytest.mark.parametrize(("had_flag", "was_required", "has_flag", "is_required"), CASES)
def test_a_write_only_property_breaks_only_a_response_that_no_longer_has_it(
    had_flag: bool, was_required: bool, has_flag: bool, is_required: bool
) -> None:
    base = _object(TEXT, "writeOnly", had_flag, was_required)
    revision = _object(TEXT, "writeOnly", has_flag, is_required)
    is_always_returned = not has_flag and is_required
    was_always_returned = not had_flag and was_required
    breaks = was_always_returned and not is_always_returned
    assert ("ERR" in response_levels(base, revision)) == breaks


@pytest.mark.parametrize(("had_flag", "has_flag"), [(True, False), (False, True), (True, True)])
def test_the_schema_of_what_is_never_sent_breaks_nobody(had_flag: bool, has_flag: bool) -> None:
    for inner_base, inner_revision in [
        (TEXT, INTEGER),
        (object_with(TEXT), object_with(INTEGER)),
        ({"type": "string", "enum": ["x"]}, {"type": "string", "enum": ["y"]}),
    ]:
        base = _object(inner_base, "readOnly", had_flag, is_required=False)
        revision = _object(inner_revision, "readOnly", has_flag, is_required=False)
        assert request_levels(base, revision) == {"INFO"}
        base = _object(inner_base, "writeOnly", had_flag, is_required=False)
        revision = _object(inner_revision, "writeOnly", has_flag, is_required=False)
        assert response_levels(base, revision) == {"INFO"}


@pytest.mark.parametrize("flag", ["readOnly", "writeOnly"])
def test_the_other_direction_ignores_a_flag(flag: str) -> None:
    levels = response_levels if flag == "readOnly" else request_levels
    base = _object(TEXT, flag, has_flag=True, is_required=True)
    assert "ERR" in levels(base, _object(INTEGER, flag, has_flag=True, is_required=True))


# Forbidden properties


@pytest.mark.parametrize("never", [False, {"not": {}}])
def test_a_forbidden_property_is_reported_in_requests(never: Json | bool) -> None:
    forbidden = {**SMALLER, "properties": {"a": TEXT, "b": never}}
    assert request_levels(SMALLER, forbidden) == {"WARN"}
    assert "ERR" in request_levels(OPEN, forbidden)
    assert response_levels(SMALLER, forbidden) == {"INFO"}
    assert response_levels(OPEN, forbidden) == {"INFO"}


# Schemas inside `not`


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        ({"enum": ["a"]}, {"enum": ["a", "b"]}),
        ({"type": "string"}, {"type": ["string", "integer"]}),
        ({"type": "integer", "maximum": 5}, {"type": "integer", "maximum": 9}),
        ({**SMALLER, "required": ["a"]}, SMALLER),
        ({"required": ["a", "b"]}, {"required": ["a"]}),
        ({"const": 1}, {}),
    ],
)
def test_inside_not_a_wider_schema_rejects_more(base: Json, revision: Json) -> None:
    assert "ERR" in request_levels({"not": base}, {"not": revision})
    assert "ERR" not in request_levels({"not": revision}, {"not": base})
    assert "ERR" not in response_levels({"not": base}, {"not": revision})
    assert "ERR" in request_levels({"not": {"not": revision}}, {"not": {"not": base}})
    assert "ERR" not in request_levels({"not": {"not": base}}, {"not": {"not": revision}})


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_component_that_is_sent_only_in_one_place_breaks_there(first: str) -> None:
    """The property `a` is never sent. Its harmless change must not hide that of `b`."""
    part = {"$ref": "#/components/schemas/Part"}
    properties = {"a": {**part, "readOnly": True}, "b": part}
    schema = {"type": "object", "properties": dict(sorted(properties.items()))}
    if first == "b":
        schema["properties"] = dict(reversed(properties.items()))
    base = api(schema, components={"schemas": {"Part": object_with(TEXT)}})
    revision = api(schema, components={"schemas": {"Part": object_with({"type": "integer"})}})
    found = {(change.level, change.path[0]) for change in compare(base, revision)}
    assert found == {("INFO", "a"), ("ERR", "b")}


def test_a_flag_inside_not_breaks_nobody() -> None:
    """A `not` only tests what is sent: nobody has to send the property."""
    tested = {**SMALLER, "required": ["a"]}
    flagged = {**tested, "properties": {"a": {**TEXT, "readOnly": True, "writeOnly": True}}}
    for base, revision in ((tested, flagged), (flagged, tested)):
        assert "ERR" not in request_levels({"not": base}, {"not": revision})
        assert "ERR" not in response_levels({"not": base}, {"not": revision})


def test_an_object_that_is_closed_inside_not_rejects_less() -> None:
    closed = {**SMALLER, "additionalProperties": False}
    assert response_levels({"not": SMALLER}, {"not": closed}) == {"ERR"}
    assert response_levels({"not": closed}, {"not": SMALLER}) == {"INFO"}
