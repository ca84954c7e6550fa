"""The mock server itself: it turns a request into the response that the spec documents. No I/O."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from threading import RLock
from typing import Any, cast

from .faults import Fault, FaultRules
from .messages import Exchange, Request, Response
from .operation import Operation
from .rate_limits import NO_LIMITS, RateLimitKey, RateLimits, RequestCounter
from .rejection import RejectionError, error_content, unauthorized
from .resources import Resources
from .spec import SPEC, Spec
from .token_endpoint import TOKEN_PATH, TokenEndpoint
from .validation import check_body, check_parameters, location_of, parse_body

TOKEN = "emulator"
"""The bearer token that the emulator accepts by default."""

LOG_LENGTH = 10_000
"""The number of exchanges that the log keeps at least; it is cut at twice as many."""

ANY: Collection[str] | None = None
"""Every location, as the locations of a token."""

ANONYMOUS = RateLimitKey()
"""Requests without a token and a location."""


class Emulator:
    """Stores resources, and responds to requests as the spec documents. Thread-safe.

    Args:
        spec: the OpenAPI document that drives the mock server.
        tokens: the bearer tokens that it accepts. A mapping limits each token to locations
            (`ANY`: every location).
        conversations: the conversations that exist at first, each with an `id`. By default there
            is one, with the values of the spec's examples.
        create_missing: whether a resource that does not exist is created on demand.
        rate_limits: the rate limits; `None` for no limits.
        token_endpoint: issues tokens at `/oauth/token`; `None` for no such endpoint.
        faults: rules by which it misbehaves; `set_faults` replaces them.
        seed: for the faults that have a probability.
        clock: seconds since 1970, for rate limits and tokens.

    Raises:
        OSError: the spec cannot be read.
        ValueError: the spec is not an OpenAPI document.
        TypeError: `tokens`, or the locations of a token, are one string.
    """

    def __init__(
        self,
        spec: Path = SPEC,
        *,
        tokens: Iterable[str] | Mapping[str, Collection[str] | None] = (TOKEN,),
        conversations: Iterable[Mapping[str, Any]] | None = None,
        create_missing: bool = False,
        rate_limits: RateLimits | None = None,
        token_endpoint: TokenEndpoint | None = None,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.spec = Spec(spec)
        self.tokens = _locations_by_token(tokens)
        self.create_missing = create_missing
        self.token_endpoint = token_endpoint
        self.clock = clock
        self.exchanges: list[Exchange] = []
        """The latest requests, each with its response, oldest first."""
        self.example: Mapping[str, Any] = _example_resource(self.spec)
        """A conversation with the values of the spec's examples."""
        if conversations is None:
            conversations = [self.example]
        self.initial_conversations = [deepcopy(dict(resource)) for resource in conversations]
        """The conversations that exist at first, and after `reset`."""

        # A path with fewer parameters comes first: /contacts/search is not the contact `search`.
        self._routes = sorted(self.spec.operations, key=_parameter_count)
        self._resources = Resources(self.spec)
        self._request_counter = RequestCounter(rate_limits or NO_LIMITS)
        self._fault_rules = FaultRules(faults, seed)
        self._initial_faults = self._fault_rules.faults
        self._lock = RLock()
        self._store_initial_conversations()

    # For tests

    def reset(self) -> None:
        """Restore the initial conversations, faults and tokens; clear the log and the counts."""
        with self._lock:
            if self.token_endpoint is not None:
                self.token_endpoint.reset()
            self.exchanges = []
            self._request_counter.reset()
            self._fault_rules.set(self._initial_faults)
            self._resources.clear()
            self._store_initial_conversations()

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Store a copy of a resource; it replaces a resource with the same `id`."""
        with self._lock:
            self._resources.put(collection, resource)

    def get(self, collection: str, resource_id: str) -> dict[str, Any] | None:
        """A copy of a resource, or `None` if there is none with this id."""
        with self._lock:
            return self._resources.get(collection, resource_id)

    def set_faults(self, *faults: Fault) -> None:
        """Replace the faults. Without arguments, the emulator no longer misbehaves."""
        with self._lock:
            self._fault_rules.set(faults)

    # For the interfaces: transport, ASGI application, socket server

    def respond(self, request: Request) -> Response:
        """Respond to any request, valid or not, and log the exchange."""
        with self._lock:
            fault = self._fault_rules.pick(request)
            response = self._response_with_fault(request, fault)
            self._log(Exchange(request, response, fault))
        return response

    def _response_with_fault(self, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return self._process(request)
        if fault.skips_api:
            return fault.apply(Response(200, b""))
        return fault.apply(self._process(request))

    def _log(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        # Cutting in large steps keeps the cost of a request constant.
        if len(self.exchanges) > 2 * LOG_LENGTH:
            del self.exchanges[:-LOG_LENGTH]

    # The request pipeline

    def _process(self, request: Request) -> Response:
        """Run the steps of the pipeline. The first step that rejects the request decides.

        The comments list the statuses with which a step can reject the request.
        The spec does not define the order of the steps. This is a gateway's usual order: the
        token before the rate limit, and the rate limit before the content.
        """
        if self.token_endpoint is not None and _is_token_request(request):
            return self._issue_tokens(self.token_endpoint, request)

        operation: Operation | None = None
        limit_headers: Mapping[str, str] = {}
        try:
            operation = self._route(request)  # 404, 405
            token = self._authenticate(operation, request)  # 401
            # The body may name the location that the rate limit counts for.
            body = parse_body(operation, request)
            location = location_of(operation, request, body)
            limit_headers = self._count(token, location)  # 429
            check_parameters(operation, request)  # 400
            check_body(operation, body)  # 400, 422
            self._authorize(operation, token, location)  # 401
            content = self._resources.apply(  # 400, 404
                operation,
                request.path,
                location,
                body.properties,
                create_missing=self.create_missing,
            )
        except RejectionError as rejection:
            return self._error_response(operation, rejection, limit_headers)

        if content is None:
            return Response(operation.success_status, b"", limit_headers)
        return _json_response(operation.success_status, content, limit_headers)

    def _issue_tokens(self, token_endpoint: TokenEndpoint, request: Request) -> Response:
        """Respond to a token request; the rate limit does not count it."""
        content_type = request.headers.get("content-type", "")
        response = token_endpoint.exchange(content_type, request.body, self.clock())
        # RFC 6749, section 5.1: a response with a token must not be cached.
        return _json_response(response.status, response.content, {"Cache-Control": "no-store"})

    def _route(self, request: Request) -> Operation:
        """Find the operation.

        Raises:
            RejectionError: 404, the spec has no such path. 405, the path has no such method
                (RFC 9110, section 15.5.6).
        """
        allowed_methods: set[str] = set()
        for operation in self._routes:
            if not operation.pattern.fullmatch(request.path):
                continue
            if operation.method == request.method:
                return operation
            allowed_methods.add(operation.method)
        if self.token_endpoint is not None and request.path == TOKEN_PATH:
            allowed_methods.add("POST")

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
        if token not in self.tokens and self._issued_location(token) is None:
            raise unauthorized(self.spec, operation)
        return token

    def _issued_location(self, token: str) -> str | None:
        """The location of a token that the token endpoint issued and that is still valid."""
        if self.token_endpoint is None:
            return None
        return self.token_endpoint.location(token, self.clock())

    def _count(self, token: str, location: str) -> Mapping[str, str]:
        """Count the request, and return the rate limit's headers.

        Raises:
            RejectionError: 429, a rate limit is exceeded (the vendor's documentation).
        """
        admission = self._request_counter.count(RateLimitKey(token, location), self.clock())
        if not admission.is_allowed:
            raise RejectionError(429, "Too Many Requests", admission.headers)
        return admission.headers

    def _authorize(self, operation: Operation, token: str, location: str) -> None:
        """Check that the token is valid for the location.

        Raises:
            RejectionError: 401, the token is for another location. The spec documents no 403.
        """
        allowed_locations: Collection[str] | None = self.tokens.get(token, ANY)
        issued_location = self._issued_location(token)
        if issued_location is not None:
            allowed_locations = {issued_location}
        if allowed_locations is None or operation.rate_limit_key is None:
            return  # `ANY` is `None`
        if location not in allowed_locations:
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
        return _json_response(rejection.status, content, headers)

    def _store_initial_conversations(self) -> None:
        for conversation in self.initial_conversations:
            self._resources.put("conversations", conversation)


def _locations_by_token(
    tokens: Iterable[str] | Mapping[str, Collection[str] | None],
) -> dict[str, Collection[str] | None]:
    """The locations of each token; `ANY` for tokens without locations."""
    message = "tokens, and the locations of each, are collections of strings, not one string"
    if isinstance(tokens, str):
        raise TypeError(message)
    if not isinstance(tokens, Mapping):
        return dict.fromkeys(tokens, ANY)
    locations_by_token = dict(cast("Mapping[str, Collection[str] | None]", tokens))
    for locations in locations_by_token.values():
        if isinstance(locations, str):
            raise TypeError(message)
    return locations_by_token


def _is_token_request(request: Request) -> bool:
    return request.path == TOKEN_PATH and request.method == "POST"


def _parameter_count(operation: Operation) -> int:
    return operation.path.count("{")


def _example_resource(spec: Spec) -> Mapping[str, Any]:
    """A resource of the spec's examples: a conversation, or else the first resource."""
    samples: list[Mapping[str, Any]] = []
    for operation in spec.operations:
        if operation.shape is None or "id" not in operation.shape.sample:
            continue
        if operation.collection == "conversations":
            return operation.shape.sample
        samples.append(operation.shape.sample)
    return samples[0] if samples else {"id": "1"}


def _json_response(status: int, content: Any, headers: Mapping[str, str]) -> Response:
    text = json.dumps(content, ensure_ascii=False)
    # UTF-8 cannot encode half of a surrogate pair, so it stays an escape.
    body = text.encode(errors="backslashreplace")
    all_headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    return Response(status, body, all_headers)
