"""The mock server itself: it turns a request into the response that the spec documents. No I/O."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal

from .access import (
    TokenAccess,
    TokenAccessOrLocations,
    access_by_token,
    as_access,
    check_texts,
)
from .body_coding import JSON_MEDIA_TYPE
from .clock import advanced_clock, base_clock
from .exchange_log import MAXIMUM_LOG_BYTES, ExchangeLog, LogExcerpt
from .faults import Fault, FaultRule, FaultRules
from .messages import MAXIMUM_BODY, Exchange, Request, Response
from .oauth_server import OAuthServer
from .operation import Operation
from .preferences import PreferenceError, PreferredResponse, preferred_response
from .rate_limits import NO_LIMITS, RateLimitKey, RateLimits, RequestCounter
from .rejection import (
    MISSING_SCOPE,
    WRONG_CLASS,
    RejectionError,
    body_too_large,
    error_content,
    unauthorized,
)
from .resources import MAXIMUM_RESOURCE_BYTES, Resources
from .routes import Routes
from .spec import SPEC, Spec
from .token_endpoint import TokenEndpoint
from .validation import (
    VersionRules,
    VersionStatus,
    check_body,
    check_parameters,
    check_version,
    location_of,
    parse_body,
    query_locations,
    query_values,
)
from .webhook_events import Change, EventRules, changed_properties
from .webhooks import Webhooks

if TYPE_CHECKING:
    from .record import Recorder

TOKEN = "emulator"
"""The bearer token that the emulator accepts by default."""

ANONYMOUS = RateLimitKey()
"""Requests without a token and a location."""


@dataclass(frozen=True)
class Dropped:
    """How much the emulator no longer stores, because of its bounds in bytes."""

    exchanges: int = 0
    """Exchanges that `Emulator.exchanges` no longer contains."""
    resources: int = 0
    """Resources that requests created or changed. One of `conversations` or `put` returned to its
    initial version. With `create_missing`, the next request for another creates it again, with the
    values of the spec's examples."""
    rate_limit_counts: int = 0
    """Counts of a location, which start again from zero."""
    tokens: int = 0
    """Access tokens of the token endpoint that became invalid early."""
    events: int = 0
    """Events of webhooks that `Webhooks.deliveries` no longer contains."""


