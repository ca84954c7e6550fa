"""Samples of a schema match it, and contain each value and each branch."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml

from benchmarks.long.conformance.documents import Document
from benchmarks.long.conformance.samples import Sampler
from benchmarks.long.conformance.schemas import Direction, Schemas
from tests.conformance.clients import SPECS

DOCUMENT = Document.from_text((SPECS / "every_construct.yaml").read_text(encoding="utf-8"))
COMPONENTS: dict[str, Any] = DOCUMENT.root["components"]["schemas"]


def values(schema: Any, direction: Direction = "response", *, unknown: bool = False) -> list[Any]:
    """The samples of a schema, given as data or as YAML."""
    if isinstance(schema, str):
        schema = yaml.safe_load(schema)
    sampler = Sampler(Schemas(DOCUMENT, direction), with_unknown=unknown)
    return [sample.value for sample in sampler.samples(schema)]


@cache
def component_values(name: str, direction: Direction = "response") -> list[Any]:
    """The samples of a component. Those of a large one take a second."""
    return values(reference(name), direction)


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_sample_is_valid(name: str) -> None:
    schemas = Schemas(DOCUMENT, "response")
    samples = component_values(name)
    assert samples
    assert [sample for sample in samples if not schemas.accepts(COMPONENTS[name], sample)] == []


def test_each_property_has_all_its_samples() -> None:
    things = component_values("Thing")
    for name, schema in COMPONENTS["Thing"]["properties"].items():
        if not schema.get("writeOnly"):
            found = [repr(thing[name]) for thing in things if name in thing]
            missing = {repr(value) for value in values(schema)} - set(found)
            # A node contains fewer nodes at a greater depth.
            assert not missing or "Node" in str(schema) or "Pet" in str(schema), name


def test_one_sample_has_only_required_properties() -> None:
    required = set(COMPONENTS["Thing"]["required"])
    assert required in [set(thing) for thing in component_values("Thing")]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{type: string, enum: [a, b]}", ["a", "b"]),
        ("{type: [string, 'null'], enum: [a, null]}", ["a", None]),
        ("{const: 1}", [1]),
        ("{type: boolean}", [True, False]),
        ("{type: [boolean, 'null']}", [True, False, None]),
        ("{oneOf: [{type: boolean}, {type: 'null'}]}", [True, False, None]),
        ("{type: array, items: {const: 1}}", [[1], []]),
        ("{type: array, items: {const: 1}, minItems: 2, maxItems: 2}", [[1, 1]]),
        ("{type: object, required: [a], properties: {a: {const: 1}}}", [{"a": 1}]),
    ],
)
def test_small_schemas_have_exactly_these_samples(schema: str, expected: list[Any]) -> None:
    assert values(schema) == expected


def test_each_branch_has_samples_and_ambiguous_ones_are_left_out() -> None:
    exclusive = "{oneOf: [{type: integer}, {type: number, minimum: 1}, {type: string, enum: [a]}]}"
    samples = values(exclusive)
    assert 0 in samples
    assert 1.5 in samples
    assert "a" in samples
    assert 7 not in samples


def test_a_discriminator_has_all_values_of_its_mapping() -> None:
    mapped = values(COMPONENTS["Thing"]["properties"]["mapped"])
    assert {value["type"] for value in mapped} == {"car", "ship", "boat"}
    named = values(COMPONENTS["Thing"]["properties"]["named"])
    assert {value["type"] for value in named} == {"Car", "Boat"}


def test_limits_are_kept() -> None:
    assert {len(text) for text in values("{type: string, minLength: 2, maxLength: 5}")} >= {2, 5}
    assert values("{type: string, pattern: '^[a-c]{2}-[0-9]$'}") == ["aa-0"]
    assert max(values("{type: number, exclusiveMinimum: 0, maximum: 10}")) == 10


@pytest.mark.parametrize(
    ("direction", "absent"), [("request", "readOnlyText"), ("response", "writeOnlyText")]
)
def test_properties_of_the_other_direction_are_left_out(direction: Direction, absent: str) -> None:
    assert all(absent not in thing for thing in component_values("Thing", direction))


def test_undocumented_values_say_which_finding_they_cause() -> None:
    sampler = Sampler(Schemas(DOCUMENT, "response"), with_unknown=True)
    kinds = {kind for sample in sampler.samples(reference("Thing")) for kind in sample.kinds}
    assert kinds == {"unknown-enum-value", "undocumented-field"}
    assert all(not sample.kinds for sample in sampler.samples(reference("Pet"))[:1])


def test_keywords_of_openapi_3_0_are_read() -> None:
    text = """
    paths: {}
    components:
      schemas:
        Text: {type: string, nullable: true, enum: [a]}
        Node: {nullable: true, allOf: [{$ref: "#/components/schemas/Text"}]}
        Number: {type: number, minimum: 1, exclusiveMinimum: true}
    """
    document = Document.from_text(text)
    sampler = Sampler(Schemas(document, "response"), with_unknown=False)
    samples = {
        name: [sample.value for sample in sampler.samples(reference(name))]
        for name in ("Text", "Node", "Number")
    }
    assert samples["Text"] == ["a", None]
    assert None in samples["Node"]
    assert 1 not in samples["Number"]
