"""The first authorization: the URL of the consent, the exchange of the code, and what is saved."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import (
    AgencyOAuth,
    ArgumentError,
    ConfigurationError,
    CredentialsError,
    FileTokenStore,
    LeadConnector,
    LeadConnectorError,
    MemoryAgencyTokenStore,
    MemoryTokenStore,
    OAuth,
    OAuthError,
    ReauthorizationError,
    Tokens,
    TokenStore,
)
from leadconnector_emulator import Emulator, EmulatorTransport, Server, TokenEndpoint

from tests.support.calling import LOCATION_ID

REDIRECT_URI = "http://localhost:8976/oauth/callback"
SCOPES = ("conversations.write", "oauth.write")
NAMES = ("access_token", "refresh_token")
OLD_TOKENS = Tokens("access-0", "refresh-0", 1e10)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Application:
    """An application of the emulator, with everything that a test looks at."""

    def __init__(self, tmp_path: Path, **options: Any) -> None:
        self.clock = Clock()
        self.endpoint = TokenEndpoint(**options)
        self.emulator = Emulator(token_endpoint=self.endpoint, clock=self.clock)
        self.transport = EmulatorTransport(self.emulator)
        self.path = tmp_path / "tokens.json"
        self.store = FileTokenStore(self.path)

    def oauth(self, **options: Any) -> OAuth:
        arguments: dict[str, Any] = {
            "client_id": "client",
            "client_secret": "client-secret",
            "store": self.store,
            "transport": self.transport,
            "clock": self.clock,
        }
        return OAuth(**{**arguments, **options})

    def code(self, location: str | None = LOCATION_ID, **options: Any) -> str:
        arguments: dict[str, Any] = {"scopes": set(SCOPES), **options}
        return self.endpoint.authorize(REDIRECT_URI, self.clock(), location=location, **arguments)


Exchange = Callable[..., Tokens]


@pytest.fixture(params=["sync", "async"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Exchanges a code. A test with this fixture runs for both variants."""

    def exchange_sync(oauth: OAuth, *arguments: Any, **options: Any) -> Tokens:
        return oauth.exchange_code(*arguments, **options)

    def exchange_async(oauth: OAuth, *arguments: Any, **options: Any) -> Tokens:
        return asyncio.run(oauth.exchange_code_async(*arguments, **options))

    return {"sync": exchange_sync, "async": exchange_async}[str(request.param)]


@pytest.fixture
def application(tmp_path: Path) -> Application:
    return Application(tmp_path)


