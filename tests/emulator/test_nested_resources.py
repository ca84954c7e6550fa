"""The emulator stores resources below others apart, and tells actions and searches from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml
from leadconnector_emulator import Emulator, EmulatorTransport, Request

Node = dict[str, Any]

DONE: Node = {"responses": {"200": {"description": "Done"}}}


def response_with(schema: Node) -> Node:
    """The responses of an operation."""
    content = {"application/json": {"schema": schema}}
    return {"200": {"description": "Success", "content": content}}


def one(name: str) -> Node:
    """An operation whose response contains a resource."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"responses": response_with(schema)}


def many(name: str) -> Node:
    """An operation whose response contains a list of resources."""
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    properties = {"results": items, "total": {"type": "integer"}}
    return {"responses": response_with({"type": "object", "properties": properties})}


def with_body(operation: Node, schema: Node) -> Node:
    """An operation with a body."""
    return {**operation, "requestBody": {"content": {"application/json": {"schema": schema}}}}


def resource(*names: str) -> Node:
    """The schema of a resource whose other properties are texts."""
    text = {"type": "string"}
    return {"type": "object", "properties": dict.fromkeys(("id", *names), text)}


NOTE = {"$ref": "#/components/schemas/Note"}
TASK = {"$ref": "#/components/schemas/Task"}
SEARCH: Node = {
    "type": "object",
    "properties": {
        "contactId": {"type": "array", "items": {"type": "string"}},
        "completed": {"type": "boolean"},
        "query": {"type": "string"},
        "sort": {"type": "array", "items": {"type": "object"}},
        "skip": {"type": "integer"},
        "limit": {"type": "integer", "default": 25},
    },
}

TASK_SCHEMA: Node = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "contactId": {"type": "string"},
        "completed": {"type": "boolean"},
    },
}

DOCUMENT: Node = {
    "openapi": "3.1.0",
    "info": {"title": "Nested resources", "version": "1"},
    "paths": {
        "/contacts/": {"get": many("Contact"), "post": one("Contact")},
        "/contacts/upsert": {"post": with_body(one("Contact"), resource("name"))},
        "/contacts/{contactId}": {"get": one("Contact"), "delete": DONE},
        "/contacts/{contactId}/notes": {
            "get": many("Note"),
            "post": with_body(one("Note"), NOTE),
        },
        "/contacts/{contactId}/notes/{id}": {
            "get": one("Note"),
            "put": with_body(one("Note"), NOTE),
            "delete": DONE,
        },
        "/contacts/{contactId}/tasks": {"get": many("Task"), "post": with_body(one("Task"), TASK)},
        "/contacts/{contactId}/tasks/{taskId}": {"get": one("Task")},
        "/contacts/{contactId}/tasks/{taskId}/completed": {
            "put": with_body(one("Task"), {"type": "object", "properties": {"completed": {}}})
        },
        "/contacts/{contactId}/tags": {"delete": DONE},
        "/contacts/messages/{messageId}": {"get": one("Message")},
        "/contacts/messages": {"post": with_body(one("Message"), resource("text"))},
        "/locations/{locationId}/tasks/search": {"post": with_body(many("Task"), SEARCH)},
        "/locations/{locationId}/tasks": {"post": with_body(one("Task"), TASK)},
        "/posts/{locationId}/posts/list": {"post": with_body(many("Note"), SEARCH)},
        "/posts/{locationId}/posts": {"post": with_body(one("Note"), NOTE)},
        "/pipelines/stages": {"get": many("Note")},
        "/pipelines/": {"get": many("Contact"), "post": one("Contact")},
    },
    "components": {
        "schemas": {
            "Contact": resource("name"),
            "Note": resource("body"),
            "Task": TASK_SCHEMA,
            "Message": resource("text"),
        }
    },
}


@pytest.fixture
def emulator(tmp_path: Path) -> Emulator:
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
    emulator = Emulator(path, conversations=())
    emulator.put("contacts", {"id": "A", "name": "Ann"})
    emulator.put("contacts", {"id": "B", "name": "Bob"})
    return emulator


def call(emulator: Emulator, method: str, target: str, body: Node | None = None) -> Any:
    """The content of a successful response."""
    content = json.dumps(body or {}).encode()
    headers = {"content-type": "application/json"}
    if method in ("GET", "DELETE"):
        content, headers = b"", {}
    response = emulator.respond(Request(method, target, headers, content))
    assert response.status == 200, response.body
    return json.loads(response.body or b"null")


