"""Plans an adoption: what to add to the spec, and what a person should review. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from generate.document import Document, Operation, Schema, is_list, is_mapping
from specdrift import Change, compare
from specdrift.model.document import unescaped

from .checking import check_extracted
from .conversion import Conversion, convert
from .extract import extract, remove_extensions
from .overlay import Repair
from .roles import SetRole, set_roles
from .selection import PublishedOperation


@dataclass
class Adoption:
    """The result of planning."""

    additions: Schema = field(default_factory=dict[str, Any])
    """What to add to the spec, nested as in the spec."""
    conversions: list[Conversion] = field(default_factory=list[Conversion])
    """One for each published document."""
    repairs: list[Repair] = field(default_factory=list[Repair])
    """The repairs of the overlay that concern the operations."""
    roles: list[SetRole] = field(default_factory=list[SetRole])
    unchanged: list[str] = field(default_factory=list[str])
    """The operations that the spec already describes in the same way."""
    changes: list[Change] = field(default_factory=list[Change])
    """How the published operations differ from those that the spec already has."""


def plan(operations: Sequence[PublishedOperation], spec: Document, config: Path) -> Adoption:
    """Plan the adoption of some operations.

    Args:
        operations: the operations, from one or several published documents.
        spec: the spec. It stays as it is.
        config: the generator's configuration.

    Raises:
        AdoptionError: an operation cannot be right.
    """
    adoption = Adoption()
    # Each document sees what the earlier ones added.
    current_spec = replace(spec, root=deepcopy(spec.root))
    for group in _by_document(operations):
        document = group[0].published.document
        extracted = extract(document, [item.operation for item in group])
        remove_extensions(extracted)
        adoption.roles += set_roles(extracted)
        check_extracted(extracted, config)
        adoption.repairs += _repairs_of(extracted, group[0].published.repairs)
        new, existing = _split(extracted, spec)
        for operation in existing:
            _compare_existing(operation, extracted, spec, adoption)
        if new:
            conversion = convert(extract(extracted, new), current_spec)
            adoption.conversions.append(conversion)
            merge(current_spec.root, conversion.additions)
            merge(adoption.additions, conversion.additions)
    return adoption


def merge(target: Schema, additions: Mapping[str, Any]) -> None:
    """Add the members of nested mappings and lists, in place."""
    for key, value in additions.items():
        existing = target.get(key)
        if is_mapping(existing) and is_mapping(value):
            merge(existing, value)
        elif is_list(existing) and is_list(value):
            existing += value
        else:
            target[key] = deepcopy(value)


def _by_document(operations: Sequence[PublishedOperation]) -> Iterator[list[PublishedOperation]]:
    groups: dict[int, list[PublishedOperation]] = {}
    for item in operations:
        groups.setdefault(id(item.published), []).append(item)
    yield from groups.values()


def _repairs_of(extracted: Document, repairs: Sequence[Repair]) -> Iterator[Repair]:
    """The repairs of what was extracted: operations are some of those of the document."""
    for repair in repairs:
        owners = (pointer.split("/")[1:4] for pointer in repair.pointers)
        names = ([unescaped(token) for token in tokens] for tokens in owners)
        if any(extracted.top.child(*tokens).value is not None for tokens in names):
            yield repair


def _split(extracted: Document, spec: Document) -> tuple[list[Operation], list[Operation]]:
    """The operations that the spec does not have, and those that it has."""
    labels = {operation.label for operation in spec.operations()}
    new: list[Operation] = []
    existing: list[Operation] = []
    for operation in extracted.operations():
        if operation.label in labels:
            existing.append(operation)
        else:
            new.append(operation)
    return new, existing


def _compare_existing(
    operation: Operation, extracted: Document, spec: Document, adoption: Adoption
) -> None:
    """Compare an operation of the spec with what its adoption would be now."""
    spec_operation = next(item for item in spec.operations() if item.label == operation.label)
    base = extract(spec, [spec_operation])
    # As if the spec did not have it, so that components are named and shared in the same way.
    remaining_spec = replace(spec, root=deepcopy(spec.root))
    del remaining_spec.root["paths"][operation.path][operation.method]
    conversion = convert(extract(extracted, [operation]), remaining_spec)
    merge(remaining_spec.root, conversion.additions)
    revised_operation = next(
        item for item in remaining_spec.operations() if item.label == operation.label
    )
    revision = extract(remaining_spec, [revised_operation])
    changes = list(compare(base.root, revision.root))
    if changes:
        adoption.changes += changes
    else:
        adoption.unchanged.append(operation.label)
