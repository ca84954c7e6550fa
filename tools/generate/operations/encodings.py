"""Decides how generated code writes each body of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openapi_python_client.parser.bodies import Body, BodyType
from openapi_python_client.parser.properties.file import FileProperty

from ..document import Document, Node
from ..shapes import leaves, types_of
from .views import Resource


@dataclass(frozen=True)
class BodyEncoding:
    """How one body is written."""

    kind: str
    """`json`, `form`, `multipart`, `text` or `file`."""
    media_type: str
    """What the header says. For a file, a range or a list of types is possible too."""
    part_media_types: Mapping[str, str]
    """The media types of the parts of a form that do not have the default."""
    integer_parts: Sequence[str]
    """The names of the parts of a form that are integers, or lists of them."""


class BodyEncodings:
    """The encodings of the bodies of all operations."""

    def __init__(self, document: Document, resources: Sequence[Resource]) -> None:
        # A body cannot be a key itself, as it has no hash. A template can have a copy of a JSON
        # body, which needs no entry.
        self._part_media_types: dict[int, Mapping[str, str]] = {}
        self._integer_parts: dict[int, Sequence[str]] = {}
        for resource in resources:
            for operation in resource.operations:
                body_node = document.resolve(document.at(operation.pointer).child("requestBody"))
                for body in operation.endpoint.bodies:
                    media_type = body_node.child("content", _content_type(body))
                    self._part_media_types[id(body)] = _part_media_types(document, media_type)
                    self._integer_parts[id(body)] = _integer_parts(document, media_type)

    def encoding(self, body: Body) -> BodyEncoding:
        """The encoding of a body of the generator."""
        part_media_types = self._part_media_types.get(id(body), {})
        content_type = _content_type(body)
        return BodyEncoding(
            kind=_kind(body, content_type),
            media_type=_sent_type(content_type),
            part_media_types=part_media_types,
            integer_parts=self._integer_parts.get(id(body), ()),
        )


def _part_media_types(document: Document, media_type: Node) -> dict[str, str]:
    """The media types of the parts of a form that do not have the default of their class."""
    part_media_types: dict[str, str] = {}
    for name, child in document.properties(media_type.child("schema")).items():
        part = document.resolve(child.schema)
        items = document.resolve(part.child("items"))
        # OpenAPI 3.1.1, "Encoding Object": the default of such a text.
        if "contentEncoding" in part.mapping or "contentEncoding" in items.mapping:
            part_media_types[name] = "application/octet-stream"
    for name, encoding in media_type.child("encoding").entries():
        if "contentType" in encoding.mapping:
            part_media_types[name] = str(encoding.get("contentType"))
    return part_media_types


def _integer_parts(document: Document, media_type: Node) -> list[str]:
    """The names of the parts whose numbers are all integers."""
    names: list[str] = []
    for name, child in document.properties(media_type.child("schema")).items():
        types: set[str] = set()
        for leaf in leaves(document, child.schema):
            types |= types_of(leaf)
        if "integer" in types and "number" not in types:
            names.append(name)
    return names


def _content_type(body: Body) -> str:
    return str(body.content_type.get_untrusted_value())


def _kind(body: Body, content_type: str) -> str:
    match body.body_type:
        case BodyType.JSON:
            return "json"
        case BodyType.DATA:
            return "form"
        case BodyType.FILES:
            return "multipart"
        case BodyType.CONTENT:
            return "file" if isinstance(body.prop, FileProperty) else "text"


def _sent_type(content_type: str) -> str:
    """The header of a body. A text says that it is UTF-8: servers take others for ASCII."""
    if content_type == "text/*":
        content_type = "text/plain"
    if content_type.lower().startswith("text/") and ";" not in content_type:
        return f"{content_type}; charset=utf-8"
    return content_type
