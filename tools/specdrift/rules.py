"""What a change is called, how bad it is, and how it is told: one table, and the functions that read it.

The names are the check ids of oasdiff, and where it has none for a place they are formed as it forms them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["ERR", "WARN", "INFO"]
Direction: TypeAlias = Literal["request", "response", "none"]
ERR: Level = "ERR"
WARN: Level = "WARN"
INFO: Level = "INFO"


class Source(NamedTuple):
    """Where something is written."""

    file: str
    line: int
    """The first line is 1."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Change:
    """One thing that differs, in one operation or in the document as a whole."""

    id: str
    """The check id, as oasdiff names it."""
    level: Level
    """`ERR` breaks a client that keeps to the contract, `WARN` may, `INFO` does not."""
    operation: str
    """Method and path, such as `PUT /conversations/{conversationId}`; empty where it is about the whole document."""
    direction: Direction
    base_pointer: str
    """Where it is in the base, as a JSON pointer; empty where it is not there."""
    revision_pointer: str
    """Where it is in the revision; empty where it is not there."""
    text: str
    """A sentence that says what changed."""
    name: str = ""
    """What came or went, where the places do not say it: a scope, a status, a value of an enum as JSON has it."""
    base_source: Source | None = None
    """The file and line of `base_pointer`, or of what surrounds the place there; where they are known."""
    revision_source: Source | None = None
    """The same of `revision_pointer`."""


class Rule(NamedTuple):
    """A row of the table."""

    ids: str
    """One, or several with the same levels and sentence. `*` stands for the place: `request-body`, say."""
    request: Level
    response: Level
    """Where a change has no direction the two are the same."""
    text: str
    """With `{what}` for the place, `{old}` and `{new}` for the values, `{name}` for what came or went."""


