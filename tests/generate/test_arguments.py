"""Arguments can be models, enum members and dates, or plain data in their place, at any depth."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from leadconnector import UNSET, ArgumentError
from leadconnector._runtime.http import RequestFactory
from leadconnector._runtime.request import Arguments, complete_arguments, prepare_request

from tests.generate.argument_api import CONSUMER, MISTAKES, SPEC, WRONG_LINES
from tests.generate.packages import Package, loaded_package
from tests.generate.programs import write_client
from tests.generate.test_growth import run_python

TIME = "2026-01-02T03:04:05+00:00"


@pytest.fixture(scope="module", name="client")
def client_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the hand-written package, and in it the code generated from `SPEC`."""
    folder = tmp_path_factory.mktemp("arguments")
    write_client(SPEC, folder)
    (folder / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    (folder / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", name="runs")
def consumer_output(client: Path) -> dict[str, list[dict[str, Any]]]:
    """The requests of `CONSUMER` by client: `sync` and `async`."""
    result = run_python("-W", "error", "consumer.py", folder=client)
    assert result.returncode == 0, result.stderr
    return cast("dict[str, list[dict[str, Any]]]", json.loads(result.stdout))


@pytest.fixture(params=["sync", "async"], name="requests")
def client_requests(
    request: pytest.FixtureRequest, runs: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The requests of one client."""
    return runs[request.param]


def bodies(requests: list[dict[str, Any]], path: str) -> list[Any]:
    """The bodies of the requests to a path."""
    return [request["body"] for request in requests if request["path"] == path]


def test_mappings_are_accepted_for_models_in_lists_objects_and_unions(
    requests: list[dict[str, Any]],
) -> None:
    models, mappings, _ = bodies(requests, "/notes")
    assert models == {"text": "t", "attachments": [{"url": "a"}], "author": {"email": "e"}}
    assert mappings == {
        "text": "t",
        "attachments": [{"url": "b", "addedAt": TIME}, {"url": "c", "addedAt": TIME}],
        "byName": {"first": {"url": "d"}, "second": {"url": "e"}},
        "author": {"email": "e"},
        "mixed": [{"url": "f"}, {"url": "g"}, "long", "short"],
        "kinds": ["short", "long"],
        "optionalKinds": ["long", None],
        "rows": [[{"url": "h"}], [{"url": "i"}]],
        "dueAt": TIME,
    }
    assert bodies(requests, "/attachments") == [[{"url": "a"}, {"url": "b"}]]


def test_other_branches_of_a_union_and_lists_of_enum_members_are_accepted(
    requests: list[dict[str, Any]],
) -> None:
    *_, others = bodies(requests, "/notes")
    assert others == {"text": "t", "author": "somebody", "kinds": ["short"]}


def test_parameters_are_sent_as_their_json_text(requests: list[dict[str, Any]]) -> None:
    encoded_time = "2026-01-02T03%3A04%3A05%2B00%3A00"
    paths = [request["path"] for request in requests]
    assert f"/notes?kinds=short&since={encoded_time}&days=2026-01-02&either=long" in paths
    assert f"/notes/{encoded_time}/false" in paths
    (request,) = [item for item in requests if item["path"] == "/notes?kinds=long&either=short"]
    assert (request["exact"], request["cookie"]) == ("true", "pages=2")


def test_additional_properties_that_the_spec_allows_are_sent(
    requests: list[dict[str, Any]],
) -> None:
    settings = {"first": {"url": "a"}, "second": {"url": "b"}, "third": {"url": "c"}}
    assert bodies(requests, "/settings") == [settings, "", {"only": {"url": "b"}}]
    labels = {"name": "n", "more": [1, {"at": TIME}], "un": None}
    assert bodies(requests, "/labels") == [labels]
    assert bodies(requests, "/forms") == ["a=b&kind=short"]


def test_the_class_of_a_body_selects_one_of_several_content_types(
    requests: list[dict[str, Any]],
) -> None:
    assert bodies(requests, "/either") == [{"url": "a"}, "email=e"]


def test_both_clients_send_the_same_requests(runs: dict[str, Any]) -> None:
    assert len(runs["sync"]) == 14
    assert runs["sync"] == runs["async"]


def test_mypy_accepts_the_calls_and_reports_exactly_the_mistakes(client: Path) -> None:
    options = ["--strict", "--config-file=", "--cache-dir", os.devnull, "--no-pretty"]
    result = run_python("-m", "mypy", *options, "consumer.py", "mistakes.py", folder=client)
    errors = [line for line in result.stdout.splitlines() if ": error:" in line]
    assert [line for line in errors if not line.startswith("mistakes.py:")] == []
    assert sorted({int(line.split(":")[1]) for line in errors}) == WRONG_LINES


def test_pyright_accepts_the_calls_and_reports_exactly_the_mistakes(client: Path) -> None:
    settings = {
        "include": ["consumer.py", "mistakes.py", "leadconnector"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (client / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    result = run_python(
        "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, folder=client
    )
    diagnostics = cast("list[dict[str, Any]]", json.loads(result.stdout)["generalDiagnostics"])
    lines: set[int] = set()
    for diagnostic in diagnostics:
        assert str(diagnostic["file"]).endswith("mistakes.py"), diagnostic
        lines.add(int(diagnostic["range"]["start"]["line"]) + 1)
    assert sorted(lines) == WRONG_LINES


@pytest.fixture(scope="module", name="package")
def package_of_arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Package]:
    """The package that is generated from `SPEC`, without the client."""
    text = SPEC.replace("tags: [Notes]", "tags: [Things]")
    folder = tmp_path_factory.mktemp("argument_errors")
    with loaded_package(text, folder, "argument_client") as package:
        yield package


def prepare(package: Package, method: str, **values: object) -> None:
    """Validate the arguments of a call, and build its request."""
    contract = package.contracts[method]
    arguments = Arguments({**dict.fromkeys(contract.arguments, UNSET), **values})
    complete_arguments(contract, arguments, None)
    for name, value in arguments.items():
        if value is UNSET:
            # The package has an `UNSET` of its own, which its builders compare with.
            arguments[name] = package.types.UNSET
    operation = package.operations[method]
    prepare_request(contract, operation, arguments, RequestFactory("https://api.example", {}), None)


INVALID_CALLS: list[tuple[str, dict[str, object], str, str]] = [
    (
        "create_note",
        {"text": "t", "attachments": [{"url": "a"}, {"url": 5}]},
        "attachments",
        "attachments[1].url must be of type string",
    ),
    (
        "create_note",
        {"text": "t", "by_name": {"x": {}}},
        "by_name",
        "by_name.x.url must be there",
    ),
    (
        "create_note",
        {"text": "t", "rows": [[{"url": None}]]},
        "rows",
        "rows[0][0].url must be of type string, not None",
    ),
    (
        "create_note",
        {"text": "t", "author": {"emial": "secret"}},
        "author",
        "author.email must be there",
    ),
    ("create_note", {"text": "t", "kinds": "short"}, "kinds", "kinds must be of type array"),
    (
        "create_note",
        {"text": "t", "due_at": "tomorrow"},
        "due_at",
        "due_at must be of format date-time",
    ),
    ("list_notes", {"since": "secret"}, "since", "since must be of format date-time"),
    (
        "list_notes",
        {"kinds": ["short"] * 20_000},
        "kinds",
        "kinds makes no request: URL too long",
    ),
    ("replace_attachments", {"body": [{}]}, "body", "body[0].url must be there"),
    (
        "save_settings",
        {"additional_properties_body": {"second": {}}},
        "additional_properties_body",
        "additional_properties_body.second.url must be there",
    ),
    (
        "save_labels",
        {"name": "n", "additional_properties": {"name": "secret"}},
        "additional_properties",
        "additional_properties must not contain 'name': pass it as the argument name",
    ),
    (
        "send_form",
        {"kind": "short", "additional_properties": {"a": 5}},
        "additional_properties",
        "additional_properties.a must be of type string",
    ),
    (
        "send_file",
        {"body": b"secret"},
        "body",
        "body must be of a type in the signature of the method, not of the type bytes",
    ),
    (
        "send_either",
        {"body": {"email": "secret"}},
        "body",
        "body must be of a type in the signature of the method, not of the type dict",
    ),
]


@pytest.mark.parametrize(("method", "values", "argument", "message"), INVALID_CALLS)
def test_an_error_names_the_argument_and_the_reason(
    package: Package, method: str, values: dict[str, object], argument: str, message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        prepare(package, method, **values)
    assert caught.value.argument == argument
    assert str(caught.value) == message


SHARED_NAMES = """
openapi: 3.1.0
info: {title: Shared names, version: "1"}
servers: [{url: "https://api.example"}]
paths:
  /things:
    put:
      operationId: putThing
      tags: [Things]
      parameters:
        - {name: type, in: query, schema: {type: string}}
        - {name: from, in: query, schema: {type: string}}
        - {name: status, in: query, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                type: {type: string}
                from: {type: string}
                status: {type: string}
      responses: {"204": {description: Done}}
"""


def test_a_body_property_with_the_name_of_a_parameter_has_one_suffix(tmp_path: Path) -> None:
    with loaded_package(SHARED_NAMES, tmp_path, "shared_names_client") as package:
        assert sorted(package.contracts["put_thing"].arguments) == [
            "from_",
            "from_body",
            "status",
            "status_body",
            "type_",
            "type_body",
        ]
