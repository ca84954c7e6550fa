"""Checks options that several classes have, and explains to the caller which option is meant."""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import TypeVar, cast

from ..errors import ArgumentError, ConfigurationError
from .http import Timeout
from .scalars import seconds_of, whole_number

LONGEST_TIMEOUT = 86_400.0
"""Seconds: a day. A longer `timeout` or `deadline` is a mistake, such as milliseconds."""

_TIMEOUT_RANGE = f"above 0 s and up to {LONGEST_TIMEOUT:.0f} s, which is a day"

LARGEST_RETRIES = 100
"""Upper bound of the `retries` option. More is a mistake."""

OPTION_SYNONYMS: Mapping[str, str] = {
    "access_token": "token",
    "api_key": "token",
    "apikey": "token",
    "api_version": "version",
    "auth": "token",
    "auth_token": "token",
    "bearer_token": "token",
    "credentials": "token",
    "data": "body",
    "endpoint": "base_url",
    "host": "base_url",
    "http_client": "transport",
    "httpx_client": "transport",
    "json": "body",
    "key": "token",
    "limits": "transport",
    "max_retry": "retries",
    "mounts": "transport",
    "oauth": "token",
    "params": "query",
    "private_integration_token": "token",
    "proxies": "transport",
    "proxy": "transport",
    "quota": "rate_limit",
    "opentelemetry": "tracing",
    "otel": "tracing",
    "retry": "retries",
    "server": "base_url",
    "session": "transport",
    "tracer": "tracing",
    "tracer_provider": "tracing",
    "url": "base_url",
    "verify": "transport",
}
"""Our option for an option of another client, such as httpx, OpenAI's, or the vendor's SDK."""

HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
"""RFC 9110, section 5.5, without the obsolete bytes above ASCII."""

Constructor = TypeVar("Constructor", bound=Callable[..., None])


def explain_wrong_arguments(constructor: Constructor) -> Constructor:
    """Decorate a constructor of keyword-only options, so that a `TypeError` suggests the option.

    Python's own error names the class that defines the constructor, not the one that is called.
    """

    @wraps(constructor)
    def checked_constructor(self: object, *positional: object, **options: object) -> None:
        has_positional = bool(positional)
        # A traceback can show variables, and any argument can be the token.
        del positional
        try:
            class_name = type(self).__name__
            names = _keyword_names(constructor)
            if has_positional:
                example = f"{class_name}({names[0]}=…)"
                raise TypeError(f"{class_name}() takes keyword arguments only, such as {example}")
            check_option_names(list(options), names, f"{class_name}()")
            constructor(self, **options)
        finally:
            options.clear()

    return cast("Constructor", checked_constructor)


def check_option_names(names: Collection[str], options: Collection[str], function: str) -> None:
    """Reject names that are no option.

    Raises:
        TypeError: names the function, the name, and what the caller probably means.
    """
    for name in names:
        if name not in options:
            hint = _suggestion(name, options)
            raise TypeError(f"{function} got an unexpected keyword argument {name!r}; {hint}")


def _keyword_names(function: Callable[..., object]) -> list[str]:
    """The names of a function's keyword-only parameters."""
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names


def _suggestion(name: str, options: Collection[str]) -> str:
    """The option that the caller probably means, or all options."""
    # `apiKey`, as in the vendor's SDK.
    snake_case_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    equivalent = OPTION_SYNONYMS.get(snake_case_name, "")
    if equivalent in options:
        return f"did you mean {equivalent!r}?"
    for option in options:
        # `max_retries`, `request_timeout`.
        if snake_case_name.endswith(f"_{option}"):
            return f"did you mean {option!r}?"
    # Few programs need it.
    from difflib import get_close_matches  # noqa: PLC0415

    # At a lower cutoff, `sessions` would be `version`.
    matches = get_close_matches(snake_case_name, options, n=1, cutoff=0.75)
    if matches:
        return f"did you mean {matches[0]!r}?"
    return f"the options are {', '.join(options)}"


def check_flag(name: str, value: object) -> bool:
    """Return an option that is a truth value.

    Raises:
        ConfigurationError: it is none. Text such as "false" would count as true.
    """
    if type(value) is not bool:
        raise ConfigurationError(f"{name} must be True or False")
    return value


def check_transport(transport: object, method: str) -> None:
    """Check the option `transport`.

    Args:
        transport: what the caller passed; `None` means the default transport.
        method: the name of the method that sends a request.

    Raises:
        ConfigurationError: it has no such method, or it is a class.
    """
    if isinstance(transport, type):
        raise ConfigurationError(f"transport must be an instance, not the class {transport}")
    if transport is not None and not callable(getattr(transport, method, None)):
        raise ConfigurationError(f"transport must be an httpx transport with the method {method}")


def check_timeout(value: object) -> object:
    """Return the option `timeout` in seconds, as an `httpx.Timeout`, or `None`.

    Raises:
        ConfigurationError: it is invalid.
    """
    problem = f"timeout must be {_TIMEOUT_RANGE}, a timedelta, or an httpx.Timeout"
    if value is None:
        return None
    if not isinstance(value, Timeout):
        return _check_duration(value, problem)
    for seconds in value.as_dict().values():
        # httpx accepts any value. A socket raises a ValueError for a negative one.
        if seconds is not None and not 0 <= seconds <= LONGEST_TIMEOUT:
            raise ConfigurationError(f"{problem} of such values")
    return value


def check_deadline(value: object) -> float | None:
    """Return the option `deadline` in seconds, or `None`.

    Raises:
        ConfigurationError: it is invalid.
    """
    if value is None:
        return None
    return _check_duration(value, f"deadline must be {_TIMEOUT_RANGE}, or a timedelta")


def _check_duration(value: object, problem: str) -> float:
    seconds = seconds_of(value)
    if seconds is None or not 0 < seconds <= LONGEST_TIMEOUT:
        raise ConfigurationError(problem)
    return seconds


def check_retries(value: object) -> int:
    """Return the option `retries`.

    Raises:
        ConfigurationError: it is invalid.
    """
    retries = whole_number(value)
    if retries is None or not 0 <= retries <= LARGEST_RETRIES:
        raise ConfigurationError(f"retries must be a whole number, 0 to {LARGEST_RETRIES}")
    return retries


def check_version(value: object) -> object:
    """Return the option `version`.

    Raises:
        ConfigurationError: no header can carry it. Otherwise each call would reject it.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
        raise ConfigurationError(
            "version must be printable ASCII without blanks at its ends, such as '2021-07-28'"
        )
    return value


def has_lone_surrogate(text: str) -> bool:
    """Whether a text has half of a surrogate pair, so that UTF-8 cannot encode it."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def check_rate_limit_key(value: object, requirement: str) -> str:
    """Return the argument that selects the requests that the API counts together.

    Args:
        value: what the caller passed.
        requirement: what it must be; it starts with the name of the argument.

    Raises:
        ArgumentError: it is no text that a request could contain.
    """
    name = requirement.partition(" ")[0]
    if not isinstance(value, str):
        raise ArgumentError(requirement, argument=name)
    if has_lone_surrogate(value):
        raise ArgumentError(f"{requirement} without half of a surrogate pair", argument=name)
    return str(value)
