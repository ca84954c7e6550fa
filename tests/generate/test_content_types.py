"""Which content type a client sends and reads, if the spec describes several or no usable one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from generate.check import check_spec
from generate.notes import find_notes
from generate.reading import load_document

from tests.generate.packages import ClientPackage, loaded_client

Json = dict[str, Any]

PET: Json = {"type": "object", "properties": {"name": {"type": "string"}}}
REFERENCE: Json = {"$ref": "#/components/schemas/Pet"}
UPLOAD: Json = {
    "type": "object",
    "properties": {"photo": {"type": "string", "format": "binary"}},
}

JSON = "application/json"
XML = "application/xml"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
EVENTS = "text/event-stream"


def contents(**schemas: Json) -> Json:
    return {name: {"schema": schema} for name, schema in schemas.items()}


def spec_with(**operations: tuple[Json | None, Json]) -> Json:
    """A spec with operations, each with the contents of its request and of its response."""
    paths: Json = {}
    for name, (request, response) in operations.items():
        operation: Json = {
            "operationId": name,
            "tags": ["Things"],
            "responses": {"200": {"description": "Thing", "content": response}},
        }
        if request is not None:
            operation["requestBody"] = {"required": True, "content": request}
        paths[f"/{name}"] = {"post": operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Contents", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": paths,
        "components": {"schemas": {"Pet": PET}},
    }


def kept_types(request: Json | None, response: Json, folder: Path) -> tuple[list[str], list[str]]:
    """The content types of the request and the response that the client uses."""
    path = folder / "spec.yaml"
    text = yaml.safe_dump(spec_with(operation=(request, response)), sort_keys=False)
    path.write_text(text, encoding="utf-8")
    document = load_document(path)
    check_spec(document)
    operation = document.root["paths"]["/operation"]["post"]
    body = operation.get("requestBody", {"content": {}})
    dropped = [note for note in find_notes(document) if "is not sent" in note or "not read" in note]
    before = len(request or {}) + len(response)
    after = len(body["content"]) + len(operation["responses"]["200"]["content"])
    # Each content type that is left out has a place in a note.
    assert bool(dropped) == (before > after)
    return list(body["content"]), list(operation["responses"]["200"]["content"])


@pytest.mark.parametrize(
    ("request_contents", "expected"),
    [
        ({XML: REFERENCE, JSON: REFERENCE, FORM: REFERENCE}, [JSON]),
        ({"text/json": PET, "application/problem+json": PET, JSON: REFERENCE}, [JSON]),
        ({JSON: REFERENCE, MULTIPART: UPLOAD}, [JSON, MULTIPART]),
        ({JSON: {"oneOf": [REFERENCE, UPLOAD]}, MULTIPART: UPLOAD}, [JSON]),
        ({JSON: REFERENCE, MULTIPART: {"oneOf": [REFERENCE, UPLOAD]}}, [JSON]),
        ({JSON: REFERENCE, "application/octet-stream": {}}, [JSON, "application/octet-stream"]),
        ({FORM: REFERENCE, MULTIPART: REFERENCE}, [FORM]),
        ({FORM: UPLOAD, MULTIPART: UPLOAD}, [MULTIPART]),
        ({"text/plain": {"type": "string"}, "text/csv": {}}, ["text/plain"]),
        ({"text/plain": {"type": "string"}, "image/png": {}}, ["text/plain", "image/png"]),
        ({JSON: {"type": "string"}, "text/plain": {"type": "string"}}, [JSON]),
        ({"*/*": REFERENCE}, [JSON]),
    ],
)
def test_a_request_keeps_the_content_types_that_an_argument_can_select(
    request_contents: dict[str, Json], expected: list[str], tmp_path: Path
) -> None:
    kept, _ = kept_types(contents(**request_contents), contents(**{JSON: PET}), tmp_path)
    assert kept == expected


@pytest.mark.parametrize(
    ("response_contents", "expected"),
    [
        ({XML: REFERENCE, JSON: REFERENCE}, JSON),
        ({JSON: REFERENCE, EVENTS: REFERENCE}, JSON),
        ({"application/hal+json": REFERENCE, JSON: REFERENCE}, JSON),
        ({"text/csv": {}, "application/hal+json": REFERENCE}, "application/hal+json"),
        ({"text/csv": {"type": "string"}, "application/pdf": {}}, "text/csv"),
        ({"*/*": REFERENCE}, JSON),
        ({"*/*": {"type": "string", "format": "binary"}}, "*/*"),
        ({XML: REFERENCE}, XML),
    ],
)
def test_a_response_keeps_one_content_type(
    response_contents: dict[str, Json], expected: str, tmp_path: Path
) -> None:
    _, kept = kept_types(None, contents(**response_contents), tmp_path)
    assert kept == [expected]


@pytest.fixture(scope="module", name="package")
def generated_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientPackage]:
    both = contents(**{XML: REFERENCE, JSON: REFERENCE})
    spec = spec_with(
        both=(both, both),
        xml=(None, contents(**{XML: REFERENCE})),
        archive=(None, contents(**{"application/zip": PET})),
        stream=(None, contents(**{EVENTS: PET})),
    )
    text = yaml.safe_dump(spec, sort_keys=False)
    with loaded_client(text, tmp_path_factory.mktemp("contents"), "contents_client") as package:
        yield package


def call(package: ClientPackage, method: str, response: httpx.Response, **arguments: Any) -> Any:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return response

    transport = httpx.MockTransport(respond)
    client = package.module().LeadConnector(token="t", transport=transport, strict=True)
    with client:
        result = getattr(client.things, method)(**arguments)
    return result, requests[0]


def test_json_is_sent_and_read_where_xml_is_possible_too(package: ClientPackage) -> None:
    response = httpx.Response(200, json={"name": "Tom"})
    result, request = call(package, "both", response, name="Rex")
    assert result.name == "Tom"
    assert request.headers["Content-Type"] == JSON
    assert json.loads(request.content) == {"name": "Rex"}


@pytest.mark.parametrize(
    ("method", "media_type", "expected"),
    [("xml", XML, "<a/>"), ("stream", EVENTS, "<a/>"), ("archive", "application/zip", b"<a/>")],
)
def test_a_structure_that_is_not_json_is_read_as_it_is(
    method: str, media_type: str, expected: str | bytes, package: ClientPackage
) -> None:
    response = httpx.Response(200, headers={"Content-Type": media_type}, content=b"<a/>")
    result, _ = call(package, method, response)
    if isinstance(expected, bytes):
        result = result.payload.read()
    assert result == expected
