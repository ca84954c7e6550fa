"""Finds which parts of the spec published components replace: those at the same places.

A part can be a component in one of the documents, and be written inline in the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generate.document import Document, Node, Operation, Schema, is_list, is_mapping, json_pointer
from generate.walk import is_data, keys_are_names
from specdrift.model.document import unescaped

from .shapes import shape
from .spec_text import ElementKey, element_key


@dataclass(frozen=True)
class Counterparts:
    """The parts of the spec by the published components at the same places, as JSON pointers."""

    components: dict[str, str] = field(default_factory=dict[str, str])
    """Components of the spec. Each is the counterpart of one published component."""
    origins: dict[str, str] = field(default_factory=dict[str, str])
    """Components and inline parts of the spec. Their extensions go to the published component."""


def match_parts(
    published: Document,
    published_operations: Sequence[Operation],
    spec: Document,
    operations: Sequence[Operation],
) -> Counterparts:
    """Match the parts of published operations with those of the spec at the same places.

    What is inline in the published document and a component in the spec becomes a component of the
    published document, in place. So it keeps the name and the extensions of the spec's component.

    Args:
        published: the published document.
        published_operations: the operations in it.
        spec: the spec. It stays as it is.
        operations: the same operations in the spec.
    """
    matching = _Matching(published, spec)
    for published_operation, operation in zip(published_operations, operations, strict=True):
        matching.match(published_operation.node, operation.node)
    return matching.counterparts


class _Matching:
    def __init__(self, published: Document, spec: Document) -> None:
        self._published = published
        self._spec = spec
        self.counterparts = Counterparts()

    def match(self, published_node: Node, node: Node) -> None:
        """Match all that two nodes contain or refer to."""
        pending = [(published_node, node)]
        while pending:
            pending += self._next_pairs(*pending.pop(0))

    def _next_pairs(self, published_node: Node, node: Node) -> list[tuple[Node, Node]]:
        """Note what one pair of nodes says. Return the pairs below it."""
        target = _target(node)
        published_target = _target(published_node)
        if published_target is None and target is None:
            return list(self._children(published_node, node))
        branches = list(published_node.child("allOf").elements())
        if published_target is None and len(branches) == 1 and _target(branches[0]) is not None:
            # A reference with a description beside it: what it refers to is the counterpart.
            return [(branches[0], node)]
        if published_target is None and target is not None:
            published_target = self._move_into_component(published_node, target)
        if published_target is None:
            return []
        if not self._is_new_match(published_target, target, node):
            return []
        return [
            (
                _at(self._published, published_target),
                node if target is None else _at(self._spec, target),
            )
        ]

    def _is_new_match(self, published_target: str, target: str | None, node: Node) -> bool:
        """Note a published component and what the spec has in its place, unless it is known."""
        components = self.counterparts.components
        origins = self.counterparts.origins
        if target is not None and _kind(published_target) != _kind(target):
            return False
        is_unmatched = published_target not in components and target not in components.values()
        if target is not None and is_unmatched:
            components[published_target] = target
            origins[published_target] = target
            return True
        if published_target in origins:
            return False
        origins[published_target] = node.pointer if target is None else target
        return True

    def _move_into_component(self, node: Node, target: str) -> str | None:
        """Move an inline part into a component, in place, and return the component's pointer.

        None for a part that cannot be one.

        Args:
            node: the published part.
            target: the component of the spec at the same place.
        """
        if not node.mapping or node.get("name") == "Version":
            # The spec's parameters for versions are chosen by their values.
            return None
        if node.pointer.startswith("/components/") and len(pointer_tokens(node.pointer)) == 3:
            # It is one already, and the one of the spec is nothing but a reference.
            return None
        pointer = self._equal_component(node, target)
        if pointer is None:
            pointer = self._new_component(node, target)
        node.mapping.clear()
        node.mapping["$ref"] = f"#{pointer}"
        return pointer

    def _equal_component(self, node: Node, target: str) -> str | None:
        """A published component with the same counterpart and data, such as at another place."""
        for pointer, origin in self.counterparts.origins.items():
            if origin == target:
                component = _at(self._published, pointer)
                if shape(self._published, component) == shape(self._published, node):
                    return pointer
        return None

    def _new_component(self, node: Node, target: str) -> str:
        _, kind, name = pointer_tokens(target)
        components: Schema = self._published.root.setdefault("components", {}).setdefault(kind, {})
        free_name = name
        number = 2
        while free_name in components:
            free_name = f"{name}{number}"
            number += 1
        components[free_name] = dict(node.mapping)
        return json_pointer("components", kind, free_name)

    def _children(self, published: Node, node: Node) -> Iterator[tuple[Node, Node]]:
        has_names = keys_are_names(published.pointer)
        for key, child in published.entries():
            if key in node.mapping and (has_names or not is_data(key)):
                yield child, node.child(key)
        if is_list(published.value) and is_list(node.value):
            yield from self._elements(published, node)

    def _elements(self, published: Node, node: Node) -> Iterator[tuple[Node, Node]]:
        """The elements with the same name, or else at the same index."""
        published_elements = _elements_by_key(self._published, published)
        elements = _elements_by_key(self._spec, node)
        if published_elements is None or elements is None:
            yield from zip(published.elements(), node.elements(), strict=False)
            return
        if len(published_elements) == len(elements) == 1:
            # The same branch, perhaps with a reference to a component of another name.
            yield from zip(published.elements(), node.elements(), strict=True)
            return
        for key, element in published_elements.items():
            if key in elements:
                yield element, elements[key]


def _elements_by_key(document: Document, node: Node) -> dict[ElementKey, Node] | None:
    """The elements of a list by what identifies them. A parameter has its name in the target."""
    elements: dict[ElementKey, Node] = {}
    for element in node.elements():
        key = element_key(element.value)
        if _target(element) is not None:
            value = document.resolve(element).value
            if is_mapping(value) and "in" in value:
                key = element_key(value)
        if key is None or key in elements:
            return None
        elements[key] = element
    return elements


def _target(node: Node) -> str | None:
    """The pointer of the component that a node refers to."""
    reference = node.get("$ref")
    if not isinstance(reference, str) or keys_are_names(node.pointer):
        return None
    return reference.removeprefix("#")


def _kind(pointer: str) -> str:
    return pointer_tokens(pointer)[1]


def _at(document: Document, pointer: str) -> Node:
    # Not `Document.at`: that follows the reference of a component that is nothing else.
    return document.top.child(*pointer_tokens(pointer))


def pointer_tokens(pointer: str) -> list[str]:
    """The names and indexes in a JSON pointer."""
    return [unescaped(token) for token in pointer.removeprefix("/").split("/")]
