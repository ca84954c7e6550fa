"""The control over HTTP: what it changes, what it rejects, and who may use it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector import LeadConnector, ServerError
from leadconnector_emulator import (
    Emulator,
    EmulatorApp,
    EmulatorTransport,
    Fault,
    RateLimits,
    Recorder,
    Replay,
    Request,
    Response,
    Server,
    TokenEndpoint,
    ValidatingProxy,
    cli,
)
from leadconnector_emulator.control import CONTROL_SPEC, Control, ControlRules
from leadconnector_emulator.control_actions import actions
from leadconnector_emulator.hosts import host_rules

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.documents import blocks_in
from tests.support.paths import ROOT

JsonObject = dict[str, Any]

SECONDS = 60
"""The timeout of each step: a bound, so that no test hangs."""

DOCUMENT = cast("JsonObject", yaml.safe_load(CONTROL_SPEC.read_text(encoding="utf-8")))

HEADERS = {"authorization": f"Bearer {TOKEN}", "version": "2021-07-28"}
TARGET = f"/conversations/{CONVERSATION_ID}"


@cache
def documented_operations() -> list[tuple[str, str]]:
    """Method and path template of each operation."""
    operations: list[tuple[str, str]] = []
    for path, item in DOCUMENT["paths"].items():
        for method in item:
            if method != "parameters":
                operations.append((method.upper(), path))
    return operations


def resolved(node: JsonObject) -> JsonObject:
    """A node of the document, or the one that it refers to."""
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Caller:
    """Sends control requests, and checks each response against the document."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def __call__(
        self, method: str, path: str, data: object = None, **options: Any
    ) -> tuple[int, Any]:
        """The status and the content of a response."""
        if data is not None:
            options["json"] = data
        response = self.client.request(method, f"/_emulator/{path}", **options)
        content = response.json() if response.content else None
        if method != "HEAD":
            check_response(method, f"/_emulator/{path.partition('?')[0]}", response, content)
        return response.status_code, content

    def detail(self, method: str, path: str, data: object = None, **options: Any) -> str:
        """The text of an error."""
        status, content = self(method, path, data, **options)
        assert status >= 400
        return cast("str", content["detail"])


def check_response(method: str, path: str, response: httpx.Response, content: Any) -> None:
    """Compare a response with the document."""
    if response.is_error:
        assert response.headers["content-type"] == "application/problem+json"
        schema = resolved({"$ref": "#/components/schemas/Problem"})
    else:
        operation = DOCUMENT["paths"][template_of(path)][method.lower()]
        documented = resolved(operation["responses"][str(response.status_code)])
        if "content" not in documented:
            assert content is None
            return
        assert response.headers["content-type"] == "application/json"
        schema = documented["content"]["application/json"]["schema"]
    checker: Any = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    assert [error.message for error in checker.iter_errors(content)] == []


def template_of(path: str) -> str:
    """The path template of a path."""
    parts = path.split("/")
    if path in DOCUMENT["paths"]:
        return path
    if parts[2] == "faults":
        return "/_emulator/faults/{number}"
    return "/_emulator/resources/{collection}" + ("/{id}" if len(parts) > 4 else "")


@pytest.fixture
def emulator() -> Emulator:
    endpoint = TokenEndpoint(refresh_tokens={"first-refresh": LOCATION_ID})
    limits = RateLimits(burst=2, interval=10.0)
    return Emulator(tokens=[TOKEN], token_endpoint=endpoint, rate_limits=limits)


@pytest.fixture
def control(emulator: Emulator) -> Iterator[Caller]:
    """Sends control requests in this process."""
    transport = EmulatorTransport(emulator, control=True)
    with httpx.Client(transport=transport, base_url="http://emulator") as client:
        yield Caller(client)


def status_of(emulator: Emulator, token: str = TOKEN, target: str = TARGET) -> int:
    """The status of a call of the API."""
    headers = {
        **HEADERS,
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
    }
    body = json.dumps({"locationId": LOCATION_ID}).encode()
    return emulator.respond(Request("PUT", target, headers, body)).status


class TestDocument:
    def test_each_operation_has_an_action_and_no_other_one_exists(self, emulator: Emulator) -> None:
        documented = {f"{method} {path}" for method, path in documented_operations()}
        # The control serves the document itself.
        assert set(actions(emulator)) == documented - {"GET /_emulator/schema"}

    def test_it_has_each_field_of_a_fault(self) -> None:
        properties = DOCUMENT["components"]["schemas"]["Fault"]["properties"]
        assert list(properties) == [field.name for field in fields(Fault)]

    @pytest.mark.parametrize("field", fields(Fault), ids=lambda field: str(field.name))
    def test_a_fault_accepts_the_bounds_of_each_field(self, field: Any) -> None:
        schema = DOCUMENT["components"]["schemas"]["Fault"]["properties"][field.name]
        values = [*schema.get("enum", []), *filter(None, [schema.get("minimum")])]
        if "null" in schema.get("type", ""):
            values.append(None)
        for value in values:
            Fault(**{field.name: value})

    def test_it_is_served_with_this_server(self, control: Caller) -> None:
        status, document = control("GET", "schema")
        assert (status, document["servers"]) == (200, [{"url": "http://emulator"}])
        assert document["paths"] == DOCUMENT["paths"]


