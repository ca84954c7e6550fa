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
from .scalars import Duration, Query, is_numpy_scalar, plain_scalar, plain_text
from .secrets import Secret, refuse_pickling
from .settings import Settings

Value = TypeVar("Value")

LONGEST_QUERY = 50_000
"""Characters of all query parameters, encoded.

httpx rejects a URL of more than 65,536. The rest is for the base URL and the path.
"""


# The base class is in generated code, which imports no hand-written code. It is the type of
# `options` in the generated methods. So programs without options do not import this module.
class RequestOptions(types.RequestOptions):
    """The options of one call. They cannot be changed, and several calls can share them.

    Args:
        timeout: seconds that an attempt waits for the next bytes, as a number or a `timedelta`, or
            an `httpx.Timeout`. `None`: that of the client.
        deadline: seconds that the whole call may take, with its retries and waits, as a number or a
            `timedelta`. `None`: that of the client.
        retries: how many times a failed attempt is repeated, if that is safe and can help. `None`:
            that of the client.
        headers: further headers by name. They replace those of the client's `default_headers`, and
            `Accept` and `User-Agent`. Other headers of the client cannot be replaced.
        query: further query parameters by name: strings, numbers, booleans, dates and UUIDs, or
            lists of them. A parameter with a list is repeated, and one with an empty list is left
            out. A `datetime` needs a time zone.
        body: further properties of the body, which must be a JSON object. Their values can be any
            data that JSON can hold. They are not compared with the spec.

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
        # The rest can raise, and a traceback can show the arguments of this frame: see `frames`.
        del headers, query, body
        # The values without any option. They are assigned before the first check: if it raises, a
        # traceback shows the repr of this object, which reads all of them.
        self._timeout: float | Timeout | None = None
        self._deadline: float | None = None
        self._retries: int | None = None
        self._headers: Secret[Mapping[str, str]] = Secret({})
        self._query: Secret[Mapping[str, tuple[str, ...]]] = Secret({})
        self._body: Secret[Mapping[str, Any]] = Secret({})
        self._timeout = check_timeout(timeout)
        self._deadline = check_deadline(deadline)
        if retries is not None:
            self._retries = check_retries(retries)
        ambient_error = sys.exception()
        try:
            self._headers = _freeze(checked_headers("headers", headers_option.reveal()))
            self._query = _freeze(checked_query("query", query_option.reveal()))
            self._body = _freeze(_checked_body(body_option.reveal()))
        except ConfigurationError as error:
            # The frames of the checks have the plain values.
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
        """The further query parameters by name, as strings."""
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
        if self.timeout is not None:
            parts.append(f"timeout={self.timeout!r}")
        if self.deadline is not None:
            parts.append(f"deadline={self.deadline!r}")
        if self.retries is not None:
            parts.append(f"retries={self.retries!r}")
        # The names only: values can be credentials or personal data.
        if self.headers:
            parts.append(f"headers=<{', '.join(self.headers)}>")
        if self.query:
            parts.append(f"query=<{', '.join(self.query)}>")
        if self.body:
            parts.append(f"body=<{', '.join(self.body)}>")
        return f"{type(self).__name__}({', '.join(parts)})"


def settings_with(options: RequestOptions, settings: Settings) -> Settings:
    """The settings of a client, with those of a call."""
    changes: dict[str, Any] = {}
    if options.timeout is not None:
        changes["timeout"] = options.timeout
    if options.deadline is not None:
        changes["deadline"] = options.deadline
    if options.retries is not None:
        changes["retries"] = options.retries
    if not changes:
        return settings
    return replace(settings, **changes)


def _freeze(mapping: dict[str, Value]) -> Secret[Mapping[str, Value]]:
    """A mapping that callers cannot change, and that no report shows."""
    return Secret(MappingProxyType(mapping))


def checked_options(options: object) -> RequestOptions:
    """Return the options of a call.

    Raises:
        ArgumentError: `options` is not a `RequestOptions`.
    """
    if not isinstance(options, RequestOptions):
        raise ArgumentError(
            "options must be a RequestOptions, such as RequestOptions(timeout=5.0), not "
            f"{type(options).__name__}",
            argument="options",
        )
    return options


def checked_query(option: str, query: object) -> dict[str, tuple[str, ...]]:
    """Return the values of query parameters by name, as plain strings.

    Args:
        option: the name of the option, for the message.
        query: what the caller passed. `None` stands for no parameters.

    Raises:
        ConfigurationError: `query` is not a mapping, or a request cannot contain a part of it. The
            message shows no value.
    """
    if query is None:
        return {}
    if not isinstance(query, Mapping):
        raise ConfigurationError(f"{option} must be a mapping from names to values")
    parameters: dict[str, tuple[str, ...]] = {}
    for name, value in cast("Mapping[object, object]", query).items():
        plain_name = _checked_name(option, name)
        if not plain_name:
            raise ConfigurationError(f"{option} must have strings as names, and none is empty")
        values = _query_values(option, plain_name, value)
        # httpx would send a bare `?` for an empty list alone.
        if values:
            parameters[plain_name] = values
    if len(urlencode(parameters, doseq=True, quote_via=quote, safe="")) > LONGEST_QUERY:
        raise ConfigurationError(f"{option} must have at most {LONGEST_QUERY} characters, encoded")
    return parameters


def _checked_name(option: str, name: object) -> str:
    """The name of a query parameter or of a property, as a plain string.

    Raises:
        ConfigurationError: it is no string that a request can contain.
    """
    if not isinstance(name, str):
        raise ConfigurationError(f"{option} must have strings as names")
    plain_name = plain_text(name)
    if has_lone_surrogate(plain_name):
        raise ConfigurationError(
            f"{option} must have strings as names without half of a surrogate pair, which "
            f"{_shown(plain_name)} contains"
        )
    return plain_name


def _shown(name: str) -> str:
    """A name for a message, which may be cut."""
    if len(name) <= MAXIMUM_NAME_LENGTH:
        return repr(name)
    return f"{name[:MAXIMUM_NAME_LENGTH]!r}…"


def _query_values(option: str, name: str, value: object) -> tuple[str, ...]:
    """The values of a query parameter as strings.

    Raises:
        ConfigurationError: one of them is no value of a query parameter.
    """
    values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
    try:
        return tuple(_query_value(item) for item in values)
    except (TypeError, ValueError) as error:
        problem = str(error)
    # Outside of the handler: the message has all of the error that shows no value.
    raise ConfigurationError(
        f"{option} must have strings, numbers, booleans, dates, UUIDs or lists of them as the "
        f"values of {_shown(name)} ({problem})"
    )


def _query_value(value: object) -> str:
    """A value of a query parameter as a string.

    Raises:
        TypeError: it is of another type.
        ValueError: it is a number that is not finite, a string that is not Unicode, or a time
            without a time zone. No text of these errors shows the value.
    """
    if value is None:
        raise TypeError("None: leave the parameter out instead")
    if is_numpy_scalar(value):
        value = plain_scalar(value)
    if isinstance(value, bool):
        # As JSON, and as httpx writes them.
        return "true" if value else "false"
    if isinstance(value, str):
        text = plain_text(value)
        if has_lone_surrogate(text):
            raise ValueError("a string has half of a surrogate pair")
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
        ConfigurationError: `body` is not a mapping, or JSON cannot hold a part of it. The message
            shows no value.
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
