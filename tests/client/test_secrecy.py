"""No repr, log, exception, pickle or variable of a traceback shows a credential."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
import pytest
from leadconnector import (
    AsyncLeadConnector,
    BadRequestError,
    Finding,
    LeadConnector,
    LeadConnectorError,
    MemoryTokenStore,
    OAuth,
    ServerError,
    Tokens,
)
from leadconnector._runtime.secrets import Secret, Token

from tests.support.calling import (
    LOCATION_ID,
    SUCCESS_BODY,
    Caller,
    returning,
    succeeding,
)
from tests.support.outside import hanging_up
from tests.support.reports import Sentry, errors_behind, texts_in, texts_of
from tests.support.wire import serving

TOKEN = "pit-0f2a1c9e-very-secret"


DIAGNOSIS = "the-private-diagnosis-in-a-response"
"""Data of a conversation, in responses."""

PRIVATE_CONVERSATION = {**SUCCESS_BODY["conversation"], "lastMessageBody": DIAGNOSIS}


def fail(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"reset while sending Bearer {TOKEN}")


def echo(status: int, *, headers: bool = False) -> Callable[[httpx.Request], httpx.Response]:
    def handle(request: httpx.Request) -> httpx.Response:
        authorization = request.headers["authorization"]
        return httpx.Response(
            status,
            json={"message": authorization, authorization: [authorization], "conversation": "x"},
            headers={"x-echo": authorization} if headers else {},
        )

    return handle


def echo_in_list(request: httpx.Request) -> httpx.Response:
    """A success that fits no model."""
    authorization = request.headers["authorization"]
    return httpx.Response(200, json=[authorization], headers={"x-echo": authorization})


FAILING_CALLS: dict[str, Callable[[Caller], object]] = {
    "an invalid token": lambda call: call(None, options={"token": f"{TOKEN} \n"}),
    "an invalid base URL": lambda call: call(
        None, options={"token": TOKEN, "base_url": "http://example.com"}
    ),
    "an invalid option": lambda call: call(None, options={"token": TOKEN, "timeout": -1}),
    "an invalid transport": lambda call: call(object(), options={"token": TOKEN}),
    "an invalid argument": lambda call: call(
        httpx.MockTransport(echo(200)), options={"token": TOKEN}, location_id=""
    ),
    "a lost connection": lambda call: call(httpx.MockTransport(fail), options={"token": TOKEN}),
    "a callable without a valid token": lambda call: call(
        httpx.MockTransport(fail), options={"token": lambda: f"{TOKEN}\n"}
    ),
    "an error that echoes the token": lambda call: call(
        httpx.MockTransport(echo(400)), options={"token": TOKEN}
    ),
    "a 401 that echoes the token": lambda call: call(
        httpx.MockTransport(echo(401, headers=True)), options={"token": TOKEN}
    ),
    "a 503 that echoes the token": lambda call: call(
        httpx.MockTransport(echo(503, headers=True)), options={"token": TOKEN}
    ),
    "a success that cannot be decoded": lambda call: call(
        httpx.MockTransport(echo_in_list), options={"token": TOKEN}
    ),
}


def cut_body(head: bytes) -> Callable[[Caller], object]:
    """A call whose success ends within its body."""

    def make(call: Caller) -> object:
        body = json.dumps({"success": True, "conversation": PRIVATE_CONVERSATION}).encode()
        response = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body[:-3]
        with hanging_up(response) as server:
            return call(None, options={"token": TOKEN, "base_url": server.url})

    return make


class BodyThatRaises(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body with private data that raises before its end."""

    def __iter__(self) -> Iterator[bytes]:
        yield DIAGNOSIS.encode()
        yield DIAGNOSIS.encode()
        raise LookupError("a mistake in the transport")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


def raise_lookup_error(*_: object) -> NoReturn:
    raise LookupError("a mistake in a callback")


