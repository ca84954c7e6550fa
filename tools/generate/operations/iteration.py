"""Arranges the method that iterates over the pages of a list operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty

from ..document import Document, Node, Operation, SpecError
from ..generator_api import model_name, model_properties, spec_name, type_annotation
from ..paging import (
    CURSOR_ROLES,
    Paging,
    PagingParameter,
    PagingProperty,
    PagingRole,
    json_types,
    read_paging,
)
from .docstrings import iteration_docstring
from .views import (
    Access,
    AccessStep,
    Argument,
    CounterView,
    CursorView,
    IterationView,
    Location,
    ResponseView,
    in_signature_order,
)

METHOD_PREFIX = "iter_"


def iteration_view(
    document: Document,
    operation: Operation,
    method_name: str,
    arguments: Sequence[Argument],
    responses: Sequence[ResponseView],
    models: Sequence[ModelProperty],
) -> IterationView | None:
    """The method that iterates over the pages of an operation.

    Args:
        document: the spec, whose roles are valid.
        operation: the operation in the spec.
        method_name: the name of the method for one page.
        arguments: its arguments.
        responses: the responses of the operation.
        models: every model of the generator.

    Returns:
        `None` if the operation has no parameter that says where a page starts.

    Raises:
        SpecError: a property with a role cannot be read from the generated models.
    """
    paging = read_paging(document, operation)
    if not paging.is_iterable:
        return None
    (response,) = (response for response in responses if response.success)
    reader = _Reader(document, models)
    items = reader.access(response.prop, paging.items)
    items_prop = _present(items.props[-1] if items.props else response.prop)
    if not isinstance(items_prop, ListProperty):
        raise _unreadable(document, paging.items.schema)
    item_prop = items_prop.inner_property
    arguments_by_parameter = _Arguments(document, arguments)
    counter = _counter(document, paging, arguments_by_parameter)
    iteration_arguments = [_with_optional_start(item, counter) for item in arguments]
    starts = [arguments_by_parameter.of(item) for item in paging.start_parameters]
    size = _size_argument(paging, arguments_by_parameter)
    return IterationView(
        name=f"{METHOD_PREFIX}{method_name}",
        page_annotation=response.annotation,
        item_annotation=type_annotation(item_prop),
        items=items,
        item_id=reader.optional_access(item_prop, paging.item_id),
        total=reader.optional_access(response.prop, _first(paging, PagingRole.TOTAL)),
        has_next=reader.optional_access(response.prop, _first(paging, PagingRole.HAS_NEXT)),
        cursors=tuple(
            _cursors(document, paging, arguments_by_parameter, response.prop, item_prop, reader)
        ),
        counter=counter,
        positional=tuple(item for item in iteration_arguments if item.location is Location.PATH),
        keyword=tuple(
            in_signature_order(
                item for item in iteration_arguments if item.location is not Location.PATH
            )
        ),
        documentation=iteration_docstring(
            operation, method_name, iteration_arguments, starts, size
        ),
    )


class _Arguments:
    """The arguments of a method, by the parameters with a role."""

    def __init__(self, document: Document, arguments: Sequence[Argument]) -> None:
        self._document = document
        self._arguments = {argument.pointer: argument for argument in arguments}

    def of(self, parameter: PagingParameter) -> Argument:
        """The argument of a parameter.

        Raises:
            SpecError: the method takes the whole body as one argument.
        """
        argument = self._arguments.get(parameter.pointer)
        if argument is None:
            raise self._document.error(
                parameter.pointer,
                f"x-role {parameter.role} must be at a property of a required body, which is an"
                " object, or at a parameter",
            )
        return argument


class _Reader:
    """Finds the attributes of generated models for properties of the spec."""

    def __init__(self, document: Document, models: Sequence[ModelProperty]) -> None:
        self._document = document
        self._models = {model_name(model): model for model in models}

    def optional_access(
        self, root: PropertyProtocol, target: PagingProperty | None
    ) -> Access | None:
        """Like `access`, or `None` without a property."""
        if target is None:
            return None
        return self.access(root, target)

    def access(self, root: PropertyProtocol, target: PagingProperty) -> Access:
        """How to read a property.

        Args:
            root: the generator's property of the response or of the item.
            target: the property in the spec.

        Raises:
            SpecError: it is no attribute of a model, for example inside of a union.
        """
        steps: list[AccessStep] = []
        props: list[PropertyProtocol] = []
        current = _present(root)
        for name in target.path:
            if not isinstance(current, ModelProperty):
                raise _unreadable(self._document, target.schema)
            prop = self._property(current, name)
            if prop is None:
                raise _unreadable(self._document, target.schema)
            props.append(prop)
            current = _present(prop)
            steps.append(AccessStep(str(prop.python_name), ""))
        # Each value on the way must be the model, and may be UNSET instead. So must the list.
        classes = [_class_of(_present(prop)) for prop in props]
        if target.role is not PagingRole.ITEMS and classes:
            classes[-1] = ""
        root_class = ""
        # The root itself can be null: an item, or a whole page.
        if isinstance(root, UnionProperty) and (steps or target.role is PagingRole.ITEMS):
            root_class = _class_of(_present(root))
        return Access(
            root_class=root_class,
            steps=tuple(
                replace(step, expected_class=expected_class)
                for step, expected_class in zip(steps, classes, strict=True)
            ),
            props=tuple(props),
            root=root,
        )

    def _property(self, model: ModelProperty, name: str) -> PropertyProtocol | None:
        # The property of a response need not list the model's properties. The model itself does.
        model = self._models.get(model_name(model), model)
        for prop in model_properties(model):
            if spec_name(prop) == name:
                return prop
        return None


def _present(prop: PropertyProtocol) -> PropertyProtocol:
    """A property without null: the only other branch of a union with null."""
    if not isinstance(prop, UnionProperty):
        return prop
    branches = [inner for inner in prop.inner_properties if not isinstance(inner, NoneProperty)]
    return branches[0] if len(branches) == 1 else prop


def _class_of(prop: PropertyProtocol) -> str:
    if isinstance(prop, ModelProperty):
        return model_name(prop)
    return "list"


def _cursors(
    document: Document,
    paging: Paging,
    arguments: _Arguments,
    page_prop: PropertyProtocol,
    item_prop: PropertyProtocol,
    reader: _Reader,
) -> list[CursorView]:
    views: list[CursorView] = []
    for parameter in paging.start_parameters:
        if parameter.role not in CURSOR_ROLES:
            continue
        cursor = paging.next_cursor_of(parameter)
        if cursor is None:
            raise document.error(parameter.pointer, "no value of a page belongs to it")
        is_in_item = cursor in paging.item
        views.append(
            CursorView(
                argument=arguments.of(parameter).python_name,
                types=tuple(sorted(json_types(document, parameter.schema))),
                access=reader.access(item_prop if is_in_item else page_prop, cursor),
                is_in_item=is_in_item,
            )
        )
    return views


def _counter(document: Document, paging: Paging, arguments: _Arguments) -> CounterView | None:
    parameter = paging.start_parameters[0]
    if parameter.role in CURSOR_ROLES:
        return None
    is_page_number = parameter.role is PagingRole.NUMBER
    return CounterView(
        argument=arguments.of(parameter).python_name,
        is_page_number=is_page_number,
        first=_first_page(parameter.schema) if is_page_number else 0,
        is_text=json_types(document, parameter.schema) == frozenset({"string"}),
        is_required=parameter.required,
    )


def _first_page(schema: Node) -> int:
    """The number of the first page: 0 where the spec allows it, otherwise 1."""
    default = schema.get("default")
    if default is not None and str(default).isdecimal():
        return int(default)
    return 0 if schema.get("minimum") == 0 else 1


def _with_optional_start(argument: Argument, counter: CounterView | None) -> Argument:
    """An argument of the iteration, which knows the offset or the number of the first page."""
    if counter is None or argument.python_name != counter.argument or not argument.required:
        return argument
    return replace(argument, required=False, annotation=f"{argument.annotation} | Unset")


def _size_argument(paging: Paging, arguments: _Arguments) -> Argument | None:
    for parameter in paging.parameters:
        if parameter.role is PagingRole.SIZE:
            return arguments.of(parameter)
    return None


def _first(paging: Paging, role: PagingRole) -> PagingProperty | None:
    return next(paging.properties(role), None)


def _unreadable(document: Document, schema: Node) -> SpecError:
    return document.error(
        schema.pointer,
        f"x-role {schema.get('x-role')} must be a property of an object, outside of anyOf and"
        " oneOf",
    )
