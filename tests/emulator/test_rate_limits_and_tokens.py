"""The emulator's rate limits, tokens and state, by a clock that the tests move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from leadconnector_emulator import (
    ANY,
    Emulator,
    Fault,
    RateLimits,
    Request,
    Response,
    TokenEndpoint,
)

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

TARGET = f"/conversations/{CONVERSATION_ID}"
DAY = 86_400.0
START = 20_000 * DAY
"""Midnight."""

INVALID_TOKEN = "Invalid token: access token is invalid"
"""The message of the spec's example of a 401."""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def headers(token: str = TOKEN) -> dict[str, str]:
    return {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }


def update(
    emulator: Emulator, token: str = TOKEN, *, location: str = LOCATION_ID, **data: object
) -> Response:
    """Update the conversation."""
    body = json.dumps({"locationId": location, **data}).encode()
    return emulator.respond(Request("PUT", TARGET, headers(token), body))


def content(response: Response) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(response.body))


def statuses(emulator: Emulator, count: int, token: str = TOKEN) -> list[int]:
    return [update(emulator, token).status for _ in range(count)]


class TestHeaders:
    def test_a_response_has_the_headers_of_both_limits(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(), clock=clock)
        limits = {
            name: value
            for name, value in update(emulator).headers.items()
            if name.startswith("X-RateLimit")
        }
        assert limits == {
            "X-RateLimit-Limit-Daily": "200000",
            "X-RateLimit-Daily-Remaining": "199999",
            "X-RateLimit-Daily-Reset": "86400000",
            "X-RateLimit-Interval-Milliseconds": "10000",
            "X-RateLimit-Max": "100",
            "X-RateLimit-Remaining": "99",
        }

    @pytest.mark.parametrize(
        ("request_headers", "body", "status"),
        [
            (headers(), b'{"locationId": ', 400),
            (headers() | {"content-type": "text/plain"}, b"{}", 400),
            (
                headers() | {"version": "1999-01-01"},
                json.dumps({"locationId": LOCATION_ID}).encode(),
                401,
            ),
            (headers(), b"{}", 422),
            (
                headers(),
                b'{"locationId": "there"}',
                401,
            ),  # the token is for another location
        ],
    )
    def test_a_rejected_request_with_a_known_token_is_counted(
        self, clock: Clock, request_headers: Mapping[str, str], body: bytes, status: int
    ) -> None:
        emulator = Emulator(
            tokens={TOKEN: {LOCATION_ID}}, rate_limits=RateLimits(burst=3), clock=clock
        )
        request = Request("PUT", TARGET, request_headers, body)
        for remaining in ("2", "1", "0"):
            response = emulator.respond(request)
            assert response.status == status
            assert response.headers["X-RateLimit-Remaining"] == remaining
        assert emulator.respond(request).status == 429

    def test_a_request_without_a_known_token_is_not_counted(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1), clock=clock)
        for _ in range(3):
            response = update(emulator, "another")
            assert response.status == 401
            assert response.headers["X-RateLimit-Remaining"] == "1"
        assert statuses(emulator, 2) == [200, 429]

    def test_without_limits_there_are_no_limit_headers(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=None, clock=clock)
        assert statuses(emulator, 300) == [200] * 300
        assert not any(name.startswith("X-RateLimit") for name in update(emulator).headers)

    @pytest.mark.parametrize(
        ("limits", "names"),
        [
            (
                RateLimits(burst=None),
                [
                    "X-RateLimit-Limit-Daily",
                    "X-RateLimit-Daily-Remaining",
                    "X-RateLimit-Daily-Reset",
                ],
            ),
            (
                RateLimits(daily=None),
                ["X-RateLimit-Interval-Milliseconds", "X-RateLimit-Max", "X-RateLimit-Remaining"],
            ),
        ],
    )
    def test_a_disabled_limit_has_no_headers(
        self, clock: Clock, limits: RateLimits, names: list[str]
    ) -> None:
        response = update(Emulator(tokens=[TOKEN], rate_limits=limits, clock=clock))
        limit_headers = [name for name in response.headers if name.startswith("X-RateLimit")]
        assert limit_headers == names


