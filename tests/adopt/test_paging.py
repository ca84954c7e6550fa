"""The roles of pagination are suggested by the vendor's names, and only where they are certain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from adopt.paging import paging_roles
from generate.check import check_spec
from generate.reading import load_document

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
ITEM: Json = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}


def array(item: Json = ITEM) -> Json:
    return {"type": "array", "items": item}


def query(**schemas: Json) -> list[Json]:
    """Parameters in the query."""
    return [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]


def spec_of(parameters: list[Json], response: Json, body: Json | None = None) -> Json:
    """A spec with one operation."""
    content = {"application/json": {"schema": response}}
    operation: Json = {
        "operationId": "list",
        "security": [{"bearer": []}],
        "parameters": parameters,
        "responses": {"200": {"description": "", "content": content}},
    }
    if body is not None:
        body_content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": body_content}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lists", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {"/lists": {"post" if body else "get": operation}},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def page(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def roles_of(spec: Json, folder: Path) -> dict[str, str]:
    """The suggested roles by the name of the part. They are checked as generation does it."""
    # Not YAML, whose aliases would make several parts one object.
    path = folder / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    document = load_document(path)
    (operation,) = document.operations()
    roles: dict[str, str] = {}
    for suggestion in paging_roles(document, operation):
        node = document.at(suggestion.pointer)
        name = str(node.get("name", suggestion.pointer.rpartition("/")[2]))
        key = f"next {name}" if suggestion.role == "next-page-cursor" else name
        roles[key] = str(suggestion.role)
        node.mapping["x-role"] = str(suggestion.role)
    check_spec(document)
    return roles


KINDS: dict[str, tuple[Json, Json]] = {
    "offset": (
        spec_of(query(locationId=TEXT, skip=TEXT, limit=TEXT), page(forms=array(), total=NUMBER)),
        {
            "skip": "page-offset",
            "limit": "page-size",
            "forms": "page-items",
            "total": "page-total",
            "id": "item-id",
        },
    ),
    "offset with the list inside of an object": (
        spec_of(
            query(offset=NUMBER, limit=NUMBER),
            page(results=page(posts=array(page(_id=TEXT)), count=NUMBER)),
        ),
        {
            "offset": "page-offset",
            "limit": "page-size",
            "posts": "page-items",
            "_id": "item-id",
        },
    ),
    "offset with the list as response": (
        spec_of(query(skip=NUMBER), array(page(name=TEXT))),
        {"skip": "page-offset", "schema": "page-items"},
    ),
    "offset in the body": (
        spec_of([], page(users=array()), page(skip=NUMBER, limit=NUMBER)),
        {"skip": "page-offset", "limit": "page-size", "users": "page-items", "id": "item-id"},
    ),
    "page number": (
        spec_of(
            query(page=NUMBER, pageSize=NUMBER),
            page(calls=array(), pagination=page(total=NUMBER, hasNext={"type": "boolean"})),
        ),
        {
            "page": "page-number",
            "pageSize": "page-size",
            "calls": "page-items",
            "total": "page-total",
            "hasNext": "has-next-page",
            "id": "item-id",
        },
    ),
    "the last id": (
        spec_of(
            query(lastMessageId=TEXT, limit=NUMBER),
            page(messages=page(messages=array(), lastMessageId=TEXT, nextPage={"type": "boolean"})),
        ),
        {
            "lastMessageId": "page-cursor",
            "next lastMessageId": "next-page-cursor",
            "limit": "page-size",
            "messages": "page-items",
            "nextPage": "has-next-page",
            "id": "item-id",
        },
    ),
    "a cursor with two parts, and a page number": (
        spec_of(
            query(startAfter=TEXT, startAfterId=TEXT, page=NUMBER),
            page(deals=array(), meta=page(startAfter=NUMBER, startAfterId=TEXT, nextPage=NUMBER)),
        ),
        {
            "startAfter": "page-cursor",
            "next startAfter": "next-page-cursor",
            "startAfterId": "page-cursor",
            "next startAfterId": "next-page-cursor",
            "deals": "page-items",
            "id": "item-id",
        },
    ),
    "the id of the last item, by the name": (
        spec_of(query(startAfterId=TEXT, limit=NUMBER), page(contacts=array())),
        {
            "startAfterId": "page-after-id",
            "limit": "page-size",
            "contacts": "page-items",
            "id": "item-id",
        },
    ),
    "the id of the last item, by the description": (
        spec_of(
            [{**query(startAfter=TEXT)[0], "description": "The agent id to start after"}],
            page(agents=array(), totalCount=NUMBER),
        ),
        {
            "startAfter": "page-after-id",
            "agents": "page-items",
            "totalCount": "page-total",
            "id": "item-id",
        },
    ),
    "a page token": (
        spec_of(query(pageToken=TEXT), page(items=array(), pagination=page(nextPageToken=TEXT))),
        {
            "pageToken": "page-cursor",
            "next nextPageToken": "next-page-cursor",
            "items": "page-items",
            "id": "item-id",
        },
    ),
    "an opaque cursor": (
        spec_of(query(cursor=TEXT), page(messages=array(), nextCursor=TEXT)),
        {
            "cursor": "page-cursor",
            "next nextCursor": "next-page-cursor",
            "messages": "page-items",
            "id": "item-id",
        },
    ),
    "a cursor in the last item": (
        spec_of(
            query(startAfterDate=NUMBER),
            page(conversations=array(page(id=TEXT, sort=array(NUMBER)))),
        ),
        {
            "startAfterDate": "page-cursor",
            "next sort": "next-page-cursor",
            "conversations": "page-items",
            "id": "item-id",
        },
    ),
}

UNSURE: dict[str, Json] = {
    "no list": spec_of(query(skip=NUMBER), page(count=NUMBER)),
    "a list of texts": spec_of(query(skip=NUMBER), page(names=array(TEXT))),
    "two lists": spec_of(query(skip=NUMBER), page(a=array(), b=array())),
    "no start": spec_of(query(limit=NUMBER), page(forms=array())),
    "another meaning of page": spec_of(query(page=TEXT), page(url=TEXT)),
    "two starts": spec_of(query(page=NUMBER, offset=NUMBER), page(forms=array())),
    "two offsets": spec_of(query(skip=NUMBER, offset=NUMBER), page(forms=array())),
    "a cursor without its next value": spec_of(
        query(startAfterDate=NUMBER), page(conversations=array(page(lastMessageDate=TEXT)))
    ),
    "one of two cursors without its next value": spec_of(
        query(startAfter=TEXT, startAfterId=TEXT), page(deals=array(), meta=page(startAfter=TEXT))
    ),
    "a cursor of which nothing says what it is": spec_of(
        query(startAfter=TEXT), page(deals=array())
    ),
    "the id of the last item, without an id": spec_of(
        query(startAfterId=TEXT), page(deals=array(page(name=TEXT)))
    ),
    "the id of the last item, beside another cursor": spec_of(
        query(startAfterId=TEXT, startAfter=NUMBER), page(contacts=array())
    ),
    "an offset that is a boolean": spec_of(query(skip={"type": "boolean"}), page(a=array())),
    "a required page number beside a cursor": spec_of(
        [],
        page(records=array(page(searchAfter=array(TEXT)))),
        {**page(page=NUMBER, searchAfter=array(TEXT)), "required": ["page"]},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_list_gets_all_of_its_roles(kind: str, tmp_path: Path) -> None:
    spec, expected_roles = KINDS[kind]

    assert roles_of(spec, tmp_path) == expected_roles


@pytest.mark.parametrize("name", UNSURE)
def test_an_operation_that_is_not_understood_gets_none(name: str, tmp_path: Path) -> None:
    assert roles_of(UNSURE[name], tmp_path) == {}


@pytest.mark.parametrize("name", ["count", "totalLinks"])
def test_a_number_that_may_not_be_the_total_gets_no_role(name: str, tmp_path: Path) -> None:
    spec = spec_of(query(skip=NUMBER), page(forms=array(), **{name: NUMBER}))

    assert name not in roles_of(spec, tmp_path)


def test_a_shared_parameter_gets_no_role(tmp_path: Path) -> None:
    spec = spec_of([{"$ref": "#/components/parameters/Skip"}], page(forms=array()))
    (skip,) = query(skip=NUMBER)
    spec["components"]["parameters"] = {"Skip": skip}

    assert roles_of(spec, tmp_path) == {}


def test_a_property_that_refers_to_a_schema_gets_no_role(tmp_path: Path) -> None:
    total = {"$ref": "#/components/schemas/Total"}
    spec = spec_of(query(skip=NUMBER), page(forms=array(), total=total))
    spec["components"]["schemas"] = {"Total": NUMBER}

    assert "Total" not in roles_of(spec, tmp_path)
