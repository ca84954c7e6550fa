"""Finds the public method of an operation, and its arguments for parameters and body properties."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.long.conformance.documents import Operation, Parameter
from benchmarks.long.conformance.hints import Hint
from benchmarks.long.conformance.names import attribute_of, attributes_of, snake_case
from benchmarks.long.conformance.reports import Mismatch
from benchmarks.long.conformance.schemas import Schema, Schemas

UNTAGGED = "default"
"""The resource of operations without tags."""

RESERVED = frozenset({"options"})
"""Arguments that every method has."""

WHOLE_BODY = "body"

ADDITIONAL = "additional_properties"
"""The argument for properties of a body that its schema does not list."""


class NoMethodError(Exception):
    """The client has no method for an operation."""


@dataclass(frozen=True)
class Method:
    """A method of a client, and the arguments for what the document describes."""

    call: Callable[..., object]
    hints: Mapping[str, Hint]
    """By argument; the return type has the name `return`."""
    parameters: Mapping[str, str]
    """Arguments by `Parameter.key`."""
    properties: Mapping[str, str] | None
    """Arguments by property of the body; `None` if the body is one argument."""
    optional: frozenset[str]
    """Arguments with a default."""
    takes_additional: bool
    """Whether there is an argument for properties that the schema does not list."""
    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])


class Methods:
    """Finds methods.

    Args:
        schemas: the schemas of requests.
    """

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def find(self, client: Any, operation: Operation) -> Method:
        """The method of a client for an operation.

        Raises:
            NoMethodError: there is none.
        """
        resource_name = attribute_of(operation.tag or UNTAGGED, dir(client))
        if resource_name is None:
            raise NoMethodError(f"no attribute for the tag {operation.tag!r}")
        resource = getattr(client, resource_name)
        name = attribute_of(operation.operation_id, dir(resource))
        if name is None:
            raise NoMethodError(f"{resource_name} has no {snake_case(operation.operation_id)}")
        return self._method(getattr(resource, name), operation)

    def _method(self, call: Callable[..., object], operation: Operation) -> Method:
        signature = inspect.signature(call).parameters
        mismatches: list[Mismatch] = []
        free = [name for name in signature if name not in RESERVED]
        arguments: dict[str, str] = {}
        for place in ("path", "query", "header", "cookie"):
            for parameter in operation.parameters:
                if parameter.place == place:
                    name = _argument(parameter.name, place, free, mismatches)
                    if name is not None:
                        arguments[parameter.key] = name
        properties = self._properties(operation, free, mismatches)
        takes_additional = self._takes_additional(operation, free)
        for name in free:
            mismatches.append(Mismatch(f"argument {name}", "no such argument", "one"))
        method = Method(
            call=call,
            hints=typing.get_type_hints(call),
            parameters=arguments,
            properties=properties,
            optional=frozenset(
                name for name, entry in signature.items() if entry.default is not entry.empty
            ),
            takes_additional=takes_additional,
            mismatches=mismatches,
        )
        mismatches += self._wrong_defaults(method, operation, signature)
        return method

    def body_view(self, operation: Operation) -> Schema | None:
        """The schema of the body if its properties are arguments; `None` if it is one argument."""
        if operation.body is None or len(operation.body.content) != 1:
            return None
        media_type = operation.body.content[0]
        view = self._schemas.view(media_type.schema)
        if view.branches or not view.properties or view.allows_null:
            return None
        return view

    def _takes_additional(self, operation: Operation, free: list[str]) -> bool:
        view = self.body_view(operation)
        if (
            view is None
            or view.additional is None
            or view.additional is False
            or ADDITIONAL not in free
        ):
            return False
        free.remove(ADDITIONAL)
        return True

    def _properties(
        self, operation: Operation, free: list[str], mismatches: list[Mismatch]
    ) -> dict[str, str] | None:
        if operation.body is None:
            return None
        view = self.body_view(operation)
        if view is None or (free == [WHOLE_BODY] and WHOLE_BODY not in view.properties):
            _argument(WHOLE_BODY, WHOLE_BODY, free, mismatches)
            return None
        names = [*view.properties, *sorted(view.required - set(view.properties))]
        # A property with the name of a parameter has a suffix.
        suffixed = {name: f"{snake_case(name)}_{WHOLE_BODY}" for name in names}
        properties = {name: argument for name, argument in suffixed.items() if argument in free}
        others = [name for name in names if name not in properties]
        properties |= attributes_of(
            others, [name for name in free if name not in properties.values()]
        )
        for name in names:
            if name not in properties:
                mismatches.append(Mismatch(f"argument for {WHOLE_BODY} {name}", "one", "none"))
            else:
                free.remove(properties[name])
        return properties

    def _wrong_defaults(
        self, method: Method, operation: Operation, signature: Mapping[str, inspect.Parameter]
    ) -> list[Mismatch]:
        """Arguments that must have no default, and those that need one."""
        required = {
            method.parameters[parameter.key]: not has_default(parameter, self._schemas)
            for parameter in operation.parameters
            if parameter.is_required and parameter.key in method.parameters
        }
        view = self.body_view(operation)
        if method.properties is not None and view is not None and operation.body is not None:
            for name, argument in method.properties.items():
                required[argument] = operation.body.is_required and name in view.required
        elif operation.body is not None and WHOLE_BODY in signature:
            required[WHOLE_BODY] = operation.body.is_required
        mismatches: list[Mismatch] = []
        for name in signature:
            if name in RESERVED or name == ADDITIONAL:
                continue
            is_required = required.get(name, False)
            if is_required is (name in method.optional):
                expected = "no default" if is_required else "a default"
                mismatches.append(Mismatch(f"argument {name}", expected, "the opposite"))
        return mismatches


def has_default(parameter: Parameter, schemas: Schemas) -> bool:
    """Whether the client knows the only value of a required header."""
    view = schemas.view(parameter.schema)
    return parameter.place == "header" and view.enum is not None and len(view.enum) == 1


def _argument(name: str, place: str, free: list[str], mismatches: list[Mismatch]) -> str | None:
    """The argument for a name, which is then no longer free."""
    # Names that occur in several places of the request have the place as a suffix.
    argument = attribute_of(f"{name}_{place}", free) or attribute_of(name, free)
    if argument is None:
        mismatches.append(Mismatch(f"argument for {place} {name}", "one", "none"))
        return None
    free.remove(argument)
    return argument
