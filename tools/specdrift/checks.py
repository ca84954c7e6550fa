"""Lists the checks: every id that a change can have, with its severities and its sentence.

A rule whose id contains a `*` stands for one check in each place. `CHECKS` contains the ids that
are formed so. A few never occur, because the comparison reports something more precise there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .comparison.schemas.ids import keyword_in_id
from .model.schema import LOWER_LIMITS, UPPER_LIMITS
from .rules import GROUPS, RULES, Direction, Level, Rule

_REQUEST_PLACES = (
    "request-parameter",
    "request-parameter-property",
    "request-header",
    "request-header-property",
    "request-body",
    "request-property",
    "request-read-only-property",
)
_RESPONSE_PLACES = (
    "response-parameter",
    "response-parameter-property",
    "response-header",
    "response-header-property",
    "response-body",
    "response-mediatype",
    "response-property",
    "response-write-only-property",
)
PLACES = (*_REQUEST_PLACES, *_RESPONSE_PLACES)
"""What `*` stands for. `comparison/context.py` chooses among them.

In a callback, the API sends the request. So `response-parameter` and `request-header` exist too.
"""

_PLACES_OF_FLAGS = (
    "request-required-property",
    "request-optional-property",
    "response-required-property",
    "response-optional-property",
)
"""The places of changed `readOnly` and `writeOnly`, where oasdiff names the requirement."""

_FLAG = re.compile(r"-(read|write)-only$")

_KEYWORDS_WITH_SCHEMAS = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "dependentSchema",
    "else",
    "if",
    "items",
    "not",
    "patternProperty",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
"""The keywords that `*-restriction-added` and `*-restriction-removed` stand for."""

_KEYWORDS_THAT_ARE_SET = (*sorted(LOWER_LIMITS | UPPER_LIMITS), "multipleOf", "uniqueItems")
"""The keywords that `*-set` and `*-unset` stand for. `multipleOf` can also change."""

_WRITE_ONLY_PROPERTY = re.compile(r"^(response-\w+)-property-(added|removed)$")
"""The rules of response properties, which have ids of their own if the property is write-only."""


@dataclass(frozen=True)
class Check:
    """A rule and the ids of its changes."""

    rule: Rule
    group: str
    """The subject, such as `parameters`."""
    ids: tuple[str, ...]
    """The check ids. They are several if the id of the rule contains a `*`."""

    @property
    def levels(self) -> dict[Direction, Level]:
        """The severity in each direction that the ids have."""
        directions = dict.fromkeys(_direction(check_id) for check_id in self.ids)
        return {direction: self.rule.severity.level(direction) for direction in directions}

    @property
    def text(self) -> str:
        """The sentence, with words in capitals for what differs between changes."""
        return self.rule.text.format(what="PLACE", name="NAME", old="OLD", new="NEW")


def _checks() -> Iterator[Check]:
    for group, rules in GROUPS.items():
        for rule in rules:
            yield Check(rule, group, tuple(_ids(rule.id)))


def _ids(rule_id: str) -> Iterator[str]:
    if "*" not in rule_id:
        yield rule_id
        if match := _WRITE_ONLY_PROPERTY.match(rule_id):
            yield f"{match[1]}-write-only-property-{match[2]}"
        return
    for specific_id in _with_keywords(rule_id):
        for place in _places(rule_id):
            check_id = specific_id.replace("*", place)
            # A rule for exactly one place comes before the pattern.
            if check_id not in RULES:
                yield check_id


def _with_keywords(rule_id: str) -> Iterable[str]:
    """The id with each keyword that a rule covers; for most rules only the id itself."""
    action = rule_id.removeprefix("*-")
    if action in ("set", "unset"):
        return [f"*-{keyword_in_id(keyword)}-{action}" for keyword in _KEYWORDS_THAT_ARE_SET]
    if action.startswith("restriction-"):
        ending = action.removeprefix("restriction-")
        return [f"*-{keyword_in_id(keyword)}-{ending}" for keyword in _KEYWORDS_WITH_SCHEMAS]
    if match := re.fullmatch("(min|max)-(increased|decreased)", action):
        limits = LOWER_LIMITS if match[1] == "min" else UPPER_LIMITS
        return [f"*-{keyword_in_id(keyword)}-{match[2]}" for keyword in sorted(limits)]
    return [rule_id]


def _places(rule_id: str) -> Iterable[str]:
    if _FLAG.search(rule_id):
        return _PLACES_OF_FLAGS
    # A response has rules of its own for added properties.
    if rule_id.startswith("new-"):
        return _REQUEST_PLACES
    return PLACES


def _direction(check_id: str) -> Direction:
    """The direction of a check, as its id says."""
    if "request-" in check_id:
        return Direction.REQUEST
    if "response-" in check_id:
        return Direction.RESPONSE
    return Direction.NONE


CHECKS = tuple(_checks())
"""All checks by rule, in the order of `rules.py`."""

CHECK_IDS = frozenset(check_id for check in CHECKS for check_id in check.ids)
"""The ids of all checks."""
