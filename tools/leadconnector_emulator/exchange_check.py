"""Compares a request and its response with the spec, and reports each deviation as a finding."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from .body_coding import (
    NotCheckedError,
    UndecodableError,
    decoded_body,
    documented_media_type,
    is_json,
    media_type_of,
    parsed_json,
)
from .finding import Direction, Finding, JsonPath
from .messages import Request, Response
from .operation import Operation, Parameter
from .routes import Routes
from .schema import JsonObject
from .schema_check import Place, SchemaCheck
from .spec import Spec
from .validation import ENFORCED_LOCATIONS, parameter_texts, query_values

MAXIMUM_OPERATION_LENGTH = 200
"""Characters of a method and path that the spec does not have."""

BODILESS_STATUSES = frozenset({204, 205, 304})
"""The statuses of responses without a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""

STATUS_OF_NO_CHANGE = 304
"""It repeats only some headers of the response that the client has."""

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
"""RFC 6838, section 4.2, in lower case."""


@dataclass(frozen=True)
class CheckResult:
    """An exchange after the comparison with the spec."""

    findings: tuple[Finding, ...] = ()
    unchecked: tuple[str, ...] = ()
    """What could not be compared, and why."""


@dataclass(frozen=True)
class _Documented:
    """An operation of the spec, with its node in the document."""

    operation: Operation
    node: JsonObject
    path_item: JsonObject
    pointer: str
    path_pointer: str

    @property
    def name(self) -> str:
        """Method and path template."""
        return f"{self.operation.method} {self.operation.path}"

    def place(self, direction: Direction, part: str = "body") -> Place:
        """The place of data in an exchange of the operation."""
        return Place(self.name, direction, part)


@dataclass(frozen=True)
class _Located:
    """A node of the document, after its reference was followed."""

    node: JsonObject
    pointer: str


