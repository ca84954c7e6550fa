"""Decides what a change means for our client as it is, and recommends what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TypeAlias

from .model.document import Document
from .report.report import Effect, Verdict
from .rules import INFO, Change

BREAKS: Effect = "breaks"
DRIFT: Effect = "drift"
NONE: Effect = "none"

_UNREADABLE = "The client may not be able to read the response."
_REJECTED = "The API may reject what the client sends."
_ABSENT = "The attribute stays unset."
_KEPT = "The client keeps an unknown value."


def verdict(change: Change, base: Document) -> Verdict:
    """Decide what a change means for a client that was generated from the base document.

    The first matching rule decides. Without a rule, the severity decides.
    """
    for rule in RULES:
        decision = rule(change, base)
        if decision is not None:
            return decision
    if change.level == INFO:
        return Verdict(NONE, "Calls are not affected.")
    if change.direction == "response":
        return Verdict(BREAKS, _UNREADABLE)
    return Verdict(BREAKS, _REJECTED)


def advice(change: Change, effect: Effect) -> str:
    """Recommend what to do if the base is our spec and the revision is the API's own document."""
    place = change.base_source or change.base_pointer or "the spec"
    if effect == BREAKS:
        return (
            f"Bring {place} up to date, run `make generate` and release."
            " Until then, calls may fail."
        )
    if effect == DRIFT:
        return (
            f"Bring {place} up to date and run `make generate` for the next release."
            " Until then, the client reports drift."
        )
    return f"Bring {place} up to date at any time. No call depends on it."


# The rules. Each returns None if it does not apply. A change has one of oasdiff's check ids, such
# as `response-property-became-nullable`; `*` matches the place in it, such as `property`.


def request_of_the_api(change: Change, base: Document) -> Verdict | None:
    """In a callback or webhook the API sends the request, and the client receives none."""
    pointers = (change.base_pointer, change.revision_pointer)
    if not any(_is_of_callback(pointer) for pointer in pointers):
        return None
    return Verdict(NONE, "The client receives no callbacks or webhooks.")


# Operations and requests


def operation_removed(change: Change, base: Document) -> Verdict | None:
    """A removal breaks the client even after a deprecation, which the contract allows."""
    if not _has_id(change, "api-*removed-with*"):
        return None
    return Verdict(BREAKS, "The API no longer has the operation.")


def operation_renamed(change: Change, base: Document) -> Verdict | None:
    """The operation id appears in Python only, as the name of the method."""
    if not _has_id(change, "api-operation-id-*"):
        return None
    return Verdict(NONE, "Calls are not affected. The next generation renames the method.")


def request_input_removed(change: Change, base: Document) -> Verdict | None:
    """The client continues to send the parameter or property."""
    if not _has_id(change, "request-parameter-removed*", "request-property-removed"):
        return None
    return Verdict(BREAKS, "The API may reject an unknown parameter or property.")


def read_only_property_accepted(change: Change, base: Document) -> Verdict | None:
    """The client never sends a read-only property, but now the API requires it."""
    if not _has_id(change, "request-required-*-became-not-read-only"):
        return None
    return Verdict(BREAKS, _REJECTED)


# Statuses, media types and headers of responses


def success_status_added(change: Change, base: Document) -> Verdict | None:
    """The client reads an undocumented success as the documented one."""
    if not _has_id(change, "response-success-status-added"):
        return None
    return Verdict(DRIFT, "The client returns the model of the documented success.")


def error_status_added(change: Change, base: Document) -> Verdict | None:
    """Every error status has an exception class, documented or not."""
    if not _has_id(change, "response-non-success-status-added"):
        return None
    return Verdict(DRIFT, "The client raises the exception of the status.")


def status_removed(change: Change, base: Document) -> Verdict | None:
    """A status that the API no longer returns needs no handling."""
    if not _has_id(change, "response-*status-removed"):
        return None
    return Verdict(NONE, "The client handles one status more than it needs to.")


def media_type_removed(change: Change, base: Document) -> Verdict | None:
    """The API may now return a format that the client cannot decode."""
    if not _has_id(change, "response-media-type-removed"):
        return None
    return Verdict(BREAKS, _UNREADABLE)


def media_type_changed(change: Change, base: Document) -> Verdict | None:
    """The client decodes every response as the media type in the spec."""
    if not _has_id(change, "response-media-type-*"):
        return None
    return Verdict(DRIFT, "The client decodes the response as the media type in the spec.")


