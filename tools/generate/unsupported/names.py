"""Rules for names of the spec that would become one name in Python.

The generator derives snake case from a name, and takes the name itself where that is ambiguous.
Names such as `class` and `class_` stay equal. The generator's own message does not say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openapi_python_client.strings import PythonIdentifier

from ..document import Document, Node, Operation, SpecError

_LOCATIONS = ("path", "query", "header", "cookie")


@dataclass(frozen=True)
class _Collision:
    """Two names that are one in Python."""

    first: str
    second: str
    python_name: str


def find_colliding_properties(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator drops a model with two properties of one Python name."""
    if not schema.mapping.keys() & {"allOf", "properties"}:
        return
    properties = document.properties(schema)
    nodes = {name: child.schema for name, child in properties.items()}
    yield from _errors(document, "properties", nodes)


def find_colliding_parameters(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The generator drops an operation with two parameters of one Python name.

    Parameters of different locations get suffixes.
    """
    for location in _LOCATIONS:
        nodes = {
            str(parameter.get("name")): parameter
            for parameter in document.parameters(operation)
            if parameter.get("in") == location
        }
        yield from _errors(document, f"{location} parameters", nodes)


def _errors(document: Document, kind: str, nodes: dict[str, Node]) -> Iterator[SpecError]:
    for collision in _collisions(nodes):
        first_line = document.sources.source(nodes[collision.first].pointer).line
        yield document.error(
            nodes[collision.second].pointer,
            f"the {kind} {collision.first!r} (line {first_line}) and {collision.second!r}"
            f" would both have the Python name {collision.python_name!r}: leave one of them out",
        )


def _collisions(names: Iterable[str]) -> Iterator[_Collision]:
    names_by_python_name: dict[str, str] = {}
    for name in names:
        python_name = _python_name(name)
        other = names_by_python_name.pop(python_name, None)
        if other is not None:
            python_name = _python_name(name, is_exact=True)
            other_python_name = _python_name(other, is_exact=True)
            if python_name == other_python_name:
                yield _Collision(other, name, python_name)
            names_by_python_name[other_python_name] = other
        names_by_python_name[python_name] = name


def _python_name(name: str, *, is_exact: bool = False) -> str:
    # `field_` is the generator's prefix for names that are not identifiers.
    return str(PythonIdentifier(name, "field_", skip_snake_case=is_exact))
