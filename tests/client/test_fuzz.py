"""Random responses, transport errors and arguments result in a model or a valid exception."""

from __future__ import annotations

import asyncio
import json
import logging
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    ArgumentError,
    BadRequestError,
)
from leadconnector._runtime.http import MAXIMUM_BODY_BYTES

from benchmarks.long.fuzzing.bodies import bomb
from benchmarks.long.fuzzing.cases import (
    Case,
    Outcome,
    case_with_random_arguments,
    case_with_random_replies,
    run_async,
    run_sync,
    seeded_random,
)
from benchmarks.long.fuzzing.failures import FAILURES
from benchmarks.long.fuzzing.promises import broken_promises
from benchmarks.long.fuzzing.replies import Reply
from benchmarks.long.fuzzing.sent_requests import request_problems
from tests.support.calling import LOCATION_ID, TOKEN
from tests.support.fuzz_strategies import (
    cases_with_random_arguments,
    cases_with_random_replies,
    replies_of_bytes,
)

Run = Callable[[Case], Outcome]
RUNS: dict[str, Run] = {"sync": run_sync, "async": lambda case: asyncio.run(run_async(case))}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
fuzzed = settings(
    max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Discard the log of drift. pytest would keep all of it."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@runs
@fuzzed
@given(cases_with_random_replies)
def test_every_drawn_response_results_in_a_model_or_a_valid_error(run: Run, case: Case) -> None:
    assert broken_promises(case, run(case)) == []


@runs
@fuzzed
@given(st.lists(replies_of_bytes, min_size=1, max_size=3), st.booleans())
@example([Reply(status=999, headers=((b"\xff", b"\xff"),), chunks=(b"\xff",))], False)
def test_any_status_headers_and_bytes_result_in_a_model_or_a_valid_error(
    run: Run, replies: list[Reply], strict: bool
) -> None:
    case = Case(tuple(replies), options={"strict": strict})

    assert broken_promises(case, run(case)) == []


@runs
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize(
    "place", ["in place of the head", "in place of the body", "within the body"]
)
def test_any_exception_of_a_transport_becomes_a_connection_error(
    run: Run, name: str, place: str
) -> None:
    chunks = (b'{"success":', b"tr") if place == "within the body" else ()
    case = Case((Reply(200, (), chunks, name, has_head=place != "in place of the head"),))

    outcome = run(case)

    assert isinstance(outcome.value, APIConnectionError)
    assert broken_promises(case, outcome) == []


@runs
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("form", ["compressed", "compressed in parts", "plain"])
def test_an_endless_body_uses_bounded_memory(run: Run, status: int, form: str) -> None:
    chunks: tuple[bytes, ...] = (
        bomb(40 * 1024 * 1024) * (3 if form == "compressed in parts" else 1),
    )
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Content-Encoding", b"gzip"),)
    if form == "plain":
        chunks, headers = (b" " * 1024 * 1024,) * 200, ()
    case = Case((Reply(status, headers, chunks),), options={"retries": 1})
    tracemalloc.start()
    try:
        outcome = run(case)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(outcome.value, APIDecodingError if status == 200 else APIStatusError)
    assert broken_promises(case, outcome) == []
    assert peak < 6 * MAXIMUM_BODY_BYTES


@runs
@fuzzed
@given(cases_with_random_arguments)
def test_any_arguments_are_rejected_by_name_or_sent_once_as_the_spec_describes(
    run: Run, case: Case
) -> None:
    outcome = run(case)

    assert broken_promises(case, outcome) + request_problems(case, outcome) == []


def test_the_drawn_cases_cover_every_outcome_of_a_call() -> None:
    random = seeded_random(7)
    outcomes = Counter[str]()
    for _ in range(1500):
        outcomes[type(run_sync(case_with_random_replies(random)).value).__name__] += 1
    for _ in range(100):
        outcomes[
            f"{type(run_sync(case_with_random_arguments(random)).value).__name__} of arguments"
        ] += 1

    assert {name for name, count in outcomes.items() if count > 9} >= {
        *(
            "UpdateConversationResponse",
            "APIDecodingError",
            "DriftError",
            "APIConnectionError",
            "APITimeoutError",
        ),
        *(
            "BadRequestError",
            "AuthenticationError",
            "UnprocessableEntityError",
            "RateLimitError",
            "ServerError",
        ),
        *(
            "UnexpectedStatusError",
            "ArgumentError of arguments",
            "UpdateConversationResponse of arguments",
        ),
    }


def status_error(**changes: Any) -> APIStatusError:
    details: dict[str, Any] = {
        "status_code": 400,
        "headers": httpx.Headers(),
        "request_id": None,
        "attempts": 1,
    }
    return BadRequestError("400", **{**details, "body": None, "messages": list[str](), **changes})


class UnknownError(BadRequestError):
    """An exception that is not public."""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (KeyError("success"), "outside the tree"),
        (AssertionError("still waits"), "outside the tree"),
        (UnknownError("400", **vars(status_error())), "not public"),
        (status_error(attempts=2), "other attempts"),
        (status_error(status_code=401), "another status"),
        (status_error(messages=[1]), "no texts"),
        (status_error(body=f"Bearer {TOKEN}"), "shows the token"),
        (status_error(request_id=7), "no text"),
        (status_error(headers={"A": "1", "b": "2"}), "depend on case"),
        (APIConnectionError("x", attempts=3), "other attempts"),
        (APIConnectionError("x", attempts=1), "though one came"),
        (APIConnectionError("a\nb" * 300, attempts=1), "no short line"),
    ],
)
def test_the_checker_of_outcomes_detects_each_problem(value: Exception, problem: str) -> None:
    case = Case((Reply(400),))
    outcome = run_sync(case)
    assert broken_promises(case, outcome) == []

    problems = broken_promises(case, Outcome(value, outcome.requests, outcome.seen))

    assert any(problem in text for text in problems)


