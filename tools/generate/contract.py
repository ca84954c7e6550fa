"""Writes `contract.json`: what code needs of the spec while it runs, without the spec, YAML or the generator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from .document import Document, Schema, is_mapping, list_at, mapping_at, pointer
from .operations import Argument, OperationView, Resource

FILE_NAME = "contract.json"

MAXIMUM_PATH_LENGTH = 512
"""Characters of one path parameter: far above any id, far below what servers allow of a URL."""

_PRINTABLE = "[!-~]([ -~]*[!-~])?"
_TEXTS = {
    "path": (
        rf"(?!\.\.?\Z)[^\x00-\x1f\x7f-\x9f]{{1,{MAXIMUM_PATH_LENGTH}}}",
        f"1 to {MAXIMUM_PATH_LENGTH} characters, no control characters, and not '.' or '..' (the URL would be another)",
    ),
    "header": (_PRINTABLE, "printable ASCII, not blank, and without blanks around it"),
    "cookie": (
        rf"(?![^;,\" ]*[;,\" ]){_PRINTABLE}",
        "printable ASCII, not blank, without what separates cookies",
    ),
}
"""What a text must match as a whole to stand where it is sent, or the request would be another; and that in words."""

_DROPPED = frozenset({"description", "example", "examples", "title", "externalDocs", "xml"})
_PREFIX = "/components/schemas/"


class _Schemas:
    """Collects the schemas that are used, references between them kept as `#/schemas/NAME`.

    The name of one that stands elsewhere than among the components is its JSON pointer.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: dict[str, Schema] = {}

    def take(self, node: Any, place: str) -> Any:
        """A schema without what only people read."""
        if not is_mapping(node):
            return node
        if isinstance(node.get("$ref"), str):
            target, where = self.document.resolve(node, place)
            name = where.removeprefix(_PREFIX) if "/" not in where.removeprefix(_PREFIX) else where
            if name not in self.found:
                self.found[name] = {}
                self.found[name] = self.take(target, where)
            return {"$ref": f"#/schemas/{name}"}
        if "allOf" in node:
            return self._merged(node, place)
        taken: Schema = {}
        for key, value in node.items():
            where = place + pointer(key)
            if key in _DROPPED or (key.startswith("x-") and key != "x-role"):
                continue
            if key == "properties":
                taken[key] = {
                    name: self.take(child, where + pointer(name)) for name, child in value.items()
                }
            elif key in {"anyOf", "oneOf"}:
                taken[key] = [
                    self.take(child, f"{where}/{index}") for index, child in enumerate(value)
                ]
            elif key in {"items", "additionalProperties"}:
                taken[key] = self.take(value, where)
            elif key == "const":
                taken["enum"] = [value]
            else:
                taken[key] = value
        return taken

    def _merged(self, node: Schema, place: str) -> Any:
        """An `allOf` as one schema: the only branch, or an object with the properties of all; each keeps its place."""
        if len(node["allOf"]) == 1 and node.keys().isdisjoint({"type", "properties", "required"}):
            return self.take({"$ref": f"#{place}/allOf/0"}, place)
        properties = self.document.properties(node, place)
        taken: Schema = {"type": "object"}
        if required := [name for name, (_, _, is_required) in properties.items() if is_required]:
            taken["required"] = required
        taken["properties"] = {
            name: self.take({"$ref": f"#{where}"}, where)
            for name, (_, where, _) in properties.items()
        }
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
            schema, where = None, place
            if (
                operation.body_content_type
                and "json" in operation.body_content_type
                and len(node["content"]) == 1
            ):
                schema = node["content"][operation.body_content_type].get("schema", {})
                where = f"{place}/content{pointer(operation.body_content_type)}/schema"
        entry: dict[str, Any] = {
            "argument": argument.python_name,
            "name": argument.name,
            "in": argument.location,
            "required": argument.required,
            "schema": _sent(argument, schemas.take(schema, where), schemas),
        }
        if argument.default is not None:
            entry["default"] = argument.default
        if argument.role is not None:
            entry["role"] = argument.role
        arguments.append(entry)
    answers: dict[str, dict[str, Any]] = {}
    for answer in operation.answers:
        node, place = document.at(answer.place)
        content = mapping_at(node, "content")
        entry = {
            "content": answer.content,
            "pointer": place,
            "media_types": [name.partition(";")[0].strip().lower() for name in content],
        }
        if answer.content == "json":
            name = next(name for name in content if "json" in name)
            entry["schema_pointer"] = f"{place}/content{pointer(name)}/schema"
            entry["schema"] = schemas.take(content[name]["schema"], entry["schema_pointer"])
        answers[answer.status] = entry
    return {
        "id": operation.operation_id,
        "pointer": operation.place,
        "name": f"{operation.method} {operation.path}",
        "method": operation.method,
        "path": operation.path,
        "python": f"{operation.tag}.{operation.name}",
        "arguments": arguments,
        "responses": answers,
    }


def _sent(argument: Argument, schema: Any, schemas: _Schemas) -> Any:
    """A schema with what is asked of a text to be sent as this argument; `None` for a body that is no JSON."""
    if argument.role == "api-version":
        schema = {"type": "string"}  # one that the spec does not know may be asked for
    text = _TEXTS.get(argument.location)
    if argument.location == "body" and argument.name and argument.required:
        text = (".+", "a text that is not empty")
    if text and schema and "$ref" in schema:  # beside which nothing is read
        schema = schemas.found[schema["$ref"].removeprefix("#/schemas/")]
    return (
        schema
        if text is None or schema is None
        else {**schema, "x-text": f"(?s){text[0]}", "x-expected": text[1]}
    )


def _message_properties(document: Document, resources: Sequence[Resource]) -> set[str]:
    """The names of the properties that the spec marks as an error's messages."""
    names: set[str] = set()
    for resource in resources:
        for operation in resource.operations:
            for answer in operation.answers:
                node, place = document.at(answer.place)
                for content, media in mapping_at(node, "content").items():
                    properties = document.properties(
                        media.get("schema"), f"{place}/content{pointer(content)}/schema"
                    )
                    for name, (schema, where, _) in properties.items():
                        if document.resolve(schema, where)[0].get("x-role") == "error-messages":
                            names.add(name)
    return names
