"""Compares the restrictions of two schemas that are neither types, values nor limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.schema import Schema
from ...rules import Change
from ..context import Context
from ..differences import Action, action_between
from .pairs import keyword_in_id, schema_pointers

_KEYWORDS = ("pattern", "multipleOf", "uniqueItems", "contentMediaType", "contentEncoding")

_PATTERNS_OF_EVERY_TEXT = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)", "[\\s\\S]*"})
"""Patterns that restrict nothing. A change to one of them has an id of its own in oasdiff."""


@dataclass(frozen=True)
class _RestrictionTexts:
    """The texts of one restriction in both schemas; empty where it is absent."""

    keyword: str
    base: str
    revised: str

    @property
    def action(self) -> str:
        """The end of the id. The ids of oasdiff differ between keywords."""
        if self.keyword.startswith("content"):
            return "changed"
        action = action_between(self.base, self.revised)
        if self.keyword == "pattern":
            if action == Action.CHANGED and self.revised in _PATTERNS_OF_EVERY_TEXT:
                return "generalized"
            return action
        if action == Action.CHANGED:
            return action
        return "set" if action == Action.ADDED else "unset"


def compare_restrictions(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of patterns, multiples, unique items and the content of texts."""
    for keyword in _KEYWORDS:
        texts = _RestrictionTexts(
            keyword,
            base=", ".join(base_schema.restrictions.get(keyword, ())),
            revised=", ".join(revised_schema.restrictions.get(keyword, ())),
        )
        if texts.base == texts.revised:
            continue
        action = texts.action
        yield context.change(
            f"*-{keyword_in_id(keyword)}-{action}",
            schema_pointers(base_schema, revised_schema),
            old=texts.base,
            new=texts.revised,
            name=keyword if action in ("set", "unset") else "",
        )


def compare_dependent_required(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of `dependentRequired`."""
    names = base_schema.dependent_required.keys() | revised_schema.dependent_required.keys()
    for name in sorted(names):
        base_text = ", ".join(sorted(base_schema.dependent_required.get(name, ())))
        revised_text = ", ".join(sorted(revised_schema.dependent_required.get(name, ())))
        if base_text == revised_text:
            continue
        yield context.change(
            f"*-dependent-required-{action_between(base_text, revised_text)}",
            schema_pointers(base_schema, revised_schema),
            old=base_text,
            new=revised_text,
            name=name,
        )