def status(emulator: Emulator, method: str, target: str) -> int:
    return emulator.respond(Request(method, target, {}, b"")).status


def ids(emulator: Emulator, method: str, target: str, body: Node | None = None) -> list[str]:
    """The ids of the resources of a list."""
    content = call(emulator, method, target, body)
    assert content["total"] >= len(content["results"])
    return [item["id"] for item in content["results"]]


class TestCollections:
    def test_each_resource_has_its_own_below_it(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/contacts/A/notes", {"id": "1", "body": "of A"})
        call(emulator, "POST", "/contacts/B/notes", {"id": "2", "body": "of B"})
        call(emulator, "POST", "/contacts/A/tasks", {"id": "3", "title": "of A"})
        assert ids(emulator, "GET", "/contacts/A/notes") == ["1"]
        assert ids(emulator, "GET", "/contacts/B/notes") == ["2"]
        assert ids(emulator, "GET", "/contacts/A/tasks") == ["3"]
        assert ids(emulator, "GET", "/contacts/B/tasks") == []
        assert ids(emulator, "GET", "/contacts/") == ["A", "B"]

    def test_equal_ids_below_two_resources_are_two_resources(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/contacts/A/notes", {"id": "1", "body": "of A"})
        call(emulator, "POST", "/contacts/B/notes", {"id": "1", "body": "of B"})
        call(emulator, "PUT", "/contacts/B/notes/1", {"body": "changed"})
        assert call(emulator, "GET", "/contacts/A/notes/1") == {"id": "1", "body": "of A"}
        assert call(emulator, "GET", "/contacts/B/notes/1") == {"id": "1", "body": "changed"}
        call(emulator, "DELETE", "/contacts/A/notes/1")
        assert status(emulator, "GET", "/contacts/A/notes/1") == 400
        assert ids(emulator, "GET", "/contacts/B/notes") == ["1"]

    def test_a_new_id_has_the_name_of_the_resource(self, emulator: Emulator) -> None:
        assert call(emulator, "POST", "/contacts/A/notes")["id"] == "notes-1"
        assert call(emulator, "POST", "/contacts/")["id"] == "contacts-2"

    def test_resources_with_a_longer_fixed_path_are_others(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/contacts/messages", {"id": "m", "text": "Hello"})
        assert call(emulator, "GET", "/contacts/messages/m")["text"] == "Hello"
        assert ids(emulator, "GET", "/contacts/") == ["A", "B"]

    def test_two_lists_with_the_same_first_part_are_two(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/pipelines/", {})
        assert ids(emulator, "GET", "/pipelines/stages") == []
        assert ids(emulator, "GET", "/pipelines/") == ["pipelines-1"]

    def test_a_path_that_names_no_resources_creates_those_before_it(
        self, emulator: Emulator
    ) -> None:
        call(emulator, "POST", "/contacts/upsert", {"id": "C", "name": "Cid"})
        assert ids(emulator, "GET", "/contacts/") == ["A", "B", "C"]

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("GET", "/contacts/X/notes"),
            ("POST", "/contacts/X/notes"),
            ("GET", "/contacts/X/notes/1"),
        ],
    )
    def test_a_resource_that_does_not_exist_has_none_below_it(
        self, emulator: Emulator, method: str, target: str
    ) -> None:
        emulator.put("contacts/X/notes", {"id": "1"})
        assert status(emulator, method, target) == 400
        emulator.create_missing = True
        assert status(emulator, method, target) == 200

    def test_a_resource_of_which_the_spec_has_no_operation_need_not_exist(
        self, emulator: Emulator
    ) -> None:
        call(emulator, "POST", "/locations/L/tasks", {"id": "1"})
        assert emulator.get("locations/L/tasks", "1") is not None

    def test_put_and_get_name_them_by_their_path(self, emulator: Emulator) -> None:
        emulator.put("contacts/A/notes", {"id": "1", "body": "put"})
        assert call(emulator, "GET", "/contacts/A/notes/1") == {"id": "1", "body": "put"}
        assert emulator.get("contacts/A/notes", "1") == {"id": "1", "body": "put"}

    def test_an_escaped_id_of_the_path_stays_one_part(self, emulator: Emulator) -> None:
        emulator.put("contacts", {"id": "a/b"})
        call(emulator, "POST", "/contacts/a%2fb/notes", {"id": "1"})
        assert emulator.get("contacts/a%2Fb/notes", "1") is not None
        assert ids(emulator, "GET", "/contacts/a%2Fb/notes") == ["1"]


class TestActions:
    def test_an_action_changes_the_resource_before_it(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/contacts/A/tasks", {"id": "1", "title": "call"})
        call(emulator, "PUT", "/contacts/A/tasks/1/completed", {"completed": True})
        task = call(emulator, "GET", "/contacts/A/tasks/1")
        assert (task["title"], task["completed"]) == ("call", True)

    def test_to_delete_something_of_a_resource_keeps_the_resource(self, emulator: Emulator) -> None:
        call(emulator, "DELETE", "/contacts/A/tags")
        assert ids(emulator, "GET", "/contacts/") == ["A", "B"]
        call(emulator, "DELETE", "/contacts/A")
        assert ids(emulator, "GET", "/contacts/") == ["B"]


class TestSearches:
    @pytest.fixture
    def emulator(self, emulator: Emulator) -> Emulator:
        for number in range(5):
            contact_id = "A" if number % 2 else "B"
            task = {"id": str(number), "contactId": contact_id, "completed": number > 2}
            emulator.put("locations/L/tasks", task)
        return emulator

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, "01234"),
            ({"limit": 2}, "01"),
            ({"limit": 2, "skip": 3}, "34"),
            ({"completed": True}, "34"),
            ({"contactId": ["A"]}, "13"),
            ({"contactId": ["A", "B"], "completed": False}, "012"),
            ({"query": "other", "sort": [{"field": "title"}]}, "01234"),
        ],
    )
    def test_the_body_of_a_search_below_a_resource_selects(
        self, emulator: Emulator, body: Node, expected: str
    ) -> None:
        assert "".join(ids(emulator, "POST", "/locations/L/tasks/search", body)) == expected
        assert ids(emulator, "POST", "/locations/M/tasks/search", body) == []

    def test_the_total_is_that_of_all_pages(self, emulator: Emulator) -> None:
        content = call(emulator, "POST", "/locations/L/tasks/search", {"limit": 1})
        assert content["total"] == 5

    def test_a_path_that_ends_in_list_lists_too(self, emulator: Emulator) -> None:
        call(emulator, "POST", "/posts/L/posts", {"id": "1"})
        assert ids(emulator, "POST", "/posts/L/posts/list", {"limit": 10}) == ["1"]