class TestFaults:
    def test_a_fault_is_added_applied_listed_and_removed(
        self, emulator: Emulator, control: Caller
    ) -> None:
        status, rule = control("POST", "faults", {"status": 503, "path": "/conversations/*"})
        assert (status, rule["matched"], rule["applied"]) == (201, 0, 0)
        assert status_of(emulator) == 503
        (listed_rule,) = control("GET", "faults")[1]["faults"]
        assert listed_rule == {**rule, "matched": 1, "applied": 1}
        assert control("DELETE", f"faults/{rule['number']}") == (204, None)
        assert status_of(emulator) == 200

    def test_adding_and_removing_one_keeps_the_counts_of_the_others(
        self, emulator: Emulator, control: Caller
    ) -> None:
        control("POST", "faults", {"status": 503, "times": 1})
        assert status_of(emulator) == 503
        number = control("POST", "faults", {"status": 500, "nth": 9})[1]["number"]
        control("DELETE", f"faults/{number}")
        assert status_of(emulator) == 200

    def test_all_of_them_are_replaced_and_cleared(
        self, emulator: Emulator, control: Caller
    ) -> None:
        status, content = control("PUT", "faults", [{"status": 500}, {"drop": "before"}])
        assert status == 200
        assert [rule["fault"] for rule in content["faults"]] == [
            {"status": 500},
            {"drop": "before"},
        ]
        assert emulator.fault_rules[1].fault == Fault(drop="before")
        assert control("DELETE", "faults") == (204, None)
        assert control("GET", "faults") == (200, {"faults": []})

    @pytest.mark.parametrize(
        ("fault", "detail"),
        [
            ({"status": 99}, "#/status: 99 is less than the minimum of 200"),
            ({"status": "503"}, '#/status: "503" is not of type'),
            ({"drop": "middle"}, 'the values are "before", "within", "after", null'),
            ({"statu": 503}, "the properties are body, drip, drop,"),
            ({"headers": {"a b": "c"}}, "#: headers contains 'a b', which is not the name"),
            ({"headers": {"Content-Length": "1"}}, "must not set the length of the body"),
            ({"nth": 1.5}, "#/nth: 1.5 is not of type"),
            ([], 'is not of type "object"'),
        ],
    )
    def test_an_invalid_fault_is_rejected_with_its_place_and_changes_nothing(
        self, emulator: Emulator, control: Caller, fault: object, detail: str
    ) -> None:
        control("POST", "faults", {"latency": 0})
        rules = emulator.fault_rules
        status, content = control("POST", "faults", fault)
        assert status == 422
        assert detail.removeprefix("#: ") in content["detail"]
        assert content["errors"]
        assert control("PUT", "faults", [{"status": 500}, fault])[0] == 422
        assert emulator.fault_rules == rules

    def test_several_errors_are_listed_each_with_its_place(self, control: Caller) -> None:
        _, content = control("PUT", "faults", [{}, {"nth": 0, "drop": "x"}])
        pointers = {error["pointer"] for error in content["errors"]}
        assert pointers == {"#/1/nth", "#/1/drop"}

    def test_thousands_of_errors_and_large_values_have_a_short_response(
        self, control: Caller
    ) -> None:
        _, content = control("PUT", "faults", [{"nth": 0}] * 5_000)
        assert len(content["errors"]) == 20
        _, content = control("POST", "faults", {"nth": "x" * 500_000})
        assert len(content["errors"][0]["detail"]) < 400

    def test_an_unknown_number_is_rejected_with_the_known_ones(self, control: Caller) -> None:
        number = control("POST", "faults", {"status": 503})[1]["number"]
        detail = control.detail("DELETE", f"faults/{number + 1}")
        assert detail == f"there is no fault {number + 1}; the numbers are {number}"
        control("DELETE", "faults")
        assert control.detail("DELETE", "faults/1") == "there is no fault 1; there are none"
        assert "is not of type" in control.detail("DELETE", "faults/first")

    def test_an_infinite_latency_is_listed_as_text(
        self, emulator: Emulator, control: Caller
    ) -> None:
        emulator.set_faults(Fault(latency=float("inf")))
        assert control("GET", "faults")[1]["faults"][0]["fault"] == {"latency": "inf"}


