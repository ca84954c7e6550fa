"""Verifies that different ways to write an operation are silent."""

from itertools import permutations
from pathlib import Path

import pytest
import yaml
from specdrift.cli import main

from tests.specdrift.documents import (
    PET,
    SCHEMES,
    TEXT,
    Json,
    api,
    header,
    reported,
    request_and_response,
)


def path_parameter(name: str, schema: Json | None = None) -> Json:
    """Return a path parameter."""
    return {"name": name, "in": "path", "required": True, "schema": schema or TEXT}


def operation(*names: str) -> Json:
    """Return an operation with path parameters."""
    return {"parameters": [path_parameter(name) for name in names], "responses": {"200": {}}}


TEMPLATES: Json = {
    "/x/{name}": {"get": operation("name")},
    "/x/{id}": {"delete": operation("id")},
    "/x/{key}": {"put": operation("key"), "patch": operation("key")},
}


def document(paths: Json) -> Json:
    """Return a document with paths."""
    return {"openapi": "3.1.0", "paths": paths}


@pytest.mark.parametrize("order", list(permutations(TEMPLATES)))
def test_templates_that_differ_in_names_are_one_path_in_any_order(order: tuple[str, ...]) -> None:
    reordered = {template: TEMPLATES[template] for template in order}
    assert reported(document(TEMPLATES), document(reordered)) == []


def test_templates_that_differ_in_names_can_be_joined() -> None:
    joined = {
        "/x/{it}": {
            "get": operation("it"),
            "delete": operation("it"),
            "put": operation("it"),
            "patch": operation("it"),
        }
    }
    assert reported(document(TEMPLATES), document(joined)) == []
    assert reported(document(joined), document(TEMPLATES)) == []


def test_two_operations_that_differ_in_names_are_compared_in_any_order() -> None:
    paths = {"/x/{a}": {"get": operation("a")}, "/x/{b}": {"get": operation("b")}}
    assert reported(document(paths), document(dict(reversed(paths.items())))) == []


def test_a_removed_method_of_a_split_path_is_reported() -> None:
    reduced = {template: TEMPLATES[template] for template in ("/x/{name}", "/x/{key}")}
    expected = ["ERR api-removed-without-deprecation"]
    assert reported(document(TEMPLATES), document(reduced)) == expected


def body(media_type: str) -> Json:
    """Return a document whose request and response have a media type."""
    content = {media_type: {"schema": PET}}
    return api(
        requestBody={"content": content},
        responses={"200": {"description": "", "content": content}},
    )


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON; Charset="utf-8"',
        "application/json ; charset=iso-8859-1",
    ],
)
def test_json_has_no_charset(media_type: str) -> None:
    assert reported(body("application/json"), body(media_type)) == []
    assert reported(body(media_type), body("application/json")) == []


def test_types_based_on_json_have_no_charset() -> None:
    base = body("application/problem+json")
    assert reported(base, body("application/problem+json; charset=utf-8")) == []


@pytest.mark.parametrize("media_type", ["text/csv; charset=utf-8", "application/json; version=2"])
def test_other_parameters_of_media_types_have_a_meaning(media_type: str) -> None:
    assert reported(body(media_type.partition(";")[0]), body(media_type)) != []


def test_json_written_twice_is_one_media_type() -> None:
    names = ["application/json", "application/json; charset=utf-8"]
    twice = {name: {"schema": PET} for name in names}
    both = api(
        requestBody={"content": twice}, responses={"200": {"description": "", "content": twice}}
    )
    assert reported(body(names[0]), both) == []
    assert reported(both, body(names[1])) == []


def test_a_name_that_a_path_has_twice_is_one_parameter() -> None:
    base = {"/x/{id}/y/{id}": {"get": operation("id")}}
    revision = {"/x/{a}/y/{b}": {"get": operation("a", "b")}}
    assert reported(document(base), document(revision)) == []


@pytest.mark.parametrize("name", ["Authorization", "accept", "CONTENT-TYPE"])
def test_header_parameters_that_openapi_ignores_are_no_change(name: str) -> None:
    required = header(TEXT, name, required=True)
    assert reported(api(parameters=[]), required) == []
    assert reported(required, api(parameters=[])) == []
    assert reported(required, header({"type": "integer"}, name)) == []


def test_a_query_parameter_with_such_a_name_is_compared() -> None:
    parameter = {"name": "Accept", "in": "query", "required": True, "schema": TEXT}
    assert reported(api(), api(parameters=[parameter])) == ["ERR new-required-request-parameter"]


def test_the_response_header_content_type_is_no_change() -> None:
    described = api(responses={"200": {"headers": {"content-Type": {"required": True}}}})
    assert reported(described, api(responses={"200": {}})) == []


def test_ignored_headers_have_one_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ignored = [
        {"name": name, "in": "header", "schema": TEXT} for name in ("Authorization", "Accept")
    ]
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump(api(parameters=ignored)), encoding="utf-8")
    assert main([str(file), str(file)]) == 0
    output = capsys.readouterr().out
    assert output.count("OpenAPI ignores") == 1
    assert "Authorization" in output
    assert "(and 3 other places)" in output


A: Json = {"a": []}
K: Json = {"k": []}
OAUTH: Json = {**SCHEMES, "o": {"type": "oauth2", "flows": {}}}


def secured(*security: Json) -> Json:
    """Return a document whose operation has security."""
    return api(components={"securitySchemes": OAUTH}, security=list(security))


@pytest.mark.parametrize(
    ("base", "revision", "expected"),
    [
        ([A], [A, K], ["INFO api-security-added"]),
        ([A], [A, {}], ["INFO api-security-added"]),
        ([A], [A, {**A, **K}], ["INFO api-security-added"]),
        ([], [A], ["ERR api-security-added"]),
        ([], [A, K], ["ERR api-security-added", "ERR api-security-added"]),
        ([A, K], [A], ["ERR api-security-removed"]),
        ([A], [K], ["ERR api-security-removed", "INFO api-security-added"]),
        ([A], [{**A, **K}], ["ERR api-security-added", "ERR api-security-removed"]),
        ([A, {}], [A], ["ERR api-security-removed"]),
        ([{"o": ["r"]}], [{"o": ["r", "w"]}], ["ERR api-security-scope-added"]),
    ],
)
def test_an_added_alternative_breaks_only_callers_who_lack_theirs(
    base: list[Json], revision: list[Json], expected: list[str]
) -> None:
    assert reported(secured(*base), secured(*revision)) == expected


def test_an_added_alternative_of_the_document_breaks_nobody() -> None:
    base = {**api(components={"securitySchemes": OAUTH}), "security": [A]}
    assert reported(base, {**base, "security": [A, K]}) == ["INFO api-global-security-added"]


@pytest.mark.parametrize("values", [[True, False], [False, True]])
def test_both_booleans_are_no_restriction(values: list[bool]) -> None:
    plain: Json = {"type": "boolean"}
    listed: Json = {**plain, "enum": values}
    for schema, same in permutations([plain, listed]):
        assert reported(request_and_response(schema), request_and_response(same)) == []


def test_one_boolean_is_a_restriction() -> None:
    revision = request_and_response({"type": "boolean", "enum": [True]})
    assert "ERR request-body-became-enum" in reported(
        request_and_response({"type": "boolean"}), revision
    )
