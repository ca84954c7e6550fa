"""What can become of a call, and the rules that decide it from the evidence.

The rules are the same for every client. They use no name of a client.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from .observation import Evidence, Observation

MEMORY_LIMIT = 100 * 1024 * 1024
"""Bytes. A call that needs more for a response that it does not return is a denial of service."""

PROMPT = 1.0
"""Seconds within which a cancelled call must end. The clients need a few milliseconds."""

MOST_ATTEMPTS = 10
"""A client that sends one update more often overloads a server that is down."""

LIMIT_REACHED = 0.9
"""The share of the rate limit that a client must use before its burst is judged."""

ARGUMENT_ERRORS = frozenset({"builtins.ValueError", "builtins.TypeError"})
"""Python's classes for invalid arguments. An exception that inherits from them is expected."""


ENDED = ("hung", "crashed", "not offered")
"""The kinds of observation with neither a result nor an exception."""


class Outcome(Enum):
    """What became of a call. The value is the text of the table."""

    TYPED_RESULT = "typed result"
    REPORTED_RESULT = "typed result, deviation logged"
    PLAIN_RESULT = "plain data"
    NOTHING = "returns `None`"
    ERROR_RETURNED = "error returned as a result"
    OWN_ERROR = "own exception"
    STATUS_LOST = "own exception without the status"
    REASON_LOST = "own exception whose text lacks the reason"
    FOREIGN_ERROR = "foreign exception"
    REJECTED = "rejected before sending"
    ACCEPTED = "sent to the server"
    UNCHECKED = "accepted"
    OTHER_URL = "sent to another URL"
    OTHER_SERVER = "sent to another server"
    WRONG_RESULT = "wrong result, nothing logged"
    UPDATE_LOST = "update lost, success returned"
    RETRIED_EARLY = "retried too early"
    RETRIED_OFTEN = "retried too often"
    MEMORY = "memory"
    HANGS = "waits"
    CRASHED = "process ends"
    TOKEN_HIDDEN = "token hidden"
    TOKEN_SHOWN = "token shown"
    COMPLETE = "complete"
    INCOMPLETE = "information lost"
    ALL_UPDATED = "all updates made"
    SOME_FAILED = "updates failed"
    TOO_SLOW = "too slow to reach the limit"
    CANCELLED = "ends at once"
    NOT_CANCELLED = "does not end"
    NOT_OFFERED = "not offered"
    TYPED = "passes"
    UNION = "passes, a union"
    UNTYPED = "passes without types"
    TYPE_ERRORS = "fails"


RESULT = frozenset({Outcome.TYPED_RESULT, Outcome.REPORTED_RESULT, Outcome.PLAIN_RESULT})
"""The caller gets the data of the response."""

MODEL = frozenset({Outcome.TYPED_RESULT, Outcome.REPORTED_RESULT})
OWN_ERROR = frozenset({Outcome.OWN_ERROR})
RESULT_OR_ERROR = RESULT | OWN_ERROR
NOTICED = frozenset({Outcome.TYPED_RESULT, Outcome.REPORTED_RESULT, Outcome.OWN_ERROR})
"""The caller gets correct data, or learns that the response deviates from the spec."""

REJECTED = frozenset({Outcome.REJECTED})
HIDDEN = frozenset({Outcome.TOKEN_HIDDEN})


@dataclass(frozen=True)
class Judgement:
    """The outcome of one scenario with one client."""

    outcome: Outcome
    detail: str = ""
    """What the table adds to the outcome."""


@dataclass(frozen=True)
class Expectation:
    """What a scenario expects of a response, in addition to its set of outcomes."""

    packages: Collection[str] = ()
    """The top-level packages of the client. Its own exceptions are defined there."""
    is_success: bool = True
    """Whether the last response of the server is a success."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values of the result, by their path, such as `conversation.starred`."""
    deviates: bool = False
    """Whether the last response deviates from the spec."""
    status: int | None = None
    """The status that an exception must contain."""
    reason: str = ""
    """The text that an exception must contain."""
    wait: float = 0.0
    """Seconds that the server demands between the first request and the second."""
    target: str | None = None
    """The raw path of a correct request."""
    rate_limit: int = 0
    """How many requests the server accepts in `rate_window`."""
    rate_window: float = 0.0
    """Seconds."""


