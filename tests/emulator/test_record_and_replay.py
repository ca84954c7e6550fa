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
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import LeadConnector, MemoryTokenStore, OAuth, Tokens
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
from leadconnector_emulator.log_redaction import visible_headers, visible_target
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
        (put({"a": 2}), f"line 1, is PUT {PATH}", "body differs"),
        (put({"a": 1}, f"{PATH}?x=1"), f"line 1, is PUT {PATH}", "query differs"),
        (Request("GET", PATH, {}), f"line 1, is PUT {PATH}", "method and body differ"),
        (
            Request("GET", f"{PATH}?x=1", {}),
            f"line 1, is PUT {PATH}",
            "method, query and body differ",
        ),
        (Request("GET", "/label", {}), "line 2, is GET /labels", "path differs"),
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
    assert f"its {differences}." in message


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
        assert cleaned.target == f"/x?vendor_key={REDACTED}"

    SECRET = st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=',;"\\ '),
        min_size=14,
        max_size=24,
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


SECRET = "rf/39Cab-credential.of_ours"
"""A long credential, with a character that JSON may escape."""


def stored(request: Request, response: Response = NO_CONTENT) -> str:
    """Everything that is stored of an exchange."""
    clean_request, clean_response = Redaction().exchange(request, response)
    return repr(clean_request) + repr(clean_response)


