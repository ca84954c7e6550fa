"""What each control request does with the emulator, and the JSON of its response."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, TypeAlias

from .access import TokenAccess, as_access, check_token
from .clock import seconds_ahead
from .control_problem import ControlProblemError, pointer_to, summary
from .control_reports import findings_json, webhooks_json
from .emulator import Emulator
from .faults import Fault, FaultRule, fault_from
from .log_redaction import HIDDEN, has_secret_body, visible_headers, visible_target
from .messages import Exchange, Request
from .schema import CompiledSchema, JsonObject
from .token_endpoint import Grant, TokenEndpoint

DISTRIBUTION = "leadconnector-emulator"


@dataclass(frozen=True)
class ControlCall:
    """The valid values of a control request."""

    path_values: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    """The data of the body; `None` without one."""


Action: TypeAlias = "Callable[[ControlCall], Any]"
"""Carries out a control request, and returns the content of its response; `None` for no content."""


def actions(emulator: Emulator) -> Mapping[str, Action]:
    """The actions on an emulator, by method and path of `control.yaml`."""
    server = _ServerActions(emulator)
    faults = _FaultActions(emulator)
    resources = _ResourceActions(emulator)
    tokens = _TokenActions(emulator)
    exchanges = _ExchangeActions(emulator)
    return {
        "GET /_emulator/health": server.read_health,
        "POST /_emulator/reset": server.reset,
        "GET /_emulator/findings": server.list_findings,
        "GET /_emulator/webhooks": server.list_webhooks,
        "GET /_emulator/settings": server.read_settings,
        "PATCH /_emulator/settings": server.change_settings,
        "GET /_emulator/clock": server.read_clock,
        "POST /_emulator/clock/advance": server.advance_clock,
        "GET /_emulator/faults": faults.list_rules,
        "POST /_emulator/faults": faults.add,
        "PUT /_emulator/faults": faults.replace,
        "DELETE /_emulator/faults": faults.clear,
        "DELETE /_emulator/faults/{number}": faults.remove,
        "GET /_emulator/resources": resources.list_collections,
        "GET /_emulator/resources/{collection}": resources.list_resources,
        "GET /_emulator/resources/{collection}/{id}": resources.read_resource,
        "PUT /_emulator/resources/{collection}/{id}": resources.store,
        "DELETE /_emulator/resources/{collection}/{id}": resources.delete,
        "GET /_emulator/tokens": tokens.list_tokens,
        "POST /_emulator/tokens/accept": tokens.accept,
        "POST /_emulator/tokens/revoke": tokens.revoke,
        "POST /_emulator/tokens/expire": tokens.expire,
        "POST /_emulator/tokens/issue": tokens.issue,
        "GET /_emulator/exchanges": exchanges.list_exchanges,
        "DELETE /_emulator/exchanges": exchanges.clear,
    }


class _ServerActions:
    """Health, reset, settings and clock."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        # The settings before the first change over HTTP; `None` until then.
        self._initial_settings: JsonObject | None = None

    def read_health(self, call: ControlCall) -> JsonObject:
        """The version and the size of what is stored."""
        info: Mapping[str, Any] = self._emulator.spec.root.get("info", {})
        operations = self._emulator.spec.operations
        return {
            "status": "ok",
            "kind": self._emulator.kind,
            "version": _version(),
            "api": {"title": str(info.get("title", "")), "version": str(info.get("version", ""))},
            "operations": [f"{operation.method} {operation.path}" for operation in operations],
            "dropped": asdict(self._emulator.dropped),
        }

    def reset(self, call: ControlCall) -> None:
        """Restore the state of the start."""
        self._emulator.reset()
        if self._initial_settings is not None:
            self._apply(self._initial_settings)
            self._initial_settings = None

    def list_findings(self, call: ControlCall) -> JsonObject:
        """The findings of a proxy."""
        return findings_json(self._emulator)

    def list_webhooks(self, call: ControlCall) -> JsonObject:
        """The events that were sent."""
        return webhooks_json(self._emulator)

    def read_settings(self, call: ControlCall) -> JsonObject:
        """The options that can change."""
        return self._settings()

    def _settings(self) -> JsonObject:
        endpoint = self._emulator.token_endpoint
        return {
            "create_missing": self._emulator.create_missing,
            "token_endpoint": None if endpoint is None else _endpoint_json(endpoint),
        }

    def change_settings(self, call: ControlCall) -> JsonObject:
        """Change options.

        Raises:
            ControlProblemError: 422, the emulator has no token endpoint. Nothing is changed.
        """
        changes: JsonObject = call.body
        if "token_endpoint" in changes and self._emulator.token_endpoint is None:
            raise _problem(422, _NO_TOKEN_ENDPOINT, ("token_endpoint",))
        if self._initial_settings is None:
            self._initial_settings = self._settings()
        self._apply(changes)
        return self._settings()

    def _apply(self, changes: JsonObject) -> None:
        endpoint = self._emulator.token_endpoint
        if endpoint is not None:
            _change_endpoint(endpoint, changes.get("token_endpoint", {}))
        if "create_missing" in changes:
            self._emulator.create_missing = changes["create_missing"]

    def read_clock(self, call: ControlCall) -> JsonObject:
        """The time of the emulator."""
        clock = self._emulator.clock
        return {"now": clock(), "advanced": seconds_ahead(clock)}

    def advance_clock(self, call: ControlCall) -> JsonObject:
        """Let time pass."""
        self._emulator.advance_clock(call.body["seconds"])
        return self.read_clock(call)


