"""One call without its I/O: the request that its arguments make, and the result or the error that its answer is."""

import datetime
import json
import math
import uuid
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, cast

import httpx

from .. import errors
from .._generated import Operation, T, load_contract
from .._generated.types import Unset
from ..auth import Token
from .contract import CheckedBody, OperationContract, operation_contract
from .finding import Finding, JsonPath
from .http import Limits, RawResponse, logger, no_answer
from .schema import Schema, Validator
from .settings import Settings

_MISFITS = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What generated code raises for data that it cannot take."""

_REFUSALS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
}
_OTHERS = {
    404: errors.NotFoundError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}
STATUS_ERRORS: Mapping[int, type[errors.APIStatusError]] = {
    **_REFUSALS,
    **_OTHERS,
    500: errors.ServerError,
}
"""The exception of each status that has one of its own; those above 500 have that of 500."""

_REPORTED_AT_MOST = 1000
"""Kinds and paths of drift that the log tells: what an answer calls its fields is not for us to bound otherwise."""

_TOLD = (
    "%(operation)s: %(kind)s at %(path)s, where the spec (%(pointer)s) has %(expected)s [%(rule)s]"
)


class Call(Generic[T]):
    """One operation with its arguments, from the request to the result.

    Raises:
        ArgumentError: when made, if an argument is not acceptable.
    """

    attempts = 0
    """How many requests were made of it so far."""

    def __init__(
        self, operation: Operation[T], arguments: Mapping[str, object], settings: Settings
    ) -> None:
        self._settings, self._operation, self._known = (
            settings,
            operation,
            operation_contract(operation.operation_id),
        )
        self.name, self.method = self._known.name, self._known.method
        end = math.inf if settings.deadline is None else settings.clock() + settings.deadline
        self.limits = Limits(settings.clock, settings.timeouts, end)
        complete = _checked(self._known, arguments, settings.version)
        self.rate_limit_key = "/".join([str(complete[name]) for name in self._known.rate_limit_key])
        try:
            self._url, self._headers, content = _written(operation.build(**complete), settings)
        except (*_MISFITS, httpx.InvalidURL) as error:
            raise errors.ArgumentError(
                "the arguments make no request", argument="arguments"
            ) from error
        self._body = httpx.ByteStream(content)

    def request(self, token: Token) -> httpx.Request:
        """The request of the next attempt, none of whose timeouts is beyond the deadline."""
        self.attempts, self._token, timeouts = (
            self.attempts + 1,
            token,
            {"timeout": self.limits.steps()},
        )
        headers = [*self._headers, (b"Authorization", b"Bearer " + token.reveal().encode())]
        return httpx.Request(
            self.method, self._url, headers=headers, stream=self._body, extensions=timeouts
        )

    def failed(self, error: Exception, request: httpx.Request) -> RawResponse:
        """What stands for the answer to a request that got none; raises what `no_answer` does."""
        known = no_answer(error, self.name, request, self.redacted, self.attempts)
        return RawResponse(0, {}, b"", known.failure, known)

    def in_time(self, wait: float, what: str) -> float:
        """The seconds to wait for something; raises `APITimeoutError` where they end after the deadline."""
        if self.limits.clock() + wait >= self.limits.deadline:
            text = f"{self.name}: not sent: {what} is there in {wait:.3f} s, after the deadline"
            raise errors.APITimeoutError(text, attempts=self.attempts, failure="never sent")
        return wait

    def result(self, answer: RawResponse) -> T:
        """What the call returns.

        Raises:
            APIConnectionError, APIDecodingError, APIStatusError: the answer is no documented success.
        """
        if answer.error:
            raise answer.error
        key, decoders = self._known.response_key(answer.status), self._operation.success
        if self._settings.on_response is not None:
            self._settings.on_response(self._info(answer))
        if not (200 <= answer.status < 300 and key in decoders):
            raise self._status_error(key, answer)
        reading = self._read(
            decoders[key], key, answer, self._received(key, answer, lambda data: data)
        )
        if not reading.problem and not (reading.findings and self._settings.strict):
            return cast("T", reading.data)
        kind, (problem, path, findings) = errors.APIDecodingError, reading[1:]
        if not problem:
            kind, problem, path = (
                errors.DriftError,
                f"must be {findings[0].expected}",
                findings[0].path,
            )
        text = self.redacted(
            f"{self.name}: {answer.status}, but the answer is not as documented: {path} {problem}"
        )
        raise kind(text, **vars(self._info(answer)), path=self.redacted(path), findings=findings)

    def _received(self, key: str, answer: RawResponse, clean: Callable[[Any], Any]) -> CheckedBody:
        """What the body holds, as the spec has it for this response, cleaned; its text where that fails."""
        content, problem = self._known.content[key], answer.problem
        if content == "json" and not problem:
            try:
                return CheckedBody(clean(_JSON.decode(answer.body.removeprefix(BOM_UTF8).decode())))
            except json.JSONDecodeError as error:
                problem = (
                    f"is no JSON: {error.msg} at character {error.pos}"
                    if answer.body
                    else "is empty"
                )
            except (
                RecursionError,
                ValueError,
            ) as error:  # too deep, not UTF-8, a number of thousands of digits
                problem = f"is no JSON that can be read: {type(error).__name__}"
        if content == "none" or (content == "bytes" and not problem):
            return CheckedBody(answer.body if content == "bytes" else None)
        return CheckedBody(clean(answer.body.decode("utf-8", "replace")), problem)

    def _read(
        self, decode: Callable[[Any], object], key: str, answer: RawResponse, received: CheckedBody
    ) -> CheckedBody:
        """The model of what was received, or that itself where it fits none; what is not as documented is reported."""
        others = self._known.undocumented_content_type(key, answer.headers.get("content-type", ""))
        reading = received if received.problem else self._known.check_body(key, received.data)
        found, problem = (*others, *reading.findings), reading.problem
        findings = self._report(found) if found else ()
        try:
            if not problem:
                return CheckedBody(decode(reading.data), "", "$", findings)
        except _MISFITS as error:
            problem = f"does not fit the generated model ({type(error).__name__})"
        return CheckedBody(received.data, problem, reading.path, findings)

    def _status_error(self, key: str, answer: RawResponse) -> errors.APIStatusError:
        if not key:
            self._report((self._known.undocumented_status(answer.status),))
        reading = received = self._received(key, answer, self.redacted)
        if key in self._operation.errors:
            reading = self._read(self._operation.errors[key], key, answer, received)
        properties: Schema = (
            cast("Schema", received.data) if received.data.__class__ is dict else {}
        )
        said: list[Any] = [properties.get(name) for name in load_contract()["error_messages"]]
        lists = [each if each.__class__ is list else [each] for each in said]
        messages = [text for each in lists for text in each if type(text) is str and text]
        shown = " ".join(
            "".join(c if c.isprintable() else " " for c in "; ".join(messages)[:200]).split()
        )
        details = vars(self._info(answer)) | {
            "body": reading.data,
            "messages": messages,
            "retry_after": answer.asked,
        }
        trace = properties.get("traceId")
        details["request_id"] = details["request_id"] or (trace if isinstance(trace, str) else None)
        usual = STATUS_ERRORS.get(min(answer.status, 500), errors.UnexpectedStatusError)
        kind = errors.DailyRateLimitError if answer.day_is_used_up else usual
        return kind(f"{self.name}: {answer.status}{': ' if shown else ''}{shown}", **details)

    def _info(self, answer: RawResponse) -> errors.ResponseInfo:
        headers = httpx.Headers(self.redacted(dict(answer.headers)), encoding="utf-8")
        request_id = next(
            (headers[x] for x in ("x-request-id", "x-trace-id", "cf-ray") if x in headers), None
        )
        return errors.ResponseInfo(answer.status, headers, request_id, self.attempts)

    def _report(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Tell each finding to the callback, and each kind and path to the log once."""
        findings = tuple(replace(each, path=self.redacted(each.path)) for each in findings)
        reported = self._settings.reported
        for finding in findings:
            if (seen := (finding.kind, finding.path)) not in reported and len(
                reported
            ) < _REPORTED_AT_MOST:
                reported.add(seen)
                logger.warning(_TOLD, vars(finding))
            if self._settings.on_drift is not None:
                self._settings.on_drift(finding)
        return findings

    def redacted(self, value: Any) -> Any:
        """A value without the token, wherever in it the token stands."""
        if isinstance(value, str):
            return value.replace(self._token.reveal(), "[redacted]")
        if value.__class__ is list:
            return [self.redacted(item) for item in value]
        if value.__class__ is dict:
            return {self.redacted(key): self.redacted(item) for key, item in value.items()}
        return value