ID = "/conversations/tDtDnQdgm2LXpyiqYvZ6"
LOCATION = {"locationId": LOCATION_ID}


def sent(url: str = ID, body: object = LOCATION, version: str = "v3") -> Outcome:
    outcome = run_sync(Case())
    headers = httpx.Headers(outcome.requests[0].headers)
    headers["version"] = version
    del headers["content-length"]
    request = httpx.Request(
        "PUT", f"https://example.com{url}", headers=headers, content=json.dumps(body)
    )
    return Outcome(outcome.value, [request], outcome.seen)


@pytest.mark.parametrize(
    ("url", "body", "version", "problem"),
    [
        ("/conversations/a/b", LOCATION, "v3", "another form"),
        (f"{ID}?x=1", LOCATION, "v3", "another form"),
        ("/conversations/other", LOCATION, "v3", "another id"),
        (ID, {**LOCATION, "unreadCount": "1"}, "v3", "the spec does not have"),
        (ID, {**LOCATION, "feedback": None}, "v3", "the spec does not have"),
        (ID, {"locationId": "other"}, "v3", "another location"),
        (ID, LOCATION, " ", "another version"),
    ],
)
def test_the_checker_of_requests_detects_each_problem(
    url: str, body: object, version: str, problem: str
) -> None:
    assert request_problems(Case(), sent()) == []

    assert any(problem in text for text in request_problems(Case(), sent(url, body, version)))


def test_the_checker_of_requests_detects_a_missing_and_an_extra_request() -> None:
    (request,) = sent().requests

    assert request_problems(Case(), Outcome(None, [], [])) == ["0 requests"]
    assert request_problems(Case(), Outcome(None, [request, request], [])) == ["2 requests"]
    refused = request_problems(Case(), Outcome(ArgumentError("x", argument="x"), [request], []))
    assert refused == ["rejected, but sent", "it names no argument"]
