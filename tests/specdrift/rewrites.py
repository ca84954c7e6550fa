"""Rewrites of OpenAPI documents that change the text and not the meaning.

A rewrite changes one random place, and nothing if the document has no such place.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from specdrift.model.document import is_list, is_mapping

from tests.specdrift.documents import Json, reordered
from tests.specdrift.schema_places import (
    METHODS,
    Operation,
    SchemaPlace,
    elements,
    operations,
    resolved,
    schema_places,
)

SCHEMA_REFERENCE = "#/components/schemas/"


class RewrittenDocument:
    """A document that is rewritten step by step, with the files that it refers to by then."""

    def __init__(self, document: Json, choice: random.Random, files: Json) -> None:
        # Unlike a deep copy, this shares no schema between two places.
        self.document: Json = json.loads(json.dumps(document))
        self.files: Json = json.loads(json.dumps(files))
        self.choice = choice
        self._new_names = 0

    @property
    def is_version_3_0(self) -> bool:
        """Whether the document follows OpenAPI 3.0, which has no `const` and no list of types."""
        return str(self.document["openapi"]).startswith("3.0")

    def components(self, kind: str) -> Json:
        """Return the components of one kind, such as `schemas`."""
        components: Json = self.document.setdefault("components", {}).setdefault(kind, {})
        return components

    def new_name(self) -> str:
        """Return an unused name."""
        self._new_names += 1
        return f"New{self._new_names}"

    def pick_place(self, condition: Callable[[SchemaPlace], bool]) -> SchemaPlace | None:
        """Return a random place of a schema that meets a condition; None without any."""
        candidates = [place for place in schema_places(self.document) if condition(place)]
        return self.choice.choice(candidates) if candidates else None

    def pick_schema(self, condition: Callable[[Json], bool]) -> Json | None:
        """Return a random schema, written in place, that meets a condition; None without any."""

        def meets_condition(place: SchemaPlace) -> bool:
            return (
                is_mapping(place.schema) and "$ref" not in place.schema and condition(place.schema)
            )

        place = self.pick_place(meets_condition)
        if place is None:
            return None
        schema: Json = place.schema
        return schema

    def pick_operation(self, condition: Callable[[Operation], bool]) -> Operation | None:
        """Return a random operation that meets a condition; None without any."""
        candidates = [item for item in operations(self.document) if condition(item)]
        return self.choice.choice(candidates) if candidates else None


Rewrite: TypeAlias = Callable[[RewrittenDocument], None]


# References


def _can_be_moved(place: SchemaPlace) -> bool:
    # A union with a branch `false` is contradictory, and a moved branch gets a name.
    if place.is_branch and not is_mapping(place.schema):
        return False
    return not place.is_discriminated


def inline_a_reference(target: RewrittenDocument) -> None:
    def refers_to_component(place: SchemaPlace) -> bool:
        schema = place.schema
        if place.is_discriminated or not is_mapping(schema) or schema.keys() != {"$ref"}:
            return False
        return resolved(target.document, schema) is not schema

    place = target.pick_place(refers_to_component)
    if place is not None:
        component = resolved(target.document, place.schema)
        place.replace(json.loads(json.dumps(component)))


def move_into_components(target: RewrittenDocument) -> None:
    place = target.pick_place(_can_be_moved)
    if place is not None:
        name = target.new_name()
        target.components("schemas")[name] = place.schema
        place.replace({"$ref": f"{SCHEMA_REFERENCE}{name}"})


def move_into_another_file(target: RewrittenDocument) -> None:
    def has_no_reference(place: SchemaPlace) -> bool:
        return "$ref" not in json.dumps(place.schema) and _can_be_moved(place)

    place = target.pick_place(has_no_reference)
    if place is not None:
        name = target.new_name()
        target.files[f"more/{name}.json"] = {"components": {"schemas": {"a/b": place.schema}}}
        place.replace({"$ref": f"./more/{name}.json{SCHEMA_REFERENCE}a~1b"})


def refer_to_properties(target: RewrittenDocument) -> None:
    """Move a mapping of properties: bundlers follow a reference wherever a mapping is expected."""

    def has_properties(schema: Json) -> bool:
        return is_mapping(schema.get("properties")) and "$ref" not in schema["properties"]

    schema = target.pick_schema(has_properties)
    if schema is not None:
        name = target.new_name()
        target.document.setdefault("x-properties", {})[name] = schema["properties"]
        schema["properties"] = {"$ref": f"#/x-properties/{name}"}


def _is_renamable(document: Json, name: str) -> bool:
    """Whether the name of a component has no meaning.

    It has one if the component only refers to itself: a reference that leads nowhere equals another
    one with the same text. It also has one as the value of a discriminator.
    OpenAPI 3.1, "Discriminator Object": without a mapping, the name of a component is the value
    that selects it. So all components are excluded that take part in a union with a discriminator,
    or that inherit one through `allOf`.
    """
    reference = {"$ref": f"{SCHEMA_REFERENCE}{name}"}
    component = resolved(document, reference)
    if is_mapping(component) and "$ref" in component:
        return False
    places = schema_places(document)
    has_discriminator = any(place.is_discriminated for place in places)
    for place in places:
        schema = place.schema
        # A discriminator can reach every union, through `allOf` and references.
        if has_discriminator and place.is_branch and schema == reference:
            return False
        if is_mapping(schema) and "discriminator" in schema and "oneOf" not in schema:
            return False
    return True


def _rename_components(target: RewrittenDocument, new_names: dict[str, str]) -> None:
    references = {
        f"{SCHEMA_REFERENCE}{name}": f"{SCHEMA_REFERENCE}{new_name}"
        for name, new_name in new_names.items()
    }
    target.document = _with_references(target.document, references)
    schemas = target.components("schemas")
    renamed = {new_names.get(name, name): schema for name, schema in schemas.items()}
    target.document["components"]["schemas"] = renamed


def _with_references(value: Any, references: dict[str, str]) -> Any:
    """Return a copy of a value in which references and mappings have other targets."""
    if is_mapping(value):
        return {key: _with_references(item, references) for key, item in value.items()}
    if is_list(value):
        return [_with_references(item, references) for item in value]
    if not isinstance(value, str):
        return value
    for old, new in references.items():
        if value == old or value.startswith(f"{old}/"):
            return new + value.removeprefix(old)
    return value


def _renamable_names(target: RewrittenDocument) -> list[str]:
    names = list(target.components("schemas"))
    return [name for name in names if _is_renamable(target.document, name) and "/" not in name]


def rename_a_component(target: RewrittenDocument) -> None:
    names = _renamable_names(target)
    if names:
        _rename_components(target, {target.choice.choice(names): target.new_name()})


def swap_names_of_components(target: RewrittenDocument) -> None:
    names = _renamable_names(target)
    if len(names) > 1:
        first, second = target.choice.sample(names, 2)
        _rename_components(target, {first: second, second: first})


def move_an_element_into_components(target: RewrittenDocument) -> None:
    """Move a parameter, a body, a response or a header."""
    candidates = list[tuple[Any, Any, str]]()
    for operation in operations(target.document):
        for owner in (operation.path_item, operation.node):
            parameters = owner.get("parameters", [])
            candidates += [(parameters, index, "parameters") for index in range(len(parameters))]
        if "requestBody" in operation.node:
            candidates.append((operation.node, "requestBody", "requestBodies"))
        responses = operation.node["responses"]
        candidates += [(responses, status, "responses") for status in responses]
        for response in responses.values():
            headers = response.get("headers", {})
            candidates += [(headers, name, "headers") for name in headers]
    if candidates:
        container, key, kind = target.choice.choice(candidates)
        name = target.new_name()
        target.components(kind)[name] = container[key]
        container[key] = {"$ref": f"#/components/{kind}/{name}"}


# Combinations


def wrap_in_all_of(target: RewrittenDocument) -> None:
    place = target.pick_place(_can_be_moved)
    if place is not None:
        place.replace({"allOf": [place.schema]})


def split_an_object(target: RewrittenDocument) -> None:
    def can_be_split(place: SchemaPlace) -> bool:
        schema = place.schema
        if not is_mapping(schema) or not is_mapping(schema.get("properties")):
            return False
        # These depend on the properties beside them.
        if schema.keys() & {"additionalProperties", "discriminator", "$ref", "nullable"}:
            return False
        return schema.get("type") == "object" and len(schema["properties"]) > 1

    place = target.pick_place(can_be_split)
    if place is not None:
        properties = dict(place.schema["properties"])
        first_name = next(iter(properties))
        first_part = {"type": "object", "properties": {first_name: properties.pop(first_name)}}
        second_part = {**place.schema, "properties": properties}
        place.replace({"allOf": [first_part, second_part]})


# Keywords


BINARY_FORMATS = {
    "byte": ("contentEncoding", "base64"),
    "binary": ("contentMediaType", "application/octet-stream"),
}
"""OpenAPI 3.1, "Considerations for File Uploads": the keywords that replace a format of 3.0."""


def _write_schema_of_3_1(place: SchemaPlace) -> None:
    """Rewrite the keywords of one schema of OpenAPI 3.0."""
    schema = place.schema
    if "$ref" in schema:
        # OpenAPI 3.0, "Reference Object": keywords beside a reference are ignored.
        place.replace({"$ref": schema["$ref"]})
        return
    _write_exclusive_bounds_of_3_1(schema)
    _write_binary_format_of_3_1(schema)
    if "example" in schema:
        schema["examples"] = [schema.pop("example")]
    if schema.pop("nullable", False) is True:
        _write_null_of_3_1(place)


def _write_exclusive_bounds_of_3_1(schema: Json) -> None:
    for bound, exclusive_bound in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        is_exclusive = schema.pop(exclusive_bound, False)
        if is_exclusive is True and bound in schema:
            schema[exclusive_bound] = schema.pop(bound)


def _write_binary_format_of_3_1(schema: Json) -> None:
    if schema.get("type") == "string" and schema.get("format") in BINARY_FORMATS:
        keyword, value = BINARY_FORMATS[schema.pop("format")]
        schema[keyword] = value


def _write_null_of_3_1(place: SchemaPlace) -> None:
    schema = place.schema
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        # Since OpenAPI 3.1, an enum has to list null.
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    elif "allOf" in schema:
        place.replace({"anyOf": [schema, {"type": "null"}]})


def upgrade_to_3_1(target: RewrittenDocument) -> None:
    if target.is_version_3_0:
        for document in (target.document, *target.files.values()):
            for place in schema_places(document):
                if is_mapping(place.schema):
                    _write_schema_of_3_1(place)
        target.document["openapi"] = "3.1.0"


def write_null_in_another_way(target: RewrittenDocument) -> None:
    def has_type_and_null(schema: Json) -> bool:
        return "null" in schema.get("type", []) and is_list(schema["type"])

    schema = target.pick_schema(has_type_and_null)
    if schema is not None and not target.is_version_3_0:
        types = [name for name in schema["type"] if name != "null"]
        if len(types) == 1:
            schema["type"] = types[0]
            schema["nullable"] = True


def write_a_type_as_a_list(target: RewrittenDocument) -> None:
    schema = target.pick_schema(lambda schema: isinstance(schema.get("type"), str))
    if schema is not None and not target.is_version_3_0:
        schema["type"] = [schema["type"]]


def write_a_constant_in_another_way(target: RewrittenDocument) -> None:
    def has_one_value(schema: Json) -> bool:
        return ("const" in schema) != (len(schema.get("enum", [])) == 1)

    schema = target.pick_schema(has_one_value)
    if schema is None or target.is_version_3_0:
        return
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    else:
        schema["const"] = schema.pop("enum")[0]


def write_an_enum_as_a_union(target: RewrittenDocument) -> None:
    def has_distinct_values(schema: Json) -> bool:
        if schema.keys() & {"oneOf", "anyOf", "nullable", "const"}:
            return False
        values = schema.get("enum", [])
        return bool(values) and len({json.dumps(value) for value in values}) == len(values)

    schema = target.pick_schema(has_distinct_values)
    if schema is not None and not target.is_version_3_0:
        keyword = target.choice.choice(["oneOf", "anyOf"])
        schema[keyword] = [
            {"const": value, "title": f"Value {value}"} for value in schema.pop("enum")
        ]


def write_an_integer_bound_in_another_way(target: RewrittenDocument) -> None:
    bound, exclusive_bound, step = target.choice.choice(
        [("minimum", "exclusiveMinimum", -1), ("maximum", "exclusiveMaximum", 1)]
    )

    def has_bound(schema: Json) -> bool:
        if schema.get("type") not in ("integer", ["integer"]) or exclusive_bound in schema:
            return False
        return isinstance(schema.get(bound), int)

    schema = target.pick_schema(has_bound)
    if schema is None:
        return
    limit = schema.pop(bound) + step
    if target.is_version_3_0:
        schema[bound] = limit
        schema[exclusive_bound] = True
    else:
        schema[exclusive_bound] = limit


def allow_additional_properties(target: RewrittenDocument) -> None:
    def is_open_object(schema: Json) -> bool:
        return schema.get("type") == "object" and "additionalProperties" not in schema

    schema = target.pick_schema(is_open_object)
    if schema is not None:
        schema["additionalProperties"] = target.choice.choice([True, Json()])


# Annotations and order


def reorder(target: RewrittenDocument) -> None:
    target.document = reordered(target.document)


def annotate(target: RewrittenDocument) -> None:
    schema = target.pick_schema(lambda _: True)
    if schema is not None:
        schema["description"] = "A description."
        schema["externalDocs"] = {"url": "https://example.com"}
        schema["example"] = {"a": 1}
        schema["x-label"] = "A label"
    operation = target.pick_operation(lambda _: True)
    if operation is not None:
        operation.node["summary"] = "A summary."
        operation.node["x-owner"] = "Somebody"


def remove_annotations(target: RewrittenDocument) -> None:
    for place in schema_places(target.document):
        if is_mapping(place.schema):
            for keyword in ("description", "example", "examples", "externalDocs"):
                place.schema.pop(keyword, None)


# Operations


def change_case_of_headers(target: RewrittenDocument) -> None:
    for container, key in list(elements(target.document)):
        element = container[key]
        if element.get("in") == "header":
            element["name"] = element["name"].swapcase()
        if is_mapping(element.get("headers")):
            headers = element["headers"]
            element["headers"] = {name.swapcase(): headers[name] for name in headers}


def move_parameters_to_operations(target: RewrittenDocument) -> None:
    for path_item in target.document["paths"].values():
        shared = path_item.pop("parameters", [])
        for method in METHODS:
            if method not in path_item:
                continue
            parameters = path_item[method].setdefault("parameters", [])
            keys = {_parameter_key(target, parameter) for parameter in parameters}
            # OpenAPI 3.1, "Path Item Object": an operation can override a shared parameter.
            parameters += [
                json.loads(json.dumps(parameter))
                for parameter in shared
                if _parameter_key(target, parameter) not in keys
            ]


def _parameter_key(target: RewrittenDocument, parameter: Json) -> tuple[Any, Any]:
    parameter = resolved(target.document, parameter)
    name = parameter.get("name")
    if parameter.get("in") == "header":
        name = str(name).lower()
    return parameter.get("in"), name


def move_parameters_to_path(target: RewrittenDocument) -> None:
    for path_item in target.document["paths"].values():
        nodes = [path_item[method] for method in METHODS if method in path_item]
        if not nodes:
            continue
        for parameter in list(nodes[0].get("parameters", [])):
            if all(parameter in node.get("parameters", []) for node in nodes):
                path_item.setdefault("parameters", []).append(parameter)
                for node in nodes:
                    node["parameters"].remove(parameter)


def add_a_charset(target: RewrittenDocument) -> None:
    """RFC 8259, section 11: the media type of JSON has no parameter `charset`."""
    contents = [
        container[key]["content"]
        for container, key in elements(target.document)
        if "application/json" in container[key].get("content", {})
    ]
    if contents:
        content = target.choice.choice(contents)
        content["application/json; charset=utf-8"] = content.pop("application/json")


def rename_a_path_parameter(target: RewrittenDocument) -> None:
    def parameters_in_path(path: str) -> list[Json]:
        path_item = target.document["paths"][path]
        owners = [path_item, *(path_item[method] for method in METHODS if method in path_item)]
        return [
            parameter
            for owner in owners
            for parameter in owner.get("parameters", [])
            if parameter.get("in") == "path"
        ]

    # A parameter in the components can belong to several paths.
    candidates = [
        path
        for path in target.document["paths"]
        if "#/components/parameters" not in json.dumps(target.document["paths"][path])
        and parameters_in_path(path)
    ]
    if not candidates:
        return
    path = target.choice.choice(candidates)
    name = parameters_in_path(path)[0]["name"]
    new_name = target.new_name()
    for parameter in parameters_in_path(path):
        if parameter["name"] == name:
            parameter["name"] = new_name
    paths = target.document["paths"]
    new_path = path.replace(f"{{{name}}}", f"{{{new_name}}}")
    target.document["paths"] = {new_path if key == path else key: paths[key] for key in paths}


REWRITES: list[Rewrite] = [
    inline_a_reference,
    move_into_components,
    move_into_another_file,
    refer_to_properties,
    rename_a_component,
    swap_names_of_components,
    move_an_element_into_components,
    wrap_in_all_of,
    split_an_object,
    upgrade_to_3_1,
    write_null_in_another_way,
    write_a_type_as_a_list,
    reorder,
    annotate,
    remove_annotations,
    change_case_of_headers,
]
"""Rewrites that leave the ids of other changes as they are."""

REWRITES_THAT_CHANGE_IDS: list[Rewrite] = [
    write_a_constant_in_another_way,
    write_an_enum_as_a_union,
    write_an_integer_bound_in_another_way,
    allow_additional_properties,
    move_parameters_to_operations,
    move_parameters_to_path,
    add_a_charset,
    rename_a_path_parameter,
]
"""Rewrites after which another change of the same place has another id or another operation."""

ALL_REWRITES = [*REWRITES, *REWRITES_THAT_CHANGE_IDS]


def rewritten(
    document: Json, rewrites: list[Rewrite], choice: random.Random, files: Json | None = None
) -> RewrittenDocument:
    """Return a document, with the files that it refers to, after some rewrites."""
    target = RewrittenDocument(document, choice, files or {})
    for rewrite in rewrites:
        rewrite(target)
    return target
