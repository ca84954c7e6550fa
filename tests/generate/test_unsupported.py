"""Constructs that generation would drop or get wrong are rejected with place and reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.document import SpecError, raise_together
from generate.reading import load_document
from generate.unsupported import find_unsupported

from tests.support.paths import ROOT

Spec = dict[str, Any]
Change = Callable[[Spec], None]

SPEC: Spec = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
PATH = "/conversations/{conversationId}"


@dataclass(frozen=True)
class Unsupported:
    """A change that makes the committed spec unsupported, and a part of the expected message."""

    change: Change
    message: str


def request_schema(spec: Spec) -> Spec:
    schema: Spec = spec["components"]["schemas"]["UpdateConversationRequest"]
    return schema


def operation(spec: Spec) -> Spec:
    node: Spec = spec["paths"][PATH]["put"]
    return node


def with_keywords(**keywords: Any) -> Change:
    """Add keywords to the schema of the body property `locationId`."""

    def change(spec: Spec) -> None:
        request_schema(spec)["properties"]["locationId"].update(keywords)

    return change


def with_request_keywords(**keywords: Any) -> Change:
    """Add keywords to the schema of the request body."""

    def change(spec: Spec) -> None:
        request_schema(spec).update(keywords)

    return change


def with_property(name: str, schema: Any = None) -> Change:
    """Add a property to the request body, a string by default."""

    def change(spec: Spec) -> None:
        request_schema(spec)["properties"][name] = {"type": "string"} if schema is None else schema

    return change


FORM = "application/x-www-form-urlencoded"


def with_path_style(style: str) -> Change:
    """Write the parameter of the path in another style."""

    def change(spec: Spec) -> None:
        operation(spec)["parameters"][0]["style"] = style

    return change


def with_content(media_type: str, schema: Spec, **keywords: Any) -> Change:
    """Replace the body of the request by one of another media type."""

    def change(spec: Spec) -> None:
        content = {media_type: {"schema": schema, **keywords}}
        operation(spec)["requestBody"]["content"] = content

    return change


def with_form(
    properties: Spec, encoding: Spec | None = None, media_type: str = "multipart/form-data"
) -> Change:
    """Replace the body of the request by a form, in which `a` is a text by default."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}, **properties}}
    return with_content(media_type, schema, encoding=encoding or {})


def with_parameter(**keywords: Any) -> Change:
    """Add an array parameter in the query."""
    parameter = {
        "name": "ids",
        "in": "query",
        "schema": {"type": "array", "items": {"type": "string"}},
        **keywords,
    }

    def change(spec: Spec) -> None:
        operation(spec)["parameters"].append(parameter)

    return change


def with_all_of(branch: Spec) -> Change:
    """Add the schema `Whole`: an `allOf` of `Conversation` and another branch."""
    schema = {"allOf": [{"$ref": "#/components/schemas/Conversation"}, branch]}

    def change(spec: Spec) -> None:
        spec["components"]["schemas"]["Whole"] = schema

    return change


def with_path(path: str) -> Change:
    """Add a path with the operations of the existing one."""

    def change(spec: Spec) -> None:
        spec["paths"][path] = spec["paths"][PATH]

    return change


def with_server_url(url: str) -> Change:
    """Replace the URL of the server."""

    def change(spec: Spec) -> None:
        spec["servers"][0]["url"] = url

    return change


