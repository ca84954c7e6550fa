"""Compares `enum`, `const` and `default` of two schemas.

`Schema.values` contains the allowed values of both keywords. Its keys are the values as canonical
JSON text, which is what the comparison works on: `"a"` with quotes for a string, `1` for a number.

- None: neither keyword is present, and every value is allowed.
- Empty: no value except `null` is allowed, for example if two branches of an `allOf` have enums
  without a common value.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.schema import Schema
from ...rules import Change
from ..context import Context
from ..differences import action_between, name_differences
from .pairs import schema_pointers


def compare_values(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of the allowed values.

    An enum of one value and a `const` mean the same, so replacing one by the other is no change. If
    only one schema has values, the id follows the keyword of that schema. If one has a `const` and
    the other an enum, each different value is reported as a value of an enum.
    """
    if base_schema.values is None and revised_schema.values is None:
        return
    if base_schema.values is None:
        rule_id = "*-const-added" if revised_schema.is_constant else "*-became-enum"
        yield _values_change(rule_id, base_schema, revised_schema, context)
        return
    if revised_schema.values is None:
        rule_id = "*-const-removed" if base_schema.is_constant else "*-became-not-enum"
        yield _values_change(rule_id, base_schema, revised_schema, context)
        return
    if base_schema.is_constant and revised_schema.is_constant:
        if list(base_schema.values) != list(revised_schema.values):
            yield _values_change("*-const-changed", base_schema, revised_schema, context)
        return
    for difference in name_differences(base_schema.values, revised_schema.values):
        yield context.change(
            f"*-enum-value-{difference.action}",
            schema_pointers(base_schema, revised_schema),
            name=difference.name,
        )


def compare_default(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report a difference of the default."""
    if base_schema.default == revised_schema.default:
        return
    # Canonical texts are never empty: the default `""` is the text of two quotes.
    action = action_between(base_schema.default, revised_schema.default)
    yield context.change(
        f"*-default-value-{action}",
        schema_pointers(base_schema, revised_schema),
        old=base_schema.default,
        new=revised_schema.default,
    )


def _values_change(
    rule_id: str, base_schema: Schema, revised_schema: Schema, context: Context
) -> Change:
    return context.change(
        rule_id,
        schema_pointers(base_schema, revised_schema),
        old=", ".join(base_schema.values or ()),
        new=", ".join(revised_schema.values or ()),
    )
