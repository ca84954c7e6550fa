"""The emulator in process, through httpx and over a socket: responses match the spec."""

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

SPEC = ROOT / "spec" / "openapi.yaml"

SECONDS = 20
"""The timeout of each step: a bound, so that no test hangs."""

HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "version": "2021-07-28",
    "content-type": "application/json",
}
TARGET = f"/conversations/{CONVERSATION_ID}"


def call(
    emulator: Emulator,
    data: object = None,
    *,
    method: str = "PUT",
    target: str = TARGET,
    body: bytes | None = None,
    without: str = "",
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    """Send a valid request with the given changes.

    Returns the status and the content of the response, which is checked against the spec.
    """
    all_headers = dict(HEADERS)
    for name, value in headers.items():
        all_headers[name.replace("_", "-")] = value
    all_headers.pop(without, None)
    if body is None:
        if data is None:
            data = {"locationId": LOCATION_ID}
        body = json.dumps(data).encode()
    response = emulator.respond(Request(method, target, all_headers, body))
    return response.status, checked_content(response)


def checked_content(response: Response | httpx.Response) -> dict[str, Any]:
    """The content of a response, after a check against the spec's schema for its status."""
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    if isinstance(response, Response):
        status = response.status
        body = response.body
    else:
        status = response.status_code
        body = response.content
    content = cast("dict[str, Any]", json.loads(body))
    check(status, content)
    return content


def check(status: int, content: object) -> None:
    """Check the content of a response against the spec, if it documents the status."""
    spec: dict[str, Any] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    responses = spec["paths"]["/conversations/{conversationId}"]["put"]["responses"]
    if str(status) in responses:
        schema = responses[str(status)]["content"]["application/json"]["schema"]
        validator: Any = Draft202012Validator({**schema, "components": spec["components"]})
        validator.validate(content)


def send(
    connection: http.client.HTTPConnection,
    data: object = None,
    *,
    method: str = "PUT",
    target: str = TARGET,
    headers: Mapping[str, str] = HEADERS,
) -> tuple[int, Any]:
    """Send a request over a socket with the standard library's client."""
    request_body = json.dumps({"locationId": LOCATION_ID, **cast("Any", data or {})})
    connection.request(method, target, request_body, dict(headers))
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
    def test_an_update_returns_the_documented_response(self, emulator: Emulator) -> None:
        status, content = call(
            emulator, {"locationId": LOCATION_ID, "unreadCount": 7, "starred": False}
        )
        assert status == 200
        assert content["success"] is True
        conversation = content["conversation"]
        assert (conversation["id"], conversation["unreadCount"], conversation["starred"]) == (
            CONVERSATION_ID,
            7,
            False,
        )

    def test_the_example_conversation_exists_from_the_start(self, emulator: Emulator) -> None:
        _, content = call(emulator)
        assert content["conversation"] == dict(emulator.example)
        assert content["conversation"]["lastMessageBody"] == "Hello, this is the message body"

    def test_an_update_is_stored(self, emulator: Emulator) -> None:
        call(emulator, {"locationId": LOCATION_ID, "unreadCount": 7, "feedback": {"rating": 5}})
        stored = emulator.get("conversations", CONVERSATION_ID)
        assert stored is not None
        assert (stored["unreadCount"], stored["feedback"]) == (7, {"rating": 5})
        _, later = call(emulator)
        assert later["conversation"]["unreadCount"] == 7

    def test_omitted_properties_do_not_change(self, emulator: Emulator) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        assert before is not None
        call(emulator, {"locationId": LOCATION_ID, "unreadCount": 7})
        assert emulator.get("conversations", CONVERSATION_ID) == {**before, "unreadCount": 7}

    def test_undocumented_properties_are_ignored(self, emulator: Emulator) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, _ = call(
            emulator, {"locationId": LOCATION_ID, "id": "another", "contactId": 7, "new": "\ud800"}
        )
        assert status == 200
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_get_returns_a_copy(self, emulator: Emulator) -> None:
        call(emulator, {"locationId": LOCATION_ID, "feedback": {"rating": 5}})
        for _ in range(2):
            stored = emulator.get("conversations", CONVERSATION_ID)
            assert stored is not None
            assert stored["feedback"] == {"rating": 5}
            stored["feedback"]["rating"] = 1

    def test_put_stores_a_copy(self, emulator: Emulator) -> None:
        resource: dict[str, Any] = {"id": "c", "locationId": "l", "feedback": {"rating": 5}}
        emulator.put("conversations", resource)
        resource["feedback"]["rating"] = 1
        stored = emulator.get("conversations", "c")
        assert stored is not None
        assert stored["feedback"] == {"rating": 5}

    @pytest.mark.parametrize("text", ["é 日本 🙂", "\ud800", '"\\\n\x00'])
    def test_any_json_text_is_returned_unchanged(self, emulator: Emulator, text: str) -> None:
        emulator.put("conversations", {**emulator.example, "lastMessageBody": text})
        assert call(emulator)[1]["conversation"]["lastMessageBody"] == text

    def test_a_missing_resource_is_none(self, emulator: Emulator) -> None:
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
    def test_a_percent_encoded_id_is_decoded(self, identifier: str, encoded: str) -> None:
        resource = {"id": identifier, "locationId": "l", "contactId": "c", "deleted": False}
        emulator = Emulator(tokens=[TOKEN], conversations=[resource])
        status, content = call(
            emulator, {"locationId": "l", "starred": True}, target=f"/conversations/{encoded}"
        )
        assert (status, content["conversation"]["id"]) == (200, identifier)

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_case_of_the_scheme_is_ignored(self, emulator: Emulator, scheme: str) -> None:
        assert call(emulator, authorization=f"{scheme} {TOKEN}")[0] == 200

    def test_a_charset_in_the_content_type_is_accepted(self, emulator: Emulator) -> None:
        assert call(emulator, content_type="Application/JSON; charset=utf-8")[0] == 200

    def test_a_query_is_not_part_of_the_id(self, emulator: Emulator) -> None:
        assert call(emulator, target=f"{TARGET}?a=b")[0] == 200


class TestErrors:
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
    def test_a_missing_or_unknown_token_returns_401_with_the_documented_message(
        self, emulator: Emulator, authorization: str | None
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        data = {"locationId": LOCATION_ID, "unreadCount": 9}
        if authorization is None:
            status, content = call(emulator, data, without="authorization")
        else:
            status, content = call(emulator, data, authorization=authorization)
        assert status == 401
        message = "Invalid token: access token is invalid"
        assert content == {"statusCode": 401, "message": message, "error": "Unauthorized"}
        assert emulator.get("conversations", CONVERSATION_ID) == before

    @pytest.mark.parametrize("version", ["", "2021-04-15", "v3", "2021-07-28 "])
    def test_an_unpublished_version_returns_401_with_the_message_of_the_live_api(
        self, emulator: Emulator, version: str
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, content = call(
            emulator, {"locationId": LOCATION_ID, "unreadCount": 9}, version=version
        )
        assert content == {
            "statusCode": 401,
            "message": "version header is invalid",
            "error": "Unauthorized",
        }
        assert status == 401
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_a_missing_version_returns_401_with_the_message_of_the_live_api(
        self, emulator: Emulator
    ) -> None:
        status, content = call(emulator, without="version")
        assert content == {
            "statusCode": 401,
            "message": "version header was not found.",
            "error": "Unauthorized",
        }
        assert status == 401

    @pytest.mark.parametrize("version", ["", "2021-04-15", "v3", "2021-07-28 "])
    def test_an_unpublished_version_returns_400_by_option(self, version: str) -> None:
        status, content = call(Emulator(tokens=[TOKEN], version_status=400), version=version)
        assert content == {
            "statusCode": 400,
            "message": "Version in the header is not a documented value",
        }
        assert status == 400

    def test_a_missing_version_returns_400_by_option(self) -> None:
        emulator = Emulator(tokens=[TOKEN], version_status=400)
        status, content = call(emulator, without="version")
        assert content == {"statusCode": 400, "message": "Version is missing in the header"}
        assert status == 400

    @pytest.mark.parametrize("status", [401, 400])
    @pytest.mark.parametrize("version", ["2021-04-15", "2021-07-28", "2023-02-21", "v3"])
    def test_additional_versions_are_accepted_besides_the_one_of_the_spec(
        self, version: str, status: Any
    ) -> None:
        emulator = Emulator(
            tokens=[TOKEN],
            additional_versions=["2021-04-15", "2023-02-21", "v3"],
            version_status=status,
        )
        assert call(emulator, version=version)[0] == 200
        assert call(emulator, version="v4")[0] == status

    @pytest.mark.parametrize("status", [403, 200, True, "401"])
    def test_another_version_status_raises_valueerror(self, status: Any) -> None:
        with pytest.raises(ValueError, match="version_status must be 400 or 401"):
            Emulator(version_status=status)

    @pytest.mark.parametrize("option", ["additional_versions", "required_scopes"])
    def test_one_string_instead_of_a_collection_raises_typeerror(self, option: str) -> None:
        options: dict[str, Any] = {option: "v3"}
        with pytest.raises(TypeError, match=option):
            Emulator(**options)

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
        ids=["empty", "cut", "form", "not UTF-8", "NaN", "infinite", "too deep"],
    )
    def test_a_body_that_is_not_json_returns_400(self, emulator: Emulator, body: bytes) -> None:
        assert call(emulator, body=body) == (
            400,
            {"statusCode": 400, "message": "the body is not JSON"},
        )

    @pytest.mark.parametrize(
        "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded"]
    )
    def test_another_content_type_returns_400(
        self, emulator: Emulator, content_type: str | None
    ) -> None:
        if content_type is None:
            result = call(emulator, without="content-type")
        else:
            result = call(emulator, content_type=content_type)
        assert result == (
            400,
            {"statusCode": 400, "message": "the content type must be application/json"},
        )

    @pytest.mark.parametrize(
        "identifier", ["unknown", CONVERSATION_ID.lower(), "%FF", "%2E%2E", "a%2Fb"]
    )
    def test_an_unknown_conversation_returns_400(self, emulator: Emulator, identifier: str) -> None:
        status, content = call(emulator, target=f"/conversations/{identifier}")
        assert status == 400
        assert set(content) == {"statusCode", "message"}

    def test_another_location_returns_400_and_changes_nothing(self, emulator: Emulator) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, content = call(emulator, {"locationId": "another", "starred": False})
        assert status == 400
        assert "locationId" in content["message"]
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
    def test_a_value_of_another_type_returns_422_with_its_place(
        self, emulator: Emulator, name: str, value: object, expected: str
    ) -> None:
        before = emulator.get("conversations", CONVERSATION_ID)
        status, content = call(emulator, {"locationId": LOCATION_ID, name: value})
        assert (status, content["statusCode"], content["error"]) == (
            422,
            422,
            "Unprocessable Entity",
        )
        assert content["message"] == [f'{name}: {json.dumps(value)} is not of type "{expected}"']
        assert emulator.get("conversations", CONVERSATION_ID) == before

    def test_every_violation_is_reported_in_one_response(self, emulator: Emulator) -> None:
        status, content = call(emulator, {"unreadCount": "3", "starred": 1, "feedback": []})
        assert status == 422
        assert content["message"] == [
            '"locationId" is a required property',
            'feedback: [] is not of type "object"',
            'starred: 1 is not of type "boolean"',
            'unreadCount: "3" is not of type "number"',
        ]

    @pytest.mark.parametrize("data", [[], "text", 1, True])
    def test_a_body_that_is_not_an_object_returns_422(
        self, emulator: Emulator, data: object
    ) -> None:
        assert call(emulator, data)[0] == 422
        assert call(emulator, body=b"null")[0] == 422

    @pytest.mark.parametrize(
        "target", ["/", "/conversations", "/conversations/", f"{TARGET}/", f"{TARGET}/messages", ""]
    )
    @pytest.mark.parametrize("method", ["PUT", "GET"])
    def test_an_undocumented_path_returns_404(
        self, emulator: Emulator, method: str, target: str
    ) -> None:
        status, content = call(emulator, method=method, target=target)
        assert content == {
            "statusCode": 404,
            "message": f"Cannot {method} {target}",
            "error": "Not Found",
        }
        assert status == 404

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "put", "BREW"])
    def test_an_undocumented_method_returns_405_with_the_allowed_methods(
        self, emulator: Emulator, method: str
    ) -> None:
        response = emulator.respond(Request(method, TARGET, HEADERS, b"{}"))
        assert (response.status, response.headers["Allow"]) == (405, "PUT")
        assert checked_content(response)["message"] == f"Cannot {method} {TARGET}"