class TestURL:
    def test_it_has_the_parameters_of_an_authorization_request(
        self, application: Application
    ) -> None:
        url = urlsplit(application.oauth().authorization_url(REDIRECT_URI, SCOPES, "a state"))

        page = f"{url.scheme}://{url.netloc}{url.path}"
        assert page == "https://marketplace.gohighlevel.com/oauth/chooselocation"
        assert parse_qs(url.query, strict_parsing=True) == {
            "response_type": ["code"],
            "client_id": ["client"],
            "redirect_uri": [REDIRECT_URI],
            "scope": ["conversations.write oauth.write"],
            "state": ["a state"],
        }
        assert "+" not in url.query

    def test_the_page_is_an_option(self, application: Application) -> None:
        oauth = application.oauth(authorization_page="http://127.0.0.1:1/oauth/chooselocation")
        url = oauth.authorization_url(REDIRECT_URI, "a b a", "state")
        assert url.startswith("http://127.0.0.1:1/oauth/chooselocation?response_type=code&")
        assert "scope=a%20b&" in url

    @pytest.mark.parametrize(
        "page", ["http://other.test/oauth", "https://u:p@host/x", "x", "https://host/x?a=b"]
    )
    def test_an_unsafe_page_is_rejected(self, application: Application, page: str) -> None:
        with pytest.raises(ConfigurationError, match="authorization_page must be https") as raised:
            application.oauth(authorization_page=page)
        assert page == "x" or page not in str(raised.value)

    @given(
        state=st.from_regex(r"[ -~]+", fullmatch=True),
        scopes=st.lists(st.from_regex(r"[!#-\[\]-~]+", fullmatch=True), min_size=1),
        path=st.from_regex(r"/[A-Za-z0-9/?&=%._~-]*", fullmatch=True),
    )
    def test_the_page_reads_the_same_values(self, state: str, scopes: list[str], path: str) -> None:
        store = MemoryTokenStore(OLD_TOKENS)
        oauth = OAuth(client_id="a b&c=d", client_secret="s", store=store)
        redirect_uri = f"https://app.example{path}"
        url = urlsplit(oauth.authorization_url(redirect_uri, scopes, state))
        parameters = parse_qs(url.query, keep_blank_values=True, strict_parsing=True)
        assert parameters["state"] == [state]
        assert parameters["scope"] == [" ".join(dict.fromkeys(scopes))]
        assert parameters["redirect_uri"] == [redirect_uri]
        assert parameters["client_id"] == ["a b&c=d"]

    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("redirect_uri", "http://app.example/callback"),
            ("redirect_uri", "https://app.example/callback#part"),
            ("redirect_uri", "https://app.example/callback#"),
            ("redirect_uri", "https://user:secret@app.example/"),
            ("redirect_uri", "https:///callback"),
            ("redirect_uri", "https://app.example:99999/"),
            ("redirect_uri", "https://app.example/\r\nx"),
            ("redirect_uri", "https://[::1/"),
            ("redirect_uri", "http://127.0.0.1.evil.example/"),
            ("redirect_uri", "ftp://localhost/"),
            ("redirect_uri", "localhost:80/"),
            ("redirect_uri", ""),
            ("redirect_uri", None),
            ("scopes", ""),
            ("scopes", []),
            ("scopes", ["a b"]),
            ("scopes", ['a"']),
            ("scopes", ["a\n"]),
            ("scopes", ["é"]),
            ("scopes", [1]),
            ("scopes", None),
            ("scopes", 5),
            ("scopes", b"a"),
            ("state", ""),
            ("state", "a\nb"),
            ("state", "é"),
            ("state", None),
        ],
    )
    def test_an_invalid_argument_is_named(
        self, application: Application, argument: str, value: Any
    ) -> None:
        arguments: dict[str, Any] = {
            "redirect_uri": REDIRECT_URI,
            "scopes": SCOPES,
            "state": "state",
            argument: value,
        }
        with pytest.raises(ArgumentError, match=argument.removesuffix("s")) as raised:
            application.oauth().authorization_url(**arguments)
        assert raised.value.argument == argument

    @pytest.mark.parametrize(
        "redirect_uri",
        ["http://localhost/", "http://127.0.0.9:1/x?y", "http://[::1]:2/", "https://app.example"],
    )
    def test_http_is_accepted_for_loopback_only(
        self, application: Application, redirect_uri: str
    ) -> None:
        assert application.oauth().authorization_url(redirect_uri, SCOPES, "state")

    def test_http_to_another_machine_needs_allow_http(self, application: Application) -> None:
        oauth = application.oauth(allow_http=True)
        assert oauth.authorization_url("http://app.test/", SCOPES, "state")


