"""Parses JSON together with the line of every value, which the standard library does not report."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..model.document import escaped
from .errors import error_at
from .line_index import Content, Place, index_lines
from .numbers import abbreviated, is_usable_number

_OBJECT_START = re.compile(r'\s*\{\s*["}]')
_TOKEN = re.compile(
    r"""
    (?P<string> "[^"\\]*(?:\\.[^"\\]*)*" ) (?P<colon> \s*: )?   # a key has a colon behind it
    | [\[\]{}]
    | [^\s\[\]{},:"]+                                           # a number, true, false or null
    """,
    re.VERBOSE,
)

_NUMBER = re.compile("-?(?:[0-9]|NaN|Infinity)")
_SUSPICIOUS_NUMBER = re.compile("[0-9]{100}|[eE][-+]?[0-9]{3}|NaN|Infinity")
"""A text without a match has no number beyond 1e199, so it need not be searched for one."""


def is_json(text: str) -> bool:
    """Whether a text is JSON rather than YAML: it begins as an object with a quoted key."""
    return _OBJECT_START.match(text) is not None


def parse_json(name: str, text: str) -> Content:
    """Parse the text of a JSON file.

    Raises:
        ComparisonError: it does not parse, has a duplicate key, or exceeds a limit.
    """
    _reject_unusable_numbers(name, text)
    return Content(_parse(name, text), index_lines(name, _places(text)))


def _reject_unusable_numbers(name: str, text: str) -> None:
    """Reject numbers that Python would read as infinite, or not at all, with their line."""
    if _SUSPICIOUS_NUMBER.search(text) is None:
        return
    for token in _TOKEN.finditer(text):
        if _NUMBER.match(token[0]) and not is_usable_number(_number(token[0])):
            line = text.count("\n", 0, token.start()) + 1
            problem = f"{abbreviated(token[0])} is not a number that JSON has"
            raise error_at(name, line, f"does not parse as JSON: {problem}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        # Not a number, although it begins like one. `json` reports it.
        return 0.0


def _parse(name: str, text: str) -> Any:
    try:
        data: Any = json.loads(text)
        if "\\ud" in text.lower():
            # Half of a surrogate pair cannot be written to a report. This raises a ValueError.
            json.dumps(data, ensure_ascii=False).encode()
    except RecursionError:
        # The line index rejects such a file afterwards, with the line.
        return None
    except json.JSONDecodeError as error:
        raise error_at(name, error.lineno, f"does not parse as JSON: {error.msg}") from error
    except ValueError as error:
        # Half of a surrogate pair, as above.
        raise error_at(name, None, f"does not parse as JSON: {error}") from error
    return data


class _Container(NamedTuple):
    """An object or array that the scan is inside of."""

    pointer: str
    indexes: Iterator[int] | None
    """The indexes of an array's next elements; None for an object."""


def _places(text: str) -> Iterator[Place]:
    """The places of all values of a valid JSON text, in its order."""
    # The document itself has no place, so its container is like an object without keys.
    containers = [_Container("", None)]
    value_pointer = ""
    line = 1
    line_counted_to = 0
    for token in _TOKEN.finditer(text):
        # Counting from the last token keeps the scan linear.
        line += text.count("\n", line_counted_to, token.start())
        line_counted_to = token.start()
        if token[0] in {"}", "]"}:
            containers.pop()
            continue
        # An element starts with its first token, a member with its key.
        container = containers[-1]
        if container.indexes is not None:
            value_pointer = f"{container.pointer}/{next(container.indexes)}"
            yield Place(value_pointer, line)
        elif token["colon"]:
            key = json.loads(token["string"])
            value_pointer = f"{container.pointer}/{escaped(key)}"
            yield Place(value_pointer, line)
        if token[0] == "{":
            containers.append(_Container(value_pointer, None))
        elif token[0] == "[":
            containers.append(_Container(value_pointer, itertools.count()))
