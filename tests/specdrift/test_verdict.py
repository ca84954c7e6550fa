"""What specdrift says of our client is what our client does, when the API has changed and the client has not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from leadconnector import Finding, LeadConnectorError
from leadconnector_emulator import Emulator, EmulatorTransport
from specdrift import Change, compare
from specdrift.model.document import Document
from specdrift.report.report import Verdict
from specdrift.rules import RULES, Direction, Source
from specdrift.verdict import VERDICTS, Row, advice, verdict

from tests.support.calling import CONVERSATION_ID, TOKEN, Caller
from tests.support.paths import ROOT

Json = dict[str, Any]
SPEC: Json = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
PUT = "/conversations/{conversationId}"
ANSWER: Json = {
    "success": True,
    "conversation": {
        "locationId": "l",
        "contactId": "c",
        "deleted": False,
        "lastMessageType": "TYPE_SMS",
    },
}


def changed(change: Callable[[Json, Json, Json], object]) -> Json:
    """A copy of the spec in which an operation, the schema of what it takes, or of what it gives, has changed."""
    document = copy.deepcopy(SPEC)
    schemas = document["components"]["schemas"]
    change(
        document["paths"][PUT]["put"], schemas["UpdateConversationRequest"], schemas["Conversation"]
    )
    return document


def told(revision: Json, rule: str) -> tuple[Change, Verdict]:
    """The change of this id that is found, and what it is said to mean."""
    change = next(each for each in compare(SPEC, revision) if each.id == rule)
    return change, verdict(change, Document(SPEC))


REQUESTS: dict[str, tuple[Callable[[Json, Json, Json], object], str, str]] = {
    "a required property": (
        lambda _, taken, __: (
            taken["required"].append("reason"),
            taken["properties"].update(reason={"type": "string"}),
        ),
        "new-required-request-property",
        "breaks",
    ),
    "a property that became required": (
        lambda _, taken, __: taken["required"].append("unreadCount"),
        "request-property-became-required",
        "breaks",
    ),
    "a bound": (
        lambda _, taken, __: taken["properties"]["locationId"].update(maxLength=3),
        "request-property-max-length-set",
        "breaks",
    ),
    "another version": (
        lambda put, _, __: put["parameters"].__setitem__(
            1,
            {
                "name": "Version",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "enum": ["v3"]},
            },
        ),
        "request-parameter-enum-value-removed",
        "breaks",
    ),
    "a parameter that is required": (
        lambda put, _, __: put["parameters"].append(
            {"name": "dry", "in": "query", "required": True, "schema": {"type": "boolean"}}
        ),
        "new-required-request-parameter",
        "breaks",
    ),
    "an optional property": (
        lambda _, taken, __: taken["properties"].update(reason={"type": "string"}),
        "new-optional-request-property",
        "none",
    ),
    "a property that became optional": (
        lambda _, taken, __: taken["required"].remove("locationId"),
        "request-property-became-optional",
        "none",
    ),
    "a header that is sent anyway": (
        lambda put, _, __: put["parameters"].append(
            {
                "name": "Authorization",
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
            }
        ),
        "new-required-request-parameter",
        "none",
    ),
    "another operation id": (
        lambda put, _, __: put.update(operationId="update-conversation"),
        "api-operation-id-removed",
        "none",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_refused_where_specdrift_says_so(
    name: str, call: Caller, tmp_path: Path
) -> None:
    change, rule, effect = REQUESTS[name]
    revision = changed(change)
    assert told(revision, rule)[1].effect == effect
    path = tmp_path / "revision.yaml"
    path.write_text(yaml.safe_dump(revision), encoding="utf-8")
    emulator = Emulator(path, tokens=[TOKEN])
    if effect == "breaks":
        with pytest.raises(LeadConnectorError):
            call(EmulatorTransport(emulator), CONVERSATION_ID)
    else:
        call(EmulatorTransport(emulator), CONVERSATION_ID)


def answer(**changes: object) -> Json:
    """The answer, with other fields in its conversation; `None` in the place of a field leaves it out."""
    fields = {**ANSWER["conversation"], **changes}
    return {
        **ANSWER,
        "conversation": {name: value for name, value in fields.items() if value is not ...},
    }


RESPONSES: dict[str, tuple[Callable[[Json, Json, Json], object], str, str, Json]] = {
    "a value of an enum": (
        lambda _, __, given: given["properties"].update(
            lastMessageType={"type": "string", "enum": ["TYPE_RCS"]}
        ),
        "response-property-enum-value-added",
        "drift",
        answer(lastMessageType="TYPE_RCS"),
    ),
    "an enum that became open": (
        lambda _, __, given: given["properties"].update(lastMessageType={"type": "string"}),
        "response-property-became-not-enum",
        "drift",
        answer(lastMessageType="whatever"),
    ),
    "a property": (
        lambda _, __, given: given["properties"].update(mood={"type": "string"}),
        "response-optional-property-added",
        "drift",
        answer(mood="good"),
    ),
    "a property that may be absent now": (
        lambda _, __, given: given["required"].remove("contactId"),
        "response-property-became-optional",
        "breaks",
        answer(contactId=...),
    ),
    "a required property that is gone": (
        lambda _, __, given: (
            given["required"].remove("contactId"),
            given["properties"].pop("contactId"),
        ),
        "response-required-property-removed",
        "breaks",
        answer(contactId=...),
    ),
    "an optional property that is gone": (
        lambda _, __, given: given["properties"].pop("lastMessageBody"),
        "response-optional-property-removed",
        "none",
        answer(),
    ),
    "null in an optional property": (
        lambda _, __, given: given["properties"]["userId"].update(type=["string", "null"]),
        "response-property-became-nullable",
        "drift",
        answer(userId=None),
    ),
    "null in a required property": (
        lambda _, __, given: given["properties"]["contactId"].update(type=["string", "null"]),
        "response-property-became-nullable",
        "breaks",
        answer(contactId=None),
    ),
    "an object in the place of a text": (
        lambda _, __, given: given["properties"].update(contactId={"type": "object"}),
        "response-property-type-changed",
        "breaks",
        answer(contactId={}),
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_an_answer_is_read_or_not_as_specdrift_says(name: str, call: Caller) -> None:
    change, rule, effect, body = RESPONSES[name]
    revision = changed(change)
    assert told(revision, rule)[1].effect == effect
    schema = {
        "$ref": "#/components/schemas/UpdateConversationResponse",
        "components": revision["components"],
    }
    validator: Any = Draft202012Validator(schema)
    assert validator.is_valid(body)
    check(call, lambda _: httpx.Response(200, json=body), effect)


STATUSES = {
    "another success": (201, "response-success-status-added", "breaks"),
    "another error": (418, "response-non-success-status-added", "drift"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_status_that_is_new_raises_and_is_told(name: str, call: Caller) -> None:
    status, rule, effect = STATUSES[name]
    revision = changed(
        lambda put, _, __: put["responses"].update({str(status): put["responses"]["200"]})
    )
    assert told(revision, rule)[1].effect == effect
    found = list[Finding]()
    with pytest.raises(LeadConnectorError):
        call(
            httpx.MockTransport(lambda _: httpx.Response(status, json=ANSWER)),
            options={"on_drift": found.append},
        )
    assert [each.rule for each in found] == [rule]


def check(call: Caller, handle: Callable[[httpx.Request], httpx.Response], effect: str) -> None:
    """The call has this effect, and nothing else."""
    found = list[Finding]()
    if effect == "breaks":
        with pytest.raises(LeadConnectorError):
            call(httpx.MockTransport(handle), options={"on_drift": found.append})
    else:
        call(httpx.MockTransport(handle), options={"on_drift": found.append})
        assert bool(found) is (effect == "drift")


SIDES = [
    f"{direction}-{kind}"
    for direction in ("request", "response")
    for kind in ("body", "property", "parameter", "mediatype")
]
IDS = {
    *(rule.replace("*", side) for rule in RULES for side in SIDES),
    *("response-property-min-length-decreased", "response-required-property-became-write-only"),
    "request-required-property-became-not-read-only",
}


def test_what_narrows_an_answer_does_nothing_to_the_client() -> None:
    def narrower(_: Json, __: Json, given: Json) -> None:
        given["properties"]["userId"].update(maxLength=9, pattern="^u", const="u1")

    found = [verdict(change, Document(SPEC)).effect for change in compare(SPEC, changed(narrower))]
    assert len(found) == 3
    assert set(found) == {"none"}


@pytest.mark.parametrize("row", VERDICTS, ids=lambda row: row.pattern)
def test_each_row_of_the_table_is_the_first_for_some_change(row: Row) -> None:
    assert row in {
        next((each for each in VERDICTS if fnmatchcase(name, each.pattern)), None) for name in IDS
    }


def test_what_must_be_there_and_is_only_sent_one_way_breaks_the_client_the_other_way() -> None:
    def turned(_: Json, taken: Json, given: Json) -> None:
        given["properties"]["contactId"]["writeOnly"] = True

    effects = {
        change.id: verdict(change, Document(SPEC)).effect
        for change in compare(SPEC, changed(turned))
    }
    assert effects == {"response-required-property-became-write-only": "breaks"}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule[0] == "*" or rule.startswith("request")]
)
def test_a_request_that_narrows_breaks_and_one_that_widens_does_not(rule: str) -> None:
    name, level = rule.replace("*", "request-property"), RULES[rule].severity.request
    change = Change(name, level, "PUT /", Direction.REQUEST, "/a", "/a", "It changed.")
    expected = (
        "none"
        if level == "INFO" and name != "request-parameter-removed-with-deprecation"
        else "breaks"
    )
    assert verdict(change, Document({})).effect == expected


def test_what_is_removed_with_notice_breaks_no_contract_but_the_client() -> None:
    base = changed(lambda put, _, __: put.update(deprecated=True))
    change = next(iter(compare(base, {**base, "paths": {}})))
    assert (change.level, verdict(change, Document(base)).effect) == ("INFO", "breaks")


def test_what_to_do_names_the_place_in_the_spec() -> None:
    change = replace(
        told(changed(REQUESTS["a bound"][0]), REQUESTS["a bound"][1])[0],
        base_source=Source("spec.yaml", 7),
    )
    assert [
        advice(change, effect).partition(" spec.yaml:7 ")[0]
        for effect in ("breaks", "drift", "none")
    ] == ["Bring"] * 3
