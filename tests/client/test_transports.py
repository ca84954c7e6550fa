"""The clients over sockets and with custom transports, and the errors of connections."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    APITimeoutError,
    AsyncLeadConnector,
    BadRequestError,
    ConfigurationError,
    LeadConnector,
)
from leadconnector._runtime.http import BODY_SECONDS, environment_proxy
from leadconnector._runtime.http.body import is_truncated_json
from leadconnector_emulator import Emulator, EmulatorTransport, Server

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    conversation_of,
    responding,
    returning,
    with_settings,
)
from tests.support.outside import hanging_up


def test_the_sync_client_updates_a_conversation_over_a_socket(server: Server) -> None:
    with LeadConnector(token=TOKEN, base_url=server.url) as client:
        updated = client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID, unread_count=7
        )

    assert conversation_of(updated).unread_count == 7
    assert (server.emulator.get("conversations", CONVERSATION_ID) or {})["unreadCount"] == 7


def test_the_async_client_updates_many_conversations_over_a_socket(server: Server) -> None:
    ids = [f"conversation-{number}" for number in range(20)]
    for conversation_id in ids:
        server.emulator.put("conversations", {**server.emulator.example, "id": conversation_id})

    async def update_all() -> None:
        async with AsyncLeadConnector(token=TOKEN, base_url=server.url) as client:
            calls = (
                client.conversations.update_conversation(x, location_id=LOCATION_ID, starred=False)
                for x in ids
            )
            await asyncio.gather(*calls)

    asyncio.run(update_all())

    for conversation_id in ids:
        conversation = server.emulator.get("conversations", conversation_id) or {}
        assert conversation["starred"] is False


def test_the_async_client_works_with_aiohttp_as_its_transport(server: Server) -> None:
    async def update() -> float:
        transport = AiohttpTransport()
        async with AsyncLeadConnector(
            token=TOKEN, base_url=server.url, transport=transport
        ) as client:
            updated = await client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID, unread_count=3
            )
            with pytest.raises(BadRequestError):
                await client.conversations.update_conversation("unknown", location_id=LOCATION_ID)
        unread_count = conversation_of(updated).unread_count
        assert unread_count
        return unread_count

    assert asyncio.run(update()) == 3


def test_the_emulator_in_process_serves_both_clients(call: Caller, emulator: Emulator) -> None:
    assert conversation_of(call(EmulatorTransport(emulator), starred=False)).starred is False


def test_an_id_with_a_slash_reaches_only_its_conversation(server: Server) -> None:
    server.emulator.put("conversations", {**server.emulator.example, "id": "a/../b"})

    with LeadConnector(token=TOKEN, base_url=server.url) as client:
        updated = client.conversations.update_conversation(
            "a/../b", location_id=LOCATION_ID, unread_count=9
        )

    assert conversation_of(updated).id == "a/../b"


def test_one_client_serves_many_threads(server: Server) -> None:
    failures: list[BaseException] = []

    def update(client: LeadConnector) -> None:
        try:
            client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID, starred=True
            )
        except BaseException as error:
            failures.append(error)
            raise

    with LeadConnector(token=TOKEN, base_url=server.url) as client:
        threads = [threading.Thread(target=update, args=[client]) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert failures == []


@pytest.mark.parametrize(
    "response_bytes",
    [
        None,
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"success"',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\n{"succ',
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_a_connection_without_a_whole_response_is_retried_and_then_a_connection_error(
    call: Caller, response_bytes: bytes | None
) -> None:
    with hanging_up(response_bytes) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": server.url})

    assert caught.value.attempts == 3
    assert isinstance(caught.value.__cause__, httpx.TransportError)
    assert "PUT /conversations/{conversationId}" in str(caught.value)
    assert TOKEN not in repr(caught.value) + str(caught.value)


def test_a_missing_server_is_a_connection_error(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(APIConnectionError, match="ConnectError"):
        call(None, options={"base_url": url})


def test_a_server_that_does_not_respond_is_a_timeout(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(APITimeoutError, match="in time"):
            call(None, options={"base_url": url, "timeout": 0.05})


def test_a_redirect_is_raised_and_not_followed(call: Caller) -> None:
    redirect = (
        b"HTTP/1.1 307 Temporary Redirect\r\n"
        b"Location: http://127.0.0.1:1/\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    with hanging_up(redirect) as server, pytest.raises(Exception, match="307"):
        call(None, options={"base_url": server.url})


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("no"),
        httpx.ReadTimeout("no"),
        httpx.RemoteProtocolError("no"),
        OSError("no"),
    ],
)
def test_an_error_of_a_custom_transport_becomes_a_connection_error(
    call: Caller, failure: Exception
) -> None:
    def fail() -> httpx.Response:
        raise failure

    with pytest.raises(APIConnectionError) as caught:
        call(responding(fail))

    assert caught.value.__cause__ is failure
    assert isinstance(caught.value, APITimeoutError) == isinstance(failure, httpx.TimeoutException)


def test_the_cause_of_a_connection_error_has_no_credential_and_no_body(call: Caller) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    with pytest.raises(APIConnectionError) as caught:
        call(httpx.MockTransport(fail), feedback={"text": "diagnosis"})

    cause = caught.value.__cause__
    assert isinstance(cause, httpx.ConnectError)
    assert "authorization" not in cause.request.headers
    assert cause.request.read() == b""


@pytest.mark.parametrize(
    "response_bytes",
    [
        b"HTTP/1.1 200 OK\r\nX-Echo\x01: Bearer %s\r\n\r\n" % TOKEN.encode(),
        b'{"conversation": {"lastMessageBody": "my diagnosis"}} ' + TOKEN.encode() + b"\r\n\r\n",
    ],
)
def test_an_error_does_not_quote_a_response_that_is_not_http(
    call: Caller, response_bytes: bytes
) -> None:
    with hanging_up(response_bytes) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": server.url})

    shown_texts = "".join(traceback.format_exception(caught.value))
    shown_texts += repr(caught.value.__context__)
    assert TOKEN not in shown_texts
    assert "diagnosis" not in shown_texts


def test_an_error_of_another_library_becomes_a_connection_error() -> None:
    async def run() -> None:
        with hanging_up(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as server:
            async with AsyncLeadConnector(
                token=TOKEN, base_url=server.url, transport=AiohttpTransport()
            ) as client:
                await client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=LOCATION_ID
                )

    with pytest.raises(APIConnectionError):
        asyncio.run(run())


class Drip(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An endless body that advances the clock by a second with each byte."""

    def __init__(self, tick: Callable[[], object]) -> None:
        self.tick = tick
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for _ in itertools.count():
            self.tick()
            yield b" "

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.close()


