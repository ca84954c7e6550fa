"""Rebuilds an OpenAPI document from a contract, so that specdrift can compare two contracts.

The document has the operations, parameters, bodies, responses and schemas of the spec. A contract
has neither descriptions, examples, security, headers of responses, nor the media type of a request.
The module `media_types` reads the last one from the generated code. An upgrade report has no
changes of the others. `make diff` compares the specs themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from specdrift.model.document import is_mapping

WHOLE_API = "the whole API"
"""The place of a change outside all operations."""

CONTRACT_PREFIX = "#/schemas/"
COMPONENT_PREFIX = "#/components/schemas/"
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf")
SCHEMA_KEYWORDS = ("items", "additionalProperties")


def openapi_document(contract: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document of a contract that `read_copy` accepts."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in contract["operations"].values():
        path_item = paths.setdefault(operation["path"], {})
        path_item[operation["method"].lower()] = operation_object(operation)
    schemas = {name: schema_object(schema) for name, schema in contract["schemas"].items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": contract.get("title") or "",
            "version": contract.get("api_version", ""),
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def operation_object(operation: dict[str, Any]) -> dict[str, Any]:
    """The Operation Object of one operation of a contract."""
    body_arguments: list[dict[str, Any]] = []
    parameters: list[dict[str, Any]] = []
    for argument in operation["arguments"]:
        if argument["in"] == "body":
            body_arguments.append(argument)
        else:
            parameters.append(parameter_object(argument))
    responses = {
        status: response_object(response) for status, response in operation["responses"].items()
    }
    result: dict[str, Any] = {
        "operationId": operation["id"],
        "parameters": parameters,
        "responses": responses,
    }
    if body_arguments:
        result["requestBody"] = request_body_object(body_arguments)
    return result


def parameter_object(argument: dict[str, Any]) -> dict[str, Any]:
    """The Parameter Object of an argument that is not in the body."""
    schema = schema_object(argument["schema"])
    if "default" in argument:
        # The only value in the spec. The contract allows others, which a caller may pass on.
        schema = {**schema, "enum": [argument["default"]]}
    return {
        "name": argument["name"],
        "in": argument["in"],
        "required": argument["required"],
        "schema": schema,
    }


def request_body_object(arguments: list[dict[str, Any]]) -> dict[str, Any]:
    """The Request Body Object of the arguments in the body."""
    required = [argument["name"] for argument in arguments if argument["required"]]
    whole_bodies = [argument for argument in arguments if not argument["name"]]
    schema: Any
    if whole_bodies:
        schema = schema_object(whole_bodies[0]["schema"])
    else:
        properties = {argument["name"]: schema_object(argument["schema"]) for argument in arguments}
        schema = {"type": "object", "required": required, "properties": properties}
    # The contract does not have the media type, so it is the same on both sides. With different
    # ones, specdrift would not compare the schemas.
    content = {"application/json": {"schema": schema}}
    return {"required": bool(required), "content": content}


def response_object(response: dict[str, Any]) -> dict[str, Any]:
    """The Response Object of one response of a contract."""
    content: dict[str, Any] = {}
    for media_type in response["media_types"]:
        content[media_type] = {}
        if "schema" in response and "json" in media_type:
            content[media_type] = {"schema": schema_object(response["schema"])}
    return {"description": "", "content": content}


def schema_object(schema: Any) -> Any:
    """A schema of the contract as it is in an OpenAPI document."""
    if not is_mapping(schema):
        return schema
    return {
        keyword: schema_value(keyword, value)
        for keyword, value in schema.items()
        # These are the project's, such as the rule for a text in a path.
        if not keyword.startswith("x-")
    }


def schema_value(keyword: str, value: Any) -> Any:
    """The value of one keyword of a schema."""
    if keyword == "$ref":
        return component_reference(value)
    if keyword == "properties":
        return {name: schema_object(schema) for name, schema in value.items()}
    if keyword in SCHEMA_LISTS:
        return [schema_object(schema) for schema in value]
    if keyword in SCHEMA_KEYWORDS:
        return schema_object(value)
    return value


def component_reference(reference: str) -> str:
    """The reference to a schema of the contract, as a reference to a component.

    The name of a schema that is no component is its JSON pointer in the spec, with slashes.
    """
    name = reference.removeprefix(CONTRACT_PREFIX)
    return f"{COMPONENT_PREFIX}{quote(escaped(name), safe='~')}"


def place_in_spec(pointer: str, components: Iterable[str]) -> str:
    """The place in the spec that a pointer into the rebuilt document leads to.

    It is empty for a parameter, which has another place in the spec. Texts name the parameter.

    Args:
        pointer: the pointer into the rebuilt document.
        components: the names of the schemas.
    """
    if "/parameters/" in pointer:
        return ""
    for name in components:
        component = f"/components/schemas/{escaped(name)}"
        is_inside = pointer == component or pointer.startswith(f"{component}/")
        if name.startswith("/") and is_inside:
            return name + pointer.removeprefix(component)
    return pointer


def escaped(token: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")
