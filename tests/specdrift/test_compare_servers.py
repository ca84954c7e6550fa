"""Verifies the comparison of servers, links, tags and encodings."""

from typing import Any

import pytest

from tests.specdrift.documents import TEXT, Json, api, reported

ONE: Json = {"url": "https://one.test"}
TWO: Json = {"url": "https://two.test", "description": "The second one."}


def with_servers(*servers: Json) -> Json:
    """Return a document with servers."""
    return {**api(), "servers": list(servers)}


def with_path_servers(*servers: Json) -> Json:
    """Return a document with servers of its path."""
    document = api()
    document["paths"]["/pets/{id}"]["servers"] = list(servers)
    return document


def variable(**keywords: Any) -> Json:
    """Return a server with one variable."""
    return {"url": "https://{v}.test", "variables": {"v": {"default": "a", **keywords}}}


def test_servers_are_compared_by_url() -> None:
    added = ["INFO api-global-server-added"]
    removed = ["INFO api-global-server-removed"]
    assert reported(with_servers(ONE), with_servers(TWO, ONE)) == added
    assert reported(with_servers(TWO, ONE), with_servers(ONE)) == removed
    assert reported(with_servers(ONE, TWO), with_servers(TWO, ONE)) == []


def test_a_document_without_servers_has_one_at_its_own_url() -> None:
    assert reported(api(), with_servers({"url": "/"})) == []
    assert reported(api(), with_servers()) == []
    assert reported(api(), with_servers(ONE)) == ["INFO api-global-server-added"]


@pytest.mark.parametrize(
    ("base", "revision"),
    [
        (variable(), variable(default="b")),
        (variable(enum=["a"]), variable(enum=["a", "b"])),
        (variable(), {"url": "https://{v}.test"}),
    ],
)
def test_a_changed_variable_is_a_changed_server(base: Json, revision: Json) -> None:
    expected = ["INFO api-global-server-changed"]
    assert reported(with_servers(base), with_servers(revision)) == expected


def test_the_order_of_values_and_descriptions_have_no_meaning() -> None:
    base = with_servers(variable(enum=["a", "b"]))
    revision = with_servers(variable(enum=["b", "a"], description="Where it is."))
    assert reported(base, revision) == []


def test_servers_of_operations_and_paths_replace_those_of_the_document() -> None:
    expected = ["INFO api-server-added", "INFO api-server-removed"]
    assert reported(api(servers=[ONE]), api(servers=[TWO])) == expected
    assert reported(with_path_servers(ONE), with_path_servers(TWO)) == expected
    assert reported(with_path_servers(ONE), api(servers=[ONE])) == []
    assert reported(with_servers(ONE), {**api(servers=[ONE]), "servers": [ONE]}) == []


def response_with(**members: Any) -> Json:
    """Return a document whose response has some members."""
    return api(responses={"200": {"description": "", **members}})


def test_links_are_compared_without_their_descriptions() -> None:
    link = {"operationId": "get", "parameters": {"id": "$response.body#/id"}}
    base = response_with(links={"self": link})
    described = response_with(links={"self": {**link, "description": "The pet."}})
    changed = response_with(links={"self": {**link, "operationId": "read"}})
    assert reported(base, described) == []
    assert reported(base, changed) == ["INFO response-link-changed"]
    assert reported(base, response_with()) == ["INFO response-link-removed"]
    assert reported(response_with(), base) == ["INFO response-link-added"]


def test_a_link_in_components_is_the_same_link() -> None:
    link = {"operationId": "get"}
    shared = response_with(links={"self": {"$ref": "#/components/links/Self"}})
    shared["components"] = {"links": {"Self": link}}
    assert reported(response_with(links={"self": link}), shared) == []


def test_tags_are_compared_without_their_order() -> None:
    assert reported(api(tags=["a", "b"]), api(tags=["b", "a"])) == []
    assert reported(api(tags=["a"]), api(tags=["b"])) == [
        "INFO api-tag-added",
        "INFO api-tag-removed",
    ]


def test_deprecated_headers_are_reported() -> None:
    base = response_with(headers={"X-A": {"schema": TEXT}})
    revision = response_with(headers={"x-a": {"schema": TEXT, "deprecated": True}})
    assert reported(base, revision) == ["INFO response-header-deprecated"]
    assert reported(revision, base) == ["INFO response-header-reactivated"]


def form(encoding: Json, media_type: str = "multipart/form-data") -> Json:
    """Return a document with a form and the encoding of its property."""
    schema = {"type": "object", "properties": {"a": TEXT}}
    media = {"schema": schema, "encoding": {"a": encoding}}
    return api(requestBody={"content": {media_type: media}})


@pytest.mark.parametrize(
    "encoding",
    [
        {"contentType": "image/png"},
        {"style": "deepObject"},
        {"explode": False},
        {"allowReserved": True},
    ],
)
def test_a_changed_encoding_of_a_form_is_reported(encoding: Json) -> None:
    assert reported(form({}), form(encoding)) == ["WARN request-body-encoding-changed"]
    assert reported(form(encoding), form(encoding)) == []


@pytest.mark.parametrize("encoding", [{"style": "form"}, {"explode": True, "x-label": "a"}])
def test_the_default_encoding_is_no_change(encoding: Json) -> None:
    assert reported(form({}), form(encoding)) == []


def test_the_encoding_of_json_has_no_meaning() -> None:
    base = form({}, "application/json")
    assert reported(base, form({"style": "deepObject"}, "application/json")) == []
