"""Pairs every operation of the spec with the generator's endpoint and groups them by tag."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.strings import PythonIdentifier, pascal_case

from ..credentials import sends_token
from ..document import Document, Operation
from ..paging import read_paging
from .arguments import (
    ITERATION_PARAMETERS,
    METHOD_PARAMETERS,
    parameter_arguments,
    with_conventional_roles,
)
from .bodies import request_body
from .docstrings import method_docstring
from .iteration import iteration_view
from .responses import response_views
from .views import OperationView, Resource

RAW_RESPONSES = "with_raw_response"
"""The attribute of a resource whose methods return whole responses, and the name of its module."""

CLIENT_METHODS = frozenset({"close", "for_location", "rate_limit", "request", "with_options"})
"""The client's own methods. A resource is an attribute beside them."""

_RESERVED_CLASSES = frozenset(
    {
        "APIResponse",
        "Any",
        "AsyncIterator",
        "AsyncResources",
        "AsyncSession",
        "AttributeError",
        "DeprecationWarning",
        "Generic",
        "Iterator",
        "Mapping",
        "Operation",
        "RequestOptions",
        "Resource",
        "Resources",
        "Sequence",
        "Session",
        "TypeVar",
        "Unset",
    }
)
"""The classes that `endpoint_init.py.jinja` and `api_init.py.jinja` import, define or use."""


def arrange_resources(document: Document, data: GeneratorData) -> tuple[Resource, ...]:
    """Arrange the operations of a spec as resources, one for each tag.

    Args:
        document: the spec.
        data: the same spec, as the generator parsed it.

    Raises:
        SpecError: the generator dropped an operation, or two names collide.
    """
    operations_by_tag = _operations_by_tag(document, data)
    if not operations_by_tag:
        raise document.error("/paths", "there is no operation in this spec")
    _check_tags(document, operations_by_tag)
    descriptions = _tag_descriptions(document)
    resources: list[Resource] = []
    for tag, operations in operations_by_tag.items():
        description = descriptions.get(tag)
        resource = Resource(
            tag=tag,
            class_name=_class_name(tag, data),
            documentation=description or f"The operations tagged {tag!r}.",
            operations=tuple(operations),
        )
        resources.append(resource)
    return tuple(resources)


def _operations_by_tag(document: Document, data: GeneratorData) -> dict[str, list[OperationView]]:
    operations_by_tag: dict[str, list[OperationView]] = {}
    endpoints = _Endpoints(data)
    for operation in document.operations():
        tag = _tag_identifier(operation)
        endpoint = endpoints.next_of(tag)
        # The method differs if the generator dropped this operation but not the next one.
        if endpoint is None or endpoint.method != operation.method:
            raise document.error(operation.pointer, "the generator dropped this operation")
        view = _operation_view(document, operation, endpoint, data, tag)
        siblings = operations_by_tag.setdefault(tag, [])
        _check_method_name(document, view, siblings)
        siblings.append(view)
    return operations_by_tag


class _Endpoints:
    """The generator's endpoints, taken in the order of the spec.

    An endpoint does not name its operation. But the generator keeps the order of the spec within a
    tag, so the next endpoint belongs to the next operation, or the generator dropped one.
    """

    def __init__(self, data: GeneratorData) -> None:
        self._remaining = {
            str(tag): list(collection.endpoints)
            for tag, collection in data.endpoint_collections_by_tag.items()
        }

    def next_of(self, tag: str) -> Endpoint | None:
        """The next endpoint of a tag, `None` after the last."""
        endpoints = self._remaining.get(tag)
        if not endpoints:
            return None
        return endpoints.pop(0)


def _operation_view(
    document: Document, operation: Operation, endpoint: Endpoint, data: GeneratorData, tag: str
) -> OperationView:
    method_parameters = METHOD_PARAMETERS
    if read_paging(document, operation).is_iterable:
        method_parameters = ITERATION_PARAMETERS
    parameters = parameter_arguments(document, operation, endpoint, method_parameters)
    reserved_names = method_parameters | {argument.python_name for argument in parameters}
    body = request_body(document, operation, endpoint, data.models, reserved_names)
    arguments = with_conventional_roles([*parameters, *body.arguments])
    responses = response_views(document, operation, endpoint)
    operation_id = operation.node.get("operationId")
    with_token = sends_token(document, operation)
    # `field_` is the generator's prefix for names that are not identifiers.
    name = str(PythonIdentifier(endpoint.name, "field_"))
    return OperationView(
        operation_id=str(operation_id or endpoint.name),
        name=name,
        tag=tag,
        method=operation.method.upper(),
        path=operation.path,
        pointer=operation.pointer,
        arguments=arguments,
        body_class=body.model_class,
        body_optional=body.optional,
        body_content_type=body.content_type,
        responses=responses,
        endpoint=endpoint,
        documentation=method_docstring(operation, arguments, responses, with_token=with_token),
        iteration=iteration_view(document, operation, name, arguments, responses, data.models),
        is_deprecated=operation.node.get("deprecated") is True,
        sends_token=with_token,
    )


def _tag_identifier(operation: Operation) -> str:
    # The generator puts an operation into its first tag, and into `default` without one.
    tags = operation.node.get("tags") or ["default"]
    first_tag = str(tags[0])
    return str(PythonIdentifier(first_tag, prefix="tag"))


def _check_method_name(
    document: Document, view: OperationView, siblings: list[OperationView]
) -> None:
    if view.name == RAW_RESPONSES:
        raise document.error(
            f"{view.pointer}/operationId",
            f"operationId {view.operation_id!r} gives the Python name {view.name!r}, which every "
            "resource has already",
        )
    for sibling in siblings:
        if sibling.name == view.name:
            raise document.error(
                f"{view.pointer}/operationId",
                f"operationId {view.operation_id!r} gives the same Python name as "
                f"{sibling.operation_id!r} of {sibling.method} {sibling.path}; "
                "one would overwrite the other",
            )
        for name in _method_names(view) & _method_names(sibling):
            raise document.error(
                f"{view.pointer}/operationId",
                f"operationId {view.operation_id!r} gives the Python name {name!r}, as the "
                f"iteration over {sibling.operation_id!r} or over this operation does; rename one",
            )


def _method_names(view: OperationView) -> set[str]:
    if view.iteration is None:
        return {view.name}
    return {view.name, view.iteration.name}


def _check_tags(document: Document, operations_by_tag: Mapping[str, list[OperationView]]) -> None:
    for tag, operations in operations_by_tag.items():
        if tag in CLIENT_METHODS:
            raise document.error(
                f"{operations[0].pointer}/tags",
                f"a tag named {tag!r} would hide the client's own method",
            )


def _tag_descriptions(document: Document) -> dict[str, str]:
    descriptions: dict[str, str] = {}
    for tag in document.top.child("tags").elements():
        name = str(tag.get("name"))
        identifier = str(PythonIdentifier(name, prefix="tag"))
        descriptions[identifier] = str(tag.get("description", ""))
    return descriptions


def _class_name(tag: str, data: GeneratorData) -> str:
    """The tag as a class name, with a suffix if Python, a model or a template uses that name."""
    name = pascal_case(tag)
    # `False`, `None` and `True`: the generator's class names have no suffix for keywords.
    if iskeyword(name):
        return f"{name}Resource"
    generated_classes = [*data.models, *data.enums]
    used_names = {str(generated.class_info.name) for generated in generated_classes}
    used_names |= _RESERVED_CLASSES
    for suffix in ("", "WithRawResponse"):
        if f"{name}{suffix}" in used_names or f"Async{name}{suffix}" in used_names:
            return f"{name}Resource"
    return name
