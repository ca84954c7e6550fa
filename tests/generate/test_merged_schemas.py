"""Schemas that all apply to the same data are read as one schema, if the meaning is clear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.check import check_spec
from generate.document import Document, SpecError, is_list, is_mapping
from generate.notes import find_notes
from generate.reading import load_document
from generate.reading.merge import CONSTRAINTS, UnmergeableError, merged
from generate.sources import Sources
from specdrift.loading import ParsedFile

from tests.generate.packages import Package, loaded_package

Json = dict[str, Any]

COMPONENTS: Json = {
    "Colour": {"type": "string", "enum": ["red", "green", "blue"]},
    "Text": {"type": "string"},
    "Choice": {"type": "string", "oneOf": [{"const": "a"}, {"const": "b", "title": "Second"}]},
    "Base": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "tags": {"type": "array", "items": {}}},
    },
    "Cat": {"type": "object", "required": ["claws"], "properties": {"claws": {"type": "integer"}}},
    "Dog": {"type": "object", "required": ["bark"], "properties": {"bark": {"type": "boolean"}}},
    "Union": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/Cat"}]},
    "Nothing": {
        "oneOf": [
            {"$ref": "#/components/schemas/Cat"},
            {"type": ["object", "null"], "additionalProperties": False},
        ]
    },
    "Closed": {
        "type": "object",
        "properties": {"size": {"type": "integer", "minimum": 1}},
        "additionalProperties": False,
    },
    "Tree": {
        "type": "object",
        "properties": {"child": {"$ref": "#/components/schemas/Tree"}, "name": {"type": "string"}},
    },
}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def objects(*branches: Json) -> Json:
    return {"allOf": list(branches)}


def properties(**members: Json) -> Json:
    return {"type": "object", "properties": members}


def spec_with(schema: Json, **components: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Merged", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {
            "/thing": {
                "put": {
                    "operationId": "putThing",
                    "tags": ["Things"],
                    "responses": {"200": {"description": "Thing", "content": content}},
                }
            }
        },
        "components": {"schemas": {**COMPONENTS, **components}},
    }


def read(schema: Json, folder: Path, **components: Json) -> Json:
    """The schema as the generator reads it."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec_with(schema, **components)), encoding="utf-8")
    document = load_document(path)
    check_spec(document)
    operation = document.root["paths"]["/thing"]["put"]
    result: Json = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return result


