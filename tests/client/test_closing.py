"""After a client was closed it sends nothing, and a forked process closes only its own part."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from leadconnector import (
    APIConnectionError,
    AsyncLeadConnector,
    ClientClosedError,
    LeadConnector,
    LeadConnectorError,
)
from leadconnector._runtime.http import SyncTransport, sockets, thread_socket
from leadconnector._runtime.http import addresses as addresses_module
from leadconnector._runtime.http import pool as pool_module
from leadconnector._runtime.http.connection import Connection
from leadconnector._runtime.http.sync_pool import SyncPool

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.outside import run_program
from tests.support.switchable import SUCCESS, Switchable, switchable

has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def api() -> Iterator[Switchable]:
    with switchable() as server:
        yield server


def update(client: LeadConnector) -> bool:
    updated = client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
    return updated.success is True


async def update_async(client: AsyncLeadConnector) -> bool:
    updated = await client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID
    )
    return updated.success is True


# A forked process.

SLOW_SERVER = f"""
import asyncio, os, socket, sys, threading
from leadconnector import AsyncLeadConnector, LeadConnector
_, token, ident = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{{listener.getsockname()[1]}}"
request_arrived = threading.Event()
may_respond = threading.Event()

def serve():
    connection, _ = listener.accept()
    with connection:
        data = b""
        while b"}}" not in data:
            data += connection.recv(65536)
        request_arrived.set()
        may_respond.wait(30)
        connection.sendall({SUCCESS!r})

server = threading.Thread(target=serve)
server.start()

def finish(child):
    _, status = os.waitpid(child, 0)
    may_respond.set()
    return os.waitstatus_to_exitcode(status)
"""

SYNC_CALL_IN_FLIGHT = f"""{SLOW_SERVER}
client = LeadConnector(token=token, base_url=url, retries=0)
outcomes = []

def call():
    updated = client.conversations.update_conversation(ident, location_id=ident)
    outcomes.append(updated.success)

caller = threading.Thread(target=call)
caller.start()
assert request_arrived.wait(30)
child = os.fork()
if child == 0:
    client.close()
    os._exit(7)
exit_code = finish(child)
caller.join()
server.join()
assert outcomes == [True]
sys.exit(exit_code)
"""

ASYNC_CALL_IN_FLIGHT = f"""{SLOW_SERVER}
async def main():
    client = AsyncLeadConnector(token=token, base_url=url, retries=0)
    call = asyncio.ensure_future(
        client.conversations.update_conversation(ident, location_id=ident)
    )
    await asyncio.to_thread(request_arrived.wait, 30)
    child = os.fork()
    if child == 0:
        await client.close()
        os._exit(7)
    exit_code = await asyncio.to_thread(finish, child)
    assert (await call).success
    await client.close()
    return exit_code

exit_code = asyncio.run(main())
server.join()
sys.exit(exit_code)
"""

LOOP_WITH_A_CALL_IN_FLIGHT = f"""{SLOW_SERVER}
client = AsyncLeadConnector(token=token, base_url=url, retries=0)

async def start():
    call = asyncio.ensure_future(
        client.conversations.update_conversation(ident, location_id=ident)
    )
    await asyncio.to_thread(request_arrived.wait, 30)
    return call

loop = asyncio.new_event_loop()
call = loop.run_until_complete(start())
child = os.fork()
if child == 0:
    loop.run_until_complete(loop.shutdown_asyncgens())
    os._exit(7)
exit_code = finish(child)
assert loop.run_until_complete(call).success
loop.run_until_complete(client.close())
loop.close()
server.join()
sys.exit(exit_code)
"""


@has_fork
@pytest.mark.parametrize(
    "program",
    [
        SYNC_CALL_IN_FLIGHT,
        ASYNC_CALL_IN_FLIGHT,
        LOOP_WITH_A_CALL_IN_FLIGHT,
    ],
    ids=["sync", "async", "end of the event loop"],
)
def test_a_forked_process_that_closes_the_client_does_not_end_a_request_of_its_parent(
    program: str,
) -> None:
    ignored = ("-W", "ignore::DeprecationWarning", "-W", "ignore::ResourceWarning")

    assert run_program(program, "", *ignored) == (7, "")


CUSTOM_TRANSPORT = """
import asyncio, os, sys
import httpx
from leadconnector import AsyncLeadConnector, LeadConnector

class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    is_closed = False
    def handle_request(self, request):
        return httpx.Response(200)
    async def handle_async_request(self, request):
        return httpx.Response(200)
    def close(self):
        self.is_closed = True
    async def aclose(self):
        self.is_closed = True

transports = [Transport(), Transport()]
client = LeadConnector(token="t", transport=transports[0])
async_client = AsyncLeadConnector(token="t", transport=transports[1])
child = os.fork()
client.close()
asyncio.run(async_client.close())
is_closed = [transport.is_closed for transport in transports]
assert "closed" in repr(client) and "closed" in repr(async_client)
if child == 0:
    os._exit(7 if is_closed == [False, False] else 1)
