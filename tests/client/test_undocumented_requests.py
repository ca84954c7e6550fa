"""`client.request`: operations that the spec lacks, with all that other calls have."""

from __future__ import annotations

import json
import logging
from typing import Any, get_type_hints

import httpx
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    APIDecodingError,
    APIResponse,
    APITimeoutError,
    ArgumentError,
    AsyncLeadConnector,
    AuthenticationError,
    BadRequestError,
    DailyRateLimitError,
    Finding,
    LeadConnector,
    NotFoundError,
    RequestOptions,
    ResponseInfo,
    ServerError,
)
from leadconnector._runtime import undocumented
from leadconnector_emulator import Emulator, Server

from tests.support.both_clients import Runner, Use, run_sync
from tests.support.calling import (
    LOCATION_ID,
    TOKEN,
    Clock,
    returning,
    succeeding,
)
from tests.support.reports import Sentry, texts_of

PATH = "/contacts/c-secret"


def requesting(method: Any = "GET", path: Any = PATH, **arguments: Any) -> Use:
    def use(client: Any) -> Any:
        return client.request(method, path, **arguments)

    return use


def request_of(run: Runner, use: Use, **options: Any) -> httpx.Request:
    requests: list[httpx.Request] = []
    run(succeeding(requests), use, **options)
    (request,) = requests
    return request


def error_of(run: Runner, use: Use) -> ArgumentError:
    requests: list[httpx.Request] = []
    with pytest.raises(ArgumentError) as caught:
        run(succeeding(requests), use)
    assert requests == []
    return caught.value


# What is sent.


def test_a_request_has_the_credentials_and_the_version_of_other_calls(run: Runner) -> None:
    request = request_of(run, requesting())

    assert request.method == "GET"
    assert str(request.url) == f"https://services.leadconnectorhq.com{PATH}"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["version"] == "2021-07-28"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("leadconnector/")
    assert request.content == b""
    assert "content-type" not in request.headers


def test_all_parts_of_a_request_are_sent(run: Runner) -> None:
    use = requesting(
        "post",
        "/contacts/a%2Fb/",
        json={"name": "é", "number": numpy.int64(5), "list": [None]},
        query={"limit": 20, "tag": ["a", "b"]},
        headers={"X-Trace": "1"},
        version="v3",
    )

    request = request_of(run, use, base_url="https://gateway.example/highlevel/")

    assert request.method == "POST"
    assert request.url.raw_path == b"/highlevel/contacts/a%2Fb/?limit=20&tag=a&tag=b"
    assert json.loads(request.content) == {"name": "é", "number": 5, "list": [None]}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-trace"] == "1"
    assert request.headers.get_list("version") == ["v3"]


@pytest.mark.parametrize("data", [None, False, 0, "", [], {}, [1, "a"]])
def test_any_json_data_is_a_body(run: Runner, data: object) -> None:
    assert json.loads(request_of(run, requesting("PUT", json=data)).content) == data


def test_the_version_of_the_client_is_sent(run: Runner) -> None:
    assert request_of(run, requesting(), version="v3").headers["version"] == "v3"
    assert request_of(run, requesting(version="v4"), version="v3").headers["version"] == "v4"


def test_options_and_default_headers_are_added(run: Runner) -> None:
    options = RequestOptions(headers={"X-Trace": "1"}, query={"b": "2"}, body={"d": 4}, timeout=2.0)
    use = requesting("PUT", query={"a": "1"}, json={"c": 3}, headers={"X-A": "1"}, options=options)

    request = request_of(run, use, default_headers={"x-trace": "0", "X-B": "2"})

    assert request.url.query == b"a=1&b=2"
    assert json.loads(request.content) == {"c": 3, "d": 4}
    names = ("x-trace", "x-a", "x-b")
    assert [request.headers.get_list(name) for name in names] == [["1"], ["1"], ["2"]]
    assert request.extensions["timeout"]["read"] == 2.0
    assert json.loads(request_of(run, requesting("PUT", options=options)).content) == {"d": 4}


