"""List operations of a larger spec: filters, order and pages, by the documented parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from leadconnector_emulator import Emulator, Request

from tests.support.calling import TOKEN
from tests.support.paths import ROOT

Node = dict[str, Any]

ADDED = """
/deals:
  get:
    operationId: listDeals
    security: [{bearer: []}]
    parameters:
      - name: locationId
        in: query
        required: true
        x-role: rate-limit-key
        schema: {type: string}
      - {name: status, in: query, schema: {type: string, enum: [open, won, lost]}}
      - {name: isStarred, in: query, schema: {type: boolean}}
      - {name: value, in: query, schema: {type: number}}
      - {name: tags, in: query, schema: {type: array, items: {type: string}}}
      - {name: owner_id, in: query, explode: false, schema: {type: array, items: {type: string}}}
      - {name: search, in: query, schema: {type: string}}
      - {name: sortBy, in: query, schema: {type: string}}
      - {name: sortOrder, in: query, schema: {type: string, enum: [asc, desc]}}
      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}
      - {name: offset, in: query, schema: {type: integer, minimum: 0}}
      - {name: page, in: query, schema: {type: integer, minimum: 1}}
      - {name: startAfterId, in: query, schema: {type: string}}
      - {name: startAfter, in: query, schema: {type: number}}
    responses:
      "200":
        description: Deals
        content:
          application/json:
            schema:
              type: object
              required: [deals, meta]
              properties:
                meta:
                  type: object
                  required: [total]
                  properties:
                    total: {type: integer}
                    currentPage: {type: integer}
                    nextPage: {type: [integer, "null"]}
                    prevPage: {type: [integer, "null"]}
                    startAfterId: {type: string, example: abc}
                    nextPageUrl: {type: string, example: "https://example.com/deals?page=2"}
                owners: {type: array, items: {type: object, properties: {name: {type: string}}}}
                deals: {type: array, items: {$ref: "#/components/schemas/Deal"}}
                count: {type: string}
                hasMore: {type: boolean}
      "400":
        description: Rejected
        content: {application/json: {schema: {$ref: "#/components/schemas/BadRequest"}}}
/tasks:
  get:
    operationId: listTasks
    security: [{bearer: []}]
    parameters:
      - {name: sort, in: query, schema: {type: string, default: "title:desc"}}
      - {name: startAfterDate, in: query, schema: {type: string}}
      - {name: lastMessageId, in: query, schema: {type: string}}
      - {name: page, in: query, schema: {type: string, default: 0}}
      - {name: pageSize, in: query, schema: {type: string, default: 0}}
      - {name: startAfter, in: query, schema: {type: array, items: {type: string}}}
    responses:
      "200":
        description: Tasks
        content:
          application/json:
            schema:
              type: object
              properties:
                tasks:
                  type: array
                  items: {type: object, properties: {id: {type: string}, title: {type: string}}}
                nextPage: {type: boolean}
                lastMessageId: {type: string}
                totalPages: {type: integer}
/notes:
  get:
    operationId: listNotes
    security: [{bearer: []}]
    parameters:
      - {name: startAfterId, in: query, schema: {type: string, pattern: "^[0-9]{3}$"}}
      - {name: cursor, in: query, schema: {type: string, minLength: 3}}
      - {name: lastId, in: query, schema: {type: integer}}
      - {name: offset, in: query, schema: {type: integer}}
      - {name: limit, in: query, schema: {type: integer}}
    responses:
      "200":
        description: Notes
        content:
          application/json:
            schema:
              type: object
              required: [nextPageUrl]
              properties:
                notes: {type: array, items: {type: object, properties: {id: {type: string}}}}
                nextPageUrl: {type: string, example: "https://example.com/notes?page=2"}
"""

DEAL: Node = {
    "type": "object",
    "required": ["id", "locationId"],
    "properties": {
        "id": {"type": "string"},
        "locationId": {"type": "string", "example": "here"},
        "status": {"type": "string"},
        "isStarred": {"type": "boolean"},
        "value": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "ownerId": {"type": "string"},
        "date_added": {"type": "string"},
    },
}

DEALS: list[Node] = [
    {"id": "a", "status": "open", "value": 10, "tags": ["x", "y"], "date_added": "2026-03-01"},
    {"id": "b", "status": "won", "value": 2.5, "isStarred": True, "date_added": "2026-01-01"},
    {"id": "c", "status": "open", "value": 7, "tags": ["y"], "ownerId": "o1"},
    {"id": "d", "locationId": "there", "status": "open", "value": 7},
    {"id": "e", "status": "lost", "isStarred": False, "ownerId": "o2", "date_added": "2026-02-01"},
]


@cache
def document() -> Node:
    """The spec with two list operations."""
    text = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
    root = cast("Node", yaml.safe_load(text))
    root["paths"] |= yaml.safe_load(ADDED)
    root["components"]["schemas"]["Deal"] = DEAL
    return root


def new_emulator(resources: Mapping[str, list[Node]]) -> Emulator:
    """An emulator of the larger spec with resources by collection."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "openapi.yaml"
        path.write_text(yaml.safe_dump(document(), sort_keys=False), encoding="utf-8")
        emulator = Emulator(path, tokens=[TOKEN])
    for collection, items in resources.items():
        for item in items:
            emulator.put(collection, item)
    return emulator


