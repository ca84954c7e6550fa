"""Recognises credentials by their names, in the same way for records and for the shown log."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

URL_HEADERS = frozenset({"content-location", "link", "location", "referer", "refresh"})
"""Headers that contain a URL (RFC 9110, RFC 8288; `Refresh` is part of HTML)."""

REDIRECT_HEADERS = URL_HEADERS - {"link"}
"""Headers whose URL may be the redirect of an authorization. A link leads to the next page."""

OAUTH_NAMES = frozenset({"code", "state", "token"})
"""Credentials of OAuth. Elsewhere, a `code` is an error code, and a `state` is a filter."""

_SECRET_HEADER = re.compile(
    "authorization|cookie|password|secret|token|(?:api|auth|subscription)[-_]?key", re.IGNORECASE
)
"""The names of headers whose whole value is a credential."""

_SECRET_NAMES = frozenset({"authorization", "jwt", "passwd", "token"})
"""The normalised names of properties and parameters that are credentials."""

_SECRET_ENDINGS = (
    "accesstoken",
    "apikey",
    "apitoken",
    "assertion",
    "authtoken",
    "bearertoken",
    "codeverifier",
    "idtoken",
    "password",
    "privatekey",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
)
"""The normalised names that end so are credentials too, such as `clientSecret`. A name that only
ends in `token` may be that of a page."""

_OAUTH_PATH = re.compile(r"(^|/)oauth2?(/|$)", re.IGNORECASE)
"""Paths whose bodies contain tokens."""

_SEPARATORS = re.compile(r"[\W_]+")

MAXIMUM_NESTING = 4
"""Levels of URLs within the parameters of a URL. A deeper one is removed as a whole."""

_URL_PARAMETER = re.compile(r"""([?&#;])([\w.~%\[\]+-]+)=([^&#\s"<>\\]*)""")
"""A parameter in the query or fragment of a URL, which may be part of a text. HTML escapes `&` as
`&amp;`."""

_USER_INFORMATION = re.compile(r"://([^/?#@\s\"<>]+)@")
"""Name and password in a URL (RFC 3986, section 3.2.1)."""


@dataclass(frozen=True)
class CredentialNames:
    """The names of credentials in an exchange."""

    is_oauth: bool = False
    """Whether the path belongs to OAuth, where more names are credentials."""
    further_headers: frozenset[str] = frozenset()
    """Names in lower case, from the security schemes of a spec."""
    further_parameters: frozenset[str] = frozenset()
    """Normalised names, from the security schemes of a spec."""

    def has_header(self, name: str) -> bool:
        """Whether the whole value of a header is a credential."""
        return name.lower() in self.further_headers or _SECRET_HEADER.search(name) is not None

    def has_property(self, name: str) -> bool:
        """Whether a property of a body is a credential."""
        normalised_name = normalised(name)
        if self.is_oauth and normalised_name in OAUTH_NAMES:
            return True
        return (
            normalised_name in _SECRET_NAMES
            or normalised_name in self.further_parameters
            or normalised_name.endswith(_SECRET_ENDINGS)
        )

    def has_parameter(self, name: str) -> bool:
        """Whether a parameter of a URL is a credential."""
        return _is_code(name) or self.has_property(name)

    def has_redirect_parameter(self, name: str) -> bool:
        """Whether a parameter is a credential in the URL of a redirect."""
        return normalised(name) in OAUTH_NAMES or self.has_property(name)

    def rule_for_header(self, name: str, value: str) -> Callable[[str], bool]:
        """The rule for the parameters of the URLs in a header."""
        if name.lower() in REDIRECT_HEADERS or secrets_in_urls(value, _is_code):
            return self.has_redirect_parameter
        return self.has_parameter

    def rule_for_query(self, query: str) -> Callable[[str], bool]:
        """The rule for the parameters of a query: beside a `code`, the `state` belongs to OAuth."""
        if secrets_in_urls(f"?{query}", _is_code):
            return self.has_redirect_parameter
        return self.has_parameter


def is_oauth_path(path: str) -> bool:
    """Whether the bodies of a path contain tokens."""
    return _OAUTH_PATH.search(path) is not None


def normalised(name: str) -> str:
    """A name in lower case without separators, so that all spellings of a name are equal."""
    return _SEPARATORS.sub("", name).lower()


def _is_code(name: str) -> bool:
    """Whether a parameter has the name of an authorization code (RFC 6749, section 4.1.2)."""
    return name.lower() == "code"


def secrets_in_urls(
    text: str, is_secret: Callable[[str], bool], levels: int = MAXIMUM_NESTING
) -> list[str]:
    """The decoded credentials in the URLs of a text."""
    secrets = [unquote(match[1]) for match in _USER_INFORMATION.finditer(text)]
    for match in _URL_PARAMETER.finditer(text):
        _, name, value = match.groups()
        if is_secret(unquote(name)):
            secrets.append(unquote_plus(value))
        elif _may_contain_url(value) and levels > 0:
            secrets += secrets_in_urls(unquote(value), is_secret, levels - 1)
    return secrets


def without_secrets_in_urls(
    text: str, is_secret: Callable[[str], bool], placeholder: str, levels: int = MAXIMUM_NESTING
) -> str:
    """A text whose URLs contain a placeholder in place of each credential."""

    def clean_parameter(match: re.Match[str]) -> str:
        separator, name, value = match.groups()
        if is_secret(unquote(name)):
            return f"{separator}{name}={placeholder}"
        if not _may_contain_url(value):
            return match[0]
        if levels == 0:
            return f"{separator}{name}={placeholder}"
        inner_text = unquote(value)
        clean_inner_text = without_secrets_in_urls(inner_text, is_secret, placeholder, levels - 1)
        if clean_inner_text == inner_text:
            return match[0]
        return f"{separator}{name}={quote(clean_inner_text, safe='', errors='replace')}"

    if "=" in text:
        text = _URL_PARAMETER.sub(clean_parameter, text)
    if "@" in text:
        text = _USER_INFORMATION.sub(f"://{placeholder}@", text)
    return text


def _may_contain_url(value: str) -> bool:
    """Whether the value of a parameter may be another URL with parameters."""
    return "=" in value or "%3D" in value.upper()
