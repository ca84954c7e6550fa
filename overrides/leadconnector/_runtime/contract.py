"""Reads the contract, which generation writes next to the code, one operation at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from .._generated import contract_text
from .contract_file import ContractSection
from .finding import ROOT, Finding, JsonPath
from .keywords import Schema
from .schema import Validator, compile_schema
from .secrets import Secret

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
"""RFC 6838, section 4.2, in lower case."""


@cache
def operation_contract(operation_id: str) -> "OperationContract":
    """The contract of an operation, compiled at its first use."""
    text = contract_text()
    operations = ContractSection(text, "operations")
    return OperationContract(operations[operation_id], ContractSection(text, "schemas"))


class ArgumentContract(NamedTuple):
    """One argument of an operation."""

    entry: Schema
    """The argument as in the contract: names, place in the request, schema, default, role."""
    validator: Validator
    """The compiled schema; it accepts everything if the contract has no schema."""


@dataclass(frozen=True, slots=True, repr=False)
class CheckedBody:
    """The data of a response body after the check against the spec. Its repr shows no data."""

    data: object
    """Ready for a generated model; as received if there is a problem."""
    problem: str = ""
    """Why no generated model can store the data, without quoting it; empty if one can."""
    path: str = "$"
    """The place of the problem, as a JSON path; `$` is the whole body."""
    findings: tuple[Finding, ...] = ()
    """All deviations from the spec."""

    def __repr__(self) -> str:
        """The number of findings: error reports include the variables of a traceback."""
        return f"CheckedBody({len(self.findings)} findings)"


class OperationContract:
    """One operation as in the contract, with its schemas compiled."""

    def __init__(self, entry: Schema, schemas: Mapping[str, Schema]) -> None:
        self.name: str = entry["name"]
        """Method and path template, for messages and findings. It contains no id."""
        self.method: str = entry["method"]
        self.path_template: str | None = entry.get("path")
        """The path as in the spec; `None` for a request that the spec does not have."""
        self.sends_token: bool = entry.get("sends_token", True)
        """Whether requests have the token. The spec can say that an operation is public."""
        self.body: str | None = entry.get("body")
        """The media type of the request's body; `None` without a body."""
        self.accept: str | None = entry.get("accept")
        """The header for media types of responses; `None` if they are JSON alone."""
        self.arguments: Mapping[str, ArgumentContract] = {
            argument["argument"]: ArgumentContract(
                argument, compile_schema(argument["schema"] or {}, schemas)
            )
            for argument in entry["arguments"]
        }
        """The arguments by their Python name."""
        self.whole_body = self._whole_body()
        """The name of the argument that is the whole body; `None` without one."""
        self.sends_data = self._sends_data()
        """Whether the client sends the JSON data of the body that it validates.

        It does for JSON and urlencoded forms. The parts of a multipart form can be files.
        """
        self.rate_limit_key = self._arguments_with_role("rate-limit-key")
        """The names of the arguments whose values the API counts requests by."""
        self.version_arguments = self._arguments_with_role("api-version")
        """The names of the arguments that are the API version."""
        self._pointer = f"{entry['pointer']}/responses"
        self._responses: Mapping[str, Schema] = entry["responses"]
        self._validators = {
            key: compile_schema(
                response["schema"],
                schemas,
                pointer=response["schema_pointer"],
                operation=self.name,
                is_response=True,
            )
            for key, response in self._responses.items()
            if "schema" in response
        }
        self.content = {key: response["content"] for key, response in self._responses.items()}
        """The kind of body of each response: `json`, `text`, `bytes` or `none`."""
        # An undocumented response has the key "". Its body is most likely JSON, as all others are.
        self.content[""] = "json"
        # Servers send few different media types, so the check of each is remembered.
        self.undocumented_content_type = lru_cache(100)(self._undocumented_content_type)

    def _arguments_with_role(self, role: str) -> list[str]:
        """The Python names of the arguments that the spec marks with a role (`x-role`)."""
        return [
            name for name, argument in self.arguments.items() if argument.entry.get("role") == role
        ]

    def _whole_body(self) -> str | None:
        for name, (entry, _) in self.arguments.items():
            if entry["in"] == "body" and not entry["name"]:
                return name
        return None

    def _sends_data(self) -> bool:
        if self.whole_body is not None and self.arguments[self.whole_body].entry["schema"] is None:
            # Another media type, or one of several.
            return False
        body = (self.body or "").lower()
        return "json" in body or body.startswith("application/x-www-form-urlencoded")

    def response_key(self, status_code: int) -> str:
        """The contract's key of a response: `200`, `2XX` or `default`; empty if undocumented.

        The exact status code has precedence (OpenAPI 3.1, section 4.8.16).
        """
        exact_key = str(status_code)
        if exact_key in self._responses:
            return exact_key
        range_key = f"{status_code // 100}XX"
        if range_key in self._responses:
            return range_key
        if "default" in self._responses:
            return "default"
        return ""

    def check_body(self, key: str, data: object, *secrets: Secret[str]) -> CheckedBody:
        """Check a response body and normalise it for the generated model.

        An undocumented property is a finding, unless the spec allows additional properties. It
        stays in the data.

        Args:
            key: the response, as `response_key` returns it.
            data: the result of `json.loads`.
            *secrets: redacted in the paths.
        """
        validator = self._validators.get(key)
        if validator is None:
            return CheckedBody(data)
        try:
            normalised = validator.normalise(data, JsonPath(None, ROOT.step, secrets))
        except RecursionError:
            return CheckedBody(data, "is nested too deeply")
        findings = tuple(normalised.findings)
        misfit = normalised.misfit
        if misfit is not None:
            return CheckedBody(data, f"must be {misfit.expected}", misfit.path, findings)
        return CheckedBody(normalised.data, findings=findings)

    def invalid_encoding(self, key: str) -> Finding:
        """The finding for a body that is JSON, but not encoded as its headers say."""
        return self._invalid_body(key, "invalid-encoding", "encoded as its Content-Encoding says")

    def undecodable_text(self, key: str) -> Finding:
        """The finding for a text with bytes that its charset does not have."""
        expected = "encoded in the charset of its Content-Type, or in UTF-8"
        return self._invalid_body(key, "invalid-encoding", expected)

    def invalid_body(self, key: str) -> Finding:
        """The finding for a body that is not what its documented media type says."""
        return self._invalid_body(key, "invalid-body", "a body of its Content-Type")

    def _invalid_body(self, key: str, kind: str, expected: str) -> Finding:
        return Finding(
            kind=kind,
            rule="response-media-type-added",
            operation=self.name,
            pointer=f"{self._responses[key]['pointer']}/content",
            path="$",
            expected=expected,
        )

    def undocumented_status(self, status_code: int) -> Finding:
        """The finding for a response whose status code is not documented."""
        outcome = "success" if 200 <= status_code < 300 else "non-success"
        return Finding(
            kind="undocumented-status",
            rule=f"response-{outcome}-status-added",
            operation=self.name,
            pointer=self._pointer,
            path="$",
            expected=f"one of the documented statuses {', '.join(sorted(self._responses))}",
            value=str(status_code),
        )

    def _undocumented_content_type(self, key: str, content_type: str) -> tuple[Finding, ...]:
        """The finding for a response whose media type is not documented; empty if it is.

        A missing `Content-Type` is a finding, except for a response without documented content.
        """
        response = self._responses.get(key, {})
        documented_types: list[str] = response.get("media_types", [])
        if not documented_types:
            return ()
        media_type = content_type.partition(";")[0].strip().lower()
        main_type = media_type.partition("/")[0]
        # The spec may document a range of types (RFC 9110, section 12.5.1).
        for matching_type in (media_type, f"{main_type}/*", "*/*"):
            if matching_type in documented_types:
                return ()
        finding = Finding(
            kind="undocumented-content-type",
            rule="response-media-type-added",
            operation=self.name,
            pointer=f"{response['pointer']}/content",
            path="$",
            expected=f"one of the documented media types {', '.join(documented_types)}",
            value=_printable_media_type(media_type),
        )
        return (finding,)


def _printable_media_type(media_type: str) -> str:
    """A media type for a log, or a note in brackets if there is none with valid syntax."""
    if not media_type:
        return "(no media type)"
    if not _MEDIA_TYPE.fullmatch(media_type):
        return "(an invalid media type)"
    return media_type
