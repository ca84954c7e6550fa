"""A small copy of the vendor's repository, with the defects of the published documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.support.paths import ROOT

Json = dict[str, Any]

COMMON = "../common/common-schemas.json"
"""The reference in both documents. In v3 it leads nowhere: the folder is beside the document."""

ADDED_MESSAGE_TYPES = [
    "TYPE_RCS",
    "TYPE_ACTIVITY_EMPLOYEE_ACTION_LOG",
    "TYPE_TIKTOK",
    "TYPE_TIKTOK_COMMENT",
    "TYPE_ACTIVITY_WHATSAPP",
    "TYPE_FORM_SUBMISSION",
    "TYPE_SMS_REACTION",
]


def spec() -> Json:
    """The data of the spec."""
    text = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
    document: Json = yaml.safe_load(text)
    return document


def published_document(version: str = "2021-04-15") -> Json:
    """A document with the known differences between the vendor's document and the spec."""
    document = spec()
    put = document["paths"]["/conversations/{conversationId}"]["put"]
    put.update(operationId="update-conversation", security=[{"bearer": ["conversations.write"]}])
    del put["responses"]["422"]
    schemas = document["components"]["schemas"]
    schemas["ApiVersion"]["enum"] = [version]
    schemas["LastMessageType"]["enum"] += ADDED_MESSAGE_TYPES
    document["paths"]["/conversations/search"] = {
        "get": {"responses": {"200": {"description": "Another operation"}}}
    }
    return document


def published_document_for_v3() -> Json:
    """A document with the known differences between the vendor's document for v3 and the spec."""
    document = published_document("v3")
    feedback = {"type": "string", "enum": ["positive", "negative"]}
    document["components"]["schemas"]["ConversationFeedback"] = feedback
    return document


def with_defects(document: Json) -> Json:
    """Add what makes the published documents invalid."""
    # `name` and `in` belong to an `apiKey`.
    bearer = document["components"]["securitySchemes"]["bearer"]
    bearer.update({"name": "Authorization", "in": "header"})
    # The vendor's schemas of errors are in another file.
    schemas = document["components"]["schemas"]
    for name in ("BadRequest", "Unauthorized"):
        schemas[name] = {"$ref": f"{COMMON}#/components/schemas/{name}"}
    return document


def common_schemas() -> Json:
    """The file with the schemas of errors."""
    schemas = spec()["components"]["schemas"]
    names = ("BadRequest", "Unauthorized")
    return {"components": {"schemas": {name: schemas[name] for name in names}}}


def vendor_files() -> dict[str, Json]:
    """The files of the vendor's repository by their path."""
    return {
        "apps/conversations.json": with_defects(published_document()),
        "common/common-schemas.json": common_schemas(),
        "apps/v3/conversations-v3.json": with_defects(published_document_for_v3()),
        "apps/v3/common/common-schemas.json": common_schemas(),
    }


def write_vendor_files(folder: Path, files: dict[str, Json]) -> Path:
    """Write files into a folder, and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return folder
