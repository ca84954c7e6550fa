"""What the emulator stores is bounded in bytes, and what it drops is counted."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable, MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from leadconnector_emulator import (
    Dropped,
    Emulator,
    EmulatorApp,
    EmulatorTransport,
    Exchange,
    Fault,
    RateLimits,
    Request,
    Response,
    TokenEndpoint,
    token_endpoint,
)
from leadconnector_emulator.exchange_log import MAXIMUM_LOG_BYTES, ExchangeLog
from leadconnector_emulator.messages import MAXIMUM_BODY
from leadconnector_emulator.page import Page
from leadconnector_emulator.rate_limits import (
    RateLimitKey,
    RequestCounter,
)
from leadconnector_emulator.resources import MAXIMUM_RESOURCE_BYTES
from leadconnector_emulator.sizes import size_of_exchange, size_of_json
from leadconnector_emulator.spec import SPEC

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN

MIB = 1024 * 1024
DAY = 86_400.0
START = 20_000 * DAY
"""Midnight."""

TARGET = f"/conversations/{CONVERSATION_ID}"


def headers(token: str = TOKEN) -> dict[str, str]:
    return {
        "authorization": f"Bearer {token}",
        "version": "2021-07-28",
        "content-type": "application/json",
    }


def update(
    emulator: Emulator,
    conversation: str = CONVERSATION_ID,
    location: str = LOCATION_ID,
    **data: Any,
) -> int:
    """Update a conversation; the status of the response."""
    body = json.dumps({"locationId": location, **data}).encode()
    request = Request("PUT", f"/conversations/{conversation}", headers(), body)
    return emulator.respond(request).status


def allocated_bytes(act: Callable[[], object]) -> int:
    """The bytes that an action allocates and that are still in use after it."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = act()
        after, _ = tracemalloc.get_traced_memory()
        del result
        return after - before
    finally:
        tracemalloc.stop()


def request_with(part: str, text: str) -> Request:
    """A request with a text as one of its parts."""
    match part:
        case "method":
            return Request(text, "/", {})
        case "path":
            return Request("GET", f"/{text}", {})
        case "query":
            return Request("GET", f"/?{text}", {})
        case "header_name":
            return Request("GET", "/", {text: "value"})
        case "header_value":
            return Request("GET", "/", {"name": text})
        case _:
            return Request("GET", "/", {}, text.encode())


def fault_with(part: str, text: str) -> Fault:
    """A fault whose response has a text as one of its parts."""
    match part:
        case "header_name":
            return Fault(status=503, headers={text: "value"})
        case "header_value":
            return Fault(status=503, headers={"name": text})
        case "redirect":
            return Fault(redirect=f"/{text}")
        case _:
            return Fault(status=503, body=text)


