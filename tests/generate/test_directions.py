"""A request needs no read-only property, and a response no write-only one, at any depth."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from leadconnector import UNSET, ArgumentError
from leadconnector._runtime.request import Arguments, complete_arguments

from tests.generate.packages import Json, Package, loaded_package
from tests.generate.programs import run_program, write_client

SPEC = """
openapi: 3.1.0
info: {title: Users, version: "1"}
servers: [{url: "https://api.example"}]
security: [{bearer: []}]
tags: [{name: Things}]
paths:
  /users:
    post:
      operationId: createUser
      tags: [Things]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}
      responses:
        "201":
          description: The user
          content: {application/json: {schema: {$ref: "#/components/schemas/User"}}}
        "422": {description: Unprocessable Entity}
  /accounts:
    post:
      operationId: createAccount
      tags: [Things]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Account"}}}
      responses: {"204": {description: Created}, "422": {description: Unprocessable Entity}}
  /sessions:
    post:
      operationId: createSession
      tags: [Things]
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Session"}}}
      responses: {"204": {description: Created}}
    put:
      operationId: replaceLimits
      tags: [Things]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: array, items: {$ref: "#/components/schemas/Limits"}}
      responses: {"204": {description: Replaced}}
  /groups:
    post:
      operationId: createGroup
      tags: [Things]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Group"}}}
      responses: {"204": {description: Created}}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
  schemas:
    Id: {type: string, readOnly: true}
    Text: {type: string}
    User:
      type: object
      required: [id, name, password, profile]
      properties:
        id: {$ref: "#/components/schemas/Id"}
        name: {type: string}
        password: {$ref: "#/components/schemas/Text", writeOnly: true}
        profile: {$ref: "#/components/schemas/Profile"}
        history: {type: array, items: {$ref: "#/components/schemas/Profile"}}
    Profile:
      type: object
      required: [createdAt, bio, secret]
      properties:
        createdAt: {type: string, readOnly: true, example: now}
        bio: {type: string}
        secret: {type: string, writeOnly: true}
    Created:
      type: object
      properties:
        id: {$ref: "#/components/schemas/Id"}
        number: {allOf: [{$ref: "#/components/schemas/Text"}], readOnly: true}
    Account:
      required: [id, name]
      allOf:
        - $ref: "#/components/schemas/Created"
        - required: [number]
        - type: object
          properties:
            name: {type: string}
            limits: {$ref: "#/components/schemas/Limits"}
    Limits:
      type: object
      required: [used, maximum]
      properties:
        used: {type: integer, readOnly: true}
        maximum: {type: integer}
    Group:
      type: object
      required: [owner]
      properties:
        owner:
          oneOf: [{$ref: "#/components/schemas/Limits"}, {$ref: "#/components/schemas/Account"}]
        byName:
          type: object
          additionalProperties: {$ref: "#/components/schemas/Account"}
    Session:
      type: object
      required: [id]
      properties:
        id: {$ref: "#/components/schemas/Id"}
        device: {type: string}
