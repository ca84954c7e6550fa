"""Reads schemas without references and `allOf`, and validates data with the library jsonschema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from benchmarks.long.conformance.documents import Document, Json, is_array, is_object

Direction: TypeAlias = Literal["request", "response"]

_DOCUMENT_URI = "urn:document"
_HIDDEN: Mapping[str, str] = {"request": "readOnly", "response": "writeOnly"}
_COMPONENT = "#/components/schemas/"
# Keywords that limit values. They only matter for samples.
_LIMITS = (
    "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "example", "examples",
    "default", "discriminator", "contentMediaType",
)  # fmt: skip


@dataclass(frozen=True)
class Schema:
    """A schema with the keywords of its references and of `allOf`."""

    source: Json
    """The schema in the document."""
    component: str = ""
    """The name of the component that it is; empty for any other schema."""
    types: frozenset[str] = frozenset()
    """The allowed types; empty if all are."""
    enum: tuple[Json, ...] | None = None
    is_constant: bool = False
    properties: Mapping[str, Json] = field(default_factory=dict[str, Json])
    required: frozenset[str] = frozenset()
    additional: Json = None
    """`additionalProperties`; `None` if the schema does not have it."""
    items: Json = None
    branches: tuple[Json, ...] = ()
    """Of `oneOf` or `anyOf`."""
    is_exclusive: bool = False
    """Whether the branches are those of `oneOf`."""
    keywords: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Other keywords by name."""

    @property
    def allows_null(self) -> bool:
        """Whether null is valid."""
        return "null" in self.types or (self.enum is not None and None in self.enum)

    @property
    def plain_types(self) -> frozenset[str]:
        """The types without null."""
        return self.types - {"null"}

    @property
    def item_schema(self) -> Json:
        """The schema of the items of an array."""
        return {} if self.items is None else self.items

    @property
    def additional_schema(self) -> Json:
        """The schema of properties that the schema does not list."""
        return self.additional if is_object(self.additional) else {}

    @property
    def is_model(self) -> bool:
        """Whether it describes an object with properties."""
        return bool(self.properties)


class Schemas:
    """The schemas of a document, seen in one direction."""

    def __init__(self, document: Document, direction: Direction) -> None:
        self.document = document
        self.direction = direction
        resource = DRAFT202012.create_resource(_for_validation(document.root))
        self._registry: Registry[Any] = Registry[Any]().with_resource(_DOCUMENT_URI, resource)
        self._views: dict[int, Schema] = {}
        self._validators: dict[int, tuple[Json, Any]] = {}

    def view(self, schema: Json) -> Schema:
        """The schema without references and `allOf`."""
        view = self._views.get(id(schema))
        # The view keeps its source alive. So no other schema has its id.
        if view is None or view.source is not schema:
            view = replace(self._merged(schema), source=schema)
            self._views[id(schema)] = view
        return view

    def accepts(self, schema: Json, value: Json) -> bool:
        """Whether a value is valid, as the library jsonschema sees it."""
        entry = self._validators.get(id(schema))
        if entry is None or entry[0] is not schema:
            entry = schema, self._validator(schema)
            self._validators[id(schema)] = entry
        validator = entry[1]
        return bool(validator.is_valid(value))

    def _validator(self, schema: Json) -> Any:
        return jsonschema.Draft202012Validator(_for_validation(schema), registry=self._registry)

    def _merged(self, schema: Json) -> Schema:
        if not is_object(schema):
            return Schema(schema)
        merged = self._without_composition(schema)
        parts: list[Schema] = []
        if "$ref" in schema:
            target = self._merged(self.document.target(schema["$ref"]))
            if schema["$ref"].startswith(_COMPONENT):
                target = replace(target, component=schema["$ref"].removeprefix(_COMPONENT))
            parts.append(target)
        parts += [self._merged(part) for part in schema.get("allOf", [])]
        for part in parts:
            merged = _both(merged, part)
        if len(parts) == 1 and not schema.get("properties"):
            merged = replace(merged, component=parts[0].component)
        return merged

    def _without_composition(self, node: Mapping[str, Json]) -> Schema:
        names = node.get("type", [])
        types = frozenset([names] if isinstance(names, str) else names)
        properties = {
            name: schema
            for name, schema in node.get("properties", {}).items()
            if not self._is_hidden(schema)
        }
        hidden = set(node.get("properties", {})) - set(properties)
        enum = node.get("enum")
        if "const" in node:
            enum = [node["const"]]
        keyword = "oneOf" if "oneOf" in node else "anyOf"
        return Schema(
            source=node,
            types=types,
            enum=None if enum is None else tuple(enum),
            is_constant="const" in node,
            properties=properties,
            required=frozenset(node.get("required", [])) - hidden,
            additional=node.get("additionalProperties"),
            items=node.get("items"),
            branches=tuple(node.get(keyword, [])),
            is_exclusive="oneOf" in node,
            keywords={name: node[name] for name in _LIMITS if name in node},
        )

    def _is_hidden(self, schema: Json) -> bool:
        """Whether a property does not exist in this direction."""
        target = self.document.resolve(schema)
        flags: list[Json] = [schema, target, *target.get("allOf", [])]
        return any(flag.get(_HIDDEN[self.direction]) is True for flag in flags)


def _both(first: Schema, second: Schema) -> Schema:
    """A schema that has the keywords of two."""
    types = first.types & second.types if first.types and second.types else None
    return Schema(
        source=first.source,
        types=types if types is not None else first.types | second.types,
        enum=first.enum if first.enum is not None else second.enum,
        is_constant=first.is_constant or second.is_constant,
        properties={**first.properties, **second.properties},
        required=first.required | second.required,
        additional=first.additional if first.additional is not None else second.additional,
        items=first.items if first.items is not None else second.items,
        branches=first.branches or second.branches,
        is_exclusive=first.is_exclusive if first.branches else second.is_exclusive,
        keywords={**second.keywords, **first.keywords},
    )


def _for_validation(node: Json) -> Json:
    """A schema whose references lead to the document from everywhere.

    A discriminator selects the branch of `oneOf`, also if a value matches several.
    """
    if is_array(node):
        return [_for_validation(item) for item in node]
    if not is_object(node):
        return node
    changed = {name: _for_validation(value) for name, value in node.items()}
    reference = changed.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        changed["$ref"] = f"{_DOCUMENT_URI}{reference}"
    if "discriminator" in changed and "oneOf" in changed:
        changed["anyOf"] = changed.pop("oneOf")
    return changed
