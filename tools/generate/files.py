"""Knows which schemas of the spec are files: bodies and parts of forms, and no data in JSON.

JSON has no bytes. A text with `format: binary` in it is a text for the client, as for most
generators.
"""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, SpecError, is_mapping
from .media_types import MULTIPART, essence, is_binary, is_json, is_text
from .shapes import leaves, parts


def request_and_response_contents(document: Document) -> Iterator[tuple[str, Node]]:
    """The bodies of all requests and responses, with their media types."""
    for operation in document.operations():
        body = document.resolve(operation.node.child("requestBody"))
        yield from body.child("content").entries()
        for _, reference in operation.node.child("responses").entries():
            yield from document.resolve(reference).child("content").entries()


def file_schemas(document: Document) -> dict[str, Node]:
    """The schemas of the files in multipart forms and of other bodies, by their pointer."""
    schemas = [leaf for part in _form_parts(document) for leaf in leaves(document, part)]
    for media_type, content in request_and_response_contents(document):
        if is_text(media_type):
            schemas.append(document.resolve(content.child("schema")))
    return {schema.pointer: schema for schema in schemas if is_binary(schema)}


def find_shared_files(document: Document) -> Iterator[SpecError]:
    """The generator makes one class of a component, in which a file cannot be a text as well."""
    files = file_schemas(document)
    if not files:
        return
    for pointer in _pointers_in_json(document):
        if pointer in files:
            yield document.error(
                pointer,
                "a file is also in JSON, where it is a text: describe the JSON with a"
                " schema of its own",
            )


def _form_parts(document: Document) -> Iterator[Node]:
    for media_type, content in request_and_response_contents(document):
        if essence(media_type) == MULTIPART:
            schema = document.resolve(content.child("schema"))
            for child in document.properties(schema).values():
                yield child.schema
            yield schema.child("additionalProperties")


def _pointers_in_json(document: Document) -> set[str]:
    """The pointers of all schemas of JSON, also of JSON in the parts of forms."""
    pending = [
        content.child("schema")
        for media_type, content in request_and_response_contents(document)
        if is_json(media_type)
    ]
    for part in _form_parts(document):
        # An object in a form is written as JSON.
        for schema in leaves(document, part):
            pending += parts(document, schema)
    visited: set[str] = set()
    while pending:
        schema = document.resolve(pending.pop())
        if schema.pointer in visited or not is_mapping(schema.value):
            continue
        visited.add(schema.pointer)
        pending += parts(document, schema)
        for keyword in ("allOf", "anyOf", "oneOf"):
            pending += schema.child(keyword).elements()
    return visited
