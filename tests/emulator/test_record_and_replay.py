"""A record has no credentials, survives failures, and responds as the API did."""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import LeadConnector
from leadconnector_emulator import (
    Emulator,
    EmulatorTransport,
    Fault,
    RateLimits,
    Recorder,
    Replay,
    Request,
    Response,
    TokenEndpoint,
    ValidatingProxy,
)
from leadconnector_emulator import Server as EmulatorServer
from leadconnector_emulator.cli import main
from leadconnector_emulator.record import read_record
from leadconnector_emulator.redaction import REDACTED, Redaction

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.compression import gzipped

PATH = f"/conversations/{CONVERSATION_ID}"
JSON_HEADERS = {"content-type": "application/json"}
NO_CONTENT = Response(204, b"")


def put(body: object, target: str = PATH, **headers: str) -> Request:
    return Request("PUT", target, {**JSON_HEADERS, **headers}, json.dumps(body).encode())


def json_response(body: object, status: int = 200, **headers: str) -> Response:
    return Response(status, json.dumps(body).encode(), {**JSON_HEADERS, **headers})


def recorded(path: Path, *exchanges: tuple[Request, Response]) -> Path:
    with Recorder(path) as recorder:
        for request, response in exchanges:
            recorder.add(request, response)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


def test_a_replay_responds_as_the_api_did(file: Path) -> None:
    emulator = Emulator(tokens=[TOKEN])
    emulator.recorder = Recorder(file)
    example = emulator.example
    unread_counts = [3, 0, 7]

    def call(transport: EmulatorTransport, token: str) -> list[object]:
        results: list[object] = []
        with LeadConnector(token=token, transport=transport) as client:
            for count in unread_counts:
                updated = client.conversations.update_conversation(
                    example["id"], location_id=example["locationId"], unread_count=count
                )
                results.append(updated.to_dict())
        return results

    live_results = call(EmulatorTransport(emulator), TOKEN)
    emulator.recorder.close()

    replay = Replay(file)
    assert call(EmulatorTransport(replay), "another-token") == live_results
    assert TOKEN not in file.read_text()
    assert len(replay.exchanges) == 3


def test_the_proxy_records_the_exchanges_with_the_api(file: Path) -> None:
    body = {"locationId": LOCATION_ID, "starred": True}
    headers = {"Authorization": f"Bearer {TOKEN}", "Version": "2021-07-28"}
    with (
        EmulatorServer(Emulator(tokens=[TOKEN], create_missing=True)) as api,
        ValidatingProxy(api.url) as proxy,
        httpx.Client(transport=EmulatorTransport(proxy), base_url="http://proxy") as client,
    ):
        proxy.recorder = Recorder(file)
        live = client.put(PATH, json=body, headers=headers)
        proxy.recorder.close()

    with httpx.Client(
        transport=EmulatorTransport(Replay(file)), base_url="http://replay"
    ) as client:
        replayed = client.put(PATH, json=body)
    assert (replayed.status_code, replayed.json()) == (live.status_code, live.json())


def test_equal_requests_get_their_responses_in_order_and_the_last_one_again(file: Path) -> None:
    request = put({"a": 1})
    replay = Replay(recorded(file, *((request, json_response({"n": n})) for n in (1, 2))))

    assert [json.loads(replay.respond(request).body)["n"] for _ in range(4)] == [1, 2, 2, 2]
    replay.reset()
    assert json.loads(replay.respond(request).body) == {"n": 1}


def test_the_order_of_parameters_and_properties_does_not_matter(file: Path) -> None:
    replay = Replay(recorded(file, (put({"a": 1, "b": 2}, "/x?c=1&d=2"), NO_CONTENT)))

    request = put({"b": 2, "a": 1}, "/x?d=2&c=%31", authorization="Bearer another")
    assert replay.respond(request).status == 204


@pytest.mark.parametrize(
    ("request_", "nearest", "differences"),
    [
        (put({"a": 2}), f"line 1, is PUT {PATH}", "body"),
        (put({"a": 1}, f"{PATH}?x=1"), f"line 1, is PUT {PATH}", "query"),
        (Request("GET", PATH, {}), f"line 1, is PUT {PATH}", "method and body"),
        (Request("GET", "/label", {}), "line 2, is GET /labels", "path"),
    ],
)
def test_a_request_that_was_not_recorded_names_the_nearest(
    file: Path, request_: Request, nearest: str, differences: str
) -> None:
    labels = (Request("GET", "/labels", {}), NO_CONTENT)
    replay = Replay(recorded(file, (put({"a": 1}), NO_CONTENT), labels))

    response = replay.respond(request_)

    message = json.loads(response.body)["message"]
    assert response.status == 404
    assert response.headers["X-Emulator-Error"] == "not-recorded"
    assert message.startswith(f"The record has no exchange for {request_.method} {request_.target}")
    assert nearest in message
    assert f"its {differences} differs" in message


