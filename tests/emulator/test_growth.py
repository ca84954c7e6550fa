"""A spec that has grown is enforced and answered by the emulator as it is: nothing in it knows the operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import yaml
from jsonschema import Draft202012Validator
from leadconnector_emulator import Emulator, Request

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

Node = dict[str, Any]

ADDED = """
paths:
  /contacts:
    post:
      operationId: createContact
      security: [{bearer: []}]
      requestBody: {$ref: "#/components/requestBodies/NewContact"}
      responses:
        201: {$ref: "#/components/responses/Contact"}
        400: {$ref: "#/components/responses/Refused"}
        422: {$ref: "#/components/responses/Invalid"}
    get:
      operationId: listContacts
      security: [{bearer: []}]
      parameters:
        - {$ref: "#/components/parameters/Limit"}
      responses:
        200:
          description: Every contact
          content:
            application/json:
              schema:
                type: object
                required: [contacts, total]
                properties:
                  contacts: {type: array, items: {$ref: "#/components/schemas/Contact"}}
                  total: {type: integer, example: 0}
        400: {$ref: "#/components/responses/Refused"}
  /contacts/{contactId}:
    parameters:
      - {name: contactId, in: path, required: true, schema: {type: string, maxLength: 40}}
      - {name: locationId, in: query, required: true, schema: {type: string, minLength: 1}}
    get:
      operationId: getContact
      security: [{bearer: []}]
      parameters:
        - {name: fields, in: query, schema: {type: array, maxItems: 2, items: {$ref: "#/components/schemas/FieldName"}}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: X-Trace, in: header, schema: {type: array, items: {type: string, minLength: 2}}}
        - {name: deep, in: query, schema: {type: boolean}}
        - {name: page, in: query, schema: {type: [integer, "null"], minimum: 1}}
      responses:
        200: {$ref: "#/components/responses/Contact"}
        400: {$ref: "#/components/responses/Refused"}
        404: {$ref: "#/components/responses/Refused"}
    put:
      operationId: replaceContact
      security: [{bearer: []}]
      requestBody: {$ref: "#/components/requestBodies/NewContact"}
      responses:
        200:
          description: What it is now
          content:
            application/json:
              schema:
                type: object
                required: [success, contact]
                properties:
                  success: {type: boolean, example: true}
                  contact: {$ref: "#/components/schemas/Contact"}
        4XX: {$ref: "#/components/responses/Refused"}
    patch:
      operationId: touchContact
      security: [{bearer: []}]
      parameters:
        - {name: locationId, in: query, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string}}}
      responses:
        200: {$ref: "#/components/responses/Contact"}
    delete:
      operationId: deleteContact
      security: [{bearer: []}]
      responses:
        204: {description: It is gone}
        400: {$ref: "#/components/responses/Refused"}
  /contacts/search:
    get:
      operationId: searchContacts
      responses:
        200:
          description: Open to everyone
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Contact"}}}}
components:
  parameters:
    Limit: {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
  requestBodies:
    NewContact:
      required: true
      content: {application/json: {schema: {$ref: "#/components/schemas/NewContact"}}}
  responses:
    Contact:
      description: A contact
      content: {application/json: {schema: {$ref: "#/components/schemas/Contact"}}}
    Refused:
      description: Not so
      content: {application/json: {schema: {$ref: "#/components/schemas/BadRequest"}}}
    Invalid:
      description: Not so
      content: {application/json: {schema: {$ref: "#/components/schemas/UnprocessableEntity"}}}
  schemas:
    FieldName: {type: string, enum: [name, born, "1"]}
    Named:
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, example: Ada}
    NewContact:
      allOf:
        - {$ref: "#/components/schemas/Named"}
        - type: object
          properties:
            born: {type: string, format: date}
            stars: {type: integer, minimum: 1, maximum: 5}
            share: {type: number, exclusiveMinimum: 0}
            referredBy: {$ref: "#/components/schemas/NewContact"}
    Contact:
      allOf:
        - {$ref: "#/components/schemas/Named"}
        - type: object
          required: [id, rank]
          properties:
            id: {type: string}
            born: {type: string, format: date, example: "1815-12-10"}
            stars: {type: integer, minimum: 1, maximum: 5}
            share: {type: string}
            rank: {type: integer, minimum: 3, maximum: 9, multipleOf: 2}
            address: {type: object, properties: {city: {type: string, example: London}}}
            referredBy: {$ref: "#/components/schemas/Contact"}
            children: {type: array, items: {$ref: "#/components/schemas/Contact"}}
