"""Reads single parts of the contract, so that no call parses the contract of a whole API.

Generation writes the contract so that each part starts on a line of its own. It is parsed from
there. A formatter can have changed the lines of a copy, which is then parsed as a whole.
"""

import json
from functools import cache
from typing import Any

from .._generated import contract_text, load_contract

_parse_at = json.JSONDecoder().raw_decode

_START = '{\n  "'
"""The start of a contract as generation writes it: with an indentation of two blanks."""


class ContractSection(dict[str, Any]):
    """The operations or the schemas of the contract. Each one is parsed at its first use.

    Args:
        text: the contract.
        name: the key of the section in it.
    """

    def __init__(self, text: str, name: str) -> None:
        super().__init__()
        self._text = text
        self._name = name

    def __missing__(self, key: str) -> Any:
        try:
            self[key] = self._parse(key)
        except LookupError:
            self[key] = load_contract()[self._name][key]
        return self[key]

    def _parse(self, key: str) -> Any:
        # The bracket is the end of the line, unless somebody has formatted the file.
        section = _end_of(self._text, f"{_line_start(self._name, level=1)}{{\n")
        end_of_section = self._text.find("\n  }", section)
        return _value_at(self._text, _line_start(key, level=2), section - 1, end_of_section)


@cache
def contract_value(key: str) -> Any:
    """A value of the contract that is in no section, such as the server."""
    text = contract_text()
    try:
        return _value_at(text, _line_start(key, level=1), 0, len(text))
    except LookupError:
        return load_contract()[key]


def _line_start(key: str, *, level: int) -> str:
    """The start of the line of a value, which is unique in its section.

    No text contains it, because JSON writes a line break within a text in another way.
    """
    indentation = "  " * level
    return f"\n{indentation}{json.dumps(key, ensure_ascii=False)}: "


def _value_at(text: str, line_start: str, start: int, end: int) -> Any:
    """The value whose line starts with a text.

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
    """The position behind a part of the contract.

    Raises:
        LookupError: see `_value_at`.
    """
    position = text.find(part, start, end)
    if position < 0 or not text.startswith(_START):
        raise LookupError(part)
    return position + len(part)
