"""Findings: the kind, the rule and the place of every deviation of a response from the spec."""

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
from generate.operations import arrange_resources
from generate.reading import load_document
from leadconnector._runtime.contract import CheckedBody, OperationContract, operation_contract
from leadconnector._runtime.finding import Finding

from tests.support.paths import ROOT

Json = dict[str, Any]
SPEC = ROOT / "spec" / "openapi.yaml"
ID = "updateConversation"
OPERATION = operation_contract(ID)
PATH = "/paths/~1conversations~1{conversationId}/put"
CONVERSATION = "/components/schemas/Conversation"
RESPONSE: Json = {
    "success": True,
    "conversation": {
        "id": "x",
        "locationId": "x",
        "contactId": "x",
        "deleted": False,
        "lastMessageType": "TYPE_SMS",
    },
}


def response_with(**properties: Any) -> Json:
    response = copy.deepcopy(RESPONSE)
    response["conversation"].update(properties)
    return response


def response_without(name: str) -> Json:
    response = copy.deepcopy(RESPONSE)
    del response["conversation"][name]
    return response


def test_a_valid_body_stays_unresponse_with() -> None:
    body = OPERATION.check_body("200", RESPONSE)

    assert body == CheckedBody(RESPONSE)
    assert body.data is RESPONSE


