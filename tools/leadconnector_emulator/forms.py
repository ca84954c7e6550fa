"""Reads the forms of request bodies as data of their schema (OpenAPI 3.1.1, "Encoding Object")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast
from urllib.parse import parse_qsl

from .schema import CompiledSchema

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class MalformedFormError(Exception):
    """A body is no form of its media type."""


@dataclass(frozen=True)
class Part:
    """One property of a form."""

    schema: CompiledSchema
    """The schema of the property, or of each item of a list."""
    is_array: bool
    """Whether it is a list, whose items are parts of their own."""


@dataclass(frozen=True)
class Form:
    """The documented form of a body."""

    schema: CompiledSchema
    parts: Mapping[str, Part]

    def read(self, body: bytes, content_type: str) -> dict[str, Any]:
        """The data of a body. The bytes of a file become a text.

        Raises:
            MalformedFormError: the body has another form than its media type says.
        """
        data: dict[str, Any] = {}
        for name, text in _pairs(body, content_type):
            part = self.parts.get(name)
            value = text if part is None else _value(part.schema, text)
            if name in data or (part is not None and part.is_array):
                # The schema rejects a list for a value that was repeated by mistake.
                data.setdefault(name, [])
                existing: Any = data[name]
                data[name] = [*existing, value] if isinstance(existing, list) else [existing, value]
            else:
                data[name] = value
        return data


def _pairs(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a form, in their order."""
    if not content_type.lower().startswith(MULTIPART):
        try:
            yield from parse_qsl(body.decode("ascii"), keep_blank_values=True)
        except ValueError as error:
            raise MalformedFormError from error
        return
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    # A form without parts consists of its end. The parser takes that for text.
    boundary = message.get_boundary()
    if boundary is not None and body.strip() == f"--{boundary}--".encode("latin-1", "replace"):
        return
    parts = message.get_payload()
    if message.defects or not isinstance(parts, list):
        raise MalformedFormError
    for part in cast("list[EmailMessage]", parts):
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise MalformedFormError
        # A file can have any bytes, and each of them is a character of Latin-1.
        is_file = part.get_filename() is not None
        yield name, content.decode("latin-1" if is_file else "utf-8", "replace")


def _value(schema: CompiledSchema, text: str) -> Any:
    """The text itself, if the schema accepts it, otherwise the JSON data that it represents."""
    if schema.is_valid(text):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
