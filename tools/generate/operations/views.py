"""What the templates render and the contract records, as frozen data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.protocol import PropertyProtocol

from ..styles import ParameterStyle


class Location(StrEnum):
    """Where an argument is sent. The order is that of the arguments of a method."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    ADDITIONAL = "additional"
    """In the body: an argument for the properties that its schema does not name."""


@dataclass(frozen=True)
class Argument:
    """One argument of a resource method."""

    python_name: str
    name: str
    """The name in the spec. Empty for an argument that is the whole body."""
    location: Location
    required: bool
    annotation: str
    """The type in the signature, without the default."""
    documentation: str
    pointer: str
    """The JSON pointer of the parameter, body property or request body."""
    default: str | None
    """The value that the session fills in: the only value of a required header."""
    role: str | None
    """The value of `x-role`, or what the name implies."""
    prop: PropertyProtocol
    """The generator's property."""
    is_data: bool
    """Whether the session passes the argument to the builder as JSON data."""
    is_deprecated: bool = False
    style: ParameterStyle | None = None
    """How a parameter is written. `None` for an argument of the body."""

    @property
    def declaration(self) -> str:
        """The argument in the signature of the resource method."""
        declaration = f"{self.python_name}: {self.annotation}"
        if self.required:
            return declaration
        return f"{declaration} = UNSET"

    @property
    def built_annotation(self) -> str:
        """The type once the session has validated it and filled in the default."""
        if self.is_data:
            return "Any"
        return self.annotation

    @property
    def builder_keyword(self) -> str:
        """The keyword of the generated request builder or body model."""
        if self.is_whole_body:
            return "body"
        return str(self.prop.python_name)

    @property
    def is_body_property(self) -> bool:
        """Whether the argument is one property of the body."""
        return self.location is Location.BODY and bool(self.name)

    @property
    def is_whole_body(self) -> bool:
        """Whether the argument is the whole body."""
        return self.location is Location.BODY and not self.name

    @property
    def signature_order(self) -> tuple[bool, bool, bool]:
        """The sort key of a signature: path parameters, required, optional, filled in."""
        return (
            self.location is not Location.PATH,
            self.default is not None,
            not self.required,
        )


@dataclass(frozen=True)
class ResponseView:
    """One response of the spec."""

    status: str
    """`200`, `2XX` or `default`, as the spec writes it."""
    content: str
    """How the body is read: `json`, `text`, `bytes` or `none`."""
    annotation: str
    success: bool
    description: str
    pointer: str
    prop: PropertyProtocol
    """The generator's property for the body."""


@dataclass(frozen=True)
class AccessStep:
    """One property on the way to a value in a response."""

    attribute: str
    """The attribute of the generated model."""
    expected_class: str
    """The class that the value must have; empty if any value is fine."""


@dataclass(frozen=True)
class Access:
    """How to read a value of a response or of an item. No steps: the response or item itself."""

    root_class: str
    """The class that the response or item must have; empty if it always has it."""
    steps: tuple[AccessStep, ...]
    props: tuple[PropertyProtocol, ...]
    """The generator's properties of the steps."""
    root: PropertyProtocol
    """The generator's property of the response or of the item."""


@dataclass(frozen=True)
class CursorView:
    """A cursor parameter, and where its value for the next page is."""

    argument: str
    types: tuple[str, ...]
    """The JSON types of the parameter. Empty: any."""
    access: Access
    is_in_item: bool
    """Whether the last item has the value. Otherwise the page has it."""


@dataclass(frozen=True)
class CounterView:
    """A parameter that is an offset or a page number."""

    argument: str
    is_page_number: bool
    first: int
    """Its value for the first page."""
    is_text: bool
    is_required: bool


@dataclass(frozen=True)
class IterationView:
    """The method that iterates over the items of all pages of a list operation."""

    name: str
    """The name of the Python method."""
    page_annotation: str
    item_annotation: str
    items: Access
    item_id: Access | None
    total: Access | None
    has_next: Access | None
    cursors: tuple[CursorView, ...]
    counter: CounterView | None
    positional: tuple[Argument, ...]
    keyword: tuple[Argument, ...]
    documentation: str
    """The text of the docstring, escaped."""

    @property
    def last_item_annotation(self) -> str:
        """The type of the last item of a page, which can be empty."""
        if "None" in self.item_annotation.split(" | "):
            return self.item_annotation
        return f"{self.item_annotation} | None"

    @property
    def props(self) -> Iterator[PropertyProtocol]:
        """The generator's properties of everything that is read."""
        accesses = [self.items, self.item_id, self.total, self.has_next]
        accesses += [cursor.access for cursor in self.cursors]
        for access in accesses:
            if access is not None:
                yield access.root
                yield from access.props


