"""Reads numbers, times and strings as callers have them: plain, of numpy, or of a subclass."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

Duration = float | timedelta
"""A number of seconds, or a `timedelta`."""

# Few programs pass the others, whose import takes milliseconds.
if TYPE_CHECKING:
    from decimal import Decimal
    from uuid import UUID

    QueryValue: TypeAlias = str | float | bool | date | Decimal | UUID
    """The value of a query parameter."""
else:
    QueryValue = str | float | bool | date

Query: TypeAlias = Mapping[str, QueryValue | Sequence[QueryValue]]
"""Query parameters by name. A parameter with a list of values is repeated."""


def seconds_of(value: object) -> float | None:
    """The seconds of a duration; `None` if it is no finite number and no `timedelta`.

    Args:
        value: what the caller passed. Numbers of numpy are `Real` too. Truth values are not
            accepted: they are a mistake, although Python counts them as numbers.
    """
    if _is_numpy_duration(value):
        value = _timedelta_of(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        seconds = float(value)
    except (OverflowError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def whole_number(value: object) -> int | None:
    """A whole number as an `int`; `None` if it is none. A truth value is none."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return None
    # numpy counts them as integers, but the number depends on a unit.
    if _is_numpy_duration(value):
        return None
    return int(value)


def is_numpy_scalar(value: Any) -> bool:
    """Whether a value is one number or truth value of numpy, or of a library that imitates it."""
    return getattr(value, "shape", None) == () and callable(getattr(value, "item", None))


def plain_scalar(value: Any) -> object:
    """Python's own value of a numpy scalar. It is the `default` of an encoder.

    Raises:
        TypeError: it is no numpy scalar.
    """
    if not is_numpy_scalar(value):
        raise TypeError(f"{type(value).__name__} is no such data")
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "m":
        return _timedelta_of(value)
    if kind == "M":
        # `item` alone returns a bare number for units such as nanoseconds.
        return value.astype("datetime64[us]").item()
    if isinstance(value, Integral):
        return int(value)
    # `item` of an extended float returns the same object again.
    if isinstance(value, Real):
        return float(value)
    return value.item()


def plain_text(text: str) -> str:
    """The characters of a string, as a plain `str`.

    Callers can pass an object of a subclass. Its methods, and `str()` of it, can return other text
    than the characters that were validated.
    """
    return str.__str__(text)


def _is_numpy_duration(value: Any) -> bool:
    return is_numpy_scalar(value) and getattr(getattr(value, "dtype", None), "kind", "") == "m"


def _timedelta_of(duration: Any) -> object:
    """The `timedelta` of a numpy `timedelta64`; another object if it is no time or too long."""
    # `item` alone returns a bare number for units such as nanoseconds.
    try:
        return duration.astype("timedelta64[us]").item()
    except OverflowError:
        # Newer numpy raises it. Older numpy returns some other duration.
        return None