MERGED: dict[str, tuple[Json, Json]] = {
    "a description as a branch": (
        objects(ref("Colour"), {"description": "Of the thing."}),
        {"allOf": [ref("Colour")], "description": "Of the thing."},
    ),
    "a type that the reference has": (
        objects(ref("Union"), {}),
        {"allOf": [ref("Union")]},
    ),
    "a repeated type": (
        objects(ref("Colour"), {"type": ["string", "null"], "description": "D"}),
        {"allOf": [ref("Colour")], "description": "D"},
    ),
    "an enum beside a reference to an enum": (
        {"allOf": [ref("Colour")], "enum": ["red", "black"]},
        {"type": "string", "enum": ["red"]},
    ),
    "an enum and a union of constants": (
        {"allOf": [ref("Choice")], "enum": ["b"]},
        {"type": "string", "const": "b", "title": "Second"},
    ),
    "limits": (
        objects({"type": "number", "minimum": 1, "maximum": 9}, {"type": "integer", "minimum": 3}),
        {"type": "integer", "minimum": 3, "maximum": 9},
    ),
    "constraints beside a reference": (
        {**ref("Base"), "required": ["tags"], "description": "D"},
        {
            "description": "D",
            "allOf": [ref("Base"), {"required": ["tags"]}],
        },
    ),
    "a property that is described twice": (
        objects(ref("Base"), properties(id={"type": "string", "description": "D"})),
        {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "description": "D"},
                "tags": {"type": "array", "items": {}},
            },
        },
    ),
    "a more specific property": (
        objects(
            properties(data={"type": "array", "items": {"type": "object"}}),
            properties(data={"type": "array", "items": ref("Cat")}),
        ),
        properties(data={"type": "array", "items": ref("Cat")}),
    ),
    "additionalProperties: false": (
        {**objects(ref("Cat"), ref("Closed")), "additionalProperties": False},
        {
            "type": "object",
            "required": ["claws"],
            "properties": {
                "claws": {"type": "integer"},
                "size": {"type": "integer", "minimum": 1},
            },
            "additionalProperties": False,
        },
    ),
    "a schema of further properties": (
        objects(ref("Cat"), {"type": "object", "additionalProperties": {"type": "string"}}),
        {
            "type": "object",
            "required": ["claws"],
            "properties": {"claws": {"type": "integer"}},
            "additionalProperties": {"type": "string"},
        },
    ),
    "a union of one branch": (
        objects(ref("Cat"), {"oneOf": [ref("Dog")]}),
        {
            "type": "object",
            "required": ["claws", "bark"],
            "properties": {"claws": {"type": "integer"}, "bark": {"type": "boolean"}},
        },
    ),
    "properties beside alternatives of required names": (
        {**properties(a={}, b={}), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        properties(a={}, b={}),
    ),
    "required names beside allOf": (
        {**objects(ref("Cat"), ref("Dog")), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        objects(ref("Cat"), ref("Dog")),
    ),
    "null beside properties": (
        {**properties(a={}), "anyOf": [{"type": "null"}, {"required": ["a"]}]},
        {**properties(a={}), "required": ["a"]},
    ),
    "a format beside a reference": (
        {**ref("Text"), "format": "date-time", "description": "D"},
        {"type": "string", "format": "date-time", "description": "D"},
    ),
    "an annotation beside a reference": (
        {**ref("Cat"), "xml": {"name": "cat"}},
        {"allOf": [ref("Cat")], "xml": {"name": "cat"}},
    ),
    "a schema that contains itself": (
        objects(ref("Tree"), properties(name={"type": "string", "description": "D"})),
        properties(child=ref("Tree"), name={"type": "string", "description": "D"}),
    ),
}


@pytest.mark.parametrize("name", MERGED)
def test_schemas_with_a_clear_common_meaning_become_one(name: str, tmp_path: Path) -> None:
    schema, expected = MERGED[name]
    assert read(schema, tmp_path) == expected


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (objects({"type": "string"}, {"type": "integer"}), "must be an object"),
        ({"allOf": [ref("Colour")], "enum": ["black"]}, "enum would be lost"),
        (
            objects({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}),
            "pattern would be lost",
        ),
        (
            objects(ref("Date"), {"type": "string", "format": "uuid"}),
            "format would be lost",
        ),
        (
            objects(
                {"type": "string", "contentEncoding": "base64"},
                {"type": "string", "contentEncoding": "base16"},
            ),
            "contentEncoding would be lost",
        ),
        (
            objects(properties(a=ref("Date")), properties(a={"type": "string", "format": "uuid"})),
            "have a property 'a'",
        ),
        (objects(ref("Loop"), properties(a={"type": "string"})), "contains itself"),
        (
            objects(properties(a={"type": "string"}), properties(a={"type": "integer"})),
            "have a property 'a'",
        ),
    ],
    ids=[
        "types",
        "values",
        "patterns",
        "formats",
        "encodings",
        "formats of a property",
        "loop",
        "properties",
    ],
)
def test_schemas_without_a_common_meaning_are_rejected(
    schema: Json, message: str, tmp_path: Path
) -> None:
    loop = objects(ref("Loop"), properties(b={}))
    date = {"type": "string", "format": "date"}
    with pytest.raises(SpecError, match=message):
        read(schema, tmp_path, Loop=loop, Date=date)


DIFFERENT_VALUES: dict[str, tuple[Any, Any]] = {
    "$ref": ("#/components/schemas/Cat", "#/components/schemas/Dog"),
    "additionalProperties": (True, {"type": "string"}),
    "allOf": ([ref("Cat")], [ref("Dog")]),
    "anyOf": ([{"const": "a"}, {"const": "b"}], [{"const": "b"}, {"const": "c"}]),
    "const": ("a", "b"),
    "contentEncoding": ("base64", "base16"),
    "contentMediaType": ("image/png", "image/jpeg"),
    "enum": (["a", "b"], ["b", "c"]),
    "exclusiveMaximum": (1, 2),
    "exclusiveMinimum": (1, 2),
    "format": ("date", "uuid"),
    "items": ({"minimum": 1}, {"minimum": 2}),
    "maxItems": (1, 2),
    "maxLength": (1, 2),
    "maxProperties": (1, 2),
    "maximum": (1, 2),
    "minItems": (1, 2),
    "minLength": (1, 2),
    "minProperties": (1, 2),
    "minimum": (1, 2),
    "multipleOf": (2, 3),
    "oneOf": ([{"const": "a"}, {"const": "b"}], [{"const": "b"}, {"const": "c"}]),
    "pattern": ("a", "b"),
    "properties": ({"a": {"minimum": 1}}, {"a": {"minimum": 2}}),
    "required": (["a"], ["b"]),
    "type": ("integer", "number"),
    "uniqueItems": (True, False),
}
"""Two values of each keyword that decides about data or its Python type."""

CONTRADICTIONS = {
    "const",
    "contentEncoding",
    "contentMediaType",
    "format",
    "multipleOf",
    "pattern",
}
"""The keywords whose two values no schema has in common."""


