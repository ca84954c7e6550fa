"""The emulator serves operations of each kind that the vendor's API has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from leadconnector_emulator import Emulator, Request, Response
from leadconnector_emulator.cli import curl_command

MULTIPART_FORM = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'

SPEC = """
openapi: 3.1.0
info: {title: Kinds of operations, version: "1"}
paths:
  /tags:
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Tag"}}}
      responses:
        201: {$ref: "#/components/responses/Tag"}
    put:
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: array, minItems: 1, items: {$ref: "#/components/schemas/Tag"}}
      responses: {200: {description: Without content}}
  /tags/{id}:
    get:
      parameters:
        - {name: locationId, in: query, required: true, schema: {type: string, example: a b}}
        - {name: deleted, in: query, required: true, schema: {type: boolean}}
      responses:
        200: {$ref: "#/components/responses/Tag"}
    patch:
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Tag"}}}
      responses:
        200: {$ref: "#/components/responses/Tag"}
    delete:
      responses: {204: {description: Deleted}}
  /tags/search:
    post:
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, properties: {name: {type: string}}}}
      responses:
        200:
          description: Tags
          content:
            application/json:
              schema:
                type: object
                required: [tags]
                properties:
                  tags: {type: array, items: {$ref: "#/components/schemas/Tag"}}
                  meta: {type: object, properties: {total: {type: integer}}}
  /files:
    post:
      requestBody:
        required: true
        content:
          multipart/form-data: {schema: {type: object, properties: {file: {type: string}}}}
          image/*: {}
      responses: {201: {description: Stored}}
  /files/{id}:
    get: {responses: {200: {description: A file, content: {image/*: {}, audio/x-wav: {}}}}}
  /mixed:
    put:
      requestBody:
        content:
          application/json: {schema: {type: object, required: [name]}}
          application/x-www-form-urlencoded: {schema: {type: object}}
      responses: {200: {description: Done}}
  /bare:
    get: {}
    post:
      parameters:
        - {name: filter, in: query, content: {application/json: {schema: {type: object}}}}
      requestBody: {content: {application/json: {}}}
      responses: {200: {description: Done, content: {application/json: {}}}}
components:
  schemas:
    Tag:
      type: object
      required: [id]
      properties: {id: {type: string}, name: {type: string}}
  responses:
    Tag:
      description: A tag
      content: {application/json: {schema: {$ref: "#/components/schemas/Tag"}}}
"""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def emulator(path: Path) -> Emulator:
    emulator = Emulator(path, conversations=())
    emulator.put("tags", {"id": "1", "name": "first"})
    return emulator


def send(
    emulator: Emulator, method: str, target: str, body: bytes = b"", content_type: str = JSON
) -> Response:
    return emulator.respond(Request(method, target, {"content-type": content_type}, body))


def test_a_created_resource_has_the_documented_status(emulator: Emulator) -> None:
    response = send(emulator, "POST", "/tags", b'{"id": "2", "name": "second"}')
    assert (response.status, json.loads(response.body)) == (201, {"id": "2", "name": "second"})
    assert emulator.get("tags", "2") == {"id": "2", "name": "second"}


@pytest.mark.parametrize(
    ("body", "status"), [(b'[{"id": "2"}]', 200), (b"[{}]", 400), (b"{}", 400), (b"", 400)]
)
def test_an_array_as_a_body_is_validated(emulator: Emulator, body: bytes, status: int) -> None:
    assert send(emulator, "PUT", "/tags", body).status == status


def test_an_optional_body_may_be_missing(emulator: Emulator) -> None:
    assert send(emulator, "PATCH", "/tags/1", content_type="").status == 200
    assert send(emulator, "PATCH", "/tags/1", b"{}").status == 400


def test_an_operation_without_a_body_needs_no_content_type(emulator: Emulator) -> None:
    response = send(emulator, "DELETE", "/tags/1", content_type="")
    assert (response.status, response.body) == (204, b"")


def test_a_search_by_post_lists_the_resources_and_creates_none(emulator: Emulator) -> None:
    response = send(emulator, "POST", "/tags/search", b'{"name": "first"}')
    assert response.status == 200
    content = json.loads(response.body)
    assert content == {"tags": [{"id": "1", "name": "first"}], "meta": {"total": 1}}
    assert emulator.resource_ids("tags") == ["1"]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        ("multipart/form-data; boundary=x", MULTIPART_FORM, 201, ""),
        ("image/png", b"\x89PNG", 201, ""),
        (JSON, b"{}", 400, "the content type must be multipart/form-data or image/*"),
        ("image/png", b"", 400, "the body is missing"),
    ],
)
def test_a_body_other_than_json_needs_a_documented_content_type(
    emulator: Emulator, content_type: str, body: bytes, status: int, message: str
) -> None:
    response = send(emulator, "POST", "/files", body, content_type)
    assert response.status == status
    if message:
        assert json.loads(response.body)["message"] == message


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [(JSON, b'{"name": 1}', 200), (JSON, b"{}", 400), (FORM, b"a=b", 200), ("a/b", b"a=b", 400)],
)
def test_a_body_may_be_json_or_a_form(
    emulator: Emulator, content_type: str, body: bytes, status: int
) -> None:
    assert send(emulator, "PUT", "/mixed", body, content_type).status == status


def test_a_file_is_empty_and_has_the_documented_media_type(emulator: Emulator) -> None:
    emulator.put("files", {"id": "1"})
    response = send(emulator, "GET", "/files/1", content_type="")
    assert (response.status, response.body) == (200, b"")
    assert response.headers["Content-Type"] == "audio/x-wav"


def test_what_has_no_schema_accepts_everything(emulator: Emulator) -> None:
    assert send(emulator, "GET", "/bare").status == 200
    assert send(emulator, "POST", "/bare?filter={}", b"[1]").status == 200


@pytest.mark.parametrize(
    ("template", "method", "target", "body"),
    [
        ("/tags/{id}", "get", "/tags/1?deleted=false&locationId=a+b", None),
        ("/tags", "put", "/tags", [{"id": "", "name": ""}]),
        ("/tags", "post", "/tags", {"id": "1", "name": ""}),
        ("/files", "post", "/files", None),
    ],
)
def test_the_curl_command_is_that_of_the_first_operation(
    tmp_path: Path, template: str, method: str, target: str, body: Any
) -> None:
    document = yaml.safe_load(SPEC)
    document["paths"] = {template: {method: document["paths"][template][method]}}
    if body == [{"id": "", "name": ""}]:
        content = document["paths"][template][method]["requestBody"]["content"]
        content["application/json"]["schema"]["example"] = body
    path = tmp_path / "first.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    lines = curl_command("http://host", "token", Emulator(path, conversations=[{"id": "1"}]))
    assert lines[0].removesuffix(" \\").replace("'", "") == (
        f"  curl -X {method.upper()} http://host{target}"
    )
    bodies = [line.strip().removeprefix("-d ") for line in lines if line.strip().startswith("-d")]
    assert bodies == ([] if body is None else [f"'{json.dumps(body)}'"])
    assert ("Content-Type" in "".join(lines)) == (body is not None)


WRONG_EXAMPLES = """
openapi: 3.1.0
info: {title: Wrong examples, version: "1"}
paths:
  /things/{id}:
    get:
      responses:
        200:
          description: A thing
          content:
            application/json:
              schema:
                type: object
                required: [count, kind, tags, whole, flag]
                properties:
                  count: {type: number, example: "3"}
                  kind: {type: string, enum: [TYPE_SMS], example: SMS}
                  tags: {type: array, items: {type: string}, example: {a: b}}
                  whole: {type: integer, example: 1.5}
                  flag: {type: boolean, example: 1}
"""


def test_an_example_that_its_schema_rejects_is_no_sample(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text(WRONG_EXAMPLES, encoding="utf-8")
    emulator = Emulator(spec=path, create_missing=True)
    response = emulator.respond(Request("GET", "/things/t1", {}))
    assert response.status == 200
    operation = emulator.spec.operations[0]
    assert operation.success_schema is not None
    assert operation.success_schema.violations(json.loads(response.body)) == []
