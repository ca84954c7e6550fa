"""Compares names of media types: which of them contain others."""

from __future__ import annotations

from dataclasses import dataclass

_TYPED_TEXT_TYPES = frozenset({"text/json", "text/yaml", "text/x-yaml", "text/*"})
"""Types of the family `text` whose values have types, or may have."""


@dataclass(frozen=True)
class _MediaType:
    """The parts of a normalized media type."""

    name: str
    """Such as `application/json`."""
    parameters: frozenset[str]
    """Such as `charset=utf-8`."""


def normalized_media_type(name: str) -> str:
    """Return a media type in lower case, with sorted parameters.

    JSON has no `charset`: the parameter has no effect there (RFC 8259, section 11).
    """
    parts = [part.strip().lower() for part in name.split(";")]
    parameters = sorted(parameter for parameter in parts[1:] if parameter)
    if is_json(parts[0]):
        parameters = [text for text in parameters if not text.startswith("charset=")]
    return "; ".join([parts[0], *parameters])


def is_json(media_type: str) -> bool:
    """Return whether a normalized media type is JSON (RFC 6839, section 3.1)."""
    name = _parsed(media_type).name
    return name == "application/json" or name.endswith("+json")


def is_written_as_text(media_type: str) -> bool:
    """Return whether numbers and booleans look like strings in a normalized media type.

    That is so in forms, plain text and XML. JSON and similar formats have types, and a range such
    as `*/*` contains JSON.
    """
    name = _parsed(media_type).name
    if is_json(name) or name in _TYPED_TEXT_TYPES:
        return False
    family, _, subtype = name.partition("/")
    if family in {"text", "multipart"}:
        return True
    return subtype in {"x-www-form-urlencoded", "xml"} or subtype.endswith("+xml")


def contains(wide_media_type: str, media_type: str) -> bool:
    """Return whether everything of one normalized media type is also of a wider one.

    For example `application/*` contains `application/json`, which contains `application/json; v=1`.
    """
    wide = _parsed(wide_media_type)
    narrow = _parsed(media_type)
    if not wide.parameters <= narrow.parameters:
        return False
    if wide.name in (narrow.name, "*/*"):
        return True
    family, _, subtype = wide.name.partition("/")
    if not narrow.name.startswith(f"{family}/"):
        return False
    # The suffix names the format that a type is based on: `application/problem+json` is JSON.
    return subtype == "*" or narrow.name.endswith(f"+{subtype}")


def relation(base_media_type: str, revised_media_type: str) -> str:
    """Return how a media type became a related one, as ids name it; empty if they are unrelated."""
    if contains(revised_media_type, base_media_type):
        return "generalized"
    if contains(base_media_type, revised_media_type):
        return "specialized"
    is_same_type = _parsed(base_media_type).name == _parsed(revised_media_type).name
    return "changed" if is_same_type else ""


def _parsed(media_type: str) -> _MediaType:
    name, *parameters = media_type.split("; ")
    return _MediaType(name, frozenset(parameters))