# fmt: off
RULES = {identifier: rule for rule in (
    # ids                                  request response
    Rule("endpoint-added",                    INFO, INFO, "The operation was added."),
    Rule("api-removed-without-deprecation",   ERR,  ERR,  "The operation was removed, and was not deprecated before."),
    Rule("api-removed-with-deprecation",      INFO, INFO, "The operation was removed, after it was deprecated."),
    Rule("api-path-removed-without-deprecation", ERR, ERR, "The path was removed, and was not deprecated before."),
    Rule("api-path-removed-with-deprecation", INFO, INFO, "The path was removed, after it was deprecated."),
    Rule("endpoint-deprecated",               INFO, INFO, "The operation was deprecated."),
    Rule("endpoint-reactivated",              INFO, INFO, "The operation is no longer deprecated."),
    Rule("api-operation-id-added",            INFO, INFO, "The operation id {new} was added."),
    Rule("api-operation-id-removed",          INFO, INFO, "The operation id {old} was removed or replaced."),
    # Security: a requirement is an alternative, with all that it takes. Since oasdiff 1.30 these break.
    Rule("api-security-added",                ERR,  ERR,  "The security requirement {name} was added."),
    Rule("api-security-removed",              ERR,  ERR,  "The security requirement {name} was removed."),
    Rule("api-security-scope-added",          ERR,  ERR,  "The scope {name} was added to what the operation requires."),
    Rule("api-security-scope-removed",        INFO, INFO, "The scope {name} is no longer required."),
    Rule("api-global-security-added",         ERR,  ERR,  "All operations require {name} now."),
    Rule("api-global-security-removed",       ERR,  ERR,  "Not all operations require {name} any more."),
    Rule("api-global-security-scope-added",   ERR,  ERR,  "The scope {name} was added to what all operations require."),
    Rule("api-global-security-scope-removed", INFO, INFO, "The scope {name} is no longer required of all operations."),
    Rule("api-security-component-added",      INFO, INFO, "The security scheme {name} was added."),
    Rule("api-security-component-removed",    INFO, INFO, "The security scheme {name} was removed."),
    Rule("api-security-component-type-changed", INFO, INFO, "The security scheme {name} changed from {old} to {new}."),
    Rule("api-security-component-oauth-url-changed", INFO, INFO,
         "The authorization URL of {name} changed from {old} to {new}."),
    Rule("api-security-component-oauth-token-url-changed", INFO, INFO,
         "The token URL of {name} changed from {old} to {new}."),
    Rule("api-security-component-oauth-scope-added", INFO, INFO, "The scope {name} was added to a security scheme."),
    Rule("api-security-component-oauth-scope-removed", INFO, INFO, "The scope {name} left a security scheme."),
    # Parameters
    Rule("new-request-path-parameter",        ERR,  ERR,  "{what} was added."),
    Rule("new-required-request-default-parameter-to-existing-path", ERR, ERR,
         "{what} was added to all operations of the path, and is required."),
    Rule("new-optional-request-default-parameter-to-existing-path", INFO, INFO,
         "{what} was added to all operations of the path, and is optional."),
    Rule("request-parameter-removed-with-deprecation", INFO, INFO, "{what} was removed, after it was deprecated."),
    Rule("request-parameter-style-changed",   ERR,  ERR,  "{what} is written in another style: {new}, not {old}."),
    # Bodies, media types, statuses, headers
    Rule("request-body-added-required",       ERR,  ERR,  "A request body was added, and is required."),
    Rule("request-body-added-optional",       INFO, INFO, "An optional request body was added."),
    Rule("request-body-removed",              ERR,  ERR,  "The request body was removed."),
    Rule("request-body-media-type-added",     INFO, INFO, "The request body may be {name} now."),
    Rule("request-body-media-type-removed",   ERR,  ERR,  "The request body can no longer be {name}."),
    Rule("*-media-type-schema-added",         ERR,  INFO, "{what} has a schema now."),
    Rule("*-media-type-schema-removed",       INFO, WARN, "{what} has no schema any more."),
    Rule("response-media-type-added",         INFO, INFO, "The response {name} was added."),
    Rule("response-media-type-removed",       ERR,  ERR,  "The response {name} was removed."),
    Rule("response-media-type-name-changed",  INFO, INFO, "The media type {old} is written {new} now."),
    Rule("response-media-type-name-generalized", ERR, ERR, "The media type {old} became {new}, which says less."),
    Rule("response-media-type-name-specialized", INFO, INFO, "The media type {old} became {new}, which says more."),
    Rule("response-success-status-added",     INFO, INFO, "The success status {name} was added."),
    Rule("response-success-status-removed",   ERR,  ERR,  "The success status {name} was removed."),
    Rule("response-non-success-status-added", INFO, INFO, "The status {name} was added."),
    Rule("response-non-success-status-removed", INFO, INFO, "The status {name} was removed."),
    Rule("required-response-header-removed",  ERR,  ERR,  "{what} was removed, and was always sent."),
    # Properties
    Rule("new-required-*",                    ERR,  ERR,  "{what} was added, and is required."),
    Rule("new-required-*-with-default",       ERR,  ERR,  "{what} was added, and is required, with a default."),
    Rule("new-optional-*",                    INFO, INFO, "{what} was added, and is optional."),
    Rule("*-removed",                         WARN, WARN, "{what} was removed."),
    Rule("*-became-required",                 ERR,  INFO, "{what} became required."),
    Rule("*-became-required-with-default",    ERR,  INFO, "{what} became required, with a default."),
    Rule("*-became-optional",                 INFO, ERR,  "{what} became optional."),
    Rule("response-required-property-added",  INFO, INFO, "{what} was added, and is always there."),
    Rule("response-optional-property-added response-header-added", INFO, INFO, "{what} was added."),
    Rule("response-required-property-removed", ERR, ERR,  "{what} was removed, and was required."),
    Rule("response-optional-property-removed", INFO, INFO, "{what} was removed, and was optional."),
    Rule("optional-response-header-removed",  INFO, INFO, "{what} was removed, and was optional."),
    Rule("*-became-read-only",                INFO, INFO, "{what} became read-only."),
    Rule("*-became-not-read-only",            INFO, INFO, "{what} is no longer read-only."),
    Rule("*-became-write-only",               INFO, INFO, "{what} became write-only."),
    Rule("*-became-not-write-only",           INFO, INFO, "{what} is no longer write-only."),
    Rule("response-required-property-became-not-write-only", WARN, WARN, "{what} is no longer write-only."),
    Rule("*-deprecated",                      INFO, INFO, "{what} was deprecated."),
    Rule("*-reactivated",                     INFO, INFO, "{what} is no longer deprecated."),
    # Types and values
    Rule("*-type-changed",                    ERR,  ERR,  "{what} changed its type from {old} to {new}."),
    Rule("*-type-generalized *-list-of-types-widened", INFO, ERR,  "{what} may be {new} now, not only {old}."),
    Rule("*-type-specialized *-list-of-types-narrowed", ERR,  INFO, "{what} is {new} now, no longer {old}."),
    Rule("*-type-compatible",                 INFO, INFO, "{what} changed from {old} to {new}, written alike."),
    Rule("request-parameter-property-type-changed", WARN, WARN, "{what} changed its type from {old} to {new}."),
    Rule("*-became-nullable",                 INFO, ERR,  "{what} may be null now."),
    Rule("*-became-not-nullable",             ERR,  INFO, "{what} can no longer be null."),
    Rule("*-became-enum",                     ERR,  INFO, "{what} is restricted to the values {new}."),
    Rule("*-became-not-enum",                 INFO, ERR,  "{what} is no longer restricted to the values {old}."),
    Rule("*-enum-value-added",                INFO, WARN, "{what} may have the value {name} now."),
    Rule("*-enum-value-removed",              ERR,  INFO, "{what} can no longer have the value {name}."),
    Rule("*-const-added",                     ERR,  INFO, "{what} can only be {new} now."),
    Rule("*-const-removed",                   INFO, ERR,  "{what} need no longer be {old}."),
    Rule("*-const-changed",                   ERR,  ERR,  "{what} must be {new}, not {old}."),
    Rule("*-default-value-added",             INFO, INFO, "{what} has the default {new} now."),
    Rule("*-default-value-removed",           INFO, INFO, "{what} no longer has the default {old}."),
    Rule("*-default-value-changed",           INFO, INFO, "{what} changed its default from {old} to {new}."),
    # Restrictions: set, unset, and moved either way. Removing one from a response breaks since oasdiff 1.31.
    Rule("*-max-increased *-min-decreased",   INFO, ERR,  "{what} allows more: {name} was {old}, and is {new}."),
    Rule("*-max-decreased *-min-increased",   ERR,  INFO, "{what} allows less: {name} was {old}, and is {new}."),
    Rule("*-set",                             ERR,  INFO, "{what} is restricted now: {name} is {new}."),
    Rule("*-unset",                           INFO, ERR,  "{what} is no longer restricted: {name} was {old}."),
    Rule("*-pattern-added",                   ERR,  INFO, "{what} must match {new} now."),
    Rule("*-pattern-removed",                 INFO, ERR,  "{what} need no longer match {old}."),
    Rule("*-pattern-changed",                 WARN, INFO, "{what} must match {new}, not {old}."),
    Rule("*-pattern-generalized",             INFO, ERR,  "{what} may be any text, and matched {old} before."),
    Rule("*-multiple-of-changed",             WARN, WARN, "{what} must be a multiple of {new}, not {old}."),
    Rule("*-content-media-type-changed",      ERR,  ERR,  "{what} holds {new}, not {old}."),
    Rule("*-content-encoding-changed",        ERR,  ERR,  "{what} is encoded as {new}, not {old}."),
    Rule("*-dependent-required-added",        ERR,  INFO, "{what} needs {new} where it has {name}."),
    Rule("*-dependent-required-removed",      INFO, ERR,  "{what} no longer needs {old} where it has {name}."),
    Rule("*-dependent-required-changed",      ERR,  ERR,  "{what} needs {new}, not {old}, where it has {name}."),
    # Schemas within a schema
    Rule("*-part-added",                      ERR,  INFO, "{what} is restricted by `{name}` now."),
    Rule("*-part-removed",                    INFO, ERR,  "{what} is no longer restricted by `{name}`."),
    Rule("*-prefix-items-added",              INFO, ERR,  "{what} has another described first item: {name}."),
    Rule("*-prefix-items-removed",            ERR,  INFO, "{what} no longer describes its first item {name}."),
    Rule("*-any-of-added *-one-of-added",     INFO, WARN, "{what} may also be {name}."),
    Rule("*-any-of-removed *-one-of-removed", ERR,  INFO, "{what} can no longer be {name}."),
    Rule("*-one-of-generalized",              INFO, WARN, "{what} may match several of its schemas at once."),
    Rule("*-any-of-specialized",              WARN, INFO, "{what} must match only one of its schemas."),
    Rule("*-wrapped-in-one-of",               ERR,  ERR,  "{what} is one of several schemas now, none as before."),
    Rule("*-discriminator-added",             INFO, INFO, "{what} has the discriminator {new} now."),
    Rule("*-discriminator-removed",           INFO, INFO, "{what} no longer has the discriminator {old}."),
    Rule("*-discriminator-property-name-changed", INFO, INFO, "{what} is told apart by {new}, not {old}."),
    Rule("*-discriminator-mapping-added",     INFO, INFO, "{what} has the discriminator value {name} now."),
    Rule("*-discriminator-mapping-deleted",   INFO, INFO, "{what} no longer has the discriminator value {name}."),
    Rule("*-discriminator-mapping-changed",   INFO, INFO, "{what} means {new}, not {old}, by the value {name}."),
    # Said beside what changed in the flattened schema, and as bad as that; never on its own.
    Rule("*-all-of-added",                    INFO, INFO, "{what} has more parts in `allOf`."),
    Rule("*-all-of-removed",                  INFO, INFO, "{what} has fewer parts in `allOf`."),
) for identifier in rule.ids.split()}
# fmt: on

