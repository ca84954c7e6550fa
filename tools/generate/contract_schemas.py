"""Reduces schemas to what the client validates, and collects those that references lead to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .direction import is_read_only, required_names
from .document import Document, Node, Schema, is_mapping
from .unsupported.keywords import ANNOTATION_KEYWORDS, VALIDATED_KEYWORDS

_COMPONENT_PREFIX = "/components/schemas/"
_CONTRACT_PREFIX = "#/schemas/"

_DOCUMENTATION_KEYWORDS = frozenset(
    {"$defs", "description", "example", "examples", "externalDocs", "title", "xml"}
)
"""Keywords that only people read."""

_KEYWORDS = (VALIDATED_KEYWORDS | ANNOTATION_KEYWORDS | {"x-role"}) - _DOCUMENTATION_KEYWORDS
"""What the contract has of a schema. `x-role` is the one extension that the client reads."""


class ContractSchemas:
    """The schemas of the contract by name, with references between them as `#/schemas/NAME`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.by_name: dict[str, Schema] = {}
        """The targets of references. A schema that is no component has its JSON pointer as name."""

    def reduce(self, schema: Node) -> Any:
        """A schema without documentation. Values that are not mappings stay as they are."""
        if not is_mapping(schema.value):
            return schema.value
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema)
        if "allOf" in schema.mapping:
            return self._merged(schema)
        reduced: Schema = {}
        for keyword, child in schema.entries():
            if keyword == "const":
                # One form instead of two: the client only implements `enum`.
                reduced["enum"] = [child.value]
            elif keyword == "required":
                properties = dict(schema.child("properties").entries())
                reduced.update(self._required(child.sequence, properties))
            elif keyword in _KEYWORDS:
                reduced[keyword] = self._reduce_keyword(keyword, child)
        reduced.update(self._read_only(dict(schema.child("properties").entries())))
        return reduced

    def target(self, reference: Schema) -> Schema:
        """The collected schema that a reduced reference leads to."""
        pointer: str = reference["$ref"]
        name = pointer.removeprefix(_CONTRACT_PREFIX)
        return self.by_name[name]

    def _reduce_keyword(self, keyword: str, child: Node) -> Any:
        if keyword == "properties":
            return {name: self.reduce(schema) for name, schema in child.entries()}
        if keyword in {"anyOf", "oneOf"}:
            return [self.reduce(schema) for schema in child.elements()]
        if keyword in {"items", "additionalProperties"}:
            return self.reduce(child)
        return child.value

    def _reference(self, schema: Node) -> Schema:
        target = self.document.resolve(schema)
        name = _contract_name(target.pointer)
        if name not in self.by_name:
            # Reserve the name first: a schema may refer to itself.
            self.by_name[name] = {}
            self.by_name[name] = self.reduce(target)
        return {"$ref": f"{_CONTRACT_PREFIX}{name}"}

    def _merged(self, schema: Node) -> Any:
        """An `allOf` as its only branch, or as one object with the properties of all branches."""
        branches = list(schema.child("allOf").elements())
        own_constraints = schema.mapping.keys() & {"type", "properties", "required"}
        if len(branches) == 1 and not own_constraints:
            return self._reference_to(branches[0])
        properties = self.document.properties(schema)
        required = [name for name, child in properties.items() if child.required]
        merged: Schema = {"type": "object"}
        nodes = {name: child.schema for name, child in properties.items()}
        merged.update(self._required(required, nodes))
        merged["properties"] = {
            name: self._reference_to(child.schema) for name, child in properties.items()
        }
        merged.update(self._read_only(nodes))
        return merged

    def _required(self, names: Iterable[str], properties: dict[str, Node]) -> Schema:
        """The keywords for required names, of which some are required in one direction only."""
        required = required_names(self.document, names, properties)
        keywords = {
            "required": required.always,
            "requiredInRequests": required.in_requests,
            "requiredInResponses": required.in_responses,
        }
        return {keyword: value for keyword, value in keywords.items() if value}

    def _read_only(self, properties: dict[str, Node]) -> Schema:
        """The keyword for the properties that no request has."""
        names = [name for name, child in properties.items() if is_read_only(self.document, child)]
        return {"readOnlyProperties": names} if names else {}

    def _reference_to(self, node: Node) -> Any:
        """A reference to a node, so that findings name its place in the spec."""
        reference = {"$ref": f"#{node.pointer}"}
        return self.reduce(Node(reference, node.pointer))


def _contract_name(pointer: str) -> str:
    """The component's name, or the whole pointer of a schema elsewhere."""
    name = pointer.removeprefix(_COMPONENT_PREFIX)
    if "/" in name:
        return pointer
    return name
