"""Writes the types that the arguments of a method accept: those of the generator, and plain data.

A mapping is accepted in place of a model, and a value in place of an enum member, at any depth.
"""

from __future__ import annotations

from collections.abc import Iterator

from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from ..generator_api import type_annotation


def accepted_annotation(prop: PropertyProtocol) -> str:
    """The type of an argument that is present, as source code."""
    return " | ".join(dict.fromkeys(_accepted_types(prop)))


def _accepted_types(prop: PropertyProtocol) -> Iterator[str]:
    if isinstance(prop, UnionProperty):
        for branch in prop.inner_properties:
            yield from _accepted_types(branch)
        return
    if isinstance(prop, ListProperty) and _contains(prop, ModelProperty):
        # A `list` of a union would not accept a list of one of its types: lists are invariant.
        yield f"Sequence[{accepted_annotation(prop.inner_property)}]"
        return
    yield type_annotation(prop)
    if isinstance(prop, ModelProperty):
        yield "Mapping[str, Any]"
    elif _contains(prop, EnumProperty):
        # The plain value is convenient, and type checkers accept values that are not in the spec.
        # Not a `Sequence` of values: a text is a sequence of texts.
        yield from _plain_types(prop)


def _plain_types(prop: PropertyProtocol) -> Iterator[str]:
    """The types with the values of enums in place of their members."""
    if isinstance(prop, UnionProperty):
        for branch in prop.inner_properties:
            yield from _plain_types(branch)
    elif isinstance(prop, EnumProperty):
        yield prop.value_type.__name__
    elif isinstance(prop, ListProperty):
        item_types = dict.fromkeys(_plain_types(prop.inner_property))
        yield f"list[{' | '.join(item_types)}]"
    else:
        yield type_annotation(prop)


def _contains(prop: PropertyProtocol, kind: type[PropertyProtocol]) -> bool:
    """Whether a property is of a kind, or has items or branches of it. Models are not searched."""
    if isinstance(prop, UnionProperty):
        return any(_contains(branch, kind) for branch in prop.inner_properties)
    if isinstance(prop, ListProperty):
        return _contains(prop.inner_property, kind)
    return isinstance(prop, kind)
