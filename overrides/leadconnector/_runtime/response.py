"""Turns an HTTP response into the typed result of a call, or raises a documented exception."""

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, NamedTuple, cast

from .. import errors
from .._generated import Operation, T, load_contract
from .contract import OperationContract
from .finding import Finding
from .http import RawResponse, case_insensitive
from .log import logger
from .protocols import GENERATED_CODE_ERRORS
from .secrets import Token, redact, redact_data
from .settings import Settings

STATUS_ERRORS: Mapping[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    500: errors.ServerError,
}
"""The exception of each status that has its own. All statuses above 500 share that of 500."""

MAXIMUM_LOGGED_DRIFT = 1000
"""How many kinds and paths of drift a client logs. The API could send any number of names."""

MAXIMUM_MESSAGE = 200
"""Characters of the API's own messages in the message of an exception."""


class ResponseReader(Generic[T]):
    """Reads the last response of one call.

    Args:
        operation: the generated operation.
        description: the operation in the spec.
        settings: the settings of the client.
        token: the token of the request. It is redacted in everything that a caller can see.
        attempts: how many requests the call sent.
    """

    def __init__(
        self,
        operation: Operation[T],
        description: OperationContract,
        settings: Settings,
        token: Token,
        attempts: int,
    ) -> None:
        self._operation = operation
        self._description = description
        self._settings = settings
        self._token = token
        self._attempts = attempts

    def read(self, response: RawResponse) -> T:
        """The result of the call.

        Raises:
            APIDecodingError: the status is a success, but the body cannot be decoded.
            DriftError: the body deviates from the spec, and the client is strict.
            APIStatusError: the status is no documented success.
        """
        key = self._description.response_key(response.status_code)
        if self._settings.on_response is not None:
            self._settings.on_response(self._info(response))
        if not response.is_success or key not in self._operation.success:
            raise self._status_error(key, response)
        return self._success(key, response)

    def _success(self, key: str, response: RawResponse) -> T:
        parsed = parse_body(self._description.content[key], response)
        decoded = self._decode(self._operation.success[key], key, response, parsed)
        if decoded.problem:
            raise self._decoding_error(
                errors.APIDecodingError, response, decoded, decoded.path, decoded.problem
            )
        if decoded.findings and self._settings.strict:
            finding = decoded.findings[0]
            raise self._decoding_error(
                errors.DriftError, response, decoded, finding.path, f"must be {finding.expected}"
            )
        result: T = decoded.value
        return result

    def _decoding_error(
        self,
        error_class: type[errors.APIDecodingError],
        response: RawResponse,
        decoded: "DecodedBody",
        path: str,
        problem: str,
    ) -> errors.APIDecodingError:
        message = (
            f"{self._description.name}: {response.status_code}, "
            f"but the response deviates from the spec: {path} {problem}"
        )
        return error_class(
            redact(message, self._token),
            path=redact(path, self._token),
            findings=decoded.findings,
            **vars(self._info(response)),
        )

    def _status_error(self, key: str, response: RawResponse) -> errors.APIStatusError:
        if not key:
            self._report((self._description.undocumented_status(response.status_code),))
        parsed = self._parse_redacted(key, response)
        body = parsed.data
        if key in self._operation.errors:
            body = self._decode(self._operation.errors[key], key, response, parsed).value
        properties = _properties(parsed.data)
        messages = _messages(properties)
        info = self._info(response)
        if not info.request_id:
            info = replace(info, request_id=self._request_id_in(properties))
        message = f"{self._description.name}: {response.status_code}"
        summary = _one_line("; ".join(messages))
        if summary:
            message += f": {summary}"
        return self._status_error_class(response)(
            message,
            body=body,
            messages=messages,
            retry_after=response.retry_after,
            **vars(info),
        )

    def _status_error_class(self, response: RawResponse) -> type[errors.APIStatusError]:
        if self._settings.conventions.is_daily_limit(response):
            return errors.DailyRateLimitError
        return STATUS_ERRORS.get(min(response.status_code, 500), errors.UnexpectedStatusError)

    def _parse_redacted(self, key: str, response: RawResponse) -> "ParsedBody":
        """Parse the body of an error and redact the token. The exception shows the body."""
        parsed = parse_body(self._description.content[key], response)
        try:
            return ParsedBody(redact_data(parsed.data, self._token), parsed.problem)
        except RecursionError:
            return ParsedBody(redact(_text(response), self._token), _unreadable("RecursionError"))

    def _decode(
        self,
        decode: Callable[[Any], object],
        key: str,
        response: RawResponse,
        parsed: "ParsedBody",
    ) -> "DecodedBody":
        """Make the generated model of a body, and report what deviates from the spec.

        Args:
            decode: the generated function of the model.
            key: the response in the spec.
            response: the response.
            parsed: its body.
        """
        content_type = response.headers.get("content-type", "")
        findings = self._description.undocumented_content_type(key, content_type)
        data = parsed.data
        problem = parsed.problem
        path = "$"
        if not problem:
            reading = self._description.check_body(key, data)
            findings = (*findings, *reading.findings)
            data = reading.data
            problem = reading.problem
            path = reading.path
        if findings:
            findings = self._report(findings)
        if problem:
            return DecodedBody(data, problem, path, findings)
        try:
            return DecodedBody(decode(data), findings=findings)
        except GENERATED_CODE_ERRORS as error:
            problem = f"does not fit the generated model ({type(error).__name__})"
            return DecodedBody(data, problem, path, findings)

    def _info(self, response: RawResponse) -> errors.ResponseInfo:
        headers = case_insensitive(redact_data(dict(response.headers), self._token))
        request_id = None
        for name in self._settings.conventions.request_id_headers:
            if name in headers:
                request_id = headers[name]
                break
        return errors.ResponseInfo(response.status_code, headers, request_id, self._attempts)

    def _request_id_in(self, properties: Mapping[str, object]) -> str | None:
        request_id = properties.get(self._settings.conventions.request_id_property)
        return request_id if isinstance(request_id, str) else None

    def _report(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Log each kind and path once, and call `on_drift` with each finding.

        Returns:
            The findings. The token is redacted in their paths, which have names from the wire.
        """
        redacted: list[Finding] = []
        for finding in findings:
            redacted.append(replace(finding, path=redact(finding.path, self._token)))
        for finding in redacted:
            self._log_once(finding)
            if self._settings.on_drift is not None:
                self._settings.on_drift(finding)
        return tuple(redacted)

    def _log_once(self, finding: Finding) -> None:
        reported = self._settings.reported_drift
        identity = (finding.kind, finding.path)
        if identity in reported or len(reported) >= MAXIMUM_LOGGED_DRIFT:
            return
        reported.add(identity)
        logger.warning(
            "%s: %s at %s, where the spec (%s) has %s [%s]",
            finding.operation,
            finding.kind,
            finding.path,
            finding.pointer,
            finding.expected,
            finding.rule,
        )


class ParsedBody(NamedTuple):
    """A body before it is compared with the spec. The repr shows no data."""

    data: Any
    """JSON data, text, bytes or `None`, as the spec has it; the text if there is a problem."""
    problem: str = ""
    """Why the body cannot be parsed; empty if it can."""

    def __repr__(self) -> str:
        return f"ParsedBody({self.problem!r})"


class DecodedBody(NamedTuple):
    """A body after it was compared with the spec. The repr shows no data."""

    value: Any
    """The generated model; the data if there is a problem."""
    problem: str = ""
    """Why there is no model; empty if there is one."""
    path: str = "$"
    """The JSON path of the problem."""
    findings: tuple[Finding, ...] = ()
    """All deviations from the spec."""

    def __repr__(self) -> str:
        return f"DecodedBody({self.problem!r}, {len(self.findings)} findings)"


def parse_body(content: str, response: RawResponse) -> ParsedBody:
    """Parse a body.

    Args:
        content: the kind of content that the spec has: `json`, `text`, `bytes` or `none`.
        response: the response.
    """
    if content == "none":
        return ParsedBody(None)
    if response.body_problem:
        return ParsedBody(_text(response), response.body_problem)
    if content == "bytes":
        return ParsedBody(response.body)
    if content == "text":
        return ParsedBody(_text(response))
    return _parse_json(response)


def _parse_json(response: RawResponse) -> ParsedBody:
    try:
        # Some servers send a byte order mark, which RFC 8259 (section 8.1) permits to ignore.
        text = response.body.removeprefix(BOM_UTF8).decode()
        return ParsedBody(_json.decode(text))
    except json.JSONDecodeError as error:
        problem = f"is no JSON: {error.msg} at character {error.pos}"
        if not response.body:
            problem = "is empty"
        return ParsedBody(_text(response), problem)
    except (RecursionError, ValueError) as error:
        # Nested too deeply, not UTF-8, or a number of thousands of digits.
        return ParsedBody(_text(response), _unreadable(type(error).__name__))


def _unreadable(error_name: str) -> str:
    return f"is no JSON that can be read: {error_name}"


def _text(response: RawResponse) -> str:
    return response.body.decode("utf-8", "replace")


def _finite(number: str) -> float:
    """Parse a number of JSON, which has no NaN and no infinity (RFC 8259, section 6).

    Raises:
        ValueError: it is not finite as a float.
    """
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


_json = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _properties(data: object) -> Mapping[str, Any]:
    """The properties of a JSON object; empty for any other data."""
    if data.__class__ is dict:
        return cast("Mapping[str, Any]", data)
    return {}


def _messages(properties: Mapping[str, Any]) -> list[str]:
    """The texts in the properties that the spec marks as error messages.

    Such a property is a text or a list of texts. HighLevel's 422 has a list.
    """
    messages: list[str] = []
    for name in load_contract()["error_messages"]:
        value = properties.get(name)
        texts: list[object] = [value]
        if isinstance(value, list):
            texts = cast("list[object]", value)
        for text in texts:
            if isinstance(text, str) and text:
                messages.append(text)
    return messages


def _one_line(text: str) -> str:
    """The beginning of a text in one printable line."""
    printable = ""
    for character in text[:MAXIMUM_MESSAGE]:
        printable += character if character.isprintable() else " "
    return " ".join(printable.split())