class TestResources:
    PATH = "resources/conversations"

    def test_a_resource_is_stored_read_listed_and_deleted(
        self, emulator: Emulator, control: Caller
    ) -> None:
        resource = {"id": "a/ü", "locationId": "here", "unreadCount": 3}
        target = f"{self.PATH}/a%2F%C3%BC"
        assert control("PUT", target, resource) == (200, resource)
        assert emulator.get("conversations", "a/ü") == resource
        assert control("GET", target) == (200, resource)
        assert control("GET", "resources") == (200, {"collections": {"conversations": 2}})
        assert control("GET", self.PATH)[1] == {
            "total": 2,
            "resources": [emulator.example, resource],
        }
        assert control("DELETE", target) == (204, None)
        assert control("GET", target)[0] == 404

    def test_the_id_of_the_path_may_be_omitted_in_the_body(self, control: Caller) -> None:
        assert control("PUT", f"{self.PATH}/c1", {"starred": True})[1]["id"] == "c1"
        detail = control.detail("PUT", f"{self.PATH}/c1", {"id": "c2"})
        assert detail == "#/id: the id in the path is 'c1'"

    def test_a_long_collection_is_read_in_parts(self, emulator: Emulator, control: Caller) -> None:
        for number in range(5):
            emulator.put("conversations", {"id": str(number)})
        parts: list[list[str]] = []
        after = CONVERSATION_ID
        while True:
            _, content = control("GET", f"{self.PATH}?limit=2&after={after}")
            ids = [resource["id"] for resource in content["resources"]]
            if not ids:
                break
            parts.append(ids)
            after = ids[-1]
        assert parts == [["0", "1"], ["2", "3"], ["4"]]

    @pytest.mark.parametrize(
        ("data", "detail"),
        [
            ({"starred": "yes"}, '#/starred: "yes" is not of type "boolean"'),
            ({"unread": 1}, "#/unread: the spec does not document it; the properties are assigned"),
            ([], 'is not of type "object"'),
        ],
    )
    def test_a_value_that_the_spec_does_not_document_is_rejected(
        self, emulator: Emulator, control: Caller, data: object, detail: str
    ) -> None:
        assert detail in control.detail("PUT", f"{self.PATH}/c1", data)
        assert emulator.get("conversations", "c1") is None

    def test_without_validation_any_resource_is_stored(
        self, emulator: Emulator, control: Caller
    ) -> None:
        control("PUT", f"{self.PATH}/c1?validate=false", {"starred": "yes", "new": 1})
        assert emulator.get("conversations", "c1") == {"id": "c1", "starred": "yes", "new": 1}
        assert control("PUT", "resources/notes/1?validate=false", {})[0] == 200
        assert control("GET", "resources")[1]["collections"] == {"conversations": 2, "notes": 1}

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_an_unknown_collection_is_rejected_with_the_known_ones(
        self, control: Caller, method: str
    ) -> None:
        data: JsonObject | None = {} if method == "PUT" else None
        detail = control.detail(method, "resources/conversation/1", data)
        assert detail == (
            "there is no collection 'conversation'; the collections are conversations"
        )

    def test_an_unknown_id_is_rejected(self, control: Caller) -> None:
        assert control("GET", f"{self.PATH}/no")[0] == 404
        assert control("DELETE", f"{self.PATH}/no")[0] == 404
        assert control("GET", f"{self.PATH}?after=no")[0] == 404

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("limit=0", "limit in the query: 0 is less than the minimum of 1"),
            ("limit=1001", "limit in the query: 1001 is greater than the maximum of 1000"),
            ("limit=many", 'limit in the query: "many" is not of type "integer"'),
            ("offset=1", "has no query parameter 'offset'; the parameters are after, limit"),
        ],
    )
    def test_an_invalid_query_is_rejected(self, control: Caller, query: str, detail: str) -> None:
        assert detail in control.detail("GET", f"{self.PATH}?{query}")


class TestTokens:
    def test_a_token_is_accepted_and_revoked(self, emulator: Emulator, control: Caller) -> None:
        assert status_of(emulator, "new") == 401
        assert control("POST", "tokens/accept", {"token": "new"})[0] == 200
        assert status_of(emulator, "new") == 200
        assert control("POST", "tokens/revoke", {"token": "new"}) == (204, None)
        assert status_of(emulator, "new") == 401
        assert control("POST", "tokens/revoke", {"token": "new"})[0] == 404

    def test_a_token_is_accepted_for_locations_scopes_and_a_class(
        self, emulator: Emulator, control: Caller
    ) -> None:
        token = {
            "token": "new",
            "locations": ["there"],
            "scopes": ["conversations.write"],
            "user_type": "Location",
        }
        assert control("POST", "tokens/accept", token) == (200, {**token, "expires_at": None})
        assert status_of(emulator, "new") == 401
        control("POST", "tokens/accept", {"token": "new", "user_type": "Company"})
        assert status_of(emulator, "new") == 401

    @pytest.mark.parametrize("token", ["", "a b", "Bearer a", "é", 7])
    def test_a_token_that_no_header_can_contain_is_rejected(
        self, control: Caller, token: object
    ) -> None:
        status, content = control("POST", "tokens/accept", {"token": token})
        assert (status, content["errors"][0]["pointer"]) == (422, "#/token")

    def test_an_issued_token_expires_and_its_refresh_token_stays_valid(
        self, emulator: Emulator, control: Caller
    ) -> None:
        status, tokens = control("POST", "tokens/issue", {"location": LOCATION_ID})
        assert (status, status_of(emulator, tokens["access_token"])) == (201, 200)
        token = {"token": tokens["access_token"]}
        assert control("POST", "tokens/expire", token) == (200, {"expired": 1})
        assert status_of(emulator, tokens["access_token"]) == 401
        assert control("POST", "tokens/expire", token)[0] == 404
        assert refresh(emulator, tokens["refresh_token"]) == 200

    def test_every_issued_token_expires_at_once(self, emulator: Emulator, control: Caller) -> None:
        for _ in range(3):
            control("POST", "tokens/issue", {"location": LOCATION_ID})
        assert len(control("GET", "tokens")[1]["tokens"]) == 4
        assert control("POST", "tokens/expire") == (200, {"expired": 3})
        assert [entry["token"] for entry in control("GET", "tokens")[1]["tokens"]] == [TOKEN]
        assert status_of(emulator) == 200

    def test_a_refresh_token_is_revoked(self, emulator: Emulator, control: Caller) -> None:
        assert control("POST", "tokens/revoke", {"token": "first-refresh"})[0] == 204
        assert refresh(emulator, "first-refresh") == 400
        control("POST", "reset")
        assert refresh(emulator, "first-refresh") == 200

    def test_without_a_token_endpoint_the_message_says_how_to_get_one(self) -> None:
        transport = EmulatorTransport(Emulator(), control=True)
        with httpx.Client(transport=transport, base_url="http://emulator") as client:
            call = Caller(client)
            assert "--refresh-token" in call.detail("POST", "tokens/issue", {"location": "x"})
            change: JsonObject = {"token_endpoint": {"scopes": []}, "create_missing": True}
            assert "--refresh-token" in call.detail("PATCH", "settings", change)
            assert call("GET", "settings")[1] == {"create_missing": False, "token_endpoint": None}
            assert call("POST", "tokens/expire") == (200, {"expired": 0})


