"""Maps the JSON pointer of every value in a file to its line, within limits on depth and size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..model.document import unescaped
from .errors import error_at

MAXIMUM_NODES = 1_000_000
"""Values per file, with aliases expanded. The vendor's largest document has a few 10,000."""

MAXIMUM_CHARACTERS = 128 * 2**20
"""Of all JSON pointers of a file, which stay in memory. The vendor's largest has 2 million."""

MAXIMUM_DEPTH = 128
"""Steps to a value. Documents have about 30, and Python's recursion limit is 1,000 calls."""

TOO_DEEP = f"is nested deeper than {MAXIMUM_DEPTH} levels: move parts of it to `components`"
"""The problem of a file that exceeds `MAXIMUM_DEPTH`, and its remedy."""


class Place(NamedTuple):
    """A value's JSON pointer and its line, counted from 1."""

    pointer: str
    line: int


class Content(NamedTuple):
    """The result of a parser."""

    data: Any
    lines: dict[str, int]
    """The line of each value, by its JSON pointer."""


def index_lines(name: str, places: Iterable[Place]) -> dict[str, int]:
    """Collect the lines of all values of a file.

    Args:
        name: the name of the file for messages.
        places: the places of all values, in the order of the text.

    Raises:
        ComparisonError: a mapping has a key twice, or the file exceeds a limit.
    """
    lines: dict[str, int] = {}
    characters = 0
    for pointer, line in places:
        if pointer.count("/") > MAXIMUM_DEPTH:
            raise error_at(name, line, TOO_DEEP)
        characters += len(pointer)
        if len(lines) == MAXIMUM_NODES or characters > MAXIMUM_CHARACTERS:
            problem = f"has more than {MAXIMUM_NODES:,} values, or names that are too long"
            raise error_at(name, line, f"{problem}: split it")
        if pointer in lines:
            key = unescaped(pointer.rpartition("/")[2])
            raise error_at(name, line, f"duplicate key {key!r}: remove one of them")
        lines[pointer] = line
    return lines
