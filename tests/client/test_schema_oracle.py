"""Compares validation with an independent validator, over generated schemas and data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generate.contract_schemas import ContractSchemas
from generate.document import Document, Node
from generate.sources import Sources
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector._generated import load_contract
from leadconnector._generated.types import UNSET, UnionBranch
from leadconnector._runtime.contract import operation_contract
from leadconnector._runtime.finding import Finding
from leadconnector._runtime.keywords import described_types
from leadconnector._runtime.schema import Normalised, compile_schema
from specdrift.loading import ParsedFile

Json = dict[str, Any]
NAMES = ["a", "b", "c"]
SCALARS: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2,
    -3,
    1.0,
    0.5,
    1e300,
    10**30,
    "",
    "a",
    "ab",
    "abc",
    "é",
]
MARKER = "a-value-that-no-finding-may-show"

scalars = st.sampled_from(SCALARS)
data_of_any_kind = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
)
bounds = st.fixed_dictionaries(
    {},
    optional={
        "minimum": st.sampled_from([0, 1, 0.5]),
        "maximum": st.sampled_from([0, 1, 2.5]),
        "exclusiveMinimum": st.sampled_from([0, 1]),
        "exclusiveMaximum": st.sampled_from([1, 2]),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "b$", "é"]),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 2),
        "maxProperties": st.integers(0, 2),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "enum": st.lists(scalars, min_size=1, max_size=3),
    },
)
types = st.sampled_from(["string", "boolean", "integer", "number", "object", "array", "null"])
references = st.sampled_from([{"$ref": "#/schemas/Tree"}, {"$ref": "#/schemas/Named"}])


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    schema: Json = {
        "type": "object",
        "properties": draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    }
    schema |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "required": st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
                "additionalProperties": st.booleans() | inner,
            },
        )
    )
    return schema


def schema_with_type(type_name: str | list[str], keywords: Json) -> Json:
    return {"type": type_name, **keywords}


def array_schema(item: Json) -> Json:
    return {"type": "array", "items": item}


def schema_with_branches(keyword: str, branches: list[Json], keywords: Json) -> Json:
    return {keyword: branches, **keywords}


simple_leaves: st.SearchStrategy[Json] = (
    st.builds(schema_with_type, types | st.lists(types, min_size=1, unique=True), bounds)
    | st.builds(schema_with_type, types, st.just(dict[str, Any]()))
    | bounds
)
leaves: st.SearchStrategy[Json] = simple_leaves | references


def simple_parents(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return objects(inner) | st.builds(array_schema, inner)


def parents(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    keywords = st.sampled_from(["anyOf", "oneOf"])
    branches = st.lists(inner, min_size=1, max_size=3)
    return simple_parents(inner) | st.builds(schema_with_branches, keywords, branches, bounds)


simple_schemas: st.SearchStrategy[Json] = st.recursive(leaves, simple_parents, max_leaves=6)
schemas: st.SearchStrategy[Json] = st.recursive(leaves, parents, max_leaves=6)
definitions_strategy = st.fixed_dictionaries({"Tree": objects(leaves), "Named": objects(leaves)})


@st.composite
def data_for(draw: st.DrawFn, schema: Json, definitions: Json, depth: int = 0) -> Any:
    """Data that is mostly valid for the schema, and sometimes is not."""
    if depth > 4:
        return draw(scalars)
    if draw(st.integers(0, 9)) == 0:
        return draw(data_of_any_kind)
    return draw(valid_data_for(schema, definitions, depth))


@st.composite
def valid_data_for(draw: st.DrawFn, schema: Json, definitions: Json, depth: int) -> Any:
    """Data of the form that the schema describes; its parts are from `data_for`."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    branches: list[Json] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if branches:
        branch = draw(st.sampled_from(branches))
        return draw(data_for(branch, definitions, depth + 1))
    if "items" in schema:
        items = data_for(schema["items"], definitions, depth + 1)
        return draw(st.lists(items, max_size=3))
    if "properties" in schema:
        data: Json = draw(st.dictionaries(st.sampled_from(NAMES), scalars, max_size=1))
        for name, child in schema["properties"].items():
            is_present = draw(st.integers(0, 4)) > 0
            if is_present:
                data[name] = draw(data_for(child, definitions, depth + 1))
        return data
    return draw(data_of_any_kind)


@st.composite
def cases(draw: st.DrawFn, schema_strategy: st.SearchStrategy[Json]) -> tuple[Json, Json, Any]:
    """A schema, the definitions that it may refer to, and data."""
    schema = draw(schema_strategy)
    definitions = draw(definitions_strategy)
    data = draw(data_for(schema, definitions))
    return schema, definitions, data


