"""Makes properties optional for the generator that the spec requires, but that can be absent.

First, every property of a response, so that a success is never lost.

The API can leave out a property that the spec requires, after it made the update. The generated
model then lacks the property (`UNSET`), and the client reports a finding. The contract keeps
`required`, so arguments are still validated, and a missing property is still a finding. The event
of a webhook counts as a response here: the API sends both.

A schema that both requests and responses use has one model. Its properties are optional there, but
they stay required arguments of the method: `operations` takes `required` from the spec itself.

Second, every read-only property, which a request does not contain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .direction import all_of_parts, is_read_only, is_write_only
from .document import Document, Node, is_list, is_mapping
from .walk import all_schemas
from .webhooks import webhook_bodies

UNION_KEYWORD = "x-union-required"
"""The property names by which `union_property.py.jinja` recognizes the model of an object."""


def with_optional_responses(document: Document) -> Document:
    """A copy of the spec in which no response requires a property.

    `x-union-required` then has the names that a schema requires.
    """
    tolerant_document = replace(document, root=_copy(document.root))
    for pointer in _response_schemas(document):
        schema = tolerant_document.at(pointer).mapping
        if not _is_list_of_names(schema.get("required", [])):
            # The generator reports this mistake.
            continue
        properties = document.properties(document.at(pointer))
        schema.pop("required", None)
        schema[UNION_KEYWORD] = [
            name
            for name, child in properties.items()
            if child.required and not is_write_only(document, child.schema)
        ]
    _make_read_only_optional(document, tolerant_document)
    return tolerant_document


def _make_read_only_optional(document: Document, tolerant_document: Document) -> None:
    for schema in all_schemas(document):
        names = {
            name
            for name, child in document.properties(schema).items()
            if child.required and is_read_only(document, child.schema)
        }
        if not names:
            continue
        # Another branch of an `allOf` can require the property than the one that describes it.
        for part in all_of_parts(document, schema, frozenset()):
            tolerant_part = tolerant_document.at(part.pointer).mapping
            if _is_list_of_names(tolerant_part.get("required")):
                required = [name for name in tolerant_part["required"] if name not in names]
                tolerant_part["required"] = required


def _is_list_of_names(value: Any) -> bool:
    return is_list(value) and all(isinstance(name, str) for name in value)


def _response_schemas(document: Document) -> Iterator[str]:
    """The JSON pointers of all schemas that responses and events contain, each once."""
    visited_pointers: set[str] = set()
    pending_schemas = list(_response_bodies(document))
    while pending_schemas:
        schema = document.resolve(pending_schemas.pop())
        if schema.pointer in visited_pointers or not is_mapping(schema.value):
            continue
        visited_pointers.add(schema.pointer)
        yield schema.pointer
        pending_schemas += _subschemas(schema)


def _response_bodies(document: Document) -> Iterator[Node]:
    for operation in document.operations():
        for _, reference in operation.node.child("responses").entries():
            response = document.resolve(reference)
            for _, media_type in response.child("content").entries():
                yield media_type.child("schema")
    # An event is received, as a response is.
    for _, body in webhook_bodies(document):
        yield body


def _subschemas(schema: Node) -> Iterator[Node]:
    for _, child in schema.child("properties").entries():
        yield child
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.child(keyword).elements()
    for keyword in ("items", "additionalProperties"):
        yield schema.child(keyword)


def _copy(value: Any) -> Any:
    """A deep copy without shared parts: an alias in YAML is one object at several places."""
    if is_mapping(value):
        return {key: _copy(child) for key, child in value.items()}
    if is_list(value):
        return [_copy(child) for child in value]
    return value
