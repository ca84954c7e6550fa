"""A spec may be written in several files, in OpenAPI 3.0, and in forms with the same meaning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.document import Document, SpecError, raise_together
from generate.reading import load_document
from generate.unsupported import find_unsupported
from specdrift.model.document import is_mapping, members

from tests.generate.packages import Json, Package, loaded_package

PETS = """\
openapi: 3.1.0
info: {title: Things, version: "1"}
servers: [{url: "https://api.example"}]
paths:
  /things:
    $ref: "paths/things.yaml#/Things"
components:
  schemas:
    Pet: {type: object, properties: {here: {type: string}}}
    Local: {$ref: "schemas/pets.yaml#/Pet"}
"""

FILES = {
    "paths/things.yaml": """\
Things:
  put:
    operationId: putThing
    tags: [Things]
    parameters:
      - $ref: "../parameters.yaml#/Trace"
    requestBody:
      $ref: "#/Body"
    responses:
      "200":
        $ref: "../responses.yaml"
Body:
  required: true
  content:
    application/json:
      schema:
        $ref: "../schemas/pets.yaml#/Pet"
""",
    "parameters.yaml": "Trace: {name: trace, in: query, schema: {type: string}}\n",
    "responses.yaml": """\
description: A thing
content:
  application/json:
    schema:
      $ref: "schemas/pets.yaml#/Alias"
""",
    "schemas/pets.yaml": """\
Pet:
  type: object
  required: [kind]
  properties:
    kind: {type: string}
    parent: {$ref: "#/Pet"}
    house: {$ref: "./house.json#/$defs/House"}
    example: {$ref: "#/Pet/properties/kind"}
Alias:
  $ref: "#/Pet"
""",
    "schemas/house.json": '{"$defs": {"House": {"type": "object", "properties":'
    ' {"guest": {"$ref": "pets.yaml#/Pet"}}}}}',
}


def written(folder: Path, text: str, files: dict[str, str]) -> Path:
    """Write a spec and the files that it refers to."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    return spec


def references(value: Any) -> list[str]:
    """The texts of all references in a value."""
    texts = [value["$ref"]] if is_mapping(value) and isinstance(value.get("$ref"), str) else []
    for _, child in members(value):
        texts += references(child)
    return texts


def test_parts_in_other_files_become_components_of_one_document(tmp_path: Path) -> None:
    document = load_document(written(tmp_path, PETS, FILES))
    texts = references(document.root)
    assert texts
    for text in texts:
        kind = text.split("/")[2]
        assert text.startswith("#/components/")
        assert text.split("/")[3] in document.root["components"][kind]
    # The name Pet belongs to a component of the spec.
    schemas = document.root["components"]["schemas"]
    assert list(schemas["Pet"]["properties"]) == ["here"]
    assert schemas["Local"] == {"$ref": "#/components/schemas/Pet2"}
    assert schemas["Pet2"]["properties"]["parent"] == {"$ref": "#/components/schemas/Pet2"}
    assert schemas["House"]["properties"]["guest"] == {"$ref": "#/components/schemas/Pet2"}
    # A chain of references is one component, not two of the same schema.
    assert "Alias" not in schemas


def test_a_client_is_generated_from_several_files(tmp_path: Path) -> None:
    written(tmp_path, PETS, FILES)
    with loaded_package(PETS, tmp_path, "several_files") as package:
        pet = package.decode({"kind": "dog", "house": {"guest": {"kind": "cat"}}})
        assert pet.house.guest.kind == "cat"


def test_an_error_in_another_file_names_that_file_and_its_line(tmp_path: Path) -> None:
    pets = FILES["schemas/pets.yaml"].replace("{type: string}", "{type: string, prefixItems: []}")
    spec = written(tmp_path, PETS, {**FILES, "schemas/pets.yaml": pets})
    with pytest.raises(SpecError, match="prefixItems") as raised:
        raise_together(find_unsupported(load_document(spec)))
    assert f"{tmp_path}/schemas/pets.yaml:5: " in str(raised.value)


