"""The options of one call: what differs from the client's, and what the spec does not have.

Few programs use them, so they are imported with the first one.
"""

import datetime
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode
from uuid import UUID

from .._generated import types
from ..errors import ArgumentError, ConfigurationError
from .added_headers import checked_headers
from .checks import (
    check_deadline,
    check_retries,
    check_timeout,
    explain_wrong_arguments,
    has_lone_surrogate,
)
from .finding import MAXIMUM_NAME_LENGTH
from .frames import clear_frames
from .http import Timeout
from .request import json_data, json_problem
from .scalars import Duration, Query, is_numpy_scalar, plain_scalar
from .secrets import Secret, refuse_pickling
from .settings import Settings

Value = TypeVar("Value")

LONGEST_QUERY = 50_000
"""Characters of all query parameters, encoded.

httpx rejects a URL of more than 65,536. The rest is for the base URL and the path.
"""


class RequestOptions(types.RequestOptions):
    """The options of one call. They cannot be changed, and several calls can share them.

    Args:
        timeout: as the client's option. `None`: that of the client.
        deadline: as the client's option. `None`: that of the client.
        retries: as the client's option. `None`: that of the client.
        headers: further headers by name. They replace those of the client's `default_headers`, and
            `Accept` and `User-Agent`. Other headers of the client cannot be replaced.
        query: further query parameters by name: text, numbers, truth values, dates and UUIDs, or
            lists of them. A parameter with a list is repeated, and one with an empty list is left
            out. A `datetime` needs a time zone.
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
        """A copy of the further properties of the body, as JSON data."""
        # Nobody can change the properties of other calls through a list or an object in them.
        return MappingProxyType(json.loads(json.dumps(dict(self._body.reveal()))))

    # Headers can be credentials.
    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        if not hasattr(self, "_body"):
            # A traceback can show options of which one has an unknown name.
            return f"{type(self).__name__}()"
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
        plain_name = _checked_name(option, name)
        if not plain_name:
            raise ConfigurationError(f"{option} must have texts as names, and none is empty")
        texts = _query_texts(option, plain_name, value)
        # httpx would send a bare `?` for an empty list alone.
        if texts:
            parameters[plain_name] = texts
    if len(urlencode(parameters, doseq=True, quote_via=quote, safe="")) > LONGEST_QUERY:
        raise ConfigurationError(f"{option} must have at most {LONGEST_QUERY} characters, encoded")
    return parameters


def _checked_name(option: str, name: object) -> str:
    """The name of a query parameter or of a property, as plain text.

    Raises:
        ConfigurationError: it is no text that a request can contain.
    """
    if not isinstance(name, str):
        raise ConfigurationError(f"{option} must have texts as names")
    plain_name = str.__str__(name)
    if has_lone_surrogate(plain_name):
        raise ConfigurationError(
            f"{option} must have texts as names without half of a surrogate pair, which "
            f"{_shown(plain_name)} contains"
        )
    return plain_name


def _shown(name: str) -> str:
    """A name for a message, which may be cut."""
    if len(name) <= MAXIMUM_NAME_LENGTH:
        return repr(name)
    return f"{name[:MAXIMUM_NAME_LENGTH]!r}…"


def _query_texts(option: str, name: str, value: object) -> tuple[str, ...]:
    """The values of a query parameter as texts.

    Raises:
        ConfigurationError: one of them is no value of a query parameter.
    """
    values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    try:
        return tuple(_query_text(item) for item in values)
    except (TypeError, ValueError) as error:
        problem = str(error)
    # Outside of the handler: the message has all of the error that shows no value.
    raise ConfigurationError(
        f"{option} must have text, numbers, truth values, dates, UUIDs or lists of them as the "
        f"values of {_shown(name)} ({problem})"
    )


def _query_text(value: object) -> str:
    """A value of a query parameter as text.

    Raises:
        TypeError: it is of another type.
        ValueError: it is a number that is not finite, text that is not Unicode, or a time without
            a time zone. No text of these errors shows the value.
    """
    if value is None:
        raise TypeError("None: leave the parameter out instead")
    if is_numpy_scalar(value):
        value = plain_scalar(value)
    if isinstance(value, bool):
        # As JSON, and as httpx writes them.
        return "true" if value else "false"
    if isinstance(value, str):
        text = str.__str__(value)
        if has_lone_surrogate(text):
            raise ValueError("a text has half of a surrogate pair")
        return text
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("a number is not finite")
        return str(value)
    if isinstance(value, int | float | datetime.date | UUID):
        return str(json_data(value))
    if isinstance(value, Enum):
        raise TypeError(f"{type(value).__name__}: use the enum's value")
    raise TypeError(f"not {type(value).__name__}")


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
        plain_name = _checked_name("body", name)
        properties[plain_name] = _property(plain_name, value)
    return properties


def _property(name: str, value: object) -> Any:
    """The JSON data of a further property.

    Raises:
        ConfigurationError: JSON cannot hold the value.
    """
    try:
        return json_data(value)
    except Exception as error:  # a mapping or a model of the caller can raise anything
        problem = json_problem(error)
    # Outside of the handler: exceptions of Python can have the value as an attribute.
    raise ConfigurationError(
        f"body must have data that JSON can hold as {_shown(name)} ({problem})"
    )
