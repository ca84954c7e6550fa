"""Validates a request's parameters and body against its operation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NoReturn, TypeAlias, cast
from urllib.parse import parse_qs, unquote, unquote_plus

from .body_coding import documented_media_type, is_json, media_type_of
from .forms import Form, MalformedFormError
from .messages import Request
from .operation import Operation, Parameter
from .rejection import RejectionError
from .schema import CompiledSchema, JsonObject

MAXIMUM_NESTING = 200
"""How deeply the JSON of a body may be nested: the validator's recursion has a limit."""

ENFORCED_LOCATIONS = frozenset({"path", "query", "header", "cookie"})
"""Where parameters are enforced."""


VersionStatus: TypeAlias = Literal[400, 401]
"""The status of a response to a request with a missing or invalid `Version`."""

VERSION_MISSING = "version header was not found."
"""The live API's message of a 401 for a request without a `Version`."""

VERSION_INVALID = "version header is invalid"
"""The live API's message of a 401 for a `Version` that was not published."""


@dataclass(frozen=True)
class VersionRules:
    """Which versions of the API are accepted, and how others are rejected.

    Raises:
        TypeError: `additional_versions` is one string.
        ValueError: `status` is neither 400 nor 401.
    """

    additional_versions: frozenset[str] = frozenset()
    """The versions that are accepted in addition to the spec's."""
    status: VersionStatus = 401

    def __post_init__(self) -> None:
        if self.status not in (400, 401):
            raise ValueError(f"version_status must be 400 or 401, not {self.status!r}")


@dataclass(frozen=True)
class ParsedBody:
    """The body of a request after parsing."""

    data: Any = None
    error: str = ""
    """Why the body cannot be parsed; empty if it can."""
    is_present: bool = True
    """Whether there is a body to validate."""
    schema: CompiledSchema | None = None
    """The schema of a form. `None`: that of the operation's JSON."""

    @property
    def properties(self) -> JsonObject:
        """The properties of the data; empty if it is not an object."""
        data: object = self.data
        if isinstance(data, dict):
            return cast("JsonObject", data)
        return {}


def parse_body(operation: Operation, request: Request) -> ParsedBody:
    """Parse the JSON body, or the form.

    An error is returned, not raised: the rate limit counts the request before `check_body` rejects
    it, and the body may contain the rate limit's key.
    """
    if not operation.body_media_types:
        return ParsedBody(is_present=False)
    if not request.body and not operation.body_required:
        return ParsedBody(is_present=False)
    if not request.body and operation.body_schema is None:
        return ParsedBody(error="the body is missing")
    return _parse_content(operation, request)


def _parse_content(operation: Operation, request: Request) -> ParsedBody:
    media_type = media_type_of(request.headers.get("content-type", ""))
    if documented_media_type(operation.body_media_types, media_type) is None:
        media_types = " or ".join(operation.body_media_types)
        return ParsedBody(error=f"the content type must be {media_types}")
    if media_type in operation.forms:
        return _parse_form(operation.forms[media_type], request)
    if operation.body_schema is None or not is_json(media_type):
        # Only JSON and forms are validated. Other content has no effect on the resources.
        return ParsedBody(is_present=False)
    return _parse_json(request.body)


def _parse_json(body: bytes) -> ParsedBody:
    try:
        text = body.decode("utf-8")
        data: Any = json.loads(text, parse_constant=_reject_constant, parse_float=_finite_float)
        if _nesting(data) > MAXIMUM_NESTING:
            return ParsedBody(error="the body is nested too deeply")
    except (ValueError, RecursionError):
        return ParsedBody(error="the body is not JSON")
    return ParsedBody(data)


def _parse_form(form: Form, request: Request) -> ParsedBody:
    try:
        data = form.read(request.body, request.headers["content-type"])
    except MalformedFormError:
        return ParsedBody(error="the body is not a form of its content type")
    return ParsedBody(data, schema=form.schema)


def location_of(operation: Operation, request: Request, body: ParsedBody) -> str:
    """The location that the request names: the value of the spec's rate-limit key.

    Empty if the operation has no such key, or the request no value for it.
    """
    name = operation.rate_limit_key
    if name is None:
        return ""
    value = body.properties.get(name)
    if value is None:
        value = operation.path_values(request.path).get(name)
    if value is None:
        value = request.headers.get(name.lower())
    if value is None:
        value = query_values(request).get(name, [""])[0]
    return str(value)


def query_locations(operation: Operation, request: Request) -> list[str]:
    """The locations in the query. A list shows the resources of all of them."""
    name = operation.rate_limit_key
    if name is None:
        return []
    return query_values(request).get(name, [])


