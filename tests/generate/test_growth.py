"""What the spec gains, the client has after regeneration, typed, sync and async, with no hand-written line changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from generate.__main__ import main

from tests.support.paths import ROOT

HAND_WRITTEN = ROOT / "overrides" / "leadconnector"

NEW_SCHEMAS = """
NotFound:
  type: object
  properties:
    statusCode: {type: number}
    message: {type: string, x-role: error-messages}
    traceId: {type: string}

ContactKind:
  type: string
  enum: [person, company]

Contact:
  type: object
  required: [id, createdAt, name]
  properties:
    id: {type: string}
    name: {type: [string, "null"]}
    createdAt: {type: string, format: date-time}
    kind: {$ref: "#/components/schemas/ContactKind"}
    tags: {type: array, items: {type: string}}
    owner:
      oneOf:
        - $ref: "#/components/schemas/User"
        - $ref: "#/components/schemas/Team"

User:
  type: object
  required: [email]
  additionalProperties: false
  properties:
    email: {type: string}

Team:
  type: object
  required: [members]
  additionalProperties: false
  properties:
    members: {type: integer}

NewContact:
  type: object
  required: [name, version]
  properties:
    name: {type: string}
    version: {type: integer, description: The version of the contact itself.}
    nickname: {type: [string, "null"]}
    bornAt: {type: string, format: date-time}
    origin: {const: web}
    kind: {$ref: "#/components/schemas/ContactKind"}
    owner:
      oneOf:
        - $ref: "#/components/schemas/User"
        - $ref: "#/components/schemas/Team"

ContactNote:
  type: object
  properties:
    text: {type: string}
    pinned: {type: boolean}

Tag:
  type: object
  required: [label]
  properties:
    label: {type: string}
"""

NEW_PATHS = """
/contacts/{contactId}:
  parameters:
    - {name: contactId, in: path, required: true, schema: {type: string}}
    - $ref: "#/components/parameters/Version"
  get:
    operationId: getContact
    tags: [Contacts]
    summary: Get Contact
    parameters:
      - {name: fields, in: query, schema: {type: array, items: {type: string}}}
      - {name: X-Trace, in: header, schema: {type: string}}
    responses:
      "200":
        description: The contact
        content: {application/json: {schema: {$ref: "#/components/schemas/Contact"}}}
      "404":
        description: Not Found
        content: {application/json: {schema: {$ref: "#/components/schemas/NotFound"}}}
  delete:
    operationId: deleteContact
    tags: [Contacts]
    responses:
      "204": {description: Deleted}
  patch:
    operationId: noteContact
    tags: [Contacts]
    requestBody:
      content: {application/json: {schema: {$ref: "#/components/schemas/ContactNote"}}}
    responses:
      "204": {description: Noted}

/contacts:
  post:
    operationId: createContact
    tags: [Contacts]
    parameters:
      - $ref: "#/components/parameters/Version"
    requestBody:
      required: true
      content: {application/json: {schema: {$ref: "#/components/schemas/NewContact"}}}
    responses:
      "201":
        description: Created
        content: {application/json: {schema: {$ref: "#/components/schemas/Contact"}}}

/contacts/tags:
  put:
    operationId: replaceTags
    tags: [Contacts]
    requestBody:
      required: true
      content:
        application/json:
          schema: {type: array, items: {$ref: "#/components/schemas/Tag"}}
    responses:
      "200":
        description: The tags
        content:
          application/json:
            schema: {type: array, items: {$ref: "#/components/schemas/Tag"}}

# A tag that is called as a schema is.
/teams/{teamId}:
  get:
    operationId: getTeam
    tags: [Team]
    parameters:
      - {name: teamId, in: path, required: true, schema: {type: string}}
    responses:
      "200":
        description: The team
        content: {application/json: {schema: {$ref: "#/components/schemas/Team"}}}
"""

# Run, and type-checked: what it prints is asserted below, and that its types are those is for mypy and pyright.
CONSUMER = """
from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable
from typing import Any, assert_type

