"""The JSON in which the control over HTTP shows the settings, faults, tokens and exchanges."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any

from .access import TokenAccess
from .emulator import Emulator
from .faults import Fault, FaultRule, non_default_fields
from .log_redaction import HIDDEN, has_secret_body, visible_headers, visible_target
from .messages import Exchange, Request
from .schema import JsonObject
from .token_endpoint import TokenEndpoint


def settings_json(emulator: Emulator) -> JsonObject:
    """The options that can change."""
    endpoint = emulator.token_endpoint
    return {
        "create_missing": emulator.create_missing,
        "token_endpoint": None if endpoint is None else _endpoint_json(endpoint),
    }


def _endpoint_json(endpoint: TokenEndpoint) -> JsonObject:
    return {
        "expires_in": endpoint.expires_in,
        "scopes": _sorted_or_none(endpoint.scopes),
        "user_type": endpoint.user_type,
        "refreshes": endpoint.refreshes,
    }


def rule_json(rule: FaultRule) -> JsonObject:
    """A fault in force, with its counts."""
    return {
        "number": rule.number,
        "fault": _fault_json(rule.fault),
        "matched": rule.matched,
        "applied": rule.applied,
    }


def _fault_json(fault: Fault) -> JsonObject:
    """The fields of a fault that differ from their defaults, as a control request has them."""
    values: JsonObject = {}
    for name, value in non_default_fields(fault).items():
        if isinstance(value, float) and not isfinite(value):
            # JSON has no infinity.
            values[name] = str(value)
        elif isinstance(value, Mapping):
            values[name] = dict(value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            values[name] = value
    return values


def token_json(token: str, access: TokenAccess, expires_at: float | None) -> JsonObject:
    """A token with what it is valid for; `expires_at` is `None` if it does not expire."""
    return {
        "token": token,
        "locations": _sorted_or_none(access.locations),
        "scopes": _sorted_or_none(access.scopes),
        "user_type": access.user_type,
        "expires_at": expires_at,
    }


def exchange_json(number: int, exchange: Exchange) -> JsonObject:
    """An exchange without credentials."""
    request = exchange.request
    response = exchange.response
    content: JsonObject = {
        "number": number,
        "method": request.method,
        "target": visible_target(request),
        "request": _message_json(request, request.headers, request.body),
        "response": {
            "status": response.status,
            "is_complete": response.has_complete_body,
            **_message_json(request, response.headers, response.body),
        },
        "fault": _logged_fault_json(exchange.fault),
    }
    if exchange.findings:
        content["findings"] = [finding.content() for finding in exchange.findings]
    return content


def _logged_fault_json(fault: Fault | None) -> JsonObject | None:
    if fault is None:
        return None
    values = _fault_json(fault)
    if "header" in values:
        # A pattern may contain a token.
        values["header"] = dict.fromkeys(values["header"], HIDDEN)
    return values


def _message_json(request: Request, headers: Mapping[str, str], body: bytes) -> JsonObject:
    """The headers and the body of a request, or of the response to it."""
    shown_headers = visible_headers(request, headers)
    if body and has_secret_body(request):
        return _encoded_message(shown_headers, HIDDEN, "utf-8")
    try:
        return _encoded_message(shown_headers, body.decode(), "utf-8")
    except UnicodeDecodeError:
        return _encoded_message(shown_headers, base64.b64encode(body).decode(), "base64")


def _encoded_message(headers: Mapping[str, Any], body: str, encoding: str) -> JsonObject:
    return {"headers": headers, "body": body, "body_encoding": encoding}


def _sorted_or_none(names: Collection[str] | None) -> list[str] | None:
    """The names in alphabetical order; `None` stands for all of them."""
    if names is None:
        return None
    return sorted(names)
