"""A property or parameter can have the name of any variable that generated code uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from generate.__main__ import main
from openapi_python_client.strings import PythonIdentifier

from tests.generate.packages import Json, Package, loaded_package

MEMBERS = frozenset({"additional_keys", "additional_properties", "from_dict", "to_dict"})
"""Members of each model, which a property cannot replace."""

OBJECT: Json = {"$ref": "#/components/schemas/Entry"}
MOMENT: Json = {"type": "string", "format": "date-time"}


def array(items: Json) -> Json:
    return {"type": "array", "items": items}


STRUCTURES: Json = {
    "x": array(OBJECT),
    "required_x": array(OBJECT),
    "nested": array(array(OBJECT)),
    "shared": {"$ref": "#/components/schemas/Entries"},
    "either": {"oneOf": [array(OBJECT), {"type": "integer"}]},
    "required_either": {"oneOf": [array(array(OBJECT)), {"type": "integer"}]},
    "choices": array({"anyOf": [MOMENT, OBJECT, {"type": "integer"}]}),
    "moment": MOMENT,
    "moments": array(MOMENT),
    "kind": {"type": "string", "enum": ["a", "b"]},
    "entry": OBJECT,
    "by_name": {"type": "object", "additionalProperties": array(array(OBJECT))},
}
"""Properties for which generated code needs variables."""

TEXT_OF_MOMENT = "2021-01-02T03:04:05+00:00"
ENTRIES: list[Json] = [{"n": 1}, {"n": 2}]
VALUES: Json = {
    "x": ENTRIES,
    "required_x": ENTRIES,
    "nested": [ENTRIES, []],
    "shared": ENTRIES,
    "either": ENTRIES,
    "required_either": [ENTRIES],
    "choices": [TEXT_OF_MOMENT, {"n": 3}, 4],
    "moment": TEXT_OF_MOMENT,
    "moments": [TEXT_OF_MOMENT],
    "kind": "b",
    "entry": {"n": 5},
    "by_name": {"k": [ENTRIES]},
}
REQUIRED = ["required_x", "required_either"]


def spec(names: list[str]) -> str:
    """A spec that uses names before and after the properties that need variables.

    Half of the names are required. Responses require no property, so that they are in a body too.
    """
    texts: Json = {name: {"type": "string"} for name in names}
    half = len(names) // 2
    first = dict(list(texts.items())[:half])
    last = dict(list(texts.items())[half:])
    required = [*REQUIRED, *names[::2]]
    thing = {
        "type": "object",
        "required": required,
        "properties": {**first, **STRUCTURES, **last},
        "additionalProperties": array({"anyOf": [OBJECT, {"type": "integer"}]}),
    }
    form: Json = {"type": "object", "required": names[::2], "properties": texts}
    parameters = [
        {"name": name, "in": location, "schema": {"type": "string"}}
        for location, chosen in (("query", names[::2]), ("header", names[1::2]))
        for name in chosen
    ]
    whole = {"required": True, "content": {"application/json": {"schema": thing}}}
    nothing = {"204": {"description": "Nothing"}}
    component = {"$ref": "#/components/schemas/Thing"}
    return yaml.safe_dump(
        {
            "openapi": "3.1.0",
            "info": {"title": "Names", "version": "1"},
            "servers": [{"url": "https://api.example"}],
            "paths": {
                "/things": {
                    "get": {
                        "operationId": "getThing",
                        "tags": ["Things"],
                        "parameters": parameters,
                        "responses": {
                            "200": {
                                "description": "Thing",
                                "content": {"application/json": {"schema": component}},
                            }
                        },
                    },
                    "put": {
                        "operationId": "putThing",
                        "tags": ["Things"],
                        "requestBody": whole,
                        "responses": nothing,
                    },
                    "post": {
                        "operationId": "postForm",
                        "tags": ["Things"],
                        "requestBody": {
                            "required": True,
                            "content": {"application/x-www-form-urlencoded": {"schema": form}},
                        },
                        "responses": nothing,
                    },
                }
            },
            "components": {
                "schemas": {
                    "Entry": {"type": "object", "properties": {"n": {"type": "integer"}}},
                    "Entries": array(OBJECT),
                    "Thing": thing,
                }
            },
        },
        sort_keys=False,
    )


def variable_names(folder: Path) -> list[str]:
    """The names in all generated modules, one for each Python name that becomes of a property."""
    spec_file = folder / "first.yaml"
    spec_file.write_text(spec([]), encoding="utf-8")
    assert main(["--spec", str(spec_file), "--output", str(folder / "first")]) == 0
    names: set[str] = set()
    for file in (folder / "first").rglob("*.py"):
        names |= names_in(ast.parse(file.read_text(encoding="utf-8")))
    by_python_name = {python_name_of(name): name for name in sorted(names)}
    for name in (*MEMBERS, *STRUCTURES):
        by_python_name.pop(name, None)
    return sorted(by_python_name.values())


def names_in(module: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add(alias or name.rpartition(".")[2])
            case _:
                pass
    return names


def python_name_of(name: str) -> str:
    return str(PythonIdentifier(name, "field_"))


@pytest.fixture(scope="module", name="names")
def names_of_variables(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return variable_names(tmp_path_factory.mktemp("variables"))


@pytest.fixture(scope="module", name="package")
def package_with_names(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Package]:
    folder = tmp_path_factory.mktemp("names")
    with loaded_package(spec(names), folder, "variable_names_client") as package:
        yield package


def test_the_names_contain_those_of_variables_and_helpers(names: list[str]) -> None:
    assert {
        "cls",
        "d",
        "field_dict",
        "json_value",
        "prop_name",
        "src_dict",
        "x_item",
        "x_item_data",
        "either_type_0_item",
    } <= set(names)


@pytest.mark.parametrize("model", ["Thing", "PutThingBody"])
def test_a_model_keeps_the_values_of_properties_with_names_of_variables(
    package: Package, names: list[str], model: str
) -> None:
    body = {**{name: f"value of {name}" for name in names}, **VALUES, "more": [{"n": 9}, 10]}
    decoded: Any = getattr(package.models, model).from_dict(body)
    assert decoded.to_dict() == body
    for name in names:
        assert getattr(decoded, python_name_of(name)) == f"value of {name}"
    assert [entry.n for entry in decoded.x] == [1, 2]
    assert [entry.n for entry in decoded.either] == [1, 2]
    assert [entry.n for entry in decoded.by_name["k"][0]] == [1, 2]
    assert decoded.additional_properties["more"][0].n == 9


def test_a_response_keeps_the_values_of_properties_with_names_of_variables(
    package: Package, names: list[str]
) -> None:
    body = {**{name: f"value of {name}" for name in names}, **VALUES}
    assert package.decode(body, name="get_thing").to_dict() == body


def built(package: Package, method: str, values: Json, **others: Any) -> Json:
    """The request of a method with values for its arguments, by their names in the spec."""
    arguments = {
        argument: values[contract.entry["name"]]
        for argument, contract in package.contracts[method].arguments.items()
        if contract.entry["name"] in values
    }
    assert len(arguments) == len(values)
    request: Json = package.operations[method].build(**arguments, **others)
    return request


def test_a_request_has_the_parameters_with_names_of_variables(
    package: Package, names: list[str]
) -> None:
    request = built(package, "get_thing", {name: f"value-of-{name}" for name in names})
    for name in names[::2]:
        assert f"{name}=value-of-{name}" in request["url"]
    assert request["headers"] == {name: f"value-of-{name}" for name in names[1::2]}


def test_a_json_body_has_the_properties_with_names_of_variables(
    package: Package, names: list[str]
) -> None:
    values = {**{name: f"value of {name}" for name in names}, **VALUES}
    assert built(package, "put_thing", values, additional_properties={})["json"] == values


def test_a_form_has_the_properties_with_names_of_variables(
    package: Package, names: list[str]
) -> None:
    values = {name: f"value of {name}" for name in names}
    request = built(package, "post_form", values)
    assert dict(parse_qsl(request["content"].decode())) == values


def test_a_schema_can_have_the_name_of_a_variable(tmp_path: Path) -> None:
    names = ("D", "Cls", "FieldDict", "SrcDict", "Source", "Instance", "Prop", "PropName")
    schemas: Json = {name: {"type": "object", "properties": {"a": array(OBJECT)}} for name in names}
    text: Json = yaml.safe_load(spec([]))
    text["components"]["schemas"] |= schemas
    with loaded_package(yaml.safe_dump(text), tmp_path, "schema_names_client") as package:
        for name in names:
            body = {"a": [{"n": 1}], "more": 2}
            model: Any = getattr(package.models, name)
            assert model.from_dict(body).to_dict() == body


@pytest.mark.parametrize("name", ["toDict", "additionalProperties", "from-dict", "to_dict"])
def test_a_property_with_the_python_name_of_a_member_is_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(spec([name]), encoding="utf-8")
    assert main(["--spec", str(file), "--output", str(tmp_path / "rejected")]) == 1
    assert "would hide a member of every generated model" in capsys.readouterr().err
