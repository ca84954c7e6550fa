"""Reads the methods and models of a generated client: its contract and its source code.

The code is parsed and not imported, so that this works without the client's dependencies.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ABSENT = "Unset"
"""The type of an omitted argument or field. The index says once that each can be omitted."""


class ClientError(Exception):
    """The generated client cannot be read. The message has one line."""


@dataclass(frozen=True)
class Field:
    """A field of a model, or an argument of a method."""

    name: str
    type: str
    """As written in the generated code, without `Unset`."""


@dataclass(frozen=True)
class Model:
    """A class of `leadconnector.models`."""

    name: str
    fields: list[Field]
    values: list[str]
    """The documented values of an enum, as Python literals; empty for any other class."""


@dataclass(frozen=True)
class Method:
    """A method of a resource."""

    name: str
    operation: Mapping[str, Any]
    """The operation in the contract."""
    arguments: list[Field]
    """In the order of the signature."""
    returns: str
    """As written in the generated code."""
    iteration: str
    """The name of the method that iterates over the items of all pages; empty without one."""


@dataclass(frozen=True)
class Resource:
    """A group of methods: an attribute of a client."""

    name: str
    class_name: str
    methods: list[Method]


@dataclass(frozen=True)
class Client:
    """A generated client."""

    title: str
    api_version: str
    resources: list[Resource]
    models: list[Model]


def read_client(generated: Path) -> Client:
    """Read a generated client.

    Args:
        generated: the folder of its package.

    Raises:
        ClientError: a file is missing or has another form.
    """
    try:
        contract = json.loads((generated / "contract.json").read_text(encoding="utf-8"))
        return Client(
            title=contract["title"],
            api_version=contract["api_version"],
            resources=_read_resources(generated, contract["operations"].values()),
            models=_read_models(generated / "models"),
        )
    except (OSError, ValueError, LookupError, SyntaxError) as error:
        raise ClientError(
            f"{generated} is not a generated client ({type(error).__name__}: {error}); "
            "run `make generate`"
        ) from error


def _read_resources(generated: Path, operations: Any) -> list[Resource]:
    operations_by_resource: dict[str, dict[str, Mapping[str, Any]]] = {}
    for operation in operations:
        resource_name, method_name = operation["python"].split(".")
        operations_by_resource.setdefault(resource_name, {})[method_name] = operation
    return [
        _read_resource(generated, name, operations_by_method)
        for name, operations_by_method in operations_by_resource.items()
    ]


def _read_resource(
    generated: Path, name: str, operations_by_method: Mapping[str, Mapping[str, Any]]
) -> Resource:
    # The class for `LeadConnector`. The one for `AsyncLeadConnector` has the same methods.
    for definition in _classes_in(generated / "api" / name / "__init__.py"):
        functions = {
            node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)
        }
        if operations_by_method.keys() <= functions.keys():
            methods = [
                _read_method(functions[method_name], operation)
                for method_name, operation in operations_by_method.items()
            ]
            return Resource(name, definition.name, methods)
    raise LookupError(f"no class in api/{name} has the methods {', '.join(operations_by_method)}")


def _read_method(function: ast.FunctionDef, operation: Mapping[str, Any]) -> Method:
    parameters = [*function.args.args[1:], *function.args.kwonlyargs]
    # Every method also has `options`, which is no argument of the operation.
    names = {argument["argument"] for argument in operation["arguments"]}
    arguments = [
        Field(parameter.arg, _type_text(parameter.annotation))
        for parameter in parameters
        if parameter.arg in names
    ]
    _, _, iteration = operation.get("python_iteration", "").partition(".")
    return Method(function.name, operation, arguments, _type_text(function.returns), iteration)


def _read_models(folder: Path) -> list[Model]:
    """The public models, in the order of their names."""
    public_names = _exported_names(folder / "__init__.py")
    models = [
        _read_model(definition)
        for file in sorted(folder.glob("*.py"))
        for definition in _classes_in(file)
        if definition.name in public_names
    ]
    return sorted(models, key=_model_name)


def _model_name(model: Model) -> str:
    return model.name


def _read_model(definition: ast.ClassDef) -> Model:
    fields = [
        Field(node.target.id, _type_text(node.annotation))
        for node in definition.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    values = [ast.unparse(node.value) for node in definition.body if isinstance(node, ast.Assign)]
    return Model(definition.name, fields, values)


def _exported_names(file: Path) -> set[str]:
    """The names in `__all__` of a module."""
    for node in _parse(file).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    raise LookupError(f"{file.name} has no __all__")


def _classes_in(file: Path) -> list[ast.ClassDef]:
    return [node for node in _parse(file).body if isinstance(node, ast.ClassDef)]


def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def _type_text(annotation: ast.expr | None) -> str:
    """A type as it is written, without `Unset`, which nearly every type contains."""
    if annotation is None:
        return "None"
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        # A type that is only imported for type checkers is quoted.
        return _type_text(ast.parse(annotation.value, mode="eval").body)
    branches = [ast.unparse(branch) for branch in _union_branches(annotation)]
    present_branches = [branch.strip("'\"") for branch in branches if branch != ABSENT]
    return " | ".join(present_branches)


def _union_branches(annotation: ast.expr) -> list[ast.expr]:
    """The types that `|` combines, or the type itself."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return [*_union_branches(annotation.left), *_union_branches(annotation.right)]
    return [annotation]
