"""Creates connections to the API, directly or through a proxy."""

import ssl
from dataclasses import dataclass, field
from typing import TypedDict

import httpcore
import httpx

from .network import AsyncNetwork, SyncNetwork

KEEPALIVE_SECONDS = 5.0
"""Seconds after which an idle connection is not used again: httpx's default."""


class _ProxyOptions(TypedDict):
    """The keyword arguments of httpcore's classes for a proxy."""

    proxy_url: httpcore.URL
    proxy_auth: tuple[bytes, bytes] | None
    ssl_context: ssl.SSLContext | None
    keepalive_expiry: float


class _HTTPProxyOptions(_ProxyOptions):
    """Those of an HTTP proxy. A SOCKS proxy has no headers and no TLS."""

    proxy_headers: list[tuple[bytes, bytes]]
    proxy_ssl_context: ssl.SSLContext | None


@dataclass(frozen=True)
class Route:
    """How connections reach the API."""

    ssl_context: ssl.SSLContext | None = field(repr=False)
    """The trusted certificates; `None` for plain http."""
    # The URL of a proxy can have a password.
    proxy: httpx.Proxy | None = field(default=None, repr=False)
    retries: int = 0
    """Retries of a failed attempt to connect. Not used through a proxy."""

    @property
    def has_proxy(self) -> bool:
        """Whether connections lead through a proxy."""
        return self.proxy is not None

    def connection(
        self, origin: httpcore.Origin, network: SyncNetwork
    ) -> httpcore.ConnectionInterface:
        """A connection of a sync client. It connects with its first request."""
        if self.proxy is None:
            return httpcore.HTTPConnection(
                origin,
                ssl_context=self.ssl_context,
                keepalive_expiry=KEEPALIVE_SECONDS,
                retries=self.retries,
                network_backend=network,
            )
        # httpcore's pools are the only public way to a connection through a proxy.
        pool: httpcore.ConnectionPool
        if self._is_socks_proxy(self.proxy):
            options = self._proxy_options(self.proxy)
            pool = httpcore.SOCKSProxy(**options, network_backend=network)
        else:
            http_options = self._http_proxy_options(self.proxy)
            pool = httpcore.HTTPProxy(**http_options, network_backend=network)
        return pool.create_connection(origin)

    def async_connection(
        self, origin: httpcore.Origin, network: AsyncNetwork
    ) -> httpcore.AsyncConnectionInterface:
        """`connection` for an async client."""
        if self.proxy is None:
            return httpcore.AsyncHTTPConnection(
                origin,
                ssl_context=self.ssl_context,
                keepalive_expiry=KEEPALIVE_SECONDS,
                retries=self.retries,
                network_backend=network,
            )
        pool: httpcore.AsyncConnectionPool
        if self._is_socks_proxy(self.proxy):
            options = self._proxy_options(self.proxy)
            pool = httpcore.AsyncSOCKSProxy(**options, network_backend=network)
        else:
            http_options = self._http_proxy_options(self.proxy)
            pool = httpcore.AsyncHTTPProxy(**http_options, network_backend=network)
        return pool.create_connection(origin)

    @staticmethod
    def _is_socks_proxy(proxy: httpx.Proxy) -> bool:
        return proxy.url.scheme in {"socks5", "socks5h"}

    def _http_proxy_options(self, proxy: httpx.Proxy) -> _HTTPProxyOptions:
        return {
            **self._proxy_options(proxy),
            "proxy_headers": proxy.headers.raw,
            "proxy_ssl_context": self._proxy_ssl_context(proxy),
        }

    def _proxy_options(self, proxy: httpx.Proxy) -> _ProxyOptions:
        return {
            "proxy_url": core_url(proxy.url),
            "proxy_auth": proxy.raw_auth,
            "ssl_context": self.ssl_context,
            "keepalive_expiry": KEEPALIVE_SECONDS,
        }

    def _proxy_ssl_context(self, proxy: httpx.Proxy) -> ssl.SSLContext | None:
        """The certificates to trust a proxy by; httpcore rejects any for plain http."""
        if proxy.url.scheme == "http":
            return None
        return self.ssl_context


def core_url(url: httpx.URL) -> httpcore.URL:
    """A URL for httpcore."""
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