def fetch(emulator: Emulator, path: str, query: Mapping[str, object]) -> tuple[int, Node]:
    """The status and the content of a response, which is checked against the spec."""
    target = f"{path}?{urlencode(query, doseq=True)}"
    headers = {"authorization": f"Bearer {TOKEN}"}
    response = emulator.respond(Request("GET", target, headers))
    content = cast("Node", json.loads(response.body))
    if response.status == 200:
        operation = document()["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        components = document()["components"]
        checker: Any = Draft202012Validator({**schema, "components": components})
        assert [error.message for error in checker.iter_errors(content)] == []
    return response.status, content


def ids(emulator: Emulator, **query: object) -> str:
    """The ids of the deals that a query selects."""
    status, content = fetch(emulator, "/deals", {"locationId": "here", **query})
    assert status == 200
    return "".join(deal["id"] for deal in content["deals"])


@pytest.fixture(scope="module", name="emulator")
def emulator_with_deals() -> Emulator:
    return new_emulator({"deals": DEALS})


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, "abce"),
            ({"locationId": "there"}, "d"),
            ({"locationId": "nowhere"}, ""),
            ({"status": "open"}, "ac"),
            ({"isStarred": "true"}, "b"),
            ({"isStarred": "false"}, "e"),
            ({"value": "2.5"}, "b"),
            ({"value": "10"}, "a"),
            ({"value": "10.0"}, "a"),
            ({"tags": ["x"]}, "a"),
            ({"tags": ["x", "y"]}, "ac"),
            ({"owner_id": "o1,o2"}, "ce"),
            ({"owner_id": ""}, "abce"),
            ({"status": "open", "tags": "y", "value": 7}, "c"),
        ],
    )
    def test_a_parameter_with_the_name_of_a_property_filters(
        self, emulator: Emulator, query: Mapping[str, object], expected: str
    ) -> None:
        assert ids(emulator, **query) == expected

    @pytest.mark.parametrize("query", [{"search": "a"}, {"id": "a"}, {"date_added": "2026-01-01"}])
    def test_another_or_an_undocumented_parameter_does_not(
        self, emulator: Emulator, query: Mapping[str, object]
    ) -> None:
        assert ids(emulator, **query) == "abce"

    def test_an_invalid_value_is_rejected(self, emulator: Emulator) -> None:
        status, content = fetch(emulator, "/deals", {"locationId": "here", "status": "closed"})
        assert (status, content["message"]) == (
            400,
            "status in the query is not a documented value",
        )

    @pytest.mark.parametrize("target", ["?locationId=here&locationId=there", "?locationId=there"])
    @pytest.mark.parametrize("headers", [{}, {"locationid": "here"}])
    def test_a_token_is_needed_for_each_location(
        self, target: str, headers: Mapping[str, str], emulator: Emulator
    ) -> None:
        emulator.tokens["for-here"] = ["here"]
        emulator.put("deals", {"id": "x", "locationId": "there"})
        all_headers = {"authorization": "Bearer for-here", **headers}
        response = emulator.respond(Request("GET", f"/deals{target}", all_headers))
        assert response.status == 401
        allowed = emulator.respond(Request("GET", "/deals?locationId=here", all_headers))
        assert allowed.status == 200

    def test_the_total_counts_the_matches(self, emulator: Emulator) -> None:
        query = {"locationId": "here", "status": "open", "limit": 1}
        _, content = fetch(emulator, "/deals", query)
        assert (content["meta"]["total"], content["count"], content["hasMore"]) == (2, "2", True)


