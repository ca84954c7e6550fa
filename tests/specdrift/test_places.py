"""Advice about something new points to the place in the base that lacks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from specdrift.cli import main

from tests.support.paths import ROOT

Json = dict[str, Any]
SPEC = ROOT / "spec" / "openapi.yaml"
SPEC_TEXT = SPEC.read_text(encoding="utf-8")

BASE = """\
openapi: 3.1.0
paths:
  /pets/{id}:
    put:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema:
              allOf:
                - $ref: "#/components/schemas/Named"
                - type: object
                  properties:
                    owner:
                      type: object
                      properties:
                        name: {type: string}
      responses:
        "200":
          description: OK
          headers:
            X-Old: {schema: {type: string}}
          content:
            application/json:
              schema:
                type: array
                items:
                  $ref: "#/components/schemas/Pet"
  /owners:
    get:
      responses:
        "204": {description: Nothing}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    Named:
      type: object
      properties:
        name: {type: string}
    Home:
      type: object
      properties:
        city: {type: string}
    Den:
      type: object
      properties:
        depth: {type: number}
    Warm:
      type: object
      properties:
        celsius: {type: number}
    Furry:
      type: object
      properties:
        hairs: {type: integer}
      allOf:
        - $ref: "#/components/schemas/Warm"
    Fur:
      allOf:
        - $ref: "#/components/schemas/Furry"
        - type: object
          properties:
            soft: {type: boolean}
    Pet:
      type: object
      properties:
        home:
          description: Where it lives
          allOf:
            - $ref: "#/components/schemas/Home"
        den:
          description: Where it sleeps
          $ref: "#/components/schemas/Den"
        fur:
          $ref: "#/components/schemas/Fur"
        tags:
          type: object
          properties:
            colour: {type: string, enum: [red, green]}
"""

NEW: dict[str, tuple[str, str, str]] = {
    # name: the line in the base after which the revision adds a text, and the expected line
    "an operation of a new path": (
        "paths:\n",
        "  /new:\n    get: {responses: {'204': {description: New}}}\n",
        "paths:",
    ),
    "an operation of an existing path": (
        "  /owners:\n",
        "    post: {responses: {'204': {description: New}}}\n",
        "  /owners:",
    ),
    "a parameter": (
        "      parameters:\n",
        "        - {name: dry, in: query, schema: {type: boolean}}\n",
        "      parameters:",
    ),
    "a parameter without a list": (
        "    get:\n",
        "      parameters: [{name: dry, in: query, schema: {type: boolean}}]\n",
        "    get:",
    ),
    "a request body": (
        "    get:\n",
        "      requestBody: {content: {application/json: {schema: {type: object}}}}\n",
        "    get:",
    ),
    "a response": (
        "      responses:\n",
        "        '404': {description: New}\n",
        "      responses:",
    ),
    "a header": (
        "          headers:\n",
        "            X-New: {schema: {type: string}}\n",
        "          headers:",
    ),
    "a property of a schema with allOf": (
        "                  properties:\n",
        "                    age: {type: integer}\n",
        "                - type: object",
    ),
    "a property of a branch of allOf": (
        "    Named:\n      type: object\n      properties:\n",
        "        age: {type: integer}\n",
        "    Named:",
    ),
    "a property of a nested object": (
        "                    owner:\n                      type: object\n"
        "                      properties:\n",
        "                        age: {type: integer}\n",
        "                    owner:",
    ),
    "a property of a component": (
        "    Pet:\n      type: object\n      properties:\n",
        "        age: {type: integer}\n",
        "    Pet:",
    ),
    "a nested property of a component": (
        "        tags:\n          type: object\n          properties:\n",
        "            size: {type: integer}\n",
        "        tags:",
    ),
    "a property of the only branch of allOf": (
        "    Home:\n      type: object\n      properties:\n",
        "        street: {type: string}\n",
        "    Home:",
    ),
    "a property of a schema with a description beside the reference": (
        "    Den:\n      type: object\n      properties:\n",
        "        width: {type: number}\n",
        "    Den:",
    ),
    "a property of a part of a referenced allOf": (
        "    Furry:\n      type: object\n      properties:\n",
        "        length: {type: number}\n",
        "    Furry:",
    ),
    "a property of a part of a part of an allOf": (
        "    Warm:\n      type: object\n      properties:\n",
        "        heat: {type: number}\n",
        "    Warm:",
    ),
    "an inline property of a part of a referenced allOf": (
        "        - type: object\n          properties:\n",
        "            warm: {type: boolean}\n",
        "        - type: object",
    ),
    "a security requirement of the document": (
        "openapi: 3.1.0\n",
        "security: [{key: []}]\n",
        "openapi: 3.1.0",
    ),
    "a security scheme": (
        "  securitySchemes:\n",
        "    token: {type: http, scheme: bearer}\n",
        "  securitySchemes:",
    ),
}


def drift(tmp_path: Path, capsys: pytest.CaptureFixture[str], revision: str) -> list[Json]:
    """The changes from the base to a revision, both as text."""
    base_file = tmp_path / "base.yaml"
    revision_file = tmp_path / "revision.yaml"
    base_file.write_text(BASE, encoding="utf-8")
    revision_file.write_text(revision, encoding="utf-8")
    main([str(base_file), str(revision_file), "--advise", "--format", "json"])
    changes: list[Json] = json.loads(capsys.readouterr().out)["changes"]
    return changes


@pytest.mark.parametrize("name", NEW)
def test_something_new_points_to_the_place_that_lacks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before, addition, expected = NEW[name]
    assert before in BASE
    [change] = drift(tmp_path, capsys, BASE.replace(before, before + addition, 1))
    assert change["base"]["pointer"] is None
    line: int = change["base"]["source"]["line"]
    assert BASE.splitlines()[line - 1] == expected
    assert f"Bring {tmp_path / 'base.yaml'}:{line} up to date" in change["advice"]


@pytest.mark.parametrize("name", NEW)
def test_something_removed_points_to_the_place_that_had_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before, addition, _ = NEW[name]
    base = BASE.replace(before, before + addition, 1)
    base_file = tmp_path / "base.yaml"
    revision_file = tmp_path / "revision.yaml"
    base_file.write_text(base, encoding="utf-8")
    revision_file.write_text(BASE, encoding="utf-8")
    main([str(base_file), str(revision_file), "--advise", "--format", "json"])
    [change] = json.loads(capsys.readouterr().out)["changes"]
    assert change["revision"]["pointer"] is None
    line: int = change["base"]["source"]["line"]
    assert base.splitlines()[line - 1].strip() in addition


def test_a_new_enum_value_points_to_its_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [change] = drift(tmp_path, capsys, BASE.replace("[red, green]", "[red, blue, green]"))
    line: int = change["base"]["source"]["line"]
    assert BASE.splitlines()[line - 1].strip().startswith("colour:")


def test_a_new_property_of_the_vendors_document_points_to_the_schema_of_our_spec(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    revision_file = tmp_path / "vendor.yaml"
    after = "    Conversation:\n      type: object\n"
    properties = "      properties:\n"
    head, _, tail = SPEC_TEXT.partition(after)
    new_property = f"{properties}        sentiment:\n          type: string\n"
    revision = head + after + tail.replace(properties, new_property, 1)
    revision_file.write_text(revision, encoding="utf-8")
    main([str(SPEC), str(revision_file), "--advise"])
    line = SPEC_TEXT.splitlines().index("    Conversation:") + 1
    assert f"advice:   Bring {SPEC}:{line} up to date" in capsys.readouterr().out