def test_an_endless_slow_body_raises_a_timeout_and_closes_the_response() -> None:
    ticks: list[int] = []
    stream = Drip(lambda: ticks.append(1))
    transport = returning(200, stream=stream)

    with LeadConnector(token=TOKEN, transport=transport) as client:
        with_settings(client, clock=lambda: float(len(ticks)), retries=0)
        with pytest.raises(APITimeoutError, match="60 s"):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert len(ticks) == int(BODY_SECONDS) + 1
    assert stream.closed


def test_an_endless_slow_async_body_raises_a_timeout_and_closes_the_response() -> None:
    ticks: list[int] = []
    stream = Drip(lambda: ticks.append(1))
    transport = returning(200, stream=stream)

    async def run() -> None:
        async with AsyncLeadConnector(token=TOKEN, transport=transport) as client:
            with_settings(client, clock=lambda: float(len(ticks)), retries=0)
            with pytest.raises(APITimeoutError, match="60 s"):
                await client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=LOCATION_ID
                )

    asyncio.run(run())

    assert len(ticks) == int(BODY_SECONDS) + 1
    assert stream.closed


def test_a_mistake_in_a_custom_transport_reaches_the_caller(call: Caller) -> None:
    def fail() -> httpx.Response:
        raise AssertionError("the test's own assertion")

    with pytest.raises(AssertionError, match="own assertion"):
        call(responding(fail))