def response_header_changed(change: Change, base: Document) -> Verdict | None:
    """The spec documents none of the headers that the client reads, such as the rate limit's."""
    if not _has_id(change, "*response-header-*"):
        return None
    return Verdict(NONE, "The client reads no header that the spec documents.")


# Properties of responses


def optional_property_removed(change: Change, base: Document) -> Verdict | None:
    """The client treats the property as absent."""
    if not _has_id(change, "response-optional-property-removed"):
        return None
    return Verdict(NONE, _ABSENT)


def required_property_may_be_absent(change: Change, base: Document) -> Verdict | None:
    """Every attribute of a response can be unset, also one that the spec requires."""
    if not _has_id(
        change,
        "response-required-property-removed",
        "response-*-became-optional",
        "response-required-*-became-write-only",
    ):
        return None
    return Verdict(DRIFT, _ABSENT)


def property_added(change: Change, base: Document) -> Verdict | None:
    """Models keep undocumented properties in `additional_properties`."""
    if not _has_id(
        change,
        "response-*-property-added",
        "response-*-became-not-write-only",
    ):
        return None
    return Verdict(DRIFT, "The client keeps it in `additional_properties`.")


# Values in responses


def null_added(change: Change, base: Document) -> Verdict | None:
    """A property that is null stays unset. A body that is null has no model."""
    if not _has_id(change, "response-*-became-nullable"):
        return None
    if _is_property(change.base_pointer):
        return Verdict(DRIFT, _ABSENT)
    return Verdict(BREAKS, "The client cannot represent null here.")


def form_added(change: Change, base: Document) -> Verdict | None:
    """Another alternative of a union. A property stays unset then. A body has no model."""
    if not _has_id(
        change,
        "response-*-any-of-added",
        "response-*-one-of-added",
        "response-*-discriminator-mapping-added",
    ):
        return None
    if _is_property(change.base_pointer):
        return Verdict(DRIFT, _ABSENT)
    return Verdict(BREAKS, "The client cannot represent the new form here.")


def type_changed(change: Change, base: Document) -> Verdict | None:
    """The client returns a scalar of the wrong type as it was received.

    Code that uses the attribute can fail then, although the call does not.
    """
    if not _has_id(
        change,
        "response-*-type-changed",
        "response-*-type-generalized",
        "response-*-list-of-types-widened",
    ):
        return None
    return Verdict(BREAKS, "The attribute may have a value that its type does not allow.")


def enum_value_added(change: Change, base: Document) -> Verdict | None:
    """Enums are open, so an unknown value does not fail."""
    if not _has_id(
        change,
        "response-*-enum-value-added",
        "response-*-became-not-enum",
        "response-*-const-removed",
        "response-*-const-changed",
    ):
        return None
    return Verdict(DRIFT, _KEPT)


def limit_relaxed(change: Change, base: Document) -> Verdict | None:
    """The client reports a value beyond a documented limit, and returns it nevertheless."""
    if not _has_id(
        change,
        "response-*-pattern-removed",
        "response-*-pattern-changed",
        "response-*-pattern-generalized",
        "response-*max-*increased",
        "response-*min-*decreased",
        "response-*-unset",
    ):
        return None
    return Verdict(DRIFT, _KEPT)


Rule: TypeAlias = Callable[[Change, Document], Verdict | None]

RULES: tuple[Rule, ...] = (
    request_of_the_api,
    operation_removed,
    operation_renamed,
    request_input_removed,
    read_only_property_accepted,
    success_status_added,
    error_status_added,
    status_removed,
    media_type_removed,
    media_type_changed,
    response_header_changed,
    optional_property_removed,
    required_property_may_be_absent,
    property_added,
    null_added,
    form_added,
    type_changed,
    enum_value_added,
    limit_relaxed,
)
"""In order: the first rule that returns a verdict decides."""


def _has_id(change: Change, *patterns: str) -> bool:
    return any(fnmatchcase(change.id, pattern) for pattern in patterns)


def _is_of_callback(pointer: str) -> bool:
    return pointer.startswith("/webhooks/") or "/callbacks/" in pointer


def _is_property(pointer: str) -> bool:
    owner, _, _ = pointer.rpartition("/")
    return owner.endswith("/properties")
