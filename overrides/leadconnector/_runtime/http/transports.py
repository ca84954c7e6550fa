"""Makes the transports of a client that was given none."""

import httpx

from .urls import environment_proxy


def default_transport(url: str, *, retries: int = 0) -> httpx.HTTPTransport:
    """A new connection pool for a URL, which uses the environment's proxy.

    Args:
        url: the base URL.
        retries: how often a failed attempt to connect is repeated.

    Raises:
        OSError, ValueError, ImportError: the proxy or certificate file of the environment is
            unusable.
    """
    return httpx.HTTPTransport(proxy=environment_proxy(url), retries=retries)


def default_async_transport(url: str) -> httpx.AsyncHTTPTransport:
    """`default_transport` for async code."""
    return httpx.AsyncHTTPTransport(proxy=environment_proxy(url))
