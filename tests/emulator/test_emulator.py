"""The emulator in process, through httpx and over a socket: it answers as the spec says, and keeps what it is told."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator
from leadconnector_emulator import Emulator, EmulatorTransport, Request, Response, Server

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

SECONDS = 20
"""How long what takes much less may take: a bound, and below the 30 that the server gives an idle connection."""

HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "version": "2021-07-28",
    "content-type": "application/json",
}
TARGET = f"/conversations/{CONVERSATION_ID}"


def ask(
    emulator: Emulator,
    data: object = None,
    *,
    method: str = "PUT",
    target: str = TARGET,
    body: bytes | None = None,
    without: str = "",
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    """Send a good request but for what is given; the status and the answer, which fits the spec if it documents it."""
    sent = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    sent.pop(without, None)
    content = (
        json.dumps({"locationId": LOCATION_ID} if data is None else data).encode()
        if body is None
        else body
    )
    response = emulator.respond(Request(method, target, sent, content))
    return response.status, checked(response)


def checked(response: Response | httpx.Response) -> dict[str, Any]:
    """The data of an answer, after checking it against the spec's schema for its status."""
    status, body = (
        (response.status, response.body)
        if isinstance(response, Response)
        else (response.status_code, response.content)
    )
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    data = cast("dict[str, Any]", json.loads(body))
    check(status, data)
    return data


def check(status: int, data: object) -> None:
    """Compare an answer with the spec's schema for its status, where it documents the status."""
    spec = cast(
        "dict[str, Any]",
        yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")),
    )
    responses = spec["paths"]["/conversations/{conversationId}"]["put"]["responses"]
    if str(status) in responses:
        schema = responses[str(status)]["content"]["application/json"]["schema"]
        validator: Any = Draft202012Validator({**schema, "components": spec["components"]})
        validator.validate(data)


def send(
    connection: http.client.HTTPConnection,
    data: object = None,
    *,
    method: str = "PUT",
    target: str = TARGET,
    headers: Mapping[str, str] = HEADERS,
) -> tuple[int, Any]:
    """A request over a socket, by the standard library's client."""
    connection.request(
        method,
        target,
        json.dumps({"locationId": LOCATION_ID, **cast("Any", data or {})}),
        {**headers},
    )
    response = connection.getresponse()
    body = response.read()
    return response.status, json.loads(body) if body else None


@contextmanager
def connected(server: Server) -> Generator[http.client.HTTPConnection]:
    parts = urlsplit(server.url)
    with closing(
        http.client.HTTPConnection(cast("str", parts.hostname), parts.port, timeout=SECONDS)
    ) as connection:
        yield connection


