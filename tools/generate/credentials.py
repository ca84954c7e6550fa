"""Decides which operations get the client's bearer token, and which ones need other credentials."""

from __future__ import annotations

from collections.abc import Iterator

from .document import Document, Node, Operation


def security_requirements(document: Document, operation: Operation) -> Node:
    """The list of alternatives. An operation without its own list has that of the document."""
    requirements = operation.node.child("security")
    if requirements.value is not None:
        return requirements
    return document.top.child("security")


def sends_token(document: Document, operation: Operation) -> bool:
    """Whether the client sends its token.

    A document that says nothing about security does not say either that the API is public. So the
    client sends its token there, but not to an operation whose list is empty.
    """
    requirements = security_requirements(document, operation)
    if requirements.value is None:
        return True
    return any(is_met_by_token(document, alternative) for alternative in requirements.elements())


def can_be_called(document: Document, operation: Operation) -> bool:
    """Whether a token, or nothing, meets one of the alternatives."""
    alternatives = list(security_requirements(document, operation).elements())
    # OpenAPI 3.1, "Operation Object": an empty list removes the requirements of the document.
    # "Security Requirement Object": an empty alternative is met without credentials.
    if not alternatives or any(not alternative.mapping for alternative in alternatives):
        return True
    return any(is_met_by_token(document, alternative) for alternative in alternatives)


def other_schemes(document: Document, operation: Operation) -> Iterator[str]:
    """The names of the schemes in its requirements that are not met by a bearer token."""
    for alternative in security_requirements(document, operation).elements():
        for name in alternative.mapping:
            if not is_bearer(security_scheme(document, name)):
                yield name


def is_met_by_token(document: Document, alternative: Node) -> bool:
    """Whether a bearer token is all that an alternative requires."""
    schemes = [security_scheme(document, name) for name in alternative.mapping]
    return bool(schemes) and all(is_bearer(scheme) for scheme in schemes)


def security_scheme(document: Document, name: str) -> Node:
    """The scheme of a name. Its value is `None` if there is none."""
    return document.resolve(document.top.child("components", "securitySchemes", name))


def is_bearer(scheme: Node) -> bool:
    """Whether a security scheme is met by a bearer token."""
    scheme_type = scheme.get("type")
    # RFC 6750: OAuth 2 tokens are bearer tokens. OpenID Connect uses OAuth 2.
    if scheme_type in {"oauth2", "openIdConnect"}:
        return True
    # RFC 9110, section 11.1: the names of HTTP authentication schemes ignore case.
    http_scheme = str(scheme.get("scheme")).lower()
    return scheme_type == "http" and http_scheme == "bearer"
