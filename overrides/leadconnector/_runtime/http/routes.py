"""How connections reach the API: directly, or through a proxy."""

import ssl
from dataclasses import dataclass, field

import httpx

from ..log import logger
from .failures import is_caused_by_interruption
from .limits import Limits
from .outgoing import Origin
from .sockets import Socket, Stream
from .tls import TLSStream

RETRY_SECONDS = 0.5
"""Seconds before the second repetition of an attempt to connect. Each further one waits twice as
long, and the first one not at all. So does httpx."""


@dataclass(frozen=True)
class Route:
    """How connections reach the API."""

    ssl_context: ssl.SSLContext | None = field(repr=False)
    """The trusted certificates; `None` for plain http."""
    # The URL of a proxy can have a password.
    proxy: httpx.Proxy | None = field(default=None, repr=False)
    retries: int = 0
    """Retries of a failed attempt to connect. Not used through a proxy."""

    async def open(self, sock: Socket, origin: Origin, limits: Limits) -> Stream:
        """Connect a socket to the API.

        Returns:
            The stream that carries HTTP.

        Raises:
            httpx.ConnectTimeout: there is no connection in time.
            httpx.ConnectError: the API or the proxy cannot be reached, or is not trusted.
            httpx.ProxyError: the proxy does not open the connection.
        """
        if self.proxy is None:
            stream = await self._open_directly(sock, origin, limits)
        else:
            stream = await self._open_tunnel(self.proxy, sock, origin, limits)
        logger.debug(
            "connected to %s, port %d",
            origin.host,
            origin.port,
            extra={"event": "connected", "host": origin.host, "port": origin.port},
        )
        return stream

    async def _open_directly(self, sock: Socket, origin: Origin, limits: Limits) -> Stream:
        for retry in range(self.retries):
            try:
                return await self._connect(sock, origin, limits)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                sock.close()
                if is_caused_by_interruption(error):
                    raise
            await sock.sleep(_seconds_before_retry(retry))
        return await self._connect(sock, origin, limits)

    async def _connect(self, sock: Socket, origin: Origin, limits: Limits) -> Stream:
        """Connect to an API or a proxy. The TLS handshake shares the timeout."""
        logger.debug(
            "connects to %s, port %d",
            origin.host,
            origin.port,
            extra={"event": "connecting", "host": origin.host, "port": origin.port},
        )
        await sock.connect(origin.host, origin.port, limits.timeouts.get("connect"))
        if not origin.is_encrypted:
            return sock
        return await self._start_tls(sock, sock, origin, sock.connect_ends_at)

    async def _open_tunnel(
        self, proxy: httpx.Proxy, sock: Socket, origin: Origin, limits: Limits
    ) -> Stream:
        """Connect to a proxy, and have it open a connection to the API."""
        # Few users have a proxy.
        from .tunnels import open_tunnel  # noqa: PLC0415

        stream = await self._connect(sock, Origin.of(proxy.url), limits)
        logger.debug(
            "has the proxy connect to %s, port %d",
            origin.host,
            origin.port,
            extra={"event": "tunnel_requested", "host": origin.host, "port": origin.port},
        )
        await open_tunnel(stream, proxy, origin, limits)
        # A timeout of its own: the response of the proxy came before.
        ends_at = sock.timer.end_after(limits.timeouts.get("connect"))
        return await self._start_tls(stream, sock, origin, ends_at)

    async def _start_tls(
        self, stream: Stream, sock: Socket, origin: Origin, ends_at: float
    ) -> Stream:
        context = self.ssl_context
        if context is None:
            raise httpx.ConnectError("there are no trusted certificates for https")
        tls_stream = TLSStream(stream, context, origin.host, sock.timer)
        await tls_stream.handshake(ends_at)
        return tls_stream


def _seconds_before_retry(retry: int) -> float:
    """Seconds to wait before a repetition, which are counted from 0."""
    if retry == 0:
        return 0.0
    return RETRY_SECONDS * 2.0 ** (retry - 1)
