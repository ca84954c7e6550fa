"""Loads the spec so that whatever is wrong with it can be told with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The HTTP methods of a path item, in the order in which the generator reads them."""

Schema = dict[str, Any]

MAXIMUM_NODES = 1_000_000
"""What a document may have, aliases written out; the vendor's largest has a few tens of thousands."""


class SpecError(Exception):
    """The spec, or what the generator made of it, is not usable; says where and why."""


class _Loader(yaml.SafeLoader):
    """YAML as JSON knows it: no duplicate keys, and a date stays the string that it is on the wire."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a string", problem_mark=key_node.start_mark)
            if key_node.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"duplicate key {key_node.value!r}", problem_mark=key_node.start_mark
                )
            seen.add(key_node.value)
            if key_node.tag != "tag:yaml.org,2002:merge":
                key_node.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


# An unquoted 2021-07-28 stays text: JSON has no dates.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def is_mapping(node: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a node is a mapping; its keys are strings, as the loader made them so."""
    return isinstance(node, dict)


def is_list(node: Any) -> TypeGuard[list[Any]]:
    """Whether a node is a list."""
    return isinstance(node, list)


def mapping_at(node: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under a key; an empty one where there is none."""
    value = node.get(key)
    return value if is_mapping(value) else {}


def list_at(node: dict[str, Any], key: str) -> list[Any]:
    """The list under a key; an empty one where there is none."""
    value = node.get(key)
    return value if is_list(value) else []


def pointer(*keys: object) -> str:
    """A JSON pointer from its parts, each escaped."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def _lines(node: yaml.Node | None) -> dict[str, int]:
    """The line of each JSON pointer. An aliased node counts where it is written."""
    lines: dict[str, int] = {}
    seen: set[int] = set()
    inside: set[int] = set()

    def walk(node: yaml.Node, place: str) -> None:
        lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in inside:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        if id(node) in seen:
            return
        seen.add(id(node))
        inside.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                child = place + pointer(key.value)
                lines[child] = key.start_mark.line + 1
                walk(value, child)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                walk(value, place + pointer(index))
        inside.discard(id(node))

    if node is not None:
        walk(node, "")
    return lines


@dataclass(frozen=True)
class Operation:
    """One operation of the spec, and where it stands."""

    method: str
    path: str
    place: str
    node: dict[str, Any]
    path_item: dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A loaded spec: its data, and the line of every place in it."""

    path: Path
    root: dict[str, Any]
    lines: Mapping[str, int] = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read and parse a YAML or JSON file.

        Raises:
            SpecError: the file cannot be read, does not parse, has a duplicate key, or holds no mapping.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{path}: cannot be read: {error}") from error
        try:
            lines = _lines(_Loader(text).get_single_node())
            root: Any = _Loader(text).get_single_data()
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise SpecError(f"{path}{line}: does not parse as YAML: {problem}") from error
        if not is_mapping(root):
            raise SpecError(f"{path}: is not an OpenAPI document: the top level is not a mapping")
        return cls(path, root, lines)

    def error(self, place: str, message: str) -> SpecError:
        """An error that names this file, the line of the place (or of what surrounds it), and the place."""
        around = place
        while around and around not in self.lines:
            around = around.rpartition("/")[0]
        return SpecError(f"{self.path}:{self.lines.get(around, 1)}: #{place}: {message}")

    def resolve(self, node: Any, place: str) -> tuple[Any, str]:
        """Follow `$ref` until there is none; returns the node and where it stands.

        Raises:
            SpecError: the reference leaves the document, points nowhere, or leads back to itself.
        """
        seen: list[str] = []
        while is_mapping(node) and isinstance(reference := node.get("$ref"), str):
            if not reference.startswith("#/"):
                raise self.error(place, f"$ref {reference!r} leaves this file; the generator reads one file")
            if reference in seen:
                raise self.error(place, f"$ref {reference!r} leads back to itself")
            seen.append(reference)
            target: Any = self.root
            for part in reference[2:].split("/"):
                key = part.replace("~1", "/").replace("~0", "~")
                if is_mapping(target) and key in target:
                    target = target[key]
                elif is_list(target) and key.isdecimal() and int(key) < len(target):
                    target = target[int(key)]
                else:
                    raise self.error(place, f"$ref {reference!r} points to nothing")
            node, place = target, reference[1:]
        return node, place

    def at(self, place: str) -> tuple[Any, str]:
        """What stands at a place, and, where that is a reference, what it leads to and where."""
        return self.resolve({"$ref": f"#{place}"}, place)

    def check_references(self) -> None:
        """Raise `SpecError` for the first reference that cannot be followed, used or not."""
        values = {"example", "examples", "default", "enum", "const"}
        seen = 0

        def walk(node: Any, place: str) -> None:
            nonlocal seen
            seen += 1
            if seen > MAXIMUM_NODES:
                raise self.error(place, f"more than {MAXIMUM_NODES} nodes once its aliases are written out")
            if is_mapping(node):
                names = place.endswith("/properties")
                if isinstance(node.get("$ref"), str) and not names:
                    self.resolve(node, place)
                for key, value in node.items():
                    if names or key not in values:
                        walk(value, place + pointer(key))
            elif is_list(node):
                for index, value in enumerate(node):
                    walk(value, place + pointer(index))

        walk(self.root, "")

    def operations(self) -> Iterator[Operation]:
        """The operations, in the generator's order: by path as written, then by method."""
        for path, raw in mapping_at(self.root, "paths").items():
            place = pointer("paths", path)
            path_item, place = self.resolve(raw, place)
            if not is_mapping(path_item):
                raise self.error(place, "a path item must be a mapping")
            for method in METHODS:
                node = path_item.get(method)
                if node is not None:
                    if not is_mapping(node):
                        raise self.error(f"{place}/{method}", "an operation must be a mapping")
                    yield Operation(method, path, f"{place}/{method}", node, path_item)

    def parameters(self, operation: Operation) -> Iterator[tuple[dict[str, Any], str]]:
        """An operation's parameters, those of its path item included unless it redefines them, and where they stand."""
        seen: set[tuple[str, str]] = set()
        path_place = operation.place.rpartition("/")[0]
        for holder, place in ((operation.node, operation.place), (operation.path_item, path_place)):
            for index, raw in enumerate(list_at(holder, "parameters")):
                node, found = self.resolve(raw, f"{place}/parameters/{index}")
                key = (str(node.get("name")), str(node.get("in")))
                if key not in seen:
                    seen.add(key)
                    yield node, found

    def properties(self, schema: Any, place: str) -> dict[str, tuple[Any, str, bool]]:
        """The properties of an object schema, `allOf` included: name to schema, place, and whether it is required."""
        found: dict[str, tuple[Any, str, bool]] = {}
        required: set[str] = set()

        def collect(schema: Any, place: str, above: frozenset[str]) -> None:
            schema, place = self.resolve(schema, place)
            if place in above or not is_mapping(schema):
                return
            required.update(list_at(schema, "required"))
            for index, branch in enumerate(list_at(schema, "allOf")):
                collect(branch, f"{place}/allOf/{index}", above | {place})
            for name, value in mapping_at(schema, "properties").items():
                found[name] = (value, place + pointer("properties", name), False)

        collect(schema, place, frozenset())
        return {name: (node, where, name in required) for name, (node, where, _) in found.items()}
