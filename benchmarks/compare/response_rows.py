"""The rows in which the server responds at once: to a successful update, or with an error."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from leadconnector_emulator import Fault, Response

from .outcomes import (
    MODEL,
    NOTICED,
    OWN_ERROR,
    RESULT,
    RESULT_OR_ERROR,
    Expectation,
    Outcome,
)
from .scenario import (
    BODY,
    CONTENT,
    JSON_HEADER,
    LONG_LIMIT,
    TARGET,
    UPDATED,
    Group,
    Scenario,
    always,
    rejection,
    success,
)
from .server import OTHER_SERVER, RepeatedChunk, Reply, Script, in_order, response

HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"
HTML_HEADERS = ("Content-Type: text/html",)
GZIP_HEADERS = (JSON_HEADER, "Content-Encoding: gzip")

GZIP_FORMAT = 31
"""zlib's `wbits` for the gzip format with the largest window."""

MEBIBYTE = 1024 * 1024
LARGE = 150
"""MiB of a response that no client should load into memory."""

REASON = "The access token has expired"
UNKNOWN_ENUM_VALUE = "TYPE_OF_TOMORROW"


def body_row(
    key: str,
    title: str,
    reply: Reply,
    wanted: frozenset[Outcome],
    *,
    data: Mapping[str, Any] = UPDATED,
    deviates: bool = True,
) -> Scenario:
    """A row about the response to a successful update."""
    expectation = Expectation(data=data, deviates=deviates, target=TARGET)
    return Scenario(key, title, wanted, always(reply), expectation=expectation)


def error_row(
    key: str,
    title: str,
    status: int,
    body: bytes,
    *,
    headers: tuple[str, ...] = (JSON_HEADER,),
    reason: str = "",
) -> Scenario:
    """A row about an error response. An exception of the client must contain the status."""
    expectation = Expectation(is_success=False, status=status, reason=reason)
    script = always(rejection(status, body, headers))
    return Scenario(key, title, OWN_ERROR, script, expectation=expectation)


def changed(**fault: Any) -> bytes:
    """The usual body with a fault of the emulator, such as `missing="conversation.deleted"`."""
    return Fault(**fault).apply(Response(200, BODY)).body


def with_value(name: str, value: str) -> bytes:
    """The usual body with raw JSON as a value of the conversation."""
    conversation = {**CONTENT["conversation"], name: "MARK"}
    text = json.dumps({**CONTENT, "conversation": conversation})
    return text.replace('"MARK"', value).encode()


def json_bytes(content: object) -> bytes:
    """JSON, encoded."""
    return json.dumps(content).encode()


def large_reply() -> Reply:
    """A success whose body is larger than any caller expects."""
    head = response(200, b"{", length=1 + LARGE * MEBIBYTE)
    return Reply(RepeatedChunk(head, b" " * MEBIBYTE, LARGE), is_applied=True)


def bomb_script() -> Script:
    """A success whose small body becomes large when it is decompressed."""
    # Piece by piece, because several clients get one at the same time.
    compressor = zlib.compressobj(wbits=GZIP_FORMAT)
    pieces = [compressor.compress(b" " * MEBIBYTE) for _ in range(LARGE)]
    body = b"".join([*pieces, compressor.flush()])
    return in_order(success(body, GZIP_HEADERS))


def two_members() -> bytes:
    """The usual body as two gzip members. RFC 1952, section 2.2, allows any number."""
    half = len(BODY) // 2
    return gzip.compress(BODY[:half], mtime=0) + gzip.compress(BODY[half:], mtime=0)


def deviations() -> list[Scenario]:
    """The body is valid JSON, and deviates from the spec."""
    place = "conversation.lastMessageType"
    without_deleted = dict(UPDATED)
    del without_deleted["conversation.deleted"]
    return [
        body_row("success", "A response that matches the spec", success(), MODEL, deviates=False),
        body_row(
            "unknown-enum",
            "An enum value that the spec does not list",
            success(changed(unknown_enum=place)),
            RESULT,
            data={**UPDATED, place: UNKNOWN_ENUM_VALUE},
        ),
        body_row(
            "null-enum", "`null` in an optional enum field", success(changed(null=place)), RESULT
        ),
        body_row(
            "undocumented",
            "A field that the spec does not list",
            success(changed(undocumented="conversation.since")),
            RESULT,
        ),
        body_row(
            "missing",
            "A required field is missing",
            success(changed(missing="conversation.deleted")),
            NOTICED,
            data=without_deleted,
        ),
        body_row(
            "wrong-type",
            'The string `"false"` in a boolean field',
            success(with_value("deleted", '"false"')),
            NOTICED,
        ),
        body_row(
            "nan", "`NaN` in a number field", success(with_value("unreadCount", "NaN")), NOTICED
        ),
        body_row(
            "digits",
            "An integer of 5,000 digits",
            success(with_value("unreadCount", "9" * 5_000)),
            RESULT_OR_ERROR,
        ),
        body_row(
            "nesting",
            "An undocumented field that is nested 100,000 levels deep",
            success(with_value("extra", "[" * 100_000 + "]" * 100_000)),
            RESULT_OR_ERROR,
        ),
    ]


