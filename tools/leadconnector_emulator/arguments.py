"""Checks arguments, so that a wrong one is an error where it is passed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import cast
from urllib.parse import urlsplit


def check_number(name: str, value: object, *, is_whole: bool = False) -> None:
    """Require a finite number that is not negative.

    Args:
        name: the name of the argument.
        value: its value.
        is_whole: whether the number must have no fraction.

    Raises:
        TypeError: it is not a number.
        ValueError: it is negative, infinite, not a number of floats, or has a fraction.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is {value}: it must be finite, and not negative")
    if is_whole and not float(value).is_integer():
        raise ValueError(f"{name} is {value}: it must be a whole number")


def check_redirect_uris(value: object) -> None:
    """Require absolute URIs without a fragment (RFC 6749, section 3.1.2).

    Args:
        value: the URIs; `None` for each one.

    Raises:
        ValueError: one of them is no such URI.
    """
    if value is None:
        return
    for uri in cast("Iterable[object]", value):
        if not isinstance(uri, str) or not _is_absolute(uri):
            raise ValueError(
                f"the redirect URI {uri!r} is not absolute, or has a fragment: use an address such"
                " as https://HOST/callback"
            )


def _is_absolute(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not parts.fragment
