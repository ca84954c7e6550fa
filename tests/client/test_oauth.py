"""Tokens that refresh themselves: once for everyone, whatever is interrupted, refused or broken, and never shown."""

from __future__ import annotations

import asyncio
import copy
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
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import leadconnector.oauth.endpoint
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
from leadconnector_emulator import TokenEndpoint as Endpoint

from tests.support.calling import LOCATION_ID
from tests.support.oauth_process import swarm
from tests.support.paths import ROOT

NOW = 1_700_000_000.0
URL = "http://127.0.0.1:1"
SECRETS = ("client-secret", "refresh-0", "access-0", "refresh-1", "access-1")
FIRST = ("access-0", "refresh-0")
NO_LIFETIMES: list[object] = [..., None, -1, 0, "3600", math.nan, [], -math.inf]
ENDLESS: list[object] = [1e300, 10**400, math.inf]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Origin(httpx.BaseTransport):
    """A token endpoint whose answers are decided one by one."""

    def __init__(self, *answers: Callable[[], httpx.Response] | httpx.Response | Exception) -> None:
        self.answers, self.forms, self.gate = (
            list(answers),
            list[dict[str, str]](),
            threading.Event(),
        )
        self.arrived, self.closed = threading.Event(), False
        self.timeouts: object = None
        self.gate.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.forms.append(dict(httpx.QueryParams(request.read().decode())))
        self.timeouts = request.extensions["timeout"]
        self.arrived.set()
        assert self.gate.wait(10)
        number = len(self.forms)
        answer = self.answers.pop(0) if self.answers else good(number)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer()

    def close(self) -> None:
        self.closed = True


def good(number: int = 1, **changes: object) -> httpx.Response:
    members = {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "expires_in": 86_399,
    }
    left = {name: value for name, value in (members | changes).items() if value is not ...}
    return httpx.Response(200, content=json.dumps(left))


class Store:
    """A store of a user's, which fails as it is told to."""

    def __init__(self, tokens: Any) -> None:
        self.tokens: Any = tokens
        self.fails: dict[str, BaseException] = {}
        self.saves = 0
        self._lock = threading.Lock()

    def load(self) -> Tokens | None:
        if "load" in self.fails:
            raise self.fails["load"]
        found: Tokens | None = self.tokens
        return found

    def save(self, tokens: Tokens) -> None:
        self.saves += 1
        if "save" in self.fails:
            raise self.fails["save"]
        self.tokens = tokens

    def lock(self) -> AbstractContextManager[object]:
        if "lock" in self.fails:
            raise self.fails["lock"]
        return self._lock


def outcomes_of_five(oauth: OAuth, origin: Origin) -> list[object]:
    """What five tasks get that ask for a token while the endpoint does not yet answer."""

    async def run() -> list[object]:
        tasks = [asyncio.create_task(oauth.get_token_async(URL, None, None)) for _ in range(5)]
        await asyncio.to_thread(origin.arrived.wait, 10)
        origin.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def expired(access: str = FIRST[0], refresh: str = FIRST[1]) -> Tokens:
    return Tokens(access, refresh, NOW - 1)


def made(
    store: TokenStore,
    transport: httpx.BaseTransport | None = None,
    clock: Any = None,
    **options: Any,
) -> OAuth:
    given: dict[str, Any] = {
        "client_id": "client",
        "client_secret": "client-secret",
        "store": store,
        **options,
    }
    return OAuth(transport=transport, clock=clock or Clock(), **given)


def ask(oauth: OAuth, rejected: str | None = None, timeout: float | None = 20.0) -> str:
    return oauth.get_token(URL, Token(Secret(rejected)) if rejected else None, timeout).reveal()


def refreshing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "leadconnector-refresh"]


def settle() -> None:
    """Wait for the refreshes that are under way."""
    for thread in refreshing():
        thread.join(10)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint(refresh_tokens={"refresh-0": LOCATION_ID})


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[Server]:
    with Server(Emulator(token_endpoint=endpoint)) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    FileTokenStore(path).save(Tokens("access-0", "refresh-0", 0.0))
    return path


@contextmanager
def process(
    command: str, path: Path, url: str = "-", rejected: str = ""
) -> Generator[subprocess.Popen[str]]:
    places = os.pathsep.join(str(ROOT / name) for name in (".", "overrides", "tools"))
    command_line = [
        sys.executable,
        str(ROOT / "tests" / "support" / "oauth_process.py"),
        command,
        str(path),
        url,
        rejected,
    ]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        command_line, env={**os.environ, "PYTHONPATH": places}, **pipes
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().strip() in {"ready", "locked"}
            yield running
        finally:
            running.kill()


