"""Reads the generator's own objects, whose attributes change between its patch releases."""

from __future__ import annotations

from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol


def spec_name(prop: PropertyProtocol) -> str:
    """The name of a parameter or property in the spec."""
    return prop.name.get_untrusted_value()


def type_annotation(prop: PropertyProtocol) -> str:
    """The Python type of a property that is present, as source code."""
    return prop.get_type_string(no_optional=True).as_unembedded_code()


def model_properties(model: ModelProperty) -> list[PropertyProtocol]:
    """The properties of a model, required ones first."""
    required = model.required_properties or []
    optional = model.optional_properties or []
    return [*required, *optional]


def model_name(model: ModelProperty) -> str:
    """The name of the class that is generated for a model."""
    return str(model.class_info.name)