_KIND_OF_LIMIT = re.compile(
    r"-(length|items|properties|contains)(?=-(increased|decreased|set|unset)$)"
)


def level_of(identifier: str, direction: Direction) -> Level | None:
    """The level of an id as the table has it, whatever the place in it; None where there is no such rule."""
    rule = (
        RULES.get(_row(identifier))
        if identifier in RULES or identifier.startswith(direction)
        else None
    )
    return rule and (rule.response if direction == "response" else rule.request)


def _row(identifier: str) -> str:
    """The id in the table of what has an id, or a pattern of one: the same, or the longest that it ends with."""
    if identifier in RULES:
        return identifier
    plain = _KIND_OF_LIMIT.sub("", identifier)
    return max(
        (key for key in RULES if key[0] == "*" and plain.endswith(key[1:])), key=len, default=""
    )


_READ_ONLY = {
    *(
        "enum-value-removed",
        "max-decreased",
        "exclusive-max-decreased",
        "max-length-decreased",
        "min-increased",
    ),
    "exclusive-min-increased",
}
"""What has an id of its own where a property that is only read changes in a request; of others only the level falls."""

_WRITE_ONLY = {"enum-value-added", "became-optional", "became-required"}
"""The same where a property that is only written changes in a response."""

_HEADERS = {"became-enum", "became-required"}
"""What has an id of its own where it is in an object that is sent as a header."""


