"""Turns an HTTP response into the typed result of a call, or raises a documented exception.

Terms:

- response key: the key of a response in the spec: `200`, `2XX` or `default`. It is empty if the
  spec does not document the status.
- deviation: something in a response that the spec does not document.
- finding: the record of one deviation (`Finding`). It is logged and passed to `on_drift`. By
  itself it does not prevent the generated model.
- problem: a text that says why there is no generated model of a body. A value that no model can
  store is both a problem and a finding. A body that is not JSON is only a problem.
"""

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
}
"""The exception of each status below 500 that has its own."""

MAXIMUM_LOGGED_FINDINGS = 1000
"""How many different findings a client logs. The API could send any number of unknown names."""

MAXIMUM_QUOTED_CHARACTERS = 200
"""How many characters of the API's own messages the text of an exception quotes."""


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
    """The generated model; the parsed data if there is a problem."""
    problem: str = ""
    """Why there is no model; empty if there is one."""
    path: str = "$"
    """The JSON path of the problem; `$` is the whole body."""
    findings: tuple[Finding, ...] = ()
    """All deviations of the body from the spec."""

    def __repr__(self) -> str:
        return f"DecodedBody({self.problem!r}, {len(self.findings)} findings)"


class ResponseReader(Generic[T]):
    """Reads the last response of one call.

    Args:
        operation: the generated operation.
        contract: the operation in the spec.
        settings: the settings of the client.
        token: the token of the request. An API can send it back. It is redacted in findings,
            headers and exceptions, but not in the model of a success.
        attempts: how many requests the call sent.
    """

    def __init__(
        self,
        operation: Operation[T],
        contract: OperationContract,
        settings: Settings,
        token: Token,
        attempts: int,
    ) -> None:
        self._operation = operation
        self._contract = contract
        self._settings = settings
        self._token = token
        self._attempts = attempts

    def read(self, response: RawResponse) -> T:
        """The result of the call.

        Raises:
            APIDecodingError: the status is a success, but the body cannot be decoded.
            DriftError: the body of a success deviates from the spec, and the client is strict.
                The body of an error can deviate: the status raises its exception anyway.
            APIStatusError: the status is not a documented success.
            Exception: an error of the caller's `on_response` or `on_drift`.
        """
        response_key = self._contract.response_key(response.status_code)
        if self._settings.on_response is not None:
            self._settings.on_response(self._info(response))
        if not response.is_success or response_key not in self._operation.success:
            raise self._status_error(response_key, response)
        return self._read_success(response_key, response)

    # A success.

    def _read_success(self, response_key: str, response: RawResponse) -> T:
        parsed = parse_body(self._contract.content[response_key], response)
        decode = self._operation.success[response_key]
        decoded = self._decode(decode, response_key, response, parsed)
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
        decoded: DecodedBody,
        path: str,
        problem: str,
    ) -> errors.APIDecodingError:
        message = (
            f"{self._contract.name}: {response.status_code}, "
            f"but the response deviates from the spec: {path} {problem}"
        )
        return error_class(
            redact(message, self._token),
            path=redact(path, self._token),
            findings=decoded.findings,
            # The exception is also a `ResponseInfo`, so it has the same attributes.
            **vars(self._info(response)),
        )

    # An error.

    def _status_error(self, response_key: str, response: RawResponse) -> errors.APIStatusError:
        """The exception of a status that is not a documented success."""
        if not response_key:
            self._report((self._contract.undocumented_status(response.status_code),))
        parsed = self._parse_redacted(response_key, response)
        model = self._error_model(response_key, response, parsed)
        properties = _properties(parsed.data)
        messages = _messages(properties)
        error_class = self._status_error_class(response)
        return error_class(
            self._status_error_text(response, messages),
            body=model,
            messages=messages,
            retry_after=response.retry_after,
            # The exception is also a `ResponseInfo`, so it has the same attributes.
            **vars(self._error_info(response, properties)),
        )

    def _status_error_class(self, response: RawResponse) -> type[errors.APIStatusError]:
        if self._settings.conventions.is_daily_limit(response):
            return errors.DailyRateLimitError
        if response.status_code >= 500:
            return errors.ServerError
        return STATUS_ERRORS.get(response.status_code, errors.UnexpectedStatusError)

    def _status_error_text(self, response: RawResponse, messages: list[str]) -> str:
        text = f"{self._contract.name}: {response.status_code}"
        summary = _one_line("; ".join(messages))
        if summary:
            text += f": {summary}"
        return text

    def _error_model(self, response_key: str, response: RawResponse, parsed: ParsedBody) -> object:
        """The generated model of an error; its parsed data if there is no model of it."""
        if response_key not in self._operation.errors:
            return parsed.data
        decode = self._operation.errors[response_key]
        return self._decode(decode, response_key, response, parsed).value

    def _error_info(
        self, response: RawResponse, properties: Mapping[str, object]
    ) -> errors.ResponseInfo:
        """What the headers say about an error. Its body can also contain the request id."""
        info = self._info(response)
        if info.request_id:
            return info
        request_id = properties.get(self._settings.conventions.request_id_property)
        if not isinstance(request_id, str):
            request_id = None
        return replace(info, request_id=request_id)

    def _parse_redacted(self, response_key: str, response: RawResponse) -> ParsedBody:
        """Parse the body of an error and redact the token. The exception shows the body."""
        parsed = parse_body(self._contract.content[response_key], response)
        try:
            return ParsedBody(redact_data(parsed.data, self._token), parsed.problem)
        except RecursionError:
            # The JSON parser permits a deeper nesting than `redact_data`.
            return ParsedBody(redact(_text(response), self._token), _unreadable("RecursionError"))

    # Parts of both.

    def _decode(
        self,
        decode: Callable[[Any], object],
        response_key: str,
        response: RawResponse,
        parsed: ParsedBody,
    ) -> DecodedBody:
        """Create the generated model of a body, and report all deviations from the spec.

        Args:
            decode: the generated function that creates the model.
            response_key: the response in the spec.
            response: the response.
            parsed: its body.
        """
        content_type = response.headers.get("content-type", "")
        findings = self._contract.undocumented_content_type(response_key, content_type)
        data = parsed.data
        problem = parsed.problem
        path = "$"
        if not problem:
            checked_body = self._contract.check_body(response_key, data)
            findings = (*findings, *checked_body.findings)
            data = checked_body.data
            problem = checked_body.problem
            path = checked_body.path
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
        """The response without its body. The token is redacted in the headers."""
        # `redact_data` needs a plain dict. It returns any other mapping unchanged.
        redacted_headers = redact_data(dict(response.headers), self._token)
        # Callers may look up a header in any case; see `ResponseInfo.headers`.
        headers = case_insensitive(redacted_headers)
        request_id = None
        for name in self._settings.conventions.request_id_headers:
            if name in headers:
                request_id = headers[name]
                break
        return errors.ResponseInfo(response.status_code, headers, request_id, self._attempts)

    def _report(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Redact findings, log them, and call `on_drift` with each.

        Returns:
            The findings. The token is redacted in their paths, as the API chooses the names there.
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
        """Log a finding, unless the client already logged one of the same kind and path.

        The operation is not compared: the same kind and path in another operation is not logged.
        """
        logged_findings = self._settings.logged_findings
        identity = (finding.kind, finding.path)
        if identity in logged_findings or len(logged_findings) >= MAXIMUM_LOGGED_FINDINGS:
            return
        logged_findings.add(identity)
        logger.warning(
            "%s: %s at %s (spec: %s): must be %s [%s]",
            finding.operation,
            finding.kind,
            finding.path,
            finding.pointer,
            finding.expected,
            finding.rule,
        )


def parse_body(content: str, response: RawResponse) -> ParsedBody:
    """Parse a body.

    Args:
        content: the kind of content that the spec has: `json`, `text`, `bytes` or `none`. It is
            `json` if the spec does not document the response; see `OperationContract.content`.
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
        return ParsedBody(_strict_json.decode(text))
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON: {error.msg} at character {error.pos}"
        if not response.body:
            problem = "is empty"
        return ParsedBody(_text(response), problem)
    except (RecursionError, ValueError) as error:
        # Nested too deeply, not UTF-8, or a number of thousands of digits.
        return ParsedBody(_text(response), _unreadable(type(error).__name__))


def _unreadable(error_name: str) -> str:
    """The problem of a body that is JSON at first sight, but that the parser cannot process."""
    return f"cannot be read as JSON: {error_name}"


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


# Python's own decoder accepts `NaN` and `Infinity`, and reads 1e999 as infinity.
_strict_json = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _properties(data: Any) -> Mapping[str, Any]:
    """The properties of a JSON object; empty for any other data."""
    if isinstance(data, dict):
        return cast("Mapping[str, Any]", data)
    return {}


def _messages(properties: Mapping[str, Any]) -> list[str]:
    """The texts in the properties that the spec marks as error messages (`x-role`).

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
    """The beginning of a text in one printable line, so that it cannot forge lines of a log."""
    printable = ""
    for character in text[:MAXIMUM_QUOTED_CHARACTERS]:
        printable += character if character.isprintable() else " "
    return " ".join(printable.split())