def check_version(operation: Operation, request: Request, rules: VersionRules) -> None:
    """Require an accepted version of the API, if the operation has a parameter for it.

    Raises:
        RejectionError: 401, the version is missing or not accepted; 400 if the rules say so.
    """
    for parameter in operation.parameters:
        if not parameter.is_api_version or parameter.location not in ENFORCED_LOCATIONS:
            continue
        texts = parameter_texts(parameter, operation, request)
        if texts and texts[0] in rules.additional_versions:
            continue
        if rules.status == 400:
            _check_parameter(parameter, texts)
        else:
            _check_version_as_live(parameter, texts)


def _check_version_as_live(parameter: Parameter, texts: list[str]) -> None:
    # The spec does not document this. The statuses and messages are those of the live API.
    if not texts and parameter.required:
        raise RejectionError(401, VERSION_MISSING)
    if texts and not parameter.accepts(texts):
        raise RejectionError(401, VERSION_INVALID)


def check_parameters(operation: Operation, request: Request) -> None:
    """Require valid parameters, except the version of the API.

    Raises:
        RejectionError: 400, a parameter is missing or its value is invalid.
    """
    for parameter in operation.parameters:
        if parameter.is_api_version or parameter.location not in ENFORCED_LOCATIONS:
            continue
        texts = parameter_texts(parameter, operation, request)
        _check_parameter(parameter, texts)


def _check_parameter(parameter: Parameter, texts: list[str]) -> None:
    if not texts and parameter.required:
        raise RejectionError(400, f"{parameter.name} is missing in the {parameter.location}")
    if texts and not parameter.accepts(texts):
        message = f"{parameter.name} in the {parameter.location} is not a documented value"
        raise RejectionError(400, message)


def check_body(operation: Operation, body: ParsedBody) -> None:
    """Require a body that satisfies the schema.

    Raises:
        RejectionError: 400, the body is not JSON. 422, it violates the schema; 400 where the
            operation does not document 422.
    """
    if body.error:
        raise RejectionError(400, body.error)
    schema = body.schema or operation.body_schema
    if schema is None or not body.is_present:
        return
    violations = _violations(schema, body.data)
    if not violations:
        return
    if operation.documents(422):
        raise RejectionError(422, violations)
    raise RejectionError(400, "; ".join(violations))


def _violations(schema: CompiledSchema, data: Any) -> list[str]:
    try:
        # Most bodies are valid, and this check is several times as fast as a list of violations.
        if schema.is_valid(data):
            return []
        return schema.violations(data)
    except UnicodeEncodeError as error:
        # The validator takes UTF-8, which cannot encode half of a surrogate pair.
        raise RejectionError(400, "the body has half of a surrogate pair") from error


def parameter_texts(parameter: Parameter, operation: Operation, request: Request) -> list[str]:
    """The values of a parameter in the request; empty if it is absent."""
    if parameter.location == "path":
        return parameter.split(operation.raw_path_values(request.path)[parameter.name], unquote)
    if parameter.location == "query":
        return _query_texts(parameter, request)
    if parameter.location == "cookie":
        text = _cookies(request).get(parameter.name)
    else:
        text = request.headers.get(parameter.name.lower())
    return [] if text is None else parameter.split(text)


def _query_texts(parameter: Parameter, request: Request) -> list[str]:
    """The values of a parameter in the query, or the names and values of an object in turn."""
    texts: list[str] = []
    for pair in (request.query or "").split("&"):
        raw_name, _, raw_value = pair.partition("=")
        name = unquote_plus(raw_name)
        if not parameter.takes(name):
            continue
        if parameter.properties is None or not parameter.repeats:
            parts = [unquote_plus(raw_value)]
            if not parameter.repeats:
                parts = parameter.split(raw_value, unquote_plus)
            texts += parts
            continue
        if parameter.style == "deepObject":
            name = name.removeprefix(f"{parameter.name}[").removesuffix("]")
        texts += [name, unquote_plus(raw_value)]
    return texts


def _cookies(request: Request) -> dict[str, str]:
    """The cookies of a request by name."""
    pairs = [pair.partition("=") for pair in request.headers.get("cookie", "").split(";")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def query_values(request: Request) -> dict[str, list[str]]:
    """The values of each parameter in the query, in their order."""
    if not request.query:
        return {}
    return parse_qs(request.query, keep_blank_values=True)


def _nesting(data: Any) -> int:
    """How deeply data is nested. The loop goes level by level, as recursion has a limit."""
    depth = 0
    level = [data]
    while level:
        depth += 1
        next_level: list[Any] = []
        for item in level:
            # The parser returns plain dicts and lists, for which this is the fastest check.
            if item.__class__ is dict:
                next_level += item.values()
            elif item.__class__ is list:
                next_level += item
        level = next_level
    return depth


def _reject_constant(constant: str) -> NoReturn:
    """Python's parser accepts NaN and Infinity, which are not JSON (RFC 8259, section 6)."""
    raise ValueError(constant)


def _finite_float(text: str) -> float:
    """A number that is too large for a float would become infinite, which is not JSON."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number
