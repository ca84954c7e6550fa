"""What the error of a transport means, and the exception that it becomes."""

import re
from collections.abc import Sequence
from typing import Literal

import httpx

from ...errors import APIConnectionError, APITimeoutError, LeadConnectorError
from ..secrets import Secret, redact
from .types import Request

Failure = Literal["never sent", "lost", "invalid request"]
"""What is known about a failed request; see `APIConnectionError.failure`."""


def is_transport_failure(error: Exception) -> bool:
    """Whether an error of a transport means a failed request.

    Other errors are raised to the caller unchanged: our own exceptions, and mistakes in the code of
    a custom transport.
    """
    if isinstance(error, LeadConnectorError):
        return False
    if isinstance(error, OSError):
        return True
    # asyncio raises a RuntimeError for a connection of another event loop, or of a closed one.
    if "event loop" in str(error).lower():
        return True
    # Libraries have exceptions of their own. A built-in one, such as a TypeError, is a mistake.
    return type(error).__module__ != "builtins"


def failure_of(error: Exception) -> Failure:
    """Classify the error of a request without a whole response."""
    if isinstance(error, httpx.ConnectTimeout):
        # httpx's own transports raise it only while they connect. Others, such as that of aiohttp,
        # also raise it for a connection that they lost.
        from_httpcore = type(error.__cause__).__module__.partition(".")[0] == "httpcore"
        return "never sent" if from_httpcore else "lost"
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return "invalid request"
    if isinstance(error, httpx.ConnectError | httpx.PoolTimeout):
        return "never sent"
    return "lost"


# The start of quoted bytes in the text of an exception.
_QUOTED_BYTES = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")


def connection_error(
    error: Exception,
    operation: str,
    request: Request,
    secrets: Sequence[Secret[str]],
    attempts: int,
) -> APIConnectionError:
    """The exception of a request without a whole response.

    The transport's error is its cause, unless it quoted private data.

    Args:
        error: an error for which `is_transport_failure` is true. Private data is removed from it.
        operation: names the operation in the message.
        request: the request that failed.
        secrets: the credentials of the request. A custom transport can quote them.
        attempts: how many requests were sent, with this one.
    """
    if isinstance(error, httpx.RequestError):
        # The original request contains the token and the body.
        error.request = Request(request.method, request.url)
    reason = _without_quoted_bytes(error)
    timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
    error_class = APITimeoutError if timed_out else APIConnectionError
    message = f"{operation}: no complete response"
    if timed_out:
        message += " in time"
    details = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    raised = error_class(
        redact(f"{message} ({details})", *secrets), attempts=attempts, failure=failure_of(error)
    )
    if isinstance(error, httpx.RequestError | OSError) and redact(reason, *secrets) == str(error):
        raised.__cause__ = error
    return raised


def _without_quoted_bytes(error: Exception) -> str:
    """Remove the bytes that an error quotes from the error. Returns the rest of its text.

    h11 quotes a response that is not HTTP. The bytes can be anything: a token, a conversation.
    """
    text = str(error)
    reason = _QUOTED_BYTES.split(text)[0]
    if reason != text:
        error.args = (reason,)
        error.__cause__ = None
        error.__context__ = None
    return reason
