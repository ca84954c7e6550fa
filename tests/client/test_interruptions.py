"""Exceptions that do not come from the network reach the caller unchanged and at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

import aiohttp
import anyio
import h11
import httpcore
import httpx
import pyreqwest.exceptions
import pytest
import redis
import requests
import urllib3
from leadconnector import (
    APIConnectionError,
    APITimeoutError,
    AsyncLeadConnector,
    LeadConnector,
    RateLimit,
    RedisRateLimit,
)

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    Caller,
    Clock,
    call_sync,
    responding,
    succeeding,
    timed,
    with_settings,
)
from tests.support.reports import texts_of


class SoftTimeLimitExceeded(Exception):  # noqa: N818  # Celery's name
    """Like the exception of Celery, which its signal handler raises."""


SoftTimeLimitExceeded.__module__ = "billiard.exceptions"


class Timeout(BaseException):  # gevent's name
    """Like the exception of gevent and eventlet."""


Timeout.__module__ = "gevent.timeout"


class CallerTimeoutError(TimeoutError):
    """A timeout that the caller's code defines."""


class TransportFaultError(Exception):
    """The exception of a custom transport."""


class ClientError(Exception):
    """Has the name of aiohttp's base class, but is another class."""


INTERRUPTIONS: list[BaseException] = [
    SoftTimeLimitExceeded(30),
    Timeout("1 s"),
    CallerTimeoutError("of the caller"),
    TransportFaultError("no route"),
    ClientError("no such client"),
    concurrent.futures.CancelledError(),
    concurrent.futures.InvalidStateError("no"),
    concurrent.futures.BrokenExecutor("no"),
    anyio.WouldBlock(),
    asyncio.QueueFull(),
    RuntimeError("the event loop is my concern"),
    RuntimeError("cannot reuse already awaited coroutine"),
    KeyboardInterrupt(),
    MemoryError(),
    RecursionError("too deep"),
    ArithmeticError("no"),
    EOFError(),
    LookupError("no"),
    pytest.fail.Exception("the test's own failure"),
    ExceptionGroup("several", [ValueError("no")]),
]

NETWORK_FAILURES: list[Exception] = [
    httpx.ReadError("reset"),
    httpx.DecodingError("bad gzip"),
    httpx.StreamConsumed(),
    zlib.error("bad gzip"),
    OSError("no"),
    ConnectionResetError("no"),
    TimeoutError("no"),
    socket.gaierror(-2, "unknown name"),
    ssl.SSLEOFError(8, "unexpected end"),
    httpcore.ReadError("no"),
    httpcore.ConnectTimeout("no"),
    httpcore.RemoteProtocolError("no"),
    h11.RemoteProtocolError("no"),
    anyio.BrokenResourceError(),
    anyio.ClosedResourceError(),
    anyio.EndOfStream(),
    asyncio.IncompleteReadError(b"", 10),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientPayloadError("cut"),
    aiohttp.ServerTimeoutError("no"),
    http.client.IncompleteRead(b""),
    http.client.BadStatusLine("SSH"),
    requests.ConnectionError("no"),
    urllib3.exceptions.ProtocolError("no"),
    pyreqwest.exceptions.ReadError("no", {"causes": None}),
    pyreqwest.exceptions.ReadTimeoutError("no", {"causes": None}),
]


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise error

    return fail


class FailingBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose second part raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"success": tr'
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.close()


@pytest.mark.parametrize("error", INTERRUPTIONS, ids=repr)
class TestInterruption:
    def test_of_a_transport_is_raised_at_once(self, call: Caller, error: BaseException) -> None:
        requests: list[httpx.Request] = []

        with pytest.raises(type(error)) as caught:
            call(responding(raising(error), requests))

        assert caught.value is error
        assert error.__cause__ is None
        assert error.__context__ is None
        assert len(requests) == 1

    def test_of_a_body_is_raised_at_once_and_closes_the_response(
        self, call: Caller, error: BaseException
    ) -> None:
        requests: list[httpx.Request] = []
        bodies: list[FailingBody] = []

        def respond() -> httpx.Response:
            bodies.append(FailingBody(error))
            return httpx.Response(200, stream=bodies[-1])

        with pytest.raises(type(error)) as caught:
            call(responding(respond, requests))

        assert caught.value is error
        assert len(requests) == 1
        assert bodies[0].is_closed

    def test_of_a_token_callable_is_raised_at_once(
        self, call: Caller, error: BaseException
    ) -> None:
        requests: list[httpx.Request] = []

        with pytest.raises(type(error)) as caught:
            call(succeeding(requests), options={"token": raising(error)})

        assert caught.value is error
        assert requests == []

    @pytest.mark.parametrize("option", ["on_response", "on_drift"])
    def test_of_a_callback_is_raised(self, call: Caller, error: BaseException, option: str) -> None:
        body = {**SUCCESS_BODY, "unknown": 1}
        transport = responding(partial(httpx.Response, 200, json=body))

        with pytest.raises(type(error)) as caught:
            call(transport, options={option: raising(error)})

        assert caught.value is error


