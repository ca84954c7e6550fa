"""A JSON schema of the spec together with the compiled validator that enforces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
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


class CompiledSchema:
    """A JSON schema, compiled on first use and then only once. Thread-safe.

    Args:
        schema: the schema.
        self_contained: makes a schema a document with all that its references lead to.
    """

    def __init__(
        self, schema: JsonObject, self_contained: Callable[[JsonObject], JsonObject]
    ) -> None:
        self.schema = schema
        self._self_contained = self_contained
        self._compiled: Draft202012Validator | None = None
        self._lock = Lock()

    @property
    def _validator(self) -> Draft202012Validator:
        # Without the lock, the usual case costs one comparison.
        if self._compiled is not None:
            return self._compiled
        with self._lock:
            if self._compiled is None:
                self._compiled = compile_validator(self._self_contained(self.schema))
            return self._compiled

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

    def invalid_keywords(self, data: Any) -> list[str]:
        """The keywords of the schema itself that data violates, with repetitions."""
        keywords: list[str] = []
        for error in self._validator.iter_errors(data):
            path = list(error.schema_path)
            # A boolean schema has no keyword. It became `not` when it was resolved.
            keywords.append(str(path[0]) if path else "not")
        return keywords

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


def compile_validator(document: JsonObject) -> Draft202012Validator:
    """Compile a schema that contains all that its references lead to.

    Raises:
        jsonschema_rs.ValidationError: it is not a valid JSON schema.
    """
    return Draft202012Validator(document, validate_formats=True)
