"""Finds the operations of a path without comparing the path with each template of the spec."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from .operation import Operation
from .places import PATH_PARAMETER

_Segments: TypeAlias = tuple[str | None, ...]
"""The segments of a path template; `None` for one with a parameter."""

_Shape: TypeAlias = tuple[bool, ...]
"""Which segments of a template are fixed."""


class Routes:
    """The operations of a spec by path.

    A path with fewer parameters comes first: /contacts/search is not the contact `search`.

    Args:
        operations: the operations.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._routes: dict[_Segments, list[tuple[int, Operation]]] = defaultdict(list)
        # A spec has few shapes: they depend on the depth of its paths, not on their number.
        self._shapes: dict[int, set[_Shape]] = defaultdict(set)
        for rank, operation in enumerate(sorted(operations, key=_parameter_count)):
            segments = _segments(operation.path)
            self._routes[segments].append((rank, operation))
            shape = tuple(segment is not None for segment in segments)
            self._shapes[len(segments)].add(shape)

    def matches(self, path: str) -> list[Operation]:
        """The operations whose template matches a raw path."""
        candidates = sorted(self._candidates(path), key=_rank)
        return [operation for _, operation in candidates if operation.pattern.fullmatch(path)]

    def _candidates(self, path: str) -> Iterator[tuple[int, Operation]]:
        """The operations whose fixed segments are those of a path."""
        path_segments = path.split("/")
        for shape in self._shapes.get(len(path_segments), ()):
            segments = tuple(
                segment if is_fixed else None
                for segment, is_fixed in zip(path_segments, shape, strict=True)
            )
            yield from self._routes.get(segments, ())


def _segments(template: str) -> _Segments:
    # The name of a parameter may contain a slash.
    segments = PATH_PARAMETER.sub("{}", template).split("/")
    return tuple(None if "{}" in segment else segment for segment in segments)


def _parameter_count(operation: Operation) -> int:
    return operation.path.count("{")


def _rank(candidate: tuple[int, Operation]) -> int:
    rank, _ = candidate
    return rank