@dataclass(frozen=True)
class OperationView:
    """One operation, arranged as a method of a resource class."""

    operation_id: str
    name: str
    """The name of the Python method."""
    tag: str
    method: str
    """The HTTP method in upper case."""
    path: str
    pointer: str
    arguments: tuple[Argument, ...]
    body_class: str | None
    """The class with the body arguments. `None`: no body, or a body that is one argument."""
    body_optional: bool
    body_content_type: str | None
    responses: tuple[ResponseView, ...]
    endpoint: Endpoint
    """The generator's endpoint."""
    documentation: str
    """The text of the docstring, escaped."""
    iteration: IterationView | None
    """`None`: the spec does not mark how the operation is paginated."""
    is_deprecated: bool
    sends_token: bool
    """Whether requests have the client's token. A public operation gets none."""

    @property
    def deprecated_arguments(self) -> list[Argument]:
        """The arguments whose use is reported. Callers cannot leave out a required one."""
        return [item for item in self.arguments if item.is_deprecated and not item.required]

    @property
    def positional(self) -> list[Argument]:
        """The path parameters. They come first and need no keyword."""
        return [argument for argument in self.arguments if argument.location is Location.PATH]

    @property
    def keyword(self) -> list[Argument]:
        """The other arguments: required ones first, those that the session fills in last."""
        arguments = [item for item in self.arguments if item.location is not Location.PATH]
        return in_signature_order(arguments)

    @property
    def body_arguments(self) -> list[Argument]:
        """The arguments that become properties of the body."""
        return [argument for argument in self.arguments if argument.is_body_property]

    @property
    def additional_arguments(self) -> list[Argument]:
        """The argument for further properties of the body, if it allows them."""
        return [argument for argument in self.arguments if argument.location is Location.ADDITIONAL]

    @property
    def parameters(self) -> list[Argument]:
        """The arguments that go to the generated request builder directly."""
        return [
            argument
            for argument in self.arguments
            if not argument.is_body_property and argument.location is not Location.ADDITIONAL
        ]

    def style(self, location: str, name: str) -> ParameterStyle:
        """How a parameter is written.

        Args:
            location: the value of `in`.
            name: its name in the spec.
        """
        styles = {(item.location.value, item.name): item.style for item in self.arguments}
        style = styles[location, name]
        if style is None:
            raise KeyError(name)
        return style

    @property
    def return_annotation(self) -> str:
        """The union of the success models, `None` last. Only `None` if no response has content."""
        annotations = {item.annotation for item in self.responses if item.success}
        models = sorted(annotations - {"None"})
        if "None" in annotations or not models:
            models.append("None")
        return " | ".join(models)

    @property
    def import_candidates(self) -> set[str]:
        """Import lines for every name that the rendered method may use."""
        lines: set[str] = set()
        for prop in self._properties():
            # Three dots: resource modules are two packages below the root.
            lines |= prop.get_imports(prefix="...")
            lines |= prop.get_lazy_imports(prefix="...")
        # Only if it is used: a model can have this name.
        if any("Sequence[" in argument.annotation for argument in self.arguments):
            lines.add("from collections.abc import Sequence")
        return lines

    def _properties(self) -> Iterator[PropertyProtocol]:
        for argument in self.arguments:
            yield argument.prop
        for response in self.responses:
            yield response.prop
        for body in self.endpoint.bodies:
            yield body.prop
        if self.iteration is not None:
            yield from self.iteration.props


@dataclass(frozen=True)
class Resource:
    """The operations of one tag: one class for blocking and one for async code."""

    tag: str
    class_name: str
    documentation: str
    operations: tuple[OperationView, ...]

    @property
    def warns(self) -> bool:
        """Whether a method reports the use of something deprecated."""
        return any(
            operation.is_deprecated or operation.deprecated_arguments
            for operation in self.operations
        )


def in_signature_order(arguments: Iterable[Argument]) -> list[Argument]:
    """Arguments as a signature lists them."""
    return sorted(arguments, key=_signature_order)


def _signature_order(argument: Argument) -> tuple[bool, bool, bool]:
    return argument.signature_order
