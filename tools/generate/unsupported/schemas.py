"""Rules for one schema object. `SCHEMA_RULES` at the end lists them in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..document import Document, Node, SpecError, is_list, is_mapping
from ..generator_api import enum_member_name, property_name
from ..generator_view import has_enum_class, type_name
from .all_of import find_unmergeable_all_of
from .keywords import (
    MODEL_MEMBERS,
    OUR_EXTENSIONS,
    REFERENCE_SIBLINGS,
    ROLES,
    TYPE_KEYWORDS,
)
from .names import find_colliding_properties
from .recursion import find_endless_type


def find_foreign_pattern(document: Document, schema: Node) -> Iterator[SpecError]:
    """Patterns use the dialect of ECMA-262. The client compiles them with Python's `re`."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield document.error(schema.pointer, f"Python cannot compile the pattern: {error}")


def find_reference_siblings(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator reads nothing next to `$ref`, although OpenAPI 3.1 allows it."""
    if "$ref" not in schema.mapping:
        return
    lost = schema.mapping.keys() - REFERENCE_SIBLINGS
    # Of the extensions, only ours mean something to the client.
    ignored = sorted(
        keyword for keyword in lost if not keyword.startswith("x-") or keyword in OUR_EXTENSIONS
    )
    if ignored:
        yield document.error(
            schema.pointer, f"keywords beside $ref would be lost: {', '.join(ignored)}"
        )


def find_unknown_role(document: Document, node: Node) -> Iterator[SpecError]:
    """The session looks for roles by name, so a misspelled one would have no effect.

    Parameters have roles too.
    """
    if "x-role" not in node.mapping:
        return
    role = node.mapping["x-role"]
    if role not in ROLES:
        expected = ", ".join(sorted(ROLES))
        yield document.error(node.pointer, f"x-role {role!r} is not one of {expected}")


def find_model_member(document: Document, schema: Node) -> Iterator[SpecError]:
    """Such a property, for example `toDict`, would replace a method of the generated model."""
    for name, child in schema.child("properties").entries():
        if property_name(name) in MODEL_MEMBERS:
            yield document.error(
                child.pointer,
                f"a property named {name!r} would hide a member of every generated model",
            )


def find_empty_property_name(document: Document, schema: Node) -> Iterator[SpecError]:
    """No Python name can be derived from an empty name."""
    if "" in schema.child("properties").mapping:
        yield document.error(schema.pointer, "a property must have a name")


def find_properties_beside_alternatives(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator makes a union of such a schema and drops its properties."""
    has_alternatives = "anyOf" in schema.mapping or "oneOf" in schema.mapping
    if has_alternatives and "properties" in schema.mapping:
        yield document.error(schema.pointer, "properties beside anyOf or oneOf would be dropped")


def find_boolean_schema(document: Document, schema: Node) -> Iterator[SpecError]:
    """JSON Schema allows `false` as schema. The generator does not. `reading` replaced `true`."""
    subschemas = [schema.child("items")]
    subschemas += [child for _, child in schema.child("properties").entries()]
    for keyword in ("allOf", "anyOf", "oneOf"):
        subschemas += schema.child(keyword).elements()
    for subschema in subschemas:
        if subschema.value is False:
            yield document.error(
                subschema.pointer, "a schema must be a mapping: false is not supported"
            )


def find_const_beside_enum(document: Document, schema: Node) -> Iterator[SpecError]:
    """The contract writes `const` as an `enum` of one value, which would replace the other."""
    if "const" in schema.mapping and "enum" in schema.mapping:
        yield document.error(
            schema.pointer, "const and enum beside each other: one of them would be lost"
        )


def find_duplicate_items(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator keeps one of two equal items silently, so one of them is a mistake.

    JSON Schema, "Validation", sections 6.1.1 and 6.5.3, requires unique items in these lists. It
    only recommends them in `enum`. `reading` removes repetitions there and in `required`.
    """
    for keyword in ("type", "x-enum-varnames"):
        first_pointers: dict[str, str] = {}
        for item in schema.child(keyword).elements():
            text = json.dumps(item.value, sort_keys=True)
            if text in first_pointers:
                yield document.error(
                    item.pointer,
                    f"duplicate {text} in {keyword}, already in {first_pointers[text]}:"
                    " remove one of them",
                )
                continue
            first_pointers[text] = f"line {document.sources.source(item.pointer).line}"


def find_structured_enum_value(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator makes enum members of scalars only."""
    for value in [*schema.child("enum").elements(), schema.child("const")]:
        if is_mapping(value.value) or is_list(value.value):
            yield document.error(value.pointer, "a value of an enum must be a scalar")


def find_enum_value_of_other_type(document: Document, schema: Node) -> Iterator[SpecError]:
    """No data would be valid. In YAML, `true` and `1` are no texts."""
    types = schema.get("type")
    names = set(types) if is_list(types) else {types}
    if names <= {None}:
        return
    if "number" in names:
        names.add("integer")
    for element in schema.child("enum").elements():
        name = type_name(element.value)
        # Many documents list null, and not its type. Other values have a rule.
        if name in {"", "null"} | names or ("integer" in names and _is_integer(element.value)):
            continue
        yield document.error(
            element.pointer,
            f"the enum value {json.dumps(element.value)} is not of type"
            f" {' or '.join(sorted(str(item) for item in names))}: put a text in quotes",
        )


def _is_integer(value: object) -> bool:
    # JSON Schema, "Instance Data Model": 1.0 is an integer.
    return isinstance(value, float) and value.is_integer()


def find_colliding_enum_names(document: Document, schema: Node) -> Iterator[SpecError]:
    """Of two values with one Python name, the generator drops one, or fails without a place."""
    # Other values get no names.
    if not has_enum_class(schema.mapping) or any(find_duplicate_items(document, schema)):
        return
    elements = [element for element in schema.child("enum").elements() if element.value is not None]
    custom_names = schema.child("x-enum-varnames").sequence
    # The generator ignores a list of another length.
    has_custom_names = len(custom_names) == len(elements)
    first_elements: dict[str, Node] = {}
    for index, element in enumerate(elements):
        custom_name = custom_names[index] if has_custom_names else None
        name = enum_member_name(element.value, index, custom_name)
        first_element = first_elements.setdefault(name, element)
        if first_element is element:
            continue
        line = document.sources.source(first_element.pointer).line
        yield document.error(
            element.pointer,
            f"the enum value {element.value!r} gets the Python name {name}, as"
            f" {first_element.value!r} in line {line} does: list a name for each value in"
            " x-enum-varnames beside the enum",
        )


def find_type_keyword(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generated types would not be those of the spec."""
    for keyword, advice in TYPE_KEYWORDS.items():
        if keyword in schema.mapping:
            yield document.error(
                schema.pointer, f"{keyword} has no equivalent in the generated types: {advice}"
            )


def find_conditional_property(document: Document, schema: Node) -> Iterator[SpecError]:
    """Such a property would have no argument and no attribute: conditions are not read."""
    properties = document.properties(schema)
    # Without properties, the object is a free-form one.
    if not properties:
        return
    for part in [schema, *map(document.resolve, schema.child("allOf").elements())]:
        conditional = [part.child("then"), part.child("else")]
        conditional += [child for _, child in part.child("dependentSchemas").entries()]
        for condition in conditional:
            for name, child in document.properties(condition).items():
                if name not in properties:
                    yield document.error(
                        child.schema.pointer,
                        f"only a condition describes the property {name!r}: describe it in the"
                        " properties of the schema too",
                    )


SCHEMA_RULES = (
    find_foreign_pattern,
    find_reference_siblings,
    find_unknown_role,
    find_model_member,
    find_empty_property_name,
    find_colliding_properties,
    find_properties_beside_alternatives,
    find_boolean_schema,
    find_const_beside_enum,
    find_duplicate_items,
    find_structured_enum_value,
    find_enum_value_of_other_type,
    find_colliding_enum_names,
    find_type_keyword,
    find_conditional_property,
    find_unmergeable_all_of,
    find_endless_type,
)
