"""The options of one call: what differs from the client's, and what the spec does not have.

Few programs use them, so they are imported with the first one.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from .._generated import types
from ..errors import ArgumentError, ConfigurationError
from .added_headers import checked_headers
from .checks import check_deadline, check_retries, check_timeout, explain_wrong_arguments
from .frames import clear_frames
from .http import Timeout
from .request import json_data, json_problem
from .scalars import Duration, Query, is_numpy_scalar, plain_scalar
from .secrets import Secret, refuse_pickling
from .settings import Settings

Value = TypeVar("Value")


class RequestOptions(types.RequestOptions):
    """The options of one call. They cannot be changed, and several calls can share them.

    Args:
        timeout: as the client's option. `None`: that of the client.
        deadline: as the client's option. `None`: that of the client.
        retries: as the client's option. `None`: that of the client.
        headers: further headers by name. They replace those of the client's `default_headers`, and
            `Accept` and `User-Agent`. Other headers of the client cannot be replaced.
        query: further query parameters by name: text, numbers and truth values, or lists of them.
            A parameter with a list is repeated.
        body: further properties of the body, which must be a JSON object. Any data that JSON can
            hold. It is not compared with the spec.

    Raises:
        ConfigurationError: an option is invalid. The message shows no value.
        TypeError: there is no such option.
    """

    # Not a dataclass: error reporters show the fields of a dataclass one by one.
    __slots__ = ("_body", "_deadline", "_headers", "_query", "_retries", "_timeout")

    @explain_wrong_arguments
    def __init__(
        self,
        *,
        timeout: Duration | Timeout | None = None,
        deadline: Duration | None = None,
        retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        headers_option = Secret(headers)
        query_option = Secret(query)
        body_option = Secret(body)
        # The rest can raise, and a traceback can show the variables of this frame.
        del headers, query, body
        # A traceback can also show the repr of options that are invalid.
        self._timeout: float | Timeout | None = None
        self._deadline: float | None = None
        self._retries: int | None = None
        self._headers: Secret[Mapping[str, str]] = Secret({})
        self._query: Secret[Mapping[str, tuple[str, ...]]] = Secret({})
        self._body: Secret[Mapping[str, Any]] = Secret({})
        self._timeout = cast("float | Timeout | None", check_timeout(timeout))
        self._deadline = check_deadline(deadline)
        if retries is not None:
            self._retries = check_retries(retries)
        ambient_error = sys.exception()
        try:
            self._headers = _frozen(checked_headers("headers", headers_option.reveal()))
            self._query = _frozen(checked_query("query", query_option.reveal()))
            self._body = _frozen(_checked_body(body_option.reveal()))
        except ConfigurationError as error:
            clear_frames(error, ambient_error)
            raise

    @property
    def timeout(self) -> float | Timeout | None:
        """Seconds, or an `httpx.Timeout`; `None` for that of the client."""
        return self._timeout

    @property
    def deadline(self) -> float | None:
        """Seconds; `None` for that of the client."""
        return self._deadline

    @property
    def retries(self) -> int | None:
        """How many times a failed attempt is repeated; `None` for that of the client."""
        return self._retries

    @property
    def headers(self) -> Mapping[str, str]:
        """The further headers by name."""
        return self._headers.reveal()

    @property
    def query(self) -> Mapping[str, tuple[str, ...]]:
        """The further query parameters by name, as texts."""
        return self._query.reveal()

    @property
    def body(self) -> Mapping[str, Any]:
        """The further properties of the body, as JSON data."""
        return self._body.reveal()

    # Headers can be credentials.
    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        parts: list[str] = []
        for name in ("timeout", "deadline", "retries"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name}={value!r}")
        for name in ("headers", "query", "body"):
            # The names only: values can be credentials or personal data.
            names = ", ".join(getattr(self, name))
            if names:
                parts.append(f"{name}=<{names}>")
        return f"{type(self).__name__}({', '.join(parts)})"


def settings_with(options: RequestOptions, settings: Settings) -> Settings:
    """The settings of a client, with those of a call."""
    changes: dict[str, Any] = {}
    for name in ("timeout", "deadline", "retries"):
        value = getattr(options, name)
        if value is not None:
            changes[name] = value
    if not changes:
        return settings
    return replace(settings, **changes)


def _frozen(mapping: dict[str, Value]) -> Secret[Mapping[str, Value]]:
    return Secret(MappingProxyType(mapping))


def checked_options(options: object) -> RequestOptions:
    """Return the options of a call.

    Raises:
        ArgumentError: it is another object.
    """
    if not isinstance(options, RequestOptions):
        raise ArgumentError(
            "options must be a RequestOptions, such as RequestOptions(timeout=5.0), not "
            f"{type(options).__name__}",
            argument="options",
        )
    return options


def checked_query(option: str, query: object) -> dict[str, tuple[str, ...]]:
    """Return query parameters as texts by name.

    Args:
        option: the name of the option, for the message.
        query: what the caller passed. `None` stands for no parameters.

    Raises:
        ConfigurationError: they are no query parameters. The message shows no value.
    """
    if query is None:
        return {}
    if not isinstance(query, Mapping):
        raise ConfigurationError(f"{option} must be a mapping from names to values")
    parameters: dict[str, tuple[str, ...]] = {}
    for name, value in cast("Mapping[object, object]", query).items():
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"{option} must have texts as names")
        values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
        try:
            name.encode()
            parameters[name] = tuple(_query_text(item) for item in values)
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"{option} must have text, numbers, truth values or lists of them as the values "
                f"of {name!r}"
            ) from None
    return parameters


def _query_text(value: object) -> str:
    """A value of a query parameter as text.

    Raises:
        TypeError: it is of another type.
        ValueError: it is a number that is not finite, or text that is not Unicode.
    """
    if is_numpy_scalar(value):
        value = plain_scalar(value)
    if isinstance(value, bool):
        # As JSON, and as httpx writes them.
        return "true" if value else "false"
    if isinstance(value, str):
        text = str.__str__(value)
        text.encode()
        return text
    if not isinstance(value, int | float):
        raise TypeError
    return str(json_data(value))


def _checked_body(body: object) -> dict[str, Any]:
    """Return the further properties of a body as JSON data.

    Raises:
        ConfigurationError: they are no properties of a JSON object. The message shows no value.
    """
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        raise ConfigurationError("body must be a mapping from names to data that JSON can hold")
    properties: dict[str, Any] = {}
    for name, value in cast("Mapping[object, object]", body).items():
        if not isinstance(name, str):
            raise ConfigurationError("body must have texts as names")
        try:
            properties[str.__str__(name)] = json_data(value)
        except Exception as error:  # a mapping or a model of the caller can raise anything
            raise ConfigurationError(
                f"body must have data that JSON can hold as {name!r} ({json_problem(error)})"
            ) from None
    return properties
