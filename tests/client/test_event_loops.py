"""Event loops, threads and processes that end leave no connection, no file and no memory behind."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
from asgiref.sync import async_to_sync
from leadconnector import (
    APIConnectionError,
    AsyncLeadConnector,
    ConfigurationError,
    LeadConnector,
    LeadConnectorError,
)

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN, Caller
from tests.support.outside import run_program
from tests.support.switchable import Switchable, switchable

Run = Callable[[Callable[[], Coroutine[Any, Any, object]]], object]


@pytest.fixture
def api() -> Iterator[Switchable]:
    """A server that can hang."""
    with switchable() as server:
        yield server


@pytest.fixture
def async_client(api: Switchable) -> AsyncLeadConnector:
    """A client that nobody closes, as that of a module."""
    return AsyncLeadConnector(token=TOKEN, base_url=api.url, rate_limit=None)


async def update(client: AsyncLeadConnector) -> bool:
    updated = await client.conversations.update_conversation(
        CONVERSATION_ID, location_id=LOCATION_ID, starred=True
    )
    return updated.success is True


def open_file_count() -> int:
    return len(os.listdir("/proc/self/fd"))


def run_asyncio(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    return asyncio.run(function())


def run_runner(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    with asyncio.Runner() as runner:
        return runner.run(function())


def run_anyio(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    return anyio.run(function)


def run_asgiref(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """As Django does."""
    return async_to_sync(function)()


def run_bare_loop(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """As Streamlit applications do: the loop does not close its async generators."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(function())
    finally:
        loop.close()


def run_in_thread(function: Callable[[], Coroutine[Any, Any, object]]) -> object:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run_asyncio, function).result()


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="/proc is missing")


@needs_proc
@pytest.mark.parametrize(
    "run", [run_asyncio, run_runner, run_anyio, run_asgiref, run_bare_loop, run_in_thread]
)
def test_finished_event_loops_leave_nothing_behind(
    api: Switchable, async_client: AsyncLeadConnector, run: Run
) -> None:
    loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()

    async def call() -> None:
        loops.add(asyncio.get_running_loop())
        assert await update(async_client.with_options(retries=1))

    run(call)
    before = open_file_count()
    for _ in range(40):
        run(call)
    gc.collect()

    # A loop that does not end in order keeps its connection until the next loop starts.
    assert open_file_count() <= before + 2
    assert len(async_client._connections._by_owner) <= 1
    assert len(loops) <= 1
    asyncio.run(async_client.close())


def test_an_event_loop_that_ends_in_order_closes_its_connections_at_once(
    api: Switchable, async_client: AsyncLeadConnector
) -> None:
    asyncio.run(update(async_client))

    assert async_client._connections._by_owner == {}
    assert async_client._connections._closers == {}


def test_a_client_that_is_only_collected_closes_its_connections(api: Switchable) -> None:
    async def run() -> None:
        client = AsyncLeadConnector(token=TOKEN, base_url=api.url)
        await update(client)
        del client
        gc.collect()
        while api.open_connections:
            await asyncio.sleep(0.001)

    asyncio.run(run())


# httpx warns about each call after that moment: it starts an asynchronous generator.
@pytest.mark.filterwarnings("ignore:asynchronous generator:ResourceWarning")
def test_a_call_in_an_event_loop_that_is_ending_succeeds(
    api: Switchable, async_client: AsyncLeadConnector
) -> None:
    outcomes: list[bool] = []

    async def generate() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            for _ in range(3):
                await asyncio.sleep(0.01)
                outcomes.append(await update(async_client))

    async def run() -> None:
        assert await update(async_client)
        generator = generate()
        await anext(generator)
        generators.append(generator)

    generators: list[object] = []
    for _ in range(3):
        asyncio.run(run())

    assert outcomes == [True] * 9
    asyncio.run(async_client.close())


def test_closing_a_client_closes_the_connections_of_other_event_loops(
    api: Switchable, async_client: AsyncLeadConnector
) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(update(async_client))

    asyncio.run(async_client.close())

    while api.open_connections:
        threading.Event().wait(0.001)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_closing_a_client_ends_the_calls_of_an_event_loop_in_another_thread(
    api: Switchable, async_client: AsyncLeadConnector
) -> None:
    api.is_hanging = True

    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(asyncio.run, update(async_client))
        while not api.requests:
            threading.Event().wait(0.001)
        asyncio.run(async_client.close())
        with pytest.raises(LeadConnectorError):
            call.result()


