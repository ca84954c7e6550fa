"""The rows about retries, connections, arguments and credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from .outcomes import (
    HIDDEN,
    OWN_ERROR,
    REJECTED,
    RESULT,
    Expectation,
    Outcome,
    judge_argument,
    judge_burst,
    judge_cancellation,
    judge_log,
    judge_pickle,
    judge_place,
)
from .scenario import (
    BODY,
    JSON_HEADER,
    LIMIT,
    LONG_LIMIT,
    NEVER,
    TARGET,
    TIMEOUT,
    TOKEN,
    UPDATED,
    Group,
    Judge,
    Scenario,
    always,
    rejection,
    success,
)
from .server import Reply, Script, rate_limited, response, single_bytes

BURST_CALLS = 150
BURST_WORKERS = 8

RATE_LIMIT = 100
"""HighLevel's rate limit: requests per location in `RATE_WINDOW` seconds."""

RATE_WINDOW = 10.0

DRIP_PAUSE = 1.0
"""Seconds between two bytes: less than any timeout."""

FAILURE = Expectation(is_success=False)

UNAVAILABLE = rejection(503, b"Service Unavailable", ("Content-Type: text/plain",))
FORBIDDEN = rejection(403, json.dumps({"statusCode": 403, "message": "Forbidden"}).encode())
RESET = Reply([], end="reset")
CUT = Reply([response(200, BODY[:50], length=len(BODY))], end="close", is_applied=True)
IDLE_CLOSED = Reply([response(200, BODY)], end="close", is_applied=True)


def too_many_requests(*headers: str) -> Reply:
    """A rejection by the rate limit. Nothing in it says how long to wait, except the headers."""
    body = json.dumps({"statusCode": 429, "message": "Too Many Requests"}).encode()
    return rejection(429, body, (JSON_HEADER, *headers))


def retry_row(key: str, title: str, first: Reply, *, wait: float = 0.0) -> Scenario:
    """A row in which a second attempt succeeds."""
    expectation = Expectation(data=UPDATED, wait=wait, target=TARGET)
    return Scenario(key, title, RESULT, always(first, success()), expectation=expectation)


def retry_at_date() -> Script:
    """A rejection until a date. A date has whole seconds, so the wait can be 1 s shorter."""

    def reply_to(number: int) -> Reply:
        if number > 0:
            return success()
        date = formatdate(time.time() + 3, usegmt=True)
        return too_many_requests(f"Retry-After: {date}")

    return reply_to


def vendor_rate_limit() -> Script:
    """A server with HighLevel's rate limit."""
    return rate_limited(success(), too_many_requests(), RATE_LIMIT, RATE_WINDOW)


def retry_scenarios() -> list[Scenario]:
    """The server is unavailable, or its rate limit is exceeded."""
    return [
        retry_row("503", "503, then 200", UNAVAILABLE),
        retry_row("520", "520 of a proxy, then 200", rejection(520)),
        retry_row("429", "429 without `Retry-After`, then 200", too_many_requests()),
        retry_row(
            "retry-after",
            "429 with `Retry-After: 3`, then 200",
            too_many_requests("Retry-After: 3"),
            # The server's clock and the client's differ by less.
            wait=2.9,
        ),
        Scenario(
            "retry-date",
            "429 with a date 3 s ahead in `Retry-After`, then 200",
            RESULT,
            retry_at_date,
            expectation=Expectation(data=UPDATED, wait=1.9, target=TARGET),
        ),
        Scenario(
            "retry-hour",
            "429 with `Retry-After: 3600`",
            OWN_ERROR,
            always(too_many_requests("Retry-After: 3600")),
            expectation=Expectation(is_success=False, status=429, wait=3600.0),
        ),
        Scenario(
            "down",
            "503 for every attempt",
            OWN_ERROR,
            always(UNAVAILABLE),
            expectation=Expectation(is_success=False, status=503),
        ),
        Scenario(
            "burst",
            f"{BURST_CALLS} updates, {BURST_WORKERS} at a time; the server accepts {RATE_LIMIT} "
            f"in {RATE_WINDOW:.0f} s",
            frozenset({Outcome.ALL_UPDATED}),
            vendor_rate_limit,
            judge=judge_burst,
            expectation=Expectation(rate_limit=RATE_LIMIT, rate_window=RATE_WINDOW),
            mode="burst",
            calls=BURST_CALLS,
            workers=BURST_WORKERS,
            limit=LONG_LIMIT,
        ),
    ]


def connection_scenarios() -> list[Scenario]:
    """The connection fails, or the server is slow."""
    refusing = {"base_url": "http://127.0.0.1:9"}
    short_timeout = {"timeout": TIMEOUT}
    drip = single_bytes(response(200, BODY))
    head = response(200, BODY)[: -len(BODY)]
    dripping_body = Reply([head, *single_bytes(BODY)], pause=DRIP_PAUSE, is_applied=True)
    dripping_head = Reply(drip, pause=DRIP_PAUSE, is_applied=True)
    return [
        retry_row("reset", "A connection reset, then 200", RESET),
        retry_row("cut", "A body that is cut off, then 200", CUT),
        Scenario(
            "idle",
            "Two calls; the server closes the idle connection between them",
            RESULT,
            always(IDLE_CLOSED),
            calls=2,
        ),
        Scenario(
            "refused",
            "No server at the port",
            OWN_ERROR,
            always(NEVER),
            expectation=FAILURE,
            settings=refusing,
        ),
        Scenario(
            "silent",
            f"No response, with the client's timeout set to {TIMEOUT:.0f} s",
            OWN_ERROR,
            always(NEVER),
            expectation=FAILURE,
            settings=short_timeout,
        ),
        Scenario(
            "default-timeout",
            "No response, with the client's default timeout",
            OWN_ERROR,
            always(NEVER),
            expectation=FAILURE,
            limit=LONG_LIMIT,
        ),
        Scenario(
            "slow-body",
            f"A body at one byte per second, with the timeout set to {TIMEOUT:.0f} s",
            OWN_ERROR,
            always(dripping_body),
            expectation=FAILURE,
            settings=short_timeout,
            limit=LONG_LIMIT,
        ),
        Scenario(
            "slow-head",
            f"Headers at one byte per second, with the timeout set to {TIMEOUT:.0f} s",
            OWN_ERROR,
            always(dripping_head),
            expectation=FAILURE,
            settings=short_timeout,
            limit=LONG_LIMIT,
        ),
        Scenario(
            "deadline",
            "No response, with a limit of 3 s on the whole call",
            OWN_ERROR,
            always(NEVER),
            expectation=FAILURE,
            mode="deadline",
            settings={"deadline": 3.0},
        ),
        Scenario(
            "cancel",
            "An asyncio call is cancelled while it waits",
            frozenset({Outcome.CANCELLED}),
            always(NEVER),
            judge=judge_cancellation,
            expectation=FAILURE,
            mode="cancel",
        ),
    ]


