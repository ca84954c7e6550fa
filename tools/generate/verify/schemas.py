"""Compares the bodies and responses of the spec with the generator's models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.strings import in_double_quote_literal

from ..document import Document, Node, is_mapping
from ..generator_api import model_name, model_properties, spec_name
from ..operations import OperationView, Resource, ResponseView


def verify_schemas(document: Document, data: GeneratorData, resources: Sequence[Resource]) -> None:
    """Compare every body and response with the generator's properties.

    Raises:
        SpecError: a field, a value or a type got lost in the generator.
    """
    models = {model_name(model): model for model in data.models}
    comparison = _SchemaComparison(document, models)
    for resource in resources:
        for operation in resource.operations:
            _verify_body(document, operation, comparison)
            for response in operation.responses:
                _verify_response(document, response, comparison)


class _SchemaComparison:
    """Walks a schema of the spec and the generator's property side by side."""

    def __init__(self, document: Document, models: dict[str, ModelProperty]) -> None:
        self._document = document
        self._models = models
        self._compared: set[str] = set()

    def compare(self, reference: Node, prop: PropertyProtocol) -> None:
        """Raise `SpecError` for the first part of the schema that the property lacks."""
        schema = self._document.resolve(reference)
        # A schema that is compared already, or that contains itself.
        if not is_mapping(schema.value) or schema.pointer in self._compared:
            return
        self._compared.add(schema.pointer)
        # Every type of property with parts. What is not listed is a scalar, without parts.
        if isinstance(prop, EnumProperty):
            self._compare_enum(schema, prop)
        elif isinstance(prop, ListProperty):
            self.compare(schema.child("items"), prop.inner_property)
        elif isinstance(prop, ModelProperty):
            self._compare_model(schema, self._models[model_name(prop)])
        elif isinstance(prop, UnionProperty):
            self._compare_union(schema, prop)
        elif schema.get("properties"):
            raise self._document.error(
                schema.pointer, "the generator dropped the properties of this object"
            )

    def _compare_enum(self, schema: Node, prop: EnumProperty) -> None:
        generated_values = set(prop.values.values())
        for index, value in enumerate(_values_without_null(schema)):
            pointer = f"{schema.pointer}/enum/{index}"
            # The client would send and expect another value than the API.
            if isinstance(value, str) and not _survives_literal(value):
                raise self._document.error(
                    pointer, "the generator drops a control character of this value"
                )
            # Of two values with one Python name, the generator keeps one.
            if _generated_value(value) not in generated_values:
                raise self._document.error(
                    pointer,
                    f"the generator dropped the value {value!r}: "
                    "another value has the same Python name; name them with x-enum-varnames",
                )

    def _compare_model(self, schema: Node, model: ModelProperty) -> None:
        generated = {spec_name(prop): prop for prop in model_properties(model)}
        for name, child in self._document.properties(schema).items():
            pointer = child.schema.pointer
            if name not in generated or not _survives_literal(name):
                raise self._document.error(
                    pointer, f"the generator dropped the property {name!r}, or a character of it"
                )
            if generated[name].required != child.required:
                raise self._document.error(
                    pointer, f"the generator does not know whether {name!r} is required"
                )
            self.compare(child.schema, generated[name])

    def _compare_union(self, schema: Node, prop: UnionProperty) -> None:
        branches = [*schema.child("anyOf").elements(), *schema.child("oneOf").elements()]
        # A type list such as `[string, "null"]` becomes a union too, without branches in the spec.
        if len(branches) != len(prop.inner_properties):
            return
        for branch, inner_property in zip(branches, prop.inner_properties, strict=True):
            self.compare(branch, inner_property)


def _verify_body(
    document: Document, operation: OperationView, comparison: _SchemaComparison
) -> None:
    body = document.resolve(document.at(operation.pointer).child("requestBody"))
    if body.value is None:
        return
    generated = {
        item.content_type.get_untrusted_value(): item.prop for item in operation.endpoint.bodies
    }
    # The generated code then uses `Unset` without importing it (openapi-python-client 0.29.1).
    if len(generated) > 1 and body.get("required"):
        raise document.error(
            body.pointer,
            f"{len(generated)} required body types ({', '.join(generated)}): "
            "the generated code for them cannot be imported",
        )
    for content_type, media_type in body.child("content").entries():
        if content_type not in generated:
            raise document.error(media_type.pointer, "the generator dropped this request body")
        comparison.compare(media_type.child("schema"), generated[content_type])


def _verify_response(
    document: Document, response: ResponseView, comparison: _SchemaComparison
) -> None:
    content = document.at(response.pointer).child("content")
    if len(content.mapping) > 1:
        raise document.error(
            content.pointer,
            f"of {', '.join(content.mapping)} the generator would drop all but one",
        )
    # Text and bytes have no parts that could get lost.
    if response.content != "json":
        return
    for content_type, media_type in content.entries():
        if "json" in content_type and "schema" in media_type.mapping:
            comparison.compare(media_type.child("schema"), response.prop)


def _values_without_null(schema: Node) -> Iterator[Any]:
    """The values of an enum. The generator turns null into an optional type instead."""
    for value in schema.child("enum").sequence:
        if value is not None:
            yield value


def _generated_value(value: Any) -> Any:
    """An enum value as the generator stores it: strings are escaped already."""
    if isinstance(value, str):
        return in_double_quote_literal(value)
    return value


def _survives_literal(text: str) -> bool:
    """Whether a text is unchanged in a generated literal, which omits some control characters."""
    # The literal is valid JSON too, so this reads it as Python would.
    literal = f'"{in_double_quote_literal(text)}"'
    decoded: str = json.loads(literal)
    return decoded == text
