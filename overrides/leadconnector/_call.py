"""One call without its I/O: the request that its arguments make, and the result or the error that its answer is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, NoReturn, cast

import httpx

from . import errors
from ._arguments import checked
from ._contract import Finding, Schema, fit, load_contract
from ._generated import Operation, T
from ._settings import Settings, checked_token
from ._version import __version__

MAXIMUM_BODY = 10 * 1024 * 1024
"""Bytes of one answer's body. Answers of this API are a few hundred bytes long."""

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"leadconnector/{__version__}"}
_QUOTED = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")
"""Where an exception's text begins to quote bytes."""

_MISFITS = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What generated code raises for data that it cannot take."""


class Call(Generic[T]):
    """One operation with its arguments, from the request to the result.

    Raises:
        ArgumentError: when made, if an argument is not acceptable.
    """

    def __init__(self, operation: Operation[T], arguments: Mapping[str, object], settings: Settings) -> None:
        self._operation, self._settings, self._token, self._attempts = operation, settings, "", 0
        self._known: Schema = load_contract()["operations"][operation.operation_id]
        self._name = f"{self._known['method']} {self._known['path']}"  # without the ids that a URL holds
        complete = checked(self._known, arguments, settings.version)
        try:
            parts = operation.build(**complete)
            url, headers = settings.base_url + parts.pop("url"), _HEADERS | parts.pop("headers", {})
            self._request = httpx.Request(parts.pop("method"), url, headers=headers, **parts)
        except (*_MISFITS, httpx.InvalidURL) as error:
            raise errors.ArgumentError("the arguments make no request", argument="arguments") from error

    def request(self, token: object) -> httpx.Request:
        """The request of the next attempt.

        Raises:
            CredentialsError: the token is not one that can be sent.
        """
        self._attempts += 1
        self._token = checked_token(token)
        self._request.headers["Authorization"] = f"Bearer {self._token}"
        self._request.extensions["timeout"] = self._settings.timeout.as_dict()
        return self._request

    def begin(self, response: httpx.Response) -> None:
        """Take the head of the answer."""
        response.request = self._request
        self._response, self._body, self._begun = response, bytearray(), self._settings.clock()

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk of the body; false once it is larger than any answer is.

        Raises:
            TimeoutError: the body takes too long.
        """
        if self._settings.clock() - self._begun > self._settings.body_seconds:
            raise TimeoutError(f"the body took longer than {self._settings.body_seconds:g} s")
        self._body += chunk
        return len(self._body) <= MAXIMUM_BODY

    def failure(self, error: Exception) -> errors.APIConnectionError:
        """The exception for an attempt that got no whole answer. A mistake in a given transport's own code passes."""
        if type(error).__module__ == "builtins" and not isinstance(error, OSError):
            raise error
        if isinstance(error, httpx.RequestError):  # whoever reads the cause finds no credential and no body in it
            error.request = httpx.Request(self._request.method, self._request.url)
        said = re.split(_QUOTED, str(error))[0]
        if said != str(error):  # what is no HTTP is quoted, and may be anything: a token, a conversation
            error.args, error.__cause__, error.__context__ = (said,), None, None
        self.cause = error if str(error) == said and self._token not in said else None
        timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
        kind = errors.APITimeoutError if timed_out else errors.APIConnectionError
        told = f"{'no whole answer in time' if timed_out else 'no whole answer'} ({type(error).__name__}: {said})"
        return kind(self._redacted(f"{self._name}: {told}"), attempts=self._attempts)

    def result(self) -> T:
        """What the call returns.

        Raises:
            APIDecodingError, APIStatusError: the answer is no documented success.
        """
        status, raw = self._response.status_code, self._response.headers.multi_items()
        headers = httpx.Headers([(name, self._redacted(value)) for name, value in raw], encoding="utf-8")
        request_id = next((headers[x] for x in ("x-request-id", "x-trace-id", "cf-ray") if x in headers), None)
        info = errors.ResponseInfo(status, headers, request_id, self._attempts)
        if self._settings.on_response is not None:
            self._settings.on_response(info)
        key = next((k for k in (str(status), f"{status // 100}XX", "default") if k in self._known["responses"]), "")
        if not (200 <= status < 300 and key in self._operation.success):
            raise self._status_error(key, info)
        found = self._decoded(self._operation.success[key], key, self._data(key, lambda data: data))
        if isinstance(found, Finding):
            text = f"{self._name}: {status}, but the answer is not as documented: {' '.join(found)}"
            raise errors.APIDecodingError(text, **vars(info), path=found.path)
        return cast("T", found)

    def _data(self, key: str, clean: Callable[[Any], Any]) -> Any:
        """What the body holds, as the spec has it for this response, or what is wrong with it."""
        content = self._known["responses"].get(key, {"content": "json"})["content"]
        if content == "none":
            return None
        if len(self._body) > MAXIMUM_BODY:
            return Finding("$", f"is larger than {MAXIMUM_BODY} bytes")
        if content == "text":
            return clean(self._body.decode("utf-8", "replace"))
        return parse_json(bytes(self._body), clean) if content == "json" else bytes(self._body)

    def _decoded(self, decode: Callable[[Any], object], key: str, data: Any) -> object:
        """What the generated decoder makes of the data, or what is wrong with it."""
        try:
            fitted = fit(self._known["responses"][key].get("schema", {}), data, "$", [])
            return fitted if isinstance(fitted, Finding) else decode(fitted)
        except _MISFITS as error:
            return Finding("$", f"does not fit the generated model ({type(error).__name__})")

    def _status_error(self, key: str, info: errors.ResponseInfo) -> errors.APIStatusError:
        text = self._redacted(self._body[:MAXIMUM_BODY].decode("utf-8", "replace"))
        data = self._data(key, self._redacted)
        decode = self._operation.errors.get(key)
        model = data if decode is None else self._decoded(decode, key, data)
        properties: Schema = data if hasattr(data, "get") else {}
        trace = properties["traceId"] if isinstance(properties.get("traceId"), str) else None
        found: list[Any] = []
        for value in (properties.get(name) for name in load_contract()["error_messages"]):
            found += value if isinstance(value, list) else [value]
        messages = [message for message in found if isinstance(message, str)]
        shown = " ".join("".join(c if c.isprintable() else " " for c in "; ".join(messages)[:200]).split())
        other = errors.ServerError if info.status_code >= 500 else errors.UnexpectedStatusError
        return errors.STATUS_ERRORS.get(info.status_code, other)(
            f"{self._name}: {info.status_code}{': ' if shown else ''}{shown}",
            **vars(info) | {"request_id": info.request_id or trace},
            body=next(value for value in (model, data, text) if not isinstance(value, Finding)),
            messages=messages,
        )

    def _redacted(self, value: Any) -> Any:
        """A value without the token, wherever in it the token stands."""
        if isinstance(value, str):
            return value.replace(self._token, "[redacted]")
        if value.__class__ is list:
            return [self._redacted(item) for item in value]
        if value.__class__ is dict:
            return {self._redacted(key): self._redacted(item) for key, item in value.items()}
        return value


def parse_json(body: bytes, clean: Callable[[Any], Any]) -> Any:
    """The data, cleaned, as RFC 8259 has it (UTF-8, a byte order mark ignored, numbers finite), or a `Finding`."""
    try:
        return clean(json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite))
    except json.JSONDecodeError as error:
        problem = f"is no JSON: {error.msg} at character {error.pos}" if body else "is empty"
    except (RecursionError, ValueError) as error:  # too deep, not UTF-8, a number of thousands of digits
        problem = f"is no JSON that can be read: {type(error).__name__}"
    return Finding("$", problem)


def _finite(number: str) -> float:
    return float(number) if math.isfinite(float(number)) else _refuse(number)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
