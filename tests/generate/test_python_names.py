"""Names of the spec that Python uses itself give a client that works."""

from __future__ import annotations

import json
import keyword
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.generate.packages import ClientPackage, Json, loaded_client

# fmt: off
BUILTINS = [
    "any", "bool", "bytes", "dict", "filter", "float", "getattr", "id", "int", "isinstance", "len",
    "list", "map", "next", "object", "open", "property", "range", "set", "str", "super", "tuple",
    "type", "vars", "zip",
]
# fmt: on
EXCEPTIONS_AND_IMPORTS = ["AttributeError", "Generic", "KeyError", "TypeError", "TypeVar"]

NAMES = list(
    dict.fromkeys([*keyword.kwlist, *keyword.softkwlist, *BUILTINS, *EXCEPTIONS_AND_IMPORTS])
)

NOT_SCHEMAS = frozenset({"_", "any", "TypeVar"})
"""No class can have these names. `make generate` rejects them."""


def component(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def content_of(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def operation_of(name: str) -> Json:
    reference = component("Thing" if name in NOT_SCHEMAS else name)
    return {
        "operationId": name,
        "tags": [name],
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": content_of(component("Thing"))},
        "responses": {"200": {"description": "", "content": content_of(reference)}},
    }


def object_of(names: list[str]) -> Json:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


SPEC = yaml.safe_dump(
    {
        "openapi": "3.1.0",
        "info": {"title": "Names", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "paths": {f"/{number}": {"put": operation_of(name)} for number, name in enumerate(NAMES)},
        "components": {
            "schemas": {
                "Thing": object_of(NAMES),
                **{name: object_of([name]) for name in NAMES if name not in NOT_SCHEMAS},
            }
        },
    },
    sort_keys=False,
)


@pytest.fixture(scope="module", name="package")
def package_of_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientPackage]:
    with loaded_client(SPEC, tmp_path_factory.mktemp("names"), "names_client") as package:
        # Alone: the types do not depend on the hand-written client, which takes long to check.
        generated = package.folder / package.name / "_generated"
        (package.folder / "generated").symlink_to(generated)
        yield package


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_python_is_a_tag_a_method_an_argument_and_a_class(
    package: ClientPackage, name: str
) -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={name: "received"})

    contract = package.module("_generated").load_contract()["operations"][name]
    tag, _, method = contract["python"].partition(".")
    arguments = {
        argument["argument"]: f"sent in {argument['in']}"
        for argument in contract["arguments"]
        if argument["name"] == name
    }
    transport = httpx.MockTransport(respond)
    with package.module().LeadConnector(token="t", transport=transport, strict=True) as client:
        call: Any = getattr(getattr(client, tag), method)
        thing = call(**arguments)

    (request,) = requests
    assert request.url.params[name] == "sent in query"
    assert json.loads(request.content) == {name: "sent in body"}
    assert thing.to_dict() == {name: "received"}


def test_the_types_of_names_of_python_are_right(package: ClientPackage) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    result = subprocess.run(
        [*command, "--cache-dir", str(package.folder / "cache"), str(package.folder / "generated")],
        cwd=package.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout + result.stderr == ""
