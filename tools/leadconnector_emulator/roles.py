"""The roles of arguments and properties: those that a spec marks, and those by HighLevel's names.

`x-role` marks what the client and the emulator must know of the API. HighLevel's operations use the
same names for it, so a new operation need not repeat the mark. The generation step uses this module
too: the client and the emulator must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ROLE_KEYWORD = "x-role"

API_VERSION = "api-version"
ERROR_MESSAGES = "error-messages"
RATE_LIMIT_KEY = "rate-limit-key"

VERSION_HEADER = "Version"
"""HighLevel's header for the version of the API. Its operations require it."""

LOCATION_NAME = "locationId"
"""The name of the location whose requests HighLevel counts."""

MESSAGE_NAMES = ("message", "error")
"""The properties in which HighLevel's errors explain themselves. `error` repeats the status."""


_PLACES = ("path", "query", "header", "cookie", "body", "additional")


class Argument(NamedTuple):
    """A parameter, or a property of the body."""

    name: str
    place: str
    """`path`, `query`, `header`, `cookie` or `body`."""
    required: bool
    role: str | None
    """The value of `x-role`, if the spec has one."""


def argument_roles(arguments: Sequence[Argument]) -> list[str | None]:
    """The role of each argument of an operation.

    A role that the spec marks in the operation is not given to any other argument.

    Args:
        arguments: the arguments of one operation.
    """
    roles = [argument.role for argument in arguments]
    conventions = {API_VERSION: _is_version_header, RATE_LIMIT_KEY: _is_location}
    for role, is_conventional in conventions.items():
        if role in roles:
            continue
        candidates = [
            index
            for index, argument in enumerate(arguments)
            if argument.role is None and is_conventional(argument)
        ]
        if candidates:
            # One of them, whatever the order in which a spec lists them.
            first = min(candidates, key=lambda index: _PLACES.index(arguments[index].place))
            roles[first] = role
    return roles


def message_names(roles: Mapping[str, str | None]) -> list[str]:
    """The properties of an error that explain it.

    Args:
        roles: the value of `x-role` of each property of the error by its name.
    """
    marked_names = [name for name, role in roles.items() if role == ERROR_MESSAGES]
    if marked_names:
        return marked_names
    return [name for name in MESSAGE_NAMES if name in roles][:1]


def _is_version_header(argument: Argument) -> bool:
    # RFC 9110, section 5.1: the names of headers ignore case.
    is_version = argument.name.lower() == VERSION_HEADER.lower()
    return argument.place == "header" and argument.required and is_version


def _is_location(argument: Argument) -> bool:
    return argument.name == LOCATION_NAME
