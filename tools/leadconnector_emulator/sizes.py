"""The bytes that data occupies in memory, for the bounds of what the emulator stores."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Real
from typing import Any

from .messages import Exchange

EXCHANGE_BYTES = 1_000
"""Bytes of an exchange's objects without their contents: two dataclasses with a mapping each, the
request and the response. Rounded up from a measurement with tracemalloc."""

FINDING_BYTES = 1_500
"""Bytes of a finding with its texts. Most of them are shared with others."""


def check_bound(name: str, value: object) -> None:
    """Require a bound in bytes.

    Raises:
        TypeError: it is not a number.
        ValueError: it is negative or not comparable (NaN).
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number of bytes, not {value!r}")
    if value < 0:
        raise ValueError(f"{name} must not be negative: {value!r}")
    if value != value:  # noqa: PLR0124  # only NaN differs from itself
        raise ValueError(f"{name} must be a number of bytes, not {value!r}")


def size_of_exchange(exchange: Exchange) -> int:
    """The bytes of an exchange, with every text of the request and the response."""
    request = exchange.request
    response = exchange.response
    size = (
        EXCHANGE_BYTES
        + sys.getsizeof(request.method)
        + sys.getsizeof(request.target)
        + sys.getsizeof(request.body)
        + _size_of_headers(request.headers)
        + sys.getsizeof(response.body)
        + _size_of_headers(response.headers)
    )
    for _, value in response.repeated_headers:
        size += sys.getsizeof(value)
    return size + FINDING_BYTES * len(exchange.findings)


def size_of_json(data: Any) -> int:
    """The bytes of JSON data as Python's objects: up to twenty times its length as text."""
    size = 0
    # A loop instead of recursion: the data may be nested deeply.
    remaining = [data]
    while remaining:
        node = remaining.pop()
        size += sys.getsizeof(node)
        if isinstance(node, dict):
            for name, child in node.items():  # pyright: ignore[reportUnknownVariableType]
                size += sys.getsizeof(name)  # pyright: ignore[reportUnknownArgumentType]
                remaining.append(child)
        elif isinstance(node, list):
            remaining.extend(node)  # pyright: ignore[reportUnknownArgumentType]
    return size


def _size_of_headers(headers: Mapping[str, str]) -> int:
    # `map` is twice as fast as a loop, and every request is measured.
    size_of_names = sum(map(sys.getsizeof, headers))
    size_of_values = sum(map(sys.getsizeof, headers.values()))
    return sys.getsizeof(headers) + size_of_names + size_of_values
