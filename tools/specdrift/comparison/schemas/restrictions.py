"""Compares restrictions of strings, numbers and lists, and `dependentRequired`.

The restrictions are `pattern`, `multipleOf`, `uniqueItems`, `contentMediaType` and
`contentEncoding`. `format` is a restriction in normal form as well, but `types.py` compares it
together with the type.

Like in oasdiff, the ends of the check ids differ between the keywords:

| keyword | added | removed | changed |
|---|---|---|---|
| `pattern` | `added` | `removed` | `changed`, or `generalized` if it now matches everything |
| `multipleOf`, `uniqueItems` | `set` | `unset` | `changed` |
| `contentMediaType`, `contentEncoding` | `changed` | `changed` | `changed` |
| `dependentRequired` | `added` | `removed` | `changed` |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.schema import Schema
from ...rules import Change
from ..context import Context
from ..differences import Action, action_between
from .ids import keyword_in_id
from .pairs import schema_pointers

_KEYWORDS = ("pattern", "multipleOf", "uniqueItems", "contentMediaType", "contentEncoding")

_PATTERNS_OF_EVERY_STRING = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)", "[\\s\\S]*"})
"""Patterns that restrict nothing. A change to one of them has an id of its own in oasdiff."""


@dataclass(frozen=True)
class _RestrictionTexts:
    """The texts of one restriction in both schemas; empty where it is absent."""

    keyword: str
    base: str
    revised: str

    @property
    def restrict_nothing(self) -> bool:
        """Whether no string is rejected, with or without the pattern."""
        patterns_and_absence = {*_PATTERNS_OF_EVERY_STRING, ""}
        return self.keyword == "pattern" and {self.base, self.revised} <= patterns_and_absence

    @property
    def id_ending(self) -> str:
        """The end of the id; see the table of the module."""
        if self.keyword.startswith("content"):
            return "changed"
        action = action_between(self.base, self.revised)
        if self.keyword == "pattern":
            if action == Action.CHANGED and self.revised in _PATTERNS_OF_EVERY_STRING:
                return "generalized"
            return action
        if action == Action.CHANGED:
            return action
        return "set" if action == Action.ADDED else "unset"


def compare_restrictions(
    base_schema: Schema, revised_schema: Schema, context: Context
) -> Iterator[Change]:
    """Report differences of patterns, multiples, unique items and the content of strings."""
    for keyword in _KEYWORDS:
        texts = _RestrictionTexts(
            keyword,
            base=", ".join(base_schema.restrictions.get(keyword, ())),
            revised=", ".join(revised_schema.restrictions.get(keyword, ())),
        )
        if texts.base == texts.revised or texts.restrict_nothing:
            continue
        # Only the sentences of `*-set` and `*-unset` do not name the keyword themselves.
        is_named_in_change = texts.id_ending in ("set", "unset")
        yield context.change(
            f"*-{keyword_in_id(keyword)}-{texts.id_ending}",
            schema_pointers(base_schema, revised_schema),
            old=texts.base,
            new=texts.revised,
            name=keyword if is_named_in_change else "",
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
