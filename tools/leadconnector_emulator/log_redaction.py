"""Hides credentials in what the page and the control show of the log.

The log of the mock server contains the requests as they arrived, since tests read it. `redaction`
decides what is a credential. Unlike there, the scheme of a token stays visible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from .messages import Request
from .redaction import SECRET_NAMES, is_oauth_request, normalised

HIDDEN = "…"
"""What is shown in place of a secret."""

_SECRET_HEADER = re.compile("authorization|cookie|token|secret|api-?key", re.IGNORECASE)
"""The names of headers whose value is hidden. They are more than those of `redaction`, which
searches each of its credentials in the bodies as well: there, a number would damage others."""

_SECRET_PARAMETERS = SECRET_NAMES | {"code", "token"}
"""The query parameters that are hidden. Any path may be a redirect URI, which gets a code."""


def has_secret_body(request: Request) -> bool:
    """Whether the bodies of a request and of its response contain credentials."""
    return is_oauth_request(request)


def visible_target(request: Request) -> str:
    """The path and the query without credentials."""
    if not request.query:
        return request.target
    if has_secret_body(request):
        return f"{request.path}?{HIDDEN}"
    parts = [_visible_parameter(part) for part in request.query.split("&")]
    return f"{request.path}?{'&'.join(parts)}"


def _visible_parameter(part: str) -> str:
    name, separator, _ = part.partition("=")
    if separator and normalised(unquote(name)) in _SECRET_PARAMETERS:
        return f"{name}={HIDDEN}"
    return part


def visible_headers(request: Request, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request or of its response without credentials."""
    shown_headers: dict[str, str] = {}
    for name, value in headers.items():
        # The redirect of an authorization contains its code.
        is_redirect = name.lower() == "location" and has_secret_body(request)
        if is_redirect or _SECRET_HEADER.search(name):
            shown_headers[name] = hidden_credential(value)
        else:
            shown_headers[name] = value
    return shown_headers


def hidden_credential(value: str) -> str:
    """The scheme of a bearer token, and no more of any credential."""
    if value.lower().startswith("bearer "):
        return f"Bearer {HIDDEN}"
    return HIDDEN
