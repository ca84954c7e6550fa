"""The emulator enforces a larger spec without a change: no code depends on an operation."""

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
        400: {$ref: "#/components/responses/Rejected"}
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
        400: {$ref: "#/components/responses/Rejected"}
  /contacts/{contactId}:
    parameters:
      - {name: contactId, in: path, required: true, schema: {type: string, maxLength: 40}}
      - {name: locationId, in: query, required: true, schema: {type: string, minLength: 1}}
    get:
      operationId: getContact
      security: [{bearer: []}]
      parameters:
        - name: fields
          in: query
          schema: {type: array, maxItems: 2, items: {$ref: "#/components/schemas/FieldName"}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: X-Trace, in: header, schema: {type: array, items: {type: string, minLength: 2}}}
        - {name: deep, in: query, schema: {type: boolean}}
        - {name: page, in: query, schema: {type: [integer, "null"], minimum: 1}}
      responses:
        200: {$ref: "#/components/responses/Contact"}
        400: {$ref: "#/components/responses/Rejected"}
        404: {$ref: "#/components/responses/Rejected"}
    put:
      operationId: replaceContact
      security: [{bearer: []}]
      requestBody: {$ref: "#/components/requestBodies/NewContact"}
      responses:
        200:
          description: The updated contact
          content:
            application/json:
              schema:
                type: object
                required: [success, contact]
                properties:
                  success: {type: boolean, example: true}
                  contact: {$ref: "#/components/schemas/Contact"}
        4XX: {$ref: "#/components/responses/Rejected"}
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
        204: {description: Deleted}
        400: {$ref: "#/components/responses/Rejected"}
  /contacts/search:
    get:
      operationId: searchContacts
      responses:
        200:
          description: Needs no token
          content:
            application/json:
              schema: {type: array, items: {$ref: "#/components/schemas/Contact"}}
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
    Rejected:
      description: Rejected
      content: {application/json: {schema: {$ref: "#/components/schemas/BadRequest"}}}
    Invalid:
      description: Rejected
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


def call(
    emulator: Emulator, method: str, target: str, data: object = None, **headers: str
) -> tuple[int, Any]:
    """Send a request with a valid token.

    Returns the status and the content of the response, which is checked against the spec.
    """
    all_headers = {
        "authorization": f"Bearer {TOKEN}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    for name, value in headers.items():
        all_headers[name.replace("_", "-")] = value
    body = b"" if data is None else json.dumps(data).encode()
    response = emulator.respond(Request(method, target, all_headers, body))
    if not response.body:
        return response.status, None
    content = json.loads(response.body)
    schema = documented_schema(method, target.partition("?")[0], response.status)
    if schema is not None:
        checker: Any = Draft202012Validator(
            schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        assert [error.message for error in checker.iter_errors(content)] == []
    return response.status, content


def documented_schema(method: str, path: str, status: int) -> Node | None:
    """The schema of a response, with the components that it refers to; `None` without one."""
    document = grown()
    template = path
    if path.startswith("/conversations/"):
        template = "/conversations/{conversationId}"
    elif path not in document["paths"]:
        template = "/contacts/{contactId}"
    operation: Node = document["paths"][template].get(method.lower(), {})
    responses: Mapping[Any, Node] = operation.get("responses", {})
    response = documented_response(responses, status)
    if response is not None and "$ref" in response:
        name = str(response["$ref"]).rpartition("/")[2]
        response = document["components"]["responses"][name]
    if response is None or "content" not in response:
        return None
    schema: Node = response["content"]["application/json"]["schema"]
    return {**schema, "components": document["components"]}


def documented_response(responses: Mapping[Any, Node], status: int) -> Node | None:
    """The response of a status or of its class. YAML reads an unquoted status as a number."""
    for name in (status, str(status), f"{status // 100}XX"):
        if name in responses:
            return responses[name]
    return None


def create_contact(emulator: Emulator, **data: object) -> Node:
    status, content = call(emulator, "POST", "/contacts", {"name": "Grace", **data})
    assert status == 201
    return cast("Node", content)


class TestOptionalField:
    TARGET = f"/conversations/{CONVERSATION_ID}"

    @pytest.mark.parametrize("value", [1, 3, 5])
    def test_a_valid_value_is_stored_and_returned(self, emulator: Emulator, value: int) -> None:
        status, content = call(
            emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID, "priority": value}
        )
        assert (status, content["conversation"]["priority"]) == (200, value)
        status, content = call(emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID})
        assert (status, content["conversation"]["priority"]) == (200, value)

    @pytest.mark.parametrize("value", [0, 6, 2.5, "3", None, True, [1]])
    def test_an_invalid_value_returns_422_with_its_name_and_changes_nothing(
        self, emulator: Emulator, value: object
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, content = call(
            emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID, "priority": value}
        )
        assert status == 422
        assert [message.partition(":")[0] for message in content["message"]] == ["priority"]
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_it_can_be_omitted(self, emulator: Emulator) -> None:
        assert call(emulator, "PUT", self.TARGET, {"locationId": LOCATION_ID})[0] == 200

    def test_the_initial_conversation_is_still_the_example(self, emulator: Emulator) -> None:
        assert emulator.example["id"] == CONVERSATION_ID
        assert emulator.get("conversations", CONVERSATION_ID) == emulator.example


