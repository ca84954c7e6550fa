"""Hides credentials in what the emulator shows of its exchanges."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .messages import Request
from .oauth_server import PRIVATE_PREFIX

HIDDEN = "…"
"""What is shown in place of a secret."""

_SECRET_HEADER = re.compile("authorization|cookie|token|secret|api-?key", re.IGNORECASE)
"""The names of headers that contain a credential."""

_SECRET_PARAMETER = re.compile(
    r"(?<=[?&])((?:access_|refresh_|id_)?token|code|client_secret|api_?key)=[^&]*", re.IGNORECASE
)
"""The query parameters that contain a credential."""


def has_secret_body(request: Request) -> bool:
    """Whether the bodies of a request and of its response contain credentials."""
    return request.path.startswith(PRIVATE_PREFIX)


def visible_target(request: Request) -> str:
    """The path and the query without credentials."""
    if not request.query:
        return request.target
    if has_secret_body(request):
        return f"{request.path}?{HIDDEN}"
    return _SECRET_PARAMETER.sub(rf"\1={HIDDEN}", request.target)


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
