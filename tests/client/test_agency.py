"""An agency's authorization: a token for each location, one request for all who need it."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import pytest
from leadconnector import (
    AgencyOAuth,
    AsyncLeadConnector,
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    FileAgencyTokenStore,
    FileTokenStore,
    LeadConnector,
    LeadConnectorError,
    MemoryAgencyTokenStore,
    MemoryTokenStore,
    OAuthError,
    ReauthorizationError,
    Tokens,
)
from leadconnector.oauth import TokenStore
from leadconnector.oauth import agency as agency_module
from leadconnector_emulator import Emulator, EmulatorTransport, Server, TokenEndpoint

from tests.support.calling import TOKEN, succeeding
from tests.support.paths import ROOT

NAMES = ("access_token", "refresh_token")
REDIRECT_URI = "http://localhost:8976/oauth/callback"
SCOPES = {"conversations.write", "oauth.write"}
LOCATIONS = [f"location-{number}" for number in range(50)]
PROCESSES = 4
DAY = 86_400.0

Update = Callable[..., None]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def conversation(location: str) -> dict[str, Any]:
    return {
        "id": location,
        "locationId": location,
        "contactId": "contact",
        "deleted": False,
    }


class Agency:
    """An agency of the emulator, with everything that a test looks at."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.endpoint = TokenEndpoint(locations=LOCATIONS, **options)
        self.emulator = Emulator(
            tokens=[],
            token_endpoint=self.endpoint,
            conversations=[conversation(location) for location in LOCATIONS],
            required_scopes=["conversations.write"],
            clock=self.clock,
        )
        self.transport = EmulatorTransport(self.emulator)

    def oauth(self, store: Any = None, **options: Any) -> AgencyOAuth:
        arguments: dict[str, Any] = {
            "client_id": "client",
            "client_secret": "client-secret",
            "store": store or MemoryAgencyTokenStore(),
            "transport": self.transport,
            "clock": self.clock,
        }
        return AgencyOAuth(**{**arguments, **options})

    def authorized(self, store: Any = None, **options: Any) -> AgencyOAuth:
        """A token source after the authorization of the agency."""
        oauth = self.oauth(store, **options)
        oauth.exchange_code(self.code(), REDIRECT_URI)
        return oauth

    def code(self, scopes: set[str] = SCOPES) -> str:
        return self.endpoint.authorize(REDIRECT_URI, self.clock(), scopes=scopes)

    def location_requests(self) -> Counter[str]:
        """How many requests for tokens each location had."""
        counts: Counter[str] = Counter()
        for exchange in self.emulator.exchanges:
            if exchange.request.path in {"/oauth/locationToken", "/oauth/location-token"}:
                counts[parse_qs(exchange.request.body.decode())["locationId"][0]] += 1
        return counts

    def counts(self) -> tuple[int, int, int]:
        return self.endpoint.exchanges, self.endpoint.location_tokens, self.endpoint.refreshes


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture(params=["sync", "async"])
def update(request: pytest.FixtureRequest, agency: Agency) -> Update:
    """Updates a conversation of a location. A test with this fixture runs for both clients."""

    def update_sync(oauth: AgencyOAuth, location: str, bound_to: str | None = None) -> None:
        with LeadConnector(token=oauth, transport=agency.transport) as client:
            caller = client.for_location(bound_to) if bound_to is not None else client
            caller.conversations.update_conversation(location, location_id=location)

    def update_async(oauth: AgencyOAuth, location: str, bound_to: str | None = None) -> None:
        async def run() -> None:
            async with AsyncLeadConnector(token=oauth, transport=agency.transport) as client:
                caller = client.for_location(bound_to) if bound_to is not None else client
                await caller.conversations.update_conversation(location, location_id=location)

        asyncio.run(run())

    return {"sync": update_sync, "async": update_async}[str(request.param)]


