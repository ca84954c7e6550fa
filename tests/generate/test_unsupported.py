"""A spec with something that would be left out or got wrong is refused, with the place and the reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.document import SpecError
from generate.load import load_document
from generate.unsupported import check_supported

from tests.support.paths import ROOT

SPEC: dict[str, Any] = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
PATH = "/conversations/{conversationId}"


def request_schema(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["schemas"]["UpdateConversationRequest"]
    return found


def operation(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["paths"][PATH]["put"]
    return found


def prop(**keywords: Any) -> Callable[[dict[str, Any]], object]:
    return lambda spec: request_schema(spec)["properties"]["locationId"].update(keywords)


def parameter(**keywords: Any) -> Callable[[dict[str, Any]], object]:
    added = {
        "name": "ids",
        "in": "query",
        "schema": {"type": "array", "items": {"type": "string"}},
        **keywords,
    }
    return lambda spec: operation(spec)["parameters"].append(added)


def named(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda spec: request_schema(spec)["properties"].update({name: {"type": "string"}})


def all_of(branch: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
    whole = {"allOf": [{"$ref": "#/components/schemas/Conversation"}, branch]}
    return lambda spec: spec["components"]["schemas"].update(Whole=whole)


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no server": (lambda spec: spec.pop("servers"), "absolute http(s) URL"),
    "a relative server": (
        lambda spec: spec["servers"][0].update(url="/v1"),
        "absolute http(s) URL",
    ),
    "a server with variables": (
        lambda spec: spec["servers"][0].update(url="https://{r}.example"),
        "without variables",
    ),
    "a server of an operation": (
        lambda spec: operation(spec).update(servers=[]),
        "servers of one operation",
    ),
    "a path that continues the host": (
        lambda spec: spec["paths"].update({".evil.example/x": spec["paths"][PATH]}),
        "begin with /",
    ),
    "a path with a query": (
        lambda spec: spec["paths"].update({"/x?y=1": spec["paths"][PATH]}),
        "no query",
    ),
    "a key as credential": (
        lambda spec: spec["components"]["securitySchemes"]["bearer"].update(
            type="apiKey", name="k", **{"in": "header"}
        ),
        "only bearer tokens",
    ),
    "explode: false": (parameter(explode=False), "only style form"),
    "pipeDelimited": (parameter(style="pipeDelimited"), "only style form"),
    "deepObject": (parameter(style="deepObject"), "only style form"),
    "allowReserved": (parameter(allowReserved=True), "allowReserved"),
    "nullable": (prop(nullable=True), "OpenAPI 3.0"),
    "exclusiveMinimum: true": (prop(exclusiveMinimum=True), "is a number"),
    "a pattern of another dialect": (prop(pattern=r"^\p{L}+$"), "pattern"),
    "a misspelt role": (prop(**{"x-role": "error-mesages"}), "x-role 'error-mesages'"),
    "patternProperties": (prop(patternProperties={"^a": {}}), "patternProperties"),
    "a keyword beside $ref": (
        lambda spec: request_schema(spec)["properties"]["feedback"].update(minProperties=1),
        "beside $ref would be lost: minProperties",
    ),
    "a keyword that data is not held against": (
        prop(contains={"type": "string"}),
        "contains is not a keyword",
    ),
    "a misspelt keyword": (prop(maxlength=5), "maxlength is not a keyword"),
    "if": (prop(**{"if": {"minLength": 1}, "then": {"pattern": "^a"}}), "if is not a keyword"),
    "not": (prop(**{"not": {"const": "x"}}), "not is not a keyword"),
    "prefixItems": (prop(prefixItems=[{"type": "string"}]), "prefixItems is not a keyword"),
    "const beside enum": (prop(const="a", enum=["a", "b"]), "const and enum"),
    "a schema that is true": (
        lambda spec: request_schema(spec)["properties"].update(any=True),
        "must be a mapping",
    ),
    "items that are false": (prop(items=False), "must be a mapping"),
    "a required name that is none": (
        lambda spec: request_schema(spec)["required"].append("nope"),
        "'nope'",
    ),
    "properties beside anyOf": (
        lambda spec: request_schema(spec).update(anyOf=[{"required": ["starred"]}]),
        "anyOf",
    ),
    "uniqueItems": (prop(uniqueItems=True), "uniqueItems is not a keyword"),
    "multipleOf": (prop(multipleOf=2), "multipleOf is not a keyword"),
    "minProperties": (prop(minProperties=1), "minProperties is not a keyword"),
    "maxProperties": (prop(maxProperties=1), "maxProperties is not a keyword"),
    "an enum of lists": (prop(enum=[["a"]]), "must be a scalar"),
    "a constant that is an object": (prop(const={"a": 1}), "must be a scalar"),
    "an allOf with more than properties": (
        all_of({"type": "object", "additionalProperties": False}),
        "additionalProperties would be lost",
    ),
    "an allOf of forms": (all_of({"anyOf": [{"type": "object"}]}), "anyOf would be lost"),
    "an allOf of texts": (all_of({"type": "string"}), "must be an object"),
    "an allOf that names one property twice": (
        all_of({"properties": {"id": {"type": "string"}}}),
        "have a property 'id'",
    ),
    "an allOf that requires what none has": (
        all_of({"required": ["nope"]}),
        "required names 'nope'",
    ),
    "an allOf that contains itself": (
        all_of({"$ref": "#/components/schemas/Whole"}),
        "contains itself",
    ),
    "a property called to_dict": (named("to_dict"), "'to_dict'"),
    "a property called d": (named("d"), "'d'"),
    "a property without a name": (named(""), "must have a name"),
}


def checked(spec: dict[str, Any], folder: Path) -> None:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    check_supported(load_document(path))


@pytest.mark.parametrize("name", CASES)
def test_what_would_be_left_out_or_got_wrong_is_refused_with_its_line(
    name: str, tmp_path: Path
) -> None:
    change, reason = CASES[name]
    spec = copy.deepcopy(SPEC)
    change(spec)

    with pytest.raises(SpecError) as caught:
        checked(spec, tmp_path)

    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'spec.yaml'}:")


def test_the_spec_as_it_is_has_nothing_of_the_kind(tmp_path: Path) -> None:
    checked(SPEC, tmp_path)


@pytest.mark.parametrize(
    "whole",
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
)
def test_an_all_of_that_becomes_one_schema_is_not_refused(
    whole: dict[str, Any], tmp_path: Path
) -> None:
    spec = copy.deepcopy(SPEC)
    spec["components"]["schemas"]["Whole"] = whole

    checked(spec, tmp_path)


def test_a_property_that_is_called_like_a_keyword_is_none(tmp_path: Path) -> None:
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

    checked(spec, tmp_path)
