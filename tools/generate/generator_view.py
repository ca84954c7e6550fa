"""Simplifies what the generator cannot read, where the contract alone decides what is valid.

The generated types are then wider than the spec. The client validates with the contract, which
keeps the original.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from types import NoneType
from typing import Any

from openapi_python_client.strings import pascal_case

from .document import Document, Node, Schema, is_list, is_mapping
from .files import file_schemas, request_and_response_contents
from .media_types import is_file, is_text
from .walk import all_schemas

_COMPONENT = re.compile(r"/components/schemas/[^/]+")

_TYPE_NAMES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    NoneType: "null",
}


def simplify(document: Document) -> None:
    """Simplify a private copy of the spec for the generator, in place."""
    schemas = list(all_schemas(document))
    describe_files(document, schemas)
    for media_type, content in list(request_and_response_contents(document)):
        describe_content(media_type, content)
    schemas = list(all_schemas(document))
    remove_ambiguous_titles(schemas)
    for schema in schemas:
        add_type_of_merged_object(schema.mapping)
        widen_const(schema.mapping)
        widen_enum(schema.mapping)
        write_type_of_enum(schema.mapping)
        remove_structured_default(schema.mapping)
        distinguish_properties(schema)
    distinguish_from_components(document)


def has_enum_class(schema: Schema) -> bool:
    """Whether the generator makes a class of an enum: it does for texts only or integers only."""
    values = [value for value in _enum_values(schema) if value is not None]
    return {type_name(value) for value in values} in ({"string"}, {"integer"})


def has_literal(schema: Schema) -> bool:
    """Whether the generator makes a `Literal` of a constant: it is right for texts and integers."""
    value = schema.get("const")
    if isinstance(value, str):
        # openapi-python-client 0.29.1 escapes these characters twice.
        return not set(value) & set('"\\')
    return type_name(value) == "integer"


def widen_const(schema: Schema) -> None:
    """Replace another constant, such as `true`, 0.5 or null, by its type.

    Of a boolean, openapi-python-client 0.29.1 generates invalid code. It does not see null, and
    Python has no `Literal` of a number with a fraction.
    """
    if "const" not in schema or has_literal(schema):
        return
    name = type_name(schema.pop("const"))
    # A rule rejects structured values.
    if name:
        schema["type"] = name


def widen_enum(schema: Schema) -> None:
    """Replace an enum of other values, such as 0.5, true, or 1 and "1", by their types."""
    names = list(dict.fromkeys(type_name(value) for value in _enum_values(schema)))
    # The generator itself handles an enum without values, or with null alone.
    if set(names) <= {"null"} or has_enum_class(schema):
        return
    # A rule rejects structured values.
    if "" in names:
        return
    # Every integer is a number.
    if "number" in names and "integer" in names:
        names.remove("integer")
    del schema["enum"]
    schema.pop("x-enum-varnames", None)
    schema["type"] = names[0] if len(names) == 1 else names


def describe_content(media_type: str, content: Node) -> None:
    """Describe bodies that are files or texts as in OpenAPI 3.0, which the generator reads."""
    if is_file(media_type):
        content.mapping["schema"] = {"type": "string", "format": "binary"}
    elif is_text(media_type) and not content.get("schema"):
        content.mapping["schema"] = {"type": "string"}


def describe_files(document: Document, schemas: Sequence[Node]) -> None:
    """Describe the files in forms as in OpenAPI 3.0, and what is a file elsewhere as a text.

    In JSON or in a parameter, the generator would make a file of a text with `format: binary`.
    """
    files = file_schemas(document)
    for schema in files.values():
        schema.mapping["format"] = "binary"
    for schema in schemas:
        if schema.get("format") == "binary" and schema.pointer not in files:
            del schema.mapping["format"]


def write_type_of_enum(schema: Schema) -> None:
    """Write the types of an enum, such as `[string, "null"]`, as one.

    The generator would make an enum of each type, also of null.
    """
    if is_list(schema.get("type")) and has_enum_class(schema):
        names = {type_name(value) for value in _enum_values(schema) if value is not None}
        schema["type"] = names.pop()


def add_type_of_merged_object(schema: Schema) -> None:
    """Say that a schema with `allOf` and `properties` is an object.

    The generator takes one with a single branch for that branch alone.
    """
    if "allOf" in schema and "properties" in schema:
        schema.setdefault("type", "object")


def remove_structured_default(schema: Schema) -> None:
    """Remove a default that is an object or a list. The API applies it, not the client."""
    if is_mapping(schema.get("default")) or is_list(schema.get("default")):
        del schema["default"]


def remove_ambiguous_titles(schemas: Sequence[Node]) -> None:
    """Remove the titles that would give several schemas one class name.

    A component has a name, which does not change with its title.
    """
    titles = Counter(str(schema.get("title")) for schema in schemas)
    for schema in schemas:
        is_component = _COMPONENT.fullmatch(schema.pointer) is not None
        if is_component or titles[str(schema.get("title"))] > 1:
            schema.mapping.pop("title", None)


def distinguish_properties(schema: Node) -> None:
    """Give titles to inline schemas of properties such as `fieldValue` and `field_value`.

    The generator would name the classes of both after the property, with one name for both.
    """
    numbers: dict[str, int] = {}
    for name, child in schema.child("properties").entries():
        key = re.sub(r"[^a-z0-9]", "", name.lower())
        numbers[key] = numbers.get(key, 0) + 1
        if numbers[key] > 1 and is_mapping(child.value) and "$ref" not in child.mapping:
            child.mapping["title"] = f"{name} {numbers[key]}"


def distinguish_from_components(document: Document) -> None:
    """Give titles to inline schemas whose class would have the name of a component's class.

    The generator names the class of `Order.state` like the component `OrderState`.
    """
    components = list(document.top.child("components", "schemas").entries())
    class_names = {str(pascal_case(name)) for name, _ in components}
    for name, schema in components:
        _distinguish_inline(schema, str(pascal_case(name)), class_names)


def _distinguish_inline(schema: Node, class_name: str, used_names: Set[str]) -> None:
    for branch in schema.child("allOf").elements():
        _distinguish_inline(branch, class_name, used_names)
    for name, child in schema.child("properties").entries():
        for label, inline in ((name, child), (f"{name} item", child.child("items"))):
            if not is_mapping(inline.value) or "$ref" in inline.mapping:
                continue
            title = str(inline.get("title", label))
            number = 1
            while f"{class_name}{pascal_case(title)}" in used_names:
                number += 1
                title = f"{label} {number}"
            if number > 1:
                inline.mapping["title"] = title
            _distinguish_inline(inline, f"{class_name}{pascal_case(title)}", used_names)


def type_name(value: object) -> str:
    """The type of a scalar in JSON Schema; empty for a mapping or a list."""
    return _TYPE_NAMES.get(type(value), "")


def _enum_values(schema: Schema) -> list[Any]:
    values = schema.get("enum")
    return values if is_list(values) else []