def judge_call(evidence: Evidence, expectation: Expectation) -> Judgement:
    """The outcome of a call that reaches the server."""
    observation = evidence.observation
    fault = fault_in(evidence, expectation)
    if fault is not None:
        return fault
    if observation.kind == "raised":
        return judge_exception(observation, expectation)
    return judge_result(evidence, expectation)


def fault_in(evidence: Evidence, expectation: Expectation) -> Judgement | None:
    """What is wrong independently of the result of the call; `None` if nothing is."""
    if evidence.observation.kind in ENDED:
        return judge_end(evidence.observation)
    if evidence.foreign_requests:
        return Judgement(Outcome.OTHER_SERVER, carried_to(evidence))
    if evidence.observation.memory > MEMORY_LIMIT:
        mebibytes = evidence.observation.memory // 1024**2
        return Judgement(Outcome.MEMORY, f"+{mebibytes} MiB")
    return fault_of_requests(evidence, expectation)


def fault_of_requests(evidence: Evidence, expectation: Expectation) -> Judgement | None:
    """What is wrong with the requests that arrived; `None` if nothing is."""
    requests = evidence.requests
    for request in requests:
        if expectation.target is not None and request.target != expectation.target:
            return Judgement(Outcome.OTHER_URL, f"`{request.target}`")
    if len(requests) > MOST_ATTEMPTS:
        return Judgement(Outcome.RETRIED_OFTEN, f"{len(requests)} requests")
    if len(requests) > 1:
        seconds = requests[1].at - requests[0].at
        if seconds < expectation.wait:
            return Judgement(Outcome.RETRIED_EARLY, f"after {seconds:.1f} s")
    return None


def judge_end(observation: Observation) -> Judgement:
    """The outcome without a result or an exception."""
    if observation.kind == "hung":
        return Judgement(Outcome.HANGS, f"more than {observation.seconds:.0f} s")
    if observation.kind == "crashed":
        return Judgement(Outcome.CRASHED, observation.text)
    return Judgement(Outcome.NOT_OFFERED)


def carried_to(evidence: Evidence) -> str:
    """What a redirect carried to another server."""
    first = evidence.foreign_requests[0]
    parts: list[str] = []
    if "authorization" in first.headers:
        parts.append("token")
    if first.body:
        parts.append("body")
    return f"with {' and '.join(parts)}" if parts else "without token and body"


def judge_exception(observation: Observation, expectation: Expectation) -> Judgement:
    """The outcome of a call that raised an exception."""
    name = f"`{observation.type}`"
    if not is_own(observation, expectation.packages):
        return Judgement(Outcome.FOREIGN_ERROR, name)
    if expectation.status is None:
        return Judgement(Outcome.OWN_ERROR, name)
    if observation.status != expectation.status:
        return Judgement(Outcome.STATUS_LOST, name)
    if expectation.reason not in observation.text:
        return Judgement(Outcome.REASON_LOST, name)
    return Judgement(Outcome.OWN_ERROR, name)


def is_own(observation: Observation, packages: Collection[str]) -> bool:
    """Whether an exception is of a class of the client, or inherits from one."""
    return any(name.partition(".")[0] in packages for name in observation.classes)


def judge_result(evidence: Evidence, expectation: Expectation) -> Judgement:
    """The outcome of a call that returned."""
    observation = evidence.observation
    if not expectation.is_success:
        return Judgement(Outcome.ERROR_RETURNED, f"`{observation.type}`")
    if evidence.updates == 0:
        return Judgement(Outcome.UPDATE_LOST)
    if observation.type == "NoneType":
        return Judgement(Outcome.NOTHING)
    return judge_data(observation, expectation)


def judge_data(observation: Observation, expectation: Expectation) -> Judgement:
    """The outcome of a call that returned data after the server made the update."""
    is_noticed = expectation.deviates and observation.warnings > 0
    if observation.is_model and is_noticed:
        return Judgement(Outcome.REPORTED_RESULT)
    if not matches(observation.data, expectation.data):
        return Judgement(Outcome.WRONG_RESULT)
    if observation.is_model:
        return Judgement(Outcome.TYPED_RESULT)
    return Judgement(Outcome.PLAIN_RESULT, f"`{observation.type}`")


def matches(data: Any, expected: Mapping[str, Any]) -> bool:
    """Whether the data has the expected values, each of the same type."""
    for path, value in expected.items():
        actual = value_at(data, path)
        # `True == 1` in Python, and they are different JSON.
        if type(actual) is not type(value) or actual != value:
            return False
    return True