@pytest.mark.parametrize(
    ("response", "finding"),
    [
        (
            response_with(lastMessageType="TYPE_NEW"),
            (
                "unknown-enum-value",
                "response-property-enum-value-added",
                "/components/schemas/LastMessageType",
                "$.conversation.lastMessageType",
                "a documented value, such as TYPE_CALL, TYPE_SMS, TYPE_EMAIL, "
                "TYPE_SMS_REVIEW_REQUEST, TYPE_WEBCHAT",
            ),
        ),
        (
            response_with(new=1),
            (
                "undocumented-field",
                "response-optional-property-added",
                CONVERSATION,
                "$.conversation.new",
                "a documented property",
            ),
        ),
        (
            response_with(id=None),
            (
                "null",
                "response-property-became-nullable",
                f"{CONVERSATION}/properties/id",
                "$.conversation.id",
                "of type string",
            ),
        ),
        (
            response_with(id=5),
            (
                "wrong-type",
                "response-property-type-changed",
                f"{CONVERSATION}/properties/id",
                "$.conversation.id",
                "of type string",
            ),
        ),
        (
            response_without("deleted"),
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
def test_a_finding_has_kind_rule_place_and_expectation(
    response: Any, finding: tuple[str, ...]
) -> None:
    kind, rule, *place = finding

    assert OPERATION.check_body("200", response).findings == (
        Finding(kind, rule, "PUT /conversations/{conversationId}", *place),
    )


def test_every_finding_points_into_the_spec() -> None:
    spec = load_document(SPEC)
    response = response_with(id=None, new=1, lastMessageType=3, unreadCount="x", locationId=[])
    findings = [
        *OPERATION.check_body("200", response).findings,
        *OPERATION.check_body("422", {"message": [1]}).findings,
    ]
    findings += [OPERATION.undocumented_status(418)]
    findings += OPERATION.undocumented_content_type("200", "text/html")

    assert len(findings) == 8
    for finding in findings:
        assert spec.at(finding.pointer).pointer == finding.pointer


def test_optional_data_that_no_model_can_store_is_removed() -> None:
    body = OPERATION.check_body("200", response_with(new=1, id=None, unreadCount="x"))

    assert not body.problem
    expected = response_with(new=1, unreadCount="x")["conversation"]
    del expected["id"]
    assert body.data == {"success": True, "conversation": expected}


def test_a_value_that_no_model_can_store_is_left_out_with_all_findings() -> None:
    body = OPERATION.check_body("200", response_with(locationId=["x"], new=1))

    assert (body.path, body.problem) == ("$", "")
    assert [finding.kind for finding in body.findings] == ["wrong-type", "undocumented-field"]


@pytest.mark.parametrize("status_key", ["", "500", "2XX"])
def test_a_body_without_a_schema_stays_unresponse_with(status_key: str) -> None:
    data = {"any": [None]}

    assert OPERATION.check_body(status_key, data) == CheckedBody(data)


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
def test_a_received_name_is_short_and_escaped_in_a_path(name: str, path: str) -> None:
    assert [finding.path for finding in OPERATION.check_body("401", {name: 1}).findings] == [path]


def test_an_undocumented_status_is_a_finding_at_the_responses() -> None:
    expected = "one of the documented statuses 200, 400, 401, 422"
    operation = "PUT /conversations/{conversationId}"

    assert OPERATION.undocumented_status(202) == Finding(
        "undocumented-status",
        "response-success-status-added",
        operation,
        f"{PATH}/responses",
        "$",
        expected,
        "202",
    )
    assert [OPERATION.undocumented_status(status).rule for status in (299, 199, 300, 404, 503)] == [
        "response-success-status-added",
        *["response-non-success-status-added"] * 4,
    ]


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json ;a=b"]
)
def test_a_documented_media_type_is_no_finding(content_type: str) -> None:
    assert OPERATION.undocumented_content_type("200", content_type) == ()


@pytest.mark.parametrize(
    ("content_type", "value"),
    [
        ("", "(no media type)"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("application/problem+json", "application/problem+json"),
        ("application/*", "(an invalid media type)"),
        ("application", "(an invalid media type)"),
        ("application/json, text/html", "(an invalid media type)"),
        ("a/" + "x" * 128, "(an invalid media type)"),
        ("a/b\x1b[31m", "(an invalid media type)"),
    ],
)
def test_an_undocumented_or_missing_media_type_is_a_finding(content_type: str, value: str) -> None:
    assert OPERATION.undocumented_content_type("200", content_type) == (
        Finding(
            "undocumented-content-type",
            "response-media-type-added",
            "PUT /conversations/{conversationId}",
            f"{PATH}/responses/200/content",
            "$",
            "one of the documented media types application/json",
            value,
        ),
    )


def test_an_undocumented_response_has_no_media_type_finding() -> None:
    assert OPERATION.undocumented_content_type("503", "text/html") == ()


# Operations that the spec does not have yet.


def contract_with(tmp_path: Path, response: Json, **schemas: Json) -> Json:
    """The contract of our spec with another 200 response and additional schemas."""
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    spec["paths"]["/conversations/{conversationId}"]["put"]["responses"]["200"] = {
        "description": "",
        **response,
    }
    spec["components"]["schemas"] |= schemas
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    document = load_document(path)
    settings = read_settings(ROOT / "generator-config.yaml", path, tmp_path / "output")
    data = parse_spec(document, settings)
    return build_contract(document, b"", arrange_resources(document, data), (), {})


CheckBody = Callable[..., CheckedBody]
FindingsOf = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def check_body(tmp_path: Path) -> CheckBody:
    """Checks data against the 200 response of a spec with another schema."""

    def check(schema: Json, data: Any, **schemas: Json) -> CheckedBody:
        response = {"content": {"application/json": {"schema": schema}}}
        contract = contract_with(tmp_path, response, **schemas)
        operation = OperationContract(contract["operations"][ID], contract["schemas"])
        return operation.check_body("200", data)

    return check


@pytest.fixture
def findings_of(check_body: CheckBody) -> FindingsOf:
    """The findings of `check_body`."""

    def findings(schema: Json, data: Any, **schemas: Json) -> tuple[Finding, ...]:
        return check_body(schema, data, **schemas).findings

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
def test_a_value_beyond_a_limit_is_out_of_bounds(
    findings_of: FindingsOf, keywords: Json, data: Any, root_rule: str, rule: str
) -> None:
    types: Json = {"int": "integer", "str": "string", "list": "array"}
    schema: Json = {"type": types[type(data).__name__], **keywords}
    if schema["type"] == "array":
        schema["items"] = {}
    nested: Json = {"type": "object", "properties": {"a": schema}}

    (at_root,) = findings_of(schema, data)
    (in_property,) = findings_of(nested, {"a": data})

    keyword = next(iter(keywords))
    assert (at_root.kind, at_root.rule, at_root.path) == ("out-of-bounds", root_rule, "$")
    assert (in_property.kind, in_property.rule, in_property.path) == ("out-of-bounds", rule, "$.a")
    assert (
        in_property.pointer == f"{PATH}/responses/200/content/application~1json/schema/properties/a"
    )
    assert in_property.expected == f"valid for {keyword} {keywords[keyword]}"


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_data_of_an_undocumented_form_is_a_finding(findings_of: FindingsOf, keyword: str) -> None:
    forms = {
        keyword: [{"type": "string"}, {"type": "object", "properties": {"b": {"type": "string"}}}]
    }
    rule = "any-of" if keyword == "anyOf" else "one-of"

    (at_root,) = findings_of(forms, 5)
    (in_property,) = findings_of({"type": "object", "properties": {"a": forms}}, {"a": 5})

    assert (at_root.kind, at_root.rule) == ("undocumented-form", f"response-body-{rule}-added")
    assert (in_property.kind, in_property.rule) == (
        "undocumented-form",
        f"response-property-{rule}-added",
    )


def test_data_that_matches_two_forms_is_valid(findings_of: FindingsOf) -> None:
    assert findings_of({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 1) == ()


def test_a_new_field_is_a_finding_in_the_form_that_the_data_matches(
    findings_of: FindingsOf,
) -> None:
    named = {"required": ["name"], "type": "object", "properties": {"name": {"type": "string"}}}
    sized = {"required": ["size"], "type": "object", "properties": {"size": {"type": "number"}}}
    forms = {
        "oneOf": [{"$ref": "#/components/schemas/Named"}, {"$ref": "#/components/schemas/Sized"}]
    }

    (finding,) = findings_of(forms, {"size": 1, "new": 2}, Named=named, Sized=sized)

    assert (finding.kind, finding.pointer, finding.path) == (
        "undocumented-field",
        "/components/schemas/Sized",
        "$.new",
    )


def test_a_name_in_one_branch_of_all_of_is_documented(findings_of: FindingsOf) -> None:
    base = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"type": "object", "properties": {"b": {"type": "string"}}},
        ]
    }

    assert findings_of(schema, {"a": "x", "b": "x"}, Base=base) == ()
    (finding,) = findings_of(schema, {"a": "x", "b": 1}, Base=base)
    assert finding.pointer.endswith("/schema/allOf/1/properties/b")
    assert [x.path for x in findings_of(schema, {"a": "x", "c": 1}, Base=base)] == ["$.c"]


@pytest.mark.parametrize("additional", [True, {"type": "integer"}, {}])
def test_a_new_name_is_no_finding_if_the_spec_allows_additional_properties(
    findings_of: FindingsOf, additional: Any
) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": additional,
    }

    assert findings_of(schema, {"a": "x", "new": 1}) == ()