class TestSuccess:
    def test_an_update_is_answered_in_the_documented_shape(self, emulator: Emulator) -> None:
        status, answer = ask(
            emulator, {"locationId": LOCATION_ID, "unreadCount": 7, "starred": False}
        )
        assert status == 200
        assert answer["success"] is True
        conversation = answer["conversation"]
        assert (conversation["id"], conversation["unreadCount"], conversation["starred"]) == (
            CONVERSATION_ID,
            7,
            False,
        )

    def test_a_conversation_made_of_the_spec_s_examples_is_there_from_the_start(
        self, emulator: Emulator
    ) -> None:
        _, answer = ask(emulator)
        assert answer["conversation"] == dict(emulator.example)
        assert answer["conversation"]["lastMessageBody"] == "Hello, this is the message body"

    def test_an_update_is_kept(self, emulator: Emulator) -> None:
        ask(emulator, {"locationId": LOCATION_ID, "unreadCount": 7, "feedback": {"rating": 5}})
        kept = emulator.get("conversations", CONVERSATION_ID)
        assert kept is not None
        assert (kept["unreadCount"], kept["feedback"]) == (7, {"rating": 5})
        _, later = ask(emulator)
        assert later["conversation"]["unreadCount"] == 7

    def test_what_an_update_leaves_out_stays_as_it_is(self, emulator: Emulator) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        assert before is not None
        ask(emulator, {"locationId": LOCATION_ID, "unreadCount": 7})
        assert emulator.get("conversations", CONVERSATION_ID) == {**before, "unreadCount": 7}

    def test_what_the_request_does_not_document_changes_nothing(self, emulator: Emulator) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, _ = ask(
            emulator, {"locationId": LOCATION_ID, "id": "another", "contactId": 7, "new": "\ud800"}
        )
        assert status == 200
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_what_get_gives_is_a_copy(self, emulator: Emulator) -> None:
        ask(emulator, {"locationId": LOCATION_ID, "feedback": {"rating": 5}})
        for _ in range(2):
            kept = emulator.get("conversations", CONVERSATION_ID)
            assert kept is not None
            assert kept["feedback"] == {"rating": 5}
            kept["feedback"]["rating"] = 1

    def test_what_is_put_is_copied(self, emulator: Emulator) -> None:
        given: dict[str, Any] = {"id": "c", "locationId": "l", "feedback": {"rating": 5}}
        emulator.put("conversations", given)
        given["feedback"]["rating"] = 1
        kept = emulator.get("conversations", "c")
        assert kept is not None
        assert kept["feedback"] == {"rating": 5}

    @pytest.mark.parametrize("text", ["é 日本 🙂", "\ud800", '"\\\n\x00'])
    def test_any_text_that_json_can_hold_comes_back(self, emulator: Emulator, text: str) -> None:
        emulator.put("conversations", {**emulator.example, "lastMessageBody": text})
        assert ask(emulator)[1]["conversation"]["lastMessageBody"] == text

    def test_what_is_not_there_is_none(self, emulator: Emulator) -> None:
        assert emulator.get("conversations", "unknown") is None
        assert emulator.get("unknown", CONVERSATION_ID) is None

    @pytest.mark.parametrize(
        ("identifier", "encoded"),
        [
            ("a/b", "a%2Fb"),
            ("50%", "50%25"),
            ("é 日", "%C3%A9%20%E6%97%A5"),
            ("a?b#c", "a%3Fb%23c"),
            ("a+b", "a+b"),
        ],
    )
    def test_a_percent_encoded_id_names_its_conversation(
        self, identifier: str, encoded: str
    ) -> None:
        held = {"id": identifier, "locationId": "l", "contactId": "c", "deleted": False}
        emulator = Emulator(tokens=[TOKEN], conversations=[held])
        status, answer = ask(
            emulator, {"locationId": "l", "starred": True}, target=f"/conversations/{encoded}"
        )
        assert (status, answer["conversation"]["id"]) == (200, identifier)

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_scheme_s_case_does_not_matter(self, emulator: Emulator, scheme: str) -> None:
        assert ask(emulator, authorization=f"{scheme} {TOKEN}")[0] == 200

    def test_a_content_type_with_a_charset_is_json_too(self, emulator: Emulator) -> None:
        assert ask(emulator, content_type="Application/JSON; charset=utf-8")[0] == 200

    def test_a_query_is_no_part_of_the_id(self, emulator: Emulator) -> None:
        assert ask(emulator, target=f"{TARGET}?a=b")[0] == 200


