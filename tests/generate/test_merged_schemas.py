"""Schemas that all apply to the same data are read as one schema, if the meaning is clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.check import check_spec
from generate.document import SpecError
from generate.notes import find_notes
from generate.reading import load_document

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
        (objects(ref("Loop"), properties(a={"type": "string"})), "contains itself"),
        (
            objects(properties(a={"type": "string"}), properties(a={"type": "integer"})),
            "have a property 'a'",
        ),
    ],
    ids=["types", "values", "patterns", "loop", "properties"],
)
def test_schemas_without_a_common_meaning_are_rejected(
    schema: Json, message: str, tmp_path: Path
) -> None:
    loop = objects(ref("Loop"), properties(b={}))
    with pytest.raises(SpecError, match=message):
        read(schema, tmp_path, Loop=loop)


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
    assert [finding.path for finding in findings] == ["$.animal"]
