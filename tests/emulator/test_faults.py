"""Every fault, as a client over a socket sees it, and through the interfaces in process."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import APIConnectionError, APITimeoutError, LeadConnector, ServerError
from leadconnector_emulator import (
    Emulator,
    EmulatorApp,
    EmulatorTransport,
    Fault,
    RateLimits,
    Request,
    Response,
    Server,
    TokenEndpoint,
)
from leadconnector_emulator.faults import UNKNOWN_ENUM_VALUE, read_faults
from leadconnector_emulator.spec import SPEC

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN

PATH = f"/conversations/{CONVERSATION_ID}"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Version": "2021-07-28",
    "Content-Type": "application/json",
}
BODY = json.dumps({"locationId": LOCATION_ID, "unreadCount": 9}).encode()


def call(emulator: Emulator, path: str = PATH, **headers: str) -> Response:
    """Send a valid update in process."""
    all_headers = {name.lower(): value for name, value in {**HEADERS, **headers}.items()}
    return emulator.respond(Request("PUT", path, all_headers, BODY))


def is_updated(emulator: Emulator) -> bool:
    """Whether the update changed the conversation."""
    conversation = emulator.get("conversations", CONVERSATION_ID) or {}
    return bool(conversation["unreadCount"] == 9)


def raw_response(server: Server) -> bytes:
    """All bytes of the response to one update over a plain socket."""
    address = urlsplit(server.url)
    lines = [
        f"PUT {PATH} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Content-Length: {len(BODY)}",
    ]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    with socket.create_connection(
        (str(address.hostname), address.port or 0), timeout=10
    ) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + BODY)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return received
        return received


@contextmanager
def connected(server: Server) -> Generator[http.client.HTTPConnection]:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def over_http(server: Server) -> HttpResponse:
    """Send a valid update with the standard library's client."""
    with connected(server) as connection:
        connection.request("PUT", PATH, BODY, HEADERS)
        response = connection.getresponse()
        return HttpResponse(response.status, response.headers, response.read())


