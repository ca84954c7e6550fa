"""Items of a list, and its pages, can be null: an iteration yields them and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.generate.packages import ClientPackage, loaded_client
from tests.generate.paged_api import (
    ITEM,
    TEXT,
    Iterate,
    Walk,
    items_of,
    list_operation,
    parameter,
    with_role,
)

Json = dict[str, Any]

NULL: Json = {"type": "null"}
ITEM_REFERENCE: Json = {"$ref": "#/components/schemas/Item"}
OFFSET = parameter("skip", {"type": "integer"}, "page-offset")
AFTER_ID = parameter("after", TEXT, "page-after-id")
CURSOR = parameter("cursor", TEXT, "page-cursor")
TOTAL = with_role({"type": "integer"}, "page-total")
ITEM_WITH_CURSOR: Json = {
    "type": "object",
    "properties": {
        "id": with_role(TEXT, "item-id"),
        "sort": with_role(TEXT, "next-page-cursor"),
    },
}

ITEMS: dict[str, Json] = {
    "one_of": {"oneOf": [ITEM_REFERENCE, NULL]},
    "any_of": {"anyOf": [NULL, ITEM_REFERENCE]},
    "nested": {"oneOf": [{"anyOf": [ITEM_REFERENCE, NULL]}, NULL]},
    "types": {**ITEM, "type": ["object", "null"]},
    "nullable": {"$ref": "#/components/schemas/NullableItem"},
    "all_of": {"allOf": [ITEM_REFERENCE], "nullable": True},
}
"""Each way to write an object or null."""


def nullable_page() -> Json:
    """A list operation whose whole response can be null."""
    operation = list_operation("listPages", [OFFSET])
    page = {
        "type": ["object", "null"],
        "properties": {"things": items_of(ITEM_REFERENCE), "total": TOTAL},
    }
    operation["get"]["responses"]["200"]["content"]["application/json"]["schema"] = page
    return operation


def nullable_list() -> Json:
    """A list operation whose response is a list or null."""
    operation = list_operation("listLists", [OFFSET])
    page = {**items_of(ITEM_REFERENCE), "type": ["array", "null"]}
    operation["get"]["responses"]["200"]["content"]["application/json"]["schema"] = page
    return operation


def spec() -> Json:
    paths: Json = {
        f"/{name}": list_operation(f"list_{name}", [OFFSET], things=items_of(schema), total=TOTAL)
        for name, schema in ITEMS.items()
    }
    paths["/after"] = list_operation(
        "listAfter", [AFTER_ID], things=items_of({"oneOf": [ITEM_REFERENCE, NULL]})
    )
    paths["/cursors"] = list_operation(
        "listCursors", [CURSOR], things=items_of({"oneOf": [ITEM_WITH_CURSOR, NULL]})
    )
    paths["/scalars"] = list_operation(
        "listScalars",
        [OFFSET],
        things=items_of({"type": ["string", "integer", "null"]}),
        total=TOTAL,
    )
    other: Json = {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
    paths["/unions"] = list_operation(
        "listUnions",
        [OFFSET],
        things=items_of({"oneOf": [{"$ref": "#/components/schemas/Plain"}, other, NULL]}),
        total=TOTAL,
    )
    paths["/pages"] = nullable_page()
    paths["/lists"] = nullable_list()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pages", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Item": ITEM,
                "NullableItem": {**ITEM, "nullable": True},
                "Plain": {"type": "object", "required": ["id"], "properties": {"id": TEXT}},
            },
        },
    }


@pytest.fixture(scope="module", name="package")
def nullable_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientPackage]:
    folder = tmp_path_factory.mktemp("nullable")
    with loaded_client(yaml.safe_dump(spec()), folder, "nullable_items") as package:
        yield package


class Api:
    """Both clients, whose requests get prepared responses."""

    def __init__(self, package: ClientPackage, *, is_async: bool) -> None:
        self._package = package.module()
        self._is_async = is_async
        self.queries: list[str] = []

    def items(self, iterate: Iterate, *bodies: object) -> list[Any]:
        """All items of an iteration over responses with these bodies."""
        waiting = [json.dumps(body) for body in bodies]

        def respond(request: httpx.Request) -> httpx.Response:
            self.queries.append(request.url.query.decode())
            return httpx.Response(
                200, text=waiting.pop(0), headers={"content-type": "application/json"}
            )

        walk = Walk(self._package, is_async=self._is_async, transport=httpx.MockTransport(respond))
        try:
            return list(walk(iterate))
        finally:
            walk.close()


@pytest.fixture(params=["sync", "async"], name="api")
def prepared_api(request: pytest.FixtureRequest, package: ClientPackage) -> Api:
    return Api(package, is_async=request.param == "async")


def ids(items: list[Any]) -> list[object]:
    return [None if item is None else item.id for item in items]


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_that_is_null_is_yielded(name: str, api: Api) -> None:
    first_page = {"things": [{"id": "1"}, None], "total": 4}
    last_page = {"things": [None, {"id": "2"}], "total": 4}

    items = api.items(
        lambda client: getattr(client.lists, f"iter_list_{name}")(), first_page, last_page
    )

    assert ids(items) == ["1", None, None, "2"]
    assert api.queries == ["", "skip=2"]


def test_the_next_page_follows_the_last_item_with_an_id(api: Api) -> None:
    items = api.items(
        lambda client: client.lists.iter_list_after(),
        {"things": [{"id": "1"}, None]},
        {"things": [None]},
    )

    assert ids(items) == ["1", None, None]
    assert api.queries == ["", "after=1"]


def test_the_next_page_follows_the_last_item_with_a_cursor(api: Api) -> None:
    items = api.items(
        lambda client: client.lists.iter_list_cursors(),
        {"things": [{"id": "1", "sort": "a"}, None]},
        {"things": [None]},
    )

    assert ids(items) == ["1", None, None]
    assert api.queries == ["", "cursor=a"]


def test_scalars_and_nulls_are_yielded(api: Api) -> None:
    items = api.items(
        lambda client: client.lists.iter_list_scalars(), {"things": ["a", 1, None], "total": 3}
    )

    assert items == ["a", 1, None]


def test_items_of_several_models_are_yielded(api: Api) -> None:
    items = api.items(
        lambda client: client.lists.iter_list_unions(),
        {"things": [{"id": "1"}, {"name": "n"}, None], "total": 3},
    )

    assert [type(item).__name__ for item in items][:1] == ["Plain"]
    assert items[1].name == "n"
    assert items[2] is None


@pytest.mark.parametrize("name", ["pages", "lists"])
def test_a_page_that_is_null_ends_the_iteration(name: str, api: Api) -> None:
    assert api.items(lambda client: getattr(client.lists, f"iter_list_{name}")(), None) == []