class TestBurst:
    def test_any_ten_seconds_allow_a_hundred_requests(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(), clock=clock)
        assert statuses(emulator, 50) == [200] * 50
        clock.now += 6
        assert statuses(emulator, 51) == [200] * 50 + [429]
        clock.now += 3.999
        assert statuses(emulator, 1) == [429]
        clock.now += 0.001  # the first fifty were ten seconds ago
        assert statuses(emulator, 51) == [200] * 50 + [429]
        clock.now += 6
        assert statuses(emulator, 51) == [200] * 50 + [429]

    def test_a_limited_request_changes_nothing_and_is_not_counted(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1), clock=clock)
        assert update(emulator, unreadCount=1).status == 200
        for _ in range(20):
            clock.now += 0.49
            assert update(emulator, unreadCount=2).status == 429
        conversation = emulator.get("conversations", CONVERSATION_ID)
        assert conversation is not None
        assert conversation["unreadCount"] == 1
        clock.now += 0.2
        assert update(emulator).status == 200

    def test_a_429_is_json_with_limit_headers_and_without_retry_after(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1), clock=clock)
        update(emulator)
        response = update(emulator)
        assert content(response) == {
            "statusCode": 429,
            "message": "Too Many Requests",
            "error": "Too Many Requests",
        }
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert response.headers["X-RateLimit-Daily-Remaining"] == "199999"
        assert "Retry-After" not in response.headers

    @pytest.mark.parametrize(
        ("passed", "wait"), [(0.0, "10"), (0.001, "10"), (4.0, "6"), (9.5, "1"), (9.999, "1")]
    )
    def test_retry_after_is_the_number_of_seconds_until_the_next_request_passes(
        self, clock: Clock, passed: float, wait: str
    ) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(burst=1, retry_after=True), clock=clock
        )
        assert "Retry-After" not in update(emulator).headers
        clock.now += passed
        assert update(emulator).headers["Retry-After"] == wait
        clock.now += float(wait)
        assert update(emulator).status == 200

    def test_each_token_and_location_is_counted_separately(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=["one", "two"], rate_limits=RateLimits(burst=1), create_missing=True, clock=clock
        )
        for token in ("one", "two"):
            for location in ("here", "there"):
                first = update(emulator, token, location=location)
                second = update(emulator, token, location=location)
                assert [first.status, second.status] == [200, 429]

    @given(
        burst=st.integers(1, 5),
        interval=st.sampled_from([1.0, 2.5, 10.0]),
        gaps=st.lists(
            st.sampled_from([0.0, 1 / 1024, 0.25, 0.5, 1.0, 2.0, 2.5, 9.75, 10.0, 12.0]),
            max_size=60,
        ),
    )
    @example(burst=1, interval=1.0, gaps=[0.0, 1.0, 0.5, 0.5])
    def test_a_request_passes_exactly_if_the_interval_has_room(
        self, burst: int, interval: float, gaps: list[float]
    ) -> None:
        clock = Clock()
        passed_at: list[float] = []
        emulator = limited_emulator(burst, interval)
        emulator.reset()
        emulator.clock = clock
        for gap in gaps:
            clock.now += gap
            status = update(emulator).status
            recent = [time for time in passed_at if clock.now - time < interval]
            assert status == (200 if len(recent) < burst else 429)
            if status == 200:
                passed_at.append(clock.now)
        for index in range(len(passed_at) - burst):
            assert passed_at[index + burst] - passed_at[index] >= interval


@cache
def limited_emulator(burst: int, interval: float) -> Emulator:
    """An emulator with a burst limit. The cache avoids loading the spec for every example."""
    limits = RateLimits(burst=burst, interval=interval)
    return Emulator(tokens=[TOKEN], rate_limits=limits)


@cache
def daily_emulator() -> Emulator:
    """An emulator that allows one request a day."""
    return Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=None, daily=1))


