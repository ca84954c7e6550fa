"""Rewrites valid forms that the generator or the contract does not read into equal ones.

Each rewriting is a function that changes a private copy of the document. No data becomes valid or
invalid by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from ..document import Document, Node, SpecError, is_list, is_mapping
from ..servers import all_servers, owner_of_servers, server_urls
from ..walk import all_schemas
from .all_of import merge_schemas
from .contents import choose_contents
from .inheritance import remark_inheritance


def write_equivalents(document: Document) -> None:
    """Apply all rewritings to a document, in place."""
    fill_in_server_variables(document)
    share_servers(document)
    add_schemas_of_responses(document)
    remark_inheritance(document)
    merge_schemas(document)
    choose_contents(document)
    schemas = list(all_schemas(document))
    merged_pointers = set(_merged_pointers(document, schemas))
    for schema in schemas:
        if "$ref" in schema.mapping:
            continue
        replace_true_schemas(schema)
        add_items(schema)
        remove_repeated_values(schema)
        remove_repeated_names(document, schema)
        remove_invalid_default(document, schema)
        open_to_patterns(schema)
        remove_open_additional_properties(schema)
        remove_repeated_type(document, schema)
        if schema.pointer not in merged_pointers:
            add_required_properties(document, schema)


def fill_in_server_variables(document: Document) -> None:
    """Put the defaults of their variables into the URLs of the servers."""
    try:
        servers = list(all_servers(document))
    except SpecError:
        # `check` reports a broken reference, and a malformed operation.
        return
    for server in servers:
        url = server.get("url")
        if not isinstance(url, str):
            continue
        for name, variable in server.child("variables").entries():
            default = variable.get("default")
            if isinstance(default, str):
                url = url.replace(f"{{{name}}}", default)
        server.mapping["url"] = url


def share_servers(document: Document) -> None:
    """Give the document the server that all its operations have, if it has none itself."""
    if server_urls(document.top):
        return
    try:
        owners = [owner_of_servers(operation) for operation in document.operations()]
    except SpecError:
        # `check` reports a broken reference, and a malformed operation.
        return
    if not owners or owners[0] is None:
        return
    url = server_urls(owners[0])[0]
    if all(owner is not None and url in server_urls(owner) for owner in owners):
        document.root["servers"] = [{"url": url}]


def add_schemas_of_responses(document: Document) -> None:
    """Describe a response with a media type but without a schema as one of any value."""
    for response in _responses(document):
        for _, media_type in response.child("content").entries():
            if is_mapping(media_type.value):
                media_type.mapping.setdefault("schema", {})


def replace_true_schemas(schema: Node) -> None:
    """Write the schema `true`, which accepts everything, as `{}`."""
    for container in (schema.value, schema.get("properties")):
        if not is_mapping(container):
            continue
        keys = list(container) if container is not schema.value else ["items"]
        for key in keys:
            if container.get(key) is True:
                container[key] = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        branches = schema.get(keyword)
        if is_list(branches):
            branches[:] = [{} if branch is True else branch for branch in branches]


def add_items(schema: Node) -> None:
    """Write an array without `items` as one of any items."""
    kind = schema.get("type")
    is_array = kind == "array" or (is_list(kind) and "array" in kind)
    if is_array and "prefixItems" not in schema.mapping:
        schema.mapping.setdefault("items", {})


def remove_repeated_values(schema: Node) -> None:
    """Remove the repetitions in `enum`, with the Python names that belong to them."""
    values = schema.get("enum")
    if not is_list(values):
        return
    names = schema.get("x-enum-varnames")
    has_names = is_list(names) and len(names) == len(values)
    keys: set[str] = set()
    kept: list[int] = []
    for index, value in enumerate(values):
        key = _json_key(value)
        if key not in keys:
            kept.append(index)
        keys.add(key)
    if len(kept) == len(values):
        return
    if has_names:
        names[:] = [names[index] for index in kept]
    values[:] = [values[index] for index in kept]


def remove_invalid_default(document: Document, schema: Node) -> None:
    """Remove a default that is not valid. The API applies defaults, not the client."""
    default = schema.get("default")
    if default is None:
        return
    values = schema.get("enum")
    is_no_value = is_list(values) and bool(values) and default not in values
    is_no_number = default == "" and schema.get("type") in ("boolean", "integer", "number")
    if is_no_value or is_no_number:
        document.remark(f"{schema.pointer}/default", "a default that is not valid is not read")
        del schema.mapping["default"]


def remove_repeated_names(document: Document, schema: Node) -> None:
    """Remove the repetitions in `required`, which mean nothing."""
    first_names: set[str] = set()
    kept: list[Any] = []
    for element in schema.child("required").elements():
        if isinstance(element.value, str) and element.value in first_names:
            document.remark(element.pointer, "a name is repeated in required")
            continue
        first_names.add(str(element.value))
        kept.append(element.value)
    if len(kept) != len(schema.child("required").sequence):
        schema.mapping["required"] = kept


def open_to_patterns(schema: Node) -> None:
    """Allow the properties that only `patternProperties` describes.

    The client does not match names. With one pattern and no other properties, the type is known.
    """
    patterns = schema.get("patternProperties")
    if not is_mapping(patterns) or not patterns:
        return
    schemas = list(patterns.values())
    is_closed = schema.get("additionalProperties") is False
    schema.mapping["additionalProperties"] = schemas[0] if is_closed and len(schemas) == 1 else {}


def remove_open_additional_properties(schema: Node) -> None:
    """Remove `additionalProperties: true` beside `allOf`: it allows what is allowed anyway."""
    if "allOf" in schema.mapping and schema.get("additionalProperties") in (True, {}):
        del schema.mapping["additionalProperties"]


def remove_repeated_type(document: Document, schema: Node) -> None:
    """Remove a type beside `allOf` that its only branch has too.

    The schema is then a mere reference, and shares the class of its branch.
    """
    branches = list(schema.child("allOf").elements())
    if len(branches) != 1 or "type" not in schema.mapping:
        return
    try:
        branch = document.resolve(branches[0])
    except SpecError:
        # `check` reports a broken reference.
        return
    if branch.get("type") == schema.get("type"):
        del schema.mapping["type"]


def add_required_properties(document: Document, schema: Node) -> None:
    """Describe a required property that has no schema like other additional properties."""
    if _is_wrapper(schema) or not _is_object(schema):
        return
    try:
        described = document.properties(schema)
        missing = [name for name in document.required_names(schema) if name not in described]
    except SpecError:
        # `check` reports a broken reference.
        return
    if missing and not described:
        # It stays an object of any properties, of which one has a name.
        schema.mapping.setdefault("additionalProperties", True)
    additional = schema.get("additionalProperties")
    for name in missing:
        properties = schema.mapping.setdefault("properties", {})
        if name and is_mapping(properties):
            properties[name] = deepcopy(additional) if is_mapping(additional) else {}


def _is_object(schema: Node) -> bool:
    """Whether the generator makes a model of a schema that is no union."""
    if "anyOf" in schema.mapping or "oneOf" in schema.mapping:
        return False
    types = schema.get("type")
    is_typed = types == "object" or (is_list(types) and "object" in types)
    return bool(is_typed or schema.get("properties") or "allOf" in schema.mapping)


def _responses(document: Document) -> Iterator[Node]:
    try:
        for operation in document.operations():
            for _, reference in operation.node.child("responses").entries():
                yield document.resolve(reference)
    except SpecError:
        # `check` reports a broken reference, and a malformed operation.
        return


def _merged_pointers(document: Document, schemas: Sequence[Node]) -> Iterator[str]:
    """The pointers of the branches of `allOf`: another branch can describe what one requires."""
    for schema in schemas:
        if _is_wrapper(schema):
            continue
        for branch in schema.child("allOf").elements():
            try:
                yield document.resolve(branch).pointer
            except SpecError:
                # `check` reports a broken reference.
                continue


def _is_wrapper(schema: Node) -> bool:
    """Whether a schema is the only branch of its `allOf`, usually in order to describe it."""
    branches = schema.get("allOf")
    is_single = is_list(branches) and len(branches) == 1
    return is_single and not schema.mapping.keys() & {"properties", "required"}


def _json_key(value: Any) -> str:
    # As JSON, `true` differs from 1, and "1" from 1.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
