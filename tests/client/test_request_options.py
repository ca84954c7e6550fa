"""The options of one call, and `default_headers`: what they send, and what they reject."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    UNSET,
    APITimeoutError,
    ArgumentError,
    AsyncLeadConnector,
    ConfigurationError,
    LeadConnector,
    LeadConnectorError,
    RequestOptions,
    ServerError,
)
from leadconnector._runtime.added_headers import RESERVED_HEADERS
from leadconnector._runtime.additions import with_additions
from leadconnector._runtime.contract import OperationContract
from leadconnector._runtime.http import RequestFactory
from leadconnector._runtime.request import Arguments, prepare_request
from leadconnector.models import ConversationFeedback

from tests.support.both_clients import Runner, Use, run_sync
from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    TOKEN,
    Clock,
    returning,
    succeeding,
)
from tests.support.reports import Sentry, texts_of

SECRET = "secret-of-a-gateway"


class Color(Enum):
    """An enum of no text."""

    RED = 1


def updating(options: object = None, **arguments: Any) -> Use:
    """A call with options."""

    def use(client: Any) -> Any:
        return client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID, options=options, **arguments
        )

    return use


def getting(query: object, options: object = None) -> Use:
    """A call of `client.request` with a query."""

    def use(client: Any) -> Any:
        return client.request("GET", "/a", query=query, options=options)

    return use


def request_of(run: Runner, use: Use, **options: Any) -> httpx.Request:
    """The one request of a call."""
    requests: list[httpx.Request] = []
    run(succeeding(requests), use, **options)
    (request,) = requests
    return request


def error_of(run: Runner, options: RequestOptions, **arguments: Any) -> ArgumentError:
    """The error of a call that sends nothing."""
    requests: list[httpx.Request] = []
    with pytest.raises(ArgumentError) as caught:
        run(succeeding(requests), updating(options, **arguments))
    assert requests == []
    assert caught.value.argument == "options"
    return caught.value


# What is sent.


def test_a_call_without_additions_sends_the_same_request(run: Runner) -> None:
    plain = request_of(run, updating())
    request = request_of(run, updating(RequestOptions()))

    assert request.headers.raw == plain.headers.raw
    assert (request.url, request.content) == (plain.url, plain.content)


def test_headers_are_sent(run: Runner) -> None:
    request = request_of(run, updating(RequestOptions(headers={"X-Trace": "a b", "Cookie": "c=d"})))

    assert request.headers["x-trace"] == "a b"
    assert request.headers["cookie"] == "c=d"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["version"] == "2021-07-28"


def test_query_parameters_are_sent_and_lists_repeat_them(run: Runner) -> None:
    query: Any = {
        "text": "a b&c=d",
        "number": 5,
        "fraction": 2.5,
        "flag": True,
        "list": ["x", 1, False],
        "tuple": ("y", "z"),
        "empty": [],
        "numpy": numpy.int64(7),
    }

    request = request_of(run, updating(RequestOptions(query=query)))

    assert request.url.params.multi_items() == [
        ("text", "a b&c=d"),
        ("number", "5"),
        ("fraction", "2.5"),
        ("flag", "true"),
        ("list", "x"),
        ("list", "1"),
        ("list", "false"),
        ("tuple", "y"),
        ("tuple", "z"),
        ("numpy", "7"),
    ]
    assert json.loads(request.content) == {"locationId": LOCATION_ID}
    assert request.headers["content-type"] == "application/json"


def test_a_subclass_of_str_is_sent_with_its_own_characters(run: Runner) -> None:
    class Text(str):
        def __str__(self) -> str:
            return "another-text"

        def __repr__(self) -> str:
            return SECRET

        def encode(self, encoding: str = "", errors: str = "") -> bytes:
            return b"another-text"

    query: Any = {Text("name"): Text("value"), Text("list"): [Text("a"), "b"]}
    options = RequestOptions(query=query, body={Text("property"): Text("data")})

    request = request_of(run, updating(options))

    assert request.url.query == b"name=value&list=a&list=b"
    assert json.loads(request.content) == {"locationId": LOCATION_ID, "property": "data"}
    with pytest.raises(ConfigurationError, match="values of 'name'"):
        RequestOptions(query={Text("name"): Text("\ud800")})


def test_dates_decimals_and_uuids_are_sent_as_query_parameters(run: Runner) -> None:
    query: Any = {
        "date": date(2026, 8, 1),
        "time": datetime(2026, 8, 1, 12, tzinfo=UTC),
        "numpy": numpy.float32(0.5),
        "price": [Decimal("1.10"), Decimal(2)],
        "id": UUID(int=5),
    }

    for use in (
        updating(RequestOptions(query=query)),
        getting(query),
    ):
        request = request_of(run, use)
        assert request.url.params.multi_items() == [
            ("date", "2026-08-01"),
            ("time", "2026-08-01T12:00:00+00:00"),
            ("numpy", "0.5"),
            ("price", "1.10"),
            ("price", "2"),
            ("id", "00000000-0000-0000-0000-000000000005"),
        ]


def test_a_query_of_empty_lists_sends_no_question_mark(run: Runner) -> None:
    for use in (
        updating(RequestOptions(query={"a": [], "b": ()})),
        getting({"a": []}),
    ):
        assert b"?" not in request_of(run, use).url.raw_path


def test_the_longest_query_is_sent(run: Runner) -> None:
    query = {"a": "x" * 49_998}
    options = RequestOptions(query=query)

    assert request_of(run, updating(options)).url.params["a"] == query["a"]
    # Both together make a URL that httpx rejects.
    requests: list[httpx.Request] = []
    with pytest.raises(
        ArgumentError, match=r"(query|options) makes no request: URL .*too long"
    ) as caught:
        run(succeeding(requests), getting({"b": query["a"]}, options))
    assert requests == []
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (httpx.InvalidURL("URL too long"), "URL too long"),
        (UnicodeEncodeError("utf-8", SECRET, 0, 1, "surrogates"), "half of a surrogate pair"),
        (KeyError(SECRET), "KeyError"),
    ],
)
def test_an_argument_that_makes_no_request_is_named_and_explained_without_a_value(
    error: Exception, problem: str
) -> None:
    def build(**_: Any) -> Any:
        raise error

    operation: Any = SimpleNamespace(build=build)
    contract: Any = SimpleNamespace(
        arguments={
            "id": ({"in": "path", "name": "id"}, None),
            "body": ({"in": "body", "name": ""}, None),
        },
        whole_body="body",
        sends_data=False,
    )
    arguments = Arguments(id="x" * 500, body=SECRET)
    name = "id" if isinstance(error, httpx.InvalidURL) else "body"
    with pytest.raises(ArgumentError, match=f"^{name} makes no request: .*{problem}") as caught:
        prepare_request(contract, operation, arguments, RequestFactory("https://a.test", {}), None)

    assert caught.value.argument == name
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert SECRET not in str(caught.value)


def test_properties_are_added_to_the_body(run: Runner) -> None:
    body = {
        "snoozed": None,
        "nested": {"list": [1, {"deep": "é"}]},
        "model": ConversationFeedback.from_dict({"score": 5}),
        "number": numpy.float64(0.5),
    }

    request = request_of(run, updating(RequestOptions(body=body), starred=True))

    assert json.loads(request.content) == {
        "locationId": LOCATION_ID,
        "starred": True,
        "snoozed": None,
        "nested": {"list": [1, {"deep": "é"}]},
        "model": {"score": 5},
        "number": 0.5,
    }
    assert request.headers["content-length"] == str(len(request.content))


def test_an_argument_that_is_left_out_can_have_another_value_than_the_spec_allows(
    run: Runner,
) -> None:
    options = RequestOptions(body={"feedback": "positive"})

    request = request_of(run, updating(options, version="v3"))

    assert json.loads(request.content) == {"locationId": LOCATION_ID, "feedback": "positive"}
    assert request.headers["version"] == "v3"


def test_additions_are_part_of_each_retry(run: Runner) -> None:
    requests: list[httpx.Request] = []
    options = RequestOptions(headers={"X-Trace": "1"}, query={"q": "2"}, body={"b": 3})

    with pytest.raises(ServerError):
        run(returning(503, requests=requests), updating(options))

    assert len(requests) == 3
    for request in requests:
        assert request.headers["x-trace"] == "1"
        assert request.url.params["q"] == "2"
        assert json.loads(request.content)["b"] == 3


def test_options_can_be_shared_and_later_changes_of_a_mapping_have_no_effect(run: Runner) -> None:
    body: dict[str, Any] = {"list": [1]}
    headers = {"X-Trace": "1"}
    options = RequestOptions(body=body, headers=headers)
    body["list"].append(2)
    headers["Version"] = "v3"

    for _ in range(2):
        request = request_of(run, updating(options))
        assert json.loads(request.content)["list"] == [1]
        assert request.headers["version"] == "2021-07-28"


# The options that the client has too.


def test_retries_override_those_of_the_client(run: Runner) -> None:
    for client_retries, options, attempts in (
        (2, RequestOptions(retries=0), 1),
        (0, RequestOptions(retries=1), 2),
        (1, RequestOptions(deadline=60.0), 2),
    ):
        with pytest.raises(ServerError) as caught:
            run(returning(503), updating(options), retries=client_retries)
        assert caught.value.attempts == attempts


def test_a_timeout_overrides_that_of_the_client(run: Runner) -> None:
    for timeout in (1.5, timedelta(seconds=1.5), httpx.Timeout(1.5)):
        request = request_of(run, updating(RequestOptions(timeout=timeout)), timeout=9.0)
        assert request.extensions["timeout"]["read"] == 1.5
    request = request_of(run, updating(RequestOptions(retries=1)), timeout=9.0)
    assert request.extensions["timeout"]["read"] == 9.0


def test_a_deadline_overrides_that_of_the_client(run: Runner) -> None:
    clock = Clock()
    with pytest.raises(ServerError) as caught:
        run(
            returning(503, headers={"Retry-After": "20"}),
            updating(RequestOptions(deadline=10.0)),
            clock=clock,
            deadline=1000.0,
        )
    assert caught.value.attempts == 1
    assert clock.seconds == 0.0


def test_a_deadline_covers_the_wait_for_the_rate_limit() -> None:
    def use(client: Any) -> None:
        for _ in range(100):
            updating()(client)
        updating(RequestOptions(deadline=1.0))(client)

    with pytest.raises(APITimeoutError) as caught:
        run_sync(succeeding(), use)
    assert caught.value.attempts == 0


def test_the_options_of_a_call_do_not_stay(run: Runner) -> None:
    clock = Clock()
    requests: list[httpx.Request] = []

    def use(client: Any) -> Any:
        first = updating(RequestOptions(timeout=1.0, headers={"X-Trace": "1"}))(client)
        if isinstance(client, AsyncLeadConnector):
            return both(first, client)
        return updating()(client)

    async def both(first: Any, client: Any) -> Any:
        await first
        return await updating()(client)

    run(succeeding(requests), use, clock=clock)

    assert [request.extensions["timeout"]["read"] for request in requests] == [1.0, 30.0]
    assert ["x-trace" in request.headers for request in requests] == [True, False]


# Default headers.


def test_default_headers_are_sent_with_every_request(run: Runner) -> None:
    request = request_of(run, updating(), default_headers={"X-Gateway": "eu"})

    assert request.headers["x-gateway"] == "eu"


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "Accept"])
def test_default_headers_replace_user_agent_and_accept(run: Runner, name: str) -> None:
    request = request_of(run, updating(), default_headers={name: "mine"})

    assert request.headers.get_list(name) == ["mine"]


def test_headers_of_a_call_replace_default_headers_of_any_case(run: Runner) -> None:
    options = RequestOptions(headers={"x-gateway": "us", "user-agent": "call"})
    default_headers = {"X-GATEWAY": "eu", "User-Agent": "client", "X-Other": "1"}

    request = request_of(run, updating(options), default_headers=default_headers)

    assert request.headers.get_list("x-gateway") == ["us"]
    assert request.headers.get_list("user-agent") == ["call"]
    assert request.headers["x-other"] == "1"


def test_with_options_replaces_all_default_headers() -> None:
    requests: list[httpx.Request] = []
    with LeadConnector(
        token=TOKEN, transport=succeeding(requests), default_headers={"X-A": "1", "X-B": "2"}
    ) as client:
        for changed in (
            client,
            client.with_options(default_headers={"X-B": "3"}),
            client.with_options(default_headers=None),
            client.with_options(retries=1),
        ):
            updating()(changed)

    values = [(item.headers.get("x-a"), item.headers.get("x-b")) for item in requests]
    assert values == [("1", "2"), (None, "3"), (None, None), ("1", "2")]


# What is rejected.

INVALID_HEADERS: list[tuple[Any, str]] = [
    ({"X-A": "b\r\nX-C: d"}, "value of X-A"),
    ({"X-A": "b\n"}, "value of X-A"),
    ({"X-A": "\x00"}, "value of X-A"),
    ({"X-A": "é"}, "value of X-A"),
    ({"X-A": ""}, "value of X-A"),
    ({"X-A": " b"}, "value of X-A"),
    ({"X-A": 5}, "value of X-A"),
    ({"X-A": None}, "value of X-A"),
    ({"X-A": b"b"}, "value of X-A"),
    ({"X-A\r\nX-C": "d"}, "that of header 1 is invalid"),
    ({"X-A": "1", "X B": "d"}, "that of header 2 is invalid"),
    ({"": "d"}, "that of header 1 is invalid"),
    ({"X-A:": "d"}, "that of header 1 is invalid"),
    ({5: "d"}, "that of header 1 is invalid"),
    ({"X-A": "1", "x-a": "2"}, "x-a twice"),
    ([("X-A", "1")], "must be a mapping"),
    ("X-A: 1", "must be a mapping"),
]


def reject_default_headers(headers: Any) -> Any:
    LeadConnector(token=TOKEN, default_headers=headers)


def reject_async_default_headers(headers: Any) -> Any:
    AsyncLeadConnector(token=TOKEN, default_headers=headers)


def reject_changed_default_headers(headers: Any) -> Any:
    LeadConnector(token=TOKEN).with_options(default_headers=headers)


def reject_headers_of_a_call(headers: Any) -> Any:
    RequestOptions(headers=headers)


ways_to_add_headers = pytest.mark.parametrize(
    "add",
    [
        reject_default_headers,
        reject_async_default_headers,
        reject_changed_default_headers,
        reject_headers_of_a_call,
    ],
)


@ways_to_add_headers
@pytest.mark.parametrize(("headers", "problem"), INVALID_HEADERS)
def test_an_invalid_header_is_rejected(add: Any, headers: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        add(headers)
    assert problem in str(caught.value)
    assert "headers" in str(caught.value)


@ways_to_add_headers
@pytest.mark.parametrize(
    ("name", "instead"),
    [
        *RESERVED_HEADERS.items(),
        ("Authorization", "option token"),
        ("HOST", "option base_url"),
        ("Content-Length", "from the body"),
        ("version", "argument version of the call"),
        ("Version", "option version"),
    ],
)
def test_a_header_of_the_client_is_rejected_with_what_to_use_instead(
    add: Any, name: str, instead: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        add({name: "x"})
    assert name in str(caught.value)
    assert instead in str(caught.value)


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_any_headers_are_rejected_or_sent_as_they_are(headers: dict[str, str]) -> None:
    try:
        options = RequestOptions(headers=headers)
    except ConfigurationError:
        return
    request = request_of(run_sync, updating(options))
    plain = request_of(run_sync, updating())
    for name, value in headers.items():
        assert request.headers.get_list(name) == [value]
    sent_names = {name.lower() for name in headers}
    others = {name: value for name, value in request.headers.items() if name not in sent_names}
    expected = {name: value for name, value in plain.headers.items() if name not in sent_names}
    assert others == expected


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("timeout", 0, "timeout must be above 0 s"),
        ("timeout", -1, "timeout must be above 0 s"),
        ("timeout", "5", "timeout must be above 0 s"),
        ("timeout", 90_000, "timeout must be above 0 s"),
        ("deadline", 0, "deadline must be above 0 s"),
        ("deadline", True, "deadline must be above 0 s"),
        ("retries", -1, "retries must be a whole number"),
        ("retries", 1.5, "retries must be a whole number"),
        ("retries", 101, "retries must be a whole number"),
        ("query", [("a", "b")], "query must be a mapping"),
        ("query", {"a": None}, "values of 'a'"),
        ("query", {"a": {"b": 1}}, "values of 'a'"),
        ("query", {"a": [["b"]]}, "values of 'a'"),
        ("query", {"a": float("nan")}, "values of 'a'"),
        ("query", {"a": "\ud800"}, "values of 'a' (a string has half of a surrogate pair)"),
        ("query", {"a": None}, "(None: leave the parameter out instead)"),
        ("query", {"a": b"b"}, "(not bytes)"),
        ("query", {"a": Color.RED}, "(Color: use the enum's value)"),
        ("query", {"a": Decimal("NaN")}, "(a number is not finite)"),
        ("query", {"a": datetime(2026, 1, 1)}, "(a datetime needs a time zone"),
        ("query", {"a": "x" * 100_000}, "query must have at most 50000 characters, encoded"),
        ("query", {"x" * 100_000: "a"}, "query must have at most 50000 characters, encoded"),
        ("query", {"a": ["é"] * 6_000}, "query must have at most 50000 characters, encoded"),
        ("query", {"x" * 100_000: None}, f"values of '{'x' * 64}'… (None"),
        ("query", {"a\ud800": "a"}, r"surrogate pair, which 'a\ud800' contains"),
        ("query", {"": "a"}, "query must have strings as names"),
        ("query", {5: "a"}, "query must have strings as names"),
        ("body", ["a"], "body must be a mapping"),
        ("body", "{}", "body must be a mapping"),
        ("body", {5: "a"}, "body must have strings as names"),
        (
            "body",
            {"\ud800": "a"},
            "strings as names without half of a surrogate pair",
        ),
        ("body", {"a": float("inf")}, "as 'a'"),
        ("body", {"a": object()}, "object is no such data"),
        ("body", {"a": "\ud800"}, "as 'a'"),
        ("body", {"a": {"\ud800": 1}}, "as 'a'"),
        ("body", {"\ud800": 1}, r"surrogate pair, which '\ud800' contains"),
        ("body", {"x" * 100_000: object()}, f"as '{'x' * 64}'… (object"),
    ],
)
def test_an_invalid_option_is_rejected(option: str, value: Any, problem: str) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ConfigurationError) as caught:
        RequestOptions(**options)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("max_retries", "retries"),
        ("extra_headers", "headers"),
        ("extra_query", "query"),
        ("extra_body", "body"),
        ("request_timeout", "timeout"),
        ("params", "query"),
        ("json", "body"),
        ("header", "headers"),
        ("deadlines", "deadline"),
    ],
)
def test_an_unknown_option_suggests_the_one_that_is_meant(name: str, option: str) -> None:
    options: dict[str, Any] = {name: 1}
    with pytest.raises(TypeError) as caught:
        RequestOptions(**options)
    unexpected = f"RequestOptions() got an unexpected keyword argument {name!r}"
    assert str(caught.value) == f"{unexpected}; did you mean {option!r}?"


def test_a_positional_option_and_one_like_no_other_are_explained() -> None:
    untyped: Any = RequestOptions
    with pytest.raises(TypeError, match=r"such as RequestOptions\(timeout=…\)"):
        untyped(5.0)
    with pytest.raises(TypeError, match="the options are timeout, deadline, retries, headers,"):
        untyped(colour="blue")


@pytest.mark.parametrize("options", [{"timeout": 5}, 5, RequestOptions, "x", object()])
def test_other_objects_are_no_options(run: Runner, options: Any) -> None:
    assert "options must be a RequestOptions" in str(error_of(run, options))


@pytest.mark.parametrize(
    ("body", "arguments", "problem"),
    [
        ({"locationId": "l"}, {}, "pass it as the argument location_id"),
        ({"starred": 1}, {"starred": True}, "pass it as the argument starred"),
        ({"unreadCount": 1}, {"unread_count": 0}, "pass it as the argument unread_count"),
    ],
)
def test_a_property_that_is_an_argument_of_the_call_is_rejected(
    run: Runner, body: Any, arguments: Any, problem: str
) -> None:
    error = error_of(run, RequestOptions(body=body), **arguments)

    (name,) = body
    assert str(error) == f"options: body must not contain {name!r}: {problem} of the call"


# Arguments that the committed spec does not have.


def contract_with(body: str | None, **places: str) -> OperationContract:
    """An operation with one optional argument of each name, in a place of the request."""
    arguments = [
        {"argument": name, "name": name, "in": place, "required": False, "schema": None}
        for name, place in places.items()
    ]
    entry: dict[str, Any] = {
        "name": "POST /a",
        "method": "POST",
        "pointer": "",
        "body": body,
        "arguments": arguments,
        "responses": {},
    }
    return OperationContract(entry, {})


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("query", RequestOptions(query={"name": "x"})),
        ("body", RequestOptions(body={"name": "x"})),
        ("header", RequestOptions(headers={"NAME": "x"})),
        ("cookie", RequestOptions(headers={"cookie": "name=x"})),
    ],
)
def test_an_addition_is_possible_only_without_the_argument(
    place: str, options: RequestOptions
) -> None:
    contract = contract_with("application/json", name=place)

    with_additions(contract, Arguments(name=UNSET), {"url": "/"}, options)
    with pytest.raises(ArgumentError, match="the argument name of the call"):
        with_additions(contract, Arguments(name="y"), {}, options)


def test_an_omitted_optional_body_becomes_one_with_the_added_properties() -> None:
    options = RequestOptions(body={"b": 1})
    contract = contract_with("application/merge-patch+json", a="body")

    request = with_additions(contract, Arguments(a=UNSET), {"headers": {"X-A": "1"}}, options)

    assert request == {
        "json": {"b": 1},
        "headers": {"Content-Type": "application/merge-patch+json", "X-A": "1"},
    }


def test_properties_are_added_to_a_body_that_is_one_argument() -> None:
    options = RequestOptions(body={"b": 1})
    contract = contract_with("application/json")

    request = with_additions(contract, Arguments(), {"json": {"a": 0}}, options)

    assert request == {"json": {"a": 0, "b": 1}}
    with pytest.raises(ArgumentError, match="the request has it already"):
        with_additions(contract, Arguments(), {"json": {"b": 0}}, options)


@pytest.mark.parametrize(
    ("body", "request_arguments"),
    [
        (None, {}),
        ("application/json", {"json": [1]}),
        ("application/json", {"json": "a"}),
        ("application/x-www-form-urlencoded", {"data": {"a": 1}}),
        ("application/octet-stream", {"content": b"a"}),
    ],
)
def test_a_body_that_is_no_json_object_has_no_place_for_properties(
    body: str | None, request_arguments: dict[str, Any]
) -> None:
    contract = contract_with(body)

    with pytest.raises(ArgumentError, match="the body of this request is none"):
        with_additions(contract, Arguments(), request_arguments, RequestOptions(body={"b": 1}))


@pytest.mark.parametrize("further", [{}, {"params": {"a": 1}}])
def test_an_argument_replaces_a_default_header(further: dict[str, Any]) -> None:
    factory = RequestFactory("https://api.test", {"Accept": "a"}, {"X-Trace": "0", "X-B": "1"})
    arguments = {"method": "put", "url": "/a", "json": {}, "headers": {"x-trace": "2"}, **further}

    headers = httpx.Headers(factory.prepare("PUT", arguments).headers)

    assert headers.get_list("x-trace") == ["2"]
    assert headers.get_list("x-b") == ["1"]
    assert headers.get_list("host") == ["api.test"]


# What is shown.


def test_the_repr_shows_no_value() -> None:
    options = RequestOptions(
        timeout=1.5,
        retries=3,
        headers={"X-Key": SECRET},
        query={"q": SECRET, "r": "1"},
        body={"note": SECRET},
    )

    assert repr(options) == (
        "RequestOptions(timeout=1.5, retries=3, headers=<X-Key>, query=<q, r>, body=<note>)"
    )
    assert repr(RequestOptions()) == "RequestOptions()"


@pytest.mark.parametrize("name", ["timeouts", "colour"])
def test_a_traceback_shows_rejected_options(name: str) -> None:
    options: dict[str, Any] = {name: 5}
    with pytest.raises(TypeError) as caught:
        RequestOptions(**options)

    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "self = RequestOptions()" in "".join(report.format())


def test_changes_of_the_body_that_was_read_have_no_effect(run: Runner) -> None:
    options = RequestOptions(body={"a": [1], "b": {"c": 2}})
    options.body["a"].append(9)
    options.body["b"]["c"] = 9

    assert options.body == {"a": [1], "b": {"c": 2}}
    body = json.loads(request_of(run, updating(options)).content)
    assert (body["a"], body["b"]) == ([1], {"c": 2})


def test_options_are_readable_and_frozen() -> None:
    options: Any = RequestOptions(
        timeout=timedelta(seconds=2), headers={"X-A": "1"}, query={"a": 1}, body={"b": [1]}
    )

    assert (options.timeout, options.deadline, options.retries) == (2.0, None, None)
    assert (options.headers, options.query, options.body) == (
        {"X-A": "1"},
        {"a": ("1",)},
        {"b": [1]},
    )
    for name in ("timeout", "headers", "colour"):
        with pytest.raises(AttributeError):
            setattr(options, name, 1)
    with pytest.raises(TypeError):
        options.headers["X-B"] = "2"
    for duplicate in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError, match="credential"):
            duplicate(options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RequestOptions(headers={"X-Key": f"{SECRET}\n"}),
        lambda: RequestOptions(headers={"X-Key": SECRET, "X B": SECRET}),
        lambda: RequestOptions(body={"key": SECRET, "b": float("nan")}),
        lambda: RequestOptions(query={"key": SECRET, "b": f"{SECRET}\ud800"}),
        lambda: RequestOptions(headers={"X-Key": SECRET}, query={"key": SECRET, "b": object()}),  # type: ignore[dict-item] # pyright: ignore
        lambda: RequestOptions(body={"key": {"a": SECRET, "\ud800": 1}}),
        lambda: RequestOptions(body={"key": {"a": SECRET, "b": "\ud800"}}),
        lambda: RequestOptions(query={"key": f"{SECRET}\ud800"}),
        lambda: LeadConnector(token=TOKEN, default_headers={"X-Key": f"{SECRET}\n"}),
        lambda: LeadConnector(token=TOKEN).with_options(default_headers={"X-Key": f"{SECRET}\n"}),
        lambda: request_of(run_sync, updating(RequestOptions(headers={"X-A": SECRET}), starred=5)),
        lambda: run_sync(
            returning(503), updating(RequestOptions(headers={"X-A": SECRET}, retries=0))
        ),
        lambda: run_sync(returning(503), updating(), default_headers={"X-Key": SECRET}, retries=0),
    ],
)
def test_no_error_shows_a_header_or_another_value(make: Any) -> None:
    with pytest.raises(LeadConnectorError) as caught:
        make()

    packages = ("leadconnector.",)
    texts = [*texts_of(caught.value, packages), Sentry().text_of(caught.value, packages)]
    # The line of this test is part of the traceback.
    assert [text for text in texts if SECRET in text] == []


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_no_part_of_a_client_shows_default_headers(client: Any) -> None:
    instance = client(token=TOKEN, default_headers={"X-Key": SECRET})

    parts = [instance, instance._settings, instance.conversations]
    assert SECRET not in repr([[part, getattr(part, "__dict__", {})] for part in parts])
