"""The loaded spec as values with JSON pointers, so that every error names a file and a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specdrift.model.document import escaped, is_list, is_mapping, unescaped
from specdrift.model.document import pointer as json_pointer
from specdrift.rules import Source
from specdrift.terminal import visible

from .sources import Sources

__all__ = [
    "METHODS",
    "Document",
    "Node",
    "ObjectProperty",
    "Operation",
    "Schema",
    "SpecError",
    "error_at",
    "is_ignored_header",
    "is_list",
    "is_mapping",
    "json_pointer",
    "raise_together",
]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The HTTP methods of a path item, in the order in which the generator reads them."""

IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})
"""OpenAPI 3.1, "Parameter Object": a header parameter of such a name is ignored.

The security requirements and the media types of the operation describe these headers.
"""

CLIENT_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Headers that the client sets itself, or that change how HTTP transfers a request.

A header parameter of such a name would break the request. Those of `RESERVED_HEADERS` in the
client's `added_headers`, which the generator cannot import, are among them. A header `Cookie` would
replace the cookie parameters.
"""

Schema = dict[str, Any]


class SpecError(Exception):
    """The spec, or the code generated from it, is not usable. The message says where and why.

    An error of several problems has a line of text for each.
    """

    def __init__(self, message: str, *, pointer: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.pointer = pointer
        """The JSON pointer of the problem; empty for the whole document or several problems."""
        self.line = line
        """The line of the spec; 0 if there is none or several."""


def error_at(source: Source, pointer: str, message: str) -> SpecError:
    """An error that names a file, a line and a JSON pointer.

    It is one line: names of the spec may contain line ends and escape sequences.
    """
    text = visible(f"{source}: #{pointer}: {message}")
    return SpecError(text, pointer=pointer, line=source.line or 0)


def raise_together(*groups: Iterable[SpecError]) -> None:
    """Raise all errors as one; do nothing without errors.

    Two rules can find the same problem, and one rule the same place in two ways. Each text appears
    once.

    Args:
        groups: the errors, causes in a group before that of their consequences. Within a group,
            the lines decide the order.

    Raises:
        SpecError: there are errors.
    """
    texts: list[str] = []
    for errors in groups:
        texts += [str(error) for error in sorted(errors, key=lambda error: error.line)]
    if texts:
        raise SpecError("\n".join(dict.fromkeys(texts)))


@dataclass(frozen=True)
class Node:
    """One value of the document and the JSON pointer to it."""

    value: Any
    pointer: str

    @property
    def mapping(self) -> dict[str, Any]:
        """The value if it is a mapping, otherwise an empty mapping."""
        if is_mapping(self.value):
            return self.value
        return {}

    @property
    def sequence(self) -> list[Any]:
        """The value if it is a list, otherwise an empty list."""
        if is_list(self.value):
            return self.value
        return []

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default if it is absent or the value is not a mapping."""
        return self.mapping.get(key, default)

    def child(self, *keys: str) -> Node:
        """The node below these keys. Its value is `None` if a key is absent."""
        value = self.value
        pointer = self.pointer
        for key in keys:
            value = value.get(key) if is_mapping(value) else None
            pointer = f"{pointer}/{escaped(key)}"
        return Node(value, pointer)

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The keys and child nodes of a mapping. Other values have none."""
        for key, value in self.mapping.items():
            yield key, Node(value, f"{self.pointer}/{escaped(key)}")

    def elements(self) -> Iterator[Node]:
        """The child nodes of a list. Other values have none."""
        for index, value in enumerate(self.sequence):
            yield Node(value, f"{self.pointer}/{index}")


@dataclass(frozen=True)
class Operation:
    """One operation of the spec."""

    method: str
    """The HTTP method in lower case, as the path item spells it."""
    path: str
    node: Node
    """The operation object."""
    path_item: Node
    """The path item that contains the operation."""

    @property
    def pointer(self) -> str:
        """The JSON pointer of the operation object."""
        return self.node.pointer

    @property
    def label(self) -> str:
        """The operation as people write it: `PUT /conversations/{conversationId}`."""
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True)
class ObjectProperty:
    """One property of an object schema."""

    schema: Node
    required: bool


@dataclass(frozen=True)
class Remark:
    """Something that is read in another way than it is written, or not at all."""

    reason: str
    source: str
    """File and line."""


@dataclass(frozen=True)
class Document:
    """A loaded spec: its data, and what knows the line of every JSON pointer."""

    path: Path
    root: dict[str, Any]
    sources: Sources = field(repr=False)
    remarks: list[Remark] = field(default_factory=list[Remark], repr=False)
    """What the reading of the document has changed. `make generate` prints them as notes."""

    @property
    def top(self) -> Node:
        """The whole document as a node."""
        return Node(self.root, "")

    def error(self, pointer: str, message: str) -> SpecError:
        """An error that names the file, the line of the pointer or its parent, and the pointer."""
        return error_at(self.sources.source(pointer), pointer, message)

    def remark(self, pointer: str, reason: str) -> None:
        """Remember that something is read in another way than it is written."""
        self.remarks.append(Remark(reason, str(self.sources.source(pointer))))

    def at(self, pointer: str) -> Node:
        """The node at a pointer, after following references."""
        reference = {"$ref": f"#{pointer}"}
        return self.resolve(Node(reference, pointer))

    def resolve(self, node: Node) -> Node:
        """Follow `$ref` until a node has none.

        Raises:
            SpecError: a reference leaves the document, has no target, or leads back to itself.
        """
        followed: set[str] = set()
        while (reference := _reference(node)) is not None:
            if not reference.startswith("#/"):
                raise self.error(node.pointer, f"$ref {reference!r} points to nothing")
            if reference in followed:
                raise self.error(node.pointer, f"$ref {reference!r} leads back to itself")
            followed.add(reference)
            node = self._target(reference, node.pointer)
        return node

    def operations(self) -> Iterator[Operation]:
        """The operations in the generator's order: by path as written, then by method."""
        for path, reference in self.top.child("paths").entries():
            path_item = self.resolve(reference)
            if not is_mapping(path_item.value):
                raise self.error(path_item.pointer, "a path item must be a mapping")
            for method in METHODS:
                node = path_item.child(method)
                # A path item rarely has every method.
                if node.value is None:
                    continue
                if not is_mapping(node.value):
                    raise self.error(node.pointer, "an operation must be a mapping")
                yield Operation(method, path, node, path_item)

    def parameters(self, operation: Operation) -> Iterator[Node]:
        """The parameters of an operation, with those of its path item that it does not redefine.

        Without those that are not read; see `is_ignored_header`.
        """
        for parameter in self._described_parameters(operation):
            if not is_ignored_header(str(parameter.get("in")), str(parameter.get("name"))):
                yield parameter

    def ignored_parameters(self, operation: Operation) -> Iterator[Node]:
        """The parameters of an operation that are not read; see `is_ignored_header`."""
        for parameter in self._described_parameters(operation):
            if is_ignored_header(str(parameter.get("in")), str(parameter.get("name"))):
                yield parameter

    def _described_parameters(self, operation: Operation) -> Iterator[Node]:
        identities: set[tuple[str, str]] = set()
        for container in (operation.node, operation.path_item):
            for reference in container.child("parameters").elements():
                parameter = self.resolve(reference)
                # OpenAPI 3.1, "Parameter Object": name and location together identify a parameter.
                identity = (str(parameter.get("name")), str(parameter.get("in")))
                if identity in identities:
                    continue
                identities.add(identity)
                yield parameter

    def properties(self, schema: Node) -> dict[str, ObjectProperty]:
        """The properties of an object schema by name, including those of `allOf` branches."""
        schemas: dict[str, Node] = {}
        for part in self._all_of_parts(schema, frozenset()):
            schemas.update(part.child("properties").entries())
        required = set(self.required_names(schema))
        return {name: ObjectProperty(node, name in required) for name, node in schemas.items()}

    def required_names(self, schema: Node) -> list[str]:
        """What an object schema requires, described or not, including its `allOf` branches."""
        required: dict[str, None] = {}
        for part in self._all_of_parts(schema, frozenset()):
            for name in part.child("required").sequence:
                # The generator reports other values.
                if isinstance(name, str):
                    required[name] = None
        return list(required)

    def _all_of_parts(self, schema: Node, ancestors: frozenset[str]) -> Iterator[Node]:
        """The schemas of an object. Branches come first, so that the object overrides them."""
        part = self.resolve(schema)
        # `check` rejects an `allOf` that contains itself. Here it only must not recurse forever.
        if part.pointer in ancestors or not is_mapping(part.value):
            return
        for branch in part.child("allOf").elements():
            yield from self._all_of_parts(branch, ancestors | {part.pointer})
        yield part

    def _target(self, reference: str, pointer: str) -> Node:
        value: Any = self.root
        for step in reference.removeprefix("#/").split("/"):
            try:
                value = _member(value, unescaped(step))
            except LookupError:
                message = f"$ref {reference!r} points to nothing"
                raise self.error(pointer, message) from None
        return Node(value, reference.removeprefix("#"))


def is_ignored_header(location: str, name: str) -> bool:
    """Whether a parameter of this location and name is not read.

    OpenAPI ignores it (`IGNORED_HEADERS`), or the client sets the header itself (`CLIENT_HEADERS`).
    """
    return location == "header" and name.lower() in IGNORED_HEADERS | CLIENT_HEADERS


def _reference(node: Node) -> str | None:
    reference = node.get("$ref")
    return reference if isinstance(reference, str) else None


def _member(container: Any, key: str) -> Any:
    """The member of a mapping or list. Raises `LookupError` if there is none."""
    if is_mapping(container):
        return container[key]
    if is_list(container) and key.isdecimal():
        return container[int(key)]
    raise LookupError(key)
