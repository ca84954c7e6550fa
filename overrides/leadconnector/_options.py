"""Checks the options of a client."""

import inspect
import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypedDict

from ._highlevel import BASE_URL_VARIABLE
from ._runtime.checks import (
    check_deadline,
    check_flag,
    check_option_names,
    check_retries,
    check_timeout,
    check_version,
)
from ._runtime.contract_file import contract_value
from ._runtime.finding import Finding
from ._runtime.http import Timeout
from ._runtime.protocols import Tracing
from ._runtime.scalars import Duration
from .errors import ConfigurationError, ResponseInfo
from .rate_limit.in_process import RateLimit

FIXED_OPTIONS = frozenset({"token", "base_url", "allow_http", "transport"})
"""Options that all clients with the same connections share."""


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
    default_headers: Mapping[str, str] | None
    tracing: Tracing | None


def default_base_url() -> str:
    """The base URL of the environment variable or the spec.

    Raises:
        ConfigurationError: there is neither.
    """
    url: str | None = os.environ.get(BASE_URL_VARIABLE) or contract_value("server")
    if url is None:
        raise ConfigurationError(
            "the spec has no server with a host: pass base_url= (to OAuth: token_url=),"
            f" or set {BASE_URL_VARIABLE}"
        )
    return url


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
    check_option_names(names, list(Options.__annotations__), function)


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
    "version": check_version,
    "timeout": check_timeout,
    "deadline": check_deadline,
    "retries": check_retries,
    "rate_limit": _check_rate_limit,
    "on_response": partial(_check_callback, "on_response"),
    "on_drift": partial(_check_callback, "on_drift"),
    "strict": partial(check_flag, "strict"),
    "tracing": _check_tracing,
}
"""Each returns the option to use, or raises `ConfigurationError`."""