def test_event_loops_in_many_threads_share_a_client(
    api: Switchable, async_client: AsyncLeadConnector
) -> None:
    def run(_: int) -> bool:
        return asyncio.run(update(async_client))

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(run, range(100)))

    assert async_client._connections._by_owner == {}


@needs_proc
def test_short_threads_leave_nothing_behind(api: Switchable) -> None:
    def call() -> None:
        updated = client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        outcomes.append(updated.success is True)

    outcomes: list[bool] = []
    with LeadConnector(token=TOKEN, base_url=api.url, rate_limit=None) as client:
        before = open_file_count()
        for _ in range(200):
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
        # One connection has two ends in this process.
        assert open_file_count() <= before + 2
    assert outcomes == [True] * 200


FORKED_IN_A_LOOP = """
import asyncio, os, sys
from leadconnector import AsyncLeadConnector
url, token, ident = sys.argv[1:]
client = AsyncLeadConnector(token=token, base_url=url)
async def call():
    updated = await client.conversations.update_conversation(ident, location_id=ident)
    return updated.success is True
loop = asyncio.new_event_loop()
assert loop.run_until_complete(call())
child = os.fork()
if child == 0:
    assert asyncio.run(call()) and asyncio.run(call())
    os._exit(7)
assert loop.run_until_complete(call())
_, status = os.waitpid(child, 0)
loop.run_until_complete(client.close())
loop.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_connections_of_its_own_without_a_warning(api: Switchable) -> None:
    assert run_program(FORKED_IN_A_LOOP, api.url, "-W", "error") == (7, "")


WITHOUT_FILES = """
import os, resource, sys
import httpx
from leadconnector import LeadConnector, LeadConnectorError
url, token, ident = sys.argv[1:]
transport = httpx.MockTransport(lambda request: httpx.Response(500))
with LeadConnector(token=token, transport=transport, retries=0) as client:
    # The first call imports modules.
    try:
        client.conversations.update_conversation(ident, location_id=ident)
    except LeadConnectorError:
        pass
client = LeadConnector(token=token, base_url=url, retries=0)
if url.startswith("http:"):
    client.conversations.update_conversation(ident, location_id=ident)
    client._connections.transport()._connections.close_idle()
    client._connections.transport()._connections.is_closed = False
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
files = []
try:
    while True:
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    client.conversations.update_conversation(ident, location_id=ident)
except LeadConnectorError as error:
    message = f"{type(error).__name__} {error.failure} {error}"
for number in files:
    os.close(number)
sys.stderr.write(message)
"""


@needs_proc
@pytest.mark.parametrize("has_transport", [True, False])
def test_too_many_open_files_are_reported_as_such(api: Switchable, has_transport: bool) -> None:
    url = api.url if has_transport else "https://localhost:1"

    _, message = run_program(WITHOUT_FILES, url)

    assert message.startswith("APIConnectionError never sent ")
    assert "[Errno 24]" in message
    assert "PROXY" not in message
    assert "SSL" not in message


@pytest.mark.parametrize("number", [12, 23, 24, 28])
def test_any_error_of_the_operating_system_is_reported_with_its_number(
    call: Caller, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise OSError(number, os.strerror(number), "/home/somebody/secret")

    monkeypatch.setattr("leadconnector._runtime.http.transports.load_certificates", fail)
    with pytest.raises(APIConnectionError) as caught:
        call(None)

    assert f"[Errno {number}] {os.strerror(number)}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.attempts == 0


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_certificate_file_is_named(
    call: Caller, content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "certificates.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE names no usable") as caught:
        call(None)

    assert "PROXY" not in str(caught.value)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:SECRETpa/ss@proxy:3128",
        "http://user:SECRET@proxy:port",
        "ftp://user:SECRET@proxy",
        "socks5://user:SECRET@proxy:1080",
    ],
)
def test_an_unusable_proxy_variable_is_named_without_its_value(
    call: Caller, variable: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SOCKS needs a package, which many services do not install.
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(ConfigurationError, match=variable) as caught:
        call(None)

    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "SSL_CERT" not in str(caught.value)