"""

PROFILE: Json = {"bio": "b", "secret": "s"}
RECEIVED: Json = {"id": "u1", "name": "n", "profile": {"createdAt": "now", "bio": "b"}}


@pytest.fixture(scope="module", name="package")
def package_of_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """The package that is generated from `SPEC`."""
    folder = tmp_path_factory.mktemp("directions")
    with loaded_package(SPEC, folder, "direction_client") as package:
        yield package


def parameters(package: Package, method: str) -> dict[str, bool]:
    """The keyword arguments of a method, and whether each is required."""
    signature = inspect.signature(getattr(package.module.Things, method))
    names = [name for name in signature.parameters if name not in {"self", "options"}]
    empty = inspect.Parameter.empty
    return {name: signature.parameters[name].default is empty for name in names}


def test_a_read_only_property_is_no_argument(package: Package) -> None:
    assert parameters(package, "create_user") == {
        "name": True,
        "password": True,
        "profile": True,
        "history": False,
    }
    assert parameters(package, "create_account") == {"name": True, "limits": False}
    assert parameters(package, "create_session") == {"device": False}


def test_models_are_made_without_read_only_properties(package: Package) -> None:
    assert package.models.Profile(bio="b", secret="s").to_dict() == PROFILE
    assert package.models.Limits(maximum=1).to_dict() == {"maximum": 1}
    assert package.models.Account(name="n").to_dict() == {"name": "n"}
    with pytest.raises(TypeError, match="maximum"):
        package.models.Limits()


def complete(package: Package, method: str, **values: object) -> None:
    contract = package.contracts[method]
    arguments = Arguments({**dict.fromkeys(contract.arguments, UNSET), **values})
    complete_arguments(contract, arguments, None)


@pytest.mark.parametrize(
    ("method", "values", "problem"),
    [
        ("create_user", {"name": "n", "password": "p", "profile": PROFILE}, ""),
        (
            "create_user",
            {"name": "n", "password": "p", "profile": PROFILE, "history": [PROFILE]},
            "",
        ),
        (
            "create_user",
            {"name": "n", "password": "p", "profile": {**PROFILE, "createdAt": "now"}},
            "",
        ),
        ("create_user", {"name": "n", "password": "p", "profile": {}}, "profile.bio"),
        (
            "create_user",
            {"name": "n", "password": "p", "profile": {"bio": "b"}},
            "profile.secret",
        ),
        ("create_user", {"name": "n", "profile": PROFILE}, "password"),
        ("create_account", {"name": "n", "limits": {"maximum": 1}}, ""),
        ("create_account", {"name": "n", "limits": {"used": 1}}, "limits.maximum"),
    ],
)
def test_a_request_needs_all_required_properties_but_read_only_ones(
    package: Package, method: str, values: dict[str, object], problem: str
) -> None:
    if not problem:
        complete(package, method, **values)
        return
    with pytest.raises(ArgumentError, match=f"^{problem} (must be there|is required)"):
        complete(package, method, **values)


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({}, []),
        ({"password": "p"}, []),
        ({"id": None}, ["$.id"]),
        ({"profile": {"bio": "b"}}, ["$.profile.createdAt"]),
        ({"history": [{"createdAt": "now"}]}, ["$.history[0].bio"]),
    ],
)
def test_a_response_needs_all_required_properties_but_write_only_ones(
    package: Package, change: Json, paths: list[str]
) -> None:
    body = json.loads(json.dumps({**RECEIVED, **change}))
    checked = package.check(body, "201", "create_user")
    assert [finding.path for finding in checked.findings] == paths


def sent(package: Package, method: str, **values: object) -> Json:
    """The JSON body of a request."""
    contract = package.contracts[method]
    arguments = Arguments({**dict.fromkeys(contract.arguments, UNSET), **values})
    complete_arguments(contract, arguments, None)
    present = {name: value for name, value in arguments.items() if value is not UNSET}
    absent = dict.fromkeys(arguments.keys() - present.keys(), package.types.UNSET)
    body: Json = package.operations[method].build(**present, **absent)["json"]
    return body


def test_a_request_has_no_read_only_property_at_any_depth(package: Package) -> None:
    received = {**PROFILE, "createdAt": "now"}
    model = package.models.Profile.from_dict(received)
    body = sent(
        package, "create_user", name="n", password="p", profile=model, history=[received, model]
    )
    assert body == {
        "name": "n",
        "password": "p",
        "profile": PROFILE,
        "history": [PROFILE, PROFILE],
    }
    assert received["createdAt"] == "now"
    assert model.created_at == "now"


def test_a_read_only_property_is_removed_behind_references_and_in_unions(package: Package) -> None:
    account = {"id": "a", "number": "1", "name": "n", "limits": {"used": 1, "maximum": 2}}
    expected = {"name": "n", "limits": {"maximum": 2}}
    body = sent(package, "create_group", owner=account, by_name={"k": account})
    assert body == {"owner": expected, "byName": {"k": expected}}
    limits = {"used": 1, "maximum": 2}
    assert sent(package, "create_group", owner=limits) == {"owner": {"maximum": 2}}


def test_a_whole_body_has_no_read_only_property(package: Package) -> None:
    contract = package.contracts["replace_limits"]
    arguments = Arguments({"body": [{"used": 1, "maximum": 2}]})
    complete_arguments(contract, arguments, None)
    assert arguments == {"body": [{"maximum": 2}]}


@pytest.mark.parametrize("value", [5, {"any": []}, None])
def test_the_value_of_a_read_only_property_is_not_validated(
    package: Package, value: object
) -> None:
    profile = {**PROFILE, "createdAt": value}
    body = sent(package, "create_user", name="n", password="p", profile=profile)
    assert body["profile"] == PROFILE


PROGRAM = """
import asyncio
import json

from leadconnector import APIStatusError, AsyncLeadConnector, LeadConnector
from leadconnector.models import Profile
from leadconnector_emulator import Emulator, EmulatorTransport

emulator = Emulator("spec.yaml", tokens=["test-token"])
options = {
    "token": "test-token",
    "transport": EmulatorTransport(emulator),
    "strict": True,
    "base_url": "https://api.example",
}
arguments = {
    "name": "n",
    "password": "p",
    "profile": Profile(bio="b", secret="s"),
    "history": [{"bio": "c", "secret": "t"}],
}


def call_blocking():
    with LeadConnector(**options) as client:
        user = client.things.create_user(**arguments).to_dict()
        client.things.create_account(name="n", limits={"maximum": 1})
        client.things.create_session()
        return user


async def call_async():
    async with AsyncLeadConnector(**options) as client:
        user = (await client.things.create_user(**arguments)).to_dict()
        await client.things.create_account(name="n", limits={"maximum": 1})
        await client.things.create_session()
        return user


def rejection(path, body):
    with LeadConnector(**options) as client:
        try:
            client.request("POST", path, json=body)
        except APIStatusError as error:
            return [error.status_code, error.body]


users = [call_blocking(), asyncio.run(call_async())]
rejections = [rejection("/users", {"id": "u"}), rejection("/accounts", {})]
print(json.dumps({"users": users, "rejections": rejections}))
"""


def test_the_emulator_agrees_with_both_clients(tmp_path: Path) -> None:
    write_client(SPEC, tmp_path)
    result: dict[str, Any] = run_program(PROGRAM, tmp_path)
    for user in result["users"]:
        assert user["name"] == "n"
        assert user["id"]
        assert "password" not in user
    statuses = [status for status, _ in result["rejections"]]
    assert statuses == [422, 422]
    problems = json.dumps(result["rejections"])
    assert '\\"password\\" is a required' in problems
    assert '\\"name\\" is a required' in problems
    assert '\\"id\\" is a required' not in problems
