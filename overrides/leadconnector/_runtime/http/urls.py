"""Which base URLs are valid, and through which proxy a URL is reached."""

import os
import re
from contextlib import suppress
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from ...errors import ConfigurationError
from ..secrets import Secret
from .types import URL, InvalidURL

# A host is labels of up to 63 characters (RFC 1035, section 2.3.4), or an IPv6 address in brackets.
_LABEL = r"[^\s/@?#:.\[\]\\]{1,63}"
_ANY_HOST = rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9a-f:.]+\])"
# A token never travels in clear to another machine.
_LOOPBACK_HOST = r"http://(localhost|127(\.\d{1,3}){3}|\[::1\])"
_PORT_AND_PATH = r"(:\d{1,5})?(/[^\s@?#\\]*)?"
_SAFE_URL = re.compile(rf"(https://{_ANY_HOST}|{_LOOPBACK_HOST}){_PORT_AND_PATH}", re.IGNORECASE)
_HTTP_URL = re.compile(rf"https?://{_ANY_HOST}{_PORT_AND_PATH}", re.IGNORECASE)


def check_base_url(url: str, name: str, *, allow_http: bool = False) -> str:
    """Return a base URL without a slash at its end.

    Args:
        url: the URL. An invalid one can contain a password. Untyped callers can pass any object.
        name: names the option in the message.
        allow_http: whether it may be `http://` of any host.

    Raises:
        ConfigurationError: it is not `https://HOST[:PORT][/PATH]`, or `http://` of loopback. The
            message does not show it.
    """
    address = Secret(url)
    # The rest can raise, and a traceback can show the arguments of this frame: see `frames`.
    del url
    if _matches(_SAFE_URL, address) or (allow_http and _matches(_HTTP_URL, address)):
        return str(URL(address.reveal())).rstrip("/")
    if _matches(_HTTP_URL, address):
        raise ConfigurationError(
            f"{name} must be https://HOST/PATH: http would send the token unencrypted to another "
            "machine (allow_http=True permits that, for a test network)"
        )
    raise ConfigurationError(
        f"{name} must be https://HOST/PATH (http only to loopback), with nothing else in it"
    )


def _matches(pattern: re.Pattern[str], url: Secret[Any]) -> bool:
    """Whether a URL has a form, and httpx can parse it."""
    with suppress(TypeError, ValueError, InvalidURL):
        URL(url.reveal())
        return pattern.fullmatch(url.reveal()) is not None
    return False


def environment_proxy(url: str) -> str | None:
    """The proxy of a URL in the environment: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    httpx reads the same variables. Plain http has no proxy: it goes only to loopback, and a proxy
    would see the token in clear.

    Raises:
        ConfigurationError: the proxy is invalid. The message names the variable, without its value.
    """
    target = URL(url)
    address = _proxy_address()
    if not address.reveal() or target.scheme == "http" or proxy_bypass(target.host):
        return None
    if not _is_valid_proxy(address):
        raise ConfigurationError(
            f"{proxy_variable()} is not a valid proxy: it must be http://HOST:PORT or "
            "http://USER:PASSWORD@HOST:PORT, with reserved characters of the password as %XX"
        )
    return address.reveal()


def proxy_variable() -> str:
    """The environment variable that `environment_proxy` uses, if it is set.

    Lower case comes first, as in `getproxies`.
    """
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        if os.environ.get(name):
            return name
    return "the proxy in the system's settings"


def _proxy_address() -> Secret[str]:
    """The URL of the proxy, which can have a password; empty if there is none."""
    proxies = Secret(getproxies())
    address = Secret(proxies.reveal().get("https") or proxies.reveal().get("all") or "")
    if address.reveal() and "://" not in address.reveal():
        return Secret(f"http://{address.reveal()}")
    return address


def _is_valid_proxy(address: Secret[str]) -> bool:
    """Whether a URL is that of a proxy.

    A password with a slash, such as in `http://user:1/2@proxy`, makes a URL of another host. Its
    path, query or fragment then contains the `@`.
    """
    with suppress(ValueError, InvalidURL):
        url = httpx.Proxy(address.reveal()).url
        # The system's resolver does the same later. It raises for an empty or too long label.
        url.raw_host.decode().encode("idna")
        is_port_valid = url.port is None or 0 < url.port < 65536
        behind_host = url.raw_path.decode() + url.fragment
        return bool(url.host) and is_port_valid and "@" not in behind_host
    return False