class TestRefusals:
    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            TOKEN,
            "Bearer",
            "Bearer ",
            f"Bearer  {TOKEN}",
            f"Basic {TOKEN}",
            "Bearer unknown",
        ],
        ids=[
            "missing",
            "empty",
            "no scheme",
            "no token",
            "empty token",
            "two blanks",
            "wrong scheme",
            "unknown",
        ],
    )
    def test_who_has_no_token_that_is_known_gets_401_in_the_page_s_words(
        self, emulator: Emulator, authorization: str | None
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        data = {"locationId": LOCATION_ID, "unreadCount": 9}
        if authorization is None:
            status, answer = ask(emulator, data, without="authorization")
        else:
            status, answer = ask(emulator, data, authorization=authorization)
        assert status == 401
        message = "Invalid token: access token is invalid"
        assert answer == {"statusCode": 401, "message": message, "error": "Unauthorized"}
        assert emulator.get("conversations", CONVERSATION_ID) == before

    @pytest.mark.parametrize("version", ["", "2021-04-15", "v3", "2021-07-28 "])
    def test_an_unknown_version_gets_400(self, emulator: Emulator, version: str) -> None:
        status, answer = ask(emulator, version=version)
        assert answer == {
            "statusCode": 400,
            "message": "Version in the header is not a documented value",
        }
        assert status == 400

    def test_a_missing_version_gets_400(self, emulator: Emulator) -> None:
        status, answer = ask(emulator, without="version")
        assert answer == {"statusCode": 400, "message": "Version is missing in the header"}
        assert status == 400

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"starred=true",
            b"\xff{}",
            b'{"unreadCount": NaN}',
            b'{"unreadCount": 1e999}',
            b"[" * 100_000,
        ],
        ids=["empty", "cut", "a form", "no UTF-8", "NaN", "infinite", "too deep"],
    )
    def test_a_body_that_is_no_json_gets_400(self, emulator: Emulator, body: bytes) -> None:
        assert ask(emulator, body=body) == (
            400,
            {"statusCode": 400, "message": "the body is not JSON"},
        )

    @pytest.mark.parametrize(
        "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded"]
    )
    def test_another_content_type_gets_400(
        self, emulator: Emulator, content_type: str | None
    ) -> None:
        answer = (
            ask(emulator, without="content-type")
            if content_type is None
            else ask(emulator, content_type=content_type)
        )
        assert answer == (
            400,
            {"statusCode": 400, "message": "the content type must be application/json"},
        )

    @pytest.mark.parametrize(
        "identifier", ["unknown", CONVERSATION_ID.lower(), "%FF", "%2E%2E", "a%2Fb"]
    )
    def test_an_unknown_conversation_gets_400(self, emulator: Emulator, identifier: str) -> None:
        status, answer = ask(emulator, target=f"/conversations/{identifier}")
        assert status == 400
        assert set(answer) == {"statusCode", "message"}

    def test_a_conversation_of_another_location_gets_400_and_stays_as_it_is(
        self, emulator: Emulator
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, answer = ask(emulator, {"locationId": "another", "starred": False})
        assert status == 400
        assert "locationId" in answer["message"]
        assert emulator.get("conversations", CONVERSATION_ID) == before

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("unreadCount", "3", "number"),
            ("unreadCount", True, "number"),
            ("unreadCount", None, "number"),
            ("starred", 1, "boolean"),
            ("starred", "true", "boolean"),
            ("feedback", [], "object"),
            ("feedback", "good", "object"),
            ("locationId", 5, "string"),
        ],
    )
    def test_a_value_of_another_type_gets_422_that_names_it(
        self, emulator: Emulator, name: str, value: object, expected: str
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, answer = ask(emulator, {"locationId": LOCATION_ID, name: value})
        assert (status, answer["statusCode"], answer["error"]) == (422, 422, "Unprocessable Entity")
        assert answer["message"] == [f'{name}: {json.dumps(value)} is not of type "{expected}"']
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_every_violation_is_in_the_one_message(self, emulator: Emulator) -> None:
        status, answer = ask(emulator, {"unreadCount": "3", "starred": 1, "feedback": []})
        assert status == 422
        assert answer["message"] == [
            '"locationId" is a required property',
            'feedback: [] is not of type "object"',
            'starred: 1 is not of type "boolean"',
            'unreadCount: "3" is not of type "number"',
        ]

    @pytest.mark.parametrize("data", [[], "text", 1, True])
    def test_a_body_that_is_no_object_gets_422(self, emulator: Emulator, data: object) -> None:
        assert ask(emulator, data)[0] == 422
        assert ask(emulator, body=b"null")[0] == 422

    @pytest.mark.parametrize(
        "target", ["/", "/conversations", "/conversations/", f"{TARGET}/", f"{TARGET}/messages", ""]
    )
    @pytest.mark.parametrize("method", ["PUT", "GET"])
    def test_a_path_that_the_spec_lacks_gets_404(
        self, emulator: Emulator, method: str, target: str
    ) -> None:
        status, answer = ask(emulator, method=method, target=target)
        assert answer == {
            "statusCode": 404,
            "message": f"Cannot {method} {target}",
            "error": "Not Found",
        }
        assert status == 404

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "put", "BREW"])
    def test_a_method_that_the_spec_lacks_gets_405_with_those_it_has(
        self, emulator: Emulator, method: str
    ) -> None:
        response = emulator.respond(Request(method, TARGET, HEADERS, b"{}"))
        assert (response.status, response.headers["Allow"]) == (405, "PUT")
        assert checked(response)["message"] == f"Cannot {method} {TARGET}"


