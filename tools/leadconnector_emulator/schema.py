"""A JSON schema of the spec together with the compiled validator that enforces it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationErrorKind

JsonObject = dict[str, Any]
"""An object of a JSON or YAML document: a schema, a node of the spec, or the data of a body."""


@dataclass(frozen=True)
class Violation:
    """One rule of a schema that data violates."""

    place: tuple[str | int, ...]
    """The names and indexes that lead to the data."""
    message: str
    is_unknown_property: bool
    """Whether an object has a property that its schema does not allow."""
    options: tuple[Any, ...] = ()
    """The values of an enum that the data is none of."""


@dataclass(frozen=True)
class CompiledSchema:
    """A JSON schema, compiled on first use."""

    schema: JsonObject
    components: JsonObject
    """The document's components, to which the schema's references point."""
    checked_schema: JsonObject | None = None
    """What is validated instead of the schema: a copy for one direction, with such components."""

    @cached_property
    def _validator(self) -> Draft202012Validator:
        # References have the form `#/components/…`, so the components are part of the schema.
        schema = self.schema if self.checked_schema is None else self.checked_schema
        document = {**schema, "components": self.components}
        return Draft202012Validator(document, validate_formats=True)

    def is_valid(self, data: Any) -> bool:
        """Whether data satisfies the schema."""
        return self._validator.is_valid(data)

    def violations(self, data: Any) -> list[str]:
        """One message per violation, sorted by place: `starred: 1 is not of type "boolean"`."""
        located_messages: list[tuple[str, str]] = []
        for violation in self.located_violations(data):
            located_messages.append((".".join(map(str, violation.place)), violation.message))

        messages: list[str] = []
        for place, message in sorted(located_messages):
            messages.append(f"{place}: {message}" if place else message)
        return messages

    def located_violations(self, data: Any) -> list[Violation]:
        """The violations, in the order in which the validator finds them."""
        violations: list[Violation] = []
        for error in self._validator.iter_errors(data):
            options: tuple[Any, ...] = ()
            if isinstance(error.kind, ValidationErrorKind.Enum):
                options = tuple(error.kind.options)
            violation = Violation(
                place=tuple(error.instance_path),
                message=error.message,
                is_unknown_property=isinstance(
                    error.kind, ValidationErrorKind.AdditionalProperties
                ),
                options=options,
            )
            violations.append(violation)
        return violations