class TestTransport:
    def test_an_httpx_client_reaches_the_emulator(self, emulator: Emulator) -> None:
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="https://api.example"
        ) as client:
            response = client.put(
                TARGET, headers=HEADERS, json={"locationId": LOCATION_ID, "unreadCount": 3}
            )
        assert response.status_code == 200
        assert checked_content(response)["conversation"]["unreadCount"] == 3

    def test_an_async_httpx_client_reaches_the_emulator(self, emulator: Emulator) -> None:
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
        assert checked_content(response)["conversation"]["unreadCount"] == 3

    def test_an_encoded_id_and_error_headers_pass_through_httpx(self) -> None:
        resource = {"id": "a/é", "locationId": "l", "contactId": "c", "deleted": False}
        emulator = Emulator(tokens=[TOKEN], conversations=[resource])
        with httpx.Client(
            transport=EmulatorTransport(emulator), base_url="https://api.example"
        ) as client:
            accepted = client.put(
                "/conversations/a%2F%C3%A9", headers=HEADERS, json={"locationId": "l"}
            )
            assert (accepted.status_code, checked_content(accepted)["conversation"]["id"]) == (
                200,
                "a/é",
            )
            rejected = client.get("/conversations/a%2F%C3%A9", headers=HEADERS)
            assert (rejected.status_code, rejected.headers["allow"]) == (405, "PUT")


