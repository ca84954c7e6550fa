"""Compares the schemas of parameters, bodies and responses with the generator's models.

A *property*, in this module, is the generator's object for a schema (`PropertyProtocol`).
`verify_package` checks later that each parameter is one of the generated method.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.strings import in_double_quote_literal

from ..document import Document, Node, SpecError, is_mapping, raise_together
from ..generator_api import model_name, model_properties, spec_name, type_annotation
from ..operations import OperationView, Resource, ResponseView
from ..unions import SCALAR_TYPES, paired_branches
from ..webhooks import Webhook


def verify_schemas(
    document: Document,
    data: GeneratorData,
    resources: Sequence[Resource],
    webhooks: Sequence[Webhook],
) -> None:
    """Compare every parameter, body, response and event with the generator's properties.

    Raises:
        SpecError: the generator dropped a field, a value or a content type, or would generate
            code that cannot be imported.
    """
    models = {model_name(model): model for model in data.models}
    comparison = _SchemaComparison(document, models)
    raise_together(_find_losses(document, comparison, resources, webhooks))


def _find_losses(
    document: Document,
    comparison: _SchemaComparison,
    resources: Sequence[Resource],
    webhooks: Sequence[Webhook],
) -> Iterator[SpecError]:
    for resource in resources:
        for operation in resource.operations:
            for argument in operation.parameters:
                parameter = document.at(argument.pointer)
                yield from comparison.compare(parameter.child("schema"), argument.prop)
            yield from _find_losses_of_body(document, operation, comparison)
            for response in operation.responses:
                yield from _find_losses_of_response(document, response, comparison)
    for webhook in webhooks:
        yield from comparison.compare(document.at(webhook.body.pointer), webhook.model)


class _SchemaComparison:
    """Walks a schema of the spec and the generator's property side by side."""

    def __init__(self, document: Document, models: dict[str, ModelProperty]) -> None:
        self._document = document
        self._models = models
        self._visited_places: set[tuple[str, str]] = set()

    def compare(self, schema_or_reference: Node, prop: PropertyProtocol) -> Iterator[SpecError]:
        """Yield an error for each part of the schema that the property lacks.

        Parts are the values of an enum, the items of an array, the properties of an object, and
        the branches of a union. `additionalProperties` is not compared.
        """
        schema = self._document.resolve(schema_or_reference)
        # An absent schema, or `true`, has no parts.
        if not is_mapping(schema.value):
            return
        # Once is enough, because the generator makes one model of a schema. It is marked before the
        # comparison, because a schema that contains itself would never end.
        # A list of types makes several branches of one place.
        place = (schema.pointer, str(schema.get("type")))
        if place in self._visited_places:
            return
        self._visited_places.add(place)
        # The types of property that have parts, and last an object that became a scalar.
        if isinstance(prop, EnumProperty):
            yield from self._compare_enum(schema, prop)
        elif isinstance(prop, ListProperty):
            yield from self.compare(schema.child("items"), prop.inner_property)
        elif isinstance(prop, ModelProperty):
            # The property at a reference has no list of fields. The model of the same name has.
            yield from self._compare_model(schema, self._models[model_name(prop)])
        elif isinstance(prop, UnionProperty):
            yield from self._compare_union(schema, prop)
        elif schema.get("properties") and schema.get("type") not in SCALAR_TYPES:
            yield self._document.error(
                schema.pointer, "the generator dropped the properties of this object"
            )

    def _compare_enum(self, schema: Node, prop: EnumProperty) -> Iterator[SpecError]:
        # The generator's mapping is from Python name to value.
        generated_values = set(prop.values.values())
        for index, value in enumerate(schema.child("enum").sequence):
            # The generator turns null into an optional type instead.
            if value is None:
                continue
            pointer = f"{schema.pointer}/enum/{index}"
            # Without the character, the client's value would differ from the API's.
            if isinstance(value, str) and not _survives_literal(value):
                yield self._document.error(
                    pointer, "the generator drops a control character of this value"
                )
                continue
            # Of two values with one Python name, the generator keeps one.
            if _generated_value(value) not in generated_values:
                yield self._document.error(
                    pointer,
                    f"the generator dropped the value {value!r}: "
                    "another value has the same Python name; name them with x-enum-varnames",
                )

    def _compare_model(self, schema: Node, model: ModelProperty) -> Iterator[SpecError]:
        generated_properties = {spec_name(prop): prop for prop in model_properties(model)}
        for name, spec_property in self._document.properties(schema).items():
            pointer = spec_property.schema.pointer
            generated_property = generated_properties.get(name)
            if generated_property is None:
                yield self._document.error(pointer, f"the generator dropped the property {name!r}")
                continue
            if not _survives_literal(name):
                yield self._document.error(
                    pointer,
                    f"the generator dropped a control character of the property name {name!r}",
                )
            if generated_property.required != spec_property.required:
                expected = "required" if spec_property.required else "optional"
                yield self._document.error(
                    pointer, f"{name!r} is {expected}, but not in the generated model"
                )
            yield from self.compare(spec_property.schema, generated_property)

    def _compare_union(self, schema: Node, prop: UnionProperty) -> Iterator[SpecError]:
        # Branches that cannot be paired with members of the union stay unchecked. The generator
        # itself fails for a branch that it does not support.
        for branch, inner_property in paired_branches(self._document, schema, prop):
            yield from self.compare(branch.schema, inner_property)


