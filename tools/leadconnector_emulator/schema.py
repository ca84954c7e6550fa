"""A JSON schema of the spec together with the compiled validator that enforces it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator

JsonObject = dict[str, Any]
"""An object of a JSON or YAML document: a schema, a node of the spec, or the data of a body."""


@dataclass(frozen=True)
class CompiledSchema:
    """A JSON schema, compiled on first use."""

    schema: JsonObject
    components: JsonObject
    """The document's components, to which the schema's references point."""

    @cached_property
    def _validator(self) -> Draft202012Validator:
        # References have the form `#/components/…`, so the components are part of the schema.
        document = {**self.schema, "components": self.components}
        return Draft202012Validator(document, validate_formats=True)

    def is_valid(self, data: Any) -> bool:
        """Whether data satisfies the schema."""
        return self._validator.is_valid(data)

    def violations(self, data: Any) -> list[str]:
        """One message per violation, sorted by place: `starred: 1 is not of type "boolean"`."""
        located_messages: list[tuple[str, str]] = []
        for error in self._validator.iter_errors(data):
            place = ".".join(map(str, error.instance_path))
            located_messages.append((place, error.message))

        messages: list[str] = []
        for place, message in sorted(located_messages):
            messages.append(f"{place}: {message}" if place else message)
        return messages