def wrong_certificate(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no") from ssl.SSLCertVerificationError(1, f"Bearer {TOKEN}")


def time_out(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout(f"no response to Bearer {TOKEN}")


def noted_error(_: httpx.Request) -> httpx.Response:
    error = httpx.ReadError("reset")
    error.add_note(f"the request had Bearer {TOKEN}")
    raise error


def drifting(call: Caller, **options: object) -> object:
    body = {"success": True, "conversation": {**PRIVATE_CONVERSATION, "unknown": DIAGNOSIS}}
    transport = returning(200, json=body)
    return call(transport, options={"token": TOKEN, **options})


def exhausted_rate_limit(call: Caller) -> object:
    headers = {"X-RateLimit-Daily-Remaining": "0", "X-Echo": TOKEN}
    transport = returning(429, headers=headers, text=f"the daily limit of {TOKEN}")
    return call(transport, options={"token": TOKEN})


def oauth_with(transport: httpx.BaseTransport) -> OAuth:
    tokens = Tokens(access_token="", refresh_token=TOKEN, expires_at=0.0)
    store = MemoryTokenStore(tokens)
    return OAuth(client_id="id", client_secret=TOKEN, store=store, transport=transport)


class FailingStore(MemoryTokenStore):
    """A store that raises."""

    def load(self) -> Tokens:
        raise LookupError(f"no tokens besides {TOKEN}"[:9])


def failing_store(call: Caller) -> object:
    store = FailingStore(Tokens(access_token="", refresh_token=TOKEN, expires_at=0.0))
    oauth = OAuth(client_id="id", client_secret=TOKEN, store=store)
    return call(succeeding(), options={"token": oauth})


def rejecting_proxy(call: Caller) -> object:
    with hanging_up(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        url = proxy.url.replace("//", f"//user:{TOKEN}@")
        with patch_environment("HTTPS_PROXY", url):
            return call(None, options={"token": TOKEN})


def socks_proxy_that_sends(replies: bytes) -> Callable[[Caller], object]:
    """A call through a proxy that requires a password, and ends the connection after its replies.

    Args:
        replies: what the proxy sends.
    """

    def serve(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(replies)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(64):
            pass

    def make(call: Caller) -> object:
        with serving(serve) as proxy:
            url = f"socks5://user:{TOKEN}@localhost:{proxy.port}"
            with patch_environment("ALL_PROXY", url):
                return call(None, options={"token": TOKEN})

    return make


@contextmanager
def patch_environment(name: str, value: str) -> Generator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(name, value)
        yield


def with_environment(name: str, value: str) -> Callable[[Caller], object]:
    """A call with a variable of the environment."""

    def make(call: Caller) -> object:
        with patch_environment(name, value):
            return call(None, options={"token": TOKEN})

    return make


CALLS_WITH_PRIVATE_DATA: dict[str, Callable[[Caller], object]] = {
    "a body that is cut before its length": cut_body(b"Content-Length: 5000\r\n"),
    "a body that is cut within a chunk": cut_body(b"Transfer-Encoding: chunked\r\n\r\nFFF"),
    "a body that is cut without a length": cut_body(b""),
    "a body that is no HTTP": cut_body(b"\0: \r\n"),
    "an untrusted certificate": lambda call: call(
        httpx.MockTransport(wrong_certificate), options={"token": TOKEN}
    ),
    "an error with a note": lambda call: call(
        httpx.MockTransport(noted_error), options={"token": TOKEN}
    ),
    "a timeout": lambda call: call(httpx.MockTransport(time_out), options={"token": TOKEN}),
    "a success that is no JSON": lambda call: call(
        returning(200, text=f"<p>{DIAGNOSIS} {TOKEN}"), options={"token": TOKEN}
    ),
    "a success that deviates, in strict mode": lambda call: drifting(call, strict=True),
    "an exhausted rate limit": exhausted_rate_limit,
    "a token endpoint that rejects": lambda call: call(
        succeeding(), options={"token": oauth_with(returning(400, json={"error": TOKEN}))}
    ),
    "a token endpoint without a whole response": lambda call: call(
        succeeding(), options={"token": oauth_with(httpx.MockTransport(fail))}
    ),
    "a token endpoint that sends no JSON": lambda call: call(
        succeeding(), options={"token": oauth_with(returning(200, text=f"no JSON but {TOKEN}"))}
    ),
    "a token store that raises": failing_store,
    "a proxy that rejects": rejecting_proxy,
    "a SOCKS proxy that ends at once": socks_proxy_that_sends(b""),
    "a SOCKS proxy that ends in the login": socks_proxy_that_sends(b"\x05\x02"),
    "a SOCKS proxy that rejects the login": socks_proxy_that_sends(b"\x05\x02\x01\x01"),
    "a SOCKS proxy that ends after the login": socks_proxy_that_sends(b"\x05\x02\x01\0"),
}
FAILING_CALLS.update(CALLS_WITH_PRIVATE_DATA)
for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
    for proxy in (
        f"http://user:{TOKEN}/x@proxy.invalid:3128",
        f"http://user:1/{TOKEN}@proxy.invalid",
        f"http://user:1?{TOKEN}@proxy.invalid",
        f"http://user:1#{TOKEN}@proxy.invalid",
        f"user:{TOKEN}/@proxy.invalid",
        f"ftp://user:{TOKEN}@proxy.invalid",
        f"socks5://user:{TOKEN}@proxy.invalid",
        f"http://user:{TOKEN}@proxy.invalid:99999",
        f"http://user:{TOKEN}\n@proxy.invalid",
        f"http://{TOKEN}@",
    ):
        FAILING_CALLS[f"{variable}={proxy}"] = with_environment(variable, proxy)
for variable in ("SSL_CERT_FILE", "SSLKEYLOGFILE"):
    FAILING_CALLS[variable] = with_environment(variable, f"/no/such/{TOKEN}")
FAILING_CALLS["LEADCONNECTOR_BASE_URL"] = with_environment(
    "LEADCONNECTOR_BASE_URL", f"https://user:{TOKEN}@host.invalid/"
)

CALLBACKS: dict[str, Callable[[Caller], object]] = {
    "on_response": lambda call: drifting(call, on_response=raise_lookup_error),
    "on_drift": lambda call: drifting(call, on_drift=raise_lookup_error),
    "a body": lambda call: call(returning(200, stream=BodyThatRaises()), options={"token": TOKEN}),
    "a transport": lambda call: call(
        httpx.MockTransport(raise_lookup_error), options={"token": TOKEN}
    ),
    "a token callable": lambda call: call(succeeding(), options={"token": raise_lookup_error}),
}
"""Calls whose own functions raise."""


def failure_of_call(name: str, call: Caller) -> BaseException:
    """Make a failing call. Returns its exception, with all frames of its traceback."""
    if name in CALLBACKS:
        with pytest.raises(LookupError) as caught_lookup:
            CALLBACKS[name](call)
        return caught_lookup.value
    with pytest.raises(LeadConnectorError) as caught:
        FAILING_CALLS[name](call)
    return caught.value


@pytest.mark.parametrize("name", [*FAILING_CALLS, *CALLBACKS])
class TestFailedCall:
    def test_shows_no_credential(
        self, call: Caller, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG, "leadconnector"):
            error = failure_of_call(name, call)

        texts = [caplog.text, *texts_of(error)]
        if isinstance(error, LeadConnectorError):
            texts.append(repr(pickle.dumps(error)))
        assert [text for text in texts if TOKEN in text] == []

    def test_shows_no_data_of_a_response(
        self, call: Caller, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG, "leadconnector"):
            error = failure_of_call(name, call)

        # Attributes of exceptions have the body.
        for current in errors_behind(error):
            vars(current).clear()
        texts = [caplog.text, *texts_of(error)]
        assert [text for text in texts if DIAGNOSIS in text] == []

    def test_is_reported_to_sentry_without_credential_and_data(
        self, call: Caller, name: str
    ) -> None:
        event = Sentry().text_of(failure_of_call(name, call))

        assert TOKEN not in event
        assert DIAGNOSIS not in event
        assert '"module": "leadconnector.' in event


def test_the_oracle_and_sentry_find_the_variables_of_frames(call: Caller) -> None:
    with pytest.raises(LookupError) as caught:
        call(succeeding(), options={"on_response": raise_lookup_error}, starred=True)

    assert any("starred" in text for text in texts_of(caught.value))
    assert "starred" in Sentry().text_of(caught.value)


def test_the_oracle_looks_into_values() -> None:
    class Slots:
        __slots__ = ("content",)

        def __init__(self, content: object) -> None:
            self.content = content

    for value in (
        ("x", [{"y": TOKEN}]),
        {TOKEN: 1},
        Slots(bytearray(TOKEN.encode())),
        [memoryview(TOKEN.encode())],
    ):
        assert any(TOKEN in text for text in texts_in(value))


class ReportingBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body with private data that calls a function before its end."""

    def __init__(self, report: Callable[[], object]) -> None:
        self.report = report

    def __iter__(self) -> Iterator[bytes]:
        conversation = {**PRIVATE_CONVERSATION, "unknown": DIAGNOSIS}
        yield json.dumps({"success": True, "conversation": conversation}).encode()[:-1]
        self.report()
        yield b"}"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


def test_running_frames_show_no_credential_and_no_data(call: Caller) -> None:
    sentry = Sentry()
    events: list[str] = []

    def report(*_: object) -> str:
        events.append(sentry.text_of_running_frames())
        return TOKEN

    def respond(_: httpx.Request) -> httpx.Response:
        report()
        return httpx.Response(200, stream=ReportingBody(report))

    options = {"token": report, "on_response": report, "on_drift": report}
    call(httpx.MockTransport(respond), options=options)

    # The missing media type is a finding, too.
    assert len(events) == 6
    for event in events:
        assert TOKEN not in event
        assert DIAGNOSIS not in event
        assert '"module": "leadconnector.' in event


@pytest.mark.parametrize("position", range(0, 130, 13))
def test_a_long_token_is_redacted_in_a_name_that_is_cut(
    call: Caller, caplog: pytest.LogCaptureFixture, position: int
) -> None:
    token = "pit-" + "0123456789abcdef" * 20
    findings: list[Finding] = []
    name = "x" * position + token

    body = {"success": True, "conversation": {**PRIVATE_CONVERSATION, name: 1}, name: 1}
    options = {"token": token, "on_drift": findings.append}
    call(returning(200, json=body), options=options)
    with pytest.raises(BadRequestError) as caught:
        call(returning(400, json={**body, "message": name * 3}), options=options)
    with pytest.raises(ServerError) as server_error:
        call(returning(501, text=f"<p>{'<b>' * position * 99}{name}</p>"), options=options)

    texts = [caplog.text, *map(repr, findings), *texts_of(caught.value)]
    texts += texts_of(server_error.value)
    part = token[:12]
    assert findings
    assert [text for text in texts if part in text] == []


@pytest.mark.parametrize("client", [LeadConnector, AsyncLeadConnector])
def test_the_parts_of_a_client_show_no_credential(client: Any) -> None:
    instance = client(token=TOKEN, transport=returning(200))
    parts = [
        instance,
        instance._settings,
        instance._connections,
        instance.conversations,
        instance._settings.token_source,
    ]

    assert TOKEN not in repr([[part, getattr(part, "__dict__", {})] for part in parts])


def test_a_token_is_not_shown_and_not_pickled() -> None:
    token = Token(Secret(TOKEN))

    assert TOKEN not in f"{token!r} {token} {Secret(TOKEN)!r}"
    for secret in (token, Secret(TOKEN)):
        with pytest.raises(TypeError, match="credential"):
            pickle.dumps(secret)


def test_a_cancelled_call_shows_no_credential() -> None:
    async def run() -> BaseException:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(3600)
            raise AssertionError

        async with AsyncLeadConnector(token=TOKEN, transport=httpx.MockTransport(never)) as client:
            call = asyncio.ensure_future(
                client.conversations.update_conversation("1", location_id=LOCATION_ID)
            )
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            call.cancel()
            try:
                await call
            except asyncio.CancelledError as error:
                return error
            raise AssertionError

    error = asyncio.run(run())
    assert [text for text in texts_of(error) if TOKEN in text] == []
    assert TOKEN not in Sentry().text_of(error)
