"""Compares two versions of one operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..model.document import Node
from ..rules import Change, Direction
from .bodies import compare_request_bodies
from .context import Context, Part, Pointers
from .elements import deprecation_action, is_deprecated
from .parameters import Parameter, compare_parameters, parameters_of
from .responses import compare_responses
from .schemas.comparison import SchemaComparison
from .security import compare_security, effective_security, security_of

_DRAFT_STABILITY_LEVELS = ("draft", "alpha")
"""The values of oasdiff's extension `x-stability-level` that allow breaking changes."""


@dataclass(frozen=True)
class Operation:
    """An operation of a document."""

    method: str
    """In lower case."""
    template: str
    """The template of the path, such as `/pets/{id}`."""
    path: Node
    """The path item, with references followed."""
    node: Node

    @property
    def context(self) -> Context:
        """The context of the operation itself."""
        return Context(
            f"{self.method.upper()} {self.template}",
            is_draft=self.node.get("x-stability-level") in _DRAFT_STABILITY_LEVELS,
        )

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by what identifies them."""
        return parameters_of(self.template, self.path, self.node)


class OperationComparison:
    """Compares operations that both documents have."""

    def __init__(self) -> None:
        # Shared by all operations, so that each schema is read once.
        self._schemas = SchemaComparison()

    def compare(self, base: Operation, revised: Operation) -> Iterator[Change]:
        """Yield the changes of an operation."""
        # The base names the operation and decides whether it is a draft.
        context = base.context
        yield from _compare_deprecation(base.node, revised.node, context)
        yield from _compare_operation_id(base.node, revised.node, context)
        yield from _compare_security(base.node, revised.node, context)

        request = replace(context, direction=Direction.REQUEST)
        parameter_context = replace(request, part=Part.PARAMETER)
        yield from compare_parameters(
            base.parameters,
            revised.parameters,
            parameter_context,
            self._schemas,
            base_list=base.node.child("parameters"),
            revised_list=revised.node.child("parameters"),
        )
        body_context = replace(request, part=Part.BODY, name="the request body")
        yield from compare_request_bodies(base.node, revised.node, body_context, self._schemas)

        response = replace(context, direction=Direction.RESPONSE)
        yield from compare_responses(base.node, revised.node, response, self._schemas)


def _compare_deprecation(
    base_operation: Node, revised_operation: Node, context: Context
) -> Iterator[Change]:
    if is_deprecated(base_operation) == is_deprecated(revised_operation):
        return
    action = deprecation_action(is_deprecated(revised_operation))
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


def _compare_security(
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
