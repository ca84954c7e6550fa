"""No text of a spec becomes code or template in the generated package."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from generate.__main__ import main

from tests.generate.samples import SPEC_TEXT

HOSTILE = (
    # It ends a docstring or a literal, and is a Jinja expression, a format and an escape sequence.
    '""" + __import__("os").system("touch PWNED") + """ \\ \\" \\""" \' \'\'\' \n'
    "{{ 7 * 7 }} {% if %} {# no #}\n"
    '    import os; os.system("touch PWNED")\n%s {x} \\N{BULLET} \\x41 é \U0001f600 \\'
)
ON_ONE_LINE = HOSTILE.replace("\n", " ")
HEADER = "Version!#$%&'*+-.^_`|~"
"""A header's name with all characters that HTTP allows beside letters and digits."""
IN_A_PATH = re.sub(r"[{}#?]", "", ON_ONE_LINE)


def hostile_spec() -> dict[str, Any]:
    """The spec with the hostile text wherever OpenAPI allows any text."""
    spec = cast("dict[str, Any]", yaml.safe_load(SPEC_TEXT))
    spec["info"].update(title=HOSTILE, description=HOSTILE, version=HOSTILE)
    spec["servers"][0]["description"] = HOSTILE
    path = spec["paths"].pop("/conversations/{conversationId}")
    spec["paths"][f"/{IN_A_PATH}/{{conversationId}}"] = path
    operation = path["put"]
    operation.update(operationId=ON_ONE_LINE, summary=HOSTILE, description=HOSTILE, tags=[HOSTILE])
    spec["tags"] = [{"name": HOSTILE, "description": HOSTILE}]
    parameter = operation["parameters"][0]
    parameter.update(description=HOSTILE)
    parameter["schema"].update(example=HOSTILE, description=HOSTILE)
    operation["parameters"].append(
        {
            "name": ON_ONE_LINE,
            "in": "query",
            "description": HOSTILE,
            "schema": {"type": "array", "items": {"type": "string", "enum": [ON_ONE_LINE]}},
        }
    )
    operation["parameters"].append(
        {"name": "q", "in": "query", "schema": {"type": "string", "default": HOSTILE}}
    )
    body = operation["requestBody"]
    body["description"] = HOSTILE
    body["content"] = {f"application/json; {ON_ONE_LINE}": body["content"]["application/json"]}
    for response in operation["responses"].values():
        response["description"] = HOSTILE
    components = spec["components"]
    components["securitySchemes"]["bearer"]["description"] = HOSTILE
    components["parameters"]["Version"].update(
        {"name": HEADER, "description": HOSTILE, "x-other": HOSTILE}
    )
    schemas = components["schemas"]
    schemas["BadRequest"]["title"] = HOSTILE
    schemas["ApiVersion"].update(
        {"description": HOSTILE, "enum": [ON_ONE_LINE], "x-enum-varnames": [HOSTILE]}
    )
    schemas["LastMessageType"]["enum"][0] = ON_ONE_LINE
    for name in ("UpdateConversationRequest", "Conversation"):
        schemas[name]["description"] = HOSTILE
        for child in schemas[name]["properties"].values():
            if "$ref" not in child:
                child.update(description=HOSTILE, example=HOSTILE)
        schemas[name]["properties"][ON_ONE_LINE] = {"type": "string", "default": ON_ONE_LINE}
    schemas["BadRequest"]["properties"]["fixed"] = {"const": HOSTILE}
    return spec


# `%(text)r` becomes the hostile text, which is also the name of a query parameter, a body property
# and an operation. `%(header)r` becomes the name of a header.
SCRIPT = """
import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import hostile_client

for module in pkgutil.walk_packages(hostile_client.__path__, "hostile_client."):
    importlib.import_module(module.name)

from hostile_client.api import Resources
from hostile_client.models import Conversation, LastMessageType

TEXT = %(text)r
contract_file = Path(hostile_client.__file__).with_name("contract.json")
contract = json.loads(contract_file.read_text(encoding="utf-8"))
(operation,) = contract["operations"].values()


def python_name(name, location):
    for argument in operation["arguments"]:
        if argument["name"] == name and argument["in"] == location:
            return argument["argument"]


class RecordingSession:
    def call(self, operation, arguments, options):
        arguments = {
            **arguments,
            python_name(%(header)r, "header"): TEXT,
            python_name(TEXT, "body"): TEXT,
            python_name(TEXT, "query"): [],
        }
        return operation.operation_id, operation.build(**arguments)


resource_name, method_name = operation["python"].split(".")
resource = getattr(Resources(RecordingSession()), resource_name)
method = getattr(resource, method_name)
operation_id, request = method(conversation_id="id", location_id="here")

conversation = {"locationId": "a", "contactId": "b", "deleted": False, TEXT: "c"}
values = [LastMessageType(TEXT), LastMessageType("another")]
print(
    json.dumps(
        {
            "operation_id": operation_id,
            "url": request["url"],
            "headers": request["headers"],
            "body": request["json"],
            "first_value": list(LastMessageType)[0].value,
            "unknown": [value.is_unknown for value in values],
            "round_trip": Conversation.from_dict(conversation).to_dict() == conversation,
            "documentation": " ".join(inspect.getdoc(method).split()),
            "module": " ".join(hostile_client.__doc__.split()),
        }
    )
)
"""


@pytest.fixture(scope="module", name="hostile")
def hostile_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the package `hostile_client`, generated from the hostile spec."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "spec.yaml").write_text(yaml.safe_dump(hostile_spec()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert (
            main(["--spec", str(folder / "spec.yaml"), "--output", str(folder / "hostile_client")])
            == 0
        )
    yield folder
    assert not list(folder.rglob("PWNED"))


def test_no_text_of_the_spec_becomes_code(hostile: Path) -> None:
    modules = list((hostile / "hostile_client").rglob("*.py"))
    assert len(modules) > 10
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Name) and node.id in {"__import__", "os"}), module
            assert not (
                isinstance(node, ast.Import) and any(alias.name == "os" for alias in node.names)
            ), module
            assert not (isinstance(node, ast.Attribute) and node.attr == "system"), module


def test_no_text_of_the_spec_becomes_a_template(hostile: Path) -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (hostile / "hostile_client").rglob("*.py")
    )
    assert "7 * 7" in source
    assert "49" not in source


def test_the_package_works_and_executes_no_text(hostile: Path) -> None:
    script = SCRIPT % {"text": ON_ONE_LINE, "header": HEADER}
    result = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", script],
        cwd=hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    used = cast("dict[str, Any]", json.loads(result.stdout))
    assert not list(hostile.rglob("PWNED"))
    assert used["operation_id"] == ON_ONE_LINE
    assert used["url"] == f"/{IN_A_PATH}/id"
    assert used["headers"][HEADER] == ON_ONE_LINE
    assert used["body"] == {"locationId": "here", ON_ONE_LINE: ON_ONE_LINE}
    assert used["first_value"] == ON_ONE_LINE
    assert used["unknown"] == [False, True]
    assert used["round_trip"] is True
    assert '__import__("os").system("touch PWNED")' in used["documentation"]
    assert "{{ 7 * 7 }} {% if %} {# no #}" in used["documentation"]
    assert '__import__("os").system("touch PWNED")' in used["module"]
