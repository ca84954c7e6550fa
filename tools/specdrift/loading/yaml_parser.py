"""Parses the JSON-compatible part of YAML 1.2 together with the line of every value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from ..model.document import pointer
from .errors import error_at
from .line_index import MAXIMUM_DEPTH, MAXIMUM_NODES, TOO_DEEP, Content, Place, index_lines
from .numbers import abbreviated, is_usable_number

MAXIMUM_YAML_CHARACTERS = 4 * 2**20
"""Of a YAML file. The vendor's largest has 0.5 MB. PyYAML takes minutes for 15 MB of short values.

JSON parses much faster, so its only limit is that of all files.
"""

MAXIMUM_YAML_EVENTS = 500_000
"""Keys, values and ends of collections of a YAML file, which take a second to count.

The vendor's largest document has some 50,000.
"""

_TAG = "tag:yaml.org,2002:"
_STRING = f"{_TAG}str"
_MERGE = f"{_TAG}merge"

_ALLOWED_TAGS = frozenset(
    {
        f"{_TAG}map",
        f"{_TAG}seq",
        f"{_TAG}int",
        f"{_TAG}float",
        f"{_TAG}bool",
        f"{_TAG}null",
        _STRING,
        _MERGE,
    }
)
"""The types of JSON, and `<<`. Dates stay strings, as in JSON."""

# PyYAML implements YAML 1.1, where `no` is a boolean, 1:30 is a number and 1e3 is a string. OpenAPI
# uses YAML 1.2.
_YAML_1_2_PATTERNS = {
    f"{_TAG}bool": re.compile("(?:true|True|TRUE|false|False|FALSE)$"),
    f"{_TAG}int": re.compile("(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$"),
    f"{_TAG}float": re.compile(
        r"""
        [-+]? (?: \.[0-9]+ | [0-9]+\.[0-9]* ) (?: [eE][-+]?[0-9]+ )? $
        | [-+]? [0-9]+ [eE][-+]?[0-9]+ $
        | [-+]? \.(?:inf|Inf|INF) $ | \.(?:nan|NaN|NAN) $
        """,
        re.VERBOSE,
    ),
}


def parse_yaml(name: str, text: str) -> Content:
    """Parse the text of a YAML file.

    Raises:
        ComparisonError: it does not parse, has a duplicate key, contains a value that JSON has no
            type for, or exceeds a limit.
    """
    if len(text) > MAXIMUM_YAML_CHARACTERS:
        limit = MAXIMUM_YAML_CHARACTERS >> 20
        raise error_at(name, None, f"has more than {limit} MiB of YAML: convert it to JSON")
    _reject_control_characters(name, text)
    try:
        # Composing a deep text would overflow the C stack, and composing a long one takes minutes.
        _reject_complex_text(name, text)
        return _compose(name, text)
    except yaml.MarkedYAMLError as error:
        line = _line_of(error.problem_mark)
        raise error_at(name, line, f"does not parse as YAML: {error.problem}") from error
    except (ValueError, LookupError) as error:
        # A value that its explicit tag does not allow, such as `!!bool text`.
        raise error_at(name, None, f"does not parse as YAML: {error}") from error


def _reject_control_characters(name: str, text: str) -> None:
    # PyYAML's parser in C accepts some of them, and the one in Python rejects all.
    character = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if character is None:
        return
    line = text.count("\n", 0, character.start()) + 1
    raise error_at(name, line, "does not parse as YAML: a control character is not allowed")


def _reject_complex_text(name: str, text: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_loader_type())):
        if number == MAXIMUM_YAML_EVENTS:
            problem = f"has more than {MAXIMUM_YAML_EVENTS:,} keys and values in YAML"
            raise error_at(name, _line_of(event.start_mark), f"{problem}: convert it to JSON")
        if isinstance(event, yaml.NodeEvent) and depth > MAXIMUM_DEPTH:
            raise error_at(name, _line_of(event.start_mark), TOO_DEEP)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _compose(name: str, text: str) -> Content:
    loader = _loader_type()(text)
    loader.yaml_implicit_resolvers = _json_compatible(loader.yaml_implicit_resolvers)
    root = loader.get_single_node()
    if root is None:
        return Content(None, {})
    # Aliases are counted before they are expanded: a small file can expand to billions of nodes.
    _check_nodes(root, {})
    lines = index_lines(name, _places(root))
    return Content(loader.construct_document(root), lines)


def _loader_type() -> Any:
    """The loader in C, which is faster but not part of every installation of PyYAML."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _json_compatible(resolvers: dict[Any, Any]) -> dict[Any, Any]:
    """PyYAML's patterns for unquoted values, with those of YAML 1.2 and without other types.

    Args:
        resolvers: pairs of a tag and its pattern, by the first character of a value.
    """
    return {
        first_character: [
            (tag, _YAML_1_2_PATTERNS.get(tag, pattern))
            for tag, pattern in pairs
            if tag in _ALLOWED_TAGS
        ]
        for first_character, pairs in resolvers.items()
    }


