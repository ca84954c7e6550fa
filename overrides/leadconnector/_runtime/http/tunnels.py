"""Has a proxy open a connection to the API, over which TLS follows.

Plain http never goes through a proxy, so each proxy is a tunnel: `CONNECT` of an HTTP proxy
(RFC 9110, section 9.3.6), or SOCKS 5 (RFC 1928).
"""

import base64
from http import HTTPStatus
from importlib import import_module
from typing import Any

import httpx

from .failures import ConnectTimeout
from .h11_parser import H11Parser
from .limits import Limits
from .outgoing import Origin
from .response_parser import ParserState
from .sockets import Stream

# The forms of SOCKS 5 replies (RFC 1928, sections 3 and 6; RFC 1929, section 2).
_SHORT_REPLY_BYTES = 2
_LAST_REPLY_HEAD_BYTES = 4
_ADDRESS_TYPE_POSITION = 3
_PORT_BYTES = 2
_NAME = 3
_ADDRESS_BYTES = {1: 4, 4: 16}
"""Bytes of an address of IPv4 and of IPv6, by its type."""


async def open_tunnel(stream: Stream, proxy: httpx.Proxy, origin: Origin, limits: Limits) -> None:
    """Have a proxy connect to the API.

    Args:
        stream: the connection to the proxy.
        proxy: its URL, which can have a password.
        origin: where the API is.
        limits: each step has the timeout of reading or writing.

    Raises:
        httpx.ConnectTimeout: the proxy does not respond in time.
        httpx.ProxyError: it rejects the connection, or fails.
    """
    open_with = _open_with_connect
    if proxy.url.scheme in {"socks5", "socks5h"}:
        open_with = _open_with_socks
    try:
        await open_with(stream, proxy, origin, limits)
    except httpx.TimeoutException as error:
        # A request that was certainly not sent, as with `ProxyError`.
        raise ConnectTimeout("the proxy did not open the connection in time") from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise httpx.ProxyError(f"the proxy did not open the connection: {error}") from error


async def _open_with_connect(
    stream: Stream, proxy: httpx.Proxy, origin: Origin, limits: Limits
) -> None:
    parser = H11Parser()
    parser.start("CONNECT")
    await stream.write(_connect_request(proxy, origin), limits.timeouts.get("write"))
    while parser.state is ParserState.HEAD:
        parser.feed(await stream.read(limits.timeouts.get("read")))
    if not 200 <= parser.status_code < 300:
        raise httpx.ProxyError(_status_text(parser.status_code))
    # In TLS the client speaks first. These bytes cannot be a part of it.
    if parser.has_surplus:
        raise httpx.ProxyError("the proxy sent bytes before TLS has started")


def _connect_request(proxy: httpx.Proxy, origin: Origin) -> memoryview:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{host}:{origin.port}".encode("ascii")
    # No variable contains the password, which a traceback could show.
    return memoryview(
        b"CONNECT %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n" % (target, target)
        + _authorization_line(proxy)
        + b"\r\n"
    )


def _authorization_line(proxy: httpx.Proxy) -> bytes:
    if proxy.raw_auth is None:
        return b""
    return b"Proxy-Authorization: Basic " + base64.b64encode(b":".join(proxy.raw_auth)) + b"\r\n"


def _status_text(status_code: int) -> str:
    """The text for a rejection, without the proxy's own words: they can repeat the password."""
    try:
        return f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        return str(status_code)


async def _open_with_socks(
    stream: Stream, proxy: httpx.Proxy, origin: Origin, limits: Limits
) -> None:
    # An optional package, which `proxy_of` has looked for. It has no types where it is missing.
    socksio: Any = import_module("socksio")
    try:
        await _SOCKSTunnel(stream, limits).open(proxy, origin)
    except socksio.SOCKSError as error:
        raise httpx.ProxyError(f"the proxy does not speak SOCKS 5: {error}") from error


class _SOCKSTunnel:
    """The handshake of SOCKS 5. The package `socksio` encodes and decodes its messages."""

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._socks5: Any = import_module("socksio.socks5")
        self._connection = self._socks5.SOCKS5Connection()
        self._stream = stream
        self._limits = limits
        self._received = b""
        """Bytes of the proxy that no reply has used yet."""

    async def open(self, proxy: httpx.Proxy, origin: Origin) -> None:
        """Agree on a way of authentication, log in, and have the proxy connect.

        Raises:
            httpx.ProxyError: the proxy rejects one of the steps.
        """
        await self._choose_method(proxy)
        if proxy.raw_auth is not None:
            await self._log_in(*proxy.raw_auth)
        await self._connect(origin)

    async def _choose_method(self, proxy: httpx.Proxy) -> None:
        method = self._socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED
        if proxy.raw_auth is not None:
            method = self._socks5.SOCKS5AuthMethod.USERNAME_PASSWORD
        await self._send(self._socks5.SOCKS5AuthMethodsRequest([method]))
        reply = self._connection.receive_data(await self._receive(_SHORT_REPLY_BYTES))
        if reply.method != method:
            raise httpx.ProxyError("the proxy requires another way of authentication")

    async def _log_in(self, user: bytes, password: bytes) -> None:
        await self._send(self._socks5.SOCKS5UsernamePasswordRequest(user, password))
        reply = self._connection.receive_data(await self._receive(_SHORT_REPLY_BYTES))
        if not reply.success:
            raise httpx.ProxyError("Invalid username/password")

    async def _connect(self, origin: Origin) -> None:
        await self._send(
            self._socks5.SOCKS5CommandRequest.from_address(
                self._socks5.SOCKS5Command.CONNECT, (origin.host, origin.port)
            )
        )
        reply = self._connection.receive_data(await self._receive_last_reply())
        if reply.reply_code != self._socks5.SOCKS5ReplyCode.SUCCEEDED:
            reason = reply.reply_code.name.lower().replace("_", " ")
            raise httpx.ProxyError(f"the proxy cannot connect: {reason}")
        if self._received:
            raise httpx.ProxyError("the proxy sent bytes before TLS has started")

    async def _send(self, request: object) -> None:
        self._connection.send(request)
        data = memoryview(self._connection.data_to_send())
        await self._stream.write(data, self._limits.timeouts.get("write"))

    async def _receive_last_reply(self) -> bytes:
        """Receive the reply with the address from which the proxy connects."""
        head = await self._receive(_LAST_REPLY_HEAD_BYTES)
        address_type = head[_ADDRESS_TYPE_POSITION]
        if address_type == _NAME:
            length = await self._receive(1)
            address_bytes = length[0]
        elif address_type in _ADDRESS_BYTES:
            address_bytes = _ADDRESS_BYTES[address_type]
        else:
            raise httpx.ProxyError("the proxy does not speak SOCKS 5: unknown type of address")
        address = await self._receive(address_bytes + _PORT_BYTES)
        # `socksio` does not expect the length of a name, and nobody needs the name.
        return head + address

    async def _receive(self, count: int) -> bytes:
        """Receive a number of bytes. A proxy can send each one in a packet of its own."""
        while len(self._received) < count:
            received = await self._stream.read(self._limits.timeouts.get("read"))
            if not received:
                raise httpx.ProxyError("the proxy ended the connection within a reply")
            self._received += received
        data = self._received[:count]
        self._received = self._received[count:]
        return data