@dataclass(frozen=True)
class Place:
    """Where the comparison is, as far as rules and sentences are concerned."""

    operation: str = ""
    direction: Direction = "none"
    kind: str = ""
    """`body`, `parameter` or `header`."""
    name: str = ""
    """What a person calls it, such as `the query parameter limit`."""
    path: tuple[str, ...] = ()
    """The steps from there to a schema within its schema."""
    unused: bool = False
    """Whether it is never sent: read-only in a request, write-only in a response."""
    inverted: bool = False
    """Whether it is within `not` or `if`, where more may mean less: the worse of both directions counts."""
    unstable: bool = False
    """Whether the operation is a draft, so that nothing in it can break."""
    loose: bool = False
    """Whether values are written as text whatever their type, as they are outside JSON."""
    exploded: bool = False
    """Whether it is a query parameter of which a list is written as the parameter repeated."""

    @property
    def side(self) -> str:
        """The place in an id, such as `request-body`, or `response-property` below that."""
        kind = (
            self.kind
            if not self.nested
            else "property"
            if self.kind == "body"
            else f"{self.kind}-property"
        )
        return f"{self.direction}-{kind}"

    @property
    def nested(self) -> bool:
        """Whether it is a part of what is sent; the elements of a list are no part of a parameter, but its values."""
        return any(step != "items" for step in self.path) or bool(self.path and self.kind == "body")

    @property
    def what(self) -> str:
        """The place in a sentence."""
        return f"{self.name}, at `{'/'.join(self.path)}`," if self.path else self.name

    def below(self, *steps: str) -> Place:
        """A place further in."""
        return replace(self, path=(*self.path, *steps))

    def change(
        self,
        rule: str,
        base: str,
        revision: str,
        old: object = "",
        new: object = "",
        *,
        name: object = "",
    ) -> Change:
        """The change that a row of the table gives here.

        Args:
            rule: the row, by its id; or an id that says more than that, with `*` for the place.
            base: the pointer in the base.
            revision: the pointer in the revision.
            old: what there was.
            new: what there is.
            name: what came or went.
        """
        identifier, row = self._identifier(rule), RULES[_row(rule)]
        text = row.text.format(what=self.what, old=old or "none", new=new or "none", name=name)
        text, level = text[:1].upper() + text[1:], self._level(RULES.get(identifier, row))
        return Change(
            identifier, level, self.operation, self.direction, base, revision, text, str(name)
        )

    def _identifier(self, pattern: str) -> str:
        action = pattern.removeprefix("*-")
        side = self.side
        if side == "response-body" and action.startswith("enum-value-"):
            side = "response-mediatype"
        if side == "request-property" and self.unused and action in _READ_ONLY:
            side = "request-read-only-property"
        if side == "response-property" and self.unused and action in _WRITE_ONLY:
            side = "response-write-only-property"
        in_header = self.nested and self.name.startswith("the header parameter")
        if in_header and (action in _HEADERS or pattern == "new-required-*"):
            side = "request-header-property"
        return pattern.replace("*", side)

    def _level(self, rule: Rule) -> Level:
        if self.unused or self.unstable:
            return INFO
        if self.inverted:
            return worst((rule.request, rule.response))
        return rule.response if self.direction == "response" else rule.request


def moved(before: Iterable[str], after: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that came or went, each with what it did, in the order of either side."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    yield from ((name, "removed") for name in old if name not in new)
    yield from ((name, "added") for name in new if name not in old)


def event(before: object, after: object) -> str:
    """What became of a thing that differs: it was added where nothing was before, removed, or changed."""
    return "added" if not before else "removed" if not after else "changed"


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; `INFO` of none."""
    found = set(levels)
    return ERR if ERR in found else WARN if WARN in found else INFO
