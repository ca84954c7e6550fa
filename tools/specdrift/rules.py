"""Defines the rules: what a change is called, how severe it is, and how it is described.

The check id of a change is that of oasdiff, an open-source OpenAPI differ
(https://github.com/oasdiff/oasdiff, Apache-2.0). If oasdiff has no id for a place, the id is formed
the way oasdiff forms them. The severities follow oasdiff as well. Comments name the release in
which oasdiff changed one, and the reason for each deviation.

A rule id is either a check id, or a pattern with a `*` for the place in the documents. One rule
`*-became-required` covers `request-body-became-required`, `request-property-became-required` and so
on. `comparison/context.py` replaces the `*`; a rule for exactly one place comes before the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["ERR", "WARN", "INFO"]
"""The severity of a change."""

ERR: Level = "ERR"
"""The change breaks a client that follows the contract."""
WARN: Level = "WARN"
"""The change can break such a client."""
INFO: Level = "INFO"
"""The change breaks no such client."""


class Direction(StrEnum):
    """The direction of the data that a change is about."""

    REQUEST = "request"
    RESPONSE = "response"
    NONE = "none"
    """The change is about an operation, a path or the document."""


class Source(NamedTuple):
    """A line of a file."""

    file: str
    line: int
    """The first line is 1."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Change:
    """One difference, in one operation or in the document as a whole."""

    id: str
    """The check id, as oasdiff names it. It never contains a `*`."""

    level: Level
    """The severity."""

    operation: str
    """Method and path, such as `PUT /conversations/{conversationId}`; empty for the document."""

    direction: Direction

    base_pointer: str
    """The JSON pointer into the base; empty if the base does not have the element."""

    revision_pointer: str
    """The JSON pointer into the revision; empty if the revision does not have the element."""

    text: str
    """A sentence that describes the change."""

    name: str = ""
    """The element that was added or removed, if the pointers do not name it.

    For example a scope, a status, or a value of an enum as JSON.
    """

    path: tuple[str, ...] = ()
    """The keywords and names from the schema of a parameter, body or header down to the change."""

    container_pointer: str = ""
    """The JSON pointer of the place that would contain the element, in the document without it.

    Nothing need exist there. Empty if both documents have the element.
    """

    base_source: Source | None = None
    """The line of `base_pointer`, or of the element around it; None if unknown."""

    revision_source: Source | None = None
    """The line of `revision_pointer`, or of the element around it; None if unknown."""


@dataclass(frozen=True)
class Severity:
    """How severe a change is, depending on the direction of the data."""

    request: Level
    response: Level

    def level(self, direction: Direction) -> Level:
        """Return the severity in one direction. Changes without a direction have only one."""
        return self.response if direction == Direction.RESPONSE else self.request

    def inverted_level(self, direction: Direction) -> Level:
        """Return the severity where allowing more means allowing less, as inside `not`.

        In a request, a `not` that rejects less is a warning rather than harmless: of a `not`,
        several keywords often change at once, and together they can reject more.
        """
        if direction == Direction.RESPONSE:
            return self.request
        if self.request == INFO and self.response == INFO:
            return INFO
        # What a looser schema allows now is rejected.
        return ERR if self.response != INFO else WARN

    @property
    def worst(self) -> Level:
        """The worse severity of the two directions."""
        return worst((self.request, self.response))


HARMLESS = Severity(request=INFO, response=INFO)
SUSPICIOUS = Severity(request=WARN, response=WARN)
BREAKING = Severity(request=ERR, response=ERR)

STRICTER = Severity(request=ERR, response=INFO)
"""Fewer values are allowed: a request that used to be valid can now be rejected."""
LOOSER = Severity(request=INFO, response=ERR)
"""More values are allowed: a response can now contain a value that the client does not expect."""
POSSIBLY_STRICTER = Severity(request=WARN, response=INFO)
"""Fewer values may be allowed; the documents do not show whether real requests are affected."""
POSSIBLY_LOOSER = Severity(request=INFO, response=WARN)
"""More values are allowed, but in a response only clients that reject unknown values break."""


@dataclass(frozen=True)
class Rule:
    """One kind of change."""

    id: str
    """The rule id: a check id, or a pattern in which `*` stands for the place."""

    severity: Severity

    text: str
    """The sentence that describes the change.

    Placeholders: `{what}` is the place, `{old}` and `{new}` are the values, and `{name}` is the
    element that was added or removed.
    """