def _find_losses_of_body(
    document: Document, operation: OperationView, comparison: _SchemaComparison
) -> Iterator[SpecError]:
    body = document.resolve(document.at(operation.pointer).child("requestBody"))
    # `child` of a missing key is a node whose value is None: the operation has no body.
    if body.value is None:
        return
    generated_bodies: dict[str, PropertyProtocol] = {}
    for generated_body in operation.endpoint.bodies:
        # The content type as the spec has it. "Untrusted" means: not escaped for code.
        content_type = generated_body.content_type.get_untrusted_value()
        generated_bodies[content_type] = generated_body.prop
    if len(generated_bodies) > 1 and not _are_distinguishable(generated_bodies.values()):
        yield document.error(
            body.pointer,
            f"the type of an argument does not say which of {', '.join(generated_bodies)} to send:"
            " give each content type an object schema of its own, or keep one",
        )
    for content_type, media_type in body.child("content").entries():
        if content_type not in generated_bodies:
            yield document.error(media_type.pointer, "the generator dropped this request body")
            continue
        yield from comparison.compare(media_type.child("schema"), generated_bodies[content_type])


def _are_distinguishable(bodies: Collection[PropertyProtocol]) -> bool:
    """Whether each body has a class of its own. The generated code uses `isinstance`."""
    classes = {type_annotation(prop) for prop in bodies}
    are_classes = all(
        isinstance(prop, FileProperty | ModelProperty | StringProperty) for prop in bodies
    )
    return are_classes and len(classes) == len(bodies)


def _find_losses_of_response(
    document: Document, response: ResponseView, comparison: _SchemaComparison
) -> Iterator[SpecError]:
    # `at` follows references.
    content = document.at(response.pointer).child("content")
    # Text and bytes have no parts that could get lost.
    if response.content != "json":
        return
    for _, media_type in content.entries():
        yield from comparison.compare(media_type.child("schema"), response.prop)


def _generated_value(value: Any) -> Any:
    """An enum value as the generator stores it: strings are escaped for a literal."""
    if isinstance(value, str):
        return in_double_quote_literal(value)
    return value


def _survives_literal(text: str) -> bool:
    """Whether the generator's literal keeps every character; it omits some control characters."""
    # The generator escapes the text as JSON does.
    literal = f'"{in_double_quote_literal(text)}"'
    decoded: str = json.loads(literal)
    return decoded == text