class TestExchange:
    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    def test_the_tokens_are_saved_and_used(
        self, application: Application, exchange: Exchange, version: str
    ) -> None:
        oauth = application.oauth(version=version)

        tokens = exchange(oauth, application.code(), REDIRECT_URI)

        assert (tokens.user_type, tokens.location_id, tokens.company_id) == (
            "Location",
            LOCATION_ID,
            "company-1",
        )
        assert tokens.scopes == SCOPES
        assert application.store.load() == tokens
        with LeadConnector(token=oauth, transport=application.transport) as client:
            client.conversations.update_conversation(LOCATION_ID, location_id=LOCATION_ID)
        assert (application.endpoint.exchanges, application.endpoint.refreshes) == (1, 0)

    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    def test_the_tokens_of_an_agency_are_refreshed_as_such(
        self, application: Application, exchange: Exchange, version: str
    ) -> None:
        exchange(
            application.oauth(version=version),
            application.code(location=None),
            REDIRECT_URI,
            user_type="Company",
        )
        application.clock.seconds += 86_500
        # The stored tokens know their class.
        token = application.oauth(version=version).get_token("https://api.example", None, 20.0)

        access = application.endpoint.access(token.reveal(), application.clock())
        assert access is not None
        assert access.user_type == "Company"
        stored_tokens = application.store.load()
        assert stored_tokens is not None
        assert (stored_tokens.user_type, stored_tokens.company_id) == ("Company", "company-1")
        assert set(stored_tokens.scopes) == set(SCOPES)

    def test_the_requests_of_both_versions_have_their_own_names(
        self, application: Application, exchange: Exchange
    ) -> None:
        for version in ("2021-07-28", "v3"):
            exchange(application.oauth(version=version), application.code(), REDIRECT_URI)

        requests = [exchange.request for exchange in application.emulator.exchanges]
        forms = [{*parse_qs(request.body.decode())} for request in requests]
        names = {"client_id", "client_secret", "grant_type", "code", "redirect_uri", "user_type"}
        v3_names = {"clientId", "clientSecret", "grantType", "code", "redirectUri", "userType"}
        assert forms == [names, v3_names]
        assert [request.headers.get("version") for request in requests] == [None, "v3"]
        assert {request.target for request in requests} == {"/oauth/token"}

    def test_it_replaces_the_tokens_that_a_client_uses(self, application: Application) -> None:
        application.store.save(OLD_TOKENS)
        oauth = application.oauth()
        assert oauth.get_token("https://api.example", None, 20.0).reveal() == "access-0"
        tokens = oauth.exchange_code(application.code(), REDIRECT_URI)
        token = oauth.get_token("https://api.example", None, 20.0)
        assert token.reveal() == tokens.access_token != "access-0"

    def test_a_file_without_tokens_is_replaced(self, application: Application) -> None:
        application.path.write_text("not JSON")
        tokens = application.oauth().exchange_code(application.code(), REDIRECT_URI)
        assert application.store.load() == tokens

    def test_the_base_url_of_the_environment_is_the_default(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Server(application.emulator) as server:
            monkeypatch.setenv("LEADCONNECTOR_BASE_URL", server.url)
            application.oauth(transport=None).exchange_code(application.code(), REDIRECT_URI)
        assert application.endpoint.exchanges == 1

    def test_an_invalid_base_url_of_the_environment_is_named(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LEADCONNECTOR_BASE_URL", "http://api.example")
        with pytest.raises(ConfigurationError, match="LEADCONNECTOR_BASE_URL must be https"):
            application.oauth().exchange_code("code", REDIRECT_URI)

    def test_without_a_base_url_it_goes_to_the_server_of_the_spec(
        self, application: Application
    ) -> None:
        requests: list[httpx.Request] = []

        def respond(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, json={"access_token": "a", "refresh_token": "r"})

        oauth = application.oauth(transport=httpx.MockTransport(respond))
        tokens = oauth.exchange_code("code", REDIRECT_URI)
        assert str(requests[0].url) == "https://services.leadconnectorhq.com/oauth/token"
        # The response names no class, so it is the one of the request.
        assert tokens.user_type == "Location"

    def test_many_callers_with_one_code_save_the_tokens_of_one_exchange(
        self, application: Application
    ) -> None:
        code = application.code()
        oauth = application.oauth()
        outcomes: list[object] = []

        def run() -> None:
            try:
                outcomes.append(oauth.exchange_code(code, REDIRECT_URI))
            except LeadConnectorError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        successes = [outcome for outcome in outcomes if isinstance(outcome, Tokens)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, ReauthorizationError)]
        assert (len(successes), len(failures)) == (1, 7)
        assert application.store.load() == successes[0]

    def test_a_cancelled_exchange_saves_its_tokens(self, application: Application) -> None:
        arrived = threading.Event()
        gate = threading.Event()

        class SlowTransport(EmulatorTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                arrived.set()
                assert gate.wait(20)
                return super().handle_request(request)

        oauth = application.oauth(transport=SlowTransport(application.emulator))

        async def run() -> None:
            task = asyncio.create_task(oauth.exchange_code_async(application.code(), REDIRECT_URI))
            await asyncio.to_thread(arrived.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gate.set()

        asyncio.run(run())
        for thread in threading.enumerate():
            if thread.name == "leadconnector-exchange":
                thread.join(20)
        assert application.store.load() is not None


def use_up(application: Application, code: str) -> None:
    application.oauth(store=MemoryTokenStore(OLD_TOKENS)).exchange_code(code, REDIRECT_URI)


def expire(application: Application, code: str) -> None:
    application.clock.seconds += application.endpoint.code_expires_in


def pause(application: Application, code: str) -> None:
    application.endpoint.inactive_locations = {LOCATION_ID}


def nothing(application: Application, code: str) -> None:
    pass


Step = Callable[[Application, str], None]

FAILURES: dict[str, tuple[Step, dict[str, Any], type[OAuthError], int, str]] = {
    "a code used twice": (use_up, {}, ReauthorizationError, 400, "was used already"),
    "an expired code": (expire, {}, ReauthorizationError, 400, "has expired"),
    "an unknown code": (
        nothing,
        {"code": "unknown"},
        ReauthorizationError,
        400,
        "authorization code is invalid",
    ),
    "another redirect URI": (
        nothing,
        {"redirect_uri": "https://other.example/"},
        ReauthorizationError,
        400,
        "does not match",
    ),
    "a wrong secret": (
        nothing,
        {"client_secret": "wrong"},
        OAuthError,
        401,
        "Invalid client credentials!",
    ),
    "an inactive location": (pause, {}, OAuthError, 400, "Location is not active"),
    "another class": (nothing, {"user_type": "Company"}, OAuthError, 400, "must be Location"),
}


class TestFailures:
    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    @pytest.mark.parametrize("name", FAILURES)
    def test_it_raises_with_the_explanation_and_saves_nothing(
        self, application: Application, exchange: Exchange, name: str, version: str
    ) -> None:
        prepare, changes, error_class, status, explanation = FAILURES[name]
        application.store.save(OLD_TOKENS)
        content = application.path.read_bytes()
        code = application.code()
        prepare(application, code)
        options: dict[str, Any] = {"version": version}
        for option in ("client_secret", "user_type"):
            if option in changes:
                options[option] = changes[option]
        arguments = (changes.get("code", code), changes.get("redirect_uri", REDIRECT_URI))
        oauth = application.oauth(**options)

        with pytest.raises(error_class) as raised:
            exchange(oauth, *arguments)

        assert (type(raised.value), raised.value.status_code) == (error_class, status)
        assert explanation in raised.value.description
        assert f"POST /oauth/token: {status}" in str(raised.value)
        assert "no tokens were saved" in str(raised.value)
        assert "authorization again" in str(raised.value)
        assert code not in str(raised.value)
        assert application.path.read_bytes() == content
        assert {file.name for file in application.path.parent.iterdir()} == {
            "tokens.json",
            "tokens.json.lock",
        }
        assert oauth.get_token("https://api.example", None, 20.0).reveal() == "access-0"

    def test_names_of_another_version_are_explained(self, application: Application) -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            camel_case = {"accessToken": "access-1", "refreshToken": "refresh-1"}
            snake_case = {"access_token": "access-1", "refresh_token": "refresh-1"}
            is_v3 = request.headers.get("version") == "v3"
            return httpx.Response(200, json=snake_case if is_v3 else camel_case)

        for version, other_version in (("2021-07-28", "v3"), ("v3", "2021-07-28")):
            oauth = application.oauth(version=version, transport=httpx.MockTransport(respond))
            with pytest.raises(OAuthError, match=f'pass version="{other_version}"') as raised:
                oauth.exchange_code("code", REDIRECT_URI)
            assert "access-1" not in str(raised.value)
            assert not application.path.exists()

    @pytest.mark.parametrize("version", ["2021-07-28", "v3"])
    @pytest.mark.parametrize("refresh_token", [None, 5, "", "\u00e9", "a\nb", ["r"]])
    def test_tokens_without_a_refresh_token_are_not_saved(
        self, application: Application, exchange: Exchange, version: str, refresh_token: object
    ) -> None:
        application.store.save(OLD_TOKENS)
        content = application.path.read_bytes()
        names = ("accessToken", "refreshToken") if version == "v3" else NAMES
        members = dict(zip(names, ("access-1", refresh_token), strict=True))
        if refresh_token is None:
            del members[names[1]]
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=members))
        oauth = application.oauth(version=version, transport=transport)

        with pytest.raises(OAuthError, match="200; the response has no refresh token; start the"):
            exchange(oauth, "code", REDIRECT_URI)

        assert application.path.read_bytes() == content
        assert oauth.get_token("https://api.example", None, 20.0).reveal() == "access-0"

    @pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"{}", b"null"])
    def test_a_success_without_tokens_says_so(
        self, application: Application, exchange: Exchange, body: bytes
    ) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
        oauth = application.oauth(transport=transport)
        with pytest.raises(OAuthError, match="200; the response has no access token; start the"):
            exchange(oauth, "code", REDIRECT_URI)
        assert not application.path.exists()

    def test_the_version_is_validated(self, application: Application) -> None:
        with pytest.raises(ConfigurationError, match="version must be one of 2021-07-28, v3"):
            application.oauth(version="v2")

    def test_tokens_of_another_class_are_not_saved(self, application: Application) -> None:
        def respond(_: httpx.Request) -> httpx.Response:
            members = {"access_token": "a", "refresh_token": "r", "userType": "Company"}
            return httpx.Response(200, json=members)

        oauth = application.oauth(transport=httpx.MockTransport(respond))
        with pytest.raises(CredentialsError, match="for an agency, but user_type is Location"):
            oauth.exchange_code("code", REDIRECT_URI)
        assert not application.path.exists()

    @pytest.mark.parametrize("store", [FileTokenStore, MemoryTokenStore])
    def test_a_class_is_no_store(self, application: Application, store: Any) -> None:
        with pytest.raises(ConfigurationError, match="store must be an instance, not the class"):
            application.oauth(store=store)

    @pytest.mark.parametrize("user_type", ["company", "", 5])
    def test_an_unknown_class_is_rejected(self, application: Application, user_type: Any) -> None:
        with pytest.raises(ConfigurationError, match="user_type must be Location or Company"):
            application.oauth(user_type=user_type)
        with pytest.raises(ArgumentError, match="user_type must be Location or Company"):
            application.oauth().exchange_code("code", REDIRECT_URI, user_type=user_type)

    @pytest.mark.parametrize("code", ["", "a\n", "é", None, 5, b"code"])
    def test_an_invalid_code_is_not_sent(
        self, application: Application, exchange: Exchange, code: Any
    ) -> None:
        with pytest.raises(ArgumentError, match="code must be"):
            exchange(application.oauth(), code, REDIRECT_URI)
        assert application.emulator.exchanges == []

    def test_a_store_that_cannot_be_locked_keeps_the_code(
        self, application: Application, tmp_path: Path
    ) -> None:
        code = application.code()
        store = FileTokenStore(tmp_path / "missing" / "tokens.json")
        with pytest.raises(CredentialsError, match=r"cannot be locked, and the code was not sent"):
            application.oauth(store=store).exchange_code(code, REDIRECT_URI)
        application.oauth().exchange_code(code, REDIRECT_URI)

    def test_a_failed_save_is_raised_and_the_old_tokens_stay_in_use(
        self, application: Application
    ) -> None:
        class FullStore(MemoryTokenStore):
            def save(self, tokens: Tokens) -> None:
                raise OSError(28, os.strerror(28), "/tokens.json")

        oauth = application.oauth(store=FullStore(OLD_TOKENS))
        with pytest.raises(CredentialsError, match="could not be saved") as raised:
            oauth.exchange_code(application.code(), REDIRECT_URI)
        assert "No space left on device: '/tokens.json'" in str(raised.value)
        assert oauth.get_token("https://api.example", None, 20.0).reveal() == "access-0"

    def test_a_code_that_the_endpoint_quotes_is_redacted(self, application: Application) -> None:
        def respond(request: httpx.Request) -> httpx.Response:
            return httpx.Response(400, json={"message": f"Unknown: {request.read().decode()}"})

        oauth = application.oauth(transport=httpx.MockTransport(respond))
        with pytest.raises(OAuthError) as raised:
            oauth.exchange_code("code/1+2=3", REDIRECT_URI)
        for secret in ("code/1+2=3", "code%2F1%2B2%3D3", "client-secret"):
            assert secret not in str(raised.value)

    def test_a_lost_connection_names_the_request(self, application: Application) -> None:
        def fail(_: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("gone: code-1")

        oauth = application.oauth(transport=httpx.MockTransport(fail))
        with pytest.raises(
            LeadConnectorError, match=r"POST /oauth/token at services\.leadconnectorhq\.com: "
        ) as raised:
            oauth.exchange_code("code-1", REDIRECT_URI)
        assert "code-1" not in str(raised.value)
        assert "check token_url and the network" in str(raised.value)
        assert "(no tokens were saved)" in str(raised.value)


class TestSecrecy:
    def test_no_frame_of_an_exchange_shows_a_secret(self, tmp_path: Path) -> None:
        functions: set[str] = set()
        variables: list[str] = []

        def record_frames() -> None:
            for frame, _ in traceback.walk_stack(sys._getframe()):
                if frame.f_globals.get("__name__", "").startswith("leadconnector.oauth."):
                    functions.add(frame.f_code.co_name)
                    variables.append(repr(frame.f_locals))

        def respond(request: httpx.Request) -> httpx.Response:
            record_frames()
            if request.url.path == "/oauth/locationToken":
                return httpx.Response(200, json={"access_token": "access-2"})
            members = {"access_token": "access-1", "refresh_token": "refresh-1", "companyId": "c"}
            return httpx.Response(200, json=members)

        class RecordingStore(MemoryAgencyTokenStore):
            def agency(self) -> TokenStore:
                return RecordingTokenStore(OLD_TOKENS)

        class RecordingTokenStore(MemoryTokenStore):
            def save(self, tokens: Tokens) -> None:
                record_frames()
                super().save(tokens)

        agency = AgencyOAuth(
            client_id="client",
            client_secret="client-secret",
            store=RecordingStore(),
            transport=httpx.MockTransport(respond),
        )
        agency.exchange_code("code-1", REDIRECT_URI)
        source = agency.for_location("location-1")
        assert source.get_token("https://api.example", None, 20.0).reveal() == "access-2"

        expected_functions = {
            "_run_exchange",
            "_exchange_and_save",
            "exchange_code",
            "location_tokens",
            "_request_with",
            "_send",
        }
        assert expected_functions <= functions
        text = "\n".join(variables)
        secrets = ("client-secret", "code-1", "access-1", "refresh-1", "access-2", "refresh-0")
        assert not [secret for secret in secrets if secret in text], text

    def test_the_traceback_of_a_failed_exchange_shows_no_secret(
        self, application: Application
    ) -> None:
        code = application.code()
        use_up(application, code)
        with pytest.raises(ReauthorizationError) as raised:
            application.oauth().exchange_code(code, REDIRECT_URI)
        report = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
        text = "".join(report.format())
        assert "secret_code" in text
        # The frame of this test has the code.
        assert f"'{code}'" in text
        ours = [
            line
            for frame in report.stack
            if "leadconnector" in frame.filename
            for line in (frame.locals or {}).values()
        ]
        assert ours
        assert not [line for line in ours if code in line or "client-secret" in line]


class TestFile:
    def test_what_is_known_about_the_authorization_is_saved(self, application: Application) -> None:
        application.oauth().exchange_code(application.code(), REDIRECT_URI)
        members = json.loads(application.path.read_bytes())
        assert (members["user_type"], members["location_id"], members["company_id"]) == (
            "Location",
            LOCATION_ID,
            "company-1",
        )
        assert members["scopes"] == list(SCOPES)
        assert application.path.stat().st_mode & 0o777 == 0o600

    def test_invalid_members_are_ignored(self, application: Application) -> None:
        members = {
            "access_token": "a",
            "refresh_token": "r",
            "expires_at": 1.0,
            "user_type": 5,
            "location_id": None,
            "company_id": [],
            "scopes": ["x", 1],
        }
        application.path.write_text(json.dumps(members))
        application.path.chmod(0o600)
        assert application.store.load() == Tokens("a", "r", 1.0, scopes=("x",))


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("leadconnector-"):
            thread.join(20)