_OPERATION_RULES = (
    Rule("endpoint-added", HARMLESS, "The operation was added."),
    Rule(
        "api-removed-without-deprecation",
        BREAKING,
        "The operation was removed without deprecation.",
    ),
    Rule(
        "api-removed-with-deprecation",
        HARMLESS,
        "The operation was removed after deprecation.",
    ),
    Rule(
        "api-path-removed-without-deprecation",
        BREAKING,
        "The path was removed without deprecation.",
    ),
    Rule(
        "api-path-removed-with-deprecation",
        HARMLESS,
        "The path was removed after deprecation.",
    ),
    Rule("endpoint-deprecated", HARMLESS, "The operation was deprecated."),
    Rule("endpoint-reactivated", HARMLESS, "The operation is no longer deprecated."),
    Rule("api-tag-added", HARMLESS, "The tag {name} was added."),
    Rule("api-tag-removed", HARMLESS, "The tag {name} was removed."),
    Rule("api-operation-id-added", HARMLESS, "The operation id {new} was added."),
    Rule("api-operation-id-removed", HARMLESS, "The operation id {old} was removed or replaced."),
)

# A requirement is one alternative with all its schemes. Since oasdiff 1.30, changed requirements
# break: an added one can reject callers, and a removed one rejects the callers that use it.
_SECURITY_RULES = (
    Rule("api-security-added", BREAKING, "The security requirement {name} was added."),
    Rule("api-security-removed", BREAKING, "The security requirement {name} was removed."),
    Rule(
        "api-security-scope-added",
        BREAKING,
        "The scope {name} was added to what the operation requires.",
    ),
    Rule("api-security-scope-removed", HARMLESS, "The scope {name} is no longer required."),
    Rule("api-global-security-added", BREAKING, "All operations now require {name}."),
    Rule(
        "api-global-security-removed",
        BREAKING,
        "The document no longer requires {name} for all operations.",
    ),
    Rule(
        "api-global-security-scope-added",
        BREAKING,
        "The scope {name} was added to what all operations require.",
    ),
    Rule(
        "api-global-security-scope-removed",
        HARMLESS,
        "The scope {name} is no longer required of all operations.",
    ),
    Rule("api-security-component-added", HARMLESS, "The security scheme {name} was added."),
    Rule("api-security-component-removed", HARMLESS, "The security scheme {name} was removed."),
    Rule(
        "api-security-component-type-changed",
        HARMLESS,
        "The security scheme {name} changed from {old} to {new}.",
    ),
    Rule(
        "api-security-component-oauth-url-changed",
        HARMLESS,
        "The authorization URL of {name} changed from {old} to {new}.",
    ),
    Rule(
        "api-security-component-oauth-token-url-changed",
        HARMLESS,
        "The token URL of {name} changed from {old} to {new}.",
    ),
    Rule(
        "api-security-component-oauth-scope-added",
        HARMLESS,
        "The scope {name} was added to a security scheme.",
    ),
    Rule(
        "api-security-component-oauth-scope-removed",
        HARMLESS,
        "The scope {name} was removed from a security scheme.",
    ),
)

# oasdiff has no ids for servers, and none of their changes breaks there: a URL that the document no
# longer names often still works.
_SERVER_RULES = (
    Rule("api-server-added", HARMLESS, "The server {name} was added."),
    Rule("api-server-removed", HARMLESS, "The server {name} was removed."),
    Rule(
        "api-server-changed",
        HARMLESS,
        "The variables of the server {name} changed from {old} to {new}.",
    ),
    Rule("api-global-server-added", HARMLESS, "The server {name} was added for all operations."),
    Rule(
        "api-global-server-removed", HARMLESS, "The server {name} was removed for all operations."
    ),
    Rule(
        "api-global-server-changed",
        HARMLESS,
        "The variables of the server {name} changed from {old} to {new} for all operations.",
    ),
)

# The API calls the client. So what is called `request` elsewhere is a `response` here: the client
# receives it. See `comparison/callbacks.py`.
_CALLBACK_RULES = (
    Rule("webhook-added", HARMLESS, "The webhook {name} was added."),
    Rule("webhook-removed", BREAKING, "The webhook {name} was removed."),
    Rule("callback-added", HARMLESS, "The callback {name} was added."),
    Rule("callback-removed", BREAKING, "The callback {name} was removed."),
    Rule("response-parameter-added", HARMLESS, "{what} was added."),
    Rule("required-response-parameter-removed", BREAKING, "{what} was removed, and was required."),
    Rule("optional-response-parameter-removed", HARMLESS, "{what} was removed, and was optional."),
    Rule("response-body-added", HARMLESS, "A request body was added."),
    Rule("response-body-removed", BREAKING, "The request body was removed."),
)

