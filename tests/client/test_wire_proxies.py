"""Proxies that respond in parts, reject, hang, or end the connection at any byte."""

from __future__ import annotations

import base64
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from leadconnector import APIConnectionError, APITimeoutError, ConfigurationError, LeadConnector

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN, Caller, Clock
from tests.support.switchable import Certificate, Switchable, make_certificate, switchable
from tests.support.wire import (
    WireServer,
    receive_exactly,
    receive_until,
    relay,
    send_in_bytes,
    serving,
)

Send = Callable[[socket.socket, bytes], None]


def send_at_once(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)


both_ways_of_sending = pytest.mark.parametrize(
    "send", [send_at_once, send_in_bytes], ids=["at once", "in bytes"]
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate. It also takes less time to load than those of certifi."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))


@pytest.fixture
def api(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switchable]:
    """An API over TLS."""
    monkeypatch.setattr("leadconnector._runtime.http.urls.proxy_bypass", bypass_no_proxy)
    with switchable(certificate.server_context()) as server:
        yield server


def bypass_no_proxy(_: str) -> bool:
    return False


def options_for(api: Switchable, **changes: Any) -> dict[str, Any]:
    return {"base_url": api.url, "retries": 0, **changes}


def proxy_url(server: WireServer, scheme: str = "http", user: str = "") -> str:
    return f"{scheme}://{user}127.0.0.1:{server.port}"


# CONNECT.

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class ConnectProxy:
    """A proxy for CONNECT.

    Args:
        port: the port of this machine that it connects to, whatever the request says.
    """

    port: int
    response: bytes = ESTABLISHED
    send: Send = send_at_once
    heads: list[bytes] = field(default_factory=list[bytes])

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        self.heads.append(receive_until(connection, b"\r\n\r\n"))
        with socket.create_connection(("127.0.0.1", self.port)) as remote:
            self.send(connection, self.response)
            relay(connection, remote)


@both_ways_of_sending
@pytest.mark.parametrize(
    "response",
    [
        ESTABLISHED,
        INTERIM + ESTABLISHED,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\nVia: a\n\n",
        # A success of CONNECT has no body, whatever these say (RFC 9110, section 9.3.6).
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_proxy_can_send_its_response_in_any_parts(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch, response: bytes, send: Send
) -> None:
    proxy = ConnectProxy(api.port, response, send)
    with serving(proxy.serve) as server:
        monkeypatch.setenv("https_proxy", proxy_url(server))
        assert call(None, options=options_for(api)).success

    assert TOKEN.encode() not in b"".join(proxy.heads)


def test_user_and_password_of_a_proxy_can_contain_any_characters(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ConnectProxy(api.port)
    with serving(proxy.serve) as server:
        address = proxy_url(server, user="us%40er:p%3A%2F%3F%23%25%C3%A4%20%0d%0a@")
        monkeypatch.setenv("https_proxy", address)
        assert call(None, options=options_for(api)).success

    (head,) = proxy.heads
    credentials = base64.b64encode("us@er:p:/?#%ä \r\n".encode())
    assert b"\r\nProxy-Authorization: Basic " + credentials + b"\r\n" in head


def test_a_proxy_gets_an_ipv6_address_in_brackets(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ConnectProxy(api.port)
    with serving(proxy.serve) as server:
        monkeypatch.setenv("https_proxy", proxy_url(server))
        # The certificate of the API is not one of this address, so nothing is sent.
        with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            call(None, options=options_for(api, base_url=f"https://[::1]:{api.port}"))

    (head,) = proxy.heads
    assert head.startswith(b"CONNECT [::1]:%d HTTP/1.1\r\nHost: [::1]:%d\r\n" % ((api.port,) * 2))
    assert api.requests == 0


class RealClock(Clock):
    """The clock of the sockets."""

    def __call__(self) -> float:
        return time.monotonic()


def failure_through(
    server: WireServer, call: Caller, scheme: str, clock: Clock | None = None, **options: Any
) -> APIConnectionError:
    """The error of a call through a proxy. Nothing of the request was sent."""
    call_options = {"base_url": "https://api.invalid", "retries": 0, **options}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("https_proxy", proxy_url(server, scheme))
        with pytest.raises(APIConnectionError) as caught:
            call(None, options=call_options, clock=clock)
    assert caught.value.failure == "never sent"
    return caught.value


def test_a_proxy_that_ends_the_connection_at_any_byte_opens_nothing(call: Caller) -> None:
    lengths = iter(range(len(ESTABLISHED) + 1))

    def serve(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")
        connection.sendall(ESTABLISHED[: next(lengths)])

    with serving(serve) as server:
        for _ in range(len(ESTABLISHED) + 1):
            failure_through(server, call, "http")


@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03"])
def test_bytes_behind_the_response_of_a_proxy_are_an_error(call: Caller, surplus: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")
        connection.sendall(ESTABLISHED + surplus)
        # Whatever comes next is not for a server that speaks first.
        connection.recv(1)

    with serving(serve) as server:
        error = failure_through(server, call, "http", timeout=5.0)

    assert not isinstance(error, APITimeoutError)
    assert "before TLS" in str(error)


@pytest.mark.parametrize("part", [INTERIM, b"HTTP/1.1 200 OK\r\nA: " + b"b" * 10_000])
def test_a_proxy_that_floods_is_an_error(call: Caller, part: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        receive_until(connection, b"\r\n\r\n")
        while True:
            connection.sendall(part * 100)

    with serving(serve) as server:
        error = failure_through(server, call, "http")

    assert not isinstance(error, APITimeoutError)


def drip_head(connection: socket.socket) -> None:
    """Send a head whose end never comes, byte by byte."""
    receive_until(connection, b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 200 OK\r\nVia: ")
    connection.settimeout(0.02)
    while True:
        with suppress(TimeoutError):
            if not connection.recv(1):
                return
        connection.sendall(b"a")


def send_half_a_reply(connection: socket.socket) -> None:
    """Send the first byte of a reply of SOCKS."""
    connection.recv(65_536)
    connection.sendall(b"\x05")
    connection.recv(1)


@pytest.mark.parametrize(("scheme", "serve"), [("http", drip_head), ("socks5", send_half_a_reply)])
def test_a_proxy_that_does_not_finish_its_response_ends_at_the_deadline(
    call: Caller, scheme: str, serve: Callable[[socket.socket], None]
) -> None:
    with serving(serve) as server:
        error = failure_through(server, call, scheme, clock=RealClock(), deadline=0.3)

    assert isinstance(error, APITimeoutError)


# SOCKS 5.

NO_AUTHENTICATION = 0
PASSWORD = 2


@dataclass
class SOCKSProxy:
    """A proxy for SOCKS 5 (RFC 1928 and RFC 1929).

    Args:
        port: the port of this machine that it connects to, whatever the request says.
        user: the credentials that it requires; empty for none.
        bound_address: the address in its last reply, with its type.
    """

    port: int
    send: Send = send_at_once
    user: bytes = b""
    password: bytes = b""
    code: int = 0
    bound_address: bytes = b"\x01\x7f\0\0\x01"
    targets: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        version, count = receive_exactly(connection, 2)
        assert version == 5
        methods = receive_exactly(connection, count)
        method = PASSWORD if self.user else NO_AUTHENTICATION
        if method not in methods:
            self.send(connection, b"\x05\xff")
            return
        self.send(connection, bytes([5, method]))
        if self.user and not self._check_password(connection):
            return
        self.targets.append(self._receive_target(connection))
        self.send(connection, bytes([5, self.code, 0]) + self.bound_address + b"\x1f\x90")
        if self.code:
            return
        with socket.create_connection(("127.0.0.1", self.port)) as remote:
            relay(connection, remote)

    def _check_password(self, connection: socket.socket) -> bool:
        assert receive_exactly(connection, 1) == b"\x01"
        user = receive_exactly(connection, receive_exactly(connection, 1)[0])
        password = receive_exactly(connection, receive_exactly(connection, 1)[0])
        is_valid = (user, password) == (self.user, self.password)
        self.send(connection, b"\x01\x00" if is_valid else b"\x01\x01")
        return is_valid

    def _receive_target(self, connection: socket.socket) -> tuple[str, int]:
        head = receive_exactly(connection, 4)
        assert head[:3] == b"\x05\x01\x00"
        if head[3] == 3:
            host = receive_exactly(connection, receive_exactly(connection, 1)[0]).decode()
        else:
            size = {1: 4, 4: 16}[head[3]]
            host = str(ipaddress.ip_address(receive_exactly(connection, size)))
        return host, int.from_bytes(receive_exactly(connection, 2), "big")


BOUND_ADDRESSES = [b"\x01\x7f\0\0\x01", b"\x03\x09localhost", b"\x04" + b"\0" * 15 + b"\x01"]


@both_ways_of_sending
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("bound_address", BOUND_ADDRESSES, ids=["IPv4", "name", "IPv6"])
def test_a_socks_proxy_connects_to_the_api(
    call: Caller,
    api: Switchable,
    monkeypatch: pytest.MonkeyPatch,
    bound_address: bytes,
    scheme: str,
    send: Send,
) -> None:
    proxy = SOCKSProxy(api.port, send, bound_address=bound_address)
    with serving(proxy.serve) as server:
        monkeypatch.setenv("all_proxy", proxy_url(server, scheme))
        assert call(None, options=options_for(api)).success

    assert proxy.targets == [("localhost", api.port)]


@both_ways_of_sending
def test_a_socks_proxy_gets_user_and_password(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch, send: Send
) -> None:
    proxy = SOCKSProxy(api.port, send, user=b"us@er", password="p:/?#ä".encode())
    with serving(proxy.serve) as server:
        user = "us%40er:p%3A%2F%3F%23%C3%A4@"
        monkeypatch.setenv("all_proxy", proxy_url(server, "socks5", user))
        assert call(None, options=options_for(api)).success


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_socks_proxy_gets_an_address_as_an_address(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    proxy = SOCKSProxy(api.port)
    url_host = f"[{host}]" if ":" in host else host
    with serving(proxy.serve) as server:
        monkeypatch.setenv("all_proxy", proxy_url(server, "socks5"))
        options = options_for(api, base_url=f"https://{url_host}:{api.port}")
        if host == "127.0.0.1":
            assert call(None, options=options).success
        else:
            with pytest.raises(APIConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                call(None, options=options)

    assert proxy.targets == [(host, api.port)]


@pytest.mark.parametrize("user", ["", "name:wrong@"])
def test_a_rejected_login_at_a_socks_proxy_is_final_and_not_shown(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    proxy = SOCKSProxy(api.port, user=b"name", password=b"right")
    with serving(proxy.serve) as server:
        monkeypatch.setenv("all_proxy", proxy_url(server, "socks5", user))
        with pytest.raises(APIConnectionError, match=r"authentication|password") as caught:
            call(None, options={"base_url": api.url})

    assert (caught.value.failure, caught.value.attempts) == ("never sent", 1)
    assert "wrong" not in repr(caught.value)
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "general server failure"),
        (2, "connection not allowed by ruleset"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (9, "SOCKS 5"),
    ],
)
def test_the_reason_of_a_socks_proxy_is_reported(
    call: Caller, api: Switchable, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    proxy = SOCKSProxy(api.port, code=code)
    with serving(proxy.serve) as server:
        monkeypatch.setenv("all_proxy", proxy_url(server, "socks5"))
        with pytest.raises(APIConnectionError, match=reason) as caught:
            call(None, options=options_for(api))

    assert caught.value.failure == "never sent"


def test_a_socks_proxy_that_ends_the_connection_at_any_byte_opens_nothing(call: Caller) -> None:
    replies = b"\x05\x00" + b"\x05\x00\x00" + BOUND_ADDRESSES[1] + b"\x1f\x90"
    lengths = iter(range(len(replies) + 1))

    def serve(connection: socket.socket) -> None:
        length = next(lengths)
        receive_exactly(connection, 3)
        connection.sendall(replies[: min(length, 2)])
        if length > 2:
            connection.recv(65_536)
            connection.sendall(replies[2:length])

    with serving(serve) as server:
        for _ in range(len(replies) + 1):
            failure_through(server, call, "socks5")


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 No\r\n\r\n", b"\x05\x00x", b"\x05\x07", b"\x04\x00", b"\0" * 30]
)
def test_what_is_no_reply_of_a_socks_proxy_is_an_error(call: Caller, reply: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(reply)
        connection.recv(65_536)

    with serving(serve) as server:
        error = failure_through(server, call, "socks5")

    assert not isinstance(error, APITimeoutError)


@pytest.mark.parametrize("user", ["a" * 256 + ":b@", "a:" + "b" * 256 + "@", "a:@", ":b@"])
def test_credentials_that_socks_cannot_carry_are_a_configuration_error(
    call: Caller, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    monkeypatch.setenv("all_proxy", f"socks5://{user}proxy.invalid")
    with pytest.raises(ConfigurationError, match=r"all_proxy.*255 bytes"):
        call(None)


def test_a_connection_through_a_proxy_is_used_again(
    api: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = SOCKSProxy(api.port)
    with serving(proxy.serve) as server:
        monkeypatch.setenv("all_proxy", proxy_url(server, "socks5"))
        with LeadConnector(token=TOKEN, base_url=api.url, rate_limit=None) as client:
            for _ in range(3):
                client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    assert len(server.connections) == 1
    assert api.requests == 3
