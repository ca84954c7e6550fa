"""Decides whether two schemas describe the same data, in order to reuse components of the spec."""

from __future__ import annotations

from typing import Any

from generate.document import Document, Node, is_list, is_mapping
from generate.unsupported.keywords import ANNOTATION_KEYWORDS
from generate.walk import keys_are_names


def shape(document: Document, node: Node) -> Any:
    """The value of a component without descriptions, examples and extensions.

    References are replaced by the shapes of their targets, up to the first one that repeats.
    """
    return _shape(document, node, ())


def _shape(document: Document, node: Node, ancestors: tuple[str, ...]) -> Any:
    if "$ref" in node.mapping and not keys_are_names(node.pointer):
        target = document.resolve(node)
        if target.pointer in ancestors:
            # How many levels up: independent of the names of the components.
            return {"$ref": len(ancestors) - ancestors.index(target.pointer)}
        return _shape(document, target, (*ancestors, target.pointer))
    if is_list(node.value):
        return [_shape(document, child, ancestors) for child in node.elements()]
    if not is_mapping(node.value):
        return node.value
    has_names = keys_are_names(node.pointer)
    return {
        key: _shape(document, child, ancestors)
        for key, child in node.entries()
        if has_names or not _says_nothing_about_data(key)
    }


def _says_nothing_about_data(keyword: str) -> bool:
    # `format` and `default` decide types and documentation of the client.
    if keyword in ("format", "default", "readOnly", "writeOnly", "deprecated", "discriminator"):
        return False
    return keyword in ANNOTATION_KEYWORDS or keyword.startswith("x-")
