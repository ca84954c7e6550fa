"""What a change means for our client as it is, and what is to be done about it: one table, read from the top."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from .model.document import Document, is_list, unescaped
from .report.report import Effect, Verdict
from .rules import INFO, Change

BREAKS: Effect = "breaks"
DRIFT: Effect = "drift"
NONE: Effect = "none"


class Row(NamedTuple):
    """What the ids that a pattern fits mean for the client."""

    pattern: str
    effect: Effect
    reason: str
    required: Effect | None = None
    """The effect where the property must be there, if that is another."""


_ABSENT = "The answer cannot be held without it."
_OF_NO_KNOWN_FORM = (
    "An optional field is read as left out; without a required one the answer cannot be held."
)
_KEPT = "A value that is not known is kept."
_OTHER_TYPE = "The attribute may hold what its type does not say."
_REFUSED = "The API may refuse what the client sends."
_UNREADABLE = "The client may not be able to read the answer."
_AS_BEFORE = "Calls go on as before."

# fmt: off
VERDICTS = (
    # What is there, or is not there any more
    Row("api-*removed-with*",                 BREAKS, "The API no longer has the operation."),
    Row("api-operation-id-*",                 NONE,   "Calls go on; the next generation renames the method."),
    Row("request-parameter-removed*",         BREAKS, "The API may refuse what it no longer knows."),
    Row("request-property-removed",           BREAKS, "The API may refuse what it no longer knows."),
    Row("response-success-status-added",      BREAKS, "A success that the spec does not have is raised as an error."),
    Row("response-non-success-status-added",  DRIFT,  "It is raised as the error of its status."),
    Row("response-*status-removed",           NONE,   "What does not come need not be read."),
    Row("response-media-type-removed",        BREAKS, _UNREADABLE),
    Row("response-media-type-*",              DRIFT,  "It is read as the one that the spec has."),
    Row("*response-header-*",                 NONE,   "The client reads no header that the spec documents."),
    # What an answer may hold
    Row("response-optional-property-removed", NONE,   "The attribute stays unset."),
    Row("response-required-property-removed", BREAKS, _ABSENT),
    Row("response-*-property-added",          DRIFT,  "It is kept among the additional properties."),
    Row("response-*-became-optional",         BREAKS, _ABSENT),
    Row("response-required-*-became-write-only", BREAKS, _ABSENT),
    Row("request-required-*-became-not-read-only", BREAKS, _REFUSED),
    Row("response-*-enum-value-added",        DRIFT,  _KEPT),
    Row("response-*-became-not-enum",         DRIFT,  _KEPT),
    Row("response-*-const-[!a]*",             DRIFT,  _KEPT),
    Row("response-*-became-nullable",         DRIFT,  _OF_NO_KNOWN_FORM, required=BREAKS),
    Row("response-*-any-of-added",            DRIFT,  _OF_NO_KNOWN_FORM, required=BREAKS),
    Row("response-*-one-of-added",            DRIFT,  _OF_NO_KNOWN_FORM, required=BREAKS),
    Row("response-*-type-changed",            BREAKS, _OTHER_TYPE),
    Row("response-*-type-generalized",        BREAKS, _OTHER_TYPE),
    Row("response-*-list-of-types-widened",   BREAKS, _OTHER_TYPE),
    Row("response-*-pattern-[!a]*",           DRIFT,  _KEPT),
    Row("response-*max-*increased",           DRIFT,  _KEPT),
    Row("response-*min-*decreased",           DRIFT,  _KEPT),
    Row("response-*-unset",                   DRIFT,  _KEPT),
)
# fmt: on
"""The first that fits counts."""

_NO_PARAMETERS = frozenset({"accept", "authorization", "content-type"})
"""Headers that are no parameters, whatever a document says: OpenAPI has them ignored."""


def verdict(change: Change, base: Document) -> Verdict:
    """What a change means for a client that was generated from the base."""
    if "request-parameter" in change.id and change.name.lower() in _NO_PARAMETERS:
        return Verdict(NONE, "The client sends this header whether it is a parameter or not.")
    for row in VERDICTS:
        if fnmatchcase(change.id, row.pattern):
            required = (
                row.required if row.required and _is_required(change.base_pointer, base) else None
            )
            return Verdict(required or row.effect, row.reason)
    if change.level == INFO:
        return Verdict(NONE, _AS_BEFORE)
    return Verdict(BREAKS, _UNREADABLE if change.direction == "response" else _REFUSED)


def advice(change: Change, effect: Effect) -> str:
    """What to do where the base is a spec of ours, and the revision is what the API says of itself."""
    place = change.base_source or change.base_pointer or "the spec"
    if effect == BREAKS:
        return f"Bring {place} up to date, `make generate` and release: until then calls may fail."
    if effect == DRIFT:
        return f"Bring {place} up to date and `make generate` with the next release: until then it is told as drift."
    return f"Bring {place} up to date when it is wanted; nothing depends on it."


def _is_required(pointer: str, document: Document) -> bool:
    """Whether the property that stands there must be; a schema that is no property always must."""
    file, _, place = pointer.rpartition("#")
    owner, _, name = place.rpartition("/")
    parent = document.find(f"#{owner.removesuffix('/properties')}", file)
    if not owner.endswith("/properties") or parent is None:
        return True
    required = parent.get("required")
    return is_list(required) and unescaped(name) in required
