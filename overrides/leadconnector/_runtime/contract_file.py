"""Reads single parts of the contract, so that no call parses the contract of a whole API.

Generation writes the contract so that each part starts on a line of its own. It is parsed from
there. A formatter can have changed the lines of a copy, which is then parsed as a whole.
"""

import json
from functools import cache
from typing import Any

from .._generated import contract_text, load_contract

_parse_at = json.JSONDecoder().raw_decode


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
        self._start = text.find(_start_of_line(name, level=1))

    def __missing__(self, key: str) -> Any:
        if self._start < 0:
            self[key] = load_contract()[self._name][key]
        else:
            self[key] = self._parse(key)
        return self[key]

    def _parse(self, key: str) -> Any:
        line = _start_of_line(key, level=2)
        start = self._text.find(line, self._start)
        if start < 0:
            return load_contract()[self._name][key]
        value, _ = _parse_at(self._text, start + len(line))
        return value


@cache
def contract_value(key: str) -> Any:
    """A value of the contract that is in no section, such as the server."""
    text = contract_text()
    line = _start_of_line(key, level=1)
    start = text.find(line)
    if start < 0:
        return load_contract()[key]
    value, _ = _parse_at(text, start + len(line))
    return value


def _start_of_line(key: str, *, level: int) -> str:
    """The start of the line of a value, which is unique in its section.

    No text contains it, because JSON writes a line break within a text in another way.
    """
    indentation = "  " * level
    return f"\n{indentation}{json.dumps(key, ensure_ascii=False)}: "
