"""Every argument is validated before a request is sent, by both clients."""

from __future__ import annotations

import datetime
import json
import math
import traceback
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import httpx
import numpy
import pytest
from generate.text_rules import MAXIMUM_PATH_LENGTH
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import UNSET, ArgumentError, LeadConnectorError
from leadconnector._runtime.request import check_argument
from leadconnector._runtime.schema import compile_schema
from leadconnector.models import ConversationFeedback

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    Caller,
    call_sync,
    succeeding,
)

CONTAINS_ITSELF: dict[str, Any] = {}
CONTAINS_ITSELF["self"] = CONTAINS_ITSELF

NAMES_IN_BODY = {"unread_count": "unreadCount"}

NAIVE = datetime.datetime(2026, 1, 2, 3, 4)


def argument_error(call: Caller, *arguments: Any, **named: Any) -> ArgumentError:
    requests: list[httpx.Request] = []
    with pytest.raises(ArgumentError) as caught:
        call(succeeding(requests), *arguments, **named)
    assert requests == [], "the request was sent"
    return caught.value


@pytest.mark.parametrize(
    ("conversation_id", "problem"),
    [
        ("", "1 to 512 characters"),
        (".", "not '.' or '..'"),
        ("..", "not '.' or '..'"),
        (None, "must be of type string"),
        (7, "must be of type string"),
        (b"abc", "must be data that JSON can hold"),
        (UNSET, "is required"),
        ("x" * 513, "1 to 512 characters"),
        ("a\nb", "control characters"),
        ("a\x00", "control characters"),
        ("a\x85", "control characters"),
        ("a\ud800", "surrogates not allowed"),
    ],
)
def test_an_invalid_id_is_rejected(call: Caller, conversation_id: object, problem: str) -> None:
    error = argument_error(call, conversation_id)

    assert error.argument == "conversation_id"
    assert "conversation_id" in str(error)
    assert problem in str(error)


def test_an_id_of_the_maximum_length_is_sent(call: Caller) -> None:
    call(succeeding(), "x" * MAXIMUM_PATH_LENGTH)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("location_id", "", "a non-empty string"),
        ("location_id", None, "must be of type string"),
        ("location_id", 5, "must be of type string"),
        ("location_id", UNSET, "is required"),
        ("unread_count", math.nan, "must be data that JSON can hold"),
        ("unread_count", math.inf, "must be data that JSON can hold"),
        ("unread_count", "x", "must be of type number"),
        ("unread_count", "3", "must be of type number"),
        ("unread_count", True, "must be of type number"),
        ("unread_count", None, "must be of type number"),
        ("unread_count", Decimal(3), "Decimal"),
        ("unread_count", 3j, "complex"),
        ("starred", None, "must be of type boolean"),
        ("starred", 1, "must be of type boolean"),
        ("starred", "true", "must be of type boolean"),
        ("feedback", None, "must be of type object"),
        ("feedback", "good", "must be of type object"),
        ("feedback", [1], "must be of type object"),
        ("feedback", {"a": object()}, "object is no such data"),
        ("feedback", {"a": math.nan}, "must be data that JSON can hold"),
        ("feedback", {"a": {1, 2}}, "set is no such data"),
        ("feedback", {"a": "\udfff"}, "surrogates not allowed"),
        ("feedback", {("a", 1): 1}, "must be data that JSON can hold"),
        ("feedback", CONTAINS_ITSELF, "must be data that JSON can hold"),
        ("version", "", "printable ASCII"),
        ("version", None, "must be of type string"),
        ("version", "v3\r\nX-Other: 1", "printable ASCII"),
        ("version", " v3", "printable ASCII"),
        ("version", "vé", "printable ASCII"),
    ],
)
def test_an_invalid_argument_is_rejected_by_name(
    call: Caller, name: str, value: object, problem: str
) -> None:
    error = argument_error(call, **{name: value})

    assert error.argument == name
    assert str(error).startswith(name)
    assert problem in str(error)
    assert isinstance(error, LeadConnectorError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("name", ["unread_count", "starred", "feedback", "version"])
def test_none_for_an_optional_argument_says_to_leave_it_out(call: Caller, name: str) -> None:
    error = argument_error(call, **{name: None})

    assert str(error).endswith(f", not None: leave {name} out instead")


def test_none_for_a_required_argument_does_not_say_to_leave_it_out(call: Caller) -> None:
    error = argument_error(call, location_id=None)

    assert str(error) == "location_id must be of type string, not None"


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("unread_count", numpy.int64(3), 3),
        ("unread_count", numpy.uint8(3), 3),
        ("unread_count", numpy.float64(3.5), 3.5),
        ("unread_count", numpy.float32(3.5), 3.5),
        ("unread_count", numpy.array(3), 3),
        ("unread_count", numpy.longdouble(3), 3.0),
        ("starred", numpy.bool_(False), False),
        ("starred", numpy.bool_(True), True),
        ("feedback", {"score": numpy.int64(3)}, {"score": 3}),
        ("feedback", {"scores": [numpy.float32(0.5)]}, {"scores": [0.5]}),
    ],
)
def test_a_number_of_numpy_is_sent_as_a_number(
    call: Caller, name: str, value: Any, sent: object
) -> None:
    requests: list[httpx.Request] = []

    call(succeeding(requests), **{name: value})

    body_value = json.loads(requests[0].content)[NAMES_IN_BODY.get(name, name)]
    assert (body_value, type(body_value)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("unread_count", numpy.bool_(True), "must be of type number"),
        ("unread_count", numpy.float64("nan"), "must be data that JSON can hold"),
        ("unread_count", numpy.float32("inf"), "must be data that JSON can hold"),
        ("unread_count", numpy.array([3]), "ndarray is no such data"),
        ("unread_count", numpy.complex64(3), "complex is no such data"),
        ("unread_count", numpy.timedelta64(3, "ns"), "timedelta is no such data"),
        ("unread_count", numpy.datetime64("2026-01-02T03:04:05.000000001"), "needs a time zone"),
        ("unread_count", numpy.timedelta64("NaT", "s"), "must be of type number"),
        ("starred", numpy.int64(1), "must be of type boolean"),
    ],
)
def test_a_number_of_numpy_is_validated(
    call: Caller, name: str, value: object, problem: str
) -> None:
    assert problem in str(argument_error(call, **{name: value}))