class TestOrder:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"sortBy": "value"}, "bcae"),
            ({"sortBy": "value", "sortOrder": "desc"}, "acbe"),
            ({"sortBy": "dateAdded"}, "beac"),
            ({"sortBy": "date_added", "sortOrder": "desc"}, "aebc"),
            ({"sortBy": "dateAdded_desc"}, "aebc"),
            ({"sortBy": "-value"}, "acbe"),
            ({"sortBy": "tags"}, "acbe"),
            ({"sortBy": "isStarred"}, "ebac"),
            ({"sortBy": "unknown"}, "abce"),
            ({"sortOrder": "desc"}, "ecba"),
        ],
    )
    def test_a_sort_parameter_orders_and_missing_values_come_last(
        self, emulator: Emulator, query: Mapping[str, object], expected: str
    ) -> None:
        assert ids(emulator, **query) == expected

    def test_the_default_of_a_parameter_applies(self) -> None:
        tasks = [{"id": title, "title": title} for title in "bca"]
        emulator = new_emulator({"tasks": tasks})
        assert [task["id"] for task in fetch(emulator, "/tasks", {})[1]["tasks"]] == ["c", "b", "a"]
        _, content = fetch(emulator, "/tasks", {"sort": "title", "startAfter": ["a", "b"]})
        assert [task["id"] for task in content["tasks"]] == ["a", "b", "c"]


class TestPages:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"limit": 2}, "ab"),
            ({"limit": 2, "offset": 1}, "bc"),
            ({"limit": 2, "offset": 9}, ""),
            ({"offset": 3}, "e"),
            ({"limit": 3, "page": 2}, "e"),
            ({"limit": 3, "page": 9}, ""),
            ({"page": 1}, "abce"),
            ({"startAfterId": "b"}, "ce"),
            ({"startAfterId": "b", "limit": 1}, "c"),
            ({"startAfterId": "b", "startAfter": 1603870249758}, "ce"),
            ({"startAfter": 1603870249758}, "abce"),
            ({"startAfterId": "c", "sortBy": "value"}, "ae"),
            ({"startAfterId": ""}, "abce"),
        ],
    )
    def test_the_usual_parameters_select_a_page(
        self, emulator: Emulator, query: Mapping[str, object], expected: str
    ) -> None:
        assert ids(emulator, **query) == expected

    @pytest.mark.parametrize("resource_id", ["d", "unknown"])
    def test_a_start_that_the_list_does_not_contain_is_rejected(
        self, emulator: Emulator, resource_id: str
    ) -> None:
        query = {"locationId": "here", "startAfterId": resource_id}
        status, content = fetch(emulator, "/deals", query)
        assert (status, content["message"]) == (
            400,
            "startAfterId in the query is the id of no resource of this list",
        )

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"startAfterId": "001"}, ["002", "003"]),
            ({"cursor": "002"}, ["003"]),
            # A number is not the id of a text.
            ({"lastId": 1}, ["001", "002", "003"]),
            ({"offset": -1}, ["001", "002", "003"]),
            ({"offset": "2.0"}, ["003"]),
            ({"limit": 0}, ["001", "002", "003"]),
        ],
    )
    def test_the_restrictions_of_a_schema_do_not_change_what_a_parameter_does(
        self, query: Mapping[str, object], expected: list[str]
    ) -> None:
        emulator = new_emulator({"notes": [{"id": f"00{number}"} for number in (1, 2, 3)]})
        status, content = fetch(emulator, "/notes", query)
        assert (status, [note["id"] for note in content["notes"]]) == (200, expected)

    def test_a_required_property_without_a_valid_value_keeps_that_of_the_example(self) -> None:
        emulator = new_emulator({"notes": [{"id": "001"}]})
        _, content = fetch(emulator, "/notes", {})
        assert content["nextPageUrl"] == "https://example.com/notes?page=2"

    def test_the_default_limit_applies(self) -> None:
        deals: list[Node] = [{"id": f"d{number}"} for number in range(25)]
        emulator = new_emulator({"deals": deals})
        _, content = fetch(emulator, "/deals", {"locationId": "here"})
        assert (len(content["deals"]), content["meta"]["total"]) == (20, 25)

    def test_a_response_shows_the_place_of_its_page(self, emulator: Emulator) -> None:
        _, content = fetch(emulator, "/deals", {"locationId": "here", "limit": 2})
        assert content["meta"] == {
            "total": 4,
            "currentPage": 1,
            "nextPage": 2,
            "prevPage": None,
            "startAfterId": "b",
        }
        query = {"locationId": "here", "limit": 2, "startAfterId": "b"}
        _, content = fetch(emulator, "/deals", query)
        assert content["hasMore"] is False
        assert content["meta"] == {"total": 4, "currentPage": 2, "nextPage": None, "prevPage": 1}

    def test_pages_that_start_at_zero_and_texts_as_numbers(self) -> None:
        tasks = [{"id": title, "title": title} for title in "abc"]
        emulator = new_emulator({"tasks": tasks})
        _, content = fetch(emulator, "/tasks", {"page": "1", "pageSize": "2"})
        assert content == {"tasks": [tasks[0]], "nextPage": False, "totalPages": 2}
        _, content = fetch(emulator, "/tasks", {"page": "x", "pageSize": "y"})
        assert (len(content["tasks"]), content["nextPage"]) == (3, False)

    @settings(max_examples=30)
    @given(
        values=st.lists(st.integers(0, 3), max_size=12),
        limit=st.integers(1, 5),
        direction=st.sampled_from(["asc", "desc"]),
    )
    def test_all_pages_together_are_the_list_for_each_way_of_paginating(
        self, values: list[int], limit: int, direction: str
    ) -> None:
        deals: list[Node] = [
            {"id": f"d{number}", "value": value, "status": "open" if value else "won"}
            for number, value in enumerate(values)
        ]
        emulator = prepared(deals)
        query: Node = {
            "locationId": "here",
            "status": "open",
            "sortBy": "value",
            "sortOrder": direction,
        }
        _, content = fetch(emulator, "/deals", {**query, "limit": 100})
        expected = [deal["id"] for deal in content["deals"]]
        assert len(expected) == sum(value > 0 for value in values)
        assert list_by_offset(emulator, query, limit) == expected
        assert list_by_page(emulator, query, limit) == expected
        assert list_by_id(emulator, query, limit) == expected


