"""OAuth: one refresh for all callers, nothing lost on failure, and no secret shown."""

from __future__ import annotations

import asyncio
import copy
import datetime
import json
import logging
import math
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import httpx
import leadconnector.oauth.endpoint
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leadconnector import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    CredentialsError,
    OAuthError,
    ReauthorizationError,
)
from leadconnector._runtime.http import Limits
from leadconnector._runtime.secrets import Secret, Token
from leadconnector.oauth import FileTokenStore, MemoryTokenStore, OAuth, Tokens, TokenStore
from leadconnector_emulator import Emulator, EmulatorTransport, Fault, Request, Server
from leadconnector_emulator import TokenEndpoint as EmulatedEndpoint

from tests.support.calling import LOCATION_ID
from tests.support.oauth_process import CALLERS, get_many_tokens
from tests.support.paths import ROOT

NOW = 1_700_000_000.0
URL = "http://127.0.0.1:1"
SECRETS = ("client-secret", "refresh-0", "access-0", "refresh-1", "access-1")
FIRST_TOKENS = ("access-0", "refresh-0")
VALID_UNTIL = NOW + 9e4
INVALID_LIFETIMES: list[object] = [..., None, -1, 0, "3600", math.nan, [], -math.inf]
UNBOUNDED_LIFETIMES: list[object] = [1e300, 10**400, math.inf]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class ScriptedEndpoint(httpx.BaseTransport):
    """A token endpoint with scripted responses, and `success_response` after them."""

    def __init__(
        self, *responses: Callable[[], httpx.Response] | httpx.Response | Exception
    ) -> None:
        self.forms: list[dict[str, str]] = []
        self.timeouts: object = None
        self.closed = False
        self.arrived = threading.Event()
        # While it is cleared, requests wait for their response.
        self.gate = threading.Event()
        self.gate.set()
        self._responses = list(responses)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.forms.append(dict(httpx.QueryParams(request.read().decode())))
        number = len(self.forms)
        self.timeouts = request.extensions["timeout"]
        self.arrived.set()
        assert self.gate.wait(10)
        if not self._responses:
            return success_response(number)
        response = self._responses.pop(0)
        if isinstance(response, Exception):
            raise response
        if isinstance(response, httpx.Response):
            return response
        return response()

    def close(self) -> None:
        self.closed = True


def success_response(number: int = 1, **changes: object) -> httpx.Response:
    """The response to a refresh; `...` removes a member."""
    members: dict[str, object] = {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "expires_in": 86_399,
        **changes,
    }
    present = {name: value for name, value in members.items() if value is not ...}
    return httpx.Response(200, content=json.dumps(present))


class ScriptedStore:
    """A custom store whose methods raise the scripted errors."""

    def __init__(self, tokens: Any) -> None:
        self.tokens: Any = tokens
        self.errors: dict[str, BaseException] = {}
        self.saves = 0
        self._lock = threading.Lock()

    def load(self) -> Tokens | None:
        if "load" in self.errors:
            raise self.errors["load"]
        tokens: Tokens | None = self.tokens
        return tokens

    def save(self, tokens: Tokens) -> None:
        self.saves += 1
        if "save" in self.errors:
            raise self.errors["save"]
        self.tokens = tokens

    def lock(self) -> AbstractContextManager[object]:
        if "lock" in self.errors:
            raise self.errors["lock"]
        return self._lock


def outcomes_of_five_tasks(oauth: OAuth, endpoint: ScriptedEndpoint) -> list[object]:
    """The outcomes of five tasks that wait for the same response of the endpoint."""

    async def run() -> list[object]:
        tasks = [asyncio.create_task(oauth.get_token_async(URL, None, None)) for _ in range(5)]
        await asyncio.to_thread(endpoint.arrived.wait, 10)
        endpoint.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def valid_tokens() -> Tokens:
    return Tokens(*FIRST_TOKENS, VALID_UNTIL)


def expired_tokens(access: str = FIRST_TOKENS[0], refresh: str = FIRST_TOKENS[1]) -> Tokens:
    return Tokens(access, refresh, NOW - 1)


def make_oauth(
    store: TokenStore,
    transport: httpx.BaseTransport | None = None,
    clock: Any = None,
    **options: Any,
) -> OAuth:
    credentials = {"client_id": "client", "client_secret": "client-secret"}
    arguments: dict[str, Any] = {**credentials, "store": store, **options}
    return OAuth(transport=transport, clock=clock or Clock(), **arguments)


def get_token(oauth: OAuth, rejected: str | None = None, timeout: float | None = 20.0) -> str:
    rejected_token = Token(Secret(rejected)) if rejected else None
    return oauth.get_token(URL, rejected_token, timeout).reveal()


def refresh_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "leadconnector-refresh"]


def wait_for_refreshes() -> None:
    for thread in refresh_threads():
        thread.join(10)


@pytest.fixture
def token_endpoint() -> EmulatedEndpoint:
    return EmulatedEndpoint(refresh_tokens={"refresh-0": LOCATION_ID})


@pytest.fixture
def server(token_endpoint: EmulatedEndpoint) -> Iterator[Server]:
    with Server(Emulator(token_endpoint=token_endpoint)) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    FileTokenStore(path).save(Tokens("access-0", "refresh-0", 0.0))
    return path


@contextmanager
def token_process(
    command: str, path: Path, url: str = "-", rejected: str = ""
) -> Generator[subprocess.Popen[str]]:
    """A process that runs `oauth_process` and is ready."""
    script = ROOT / "tests" / "support" / "oauth_process.py"
    command_line = [sys.executable, str(script), command, str(path), url, rejected]
    import_paths = [str(ROOT / name) for name in (".", "overrides", "tools")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(import_paths)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command_line, env=environment, **pipes) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().strip() in {"ready", "locked"}
            yield running
        finally:
            running.kill()


