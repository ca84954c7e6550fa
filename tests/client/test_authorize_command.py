"""The command `authorize` as a real process: with a browser, and with every bad redirect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from leadconnector import AgencyOAuth, FileAgencyTokenStore, FileTokenStore, LeadConnector, OAuth
from leadconnector._command_line import main

from tests.support.authorize_command import (
    SECONDS,
    SECRET,
    Command,
    assert_failed,
    emulated_command,
)
from tests.support.calling import LOCATION_ID
from tests.support.redis_server import free_port
from tests.support.wire import receive_request, serving


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    with emulated_command(tmp_path / "tokens.json") as command:
        yield command


@contextmanager
def endpoint_with(content: bytes) -> Generator[str]:
    """The URL of a server whose responses all have one content."""

    def serve(connection: socket.socket) -> None:
        receive_request(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + content)

    with serving(serve) as server:
        yield server.url


def test_the_saved_tokens_serve_both_token_sources(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "agency"
    folder.mkdir()
    for store, location in ((command.store, LOCATION_ID), (folder / "agency.json", None)):
        user_type = "Company" if location is None else "Location"
        with command.started(f"--store={store}", f"--user-type={user_type}") as run:
            run.read_url()
            state = run.parameters["state"]
            assert run.redirect(code=command.code(run, location), state=state).status_code == 200
            assert run.end()[0] == 0
    credentials: dict[str, Any] = {"client_id": "client", "client_secret": SECRET}
    sources: list[OAuth | AgencyOAuth] = [
        OAuth(store=FileTokenStore(command.store), **credentials),
        AgencyOAuth(store=FileAgencyTokenStore(folder), **credentials),
    ]
    for source in sources:
        with LeadConnector(token=source, base_url=command.server.url) as client:
            client.conversations.update_conversation(LOCATION_ID, location_id=LOCATION_ID)


def test_the_browser_of_the_environment_opens_the_url(command: Command, tmp_path: Path) -> None:
    record = tmp_path / "url"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {record}.new; mv {record}.new {record}\n')
    browser.chmod(0o755)
    arguments = [
        argument for argument in command.arguments("--timeout=3") if argument != "--no-browser"
    ]
    result = subprocess.run(
        [sys.executable, "-m", "leadconnector", *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LEADCONNECTOR_CLIENT_SECRET": SECRET,
            "BROWSER": f"{browser} %s",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 4
    assert record.read_text() in result.stderr
    assert record.read_text().startswith(f"{command.server.url}/oauth/chooselocation?")


class TestBadRedirects:
    def test_a_wrong_state_ends_the_command(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            code = command.code(run)
            response = run.redirect(code=code, state="x" * len(run.parameters["state"]))
            assert response.status_code == 400
            assert code not in response.text
            assert_failed(run, 3, "the redirect has another state")
        assert command.endpoint.exchanges == 0

    @pytest.mark.parametrize("query", ["", "?code=x", "?state=&code=x", "?error=access_denied"])
    def test_a_missing_state_ends_the_command(self, command: Command, query: str) -> None:
        with command.started() as run:
            run.read_url()
            httpx.get(run.parameters["redirect_uri"] + query)
            assert_failed(run, 3, "the redirect has another state")

    def test_a_redirect_for_another_host_is_not_accepted(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            code = command.code(run)
            state = run.parameters["state"]
            response = run.redirect({"Host": "evil.example"}, code=code, state=state)
            assert response.status_code == 400
            assert_failed(run, 3, "the redirect came for another host than localhost")
        assert command.endpoint.exchanges == 0

    @pytest.mark.parametrize(
        ("parameters", "text"),
        [
            ("code=a&code=b", "the parameter code more than once"),
            ("code=", "the redirect has no code"),
            ("x=y", "the redirect has no code"),
            ("code=a%0d%0ab", "a code that is not printable ASCII"),
            ("code=%C3%A9", "a code that is not printable ASCII"),
            ("code=%00", "a code that is not printable ASCII"),
            ("&".join(f"a{number}=b" for number in range(60)), "too many parameters"),
        ],
    )
    def test_a_malformed_redirect_ends_the_command(
        self, command: Command, parameters: str, text: str
    ) -> None:
        with command.started() as run:
            run.read_url()
            uri = run.parameters["redirect_uri"]
            httpx.get(f"{uri}?state={run.parameters['state']}&{parameters}")
            assert_failed(run, 3, text)

    def test_an_error_of_the_page_is_one_printable_line(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            run.redirect(
                error="server\x1b[31m_error",
                error_description="<b>a\nb</b>" + "c" * 500,
                state=run.parameters["state"],
            )
            assert_failed(run, 1, "reported server [31m_error: <b>a b</b>ccc")

    def test_other_paths_and_silent_connections_do_not_disturb(self, command: Command) -> None:
        with command.started() as run:
            address = urlsplit(run.read_url() and run.parameters["redirect_uri"])
            port = address.port
            assert port is not None
            with socket.create_connection(("127.0.0.1", port)):
                icon = httpx.get(f"http://localhost:{port}/favicon.ico")
                posted = httpx.post(run.parameters["redirect_uri"])
                assert (icon.status_code, posted.status_code) == (404, 501)
                state = run.parameters["state"]
                response = run.redirect(code=command.code(run), state=state)
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            assert run.end()[0] == 0

    def test_it_listens_on_loopback_only(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            port = urlsplit(run.parameters["redirect_uri"]).port
            assert port is not None
            with socket.socket() as second_socket:
                # The port of all other addresses is free.
                second_socket.bind(("127.0.0.2", port))

    def test_no_redirect_in_time(self, command: Command) -> None:
        with command.started("--timeout=0.2") as run:
            assert_failed(run, 4, "no redirect arrived within 0.2 s")


class TestFailedExchanges:
    def test_a_code_used_twice(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            code = command.code(run)
            store = command.store.parent / "other.json"
            oauth = OAuth(
                client_id="client",
                client_secret=SECRET,
                store=FileTokenStore(store),
                token_url=f"{command.server.url}/oauth/token",
            )
            oauth.exchange_code(code, run.parameters["redirect_uri"])
            run.redirect(code=code, state=run.parameters["state"])
            assert_failed(run, 5, "authorization code was used already")

    def test_a_wrong_secret(self, command: Command) -> None:
        with command.started(LEADCONNECTOR_CLIENT_SECRET="wrong") as run:
            run.read_url()
            run.redirect(code=command.code(run), state=run.parameters["state"])
            assert_failed(run, 5, "401 invalid_client: Invalid client credentials!")

    def test_an_inactive_location(self, command: Command) -> None:
        command.endpoint.inactive_locations = {LOCATION_ID}
        with command.started() as run:
            run.read_url()
            run.redirect(code=command.code(run), state=run.parameters["state"])
            assert_failed(run, 5, "Location is not active")

    def test_an_agency_that_the_user_chose_by_mistake(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            run.redirect(code=command.code(run, None), state=run.parameters["state"])
            assert_failed(run, 5, "user_type must be Company")

    def test_an_endpoint_that_is_down_is_named(self, command: Command) -> None:
        address = f"127.0.0.1:{free_port()}"
        with command.started(f"--token-url=http://{address}/oauth/token") as run:
            run.read_url()
            run.redirect(code="code", state=run.parameters["state"])
            assert_failed(run, 5, f"POST /oauth/token at {address}: no complete response (")

    def test_the_other_version_is_named_as_an_option(self, command: Command) -> None:
        content = b'{"accessToken": "a", "refreshToken": "r"}'
        with (
            endpoint_with(content) as url,
            command.started(f"--token-url={url}/oauth/token") as run,
        ):
            run.read_url()
            run.redirect(code="code", state=run.parameters["state"])
            assert_failed(run, 5, "pass --token-version v3; start the authorization again (no")

    def test_the_other_class_is_named_as_an_option(self, command: Command) -> None:
        content = b'{"access_token": "a", "refresh_token": "r", "userType": "Company"}'
        with (
            endpoint_with(content) as url,
            command.started(f"--token-url={url}/oauth/token") as run,
        ):
            run.read_url()
            run.redirect(code="code", state=run.parameters["state"])
            assert_failed(run, 2, "pass --user-type Company, or let the user choose one location")

    def test_a_save_that_fails_leaves_no_tokens(self, command: Command) -> None:
        with command.started() as run:
            run.read_url()
            # Nothing can replace a folder.
            command.store.mkdir()
            run.redirect(code=command.code(run), state=run.parameters["state"])
            status, output, errors = run.end()
        assert (status, output) == (2, "")
        assert "the new tokens could not be saved" in errors
        assert errors.endswith("No tokens were saved.\n")
        assert sorted(path.name for path in command.store.parent.iterdir()) == [
            "tokens.json",
            "tokens.json.lock",
        ]


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            (["--redirect-uri=https://app.example/callback"], "must be http://localhost:PORT/PATH"),
            (["--redirect-uri=http://app.example/callback"], "only this machine can receive it"),
            (["--redirect-uri=http://localhost:99999/"], "must be http://localhost:PORT/PATH"),
            (["--redirect-uri=http://user@localhost/"], "must be http://localhost:PORT/PATH"),
            (["--redirect-uri="], "must be http://localhost:PORT/PATH"),
            (["--scope=a b"], "each scope must be"),
            (["--timeout=0"], "--timeout must be"),
            (["--timeout=nan"], "--timeout must be"),
            (["--timeout=1e300"], "--timeout must be"),
            (["--client-id=\u00e4"], "client_id and client_secret must be"),
            (["--token-url=http://api.example/oauth/token"], "token_url must be https"),
            (["--authorization-page=x"], "authorization_page must be https"),
            (["--store=/"], "is a folder"),
            (["--store=/missing/tokens.json"], "No such file or directory"),
            (["--store="], "--store is empty"),
            (["--store=."], "is a folder"),
            (["--token-url="], "token_url must be https"),
            (["--token-url=http://api.example/"], "(--allow-http permits that"),
        ],
    )
    def test_an_unusable_option_is_named_before_the_user_is_asked(
        self,
        command: Command,
        options: list[str],
        text: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("LEADCONNECTOR_CLIENT_SECRET", SECRET)
        assert main(command.arguments(*options)) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert text in output.err
        assert output.err.endswith("No tokens were saved.\n")
        assert output.err.count("\n") == 1

    @pytest.mark.parametrize(
        ("variable", "value", "text"),
        [
            ("LEADCONNECTOR_BASE_URL", "http://emulator:8080", "(--allow-http permits that"),
            ("LEADCONNECTOR_BASE_URL", "ftp://x", "LEADCONNECTOR_BASE_URL must be https://HOST"),
            ("HTTPS_PROXY", "ftp://x", "HTTPS_PROXY"),
            ("SSL_CERT_FILE", "/missing", "SSL_CERT_FILE names no usable file"),
        ],
    )
    def test_an_unusable_environment_is_named_before_the_user_is_asked(
        self,
        command: Command,
        variable: str,
        value: str,
        text: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("LEADCONNECTOR_CLIENT_SECRET", SECRET)
        monkeypatch.setenv(variable, value)
        arguments = [
            argument
            for argument in command.arguments("--timeout=0.1")
            if not argument.startswith("--token-url")
        ]
        assert main(arguments) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert text in output.err
        assert output.err.endswith("No tokens were saved.\n")

    def test_an_empty_store_creates_no_file(
        self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "outer" / "inner"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("LEADCONNECTOR_CLIENT_SECRET", SECRET)
        for store in ("", ".", "./", str(folder)):
            assert main(command.arguments(f"--store={store}", "--timeout=0.1")) == 2
        assert list(folder.parent.iterdir()) == [folder]
        assert list(folder.iterdir()) == []

    def test_a_port_in_use_is_named(
        self,
        command: Command,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("LEADCONNECTOR_CLIENT_SECRET", SECRET)
        port = urlsplit(command.server.url).port
        uri = f"http://127.0.0.1:{port}/callback"
        assert main(command.arguments(f"--redirect-uri={uri}")) == 2
        error = capsys.readouterr().err
        assert f"cannot listen for the redirect to '{uri}'" in error
        assert "Address already in use" in error

    @pytest.mark.parametrize("name", ["LEADCONNECTOR_CLIENT_SECRET", "--client-id"])
    def test_missing_credentials_are_named(
        self, command: Command, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = command.arguments()
        if name == "--client-id":
            arguments.remove("--client-id=client")
        assert main(arguments) == 2
        assert name in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["--scope", "--store"])
    def test_required_options(
        self, command: Command, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = [argument for argument in command.arguments() if not argument.startswith(name)]
        with pytest.raises(SystemExit) as raised:
            main(arguments)
        assert raised.value.code == 2
        assert name in capsys.readouterr().err

    def test_the_secret_is_no_option(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["authorize", "--help"])
        output = capsys.readouterr().out
        assert "--client-secret" not in output
        assert "LEADCONNECTOR_CLIENT_SECRET" in output

    def test_the_redirect_uri_keeps_its_path_and_query(self, command: Command) -> None:
        with command.started("--redirect-uri=http://127.0.0.1:0/a/b?c=d") as run:
            run.read_url()
            uri = urlsplit(run.parameters["redirect_uri"])
            assert (uri.hostname, uri.path, uri.query) == ("127.0.0.1", "/a/b", "c=d")
            assert uri.port

    def test_a_redirect_uri_with_a_port_is_used_as_it_is(self, command: Command) -> None:
        with socket.socket() as free_socket:
            free_socket.bind(("127.0.0.1", 0))
            port = free_socket.getsockname()[1]
        uri = f"http://LocalHost:{port}?x=%2f"
        with command.started(f"--redirect-uri={uri}") as run:
            run.read_url()
            assert run.parameters["redirect_uri"] == uri
            state = run.parameters["state"]
            code = command.code(run)
            httpx.get(f"{uri}&code={code}&state={state}")
            assert run.end()[0] == 0

    def test_two_runs_have_different_states(self, command: Command) -> None:
        states: list[str] = []
        for _ in range(2):
            with command.started() as run:
                run.read_url()
                states.append(run.parameters["state"])
        assert states[0] != states[1]
        assert all(len(state) >= 43 for state in states)


def test_ctrl_c_ends_the_command_with_one_line(command: Command) -> None:
    with command.started() as run:
        run.read_url()
        run.process.send_signal(signal.SIGINT)
        status, _, errors = run.end()
    assert status == 130
    assert errors.splitlines()[-1].startswith("Interrupted.")
    assert "Traceback" not in errors


def test_a_program_without_the_dependencies_names_them(tmp_path: Path) -> None:
    blocker = tmp_path / "sitecustomize.py"
    blocker.write_text("import sys\nsys.modules['httpx'] = None\n")
    result = subprocess.run(
        [sys.executable, "-m", "leadconnector", "authorize", "--store=x", "--scope=a"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert "leadconnector: httpx is not installed: pip install" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_of_a_copy_is_the_same(tmp_path: Path) -> None:
    destination = tmp_path / "app" / "_vendor"
    assert main(["vendor", str(destination)]) == 0
    result = subprocess.run(
        [sys.executable, "-m", "app._vendor.leadconnector", "authorize", "--help"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0
    assert result.stdout.startswith("usage: python -m app._vendor.leadconnector authorize")
    arguments = ["authorize", "--store=tokens.json", "--scope=a", "--timeout=0.1", "--no-browser"]
    result = subprocess.run(
        [sys.executable, "-m", "app._vendor.leadconnector", *arguments],
        cwd=tmp_path,
        env={
            **os.environ,
            "LEADCONNECTOR_CLIENT_ID": "client",
            "LEADCONNECTOR_CLIENT_SECRET": SECRET,
        },
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 4
    assert result.stdout.startswith("https://marketplace.gohighlevel.com/")


def test_the_store_of_the_command_has_the_documented_members(command: Command) -> None:
    with command.started() as run:
        run.read_url()
        run.redirect(code=command.code(run), state=run.parameters["state"])
        assert run.end()[0] == 0
    members = json.loads(command.store.read_bytes())
    assert (members["user_type"], members["location_id"]) == ("Location", LOCATION_ID)