class TestOnce:
    @pytest.mark.parametrize("rejected", [False, True])
    def test_threads_tasks_and_processes_make_one_refresh_of_one_token(
        self, server: Server, endpoint: Endpoint, path: Path, rejected: bool
    ) -> None:
        refused = "access-0" if rejected else ""
        FileTokenStore(path).save(Tokens("access-0", "refresh-0", 4e9 if rejected else 0.0))
        with (
            process("ask", path, server.url, refused) as one,
            process("ask", path, server.url, refused) as two,
            process("ask", path, server.url, refused) as three,
            process("ask", path, server.url, refused) as four,
        ):
            others = [one, two, three, four]
            for each in others:
                assert each.stdin is not None
                each.stdin.write("go\n")
                each.stdin.flush()
            store = FileTokenStore(path)
            oauth = OAuth(client_id="client", client_secret="client-secret", store=store)
            found = swarm(oauth, server.url, refused, 50, 50)
            for each in others:
                found += each.communicate(timeout=60)[0].split()
        stored = store.load()
        assert stored is not None
        assert endpoint.refreshes == 1
        assert found == [stored.access_token] * (100 + 4 * 24)
        assert endpoint.location(stored.access_token, server.emulator.clock()) == LOCATION_ID

    def test_two_clients_with_two_stores_on_one_path_even_through_a_link_refresh_once(
        self, path: Path, tmp_path: Path
    ) -> None:
        origin, link = Origin(), tmp_path / "link.json"
        link.symlink_to(path)
        both = [made(FileTokenStore(path), origin), made(FileTokenStore(link), origin)]
        assert [ask(oauth) for oauth in both] == ["access-1", "access-1"]
        assert len(origin.forms) == 1
        assert link.is_symlink()

    def test_a_token_that_another_has_stored_is_taken_without_a_request_and_not_saved_again(
        self,
    ) -> None:
        store, origin, clock = Store(expired()), Origin(), Clock()
        oauth = made(store, origin, clock)
        assert ask(oauth) == "access-1"
        store.tokens = Tokens("from-elsewhere", "refresh-9", NOW + 9e4)
        clock.now += 60
        assert ask(oauth, "access-1") == "from-elsewhere"
        assert (len(origin.forms), store.saves) == (1, 1)

    def test_a_rejected_token_is_replaced_once_for_all_who_had_it(self) -> None:
        origin = Origin()
        oauth = made(MemoryTokenStore(Tokens(*FIRST, NOW + 9e4)), origin)
        assert ask(oauth) == "access-0"
        assert {ask(oauth, "access-0") for _ in range(5)} == {"access-1"}
        assert len(origin.forms) == 1

    def test_a_token_just_got_is_not_replaced_as_something_else_is_wrong_with_the_call(
        self,
    ) -> None:
        origin, clock = Origin(), Clock()
        oauth = made(MemoryTokenStore(expired()), origin, clock)
        assert [ask(oauth), ask(oauth, "access-1")] == ["access-1", "access-1"]
        clock.now += 31
        assert ask(oauth, "access-1") == "access-2"

    def test_a_valid_token_needs_no_lock_and_no_store(self) -> None:
        store, clock = Store(Tokens(*FIRST, NOW + 9e4)), Clock()
        oauth = made(store, Origin(), clock)
        assert ask(oauth) == "access-0"
        store.fails = dict.fromkeys(("load", "lock", "save"), OSError())
        with store._lock:
            assert ask(oauth) == "access-0"


