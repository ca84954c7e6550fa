"""Decides which server of a spec is the default base URL of the client."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .document import Document, Node, Operation

_ABSOLUTE_URL = re.compile(r"https?://[^{}\s?#]+", re.IGNORECASE)
_RELATIVE_URL = re.compile(r"[^{}\s?#:]*")


def server_urls(owner: Node) -> list[object]:
    """The URLs of the servers of a document, a path item or an operation. They can be invalid."""
    return [server.get("url") for server in owner.child("servers").elements()]


def first_url(document: Document) -> object:
    """The URL of the first server. Without servers it is `/` (OpenAPI 3.1, "OpenAPI Object")."""
    urls = server_urls(document.top)
    return urls[0] if urls else "/"


def is_absolute(url: object) -> bool:
    """Whether a URL says on which host the API is, and has only parts that a base URL can have."""
    return isinstance(url, str) and _ABSOLUTE_URL.fullmatch(url) is not None


def is_relative(url: object) -> bool:
    """Whether a URL is relative to the place of the spec, which the client does not know."""
    return isinstance(url, str) and _RELATIVE_URL.fullmatch(url) is not None


def default_base_url(document: Document) -> str | None:
    """The default base URL of the client; `None` if the spec names no host."""
    url = first_url(document)
    if isinstance(url, str) and is_absolute(url):
        return url
    return None


def owner_of_servers(operation: Operation) -> Node | None:
    """What has the servers of an operation: itself or its path item; `None`: the document."""
    for owner in (operation.node, operation.path_item):
        if server_urls(owner):
            return owner
    return None


def all_servers(document: Document) -> Iterator[Node]:
    """The servers of the document, of its path items and of its operations."""
    yield from document.top.child("servers").elements()
    for operation in document.operations():
        owner = owner_of_servers(operation)
        if owner is not None:
            yield from owner.child("servers").elements()
