"""A value of a union becomes the model of the branch that the spec means, not of the first one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.generate.packages import Json, Package, loaded_package

TEXT: Json = {"type": "string"}


def component(name: str) -> Json:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def text_of(text_format: str) -> Json:
    """A text of a format."""
    return {**TEXT, "format": text_format}


def animal(kind: Json, **properties: Json) -> Json:
    """An object whose property `kind` tells what it is."""
    return {"type": "object", "properties": {"kind": kind, **properties}}


COMPONENTS: Json = {
    "Cat": animal({"type": "string", "enum": ["cat"]}, name=TEXT),
    "Dog": animal({"type": "string", "enum": ["dog"]}, name=TEXT),
    "ConstCat": animal({"const": "cat"}, name=TEXT),
    "ConstDog": animal({"const": "dog"}, name=TEXT),
    "FreeCat": animal(TEXT, name=TEXT),
    "FreeDog": animal(TEXT, name=TEXT),
    "Car": {"type": "object", "properties": {"wheels": {"type": "integer"}}},
    "Boat": {"type": "object", "properties": {"sails": {"type": "integer"}}},
    "Sound": {"type": "string", "enum": ["meow"]},
    "Colour": {"type": "string", "enum": ["red", "blue"]},
    "Part": {
        "type": "object",
        "properties": {
            "state": {"type": "string", "enum": ["x"]},
            "count": {"type": "integer", "maximum": 5},
            "day": {"type": "string", "format": "date"},
        },
    },
    "User": {"type": "object", "required": ["email"], "properties": {"email": TEXT, "name": TEXT}},
    "Team": {
        "type": "object",
        "required": ["members"],
        "properties": {"members": {"type": "integer"}, "name": TEXT},
    },
    "Pet": {"oneOf": [component("Cat"), component("Dog")]},
    "LonelyCar": {"oneOf": [component("Car")]},
}

UNIONS: Json = {
    "enums": {"oneOf": [component("Cat"), component("Dog")]},
    "constants": {"oneOf": [component("ConstCat"), component("ConstDog")]},
    "mapped": {
        "oneOf": [component("FreeCat"), component("FreeDog")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"feline": "#/components/schemas/FreeCat", "canine": "FreeDog"},
        },
    },
    "named": {
        "oneOf": [component("FreeCat"), component("FreeDog")],
        "discriminator": {"propertyName": "kind"},
    },
    "vehicle": {"anyOf": [component("Car"), component("Boat")]},
    "nested": {"oneOf": [component("Car"), component("Pet")]},
    "wrapped": {"oneOf": [{"allOf": [component("Cat")]}, {"allOf": [component("Dog")]}]},
    "nullable": {"anyOf": [{"type": "null"}, component("Cat"), component("Dog")]},
    "listed": {
        "oneOf": [{"type": "array", "items": TEXT}, {"type": "array", "items": component("Car")}]
    },
    "values": {"oneOf": [component("Sound"), component("Colour")]},
    "mixed": {"oneOf": [component("Car"), {"type": "array", "items": component("Boat")}, TEXT]},
    "inline": {
        "oneOf": [
            {"title": "Left", **animal({"type": "string", "enum": ["l"]})},
            {"title": "Right", **animal({"type": "string", "enum": ["r"]})},
        ]
    },
    "many": {"type": "array", "items": component("Pet")},
    "innerList": {
        "oneOf": [
            {"oneOf": [{"type": "array", "items": component("Car")}, TEXT]},
            component("Boat"),
        ]
    },
    "lonelyList": {
        "oneOf": [
            {"oneOf": [{"type": "array", "items": component("Car")}]},
            component("Boat"),
            TEXT,
        ]
    },
    "lonelyCar": {"oneOf": [component("LonelyCar"), component("Boat")]},
    "equalLists": {
        "oneOf": [
            {"type": "array", "items": component("Pet"), "maxItems": 1},
            TEXT,
            {"anyOf": [{"type": "array", "items": component("Pet"), "minItems": 2}]},
        ]
    },
    "timeOrDate": {"anyOf": [text_of("date-time"), text_of("date")]},
    "timeOrText": {"anyOf": [text_of("date-time"), TEXT]},
    "timeOrNull": {"type": ["string", "null"], "format": "date-time"},
    "dateOrText": {"oneOf": [text_of("date"), TEXT]},
    "uuidOrText": {"oneOf": [text_of("uuid"), TEXT]},
    "texts": {
        "anyOf": [
            {"type": "array", "items": {"type": ["string", "null"]}},
            {"type": "array", "items": component("Car")},
            {"type": "string", "format": "email"},
            {"type": "string", "format": "uri"},
        ]
    },
    "maybe": {"type": ["object", "null"], "properties": {"pet": component("Pet")}},
    "gap": {"type": ["object", "null"], "required": ["x"], "properties": {"x": TEXT}},
    "byName": {"type": "object", "additionalProperties": component("Pet")},
}

NULL: Json = {"type": "null"}

# Each with a branch that alone can be meant by data that deviates from it.
DEVIATING_UNIONS: Json = {
    "part": {"oneOf": [component("Part"), NULL]},
    "parts": {"type": "array", "items": {"oneOf": [component("Part"), NULL]}},
    "partsByName": {
        "type": "object",
        "additionalProperties": {"anyOf": [NULL, component("Part")]},
    },
    "partList": {"anyOf": [{"type": "array", "items": component("Part")}, NULL]},
    "shortText": {"anyOf": [{**TEXT, "maxLength": 3}, NULL]},
    "state": {"oneOf": [{"enum": ["x"]}, NULL]},
    "constant": {"oneOf": [{"const": "x"}, NULL]},
    "day": {"oneOf": [text_of("date"), NULL]},
    "time": {"oneOf": [text_of("date-time"), {"type": "integer"}]},
    "id": {"oneOf": [text_of("uuid"), {"type": "boolean"}]},
    "mixed": {
        "oneOf": [
            component("Part"),
            {"type": "array", "items": component("Part")},
            {"type": "string", "enum": ["x"]},
            {"type": "integer", "maximum": 3},
        ]
    },
    "owner": {"oneOf": [component("User"), component("Team")]},
    "constants": {"oneOf": [component("ConstCat"), component("ConstDog")]},
}

FORMATS: Json = {"time": text_of("date-time"), "date": text_of("date"), "uuid": text_of("uuid")}


def operation(name: str, schema: Json) -> Json:
    """An operation that returns a schema."""
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": name,
        "tags": ["Things"],
        "responses": {"200": {"description": "", "content": content}},
    }


SPEC: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Unions", "version": "1"},
    "servers": [{"url": "https://api.example"}],
    "paths": {
        "/things": {"get": operation("getThing", {"type": "object", "properties": UNIONS})},
        "/pet": {"get": operation("getPet", component("Pet"))},
        "/list": {"get": operation("getList", UNIONS["listed"])},
        "/deviating": {
            "get": operation("getDeviating", {"type": "object", "properties": DEVIATING_UNIONS})
        },
        "/part": {"get": operation("getPart", DEVIATING_UNIONS["part"])},
        "/formats": {"get": operation("getFormats", {"type": "object", "properties": FORMATS})},
    },
    "components": {"schemas": COMPONENTS},
}


@pytest.fixture(scope="module", name="package")
def package_with_unions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """The package that is generated from `SPEC`."""
    text = yaml.safe_dump(SPEC, sort_keys=False)
    with loaded_package(text, tmp_path_factory.mktemp("unions"), "union_client") as package:
        yield package


@pytest.mark.parametrize(
    ("name", "value", "model_name"),
    [
        ("enums", {"kind": "cat", "name": "n"}, "Cat"),
        ("enums", {"kind": "dog", "name": "n"}, "Dog"),
        ("constants", {"kind": "dog"}, "ConstDog"),
        ("mapped", {"kind": "feline"}, "FreeCat"),
        ("mapped", {"kind": "canine", "name": "n"}, "FreeDog"),
        ("named", {"kind": "FreeDog"}, "FreeDog"),
        ("vehicle", {"sails": 2}, "Boat"),
        ("vehicle", {"wheels": 4}, "Car"),
        ("nested", {"kind": "dog"}, "Dog"),
        ("nested", {"wheels": 4}, "Car"),
        ("wrapped", {"kind": "dog"}, "Dog"),
        ("nullable", {"kind": "dog"}, "Dog"),
        ("nullable", None, "NoneType"),
        ("listed", ["a", "b"], "list"),
        ("values", "meow", "Sound"),
        ("values", "blue", "Colour"),
        ("mixed", {"wheels": 4}, "Car"),
        ("mixed", "text", "str"),
        ("inline", {"kind": "l"}, "Left"),
        ("inline", {"kind": "r"}, "Right"),
        ("inner_list", "text", "str"),
        ("inner_list", {"sails": 1}, "Boat"),
        ("lonely_list", "text", "str"),
        ("lonely_list", {"sails": 1}, "Boat"),
        ("lonely_car", {"wheels": 4}, "Car"),
        ("lonely_car", {"sails": 1}, "Boat"),
        ("time_or_date", "2021-01-02", "date"),
        ("time_or_date", "2021-01-02T03:04:05+00:00", "datetime"),
        ("time_or_text", "2021-01-02", "str"),
        ("time_or_text", "2021-01-02T03:04:05+00:00", "datetime"),
        ("time_or_text", "2021-01-02T33:04:05+00:00", "str"),
        ("time_or_null", "2021-01-02", "str"),
        ("time_or_null", "2021-01-02T03:04:05+00:00", "datetime"),
        ("date_or_text", "2021-01-02", "date"),
        ("date_or_text", "20210102", "str"),
        ("date_or_text", "2021-W01-1", "str"),
        ("uuid_or_text", "12345678-1234-5678-1234-567812345678", "UUID"),
        ("uuid_or_text", "12345678123456781234567812345678", "str"),
    ],
)
def test_a_value_becomes_the_branch_that_it_matches(
    package: Package, name: str, value: Any, model_name: str
) -> None:
    body = {camel_case(name): value}
    thing = package.decode(body, name="get_thing")
    assert type(getattr(thing, name)).__name__.endswith(model_name)
    assert thing.to_dict() == body
    assert package.check(body, name="get_thing").findings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_or_date", "2021-01-02"),
        ("time_or_text", "2021-01-02"),
        ("time_or_null", "2021-01-02"),
        ("date_or_text", "20210102"),
        ("uuid_or_text", "12345678123456781234567812345678"),
    ],
)
def test_a_model_reads_plain_data_of_no_other_format(
    package: Package, name: str, value: str
) -> None:
    body = {camel_case(name): value}
    model: Any = package.models.GetThingResponse200
    assert model.from_dict(body).to_dict() == body


@pytest.mark.parametrize(
    ("name", "value", "model_names"),
    [
        ("inner_list", [{"wheels": 4}], ["Car"]),
        ("lonely_list", [{"wheels": 4}], ["Car"]),
        ("equal_lists", [{"kind": "dog"}], ["Dog"]),
        ("equal_lists", [{"kind": "dog"}, {"kind": "cat"}], ["Dog", "Cat"]),
    ],
)
def test_a_list_in_a_union_inside_a_union_has_the_models_of_its_branch(
    package: Package, name: str, value: Any, model_names: list[str]
) -> None:
    body = {camel_case(name): value}
    thing = package.decode(body, name="get_thing")
    assert [type(item).__name__ for item in getattr(thing, name)] == model_names
    assert thing.to_dict() == body


@pytest.mark.parametrize(
    ("name", "value"), [("time", "2021-01-02"), ("date", "20210102"), ("uuid", "1" * 32)]
)
def test_a_text_in_another_form_than_its_format_is_reported_and_kept(
    package: Package, name: str, value: str
) -> None:
    body = {name: value}
    findings = package.check(body, name="get_formats").findings
    assert [(finding.kind, finding.path) for finding in findings] == [("wrong-type", f"$.{name}")]
    assert getattr(package.decode(body, name="get_formats"), name) is not package.types.UNSET


def test_an_object_that_can_be_null_is_a_model_also_without_a_required_property(
    package: Package,
) -> None:
    thing = package.decode({"gap": {}}, name="get_thing")
    assert type(thing.gap).__name__.endswith("GapType0")
    assert thing.gap.x is package.types.UNSET


def camel_case(name: str) -> str:
    """The name in the spec of an attribute."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def test_elements_of_lists_and_maps_become_the_branches_that_they_match(package: Package) -> None:
    pets = [{"kind": "dog"}, {"kind": "cat"}, {"kind": "dog"}]
    body: Json = {"many": pets, "byName": {"a": pets[0], "b": pets[1]}}
    thing = package.decode(body, name="get_thing")
    assert [type(pet).__name__ for pet in thing.many] == ["Dog", "Cat", "Dog"]
    assert type(thing.by_name["a"]).__name__ == "Dog"
    assert type(thing.by_name["b"]).__name__ == "Cat"
    assert thing.to_dict() == body