def refresh(emulator: Emulator, token: str) -> int:
    """The status of an exchange of a refresh token."""
    body = (
        f"client_id=client&client_secret=client-secret&grant_type=refresh_token"
        f"&refresh_token={token}&user_type=Location"
    )
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return emulator.respond(Request("POST", "/oauth/token", headers, body.encode())).status


class TestClockAndReset:
    def test_time_passes_for_rate_limits_and_tokens(
        self, emulator: Emulator, control: Caller
    ) -> None:
        _, tokens = control("POST", "tokens/issue", {"location": LOCATION_ID, "expires_in": 60})
        assert [status_of(emulator) for _ in range(3)] == [200, 200, 429]
        before = control("GET", "clock")[1]
        status, after = control("POST", "clock/advance", {"seconds": 10.5})
        assert (status, after["advanced"]) == (200, 10.5)
        assert after["now"] >= before["now"] + 10.5
        assert status_of(emulator) == 200
        assert status_of(emulator, tokens["access_token"]) == 200
        control("POST", "clock/advance", {"seconds": 60})
        assert status_of(emulator, tokens["access_token"]) == 401

    @pytest.mark.parametrize("seconds", [-1, "1", None, True, 1e300])
    def test_an_invalid_time_is_rejected(self, control: Caller, seconds: object) -> None:
        assert control("POST", "clock/advance", {"seconds": seconds})[0] == 422
        assert control("GET", "clock")[1]["advanced"] == 0

    def test_the_same_works_in_python(self) -> None:
        emulator = Emulator(clock=lambda: 100.0)
        emulator.advance_clock(5)
        emulator.advance_clock(0.5)
        assert emulator.clock() == 105.5
        with pytest.raises(TypeError, match="a number of seconds, not '1'"):
            emulator.advance_clock(cast("float", "1"))
        with pytest.raises(ValueError, match="0 or more seconds, not -1"):
            emulator.advance_clock(-1)
        emulator.reset()
        assert emulator.clock() == 100.0

    def test_reset_restores_everything(self, emulator: Emulator, control: Caller) -> None:
        control("POST", "faults", {"status": 503})
        control("PUT", "resources/conversations/c1", {})
        control("DELETE", f"resources/conversations/{CONVERSATION_ID}")
        control("POST", "tokens/accept", {"token": "new"})
        control("POST", "tokens/revoke", {"token": TOKEN})
        control("POST", "clock/advance", {"seconds": 10})
        status_of(emulator)
        assert control("POST", "reset") == (204, None)
        assert control("GET", "faults")[1] == {"faults": []}
        assert emulator.get("conversations", CONVERSATION_ID) == emulator.example
        assert emulator.get("conversations", "c1") is None
        assert list(emulator.tokens) == [TOKEN]
        assert control("GET", "clock")[1]["advanced"] == 0
        assert emulator.exchanges == []

    def test_settings_are_read_and_changed(self, emulator: Emulator, control: Caller) -> None:
        change = {
            "create_missing": True,
            "token_endpoint": {"scopes": ["a"], "user_type": "Company", "expires_in": 5},
        }
        endpoint = {"expires_in": 5, "scopes": ["a"], "user_type": "Company", "refreshes": 0}
        expected = {"create_missing": True, "token_endpoint": endpoint}
        assert control("PATCH", "settings", change) == (200, expected)
        assert control("GET", "settings") == (200, expected)
        assert status_of(emulator, target="/conversations/new") == 200
        assert control("PATCH", "settings", {"create_missing": 1})[0] == 422
        control("PATCH", "settings", {"token_endpoint": {}})
        control("POST", "reset")
        initial_endpoint = {**endpoint, "expires_in": 86_399, "scopes": None}
        assert control("GET", "settings")[1] == {
            "create_missing": False,
            "token_endpoint": {**initial_endpoint, "user_type": "Location"},
        }

    def test_reset_restores_the_values_themselves(self) -> None:
        scopes = ("b", "a")
        endpoint = TokenEndpoint(scopes=scopes)
        emulator = Emulator(token_endpoint=endpoint)
        transport = EmulatorTransport(emulator, control=True)
        with httpx.Client(transport=transport, base_url="http://emulator") as client:
            call = Caller(client)
            for names in (["c"], ["d"]):
                call("PATCH", "settings", {"token_endpoint": {"scopes": names}})
            assert call("POST", "reset") == (204, None)

        assert endpoint.scopes is scopes

    def test_reset_restores_a_token_endpoint_that_was_set_later(self) -> None:
        emulator = Emulator()
        endpoints = [TokenEndpoint(expires_in=5), TokenEndpoint(expires_in=7)]
        transport = EmulatorTransport(emulator, control=True)
        with httpx.Client(transport=transport, base_url="http://emulator") as client:
            call = Caller(client)
            call("PATCH", "settings", {"create_missing": True})
            for endpoint in endpoints:
                emulator.token_endpoint = endpoint
                call("PATCH", "settings", {"token_endpoint": {"expires_in": 9}})
            assert call("POST", "reset") == (204, None)
            assert call("GET", "settings")[1]["create_missing"] is False

        assert [endpoint.expires_in for endpoint in endpoints] == [5, 7]

    def test_reset_keeps_a_setting_that_no_control_request_changed(
        self, emulator: Emulator, control: Caller
    ) -> None:
        control("PATCH", "settings", {"token_endpoint": {"expires_in": 9}})
        emulator.create_missing = True
        control("POST", "reset")
        assert emulator.create_missing is True


