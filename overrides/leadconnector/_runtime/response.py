"""Turns an HTTP response into the typed result of a call, or raises a documented exception.

Terms:

- response key: the key of a response in the spec: `200`, `2XX` or `default`. It is empty if the
  spec does not document the status.
- deviation: something in a response that the spec does not document.
- finding: the record of one deviation (`Finding`). It is logged and passed to `on_drift`. By
  itself it does not prevent the generated model.
- problem: a text that says why there is no generated model of a body. A value that no model can
  store is both a problem and a finding. A body that is not JSON is only a problem.
- explanation: a text in the body of an error that explains it.

Every 2xx status is a success, documented or not. The API reported that it executed the request, so
an exception would make callers repeat an update that was made.
"""

import json
import logging
import math
import sys
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar, cast

from .. import errors
from .._generated import Operation, T
from .._generated.types import APIResponse, UnionBranch
from .contract import CheckedBody, OperationContract
from .contract_file import contract_value
from .explanations import explanations_in_json, explanations_in_text
from .finding import Finding
from .frames import clear_frames
from .http import RawResponse, case_insensitive
from .log import log_finding
from .protocols import GENERATED_CODE_ERRORS
from .retry import TRANSIENT_STATUS_CODES
from .secrets import Secret, redact, redact_data
from .settings import Settings
from .text import MAXIMUM_QUOTED_CHARACTERS, one_line
from .text_charset import text_charset

STATUS_ERRORS: Mapping[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}
"""The exception of each status below 500 that has its own."""

_EMPTY_STATUS_CODES = frozenset({204, 205})
"""RFC 9110, sections 15.3.5 and 15.3.6: these responses have no body, whatever the spec says."""

MAXIMUM_LOGGED_FINDINGS = 1000
"""How many different findings a client logs: our own bound.

The API could send any number of unknown names.
"""

