"""Revises operations that the spec already has, with the components that only they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from generate.document import Document, Node, Operation, Schema
from specdrift.model.document import unescaped

from .conversion import Conversion, Replaced, convert
from .counterparts import counterparts
from .extract import extract, reached_components
from .merging import merged
from .spec_text import is_same

_SHOWN_USERS = 3


@dataclass(frozen=True)
class Revision:
    """What the spec is with the operations as they are published now."""

    root: Schema
    conversion: Conversion
    removed_components: Sequence[str]
    """The components that nothing uses any more."""
    conflicts: Sequence[str]
    """Why the spec cannot be revised so."""


def revise(spec: Document, extracted: Document, operations: Sequence[Operation]) -> Revision:
    """Revise some operations of the spec.

    Args:
        spec: the spec. It stays as it is.
        extracted: a document with the published operations and all that they reach.
        operations: the published operations. The spec has each of them.
    """
    existing = [spec_operation(spec, operation.label) for operation in operations]
    reached = _reached(spec, [operation.node for operation in existing])
    remaining_root = deepcopy(spec.root)
    for operation in existing:
        _delete(remaining_root, operation.pointer)
    remaining = replace(spec, root=remaining_root)
    used_elsewhere = _reached(remaining, _other_users(remaining, reached))
    shared = [pointer for pointer in reached if pointer in used_elsewhere]
    exclusive = [pointer for pointer in reached if pointer not in used_elsewhere]
    for pointer in exclusive:
        _delete(remaining_root, pointer)
    replaced = Replaced(
        operations={operation.label: operation.node.value for operation in existing},
        components=exclusive,
        shared_components=shared,
        counterparts=_counterparts(spec, existing, extracted, operations),
    )
    conversion = convert(extract(extracted, operations), remaining, replaced)
    root = deepcopy(spec.root)
    removed = _replace_components(root, exclusive, conversion.additions)
    _replace_operations(root, spec, existing, conversion.additions)
    conflicts = [
        _conflict(spec, pointer, existing) for pointer in conversion.conflicting_components
    ]
    return Revision(root, conversion, removed, conflicts)


def spec_operation(spec: Document, label: str) -> Operation:
    """The operation of a method and path."""
    return next(operation for operation in spec.operations() if operation.label == label)


def extract_operation(spec: Document, label: str) -> Document:
    """A document with one operation of a spec, and with what it reaches."""
    return extract(spec, [spec_operation(spec, label)])


def _counterparts(
    spec: Document,
    existing: Sequence[Operation],
    extracted: Document,
    operations: Sequence[Operation],
) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for operation, published in zip(existing, operations, strict=True):
        found = counterparts(extracted, published, spec, operation)
        for published_pointer, pointer in found.items():
            if pointer not in pairs.values():
                pairs.setdefault(published_pointer, pointer)
    return pairs


def _reached(document: Document, nodes: Sequence[Node]) -> list[str]:
    pointers: dict[str, None] = {}
    for node in nodes:
        pointers.update(dict.fromkeys(reached_components(document, node)))
    return list(pointers)


def _other_users(remaining: Document, reached: Sequence[str]) -> list[Node]:
    """All parts of the spec that can refer to components, but for the operations to revise."""
    users = [remaining.top.child("paths"), remaining.top.child("webhooks")]
    for kind, container in remaining.top.child("components").entries():
        if kind != "securitySchemes":
            users += [node for _, node in container.entries() if node.pointer not in reached]
    return users


def _replace_components(root: Schema, exclusive: Sequence[str], additions: Schema) -> list[str]:
    """Replace, add and remove components, in place. Return the names of the removed ones."""
    removed: list[str] = []
    components: Schema = root.setdefault("components", {})
    new_components: Schema = additions.get("components", {})
    for pointer in exclusive:
        kind, name = _tokens(pointer)[1:3]
        if name in new_components.get(kind, {}):
            value = merged(components[kind][name], new_components[kind][name], pointer)
            components[kind][name] = value
        else:
            removed.append(name)
            del components[kind][name]
    for kind, members in new_components.items():
        for name, value in members.items():
            components.setdefault(kind, {}).setdefault(name, value)
    for kind in [kind for kind, members in components.items() if not members]:
        del components[kind]
    return removed


def _replace_operations(
    root: Schema, spec: Document, operations: Sequence[Operation], additions: Schema
) -> None:
    for operation in operations:
        published: Schema = additions["paths"][operation.path][operation.method]
        _remove_shared_parameters(spec, operation, published)
        container = _container(root, operation.pointer)
        container[operation.method] = merged(operation.node.value, published, operation.pointer)


def _remove_shared_parameters(spec: Document, operation: Operation, published: Schema) -> None:
    """Remove the parameters that the path of the spec has for all of its operations."""
    shared = list(operation.path_item.child("parameters").elements())
    shared_values = [node.value for node in shared]
    remaining = [
        parameter
        for parameter in published.get("parameters", [])
        if not any(is_same(parameter, value) for value in shared_values)
    ]
    if remaining:
        published["parameters"] = remaining
    else:
        published.pop("parameters", None)


def _conflict(spec: Document, pointer: str, operations: Sequence[Operation]) -> str:
    """Why a component cannot be revised: others use it."""
    labels = {operation.label for operation in operations}
    users = list(_users(spec, pointer, labels))
    shown = ", ".join(users[:_SHOWN_USERS])
    if len(users) > _SHOWN_USERS:
        shown += f" and {len(users) - _SHOWN_USERS} more"
    name = _tokens(pointer)[-1]
    return (
        f"{spec.sources.source(pointer)}: the published {name} differs, and it is also used by"
        f" {shown}: name these in OPERATION too, or edit {name} by hand"
    )


def _users(spec: Document, pointer: str, labels: set[str]) -> Iterator[str]:
    for operation in spec.operations():
        if operation.label not in labels and pointer in reached_components(spec, operation.node):
            yield operation.label
    for name, webhook in spec.top.child("webhooks").entries():
        if pointer in reached_components(spec, webhook):
            yield f"the webhook {name}"


def _tokens(pointer: str) -> list[str]:
    return [unescaped(token) for token in pointer.removeprefix("/").split("/")]


def _container(root: Schema, pointer: str) -> dict[str, Any]:
    container: dict[str, Any] = root
    for token in _tokens(pointer)[:-1]:
        container = container[token]
    return container


def _delete(root: Schema, pointer: str) -> None:
    del _container(root, pointer)[_tokens(pointer)[-1]]