def test_repeated_headers_and_binary_bodies_are_kept(file: Path) -> None:
    response = Response(
        200,
        b"\x00\xff",
        {"Content-Type": "image/png", "Link": "a"},
        repeated_headers=(("Link", "b"),),
    )
    request = Request("GET", "/x", {}, b"\xff")

    replayed = Replay(recorded(file, (request, response))).respond(request)

    assert replayed == response


def test_a_compressed_body_is_recorded_as_it_reads(file: Path) -> None:
    body = gzipped(b'{"access_token": "secret-12345", "b": 1}')
    response = Response(200, body, {**JSON_HEADERS, "Content-Encoding": "gzip"})

    replayed = Replay(recorded(file, (Request("GET", "/x", {}), response))).respond(
        Request("GET", "/x", {})
    )

    assert json.loads(replayed.body) == {"access_token": REDACTED, "b": 1}
    assert "Content-Encoding" not in replayed.headers


def test_faults_apply_to_a_replay(file: Path) -> None:
    request = Request("GET", "/x", {})
    replay = Replay(recorded(file, (request, NO_CONTENT)), faults=[Fault(nth=1, status=503)])

    assert [replay.respond(request).status for _ in range(2)] == [503, 204]


def test_a_dropped_response_is_not_recorded(file: Path) -> None:
    emulator = Emulator(tokens=[TOKEN], faults=[Fault(nth=1, drop="before")])
    emulator.recorder = Recorder(file)
    for _ in range(2):
        emulator.respond(put({}))
    emulator.recorder.close()

    assert len(read_record(file)) == 1


class TestCredentials:
    def test_the_bodies_of_oauth_endpoints_have_no_tokens(self, file: Path) -> None:
        endpoint = TokenEndpoint(refresh_tokens={"refresh-12345": "location"})
        emulator = Emulator(tokens=[TOKEN], token_endpoint=endpoint)
        emulator.recorder = Recorder(file)
        form = "client_id=client&client_secret=client-secret&grant_type=refresh_token"
        form += "&refresh_token=refresh-12345&user_type=Location"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        response = emulator.respond(Request("POST", "/oauth/token", headers, form.encode()))
        emulator.recorder.close()

        content = json.loads(response.body)
        text = file.read_text()
        secrets = ["client-secret", "refresh-12345", content["access_token"]]
        assert [secret for secret in secrets if secret in text] == []
        (exchange,) = read_record(file)
        recorded_content = json.loads(exchange.response.body)
        assert recorded_content["access_token"] == REDACTED
        assert recorded_content["expires_in"] == content["expires_in"]
        # The replay finds it with other credentials.
        other_form = form.replace("refresh-12345", "other-token").replace("client-secret", "x")
        replayed = Replay(file).respond(
            Request("POST", "/oauth/token", headers, other_form.encode())
        )
        assert replayed.status == 200

    def test_a_code_is_a_credential_of_oauth_endpoints_only(self, file: Path) -> None:
        recorded(
            file,
            (put({"code": "code-12345"}, "/oauth/token"), json_response({"code": "x"})),
            (put({"code": "postal-12345"}), NO_CONTENT),
        )

        text = file.read_text()
        assert "code-12345" not in text
        assert "postal-12345" in text

    def test_the_keys_of_the_spec_are_credentials(self) -> None:
        redaction = Redaction(
            [
                {"type": "apiKey", "in": "header", "name": "X-Vendor-Key"},
                {"type": "apiKey", "in": "query", "name": "vendor_key"},
            ]
        )
        request = Request("GET", "/x?vendor_key=query-12345", {"x-vendor-key": "header-12345"})

        cleaned, _ = redaction.exchange(request, json_response({"echo": "header-12345"}))

        assert cleaned.headers == {"x-vendor-key": REDACTED}
        assert cleaned.target == f"/x?vendor_key={quote(REDACTED)}"

    SECRET = st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=',;"\\ '),
        min_size=12,
        max_size=20,
    ).filter(lambda text: text.strip("=") == text)

    # Without the prefix, the credential could be the name of a parameter.
    @given(secret=SECRET.map("5-{}".format), nested=st.integers(0, 3))
    def test_a_credential_is_removed_wherever_it_occurs(self, secret: str, nested: int) -> None:
        data: Any = {"refreshToken": secret, "text": f"a {secret} b"}
        for _ in range(nested):
            data = [{"data": data}]
        basic = base64.b64encode(f"user:{secret}".encode()).decode()
        request = Request(
            "PUT",
            f"/x/{quote(secret, safe='')}?a=1&access_token={quote(secret)}",
            {
                **JSON_HEADERS,
                "authorization": f"Basic {basic}",
                "cookie": f"s={secret}; t={secret}",
            },
            json.dumps(data).encode(),
        )
        headers = {"Set-Cookie": f"s={secret}; Path=/", "X-Echo": f"{secret} {quote(secret)}"}
        response = Response(
            200,
            f"<p>{secret}</p>".encode(),
            headers,
            repeated_headers=(("Set-Cookie", f"u={secret}"),),
        )

        clean_request, clean_response = Redaction().exchange(request, response)

        stored = repr(clean_request.headers) + repr(clean_response)
        stored += clean_request.body.decode() + clean_request.target
        assert secret not in stored
        assert quote(secret, safe="") not in stored
        assert basic not in stored