class TestState:
    def test_a_resource_is_created_read_updated_and_deleted(self, emulator: Emulator) -> None:
        contact = create_contact(emulator, stars=4, born="1906-12-09")
        assert (contact["name"], contact["stars"], contact["born"]) == ("Grace", 4, "1906-12-09")
        target = f"/contacts/{contact['id']}{QUERY}"
        assert call(emulator, "GET", target) == (200, contact)
        status, content = call(emulator, "PUT", target, {"name": "Grace Hopper", "stars": 5})
        assert (status, content) == (
            200,
            {"success": True, "contact": contact | {"name": "Grace Hopper", "stars": 5}},
        )
        assert call(emulator, "GET", target) == (200, content["contact"])
        assert call(emulator, "DELETE", target) == (204, None)
        assert call(emulator, "GET", target)[0] == 404

    def test_created_resources_have_different_ids_and_are_listed(self, emulator: Emulator) -> None:
        contacts = [create_contact(emulator, name=name) for name in ("Ada", "Grace", "Mary")]
        assert len({contact["id"] for contact in contacts}) == 3
        assert call(emulator, "GET", "/contacts") == (200, {"contacts": contacts, "total": 3})
        assert call(emulator, "GET", "/contacts/search") == (200, contacts)
        call(emulator, "DELETE", f"/contacts/{contacts[1]['id']}{QUERY}")
        assert call(emulator, "GET", "/contacts/search") == (200, [contacts[0], contacts[2]])

    def test_an_empty_collection_is_an_empty_list(self, emulator: Emulator) -> None:
        assert call(emulator, "GET", "/contacts") == (200, {"contacts": [], "total": 0})
        assert call(emulator, "GET", "/contacts/search") == (200, [])

    def test_a_missing_resource_returns_404_if_documented_and_400_otherwise(
        self, emulator: Emulator
    ) -> None:
        for method, status in {"GET": 404, "DELETE": 400}.items():
            actual_status, content = call(emulator, method, f"/contacts/nobody{QUERY}")
            assert (actual_status, content["message"]) == (
                status,
                "contacts: there is none with this id",
            )

    def test_put_stores_a_resource_and_reset_removes_it(self, emulator: Emulator) -> None:
        emulator.put("contacts", {"id": "a/b", "name": "Ada", "rank": 4})
        assert call(emulator, "GET", f"/contacts/a%2Fb{QUERY}") == (
            200,
            {"id": "a/b", "name": "Ada", "rank": 4},
        )
        emulator.reset()
        assert call(emulator, "GET", f"/contacts/a%2Fb{QUERY}")[0] == 404
        assert call(emulator, "GET", "/contacts") == (200, {"contacts": [], "total": 0})

    def test_with_create_missing_a_missing_resource_is_created(self, path: Path) -> None:
        emulator = Emulator(path, tokens=[TOKEN], create_missing=True)
        status, contact = call(emulator, "GET", f"/contacts/anyone{QUERY}")
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
    def test_constraints_of_all_of_are_enforced_at_any_depth(
        self, emulator: Emulator, data: object, place: str
    ) -> None:
        status, content = call(emulator, "POST", "/contacts", data)
        assert status == 422
        assert any(
            message.startswith(f"{place}: " if place else "") for message in content["message"]
        )
        assert call(emulator, "GET", "/contacts/search") == (200, [])

    def test_an_optional_body_may_be_missing_but_not_invalid(self, emulator: Emulator) -> None:
        target = f"/contacts/{create_contact(emulator)['id']}"
        assert call(emulator, "PATCH", target)[0] == 200
        assert call(emulator, "PATCH", target, {"name": "Ada"})[1]["name"] == "Ada"
        invalid_bodies: list[object] = [{}, {"name": 1}, []]
        for body in invalid_bodies:
            assert call(emulator, "PATCH", target, body)[0] == 400  # 422 is not documented there

    def test_a_value_that_the_response_cannot_contain_is_not_stored(
        self, emulator: Emulator
    ) -> None:
        assert (
            create_contact(emulator, share=0.5)["share"] == ""
        )  # requests have a number, responses a text


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
    def test_query_parameters_of_operation_and_path_are_enforced(
        self, emulator: Emulator, query: Mapping[str, object], status: int
    ) -> None:
        emulator.put("contacts", {"id": "1", "name": "Ada", "rank": 4})
        assert call(emulator, "GET", f"/contacts/1?{urlencode(query, doseq=True)}")[0] == status

    @pytest.mark.parametrize(("value", "status"), [("ab", 200), ("ab,cd", 200), ("ab,c", 400)])
    def test_a_list_in_a_header_is_separated_by_commas(
        self, emulator: Emulator, value: str, status: int
    ) -> None:
        emulator.put("contacts", {"id": "1", "name": "Ada", "rank": 4})
        assert call(emulator, "GET", f"/contacts/1{QUERY}", x_trace=value)[0] == status

    def test_a_parameter_of_the_operation_overrides_that_of_the_path(
        self, emulator: Emulator
    ) -> None:
        assert call(emulator, "PATCH", f"/contacts/{create_contact(emulator)['id']}")[0] == 200

    def test_a_path_parameter_is_validated(self, emulator: Emulator) -> None:
        assert call(emulator, "GET", f"/contacts/{'x' * 41}{QUERY}")[0] == 400

    @pytest.mark.parametrize(
        ("limit", "status"), [("1", 200), ("100", 200), ("0", 400), ("101", 400), ("1.5", 400)]
    )
    def test_a_referenced_parameter_is_enforced(
        self, emulator: Emulator, limit: str, status: int
    ) -> None:
        assert call(emulator, "GET", f"/contacts?limit={limit}")[0] == status