def test_the_proxy_of_the_environment_is_used_unless_no_proxy_excludes_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert environment_proxy("https://services.leadconnectorhq.com") == "http://proxy.example:3128"

    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert environment_proxy("https://services.leadconnectorhq.com") == "http://proxy.example:3128"

    monkeypatch.setenv("no_proxy", "leadconnectorhq.com")
    assert environment_proxy("https://services.leadconnectorhq.com") is None


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "host", ["proxy..corp", ".", "..", ".corp", "corp..", "a" * 64, f"{'a' * 64}.corp"]
)
def test_a_proxy_whose_host_no_resolver_accepts_is_rejected(
    call: Caller, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    monkeypatch.setenv(variable, f"http://user:password@{host}:3128")

    with pytest.raises(ConfigurationError, match=f"{variable} is not a valid proxy") as caught:
        call(None)

    assert "password@" not in str(caught.value)


def test_plain_http_to_loopback_uses_no_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("all_proxy", "http://proxy.example:3128")

    assert environment_proxy(server.url) is None
    with LeadConnector(token=TOKEN, base_url=server.url) as client:
        assert client.conversations.update_conversation(
            CONVERSATION_ID, location_id=LOCATION_ID
        ).success


def test_a_call_uses_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging_up(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    ) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with (
            LeadConnector(token=TOKEN, retries=0) as client,
            pytest.raises(APIConnectionError, match="407"),
        ):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def test_a_response_in_many_chunks_is_joined(call: Caller) -> None:
    parts = [
        b'{"success":true,',
        b'"conversation":{"locationId":"l",',
        b'"contactId":"c","deleted":false}}',
    ]

    class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(parts)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in parts:
                yield part

    assert conversation_of(call(returning(200, stream=Parts()))).contact_id == "c"


def test_the_httpx_response_has_its_request(call: Caller) -> None:
    responses: list[httpx.Response] = []

    def respond() -> httpx.Response:
        responses.append(httpx.Response(200, json=SUCCESS_BODY))
        return responses[-1]

    call(responding(respond))

    assert responses[0].request.method == "PUT"


OWN_CONNECTIONS = ("pool", "connection", "sockets", "tls", "routes", "tunnels", "parser")


@pytest.mark.parametrize(
    "body", [b"", b'{"success": true, "conversation": {"body": "my diagnosis"']
)
@pytest.mark.usefixtures("each_parser")
def test_the_frames_of_the_default_transport_show_no_credential_and_no_body(
    call: Caller, body: bytes
) -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body
    with hanging_up(response) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options={"base_url": server.url, "retries": 0}, starred=True)

    shown_values: list[str] = []
    cause: BaseException | None = caught.value
    while cause is not None:
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            module = str(frame.f_globals["__name__"])
            if module.endswith(OWN_CONNECTIONS) or module.startswith("h11"):
                shown_values.append(repr(list(frame.f_locals.items())))
        cause = cause.__cause__
    assert shown_values
    assert TOKEN not in "".join(shown_values)
    assert "diagnosis" not in "".join(shown_values)


@given(
    st.dictionaries(st.text(max_size=5), st.text(alphabet="aé€😀", max_size=20), min_size=1),
    st.sampled_from(["utf-8", "utf-16-le", "utf-32-le"]),
    st.data(),
)
def test_a_json_body_that_is_cut_anywhere_is_recognized(
    document: dict[str, str], encoding: str, data: st.DataObject
) -> None:
    body = json.dumps(document, ensure_ascii=False).encode(encoding, "surrogatepass")
    length = data.draw(st.integers(1, len(body) - 1))

    assert is_truncated_json(body[:length])
    assert not is_truncated_json(body)


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', b'{"a": "\xc3"}', b"[" * 100_000, b"no JSON"])
def test_a_body_that_is_invalid_elsewhere_is_not_taken_for_a_cut_one(body: bytes) -> None:
    assert not is_truncated_json(body)


def test_a_success_whose_body_is_cut_within_a_character_is_a_connection_error(
    call: Caller,
) -> None:
    body = json.dumps({**SUCCESS_BODY, "note": "é"}, ensure_ascii=False).encode()
    start = body.index("é".encode())
    transport = returning(200, stream=httpx.ByteStream(body[: start + 1]))

    with pytest.raises(APIConnectionError, match="within the body"):
        call(transport)
