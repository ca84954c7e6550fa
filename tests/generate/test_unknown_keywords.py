"""Keywords and fields that the client does not read have a note. They change no request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main

from tests.generate.packages import loaded_package

Json = dict[str, Any]


def spec_with(schema: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Unknown", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {
            "/thing": {
                "put": {
                    "operationId": "putThing",
                    "tags": ["Things"],
                    "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                    "requestBody": {"required": True, "content": content},
                    "responses": {"200": {"description": "Thing", "content": content}},
                }
            }
        },
    }


OBJECT: Json = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}


def notes_of(spec: Json, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    assert main(["--spec", str(path), "--output", str(folder / "generated")]) == 0
    lines = capsys.readouterr().err.splitlines()
    return [line.partition("note: ")[2] for line in lines]


UNCHECKED: dict[str, Json] = {
    "if": {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"maxProperties": 0}},
    "dependentRequired": {"dependentRequired": {"a": ["b"]}},
    "unevaluatedProperties": {"unevaluatedProperties": False},
    "propertyNames": {"propertyNames": {"pattern": "^[a-z]$"}},
    "not": {"not": {"required": ["a", "b"]}},
    "patternProperties": {"patternProperties": {"^x-": {"type": "integer"}}},
}


@pytest.mark.parametrize("keyword", UNCHECKED)
def test_a_constraint_that_is_not_checked_has_a_note_with_its_line(
    keyword: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_with({**OBJECT, **UNCHECKED[keyword]})
    notes = notes_of(spec, tmp_path, capsys)
    text = (tmp_path / "spec.yaml").read_text(encoding="utf-8").splitlines()
    (note,) = [note for note in notes if f"the client does not check {keyword}" in note]
    line = int(note.removeprefix(f"{tmp_path / 'spec.yaml'}:").partition(":")[0])
    assert text[line - 1].strip().startswith(f"{keyword}:")
    # The contract has only what the client reads.
    contract = json.loads((tmp_path / "generated" / "contract.json").read_text(encoding="utf-8"))
    (operation,) = contract["operations"].values()
    assert keyword not in operation["responses"]["200"]["schema"]


@pytest.mark.parametrize(
    "keywords", [{"gte": 0}, {"optional": True}, {"max_items": 2}, {"$id": "https://a.example"}]
)
def test_an_unknown_keyword_has_a_note(
    keywords: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = notes_of(spec_with({**OBJECT, **keywords}), tmp_path, capsys)
    (name,) = keywords
    assert len([note for note in notes if f"{name} is no keyword of a schema" in note]) == 1


PET: Json = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}},
    "discriminator": {"propertyName": "kind"},
}


def spec_with_pets(pet: Json) -> Json:
    spec = spec_with({"$ref": "#/components/schemas/Pet"})
    reference = {"$ref": "#/components/schemas/Pet"}
    lives = {"type": "object", "properties": {"lives": {"type": "integer"}}}
    spec["components"] = {"schemas": {"Pet": pet, "Cat": {"allOf": [reference, lives]}}}
    return spec


def test_a_discriminator_of_a_parent_has_a_note_that_names_the_children(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = notes_of(spec_with_pets(PET), tmp_path, capsys)

    (note,) = [note for note in notes if "is never read or sent as" in note]
    assert "a value described as Pet is never read or sent as Cat" in note
    assert note.startswith(f"{tmp_path / 'spec.yaml'}:")


def test_a_parent_without_a_discriminator_has_no_note_about_children(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pet = {name: value for name, value in PET.items() if name != "discriminator"}
    notes = notes_of(spec_with_pets(pet), tmp_path, capsys)

    assert not any("is never read or sent as" in note for note in notes)


def test_unknown_fields_have_a_note_for_each_kind_of_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_with(OBJECT)
    path_item = spec["paths"]["/thing"]
    operation = path_item["put"]
    owners = {
        "the document": spec,
        "a path": path_item,
        "an operation": operation,
        "a parameter": operation["parameters"][0],
        "a request body": operation["requestBody"],
        "a response": operation["responses"]["200"],
    }
    for owner in owners.values():
        owner["vendor"] = {"any": ["value"]}
    notes = notes_of(spec, tmp_path, capsys)
    for name in owners:
        assert any(f"vendor is no field of {name}: it has no effect" in note for note in notes)


def test_extensions_have_no_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = spec_with({**OBJECT, "x-vendor": 1})
    spec["x-vendor"] = spec["paths"]["/thing"]["x-vendor"] = 1
    assert not any("no effect" in note for note in notes_of(spec, tmp_path, capsys))


def test_properties_of_a_pattern_are_sent_and_read(tmp_path: Path) -> None:
    schema: Json = {
        **OBJECT,
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
    }
    text = yaml.safe_dump(spec_with(schema))
    with loaded_package(text, tmp_path, "pattern_package") as package:
        assert package.decode({"a": "b", "x-c": 1}).to_dict() == {"a": "b", "x-c": 1}
        assert [finding.path for finding in package.check({"x-c": "d"}).findings] == ['$["x-c"]']
        assert "additional_properties" in package.contracts["put_thing"].arguments


def test_boolean_limits_and_repeated_names_are_read_as_they_are_meant(tmp_path: Path) -> None:
    schema: Json = {
        "type": "object",
        "required": ["a", "a"],
        "properties": {"a": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}},
    }
    text = yaml.safe_dump(spec_with(schema))
    with loaded_package(text, tmp_path, "limit_package") as package:
        assert not package.check({"a": 1}).findings
        assert len(package.check({"a": 0}).findings) == 1
        assert len(package.check({}).findings) == 1


def test_a_document_of_openapi_32_is_read_as_one_of_31(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec: Json = {**spec_with(OBJECT), "openapi": "3.2.0"}
    spec["paths"]["/thing"]["query"] = spec["paths"]["/thing"]["put"]
    notes = notes_of(spec, tmp_path, capsys)
    assert any("OpenAPI 3.2.0 is read as 3.1" in note for note in notes)
    assert any("query is no field of a path" in note for note in notes)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "enum": ["udp", "tcp"], "default": "http"},
        {"type": "string", "enum": ["udp", "tcp"], "default": ["udp"]},
        {"type": "integer", "default": ""},
    ],
)
def test_a_default_that_is_not_valid_has_a_note(
    schema: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_with({"type": "object", "properties": {"a": schema}})
    notes = notes_of(spec, tmp_path, capsys)
    assert any("a default that is not valid is not read" in note for note in notes)
