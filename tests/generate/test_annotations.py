"""Docstrings tell defaults, ranges and what is deprecated, whose use warns where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.generate.packages import Package, loaded_package
from tests.generate.programs import run_program, write_client

SPEC = """
openapi: 3.1.0
info: {title: Pages, version: "1"}
servers: [{url: "https://api.example"}]
security: [{bearer: []}]
tags: [{name: Things}]
paths:
  /pages:
    get:
      operationId: listPages
      deprecated: true
      summary: List pages
      description: Use another operation.
      tags: [Things]
      parameters:
        - name: limit
          in: query
          description: The size of a page.
          schema: {type: integer, minimum: 1, maximum: 100, default: 20}
        - name: sort
          in: query
          deprecated: true
          schema: {$ref: "#/components/schemas/Order"}
        - name: fields
          in: query
          schema: {type: array, items: {type: string}, minItems: 1, default: [a, b]}
      responses:
        "204": {description: Nothing}
    post:
      operationId: createPage
      tags: [Things]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/NewPage"}}}
      responses:
        "204": {description: Created}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
  schemas:
    Order: {type: string, enum: [newest, oldest], default: newest}
    Style:
      type: object
      default: {colour: red}
      properties:
        colour: {type: string, description: Any colour., maxLength: 1, default: red}
        size: {type: number, exclusiveMinimum: 0, exclusiveMaximum: 9, deprecated: true}
        number: {type: integer, readOnly: true, description: A number}
    NewPage:
      type: object
      required: [title, kind]
      properties:
        title: {type: string, minLength: 1, maxLength: 50, default: Untitled}
        kind: {type: string, deprecated: true}
        style: {allOf: [{$ref: "#/components/schemas/Style"}], default: {colour: blue}}
        other: {$ref: "#/components/schemas/Style", deprecated: true}
        free: {type: object, additionalProperties: true, default: {a: 1}}
        list: {type: array, items: {type: integer}, maxItems: 1, default: []}
        mixed: {type: [array, string], items: {type: string}, default: [x]}
        flag: {type: boolean, default: true}
        count: {type: integer, minimum: 0, default: 0}
"""


@pytest.fixture(scope="module", name="package")
def package_of_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """The package that is generated from `SPEC`."""
    folder = tmp_path_factory.mktemp("annotations")
    with loaded_package(SPEC, folder, "annotation_client") as package:
        yield package


def documented_arguments(package: Package, method: str) -> dict[str, str]:
    """The documentation of each argument."""
    text = inspect.getdoc(getattr(package.module.Things, method)) or ""
    lines = text.partition("Args:\n")[2].splitlines()
    pairs = [line.strip().partition(":") for line in lines if ":" in line]
    return {name: description.strip() for name, _, description in pairs}


def test_arguments_tell_their_defaults_ranges_and_deprecation(package: Package) -> None:
    documentation = documented_arguments(package, "list_pages")
    assert documentation["limit"] == "The size of a page. 1 to 100. Server default: `20`."
    assert documentation["sort"] == "Deprecated. Server default: `newest`."
    assert documentation["fields"] == "At least 1 element. Server default: `['a', 'b']`."
    documentation = documented_arguments(package, "create_page")
    assert documentation["title"] == "1 to 50 characters. Server default: `Untitled`."
    assert documentation["kind"] == "Deprecated."
    assert documentation["style"] == "Server default: `{'colour': 'blue'}`."
    assert documentation["other"] == "Deprecated. Server default: `{'colour': 'red'}`."
    assert documentation["free"] == "Server default: `{'a': 1}`."
    assert documentation["list_"] == "At most 1 element. Server default: `[]`."
    assert documentation["mixed"] == "Server default: `['x']`."
    assert documentation["flag"] == "Server default: `True`."
    assert documentation["count"] == "At least 0. Server default: `0`."


def test_properties_of_models_tell_the_same(package: Package) -> None:
    documentation = " ".join((inspect.getdoc(package.models.Style) or "").split())
    colour = "colour (str | Unset): Any colour. At most 1 character. Server default: `red`."
    assert colour in documentation
    assert "size (float | Unset): Deprecated. Above 0. Below 9." in documentation
    assert "number (int | Unset): Read-only. A number" in documentation


def test_no_default_is_sent(package: Package) -> None:
    assert package.models.Style().to_dict() == {}
    page = package.models.NewPage(title="t", kind="k")
    assert page.to_dict() == {"title": "t", "kind": "k"}
    with pytest.raises(TypeError, match="title"):
        package.models.NewPage(kind="k")


def test_a_deprecated_operation_says_so(package: Package) -> None:
    documentation = inspect.getdoc(package.module.Things.list_pages) or ""
    assert documentation.startswith("List pages\n\nDeprecated.\n\nUse another operation.")


PROGRAM = """
import asyncio
import json
import warnings

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector

options = {
    "token": "test-token",
    "transport": httpx.MockTransport(lambda request: httpx.Response(204)),
}
messages = []


def record(message, category, filename, lineno, file=None, line=None):
    messages.append([str(message), category.__name__, filename, lineno])


warnings.showwarning = record
warnings.simplefilter("default")


def call_blocking():
    with LeadConnector(**options) as client:
        for _ in range(2):
            client.things.list_pages(limit=5)
        client.things.with_raw_response.list_pages(sort="newest")
        client.things.create_page(title="t", kind="k")
        client.things.create_page(title="t", kind="k", other={})


async def call_async():
    async with AsyncLeadConnector(**options) as client:
        for _ in range(2):
            await client.things.list_pages(limit=5)
        await client.things.with_raw_response.list_pages(sort="newest")
        await client.things.create_page(title="t", kind="k")
        await client.things.create_page(title="t", kind="k", other={})


call_blocking()
blocking = list(messages)
messages.clear()
asyncio.run(call_async())
print(json.dumps({"sync": blocking, "async": messages}))
"""


@pytest.fixture(scope="module", name="warnings")
def recorded_warnings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[Any]]]:
    """The warnings of `PROGRAM` by client: message, category, file and line."""
    folder: Path = tmp_path_factory.mktemp("deprecation")
    write_client(SPEC, folder)
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    recorded: dict[str, list[list[Any]]] = run_program("import program", folder)
    return recorded


@pytest.mark.parametrize("client", ["sync", "async"])
def test_the_use_of_something_deprecated_warns_once_at_each_place(
    warnings: dict[str, list[list[Any]]], client: str
) -> None:
    first_line = PROGRAM.splitlines().index(
        "def call_blocking():" if client == "sync" else "async def call_async():"
    )
    found = [
        (message, Path(file).name, line - first_line)
        for message, category, file, line in warnings[client]
        if category == "DeprecationWarning"
    ]
    assert found == [
        ("things.list_pages is deprecated", "program.py", 4),
        ("things.list_pages is deprecated", "program.py", 5),
        ("things.list_pages: sort is deprecated", "program.py", 5),
        ("things.create_page: other is deprecated", "program.py", 7),
    ]