class _FaultActions:
    """The faults in force."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def list_rules(self, call: ControlCall) -> JsonObject:
        """The faults with their counts."""
        rules = self._emulator.fault_rules
        return {"faults": [_rule_json(rule) for rule in rules]}

    def add(self, call: ControlCall) -> JsonObject:
        """Add a fault.

        Raises:
            ControlProblemError: 422, a value is invalid.
        """
        fault = _fault(call.body, ())
        (number,) = self._emulator.add_faults(fault)
        return _rule_json(FaultRule(number, fault))

    def replace(self, call: ControlCall) -> JsonObject:
        """Replace the faults.

        Raises:
            ControlProblemError: 422, a value is invalid. The faults in force stay.
        """
        faults = [_fault(rule, (index,)) for index, rule in enumerate(call.body)]
        self._emulator.set_faults(*faults)
        return self.list_rules(call)

    def clear(self, call: ControlCall) -> None:
        """Remove every fault."""
        self._emulator.set_faults()

    def remove(self, call: ControlCall) -> None:
        """Remove a fault.

        Raises:
            ControlProblemError: 404, there is no such fault.
        """
        number = int(call.path_values["number"])
        if not self._emulator.remove_fault(number):
            numbers = [str(rule.number) for rule in self._emulator.fault_rules]
            raise ControlProblemError(
                404, f"there is no fault {number}; the numbers are {', '.join(numbers) or 'none'}"
            )


class _ResourceActions:
    """The state: the resources of the API."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def list_collections(self, call: ControlCall) -> JsonObject:
        """The number of resources by collection."""
        return {"collections": self._counts()}

    def list_resources(self, call: ControlCall) -> JsonObject:
        """A part of a collection.

        Raises:
            ControlProblemError: 404, there is no such collection, or no resource with the id.
        """
        collection = self._collection(call)
        ids = self._emulator.resource_ids(collection)
        after = call.query["after"]
        start = 0
        if after is not None:
            if after not in ids:
                raise _no_resource(collection, after)
            start = ids.index(after) + 1
        limit = int(call.query["limit"])
        resources: list[JsonObject] = []
        for resource_id in ids[start : start + limit]:
            resource = self._emulator.get(collection, resource_id)
            # It may have been deleted in the meantime.
            if resource is not None:
                resources.append(resource)
        return {"total": len(ids), "resources": resources}

    def read_resource(self, call: ControlCall) -> JsonObject:
        """A resource.

        Raises:
            ControlProblemError: 404, there is none with this id.
        """
        collection = self._collection(call)
        resource_id: str = call.path_values["id"]
        resource = self._emulator.get(collection, resource_id)
        if resource is None:
            raise _no_resource(collection, resource_id)
        return resource

    def store(self, call: ControlCall) -> JsonObject:
        """Create or replace a resource.

        Raises:
            ControlProblemError: 404, there is no such collection. 422, a property is invalid.
        """
        collection: str = call.path_values["collection"]
        resource_id: str = call.path_values["id"]
        resource: JsonObject = {"id": resource_id, **call.body}
        if resource["id"] != resource_id:
            raise _problem(422, f"the id in the path is {resource_id!r}", ("id",))
        if call.query["validate"]:
            self._collection(call)
            self._check_properties(collection, resource)
        self._emulator.put(collection, resource)
        return resource

    def delete(self, call: ControlCall) -> None:
        """Remove a resource.

        Raises:
            ControlProblemError: 404, there is none with this id.
        """
        collection = self._collection(call)
        resource_id: str = call.path_values["id"]
        if not self._emulator.delete(collection, resource_id):
            raise _no_resource(collection, resource_id)

    def _counts(self) -> dict[str, int]:
        counts = {operation.collection: 0 for operation in self._emulator.spec.operations}
        return counts | self._emulator.resource_counts()

    def _collection(self, call: ControlCall) -> str:
        """The collection of the path.

        Raises:
            ControlProblemError: 404, there is no such collection.
        """
        collection: str = call.path_values["collection"]
        counts = self._counts()
        if collection not in counts:
            names = ", ".join(sorted(counts))
            raise ControlProblemError(
                404, f"there is no collection {collection!r}; the collections are {names}"
            )
        return collection

    def _check_properties(self, collection: str, resource: JsonObject) -> None:
        """Require properties that a response may show.

        Raises:
            ControlProblemError: 422, a property is not documented, or has an invalid value.
        """
        schemas_by_name = self._property_schemas(collection)
        if not schemas_by_name:
            return
        # It identifies the resource, also where no response shows it.
        schemas_by_name.setdefault("id", [])
        errors: list[JsonObject] = []
        for name, value in resource.items():
            messages = _property_violations(name, value, schemas_by_name)
            if messages:
                errors.append({"detail": "; ".join(messages), "pointer": pointer_to((name,))})
        if errors:
            detail = f"{summary(errors)}; ?validate=false stores it all the same"
            raise ControlProblemError(422, detail, errors)

    def _property_schemas(self, collection: str) -> dict[str, list[CompiledSchema]]:
        """The schemas of each property that responses show, or that requests set."""
        spec = self._emulator.spec
        schemas_by_name: dict[str, list[CompiledSchema]] = {}
        operations = [
            operation for operation in spec.operations if operation.collection == collection
        ]
        for operation in operations:
            if operation.shape is not None:
                for name, schema in operation.shape.properties.items():
                    schemas_by_name.setdefault(name, []).append(schema)
        for operation in operations:
            if operation.body_schema is None:
                continue
            for name, property_schema in spec.properties(operation.body_schema.schema).items():
                # The schema of a response takes precedence: a response must show the value.
                if name not in schemas_by_name:
                    schemas_by_name[name] = [spec.compile(property_schema)]
        return schemas_by_name