class TestSocket:
    def test_a_drop_before_the_headers_sends_nothing_and_changes_nothing(
        self, server: Server
    ) -> None:
        server.emulator.set_faults(Fault(drop="before"))

        assert raw_response(server) == b""
        assert not is_updated(server.emulator)

    def test_a_drop_within_the_headers_sends_a_part_of_them(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drop="within"))

        received = raw_response(server)

        assert received.startswith(b"HTTP/1.1 200")
        assert b"\r\n\r\n" not in received
        assert is_updated(server.emulator)

    def test_a_drop_after_the_headers_sends_no_body(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drop="after"))

        head, end, body = raw_response(server).partition(b"\r\n\r\n")

        assert (end, body) == (b"\r\n\r\n", b"")
        assert b"content-length: 4" in head.lower()

    def test_a_truncated_body_ends_after_the_given_bytes(self, server: Server) -> None:
        server.emulator.set_faults(Fault(truncate=10))

        with pytest.raises(http.client.IncompleteRead) as caught:
            over_http(server)

        assert caught.value.partial == b'{"success"'

    def test_a_drip_sends_the_whole_body_byte_by_byte(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drip=0.0))

        response = over_http(server)

        assert response.status == 200
        assert json.loads(response.body)["conversation"]["unreadCount"] == 9

    def test_a_dripping_body_has_gaps_between_its_bytes(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drip=30.0))
        with connected(server) as connection:
            connection.request("PUT", PATH, BODY, HEADERS)
            response = connection.getresponse()
            assert connection.sock is not None
            connection.sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                response.read(1)

    def test_latency_delays_the_whole_response(self, server: Server) -> None:
        server.emulator.set_faults(Fault(latency=30.0))
        with connected(server) as connection:
            connection.connect()
            assert connection.sock is not None
            connection.sock.settimeout(0.05)
            connection.request("PUT", PATH, BODY, HEADERS)
            with pytest.raises(TimeoutError):
                connection.getresponse()

    @pytest.mark.parametrize(
        ("status", "body", "headers"),
        [
            (500, "", {}),
            (502, "<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
            (503, '{"message": "busy"}', {"Content-Type": "application/json", "Retry-After": "7"}),
            (520, "error code: 520", {"Content-Type": "text/plain", "CF-Ray": "8a-FRA"}),
            (999, "", {}),
            (400, "", {}),
        ],
    )
    def test_a_status_replaces_the_response_and_changes_nothing(
        self, server: Server, status: int, body: str, headers: dict[str, str]
    ) -> None:
        server.emulator.set_faults(Fault(status=status, body=body, headers=headers))

        response = over_http(server)

        assert (response.status, response.body) == (status, body.encode())
        assert {name: response.headers[name] for name in headers} == headers
        assert not is_updated(server.emulator)

    def test_a_redirect_has_its_location(self, server: Server) -> None:
        server.emulator.set_faults(Fault(redirect="https://elsewhere.example/"))

        response = over_http(server)

        assert (response.status, response.headers["Location"]) == (
            307,
            "https://elsewhere.example/",
        )

    def test_a_gzip_bomb_is_small_on_the_wire_and_large_when_decompressed(
        self, server: Server
    ) -> None:
        server.emulator.set_faults(Fault(gzip_bomb=2_000_000))

        response = over_http(server)

        assert response.headers["Content-Encoding"] == "gzip"
        assert len(response.body) < 5_000
        assert len(gzip.decompress(response.body)) == 2_000_000

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            (
                Fault(unknown_enum="conversation.lastMessageType"),
                {"lastMessageType": UNKNOWN_ENUM_VALUE},
            ),
            (Fault(undocumented="conversation.mood"), {"mood": {"since": "tomorrow"}}),
            (Fault(null="conversation.starred"), {"starred": None}),
            (Fault(wrong_type="conversation.unreadCount"), {"unreadCount": "12"}),
            (Fault(wrong_type="conversation.contactId"), {"contactId": 12}),
        ],
    )
    def test_a_response_that_deviates_from_the_spec(
        self, server: Server, fault: Fault, expected: dict[str, Any]
    ) -> None:
        server.emulator.set_faults(fault)

        response = over_http(server)

        assert response.status == 200
        assert expected.items() <= json.loads(response.body)["conversation"].items()
        assert is_updated(server.emulator)

    def test_a_missing_required_field(self, server: Server) -> None:
        server.emulator.set_faults(Fault(missing="conversation.deleted"))

        assert "deleted" not in json.loads(over_http(server).body)["conversation"]

    def test_the_next_connection_is_served_normally(self, server: Server) -> None:
        for fault in (
            Fault(drop="before", nth=1),
            Fault(drop="within", nth=1),
            Fault(truncate=3, nth=1),
        ):
            server.emulator.set_faults(fault)
            raw_response(server)
            assert over_http(server).status == 200

    def test_a_slow_response_does_not_delay_other_connections(self, server: Server) -> None:
        server.emulator.set_faults(Fault(latency=30.0, header={"X-Slow": "yes"}))
        with connected(server) as slow:
            slow.request("PUT", PATH, BODY, {**HEADERS, "X-Slow": "yes"})
            assert over_http(server).status == 200


