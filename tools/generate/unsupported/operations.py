"""Rules for the server and the operations."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def find_other_credentials(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The session sends a bearer token. OAuth 2 tokens are bearer tokens too (RFC 6750)."""
    requirements = security_requirements(document, operation)
    alternatives = list(requirements.elements())
    if requirements.value is None or any(
        _is_met_by_token(document, alternative) for alternative in alternatives
    ):
        return
    names = {name for alternative in alternatives for name in alternative.mapping}
    if not names:
        yield document.error(
            requirements.pointer,
            f"{operation.label} takes no token, but the client would send one:"
            " leave the operation out",
        )
    for name in sorted(names):
        scheme = _security_scheme(document, name)
        if not is_bearer(scheme):
            yield document.error(
                requirements.pointer,
                f"the client sends only bearer tokens; {name!r} is a different scheme"
                f" ({scheme.pointer})",
            )


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
    find_other_credentials,
    find_duplicate_parameters,
    find_unusable_paging,
)


def security_requirements(document: Document, operation: Operation) -> Node:
    """The list of alternatives. An operation without its own list has that of the document."""
    requirements = operation.node.child("security")
    if requirements.value is not None:
        return requirements
    return document.top.child("security")


def _is_met_by_token(document: Document, alternative: Node) -> bool:
    """Whether a bearer token is all that an alternative requires."""
    schemes = [_security_scheme(document, name) for name in alternative.mapping]
    return bool(schemes) and all(is_bearer(scheme) for scheme in schemes)


def _security_scheme(document: Document, name: str) -> Node:
    return document.resolve(document.top.child("components", "securitySchemes", name))


def is_bearer(scheme: Node) -> bool:
    """Whether a security scheme is met by a bearer token."""
    scheme_type = scheme.get("type")
    if scheme_type == "oauth2":
        return True
    # RFC 9110, section 11.1: the names of HTTP authentication schemes ignore case.
    http_scheme = str(scheme.get("scheme")).lower()
    return scheme_type == "http" and http_scheme == "bearer"
