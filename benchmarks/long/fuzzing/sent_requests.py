"""Checks that arguments are rejected, or sent once as the spec describes."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx
import yaml
from jsonschema import Draft202012Validator
from leadconnector import ArgumentError

from .cases import Case, Outcome

SPEC = Path(__file__).resolve().parents[3] / "spec" / "openapi.yaml"

PATH = re.compile(rb"/conversations/((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)")
"""The only form of the path: one segment of unreserved and percent-encoded characters."""

DOT_SEGMENTS = {b".", b".."}
"""Segments that servers and proxies resolve (RFC 3986, section 5.2.4)."""

VERSION = re.compile(rb"[!-~]([ -~]*[!-~])?")
"""A header value of printable ASCII characters, without spaces at its ends."""

HEADER_COUNT = 8
"""Headers of every request: what httpx adds, the token, the version, and those of the body."""


def request_problems(case: Case, outcome: Outcome) -> list[str]:
    """The problems of the requests of a call.

    A rejected argument sends no request. Other arguments send exactly one.

    Args:
        case: the call.
        outcome: its outcome.
    """
    if isinstance(outcome.value, ArgumentError):
        return list(problems_of_rejection(case, outcome, outcome.value))
    if len(outcome.requests) != 1:
        return [f"{len(outcome.requests)} requests"]
    [request] = outcome.requests
    return [
        *problems_of_path(request, text_of(case.arguments["conversation_id"])),
        *problems_of_body(request, text_of(case.arguments["location_id"])),
        *problems_of_headers(request),
    ]


def problems_of_rejection(case: Case, outcome: Outcome, error: ArgumentError) -> Iterator[str]:
    """The problems of the rejection of an argument."""
    if outcome.requests:
        yield "rejected, but sent"
    if error.argument not in case.arguments:
        yield "it names no argument"


def problems_of_path(request: httpx.Request, conversation_id: str | None) -> Iterator[str]:
    """The problems of the path of a request."""
    match = PATH.fullmatch(request.url.raw_path)
    if match is None:
        yield "a path of another form"
        return
    segment = match[1]
    if segment in DOT_SEGMENTS:
        yield "a path of another form"
    if unquote(segment.decode()) != conversation_id:
        yield "another id"


def problems_of_body(request: httpx.Request, location_id: str | None) -> Iterator[str]:
    """The problems of the body of a request."""
    # `NaN` is not JSON. As a list, it violates every schema of the spec.
    body = json.loads(request.read().decode(), parse_constant=as_list)
    if not request_schema().is_valid(body):
        yield "a body that the spec does not have"
    if body.get("locationId") != location_id:
        yield "another location"
    if not body.get("locationId"):
        yield "an empty location"


def problems_of_headers(request: httpx.Request) -> Iterator[str]:
    """The problems of the headers of a request."""
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    values = dict(headers)
    if values.get(b"content-length") != b"%d" % len(request.content):
        yield "another length"
    if len(values) != len(headers):
        yield "headers that came twice"
    if not VERSION.fullmatch(values.get(b"version", b"")):
        yield "another version"
    if len(headers) != HEADER_COUNT:
        yield "a header that no argument is for"


def as_list(constant: str) -> list[str]:
    """A JSON value in the place of `NaN` or `Infinity`."""
    return [constant]


@cache
def request_schema() -> Any:
    """The schema of the request body, as a validator other than the client's."""
    components = yaml.safe_load(SPEC.read_text(encoding="utf-8"))["components"]
    return Draft202012Validator(
        {
            "$ref": "#/components/schemas/UpdateConversationRequest",
            "components": {"schemas": components["schemas"]},
        }
    )


def text_of(argument: object) -> str | None:
    """The text that an argument means, whatever its own methods return; None if it means none."""
    if isinstance(argument, datetime.date):
        return argument.isoformat()
    if isinstance(argument, str):
        return str.__str__(argument)
    if isinstance(argument, UUID):
        return str(argument)
    return None
