"""Reads a list of arguments from an environment variable, without a shell.

`make test TESTS=…` and `make fuzz ARGS=…` pass user input in such variables. A shell would execute
commands inside them.
"""

from __future__ import annotations

import os
import shlex


class ArgumentsError(Exception):
    """An environment variable is not a list of arguments. The message has one line."""


def arguments_from(variable: str) -> list[str]:
    """The arguments in an environment variable; none if it is not set.

    The value is split at spaces. Quotes and backslashes have the meaning of POSIX shells. Nothing
    is expanded: no variables, no file patterns, no commands.

    Raises:
        ArgumentsError: a quote is not closed, or the last character is a backslash.
    """
    value = os.environ.get(variable, "")
    try:
        return shlex.split(value)
    except ValueError as error:
        raise ArgumentsError(f"{variable}={value}: {error}") from error
