"""Loads the spec so that whatever is wrong with it can be told with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specdrift.loading import ComparisonError, ParsedFile
from specdrift.model.document import is_list, is_mapping, pointer, unescaped

__all__ = [
    "METHODS",
    "Document",
    "Operation",
    "Schema",
    "SpecError",
    "is_list",
    "is_mapping",
    "list_at",
    "mapping_at",
    "pointer",
]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The HTTP methods of a path item, in the order in which the generator reads them."""

Schema = dict[str, Any]


class SpecError(Exception):
    """The spec, or what the generator made of it, is not usable; says where and why."""


def mapping_at(node: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under a key; an empty one where there is none."""
    value = node.get(key)
    return value if is_mapping(value) else {}


def list_at(node: dict[str, Any], key: str) -> list[Any]:
    """The list under a key; an empty one where there is none."""
    value = node.get(key)
    return value if is_list(value) else []


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
    """A loaded spec: its data, and the text that says where each place in it is written."""

    path: Path
    root: dict[str, Any]
    text: ParsedFile = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read and parse a YAML or JSON file.

        Raises:
            SpecError: the file cannot be read, does not parse, has a duplicate key, or holds no mapping.
        """
        try:
            text = ParsedFile.parse(str(path), path.read_bytes())
        except OSError as error:
            raise SpecError(f"{path}: cannot be read: {error}") from error
        except ComparisonError as error:
            raise SpecError(str(error)) from error
        if not is_mapping(text.data):
            raise SpecError(f"{path}: is not an OpenAPI document: the top level is not a mapping")
        return cls(path, text.data, text)

    def error(self, place: str, message: str) -> SpecError:
        """An error that names this file, the line of the place (or of what surrounds it), and the place."""
        return SpecError(f"{self.text.source(place)}: #{place}: {message}")

    def resolve(self, node: Any, place: str) -> tuple[Any, str]:
        """Follow `$ref` until there is none; returns the node and where it stands.

        Raises:
            SpecError: the reference leaves the document, points nowhere, or leads back to itself.
        """
        seen: list[str] = []
        while is_mapping(node) and isinstance(reference := node.get("$ref"), str):
            if not reference.startswith("#/"):
                raise self.error(
                    place, f"$ref {reference!r} leaves this file; the generator reads one file"
                )
            if reference in seen:
                raise self.error(place, f"$ref {reference!r} leads back to itself")
            seen.append(reference)
            target: Any = self.root
            for part in reference[2:].split("/"):
                key = unescaped(part)
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

        def walk(node: Any, place: str) -> None:
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
