"""Compares two versions of one operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..model.document import Node
from ..rules import Change, Direction
from .bodies import compare_request_bodies
from .context import Context, Part, Pointers
from .elements import is_deprecated
from .parameters import compare_parameters, parameters_of
from .responses import compare_responses
from .schemas.comparison import SchemaComparison
from .security import compare_security, effective_security, security_of

_DRAFT_STABILITY_LEVELS = ("draft", "alpha")
"""The values of oasdiff's extension `x-stability-level` that allow breaking changes."""


@dataclass(frozen=True)
class PathItem:
    """A path and its node, with references followed."""

    template: str
    """Such as `/pets/{id}`."""
    node: Node


class OperationComparison:
    """Compares operations that both documents have."""

    def __init__(self) -> None:
        # Shared by all operations, so that each schema is read once.
        self._schemas = SchemaComparison()

    def compare(
        self,
        method: str,
        base_path: PathItem,
        revised_path: PathItem,
        base_operation: Node,
        revised_operation: Node,
    ) -> Iterator[Change]:
        """Yield the changes of an operation."""
        context = operation_context(method, base_path, base_operation)
        yield from _compare_deprecation(base_operation, revised_operation, context)
        yield from _compare_operation_id(base_operation, revised_operation, context)
        yield from _compare_operation_security(base_operation, revised_operation, context)

        request = replace(context, direction=Direction.REQUEST)
        yield from compare_parameters(
            parameters_of(base_path.template, base_path.node, base_operation),
            parameters_of(revised_path.template, revised_path.node, revised_operation),
            replace(request, part=Part.PARAMETER),
            self._schemas,
        )
        yield from compare_request_bodies(
            base_operation,
            revised_operation,
            replace(request, part=Part.BODY, name="the request body"),
            self._schemas,
        )
        response = replace(context, direction=Direction.RESPONSE)
        yield from compare_responses(base_operation, revised_operation, response, self._schemas)


def operation_context(method: str, path: PathItem, operation: Node) -> Context:
    """Return the context of an operation."""
    return Context(
        f"{method.upper()} {path.template}",
        is_draft=operation.get("x-stability-level") in _DRAFT_STABILITY_LEVELS,
    )


def _compare_deprecation(
    base_operation: Node, revised_operation: Node, context: Context
) -> Iterator[Change]:
    if is_deprecated(base_operation) == is_deprecated(revised_operation):
        return
    action = "deprecated" if is_deprecated(revised_operation) else "reactivated"
    pointers = Pointers.to_both(base_operation, revised_operation)
    yield context.change(f"endpoint-{action}", pointers)


def _compare_operation_id(
    base_operation: Node, revised_operation: Node, context: Context
) -> Iterator[Change]:
    base_id = base_operation.get("operationId")
    revised_id = revised_operation.get("operationId")
    if base_id == revised_id:
        return
    # Like oasdiff: a replaced id counts as removed.
    action = "removed" if base_id else "added"
    pointers = Pointers.to_both(base_operation, revised_operation)
    yield context.change(f"api-operation-id-{action}", pointers, old=base_id, new=revised_id)


def _compare_operation_security(
    base_operation: Node, revised_operation: Node, context: Context
) -> Iterator[Change]:
    # If both inherit the security of their document, the document reports the difference.
    if security_of(base_operation) is None and security_of(revised_operation) is None:
        return
    yield from compare_security(
        effective_security(base_operation),
        effective_security(revised_operation),
        context,
        "api-security",
    )