class ExchangeCheck:
    """Compares exchanges with one spec. Thread-safe.

    Args:
        spec: the spec.
    """

    def __init__(self, spec: Spec) -> None:
        self._document = spec.document
        self._schemas = SchemaCheck(spec.document)
        self._root = spec.root
        self._routes = Routes(spec.operations)

    def check(self, request: Request, response: Response) -> CheckResult:
        """Compare an exchange with the spec. It never raises: a body may contain anything."""
        check = _SingleCheck()
        documented = self._route(request)
        if documented is None:
            check.findings += self._undocumented_operation(request)
            return check.result()
        check.findings += self._credentials_findings(documented, request)
        check.findings += self._parameter_findings(documented, request)
        check.attempt("the request", self._request_body_findings, documented, request)
        check.attempt("the response", self._response_findings, documented, request, response)
        return check.result()

    # The operation

    def _documented(self, operation: Operation) -> _Documented:
        path_pointer = f"/paths/{_escaped(operation.path)}"
        path_item = self._located(self._root["paths"][operation.path], path_pointer)
        method = operation.method.lower()
        return _Documented(
            operation=operation,
            node=path_item.node[method],
            path_item=path_item.node,
            pointer=f"{path_item.pointer}/{method}",
            path_pointer=path_item.pointer,
        )

    def _route(self, request: Request) -> _Documented | None:
        operations = self._routes.matches(request.path)
        for method in _equivalent_methods(request.method):
            for operation in operations:
                if operation.method == method:
                    return self._documented(operation)
        return None

    def _undocumented_operation(self, request: Request) -> list[Finding]:
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            # A browser asks whether a page may send the real request (the Fetch standard).
            return []
        candidates = self._routes.matches(request.path)
        methods = ", ".join(operation.method for operation in candidates)
        name = f"{request.method} {request.path}"[:MAXIMUM_OPERATION_LENGTH]
        pointer = "/paths"
        path = "path"
        expected = "a documented path"
        if candidates:
            name = f"{request.method} {candidates[0].path}"
            pointer = self._documented(candidates[0]).path_pointer
            path = "method"
            expected = f"one of the documented methods {methods}"
        finding = Finding(
            kind="undocumented-operation",
            rule="endpoint-added",
            # JSON escapes control characters.
            operation=json.dumps(name)[1:-1],
            pointer=pointer,
            path=path,
            expected=expected,
            direction=Direction.REQUEST,
        )
        return [finding]

    # The request

    def _credentials_findings(self, documented: _Documented, request: Request) -> list[Finding]:
        is_own_security = "security" in documented.node
        owner = documented.node if is_own_security else self._root
        alternatives: list[JsonObject] = owner.get("security", [])
        if not alternatives:
            return []
        schemes: JsonObject = self._document.components.get("securitySchemes", {})
        for alternative in alternatives:
            nodes = [self._document.resolve(schemes.get(name, {})) for name in alternative]
            if all(_has_credentials(node, request) for node in nodes):
                return []
        names = " or ".join(" and ".join(alternative) for alternative in alternatives)
        pointer = f"{documented.pointer}/security" if is_own_security else "/security"
        finding = Finding(
            kind="missing-credentials",
            rule="api-security-removed" if is_own_security else "api-global-security-removed",
            operation=documented.name,
            pointer=pointer,
            path="credentials",
            expected=f"there for the security scheme {names}",
            direction=Direction.REQUEST,
        )
        return [finding]

    def _parameter_findings(self, documented: _Documented, request: Request) -> list[Finding]:
        findings: list[Finding] = []
        nodes = self._parameter_nodes(documented)
        for parameter in documented.operation.parameters:
            if parameter.location in ENFORCED_LOCATIONS:
                node = nodes[parameter.name, parameter.location]
                findings += self._one_parameter_findings(documented, parameter, node, request)
        parameters = documented.operation.parameters
        for name in query_values(request):
            is_documented = any(parameter.takes(name) for parameter in parameters)
            if not is_documented and not self._is_credential(name):
                findings.append(_undocumented_parameter(documented, name))
        return findings

    def _parameter_nodes(self, documented: _Documented) -> dict[tuple[str, str], _Located]:
        nodes: dict[tuple[str, str], _Located] = {}
        owners = [
            (documented.path_item, documented.path_pointer),
            (documented.node, documented.pointer),
        ]
        # The operation's parameters replace those of the path.
        for owner, pointer in owners:
            for index, reference in enumerate(owner.get("parameters", [])):
                located = self._located(reference, f"{pointer}/parameters/{index}")
                nodes[located.node["name"], located.node["in"]] = located
        return nodes

    def _one_parameter_findings(
        self, documented: _Documented, parameter: Parameter, located: _Located, request: Request
    ) -> list[Finding]:
        texts = parameter_texts(parameter, documented.operation, request)
        place = documented.place(Direction.REQUEST, "parameter")
        path = JsonPath(None, f"{parameter.location}.{parameter.name}")
        if not texts and parameter.required:
            finding = Finding(
                kind="missing",
                rule="request-parameter-became-optional",
                operation=documented.name,
                pointer=located.pointer,
                path=str(path),
                expected="there",
                direction=Direction.REQUEST,
            )
            return [finding]
        if not texts or parameter.accepts(texts):
            return []
        schema = located.node["schema"]
        pointer = f"{located.pointer}/schema"
        results: list[list[Finding]] = []
        # A number is a text on the wire: the form that the schema describes says more.
        for form in parameter.forms(texts):
            results.append(self._schemas.findings(schema, pointer, form, place, path))
        return min(results, key=_wrong_type_count)

    def _is_credential(self, name: str) -> bool:
        """Whether a query parameter is that of a security scheme."""
        for reference in self._document.components.get("securitySchemes", {}).values():
            scheme = self._document.resolve(reference)
            if scheme.get("in") == "query" and scheme.get("name") == name:
                return True
        return False

    def _request_body_findings(self, documented: _Documented, request: Request) -> list[Finding]:
        place = documented.place(Direction.REQUEST)
        if "requestBody" not in documented.node:
            if not request.body:
                return []
            finding = _body_finding(
                place, "undocumented-body", "request-body-added-optional", documented.pointer
            )
            return [finding]
        pointer = f"{documented.pointer}/requestBody"
        body = self._located(documented.node["requestBody"], pointer)
        if not request.body:
            if not body.node.get("required", False):
                return []
            finding = _body_finding(
                place, "missing", "request-body-became-optional", body.pointer, "there"
            )
            return [finding]
        return self._content_findings(place, body, request.headers, request.body)

    # The response

    def _response_findings(
        self, documented: _Documented, request: Request, response: Response
    ) -> list[Finding]:
        if response.status == STATUS_OF_NO_CHANGE:
            return []
        responses = self._responses(documented)
        located = _response_of(responses, response.status)
        findings: list[Finding] = []
        if located is None:
            statuses = sorted(responses)
            findings.append(_undocumented_status(documented, response.status, statuses))
            located = _stand_in(responses, response)
            if located is None:
                return findings
        headers = response.headers_by_lower_name()
        findings += self._header_findings(documented, located, headers)
        if request.method == "HEAD" or response.status in BODILESS_STATUSES:
            return findings
        if not response.body and not located.node.get("content"):
            return findings
        place = documented.place(Direction.RESPONSE)
        return findings + self._content_findings(place, located, headers, response.body)

    def _responses(self, documented: _Documented) -> dict[str, _Located]:
        pointer = f"{documented.pointer}/responses"
        responses: dict[str, _Located] = {}
        for status, reference in documented.node.get("responses", {}).items():
            responses[str(status)] = self._located(reference, f"{pointer}/{status}")
        return responses

    def _header_findings(
        self, documented: _Documented, response: _Located, headers: Mapping[str, str]
    ) -> list[Finding]:
        findings: list[Finding] = []
        place = documented.place(Direction.RESPONSE, "header")
        for name, reference in response.node.get("headers", {}).items():
            pointer = f"{response.pointer}/headers/{_escaped(name)}"
            header = self._located(reference, pointer)
            text = headers.get(name.lower())
            path = JsonPath(None, f"header.{name}")
            # OpenAPI 3.1, section 4.8.17: a header called Content-Type is ignored.
            if name.lower() == "content-type" or "schema" not in header.node:
                continue
            if text is None:
                if header.node.get("required", False):
                    rule = "response-header-became-optional"
                    finding = _part_finding(place, "missing", rule, header.pointer, path)
                    findings.append(finding)
                continue
            findings += self._header_value_findings(place, header, text, path)
        return findings

    def _header_value_findings(
        self, place: Place, header: _Located, text: str, path: JsonPath
    ) -> list[Finding]:
        schema = self._document.resolve(header.node["schema"])
        parameter = Parameter(
            name=str(path),
            location="header",
            required=False,
            schema=self._document.compile(schema),
            is_array=schema.get("type") == "array",
            explode=False,
            style="simple",
        )
        texts = parameter.split(text)
        if parameter.accepts(texts):
            return []
        pointer = f"{header.pointer}/schema"
        results: list[list[Finding]] = []
        for form in parameter.forms(texts):
            results.append(
                self._schemas.findings(header.node["schema"], pointer, form, place, path)
            )
        return min(results, key=_wrong_type_count)

    # Bodies of both

    def _content_findings(
        self, place: Place, owner: _Located, headers: Mapping[str, str], body: bytes
    ) -> list[Finding]:
        """The findings of a body.

        Raises:
            NotCheckedError: the body cannot be decoded here.
        """
        rule = f"{place.direction}-media-type-added"
        if place.direction == Direction.REQUEST:
            rule = "request-body-media-type-added"
        pointer = f"{owner.pointer}/content"
        content: JsonObject = owner.node.get("content", {})
        media_type = media_type_of(headers.get("content-type", ""))
        documented_type = documented_media_type(content, media_type)
        if documented_type is None:
            expected = "empty"
            if content:
                expected = f"one of the documented media types {', '.join(content)}"
            kind = "undocumented-content-type"
            finding = _body_finding(place, kind, rule, pointer, expected)
            return [_with_value(finding, _printable_media_type(media_type))]
        if not is_json(media_type):
            return []
        findings: list[Finding] = []
        try:
            body = decoded_body(body, headers.get("content-encoding", ""))
        except UndecodableError:
            expected = "encoded as its Content-Encoding says"
            # The body may be plain JSON all the same.
            findings.append(_body_finding(place, "invalid-encoding", rule, pointer, expected))
        try:
            data = parsed_json(body)
        except (RecursionError, ValueError):
            if findings:
                return findings
            expected = "a body of its Content-Type"
            return [_body_finding(place, "invalid-body", rule, pointer, expected)]
        schema = content[documented_type].get("schema")
        if schema is not None:
            schema_pointer = f"{pointer}/{_escaped(documented_type)}/schema"
            findings += self._schemas.findings(schema, schema_pointer, data, place)
        return findings

    def _located(self, node: Any, pointer: str) -> _Located:
        """A node with its reference followed."""
        while isinstance(node, dict) and "$ref" in node:
            pointer = str(cast("JsonObject", node)["$ref"]).removeprefix("#")
            node = self._document.node_at(pointer)
        return _Located(cast("JsonObject", node), pointer)


