"""The emulator's limits and tokens, by a clock that the tests move: what is counted, refused, issued and forgotten."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
"""What the page has for a token that is none."""


class Clock:
    """Stands still until it is moved."""

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
    """Ask for an update of the conversation."""
    body = json.dumps({"locationId": location, **data}).encode()
    return emulator.respond(Request("PUT", TARGET, headers(token), body))


def content(response: Response) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(response.body))


def statuses(emulator: Emulator, count: int, token: str = TOKEN) -> list[int]:
    return [update(emulator, token).status for _ in range(count)]


class TestHeaders:
    def test_a_response_says_what_the_limits_are_and_what_is_left(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(), clock=clock)
        limits = {
            name: value
            for name, value in update(emulator).headers.items()
            if name.startswith("X-RateLimit")
        }
        assert limits == {
            "X-RateLimit-Limit-Daily": "200000",
            "X-RateLimit-Daily-Remaining": "199999",
            "X-RateLimit-Interval-Milliseconds": "10000",
            "X-RateLimit-Max": "100",
            "X-RateLimit-Remaining": "99",
        }

    @pytest.mark.parametrize(
        ("sent", "body", "status"),
        [
            (headers(), b'{"locationId": ', 400),
            (headers() | {"content-type": "text/plain"}, b"{}", 400),
            (
                headers() | {"version": "1999-01-01"},
                json.dumps({"locationId": LOCATION_ID}).encode(),
                400,
            ),
            (headers(), b"{}", 422),
            (
                headers(),
                b'{"locationId": "there"}',
                401,
            ),  # the token is one, but for another location
        ],
    )
    def test_a_refusal_of_a_known_token_counts_and_says_so(
        self, clock: Clock, sent: Mapping[str, str], body: bytes, status: int
    ) -> None:
        emulator = Emulator(
            tokens={TOKEN: {LOCATION_ID}}, rate_limits=RateLimits(burst=3), clock=clock
        )
        for left in ("2", "1", "0"):
            response = emulator.respond(Request("PUT", TARGET, sent, body))
            assert (response.status, response.headers["X-RateLimit-Remaining"]) == (status, left)
        assert emulator.respond(Request("PUT", TARGET, sent, body)).status == 429

    def test_a_request_without_a_known_token_is_not_counted(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1), clock=clock)
        for _ in range(3):
            response = update(emulator, "another")
            assert response.status == 401
            assert response.headers["X-RateLimit-Remaining"] == "1"
        assert statuses(emulator, 2) == [200, 429]

    def test_without_limits_there_are_no_headers_of_them(self, clock: Clock) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=None, clock=clock)
        assert statuses(emulator, 300) == [200] * 300
        assert not any(name.startswith("X-RateLimit") for name in update(emulator).headers)

    @pytest.mark.parametrize(
        ("rate", "names"),
        [
            (RateLimits(burst=None), ["X-RateLimit-Limit-Daily", "X-RateLimit-Daily-Remaining"]),
            (
                RateLimits(daily=None),
                ["X-RateLimit-Interval-Milliseconds", "X-RateLimit-Max", "X-RateLimit-Remaining"],
            ),
        ],
    )
    def test_a_limit_that_is_switched_off_is_not_spoken_of(
        self, clock: Clock, rate: RateLimits, names: list[str]
    ) -> None:
        found = update(Emulator(tokens=[TOKEN], rate_limits=rate, clock=clock)).headers
        assert [name for name in found if name.startswith("X-RateLimit")] == names


class TestBurst:
    def test_a_hundred_pass_in_any_ten_seconds_and_one_more_does_not(self, clock: Clock) -> None:
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

    def test_a_request_that_is_refused_changes_nothing_and_counts_for_nothing(
        self, clock: Clock
    ) -> None:
        emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1), clock=clock)
        assert update(emulator, unreadCount=1).status == 200
        for _ in range(20):
            clock.now += 0.49
            assert update(emulator, unreadCount=2).status == 429
        found = emulator.get("conversations", CONVERSATION_ID)
        assert found is not None
        assert found["unreadCount"] == 1
        clock.now += 0.2
        assert update(emulator).status == 200

    def test_a_refusal_is_json_with_the_limits_and_as_documented_by_the_vendor_no_time_to_wait(
        self, clock: Clock
    ) -> None:
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
    def test_with_retry_after_a_refusal_says_after_how_many_seconds_the_next_passes(
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

    def test_each_token_and_each_location_is_counted_by_itself(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=["one", "two"], rate_limits=RateLimits(burst=1), create_missing=True, clock=clock
        )
        for token in ("one", "two"):
            for location in ("here", "there"):
                found = [update(emulator, token, location=location).status for _ in range(2)]
                assert found == [200, 429]

    @given(
        burst=st.integers(1, 5),
        interval=st.sampled_from([1.0, 2.5, 10.0]),
        gaps=st.lists(
            st.sampled_from([0.0, 1 / 1024, 0.25, 0.5, 1.0, 2.0, 2.5, 9.75, 10.0, 12.0]),
            max_size=60,
        ),
    )
    @example(burst=1, interval=1.0, gaps=[0.0, 1.0, 0.5, 0.5])
    def test_never_more_pass_in_any_interval_and_none_is_refused_when_fewer_did(
        self, burst: int, interval: float, gaps: list[float]
    ) -> None:
        clock, passed = Clock(), list[float]()
        emulator = (
            QUOTAS[burst, interval] if (burst, interval) in QUOTAS else quota(burst, interval)
        )
        emulator.reset()
        emulator.clock = clock
        for gap in gaps:
            clock.now += gap
            status = update(emulator).status
            recent = [time for time in passed if clock.now - time < interval]
            assert status == (200 if len(recent) < burst else 429)
            if status == 200:
                passed.append(clock.now)
        for index in range(len(passed) - burst):
            assert passed[index + burst] - passed[index] >= interval


QUOTAS: dict[tuple[int, float], Emulator] = {}
"""Emulators that were made already: the spec need not be read for every example."""


def quota(burst: int, interval: float) -> Emulator:
    return QUOTAS.setdefault(
        (burst, interval),
        Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=burst, interval=interval)),
    )


class TestDaily:
    def test_beyond_the_limit_of_a_day_every_request_is_refused_until_midnight(
        self, clock: Clock
    ) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(daily=3, retry_after=True), clock=clock
        )
        for left in ("2", "1", "0"):
            clock.now += 100
            assert update(emulator).headers["X-RateLimit-Daily-Remaining"] == left
        clock.now += 100
        refused = update(emulator)
        assert (refused.status, refused.headers["X-RateLimit-Daily-Remaining"]) == (429, "0")
        assert refused.headers["Retry-After"] == "86000"
        clock.now = START + DAY - 0.001
        assert update(emulator).status == 429
        clock.now = START + DAY
        assert update(emulator).headers["X-RateLimit-Daily-Remaining"] == "2"

    def test_where_both_limits_refuse_the_longer_wait_is_said(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(burst=1, daily=1, retry_after=True), clock=clock
        )
        update(emulator)
        assert update(emulator).headers["Retry-After"] == "86400"

    def test_the_limit_is_for_each_token_and_location(self, clock: Clock) -> None:
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

    def test_a_refresh_token_gets_an_access_token_that_works(self, emulator: Emulator) -> None:
        response = self.exchange(emulator)
        found = content(response)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert found == {
            "access_token": found["access_token"],
            "token_type": "Bearer",
            "expires_in": 100,
            "refresh_token": found["refresh_token"],
            "userType": "Location",
            "locationId": LOCATION_ID,
        }
        assert update(emulator, found["access_token"]).status == 200

    def test_a_parameter_of_the_content_type_does_not_matter(self, emulator: Emulator) -> None:
        content_type = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
        assert self.exchange(emulator, content_type=content_type).status == 200

    def test_refresh_tokens_rotate_and_each_is_good_once(
        self, emulator: Emulator, oauth: TokenEndpoint
    ) -> None:
        refresh, issued = "first", set[str]()
        for number in range(1, 6):
            found = content(self.exchange(emulator, refresh))
            assert oauth.refreshes == number
            again = self.exchange(emulator, refresh)
            assert (again.status, content(again)["error"]) == (400, "invalid_grant")
            assert "used already" in content(again)["error_description"]
            refresh = found["refresh_token"]
            issued |= {refresh, found["access_token"]}
        assert len(issued) == 10
        assert oauth.refreshes == 5

    def test_a_refusal_uses_no_refresh_token_up(self, emulator: Emulator) -> None:
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
            ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
            ({"user_type": "Company"}, 400, "invalid_request"),
            ({"content_type": "application/json"}, 400, "invalid_request"),
            ({"content_type": ""}, 400, "invalid_request"),
        ],
    )
    def test_an_error_is_one_of_the_standard_s(
        self, emulator: Emulator, changes: dict[str, str], status: int, error: str
    ) -> None:
        response = self.exchange(emulator, **changes)
        assert (response.status, content(response)["error"]) == (status, error)
        assert content(response)["error_description"]
        assert response.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize("name", FORM)
    def test_each_field_of_the_form_is_required(self, emulator: Emulator, name: str) -> None:
        body = urlencode({key: value for key, value in self.FORM.items() if key != name}).encode()
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert emulator.respond(Request("POST", "/oauth/token", form, body)).status in {400, 401}

    @pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"&&==", b"{}", b"client_id"])
    def test_a_body_that_is_no_form_is_an_error_and_no_more(
        self, emulator: Emulator, body: bytes
    ) -> None:
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert emulator.respond(Request("POST", "/oauth/token", form, body)).status == 401

    def test_an_access_token_expires_in_the_words_of_the_page_and_the_next_one_works(
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

    def test_a_token_for_a_location_touches_no_other(self, emulator: Emulator) -> None:
        token = content(self.exchange(emulator))["access_token"]
        response = update(emulator, token, location="elsewhere")
        assert (response.status, content(response)["message"]) == (401, INVALID_TOKEN)
        assert update(emulator, token, location=LOCATION_ID).status == 200

    def test_a_test_can_issue_tokens_that_live_as_long_as_it_says(
        self, emulator: Emulator, oauth: TokenEndpoint, clock: Clock
    ) -> None:
        access, refresh = oauth.issue(LOCATION_ID, clock.now, expires_in=5)
        assert update(emulator, access).status == 200
        clock.now += 5
        assert update(emulator, access).status == 401
        assert self.exchange(emulator, refresh).status == 200

    def test_a_refresh_token_is_no_access_token(self, emulator: Emulator) -> None:
        assert update(emulator, "first").status == 401

    def test_reset_accepts_the_first_refresh_tokens_again_and_no_token_that_was_issued(
        self, emulator: Emulator, oauth: TokenEndpoint
    ) -> None:
        issued = content(self.exchange(emulator))
        emulator.reset()
        assert oauth.refreshes == 0
        assert update(emulator, issued["access_token"]).status == 401
        assert self.exchange(emulator, issued["refresh_token"]).status == 400
        assert self.exchange(emulator).status == 200

    def test_without_it_there_is_no_such_endpoint(self, clock: Clock) -> None:
        assert self.exchange(Emulator(tokens=[TOKEN], clock=clock)).status == 404

    def test_only_a_post_is_answered(self, emulator: Emulator) -> None:
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
    def test_a_configured_token_touches_the_locations_that_it_is_for(
        self, token: str, location: str, status: int
    ) -> None:
        tokens = {"one": ["here"], "both": {"here", "there"}, "all": ANY, "no": ()}
        response = update(Emulator(tokens=tokens, create_missing=True), token, location=location)
        assert response.status == status
        if status == 401:
            assert content(response)["message"] == INVALID_TOKEN

    @pytest.mark.parametrize("place", ["query", "header", "path"])
    def test_a_location_that_a_spec_has_elsewhere_is_heeded_and_counted_too(
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
            "responses": {"200": {"description": "It is so"}},
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

        def ask(location: str) -> int:
            target = {"query": f"/places?locationId={location}", "path": f"/places/{location}"}.get(
                place, "/places"
            )
            sent = headers() | ({"locationid": location} if place == "header" else {})
            return emulator.respond(Request("GET", target, sent)).status

        assert [ask(location) for location in ("a", "b", "a", "c")] == [200, 200, 429, 401]


class TestState:
    def test_reset_brings_everything_back(self, clock: Clock) -> None:
        emulator = Emulator(
            tokens=[TOKEN],
            rate_limits=RateLimits(burst=2),
            faults=[Fault(status=503, nth=1)],
            clock=clock,
        )
        before = emulator.get("conversations", CONVERSATION_ID)
        found = [update(emulator, unreadCount=9).status for _ in range(4)]
        assert found == [503, 200, 200, 429]
        emulator.set_faults(Fault(status=418))
        assert update(emulator).status == 418
        emulator.put("conversations", {"id": "another", "locationId": "x"})
        emulator.reset()
        assert emulator.exchanges == []
        assert emulator.get("conversations", CONVERSATION_ID) == before
        assert emulator.get("conversations", "another") is None
        assert [update(emulator, unreadCount=9).status for _ in range(4)] == found

    def test_every_exchange_is_kept_in_order_with_its_request_its_answer_and_its_fault(
        self, clock: Clock
    ) -> None:
        fault = Fault(status=503, nth=2)
        emulator = Emulator(
            tokens=[TOKEN],
            token_endpoint=TokenEndpoint(),
            rate_limits=RateLimits(burst=2),
            faults=[fault],
            clock=clock,
        )
        answers = [update(emulator, starred=each) for each in (True, False, True, True)]
        answers.append(emulator.respond(Request("POST", "/oauth/token", {}, b"")))
        answers.append(emulator.respond(Request("GET", "/nowhere", {})))
        assert [exchange.response for exchange in emulator.exchanges] == answers
        assert [answer.status for answer in answers] == [200, 503, 200, 429, 400, 404]
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

    def test_the_conversations_are_those_that_are_given_and_no_others(self) -> None:
        given = [
            {
                "id": CONVERSATION_ID,
                "locationId": LOCATION_ID,
                "contactId": "mine",
                "deleted": False,
            }
        ]
        emulator = Emulator(tokens=[TOKEN], conversations=given)
        assert content(update(emulator, starred=True))["conversation"] == {
            **given[0],
            "starred": True,
        }
        assert given[0] == {
            "id": CONVERSATION_ID,
            "locationId": LOCATION_ID,
            "contactId": "mine",
            "deleted": False,
        }
        emulator.reset()
        assert emulator.get("conversations", CONVERSATION_ID) == given[0]
        assert update(Emulator(tokens=[TOKEN], conversations=[])).status == 400

    def test_what_it_gives_and_takes_are_copies(self) -> None:
        emulator = Emulator(tokens=[TOKEN])
        feedback: dict[str, Any] = {"stars": [1]}
        mine: dict[str, Any] = {"id": "mine", "feedback": feedback}
        emulator.put("conversations", mine)
        feedback["stars"].append(2)
        found = emulator.get("conversations", "mine")
        assert found == {"id": "mine", "feedback": {"stars": [1]}}
        assert found is not None
        found["feedback"]["stars"].append(3)
        assert emulator.get("conversations", "mine") == {"id": "mine", "feedback": {"stars": [1]}}

    def test_in_loose_mode_a_conversation_that_is_asked_for_is_made_and_kept(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, conversations=[])
        body = json.dumps({"locationId": "anywhere", "unreadCount": 7}).encode()
        answer = content(
            emulator.respond(Request("PUT", "/conversations/new%20one", headers(), body))
        )
        conversation = answer["conversation"]
        assert (conversation["id"], conversation["locationId"], conversation["unreadCount"]) == (
            "new one",
            "anywhere",
            7,
        )
        found = emulator.get("conversations", "new one")
        assert found is not None
        assert {name: found[name] for name in conversation} == conversation
        emulator.reset()
        assert emulator.get("conversations", "new one") is None

    def test_in_loose_mode_a_conversation_follows_the_location_that_names_it(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True)
        assert content(update(emulator, location="moved"))["conversation"]["locationId"] == "moved"
        assert update(Emulator(tokens=[TOKEN]), location="moved").status == 400

    def test_what_is_refused_makes_nothing_in_loose_mode(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, conversations=[])
        assert update(emulator, unreadCount="7").status == 422
        assert emulator.get("conversations", CONVERSATION_ID) is None