class TestDaily:
    def test_beyond_the_daily_limit_requests_are_rejected_until_midnight(
        self, clock: Clock
    ) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(daily=3, retry_after=True), clock=clock
        )
        for remaining in ("2", "1", "0"):
            clock.now += 100
            assert update(emulator).headers["X-RateLimit-Daily-Remaining"] == remaining
        clock.now += 100
        rejected = update(emulator)
        assert (rejected.status, rejected.headers["X-RateLimit-Daily-Remaining"]) == (429, "0")
        assert rejected.headers["Retry-After"] == "86000"
        clock.now = START + DAY - 0.001
        assert update(emulator).status == 429
        clock.now = START + DAY
        assert update(emulator).headers["X-RateLimit-Daily-Remaining"] == "2"

    @pytest.mark.parametrize(
        ("passed", "milliseconds"),
        [
            (0.0, "86400000"),
            (0.001, "86399999"),
            (0.0015, "86399999"),
            (60.0, "86340000"),
            (DAY - 1.0, "1000"),
            (DAY - 0.001, "1"),
            (DAY - 0.0001, "1"),
            (DAY, "86400000"),
        ],
    )
    def test_daily_reset_is_the_number_of_milliseconds_until_midnight(
        self, clock: Clock, passed: float, milliseconds: str
    ) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(daily=1), clock=clock)
        clock.now = START + passed
        responses = [update(emulator), update(emulator), update(emulator, "unknown")]
        assert [response.status for response in responses] == [200, 429, 401]
        resets = [response.headers["X-RateLimit-Daily-Reset"] for response in responses]
        assert resets == [milliseconds] * 3

    @given(passed=st.floats(0, 2 * DAY))
    def test_after_the_daily_reset_a_request_passes_and_shortly_before_it_does_not(
        self, passed: float
    ) -> None:
        clock = Clock()
        emulator = daily_emulator()
        emulator.reset()
        emulator.clock = clock
        clock.now = START + passed
        milliseconds = int(update(emulator).headers["X-RateLimit-Daily-Reset"])
        reset_at = clock.now + milliseconds / 1000
        clock.now = reset_at - 0.002
        if clock.now >= START + passed:
            assert update(emulator).status == 429
        # The readings of this clock have an error below a microsecond.
        clock.now = reset_at + 1e-6
        assert update(emulator).status == 200

    def test_if_both_limits_are_exceeded_retry_after_is_the_longer_wait(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(burst=1, daily=1, retry_after=True), clock=clock
        )
        update(emulator)
        assert update(emulator).headers["Retry-After"] == "86400"

    def test_the_daily_limit_is_per_token_and_location(self, clock: Clock) -> None:
        emulator = Emulator(tokens=["one", "two"], rate_limits=RateLimits(daily=1), clock=clock)
        assert [update(emulator, token).status for token in ("one", "two", "one")] == [
            200,
            200,
            429,
        ]