def forbid_undocumented_names(schema: Json) -> Json:
    """The schema for the independent validator, with undocumented property names forbidden."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {
            name: forbid_undocumented_names(child) for name, child in schema["properties"].items()
        }
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            result[keyword] = forbid_undocumented_names(schema[keyword])
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            result[keyword] = [forbid_undocumented_names(branch) for branch in schema[keyword]]
    if schema.get("properties"):
        result.setdefault("additionalProperties", False)
    return result


def replace_one_of(schema: Json) -> Json:
    """The schema with `anyOf` for `oneOf`: data that matches two documented forms is no drift."""
    text = json.dumps(schema)
    result: Json = json.loads(text.replace('"oneOf"', '"anyOf"'))
    return result


def error_paths(schema: Json, data: Any) -> set[str]:
    """The paths at which the independent validator reports an error."""
    validator: Any = Draft202012Validator(replace_one_of(schema))
    return {error.json_path for error in validator.iter_errors(data)}


def findings(
    schema: Json, data: Any, *, is_response: bool, definitions: Json | None = None
) -> list[Finding]:
    validator = compile_schema(schema, definitions or {}, is_response=is_response)
    result = validator.normalise(data)
    # Only data that deviates is changed, apart from the marks of branches.
    assert result.findings or without_marks(result.data) == data
    return result.findings


def without_marks(data: Any) -> Any:
    """The data without the marks that say which branch of a union each value is."""
    if isinstance(data, UnionBranch):
        return without_marks(data.value)
    if isinstance(data, dict):
        members: Json = {**data}
        return {name: without_marks(value) for name, value in members.items()}
    if isinstance(data, list):
        items: list[Any] = [*data]
        return [without_marks(item) for item in items]
    return data


@given(cases(schemas))
@example(({"enum": [1]}, {}, True))
@example(({"enum": [1]}, {}, [1]))
@example(({"enum": [None]}, {}, None))
@example(({"type": "integer"}, {}, 1e300))
@example(({"enum": [1, True]}, {}, 1.0))
@example(({"additionalProperties": {}}, {}, {"a": 1}))
def test_data_has_no_finding_exactly_if_another_validator_accepts_it(
    case: tuple[Json, Json, Any],
) -> None:
    schema, definitions, data = case
    is_valid = not error_paths({"schemas": definitions, "allOf": [schema]}, data)

    assert (not findings(schema, data, is_response=False, definitions=definitions)) == is_valid


@given(cases(schemas))
def test_an_undocumented_name_is_a_finding_exactly_if_another_validator_forbids_it(
    case: tuple[Json, Json, Any],
) -> None:
    schema, definitions, data = case
    strict_definitions = {
        name: forbid_undocumented_names(definition) for name, definition in definitions.items()
    }
    strict_schema = {"schemas": strict_definitions, "allOf": [forbid_undocumented_names(schema)]}
    is_valid = not error_paths(strict_schema, data)

    assert (not findings(schema, data, is_response=True, definitions=definitions)) == is_valid


@given(cases(simple_schemas))
def test_every_finding_has_a_path_at_which_another_validator_reports_an_error(
    case: tuple[Json, Json, Any],
) -> None:
    schema, definitions, data = case
    expected_paths = error_paths({"schemas": definitions, **schema}, data)
    reported = findings(schema, data, is_response=False, definitions=definitions)
    assume(reported)

    # The other validator reports a missing or undocumented name at the object around it.
    kinds_of_names = {"missing", "undocumented-field"}
    paths: set[str] = set()
    for finding in reported:
        if finding.kind in kinds_of_names:
            paths.add(finding.path.rpartition(".")[0])
        else:
            paths.add(finding.path)
    assert paths <= expected_paths


def has_data_beside_null(schema: Json, definitions: Json) -> bool:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return any(data_type is not type(None) for data_type in described_types(schema))


@given(cases(simple_schemas), st.sampled_from(["anyOf", "oneOf"]), st.booleans(), st.booleans())
def test_data_of_a_union_with_null_has_the_result_of_the_schema_alone(
    case: tuple[Json, Json, Any], keyword: str, is_null_first: bool, is_response: bool
) -> None:
    schema, definitions, data = case
    assume(data is not None and has_data_beside_null(schema, definitions))
    branches: list[Json] = [schema, {"type": "null"}]
    if is_null_first:
        branches.reverse()

    plain = compile_schema(schema, definitions, is_response=is_response).normalise(data)
    union_validator = compile_schema({keyword: branches}, definitions, is_response=is_response)
    nullable = union_validator.normalise(data)

    def as_text(result: Normalised) -> list[tuple[str, str, str, str]]:
        return [
            (finding.kind, finding.rule, finding.path, finding.expected)
            for finding in result.findings
        ]

    assert as_text(nullable) == as_text(plain)
    assert (nullable.misfit is None) == (plain.misfit is None)
    assert without_gaps(without_marks(nullable.data)) == without_marks(plain.data)


def without_gaps(data: Any) -> Any:
    """The data without the marks of missing properties, which select the model of a union."""
    if not isinstance(data, dict):
        return data
    members: Json = {**data}
    return {name: value for name, value in members.items() if value is not UNSET}


@st.composite
def with_gaps(draw: st.DrawFn, data: Any) -> Any:
    """The data with some properties left out or null, at any depth."""
    if isinstance(data, list):
        items: list[Any] = [*data]
        return [draw(with_gaps(item)) for item in items]
    if not isinstance(data, dict):
        return data
    members: Json = {**data}
    result: Json = {}
    for name, value in members.items():
        state = draw(st.sampled_from(["present", "present", "missing", "null"]))
        if state == "present":
            result[name] = draw(with_gaps(value))
        if state == "null":
            result[name] = None
    return result


@given(st.data())
def test_missing_and_null_properties_at_any_depth_are_no_misfit(draw: st.DataObject) -> None:
    definitions = draw.draw(definitions_strategy)
    schema = draw.draw(objects(simple_schemas))
    data = draw.draw(valid_data_for(schema, definitions, 0))
    validator = compile_schema(schema, definitions, is_response=True)
    assume(validator.normalise(data).misfit is None)

    incomplete_data = draw.draw(with_gaps(data))
    result = validator.normalise(incomplete_data)

    assert result.misfit is None
    assert set(without_marks(result.data)) <= set(incomplete_data)


def mark_values(data: Any) -> Any:
    """The data with the marker as every value in an object, and in place of an empty value."""
    marked = json.loads(
        json.dumps(data), object_hook=lambda members: dict.fromkeys(members, MARKER)
    )
    return marked or [MARKER, [MARKER]]


@given(cases(schemas))
def test_no_finding_shows_a_value(case: tuple[Json, Json, Any]) -> None:
    schema, definitions, data = case

    reported = findings(schema, mark_values(data), is_response=True, definitions=definitions)

    assert MARKER not in repr(reported)


@given(st.dictionaries(st.text(max_size=200), st.just(1), min_size=1, max_size=3))
def test_a_path_shows_received_names_short_and_printable(data: Json) -> None:
    reported = findings({"properties": {"known": {}}}, data, is_response=True)

    assert len(reported) == len(data) - ("known" in data)
    for finding in reported:
        assert finding.path.isascii()
        assert finding.path.isprintable()
        assert len(finding.path) < 1000


@st.composite
def all_of_cases(draw: st.DrawFn) -> tuple[Json, Json]:
    """An `allOf` of objects, and data that is mostly valid for it."""
    children = {name: draw(simple_leaves) for name in NAMES}
    parts: list[Json] = [
        {"type": "object", "properties": {name: child}} for name, child in children.items()
    ]
    for part in parts:
        if draw(st.booleans()):
            part["required"] = [draw(st.sampled_from(NAMES))]
    base: Json = {"type": "object", "allOf": parts[:2]}
    combined: Json = {
        "allOf": [{"$ref": "#/components/schemas/Base"}],
        "type": "object",
        **parts[2],
    }
    data: Json = {}
    for name, child in children.items():
        is_present = draw(st.integers(0, 4)) > 0
        if is_present:
            data[name] = draw(data_for(child, {}))
    if draw(st.integers(0, 4)) == 0:
        data["d"] = 1
    return {"components": {"schemas": {"Base": base, "Combined": combined}}}, data


@given(all_of_cases(), st.booleans())
def test_merged_all_of_objects_are_validated_like_the_original_by_another_validator(
    case: tuple[Json, Json], is_response: bool
) -> None:
    spec, data = case
    reference = {"$ref": "#/components/schemas/Combined"}
    sources = Sources(ParsedFile("spec.yaml", "", spec, {}))
    schemas = ContractSchemas(Document(Path("spec.yaml"), spec, sources))
    schema = schemas.reduce(Node(reference, ""))
    strictness: Json = {"unevaluatedProperties": False} if is_response else {}
    is_valid = not error_paths({**spec, **reference, **strictness}, data)

    reported = findings(schema, data, is_response=is_response, definitions=schemas.by_name)

    assert (not reported) == is_valid
    for finding in reported:
        assert schemas.document.at(finding.pointer).pointer == finding.pointer


CONVERSATION: Json = {
    "id": "x",
    "locationId": "x",
    "contactId": "x",
    "assignedTo": "x",
    "userId": "x",
    "lastMessageBody": "x",
    "lastMessageDate": "x",
    "lastMessageType": "TYPE_SMS",
    "unreadCount": 1,
    "inbox": True,
    "starred": False,
    "deleted": False,
}


@st.composite
def responses(draw: st.DrawFn) -> Json:
    """Documented responses of our operation, with up to three changes."""
    conversation = dict(CONVERSATION)
    new_values = data_of_any_kind | st.sampled_from(["TYPE_CALL", "TYPE_NEW"])
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*CONVERSATION, "new"]))
        if draw(st.booleans()):
            conversation.pop(name, None)
        else:
            conversation[name] = draw(new_values)
    response: Json = {"success": True, "conversation": conversation}
    if draw(st.integers(0, 4)) == 0:
        name = draw(st.sampled_from(["success", "conversation", "more"]))
        response[name] = draw(scalars)
    return response


@given(responses())
def test_a_response_of_our_operation_has_no_finding_exactly_if_another_validator_accepts_it(
    response: Json,
) -> None:
    definitions = {
        name: forbid_undocumented_names(schema)
        for name, schema in load_contract()["schemas"].items()
    }
    schema = {"schemas": definitions, "$ref": "#/schemas/UpdateConversationResponse"}
    is_valid = not error_paths(schema, response)

    body = operation_contract("updateConversation").check_body("200", response)

    assert (not body.findings) == is_valid
    assert body.findings or body.data is response