import httpx
from leadconnector import UNSET, AsyncLeadConnector, LeadConnector, NotFoundError, Unset
from leadconnector.models import (
    Contact,
    ContactKind,
    ContactNote,
    LastMessageType,
    NotFound,
    Tag,
    Team,
    UpdateConversationResponse,
    User,
)

CONTACT: dict[str, Any] = {
    "id": "c1",
    "name": None,
    "createdAt": "2021-08-03T22:27:33+00:00",
    "kind": "robot",
    "tags": ["a"],
    "owner": {"members": 3},
}
BORN = datetime.datetime(1990, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
CONVERSATION: dict[str, Any] = {
    "success": True,
    "conversation": {
        "locationId": "l", "contactId": "c", "deleted": False, "snoozed": True, "lastMessageType": "TYPE_TELEPATHY"
    },
}
NOT_FOUND: dict[str, Any] = {"statusCode": 404, "message": "No such contact", "traceId": "t-1"}
sent: list[dict[str, Any]] = []


def answer(request: httpx.Request) -> httpx.Response:
    content = request.content
    sent.append(
        {
            "method": request.method,
            "path": request.url.raw_path.decode(),
            "version": request.headers.get("Version"),
            "trace": request.headers.get("X-Trace"),
            "authorization": request.headers["Authorization"],
            "body": json.loads(content) if content else None,
        }
    )
    if request.url.path == "/contacts/missing":
        return httpx.Response(404, json=NOT_FOUND)
    if request.method in {"DELETE", "PATCH"}:
        return httpx.Response(204)
    if request.method == "POST":
        return httpx.Response(201, json=CONTACT)
    if request.url.path == "/contacts/tags":
        return httpx.Response(200, content=content)
    if request.url.path.startswith("/teams"):
        return httpx.Response(200, json={"members": 3})
    return httpx.Response(200, json=CONTACT if request.method == "GET" else CONVERSATION)


def seen(contact: Contact) -> dict[str, Any]:
    assert_type(contact.id, str)
    assert_type(contact.name, str | None)
    assert_type(contact.created_at, datetime.datetime)
    assert_type(contact.kind, ContactKind | Unset)
    assert_type(contact.tags, list[str] | Unset)
    assert_type(contact.owner, User | Team | Unset)
    return {
        "class": type(contact).__name__,
        "id": contact.id,
        "name": contact.name,
        "created": contact.created_at.timestamp(),
        "kind": repr(contact.kind),
        "unknown": isinstance(contact.kind, ContactKind) and contact.kind.is_unknown,
        "owner": repr(contact.owner),
        "again": contact.to_dict() == CONTACT,
    }


def conversation(updated: UpdateConversationResponse) -> dict[str, Any]:
    assert_type(updated.conversation.snoozed, bool | Unset)
    return {
        "snoozed": updated.conversation.snoozed,
        "known": updated.conversation.last_message_type is LastMessageType.TYPE_TELEPATHY,
    }


def missing(error: NotFoundError) -> dict[str, Any]:
    model = error.body
    assert isinstance(model, NotFound)
    assert_type(model.trace_id, str | Unset)
    return {"messages": error.messages, "trace": model.trace_id, "request_id": error.request_id}


def whatever(call: Callable[..., object]) -> Callable[..., object]:
    # By its type it has no value: this way one sees what it returns all the same.
    return call


def awaited(call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    return call


def synchronous() -> dict[str, Any]:
    found: dict[str, Any] = {}
    with LeadConnector(token="test-token", transport=httpx.MockTransport(answer)) as client:
        updated = client.conversations.update_conversation("id", location_id="l", source="app", note="hello")
        assert_type(updated, UpdateConversationResponse)
        found["update"] = conversation(updated)
        found["update_without"] = conversation(
            client.conversations.update_conversation("id", location_id="l", source="app")
        )
        contact = client.contacts.get_contact("a/b", fields=["name", "tags"], x_trace="t1")
        assert_type(contact, Contact)
        found["get"] = seen(contact)
        found["get_plain"] = seen(client.contacts.get_contact("c1"))
        try:
            client.contacts.get_contact("missing", version="2099-01-01")
        except NotFoundError as error:
            found["missing"] = missing(error)
        delete: Callable[[str], None] = client.contacts.delete_contact
        found["delete"] = whatever(delete)("c1")
        created = client.contacts.create_contact(
            name="Ada", version_body=2, nickname=None, born_at=BORN, kind="person", owner=Team(members=1), origin="web"
        )
        assert_type(created, Contact)
        found["create"] = seen(created)
        found["create_little"] = seen(
            client.contacts.create_contact(
                name="Ada", version_body=2, nickname=UNSET, owner=User(email="e"), version="v2"
            )
        )
        tags = client.contacts.replace_tags(body=[Tag(label="x"), Tag(label="y")])
        assert_type(tags, list[Tag])
        found["tags"] = repr([tag.label for tag in tags])
        note = whatever(client.contacts.note_contact)
        found["note"] = note("c1", text="t")
        found["note_nothing"] = note("c1")
        found["note_false"] = note("c1", pinned=False)
        team = client.team.get_team("t1")
        assert_type(team, Team)
        found["team"] = team.members
    assert_type(ContactNote(text="t").pinned, bool | Unset)
    return found


async def asynchronous() -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with AsyncLeadConnector(token="test-token", transport=httpx.MockTransport(answer)) as client:
        updated = await client.conversations.update_conversation("id", location_id="l", source="app", note="hello")
        assert_type(updated, UpdateConversationResponse)
        found["update"] = conversation(updated)
        found["update_without"] = conversation(
            await client.conversations.update_conversation("id", location_id="l", source="app")
        )
        contact = await client.contacts.get_contact("a/b", fields=["name", "tags"], x_trace="t1")
        assert_type(contact, Contact)
        found["get"] = seen(contact)
        found["get_plain"] = seen(await client.contacts.get_contact("c1"))
        try:
            await client.contacts.get_contact("missing", version="2099-01-01")
        except NotFoundError as error:
            found["missing"] = missing(error)
        delete: Callable[[str], Awaitable[None]] = client.contacts.delete_contact
        found["delete"] = await awaited(delete)("c1")
        created = await client.contacts.create_contact(
            name="Ada", version_body=2, nickname=None, born_at=BORN, kind="person", owner=Team(members=1), origin="web"
        )
        assert_type(created, Contact)
        found["create"] = seen(created)
        found["create_little"] = seen(
            await client.contacts.create_contact(
                name="Ada", version_body=2, nickname=UNSET, owner=User(email="e"), version="v2"
            )
        )
        tags = await client.contacts.replace_tags(body=[Tag(label="x"), Tag(label="y")])
        assert_type(tags, list[Tag])
        found["tags"] = repr([tag.label for tag in tags])
        note = awaited(client.contacts.note_contact)
        found["note"] = await note("c1", text="t")
        found["note_nothing"] = await note("c1")
        found["note_false"] = await note("c1", pinned=False)
        team = await client.team.get_team("t1")
        assert_type(team, Team)
        found["team"] = team.members
    return found


def main() -> None:
    both: dict[str, Any] = {}
    for name, run in (("sync", synchronous), ("async", lambda: asyncio.run(asynchronous()))):
        sent.clear()
        returned = run()
        pairs = zip(returned.items(), sent, strict=True)
        both[name] = {key: {"sent": request, "returned": value} for (key, value), request in pairs}
    print(json.dumps(both))


main()
"""

# Each line that ends with `# wrong` is a mistake that a type checker must see; the others are none.
MISTAKES = """
from leadconnector import LeadConnector
from leadconnector.models import Tag


def mistakes(client: LeadConnector) -> None:
    client.conversations.update_conversation("id", location_id="l", source="app", note="n")
    client.conversations.update_conversation("id", location_id="l", source=5)  # wrong
    client.conversations.update_conversation("id", location_id="l")  # wrong
    client.contacts.get_contact("c1", fields="name")  # wrong
    client.contacts.get_contact("c1").id.append("x")  # wrong
    client.contacts.create_contact(name="Ada", version_body="2")  # wrong
    client.contacts.replace_tags(body=[Tag(label="x")])
    client.contacts.create_contact(name="Ada", version_body=2, origin="mail")  # wrong
    client.contacts.replace_tags(body=["x"])  # wrong
    client.contacts.rename_contact("c1")  # wrong
"""
WRONG_LINES = [
    number for number, line in enumerate(MISTAKES.splitlines(), 1) if line.endswith("# wrong")
]


def grown_spec() -> dict[str, Any]:
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


def hand_written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and not {"_generated", "__pycache__", ".ruff_cache"} & set(path.relative_to(folder).parts)
    }


@pytest.fixture(scope="module", name="grown")
def grown_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the hand-written package as it is, and beside it what is generated from the grown spec."""
    folder = tmp_path_factory.mktemp("grown")
    (folder / "spec.yaml").write_text(
        yaml.safe_dump(grown_spec(), sort_keys=False), encoding="utf-8"
    )
    shutil.copytree(
        HAND_WRITTEN,
        folder / "leadconnector",
        ignore=shutil.ignore_patterns("_generated", "__pycache__", ".ruff_cache"),
    )
    output = folder / "leadconnector" / "_generated"
    assert main(["--spec", str(folder / "spec.yaml"), "--output", str(output)]) == 0
    (folder / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    (folder / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    return folder


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MYPY", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", name="runs")
def runs_of_the_consumer(grown: Path) -> dict[str, Any]:
    result = run("-W", "error", "consumer.py", folder=grown)
    assert result.returncode == 0, result.stderr
    assert all(
        "-enum-value-added]" in line or "-type-added]" in line
        for line in result.stderr.splitlines()
    )  # drift
    return cast("dict[str, Any]", json.loads(result.stdout))


@pytest.fixture(params=["sync", "async"], name="calls")
def calls_of_one_client(request: pytest.FixtureRequest, runs: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", runs[request.param])


def request_of(
    method: str, path: str, version: str | None = "2021-07-28", **more: object
) -> dict[str, object]:
    return {
        "method": method,
        "path": path,
        "version": version,
        "trace": None,
        "authorization": "Bearer test-token",
        "body": None,
        **more,
    }


def test_a_new_required_and_a_new_optional_body_field_are_sent(calls: dict[str, Any]) -> None:
    assert calls["update"]["sent"] == request_of(
        "PUT", "/conversations/id", body={"locationId": "l", "source": "app", "note": "hello"}
    )
    assert calls["update_without"]["sent"]["body"] == {"locationId": "l", "source": "app"}


def test_a_new_response_property_and_a_new_enum_value_are_returned(calls: dict[str, Any]) -> None:
    assert calls["update"]["returned"] == {"snoozed": True, "known": True}


def test_a_new_operation_sends_its_path_its_array_in_the_query_and_its_header(
    calls: dict[str, Any],
) -> None:
    assert calls["get"]["sent"] == request_of(
        "GET", "/contacts/a%2Fb?fields=name&fields=tags", trace="t1"
    )


def test_a_new_operation_leaves_out_what_is_not_given(calls: dict[str, Any]) -> None:
    assert calls["get_plain"]["sent"] == request_of("GET", "/contacts/c1")


def test_a_new_operation_returns_its_model(calls: dict[str, Any]) -> None:
    assert calls["get"]["returned"] == {
        "class": "Contact",
        "id": "c1",
        "name": None,
        "created": 1628029653.0,
        "kind": "<ContactKind unknown: 'robot'>",
        "unknown": True,
        "owner": "Team(members=3)",
        "again": True,
    }


def test_a_new_documented_error_is_raised_with_its_model_and_messages(
    calls: dict[str, Any],
) -> None:
    assert calls["missing"]["sent"] == request_of("GET", "/contacts/missing", version="2099-01-01")
    assert calls["missing"]["returned"] == {
        "messages": ["No such contact"],
        "trace": "t-1",
        "request_id": "t-1",
    }


def test_an_operation_without_content_returns_none(calls: dict[str, Any]) -> None:
    assert calls["delete"] == {"sent": request_of("DELETE", "/contacts/c1"), "returned": None}


def test_a_body_property_called_as_a_header_is_has_a_name_of_its_own(calls: dict[str, Any]) -> None:
    assert calls["create_little"]["sent"] == request_of(
        "POST",
        "/contacts",
        version="v2",
        body={"name": "Ada", "version": 2, "owner": {"email": "e"}},
    )


def test_null_a_date_an_enum_value_a_constant_and_one_of_two_models_are_sent(
    calls: dict[str, Any],
) -> None:
    assert calls["create"]["sent"]["body"] == {
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
        "sent": request_of(
            "PUT", "/contacts/tags", version=None, body=[{"label": "x"}, {"label": "y"}]
        ),
        "returned": "['x', 'y']",
    }


def test_an_optional_body_is_sent_where_something_of_it_is_given(calls: dict[str, Any]) -> None:
    assert calls["note"] == {
        "sent": request_of("PATCH", "/contacts/c1", body={"text": "t"}),
        "returned": None,
    }
    assert calls["note_false"]["sent"]["body"] == {"pinned": False}
    assert calls["note_nothing"]["sent"]["body"] is None


def test_a_tag_called_as_a_schema_is_does_not_hide_it(calls: dict[str, Any]) -> None:
    assert calls["team"] == {"sent": request_of("GET", "/teams/t1", version=None), "returned": 3}


def test_no_hand_written_line_differs(grown: Path) -> None:
    ours = hand_written(HAND_WRITTEN)
    assert {"__init__.py", "client.py", "_runtime/session.py", "py.typed"} <= set(ours)
    assert hand_written(grown / "leadconnector") == ours


def test_every_call_was_made_both_ways_with_the_same_effect(runs: dict[str, Any]) -> None:
    assert len(runs["sync"]) == 13
    assert runs["sync"] == runs["async"]


@pytest.fixture(scope="module", name="mypy_says")
def what_mypy_says(grown: Path) -> list[str]:
    options = [
        "--strict",
        "--config-file=",
        "--cache-dir",
        os.devnull,
        "--no-error-summary",
        "--no-pretty",
    ]
    result = run("-m", "mypy", *options, "consumer.py", "mistakes.py", folder=grown)
    assert result.stderr == ""
    assert result.returncode == 1
    return result.stdout.splitlines()


@pytest.fixture(scope="module", name="pyright_says")
def what_pyright_says(grown: Path) -> list[tuple[str, int]]:
    settings = {
        "include": ["consumer.py", "mistakes.py"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (grown / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    result = run("-m", "pyright", "--outputjson", "--pythonpath", sys.executable, folder=grown)
    found = cast("list[dict[str, Any]]", json.loads(result.stdout)["generalDiagnostics"])
    return [(Path(str(one["file"])).name, int(one["range"]["start"]["line"]) + 1) for one in found]


def test_mypy_accepts_the_use_of_what_is_new(mypy_says: list[str]) -> None:
    assert [line for line in mypy_says if not line.startswith("mistakes.py:")] == []


def test_mypy_reports_each_wrong_use_of_what_is_new_and_nothing_else(mypy_says: list[str]) -> None:
    lines = {
        int(line.split(":")[1])
        for line in mypy_says
        if line.startswith("mistakes.py:") and ": error:" in line
    }
    assert sorted(lines) == WRONG_LINES
    assert len(WRONG_LINES) == 8


def test_pyright_accepts_the_use_of_what_is_new(pyright_says: list[tuple[str, int]]) -> None:
    assert [place for place in pyright_says if place[0] != "mistakes.py"] == []


def test_pyright_reports_each_wrong_use_of_what_is_new_and_nothing_else(
    pyright_says: list[tuple[str, int]],
) -> None:
    assert sorted({line for file, line in pyright_says if file == "mistakes.py"}) == WRONG_LINES