_PARAMETER_RULES = (
    Rule("new-request-path-parameter", BREAKING, "{what} was added."),
    Rule(
        "new-required-request-default-parameter-to-existing-path",
        BREAKING,
        "{what} was added to all operations of the path, and is required.",
    ),
    Rule(
        "new-optional-request-default-parameter-to-existing-path",
        HARMLESS,
        "{what} was added to all operations of the path, and is optional.",
    ),
    Rule(
        "request-parameter-removed-with-deprecation",
        HARMLESS,
        "{what} was removed after deprecation.",
    ),
    Rule(
        "request-parameter-style-changed",
        BREAKING,
        "{what} changed its style from {old} to {new}.",
    ),
)

_BODY_RULES = (
    Rule("request-body-added-required", BREAKING, "A request body was added, and is required."),
    Rule("request-body-added-optional", HARMLESS, "An optional request body was added."),
    Rule("request-body-removed", BREAKING, "The request body was removed."),
    Rule("request-body-media-type-added", HARMLESS, "The request body can now be {name}."),
    Rule("request-body-media-type-removed", BREAKING, "The request body can no longer be {name}."),
    Rule(
        "*-encoding-changed",
        SUSPICIOUS,
        "{what} changed the encoding of {name} from {old} to {new}.",
    ),
    Rule("*-media-type-schema-added", STRICTER, "{what} now has a schema."),
    Rule("*-media-type-schema-removed", POSSIBLY_LOOSER, "{what} no longer has a schema."),
    Rule("response-media-type-added", HARMLESS, "The response {name} was added."),
    Rule("response-media-type-removed", BREAKING, "The response {name} was removed."),
    Rule("response-media-type-name-changed", HARMLESS, "The media type {old} changed to {new}."),
    Rule(
        "response-media-type-name-generalized",
        BREAKING,
        "The media type {old} changed to the more general {new}.",
    ),
    Rule(
        "response-media-type-name-specialized",
        HARMLESS,
        "The media type {old} changed to the more specific {new}.",
    ),
)

# An optional response header is harmless to remove since oasdiff 1.30.
_RESPONSE_RULES = (
    Rule("response-success-status-added", HARMLESS, "The success status {name} was added."),
    Rule("response-success-status-removed", BREAKING, "The success status {name} was removed."),
    Rule("response-non-success-status-added", HARMLESS, "The status {name} was added."),
    Rule("response-non-success-status-removed", HARMLESS, "The status {name} was removed."),
    Rule("required-response-header-removed", BREAKING, "{what} was removed, and was required."),
    Rule("response-header-added", HARMLESS, "{what} was added."),
    Rule("optional-response-header-removed", HARMLESS, "{what} was removed, and was optional."),
    Rule("response-link-added", HARMLESS, "The link {name} was added to a response."),
    Rule("response-link-removed", HARMLESS, "The link {name} was removed from a response."),
    Rule("response-link-changed", HARMLESS, "The link {name} of a response changed."),
)

# An optional response property is harmless to remove since oasdiff 1.30. `verdict.py` decides
# separately what the removal means for the generated client.
_PROPERTY_RULES = (
    Rule("new-required-*", STRICTER, "{what} was added, and is required."),
    Rule(
        "new-required-*-with-default",
        STRICTER,
        "{what} was added, and is required, with a default.",
    ),
    Rule("new-optional-*", HARMLESS, "{what} was added, and is optional."),
    Rule("*-removed", SUSPICIOUS, "{what} was removed."),
    Rule(
        "*-removed-from-closed-object",
        STRICTER,
        "{what} was removed from an object that rejects other properties.",
    ),
    Rule("*-forbidden", POSSIBLY_STRICTER, "{what} is now forbidden."),
    Rule("*-became-required", STRICTER, "{what} became required."),
    Rule("*-became-required-with-default", STRICTER, "{what} became required, with a default."),
    Rule("*-became-optional", LOOSER, "{what} became optional."),
    Rule("response-required-property-added", STRICTER, "{what} was added, and is required."),
    Rule("response-optional-property-added", HARMLESS, "{what} was added."),
    Rule("response-required-property-removed", LOOSER, "{what} was removed, and was required."),
    Rule("response-optional-property-removed", HARMLESS, "{what} was removed, and was optional."),
    Rule("*-became-read-only", HARMLESS, "{what} became read-only."),
    Rule("*-became-not-read-only", HARMLESS, "{what} is no longer read-only."),
    Rule("*-became-write-only", HARMLESS, "{what} became write-only."),
    Rule("*-became-not-write-only", HARMLESS, "{what} is no longer write-only."),
    Rule(
        "response-required-property-became-not-write-only",
        SUSPICIOUS,
        "{what} is no longer write-only.",
    ),
    Rule("*-deprecated", HARMLESS, "{what} was deprecated."),
    Rule("*-reactivated", HARMLESS, "{what} is no longer deprecated."),
)