def test_a_forbidden_name_is_a_finding(findings_of: FindingsOf) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": False,
    }

    assert [x.kind for x in findings_of(schema, {"a": "x", "new": 1})] == ["undocumented-field"]


def test_a_finding_in_an_alias_points_to_the_aliased_schema(findings_of: FindingsOf) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Alias"}}}
    alias = {"$ref": "#/components/schemas/LastMessageType"}

    assert [x.pointer for x in findings_of(schema, {"a": "NEW"}, Alias=alias)] == [
        "/components/schemas/LastMessageType"
    ]


def test_a_schema_outside_of_components_keeps_its_pointer(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.read_text(encoding="utf-8"), encoding="utf-8")
    schemas = ContractSchemas(load_document(path))
    place = f"{CONVERSATION}/properties/id"

    schema = schemas.reduce(Node({"items": {"$ref": f"#{place}"}}, "/x"))

    assert schema == {"items": {"$ref": f"#/schemas/{place}"}}
    assert schemas.by_name == {place: {"type": "string"}}


def test_extensions_of_the_spec_do_not_replace_our_keywords() -> None:
    extended = {"type": "string", "x-text": "a", "x-expected": "b", "x-role": "c"}
    schema = ContractSchemas(load_document(SPEC)).reduce(Node(extended, ""))

    assert schema == {"type": "string", "x-role": "c"}


def test_media_types_of_the_spec_are_compared_without_parameters(tmp_path: Path) -> None:
    contract_json = contract_with(
        tmp_path, {"content": {"application/json; charset=UTF-8": {"schema": {"type": "string"}}}}
    )

    assert contract_json["operations"][ID]["responses"]["200"]["media_types"] == [
        "application/json"
    ]


def test_a_referenced_text_schema_keeps_its_enum_and_gets_the_text_rule(tmp_path: Path) -> None:
    reference = {
        "allOf": [{"$ref": "#/components/schemas/LastMessageType"}],
        "description": "Where it is.",
    }
    body = {"type": "object", "required": ["locationId"], "properties": {"locationId": reference}}
    contract_json = contract_with(tmp_path, {}, UpdateConversationRequest=body)

    arguments = contract_json["operations"][ID]["arguments"]
    (schema,) = [argument["schema"] for argument in arguments if argument["name"] == "locationId"]
    assert {"enum", "x-text", "x-expected"} <= schema.keys()
    assert "x-text" not in contract_json["schemas"]["LastMessageType"]


TREE: Json = {
    "type": "object",
    "properties": {
        "value": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    },
}


def test_a_recursive_schema_validates_data_at_every_depth(findings_of: FindingsOf) -> None:
    reference = {"$ref": "#/components/schemas/Tree"}

    assert findings_of(reference, {"children": [{"children": [{"value": "x"}]}]}, Tree=TREE) == ()
    (finding,) = findings_of(reference, {"children": [{}, {"children": [{"value": 1}]}]}, Tree=TREE)
    assert finding.path == "$.children[1].children[0].value"
    assert finding.pointer == "/components/schemas/Tree/properties/value"


@pytest.mark.parametrize("deepest", [{"value": "x"}, {"value": 1}])
def test_data_that_is_nested_too_deeply_is_a_problem(check_body: CheckBody, deepest: Json) -> None:
    data: Json = deepest
    for _ in range(100_000):
        data = {"children": [data]}

    body = check_body({"$ref": "#/components/schemas/Tree"}, data, Tree=TREE)

    assert (body.data is data, body.problem, body.path, body.findings) == (
        True,
        "is nested too deeply",
        "$",
        (),
    )
    # Python would free the nested data recursively: take it apart first.
    while "children" in data:
        data = data["children"].pop()


def test_the_repr_of_a_checked_body_shows_no_data() -> None:
    body = OPERATION.check_body("200", response_with(id="a secret", new="a secret"))

    assert repr(body) == "CheckedBody(1 findings)"


def test_findings_show_no_value() -> None:
    response = response_with(
        id=["a secret"], locationId={"a secret": "a secret"}, lastMessageType="a secret"
    )
    received = json.loads(json.dumps(response))

    findings = OPERATION.check_body("200", received).findings

    assert len(findings) == 3
    assert "secret" not in repr(findings)
