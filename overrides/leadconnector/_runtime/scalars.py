"""Reads numbers and times as callers have them: plain, of numpy, or as `timedelta`."""

import math
from datetime import timedelta
from numbers import Integral, Real
from typing import Any

Duration = float | timedelta
"""A number of seconds, or a `timedelta`."""


def seconds_of(value: object) -> float | None:
    """The seconds of a duration; `None` if it is no finite number and no `timedelta`.

    Args:
        value: what the caller passed. Numbers of numpy are `Real` too. Truth values are not
            accepted: they are a mistake, although Python counts them as numbers.
    """
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
    return value.item()
