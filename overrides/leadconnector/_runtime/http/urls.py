"""Which base URLs are valid, and through which proxy a URL is reached."""

import re
from contextlib import suppress
from urllib.request import getproxies, proxy_bypass

from ...errors import ConfigurationError
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
        url: the URL. Untyped callers can pass any object.
        name: names the option in the message.
        allow_http: whether it may be `http://` of any host.

    Raises:
        ConfigurationError: it is not `https://HOST[:PORT][/PATH]`, or `http://` of loopback.
    """
    if _matches(_SAFE_URL, url) or (allow_http and _matches(_HTTP_URL, url)):
        return str(URL(url)).rstrip("/")
    if _matches(_HTTP_URL, url):
        raise ConfigurationError(
            f"{name} must be https://HOST/PATH: http would send the token unencrypted to another "
            "machine (allow_http=True permits that, for a test network)"
        )
    raise ConfigurationError(
        f"{name} must be https://HOST/PATH (http only to loopback), with nothing else in it"
    )


def _matches(pattern: re.Pattern[str], url: str) -> bool:
    """Whether a URL has a form, and httpx can parse it."""
    with suppress(TypeError, ValueError, InvalidURL):
        URL(url)
        return pattern.fullmatch(url) is not None
    return False


def environment_proxy(url: str) -> str | None:
    """The proxy of a URL in the environment: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    httpx reads the same variables. Plain http has no proxy: it goes only to loopback, and a proxy
    would see the token in clear.
    """
    target = URL(url)
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if not proxy or target.scheme == "http" or proxy_bypass(target.host):
        return None
    if "://" in proxy:
        return proxy
    return f"http://{proxy}"


def proxy_variable() -> str:
    """The environment variable that `environment_proxy` uses, if it is set."""
    if getproxies().get("https"):
        return "HTTPS_PROXY"
    return "ALL_PROXY"
