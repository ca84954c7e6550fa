"""Every fault, as a client of plain sockets or http.client sees it, and as the doors in process give it."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


def ask(emulator: Emulator, path: str = PATH, **headers: str) -> Response:
    sent = {name.lower(): value for name, value in {**HEADERS, **headers}.items()}
    return emulator.respond(Request("PUT", path, sent, BODY))


def applied(emulator: Emulator) -> bool:
    return bool((emulator.get("conversations", CONVERSATION_ID) or {})["unreadCount"] == 9)


def raw(server: Server, *, read: Callable[[socket.socket], bytes] | None = None) -> bytes:
    """Everything that comes over a plain socket for one request, until the server ends the connection."""
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


def over_http(server: Server) -> tuple[http.client.HTTPResponse, bytes]:
    with connected(server) as connection:
        connection.request("PUT", PATH, BODY, HEADERS)
        answer = connection.getresponse()
        return answer, answer.read()


class TestOverASocket:
    def test_a_drop_before_the_headers_sends_nothing_and_changes_nothing(
        self, server: Server
    ) -> None:
        server.emulator.set_faults(Fault(drop="before"))

        assert raw(server) == b""
        assert not applied(server.emulator)

    def test_a_drop_within_the_headers_sends_a_part_of_them(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drop="within"))

        received = raw(server)

        assert received.startswith(b"HTTP/1.1 200")
        assert b"\r\n\r\n" not in received
        assert applied(server.emulator)

    def test_a_drop_after_the_headers_sends_no_body(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drop="after"))

        head, end, body = raw(server).partition(b"\r\n\r\n")

        assert (end, body) == (b"\r\n\r\n", b"")
        assert b"content-length: 4" in head.lower()

    def test_a_truncated_body_ends_where_the_rule_says(self, server: Server) -> None:
        server.emulator.set_faults(Fault(truncate=10))

        with pytest.raises(http.client.IncompleteRead) as caught:
            over_http(server)

        assert caught.value.partial == b'{"success"'

    def test_a_drip_sends_the_whole_body_byte_by_byte(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drip=0.0))

        answer, body = over_http(server)

        assert answer.status == 200
        assert json.loads(body)["conversation"]["unreadCount"] == 9

    def test_a_dripping_body_has_gaps_between_its_bytes(self, server: Server) -> None:
        server.emulator.set_faults(Fault(drip=30.0))
        with connected(server) as connection:
            connection.request("PUT", PATH, BODY, HEADERS)
            answer = connection.getresponse()
            assert connection.sock is not None
            connection.sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                answer.read(1)

    def test_latency_holds_the_whole_answer_back(self, server: Server) -> None:
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
    def test_any_status_comes_with_any_body_and_changes_nothing(
        self, server: Server, status: int, body: str, headers: dict[str, str]
    ) -> None:
        server.emulator.set_faults(Fault(status=status, body=body, headers=headers))

        answer, received = over_http(server)

        assert (answer.status, received) == (status, body.encode())
        assert {name: answer.headers[name] for name in headers} == headers
        assert not applied(server.emulator)

    def test_a_redirect_names_its_place(self, server: Server) -> None:
        server.emulator.set_faults(Fault(redirect="https://elsewhere.example/"))

        answer, _ = over_http(server)

        assert (answer.status, answer.headers["Location"]) == (307, "https://elsewhere.example/")

    def test_a_gzip_bomb_is_small_on_the_wire_and_large_when_it_is_decompressed(
        self, server: Server
    ) -> None:
        server.emulator.set_faults(Fault(gzip_bomb=2_000_000))

        answer, body = over_http(server)

        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(body) < 5_000
        assert len(gzip.decompress(body)) == 2_000_000

    @pytest.mark.parametrize(
        ("fault", "found"),
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
    def test_an_answer_that_is_not_as_documented(
        self, server: Server, fault: Fault, found: dict[str, Any]
    ) -> None:
        server.emulator.set_faults(fault)

        answer, body = over_http(server)

        assert answer.status == 200
        assert found.items() <= json.loads(body)["conversation"].items()
        assert applied(server.emulator)

    def test_a_required_field_that_is_missing(self, server: Server) -> None:
        server.emulator.set_faults(Fault(missing="conversation.deleted"))

        assert "deleted" not in json.loads(over_http(server)[1])["conversation"]

    def test_the_next_request_on_another_connection_is_served_as_always(
        self, server: Server
    ) -> None:
        for fault in (
            Fault(drop="before", nth=1),
            Fault(drop="within", nth=1),
            Fault(truncate=3, nth=1),
        ):
            server.emulator.set_faults(fault)
            raw(server)
            assert over_http(server)[0].status == 200

    def test_a_slow_answer_holds_no_other_connection_up(self, server: Server) -> None:
        server.emulator.set_faults(Fault(latency=30.0, header={"X-Slow": "yes"}))
        with connected(server) as slow:
            slow.request("PUT", PATH, BODY, {**HEADERS, "X-Slow": "yes"})
            assert over_http(server)[0].status == 200


class TestWhen:
    def test_the_nth_request_alone(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=2, status=503))

        assert [ask(emulator).status for _ in range(4)] == [200, 503, 200, 200]

    def test_so_many_times_at_the_most(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(times=2, status=503))

        assert [ask(emulator).status for _ in range(4)] == [503, 503, 200, 200]

    def test_a_path_a_method_or_a_header_of_the_request(self, emulator: Emulator) -> None:
        emulator.set_faults(
            Fault(path="/conversations/x*", status=501),
            Fault(method="get", status=502),
            Fault(header={"X-Fault": "drop*"}, status=503),
        )

        assert ask(emulator, "/conversations/x1").status == 501
        assert emulator.respond(Request("GET", PATH, {})).status == 502
        assert ask(emulator, **{"X-Fault": "drop it"}).status == 503
        assert ask(emulator).status == 200

    def test_the_first_rule_that_applies_decides(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=2, status=501), Fault(status=502))

        assert [ask(emulator).status for _ in range(3)] == [502, 501, 502]

    @given(seed=st.integers(0, 1000), probability=st.floats(0, 1))
    def test_a_share_of_the_requests_is_the_same_for_the_same_seed(
        self, seed: int, probability: float
    ) -> None:
        rule = Fault(probability=probability, status=503)
        first, second = (Emulator(tokens=[TOKEN], faults=[rule], seed=seed) for _ in range(2))

        statuses = [ask(first).status for _ in range(30)]

        assert statuses == [ask(second).status for _ in range(30)]
        first.reset()
        assert statuses == [ask(first).status for _ in range(30)]
        assert probability > 0 or 503 not in statuses
        assert probability < 1 or 200 not in statuses

    def test_the_log_tells_which_fault_had_a_part(self, emulator: Emulator) -> None:
        fault = Fault(nth=2, status=503)
        emulator.set_faults(fault)
        for _ in range(2):
            ask(emulator)

        assert [(exchange.response.status, exchange.fault) for exchange in emulator.exchanges] == [
            (200, None),
            (503, fault),
        ]


class TestInProcess:
    @pytest.mark.parametrize("drop", ["before", "within", "after"])
    def test_a_drop_is_a_connection_error_of_the_client(
        self, emulator: Emulator, client: LeadConnector, drop: Any
    ) -> None:
        emulator.set_faults(Fault(drop=drop))

        with pytest.raises(APIConnectionError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    def test_a_truncated_body_is_a_connection_error_of_the_client(
        self, emulator: Emulator, client: LeadConnector
    ) -> None:
        emulator.set_faults(Fault(truncate=5))

        with pytest.raises(APIConnectionError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    @pytest.mark.parametrize("fault", [Fault(latency=3600), Fault(drip=3600)])
    def test_a_wait_beyond_the_read_timeout_is_a_timeout_at_once(
        self, emulator: Emulator, client: LeadConnector, fault: Fault
    ) -> None:
        emulator.set_faults(fault)

        with pytest.raises(APITimeoutError):
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    def test_a_shorter_wait_is_slept_by_what_the_test_gives(self, emulator: Emulator) -> None:
        slept: list[float] = []
        emulator.set_faults(Fault(latency=2.0, drip=0.5))
        with httpx.Client(transport=EmulatorTransport(emulator, sleep=slept.append)) as client:
            answer = client.put(f"http://localhost{PATH}", content=BODY, headers=HEADERS)

        assert slept == [2.0] + [0.5] * len(answer.content)

    def test_a_status_is_the_clients_own_error(
        self, emulator: Emulator, client: LeadConnector
    ) -> None:
        emulator.set_faults(Fault(status=520, body="error code: 520", headers={"CF-Ray": "8a"}))

        with pytest.raises(ServerError) as caught:
            client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

        assert (caught.value.status_code, caught.value.request_id) == (520, "8a")

    @pytest.mark.parametrize(
        "fault", [Fault(drop="before"), Fault(drop="after"), Fault(truncate=5)]
    )
    def test_asgi_cannot_end_a_connection_and_raises(
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
            "- {nth: 3, status: 503, headers: {Retry-After: '7'}}\n- {probability: 0.05, drop: before}\n"
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
    def test_a_file_that_is_wrong_says_where(self, tmp_path: Path, text: str, reason: str) -> None:
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
            {"redirect": "/caf\u00e9"},
            {"body": {"a": 1}},
        ],
    )
    def test_a_rule_that_makes_no_sense_is_refused_where_it_is_made(
        self, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Fault(**wrong)

    def test_a_number_in_a_files_headers_is_sent_as_text(self, tmp_path: Path) -> None:
        file = tmp_path / "faults.yaml"
        file.write_text("- {status: 503, headers: {Retry-After: 2}}\n")

        assert read_faults(file)[0].headers == {"Retry-After": "2"}


class TestMended:
    def test_two_rules_count_the_same_requests(self, emulator: Emulator) -> None:
        emulator.set_faults(Fault(nth=1, status=503), Fault(nth=2, status=500))

        assert [ask(emulator).status for _ in range(4)] == [503, 500, 200, 200]

    @pytest.mark.parametrize(
        "fault", [Fault(drop="after", status=503), Fault(drop="after", redirect="/")]
    )
    def test_a_drop_after_the_headers_ends_also_an_answer_without_a_body(
        self, server: Server, fault: Fault
    ) -> None:
        server.emulator.set_faults(fault)

        assert raw(server).endswith(b"\r\n\r\n")

    @pytest.mark.parametrize(
        "fault", [Fault(drip=0.0), Fault(truncate=1), Fault(status=204, body="hi", drip=0.0)]
    )
    def test_a_head_or_a_204_has_no_body_to_drip_or_cut(self, server: Server, fault: Fault) -> None:
        server.emulator.set_faults(fault)
        with connected(server) as connection:
            connection.request("HEAD", PATH, headers=HEADERS)
            assert connection.getresponse().read() == b""

    def test_what_is_no_http_is_answered_in_json(self, server: Server) -> None:
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
    def test_no_body_makes_the_core_raise(self, emulator: Emulator, body: bytes) -> None:
        headers = {name.lower(): value for name, value in HEADERS.items()}

        assert emulator.respond(Request("PUT", PATH, headers, body)).status == 400

    def test_the_page_is_not_shown_under_a_foreign_name(self, server: Server) -> None:
        for path in ("/", "/openapi.json", "/_emulator/log"):
            with connected(server) as connection:
                connection.request("GET", path, headers={"Host": "evil.example"})
                assert connection.getresponse().status == 404

    def test_a_reference_out_of_the_document_is_refused_and_not_fetched(
        self, tmp_path: Path
    ) -> None:
        spec = tmp_path / "spec.yaml"
        text = SPEC.read_text(encoding="utf-8").replace(
            "#/components/schemas/LastMessageType", "http://127.0.0.1:1/s.json"
        )
        spec.write_text(text, encoding="utf-8")

        with pytest.raises(ValueError, match="outside the document"):
            Emulator(spec)

    def test_tokens_issued_before_are_good_in_an_emulator_made_after(self) -> None:
        oauth = TokenEndpoint()
        access, _ = oauth.issue(LOCATION_ID, 0.0)
        emulator = Emulator(token_endpoint=oauth, clock=lambda: 1.0)

        assert ask(emulator, Authorization=f"Bearer {access}").status == 200

    @pytest.mark.parametrize("tokens", ["secret", {"a": "location"}])
    def test_one_string_is_no_collection_of_tokens(self, tokens: Any) -> None:
        with pytest.raises(TypeError, match="collections"):
            Emulator(tokens=tokens)

    @pytest.mark.parametrize(
        "wrong", [{"burst": 0}, {"burst": -1}, {"interval": 0}, {"interval": float("inf")}]
    )
    def test_a_rate_that_makes_no_sense_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="rate"):
            RateLimits(**wrong)