class TestTokens:
    def test_a_call_gets_the_token_of_its_location(self, agency: Agency, update: Update) -> None:
        oauth = agency.authorized()
        for location in ("location-1", "location-2", "location-1", "location-2"):
            update(oauth, location)
        assert agency.counts() == (1, 2, 0)
        assert agency.location_requests() == {"location-1": 1, "location-2": 1}

    def test_a_client_for_a_location_uses_only_its_token(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        update(oauth, "location-3", bound_to="location-3")
        with pytest.raises(AuthenticationError):
            update(oauth, "location-4", bound_to="location-3")
        assert set(agency.location_requests()) == {"location-3"}

    def test_clients_for_locations_share_connections_and_options(self, agency: Agency) -> None:
        oauth = agency.authorized()
        with LeadConnector(token=oauth, transport=agency.transport, retries=7) as client:
            bound_client = client.for_location("location-1")
            assert bound_client._connections is client._connections
            assert bound_client._settings.retries == 7
            assert bound_client._settings.rate_limit is client._settings.rate_limit
            rebound_client = bound_client.with_options(retries=1)
            rebound_client.conversations.update_conversation("location-1", location_id="location-1")
        assert set(agency.location_requests()) == {"location-1"}

    @pytest.mark.parametrize("token", [TOKEN, lambda: TOKEN])
    def test_a_client_without_tokens_of_locations_says_what_it_needs(self, token: Any) -> None:
        with (
            LeadConnector(token=token, transport=succeeding()) as client,
            pytest.raises(ConfigurationError, match="an AgencyOAuth"),
        ):
            client.for_location("location-1")

    @pytest.mark.parametrize("location", ["", None, 5])
    def test_an_invalid_location_is_rejected(self, agency: Agency, location: Any) -> None:
        with (
            LeadConnector(token=agency.oauth(), transport=succeeding()) as client,
            pytest.raises(ConfigurationError, match="location_id must be"),
        ):
            client.for_location(location)

    @pytest.mark.parametrize("has_refresh_tokens", [True, False])
    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    def test_tokens_of_a_location_are_refreshed_before_they_expire(
        self, agency: Agency, update: Update, version: str, has_refresh_tokens: bool
    ) -> None:
        agency.endpoint.location_refresh_tokens = has_refresh_tokens
        oauth = agency.authorized(version=version)
        update(oauth, "location-1")
        agency.clock.seconds += DAY
        update(oauth, "location-1")
        # Without a refresh token of its own, the location needs a new token of the agency.
        assert agency.counts() == ((1, 1, 1) if has_refresh_tokens else (1, 2, 1))
        assert len(agency.location_requests()) == 1

    def test_a_revoked_refresh_token_of_a_location_is_replaced_by_the_agency(
        self, agency: Agency, update: Update, tmp_path: Path
    ) -> None:
        store = FileAgencyTokenStore(tmp_path)
        oauth = agency.authorized(store)
        location_store = store.location("location-1")
        location_store.save(Tokens("old", "revoked", 0.0, location_id="location-1"))
        update(oauth, "location-1")
        assert agency.counts() == (1, 1, 0)

    def test_the_replacement_of_a_rejected_refresh_token_is_logged_without_it(
        self, agency: Agency, update: Update, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "leadconnector")
        store = FileAgencyTokenStore(tmp_path)
        oauth = agency.authorized(store)
        revoked_tokens = Tokens("old-access", "old-refresh", 0.0, location_id="location-1")
        store.location("location-1").save(revoked_tokens)
        update(oauth, "location-1")
        [record] = caplog.records
        assert vars(record)["event"] == "location_token_replaced"
        assert "invalid_grant" in vars(record)["failure"]
        text = f"{record.getMessage()} {vars(record)}"
        assert not any(private in text for private in ("old-", "location-1"))

    def test_an_expired_token_of_the_agency_is_refreshed_first(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        agency.clock.seconds += DAY
        update(oauth, "location-1")
        assert agency.counts() == (1, 1, 1)

    def test_a_rejected_token_of_the_agency_is_replaced(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        agency.clock.seconds += 60
        for access_token in list(agency.endpoint._grant_by_access_token):
            del agency.endpoint._grant_by_access_token[access_token]
        update(oauth, "location-1")
        assert agency.counts() == (1, 1, 1)
        assert agency.location_requests() == {"location-1": 2}

    def test_a_call_that_names_no_location_gets_the_agencys_token(self, agency: Agency) -> None:
        oauth = agency.authorized()
        token = oauth.get_token("https://api.example", None, 20.0)
        token_async = asyncio.run(oauth.get_token_async("https://api.example", None, 20.0))
        access = agency.endpoint.access(token.reveal(), agency.clock())
        assert access is not None
        assert access.user_type == "Company"
        assert token_async == token

    def test_locations_beyond_the_bound_are_loaded_again(
        self, agency: Agency, monkeypatch: pytest.MonkeyPatch, update: Update
    ) -> None:
        monkeypatch.setattr(agency_module, "MAXIMUM_LOCATIONS", 2)
        oauth = agency.authorized()
        for location in ("location-1", "location-2", "location-3", "location-1"):
            update(oauth, location)
        assert len(oauth._locations) == 2
        assert agency.counts() == (1, 3, 0)

    def test_the_url_of_the_consent_is_that_of_oauth(self, agency: Agency) -> None:
        url = agency.oauth().authorization_url(REDIRECT_URI, SCOPES, "state")
        assert url.startswith("https://marketplace.gohighlevel.com/oauth/chooselocation?")

    def test_the_exchange_works_in_an_event_loop(self, agency: Agency, update: Update) -> None:
        oauth = agency.oauth()
        tokens = asyncio.run(oauth.exchange_code_async(agency.code(), REDIRECT_URI))
        assert tokens.user_type == "Company"
        update(oauth, "location-1")


def test_a_store_that_opens_one_location_slowly_delays_no_other(agency: Agency) -> None:
    is_opening = Event()
    is_released = Event()

    class SlowStore(MemoryAgencyTokenStore):
        def location(self, location_id: str) -> TokenStore:
            if location_id == "location-1":
                is_opening.set()
                assert is_released.wait(30.0)
            return super().location(location_id)

    oauth = agency.authorized(SlowStore())
    with ThreadPoolExecutor(3) as executor:
        slow_sources = [executor.submit(oauth.for_location, "location-1") for _ in range(2)]
        assert is_opening.wait(30.0)
        # In a thread of its own, so that a lock cannot block the test.
        other_source = executor.submit(oauth.for_location, "location-2")
        try:
            assert other_source.result(10.0).get_token("https://api.example", None, 20.0)
        finally:
            is_released.set()
        first_source, second_source = (source.result(30.0) for source in slow_sources)
    assert first_source is second_source
    assert oauth.for_location("location-1") is first_source


class TestFailures:
    def test_without_an_authorization_the_message_names_the_agency(
        self, agency: Agency, update: Update
    ) -> None:
        with pytest.raises(CredentialsError, match=r"the agency's token: .* no valid refresh"):
            update(agency.oauth(), "location-1")
        assert agency.emulator.exchanges == []

    def test_an_inactive_location_concerns_no_other_and_is_not_asked_for_again(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        agency.endpoint.inactive_locations = {"location-1"}
        for _ in range(3):
            with pytest.raises(OAuthError, match="Location is not active") as raised:
                update(oauth, "location-1")
            assert raised.value.description == "Location is not active"
        update(oauth, "location-2")
        assert agency.location_requests() == {"location-1": 1, "location-2": 1}
        # After the pause, an active location gets its tokens.
        agency.endpoint.inactive_locations = ()
        agency.clock.seconds += 300
        update(oauth, "location-1")

    def test_a_location_of_another_agency_is_explained(
        self, agency: Agency, update: Update
    ) -> None:
        with pytest.raises(OAuthError, match="not installed in this location") as raised:
            update(agency.authorized(), "elsewhere")
        assert "check the location's id" in str(raised.value)

    def test_a_missing_scope_is_explained(self, agency: Agency, update: Update) -> None:
        oauth = agency.oauth()
        oauth.exchange_code(agency.code({"conversations.write"}), REDIRECT_URI)
        with pytest.raises(OAuthError, match="not authorized for this scope") as raised:
            update(oauth, "location-1")
        assert raised.value.status_code == 401
        assert "the agency authorized the scope oauth.write" in str(raised.value)

    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    @pytest.mark.parametrize("has_refresh_token", [True, False])
    def test_the_tokens_of_another_location_are_an_error(
        self, agency: Agency, version: str, has_refresh_token: bool
    ) -> None:
        store = MemoryAgencyTokenStore(Tokens("agency", "refresh", 1e10, company_id="company-1"))
        location_store = store.location("location-1")
        old_tokens = Tokens(
            "old", "refresh-1" if has_refresh_token else "", 0.0, location_id="location-1"
        )
        location_store.save(old_tokens)
        names = ("accessToken", "refreshToken") if version == "v3" else NAMES
        members = {names[0]: "access-2", names[1]: "refresh-2", "locationId": "location-2"}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=members))
        source = agency.oauth(store, transport=transport, version=version).for_location(
            "location-1"
        )
        with pytest.raises(OAuthError, match="the tokens of another location") as raised:
            source.get_token("https://api.example", None, 20.0)
        assert raised.value.status_code == 200
        assert location_store.load() == old_tokens

    def test_the_authorization_of_a_location_is_not_saved(self, agency: Agency) -> None:
        oauth = agency.oauth()
        code = agency.endpoint.authorize(REDIRECT_URI, agency.clock(), location="location-1")
        with pytest.raises(OAuthError, match="user_type must be Location"):
            oauth.exchange_code(code, REDIRECT_URI)

    def test_a_revoked_authorization_of_the_agency_names_it(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        agency.endpoint.reset()
        agency.clock.seconds += DAY
        with pytest.raises(ReauthorizationError, match="the agency's token: ") as raised:
            update(oauth, "location-1")
        assert raised.value.status_code == 400

    def test_locations_work_at_once_after_a_new_authorization_of_the_agency(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.authorized()
        agency.endpoint.reset()
        agency.clock.seconds += DAY
        for _ in range(2):
            with pytest.raises(ReauthorizationError, match="the agency's token: "):
                update(oauth, "location-1")
        oauth.exchange_code(agency.code(), REDIRECT_URI)
        update(oauth, "location-1")

    def test_a_rejected_location_costs_the_agency_one_token(self, agency: Agency) -> None:
        location_requests: Counter[str] = Counter()

        def respond(request: httpx.Request) -> httpx.Response:
            fields = parse_qs(request.read().decode())
            for location in fields.get("locationId", []):
                location_requests[location] += 1
                if location == "location-1":
                    return httpx.Response(401, json={"message": "No access"})
            return agency.transport.handle_request(request)

        oauth = agency.authorized(transport=httpx.MockTransport(respond))
        for number in range(2, 6):
            agency.clock.seconds += 60.0
            with pytest.raises(OAuthError, match="No access"):
                oauth.for_location("location-1").get_token("https://api.example", None, 20.0)
            source = oauth.for_location(f"location-{number}")
            assert source.get_token("https://api.example", None, 20.0)
        assert agency.endpoint.refreshes == 1
        assert location_requests["location-1"] == 2

    def test_the_agencys_error_is_raised_also_after_a_401(self, agency: Agency) -> None:
        oauth = agency.authorized()
        agency.clock.seconds += 60.0
        agency.endpoint.reset()
        source = oauth.for_location("location-1")
        for _ in range(3):
            with pytest.raises(ReauthorizationError, match="the agency's token: "):
                source.get_token("https://api.example", None, 20.0)

    def test_a_scope_that_a_new_authorization_adds_counts_at_once(
        self, agency: Agency, update: Update
    ) -> None:
        oauth = agency.oauth()
        oauth.exchange_code(agency.code({"conversations.write"}), REDIRECT_URI)
        for _ in range(3):
            with pytest.raises(OAuthError, match="not authorized for this scope"):
                update(oauth, "location-1")
        assert agency.location_requests() == {"location-1": 1}
        oauth.exchange_code(agency.code(), REDIRECT_URI)
        update(oauth, "location-1")

    @pytest.mark.parametrize("stored_value", [{"access_token": "secret-token"}, "secret-token", 5])
    def test_a_store_that_returns_no_tokens_is_reported(
        self, agency: Agency, update: Update, stored_value: Any
    ) -> None:
        class Store(MemoryTokenStore):
            def load(self) -> Any:
                return stored_value

        class AgencyStore(MemoryAgencyTokenStore):
            def location(self, location_id: str) -> TokenStore:
                return Store(Tokens("", "", 0.0))

        oauth = agency.authorized(AgencyStore())
        with pytest.raises(CredentialsError, match="must return Tokens or None, not") as raised:
            update(oauth, "location-1")
        assert "secret-token" not in str(raised.value)
        assert agency.location_requests() == {}

    def test_tokens_that_name_no_company_need_the_option(self, agency: Agency) -> None:
        agency.endpoint.refresh_tokens = {"first": "company-1"}
        agency.endpoint.user_type = "Company"
        agency.endpoint.reset()
        tokens = Tokens("", "first", 0.0)

        def respond(request: httpx.Request) -> httpx.Response:
            response = agency.transport.handle_request(request)
            members = {
                name: value
                for name, value in json.loads(response.read()).items()
                if name != "companyId"
            }
            return httpx.Response(response.status_code, json=members)

        transport = httpx.MockTransport(respond)
        oauth = agency.oauth(MemoryAgencyTokenStore(tokens), transport=transport)
        with pytest.raises(CredentialsError, match="pass company_id="):
            oauth.for_location("location-1").get_token("https://api.example", None, 20.0)
        agency_tokens = oauth._agency._store.load()
        assert agency_tokens is not None
        store = MemoryAgencyTokenStore(agency_tokens)
        oauth = agency.oauth(store, transport=transport, company_id="company-1")
        assert oauth.for_location("location-1").get_token("https://api.example", None, 20.0)

    @pytest.mark.parametrize("company_id", ["", 5])
    def test_an_invalid_company_is_rejected(self, agency: Agency, company_id: Any) -> None:
        with pytest.raises(ConfigurationError, match="company_id"):
            agency.oauth(company_id=company_id)

    @pytest.mark.parametrize(
        "store",
        [
            None,
            object(),
            MemoryAgencyTokenStore().agency(),
            MemoryAgencyTokenStore,
            FileAgencyTokenStore,
        ],
    )
    def test_another_store_is_rejected(self, agency: Agency, store: Any) -> None:
        with pytest.raises(ConfigurationError, match="store must be"):
            AgencyOAuth(client_id="c", client_secret="s", store=store)

    def test_it_shows_no_secret_and_is_not_pickled(self, agency: Agency) -> None:
        oauth = agency.authorized()
        source = oauth.for_location("location-1")
        source.get_token("https://api.example", None, 20.0)
        assert "client-secret" not in repr(oauth) + repr(source)
        for secret_object in (oauth, source):
            with pytest.raises(TypeError):
                pickle.dumps(secret_object)


class TestFileStore:
    def test_each_location_has_a_private_file(
        self, agency: Agency, update: Update, tmp_path: Path
    ) -> None:
        folder = tmp_path / "tokens"
        oauth = agency.authorized(FileAgencyTokenStore(folder))
        update(oauth, "location-1")
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        assert files == {
            "agency.json": 0o600,
            "agency.json.lock": 0o600,
            "location-location-1.json": 0o600,
            "location-location-1.json.lock": 0o600,
        }
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        tokens = FileTokenStore(folder / "agency.json").load()
        assert tokens is not None
        assert tokens.user_type == "Company"

    @pytest.mark.parametrize("location", ["../../x", "/etc/x", "a/b", "..", "\0", "ä", "a b%"])
    def test_no_id_leads_out_of_the_folder(self, tmp_path: Path, location: str) -> None:
        store = FileAgencyTokenStore(tmp_path / "tokens").location(location)
        tokens = Tokens("a", "", 1.0, location_id=location)
        with store.lock():
            store.save(tokens)
        assert store.load() == tokens
        assert [path.name for path in tmp_path.iterdir()] == ["tokens"]
        assert all(path.is_file() for path in (tmp_path / "tokens").iterdir())

    def test_a_too_long_id_and_an_unusable_folder_are_errors_of_ours(
        self, agency: Agency, tmp_path: Path
    ) -> None:
        oauth = agency.oauth(FileAgencyTokenStore(tmp_path))
        with pytest.raises(CredentialsError, match="id is too long for the name of a token file"):
            oauth.for_location("x" * 1000)
        with pytest.raises(ConfigurationError, match="half of a surrogate pair"):
            oauth.for_location("\ud800")
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "file").write_text("")
        with pytest.raises(CredentialsError, match="the token store failed"):
            agency.oauth(FileAgencyTokenStore(tmp_path / "file"))

    def test_a_call_with_a_too_long_id_says_so(
        self, agency: Agency, update: Update, tmp_path: Path
    ) -> None:
        with pytest.raises(CredentialsError, match="id is too long for the name of a token file"):
            update(agency.oauth(FileAgencyTokenStore(tmp_path)), "x" * 300)

    @pytest.mark.parametrize("folder", ["", None, 5, b"tokens", "a\0b"])
    def test_an_unusable_folder_is_rejected(self, folder: Any) -> None:
        with pytest.raises(ConfigurationError, match="the folder of a FileAgencyTokenStore must"):
            FileAgencyTokenStore(folder)

    @pytest.mark.parametrize("location", ["location-1", "\u00e4 b/c+d", "x"])
    @pytest.mark.parametrize("step", ["save", "load", "lock", "permission"])
    def test_no_log_shows_the_id_of_a_location(
        self,
        agency: Agency,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        location: str,
        step: str,
    ) -> None:
        agency.endpoint.locations = [location]
        store = FileAgencyTokenStore(tmp_path)
        source = agency.authorized(store).for_location(location)
        name = f"location-{quote(location, safe='')}.json"
        if step == "save":
            (tmp_path / f"{name}.new").mkdir()
        source.get_token("https://api.example", None, 20.0)
        # Soon the token is due for a refresh.
        agency.clock.seconds += DAY - 60.0
        if step == "load":
            (tmp_path / name).unlink()
            (tmp_path / name).mkdir()
        if step == "lock":
            (tmp_path / f"{name}.lock").unlink()
            (tmp_path / f"{name}.lock").mkdir()
        if step == "permission":
            (tmp_path / name).chmod(0o666)
        source.get_token("https://api.example", None, 20.0)
        for thread in threading.enumerate():
            if thread.name == "leadconnector-refresh":
                thread.join()
        record = caplog.records[-1]
        fields = vars(record)
        event = "token_not_saved" if step == "save" else "token_not_refreshed"
        assert fields["event"] == event
        for text in (record.getMessage(), fields["failure"]):
            assert f"location-{location}" not in text
            assert name not in text
        if step != "permission":
            assert fields["failure"] == f"[Errno {errno.EISDIR}] Is a directory"

    def test_an_id_that_the_endpoint_quotes_is_not_shown(
        self, agency: Agency, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", logger="leadconnector")
        store = MemoryAgencyTokenStore(Tokens("agency", "refresh", 1e10, company_id="company-1"))
        store.location("location-1").save(Tokens("a", "r", 0.0, location_id="location-1"))
        content = {"error": "invalid_grant", "error_description": "location-1 has no such grant"}
        transport = httpx.MockTransport(lambda _: httpx.Response(400, json=content))
        source = agency.oauth(store, transport=transport).for_location("location-1")
        with pytest.raises(OAuthError, match="has no such grant"):
            source.get_token("https://api.example", None, 20.0)
        assert "has no such grant" in caplog.text
        assert "location-1" not in caplog.text

    def test_the_tokens_of_another_location_are_not_used(
        self, agency: Agency, update: Update, tmp_path: Path
    ) -> None:
        store = FileAgencyTokenStore(tmp_path)
        oauth = agency.authorized(store)
        # A file system that ignores case has one file for two such ids.
        other_tokens = Tokens("access-other", "refresh-other", 1e10, location_id="LOCATION-1")
        store.location("location-1").save(other_tokens)
        update(oauth, "location-1")
        assert agency.counts() == (1, 1, 0)


def test_four_processes_request_and_refresh_the_tokens_of_each_location_once(
    tmp_path: Path,
) -> None:
    agency = Agency()
    # The processes have the real clock. So the tokens expire when the test changes the files.
    agency.clock.seconds = 4_000_000_000.0
    store = FileAgencyTokenStore(tmp_path)
    with Server(agency.emulator) as server:
        agency.authorized(store, clock=time.time)

        call_in_processes(tmp_path, server.url)
        assert agency.counts() == (1, len(LOCATIONS), 0)
        assert agency.location_requests() == dict.fromkeys(LOCATIONS, 1)

        expire(store)
        call_in_processes(tmp_path, server.url)
        assert agency.counts() == (1, len(LOCATIONS), len(LOCATIONS))
        assert agency.location_requests() == dict.fromkeys(LOCATIONS, 1)


def call_in_processes(folder: Path, url: str) -> None:
    """Let new processes call the API for each location, with threads and with tasks, at once."""
    script = ROOT / "tests" / "support" / "agency_process.py"
    command = [sys.executable, str(script), str(folder), url, json.dumps(LOCATIONS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            processes.append(stack.enter_context(process))
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("start\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert outputs == [str(2 * len(LOCATIONS))] * PROCESSES


def expire(store: FileAgencyTokenStore) -> None:
    """Let the tokens of all locations expire."""
    for location in LOCATIONS:
        location_store = store.location(location)
        with location_store.lock():
            tokens = location_store.load()
            assert tokens is not None
            location_store.save(
                Tokens(
                    tokens.access_token,
                    tokens.refresh_token,
                    expires_at=1.0,
                    user_type="Location",
                    location_id=location,
                )
            )


def test_an_error_of_the_agency_keeps_its_attributes() -> None:
    agency = Agency()
    oauth = agency.oauth(client_secret="wrong")
    with pytest.raises(LeadConnectorError):
        oauth.exchange_code(agency.code(), REDIRECT_URI)
    tokens = Tokens("", "unknown", 0.0, company_id="company-1")
    oauth = agency.oauth(MemoryAgencyTokenStore(tokens), client_secret="wrong")
    with pytest.raises(OAuthError, match="the agency's token: ") as raised:
        oauth.for_location("location-1").get_token("https://api.example", None, 20.0)
    assert (raised.value.status_code, raised.value.description) == (
        401,
        "Invalid client credentials!",
    )