class TestExchanges:
    def test_they_contain_requests_and_responses_without_credentials(
        self, emulator: Emulator, control: Caller
    ) -> None:
        secrets = ["secret-token", "secret-cookie", "secret-code", "client-secret", "first-refresh"]
        emulator.set_faults(Fault(header={"authorization": "Bearer secret-*"}, status=503))
        headers = {"authorization": "Bearer secret-token", "cookie": "secret-cookie", "x-id": "7"}
        emulator.respond(Request("PUT", f"{TARGET}?code=secret-code&a=b", headers, b'{"a": 1}'))
        refresh(emulator, "first-refresh")
        emulator.respond(Request("GET", "/oauth/chooselocation?state=secret-code", {}))
        status, content = control("GET", "exchanges")
        first, second, third = content["exchanges"]
        assert (status, content["total"], content["dropped"]) == (200, 3, 0)
        assert first == {
            "number": 1,
            "method": "PUT",
            "target": f"{TARGET}?code=…&a=b",
            "request": {
                "headers": {"authorization": "Bearer …", "cookie": "…", "x-id": "7"},
                "body": '{"a": 1}',
                "body_encoding": "utf-8",
            },
            "response": {
                "status": 503,
                "is_complete": True,
                "headers": {},
                "body": "",
                "body_encoding": "utf-8",
            },
            "fault": {"header": {"authorization": "…"}, "status": 503},
        }
        assert (second["request"]["body"], second["response"]["body"]) == ("…", "…")
        assert third["target"] == "/oauth/chooselocation?…"
        for secret in secrets:
            assert secret not in json.dumps(content)
        # The refresh issued tokens.
        for entry in control("GET", "tokens")[1]["tokens"]:
            assert entry["token"] not in json.dumps(content)

    @pytest.mark.parametrize(
        "target",
        [
            f"{TARGET}?a=b&accessToken=secret-1",
            f"{TARGET}?refresh%5Ftoken=secret-1",
            "/v2/oauth/token?a=secret-1",
            "/oauth2/token",
            "/oauth",
        ],
    )
    def test_credentials_are_hidden_under_each_name_and_below_each_path(
        self, emulator: Emulator, control: Caller, target: str
    ) -> None:
        body = b"client_secret=secret-1" if "oauth" in target else b""
        emulator.respond(Request("POST", target, {}, body))
        (entry,) = control("GET", "exchanges")[1]["exchanges"]
        assert "secret-1" not in json.dumps(entry)
        assert entry["target"].partition("?")[0] == target.partition("?")[0]

    def test_they_are_read_in_parts_and_cleared(self, emulator: Emulator, control: Caller) -> None:
        for number in range(5):
            emulator.respond(Request("GET", f"/{number}", {}))
        _, content = control("GET", "exchanges?after=2&limit=2")
        assert [(entry["number"], entry["target"]) for entry in content["exchanges"]] == [
            (3, "/2"),
            (4, "/3"),
        ]
        assert content["total"] == 5
        assert control("GET", "exchanges?after=5")[1]["exchanges"] == []
        assert control("DELETE", "exchanges") == (204, None)
        assert control("GET", "exchanges")[1] == {"total": 0, "dropped": 0, "exchanges": []}

    def test_numbers_count_the_dropped_ones(self) -> None:
        emulator = Emulator(log_bytes=3_000)
        for number in range(6):
            emulator.respond(Request("GET", f"/{number}", {}))
        transport = EmulatorTransport(emulator, control=True)
        with httpx.Client(transport=transport, base_url="http://emulator") as client:
            _, content = Caller(client)("GET", "exchanges?after=1")
        assert content["dropped"] > 1
        assert content["total"] == 6
        for entry in content["exchanges"]:
            assert entry["target"] == f"/{entry['number'] - 1}"

    def test_a_body_that_is_no_text_is_encoded(self, emulator: Emulator, control: Caller) -> None:
        emulator.respond(Request("POST", "/x", {}, b"\xff\x00"))
        request = control("GET", "exchanges")[1]["exchanges"][0]["request"]
        assert (request["body"], request["body_encoding"]) == ("/wA=", "base64")

    def test_a_dropped_response_is_incomplete(self, emulator: Emulator, control: Caller) -> None:
        emulator.set_faults(Fault(truncate=3))
        status_of(emulator)
        assert control("GET", "exchanges")[1]["exchanges"][0]["response"]["is_complete"] is False

    def test_control_requests_are_not_logged_not_counted_and_have_no_faults(
        self, emulator: Emulator, control: Caller
    ) -> None:
        emulator.set_faults(Fault(status=503, path="/_emulator/*"))
        for _ in range(5):
            assert control("GET", "health")[0] == 200
        assert emulator.exchanges == []


class TestHealth:
    def test_it_names_the_api_and_what_was_dropped(self, control: Caller) -> None:
        status, content = control("GET", "health")
        assert (status, content["status"], content["kind"]) == (200, "ok", "mock")
        assert content["api"] == {"title": "LeadConnector", "version": "2021-07-28"}
        assert content["operations"] == ["PUT /conversations/{conversationId}"]
        assert set(content["dropped"].values()) == {0}

    def test_what_only_a_proxy_or_a_sender_has_is_a_conflict(self, control: Caller) -> None:
        assert "start it with --upstream" in control.detail("GET", "findings")
        assert "start it with --webhook-url" in control.detail("GET", "webhooks")

    def test_head_is_answered(self, control: Caller) -> None:
        assert control("HEAD", "health")[0] == 200


