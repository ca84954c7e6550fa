"""Rules for one schema object. `SCHEMA_RULES` at the end lists them in order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..document import Document, Node, SpecError, is_list, is_mapping
from ..generator_api import enum_member_name
from ..generator_view import has_enum_class, type_name
from .all_of import find_unmergeable_all_of
from .keywords import (
    ANNOTATION_KEYWORDS,
    MODEL_ATTRIBUTES,
    OUR_EXTENSIONS,
    REFERENCE_SIBLINGS,
    ROLES,
    VALIDATED_KEYWORDS,
)
from .names import find_colliding_properties
from .recursion import find_endless_type

_KEYWORDS_WITH_A_RULE = frozenset({"patternProperties"})


def find_pattern_properties(document: Document, schema: Node) -> Iterator[SpecError]:
    """Neither the generator nor the client matches property names with patterns."""
    if "patternProperties" in schema.mapping:
        yield document.error(schema.pointer, "patternProperties is not supported")


def find_boolean_exclusive_limit(document: Document, schema: Node) -> Iterator[SpecError]:
    """OpenAPI 3.0 has booleans here, 3.1 the limit itself. `True` would be the limit 1."""
    for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(schema.get(keyword), bool):
            yield document.error(schema.pointer, f"{keyword} is a number since OpenAPI 3.1")


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


def find_model_attribute(document: Document, schema: Node) -> Iterator[SpecError]:
    """Such a property would hide a method or variable of the generated model."""
    names = schema.child("properties").mapping.keys()
    for name in sorted(names & MODEL_ATTRIBUTES):
        yield document.error(
            schema.pointer,
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
    only recommends them in `enum`, whose repetitions `reading` removes.
    """
    for keyword in ("required", "type", "x-enum-varnames"):
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


def find_unusable_default(document: Document, schema: Node) -> Iterator[SpecError]:
    """The generator leaves an operation out whose default is not valid."""
    default = schema.get("default")
    values = schema.child("enum").sequence
    if default is None:
        return
    if values and default not in values:
        listed = ", ".join(json.dumps(value) for value in values)
        yield document.error(
            f"{schema.pointer}/default",
            f"the default {json.dumps(default)} is no value of the enum: use one of {listed}",
        )
    elif default == "" and schema.get("type") in {"boolean", "integer", "number"}:
        yield document.error(
            f"{schema.pointer}/default", f"an empty text is no {schema.get('type')}: remove it"
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


def find_unvalidated_keyword(document: Document, schema: Node) -> Iterator[SpecError]:
    """The client would ignore the keyword: it is misspelled, or not implemented."""
    unknown = schema.mapping.keys() - VALIDATED_KEYWORDS - ANNOTATION_KEYWORDS
    # Extensions are free: OpenAPI 3.1, "Specification Extensions".
    # Others have a rule with a more specific message.
    unknown -= _KEYWORDS_WITH_A_RULE
    for keyword in sorted(unknown):
        if not keyword.startswith("x-"):
            yield document.error(
                schema.pointer, f"{keyword} is not a keyword that the client validates"
            )


SCHEMA_RULES = (
    find_pattern_properties,
    find_boolean_exclusive_limit,
    find_foreign_pattern,
    find_reference_siblings,
    find_unknown_role,
    find_model_attribute,
    find_empty_property_name,
    find_colliding_properties,
    find_properties_beside_alternatives,
    find_boolean_schema,
    find_const_beside_enum,
    find_duplicate_items,
    find_structured_enum_value,
    find_enum_value_of_other_type,
    find_unusable_default,
    find_colliding_enum_names,
    find_unvalidated_keyword,
    find_unmergeable_all_of,
    find_endless_type,
)
