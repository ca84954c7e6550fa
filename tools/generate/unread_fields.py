"""Finds the fields of a document that OpenAPI does not define. Nothing reads them."""

from __future__ import annotations

from collections.abc import Iterator

from .document import METHODS, Document, Node

_DOCUMENT = frozenset(
    {
        "$self",
        "components",
        "externalDocs",
        "info",
        "jsonSchemaDialect",
        "openapi",
        "paths",
        "security",
        "servers",
        "tags",
        "webhooks",
    }
)
_PATH_ITEM = frozenset({"$ref", "description", "parameters", "servers", "summary", *METHODS})
_OPERATION = frozenset(
    {
        "callbacks",
        "deprecated",
        "description",
        "externalDocs",
        "operationId",
        "parameters",
        "requestBody",
        "responses",
        "security",
        "servers",
        "summary",
        "tags",
    }
)
_PARAMETER = frozenset(
    {
        "allowEmptyValue",
        "allowReserved",
        "content",
        "deprecated",
        "description",
        "example",
        "examples",
        "explode",
        "in",
        "name",
        "required",
        "schema",
        "style",
    }
)
_REQUEST_BODY = frozenset({"content", "description", "required"})
_MEDIA_TYPE = frozenset({"encoding", "example", "examples", "schema"})
_RESPONSE = frozenset({"content", "description", "headers", "links", "summary"})


def find_unread_fields(document: Document) -> Iterator[tuple[str, str]]:
    """Yield a reason and a pointer for each such field. Those that begin with `x-` are free."""
    yield from _unknown(document.top, _DOCUMENT, "the document")
    for operation in document.operations():
        yield from _unknown(operation.path_item, _PATH_ITEM, "a path")
        yield from _unknown(operation.node, _OPERATION, "an operation")
        for parameter in document.parameters(operation):
            yield from _unknown(parameter, _PARAMETER, "a parameter")
        body = document.resolve(operation.node.child("requestBody"))
        yield from _unknown(body, _REQUEST_BODY, "a request body")
        yield from _unknown_of_contents(body)
        for status, reference in operation.node.child("responses").entries():
            # OpenAPI 3.1, "Specification Extensions": keys that begin with x- are no statuses.
            if str(status).startswith("x-"):
                continue
            response = document.resolve(reference)
            yield from _unknown(response, _RESPONSE, "a response")
            yield from _unknown_of_contents(response)


def _unknown_of_contents(owner: Node) -> Iterator[tuple[str, str]]:
    for _, media_type in owner.child("content").entries():
        yield from _unknown(media_type, _MEDIA_TYPE, "a media type")


def _unknown(node: Node, fields: frozenset[str], owner: str) -> Iterator[tuple[str, str]]:
    for name, child in node.entries():
        if name not in fields and not str(name).startswith("x-"):
            yield f"{name} is no field of {owner}: it has no effect", child.pointer
