"""Verifies that references are followed wherever a mapping or a list is expected."""

import copy
import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from specdrift import compare
from specdrift.cli import main
from specdrift.model.document import is_list, is_mapping, pointer

from tests.specdrift.documents import CAT, DOG, PET, SCHEMES, TEXT, Json, api, reported

_COMPLETE: Json = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://{host}", "variables": {"host": {"default": "a", "enum": ["a"]}}}],
    "security": [{"a": []}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "put": {
                "tags": ["pets"],
                "parameters": [{"name": "q", "in": "query", "schema": {"enum": ["x", "y"]}}],
                "security": [{"a": [], "k": []}],
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "required": ["pet"],
                                "properties": {"pet": PET, "tag": {"type": ["string", "null"]}},
                                "patternProperties": {"^x": TEXT},
                                "dependentRequired": {"tag": ["pet"]},
                            },
                            "encoding": {"pet": {"contentType": "application/json"}},
                        }
                    }
                },
                "responses": {
                    "200": {
                        "description": "",
                        "headers": {"X-Trace": {"schema": TEXT}},
                        "content": {
                            "application/json": {
                                "schema": {
                                    "oneOf": [CAT, DOG],
                                    "allOf": [{"type": "object"}, {"required": ["kind"]}],
                                    "discriminator": {"propertyName": "kind"},
                                }
                            }
                        },
                        "links": {"self": {"operationId": "get", "parameters": {"id": "1"}}},
                    }
                },
                "callbacks": {
                    "onPet": {"{$request.body#/url}": {"post": {"responses": {"204": {}}}}}
                },
            },
        }
    },
    "components": {"securitySchemes": SCHEMES},
    "webhooks": {"lost": {"post": {"requestBody": {"content": {"text/plain": {"schema": PET}}}}}},
}

# Without shared objects, because the tests edit single places.
COMPLETE: Json = json.loads(json.dumps(_COMPLETE))

Tokens: TypeAlias = tuple[str | int, ...]


def parts(value: object, path: Tokens = ()) -> list[Tokens]:
    """The paths of all mappings and lists below a value, outermost first."""
    children: list[tuple[str | int, object]] = []
    if is_mapping(value):
        children = list(value.items())
    elif is_list(value):
        children = list(enumerate(value))
    paths: list[Tokens] = []
    for name, child in children:
        # `parameters` of a link are values, not descriptions.
        is_part = is_mapping(child) or is_list(child)
        if is_part and path[-1:] != ("self",):
            paths += [(*path, name), *parts(child, (*path, name))]
    return paths


PARTS = parts(COMPLETE)


def owner_of(document: Json, path: Tokens) -> Any:
    """Return the mapping or list that directly contains the part at a path."""
    owner: Any = document
    for token in path[:-1]:
        owner = owner[token]
    return owner


def hoisted(document: Json, paths: list[Tokens]) -> Json:
    """Return a document in which references replace the parts at some paths."""
    copied = copy.deepcopy(document)
    targets: list[object] = []
    # Inner parts first, because the path of a part leads through the outer ones.
    for path in sorted(set(paths), key=len, reverse=True):
        owner = owner_of(copied, path)
        targets.append(owner[path[-1]])
        owner[path[-1]] = {"$ref": "#" + pointer("x-targets", len(targets) - 1)}
    copied["x-targets"] = targets
    return copied


@pytest.mark.parametrize("path", PARTS, ids=str)
def test_a_reference_in_place_of_any_part_is_silent(path: Tokens) -> None:
    assert reported(COMPLETE, hoisted(COMPLETE, [path])) == []
    assert reported(hoisted(COMPLETE, [path]), COMPLETE) == []


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.sampled_from(PARTS), max_size=6))
def test_references_in_place_of_several_parts_are_silent(
    base_paths: list[Tokens], revised_paths: list[Tokens]
) -> None:
    assert reported(hoisted(COMPLETE, base_paths), hoisted(COMPLETE, revised_paths)) == []


