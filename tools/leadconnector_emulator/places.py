"""Finds the collection of each operation, so that the resources of different paths stay apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

PATH_PARAMETER = re.compile(r"\{([^}]*)\}")
"""A parameter in a path template, such as `{conversationId}`."""

LISTING_WORDS = frozenset({"search", "list", "all"})
"""The last parts of paths that list the collection before them: `/contacts/search`."""


@dataclass(frozen=True)
class Place:
    """Where an operation finds its resources."""

    collection: str
    """The template of the collection's name: `contacts/{contactId}/notes`."""
    id_parameter: str | None = None
    """The parameter of the path that is the resource's id. `None`: it names no single one."""
    is_action: bool = False
    """Whether the path continues after the resource or the collection, as `/invoices/{id}/void`."""
    parent: Place | None = None
    """The resource that must exist first. `None`: there is none, or the spec does not name it."""

    @property
    def kind(self) -> str:
        """The name of the resources without the path before it: `notes`."""
        return self.collection.rpartition("/")[2]

    def name(self, path_values: Mapping[str, str]) -> str:
        """The name of the collection in a request.

        Args:
            path_values: the decoded parameters of the path.
        """
        # An encoded id stays one part of the name, also with a slash in it.
        return PATH_PARAMETER.sub(
            lambda match: quote(path_values[match[1]], safe=""), self.collection
        )

    def matches(self, name: str) -> bool:
        """Whether a name is that of one of the collections of this place."""
        fixed_texts = [re.escape(text) for text in PATH_PARAMETER.split(self.collection)[::2]]
        return re.fullmatch("[^/]+".join(fixed_texts), name) is not None


class Places:
    """The places of the operations of a spec.

    Args:
        paths: the path templates of all operations.
        list_paths: those of the operations that list resources.
    """

    def __init__(self, paths: Iterable[str], list_paths: Iterable[str]) -> None:
        self._items: set[tuple[str, ...]] = set()
        self._collections: set[tuple[str, ...]] = set()
        for path in paths:
            parts = _parts(path)
            if parts and _is_parameter(parts[-1]):
                self._items.add(_shape(parts))
                self._collections.add(_shape(parts[:-1]))
        for path in list_paths:
            parts = _parts(path)
            if lists_collection_before(path):
                parts = parts[:-1]
            self._collections.add(_shape(parts))

    def place_of(self, path: str) -> Place:
        """Where the operations of a path template find their resources."""
        parts = _parts(path)
        if lists_collection_before(path):
            return self._collection(parts[:-1])
        if self._is_known(parts):
            return self._place(parts)
        # An action on the nearest resource or collection before it.
        for length in range(len(parts) - 1, 0, -1):
            if self._is_known(parts[:length]):
                return self._place(parts[:length], is_action=True)
        return self._collection(parts[:1], is_action=len(parts) > 1)

    def _is_known(self, parts: list[str]) -> bool:
        """Whether a path names a resource or a collection."""
        if not parts:
            return False
        return _is_parameter(parts[-1]) or _shape(parts) in self._collections

    def _place(self, parts: list[str], *, is_action: bool = False) -> Place:
        if not _is_parameter(parts[-1]):
            return self._collection(parts, is_action=is_action)
        id_parameter = PATH_PARAMETER.findall(parts[-1])[-1]
        collection = parts[:-1]
        return Place("/".join(collection), id_parameter, is_action, self._parent(collection))

    def _collection(self, parts: list[str], *, is_action: bool = False) -> Place:
        return Place("/".join(parts), None, is_action, self._parent(parts))

    def _parent(self, collection: list[str]) -> Place | None:
        """The nearest resource before a collection, if an operation of the spec names it."""
        for length in range(len(collection), 0, -1):
            if _is_parameter(collection[length - 1]):
                if _shape(collection[:length]) not in self._items:
                    return None
                return self._place(collection[:length])
        return None


def lists_collection_before(path: str) -> bool:
    """Whether a path lists the collection before its last part, whatever the method."""
    parts = _parts(path)
    return len(parts) > 1 and parts[-1] in LISTING_WORDS


def fixed_name(path: str) -> str:
    """The last fixed part of a path template that is no word for lists; else an empty text."""
    names = [part for part in _parts(path) if not _is_parameter(part)]
    if lists_collection_before(path):
        names = names[:-1]
    return names[-1] if names else ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _is_parameter(part: str) -> bool:
    return PATH_PARAMETER.search(part) is not None


def _shape(parts: list[str]) -> tuple[str, ...]:
    """The parts of a path without the names of its parameters, which differ between operations."""
    return tuple(PATH_PARAMETER.sub("{}", part) for part in parts)