class TestRequest:
    def test_it_is_the_form_that_the_vendor_documents_with_time_limits(self) -> None:
        origin = Origin()
        ask(made(MemoryTokenStore(expired()), origin))
        sent = {
            "client_id": "client",
            "client_secret": "client-secret",
            "grant_type": "refresh_token",
        }
        assert origin.forms == [sent | {"refresh_token": "refresh-0", "user_type": "Location"}]
        assert origin.timeouts == {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 30.0}
        assert not origin.closed

    def test_it_goes_to_the_token_url_where_one_is_given(
        self, server: Server, endpoint: Endpoint
    ) -> None:
        oauth = made(MemoryTokenStore(expired()), token_url=f"{server.url}/oauth/token")
        assert oauth.get_token("https://elsewhere.invalid", None, 20).reveal().startswith("access-")
        assert endpoint.refreshes == 1

    @pytest.mark.parametrize(
        "url", ["http://example.com/oauth/token", "ftp://x", "https://u:p@x/y", "nonsense"]
    )
    def test_no_secret_goes_in_clear_to_another_machine(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="token_url"):
            made(MemoryTokenStore(expired()), token_url=url)

    @pytest.mark.parametrize(
        "options",
        [{"client_id": ""}, {"client_secret": ""}, {"client_secret": "se\ncret"}],
    )
    def test_options_that_cannot_be_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError) as caught:
            made(MemoryTokenStore(expired()), **options)
        assert "se\\ncret" not in shown(caught.value)

    def test_it_connects_anew_where_it_could_not(
        self, server: Server, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect, tried = socket.create_connection, list[object]()

        def refused_once(address: Any, *args: Any, **options: Any) -> socket.socket:
            tried.append(address)
            if len(tried) == 1:
                raise ConnectionRefusedError(111, "Connection refused")
            return connect(address, *args, **options)

        monkeypatch.setattr(socket, "create_connection", refused_once)
        assert (
            made(MemoryTokenStore(expired()))
            .get_token(server.url, None, 20)
            .reveal()
            .startswith("access-")
        )
        assert (len(tried), endpoint.refreshes) == (2, 1)

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (httpx.ReadTimeout("refresh-0"), APITimeoutError),
            (httpx.ReadError("client-secret"), APIConnectionError),
            (httpx.RemoteProtocolError("illegal: bytearray(b'access-1')"), APIConnectionError),
            (ConnectionResetError("refresh-0"), APIConnectionError),
            (httpx.ConnectError("a given transport connects anew itself"), APIConnectionError),
        ],
    )
    def test_it_is_never_repeated_where_the_refresh_token_may_be_used_up(
        self, error: Exception, kind: type[APIConnectionError]
    ) -> None:
        origin = Origin(error)
        with pytest.raises(kind) as caught:
            ask(made(MemoryTokenStore(expired()), origin))
        assert (caught.value.attempts, len(origin.forms)) == (1, 1)
        assert "no whole response" in str(caught.value)
        check_hidden(caught.value)


