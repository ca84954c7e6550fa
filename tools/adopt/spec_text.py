"""Edits the text of a YAML document so that it has other data, and keeps all other lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from generate.document import is_list, is_mapping

from .errors import AdoptionError
from .yaml_writer import yaml_lines

_REPLACEABLE_DEPTH = 3
"""The length of the path of an operation or component. What contains them is never rewritten."""

ElementKey = tuple[str, ...]
"""What identifies an element of a list."""


@dataclass(frozen=True)
class Edit:
    """One change of some lines."""

    start: int
    """The index of the first line."""
    end: int
    """The index after the last line. The start if lines are inserted."""
    lines: Sequence[str]
    """The new lines."""
    path: tuple[str, ...]
    """The names of the members that lead to the changed value."""

    @property
    def place(self) -> str:
        """The path as people write it."""
        return ".".join(self.path)


@dataclass(frozen=True)
class EditedText:
    """The text of a document with other data."""

    text: str
    edits: Sequence[Edit]
    """What differs from the original text, from top to bottom."""


def edited(text: str, data: Any, new_data: Any, name: str) -> EditedText:
    """Return the text of a document with other data.

    A new member comes after the one that precedes it in the new data. What is equal keeps its text.

    Args:
        text: the document.
        data: what the document says.
        new_data: what it should say.
        name: the name of the document, for messages.

    Raises:
        AdoptionError: a mapping or list to extend is written in one line, or a part to replace
            contains an anchor or alias.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise AdoptionError(f"{name}: is empty: begin with a spec that has an operation")
    lines = text.splitlines(keepends=True)
    edits = _Editor(lines, name).edits(root, data, new_data, ())
    # An insertion before a line precedes the replacement of that line. `sorted` keeps the order of
    # two insertions: the members of a child come before those of its parent.
    edits = sorted(edits, key=lambda edit: (edit.start, edit.end))
    return EditedText(_with_edits(lines, edits), edits)


def is_same(value: Any, other: Any) -> bool:
    """Whether two values are equal as JSON. In Python, `1 == True`."""
    if is_mapping(value) and is_mapping(other):
        if value.keys() != other.keys():
            return False
        return all(is_same(member, other[key]) for key, member in value.items())
    if is_list(value) and is_list(other):
        if len(value) != len(other):
            return False
        return all(is_same(*pair) for pair in zip(value, other, strict=True))
    return type(value) is type(other) and bool(value == other)


def element_key(element: Any) -> ElementKey | None:
    """What identifies an element of a list: its target, its name, or a scalar itself.

    None for an element that nothing identifies.
    """
    if is_list(element):
        return None
    if not is_mapping(element):
        return (type(element).__name__, str(element))
    if "$ref" in element:
        return ("$ref", str(element["$ref"]))
    if "name" in element:
        return ("name", str(element["name"]), str(element.get("in")))
    return None


def elements_by_key(elements: Sequence[Any]) -> dict[ElementKey, Any] | None:
    """The elements of a list by what identifies them; None if that is not possible."""
    by_key: dict[ElementKey, Any] = {}
    for element in elements:
        key = element_key(element)
        if key is None or key in by_key:
            return None
        by_key[key] = element
    return by_key


class _NotEditableError(Exception):
    """A value cannot be edited in place. It has to be replaced as a whole."""


@dataclass(frozen=True)
class _Member:
    """A member of a mapping or list in the text."""

    key: str | ElementKey
    node: yaml.Node
    """Its value."""
    start: int
    """Its first line."""
    end: int
    """The line after its last one."""


