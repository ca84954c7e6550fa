"""The JSON Schema keywords that the client validates, and those that have no effect on data."""

from __future__ import annotations

from ..paging import PagingRole

VALIDATED_KEYWORDS = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "type",
        "uniqueItems",
    }
)
"""What the client's `_runtime/schema.py` implements."""

UNCHECKED_KEYWORDS = frozenset(
    {
        "additionalItems",
        "contains",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "maxContains",
        "minContains",
        "not",
        "patternProperties",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""What the client does not check. Invalid data is sent and accepted; valid data always is."""

TYPE_KEYWORDS = {
    "$dynamicRef": "write it as a $ref",
    "$recursiveRef": "write it as a $ref",
    "prefixItems": "describe the array with items",
}
"""What describes types that generated code would not have, and what to do instead."""

ANNOTATION_KEYWORDS = frozenset(
    {
        "$comment",
        "$defs",
        "$schema",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "deprecated",
        "description",
        "discriminator",
        "example",
        "examples",
        "externalDocs",
        "format",
        "readOnly",
        "summary",
        "title",
        "writeOnly",
        "xml",
    }
)
"""What describes a schema. No data becomes valid or invalid by it."""

REFERENCE_SIBLINGS = frozenset(
    {
        "$ref",
        "default",
        "deprecated",
        "description",
        "example",
        "examples",
        "readOnly",
        "summary",
        "title",
        "writeOnly",
    }
)
"""What may stand next to `$ref`: the generator ignores it, and we read it, or only people do."""

OUR_EXTENSIONS = frozenset({"x-enum-varnames", "x-role"})
"""The extensions that change the generated client."""

ROLES = frozenset({"api-version", "error-messages", "rate-limit-key", *PagingRole})
"""The values of our extension `x-role`. `spec/openapi.yaml` explains them."""

MODEL_MEMBERS = frozenset({"additional_keys", "additional_properties", "from_dict", "to_dict"})
"""The methods and the field of every generated model, from `templates/model.py.jinja`."""
