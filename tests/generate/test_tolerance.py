"""Models of responses require no property, at any depth, and requests keep their requirements.

The tests generate a package from a spec with nested responses. Its contract and its decoders run as
in a call of the client.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main

from tests.generate.packages import Json, Package, loaded_package

SPEC = """
openapi: 3.1.0
info: {title: Nested, version: "1"}
servers: [{url: "https://api.example"}]
tags: [{name: Things}]
paths:
  /things/{id}:
    put:
      operationId: putThing
      tags: [Things]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Part"}}}
      responses:
        "200":
          description: The thing
          content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}
        "400":
          description: The error
          content: {application/json: {schema: {$ref: "#/components/schemas/Problem"}}}
    get:
      operationId: getOwner
      tags: [Things]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200":
          description: The owner
          content:
            application/json:
              schema:
                oneOf:
                  - $ref: "#/components/schemas/User"
                  - $ref: "#/components/schemas/Team"
                  - $ref: "#/components/schemas/Odd"
  /things:
    get:
      operationId: listParts
      tags: [Things]
      responses:
        "200":
          description: The parts
          content:
            application/json:
              schema: {type: array, items: {$ref: "#/components/schemas/Part"}}
components:
  schemas:
    Part:
      type: object
      required: [name, size]
      properties:
        name: {type: string}
        size: {type: integer}
        kind: {type: string, enum: [small, large]}
    Base:
      type: object
      required: [id]
      properties:
        id: {type: string}
    Thing:
      allOf:
        - $ref: "#/components/schemas/Base"
        - type: object
          required: [part, parts, byName, created, owner, fixed, kind, choice]
          properties:
            part: {$ref: "#/components/schemas/Part"}
            parts: {type: array, items: {$ref: "#/components/schemas/Part"}}
            byName:
              type: object
              additionalProperties: {$ref: "#/components/schemas/Part"}
            created: {type: string, format: date-time}
            day: {type: string, format: date}
            owner:
              oneOf:
                - $ref: "#/components/schemas/User"
                - $ref: "#/components/schemas/Team"
            maybe:
              anyOf:
                - $ref: "#/components/schemas/Part"
                - type: "null"
            fixed: {const: thing}
            kind: {type: string, enum: [a, b]}
            choice: {anyOf: [{type: string}, {type: integer}]}
            inline:
              type: object
              required: [deep]
              properties:
                deep:
                  type: object
                  required: [deeper]
                  properties:
                    deeper: {type: boolean}
    User:
      type: object
      required: [email, name]
      properties:
        email: {type: string}
        name: {type: string}
        profile: {$ref: "#/components/schemas/Part"}
    Team:
      type: object
      required: [members]
      properties:
        members: {type: integer}
        name: {type: string}
    Odd:
      type: object
      required: ['say "{hi}"', "back\\\\slash"]
      properties:
        'say "{hi}"': {type: string}
        "back\\\\slash": {type: string}
    Problem:
      type: object
      required: [message, cause]
      properties:
        message: {type: string, x-role: error-messages}
        cause:
          type: object
          required: [code]
          properties:
            code: {type: string}