_TYPE_RULES = (
    Rule("*-type-changed", BREAKING, "{what} changed its type from {old} to {new}."),
    Rule("*-type-generalized", LOOSER, "{what} can now be {new}, not only {old}."),
    Rule("*-list-of-types-widened", LOOSER, "{what} can now be {new}, not only {old}."),
    Rule("*-type-specialized", STRICTER, "{what} is now only {new}, no longer {old}."),
    Rule("*-list-of-types-narrowed", STRICTER, "{what} is now only {new}, no longer {old}."),
    Rule(
        "*-type-compatible",
        HARMLESS,
        "{what} changed from {old} to {new}, with the same written form.",
    ),
    Rule(
        "request-parameter-property-type-changed",
        SUSPICIOUS,
        "{what} changed its type from {old} to {new}.",
    ),
)

# An added value of a response enum is only possibly breaking: clients with open enums accept it.
# A changed default is harmless since oasdiff 1.30.
_VALUE_RULES = (
    Rule("*-became-nullable", LOOSER, "{what} can now be null."),
    Rule("*-became-not-nullable", STRICTER, "{what} can no longer be null."),
    Rule("*-became-enum", STRICTER, "{what} is now restricted to the values {new}."),
    Rule("*-became-not-enum", LOOSER, "{what} is no longer restricted to the values {old}."),
    Rule("*-enum-value-added", POSSIBLY_LOOSER, "{what} can now have the value {name}."),
    Rule("*-enum-value-removed", STRICTER, "{what} can no longer have the value {name}."),
    Rule("*-const-added", STRICTER, "{what} can now only be {new}."),
    Rule("*-const-removed", LOOSER, "{what} no longer has to be {old}."),
    Rule("*-const-changed", BREAKING, "{what} must be {new}, not {old}."),
    Rule("*-default-value-added", HARMLESS, "{what} now has the default {new}."),
    Rule("*-default-value-removed", HARMLESS, "{what} no longer has the default {old}."),
    Rule("*-default-value-changed", HARMLESS, "{what} changed its default from {old} to {new}."),
)

# `*-max-…` also applies to `maxLength`, `maxItems` and so on: `rule_for` removes the kind of limit.
# Setting a limit breaks requests since oasdiff 1.30; removing one breaks responses since 1.31.
_LIMIT_RULES = (
    Rule("*-max-increased", LOOSER, "{what} allows more: {name} changed from {old} to {new}."),
    Rule("*-min-decreased", LOOSER, "{what} allows more: {name} changed from {old} to {new}."),
    Rule("*-max-decreased", STRICTER, "{what} allows less: {name} changed from {old} to {new}."),
    Rule("*-min-increased", STRICTER, "{what} allows less: {name} changed from {old} to {new}."),
    Rule("*-set", STRICTER, "{what} is now restricted: {name} is {new}."),
    Rule("*-unset", LOOSER, "{what} is no longer restricted: {name} was {old}."),
)

# The comparison does not decide whether one pattern allows less than another, so a changed pattern
# is only possibly stricter.
_RESTRICTION_RULES = (
    Rule("*-pattern-added", STRICTER, "{what} must now match {new}."),
    Rule("*-pattern-removed", LOOSER, "{what} no longer has to match {old}."),
    Rule("*-pattern-changed", POSSIBLY_STRICTER, "{what} must match {new}, not {old}."),
    Rule("*-pattern-generalized", LOOSER, "{what} can now be any text. It had to match {old}."),
    Rule("*-multiple-of-changed", SUSPICIOUS, "{what} must be a multiple of {new}, not {old}."),
    Rule("*-content-media-type-changed", BREAKING, "{what} contains {new}, not {old}."),
    Rule("*-content-encoding-changed", BREAKING, "{what} is encoded as {new}, not {old}."),
    Rule("*-dependent-required-added", STRICTER, "{what} now requires {new} if it has {name}."),
    Rule(
        "*-dependent-required-removed", LOOSER, "{what} no longer requires {old} if it has {name}."
    ),
    Rule(
        "*-dependent-required-changed",
        BREAKING,
        "{what} requires {new}, not {old}, if it has {name}.",
    ),
)