class TestConditions:
    def test_nth_applies_to_one_request(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=2, status=503))

        assert [call(emulator).status for _ in range(4)] == [200, 503, 200, 200]

    def test_times_limits_the_number_of_requests(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(times=2, status=503))

        assert [call(emulator).status for _ in range(4)] == [503, 503, 200, 200]

    def test_a_rule_matches_path_method_or_header(self, emulator: Emulator) -> None:
        emulator.set_faults(
            Fault(path="/conversations/x*", status=501),
            Fault(method="get", status=502),
            Fault(header={"X-Fault": "drop*"}, status=503),
        )

        assert call(emulator, "/conversations/x1").status == 501
        assert emulator.respond(Request("GET", PATH, {})).status == 502
        assert call(emulator, **{"X-Fault": "drop it"}).status == 503
        assert call(emulator).status == 200

    def test_the_first_rule_that_applies_decides(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=2, status=501), Fault(status=502))

        assert [call(emulator).status for _ in range(3)] == [502, 501, 502]

    @given(seed=st.integers(0, 1000), probability=st.floats(0, 1))
    def test_the_same_seed_selects_the_same_requests(self, seed: int, probability: float) -> None:
        rule = Fault(probability=probability, status=503)
        first, second = (Emulator(tokens=[TOKEN], faults=[rule], seed=seed) for _ in range(2))

        statuses = [call(first).status for _ in range(30)]

        assert statuses == [call(second).status for _ in range(30)]
        first.reset()
        assert statuses == [call(first).status for _ in range(30)]
        assert probability > 0 or 503 not in statuses
        assert probability < 1 or 200 not in statuses

    def test_the_log_contains_the_fault_of_each_exchange(self, emulator: Emulator) -> None:
        fault = Fault(nth=2, status=503)
        emulator.set_faults(fault)
        for _ in range(2):
            call(emulator)

        assert [(exchange.response.status, exchange.fault) for exchange in emulator.exchanges] == [
            (200, None),
            (503, fault),
        ]


