"""Represents a parsed file: its text, its data, and the line of every value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rules import Source
from .errors import error_at
from .json_parser import is_json, parse_json
from .yaml_parser import parse_yaml


@dataclass(frozen=True)
class ParsedFile:
    """A file of JSON or YAML. Both give the same data and the same places."""

    name: str
    """The name for messages and reports."""
    text: str
    data: Any
    lines: Mapping[str, int]
    """The line of each value, by its JSON pointer. Values of an alias have the anchor's lines."""

    @classmethod
    def parse(cls, name: str, content: bytes) -> ParsedFile:
        """Parse the content of a file.

        Raises:
            ComparisonError: it is not UTF-8, does not parse, has a duplicate key, or exceeds a
                limit.
        """
        text = _decode(name, content)
        parse_text = parse_json if is_json(text) else parse_yaml
        data, lines = parse_text(name, text)
        return cls(name, text, data, lines)

    def source(self, pointer: str) -> Source:
        """The line of a value, or of the nearest existing value around it."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return Source(self.name, self.lines.get(pointer, 1))


def _decode(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = "cannot be read: it is not UTF-8: save it as UTF-8"
        raise error_at(name, line, problem) from error