def argument_row(
    key: str,
    title: str,
    arguments: Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> Scenario:
    """A row with an invalid argument or option. Nothing must be sent."""
    return Scenario(
        key,
        title,
        REJECTED,
        always(success()),
        judge=judge_argument,
        expectation=Expectation(target=target),
        arguments=arguments,
        settings=settings or {},
    )


def argument_scenarios() -> list[Scenario]:
    """The caller passes something that cannot be right."""
    reserved = "a/b?c#d e"
    return [
        Scenario(
            "reserved",
            f"The ID `{reserved}`, percent-encoded",
            RESULT,
            always(success()),
            expectation=Expectation(data=UPDATED, target="/conversations/a%2Fb%3Fc%23d%20e"),
            arguments={"conversation_id": reserved},
        ),
        argument_row("empty-id", "An empty ID", {"conversation_id": ""}, target=TARGET),
        argument_row("dots", "The ID `..`", {"conversation_id": ".."}, target=TARGET),
        argument_row("no-id", "The ID `None`", {"conversation_id": None}, target=TARGET),
        argument_row(
            "surrogate",
            "An ID with half of a surrogate pair",
            {"conversation_id": {"special": "surrogate"}},
            target=TARGET,
        ),
        argument_row("no-location", "The location ID `None`", {"location_id": None}),
        argument_row("string", 'The string `"yes"` for a boolean', {"starred": "yes"}),
        argument_row("nan-argument", "`NaN` for a number", {"unread_count": {"special": "NaN"}}),
        argument_row("newline", "A token that ends with a newline", {}, settings=token("\n")),
        argument_row("two-lines", "A token with a header in it", {}, settings=token("\r\nX: y")),
        argument_row("unicode-token", "A token with the letter é", {}, settings=token(" é")),
        Scenario(
            "plain-http",
            "A base URL with `http://` on another machine",
            REJECTED,
            always(NEVER),
            judge=judge_argument,
            mode="connect",
            # An address for documentation (RFC 5737). Nothing is sent to it.
            settings={"base_url": "http://192.0.2.1"},
        ),
    ]


def token(ending: str) -> dict[str, str]:
    """The options of a client whose token has an invalid ending."""
    return {"token": TOKEN + ending}


def secret_row(
    key: str, title: str, judge: Judge, reply: Reply = FORBIDDEN, mode: str = "call"
) -> Scenario:
    """A row about a place that must not show the token."""
    return Scenario(key, title, HIDDEN, always(reply), judge=judge, expectation=FAILURE, mode=mode)


def secret_scenarios() -> list[Scenario]:
    """The places where a token can become visible."""
    return [
        secret_row("repr", "`repr` of the client", judge_place("repr"), mode="connect"),
        secret_row("text", "Text of the exception for 403", judge_place("text")),
        secret_row(
            "attributes",
            "Attributes of that exception and of its causes",
            judge_place("attributes"),
        ),
        secret_row(
            "variables",
            "Local variables in its traceback, as error monitoring shows them",
            judge_place("local variables"),
        ),
        secret_row(
            "reset-attributes",
            "Attributes of the exception for a connection reset",
            judge_place("attributes"),
            RESET,
        ),
        secret_row("log", "Log records of all levels", judge_log, success()),
        Scenario(
            "pickle",
            "The exception for 403 after pickling",
            frozenset({Outcome.COMPLETE}),
            always(FORBIDDEN),
            judge=judge_pickle,
            expectation=FAILURE,
        ),
    ]


def retries() -> Group:
    """The rows about retries."""
    return Group(
        "Retries and the rate limit",
        "A retry is safe: the update is a PUT.",
        tuple(retry_scenarios()),
    )


def connections() -> Group:
    """The rows about connections and time."""
    return Group(
        "Connections and time",
        f"A call counts as waiting for ever after {LIMIT:.0f} s, or after {LONG_LIMIT:.0f} s in "
        "the rows with a default timeout, with one byte per second or with a large body.",
        tuple(connection_scenarios()),
    )


def arguments() -> Group:
    """The rows about arguments and options."""
    return Group(
        "Arguments and options",
        "Nothing must be sent. An exception of the client, a `ValueError` or a `TypeError` counts "
        "as a rejection, unless it shows the token.",
        tuple(argument_scenarios()),
    )


def secrets() -> Group:
    """The rows about credentials."""
    return Group(
        "Credentials and exceptions",
        "Log files, error reports and messages between processes can contain these.",
        tuple(secret_scenarios()),
    )
