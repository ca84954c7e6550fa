"""A server that sends without a pause stops neither a client nor its event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from leadconnector import APIConnectionError, AsyncLeadConnector, LeadConnector

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN

CHUNKED_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)

FLOODS = {
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "other interim responses": (b"", b"HTTP/1.1 103 \r\nLink: a\r\n\r\n"),
    "small chunks": (CHUNKED_HEAD, b"1\r\na\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "trailers": (CHUNKED_HEAD + b"0\r\n", b"a: b\r\n"),
}

# Its own process: a thread would compete with the client for the interpreter.
SERVER = """
import socket, sys, threading
start, repeated = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve(connection):
    try:
        connection.recv(65536)
        connection.sendall(start)
        while repeated:
            connection.sendall(repeated * 2000)
    except OSError:
        pass
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=[connection], daemon=True).start()
"""


@contextmanager
def flooding(start: bytes, repeated: bytes) -> Generator[str]:
    """A server that sends a start, and then the same bytes forever."""
    arguments = [sys.executable, "-c", SERVER, start.hex(), repeated.hex()]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def options_for(url: str, **changes: Any) -> dict[str, Any]:
    return {"token": TOKEN, "base_url": url, "rate_limit": None, "retries": 0, **changes}


async def ticks_during(task: asyncio.Task[Any]) -> int:
    """How often a timer of 50 ms expires while a task runs."""
    ticks = 0
    while not task.done():
        await asyncio.wait([task], timeout=0.05)
        ticks += 1
    return ticks


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_other_tasks_run_while_a_server_floods_an_async_client(flood: tuple[bytes, bytes]) -> None:
    async def run(url: str) -> int:
        async with AsyncLeadConnector(**options_for(url, deadline=2.0)) as client:
            task = asyncio.create_task(
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            )
            started_at = time.monotonic()
            ticks = await ticks_during(task)
            # Generous for a busy machine. A phase without a deadline takes 60 s.
            assert time.monotonic() - started_at < 20
            with pytest.raises(APIConnectionError):
                task.result()
            return ticks

    with flooding(*flood) as url:
        ticks = asyncio.run(run(url))

    if flood == FLOODS["small chunks"]:
        # It lasts until the deadline. A prompt timer expires about 40 times, on a busy machine less
        # often. If no other task runs, it expires once.
        assert ticks >= 3


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_cancelled_call_ends_while_a_server_floods(flood: tuple[bytes, bytes]) -> None:
    async def run(url: str) -> None:
        async with AsyncLeadConnector(**options_for(url)) as client:
            started_at = time.monotonic()
            with pytest.raises((TimeoutError, APIConnectionError)):
                async with asyncio.timeout(0.5):
                    await client.conversations.update_conversation(
                        CONVERSATION_ID, location_id=LOCATION_ID
                    )
            assert time.monotonic() - started_at < 20

    with flooding(*flood) as url:
        asyncio.run(run(url))


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_deadline_ends_a_sync_call_while_a_server_floods(flood: tuple[bytes, bytes]) -> None:
    with (
        flooding(*flood) as url,
        LeadConnector(**options_for(url, deadline=1.0)) as client,
    ):
        started_at = time.monotonic()
        with pytest.raises(APIConnectionError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    assert time.monotonic() - started_at < 20


def test_too_many_interim_responses_are_an_error() -> None:
    with (
        flooding(*FLOODS["interim responses"]) as url,
        LeadConnector(**options_for(url)) as client,
        pytest.raises(APIConnectionError, match="before its response"),
    ):
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


@pytest.mark.parametrize("count", [1, 100])
def test_some_interim_responses_before_a_response_are_ignored(count: int) -> None:
    body = b'{"success":true}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    response = FLOODS["interim responses"][1] * count + head % len(body) + body
    with flooding(response, b"") as url, LeadConnector(**options_for(url)) as client:
        updated = client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert updated.success