class TestSharedRefresh:
    @pytest.mark.parametrize("is_rejected", [False, True])
    def test_threads_tasks_and_processes_share_one_refresh(
        self, server: Server, token_endpoint: EmulatedEndpoint, path: Path, is_rejected: bool
    ) -> None:
        rejected = "access-0" if is_rejected else ""
        # A rejected token looks valid; any other has expired.
        expires_at = 4e9 if is_rejected else 0.0
        store = FileTokenStore(path)
        store.save(Tokens("access-0", "refresh-0", expires_at))
        with ExitStack() as stack:
            processes = [
                stack.enter_context(token_process("get-tokens", path, server.url, rejected))
                for _ in range(4)
            ]
            for running in processes:
                assert running.stdin is not None
                running.stdin.write("go\n")
                running.stdin.flush()
            oauth = OAuth(client_id="client", client_secret="client-secret", store=store)
            results = get_many_tokens(oauth, server.url, rejected, threads=50, tasks=50)
            for running in processes:
                output, _ = running.communicate(timeout=60)
                results += output.split()
        stored = store.load()
        assert stored is not None
        assert token_endpoint.refreshes == 1
        assert results == [stored.access_token] * (100 + 4 * 2 * CALLERS)
        location = token_endpoint.location(stored.access_token, server.emulator.clock())
        assert location == LOCATION_ID

    def test_two_stores_on_one_path_share_one_refresh_even_through_a_link(
        self, path: Path, tmp_path: Path
    ) -> None:
        endpoint = ScriptedEndpoint()
        link = tmp_path / "link.json"
        link.symlink_to(path)
        direct = make_oauth(FileTokenStore(path), endpoint)
        linked = make_oauth(FileTokenStore(link), endpoint)
        assert [get_token(direct), get_token(linked)] == ["access-1", "access-1"]
        assert len(endpoint.forms) == 1
        assert link.is_symlink()

    def test_a_token_stored_by_another_process_is_used_without_a_request_and_without_a_save(
        self,
    ) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(store, endpoint, clock)
        assert get_token(oauth) == "access-1"
        store.tokens = Tokens("from-elsewhere", "refresh-9", NOW + 9e4)
        clock.now += 60
        assert get_token(oauth, "access-1") == "from-elsewhere"
        assert (len(endpoint.forms), store.saves) == (1, 1)

    def test_a_rejected_token_is_replaced_once_for_all_callers(self) -> None:
        endpoint = ScriptedEndpoint()
        oauth = make_oauth(MemoryTokenStore(valid_tokens()), endpoint)
        assert get_token(oauth) == "access-0"
        assert {get_token(oauth, "access-0") for _ in range(5)} == {"access-1"}
        assert len(endpoint.forms) == 1

    def test_a_new_token_is_not_replaced_after_a_rejection(self) -> None:
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint, clock)
        assert [get_token(oauth), get_token(oauth, "access-1")] == ["access-1", "access-1"]
        clock.now += 31
        assert get_token(oauth, "access-1") == "access-2"

    def test_a_valid_token_needs_no_lock_and_no_store(self) -> None:
        store = ScriptedStore(valid_tokens())
        clock = Clock()
        oauth = make_oauth(store, ScriptedEndpoint(), clock)
        assert get_token(oauth) == "access-0"
        store.errors = dict.fromkeys(("load", "lock", "save"), OSError())
        with store._lock:
            assert get_token(oauth) == "access-0"


class TestRequest:
    def test_the_request_is_the_documented_form_with_timeouts(self) -> None:
        endpoint = ScriptedEndpoint()
        get_token(make_oauth(MemoryTokenStore(expired_tokens()), endpoint))
        form = {
            "client_id": "client",
            "client_secret": "client-secret",
            "grant_type": "refresh_token",
            "refresh_token": "refresh-0",
            "user_type": "Location",
        }
        assert endpoint.forms == [form]
        assert endpoint.timeouts == {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 30.0}
        assert not endpoint.closed

    def test_the_request_goes_to_the_token_url_option(
        self, server: Server, token_endpoint: EmulatedEndpoint
    ) -> None:
        token_url = f"{server.url}/oauth/token"
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), token_url=token_url)
        token = oauth.get_token("https://elsewhere.invalid", None, 20)
        assert token.reveal().startswith("access-")
        assert token_endpoint.refreshes == 1

    @pytest.mark.parametrize(
        "url", ["http://example.com/oauth/token", "ftp://x", "https://u:p@x/y", "nonsense"]
    )
    def test_a_token_url_that_would_send_secrets_in_clear_is_rejected(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="token_url"):
            make_oauth(MemoryTokenStore(expired_tokens()), token_url=url)

    @pytest.mark.parametrize(
        "options",
        [{"client_id": ""}, {"client_secret": ""}, {"client_secret": "se\ncret"}],
    )
    def test_invalid_credentials_are_rejected_without_showing_them(
        self, options: dict[str, Any]
    ) -> None:
        with pytest.raises(ConfigurationError) as raised:
            make_oauth(MemoryTokenStore(expired_tokens()), **options)
        assert "se\\ncret" not in traceback_text(raised.value)

    def test_a_failed_connection_is_retried(
        self, server: Server, token_endpoint: EmulatedEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_up = socket.getaddrinfo
        attempts: list[object] = []

        def fail_once(host: Any, *args: Any, **options: Any) -> Any:
            attempts.append(host)
            if len(attempts) == 1:
                raise ConnectionRefusedError(111, "Connection refused")
            return look_up(host, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", fail_once)
        token = make_oauth(MemoryTokenStore(expired_tokens())).get_token(server.url, None, 20)
        assert token.reveal().startswith("access-")
        assert (len(attempts), token_endpoint.refreshes) == (2, 1)

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (httpx.ReadTimeout("refresh-0"), APITimeoutError),
            (httpx.ReadError("client-secret"), APIConnectionError),
            (httpx.RemoteProtocolError("illegal: bytearray(b'access-1')"), APIConnectionError),
            (ConnectionResetError("refresh-0"), APIConnectionError),
            (httpx.ConnectError("a custom transport retries by itself"), APIConnectionError),
        ],
    )
    def test_a_request_that_may_have_used_up_the_refresh_token_is_not_retried(
        self, error: Exception, kind: type[APIConnectionError]
    ) -> None:
        endpoint = ScriptedEndpoint(error)
        with pytest.raises(kind) as raised:
            get_token(make_oauth(MemoryTokenStore(expired_tokens()), endpoint))
        assert (raised.value.attempts, len(endpoint.forms)) == (1, 1)
        assert "no complete response" in str(raised.value)
        assert_no_secret_in(raised.value)


