"""Compares the responses of an operation: their statuses, headers and bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model.document import Node
from ..rules import Change
from .bodies import compare_content
from .context import Context, Part, Pointers
from .elements import requirement, schema_of
from .schemas.comparison import SchemaComparison


def compare_responses(
    base_operation: Node, revised_operation: Node, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    """Yield the changes of the responses of an operation."""
    base = _responses(base_operation)
    revised = _responses(revised_operation)
    for status in base | revised:
        if status not in revised:
            pointers = Pointers.of_removed(base[status], revised_operation.child("responses"))
            rule_id = f"response-{_status_class(status)}-removed"
            yield context.change(rule_id, pointers, name=status)
        elif status not in base:
            pointers = Pointers.of_added(revised[status], base_operation.child("responses"))
            rule_id = f"response-{_status_class(status)}-added"
            yield context.change(rule_id, pointers, name=status)
        else:
            yield from _compare_headers(base[status], revised[status], context, status, schemas)
            body = replace(context, part=Part.BODY, name=f"the response {status}")
            yield from compare_content(base[status], revised[status], body, schemas)


def _compare_headers(
    base_response: Node,
    revised_response: Node,
    context: Context,
    status: str,
    schemas: SchemaComparison,
) -> Iterator[Change]:
    base = _headers(base_response)
    revised = _headers(revised_response)
    for name in base | revised:
        header_context = replace(
            context,
            part=Part.HEADER,
            name=f"the header {name} of the response {status}",
            is_written_as_text=True,
        )
        if name not in revised:
            pointers = Pointers.of_removed(base[name], revised_response.child("headers"))
            rule_id = f"{requirement(base[name])}-response-header-removed"
            yield header_context.change(rule_id, pointers)
        elif name not in base:
            pointers = Pointers.of_added(revised[name], base_response.child("headers"))
            yield header_context.change("response-header-added", pointers)
        else:
            yield from _compare_header(base[name], revised[name], header_context, schemas)


def _compare_header(
    base: Node, revised: Node, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    if requirement(base) != requirement(revised):
        yield context.change(f"*-became-{requirement(revised)}", Pointers.to_both(base, revised))
    yield from schemas.changes(schema_of(base), schema_of(revised), context)


def _responses(operation: Node) -> dict[str, Node]:
    """The responses by status; upper case, because a range can be written `2xx` or `2XX`."""
    return {status.upper(): node.resolved() for status, node in operation.children("responses")}


def _headers(response: Node) -> dict[str, Node]:
    """The headers by name; lower case, because names of headers ignore case."""
    return {name.lower(): node.resolved() for name, node in response.children("headers")}


def _status_class(status: str) -> str:
    return "success-status" if status.startswith("2") else "non-success-status"
