"""Any httpx transport works, and a transport that the caller passes is always used."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from leadconnector import (
    APIConnectionError,
    AsyncLeadConnector,
    BadRequestError,
    LeadConnector,
    MemoryTokenStore,
    OAuth,
    RateLimit,
    ServerError,
    Tokens,
)
from leadconnector.models import UpdateConversationResponse
from leadconnector_emulator import Server
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    call_async,
    call_sync,
    responding,
)
from tests.support.compression import gzipped
from tests.support.outside import hanging_up


class Odd:
    """An object that is false, empty, equal to nothing, and not hashable."""

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __eq__(self, _: object) -> bool:
        raise AssertionError("the client must not compare transports")


class OddTransport(Odd, httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that counts its requests."""

    def __init__(self, body: dict[str, Any] | None = None, status_code: int = 200) -> None:
        self.status_code = status_code
        self.requests: list[httpx.Request] = []
        self.is_closed = False
        self.body = SUCCESS_BODY if body is None else body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.status_code, json=self.body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class OddFunction(Odd):
    """A callable that records its arguments."""

    def __init__(self, result: object = None) -> None:
        self.result = result
        self.calls = 0

    def __call__(self, *_: object) -> Any:
        self.calls += 1
        return self.result


class OddRateLimit(Odd, RateLimit):
    """A rate limit."""


class OddStore(Odd, MemoryTokenStore):
    """A token store."""


def test_a_transport_that_is_false_and_empty_is_used_and_closed(call: Caller) -> None:
    transport = OddTransport()

    assert call(transport).success
    assert len(transport.requests) == 1
    assert transport.is_closed


def test_a_transport_that_is_false_is_used_after_with_options() -> None:
    transport = OddTransport()
    with LeadConnector(token=TOKEN, transport=transport) as client:
        client.with_options(retries=0).conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID
        )

    assert len(transport.requests) == 1


def test_callables_that_are_false_are_called(call: Caller) -> None:
    token = OddFunction(TOKEN)
    on_response = OddFunction()
    on_drift = OddFunction()

    call(
        OddTransport({**SUCCESS_BODY, "unknown": 1}),
        options={"token": token, "on_response": on_response, "on_drift": on_drift},
    )

    assert [token.calls, on_response.calls, on_drift.calls] == [1, 1, 1]


def test_an_oauth_with_a_store_and_a_transport_that_are_false_uses_them(call: Caller) -> None:
    token_endpoint = OddTransport(
        {"access_token": "new-token", "refresh_token": "next", "expires_in": 86_400}
    )
    store = OddStore(Tokens(access_token="", refresh_token="first", expires_at=0.0))
    oauth = OAuth(client_id="id", client_secret="secret", store=store, transport=token_endpoint)
    transport = OddTransport()

    call(transport, options={"token": oauth})

    assert len(token_endpoint.requests) == 1
    assert transport.requests[0].headers["authorization"] == "Bearer new-token"
    assert not token_endpoint.is_closed
    stored = store.load()
    assert stored.refresh_token == "next"


# What a transport can do with a request.


def test_a_request_is_loaded_and_can_be_read_copied_and_pickled(call: Caller) -> None:
    transport = OddTransport()

    call(transport, starred=True, feedback={"text": "grüße"})

    request = transport.requests[0]
    content = request.content
    assert json.loads(content) == {
        "locationId": LOCATION_ID,
        "starred": True,
        "feedback": {"text": "grüße"},
    }
    assert request.read() == content
    assert asyncio.run(request.aread()) == content
    assert isinstance(request.stream, Iterable)
    assert b"".join(request.stream) == content
    assert int(request.headers["Content-Length"]) == len(content)
    assert request.url.path == f"/conversations/{CONVERSATION_ID}"
    for duplicate in (copy.copy(request), pickle.loads(pickle.dumps(request))):
        assert duplicate.content == content
        assert duplicate.headers == request.headers


def test_each_attempt_has_the_content(call: Caller) -> None:
    transport = OddTransport(status_code=503)

    with pytest.raises(ServerError):
        call(transport, starred=True)

    contents = [request.content for request in transport.requests]
    assert len(contents) == 3
    assert set(contents) == {contents[0]}
    assert contents[0]


def test_a_rate_limit_that_is_false_is_used(call: Caller) -> None:
    rate_limit = OddRateLimit(limit=1)

    call(OddTransport(), options={"rate_limit": rate_limit})

    assert rate_limit.reserve(LOCATION_ID).wait > 0


# Transports of other libraries, over a socket.


@pytest.mark.parametrize(
    ("make_call", "transport"), [(call_sync, SyncHttpxTransport), (call_async, HttpxTransport)]
)
def test_pyreqwest_is_a_transport_of_both_clients(
    server: Server, make_call: Caller, transport: Callable[[], Any]
) -> None:
    def update(conversation_id: str) -> Any:
        options = {"base_url": server.url}
        return make_call(transport(), conversation_id, options=options, unread_count=3)

    assert update(CONVERSATION_ID).conversation.unread_count == 3
    with pytest.raises(BadRequestError):
        update("unknown")