class TestRefreshAhead:
    def test_callers_get_a_token_that_expires_soon_while_one_refresh_runs(self) -> None:
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(MemoryTokenStore(valid_tokens()), endpoint, clock)
        assert get_token(oauth) == "access-0"
        endpoint.gate.clear()
        clock.now = VALID_UNTIL - 299
        assert [get_token(oauth) for _ in range(50)] == ["access-0"] * 50
        endpoint.gate.set()
        wait_for_refreshes()
        assert get_token(oauth) == "access-1"
        assert len(endpoint.forms) == 1

    def test_a_failed_refresh_of_a_valid_token_is_retried_after_half_a_minute(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        endpoint = ScriptedEndpoint(*[httpx.ReadError("refresh-0")] * 3)
        clock = Clock()
        oauth = make_oauth(MemoryTokenStore(valid_tokens()), endpoint, clock)
        get_token(oauth)
        clock.now = VALID_UNTIL - 299
        for seconds, requests in ((0, 1), (29, 1), (2, 2), (10, 2), (21, 3)):
            clock.now += seconds
            for _ in range(3):
                assert get_token(oauth) == "access-0"
                wait_for_refreshes()
            assert len(endpoint.forms) == requests
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
        assert "was not refreshed" in caplog.text
        assert not any(secret in caplog.text for secret in SECRETS)
        clock.now = VALID_UNTIL
        assert get_token(oauth) == "access-4"

    def test_a_token_with_a_short_life_is_not_refreshed_all_the_time(self) -> None:
        endpoint = ScriptedEndpoint(success_response(1, expires_in=100))
        clock = Clock()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint, clock)
        for _ in range(50):
            assert get_token(oauth) == "access-1"
            clock.now += 0.9
        wait_for_refreshes()
        assert len(endpoint.forms) == 1
        clock.now = NOW + 100
        assert get_token(oauth) == "access-2"

    @pytest.mark.parametrize("jump", [-1e6, 1e6])
    def test_a_clock_jump_causes_at_most_one_refresh(self, jump: float) -> None:
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint, clock)
        get_token(oauth)
        clock.now += jump
        get_token(oauth)
        assert get_token(oauth, "access-1") in {"access-2"}
        assert [get_token(oauth) for _ in range(5)] == ["access-2"] * 5
        assert len(endpoint.forms) == 2


class TestInterruption:
    def test_a_timeout_of_one_caller_does_not_interrupt_the_refresh(self) -> None:
        endpoint = ScriptedEndpoint()
        store = ScriptedStore(expired_tokens())
        endpoint.gate.clear()
        oauth = make_oauth(store, endpoint)
        with pytest.raises(TimeoutError):
            get_token(oauth, timeout=0.001)
        endpoint.gate.set()
        assert get_token(oauth) == "access-1"
        assert store.tokens.refresh_token == "refresh-1"
        assert len(endpoint.forms) == 1

    def test_a_cancelled_task_does_not_interrupt_the_refresh(self) -> None:
        endpoint = ScriptedEndpoint()
        store = ScriptedStore(expired_tokens())
        endpoint.gate.clear()
        oauth = make_oauth(store, endpoint)

        async def run() -> list[object]:
            tasks = [asyncio.create_task(oauth.get_token_async(URL, None, None)) for _ in range(3)]
            await asyncio.to_thread(endpoint.arrived.wait, 10)
            tasks[0].cancel()
            await asyncio.sleep(0)
            endpoint.gate.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

        cancelled, *outcomes = asyncio.run(run())
        assert isinstance(cancelled, asyncio.CancelledError)
        tokens = [outcome.reveal() for outcome in outcomes if isinstance(outcome, Token)]
        assert tokens == ["access-1"] * 2
        assert store.tokens.refresh_token == "refresh-1"

    def test_new_tokens_are_saved_after_the_event_loop_ended(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        endpoint = ScriptedEndpoint()
        store = ScriptedStore(expired_tokens())
        endpoint.gate.clear()
        oauth = make_oauth(store, endpoint)

        async def run() -> None:
            task = asyncio.create_task(oauth.get_token_async(URL, None, None))
            await asyncio.to_thread(endpoint.arrived.wait, 10)
            with suppress(TimeoutError):
                await oauth.get_token_async(URL, None, 0.001)
            assert not task.done()

        asyncio.run(run())
        endpoint.gate.set()
        wait_for_refreshes()
        assert store.tokens.refresh_token == "refresh-1"
        assert caplog.records == []

    def test_tasks_of_several_event_loops_wait_for_the_same_refresh(self) -> None:
        endpoint = ScriptedEndpoint()
        endpoint.gate.clear()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint)
        results: list[str] = []

        def run() -> None:
            token = asyncio.run(oauth.get_token_async(URL, None, 20))
            results.append(token.reveal())

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert endpoint.arrived.wait(10)
        endpoint.gate.set()
        for thread in threads:
            thread.join()
        assert results == ["access-1"] * 4
        assert len(endpoint.forms) == 1

    def test_each_waiter_gets_its_own_exception(self) -> None:
        endpoint = ScriptedEndpoint(httpx.Response(400, json={"error": "invalid_grant"}))
        endpoint.gate.clear()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint)

        outcomes = outcomes_of_five_tasks(oauth, endpoint)
        assert len({id(outcome) for outcome in outcomes}) == 5
        for outcome in outcomes:
            assert isinstance(outcome, ReauthorizationError)
            assert (outcome.status_code, outcome.error) == (400, "invalid_grant")

    def test_all_waiters_share_one_failed_request(self) -> None:
        endpoint = ScriptedEndpoint(httpx.Response(500))
        endpoint.gate.clear()
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint)

        outcomes = outcomes_of_five_tasks(oauth, endpoint)
        assert [type(outcome) for outcome in outcomes] == [OAuthError] * 5
        assert len(endpoint.forms) == 1

    def test_the_interpreter_waits_for_a_refresh_that_a_daemon_thread_started(self) -> None:
        endpoint = ScriptedEndpoint()
        endpoint.gate.clear()
        waiting = threading.Thread(
            target=get_token,
            args=(make_oauth(MemoryTokenStore(expired_tokens()), endpoint),),
            daemon=True,
        )
        waiting.start()
        assert endpoint.arrived.wait(10)
        assert [thread.daemon for thread in refresh_threads()] == [False]
        endpoint.gate.set()
        waiting.join()
        wait_for_refreshes()

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
    def test_a_thread_that_does_not_start_leaves_no_waiter(
        self, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), ScriptedEndpoint())

        def fail_to_start(self: threading.Thread) -> None:
            raise kind

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail_to_start)
            with pytest.raises(kind):
                get_token(oauth)
        assert get_token(oauth) == "access-1"

    # Python 3.12 warns of a fork in a process with threads, which is the case under test.
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    @pytest.mark.parametrize("kind", ["memory", "file"])
    def test_a_fork_during_a_refresh_neither_waits_for_it_nor_keeps_its_lock(
        self, path: Path, kind: str
    ) -> None:
        endpoint = ScriptedEndpoint()
        clock = Clock()
        endpoint.gate.clear()
        store: TokenStore = MemoryTokenStore(expired_tokens())
        if kind == "file":
            store = FileTokenStore(path)
        oauth = make_oauth(store, endpoint, clock)
        waiting = threading.Thread(target=get_token, args=(oauth,))
        waiting.start()
        assert endpoint.arrived.wait(10)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                # The parent locks the file until its refresh ends. The child locks its own memory.
                endpoint.gate = threading.Event()
                endpoint.gate.set()
                os.close(write_end)
                os.read(read_end, 1)
                token = get_token(oauth, timeout=10.0)
                status = 0 if token.startswith("access-") else 2
            finally:
                os._exit(status)
        os.close(read_end)
        try:
            endpoint.gate.set()
            waiting.join()
            if kind == "file":
                # The child still has the files that the parent had opened.
                with store.lock():
                    pass
        finally:
            os.close(write_end)
            assert os.waitpid(child, 0)[1] == 0
        assert get_token(oauth) == "access-1"