# These rules are shared by every keyword with a subschema. The change keeps their severity and
# sentence, but `subschemas.py` gives it a check id with the keyword: `request-body-not-added`.
_SUBSCHEMA_RULES = (
    Rule("*-restriction-added", STRICTER, "{what} is now restricted by `{name}`."),
    Rule("*-restriction-removed", LOOSER, "{what} is no longer restricted by `{name}`."),
    Rule("*-prefix-items-added", LOOSER, "{what} now describes its leading item {name}."),
    Rule("*-prefix-items-removed", STRICTER, "{what} no longer describes its leading item {name}."),
)

_UNION_RULES = (
    Rule("*-any-of-added", POSSIBLY_LOOSER, "{what} can now also be {name}."),
    Rule("*-one-of-added", POSSIBLY_LOOSER, "{what} can now also be {name}."),
    Rule("*-any-of-removed", STRICTER, "{what} can no longer be {name}."),
    Rule("*-one-of-removed", STRICTER, "{what} can no longer be {name}."),
    Rule(
        "*-one-of-generalized",
        POSSIBLY_LOOSER,
        "{what} can now match several of its schemas at once.",
    ),
    Rule(
        "*-any-of-specialized", POSSIBLY_STRICTER, "{what} must now match only one of its schemas."
    ),
    Rule(
        "*-wrapped-in-one-of",
        BREAKING,
        "{what} is now one of several schemas, all of them different from before.",
    ),
)

# oasdiff reports all of these as harmless. But a value or property that the discriminator no longer
# knows selects no schema: the API rejects the request, and a client cannot read the response.
_DISCRIMINATOR_RULES = (
    Rule("*-discriminator-added", HARMLESS, "{what} now has the discriminator {new}."),
    Rule("*-discriminator-removed", HARMLESS, "{what} no longer has the discriminator {old}."),
    Rule(
        "*-discriminator-property-name-changed",
        BREAKING,
        "{what} changed its discriminator from {old} to {new}.",
    ),
    Rule(
        "*-discriminator-mapping-added",
        POSSIBLY_LOOSER,
        "{what} now has the discriminator value {name}.",
    ),
    Rule(
        "*-discriminator-mapping-deleted",
        STRICTER,
        "{what} no longer has the discriminator value {name}.",
    ),
    Rule(
        "*-discriminator-mapping-changed",
        BREAKING,
        "{what} changed the schema of the discriminator value {name} from {old} to {new}.",
    ),
)

# Reported only beside other changes of the same schema, with the worst severity among those.
_ALL_OF_RULES = (
    Rule("*-all-of-added", HARMLESS, "{what} has more branches in `allOf`."),
    Rule("*-all-of-removed", HARMLESS, "{what} has fewer branches in `allOf`."),
)

# The extensions `x-sunset` and `x-stability-level` are oasdiff's. See `comparison/lifecycle.py`.
_LIFECYCLE_RULES = (
    Rule(
        "endpoint-deprecated-with-sunset",
        HARMLESS,
        "The operation was deprecated, with the sunset {new}.",
    ),
    Rule(
        "api-deprecated-sunset-missing", BREAKING, "The operation was deprecated without a sunset."
    ),
    Rule(
        "api-deprecated-sunset-parse",
        BREAKING,
        "The operation is deprecated, and its sunset {new} is no date such as 2027-06-30.",
    ),
    Rule(
        "api-sunset-date-too-small",
        BREAKING,
        "The operation was deprecated with the sunset {new}, which must be {name} or later.",
    ),
    Rule(
        "api-sunset-date-changed-too-small",
        BREAKING,
        "The sunset of the operation moved forward, from {old} to {new}.",
    ),
    Rule("sunset-deleted", BREAKING, "The deprecated operation lost its sunset {old}."),
    Rule(
        "api-path-sunset-parse",
        BREAKING,
        "The operation was removed, and its sunset {old} is no date such as 2027-06-30.",
    ),
    Rule(
        "api-removed-before-sunset",
        BREAKING,
        "The operation was removed before its sunset {old}.",
    ),
    Rule(
        "api-path-removed-before-sunset",
        BREAKING,
        "The path was removed before its sunset {old}.",
    ),
    Rule(
        "request-parameter-deprecated-sunset-missing",
        BREAKING,
        "{what} was deprecated without a sunset.",
    ),
    Rule(
        "request-parameter-sunset-parse",
        BREAKING,
        "{what} has a sunset that is no date such as 2027-06-30.",
    ),
    Rule(
        "request-parameter-sunset-date-too-small",
        BREAKING,
        "{what} was deprecated with the sunset {new}, which must be {name} or later.",
    ),
    Rule(
        "request-parameter-sunset-date-changed-too-small",
        BREAKING,
        "{what} has an earlier sunset: {new}, not {old}.",
    ),
    Rule(
        "request-parameter-sunset-deleted",
        BREAKING,
        "{what} is deprecated and lost its sunset {old}.",
    ),
    Rule(
        "request-parameter-removed-before-sunset",
        BREAKING,
        "{what} was removed before its sunset {old}.",
    ),
    Rule(
        "api-stability-decreased",
        BREAKING,
        "The stability level of the operation decreased from {old} to {new}.",
    ),
    Rule(
        "api-stability-increased",
        HARMLESS,
        "The stability level of the operation increased from {old} to {new}.",
    ),
    Rule(
        "api-invalid-stability-level",
        BREAKING,
        "The stability level {new} is not draft, alpha, beta or stable.",
    ),
)