def value_at(data: Any, path: str) -> Any:
    """The value at a path such as `conversation.starred`; `None` if there is none."""
    for name in path.split("."):
        if not isinstance(data, dict):
            return None
        data = cast("dict[str, Any]", data).get(name)
    return data


def judge_argument(evidence: Evidence, expectation: Expectation) -> Judgement:
    """The outcome of a call with an invalid argument or option."""
    observation = evidence.observation
    if observation.kind in ENDED:
        return judge_end(observation)
    if "text" in observation.token_places:
        return Judgement(Outcome.TOKEN_SHOWN, f"in `{observation.type}`")
    if observation.kind == "connected":
        return Judgement(Outcome.UNCHECKED)
    if evidence.requests:
        return judge_sent_argument(evidence, expectation)
    name = f"`{observation.type}`"
    is_expected = is_own(observation, expectation.packages) or not ARGUMENT_ERRORS.isdisjoint(
        observation.classes
    )
    if is_expected:
        return Judgement(Outcome.REJECTED, name)
    return Judgement(Outcome.FOREIGN_ERROR, name)


def judge_sent_argument(evidence: Evidence, expectation: Expectation) -> Judgement:
    """The outcome of an invalid argument that the client sent."""
    first = evidence.requests[0]
    if expectation.target is not None and first.target != expectation.target:
        return Judgement(Outcome.OTHER_URL, f"`{first.target}`")
    return Judgement(Outcome.ACCEPTED)


def judge_place(place: str) -> Any:
    """A rule that looks for the token in one place of an exception or a client."""

    def judge(evidence: Evidence, expectation: Expectation) -> Judgement:
        observation = evidence.observation
        if observation.kind in ENDED:
            return judge_end(observation)
        if observation.kind == "returned":
            return judge_result(evidence, expectation)
        if place in observation.token_places:
            return Judgement(
                Outcome.TOKEN_SHOWN, f"`{observation.type}`" if observation.type else ""
            )
        return Judgement(Outcome.TOKEN_HIDDEN)

    return judge


def judge_log(evidence: Evidence, expectation: Expectation) -> Judgement:
    """Whether the log contains the token."""
    if evidence.observation.kind in ENDED:
        return judge_end(evidence.observation)
    if evidence.observation.token_in_log:
        return Judgement(Outcome.TOKEN_SHOWN)
    return Judgement(Outcome.TOKEN_HIDDEN)


def judge_pickle(evidence: Evidence, expectation: Expectation) -> Judgement:
    """Whether an exception survives pickling."""
    observation = evidence.observation
    if observation.kind != "raised":
        return judge_call(evidence, expectation)
    name = f"`{observation.type}`"
    return Judgement(Outcome.COMPLETE if observation.pickles else Outcome.INCOMPLETE, name)


def judge_burst(evidence: Evidence, expectation: Expectation) -> Judgement:
    """Whether every call of a burst made its update."""
    observation = evidence.observation
    if observation.kind != "burst":
        return judge_end(observation)
    rejected = len(evidence.requests) - evidence.updates
    failed = sum(observation.errors.values())
    rate = busiest_window(evidence, expectation.rate_window)
    if rate < LIMIT_REACHED * expectation.rate_limit:
        # A busy machine can slow a client down so much that this row says nothing about it.
        return Judgement(Outcome.TOO_SLOW, f"{rate} in {expectation.rate_window:.0f} s")
    if failed == 0:
        return Judgement(Outcome.ALL_UPDATED, f"{rejected} rejected requests")
    total = failed + observation.succeeded
    return Judgement(Outcome.SOME_FAILED, f"{failed} of {total}, {rejected} rejected requests")


def busiest_window(evidence: Evidence, seconds: float) -> int:
    """The most requests that arrived within some seconds."""
    times = [request.at for request in evidence.requests]
    return max((count_between(times, time, time + seconds) for time in times), default=0)


def count_between(times: Collection[float], start: float, end: float) -> int:
    """How many times are in an interval."""
    return sum(start <= time <= end for time in times)


def judge_cancellation(evidence: Evidence, expectation: Expectation) -> Judgement:
    """Whether a cancelled call ends."""
    observation = evidence.observation
    if observation.kind == "cancelled":
        is_prompt = observation.cancelled_in <= PROMPT
        outcome = Outcome.CANCELLED if is_prompt else Outcome.NOT_CANCELLED
        return Judgement(outcome)
    return judge_call(evidence, expectation)
