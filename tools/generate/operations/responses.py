"""Arranges the responses of an operation."""

from __future__ import annotations

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.responses import Response

from ..document import Document, Node, Operation
from ..generator_api import type_annotation
from .views import ResponseView

_CONTENT_KINDS = {
    "response.json()": "json",
    "response.text": "text",
    "response.content": "bytes",
    "None": "none",
}
"""By the expression with which the generator's own code would read the body."""


def response_views(
    document: Document, operation: Operation, endpoint: Endpoint
) -> tuple[ResponseView, ...]:
    """The responses of an operation, in the order of the spec.

    Raises:
        SpecError: the generator dropped a response, or no response is a success.
    """
    generated = {str(item.status_code.pattern): item for item in endpoint.responses}
    responses = operation.node.child("responses")
    success_statuses = _success_statuses(responses)
    views: list[ResponseView] = []
    for status, reference in responses.entries():
        if _is_extension(status):
            continue
        node = document.resolve(reference)
        response = generated.get(str(status))
        if response is None:
            raise document.error(node.pointer, f"the generator dropped the response {status}")
        views.append(_view(str(status), node, response, success=str(status) in success_statuses))
    if not any(view.success for view in views):
        raise document.error(
            f"{operation.pointer}/responses",
            "no response of status 2XX: the call would have no return type",
        )
    return tuple(views)


def _view(status: str, node: Node, response: Response, *, success: bool) -> ResponseView:
    content = _content_kind(status, response)
    annotation = "None" if content == "none" else type_annotation(response.prop)
    return ResponseView(
        status=status,
        content=content,
        annotation=annotation,
        success=success,
        description=str(node.get("description", "")),
        pointer=node.pointer,
        prop=response.prop,
    )


def _content_kind(status: str, response: Response) -> str:
    # RFC 9110, sections 15.3.5 and 15.3.6: these responses have no body, whatever the spec says.
    if status in {"204", "205"}:
        return "none"
    return _CONTENT_KINDS[response.source["attribute"]]


def _success_statuses(responses: Node) -> frozenset[str]:
    """The statuses in the 200s, or `default` in a spec that lists no such status."""
    statuses = [str(status) for status in responses.mapping]
    # `2XX` is a range of statuses (OpenAPI 3.1, "Responses Object").
    successes = frozenset(status for status in statuses if status.startswith("2"))
    return successes or frozenset({"default"})


def _is_extension(status: str) -> bool:
    # OpenAPI 3.1, "Specification Extensions": keys that begin with x- are no statuses.
    return str(status).startswith("x-")