class _TokenActions:
    """The access tokens that the API accepts."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def list_tokens(self, call: ControlCall) -> JsonObject:
        """The tokens that are valid."""
        tokens: list[JsonObject] = []
        for token, access in dict(self._emulator.tokens).items():
            tokens.append(_token_json(token, as_access(access), None))
        for token, grant in self._grants().items():
            tokens.append(_token_json(token, grant.access, grant.expires_at))
        return {"tokens": tokens}

    def accept(self, call: ControlCall) -> JsonObject:
        """Accept a token, or change what it is valid for.

        Raises:
            ControlProblemError: 422, a header cannot contain the token.
        """
        token: str = call.body["token"]
        try:
            check_token(token)
        except ValueError as error:
            raise _problem(422, str(error), ("token",)) from error
        access = TokenAccess(
            locations=call.body.get("locations"),
            scopes=call.body.get("scopes"),
            user_type=call.body.get("user_type", "Location"),
        )
        self._emulator.tokens[token] = access
        return _token_json(token, access, None)

    def revoke(self, call: ControlCall) -> None:
        """Make a token invalid.

        Raises:
            ControlProblemError: 404, the token is unknown.
        """
        token: str = call.body["token"]
        endpoint = self._emulator.token_endpoint
        is_known = token in self._emulator.tokens
        self._emulator.tokens.pop(token, None)
        if endpoint is not None:
            is_known = endpoint.revoke(token) or is_known
        if not is_known:
            raise ControlProblemError(404, "the token is unknown: it was revoked, or never valid")

    def expire(self, call: ControlCall) -> JsonObject:
        """Let one token expire, or every issued one.

        Raises:
            ControlProblemError: 404, no such token was issued.
        """
        body: JsonObject = call.body or {}
        token: str | None = body.get("token")
        tokens = list(self._grants()) if token is None else [token]
        now = self._emulator.clock()
        count = 0
        for access_token in tokens:
            endpoint = self._emulator.token_endpoint
            if endpoint is not None and endpoint.expire(access_token, now):
                count += 1
        if token is not None and count == 0:
            raise ControlProblemError(
                404,
                "the token endpoint issued no such token, or it has expired; to reject another"
                " token, revoke it",
            )
        return {"expired": count}

    def issue(self, call: ControlCall) -> JsonObject:
        """Issue tokens for a location.

        Raises:
            ControlProblemError: 409, the emulator has no token endpoint.
        """
        endpoint = self._emulator.token_endpoint
        if endpoint is None:
            raise ControlProblemError(409, _NO_TOKEN_ENDPOINT)
        access_token, refresh_token = endpoint.issue(
            call.body["location"],
            self._emulator.clock(),
            expires_in=call.body.get("expires_in"),
        )
        return {"access_token": access_token, "refresh_token": refresh_token}

    def _grants(self) -> dict[str, Grant]:
        endpoint = self._emulator.token_endpoint
        if endpoint is None:
            return {}
        return endpoint.grants(self._emulator.clock())


class _ExchangeActions:
    """The log."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def list_exchanges(self, call: ControlCall) -> JsonObject:
        """A part of the log, without credentials."""
        after = int(call.query["after"])
        excerpt = self._emulator.exchanges_after(after, int(call.query["limit"]))
        first_number = max(after, excerpt.dropped) + 1
        exchanges = [
            _exchange_json(number, exchange)
            for number, exchange in enumerate(excerpt.exchanges, start=first_number)
        ]
        return {"total": excerpt.total, "dropped": excerpt.dropped, "exchanges": exchanges}

    def clear(self, call: ControlCall) -> None:
        """Clear the log."""
        self._emulator.clear_exchanges()


