"""`tracing=OpenTelemetryTracing()`: a span for each call, with standard names, no private data."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tomllib
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from leadconnector import (
    APIConnectionError,
    APIDecodingError,
    ArgumentError,
    AsyncLeadConnector,
    BadRequestError,
    ConfigurationError,
    LeadConnector,
    OpenTelemetryTracing,
    RateLimit,
    RequestOptions,
    ServerError,
    UnexpectedStatusError,
)
from leadconnector.tracing import REQUIREMENT, CallSpan
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
)

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    Clock,
    responding,
    returning,
    succeeding,
    timed,
)
from tests.support.paths import ROOT

NAME = "PUT /conversations/{conversationId}"
EXPLANATION = "the explanation of the API"


class Recorder:
    """A tracer provider that keeps the spans."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def tracing(self, *, propagate: bool = False) -> OpenTelemetryTracing:
        return OpenTelemetryTracing(self.provider, propagate=propagate)

    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def span(self) -> ReadableSpan:
        [span] = self.spans()
        return span


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def events_of(span: ReadableSpan) -> list[tuple[str, dict[str, object]]]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def statuses(*codes: int, **response: Any) -> Callable[[], httpx.Response]:
    """A function that returns responses with these statuses, one after the other."""
    waiting = list(codes)

    def respond() -> httpx.Response:
        code = waiting.pop(0)
        if code == 200:
            return httpx.Response(200, json=SUCCESS_BODY)
        return httpx.Response(code, **response)

    return respond


def test_a_call_is_one_client_span_with_the_standard_names(
    call: Caller, recorder: Recorder
) -> None:
    call(succeeding(), options={"tracing": recorder.tracing()})

    span = recorder.span()
    assert (span.name, span.kind) == (NAME, SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert attributes_of(span) == {
        "http.request.method": "PUT",
        "url.template": "/conversations/{conversationId}",
        "url.scheme": "https",
        "server.address": "services.leadconnectorhq.com",
        "server.port": 443,
        "http.response.status_code": 200,
    }
    assert events_of(span) == [
        ("leadconnector.attempt", {"leadconnector.attempt": 1, "http.response.status_code": 200})
    ]
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "leadconnector"


def test_a_raw_response_and_the_options_of_a_call_are_traced(recorder: Recorder) -> None:
    transport = succeeding()
    with LeadConnector(token="t", transport=transport, tracing=recorder.tracing()) as client:
        client.conversations.with_raw_response.update_conversation(
            "c", location_id="l", options=RequestOptions(retries=0)
        )
    assert recorder.span().name == NAME
    assert len(events_of(recorder.span())) == 1


def test_a_request_that_the_spec_lacks_has_its_method_as_the_name_of_its_span(
    recorder: Recorder,
) -> None:
    transport = succeeding()
    with LeadConnector(token="t", transport=transport, tracing=recorder.tracing()) as client:
        client.request("get", "/contacts/secret-id")
    span = recorder.span()
    assert span.name == "GET"
    assert "url.template" not in attributes_of(span)
    assert "secret-id" not in span.to_json()


def test_attempts_and_pauses_are_events(call: Caller, recorder: Recorder) -> None:
    options = {"tracing": recorder.tracing()}
    call(responding(statuses(503, 502, 200)), options=options)

    span = recorder.span()
    attempt = "leadconnector.attempt"
    wait = "leadconnector.wait_seconds"
    status = "http.response.status_code"
    assert events_of(span) == [
        (attempt, {attempt: 1, status: 503}),
        ("leadconnector.retry", {attempt: 2, wait: 0.5}),
        (attempt, {attempt: 2, status: 502}),
        ("leadconnector.retry", {attempt: 3, wait: 1.0}),
        (attempt, {attempt: 3, status: 200}),
    ]
    attributes = attributes_of(span)
    assert attributes["http.request.resend_count"] == 2
    assert attributes["http.response.status_code"] == 200
    assert "error.type" not in attributes


def test_a_wait_for_the_rate_limit_is_an_event(recorder: Recorder) -> None:
    clock = Clock()
    rate_limit = RateLimit(limit=1, seconds=10, clock=clock)
    rate_limit.reserve(LOCATION_ID)
    with LeadConnector(
        token=TOKEN,
        transport=succeeding(),
        rate_limit=rate_limit,
        tracing=recorder.tracing(),
    ) as client:
        timed(client, clock)
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    name, attributes = events_of(recorder.span())[0]
    assert name == "leadconnector.rate_limit_wait"
    assert attributes == {"leadconnector.wait_seconds": pytest.approx(10.05)}


def fail_to_connect() -> httpx.Response:
    raise httpx.ConnectError("no route")


def reject() -> httpx.Response:
    return httpx.Response(400, json={"message": EXPLANATION})


def redirect() -> httpx.Response:
    return httpx.Response(302)


def respond_without_json() -> httpx.Response:
    return httpx.Response(200, text="no JSON")


def make_a_mistake() -> httpx.Response:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("respond", "error_class", "error_type", "status_code"),
    [
        (reject, BadRequestError, "400", 400),
        (redirect, UnexpectedStatusError, "302", 302),
        (respond_without_json, APIDecodingError, "APIDecodingError", 200),
        (fail_to_connect, APIConnectionError, "APIConnectionError", None),
        (make_a_mistake, ZeroDivisionError, "ZeroDivisionError", None),
    ],
)
def test_an_error_sets_the_status_and_its_type(
    call: Caller,
    recorder: Recorder,
    respond: Callable[[], httpx.Response],
    error_class: type[Exception],
    error_type: str,
    status_code: int | None,
) -> None:
    with pytest.raises(error_class):
        call(responding(respond), options={"tracing": recorder.tracing(), "retries": 0})

    span = recorder.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert attributes_of(span)["error.type"] == error_type
    assert attributes_of(span).get("http.response.status_code") == status_code


