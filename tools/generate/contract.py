"""Writes `contract.json`, what the client needs of the spec at run time, and `spec.json`.

With the contract the client needs neither the spec nor YAML nor the generator. `spec.json` is the
whole spec. The client does not read it: a report of an upgrade compares two copies by it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from leadconnector_emulator.roles import ROLE_KEYWORD, message_names

from .contract_schemas import ContractSchemas
from .document import Document, Node, SpecError
from .generator_api import model_name
from .media_types import JSON, essence, is_form, is_json
from .operations import Argument, Location, OperationView, Resource, ResponseView
from .servers import default_base_url
from .text_rules import with_text_rules
from .webhooks import Webhook

FILE_NAME = "contract.json"

SPEC_FILE_NAME = "spec.json"

_MEDIA_RANGE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+|[a-z0-9!#$&^_.+-]+/\*|\*/\*")
"""RFC 6838, section 4.2, and RFC 9110, section 12.5.1. Another name would be no valid header."""

_QUALITY_OF_ERRORS = 0.9
"""Below that of successes (1), so that a server does not choose the type of an error for them."""


def write_contract(
    document: Document,
    spec: bytes,
    resources: Sequence[Resource],
    webhooks: Sequence[Webhook],
    output: Path,
) -> None:
    """Write the contract and the spec beside the generated code.

    Args:
        document: the spec.
        spec: the bytes of its file, for the hash.
        resources: the operations of the spec.
        webhooks: its webhooks.
        output: the folder of the generated package.

    Raises:
        SpecError: a number in the spec is not finite, so that JSON cannot contain it.
    """
    # Another version of these may write other code for the same spec.
    versions = {name: version(name) for name in ("openapi-python-client", "ruff")}
    contract = build_contract(document, spec, resources, webhooks, versions)
    try:
        contract_text = render(contract)
        spec_text = render(document.root)
    except ValueError as error:
        raise SpecError(f"{document.path}: a number in it is not finite: {error}") from error
    (output / FILE_NAME).write_text(contract_text, encoding="utf-8")
    (output / SPEC_FILE_NAME).write_text(spec_text, encoding="utf-8")


def build_contract(
    document: Document,
    spec: bytes,
    resources: Sequence[Resource],
    webhooks: Sequence[Webhook],
    versions: dict[str, str],
) -> dict[str, Any]:
    """The contract: operations with arguments and responses, webhooks, and the schemas they use."""
    schemas = ContractSchemas(document)
    operations: dict[str, Any] = {}
    for operation in _operations(resources):
        operations[operation.operation_id] = _operation_entry(document, operation, schemas)
    events = {webhook.event_type: _webhook_entry(webhook, schemas) for webhook in webhooks}
    info = document.top.child("info")
    message_properties = _message_properties(document, resources)
    spec_hash = hashlib.sha256(spec)
    return {
        "title": info.get("title"),
        "api_version": str(info.get("version")),
        "server": default_base_url(document),
        "version_header": _version_header(resources),
        "spec_sha256": spec_hash.hexdigest(),
        "generated_with": versions,
        "error_messages": sorted(message_properties),
        "webhooks": events,
        "operations": operations,
        "schemas": dict(sorted(schemas.by_name.items())),
    }


def render(content: Mapping[str, Any]) -> str:
    """The content of a file as JSON text: stable, and readable in a diff."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def _operations(resources: Sequence[Resource]) -> Iterator[OperationView]:
    for resource in resources:
        yield from resource.operations


def _operation_entry(
    document: Document, operation: OperationView, schemas: ContractSchemas
) -> dict[str, Any]:
    arguments = [
        _argument_entry(document, operation, argument, schemas) for argument in operation.arguments
    ]
    responses = {
        response.status: _response_entry(document, response, schemas)
        for response in operation.responses
    }
    entry: dict[str, Any] = {
        "id": operation.operation_id,
        "pointer": operation.pointer,
        "name": f"{operation.method} {operation.path}",
        "method": operation.method,
        "path": operation.path,
        "python": f"{operation.tag}.{operation.name}",
        "body": operation.body_content_type,
        "arguments": arguments,
        "responses": responses,
    }
    if not operation.sends_token:
        entry["sends_token"] = False
    accepted_types = accepted_media_types(document, operation)
    if accepted_types != JSON:
        entry["accept"] = accepted_types
    if operation.iteration is not None:
        entry["python_iteration"] = f"{operation.tag}.{operation.iteration.name}"
    return entry


