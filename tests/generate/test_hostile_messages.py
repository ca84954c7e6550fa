"""No name of a spec controls the terminal or the CI log that generation writes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from generate.__main__ import main

from tests.generate.samples import SPEC_TEXT
from tests.specdrift.test_terminal import is_interpreted, names

Json = dict[str, Any]
PATH = "/conversations/{conversationId}"


def unsupported_schema(spec: Json, name: str) -> None:
    properties = spec["components"]["schemas"]["Conversation"]["properties"]
    properties[name] = {"type": "array", "prefixItems": []}


def duplicate_operation_id(spec: Json, name: str) -> None:
    operation = spec["paths"][PATH]["put"]
    spec["paths"][f"/{name}"] = {"get": {**operation, "operationId": "updateConversation"}}


def unusable_operation_id(spec: Json, name: str) -> None:
    spec["paths"][PATH]["put"]["operationId"] = f"{name}\x01"


def path_with_query(spec: Json, name: str) -> None:
    spec["paths"][f"/{name}?a"] = spec["paths"].pop(PATH)


def tag_without_name(spec: Json, name: str) -> None:
    spec["paths"][PATH]["put"]["tags"] = [f"close {name}", name]
    spec["paths"][PATH]["put"]["responses"][name] = {"description": name}


def broken_reference(spec: Json, name: str) -> None:
    spec["components"]["schemas"][name] = {"$ref": f"#/components/schemas/{name}/x"}


def unreadable_parameter(spec: Json, name: str) -> None:
    parameter: Json = {"name": name, "in": "query", "content": {name: {"schema": {}}}}
    spec["paths"][PATH]["put"]["parameters"].append(parameter)


def unreadable_schema(spec: Json, name: str) -> None:
    properties = spec["components"]["schemas"]["Conversation"]["properties"]
    properties["inbox"] = {"type": name, "description": name}


def duplicate_parameter(spec: Json, name: str) -> None:
    parameter = {"name": name, "in": "query", "schema": {"type": "string"}}
    spec["paths"][PATH]["put"]["parameters"] += [parameter, parameter]


@names
@pytest.mark.parametrize(
    "make_invalid",
    [
        unsupported_schema,
        duplicate_operation_id,
        unusable_operation_id,
        path_with_query,
        tag_without_name,
        broken_reference,
        unreadable_parameter,
        unreadable_schema,
        duplicate_parameter,
    ],
)
def test_no_message_is_interpreted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make_invalid: Any, name: str
) -> None:
    spec = cast("Json", yaml.safe_load(SPEC_TEXT))
    make_invalid(spec, name)
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec), encoding="utf-8")

    assert main(["--spec", str(file), "--output", str(tmp_path / "generated")]) == 1

    messages = capsys.readouterr()
    assert messages.out == ""
    assert not is_interpreted(messages.err)
    assert all(line.startswith("generate: ") for line in messages.err.splitlines())


@names
def test_no_note_is_interpreted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    spec = cast("Json", yaml.safe_load(SPEC_TEXT))
    spec[name] = True
    spec["components"]["schemas"]["Conversation"][name] = True
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec), encoding="utf-8")

    assert main(["--spec", str(file), "--output", str(tmp_path / "generated")]) == 0

    messages = capsys.readouterr()
    assert not is_interpreted(messages.err)
    assert messages.err.count("it has no effect") == 2
    assert all(line.startswith("generate: note: ") for line in messages.err.splitlines())


@names
def test_no_name_of_a_file_is_interpreted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    name = name.replace("/", "")
    output = tmp_path / name
    output.mkdir()
    (output / "contract.json").touch()
    (output / name).touch()

    assert main(["--check", "--output", str(output)]) == 1
    # A folder with such a name need not be importable.
    main(["--output", str(output)])

    messages = capsys.readouterr()
    assert not is_interpreted(messages.err + messages.out)
