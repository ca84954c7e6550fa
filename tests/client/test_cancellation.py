"""Calls that are cancelled or interrupted at any moment leave a working client."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import queue
import shutil
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    APITimeoutError,
    AsyncLeadConnector,
    ClientClosedError,
    LeadConnector,
)
from leadconnector._runtime.http import async_pool, sync_pool
from leadconnector._runtime.http.async_pool import AsyncPool
from leadconnector._runtime.http.sync_pool import SyncPool

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.switchable import Certificate, Proxy, Switchable, make_certificate, switchable

Call = Callable[[], Awaitable[object]]
Cancel = Callable[[Call], Awaitable[object]]

has_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")


@pytest.fixture
def api() -> Iterator[Switchable]:
    """A server that can hang."""
    with switchable() as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def few_connections(monkeypatch: pytest.MonkeyPatch) -> int:
    """A small number of connections, so that few calls make the pool full."""
    monkeypatch.setattr(async_pool, "MAXIMUM_CONNECTIONS", 3)
    monkeypatch.setattr(sync_pool, "MAXIMUM_CONNECTIONS", 3)
    return 3


def async_client(url: str, **options: Any) -> AsyncLeadConnector:
    options = {"retries": 0, "rate_limit": None, **options}
    return AsyncLeadConnector(token=TOKEN, base_url=url, **options)


def sync_client(url: str, **options: Any) -> LeadConnector:
    options = {"retries": 0, "rate_limit": None, **options}
    return LeadConnector(token=TOKEN, base_url=url, **options)


async def update_async(client: AsyncLeadConnector) -> bool:
    updated = await client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=True
    )
    return updated.success is True


def update(client: LeadConnector) -> bool:
    updated = client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=True
    )
    return updated.success is True


def pool_of(client: AsyncLeadConnector) -> AsyncPool:
    pool = client._connections.transport()
    assert isinstance(pool, AsyncPool)
    return pool


def sync_pool_of(client: LeadConnector) -> SyncPool:
    pool = client._connections.transport()
    assert isinstance(pool, SyncPool)
    return pool


async def by_timeout(call: Call) -> object:
    async with asyncio.timeout(0.1):
        return await call()


async def by_task(call: Call) -> object:
    task = asyncio.ensure_future(call())
    asyncio.get_running_loop().call_later(0.1, task.cancel)
    return await task


async def by_anyio(call: Call) -> object:
    with anyio.move_on_after(0.1):
        return await call()
    return None


async def by_wait_for(call: Call) -> object:
    return await asyncio.wait_for(call(), 0.1)


async def by_deadline(call: Call) -> object:
    return await call()


@pytest.mark.parametrize(
    ("cancel", "connections"),
    [(by_deadline, 100), (by_timeout, 5), (by_task, 5), (by_anyio, 5), (by_wait_for, 5)],
)
def test_all_places_are_free_after_each_time_the_api_hangs(
    api: Switchable, cancel: Cancel, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_pool, "MAXIMUM_CONNECTIONS", connections)
    deadline = 0.1 if cancel is by_deadline else None

    async def run() -> None:
        async with async_client(api.url) as client:
            hasty = client.with_options(deadline=deadline)
            for _ in range(6):
                api.is_hanging = True
                calls = [cancel(lambda: update_async(hasty)) for _ in range(2 * connections)]
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
                assert True not in outcomes
                api.is_hanging = False
                assert pool_of(client)._connections.active_count == 0
                assert await asyncio.gather(*(update_async(client) for _ in range(3)))
            assert all(await asyncio.gather(*(update_async(client) for _ in range(connections))))
            assert pool_of(client)._connections.active_count == 0

    asyncio.run(run())


steps_until_cancelled = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["cancel", "anyio", "never"])),
    min_size=4,
    max_size=12,
)


async def call_and_cancel(client: AsyncLeadConnector, steps: int, way: str) -> None:
    """Make a call, and cancel it after some steps of the event loop."""
    if way == "anyio":
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def cancel_later() -> None:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    scope.cancel()

                group.start_soon(cancel_later)
                await update_async(client)
        return
    call = asyncio.ensure_future(update_async(client))
    if way == "cancel":
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
    await asyncio.wait([call])
    if not call.cancelled():
        call.result()


@pytest.mark.parametrize("has_tls", [False, pytest.param(True, marks=has_openssl)])
def test_a_call_cancelled_at_any_step_with_a_full_pool_loses_no_place(
    has_tls: bool,
    few_connections: int,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = None
    if has_tls:
        certificate: Certificate = request.getfixturevalue("certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
        context = certificate.server_context()

    with switchable(context) as api, asyncio.Runner() as runner:
        client = async_client(api.url)

        async def run(cancellations: list[tuple[int, str]]) -> None:
            calls = [call_and_cancel(client, steps, way) for steps, way in cancellations]
            await asyncio.gather(*calls)
            pool = pool_of(client)
            assert pool._connections.active_count == 0
            assert pool._permits.semaphore._value == few_connections
            assert await asyncio.gather(*(update_async(client) for _ in range(3)))

        @given(steps_until_cancelled)
        @settings(max_examples=30)
        def check(cancellations: list[tuple[int, str]]) -> None:
            runner.run(run(cancellations))

        check()
        runner.run(client.close())


def test_a_call_cancelled_during_the_tls_handshake_closes_its_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        async def run() -> None:
            async with async_client(url) as client:
                call = asyncio.ensure_future(update_async(client))
                connection, _ = await asyncio.to_thread(listener.accept)
                with connection:
                    await asyncio.to_thread(connection.recv, 1)
                    call.cancel()
                    await asyncio.wait([call])
                    connection.settimeout(10)
                    while await asyncio.to_thread(connection.recv, 65_536):
                        pass
                assert pool_of(client)._connections.active_count == 0

        asyncio.run(run())


def test_a_call_that_waits_too_long_for_a_connection_was_never_sent(
    api: Switchable, few_connections: int
) -> None:
    api.is_hanging = True

    async def run() -> None:
        async with async_client(api.url) as client:
            hanging = [asyncio.ensure_future(update_async(client)) for _ in range(few_connections)]
            while api.requests < few_connections:
                await asyncio.sleep(0.001)
            for hasty in (client.with_options(timeout=0.05), client.with_options(deadline=0.05)):
                with pytest.raises(APITimeoutError) as caught:
                    await update_async(hasty)
                assert caught.value.failure == "never sent"
            for call in hanging:
                call.cancel()
            await asyncio.wait(hanging)

    asyncio.run(run())


def test_a_thread_that_waits_too_long_for_a_connection_sends_nothing(
    api: Switchable, few_connections: int
) -> None:
    api.is_hanging = True
    client = sync_client(api.url)
    with ThreadPoolExecutor(few_connections) as threads:
        hanging = [threads.submit(update, client) for _ in range(few_connections)]
        while api.requests < few_connections:
            threading.Event().wait(0.001)
        for hasty in (client.with_options(timeout=0.05), client.with_options(deadline=0.05)):
            with pytest.raises(APITimeoutError) as caught:
                update(hasty)
            assert caught.value.failure == "never sent"
        client.close()
        for call in hanging:
            with pytest.raises(APIConnectionError):
                call.result()


def test_all_places_are_free_after_threads_met_a_hanging_api(
    api: Switchable, few_connections: int
) -> None:
    def hang(client: LeadConnector) -> bool:
        with pytest.raises(APITimeoutError):
            update(client)
        return True

    with sync_client(api.url) as client, ThreadPoolExecutor(12) as threads:
        hasty = client.with_options(deadline=0.1)
        for _ in range(3):
            api.is_hanging = True
            assert all(threads.map(hang, [hasty] * 12))
            api.is_hanging = False
            assert sync_pool_of(client)._permits.semaphore.in_use == 0
            assert all(threads.map(update, [client] * 12))


class Interrupted(BaseException):
    """Raised by a signal handler, like `KeyboardInterrupt`."""


def interrupt_after(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)


@pytest.fixture
def interrupting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let SIGALRM raise `Interrupted` in the main thread."""

    def raise_it(*_: object) -> None:
        raise Interrupted

    earlier = signal.signal(signal.SIGALRM, raise_it)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def test_a_signal_handler_that_raises_while_a_call_waits_for_a_connection_loses_no_place(
    api: Switchable, few_connections: int, interrupting: None
) -> None:
    api.is_hanging = True
    client = sync_client(api.url)
    with ThreadPoolExecutor(few_connections) as threads:
        hanging = [threads.submit(update, client) for _ in range(few_connections)]
        while api.requests < few_connections:
            threading.Event().wait(0.001)
        interrupt_after(0.05)
        with pytest.raises(Interrupted):
            update(client)
        pool = sync_pool_of(client)
        assert pool._permits.semaphore.in_use == few_connections
        assert not pool._permits.semaphore._waiting
        client.close()
        for call in hanging:
            with pytest.raises(APIConnectionError):
                call.result()
    assert pool._permits.semaphore.in_use == 0


