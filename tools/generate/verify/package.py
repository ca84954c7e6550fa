"""Imports the generated package and compares its methods with the spec."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..document import Document, SpecError, json_pointer
from ..operations import OperationView, Resource

_IMPORT_SCRIPT = Path(__file__).with_name("import_output.py")


def verify_package(document: Document, package: Path, resources: Sequence[Resource]) -> None:
    """Import every generated module and compare the resource methods with the spec.

    Raises:
        SpecError: a module cannot be imported, a name is ambiguous, or a method is incomplete.
    """
    methods = _imported_methods(document, package)
    _verify_names(document, package)
    for resource in resources:
        for operation in resource.operations:
            for class_name in (resource.class_name, f"Async{resource.class_name}"):
                parameters = methods.get(f"{resource.tag}.{class_name}.{operation.name}")
                if parameters != _expected_parameters(operation):
                    raise document.error(
                        operation.pointer,
                        f"the generated method {class_name}.{operation.name} is incomplete",
                    )


def _imported_methods(document: Document, package: Path) -> dict[str, list[str]]:
    """The parameters of every resource method, by `tag.Class.method`."""
    # Its own process: the package may have the name of one that is imported here. `-I` ignores
    # the environment, and `-B` writes no cache into the package.
    result = subprocess.run(
        [sys.executable, "-B", "-I", str(_IMPORT_SCRIPT), str(package.parent), package.name],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        # The last line of a traceback names the error.
        error_output = result.stderr.strip()
        lines = error_output.splitlines()
        reason = lines[-1] if lines else f"exit status {result.returncode}"
        raise SpecError(f"{document.path}: the generated code cannot be imported: {reason}")
    methods: dict[str, list[str]] = json.loads(result.stdout)
    return methods


def _expected_parameters(operation: OperationView) -> list[str]:
    arguments = [*operation.positional, *operation.keyword]
    return ["self", *(argument.python_name for argument in arguments)]


def _verify_names(document: Document, package: Path) -> None:
    """Raise `SpecError` for a module that uses one name for two things."""
    for file in sorted(package.rglob("*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        meanings: dict[str, str] = {}
        for name, meaning in _bound_names(module.body):
            # For example, a model that has the name of a class that the module imports.
            if meanings.setdefault(name, meaning) != meaning:
                raise document.error(
                    json_pointer("components", "schemas", name),
                    f"{name!r} has two meanings in the generated {file.relative_to(package)}; "
                    "rename it",
                )


def _bound_names(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The names that a module binds, each with a text that identifies its meaning."""
    for statement in statements:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, f"line {statement.lineno}"
            case ast.Import():
                for alias in statement.names:
                    yield alias.asname or alias.name, alias.name
            case ast.ImportFrom():
                module = "." * statement.level + (statement.module or "")
                for alias in statement.names:
                    yield alias.asname or alias.name, f"{module} {alias.name}"
            case ast.If():
                # `if TYPE_CHECKING` is the only condition in generated modules.
                yield from _bound_names(statement.body)
            case _:
                pass
