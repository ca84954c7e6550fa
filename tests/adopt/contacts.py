"""A published document of contacts, and the calls that adopt its operations into a spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from adopt.__main__ import main

from tests.support.paths import ROOT

Json = dict[str, Any]

SPEC_TEXT = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")

VERSION = {
    "name": "Version",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "enum": ["2021-04-15"]},
}

COMMON: Json = {
    "components": {
        "schemas": {
            "BadRequestDTO": {
                "type": "object",
                "properties": {
                    "statusCode": {"type": "number", "example": 400},
                    "message": {"type": "string", "example": "Bad"},
                },
            }
        }
    }
}


def response(name: str, status: str = "200") -> Json:
    """A response with a component of the document."""
    reference = name if "#" in name else f"#/components/schemas/{name}"
    content = {"application/json": {"schema": {"$ref": reference}}}
    return {status: {"description": "Done ", "content": content}}


def published(**changes: Any) -> Json:
    """A document in the style of the vendor: OpenAPI 3.0, in two files, with a fault."""
    document: Json = {
        "openapi": "3.0.0",
        "info": {"title": "Contacts", "version": "1"},
        "servers": [{"url": "https://services.example"}],
        "paths": {
            "/contacts/{contactId}": {
                "get": {
                    "operationId": "get-contact",
                    "tags": ["Search"],
                    "summary": "Get Contact",
                    "description": "Get a contact.  \nWith its tags. ",
                    "security": [{"Location-Access": ["contacts.readonly"]}],
                    "parameters": [
                        VERSION,
                        {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
                        {
                            "name": "contactId",
                            "in": "path",
                            "required": False,
                            "schema": {"type": "string"},
                        },
                        {"name": "locationId", "in": "query", "schema": {"type": "string"}},
                    ],
                    "responses": {
                        **response("ContactDto"),
                        **response(
                            "../common/common-schemas.json#/components/schemas/BadRequestDTO", "400"
                        ),
                    },
                },
                "delete": {
                    "operationId": "delete-contact",
                    "summary": "Delete Contact",
                    "parameters": [
                        {
                            "name": "contactId",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        }
                    ],
                    "responses": {"204": {"description": "Gone"}},
                },
            }
        },
        "components": {
            "schemas": {
                "ContactDto": {
                    "type": "object",
                    "x-internal": True,
                    "properties": {
                        "name": {"type": "string", "nullable": True, "description": " "},
                        "parent": {"$ref": "#/components/schemas/ContactDto"},
                        "conversation": {"$ref": "#/components/schemas/Conversation"},
                        "tags": {"type": "array"},
                    },
                },
                "Conversation": {"type": "object", "properties": {"topic": {"type": "string"}}},
                "Unused": {"type": "object"},
            },
            "securitySchemes": {"Location-Access": {"type": "http", "scheme": "bearer"}},
        },
    }
    document.update(changes)
    return document


def written(folder: Path, document: Json) -> Path:
    """Write a published document and the common schemas."""
    for name, data in (
        ("apps/contacts.json", document),
        ("common/common-schemas.json", COMMON),
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return folder / "apps" / "contacts.json"


def adopt(spec: Path, document: Json | Path, *names: str) -> int:
    """Adopt operations into a spec, and return the exit status."""
    source = document if isinstance(document, Path) else written(spec.parent, document)
    return main([*names, "--from", str(source), "--spec", str(spec)])


def upgrade(spec: Path, document: Json, *names: str) -> int:
    """Upgrade operations of a spec, and return the exit status."""
    return adopt(spec, document, *names, "--upgrade")


def adopted_data(spec: Path) -> Json:
    """The data of the spec."""
    data: Json = yaml.safe_load(spec.read_text(encoding="utf-8"))
    return data
