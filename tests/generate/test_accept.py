"""A request accepts the media types that the responses of its operation document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from leadconnector_emulator import Emulator, EmulatorTransport, Request

from tests.generate.packages import Json, loaded_client

ACCEPTED = {
    "json": ({"200": "application/json"}, "application/json"),
    "json_error": ({"200": "application/json", "400": "application/json"}, "application/json"),
    "nothing": ({"204": ""}, "application/json"),
    "only_an_error": ({"204": "", "400": "application/problem+json"}, "application/problem+json"),
    "csv": ({"200": "text/csv"}, "text/csv"),
    "csv_with_parameter": ({"200": "Text/CSV; header=present"}, "text/csv"),
    "image": ({"200": "image/png"}, "image/png"),
    "images": ({"200": "image/*"}, "image/*"),
    "anything": ({"200": "*/*"}, "*/*"),
    "anything_or_error": (
        {"400": "application/json", "200": "*/*"},
        "*/*, application/json;q=0.9",
    ),
    "csv_or_error": (
        {"400": "application/json", "200": "text/csv"},
        "text/csv, application/json;q=0.9",
    ),
    "problem": (
        {"200": "application/json", "default": "application/problem+json"},
        "application/json, application/problem+json;q=0.9",
    ),
    "vendor": ({"200": "application/vnd.acme.v2+json"}, "application/vnd.acme.v2+json"),
    "two_successes": (
        {"201": "text/plain", "202": "application/vnd.acme+json", "203": "application/json"},
        "application/json, application/vnd.acme+json, text/plain",
    ),
    "default_alone": ({"default": "text/plain"}, "text/plain"),
    "default_beside_success": (
        {"default": "text/plain", "2XX": "application/json"},
        "application/json, text/plain;q=0.9",
    ),
    "same_twice": ({"200": "text/plain", "400": "text/plain"}, "text/plain"),
    "invalid_name": ({"200": "pdf", "400": "text/plain"}, "text/plain"),
}
"""By operation: the media type of each status, and the header."""


def schema_of(media_type: str) -> Json:
    if media_type.endswith("json"):
        return {"type": "object", "properties": {"name": {"type": "string"}}}
    return {"type": "string"}


def response_of(media_type: str) -> Json:
    if not media_type:
        return {"description": "Nothing"}
    return {"description": "Body", "content": {media_type: {"schema": schema_of(media_type)}}}


def operation_of(name: str) -> Json:
    media_types, _ = ACCEPTED[name]
    responses = {status: response_of(media_type) for status, media_type in media_types.items()}
    return {"operationId": name, "tags": ["Things"], "responses": responses}


SPEC = yaml.safe_dump(
    {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {f"/{name}": {"get": operation_of(name)} for name in ACCEPTED},
    },
    sort_keys=False,
)


@pytest.fixture(scope="module", name="folder")
def accepting_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accepting")


@pytest.fixture(scope="module", name="package")
def accepting_package(folder: Path) -> Iterator[Any]:
    with loaded_client(SPEC, folder, "accepting_client") as package:
        yield package.module()


def sent_request(
    package: Any,
    name: str,
    default_headers: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Request:
    """The request of an operation. It gets a response that the spec does not have."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(418)

    transport = httpx.MockTransport(respond)
    with (
        package.LeadConnector(
            token="t", transport=transport, default_headers=default_headers
        ) as client,
        pytest.raises(package.APIStatusError),
    ):
        getattr(client.things, name)(options=package.RequestOptions(headers=headers))
    (request,) = requests
    return request


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_request_accepts_the_documented_media_types(package: Any, name: str) -> None:
    _, expected = ACCEPTED[name]

    assert sent_request(package, name).headers.get_list("accept") == [expected]


def test_the_headers_of_the_caller_replace_the_documented_media_types(package: Any) -> None:
    by_client = sent_request(package, "csv", default_headers={"accept": "text/plain"})
    by_call = sent_request(package, "csv", headers={"ACCEPT": "text/html"})

    assert by_client.headers.get_list("accept") == ["text/plain"]
    assert by_call.headers.get_list("accept") == ["text/html"]


@pytest.mark.parametrize("name", ["csv", "image", "problem", "vendor", "two_successes"])
def test_the_emulator_responds_whatever_the_request_accepts(
    package: Any, folder: Path, name: str
) -> None:
    emulator = Emulator(folder / "spec.yaml", tokens=["t"])

    with package.LeadConnector(token="t", transport=EmulatorTransport(emulator)) as client:
        getattr(client.things, name)()

    _, expected = ACCEPTED[name]
    (exchange,) = emulator.exchanges
    assert exchange.request.headers["accept"] == expected
    assert exchange.response.status < 300


@pytest.mark.parametrize(("name", "status"), [("vendor", 200), ("problem", 404)])
def test_the_emulator_sends_the_documented_kind_of_json(
    package: Any, folder: Path, name: str, status: int
) -> None:
    emulator = Emulator(folder / "spec.yaml", tokens=["t"])
    media_types, _ = ACCEPTED[name]
    media_type = media_types.get(str(status), media_types.get("default"))

    response = emulator.respond(Request("GET", f"/{name}", {"prefer": f"code={status}"}, b""))

    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    assert response.status == status
