"""Turns a document of OpenAPI 3.0 or 3.2 into one of 3.1, which the other modules expect."""

from __future__ import annotations

from ..document import Document, Node, Schema, is_list, is_mapping
from ..unsupported.keywords import VALIDATED_KEYWORDS
from ..walk import all_schemas

_LIMITS = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))


def is_openapi_30(document: Document) -> bool:
    """Whether a document says that it is one of OpenAPI 3.0."""
    return str(document.root.get("openapi", "")).startswith("3.0")


def upgrade(document: Document) -> None:
    """Turn a document of OpenAPI 3.0 into one of 3.1, in place."""
    document.root["openapi"] = "3.1.0"
    for schema in list(all_schemas(document)):
        if "$ref" in schema.mapping:
            remove_siblings(schema.mapping)
            continue
        write_examples_as_list(schema.mapping)


def read_as_openapi_31(document: Document) -> None:
    """Read a document of OpenAPI 3.2 as one of 3.1, in place.

    What is new in 3.2 is an unknown field then, which has a note, or a value with a rule.
    """
    version = str(document.root.get("openapi", ""))
    if version.startswith("3.2"):
        document.remark("/openapi", f"OpenAPI {version} is read as 3.1")
        document.root["openapi"] = "3.1.0"


def remove_siblings(reference: Schema) -> None:
    """Remove what OpenAPI 3.0 ignores beside a reference ("Reference Object")."""
    for keyword in reference.keys() - {"$ref", "description", "summary"}:
        del reference[keyword]


def write_limits(document: Document) -> None:
    """Write all exclusive limits as numbers, in place.

    Some documents of 3.1 still have the booleans of 3.0.
    """
    for schema in all_schemas(document):
        write_limits_as_numbers(schema.mapping)


def write_limits_as_numbers(schema: Schema) -> None:
    """Write `minimum: 1` with `exclusiveMinimum: true` as `exclusiveMinimum: 1`.

    In OpenAPI 3.0 the keyword is a boolean that changes the meaning of the limit.
    """
    for limit, exclusive_limit in _LIMITS:
        is_exclusive = schema.get(exclusive_limit)
        if not isinstance(is_exclusive, bool):
            continue
        del schema[exclusive_limit]
        if is_exclusive and limit in schema:
            schema[exclusive_limit] = schema.pop(limit)


def write_examples_as_list(schema: Schema) -> None:
    """Write the `examples` of a media type, which some documents have in a schema, as a list.

    OpenAPI 3.0 has no `examples` in a schema. In 3.1 it is a list of values.
    """
    examples = schema.get("examples")
    if not is_mapping(examples):
        return
    members: Schema = examples
    schema["examples"] = [
        example["value"] if is_mapping(example) and "value" in example else example
        for example in members.values()
    ]


def write_nullable_as_type(document: Document) -> None:
    """Write `nullable: true` of OpenAPI 3.0 as the type null, in place.

    Many documents of 3.1 still use it, although the keyword has no meaning there.
    """
    for schema in list(all_schemas(document)):
        is_nullable = schema.mapping.pop("nullable", None)
        if is_nullable is True:
            allow_null(schema)


def allow_null(schema: Node) -> None:
    """Let a schema also accept null, in place."""
    mapping = schema.mapping
    # OpenAPI 3.0 has no other way to say that a reference can be null.
    if "allOf" in mapping:
        names = [name for name in mapping if name in VALIDATED_KEYWORDS]
        branch = {name: mapping.pop(name) for name in names}
        mapping["anyOf"] = [branch, {"type": "null"}]
        return
    kind = mapping.get("type")
    if isinstance(kind, str) and kind != "null":
        mapping["type"] = [kind, "null"]
    elif is_list(kind) and "null" not in kind:
        kind.append("null")
    if mapping.get("const") is not None:
        mapping["enum"] = [mapping.pop("const")]
    if is_list(mapping.get("enum")) and None not in mapping["enum"]:
        mapping["enum"].append(None)
    for keyword in ("oneOf", "anyOf"):
        branches = mapping.get(keyword)
        if is_list(branches) and not any(_is_null(branch) for branch in branches):
            branches.append({"type": "null"})
    if "$ref" in mapping:
        mapping["anyOf"] = [{"$ref": mapping.pop("$ref")}, {"type": "null"}]


def _is_null(branch: object) -> bool:
    return is_mapping(branch) and branch.get("type") == "null"
