"""Revises operations that the spec already has, with the components that only they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from generate.document import Document, Node, Operation, Schema, is_list
from generate.walk import keys_are_names

from .conversion import Conversion, Predecessors, convert
from .counterparts import match_parts, pointer_tokens
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
    separations: Sequence[str]
    """For each new component that differs from one that others use too: why there are two."""


def revise(spec: Document, extracted: Document, operations: Sequence[Operation]) -> Revision:
    """Revise some operations of the spec.

    Args:
        spec: the spec. It stays as it is.
        extracted: a document with the published operations and all that they reach. It stays as it
            is.
        operations: the published operations. The spec has each of them.
    """
    existing = [operation_of(spec, operation.label) for operation in operations]
    # Matching moves inline parts into components. The document is needed without that afterwards.
    published = replace(extracted, root=deepcopy(extracted.root))
    published_operations = [operation_of(published, operation.label) for operation in operations]
    counterparts = match_parts(published, published_operations, spec, existing)
    published = extract(published, published_operations)
    exclusive = _exclusive_components(spec, existing)
    predecessors = Predecessors(
        operations={operation.label: operation.node.value for operation in existing},
        components=exclusive,
        counterparts=counterparts.components,
        marked=_marked_components(published, spec, counterparts.origins),
    )
    # What is replaced must not count as a part of the spec to share, nor take a name.
    other_parts = _without(spec, [*(operation.pointer for operation in existing), *exclusive])
    conversion = convert(published, other_parts, predecessors)
    _keep_marks(spec, exclusive, counterparts.origins, conversion)
    root = deepcopy(spec.root)
    removed = _replace_components(root, exclusive, conversion.additions)
    _replace_operations(root, spec, existing, conversion.additions)
    separations = list(_separations(spec, existing, exclusive, counterparts.origins, conversion))
    return Revision(root, conversion, removed, separations)


def operation_of(document: Document, label: str) -> Operation:
    """The operation of a method and path."""
    return next(operation for operation in document.operations() if operation.label == label)


def extract_operation(spec: Document, label: str) -> Document:
    """A document with one operation of a spec, and with what it reaches."""
    return extract(spec, [operation_of(spec, label)])


def _exclusive_components(spec: Document, operations: Sequence[Operation]) -> list[str]:
    """The components that only these operations use, directly or not."""
    reached = _reached(spec, [operation.node for operation in operations])
    others = _without(spec, [operation.pointer for operation in operations])
    used_by_others = set(_reached(others, _other_users(others, reached)))
    return [pointer for pointer in reached if pointer not in used_by_others]


def _reached(document: Document, nodes: Sequence[Node]) -> list[str]:
    pointers: dict[str, None] = {}
    for node in nodes:
        pointers.update(dict.fromkeys(reached_components(document, node)))
    return list(pointers)


def _other_users(others: Document, reached: Sequence[str]) -> list[Node]:
    """The parts of the spec that use components independently of the operations to revise.

    These are other operations, webhooks, and components that the operations do not reach. A
    reached component is no user of its own: it only counts if one of these parts reaches it too.
    Otherwise two components that refer to each other would never be exclusive.

    Args:
        others: the spec without the operations to revise.
        reached: the components that these operations reach.
    """
    users = [others.top.child("paths"), others.top.child("webhooks")]
    for kind, container in others.top.child("components").entries():
        if kind != "securitySchemes":
            users += [node for _, node in container.entries() if node.pointer not in reached]
    return users


def _without(document: Document, pointers: Sequence[str]) -> Document:
    """A copy of a document without some parts."""
    root = deepcopy(document.root)
    for pointer in pointers:
        *_, name = pointer_tokens(pointer)
        del _container(root, pointer)[name]
    return replace(document, root=root)


def _marked_components(
    published: Document, spec: Document, origins: Mapping[str, str]
) -> frozenset[str]:
    """The published components that take over extensions of an inline part of the spec.

    They cannot be shared: the shared component would lack the extensions.
    """
    marked: set[str] = set()
    for published_pointer, origin in origins.items():
        if origin.startswith("/components/") and len(pointer_tokens(origin)) == 3:
            continue
        extensions = set(_extensions(_part(spec, origin), ""))
        component = _part(published, published_pointer)
        if extensions - set(_extensions(component, "")):
            marked.add(published_pointer)
    return frozenset(marked)


def _extensions(node: Node, path: str) -> Iterator[tuple[str, str]]:
    """The path and value of each extension in a part, without what it refers to."""
    has_names = keys_are_names(node.pointer)
    for key, child in node.entries():
        if key.startswith("x-") and not has_names:
            yield f"{path}/{key}", repr(child.value)
        else:
            yield from _extensions(child, f"{path}/{key}")
    for child in node.elements():
        yield from _extensions(child, f"{path}/0")


def _keep_marks(
    spec: Document, exclusive: Sequence[str], origins: Mapping[str, str], conversion: Conversion
) -> None:
    """Give new components the extensions of what the spec has in their places, in place."""
    for published_pointer, pointer in conversion.pointers.items():
        origin = origins.get(published_pointer)
        if origin is None or pointer in exclusive or not _is_new(pointer, conversion):
            continue
        _, kind, name = pointer_tokens(pointer)
        components: Schema = conversion.additions["components"][kind]
        components[name] = merged(_part(spec, origin).value, components[name], origin)


def _is_new(pointer: str, conversion: Conversion) -> bool:
    _, kind, name = pointer_tokens(pointer)
    return name in conversion.additions.get("components", {}).get(kind, {})


def _replace_components(root: Schema, exclusive: Sequence[str], additions: Schema) -> list[str]:
    """Replace, add and remove components, in place. Return the names of the removed ones."""
    removed: list[str] = []
    components: Schema = root.setdefault("components", {})
    new_components: Schema = additions.get("components", {})
    for pointer in exclusive:
        kind, name = pointer_tokens(pointer)[1:3]
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
        _remove_parameters_of_path(operation, published)
        container = _container(root, operation.pointer)
        container[operation.method] = merged(operation.node.value, published, operation.pointer)


def _remove_parameters_of_path(operation: Operation, published: Schema) -> None:
    """Remove the parameters that the path of the spec has for all of its operations."""
    path_parameters = operation.path_item.child("parameters").sequence
    parameters = [
        parameter
        for parameter in published.get("parameters", [])
        if not any(is_same(parameter, path_parameter) for path_parameter in path_parameters)
    ]
    if parameters:
        published["parameters"] = parameters
    else:
        published.pop("parameters", None)


def _separations(
    spec: Document,
    operations: Sequence[Operation],
    exclusive: Sequence[str],
    origins: Mapping[str, str],
    conversion: Conversion,
) -> Iterator[str]:
    """Why new components were added beside components that others use."""
    labels = {operation.label for operation in operations}
    for published_pointer, pointer in conversion.pointers.items():
        shared = origins.get(published_pointer)
        if shared is None or shared == pointer or shared in exclusive:
            continue
        if len(pointer_tokens(shared)) != 3 or not _is_new(pointer, conversion):
            continue
        users = list(_users(spec, shared, labels))
        shown = ", ".join(users[:_SHOWN_USERS])
        if len(users) > _SHOWN_USERS:
            shown += f" and {len(users) - _SHOWN_USERS} more"
        name = pointer_tokens(pointer)[-1]
        shared_name = pointer_tokens(shared)[-1]
        yield (
            f"{name} is published here in place of {shared_name} ({spec.sources.source(shared)}),"
            f" which stays for {shown}"
        )


def _users(spec: Document, pointer: str, labels: set[str]) -> Iterator[str]:
    """The other operations and webhooks that use a component."""
    for operation in spec.operations():
        if operation.label not in labels and pointer in reached_components(spec, operation.node):
            yield operation.label
    for name, webhook in spec.top.child("webhooks").entries():
        if pointer in reached_components(spec, webhook):
            yield f"the webhook {name}"


def _part(document: Document, pointer: str) -> Node:
    """The part at a pointer, which can lead through lists."""
    value: Any = document.root
    for token in pointer_tokens(pointer):
        value = value[int(token)] if is_list(value) else value[token]
    return Node(value, pointer)


def _container(root: Schema, pointer: str) -> dict[str, Any]:
    container: dict[str, Any] = root
    for token in pointer_tokens(pointer)[:-1]:
        container = container[token]
    return container
