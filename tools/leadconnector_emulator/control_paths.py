"""Tells control requests from calls of the API: no request of the control may reach a real API."""

from __future__ import annotations

import json
from urllib.parse import unquote

from .messages import Request, Response

PREFIX = "/_emulator/"
"""The paths of the control and of the page. No API has such a path."""

PROBLEM_TYPE = "application/problem+json"
"""The media type of an error (RFC 9457)."""

UNAVAILABLE = (
    "the paths below /_emulator/ are those of the emulator, and this interface does not serve them:"
    " use Server, or EmulatorApp or EmulatorTransport with control=True"
)


def is_control_request(request: Request) -> bool:
    """Whether a path is below the prefix, also with escapes or without the last slash."""
    return f"{unquote(request.path)}/".startswith(PREFIX)


def unavailable_response() -> Response:
    """404 for a control request at an interface without control."""
    return problem_response(404, "Not Found", UNAVAILABLE)


def problem_response(status: int, title: str, detail: str) -> Response:
    """An error in the form of the control."""
    content = {"title": title, "status": status, "detail": detail}
    headers = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store"}
    return Response(status, json.dumps(content).encode(), headers)
