"""Extracts operations from a published document, with the components that they reach.

The result is a document of its own, in which each part has the JSON pointer that it had. So errors
name the file and line of the published document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from generate.document import Document, Node, Operation, Schema, is_list, is_mapping
from generate.walk import all_references, is_data, keys_are_names
from specdrift.model.document import unescaped


def extract(document: Document, operations: Sequence[Operation]) -> Document:
    """Return a document with some operations of another one, and with what they reach."""
    root: Schema = {
        "openapi": document.root["openapi"],
        "info": deepcopy(document.root.get("info", {})),
        "servers": deepcopy(document.root.get("servers", [])),
        "paths": {},
        "components": {},
    }
    if "security" in document.root:
        root["security"] = deepcopy(document.root["security"])
    for operation in operations:
        methods: Schema = root["paths"].setdefault(operation.path, {})
        methods[operation.method] = _whole_operation(document, operation)
    schemes = document.top.child("components", "securitySchemes")
    if schemes.value is not None:
        root["components"]["securitySchemes"] = deepcopy(schemes.value)
    extracted = replace(document, root=root)
    _copy_reached_components(document, extracted)
    return extracted


def remove_extensions(document: Document) -> None:
    """Remove the vendor's extensions, in place. The spec has extensions of its own."""
    _remove_extensions(document.root, "")


def _whole_operation(document: Document, operation: Operation) -> Schema:
    """An operation with the parameters of its path, and without those that OpenAPI ignores."""
    node: Schema = deepcopy(operation.node.value)
    parameters: list[Any] = []
    ignored = {parameter.pointer for parameter in document.ignored_parameters(operation)}
    described = {parameter.pointer for parameter in document.parameters(operation)}
    for owner in (operation.path_item, operation.node):
        for reference in owner.child("parameters").elements():
            pointer = document.resolve(reference).pointer
            # A parameter of the path that the operation redefines is in neither of them.
            if pointer in described and pointer not in ignored:
                parameters.append(deepcopy(reference.value))
    node.pop("parameters", None)
    if parameters:
        node["parameters"] = parameters
    servers = operation.path_item.get("servers")
    if servers is not None:
        node.setdefault("servers", deepcopy(servers))
    return node


def reached_components(document: Document, node: Node) -> Iterator[str]:
    """The JSON pointers of the components that a node refers to, directly or not."""
    pending = [node]
    reached: set[str] = set()
    while pending:
        container = pending.pop(0)
        for pointer in _referenced_pointers(document, container):
            if pointer not in reached:
                reached.add(pointer)
                yield pointer
                pending.append(Node(_value_at(document, pointer), pointer))


def _referenced_pointers(document: Document, container: Node) -> Iterator[str]:
    for reference in all_references(container):
        yield str(reference.get("$ref")).removeprefix("#")
    for mapping in _discriminator_mappings(container):
        for target in mapping.mapping.values():
            pointer = str(target).removeprefix("#")
            if pointer.startswith("/components/"):
                yield pointer
            elif document.top.child("components", "schemas", pointer).value is not None:
                yield f"/components/schemas/{pointer}"


def _discriminator_mappings(node: Node) -> Iterator[Node]:
    if is_mapping(node.get("discriminator")) and not keys_are_names(node.pointer):
        yield node.child("discriminator", "mapping")
    for _, child in node.entries():
        yield from _discriminator_mappings(child)
    for child in node.elements():
        yield from _discriminator_mappings(child)


def _copy_reached_components(document: Document, extracted: Document) -> None:
    components: Schema = extracted.root["components"]
    for pointer in reached_components(document, Node(extracted.root["paths"], "/paths")):
        _, _, kind, name = pointer.split("/")
        components.setdefault(kind, {})[unescaped(name)] = deepcopy(_value_at(document, pointer))


def _value_at(document: Document, pointer: str) -> Any:
    # Not `at`: that follows the reference of a component that is nothing else.
    parent, _, name = pointer.rpartition("/")
    return document.at(parent).get(unescaped(name))


def _remove_extensions(value: Any, pointer: str) -> None:
    if is_list(value):
        for index, child in enumerate(value):
            _remove_extensions(child, f"{pointer}/{index}")
        return
    if not is_mapping(value):
        return
    has_names = keys_are_names(pointer)
    for key in list(value):
        if key.startswith("x-") and not has_names:
            del value[key]
        elif has_names or not is_data(key):
            _remove_extensions(value[key], f"{pointer}/{key}")
