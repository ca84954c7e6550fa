"""`401 Unauthorized` with OAuth: a new token where it can help, and no useless refreshes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    AsyncLeadConnector,
    AuthenticationError,
    FileTokenStore,
    LeadConnector,
    LeadConnectorError,
    MemoryTokenStore,
    OAuth,
    OAuthError,
    ReauthorizationError,
    Tokens,
)
from leadconnector.oauth import TokenStore
from leadconnector.oauth.rejection import replacement_can_help
from leadconnector_emulator import Emulator, EmulatorTransport, Fault, TokenEndpoint

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, SUCCESS_BODY

NOW = 1_700_000_000.0
DAY = 86_400.0
HOUR = 3600.0


class Clock:
    """The wall clock of an `OAuth`."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Vendor(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The API and its token endpoint.

    The token endpoint issues `access-1`, `access-2` and so on. The API accepts the tokens in
    `accepted`, for the locations and versions that are not in `forbidden`.
    """

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.accepted: Callable[[str], bool] = self.is_latest
        self.forbidden: set[str] = set()
        self.token_response: Callable[[], httpx.Response] = self.new_tokens
        self._lock = threading.Lock()

    @property
    def refreshes(self) -> int:
        return len(self.forms)

    def is_latest(self, token: str) -> bool:
        return token == f"access-{self.refreshes}"

    def new_tokens(self) -> httpx.Response:
        number = self.refreshes
        document = {
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "expires_in": DAY,
        }
        return httpx.Response(200, json=document)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            content = request.read()
            if request.url.path == "/oauth/token":
                self.forms.append(dict(httpx.QueryParams(content.decode())))
                return self.token_response()
            token = request.headers["authorization"].removeprefix("Bearer ")
            names = {json.loads(content)["locationId"], request.headers["version"]}
            if self.accepted(token) and not names & self.forbidden:
                return httpx.Response(200, json=SUCCESS_BODY)
            return httpx.Response(401, json={"statusCode": 401, "message": "No scope"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await asyncio.to_thread(self.handle_request, request)


class ThreeFieldStore:
    """A custom store, made before tokens had other fields than these three."""

    def __init__(self, tokens: Tokens) -> None:
        self.save(tokens)
        self.saves = 0
        self._lock = threading.Lock()

    def load(self) -> Tokens:
        return Tokens(*self._fields)

    def save(self, tokens: Tokens) -> None:
        self._fields = (tokens.access_token, tokens.refresh_token, tokens.expires_at)
        self.saves = getattr(self, "saves", 0) + 1

    def lock(self) -> AbstractContextManager[object]:
        return self._lock


class JsonStore(ThreeFieldStore):
    """A custom store that keeps the attributes of the tokens as JSON."""

    def load(self) -> Tokens:
        return Tokens(**json.loads(self._document))

    def save(self, tokens: Tokens) -> None:
        self._document = json.dumps(vars(tokens))


def valid_tokens() -> Tokens:
    return Tokens("access-0", "refresh-0", NOW + DAY)


def make_oauth(vendor: Vendor, clock: Clock, store: TokenStore | None = None) -> OAuth:
    return OAuth(
        client_id="client",
        client_secret="client-secret",
        store=store or MemoryTokenStore(valid_tokens()),
        token_url="https://vendor.example/oauth/token",
        transport=vendor,
        clock=clock,
    )


class Caller:
    """Makes calls with a client of one `OAuth`."""

    def __init__(self, vendor: Vendor, oauth: OAuth) -> None:
        self.vendor = vendor
        self.oauth = oauth

    def call(self, location: str = LOCATION_ID, **options: Any) -> LeadConnectorError | None:
        """Make one call with a new sync client, and return its error."""
        arguments: dict[str, Any] = {"rate_limit": None, "retries": 0, **options}
        with LeadConnector(token=self.oauth, transport=self.vendor, **arguments) as client:
            try:
                client.conversations.update_conversation(CONVERSATION_ID, location_id=location)
            except LeadConnectorError as error:
                return error
        return None

    async def call_async(self, location: str = LOCATION_ID) -> LeadConnectorError | None:
        """Make one call with a new async client, and return its error."""
        async with AsyncLeadConnector(
            token=self.oauth, transport=self.vendor, rate_limit=None, retries=0
        ) as client:
            try:
                await client.conversations.update_conversation(
                    CONVERSATION_ID, location_id=location
                )
            except LeadConnectorError as error:
                return error
        return None


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def caller(vendor: Vendor, clock: Clock) -> Caller:
    return Caller(vendor, make_oauth(vendor, clock))


def nothing(token: str) -> bool:
    """What an API accepts if the scope is missing."""
    return False


class TestUselessRefreshes:
    @pytest.mark.parametrize("pause", [0.0, 1.0, 31.0, 59.0])
    @pytest.mark.parametrize("kind", [MemoryTokenStore, ThreeFieldStore, JsonStore])
    def test_sixty_calls_within_an_hour_cause_at_most_two_refreshes(
        self, vendor: Vendor, clock: Clock, pause: float, kind: Any
    ) -> None:
        vendor.accepted = nothing
        caller = Caller(vendor, make_oauth(vendor, clock, kind(valid_tokens())))
        for _ in range(60):
            assert isinstance(caller.call(), AuthenticationError)
            clock.now += pause

        assert 1 <= vendor.refreshes <= 2

    def test_new_processes_with_the_same_token_file_share_the_limit(
        self, vendor: Vendor, clock: Clock, tmp_path: Path
    ) -> None:
        vendor.accepted = nothing
        store = FileTokenStore(tmp_path / "tokens.json")
        store.save(valid_tokens())
        for _ in range(60):
            # A cron job: each process reads the file, makes a call and ends.
            oauth = make_oauth(vendor, clock, FileTokenStore(tmp_path / "tokens.json"))
            assert isinstance(Caller(vendor, oauth).call(), AuthenticationError)
            clock.now += 59.0

        assert 1 <= vendor.refreshes <= 2

    def test_threads_tasks_and_clients_share_the_limit(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        errors: list[object] = []

        async def call_in_tasks() -> None:
            errors.extend(await asyncio.gather(*[caller.call_async() for _ in range(10)]))

        def call_in_thread() -> None:
            errors.append(caller.call())

        for _ in range(3):
            threads = [threading.Thread(target=call_in_thread) for _ in range(10)]
            for thread in threads:
                thread.start()
            asyncio.run(call_in_tasks())
            for thread in threads:
                thread.join()
            clock.now += 60.0

        assert {type(error) for error in errors} == {AuthenticationError}
        assert len(errors) == 60
        assert 1 <= vendor.refreshes <= 2

    def test_the_limit_is_for_each_hour(self, vendor: Vendor, clock: Clock, caller: Caller) -> None:
        vendor.accepted = nothing
        refresh_times: list[float] = []
        for _ in range(600):
            before = vendor.refreshes
            caller.call()
            refresh_times += [clock.now] * (vendor.refreshes - before)
            clock.now += 60.0

        # Ten hours: the client tries again from time to time, but seldom.
        assert 10 <= len(refresh_times) <= 20
        for first, third in zip(refresh_times, refresh_times[2:], strict=False):
            assert third - first >= HOUR

    def test_an_expired_token_is_refreshed_in_spite_of_the_limit(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        for _ in range(60):
            caller.call()
            clock.now += 50.0
        before = vendor.refreshes
        clock.now += DAY
        caller.call()

        assert vendor.refreshes == before + 1

    def test_a_forbidden_location_costs_no_refreshes_of_one_that_works(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = lambda _: True
        vendor.forbidden = {f"other-{number}" for number in range(60)}
        for location in sorted(vendor.forbidden):
            assert caller.call() is None
            assert isinstance(caller.call(location), AuthenticationError)
            clock.now += 59.0

        assert vendor.refreshes <= 2

    def test_an_api_that_rejects_every_second_request_costs_two_refreshes(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        outcomes = iter([True, False] * 200)
        vendor.accepted = lambda _: next(outcomes)
        for _ in range(60):
            caller.call()
            clock.now += 59.0

        assert vendor.refreshes <= 2

    def test_a_call_whose_deadline_passes_during_the_refresh_counts_as_well(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        may_respond = threading.Event()

        def respond_late() -> httpx.Response:
            assert may_respond.wait(10)
            return vendor.new_tokens()

        class SlowTransport(Vendor):
            """Responds to the token request only after the deadline."""

            def handle_request(self, request: httpx.Request) -> httpx.Response:
                if request.url.path != "/oauth/token":
                    return vendor.handle_request(request)
                vendor.forms.append({})
                return respond_late()

        slow = SlowTransport()
        oauth = make_oauth(slow, clock)
        for _ in range(60):
            may_respond.clear()
            assert isinstance(Caller(slow, oauth).call(deadline=0.05), LeadConnectorError)
            may_respond.set()
            for thread in threading.enumerate():
                if thread.name == "leadconnector-refresh":
                    thread.join(10)
            clock.now += 59.0

        assert 1 <= vendor.refreshes <= 2

    def test_a_refresh_that_returns_the_same_token_is_not_repeated(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        document = {"access_token": "access-0", "refresh_token": "refresh-1", "expires_in": DAY}
        vendor.token_response = lambda: httpx.Response(200, json=document)
        for _ in range(60):
            assert isinstance(caller.call(), AuthenticationError)
            clock.now += 59.0

        assert 1 <= vendor.refreshes <= 2

    def test_a_clock_that_was_set_back_does_not_lift_the_limit_for_ever(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        for jump in (0.0, -1e6, 1e6):
            clock.now += jump
            for _ in range(60):
                caller.call()

        assert vendor.refreshes <= 6

    @given(
        events=st.lists(st.tuples(st.booleans(), st.floats(0.0, 2000.0)), max_size=80),
    )
    def test_no_hour_has_more_than_two_replacements(self, events: list[tuple[bool, float]]) -> None:
        now = NOW
        obtained_at = 0.0
        replacements: list[float] = []
        for was_accepted, pause in events:
            now += pause
            if replacement_can_help(
                was_accepted=was_accepted,
                obtained_at=obtained_at,
                replacements=tuple(replacements[-2:]),
                now=now,
            ):
                replacements.append(now)
                obtained_at = now

        for first, third in zip(replacements, replacements[2:], strict=False):
            assert third - first >= HOUR


class TestUsefulRefreshes:
    def test_a_revoked_token_is_replaced_at_once(self, vendor: Vendor, caller: Caller) -> None:
        assert caller.call() is None
        vendor.accepted = lambda token: token == "access-1"

        assert caller.call() is None
        assert vendor.refreshes == 1

    def test_a_new_token_that_worked_and_was_then_revoked_is_replaced_at_once(
        self, vendor: Vendor, clock: Clock
    ) -> None:
        store = MemoryTokenStore(Tokens("", "refresh-0", 0.0))
        caller = Caller(vendor, make_oauth(vendor, clock, store))
        assert caller.call() is None
        vendor.accepted = lambda token: token == "access-2"

        # No second has passed since the first refresh.
        assert caller.call() is None
        assert vendor.refreshes == 2

    def test_a_revoked_token_is_replaced_although_another_location_is_forbidden(
        self, vendor: Vendor, clock: Clock, caller: Caller
    ) -> None:
        vendor.forbidden = {"other"}
        assert isinstance(caller.call("other"), AuthenticationError)
        assert caller.call() is None
        vendor.accepted = lambda token: token == "access-2"
        clock.now += 60.0

        assert caller.call() is None
        assert vendor.refreshes == 2

    @pytest.mark.parametrize("minute", [1, 31, 50, 59])
    def test_a_call_that_never_works_takes_no_replacement_from_one_that_works(
        self, vendor: Vendor, clock: Clock, caller: Caller, minute: int
    ) -> None:
        vendor.accepted = lambda _: True
        vendor.forbidden = {"other"}
        for _ in range(minute):
            assert caller.call() is None
            assert isinstance(caller.call("other"), AuthenticationError)
            clock.now += 60.0
        assert caller.call() is None
        assert vendor.refreshes == 1
        vendor.accepted = lambda token: token == "access-2"

        assert caller.call() is None
        assert vendor.refreshes == 2

    @pytest.mark.parametrize("minutes", [1, 11, 50])
    def test_a_revoked_token_is_replaced_although_a_call_had_an_invalid_version(
        self, vendor: Vendor, clock: Clock, caller: Caller, minutes: int
    ) -> None:
        vendor.accepted = lambda _: True
        vendor.forbidden = {"2020-01-01"}
        assert caller.call() is None
        assert isinstance(caller.call(version="2020-01-01"), AuthenticationError)
        clock.now += 60.0 * minutes
        assert caller.call() is None
        vendor.accepted = lambda token: token == "access-2"

        assert caller.call() is None
        assert vendor.refreshes == 2

    @pytest.mark.parametrize("calls", [1, 5])
    def test_a_revoked_token_is_replaced_although_all_calls_were_rejected_for_a_while(
        self, vendor: Vendor, clock: Clock, caller: Caller, calls: int
    ) -> None:
        vendor.accepted = lambda _: True
        assert caller.call() is None
        vendor.accepted = nothing
        assert isinstance(caller.call(), AuthenticationError)
        vendor.accepted = lambda _: True
        for _ in range(calls):
            clock.now += 60.0
            assert caller.call() is None
        vendor.accepted = lambda token: token == "access-2"

        assert caller.call() is None
        assert vendor.refreshes == 2

    def test_tokens_of_a_new_authorization_are_used_at_once(
        self, vendor: Vendor, clock: Clock
    ) -> None:
        store = MemoryTokenStore(valid_tokens())
        caller = Caller(vendor, make_oauth(vendor, clock, store))
        vendor.accepted = lambda token: token == "with-the-scope"
        for _ in range(10):
            assert isinstance(caller.call(), AuthenticationError)
            clock.now += 60.0
        store.save(Tokens("with-the-scope", "refresh-of-it", NOW + DAY))

        assert caller.call() is None


class TestExplanation:
    def test_the_error_says_that_a_new_token_was_rejected_as_well(
        self, vendor: Vendor, caller: Caller
    ) -> None:
        vendor.accepted = nothing
        error = caller.call()

        assert isinstance(error, AuthenticationError)
        assert error.attempts == 2
        assert "No scope" in str(error)
        assert "the API also rejected a token obtained 0 s ago; probable causes" in str(error)
        assert "missing scope" in str(error)
        assert "Version" in str(error)
        assert error.messages == ["No scope"]

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_the_error_says_that_a_token_was_not_replaced(
        self, vendor: Vendor, clock: Clock, caller: Caller, number: int
    ) -> None:
        vendor.accepted = nothing
        for _ in range(number):
            caller.call()
            clock.now += 40.0
        error = caller.call()

        assert isinstance(error, AuthenticationError)
        assert error.attempts == 1
        assert "No scope" in str(error)
        assert "also rejected" not in str(error)
        explanation = f"; the token was obtained {number * 40} s ago and was not replaced; probable"
        assert explanation in str(error)
        assert "missing scope" in str(error)

    def test_the_async_client_explains_as_well(self, vendor: Vendor, caller: Caller) -> None:
        vendor.accepted = nothing
        assert "also rejected a token" in str(asyncio.run(caller.call_async()))

    def test_two_tokens_of_a_callable_are_explained_without_an_age(self, vendor: Vendor) -> None:
        vendor.accepted = nothing
        tokens = iter(["first", "second"])
        with (
            LeadConnector(token=lambda: next(tokens), transport=vendor) as client,
            pytest.raises(AuthenticationError, match="also rejected another token"),
        ):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    def test_a_single_fixed_token_is_not_explained(self, vendor: Vendor) -> None:
        vendor.accepted = nothing
        with (
            LeadConnector(token="fixed", transport=vendor) as client,
            pytest.raises(AuthenticationError) as raised,
        ):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
        assert "also rejected" not in str(raised.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
class TestPermanentFailures:
    def test_sixty_calls_send_one_refresh_request_and_have_its_reason(
        self, vendor: Vendor, caller: Caller, clock: Clock, status: int
    ) -> None:
        vendor.accepted = nothing
        vendor.token_response = lambda: httpx.Response(
            status, json={"message": "Location is not active"}
        )
        for _ in range(60):
            error = caller.call()
            assert isinstance(error, OAuthError)
            assert "Location is not active" in str(error)
            assert error.status_code == status
            clock.now += 1.0

        assert vendor.refreshes == 1

    def test_it_is_tried_again_after_a_while(
        self, vendor: Vendor, caller: Caller, clock: Clock, status: int
    ) -> None:
        vendor.accepted = lambda token: token == "access-2"
        vendor.token_response = lambda: httpx.Response(status)
        caller.call()
        vendor.token_response = vendor.new_tokens
        clock.now += HOUR

        assert caller.call() is None

    def test_other_tokens_in_the_store_are_tried_at_once(
        self, vendor: Vendor, clock: Clock, status: int
    ) -> None:
        store = MemoryTokenStore(Tokens("", "refresh-0", 0.0))
        caller = Caller(vendor, make_oauth(vendor, clock, store))
        vendor.token_response = lambda: httpx.Response(status)
        assert isinstance(caller.call(), OAuthError)
        vendor.token_response = vendor.new_tokens
        store.save(Tokens("", "refresh-of-a-new-authorization", 0.0))

        assert caller.call() is None

    def test_a_clock_that_was_set_back_does_not_prolong_it(
        self, vendor: Vendor, clock: Clock, status: int
    ) -> None:
        store = MemoryTokenStore(Tokens("", "refresh-0", 0.0))
        caller = Caller(vendor, make_oauth(vendor, clock, store))
        vendor.token_response = lambda: httpx.Response(status)
        caller.call()
        vendor.token_response = vendor.new_tokens
        clock.now -= DAY

        assert caller.call() is None


def fail_to_connect() -> httpx.Response:
    raise httpx.ConnectError("refused")


TRANSIENT: dict[str, Callable[[], httpx.Response]] = {
    "408": lambda: httpx.Response(408),
    "429": lambda: httpx.Response(429),
    "500": lambda: httpx.Response(500),
    "503": lambda: httpx.Response(503, json={"message": "maintenance"}),
    "599": lambda: httpx.Response(599),
    "no token": lambda: httpx.Response(200, json={}),
    "redirect": lambda: httpx.Response(302),
    "no connection": fail_to_connect,
}


@pytest.mark.parametrize("failure", TRANSIENT)
class TestTransientFailures:
    def test_the_next_call_tries_again_at_once(
        self, vendor: Vendor, caller: Caller, failure: str
    ) -> None:
        vendor.accepted = lambda token: token == "access-2"
        vendor.token_response = TRANSIENT[failure]
        assert isinstance(caller.call(), LeadConnectorError)
        vendor.token_response = vendor.new_tokens

        assert caller.call() is None

    def test_many_calls_send_few_refresh_requests(
        self, vendor: Vendor, caller: Caller, clock: Clock, failure: str
    ) -> None:
        vendor.accepted = nothing
        vendor.token_response = TRANSIENT[failure]
        errors = set[str]()
        for _ in range(60):
            errors.add(type(caller.call()).__name__)
            clock.now += 0.1

        # Six seconds, with pauses of 0, 1, 2 and 4 s.
        assert 2 <= vendor.refreshes <= 5
        assert len(errors) == 1

    def test_the_pause_stays_short_and_ends_with_a_success(
        self, vendor: Vendor, caller: Caller, clock: Clock, failure: str
    ) -> None:
        vendor.accepted = nothing
        vendor.token_response = TRANSIENT[failure]
        for _ in range(600):
            caller.call()
            clock.now += 1.0
        vendor.token_response = vendor.new_tokens
        vendor.accepted = lambda _: True
        before = vendor.refreshes
        clock.now += 30.0
        vendor.accepted = lambda token: token == f"access-{before + 1}"

        assert caller.call() is None


def test_a_wait_that_the_token_endpoint_asks_for_is_respected(
    vendor: Vendor, caller: Caller, clock: Clock
) -> None:
    vendor.accepted = nothing
    vendor.token_response = lambda: httpx.Response(429, headers={"Retry-After": "20"})
    for _ in range(19):
        caller.call()
        clock.now += 1.0
    assert vendor.refreshes == 1
    clock.now += 1.0
    caller.call()
    assert vendor.refreshes == 2


def test_an_invalid_grant_is_never_sent_again(vendor: Vendor, caller: Caller, clock: Clock) -> None:
    vendor.accepted = nothing
    vendor.token_response = lambda: httpx.Response(400, json={"error": "invalid_grant"})
    for _ in range(10):
        assert isinstance(caller.call(), ReauthorizationError)
        clock.now += HOUR
    assert vendor.refreshes == 1


@pytest.fixture
def revoking() -> tuple[Emulator, TokenEndpoint]:
    endpoint = TokenEndpoint(refresh_tokens={"refresh-0": LOCATION_ID})
    return Emulator(token_endpoint=endpoint), endpoint


def test_an_emulator_that_rejects_every_token_counts_two_refreshes(
    revoking: tuple[Emulator, TokenEndpoint],
) -> None:
    emulator, endpoint = revoking
    emulator.set_faults(Fault(status=401, path="/conversations/*"))
    clock = Clock()
    transport = EmulatorTransport(emulator)
    oauth = OAuth(
        client_id="client",
        client_secret="client-secret",
        store=MemoryTokenStore(Tokens("access-0", "refresh-0", NOW + DAY)),
        transport=transport,
        clock=clock,
    )
    with LeadConnector(token=oauth, transport=transport, rate_limit=None) as client:
        for _ in range(60):
            with pytest.raises(AuthenticationError):
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)
            clock.now += 59.0
    assert 1 <= endpoint.refreshes <= 2
