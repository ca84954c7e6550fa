"""Compares callbacks and webhooks: the operations of which the API is the client.

The API sends the request, so the client receives its body, and sends the response. Check ids and
severities say `request` for what the client sends, here the response, and `response` for what it
receives. A property that is added to the body of a webhook is a `response-optional-property-added`.

oasdiff compares webhooks in the same places, but in the direction of ordinary operations. It has no
check ids for callbacks; these ids are formed like those of webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from ..model.document import Document, Node
from ..rules import Change
from .context import Context, Pointers
from .operation import Operation, operations_of

CompareOperations: TypeAlias = Callable[[Operation, Operation, Context], Iterator[Change]]
"""Compares an operation of the base with that of the revision, at a place."""


def compare_webhooks(
    base: Document, revised: Document, compare_operations: CompareOperations, within_base: bool
) -> Iterator[Change]:
    """Yield the changes of the webhooks of a document. Their operation is `POST webhook:name`."""
    base_webhooks = dict(base.root.members("webhooks"))
    revised_webhooks = dict(revised.root.members("webhooks"))
    # An API can publish its webhooks elsewhere. Then the revision says nothing about them.
    if within_base and base_webhooks and not revised_webhooks:
        node = base.root.child("webhooks")
        base.skipped[node.location] = "only the older document has `webhooks`"
        return
    names = base_webhooks if within_base else base_webhooks | revised_webhooks
    for name in names:
        if name not in revised_webhooks:
            pointers = Pointers.of_removed(base_webhooks[name], revised.root.child("webhooks"))
            yield Context().change("webhook-removed", pointers, name=name)
            continue
        if name not in base_webhooks:
            pointers = Pointers.of_added(revised_webhooks[name], base.root.child("webhooks"))
            yield Context().change("webhook-added", pointers, name=name)
            continue
        base_operations = operations_of(f"webhook:{name}", base_webhooks[name])
        revised_operations = operations_of(f"webhook:{name}", revised_webhooks[name])
        for method in base_operations | revised_operations:
            if method not in revised_operations:
                operation = base_operations[method]
                pointers = Pointers.of_removed(operation.node, revised_webhooks[name])
                yield operation.context.change("webhook-removed", pointers, name=name)
            elif method not in base_operations:
                operation = revised_operations[method]
                pointers = Pointers.of_added(operation.node, base_webhooks[name])
                yield operation.context.change("webhook-added", pointers, name=name)
            else:
                operation = base_operations[method]
                yield from compare_operations(
                    operation, revised_operations[method], operation.context
                )


def compare_callbacks(
    base_operation: Node,
    revised_operation: Node,
    context: Context,
    compare_operations: CompareOperations,
) -> Iterator[Change]:
    """Yield the changes of the callbacks of an operation.

    A callback is identified by its name, the expression for its URL, and its method.
    """
    base = _callbacks(base_operation)
    revised = _callbacks(revised_operation)
    for name in base | revised:
        if name not in revised:
            pointers = Pointers.of_removed(base[name].node, revised_operation.child("callbacks"))
            yield context.change("callback-removed", pointers, name=name)
        elif name not in base:
            pointers = Pointers.of_added(revised[name].node, base_operation.child("callbacks"))
            yield context.change("callback-added", pointers, name=name)
        else:
            callback_context = replace(context, callback=name)
            yield from compare_operations(base[name], revised[name], callback_context)


def _callbacks(operation: Node) -> dict[str, Operation]:
    """The operations of all callbacks, by a name such as `onEvent POST {$request.query.url}`."""
    callbacks = dict[str, Operation]()
    for name, written_callback in operation.members("callbacks"):
        for expression, path in written_callback.resolved().members():
            if expression.startswith("x-"):
                continue
            for method, callback_operation in operations_of(expression, path).items():
                callbacks[f"{name} {method.upper()} {expression}"] = callback_operation
    return callbacks
