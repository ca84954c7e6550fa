"""Compares the links of a response.

oasdiff has no check ids for links. Links describe operations that can follow a response; they are
not part of it (OpenAPI 3.1, "Link Object"). So no change of them breaks a client.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model.document import Node
from ..model.schema import canonical
from ..rules import Change
from .context import Context, Pointers

_KEYWORDS = ("operationId", "operationRef", "parameters", "requestBody", "server")
"""Everything but the description."""


def compare_links(
    base_response: Node, revised_response: Node, context: Context
) -> Iterator[Change]:
    """Yield the changes of the links of a response."""
    base = _links(base_response)
    revised = _links(revised_response)
    for name in base | revised:
        if name not in revised:
            pointers = Pointers.of_removed(base[name], revised_response.child("links"))
            yield context.change("response-link-removed", pointers, name=name)
        elif name not in base:
            pointers = Pointers.of_added(revised[name], base_response.child("links"))
            yield context.change("response-link-added", pointers, name=name)
        elif _meaning(base[name]) != _meaning(revised[name]):
            pointers = Pointers.to_both(base[name], revised[name])
            yield context.change("response-link-changed", pointers, name=name)


def _links(response: Node) -> dict[str, Node]:
    return {name: link.resolved() for name, link in response.members("links")}


def _meaning(link: Node) -> str:
    """What the link says, as canonical text."""
    return canonical({keyword: link.child(keyword).part().value for keyword in _KEYWORDS})