class TestInvalidRequests:
    @pytest.mark.parametrize(
        ("content_type", "body", "status", "detail"),
        [
            ("text/plain", b"{}", 415, "must be application/json: set the header Content-Type"),
            ("application/x-www-form-urlencoded", b"", 415, "set the header Content-Type"),
            ("application/json", b"{", 400, "the body is not JSON"),
            ("application/json", b'{"a": NaN}', 400, "the body is not JSON"),
            ("application/json", b"[" * 500 + b"]" * 500, 400, "nested too deeply"),
            ("application/json", b'{"\\ud800": 1}', 400, "surrogate"),
            ("application/json", b"", 400, "POST /_emulator/faults needs a body"),
            ("application/json", b" " * (1024 * 1024 + 1), 413, "a body may have 1048576 bytes"),
        ],
    )
    def test_a_body_that_is_not_json_is_rejected(
        self, control: Caller, content_type: str, body: bytes, status: int, detail: str
    ) -> None:
        actual_status, content = control(
            "POST", "faults", content=body, headers={"content-type": content_type}
        )
        assert actual_status == status
        assert detail in content["detail"]

    def test_a_body_where_none_is_expected_is_rejected(
        self, emulator: Emulator, control: Caller
    ) -> None:
        emulator.set_faults(Fault(status=500))
        assert "takes no body" in control.detail("POST", "reset", {})
        assert len(emulator.fault_rules) == 1

    def test_another_method_is_rejected_with_the_documented_ones(self, control: Caller) -> None:
        response = control.client.patch("/_emulator/faults")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, PUT, POST, DELETE")

    def test_an_unknown_path_is_rejected_with_the_documented_ones(
        self, emulator: Emulator, control: Caller
    ) -> None:
        detail = control.detail("POST", "fault", {"status": 503})
        assert "there is no path /_emulator/fault; the paths are /_emulator/health" in detail
        assert [path for path in DOCUMENT["paths"] if path not in detail] == []
        assert emulator.exchanges == []

    def test_a_path_that_only_starts_alike_is_a_call_of_the_api(
        self, emulator: Emulator, control: Caller
    ) -> None:
        assert control.client.get("/_emulators").status_code == 404
        assert len(emulator.exchanges) == 1

    def test_a_body_that_a_server_does_not_read_is_rejected_alike(self, server: Server) -> None:
        headers = {"content-type": "application/json"}
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            control = Caller(client)
            body = b" " * (1024 * 1024 + 1)
            status, content = control("POST", "faults", content=body, headers=headers)
        assert (status, content["title"]) == (413, "Content Too Large")

    @given(
        operation=st.sampled_from(documented_operations()),
        data=st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda children: st.lists(children) | st.dictionaries(st.text(), children),
            max_leaves=8,
        )
        | st.dictionaries(
            st.sampled_from(
                ["token", "status", "drop", "headers", "seconds", "location", "id", "scopes"]
            ),
            st.text() | st.integers() | st.lists(st.text()) | st.none(),
        ),
        text=st.text(alphabet=st.characters(codec="ascii"), max_size=10),
    )
    @example(operation=("PUT", "/_emulator/faults"), data=[{}], text="x")
    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_body_and_query_get_a_documented_response_or_a_problem(
        self, control: Caller, operation: tuple[str, str], data: object, text: str
    ) -> None:
        method, template = operation
        path = template.removeprefix("/_emulator/")
        path = path.replace("{number}", "7").replace("{collection}", "conversations")
        path = path.replace("{id}", "c1")
        body = json.dumps(data).encode()
        status, _ = control(
            method,
            path,
            content=body,
            params={"after": text} if text else {},
            headers={"content-type": "application/json"},
        )
        assert status in {200, 201, 204, 400, 404, 409, 422}


FOREIGN_REQUESTS: list[Mapping[str, str]] = [
    {"host": "evil.example"},
    {"host": "localhost.evil.example:8080"},
    {"host": "localhost:8080", "origin": "http://evil.example"},
    {"host": "localhost:8080", "origin": "http://localhost:3000"},
    {"host": "localhost:8080", "origin": "http://localhost"},
    {"host": "localhost:8080", "origin": "null"},
    {"host": "localhost:8080", "origin": "http://[::1"},
    {"host": "localhost:8080", "sec-fetch-site": "cross-site"},
    {"host": "localhost:8080", "sec-fetch-site": "same-site"},
]

TRUSTED_REQUESTS: list[Mapping[str, str]] = [
    {},
    {"host": "localhost:8080"},
    {"host": "[::1]:8080", "origin": "http://[::1]:8080"},
    {"host": "localhost:8080", "origin": "http://localhost:8080", "sec-fetch-site": "same-origin"},
    {"host": "127.0.0.1:8080", "sec-fetch-site": "none"},
]