Argument = TypeVar("Argument")


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body before it is compared with the spec. The repr shows no data."""

    data: Any = field(repr=False)
    """JSON data, text, bytes or `None`, as the spec has it; the text if there is a problem."""
    problem: str = ""
    """Why the body cannot be parsed; empty if it can."""
    has_undecodable_bytes: bool = False
    """Whether a text has bytes that its charset does not have. U+FFFD replaces them."""


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """A body after it was compared with the spec. The repr shows no data."""

    value: Any = field(repr=False)
    """The generated model; the parsed data if there is a problem."""
    problem: str = ""
    """Why there is no model; empty if there is one."""
    path: str = "$"
    """The JSON path of the problem; `$` is the whole body."""
    findings: tuple[Finding, ...] = ()
    """All deviations of the response from the spec."""
    checked_data: Any = field(default=None, repr=False)
    """The data of the model; `None` if there is a problem."""


class _ParsedResult(Generic[T]):
    """The `parse` of an `APIResponse`.

    The caller calls it after the session has returned. So it clears its frames itself.
    """

    __slots__ = ("_result",)

    def __init__(self, result: Callable[[], T]) -> None:
        self._result = Secret(result)

    def __call__(self) -> T:
        ambient_error = sys.exception()
        try:
            return self._result.reveal()()
        except BaseException as error:
            clear_frames(error, ambient_error)
            raise


class ResponseReader(Generic[T]):
    """Reads the last response of one call.

    Args:
        operation: the generated operation.
        contract: the operation in the spec.
        settings: the settings of the client.
        secrets: the tokens of all requests of the call, in each form in which an API can send
            them back. They are redacted in findings, headers and exceptions, but not in the model
            of a success, unless the client is strict.
        attempts: how many requests the call sent.
        rejection_explanation: why a new token does not fix a 401; empty if it is unknown.
    """

    def __init__(
        self,
        operation: Operation[T],
        contract: OperationContract,
        settings: Settings,
        secrets: Sequence[Secret[str]],
        attempts: int,
        rejection_explanation: str = "",
    ) -> None:
        self._operation = operation
        self._contract = contract
        self._settings = settings
        self._secrets = secrets
        self._attempts = attempts
        self._rejection_explanation = rejection_explanation
        self.awaitables: list[Awaitable[object]] = []
        """What async functions of the caller returned. The session awaits them after `read`."""

    def read(self, response: RawResponse) -> T:
        """The result of the call.

        Raises:
            APIDecodingError: the status is a success, but no model fits the body.
            DriftError: a success deviates from the spec, and the client is strict.
                The body of an error can deviate: the status raises its exception anyway.
            APIStatusError: the status is not a success.
            Exception: an error of the caller's `on_response` or `on_drift`.
        """
        return self._result(response, self._decode_response(response))

    def read_raw(self, response: RawResponse) -> APIResponse[T]:
        """The whole response. It is decoded here, so that each deviation is reported once.

        Its `parse` raises the errors of a success that `read` raises.

        Raises:
            APIStatusError: the status is not a success.
            Exception: an error of the caller's `on_response` or `on_drift`.
        """
        decoded_body = self._decode_response(response)
        return APIResponse(
            content=response.body,
            parse=_ParsedResult(partial(self._result, response, decoded_body)),
            **vars(self._info(response)),
        )

    def _decode_response(self, response: RawResponse) -> DecodedBody:
        """The decoded body of a success; raises as `read_raw`."""
        response_key = self._contract.response_key(response.status_code)
        if self._settings.on_response is not None:
            self._notify(self._settings.on_response, self._info(response))
        if not response.is_success:
            raise self._status_error(response_key, response)
        if response_key in self._operation.success:
            return self._decode_success(response_key, response)
        return self._decode_undocumented_success(response)

    def _notify(self, function: Callable[[Argument], object], argument: Argument) -> None:
        """Call `on_response` or `on_drift`."""
        result = function(argument)
        if isinstance(result, Awaitable):
            self.awaitables.append(cast("Awaitable[object]", result))

    # A success.

    def _decode_success(self, response_key: str, response: RawResponse) -> DecodedBody:
        is_json = self._contract.content[response_key] == "json"
        # `2XX` and `default` describe these responses too, but not that they have no body.
        if is_json and response.status_code in _EMPTY_STATUS_CODES and not response.body:
            return self._decode_empty(response_key)
        parsed_body = parse_body(self._contract.content[response_key], response)
        decode = self._operation.success[response_key]
        return self._decode(decode, response_key, response, parsed_body)

    def _decode_undocumented_success(self, response: RawResponse) -> DecodedBody:
        """Decode a success whose status the spec does not document, as a documented one."""
        status_findings = self._report((self._contract.undocumented_status(response.status_code),))
        is_empty = not response.body.strip()
        response_key = self._stand_in_key(is_empty=is_empty)
        if is_empty and self._contract.content[response_key] == "json":
            decoded_body = self._decode_empty(response_key)
        else:
            decoded_body = self._decode_success(response_key, response)
        return replace(decoded_body, findings=status_findings + decoded_body.findings)

    def _stand_in_key(self, *, is_empty: bool) -> str:
        """The documented success that stands for an undocumented one.

        It is the first one in the spec, of those without content for an empty body, and of those
        with content for any other body; without such a one, the first of all.
        """
        keys = list(self._operation.success)
        for key in keys:
            has_content = self._contract.content[key] != "none"
            if is_empty and not has_content:
                return key
            if has_content and not is_empty:
                return key
        return keys[0]

    def _decode_empty(self, response_key: str) -> DecodedBody:
        """The model of an empty body: all its properties are absent.

        There are no findings about missing properties: the status says already that there are none.
        """
        checked_body = self._contract.check_body(response_key, {})
        if checked_body.problem:
            return DecodedBody("", "is empty")
        return self._build_model(self._operation.success[response_key], checked_body.data)

    def _result(self, response: RawResponse, decoded_body: DecodedBody) -> T:
        """The result of a success.

        Raises:
            APIDecodingError: there is no model.
            DriftError: there are findings, and the client is strict.
        """
        if decoded_body.problem:
            raise self._decoding_error(response, decoded_body)
        if decoded_body.findings and self._settings.strict:
            raise self._drift_error(response, decoded_body)
        result: T = decoded_body.value
        return result

    def _decoding_error(
        self, response: RawResponse, decoded_body: DecodedBody
    ) -> errors.APIDecodingError:
        problem = f"{decoded_body.path} {decoded_body.problem}"
        return errors.APIDecodingError(
            self._deviation_text(response, problem),
            path=redact(decoded_body.path, *self._secrets),
            findings=decoded_body.findings,
            body=self._received_body(response),
            # The exception is also a `ResponseInfo`, so it has the same attributes.
            **vars(self._info(response)),
        )

    def _drift_error(self, response: RawResponse, decoded_body: DecodedBody) -> errors.DriftError:
        finding = decoded_body.findings[0]
        problem = f"{finding.subject} must be {finding.expected}"
        return errors.DriftError(
            self._deviation_text(response, problem),
            path=redact(finding.path, *self._secrets),
            findings=decoded_body.findings,
            body=self._received_body(response),
            result=decoded_body.value,
            **vars(self._info(response)),
        )

    def _deviation_text(self, response: RawResponse, problem: str) -> str:
        text = (
            f"{self._contract.name}: the API reported success ({response.status_code}), so the "
            f"request was probably executed, but the response deviates from the spec: {problem}"
        )
        return redact(text, *self._secrets)

    def _received_body(self, response: RawResponse) -> object:
        """The body of a success as received: JSON data, or text. The tokens are redacted."""
        return self._redacted_body(parse_body("json", response), response).data

    # An error.

    def _status_error(self, response_key: str, response: RawResponse) -> errors.APIStatusError:
        """The exception of a status that is not a success."""
        if not response_key:
            self._report((self._contract.undocumented_status(response.status_code),))
        content = self._contract.content[response_key]
        if content == "none" and response.body:
            # The spec documents no body, but there is one. It can explain the error.
            content = "json"
        parsed_body = self._redacted_body(parse_body(content, response), response)
        model = self._error_model(response_key, response, parsed_body)
        properties = _properties(parsed_body.data)
        messages = self._explanations(response)
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
        # Cut first: the texts can be much longer than the summary.
        summary = one_line("; ".join(messages)[:MAXIMUM_QUOTED_CHARACTERS])
        if summary:
            text += f": {summary}"
        if response.status_code == 401:
            text += self._rejection_explanation
        return text

    def _error_model(
        self, response_key: str, response: RawResponse, parsed_body: ParsedBody
    ) -> object:
        """The generated model of an error; its parsed data if there is no model of it."""
        if response_key not in self._operation.errors:
            return parsed_body.data
        if self._contract.content[response_key] == "none":
            return parsed_body.data
        decode = self._operation.errors[response_key]
        decoded_body = self._decode(decode, response_key, response, parsed_body)
        if decoded_body.problem:
            return parsed_body.data
        removed_values = _removed_values(parsed_body.data, decoded_body.checked_data)
        if not removed_values:
            return decoded_body.value
        # In an error, a value that the spec does not allow can be the explanation.
        complete_data: object = {**_properties(decoded_body.checked_data), **removed_values}
        if isinstance(decoded_body.checked_data, UnionBranch):
            complete_data = UnionBranch(decoded_body.checked_data.pointer, complete_data)
        complete_model = self._build_model(decode, complete_data)
        if complete_model.problem:
            return parsed_body.data
        return complete_model.value

    def _explanations(self, response: RawResponse) -> list[str]:
        """The texts that explain an error, without the token, whatever content the spec has."""
        if response.is_too_large:
            return []
        parsed_body = self._redacted_body(_parse_any_json(response), response)
        if parsed_body.problem and response.body_problem and not _is_printable(response):
            # It is still compressed.
            return []
        if parsed_body.problem:
            # The raw text: the parsed one is redacted, and markup can divide a token.
            return explanations_in_text(_text(response), self._secrets)
        # The contract has the names that the spec marks with `x-role`.
        vocabulary = self._settings.conventions.error_vocabulary.with_explanations(
            contract_value("error_messages")
        )
        return explanations_in_json(parsed_body.data, vocabulary, response.status_code)

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

    # Parts of both.

    def _redacted_body(self, parsed_body: ParsedBody, response: RawResponse) -> ParsedBody:
        """A parsed body without the token. An exception shows it."""
        try:
            return replace(parsed_body, data=redact_data(parsed_body.data, *self._secrets))
        except RecursionError:
            # The JSON parser permits a deeper nesting than `redact_data`.
            return ParsedBody(
                redact(_text(response), *self._secrets), _unreadable("RecursionError")
            )

    def _decode(
        self,
        decode: Callable[[Any], object],
        response_key: str,
        response: RawResponse,
        parsed_body: ParsedBody,
    ) -> DecodedBody:
        """Create the generated model of a body, and report all deviations from the spec.

        Args:
            decode: the generated function that creates the model.
            response_key: the response in the spec.
            response: the response.
            parsed_body: its body.
        """
        # Redacted first: a media type is case-insensitive, and a finding has it in lower case.
        content_type = redact(response.headers.get("content-type", ""), *self._secrets)
        # No variable has the data: `on_drift` can raise, and a traceback can show variables.
        if parsed_body.problem:
            checked_body = CheckedBody(parsed_body.data, parsed_body.problem)
        else:
            checked_body = self._contract.check_body(response_key, parsed_body.data, *self._secrets)
        findings = self._contract.undocumented_content_type(response_key, content_type)
        if response.body_problem and not parsed_body.problem:
            findings = (*findings, self._contract.invalid_encoding(response_key))
        if parsed_body.has_undecodable_bytes:
            findings = (*findings, self._contract.undecodable_text(response_key))
        if parsed_body.problem and not findings:
            findings = (self._contract.invalid_body(response_key),)
        findings = (*findings, *checked_body.findings)
        if findings:
            findings = self._report(findings)
        if checked_body.problem:
            return DecodedBody(checked_body.data, checked_body.problem, checked_body.path, findings)
        decoded_body = self._build_model(decode, checked_body.data)
        if not findings:
            # The usual case: there is nothing to add.
            return decoded_body
        return replace(decoded_body, findings=findings)

    def _build_model(self, decode: Callable[[Any], object], data: object) -> DecodedBody:
        """The generated model of data that was checked against the spec."""
        try:
            if self._settings.strict:
                # `DriftError.result` is an attribute of an exception.
                return DecodedBody(decode(redact_data(data, *self._secrets)), checked_data=data)
            return DecodedBody(decode(data), checked_data=data)
        except GENERATED_CODE_ERRORS as error:
            return DecodedBody(data, f"does not fit the generated model ({type(error).__name__})")

    def _info(self, response: RawResponse) -> errors.ResponseInfo:
        """The response without its body. The token is redacted in the headers."""
        # `redact_data` needs a plain dict. It returns any other mapping unchanged.
        redacted_headers = redact_data(dict(response.headers), *self._secrets)
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
        redacted_findings: list[Finding] = []
        for finding in findings:
            path = redact(finding.path, *self._secrets)
            value = redact(finding.value, *self._secrets)
            redacted_finding = replace(finding, path=path, value=value)
            redacted_findings.append(redacted_finding)
            self._log_once(redacted_finding)
            if self._settings.on_drift is not None:
                self._notify(self._settings.on_drift, redacted_finding)
        return tuple(redacted_findings)

    def _log_once(self, finding: Finding) -> None:
        """Log a finding, unless the client already logged an equal one.

        Equal findings are of the same operation, kind and place, and of the same status or media
        type.
        """
        logged_findings = self._settings.logged_findings
        if finding in logged_findings or len(logged_findings) >= MAXIMUM_LOGGED_FINDINGS:
            return
        logged_findings.add(finding)
        log_finding(log_level(finding), finding)


def log_level(finding: Finding) -> int:
    """The level at which a finding is logged.

    An ordinary status needs no change of the spec or of the service, so it is only information.
    """
    if finding.kind == "undocumented-status" and is_ordinary_status(int(finding.value)):
        return logging.INFO
    return logging.WARNING


def is_ordinary_status(status_code: int) -> bool:
    """Whether any HTTP API can send this status, and the client is prepared for it.

    The status has an exception of its own, or the client retries it.
    """
    if status_code >= 500:
        return True
    return status_code in STATUS_ERRORS or status_code in TRANSIENT_STATUS_CODES


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
        return _parse_badly_encoded(content, response)
    if content == "bytes":
        return ParsedBody(response.body)
    if content == "text":
        return _parse_text(response)
    return _parse_json(response)


def _parse_text(response: RawResponse) -> ParsedBody:
    try:
        return ParsedBody(response.body.decode(text_charset(response.headers)))
    except UnicodeError:
        return ParsedBody(_text(response), has_undecodable_bytes=True)


def _parse_badly_encoded(content: str, response: RawResponse) -> ParsedBody:
    """Parse a body with a problem, such as a wrong `Content-Encoding`.

    A complete JSON document is used all the same: a part of one would not parse.
    """
    if content == "json" and not response.is_too_large:
        parsed = _parse_json(response)
        if not parsed.problem:
            return parsed
    return ParsedBody(_text(response), response.body_problem)


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


def _parse_any_json(response: RawResponse) -> ParsedBody:
    """Parse a body as leniently as possible: UTF-16, invalid UTF-8 and NaN are accepted.

    Only the texts in it are used.
    """
    for body in (response.body, _text(response)):
        try:
            return ParsedBody(json.loads(body))
        except (RecursionError, ValueError):
            continue
    return ParsedBody(_text(response), "is not JSON")


def _unreadable(error_name: str) -> str:
    """The problem of a body that is JSON at first sight, but that the parser cannot process."""
    return f"cannot be read as JSON: {error_name}"


def _text(response: RawResponse) -> str:
    return response.body.decode(text_charset(response.headers), "replace")


def _is_printable(response: RawResponse) -> bool:
    """Whether a body is text in UTF-8 without control characters."""
    try:
        text = response.body.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


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
    if isinstance(data, UnionBranch):
        data = data.value
    if isinstance(data, dict):
        return cast("Mapping[str, Any]", data)
    return {}


def _removed_values(data: Any, checked_data: Any) -> Mapping[str, Any]:
    """The properties that the check against the spec removed from an object, except nulls."""
    remaining_properties = _properties(checked_data)
    return {
        name: value
        for name, value in _properties(data).items()
        if value is not None and name not in remaining_properties
    }