@pytest.mark.parametrize(
    "response_bytes",
    [
        None,
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"success"',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n{"succ',
    ],
)
@pytest.mark.parametrize(
    ("make_call", "transport"),
    [
        (call_sync, SyncHttpxTransport),
        (call_async, HttpxTransport),
        (call_async, AiohttpTransport),
    ],
)
def test_a_failure_of_another_library_is_retried_and_then_a_connection_error(
    make_call: Caller, transport: Callable[[], Any], response_bytes: bytes | None
) -> None:
    with hanging_up(response_bytes) as server, pytest.raises(APIConnectionError) as caught:
        make_call(transport(), options={"base_url": server.url})

    assert caught.value.attempts == 3
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_aiohttp_gets_the_content(server: Server) -> None:
    updated = call_async(AiohttpTransport(), options={"base_url": server.url}, unread_count=4)

    assert updated.to_dict()["conversation"]["unreadCount"] == 4


# Applications in this process.


def test_a_wsgi_application_is_a_transport() -> None:
    bodies: list[bytes] = []

    def application(
        environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
    ) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(SUCCESS_BODY).encode()]

    transport: Any = httpx.WSGITransport(app=application)
    assert call_sync(transport, starred=True).success
    assert json.loads(bodies[0])["starred"] is True


def test_an_asgi_application_is_a_transport() -> None:
    bodies: list[bytes] = []

    async def application(
        _scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        bodies.append((await receive())["body"])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(SUCCESS_BODY).encode()})

    assert call_async(httpx.ASGITransport(app=application), starred=True).success
    assert json.loads(bodies[0])["starred"] is True


class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that can be read once. Closing it can fail."""

    def __init__(self, body: bytes, error: BaseException | None = None) -> None:
        self.parts = [body[:5], body[5:]]
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        if not self.parts:
            raise httpx.StreamConsumed
        while self.parts:
            yield self.parts.pop(0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.close()


class ReadingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Reads each response itself, as a transport that logs or caches them."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self.body = body
        self.headers = headers
        self.count = 0

    def _response(self) -> httpx.Response:
        self.count += 1
        return httpx.Response(200, headers=self.headers, stream=Parts(self.body))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._response()
        response.read()
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = self._response()
        await response.aread()
        return response


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_transport_can_read_the_response_itself(call: Caller, is_compressed: bool) -> None:
    body = json.dumps(SUCCESS_BODY).encode()
    headers = {"content-type": "application/json"}
    if is_compressed:
        body = gzipped(body)
        headers["content-encoding"] = "gzip"
    transport = ReadingTransport(body, headers)

    assert call(transport).success
    assert transport.count == 1


def test_a_transport_that_wraps_another_one_can_read_the_response_itself(
    server: Server,
) -> None:
    class Reading(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            response.read()
            return response

    with LeadConnector(token=TOKEN, base_url=server.url, transport=Reading()) as client:
        update = client.conversations.update_conversation
        assert update(CONVERSATION_ID, location_id=LOCATION_ID, starred=True).success


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), httpx.CloseError("x"), OSError("x")])
def test_a_network_error_while_a_whole_response_is_closed_is_ignored(
    call: Caller, error: Exception
) -> None:
    requests: list[httpx.Request] = []

    def respond() -> httpx.Response:
        body = json.dumps(SUCCESS_BODY).encode()
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, stream=Parts(body, error))

    assert call(responding(respond, requests)).success
    assert len(requests) == 1


def test_a_mistake_of_a_transport_while_a_response_is_closed_is_raised(call: Caller) -> None:
    def respond() -> httpx.Response:
        body = json.dumps(SUCCESS_BODY).encode()
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, stream=Parts(body, KeyError("mistake")))

    with pytest.raises(KeyError):
        call(responding(respond))


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_response_that_cannot_be_closed_does_not_outlast_the_deadline(is_broken: bool) -> None:
    class Hanging(Parts):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in self:
                yield part
                if is_broken:
                    raise httpx.ReadError("reset")

        async def aclose(self) -> None:
            await asyncio.Event().wait()

    def handle(_: httpx.Request) -> httpx.Response:
        body = json.dumps(SUCCESS_BODY).encode()
        headers = {"content-type": "application/json"}
        return httpx.Response(200, headers=headers, stream=Hanging(body))

    async def run() -> UpdateConversationResponse:
        transport = httpx.MockTransport(handle)
        async with AsyncLeadConnector(
            token=TOKEN, transport=transport, rate_limit=None, deadline=0.2, retries=0
        ) as client:
            return await client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID, starred=True
            )

    if is_broken:
        with pytest.raises(APIConnectionError, match="reset"):
            asyncio.run(run())
    else:
        assert asyncio.run(run()).success
