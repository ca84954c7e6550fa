"""Compares JSON data."""

from __future__ import annotations

import datetime
from typing import Any

from benchmarks.long.conformance.documents import Json, is_array, is_object
from benchmarks.long.conformance.reports import Mismatch


def text_of(value: Any) -> str:
    """The text of a date or UUID."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def same_data(first: Json, second: Json) -> bool:
    """Whether JSON data is equal: times as moments, and 1 and 1.0, but not 1 and true."""
    if is_object(first) and is_object(second):
        one = first
        other = second
        return one.keys() == other.keys() and all(
            same_data(value, other[name]) for name, value in one.items()
        )
    if is_array(first) and is_array(second):
        items = first
        other_items = second
        return len(items) == len(other_items) and all(map(same_data, items, other_items))
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, str) and isinstance(second, str):
        return first == second or _is_same_moment(first, second)
    return bool(first == second)


def _is_same_moment(first: str, second: str) -> bool:
    try:
        one = datetime.datetime.fromisoformat(first)
        other = datetime.datetime.fromisoformat(second)
    except ValueError:
        return False
    if one.tzinfo is None or other.tzinfo is None:
        return False
    return one == other


def difference(expected: Json, got: Json, path: str) -> Mismatch:
    """The first place where JSON data differs."""
    if is_object(expected) and is_object(got):
        expected_object = expected
        object_ = got
        for name in sorted({*expected_object, *object_}):
            item_path = f"{path}.{name}"
            if name not in object_:
                return Mismatch(item_path, f"{expected_object[name]!r:.100}", "nothing")
            if name not in expected_object:
                return Mismatch(item_path, "nothing", f"{object_[name]!r:.100}")
            if not same_data(expected_object[name], object_[name]):
                return difference(expected_object[name], object_[name], item_path)
    if is_array(expected) and is_array(got):
        pairs = zip(expected, got, strict=False)
        for index, (expected_item, item) in enumerate(pairs):
            if not same_data(expected_item, item):
                return difference(expected_item, item, f"{path}[{index}]")
    return Mismatch(path, f"{expected!r:.100}", f"{got!r:.100}")