"""

PRIORITY: Node = {"type": "integer", "minimum": 1, "maximum": 5}
QUERY = f"?locationId={LOCATION_ID}"


def grown() -> Node:
    """The spec with an optional field, and with contacts."""
    document = cast(
        "Node", yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    )
    added = cast("Node", yaml.safe_load(ADDED))
    schemas = document["components"]["schemas"]
    schemas["UpdateConversationRequest"]["properties"]["priority"] = PRIORITY
    schemas["Conversation"]["properties"]["priority"] = PRIORITY
    document["paths"] |= added["paths"]
    for section, content in added["components"].items():
        document["components"].setdefault(section, {}).update(content)
    return document


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grown") / "openapi.yaml"
    path.write_text(yaml.safe_dump(grown(), sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def emulator(path: Path) -> Emulator:
    return Emulator(path, tokens=[TOKEN])


def ask(
    emulator: Emulator, method: str, target: str, data: object = None, **headers: str
) -> tuple[int, Any]:
    """Send a request that is authorised; its status, and its answer, which fits what the spec documents for it."""
    sent = {
        "authorization": f"Bearer {TOKEN}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"" if data is None else json.dumps(data).encode()
    response = emulator.respond(Request(method, target, sent, body))
    if not response.body:
        return response.status, None
    answer = json.loads(response.body)
    schema = documented(method, target.partition("?")[0], response.status)
    if schema is not None:
        checker: Any = Draft202012Validator(
            schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        assert [error.message for error in checker.iter_errors(answer)] == []
    return response.status, answer


def documented(method: str, path: str, status: int) -> Node | None:
    """The schema of an answer, with the components that it refers to."""
    document = grown()
    template = "/conversations/{conversationId}" if path.startswith("/conversations/") else path
    if template not in document["paths"]:
        template = "/contacts/{contactId}"
    responses: Mapping[Any, Node] = (
        document["paths"][template].get(method.lower(), {}).get("responses", {})
    )
    found = next(
        (
            responses[name]
            for name in (status, str(status), f"{status // 100}XX")
            if name in responses
        ),
        None,
    )
    if found is not None and "$ref" in found:
        found = document["components"]["responses"][str(found["$ref"]).rpartition("/")[2]]
    if found is None or "content" not in found:
        return None
    return {**found["content"]["application/json"]["schema"], "components": document["components"]}


def made(emulator: Emulator, **data: object) -> Node:
    status, answer = ask(emulator, "POST", "/contacts", {"name": "Grace", **data})
    assert status == 201
    return cast("Node", answer)


class TestOptionalField:
    TARGET = f"/conversations/{CONVERSATION_ID}"

    @pytest.mark.parametrize("value", [1, 3, 5])
    def test_a_value_within_the_bounds_is_taken_and_answered(
        self, emulator: Emulator, value: int
    ) -> None:
        status, answer = ask(
            emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID, "priority": value}
        )
        assert (status, answer["conversation"]["priority"]) == (200, value)
        status, answer = ask(emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID})
        assert (status, answer["conversation"]["priority"]) == (200, value)

    @pytest.mark.parametrize("value", [0, 6, 2.5, "3", None, True, [1]])
    def test_any_other_value_is_refused_by_name_and_changes_nothing(
        self, emulator: Emulator, value: object
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, answer = ask(
            emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID, "priority": value}
        )
        assert status == 422
        assert [message.partition(":")[0] for message in answer["message"]] == ["priority"]
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_it_may_be_left_out(self, emulator: Emulator) -> None:
        assert ask(emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID})[0] == 200

    def test_the_first_conversation_is_still_the_one_of_the_examples(
        self, emulator: Emulator
    ) -> None:
        assert emulator.example["id"] == CONVERSATION_ID
        assert emulator.get("conversations", CONVERSATION_ID) == emulator.example


class TestState:
    def test_what_is_made_is_found_changed_and_removed(self, emulator: Emulator) -> None:
        contact = made(emulator, stars=4, born="1906-12-09")
        assert (contact["name"], contact["stars"], contact["born"]) == ("Grace", 4, "1906-12-09")
        target = f"/contacts/{contact['id']}{QUERY}"
        assert ask(emulator, "GET", target) == (200, contact)
        status, answer = ask(emulator, "PUT", target, {"name": "Grace Hopper", "stars": 5})
        assert (status, answer) == (
            200,
            {"success": True, "contact": contact | {"name": "Grace Hopper", "stars": 5}},
        )
        assert ask(emulator, "GET", target) == (200, answer["contact"])
        assert ask(emulator, "DELETE", target) == (204, None)
        assert ask(emulator, "GET", target)[0] == 404

    def test_each_that_is_made_has_an_id_of_its_own_and_all_are_listed(
        self, emulator: Emulator
    ) -> None:
        contacts = [made(emulator, name=name) for name in ("Ada", "Grace", "Mary")]
        assert len({contact["id"] for contact in contacts}) == 3
        assert ask(emulator, "GET", "/contacts") == (200, {"contacts": contacts, "total": 0})
        assert ask(emulator, "GET", "/contacts/search") == (200, contacts)
        ask(emulator, "DELETE", f"/contacts/{contacts[1]['id']}{QUERY}")
        assert ask(emulator, "GET", "/contacts/search") == (200, [contacts[0], contacts[2]])

    def test_an_empty_collection_is_an_empty_list(self, emulator: Emulator) -> None:
        assert ask(emulator, "GET", "/contacts") == (200, {"contacts": [], "total": 0})
        assert ask(emulator, "GET", "/contacts/search") == (200, [])

    def test_where_404_is_documented_it_says_that_there_is_none_and_400_where_it_is_not(
        self, emulator: Emulator
    ) -> None:
        for method, status in {"GET": 404, "DELETE": 400}.items():
            found, answer = ask(emulator, method, f"/contacts/nobody{QUERY}")
            assert (found, answer["message"]) == (status, "contacts: there is none with this id")

    def test_what_a_test_puts_is_found_and_reset_forgets_everything(
        self, emulator: Emulator
    ) -> None:
        emulator.put("contacts", {"id": "a/b", "name": "Ada", "rank": 4})
        assert ask(emulator, "GET", f"/contacts/a%2Fb{QUERY}") == (
            200,
            {"id": "a/b", "name": "Ada", "rank": 4},
        )
        emulator.reset()
        assert ask(emulator, "GET", f"/contacts/a%2Fb{QUERY}")[0] == 404
        assert ask(emulator, "GET", "/contacts") == (200, {"contacts": [], "total": 0})

    def test_in_loose_mode_what_is_asked_for_is_there(self, path: Path) -> None:
        emulator = Emulator(path, tokens=[TOKEN], create_missing=True)
        status, contact = ask(emulator, "GET", f"/contacts/anyone{QUERY}")
        assert (status, contact["id"], contact["name"]) == (200, "anyone", "Ada")
        assert emulator.get("contacts", "anyone") is not None


class TestBodies:
    @pytest.mark.parametrize(
        ("data", "place"),
        [
            ({}, ""),
            ([], ""),
            ({"name": ""}, "name"),
            ({"name": "Ada", "stars": 6}, "stars"),
            ({"name": "Ada", "stars": "5"}, "stars"),
            ({"name": "Ada", "share": 0}, "share"),
            ({"name": "Ada", "born": "yesterday"}, "born"),
            ({"name": "Ada", "referredBy": {}}, "referredBy"),
            (
                {"name": "Ada", "referredBy": {"name": "Grace", "referredBy": {"name": 1}}},
                "referredBy.referredBy.name",
            ),
        ],
    )
    def test_a_constraint_of_each_part_of_all_of_is_enforced_at_any_depth(
        self, emulator: Emulator, data: object, place: str
    ) -> None:
        status, answer = ask(emulator, "POST", "/contacts", data)
        assert status == 422
        assert any(
            message.startswith(f"{place}: " if place else "") for message in answer["message"]
        )
        assert ask(emulator, "GET", "/contacts/search") == (200, [])

    def test_a_body_that_is_not_required_may_be_missing_but_not_wrong(
        self, emulator: Emulator
    ) -> None:
        target = f"/contacts/{made(emulator)['id']}"
        assert ask(emulator, "PATCH", target)[0] == 200
        assert ask(emulator, "PATCH", target, {"name": "Ada"})[1]["name"] == "Ada"
        refused: list[object] = [{}, {"name": 1}, []]
        for wrong in refused:
            assert ask(emulator, "PATCH", target, wrong)[0] == 400  # 422 is not documented there

    def test_a_value_that_the_answer_cannot_have_is_not_kept(self, emulator: Emulator) -> None:
        assert made(emulator, share=0.5)["share"] == ""  # a number to write, a text to read


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({}, 400),
            ({"locationId": ""}, 400),
            ({"locationId": "x"}, 200),
            ({"locationId": "x", "fields": ["name"]}, 200),
            ({"locationId": "x", "fields": ["name", "1"]}, 200),
            ({"locationId": "x", "fields": ["name", "shoe"]}, 400),
            ({"locationId": "x", "fields": ["name", "born", "1"]}, 400),
            ({"locationId": "x", "ids": "1,2,3"}, 200),
            ({"locationId": "x", "ids": "1,two"}, 400),
            ({"locationId": "x", "deep": "true"}, 200),
            ({"locationId": "x", "deep": "yes"}, 400),
            ({"locationId": "x", "page": "2"}, 200),
            ({"locationId": "x", "page": "0"}, 400),
            ({"locationId": "x", "page": "two"}, 400),
            ({"locationId": "x", "unknown": "y"}, 200),
        ],
    )
    def test_a_query_is_held_against_the_parameters_of_operation_and_path(
        self, emulator: Emulator, query: Mapping[str, object], status: int
    ) -> None:
        emulator.put("contacts", {"id": "1", "name": "Ada", "rank": 4})
        assert ask(emulator, "GET", f"/contacts/1?{urlencode(query, doseq=True)}")[0] == status

    @pytest.mark.parametrize(("value", "status"), [("ab", 200), ("ab,cd", 200), ("ab,c", 400)])
    def test_a_list_in_a_header_has_commas(
        self, emulator: Emulator, value: str, status: int
    ) -> None:
        emulator.put("contacts", {"id": "1", "name": "Ada", "rank": 4})
        assert ask(emulator, "GET", f"/contacts/1{QUERY}", x_trace=value)[0] == status

    def test_a_parameter_of_the_operation_goes_before_one_of_the_path(
        self, emulator: Emulator
    ) -> None:
        assert ask(emulator, "PATCH", f"/contacts/{made(emulator)['id']}")[0] == 200

    def test_a_path_parameter_has_a_schema_too(self, emulator: Emulator) -> None:
        assert ask(emulator, "GET", f"/contacts/{'x' * 41}{QUERY}")[0] == 400

    @pytest.mark.parametrize(
        ("limit", "status"), [("1", 200), ("100", 200), ("0", 400), ("101", 400), ("1.5", 400)]
    )
    def test_a_parameter_that_is_referred_to_is_enforced(
        self, emulator: Emulator, limit: str, status: int
    ) -> None:
        assert ask(emulator, "GET", f"/contacts?limit={limit}")[0] == status


class TestRouting:
    def test_a_fixed_path_goes_before_one_with_a_parameter(self, emulator: Emulator) -> None:
        assert ask(emulator, "GET", "/contacts/search") == (200, [])

    def test_security_is_that_of_the_operation(self, emulator: Emulator) -> None:
        assert ask(emulator, "GET", "/contacts/search", authorization="")[0] == 200
        assert ask(emulator, "GET", "/contacts", authorization="")[0] == 401

    def test_a_method_that_a_path_has_not_is_405_with_those_that_it_has(
        self, emulator: Emulator
    ) -> None:
        response = emulator.respond(Request("DELETE", "/contacts", {}))
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


class TestSpecs:
    @pytest.mark.parametrize("schema", ["{type: strin}", "{pattern: '('}", "{minLength: many}"])
    def test_a_schema_that_is_none_is_refused_when_the_spec_is_read(
        self, tmp_path: Path, schema: str
    ) -> None:
        path = tmp_path / "openapi.yaml"
        body = f"requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}"
        path.write_text(
            f"paths: {{/a: {{post: {{{body}, responses: {{200: {{}}}}}}}}}}", encoding="utf-8"
        )
        with pytest.raises(ValueError, match="has an invalid schema"):
            Emulator(path)

    def test_a_date_in_yaml_is_the_text_that_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "openapi.yaml"
        properties = "{id: {type: string}, at: {type: string, example: 2021-07-28}}"
        content = f"{{application/json: {{schema: {{type: object, properties: {properties}}}}}}}"
        answers = f"{{200: {{content: {content}}}}}"
        path.write_text(
            f"paths: {{'/a/{{id}}': {{get: {{responses: {answers}}}}}}}", encoding="utf-8"
        )
        response = Emulator(path, create_missing=True).respond(Request("GET", "/a/1", {}))
        assert json.loads(response.body) == {"id": "1", "at": "2021-07-28"}
