"""Writes data as YAML in the style of the spec, so that adopted operations look like the others."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

_TEXT_TAG = "tag:yaml.org,2002:str"

_WIDTH = 120
"""Columns, as in the existing parts of the spec."""

_SHORT_LIST = 60
"""Characters up to which a list of scalars is written in one line."""


def yaml_lines(data: Any) -> list[str]:
    """The lines of a mapping or list as a block."""
    text = yaml.dump(
        data,
        Dumper=_Writer,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_WIDTH,
    )
    return text.rstrip("\n").split("\n")


class _Writer(yaml.SafeDumper):
    """Indents lists, and quotes with double quotes."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent the items of a list more than its key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal parts in full: an anchor would say that they belong together."""
        return True


def _write_text(_writer: _Writer, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return yaml.ScalarNode(_TEXT_TAG, text, style="|")
    style = None if _is_plain(text) else '"'
    return yaml.ScalarNode(_TEXT_TAG, text, style=style)


# The same names and keywords appear thousands of times, and parsing one is slow.
@lru_cache(maxsize=10_000)
def _is_plain(text: str) -> bool:
    """Whether YAML reads a text without quotes as the same text."""
    if not re.match(r"[A-Za-z/($]", text):
        return False
    if ": " in text or " #" in text or text.endswith((":", " ")):
        return False
    if not text.isprintable():
        return False
    loaded: object = yaml.safe_load(text)
    return loaded == text


def _write_list(writer: _Writer, items: list[Any]) -> yaml.SequenceNode:
    are_scalars = all(not isinstance(item, (list, dict)) for item in items)
    length = sum(len(str(item)) + 2 for item in items)
    node = writer.represent_sequence("tag:yaml.org,2002:seq", items)
    node.flow_style = are_scalars and length <= _SHORT_LIST
    return node


def _write_mapping(writer: _Writer, members: dict[str, Any]) -> yaml.MappingNode:
    node = writer.represent_mapping("tag:yaml.org,2002:map", members.items())
    node.flow_style = not members
    return node


_Writer.add_representer(str, _write_text)
_Writer.add_representer(list, _write_list)
_Writer.add_representer(dict, _write_mapping)
