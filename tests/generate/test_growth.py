"""Regeneration adds what the spec gains to the client, without a change of hand-written code.

New fields, values, operations, errors and tags are typed, and both clients have them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.generate.grown_api import CONSUMER, MISTAKES, NEW_PATHS, NEW_SCHEMAS, WRONG_LINES
from tests.generate.programs import HAND_WRITTEN, NOT_HAND_WRITTEN, write_client
from tests.support.paths import ROOT


def grown_spec() -> dict[str, Any]:
    """The committed spec with the extensions of `grown_api`."""
    spec = cast(
        "dict[str, Any]",
        yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")),
    )
    schemas = spec["components"]["schemas"]
    schemas["UpdateConversationRequest"]["properties"]["note"] = {"type": "string"}
    schemas["UpdateConversationRequest"]["properties"]["source"] = {"type": "string"}
    schemas["UpdateConversationRequest"]["required"].append("source")
    schemas["LastMessageType"]["enum"].append("TYPE_TELEPATHY")
    schemas["Conversation"]["properties"]["snoozed"] = {"type": "boolean"}
    schemas.update(yaml.safe_load(NEW_SCHEMAS))
    operation = spec["paths"]["/conversations/{conversationId}"]["put"]
    operation["responses"]["404"] = {
        "description": "Not Found",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NotFound"}}},
    }
    spec["paths"].update(yaml.safe_load(NEW_PATHS))
    return spec


def hand_written_files(folder: Path) -> dict[str, bytes]:
    """The hand-written files of a package, byte for byte."""
    files: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and NOT_HAND_WRITTEN.isdisjoint(name.parts):
            files[str(name)] = path.read_bytes()
    return files


@pytest.fixture(scope="module", name="grown")
def grown_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the hand-written package, and in it the code generated from the grown spec."""
    folder = tmp_path_factory.mktemp("grown")
    write_client(yaml.safe_dump(grown_spec(), sort_keys=False), folder)
    (folder / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    (folder / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    return folder


def run_python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, without the settings of this test run."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MYPY", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="runs")
def consumer_output(grown: Path) -> dict[str, Any]:
    """The calls of `CONSUMER` by client: `sync` and `async`."""
    result = run_python("-W", "error", "consumer.py", folder=grown)
    assert result.returncode == 0, result.stderr
    # The client may log drift, for the enum values that are not in the spec. It logs nothing else.
    assert all(
        "-enum-value-added]" in line or "-type-added]" in line
        for line in result.stderr.splitlines()
    )
    return cast("dict[str, Any]", json.loads(result.stdout))


@pytest.fixture(params=["sync", "async"], name="calls")
def client_calls(request: pytest.FixtureRequest, runs: dict[str, Any]) -> dict[str, Any]:
    """The calls of one client by name: the request and the returned value."""
    return cast("dict[str, Any]", runs[request.param])


def expected_request(
    method: str, path: str, version: str | None = "2021-07-28", **parts: object
) -> dict[str, object]:
    """A request as `CONSUMER` records it. Parts that are not passed are absent."""
    return {
        "method": method,
        "path": path,
        "version": version,
        "trace": None,
        "authorization": "Bearer test-token",
        "body": None,
        **parts,
    }


def test_a_new_required_and_a_new_optional_body_field_are_sent(calls: dict[str, Any]) -> None:
    assert calls["update"]["request"] == expected_request(
        "PUT", "/conversations/id", body={"locationId": "l", "source": "app", "note": "hello"}
    )
    assert calls["update_without"]["request"]["body"] == {"locationId": "l", "source": "app"}


def test_a_new_response_property_and_a_new_enum_value_are_returned(calls: dict[str, Any]) -> None:
    assert calls["update"]["returned"] == {"snoozed": True, "is_member": True}


def test_a_new_operation_sends_its_path_its_array_in_the_query_and_its_header(
    calls: dict[str, Any],
) -> None:
    assert calls["get"]["request"] == expected_request(
        "GET", "/contacts/a%2Fb?fields=name&fields=tags", trace="t1"
    )


def test_a_new_operation_omits_arguments_without_value(calls: dict[str, Any]) -> None:
    assert calls["get_plain"]["request"] == expected_request("GET", "/contacts/c1")


def test_a_new_list_operation_is_iterated(calls: dict[str, Any]) -> None:
    assert calls["iterate"]["request"] == expected_request("GET", "/contacts?limit=2", version=None)
    assert [contact["id"] for contact in calls["iterate"]["returned"]] == ["c1"]


def test_a_new_operation_returns_its_model(calls: dict[str, Any]) -> None:
    assert calls["get"]["returned"] == {
        "class": "Contact",
        "id": "c1",
        "name": None,
        "created": 1628029653.0,
        "kind": "<ContactKind unknown: 'robot'>",
        "unknown": True,
        "owner": "Team(members=3)",
        "round_trip": True,
    }


def test_a_new_documented_error_is_raised_with_its_model_and_messages(
    calls: dict[str, Any],
) -> None:
    assert calls["missing"]["request"] == expected_request(
        "GET", "/contacts/missing", version="2099-01-01"
    )
    assert calls["missing"]["returned"] == {
        "messages": ["No such contact"],
        "trace": "t-1",
        "request_id": "t-1",
    }


def test_an_operation_without_content_returns_none(calls: dict[str, Any]) -> None:
    assert calls["delete"] == {
        "request": expected_request("DELETE", "/contacts/c1"),
        "returned": None,
    }


def test_a_body_property_with_the_name_of_a_header_gets_a_suffix(calls: dict[str, Any]) -> None:
    assert calls["create_little"]["request"] == expected_request(
        "POST",
        "/contacts",
        version="v2",
        body={"name": "Ada", "version": 2, "owner": {"email": "e"}},
    )


def test_null_dates_enum_values_constants_and_unions_are_sent(
    calls: dict[str, Any],
) -> None:
    assert calls["create"]["request"]["body"] == {
        "name": "Ada",
        "version": 2,
        "nickname": None,
        "bornAt": "1990-01-02T03:04:05+00:00",
        "kind": "person",
        "owner": {"members": 1},
        "origin": "web",
    }
    assert calls["create"]["returned"]["class"] == "Contact"


def test_a_body_that_is_an_array_is_one_argument(calls: dict[str, Any]) -> None:
    assert calls["tags"] == {
        "request": expected_request(
            "PUT", "/contacts/tags", version=None, body=[{"label": "x"}, {"label": "y"}]
        ),
        "returned": "['x', 'y']",
    }


def test_an_optional_body_is_sent_if_it_has_a_property(calls: dict[str, Any]) -> None:
    assert calls["note"] == {
        "request": expected_request("PATCH", "/contacts/c1", body={"text": "t"}),
        "returned": None,
    }
    assert calls["note_false"]["request"]["body"] == {"pinned": False}
    assert calls["note_nothing"]["request"]["body"] is None


def test_a_tag_with_the_name_of_a_schema_does_not_hide_it(calls: dict[str, Any]) -> None:
    assert calls["team"] == {
        "request": expected_request("GET", "/teams/t1", version=None),
        "returned": 3,
    }


def test_a_new_operation_has_raw_responses_and_options(calls: dict[str, Any]) -> None:
    assert calls["raw"]["request"] == expected_request(
        "GET", "/contacts/c1?options=o&more=1&more=2", trace="t2"
    )
    assert calls["raw"]["returned"] == calls["get"]["returned"]
    assert calls["raw_tags"]["returned"] == "[Tag(label='x', additional_properties={})]"


def test_an_argument_called_options_gets_a_suffix_and_keeps_its_name_in_the_request(
    calls: dict[str, Any],
) -> None:
    assert "options=o" in calls["raw"]["request"]["path"]
    assert calls["raw_note"] == {
        "request": expected_request("PATCH", "/contacts/c1", body={"options": "o", "more": 1}),
        "returned": 204,
    }


def test_an_optional_body_is_sent_if_the_options_add_a_property(calls: dict[str, Any]) -> None:
    assert calls["note_more"] == {
        "request": expected_request("PATCH", "/contacts/c1", body={"more": 1}),
        "returned": 204,
    }


def test_an_operation_that_the_spec_lacks_can_be_called(calls: dict[str, Any]) -> None:
    assert calls["request"]["request"] == expected_request("GET", "/contacts/c2")
    assert calls["request"]["returned"]["id"] == "c1"


AGENCY = """
import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
from leadconnector import (
    AgencyOAuth, AsyncLeadConnector, LeadConnector, LeadConnectorError, MemoryAgencyTokenStore,
    Tokens,
)

tokens_of_requests = []


def respond(request: httpx.Request) -> httpx.Response:
    tokens_of_requests.append(request.headers["authorization"])
    return httpx.Response(404, json={})


def token_source() -> AgencyOAuth:
    store = MemoryAgencyTokenStore(Tokens("agency-token", "refresh-token", 1e11))
    store.location("l").save(Tokens("location-token", "refresh-token", 1e11, location_id="l"))
    return AgencyOAuth(client_id="client", client_secret="client-secret", store=store)


def call_blocking() -> None:
    with LeadConnector(token=token_source(), transport=httpx.MockTransport(respond)) as client:
        with suppress(LeadConnectorError):
            client.contacts.get_contact("c1")
        with suppress(LeadConnectorError):
            client.for_location("l").contacts.get_contact("c1")
        with suppress(LeadConnectorError):
            client.conversations.update_conversation("id", location_id="l", source="app")


async def call_async() -> None:
    transport = httpx.MockTransport(respond)
    async with AsyncLeadConnector(token=token_source(), transport=transport) as client:
        with suppress(LeadConnectorError):
            await client.contacts.get_contact("c1")
        with suppress(LeadConnectorError):
            await client.for_location("l").contacts.get_contact("c1")
        with suppress(LeadConnectorError):
            await client.conversations.update_conversation("id", location_id="l", source="app")


call_blocking()
asyncio.run(call_async())
print(json.dumps(tokens_of_requests))
"""


def test_a_new_operation_uses_the_token_of_the_agency_or_of_a_location(grown: Path) -> None:
    (grown / "agency.py").write_text(AGENCY, encoding="utf-8")

    result = run_python("-W", "error", "agency.py", folder=grown)

    assert result.returncode == 0, result.stderr
    tokens = ["Bearer agency-token", "Bearer location-token", "Bearer location-token"]
    assert json.loads(result.stdout) == [*tokens, *tokens]


def test_no_hand_written_file_differs(grown: Path) -> None:
    files = hand_written_files(HAND_WRITTEN)
    assert {"__init__.py", "client.py", "errors.py", "py.typed"} <= set(files)
    assert hand_written_files(grown / "leadconnector") == files


def test_both_clients_make_the_same_calls(runs: dict[str, Any]) -> None:
    assert len(runs["sync"]) == 19
    assert runs["sync"] == runs["async"]


@pytest.fixture(scope="module", name="mypy_lines")
def mypy_output(grown: Path) -> list[str]:
    """The lines that mypy prints for the consumer and the mistakes."""
    options = [
        "--strict",
        "--config-file=",
        "--cache-dir",
        os.devnull,
        "--no-error-summary",
        "--no-pretty",
    ]
    result = run_python("-m", "mypy", *options, "consumer.py", "mistakes.py", folder=grown)
    assert result.stderr == ""
    assert result.returncode == 1
    return result.stdout.splitlines()


@pytest.fixture(scope="module", name="pyright_places")
def pyright_diagnostics(grown: Path) -> list[tuple[str, int]]:
    """File and line of everything that pyright reports, in strict mode.

    It checks the consumer, the mistakes, and the client itself as a service that vendored it.
    """
    settings = {
        "include": ["consumer.py", "mistakes.py", "leadconnector"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (grown / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    result = run_python(
        "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, folder=grown
    )
    diagnostics = cast("list[dict[str, Any]]", json.loads(result.stdout)["generalDiagnostics"])
    places: list[tuple[str, int]] = []
    for diagnostic in diagnostics:
        file = Path(str(diagnostic["file"]))
        # pyright counts lines from zero.
        line = int(diagnostic["range"]["start"]["line"]) + 1
        places.append((str(file.relative_to(grown)), line))
    return places


def test_mypy_accepts_correct_use_of_the_new_api(mypy_lines: list[str]) -> None:
    assert [line for line in mypy_lines if not line.startswith("mistakes.py:")] == []


def test_mypy_reports_exactly_the_mistakes(mypy_lines: list[str]) -> None:
    lines = {
        int(line.split(":")[1])
        for line in mypy_lines
        if line.startswith("mistakes.py:") and ": error:" in line
    }
    assert sorted(lines) == WRONG_LINES
    assert len(WRONG_LINES) == 19


def test_pyright_accepts_the_generated_code_in_strict_mode(
    pyright_places: list[tuple[str, int]],
) -> None:
    assert [place for place in pyright_places if place[0].startswith("leadconnector/")] == []


def test_pyright_accepts_correct_use_of_the_new_api(pyright_places: list[tuple[str, int]]) -> None:
    assert [place for place in pyright_places if place[0] != "mistakes.py"] == []


def test_pyright_reports_exactly_the_mistakes(
    pyright_places: list[tuple[str, int]],
) -> None:
    assert sorted({line for file, line in pyright_places if file == "mistakes.py"}) == WRONG_LINES
