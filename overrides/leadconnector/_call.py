"""One call without its I/O: the request that its arguments make, and the result or the error that its answer is."""

from __future__ import annotations

import json
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
_REQUEST_ID_HEADERS = ("x-request-id", "x-trace-id", "cf-ray")


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
        except (AttributeError, TypeError, ValueError, httpx.InvalidURL) as error:
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
        """The exception for an attempt that got no whole answer."""
        if isinstance(error, httpx.RequestError):  # whoever reads the cause finds no credential and no body in it
            error.request = httpx.Request(self._request.method, self._request.url)
        timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
        text = f"{self._name}: no whole answer{' in time' if timed_out else ''} ({type(error).__name__}: {error})"
        return (errors.APITimeoutError if timed_out else errors.APIConnectionError)(text, attempts=self._attempts)

    def result(self) -> T:
        """What the call returns.

        Raises:
            APIDecodingError, APIStatusError: the answer is no documented success.
        """
        status, raw = self._response.status_code, self._response.headers.multi_items()
        headers = httpx.Headers([(name, self._redacted(value)) for name, value in raw])
        request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
        info = errors.ResponseInfo(status, headers, request_id, self._attempts)
        if self._settings.on_response is not None:
            self._settings.on_response(info)
        keys = (str(status), f"{status // 100}XX", "default")
        key = next((key for key in keys if key in self._known["responses"]), "")
        if not (200 <= status < 300 and key in self._operation.success):
            raise self._status_error(key, info)
        found = self._decoded(self._operation.success[key], key, bytes(self._body))
        if isinstance(found, Finding):
            text = f"{self._name}: {status}, but the answer is not as documented: {' '.join(found)}"
            raise errors.APIDecodingError(self._redacted(text), **vars(info), path=found.path)
        return cast("T", found)

    def _decoded(self, decode: Callable[[Any], object], key: str, body: bytes) -> object:
        """What the generated decoder makes of a body, or what is wrong with it."""
        response = self._known["responses"][key]
        if response["content"] == "none":
            return decode(None)
        if len(body) > MAXIMUM_BODY:
            return Finding("$", f"is larger than {MAXIMUM_BODY} bytes")
        data: Any = body.decode("utf-8", "replace") if response["content"] == "text" else body
        if response["content"] == "json":
            data = fit(response["schema"], parse_json(body), "$", [])
        try:
            return data if isinstance(data, Finding) else decode(data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return Finding("$", f"does not fit the generated model ({type(error).__name__})")

    def _status_error(self, key: str, info: errors.ResponseInfo) -> errors.APIStatusError:
        text = self._redacted(self._body[:MAXIMUM_BODY].decode("utf-8", "replace"))
        data = parse_json(text.encode())
        decode = self._operation.errors.get(key)
        model = data if decode is None else self._decoded(decode, key, text.encode())
        properties: Schema = data if hasattr(data, "get") else {}
        trace = properties["traceId"] if isinstance(properties.get("traceId"), str) else None
        found: list[Any] = []
        for value in (properties.get(name) for name in load_contract()["error_messages"]):
            found += value if isinstance(value, list) else [value]
        messages = [message for message in found if isinstance(message, str)]
        said = "; ".join(messages) or (text if isinstance(data, Finding) else "")
        shown = " ".join("".join(c if c.isprintable() else " " for c in said[:200]).split())  # on one line
        other = errors.ServerError if info.status_code >= 500 else errors.UnexpectedStatusError
        return errors.STATUS_ERRORS.get(info.status_code, other)(
            f"{self._name}: {info.status_code}{': ' * bool(shown)}{shown}",
            **vars(info) | {"request_id": info.request_id or trace},
            body=next(value for value in (model, data, text) if not isinstance(value, Finding)),
            messages=messages,
        )

    def _redacted(self, text: str) -> str:
        return text.replace(self._token, "[redacted]")


def parse_json(body: bytes) -> Any:
    """The data, as RFC 8259 has it (UTF-8, a byte order mark ignored, numbers finite), or a `Finding`."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        problem = f"is no JSON: {error.msg} at character {error.pos}" if body else "is empty"
    except (RecursionError, ValueError) as error:  # too deep, not UTF-8, a number of thousands of digits
        problem = f"is no JSON that can be read: {type(error).__name__}"
    return Finding("$", problem)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
