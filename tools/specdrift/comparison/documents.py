"""Compares two OpenAPI documents: their paths, their operations and their security."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..model.document import Document, Files, Node, TooComplexError
from ..rules import Change
from .callbacks import compare_webhooks
from .context import Context, Pointers
from .lifecycle import LifecyclePolicy, removal_rule_id, sunset_of
from .long_integers import reject_long_integers
from .operation import Operation, operations_of
from .operations import OperationComparison
from .security import compare_schemes, compare_security, effective_security, security_of
from .selection import Selection, Selections
from .servers import compare_document_servers

_Paths: TypeAlias = dict[str, dict[str, Operation]]
"""Operations by method, by the key of their path."""

_Operations: TypeAlias = dict[tuple[str, str], Node]
"""The nodes of operations by path and method."""


def compare(
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    *,
    base_files: Files | None = None,
    revision_files: Files | None = None,
    within_base: bool = False,
    today: datetime.date | None = None,
) -> list[Change]:
    """Compare two OpenAPI documents, and return the changes in the order of the documents.

    The documents do not have to be valid: invalid elements are ignored. A reference without a
    target equals another one with the same text.

    Args:
        base: The older document, loaded.
        revision: The newer document, loaded.
        base_files: Other loaded files that the base refers to, by their path relative to the base.
        revision_files: Other loaded files that the revision refers to, by their relative path.
        within_base: Whether to ignore operations that the base does not have.
        today: The current date, which decides whether a sunset has passed. Without it, a removal
            after a deprecation is never too early.

    Raises:
        TooComplexError: The comparison takes too many steps, a value is nested too deeply, or an
            integer has more digits than Python writes as text.
    """
    base_document = Document(base, base_files)
    revised_document = Document(revision, revision_files)
    try:
        return compare_documents(
            base_document,
            revised_document,
            within_base=within_base,
            lifecycle=LifecyclePolicy(today),
        )
    except ValueError:
        # The loader rejects such an integer, but the caller's documents did not pass through it.
        reject_long_integers(base, base_files or {})
        reject_long_integers(revision, revision_files or {})
        raise


def compare_documents(
    base: Document,
    revised: Document,
    *,
    within_base: bool = False,
    selections: Selections | None = None,
    lifecycle: LifecyclePolicy | None = None,
) -> list[Change]:
    """Compare like `compare`, but documents that the caller also uses for other questions.

    Args:
        base: The older document.
        revised: The newer document.
        within_base: As in `compare`.
        selections: The paths to compare; by default all.
        lifecycle: What deprecations have to satisfy; by default nothing.
    """
    comparison = _DocumentComparison(
        base,
        revised,
        within_base,
        selections or Selections(),
        lifecycle or LifecyclePolicy(),
    )
    try:
        return list(comparison.changes())
    except RecursionError as error:
        # Schemas are compared without recursion, so this is a list or mapping in place of a text.
        raise TooComplexError(
            "a value of the documents is nested too deeply to be compared:"
            " flatten it, or take it out"
        ) from error


@dataclass(frozen=True)
class _ComparedOperations:
    """The operations of both documents, reduced to those that are compared."""

    base: _Operations
    revised: _Operations


class _DocumentComparison:
    """The comparison of two documents."""

    def __init__(
        self,
        base: Document,
        revised: Document,
        within_base: bool,
        selections: Selections,
        lifecycle: LifecyclePolicy,
    ) -> None:
        self._base = base
        self._revised = revised
        self._within_base = within_base
        self._selections = selections
        self._today = lifecycle.today
        self._operations = OperationComparison(lifecycle)

    def changes(self) -> Iterator[Change]:
        """Yield all changes: first those of the document, then those of each path."""
        base_paths = _paths(self._base, self._selections.base)
        revised_paths = _paths(self._revised, self._selections.revised)
        yield from compare_document_servers(self._base.root, self._revised.root)
        yield from self._compare_security(self._compared_operations(base_paths, revised_paths))

        # Paths keep the order of the base, followed by those that only the revision has.
        path_keys = base_paths | revised_paths
        if self._within_base:
            path_keys = base_paths
        for key in path_keys:
            if key not in revised_paths:
                for operation in base_paths[key].values():
                    container = self._revised.root.child("paths")
                    yield self._removed_operation(operation, "api-path-removed", container)
            elif key not in base_paths:
                for operation in revised_paths[key].values():
                    yield _added_operation(operation, self._base.root.child("paths"))
            else:
                yield from self._compare_path(base_paths[key], revised_paths[key])
        # A webhook has no path, so a selection of paths leaves it out.
        if self._selections.is_partial:
            return
        yield from compare_webhooks(
            self._base, self._revised, self._operations.compare_callback, self._within_base
        )

    def _compared_operations(
        self, base_paths: _Paths, revised_paths: _Paths
    ) -> _ComparedOperations:
        base_operations = _all_operations(base_paths)
        revised_operations = _all_operations(revised_paths)
        if self._within_base:
            revised_operations = {
                key: node for key, node in revised_operations.items() if key in base_operations
            }
        return _ComparedOperations(base_operations, revised_operations)

    def _compare_security(self, operations: _ComparedOperations) -> Iterator[Change]:
        """Compare the security schemes, and the security of the document if it is used."""
        is_partial = self._within_base or self._selections.is_partial
        scheme_names = _used_schemes(operations) if is_partial else None
        yield from compare_schemes(self._base, self._revised, scheme_names)
        if _document_security_applies(operations):
            yield from compare_security(
                effective_security(self._base.root),
                effective_security(self._revised.root),
                Context(),
                "api-global-security",
            )

    def _compare_path(
        self, base: dict[str, Operation], revised: dict[str, Operation]
    ) -> Iterator[Change]:
        methods = base | revised
        if self._within_base:
            methods = base
        for method in methods:
            if method not in revised:
                container = _path_item(revised, self._revised, base[method].template)
                yield self._removed_operation(base[method], "api-removed", container)
            elif method not in base:
                container = _path_item(base, self._base, revised[method].template)
                yield _added_operation(revised[method], container)
            else:
                yield from self._operations.compare(base[method], revised[method])

    def _removed_operation(self, operation: Operation, prefix: str, container: Node) -> Change:
        pointers = Pointers.of_removed(operation.node, container)
        rule_id = removal_rule_id(operation.node, prefix, self._today)
        sunset = sunset_of(operation.node) or ""
        return operation.context.change(rule_id, pointers, old=sunset)


def _paths(document: Document, selection: Selection) -> _Paths:
    """The selected operations of each path. Renamed path parameters do not make another path.

    The key of a path is its template without the names of parameters: `/pets/{}`. Templates with
    the same key are one path, because a request does not show which of them it follows.
    """
    path_items = dict(document.root.members("paths"))
    templates = list(selection.templates(document))
    paths: _Paths = {_key(selection.name_of(template)): {} for template in templates}
    # Sorted, so that the order of two templates with the same key has no meaning.
    for template in sorted(templates):
        name = selection.name_of(template)
        key = _key(name)
        operations = operations_of(name, path_items[template])
        # A document can, against the specification, have two operations that differ only in names.
        if paths[key].keys() & operations.keys():
            key = name
        paths.setdefault(key, {}).update(operations)
    return paths


def _key(template: str) -> str:
    """The template of a path without the names of its parameters."""
    return re.sub(r"\{[^{}]*\}", "{}", template)


def _all_operations(paths: _Paths) -> _Operations:
    operations: _Operations = {}
    for key, path_operations in paths.items():
        for method, operation in path_operations.items():
            operations[key, method] = operation.node
    return operations


def _used_schemes(operations: _ComparedOperations) -> set[str]:
    """The names of the security schemes that the operations require."""
    names = set[str]()
    for operation in (*operations.base.values(), *operations.revised.values()):
        names |= effective_security(operation).scheme_names
    return names


def _document_security_applies(operations: _ComparedOperations) -> bool:
    """Whether an operation uses the security of the document in both versions.

    If each operation has its own security in one of the versions, the operations report the
    difference. Without any operations, the security of the document is all there is to compare.
    """
    if not operations.base and not operations.revised:
        return True
    return any(
        key in operations.revised
        and security_of(operation) is None
        and security_of(operations.revised[key]) is None
        for key, operation in operations.base.items()
    )


def _path_item(operations: dict[str, Operation], document: Document, template: str) -> Node:
    """The path item that contains some operations; without any, the place of the template."""
    for operation in operations.values():
        return operation.path
    return document.root.child("paths", template)


def _added_operation(operation: Operation, container: Node) -> Change:
    pointers = Pointers.of_added(operation.node, container)
    return operation.context.change("endpoint-added", pointers)