class _SingleCheck:
    """Collects the findings of one exchange."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._unchecked: list[str] = []

    def attempt(self, subject: str, check: Any, *arguments: object) -> None:
        """Add the findings of a check, or the reason why the subject cannot be compared."""
        try:
            self.findings += check(*arguments)
        except NotCheckedError as error:
            self._unchecked.append(f"{subject}: {error}")
        except RecursionError:
            self._unchecked.append(f"{subject}: the body is nested too deeply")
        except ValueError as error:
            # The validator takes UTF-8, which cannot encode half of a surrogate pair.
            self._unchecked.append(
                f"{subject}: the body cannot be compared ({type(error).__name__})"
            )

    def result(self) -> CheckResult:
        return CheckResult(tuple(self.findings), tuple(self._unchecked))


def _equivalent_methods(method: str) -> tuple[str, ...]:
    # A server responds to HEAD as to GET, but without the body (RFC 9110, section 9.3.2).
    return ("HEAD", "GET") if method == "HEAD" else (method,)


def _has_credentials(scheme: JsonObject, request: Request) -> bool:
    """Whether a request has any credentials of a security scheme."""
    match scheme.get("type"):
        case "apiKey":
            return _has_api_key(scheme, request)
        case "mutualTLS":
            return True
        case _:
            return "authorization" in request.headers


def _has_api_key(scheme: JsonObject, request: Request) -> bool:
    name = str(scheme.get("name", ""))
    match scheme.get("in"):
        case "header":
            return name.lower() in request.headers
        case "query":
            return name in query_values(request)
        case _:
            return f"{name}=" in request.headers.get("cookie", "")


def _undocumented_parameter(documented: _Documented, name: str) -> Finding:
    path = JsonPath(JsonPath(None, "query"), name)
    return Finding(
        kind="undocumented-parameter",
        rule="new-optional-request-parameter",
        operation=documented.name,
        pointer=documented.pointer,
        path=str(path),
        expected="a documented parameter",
        direction=Direction.REQUEST,
    )


def _undocumented_status(documented: _Documented, status: int, statuses: list[str]) -> Finding:
    outcome = "success" if 200 <= status < 300 else "non-success"
    return Finding(
        kind="undocumented-status",
        rule=f"response-{outcome}-status-added",
        operation=documented.name,
        pointer=f"{documented.pointer}/responses",
        path="$",
        expected=f"one of the documented statuses {', '.join(statuses)}",
        value=str(status),
    )


def _response_of(responses: Mapping[str, _Located], status: int) -> _Located | None:
    """The exact status, else its class, else the default (OpenAPI 3.1, section 4.8.16)."""
    by_upper_name = {name.upper(): located for name, located in responses.items()}
    for name in (str(status), f"{status // 100}XX", "DEFAULT"):
        if name in by_upper_name:
            return by_upper_name[name]
    return None


def _stand_in(responses: Mapping[str, _Located], response: Response) -> _Located | None:
    """The documented success whose content an undocumented success most likely has.

    The client decodes it in the same way. There is none for an empty body, or for an error.
    """
    if not 200 <= response.status < 300 or not response.body:
        return None
    for status, located in responses.items():
        if status.startswith("2") and located.node.get("content"):
            return located
    return None


def _body_finding(
    place: Place, kind: str, rule: str, pointer: str, expected: str = "empty"
) -> Finding:
    return Finding(
        kind=kind,
        rule=rule,
        operation=place.operation,
        pointer=pointer,
        path="$",
        expected=expected,
        direction=place.direction,
    )


def _part_finding(place: Place, kind: str, rule: str, pointer: str, path: JsonPath) -> Finding:
    return Finding(
        kind=kind,
        rule=rule,
        operation=place.operation,
        pointer=pointer,
        path=str(path),
        expected="there",
        direction=place.direction,
    )


def _with_value(finding: Finding, value: str) -> Finding:
    return Finding(**{**vars(finding), "value": value})


def _printable_media_type(media_type: str) -> str:
    """A media type for a log, or a note in brackets if there is none with valid syntax."""
    if not media_type:
        return "(no media type)"
    if not _MEDIA_TYPE.fullmatch(media_type):
        return "(an invalid media type)"
    return media_type


def _wrong_type_count(findings: list[Finding]) -> int:
    return sum(finding.kind == "wrong-type" for finding in findings)


def _escaped(name: str) -> str:
    # RFC 6901, section 3: `~` and `/` are escaped.
    return name.replace("~", "~0").replace("/", "~1")