def test_requests_over_a_socket_work_with_every_method(emulator: Emulator) -> None:
    example = emulator.example
    with (
        Server(emulator) as server,
        LeadConnector(token=TOKEN, base_url=server.url, retries=0) as client,
    ):
        response = client.request(
            "PUT",
            f"/conversations/{example['id']}",
            json={"locationId": example["locationId"], "unreadCount": 7},
            rate_limit_key=example["locationId"],
        )
        assert response.parse()["conversation"]["unreadCount"] == 7
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                client.request(method, "/no-such-operation")
            assert isinstance(caught.value, NotFoundError), method


# The response.


def test_the_response_has_its_status_headers_bytes_and_data(run: Runner) -> None:
    transport = returning(201, json={"id": "1", "new": [1.5]}, headers={"X-Request-Id": "r-1"})

    response = run(transport, requesting("POST"))

    assert type(response) is APIResponse
    assert (response.status_code, response.attempts, response.request_id) == (201, 1, "r-1")
    assert response.parse() == {"id": "1", "new": [1.5]}
    assert json.loads(response.content) == response.parse()


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_body_is_none(run: Runner, status: int) -> None:
    assert run(returning(status), requesting("DELETE")).parse() is None


def test_a_body_that_is_no_json_is_in_the_response_and_parse_raises(run: Runner) -> None:
    response = run(returning(200, text="a,b"), requesting())

    assert response.content == b"a,b"
    with pytest.raises(APIDecodingError) as caught:
        response.parse()
    assert "its body cannot be parsed: $ is not valid JSON" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.body == "a,b"


@pytest.mark.parametrize("strict", [True, False])
def test_nothing_deviates_from_a_spec_that_does_not_describe_it(
    run: Runner, strict: bool, caplog: pytest.LogCaptureFixture
) -> None:
    findings: list[Finding] = []
    infos: list[ResponseInfo] = []
    with caplog.at_level(logging.INFO, "leadconnector"):
        response = run(
            returning(207, json={"anything": 1}),
            requesting(),
            strict=strict,
            on_drift=findings.append,
            on_response=infos.append,
        )

    assert response.parse() == {"anything": 1}
    assert findings == []
    assert [info.status_code for info in infos] == [207]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("status", "error_class"),
    [(400, BadRequestError), (401, AuthenticationError), (404, NotFoundError), (503, ServerError)],
)
def test_an_error_status_raises_its_exception_with_the_messages(
    run: Runner, status: int, error_class: Any, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"message": ["no good"], "traceId": "t-1"}
    with caplog.at_level(logging.INFO, "leadconnector"), pytest.raises(error_class) as caught:
        run(returning(status, json=body), requesting())

    error = caught.value
    assert str(error).startswith(f'client.request("GET", …): {status}: no good')
    assert (error.messages, error.request_id, error.body) == (["no good"], "t-1", body)
    assert "secret" not in caplog.text


# Retries, rate limit, deadline and token.


@pytest.mark.parametrize(
    ("method", "attempts"),
    [("GET", 3), ("PUT", 3), ("DELETE", 3), ("HEAD", 3), ("POST", 1), ("PATCH", 1)],
)
def test_only_idempotent_methods_are_repeated(run: Runner, method: str, attempts: int) -> None:
    with pytest.raises(ServerError) as caught:
        run(returning(503), requesting(method))
    assert caught.value.attempts == attempts


def test_requests_share_the_rate_limit_of_their_key(run: Runner) -> None:
    def use(client: Any) -> Any:
        if isinstance(client, AsyncLeadConnector):
            return use_async(client)
        for _ in range(100):
            client.request("GET", "/a", rate_limit_key=LOCATION_ID)
        client.request("GET", "/a", rate_limit_key="another")
        return client.conversations.update_conversation("c", location_id=LOCATION_ID)

    async def use_async(client: AsyncLeadConnector) -> Any:
        for _ in range(100):
            await client.request("GET", "/a", rate_limit_key=LOCATION_ID)
        await client.request("GET", "/a", rate_limit_key="another")
        return await client.conversations.update_conversation("c", location_id=LOCATION_ID)

    clock = Clock()
    run(succeeding(), use, clock=clock)

    assert clock.seconds == pytest.approx(10.05, abs=0.1)