def _check_nodes(node: yaml.Node, counts: dict[int, int]) -> int:
    """Count the nodes below a node with aliases expanded, and turn all keys into strings.

    Args:
        node: the first node.
        counts: the counts of the nodes so far, by `id`; 0 while a node is being counted.

    Raises:
        yaml.MarkedYAMLError: a node has no equivalent in JSON, contains itself, or there are more
            nodes than `MAXIMUM_NODES`.
    """
    # PyYAML represents an alias by the node of its anchor, so each node is counted once.
    if id(node) not in counts:
        counts[id(node)] = 0
        _check_tag(node)
        _check_number(node)
        _turn_keys_into_strings(node)
        counts[id(node)] = 1 + sum(_check_nodes(child.node, counts) for child in _children(node))
    elif counts[id(node)] == 0:
        raise _error_at_node(node, "an alias contains itself")
    if counts[id(node)] > MAXIMUM_NODES:
        problem = f"more than {MAXIMUM_NODES} nodes once its aliases are expanded"
        raise _error_at_node(node, problem)
    return counts[id(node)]


def _check_tag(node: yaml.Node) -> None:
    if node.tag not in _ALLOWED_TAGS:
        raise _error_at_node(node, f"JSON has no type for the tag {node.tag!r}")


def _check_number(node: yaml.Node) -> None:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _CONSTRUCTORS:
        return
    text: str = node.value
    try:
        number = _CONSTRUCTORS[node.tag](yaml.constructor.SafeConstructor(), node)
    except (ValueError, LookupError):
        # Either no number, for example `!!int text`, or more digits than Python converts.
        number = None
    if not is_usable_number(number):
        raise _error_at_node(node, f"{abbreviated(text)} is not a number that JSON has")


_CONSTRUCTORS: dict[str, Callable[[Any, Any], int | float]] = {
    f"{_TAG}int": yaml.constructor.SafeConstructor.construct_yaml_int,
    f"{_TAG}float": yaml.constructor.SafeConstructor.construct_yaml_float,
}
"""How PyYAML reads numbers, by their tags."""


def _turn_keys_into_strings(node: yaml.Node) -> None:
    """Make an unquoted `200` or `on` a string key, as it is in JSON."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error_at_node(key, "a key must be a string")
        if key.tag != _MERGE:
            key.tag = _STRING


def _places(node: yaml.Node, parent_pointer: str = "") -> Iterator[Place]:
    """The places below a node, with aliases expanded. They have the lines of their anchors."""
    for child in _children(node):
        child_pointer = parent_pointer + pointer(child.name)
        yield Place(child_pointer, child.line)
        yield from _places(child.node, child_pointer)


class _Child(NamedTuple):
    """A member of a mapping or an element of a sequence."""

    name: object
    line: int
    node: yaml.Node


def _children(node: yaml.Node) -> Iterator[_Child]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield _Child(key.value, key.start_mark.line + 1, value)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield _Child(index, value.start_mark.line + 1, value)


def _line_of(mark: Any) -> int | None:
    """The line of a mark of PyYAML. Its two parsers have different types for marks."""
    return None if mark is None else mark.line + 1


def _error_at_node(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
