"""Makes the URL at which a user authorizes an application, and checks its parts."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from .._runtime.secrets import Secret
from ..errors import ArgumentError
from .endpoint import is_valid_credential

# RFC 6749, section 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]+")

# RFC 6749, appendix A.5: the state is printable ASCII.
_STATE = re.compile(r"[ -~]+")

# A browser sends the code to this URL in clear, so http goes only to the user's own machine.
_LOOPBACK_HOST = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

# RFC 3986: a URL has no other characters.
_URL_TEXT = re.compile(r"[!-~]+")


class ConsentRequest(NamedTuple):
    """What the authorization page needs to know."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str

    def url(self, page: str) -> str:
        """The URL of the page with these parameters (RFC 6749, section 4.1.1)."""
        parameters = {
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "scope": " ".join(self.scopes),
            "state": self.state,
        }
        # `%20` for a blank: the vendor's own examples have blanks, and a plus sign means one only
        # in forms.
        return f"{page}?{urlencode(parameters, quote_via=quote)}"


def check_scopes(scopes: str | Iterable[str]) -> tuple[str, ...]:
    """The scopes without duplicates, in their order.

    Args:
        scopes: names of scopes; one text has them separated by blanks, as in OAuth itself.

    Raises:
        ArgumentError: there are none, or one is not the name of a scope.
    """
    if not isinstance(scopes, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentError("scopes must be text, or a list of texts", argument="scopes")
    names: list[Any] = scopes.split() if isinstance(scopes, str) else list(scopes)
    if not names:
        raise ArgumentError(
            'scopes must name at least one scope, such as "conversations.write"', argument="scopes"
        )
    for name in names:
        if not isinstance(name, str) or not _SCOPE.fullmatch(name):
            raise ArgumentError(
                "each scope must be printable ASCII without blanks, quotation marks and "
                'backslashes, such as "conversations.write"',
                argument="scopes",
            )
    return tuple(dict.fromkeys(names))


def check_state(state: object) -> str:
    """The state.

    Raises:
        ArgumentError: it is empty, or not printable ASCII.
    """
    if not isinstance(state, str) or not _STATE.fullmatch(state):
        raise ArgumentError(
            "state must be printable ASCII and not empty: use secrets.token_urlsafe() and compare "
            "it with the state of the redirect",
            argument="state",
        )
    return state


def check_redirect_uri(redirect_uri: object, *, allow_http: bool) -> str:
    """The redirect URI, unchanged: the endpoint compares it character by character.

    Args:
        redirect_uri: what the caller passed.
        allow_http: whether http may go to another machine.

    Raises:
        ArgumentError: it is not `https://HOST/…`, or `http://` of loopback, or has a fragment.
    """
    problem = "redirect_uri must be https://HOST/PATH (http only to loopback), without a fragment"
    if not isinstance(redirect_uri, str) or not _URL_TEXT.fullmatch(redirect_uri):
        raise ArgumentError(problem, argument="redirect_uri")
    try:
        parts = urlsplit(redirect_uri)
        host = parts.hostname or ""
        has_valid_port = parts.port != 0
    except ValueError:
        raise ArgumentError(problem, argument="redirect_uri") from None
    if not host or not has_valid_port or "#" in redirect_uri or "@" in parts.netloc:
        raise ArgumentError(problem, argument="redirect_uri")
    if parts.scheme == "https":
        return redirect_uri
    if parts.scheme == "http" and (allow_http or _LOOPBACK_HOST.fullmatch(host)):
        return redirect_uri
    raise ArgumentError(problem, argument="redirect_uri")


def check_code(code: Secret[object]) -> Secret[str]:
    """The authorization code. The message never shows it.

    Raises:
        ArgumentError: it is empty, or not printable ASCII.
    """
    if not is_valid_credential(code.reveal()):
        raise ArgumentError(
            "code must be the parameter `code` of the redirect: printable ASCII, and not empty",
            argument="code",
        )
    return Secret(str(code.reveal()))
