"""Parses the JSON-compatible part of YAML 1.2 together with the line of every value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from ..model.document import escaped
from .errors import error_at
from .line_index import MAXIMUM_DEPTH, MAXIMUM_NODES, TOO_DEEP, Content, Place, index_lines
from .numbers import abbreviated, is_usable_number

MAXIMUM_YAML_CHARACTERS = 8 * 2**20
"""Of a YAML file. The vendor's largest has 0.5 MB, and Stripe's, a very large one, has 6 MB.

JSON parses much faster, so its only limit is that of all files.
"""

MAXIMUM_YAML_EVENTS = 1_000_000
"""Keys, values and ends of collections of a YAML file.

The vendor's largest document has some 50,000. This limit and those below bound the work for any
text: it takes less than 30 seconds on one core of 2020, mostly in PyYAML's composer.
"""

MAXIMUM_DIRECTIVES = 100
"""Lines that begin with `%`. OpenAPI needs none. PyYAML compares each one with all before it."""

MAXIMUM_MERGED_KEYS = 100_000
"""Keys that `<<` copies in a file, in total. A small text can ask for millions of copies."""

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

_DIRECTIVE = re.compile("(?:^|[\r\n\x85\u2028\u2029])%")
"""The start of a directive. The characters in brackets end a line in YAML 1.1."""

# PyYAML implements YAML 1.1, where `no` is a boolean, 1:30 is a number and 1e3 is a string. OpenAPI
# uses YAML 1.2.
_INTEGER = re.compile("(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(
    r"""
    [-+]? (?: \.[0-9]+ | [0-9]+\.[0-9]* ) (?: [eE][-+]?[0-9]+ )? $
    | [-+]? [0-9]+ [eE][-+]?[0-9]+ $
    | [-+]? \.(?:inf|Inf|INF) $ | \.(?:nan|NaN|NAN) $
    """,
    re.VERBOSE,
)
_YAML_1_2_PATTERNS = {
    f"{_TAG}bool": re.compile("(?:true|True|TRUE|false|False|FALSE)$"),
    f"{_TAG}int": _INTEGER,
    f"{_TAG}float": _FLOAT,
}

_EXPLICIT_FLOAT = re.compile(f"[-+]?[0-9]+$|{_FLOAT.pattern}", re.VERBOSE)
"""What `!!float` allows beside the unquoted values: whole numbers (YAML 1.2, section 10.2.1.4)."""


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
    _reject_many_directives(name, text)
    try:
        # Composing a deep text would overflow the C stack, and composing a long one takes minutes.
        _reject_complex_text(name, text)
        return _compose(name, text)
    except yaml.MarkedYAMLError as error:
        line = _line_of(error.problem_mark)
        raise error_at(name, line, f"does not parse as YAML: {error.problem}") from error
    except (ValueError, LookupError, ArithmeticError) as error:
        # PyYAML passes on what Python raises for a value that does not match its explicit tag.
        raise error_at(name, None, f"does not parse as YAML: {error}") from error


def _reject_control_characters(name: str, text: str) -> None:
    # PyYAML's parser in C accepts some of them, and the one in Python rejects all.
    character = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if character is None:
        return
    line = text.count("\n", 0, character.start()) + 1
    raise error_at(name, line, "does not parse as YAML: a control character is not allowed")


def _reject_many_directives(name: str, text: str) -> None:
    # The parser reads all directives before its first event, so nothing can stop it there.
    for number, directive in enumerate(_DIRECTIVE.finditer(text)):
        if number == MAXIMUM_DIRECTIVES:
            line = text.count("\n", 0, directive.end()) + 1
            problem = f"has more than {MAXIMUM_DIRECTIVES} lines that begin with %"
            raise error_at(name, line, f"{problem}: convert it to JSON")


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
    _check_merges(root)
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
    expected_node = _COLLECTIONS.get(node.tag, yaml.ScalarNode)
    if not isinstance(node, expected_node):
        tag = node.tag.removeprefix(_TAG)
        raise _error_at_node(node, f"the tag !!{tag} does not match the value")
    if node.tag == f"{_TAG}bool" and not _YAML_1_2_PATTERNS[node.tag].match(node.value):
        raise _error_at_node(node, f"{abbreviated(node.value)} is not true or false")


_COLLECTIONS: dict[str, type[yaml.Node]] = {
    f"{_TAG}map": yaml.MappingNode,
    f"{_TAG}seq": yaml.SequenceNode,
}
"""The nodes of the tags that are no scalars."""


def _check_number(node: yaml.Node) -> None:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _CONSTRUCTORS:
        return
    if not is_usable_number(_number(node)):
        raise _error_at_node(node, f"{abbreviated(node.value)} is not a number that JSON has")


def _number(node: yaml.ScalarNode) -> int | float | None:
    """The number of a node with a number's tag; None if it is no number of YAML 1.2."""
    # An explicit tag does not choose a pattern. PyYAML would read YAML 1.1 there: `1:30` is 90, in
    # a time that is quadratic in the number of colons.
    if _EXPLICIT_PATTERNS[node.tag].match(node.value) is None:
        return None
    try:
        return _CONSTRUCTORS[node.tag](yaml.constructor.SafeConstructor(), node)
    except (ValueError, ArithmeticError):
        # It has more digits than Python converts.
        return None


