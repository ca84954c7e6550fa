"""Finds which component of the spec a published one replaces: the one at the same place."""

from __future__ import annotations

from collections.abc import Iterator

from generate.document import Document, Node, Operation, is_list
from generate.walk import is_data, keys_are_names

from .spec_text import elements_by_key


def counterparts(
    published: Document, published_operation: Operation, spec: Document, operation: Operation
) -> dict[str, str]:
    """The components of the spec by those that an operation refers to in the same places.

    Both are JSON pointers. So a component keeps the name that it got in the spec.

    Args:
        published: the published document.
        published_operation: the operation in it.
        spec: the spec.
        operation: the same operation in the spec.
    """
    pairs: dict[str, str] = {}
    pending = [(published_operation.node, operation.node)]
    while pending:
        published_node, node = pending.pop(0)
        published_target = _target(published_node)
        target = _target(node)
        if published_target is None and target is None:
            pending += _children(published_node, node)
        elif published_target is not None and target is not None:
            is_new = published_target not in pairs and target not in pairs.values()
            if is_new and _kind(published_target) == _kind(target):
                pairs[published_target] = target
                pending.append((_at(published, published_target), _at(spec, target)))
    return pairs


def _target(node: Node) -> str | None:
    """The pointer of the component that a node refers to."""
    reference = node.get("$ref")
    if not isinstance(reference, str) or keys_are_names(node.pointer):
        return None
    return reference.removeprefix("#")


def _kind(pointer: str) -> str:
    return pointer.split("/")[2]


def _at(document: Document, pointer: str) -> Node:
    # Not `Document.at`: that follows the reference of a component that is nothing else.
    return document.top.child(*pointer.removeprefix("/").split("/"))


def _children(published: Node, node: Node) -> Iterator[tuple[Node, Node]]:
    has_names = keys_are_names(node.pointer)
    for key, child in published.entries():
        if key in node.mapping and (has_names or not is_data(key)):
            yield child, node.child(key)
    if is_list(published.value) and is_list(node.value):
        yield from _elements(published, node)


def _elements(published: Node, node: Node) -> Iterator[tuple[Node, Node]]:
    """The elements with the same name, or else at the same index."""
    published_keys = elements_by_key(published.sequence)
    keys = elements_by_key(node.sequence)
    if published_keys is None or keys is None:
        yield from zip(published.elements(), node.elements(), strict=False)
        return
    if len(published_keys) == len(keys) == 1:
        # The same branch, perhaps with a reference to a component of another name.
        yield from zip(published.elements(), node.elements(), strict=True)
        return
    nodes = dict(zip(keys, node.elements(), strict=True))
    for key, element in zip(published_keys, published.elements(), strict=True):
        if key in nodes:
            yield element, nodes[key]
