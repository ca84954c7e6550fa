"""Marks the parts of adopted operations that the client treats specially (`x-role`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generate.document import Document, Node, Operation
from leadconnector_emulator.roles import (
    API_VERSION,
    LOCATION_NAME,
    MESSAGE_NAMES,
    RATE_LIMIT_KEY,
    ROLE_KEYWORD,
    VERSION_HEADER,
)

from .paging import paging_roles


@dataclass(frozen=True)
class SetRole:
    """A role that was set."""

    name: str
    """The name of the parameter or property."""
    role: str


def set_roles(document: Document) -> list[SetRole]:
    """Set the roles of the arguments and errors of all operations, in place."""
    roles: list[SetRole] = []
    for operation in document.operations():
        for name, node in _arguments(document, operation):
            role = _role_of_argument(name, node)
            if role is not None:
                roles += _set(node, name, role)
        for name, schema in _messages(document, operation):
            roles += _set(schema, name, "error-messages")
        roles += _set_paging_roles(document, operation)
    return list(dict.fromkeys(roles))


def _role_of_argument(name: str, node: Node) -> str | None:
    if name == LOCATION_NAME:
        return RATE_LIMIT_KEY
    if name == VERSION_HEADER and node.get("in") == "header":
        return API_VERSION
    return None


def _set(node: Node, name: str, role: str) -> list[SetRole]:
    """Set a role. A reference has no room for one: OpenAPI ignores what stands beside it."""
    if "$ref" in node.mapping or not node.mapping:
        return []
    node.mapping[ROLE_KEYWORD] = role
    return [SetRole(name, role)]


def _set_paging_roles(document: Document, operation: Operation) -> list[SetRole]:
    """Set the roles of pagination, unless another list gave one of the parts another role."""
    suggestions = paging_roles(document, operation)
    nodes = [document.at(suggestion.pointer) for suggestion in suggestions]
    roles = [str(suggestion.role) for suggestion in suggestions]
    if any(node.get("x-role", role) != role for node, role in zip(nodes, roles, strict=True)):
        return []
    set_roles: list[SetRole] = []
    for node, role in zip(nodes, roles, strict=True):
        node.mapping["x-role"] = role
        name = node.get("name") or node.pointer.rpartition("/")[2]
        set_roles.append(SetRole(str(name), role))
    return set_roles


def _arguments(document: Document, operation: Operation) -> Iterator[tuple[str, Node]]:
    """The parameters of an operation, and the properties of its body, by name."""
    for parameter in document.parameters(operation):
        yield str(parameter.get("name")), parameter
    body = document.resolve(operation.node.child("requestBody"))
    for _, media_type in body.child("content").entries():
        for name, child in document.properties(media_type.child("schema")).items():
            yield name, child.schema


def _messages(document: Document, operation: Operation) -> Iterator[tuple[str, Node]]:
    for status, reference in operation.node.child("responses").entries():
        if status.startswith("2"):
            continue
        response = document.resolve(reference)
        for _, media_type in response.child("content").entries():
            properties = document.properties(media_type.child("schema"))
            for name in MESSAGE_NAMES:
                if name in properties:
                    yield name, properties[name].schema
                    break
