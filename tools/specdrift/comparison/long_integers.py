"""Finds an integer that Python cannot write as text, so that an error names its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..model.document import Files, TooComplexError, is_list, is_mapping, pointer


class _Place(NamedTuple):
    """A value and its location."""

    location: str
    value: Any


def reject_long_integers(document: Mapping[str, Any], files: Files) -> None:
    """Check the integers of a document and of the files that it may refer to.

    Raises:
        TooComplexError: an integer has more digits than `sys.get_int_max_str_digits()`.
    """
    pending_places = [_Place("", document)]
    for name, content in files.items():
        pending_places.append(_Place(f"{name}#", content))
    # A document from Python code can contain one object twice, or even itself.
    visited_ids: set[int] = set()
    while pending_places:
        place = pending_places.pop()
        if _is_long_integer(place.value):
            raise TooComplexError(
                f"{place.location}: an integer has too many digits to be compared:"
                " shorten it, or take it out"
            )
        if id(place.value) not in visited_ids:
            visited_ids.add(id(place.value))
            pending_places.extend(_children(place))


def _is_long_integer(value: object) -> bool:
    if not isinstance(value, int):
        return False
    try:
        str(value)
    except ValueError:
        return True
    return False


def _children(place: _Place) -> Iterator[_Place]:
    if is_mapping(place.value):
        for key, value in place.value.items():
            yield _Place(place.location + pointer(key), value)
    elif is_list(place.value):
        for index, value in enumerate(place.value):
            yield _Place(place.location + pointer(index), value)
