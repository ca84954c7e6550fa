"""Compares the responses of an operation: their statuses, headers and bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..model.document import Node, is_mapping
from ..rules import Change, Direction
from .bodies import compare_content
from .context import Context, Part, Pointers
from .elements import (
    deprecation_action,
    has_text_values,
    is_deprecated,
    requirement,
    schema_of,
)
from .links import compare_links
from .schemas.comparison import SchemaComparison

IGNORED_RESPONSE_HEADER = "OpenAPI ignores the response header Content-Type"
"""The reason why such a header is skipped."""


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
            covering_status = _covering_status(status, base)
            if covering_status in revised:
                # A response of this status had the form of the range. It has a form of its own now.
                yield from _compare_response(
                    base[covering_status], revised[status], context, status, schemas
                )
        else:
            yield from _compare_response(base[status], revised[status], context, status, schemas)


def _compare_response(
    base: Node, revised: Node, context: Context, status: str, schemas: SchemaComparison
) -> Iterator[Change]:
    yield from _compare_headers(base, revised, context, status, schemas)
    body = replace(context, part=Part.BODY, name=f"the response {status}")
    yield from compare_content(base, revised, body, schemas)
    yield from compare_links(base, revised, context)


def _covering_status(status: str, responses: dict[str, Node]) -> str:
    """The range that describes responses of a status without an entry; empty without one.

    OpenAPI 3.1, "Responses Object": an exact status comes before its range, which comes before
    `default`.
    """
    for covering_status in (f"{status[:1]}XX", "DEFAULT"):
        if covering_status in responses:
            return covering_status
    return ""


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
            is_written_as_text=has_text_values(base.get(name) or revised[name]),
        )
        if name not in revised:
            pointers = Pointers.of_removed(base[name], revised_response.child("headers"))
            rule_id = "*-removed"
            if context.direction == Direction.RESPONSE:
                rule_id = f"{requirement(base[name])}-response-header-removed"
            yield header_context.change(rule_id, pointers)
        elif name not in base:
            pointers = Pointers.of_added(revised[name], base_response.child("headers"))
            rule_id = f"new-{requirement(revised[name])}-*"
            if context.direction == Direction.RESPONSE:
                rule_id = "response-header-added"
            yield header_context.change(rule_id, pointers)
        else:
            yield from _compare_header(base[name], revised[name], header_context, schemas)


def _compare_header(
    base: Node, revised: Node, context: Context, schemas: SchemaComparison
) -> Iterator[Change]:
    if requirement(base) != requirement(revised):
        yield context.change(f"*-became-{requirement(revised)}", Pointers.to_both(base, revised))
    if is_deprecated(base) != is_deprecated(revised):
        action = deprecation_action(is_deprecated(revised))
        yield context.change(f"*-{action}", Pointers.to_both(base, revised))
    yield from schemas.changes(schema_of(base), schema_of(revised), context)


def _responses(operation: Node) -> dict[str, Node]:
    """The responses by status; upper case, because a range can be written `2xx` or `2XX`."""
    responses = dict[str, Node]()
    for status, node in operation.members("responses"):
        response = node.resolved()
        if not is_mapping(response.value):
            response.skip_unless_empty("is not a response")
        if not status.startswith("x-"):
            responses[status.upper()] = response
    return responses


def _headers(response: Node) -> dict[str, Node]:
    """The headers by name; lower case, because names of headers ignore case."""
    headers = dict[str, Node]()
    for name, node in response.members("headers"):
        # OpenAPI 3.1, "Response Object", field `headers`.
        if name.lower() == "content-type":
            node.document.skipped[node.location] = IGNORED_RESPONSE_HEADER
            continue
        header = node.resolved()
        if not is_mapping(header.value):
            header.skip_unless_empty("is not a header")
        headers[name.lower()] = header
    return headers


def _status_class(status: str) -> str:
    return "success-status" if status.startswith("2") else "non-success-status"
