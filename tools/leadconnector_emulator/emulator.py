"""The emulator itself: a step from request to response over the resources that it keeps. No I/O."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from math import isfinite
from pathlib import Path
from threading import RLock
from typing import Any, NoReturn, cast
from urllib.parse import parse_qs

from .faults import Fault, Faults
from .messages import Exchange, Request, Response
from .rate_limits import Quota, RateLimits
from .spec import SPEC, Operation, Shape, Spec
from .token_endpoint import PATH as OAUTH_PATH
from .token_endpoint import TokenEndpoint

TOKEN = "emulator"
"""The bearer token that is accepted where none is configured."""

KEPT = 10_000
"""How many requests the log keeps."""

DEPTH = 200
"""How deeply the data of a body may be nested."""

ANY: Collection[str] | None = None
"""Any location, as what a token may touch."""

Content = dict[str, Any]

_PHRASES = {
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
}
_PHRASES[429] = "Too Many Requests"


class _RefusedError(Exception):
    def __init__(
        self, status: int, message: str | list[str], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}


class Emulator:
    """Keeps resources, and answers requests as the spec says.

    Args:
        spec: the OpenAPI document that it plays.
        tokens: the bearer tokens that it accepts; as a mapping, each with the locations that it may touch (`ANY`: all).
        conversations: what it holds at first, each with an `id`; by default one, made of the spec's examples.
        create_missing: whether a resource that is asked for and is not there is made on demand.
        rate_limits: the rate limits; `None` for none at all.
        token_endpoint: what issues tokens at `/oauth/token`; `None` for no such endpoint.
        faults: rules by which it misbehaves; `set_faults` changes them.
        seed: for the share of requests that a fault applies to.
        clock: seconds since 1970; quota and tokens go by it.
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
        # A path with fewer parameters goes first: /contacts/search is no contact of that id.
        self._routes = sorted(self.spec.operations, key=lambda operation: operation.path.count("{"))
        given_tokens: Any = tokens
        several: list[Any] = [*given_tokens.values()] if hasattr(given_tokens, "values") else []
        if str in {type(each) for each in [given_tokens, *several]}:
            raise TypeError(
                "tokens, and the locations of each, are collections of strings, not one string"
            )
        self.tokens = (
            dict(cast("Mapping[str, Collection[str] | None]", tokens))
            if isinstance(tokens, Mapping)
            else dict.fromkeys(tokens, ANY)
        )
        self.create_missing = create_missing
        self.token_endpoint = token_endpoint
        self.clock = clock
        self._quota = Quota(rate_limits or RateLimits(burst=None, daily=None))
        self._faults = Faults(faults, seed)
        self._lock = RLock()
        self.example: Mapping[str, Any] = self._example()
        """A conversation made of the spec's examples."""
        given = [self.example] if conversations is None else conversations
        self.seed = [deepcopy(dict(conversation)) for conversation in given]
        """What it holds at first."""
        self._initial_faults = self._faults.rules
        self._start()

    # What a test does

    def reset(self) -> None:
        """Back to the start: the first conversations, an empty log, a fresh quota, the first faults and tokens."""
        with self._lock:
            if self.token_endpoint is not None:
                self.token_endpoint.reset()
            self._start()

    def _start(self) -> None:
        self._resources: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self.exchanges: list[Exchange] = []
        """The last requests that came in (`KEPT` of them), each with its response, oldest first."""
        self._quota.reset()
        self._faults.set(self._initial_faults)
        for conversation in self.seed:
            self.put("conversations", conversation)

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Hold a resource, in place of another with its `id`."""
        with self._lock:
            self._resources.setdefault(collection, {})[str(resource["id"])] = deepcopy(
                dict(resource)
            )

    def get(self, collection: str, resource_id: str) -> dict[str, Any] | None:
        """A copy of a resource as it is now, or `None`."""
        with self._lock:
            return deepcopy(self._resources.get(collection, {}).get(resource_id))

    def set_faults(self, *rules: Fault) -> None:
        """Misbehave by these rules from now on; without any, not at all."""
        with self._lock:
            self._faults.set(rules)

    # What a door does

    def respond(self, request: Request) -> Response:
        """Answer a request. Whatever it is, the answer is one that the API, or what is in front of it, could give."""
        with self._lock:
            fault = self._faults.pick(request)
            response = (
                Response(200, b"")
                if fault is not None and fault.replaces
                else self._answer(request)
            )
            if fault is not None:
                response = fault.apply(response)
            self.exchanges.append(Exchange(request, response, fault))
            if len(self.exchanges) > 2 * KEPT:
                del self.exchanges[:-KEPT]
        return response

    def _answer(self, request: Request) -> Response:
        if (
            self.token_endpoint is not None
            and request.path == OAUTH_PATH
            and request.method == "POST"
        ):
            content_type = request.headers.get("content-type", "")
            return _json(
                *self.token_endpoint.exchange(content_type, request.body, self.clock()),
                {"Cache-Control": "no-store"},
            )
        operation: Operation | None = None
        limits: Mapping[str, str] = {}
        try:
            operation = self._route(request)
            token = self._authenticate(operation, request)
            data = self._parse(operation, request)
            limits = self._count(operation, request, token, data)
            self._check_parameters(operation, request)
            self._check_body(operation, request, data)
            self._check_location(operation, request, token, data)
            status, answer = self._act(
                operation, request, cast("Content", data) if isinstance(data, dict) else {}
            )
        except _RefusedError as refusal:
            limits = limits or self._quota.headers(("", ""), self.clock())
            return _json(
                refusal.status, self._refusal(operation, refusal), {**limits, **refusal.headers}
            )
        return Response(status, b"", limits) if answer is None else _json(status, answer, limits)

    def _refusal(self, operation: Operation | None, refusal: _RefusedError) -> Any:
        """The documented shape of a refusal; for a status that is not documented, the shape of the others."""
        message = refusal.message
        documented = operation.answer(refusal.status) if operation is not None else None
        if documented is None:
            phrase = _PHRASES.get(refusal.status, "Error")
            return {"statusCode": refusal.status, "message": message, "error": phrase}
        content: Any = self.spec.sample(documented.schema)
        if content.__class__ is not dict:
            return content
        for name, schema in self.spec.properties(documented.schema).items():
            if schema.get("x-role") == "error-messages":
                listed = message if isinstance(message, list) else [message]
                content[name] = listed if schema.get("type") == "array" else "; ".join(listed)
        return content

    def _route(self, request: Request) -> Operation:
        matching = [
            operation for operation in self._routes if operation.pattern.fullmatch(request.path)
        ]
        for operation in matching:
            if operation.method == request.method:
                return operation
        methods = {operation.method for operation in matching}
        if self.token_endpoint is not None and request.path == OAUTH_PATH:
            methods.add("POST")
        if methods:
            allowed = ", ".join(sorted(methods))
            raise _RefusedError(405, f"Cannot {request.method} {request.path}", {"Allow": allowed})
        raise _RefusedError(404, f"Cannot {request.method} {request.path}")

    def _authenticate(self, operation: Operation, request: Request) -> str:
        if not operation.secured:
            return ""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        issued = (
            self.token_endpoint is not None
            and self.token_endpoint.location(token, self.clock()) is not None
        )
        if scheme.lower() != "bearer" or not (token in self.tokens or issued):
            raise self._unauthorized(operation)
        return token

    def _unauthorized(self, operation: Operation) -> _RefusedError:
        documented = operation.responses.get("401")
        example: Any = self.spec.sample(documented.schema) if documented else None
        message = cast("Content", example).get("message") if isinstance(example, dict) else None
        return _RefusedError(401, str(message or "Unauthorized"))

    def _parse(self, operation: Operation, request: Request) -> Any:
        """The body's data; a `_RefusedError` in place of it is raised only after the quota has counted."""
        if operation.body is None or (not request.body and not operation.body_required):
            return {}
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            return _RefusedError(400, "the content type must be application/json")
        try:
            data: Any = json.loads(
                request.body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite
            )
            return (
                data
                if _depth(data) <= DEPTH
                else _RefusedError(400, "the body is nested too deeply")
            )
        except (ValueError, RecursionError):
            return _RefusedError(400, "the body is no JSON")

    def _count(
        self, operation: Operation, request: Request, token: str, data: Any
    ) -> Mapping[str, str]:
        location = _location(operation, request, data)
        passes, headers = self._quota.take((token, location), self.clock())
        if not passes:
            raise _RefusedError(429, "Too Many Requests", headers)
        return headers

    def _check_parameters(self, operation: Operation, request: Request) -> None:
        query = _query(request) if "?" in request.target else {}
        for parameter in operation.parameters:
            values: list[str]
            if parameter.location == "header":
                found = request.headers.get(parameter.name.lower())
                values = [] if found is None else [found]
            elif parameter.location == "query":
                values = query.get(parameter.name, [])
            elif parameter.location == "path":
                values = [operation.path_values(request.path)[parameter.name]]
            else:
                continue
            if not values and parameter.required:
                raise _RefusedError(400, f"{parameter.name} is missing in the {parameter.location}")
            if values and not parameter.fits(values):
                raise _RefusedError(
                    400, f"{parameter.name} in the {parameter.location} is not a documented value"
                )

    def _check_body(self, operation: Operation, request: Request, data: Any) -> None:
        if isinstance(data, _RefusedError):
            raise data
        if operation.body is None or (not request.body and not operation.body_required):
            return
        try:
            if operation.body.fits(data):
                return
        except UnicodeEncodeError as error:
            raise _RefusedError(400, "the body has a name with half a surrogate pair") from error
        problems = operation.body.problems(data)
        if "422" in operation.responses:
            raise _RefusedError(422, problems)
        raise _RefusedError(400, "; ".join(problems))

    def _check_location(
        self, operation: Operation, request: Request, token: str, data: Any
    ) -> None:
        """Whether the token may touch the location that the request names."""
        allowed = self.tokens.get(token, ANY)
        if (
            self.token_endpoint is not None
            and (issued := self.token_endpoint.location(token, self.clock())) is not None
        ):
            allowed = {issued}
        if allowed is None or operation.rate_limit_key is None:
            return
        if _location(operation, request, data) not in allowed:
            raise self._unauthorized(operation)

    # What the API does

    def _act(self, operation: Operation, request: Request, data: Content) -> tuple[int, Any]:
        """Carry the operation out on the resource that the path names, or on the collection, and answer with it.

        The property of the body that is the quota key says whose resource is meant; the others are what is to change.
        """
        status, content = operation.success
        shape = operation.shape
        resources = self._resources.setdefault(operation.collection, {})
        resource_id = operation.resource_id(request.path)
        answer = self.spec.sample(content.schema) if content is not None else None
        made = (
            deepcopy(shape.sample) if shape is not None and not shape.listed else dict[str, Any]()
        )
        if resource_id is None:
            if operation.method not in {"POST", "PUT"}:
                return status, self._listing(shape, answer, resources)
            resource_id = str(data.get("id") or f"{operation.collection}-{next(self._numbers)}")
            resources[resource_id] = {**made, "id": resource_id}
        elif resource_id not in resources:
            if not self.create_missing:
                documented = 404 if "404" in operation.responses else 400
                raise _RefusedError(
                    documented, f"{operation.collection}: there is none with this id"
                )
            resources[resource_id] = {**made, "id": resource_id}
        resource = resources[resource_id]
        self._check_owner(operation, request, resource, data)
        if operation.method == "DELETE":
            del resources[resource_id]
        resource.update(
            {
                name: deepcopy(value)
                for name, value in data.items()
                if name in operation.body_properties and (shape is None or shape.takes(name, value))
            }
        )
        if shape is not None and not shape.listed and isinstance(answer, dict):
            if shape.name is None:
                return status, shape.shows(resource)
            cast("Content", answer)[shape.name] = shape.shows(resource)
        return status, cast("Any", answer)

    def _check_owner(
        self, operation: Operation, request: Request, resource: Content, data: Content
    ) -> None:
        """Whether the resource belongs to the one that the request names; what is made now does."""
        name = operation.rate_limit_key
        named = _location(operation, request, data)
        if name is None or name not in resource or not named:
            return
        if str(resource[name]) != named and not self.create_missing and operation.method != "POST":
            raise _RefusedError(400, f"{operation.collection}: this one has another {name}")

    @staticmethod
    def _listing(shape: Shape | None, answer: Any, resources: Mapping[str, dict[str, Any]]) -> Any:
        """The answer with every resource of the collection in it, where it has a list of them."""
        if shape is None or not shape.listed:
            return answer
        listed = [shape.shows(resource) for resource in resources.values()]
        return listed if shape.name is None else {**answer, shape.name: listed}

    def _example(self) -> Mapping[str, Any]:
        """The resource of the examples: a conversation where the spec has them, else what it has first."""
        found = [
            operation
            for operation in self.spec.operations
            if operation.shape and "id" in operation.shape.sample
        ]
        found.sort(key=lambda operation: operation.collection != "conversations")
        return next((operation.shape.sample for operation in found if operation.shape), {"id": "1"})


def _location(operation: Operation, request: Request, data: Any) -> str:
    """The location that a request names where the spec says that it does; else none, which is all of them together."""
    name = operation.rate_limit_key
    if name is None:
        return ""
    given = cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None
    given = given if given is not None else operation.path_values(request.path).get(name)
    given = given if given is not None else request.headers.get(name.lower())
    return str(given if given is not None else _query(request).get(name, [""])[0])


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.target.partition("?")[2], keep_blank_values=True)


def _depth(data: Any) -> int:
    """How deeply data is nested."""
    depth, level = 0, [data]
    while level:
        depth += 1
        inner: list[Any] = []
        for item in level:
            if item.__class__ is dict:
                inner += item.values()
            elif item.__class__ is list:
                inner += item
        level = inner
    return depth


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(number: str) -> float:
    return float(number) if isfinite(float(number)) else _refuse(number)


def _json(status: int, content: Any, headers: Mapping[str, str]) -> Response:
    # Half a surrogate pair, which UTF-8 does not have, stays the escape that it is in JSON.
    body = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **headers})