class TestLog:
    def test_requests_with_large_bodies_stay_within_the_default_bound(
        self, emulator: Emulator
    ) -> None:
        feedback = {"text": "x" * (MIB - 1000)}

        def send_all() -> None:
            for _ in range(100):
                assert update(emulator, feedback=feedback) == 200

        assert allocated_bytes(send_all) < MAXIMUM_LOG_BYTES + 4 * MIB
        assert emulator.dropped == Dropped(exchanges=100 - len(emulator.exchanges))
        assert 50 <= len(emulator.exchanges) < 64

    @given(
        body_length=st.sampled_from([0, 1, 100, 10_000]),
        header_count=st.integers(0, 60),
        method_length=st.integers(1, 15_000),
        target_length=st.integers(1, 5_000),
        response_length=st.sampled_from([0, 100, 20_000]),
    )
    def test_the_measure_of_an_exchange_covers_what_it_allocates(
        self,
        body_length: int,
        header_count: int,
        method_length: int,
        target_length: int,
        response_length: int,
    ) -> None:
        exchanges: list[Exchange] = []

        def create() -> None:
            for number in range(20):
                all_headers = {f"x-{number}-{index}": "v" * index for index in range(header_count)}
                target = "/" * target_length + str(number)
                body = str(number).encode().zfill(body_length)
                method = "M" * method_length + str(number)
                request = Request(method, target, all_headers, body)
                response_body = str(number).encode().zfill(response_length)
                response = Response(200, response_body, {"X-Number": str(number)})
                exchanges.append(Exchange(request, response))

        allocated = allocated_bytes(create)
        assert sum(map(size_of_exchange, exchanges)) >= 0.9 * allocated

    @pytest.mark.parametrize(
        "part", ["method", "path", "query", "header_name", "header_value", "body"]
    )
    def test_each_large_part_of_a_request_counts(self, part: str) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=MIB)
        emulator.set_faults(Fault(status=503))

        def send_all() -> None:
            for number in range(300):
                emulator.respond(request_with(part, str(number).zfill(15_000)))

        assert allocated_bytes(send_all) < 1.2 * MIB
        assert emulator.dropped.exchanges > 200

    @pytest.mark.parametrize("part", ["header_name", "header_value", "body", "redirect"])
    def test_each_large_part_of_a_response_counts(self, part: str) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=MIB)
        for number in range(300):
            emulator.set_faults(fault_with(part, str(number).zfill(15_000)))
            emulator.respond(Request("GET", "/", {}))
        assert emulator.dropped.exchanges > 200

    @given(
        maximum=st.integers(0, 60_000),
        lengths=st.lists(st.sampled_from([0, 10, 1_000, 20_000, 70_000]), max_size=60),
    )
    def test_the_newest_exchanges_stay_and_the_others_are_counted(
        self, maximum: int, lengths: list[int]
    ) -> None:
        log = ExchangeLog(maximum)
        exchanges: list[Exchange] = []
        for length in lengths:
            exchange = Exchange(Request("PUT", "/", {}, bytes(length)), Response(200, b""))
            exchanges.append(exchange)
            log.add(exchange)
            assert log.exchanges == exchanges[log.dropped :]
            assert log.exchanges[-1] is exchange
            size = sum(map(size_of_exchange, log.exchanges))
            assert size <= maximum or len(log.exchanges) == 1
        excerpt = log.latest(5)
        assert (excerpt.total, excerpt.dropped) == (len(lengths), log.dropped)
        assert excerpt.exchanges == log.exchanges[-5:]

    def test_a_test_may_clear_the_list(self) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=20_000)
        for _ in range(3):
            for _ in range(4):
                update(emulator)
            emulator.exchanges.clear()
        update(emulator)
        assert len(emulator.exchanges) == 1
        assert emulator.dropped.exchanges == 0

    def test_reset_clears_the_log_and_the_counter(self) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=10_000)
        for _ in range(20):
            update(emulator)
        assert emulator.dropped.exchanges > 0
        emulator.reset()
        assert emulator.exchanges == []
        assert emulator.dropped == Dropped()

    def test_the_page_counts_dropped_exchanges_and_keeps_their_numbers(self) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=10_000)
        for _ in range(20):
            update(emulator)
        response = Page(emulator).respond(Request("GET", "/_emulator/log", {}))
        assert response is not None
        log = json.loads(response.body)
        assert (log["total"], log["dropped"]) == (20, emulator.dropped.exchanges)
        numbers = [entry["number"] for entry in log["exchanges"]]
        assert numbers == list(range(log["dropped"] + 1, 21))

    def test_the_page_shows_only_the_beginning_of_a_long_target(self, emulator: Emulator) -> None:
        emulator.respond(Request("GET", "/" + "x" * MIB, {}))
        response = Page(emulator).respond(Request("GET", "/_emulator/log", {}))
        assert response is not None
        (entry,) = json.loads(response.body)["exchanges"]
        assert entry["target"] == "/" + "x" * 1_999 + "…"

    @pytest.mark.parametrize("option", ["log_bytes", "resource_bytes"])
    def test_a_negative_bound_raises_valueerror(self, option: str) -> None:
        options: dict[str, Any] = {option: -1}
        with pytest.raises(ValueError, match=f"{option} must not be negative"):
            Emulator(**options)

    @pytest.mark.parametrize("option", ["log_bytes", "resource_bytes"])
    @pytest.mark.parametrize(
        ("value", "error"),
        [
            (None, TypeError),
            ("5", TypeError),
            (True, TypeError),
            ([5], TypeError),
            (float("nan"), ValueError),
        ],
    )
    def test_a_bound_that_is_not_a_number_raises_with_its_name(
        self, option: str, value: object, error: type[Exception]
    ) -> None:
        options: dict[str, Any] = {option: value}
        with pytest.raises(error, match=f"{option} must be a number of bytes"):
            Emulator(**options)


