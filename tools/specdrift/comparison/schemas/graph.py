"""Remembers which pairs of schemas lead to which others, so that each pair is compared once.

Many operations reach the same schemas. A document with 500 operations and 500 schemas that refer to
each other has 250,000 ways from an operation to a schema. To compare the pair at the end of each
way would take minutes. So each pair is compared once for each kind of place, and the graph of all
pairs is kept. An operation then only walks along the part of the graph that leads to a change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ...model.schema import Nodes
from ...rules import Change
from ..context import Context
from .pairs import PairResult, SchemaPair


@dataclass
class PairNode:
    """A pair of schemas in one kind of place."""

    number: int
    """Identifies the node."""
    pair: SchemaPair
    """The pair. Its context is that of the kind of place; see `Context.kind_of_place`."""
    changes: list[Change] = field(default_factory=list[Change])
    """The differences of the two schemas themselves, in this kind of place."""
    leads_to_change: bool = False
    """Whether they or any pair below them differ."""
    edges: list[PairEdge] = field(default_factory=list["PairEdge"])


@dataclass(frozen=True)
class PairEdge:
    """The way from a pair of schemas to a pair of their subschemas."""

    target: PairNode
    path: tuple[str, ...]
    """The keywords and names from the pair to its subschemas."""


class PairGraph:
    """The pairs of schemas that were compared, and how they lead to each other."""

    def __init__(self, compare_pair: Callable[[SchemaPair], PairResult]) -> None:
        self._compare_pair = compare_pair
        self._nodes: dict[tuple[Nodes, Nodes, Context], PairNode] = {}

    def changes(self, start: SchemaPair, visited: set[int]) -> Iterator[Change]:
        """Yield the changes of a pair and of all pairs below it, each at its shortest path.

        Args:
            start: The pair to start with, at its place.
            visited: The numbers of the nodes that are left out. The visited ones are added.
        """
        root = self._explored(start.resolved())
        queue = deque([(root, start.context.path)])
        while queue:
            node, path = queue.popleft()
            if node.number in visited or not node.leads_to_change:
                continue
            visited.add(node.number)
            if node.changes:
                place = replace(start.context, path=path)
                for change in node.changes:
                    yield node.pair.context.change_at(place, change)
            for edge in node.edges:
                if edge.target.leads_to_change and edge.target.number not in visited:
                    queue.append((edge.target, path + edge.path))

    def _explored(self, start: SchemaPair) -> PairNode:
        """The node of a pair, after everything below it was compared."""
        known_nodes = len(self._nodes)
        root = self._node(start)
        # A queue instead of recursion, so that schemas of any depth are compared. Nodes that are
        # known already were explored with everything below them.
        new_nodes = list[PairNode]()
        if len(self._nodes) > known_nodes:
            new_nodes.append(root)
        for node in new_nodes:
            result = self._compare_pair(node.pair)
            node.changes = result.changes
            depth = len(node.pair.context.path)
            for subschemas in result.subschemas:
                known_nodes = len(self._nodes)
                target = self._node(subschemas.resolved())
                node.edges.append(PairEdge(target, subschemas.context.path[depth:]))
                if len(self._nodes) > known_nodes:
                    new_nodes.append(target)
        _mark_nodes_that_lead_to_change(new_nodes)
        return root

    def _node(self, pair: SchemaPair) -> PairNode:
        """The node of a resolved pair, which may be new."""
        kind = pair.context.kind_of_place()
        key = (pair.base, pair.revised, kind)
        node = self._nodes.get(key)
        if node is None:
            node = PairNode(len(self._nodes), replace(pair, context=kind))
            self._nodes[key] = node
        return node


def _mark_nodes_that_lead_to_change(nodes: list[PairNode]) -> None:
    """Mark new nodes, against the direction of the edges.

    No known node has an edge to a new one, so the marks of known nodes do not change.
    """
    predecessors = dict[int, list[PairNode]]()
    pending = list[PairNode]()
    for node in nodes:
        if node.changes:
            pending.append(node)
        for edge in node.edges:
            predecessors.setdefault(edge.target.number, []).append(node)
            if edge.target.leads_to_change:
                pending.append(node)
    while pending:
        node = pending.pop()
        if not node.leads_to_change:
            node.leads_to_change = True
            pending += predecessors.get(node.number, ())