UNSUPPORTED: dict[str, Unsupported] = {
    # The server and the paths
    "a server with a variable without a default": Unsupported(
        with_server_url("https://{r}.example"), "a default for each of its variables"
    ),
    "a server with a query": Unsupported(
        with_server_url("https://api.example?v=1"), "without query and fragment"
    ),
    "a server of another scheme": Unsupported(
        with_server_url("wss://api.example"), "must be an http(s) URL"
    ),
    "a path that continues the host": Unsupported(with_path(".evil.example/x"), "begin with /"),
    "a path with a query": Unsupported(with_path("/x?y=1"), "no query"),
    # Parameters
    "the style label": Unsupported(with_path_style("label"), "style label is not supported"),
    "the style matrix": Unsupported(with_path_style("matrix"), "style matrix is not supported"),
    "the style simple in a query": Unsupported(
        with_parameter(style="simple"), "style simple is not supported for a query parameter"
    ),
    "pipeDelimited with explode": Unsupported(
        with_parameter(style="pipeDelimited", explode=True), "style pipeDelimited is undefined"
    ),
    "spaceDelimited for a text": Unsupported(
        with_parameter(style="spaceDelimited", schema={"type": "string"}),
        "style spaceDelimited is undefined",
    ),
    "deepObject for a list": Unsupported(
        with_parameter(style="deepObject"), "style deepObject is defined for objects"
    ),
    "deepObject without explode": Unsupported(
        with_parameter(style="deepObject", explode=False, schema={"type": "object"}),
        "style deepObject is defined for objects",
    ),
    "a list in a cookie with the default of explode": Unsupported(
        with_parameter(**{"in": "cookie"}), "in a cookie needs explode: false"
    ),
    "a list of lists as a parameter": Unsupported(
        with_parameter(schema={"type": "array", "items": {"type": "array", "items": {}}}),
        "a list or an object inside of a parameter is undefined",
    ),
    "deepObject with an object inside": Unsupported(
        with_parameter(
            style="deepObject",
            schema={"type": "object", "properties": {"a": {"anyOf": [{"type": "object"}]}}},
        ),
        "a list or an object inside of a parameter is undefined",
    ),
    **{
        f"the {location} name {name!r}": Unsupported(
            with_parameter(name=name, explode=False, **{"in": location}),
            f"the name of a {location} parameter must have",
        )
        for location in ("header", "cookie")
        for name in ("X:Bad", "session id", "a\r\nb", "é", "", "a;b", "a=b")
    },
    "allowReserved": Unsupported(with_parameter(allowReserved=True), "allowReserved"),
    # Bodies
    "an object as XML": Unsupported(
        with_content("application/xml", {"type": "object"}), "application/xml is a text or a file"
    ),
    "an object as a file": Unsupported(
        with_content("application/pdf", {"type": "object"}), "application/pdf is a text or a file"
    ),
    "a text in another charset": Unsupported(
        with_content("text/plain; charset=iso-8859-1", {"type": "string"}), "writes UTF-8"
    ),
    "a list as a form": Unsupported(
        with_content("multipart/form-data", {"type": "array", "items": {}}), "must be one object"
    ),
    "a list of lists in a form": Unsupported(
        with_form({"a": {"type": "array", "items": {"type": "array", "items": {}}}}),
        "a list of lists is undefined in a form",
    ),
    "a file in an urlencoded form": Unsupported(
        with_form({"a": {"type": "string", "format": "binary"}}, media_type=FORM),
        "a file needs multipart/form-data",
    ),
    "an encoding of nothing": Unsupported(
        with_form({}, {"b": {"contentType": "text/plain"}}), "encoding names 'b'"
    ),
    "headers of a part": Unsupported(
        with_form({}, {"a": {"headers": {"X-A": {"schema": {"type": "string"}}}}}),
        "headers of a part of a form are not supported",
    ),
    "the style of a part": Unsupported(
        with_form({"a": {"type": "array", "items": {}}}, {"a": {"explode": False}}),
        "explode of a part of a form is not supported",
    ),
    "an object of a form as XML": Unsupported(
        with_form({"a": {"type": "object"}}, {"a": {"contentType": "application/xml"}}),
        "cannot write this part as application/xml",
    ),
    "a text of several media types": Unsupported(
        with_form({}, {"a": {"contentType": "text/plain, text/csv"}}),
        "cannot write this part as text/plain, text/csv",
    ),
    # Keywords with another meaning in OpenAPI 3.0 or another dialect
    "a pattern of another dialect": Unsupported(with_keywords(pattern=r"^\p{L}+$"), "pattern"),
    "a misspelled role": Unsupported(
        with_keywords(**{"x-role": "error-mesages"}), "x-role 'error-mesages'"
    ),
    # Keywords that change types
    "prefixItems": Unsupported(
        with_keywords(prefixItems=[{"type": "string"}]), "describe the array with items"
    ),
    "a dynamic reference": Unsupported(
        with_keywords(**{"$dynamicRef": "#node"}), "write it as a $ref"
    ),
    "a property that only a condition describes": Unsupported(
        with_request_keywords(**{"if": {"required": ["a"]}, "then": {"properties": {"b": {}}}}),
        "only a condition describes the property 'b'",
    ),
    "a property that only depends on another one": Unsupported(
        with_request_keywords(dependentSchemas={"feedback": {"properties": {"b": {}}}}),
        "only a condition describes the property 'b'",
    ),
    # Values and subschemas
    "const beside enum": Unsupported(with_keywords(const="a", enum=["a", "b"]), "const and enum"),
    "an enum of lists": Unsupported(with_keywords(enum=[["a"]]), "must be a scalar"),
    "a constant that is an object": Unsupported(with_keywords(const={"a": 1}), "must be a scalar"),
    "a schema that is false": Unsupported(with_property("any", False), "must be a mapping"),
    "items that are false": Unsupported(with_keywords(items=False), "must be a mapping"),
    # allOf
    "an allOf of strings": Unsupported(with_all_of({"type": "string"}), "must be an object"),
    "an allOf with two properties of one name": Unsupported(
        with_all_of({"properties": {"id": {"type": "array"}}}), "have a property 'id'"
    ),
    "an allOf that contains itself": Unsupported(
        with_all_of({"$ref": "#/components/schemas/Whole"}), "contains itself"
    ),
    # Names of properties
    "a property named to_dict": Unsupported(with_property("to_dict"), "'to_dict'"),
    "a property named toDict": Unsupported(with_property("toDict"), "'toDict'"),
    "a property without a name": Unsupported(with_property(""), "must have a name"),
}