def _checked(
    known: OperationContract, arguments: Mapping[str, object], version: str | None
) -> dict[str, Any]:
    """The arguments, each of them acceptable, with those filled in that the contract has a default for.

    Raises:
        ArgumentError: names the first argument that is not acceptable, and what it must be.
    """
    complete = dict(arguments)
    for name, (argument, plan) in known.arguments.items():
        if "default" in argument and isinstance(complete[name], Unset):
            own = version is not None and argument.get("role") == "api-version"
            complete[name] = version if own else argument["default"]
        if problem := _problem(argument, plan, complete):
            arguments = complete = {}  # a traceback may be told with the variables of its frames
            raise errors.ArgumentError(problem, argument=name)
    return complete


def _problem(argument: Schema, plan: Validator, complete: dict[str, Any]) -> str:
    """What is wrong with an argument; empty where nothing is, and what was examined is then what is sent."""
    name, schema, value = argument["argument"], argument["schema"], complete[argument["argument"]]
    absent = isinstance(value, Unset)
    if (
        absent or schema is None
    ):  # with no schema, it is a body that is no JSON: the generated builder knows its form
        return f"{name} is required" if absent and argument["required"] else ""
    # JSON certainly holds it as it is. What is smaller than 1e300 is finite, with no more digits than Python writes.
    plain = (
        value.isascii()
        if type(value) is str
        else type(value) in {bool, int, float} and -1e300 < value < 1e300
    )
    if plain and (accepts := plan.quick_checks.get(value.__class__)) and accepts(value):
        return ""
    try:
        data = value if plain else json.loads(_JSON_OF_ARGUMENTS(value).encode())
        found = plan.normalise(data, JsonPath(None, name)).findings
    except Exception as error:  # beside what JSON is unfit for, whatever a mapping or a model of the caller's raises
        ours = isinstance(error, AttributeError | TypeError | ValueError | RecursionError)
        return f"{name} must be data that JSON can hold ({error if ours else type(error).__name__})"
    if found:
        return f"{found[0].path} must be {found[0].expected}"
    if data is not value and (
        isinstance(value, str | Mapping) or (isinstance(data, str) and "format" not in schema)
    ):
        complete[name] = data
    return ""