def test_a_list_has_elements_of_the_branch_that_it_matches(package: Package) -> None:
    thing = package.decode({"listed": [{"wheels": 4}]}, name="get_thing")
    assert [type(item).__name__ for item in thing.listed] == ["Car"]
    assert thing.to_dict() == {"listed": [{"wheels": 4}]}
    mixed = package.decode({"mixed": [{"sails": 1}]}, name="get_thing").mixed
    assert [type(item).__name__ for item in mixed] == ["Boat"]


def test_unions_of_other_forms_become_the_branches_that_they_match(package: Package) -> None:
    body: Json = {
        "texts": [{"wheels": 4}],
        "maybe": {"pet": {"kind": "dog"}},
    }
    thing = package.decode(body, name="get_thing")
    assert type(thing.texts[0]).__name__ == "Car"
    assert type(thing.maybe.pet).__name__ == "Dog"
    assert thing.to_dict() == body
    assert package.decode({"texts": ["a", None]}, name="get_thing").texts == ["a", None]


def test_a_response_that_is_a_union_becomes_the_branch_that_it_matches(package: Package) -> None:
    assert type(package.decode({"kind": "dog"}, name="get_pet")).__name__ == "Dog"
    cars = package.decode([{"wheels": 4}], name="get_list")
    assert [type(car).__name__ for car in cars] == ["Car"]