class TestTransport:
    def test_httpx_s_client_reaches_the_emulator(self, emulator: Emulator) -> None:
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="https://api.example"
        ) as client:
            response = client.put(
                TARGET, headers=HEADERS, json={"locationId": LOCATION_ID, "unreadCount": 3}
            )
        assert response.status_code == 200
        assert checked(response)["conversation"]["unreadCount"] == 3

    def test_httpx_s_async_client_reaches_the_emulator(self, emulator: Emulator) -> None:
        async def put() -> httpx.Response:
            transport = EmulatorTransport(emulator)
            async with httpx.AsyncClient(
                transport=transport, base_url="https://api.example"
            ) as client:
                return await client.put(
                    TARGET, headers=HEADERS, json={"locationId": LOCATION_ID, "unreadCount": 3}
                )

        response = asyncio.run(put())
        assert response.status_code == 200
        assert checked(response)["conversation"]["unreadCount"] == 3

    def test_an_encoded_id_and_a_refusal_s_headers_pass_through_httpx(self) -> None:
        held = {"id": "a/é", "locationId": "l", "contactId": "c", "deleted": False}
        emulator = Emulator(tokens=[TOKEN], conversations=[held])
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="https://api.example"
        ) as client:
            found = client.put(
                "/conversations/a%2F%C3%A9", headers=HEADERS, json={"locationId": "l"}
            )
            assert (found.status_code, checked(found)["conversation"]["id"]) == (200, "a/é")
            refused = client.get("/conversations/a%2F%C3%A9", headers=HEADERS)
            assert (refused.status_code, refused.headers["allow"]) == (405, "PUT")


class TestServer:
    def test_it_listens_on_loopback_only(self, server: Server) -> None:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)

    def test_an_update_over_the_socket_is_answered_and_kept(
        self, server: Server, emulator: Emulator
    ) -> None:
        with connected(server) as connection:
            status, answer = send(connection, {"unreadCount": 7})
        check(status, answer)
        assert (status, answer["conversation"]["unreadCount"]) == (200, 7)
        kept = emulator.get("conversations", CONVERSATION_ID)
        assert kept is not None
        assert kept["unreadCount"] == 7

    def test_a_connection_serves_many_requests_refused_ones_too(self, server: Server) -> None:
        with connected(server) as connection:
            assert send(connection)[0] == 200
            used = connection.sock
            assert used is not None
            for status, options in {
                400: {"headers": HEADERS | {"version": "v3"}},
                401: {"headers": HEADERS | {"authorization": "Bearer unknown"}},
                404: {"target": "/"},
                405: {"method": "POST"},
                422: {"data": {"starred": 1}},
                200: {},
            }.items():
                answered, data = send(connection, **cast("dict[str, Any]", options))
                check(answered, data)
                assert (answered, connection.sock) == (status, used)

    def test_a_method_without_a_name_in_the_standard_library_is_answered_too(
        self, server: Server
    ) -> None:
        with connected(server) as connection:
            connection.request("BREW", TARGET)
            response = connection.getresponse()
            assert (response.status, response.getheader("Allow")) == (405, "PUT")
            response.read()

    def test_an_answer_to_head_has_no_body_and_the_connection_goes_on(self, server: Server) -> None:
        with connected(server) as connection:
            connection.request("HEAD", TARGET)
            response = connection.getresponse()
            assert (response.status, response.read()) == (405, b"")
            assert send(connection)[0] == 200

    def test_many_clients_are_served_at_once(self, server: Server, emulator: Emulator) -> None:
        with connected(server) as waiting, connected(server) as other:
            waiting.connect()
            assert send(other, {"unreadCount": 1})[0] == 200
            assert send(waiting, {"unreadCount": 2})[0] == 200

    def test_a_body_larger_than_any_is_refused_and_the_connection_ends(
        self, server: Server
    ) -> None:
        with connected(server) as connection:
            connection.putrequest("PUT", TARGET)
            connection.putheader("Content-Length", str(10**9))
            connection.endheaders()
            assert connection.getresponse().status == 413
        with connected(server) as connection:
            assert send(connection)[0] == 200

    def test_nothing_is_left_behind_though_a_client_keeps_its_connection(
        self, emulator: Emulator
    ) -> None:
        before = set(threading.enumerate())
        with Server(emulator) as server:
            parts = urlsplit(server.url)
            address = (cast("str", parts.hostname), cast("int", parts.port))
            kept = http.client.HTTPConnection(*address, timeout=SECONDS)
            assert send(kept)[0] == 200
            idle = socket.create_connection(address, timeout=SECONDS)
        with closing(kept), closing(idle):
            assert set(threading.enumerate()) == before
            assert cast("socket.socket", kept.sock).recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address, timeout=SECONDS)

    def test_a_port_in_use_is_an_oserror(self, server: Server, emulator: Emulator) -> None:
        with pytest.raises(OSError, match="in use"):
            Server(emulator, port=cast("int", urlsplit(server.url).port))

    def test_two_servers_take_two_ports(self, server: Server) -> None:
        with Server(Emulator(tokens=["other"])) as other, connected(other) as connection:
            assert other.url != server.url
            assert send(connection)[0] == 401


