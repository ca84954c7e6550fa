"""Makes the transports of a client that was given none."""

import errno
import os
import ssl
from functools import cached_property
from importlib.util import find_spec

import httpx

from ...errors import ConfigurationError
from ..secrets import Secret
from .failures import is_interruption
from .sending import DirectAsyncTransport, DirectTransport
from .urls import environment_proxy, proxy_variable

# The reasons of an OSError that lie in the file that a variable names. Other reasons, such as too
# many open files, have nothing to do with the variable.
_FILE_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
    }
)

_MAXIMUM_SOCKS_BYTES = 255
"""Bytes of a user or a password for SOCKS 5 (RFC 1929, section 2)."""


class DefaultTransports:
    """Makes the transports of one client.

    All of them share the certificates, which take 20 ms and some MiB to load.

    Args:
        url: the base URL.
        retries: how often a failed attempt to connect is repeated.
    """

    def __init__(self, url: str, *, retries: int = 0) -> None:
        self._url = url
        self._retries = retries

    def sync_transport(self) -> DirectTransport:
        """A new transport of a sync client, which uses the environment's proxy.

        Raises:
            ConfigurationError: the proxy or certificate file of the environment is unusable.
            OSError: the certificates cannot be loaded for another reason.
        """
        # Only here: a client with a custom transport does not need it.
        from .routes import Route  # noqa: PLC0415
        from .sync_pool import SyncPool  # noqa: PLC0415

        proxy = proxy_of(self._url)
        return SyncPool(Route(self._ssl_context, proxy, self._retries))

    def async_transport(self) -> DirectAsyncTransport:
        """`sync_transport` for the running event loop of an async client."""
        from .async_pool import AsyncPool  # noqa: PLC0415
        from .routes import Route  # noqa: PLC0415

        proxy = proxy_of(self._url)
        return AsyncPool(Route(self._ssl_context, proxy, self._retries))

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext | None:
        """The trusted certificates; `None` for plain http, which goes only to loopback."""
        if self._url.startswith("http:"):
            return None
        context = load_certificates()
        # No server may answer with HTTP/2 (RFC 7301).
        context.set_alpn_protocols(["http/1.1"])
        return context


def default_transport(url: str, *, retries: int = 0) -> DirectTransport:
    """A new transport for requests to one URL; see `DefaultTransports`."""
    return DefaultTransports(url, retries=retries).sync_transport()


def proxy_of(url: str) -> httpx.Proxy | None:
    """The proxy of a URL in the environment.

    Raises:
        ConfigurationError: the variable with the proxy is invalid.
    """
    address = Secret(environment_proxy(url))
    if address.reveal() is None:
        return None
    proxy = httpx.Proxy(address.reveal() or "")
    if proxy.url.scheme.startswith("socks"):
        _check_socks(proxy)
    return proxy


def _check_socks(proxy: httpx.Proxy) -> None:
    """Check that a SOCKS proxy can be used.

    Raises:
        ConfigurationError: it cannot.
    """
    if find_spec("socksio") is None:
        raise ConfigurationError(
            f"{proxy_variable()} is a SOCKS proxy, which needs a package: pip install httpx[socks]"
        )
    for credential in proxy.raw_auth or ():
        if not 1 <= len(credential) <= _MAXIMUM_SOCKS_BYTES:
            raise ConfigurationError(
                f"{proxy_variable()} is a SOCKS proxy, whose user and password must have 1 to "
                f"{_MAXIMUM_SOCKS_BYTES} bytes each"
            )


def load_certificates() -> ssl.SSLContext:
    """The certificates in `SSL_CERT_FILE` or `SSL_CERT_DIR`, else those of certifi.

    Raises:
        ConfigurationError: the file that a variable names is unusable. The message does not show
            the name.
        OSError: the certificates cannot be loaded for another reason.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        variable = _variable_of(error)
        if variable is None or is_interruption(error):
            raise
        reason = error.strerror or type(error).__name__
    # Outside of the handler: the context of an exception has frames with the environment's values.
    raise ConfigurationError(f"{variable} names no usable file or directory: {reason}")


def _variable_of(error: OSError) -> str | None:
    """The environment variable that caused an error, if one did, in httpx's order."""
    is_bad_file = isinstance(error, ssl.SSLError) or error.errno in _FILE_ERRORS
    if not is_bad_file:
        return None
    # `ssl.create_default_context` opens this file for the keys of connections.
    if error.filename is not None and error.filename == os.environ.get("SSLKEYLOGFILE"):
        return "SSLKEYLOGFILE"
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if os.environ.get(variable):
            return variable
    return None