class TestUrls:
    @pytest.mark.parametrize("name", ["Location", "Content-Location", "Referer", "Refresh", "Link"])
    @pytest.mark.parametrize(
        "url",
        [
            "http://localhost:8976/oauth/callback?code=CODE&state=STATE",
            "/callback#access_token=CODE&state=STATE&code=x",
            "/callback?a=b&id_token=CODE",
            "/login?next=%2Fcallback%3Fcode%3DCODE%26state%3DSTATE",
            "/login?next=/callback?code=CODE&state=STATE",
            "https://user:CODE@api.test/x?code=CODE",
            "<https://api.test/x?code=CODE&state=STATE>; rel=next",
            "0; url=/x?token=CODE",
        ],
    )
    @pytest.mark.parametrize("code", ["c0d", SECRET])
    def test_the_urls_in_headers_have_no_credentials(self, name: str, url: str, code: str) -> None:
        value = url.replace("CODE", quote(code, safe="")).replace("STATE", "5tate")
        request = Request("GET", "/x", {name.lower(): value})
        response = Response(302, b"", {name: value}, repeated_headers=((name, value),))

        text = stored(request, response)
        shown = repr(visible_headers(request, response.headers))
        for place in (text, shown):
            assert code not in place
            assert quote(code, safe="") not in place
            assert "5tate" not in place

    def test_the_code_of_a_redirect_is_removed_from_the_body(self) -> None:
        url = f"http://localhost:8976/callback?code={quote(SECRET)}&state=state-of-the-application"
        body = f'<a href="{url.replace("&", "&amp;")}">Found</a> {SECRET}'

        text = stored(Request("GET", "/x", {}), Response(302, body.encode(), {"Location": url}))

        assert SECRET not in text
        assert quote(SECRET) not in text
        assert "state-of-the-application" not in text

    def test_a_link_to_the_next_page_stays_as_it_is(self, file: Path) -> None:
        link = "</x?state=open&page=2>; rel=next"
        request = Request("GET", "/x?state=open", {})
        response = Response(200, b"", {"Link": link})

        replay = Replay(recorded(file, (request, response)))

        assert replay.respond(request) == response
        assert replay.respond(Request("GET", "/x?state=closed", {})).status == 404

    def test_the_emulator_records_no_authorization_code(self, file: Path) -> None:
        endpoint = TokenEndpoint(client_id="client")
        emulator = Emulator(tokens=[TOKEN], token_endpoint=endpoint)

        def approve(emulator: Emulator, state: str) -> str:
            fields = {
                "response_type": "code",
                "client_id": "client",
                "redirect_uri": "http://localhost:8976/oauth/callback",
                "scope": "conversations.write",
                "state": state,
                "decision": "approve",
                "choice": "agency",
            }
            headers = {"content-type": "application/x-www-form-urlencoded"}
            body = urlencode(fields).encode()
            request = Request("POST", "/oauth/chooselocation", headers, body)
            return emulator.respond(request).headers["Location"]

        with Recorder(file) as recorder:
            emulator.recorder = recorder
            live = dict(parse_qsl(urlsplit(approve(emulator, "state-1")).query))
        assert live["state"] == "state-1"
        assert live["code"] not in file.read_text()
        assert "state-1" not in file.read_text()
        # A client rejects a redirect without the state that it sent.
        replayed = dict(parse_qsl(urlsplit(approve(Replay(file), "state&2")).query))
        assert replayed == {"code": REDACTED, "state": "state&2"}


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["X-Access-Token", "x-goog-api-key", "token", "X-ApiKey", "X-Client-Secret", "X-Auth-Key"],
    )
    def test_the_headers_that_the_log_hides_are_not_stored(self, name: str) -> None:
        request = Request("GET", "/x", {name.lower(): SECRET})
        response = Response(200, SECRET.encode(), {name: "another-credential"})

        text = stored(request, response)
        assert SECRET not in text
        assert "another-credential" not in text
        assert SECRET not in repr(visible_headers(request, request.headers))

    @pytest.mark.parametrize(
        "query",
        [
            "token=CODE",
            "code=CODE&state=CODE",
            "x=1&access-token=CODE",
            "apiKey=CODE",
            "a=1&jwt=CODE",
        ],
    )
    def test_the_queries_that_the_log_hides_are_not_stored(self, query: str) -> None:
        request = Request("GET", f"/x?{query.replace('CODE', 'c0d3')}", {})

        assert "c0d3" not in stored(request)
        assert "c0d3" not in visible_target(request)

    BODIES = (
        '\ufeff{"refresh_token": "SECRET"}',
        '{"refresh_token": "SECRET", "ratio": NaN}',
        '{"refresh_token": "SECRET", "name": "cut',
        '{"name": "x", "refresh_token": "SECRET',
        '{"refresh_token": "SECRET"}\n{"name": "x"}\n',
        '{"name": "x"}\n{"refresh_token": "SECRET"}',
        '--x\r\nContent-Disposition: form-data; name="refresh_token"\r\n\r\nSECRET\r\n--x--',
        "--x\r\nContent-Disposition: form-data; name=password\r\n\r\nSECRET\r\n--x--",
        'data: {"token": "SECRET"}\n\n',
        "name,refresh_token\nx,SECRET",
        "refresh_token=SECRET&a=b",
        "client_secret: SECRET",
        "<x><accessToken>SECRET</accessToken></x>",
        '{"payload": "{\\"refresh_token\\": \\"SECRET\\"}"}',
        '{"refresh_token": "SECRET", "refresh_token": null}',
        '{"redirect": "https://app.test/callback?code=SECRET&x=1"}',
        '{"user[password]": "SECRET", "new_password": "SECRET"}',
        '{"refresh_token": "SECRET\\ud800"}',
    )

    @pytest.mark.parametrize("body", BODIES)
    @pytest.mark.parametrize("secret", ["5-cr3t", SECRET])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
    def test_a_credential_in_any_kind_of_body_is_removed(
        self, body: str, secret: str, encoding: str
    ) -> None:
        content = body.replace("SECRET", secret).encode(encoding)
        request = Request("PUT", "/x", {"content-type": "application/json"}, content)

        clean_request, clean_response = Redaction().exchange(request, Response(200, content))

        for clean_body in (clean_request.body, clean_response.body):
            assert secret.encode() not in clean_body.replace(b"\0", b"")
            assert clean_body

    @pytest.mark.parametrize(
        "body",
        [
            '{"message":"Invalid token: x","nextPageToken":"page-2","hasPassword":true}',
            '{ "code" : "postal", "state" : "open", "ratio" : NaN }',
            "A text about a token and a secret.",
            "a=b&c=d",
            '{"cut": "of',
        ],
    )
    def test_a_body_without_credentials_stays_as_it_is(self, body: str) -> None:
        headers = {"authorization": f"Bearer {SECRET}"}
        request = Request("PUT", "/x", headers, body.encode())

        assert Redaction().request(request).body == body.encode()

    @pytest.mark.parametrize(
        "echo",
        [
            '{"echo": "SECRET"}'.replace("SECRET", SECRET.replace("/", "\\/")),
            '{"echo": "SECRET"}'.replace("SECRET", SECRET.replace("/", "\\u002F")),
            json.dumps({"echo": quote(SECRET, safe="")}),
            "text " + SECRET.replace("/", "\\/"),
            "text " + SECRET.replace("-", "%2d"),
            '"' + SECRET.replace("r", "\\u0072") + '"',
        ],
    )
    def test_an_escaped_echo_of_a_token_is_removed(self, echo: str) -> None:
        request = Request("GET", "/x", {"authorization": f"Bearer {SECRET}"})

        _, response = Redaction().exchange(request, Response(200, echo.encode()))

        assert REDACTED in response.body.decode()
        assert "credential" not in response.body.decode()

    def test_a_credential_of_multipart_data_is_removed_from_the_response(self) -> None:
        body = f'Content-Disposition: form-data; name="token"\r\n\r\n{"a" * 20}\r\n--x--'

        text = stored(Request("PUT", "/x", {}, body.encode()), json_response({"echo": "a" * 20}))

        assert "a" * 20 not in text

    @pytest.mark.parametrize("text", ["?a=" * 5_000, "?a=%3F" * 5_000, "/x?a=" + "=a" * 5_000])
    def test_urls_that_are_nested_deeply_are_stored(self, text: str) -> None:
        request = Request("GET", f"/x?{text}", {"referer": text})

        assert stored(request, Response(200, text.encode(), {"Location": text}))
        assert visible_headers(request, request.headers)
        assert visible_target(request)

    @given(
        body=st.one_of(
            st.binary(max_size=60),
            st.text(max_size=60).map(str.encode),
            st.recursive(
                st.text() | st.none() | st.floats(),
                lambda inner: (
                    st.lists(inner) | st.dictionaries(st.text() | st.just("token"), inner)
                ),
                max_leaves=5,
            ).map(lambda data: json.dumps(data).encode()),
        ),
        text=st.text(st.characters(max_codepoint=255), max_size=30),
        name=st.sampled_from(["location", "link", "cookie", "authorization", "token", "x-a"]),
        is_form=st.booleans(),
    )
    def test_any_exchange_is_stored(self, body: bytes, text: str, name: str, is_form: bool) -> None:
        media_type = "application/x-www-form-urlencoded" if is_form else "application/json"
        headers = {name: text, "content-type": media_type}
        request = Request("PUT", f"/x?{text}", headers, body)

        clean_request, clean_response = Redaction().exchange(request, Response(200, body, headers))

        # A replay cleans the requests that it compares: a clean one stays as it is.
        assert Redaction().request(clean_request).target == clean_request.target
        assert Redaction().request(clean_request).body == clean_request.body
        assert clean_response.status == 200


