"""Every argument is checked before anything is sent; for both clients."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import httpx
import pytest
from calling import ANSWER, CONVERSATION_ID, LOCATION_ID, Caller, answering, call_sync
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import UNSET, ArgumentError, LeadConnectorError
from leadconnector._arguments import MAXIMUM_PATH_LENGTH

CONTAINS_ITSELF: dict[str, Any] = {}
CONTAINS_ITSELF["self"] = CONTAINS_ITSELF


def refusal(call: Caller, *arguments: Any, **named: Any) -> ArgumentError:
    requests: list[httpx.Request] = []
    with pytest.raises(ArgumentError) as caught:
        call(answering(lambda: httpx.Response(200, json=ANSWER), requests), *arguments, **named)
    assert requests == [], "it was sent all the same"
    return caught.value


@pytest.mark.parametrize(
    ("conversation_id", "problem"),
    [
        ("", "must not be empty"),
        (".", "must not be '.' or '..'"),
        ("..", "must not be '.' or '..'"),
        (None, "must be of type string, not null"),
        (7, "must be of type string, not integer"),
        (b"abc", "must be data that JSON can hold"),
        (UNSET, "is required"),
        ("x" * 513, "at most 512 characters"),
        ("a\nb", "control characters"),
        ("a\x00", "control characters"),
        ("a\x85", "control characters"),
        ("a\ud800", "surrogates not allowed"),
    ],
)
def test_an_unusable_id_is_refused(call: Caller, conversation_id: object, problem: str) -> None:
    error = refusal(call, conversation_id)

    assert error.argument == "conversation_id"
    assert "conversation_id" in str(error)
    assert problem in str(error)


def test_an_id_of_the_longest_length_is_sent(call: Caller) -> None:
    call(answering(lambda: httpx.Response(200, json=ANSWER)), "x" * MAXIMUM_PATH_LENGTH)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("location_id", "", "must not be empty"),
        ("location_id", None, "must be of type string, not null"),
        ("location_id", 5, "must be of type string, not integer"),
        ("location_id", UNSET, "is required"),
        ("unread_count", math.nan, "must be data that JSON can hold"),
        ("unread_count", math.inf, "must be data that JSON can hold"),
        ("unread_count", "x", "must be of type number, not string"),
        ("unread_count", "3", "must be of type number, not string"),
        ("unread_count", True, "must be of type number, not boolean"),
        ("unread_count", None, "must be of type number, not null"),
        ("unread_count", Decimal(3), "Decimal"),
        ("unread_count", 3j, "complex"),
        ("starred", None, "must be of type boolean, not null"),
        ("starred", 1, "must be of type boolean, not integer"),
        ("starred", "true", "must be of type boolean, not string"),
        ("feedback", None, "must be of type object, not null"),
        ("feedback", "good", "must be of type object, not string"),
        ("feedback", [1], "must be of type object, not array"),
        ("feedback", {"a": object()}, "object is no such data"),
        ("feedback", {"a": math.nan}, "must be data that JSON can hold"),
        ("feedback", {"a": {1, 2}}, "set is no such data"),
        ("feedback", {"a": "\udfff"}, "surrogates not allowed"),
        ("feedback", {("a", 1): 1}, "must be data that JSON can hold"),
        ("feedback", CONTAINS_ITSELF, "must be data that JSON can hold"),
        ("version", "", "must not be empty"),
        ("version", None, "must be of type string, not null"),
        ("version", "v3\r\nX-Other: 1", "printable ASCII"),
        ("version", " v3", "printable ASCII"),
        ("version", "vé", "printable ASCII"),
    ],
)
def test_an_unacceptable_argument_is_refused_and_named(call: Caller, name: str, value: object, problem: str) -> None:
    error = refusal(call, **{name: value})

    assert error.argument == name
    assert str(error).startswith(name)
    assert problem in str(error)
    assert isinstance(error, LeadConnectorError)
    assert isinstance(error, ValueError)


def test_a_refusal_does_not_repeat_what_was_said_in_the_body(call: Caller) -> None:
    assert "secret" not in str(refusal(call, feedback="a secret complaint"))
    assert "secret" not in str(refusal(call, feedback={"a": ["a secret complaint", object()]}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
anything = json_values | st.binary() | st.complex_numbers() | st.builds(object) | st.just(UNSET) | st.dates()


@given(
    conversation_id=st.text() | anything,
    location_id=st.text() | anything,
    unread_count=st.integers() | st.floats() | anything,
    starred=st.booleans() | anything,
    feedback=st.dictionaries(st.text(), json_values) | anything,
    version=st.text() | anything,
)
def test_whatever_the_arguments_are_they_are_refused_or_sent_as_the_spec_says(**arguments: Any) -> None:
    requests: list[httpx.Request] = []
    transport = answering(lambda: httpx.Response(200, json=ANSWER), requests)
    refused: list[str] = []
    try:
        call_sync(transport, arguments.pop("conversation_id"), **arguments)
    except ArgumentError as error:
        refused.append(error.argument)
    assert len(refused) + len(requests) == 1
    assert set(refused) <= {*arguments, "conversation_id"}
    if refused:
        return
    (request,) = requests
    body = json.loads(request.content)
    assert set(body) <= {"locationId", "unreadCount", "starred", "feedback"}
    assert isinstance(body["locationId"], str)
    assert body["locationId"]
    assert type(body.get("unreadCount", 0)) in {int, float}
    assert type(body.get("starred", True)) is bool
    assert type(body.get("feedback", {})) is dict
    assert request.url.raw_path.count(b"/") == 2
    assert request.headers["version"]


@given(feedback=st.dictionaries(st.text(), json_values))
def test_feedback_that_json_can_hold_arrives_as_it_was_given(feedback: dict[str, Any]) -> None:
    requests: list[httpx.Request] = []
    try:
        expected = json.loads(json.dumps(feedback, allow_nan=False, ensure_ascii=False).encode())
    except ValueError:
        return
    call_sync(answering(lambda: httpx.Response(200, json=ANSWER), requests), CONVERSATION_ID, feedback=feedback)

    assert json.loads(requests[0].content) == {"locationId": LOCATION_ID, "feedback": expected}
