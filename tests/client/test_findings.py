"""What is found in an answer that is not as documented: what it is called, and where it is said to be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.contract import build_contract
from generate.contract_schemas import ContractSchemas
from generate.document import Node
from generate.generate import parse_spec, read_settings
from generate.load import load_document
from generate.operations import arrange_resources
from leadconnector._runtime import schema as contract_schema
from leadconnector._runtime.schema import Documented, Finding, Reading, documented

from tests.support.paths import ROOT

Json = dict[str, Any]
SPEC = ROOT / "spec" / "openapi.yaml"
ID = "updateConversation"
PATH = "/paths/~1conversations~1{conversationId}/put"
CONVERSATION = "/components/schemas/Conversation"
ANSWER: Json = {
    "success": True,
    "conversation": {
        "id": "x",
        "locationId": "x",
        "contactId": "x",
        "deleted": False,
        "lastMessageType": "TYPE_SMS",
    },
}


def changed(**properties: Any) -> Json:
    answer = copy.deepcopy(ANSWER)
    answer["conversation"].update(properties)
    return answer


def without(name: str) -> Json:
    answer = copy.deepcopy(ANSWER)
    del answer["conversation"][name]
    return answer


def test_an_answer_as_documented_is_handed_on_as_it_is() -> None:
    reading = documented(ID).read("200", ANSWER)

    assert reading == Reading(ANSWER)
    assert reading.data is ANSWER


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (
            changed(lastMessageType="TYPE_NEW"),
            (
                "unknown-enum-value",
                "response-property-enum-value-added",
                "/components/schemas/LastMessageType",
                "$.conversation.lastMessageType",
                "a documented value, such as TYPE_CALL, TYPE_SMS, TYPE_EMAIL, TYPE_SMS_REVIEW_REQUEST, TYPE_WEBCHAT",
            ),
        ),
        (
            changed(new=1),
            (
                "undocumented-field",
                "response-optional-property-added",
                CONVERSATION,
                "$.conversation.new",
                "a documented property",
            ),
        ),
        (
            changed(id=None),
            (
                "null",
                "response-property-became-nullable",
                f"{CONVERSATION}/properties/id",
                "$.conversation.id",
                "of type string",
            ),
        ),
        (
            changed(id=5),
            (
                "wrong-type",
                "response-property-type-changed",
                f"{CONVERSATION}/properties/id",
                "$.conversation.id",
                "of type string",
            ),
        ),
        (
            without("deleted"),
            (
                "missing",
                "response-property-became-optional",
                f"{CONVERSATION}/properties/deleted",
                "$.conversation.deleted",
                "there",
            ),
        ),
        (
            None,
            (
                "null",
                "response-body-became-nullable",
                "/components/schemas/UpdateConversationResponse",
                "$",
                "of type object",
            ),
        ),
        (
            [],
            (
                "wrong-type",
                "response-body-type-changed",
                "/components/schemas/UpdateConversationResponse",
                "$",
                "of type object",
            ),
        ),
    ],
)
def test_a_finding_says_what_and_where_and_what_is_documented(
    answer: Any, finding: tuple[str, ...]
) -> None:
    kind, rule, *place = finding

    assert documented(ID).read("200", answer).findings == (
        Finding(kind, rule, "PUT /conversations/{conversationId}", *place),
    )


def test_every_finding_points_into_the_spec() -> None:
    spec = load_document(SPEC)
    answer = changed(id=None, new=1, lastMessageType=3, unreadCount="x", locationId=[])
    findings = [
        *documented(ID).read("200", answer).findings,
        *documented(ID).read("422", {"message": [1]}).findings,
    ]
    findings += [documented(ID).undocumented_status(418)]
    findings += documented(ID).undocumented_content_type("200", "text/html")

    assert len(findings) == 8
    for finding in findings:
        assert spec.at(finding.pointer).pointer == finding.pointer


def test_what_can_be_held_is_and_what_cannot_is_left_out() -> None:
    reading = documented(ID).read("200", changed(new=1, id=None, unreadCount="x"))

    assert not reading.problem
    held = changed(new=1, unreadCount="x")["conversation"]
    del held["id"]
    assert reading.data == {"success": True, "conversation": held}


def test_what_cannot_be_held_says_why_and_what_else_was_found() -> None:
    reading = documented(ID).read("200", changed(locationId=None, new=1))

    assert (reading.path, reading.problem) == (
        "$.conversation.locationId",
        "must be of type string",
    )
    assert [finding.kind for finding in reading.findings] == ["null", "undocumented-field"]


@pytest.mark.parametrize("status_key", ["", "500", "2XX"])
def test_an_answer_without_a_schema_is_handed_on_as_it_is(status_key: str) -> None:
    data = {"any": [None]}

    assert documented(ID).read(status_key, data) == Reading(data)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("plain_1", "$.plain_1"),
        ("a b", '$["a b"]'),
        ('"]\n', '$["\\"]\\n"]'),
        ("\u202ename", '$["\\u202ename"]'),
        ("x" * 65, f'$["{"x" * 64}"]'),
        ("", '$[""]'),
        ("1", '$["1"]'),
        ("a\n", '$["a\\n"]'),
        ("\ud800", '$["\\ud800"]'),
    ],
)
def test_a_name_from_the_wire_is_shown_short_and_escaped(name: str, path: str) -> None:
    assert [finding.path for finding in documented(ID).read("401", {name: 1}).findings] == [path]


def test_a_status_that_is_not_documented_is_a_finding_at_the_responses() -> None:
    expected = "of status 200, 400, 401, 422"
    operation = "PUT /conversations/{conversationId}"

    assert documented(ID).undocumented_status(202) == Finding(
        "undocumented-status",
        "response-success-status-added",
        operation,
        f"{PATH}/responses",
        "$",
        expected,
    )
    assert [
        documented(ID).undocumented_status(status).rule for status in (299, 199, 300, 404, 503)
    ] == [
        "response-success-status-added",
        *["response-non-success-status-added"] * 4,
    ]


@pytest.mark.parametrize(
    "given", ["application/json", "Application/JSON; charset=utf-8", "application/json ;a=b"]
)
def test_a_documented_media_type_is_no_finding(given: str) -> None:
    assert documented(ID).undocumented_content_type("200", given) == ()


@pytest.mark.parametrize(
    "given",
    [
        "",
        "text/html",
        "application/problem+json",
        "application/*",
        "application",
        "application/json, text/html",
    ],
)
def test_any_other_media_type_is_a_finding_also_none(given: str) -> None:
    assert documented(ID).undocumented_content_type("200", given) == (
        Finding(
            "undocumented-content-type",
            "response-media-type-added",
            "PUT /conversations/{conversationId}",
            f"{PATH}/responses/200/content",
            "$",
            "of type application/json",
        ),
    )


def test_a_response_that_is_not_documented_has_no_media_type_to_differ_from() -> None:
    assert documented(ID).undocumented_content_type("503", "text/html") == ()


# Operations that a spec may come to have


def growing(tmp_path: Path, response: Json, **schemas: Json) -> Json:
    """The contract of a spec with this 200 response and these schemas besides."""
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    spec["paths"]["/conversations/{conversationId}"]["put"]["responses"]["200"] = {
        "description": "",
        **response,
    }
    spec["components"]["schemas"] |= schemas
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    document = load_document(path)
    settings = read_settings(ROOT / "generator-config.yaml", path, tmp_path / "made")
    data = parse_spec(document, settings)
    return build_contract(document, b"", arrange_resources(document, data), {})


@pytest.fixture(name="whole")
def reading_of_another_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Reading]:
    def reading(schema: Json, data: Any, **schemas: Json) -> Reading:
        made = growing(tmp_path, {"content": {"application/json": {"schema": schema}}}, **schemas)
        monkeypatch.setattr(contract_schema, "load_contract", lambda: made)
        return Documented(made["operations"][ID]).read("200", data)

    return reading


Whole = Callable[..., Reading]
Read = Callable[..., tuple[Finding, ...]]


@pytest.fixture(name="reading")
def findings_of_another_spec(whole: Whole) -> Read:
    def findings(schema: Json, data: Any, **schemas: Json) -> tuple[Finding, ...]:
        return whole(schema, data, **schemas).findings

    return findings


@pytest.mark.parametrize(
    ("keywords", "data", "root_rule", "rule"),
    [
        ({"maximum": 1}, 2, "response-body-max-increased", "response-property-max-increased"),
        ({"minimum": 1}, 0, "response-body-min-decreased", "response-property-min-decreased"),
        (
            {"exclusiveMaximum": 1},
            1,
            "response-body-exclusive-max-increased",
            "response-property-exclusive-max-increased",
        ),
        (
            {"exclusiveMinimum": 1},
            1,
            "response-body-exclusive-min-decreased",
            "response-property-exclusive-min-decreased",
        ),
        (
            {"maxLength": 1},
            "ab",
            "response-body-max-length-increased",
            "response-property-max-length-increased",
        ),
        (
            {"minLength": 1},
            "",
            "response-body-min-length-decreased",
            "response-property-min-length-decreased",
        ),
        (
            {"pattern": "^a"},
            "b",
            "response-property-pattern-changed",
            "response-property-pattern-changed",
        ),
        (
            {"minItems": 1},
            [],
            "response-body-min-items-decreased",
            "response-property-min-items-decreased",
        ),
        (
            {"maxItems": 1},
            [1, 2],
            "response-body-type-generalized",
            "response-property-type-generalized",
        ),
    ],
)
def test_a_limit_that_is_passed_is_out_of_bounds(
    reading: Read, keywords: Json, data: Any, root_rule: str, rule: str
) -> None:
    types: Json = {"int": "integer", "str": "string", "list": "array"}
    schema: Json = {"type": types[type(data).__name__], **keywords}
    if schema["type"] == "array":
        schema["items"] = {}
    nested: Json = {"type": "object", "properties": {"a": schema}}

    (at_root,), (within,) = reading(schema, data), reading(nested, {"a": data})

    keyword = next(iter(keywords))
    assert (at_root.kind, at_root.rule, at_root.path) == ("out-of-bounds", root_rule, "$")
    assert (within.kind, within.rule, within.path) == ("out-of-bounds", rule, "$.a")
    assert within.pointer == f"{PATH}/responses/200/content/application~1json/schema/properties/a"
    assert within.expected == f"in keeping with {keyword} {keywords[keyword]}"


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_data_of_no_documented_form_is_a_finding_that_would_add_one(
    reading: Read, keyword: str
) -> None:
    forms = {
        keyword: [{"type": "string"}, {"type": "object", "properties": {"b": {"type": "string"}}}]
    }
    rule = "any-of" if keyword == "anyOf" else "one-of"

    (at_root,) = reading(forms, 5)
    (within,) = reading({"type": "object", "properties": {"a": forms}}, {"a": 5})

    assert (at_root.kind, at_root.rule) == ("undocumented-form", f"response-body-{rule}-added")
    assert (within.kind, within.rule) == ("undocumented-form", f"response-property-{rule}-added")


def test_data_of_two_forms_is_of_a_documented_one(reading: Read) -> None:
    assert reading({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1) == ()


def test_a_field_that_is_new_is_found_in_the_form_that_the_data_has(reading: Read) -> None:
    named = {"required": ["name"], "type": "object", "properties": {"name": {"type": "string"}}}
    sized = {"required": ["size"], "type": "object", "properties": {"size": {"type": "number"}}}
    forms = {
        "oneOf": [{"$ref": "#/components/schemas/Named"}, {"$ref": "#/components/schemas/Sized"}]
    }

    (finding,) = reading(forms, {"size": 1, "new": 2}, Named=named, Sized=sized)

    assert (finding.kind, finding.pointer, finding.path) == (
        "undocumented-field",
        "/components/schemas/Sized",
        "$.new",
    )


def test_a_name_that_one_branch_of_all_documents_is_documented(reading: Read) -> None:
    base = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"type": "object", "properties": {"b": {"type": "string"}}},
        ]
    }

    assert reading(schema, {"a": "x", "b": "x"}, Base=base) == ()
    (finding,) = reading(schema, {"a": "x", "b": 1}, Base=base)
    assert finding.pointer.endswith("/schema/allOf/1/properties/b")
    assert [x.path for x in reading(schema, {"a": "x", "c": 1}, Base=base)] == ["$.c"]


@pytest.mark.parametrize("others", [True, {"type": "integer"}, {}])
def test_where_the_spec_says_what_other_names_there_may_be_none_is_a_finding(
    reading: Read, others: Any
) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": others,
    }

    assert reading(schema, {"a": "x", "new": 1}) == ()


def test_a_name_that_is_forbidden_is_a_finding_and_stays_in_the_data(reading: Read) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": False,
    }

    assert [x.kind for x in reading(schema, {"a": "x", "new": 1})] == ["undocumented-field"]


def test_a_schema_that_is_called_by_two_names_is_found_where_it_stands(reading: Read) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Alias"}}}
    alias = {"$ref": "#/components/schemas/LastMessageType"}

    assert [x.pointer for x in reading(schema, {"a": "NEW"}, Alias=alias)] == [
        "/components/schemas/LastMessageType"
    ]


def test_a_schema_that_stands_elsewhere_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.read_text(encoding="utf-8"), encoding="utf-8")
    schemas = ContractSchemas(load_document(path))
    place = f"{CONVERSATION}/properties/id"

    taken = schemas.reduce(Node({"items": {"$ref": f"#{place}"}}, "/x"))

    assert taken == {"items": {"$ref": f"#/schemas/{place}"}}
    assert schemas.by_name == {place: {"type": "string"}}


def test_what_a_spec_extends_schemas_with_is_no_keyword_of_ours() -> None:
    schema = {"type": "string", "x-text": "a", "x-expected": "b", "x-role": "c"}
    taken = ContractSchemas(load_document(SPEC)).reduce(Node(schema, ""))

    assert taken == {"type": "string", "x-role": "c"}


def test_media_types_are_compared_without_what_a_spec_says_besides(tmp_path: Path) -> None:
    made = growing(
        tmp_path, {"content": {"application/json; charset=UTF-8": {"schema": {"type": "string"}}}}
    )

    assert made["operations"][ID]["responses"]["200"]["media_types"] == ["application/json"]


def test_a_text_that_refers_to_its_schema_is_asked_for_both(tmp_path: Path) -> None:
    reference = {
        "allOf": [{"$ref": "#/components/schemas/LastMessageType"}],
        "description": "Where it is.",
    }
    body = {"type": "object", "required": ["locationId"], "properties": {"locationId": reference}}
    made = growing(tmp_path, {}, UpdateConversationRequest=body)

    (schema,) = (
        x["schema"] for x in made["operations"][ID]["arguments"] if x["name"] == "locationId"
    )
    assert {"enum", "x-text", "x-expected"} <= schema.keys()
    assert "x-text" not in made["schemas"]["LastMessageType"]


TREE: Json = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    },
}


def test_a_schema_that_contains_itself_is_walked_as_deep_as_the_data_goes(reading: Read) -> None:
    reference = {"$ref": "#/components/schemas/Tree"}

    assert reading(reference, {"children": [{"children": [{"value": "x"}]}]}, Tree=TREE) == ()
    (finding,) = reading(reference, {"children": [{}, {"children": [{"value": 1}]}]}, Tree=TREE)
    assert finding.path == "$.children[1].children[0].value"
    assert finding.pointer == "/components/schemas/Tree/properties/value"


@pytest.mark.parametrize("deepest", [{"value": "x"}, {"value": 1}])
def test_data_that_is_nested_too_deeply_is_a_misfit(whole: Whole, deepest: Json) -> None:
    data: Json = deepest
    for _ in range(100_000):
        data = {"children": [data]}

    found = whole({"$ref": "#/components/schemas/Tree"}, data, Tree=TREE)

    assert (found.data is data, found.problem, found.path, found.findings) == (
        True,
        "is nested too deeply",
        "$",
        (),
    )
    while "children" in data:  # taken apart here, as its own end would go as deep
        data = data["children"].pop()


def test_a_reading_shows_no_data() -> None:
    assert (
        repr(documented(ID).read("200", changed(id="a secret", new="a secret")))
        == "Reading(1 findings)"
    )


def test_findings_tell_no_value() -> None:
    answer = json.loads(
        json.dumps(
            changed(
                id=["a secret"], locationId={"a secret": "a secret"}, lastMessageType="a secret"
            )
        )
    )

    findings = documented(ID).read("200", answer).findings

    assert len(findings) == 3
    assert "secret" not in repr(findings)