@pytest.mark.parametrize(
    "value",
    [
        NAIVE,
        [NAIVE],
        {"a": (1, NAIVE)},
        numpy.datetime64("2026-01-02T03:04"),
        numpy.datetime64("2026-01-02T03:04:05.000000001"),
        ConversationFeedback.from_dict({"at": NAIVE}),
    ],
)
def test_a_time_without_a_time_zone_is_rejected(value: object) -> None:
    argument: dict[str, Any] = {"argument": "a", "required": True, "schema": {}}

    check = check_argument(argument, compile_schema({}, {}), value)

    assert "a datetime needs a time zone" in check.problem


def test_an_argument_error_does_not_quote_the_body(call: Caller) -> None:
    assert "secret" not in str(argument_error(call, feedback="a secret complaint"))
    nested = {"a": ["a secret complaint", object()]}
    assert "secret" not in str(argument_error(call, feedback=nested))


class Disguised(str):
    """A text whose `str()` is another text."""

    def __str__(self) -> str:
        return ".."


class Named(StrEnum):
    """An enum whose `str()` is not its value, as before Python had StrEnum."""

    ONE = "one"

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def test_a_subclass_of_str_is_sent_as_it_was_validated(
    call: Caller,
) -> None:
    requests: list[httpx.Request] = []
    transport = succeeding(requests)

    call(transport, Disguised("abc"))
    call(transport, Named.ONE, version=Named.ONE)

    assert [request.url.path for request in requests] == [
        "/conversations/abc",
        "/conversations/one",
    ]
    assert requests[1].headers["version"] == "one"


def test_dates_and_uuids_in_a_mapping_are_sent_as_json_text(call: Caller) -> None:
    requests: list[httpx.Request] = []
    when = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
    feedback = MappingProxyType({"at": when, "inner": MappingProxyType({"id": UUID(int=1)})})

    call(succeeding(requests), feedback=feedback)

    sent = json.loads(requests[0].content)["feedback"]
    assert sent == {
        "at": "2026-01-02T03:04:00+00:00",
        "inner": {"id": "00000000-0000-0000-0000-000000000001"},
    }