@cache
def shared_emulator() -> Emulator:
    return new_emulator({})


def prepared(deals: list[Node]) -> Emulator:
    """One emulator for every example, with these deals."""
    emulator = shared_emulator()
    emulator.reset()
    for deal in deals:
        emulator.put("deals", deal)
    return emulator


def list_by_offset(emulator: Emulator, query: Node, limit: int) -> list[str]:
    listed_ids: list[str] = []
    while True:
        _, content = fetch(emulator, "/deals", {**query, "limit": limit, "offset": len(listed_ids)})
        listed_ids += [deal["id"] for deal in content["deals"]]
        if not content["hasMore"]:
            return listed_ids


def list_by_page(emulator: Emulator, query: Node, limit: int) -> list[str]:
    listed_ids: list[str] = []
    page: int | None = 1
    while page is not None:
        _, content = fetch(emulator, "/deals", {**query, "limit": limit, "page": page})
        listed_ids += [deal["id"] for deal in content["deals"]]
        page = content["meta"]["nextPage"]
    return listed_ids


def list_by_id(emulator: Emulator, query: Node, limit: int) -> list[str]:
    listed_ids: list[str] = []
    start: Node = {}
    while True:
        _, content = fetch(emulator, "/deals", {**query, **start, "limit": limit})
        listed_ids += [deal["id"] for deal in content["deals"]]
        if "startAfterId" not in content["meta"]:
            return listed_ids
        start = {"startAfterId": content["meta"]["startAfterId"]}


class TestCursorsOfTheVendor:
    TASKS = tuple({"id": name, "title": title} for name, title in zip("abcd", "1231", strict=True))

    def pages(self, query: Mapping[str, object]) -> tuple[str, Node]:
        """The ids of the tasks that a query selects, and the whole response."""
        _, content = fetch(new_emulator({"tasks": list(self.TASKS)}), "/tasks", query)
        return "".join(task["id"] for task in content["tasks"]), content

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"sort": "title", "startAfterDate": "1"}, "bc"),
            ({"sort": "title", "startAfterDate": "2.0"}, "c"),
            ({"sort": "title", "startAfterDate": "0"}, "adbc"),
            ({"sort": "title", "startAfterDate": "3"}, ""),
            ({"sort": "title:desc", "startAfterDate": "3"}, "bad"),
            ({"startAfterDate": "2"}, "ad"),
        ],
    )
    def test_a_list_starts_after_the_value_by_which_it_is_sorted(
        self, query: Mapping[str, object], expected: str
    ) -> None:
        assert self.pages(query)[0] == expected

    def test_a_list_starts_after_its_last_id(self) -> None:
        selected, content = self.pages({"sort": "title", "pageSize": 2})
        assert (selected, content["lastMessageId"], content["nextPage"]) == ("ad", "d", True)
        selected, content = self.pages({"sort": "title", "pageSize": 2, "lastMessageId": "d"})
        assert (selected, content["nextPage"], "lastMessageId" in content) == ("bc", False, False)
