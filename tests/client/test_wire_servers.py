"""Servers that drip, end early, or read nothing: each call ends in time with the right outcome."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from leadconnector import APIConnectionError, APIStatusError, APITimeoutError
from leadconnector._runtime.http import parsers
from leadconnector._runtime.http.h11_parser import H11Parser

from benchmarks.long.wire import (
    Figures,
    cut_cases,
    open_files,
    random_cases,
    run_async,
    run_cancellations,
    run_sync,
    served_streams,
)
from tests.support.calling import Caller, Clock
from tests.support.switchable import SUCCESS
from tests.support.wire import receive_request, receive_until, send_in_bytes, serving

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE_FEEDBACK = {"text": "x" * 8_000_000}
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}"


class RealClock(Clock):
    """The clock of the sockets."""

    def __call__(self) -> float:
        return time.monotonic()


def options_for(url: str, **changes: Any) -> dict[str, Any]:
    return {"base_url": url, "retries": 0, **changes}


# Drips.


def dripping(start: bytes, repeated: bytes) -> Callable[[socket.socket], None]:
    """Serves a connection: sends a start, and then the same bytes one by one, slowly."""

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        connection.sendall(start)
        connection.settimeout(0.01)
        position = 0
        while True:
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return
            connection.sendall(repeated[position : position + 1])
            position = (position + 1) % len(repeated)

    return serve


DRIPS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nA: ", b"b"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "interim responses": (b"", b"HTTP/1.1 103 \r\nLink: a\r\n\r\n"),
    "body with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"1"),
    "body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"1"),
    "chunks": (CHUNKED, b"1\r\n1\r\n"),
    "extension of a chunk": (CHUNKED + b"1;", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
}


@pytest.mark.parametrize(("start", "repeated"), DRIPS.values(), ids=DRIPS)
def test_the_deadline_ends_a_response_that_arrives_slowly_but_steadily(
    call: Caller, start: bytes, repeated: bytes
) -> None:
    with serving(dripping(start, repeated)) as server:
        started_at = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            call(None, options=options_for(server.url, deadline=0.2), clock=RealClock())
        # Generous for a busy machine. Without the deadline it takes 60 s.
        assert time.monotonic() - started_at < 10

    assert caught.value.failure == "lost"


# Requests that are not read.


def test_the_deadline_ends_a_large_request_that_the_server_does_not_read(call: Caller) -> None:
    def read_nothing(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")
        server.is_stopping.wait(60)

    with serving(read_nothing) as server:
        started_at = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            call(
                None,
                options=options_for(server.url, deadline=1.0),
                clock=RealClock(),
                feedback=LARGE_FEEDBACK,
            )
        assert time.monotonic() - started_at < 10

    assert caught.value.failure == "lost"


def respond_and_discard(connection: socket.socket) -> None:
    """Respond before the request has arrived, and discard the rest, as nginx does."""
    receive_until(connection, b"\r\n\r\n")
    connection.sendall(TOO_LARGE)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65_536):
        pass


def respond_and_close(connection: socket.socket) -> None:
    """Respond before the request has arrived, and close: the unread rest resets the connection."""
    receive_until(connection, b"\r\n\r\n")
    connection.sendall(TOO_LARGE)


@pytest.mark.parametrize("serve", [respond_and_discard, respond_and_close])
def test_a_response_that_comes_within_a_large_request_is_received(
    call: Caller, serve: Callable[[socket.socket], None]
) -> None:
    with serving(serve) as server, pytest.raises(APIStatusError) as caught:
        call(None, options=options_for(server.url), feedback=LARGE_FEEDBACK)

    assert caught.value.status_code == 413


def test_a_connection_that_ends_within_a_large_request_is_lost(call: Caller) -> None:
    def serve(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")

    with serving(serve) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options=options_for(server.url), feedback=LARGE_FEEDBACK)

    assert not isinstance(caught.value, APITimeoutError)
    assert caught.value.failure == "lost"


# Half-closed connections.


def test_a_server_that_sends_nothing_more_after_its_response_is_a_success(call: Caller) -> None:
    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        connection.sendall(SUCCESS)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    with serving(serve) as server:
        assert call(None, options=options_for(server.url)).success


def test_a_server_that_will_send_nothing_is_lost_at_once(call: Caller) -> None:
    def serve(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with serving(serve) as server, pytest.raises(APIConnectionError) as caught:
        call(None, options=options_for(server.url))

    assert not isinstance(caught.value, APITimeoutError)
    assert caught.value.failure == "lost"


# Versions and ways to write a response.


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
    ],
)
def test_other_forms_of_responses_are_received_in_single_bytes(call: Caller, head: bytes) -> None:
    body = SUCCESS.partition(b"\r\n\r\n")[2]
    if b"%d" in head:
        head %= len(body)

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        send_in_bytes(connection, head + body)

    with serving(serve) as server:
        assert call(None, options=options_for(server.url)).success


def test_lines_without_a_carriage_return_are_received_by_h11_and_lost_for_httptools(
    call: Caller,
) -> None:
    body = SUCCESS.partition(b"\r\n\r\n")[2]

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(body) + body)

    with serving(serve) as server:
        if parsers.fastest_class() is H11Parser:
            assert call(None, options=options_for(server.url)).success
            return
        with pytest.raises(APIConnectionError) as caught:
            call(None, options=options_for(server.url))

    assert caught.value.failure == "lost"


def test_an_api_at_an_ipv6_address_is_called(call: Caller) -> None:
    def serve(connection: socket.socket) -> None:
        assert b"\r\nHost: [::1]:%d\r\n" % server.port in receive_request(connection)
        connection.sendall(SUCCESS)

    with serving(serve, host="::1") as server:
        url = f"http://[::1]:{server.port}"
        assert call(None, options=options_for(url)).success


# A sample of `make wire`.


def problems_of(figures: Figures) -> list[str]:
    assert figures.outcomes.total() > 0
    return figures.problems


@pytest.fixture(scope="module")
def streams_url() -> Any:
    with served_streams() as url:
        yield url


def test_no_cut_response_is_a_success_for_a_sync_client(streams_url: str) -> None:
    assert problems_of(run_sync(streams_url, cut_cases(211))) == []


def test_no_cut_response_is_a_success_for_an_async_client(streams_url: str) -> None:
    assert problems_of(asyncio.run(run_async(streams_url, cut_cases(223)))) == []


def test_random_streams_result_in_models_or_documented_exceptions(streams_url: str) -> None:
    seed = random.randrange(10**6)
    assert problems_of(run_sync(streams_url, random_cases(seed, 150))) == []
    assert problems_of(asyncio.run(run_async(streams_url, random_cases(seed + 1, 150)))) == []


def test_calls_cancelled_at_random_moments_with_a_full_pool_lose_nothing(streams_url: str) -> None:
    files = open_files()
    figures = asyncio.run(run_cancellations(streams_url, 200, random.Random()))

    assert problems_of(figures) == []
    assert figures.outcomes["cancelled"] > 50
    assert open_files() <= files