class TestServer:
    def test_it_listens_on_loopback_only(self, server: Server) -> None:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)

    def test_an_update_over_the_socket_is_stored(self, server: Server, emulator: Emulator) -> None:
        with connected(server) as connection:
            status, content = send(connection, {"unreadCount": 7})
        check(status, content)
        assert (status, content["conversation"]["unreadCount"]) == (200, 7)
        stored = emulator.get("conversations", CONVERSATION_ID)
        assert stored is not None
        assert stored["unreadCount"] == 7

    def test_a_connection_serves_many_requests_after_errors_too(self, server: Server) -> None:
        with connected(server) as connection:
            assert send(connection)[0] == 200
            first_socket = connection.sock
            assert first_socket is not None
            for status, options in {
                400: {"headers": HEADERS | {"content-type": "text/plain"}},
                401: {"headers": HEADERS | {"authorization": "Bearer unknown"}},
                404: {"target": "/"},
                405: {"method": "POST"},
                422: {"data": {"starred": 1}},
                200: {},
            }.items():
                actual_status, content = send(connection, **cast("dict[str, Any]", options))
                check(actual_status, content)
                assert (actual_status, connection.sock) == (status, first_socket)

    def test_an_unknown_method_gets_a_response(self, server: Server) -> None:
        with connected(server) as connection:
            connection.request("BREW", TARGET)
            response = connection.getresponse()
            assert (response.status, response.getheader("Allow")) == (405, "PUT")
            response.read()

    def test_a_response_to_head_has_no_body_and_the_connection_stays_open(
        self, server: Server
    ) -> None:
        with connected(server) as connection:
            connection.request("HEAD", TARGET)
            response = connection.getresponse()
            assert (response.status, response.read()) == (405, b"")
            assert send(connection)[0] == 200

    def test_several_clients_are_served_at_once(self, server: Server, emulator: Emulator) -> None:
        with connected(server) as idle, connected(server) as active:
            idle.connect()
            assert send(active, {"unreadCount": 1})[0] == 200
            assert send(idle, {"unreadCount": 2})[0] == 200

    def test_a_body_that_is_too_large_returns_413_and_ends_the_connection(
        self, server: Server
    ) -> None:
        with connected(server) as connection:
            connection.putrequest("PUT", TARGET)
            connection.putheader("Content-Length", str(10**9))
            connection.endheaders()
            assert connection.getresponse().status == 413
        with connected(server) as connection:
            assert send(connection)[0] == 200

    def test_closing_ends_the_thread_and_the_open_connections(self, emulator: Emulator) -> None:
        before = set(threading.enumerate())
        with Server(emulator) as server:
            parts = urlsplit(server.url)
            address = (cast("str", parts.hostname), cast("int", parts.port))
            open_connection = http.client.HTTPConnection(*address, timeout=SECONDS)
            assert send(open_connection)[0] == 200
            idle = socket.create_connection(address, timeout=SECONDS)
        with closing(open_connection), closing(idle):
            assert set(threading.enumerate()) == before
            assert cast("socket.socket", open_connection.sock).recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address, timeout=SECONDS)

    def test_a_port_in_use_raises_oserror(self, server: Server, emulator: Emulator) -> None:
        with pytest.raises(OSError, match="in use"):
            Server(emulator, port=cast("int", urlsplit(server.url).port))

    def test_two_servers_use_different_ports(self, server: Server) -> None:
        second_emulator = Emulator(tokens=["other"])
        with Server(second_emulator) as second, connected(second) as connection:
            assert second.url != server.url
            assert send(connection)[0] == 401