def test_the_deadline_covers_the_wait_for_the_rate_limit() -> None:
    def use(client: Any) -> None:
        for _ in range(100):
            client.request("GET", "/a")
        client.request("GET", "/a", options=RequestOptions(deadline=1.0))

    with pytest.raises(APITimeoutError) as caught:
        run_sync(succeeding(), use)
    assert caught.value.attempts == 0


def test_an_exhausted_day_raises_its_own_exception(run: Runner) -> None:
    transport = returning(429, headers={"X-RateLimit-Daily-Remaining": "0"})
    with pytest.raises(DailyRateLimitError):
        run(transport, requesting())


def test_a_rejected_token_is_replaced_once(run: Runner) -> None:
    tokens = iter(["old", "new"])
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        is_new = request.headers["authorization"] == "Bearer new"
        return httpx.Response(200 if is_new else 401, json={})

    response = run(
        httpx.MockTransport(respond), requesting("POST"), token=lambda: next(tokens), retries=0
    )

    assert response.attempts == 2


# What is rejected.

INVALID_PATHS: list[tuple[Any, str]] = [
    ("https://evil.example/x", "must start with one /"),
    ("//evil.example/x", "must start with one /"),
    ("http:/x", "must start with one /"),
    ("contacts", "must start with one /"),
    ("", "must start with one /"),
    (None, "must start with one /"),
    (b"/a", "must start with one /"),
    ("@evil.example", "must start with one /"),
    ("/a?b=c", "pass it as query="),
    ("/a#b", "must be a path alone"),
    ("/a\\..\\b", "must be a path alone"),
    ("\\\\evil.example", "must start with one /"),
    ("/a b", "must be a path alone"),
    ("/a\r\nX-A: b", "must be a path alone"),
    ("/a\n", "must be a path alone"),
    ("/a\x00", "must be a path alone"),
    ("/é", "must be a path alone"),
    ("/a%zz", "must be a path alone"),
    ("/a%", "must be a path alone"),
    ("/a//b", "empty segment"),
    ("/..", "'.' or '..'"),
    ("/.", "'.' or '..'"),
    ("/a/../b", "'.' or '..'"),
    ("/a/./b", "'.' or '..'"),
    ("/a/%2e%2E/b", "'.' or '..'"),
    ("/a/.%2e", "'.' or '..'"),
    ("/a/x%2f..%2fb", "'.' or '..'"),
    ("/a/x%5c..%5cb", "'.' or '..'"),
    ("/" + "a" * 8_000, "at most 8000 characters"),
]


@pytest.mark.parametrize(("path", "problem"), INVALID_PATHS)
def test_an_invalid_path_is_rejected(run: Runner, path: Any, problem: str) -> None:
    error = error_of(run, requesting("GET", path))

    assert error.argument == "path"
    assert problem in str(error)
    assert "evil" not in str(error)


@given(st.text() | st.text("/.%2eEfF5cC\\?#:@a"))
def test_any_path_is_rejected_or_stays_on_the_server(path: str) -> None:
    requests: list[httpx.Request] = []
    try:
        run_sync(
            succeeding(requests),
            requesting("GET", path),
            base_url="https://gateway.example/highlevel",
        )
    except ArgumentError:
        assert requests == []
        return
    (request,) = requests
    assert request.url.host == "gateway.example"
    assert request.url.raw_path == b"/highlevel" + path.encode()
    assert request.headers["host"] == "gateway.example"