@pytest.mark.parametrize("error", NETWORK_FAILURES, ids=repr)
def test_an_error_of_the_network_is_retried(call: Caller, error: Exception) -> None:
    requests: list[httpx.Request] = []

    with pytest.raises(APIConnectionError) as caught:
        call(responding(raising(error), requests))

    assert len(requests) == 3
    is_timeout = isinstance(error, TimeoutError | httpx.TimeoutException)
    assert isinstance(caught.value, APITimeoutError) == is_timeout


def test_a_connection_of_a_closed_event_loop_is_retried() -> None:
    closed_loop = asyncio.new_event_loop()
    closed_loop.close()
    requests: list[httpx.Request] = []

    def respond() -> httpx.Response:
        if len(requests) == 1:
            closed_loop.call_soon(print)
        return httpx.Response(200, json=SUCCESS_BODY)

    assert call_sync(responding(respond, requests)).success
    assert len(requests) == 2


def test_an_earlier_error_that_the_caller_handles_does_not_matter(call: Caller) -> None:
    def update() -> None:
        try:
            raise CallerTimeoutError
        except CallerTimeoutError:
            call(responding(raising(httpx.ReadError("reset"))))

    with pytest.raises(APIConnectionError):
        update()


def test_a_timeout_of_the_caller_that_a_transport_wraps_is_raised(call: Caller) -> None:
    error = CallerTimeoutError("of the caller")

    def respond() -> httpx.Response:
        raise httpx.ReadTimeout("timed out") from error

    requests: list[httpx.Request] = []
    with pytest.raises(CallerTimeoutError) as caught:
        call(responding(respond, requests))

    assert caught.value is error
    assert error.__context__ is None
    assert len(requests) == 1


def test_an_error_whose_cause_is_a_mistake_in_a_parser_is_retried(call: Caller) -> None:
    def respond() -> httpx.Response:
        raise httpx.RemoteProtocolError("no HTTP") from ValueError("not a number")

    with pytest.raises(APIConnectionError):
        call(responding(respond))


@pytest.mark.parametrize("interrupts", ["sleep", "transport"])
@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(), Timeout(), KeyboardInterrupt()])
def test_a_reservation_is_released_unless_its_request_may_be_sent(
    error: BaseException, interrupts: str
) -> None:
    clock = Clock()
    rate_limit = RateLimit(limit=1, seconds=10, clock=clock)
    responses: Iterator[Callable[[], httpx.Response]] = iter(
        [
            partial(httpx.Response, 200, json=SUCCESS_BODY),
            partial(httpx.Response, 200, json=SUCCESS_BODY),
        ]
    )

    def respond() -> httpx.Response:
        if interrupts == "transport" and clock.seconds > 0:
            raise error
        return next(responses)()

    def update() -> None:
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    with LeadConnector(token=TOKEN, transport=responding(respond), rate_limit=rate_limit) as client:
        timed(client, clock)
        update()
        if interrupts == "sleep":
            with_settings(client, sleep=raising(error))
        with pytest.raises(type(error)):
            update()

    waits_behind = rate_limit.reserve(LOCATION_ID).wait
    if interrupts == "sleep":
        assert waits_behind == pytest.approx(10.05)
    else:
        assert clock.seconds >= 10
        assert waits_behind > 9


def test_an_interruption_of_a_request_to_redis_is_raised(call: Caller) -> None:
    error = CallerTimeoutError("of the caller")
    rate_limit = RedisRateLimit(redis.Redis())
    script: Any = rate_limit._redis
    script._script = raising(error)

    with pytest.raises(CallerTimeoutError) as caught:
        call(succeeding(), options={"rate_limit": rate_limit})

    assert caught.value is error


# Signals. The main thread runs their handlers, also within the code of a transport.


def soft_limit_function(*_: object) -> None:
    raise SoftTimeLimitExceeded


def timeout_function(_number: int, _frame: object) -> None:
    raise TimeoutError("of the caller's alarm")


class Alarm:
    """A handler that is a method."""

    def ring(self, _number: int, _frame: object) -> None:
        self.raise_error()

    @staticmethod
    def raise_error() -> None:
        raise TimeoutError("of the caller's alarm")

    def __call__(self, *arguments: object) -> None:
        assert len(arguments) == 2
        self.raise_error()


HANDLERS: dict[str, Callable[..., None]] = {
    "a soft time limit": soft_limit_function,
    "a timeout": timeout_function,
    "a method": Alarm().ring,
    "a partial": partial(timeout_function),
    "an object": Alarm(),
}


