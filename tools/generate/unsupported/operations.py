"""Rules for the server and the operations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..credentials import can_be_called, other_schemes, security_requirements, security_scheme
from ..document import Document, Node, Operation, SpecError
from ..servers import first_url, is_absolute, is_relative, owner_of_servers, server_urls
from .paging import find_unusable_paging

_PLAIN_PATH = re.compile(r"/[^?#]*")


def find_unusable_server(document: Document) -> Iterator[SpecError]:
    """The first server is the client's default base URL, if it has a host."""
    url = first_url(document)
    if is_absolute(url) or is_relative(url):
        return
    yield document.error(
        "/servers/0/url",
        "the first server must be an http(s) URL without query and fragment, or a relative one:"
        " write another server first, and a default for each of its variables",
    )


def find_path_with_query(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The session appends the path to the base URL: it must not change host, query or fragment."""
    if not _PLAIN_PATH.fullmatch(operation.path):
        yield document.error(
            operation.path_item.pointer,
            "a path must begin with / and have no query or fragment",
        )


def find_operation_servers(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The client has one base URL and sends every operation there."""
    owner = owner_of_servers(operation)
    url = first_url(document)
    if owner is None or url in server_urls(owner):
        return
    yield document.error(
        f"{owner.pointer}/servers",
        f"these servers are others than the first one of the document, {url}: the client has one"
        " base URL. Leave the operation out, or write a spec for each server",
    )


def find_other_credentials(document: Document) -> Iterator[SpecError]:
    """The session sends a bearer token. One finding for each scheme names all its operations."""
    labels: dict[str, list[str]] = {}
    requirements: dict[str, Node] = {}
    for operation in document.operations():
        if can_be_called(document, operation):
            continue
        for name in dict.fromkeys(other_schemes(document, operation)):
            labels.setdefault(name, []).append(operation.label)
            requirements.setdefault(name, security_requirements(document, operation))
    for name, operations in labels.items():
        scheme = security_scheme(document, name)
        if scheme.value is None:
            yield document.error(
                requirements[name].pointer,
                f"there is no security scheme {name!r} in components/securitySchemes",
            )
            continue
        yield document.error(
            scheme.pointer,
            f"the client sends only bearer tokens, and {_operations(operations)} the scheme"
            f" {name!r}: leave them out. If the API takes the header `Authorization: Bearer TOKEN`"
            " there, describe it as an alternative of type http with scheme: bearer",
        )


def _operations(labels: list[str]) -> str:
    if len(labels) == 1:
        return f"{labels[0]} needs"
    return f"{len(labels)} operations, such as {labels[0]}, need"


def find_duplicate_parameters(document: Document, operation: Operation) -> Iterator[SpecError]:
    """One of two equal parameters would be lost. An operation may redefine one of its path."""
    for owner in (operation.node, operation.path_item):
        first_lines: dict[tuple[str, str], int] = {}
        for reference in owner.child("parameters").elements():
            parameter = document.resolve(reference)
            location = str(parameter.get("in"))
            name = str(parameter.get("name"))
            # RFC 9110, section 5.1: the names of headers ignore case.
            key = (location, name.lower() if location == "header" else name)
            if key in first_lines:
                yield document.error(
                    reference.pointer,
                    f"duplicate {location} parameter {name!r}, already in line"
                    f" {first_lines[key]}: remove one of them",
                )
                continue
            first_lines[key] = document.sources.source(reference.pointer).line


OPERATION_RULES = (
    find_path_with_query,
    find_operation_servers,
    find_duplicate_parameters,
    find_unusable_paging,
)
