"""Knows which media types of a body are JSON, forms or texts. All others are files."""

from __future__ import annotations

from .document import Node

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def essence(media_type: str) -> str:
    """A media type without parameters (WHATWG MIME Sniffing, "essence")."""
    name, _, _ = media_type.partition(";")
    return name.strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON (RFC 6839, section 3.1)."""
    name = essence(media_type)
    return name == JSON or name.endswith("+json")


def is_form(media_type: str) -> bool:
    """Whether a media type is one of both kinds of forms."""
    return essence(media_type) in {FORM, MULTIPART}


def is_text(media_type: str) -> bool:
    """Whether a body is a text for callers. XML is one: the client does not parse it."""
    name = essence(media_type)
    return name.startswith("text/") or name == "application/xml" or name.endswith("+xml")


def is_file(media_type: str) -> bool:
    """Whether a body is a file for callers: bytes, or a range of types such as `*/*`."""
    return not (is_json(media_type) or is_form(media_type) or is_text(media_type))


def is_binary(schema: Node) -> bool:
    """Whether a part of a form is a file (OpenAPI 3.1, "Considerations for File Uploads")."""
    if "contentEncoding" in schema.mapping:
        return False
    if schema.get("format") == "binary":
        return True
    media_type = schema.get("contentMediaType")
    # A text can contain JSON, for example.
    return isinstance(media_type, str) and not (is_text(media_type) or is_json(media_type))
