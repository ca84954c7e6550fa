"""A large spec: the start is linear in its size, and a request costs what its operation costs.

The tests count compilations and comparisons instead of measuring time.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from leadconnector_emulator import Emulator, Request, Response
from leadconnector_emulator import schema as schema_module
from leadconnector_emulator.document import Document
from leadconnector_emulator.document_text import parse_document
from leadconnector_emulator.exchange_check import ExchangeCheck
from leadconnector_emulator.operation import Operation
from leadconnector_emulator.routes import Routes
from leadconnector_emulator.schema import CompiledSchema
from leadconnector_emulator.spec import Spec

from tests.support.calling import TOKEN
from tests.support.paths import ROOT

Node = dict[str, Any]

HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


def reference(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Node) -> Node:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def large_spec(operations: int) -> Node:
    """A spec with operations that share their errors and their address."""
    schemas: Node = {
        "Country": {"type": "object", "properties": {"code": {"type": "string"}}},
        "Address": {"type": "object", "properties": {"country": reference("Country")}},
        "Error": {"type": "object", "properties": {"message": {"type": "string"}}},
    }
    paths: Node = {}
    for number in range(operations):
        schemas[f"Item{number}"] = {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "address": reference("Address"),
                "parent": {"anyOf": [reference(f"Item{number}"), {"type": "null"}]},
            },
        }
        paths[f"/group{number}/{{id}}"] = {
            "put": {
                "operationId": f"update{number}",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "requestBody": {"required": True, **content(reference(f"Item{number}"))},
                "responses": {
                    "200": content(reference(f"Item{number}")),
                    "400": content(reference("Error")),
                },
            }
        }
    return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}


def write(folder: Path, document: Node) -> Path:
    path = folder / "openapi.json"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """The schemas that are compiled, in their order."""
    documents: list[Node] = []

    def compile_and_record(document: Node, **options: Any) -> Draft202012Validator:
        documents.append(document)
        return Draft202012Validator(document, **options)

    monkeypatch.setattr(schema_module, "Draft202012Validator", compile_and_record)
    return documents


def items_in(documents: list[Node]) -> set[str]:
    """The components of single operations that schemas refer to, or contain."""
    return set(re.findall(r"Item\d+", json.dumps(documents)))


def put_item(emulator: Emulator, number: int) -> int:
    body = json.dumps({"id": "1", "address": {"country": {"code": "LI"}}}).encode()
    return emulator.respond(Request("PUT", f"/group{number}/1", HEADERS, body)).status


class TestTheStart:
    def test_compiles_no_validator_of_another_operation_than_that_of_the_example(
        self, tmp_path: Path, compiled: list[Node]
    ) -> None:
        Emulator(write(tmp_path, large_spec(50)), tokens=[TOKEN])
        assert items_in(compiled) == {"Item0"}

    def test_compiles_schemas_of_a_size_that_is_linear_in_the_operations(
        self, tmp_path: Path, compiled: list[Node]
    ) -> None:
        sizes: list[int] = []
        for operations in (20, 40):
            compiled.clear()
            Emulator(write(tmp_path, large_spec(operations)), tokens=[TOKEN])
            sizes.append(len(json.dumps(compiled)))
        assert sizes[1] < 2.1 * sizes[0]


class TestARequest:
    def test_compiles_only_the_validators_of_its_operation_and_each_once(
        self, tmp_path: Path, compiled: list[Node]
    ) -> None:
        emulator = Emulator(write(tmp_path, large_spec(50)), tokens=[TOKEN], create_missing=True)
        compiled.clear()
        assert put_item(emulator, 7) == 200
        assert items_in(compiled) == {"Item7"}
        compiled.clear()
        assert put_item(emulator, 7) == 200
        assert compiled == []

    def test_compiles_a_schema_with_the_components_that_it_reaches(
        self, tmp_path: Path, compiled: list[Node]
    ) -> None:
        emulator = Emulator(write(tmp_path, large_spec(50)), tokens=[TOKEN], create_missing=True)
        compiled.clear()
        put_item(emulator, 7)
        reached = [set(document.get("components", {}).get("schemas", {})) for document in compiled]
        assert {"Item7", "Address", "Country"} in reached
        assert all(names <= {"Item7", "Address", "Country"} for names in reached)

    @pytest.mark.parametrize("path", ["/group7/1", "/group7", "/unknown/1"])
    def test_is_compared_with_few_templates(self, tmp_path: Path, path: str) -> None:
        comparisons: list[str] = []

        class Pattern:
            def __init__(self, operation: Operation) -> None:
                self._operation = operation

            def fullmatch(self, text: str) -> object:
                comparisons.append(self._operation.path)
                return self._operation.pattern.fullmatch(text)

        spec = Spec(write(tmp_path, large_spec(50)))
        operations = [
            replace(operation, pattern=cast("Any", Pattern(operation)))
            for operation in spec.operations
        ]
        Routes(operations).matches(path)
        assert len(comparisons) <= 1

    def test_is_checked_by_the_proxy_with_the_schemas_of_its_operation(
        self, tmp_path: Path, compiled: list[Node]
    ) -> None:
        document = large_spec(50)
        response_node = document["paths"]["/group7/{id}"]["put"]["responses"]["200"]
        response_node["headers"] = {"X-Item": {"schema": {"enum": ["1"]}}}
        document["components"]["schemas"]["Item7"]["properties"]["id"]["not"] = {"const": "2"}
        check = ExchangeCheck(Spec(write(tmp_path, document)))
        compiled.clear()
        body = json.dumps({"id": "2"}).encode()
        request = Request("PUT", "/group7/1", HEADERS, body)
        headers = {"Content-Type": "application/json", "X-Item": "2"}
        response = Response(200, body, headers)
        result = check.check(request, response)
        assert len(result.findings) == 3
        assert len(json.dumps(compiled)) < 1000
        compiled.clear()
        assert check.check(request, response) == result
        assert compiled == []


def test_threads_compile_a_schema_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Semaphore(0)
    compilations: list[Node] = []

    def compile_when_all_have_started(document: Node, **options: Any) -> Draft202012Validator:
        compilations.append(document)
        for _ in range(4):
            assert started.acquire(timeout=10)
        return Draft202012Validator(document, **options)

    monkeypatch.setattr(schema_module, "Draft202012Validator", compile_when_all_have_started)
    schema = CompiledSchema({"type": "string"}, dict)
    results: list[bool] = []

    def validate() -> None:
        started.release()
        results.append(schema.is_valid("text"))

    threads = [threading.Thread(target=validate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    assert len(compilations) == 1


def small_document() -> Node:
    return {
        "paths": {"/a": {"get": {"x-schema": {"type": "integer"}}}},
        "components": {
            "schemas": {
                "A": {"properties": {"b": reference("B"), "a~/": {"type": "boolean"}}},
                "B": {"anyOf": [reference("A"), {"type": "null"}]},
                "C": {"type": "string"},
            },
        },
    }


class TestReferences:
    @pytest.mark.parametrize(
        ("schema", "valid", "invalid"),
        [
            (reference("A"), {"b": None, "a~/": True}, {"b": {"a~/": 1}}),
            (reference("A/properties/a~0~1"), True, 1),
            ({"$ref": "#/paths/~1a/get/x-schema"}, 1, "1"),
            ({"$ref": "#/components/schemas/B/anyOf/1"}, None, 1),
            ({"items": {**reference("C"), "minLength": 2}}, ["ab"], ["a"]),
            ({"not": {"anyOf": [reference("C"), reference("B/anyOf/1")]}}, 1, None),
        ],
    )
    def test_a_reference_leads_to_any_place_of_the_document(
        self, schema: Node, valid: object, invalid: object
    ) -> None:
        compiled = Document(small_document()).compile({"allOf": [schema]})
        assert compiled.is_valid(valid)
        assert not compiled.is_valid(invalid)

    def test_only_parts_that_are_reached_are_copied(self) -> None:
        references = Document(small_document()).references
        assert references.self_contained({"allOf": [reference("C")]}) == {
            "allOf": [reference("C")],
            "components": {"schemas": {"C": {"type": "string"}}},
        }

    def test_one_node_has_one_validator(self) -> None:
        document = Document(small_document())
        node = {**reference("C"), "minLength": 2}
        assert document.compile(node) is document.compile(node)
        assert document.compile(reference("C")) is document.compile(reference("C"))

    @pytest.mark.parametrize("target", ["#/components/schemas/D", "#/paths/~1a/get/0", "#/paths/0"])
    def test_a_reference_to_nothing_is_an_error_of_the_document(self, target: str) -> None:
        with pytest.raises(ValueError, match="leads to nothing"):
            Document({**small_document(), "x": {"$ref": target}})


INVALID = {"type": "strin"}


def with_schema_in_place(place: str) -> Node:
    """A spec with an invalid schema."""
    document = large_spec(2)
    operation = document["paths"]["/group1/{id}"]["put"]
    schemas = document["components"]["schemas"]
    match place:
        case "component":
            schemas["Country"]["properties"]["code"] = INVALID
        case "property of a body":
            schemas["Item1"]["properties"]["id"] = INVALID
        case "response":
            operation["responses"]["404"] = content({"type": "array", "items": INVALID})
        case "parameter":
            operation["parameters"].append({"name": "q", "in": "query", "schema": INVALID})
        case "shared parameter":
            document["components"]["parameters"] = {
                "Q": {"name": "q", "in": "query", "schema": INVALID}
            }
            shared = [{"$ref": "#/components/parameters/Q"}]
            document["paths"]["/group1/{id}"]["parameters"] = shared
        case "header":
            operation["responses"]["200"]["headers"] = {"X-A": {"schema": INVALID}}
        case _:
            schemas["Item1"]["properties"]["id"] = {**reference("Country"), **INVALID}
    return document


class TestInvalidSchemas:
    @pytest.mark.parametrize(
        "place",
        [
            "component",
            "property of a body",
            "response",
            "parameter",
            "shared parameter",
            "header",
            "beside a reference",
        ],
    )
    def test_are_reported_at_the_start_with_file_line_and_pointer(
        self, tmp_path: Path, place: str
    ) -> None:
        path = write(tmp_path, with_schema_in_place(place))
        lines = path.read_text(encoding="utf-8").splitlines()
        with pytest.raises(ValueError, match="has an invalid schema at #/") as caught:
            Emulator(path)
        line = re.match(rf"{re.escape(str(path))}:(\d+): ", str(caught.value))
        assert line is not None
        assert lines[int(line[1]) - 1].strip(" ,") == '"type": "strin"'
        assert "/type: " in str(caught.value)

    def test_have_no_line_where_json_is_no_yaml(self, tmp_path: Path) -> None:
        document = with_schema_in_place("component")
        document["info"] = {"title": "\U0001f600"}
        path = write(tmp_path, document)
        with pytest.raises(ValueError, match=f"{re.escape(str(path))}: has an invalid schema at #"):
            Emulator(path)

    def test_that_no_operation_uses_are_no_error(self, tmp_path: Path) -> None:
        document = large_spec(2)
        document["components"]["schemas"]["Unused"] = INVALID
        assert Spec(write(tmp_path, document)).operations

    def test_references_below_an_id_are_checked_as_they_are_used(self, tmp_path: Path) -> None:
        document = large_spec(2)
        item = document["components"]["schemas"]["Item1"]
        item["properties"]["address"] = {"$id": "address", "anyOf": [reference("Address")]}
        with pytest.raises(ValueError, match="has an invalid schema at #/components/schemas/Item1"):
            Spec(write(tmp_path, document))


class TestSamples:
    @pytest.mark.parametrize(
        "item",
        [
            {"allOf": [reference("Item1")], "properties": {"id": {"type": "string"}}},
            {"properties": {"id": {"type": "string"}, "next": {"allOf": [reference("Item1")]}}},
            {"required": ["next"], "properties": {"id": {}, "next": reference("Item1")}},
            {"properties": {"id": {}, "next": {"oneOf": [reference("Item1"), {"type": "null"}]}}},
            {
                "required": ["items"],
                "properties": {
                    "id": {},
                    "items": {"type": "array", "minItems": 1.0, "items": reference("Item1")},
                },
            },
            {"properties": {"id": {"enum": []}, "name": {"examples": []}}},
        ],
    )
    def test_a_schema_without_simple_data_has_a_sample(self, tmp_path: Path, item: Node) -> None:
        document = large_spec(2)
        document["components"]["schemas"]["Item1"] = item
        emulator = Emulator(write(tmp_path, document), create_missing=True)
        request = Request("PUT", "/group1/1", HEADERS, b"{}")
        assert emulator.respond(request).status in {200, 400}
        shape = emulator.spec.operations[1].shape
        assert shape is not None
        assert shape.sample is not None


PARTS = st.sampled_from(["a", "b", "search", "{id}", "{x}", "v{n}", "{a}.{b}", "{c/d}"])
TEMPLATES = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
PATHS = st.lists(st.sampled_from(["a", "b", "search", "v1", "x.y", ""]), max_size=4)


def operations_of(templates: list[str]) -> Iterator[Operation]:
    spec = Spec(ROOT / "spec" / "openapi.yaml")
    for template in templates:
        pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template)))
        yield replace(spec.operations[0], path=template, pattern=pattern)


@given(st.lists(TEMPLATES, min_size=1, max_size=8), PATHS)
def test_routes_are_those_of_a_comparison_with_every_template(
    templates: list[str], parts: list[str]
) -> None:
    path = "/" + "/".join(parts)
    operations = list(operations_of(templates))
    expected = [
        operation
        for operation in sorted(operations, key=lambda operation: operation.path.count("{"))
        if operation.pattern.fullmatch(path)
    ]
    routes = Routes(operations).matches(path)
    assert [operation.path for operation in routes] == [operation.path for operation in expected]


class JsonTypesLoader(yaml.SafeLoader):
    """PyYAML's own loader, without timestamps."""


JsonTypesLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: &x {b: [1]}\nc: [*x, *x]",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}",
        "a: !!set {b}",
        "a: !!str 1",
        "a: 2021-07-28\nb: 0x10\nc: yes\nd: ~\ne: 1_000\nf: 1e5\ng: .5\nh: 'yes'\n1: 2\nnull: 3",
        'a: |\n  x\n  y\nb: >\n  x\n  y\nc: "<<"',
        "",
        "- {}\n- []\n- [[]]\n- {a: {}}",
        "{a: 1, 'b': 2} # no JSON",
        '{"a": NaN}',
        (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"),
        "? [a]\n: 1",
        "[1, 2",
        "a: 1\n---\nb: 2",
        "a: *x",
        "a: <<",
    ],
)
def test_yaml_is_read_as_pyyaml_reads_it(text: str) -> None:
    try:
        expected = yaml.load(text, Loader=JsonTypesLoader)
    except yaml.YAMLError as error:
        with pytest.raises(type(error)):
            parse_document(text)
        return
    assert repr(parse_document(text)) == repr(expected)
