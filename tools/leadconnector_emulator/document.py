"""An OpenAPI document as data: following its references, and compiling its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from .references import References, steps_of, target_of
from .schema import CompiledSchema, JsonObject


class Document:
    """A parsed OpenAPI document.

    Args:
        root: the parsed document.

    Raises:
        ValueError: a reference leads outside the document, or back to itself.
    """

    def __init__(self, root: JsonObject) -> None:
        self.root = root
        self._check_references(root)
        self.components: JsonObject = root.get("components", {})
        self.references = References(root)
        # By identity of the node. The node is stored too, so that its identity stays unique. Each
        # node has one result, so that a validator is compiled once, wherever it is used.
        self._merged_nodes: dict[int, tuple[Any, JsonObject]] = {}
        self._compiled_schemas: dict[int, CompiledSchema] = {}
        self._anything: JsonObject = {}
        self._nothing: JsonObject = {"not": {}}

    def resolve(self, node: Any) -> Any:
        """Follow `$ref`. Keys next to a reference take precedence over those it refers to.

        A boolean schema becomes the equivalent object: `true` accepts everything, `false` nothing.
        """
        if not isinstance(node, dict):
            return self._schema_of_boolean(node)
        mapping = cast("JsonObject", node)
        if "$ref" not in mapping:
            return mapping
        merged = self._merged_nodes.get(id(mapping))
        if merged is None:
            merged = self._merged_nodes.setdefault(id(mapping), (mapping, self._merge(mapping)))
        return merged[1]

    def _schema_of_boolean(self, node: Any) -> Any:
        if node is True:
            return self._anything
        if node is False:
            return self._nothing
        return node

    def _merge(self, node: JsonObject) -> Any:
        """The target of a reference, with the keys next to the reference."""
        target = self.resolve(self._target(node["$ref"]))
        siblings = {name: value for name, value in node.items() if name != "$ref"}
        if siblings:
            return cast("JsonObject", target) | siblings
        return target

    def properties(self, schema: Any) -> dict[str, JsonObject]:
        """The resolved properties of an object schema, including those of its `allOf`."""
        properties: dict[str, JsonObject] = {}
        for part in self._combined_schemas(schema, frozenset()):
            for name, child in part.get("properties", {}).items():
                properties[name] = self.resolve(child)
        return properties

    def required(self, schema: Any) -> list[str]:
        """The required properties of an object schema, including those of its `allOf`."""
        names: list[str] = []
        for part in self._combined_schemas(schema, frozenset()):
            names += part.get("required", [])
        return names

    def _combined_schemas(self, schema: Any, outer: frozenset[int]) -> Iterator[JsonObject]:
        """The resolved schemas of `allOf`, followed by the schema itself.

        Args:
            schema: the schema.
            outer: the identities of the schemas around it. One that contains itself adds nothing.
        """
        resolved = self.resolve(schema)
        if id(resolved) in outer:
            return
        for branch in resolved.get("allOf", []):
            yield from self._combined_schemas(branch, outer | {id(resolved)})
        yield resolved

    def node_at(self, pointer: str) -> Any:
        """The node at a JSON pointer (RFC 6901), such as `/components/schemas/Conversation`."""
        return self._target(f"#{pointer}")

    def compile(self, schema: Any) -> CompiledSchema:
        """The validator of a schema, which is compiled on its first use.

        To compile all of them here would take minutes and gigabytes for a large spec, and most
        tests use few operations. `schema_faults` finds invalid schemas when the spec is loaded.
        """
        resolved = self.resolve(schema)
        compiled = self._compiled_schemas.get(id(resolved))
        if compiled is None:
            compiled = CompiledSchema(resolved, self.references.self_contained)
            compiled = self._compiled_schemas.setdefault(id(resolved), compiled)
        return compiled

    def _target(self, reference: str) -> Any:
        """The node that a reference within the document points to (RFC 6901)."""
        return target_of(self.root, steps_of(reference))

    def _check_references(self, node: Any) -> None:
        """Reject references that a validator would fetch from elsewhere or follow forever."""
        # The parser returns plain dicts and lists, and a large document has many nodes.
        if node.__class__ is dict:
            self._check_reference_chain(node)
            for child in node.values():
                self._check_references(child)
        elif node.__class__ is list:
            for child in node:
                self._check_references(child)

    def _check_reference_chain(self, node: Any) -> None:
        visited: list[str] = []
        while node.__class__ is dict and isinstance(node.get("$ref"), str):
            reference: str = node["$ref"]
            if not reference.startswith("#/") or reference in visited:
                raise ValueError(
                    f"the reference {reference!r} leads outside the document, or back to itself"
                )
            visited.append(reference)
            try:
                node = self._target(reference)
            except (IndexError, KeyError, TypeError, ValueError):
                raise ValueError(f"the reference {reference!r} leads to nothing") from None
