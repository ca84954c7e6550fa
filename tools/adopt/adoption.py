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
from .spec_text import is_same
from .upgrade import extract_operation, revise


@dataclass(frozen=True)
class Comparison:
    """How the published version of an operation differs from that in the spec."""

    label: str
    changes: Sequence[Change]
    """What specdrift finds."""
    is_equal: bool
    """Whether the texts that specdrift does not compare are equal too."""
    is_upgraded: bool


@dataclass
class Adoption:
    """The result of planning."""

    root: Schema
    """The spec with the adopted operations."""
    conversions: list[Conversion] = field(default_factory=list[Conversion])
    """One for each published document."""
    repairs: list[Repair] = field(default_factory=list[Repair])
    """The repairs of the overlay that concern the operations."""
    roles: list[SetRole] = field(default_factory=list[SetRole])
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    """One for each operation that the spec already had."""
    removed_components: list[str] = field(default_factory=list[str])
    separations: list[str] = field(default_factory=list[str])
    """Why new components were added beside components that others use."""

    @property
    def has_unadopted_changes(self) -> bool:
        """Whether specdrift finds a difference to an operation that stays as it is."""
        return any(item.changes and not item.is_upgraded for item in self.comparisons)


def plan(
    operations: Sequence[PublishedOperation],
    spec: Document,
    config: Path,
    *,
    upgrade: bool = False,
) -> Adoption:
    """Plan the adoption of some operations.

    Args:
        operations: the operations, from one or several published documents.
        spec: the spec. It stays as it is.
        config: the generator's configuration.
        upgrade: whether to replace the operations that the spec has. Else they are compared.

    Raises:
        AdoptionError: an operation cannot be right, or be replaced.
    """
    adoption = Adoption(root=deepcopy(spec.root))
    for group in _by_document(operations):
        document = group[0].published.document
        extracted = extract(document, [item.operation for item in group])
        remove_extensions(extracted)
        adoption.roles += set_roles(extracted)
        check_extracted(extracted, config)
        adoption.repairs += _repairs_of(extracted, group[0].published.repairs)
        # Each document sees what the earlier ones changed.
        current_spec = replace(spec, root=adoption.root)
        new, existing = _split(extracted, current_spec)
        if existing:
            _revise(existing, extracted, current_spec, adoption, config, upgrade=upgrade)
            current_spec = replace(spec, root=adoption.root)
        if new:
            conversion = convert(extract(extracted, new), current_spec)
            adoption.conversions.append(conversion)
            merge(adoption.root, conversion.additions)
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


def _revise(
    operations: Sequence[Operation],
    extracted: Document,
    spec: Document,
    adoption: Adoption,
    config: Path,
    *,
    upgrade: bool,
) -> None:
    """Compare operations of the spec with the published ones, and replace them for an upgrade."""
    revision = revise(spec, extracted, operations)
    revised_spec = replace(spec, root=revision.root)
    for label in (operation.label for operation in operations):
        base = extract_operation(spec, label)
        revised = extract_operation(revised_spec, label)
        is_equal = is_same(base.root, revised.root)
        changes = list(compare(base.root, revised.root))
        adoption.comparisons.append(
            Comparison(label, changes, is_equal, is_upgraded=upgrade and not is_equal)
        )
    if not upgrade or is_same(spec.root, revision.root):
        return
    labels = {operation.label for operation in operations}
    revised_operations = [item for item in revised_spec.operations() if item.label in labels]
    check_extracted(extract(revised_spec, revised_operations), config)
    adoption.root = revision.root
    adoption.conversions.append(revision.conversion)
    adoption.removed_components += revision.removed_components
    adoption.separations += revision.separations
