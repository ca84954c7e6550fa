"""Represents a loaded document as nodes that know their location and resolve references."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard, cast
from urllib.parse import unquote, urljoin

Files: TypeAlias = Mapping[str, Any]
"""Loaded documents by their path from the main document, such as `../common/schemas.json`."""

DANGLING = "$dangling"
"""The only key of the placeholder for an unresolvable reference. Its value is the `$ref`."""

MAXIMUM_LOOKUPS = 20
"""How many JSON pointers may lead through references to each other. A circle of them never ends."""


class TooComplexError(Exception):
    """The documents cannot be compared within the limits.

    The message states in one line where the problem is and what to do.
    """


class Document:
    """A document and the other files that it may refer to."""

    def __init__(self, root: Mapping[str, Any], files: Files | None = None) -> None:
        self.root = Node(self, "", "", root)
        """The node of the whole main document."""
        self.dangling: dict[str, str] = {}
        """The unresolvable references so far: the text of each, by the location of its node."""
        self.skipped: dict[str, str] = {}
        """What was not compared so far: the reason of each, by the location of its node."""
        self.lost_parts: dict[str, Node] = {}
        """The references instead of a mapping or list that lead nowhere, by their location.

        Everything that the mapping or list contains remains uncompared.
        """
        self.joins_siblings = not str(root.get("openapi", "")).startswith("3.0")
        """Whether keywords beside a `$ref` count. They do since OpenAPI 3.1."""
        self._files: Files = {} if files is None else files
        self._lookups = 0
        self._anchors: dict[str, dict[str, str]] = {}
        self._targets: dict[tuple[str, str], Node | None] = {}

    def find(self, reference: str, file: str = "") -> Node | None:
        """Return the node that a reference leads to; None if there is no such node.

        Args:
            reference: the text of the `$ref`.
            file: the file that contains the reference; empty for the main document.
        """
        key = (reference, file)
        if key in self._targets:
            return self._targets[key]
        target = self._look_up(reference, file)
        # A lookup inside another lookup may have stopped at MAXIMUM_LOOKUPS.
        # Its result would be wrong for a reference that is looked up directly.
        if self._lookups == 0:
            self._targets[key] = target
        return target

    def has_file_of(self, reference: str, file: str) -> bool:
        """Return whether the file that a reference leads to is loaded.

        It is not if the user replaced the file by nothing.
        """
        name = reference.partition("#")[0]
        return not name or self._files.get(file_of(name, file)) is not None

    def _look_up(self, reference: str, file: str) -> Node | None:
        name, _, fragment = reference.partition("#")
        # A reference without a file leads to the file that contains it.
        target_file = file_of(name, file) if name else file
        content = self._files.get(target_file) if target_file else self.root.value
        if content is None:
            return None
        target_pointer = self._pointer_of(unquote(fragment), target_file, content)
        if target_pointer is None:
            return None
        return self._follow(target_pointer, Node(self, target_file, "", content))

    def _pointer_of(self, fragment: str, file: str, content: Any) -> str | None:
        """The JSON pointer of a fragment: the fragment itself, or the place of its `$anchor`."""
        if fragment == "" or fragment.startswith("/"):
            return fragment
        if file not in self._anchors:
            self._anchors[file] = dict(_anchors(content))
        return self._anchors[file].get(fragment)

    def _follow(self, target_pointer: str, root: Node) -> Node | None:
        """The node at a pointer below the root of a file; None if it does not exist."""
        node = root
        for token in target_pointer.split("/")[1:]:
            name = unescaped(token)
            # A pointer may lead through a node that is itself a reference.
            if node.reference is not None and _member(node.value, name) is None:
                if self._lookups == MAXIMUM_LOOKUPS:
                    return None
                self._lookups += 1
                node = node.resolved()
                self._lookups -= 1
            node = node.written_child(name)
            if node.value is None:
                return None
        return node


@dataclass(frozen=True)
class Node:
    """A value and its location. Two nodes of a document are equal if their locations are."""

    document: Document = field(compare=False, repr=False)
    file: str
    """The path of its file from the main document; empty for the main document."""
    pointer: str
    """The JSON pointer within the file."""
    value: Any = field(compare=False, repr=False)

    @property
    def location(self) -> str:
        """The JSON pointer, with the file before it outside the main document."""
        return f"{self.file}#{self.pointer}" if self.file else self.pointer

    def child(self, *tokens: str | int) -> Node:
        """The node below, at the end of a path of names and indexes.

        Its value is None if nothing exists there. A reference in place of a mapping or a list is
        followed, as bundlers do, although OpenAPI allows references only in some places.
        """
        node = self
        for token in tokens:
            node = node.owner_of(str(token)).written_child(token)
        return node

    def written_child(self, token: str | int) -> Node:
        """The node directly below, as it is written: no reference is followed."""
        value = _member(self.value, str(token))
        return Node(self.document, self.file, f"{self.pointer}/{escaped(token)}", value)

    def owner_of(self, token: str) -> Node:
        """The node that contains a member: this one, or else the target of its reference."""
        node = self
        for node in self._reference_chain():
            if _member(node.value, token) is not None:
                break
        return node

    def children(self, *tokens: str | int) -> Iterator[tuple[str, Node]]:
        """The names and nodes of the members or elements of `self.child(*tokens)`.

        Members beside a reference are added to those of its target, and replace members of the
        same name there. OpenAPI 3.1 leaves that undefined for path items, and JSON Schema has no
        such case. To merge them skips nothing.
        """
        parent = self.child(*tokens)
        if parent.reference is not None:
            yield from parent._merged_members().items()
        elif is_mapping(parent.value):
            for name in parent.value:
                yield str(name), parent.written_child(name)
        elif is_list(parent.value):
            for index in range(len(parent.value)):
                yield str(index), parent.written_child(index)

    def members(self, *tokens: str | int) -> Iterator[tuple[str, Node]]:
        """Like `children`, where the specification expects a mapping.

        Anything else is noted in `Document.skipped`.
        """
        parent = self.child(*tokens).part()
        if is_mapping(parent.value):
            yield from parent.children()
        else:
            parent.skip_unless_empty("is not a mapping")

    def elements(self, *tokens: str | int) -> Iterator[Node]:
        """The nodes of the elements, where the specification expects a list.

        Anything else is noted in `Document.skipped`.
        """
        parent = self.child(*tokens).part()
        if is_list(parent.value):
            for _, element in parent.children():
                yield element
        else:
            parent.skip_unless_empty("is not a list")

    def part(self) -> Node:
        """The mapping or list that the node stands for: its target, if it is only a reference.

        A reference beside other members remains: `child` and `children` merge both.
        """
        node = self
        for node in self._reference_chain():
            if node.reference is None or len(node.value) > 1:
                break
        return node

    def skip_unless_empty(self, problem: str) -> None:
        """Note that the node is not compared, because its value has the wrong type.

        An empty value counts as absent: `parameters:` without anything is null in YAML.
        """
        if self.value is not None:
            name = unescaped(self.pointer.rpartition("/")[2])
            self.document.skipped[self.location] = f"`{name}` {problem}"

    def get(self, key: str) -> Any:
        """The value of a member, or None."""
        owner = self.owner_of(key)
        return owner.value.get(key) if is_mapping(owner.value) else None

    @property
    def reference(self) -> str | None:
        """The text of the node's `$ref`; None if it has none.

        A `$ref` with a value of another type is an ordinary member, such as a property.
        """
        text = self.value.get("$ref") if is_mapping(self.value) else None
        return text if isinstance(text, str) else None

    def _merged_members(self) -> dict[str, Node]:
        """The members of the target of the reference, and those beside the reference."""
        members = dict[str, Node]()
        for node in reversed(list(self._reference_chain())):
            if node.reference is None:
                members = dict(node.children())
                continue
            for name in node.value:
                if name != "$ref":
                    members[str(name)] = node.written_child(name)
        return members

    def _reference_chain(self) -> Iterator[Node]:
        """The node, the target of its reference, the target of that one, and so on."""
        node: Node = self
        visited: set[Node] = {node}
        while True:
            yield node
            text = node.reference
            if text is None:
                return
            target = node.document.find(text, node.file)
            if target is None or target in visited:
                node.document.lost_parts[node.location] = node
                yield Node(node.document, node.file, node.pointer + "/$ref", None)
                return
            visited.add(target)
            node = target

    def resolved(self) -> Node:
        """The final target of the node's reference, or the node itself if it is no reference.

        A reference without a target, or in a circle, gives a placeholder: `{DANGLING: text}`.
        """
        node: Node = self
        # A reference may lead to another one, and in a circle back to the first.
        visited: set[Node] = {self}
        while (text := node.reference) is not None:
            target = node.document.find(text, node.file)
            if target is None or target in visited:
                node.document.dangling[node.location] = text
                return Node(self.document, self.file, self.pointer + "/$ref", {DANGLING: text})
            visited.add(target)
            node = target
        return node

    @property
    def target(self) -> Node:
        """The target of the reference, unless keywords that count stand beside the `$ref`."""
        if self.reference is None:
            return self
        if self.document.joins_siblings and len(self.value) > 1:
            return self
        return self.resolved()


def is_mapping(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a value is a mapping. The loader ensures that its keys are strings."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def pointer(*tokens: object) -> str:
    """Build a JSON pointer from unescaped reference tokens (RFC 6901, section 3)."""
    return "".join(f"/{escaped(token)}" for token in tokens)


def escaped(token: object) -> str:
    """Write a name or an index as a token of a JSON pointer. The order matters; see `unescaped`."""
    text = str(token)
    # Few tokens have such a character, and large documents have millions of tokens.
    if "~" not in text and "/" not in text:
        return text
    return text.replace("~", "~0").replace("/", "~1")


def unescaped(token: str) -> str:
    """Undo the escapes in a token of a JSON pointer. The order matters: `~01` means `~1`."""
    return token.replace("~1", "/").replace("~0", "~")


def file_of(name: str, base: str) -> str:
    """Resolve the file part of a reference against the file that contains it.

    Args:
        name: the reference without its fragment: a relative path or a URL.
        base: the containing file, as a path from the main document or a URL; empty for the main
            document.
    """
    if "://" in name:
        return name
    if "://" not in base:
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), name))
    try:
        return urljoin(base, name)
    except ValueError:
        # For example an IPv6 address without its closing bracket. No file has such a name.
        return name


def _anchors(content: Any) -> Iterator[tuple[str, str]]:
    """The `$anchor` names in a file, each with its JSON pointer."""
    queue: list[tuple[str, Any]] = [("", content)]
    # The loop visits the values that it appends: without recursion, any depth works.
    for parent_pointer, value in queue:
        for name, child in members(value):
            if is_mapping(child) or is_list(child):
                queue.append((f"{parent_pointer}/{escaped(name)}", child))
        if is_mapping(value) and isinstance(value.get("$anchor"), str):
            yield value["$anchor"], parent_pointer


def members(value: Any) -> Iterator[tuple[object, Any]]:
    """The members of a mapping by key, or the elements of a list by index; otherwise nothing."""
    if is_mapping(value):
        yield from value.items()
    elif is_list(value):
        yield from enumerate(value)


def _member(value: Any, token: str) -> Any:
    if is_mapping(value):
        if token in value:
            return value[token]
        if token.isdecimal():
            # Documents that were loaded elsewhere may have an unquoted status as a number.
            by_number = cast("dict[int, Any]", value)
            return by_number.get(int(token))
        return None
    if is_list(value) and token.isdecimal() and int(token) < len(value):
        return value[int(token)]
    return None
