"""A spec whose operations take arguments of all forms, and code that calls them."""

from __future__ import annotations

SPEC = """
openapi: 3.1.0
info: {title: Notes, version: "1"}
servers: [{url: "https://api.example"}]
security: [{bearer: []}]
tags: [{name: Notes}]
paths:
  /notes:
    post:
      operationId: createNote
      tags: [Notes]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/NewNote"}}}
      responses:
        "201":
          description: The note
          content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}
    get:
      operationId: listNotes
      tags: [Notes]
      parameters:
        - name: kinds
          in: query
          schema: {type: array, items: {$ref: "#/components/schemas/Kind"}}
        - {name: since, in: query, schema: {type: string, format: date-time}}
        - {name: days, in: query, schema: {type: array, items: {type: string, format: date}}}
        - name: either
          in: query
          schema:
            oneOf:
              - $ref: "#/components/schemas/Kind"
              - {type: array, items: {$ref: "#/components/schemas/Kind"}}
        - {name: X-Exact, in: header, schema: {type: boolean}}
        - {name: pages, in: cookie, schema: {type: integer}}
      responses:
        "204": {description: Nothing}
  /notes/{day}/{exact}:
    get:
      operationId: findNote
      tags: [Notes]
      parameters:
        - {name: day, in: path, required: true, schema: {type: string, format: date-time}}
        - {name: exact, in: path, required: true, schema: {type: boolean}}
      responses:
        "204": {description: Nothing}
  /settings:
    put:
      operationId: saveSettings
      tags: [Notes]
      parameters:
        - {name: additional_properties, in: query, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              additionalProperties: {$ref: "#/components/schemas/Attachment"}
              properties:
                first: {$ref: "#/components/schemas/Attachment"}
      responses:
        "204": {description: Saved}
  /labels:
    put:
      operationId: saveLabels
      tags: [Notes]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name]
              additionalProperties: true
              properties:
                name: {type: string}
      responses:
        "204": {description: Saved}
  /attachments:
    put:
      operationId: replaceAttachments
      tags: [Notes]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: array, items: {$ref: "#/components/schemas/Attachment"}}
      responses:
        "204": {description: Replaced}
  /forms:
    post:
      operationId: sendForm
      tags: [Notes]
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [kind]
              additionalProperties: {type: string}
              properties:
                kind: {$ref: "#/components/schemas/Kind"}
      responses:
        "204": {description: Sent}
  /files:
    post:
      operationId: sendFile
      tags: [Notes]
      requestBody:
        required: true
        content: {application/octet-stream: {schema: {type: string, format: binary}}}
      responses:
        "204": {description: Sent}
  /either:
    post:
      operationId: sendEither
      tags: [Notes]
      requestBody:
        content:
          application/json: {schema: {$ref: "#/components/schemas/Attachment"}}
          application/x-www-form-urlencoded: {schema: {$ref: "#/components/schemas/Person"}}
      responses:
        "204": {description: Sent}
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
  schemas:
    Kind:
      type: string
      enum: [short, long]
    Attachment:
      type: object
      required: [url]
      properties:
        url: {type: string}
        addedAt: {type: string, format: date-time}
    Person:
      type: object
      required: [email]
      additionalProperties: false
      properties:
        email: {type: string}
    NewNote:
      type: object
      required: [text]
      properties:
        text: {type: string}
        attachments: {type: array, items: {$ref: "#/components/schemas/Attachment"}}
        byName:
          type: object
          additionalProperties: {$ref: "#/components/schemas/Attachment"}
        author:
          oneOf:
            - $ref: "#/components/schemas/Person"
            - type: string
        mixed:
          type: array
          items:
            anyOf:
              - $ref: "#/components/schemas/Attachment"
              - $ref: "#/components/schemas/Kind"
        kinds: {type: array, items: {$ref: "#/components/schemas/Kind"}}
        optionalKinds:
          type: array
          items: {anyOf: [{$ref: "#/components/schemas/Kind"}, {type: "null"}]}
        rows:
          type: array
          items: {type: array, items: {$ref: "#/components/schemas/Attachment"}}
        dueAt: {type: string, format: date-time}
    Note:
      type: object
      required: [id]
      properties:
        id: {type: string}
        text: {type: string}
"""