MEMBER_NAMES = ["access_token", "refresh_token", "expires_in", "error"]


def json_containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner) | st.dictionaries(st.sampled_from(MEMBER_NAMES), inner)


response_bodies = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), json_containers, max_leaves=8
)


class TestResponse:
    def test_a_rejected_refresh_token_is_not_sent_again(self) -> None:
        endpoint = ScriptedEndpoint(httpx.Response(400, json={"error": "invalid_grant"}))
        store = ScriptedStore(expired_tokens())
        oauth = make_oauth(store, endpoint)
        for _ in range(3):
            with pytest.raises(ReauthorizationError, match="authorize anew") as raised:
                get_token(oauth)
            assert (raised.value.status_code, raised.value.error) == (400, "invalid_grant")
        assert len(endpoint.forms) == 1
        store.tokens = expired_tokens("access-7", "refresh-7")
        assert get_token(oauth) == "access-2"

    def test_rejections_of_the_emulator_have_their_status_and_error_code(
        self, server: Server
    ) -> None:
        unknown = make_oauth(MemoryTokenStore(expired_tokens(refresh="unknown")))
        with pytest.raises(ReauthorizationError) as raised:
            unknown.get_token(server.url, None, 20)
        assert (raised.value.status_code, raised.value.error) == (400, "invalid_grant")
        wrong = make_oauth(MemoryTokenStore(expired_tokens()), client_secret="wrong-client-secret")
        with pytest.raises(OAuthError) as raised_for_secret:
            wrong.get_token(server.url, None, 20)
        error = raised_for_secret.value
        assert type(error) is OAuthError
        assert (error.status_code, error.error) == (401, "invalid_client")
        assert_no_secret_in(error)

    @pytest.mark.parametrize(
        ("status", "body", "error"),
        [
            (200, "<html>refresh-0</html>", ""),
            (200, "", ""),
            (200, "null", ""),
            (200, "[" * 100_000, ""),
            (200, '{"access_token": null, "refresh_token": null}', ""),
            (200, '{"access_token": null, "refresh_token": "refresh-1"}', ""),
            (200, '{"access_token": "access-1\\r\\nX: y"}', ""),
            (500, '{"error": "server_error"}', "server_error"),
            (500, "", ""),
            (503, '{"error": "It is client-secret"}', ""),
            (400, '{"error": {"client-secret": 1}, "error_description": "refresh-0"}', ""),
            (307, "", ""),
            (307, '{"access_token": "access-1", "refresh_token": "refresh-1"}', ""),
        ],
    )
    def test_an_invalid_response_raises_without_showing_it_and_keeps_the_store(
        self, status: int, body: str, error: str
    ) -> None:
        store = ScriptedStore(expired_tokens())
        clock = Clock()
        oauth = make_oauth(store, ScriptedEndpoint(httpx.Response(status, content=body)), clock)
        with pytest.raises(OAuthError) as raised:
            get_token(oauth)
        assert (raised.value.status_code, raised.value.error, store.saves) == (status, error, 0)
        assert_no_secret_in(raised.value)
        clock.now += 300
        assert get_token(oauth) == "access-2"

    @pytest.mark.parametrize(
        ("expires_in", "lifetime"),
        [
            (3600, 3600.0),
            (0.5, 0.5),
            *[(expires_in, 86_400.0) for expires_in in INVALID_LIFETIMES],
            *[(expires_in, 1e11) for expires_in in UNBOUNDED_LIFETIMES],
        ],
    )
    def test_a_token_expires_as_the_response_says_or_after_a_day(
        self, expires_in: object, lifetime: float
    ) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint(success_response(1, expires_in=expires_in))
        assert get_token(make_oauth(store, endpoint)) == "access-1"
        assert store.tokens.expires_at == NOW + lifetime

    @pytest.mark.parametrize("refresh_token", [..., None, "", 7])
    def test_the_refresh_token_stays_if_the_response_has_no_new_one(
        self, refresh_token: object
    ) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint(success_response(1, refresh_token=refresh_token))
        assert get_token(make_oauth(store, endpoint)) == "access-1"
        assert store.tokens.refresh_token == "refresh-0"

    @given(response_bodies, st.sampled_from([200, 201, 400, 401, 500]))
    def test_any_response_is_a_token_or_an_oauth_error(self, body: Any, status: int) -> None:
        store = ScriptedStore(expired_tokens())
        response = httpx.Response(status, content=json.dumps(body))
        oauth = make_oauth(store, ScriptedEndpoint(response))
        # Any other exception fails the test.
        with suppress(OAuthError):
            assert get_token(oauth) == store.tokens.access_token == body["access_token"]

    def test_a_response_that_drips_times_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seconds = iter(range(1000))

        def drip() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"access-1"

        # Each look at this clock takes a second.
        limits = Limits(clock=lambda: float(next(seconds)))
        monkeypatch.setattr(leadconnector.oauth.endpoint, "LIMITS", limits)
        endpoint = ScriptedEndpoint(lambda: httpx.Response(200, content=drip()))
        with pytest.raises(APITimeoutError) as raised:
            get_token(make_oauth(MemoryTokenStore(expired_tokens()), endpoint))
        assert_no_secret_in(raised.value)

    @pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"truncate": 20}])
    def test_an_incomplete_response_is_a_connection_error(self, server: Server, fault: Any) -> None:
        server.emulator.set_faults(Fault(**fault))
        with pytest.raises(APIConnectionError) as raised:
            make_oauth(MemoryTokenStore(expired_tokens())).get_token(server.url, None, 20)
        assert_no_secret_in(raised.value)


