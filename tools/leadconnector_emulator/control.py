"""The control over HTTP, for programs in any language that set up a running emulator.

`control.yaml` describes its requests, which are validated as those of the API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from .control_actions import Action, ControlCall, actions
from .control_paths import PROBLEM_TYPE, is_control_request
from .control_problem import ControlProblemError, pointer_to, summary
from .emulator import Emulator
from .hosts import HostRules
from .messages import MAXIMUM_BODY, Request, Response
from .operation import Operation, Parameter
from .schema import CompiledSchema, JsonObject, Violation
from .spec import Spec
from .validation import parse_body

CONTROL_SPEC = Path(__file__).with_name("control.yaml")

HEALTH_PATH = "/_emulator/health"
SCHEMA_PATH = "/_emulator/schema"

PATHS_WITHOUT_CONTROL = frozenset({HEALTH_PATH, SCHEMA_PATH})
"""The paths that are served without control: they change nothing, and contain no request."""

TRUSTED_SITES = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` of a request of the emulator's own page, or of the address bar."""

JSON_TYPE = "application/json"
TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
}
"""The reason phrases of RFC 9110, section 15.5."""

MAXIMUM_ERRORS = 20
"""The number of errors in a response: a body may contain thousands."""

MAXIMUM_MESSAGE_LENGTH = 300
"""The number of characters of the message of an error, without what is allowed."""

DISABLED = (
    "the control over HTTP is off, because other machines can reach this server: start it with"
    " --control, or Server(control=True)"
)


@cache
def control_spec() -> Spec:
    """The description of the control; loaded with the first request."""
    return Spec(CONTROL_SPEC)


@dataclass(frozen=True)
class ControlRules:
    """Who may use the control.

    Without credentials, these rules protect it from foreign web sites: a browser sends their
    requests to this machine, too.
    """

    is_enabled: bool = True
    hosts: HostRules | None = field(default_factory=HostRules)
    """Decides by `Host`, as for the page. `None` allows each one, where there is no network."""

    def check(self, request: Request) -> None:
        """Reject a request of a foreign web site.

        Raises:
            ControlProblemError: 403, the request comes from another site or names a foreign host,
                or the control is off.
        """
        host = request.headers.get("host", "localhost")
        if self.hosts is not None and not self.hosts.allows(host):
            raise ControlProblemError(
                403,
                "the control is not available under this host name: allow it with"
                " --allow-host NAME, or Server(allowed_hosts=[NAME])",
            )
        if _is_of_another_site(request, host):
            raise ControlProblemError(
                403, "the control is not available to web sites: this request has another origin"
            )
        if not self.is_enabled and request.path not in PATHS_WITHOUT_CONTROL:
            raise ControlProblemError(403, DISABLED)


class Control:
    """Responds to the requests below `/_emulator/`, also to those with an unknown path.

    They are not logged and not counted, and reach no API.

    Args:
        emulator: the emulator to control.
        rules: who may use it.
    """

    def __init__(self, emulator: Emulator, rules: ControlRules | None = None) -> None:
        self._emulator = emulator
        self._rules = rules or ControlRules()

    def serves(self, request: Request) -> bool:
        """Whether a request is one of the control, and no call of the API."""
        return is_control_request(request)

    def respond(self, request: Request) -> Response | None:
        """Respond to a request; `None` if it is a call of the API."""
        if not self.serves(request):
            return None
        try:
            self._rules.check(request)
            operation = _select(self._operations_of(request.path), request)
            return self._carry_out(operation, request)
        except ControlProblemError as problem:
            return _problem_response(problem)

    @property
    def _spec(self) -> Spec:
        return control_spec()

    @cached_property
    def _actions(self) -> Mapping[str, Action]:
        return actions(self._emulator)

    def _operations_of(self, path: str) -> list[Operation]:
        """The operations of a path; those of a path without parameters come first.

        Raises:
            ControlProblemError: 404, there is no such path.
        """
        matches = [
            operation for operation in self._spec.operations if operation.pattern.fullmatch(path)
        ]
        if not matches:
            # A dictionary keeps the order, and each path once.
            paths = dict.fromkeys(operation.path for operation in self._spec.operations)
            raise ControlProblemError(
                404, f"there is no path {path}; the paths are {', '.join(paths)}"
            )
        return sorted(matches, key=_parameter_count)

    def _carry_out(self, operation: Operation, request: Request) -> Response:
        if len(request.body) > MAXIMUM_BODY:
            raise ControlProblemError(413, f"a body may have {MAXIMUM_BODY} bytes")
        if operation.path == SCHEMA_PATH:
            return _json_response(operation.success_status, self._document(request))
        call = ControlCall(
            path_values=_path_values(operation, request),
            query=_query(operation, request),
            body=self._body(operation, request),
        )
        action = self._actions[f"{operation.method} {operation.path}"]
        content = action(call)
        return _json_response(operation.success_status, content)

    def _document(self, request: Request) -> JsonObject:
        """The description of the control, with the server that the client reached."""
        host = request.headers.get("host", "")
        url = f"http://{host}" if host else "/"
        return {**self._spec.root, "servers": [{"url": url}]}

    def _body(self, operation: Operation, request: Request) -> Any:
        """The body; `None` if there is none.

        Raises:
            ControlProblemError: it is not JSON, or violates its schema.
        """
        content_type = request.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        # A form of a web site cannot have this type without the permission of the server.
        if media_type != JSON_TYPE and (request.body or media_type):
            # curl sends a form unless a header has another type.
            message = f"the content type must be {JSON_TYPE}: set the header Content-Type"
            raise ControlProblemError(415, message)
        if operation.body_schema is None and request.body:
            raise ControlProblemError(400, f"{_name(operation)} takes no body")
        if operation.body_required and not request.body:
            raise ControlProblemError(400, f"{_name(operation)} needs a body of {JSON_TYPE}")
        body = parse_body(operation, request)
        if body.error:
            raise ControlProblemError(400, body.error)
        if not body.is_present or operation.body_schema is None:
            return None
        self._check_body(operation.body_schema, body.data)
        return body.data

    def _check_body(self, schema: CompiledSchema, data: Any) -> None:
        """Require a body that satisfies the schema.

        Raises:
            ControlProblemError: 422, with an error for each violation.
        """
        try:
            violations = schema.located_violations(data)
        except UnicodeEncodeError as error:
            raise ControlProblemError(400, "the body has half of a surrogate pair") from error
        errors: list[JsonObject] = []
        for violation in violations[:MAXIMUM_ERRORS]:
            message = self._explain(violation, schema.schema)
            errors.append({"detail": message, "pointer": pointer_to(violation.place)})
        if errors:
            raise ControlProblemError(422, summary(errors), errors)

    def _explain(self, violation: Violation, schema: JsonObject) -> str:
        """The message of a violation, with the values or properties that are allowed instead."""
        message = violation.message
        if len(message) > MAXIMUM_MESSAGE_LENGTH:
            # It contains the invalid value.
            message = f"{message[:MAXIMUM_MESSAGE_LENGTH]}…"
        if violation.options:
            options = ", ".join(json.dumps(option) for option in violation.options)
            return f"{message}; the values are {options}"
        allowed_names = self._allowed_names(schema, violation.place)
        if violation.is_unknown_property and allowed_names:
            return f"{message}; the properties are {', '.join(allowed_names)}"
        return message

    def _allowed_names(self, schema: JsonObject, place: tuple[str | int, ...]) -> list[str]:
        """The documented properties of the object at a place of the body."""
        node = self._spec.resolve(schema)
        for part in place:
            if isinstance(part, int):
                node = self._spec.resolve(node.get("items", {}))
            else:
                properties = cast("JsonObject", node.get("properties", {}))
                node = self._spec.resolve(properties.get(part, {}))
        return sorted(node.get("properties", {}))


