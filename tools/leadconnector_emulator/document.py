"""An OpenAPI document as data: reading it, following its references, and compiling its schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

from .directions import READ_ONLY, WRITE_ONLY, OptionalProperties, mentions
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
        self._optional_properties = {
            flag: OptionalProperties(flag, self.resolve, self.properties)
            for flag in (READ_ONLY, WRITE_ONLY)
            if mentions(root, flag)
        }
        self._components_by_flag = {
            flag: optional_properties.copy(self.components)
            for flag, optional_properties in self._optional_properties.items()
        }

    def resolve(self, node: Any) -> Any:
        """Follow `$ref`. Keys next to a reference take precedence over those it refers to.

        A boolean schema becomes the equivalent object: `true` accepts everything, `false` nothing.
        """
        siblings: JsonObject = {}
        while isinstance(node, dict) and "$ref" in node:
            mapping = cast("JsonObject", node)
            own_keys = {name: value for name, value in mapping.items() if name != "$ref"}
            siblings = own_keys | siblings
            node = self._target(mapping["$ref"])
        if node is True:
            return JsonObject()
        if node is False:
            return {"not": JsonObject()}
        if siblings:
            return cast("JsonObject", node) | siblings
        return cast("Any", node)

    def properties(self, schema: Any) -> dict[str, JsonObject]:
        """The resolved properties of an object schema, including those of its `allOf`."""
        resolved = self.resolve(schema)
        properties: dict[str, JsonObject] = {}
        for branch in resolved.get("allOf", []):
            properties |= self.properties(branch)
        for name, child in resolved.get("properties", {}).items():
            properties[name] = self.resolve(child)
        return properties

    def required(self, schema: Any) -> list[str]:
        """The required properties of an object schema, including those of its `allOf`."""
        resolved = self.resolve(schema)
        names: list[str] = []
        for branch in resolved.get("allOf", []):
            names += self.required(branch)
        names += resolved.get("required", [])
        return names

    def node_at(self, pointer: str) -> Any:
        """The node at a JSON pointer (RFC 6901), such as `/components/schemas/Conversation`."""
        return self._target(f"#{pointer}")

    def compile(self, schema: JsonObject, *, optional: str = "") -> CompiledSchema:
        """Compile a schema.

        Args:
            schema: the schema.
            optional: the flag of the properties that are never required: `READ_ONLY` in a request,
                `WRITE_ONLY` in a response.

        Raises:
            jsonschema_rs.ValidationError: it is not a valid JSON schema.
        """
        resolved = self.resolve(schema)
        compiled = CompiledSchema(resolved, self.components)
        if optional in self._optional_properties:
            checked_schema = self._optional_properties[optional].copy(resolved)
            components = self._components_by_flag[optional]
            compiled = CompiledSchema(resolved, components, checked_schema)
        # Compilation is lazy. The first use reports an invalid schema when the spec is loaded,
        # instead of when the first request arrives.
        compiled.is_valid(None)
        return compiled

    def _target(self, reference: str) -> Any:
        """The node that a reference within the document points to (RFC 6901)."""
        target: Any = self.root
        for part in reference.removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return target

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
            node = self._target(reference)


def load_yaml(path: Path) -> Any:
    """Parse a YAML file into JSON's types.

    Raises:
        OSError: the file cannot be read.
        yaml.YAMLError, UnicodeDecodeError: it is not YAML in UTF-8.
    """
    text = path.read_text(encoding="utf-8")
    return yaml.load(text, Loader=_JsonTypesLoader)  # noqa: S506 - derived from SafeLoader


class _JsonTypesLoader(yaml.SafeLoader):
    """A YAML loader without timestamps: JSON has no dates, so a date stays text."""


_JsonTypesLoader.yaml_implicit_resolvers = {
    first_character: [
        (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
    ]
    for first_character, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
