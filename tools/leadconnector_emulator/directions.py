"""Copies schemas for one direction: a read-only property is not required in a request.

OpenAPI 3.0, "Schema Object": `required` of a read-only property affects responses only, and that of
a write-only property requests only. A validator of JSON Schema does not know this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .schema import JsonObject

READ_ONLY = "readOnly"
"""The flag of a property that requests do not contain."""

WRITE_ONLY = "writeOnly"
"""The flag of a property that responses do not contain."""


class OptionalProperties:
    """Copies parts of a document so that no schema in them requires a property with a flag.

    Args:
        flag: `READ_ONLY` or `WRITE_ONLY`.
        resolve: follows the references of the document.
        properties: returns the resolved properties of a schema, with those of its `allOf`.
    """

    def __init__(
        self,
        flag: str,
        resolve: Callable[[Any], Any],
        properties: Callable[[Any], dict[str, JsonObject]],
    ) -> None:
        self._flag = flag
        self._resolve = resolve
        self._properties = properties

    def copy(self, node: Any, flagged_names: frozenset[str] = frozenset()) -> Any:
        """A copy of a part of the document.

        Args:
            node: the part.
            flagged_names: for a branch of an `allOf`: the properties with the flag in all branches.
        """
        # The parser returns plain dicts and lists.
        if node.__class__ is list:
            return [self.copy(child) for child in node]
        if node.__class__ is not dict:
            return node
        mapping: JsonObject = node
        if flagged_names and "$ref" in mapping:
            # The target can require a property that another branch describes.
            mapping = self._resolve(mapping)
        flagged_names |= self._flagged_names(mapping)
        copied: JsonObject = {}
        for key, child in mapping.items():
            if key == "required" and child.__class__ is list:
                copied[key] = [name for name in child if name not in flagged_names]
            elif key == "allOf" and child.__class__ is list:
                copied[key] = [self.copy(branch, flagged_names) for branch in child]
            else:
                copied[key] = self.copy(child)
        return copied

    def _flagged_names(self, schema: JsonObject) -> frozenset[str]:
        has_properties = isinstance(schema.get("properties", {}), dict)
        has_branches = isinstance(schema.get("allOf", []), list)
        # A property or an example can have these names.
        if not has_properties or not has_branches:
            return frozenset()
        if "properties" not in schema and "allOf" not in schema:
            return frozenset()
        return frozenset(
            name for name, child in self._properties(schema).items() if has_flag(child, self._flag)
        )


def has_flag(schema: Any, flag: str) -> bool:
    """Whether a resolved schema has a flag. Other data, such as an example, has none."""
    return schema.__class__ is dict and schema.get(flag) is True


def mentions(node: Any, flag: str) -> bool:
    """Whether a flag is a key anywhere in a part of the document."""
    if node.__class__ is dict:
        return flag in node or any(mentions(child, flag) for child in node.values())
    if node.__class__ is list:
        return any(mentions(child, flag) for child in node)
    return False