"""

PART: Json = {"name": "n", "size": 1}
BODY: Json = {
    "id": "t1",
    "part": PART,
    "parts": [PART, {"name": "m", "size": 2, "kind": "large"}],
    "byName": {"first": PART},
    "created": "2021-08-03T22:27:33+00:00",
    "day": "2021-08-03",
    "owner": {"email": "e", "name": "n", "profile": PART},
    "maybe": PART,
    "fixed": "thing",
    "kind": "a",
    "choice": 3,
    "inline": {"deep": {"deeper": True}},
}


@pytest.fixture(scope="module", name="package")
def nested_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """The package that is generated from `SPEC`."""
    with loaded_package(SPEC, tmp_path_factory.mktemp("nested"), "nested_client") as package:
        yield package


Place = tuple[str | int, ...]

REQUIRED_PLACES: list[Place] = [
    ("id",),
    ("part",),
    ("part", "name"),
    ("part", "size"),
    ("parts",),
    ("parts", 0, "name"),
    ("parts", 1, "size"),
    ("byName",),
    ("byName", "first", "size"),
    ("created",),
    ("owner",),
    ("owner", "email"),
    ("owner", "profile", "size"),
    ("maybe", "name"),
    ("fixed",),
    ("kind",),
    ("choice",),
    ("inline", "deep"),
    ("inline", "deep", "deeper"),
]


def edited_body(place: Place, *, is_null: bool) -> Json:
    """The body without the value at a place, or with null there."""
    # A deep copy without shared parts.
    body: Json = json.loads(json.dumps(BODY))
    parent: Any = body
    for step in place[:-1]:
        parent = parent[step]
    if is_null:
        parent[place[-1]] = None
    else:
        del parent[place[-1]]
    return body


def without(place: Place) -> Json:
    """The body as its model returns it: without the value at a place."""
    return edited_body(place, is_null=False)


def path_of(place: Place) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in place]
    return "".join(["$", *steps])


def test_a_valid_body_has_no_finding_and_returns_its_model(package: Package) -> None:
    assert package.check(BODY).findings == ()
    assert package.decode(BODY).to_dict() == BODY


@pytest.mark.parametrize("place", REQUIRED_PLACES, ids=path_of)
@pytest.mark.parametrize(("is_null", "kind"), [(False, "missing"), (True, "null")])
def test_a_gap_at_any_depth_is_unset_and_one_finding(
    package: Package, place: Place, is_null: bool, kind: str
) -> None:
    body = edited_body(place, is_null=is_null)

    result = package.decode(body)

    assert result.to_dict() == without(place)
    assert [(finding.kind, finding.path) for finding in package.check(body).findings] == [
        (kind, path_of(place))
    ]


def test_a_body_without_any_property_returns_an_empty_model(package: Package) -> None:
    assert package.decode({}) == package.models.Thing()


@pytest.mark.parametrize(
    ("owner", "model_name", "kinds"),
    [
        ({"email": "e", "name": "n"}, "User", []),
        ({"members": 3}, "Team", []),
        ({"members": 3, "name": "n"}, "Team", []),
        ({"email": "e"}, "User", ["missing"]),
        ({"email": None, "name": "n"}, "User", ["null"]),
        ({"members": None}, "Team", ["null"]),
        ({"email": "e", "new": 1}, "User", ["missing", "undocumented-field"]),
    ],
)
def test_the_model_of_a_union_that_fits_best_is_returned(
    package: Package, owner: Json, model_name: str, kinds: list[str]
) -> None:
    body = {**BODY, "owner": owner}

    result = package.decode(body)

    assert type(result.owner).__name__ == model_name
    expected = {name: value for name, value in owner.items() if value is not None}
    assert result.owner.to_dict() == expected
    assert sorted(finding.kind for finding in package.check(body).findings) == kinds


@pytest.mark.parametrize(
    ("body", "model_name"),
    [
        ({"email": "e", "name": "n"}, "User"),
        ({"email": "e"}, "User"),
        ({"members": None}, "Team"),
        ({'say "{hi}"': "s", "back\\slash": "b"}, "Odd"),
        ({"back\\slash": "b"}, "Odd"),
    ],
)
def test_a_response_that_is_a_union_returns_the_model_that_fits_best(
    package: Package, body: Json, model_name: str
) -> None:
    result = package.decode(body, name="get_owner")

    assert type(result).__name__ == model_name
    assert result.to_dict() == {name: value for name, value in body.items() if value is not None}


def test_a_response_that_is_an_array_returns_models_with_gaps(package: Package) -> None:
    body = [{"name": "n"}, {"size": None}, None, {}]

    result = package.decode(body, name="list_parts")

    assert [part.to_dict() for part in result] == [{"name": "n"}, {}, {}]
    findings = package.check(body, name="list_parts").findings
    assert [(finding.kind, finding.path) for finding in findings] == [
        ("missing", "$[0].size"),
        ("missing", "$[1].name"),
        ("null", "$[1].size"),
        ("null", "$[2]"),
        ("missing", "$[3].name"),
        ("missing", "$[3].size"),
    ]


@pytest.mark.parametrize("owner", [{}, {"new": 1}, "text", 5, [1]])
def test_a_value_that_fits_no_model_of_a_union_is_unset_and_a_finding(
    package: Package, owner: Any
) -> None:
    body = {**BODY, "owner": owner}

    assert package.decode(body).to_dict() == without(("owner",))
    assert [(finding.path, finding.expected) for finding in package.check(body).findings] == [
        ("$.owner", "of a documented form")
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("created", "tomorrow", "of format date-time"),
        ("created", 1628008053263, "of type string"),
        ("day", "2021-99-99", "of format date"),
        ("fixed", 5, "a documented value, such as thing"),
        ("kind", 5, "of type string"),
    ],
)
def test_a_scalar_that_its_model_cannot_convert_is_unset_and_a_finding(
    package: Package, name: str, value: object, expected: str
) -> None:
    body = {**BODY, name: value}

    result = package.decode(body)

    assert result.to_dict() == without((name,))
    assert [(finding.path, finding.expected) for finding in package.check(body).findings] == [
        (f"$.{name}", expected)
    ]


def test_another_value_than_a_constant_is_kept_and_a_finding(package: Package) -> None:
    body = {**BODY, "fixed": "another"}

    assert package.decode(body).to_dict() == body
    assert [(finding.kind, finding.path) for finding in package.check(body).findings] == [
        ("unknown-enum-value", "$.fixed")
    ]


@pytest.mark.parametrize("value", ["text", [1], 5])
@pytest.mark.parametrize("name", ["part", "byName"])
def test_another_value_in_place_of_a_required_object_is_unset_and_a_finding(
    package: Package, name: str, value: object
) -> None:
    body = {**BODY, name: value}

    assert package.decode(body).to_dict() == without((name,))
    assert [(finding.path, finding.expected) for finding in package.check(body).findings] == [
        (f"$.{name}", "of type object")
    ]


@pytest.mark.parametrize("body", [{}, {"message": "No"}, {"cause": {}}, {"cause": None}])
def test_an_error_without_required_properties_returns_its_model(
    package: Package, body: Json
) -> None:
    assert isinstance(package.decode(body, "400"), package.models.Problem)


def test_a_schema_of_request_and_response_keeps_its_required_arguments(package: Package) -> None:
    parameters = inspect.signature(package.module.Things.put_thing).parameters

    assert parameters["name"].default is inspect.Parameter.empty
    assert parameters["size"].default is inspect.Parameter.empty
    assert parameters["kind"].default is not inspect.Parameter.empty
    required = {
        name: entry.entry["required"]
        for name, entry in package.contracts["put_thing"].arguments.items()
    }
    assert required == {"id": True, "name": True, "size": True, "kind": False}


def test_a_model_of_requests_alone_keeps_its_required_properties(tmp_path: Path) -> None:
    spec = yaml.safe_load(SPEC)
    spec["components"]["schemas"]["Request"] = copy.deepcopy(spec["components"]["schemas"]["Part"])
    operation = spec["paths"]["/things/{id}"]["put"]
    reference = {"$ref": "#/components/schemas/Request"}
    operation["requestBody"]["content"]["application/json"]["schema"] = reference
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")

    assert main(["--spec", str(tmp_path / "spec.yaml"), "--output", str(tmp_path / "output")]) == 0

    request = (tmp_path / "output" / "models" / "request.py").read_text(encoding="utf-8")
    assert "    size: int\n" in request


def test_parts_that_yaml_aliases_share_are_optional_in_the_response_alone(tmp_path: Path) -> None:
    spec = SPEC.replace(
        "    Part:\n      type: object\n      required: [name, size]",
        ("    Request: &part\n      type: object\n      required: [name, size]"),
    )
    spec = spec.replace("    Base:\n", "    Part: *part\n    Base:\n", 1)
    spec = spec.replace(
        'content: {application/json: {schema: {$ref: "#/components/schemas/Part"}}}',
        'content: {application/json: {schema: {$ref: "#/components/schemas/Request"}}}',
        1,
    )
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")

    assert main(["--spec", str(tmp_path / "spec.yaml"), "--output", str(tmp_path / "output")]) == 0

    models = tmp_path / "output" / "models"
    assert "    size: int\n" in (models / "request.py").read_text(encoding="utf-8")
    assert "    size: int | Unset = UNSET\n" in (models / "part.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["true", "name", "[1]", "{a: 1}"])
def test_an_invalid_required_is_still_rejected(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = SPEC.replace("required: [members]", f"required: {value}")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")

    assert main(["--spec", str(tmp_path / "spec.yaml"), "--output", str(tmp_path / "output")]) == 1
    assert "required" in capsys.readouterr().err