def test_a_discriminator_decides_before_the_properties(package: Package) -> None:
    """A dog with a new form of its name is still a dog, and the form is a finding."""
    body = {"mapped": {"kind": "canine", "name": 5}}
    thing = package.decode(body, name="get_thing")
    assert type(thing.mapped).__name__ == "FreeDog"
    findings = package.check(body, name="get_thing").findings
    assert [finding.path for finding in findings] == ["$.mapped.name"]


@pytest.mark.parametrize(
    ("name", "expected"), [("mapped", "feline, canine"), ("named", "FreeCat, FreeDog")]
)
def test_an_unknown_value_of_a_discriminator_is_a_finding_and_leaves_the_choice_to_the_properties(
    package: Package, name: str, expected: str
) -> None:
    body = {name: {"kind": "new", "name": "n"}}
    thing = package.decode(body, name="get_thing")
    assert thing.to_dict() == body
    (finding,) = package.check(body, name="get_thing").findings
    assert (finding.kind, finding.path) == ("unknown-enum-value", f"$.{name}.kind")
    assert finding.rule == "response-property-discriminator-mapping-added"
    assert finding.expected == f"a documented value, such as {expected}"


@pytest.mark.parametrize(
    ("name", "value", "place", "kind"),
    [
        ("part", {"state": "new"}, ".state", "unknown-enum-value"),
        ("part", {"count": 9}, ".count", "out-of-bounds"),
        ("part", {"count": "9"}, ".count", "wrong-type"),
        ("parts", [{"state": "x"}, {"state": "new"}, None], "[1].state", "unknown-enum-value"),
        ("partsByName", {"a": {"count": 9}}, ".a.count", "out-of-bounds"),
        ("partList", [{"count": 9}], "[0].count", "out-of-bounds"),
        ("shortText", "abcd", "", "out-of-bounds"),
        ("shortText", 5, "", "wrong-type"),
        ("state", "new", "", "unknown-enum-value"),
        ("constant", "new", "", "unknown-enum-value"),
        ("mixed", {"state": "new"}, ".state", "unknown-enum-value"),
        ("mixed", [{"state": "new"}], "[0].state", "unknown-enum-value"),
        ("mixed", "new", "", "unknown-enum-value"),
        ("mixed", 5, "", "out-of-bounds"),
        ("owner", {"email": 5}, ".email", "wrong-type"),
        ("owner", {"members": "3", "name": "n"}, ".members", "wrong-type"),
        ("constants", {"kind": "dog", "name": 5}, ".name", "wrong-type"),
    ],
)
def test_a_value_that_deviates_from_the_one_branch_that_can_be_meant_is_kept_and_a_finding(
    package: Package, name: str, value: Any, place: str, kind: str
) -> None:
    body = {name: value}
    assert package.decode(body, name="get_deviating").to_dict() == body
    findings = package.check(body, name="get_deviating").findings
    assert [(finding.kind, finding.path) for finding in findings] == [(kind, f"$.{name}{place}")]


