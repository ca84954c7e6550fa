"""The check knows what each style of a parameter and each kind of body looks like on the wire."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from benchmarks.long.conformance.documents import Document, MediaType, Operation, Parameter
from benchmarks.long.conformance.requests import ABSENT, Requests, Values
from benchmarks.long.conformance.schemas import Schemas
from benchmarks.long.conformance.wire import SentRequest

DOCUMENT = Document({"servers": [{"url": "https://api.example/v1"}], "paths": {}})
TOKEN = "token"
COLOURS = ["blue", "black", "brown"]
COLOUR = {"R": 100, "G": 200, "B": 150}


def places(operation: Operation, values: Values, request: httpx.Request) -> list[str]:
    """The places where a request is wrong."""
    requests = Requests(DOCUMENT, Schemas(DOCUMENT, "request"), TOKEN)
    sent = SentRequest.of(request)
    return [mismatch.path for mismatch in requests.mismatches(operation, values, sent)]


def operation_with(path: str, *parameters: Parameter, method: str = "GET") -> Operation:
    return Operation("call", method, path, "", parameters, None, ())


def request_of(target: str, method: str = "GET", **arguments: Any) -> httpx.Request:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    headers |= arguments.pop("headers", {})
    return httpx.Request(method, f"https://api.example/v1{target}", headers=headers, **arguments)


# The examples of OpenAPI 3.1, section 4.8.12.5.
STYLES = [
    ("path", "simple", False, "blue", "/blue"),
    ("path", "simple", False, COLOURS, "/blue,black,brown"),
    ("path", "simple", False, COLOUR, "/R,100,G,200,B,150"),
    ("path", "simple", True, COLOUR, "/R=100,G=200,B=150"),
    ("path", "label", False, "blue", "/.blue"),
    ("path", "label", False, COLOURS, "/.blue,black,brown"),
    ("path", "label", True, COLOURS, "/.blue.black.brown"),
    ("path", "label", True, COLOUR, "/.R=100.G=200.B=150"),
    ("path", "matrix", False, "blue", "/;color=blue"),
    ("path", "matrix", False, COLOURS, "/;color=blue,black,brown"),
    ("path", "matrix", True, COLOURS, "/;color=blue;color=black;color=brown"),
    ("path", "matrix", True, COLOUR, "/;R=100;G=200;B=150"),
    ("query", "form", True, "blue", "?color=blue"),
    ("query", "form", True, COLOURS, "?color=blue&color=black&color=brown"),
    ("query", "form", False, COLOURS, "?color=blue,black,brown"),
    ("query", "form", True, COLOUR, "?R=100&G=200&B=150"),
    ("query", "form", False, COLOUR, "?color=R,100,G,200,B,150"),
    ("query", "spaceDelimited", False, COLOURS, "?color=blue%20black%20brown"),
    ("query", "pipeDelimited", False, COLOURS, "?color=blue%7Cblack%7Cbrown"),
    ("query", "deepObject", True, COLOUR, "?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
]


@pytest.mark.parametrize(("place", "style", "explode", "value", "target"), STYLES)
def test_each_style_of_a_parameter_has_its_form(
    place: str, style: str, explode: bool, value: Any, target: str
) -> None:
    parameter = Parameter("color", place, True, {}, style, explode)
    operation = operation_with("/{color}" if place == "path" else "", parameter)
    values = Values({parameter.key: value})
    assert places(operation, values, request_of(target)) == []
    for _, _, _, other_value, other_target in STYLES:
        if target.startswith(other_target[0]) and (other_value, other_target) != (value, target):
            assert places(operation, values, request_of(other_target)) != []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a%2Fb%20%C3%A9?q=a%26b%20c", []),
        ("/a%2Fb%20%C3%A9?q=a%26b+c", []),
        ("/a/b%20%C3%A9?q=a%26b%20c", ["path"]),
        ("/a%252Fb%20%C3%A9?q=a%26b%20c", ["path"]),
        ("/a%2Fb+%C3%A9?q=a%26b%20c", ["path"]),
        ("/a%2Fb%20%C3%A9?q=a&b%20c", ["query b%20c", "query q"]),
        ("/a%2Fb%20%C3%A9?q=a%2526b%20c", ["query q"]),
        ("/a%2Fb%20%C3%A9", ["query q"]),
        ("/a%2Fb%20%C3%A9?q=a%26b%20c&r=1", ["query r"]),
    ],
)
def test_values_in_a_url_are_encoded_once(target: str, expected: list[str]) -> None:
    path = Parameter("id", "path", True, {}, "simple", False)
    query = Parameter("q", "query", False, {}, "form", True)
    values = Values({path.key: "a/b é", query.key: "a&b c"})
    assert places(operation_with("/{id}", path, query), values, request_of(target)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Trace": "a"}, []),
        ({"x-trace": "a"}, []),
        ({}, ["header x-trace"]),
        ({"X-Trace": "b"}, ["header x-trace"]),
        ({"X-Trace": "a", "X-Other": "b"}, ["header x-other"]),
        ({"X-Trace": "a", "Authorization": "token"}, ["header authorization"]),
    ],
)
def test_headers_are_those_of_the_document(headers: dict[str, str], expected: list[str]) -> None:
    trace = Parameter("X-Trace", "header", False, {}, "simple", False)
    request = request_of("", headers=headers)
    assert places(operation_with("", trace), Values({trace.key: "a"}), request) == expected


def test_two_tokens_are_a_fault() -> None:
    pairs = [("Authorization", f"Bearer {TOKEN}")] * 2
    request = httpx.Request("GET", "https://api.example/v1", headers=[*pairs, ("Accept", "*/*")])
    assert places(operation_with(""), Values({}), request) == ["header authorization"]


def test_another_method_is_a_fault() -> None:
    assert places(operation_with("", method="PUT"), Values({}), request_of("")) == ["method"]


def test_times_are_equal_if_they_are_the_same_moment() -> None:
    since = Parameter("since", "query", False, {"format": "date-time"}, "form", True)
    values = Values({since.key: "2021-08-03T22:27:33Z"})
    operation = operation_with("", since)
    same = request_of("?since=2021-08-04T00:27:33%2B02:00")
    later = request_of("?since=2021-08-04T00:27:34%2B02:00")
    assert places(operation, values, same) == []
    assert places(operation, values, later) == ["query since"]


JSON = MediaType("application/json", {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": 1, "b": null}', []),
        ('{"a": 1}', ["body.b"]),
        ('{"a": true, "b": null}', ["body.a"]),
        ('{"a": "1", "b": null}', ["body.a"]),
        ('{"a": 1, "b": null, "c": 2}', ["body.c"]),
        ('{"a": 2, "a": 1, "b": null}', ["body"]),
        ("", ["body"]),
    ],
)
def test_a_json_body_has_exactly_the_values(content: str, expected: list[str]) -> None:
    request = request_of("", content=content, headers={"Content-Type": "application/json"})
    values = Values({}, {"a": 1, "b": None}, JSON)
    assert places(operation_with(""), values, request) == expected


def test_a_body_that_is_not_documented_is_a_fault() -> None:
    request = request_of("", json={})
    assert places(operation_with(""), Values({}, ABSENT), request) == ["body"]


def test_a_body_has_the_documented_media_type() -> None:
    request = request_of("", content="{}", headers={"Content-Type": "text/plain"})
    assert places(operation_with(""), Values({}, {}, JSON), request) == ["header content-type"]


def test_a_form_has_texts_and_an_object_as_json() -> None:
    form = MediaType("application/x-www-form-urlencoded", {})
    values = Values({}, {"a": "x y", "b": True, "c": [1, 2], "d": {"e": 1}}, form)
    data = {"a": "x y", "b": "true", "c": ["1", "2"], "d": json.dumps({"e": 1})}
    assert places(operation_with(""), values, request_of("", data=data)) == []
    wrong_request = request_of("", data={**data, "b": "True"})
    assert places(operation_with(""), values, wrong_request) == ["body b"]


MULTIPART = MediaType(
    "multipart/form-data",
    {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "title": {"type": "string"},
            "flag": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "meta": {"type": "object"},
        },
    },
)
PARTS = [
    ("file", ("name.txt", b"content", "text/x-test")),
    ("title", (None, "é", "text/plain; charset=utf-8")),
    ("flag", (None, "true")),
    ("tags", (None, "a")),
    ("tags", (None, "b")),
    ("meta", (None, '{"a": 1}', "application/json")),
]
PART_VALUES = Values(
    {},
    {"file": "content", "title": "é", "flag": True, "tags": ["a", "b"], "meta": {"a": 1}},
    MULTIPART,
)


@pytest.mark.parametrize(
    ("index", "part", "expected"),
    [
        (0, ("file", ("name.txt", b"other", "text/x-test")), ["part file"]),
        (0, ("file", (None, b"content", "text/x-test")), ["part file"]),
        (1, ("title", (None, "e", "text/plain")), ["part title"]),
        (1, ("title", ("name", "é", "text/plain")), ["part title"]),
        (2, ("flag", (None, "True")), ["part flag"]),
        (4, ("tag", (None, "b")), ["part tags", "part tag"]),
        (5, ("meta", (None, '{"a": 1}', "text/plain")), ["part meta, type"]),
        (5, ("meta", (None, "{'a': 1}", "application/json")), ["part meta"]),
    ],
)
def test_a_multipart_body_has_exactly_the_parts(
    index: int, part: tuple[str, Any], expected: list[str]
) -> None:
    operation = operation_with("")
    assert places(operation, PART_VALUES, request_of("", files=PARTS)) == []
    parts: list[Any] = [*PARTS]
    parts[index] = part
    assert places(operation, PART_VALUES, request_of("", files=parts)) == expected