class TestResources:
    def test_conversations_that_requests_create_stay_within_the_bound(self) -> None:
        emulator = Emulator(
            tokens=[TOKEN], create_missing=True, log_bytes=0, resource_bytes=2 * MIB
        )

        def send_all() -> None:
            for number in range(3_000):
                assert update(emulator, f"c{number}", f"l{number}", unreadCount=number) == 200

        assert allocated_bytes(send_all) < 2.5 * MIB
        dropped = emulator.dropped.resources
        assert 0 < dropped < 3_000
        for number, is_stored in ((0, False), (dropped - 1, False), (dropped, True), (2_999, True)):
            assert (emulator.get("conversations", f"c{number}") is not None) == is_stored

    def test_the_default_bound_is_64_mib(self) -> None:
        assert MAXIMUM_RESOURCE_BYTES == 64 * MIB

    def test_a_body_of_many_small_values_is_measured_as_objects(self) -> None:
        emulator = Emulator(
            tokens=[TOKEN], create_missing=True, log_bytes=0, resource_bytes=8 * MIB
        )
        # As Python's objects, this list has about thirty times the bytes of its text.
        feedback: dict[str, Any] = {"lists": [[] for _ in range(50_000)]}

        def send_all() -> None:
            for number in range(10):
                assert update(emulator, f"c{number}", feedback=feedback) == 200

        assert allocated_bytes(send_all) < 10 * MIB
        assert emulator.dropped.resources > 0

    def test_a_conversation_in_use_stays_longer_than_an_unused_one(self) -> None:
        emulator = Emulator(
            tokens=[TOKEN], create_missing=True, log_bytes=0, resource_bytes=100_000
        )
        update(emulator, "in-use", unreadCount=7)
        update(emulator, "unused")
        for number in range(200):
            update(emulator, f"c{number}")
            update(emulator, "in-use")
        stored = emulator.get("conversations", "in-use")
        assert stored is not None
        assert stored["unreadCount"] == 7
        assert emulator.get("conversations", "unused") is None

    @pytest.mark.parametrize("is_put", [False, True], ids=["conversations", "put"])
    def test_what_requests_add_to_conversations_of_the_test_stays_within_the_bound(
        self, is_put: bool
    ) -> None:
        seeds = [{"id": f"c{number}", "locationId": LOCATION_ID} for number in range(20)]
        emulator = Emulator(
            tokens=[TOKEN],
            conversations=[] if is_put else seeds,
            log_bytes=0,
            resource_bytes=8 * MIB,
        )
        if is_put:
            for seed in seeds:
                emulator.put("conversations", seed)
        feedback: dict[str, Any] = {"lists": [[] for _ in range(50_000)]}

        def send_all() -> None:
            for seed in seeds:
                assert update(emulator, seed["id"], feedback=feedback) == 200

        assert allocated_bytes(send_all) < 10 * MIB
        dropped = emulator.dropped.resources
        assert 0 < dropped < 20
        for number, seed in enumerate(seeds):
            has_initial_version = emulator.get("conversations", seed["id"]) == seed
            assert has_initial_version == (number < dropped)

    def test_the_initial_version_of_a_conversation_is_restored_and_can_be_changed_again(
        self,
    ) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=0, resource_bytes=0)
        emulator.put("conversations", {**emulator.example, "id": "mine"})
        for number in range(3):
            assert update(emulator, "mine", unreadCount=100 + number) == 200
            assert update(emulator, unreadCount=200 + number) == 200
            assert emulator.get("conversations", "mine") == {**emulator.example, "id": "mine"}
        assert emulator.dropped.resources == 5

    def test_resources_that_a_put_on_a_collection_creates_stay_within_the_bound(
        self, tmp_path: Path
    ) -> None:
        document = cast("dict[str, Any]", yaml.safe_load(SPEC.read_text(encoding="utf-8")))
        operation = deepcopy(document["paths"]["/conversations/{conversationId}"]["put"])
        operation["operationId"] = "create-conversation"
        operation["parameters"] = [
            parameter for parameter in operation["parameters"] if parameter.get("in") != "path"
        ]
        document["paths"]["/conversations"] = {"put": operation}
        spec = tmp_path / "openapi.yaml"
        spec.write_text(yaml.safe_dump(document), encoding="utf-8")
        emulator = Emulator(spec, tokens=[TOKEN], log_bytes=0, resource_bytes=20_000)

        def send_all() -> None:
            for number in range(2_000):
                body = json.dumps({"locationId": f"location-{number}"}).encode()
                request = Request("PUT", "/conversations", headers(), body)
                assert emulator.respond(request).status == 200

        assert allocated_bytes(send_all) < 200_000

    def test_the_conversations_of_the_test_stay(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, log_bytes=0, resource_bytes=0)
        emulator.put("conversations", {**emulator.example, "id": "mine"})
        update(emulator, "promoted")
        emulator.put("conversations", {**emulator.example, "id": "promoted"})
        for number in range(50):
            update(emulator, f"c{number}", feedback={"text": "x" * 1000})
            update(emulator, "mine", feedback={"text": "x" * 1000})
        for conversation in (CONVERSATION_ID, "mine", "promoted"):
            assert emulator.get("conversations", conversation) is not None
        assert emulator.dropped.resources == 99  # the one that was used last stays

    def test_a_dropped_conversation_is_created_again(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True, resource_bytes=0)
        update(emulator, "first", starred=False)
        update(emulator, "second")
        assert update(emulator, "first") == 200
        stored = emulator.get("conversations", "first")
        assert stored is not None
        assert stored["starred"] is True  # the value of the example

    @given(
        data=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda children: st.lists(children) | st.dictionaries(st.text(), children),
        )
    )
    def test_the_measure_of_json_covers_what_it_allocates(self, data: Any) -> None:
        text = json.dumps(data)
        copies: list[Any] = []

        def parse() -> None:
            for _ in range(10):
                copies.append(json.loads(text))

        allocated = allocated_bytes(parse)
        assert sum(map(size_of_json, copies)) + 600 >= 0.8 * allocated


