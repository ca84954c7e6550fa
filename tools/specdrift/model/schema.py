"""Defines the normal form of a schema, in which schemas of equal meaning have equal fields.

`normal_form.read_schema` builds it from OpenAPI 3.0 and 3.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .document import Node, is_list, is_mapping

Nodes: TypeAlias = tuple[Node, ...]
"""One schema, as all the nodes that describe it together. A value has to match each of them.

Most schemas are one node. Several nodes occur below an `allOf`: if two of its branches describe the
property `name`, then the schema of that property is both nodes.
"""

NEVER = "nothing"
"""The type of a schema that no value matches, such as `false`."""

LOWER_LIMITS = frozenset(
    {
        "minimum",
        "exclusiveMinimum",
        "minLength",
        "minItems",
        "minProperties",
        "minContains",
    }
)
UPPER_LIMITS = frozenset(
    {
        "maximum",
        "exclusiveMaximum",
        "maxLength",
        "maxItems",
        "maxProperties",
        "maxContains",
    }
)
EXCLUSIVE_LIMITS = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
"""The exclusive form of each limit that has one."""


@dataclass
class Schema:
    """A schema in normal form. Only its reader changes it."""

    node: Node
    """The location of the schema, which changes point to."""

    types: frozenset[str] = frozenset()
    """The allowed types without `null`; empty if every type is allowed."""

    nullable: bool | None = None
    """Whether `null` is allowed; None if the schema does not say."""

    values: dict[str, Any] | None = None
    """The allowed values without `null`, by their canonical text; None if unrestricted."""

    is_constant: bool = False
    """Whether the value is written as `const`."""

    is_type_union: bool = False
    """Whether the types are written as a union of schemas that have only a type."""

    limits: dict[str, float] = field(default_factory=dict[str, float])
    """Lower and upper limits by keyword."""

    restrictions: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """`format`, `pattern` and similar keywords as text. Branches of an `allOf` can differ."""

    default: str | None = None
    """The canonical text of the default."""

    rejects_everything: bool = False
    """Whether no value matches, as with `false` and `not: {}`."""

    flags: set[str] = field(default_factory=set[str])
    """Those of `readOnly`, `writeOnly` and `deprecated` that are true."""

    required: set[str] = field(default_factory=set[str])
    """The names of required properties."""

    dependent_required: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The properties that become required if the property of that name is present."""

    properties: dict[str, Nodes] = field(default_factory=dict[str, Nodes])
    """Every described or required property."""

    subschemas: dict[str, Nodes] = field(default_factory=dict[str, Nodes])
    """Keywords with one schema, such as `items` or `not`."""

    subschema_groups: dict[str, dict[str, Nodes]] = field(
        default_factory=dict[str, dict[str, Nodes]]
    )
    """Keywords with several named schemas, such as `patternProperties`."""

    unions: dict[str, list[Node]] = field(default_factory=dict[str, list[Node]])
    """The branches of `anyOf` and `oneOf`, without `null`."""

    discriminator: Node | None = None

    all_of_branches: list[Node] = field(default_factory=list[Node])
    """The branches of each `allOf`. Their keywords are merged into the other fields."""

    unresolved_references: frozenset[str] = frozenset()
    """The texts of references without a target."""

    @property
    def is_only_union(self) -> bool:
        """Whether the schema has branches of a union and no other description."""
        has_description = (
            self.types
            or self.values is not None
            or self.limits
            or self.restrictions
            or self.properties
            or self.subschemas
            or self.subschema_groups
        )
        return bool(self.unions) and not has_description

    @property
    def has_restriction(self) -> bool:
        """Whether the schema rejects any value, judged without looking at its subschemas."""
        restricts_values = (
            self.types
            or self.values is not None
            or self.limits
            or self.restrictions
            or self.unresolved_references
        )
        has_subschemas = self.properties or self.subschemas or self.subschema_groups or self.unions
        return bool(restricts_values or has_subschemas)


def canonical(value: Any) -> str:
    """Return a text that is equal for equal JSON values.

    The order of keys does not matter, and 1.0 equals 1 (JSON Schema 2020-12, section 4.2.2).
    """
    return json.dumps(_with_plain_numbers(value), sort_keys=True, default=str, ensure_ascii=False)


def _with_plain_numbers(value: Any) -> Any:
    if is_mapping(value):
        return {str(key): _with_plain_numbers(item) for key, item in value.items()}
    if is_list(value):
        return [_with_plain_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
