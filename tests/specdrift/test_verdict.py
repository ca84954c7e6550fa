"""Compares the verdicts of specdrift with the behaviour of the real client.

The API changes, and the client does not. The client runs against an emulator of the changed spec,
or receives a response that the changed spec allows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from leadconnector import APIStatusError, Finding, LeadConnectorError
from leadconnector_emulator import Emulator, EmulatorTransport
from specdrift import Change, compare
from specdrift.model.document import Document
from specdrift.report.report import Effect, Verdict
from specdrift.rules import RULES, Direction, Level, Source
from specdrift.verdict import RULES as VERDICT_RULES
from specdrift.verdict import advice, verdict

from tests.support.calling import CONVERSATION_ID, TOKEN, Caller
from tests.support.paths import ROOT

Json: TypeAlias = dict[str, Any]

SPEC: Json = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
PATH = "/conversations/{conversationId}"
RESPONSE_BODY: Json = {
    "success": True,
    "conversation": {
        "locationId": "l",
        "contactId": "c",
        "deleted": False,
        "lastMessageType": "TYPE_SMS",
    },
}


class EditableSpec:
    """A copy of the spec, with the parts that the tests change."""

    def __init__(self) -> None:
        self.document = copy.deepcopy(SPEC)
        schemas = self.document["components"]["schemas"]
        self.operation: Json = self.document["paths"][PATH]["put"]
        self.request: Json = schemas["UpdateConversationRequest"]
        self.conversation: Json = schemas["Conversation"]


Edit: TypeAlias = Callable[[EditableSpec], None]


def edited(edit: Edit) -> Json:
    """The spec after an edit."""
    spec = EditableSpec()
    edit(spec)
    return spec.document


def change_with_verdict(revision: Json, rule: str) -> tuple[Change, Verdict]:
    """The change with this id between the spec and a revision, and its verdict."""
    change = next(change for change in compare(SPEC, revision) if change.id == rule)
    return change, verdict(change, Document(SPEC))


# Requests


def require_new_property(spec: EditableSpec) -> None:
    spec.request["required"].append("reason")
    spec.request["properties"]["reason"] = {"type": "string"}


def require_existing_property(spec: EditableSpec) -> None:
    spec.request["required"].append("unreadCount")


def limit_length(spec: EditableSpec) -> None:
    spec.request["properties"]["locationId"]["maxLength"] = 3


def replace_version(spec: EditableSpec) -> None:
    spec.operation["parameters"][1] = {
        "name": "Version",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "enum": ["v3"]},
    }


def require_new_parameter(spec: EditableSpec) -> None:
    spec.operation["parameters"].append(
        {"name": "dry", "in": "query", "required": True, "schema": {"type": "boolean"}}
    )


def allow_new_property(spec: EditableSpec) -> None:
    spec.request["properties"]["reason"] = {"type": "string"}


def make_property_optional(spec: EditableSpec) -> None:
    spec.request["required"].remove("locationId")


def rename_operation(spec: EditableSpec) -> None:
    spec.operation["operationId"] = "update-conversation"


@dataclass(frozen=True)
class RequestCase:
    """A change of what the API accepts, with the rule and the verdict for it."""

    edit: Edit
    rule: str
    effect: Effect


REQUEST_CASES = (
    RequestCase(require_new_property, "new-required-request-property", "breaks"),
    RequestCase(require_existing_property, "request-property-became-required", "breaks"),
    RequestCase(limit_length, "request-property-max-length-set", "breaks"),
    RequestCase(replace_version, "request-parameter-enum-value-removed", "breaks"),
    RequestCase(require_new_parameter, "new-required-request-parameter", "breaks"),
    RequestCase(allow_new_property, "new-optional-request-property", "none"),
    RequestCase(make_property_optional, "request-property-became-optional", "none"),
    RequestCase(rename_operation, "api-operation-id-removed", "none"),
)


@pytest.mark.parametrize("case", REQUEST_CASES, ids=[case.edit.__name__ for case in REQUEST_CASES])
def test_changed_api_rejects_requests_exactly_if_the_verdict_is_breaks(
    case: RequestCase, call: Caller, tmp_path: Path
) -> None:
    revision = edited(case.edit)
    assert change_with_verdict(revision, case.rule)[1].effect == case.effect
    path = tmp_path / "revision.yaml"
    path.write_text(yaml.safe_dump(revision), encoding="utf-8")
    emulator = Emulator(path, tokens=[TOKEN])
    if case.effect == "breaks":
        with pytest.raises(LeadConnectorError):
            call(EmulatorTransport(emulator), CONVERSATION_ID)
    else:
        call(EmulatorTransport(emulator), CONVERSATION_ID)


# Responses


ABSENT = object()
"""Marks a property that the response body lacks."""


def response_body(**changes: object) -> Json:
    """The response body with other properties in its conversation."""
    properties = {**RESPONSE_BODY["conversation"], **changes}
    present = {name: value for name, value in properties.items() if value is not ABSENT}
    return {**RESPONSE_BODY, "conversation": present}


def replace_enum_values(spec: EditableSpec) -> None:
    spec.conversation["properties"]["lastMessageType"] = {"type": "string", "enum": ["TYPE_RCS"]}


def open_enum(spec: EditableSpec) -> None:
    spec.conversation["properties"]["lastMessageType"] = {"type": "string"}


def add_property(spec: EditableSpec) -> None:
    spec.conversation["properties"]["mood"] = {"type": "string"}


def allow_absent_property(spec: EditableSpec) -> None:
    spec.conversation["required"].remove("contactId")


def remove_required_property(spec: EditableSpec) -> None:
    spec.conversation["required"].remove("contactId")
    spec.conversation["properties"].pop("contactId")


def remove_optional_property(spec: EditableSpec) -> None:
    spec.conversation["properties"].pop("lastMessageBody")


def allow_null_in_optional_property(spec: EditableSpec) -> None:
    spec.conversation["properties"]["userId"]["type"] = ["string", "null"]


def allow_null_in_required_property(spec: EditableSpec) -> None:
    spec.conversation["properties"]["contactId"]["type"] = ["string", "null"]


def replace_object_by_array(spec: EditableSpec) -> None:
    schemas = spec.document["components"]["schemas"]
    schemas["UpdateConversationResponse"] = {"type": "array", "items": {}}


@dataclass(frozen=True)
class ResponseCase:
    """A change of what the API returns, with the rule, the verdict, and a body that it allows."""

    edit: Edit
    rule: str
    effect: Effect
    body: object


RESPONSE_CASES = (
    ResponseCase(
        replace_enum_values,
        "response-property-enum-value-added",
        "drift",
        response_body(lastMessageType="TYPE_RCS"),
    ),
    ResponseCase(
        open_enum,
        "response-property-became-not-enum",
        "drift",
        response_body(lastMessageType="whatever"),
    ),
    ResponseCase(
        add_property,
        "response-optional-property-added",
        "drift",
        response_body(mood="good"),
    ),
    ResponseCase(
        allow_absent_property,
        "response-property-became-optional",
        "drift",
        response_body(contactId=ABSENT),
    ),
    ResponseCase(
        remove_required_property,
        "response-required-property-removed",
        "drift",
        response_body(contactId=ABSENT),
    ),
    ResponseCase(
        remove_optional_property,
        "response-optional-property-removed",
        "none",
        response_body(),
    ),
    ResponseCase(
        allow_null_in_optional_property,
        "response-property-became-nullable",
        "drift",
        response_body(userId=None),
    ),
    ResponseCase(
        allow_null_in_required_property,
        "response-property-became-nullable",
        "drift",
        response_body(contactId=None),
    ),
    ResponseCase(
        replace_object_by_array,
        "response-body-type-changed",
        "breaks",
        [],
    ),
)


@pytest.mark.parametrize(
    "case", RESPONSE_CASES, ids=[case.edit.__name__ for case in RESPONSE_CASES]
)
def test_client_handles_a_changed_response_as_the_verdict_says(
    case: ResponseCase, call: Caller
) -> None:
    revision = edited(case.edit)
    assert change_with_verdict(revision, case.rule)[1].effect == case.effect
    schema = {
        "$ref": "#/components/schemas/UpdateConversationResponse",
        "components": revision["components"],
    }
    validator: Any = Draft202012Validator(schema)
    assert validator.is_valid(case.body)
    check_effect(call, case.body, case.effect)


def check_effect(call: Caller, body: object, effect: Effect) -> None:
    """Verify that a response with this body has the effect on the client, and no other."""

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=body)

    findings = list[Finding]()
    options = {"on_drift": findings.append}
    if effect == "breaks":
        with pytest.raises(LeadConnectorError):
            call(httpx.MockTransport(respond), options=options)
    else:
        call(httpx.MockTransport(respond), options=options)
        assert bool(findings) is (effect == "drift")


@pytest.mark.parametrize(
    ("status", "rule"),
    [
        (201, "response-success-status-added"),
        (418, "response-non-success-status-added"),
    ],
    ids=["success status", "error status"],
)
def test_new_status_is_drift_and_is_reported(status: int, rule: str, call: Caller) -> None:
    def add_status(spec: EditableSpec) -> None:
        spec.operation["responses"][str(status)] = spec.operation["responses"]["200"]

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=RESPONSE_BODY)

    assert change_with_verdict(edited(add_status), rule)[1].effect == "drift"
    findings = list[Finding]()
    # The exception of an error status is what callers expect of it.
    with suppress(APIStatusError):
        call(httpx.MockTransport(respond), options={"on_drift": findings.append})
    assert [finding.rule for finding in findings] == [rule]


def test_narrower_response_does_not_affect_the_client() -> None:
    def narrow(spec: EditableSpec) -> None:
        spec.conversation["properties"]["userId"].update(maxLength=9, pattern="^u", const="u1")

    changes = compare(SPEC, edited(narrow))
    effects = [verdict(change, Document(SPEC)).effect for change in changes]
    assert len(effects) == 3
    assert set(effects) == {"none"}


def test_required_property_that_becomes_write_only_is_drift() -> None:
    def make_write_only(spec: EditableSpec) -> None:
        spec.conversation["properties"]["contactId"]["writeOnly"] = True

    effects = {
        change.id: verdict(change, Document(SPEC)).effect
        for change in compare(SPEC, edited(make_write_only))
    }
    assert effects == {"response-required-property-became-write-only": "drift"}


# Rules


DECIDING_RULES = {
    # operations and requests
    "api-removed-with-deprecation": "operation_removed",
    "api-removed-without-deprecation": "operation_removed",
    "api-path-removed-with-deprecation": "operation_removed",
    "api-path-removed-without-deprecation": "operation_removed",
    "api-operation-id-added": "operation_renamed",
    "api-operation-id-removed": "operation_renamed",
    "request-parameter-removed": "request_input_removed",
    "request-parameter-removed-with-deprecation": "request_input_removed",
    "request-property-removed": "request_input_removed",
    "request-required-property-became-not-read-only": "read_only_property_accepted",
    # statuses, media types and headers of responses
    "response-success-status-added": "success_status_added",
    "response-non-success-status-added": "error_status_added",
    "response-success-status-removed": "status_removed",
    "response-non-success-status-removed": "status_removed",
    "response-media-type-removed": "media_type_removed",
    "response-media-type-added": "media_type_changed",
    "response-media-type-name-generalized": "media_type_changed",
    "response-header-added": "response_header_changed",
    "optional-response-header-removed": "response_header_changed",
    "required-response-header-removed": "response_header_changed",
    # properties of responses
    "response-optional-property-removed": "optional_property_removed",
    "response-required-property-removed": "required_property_may_be_absent",
    "response-property-became-optional": "required_property_may_be_absent",
    "response-required-property-became-write-only": "required_property_may_be_absent",
    "response-optional-property-added": "property_added",
    "response-required-property-added": "property_added",
    # values in responses
    "response-property-became-nullable": "null_added",
    "response-property-any-of-added": "form_added",
    "response-property-one-of-added": "form_added",
    "response-property-type-changed": "type_changed",
    "response-property-type-generalized": "type_changed",
    "response-property-list-of-types-widened": "type_changed",
    "response-property-enum-value-added": "enum_value_added",
    "response-property-became-not-enum": "enum_value_added",
    "response-property-const-removed": "enum_value_added",
    "response-property-const-changed": "enum_value_added",
    "response-property-pattern-removed": "limit_relaxed",
    "response-property-pattern-changed": "limit_relaxed",
    "response-property-pattern-generalized": "limit_relaxed",
    "response-property-max-increased": "limit_relaxed",
    "response-property-max-length-increased": "limit_relaxed",
    "response-property-min-decreased": "limit_relaxed",
    "response-property-min-length-decreased": "limit_relaxed",
    "response-property-max-length-unset": "limit_relaxed",
    # the severity decides
    "response-property-const-added": None,
    "response-property-pattern-added": None,
    "response-property-max-decreased": None,
    "request-property-became-required": None,
}
"""The name of the rule that decides about each id; None if the severity decides."""


def deciding_rule(change: Change) -> str | None:
    for rule in VERDICT_RULES:
        if rule(change, Document({})) is not None:
            return rule.__name__
    return None


def change_with(
    identifier: str,
    *,
    level: Level = "ERR",
    direction: Direction = Direction.RESPONSE,
    name: str = "",
) -> Change:
    return Change(identifier, level, "PUT /", direction, "/a", "/a", "It changed.", name)


@pytest.mark.parametrize("identifier", DECIDING_RULES)
def test_rule_decides_about_its_ids(identifier: str) -> None:
    assert deciding_rule(change_with(identifier)) == DECIDING_RULES[identifier]


def test_every_rule_decides_about_some_change() -> None:
    change = change_with("response-body-type-changed", direction=Direction.RESPONSE)
    webhook = replace(change, base_pointer="/webhooks/lost/post")
    deciding = {*DECIDING_RULES.values(), deciding_rule(webhook)} - {None}
    assert deciding == {rule.__name__ for rule in VERDICT_RULES}


REQUEST_RULES = [rule for rule in RULES if rule.startswith(("*", "request"))]


@pytest.mark.parametrize("rule", REQUEST_RULES)
def test_narrower_request_breaks_and_wider_request_does_not(rule: str) -> None:
    identifier = rule.replace("*", "request-property")
    level = RULES[rule].severity.request
    change = change_with(identifier, level=level, direction=Direction.REQUEST)
    # The contract allows this removal after a deprecation. The client still sends the parameter.
    is_removed = identifier == "request-parameter-removed-with-deprecation"
    expected = "breaks" if level != "INFO" or is_removed else "none"
    assert verdict(change, Document({})).effect == expected


def test_removal_after_deprecation_breaks_the_client_but_not_the_contract() -> None:
    def deprecate(spec: EditableSpec) -> None:
        spec.operation["deprecated"] = True

    base = edited(deprecate)
    change = next(iter(compare(base, {**base, "paths": {}})))
    assert (change.level, verdict(change, Document(base)).effect) == ("INFO", "breaks")


def test_advice_names_the_line_in_the_spec() -> None:
    change, _ = change_with_verdict(edited(limit_length), "request-property-max-length-set")
    located_change = replace(change, base_source=Source("spec.yaml", 7))
    effects: tuple[Effect, ...] = ("breaks", "drift", "none")
    for effect in effects:
        assert advice(located_change, effect).partition(" spec.yaml:7 ")[0] == "Bring"


@pytest.mark.parametrize(
    ("identifier", "level", "direction", "pointer", "effect"),
    [
        ("request-property-forbidden", "WARN", "request", "/paths/~1a/put", "breaks"),
        ("request-property-removed", "ERR", "request", "/paths/~1a/put", "breaks"),
        ("request-body-discriminator-mapping-deleted", "ERR", "request", "/paths", "breaks"),
        ("response-required-property-became-not-write-only", "WARN", "response", "/a", "drift"),
        ("response-required-property-became-write-only", "ERR", "response", "/a", "drift"),
        ("callback-removed", "ERR", "none", "/paths/~1a/put/callbacks/onPet", "none"),
        ("response-body-type-changed", "ERR", "response", "/webhooks/lost/post", "none"),
        ("api-server-removed", "INFO", "none", "/paths/~1a/servers", "none"),
    ],
)
def test_an_id_has_its_verdict(
    identifier: str, level: Level, direction: str, pointer: str, effect: Effect
) -> None:
    change = Change(identifier, level, "PUT /a", Direction(direction), pointer, pointer, "It.")
    assert verdict(change, Document(SPEC)).effect == effect
