"""Says in sentences what a docstring should tell of a schema, besides its description.

Generated code has no defaults of the spec: the API applies them, and an update that sent them would
change what the caller left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openapi_python_client.parser import GeneratorData

from .direction import all_of_parts, has_flag
from .document import Document, Node, is_mapping
from .generator_api import model_properties
from .walk import all_schemas

DEPRECATED = "Deprecated."

_UNITS = {
    "Length": ("character", "characters"),
    "Items": ("element", "elements"),
}


def leading_notes(document: Document, schema: Node) -> list[str]:
    """The sentences before the description."""
    return [DEPRECATED] if has_flag(document, schema, "deprecated") else []


def trailing_notes(document: Document, schema: Node) -> list[str]:
    """The sentences after the description."""
    return list(_trailing_notes(document, schema))


def keyword_value(parts: Sequence[Node], keyword: str) -> Any:
    """The value of a keyword in the first part of a schema that has it."""
    for part in parts:
        if keyword in part.mapping:
            return part.get(keyword)
    return None


def add_notes(document: Document) -> None:
    """Add the sentences to the descriptions of properties, for the docstrings of models.

    Args:
        document: a copy of the spec, which is changed.
    """
    for schema in all_schemas(document):
        for _, child in schema.child("properties").entries():
            # The generator reads nothing beside a `$ref`.
            if is_mapping(child.value) and "$ref" not in child.mapping:
                _add_notes(document, child)


def remove_defaults(data: GeneratorData) -> None:
    """Remove the defaults from what the generator has parsed. They were valid."""
    for model in data.models:
        for prop in model_properties(model):
            # The generator's classes do not allow it.
            object.__setattr__(prop, "default", None)
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            for prop in endpoint.list_all_parameters():
                object.__setattr__(prop, "default", None)


def _add_notes(document: Document, schema: Node) -> None:
    description = str(schema.get("description") or "").strip()
    sentences = [description, *trailing_notes(document, schema)]
    if has_flag(document, schema, "readOnly"):
        sentences.insert(0, "Read-only.")
    if has_flag(document, schema, "writeOnly"):
        sentences.insert(0, "Write-only.")
    sentences = [*leading_notes(document, schema), *sentences]
    if sentences != [description]:
        schema.mapping["description"] = " ".join(filter(None, sentences))


def _trailing_notes(document: Document, schema: Node) -> Iterator[str]:
    # Beside the `$ref` of a schema, in its target, and in its `allOf`.
    parts = [schema, *all_of_parts(document, schema, frozenset())]
    minimum = keyword_value(parts, "minimum")
    maximum = keyword_value(parts, "maximum")
    yield from _range(minimum, maximum, "")
    lower_limit = keyword_value(parts, "exclusiveMinimum")
    upper_limit = keyword_value(parts, "exclusiveMaximum")
    if lower_limit is not None:
        yield f"Above {lower_limit}."
    if upper_limit is not None:
        yield f"Below {upper_limit}."
    for suffix, (singular, plural) in _UNITS.items():
        minimum = keyword_value(parts, f"min{suffix}")
        maximum = keyword_value(parts, f"max{suffix}")
        last = maximum if maximum is not None else minimum
        yield from _range(minimum, maximum, f" {singular if last == 1 else plural}")
    default = keyword_value(parts, "default")
    if default is not None:
        yield f"Server default: `{default}`."


def _range(minimum: Any, maximum: Any, unit: str) -> Iterator[str]:
    if minimum is not None and maximum is not None:
        yield f"{minimum} to {maximum}{unit}."
    elif minimum is not None:
        yield f"At least {minimum}{unit}."
    elif maximum is not None:
        yield f"At most {maximum}{unit}."