class TestOAuth:
    @pytest.fixture
    def oauth(self) -> TokenEndpoint:
        return TokenEndpoint("app", "s3cret&", {"first": LOCATION_ID}, expires_in=100)

    @pytest.fixture
    def emulator(self, oauth: TokenEndpoint, clock: Clock) -> Emulator:
        return Emulator(tokens=[TOKEN], token_endpoint=oauth, clock=clock)

    FORM: Mapping[str, str] = {
        "client_id": "app",
        "client_secret": "s3cret&",
        "grant_type": "refresh_token",
        "refresh_token": "first",
        "user_type": "Location",
    }

    def exchange(
        self,
        emulator: Emulator,
        refresh: str = "first",
        *,
        content_type: str = "application/x-www-form-urlencoded",
        **changes: str,
    ) -> Response:
        body = urlencode({**self.FORM, "refresh_token": refresh, **changes}).encode()
        return emulator.respond(
            Request("POST", "/oauth/token", {"content-type": content_type}, body)
        )

    def test_a_refresh_token_returns_a_valid_access_token(self, emulator: Emulator) -> None:
        response = self.exchange(emulator)
        tokens = content(response)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert tokens == {
            "access_token": tokens["access_token"],
            "token_type": "Bearer",
            "expires_in": 100,
            "refresh_token": tokens["refresh_token"],
            "userType": "Location",
            "locationId": LOCATION_ID,
        }
        assert update(emulator, tokens["access_token"]).status == 200

    def test_parameters_of_the_content_type_are_ignored(self, emulator: Emulator) -> None:
        content_type = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
        assert self.exchange(emulator, content_type=content_type).status == 200

    def test_refresh_tokens_rotate_and_are_single_use(
        self, emulator: Emulator, oauth: TokenEndpoint
    ) -> None:
        refresh_token = "first"
        issued: set[str] = set()
        for number in range(1, 6):
            tokens = content(self.exchange(emulator, refresh_token))
            assert oauth.refreshes == number
            second_use = self.exchange(emulator, refresh_token)
            assert (second_use.status, content(second_use)["error"]) == (400, "invalid_grant")
            assert "used already" in content(second_use)["error_description"]
            refresh_token = tokens["refresh_token"]
            issued |= {refresh_token, tokens["access_token"]}
        assert len(issued) == 10
        assert oauth.refreshes == 5

    def test_a_rejected_request_does_not_use_the_refresh_token(self, emulator: Emulator) -> None:
        assert self.exchange(emulator, client_secret="wrong").status == 401
        assert self.exchange(emulator, user_type="Company").status == 400
        assert self.exchange(emulator, grant_type="password").status == 400
        assert self.exchange(emulator, content_type="application/json").status == 400
        assert self.exchange(emulator).status == 200

    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"refresh": "unknown"}, 400, "invalid_grant"),
            ({"refresh": ""}, 400, "invalid_grant"),
            ({"client_id": "other"}, 401, "invalid_client"),
            ({"client_secret": ""}, 401, "invalid_client"),
            ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
            ({"user_type": "Company"}, 400, "invalid_request"),
            ({"content_type": "application/json"}, 400, "invalid_request"),
            ({"content_type": ""}, 400, "invalid_request"),
        ],
    )
    def test_errors_are_those_of_rfc_6749(
        self, emulator: Emulator, changes: dict[str, str], status: int, error: str
    ) -> None:
        response = self.exchange(emulator, **changes)
        assert (response.status, content(response)["error"]) == (status, error)
        assert content(response)["error_description"]
        assert response.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize("name", FORM)
    def test_every_field_of_the_form_is_required(self, emulator: Emulator, name: str) -> None:
        body = urlencode({key: value for key, value in self.FORM.items() if key != name}).encode()
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert emulator.respond(Request("POST", "/oauth/token", form, body)).status in {400, 401}

    @pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"&&==", b"{}", b"client_id"])
    def test_a_body_that_is_not_a_form_returns_401(self, emulator: Emulator, body: bytes) -> None:
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert emulator.respond(Request("POST", "/oauth/token", form, body)).status == 401

    def test_an_expired_access_token_returns_401_and_the_next_token_is_valid(
        self, emulator: Emulator, clock: Clock
    ) -> None:
        first = content(self.exchange(emulator))
        clock.now += 99.999
        assert update(emulator, first["access_token"]).status == 200
        clock.now += 0.001
        expired = update(emulator, first["access_token"])
        assert expired.status == 401
        assert content(expired) == {
            "statusCode": 401,
            "message": INVALID_TOKEN,
            "error": "Unauthorized",
        }
        second = content(self.exchange(emulator, first["refresh_token"]))
        assert update(emulator, second["access_token"]).status == 200
        assert update(emulator, TOKEN).status == 200  # one that was configured does not expire

    def test_an_issued_token_is_valid_for_its_location_only(self, emulator: Emulator) -> None:
        token = content(self.exchange(emulator))["access_token"]
        response = update(emulator, token, location="elsewhere")
        assert (response.status, content(response)["message"]) == (401, INVALID_TOKEN)
        assert update(emulator, token, location=LOCATION_ID).status == 200

    def test_issue_accepts_a_lifetime(
        self, emulator: Emulator, oauth: TokenEndpoint, clock: Clock
    ) -> None:
        access, refresh = oauth.issue(LOCATION_ID, clock.now, expires_in=5)
        assert update(emulator, access).status == 200
        clock.now += 5
        assert update(emulator, access).status == 401
        assert self.exchange(emulator, refresh).status == 200

    @pytest.mark.parametrize("name", ["expires_in", "code_expires_in"])
    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "60", True])
    def test_a_lifetime_that_is_no_time_is_rejected(self, name: str, seconds: Any) -> None:
        options: dict[str, Any] = {name: seconds}
        with pytest.raises((TypeError, ValueError), match=name):
            TokenEndpoint(**options)
        endpoint = TokenEndpoint()
        with pytest.raises((TypeError, ValueError), match=name):
            setattr(endpoint, name, seconds)
        with pytest.raises((TypeError, ValueError), match="expires_in"):
            endpoint.issue("location-1", 0.0, expires_in=seconds)

    @pytest.mark.parametrize("uri", ["notauri", "", "/callback", "https://a.test/#b", "http://["])
    def test_a_redirect_uri_that_is_not_absolute_is_rejected(self, uri: str) -> None:
        with pytest.raises(ValueError, match="is not absolute, or has a fragment"):
            TokenEndpoint(redirect_uris=["https://a.test/callback", uri])
        TokenEndpoint(redirect_uris=["https://a.test/callback", "com.example.app:/callback"])

    def test_one_string_is_no_collection_of_scopes(self) -> None:
        with pytest.raises(TypeError, match="not one string"):
            TokenEndpoint().authorize("https://a.test/callback", 0.0, scopes="abc")

    def test_the_repr_shows_no_credential(self) -> None:
        endpoint = TokenEndpoint(client_secret="secret-1", refresh_tokens={"refresh-1": "a"})
        assert "secret-1" not in repr(endpoint)
        assert "refresh-1" not in repr(endpoint)

    def test_a_refresh_token_is_not_an_access_token(self, emulator: Emulator) -> None:
        assert update(emulator, "first").status == 401

    def test_reset_restores_the_first_refresh_tokens_and_revokes_issued_tokens(
        self, emulator: Emulator, oauth: TokenEndpoint
    ) -> None:
        issued = content(self.exchange(emulator))
        emulator.reset()
        assert oauth.refreshes == 0
        assert update(emulator, issued["access_token"]).status == 401
        assert self.exchange(emulator, issued["refresh_token"]).status == 400
        assert self.exchange(emulator).status == 200

    def test_without_a_token_endpoint_its_path_returns_404(self, clock: Clock) -> None:
        assert self.exchange(Emulator(tokens=[TOKEN], clock=clock)).status == 404

    def test_only_post_is_allowed(self, emulator: Emulator) -> None:
        response = emulator.respond(Request("GET", "/oauth/token", {}))
        assert (response.status, response.headers["Allow"]) == (405, "POST")


