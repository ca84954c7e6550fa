"""Finds what generation leaves out on purpose, or what seems to be forgotten in the spec."""

from __future__ import annotations

from collections.abc import Iterator

from leadconnector_emulator.roles import (
    API_VERSION,
    LOCATION_NAME,
    MESSAGE_NAMES,
    RATE_LIMIT_KEY,
    ROLE_KEYWORD,
    VERSION_HEADER,
    Argument,
    argument_roles,
    message_names,
)

from .contract import property_roles
from .document import IGNORED_HEADERS, Document, Node, Operation, Remark
from .paging import PagingRole, read_paging
from .servers import default_base_url, first_url
from .unread_fields import find_unread_fields
from .unsupported.keywords import (
    ANNOTATION_KEYWORDS,
    TYPE_KEYWORDS,
    UNCHECKED_KEYWORDS,
    VALIDATED_KEYWORDS,
)
from .walk import all_schemas

_KNOWN_KEYWORDS = VALIDATED_KEYWORDS | ANNOTATION_KEYWORDS | TYPE_KEYWORDS.keys()

_ID_NAMES = ("id", "_id")
"""The names of the properties that identify HighLevel's resources."""


def find_notes(document: Document) -> list[str]:
    """Return a note for each kind of such a part, with its first place and the number."""
    parts = [*_missing_base_url(document), *find_unread_fields(document)]
    for schema in all_schemas(document):
        parts += _unread_keywords(schema)
    for operation in document.operations():
        parts += _unread_parts(document, operation)
        parts += _missing_roles(document, operation)
        parts += _missing_item_id(document, operation)
    remarks = [*document.remarks]
    for reason, pointer in parts:
        remarks.append(Remark(reason, str(document.sources.source(pointer))))
    places: dict[str, list[str]] = {}
    for remark in remarks:
        # Operations share components.
        if remark.source not in places.setdefault(remark.reason, []):
            places[remark.reason].append(remark.source)
    return [_note(reason, sources) for reason, sources in places.items()]


def _note(reason: str, sources: list[str]) -> str:
    first, *others = sources
    if not others:
        return f"{first}: {reason}"
    noun = "place" if len(others) == 1 else "places"
    return f"{first}: {reason} (and {len(others):,} other {noun})"


def _missing_base_url(document: Document) -> Iterator[tuple[str, str]]:
    if default_base_url(document) is None:
        yield (
            f"no host in the first server, {first_url(document)}: each client needs `base_url=`,"
            " with this path",
            "/servers",
        )


def _unread_keywords(schema: Node) -> Iterator[tuple[str, str]]:
    for keyword in schema.mapping:
        if keyword in UNCHECKED_KEYWORDS:
            yield f"the client does not check {keyword}", f"{schema.pointer}/{keyword}"
        elif keyword not in _KNOWN_KEYWORDS and not str(keyword).startswith("x-"):
            yield (
                f"{keyword} is no keyword of a schema: it has no effect",
                f"{schema.pointer}/{keyword}",
            )


def _unread_parts(document: Document, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield the reason and the pointer of each part of an operation that is not read."""
    for parameter in document.ignored_parameters(operation):
        yield _reason_of_ignored_header(str(parameter.get("name"))), parameter.pointer
    for tag in list(operation.node.child("tags").elements())[1:]:
        yield "only the first tag of an operation is read", tag.pointer
    if operation.node.get("callbacks"):
        callbacks = operation.node.child("callbacks")
        yield "callbacks are not read", callbacks.pointer
    for _, reference in operation.node.child("responses").entries():
        yield from _unread_parts_of_response(document.resolve(reference))


def _reason_of_ignored_header(name: str) -> str:
    """Why a header parameter is not read."""
    if name.lower() in IGNORED_HEADERS:
        return (
            "OpenAPI ignores header parameters named Accept, Authorization and Content-Type:"
            " the client sends these headers itself"
        )
    if name.lower() == "cookie":
        return (
            "a header parameter named Cookie is not read: it would replace the parameters with"
            " `in: cookie`"
        )
    if name.lower() == "user-agent":
        return (
            "a header parameter named User-Agent is not read: the client sends this header itself,"
            " and `default_headers=` replaces it"
        )
    return (
        f"a header parameter named {name} is not read: the client sends the headers of the transfer"
        " itself"
    )


def _unread_parts_of_response(response: Node) -> Iterator[tuple[str, str]]:
    if response.get("headers"):
        headers = response.child("headers")
        yield "response headers are not read: they are in the raw response", headers.pointer
    if response.get("links"):
        yield "links are not read", response.child("links").pointer


def _missing_roles(document: Document, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield the reason and the pointer of each part that has no role, marked or by its name."""
    arguments = list(_arguments(document, operation))
    roles = argument_roles([argument for _, argument in arguments])
    if RATE_LIMIT_KEY not in roles:
        yield (
            "an operation has no `x-role: rate-limit-key` and no argument named"
            f" {LOCATION_NAME}: all its calls share one limit",
            operation.pointer,
        )
    for pointer, argument in arguments:
        # A required one has the role by its name.
        is_version = argument.place == "header" and argument.name.lower() == VERSION_HEADER.lower()
        if is_version and API_VERSION not in roles:
            yield (
                f"an optional header named {VERSION_HEADER} has no `x-role: api-version`:"
                " the client's option `version=` does not set it",
                pointer,
            )
    for status, reference in operation.node.child("responses").entries():
        if not str(status).startswith("2"):
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


def _arguments(document: Document, operation: Operation) -> Iterator[tuple[str, Argument]]:
    """The pointer of each parameter and body property, and what decides about its role."""
    for parameter in document.parameters(operation):
        schema = document.resolve(parameter.child("schema"))
        yield (
            parameter.pointer,
            Argument(
                name=str(parameter.get("name")),
                place=str(parameter.get("in")),
                required=bool(parameter.get("required")),
                role=parameter.get(ROLE_KEYWORD) or schema.get(ROLE_KEYWORD),
            ),
        )
    body = document.resolve(operation.node.child("requestBody"))
    for _, media_type in body.child("content").entries():
        for name, child in document.properties(media_type.child("schema")).items():
            role = document.resolve(child.schema).get(ROLE_KEYWORD)
            yield child.schema.pointer, Argument(name, "body", child.required, role)


def _missing_message_roles(document: Document, response: Node) -> Iterator[tuple[str, str]]:
    for _, media_type in response.child("content").entries():
        schema = media_type.child("schema")
        roles = property_roles(document, schema)
        if roles and not message_names(roles):
            yield (
                "an error has no property with `x-role: error-messages`, and none named"
                f" {' or '.join(MESSAGE_NAMES)}: `messages` of the exception can lack its text",
                document.resolve(schema).pointer,
            )
