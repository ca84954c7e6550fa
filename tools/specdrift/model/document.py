"""A loaded document as places that know where they stand, with references followed only when somebody asks."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import unquote, urljoin

Files: TypeAlias = Mapping[str, Any]
"""Loaded documents by the path that leads to them from the main one, such as `../common/schemas.json`."""

DANGLING = "$dangling"
"""The only key of what stands in for a reference that leads nowhere; its value is the reference's text."""

MAXIMUM_LOOKUPS = 20
"""How many pointers may lead through references, each for the sake of the one before; a circle of them has no end."""


class TooComplexError(Exception):
    """What cannot be compared within bounds. The message says, in one line, where it is and what to do."""


def is_mapping(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a value is a mapping; that its keys are text is the loader's affair."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def pointer(*steps: object) -> str:
    """A JSON pointer from its steps, each escaped."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def unescaped(step: str) -> str:
    """A step of a JSON pointer as it is called where it leads."""
    return step.replace("~1", "/").replace("~0", "~")


def file_of(name: str, base: str) -> str:
    """The file that a reference names, read in another: a path from the main document, or a URL.

    Args:
        name: the reference without its fragment.
        base: where the other file is, in the same form; empty for the main document.
    """
    if "://" not in base or "://" in name:
        return (
            name
            if "://" in name
            else posixpath.normpath(posixpath.join(posixpath.dirname(base), name))
        )
    try:
        return urljoin(base, name)
    except (
        ValueError
    ):  # such as an address that does not close its bracket: it leads nowhere under any name
        return name


@dataclass(frozen=True)
class Node:
    """A value and its place. Two nodes of a document are equal where they stand in the same place."""

    document: Document = field(compare=False, repr=False)
    file: str
    pointer: str
    value: Any = field(compare=False, repr=False)

    @property
    def location(self) -> str:
        """The place as told in a change: a JSON pointer, with the file before it where that is not the main one."""
        return f"{self.file}#{self.pointer}" if self.file else self.pointer

    def child(self, *steps: str | int) -> Node:
        """What stands some steps below; its value is None where nothing does."""
        value = self.value
        for step in steps:
            value = _step(value, str(step))
        return Node(self.document, self.file, self.pointer + pointer(*steps), value)

    def children(self, *steps: str | int) -> Iterator[tuple[str, Node]]:
        """The members of the mapping, or the elements of the list, that stands some steps below, each with its name."""
        parent = self.child(*steps)
        if is_mapping(parent.value):
            yield from ((str(name), parent.child(name)) for name in parent.value)
        elif is_list(parent.value):
            yield from ((str(index), parent.child(index)) for index in range(len(parent.value)))

    def get(self, key: str) -> Any:
        """The value of a member, or None."""
        return self.value.get(key) if is_mapping(self.value) else None

    @property
    def reference(self) -> str | None:
        """The text of the reference that stands here, if one does."""
        text = self.get("$ref")
        return text if isinstance(text, str) else None

    def resolved(self) -> Node:
        """The node itself, or what its reference leads to in the end; a stand-in where that is nothing."""
        node: Node = self
        seen = set[Node]((node,))
        while (text := node.reference) is not None:
            target = node.document.find(text, node.file)
            if target is None or target in seen:
                node.document.dangling[node.location] = text
                return Node(self.document, self.file, self.pointer + "/$ref", {DANGLING: text})
            seen.add(target)
            node = target
        return node

    @property
    def meant(self) -> Node:
        """What the reference leads to, where nothing that counts stands beside it; else the node itself."""
        alone = self.reference is not None and (
            len(self.value) == 1 or not self.document.joins_siblings
        )
        return self.resolved() if alone else self


class Document:
    """A document with the other files that it may refer to."""

    def __init__(self, root: Mapping[str, Any], files: Files | None = None) -> None:
        self._files: Files = {} if files is None else files
        self._lookups = 0
        self._anchors: dict[str, dict[str, str]] = {}
        self._found: dict[tuple[str, str], Node | None] = {}
        self.root = Node(self, "", "", root)
        self.dangling: dict[str, str] = {}
        """The references that were followed and lead nowhere: the text of each, by the location of what holds it."""
        self.joins_siblings = not str(root.get("openapi", "")).startswith("3.0")
        """Whether what stands beside a `$ref` counts: since OpenAPI 3.1 it does."""

    def find(self, reference: str, file: str = "") -> Node | None:
        """What a reference leads to, read in a file; None where that is nothing."""
        if (reference, file) in self._found:
            return self._found[reference, file]
        found = self._find(reference, file)
        if not self._lookups:  # on the way through other references it may have been given up
            self._found[reference, file] = found
        return found

    def _find(self, reference: str, file: str) -> Node | None:
        name, _, place = reference.partition("#")
        file = file_of(name, file) if name else file
        place = unquote(place)
        value = self._files.get(file) if file else self.root.value
        if place and not place.startswith("/"):
            if file not in self._anchors:
                self._anchors[file] = dict(_anchors(value))
            place = self._anchors[file].get(place, place)
        if value is None or (place and not place.startswith("/")):
            return None
        node = Node(self, file, "", value)
        for escaped in place.split("/")[1:]:
            if (
                node.reference is not None
            ):  # a pointer may lead through a place that is itself a reference
                if self._lookups == MAXIMUM_LOOKUPS:
                    return None
                self._lookups += 1
                node = node.resolved()
                self._lookups -= 1
            node = node.child(unescaped(escaped))
            if node.value is None:
                return None
        return node


def _anchors(value: Any) -> Iterator[tuple[str, str]]:
    """The names that places of a file have by `$anchor`, each with its JSON pointer."""
    todo = [("", value)]
    for place, each in todo:
        members = each.items() if is_mapping(each) else enumerate(each) if is_list(each) else ()
        todo += [
            (place + pointer(name), member)
            for name, member in members
            if isinstance(member, dict | list)
        ]
        if is_mapping(each) and isinstance(each.get("$anchor"), str):
            yield each["$anchor"], place


def _step(value: Any, step: str) -> Any:
    if is_mapping(value):
        # A loader of YAML may leave a status as a number.
        return value.get(step, value.get(int(step)) if step.isdecimal() else None)  # type: ignore[call-overload]
    if is_list(value) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None