def check(spec: Spec, folder: Path) -> None:
    """Write the spec to `spec.yaml` in a folder and check it."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    raise_together(find_unsupported(load_document(path)))


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_unsupported_construct_is_rejected_with_its_line(name: str, tmp_path: Path) -> None:
    case = UNSUPPORTED[name]
    spec = copy.deepcopy(SPEC)
    case.change(spec)

    with pytest.raises(SpecError) as error:
        check(spec, tmp_path)

    assert case.message in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'spec.yaml'}:")


def test_the_committed_spec_is_supported(tmp_path: Path) -> None:
    check(SPEC, tmp_path)


@pytest.mark.parametrize(
    "schema",
    [
        {
            "allOf": [
                {"$ref": "#/components/schemas/Conversation"},
                {"properties": {"new": {"type": "string"}}},
            ]
        },
        {
            "allOf": [{"$ref": "#/components/schemas/LastMessageType"}],
            "description": "Of one branch.",
        },
    ],
    ids=["objects", "one branch"],
)
def test_an_all_of_that_becomes_one_schema_is_supported(schema: Spec, tmp_path: Path) -> None:
    spec = copy.deepcopy(SPEC)
    spec["components"]["schemas"]["Whole"] = schema

    check(spec, tmp_path)


def test_a_property_may_have_the_name_of_a_keyword(tmp_path: Path) -> None:
    spec = copy.deepcopy(SPEC)
    for name in (
        "nullable",
        "example",
        "schema",
        "pattern",
        "required",
        "anyOf",
        "patternProperties",
    ):
        request_schema(spec)["properties"][name] = {"type": "string"}

    check(spec, tmp_path)