# Executed and type-checked. test_arguments.py asserts what it prints.
CONSUMER = """
from __future__ import annotations

import asyncio
import datetime
import json
from types import MappingProxyType
from typing import Any

import httpx
from leadconnector import AsyncLeadConnector, LeadConnector
from leadconnector.models import Attachment, Kind, Person

WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
requests: list[dict[str, Any]] = []


def respond(request: httpx.Request) -> httpx.Response:
    content = request.content
    is_json = content and request.headers["Content-Type"] == "application/json"
    requests.append(
        {
            "path": request.url.raw_path.decode(),
            "exact": request.headers.get("X-Exact"),
            "cookie": request.headers.get("Cookie"),
            "body": json.loads(content) if is_json else content.decode(),
        }
    )
    if request.url.path == "/notes" and request.method == "POST":
        return httpx.Response(201, json={"id": "n1"})
    return httpx.Response(204)


def call_blocking() -> None:
    with LeadConnector(token="test-token", transport=httpx.MockTransport(respond)) as client:
        notes = client.notes
        attachments: list[Attachment] = [Attachment(url="a")]
        notes.create_note(text="t", attachments=attachments, author=Person(email="e"))
        notes.create_note(
            text="t",
            attachments=({"url": "b", "addedAt": WHEN}, Attachment(url="c", added_at=WHEN)),
            by_name={"first": Attachment(url="d"), "second": MappingProxyType({"url": "e"})},
            author={"email": "e"},
            mixed=[Attachment(url="f"), {"url": "g"}, Kind.LONG, "short"],
            kinds=["short", "long"],
            optional_kinds=["long", None],
            rows=[[{"url": "h"}], [Attachment(url="i")]],
            due_at=WHEN,
        )
        kinds: list[Kind] = [Kind.SHORT]
        notes.create_note(text="t", author="somebody", kinds=kinds)
        notes.list_notes(kinds=["short"], since=WHEN, days=[WHEN.date()], either=["long"])
        notes.list_notes(kinds=[Kind.LONG], either="short", x_exact=True, pages=2)
        notes.find_note(WHEN, False)
        notes.save_settings(
            first={"url": "a"},
            additional_properties_body={"second": {"url": "b"}, "third": Attachment(url="c")},
        )
        notes.save_settings()
        notes.save_settings(additional_properties_body={"only": {"url": "b"}})
        notes.save_labels(name="n", additional_properties={"more": [1, {"at": WHEN}], "un": None})
        notes.replace_attachments(body=[{"url": "a"}, Attachment(url="b")])
        notes.send_form(kind="short", additional_properties={"a": "b"})
        notes.send_either(body=Attachment(url="a"))
        notes.send_either(body=Person(email="e"))


async def call_async() -> None:
    transport = httpx.MockTransport(respond)
    async with AsyncLeadConnector(token="test-token", transport=transport) as client:
        notes = client.notes
        attachments: list[Attachment] = [Attachment(url="a")]
        await notes.create_note(text="t", attachments=attachments, author=Person(email="e"))
        await notes.create_note(
            text="t",
            attachments=({"url": "b", "addedAt": WHEN}, Attachment(url="c", added_at=WHEN)),
            by_name={"first": Attachment(url="d"), "second": MappingProxyType({"url": "e"})},
            author={"email": "e"},
            mixed=[Attachment(url="f"), {"url": "g"}, Kind.LONG, "short"],
            kinds=["short", "long"],
            optional_kinds=["long", None],
            rows=[[{"url": "h"}], [Attachment(url="i")]],
            due_at=WHEN,
        )
        kinds: list[Kind] = [Kind.SHORT]
        await notes.create_note(text="t", author="somebody", kinds=kinds)
        await notes.list_notes(kinds=["short"], since=WHEN, days=[WHEN.date()], either=["long"])
        await notes.list_notes(kinds=[Kind.LONG], either="short", x_exact=True, pages=2)
        await notes.find_note(WHEN, False)
        await notes.save_settings(
            first={"url": "a"},
            additional_properties_body={"second": {"url": "b"}, "third": Attachment(url="c")},
        )
        await notes.save_settings()
        await notes.save_settings(additional_properties_body={"only": {"url": "b"}})
        await notes.save_labels(
            name="n", additional_properties={"more": [1, {"at": WHEN}], "un": None}
        )
        await notes.replace_attachments(body=[{"url": "a"}, Attachment(url="b")])
        await notes.send_form(kind="short", additional_properties={"a": "b"})
        await notes.send_either(body=Attachment(url="a"))
        await notes.send_either(body=Person(email="e"))


def main() -> None:
    call_blocking()
    blocking = list(requests)
    requests.clear()
    asyncio.run(call_async())
    print(json.dumps({"sync": blocking, "async": requests}))


main()
"""

# A type checker must report each line that ends with `# wrong`, and no other line.
MISTAKES = """
from leadconnector import LeadConnector


def mistakes(client: LeadConnector) -> None:
    client.notes.create_note(text="t", attachments=[{"url": "a"}])
    client.notes.create_note(text="t", attachments=["a"])  # wrong
    client.notes.create_note(text="t", author=5)  # wrong
    client.notes.create_note(text="t", kinds="short")  # wrong
    client.notes.list_notes(kinds="short")  # wrong
    client.notes.save_settings(additional_properties_body={"a": 5})  # wrong
    client.notes.save_labels(name="n", additional_properties=[1])  # wrong
    client.notes.replace_attachments(body=[5])  # wrong
    client.notes.save_labels(name="n", additional_properties={"a": 5})
"""
WRONG_LINES = [
    number for number, line in enumerate(MISTAKES.splitlines(), 1) if line.endswith("# wrong")
]