@pytest.mark.parametrize(
    ("arguments", "argument", "problem"),
    [
        ({"method": "CONNECT"}, "method", "must be one of"),
        ({"method": "GET\r\n"}, "method", "must be one of"),
        ({"method": "TRACE"}, "method", "must be one of"),
        ({"method": None}, "method", "must be one of"),
        ({"json": object()}, "json", "data that JSON can hold"),
        ({"json": {"a": float("nan")}}, "json", "data that JSON can hold"),
        ({"json": "\ud800"}, "json", "data that JSON can hold"),
        ({"query": {"a": None}}, "query", "values of 'a'"),
        ({"query": "a=b"}, "query", "must be a mapping"),
        ({"headers": {"X-A": "b\r\nc"}}, "headers", "value of X-A"),
        ({"headers": {"Authorization": "x"}}, "headers", "option token"),
        ({"headers": {"Version": "v3"}}, "headers", "argument version"),
        ({"version": "v\n"}, "version", "printable ASCII"),
        ({"version": 3}, "version", "printable ASCII"),
        ({"rate_limit_key": None}, "rate_limit_key", "must be a string"),
        ({"rate_limit_key": "a\ud800"}, "rate_limit_key", "half of a surrogate pair"),
        ({"json": {"a": {"\ud800": 1}}}, "json", "data that JSON can hold"),
        ({"query": {"a": "b" * 70_000}}, "query", "at most 50000 characters"),
        ({"query": {"\ud800": 1}}, "query", "half of a surrogate pair"),
        (
            {"query": {"a": "b" * 49_000}, "options": RequestOptions(query={"c": "d" * 45_000})},
            "query",
            "makes no request: URL",
        ),
        ({"options": {"timeout": 5}}, "options", "must be a RequestOptions"),
        (
            {"query": {"a": 1}, "options": RequestOptions(query={"a": 2})},
            "options",
            "query must not contain 'a'",
        ),
        (
            {"headers": {"X-A": "1"}, "options": RequestOptions(headers={"x-a": "2"})},
            "options",
            "headers must not contain 'x-a'",
        ),
        (
            {"json": {"a": 1}, "options": RequestOptions(body={"a": 2})},
            "options",
            "body must not contain 'a'",
        ),
        (
            {"json": [1], "options": RequestOptions(body={"a": 2})},
            "options",
            "the body of this request is none",
        ),
    ],
)
def test_an_invalid_argument_is_rejected(
    run: Runner, arguments: Any, argument: str, problem: str
) -> None:
    error = error_of(run, requesting(**{"method": "PUT", **arguments}))

    assert error.argument == argument
    assert problem in str(error)


def test_a_version_is_rejected_if_the_spec_has_no_header_for_it(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undocumented, "contract_value", {"version_header": None}.get)

    assert "version" not in request_of(run, requesting(), version="v3").headers
    error = error_of(run, requesting(version="v3"))
    assert error.argument == "version"
    assert "version must be left out" in str(error)


SECRET = "secret-of-a-caller"


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": f"/contacts/{SECRET}", "query": {"a": f"{SECRET}{'b' * 70_000}"}},
        {
            "path": f"/contacts/{SECRET}",
            "query": {"a": f"{SECRET}{'b' * 45_000}"},
            "options": RequestOptions(query={"c": f"{SECRET}{'b' * 45_000}"}),
        },
        {"path": f"/{SECRET}?"},
        {"headers": {"X-A": f"{SECRET}\n"}},
        {"query": {"a": f"{SECRET}\ud800"}},
        {"json": {"a": SECRET, "b": object()}},
        {"json": f"{SECRET}\ud800"},
        {"json": {"a": SECRET}, "options": RequestOptions(body={"a": SECRET})},
        {"json": {"a": SECRET}, "headers": {"X-A": SECRET}, "version": "\n"},
    ],
)
def test_no_error_shows_a_part_of_the_request(run: Runner, arguments: Any) -> None:
    use = requesting(**arguments)

    error = error_of(run, use)

    packages = ("leadconnector.",)
    texts = [*texts_of(error, packages), Sentry().text_of(error, packages)]
    assert [text for text in texts if SECRET in text] == []


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_the_types_in_the_signature_are_available_at_run_time(client: Any) -> None:
    assert get_type_hints(client.request)["return"] == APIResponse[Any]


def test_a_subclass_of_str_is_sent_as_it_was_validated(run: Runner) -> None:
    class Text(str):
        def __str__(self) -> str:
            return "/evil\r\n"

        def __add__(self, _: Any) -> str:
            return "evil"

    request = request_of(run, requesting(Text("GET"), Text("/a"), version=Text("v3")))

    assert request.method == "GET"
    assert request.url.raw_path == b"/a"
    assert request.headers["version"] == "v3"
