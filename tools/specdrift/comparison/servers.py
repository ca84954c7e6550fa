"""Compares the servers of documents, paths and operations.

oasdiff has no check ids for servers. These ids are formed like those of security.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..model.document import Node, pointer
from ..model.schema import canonical
from ..rules import Change
from .context import Context, Pointers
from .differences import Action, common_names, name_differences

_DEFAULT_URL = "/"
"""The server of a document without any (OpenAPI 3.1, "OpenAPI Object", field `servers`)."""


@dataclass(frozen=True)
class _Servers:
    """The servers of a document, a path or an operation."""

    node: Node
    variables: dict[str, str]
    """What the variables can be, as canonical text, by the URL of the server."""
    is_default: bool
    """Whether the document names no server."""


def compare_document_servers(base_root: Node, revised_root: Node) -> Iterator[Change]:
    """Yield the changes of the servers of a document."""
    base = _effective_servers([base_root])
    revised = _effective_servers([revised_root])
    yield from _compare(base, revised, Context(), "api-global-server")


def compare_operation_servers(
    base_owners: list[Node], revised_owners: list[Node], context: Context
) -> Iterator[Change]:
    """Yield the changes of the servers of an operation.

    Args:
        base_owners: The operation and its path in the base. The first one with servers counts.
        revised_owners: Those in the revision.
        context: The place of the operation.
    """
    # If both inherit the servers of their document, the document reports the difference.
    if not any(_has_servers(owner) for owner in (*base_owners, *revised_owners)):
        return
    base = _effective_servers([*base_owners, base_owners[0].document.root])
    revised = _effective_servers([*revised_owners, revised_owners[0].document.root])
    yield from _compare(base, revised, context, "api-server")


def _compare(base: _Servers, revised: _Servers, context: Context, prefix: str) -> Iterator[Change]:
    pointers = _pointers(base, revised)
    for difference in name_differences(base.variables, revised.variables):
        # Without a named server, clients know the URL from elsewhere.
        if base.is_default and difference.action == Action.REMOVED:
            continue
        yield context.change(f"{prefix}-{difference.action}", pointers, name=difference.name)
    for url in common_names(base.variables, revised.variables):
        if base.variables[url] != revised.variables[url]:
            yield context.change(
                f"{prefix}-changed",
                pointers,
                old=base.variables[url],
                new=revised.variables[url],
                name=url,
            )


def _pointers(base: _Servers, revised: _Servers) -> Pointers:
    pointers = Pointers.to_both(base.node, revised.node)
    # The document itself has an empty pointer, and no line.
    if pointers.base and pointers.revised:
        return pointers
    return replace(pointers, container=pointer("servers"))


def _has_servers(owner: Node) -> bool:
    return any(True for _ in owner.elements("servers"))


def _effective_servers(owners: list[Node]) -> _Servers:
    """The servers of the first owner that has any."""
    for owner in owners:
        servers = {
            str(server.get("url")): _variables(server) for server in owner.elements("servers")
        }
        if servers:
            return _Servers(owner.child("servers"), servers, is_default=False)
    return _Servers(owners[-1], {_DEFAULT_URL: canonical({})}, is_default=True)


def _variables(server: Node) -> str:
    """The default and the allowed values of each variable. The order of values has no meaning."""
    variables = dict[str, list[object]]()
    for name, variable in server.members("variables"):
        values = sorted(str(value.value) for value in variable.elements("enum"))
        variables[name] = [variable.get("default"), values]
    return canonical(variables)