class TestRateLimitCounts:
    def test_the_counts_of_locations_are_released_after_the_interval_and_after_the_day(
        self,
    ) -> None:
        counter = RequestCounter(RateLimits())

        def count_all(now: float) -> None:
            for number in range(2_000):
                assert counter.count(RateLimitKey("token", f"location-{number}"), now).is_allowed

        def count_one_after(seconds: float) -> None:
            count_all(START)
            counter.count(RateLimitKey("token", "another"), START + seconds)

        in_use = allocated_bytes(lambda: count_one_after(9.0))
        counter.reset()
        after_interval = allocated_bytes(lambda: count_one_after(11.0))
        counter.reset()
        after_day = allocated_bytes(lambda: count_one_after(DAY))
        assert in_use / 2_000 > 500
        assert after_interval / 2_000 < 200
        assert after_day / 2_000 < 60  # the table of the mapping, which the next day uses again

    @pytest.mark.parametrize(
        "limits",
        [
            RateLimits(),
            RateLimits(daily=None),
            RateLimits(burst=None),
            RateLimits(burst=10**9, interval=80_000.0),
        ],
    )
    @pytest.mark.parametrize("location_length", [10, 10_000])
    def test_the_counts_of_all_locations_stay_within_the_bound(
        self, limits: RateLimits, location_length: int
    ) -> None:
        counter = RequestCounter(limits, maximum_bytes=MIB)

        def count_all() -> None:
            for number in range(12_000):
                location = str(number).zfill(location_length)
                counter.count(RateLimitKey("token", location), START + number / 1_000)

        assert allocated_bytes(count_all) < 1.3 * MIB
        assert counter.dropped > 0

    def test_many_requests_for_one_location_stay_within_the_bound(self) -> None:
        counter = RequestCounter(RateLimits(burst=10**9, interval=80_000.0), maximum_bytes=MIB)

        def count_all() -> None:
            for number in range(60_000):
                counter.count(RateLimitKey("token", "location"), START + number / 1_000)

        assert allocated_bytes(count_all) < 1.3 * MIB
        assert counter.dropped > 0

    def test_without_limits_nothing_is_stored(self, emulator: Emulator) -> None:
        counter = RequestCounter(RateLimits(burst=None, daily=None))

        def count_all() -> None:
            for number in range(5_000):
                counter.count(RateLimitKey("token", f"location-{number}"), START)

        assert allocated_bytes(count_all) < 5_000

    def test_a_clock_that_runs_backwards_raises_nothing(self) -> None:
        counter = RequestCounter(RateLimits(burst=2, interval=1.0))
        for now in (START + 5, START, START + 3, START + 1, START - DAY, START + 9):
            for location in ("a", "b"):
                counter.count(RateLimitKey("token", location), now)
                counter.headers(RateLimitKey("token", location), now)
        assert counter.count(RateLimitKey("token", "a"), START + 20).is_allowed

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (RateLimitKey("ab", "c"), RateLimitKey("a", "bc")),
            (RateLimitKey("", "x"), RateLimitKey("x", "")),
            (RateLimitKey("t", "\ud800"), RateLimitKey("t", "\ud801")),
        ],
    )
    def test_different_locations_are_counted_separately(
        self, first: RateLimitKey, second: RateLimitKey
    ) -> None:
        counter = RequestCounter(RateLimits(burst=1))
        assert counter.count(first, START).is_allowed
        assert counter.count(second, START).is_allowed
        assert not counter.count(first, START).is_allowed

    def test_the_emulator_reports_dropped_counts(self) -> None:
        emulator = Emulator(
            tokens=[TOKEN], rate_limits=RateLimits(), create_missing=True, clock=lambda: START
        )
        emulator._request_counter = RequestCounter(RateLimits(), maximum_bytes=10_000)
        for number in range(50):
            update(emulator, location=f"l{number}")
        assert emulator.dropped.rate_limit_counts > 0
        emulator.reset()
        assert emulator.dropped == Dropped()