def other_bodies() -> list[Scenario]:
    """The body is not the documented JSON object."""
    no_content = Reply([response(204, headers=())], is_applied=True)
    return [
        body_row("html", "200 with an HTML page", success(HTML, HTML_HEADERS), OWN_ERROR),
        body_row("empty", "200 with an empty body", success(b""), OWN_ERROR),
        body_row("array", "200 with a JSON array", success(b"[]"), OWN_ERROR),
        body_row("malformed", "200 with malformed JSON", success(BODY[:-2]), OWN_ERROR),
        body_row("no-content", "204 without a body", no_content, NOTICED),
        body_row(
            "byte-order-mark",
            "JSON that starts with a byte order mark",
            success(b"\xef\xbb\xbf" + BODY),
            RESULT_OR_ERROR,
        ),
        body_row(
            "utf-16", "JSON in UTF-16", success(BODY.decode().encode("utf-16")), RESULT_OR_ERROR
        ),
        body_row(
            "utf-8",
            "A byte that is not UTF-8",
            success(BODY.replace(b"Hello", b"H\xffllo")),
            OWN_ERROR,
        ),
        body_row(
            "two-members",
            "A gzip body of two members",
            success(two_members(), GZIP_HEADERS),
            RESULT,
            deviates=False,
        ),
        body_row(
            "bad-gzip",
            "`Content-Encoding: gzip` with a body that is not gzip",
            success(b"not gzip", GZIP_HEADERS),
            OWN_ERROR,
        ),
        Scenario(
            "gzip-bomb",
            f"{LARGE} MiB in a gzip body of {LARGE} KiB",
            OWN_ERROR,
            # Made only when it is needed: it takes a second.
            bomb_script,
            expectation=Expectation(data=UPDATED, target=TARGET),
            limit=LONG_LIMIT,
        ),
        Scenario(
            "large",
            f"A body of {LARGE} MiB",
            OWN_ERROR,
            always(large_reply()),
            expectation=Expectation(data=UPDATED, target=TARGET),
            limit=LONG_LIMIT,
        ),
    ]


def error_scenarios() -> list[Scenario]:
    """The server does not make the update."""
    unauthorized = {"statusCode": 401, "message": REASON, "error": "Unauthorized"}
    unprocessable = {"statusCode": 422, "message": [REASON], "error": "Unprocessable Entity"}
    return [
        error_row("400", "400 with a message", 400, json_bytes({"message": REASON}), reason=REASON),
        error_row(
            "400-nested",
            "400 with an undocumented array as the body",
            400,
            json_bytes([["message", REASON]]),
        ),
        error_row("401", "401 with an explanation", 401, json_bytes(unauthorized), reason=REASON),
        error_row("401-html", "401 with an HTML page", 401, HTML, headers=HTML_HEADERS),
        error_row("401-empty", "401 with an empty body", 401, b""),
        error_row(
            "422", "422 with a list of messages", 422, json_bytes(unprocessable), reason=REASON
        ),
        error_row(
            "404",
            "404, which the spec does not list",
            404,
            json_bytes({"message": REASON}),
            reason=REASON,
        ),
        error_row("999", "The status 999", 999, b"{}"),
        redirect_row(307),
        redirect_row(302),
        lost_update_row(),
    ]


def redirect_row(status: int) -> Scenario:
    """A redirect to another server, which would receive the token and the update."""
    location = f"Location: {OTHER_SERVER.decode()}{TARGET}"
    expectation = Expectation(is_success=False, status=status)
    return Scenario(
        f"redirect-{status}",
        f"{status} to another server",
        OWN_ERROR,
        always(rejection(status, headers=(location,))),
        expectation=expectation,
    )


def lost_update_row() -> Scenario:
    """A redirect to the same server, which also responds to a GET."""
    redirect = rejection(302, headers=("Location: /conversations/moved",))
    return Scenario(
        "redirect-to-get",
        "302 to another path of the same server",
        # A client may send the update again. It must not return the response to a GET.
        RESULT_OR_ERROR,
        always(redirect, success()),
        expectation=Expectation(data=UPDATED, status=302),
    )


def responses() -> Group:
    """The responses to an update that was made."""
    return Group(
        "Responses to a successful update",
        "The server makes the update and responds with a 2xx status. The body differs.",
        (*deviations(), *other_bodies()),
    )


def errors() -> Group:
    """The responses to an update that was not made."""
    return Group(
        "Error responses",
        "The server does not make the update. The exception must contain the status, and the "
        "reason if the server gives one.",
        tuple(error_scenarios()),
    )