def test_all_references_that_lead_nowhere_in_other_files_are_reported(tmp_path: Path) -> None:
    files = {
        **FILES,
        "parameters.yaml": "{}\n",
        "schemas/pets.yaml": FILES["schemas/pets.yaml"].replace("house.json", "palace.json"),
    }
    with pytest.raises(SpecError) as raised:
        load_document(written(tmp_path, PETS, files))
    first, second = str(raised.value).splitlines()
    assert first.endswith("$ref '../parameters.yaml#/Trace' points to nothing")
    assert "schemas/pets.yaml:7: " in second
    assert "--map" not in str(raised.value)


def test_a_mapping_of_a_discriminator_can_name_other_files(tmp_path: Path) -> None:
    text = PETS.replace(
        '    Local: {$ref: "schemas/pets.yaml#/Pet"}\n',
        "    Local:\n"
        '      oneOf: [{$ref: "animals.yaml#/Cat"}, {$ref: "animals.yaml#/Dog"}]\n'
        "      discriminator:\n"
        "        propertyName: kind\n"
        '        mapping: {cat: "animals.yaml#/Cat", dog: "animals.yaml#/Dog", pet: Pet}\n',
    )
    animals = "Cat: {type: object}\nDog: {type: object}\n"
    document = load_document(written(tmp_path, text, {**FILES, "animals.yaml": animals}))
    assert document.root["components"]["schemas"]["Local"]["discriminator"]["mapping"] == {
        "cat": "#/components/schemas/Cat",
        "dog": "#/components/schemas/Dog",
        "pet": "Pet",
    }


RETURNING = """\
openapi: 3.1.0
info: {title: Things, version: "1"}
servers: [{url: "https://api.example"}]
paths: {}
components:
  schemas:
    Wheel: {type: object, properties: {car: {$ref: "parts/car.yaml#/Car"}}}
    Moved: {$ref: "parts/car.yaml#/Wheel"}
    Kinds: {type: object, properties: {kind: {type: string, enum: [a, b]}}}
"""


@pytest.mark.parametrize("folder", ["", "parts/..", "link"])
def test_a_reference_back_into_the_spec_leads_to_its_component(folder: str, tmp_path: Path) -> None:
    car = """\
Car:
  type: object
  properties:
    wheel: {$ref: "../spec.yaml#/components/schemas/Wheel"}
    pet:
      oneOf:
        - $ref: "../spec.yaml#/components/schemas/Wheel"
        - $ref: "../spec.yaml#/components/schemas/Kinds"
      discriminator:
        propertyName: kind
        mapping: {a: "../spec.yaml#/components/schemas/Wheel"}
    kind: {$ref: "../spec.yaml#/components/schemas/Kinds/properties/kind"}
    sibling: {$ref: "../parts/../parts/car.yaml#/Car"}
Wheel: {$ref: "../spec.yaml#/components/schemas/Wheel"}
"""
    written(tmp_path, RETURNING, {"parts/car.yaml": car})
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    document = load_document(tmp_path / folder / "spec.yaml")
    schemas = document.root["components"]["schemas"]
    assert list(schemas) == ["Wheel", "Moved", "Kinds", "Car", "kind"]
    assert schemas["Moved"] == component_of("Wheel")
    properties = schemas["Car"]["properties"]
    assert properties["wheel"] == component_of("Wheel")
    assert properties["pet"]["discriminator"]["mapping"] == {"a": "#/components/schemas/Wheel"}
    assert properties["sibling"] == component_of("Car")


def things(schema: Json, version: str = "3.1.0", **components: Json) -> str:
    """A spec whose operation receives and sends a schema."""
    content = {"application/json": {"schema": schema}}
    operation = {
        "operationId": "putThing",
        "tags": ["Things"],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "", "content": content}},
    }
    return yaml.safe_dump(
        {
            "openapi": version,
            "info": {"title": "Things", "version": "1"},
            "servers": [{"url": "https://api.example"}],
            "paths": {"/things": {"put": operation}},
            "components": {"schemas": components},
        }
    )


def component_of(name: str) -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def loaded(schema: Json, folder: Path, version: str = "3.1.0", **components: Json) -> Document:
    """The document of a spec whose operation receives and sends a schema."""
    return load_document(written(folder, things(schema, version, **components), {}))