_NO_TOKEN_ENDPOINT = (
    "the emulator has no token endpoint: start it with --oauth, with --refresh-token and"
    " --location, or with Emulator(token_endpoint=…)"
)


def _problem(status: int, detail: str, place: tuple[str | int, ...]) -> ControlProblemError:
    """A problem with one value of the body."""
    errors: list[JsonObject] = [{"detail": detail, "pointer": pointer_to(place)}]
    return ControlProblemError(status, summary(errors), errors)


def _no_resource(collection: str, resource_id: str) -> ControlProblemError:
    return ControlProblemError(
        404, f"{collection}: there is no resource with the id {resource_id!r}"
    )


def _version() -> str | None:
    """The version of the installed distribution; a checkout on `PYTHONPATH` has none."""
    # Most processes with a server need no version.
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def _endpoint_json(endpoint: TokenEndpoint) -> JsonObject:
    return {
        "expires_in": endpoint.expires_in,
        "scopes": _names(endpoint.scopes),
        "user_type": endpoint.user_type,
        "refreshes": endpoint.refreshes,
    }


def _change_endpoint(endpoint: TokenEndpoint, changes: JsonObject) -> None:
    if "expires_in" in changes:
        endpoint.expires_in = changes["expires_in"]
    if "scopes" in changes:
        endpoint.scopes = changes["scopes"]
    if "user_type" in changes:
        endpoint.user_type = changes["user_type"]


