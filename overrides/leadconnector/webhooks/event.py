"""Turns the verified body of a request into the model of its event, or into a `WebhookEvent`."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .. import models
from .._generated import contract_text
from .._highlevel import (
    WEBHOOK_DATA_PROPERTY,
    WEBHOOK_ID_PROPERTY,
    WEBHOOK_TIMESTAMP_PROPERTY,
    WEBHOOK_TYPE_PROPERTY,
)
from .._runtime.contract_file import ContractSection, contract_value
from .._runtime.finding import Finding
from .._runtime.log import log_finding, logger
from .._runtime.protocols import GENERATED_CODE_ERRORS
from .._runtime.schema import Validator, compile_schema
from ..errors import WebhookBodyError

if TYPE_CHECKING:
    from .._generated.webhooks import WebhookModel

_ENVELOPE = frozenset({WEBHOOK_TYPE_PROPERTY, WEBHOOK_TIMESTAMP_PROPERTY, WEBHOOK_ID_PROPERTY})
"""The properties that describe an event of any type. Only the type is required."""

MAXIMUM_LOGGED_FINDINGS = 1000
"""How many different findings are logged: our own bound, as for a client."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An event as received: the spec does not describe its type, or it does not fit its model.

    The repr has no data.
    """

    type: str
    """The type of the event, such as `ContactCreate`."""
    webhook_id: str | None = field(repr=False)
    """Identifies the event, which can be received more than once. `None` if it has no id.

    A number is converted to text.
    """
    timestamp: str | None = field(repr=False)
    """When the event was created, as received. `None` if the event does not say it."""
    data: Mapping[str, Any] = field(repr=False)
    """The whole body as received."""


Event: TypeAlias = "WebhookEvent | WebhookModel"


def parse_event(body: bytes) -> WebhookEvent:
    """Read the body of an event.

    Raises:
        WebhookBodyError: it is no JSON object with a type.
    """
    data = _parse_json(body)
    if not isinstance(data, dict):
        raise WebhookBodyError("the body is signed, but is not a JSON object")
    properties = cast("dict[str, Any]", data)
    event_type = _text(properties, WEBHOOK_TYPE_PROPERTY)
    if not event_type:
        raise WebhookBodyError(
            f"the body is signed, but has no text {WEBHOOK_TYPE_PROPERTY!r}, which names the event"
        )
    return WebhookEvent(
        event_type,
        _identifier(properties),
        _text(properties, WEBHOOK_TIMESTAMP_PROPERTY),
        properties,
    )


def _parse_json(body: bytes) -> object:
    """The data of a body.

    Raises:
        WebhookBodyError: it is not JSON in UTF-8.
    """
    problem = "is not valid JSON"
    try:
        return _decoder.decode(body.decode())
    except UnicodeDecodeError:
        problem = "is not in UTF-8"
    except (ValueError, RecursionError):
        pass
    # Outside of the handlers: the exceptions of Python have the body as an attribute.
    raise WebhookBodyError(f"the body is signed, but {problem}")


class LoggedFindings:
    """The findings that were logged, at most `MAXIMUM_LOGGED_FINDINGS`."""

    def __init__(self) -> None:
        self._findings = set[Finding]()

    def log_once(self, finding: Finding) -> None:
        """Log a finding as a client does, unless an equal one was logged."""
        is_full = len(self._findings) >= MAXIMUM_LOGGED_FINDINGS
        if is_full or finding in self._findings:
            return
        self._findings.add(finding)
        log_finding(logging.WARNING, finding)


logged_findings = LoggedFindings()
"""Those of this process: `verify` is a function, so there is no client that could have them."""


def typed_event(event: WebhookEvent) -> Event:
    """The model of an event; the event itself if it has none, or does not fit it.

    Each deviation from the spec is logged.
    """
    entry = contract_value("webhooks").get(event.type)
    if entry is None:
        return event
    try:
        normalised = _validator(event.type).normalise(_flattened(event.data))
    except RecursionError as error:
        return _without_model(event, error)
    for finding in normalised.findings:
        logged_findings.log_once(finding)
    if normalised.misfit is not None:
        # A full list of findings may lack it.
        logged_findings.log_once(normalised.misfit)
        return event
    model = getattr(models, entry["model"])
    try:
        return cast("WebhookModel", model.from_dict(normalised.data))
    except GENERATED_CODE_ERRORS as error:
        return _without_model(event, error)


def _without_model(event: WebhookEvent, error: Exception) -> WebhookEvent:
    """Log that an event of a type with a model has none. The text of the error can quote data."""
    failure = type(error).__name__
    logger.warning(
        "%s: does not fit its model (%s), and is a WebhookEvent",
        event.type,
        failure,
        extra={"event": "webhook_event_without_model", "operation": event.type, "failure": failure},
    )
    return event


@cache
def _validator(event_type: str) -> Validator:
    """The compiled schema of a type of event that the contract has."""
    entry = contract_value("webhooks")[event_type]
    return compile_schema(
        entry["schema"],
        ContractSection(contract_text(), "schemas"),
        pointer=entry["schema_pointer"],
        operation=event_type,
        is_response=True,
    )


def _flattened(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of an event on one level.

    The vendor's guide shows them below `data`, and the page of each event beside the type.
    """
    other_names = data.keys() - _ENVELOPE
    if other_names != {WEBHOOK_DATA_PROPERTY}:
        return data
    nested_data = data[WEBHOOK_DATA_PROPERTY]
    if not isinstance(nested_data, dict):
        return data
    envelope = {name: data[name] for name in _ENVELOPE if name in data}
    return {**cast("dict[str, Any]", nested_data), **envelope}


def _text(properties: Mapping[str, Any], name: str) -> str | None:
    value = properties.get(name)
    if isinstance(value, str) and value:
        return value
    return None


def _identifier(properties: Mapping[str, Any]) -> str | None:
    """The id of an event as text; `None` if it is neither text nor a number."""
    value = properties.get(WEBHOOK_ID_PROPERTY)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # The vendor documents a text. A number identifies an event as well.
        return json.dumps(value)
    return _text(properties, WEBHOOK_ID_PROPERTY)


def _finite(number: str) -> float:
    """Parse a number of JSON, which has no NaN and no infinity (RFC 8259, section 6).

    Raises:
        ValueError: it is not finite as a float.
    """
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


_decoder = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
