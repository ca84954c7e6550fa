"""Finds what generation leaves out on purpose, so that nobody expects it in the client."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, Operation


def find_notes(document: Document) -> list[str]:
    """Return a note for each kind of part that is not read, with its first place and the number."""
    places: dict[str, list[str]] = {}
    for operation in document.operations():
        for reason, pointer in _unread_parts(document, operation):
            source = str(document.text.source(pointer))
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
