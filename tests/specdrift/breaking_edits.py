"""Edits of OpenAPI documents that break clients, each at a random place.

An edit returns the names of the operations that reach the place. It returns None, and changes
nothing, if the document has no such place.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from specdrift.model.document import is_mapping

from tests.specdrift.documents import Json
from tests.specdrift.schema_places import (
    IGNORED_HEADERS,
    SIMPLE_TYPES,
    Operation,
    Reachability,
    ReachedSchema,
    operations,
    resolved,
)

Edit: TypeAlias = Callable[[Json, random.Random], set[str] | None]


def _pick_operation(
    document: Json, choice: random.Random, condition: Callable[[Operation], bool]
) -> Operation | None:
    # The removal of a deprecated or unstable element can be announced, so it need not be an ERR.
    candidates = [
        operation
        for operation in operations(document)
        if not operation.node.keys() & {"deprecated", "x-stability-level"} and condition(operation)
    ]
    return choice.choice(candidates) if candidates else None


def _pick_schema(
    document: Json, direction: str, choice: random.Random, condition: Callable[[Json], bool]
) -> ReachedSchema | None:
    candidates = Reachability(document, direction).schemas(condition)
    return choice.choice(candidates) if candidates else None


def _always(_: Any) -> bool:
    return True


# Operations


def remove_operation(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _always)
    if operation is None:
        return None
    del operation.path_item[operation.method]
    return {operation.name}


def add_required_parameter(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _always)
    if operation is None:
        return None
    location = choice.choice(["query", "header", "cookie"])
    parameter = {"name": "x-new", "in": location, "required": True, "schema": {"type": "string"}}
    operation.node.setdefault("parameters", []).append(parameter)
    return {operation.name}


def _optional_parameters(operation: Operation) -> list[Json]:
    """Return the optional parameters of an operation that are written in place.

    OpenAPI 3.1, "Parameter Object": a path parameter is always required, and these three headers
    are ignored.
    """
    return [
        parameter
        for parameter in operation.node.get("parameters", [])
        if parameter.get("in") in {"query", "header"}
        and not parameter.get("required")
        and not parameter.get("deprecated")
        and parameter["name"].lower() not in IGNORED_HEADERS
    ]


def _has_optional_parameters(operation: Operation) -> bool:
    return bool(_optional_parameters(operation))


def make_parameter_required(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _has_optional_parameters)
    if operation is None:
        return None
    choice.choice(_optional_parameters(operation))["required"] = True
    return {operation.name}


def move_parameter(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _has_optional_parameters)
    if operation is None:
        return None
    # Required, because a client does not send it in the new place.
    parameter = choice.choice(_optional_parameters(operation))
    parameter["in"] = "cookie"
    parameter["required"] = True
    return {operation.name}


def _success_statuses(operation: Operation) -> list[Any]:
    return [status for status in operation.node["responses"] if str(status).startswith("2")]


def _has_success(operation: Operation) -> bool:
    return bool(_success_statuses(operation))


def remove_success_status(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _has_success)
    if operation is None:
        return None
    del operation.node["responses"][choice.choice(_success_statuses(operation))]
    return {operation.name}


def _request_content(operation: Operation) -> Any:
    return operation.node.get("requestBody", {}).get("content", {})


def _has_request_content(operation: Operation) -> bool:
    return bool(_request_content(operation))


def replace_request_media_type(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _has_request_content)
    if operation is None:
        return None
    content = _request_content(operation)
    media_type = choice.choice(list(content))
    content["application/x-new"] = content.pop(media_type)
    return {operation.name}


def _response_contents(operation: Operation) -> list[Json]:
    """Return the contents of the successful responses that are written in place."""
    responses = operation.node["responses"]
    contents = [responses[status].get("content") for status in _success_statuses(operation)]
    return [content for content in contents if content]


def replace_response_media_type(document: Json, choice: random.Random) -> set[str] | None:
    def has_content(operation: Operation) -> bool:
        return bool(_response_contents(operation))

    operation = _pick_operation(document, choice, has_content)
    if operation is None:
        return None
    content = choice.choice(_response_contents(operation))
    media_type = choice.choice(list(content))
    content["application/x-new"] = content.pop(media_type)
    return {operation.name}


def require_request_body(document: Json, choice: random.Random) -> set[str] | None:
    def has_optional_body(operation: Operation) -> bool:
        return _has_request_content(operation) and not operation.node["requestBody"].get("required")

    operation = _pick_operation(document, choice, has_optional_body)
    if operation is None:
        return None
    operation.node["requestBody"]["required"] = True
    return {operation.name}


def add_security_requirement(document: Json, choice: random.Random) -> set[str] | None:
    operation = _pick_operation(document, choice, _always)
    if operation is None:
        return None
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["NewKey"] = {"type": "apiKey", "in": "header", "name": "X-New-Key"}
    written: list[Json] | None = operation.node.get("security", document.get("security"))
    alternatives = written or [Json()]
    operation.node["security"] = [{**alternative, "NewKey": []} for alternative in alternatives]
    return {operation.name}


def _schemes(document: Json, alternative: Json) -> set[str]:
    """Return what an alternative asks of a caller. Its scheme names have no meaning."""
    definitions = document.get("components", {}).get("securitySchemes", {})
    schemes = set[str]()
    for name in alternative:
        definition = resolved(document, definitions.get(name, {"unknown": name}))
        meaning = {key: definition[key] for key in definition if key != "description"}
        schemes.add(json.dumps(meaning, sort_keys=True))
    return schemes


def remove_security_alternative(document: Json, choice: random.Random) -> set[str] | None:
    def alternatives(operation: Operation) -> list[Json]:
        return operation.node.get("security", document.get("security")) or []

    def needed_alternatives(operation: Operation) -> list[Json]:
        """Return the alternatives whose callers meet no other alternative."""
        return [
            alternative
            for alternative in alternatives(operation)
            if not any(
                _schemes(document, other) <= _schemes(document, alternative)
                for other in alternatives(operation)
                if other is not alternative
            )
        ]

    def has_choice(operation: Operation) -> bool:
        return len(alternatives(operation)) > 1 and bool(needed_alternatives(operation))

    operation = _pick_operation(document, choice, has_choice)
    if operation is None:
        return None
    removed = choice.choice(needed_alternatives(operation))
    operation.node["security"] = [
        alternative for alternative in alternatives(operation) if alternative is not removed
    ]
    return {operation.name}


# Schemas of requests


def _is_object(schema: Json) -> bool:
    return schema.get("type") == "object" and is_mapping(schema.get("properties", {}))


def add_required_request_property(document: Json, choice: random.Random) -> set[str] | None:
    reached = _pick_schema(document, "request", choice, _is_object)
    if reached is None:
        return None
    reached.schema.setdefault("properties", {})["newProperty"] = {"type": "string"}
    reached.schema["required"] = [*reached.schema.get("required", []), "newProperty"]
    return reached.operations


def make_request_property_required(document: Json, choice: random.Random) -> set[str] | None:
    reachability = Reachability(document, "request")

    def optional_properties(schema: Json) -> list[str]:
        return [
            name
            for name in schema.get("properties", {})
            if name not in schema.get("required", [])
            and "default" not in (reachability.property_schema(schema, name) or {"default": 1})
        ]

    def has_optional_properties(schema: Json) -> bool:
        return _is_object(schema) and bool(optional_properties(schema))

    candidates = reachability.schemas(has_optional_properties)
    if not candidates:
        return None
    reached = choice.choice(candidates)
    name = choice.choice(optional_properties(reached.schema))
    reached.schema["required"] = [*reached.schema.get("required", []), name]
    return reached.operations


def remove_property_of_closed_request(document: Json, choice: random.Random) -> set[str] | None:
    reachability = Reachability(document, "request")

    def removable(schema: Json) -> list[str]:
        names = schema.get("properties", {})
        return [name for name in names if reachability.property_schema(schema, name) is not None]

    def is_closed(schema: Json) -> bool:
        return schema.get("additionalProperties") is False and bool(removable(schema))

    candidates = reachability.schemas(is_closed)
    if not candidates:
        return None
    reached = choice.choice(candidates)
    name = choice.choice(removable(reached.schema))
    del reached.schema["properties"][name]
    if "required" in reached.schema:
        reached.schema["required"] = [key for key in reached.schema["required"] if key != name]
    return reached.operations


def _has_one_type(schema: Json) -> bool:
    return schema.get("type") in SIMPLE_TYPES


def change_request_type(document: Json, choice: random.Random) -> set[str] | None:
    return _change_type(document, "request", choice)


def change_response_type(document: Json, choice: random.Random) -> set[str] | None:
    return _change_type(document, "response", choice)


def _change_type(document: Json, direction: str, choice: random.Random) -> set[str] | None:
    reached = _pick_schema(document, direction, choice, _has_one_type)
    if reached is None:
        return None
    # The one element of a list looks like a plain value in a query, but its object does not.
    reached.schema.clear()
    reached.schema.update({"type": "array", "items": {"type": "object"}})
    return reached.operations


def remove_request_enum_value(document: Json, choice: random.Random) -> set[str] | None:
    def has_values(schema: Json) -> bool:
        return len(set(map(str, schema.get("enum", [])))) > 1

    reached = _pick_schema(document, "request", choice, has_values)
    if reached is None:
        return None
    removed = choice.choice(reached.schema["enum"])
    reached.schema["enum"] = [value for value in reached.schema["enum"] if value != removed]
    return reached.operations


def restrict_request_text(document: Json, choice: random.Random) -> set[str] | None:
    def is_text(schema: Json) -> bool:
        return schema.get("type") == "string" and "enum" not in schema

    reached = _pick_schema(document, "request", choice, is_text)
    if reached is None:
        return None
    reached.schema["maxLength"] = reached.schema.get("maxLength", 3) - 1
    return reached.operations


def restrict_request_number(document: Json, choice: random.Random) -> set[str] | None:
    def is_number(schema: Json) -> bool:
        if "enum" in schema or "exclusiveMinimum" in schema:
            return False
        return schema.get("type") in {"integer", "number"}

    reached = _pick_schema(document, "request", choice, is_number)
    if reached is None:
        return None
    reached.schema["minimum"] = reached.schema.get("minimum", 0) + 1
    return reached.operations


def _union_keyword(schema: Json) -> str:
    return "oneOf" if "oneOf" in schema else "anyOf"


def _discriminator_mapping(schema: Json) -> Json:
    mapping: Json = schema.get("discriminator", {}).get("mapping", {})
    return mapping


def remove_request_union_branch(document: Json, choice: random.Random) -> set[str] | None:
    def selected_values(schema: Json, branch: Json) -> list[str]:
        mapping = _discriminator_mapping(schema)
        return [value for value in mapping if mapping[value] == branch.get("$ref")]

    def type_of(branch: Any) -> Any:
        written_type = resolved(document, branch).get("type")
        # An integer is a number, and another branch can describe all numbers.
        return "number" if written_type == "integer" else written_type

    def removable(schema: Json) -> list[int]:
        """Return the indexes of the branches that accept what no other branch accepts."""
        branches = schema[_union_keyword(schema)]
        if len(branches) < 2 or not all(is_mapping(branch) for branch in branches):
            return []
        types = [type_of(branch) for branch in branches]
        is_typed = all(isinstance(name, str) for name in types)
        return [
            index
            for index, branch in enumerate(branches)
            if selected_values(schema, branch) or (is_typed and types.count(types[index]) == 1)
        ]

    candidates = Reachability(document, "request").unions(lambda schema: bool(removable(schema)))
    if not candidates:
        return None
    reached = choice.choice(candidates)
    schema = reached.schema
    branch = schema[_union_keyword(schema)].pop(choice.choice(removable(schema)))
    for value in selected_values(schema, branch):
        del schema["discriminator"]["mapping"][value]
    return reached.operations


def rename_request_discriminator_value(document: Json, choice: random.Random) -> set[str] | None:
    def has_mapping(schema: Json) -> bool:
        return bool(_discriminator_mapping(schema))

    candidates = Reachability(document, "request").unions(has_mapping)
    if not candidates:
        return None
    reached = choice.choice(candidates)
    mapping = _discriminator_mapping(reached.schema)
    mapping["newValue"] = mapping.pop(choice.choice(list(mapping)))
    return reached.operations


# Schemas of responses


def remove_required_response_property(document: Json, choice: random.Random) -> set[str] | None:
    reachability = Reachability(document, "response")

    def required_properties(schema: Json) -> list[str]:
        return [
            name
            for name in schema.get("properties", {})
            if name in schema.get("required", [])
            and reachability.property_schema(schema, name) is not None
        ]

    candidates = reachability.schemas(lambda schema: bool(required_properties(schema)))
    if not candidates:
        return None
    reached = choice.choice(candidates)
    name = choice.choice(required_properties(reached.schema))
    del reached.schema["properties"][name]
    reached.schema["required"] = [key for key in reached.schema["required"] if key != name]
    return reached.operations


def make_response_nullable(document: Json, choice: random.Random) -> set[str] | None:
    def excludes_null(schema: Json) -> bool:
        return _has_one_type(schema) and not schema.get("nullable") and "enum" not in schema

    reached = _pick_schema(document, "response", choice, excludes_null)
    if reached is None:
        return None
    reached.schema["nullable"] = True
    return reached.operations


def drop_response_enum(document: Json, choice: random.Random) -> set[str] | None:
    def is_enum(schema: Json) -> bool:
        return _has_one_type(schema) and bool(schema.get("enum"))

    reached = _pick_schema(document, "response", choice, is_enum)
    if reached is None:
        return None
    del reached.schema["enum"]
    return reached.operations


BREAKING_EDITS: list[Edit] = [
    remove_operation,
    add_required_parameter,
    make_parameter_required,
    move_parameter,
    remove_success_status,
    replace_request_media_type,
    replace_response_media_type,
    require_request_body,
    add_security_requirement,
    remove_security_alternative,
    add_required_request_property,
    make_request_property_required,
    remove_property_of_closed_request,
    change_request_type,
    change_response_type,
    remove_request_enum_value,
    restrict_request_text,
    restrict_request_number,
    remove_request_union_branch,
    rename_request_discriminator_value,
    remove_required_response_property,
    make_response_nullable,
    drop_response_enum,
]
