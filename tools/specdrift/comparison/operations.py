"""Compares two versions of one operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model.document import Node
from ..rules import Change, Direction
from .bodies import compare_request_bodies
from .callbacks import compare_callbacks
from .context import Context, Part, Pointers
from .differences import name_differences
from .lifecycle import LifecyclePolicy, compare_operation_deprecation, compare_stability
from .operation import Operation
from .parameters import compare_parameters
from .responses import compare_responses
from .schemas.comparison import SchemaComparison
from .security import compare_security, effective_security, security_of
from .servers import compare_operation_servers


class OperationComparison:
    """Compares operations that both documents have."""

    def __init__(self, lifecycle: LifecyclePolicy) -> None:
        self._lifecycle = lifecycle
        # Shared by all operations, so that each schema is read once.
        self._schemas = SchemaComparison()

    def compare(self, base: Operation, revised: Operation) -> Iterator[Change]:
        """Yield the changes of an operation that clients call."""
        # The base names the operation and decides whether it is a draft.
        context = base.context
        yield from self._compare_deprecation(base, revised, context)
        yield from compare_stability(base.node, revised.node, context)
        yield from _compare_operation_id(base.node, revised.node, context)
        yield from _compare_tags(base.node, revised.node, context)
        yield from _compare_security(base.node, revised.node, context)
        yield from compare_operation_servers(
            [base.node, base.path], [revised.node, revised.path], context
        )
        yield from self._compare_data(base, revised, context, Direction.REQUEST)
        yield from compare_callbacks(base.node, revised.node, context, self.compare_callback)

    def compare_callback(
        self, base: Operation, revised: Operation, context: Context
    ) -> Iterator[Change]:
        """Yield the changes of an operation that the API calls: a callback or a webhook."""
        yield from self._compare_inner(base, revised, context, Direction.RESPONSE)
        yield from compare_callbacks(
            base.node, revised.node, context, self._compare_callback_of_callback
        )

    def _compare_callback_of_callback(
        self, base: Operation, revised: Operation, context: Context
    ) -> Iterator[Change]:
        """Yield the changes of an operation that clients call while the API calls them."""
        yield from self._compare_inner(base, revised, context, Direction.REQUEST)
        base_callbacks = base.node.child("callbacks")
        revised_callbacks = revised.node.child("callbacks")
        # No real document has a third level, and a callback can contain itself.
        if base_callbacks.value != revised_callbacks.value:
            base_callbacks.skip_unless_empty("is a third level of callbacks")
            revised_callbacks.skip_unless_empty("is a third level of callbacks")

    def _compare_inner(
        self, base: Operation, revised: Operation, context: Context, sent: Direction
    ) -> Iterator[Change]:
        yield from self._compare_deprecation(base, revised, context)
        yield from self._compare_data(base, revised, context, sent)

    def _compare_deprecation(
        self, base: Operation, revised: Operation, context: Context
    ) -> Iterator[Change]:
        schedule = self._lifecycle.schedule_of(revised.node)
        yield from compare_operation_deprecation(base.node, revised.node, context, schedule)

    def _compare_data(
        self, base: Operation, revised: Operation, context: Context, sent: Direction
    ) -> Iterator[Change]:
        """Compare the parameters, the request body and the responses.

        Args:
            base: The operation in the base.
            revised: The operation in the revision.
            context: The place of the operation.
            sent: What the request is to clients: their request, or what they receive in a callback.
        """
        request = replace(context, direction=sent)
        parameter_context = replace(request, part=Part.PARAMETER)
        yield from compare_parameters(
            base.parameters,
            revised.parameters,
            parameter_context,
            self._schemas,
            schedule=self._lifecycle.schedule_of(revised.node),
            base_list=base.node.child("parameters"),
            revised_list=revised.node.child("parameters"),
        )
        body_context = replace(request, part=Part.BODY, name="the request body")
        yield from compare_request_bodies(base.node, revised.node, body_context, self._schemas)

        returned = Direction.REQUEST if sent == Direction.RESPONSE else Direction.RESPONSE
        response = replace(context, direction=returned)
        yield from compare_responses(base.node, revised.node, response, self._schemas)


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


def _compare_tags(
    base_operation: Node, revised_operation: Node, context: Context
) -> Iterator[Change]:
    base_tags = [str(tag.value) for tag in base_operation.elements("tags")]
    revised_tags = [str(tag.value) for tag in revised_operation.elements("tags")]
    pointers = Pointers.to_both(base_operation, revised_operation)
    for difference in name_differences(base_tags, revised_tags):
        yield context.change(f"api-tag-{difference.action}", pointers, name=difference.name)


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