class TestShortCredentials:
    def test_an_id_that_contains_a_short_token_is_replayed(self, file: Path) -> None:
        emulator = Emulator(tokens=["emulator"])
        emulator.put("conversations", {"id": "emulator-conversation", "locationId": "emulator"})
        emulator.recorder = Recorder(file)

        def call(emulator: Emulator, token: str) -> dict[str, Any]:
            with LeadConnector(token=token, transport=EmulatorTransport(emulator)) as client:
                updated = client.conversations.update_conversation(
                    "emulator-conversation", location_id="emulator", starred=True
                )
                return updated.to_dict()

        live = call(emulator, "emulator")
        emulator.recorder.close()

        replayed = call(Replay(file), "another-token")
        assert replayed["conversation"]["id"] == live["conversation"]["id"]
        assert "Bearer" not in file.read_text()

    @pytest.mark.parametrize(
        ("text", "clean_text"),
        [
            ("token-1", REDACTED),
            ("The token is token-1.", f"The token is {REDACTED}."),
            ("token=token-1; a=b", f"token={REDACTED}; a=b"),
            ("my-token-1", "my-token-1"),
            ("token-1-of-mine", "token-1-of-mine"),
            ("/x/token-1/y", "/x/token-1/y"),
            ("token-12", "token-12"),
            ("token-1.example", "token-1.example"),
        ],
    )
    def test_a_response_contains_it_only_within_other_words(
        self, text: str, clean_text: str
    ) -> None:
        request = Request("GET", "/x", {"authorization": "Bearer token-1"})

        _, response = Redaction().exchange(
            request, Response(200, json.dumps({"a": text}).encode(), {"X-Echo": text})
        )

        assert json.loads(response.body) == {"a": clean_text}
        assert response.headers["X-Echo"] == clean_text


def test_a_recorded_refresh_is_replayed_by_the_client(file: Path) -> None:
    endpoint = TokenEndpoint(refresh_tokens={"first-refresh-token": LOCATION_ID})
    emulator = Emulator(create_missing=True, token_endpoint=endpoint)
    emulator.recorder = Recorder(file)

    def call(emulator: Emulator) -> dict[str, Any]:
        transport = EmulatorTransport(emulator)
        tokens = Tokens("", "first-refresh-token", 0.0)
        oauth = OAuth(
            client_id=endpoint.client_id,
            client_secret=endpoint.client_secret,
            store=MemoryTokenStore(tokens),
            transport=transport,
        )
        with LeadConnector(token=oauth, transport=transport) as client:
            updated = client.conversations.update_conversation(
                CONVERSATION_ID, location_id=LOCATION_ID, starred=True
            )
            return updated.to_dict()

    live = call(emulator)
    emulator.recorder.close()

    assert call(Replay(file)) == live