def _is_of_another_site(request: Request, host: str) -> bool:
    """Whether a browser says that the request is of a page with another origin."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site.lower() not in TRUSTED_SITES:
        return True
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


def _select(operations: list[Operation], request: Request) -> Operation:
    """The operation of a request, among those of its path.

    Raises:
        ControlProblemError: 405, the path has no such method.
    """
    method = "GET" if request.method == "HEAD" else request.method
    template = operations[0].path
    siblings = [operation for operation in operations if operation.path == template]
    for operation in siblings:
        if operation.method == method:
            return operation
    methods = ", ".join(operation.method for operation in siblings)
    raise ControlProblemError(
        405,
        f"{request.path} has no method {request.method}; the methods are {methods}",
        headers={"Allow": methods},
    )


def _path_values(operation: Operation, request: Request) -> dict[str, Any]:
    texts = operation.path_values(request.path)
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.location == "path":
            values[parameter.name] = _value(parameter, texts[parameter.name])
    return values


def _query(operation: Operation, request: Request) -> dict[str, Any]:
    """The values of the query by name, with the defaults of the others.

    Raises:
        ControlProblemError: a parameter is unknown, or its value is invalid.
    """
    texts = parse_qs(request.query, keep_blank_values=True)
    parameters = {
        parameter.name: parameter
        for parameter in operation.parameters
        if parameter.location == "query"
    }
    for name in texts:
        if name not in parameters:
            message = f"{_name(operation)} has no query parameter {name!r}"
            if parameters:
                message += f"; the parameters are {', '.join(sorted(parameters))}"
            raise ControlProblemError(422, message, [{"detail": message, "parameter": name}])
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name in texts:
            values[name] = _value(parameter, texts[name][0])
        else:
            values[name] = parameter.schema.schema.get("default")
    return values


def _value(parameter: Parameter, text: str) -> Any:
    """The value of a parameter, of the type in its schema.

    Raises:
        ControlProblemError: 422, the value is invalid.
    """
    value = parameter.parse(text)
    violations = parameter.schema.violations(value)
    if not violations:
        return value
    message = f"{parameter.name} in the {parameter.location}: {'; '.join(violations)}"
    raise ControlProblemError(422, message, [{"detail": message, "parameter": parameter.name}])


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def _parameter_count(operation: Operation) -> int:
    return operation.path.count("{")


def _problem_response(problem: ControlProblemError) -> Response:
    content: JsonObject = {
        "title": TITLES[problem.status],
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = problem.errors
    return _response(problem.status, content, PROBLEM_TYPE, problem.headers)


def _json_response(status: int, content: Any) -> Response:
    if content is None:
        return _response(status, None, JSON_TYPE, {})
    return _response(status, content, JSON_TYPE, {})


def _response(
    status: int, content: Any, content_type: str, additional_headers: Mapping[str, str]
) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body = b""
    if content is not None:
        headers["Content-Type"] = content_type
        # Without `<`, no part of the content can become a tag.
        body = json.dumps(content).replace("<", "\\u003c").encode()
    return Response(status, body, {**headers, **additional_headers})
