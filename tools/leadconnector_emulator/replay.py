"""Responds from a record of exchanges, without the API that they were recorded from."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from .body_coding import NotCheckedError, UndecodableError, decoded_body, media_type_of, parsed_json
from .credential_rules import is_oauth_path
from .emulator import Emulator
from .exchange_log import MAXIMUM_LOG_BYTES
from .faults import Fault
from .messages import Request, Response
from .oauth_messages import FORM_MEDIA_TYPE, form_fields
from .record import RecordedExchange, read_record
from .redaction import REDACTED, Redaction, security_schemes
from .spec import SPEC

NOT_RECORDED = 404
"""The status of a response to a request that the record does not contain."""

SHOWN_LENGTH = 200
"""Characters of a request's path and query in a message."""

_RECORDED_STATE = re.compile(rf"(?<=[?&#])state={REDACTED}(?=[&#]|$)")
"""The parameter of a redirect, as a record contains it."""

_Key = tuple[str, str, tuple[tuple[str, str], ...], str]
"""What two equal requests have in common: method, path, query and body."""

_PARTS = ("method", "path", "query", "body")
"""The names of the parts of a key."""


class Replay(Emulator):
    """Responds with the recorded response to the same method, path, query and body.

    The order of query parameters does not matter, nor that of JSON properties. If a request was
    recorded several times, the responses come in their order, and the last one repeats. Headers of
    a request do not matter: the record has no credentials. The page is at `/_emulator/`, since the
    record may contain `/`.

    Args:
        record: the file that `Recorder` wrote.
        spec: the path of the OpenAPI document, for the page and its keys in requests.
        faults: rules by which it misbehaves.
        seed: for the faults that have a probability.
        log_bytes: the bytes of the exchanges that the log keeps.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line of the record is no exchange; the message contains its number.
    """

    kind = "replay"
    stateless_reason = (
        "a replay has no resources, tokens, settings and clock: its responses come from the record,"
        " for any token. Start the emulator without --replay to control them"
    )
    has_page_at_root = False

    def __init__(
        self,
        record: Path | str,
        spec: Path | str = SPEC,
        *,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        log_bytes: int = MAXIMUM_LOG_BYTES,
    ) -> None:
        super().__init__(
            spec, tokens=(), conversations=(), faults=faults, seed=seed, log_bytes=log_bytes
        )
        self._redaction = Redaction(security_schemes(self.spec.root))
        self._recorded: dict[_Key, list[RecordedExchange]] = defaultdict(list)
        for exchange in read_record(record):
            self._recorded[_key(exchange.request)].append(exchange)
        self._served_counts: dict[_Key, int] = defaultdict(int)

    def reset(self) -> None:
        """Start from the first response of each request again; clear the log."""
        with self._lock:
            self._served_counts.clear()
            super().reset()

    def _process(self, request: Request) -> Response:
        clean_request = self._redaction.request(request)
        key = _key(clean_request)
        exchanges = self._recorded.get(key)
        if exchanges is None:
            return self._not_recorded(clean_request, key)
        index = min(self._served_counts[key], len(exchanges) - 1)
        self._served_counts[key] += 1
        return _with_state(request, exchanges[index].response)

    def _not_recorded(self, request: Request, key: _Key) -> Response:
        nearest_key = max(self._recorded, key=lambda candidate: _similarity(key, candidate))
        nearest = self._recorded[nearest_key][0]
        differences = _differences(key, nearest_key)
        verb = "differs" if len(differences) == 1 else "differ"
        message = (
            f"The record has no exchange for {_shown(request)}. The nearest one, in line"
            f" {nearest.line_number}, is {_shown(nearest.request)}: its"
            f" {_enumerated(differences)} {verb}."
            " Record the request, or correct it."
        )
        content = {"statusCode": NOT_RECORDED, "message": message, "error": "Not Recorded"}
        headers = {"Content-Type": "application/json", "X-Emulator-Error": "not-recorded"}
        return Response(NOT_RECORDED, json.dumps(content).encode(), headers)


def _key(request: Request) -> _Key:
    query = sorted(parse_qsl(request.query, keep_blank_values=True))
    return request.method, request.path, tuple(query), _comparable_body(request)


def _comparable_body(request: Request) -> str:
    """A text that is equal for bodies of one meaning."""
    body = request.body
    try:
        body = decoded_body(body, request.headers.get("content-encoding", ""))
    except (NotCheckedError, UndecodableError):
        return body.hex()
    if media_type_of(request.headers.get("content-type", "")) == FORM_MEDIA_TYPE:
        return repr(sorted(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    try:
        data: Any = parsed_json(body)
        return json.dumps(data, sort_keys=True)
    except (RecursionError, ValueError):
        return body.hex()


def _similarity(key: _Key, candidate: _Key) -> tuple[float, ...]:
    """The larger, the nearer: first the path, then the method, the query and the body."""
    path_ratio = SequenceMatcher(None, key[1], candidate[1]).ratio()
    return (
        path_ratio,
        float(key[0] == candidate[0]),
        float(key[2] == candidate[2]),
        float(key[3] == candidate[3]),
    )


def _differences(key: _Key, candidate: _Key) -> list[str]:
    return [
        name
        for name, value, recorded_value in zip(_PARTS, key, candidate, strict=True)
        if value != recorded_value
    ]


def _enumerated(names: list[str]) -> str:
    *first_names, last_name = names
    if not first_names:
        return last_name
    return f"{', '.join(first_names)} and {last_name}"


def _with_state(request: Request, response: Response) -> Response:
    """The response with the request's `state` in its redirect (RFC 6749, section 4.1.2).

    The record has none, and a client must reject the redirect without it.
    """
    location_name = next((name for name in response.headers if name.lower() == "location"), None)
    if location_name is None or not is_oauth_path(request.path):
        return response
    fields = form_fields(request.query.encode()) | form_fields(request.body)
    state = quote(fields.get("state", ""), safe="")
    if not state:
        return response
    location = _RECORDED_STATE.sub(f"state={state}", response.headers[location_name])
    return replace(response, headers={**response.headers, location_name: location})


def _shown(request: Request) -> str:
    text = f"{request.method} {request.target}"
    if len(text) > SHOWN_LENGTH:
        return text[:SHOWN_LENGTH] + "…"
    return text