class TestInProcess:
    @pytest.mark.parametrize("drop", ["before", "within", "after"])
    def test_a_drop_raises_apiconnectionerror_in_the_client(
        self, emulator: Emulator, client: LeadConnector, drop: Any
    ) -> None:
        emulator.set_faults(Fault(drop=drop))

        with pytest.raises(APIConnectionError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    def test_a_truncated_body_raises_apiconnectionerror_in_the_client(
        self, emulator: Emulator, client: LeadConnector
    ) -> None:
        emulator.set_faults(Fault(truncate=5))

        with pytest.raises(APIConnectionError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    @pytest.mark.parametrize("fault", [Fault(latency=3600), Fault(drip=3600)])
    def test_a_wait_beyond_the_read_timeout_raises_the_timeout_at_once(
        self, emulator: Emulator, client: LeadConnector, fault: Fault
    ) -> None:
        emulator.set_faults(fault)

        with pytest.raises(APITimeoutError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    def test_a_shorter_wait_uses_the_given_sleep(self, emulator: Emulator) -> None:
        waits: list[float] = []
        emulator.set_faults(Fault(latency=2.0, drip=0.5))
        with httpx.Client(transport=EmulatorTransport(emulator, sleep=waits.append)) as client:
            response = client.put(f"http://localhost{PATH}", content=BODY, headers=HEADERS)

        assert waits == [2.0] + [0.5] * len(response.content)

    def test_a_status_raises_the_error_of_the_client(
        self, emulator: Emulator, client: LeadConnector
    ) -> None:
        emulator.set_faults(Fault(status=520, body="error code: 520", headers={"CF-Ray": "8a"}))

        with pytest.raises(ServerError) as caught:
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

        assert (caught.value.status_code, caught.value.request_id) == (520, "8a")

    @pytest.mark.parametrize(
        "fault", [Fault(drop="before"), Fault(drop="after"), Fault(truncate=5)]
    )
    def test_asgi_raises_where_a_connection_would_end(
        self, emulator: Emulator, fault: Fault
    ) -> None:
        emulator.set_faults(fault)

        async def run() -> None:
            transport = httpx.ASGITransport(EmulatorApp(emulator))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                await client.put(PATH, content=BODY, headers=HEADERS)

        with pytest.raises(ConnectionResetError):
            asyncio.run(run())


class TestFiles:
    def test_rules_are_read_from_yaml(self, tmp_path: Path) -> None:
        file = tmp_path / "faults.yaml"
        file.write_text(
            "- {nth: 3, status: 503, headers: {Retry-After: '7'}}\n"
            "- {probability: 0.05, drop: before}\n"
        )

        assert read_faults(file) == [
            Fault(nth=3, status=503, headers={"Retry-After": "7"}),
            Fault(probability=0.05, drop="before"),
        ]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("drop: before\n", "is not a list of rules"),
            ("- before\n", "rule 1: it is not a mapping"),
            (
                "- {drop: before}\n- {dropp: before}\n",
                "rule 2: unknown field 'dropp'; the fields are",
            ),
            ("- {drop: during}\n", "rule 1: drop must be before, within or after"),
            ("- {probability: 5}\n", "rule 1: probability must be between 0 and 1"),
            ("- {status: 20}\n", "rule 1: status must be between 200 and 999"),
            ("- {nth: -1}\n", "rule 1: nth must be a whole number"),
            ("- {nth: first}\n", "rule 1: nth must be a whole number"),
            ("- [never\n", "is not YAML"),
        ],
    )
    def test_an_invalid_file_raises_with_the_place(
        self, tmp_path: Path, text: str, reason: str
    ) -> None:
        file = tmp_path / "faults.yaml"
        file.write_text(text)

        with pytest.raises(ValueError, match=r"faults\.yaml") as caught:
            read_faults(file)

        assert reason in str(caught.value)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"drop": "middle"},
            {"truncate": -5},
            {"gzip_bomb": -1},
            {"probability": 2},
            {"probability": None},
            {"status": 100},
            {"status": 1000},
            {"status": "503"},
            {"nth": 0},
            {"nth": True},
            {"latency": "1"},
            {"drip": -1},
            {"path": 5},
            {"method": ["PUT"]},
            {"header": "abc"},
            {"headers": {"Retry-After": 2}},
            {"headers": {"X": "caf\u00e9"}},
            {"headers": {"Content-Length": "3"}},
            {"headers": {"Bad Name": "x"}},
            {"headers": {"": "x"}},
            {"headers": {"a:b": "x"}},
            {"headers": {"X": " lead"}},
            {"headers": {"X": "trail "}},
            {"headers": {"X": "a\r\nb"}},
            {"headers": {"X": "a\tb"}},
            {"header": {"Bad Name": "x"}},
            {"redirect": " /lead"},
            {"redirect": "/a\n"},
            {"body": "\ud800"},
            {"latency": timedelta(seconds=1)},
            {"latency": float("nan")},
            {"redirect": "/caf\u00e9"},
            {"body": {"a": 1}},
        ],
    )
    def test_an_invalid_rule_raises_with_the_field(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Fault(**wrong)

    @given(
        name=st.text(max_size=4),
        value=st.text(st.sampled_from(" \ta\r\n:\x00\x7f\xe9"), max_size=4),
        body=st.text(max_size=4),
    )
    def test_a_valid_rule_always_has_a_response_that_can_be_sent(
        self, name: str, value: str, body: str
    ) -> None:
        try:
            fault = Fault(status=503, headers={name: value}, body=body)
        except ValueError:
            return
        response = fault.apply(Response(200, b""))
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.next_event()
        headers = list(response.headers.items())
        assert connection.send(h11.Response(status_code=response.status, headers=headers))

    @pytest.mark.parametrize(
        "faults",
        [[Fault()], (Fault(),), "faults.yaml", {"status": 503}, None],
        ids=["list", "tuple", "text", "mapping", "none"],
    )
    def test_what_is_not_a_fault_raises_typeerror_and_changes_nothing(
        self, emulator: Emulator, faults: Any
    ) -> None:
        emulator.set_faults(Fault(status=503))
        with pytest.raises(TypeError, match="a fault"):
            emulator.set_faults(faults)
        assert call(emulator).status == 503

    @pytest.mark.parametrize("faults", [Fault(), "faults.yaml", [[Fault()]], 5])
    def test_faults_of_an_emulator_are_fault_objects(self, faults: Any) -> None:
        with pytest.raises(TypeError, match="fault"):
            Emulator(faults=faults)

    def test_a_number_in_the_headers_of_a_file_becomes_text(self, tmp_path: Path) -> None:
        file = tmp_path / "faults.yaml"
        file.write_text("- {status: 503, headers: {Retry-After: 2}}\n")

        assert read_faults(file)[0].headers == {"Retry-After": "2"}


class TestRegressions:
    def test_every_rule_counts_the_requests_that_it_matches(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=1, status=503), Fault(nth=2, status=500))

        assert [call(emulator).status for _ in range(4)] == [503, 500, 200, 200]

    @pytest.mark.parametrize(
        "fault", [Fault(drop="after", status=503), Fault(drop="after", redirect="/")]
    )
    def test_a_drop_after_the_headers_also_ends_a_response_without_a_body(
        self, server: Server, fault: Fault
    ) -> None:
        server.emulator.set_faults(fault)

        assert raw_response(server).endswith(b"\r\n\r\n")

    @pytest.mark.parametrize(
        "fault", [Fault(drip=0.0), Fault(truncate=1), Fault(status=204, body="hi", drip=0.0)]
    )
    def test_faults_of_the_body_do_not_apply_to_head_and_204(
        self, server: Server, fault: Fault
    ) -> None:
        server.emulator.set_faults(fault)
        with connected(server) as connection:
            connection.request("HEAD", PATH, headers=HEADERS)
            assert connection.getresponse().read() == b""

    def test_invalid_http_gets_a_400_in_json(self, server: Server) -> None:
        address = urlsplit(server.url)
        with socket.create_connection(
            (str(address.hostname), address.port or 0), timeout=10
        ) as connection:
            connection.sendall(b'GET /"\x01 HTTP/1.1\r\n\r\n')
            received = b""
            while piece := connection.recv(65536):
                received += piece

        assert json.loads(received.partition(b"\r\n\r\n")[2])["statusCode"] == 400

    @pytest.mark.parametrize(
        "body",
        [
            b'{"locationId":"%s","feedback":{"a":%s%s}}'
            % (LOCATION_ID.encode(), b"[" * 600, b"]" * 600),
            b'{"locationId":"%s","\\ud800":1}' % LOCATION_ID.encode(),
            b'{"locationId":"\\ud800","starred":"\\ud800"}',
        ],
    )
    def test_an_unusual_body_is_rejected_and_does_not_raise(
        self, emulator: Emulator, body: bytes
    ) -> None:
        headers = {name.lower(): value for name, value in HEADERS.items()}

        assert emulator.respond(Request("PUT", PATH, headers, body)).status == 400

    def test_half_of_a_surrogate_pair_is_not_stored_and_does_not_raise(self) -> None:
        emulator = Emulator(tokens=[TOKEN], create_missing=True)
        before = emulator.get("conversations", CONVERSATION_ID)
        headers = {name.lower(): value for name, value in HEADERS.items()}
        body = b'{"locationId":"\\ud800"}'

        assert emulator.respond(Request("PUT", PATH, headers, body)).status == 200
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_the_page_is_not_served_for_a_foreign_host(self, server: Server) -> None:
        for path in ("/", "/openapi.json", "/_emulator/log"):
            with connected(server) as connection:
                connection.request("GET", path, headers={"Host": "evil.example"})
                assert connection.getresponse().status == 404

    def test_a_reference_outside_the_document_is_rejected_and_not_fetched(
        self, tmp_path: Path
    ) -> None:
        spec = tmp_path / "spec.yaml"
        text = SPEC.read_text(encoding="utf-8").replace(
            "#/components/schemas/LastMessageType", "http://127.0.0.1:1/s.json"
        )
        spec.write_text(text, encoding="utf-8")

        with pytest.raises(ValueError, match="outside the document"):
            Emulator(spec)

    def test_tokens_issued_before_the_emulator_exists_are_valid(self) -> None:
        oauth = TokenEndpoint()
        access, _ = oauth.issue(LOCATION_ID, 0.0)
        emulator = Emulator(token_endpoint=oauth, clock=lambda: 1.0)

        assert call(emulator, Authorization=f"Bearer {access}").status == 200

    @pytest.mark.parametrize("tokens", ["secret", {"a": "location"}])
    def test_one_string_as_tokens_raises_typeerror(self, tokens: Any) -> None:
        with pytest.raises(TypeError, match="collections"):
            Emulator(tokens=tokens)

    @pytest.mark.parametrize(
        "wrong", [{"burst": 0}, {"burst": -1}, {"interval": 0}, {"interval": float("inf")}]
    )
    def test_an_invalid_rate_limit_raises(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="rate"):
            RateLimits(**wrong)
