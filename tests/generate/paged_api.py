"""A client of an API whose list operations are paginated in each way that the client supports."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from generate.__main__ import main

from tests.support.paths import ROOT

Json = dict[str, Any]
Item = TypeVar("Item")

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
ITEM: Json = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {**TEXT, "x-role": "item-id"}, "name": TEXT},
}


def with_role(schema: Json, role: str) -> Json:
    """A schema with a role."""
    return {**schema, "x-role": role}


def items_of(schema: Json = ITEM) -> Json:
    """The list of items of a page."""
    return {"type": "array", "x-role": "page-items", "items": schema}


def parameter(name: str, schema: Json, role: str | None = None, **more: object) -> Json:
    """A parameter in the query."""
    node: Json = {"name": name, "in": "query", "schema": schema, **more}
    if role is not None:
        node["x-role"] = role
    return node


def list_operation(operation_id: str, parameters: list[Json], **properties: Json) -> Json:
    """A list operation whose response has some properties."""
    response = {"type": "object", "properties": properties}
    content = {"application/json": {"schema": response}}
    return {
        "get": {
            "operationId": operation_id,
            "tags": ["Lists"],
            "security": [{"bearer": []}],
            "parameters": parameters,
            "responses": {"200": {"description": "A page", "content": content}},
        }
    }


CONVERSATION: Json = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {**TEXT, "x-role": "item-id"},
        "lastMessageDate": {**TEXT, "x-role": "next-page-cursor"},
    },
}

LIMIT = parameter("limit", {"type": "integer"}, "page-size")
TEXT_LIMIT = parameter("limit", {**TEXT, "default": "20"}, "page-size", required=True)
SORT = parameter("sortBy", {**TEXT, "default": "last_message_date"})
PAGE: Json = {"type": "integer", "default": 1}

PATHS: Json = {
    # The cursor is a property of the last item. Its type differs from that of the parameter.
    "/conversations": list_operation(
        "searchConversations",
        [parameter("startAfterDate", NUMBER, "page-cursor"), LIMIT, SORT],
        conversations=items_of(CONVERSATION),
        total=with_role(NUMBER, "page-total"),
    ),
    # The cursor is a value that the API adds to each item. No property is the one to sort by.
    "/threads": list_operation(
        "searchThreads",
        [parameter("startAfterDate", {"type": "array", "items": NUMBER}, "page-cursor"), LIMIT],
        threads=items_of(
            {
                "type": "object",
                "properties": {
                    "id": {**TEXT, "x-role": "item-id"},
                    "sort": {"type": "array", "items": NUMBER, "x-role": "next-page-cursor"},
                },
            }
        ),
    ),
    "/messages": list_operation(
        "getMessages",
        [parameter("lastMessageId", TEXT, "page-cursor"), LIMIT],
        messages=items_of(),
        lastMessageId=with_role(TEXT, "next-page-cursor"),
        nextPage=with_role({"type": "boolean"}, "has-next-page"),
    ),
    # The cursor is the id of the last item. Nothing beside the items says so.
    "/agents": list_operation(
        "searchAgents",
        [parameter("startAfter", TEXT, "page-after-id"), LIMIT],
        agents=items_of(),
        totalCount=with_role(NUMBER, "page-total"),
    ),
    # The cursor has two parts, and is inside of an object.
    "/opportunities": list_operation(
        "searchOpportunities",
        [
            parameter("startAfter", TEXT, "page-cursor"),
            parameter("startAfterId", TEXT, "page-cursor"),
            LIMIT,
        ],
        opportunities=items_of(),
        meta={
            "type": "object",
            "properties": {
                "startAfterId": with_role({"type": ["string", "null"]}, "next-page-cursor"),
                "startAfter": with_role({"type": ["string", "null"]}, "next-page-cursor"),
            },
        },
    ),
    "/exports": list_operation(
        "exportMessages",
        [parameter("cursor", TEXT, "page-cursor"), LIMIT],
        messages=items_of(),
        nextCursor=with_role(TEXT, "next-page-cursor"),
    ),
    # An offset that is a text, and required.
    "/forms": list_operation(
        "getForms",
        [parameter("skip", TEXT, "page-offset", required=True), TEXT_LIMIT],
        forms=items_of(),
        total=with_role(NUMBER, "page-total"),
    ),
    # Nothing says that the list is at its end.
    "/authors": list_operation(
        "getAuthors",
        [parameter("offset", {"type": "integer"}, "page-offset"), LIMIT],
        authors=items_of(),
    ),
    "/calls": list_operation(
        "getCalls",
        [
            parameter("page", PAGE, "page-number"),
            parameter("pageSize", {"type": "integer"}, "page-size"),
        ],
        callLogs=items_of(),
        pagination={
            "type": ["object", "null"],
            "properties": {"hasNext": with_role({"type": "boolean"}, "has-next-page")},
        },
    ),
    # The first page is number 0.
    "/numbers": list_operation(
        "getNumbers",
        [
            parameter("page", {"type": "number", "minimum": 0, "default": 0}, "page-number"),
            parameter("pageSize", {"type": "integer"}, "page-size"),
        ],
        numbers=items_of(),
        total=with_role({"type": "integer"}, "page-total"),
    ),
    # The response is the list itself, of items without an id.
    "/tags": {
        "get": {
            **list_operation("getTags", [parameter("skip", NUMBER, "page-offset"), LIMIT])["get"],
            "responses": {
                "200": {
                    "description": "A page",
                    "content": {
                        "application/json": {
                            "schema": items_of({"type": "object", "properties": {"name": TEXT}})
                        }
                    },
                }
            },
        }
    },
    # The page is in the body.
    "/records/search": {
        "post": {
            "operationId": "searchRecords",
            "tags": ["Lists"],
            "security": [{"bearer": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {
                                "searchAfter": {
                                    "type": "array",
                                    "items": NUMBER,
                                    "x-role": "page-cursor",
                                },
                                "pageLimit": {"type": "integer", "x-role": "page-size"},
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "A page",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "records": items_of(
                                        {
                                            "type": "object",
                                            "properties": {
                                                "name": TEXT,
                                                "searchAfter": {
                                                    "type": "array",
                                                    "items": NUMBER,
                                                    "x-role": "next-page-cursor",
                                                },
                                            },
                                        }
                                    )
                                },
                            }
                        }
                    },
                }
            },
        }
    },
}

SPEC: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Pages", "version": "1"},
    "servers": [{"url": "https://api.example"}],
    "paths": PATHS,
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}


@dataclass(frozen=True)
class PagedClient:
    """The package with the client, and the spec that its code is generated from."""

    package: Any
    spec: Path


@contextmanager
def paged_client(folder: Path, name: str = "paged_client") -> Generator[PagedClient]:
    """Copy the hand-written package, generate its code from `SPEC`, and import it.

    Args:
        folder: where to write it.
        name: the name of the package, which no other package in the process has.
    """
    spec = folder / "openapi.yaml"
    spec.write_text(yaml.safe_dump(SPEC, sort_keys=False), encoding="utf-8")
    ignored = shutil.ignore_patterns("_generated", "__pycache__")
    shutil.copytree(ROOT / "overrides" / "leadconnector", folder / name, ignore=ignored)
    assert main(["--spec", str(spec), "--output", str(folder / name / "_generated")]) == 0
    sys.path.insert(0, str(folder))
    try:
        yield PagedClient(importlib.import_module(name), spec)
    finally:
        sys.path.remove(str(folder))
        for module in list(sys.modules):
            if module.partition(".")[0] == name:
                del sys.modules[module]


Iterate = Callable[[Any], Any]
"""Makes an iterator with a client: an async one with the async client."""


class Walk:
    """The iterators of both clients as a plain iterator, so that one test runs with both."""

    def __init__(self, package: Any, *, is_async: bool, **options: Any) -> None:
        self._is_async = is_async
        self._runner = asyncio.Runner() if is_async else None
        client_class = package.AsyncLeadConnector if is_async else package.LeadConnector
        self.client = client_class(token="test-token", **options)

    def __call__(self, iterate: Iterate) -> Iterator[Any]:
        """Iterate over the items of an iterator. It can go on after an error."""
        iterator = iterate(self.client)
        if self._runner is None:
            return iter(iterator)
        return _Awaited(iterator, self._runner)

    def close(self) -> None:
        """Close the client."""
        if self._runner is None:
            self.client.close()
            return
        self._runner.run(self.client.close())
        self._runner.close()


class _Awaited(Iterator[Item]):
    def __init__(self, iterator: AsyncIterator[Item], runner: asyncio.Runner) -> None:
        self._iterator = iterator
        self._runner = runner

    def __next__(self) -> Item:
        try:
            return self._runner.run(_next(self._iterator))
        except StopAsyncIteration:
            raise StopIteration from None


async def _next(iterator: AsyncIterator[Item]) -> Item:
    return await anext(iterator)
