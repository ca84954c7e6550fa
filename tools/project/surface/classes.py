"""Adds facts about classes that griffe lacks: all their bases, and generated constructors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import griffe

from .model import PACKAGES, Expression, PythonObject

CONSTRUCTOR_GENERATORS = {
    "attrs.define",
    "attrs.frozen",
    "attr.define",
    "attr.frozen",
    "typing.NamedTuple",
}
"""Decorators and bases that generate a constructor from the annotated attributes of a class.

griffe already handles `dataclasses.dataclass`.
"""

FIELD_FUNCTIONS = {"attrs.field", "attr.field"}
"""Functions whose arguments say how an attribute appears in the constructor."""


@dataclass(frozen=True)
class BaseClass:
    """One direct or indirect base of a class."""

    path: str
    """The canonical path, such as `leadconnector.errors.APIError`."""
    is_local: bool
    """Whether it is defined in one of the packages."""


def base_classes(class_: griffe.Class) -> Iterator[BaseClass]:
    """All bases of a class: direct and indirect, as far as they are in the packages."""
    for expression in class_.bases:
        base = local_class(expression, class_.modules_collection)
        if base is None:
            yield BaseClass(canonical_path(expression), is_local=False)
        elif base is not class_:
            yield BaseClass(base.canonical_path, is_local=True)
            yield from base_classes(base)


def canonical_path(expression: griffe.Expr | str) -> str:
    """The dotted path that an expression means; its text if griffe cannot resolve it."""
    if isinstance(expression, griffe.Expr):
        return expression.canonical_path
    return expression


def class_of_attribute(attribute: PythonObject) -> griffe.Class | None:
    """The class of an attribute's value, if it is defined in one of the packages.

    For the descriptor `conversations = Resource["Conversations"](…)` it is the class in brackets.
    Without brackets, `Resource(Conversations)`, it is the argument. For another call, `X(…)`, it is
    the class that is called; otherwise it is the annotation.
    """
    if not isinstance(attribute, griffe.Attribute):
        return None
    modules = attribute.modules_collection
    if isinstance(attribute.value, griffe.ExprCall):
        called_class = local_class(attribute.value, modules)
        if called_class is not None and "__get__" in called_class.members:
            if isinstance(attribute.value.function, griffe.ExprSubscript):
                return class_in_brackets(attribute, attribute.value.function)
            return local_class(attribute.value.arguments[0], modules)
        if called_class is not None:
            return called_class
    return local_class(attribute.annotation, modules)


def class_in_brackets(
    attribute: griffe.Attribute, expression: griffe.ExprSubscript
) -> griffe.Class | None:
    """The class in `X["Class"]`. It can be a text, if it is not imported at the start."""
    name = str(expression.slice).strip("'\"")
    return class_at(attribute.resolve(name), attribute.modules_collection)


def local_class(expression: Expression, modules: griffe.ModulesCollection) -> griffe.Class | None:
    """The class that an expression names, if it is defined in one of the packages."""
    if not isinstance(expression, griffe.Expr):
        return None
    return class_at(expression.canonical_path, modules)


def class_at(path: str, modules: griffe.ModulesCollection) -> griffe.Class | None:
    """The class at a path, if it is defined in one of the packages."""
    if path.partition(".")[0] not in PACKAGES:
        return None
    try:
        target = resolve(modules[path])
    except KeyError:
        return None
    return target if isinstance(target, griffe.Class) else None


def resolve(python_object: PythonObject) -> PythonObject:
    """The definition behind an alias; the alias itself if it leads out of the packages."""
    if not isinstance(python_object, griffe.Alias):
        return python_object
    try:
        return python_object.final_target
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        return python_object


def has_generated_constructor(class_: griffe.Class) -> bool:
    """Whether attrs or `NamedTuple` writes the constructor of a class."""
    if "__init__" in class_.members:
        return False
    external_bases = {base.path for base in base_classes(class_) if not base.is_local}
    decorators = {
        decorator.value.canonical_path
        for decorator in class_.decorators
        if isinstance(decorator.value, griffe.Expr)
    }
    return not CONSTRUCTOR_GENERATORS.isdisjoint(external_bases | decorators)


def generated_constructor(class_: griffe.Class) -> griffe.Function:
    """The constructor that attrs or `NamedTuple` generates from the annotated attributes."""
    keyword_only = any("kw_only=True" in str(item.value) for item in class_.decorators)
    parameters = [griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)]
    for name, member in class_.all_members.items():
        attribute = resolve(member)
        if isinstance(attribute, griffe.Attribute) and is_constructor_argument(attribute):
            parameters.append(constructor_parameter(name, attribute, keyword_only))
    return griffe.Function(
        "__init__", parameters=griffe.Parameters(*parameters), returns="None", parent=class_
    )


def is_constructor_argument(attribute: griffe.Attribute) -> bool:
    """Whether an attribute of a class is a parameter of its generated constructor."""
    if not attribute.annotation:
        return False
    if "property" in attribute.labels:
        return False
    return not (is_field(attribute.value) and "init=False" in str(attribute.value))


def constructor_parameter(
    name: str, attribute: griffe.Attribute, keyword_only: bool
) -> griffe.Parameter:
    """The parameter of a generated constructor that sets an attribute."""
    value = str(attribute.value)
    default = attribute.value
    if is_field(default) and "default=" not in value and "factory=" not in value:
        default = None
    kind = griffe.ParameterKind.positional_or_keyword
    if keyword_only or "kw_only=True" in value:
        kind = griffe.ParameterKind.keyword_only
    # attrs removes leading underscores: the attribute `_path` is set by the parameter `path`.
    return griffe.Parameter(
        name.lstrip("_"), annotation=attribute.annotation, kind=kind, default=default
    )


def is_field(value: Expression) -> bool:
    """Whether an attribute's value is a call of `attrs.field`."""
    return isinstance(value, griffe.ExprCall) and value.canonical_path in FIELD_FUNCTIONS
