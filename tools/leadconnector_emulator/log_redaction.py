"""Hides credentials in what the emulator shows of its exchanges."""

from __future__ import annotations

from collections.abc import Mapping

from .credential_rules import (
    URL_HEADERS,
    CredentialNames,
    is_oauth_path,
    without_secrets_in_urls,
)
from .messages import Request

HIDDEN = "…"
"""What is shown in place of a secret."""


def has_secret_body(request: Request) -> bool:
    """Whether the bodies of a request and of its response contain credentials."""
    return is_oauth_path(request.path)


def visible_target(request: Request) -> str:
    """The path and the query without credentials."""
    if not request.query:
        return request.target
    if has_secret_body(request):
        return f"{request.path}?{HIDDEN}"
    rule = CredentialNames().rule_for_query(request.query)
    return without_secrets_in_urls(request.target, rule, HIDDEN)


def visible_headers(request: Request, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a request or of its response without credentials."""
    names = CredentialNames(is_oauth=has_secret_body(request))
    return {name: _visible_header(names, name, value) for name, value in headers.items()}


def _visible_header(names: CredentialNames, name: str, value: str) -> str:
    if names.has_header(name):
        return hidden_credential(value)
    if name.lower() == "location" and names.is_oauth:
        # The redirect of an authorization contains its code.
        return HIDDEN
    if name.lower() in URL_HEADERS:
        return without_secrets_in_urls(value, names.rule_for_header(name, value), HIDDEN)
    return value


def hidden_credential(value: str) -> str:
    """The scheme of a bearer token, and no more of any credential."""
    if value.lower().startswith("bearer "):
        return f"Bearer {HIDDEN}"
    return HIDDEN