def test_the_different_values_are_of_all_constraints() -> None:
    assert DIFFERENT_VALUES.keys() == CONSTRAINTS


@pytest.mark.parametrize("keyword", sorted(CONSTRAINTS))
def test_no_constraint_is_lost_because_another_schema_follows(keyword: str) -> None:
    document = Document(Path("spec.yaml"), spec_with({}), Sources(ParsedFile.parse("", b"{}"), {}))
    first, second = [{keyword: value} for value in DIFFERENT_VALUES[keyword]]
    if keyword in CONTRADICTIONS:
        for schemas in ((first, second), (second, first)):
            with pytest.raises(UnmergeableError):
                merged(document, schemas)
        return
    one_order = merged(document, (first, second))
    other_order = merged(document, (second, first))
    assert without_order(one_order) == without_order(other_order)


def without_order(value: Any) -> Any:
    """A value in which the order of lists and keys does not matter."""
    if is_mapping(value):
        return {key: without_order(child) for key, child in value.items()}
    if is_list(value):
        return sorted(json.dumps(without_order(child), sort_keys=True) for child in value)
    return value


def test_of_two_formats_of_numbers_the_stricter_one_applies(tmp_path: Path) -> None:
    for formats in (("int32", "int64"), ("int64", "int32")):
        branches = [{"type": "integer", "format": name} for name in formats]
        assert read(objects(*branches), tmp_path) == {"type": "integer", "format": "int32"}


def test_a_union_that_is_not_checked_has_a_note(tmp_path: Path) -> None:
    schema, _ = MERGED["properties beside alternatives of required names"]
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec_with(schema)), encoding="utf-8")
    notes = find_notes(load_document(path))
    (note,) = [note for note in notes if "required together" in note]
    line = next(
        number
        for number, text in enumerate(path.read_text().splitlines(), start=1)
        if "anyOf" in text
    )
    assert note.startswith(f"{path}:{line}: anyOf beside properties")


@pytest.fixture(scope="module", name="package")
def generated_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    member: Json = {
        "animal": {**properties(name={"type": "string"}), "oneOf": [ref("Cat"), ref("Dog")]},
        "colour": {"allOf": [ref("Colour")], "enum": ["red"]},
        "described": objects(COMPONENTS["Nothing"], {"description": "D"}),
        "referenced": objects(ref("Nothing"), {"description": "D"}),
        "nullable": {"allOf": [ref("Cat")], "type": "object", "nullable": True},
        "pets": objects(
            properties(data={"type": "array", "items": {"type": "object"}}),
            properties(data={"type": "array", "items": ref("Cat")}),
        ),
    }
    text = yaml.safe_dump(spec_with(properties(**member)))
    with loaded_package(text, tmp_path_factory.mktemp("merged"), "merged_package") as package:
        yield package


def test_the_models_of_merged_schemas_read_and_write_the_same_data(package: Package) -> None:
    body = {
        "animal": {"name": "Tom", "claws": 18},
        "colour": "red",
        "nullable": None,
        "pets": {"data": [{"claws": 20}]},
    }
    thing = package.decode(body)
    assert (thing.animal.name, thing.animal.claws) == ("Tom", 18)
    assert thing.colour.value == "red"
    assert thing.nullable is None
    assert type(thing.pets.data[0]) is package.models.Cat
    assert thing.to_dict() == body
    assert not package.check(body).findings


def test_a_described_union_is_decoded_as_the_union(package: Package) -> None:
    for value in (None, {}, {"claws": 1}):
        for name in ("described", "referenced"):
            thing = package.decode({name: value})
            assert thing.to_dict() == {name: value}


def test_a_component_with_a_branch_that_adds_nothing_has_a_class_of_its_own(
    tmp_path: Path,
) -> None:
    components = {
        "Rule": objects(ref("RuleCreate"), {"type": "object"}),
        "RuleCreate": properties(params=properties(limit={"type": "integer"})),
    }
    spec = spec_with(properties(rule=ref("Rule"), draft=ref("RuleCreate")), **components)
    with loaded_package(yaml.safe_dump(spec), tmp_path, "alias_package") as package:
        thing = package.decode({"rule": {"params": {"limit": 1}}, "draft": {}})
        assert type(thing.rule) is package.models.Rule
        assert thing.rule.params.limit == 1


def test_a_branch_of_a_union_has_the_properties_beside_it(package: Package) -> None:
    dog = package.decode({"animal": {"name": "Rex", "bark": True}}).animal
    cat = package.decode({"animal": {"name": "Tom", "claws": 18}}).animal
    assert type(dog) is not type(cat)
    assert (dog.name, dog.bark) == ("Rex", True)
    findings = package.check({"animal": {"name": 1, "claws": 18}}).findings
    assert [finding.path for finding in findings] == ["$.animal.name"]
