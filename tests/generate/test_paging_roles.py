"""The roles of pagination are rejected where they do not describe one way to get all pages."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main
from generate.check import check_spec
from generate.document import SpecError
from generate.reading import load_document

from tests.generate.packages import loaded_package
from tests.generate.paged_api import items_of, list_operation, parameter, with_role

Json = dict[str, Any]
Change = Callable[[Json], None]

TEXT: Json = {"type": "string"}
CURSOR = parameter("cursor", TEXT, "page-cursor")
AFTER_ID = parameter("startAfterId", TEXT, "page-after-id")
OFFSET = parameter("skip", {"type": "integer"}, "page-offset")
SIZE = parameter("limit", {"type": "integer"}, "page-size")
NEXT = with_role(TEXT, "next-page-cursor")
TOTAL = with_role({"type": "integer"}, "page-total")
DATE_TIME = {"type": "string", "format": "date-time"}
ID = with_role(TEXT, "item-id")
NULL = {"type": "null"}


def spec_of(*parameters: Json, **properties: Json) -> Json:
    """A spec with a list operation, whose response has some properties."""
    operation = list_operation("listThings", list(parameters), **properties)
    operation["get"]["tags"] = ["Things"]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pages", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {"/things": operation},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def with_two_successes() -> Json:
    spec = spec_of(OFFSET, things=items_of())
    responses = spec["paths"]["/things"]["get"]["responses"]
    responses["201"] = responses["200"]
    return spec


def with_body(schema: Json, *, required: bool) -> Json:
    """A spec whose list operation has a body."""
    spec = spec_of(things=items_of())
    operation = spec["paths"]["/things"].pop("get")
    operation["requestBody"] = {
        "required": required,
        "content": {"application/json": {"schema": schema}},
    }
    spec["paths"]["/things"]["post"] = operation
    return spec


def with_method(operation_id: str) -> Json:
    """A spec with a further operation."""
    spec = spec_of(OFFSET, things=items_of())
    other = list_operation(operation_id, [])
    other["get"]["tags"] = ["Things"]
    spec["paths"]["/others"] = other
    return spec


INVALID: dict[str, tuple[Json, str]] = {
    "an unknown role of a parameter": (
        spec_of(parameter("skip", {"type": "integer"}, "page-ofset"), things=items_of()),
        "x-role 'page-ofset' is not one of",
    ),
    "an unknown role of a property": (
        spec_of(OFFSET, things=items_of(), total=with_role(TEXT, "total")),
        "x-role 'total' is not one of",
    ),
    "a start without items": (
        spec_of(OFFSET, things={"type": "array", "items": TEXT}),
        "a page-offset needs an array with x-role page-items",
    ),
    "items that are no array": (
        spec_of(OFFSET, things=with_role({"type": "object"}, "page-items")),
        "a page-items must have the type array",
    ),
    "two lists of items": (
        spec_of(OFFSET, things=items_of(), others=items_of()),
        "things is already the page-items",
    ),
    "two totals": (
        spec_of(OFFSET, things=items_of(), total=TOTAL, meta={"properties": {"count": TOTAL}}),
        "total is already the page-total",
    ),
    "two kinds of starts": (
        spec_of(CURSOR, OFFSET, things=items_of(), next=NEXT),
        "cursor says already where a page starts (page-cursor)",
    ),
    "an id to start after without the id of an item": (
        spec_of(AFTER_ID, things=items_of({"type": "object", "properties": {"id": TEXT}})),
        "a page-after-id needs a property with x-role item-id in the page-items",
    ),
    "an id to start after beside a cursor": (
        spec_of(AFTER_ID, CURSOR, things=items_of(), next=NEXT),
        "startAfterId says already where a page starts (page-after-id)",
    ),
    "an id to start after of another format": (
        spec_of(
            parameter("startAfterId", {**TEXT, "format": "uuid"}, "page-after-id"),
            things=items_of(),
        ),
        "the item-id must have the format of the page-after-id: uuid",
    ),
    "an id to start after that is a list": (
        spec_of(
            parameter("startAfterId", {"type": "array", "items": TEXT}, "page-after-id"),
            things=items_of(),
        ),
        "a page-after-id must have the type",
    ),
    "two offsets": (
        spec_of(OFFSET, parameter("offset", {"type": "integer"}, "page-offset"), things=items_of()),
        "skip says already where a page starts",
    ),
    "two sizes": (
        spec_of(OFFSET, SIZE, {**SIZE, "name": "size"}, things=items_of()),
        "limit is already the page-size",
    ),
    "a size without a start": (
        spec_of(SIZE, things={"type": "array", "items": TEXT}),
        "x-role page-size has no effect without a parameter that is a page-cursor",
    ),
    "a cursor without a next one": (
        spec_of(CURSOR, things=items_of()),
        "a page-cursor needs a property with x-role next-page-cursor",
    ),
    "two cursors with one next one": (
        spec_of(CURSOR, {**CURSOR, "name": "other"}, things=items_of(), cursor=NEXT),
        "no next-page-cursor belongs to other",
    ),
    "a cursor with two next ones": (
        spec_of(CURSOR, things=items_of(), cursor=NEXT, other=NEXT),
        "no page-cursor belongs to this next-page-cursor",
    ),
    "a next cursor of an offset": (
        spec_of(OFFSET, things=items_of(), next=NEXT),
        "x-role next-page-cursor has no effect here",
    ),
    "a response without a start": (
        spec_of(things=items_of()),
        "x-role page-items has no effect here: it belongs into the success response of an",
    ),
    "an id outside of the items": (
        spec_of(OFFSET, things=items_of(), id=ID),
        "x-role item-id has no effect here: it belongs into the page-items",
    ),
    "an id of an object in an item": (
        spec_of(OFFSET, things=items_of({"properties": {"a": {"properties": {"b": ID}}}})),
        "x-role item-id has no effect here: it belongs into the page-items",
    ),
    "two ids of an item": (
        spec_of(
            OFFSET,
            things=items_of({"properties": {"a": ID, "b": ID}}),
        ),
        "a is already the item-id",
    ),
    "a role of a response at a parameter": (
        spec_of(OFFSET, parameter("total", TEXT, "page-total"), things=items_of()),
        "x-role page-total is the role of a response, not of a parameter",
    ),
    "a role of a parameter in a response": (
        spec_of(OFFSET, things=items_of(), skip=with_role({"type": "integer"}, "page-offset")),
        "x-role page-offset has no effect here: it belongs to a parameter",
    ),
    "an offset that is a boolean": (
        spec_of(parameter("skip", {"type": "boolean"}, "page-offset"), things=items_of()),
        "a page-offset must have the type integer or number or string",
    ),
    "a total that is a text": (
        spec_of(OFFSET, things=items_of(), total=with_role(TEXT, "page-total")),
        "a page-total must have the type integer or number",
    ),
    "an end that is a number": (
        spec_of(OFFSET, things=items_of(), more=with_role({"type": "integer"}, "has-next-page")),
        "a has-next-page must have the type boolean",
    ),
    "a cursor that is an object": (
        spec_of(CURSOR, things=items_of(), next=with_role({"type": "object"}, "next-page-cursor")),
        "a next-page-cursor must have the type",
    ),
    "a next cursor of another format": (
        spec_of(parameter("cursor", DATE_TIME, "page-cursor"), things=items_of(), next=NEXT),
        "the next-page-cursor must have the format of the page-cursor: date-time",
    ),
    "a next cursor whose format is no number": (
        spec_of(
            parameter("cursor", {"type": "number"}, "page-cursor"),
            things=items_of(),
            next=with_role(DATE_TIME, "next-page-cursor"),
        ),
        "the page-cursor cursor accepts no text of the format date-time",
    ),
    "a total inside of a union": (
        spec_of(
            OFFSET,
            things=items_of(),
            meta={"oneOf": [{"properties": {"a": TOTAL}}, {"properties": {"b": TEXT}}]},
        ),
        "x-role page-total has no effect here",
    ),
    "two success responses": (with_two_successes(), "exactly one success response"),
}

UNREADABLE: dict[str, tuple[Json, str]] = {
    "items that are one of two lists": (
        spec_of(
            OFFSET,
            things=with_role(
                {
                    "oneOf": [
                        {"type": "array", "items": TEXT},
                        {"type": "array", "items": {"type": "integer"}},
                    ]
                },
                "page-items",
            ),
        ),
        "x-role page-items must be a property of an object, outside of anyOf and oneOf",
    ),
    "an optional body with a required property": (
        with_body(
            {
                "type": "object",
                "required": ["q"],
                "properties": {"q": TEXT, "skip": {"type": "integer", "x-role": "page-offset"}},
            },
            required=False,
        ),
        "x-role page-offset must be at a property of a required body",
    ),
    "another operation with the name of the iteration": (
        with_method("iterListThings"),
        "gives the Python name 'iter_list_things', as the iteration over 'listThings'",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_unusable_role_is_rejected_with_its_line(name: str, tmp_path: Path) -> None:
    spec, message = INVALID[name]
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")

    with pytest.raises(SpecError) as error:
        check_spec(load_document(path))

    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}:")


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_the_generated_code_cannot_express_is_rejected(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, message = UNREADABLE[name]
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")

    assert main(["--spec", str(path), "--output", str(tmp_path / "generated")]) == 1

    assert message in capsys.readouterr().err


def test_a_response_can_be_shared_with_an_operation_that_has_one_page(tmp_path: Path) -> None:
    spec = spec_of(OFFSET, things=items_of())
    content = spec["paths"]["/things"]["get"]["responses"]["200"]["content"]
    spec["components"]["schemas"] = {"Page": content["application/json"]["schema"]}
    reference = {"$ref": "#/components/schemas/Page"}
    content["application/json"]["schema"] = reference
    other = copy.deepcopy(spec["paths"]["/things"]["get"])
    other |= {"operationId": "listAll", "parameters": []}
    spec["paths"]["/all"] = {"get": other}

    with loaded_package(yaml.safe_dump(spec), tmp_path, "shared_page") as package:
        assert hasattr(package.module.Things, "iter_list_things")
        assert not hasattr(package.module.Things, "iter_list_all")


def test_an_item_can_contain_items_of_other_lists(tmp_path: Path) -> None:
    other = {"type": "object", "properties": {"id": ID}}
    thing = {
        "type": "object",
        "properties": {"_id": ID, "other": {"$ref": "#/components/schemas/Other"}},
    }
    spec = spec_of(OFFSET, things=items_of(thing), first={"$ref": "#/components/schemas/Other"})
    spec["components"]["schemas"] = {"Other": other}
    spec["paths"]["/others"] = list_operation(
        "listOthers", [OFFSET], others=items_of({"$ref": "#/components/schemas/Other"})
    )
    spec["paths"]["/others"]["get"]["tags"] = ["Things"]

    with loaded_package(yaml.safe_dump(spec), tmp_path, "contained_items") as package:
        page = package.decode({"things": [{"_id": "a", "other": {"id": "b"}}]}, name="list_things")
        operation = importlib.import_module("contained_items.api.things.list_things")

    assert operation.PAGINATION.item_id(page.things[0]) == "a"


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_roles_can_be_inside_of_an_object_that_can_be_null(keyword: str, tmp_path: Path) -> None:
    meta = {keyword: [{"$ref": "#/components/schemas/Meta"}, NULL]}
    spec = spec_of(OFFSET, things=items_of(), meta=meta)
    spec["components"]["schemas"] = {"Meta": {"type": "object", "properties": {"total": TOTAL}}}
    name = f"nullable_{keyword.lower()}"

    with loaded_package(yaml.safe_dump(spec), tmp_path, name) as package:
        total = importlib.import_module(f"{name}.api.things.list_things").PAGINATION.total
        pages = [
            package.decode({"things": [], "meta": meta}, name="list_things")
            for meta in ({"total": 3}, None)
        ]

    assert total(pages[0]) == 3
    assert not total(pages[1])


def test_an_argument_with_the_name_of_the_maximum_gets_a_suffix(tmp_path: Path) -> None:
    maximum = parameter("maxItems", {"type": "integer"})
    spec = spec_of(OFFSET, maximum, things=items_of())

    with loaded_package(yaml.safe_dump(spec), tmp_path, "suffixed") as package:
        method = package.module.Things.iter_list_things
        parameters = list(inspect.signature(method).parameters)

    assert parameters == ["self", "skip", "max_items_query", "max_items", "options"]


def test_the_contract_names_the_method(tmp_path: Path) -> None:
    spec = spec_of(OFFSET, things=items_of())

    with loaded_package(yaml.safe_dump(spec), tmp_path, "named_iteration"):
        text = (tmp_path / "named_iteration" / "contract.json").read_text(encoding="utf-8")

    operation = json.loads(text)["operations"]["listThings"]
    assert operation["python_iteration"] == "things.iter_list_things"


@pytest.mark.parametrize(
    ("schema", "first"),
    [
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 0}, 0),
        ({"type": "integer", "minimum": 0, "default": 1}, 1),
        ({"type": "string", "default": "0"}, 0),
    ],
)
def test_the_first_page_is_the_default_of_the_spec(
    schema: Json, first: int, tmp_path: Path
) -> None:
    spec = spec_of(parameter("page", schema, "page-number"), things=items_of())
    name = f"first_page_{len(schema)}_{first}_{schema['type']}"

    with loaded_package(yaml.safe_dump(spec), tmp_path, name):
        module = importlib.import_module(f"{name}.api.things.list_things")

    assert module.PAGINATION.counter.first == first


def test_items_with_an_id_that_has_no_role_have_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_of(OFFSET, things=items_of({"type": "object", "properties": {"_id": TEXT}}))

    with loaded_package(yaml.safe_dump(spec), tmp_path, "unmarked_id"):
        pass

    assert "the property _id of an item has no `x-role: item-id`" in capsys.readouterr().err
