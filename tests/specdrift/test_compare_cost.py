"""Verifies that the work of a comparison grows with the size of the documents."""

import copy
from collections.abc import Callable

import pytest
from specdrift import compare
from specdrift.comparison.schemas.comparison import SchemaComparison
from specdrift.comparison.schemas.pairs import PairResult, SchemaPair
from specdrift.report.edits import group_by_edit
from specdrift.report.report import Entry, Verdict

from tests.specdrift.documents import TEXT, Json, api


def entangled(size: int, references: int, operations: int) -> Json:
    """Return a document whose schemas all lead to each other through `anyOf: [string, $ref]`."""
    schemas: Json = {}
    for number in range(size):
        properties: Json = {}
        for index in range(references):
            target = (number * 7 + index * 13 + 1) % size
            reference = {"$ref": f"#/components/schemas/S{target}"}
            properties[f"p{index}"] = {"anyOf": [TEXT, reference]}
        schemas[f"S{number}"] = {"type": "object", "properties": properties}
    paths: Json = {}
    for number in range(operations):
        schema = {"$ref": f"#/components/schemas/S{number}"}
        content = {"application/json": {"schema": schema}}
        paths[f"/s{number}"] = {"get": {"responses": {"200": {"content": content}}}}
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


def with_new_property(document: Json, schema: str) -> Json:
    """Return the document with an optional property more in one of its schemas."""
    revision = copy.deepcopy(document)
    revision["components"]["schemas"][schema]["properties"]["new"] = TEXT
    return revision


@pytest.fixture
def compared_pairs(monkeypatch: pytest.MonkeyPatch) -> list[SchemaPair]:
    """The pairs of schemas that comparisons compare during a test."""
    pairs: list[SchemaPair] = []
    compare_pair = SchemaComparison._compare_pair

    def counting(self: SchemaComparison, pair: SchemaPair) -> PairResult:
        pairs.append(pair)
        return compare_pair(self, pair)

    monkeypatch.setattr(SchemaComparison, "_compare_pair", counting)
    return pairs


def test_each_operation_reports_a_change_that_it_reaches() -> None:
    base = entangled(20, references=3, operations=20)
    changes = compare(base, with_new_property(base, "S13"))
    assert {change.id for change in changes} == {"response-optional-property-added"}
    assert sorted(change.operation for change in changes) == sorted(
        f"GET /s{number}" for number in range(20)
    )


@pytest.mark.parametrize("references", [2, 8])
def test_more_operations_compare_no_more_schemas(
    references: int, compared_pairs: list[SchemaPair]
) -> None:
    one = entangled(30, references=references, operations=1)
    many = entangled(30, references=references, operations=30)
    compare(one, with_new_property(one, "S13"))
    pairs_of_one_operation = len(compared_pairs)
    compared_pairs.clear()
    compare(many, with_new_property(many, "S13"))
    # Each operation adds at most its own body, which is a place of another kind.
    assert len(compared_pairs) <= 2 * pairs_of_one_operation + 30


def test_twice_as_many_schemas_take_about_twice_the_work(compared_pairs: list[SchemaPair]) -> None:
    small = entangled(40, references=4, operations=40)
    compare(small, with_new_property(small, "S13"))
    pairs_of_small_document = len(compared_pairs)
    compared_pairs.clear()
    large = entangled(80, references=4, operations=80)
    compare(large, with_new_property(large, "S13"))
    assert len(compared_pairs) <= 2.5 * pairs_of_small_document


def test_an_unchanged_document_compares_each_pair_once(compared_pairs: list[SchemaPair]) -> None:
    document = entangled(30, references=4, operations=30)
    assert compare(document, copy.deepcopy(document)) == []
    places = [(pair.base, pair.revised, pair.context) for pair in compared_pairs]
    assert len(places) == len(set(places))


def dense_unions(size: int, wrap: Callable[[Json], Json], own_branch: Json) -> Json:
    """Return a document in which each schema is a union of all others, and a branch of its own."""
    names = [f"S{number}" for number in range(size)]
    schemas: Json = {}
    for name in names:
        others = [{"$ref": f"#/components/schemas/{other}"} for other in names if other != name]
        schemas[name] = {"anyOf": [*(wrap(other) for other in others), own_branch]}
    return api({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})


WRAPS: list[Callable[[Json], Json]] = [
    lambda reference: reference,
    lambda reference: {"type": "array", "items": reference},
    lambda reference: {"type": "array", "items": {"type": "array", "items": reference}},
    lambda reference: {"type": "object", "additionalProperties": reference},
    lambda reference: {"type": "object", "properties": {"next": reference}},
    lambda reference: {"allOf": [reference, {"minProperties": 1}]},
]


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("own_branch", [TEXT, {"type": "object", "properties": {"x": TEXT}}])
def test_branches_that_lead_to_a_change_are_not_all_compared_with_each_other(
    wrap: Callable[[Json], Json], own_branch: Json, compared_pairs: list[SchemaPair]
) -> None:
    size = 10
    base = dense_unions(size, wrap, own_branch)
    revision = copy.deepcopy(base)
    revision["components"]["schemas"]["S0"]["anyOf"][-1] = {"type": "integer"}
    assert compare(base, revision) != []
    # Each union has `size` branches. To compare all with all takes size^4 pairs.
    assert len(compared_pairs) < 5 * size**2


def test_the_same_change_has_the_path_of_each_operation() -> None:
    def document(leaf: Json) -> Json:
        pet = {"type": "object", "properties": {"name": leaf}}
        paths: Json = {}
        for path, schema in {
            "/pet": {"$ref": "#/components/schemas/Pet"},
            "/pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
        }.items():
            content = {"application/json": {"schema": schema}}
            paths[path] = {"get": {"responses": {"200": {"content": content}}}}
        return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": {"Pet": pet}}}

    changes = compare(document(TEXT), document({"type": "integer"}))
    assert [(change.operation, change.path) for change in changes] == [
        ("GET /pet", ("name",)),
        ("GET /pets", ("items", "name")),
    ]
    assert "at `items/name`, changed its type" in changes[1].text


def test_a_draft_operation_reports_a_shared_change_as_harmless() -> None:
    base = entangled(3, references=1, operations=3)
    base["paths"]["/s1"]["get"]["x-stability-level"] = "draft"
    revision = copy.deepcopy(base)
    properties = revision["components"]["schemas"]["S2"]["properties"]
    properties["p0"] = {"type": "integer"}
    levels = {change.operation: change.level for change in compare(base, revision)}
    assert levels == {"GET /s0": "ERR", "GET /s1": "INFO", "GET /s2": "ERR"}


def test_properties_that_refer_to_one_component_are_different_changes() -> None:
    money = {"schemas": {"Money": {"type": "object"}}}
    reference = {"$ref": "#/components/schemas/Money"}
    base: Json = {"type": "object", "properties": {"a": reference, "b": reference}}
    added = {"c": reference, "d": reference}
    for revision in (
        {**base, "required": ["a", "b"]},
        {**base, "properties": {**base["properties"], **added}},
        {"type": "object"},
    ):
        for document in (api(base, components=money), api(response=base, components=money)):
            is_request = "requestBody" in document["paths"]["/pets/{id}"]["put"]
            changed = api(revision, components=money)
            if not is_request:
                changed = api(response=revision, components=money)
            changes = compare(document, changed)
            assert len(changes) == 2
            entries = [Entry(change, Verdict("none", "")) for change in changes]
            assert len(group_by_edit(entries)) == 2