class TestAhead:
    def test_a_token_that_will_soon_expire_is_given_out_while_one_refresh_runs(self) -> None:
        origin, clock = Origin(), Clock()
        oauth = made(MemoryTokenStore(Tokens(*FIRST, NOW + 9e4)), origin, clock)
        assert ask(oauth) == "access-0"
        origin.gate.clear()
        clock.now = NOW + 9e4 - 299
        assert [ask(oauth) for _ in range(50)] == ["access-0"] * 50
        origin.gate.set()
        settle()
        assert ask(oauth) == "access-1"
        assert len(origin.forms) == 1

    def test_where_that_fails_callers_go_on_and_it_is_tried_again_after_half_a_minute(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        origin, clock = Origin(*[httpx.ReadError("refresh-0")] * 3), Clock()
        oauth = made(MemoryTokenStore(Tokens(*FIRST, NOW + 9e4)), origin, clock)
        ask(oauth)
        clock.now = NOW + 9e4 - 299
        for passed, requests in ((0, 1), (29, 1), (2, 2), (10, 2), (21, 3)):
            clock.now += passed
            for _ in range(3):
                assert ask(oauth) == "access-0"
                settle()
            assert len(origin.forms) == requests
        assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
        assert "was not refreshed" in caplog.text
        assert not any(secret in caplog.text for secret in SECRETS)
        clock.now = NOW + 9e4
        assert ask(oauth) == "access-4"

    def test_a_token_that_lives_shorter_than_that_is_not_refreshed_all_the_time(self) -> None:
        origin, clock = Origin(good(1, expires_in=100)), Clock()
        oauth = made(MemoryTokenStore(expired()), origin, clock)
        for _ in range(50):
            assert ask(oauth) == "access-1"
            clock.now += 0.9
        settle()
        assert len(origin.forms) == 1
        clock.now = NOW + 100
        assert ask(oauth) == "access-2"

    @pytest.mark.parametrize("jump", [-1e6, 1e6])
    def test_a_clock_that_jumps_costs_a_refresh_at_the_most(self, jump: float) -> None:
        origin, clock = Origin(), Clock()
        oauth = made(MemoryTokenStore(expired()), origin, clock)
        ask(oauth)
        clock.now += jump
        ask(oauth)
        assert ask(oauth, "access-1") in {"access-2"}
        assert [ask(oauth) for _ in range(5)] == ["access-2"] * 5
        assert len(origin.forms) == 2


class TestInterruption:
    def test_a_caller_whose_time_is_up_leaves_the_refresh_to_others(self) -> None:
        origin, store = Origin(), Store(expired())
        origin.gate.clear()
        oauth = made(store, origin)
        with pytest.raises(TimeoutError):
            ask(oauth, timeout=0.001)
        origin.gate.set()
        assert ask(oauth) == "access-1"
        assert store.tokens.refresh_token == "refresh-1"
        assert len(origin.forms) == 1

    def test_the_first_task_being_cancelled_cancels_nobody_else_and_saves_what_was_rotated(
        self,
    ) -> None:
        origin, store = Origin(), Store(expired())
        origin.gate.clear()
        oauth = made(store, origin)

        async def run() -> list[object]:
            tasks = [asyncio.create_task(oauth.get_token_async(URL, None, None)) for _ in range(3)]
            await asyncio.to_thread(origin.arrived.wait, 10)
            tasks[0].cancel()
            await asyncio.sleep(0)
            origin.gate.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

        first, *others = asyncio.run(run())
        assert isinstance(first, asyncio.CancelledError)
        assert [each.reveal() for each in others if isinstance(each, Token)] == ["access-1"] * 2
        assert store.tokens.refresh_token == "refresh-1"

    def test_what_was_rotated_is_saved_even_when_the_event_loop_is_gone(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        origin, store = Origin(), Store(expired())
        origin.gate.clear()
        oauth = made(store, origin)

        async def run() -> None:
            task = asyncio.create_task(oauth.get_token_async(URL, None, None))
            await asyncio.to_thread(origin.arrived.wait, 10)
            with suppress(TimeoutError):
                await oauth.get_token_async(URL, None, 0.001)
            assert not task.done()

        asyncio.run(run())
        origin.gate.set()
        settle()
        assert store.tokens.refresh_token == "refresh-1"
        assert caplog.records == []

    def test_tasks_of_several_event_loops_wait_for_the_same_refresh(self) -> None:
        origin = Origin()
        origin.gate.clear()
        oauth, found = made(MemoryTokenStore(expired()), origin), list[str]()

        def run() -> None:
            found.append(asyncio.run(oauth.get_token_async(URL, None, 20)).reveal())

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert origin.arrived.wait(10)
        origin.gate.set()
        for thread in threads:
            thread.join()
        assert found == ["access-1"] * 4
        assert len(origin.forms) == 1

    def test_each_waiter_raises_an_exception_of_its_own(self) -> None:
        origin = Origin(httpx.Response(400, json={"error": "invalid_grant"}))
        origin.gate.clear()
        oauth = made(MemoryTokenStore(expired()), origin)

        found = outcomes_of_five(oauth, origin)
        assert len({id(each) for each in found}) == 5
        assert {
            (each.status_code, each.error)
            for each in found
            if isinstance(each, ReauthorizationError)
        } == {(400, "invalid_grant")}

    def test_all_who_wait_share_one_request_that_fails(self) -> None:
        origin = Origin(httpx.Response(500))
        origin.gate.clear()
        oauth = made(MemoryTokenStore(expired()), origin)

        assert [type(each) for each in outcomes_of_five(oauth, origin)] == [OAuthError] * 5
        assert len(origin.forms) == 1

    def test_the_interpreter_waits_for_a_refresh_even_where_a_daemon_started_it(self) -> None:
        origin = Origin()
        origin.gate.clear()
        waiting = threading.Thread(
            target=ask, args=(made(MemoryTokenStore(expired()), origin),), daemon=True
        )
        waiting.start()
        assert origin.arrived.wait(10)
        assert [thread.daemon for thread in refreshing()] == [False]
        origin.gate.set()
        waiting.join()
        settle()

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
    def test_where_the_thread_does_not_start_nobody_is_left_waiting(
        self, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        oauth = made(MemoryTokenStore(expired()), Origin())

        def refused(self: threading.Thread) -> None:
            raise kind

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refused)
            with pytest.raises(kind):
                ask(oauth)
        assert ask(oauth) == "access-1"

    @pytest.mark.filterwarnings(
        "ignore:.*fork:DeprecationWarning"
    )  # of Python 3.12: that is what is tried here
    @pytest.mark.parametrize("kind", ["memory", "file"])
    def test_a_fork_during_a_refresh_neither_waits_for_its_parents_nor_keeps_its_lock(
        self, path: Path, kind: str
    ) -> None:
        origin, clock = Origin(), Clock()
        origin.gate.clear()
        store: TokenStore = FileTokenStore(path) if kind == "file" else MemoryTokenStore(expired())
        oauth = made(store, origin, clock)
        waiting = threading.Thread(target=ask, args=(oauth,))
        waiting.start()
        assert origin.arrived.wait(10)
        reading, writing = os.pipe()
        child = os.fork()
        if (
            child == 0
        ):  # the file's lock is the parent's for as long as it refreshes; the memory's is the child's own
            status = 1
            try:
                origin.gate = threading.Event()
                origin.gate.set()
                os.close(writing)
                os.read(reading, 1)
                status = 0 if ask(oauth, timeout=10.0).startswith("access-") else 2
            finally:
                os._exit(status)
        os.close(reading)
        try:
            origin.gate.set()
            waiting.join()
            if kind == "file":  # while the child, which has the parent's open files, lives
                with store.lock():
                    pass
        finally:
            os.close(writing)
            assert os.waitpid(child, 0)[1] == 0
        assert ask(oauth) == "access-1"


class TestRefusal:
    def test_a_refused_refresh_token_is_not_sent_again_until_the_store_holds_another(self) -> None:
        origin, store = (
            Origin(httpx.Response(400, json={"error": "invalid_grant"})),
            Store(expired()),
        )
        oauth = made(store, origin)
        for _ in range(3):
            with pytest.raises(ReauthorizationError, match="authorise anew") as caught:
                ask(oauth)
            assert (caught.value.status_code, caught.value.error) == (400, "invalid_grant")
        assert len(origin.forms) == 1
        store.tokens = expired("access-7", "refresh-7")
        assert ask(oauth) == "access-2"

    def test_the_emulators_refusals_tell_what_they_are(self, server: Server) -> None:
        unknown = made(MemoryTokenStore(expired(refresh="unknown")))
        with pytest.raises(ReauthorizationError) as refused:
            unknown.get_token(server.url, None, 20)
        assert (refused.value.status_code, refused.value.error) == (400, "invalid_grant")
        wrong = made(MemoryTokenStore(expired()), client_secret="wrong-client-secret")
        with pytest.raises(OAuthError) as caught:
            wrong.get_token(server.url, None, 20)
        assert type(caught.value) is OAuthError
        assert (caught.value.status_code, caught.value.error) == (401, "invalid_client")
        check_hidden(caught.value)

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
    def test_any_other_answer_is_an_error_with_nothing_of_it_and_the_store_stays(
        self, status: int, body: str, error: str
    ) -> None:
        store = Store(expired())
        oauth = made(store, Origin(httpx.Response(status, content=body)))
        with pytest.raises(OAuthError) as caught:
            ask(oauth)
        assert (caught.value.status_code, caught.value.error, store.saves) == (status, error, 0)
        check_hidden(caught.value)
        assert ask(oauth) == "access-2"

    @pytest.mark.parametrize(
        ("given", "lives"),
        [
            (3600, 3600.0),
            (0.5, 0.5),
            *[(each, 86_400.0) for each in NO_LIFETIMES],
            *[(each, 1e11) for each in ENDLESS],
        ],
    )
    def test_a_token_lives_as_long_as_the_answer_says_else_a_day(
        self, given: object, lives: float
    ) -> None:
        store = Store(expired())
        assert ask(made(store, Origin(good(1, expires_in=given)))) == "access-1"
        assert store.tokens.expires_at == NOW + lives

    @pytest.mark.parametrize("given", [..., None, "", 7])
    def test_the_refresh_token_stays_where_the_answer_has_no_other(self, given: object) -> None:
        store = Store(expired())
        assert ask(made(store, Origin(good(1, refresh_token=given)))) == "access-1"
        assert store.tokens.refresh_token == "refresh-0"

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda x: (
                st.lists(x)
                | st.dictionaries(
                    st.sampled_from(["access_token", "refresh_token", "expires_in", "error"]), x
                )
            ),
            max_leaves=8,
        ),
        st.sampled_from([200, 201, 400, 401, 500]),
    )
    def test_whatever_the_endpoint_answers_is_a_token_or_an_error_of_ours(
        self, answer: Any, status: int
    ) -> None:
        store = Store(expired())
        oauth = made(store, Origin(httpx.Response(status, content=json.dumps(answer))))
        with suppress(OAuthError):  # and no other
            assert ask(oauth) == store.tokens.access_token == answer["access_token"]

    def test_an_answer_that_drips_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seconds = iter(range(1000))

        def drip() -> Iterator[bytes]:
            yield from (b"access-1" for _ in range(1000))

        monkeypatch.setattr(
            leadconnector.oauth.endpoint, "LIMITS", Limits(clock=lambda: float(next(seconds)))
        )
        with pytest.raises(APITimeoutError) as caught:
            ask(
                made(
                    MemoryTokenStore(expired()), Origin(lambda: httpx.Response(200, content=drip()))
                )
            )
        check_hidden(caught.value)

    @pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"truncate": 20}])
    def test_a_connection_that_ends_is_no_answer(self, server: Server, fault: Any) -> None:
        server.emulator.set_faults(Fault(**fault))
        with pytest.raises(APIConnectionError) as caught:
            made(MemoryTokenStore(expired())).get_token(server.url, None, 20)
        check_hidden(caught.value)


