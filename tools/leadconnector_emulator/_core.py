"""The emulator itself: a pure step from request to response over the conversations that it keeps. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn, cast
from urllib.parse import parse_qs

from jsonschema.exceptions import ValidationError

from ._spec import SPEC, Operation, Schema, Spec, Validated

TOKEN = "emulator"
"""The bearer token that is accepted where none is configured."""

_PHRASES = {401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 422: "Unprocessable Entity"}


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    """The raw path, still percent-encoded, with its query."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """A response to be sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class _RefusedError(Exception):
    def __init__(self, status: int, message: str | list[str], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}


class Emulator:
    """Keeps conversations, and answers requests as the spec says.

    Args:
        spec: the OpenAPI document that it plays.
        tokens: the bearer tokens that it accepts.
        conversations: what it holds at first, each with an `id`; by default one, made of the spec's examples.
    """

    def __init__(
        self,
        spec: Path = SPEC,
        *,
        tokens: Iterable[str] = (TOKEN,),
        conversations: Iterable[Mapping[str, Any]] | None = None,
    ) -> None:
        self.spec = Spec(spec)
        self.tokens = frozenset(tokens)
        self._lock = Lock()
        self._resources: dict[str, dict[str, dict[str, Any]]] = {}
        self.example: Mapping[str, Any] = self._example()
        """A conversation made of the spec's examples."""
        for conversation in [self.example] if conversations is None else conversations:
            self.put("conversations", conversation)

    def put(self, collection: str, resource: Mapping[str, Any]) -> None:
        """Hold a resource, in place of another with its `id`."""
        with self._lock:
            self._resources.setdefault(collection, {})[str(resource["id"])] = deepcopy(dict(resource))

    def get(self, collection: str, resource_id: str) -> dict[str, Any] | None:
        """A copy of a resource as it is now, or `None`."""
        with self._lock:
            found = self._resources.get(collection, {}).get(resource_id)
            return deepcopy(found)

    def respond(self, request: Request) -> Response:
        """Answer a request. Whatever it is, the answer is one that the API could give."""
        try:
            operation = self._route(request)
            self._authenticate(operation, request)
            self._check_parameters(operation, request)
            data = self._body(operation, request)
            status, answer = self._act(operation, request, data)
        except _RefusedError as refusal:
            content: dict[str, Any] = {"statusCode": refusal.status, "message": refusal.message}
            if refusal.status != 400:
                content["error"] = _PHRASES[refusal.status]
            return _json(refusal.status, content, refusal.headers)
        return _json(status, answer, {})

    def _example(self) -> Mapping[str, Any]:
        operation = self.spec.operations[0]
        return self._resource_in(operation, self.spec.sample(self._success(operation)[1].schema))

    def _route(self, request: Request) -> Operation:
        path = request.target.partition("?")[0]
        matching = [operation for operation in self.spec.operations if operation.pattern.fullmatch(path)]
        for operation in matching:
            if operation.method == request.method:
                return operation
        if matching:
            allowed = ", ".join(sorted({operation.method for operation in matching}))
            raise _RefusedError(405, f"Cannot {request.method} {path}", {"Allow": allowed})
        raise _RefusedError(404, f"Cannot {request.method} {path}")

    def _authenticate(self, operation: Operation, request: Request) -> None:
        if not operation.secured:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            documented = operation.responses.get("401")
            example: Mapping[str, Any] = self.spec.sample(documented.schema) if documented else dict[str, Any]()
            raise _RefusedError(401, str(example.get("message", "Unauthorized")))

    def _check_parameters(self, operation: Operation, request: Request) -> None:
        query = parse_qs(request.target.partition("?")[2], keep_blank_values=True)
        for parameter in operation.parameters:
            if parameter.location == "header":
                value = request.headers.get(parameter.name.lower())
            elif parameter.location == "query":
                value = query.get(parameter.name, [None])[0]
            else:
                continue
            if value is None and parameter.required:
                raise _RefusedError(400, f"{parameter.name} is missing in the {parameter.location}")
            if value is not None and parameter.schema.problems(value):
                raise _RefusedError(400, f"{parameter.name} in the {parameter.location} is not a documented value")

    def _body(self, operation: Operation, request: Request) -> dict[str, Any]:
        if operation.body is None:
            return {}
        if not request.body and not operation.body_required:
            return {}
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise _RefusedError(400, "the content type must be application/json")
        try:
            data = json.loads(request.body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise _RefusedError(400, "the body is no JSON") from error
        if problems := operation.body.problems(data):
            raise _RefusedError(422, [_sentence(problem) for problem in problems])
        return cast("dict[str, Any]", data) if isinstance(data, dict) else {}

    def _act(self, operation: Operation, request: Request, data: dict[str, Any]) -> tuple[int, Any]:
        """Update the resource that the path names, and answer with it.

        A required property of the body says which resource is meant; the others are what is to change.
        """
        status, success = self._success(operation)
        answer = self.spec.sample(success.schema)
        resource_id = operation.resource_id(request.target.partition("?")[0])
        identifying = set(operation.body.schema.get("required", [])) if operation.body else set[str]()
        with self._lock:
            resource = self._resources.get(operation.collection, {}).get(resource_id or "")
            if resource is None:
                raise _RefusedError(400, f"{operation.collection}: there is none with this id")
            for name in sorted(identifying):
                if resource.get(name) != data.get(name):
                    raise _RefusedError(400, f"{operation.collection}: this one has another {name}")
            described: Schema = operation.body.schema.get("properties", data) if operation.body else data
            resource.update({name: value for name, value in data.items() if name in described})
            documented = self._resource_in(operation, answer)
            known = {name: resource[name] for name in documented if name in resource}
            documented.clear()
            documented.update(known)
        return status, answer

    def _success(self, operation: Operation) -> tuple[int, Validated]:
        for status, content in operation.responses.items():
            if status.startswith("2") and content is not None:
                return int(status), content
        raise LookupError(f"{operation.method} {operation.path} documents no JSON answer of status 2XX")

    def _resource_in(self, operation: Operation, answer: Any) -> dict[str, Any]:
        """The part of an answer that is the resource: the object in it, or the whole."""
        whole = cast("dict[str, Any]", answer)
        return next((cast("dict[str, Any]", value) for value in whole.values() if isinstance(value, dict)), whole)


def _sentence(problem: ValidationError) -> str:
    place = ".".join(str(part) for part in problem.absolute_path)
    return f"{place}: {problem.message}" if place else problem.message


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(number: str) -> float:
    return float(number) if isfinite(float(number)) else _refuse(number)


def _json(status: int, content: Any, headers: Mapping[str, str]) -> Response:
    # Half a surrogate pair, which UTF-8 does not have, stays the escape that it is in JSON.
    body = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **headers})
