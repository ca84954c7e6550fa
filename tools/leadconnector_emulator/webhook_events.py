"""Decides from the spec which event a change of a resource causes, and builds it. No I/O."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from .schema import JsonObject
from .spec import Spec

TRIGGER = "x-sent-on-change"
"""The extension of the spec that names, by collection, the properties whose change is an event."""

TYPE_PROPERTY = "type"
TIMESTAMP_PROPERTY = "timestamp"
ID_PROPERTY = "webhookId"
"""The vendor's "Webhook Integration Guide": these are in every event."""


@dataclass(frozen=True)
class Event:
    """An event that is to be sent."""

    type: str
    id: str
    content: JsonObject
    """The whole event, with its type and its id."""


@dataclass(frozen=True)
class Change:
    """What one request changed."""

    collection: str
    properties: Set[str]
    """The properties whose value is another one than before."""
    resource: Mapping[str, Any]
    """The resource after the change."""


@dataclass(frozen=True)
class _Rule:
    """One webhook of the spec."""

    event_type: str
    trigger: Mapping[str, frozenset[str]]
    """The properties whose change sends the event, by collection."""
    properties: frozenset[str]
    """The properties of the event."""


class EventRules:
    """The webhooks of a spec that say when they are sent.

    Raises:
        ValueError: there is none, or the extension has another form.
    """

    def __init__(self, spec: Spec) -> None:
        self._rules = tuple(_rules(spec))
        if not self._rules:
            raise ValueError(
                f"the spec has no webhook with {TRIGGER}, so that no event would be sent: leave the"
                " webhook URL out"
            )

    def events(self, change: Change, now: float) -> Iterator[Event]:
        """The events of a change.

        Args:
            change: what a request changed.
            now: seconds since 1970.
        """
        for rule in self._rules:
            if rule.trigger.get(change.collection, frozenset()) & change.properties:
                yield _event(rule, change.resource, now)


def changed_properties(
    earlier_resource: Mapping[str, Any] | None, resource: Mapping[str, Any]
) -> frozenset[str]:
    """The properties that differ between two versions of a resource.

    Without an earlier version, every property is new.
    """
    earlier_values = earlier_resource or {}
    names = earlier_values.keys() | resource.keys()
    return frozenset(
        name
        for name in names
        if name not in earlier_values or earlier_values[name] != resource.get(name)
    )


def _event(rule: _Rule, resource: Mapping[str, Any], now: float) -> Event:
    event_id = str(uuid.uuid4())
    content: JsonObject = {
        TYPE_PROPERTY: rule.event_type,
        # As the vendor's examples: `2025-01-28T14:35:00.000Z`.
        TIMESTAMP_PROPERTY: datetime.fromtimestamp(now, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        ID_PROPERTY: event_id,
    }
    for name in sorted(rule.properties - content.keys()):
        if name in resource:
            content[name] = resource[name]
    return Event(rule.event_type, event_id, content)


def _rules(spec: Spec) -> Iterator[_Rule]:
    webhooks: JsonObject = spec.root.get("webhooks") or {}
    for event_type, path_item in webhooks.items():
        operation: JsonObject = spec.resolve(path_item).get("post") or {}
        if TRIGGER in operation:
            yield _rule(spec, event_type, operation)


def _rule(spec: Spec, event_type: str, operation: JsonObject) -> _Rule:
    trigger: dict[str, frozenset[str]] = {}
    try:
        for collection, names in operation[TRIGGER].items():
            trigger[collection] = frozenset(_names(names))
        body = spec.resolve(operation["requestBody"])
        schema = body["content"]["application/json"]["schema"]
    except (AttributeError, KeyError, TypeError):
        raise ValueError(
            f"webhook {event_type}: it needs a JSON body, and {TRIGGER} must map each collection to"
            " a list of properties"
        ) from None
    return _Rule(event_type, trigger, frozenset(spec.properties(schema)))


def _names(value: object) -> list[str]:
    """A list of names.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, list):
        raise TypeError
    return cast("list[str]", value)
