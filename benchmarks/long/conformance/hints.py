"""Reads type hints: the members of unions, and whether a value has a type."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypeAlias, Union

from benchmarks.long.conformance.documents import is_array

Hint: TypeAlias = Any
"""A type hint at run time."""


_ANY: list[Hint] = [Any, object]
_LITERALS: list[Hint] = [Literal]
_LISTS: list[Hint] = [list, Sequence]
_MAPPINGS: list[Hint] = [dict, Mapping]


def members(hint: Hint) -> list[Hint]:
    """The members of a union; any other hint alone. `Unset` is left out."""
    if typing.get_origin(hint) in {Union, types.UnionType}:
        flat: list[Hint] = []
        for member in typing.get_args(hint):
            flat += members(member)
        return flat
    if getattr(hint, "__name__", "") == "Unset":
        return []
    return [hint]


def is_any(hint: Hint) -> bool:
    """Whether a hint accepts every value."""
    return hint in _ANY


def is_model(hint: Hint) -> bool:
    """Whether a hint is a generated model."""
    return isinstance(hint, type) and hasattr(hint, "from_dict")


def is_enum(hint: Hint) -> bool:
    """Whether a hint is an enum."""
    return isinstance(hint, type) and issubclass(hint, Enum)


def is_literal(hint: Hint) -> bool:
    """Whether a hint lists values."""
    return typing.get_origin(hint) in _LITERALS


def is_list(hint: Hint) -> bool:
    """Whether a hint is a list."""
    return hint is list or typing.get_origin(hint) in _LISTS


def is_mapping(hint: Hint) -> bool:
    """Whether a hint is a mapping."""
    return hint is dict or typing.get_origin(hint) in _MAPPINGS


def items(hint: Hint) -> Hint:
    """The hint of the items of a list, or of the values of a mapping."""
    for member in members(hint):
        if is_list(member) or is_mapping(member):
            return typing.get_args(member)[-1] if typing.get_args(member) else Any
    return Any


def describe(hint: Hint) -> str:
    """A hint for a message."""
    return " | ".join(_name(member) for member in members(hint))


def _name(hint: Hint) -> str:
    if hint is type(None):
        return "None"
    if isinstance(hint, type) and not typing.get_args(hint):
        return hint.__name__
    return str(hint)


def fits(value: object, hint: Hint) -> bool:
    """Whether a value has the type of a hint."""
    return any(_fits_member(value, member) for member in members(hint))


def _fits_member(value: object, hint: Hint) -> bool:
    if is_any(hint):
        return True
    if hint is type(None):
        return value is None
    if is_literal(hint):
        return any(
            value == choice and type(value) is type(choice) for choice in typing.get_args(hint)
        )
    if is_list(hint):
        return is_array(value) and all(fits(item, items(hint)) for item in value)
    if is_mapping(hint):
        return isinstance(value, Mapping)
    return _has_class(value, hint)


def _has_class(value: object, hint: type[Any]) -> bool:
    if hint is float:
        return type(value) in {float, int}
    if hint in {int, bool, str}:
        # A subclass, such as a member of an enum, is another type.
        return type(value) is hint
    return isinstance(value, hint)


class ModelHints:
    """The hints of generated models.

    Args:
        names: the names that hints may use: those of all models, and of the types.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = dict(names)
        self._hints: dict[type, dict[str, Hint]] = {}

    def of(self, model: type) -> dict[str, Hint]:
        """The hints of the attributes of a model, by attribute."""
        if model not in self._hints:
            hints = typing.get_type_hints(model, localns=self._names)
            self._hints[model] = {
                name: hint for name, hint in hints.items() if not name.startswith("__")
            }
        return self._hints[model]