class TestRouting:
    def test_a_fixed_path_takes_precedence_over_a_parameter(self, emulator: Emulator) -> None:
        assert call(emulator, "GET", "/contacts/search") == (200, [])

    def test_security_is_defined_by_the_operation(self, emulator: Emulator) -> None:
        assert call(emulator, "GET", "/contacts/search", authorization="")[0] == 200
        assert call(emulator, "GET", "/contacts", authorization="")[0] == 401

    def test_an_undocumented_method_returns_405_with_the_allowed_methods(
        self, emulator: Emulator
    ) -> None:
        response = emulator.respond(Request("DELETE", "/contacts", {}))
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


class TestSpecs:
    @pytest.mark.parametrize("schema", ["{type: strin}", "{pattern: '('}", "{minLength: many}"])
    def test_an_invalid_schema_is_rejected_when_the_spec_is_loaded(
        self, tmp_path: Path, schema: str
    ) -> None:
        path = tmp_path / "openapi.yaml"
        body = f"requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}"
        path.write_text(
            f"paths: {{/a: {{post: {{{body}, responses: {{200: {{}}}}}}}}}}", encoding="utf-8"
        )
        with pytest.raises(ValueError, match="has an invalid schema"):
            Emulator(path)

    def test_a_date_in_yaml_stays_text(self, tmp_path: Path) -> None:
        path = tmp_path / "openapi.yaml"
        properties = "{id: {type: string}, at: {type: string, example: 2021-07-28}}"
        content = f"{{application/json: {{schema: {{type: object, properties: {properties}}}}}}}"
        responses = f"{{200: {{content: {content}}}}}"
        path.write_text(
            f"paths: {{'/a/{{id}}': {{get: {{responses: {responses}}}}}}}", encoding="utf-8"
        )
        response = Emulator(path, create_missing=True).respond(Request("GET", "/a/1", {}))
        assert json.loads(response.body) == {"id": "1", "at": "2021-07-28"}