class TestLocations:
    @pytest.mark.parametrize(
        ("token", "location", "status"),
        [
            ("one", "here", 200),
            ("one", "there", 401),
            ("both", "there", 200),
            ("all", "anywhere", 200),
            ("no", "", 401),
        ],
    )
    def test_a_configured_token_is_valid_for_its_locations(
        self, token: str, location: str, status: int
    ) -> None:
        tokens = {"one": ["here"], "both": {"here", "there"}, "all": ANY, "no": ()}
        response = update(Emulator(tokens=tokens, create_missing=True), token, location=location)
        assert response.status == status
        if status == 401:
            assert content(response)["message"] == INVALID_TOKEN

    @pytest.mark.parametrize("place", ["query", "header", "path"])
    def test_a_location_in_a_parameter_is_authorized_and_counted(
        self, tmp_path: Path, clock: Clock, place: str
    ) -> None:
        path = "/places/{locationId}" if place == "path" else "/places"
        parameter = {
            "name": "locationId",
            "in": place,
            "required": True,
            "schema": {"type": "string"},
        }
        operation: dict[str, Any] = {
            "security": [{"bearer": []}],
            "parameters": [parameter | {"x-role": "rate-limit-key"}],
            "responses": {"200": {"description": "Success"}},
        }
        document: dict[str, Any] = yaml.safe_load(
            (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
        )
        document["paths"] = {path: {"get": operation}}
        (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        emulator = Emulator(
            tmp_path / "openapi.yaml",
            tokens={TOKEN: {"a", "b"}},
            rate_limits=RateLimits(burst=1),
            create_missing=True,
            clock=clock,
        )

        def call(location: str) -> int:
            target = "/places"
            request_headers = headers()
            if place == "query":
                target = f"/places?locationId={location}"
            elif place == "path":
                target = f"/places/{location}"
            else:
                request_headers["locationid"] = location
            return emulator.respond(Request("GET", target, request_headers)).status

        assert [call(location) for location in ("a", "b", "a", "c")] == [200, 200, 429, 401]


class TestState:
    def test_reset_restores_the_initial_state(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=[TOKEN],
            rate_limits=RateLimits(burst=2),
            faults=[Fault(status=503, nth=1)],
            clock=clock,
        )
        before = emulator.get("conversations", CONVERSATION_ID)
        first_statuses = [update(emulator, unreadCount=9).status for _ in range(4)]
        assert first_statuses == [503, 200, 200, 429]
        emulator.set_faults(Fault(status=418))
        assert update(emulator).status == 418
        emulator.put("conversations", {"id": "another", "locationId": "x"})
        emulator.reset()
        assert emulator.exchanges == []
        assert emulator.get("conversations", CONVERSATION_ID) == before
        assert emulator.get("conversations", "another") is None
        assert [update(emulator, unreadCount=9).status for _ in range(4)] == first_statuses

    def test_the_log_contains_every_exchange_in_order(self, clock: Clock) -> None:
        fault = Fault(status=503, nth=2)
        emulator = Emulator(
            tokens=[TOKEN],
            token_endpoint=TokenEndpoint(),
            rate_limits=RateLimits(burst=2),
            faults=[fault],
            clock=clock,
        )
        responses = [update(emulator, starred=value) for value in (True, False, True, True)]
        responses.append(emulator.respond(Request("POST", "/oauth/token", {}, b"")))
        responses.append(emulator.respond(Request("GET", "/nowhere", {})))
        assert [exchange.response for exchange in emulator.exchanges] == responses
        assert [response.status for response in responses] == [200, 503, 200, 429, 400, 404]
        assert [exchange.fault for exchange in emulator.exchanges] == [
            None,
            fault,
            None,
            None,
            None,
            None,
        ]
        bodies = [exchange.request.body for exchange in emulator.exchanges[:4]]
        assert [json.loads(body)["starred"] for body in bodies] == [True, False, True, True]

    def test_only_the_given_conversations_exist(self) -> None:
        conversations = [
            {
                "id": CONVERSATION_ID,
                "locationId": LOCATION_ID,
                "contactId": "mine",
                "deleted": False,
            }
        ]
        emulator = Emulator(tokens=[TOKEN], conversations=conversations)
        assert content(update(emulator, starred=True))["conversation"] == {
            **conversations[0],
            "starred": True,
        }
        assert conversations[0] == {
            "id": CONVERSATION_ID,
            "locationId": LOCATION_ID,
            "contactId": "mine",
            "deleted": False,
        }
        emulator.reset()
        assert emulator.get("conversations", CONVERSATION_ID) == conversations[0]
        assert update(Emulator(tokens=[TOKEN], conversations=[])).status == 400

    def test_put_and_get_copy(self) -> None:
        emulator = Emulator(tokens=[TOKEN])
        feedback: dict[str, Any] = {"stars": [1]}
        mine: dict[str, Any] = {"id": "mine", "feedback": feedback}
        emulator.put("conversations", mine)
        feedback["stars"].append(2)
        copy = emulator.get("conversations", "mine")
        assert copy == {"id": "mine", "feedback": {"stars": [1]}}
        assert copy is not None
        copy["feedback"]["stars"].append(3)
        assert emulator.get("conversations", "mine") == {"id": "mine", "feedback": {"stars": [1]}}

    def test_with_create_missing_a_missing_conversation_is_created(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, conversations=[])
        body = json.dumps({"locationId": "anywhere", "unreadCount": 7}).encode()
        request = Request("PUT", "/conversations/new%20one", headers(), body)
        conversation = content(emulator.respond(request))["conversation"]
        assert (conversation["id"], conversation["locationId"], conversation["unreadCount"]) == (
            "new one",
            "anywhere",
            7,
        )
        stored = emulator.get("conversations", "new one")
        assert stored is not None
        assert {name: stored[name] for name in conversation} == conversation
        emulator.reset()
        assert emulator.get("conversations", "new one") is None

    def test_with_create_missing_a_conversation_moves_to_the_named_location(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True)
        assert content(update(emulator, location="moved"))["conversation"]["locationId"] == "moved"
        assert update(Emulator(tokens=[TOKEN]), location="moved").status == 400

    def test_with_create_missing_a_rejected_request_creates_nothing(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, conversations=[])
        assert update(emulator, unreadCount="7").status == 422
        assert emulator.get("conversations", CONVERSATION_ID) is None