def test_a_lost_response_after_a_status_leaves_no_status(call: Caller, recorder: Recorder) -> None:
    outcomes = iter([503, None, None])

    def respond() -> httpx.Response:
        code = next(outcomes)
        if code is None:
            raise httpx.ReadError("lost")
        return httpx.Response(code)

    with pytest.raises(APIConnectionError):
        call(responding(respond), options={"tracing": recorder.tracing()})

    span = recorder.span()
    attributes = attributes_of(span)
    assert attributes["error.type"] == "APIConnectionError"
    assert "http.response.status_code" not in attributes
    assert events_of(span)[-1] == (
        "leadconnector.attempt",
        {"leadconnector.attempt": 3, "leadconnector.failure": "lost"},
    )


def test_a_call_with_an_invalid_argument_has_no_span(call: Caller, recorder: Recorder) -> None:
    with pytest.raises(ArgumentError):
        call(succeeding(), "", options={"tracing": recorder.tracing()})

    assert recorder.spans() == []


def test_a_call_that_is_not_sent_is_a_span_without_attempts(
    call: Caller, recorder: Recorder
) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(succeeding(), options={"tracing": recorder.tracing(), "token": fail})

    assert attributes_of(recorder.span())["error.type"] == "ZeroDivisionError"
    assert events_of(recorder.span()) == []


def test_a_span_contains_no_id_no_token_and_no_body(call: Caller, recorder: Recorder) -> None:
    transport = returning(400, json={"message": f"{EXPLANATION} {CONVERSATION_ID} {TOKEN}"})
    with pytest.raises(BadRequestError):
        call(transport, options={"tracing": recorder.tracing()}, unread_count=4711)

    text = recorder.span().to_json()
    for private in (CONVERSATION_ID, LOCATION_ID, TOKEN, EXPLANATION, "4711"):
        assert private not in text


def test_the_address_is_that_of_the_base_url(call: Caller, recorder: Recorder) -> None:
    call(
        succeeding(), options={"tracing": recorder.tracing(), "base_url": "http://127.0.0.1:8080/a"}
    )

    attributes = attributes_of(recorder.span())
    assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", 8080)
    assert attributes["url.scheme"] == "http"