# INFO as in oasdiff, so that nobody's comparison fails before they choose a policy.
_VERSION_RULES = (
    Rule(
        "api-version-not-bumped",
        HARMLESS,
        "Changes break clients, and the version of the document is still {new}.",
    ),
    Rule(
        "api-version-decreased",
        HARMLESS,
        "Changes break clients, and the version of the document decreased from {old} to {new}.",
    ),
    Rule(
        "api-major-version-not-bumped",
        HARMLESS,
        "Changes break clients, and the major version did not increase from {old} to {new}.",
    ),
)

GROUPS: Mapping[str, tuple[Rule, ...]] = {
    "operations": _OPERATION_RULES,
    "security": _SECURITY_RULES,
    "servers": _SERVER_RULES,
    "callbacks": _CALLBACK_RULES,
    "parameters": _PARAMETER_RULES,
    "bodies": _BODY_RULES,
    "responses": _RESPONSE_RULES,
    "properties": _PROPERTY_RULES,
    "types": _TYPE_RULES,
    "values": _VALUE_RULES,
    "limits": _LIMIT_RULES,
    "restrictions": _RESTRICTION_RULES,
    "subschemas": _SUBSCHEMA_RULES,
    "unions": _UNION_RULES,
    "discriminators": _DISCRIMINATOR_RULES,
    "all-of": _ALL_OF_RULES,
    "lifecycle": _LIFECYCLE_RULES,
    "versions": _VERSION_RULES,
}
"""The rules by their subject."""

RULES = {rule.id: rule for group in GROUPS.values() for rule in group}
"""All rules by id."""

_KIND_OF_LIMIT = re.compile(
    r"-(length|items|properties|contains)(?=-(increased|decreased|set|unset)$)"
)
"""The kind of a limit in an id: `-length` in `*-max-length-increased`."""


def rule_for(identifier: str) -> Rule | None:
    """Return the rule with an id, or else the rule with the longest pattern that matches the id.

    Args:
        identifier: A rule id or a check id. `*-max-length-increased` finds `*-max-increased`.

    Returns:
        None if no rule matches.
    """
    if identifier in RULES:
        return RULES[identifier]
    general_identifier = _KIND_OF_LIMIT.sub("", identifier)
    matches = [rule for rule in RULES.values() if _matches(rule, general_identifier)]
    return max(matches, key=_length_of_id, default=None)


def level_of(identifier: str, direction: Direction) -> Level | None:
    """Return the severity of a check id in one direction; None if no rule has the id."""
    # A `*` matches any text, so the place in the id has to be checked as well.
    place = identifier.removeprefix("new-required-").removeprefix("new-optional-")
    if identifier not in RULES and not place.startswith(direction):
        return None
    rule = rule_for(identifier)
    return None if rule is None else rule.severity.level(direction)


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst of several severities; `INFO` without any."""
    distinct_levels = set(levels)
    if ERR in distinct_levels:
        return ERR
    return WARN if WARN in distinct_levels else INFO


def _matches(rule: Rule, identifier: str) -> bool:
    """Whether the id of a rule is a pattern that matches an id."""
    start, star, end = rule.id.partition("*")
    return bool(star) and identifier.startswith(start) and identifier.endswith(end)


def _length_of_id(rule: Rule) -> int:
    return len(rule.id)
