"""An extension of the API with new fields, values, operations and tags, and code that uses it."""

from __future__ import annotations

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
    id: {type: string, x-role: item-id}
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
    options: {type: string, description: The name of an argument that every method has.}

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
      # OpenAPI ignores these three. As arguments, the required ones would be missing.
      - {name: Authorization, in: header, required: true, schema: {type: string}}
      - {name: accept, in: header, required: true, schema: {type: string}}
      - {name: CONTENT-TYPE, in: header, schema: {type: string}}
      - {name: options, in: query, schema: {type: string}}
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
  get:
    operationId: listContacts
    tags: [Contacts]
    parameters:
      - {name: startAfterId, in: query, x-role: page-cursor, schema: {type: string}}
      - {name: limit, in: query, x-role: page-size, schema: {type: integer}}
    responses:
      "200":
        description: Contacts
        content:
          application/json:
            schema:
              type: object
              properties:
                contacts:
                  type: array
                  x-role: page-items
                  items: {$ref: "#/components/schemas/Contact"}
                meta:
                  type: object
                  properties:
                    startAfterId: {type: string, x-role: next-page-cursor}
                    hasNext: {type: boolean, x-role: has-next-page}
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

# A tag with the name of a schema.
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

# Executed and type-checked. test_growth.py asserts what it prints. `assert_type` is for mypy and
# pyright.
CONSUMER = """
from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, assert_type

import httpx
from leadconnector import (
    UNSET,
    APIResponse,
    AsyncLeadConnector,
    LeadConnector,
    NotFoundError,
    RequestOptions,
    Unset,
)
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
BIRTH = datetime.datetime(1990, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
CONVERSATION: dict[str, Any] = {
    "success": True,
    "conversation": {
        "locationId": "l",
        "contactId": "c",
        "deleted": False,
        "snoozed": True,
        "lastMessageType": "TYPE_TELEPATHY",
    },
}
NOT_FOUND: dict[str, Any] = {"statusCode": 404, "message": "No such contact", "traceId": "t-1"}
requests: list[dict[str, Any]] = []


def respond(request: httpx.Request) -> httpx.Response:
    content = request.content
    requests.append(
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
    if request.url.path == "/contacts" and request.method == "GET":
        page = {"contacts": [CONTACT], "meta": {"startAfterId": "c1", "hasNext": False}}
        return httpx.Response(200, json=page)
    if request.method == "GET":
        return httpx.Response(200, json=CONTACT)
    return httpx.Response(200, json=CONVERSATION)


def describe_contact(contact: Contact) -> dict[str, Any]:
    assert_type(contact.id, str | Unset)
    assert_type(contact.name, str | None | Unset)
    assert_type(contact.created_at, datetime.datetime | Unset)
    assert_type(contact.kind, ContactKind | Unset)
    assert_type(contact.tags, list[str] | Unset)
    assert_type(contact.owner, User | Team | Unset)
    assert not isinstance(contact.created_at, Unset)
    return {
        "class": type(contact).__name__,
        "id": contact.id,
        "name": contact.name,
        "created": contact.created_at.timestamp(),
        "kind": repr(contact.kind),
        "unknown": isinstance(contact.kind, ContactKind) and contact.kind.is_unknown,
        "owner": repr(contact.owner),
        "round_trip": contact.to_dict() == CONTACT,
    }


def describe_update(response: UpdateConversationResponse) -> dict[str, Any]:
    conversation = response.conversation
    assert not isinstance(conversation, Unset)
    assert_type(conversation.snoozed, bool | Unset)
    return {
        "snoozed": conversation.snoozed,
        "is_member": conversation.last_message_type is LastMessageType.TYPE_TELEPATHY,
    }


def describe_error(error: NotFoundError) -> dict[str, Any]:
    model = error.body
    assert isinstance(model, NotFound)
    assert_type(model.trace_id, str | Unset)
    return {"messages": error.messages, "trace": model.trace_id, "request_id": error.request_id}


def untyped(call: Callable[..., object]) -> Callable[..., object]:
    # Type checkers forbid the use of a value of type None. This hides the type.
    return call


def untyped_async(call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    return call


def call_blocking() -> dict[str, Any]:
    returned: dict[str, Any] = {}
    with LeadConnector(token="test-token", transport=httpx.MockTransport(respond)) as client:
        updated = client.conversations.update_conversation(
            "id", location_id="l", source="app", note="hello"
        )
        assert_type(updated, UpdateConversationResponse)
        returned["update"] = describe_update(updated)
        returned["update_without"] = describe_update(
            client.conversations.update_conversation("id", location_id="l", source="app")
        )
        contact = client.contacts.get_contact("a/b", fields=["name", "tags"], x_trace="t1")
        assert_type(contact, Contact)
        returned["get"] = describe_contact(contact)
        returned["get_plain"] = describe_contact(client.contacts.get_contact("c1"))
        try:
            client.contacts.get_contact("missing", version="2099-01-01")
        except NotFoundError as error:
            returned["missing"] = describe_error(error)
        delete: Callable[[str], None] = client.contacts.delete_contact
        returned["delete"] = untyped(delete)("c1")
        created = client.contacts.create_contact(
            name="Ada",
            version_body=2,
            nickname=None,
            born_at=BIRTH,
            kind="person",
            owner=Team(members=1),
            origin="web",
        )
        assert_type(created, Contact)
        returned["create"] = describe_contact(created)
        returned["create_little"] = describe_contact(
            client.contacts.create_contact(
                name="Ada", version_body=2, nickname=UNSET, owner=User(email="e"), version="v2"
            )
        )
        tags = client.contacts.replace_tags(body=[Tag(label="x"), Tag(label="y")])
        assert_type(tags, list[Tag])
        returned["tags"] = repr([tag.label for tag in tags])
        note = untyped(client.contacts.note_contact)
        returned["note"] = note("c1", text="t")
        returned["note_nothing"] = note("c1")
        returned["note_false"] = note("c1", pinned=False)
        team = client.team.get_team("t1")
        assert_type(team, Team)
        returned["team"] = team.members
        raw = client.contacts.with_raw_response.get_contact(
            "c1",
            options_query="o",
            options=RequestOptions(headers={"X-Trace": "t2"}, query={"more": [1, 2]}),
        )
        assert_type(raw, APIResponse[Contact])
        returned["raw"] = describe_contact(raw.parse())
        raw_note = client.contacts.with_raw_response.note_contact(
            "c1", options_body="o", options=RequestOptions(body={"more": 1})
        )
        assert_type(raw_note, APIResponse[None])
        returned["raw_note"] = raw_note.status_code
        raw_note = client.contacts.with_raw_response.note_contact(
            "c1", options=RequestOptions(body={"more": 1})
        )
        returned["note_more"] = raw_note.status_code
        raw_tags = client.contacts.with_raw_response.replace_tags(body=[Tag(label="x")])
        assert_type(raw_tags, APIResponse[list[Tag]])
        returned["raw_tags"] = repr(raw_tags.parse())
        contacts = client.contacts.iter_list_contacts(limit=2, max_items=9)
        assert_type(contacts, Iterator[Contact])
        returned["iterate"] = [describe_contact(contact) for contact in contacts]
        response = client.request("GET", "/contacts/c2", rate_limit_key="l")
        assert_type(response, APIResponse[Any])
        returned["request"] = response.parse()
    assert_type(ContactNote(text="t").pinned, bool | Unset)
    return returned


async def call_async() -> dict[str, Any]:
    returned: dict[str, Any] = {}
    async with AsyncLeadConnector(
        token="test-token", transport=httpx.MockTransport(respond)
    ) as client:
        updated = await client.conversations.update_conversation(
            "id", location_id="l", source="app", note="hello"
        )
        assert_type(updated, UpdateConversationResponse)
        returned["update"] = describe_update(updated)
        returned["update_without"] = describe_update(
            await client.conversations.update_conversation("id", location_id="l", source="app")
        )
        contact = await client.contacts.get_contact("a/b", fields=["name", "tags"], x_trace="t1")
        assert_type(contact, Contact)
        returned["get"] = describe_contact(contact)
        returned["get_plain"] = describe_contact(await client.contacts.get_contact("c1"))
        try:
            await client.contacts.get_contact("missing", version="2099-01-01")
        except NotFoundError as error:
            returned["missing"] = describe_error(error)
        delete: Callable[[str], Awaitable[None]] = client.contacts.delete_contact
        returned["delete"] = await untyped_async(delete)("c1")
        created = await client.contacts.create_contact(
            name="Ada",
            version_body=2,
            nickname=None,
            born_at=BIRTH,
            kind="person",
            owner=Team(members=1),
            origin="web",
        )
        assert_type(created, Contact)
        returned["create"] = describe_contact(created)
        returned["create_little"] = describe_contact(
            await client.contacts.create_contact(
                name="Ada", version_body=2, nickname=UNSET, owner=User(email="e"), version="v2"
            )
        )
        tags = await client.contacts.replace_tags(body=[Tag(label="x"), Tag(label="y")])
        assert_type(tags, list[Tag])
        returned["tags"] = repr([tag.label for tag in tags])
        note = untyped_async(client.contacts.note_contact)
        returned["note"] = await note("c1", text="t")
        returned["note_nothing"] = await note("c1")
        returned["note_false"] = await note("c1", pinned=False)
        team = await client.team.get_team("t1")
        assert_type(team, Team)
        returned["team"] = team.members
        raw = await client.contacts.with_raw_response.get_contact(
            "c1",
            options_query="o",
            options=RequestOptions(headers={"X-Trace": "t2"}, query={"more": [1, 2]}),
        )
        assert_type(raw, APIResponse[Contact])
        returned["raw"] = describe_contact(raw.parse())
        raw_note = await client.contacts.with_raw_response.note_contact(
            "c1", options_body="o", options=RequestOptions(body={"more": 1})
        )
        assert_type(raw_note, APIResponse[None])
        returned["raw_note"] = raw_note.status_code
        raw_note = await client.contacts.with_raw_response.note_contact(
            "c1", options=RequestOptions(body={"more": 1})
        )
        returned["note_more"] = raw_note.status_code
        raw_tags = await client.contacts.with_raw_response.replace_tags(body=[Tag(label="x")])
        assert_type(raw_tags, APIResponse[list[Tag]])
        returned["raw_tags"] = repr(raw_tags.parse())
        contacts = client.contacts.iter_list_contacts(limit=2, max_items=9)
        assert_type(contacts, AsyncIterator[Contact])
        returned["iterate"] = [describe_contact(contact) async for contact in contacts]
        response = await client.request("GET", "/contacts/c2", rate_limit_key="l")
        assert_type(response, APIResponse[Any])
        returned["request"] = response.parse()
    return returned


def with_requests(returned: dict[str, Any]) -> dict[str, Any]:
    pairs = zip(returned.items(), requests, strict=True)
    calls = {
        name: {"request": request, "returned": value} for (name, value), request in pairs
    }
    requests.clear()
    return calls


def main() -> None:
    blocking = with_requests(call_blocking())
    asynchronous = with_requests(asyncio.run(call_async()))
    print(json.dumps({"sync": blocking, "async": asynchronous}))


main()
"""

# A type checker must report each line that ends with `# wrong`, and no other line.
MISTAKES = """
from leadconnector import LeadConnector, RequestOptions
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
    client.contacts.get_contact("c1", options_query="o", options=RequestOptions(retries=1))
    client.contacts.get_contact("c1", options="o")  # wrong
    client.contacts.get_contact("c1", options_query=5)  # wrong
    client.contacts.with_raw_response.get_contact("c1").parse().id.append("x")  # wrong
    client.contacts.with_raw_response.rename_contact("c1")  # wrong
    for contact in client.contacts.iter_list_contacts(start_after_id="c1"):
        contact.id.append("x")  # wrong
    client.contacts.iter_list_contacts(max_items="9")  # wrong
    client.contacts.iter_create_contact(name="Ada", version_body=2)  # wrong
    client.contacts.with_raw_response.iter_list_contacts()  # wrong
    RequestOptions(max_retries=1)  # wrong
    RequestOptions(headers={"X-A": 1})  # wrong
    client.request("GET")  # wrong
"""
WRONG_LINES = [
    number for number, line in enumerate(MISTAKES.splitlines(), 1) if line.endswith("# wrong")
]