def test_the_models_of_deviating_values_are_those_of_their_branches(package: Package) -> None:
    body: Json = {
        "part": {"state": "new"},
        "state": "new",
        "mixed": [{"count": 9}],
        "owner": {"members": "3", "name": "n"},
        "constants": {"kind": "dog", "name": 5},
    }
    thing = package.decode(body, name="get_deviating")
    assert thing.part.state.is_unknown
    assert thing.state.is_unknown
    assert type(thing.mixed[0]).__name__ == "Part"
    assert type(thing.owner).__name__ == "Team"
    assert type(thing.constants).__name__ == "ConstDog"


def test_a_property_that_no_model_can_store_is_all_that_its_object_in_a_union_loses(
    package: Package,
) -> None:
    body = {"part": {"count": 1, "day": "tomorrow"}}
    thing = package.decode(body, name="get_deviating")
    assert thing.part.to_dict() == {"count": 1}
    findings = package.check(body, name="get_deviating").findings
    assert [(finding.path, finding.expected) for finding in findings] == [
        ("$.part.day", "of format date")
    ]


def test_a_response_that_deviates_from_its_union_with_null_is_a_model(package: Package) -> None:
    part = package.decode({"state": "new", "count": 1}, name="get_part")
    assert part.state.is_unknown
    assert part.count == 1