def accepted_media_types(document: Document, operation: OperationView) -> str:
    """The header `Accept` for the documented responses of an operation.

    Successes precede errors, and JSON precedes other types. Servers that have several types for one
    status take the quality into account, or else the order (RFC 9110, section 12.5.1).
    """
    successes: list[str] = []
    errors: list[str] = []
    for response in operation.responses:
        if response.content != "none":
            content = document.at(response.pointer).child("content")
            media_types = successes if response.success else errors
            names = [essence(name) for name in content.mapping]
            media_types.extend(name for name in names if _MEDIA_RANGE.fullmatch(name))
    if not successes:
        return ", ".join(_json_first(errors)) or JSON
    error_types = [name for name in _json_first(errors) if name not in successes]
    ranked_types = [f"{name};q={_QUALITY_OF_ERRORS}" for name in error_types]
    return ", ".join([*_json_first(successes), *ranked_types])


def _json_first(media_types: Sequence[str]) -> list[str]:
    unique_types = dict.fromkeys(media_types)
    return sorted(unique_types, key=lambda name: (name != JSON, not is_json(name)))


def _version_header(resources: Sequence[Resource]) -> dict[str, str] | None:
    """The header with the API version and its most frequent default; `None` without such a header.

    Requests that the spec does not describe have it too.
    """
    headers: Counter[tuple[str, str]] = Counter()
    for operation in _operations(resources):
        for argument in operation.arguments:
            if argument.role == "api-version" and argument.default is not None:
                headers[argument.name, argument.default] += 1
    if not headers:
        return None
    ((name, default), _), *_ = headers.most_common(1)
    return {"name": name, "default": default}


def _argument_entry(
    document: Document, operation: OperationView, argument: Argument, schemas: ContractSchemas
) -> dict[str, Any]:
    source = _schema_of(document, operation, argument)
    schema = schemas.reduce(source)
    entry: dict[str, Any] = {
        "argument": argument.python_name,
        "name": argument.name,
        "in": argument.location,
        "required": argument.required,
        "schema": with_text_rules(argument, schema, schemas),
    }
    if argument.default is not None:
        entry["default"] = argument.default
    if argument.role is not None:
        entry["role"] = argument.role
    return entry


def _schema_of(document: Document, operation: OperationView, argument: Argument) -> Node:
    """The schema of an argument. Its value is `None` for a text, a file, or several types."""
    node = document.at(argument.pointer)
    if argument.is_body_property:
        # Its pointer leads to the schema itself.
        return node
    if argument.location is Location.ADDITIONAL:
        value = {"type": "object", "additionalProperties": node.get("additionalProperties")}
        return Node(value, node.pointer)
    if not argument.is_whole_body:
        return document.resolve(node.child("schema"))
    content = node.child("content")
    content_type = operation.body_content_type or ""
    has_schema = is_json(content_type) or is_form(content_type)
    if not has_schema or len(content.mapping) != 1:
        return Node(None, node.pointer)
    media_type = content.child(content_type)
    return Node(media_type.get("schema", {}), media_type.child("schema").pointer)


def _response_entry(
    document: Document, response: ResponseView, schemas: ContractSchemas
) -> dict[str, Any]:
    node = document.at(response.pointer)
    content = node.child("content")
    documents_body = response.content != "none"
    entry: dict[str, Any] = {
        "content": response.content,
        "pointer": node.pointer,
        "media_types": [essence(name) for name in content.mapping if documents_body],
    }
    if response.content == "json":
        # `reading` leaves one content type.
        media_type = next(name for name in content.mapping if "json" in name)
        schema = content.child(media_type, "schema")
        entry["schema_pointer"] = schema.pointer
        entry["schema"] = schemas.reduce(schema)
    return entry


def _webhook_entry(webhook: Webhook, schemas: ContractSchemas) -> dict[str, Any]:
    return {
        "model": model_name(webhook.model),
        "schema_pointer": webhook.body.pointer,
        "schema": schemas.reduce(webhook.body),
    }


def _message_properties(document: Document, resources: Sequence[Resource]) -> set[str]:
    """The names of the properties in which errors explain themselves."""
    names: set[str] = set()
    for operation in _operations(resources):
        for response in operation.responses:
            if not response.success:
                for schema in _response_schemas(document, response):
                    names.update(message_names(property_roles(document, schema)))
    return names


def property_roles(document: Document, schema: Node) -> dict[str, str | None]:
    """The value of `x-role` of each property of an object by its name."""
    properties = document.properties(schema)
    return {
        name: document.resolve(child.schema).get(ROLE_KEYWORD) for name, child in properties.items()
    }


def _response_schemas(document: Document, response: ResponseView) -> Iterator[Node]:
    node = document.at(response.pointer)
    for _, media_type in node.child("content").entries():
        yield media_type.child("schema")