class TestControl:
    @pytest.fixture
    def control(self, emulator: Emulator) -> httpx.Client:
        transport = EmulatorTransport(emulator, control=True)
        return httpx.Client(transport=transport, base_url="http://localhost/_emulator/")

    def test_a_collection_is_one_part_of_the_path(
        self, emulator: Emulator, control: httpx.Client
    ) -> None:
        response = control.put("resources/contacts%2FA%2Fnotes/1", json={"body": "put"})
        assert response.json() == {"id": "1", "body": "put"}
        assert ids(emulator, "GET", "/contacts/A/notes") == ["1"]
        listed = control.get("resources/contacts%2FB%2Fnotes").json()
        assert listed == {"total": 0, "resources": []}

    def test_the_properties_are_those_of_the_path(self, control: httpx.Client) -> None:
        response = control.put("resources/contacts%2FA%2Fnotes/1", json={"title": "of a task"})
        assert response.status_code == 422
        assert "the properties are body" in response.json()["detail"]

    def test_the_collections_are_those_without_parameters_and_those_with_resources(
        self, emulator: Emulator, control: httpx.Client
    ) -> None:
        emulator.put("contacts/A/notes", {"id": "1"})
        counts = cast("Node", control.get("resources").json())["collections"]
        assert counts["contacts/A/notes"] == 1
        assert counts["contacts/messages"] == 0
        assert not [name for name in counts if "{" in name]

    def test_an_unknown_collection_is_rejected_with_the_paths_of_the_known_ones(
        self, control: httpx.Client
    ) -> None:
        response = control.get("resources/contacts%2FA%2Fletters")
        assert response.status_code == 404
        assert "contacts/{contactId}/notes" in response.json()["detail"]
