"""Corrects how the generator reads inline objects and enums: each once, with a name of its own.

openapi-python-client 0.29.1 has these faults:

1. It reads an inline object in a union of a component with the component, and again with all
   models. So an object in it is a duplicate, and a reference to the component leads to nothing.
2. It reads the model of a component that only wraps a reference twice, with the same result.
3. It fails if two inline schemas have one class name, or an inline schema has that of a component.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Set
from contextlib import contextmanager
from typing import Any

from openapi_python_client import schema as oai
from openapi_python_client.config import Config
from openapi_python_client.parser import properties
from openapi_python_client.parser.errors import PropertyError
from openapi_python_client.parser.properties import EnumProperty, ModelProperty, Schemas
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.strings import pascal_case

_CREATE_SCHEMAS = "_create_schemas"
"""The function of the generator's module that reads the components."""

_PROCESS_MODEL = "process_model"
"""The function that reads the properties of a model."""

_READ_ATTRIBUTES = (
    "required_properties",
    "optional_properties",
    "relative_imports",
    "lazy_imports",
    "additional_properties",
)
"""What it stores in the model."""


@contextmanager
def corrected_inline_classes() -> Generator[None]:
    """Let the generator read each inline object and enum once, with a name of its own."""
    reading = _Reading()
    originals: list[tuple[Any, str, Any]] = [
        (owner, name, vars(owner)[name])
        for owner, name in (
            (properties, _CREATE_SCHEMAS),
            (properties, _PROCESS_MODEL),
            (ModelProperty, "build"),
            (EnumProperty, "build"),
        )
    ]
    functions = [original for _, _, original in originals]
    setattr(properties, _CREATE_SCHEMAS, reading.create_schemas(functions[0]))
    setattr(properties, _PROCESS_MODEL, reading.process_model(functions[1]))
    for property_class, original in ((ModelProperty, functions[2]), (EnumProperty, functions[3])):
        setattr(property_class, "build", classmethod(reading.build(original.__func__)))  # noqa: B010
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


class _Reading:
    """Wraps functions of the generator while it reads one spec."""

    def __init__(self) -> None:
        self._reads_components = False
        self._components: list[object] = []
        self._component_classes: frozenset[str] = frozenset()

    def create_schemas(self, function: Callable[..., Schemas]) -> Callable[..., Schemas]:
        """Wrap the function that reads the components."""

        def create_schemas(
            *, components: dict[Any, Any], schemas: Schemas, config: Config
        ) -> Schemas:
            self._components = list(components.values())
            names = [str(name.get_untrusted_value()) for name in components]
            self._component_classes = frozenset(_class_of(name, config) for name in names)
            self._reads_components = True
            try:
                return function(components=components, schemas=schemas, config=config)
            finally:
                self._reads_components = False

        return create_schemas

    def process_model(
        self, function: Callable[..., Schemas | PropertyError]
    ) -> Callable[..., Schemas | PropertyError]:
        """Wrap the function that reads the properties of a model."""

        def process_model(
            model: ModelProperty, *, schemas: Schemas, config: Config
        ) -> Schemas | PropertyError:
            first: Any = schemas.classes_by_name.get(model.class_info.name)
            if first is None or first is model:
                return function(model, schemas=schemas, config=config)
            if first.required_properties is None:
                # The generator tries again after it has read other models.
                return PropertyError(detail="the model that it refers to cannot be read")
            for name in _READ_ATTRIBUTES:
                object.__setattr__(model, name, getattr(first, name))
            return schemas

        return process_model

    def build(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the function that makes the property of an object or of an enum."""

        def build(property_class: type[Any], **arguments: Any) -> Any:
            data: oai.Schema = arguments["data"]
            if self._reads_components and "process_properties" in arguments:
                arguments["process_properties"] = False
            if not any(data is component for component in self._components):
                arguments["data"] = self._with_free_title(**arguments)
            return function(property_class, **arguments)

        return build

    def _with_free_title(
        self,
        *,
        data: oai.Schema,
        name: oai.UntrustedString,
        parent_name: str,
        schemas: Schemas,
        config: Config,
        **_: object,
    ) -> oai.Schema:
        """The schema, with another title if its class would have the name of another class."""
        label = str((data.title or name).get_untrusted_value()).rpartition("/")[2]
        used_names: Set[str] = self._component_classes | schemas.classes_by_name.keys()
        title = label
        number = 1
        while _class_of(f"{pascal_case(parent_name)}{pascal_case(title)}", config) in used_names:
            number += 1
            title = f"{label} {number}"
        if number == 1:
            return data
        return data.model_copy(update={"title": oai.UntrustedString(title)})


def _class_of(name: str, config: Config) -> str:
    """The name of the class that the generator makes of a name."""
    return str(Class.from_string(string=name, config=config).name)
