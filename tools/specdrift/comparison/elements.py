"""Reads what operations, parameters, headers and bodies of a document have in common."""

from __future__ import annotations

from ..model.document import Node
from .media_types import is_written_as_text, normalized_media_type


def is_deprecated(node: Node) -> bool:
    """Return whether an operation or a parameter is deprecated."""
    return node.get("deprecated") is True


def deprecation_action(is_deprecated_now: bool) -> str:
    """Return the end of the id that reports a changed deprecation."""
    return "deprecated" if is_deprecated_now else "reactivated"


def requirement(node: Node) -> str:
    """Return `required` or `optional`, the words that check ids contain."""
    return "required" if node.get("required") is True else "optional"


def first_media_type(node: Node) -> str | None:
    """Return the media type of a parameter or header; None without `content`.

    There can be only one (OpenAPI 3.1, "Parameter Object").
    """
    return next((name for name, _ in node.members("content")), None)


def has_text_values(node: Node) -> bool:
    """Return whether values of a parameter or header are written as text, instead of as JSON."""
    media_type = first_media_type(node)
    return media_type is None or is_written_as_text(normalized_media_type(media_type))


def schema_of(node: Node) -> Node:
    """Return the schema of a parameter or header, also if it is inside a media type."""
    media_type = first_media_type(node)
    if media_type is None:
        return node.child("schema")
    return node.child("content", media_type, "schema")