def test_the_span_is_a_child_of_the_current_one_and_current_during_the_call(
    call: Caller, recorder: Recorder
) -> None:
    current: list[object] = []

    def respond() -> httpx.Response:
        current.append(trace.get_current_span().get_span_context().span_id)
        return httpx.Response(200, json=SUCCESS_BODY)

    tracer = recorder.provider.get_tracer("test")
    with tracer.start_as_current_span("parent") as parent:
        call(responding(respond), options={"tracing": recorder.tracing()})
        assert trace.get_current_span() is parent

    span, _ = recorder.spans()
    assert span.context is not None
    assert current == [span.context.span_id]
    assert span.parent == parent.get_span_context()


def test_the_header_of_the_trace_is_sent_only_on_request(call: Caller, recorder: Recorder) -> None:
    requests: list[httpx.Request] = []
    call(succeeding(requests), options={"tracing": recorder.tracing()})
    call(succeeding(requests), options={"tracing": recorder.tracing(propagate=True)})

    assert "traceparent" not in requests[0].headers
    context = recorder.spans()[1].context
    assert context is not None
    expected = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert requests[1].headers["traceparent"] == expected


def test_each_attempt_has_the_header_of_the_trace_once(call: Caller, recorder: Recorder) -> None:
    requests: list[httpx.Request] = []
    options = {"tracing": recorder.tracing(propagate=True)}
    call(responding(statuses(503, 200), requests), options=options)

    headers = [request.headers.get_list("traceparent") for request in requests]
    assert len(headers) == 2
    assert headers[0] == headers[1]
    assert len(headers[0]) == 1


OWN_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OWN_HEADERS = {"Traceparent": OWN_PARENT, "TraceState": "vendor=1", "X-Other": "5"}


def update_with_default_headers(tracing: OpenTelemetryTracing, transport: Any) -> None:
    with LeadConnector(
        token=TOKEN, transport=transport, tracing=tracing, default_headers=OWN_HEADERS
    ) as client:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def update_with_options(tracing: OpenTelemetryTracing, transport: Any) -> None:
    options = RequestOptions(headers=OWN_HEADERS)
    with LeadConnector(token=TOKEN, transport=transport, tracing=tracing) as client:
        client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID, options=options
        )


def request_with_headers(tracing: OpenTelemetryTracing, transport: Any) -> None:
    with LeadConnector(token=TOKEN, transport=transport, tracing=tracing) as client:
        client.request("GET", "/contacts", headers=OWN_HEADERS)