@pytest.fixture(params=HANDLERS)
def handled_signal(request: pytest.FixtureRequest) -> Generator[type[Exception]]:
    """Makes SIGUSR1 raise an exception. Returns its class."""
    name = str(request.param)
    previous = signal.signal(signal.SIGUSR1, HANDLERS[name])
    try:
        yield SoftTimeLimitExceeded if name == "a soft time limit" else TimeoutError
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_the_exception_of_a_signal_handler_in_a_transport_is_raised(
    call: Caller, handled_signal: type[Exception]
) -> None:
    requests: list[httpx.Request] = []

    def respond() -> httpx.Response:
        signal.raise_signal(signal.SIGUSR1)
        raise AssertionError

    with pytest.raises(handled_signal) as caught:
        call(responding(respond, requests))

    assert type(caught.value) is handled_signal
    assert len(requests) == 1


def read_request(connection: socket.socket) -> None:
    """Read a request to its end.

    Raises:
        ConnectionError: the client closed the connection before.
    """
    reader = h11.Connection(h11.SERVER)
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            reader.receive_data(connection.recv(65536))
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionError("the client closed the connection")


def test_an_oserror_of_a_signal_handler_in_a_transport_is_raised(call: Caller) -> None:
    def handle(*_: object) -> None:
        raise ConnectionError("of the caller's alarm")

    def respond() -> httpx.Response:
        try:
            signal.raise_signal(signal.SIGUSR1)
        except OSError as error:
            raise httpx.ReadError("reset") from error
        raise AssertionError

    previous = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(ConnectionError, match="alarm"):
            call(responding(respond))
    finally:
        signal.signal(signal.SIGUSR1, previous)


@contextmanager
def server_that_signals(first_bytes: bytes) -> Generator[str]:
    """A server that signals this process instead of its first response.

    Args:
        first_bytes: the part of the first response that it sends.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    body = json.dumps(SUCCESS_BODY).encode()
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)

    def serve(connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            read_request(connection)
            if number > 0:
                connection.sendall(head + body)
                return
            connection.sendall(first_bytes)
            os.kill(os.getpid(), signal.SIGUSR1)
            # Ends when the client closes the connection.
            connection.recv(1)

    def accept() -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                serve(connection, number)
                number += 1

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


@pytest.mark.parametrize("first_bytes", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"])
def test_the_exception_of_a_signal_handler_on_a_socket_is_raised_and_the_client_still_works(
    handled_signal: type[Exception], first_bytes: bytes
) -> None:
    with (
        server_that_signals(first_bytes) as url,
        LeadConnector(token=TOKEN, base_url=url) as client,
    ):
        with pytest.raises(handled_signal) as caught:
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        updated = client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert type(caught.value) is handled_signal
    assert updated.success
    assert [text for text in texts_of(caught.value) if TOKEN in text] == []


def test_an_oserror_of_a_signal_handler_while_a_request_is_sent_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handle(_number: int, frame: FrameType | None) -> None:
        raise ConnectionError("alarm")

    def send_with_signal(_socket: socket.socket, _data: memoryview) -> int:
        signal.raise_signal(signal.SIGUSR1)
        raise AssertionError

    previous = signal.signal(signal.SIGUSR1, handle)
    try:
        with (
            server_that_signals(b"") as url,
            LeadConnector(token=TOKEN, base_url=url) as client,
        ):
            monkeypatch.setattr(socket.socket, "send", send_with_signal)
            with pytest.raises(ConnectionError, match="alarm"):
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            monkeypatch.undo()
    finally:
        signal.signal(signal.SIGUSR1, previous)


# Timeouts around an async call.


def test_a_timeout_of_asyncio_around_a_call_is_raised() -> None:
    async def run() -> None:
        async def never(_: httpx.Request) -> httpx.Response:
            await asyncio.sleep(3600)
            raise AssertionError

        async with AsyncLeadConnector(token=TOKEN, transport=httpx.MockTransport(never)) as client:
            async with asyncio.timeout(0.01):
                await client.conversations.update_conversation("1", location_id=LOCATION_ID)

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(run())

    assert not isinstance(caught.value, httpx.HTTPError | APIConnectionError)


@pytest.mark.parametrize("error", [CallerTimeoutError("no"), SoftTimeLimitExceeded()], ids=repr)
def test_a_token_callable_that_raises_after_the_deadline_raises_its_own_error(
    call: Caller, error: Exception
) -> None:
    clock = Clock()

    def token() -> str:
        clock.seconds += 100
        raise error

    with pytest.raises(type(error)) as caught:
        call(succeeding(), clock=clock, options={"token": token, "deadline": 10.0})

    assert caught.value is error
