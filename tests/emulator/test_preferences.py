"""The header `Prefer` selects a documented response, of the present spec and of a larger one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector import LeadConnector, UnprocessableEntityError
from leadconnector_emulator import (
    Emulator,
    EmulatorTransport,
    Fault,
    RateLimits,
    Request,
    Response,
)

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

SPEC = ROOT / "spec" / "openapi.yaml"
TARGET = f"/conversations/{CONVERSATION_ID}"

NOTES = """
/notes/{noteId}:
  get:
    operationId: getNote
    responses:
      200:
        description: A note
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Note"}
            examples:
              outdated: {value: {id: 7}}
              short: {value: {id: s, text: Short}}
              long: {$ref: "#/components/examples/Long"}
              elsewhere: {externalValue: "https://example.com/note.json"}
      304: {description: Not modified}
      4XX:
        description: Rejected
        content:
          application/json:
            schema: {type: object, properties: {reason: {type: string}}}
            example: {reason: Because}
      default:
        description: Anything else
        content: {application/json: {schema: {type: string, example: Oops}}}
"""


def send(
    emulator: Emulator, prefer: str, target: str = TARGET, method: str = "PUT", **headers: str
) -> Response:
    """Send a valid request with a preference."""
    all_headers = {
        "authorization": f"Bearer {TOKEN}",
        "version": "2021-07-28",
        "content-type": "application/json",
        "prefer": prefer,
        **headers,
    }
    body = b"" if method == "GET" else json.dumps({"locationId": LOCATION_ID}).encode()
    return emulator.respond(Request(method, target, all_headers, body))


def message_of(response: Response) -> str:
    """The message of an error, which the spec's schema types as a text."""
    return cast("str", json.loads(response.body)["message"])


@pytest.fixture
def grown(tmp_path: Path) -> Emulator:
    """An emulator of a spec with one more operation."""
    document = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    document["paths"] |= yaml.safe_load(NOTES)
    components = document["components"]
    components["schemas"]["Note"] = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string", "example": "n1"}, "text": {"type": "string"}},
    }
    components["examples"] = {"Long": {"value": {"id": "l", "text": "Long " * 9}}}
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return Emulator(path, tokens=[TOKEN])


class TestDocumentedResponses:
    @pytest.mark.parametrize("status", [200, 400, 401, 422])
    def test_each_documented_response_is_returned_and_matches_its_schema(
        self, emulator: Emulator, status: int
    ) -> None:
        response = send(emulator, f"code={status}")
        assert response.status == status
        assert response.headers["Preference-Applied"] == f"code={status}"
        document = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
        operation = document["paths"]["/conversations/{conversationId}"]["put"]
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        checker: Any = Draft202012Validator({**schema, "components": document["components"]})
        assert [error.message for error in checker.iter_errors(json.loads(response.body))] == []

    def test_no_state_changes(self, emulator: Emulator) -> None:
        emulator.put("conversations", {**emulator.example, "starred": False})
        resource = emulator.get("conversations", CONVERSATION_ID)
        assert send(emulator, "code=200").status == 200
        assert send(emulator, "code=200", "/conversations/unknown").status == 200
        assert emulator.get("conversations", CONVERSATION_ID) == resource
        assert emulator.get("conversations", "unknown") is None

    def test_the_client_raises_the_documented_error(self, emulator: Emulator) -> None:
        class Preferring(EmulatorTransport):
            def handle_request(self, request: Any) -> Any:
                request.headers["Prefer"] = "code=422"
                return super().handle_request(request)

        with (
            LeadConnector(token=TOKEN, transport=Preferring(emulator)) as client,
            pytest.raises(UnprocessableEntityError),
        ):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    @pytest.mark.parametrize("code", ["404", "500", "429"])
    def test_an_undocumented_code_is_rejected_with_the_documented_ones(
        self, emulator: Emulator, code: str
    ) -> None:
        response = send(emulator, f"code={code}")
        assert response.status == 400
        assert message_of(response) == (
            f"Prefer: the spec does not document the code {code} for PUT"
            " /conversations/{conversationId}; it documents 200, 400, 401, 422"
        )
        assert "Preference-Applied" not in response.headers

    @pytest.mark.parametrize("code", ["", "100", "1000", "4XX", "default", "abc", "4 04", "x" * 99])
    def test_a_code_that_is_no_status_is_rejected(self, emulator: Emulator, code: str) -> None:
        response = send(emulator, f'code="{code}"')
        assert response.status == 400
        assert "code must be a status from 200 to 999, not" in message_of(response)
        assert "the spec documents 200, 400, 401, 422 for PUT" in message_of(response)


