"""Compares what came out of the generator with the spec, so that nothing is dropped silently."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.strings import in_double_quote_literal

from .document import Document, SpecError, is_mapping, list_at, mapping_at, pointer
from .operations import OperationView, Resource


def check_schemas(document: Document, data: GeneratorData, resources: Sequence[Resource]) -> None:
    """Raise `SpecError` where a body or an answer lost a field, a value or its type in the generator."""
    models = {str(model.class_info.name): model for model in data.models}
    checker = _SchemaCheck(document, models)
    for resource in resources:
        for operation in resource.operations:
            _check_bodies(document, operation, checker)
            for answer in operation.answers:
                node, place = document.at(answer.place)
                contents = mapping_at(node, "content")
                if len(contents) > 1:
                    raise document.error(
                        f"{place}/content",
                        f"of {', '.join(contents)} the generator would drop all but one",
                    )
                for content, media in contents.items():
                    if "schema" in media and answer.content == "json" and "json" in content:
                        checker.compare(
                            media["schema"],
                            f"{place}/content{pointer(content)}/schema",
                            answer.response.prop,
                        )


def _check_bodies(document: Document, operation: OperationView, checker: _SchemaCheck) -> None:
    place = f"{operation.place}/requestBody"
    node = document.at(operation.place)[0].get("requestBody")
    if node is None:
        return
    node, place = document.resolve(node, place)
    made = {body.content_type.get_untrusted_value(): body for body in operation.endpoint.bodies}
    if len(made) > 1 and node.get("required"):
        raise document.error(
            place,
            f"{len(made)} required body types ({', '.join(made)}): the generated code for them cannot be imported",
        )
    for content, media in mapping_at(node, "content").items():
        if content not in made:
            raise document.error(
                f"{place}/content{pointer(content)}", "the generator dropped this request body"
            )
        checker.compare(
            media.get("schema"), f"{place}/content{pointer(content)}/schema", made[content].prop
        )


class _SchemaCheck:
    """Walks a schema of the spec and the generator's property side by side."""

    def __init__(self, document: Document, models: dict[str, ModelProperty]) -> None:
        self.document = document
        self.models = models
        self.seen: set[str] = set()

    def compare(self, schema: Any, place: str, prop: PropertyProtocol) -> None:
        """Raise `SpecError` for the first thing that the spec has and the property has not."""
        schema, place = self.document.resolve(schema, place)
        if not is_mapping(schema) or place in self.seen:
            return
        self.seen.add(place)
        if isinstance(prop, EnumProperty):
            self._compare_enum(schema, place, prop)
        elif isinstance(prop, ListProperty):
            self.compare(schema.get("items"), f"{place}/items", prop.inner_property)
        elif isinstance(prop, ModelProperty):
            self._compare_model(schema, place, self.models[str(prop.class_info.name)])
        elif isinstance(prop, UnionProperty):
            branches = [*list_at(schema, "anyOf"), *list_at(schema, "oneOf")]
            if len(branches) == len(prop.inner_properties):
                key = "anyOf" if schema.get("anyOf") else "oneOf"
                for index, (branch, inner) in enumerate(
                    zip(branches, prop.inner_properties, strict=True)
                ):
                    self.compare(branch, f"{place}/{key}/{index}", inner)
        elif schema.get("properties"):
            raise self.document.error(place, "the generator dropped the properties of this object")

    def _compare_enum(self, schema: dict[str, Any], place: str, prop: EnumProperty) -> None:
        wanted = [value for value in list_at(schema, "enum") if value is not None]
        made = set(prop.values.values())
        for index, value in enumerate(wanted):
            if isinstance(value, str) and not _is_written_whole(value):
                raise self.document.error(
                    f"{place}/enum/{index}", "the generator drops a control character of this value"
                )
            if (in_double_quote_literal(value) if isinstance(value, str) else value) not in made:
                raise self.document.error(
                    f"{place}/enum/{index}",
                    f"the generator dropped the value {value!r}: its Python name is that of another value; "
                    "name them with x-enum-varnames",
                )

    def _compare_model(self, schema: dict[str, Any], place: str, model: ModelProperty) -> None:
        made = {
            prop.name.get_untrusted_value(): prop
            for prop in [*(model.required_properties or []), *(model.optional_properties or [])]
        }
        for name, (child, where, required) in self.document.properties(schema, place).items():
            if name not in made or not _is_written_whole(name):
                raise self.document.error(
                    where, f"the generator dropped the property {name!r}, or a character of it"
                )
            if made[name].required != required:
                raise self.document.error(
                    where, f"the generator does not know whether {name!r} is required"
                )
            self.compare(child, where, made[name])


def _check_names(document: Document, package: Path) -> None:
    """Raise `SpecError` for a module in which one name stands for two things: code would get the wrong one."""
    for file in sorted(package.rglob("*.py")):
        seen: dict[str, str] = {}
        for name, meaning in _bound(ast.parse(file.read_text(encoding="utf-8")).body):
            if seen.setdefault(name, meaning) != meaning:
                raise document.error(
                    pointer("components", "schemas", name),
                    f"{name!r} stands for two things in the generated {file.relative_to(package)}; rename it",
                )


def _bound(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The names that a module binds and what each stands for, those under `if TYPE_CHECKING` included."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, f"line {statement.lineno}"
        elif isinstance(statement, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            origin = f"{'.' * statement.level}{statement.module or ''}"
            yield from (
                (alias.asname or alias.name, f"{origin} {alias.name}") for alias in statement.names
            )
        elif isinstance(statement, ast.If):
            yield from _bound(statement.body)


def _is_written_whole(text: str) -> bool:
    """Whether a text is the same once the generator has written it as a literal: it leaves some characters out."""
    return bool(json.loads(f'"{in_double_quote_literal(text)}"') == text)


def check_import(document: Document, package: Path, resources: Sequence[Resource]) -> None:
    """Import every generated module in a process of its own and compare the resource methods with the spec.

    Raises:
        SpecError: a module cannot be imported, or a method or argument is missing.
    """
    script = Path(__file__).with_name("import_output.py")
    result = subprocess.run(
        [sys.executable, "-B", "-I", str(script), str(package.parent), package.name],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = (
            result.stderr.strip().splitlines()[-1]
            if result.stderr.strip()
            else f"exit status {result.returncode}"
        )
        raise SpecError(f"{document.path}: the generated code cannot be imported: {reason}")
    _check_names(document, package)
    made = json.loads(result.stdout)
    for resource in resources:
        for operation in resource.operations:
            wanted = [
                "self",
                *(argument.python_name for argument in [*operation.positional, *operation.keyword]),
            ]
            for class_name in (resource.class_name, f"Async{resource.class_name}"):
                if made.get(f"{resource.tag}.{class_name}.{operation.name}") != wanted:
                    raise document.error(
                        operation.place,
                        f"the generated method {class_name}.{operation.name} is not whole",
                    )