class VaultError(OSError):
    """An error of a library whose base class is `OSError`, such as requests."""


ERRORS_WITH_A_TOKEN: list[Exception] = [
    URLError("PUT https://vault.example/?token=refresh-1"),
    VaultError("PUT https://vault.example/?token=refresh-1"),
    VaultError(5, "PUT https://vault.example/?token=refresh-1"),
    OSError("refresh-1"),
    OSError(5, "refresh-1"),
    TimeoutError("refresh-1"),
    ConnectionError("refresh-1", "refresh-1"),
    socket.gaierror(-2, "refresh-1"),
    ImportError("refresh-1"),
    ModuleNotFoundError("refresh-1"),
    RuntimeError("refresh-1"),
    OSError(5, "broken", "/vault/refresh-1"),
]
"""What the store of a caller can raise. The last one has the token in the name of a file."""


class TestStore:
    def test_unsaved_tokens_are_used_and_saved_later(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(store, endpoint, clock)
        store.errors["save"] = RuntimeError("access-1")
        assert [get_token(oauth) for _ in range(5)] == ["access-1"] * 5
        assert [(record.name, record.levelname) for record in caplog.records] == [
            ("leadconnector", "ERROR")
        ]
        assert not any(secret in caplog.text for secret in SECRETS)
        assert store.saves == 1
        store.errors.clear()
        clock.now += 31
        # The store still has the used-up refresh token. The unsaved one must be used.
        assert get_token(oauth, "access-1") == "access-2"
        assert (endpoint.forms[1]["refresh_token"], store.tokens.refresh_token) == (
            "refresh-1",
            "refresh-2",
        )

    def test_unsaved_valid_tokens_are_saved_later_without_another_refresh(self) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(store, endpoint, clock)
        store.errors["save"] = OSError()
        assert get_token(oauth) == "access-1"
        store.errors.clear()
        # It is too new to be replaced, but it is saved now.
        assert get_token(oauth, "access-1") == "access-1"
        assert (store.tokens.refresh_token, len(endpoint.forms)) == ("refresh-1", 1)

    def test_tokens_that_can_never_be_saved_are_still_refreshed(self) -> None:
        store = ScriptedStore(expired_tokens())
        endpoint = ScriptedEndpoint()
        clock = Clock()
        oauth = make_oauth(store, endpoint, clock)
        store.errors["save"] = OSError(28, "No space left on device")
        for number in range(1, 5):
            assert get_token(oauth) == f"access-{number}"
            clock.now += 9e4
        refresh_tokens = [form["refresh_token"] for form in endpoint.forms]
        assert refresh_tokens == ["refresh-0", "refresh-1", "refresh-2", "refresh-3"]

    def test_newer_tokens_in_the_store_replace_unsaved_ones(self) -> None:
        store = ScriptedStore(expired_tokens())
        clock = Clock()
        oauth = make_oauth(store, ScriptedEndpoint(), clock)
        store.errors["save"] = OSError()
        get_token(oauth)
        store.errors.clear()
        store.tokens = Tokens("authorized", "anew", NOW + 9e4)
        clock.now += 31
        assert get_token(oauth, "access-1") == "authorized"
        assert store.tokens.refresh_token == "anew"

    def test_the_log_of_a_failed_background_refresh_shows_only_the_class_of_a_store_error(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = ScriptedStore(valid_tokens())
        clock = Clock()
        oauth = make_oauth(store, ScriptedEndpoint(), clock)
        get_token(oauth)
        store.errors["load"] = RuntimeError("refresh-0")
        clock.now = VALID_UNTIL - 1
        assert get_token(oauth) == "access-0"
        wait_for_refreshes()
        assert "RuntimeError" in caplog.text
        assert "refresh-0" not in caplog.text

    @pytest.mark.parametrize("error", ERRORS_WITH_A_TOKEN, ids=repr)
    def test_the_log_of_a_failed_save_shows_no_token(
        self, caplog: pytest.LogCaptureFixture, error: Exception
    ) -> None:
        store = ScriptedStore(expired_tokens())
        store.errors["save"] = error
        assert get_token(make_oauth(store, ScriptedEndpoint())) == "access-1"
        assert "could not be saved" in caplog.text
        assert "refresh-1" not in caplog.text

    @pytest.mark.parametrize("method", ["lock", "load"])
    @pytest.mark.parametrize("error", ERRORS_WITH_A_TOKEN[:-1], ids=repr)
    def test_the_message_for_a_store_error_shows_no_text_of_it(
        self, method: str, error: Exception
    ) -> None:
        store = ScriptedStore(expired_tokens())
        store.errors[method] = error
        with pytest.raises(CredentialsError) as raised:
            get_token(make_oauth(store, ScriptedEndpoint()))
        assert "refresh-1" not in str(raised.value)

    def test_the_message_for_a_store_error_names_its_reason_and_its_file(self) -> None:
        store = ScriptedStore(expired_tokens())
        store.errors["load"] = PermissionError(13, "Permission denied", "tokens.json")
        with pytest.raises(CredentialsError, match=r"Permission denied: 'tokens\.json'"):
            get_token(make_oauth(store, ScriptedEndpoint()))

    @pytest.mark.parametrize("method", ["lock", "load"])
    @pytest.mark.parametrize(
        "error", [RuntimeError("refresh-0"), OSError(5, "broken"), SystemExit(1)]
    )
    def test_a_store_error_is_the_cause_of_a_credentials_error(
        self, method: str, error: BaseException
    ) -> None:
        store = ScriptedStore(expired_tokens())
        store.errors[method] = error
        oauth = make_oauth(store, ScriptedEndpoint())
        with pytest.raises(CredentialsError) as raised:
            get_token(oauth)
        assert raised.value.__cause__ is error
        assert "refresh-0" not in str(raised.value)
        store.errors.clear()
        assert get_token(oauth) == "access-1"

    @pytest.mark.parametrize(
        "tokens", [None, {"access_token": "access-0"}, Tokens("", "", 0.0), Tokens("", "\n", 0.0)]
    )
    def test_a_store_without_tokens_raises_and_sends_nothing(self, tokens: Any) -> None:
        endpoint = ScriptedEndpoint()
        with pytest.raises(CredentialsError, match="the token store has no") as raised:
            get_token(make_oauth(ScriptedStore(tokens), endpoint))
        assert_no_secret_in(raised.value)
        assert endpoint.forms == []

    def test_a_refresh_token_alone_is_enough(self) -> None:
        store = MemoryTokenStore(Tokens("", "refresh-0", 0.0))
        assert get_token(make_oauth(store, ScriptedEndpoint())) == "access-1"


class TestFileStore:
    def test_the_file_is_private_and_complete_and_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        link = tmp_path / "link.json"
        link.symlink_to(tmp_path / "real" / "tokens.json")
        store = FileTokenStore(link)
        umask = os.umask(0)
        try:
            assert store.load() is None
            store.save(expired_tokens())
            with store.lock():
                pass
        finally:
            os.umask(umask)
        assert store.load() == expired_tokens()
        assert link.is_symlink()
        files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "real").iterdir()}
        assert files == {"tokens.json": 0o600, "tokens.json.lock": 0o600}

    def test_a_save_survives_a_power_cut(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        operations: list[tuple[str, str]] = []
        fsync = os.fsync
        replace = os.replace

        def record_fsync(descriptor: int) -> None:
            operations.append(("fsync", os.readlink(f"/dev/fd/{descriptor}")))
            fsync(descriptor)

        def record_replace(source: str, target: str) -> None:
            operations.append(("rename", target))
            replace(source, target)

        monkeypatch.setattr(os, "fsync", record_fsync)
        monkeypatch.setattr(os, "replace", record_replace)
        FileTokenStore(path).save(expired_tokens())
        # Without the last step, a power cut can undo the rename.
        assert operations == [
            ("fsync", f"{path}.new"),
            ("rename", str(path)),
            ("fsync", str(path.parent)),
        ]

    @pytest.mark.parametrize("function", ["open", "fsync"])
    @pytest.mark.parametrize("error", [PermissionError(13, "Windows"), OSError(22, "NFS")])
    def test_a_directory_that_cannot_be_synced_fails_no_save(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, function: str, error: OSError
    ) -> None:
        original: Callable[..., Any] = getattr(os, function)
        directory_calls: list[object] = []

        def fail_for_directories(target: Any, *arguments: Any) -> Any:
            if os.path.isdir(target if isinstance(target, str) else f"/dev/fd/{target}"):
                directory_calls.append(target)
                raise error
            return original(target, *arguments)

        descriptors = set(os.listdir("/dev/fd"))
        with monkeypatch.context() as patch:
            patch.setattr(os, function, fail_for_directories)
            FileTokenStore(path).save(Tokens("new", "new", NOW))
        assert len(directory_calls) == 1
        assert FileTokenStore(path).load() == Tokens("new", "new", NOW)
        assert set(os.listdir("/dev/fd")) == descriptors

    @given(
        access=st.from_regex(r"([A-Za-z0-9._~+/-]+=*)?", fullmatch=True),
        refresh=st.text(st.characters(), min_size=1),
        expires_at=st.floats(0, 1e11),
        obtained_at=st.floats(0, 1e11),
        replacements=st.lists(st.floats(1, 1e10), max_size=2).map(tuple),
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_saved_tokens_are_loaded_unchanged(
        self,
        tmp_path: Path,
        access: str,
        refresh: str,
        expires_at: float,
        obtained_at: float,
        replacements: tuple[float, ...],
    ) -> None:
        store = FileTokenStore(tmp_path / "tokens.json")
        tokens = Tokens(access, refresh, expires_at, obtained_at, replacements)
        store.save(tokens)
        assert store.load() == tokens

    def test_a_file_of_an_earlier_version_is_loaded(self, path: Path) -> None:
        members = {"access_token": "a", "refresh_token": "r", "expires_at": NOW}
        path.write_text(json.dumps(members))
        assert FileTokenStore(path).load() == Tokens("a", "r", NOW)

    @pytest.mark.parametrize(
        "value", [None, "1", {}, [None], ["x"], [[1.0]], [math.nan], [math.inf], [-1], True]
    )
    def test_invalid_times_in_a_file_are_ignored(self, path: Path, value: object) -> None:
        members = {"access_token": "a", "refresh_token": "r", "expires_at": NOW}
        path.write_text(json.dumps({**members, "replacements": value}))
        assert FileTokenStore(path).load() == Tokens("a", "r", NOW)

    @pytest.mark.parametrize(
        "expiry_member", ["", ', "expires_at": NaN', ', "expires_at": "1"', ', "expires_at": -1']
    )
    def test_a_token_without_a_valid_expiry_is_refreshed(
        self, path: Path, expiry_member: str
    ) -> None:
        members = f'"access_token": "access-0", "refresh_token": "refresh-0"{expiry_member}'
        path.write_text(f"{{{members}}}")
        assert get_token(make_oauth(FileTokenStore(path), ScriptedEndpoint())) == "access-1"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"refresh-0",
            b"\xff\xfe",
            b"null",
            b"[]",
            b"[" * 100_000,
            b'{"access_token": "access-0", "expires_at": 1}',
            b'[["access_token", "access-0"], ["refresh_token", "refresh-0"]]',
            b'{"access_token": "access-0", "refresh_token": ["refresh-0"], "expires_at": 1}',
        ],
    )
    def test_a_file_without_tokens_is_named_but_its_content_is_not_shown(
        self, path: Path, content: bytes
    ) -> None:
        path.write_bytes(content)
        with pytest.raises(CredentialsError) as raised:
            get_token(make_oauth(FileTokenStore(path), ScriptedEndpoint()))
        assert str(path) in str(raised.value)
        assert_no_secret_in(raised.value)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
    def test_a_file_that_other_users_may_access_is_rejected(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        with pytest.raises(CredentialsError, match="chmod 600"):
            FileTokenStore(path).load()

    def test_an_unreadable_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsError, match=f"Is a directory: '{tmp_path}'"):
            get_token(make_oauth(FileTokenStore(tmp_path), ScriptedEndpoint()))

    def test_a_failed_save_keeps_the_old_content_and_the_next_succeeds(self, path: Path) -> None:
        store = FileTokenStore(path)
        before = path.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                store.save(Tokens("new", "new", NOW))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir()] == ["tokens.json"]
        store.save(Tokens("new", "new", NOW))
        assert store.load() == Tokens("new", "new", NOW)
        assert [file.name for file in path.parent.iterdir()] == ["tokens.json"]

    @pytest.mark.parametrize("function", ["fsync", "replace"])
    @pytest.mark.parametrize("error", [OSError(28, "No space"), KeyboardInterrupt()], ids=repr)
    def test_a_failed_save_leaves_no_tokens_behind(
        self,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        function: str,
        error: BaseException,
    ) -> None:
        def fail(*_: object) -> None:
            raise error

        before = path.read_bytes()
        monkeypatch.setattr(os, function, fail)
        with pytest.raises(type(error)):
            FileTokenStore(path).save(Tokens("new", "new", NOW))
        assert [file.name for file in path.parent.iterdir()] == ["tokens.json"]
        assert path.read_bytes() == before

    @pytest.mark.parametrize("value", ["", None, 5, b"tokens.json", "a\0b"])
    def test_an_unusable_path_is_rejected(self, value: Any) -> None:
        with pytest.raises(ConfigurationError, match="the path of a FileTokenStore must be text"):
            FileTokenStore(value)

    def test_a_folder_is_rejected_before_anything_is_created(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        with pytest.raises(CredentialsError, match="Is a directory"):
            FileTokenStore(folder)
        assert list(tmp_path.iterdir()) == [folder]

    def test_in_a_read_only_directory_new_tokens_are_used_and_the_failure_is_logged(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail_read_only(*args: object) -> None:
            raise OSError(30, "Read-only file system", str(path))

        # Not by the directory's mode: tests may run as root, which may write anywhere.
        monkeypatch.setattr(os, "replace", fail_read_only)
        assert get_token(make_oauth(FileTokenStore(path), ScriptedEndpoint())) == "access-1"
        assert "Read-only file system" in caplog.text

    def test_a_missing_directory_raises_before_the_refresh_token_is_used(
        self, tmp_path: Path
    ) -> None:
        endpoint = ScriptedEndpoint()
        with pytest.raises(CredentialsError, match="nowhere"):
            get_token(make_oauth(FileTokenStore(tmp_path / "nowhere" / "tokens.json"), endpoint))
        assert endpoint.forms == []

    def test_the_lock_of_a_killed_process_is_released(self, path: Path) -> None:
        with token_process("lock", path) as holder:
            oauth = make_oauth(FileTokenStore(path), ScriptedEndpoint())
            with pytest.raises(TimeoutError):
                get_token(oauth, timeout=0.01)
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert get_token(oauth) == "access-1"

    def test_the_error_names_fcntl_if_it_is_missing(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "fcntl", None)
        with pytest.raises(CredentialsError, match="fcntl"):
            get_token(make_oauth(FileTokenStore(path), ScriptedEndpoint()))


def traceback_text(error: BaseException | None) -> str:
    """The error, its causes and all variables of our frames, as an error reporter shows them."""
    text = ""
    while error is not None:
        text += f"{error!r} {error} {vars(error)} "
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__", "").startswith("leadconnector."):
                text += f"{frame.f_code.co_name} {frame.f_locals!r} "
        error = reported_cause(error)
    return text


def reported_cause(error: BaseException) -> BaseException | None:
    """The exception that a traceback shows above this one, if any."""
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def assert_no_secret_in(error: BaseException) -> None:
    text = traceback_text(error)
    # Otherwise no frame of ours was in the traceback, and the test would prove nothing.
    assert "'rejected': None" in text
    assert not any(secret in text for secret in SECRETS), text


class TestSecrecy:
    def test_no_repr_shows_a_token_and_nothing_is_pickled_or_copied(self) -> None:
        tokens = expired_tokens()
        store = MemoryTokenStore(tokens)
        oauth = make_oauth(store, ScriptedEndpoint())
        for secret_object in (tokens, oauth, store):
            assert not any(secret in repr(secret_object) for secret in SECRETS)
            with pytest.raises(TypeError):
                pickle.dumps(secret_object)
            with pytest.raises(TypeError):
                copy.deepcopy(secret_object)
        with pytest.raises(TypeError):
            copy.copy(tokens)

    def test_no_frame_of_a_refresh_shows_a_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        functions: set[str] = set()
        variables: list[str] = []

        def record_frames(*args: object, **fields: object) -> None:
            for frame, _ in traceback.walk_stack(sys._getframe()):
                if frame.f_globals.get("__name__", "").startswith("leadconnector.oauth."):
                    functions.add(frame.f_code.co_name)
                    variables.append(repr(frame.f_locals))

        def respond() -> httpx.Response:
            record_frames()
            return success_response()

        # The log call of the failed save records the frames as well.
        monkeypatch.setattr(logging.Logger, "error", record_frames)
        store = ScriptedStore(expired_tokens())
        store.errors["save"] = RuntimeError("no")
        assert get_token(make_oauth(store, ScriptedEndpoint(respond))) == "access-1"
        text = "\n".join(variables)
        expected_functions = {
            "_run",
            "_load_or_refresh",
            "_save",
            "refresh",
            "_send_and_read",
            "_send",
        }
        assert expected_functions <= functions
        assert not any(secret in text for secret in SECRETS), text

    def test_a_bug_in_a_custom_transport_is_the_cause_and_shows_no_secret(self) -> None:
        def broken() -> Iterator[bytes]:
            yield b'{"access_token": "access-1"'
            raise ZeroDivisionError

        endpoint = ScriptedEndpoint(lambda: httpx.Response(200, content=broken()))
        oauth = make_oauth(MemoryTokenStore(expired_tokens()), endpoint)
        with pytest.raises(CredentialsError, match="ZeroDivisionError") as raised:
            get_token(oauth)
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        assert_no_secret_in(raised.value)


def test_the_emulator_accepts_a_refreshed_token(token_endpoint: EmulatedEndpoint) -> None:
    emulator = Emulator(token_endpoint=token_endpoint)
    oauth = make_oauth(MemoryTokenStore(expired_tokens()), EmulatorTransport(emulator))
    token = oauth.get_token("http://127.0.0.1", None, 20).reveal()
    headers = {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    body = json.dumps({"locationId": LOCATION_ID}).encode()
    request = Request("PUT", f"/conversations/{LOCATION_ID}", headers, body)
    assert emulator.respond(request).status == 200


def test_a_rejected_token_is_not_returned_again_while_its_refresh_ends() -> None:
    may_end = threading.Event()

    class SlowStore(MemoryTokenStore):
        """Releases its lock late."""

        @contextmanager
        def lock(self) -> Generator[None]:
            with super().lock():
                yield
                may_end.wait(10)

    store = SlowStore(Tokens("access-0", "refresh-0", time.time() + 9999))
    transport = httpx.MockTransport(lambda _: success_response())
    oauth = OAuth(client_id="client", client_secret="secret", store=store, transport=transport)
    timer = threading.Timer(0.05, may_end.set)
    timer.start()

    token = oauth.get_token("https://example.com", None, 10)

    # Nobody gets the token before its refresh has ended.
    assert may_end.is_set()
    assert token.reveal() == "access-0"
    assert oauth.get_token("https://example.com", token, 10).reveal() == "access-1"
    timer.join()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": 1},
        {"client_secret": None},
        {"client_secret": b"secret"},
        {"store": "tokens.json"},
        {"store": SimpleNamespace(load=print, save=print, lock=None)},
        {"store": SimpleNamespace(lock=print)},
        {"transport": 1},
        {"transport": SimpleNamespace(handle_request=None)},
        {"transport": httpx.AsyncHTTPTransport},
        {"clock": 1},
        {"refresh_ahead": "300"},
        {"refresh_ahead": float("nan")},
        {"refresh_ahead": datetime.timedelta(seconds=-1)},
        {"refresh_ahead": True},
        {"allow_http": "false"},
        {"token_url": ""},
        {"token_url": "http://emulator/oauth/token"},
    ],
)
def test_invalid_options_are_rejected_by_the_constructor(changes: dict[str, Any]) -> None:
    options: dict[str, Any] = {
        "client_id": "id",
        "client_secret": "a-secret",
        "store": MemoryTokenStore(Tokens("", "r", 0.0)),
    }
    with pytest.raises(ConfigurationError) as raised:
        OAuth(**(options | changes))
    assert "secret'" not in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"refresh_ahead": datetime.timedelta(minutes=5)},
        {"refresh_ahead": numpy.float64(300)},
        {"refresh_ahead": numpy.int32(300)},
    ],
)
def test_refresh_ahead_can_be_any_real_number_or_a_timedelta(changes: dict[str, Any]) -> None:
    store = MemoryTokenStore(Tokens("", "r", 0.0))

    oauth = OAuth(client_id="id", client_secret="a-secret", store=store, **changes)

    assert (oauth._refresh_ahead, type(oauth._refresh_ahead)) == (300.0, float)


def test_a_token_url_may_be_plain_http_with_allow_http() -> None:
    store = MemoryTokenStore(Tokens("", "r", 0.0))
    url = "http://emulator:8080/oauth/token"

    oauth = OAuth(
        client_id="id", client_secret="a-secret", store=store, token_url=url, allow_http=True
    )

    assert oauth._token_url == url


def test_two_replacements_at_the_same_time_count_twice() -> None:
    tokens = Tokens("", "r", 0.0, replacements=(5.0, 5.0))
    oauth = OAuth(client_id="id", client_secret="a-secret", store=MemoryTokenStore(tokens))

    assert oauth._known_replacements(tokens, now=6.0) == (5.0, 5.0)