PROGRAM = [sys.executable, "-m", "leadconnector_emulator"]


@contextmanager
def program(*arguments: str) -> Generator[subprocess.Popen[str]]:
    """The program in a process of its own, which ends with the block."""
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=ROOT / "tools",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def greeting(process: subprocess.Popen[str]) -> list[str]:
    """What the program prints first, up to the last line of curl's command."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.lstrip().startswith("-d "):
            break
    return lines


class TestProgram:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_serves_until_a_signal_and_ends_in_good_order(self, number: signal.Signals) -> None:
        with program("--port", "0") as process:
            assert re.fullmatch(
                r"The API is at http://127\.0\.0\.1:\d+ \(Ctrl-C ends it\)\. .*",
                greeting(process)[0],
            )
            process.send_signal(number)
            assert process.communicate(timeout=SECONDS) == ("", "")
            assert process.returncode == 0

    def test_it_ends_although_a_client_keeps_its_connection(self) -> None:
        with program("--port", "0") as process:
            url = cast("re.Match[str]", re.search(r"http://\S+", greeting(process)[0])).group()
            with closing(
                http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
            ) as connection:
                assert send(connection)[0] == 401
                process.send_signal(signal.SIGTERM)
                assert process.communicate(timeout=SECONDS) == ("", "")
                assert process.returncode == 0

    @pytest.mark.parametrize("token", ["emulator", "another.token"])
    def test_the_curl_line_that_it_prints_works(self, token: str) -> None:
        options = [] if token == "emulator" else ["--token", token]
        with program("--port", "0", *options) as process:
            lines = greeting(process)
            command = "\n".join(lines).partition("curl ")[2].replace("\\\n", "")
            words = ["curl", *shlex.split(command)]
            assert words[:3] == ["curl", "-X", "PUT"]
            flags, values = words[4::2], words[5::2]
            assert set(flags) == {"-H", "-d"}
            headers = dict(
                value.split(": ") for flag, value in zip(flags, values, strict=True) if flag == "-H"
            )
            body = dict(zip(flags, values, strict=True))["-d"]
            url = urlsplit(words[3])
            assert (
                f"  export LEADCONNECTOR_BASE_URL=http://{url.netloc} LEADCONNECTOR_TOKEN={token}"
                in lines
            )
            with closing(http.client.HTTPConnection(url.netloc, timeout=SECONDS)) as connection:
                connection.request("PUT", url.path, body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
            check(response.status, answer)
            assert (response.status, answer["conversation"]["starred"]) == (
                200,
                json.loads(body)["starred"],
            )
            process.terminate()
            assert process.communicate(timeout=SECONDS) == ("", "")

    def test_a_port_in_use_is_one_clear_line_and_status_2(self, server: Server) -> None:
        port = str(urlsplit(server.url).port)
        with program("--port", port) as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output) == (2, "")
        assert re.fullmatch(
            rf"leadconnector_emulator: port {port}: .*in use; --port 0 selects a free one\n", errors
        )

    @pytest.mark.parametrize("port", ["65536", "-1"])
    def test_a_port_that_is_none_is_one_clear_line_and_status_2(self, port: str) -> None:
        with program(f"--port={port}") as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
        assert f"port {port}" in errors

    def test_a_spec_that_is_not_there_is_one_clear_line_and_status_2(self, tmp_path: Path) -> None:
        with program("--port", "0", "--spec", str(tmp_path / "none.yaml")) as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
        assert "none.yaml" in errors
        assert "--port" not in errors