class TestAccess:
    @pytest.mark.parametrize("headers", FOREIGN_REQUESTS, ids=str)
    @pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("GET", "tokens")])
    def test_a_request_of_a_foreign_web_site_is_rejected_and_changes_nothing(
        self, emulator: Emulator, method: str, path: str, headers: Mapping[str, str]
    ) -> None:
        emulator.set_faults(Fault(status=500))
        control = Control(emulator, ControlRules(hosts=host_rules("127.0.0.1", [])))
        response = control.respond(Request(method, f"/_emulator/{path}", headers))
        assert response is not None
        assert response.status == 403
        assert TOKEN.encode() not in response.body
        assert len(emulator.fault_rules) == 1

    @pytest.mark.parametrize("headers", TRUSTED_REQUESTS, ids=str)
    def test_other_requests_are_accepted(
        self, emulator: Emulator, headers: Mapping[str, str]
    ) -> None:
        control = Control(emulator, ControlRules(hosts=host_rules("127.0.0.1", [])))
        response = control.respond(Request("POST", "/_emulator/reset", headers))
        assert response is not None
        assert response.status == 204

    def test_no_response_allows_another_origin(self, server: Server) -> None:
        headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
        response = httpx.options(f"{server.url}/_emulator/reset", headers=headers, trust_env=False)
        assert response.status_code == 403
        assert not [name for name in response.headers if name.startswith("access-control")]

    @pytest.mark.parametrize(
        ("host", "option", "status"),
        [
            ("127.0.0.1", None, 200),
            ("127.0.0.1", False, 403),
            ("0.0.0.0", None, 403),
            ("0.0.0.0", True, 200),
        ],
    )
    def test_by_default_it_is_on_if_only_this_machine_can_connect(
        self, emulator: Emulator, host: str, option: bool | None, status: int
    ) -> None:
        with Server(emulator, host=host, control=option) as server:
            response = httpx.get(f"{server.url}/_emulator/tokens", trust_env=False)
            health = httpx.get(f"{server.url}/_emulator/health", trust_env=False)
        assert (response.status_code, health.status_code) == (status, 200)
        if status == 403:
            assert "--control" in response.json()["detail"]

    @pytest.mark.parametrize(("host", "is_open"), [("0.0.0.0", True), ("127.0.0.1", False)])
    def test_a_server_warns_if_other_machines_can_use_it(
        self, emulator: Emulator, host: str, is_open: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Server(emulator, host=host, control=True) as server:
            assert server.has_open_control == is_open
        assert ("the tokens, and change the emulator" in caplog.text) == is_open

    @pytest.mark.parametrize(("option", "is_open"), [("--control", True), ("--no-control", False)])
    def test_the_program_warns_if_other_machines_can_use_it(
        self, option: str, is_open: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        messages: list[str] = []

        def serve(server: Server, message: str) -> None:
            with server:
                messages.append(message)

        monkeypatch.setattr(cli, "_serve", serve)
        assert cli.main(["--port", "0", "--host", "0.0.0.0", option]) == 0
        assert ("everyone who can reach this machine change" in messages[0]) == is_open

    def test_an_allowed_host_may_use_it(self, emulator: Emulator) -> None:
        rules = ControlRules(hosts=host_rules("127.0.0.1", ["emulator.example"]))
        request = Request("GET", "/_emulator/tokens", {"host": "emulator.example"})
        response = Control(emulator, rules).respond(request)
        assert response is not None
        assert response.status == 200


STATE_REQUESTS: list[tuple[str, str, object]] = [
    ("GET", "resources", None),
    ("GET", "resources/conversations", None),
    ("GET", "resources/conversations/1", None),
    ("PUT", "resources/conversations/1", {}),
    ("DELETE", "resources/conversations/1", None),
    ("GET", "tokens", None),
    ("POST", "tokens/accept", {"token": "new"}),
    ("POST", "tokens/revoke", {"token": "new"}),
    ("POST", "tokens/expire", None),
    ("POST", "tokens/issue", {"location": "here"}),
    ("GET", "settings", None),
    ("PATCH", "settings", {"create_missing": True}),
    ("GET", "clock", None),
    ("POST", "clock/advance", {"seconds": 1}),
]


class TestWithoutState:
    """A proxy and a replay have faults and a log, but no state of their own."""

    @staticmethod
    def record(path: Path) -> Path:
        with Recorder(path) as recorder:
            for status in (201, 202):
                recorder.add(Request("GET", "/x", {}), Response(status, b""))
        return path

    @pytest.fixture(params=["--upstream", "--replay"])
    def stateless(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
        """A proxy or a replay whose responses have the status 201 and then 202."""
        record = self.record(tmp_path / "record.jsonl")
        if request.param == "--replay":
            yield Replay(record)
            return
        with Server(Replay(record)) as api, ValidatingProxy(api.url) as proxy:
            yield proxy

    def test_each_request_on_state_is_rejected_with_what_to_do(
        self, stateless: Emulator, request: pytest.FixtureRequest
    ) -> None:
        option = request.node.callspec.params["stateless"]
        with (
            Server(stateless) as server,
            httpx.Client(base_url=server.url, trust_env=False) as client,
        ):
            control = Caller(client)
            for method, path, data in STATE_REQUESTS:
                status, content = control(method, path, data)
                assert (status, content["title"]) == (409, "Conflict"), path
                assert f"start the emulator without {option}" in content["detail"].lower()
            # An invalid request has its own error.
            assert control("POST", "tokens/accept", {})[0] == 422
            assert control("GET", "health")[0] == 200

        assert "new" not in stateless.tokens

    def test_faults_log_and_reset_work(self, stateless: Emulator) -> None:
        with (
            Server(stateless) as server,
            httpx.Client(base_url=server.url, trust_env=False) as client,
        ):
            control = Caller(client)
            number = control("POST", "faults", {"status": 503, "times": 1})[1]["number"]
            assert [client.get("/x").status_code for _ in range(2)] == [503, 201]
            assert control("DELETE", f"faults/{number}") == (204, None)
            entries = control("GET", "exchanges")[1]["exchanges"]
            assert [entry["fault"] for entry in entries] == [{"status": 503, "times": 1}, None]
            control("POST", "faults", {"status": 500})
            assert control("POST", "reset") == (204, None)
            assert control("GET", "exchanges")[1]["total"] == 0
            # A replay starts again; the real API does not.
            expected_status = 201 if isinstance(stateless, Replay) else 202
            assert client.get("/x").status_code == expected_status

    def test_the_log_of_a_proxy_has_its_findings(self, tmp_path: Path) -> None:
        with (
            Server(Replay(self.record(tmp_path / "record.jsonl"))) as api,
            ValidatingProxy(api.url) as proxy,
        ):
            proxy.respond(Request("GET", "/x", {}))
            transport = EmulatorTransport(proxy, control=True)
            with httpx.Client(transport=transport, base_url="http://emulator") as client:
                control = Caller(client)
                (entry,) = control("GET", "exchanges")[1]["exchanges"]
                (finding,) = proxy.findings
                assert entry["findings"] == [json.loads(finding.as_json())]
                control("POST", "reset")
            assert proxy.findings == []

    def test_the_requests_are_all_that_the_document_has(self) -> None:
        operations = {
            (method, path)
            for method, path in documented_operations()
            if DOCUMENT["paths"][path][method.lower()]["responses"].keys() & {"409"}
        }
        # Those have a 409 of their own.
        operations -= {("GET", "/_emulator/findings"), ("GET", "/_emulator/webhooks")}
        requests = {
            (method, template_of(f"/_emulator/{path}")) for method, path, _ in STATE_REQUESTS
        }
        assert requests == operations


class TestInterfaces:
    def test_a_server_has_it(self, server: Server) -> None:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            control = Caller(client)
            assert control("POST", "faults", {"drop": "before", "times": 1})[0] == 201
            with pytest.raises(httpx.RemoteProtocolError):
                client.put(TARGET, headers=HEADERS)
            assert control("POST", "reset") == (204, None)
            assert control("HEAD", "health") == (200, None)

    def test_an_asgi_application_has_it_on_request(self, emulator: Emulator) -> None:
        async def statuses(app: EmulatorApp) -> list[int]:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                paths = ["/_emulator/tokens", "/_emulator/exchanges"]
                responses = [await client.get(path) for path in paths]
                foreign = await client.get("http://evil.example/_emulator/tokens")
                return [response.status_code for response in [*responses, foreign]]

        assert asyncio.run(statuses(EmulatorApp(emulator))) == [404, 404, 404]
        assert asyncio.run(statuses(EmulatorApp(emulator, control=True))) == [200, 200, 403]
        app = EmulatorApp(emulator, control=True, allowed_hosts=["EVIL.example."])
        assert asyncio.run(statuses(app)) == [200, 200, 200]
        with pytest.raises(TypeError, match="allowed_hosts are collections"):
            EmulatorApp(emulator, allowed_hosts="evil.example")

    def test_a_transport_has_it_on_request(self, emulator: Emulator) -> None:
        async def status(transport: EmulatorTransport) -> int:
            async with httpx.AsyncClient(transport=transport) as client:
                response = await client.get("http://any.example/_emulator/health")
                return response.status_code

        assert asyncio.run(status(EmulatorTransport(emulator))) == 404
        assert asyncio.run(status(EmulatorTransport(emulator, control=True))) == 200

    def test_the_command_line_has_an_option(self) -> None:
        command = [sys.executable, "-m", "leadconnector_emulator", "--help"]
        result = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
        assert b"--control, --no-control" in result.stdout


PAGE = "docs/emulator-control.md"


class TestDocumentation:
    def test_the_commands_with_curl_work_and_the_client_sees_their_effect(
        self, emulator: Emulator, tmp_path: Path
    ) -> None:
        if shutil.which("curl") is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("curl is not installed")
        # Without `fail`, an error response is a success of curl.
        (tmp_path / ".curlrc").write_text("fail\nsilent\nshow-error\nnoproxy = *\n")
        environment = {**os.environ, "CURL_HOME": str(tmp_path)}
        (block,) = [block for block in blocks_in("sh") if block.document == PAGE]
        commands, reset = block.code.split("# Everything as at the start.")
        with Server(emulator) as server:
            for code in (commands, None, reset):
                if code is None:
                    self.check_effect(server)
                    continue
                script = code.replace("http://127.0.0.1:8080", server.url)
                command = ["sh", "-e", "-c", script]
                subprocess.run(command, check=True, timeout=SECONDS, env=environment)
        assert emulator.fault_rules == []
        assert emulator.get("conversations", "c1") is None

    def check_effect(self, server: Server) -> None:
        """Make a call with the token, the conversation and the faults of the page."""
        with LeadConnector(token="test-token", base_url=server.url, retries=0) as client:
            update = client.conversations.update_conversation
            for _ in range(2):
                with pytest.raises(ServerError) as caught:
                    update("c1", location_id="location-1")
                assert caught.value.headers["Retry-After"] == "1"
            response = update("c1", location_id="location-1")
        assert response.conversation
        assert response.conversation.unread_count == 5

    def test_everything_that_python_can_do_is_on_the_page(self) -> None:
        text = (ROOT / PAGE).read_text(encoding="utf-8")
        names = {name for name in vars(Emulator) if not name.startswith("_")}
        # Those are for the interfaces of the emulator.
        names -= {"respond", "latest_exchanges", "exchanges_after"}
        names -= {"resource_counts", "resource_ids", "submit", "takes_time", "maximum_body"}
        names -= {"has_page_at_root", "is_closed", "kind", "stateless_reason"}
        # The end of a `with` block or of the program calls it.
        names -= {"close"}
        assert [name for name in sorted(names) if f"| `{name}" not in text] == []

    def test_the_page_lists_every_operation(self) -> None:
        text = (ROOT / PAGE).read_text(encoding="utf-8")
        listed = re.findall(r"^\| `([A-Z]+ /_emulator/[^`]+)` \|", text, re.MULTILINE)
        assert sorted(listed) == sorted(
            f"{method} {path}" for method, path in documented_operations()
        )
