"""Decides how a method takes the request body: as keyword arguments, or as one argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser.bodies import BodyType
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty

from ..direction import is_read_only
from ..document import Document, Node, ObjectProperty, Operation
from ..generator_api import model_name, model_properties, spec_name, type_annotation
from .annotations import accepted_annotation
from .arguments import ArgumentNotes, ArgumentSource, create_argument, free_name
from .views import Argument, Location


@dataclass(frozen=True)
class RequestBody:
    """The arguments for the body of one operation."""

    arguments: tuple[Argument, ...]
    model_class: str | None
    """The class with the arguments. `None`: no body, or a body that is one argument."""
    optional: bool
    """Whether no body is sent if no argument is given."""
    content_type: str | None


def request_body(
    document: Document,
    operation: Operation,
    endpoint: Endpoint,
    models: Sequence[ModelProperty],
    reserved_names: Set[str],
) -> RequestBody:
    """Arrange the body of an operation.

    Args:
        document: the spec.
        operation: the operation in the spec.
        endpoint: the same operation in the generator.
        models: every model of the generator.
        reserved_names: Python names that the other arguments of the method use.
    """
    if not endpoint.bodies:
        return RequestBody(arguments=(), model_class=None, optional=False, content_type=None)
    first_body = endpoint.bodies[0]
    content_type = str(first_body.content_type.get_untrusted_value())
    model = _flattened_model(document, operation, endpoint, models)
    if model is None:
        argument = _whole_body(operation, endpoint, reserved_names)
        return RequestBody((argument,), None, False, content_type)
    arguments = _body_properties(document, operation, model, reserved_names)
    return RequestBody(
        arguments=tuple(arguments),
        model_class=model_name(model),
        optional=not first_body.prop.required,
        content_type=content_type,
    )


def _flattened_model(
    document: Document,
    operation: Operation,
    endpoint: Endpoint,
    models: Sequence[ModelProperty],
) -> ModelProperty | None:
    """The model whose properties become keyword arguments. `None` if the body is one argument."""
    if not _is_data(endpoint):
        return None
    prop = endpoint.bodies[0].prop
    if not isinstance(prop, ModelProperty):
        return None
    # The property of a body need not list the model's properties. The model itself does.
    model = _model_of(prop, models)
    if model is None:
        return None
    properties = _sent_properties(document, _only_body_schema(document, operation))
    if not properties:
        return None
    # An optional body with a required property: no argument could be required in the signature.
    if not prop.required and any(child.required for child in properties.values()):
        return None
    return model


def _sent_properties(document: Document, schema: Node) -> dict[str, ObjectProperty]:
    """The properties of a body that a request may contain."""
    return {
        name: child
        for name, child in document.properties(schema).items()
        if not is_read_only(document, child.schema)
    }


def _model_of(prop: ModelProperty, models: Sequence[ModelProperty]) -> ModelProperty | None:
    for model in models:
        if model.class_info == prop.class_info:
            return model
    return None


def _body_properties(
    document: Document,
    operation: Operation,
    model: ModelProperty,
    reserved_names: Set[str],
) -> list[Argument]:
    schemas = _sent_properties(document, _only_body_schema(document, operation))
    properties = [prop for prop in model_properties(model) if spec_name(prop) in schemas]
    used_names = set(reserved_names)
    arguments: list[Argument] = []
    for prop in properties:
        name = spec_name(prop)
        # A name with a suffix must not take the name of a property that comes later.
        siblings = {str(sibling.python_name) for sibling in properties if sibling is not prop}
        python_name = free_name(str(prop.python_name), "body", used_names | siblings)
        used_names.add(python_name)
        schema = document.resolve(schemas[name].schema)
        source = ArgumentSource(
            prop=prop,
            location=Location.BODY,
            name=name,
            # Not the pointer of a shared component: findings name the property of this body.
            pointer=schemas[name].schema.pointer,
            description=schema,
            schema=schema,
            notes=ArgumentNotes.of(document, schemas[name].schema),
            required=schemas[name].required,
        )
        arguments.append(create_argument(source, python_name))
    used_names |= {str(prop.python_name) for prop in properties}
    schema = document.resolve(_only_body_schema(document, operation))
    arguments += _additional_properties(schema, model, used_names)
    return arguments


def _additional_properties(
    schema: Node, model: ModelProperty, used_names: Set[str]
) -> Iterator[Argument]:
    """The argument for properties without a name in the spec, if it says that they are allowed.

    A schema without `additionalProperties` allows them too, but does not say that they exist.
    """
    if schema.get("additionalProperties") in (None, False):
        return
    # Typed as `Any`, because the generator also has a truth value here.
    additional: Any = model.additional_properties
    item = accepted_annotation(additional)
    yield Argument(
        python_name=free_name("additional_properties", "body", used_names),
        name="",
        location=Location.ADDITIONAL,
        required=False,
        annotation=f"Mapping[str, {item}] | Unset",
        documentation="Further properties of the body, by their names in the request.",
        pointer=schema.pointer,
        default=None,
        role=None,
        prop=additional,
        is_data=True,
    )


def _only_body_schema(document: Document, operation: Operation) -> Node:
    body = document.resolve(operation.node.child("requestBody"))
    _, media_type = next(body.child("content").entries())
    return media_type.child("schema")


def _whole_body(operation: Operation, endpoint: Endpoint, reserved_names: Set[str]) -> Argument:
    """The body as one argument: an array, several content types, a file, or an optional object."""
    python_name = free_name("body", "content", reserved_names)
    properties = [body.prop for body in endpoint.bodies]
    required = all(prop.required for prop in properties)
    # A dictionary instead of a set: two content types may share a type, and the order is stable.
    annotations = dict.fromkeys(type_annotation(prop) for prop in properties)
    is_data = _is_data(endpoint)
    if is_data:
        annotations = dict.fromkeys([accepted_annotation(properties[0])])
    if not required:
        annotations["Unset"] = None
    return Argument(
        python_name=python_name,
        name="",
        location=Location.BODY,
        required=required,
        annotation=" | ".join(annotations),
        documentation="The body of the request.",
        pointer=f"{operation.pointer}/requestBody",
        default=None,
        role=None,
        prop=properties[0],
        is_data=is_data,
    )


def _is_data(endpoint: Endpoint) -> bool:
    """Whether the session passes the body as JSON data, which it has validated.

    The parts of a multipart form can be files, which are no JSON data. Of several content types,
    the class of the argument says which one to send.
    """
    if len(endpoint.bodies) != 1:
        return False
    return endpoint.bodies[0].body_type in {BodyType.DATA, BodyType.JSON}