_EXPLICIT_PATTERNS = {f"{_TAG}int": _INTEGER, f"{_TAG}float": _EXPLICIT_FLOAT}

_CONSTRUCTORS: dict[str, Callable[[Any, Any], int | float]] = {
    f"{_TAG}int": yaml.constructor.SafeConstructor.construct_yaml_int,
    f"{_TAG}float": yaml.constructor.SafeConstructor.construct_yaml_float,
}
"""How PyYAML reads numbers, by their tags."""


def _check_merges(root: yaml.Node) -> None:
    """Count the keys that `<<` copies. PyYAML copies them into every mapping that merges them.

    Raises:
        yaml.MarkedYAMLError: there are more than `MAXIMUM_MERGED_KEYS`.
    """
    sizes: dict[int, int] = {}
    merged_keys = 0
    for mapping in _mappings(root, set()):
        merged_keys += _merged_size(mapping, sizes) - len(mapping.value)
        if merged_keys > MAXIMUM_MERGED_KEYS:
            problem = f"more than {MAXIMUM_MERGED_KEYS:,} keys are merged with <<"
            raise _error_at_node(mapping, f"{problem}: convert it to JSON")


def _mappings(node: yaml.Node, visited: set[int]) -> Iterator[yaml.MappingNode]:
    """The mappings at and below a node, each once."""
    if id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield node
    for child in _children(node):
        if isinstance(child.node, yaml.CollectionNode):
            yield from _mappings(child.node, visited)


def _merged_size(mapping: yaml.MappingNode, sizes: dict[int, int]) -> int:
    """The keys of a mapping after its merges, of which duplicates count too.

    Args:
        mapping: the mapping.
        sizes: the results so far, by `id`.
    """
    if id(mapping) not in sizes:
        sizes[id(mapping)] = len(mapping.value) + sum(
            _merged_size(source, sizes) for source in _merge_sources(mapping)
        )
    return sizes[id(mapping)]


def _merge_sources(mapping: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
    """The mappings that a mapping merges: the value of each `<<`, or the elements of that value."""
    for key, value in mapping.value:
        if key.tag != _MERGE:
            continue
        elements = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for element in elements:
            if isinstance(element, yaml.MappingNode):
                yield element


def _turn_keys_into_strings(node: yaml.Node) -> None:
    """Make an unquoted `200` or `on` a string key, as it is in JSON."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error_at_node(key, "a key must be a string")
        if key.tag != _MERGE:
            key.tag = _STRING


def _places(root: yaml.Node) -> Iterator[Place]:
    """The places below a node in the order of the text, with aliases expanded.

    The values of an alias have the lines of its anchor.
    """
    parents = [("", _children(root))]
    while parents:
        parent_pointer, children = parents[-1]
        child = next(children, None)
        if child is None:
            parents.pop()
            continue
        child_pointer = f"{parent_pointer}/{escaped(child.name)}"
        yield Place(child_pointer, child.line)
        if isinstance(child.node, yaml.CollectionNode):
            parents.append((child_pointer, _children(child.node)))


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
