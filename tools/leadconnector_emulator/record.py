"""Saves exchanges in a file without credentials, one per line, and reads them again."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self, cast

from .accepting import LOGGER
from .body_coding import NotCheckedError, UndecodableError, decoded_body
from .messages import Request, Response
from .redaction import Redaction
from .schema import JsonObject
from .upstream import HOP_BY_HOP

FORM = 1
"""The version of the form of a line."""

MAXIMUM_STATUS = 999
"""Some servers send codes above 599 (RFC 9110, section 15). The proxy passes them on."""

FRAMING_HEADERS = HOP_BY_HOP | {"content-length"}
"""Headers of a record that are ignored: each interface writes those that are correct."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.1."""

_HEADER_VALUE = re.compile(r"(?![ \t])[\t\x20-\x7e\x80-\xff]*(?<![ \t])")
"""RFC 9110, section 5.5."""

MAXIMUM_LINE_BYTES = 256 * 1024 * 1024
"""A longer line is no exchange: the proxy passes on bodies of 64 MiB, and JSON escapes bytes."""


@dataclass(frozen=True)
class RecordedExchange:
    """One line of a record."""

    line_number: int
    request: Request
    response: Response


class Recorder:
    """Appends exchanges to a file. Thread-safe.

    A line is written completely or not at all, also if several processes share the file. A new file
    is readable by its owner only, since bodies may contain personal data. An existing file keeps
    its permissions.

    Args:
        path: the file. It is created, or continued.
        redaction: removes the credentials; by default those that every API may have.

    Raises:
        OSError: the file cannot be opened or written.
        ValueError: the file exists, and its last line is incomplete.
    """

    def __init__(self, path: Path | str, redaction: Redaction | None = None) -> None:
        self.path = Path(path)
        self._redaction = redaction or Redaction()
        self._lock = Lock()
        self._has_failed = False
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # Another process may be writing a line.
            with _locked(descriptor):
                self._check_end(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        # `None` after closing: another file may get the number of the descriptor.
        self._descriptor: int | None = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add(self, request: Request, response: Response) -> None:
        """Append an exchange; ignored after `close`.

        A failure is logged once, and the file stays valid.
        """
        if response.delivery.drop is not None or not response.has_complete_body:
            # The client has not received it.
            return
        if self._descriptor is None:
            return
        clean_request, clean_response = self._redaction.exchange(request, response)
        line = json.dumps(_as_json(clean_request, clean_response)).encode("ascii") + b"\n"
        with self._lock:
            self._append(line)

    def _append(self, line: bytes) -> None:
        """Append a line. The caller holds the lock."""
        if self._descriptor is None:
            # Another thread has closed it.
            return
        try:
            append(self._descriptor, line)
        except OSError as error:
            if self._has_failed:
                return
            self._has_failed = True
            reason = error.strerror or str(error)
            LOGGER.error(
                "%s: exchanges are not recorded: %s; this message appears once.", self.path, reason
            )

    def close(self) -> None:
        """Close the file. Further exchanges are ignored. A second call does nothing."""
        with self._lock:
            descriptor = self._descriptor
            self._descriptor = None
            if descriptor is not None:
                os.close(descriptor)

    def _check_end(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line_count = self.path.read_bytes().count(b"\n")
            raise ValueError(f"{self.path}:{line_count + 1}: the line is incomplete: remove it")


def append(descriptor: int, line: bytes) -> None:
    """Append a line completely or not at all.

    Raises:
        OSError: it cannot be written. The file is as it was.
    """
    with _locked(descriptor):
        size = os.fstat(descriptor).st_size
        try:
            remaining = memoryview(line)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
        except OSError:
            os.ftruncate(descriptor, size)
            raise


@contextmanager
def _locked(descriptor: int) -> Generator[None]:
    """Keep other processes from writing to the file."""
    # Windows lacks the module. Only recording and reporting need it.
    import fcntl  # noqa: PLC0415

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def read_record(path: Path | str) -> list[RecordedExchange]:
    """Read a record.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is no exchange; the message has its number. Or there is no exchange.
    """
    exchanges: list[RecordedExchange] = []
    with Path(path).open("rb") as lines:
        line_number = 0
        while line := lines.readline(MAXIMUM_LINE_BYTES):
            line_number += 1
            if not line.strip():
                continue
            try:
                exchanges.append(_exchange(line_number, json.loads(line)))
            except (LookupError, TypeError, ValueError, RecursionError) as error:
                reason = _reason(error)
                raise ValueError(
                    f"{path}:{line_number}: is no recorded exchange: {reason}; remove the line,"
                    " or record again"
                ) from None
    if not exchanges:
        raise ValueError(f"{path}: contains no exchange; create one with --record FILE")
    return exchanges


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON ({error.msg}, column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, IndexError):
        return "a header of its response has no name and value"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def _as_json(request: Request, response: Response) -> JsonObject:
    headers = [list(pair) for pair in (*response.headers.items(), *response.repeated_headers)]
    return {
        "form": FORM,
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": dict(request.headers),
            **_body_as_json(request.body),
        },
        "response": {
            "status": response.status,
            "headers": headers,
            **_body_as_json(response.body),
        },
    }


def _body_as_json(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _exchange(line_number: int, data: Any) -> RecordedExchange:
    """The exchange of a line.

    Raises:
        LookupError, TypeError, ValueError: the data is no exchange.
    """
    if not isinstance(data, dict):
        raise TypeError("it is no object")
    line = cast("JsonObject", data)
    if line.get("form") != FORM:
        raise ValueError(f"its `form` is not {FORM}")
    request = _object(line["request"], "request")
    response = _object(line["response"], "response")
    headers = _object(request["headers"], "headers")
    return RecordedExchange(
        line_number,
        Request(
            _text(request["method"], "method"),
            _text(request["target"], "target"),
            {name: _text(value, name) for name, value in headers.items()},
            _body(request),
        ),
        _response(response),
    )


def _response(data: JsonObject) -> Response:
    status = data["status"]
    if type(status) is not int or not 200 <= status <= MAXIMUM_STATUS:
        raise ValueError(f"its `status` is no final status code, from 200 to {MAXIMUM_STATUS}")
    if not isinstance(data["headers"], list):
        raise TypeError("the `headers` of its response are no list")
    headers: dict[str, str] = {}
    repeated_headers: list[tuple[str, str]] = []
    for pair in cast("list[list[object]]", data["headers"]):
        name = _text(pair[0], "headers")
        value = _text(pair[1], name)
        _check_header(name, value)
        if name.lower() in FRAMING_HEADERS:
            continue
        lower_names = {known_name.lower() for known_name in headers}
        if name.lower() in lower_names:
            repeated_headers.append((name, value))
        else:
            headers[name] = value
    body = _body(data)
    _check_encoding(headers, body)
    return Response(status, body, headers, repeated_headers=tuple(repeated_headers))


def _check_header(name: str, value: str) -> None:
    """Check that a response can have the header.

    Raises:
        ValueError: no response can have it. An interface would fail while it sends the response.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"a header of its response cannot have the name {name[:40]!a}")
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError(
            f"the header `{name[:40]}` of its response contains a line break, another control"
            " character, a character that is not Latin-1, or a blank at its start or end"
        )


def _check_encoding(headers: Mapping[str, str], body: bytes) -> None:
    lower_case_headers = {name.lower(): value for name, value in headers.items()}
    try:
        decoded_body(body, lower_case_headers.get("content-encoding", ""))
    except (NotCheckedError, UndecodableError) as error:
        raise ValueError(
            f"the body of its response has not the `Content-Encoding` of its headers ({error})"
        ) from None


def _object(value: object, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"its `{name}` is no object")
    return cast("JsonObject", value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"its `{name}` is no text")
    return value


def _body(data: Mapping[str, Any]) -> bytes:
    if "body_base64" in data:
        return base64.b64decode(_text(data["body_base64"], "body_base64"), validate=True)
    return _text(data["body"], "body").encode("utf-8")
