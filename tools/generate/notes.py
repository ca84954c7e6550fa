"""Finds what generation leaves out on purpose, or what seems to be forgotten in the spec."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, Operation
from .paging import PagingRole, read_paging

_LOCATION_NAME = "locationId"
"""The name by which HighLevel's operations take the location whose requests the API counts."""

_MESSAGE_NAMES = ("message", "error")
"""The names of the properties in which HighLevel's errors explain themselves."""

_ID_NAMES = ("id", "_id")
"""The names of the properties that identify HighLevel's resources."""


def find_notes(document: Document) -> list[str]:
    """Return a note for each kind of such a part, with its first place and the number."""
    places: dict[str, list[str]] = {}
    for operation in document.operations():
        parts = [
            *_unread_parts(document, operation),
            *_missing_roles(document, operation),
            *_missing_item_id(document, operation),
        ]
        for reason, pointer in parts:
            source = str(document.sources.source(pointer))
            # Operations share components.
            if source not in places.setdefault(reason, []):
                places[reason].append(source)
    return [_note(reason, sources) for reason, sources in places.items()]


def _note(reason: str, sources: list[str]) -> str:
    first, *others = sources
    if not others:
        return f"{first}: {reason}"
    noun = "place" if len(others) == 1 else "places"
    return f"{first}: {reason} (and {len(others):,} other {noun})"


def _unread_parts(document: Document, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield the reason and the pointer of each part of an operation that is not read."""
    for parameter in document.ignored_parameters(operation):
        yield (
            "OpenAPI ignores header parameters named Accept, Authorization and Content-Type:"
            " the client sends these headers itself",
            parameter.pointer,
        )
    for tag in list(operation.node.child("tags").elements())[1:]:
        yield "only the first tag of an operation is read", tag.pointer
    if operation.node.get("callbacks"):
        callbacks = operation.node.child("callbacks")
        yield "callbacks are not read", callbacks.pointer
    for _, reference in operation.node.child("responses").entries():
        yield from _unread_parts_of_response(document.resolve(reference))


def _unread_parts_of_response(response: Node) -> Iterator[tuple[str, str]]:
    if response.get("headers"):
        headers = response.child("headers")
        yield "response headers are not read: they are in the raw response", headers.pointer
    if response.get("links"):
        yield "links are not read", response.child("links").pointer


def _missing_roles(document: Document, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield the reason and the pointer of each part that usually has a role, and has none here."""
    arguments = list(document.parameters(operation))
    body = document.resolve(operation.node.child("requestBody"))
    for _, media_type in body.child("content").entries():
        properties = document.properties(media_type.child("schema"))
        arguments += [
            Node({"name": name, "schema": child.schema.value}, child.schema.pointer)
            for name, child in properties.items()
        ]
    has_key = any(_has_role(document, item, "rate-limit-key") for item in arguments)
    for argument in arguments:
        is_version = argument.get("in") == "header" and str(argument.get("name")) == "Version"
        if is_version and not _has_role(document, argument, "api-version"):
            yield (
                "a header named Version has no `x-role: api-version`: the client's option"
                " `version=` does not set it",
                argument.pointer,
            )
        if argument.get("name") == _LOCATION_NAME and not has_key:
            yield (
                f"{_LOCATION_NAME} has no `x-role: rate-limit-key`: all locations share one limit",
                argument.pointer,
            )
    for status, reference in operation.node.child("responses").entries():
        if not status.startswith("2"):
            response = document.resolve(reference)
            yield from _missing_message_roles(document, response)


def _missing_item_id(document: Document, operation: Operation) -> Iterator[tuple[str, str]]:
    paging = read_paging(document, operation)
    if not paging.is_iterable or paging.item_id is not None:
        return
    for items in paging.properties(PagingRole.ITEMS):
        properties = document.properties(items.schema.child("items"))
        for name in _ID_NAMES:
            if name in properties:
                yield (
                    f"the property {name} of an item has no `x-role: item-id`: an item that moves"
                    " to another page during an iteration appears twice",
                    properties[name].schema.pointer,
                )
                break


def _missing_message_roles(document: Document, response: Node) -> Iterator[tuple[str, str]]:
    for _, media_type in response.child("content").entries():
        properties = document.properties(media_type.child("schema"))
        schemas = {name: document.resolve(child.schema) for name, child in properties.items()}
        if any(schema.get("x-role") == "error-messages" for schema in schemas.values()):
            continue
        for name in _MESSAGE_NAMES:
            if name in schemas:
                yield (
                    f"the property {name} of an error has no `x-role: error-messages`:"
                    " `messages` of the exception does not contain it",
                    schemas[name].pointer,
                )
                break


def _has_role(document: Document, argument: Node, role: str) -> bool:
    schema = document.resolve(argument.child("schema"))
    return role in (argument.get("x-role"), schema.get("x-role"))
