"""What each control request does with the emulator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn, TypeAlias

from .access import TokenAccess, UserType, as_access, check_token
from .clock import seconds_ahead
from .control_json import exchange_json, rule_json, settings_json, token_json
from .control_problem import ControlProblemError, pointer_to, summary
from .control_reports import findings_json, webhooks_json
from .emulator import Emulator
from .faults import Fault, FaultRule, fault_from
from .places import PATH_PARAMETER
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
    exchanges = _ExchangeActions(emulator)
    return {
        "GET /_emulator/health": server.read_health,
        "POST /_emulator/reset": server.reset,
        "GET /_emulator/findings": server.list_findings,
        "GET /_emulator/webhooks": server.list_webhooks,
        "GET /_emulator/faults": faults.list_rules,
        "POST /_emulator/faults": faults.add,
        "PUT /_emulator/faults": faults.replace,
        "DELETE /_emulator/faults": faults.clear,
        "DELETE /_emulator/faults/{number}": faults.remove,
        "GET /_emulator/exchanges": exchanges.list_exchanges,
        "DELETE /_emulator/exchanges": exchanges.clear,
        **_state_actions(emulator, server),
    }


def _state_actions(emulator: Emulator, server: _ServerActions) -> Mapping[str, Action]:
    """The actions on what a proxy and a replay do not have."""
    resources = _ResourceActions(emulator)
    tokens = _TokenActions(emulator)
    state_actions: dict[str, Action] = {
        "GET /_emulator/settings": server.read_settings,
        "PATCH /_emulator/settings": server.change_settings,
        "GET /_emulator/clock": server.read_clock,
        "POST /_emulator/clock/advance": server.advance_clock,
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
    }
    reason = emulator.stateless_reason
    if reason is None:
        return state_actions

    def reject(call: ControlCall) -> NoReturn:
        raise ControlProblemError(409, reason)

    return dict.fromkeys(state_actions, reject)


@dataclass(frozen=True)
class _TokenSettings:
    """The settings of a token endpoint before a control request changed them."""

    endpoint: TokenEndpoint
    expires_in: float
    scopes: Collection[str] | None
    user_type: UserType

    @classmethod
    def of(cls, endpoint: TokenEndpoint) -> _TokenSettings:
        """The present settings of an endpoint."""
        return cls(endpoint, endpoint.expires_in, endpoint.scopes, endpoint.user_type)

    def restore(self) -> None:
        """Give the endpoint these settings again."""
        self.endpoint.expires_in = self.expires_in
        self.endpoint.scopes = self.scopes
        self.endpoint.user_type = self.user_type


class _ServerActions:
    """Health, reset, settings and clock."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        # Both are for `reset`, and empty until a control request changes such a setting.
        self._initial_create_missing: bool | None = None
        # A test may replace the token endpoint, so there may be several changed ones.
        self._initial_token_settings: list[_TokenSettings] = []

    def read_health(self, call: ControlCall) -> JsonObject:
        """The status, the versions of the emulator and of the API, its operations, and `dropped`.

        `dropped` has the counts of `Emulator.dropped`: exchanges, resources, tokens and more that
        the emulator no longer stores.
        """
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
        """Restore the state of the start, with the settings before the first control request."""
        self._emulator.reset()
        if self._initial_create_missing is not None:
            self._emulator.create_missing = self._initial_create_missing
            self._initial_create_missing = None
        for settings in self._initial_token_settings:
            settings.restore()
        self._initial_token_settings.clear()

    def list_findings(self, call: ControlCall) -> JsonObject:
        """The findings of a proxy."""
        return findings_json(self._emulator)

    def list_webhooks(self, call: ControlCall) -> JsonObject:
        """The events that were sent."""
        return webhooks_json(self._emulator)

    def read_settings(self, call: ControlCall) -> JsonObject:
        """The options that can change."""
        return settings_json(self._emulator)

    def change_settings(self, call: ControlCall) -> JsonObject:
        """Change options.

        Raises:
            ControlProblemError: 422, the emulator has no token endpoint. Nothing is changed.
        """
        changes: JsonObject = call.body
        if "token_endpoint" in changes:
            endpoint = self._emulator.token_endpoint
            if endpoint is None:
                raise _problem(422, _NO_TOKEN_ENDPOINT, ("token_endpoint",))
            self._save_settings_of(endpoint)
            _change_endpoint(endpoint, changes["token_endpoint"])
        if "create_missing" in changes:
            if self._initial_create_missing is None:
                self._initial_create_missing = self._emulator.create_missing
            self._emulator.create_missing = changes["create_missing"]
        return settings_json(self._emulator)

    def _save_settings_of(self, endpoint: TokenEndpoint) -> None:
        """Remember the settings before the first change since the start or the last reset."""
        for settings in self._initial_token_settings:
            if settings.endpoint is endpoint:
                return
        self._initial_token_settings.append(_TokenSettings.of(endpoint))

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
        return {"faults": [rule_json(rule) for rule in rules]}

    def add(self, call: ControlCall) -> JsonObject:
        """Add a fault.

        Raises:
            ControlProblemError: 422, a value is invalid.
        """
        fault = _fault(call.body, ())
        (number,) = self._emulator.add_faults(fault)
        return rule_json(FaultRule(number, fault))

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
        if self._emulator.remove_fault(number):
            return
        numbers = [str(rule.number) for rule in self._emulator.fault_rules]
        existing_numbers = f"the numbers are {', '.join(numbers)}" if numbers else "there are none"
        raise ControlProblemError(404, f"there is no fault {number}; {existing_numbers}")


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
            ControlProblemError: 422, the `id` of the body is not that of the path. With `validate`
                also 404, the spec has no such collection; and 422, it does not allow a property.
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
        """The number of resources of each collection that has a fixed name or resources."""
        names = [operation.place.collection for operation in self._emulator.spec.operations]
        counts = {name: 0 for name in names if PATH_PARAMETER.search(name) is None}
        return counts | self._emulator.resource_counts()

    def _collection(self, call: ControlCall) -> str:
        """The collection of the path.

        Raises:
            ControlProblemError: 404, there is no such collection.
        """
        collection: str = call.path_values["collection"]
        places = [operation.place for operation in self._emulator.spec.operations]
        if any(place.matches(collection) for place in places):
            return collection
        stored_collections = self._emulator.resource_counts()
        if collection in stored_collections:
            return collection
        names = {place.collection for place in places} | stored_collections.keys()
        raise ControlProblemError(
            404,
            f"there is no collection {collection!r}; the collections are"
            f" {', '.join(sorted(names))}",
        )

    def _check_properties(self, collection: str, resource: JsonObject) -> None:
        """Require properties that a response may show.

        Raises:
            ControlProblemError: 422, a property is not documented, or has an invalid value.
        """
        schemas_by_name = self._property_schemas(collection)
        if not schemas_by_name:
            # No body of the spec has properties of these resources, so no value deviates from it.
            return
        errors: list[JsonObject] = []
        for name, value in resource.items():
            if name == "id" and name not in schemas_by_name:
                # It identifies the resource, also where the spec documents no such property.
                continue
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
            operation for operation in spec.operations if operation.place.matches(collection)
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
        # A copy: another thread may change the tokens in the meantime.
        accepted_tokens = dict(self._emulator.tokens)
        for token, access in accepted_tokens.items():
            tokens.append(token_json(token, as_access(access), None))
        for token, grant in self._grants().items():
            tokens.append(token_json(token, grant.access, grant.expires_at))
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
        return token_json(token, access, None)

    def revoke(self, call: ControlCall) -> None:
        """Make a token invalid.

        Raises:
            ControlProblemError: 404, the token is unknown.
        """
        token: str = call.body["token"]
        endpoint = self._emulator.token_endpoint
        was_valid = token in self._emulator.tokens
        self._emulator.tokens.pop(token, None)
        if endpoint is not None and endpoint.revoke(token):
            was_valid = True
        if not was_valid:
            raise ControlProblemError(404, "the token is unknown: it was revoked, or never valid")

    def expire(self, call: ControlCall) -> JsonObject:
        """Let one token expire, or every issued one.

        Raises:
            ControlProblemError: 404, no such token was issued.
        """
        body: JsonObject = call.body or {}
        if "token" in body:
            self._expire_one(body["token"])
            return {"expired": 1}
        return {"expired": self._expire_every_one()}

    def _expire_one(self, token: str) -> None:
        """Let an issued token expire.

        Raises:
            ControlProblemError: 404, no such token was issued.
        """
        endpoint = self._emulator.token_endpoint
        if endpoint is None or not endpoint.expire(token, self._emulator.clock()):
            raise ControlProblemError(
                404,
                "the token endpoint issued no such token, or it has expired; to reject another"
                " token, revoke it",
            )

    def _expire_every_one(self) -> int:
        """Let every issued token expire, and return their number."""
        endpoint = self._emulator.token_endpoint
        if endpoint is None:
            return 0
        now = self._emulator.clock()
        tokens = list(endpoint.grants(now))
        for token in tokens:
            endpoint.expire(token, now)
        return len(tokens)

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
        """A part of the log, without credentials.

        `dropped` is the number of exchanges that the log no longer contains.
        """
        after = int(call.query["after"])
        excerpt = self._emulator.exchanges_after(after, int(call.query["limit"]))
        # The log no longer contains the exchanges with the numbers up to `dropped`.
        first_number = max(after, excerpt.dropped) + 1
        exchanges = [
            exchange_json(number, exchange)
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


def _property_violations(
    name: str, value: Any, schemas_by_name: Mapping[str, list[CompiledSchema]]
) -> list[str]:
    """Why the spec does not allow a property; empty if it does."""
    if name not in schemas_by_name:
        allowed_names = ", ".join(sorted({*schemas_by_name, "id"}))
        return [f"the spec does not document it; the properties are {allowed_names}"]
    schemas = schemas_by_name[name]
    for schema in schemas:
        if schema.is_valid(value):
            return []
    return schemas[0].violations(value)
