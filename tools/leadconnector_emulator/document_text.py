"""Parses the text of an OpenAPI document in YAML or JSON, fast enough for thousands of schemas.

PyYAML builds a node and calls a method for each value, which takes ten times as long as its parser
in C. So the data is built here from the parser's events. What OpenAPI documents rarely have, such
as tags and `<<`, is left to PyYAML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeAlias

import yaml

_TaggedEvent: TypeAlias = yaml.ScalarEvent | yaml.CollectionStartEvent

_MERGE_TAG = "tag:yaml.org,2002:merge"
_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"


def parse_document(text: str) -> Any:
    """Parse YAML or JSON into JSON's types.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except ValueError:
        return _parse_yaml(text)


def line_of(text: str, steps: tuple[str | int, ...]) -> int | None:
    """The line of a place in a document, from 1. It parses the document again, which is slow.

    `None`: the document is JSON that PyYAML cannot parse, such as an escaped surrogate pair.

    Args:
        text: the text of the document.
        steps: the names and indexes that lead to the place.
    """
    try:
        node = yaml.compose(text, Loader=_loader_type())
    except yaml.YAMLError:
        return None
    line = 1
    for step in steps:
        entry = _entry(node, step)
        if entry is None:
            # An alias, or `<<`, has no place of its own.
            break
        line, node = entry
    return line


def _entry(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    """The line of an entry of a mapping or sequence, and its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        item = node.value[step]
        return item.start_mark.line + 1, item
    return None


def _reject_constant(constant: str) -> NoReturn:
    """Python's parser accepts NaN and Infinity, which are not JSON (RFC 8259, section 6)."""
    raise ValueError(constant)


def _parse_yaml(text: str) -> Any:
    try:
        return _Builder().build(yaml.parse(text, Loader=_loader_type()))
    except _UncommonYamlError:
        return yaml.load(text, Loader=_JsonTypesLoader)  # noqa: S506 - derived from SafeLoader


def _loader_type() -> Any:
    """The loader in C, which is faster but not part of every installation of PyYAML."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UncommonYamlError(Exception):
    """The text has something that only PyYAML's own loader builds."""


class _JsonTypesLoader(yaml.SafeLoader):
    """A YAML loader without timestamps: JSON has no dates, so a date stays text."""


_JsonTypesLoader.yaml_implicit_resolvers = {
    first_character: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP_TAG]
    for first_character, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Builder:
    """Builds the data of a YAML document from the events of the parser."""

    def __init__(self) -> None:
        self._scalars: Any = _JsonTypesLoader("")
        # Most unquoted texts of a spec repeat, such as `type` and `string`.
        self._values: dict[str, Any] = {}
        self._anchors: dict[str, Any] = {}

    def build(self, events: Iterator[yaml.Event]) -> Any:
        """The data of the only document.

        Raises:
            _UncommonYamlError: it needs PyYAML's own loader.
            yaml.YAMLError: it is not YAML.
        """
        documents: list[Any] = []
        # How the innermost collection is extended, and those around it.
        add: Callable[[Any], None] = documents.append
        outer_adds: list[Callable[[Any], None]] = []
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                add(self._anchored(event, self._scalar(event)))
            elif isinstance(event, yaml.MappingStartEvent):
                mapping = _Mapping()
                add(self._anchored(event, mapping.data))
                outer_adds.append(add)
                add = mapping.add
            elif isinstance(event, yaml.SequenceStartEvent):
                sequence: list[Any] = []
                add(self._anchored(event, sequence))
                outer_adds.append(add)
                add = sequence.append
            elif isinstance(event, yaml.CollectionEndEvent):
                add = outer_adds.pop()
            elif isinstance(event, yaml.AliasEvent):
                add(self._alias(event))
        if len(documents) != 1:
            raise _UncommonYamlError
        return documents[0]

    def _anchored(self, event: _TaggedEvent, data: Any) -> Any:
        """The data of a node, which an alias may repeat."""
        if event.tag is not None:
            raise _UncommonYamlError
        if event.anchor is not None:
            self._anchors[event.anchor] = data
        return data

    def _alias(self, event: yaml.AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            raise _UncommonYamlError
        return self._anchors[event.anchor]

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        is_unquoted: bool = event.implicit[0]
        text: str = event.value
        if not is_unquoted:
            return text
        if text not in self._values:
            tag: str = self._scalars.resolve(yaml.ScalarNode, text, (True, False))
            if tag == _MERGE_TAG:
                raise _UncommonYamlError
            self._values[text] = self._scalars.construct_object(yaml.ScalarNode(tag, text))
        return self._values[text]


class _Mapping:
    """A mapping that is not complete. Its keys and values arrive in turn."""

    def __init__(self) -> None:
        self.data: dict[Any, Any] = {}
        self._has_key = False
        self._key: Any = None

    def add(self, item: Any) -> None:
        """Take a key or the value of the last key."""
        if self._has_key:
            self.data[self._key] = item
            self._has_key = False
            return
        if isinstance(item, dict | list):
            raise _UncommonYamlError
        self._key = item
        self._has_key = True