def _fault(rule: JsonObject, place: tuple[str | int, ...]) -> Fault:
    """A fault from the data of a body.

    Raises:
        ControlProblemError: 422, a value violates a rule that the schema does not express.
    """
    try:
        return fault_from(rule)
    except ValueError as error:
        raise _problem(422, str(error), place) from error


def _rule_json(rule: FaultRule) -> JsonObject:
    return {
        "number": rule.number,
        "fault": fault_json(rule.fault),
        "matched": rule.matched,
        "applied": rule.applied,
    }


def fault_json(fault: Fault) -> JsonObject:
    """The fields of a fault that differ from their defaults, as a control request has them."""
    default_values = vars(Fault())
    values: JsonObject = {}
    for name, value in vars(fault).items():
        if value == default_values[name]:
            continue
        if isinstance(value, float) and not isfinite(value):
            # JSON has no infinity.
            values[name] = str(value)
        elif isinstance(value, Mapping):
            values[name] = dict(value)  # pyright: ignore[reportUnknownArgumentType]
        else:
            values[name] = value
    return values


def _property_violations(
    name: str, value: Any, schemas_by_name: Mapping[str, list[CompiledSchema]]
) -> list[str]:
    """Why the spec does not allow a property; empty if it does."""
    if name not in schemas_by_name:
        allowed_names = ", ".join(sorted(schemas_by_name))
        return [f"the spec does not document it; the properties are {allowed_names}"]
    schemas = schemas_by_name[name]
    for schema in schemas:
        if schema.is_valid(value):
            return []
    return schemas[0].violations(value) if schemas else []


def _token_json(token: str, access: TokenAccess, expires_at: float | None) -> JsonObject:
    return {
        "token": token,
        "locations": _names(access.locations),
        "scopes": _names(access.scopes),
        "user_type": access.user_type,
        "expires_at": expires_at,
    }


def _names(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _exchange_json(number: int, exchange: Exchange) -> JsonObject:
    """An exchange without credentials."""
    request = exchange.request
    response = exchange.response
    response_message = _message_json(request, response.headers, response.body)
    return {
        "number": number,
        "method": request.method,
        "target": visible_target(request),
        "request": _message_json(request, request.headers, request.body),
        "response": {
            "status": response.status,
            "is_complete": response.has_complete_body,
            **response_message,
        },
        "fault": _logged_fault_json(exchange.fault),
    }


def _logged_fault_json(fault: object) -> JsonObject | None:
    if not isinstance(fault, Fault):
        return None
    values = fault_json(fault)
    if "header" in values:
        # A pattern may contain a token.
        values["header"] = dict.fromkeys(values["header"], HIDDEN)
    return values


def _message_json(request: Request, headers: Mapping[str, str], body: bytes) -> JsonObject:
    text = HIDDEN
    encoding = "utf-8"
    if not body or not has_secret_body(request):
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = base64.b64encode(body).decode()
            encoding = "base64"
    return {
        "headers": visible_headers(request, headers),
        "body": text,
        "body_encoding": encoding,
    }
