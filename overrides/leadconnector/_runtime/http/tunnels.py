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
        reply = await self._exchange(self._socks5.SOCKS5AuthMethodsRequest([method]))
        if getattr(reply, "method", None) != method:
            raise httpx.ProxyError("the proxy requires another way of authentication")

    async def _log_in(self, user: bytes, password: bytes) -> None:
        reply = await self._exchange(self._socks5.SOCKS5UsernamePasswordRequest(user, password))
        if not getattr(reply, "success", False):
            raise httpx.ProxyError("Invalid username/password")

    async def _connect(self, origin: Origin) -> None:
        request = self._socks5.SOCKS5CommandRequest.from_address(
            self._socks5.SOCKS5Command.CONNECT, (origin.host, origin.port)
        )
        reply = await self._exchange(request)
        code = getattr(reply, "reply_code", None)
        if code != self._socks5.SOCKS5ReplyCode.SUCCEEDED:
            raise httpx.ProxyError(f"the proxy cannot connect: {code}")

    async def _exchange(self, request: object) -> object:
        """Send a message, and receive the reply to it."""
        self._connection.send(request)
        data = memoryview(self._connection.data_to_send())
        await self._stream.write(data, self._limits.timeouts.get("write"))
        return self._connection.receive_data(
            await self._stream.read(self._limits.timeouts.get("read"))
        )
