"""Checks that the generated package can be imported and has a method for every operation.

It also checks that no generated module gives one name two meanings.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

from ..document import Document, SpecError, json_pointer, raise_together
from ..generator_api import property_name
from ..operations import OperationView, Resource
from ..walk import all_schemas

_IMPORT_SCRIPT = Path(__file__).with_name("import_output.py")


def verify_package(document: Document, package: Path, resources: Sequence[Resource]) -> None:
    """Import every generated module and compare the resource methods with the spec.

    Raises:
        SpecError: a module cannot be imported, a name is ambiguous, or a method is incomplete.
    """
    # Both take seconds for a large API, so the import runs beside the search on a second core.
    with _importing(package) as process:
        # First, because such a name often causes an error of the import, which says less.
        raise_together(_find_ambiguous_names(document, package))
        output, errors = process.communicate()
    if process.returncode != 0:
        raise _import_error(document, process.returncode, errors)
    methods: dict[str, list[str]] = json.loads(output)
    raise_together(_find_incomplete_methods(document, resources, methods))


def _find_incomplete_methods(
    document: Document, resources: Sequence[Resource], methods: dict[str, list[str]]
) -> Iterator[SpecError]:
    for resource in resources:
        for operation in resource.operations:
            for name, expected_parameters in _expected_methods(resource, operation):
                if methods.get(f"{resource.tag}.{name}") != expected_parameters:
                    yield document.error(
                        operation.pointer,
                        f"the generated method {name} is incomplete: "
                        "it is missing, or it has other parameters than the operation",
                    )


@contextmanager
def _importing(package: Path) -> Generator[subprocess.Popen[str]]:
    """Start to import the package in another process, which ends with the context at the latest.

    The process prints the parameters of every resource method, by `tag.Class.method`.
    """
    # A separate process, because this one may have imported a package of the same name already.
    # `-I` keeps PYTHONPATH and this folder out of the import path. `-B` writes no cache files
    # into the package.
    process = subprocess.Popen(
        [sys.executable, "-B", "-I", str(_IMPORT_SCRIPT), str(package.parent), package.name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            # Has no effect on a process that has ended.
            process.kill()


def _import_error(document: Document, status: int, errors: str) -> SpecError:
    # The last line of a traceback usually names the error.
    lines = errors.strip().splitlines()
    reason = lines[-1] if lines else f"exit status {status}"
    return SpecError(f"{document.path}: the generated code cannot be imported: {reason}")


def _expected_methods(
    resource: Resource, operation: OperationView
) -> Iterator[tuple[str, list[str]]]:
    """The methods of an operation as `Class.method`, with the names of their parameters."""
    arguments = [*operation.positional, *operation.keyword]
    names = [argument.python_name for argument in arguments]
    for prefix in ("", "Async"):
        class_name = f"{prefix}{resource.class_name}"
        yield f"{class_name}.{operation.name}", ["self", *names, "options"]
        yield f"{class_name}WithRawResponse.{operation.name}", ["self", *names, "options"]
        iteration = operation.iteration
        if iteration is not None:
            arguments = [*iteration.positional, *iteration.keyword]
            names_of_iteration = [argument.python_name for argument in arguments]
            parameters = ["self", *names_of_iteration, "max_items", "options"]
            yield f"{class_name}.{iteration.name}", parameters


def _find_ambiguous_names(document: Document, package: Path) -> Iterator[SpecError]:
    """Yield an error for each name that a module binds to two things.

    For example, a model can have the name of a class that its module imports.
    """
    for file in sorted(package.rglob("*.py")):
        try:
            module = ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError:
            # The import reports it.
            continue
        origins: dict[str, str] = {}
        for name, origin in _bound_names(module.body):
            if origins.setdefault(name, origin) != origin:
                yield document.error(
                    # The name of a model is the name of its schema, unless the schema is inline.
                    json_pointer("components", "schemas", name),
                    f"{name!r} has two meanings in the generated {file.relative_to(package)}; "
                    "rename it",
                )
        for name in _hidden_names(module, origins.keys()):
            yield document.error(
                _property_pointer(document, name),
                f"the Python name {name!r} of a property would hide what the generated"
                f" {file.relative_to(package)} imports; leave the property out",
            )


def _property_pointer(document: Document, python_name: str) -> str:
    """The pointer of the first property with a Python name."""
    for schema in all_schemas(document):
        for name, child in schema.child("properties").entries():
            if python_name in {name, property_name(name)}:
                return child.pointer
    return "/components/schemas"


def _hidden_names(module: ast.Module, names: Set[str]) -> list[str]:
    """The names of a module that a class of it hides, although the class uses them.

    A property hides a name from the annotations and defaults of its class. A variable of a method
    hides it from the method; only the one of a property begins with an underscore.
    """
    hidden: set[str] = set()
    for statement in module.body:
        if not isinstance(statement, ast.ClassDef):
            continue
        fields = [child for child in statement.body if isinstance(child, ast.AnnAssign)]
        attributes = {field.target.id for field in fields if isinstance(field.target, ast.Name)}
        hidden |= attributes & _names(fields, ast.Load)
        methods = [child for child in statement.body if isinstance(child, ast.FunctionDef)]
        hidden |= _names(methods, ast.Store)
    return sorted(hidden & names)


def _names(statements: Sequence[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    """The names that statements read (`ast.Load`) or bind (`ast.Store`)."""
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def _bound_names(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The names that a module binds, each with a text for its origin."""
    for statement in statements:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, f"line {statement.lineno}"
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, f"line {statement.lineno}"
            case ast.Import():
                for alias in statement.names:
                    yield alias.asname or alias.name, alias.name
            case ast.ImportFrom():
                # As in the source: `from ..types import UNSET` has the module `..types`.
                module = "." * statement.level + (statement.module or "")
                for alias in statement.names:
                    yield alias.asname or alias.name, f"{module} {alias.name}"
            case ast.If():
                # `if TYPE_CHECKING` is the only condition in generated modules.
                yield from _bound_names(statement.body)
            case _:
                pass
