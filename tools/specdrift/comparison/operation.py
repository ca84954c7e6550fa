"""Reads the operations of a path."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.document import Node, is_mapping
from .context import Context
from .parameters import Parameter, parameters_of

# OpenAPI 3.1, "Path Item Object"; `query` is new in 3.2.
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

_DRAFT_STABILITY_LEVELS = ("draft", "alpha")
"""The values of oasdiff's extension `x-stability-level` that allow breaking changes."""


@dataclass(frozen=True)
class Operation:
    """An operation of a document."""

    method: str
    """In lower case."""
    template: str
    """The template of the path, such as `/pets/{id}`."""
    path: Node
    """The path item, with references followed."""
    node: Node

    @property
    def context(self) -> Context:
        """The context of the operation itself."""
        return Context(
            f"{self.method.upper()} {self.template}",
            is_draft=self.node.get("x-stability-level") in _DRAFT_STABILITY_LEVELS,
        )

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by what identifies them."""
        return parameters_of(self.template, self.path, self.node)


def operations_of(template: str, written_path: Node) -> dict[str, Operation]:
    """Return the operations of a path by method."""
    path = written_path.part()
    if not is_mapping(path.value):
        path.skip_unless_empty("is not a path item")
    operations = dict[str, Operation]()
    for method in _METHODS:
        node = path.child(method).part()
        if is_mapping(node.value):
            operations[method] = Operation(method, template, path, node)
        else:
            node.skip_unless_empty("is not an operation")
    return operations