class _Editor:
    """Finds the edits of a document."""

    def __init__(self, lines: Sequence[str], name: str) -> None:
        self._lines = lines
        self._name = name

    def edits(self, node: yaml.Node, data: Any, new_data: Any, path: tuple[str, ...]) -> list[Edit]:
        """The edits that change a value in place.

        Raises:
            AdoptionError: a part that must not be rewritten is not written as a block.
            _NotEditableError: another value is not.
        """
        is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
        if not is_block or not data or not new_data:
            raise self._not_a_block(node, path)
        if is_mapping(data) and is_mapping(new_data):
            return self._member_edits(node, data, new_data, path)
        if is_list(data) and is_list(new_data):
            by_key = elements_by_key(data)
            new_by_key = elements_by_key(new_data)
            if by_key is not None and new_by_key is not None:
                return self._member_edits(node, by_key, new_by_key, path)
        raise self._not_a_block(node, path)

    def _member_edits(
        self,
        node: yaml.Node,
        data: Mapping[Any, Any],
        new_data: Mapping[Any, Any],
        path: tuple[str, ...],
    ) -> list[Edit]:
        members = {member.key: member for member in self._members(node, data, path)}
        column = node.start_mark.column
        edits: list[Edit] = []
        for key, value in data.items():
            member_path = (*path, _name_of(key))
            if key in new_data and is_same(value, new_data[key]):
                continue
            if key not in members:
                raise self._has_alias(node, member_path)
            if key in new_data:
                edits += self._value_edits(members[key], value, new_data[key], member_path, column)
            else:
                edits.append(self._removal(members[key], column, member_path))
        first = next(iter(members.values()))
        position = first.start
        for key, value in new_data.items():
            if key in members:
                position = members[key].end
            elif key not in data:
                if position == first.start:
                    self._check_own_line(first, column, path)
                lines = self._indented(_member_lines(key, value), column)
                if path == ("paths",) or (len(path) == 2 and path[0] == "components"):
                    lines = ["", *lines]
                edits.append(Edit(position, position, lines, (*path, _name_of(key))))
        return edits

    def _members(
        self, node: yaml.Node, data: Mapping[Any, Any], path: tuple[str, ...]
    ) -> Iterator[_Member]:
        """The members of a block. Those that `<<` copies are not among them."""
        if isinstance(node, yaml.SequenceNode):
            for key, element in zip(data, node.value, strict=True):
                start: int = element.start_mark.line
                if not self._lines[start][node.start_mark.column :].startswith("-"):
                    raise self._not_a_block(node, path)
                yield self._member(key, start, element)
        elif isinstance(node, yaml.MappingNode):
            for key_node, value in node.value:
                if str(key_node.value) in data:
                    yield self._member(str(key_node.value), key_node.start_mark.line, value)

    def _member(self, key: str | ElementKey, start: int, value: yaml.Node) -> _Member:
        # The node of an alias is that of its anchor, at another place.
        is_alias = value.start_mark.line < start
        end = start if is_alias else self._last_line(value)
        return _Member(key, value, start, end + 1)

    def _value_edits(
        self, member: _Member, data: Any, new_data: Any, path: tuple[str, ...], column: int
    ) -> list[Edit]:
        if len(path) == _REPLACEABLE_DEPTH:
            self._check_no_alias(member, path)
        try:
            return self.edits(member.node, data, new_data, path)
        except _NotEditableError:
            return [self._replacement(member, new_data, column, path)]

    def _replacement(self, member: _Member, value: Any, column: int, path: tuple[str, ...]) -> Edit:
        first_line = self._lines[member.start]
        lines = self._indented(_member_lines(member.key, value), column)
        # The first member of an element stands behind the hyphen of the element.
        lines[0] = first_line[:column] + lines[0][column:]
        is_one_line = len(lines) == 1 and member.end == member.start + 1
        if is_one_line and member.node.end_mark.line == member.start:
            comment = first_line[member.node.end_mark.column :].rstrip("\r\n")
            if comment.lstrip().startswith("#"):
                lines[0] += comment
        return Edit(member.start, member.end, lines, path)

    def _removal(self, member: _Member, column: int, path: tuple[str, ...]) -> Edit:
        self._check_own_line(member, column, path)
        start = member.start
        # A comment directly above describes the member. In front of both is an empty line.
        while start > 0 and self._lines[start - 1].startswith(f"{' ' * column}#"):
            start -= 1
        if start > 0 and not self._lines[start - 1].strip():
            start -= 1
        return Edit(start, member.end, [], path)

    def _check_own_line(self, member: _Member, column: int, path: tuple[str, ...]) -> None:
        if self._lines[member.start][:column].strip():
            raise self._not_a_block(member.node, path)

    def _check_no_alias(self, member: _Member, path: tuple[str, ...]) -> None:
        """Check that no other place depends on the text of a member, and it on no other place."""
        text = "".join(self._lines[member.start : member.end])
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken):
                raise self._has_alias(member.node, path)

    def _indented(self, lines: Sequence[str], column: int) -> list[str]:
        return [f"{' ' * column}{line}" if line else "" for line in lines]

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

    def _not_a_block(self, node: yaml.Node, path: tuple[str, ...]) -> Exception:
        if len(path) >= _REPLACEABLE_DEPTH:
            return _NotEditableError()
        place = ".".join(path) or "the document"
        return AdoptionError(
            f"{self._name}:{node.start_mark.line + 1}: {place} is not written as a block,"
            " so nothing can be changed in it: write each member in a line of its own"
        )

    def _has_alias(self, node: yaml.Node, path: tuple[str, ...]) -> AdoptionError:
        return AdoptionError(
            f"{self._name}:{node.start_mark.line + 1}: {'.'.join(path)} has an anchor or alias, so"
            " it cannot be changed alone: write the data in full"
        )


def _with_edits(lines: Sequence[str], edits: Sequence[Edit]) -> str:
    line_end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    result = list(lines)
    if not result[-1].endswith(("\r", "\n")):
        result[-1] += line_end
    for edit in reversed(edits):
        result[edit.start : edit.end] = [f"{line}{line_end}" for line in edit.lines]
    return "".join(result)


def _member_lines(key: str | ElementKey, value: Any) -> list[str]:
    if isinstance(key, tuple):
        return _element_lines(value)
    return yaml_lines({key: value})


def _element_lines(value: Any) -> list[str]:
    """The lines of an element of a list that is a block."""
    if is_mapping(value):
        return yaml_lines([value])
    # A list of one short text would be written in one line.
    first, *others = yaml_lines({"element": value})
    return [first.replace("element:", "-", 1), *others]


def _name_of(key: str | ElementKey) -> str:
    return key if isinstance(key, str) else key[1]