def body_schema(document: Document) -> Json:
    """The schema of the request body."""
    content = document.root["paths"]["/things"]["put"]["requestBody"]["content"]
    schema: Json = content["application/json"]["schema"]
    return schema


def test_a_reference_into_another_part_of_the_spec_becomes_a_component(tmp_path: Path) -> None:
    pointer = "#/components/schemas/House/properties/garden"
    house = {"type": "object", "properties": {"garden": {"type": "string", "minLength": 3}}}
    document = loaded({"$ref": pointer}, tmp_path, House=house)
    assert body_schema(document) == {"$ref": "#/components/schemas/garden"}
    assert document.root["components"]["schemas"]["garden"]["minLength"] == 3


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        (
            {"type": "string", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
            {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/A"}]}, {"type": "null"}]},
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
            {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        ),
        (
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        (
            {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
            {"type": "integer", "maximum": 9},
        ),
        (
            {"type": "string", "examples": {"first": {"value": "a"}, "second": "b"}},
            {"type": "string", "examples": ["a", "b"]},
        ),
        (
            {"$ref": "#/components/schemas/A", "nullable": True, "minLength": 3},
            {"$ref": "#/components/schemas/A"},
        ),
    ],
)
def test_keywords_of_openapi_30_are_read_as_those_of_31(
    schema: Json, expected: Json, tmp_path: Path
) -> None:
    document = loaded(schema, tmp_path, "3.0.3", A={"type": "object"})
    assert body_schema(document) == expected
    assert document.root["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": ["array", "null"]}, {"type": ["array", "null"], "items": {}}),
        ({"type": "array", "items": True}, {"type": "array", "items": {}}),
        ({"enum": ["a", "b", "a"]}, {"enum": ["a", "b"]}),
        ({"enum": [1, 1.0, True, "1"]}, {"enum": [1, True, "1"]}),
        (
            {"enum": ["a", "a", "b"], "x-enum-varnames": ["A", "A2", "B"]},
            {"enum": ["a", "b"], "x-enum-varnames": ["A", "B"]},
        ),
        (
            {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}}},
            {
                "type": "object",
                "required": ["a", "b"],
                "properties": {"a": {"type": "string"}, "b": {}},
            },
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "additionalProperties": True},
            {"allOf": [{"$ref": "#/components/schemas/A"}]},
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "type": "object"},
            {"allOf": [{"$ref": "#/components/schemas/A"}]},
        ),
        (
            {"allOf": [{"required": ["here"]}, {"$ref": "#/components/schemas/A"}]},
            {"allOf": [{"required": ["here"]}, {"$ref": "#/components/schemas/A"}]},
        ),
        (
            {"allOf": [{"required": ["gone"]}, {"$ref": "#/components/schemas/A"}]},
            {
                "allOf": [{"required": ["gone"]}, {"$ref": "#/components/schemas/A"}],
                "properties": {"gone": {}},
            },
        ),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "required": ["here", "gone"]},
            {
                "allOf": [{"$ref": "#/components/schemas/A"}],
                "required": ["here", "gone"],
                "properties": {"gone": {}},
            },
        ),
        ({"properties": {"any": True}}, {"properties": {"any": {}}}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ],
)
def test_other_forms_are_read_as_equal_ones(schema: Json, expected: Json, tmp_path: Path) -> None:
    component = {"type": "object", "properties": {"here": {"type": "string"}}}
    document = loaded(schema, tmp_path, A=component)
    assert body_schema(document) == expected


def test_extensions_may_stand_beside_a_reference_and_contain_references(tmp_path: Path) -> None:
    schema = {"$ref": "#/components/schemas/A", "x-note": {"$ref": "nowhere.yaml"}}
    document = loaded(schema, tmp_path, A={"type": "object"})
    assert not list(find_unsupported(document))
    assert body_schema(document) == schema


def test_an_extension_that_changes_the_client_may_not_stand_beside_a_reference(
    tmp_path: Path,
) -> None:
    schema = {"$ref": "#/components/schemas/A", "x-role": "rate-limit-key"}
    document = loaded(schema, tmp_path, A={"type": "object"})
    errors = [str(error) for error in find_unsupported(document)]
    # In the request and in the response.
    assert len(errors) == 2
    assert all("keywords beside $ref would be lost: x-role" in error for error in errors)