@given(st.lists(st.sampled_from(PARTS), max_size=6))
def test_changes_behind_references_have_the_same_ids(paths: list[Tokens]) -> None:
    revision: Json = yaml.safe_load(
        yaml.safe_dump(COMPLETE)
        .replace("type: integer", "type: boolean")
        .replace("const: cat", "const: lion")
    )
    revision["paths"]["/pets/{id}"]["put"]["tags"].append("new")
    expected = reported(COMPLETE, revision)
    assert len(expected) > 2
    assert reported(hoisted(COMPLETE, paths), hoisted(revision, paths)) == expected


def test_members_beside_a_reference_to_a_path_are_merged_with_it() -> None:
    operation = {"responses": {"200": {"description": ""}}}
    whole = {"openapi": "3.1.0", "paths": {"/a": {"get": operation, "put": operation}}}
    split = {
        "openapi": "3.1.0",
        "paths": {"/a": {"$ref": "#/x-path", "put": operation}},
        "x-path": {"get": operation},
    }
    assert reported(whole, split) == []


def test_properties_beside_a_reference_are_merged_with_it() -> None:
    split = {"type": "object", "properties": {"$ref": "#/x-properties", "b": TEXT}}
    base = api({"type": "object", "properties": {"a": TEXT, "b": TEXT}})
    assert reported(base, {**api(split), "x-properties": {"a": TEXT}}) == []


def test_a_property_with_the_name_of_a_reference_is_a_property() -> None:
    base = api({"type": "object", "properties": {"$ref": TEXT}})
    revision = api({"type": "object", "properties": {"$ref": {"type": "integer"}}})
    assert reported(base, revision) == ["ERR request-property-type-changed"]


@pytest.mark.parametrize("target", ["#/x-a", "#/paths", "#/paths/~1a/get"])
def test_circular_references_to_parts_end(target: str) -> None:
    document = {"paths": {"/a": {"get": {"$ref": target}}}, "x-a": {"$ref": "#/x-a"}}
    assert compare(document, copy.deepcopy(document)) == []


@pytest.mark.parametrize(
    "path",
    [
        ("paths",),
        ("paths", "/pets/{id}"),
        ("paths", "/pets/{id}", "put"),
        ("paths", "/pets/{id}", "put", "responses"),
        ("paths", "/pets/{id}", "put", "parameters"),
        ("paths", "/pets/{id}", "put", "responses", "200", "content"),
    ],
    ids=str,
)
def test_a_broken_reference_in_place_of_a_part_is_rejected(
    path: Tokens, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = hoisted(COMPLETE, [path])
    del document["x-targets"]
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert main([str(file), str(file)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "a.yaml:" in output.err
    assert "the reference '#/x-targets/0' leads nowhere" in output.err


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("paths", "/pets/{id}", "put", "parameters"), {"q": {}}),
        (("paths", "/pets/{id}", "put", "parameters", 0), "q"),
        (("paths", "/pets/{id}", "put", "responses"), []),
        (("paths", "/pets/{id}", "put", "requestBody"), []),
        (("paths", "/pets/{id}", "put"), "put"),
        (("paths", "/pets/{id}"), []),
        (("paths",), []),
        (("paths", "/pets/{id}", "put", "responses", "200"), "success"),
        (("paths", "/pets/{id}", "put", "responses", "200", "headers"), []),
        (("paths", "/pets/{id}", "put", "responses", "200", "content"), []),
        (("paths", "/pets/{id}", "put", "parameters", 0, "schema"), "string"),
        (("paths", "/pets/{id}", "put", "parameters", 0, "schema", "enum"), "x"),
        (("paths", "/pets/{id}", "put", "security"), {}),
        (("paths", "/pets/{id}", "put", "callbacks"), []),
        (("webhooks",), []),
        (("servers",), {}),
    ],
    ids=str,
)
def test_a_part_of_the_wrong_type_is_noted(
    path: Tokens, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = copy.deepcopy(COMPLETE)
    owner_of(document, path)[path[-1]] = value
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert main([str(file), str(file)]) == 0
    assert f"`{path[-1]}` is not a" in capsys.readouterr().out
