"""Inline objects and enums have classes of their own, also in unions and in recursive schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.generate.packages import Json, Package, loaded_package
from tests.generate.reported.trial import describe


def component(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def record(name: str, title: str = "") -> Json:
    """An object with one property."""
    schema: Json = {"type": "object", "properties": {name: {"type": "integer"}}}
    return {"title": title, **schema} if title else schema


COMPONENTS: Json = {
    "SameTitle": {"oneOf": [record("a", "Same"), record("b", "Same")]},
    "SimilarTitle": {"oneOf": [record("a", "Some thing"), record("b", "SomeThing")]},
    "First": {"oneOf": [record("a", "Twin"), {"type": "string"}]},
    "Second": {"oneOf": [record("b", "twin"), {"type": "string"}]},
    "Titled": {"oneOf": [record("a", "Known"), component("Known")]},
    "Known": record("b"),
    "Numbered": {"oneOf": [record("a"), component("NumberedType0")]},
    "NumberedType0": record("b"),
    "Items": {"type": "array", "items": record("a")},
    "ItemsItem": record("b"),
    "Nested": {
        "oneOf": [
            {"type": "string"},
            {"type": "object", "title": "Outer", "properties": {"inner": record("a")}},
        ]
    },
    "Wrapper": {"allOf": [component("Wrapped")]},
    "OtherWrapper": {"oneOf": [component("Wrapped")]},
    "Wrapped": {"type": "object", "properties": {"inner": record("a")}},
    "Enums": {
        "oneOf": [
            {"type": "string", "enum": ["a"], "title": "Word"},
            {"type": "string", "enum": ["b"], "title": "word"},
        ]
    },
    "Errors": {
        "oneOf": [
            {"type": "object", "additionalProperties": component("Errors")},
            component("InnerErrors"),
        ]
    },
    "InnerErrors": {
        "type": "object",
        "required": ["messages"],
        "additionalProperties": False,
        "properties": {"messages": {"type": "array", "items": {"type": "string"}}},
    },
    "Tree": {
        "oneOf": [
            {"type": "object", "properties": {"child": component("Tree")}},
            {"type": "string"},
        ]
    },
    "MapOfLists": {
        "type": ["object", "null"],
        "additionalProperties": {"type": "array", "items": component("MapOfLists")},
    },
    "Left": {
        "oneOf": [
            {"type": "object", "additionalProperties": component("Right")},
            {"type": "string"},
        ]
    },
    "Right": {"anyOf": [{"type": "object", "properties": {"left": component("Left")}}]},
}

DECODED: tuple[tuple[str, object, str], ...] = (
    ("SameTitle", {"a": 1}, "SameTitleType0(a=1)"),
    ("SameTitle", {"b": 1}, "SameTitleType1(b=1)"),
    ("SimilarTitle", {"a": 1}, "SomeThing(a=1)"),
    ("SimilarTitle", {"b": 1}, "SomeThing2(b=1)"),
    ("First", {"a": 1}, "Twin(a=1)"),
    ("Second", {"b": 1}, "Twin2(b=1)"),
    ("Second", "b", "'b'"),
    ("Titled", {"a": 1}, "Known2(a=1)"),
    ("Titled", {"b": 1}, "Known(b=1)"),
    ("Numbered", {"a": 1}, "NumberedType02(a=1)"),
    ("Numbered", {"b": 1}, "NumberedType0(b=1)"),
    ("Items", [{"a": 1}], "[ItemsItem2(a=1)]"),
    ("ItemsItem", {"b": 1}, "ItemsItem(b=1)"),
    ("Nested", {"inner": {"a": 1}}, "Outer(inner=OuterInner(a=1))"),
    ("Wrapper", {"inner": {"a": 1}}, "Wrapped(inner=WrappedInner(a=1))"),
    ("OtherWrapper", {"inner": {"a": 1}}, "Wrapped(inner=WrappedInner(a=1))"),
    ("Enums", "a", "Word.A"),
    ("Enums", "b", "Word2.B"),
    ("Errors", {"messages": ["m"]}, "InnerErrors(messages=['m'])"),
    (
        "Errors",
        {"a": {"b": {"messages": ["m"]}}},
        "ErrorsType0('a': ErrorsType0('b': InnerErrors(messages=['m'])))",
    ),
    ("Tree", {"child": {"child": "leaf"}}, "TreeType0(child=TreeType0(child='leaf'))"),
    (
        "MapOfLists",
        {"a": [{"b": [None]}, None]},
        "MapOfListsType0('a': [MapOfListsType0('b': [None]), None])",
    ),
    (
        "Left",
        {"r": {"left": {"s": {"left": "end"}}}},
        "LeftType0('r': RightType0(left=LeftType0('s': RightType0(left='end'))))",
    ),
)
"""Components, each with a value and its description."""

SPEC: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Inline classes", "version": "1"},
    "servers": [{"url": "https://api.example"}],
    "paths": {
        "/things": {
            "put": {
                "operationId": "putThing",
                "tags": ["Things"],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {name: component(name) for name in COMPONENTS},
                                }
                            }
                        },
                    }
                },
            }
        }
    },
    "components": {"schemas": COMPONENTS},
}


@pytest.fixture(scope="module", name="package")
def package_with_inline_classes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    text = yaml.safe_dump(SPEC, sort_keys=False)
    with loaded_package(text, tmp_path_factory.mktemp("inline"), "inline_client") as package:
        yield package


@pytest.mark.parametrize(("name", "value", "description"), DECODED)
def test_a_value_becomes_the_class_of_its_schema(
    package: Package, name: str, value: object, description: str
) -> None:
    body = {name: value}

    assert package.check(body).findings == ()
    decoded: Any = package.decode(body)
    assert decoded.to_dict() == body
    _, _, text = describe(decoded).partition("=")
    assert text == f"{description})"
