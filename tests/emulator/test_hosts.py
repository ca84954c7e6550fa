"""The address on which the server listens, and the host names under which it shows the page."""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector_emulator import Emulator, Server
from leadconnector_emulator.cli import main
from leadconnector_emulator.hosts import HostRules, base_url, host_rules, is_loopback

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

SECONDS = 60
"""The timeout of each step: a bound, so that no test hangs."""

LOOPBACK_NAMES = ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:8080", "[::1]:8080"]
FOREIGN_NAMES = [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "local",
    "[::1].evil.example",
    "evil.example/localhost",
    "localhost:80:80",
    "localhost ",
    "",
    "evil.local.example",
]
PRIVATE_NAMES = [
    "emulator",
    "emulator:8080",
    "my_service",
    "10.0.0.7:8080",
    "192.168.1.2",
    "[2001:db8::7]:8080",
    "emulator.default.svc.cluster.local:8080",
    "Emulator.Internal.",
    "printer.home.arpa",
]


def has_ipv6() -> bool:
    """Whether this machine has an address of IPv6 for itself; a container may have none."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = has_ipv6()


def get(address: tuple[str, int], path: str, host: str) -> int:
    """The status of a GET with a header `Host`."""
    with closing(http.client.HTTPConnection(*address, timeout=SECONDS)) as connection:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        return response.status


def port_of(server: Server) -> int:
    return int(urlsplit(server.url).port or 0)


class TestRules:
    @pytest.mark.parametrize("name", [*LOOPBACK_NAMES, *FOREIGN_NAMES, *PRIVATE_NAMES])
    def test_on_loopback_only_names_of_loopback_are_allowed(self, name: str) -> None:
        rules = host_rules("127.0.0.1", [])
        assert rules.allows(name) == (name in LOOPBACK_NAMES)

    @pytest.mark.parametrize("name", [*LOOPBACK_NAMES, *FOREIGN_NAMES, *PRIVATE_NAMES])
    @pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.2"])
    def test_on_other_addresses_names_without_a_public_domain_are_allowed(
        self, address: str, name: str
    ) -> None:
        allowed_names = [*LOOPBACK_NAMES, *PRIVATE_NAMES, "local"]
        assert host_rules(address, []).allows(name) == (name in allowed_names)

    @pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
    def test_further_names_can_be_allowed(self, address: str) -> None:
        rules = host_rules(address, ["Emulator.Example.com"])
        assert rules.allows("emulator.example.com:8080")
        assert rules.allows("EMULATOR.example.com.")
        assert not rules.allows("other.example.com")

    def test_the_address_itself_is_allowed(self) -> None:
        assert host_rules("127.0.0.2", []).allows("127.0.0.2:8080")

    @given(labels=st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), min_size=1))
    def test_a_public_domain_is_never_allowed(self, labels: list[str]) -> None:
        name = ".".join([*labels, "com"])
        for rules in (HostRules(), HostRules(listens_on_loopback=False)):
            assert not rules.allows(name)
            assert not rules.allows(f"{name}:80")

    @given(text=st.text())
    def test_any_text_is_allowed_or_not(self, text: str) -> None:
        HostRules(listens_on_loopback=False).allows(text)

    @given(address=st.ip_addresses())
    def test_a_base_url_names_an_address_to_which_a_client_can_connect(self, address: Any) -> None:
        url = base_url(str(address), 80)
        host = ipaddress.ip_address(str(urlsplit(url).hostname))
        assert not host.is_unspecified
        assert host == address or address.is_unspecified

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("::ffff:127.0.0.1", True),
            ("0.0.0.0", False),
            ("::", False),
            ("10.0.0.1", False),
            ("::ffff:10.0.0.1", False),
        ],
    )
    def test_loopback(self, address: str, expected: bool) -> None:
        assert is_loopback(address) == expected


class TestServer:
    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("127.0.0.1", "http://127.0.0.1"),
            ("localhost", r"http://(127\.0\.0\.1|\[::1\])"),
            ("127.0.0.2", "http://127.0.0.2"),
            pytest.param(
                "::1", r"http://\[::1\]", marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6")
            ),
        ],
    )
    def test_an_address_of_loopback_is_served_without_a_warning(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, host: str, url: str
    ) -> None:
        with Server(emulator, host=host) as server:
            assert re.fullmatch(rf"{url}:\d+", server.url)
            address = (str(urlsplit(server.url).hostname), port_of(server))
            assert get(address, "/", urlsplit(server.url).netloc) == 200
            assert get(address, "/", "evil.example") == 404
            assert get(address, "/", "emulator") == 404
        assert caplog.records == []

    @pytest.mark.parametrize(
        "host",
        ["0.0.0.0", pytest.param("::", marks=pytest.mark.skipif(not HAS_IPV6, reason="no IPv6"))],
    )
    def test_every_address_is_served_with_one_warning(
        self, emulator: Emulator, caplog: pytest.LogCaptureFixture, host: str
    ) -> None:
        with Server(emulator, host=host) as server:
            address = (str(urlsplit(server.url).hostname), port_of(server))
            for name in ("emulator:8080", "10.1.2.3", "emulator.default.svc.cluster.local"):
                for path in ("/", "/openapi.json", "/_emulator/log"):
                    assert get(address, path, name) == 200
            assert get(address, "/", "evil.example") == 404
            # IPv4 also works with `::`.
            assert get(("127.0.0.1", port_of(server)), "/", "localhost") == 200
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        message = record.getMessage()
        assert "\n" not in message
        assert f"listens on {host} and has no authentication" in message
        assert "can read the recorded requests" in message

    def test_the_api_is_served_under_every_name(self, emulator: Emulator) -> None:
        for host in ("127.0.0.1", "0.0.0.0"):
            with Server(emulator, host=host) as server:
                for name in ("localhost", "emulator", "api.example.com"):
                    assert put(server, name) == 200

    def test_further_names_are_an_option(self, emulator: Emulator) -> None:
        with Server(emulator, allowed_hosts=["emulator.example.com"]) as server:
            address = ("127.0.0.1", port_of(server))
            assert get(address, "/", "emulator.example.com:8080") == 200
            assert get(address, "/", "evil.example") == 404

    def test_one_string_instead_of_names_raises_typeerror(self, emulator: Emulator) -> None:
        with pytest.raises(TypeError, match="allowed_hosts"):
            Server(emulator, allowed_hosts="emulator")

    def test_an_empty_host_raises_valueerror(self, emulator: Emulator) -> None:
        with pytest.raises(ValueError, match="the host is empty"):
            Server(emulator, host="")


def put(server: Server, host: str) -> int:
    """The status of a valid update with a header `Host`."""
    body = json.dumps({"locationId": LOCATION_ID})
    headers = {
        "Host": host,
        "Authorization": f"Bearer {TOKEN}",
        "Version": "2021-07-28",
        "Content-Type": "application/json",
    }
    address = ("127.0.0.1", port_of(server))
    with closing(http.client.HTTPConnection(*address, timeout=SECONDS)) as connection:
        connection.request("PUT", f"/conversations/{CONVERSATION_ID}", body, headers)
        response = connection.getresponse()
        response.read()
        return response.status


@contextmanager
def program(*options: str) -> Generator[tuple[subprocess.Popen[str], int]]:
    """Run the command line in another process; yields it and its port."""
    command = [sys.executable, "-m", "leadconnector_emulator", "--port", "0", *options]
    with subprocess.Popen(
        command,
        cwd=ROOT / "tools",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            match = re.search(r"http://\S+:(\d+) ", process.stdout.readline())
            assert match is not None
            yield process, int(match[1])
        finally:
            process.kill()


class TestProgram:
    @pytest.mark.parametrize(("options", "expected_lines"), [((), 0), (("--host", "0.0.0.0"), 1)])
    def test_another_address_prints_one_warning_line(
        self, options: tuple[str, ...], expected_lines: int
    ) -> None:
        with program(*options) as (process, port):
            assert get(("127.0.0.1", port), "/_emulator/log", "localhost") == 200
            process.terminate()
            _, errors = process.communicate(timeout=SECONDS)
        assert errors.count("\n") == expected_lines
        assert process.returncode == 0

    def test_allow_host_serves_the_page_under_a_name(self) -> None:
        options = ("--host", "0.0.0.0", "--allow-host", "a.example", "--allow-host", "b.example")
        with program(*options) as (_, port):
            statuses = [
                get(("127.0.0.1", port), "/", name) for name in ("a.example", "b.example", "c.org")
            ]
        assert statuses == [200, 200, 404]

    @pytest.mark.parametrize(
        "host", ["", "not a host", "192.0.2.1", "2001:db8::1", "a..b", "x" * 300, "1.2.3.4.5"]
    )
    def test_an_invalid_host_is_one_error_line_and_status_2(
        self, capsys: pytest.CaptureFixture[str], host: str
    ) -> None:
        assert main(["--port", "0", "--host", host]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.count("\n") == 1
        assert output.err.startswith(f"leadconnector_emulator: host {host!r}: ")
        assert "0.0.0.0 for every address" in output.err

    def test_the_options_for_rejections_reach_the_emulator(self) -> None:
        options = ["--scope", "a", "--required-scope", "b", "--accept-version", "v3"]
        with program(*options, "--version-status", "400") as (_, port):
            assert put_with(port, {}) == (401, "The token is not authorized for this scope.")
            assert put_with(port, {"Version": "v3"})[0] == 401
            assert put_with(port, {"Version": "v4"}) == (
                400,
                "Version in the header is not a documented value",
            )
        with program("--user-type", "Company") as (_, port):
            status, message = put_with(port, {})
            assert (status, message is None) == (401, False)
            assert str(message).startswith("This authClass type is not allowed")
        with program("--scope", "a", "--scope", "b", "--required-scope", "b") as (_, port):
            assert put_with(port, {}) == (200, None)

    @pytest.mark.parametrize(
        "options",
        [["--version-status", "403"], ["--user-type", "Agency"], ["--log-bytes", "many"]],
    )
    def test_an_invalid_option_exits_with_2(
        self, options: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main(options)
        assert caught.value.code == 2
        assert options[0] in capsys.readouterr().err


def put_with(port: int, changes: dict[str, str]) -> tuple[int, str | None]:
    """The status and message of the response to an update with other headers."""
    headers = {
        "Authorization": "Bearer emulator",
        "Version": "2021-07-28",
        "Content-Type": "application/json",
        **changes,
    }
    body = json.dumps({"locationId": LOCATION_ID})
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request("PUT", f"/conversations/{CONVERSATION_ID}", body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("message")
