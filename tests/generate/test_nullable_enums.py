"""A nullable enum in a union is None, a member, or gives way to the other branches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.generate.packages import Json, Package, loaded_package
from tests.generate.reported.trial import describe


def component(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


COMPONENTS: Json = {
    "Listed": {"type": ["string", "null"], "enum": ["a", "b", None]},
    "Marked": {"type": "string", "nullable": True, "enum": ["c", "d"]},
    "Untyped": {"enum": ["e", "f", None]},
    "Numbers": {"type": ["integer", "null"], "enum": [1, 2, None]},
    "Item": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    "Items": {"type": "array", "items": component("Item")},
}

ENUMS = {
    "listed": (component("Listed"), "a", "ListedType1.A"),
    "marked": (component("Marked"), "c", "MarkedType1.C"),
    "untyped": (component("Untyped"), "e", "UntypedType1.E"),
    "numbers": (component("Numbers"), 1, "NumbersType1.VALUE_1"),
    "inline": ({"type": ["string", "null"], "enum": ["a", None]}, "a", ".A"),
    "inline_marked": ({"type": "string", "nullable": True, "enum": ["a"]}, "a", ".A"),
    "inline_untyped": ({"enum": ["a", None]}, "a", ".A"),
}
"""Nullable enums, each with a value and the end of its description."""

OTHERS: dict[str, tuple[Json, list[tuple[object, str]]]] = {
    "null": ({"type": "null"}, [(None, "None")]),
    "item": (component("Item"), [({"id": "i"}, "Item(id='i')")]),
    "items": (component("Items"), [([{"id": "i"}], "[Item(id='i')]"), ([], "[]")]),
    "listed_items": (
        {"type": "array", "items": component("Item")},
        [([{"id": "i"}], "[Item(id='i')]")],
    ),
    "nullable_item": (
        {"anyOf": [component("Item"), {"type": "null"}]},
        [({"id": "i"}, "Item(id='i')"), (None, "None")],
    ),
    "texts": ({"type": "array", "items": {"type": "string"}}, [(["t"], "['t']")]),
    "truth": ({"type": "boolean"}, [(True, "True")]),
    "anything": ({}, [({"x": 1}, "{'x': 1}"), ([1], "[1]"), ("z", "'z'"), (7, "7")]),
}
"""The other branches, each with values and their descriptions."""


def unions() -> Iterator[tuple[str, Json]]:
    for name, (enum, _, _) in ENUMS.items():
        for other_name, (other, _) in OTHERS.items():
            for keyword in ("anyOf", "oneOf"):
                place = f"{name}_{other_name}_{keyword.lower()}"
                yield f"{place}_first", {keyword: [enum, other]}
                yield f"{place}_last", {keyword: [other, enum]}
    yield "both", {"anyOf": [component("Listed"), component("Marked"), component("Item")]}
    yield (
        "elements",
        {"type": "array", "items": {"anyOf": [component("Listed"), component("Item")]}},
    )


UNIONS = dict(unions())


def operation(schema: Json) -> Json:
    return {
        "operationId": "putThing",
        "tags": ["Things"],
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": schema}}}
        },
    }


SPEC: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Nullable enums", "version": "1"},
    "servers": [{"url": "https://api.example"}],
    "paths": {"/things": {"put": operation({"type": "object", "properties": UNIONS})}},
    "components": {"schemas": COMPONENTS},
}


@pytest.fixture(scope="module", name="package")
def package_with_nullable_enums(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    text = yaml.safe_dump(SPEC, sort_keys=False)
    with loaded_package(text, tmp_path_factory.mktemp("nullable"), "nullable_client") as package:
        yield package


def samples() -> Iterator[tuple[str, list[tuple[object, str]]]]:
    """Each union, with values and the end of their descriptions."""
    for name, (_, value, description) in ENUMS.items():
        for other_name, (_, other_values) in OTHERS.items():
            values = [(value, description), (None, "None"), *other_values]
            for place in UNIONS:
                if place.startswith((f"{name}_{other_name}_anyof", f"{name}_{other_name}_oneof")):
                    yield place, values
    yield (
        "both",
        [
            ("a", "ListedType1.A"),
            ("d", "MarkedType1.D"),
            (None, "None"),
            ({"id": "i"}, "Item(id='i')"),
        ],
    )
    yield "elements", [(["a", None, {"id": "i"}], "[ListedType1.A, None, Item(id='i')]")]


SAMPLES = dict(samples())


@pytest.mark.parametrize("name", UNIONS)
def test_a_value_becomes_what_its_branch_says(package: Package, name: str) -> None:
    for value, description in SAMPLES[name]:
        decoded: Any = package.decode({name: value})

        assert describe(getattr(decoded, name)).endswith(description)
        assert decoded.to_dict() == {name: value}
        assert package.check({name: value}).findings == ()
