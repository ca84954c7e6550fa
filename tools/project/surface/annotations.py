"""Compares two type annotations by the names in them.

A type is the set of the members of a union or `Literal`. Only the last part of a name counts:
`httpx.Client` and `Client` are the same type. Resolving all names would need all dependencies.
"""

from __future__ import annotations

from typing import TypeGuard

import griffe

from .model import Expression, Severity

UNKNOWN = frozenset[str]()
"""The members of a type that allows anything: `Any`, or no annotation."""


def members_of(annotation: Expression) -> frozenset[str]:
    """The members of a type, as text; `UNKNOWN` if it allows anything."""
    if is_union(annotation):
        left = members_of(annotation.left)
        right = members_of(annotation.right)
        if UNKNOWN in (left, right):
            return UNKNOWN
        return left | right
    if is_literal(annotation):
        values = annotation.slice
        elements = values.elements if isinstance(values, griffe.ExprTuple) else [values]
        return frozenset(f"Literal[{element}]" for element in elements)
    text = text_of(annotation)
    if text in ("", "Any"):
        return UNKNOWN
    return frozenset({text})


def is_union(annotation: Expression) -> TypeGuard[griffe.ExprBinOp]:
    """Whether an annotation has the form `A | B`."""
    return isinstance(annotation, griffe.ExprBinOp) and annotation.operator == "|"


def is_literal(annotation: Expression) -> TypeGuard[griffe.ExprSubscript]:
    """Whether an annotation has the form `Literal[…]`."""
    if not isinstance(annotation, griffe.ExprSubscript):
        return False
    return annotation.canonical_path.endswith(".Literal")


def text_of(annotation: Expression) -> str:
    """An annotation as text, with only the last part of each dotted name."""
    if not isinstance(annotation, griffe.Expr):
        return annotation or ""
    words: list[str] = []
    for part in annotation:
        if str(part) == ".":
            # The word before the dot is a module or a class, such as `httpx` in `httpx.Client`.
            del words[-1:]
        elif isinstance(part, griffe.Expr):
            # The name in its own module, whatever the import calls it.
            words.append(part.canonical_path.rpartition(".")[2])
        else:
            words.append(part)
    return "".join(words)


def describe(members: frozenset[str]) -> str:
    """A type for a message, such as `None | str`."""
    return " | ".join(sorted(members)) or "anything"


def severity_of_input_change(base: frozenset[str], revision: frozenset[str]) -> Severity:
    """How bad a changed type of a parameter is: it may accept more, but not less."""
    if UNKNOWN in (base, revision):
        return "WARN"
    if revision > base:
        return "INFO"
    if revision < base:
        return "ERR"
    # Some members were removed and others added. Names alone do not show whether they overlap.
    return "WARN"


def severity_of_output_change(base: frozenset[str], revision: frozenset[str]) -> Severity:
    """How bad a changed type of a return value or attribute is: the reverse of a parameter."""
    return severity_of_input_change(base=revision, revision=base)
