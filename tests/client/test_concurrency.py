"""One client in many threads, tasks, event loops and processes, and cancelled calls."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from leadconnector import (
    APIConnectionError,
    AsyncLeadConnector,
    LeadConnector,
    LeadConnectorError,
    RateLimit,
)
from leadconnector_emulator import Emulator, EmulatorTransport, Fault, Server

from tests.support.calling import (
    CONVERSATION_ID,
    LOCATION_ID,
    SUCCESS_BODY,
    TOKEN,
    succeeding,
)
from tests.support.outside import run_program


def update(client: LeadConnector, starred: bool = True) -> Any:
    return client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=starred
    )


async def update_async(client: AsyncLeadConnector, starred: bool = True) -> Any:
    return await client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=starred
    )


def test_a_hundred_threads_share_a_client(server: Server) -> None:
    barrier = threading.Barrier(100)

    def call(_: int) -> bool:
        barrier.wait()
        return bool(update(client).success)

    with (
        LeadConnector(token=TOKEN, base_url=server.url) as client,
        ThreadPoolExecutor(100) as threads,
    ):
        assert all(threads.map(call, range(100)))


def test_two_hundred_tasks_share_a_client(server: Server) -> None:
    async def run() -> list[Any]:
        async with AsyncLeadConnector(token=TOKEN, base_url=server.url, rate_limit=None) as client:
            return await asyncio.gather(*(update_async(client) for _ in range(200)))

    assert all(updated.success for updated in asyncio.run(run()))


@pytest.mark.parametrize("step", range(12))
def test_a_client_works_after_a_call_is_cancelled_at_any_step(server: Server, step: int) -> None:
    rate_limit = RateLimit(limit=20, seconds=86_400.0)

    async def run() -> int:
        cancelled = 0
        async with AsyncLeadConnector(
            token=TOKEN, base_url=server.url, rate_limit=rate_limit, timeout=5.0
        ) as client:
            for _ in range(5):
                call = asyncio.ensure_future(update_async(client))
                for _ in range(step):
                    await asyncio.sleep(0)
                call.cancel()
                outcomes: list[object] = [*await asyncio.gather(call, return_exceptions=True)]
                cancelled += isinstance(outcomes[0], asyncio.CancelledError)
            for _ in range(15):  # the pool has ten connections, none of which is lost
                assert (await update_async(client)).success
        return cancelled

    # A call that is faster is not cancelled.
    assert asyncio.run(run()) == 5 or step > 3


def test_calls_cancelled_while_waiting_release_their_reservations(
    emulator: Emulator,
) -> None:
    seconds = [0.0]
    rate_limit = RateLimit(limit=1, seconds=10.0, clock=lambda: seconds[0])

    async def run() -> None:
        async with AsyncLeadConnector(
            token=TOKEN, transport=EmulatorTransport(emulator), rate_limit=rate_limit
        ) as client:
            await update_async(client)
            waiting = [asyncio.ensure_future(update_async(client)) for _ in range(50)]
            for _ in range(5):
                await asyncio.sleep(0)
            for call in waiting:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            seconds[0] = 10.5
            await asyncio.wait_for(update_async(client), 5.0)

    asyncio.run(run())
    assert len(emulator.exchanges) == 2


def test_an_async_client_works_in_successive_event_loops(server: Server) -> None:
    client = AsyncLeadConnector(token=TOKEN, base_url=server.url)

    for _ in range(2):
        runner = asyncio.new_event_loop()
        try:
            assert runner.run_until_complete(update_async(client)).success
        finally:
            runner.close()


def test_an_async_client_works_in_concurrent_event_loops(server: Server) -> None:
    client = AsyncLeadConnector(token=TOKEN, base_url=server.url)
    barrier = threading.Barrier(2)

    def in_a_loop(_: int) -> bool:
        async def run() -> bool:
            for _ in range(10):
                barrier.wait(10)
                assert (await update_async(client)).success
            return True

        return asyncio.run(run())

    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(in_a_loop, range(2)))


def test_a_custom_transport_of_another_event_loop_raises_a_connection_error() -> None:
    class BelongsToOneLoop(httpx.AsyncBaseTransport):
        loop: object = None

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.loop = self.loop or asyncio.get_running_loop()
            if self.loop is not asyncio.get_running_loop():
                raise RuntimeError("Event loop is closed")
            return httpx.Response(200, json=SUCCESS_BODY)

    client = AsyncLeadConnector(token=TOKEN, transport=BelongsToOneLoop())
    asyncio.run(update_async(client))

    with pytest.raises(APIConnectionError, match="Event loop is closed"):
        asyncio.run(update_async(client))


def test_a_custom_transport_without_a_loop_works_in_any_event_loop() -> None:
    client = AsyncLeadConnector(token=TOKEN, transport=succeeding())

    assert [asyncio.run(update_async(client)).success for _ in range(2)] == [True, True]


FORKED = """
import os, sys
import httpx
from leadconnector import ClientClosedError, LeadConnector
url, token, ident = sys.argv[1:]
client = LeadConnector(token=token, base_url=url)
custom = LeadConnector(token=token, base_url=url, transport=httpx.HTTPTransport())
def call(client):
    return client.conversations.update_conversation(ident, location_id=ident, starred=True).success
assert call(client) and call(custom)
child = os.fork()
if child == 0:
    assert all(call(client) for _ in range(3))
    try:
        call(custom)
    except ClientClosedError as error:
        os._exit(7 if "forked" in str(error) else 1)
    os._exit(1)
assert all(call(client) for _ in range(3))
_, status = os.waitpid(child, 0)
client.close()
custom.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system has no fork")
def test_after_a_fork_both_processes_work_and_a_custom_transport_raises(
    server: Server,
) -> None:
    result = run_program(FORKED, server.url, "-W", "error", "-W", "ignore::ResourceWarning")

    assert result == (7, "")


def test_calls_raise_documented_errors_when_another_thread_closes_the_client(
    server: Server,
) -> None:
    server.emulator.set_faults(Fault(latency=0.05))
    client = LeadConnector(token=TOKEN, base_url=server.url, rate_limit=None)
    outcomes: list[object] = []

    def call(_: int) -> None:
        try:
            for _ in range(20):
                update(client)
        except Exception as error:
            outcomes.append(error)

    with ThreadPoolExecutor(8) as threads:
        calls = threads.map(call, range(8))
        while not server.emulator.exchanges:
            threading.Event().wait(0.005)
        client.close()
        list(calls)

    assert len(outcomes) == 8
    assert all(isinstance(outcome, LeadConnectorError) for outcome in outcomes)
    outcomes.clear()
    gc.collect()


def test_calls_raise_documented_errors_when_another_task_closes_the_client(
    server: Server,
) -> None:
    server.emulator.set_faults(Fault(latency=0.05))

    async def run() -> list[object]:
        client = AsyncLeadConnector(token=TOKEN, base_url=server.url, rate_limit=None)

        async def calls() -> None:
            for _ in range(20):
                await update_async(client)

        running = [asyncio.ensure_future(calls()) for _ in range(8)]
        await asyncio.sleep(0.07)
        await client.close()
        return await asyncio.gather(*running, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert all(isinstance(outcome, LeadConnectorError) for outcome in outcomes)
    outcomes.clear()
    gc.collect()