@pytest.mark.parametrize(
    "send", [update_with_default_headers, update_with_options, request_with_headers]
)
def test_the_headers_of_the_trace_replace_those_of_the_caller(
    recorder: Recorder, send: Callable[[OpenTelemetryTracing, Any], None]
) -> None:
    requests: list[httpx.Request] = []
    state = TraceState([("parent", "2")])
    parent = SpanContext(0xA, 0xB, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)

    send(recorder.tracing(propagate=True), succeeding(requests))
    with trace.use_span(NonRecordingSpan(parent)):
        send(recorder.tracing(propagate=True), succeeding(requests))

    contexts = [span.context for span in recorder.spans()]
    assert [request.headers.get_list("traceparent") for request in requests] == [
        [f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"]
        for context in contexts
        if context is not None
    ]
    # The state belongs to its parent, so it is never that of the caller.
    states = [request.headers.get_list("tracestate") for request in requests]
    assert states == [[], ["parent=2"]]
    assert [request.headers.get_list("x-other") for request in requests] == [["5"], ["5"]]


@pytest.mark.parametrize(
    "send", [update_with_default_headers, update_with_options, request_with_headers]
)
def test_without_propagation_the_headers_of_the_caller_are_sent(
    recorder: Recorder, send: Callable[[OpenTelemetryTracing, Any], None]
) -> None:
    requests: list[httpx.Request] = []

    send(recorder.tracing(), succeeding(requests))

    [request] = requests
    assert request.headers.get_list("traceparent") == [OWN_PARENT]
    assert request.headers.get_list("tracestate") == ["vendor=1"]


def test_a_client_without_the_option_records_nothing(recorder: Recorder) -> None:
    transport = succeeding()
    with LeadConnector(token=TOKEN, transport=transport, tracing=recorder.tracing()) as client:
        untraced = client.with_options(tracing=None)
        untraced.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        assert recorder.spans() == []
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    assert len(recorder.spans()) == 1


async def never_respond(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def test_cancellation_ends_the_span(recorder: Recorder) -> None:
    async def run() -> None:
        has_come = asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            has_come.set()
            return await never_respond(request)

        async with AsyncLeadConnector(
            token=TOKEN, transport=httpx.MockTransport(handle), tracing=recorder.tracing()
        ) as client:
            task = asyncio.create_task(update(client))
            await has_come.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert attributes_of(recorder.span())["error.type"] == "CancelledError"
    assert recorder.span().status.status_code is StatusCode.ERROR


async def update(client: AsyncLeadConnector) -> object:
    return await client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def test_many_concurrent_calls_have_spans_of_their_own(recorder: Recorder) -> None:
    async def run() -> None:
        tracer = recorder.provider.get_tracer("test")
        async with AsyncLeadConnector(
            token=TOKEN, transport=succeeding(), tracing=recorder.tracing()
        ) as client:
            with tracer.start_as_current_span("parent"):
                await asyncio.gather(*(update(client) for _ in range(20)))

    asyncio.run(run())
    *spans, parent = recorder.spans()
    assert len(spans) == 20
    assert all(span.parent == parent.context for span in spans)
    assert len({span.context.span_id for span in spans if span.context}) == 20


def test_a_coroutine_that_nobody_awaits_to_its_end_ends_its_span(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The garbage collector closes it, in the context of any other code."""
    client = AsyncLeadConnector(
        token=TOKEN, transport=httpx.MockTransport(never_respond), tracing=recorder.tracing()
    )

    async def start() -> list[Coroutine[Any, Any, object]]:
        coroutine = update(client)
        coroutine.send(None)
        return [coroutine]

    coroutines = asyncio.run(start())
    coroutines.clear()
    gc.collect()

    assert attributes_of(recorder.span())["error.type"] == "GeneratorExit"
    assert "Failed to detach context" not in caplog.text


@pytest.mark.parametrize("value", [OpenTelemetryTracing, "otel", True, TracerProvider()])
def test_another_object_as_the_option_is_rejected(value: Any) -> None:
    for client in (LeadConnector, AsyncLeadConnector):
        with pytest.raises(ConfigurationError, match="tracing must be an OpenTelemetryTracing"):
            client(token=TOKEN, tracing=value)


@pytest.mark.parametrize("value", [TracerProvider, "provider", 5])
def test_another_object_as_the_provider_is_rejected(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="tracer_provider must be a TracerProvider"):
        OpenTelemetryTracing(value)


def test_another_value_of_propagate_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="propagate must be True or False"):
        OpenTelemetryTracing(propagate="yes")  # type: ignore[arg-type]  # pyright: ignore


def test_the_global_provider_is_the_default(call: Caller) -> None:
    # Without one, OpenTelemetry records nothing.
    assert call(succeeding(), options={"tracing": OpenTelemetryTracing()}).success


def test_without_opentelemetry_the_error_says_how_to_install_it() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / "overrides")!r})
sys.modules["opentelemetry"] = None
import leadconnector
tracing = leadconnector.OpenTelemetryTracing
try:
    tracing()
except leadconnector.ConfigurationError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == (
        "OpenTelemetryTracing needs opentelemetry-api, which is not installed: "
        "pip install 'opentelemetry-api>=1.30'\n"
    )


def test_the_requirement_is_the_one_of_the_extra() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert content["project"]["optional-dependencies"]["otel"] == [REQUIREMENT]


def test_the_names_are_those_of_the_semantic_conventions(call: Caller, recorder: Recorder) -> None:
    # This one is not stable yet.
    names = {"url.template"}
    for module in (error_attributes, http_attributes, server_attributes, url_attributes):
        names |= {value for value in vars(module).values() if isinstance(value, str)}
    with pytest.raises(ServerError):
        call(returning(503), options={"tracing": recorder.tracing()})

    assert attributes_of(recorder.span()).keys() <= names


def test_a_span_is_a_context_manager() -> None:
    assert isinstance(OpenTelemetryTracing().start_call("GET", "/", "https://a"), CallSpan)