assert is_closed == [True, True]
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@has_fork
def test_a_forked_process_does_not_close_the_custom_transport_of_its_parent() -> None:
    assert run_program(CUSTOM_TRANSPORT, "") == (7, "")


# Requests that have not been sent when the client is closed.


class Gate:
    """Stops the code that passes it until the client is closed."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.is_open = threading.Event()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stop(*args: Any, **options: Any) -> Any:
            self.reached.set()
            assert self.is_open.wait(30)
            return function(*args, **options)

        return stop


def new_client(url: str) -> LeadConnector:
    return LeadConnector(token=TOKEN, base_url=url, rate_limit=None, retries=0)


def new_async_client(url: str) -> AsyncLeadConnector:
    return AsyncLeadConnector(token=TOKEN, base_url=url, rate_limit=None, retries=0)


@pytest.mark.parametrize("step", ["looking up the host", "making the socket"])
def test_a_thread_sends_nothing_after_the_client_was_closed(
    api: Switchable, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as threads:
        client = new_client(api.url)
        if step == "looking up the host":
            monkeypatch.setattr(socket, "getaddrinfo", gate.before(socket.getaddrinfo))
        else:
            new_socket = sockets.new_socket
            monkeypatch.setattr(thread_socket, "new_socket", gate.before(new_socket))
        call = threads.submit(update, client)
        assert gate.reached.wait(30)
        client.close()
        gate.is_open.set()
        with pytest.raises(APIConnectionError) as caught:
            call.result()

    assert caught.value.failure == "never sent"
    assert api.requests == 0


@pytest.mark.parametrize("step", ["looking up the host", "connecting"])
def test_a_task_sends_nothing_after_the_client_was_closed(
    api: Switchable, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    connect = addresses_module._connect_async

    async def connect_and_stop(*args: Any) -> socket.socket:
        sock = await connect(*args)
        gate.reached.set()
        assert await asyncio.to_thread(gate.is_open.wait, 30)
        return sock

    if step == "looking up the host":
        monkeypatch.setattr(socket, "getaddrinfo", gate.before(socket.getaddrinfo))
    else:
        monkeypatch.setattr(addresses_module, "_connect_async", connect_and_stop)

    async def run() -> None:
        client = new_async_client(api.url)
        call = asyncio.ensure_future(update_async(client))
        assert await asyncio.to_thread(gate.reached.wait, 30)
        await client.close()
        gate.is_open.set()
        with pytest.raises(APIConnectionError) as caught:
            await call
        assert caught.value.failure == "never sent"

    asyncio.run(run())

    assert api.requests == 0


def test_a_task_of_another_event_loop_sends_nothing_after_the_client_was_closed(
    api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    client = new_async_client(api.url)
    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(socket, "getaddrinfo", gate.before(socket.getaddrinfo))
        call = threads.submit(lambda: asyncio.run(update_async(client)))
        assert gate.reached.wait(30)
        asyncio.run(client.close())
        gate.is_open.set()
        with pytest.raises(APIConnectionError) as caught:
            call.result()

    assert caught.value.failure == "never sent"
    assert api.requests == 0


def test_a_call_sends_nothing_if_the_client_is_closed_while_it_gets_a_connection(
    api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_client(api.url)

    def close_and_create(*args: Any) -> Connection:
        client.close()
        return Connection(*args)

    monkeypatch.setattr(pool_module, "Connection", close_and_create)
    with pytest.raises(ClientClosedError):
        update(client)

    assert api.requests == 0


def test_a_transport_that_is_created_while_the_client_is_closed_is_closed(
    api: Switchable,
) -> None:
    client = new_client(api.url)
    connections = client._connections
    create_transport = connections._create_transport
    transports: list[SyncTransport] = []

    def create_and_close() -> SyncTransport:
        transports.append(create_transport())
        client.close()
        return transports[0]

    connections._create_transport = create_and_close
    with pytest.raises(ClientClosedError):
        update(client)

    assert isinstance(transports[0], SyncPool)
    assert transports[0]._connections.is_closed
    assert api.requests == 0


def test_a_retry_after_the_client_was_closed_raises_client_closed(
    api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as threads:
        client = new_client(api.url).with_options(retries=2)
        monkeypatch.setattr(socket, "getaddrinfo", gate.before(socket.getaddrinfo))
        call = threads.submit(update, client)
        assert gate.reached.wait(30)
        client.close()
        gate.is_open.set()
        with pytest.raises(LeadConnectorError):
            call.result()

    assert api.requests == 0


def test_a_connection_that_becomes_idle_after_the_client_was_closed_is_closed(
    api: Switchable,
) -> None:
    client = new_client(api.url)
    assert update(client)
    pool = client._connections.transport()
    assert isinstance(pool, SyncPool)
    connections = pool._connections
    connection = connections.take_idle()
    assert connection is not None

    connections.close_idle()
    connections.put_back(connection)

    assert not connections._idle
    assert connection.socket._socket is not None
    assert connection.socket._socket.fileno() == -1
    client.close()