def _jsonable(value: Any) -> object:
    """What `json.dumps` can write, of a model, a mapping, a date or a UUID."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, datetime.date | uuid.UUID):
        return getattr(value, "isoformat", value.__str__)()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} is no such data")


def _written(
    parts: dict[str, Any], settings: Settings
) -> tuple[httpx.URL, list[tuple[bytes, bytes]], bytes]:
    """The URL of a request, its headers but for the token, and its body."""
    parts["url"] = url = settings.url(settings.base_url + parts["url"])
    if len(parts) == 4 and "json" in parts:  # what httpx makes of it, in a tenth of the time
        content = _encoded(parts["json"]).encode()
        headers = [
            (name.encode("ascii"), value.encode("ascii"))
            for name, value in parts["headers"].items()
        ]
        return (
            url,
            [*settings.headers, *headers, (b"Content-Length", b"%d" % len(content))],
            content,
        )
    request = httpx.Request(**parts)
    return request.url, request.headers.raw + settings.headers[1:], request.read()


def _finite(number: str) -> float:
    if math.isfinite(found := float(number)):
        return found
    raise ValueError("not finite")


_JSON_OF_ARGUMENTS = json.JSONEncoder(default=_jsonable, allow_nan=False, ensure_ascii=False).encode
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_JSON = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
"""Reads what RFC 8259 has: numbers are finite."""