def test_the_default_values_of_server_variables_are_part_of_the_url(tmp_path: Path) -> None:
    server = (
        'servers: [{url: "https://{host}.example/{path}", variables:'
        " {host: {default: eu}, path: {default: v2}}}]"
    )
    text = PETS.replace('servers: [{url: "https://api.example"}]', server)
    document = load_document(written(tmp_path, text, FILES))
    assert document.root["servers"][0]["url"] == "https://eu.example/v2"


VALUES: Json = {
    "type": "object",
    "properties": {
        "half": {"type": "number", "enum": [0, 0.5, 1]},
        "flag": {"type": "boolean", "enum": [True]},
        "mixed": {"enum": ["auto", 1, 2, None]},
        "limits": {"type": "object", "default": {"a": 1}, "properties": {"a": {}}},
        "tags": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
    },
}


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """A package with enums that have no class, and with defaults that are no scalars."""
    folder = tmp_path_factory.mktemp("values")
    with loaded_package(things(VALUES), folder, "values") as package:
        yield package


@pytest.mark.parametrize(
    ("name", "value"),
    [("half", 0.5), ("half", 1), ("flag", True), ("mixed", "auto"), ("mixed", 2), ("mixed", None)],
)
def test_a_value_of_an_enum_without_class_is_a_plain_value(
    values: Package, name: str, value: object
) -> None:
    assert getattr(values.decode({name: value}), name) == value
    assert not values.check({name: value}).findings


@pytest.mark.parametrize(("name", "value"), [("half", 0.25), ("flag", False), ("mixed", 3)])
def test_another_value_of_an_enum_without_class_is_a_finding(
    values: Package, name: str, value: object
) -> None:
    (finding,) = values.check({name: value}).findings
    assert finding.path == f"$.{name}"


def test_properties_with_similar_names_have_classes_of_their_own(tmp_path: Path) -> None:
    schema: Json = {
        "type": "object",
        "properties": {
            "fieldValue": {"type": "object", "properties": {"a": {"type": "string"}}},
            "field_value": {"type": "object", "properties": {"b": {"type": "string"}}},
        },
    }
    with loaded_package(things(schema), tmp_path, "similar_names") as package:
        decoded = package.decode({"fieldValue": {"a": "1"}, "field_value": {"b": "2"}})
        assert decoded.to_dict() == {"fieldValue": {"a": "1"}, "field_value": {"b": "2"}}
        (first, second) = (getattr(decoded, name) for name in ("fieldValue", "field_value"))
        assert type(first) is not type(second)


def test_a_title_that_several_schemas_share_names_no_class(tmp_path: Path) -> None:
    account: Json = {"title": "Account", "type": "object", "properties": {"a": {"type": "string"}}}
    schema: Json = {
        "type": "object",
        "properties": {"first": account, "second": account, "third": component_of("Third")},
    }
    text = things(schema, Third=account)
    with loaded_package(text, tmp_path, "titles") as package:
        decoded = package.decode({name: {"a": name} for name in ("first", "second", "third")})
        assert [decoded.first.a, decoded.second.a, decoded.third.a] == ["first", "second", "third"]
        assert type(decoded.third).__name__ == "Third"


def test_a_default_that_is_no_scalar_is_left_to_the_api(values: Package) -> None:
    decoded = values.decode({})
    assert "limits" not in decoded.to_dict()
    assert "tags" not in decoded.to_dict()


def test_branches_of_an_object_may_repeat_a_property_and_allow_further_ones(
    tmp_path: Path,
) -> None:
    text: Json = {"type": "string"}
    schema: Json = {
        "allOf": [
            {"type": "object", "properties": {"a": text, "b": text}, "additionalProperties": True},
            {"type": "object", "properties": {"b": text}, "additionalProperties": {}},
        ]
    }
    with loaded_package(things(schema), tmp_path, "branches") as package:
        decoded = package.decode({"a": "1", "b": "2", "c": 3})
        assert (decoded.a, decoded.b, decoded["c"]) == ("1", "2", 3)
        (finding,) = package.check({"a": "1", "b": 2}).findings
        assert finding.path == "$.b"
