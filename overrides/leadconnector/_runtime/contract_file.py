"""Reads one part of the contract at a time, as to parse all of a large API would be slow.

The contract is the JSON description of the API that generation writes. Each part of it starts on a
line of its own. So a part is found by its line, and parsed alone. If somebody has formatted the
file, or if there is no such part, the whole file is parsed instead.
"""

import json
from functools import cache
from typing import Any

from .._generated import contract_text, load_contract

_parse_at = json.JSONDecoder().raw_decode

_START = '{\n  "'
"""The start of a contract as generation writes it, indented with two spaces.

With another indentation, a search could find a key of the wrong level.
"""


class ContractSection(dict[str, Any]):
    """The operations or the schemas of the contract. Each one is parsed at its first use.

    Use it only as `section[key]`. Its length and its other methods know only the keys that were
    used before.

    Args:
        text: the contract.
        name: the key of the section in the contract.
    """

    def __init__(self, text: str, name: str) -> None:
        super().__init__()
        self._text = text
        self._name = name

    def __missing__(self, key: str) -> Any:
        try:
            self[key] = self._parse(key)
        except LookupError:
            # Without such a key, this is a `KeyError`.
            self[key] = load_contract()[self._name][key]
        return self[key]

    def _parse(self, key: str) -> Any:
        # In a file that nobody has formatted, the line ends behind the brace of a section. This
        # line break is also the one before the first key.
        line_break = _end_of(self._text, f"{_line_start(self._name, level=1)}{{\n") - 1
        end = _end_of(self._text, "\n  }", line_break)
        return _value_at(self._text, _line_start(key, level=2), line_break, end)


@cache
def contract_value(key: str) -> Any:
    """A value at the top level of the contract that is no section, such as the server."""
    text = contract_text()
    try:
        return _value_at(text, _line_start(key, level=1), 0, len(text))
    except LookupError:
        return load_contract()[key]


def _line_start(key: str, *, level: int) -> str:
    """What comes before a value, from the line break to the colon. It is unique among its level.

    No JSON string contains it, because JSON escapes a line break in a string.
    """
    indentation = "  " * level
    return f"\n{indentation}{json.dumps(key, ensure_ascii=False)}: "


def _value_at(text: str, line_start: str, start: int, end: int) -> Any:
    """The value whose line has a certain start.

    Args:
        text: the contract.
        line_start: the start of the line.
        start: where the search starts.
        end: where it ends.

    Raises:
        LookupError: there is none, or the file does not have the layout that generation writes.
    """
    position = _end_of(text, line_start, start, end)
    try:
        value, _ = _parse_at(text, position)
    except json.JSONDecodeError as error:
        raise LookupError(line_start) from error
    return value


def _end_of(text: str, part: str, start: int = 0, end: int | None = None) -> int:
    """The position behind the first `part` between two positions.

    Raises:
        LookupError: there is none, or the file does not have the layout that generation writes.
    """
    position = text.find(part, start, end)
    if position < 0 or not text.startswith(_START):
        raise LookupError(part)
    return position + len(part)