class TestLargerSpec:
    @pytest.mark.parametrize(
        ("prefer", "status", "content", "applied"),
        [
            ("code=200", 200, {"id": "s", "text": "Short"}, "code=200"),
            ("code=404", 404, {"reason": "Because"}, "code=404"),
            ("code=503", 503, "Oops", "code=503"),
            ("code=200, example=long", 200, {"id": "l", "text": "Long " * 9}, None),
            ("example=short", 200, {"id": "s", "text": "Short"}, "code=200, example=short"),
        ],
    )
    def test_classes_defaults_and_named_examples_are_responses(
        self, grown: Emulator, prefer: str, status: int, content: object, applied: str | None
    ) -> None:
        response = send(grown, prefer, "/notes/n1", "GET")
        assert (response.status, json.loads(response.body)) == (status, content)
        assert response.headers["Preference-Applied"] == (applied or prefer)

    def test_a_response_without_content_has_no_body(self, grown: Emulator) -> None:
        response = send(grown, "code=304", "/notes/n1", "GET")
        assert (response.status, response.body) == (304, b"")

    @pytest.mark.parametrize("name", ["elsewhere", "other", ""])
    def test_an_unknown_example_is_rejected_with_the_known_ones(
        self, grown: Emulator, name: str
    ) -> None:
        response = send(grown, f'code=200, example="{name}"', "/notes/n1", "GET")
        assert response.status == 400
        assert message_of(response) == (
            f"Prefer: the spec has no example {name!r} for the status 200 of GET /notes/{{noteId}};"
            " the examples are long, outdated, short"
        )


class TestInterplay:
    def test_faults_precede_and_change_the_response(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(status=503, times=1), Fault(null="conversation"))
        replaced = send(emulator, "code=422")
        assert (replaced.status, "Preference-Applied" in replaced.headers) == (503, False)
        assert json.loads(send(emulator, "code=200").body)["conversation"] is None

    def test_an_invalid_request_gets_its_own_error(self, emulator: Emulator) -> None:
        assert send(emulator, "code=200", authorization="Bearer wrong").status == 401
        assert send(emulator, "code=200", version="v9").status == 401
        assert send(emulator, "code=422", **{"content-type": "text/plain"}).status == 400
        assert send(emulator, "code=200", "/nothing").status == 404
        assert send(emulator, "code=200", method="POST").status == 405

    def test_the_rate_limit_counts_it(self) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=2))
        responses = [send(emulator, "code=401") for _ in range(3)]
        assert [response.status for response in responses] == [401, 401, 429]
        assert responses[0].headers["X-RateLimit-Remaining"] == "1"


class TestHeader:
    @pytest.mark.parametrize(
        "header",
        [
            "code=422",
            "CODE=422",
            'Code = "422"',
            "code=422; foo=bar",
            'respond-async, wait=10; x="a,b", code=422',
            "return=minimal,code=422,code=200",
            ",, code=422",
            "@@@, code=422",
            'x="a\\"b,code=200", code=422',
        ],
    )
    def test_the_forms_of_rfc_7240_are_understood(self, emulator: Emulator, header: str) -> None:
        assert send(emulator, header).status == 422

    @pytest.mark.parametrize("header", ["", "respond-async", "return=minimal", "wait=5, x", "@@"])
    def test_other_preferences_are_ignored(self, emulator: Emulator, header: str) -> None:
        response = send(emulator, header)
        assert response.status == 200
        assert "Preference-Applied" not in response.headers

    @given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
    def test_any_header_gets_a_response(self, header: str) -> None:
        emulator = Emulator(tokens=[TOKEN])
        for prefer in (header, f"code={header}", f"code=200, example={header}"):
            assert send(emulator, prefer).status in {200, 400, 401, 422}
