"""How a step of the request pipeline rejects a request, and the body of the error response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .messages import MAXIMUM_BODY
from .operation import Operation
from .roles import ROLE_KEYWORD, message_names
from .spec import Spec

REASON_PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
"""The `error` of a response whose schema the spec does not document (RFC 9110, section 15.5)."""


class RejectionError(Exception):
    """Ends the pipeline with an error response.

    Args:
        status: the status of the response.
        message: its message; a list where a response may contain several (422).
        headers: headers that the response has in addition to the rate limit's.
    """

    def __init__(
        self, status: int, message: str | list[str], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers: Mapping[str, str] = headers or {}


MISSING_SCOPE = "The token is not authorized for this scope."
"""The live API's message of a 401 for a token without the scope of the operation."""

WRONG_CLASS = (
    "This authClass type is not allowed to access this scope. Please verify your IAM configuration"
    " if this is not the case."
)
"""The live API's message of a 401 for a company's token on an operation of a location."""


def unauthorized(spec: Spec, operation: Operation) -> RejectionError:
    """A 401 with the message of the spec's example."""
    schema = operation.responses.get("401")
    message = "Unauthorized"
    if schema is not None:
        example = spec.sample(schema.schema)
        if isinstance(example, dict):
            message = cast("dict[str, Any]", example).get("message") or message
    return RejectionError(401, str(message))


def body_too_large() -> RejectionError:
    """A 413 (RFC 9110, section 15.5.14)."""
    return RejectionError(413, f"a body may have {MAXIMUM_BODY} bytes")


def error_content(spec: Spec, operation: Operation | None, rejection: RejectionError) -> Any:
    """The JSON of an error response: the documented example with the rejection's message.

    A status without a documented schema gets the vendor's usual `statusCode`, `message`, `error`.
    """
    schema = None
    if operation is not None:
        schema = operation.response_schema(rejection.status)
    if schema is None:
        return {
            "statusCode": rejection.status,
            "message": rejection.message,
            "error": REASON_PHRASES.get(rejection.status, "Error"),
        }

    content: Any = spec.sample(schema.schema)
    if isinstance(content, dict):
        properties = spec.properties(schema.schema)
        roles = {name: child.get(ROLE_KEYWORD) for name, child in properties.items()}
        for name in message_names(roles):
            if properties[name].get("type") == "object":
                # It contains the explanation in a form of its own.
                continue
            content[name] = _message_value(rejection.message, properties[name].get("type"))
    return cast("Any", content)


def _message_value(message: str | list[str], schema_type: Any) -> str | list[str]:
    """The message as the schema types it: a list, or one text."""
    messages = message if isinstance(message, list) else [message]
    if schema_type == "array":
        return messages
    return "; ".join(messages)