class Emulator:
    """Stores resources, and responds to requests as the spec documents. Thread-safe.

    Args:
        spec: the path of the OpenAPI document that drives the mock server.
        tokens: the bearer tokens that it accepts. A mapping limits each token to locations
            (`ANY`: every location), or to a `TokenAccess`, which also has scopes and a class.
        conversations: the conversations that exist at first, each with an `id`. By default there
            is one, with the values of the spec's examples.
        create_missing: whether a resource that does not exist is created on demand.
        rate_limits: the rate limits; `None` for no limits.
        token_endpoint: the vendor's OAuth server, which issues tokens at `/oauth/token`; `None` for
            none.
        faults: rules by which it misbehaves; `set_faults` replaces them.
        seed: for the faults that have a probability.
        clock: seconds since 1970, for rate limits and tokens.
        additional_versions: values of the header `Version` that it accepts besides the spec's.
        version_status: the status of a response to another or a missing `Version`: 401 as the live
            API, or 400.
        required_scopes: the scopes that a token needs for an operation for which the spec lists
            none.
        log_bytes: the bytes of the exchanges that the log keeps. Beyond that it drops the oldest
            ones.
        resource_bytes: the bytes of the resources that requests create or change. Beyond that it
            drops those that were not used for the longest time. Those of `conversations` and `put`
            return to their initial version.
        webhooks: sends the events of the spec's webhooks; `None` for no events.

    Raises:
        OSError: the spec cannot be read.
        ValueError: the spec is not an OpenAPI document, or an option has an invalid value.
        TypeError: an option has a value of another type: `tokens`, the locations or scopes of a
            token, `additional_versions` or `required_scopes` are one string; a token is not a
            string; a fault is not a `Fault`; a bound is not a number.
    """

    def __init__(
        self,
        spec: Path | str = SPEC,
        *,
        tokens: Iterable[str] | Mapping[str, TokenAccessOrLocations] = (TOKEN,),
        conversations: Iterable[Mapping[str, Any]] | None = None,
        create_missing: bool = False,
        rate_limits: RateLimits | None = None,
        token_endpoint: TokenEndpoint | None = None,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        additional_versions: Collection[str] = (),
        version_status: VersionStatus = 401,
        required_scopes: Collection[str] = (),
        log_bytes: int = MAXIMUM_LOG_BYTES,
        resource_bytes: int = MAXIMUM_RESOURCE_BYTES,
        webhooks: Webhooks | None = None,
    ) -> None:
        check_texts("additional_versions", additional_versions)
        check_texts("required_scopes", required_scopes)
        self._version_rules = VersionRules(frozenset(additional_versions), version_status)
        self._required_scopes = frozenset(required_scopes)
        self.spec = Spec(Path(spec))
        self.tokens = access_by_token(tokens)
        self._initial_tokens = dict(self.tokens)
        self.create_missing = create_missing
        self.token_endpoint = token_endpoint
        self.webhooks = webhooks
        self._event_rules = EventRules(self.spec) if webhooks is not None else None
        self.clock = clock
        self.recorder: Recorder | None = None
        """Saves the exchanges without credentials, if it is set."""
        self.example: Mapping[str, Any] = _example_resource(self.spec)
        """A conversation with the values of the spec's examples."""
        if conversations is None:
            conversations = [self.example]
        self.initial_conversations = [deepcopy(dict(resource)) for resource in conversations]
        """The conversations that exist at first, and after `reset`."""

        self._routes = Routes(self.spec.operations)
        self._resources = Resources(self.spec, resource_bytes)
        self._exchange_log = ExchangeLog(log_bytes)
        self._request_counter = RequestCounter(rate_limits or NO_LIMITS)
        self._fault_rules = FaultRules(faults, seed)
        self._initial_faults = self._fault_rules.faults
        self._lock = RLock()
        self._store_initial_conversations()

    # For tests

    @property
    def exchanges(self) -> list[Exchange]:
        """The latest requests, each with its response, oldest first.

        The log has a bound in bytes; `dropped.exchanges` is the number of older ones.
        """
        return self._exchange_log.exchanges

    @property
    def dropped(self) -> Dropped:
        """How much was dropped since the last `reset`, because of the bounds in bytes."""
        tokens = 0
        if self.token_endpoint is not None:
            tokens = self.token_endpoint.dropped_tokens
        return Dropped(
            exchanges=self._exchange_log.dropped,
            resources=self._resources.dropped,
            rate_limit_counts=self._request_counter.dropped,
            tokens=tokens,
            events=self.webhooks.dropped if self.webhooks is not None else 0,
        )

    def reset(self) -> None:
        """Restore the initial conversations, faults, tokens and time; clear the log and counts.

        Events that wait are dropped.
        """
        if self.webhooks is not None:
            self.webhooks.reset()
        with self._lock:
            self.clock = base_clock(self.clock)
            self.tokens.clear()
            self.tokens.update(self._initial_tokens)
            if self.token_endpoint is not None:
                self.token_endpoint.reset()
            self._exchange_log.clear()
            self._request_counter.reset()
            self._fault_rules.set(self._initial_faults)
            self._resources.clear()
            self._store_initial_conversations()

    def close(self) -> None:
        """Stop sending events. Those that wait are dropped. A later event is sent again.

        An emulator without `webhooks` has nothing to close.
        """
        if self.webhooks is not None:
            self.webhooks.close()

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Store a copy of a resource; it replaces a resource with the same `id`."""
        with self._lock:
            self._resources.put(collection, resource)

    def get(self, collection: str, resource_id: str) -> dict[str, Any] | None:
        """A copy of a resource, or `None` if there is none with this id."""
        with self._lock:
            return self._resources.get(collection, resource_id)

    def delete(self, collection: str, resource_id: str) -> bool:
        """Remove a resource; return whether there was one with this id."""
        with self._lock:
            return self._resources.delete(collection, resource_id)

    def advance_clock(self, seconds: float) -> None:
        """Let time pass for rate limits and tokens, until the next `reset`.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: it is negative or not finite.
        """
        with self._lock:
            self.clock = advanced_clock(self.clock, seconds)

    def clear_exchanges(self) -> None:
        """Clear the log. The state, the counts and the faults stay."""
        with self._lock:
            self._exchange_log.clear()

    @property
    def fault_rules(self) -> list[FaultRule]:
        """The faults in force, each with its number and how many requests it has affected."""
        with self._lock:
            return self._fault_rules.counted

    def add_faults(self, *faults: Fault) -> list[int]:
        """Add faults after those in force, and return their numbers.

        Raises:
            TypeError: an argument is not a `Fault`.
        """
        with self._lock:
            return self._fault_rules.add(faults)

    def remove_fault(self, number: int) -> bool:
        """Remove the fault with a number; return whether there was one."""
        with self._lock:
            return self._fault_rules.remove(number)

    def set_faults(self, *faults: Fault) -> None:
        """Replace the faults. Without arguments, the emulator no longer misbehaves.

        Raises:
            TypeError: an argument is not a `Fault`, for example a list of them.
        """
        with self._lock:
            self._fault_rules.set(faults)

    # For the interfaces: transport, ASGI application, socket server

    takes_time = False
    """Whether `submit` starts to respond, since `respond` would have to wait."""

    kind: Literal["mock", "proxy", "replay"] = "mock"
    """The source of the responses. That is the spec, a real API, or a record."""

    has_page_at_root = True
    """Whether the page and the spec are at `/` and `/openapi.json`, too."""

    maximum_body = MAXIMUM_BODY
    """The largest body of a request, in bytes."""

    stateless_reason: str | None = None
    """Why there are no resources, tokens, settings and clock to control; `None` if there are."""

    @property
    def is_closed(self) -> bool:
        """Whether it responds no more. Only a `ValidatingProxy` can be closed for good."""
        return False

    def submit(self, request: Request) -> Future[Response] | None:
        """Start to respond, if that takes time. `None`: `respond` responds at once."""
        return None

    def respond(self, request: Request) -> Response:
        """Respond to any request, valid or not, and log the exchange.

        A body of more than `MAXIMUM_BODY` bytes is rejected with 413. The log contains its first
        part.
        """
        if len(request.body) > self.maximum_body:
            return self._reject_large_body(request)
        with self._lock:
            fault = self._fault_rules.pick(request)
            response = self._response_with_fault(request, fault)
            self._exchange_log.add(Exchange(request, response, fault))
        if self.recorder is not None:
            self.recorder.add(request, response)
        return response

    def latest_exchanges(self, count: int) -> LogExcerpt:
        """The latest exchanges, at most this many, and the number of all."""
        with self._lock:
            return self._exchange_log.latest(count)

    def exchanges_after(self, number: int, count: int) -> LogExcerpt:
        """The exchanges after one with a number (from 1), oldest first, at most this many."""
        with self._lock:
            return self._exchange_log.after(number, count)

    def resource_counts(self) -> dict[str, int]:
        """The number of resources by collection."""
        with self._lock:
            return self._resources.counts()

    def resource_ids(self, collection: str) -> list[str]:
        """The ids of a collection, in the order in which its resources were stored."""
        with self._lock:
            return self._resources.ids(collection)

    def _reject_large_body(self, request: Request) -> Response:
        rejection = body_too_large()
        response = self._error_response(None, rejection, {})
        partial_request = replace(request, body=request.body[:MAXIMUM_BODY])
        with self._lock:
            self._exchange_log.add(Exchange(partial_request, response))
        return response

    def _response_with_fault(self, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return self._process(request)
        if fault.skips_api:
            return fault.apply(Response(200, b""))
        return fault.apply(self._process(request))

    # The request pipeline

    def _process(self, request: Request) -> Response:
        """Run the steps of the pipeline. The first step that rejects the request decides.

        The comments list the statuses with which a step can reject the request.
        The spec does not define the order of the steps. This is a gateway's usual order: the
        token before the rate limit, and the rate limit before the content.
        """
        oauth_response = self._respond_to_oauth(request)
        if oauth_response is not None:
            return oauth_response

        operation: Operation | None = None
        limit_headers: Mapping[str, str] = {}
        try:
            operation = self._route(request)  # 404, 405
            token = self._authenticate(operation, request)  # 401
            # The body may name the location that the rate limit counts for.
            body = parse_body(operation, request)
            location = location_of(operation, request, body)
            limit_headers = self._count(token, location)  # 429
            check_version(operation, request, self._version_rules)  # 401, or 400 by option
            access = self._access(token)
            self._check_class_and_scopes(operation, access)  # 401
            check_parameters(operation, request)  # 400
            check_body(operation, body)  # 400, 422
            locations = [location, *query_locations(operation, request)]
            self._authorize(operation, access, locations)  # 401
            preferred = preferred_response(self.spec, operation, request)  # 400
            if preferred is not None:
                return _preferred_response(operation, preferred, limit_headers)
            content = self._apply(operation, request, location, body.properties)  # 400, 404
        except PreferenceError as error:
            return self._error_response(None, error, limit_headers)
        except RejectionError as rejection:
            return self._error_response(operation, rejection, limit_headers)

        if content is None:
            return _response_without_json(operation, limit_headers)
        return _json_response(operation, operation.success_status, content, limit_headers)

    def _respond_to_oauth(self, request: Request) -> Response | None:
        """Respond to a request of OAuth, which the rate limit does not count."""
        oauth_server = self._oauth_server()
        if oauth_server is None:
            return None
        return oauth_server.respond(request, self.clock())

    def _oauth_server(self) -> OAuthServer | None:
        """The OAuth server of the token endpoint, which a test may replace."""
        if self.token_endpoint is None:
            return None
        example_location = str(self.example.get("locationId", "location-1"))
        return OAuthServer(self.token_endpoint, example_location)

    def _apply(
        self, operation: Operation, request: Request, location: str, properties: Mapping[str, Any]
    ) -> Any:
        """Carry out an operation, and send the events of what it changes.

        Raises:
            RejectionError: 404 or 400, there is no such resource, or it is another location's.
        """
        collection = operation.collection(request.path)
        resource_id = operation.resource_id(request.path)
        earlier_resource: Mapping[str, Any] | None = None
        if self.webhooks is not None and resource_id is not None:
            earlier_resource = self._resources.get(collection, resource_id)
        content = self._resources.apply(
            operation,
            request.path,
            location,
            dict(properties),
            create_missing=self.create_missing,
            query=query_values(request),
        )
        if self.webhooks is not None and self._event_rules is not None and resource_id is not None:
            resource = self._resources.get(collection, resource_id) or {}
            # A resource that was missing has further properties, which the request does not change.
            changes = changed_properties(earlier_resource, resource) & properties.keys()
            change = Change(operation.place.collection, changes, resource)
            # The clock of the receiver does not advance: it would reject an event of the future.
            now = base_clock(self.clock)()
            for event in self._event_rules.events(change, now):
                self.webhooks.publish(event)
        return content

    def _route(self, request: Request) -> Operation:
        """Find the operation.

        Raises:
            RejectionError: 404, the spec has no such path. 405, the path has no such method
                (RFC 9110, section 15.5.6).
        """
        allowed_methods: set[str] = set()
        for operation in self._routes.matches(request.path):
            if operation.method == request.method:
                return operation
            allowed_methods.add(operation.method)
        oauth_server = self._oauth_server()
        if oauth_server is not None:
            allowed_methods |= oauth_server.allowed_methods(request.path)

        message = f"Cannot {request.method} {request.path}"
        if not allowed_methods:
            raise RejectionError(404, message)
        raise RejectionError(405, message, {"Allow": ", ".join(sorted(allowed_methods))})

    def _authenticate(self, operation: Operation, request: Request) -> str:
        """Find the bearer token; empty if the operation needs none.

        Raises:
            RejectionError: 401, the token is missing, unknown or expired (the spec's
                description of the status).
        """
        if not operation.requires_token:
            return ""
        authorization = request.headers.get("authorization", "")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized(self.spec, operation)
        if token not in self.tokens and self._issued_access(token) is None:
            raise unauthorized(self.spec, operation)
        return token

    def _issued_access(self, token: str) -> TokenAccess | None:
        """What a token is valid for that the token endpoint issued and that has not expired."""
        if self.token_endpoint is None:
            return None
        return self.token_endpoint.access(token, self.clock())

    def _access(self, token: str) -> TokenAccess:
        """What a token is valid for; everything for the empty token of an open operation."""
        issued_access = self._issued_access(token)
        if issued_access is not None:
            return issued_access
        return as_access(self.tokens.get(token))

    def _check_class_and_scopes(self, operation: Operation, access: TokenAccess) -> None:
        """Check the class and the scopes of the token, as the live API's gateway does.

        Raises:
            RejectionError: 401, it is a company's token and the operation names a location, or it
                lacks a scope. The spec documents no 403, and the live API sends none.
        """
        if not operation.requires_token:
            return
        if access.user_type == "Company" and operation.names_location:
            raise RejectionError(401, WRONG_CLASS)
        if access.scopes is None:
            return
        alternatives = operation.scope_alternatives or (self._required_scopes,)
        if not any(access.includes_scopes(scopes) for scopes in alternatives):
            raise RejectionError(401, MISSING_SCOPE)

    def _count(self, token: str, location: str) -> Mapping[str, str]:
        """Count the request, and return the rate limit's headers.

        Raises:
            RejectionError: 429, a rate limit is exceeded (the vendor's documentation).
        """
        admission = self._request_counter.count(RateLimitKey(token, location), self.clock())
        if not admission.is_allowed:
            raise RejectionError(429, "Too Many Requests", admission.headers)
        return admission.headers

    def _authorize(
        self, operation: Operation, access: TokenAccess, locations: Collection[str]
    ) -> None:
        """Check that the token is valid for each location that the request names.

        Raises:
            RejectionError: 401, the token is for another location. The spec documents no 403.
        """
        if not operation.names_location or access.locations is None:
            return
        for location in locations:
            if not access.includes_location(location):
                raise unauthorized(self.spec, operation)

    def _error_response(
        self,
        operation: Operation | None,
        rejection: RejectionError,
        limit_headers: Mapping[str, str],
    ) -> Response:
        if not limit_headers:
            # The request was rejected before it was counted, or by the rate limit itself.
            limit_headers = self._request_counter.headers(ANONYMOUS, self.clock())
        content = error_content(self.spec, operation, rejection)
        headers = {**limit_headers, **rejection.headers}
        return _json_response(operation, rejection.status, content, headers)

    def _store_initial_conversations(self) -> None:
        for conversation in self.initial_conversations:
            self._resources.put("conversations", conversation)


def _example_resource(spec: Spec) -> Mapping[str, Any]:
    """A resource of the spec's examples: a conversation, or else the first resource."""
    # A sample takes time: only those are built that are looked at.
    conversations = [
        operation for operation in spec.operations if operation.place.collection == "conversations"
    ]
    for operation in (*conversations, *spec.operations):
        shape = operation.shape
        if shape is not None and "id" in shape.properties and "id" in shape.sample:
            return shape.sample
    return {"id": "1"}


def _preferred_response(
    operation: Operation, preferred: PreferredResponse, limit_headers: Mapping[str, str]
) -> Response:
    """The response that the request selects. It is an example, so no state changes."""
    headers = {**limit_headers, "Preference-Applied": preferred.applied}
    if preferred.content is None:
        return Response(preferred.status, b"", headers)
    return _json_response(operation, preferred.status, preferred.content, headers)


def _json_response(
    operation: Operation | None, status: int, content: Any, headers: Mapping[str, str]
) -> Response:
    text = json.dumps(content, ensure_ascii=False)
    # UTF-8 cannot encode half of a surrogate pair, so it stays an escape.
    body = text.encode(errors="backslashreplace")
    media_type = JSON_MEDIA_TYPE if operation is None else operation.response_type(status)
    all_headers = {"Content-Type": _with_charset(media_type), **headers}
    return Response(status, body, all_headers)


def _response_without_json(operation: Operation, headers: Mapping[str, str]) -> Response:
    """A success without content, or with an empty file or text in the documented media type."""
    if operation.success_media_type is None:
        return Response(operation.success_status, b"", headers)
    all_headers = {"Content-Type": operation.success_media_type, **headers}
    return Response(operation.success_status, b"", all_headers)


def _with_charset(media_type: str) -> str:
    # RFC 8259, section 11, defines no charset for JSON, but many servers send one.
    if ";" in media_type:
        return media_type
    return f"{media_type}; charset=utf-8"
