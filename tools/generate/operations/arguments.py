"""Builds the arguments of a method from parameters and properties."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from leadconnector_emulator import roles
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from ..document import Document, Node, Operation
from ..generator_api import spec_name
from ..schema_notes import DEPRECATED, leading_notes, trailing_notes
from ..styles import parameter_style
from .annotations import accepted_annotation
from .views import Argument, Location

METHOD_PARAMETERS = frozenset({"self", "options"})
"""The parameters that every method has. An argument of the same name gets a suffix."""

ITERATION_PARAMETERS = METHOD_PARAMETERS | {"max_items"}
"""The same for an operation with a method that iterates over its pages."""


@dataclass(frozen=True)
class ArgumentNotes:
    """What the docstring says besides the description and the example."""

    leading: list[str]
    trailing: list[str]

    @classmethod
    def of(cls, document: Document, schema: Node, *, is_deprecated: bool = False) -> ArgumentNotes:
        """The notes of a parameter or property.

        Args:
            document: the spec.
            schema: its schema, before its reference is followed.
            is_deprecated: whether a parameter itself is deprecated.
        """
        leading = [DEPRECATED] if is_deprecated else leading_notes(document, schema)
        return cls(leading, trailing_notes(document, schema))


@dataclass(frozen=True)
class ArgumentSource:
    """One parameter or body property, as the spec and the generator know it."""

    prop: PropertyProtocol
    location: Location
    name: str
    pointer: str
    description: Node
    """Where description and `x-role` are: the parameter, or the schema of a body property."""
    schema: Node
    """The schema, after its reference was followed."""
    notes: ArgumentNotes
    required: bool
    """Whether the spec requires it. The generator's property of a response never is required."""


def parameter_arguments(
    document: Document, operation: Operation, endpoint: Endpoint, reserved_names: Set[str]
) -> list[Argument]:
    """The arguments for the parameters of an operation.

    Path parameters come first, in the order of the path. Within the other locations the order is
    that of the spec.

    Args:
        document: the spec.
        operation: the operation in the spec.
        endpoint: the same operation in the generator.
        reserved_names: Python names that the method uses.

    Raises:
        SpecError: the generator dropped a parameter.
    """
    properties = _parameter_properties(endpoint)
    parameter_names = {str(prop.python_name) for prop in properties.values()}
    arguments: dict[tuple[str, str], Argument] = {}
    for parameter in document.parameters(operation):
        location = str(parameter.get("in"))
        name = str(parameter.get("name"))
        prop = properties.get((location, name))
        if prop is None:
            raise document.error(parameter.pointer, _dropped_message(parameter, location, name))
        source = ArgumentSource(
            prop=prop,
            location=Location(location),
            name=name,
            pointer=parameter.pointer,
            description=parameter,
            schema=document.resolve(parameter.child("schema")),
            notes=ArgumentNotes.of(
                document,
                parameter.child("schema"),
                is_deprecated=parameter.get("deprecated") is True,
            ),
            required=prop.required,
        )
        python_name = str(prop.python_name)
        if python_name in reserved_names:
            python_name = free_name(python_name, location, reserved_names | parameter_names)
        argument = create_argument(source, python_name)
        arguments[location, name] = replace(argument, style=parameter_style(parameter))
    path_names = [spec_name(prop) for prop in endpoint.path_parameters]
    ordered = [arguments[Location.PATH, name] for name in path_names]
    for other_location in (Location.QUERY, Location.HEADER, Location.COOKIE):
        ordered += [item for item in arguments.values() if item.location is other_location]
    return ordered


def create_argument(source: ArgumentSource, python_name: str) -> Argument:
    """The argument for one parameter or body property."""
    default = _only_header_value(source)
    required = source.required and default is None
    annotation = _annotation(source.prop, default)
    if not required:
        annotation = f"{annotation} | Unset"
    return Argument(
        python_name=python_name,
        name=source.name,
        location=source.location,
        required=required,
        annotation=annotation,
        documentation=_documentation(source, default),
        pointer=source.pointer,
        default=default,
        role=_role(source),
        prop=source.prop,
        is_data=True,
        is_deprecated=bool(source.notes.leading),
    )


def with_conventional_roles(arguments: Sequence[Argument]) -> tuple[Argument, ...]:
    """The arguments of an operation with the roles that HighLevel's names imply."""
    marked = [
        roles.Argument(argument.name, argument.location, _is_required(argument), argument.role)
        for argument in arguments
    ]
    return tuple(
        replace(argument, role=role)
        for argument, role in zip(arguments, roles.argument_roles(marked), strict=True)
    )


def _is_required(argument: Argument) -> bool:
    # The session fills in the default, so the argument itself is optional.
    return argument.required or argument.default is not None


def free_name(name: str, suffix: str, used_names: Set[str]) -> str:
    """A name that nothing uses yet: with the suffix, as often as necessary.

    With a suffix, the name of a builtin such as `type_` needs no underscore: `type_body`.
    """
    while name in used_names:
        name = f"{name.removesuffix('_')}_{suffix}"
    return name


def _parameter_properties(endpoint: Endpoint) -> dict[tuple[str, str], PropertyProtocol]:
    """The generator's parameters by location and name."""
    properties_by_location = {
        Location.PATH: endpoint.path_parameters,
        Location.QUERY: endpoint.query_parameters,
        Location.HEADER: endpoint.header_parameters,
        Location.COOKIE: endpoint.cookie_parameters,
    }
    return {
        (location, spec_name(prop)): prop
        for location, properties in properties_by_location.items()
        for prop in properties
    }


def _dropped_message(parameter: Node, location: str, name: str) -> str:
    message = f"the generator dropped the {location} parameter {name!r}"
    if "content" in parameter.mapping:
        return f"{message} (it is declared with `content`)"
    return message


def _only_header_value(source: ArgumentSource) -> str | None:
    """The value that the session fills in for a required header with one value, such as Version."""
    # A `const` would say the same, but the generator rejects it in a header.
    if not isinstance(source.prop, EnumProperty):
        return None
    if source.location is not Location.HEADER or not source.prop.required:
        return None
    enum = source.schema.child("enum")
    values = [value for value in enum.sequence if value is not None]
    if len(values) != 1:
        return None
    return str(values[0])


def _annotation(prop: PropertyProtocol, default: str | None) -> str:
    if default is not None:
        # A caller may deviate from the one value in the spec, with any text.
        return "str"
    return accepted_annotation(prop)


def _documentation(source: ArgumentSource, default: str | None) -> str:
    description = source.description.get("description")
    schema_description = source.schema.get("description")
    text = str(description or schema_description or "").strip()
    # Some descriptions of the API reference end with a full stop, others do not.
    sentences = [*source.notes.leading, text, *source.notes.trailing]
    if default is not None:
        sentences.append(f"Default: {default!r}, the only value in the spec")
    elif "example" in source.schema.mapping:
        sentences.append(f"Example: `{source.schema.mapping['example']}`")
    return " ".join(f"{sentence.removesuffix('.')}." for sentence in sentences if sentence)


def _role(source: ArgumentSource) -> str | None:
    # The role of the parameter itself precedes that of its schema, which may be shared.
    role = source.description.get("x-role") or source.schema.get("x-role")
    if not role:
        return None
    return str(role)
