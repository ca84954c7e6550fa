"""Reads the generator's own objects, whose attributes change between its patch releases."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from copy import copy
from typing import Any

import attrs
from openapi_python_client.parser import GeneratorData, openapi
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.schema import ParameterLocation
from openapi_python_client.strings import PythonIdentifier, snake_case

_FIELD_PREFIX = "field_"
"""The generator's default prefix of a name that is no Python name."""

_LOCATIONS = "_allowed_locations"
"""The class attribute with the locations of parameters that a type of property can have."""

_COPY = "deepcopy"
"""The function by which the generator's parser copies endpoints, and nothing else."""


@contextmanager
def headers_of_all_types() -> Generator[None]:
    """Let the generator accept headers of types for which its own code is wrong.

    Our templates write them. openapi-python-client 0.29.1 rejects lists, objects and times.
    """
    property_types = (DateProperty, DateTimeProperty, ListProperty, ModelProperty)
    locations = {kind: getattr(kind, _LOCATIONS) for kind in property_types}
    try:
        for kind in property_types:
            setattr(kind, _LOCATIONS, locations[kind] | {ParameterLocation.HEADER})
        yield
    finally:
        for kind in property_types:
            setattr(kind, _LOCATIONS, locations[kind])


@contextmanager
def shallow_endpoint_copies() -> Generator[None]:
    """Let the generator copy an endpoint without the models and schemas that it refers to.

    openapi-python-client 0.29.1 copies each endpoint up to three times with all of them, which is
    more than half of its work for a large spec. It changes only the lists of the copy, and uses the
    original no more. Delete this when its module `parser.openapi` has no `deepcopy`.
    """
    deep_copy = getattr(openapi, _COPY)
    setattr(openapi, _COPY, copy)
    try:
        yield
    finally:
        setattr(openapi, _COPY, deep_copy)


def spec_name(prop: PropertyProtocol) -> str:
    """The name of a parameter or property in the spec."""
    return prop.name.get_untrusted_value()


def property_name(name: str) -> str:
    """The Python name that the generator derives for a property, unless two would be equal."""
    return str(PythonIdentifier(name, _FIELD_PREFIX))


def local_property(prop: PropertyProtocol) -> PropertyProtocol:
    """A property whose name is that of its variable in the methods of a model.

    The name of no attribute begins with an underscore, and neither does that of another variable.
    """
    # Typed as `Any`, because the protocol does not say that each property is an attrs class.
    generated: Any = prop
    name = PythonIdentifier(f"_{prop.python_name}", prefix="", skip_snake_case=True)
    local: PropertyProtocol = attrs.evolve(generated, python_name=name)
    return local


def type_annotation(prop: PropertyProtocol) -> str:
    """The Python type of a property that is present, as source code."""
    return prop.get_type_string(no_optional=True).as_unembedded_code()


def enum_member_name(value: object, index: int, custom_name: object = None) -> str:
    """The Python name that the generator derives for a value of an enum.

    It follows `EnumProperty.values_from_list`, which drops or rejects values with one name.

    Args:
        value: the value.
        index: its place in the enum, without null.
        custom_name: its name in `x-enum-varnames`; None without that list.
    """
    if custom_name is not None:
        name = str(custom_name)
    elif isinstance(value, int):
        name = f"VALUE_NEGATIVE_{-value}" if value < 0 else f"VALUE_{value}"
    elif isinstance(value, str) and value[:1].isalpha():
        name = value.upper()
    else:
        name = f"VALUE_{index}"
    return snake_case(name).upper()


def model_properties(model: ModelProperty) -> list[PropertyProtocol]:
    """The properties of a model, required ones first."""
    required = model.required_properties or []
    optional = model.optional_properties or []
    return [*required, *optional]


def models_by_pointer(data: GeneratorData) -> dict[str, ModelProperty]:
    """The models of the spec, by the JSON pointer of a component; others by their property."""
    return {spec_name(model): model for model in data.models}


def model_name(model: ModelProperty) -> str:
    """The name of the class that is generated for a model."""
    return str(model.class_info.name)