class TestFile:
    def test_only_the_owner_can_read_it(self, file: Path) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))

        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_several_recorders_share_a_file(self, file: Path) -> None:
        def run(number: int) -> None:
            request = put({"text": "x" * 20_000}, f"/{number}")
            recorded(file, *[(request, NO_CONTENT)] * 20)

        threads = [Thread(target=run, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(read_record(file)) == 80

    def test_a_full_disk_leaves_the_file_as_it_was(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = Recorder(file)
        recorder.add(Request("GET", "/x", {}), NO_CONTENT)
        complete = file.read_bytes()

        def write_a_part(descriptor: int, data: memoryview) -> int:
            if len(data) < 50:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(descriptor, data[:-40])

        real_write = os.write
        monkeypatch.setattr(os, "write", write_a_part)
        for _ in range(2):
            recorder.add(Request("GET", "/y", {}), NO_CONTENT)
        monkeypatch.undo()

        assert file.read_bytes() == complete
        assert caplog.text.count("No space left on device") == 1
        recorder.add(Request("GET", "/z", {}), NO_CONTENT)
        recorder.close()
        assert [exchange.request.path for exchange in read_record(file)] == ["/x", "/z"]

    def test_an_incomplete_line_is_named_before_anything_is_appended(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))
        with file.open("a") as lines:
            lines.write('{"form": 1')
        content = file.read_bytes()

        with pytest.raises(ValueError, match=r"record\.jsonl:2: the line is incomplete"):
            Recorder(file)
        assert main(["--port", "0", "--record", str(file)]) == 2
        assert "record.jsonl:2: the line is incomplete" in capsys.readouterr().err
        assert file.read_bytes() == content

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("{", "it is not JSON"),
            ("[]", "it is no object"),
            ("{}", "its `form` is not 1"),
            ('{"form": 1}', "it has no 'request'"),
            ('{"form": 1, "request": 5, "response": {}}', "its `request` is no object"),
            (None, "its `status` is no final status code"),
            ("\ufffd" * 3 + "\x00", "it is not JSON"),
        ],
    )
    def test_a_broken_line_is_an_error_with_its_number(
        self, file: Path, line: str | None, reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))
        if line is None:
            line = file.read_text().replace("204", "99").strip()
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"\n{line}\n")

        with pytest.raises(ValueError, match=r"record\.jsonl:3: is no recorded exchange"):
            Replay(file)
        assert main(["--port", "0", "--replay", str(file)]) == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1

    def test_an_empty_record_is_an_error(self, file: Path) -> None:
        file.touch()

        with pytest.raises(ValueError, match="contains no exchange"):
            Replay(file)

    @given(content=st.binary(max_size=60))
    def test_any_other_file_is_an_error(
        self, content: bytes, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "any.jsonl"
        path.write_bytes(content)

        with pytest.raises(ValueError, match=r"any\.jsonl"):
            read_record(path)


def test_recording_needs_no_rate_limit_and_no_state(file: Path) -> None:
    emulator = Emulator(tokens=[TOKEN], rate_limits=RateLimits(burst=1))
    emulator.recorder = Recorder(file)
    headers = {"authorization": f"Bearer {TOKEN}", "version": "2021-07-28"}
    request = put({"locationId": LOCATION_ID}, **headers)
    statuses = [emulator.respond(request).status for _ in range(2)]
    emulator.recorder.close()

    replay = Replay(file)
    assert statuses[1] == 429
    assert [replay.respond(request).status for _ in range(2)] == statuses
