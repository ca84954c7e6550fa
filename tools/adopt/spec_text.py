"""Adds members to the text of a YAML document, and leaves all other lines as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from .errors import AdoptionError
from .yaml_writer import yaml_lines


def with_additions(text: str, additions: Mapping[str, Any], name: str) -> str:
    """Return the text of a document with more members.

    Args:
        text: the document.
        additions: the new members, nested as in the document. A mapping or list that exists gets
            the new members at its end.
        name: the name of the document, for messages.

    Raises:
        AdoptionError: a mapping or list to extend is written in one line.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise AdoptionError(f"{name}: is empty: begin with a spec that has an operation")
    editing = _Editing(text, name)
    editing.add(root, additions, ())
    return editing.result()


class _Editing:
    """The lines of a document, and those to insert."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.splitlines()
        self._name = name
        self._insertions: dict[int, list[str]] = {}

    def add(self, node: yaml.Node, additions: Mapping[str, Any], path: tuple[str, ...]) -> None:
        """Add members to a mapping."""
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            raise self._written_in_one_line(node, path)
        pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
        children = {str(key.value): value for key, value in pairs}
        # The members of a child come before those of this mapping: both can end in one line.
        for key, value in additions.items():
            if key in children and isinstance(value, Mapping):
                self.add(children[key], value, (*path, key))
            elif key in children:
                self._append(children[key], value, (*path, key))
        for key, value in additions.items():
            if key not in children:
                self._insert(node, yaml_lines({key: value}), path)

    def _append(self, node: yaml.Node, items: list[Any], path: tuple[str, ...]) -> None:
        if not isinstance(node, yaml.SequenceNode) or node.flow_style:
            raise self._written_in_one_line(node, path)
        self._insert(node, yaml_lines(items), path)

    def _insert(self, node: yaml.Node, lines: list[str], path: tuple[str, ...]) -> None:
        """Insert lines after the last one of a mapping or list."""
        indentation = " " * node.start_mark.column
        last_line = self._last_line(node)
        insertion = self._insertions.setdefault(last_line, [])
        if path == ("paths",) or (len(path) == 2 and path[0] == "components"):
            insertion.append("")
        insertion += [f"{indentation}{line}" if line else "" for line in lines]

    def _last_line(self, node: yaml.Node) -> int:
        """The index of the last line of a node. The end of a block is that of its last member."""
        if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
            return self._last_line(node.value[-1][1])
        if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
            return self._last_line(node.value[-1])
        line = node.end_mark.line
        # A block of text ends where the next token begins.
        if node.end_mark.column == 0 and line > node.start_mark.line:
            line -= 1
        while line > node.start_mark.line and not self._lines[line].strip():
            line -= 1
        return line

    def _written_in_one_line(self, node: yaml.Node, path: tuple[str, ...]) -> AdoptionError:
        place = ".".join(path)
        line = node.start_mark.line + 1
        return AdoptionError(
            f"{self._name}:{line}: {place} is not written as a block, so nothing can be added to"
            " it: write each member in a line of its own"
        )

    def result(self) -> str:
        """The text with the insertions."""
        lines: list[str] = []
        for index, line in enumerate(self._lines):
            lines.append(line)
            lines += self._insertions.get(index, [])
        return "\n".join(lines) + "\n"
