"""Checks the options of a client, and explains to the caller which option is meant."""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from typing import Any, TypedDict, TypeVar, cast

from ._runtime.checks import check_flag
from ._runtime.finding import Finding
from ._runtime.http import Timeout
from ._runtime.protocols import Tracing
from ._runtime.scalars import Duration, seconds_of, whole_number
from .errors import ConfigurationError, ResponseInfo
from .rate_limit.in_process import RateLimit

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
    "endpoint": "base_url",
    "host": "base_url",
    "http_client": "transport",
    "httpx_client": "transport",
    "key": "token",
    "limits": "transport",
    "max_retry": "retries",
    "mounts": "transport",
    "oauth": "token",
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

# RFC 9110, section 5.5, without the obsolete bytes above ASCII.
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")

FIXED_OPTIONS = frozenset({"token", "base_url", "allow_http", "transport"})
"""Options that all clients with the same connections share."""

Constructor = TypeVar("Constructor", bound=Callable[..., None])


class Options(TypedDict, total=False):
    """The options that `with_options` can change. `LeadConnector` describes them."""

    version: str | None
    timeout: Duration | Timeout | None
    deadline: Duration | None
    retries: int
    rate_limit: RateLimit | None
    on_response: Callable[[ResponseInfo], object] | None
    on_drift: Callable[[Finding], object] | None
    strict: bool
    tracing: Tracing | None


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
            if has_positional:
                raise TypeError(
                    f"{class_name}() takes keyword arguments only, such as {class_name}(token=…)"
                )
            _check_names(list(options), _keyword_names(constructor), f"{class_name}()")
            constructor(self, **options)
        finally:
            options.clear()

    return cast("Constructor", checked_constructor)


def check_option_changes(names: Collection[str], class_name: str) -> None:
    """Reject options that `with_options` cannot change.

    Args:
        names: the names that the caller passed.
        class_name: the name of the client's class, for the message.

    Raises:
        TypeError: as for every function that gets an unexpected keyword argument.
    """
    function = f"{class_name}.with_options()"
    for name in names:
        if name in FIXED_OPTIONS:
            raise TypeError(f"{function} cannot change {name!r}: make a new {class_name}")
    _check_names(names, list(Options.__annotations__), function)


def _check_names(names: Collection[str], options: Collection[str], function: str) -> None:
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


def check_options(options: Options, *, awaits_callbacks: bool) -> dict[str, Any]:
    """Validate options. Type checkers reject most of what this rejects.

    Args:
        options: the options that the caller passed.
        awaits_callbacks: whether `on_response` and `on_drift` can be async.

    Returns:
        The options for `Settings`: durations are seconds, and numbers are Python's own.

    Raises:
        ConfigurationError: one is invalid.
    """
    values: dict[str, Any] = {**options}
    for name, check in _CHECKS.items():
        if name in values:
            values[name] = check(values[name])
    for name in ("on_response", "on_drift"):
        # Here, before the first call sends a request.
        if not awaits_callbacks and is_async_function(values.get(name)):
            raise ConfigurationError(f"{name} must not be async: only AsyncLeadConnector awaits it")
    return values


def _check_timeout(value: object) -> object:
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


def _check_deadline(value: object) -> object:
    if value is None:
        return None
    return _check_duration(value, f"deadline must be {_TIMEOUT_RANGE}, or a timedelta")


def _check_duration(value: object, problem: str) -> float:
    seconds = seconds_of(value)
    if seconds is None or not 0 < seconds <= LONGEST_TIMEOUT:
        raise ConfigurationError(problem)
    return seconds


def _check_retries(value: object) -> int:
    retries = whole_number(value)
    if retries is None or not 0 <= retries <= LARGEST_RETRIES:
        raise ConfigurationError(f"retries must be a whole number, 0 to {LARGEST_RETRIES}")
    return retries


def _check_rate_limit(value: object) -> object:
    if not isinstance(value, RateLimit | None):
        raise ConfigurationError("rate_limit must be a RateLimit, or None")
    return value


def _check_callback(name: str, value: object) -> object:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name} must be callable")
    if _is_generator_function(value):
        raise ConfigurationError(f"{name} must be a function, not a generator: it would never run")
    return value


def _check_version(value: object) -> object:
    """Reject what no header can carry. Otherwise each call would reject it."""
    if value is None:
        return None
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise ConfigurationError(
            "version must be printable ASCII without blanks at its ends, such as '2021-07-28'"
        )
    return value


def _check_tracing(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, type) or not callable(getattr(value, "start_call", None)):
        raise ConfigurationError("tracing must be an OpenTelemetryTracing, or None")
    return value


def is_async_function(value: object) -> bool:
    """Whether a value is an async function, or an object that is called like one."""
    return _has_code_flag(value, inspect.CO_COROUTINE)


def _is_generator_function(value: object) -> bool:
    """Whether a call of a value runs nothing, because nobody iterates over the result."""
    return _has_code_flag(value, inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)


def _has_code_flag(value: object, flag: int) -> bool:
    """Whether the code of a function, or of an object's `__call__`, has a flag.

    `inspect.iscoroutinefunction` raises for a `Mock` with a spec, and is true for a `MagicMock`.
    """
    function: Any = value
    while isinstance(function, partial):
        function = function.func
    if not callable(function):
        return False
    for callee in (function, type(function).__call__):
        flags = getattr(getattr(callee, "__code__", None), "co_flags", None)
        if isinstance(flags, int) and flags & flag:
            return True
    return False


_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "version": _check_version,
    "timeout": _check_timeout,
    "deadline": _check_deadline,
    "retries": _check_retries,
    "rate_limit": _check_rate_limit,
    "on_response": partial(_check_callback, "on_response"),
    "on_drift": partial(_check_callback, "on_drift"),
    "strict": partial(check_flag, "strict"),
    "tracing": _check_tracing,
}
"""Each returns the option to use, or raises `ConfigurationError`."""