class TestTokens:
    def refresh(self, emulator: Emulator, refresh_token: str) -> dict[str, Any]:
        form = {
            "client_id": "client",
            "client_secret": "client-secret",
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "user_type": "Location",
        }
        form_headers = {"content-type": "application/x-www-form-urlencoded"}
        request = Request("POST", "/oauth/token", form_headers, urlencode(form).encode())
        return cast("dict[str, Any]", json.loads(emulator.respond(request).body))

    def test_many_refreshes_stay_within_the_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(token_endpoint, "MAXIMUM_REMEMBERED_TOKENS", 100)
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID})
        emulator = Emulator(token_endpoint=endpoint, log_bytes=0, clock=lambda: START)
        refresh_token = "first"
        access_tokens: list[str] = []

        def refresh_all() -> None:
            nonlocal refresh_token
            for _ in range(1_000):
                tokens = self.refresh(emulator, refresh_token)
                refresh_token = tokens["refresh_token"]
                access_tokens.append(tokens["access_token"])
                del access_tokens[:-101]

        assert allocated_bytes(refresh_all) < 200_000
        assert emulator.dropped == Dropped(exchanges=999, tokens=900)
        authorized = [self.status(emulator, token) for token in access_tokens]
        assert authorized == [401] + [200] * 100

    def test_unused_refresh_tokens_stay_within_the_bound(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(token_endpoint, "MAXIMUM_REMEMBERED_TOKENS", 100)
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID})
        emulator = Emulator(token_endpoint=endpoint, clock=lambda: START)

        def issue_all() -> None:
            for _ in range(1_000):
                endpoint.issue(LOCATION_ID, START)

        assert allocated_bytes(issue_all) < 200_000
        assert emulator.dropped.tokens == 1_800
        assert "access_token" in self.refresh(emulator, "first")

    def test_expired_tokens_are_released(self) -> None:
        seconds = START
        endpoint = TokenEndpoint(refresh_tokens={"first": LOCATION_ID}, expires_in=10)
        emulator = Emulator(token_endpoint=endpoint, clock=lambda: seconds)
        refresh_token = "first"
        for _ in range(50):
            seconds += 11
            refresh_token = self.refresh(emulator, refresh_token)["refresh_token"]
        assert len(endpoint._grant_by_access_token) == 1
        assert emulator.dropped.tokens == 0

    def status(self, emulator: Emulator, token: str) -> int:
        body = json.dumps({"locationId": LOCATION_ID}).encode()
        return emulator.respond(Request("PUT", TARGET, headers(token), body)).status


class TestBodies:
    @pytest.mark.parametrize("length", [MAXIMUM_BODY + 1, 3 * MAXIMUM_BODY])
    def test_a_body_beyond_the_maximum_returns_413_in_process(
        self, emulator: Emulator, length: int
    ) -> None:
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="http://emulator"
        ) as client:
            response = client.put(TARGET, headers=headers(), content=b" " * length)
        assert response.status_code == 413
        assert response.json()["message"] == f"a body may have {MAXIMUM_BODY} bytes"
        (exchange,) = emulator.exchanges
        assert exchange.response.status == 413
        assert len(exchange.request.body) == MAXIMUM_BODY

    def test_a_body_of_the_maximum_is_accepted(self, emulator: Emulator) -> None:
        body = json.dumps({"locationId": LOCATION_ID}).encode().ljust(MAXIMUM_BODY)
        assert emulator.respond(Request("PUT", TARGET, headers(), body)).status == 200

    def test_asgi_stops_reading_a_body_beyond_the_maximum(self, emulator: Emulator) -> None:
        received = 0
        statuses: list[int] = []

        async def receive() -> MutableMapping[str, Any]:
            nonlocal received
            received += 100_000
            return {"type": "http.request", "body": bytes(100_000), "more_body": True}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope: dict[str, Any] = {"type": "http", "method": "PUT", "path": TARGET, "headers": []}
        asyncio.run(EmulatorApp(emulator)(scope, receive, send))
        assert statuses == [413]
        assert received <= MAXIMUM_BODY + 100_000

    def test_a_fault_with_a_large_body_counts_for_the_log(self) -> None:
        emulator = Emulator(tokens=[TOKEN], log_bytes=MIB)
        emulator.set_faults(Fault(status=500, body="x" * 200_000))

        def send_all() -> None:
            for _ in range(50):
                assert update(emulator) == 500

        assert allocated_bytes(send_all) < 1.5 * MIB
