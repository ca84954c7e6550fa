"""Hosts with several addresses: timeouts apply to all of them together."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import APIConnectionError, APITimeoutError
from leadconnector._runtime.coroutines import run_without_event_loop
from leadconnector._runtime.http import addresses
from leadconnector._runtime.http.addresses import connect_to_fastest
from leadconnector._runtime.http.sockets import Address, new_socket
from leadconnector._runtime.http.thread_socket import ThreadSocket, share_of_time

from tests.support.calling import Caller, Clock
from tests.support.switchable import (
    SUCCESS,
    addresses_of,
    dead_addresses,
    length_of_body,
    switchable,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has 127.0.1.1 and ignores a full backlog"
)


class RealClock(Clock):
    """The clock of the sockets."""

    def __call__(self) -> float:
        return time.monotonic()


def dead_hosts(count: int) -> list[str]:
    return [f"127.0.1.{number}" for number in range(1, count + 1)]


def seconds_of_failure(call: Caller, port: int, **options: object) -> float:
    """How long a call takes that gets no response in time."""
    started_at = time.monotonic()
    with pytest.raises(APITimeoutError):
        call(
            None,
            options={"base_url": f"http://localhost:{port}", "retries": 0, **options},
            clock=RealClock(),
        )
    return time.monotonic() - started_at


@contextmanager
def listening() -> Generator[socket.socket]:
    """A listener whose connections get no response."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_a_deadline_applies_to_all_addresses_of_a_host_together(
    call: Caller, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(dead_hosts(count)))
    with dead_addresses(count) as port:
        seconds = seconds_of_failure(call, port, deadline=1.0)

    # Generous for a busy machine, and less than two addresses with the whole deadline each.
    assert seconds < 1.9


@pytest.mark.parametrize("count", [2, 4])
def test_a_connect_timeout_applies_to_all_addresses_of_a_host_together(
    call: Caller, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(dead_hosts(count)))
    with dead_addresses(count) as port:
        seconds = seconds_of_failure(call, port, timeout=httpx.Timeout(10.0, connect=1.0))

    assert seconds < 1.9


def test_a_deadline_applies_to_dead_addresses_and_a_hanging_api_together(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [*dead_hosts(3), "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(hosts))
    with listening() as live, dead_addresses(3, live) as port:
        seconds = seconds_of_failure(call, port, deadline=1.0)

    assert seconds < 1.9


def test_a_connect_timeout_includes_the_tls_handshake(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [*dead_hosts(3), "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(hosts))
    with listening() as live, dead_addresses(3, live) as port:
        seconds = seconds_of_failure(
            call,
            port,
            timeout=httpx.Timeout(10.0, connect=1.0),
            base_url=f"https://localhost:{port}",
        )

    # Generous, as it includes loading the certificates.
    assert seconds < 3.0


def test_a_deadline_applies_to_a_head_that_arrives_slowly_but_steadily(call: Caller) -> None:
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 400:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                if stop.wait(0.05):
                    return

    with listening() as listener:
        thread = threading.Thread(target=drip, args=[listener])
        thread.start()
        seconds = seconds_of_failure(call, listener.getsockname()[1], deadline=0.5)
        stop.set()
        thread.join()

    assert seconds < 2.0


@pytest.mark.parametrize("dead", [1, 3])
def test_dead_addresses_do_not_prevent_reaching_a_live_one(
    call: Caller, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [*dead_hosts(dead), "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(hosts))
    with socket.create_server(("127.0.0.1", 0)) as live, dead_addresses(dead, live) as port:
        thread = threading.Thread(target=respond_once, args=[live])
        thread.start()
        options = {"base_url": f"http://localhost:{port}", "deadline": 3.0, "retries": 0}
        assert call(None, options=options).success
        thread.join()


def respond_once(listener: socket.socket) -> None:
    """Serve one request."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as request:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += request.readline()
        request.read(length_of_body(head))
        connection.sendall(SUCCESS)


def test_an_address_that_rejects_connections_does_not_prevent_reaching_the_next(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(["127.0.1.9", "127.0.0.1"]))
    with switchable() as api:
        assert call(None, options={"base_url": api.url, "retries": 0}).success


def test_a_host_without_a_working_address_was_never_sent_anything(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(["127.0.1.8", "127.0.1.9"]))
    with pytest.raises(APIConnectionError, match="Errno 111") as caught:
        call(None, options={"base_url": "http://localhost:9", "retries": 0})

    assert caught.value.failure == "never sent"


@given(st.floats(0.001, 86_400.0), st.integers(1, 50))
def test_the_shares_of_all_addresses_are_the_whole_time(seconds: float, count: int) -> None:
    remaining = seconds
    for position in range(count):
        share = share_of_time(remaining, count - position, is_first=position == 0)
        assert share is not None
        if position > 0:
            assert share == pytest.approx(seconds / 2 / (count - 1))
        remaining -= share
    assert remaining == pytest.approx(0.0, abs=seconds * 1e-9)


def test_no_address_gets_time_after_the_end() -> None:
    assert share_of_time(None, 3, is_first=True) is None
    with pytest.raises(TimeoutError):
        share_of_time(0.0, 1, is_first=False)


@given(st.integers(2, 50))
def test_the_first_address_gets_half_of_the_time(count: int) -> None:
    # Equal shares of a timeout of 1 s were too short for four addresses that need 0.3 s each.
    assert share_of_time(1.0, count, is_first=True) == 0.5


def test_a_rejection_that_uses_up_the_time_is_not_reported_as_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thread_socket = ThreadSocket()
    attempts: list[object] = []

    def reject(address: object, _: float | None) -> socket.socket:
        attempts.append(address)
        thread_socket.connect_ends_at = 0.0
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(thread_socket, "_connect_to", reject)
    monkeypatch.setattr(socket, "getaddrinfo", addresses_of(["127.0.1.8", "127.0.1.9"]))
    with pytest.raises(httpx.ConnectError, match="refused"):
        run_without_event_loop(thread_socket.connect("localhost", 9, timeout=60.0))

    assert len(attempts) == 1


def test_a_cancellation_at_any_step_of_connecting_closes_all_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets: list[socket.socket] = []

    def recorded_socket(address: Address) -> socket.socket:
        sockets.append(new_socket(address))
        return sockets[-1]

    async def connect_and_cancel(port: int, steps: int) -> bool:
        lookup: Any = addresses_of(["127.0.1.1", "127.0.0.1"])
        task = asyncio.ensure_future(connect_to_fastest(lookup("localhost", port)))
        for _ in range(steps):
            await asyncio.sleep(0)
        was_done = task.done()
        task.cancel()
        await asyncio.wait([task])
        # The callbacks that close sockets.
        await asyncio.sleep(0)
        if was_done:
            task.result().close()
        assert [sock.fileno() for sock in sockets] == [-1] * len(sockets)
        return was_done

    monkeypatch.setattr(addresses, "new_socket", recorded_socket)
    monkeypatch.setattr(addresses, "STAGGER_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as live, dead_addresses(1, live) as port:
        steps = 0
        while not asyncio.run(connect_and_cancel(port, steps)):
            steps += 1
    assert steps > 3