# An interruption between two lines of the standard library leaves an open socket to the garbage
# collector. That is not avoidable in Python, and nothing is lost.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
def test_a_signal_handler_that_raises_at_any_moment_loses_no_place(
    api: Switchable, few_connections: int, interrupting: None
) -> None:
    with sync_client(api.url) as client:
        assert update(client)
        interrupted = 0
        for microseconds in range(20, 2_000, 15):
            try:
                interrupt_after(microseconds / 1e6)
                update(client)
                interrupt_after(0)
            except Interrupted:
                interrupted += 1
        gc.collect()
        assert interrupted > 10
        assert sync_pool_of(client)._permits.semaphore.in_use == 0
        with ThreadPoolExecutor(few_connections) as threads:
            assert all(threads.map(update, [client] * few_connections))


def test_an_exception_raised_in_a_waiting_thread_passes_its_place_on(
    api: Switchable, few_connections: int
) -> None:
    """Like `PyThreadState_SetAsyncExc` of task queues that run in threads."""
    api.is_hanging = True
    client = sync_client(api.url)
    outcomes: queue.Queue[BaseException] = queue.Queue()

    def call() -> None:
        try:
            update(client.with_options(timeout=1.0))
        except BaseException as error:
            outcomes.put(error)

    with ThreadPoolExecutor(few_connections) as threads:
        hanging = [threads.submit(update, client) for _ in range(few_connections)]
        while api.requests < few_connections:
            threading.Event().wait(0.001)
        thread = threading.Thread(target=call)
        thread.start()
        pool = sync_pool_of(client)
        while not pool._permits.semaphore._waiting:
            threading.Event().wait(0.001)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Interrupted)
        )
        thread.join()
        assert isinstance(outcomes.get(), Interrupted)
        assert not pool._permits.semaphore._waiting
        client.close()
        for finished in hanging:
            with pytest.raises(APIConnectionError):
                finished.result()
    assert pool._permits.semaphore.in_use == 0


