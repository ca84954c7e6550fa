"""Writes `contract.json`: what code needs of the spec while it runs, without the spec, YAML or the generator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from .document import Document, Schema, is_mapping, list_at, mapping_at, pointer
from .operations import OperationView, Resource

FILE_NAME = "contract.json"

_DROPPED = frozenset({"description", "example", "examples", "title", "externalDocs", "xml", "x-enum-varnames"})
_PREFIX = "#/components/schemas/"


class _Schemas:
    """Collects the schemas that are used, references between them kept as `#/schemas/NAME`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: dict[str, Schema] = {}

    def take(self, node: Any, place: str) -> Any:
        """A schema without what only people read."""
        if not is_mapping(node):
            return node
        if isinstance(reference := node.get("$ref"), str):
            if reference.startswith(_PREFIX) and "/" not in reference.removeprefix(_PREFIX):
                name = reference.removeprefix(_PREFIX)
                if name not in self.found:
                    self.found[name] = {}
                    self.found[name] = self.take(*self.document.resolve(node, place))
                return {"$ref": f"#/schemas/{name}"}
            return self.take(*self.document.resolve(node, place))
        taken: Schema = {}
        for key, value in node.items():
            where = place + pointer(key)
            if key in _DROPPED:
                continue
            if key in {"properties", "patternProperties"}:
                taken[key] = {name: self.take(child, where + pointer(name)) for name, child in value.items()}
            elif key in {"allOf", "anyOf", "oneOf", "prefixItems"}:
                taken[key] = [self.take(child, f"{where}/{index}") for index, child in enumerate(value)]
            elif key in {"items", "additionalProperties", "not", "contains", "propertyNames"}:
                taken[key] = self.take(value, where)
            elif key == "const":
                taken["enum"] = [value]
            else:
                taken[key] = value
        return taken


def contract(
    document: Document, spec: bytes, resources: Sequence[Resource], versions: dict[str, str]
) -> dict[str, Any]:
    """The contract of a spec: its operations with their arguments and answers, and the schemas that they use."""
    schemas = _Schemas(document)
    operations = {
        operation.operation_id: _operation(operation, document, schemas)
        for resource in resources
        for operation in resource.operations
    }
    info = mapping_at(document.root, "info")
    servers = list_at(document.root, "servers") or [{}]
    return {
        "title": info.get("title"),
        "api_version": str(info.get("version")),
        "server": servers[0].get("url"),
        "spec_sha256": hashlib.sha256(spec).hexdigest(),
        "generated_with": versions,
        "error_messages": sorted(_message_properties(document, resources)),
        "operations": operations,
        "schemas": dict(sorted(schemas.found.items())),
    }


def render(data: dict[str, Any]) -> str:
    """The contract as it is committed: stable, and readable in a diff."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _operation(operation: OperationView, document: Document, schemas: _Schemas) -> dict[str, Any]:
    arguments: list[dict[str, Any]] = []
    for argument in operation.arguments:
        node, place = document.at(argument.place)
        schema, where = node, place
        if argument.location != "body":
            schema, where = document.resolve(node.get("schema"), f"{place}/schema")
        if argument.location == "body" and not argument.name:
            schema, where = {}, place
            if operation.body_content_type and "json" in operation.body_content_type and len(node["content"]) == 1:
                schema = node["content"][operation.body_content_type].get("schema", {})
                where = f"{place}/content{pointer(operation.body_content_type)}/schema"
        entry: dict[str, Any] = {
            "argument": argument.python_name,
            "name": argument.name,
            "in": argument.location,
            "required": argument.required,
            "schema": schemas.take(schema, where),
        }
        if argument.default is not None:
            entry["default"] = argument.default
        if argument.role is not None:
            entry["role"] = argument.role
        arguments.append(entry)
    answers: dict[str, dict[str, Any]] = {}
    for answer in operation.answers:
        node, place = document.at(answer.place)
        entry = {"content": answer.content}
        if answer.content == "json":
            name, media = next((name, media) for name, media in node["content"].items() if "json" in name)
            entry["schema"] = schemas.take(media["schema"], f"{place}/content{pointer(name)}/schema")
        answers[answer.status] = entry
    return {
        "method": operation.method,
        "path": operation.path,
        "python": f"{operation.tag}.{operation.name}",
        "arguments": arguments,
        "responses": answers,
    }


def _message_properties(document: Document, resources: Sequence[Resource]) -> set[str]:
    """The names of the properties that the spec marks as an error's messages."""
    names: set[str] = set()
    for resource in resources:
        for operation in resource.operations:
            for answer in operation.answers:
                node, place = document.at(answer.place)
                for content, media in mapping_at(node, "content").items():
                    properties = document.properties(media.get("schema"), f"{place}/content{pointer(content)}/schema")
                    for name, (schema, where, _) in properties.items():
                        if document.resolve(schema, where)[0].get("x-role") == "error-messages":
                            names.add(name)
    return names
