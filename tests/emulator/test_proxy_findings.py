"""The findings of the validating proxy have the ids that specdrift reports for the two specs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from leadconnector._runtime.contract import operation_contract
from leadconnector_emulator import (
    Emulator,
    EmulatorTransport,
    Finding,
    Request,
    Response,
    Server,
    ValidatingProxy,
)
from leadconnector_emulator.document import Document
from leadconnector_emulator.exchange_check import CheckResult, ExchangeCheck
from leadconnector_emulator.finding import Direction as FindingDirection
from leadconnector_emulator.schema_check import MAXIMUM_FINDINGS, Place, SchemaCheck
from leadconnector_emulator.spec import Spec
from specdrift import Direction, compare
from specdrift.rules import level_of
from specdrift.wire import read_findings

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY, TOKEN
from tests.support.compression import gzipped
from tests.support.paths import ROOT

Json = dict[str, Any]

SPEC_FILE = ROOT / "spec" / "openapi.yaml"
BASE: Json = yaml.safe_load(SPEC_FILE.read_text(encoding="utf-8"))
PATH = f"/conversations/{CONVERSATION_ID}"
TEMPLATE = "/conversations/{conversationId}"
SECONDS = 60
"""The timeout of a program: a bound, so that no test hangs."""


def operation_of(root: Json) -> Json:
    operation: Json = root["paths"][TEMPLATE]["put"]
    return operation


def schema_of(root: Json, name: str) -> Json:
    schema: Json = root["components"]["schemas"][name]
    return schema


def conversation_property(root: Json, name: str) -> Json:
    schema: Json = schema_of(root, "Conversation")["properties"][name]
    return schema


# Changes of the API that a call shows


def response_property_added(root: Json) -> None:
    schema_of(root, "Conversation")["properties"]["channel"] = {"type": "string", "example": "x"}


def required_response_property_optional(root: Json) -> None:
    schema_of(root, "Conversation")["required"].remove("contactId")


def response_type_changed(root: Json) -> None:
    conversation_property(root, "deleted").update(type="string", example="no")


def response_enum_value_added(root: Json) -> None:
    values = schema_of(root, "LastMessageType")
    values["enum"].append("TYPE_RCS")
    values["example"] = "TYPE_RCS"


def response_nullable(root: Json) -> None:
    conversation_property(root, "assignedTo").update(type=["string", "null"], example=None)


def response_list_instead_of_text(root: Json) -> None:
    conversation_property(root, "assignedTo").update(
        type="array", items={"type": "string"}, example=["x"]
    )


def success_status_added(root: Json) -> None:
    responses = operation_of(root)["responses"]
    operation_of(root)["responses"] = {"201": deepcopy(responses["200"]), **responses}


def request_property_added(root: Json) -> None:
    schema_of(root, "UpdateConversationRequest")["properties"]["priority"] = {"type": "integer"}


def request_type_changed(root: Json) -> None:
    properties = schema_of(root, "UpdateConversationRequest")["properties"]
    properties["feedback"] = {"type": "string"}


def required_request_property_optional(root: Json) -> None:
    del schema_of(root, "UpdateConversationRequest")["required"]


def request_property_nullable(root: Json) -> None:
    properties = schema_of(root, "UpdateConversationRequest")["properties"]
    properties["starred"]["type"] = ["boolean", "null"]


def request_enum_value_added(root: Json) -> None:
    schema_of(root, "ApiVersion")["enum"].append("v3")


def query_parameter_added(root: Json) -> None:
    operation_of(root)["parameters"].append(
        {"name": "dryRun", "in": "query", "schema": {"type": "boolean"}}
    )


def parameter_optional(root: Json) -> None:
    root["components"]["parameters"]["Version"]["required"] = False


def operation_added(root: Json) -> None:
    root["paths"][TEMPLATE]["get"] = {
        **deepcopy(operation_of(root)),
        "operationId": "getConversation",
    }
    del root["paths"][TEMPLATE]["get"]["requestBody"]


def path_added(root: Json) -> None:
    root["paths"]["/labels"] = {
        "get": {
            "operationId": "listLabels",
            "security": [{"bearer": []}],
            "responses": {"200": {"description": "All labels"}},
        }
    }


def security_removed(root: Json) -> None:
    operation_of(root)["security"] = []


def request_body_optional(root: Json) -> None:
    operation_of(root)["requestBody"]["required"] = False


@dataclass(frozen=True)
class Call:
    """A request that the changed API accepts."""

    method: str = "PUT"
    target: str = PATH
    body: Json | None = field(default_factory=lambda: {"locationId": LOCATION_ID, "starred": True})
    headers: dict[str, str | None] = field(default_factory=dict[str, str | None])

    def all_headers(self) -> dict[str, str]:
        headers: dict[str, str | None] = {
            "Authorization": f"Bearer {TOKEN}",
            "Version": "2021-07-28",
            "Content-Type": "application/json",
            **self.headers,
        }
        return {name: value for name, value in headers.items() if value is not None}

    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


def call_with(**properties: Any) -> Call:
    return Call(body={"locationId": LOCATION_ID, **properties})


CHANGES: list[tuple[Callable[[Json], None], Call]] = [
    (response_property_added, Call()),
    (required_response_property_optional, Call()),
    (response_type_changed, Call()),
    (response_enum_value_added, Call()),
    (response_nullable, Call()),
    (response_list_instead_of_text, Call()),
    (success_status_added, Call()),
    (request_property_added, call_with(priority=1)),
    (request_type_changed, call_with(feedback="positive")),
    (required_request_property_optional, Call(body={"starred": True})),
    (request_property_nullable, call_with(starred=None)),
    (request_enum_value_added, Call(headers={"Version": "v3"})),
    (query_parameter_added, Call(target=f"{PATH}?dryRun=true")),
    (parameter_optional, Call(headers={"Version": None})),
    (operation_added, Call(method="GET", body=None)),
    (path_added, Call(method="GET", target="/labels", body=None)),
    (security_removed, Call(headers={"Authorization": None})),
    (request_body_optional, Call(body=None)),
]

RULES_OF_OTHER_IDS = {
    # `items` appears beside the changed type. The data has no items of the old type.
    "response-property-items-added",
}
"""Ids of specdrift for details that the data of one call cannot show."""


def write_spec(folder: Path, *changes: Callable[[Json], None]) -> Path:
    root = deepcopy(BASE)
    for change in changes:
        change(root)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(root, sort_keys=False), encoding="utf-8")
    return path


def changed_emulator(spec: Path) -> Emulator:
    """The API of a spec. Its conversation lacks `contactId` where the spec allows that."""
    emulator = Emulator(spec)
    conversation = {**emulator.example, "id": CONVERSATION_ID, "locationId": LOCATION_ID}
    if "contactId" not in schema_of(emulator.spec.root, "Conversation")["required"]:
        del conversation["contactId"]
    return Emulator(spec, tokens=[TOKEN], conversations=[conversation])


def ids_of_specdrift(spec: Path) -> set[str]:
    revised = yaml.safe_load(spec.read_text(encoding="utf-8"))
    return {change.id for change in compare(BASE, revised)} - RULES_OF_OTHER_IDS


@pytest.mark.parametrize(
    ("change", "call"), CHANGES, ids=[change.__name__ for change, _ in CHANGES]
)
def test_the_ids_for_a_changed_api_are_those_of_specdrift(
    change: Callable[[Json], None], call: Call, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, change)
    with (
        Server(changed_emulator(spec)) as api,
        ValidatingProxy(api.url, SPEC_FILE) as proxy,
        httpx.Client(transport=EmulatorTransport(proxy), base_url="http://proxy") as client,
    ):
        response = client.request(
            call.method, call.target, content=call.content(), headers=call.all_headers()
        )

    assert response.is_success
    assert {finding.rule for finding in proxy.findings} == ids_of_specdrift(spec)
    assert proxy.unchecked_exchanges == 0


def test_an_unchanged_api_has_no_findings(tmp_path: Path) -> None:
    spec = write_spec(tmp_path)
    with Server(changed_emulator(spec)) as api, ValidatingProxy(api.url, SPEC_FILE) as proxy:
        call = Call()
        response = proxy.respond(Request("PUT", PATH, lower(call.all_headers()), call.content()))

    assert response.status == 200
    assert proxy.findings == []


def test_the_findings_of_calls_with_curl_are_those_of_specdrift(tmp_path: Path) -> None:
    changes = [
        response_property_added,
        response_type_changed,
        response_enum_value_added,
        required_response_property_optional,
        success_status_added,
        request_property_added,
        request_enum_value_added,
        query_parameter_added,
        path_added,
    ]
    spec = write_spec(tmp_path, *changes)
    report = tmp_path / "findings.jsonl"
    calls = [
        Call(
            target=f"{PATH}?dryRun=true",
            body={"locationId": LOCATION_ID, "priority": 2},
            headers={"Version": "v3"},
        ),
        Call(method="GET", target="/labels", body=None),
    ]
    with (
        Server(changed_emulator(spec)) as api,
        ValidatingProxy(api.url, SPEC_FILE, report=report) as proxy,
        Server(proxy) as server,
    ):
        for call in calls:
            assert curl(server.url, call) in {200, 201}

    assert {finding.rule for finding in proxy.findings} == ids_of_specdrift(spec)
    assert {change.id for change in read_findings(report)} == ids_of_specdrift(spec)


def curl(url: str, call: Call) -> int:
    """Make a call with curl, or with httpx where curl is not installed. Returns the status."""
    if shutil.which("curl") is None:
        with httpx.Client(base_url=url, trust_env=False, timeout=SECONDS) as client:
            return client.request(
                call.method, call.target, content=call.content(), headers=call.all_headers()
            ).status_code
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--compressed"]
    command += ["--request", call.method, "--write-out", "%{http_code}", "--output", "/dev/null"]
    for name, value in call.all_headers().items():
        command += ["--header", f"{name}: {value}"]
    if call.body is not None:
        command += ["--data-binary", call.content().decode()]
    result = subprocess.run(
        [*command, url + call.target], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    return int(result.stdout)


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# The check itself

CHECK = ExchangeCheck(Spec(SPEC_FILE))
CONTRACT = operation_contract("updateConversation")


def check_response(status: int, body: object, **headers: str) -> CheckResult:
    call = Call()
    request = Request("PUT", PATH, lower(call.all_headers()), call.content())
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"Content-Type": "application/json", **headers}
    return CHECK.check(request, Response(status, content, all_headers))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(sorted(schema_of(BASE, "Conversation")["properties"])) | st.text(max_size=5)


@given(properties=st.dictionaries(NAMES, ANYTHING, max_size=6), status=st.sampled_from([200, 201]))
def test_a_response_has_the_findings_that_the_client_reports(properties: Json, status: int) -> None:
    body = {"success": True, "conversation": {**SUCCESS_BODY["conversation"], **properties}}

    findings = check_response(status, body).findings

    client_findings = CONTRACT.check_body("200", body).findings
    assert {(finding.kind, finding.rule, finding.pointer, finding.path) for finding in findings} - {
        ("undocumented-status", "response-success-status-added", f"{pointer()}/responses", "$")
    } == {
        (finding.kind, finding.rule, finding.pointer, finding.path) for finding in client_findings
    }


def pointer() -> str:
    return "/paths/~1conversations~1{conversationId}/put"


@given(body=ANYTHING, status=st.sampled_from([200, 400, 401, 422, 418]))
def test_specdrift_reads_every_finding(body: object, status: int) -> None:
    call = Call()
    content = json.dumps(body).encode()
    request = Request("PUT", f"{PATH}?x={status}", lower(call.all_headers()), content)
    response = Response(status, content, {"Content-Type": "application/json"})

    for finding in CHECK.check(request, response).findings:
        assert level_of(finding.rule, Direction(finding.direction)) is not None


GZIPPED = gzipped(json.dumps(SUCCESS_BODY).encode())


@pytest.mark.parametrize(
    ("status", "body", "headers", "kinds"),
    [
        (200, b"<html>", {}, ["invalid-body"]),
        (200, b"", {}, ["invalid-body"]),
        (200, b"{", {}, ["invalid-body"]),
        (200, b'{"success": NaN}', {}, ["invalid-body"]),
        (200, b"<html>", {"Content-Type": "text/html"}, ["undocumented-content-type"]),
        (503, b"<html>", {"Content-Type": "text/html"}, ["undocumented-status"]),
        (200, GZIPPED, {"Content-Encoding": "gzip"}, []),
        (
            200,
            json.dumps(SUCCESS_BODY).encode(),
            {"Content-Encoding": "gzip"},
            ["invalid-encoding"],
        ),
        (200, GZIPPED[:-9], {"Content-Encoding": "gzip"}, ["invalid-encoding"]),
        (204, b"", {}, ["undocumented-status"]),
        (304, b"", {}, []),
    ],
)
def test_a_body_that_cannot_be_read_is_a_finding(
    status: int, body: bytes, headers: dict[str, str], kinds: list[str]
) -> None:
    result = check_response(status, body, **headers)

    assert [finding.kind for finding in result.findings] == kinds
    assert result.unchecked == ()


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"x", {"Content-Encoding": "br"}, "content encoding 'br' cannot be decoded"),
        (
            gzipped(b" " * (17 * 1024 * 1024)),
            {"Content-Encoding": "gzip"},
            "the body has more than 16777216 bytes",
        ),
        (b'{"conversation": "\\ud800"}', {}, "cannot be compared"),
    ],
)
def test_a_body_that_cannot_be_compared_is_named(
    body: bytes, headers: dict[str, str], reason: str
) -> None:
    (unchecked,) = check_response(200, body, **headers).unchecked

    assert unchecked.startswith("the response: ")
    assert reason in unchecked


SCHEMA_CASES: list[tuple[Json, object, str, str]] = [
    (
        {"type": "integer"},
        1.5,
        "response-property-type-generalized",
        "request-property-type-generalized",
    ),
    ({"type": "integer"}, "1", "response-property-type-changed", "request-property-type-changed"),
    (
        {"minLength": 2},
        "a",
        "response-property-min-length-decreased",
        "request-property-min-length-decreased",
    ),
    (
        {"maxItems": 1},
        [1, 2],
        "response-property-max-items-increased",
        "request-property-max-items-increased",
    ),
    (
        {"exclusiveMaximum": 2},
        2,
        "response-property-exclusive-max-increased",
        "request-property-exclusive-max-increased",
    ),
    (
        {"pattern": "^a"},
        "b",
        "response-property-pattern-changed",
        "request-property-pattern-changed",
    ),
    (
        {"type": "string", "format": "date"},
        "x",
        "response-property-type-changed",
        "request-property-type-generalized",
    ),
    (
        {"multipleOf": 2},
        3,
        "response-property-multiple-of-changed",
        "request-property-multiple-of-changed",
    ),
    (
        {"uniqueItems": True},
        [1, 1],
        "response-property-unique-items-unset",
        "request-property-unique-items-unset",
    ),
    ({"const": 1}, 2, "response-property-const-changed", "request-property-const-changed"),
    (
        {"not": {"type": "string"}},
        "x",
        "response-property-not-removed",
        "request-property-not-removed",
    ),
    (
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        5,
        "response-property-any-of-added",
        "request-property-any-of-added",
    ),
    (
        {
            "oneOf": [
                {"type": "object", "required": ["a"], "properties": {"a": {}}},
                {"type": "string"},
            ]
        },
        5,
        "response-property-one-of-added",
        "request-property-one-of-added",
    ),
    (
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        5,
        "response-property-type-changed",
        "request-property-type-changed",
    ),
    (
        {
            "allOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}},
                {"required": ["a"]},
            ]
        },
        {"a": 5},
        "response-property-type-changed",
        "request-property-type-changed",
    ),
    (
        {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
        {"b": 1},
        "response-optional-property-added",
        "new-optional-request-property",
    ),
    (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"b": 1},
        "response-property-type-changed",
        "request-property-type-changed",
    ),
    (
        {"type": "string", "nullable": True},
        5,
        "response-property-type-changed",
        "request-property-type-changed",
    ),
    (
        {"type": "array", "items": {"enum": ["a"]}},
        ["b"],
        "response-property-enum-value-added",
        "request-property-enum-value-added",
    ),
]


@pytest.mark.parametrize(("schema", "data", "response_rule", "request_rule"), SCHEMA_CASES)
def test_each_keyword_has_the_id_of_the_change_that_allows_the_data(
    schema: Json, data: object, response_rule: str, request_rule: str
) -> None:
    root: Json = {"paths": {}, "components": {}}
    body = {"type": "object", "properties": {"field": schema}}
    check = SchemaCheck(Document(root))

    for direction, rule in ((Direction.RESPONSE, response_rule), (Direction.REQUEST, request_rule)):
        place = Place("PUT /x", FindingDirection(direction.value))
        findings = check.findings(body, "/schema", {"field": data}, place)
        assert [finding.rule for finding in findings] == [rule]
        assert level_of(rule, direction) is not None


DOCUMENTED: list[tuple[Json | bool, object]] = [
    ({"type": ["string", "null"]}, None),
    ({"type": "string", "nullable": True}, None),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
    ({"type": "integer"}, 1.0),
    ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1),
    ({"type": "object"}, {"anything": 1}),
    ({"type": "object", "properties": {"a": {}}, "additionalProperties": True}, {"b": 1}),
    ({"type": "object", "patternProperties": {"^x": {}}, "properties": {"a": {}}}, {"x1": 1}),
    (
        {
            "properties": {"a": {}},
            "anyOf": [{"type": "object", "properties": {"b": {}}}, {"type": "string"}],
        },
        {"a": 1, "b": 2},
    ),
    (True, {"anything": 1}),
]


@pytest.mark.parametrize(("schema", "data"), DOCUMENTED)
def test_documented_data_has_no_findings(schema: Any, data: object) -> None:
    check = SchemaCheck(Document({"paths": {}, "components": {}}))

    place = Place("PUT /x", FindingDirection.RESPONSE)
    assert check.findings(schema, "/schema", data, place) == []


def test_a_read_only_property_may_be_missing_in_a_request_only() -> None:
    schema = {
        "type": "object",
        "required": ["id", "secret"],
        "properties": {"id": {"readOnly": True}, "secret": {"writeOnly": True}},
    }
    check = SchemaCheck(Document({"paths": {}, "components": {}}))

    paths: list[list[str]] = []
    for direction in (FindingDirection.REQUEST, FindingDirection.RESPONSE):
        findings = check.findings(schema, "/schema", {}, Place("PUT /x", direction))
        paths.append([finding.path for finding in findings])
    assert paths == [["$.secret"], ["$.id"]]


def test_many_equal_deviations_are_one_different_finding() -> None:
    schema: Json = {"type": "array", "items": {"type": "object", "properties": {"a": {}}}}
    check = SchemaCheck(Document({"paths": {}, "components": {}}))

    place = Place("GET /x", FindingDirection.RESPONSE)
    findings = check.findings(schema, "/schema", [{"b": 1}] * 500, place)
    assert len(findings) == MAXIMUM_FINDINGS
    assert len({finding.identity for finding in findings}) == 1


def test_a_finding_contains_no_value_of_the_data() -> None:
    body = {"success": "Ada Lovelace", "conversation": {"id": ["Ada Lovelace"], "deleted": "Ada"}}

    findings = check_response(200, body).findings

    assert len(findings) >= 3
    assert "Ada" not in "".join(map(Finding.as_json, findings))
