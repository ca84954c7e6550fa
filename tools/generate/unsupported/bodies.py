"""Rules for the bodies of requests and responses that are not JSON."""

from __future__ import annotations

from collections.abc import Iterator

from ..document import Document, Node, Operation, SpecError
from ..media_types import FORM, essence, is_binary, is_form, is_json, is_text
from ..shapes import alternatives, leaves, parts, structures, types_of

_STYLE_KEYWORDS = ("style", "explode", "allowReserved")

_TEXTS = frozenset({"string"})
_SCALARS = frozenset({"boolean", "integer", "number", "string"})


def find_structured_text(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The client cannot write an object as XML or CSV, and cannot read one from it."""
    for media_type, content in _request_contents(document, operation):
        # Scalars are written as in a form.
        scalars = _SCALARS if is_text(media_type) else _TEXTS
        yield from _find_other_types(document, media_type, content, scalars)
    for media_type, content in _response_contents(document, operation):
        yield from _find_other_types(document, media_type, content, _TEXTS)


def _find_other_types(
    document: Document, media_type: str, content: Node, allowed_types: frozenset[str]
) -> Iterator[SpecError]:
    if is_json(media_type) or is_form(media_type):
        return
    for alternative in alternatives(document, content.child("schema")):
        if types_of(alternative) - allowed_types:
            yield document.error(
                content.pointer,
                f"{media_type} is a text or a file for the client: its schema needs type: string",
            )


def find_other_charset(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The client writes every text in UTF-8."""
    for media_type, content in _request_contents(document, operation):
        _, _, charset = media_type.lower().partition("charset=")
        if charset.strip('" ') not in {"", "utf-8", "us-ascii"}:
            yield document.error(content.pointer, f"the client writes UTF-8, not {media_type}")


def find_form_without_properties(document: Document, operation: Operation) -> Iterator[SpecError]:
    """A form consists of named parts, which are the properties of one object."""
    for media_type, content in _request_contents(document, operation):
        if not is_form(media_type):
            continue
        schema = document.resolve(content.child("schema"))
        is_union = "anyOf" in schema.mapping or "oneOf" in schema.mapping
        if is_union or structures(document, schema) != frozenset({"object"}):
            yield document.error(content.pointer, "the schema of a form must be one object")


def find_unwritable_part(document: Document, operation: Operation) -> Iterator[SpecError]:
    """OpenAPI 3.1 does not define how a form has a list of lists, or an urlencoded form bytes."""
    for media_type, content in _request_contents(document, operation):
        if not is_form(media_type):
            continue
        for part in parts(document, content.child("schema")):
            items = [alternative.child("items") for alternative in alternatives(document, part)]
            if any("array" in structures(document, item) for item in items):
                yield document.error(part.pointer, "a list of lists is undefined in a form")
            has_file = any(is_binary(leaf) for leaf in leaves(document, part))
            if essence(media_type) == FORM and has_file:
                yield document.error(part.pointer, "a file needs multipart/form-data")


def find_unsupported_encoding(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The generated code supports `contentType` alone, and only what it can write."""
    for media_type, content in _request_contents(document, operation):
        properties = document.properties(content.child("schema"))
        for name, encoding in content.child("encoding").entries():
            if not is_form(media_type):
                # OpenAPI 3.1, "Media Type Object": it has no meaning here.
                continue
            if name not in properties:
                yield document.error(
                    encoding.pointer,
                    f"encoding names {name!r}, which is not a property of the form",
                )
                continue
            part = properties[name].schema
            yield from _find_unsupported_keywords(document, encoding, part)
            yield from _find_unwritable_type(document, media_type, encoding, part)


def _find_unsupported_keywords(
    document: Document, encoding: Node, part: Node
) -> Iterator[SpecError]:
    if "headers" in encoding.mapping:
        yield document.error(encoding.pointer, "headers of a part of a form are not supported")
    given = [keyword for keyword in _STYLE_KEYWORDS if keyword in encoding.mapping]
    is_default = encoding.get("style", "form") == "form" and encoding.get("explode", True) is True
    # For scalars and lists of them, the style `form` writes the same.
    has_object = "object" in structures(document, part) or any(
        structures(document, item) for item in parts(document, part)
    )
    if given and (not is_default or has_object or encoding.get("allowReserved")):
        yield document.error(
            encoding.pointer, f"{', '.join(given)} of a part of a form is not supported"
        )


def _find_unwritable_type(
    document: Document, media_type: str, encoding: Node, part: Node
) -> Iterator[SpecError]:
    content_type = encoding.get("contentType")
    if content_type is None:
        return
    schemas = list(leaves(document, part))
    if schemas and all(is_binary(leaf) or leaf.get("type") == "null" for leaf in schemas):
        return
    name = essence(str(content_type))
    has_object = any("object" in types_of(leaf) for leaf in schemas)
    writable = name == "application/json"
    if not has_object:
        writable |= name.startswith("text/") or essence(media_type) != FORM
    if "," in name or "*" in name or not writable:
        yield document.error(
            encoding.pointer, f"the client cannot write this part as {content_type}"
        )


def _request_contents(document: Document, operation: Operation) -> Iterator[tuple[str, Node]]:
    body = document.resolve(operation.node.child("requestBody"))
    yield from body.child("content").entries()


def _response_contents(document: Document, operation: Operation) -> Iterator[tuple[str, Node]]:
    for _, reference in operation.node.child("responses").entries():
        yield from document.resolve(reference).child("content").entries()


BODY_RULES = (
    find_structured_text,
    find_other_charset,
    find_form_without_properties,
    find_unwritable_part,
    find_unsupported_encoding,
)
