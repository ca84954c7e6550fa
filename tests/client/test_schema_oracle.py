"""What data is held against schemas by is compared with an independent validator, over generated schemas and data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from generate.contract_schemas import ContractSchemas
from generate.document import Document, Node
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector._generated import load_contract
from leadconnector._runtime import schema as contract_schema
from leadconnector._runtime.schema import Finding, documented, planned
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
MARKER = "a-secret-that-is-told-nowhere"

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


def typed(named: str | list[str], more: Json) -> Json:
    return {"type": named, **more}


def listed(item: Json) -> Json:
    return {"type": "array", "items": item}


def branched(keyword: str, branches: list[Json], more: Json) -> Json:
    return {keyword: branches, **more}


simple_leaves: st.SearchStrategy[Json] = (
    st.builds(typed, types | st.lists(types, min_size=1, unique=True), bounds)
    | st.builds(typed, types, st.just(dict[str, Any]()))
    | bounds
)
leaves: st.SearchStrategy[Json] = simple_leaves | references


def simple_parents(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return objects(inner) | st.builds(listed, inner)


def parents(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    branches = st.lists(inner, min_size=1, max_size=3)
    return simple_parents(inner) | st.builds(
        branched, st.sampled_from(["anyOf", "oneOf"]), branches, bounds
    )


simple_schemas: st.SearchStrategy[Json] = st.recursive(leaves, simple_parents, max_leaves=6)
schemas: st.SearchStrategy[Json] = st.recursive(leaves, parents, max_leaves=6)
definitions = st.fixed_dictionaries({"Tree": objects(leaves), "Named": objects(leaves)})


@st.composite
def data_for(draw: st.DrawFn, schema: Json, named: Json, depth: int = 0) -> Any:
    """Data that mostly fits the schema, and sometimes does not."""
    if draw(st.integers(0, 9)) == 0 or depth > 4:
        return draw(scalars if depth > 4 else data_of_any_kind)
    if "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    branches: list[Json] = [
        branch for keyword in ("anyOf", "oneOf") for branch in schema.get(keyword, [])
    ]
    if branches:
        return draw(data_for(draw(st.sampled_from(branches)), named, depth + 1))
    if "items" in schema:
        return draw(st.lists(data_for(schema["items"], named, depth + 1), max_size=3))
    if "properties" in schema:
        left_out = {name for name in schema["properties"] if draw(st.integers(0, 4)) == 0}
        kept = {name: child for name, child in schema["properties"].items() if name not in left_out}
        others = draw(st.dictionaries(st.sampled_from(NAMES), scalars, max_size=1))
        return others | {
            name: draw(data_for(child, named, depth + 1)) for name, child in kept.items()
        }
    return draw(data_of_any_kind)


@st.composite
def cases(draw: st.DrawFn, made: st.SearchStrategy[Json]) -> tuple[Json, Json, Any]:
    """A schema, the schemas that it may refer to, and data."""
    schema, named = draw(made), draw(definitions)
    return schema, named, draw(data_for(schema, named))


def closed(schema: Json) -> Json:
    """The schema for the independent validator, with names that are not documented forbidden."""
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: closed(child) for name, child in schema["properties"].items()}
    for key in {"items", "additionalProperties"} & schema.keys():
        made[key] = closed(schema[key]) if isinstance(schema[key], dict) else schema[key]
    for keyword in {"anyOf", "oneOf"} & schema.keys():
        made[keyword] = [closed(branch) for branch in schema[keyword]]
    return {"additionalProperties": False, **made} if schema.get("properties") else made


def loose(schema: Json) -> Json:
    """The schema with `anyOf` for `oneOf`: that data has two forms of which one is documented is no drift."""
    made: Json = json.loads(json.dumps(schema).replace('"oneOf"', '"anyOf"'))
    return made


def errors(schema: Json, data: Any) -> set[str]:
    """Where the independent validator finds the data not valid."""
    validator: Any = Draft202012Validator(loose(schema))
    return {error.json_path for error in validator.iter_errors(data)}


def findings(
    schema: Json, data: Any, *, operation: str, named: Json | None = None
) -> list[Finding]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract_schema, "load_contract", lambda: {"schemas": named})
        fitted, found = planned(schema, {}, operation=operation).fit(data)
    assert found or fitted is data
    return found


@given(cases(schemas))
@example(({"enum": [1]}, {}, True))
@example(({"enum": [1]}, {}, [1]))
@example(({"enum": [None]}, {}, None))
@example(({"type": "integer"}, {}, 1e300))
@example(({"enum": [1, True]}, {}, 1.0))
@example(({"additionalProperties": {}}, {}, {"a": 1}))
def test_data_has_no_finding_exactly_where_another_validator_has_it_valid(
    case: tuple[Json, Json, Any],
) -> None:
    schema, named, data = case
    valid = not errors({"schemas": named, "allOf": [schema]}, data)

    assert (not findings(schema, data, operation="", named=named)) == valid


@given(cases(schemas))
def test_names_are_findings_exactly_where_another_validator_has_them_forbidden(
    case: tuple[Json, Json, Any],
) -> None:
    schema, named, data = case
    whole = {name: closed(each) for name, each in named.items()}
    valid = not errors({"schemas": whole, "allOf": [closed(schema)]}, data)

    assert (not findings(schema, data, operation="GET /", named=named)) == valid


@given(cases(simple_schemas))
def test_every_finding_stands_where_another_validator_finds_one(
    case: tuple[Json, Json, Any],
) -> None:
    schema, named, data = case
    places = errors({"schemas": named, **schema}, data)
    found = findings(schema, data, operation="", named=named)
    assume(found)

    around = {"missing", "undocumented-field"}
    assert {x.path.rpartition(".")[0] if x.kind in around else x.path for x in found} <= places


@given(cases(schemas))
def test_no_finding_tells_a_value(case: tuple[Json, Json, Any]) -> None:
    schema, named, data = case
    marked = json.loads(json.dumps(data), object_hook=lambda each: dict.fromkeys(each, MARKER)) or [
        MARKER,
        [MARKER],
    ]

    assert MARKER not in repr(findings(schema, marked, operation="GET /", named=named))


@given(st.dictionaries(st.text(max_size=200), st.just(1), min_size=1, max_size=3))
def test_names_from_the_wire_reach_a_path_short_and_printable(data: Json) -> None:
    found = findings({"properties": {"known": {}}}, data, operation="GET /")

    assert len(found) == len(data) - ("known" in data)
    for finding in found:
        assert finding.path.isascii()
        assert finding.path.isprintable()
        assert len(finding.path) < 1000


@st.composite
def wholes(draw: st.DrawFn) -> tuple[Json, Json]:
    """An `allOf` of objects, and data that mostly fits it."""
    children = {name: draw(simple_leaves) for name in NAMES}
    parts: list[Json] = [
        {"type": "object", "properties": {name: child}} for name, child in children.items()
    ]
    for part in parts:
        if draw(st.booleans()):
            part["required"] = [draw(st.sampled_from(NAMES))]
    named = {"Base": {"type": "object", "allOf": parts[:2]}}
    whole = {"allOf": [{"$ref": "#/components/schemas/Base"}], "type": "object", **parts[2]}
    data = {
        name: draw(data_for(child, {}))
        for name, child in children.items()
        if draw(st.integers(0, 4))
    }
    if draw(st.integers(0, 4)) == 0:
        data["d"] = 1
    return {"components": {"schemas": {**named, "Whole": whole}}}, data


@given(wholes(), st.sampled_from(["", "GET /"]))
def test_objects_that_generation_merges_are_held_as_another_validator_holds_them_all(
    case: tuple[Json, Json], operation: str
) -> None:
    spec, data = case
    schemas = ContractSchemas(
        Document(Path("spec.yaml"), spec, ParsedFile("spec.yaml", "", spec, {}))
    )
    taken = schemas.reduce(Node({"$ref": "#/components/schemas/Whole"}, ""))
    closing: Json = {"unevaluatedProperties": False} if operation else {}
    valid = not errors({**spec, "$ref": "#/components/schemas/Whole", **closing}, data)

    found = findings(taken, data, operation=operation, named=schemas.by_name)

    assert (not found) == valid
    for finding in found:
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
def answers(draw: st.DrawFn) -> Json:
    """Documented answers of our operation, with up to three changes."""
    conversation = dict(CONVERSATION)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*CONVERSATION, "new"]))
        if draw(st.booleans()):
            conversation.pop(name, None)
        else:
            conversation[name] = draw(data_of_any_kind | st.sampled_from(["TYPE_CALL", "TYPE_NEW"]))
    answer: Json = {"success": True, "conversation": conversation}
    if draw(st.integers(0, 4)) == 0:
        answer[draw(st.sampled_from(["success", "conversation", "more"]))] = draw(scalars)
    return answer


@given(answers())
def test_an_answer_of_our_operation_has_no_finding_exactly_where_another_validator_has_it_valid(
    answer: Json,
) -> None:
    named = {name: closed(each) for name, each in load_contract()["schemas"].items()}
    valid = not errors({"schemas": named, "$ref": "#/schemas/UpdateConversationResponse"}, answer)

    reading = documented("updateConversation").read("200", answer)

    assert (not reading.findings) == valid
    assert reading.findings or reading.data is answer