class TestFile:
    def test_only_the_owner_can_read_a_new_file(self, file: Path) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))

        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_an_existing_file_keeps_its_permissions(self, file: Path) -> None:
        file.touch()
        file.chmod(0o640)
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))

        assert stat.S_IMODE(file.stat().st_mode) == 0o640

    def test_a_closed_recorder_never_uses_its_descriptor_again(
        self, file: Path, tmp_path: Path
    ) -> None:
        emulator = Emulator(tokens=[TOKEN])
        with Recorder(file) as recorder:
            emulator.recorder = recorder
            emulator.respond(put({}))
        content = file.read_bytes()
        # The system assigns the number of the descriptor again.
        with (tmp_path / "another-file").open("w+b") as another_file:
            emulator.respond(put({}))
            recorder.close()
            another_file.write(b"intact")
            another_file.flush()
            another_file.seek(0)
            assert another_file.read() == b"intact"
        assert file.read_bytes() == content

    def test_many_threads_close_a_recorder_once(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorder = Recorder(file)
        request = Request("GET", "/x", {})
        closed_descriptors: list[int] = []
        real_close = os.close

        def close(descriptor: int) -> None:
            closed_descriptors.append(descriptor)
            real_close(descriptor)

        def run() -> None:
            recorder.add(request, NO_CONTENT)
            recorder.close()
            recorder.add(request, NO_CONTENT)

        monkeypatch.setattr(os, "close", close)
        threads = [Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        monkeypatch.undo()

        assert len(closed_descriptors) == 1
        assert 1 <= len(read_record(file)) <= 8

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

    @pytest.mark.parametrize(
        ("headers", "body", "reason"),
        [
            ([["X-A", "a\r\nX-B: b"]], "", "`X-A` of its response contains a line break"),
            ([["X-A", "a\nb"]], "", "contains a line break"),
            ([["X-A", "\u20ac"]], "", "a character that is not Latin-1"),
            ([["X-A", "a\u0000"]], "", "another control character"),
            ([["X-A", " a"]], "", "a blank at its start"),
            ([["X A", "a"]], "", "cannot have the name 'X A'"),
            ([["", "a"]], "", "cannot have the name ''"),
            ([["Content-Encoding", "gzip"]], "{}", "has not the `Content-Encoding`"),
            ([["content-encoding", "br"]], "{}", "has not the `Content-Encoding`"),
        ],
    )
    def test_a_response_that_cannot_be_sent_is_an_error_with_its_number(
        self, file: Path, headers: list[list[str]], body: str, reason: str
    ) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))
        line = json.loads(file.read_text())
        line["response"] = {"status": 200, "headers": headers, "body": body}
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")

        with pytest.raises(ValueError, match=r"record\.jsonl:2: is no recorded exchange") as raised:
            Replay(file)
        assert reason in str(raised.value)

    def test_the_length_of_a_response_is_that_of_its_body(self, file: Path) -> None:
        recorded(file, (Request("GET", "/x", {}), NO_CONTENT))
        line = json.loads(file.read_text())
        headers = [["Content-Length", "99"], ["Transfer-Encoding", "chunked"], ["X-A", ""]]
        line["response"] = {"status": 200, "headers": headers, "body": "text"}
        file.write_text(json.dumps(line))

        with EmulatorServer(Replay(file)) as server:
            response = httpx.get(f"{server.url}/x")
        assert (response.text, response.headers["content-length"]) == ("text", "4")

    def test_an_unusual_status_is_replayed(self, file: Path) -> None:
        request = Request("GET", "/x", {})
        recorded(file, (request, Response(999, b"denied")))

        with EmulatorServer(Replay(file)) as server:
            response = httpx.get(f"{server.url}/x")
        assert (response.status_code, response.text) == (999, "denied")

    def test_the_paths_of_the_page_are_replayed(self, file: Path) -> None:
        exchanges = [
            (Request("GET", path, {}), Response(200, f"recorded {path}".encode()))
            for path in ("/", "/openapi.json")
        ]
        recorded(file, *exchanges)

        with EmulatorServer(Replay(file)) as server:
            texts = [httpx.get(f"{server.url}{path}").text for path in ("/", "/openapi.json")]
            page = httpx.get(f"{server.url}/_emulator/").text
        assert texts == ["recorded /", "recorded /openapi.json"]
        assert "<html" in page

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