class TestStore:
    def test_tokens_that_cannot_be_saved_are_used_and_saved_later(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store, origin, clock = Store(expired()), Origin(), Clock()
        oauth = made(store, origin, clock)
        store.fails["save"] = RuntimeError("access-1")
        assert [ask(oauth) for _ in range(5)] == ["access-1"] * 5
        assert [(record.name, record.levelname) for record in caplog.records] == [
            ("leadconnector", "ERROR")
        ]
        assert not any(secret in caplog.text for secret in SECRETS)
        assert store.saves == 1
        store.fails.clear()
        clock.now += 31
        assert ask(oauth, "access-1") == "access-2"  # the store is read, and holds what is used up
        assert (origin.forms[1]["refresh_token"], store.tokens.refresh_token) == (
            "refresh-1",
            "refresh-2",
        )

    def test_they_are_saved_without_another_refresh_where_they_are_still_good(self) -> None:
        store, origin, clock = Store(expired()), Origin(), Clock()
        oauth = made(store, origin, clock)
        store.fails["save"] = OSError()
        assert ask(oauth) == "access-1"
        store.fails.clear()
        assert ask(oauth, "access-1") == "access-1"  # just got: it is not replaced
        assert (store.tokens.refresh_token, len(origin.forms)) == ("refresh-1", 1)

    def test_where_they_can_never_be_saved_they_are_refreshed_all_the_same(self) -> None:
        store, origin, clock = Store(expired()), Origin(), Clock()
        oauth = made(store, origin, clock)
        store.fails["save"] = OSError(28, "No space left on device")
        for number in range(1, 5):
            assert ask(oauth) == f"access-{number}"
            clock.now += 9e4
        assert [form["refresh_token"] for form in origin.forms] == [
            f"refresh-{number}" for number in range(4)
        ]

    def test_newer_tokens_in_the_store_win_over_those_that_could_not_be_saved(self) -> None:
        store, clock = Store(expired()), Clock()
        oauth = made(store, Origin(), clock)
        store.fails["save"] = OSError()
        ask(oauth)
        store.fails.clear()
        store.tokens = Tokens("authorised", "anew", NOW + 9e4)
        clock.now += 31
        assert ask(oauth, "access-1") == "authorised"
        assert store.tokens.refresh_token == "anew"

    def test_the_log_of_a_store_that_raises_in_the_background_shows_the_kind_of_error_alone(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store, clock = Store(Tokens(*FIRST, NOW + 9e4)), Clock()
        oauth = made(store, Origin(), clock)
        ask(oauth)
        store.fails["load"] = RuntimeError("refresh-0")
        clock.now = NOW + 9e4 - 1
        assert ask(oauth) == "access-0"
        settle()
        assert "RuntimeError" in caplog.text
        assert "refresh-0" not in caplog.text

    @pytest.mark.parametrize("where", ["lock", "load"])
    @pytest.mark.parametrize(
        "error", [RuntimeError("refresh-0"), OSError(5, "broken"), SystemExit(1)]
    )
    def test_a_store_that_raises_is_the_cause_of_an_error_of_ours(
        self, where: str, error: BaseException
    ) -> None:
        store = Store(expired())
        store.fails[where] = error
        oauth = made(store, Origin())
        with pytest.raises(CredentialsError) as caught:
            ask(oauth)
        assert caught.value.__cause__ is error
        assert "refresh-0" not in str(caught.value)
        store.fails.clear()
        assert ask(oauth) == "access-1"

    @pytest.mark.parametrize(
        "tokens", [None, {"access_token": "access-0"}, Tokens("", "", 0.0), Tokens("", "\n", 0.0)]
    )
    def test_a_store_without_tokens_is_told_of_and_nothing_is_sent(self, tokens: Any) -> None:
        origin = Origin()
        with pytest.raises(CredentialsError, match="the token store has no") as caught:
            ask(made(Store(tokens), origin))
        check_hidden(caught.value)
        assert origin.forms == []

    def test_a_refresh_token_alone_is_enough(self) -> None:
        assert ask(made(MemoryTokenStore(Tokens("", "refresh-0", 0.0)), Origin())) == "access-1"


class TestFile:
    def test_it_is_private_and_whole_and_a_link_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        link = tmp_path / "link.json"
        link.symlink_to(tmp_path / "real" / "tokens.json")
        store, umask = FileTokenStore(link), os.umask(0)
        try:
            assert store.load() is None
            store.save(expired())
            with store.lock():
                pass
        finally:
            os.umask(umask)
        assert store.load() == expired()
        assert link.is_symlink()
        files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "real").iterdir()}
        assert files == {"tokens.json": 0o600, "tokens.json.lock": 0o600}

    @given(
        access=st.from_regex(r"([A-Za-z0-9._~+/-]+=*)?", fullmatch=True),
        refresh=st.text(st.characters(), min_size=1),
        end=st.floats(0, 1e11),
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_is_saved_is_loaded(
        self, tmp_path: Path, access: str, refresh: str, end: float
    ) -> None:
        store = FileTokenStore(tmp_path / "tokens.json")
        store.save(Tokens(access, refresh, end))
        assert store.load() == Tokens(access, refresh, end)

    @pytest.mark.parametrize(
        "end", ["", ', "expires_at": NaN', ', "expires_at": "1"', ', "expires_at": -1']
    )
    def test_one_without_an_end_that_can_be_has_its_token_refreshed(
        self, path: Path, end: str
    ) -> None:
        path.write_text(f'{{"access_token": "access-0", "refresh_token": "refresh-0"{end}}}')
        assert ask(made(FileTokenStore(path), Origin())) == "access-1"

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
    def test_one_that_holds_something_else_is_named_and_not_shown(
        self, path: Path, content: bytes
    ) -> None:
        path.write_bytes(content)
        with pytest.raises(CredentialsError) as caught:
            ask(made(FileTokenStore(path), Origin()))
        assert str(path) in str(caught.value)
        check_hidden(caught.value)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
    def test_one_that_is_open_to_others_is_refused(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        with pytest.raises(CredentialsError, match="chmod 600"):
            FileTokenStore(path).load()

    def test_one_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsError, match=f"Is a directory: '{tmp_path}'"):
            ask(made(FileTokenStore(tmp_path), Origin()))

    def test_a_save_that_fails_leaves_the_old_content_and_the_next_succeeds(
        self, path: Path
    ) -> None:
        store, before, limits = (
            FileTokenStore(path),
            path.read_bytes(),
            resource.getrlimit(resource.RLIMIT_FSIZE),
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                store.save(Tokens("new", "new", NOW))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        store.save(Tokens("new", "new", NOW))
        assert store.load() == Tokens("new", "new", NOW)
        assert [file.name for file in path.parent.iterdir()] == ["tokens.json"]

    def test_in_a_directory_that_cannot_be_written_new_tokens_are_in_use_and_the_log_says_so(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def read_only(*args: object) -> None:
            raise OSError(30, "Read-only file system", str(path))

        monkeypatch.setattr(os, "replace", read_only)  # root may write anywhere
        assert ask(made(FileTokenStore(path), Origin())) == "access-1"
        assert "Read-only file system" in caplog.text

    def test_a_missing_directory_is_told_of_before_the_refresh_token_is_used(
        self, tmp_path: Path
    ) -> None:
        origin = Origin()
        with pytest.raises(CredentialsError, match="nowhere"):
            ask(made(FileTokenStore(tmp_path / "nowhere" / "tokens.json"), origin))
        assert origin.forms == []

    def test_the_lock_of_a_process_that_is_killed_is_free(self, path: Path) -> None:
        with process("lock", path) as holder:
            oauth = made(FileTokenStore(path), Origin())
            with pytest.raises(TimeoutError):
                ask(oauth, timeout=0.01)
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            assert ask(oauth) == "access-1"

    def test_without_fcntl_the_error_says_so(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "fcntl", None)
        with pytest.raises(CredentialsError, match="fcntl"):
            ask(made(FileTokenStore(path), Origin()))


def shown(error: BaseException | None) -> str:
    """The error, its causes, and all locals of our frames, as a monitor would report them."""
    found = ""
    while error is not None:
        found += f"{error!r} {error} {vars(error)} "
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__", "").startswith("leadconnector."):
                found += f"{frame.f_code.co_name} {frame.f_locals!r} "
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def check_hidden(error: BaseException) -> None:
    found = shown(error)
    assert "'rejected': None" in found or "'outcome'" in found
    assert not any(secret in found for secret in SECRETS), found


class TestHidden:
    def test_no_repr_shows_a_token_and_nothing_is_pickled_or_copied(self) -> None:
        tokens = expired()
        oauth = made(MemoryTokenStore(tokens), Origin())
        for each in (tokens, oauth, MemoryTokenStore(tokens)):
            assert not any(secret in repr(each) for secret in SECRETS)
            for copied in (pickle.dumps, copy.deepcopy):
                with pytest.raises(TypeError):
                    copied(each)
        with pytest.raises(TypeError):
            copy.copy(tokens)

    def test_inside_a_refresh_no_frame_of_ours_shows_a_secret(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        frames: list[str] = []

        class Spy(Store):
            def save(self, tokens: Tokens) -> None:
                raise RuntimeError("no")

        def failing(*args: object) -> None:
            for frame, _ in traceback.walk_stack(sys._getframe()):
                if frame.f_globals.get("__name__", "").startswith("leadconnector.oauth."):
                    frames.append(f"{frame.f_code.co_name} {frame.f_locals!r}")

        def answer() -> httpx.Response:
            failing()
            return good()

        origin = Origin(answer)
        monkeypatch.setattr(logging.Logger, "error", failing)
        assert ask(made(Spy(expired()), origin)) == "access-1"
        text = "\n".join(frames)
        assert {"_run", "_renew", "_save", "refresh", "_response", "_send"} <= {
            frame.split()[0] for frame in frames
        }
        assert not any(secret in text for secret in SECRETS), text

    def test_a_mistake_in_a_given_transport_is_the_cause_and_shows_nothing(self) -> None:
        def broken() -> Iterator[bytes]:
            yield b'{"access_token": "access-1"'
            raise ZeroDivisionError

        oauth = made(
            MemoryTokenStore(expired()), Origin(lambda: httpx.Response(200, content=broken()))
        )
        with pytest.raises(CredentialsError, match="ZeroDivisionError") as caught:
            ask(oauth)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        check_hidden(caught.value)


def test_a_client_of_the_emulator_works_with_it_from_an_expired_token_on(
    endpoint: Endpoint,
) -> None:
    emulator = Emulator(token_endpoint=endpoint)
    oauth = made(MemoryTokenStore(expired()), EmulatorTransport(emulator))
    token = oauth.get_token("http://127.0.0.1", None, 20).reveal()
    headers = {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }
    body = json.dumps({"locationId": LOCATION_ID}).encode()
    assert (
        emulator.respond(Request("PUT", f"/conversations/{LOCATION_ID}", headers, body)).status
        == 200
    )


def test_a_token_of_the_store_that_is_refused_while_its_refresh_still_ends_is_not_given_again() -> (
    None
):
    ended = threading.Event()

    class Slow(MemoryTokenStore):
        """Lets go of its lock late."""

        @contextmanager
        def lock(self) -> Generator[None]:
            with super().lock():
                yield
                ended.wait(10)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600}
        )

    store = Slow(Tokens("access-0", "refresh-0", time.time() + 9999))
    transport = httpx.MockTransport(answer)
    oauth = OAuth(client_id="client", client_secret="secret", store=store, transport=transport)
    ending = threading.Timer(0.05, ended.set)
    ending.start()

    given = oauth.get_token("https://example.com", None, 10)

    assert ended.is_set()  # nobody is given the token while its flight is under way
    assert given.reveal() == "access-0"
    assert oauth.get_token("https://example.com", given, 10).reveal() == "access-1"
    ending.join()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": 1},
        {"client_secret": None},
        {"client_secret": b"secret"},
        {"store": "tokens.json"},
        {"transport": 1},
        {"clock": 1},
        {"refresh_ahead": "300"},
        {"refresh_ahead": float("nan")},
    ],
)
def test_what_a_refresh_cannot_be_made_with_is_refused_at_once(changes: dict[str, Any]) -> None:
    options: dict[str, Any] = {
        "client_id": "id",
        "client_secret": "a-secret",
        "store": MemoryTokenStore(Tokens("", "r", 0.0)),
    }
    with pytest.raises(ConfigurationError) as caught:
        OAuth(**(options | changes))
    assert "secret'" not in str(caught.value)