WHEN = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("schema", "value", "sent"),
    [
        ({"type": "string"}, WHEN, "2026-01-02T00:00:00+00:00"),
        ({"type": "string", "format": "date-time"}, WHEN, "2026-01-02T00:00:00+00:00"),
        ({"type": "array"}, (WHEN,), ["2026-01-02T00:00:00+00:00"]),
        ({"type": "array"}, [MappingProxyType({"a": numpy.int64(1)})], [{"a": 1}]),
        ({"type": "array"}, [ConversationFeedback.from_dict({"a": 1})], [{"a": 1}]),
        ({}, "é", "é"),
        (None, WHEN.tzinfo, WHEN.tzinfo),  # a body that is not JSON
    ],
)
def test_the_json_data_that_was_validated_is_sent(schema: Any, value: object, sent: object) -> None:
    argument: dict[str, Any] = {"argument": "a", "required": True, "schema": schema}

    check = check_argument(argument, compile_schema(schema or {}, {}), value)

    assert check.problem == ""
    assert check.value == sent


def test_an_argument_without_a_schema_type_must_still_be_json_data() -> None:
    argument: dict[str, Any] = {"argument": "a", "required": False, "schema": {}}

    assert "JSON can hold" in check_argument(argument, compile_schema({}, {}), math.nan).problem


@pytest.mark.parametrize(
    "value", ["a secret complaint", {"a": "a secret complaint", "b": object()}]
)
def test_no_variable_of_the_validating_frames_shows_an_argument(
    call: Caller, value: object
) -> None:
    error = argument_error(call, feedback=value)

    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [
        frame
        for frame in frames
        if frame.f_code.co_name in {"complete_arguments", "check_argument", "_jsonable"}
    ]
    assert ours
    assert not [frame for frame in ours if "secret" in repr(frame.f_locals)]
    assert (error.__cause__, error.__context__) == (None, None)


@pytest.mark.parametrize("value", [10**400, -(10**400), 1.7e308])
def test_a_number_of_any_size_is_sent(call: Caller, value: float) -> None:
    requests: list[httpx.Request] = []
    call(succeeding(requests), unread_count=value)

    assert json.loads(requests[0].content)["unreadCount"] == value


def test_a_number_with_more_digits_than_python_writes_is_rejected(call: Caller) -> None:
    assert "JSON can hold" in str(argument_error(call, unread_count=10**5000))
    assert "JSON can hold" in str(argument_error(call, feedback={"a": 10**5000}))


def test_a_text_in_the_body_can_have_any_unicode_character(call: Caller) -> None:
    requests: list[httpx.Request] = []
    call(succeeding(requests), location_id="é\n\x00😀 .")

    assert json.loads(requests[0].content)["locationId"] == "é\n\x00😀 ."


def test_feedback_that_is_nested_too_deeply_is_rejected(call: Caller) -> None:
    deep: Any = {}
    # Python 3.11 writes 1,000 levels of JSON, and 3.13 some 10,000.
    for _ in range(100_000):
        deep = {"a": deep}

    assert argument_error(call, feedback=deep).argument == "feedback"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=8,
)
anything = (
    json_values
    | st.binary()
    | st.complex_numbers()
    | st.builds(object)
    | st.just(UNSET)
    | st.dates()
)


@given(
    conversation_id=st.text() | anything,
    location_id=st.text() | anything,
    unread_count=st.integers() | st.floats() | anything,
    starred=st.booleans() | anything,
    feedback=st.dictionaries(st.text(), json_values) | anything,
    version=st.text() | anything,
)
def test_any_arguments_are_rejected_or_sent_as_the_spec_describes(
    **arguments: Any,
) -> None:
    requests: list[httpx.Request] = []
    transport = succeeding(requests)
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
def test_feedback_of_json_data_is_sent_unchanged(feedback: dict[str, Any]) -> None:
    requests: list[httpx.Request] = []
    try:
        expected = json.loads(json.dumps(feedback, allow_nan=False, ensure_ascii=False).encode())
    except ValueError:
        return
    call_sync(
        succeeding(requests),
        CONVERSATION_ID,
        feedback=feedback,
    )

    assert json.loads(requests[0].content) == {"locationId": LOCATION_ID, "feedback": expected}
