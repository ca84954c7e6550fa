"""Checks the headers that callers add to those of the client.

Few programs add any, so it is imported with the first ones.
"""

import re
from collections.abc import Mapping
from typing import cast

from ..errors import ConfigurationError
from .checks import HEADER_VALUE
from .contract_file import contract_value
from .scalars import plain_text

# A token: RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_CONNECTION = "the client manages its connections"
_BODY = "the client derives it from the body"

RESERVED_HEADERS: Mapping[str, str] = {
    "accept-encoding": "the client decompresses gzip only",
    "authorization": "use the client's option token",
    "connection": _CONNECTION,
    "content-encoding": "the client sends no compressed body",
    "content-length": _BODY,
    "content-type": _BODY,
    "expect": _CONNECTION,
    "host": "use the client's option base_url",
    "keep-alive": _CONNECTION,
    "proxy-authorization": "use the password of the proxy's URL",
    "proxy-connection": _CONNECTION,
    "te": _CONNECTION,
    "trailer": _CONNECTION,
    "transfer-encoding": _BODY,
    "upgrade": _CONNECTION,
}
"""Headers that the client sets itself, or that change how HTTP transfers a request.

In lower case, each with what to do instead.
"""


def checked_headers(option: str, headers: object) -> dict[str, str]:
    """Return headers that callers add, as plain text.

    Args:
        option: the name of the option, for the message.
        headers: what the caller passed. `None` stands for no headers.

    Raises:
        ConfigurationError: they are no headers, or one of them belongs to the client. The message
            shows no value.
    """
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"{option} must be a mapping from names to strings")
    reserved = _reserved_headers()
    values: dict[str, str] = {}
    names: set[str] = set()
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not _NAME.fullmatch(plain_text(name)):
            raise ConfigurationError(
                f"{option} must have names of letters, digits and hyphens: that of header "
                f"{len(values) + 1} is invalid"
            )
        plain_name = plain_text(name)
        lower_name = plain_name.lower()
        if lower_name in reserved:
            raise ConfigurationError(
                f"{option} must not contain {plain_name}: {reserved[lower_name]}"
            )
        if lower_name in names:
            raise ConfigurationError(f"{option} must not contain {plain_name} twice")
        if not isinstance(value, str) or not HEADER_VALUE.fullmatch(plain_text(value)):
            raise ConfigurationError(
                f"{option} must have printable ASCII as the value of {plain_name}, without line "
                "breaks and without blanks at its ends"
            )
        names.add(lower_name)
        values[plain_name] = plain_text(value)
    return values


def _reserved_headers() -> Mapping[str, str]:
    """`RESERVED_HEADERS`, with the header of the API version."""
    version_header = contract_value("version_header")
    if version_header is None:
        return RESERVED_HEADERS
    name: str = version_header["name"]
    instead = "use the argument version of the call, or the client's option version"
    return {**RESERVED_HEADERS, name.lower(): instead}