def test_a_call_that_waits_for_a_connection_of_a_closed_client_raises_client_closed(
    api: Switchable, few_connections: int
) -> None:
    api.is_hanging = True

    async def run() -> list[object]:
        client = async_client(api.url)
        calls = [asyncio.ensure_future(update_async(client)) for _ in range(few_connections + 1)]
        while api.requests < few_connections:
            await asyncio.sleep(0.001)
        await client.close()
        return [*await asyncio.gather(*calls, return_exceptions=True)]

    outcomes = asyncio.run(run())

    assert sum(isinstance(outcome, APIConnectionError) for outcome in outcomes) == few_connections
    assert sum(isinstance(outcome, ClientClosedError) for outcome in outcomes) == 1


def test_idle_connections_are_used_again_and_the_last_one_first(api: Switchable) -> None:
    async def run() -> None:
        async with async_client(api.url) as client:
            await asyncio.gather(*(update_async(client) for _ in range(5)))
            count = len(api.open_connections)
            for _ in range(10):
                assert await update_async(client)
            assert len(api.open_connections) == count <= 5

    asyncio.run(run())


@has_openssl
def test_a_call_over_tls_succeeds(
    call: Any, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with switchable(certificate.server_context()) as api:
        assert call(None, options={"base_url": api.url}).success


@has_openssl
def test_an_untrusted_certificate_is_a_connection_error(
    call: Any, certificate: Certificate
) -> None:
    with (
        switchable(certificate.server_context()) as api,
        pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        call(None, options={"base_url": api.url, "retries": 0})
    assert caught.value.failure == "never sent"


def bypass_no_proxy(_: str) -> bool:
    return False


@has_openssl
@pytest.mark.parametrize("has_tls", [False, True])
def test_a_call_through_a_proxy_succeeds(
    call: Any, has_tls: bool, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    proxy_context = certificate.server_context() if has_tls else None
    with (
        switchable(certificate.server_context()) as api,
        switchable(proxy_context, Proxy) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setattr("leadconnector._runtime.http.urls.proxy_bypass", bypass_no_proxy)
        assert call(None, options={"base_url": api.url, "retries": 0}).success
        assert proxy.requests == 1