PROGRAM = [sys.executable, "-m", "leadconnector_emulator"]


@contextmanager
def program(*arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run the command line in another process, which ends with the block."""
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
    """The lines that the program prints first, up to the end of the curl command."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.lstrip().startswith("-d "):
            break
    return lines


class TestProgram:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_serves_until_a_signal_and_exits_with_0(self, number: signal.Signals) -> None:
        with program("--port", "0") as process:
            assert re.fullmatch(
                r"The API is at http://127\.0\.0\.1:\d+ \(Ctrl-C ends it\)\. .*",
                greeting(process)[0],
            )
            process.send_signal(number)
            assert process.communicate(timeout=SECONDS) == ("", "")
            assert process.returncode == 0

    def test_it_exits_although_a_connection_is_open(self) -> None:
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
    def test_the_printed_curl_command_works(self, token: str) -> None:
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
                content = json.loads(response.read())
            check(response.status, content)
            assert (response.status, content["conversation"]["starred"]) == (
                200,
                json.loads(body)["starred"],
            )
            process.terminate()
            assert process.communicate(timeout=SECONDS) == ("", "")

    def test_a_port_in_use_is_one_error_line_and_status_2(self, server: Server) -> None:
        port = str(urlsplit(server.url).port)
        with program("--port", port) as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output) == (2, "")
        assert re.fullmatch(
            rf"leadconnector_emulator: port {port}: .*in use; --port 0 selects a free one\n", errors
        )

    @pytest.mark.parametrize("port", ["65536", "-1"])
    def test_an_invalid_port_is_one_error_line_and_status_2(self, port: str) -> None:
        with program(f"--port={port}") as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
        assert f"port {port}" in errors

    def test_a_missing_spec_is_one_error_line_and_status_2(self, tmp_path: Path) -> None:
        with program("--port", "0", "--spec", str(tmp_path / "none.yaml")) as process:
            output, errors = process.communicate(timeout=SECONDS)
        assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
        assert "none.yaml" in errors
        assert "--port" not in errors