@pytest.mark.parametrize(
    ("name", "value", "type_name"),
    [
        ("day", "20210102", "date"),
        ("time", "2021-01-02", "datetime"),
        ("id", "1" * 32, "UUID"),
    ],
)
def test_a_text_in_another_form_than_the_one_format_of_a_union_is_reported_and_converted(
    package: Package, name: str, value: str, type_name: str
) -> None:
    body = {name: value}
    assert type(getattr(package.decode(body, name="get_deviating"), name)).__name__ == type_name
    findings = package.check(body, name="get_deviating").findings
    assert [(finding.kind, finding.path) for finding in findings] == [("wrong-type", f"$.{name}")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("owner", {"name": 5}),
        ("owner", {"email": 5, "members": "3"}),
        ("constants", {"kind": "new"}),
        ("mixed", True),
    ],
)
def test_a_value_that_could_be_of_several_branches_is_left_out(
    package: Package, name: str, value: Any
) -> None:
    body = {name: value}
    assert package.decode(body, name="get_deviating").to_dict() == {}
    findings = package.check(body, name="get_deviating").findings
    assert [(finding.kind, finding.path) for finding in findings] == [
        ("undocumented-form", f"$.{name}")
    ]


def test_a_nullable_reference_of_openapi_30_keeps_a_deviating_model(tmp_path: Path) -> None:
    nullable = {"nullable": True, "allOf": [component("Part")]}
    schema = {"type": "object", "properties": {"part": nullable}}
    spec: Json = {
        **SPEC,
        "openapi": "3.0.3",
        "paths": {"/thing": {"get": operation("getThing", schema)}},
        "components": {"schemas": {"Part": COMPONENTS["Part"]}},
    }
    with loaded_package(yaml.safe_dump(spec), tmp_path, "union_30_client") as package:
        body = {"part": {"state": "new"}}
        assert package.decode(body, name="get_thing").part.state.is_unknown
        assert package.decode({"part": None}, name="get_thing").part is None
        findings = package.check(body, name="get_thing").findings
        assert [finding.path for finding in findings] == ["$.part.state"]


def test_models_read_plain_data_as_before(package: Package) -> None:
    """Callers can create models from stored data, without the check against the contract."""
    body = {"enums": {"kind": "cat"}}
    model: Any = package.models.GetThingResponse200
    assert model.from_dict(body) == package.decode(body, name="get_thing")
