"""Compares two type annotations by the names in them.

A type is the set of the members of a union or `Literal`. Only the last part of a name counts:
`httpx.Client` and `Client` are the same type. Resolving all names would need all dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard

import griffe

from .model import Expression, Severity

UNKNOWN = frozenset[str]()
"""The members of a type that allows anything: `Any`, or no annotation."""


def members_of(annotation: Expression) -> frozenset[str]:
    """The members of a type, as text; `UNKNOWN` if it allows anything."""
    members: set[str] = set()
    for alternative in alternatives_of(annotation):
        texts = texts_of_alternative(alternative)
        if texts & {"", "Any"}:
            return UNKNOWN
        members |= texts
    return frozenset(members)


def alternatives_of(annotation: Expression) -> Iterator[Expression]:
    """The alternatives of `A | B`, `Union[A, B]` or `Optional[A]`; otherwise the type itself."""
    if is_union(annotation):
        yield from alternatives_of(annotation.left)
        yield from alternatives_of(annotation.right)
    elif is_special_form(annotation, "Union"):
        for element in elements_of(annotation):
            yield from alternatives_of(element)
    elif is_special_form(annotation, "Optional"):
        yield from alternatives_of(annotation.slice)
        yield "None"
    elif alias_value := value_of_private_name(annotation):
        yield from alternatives_of(alias_value)
    else:
        yield annotation


def texts_of_alternative(annotation: Expression) -> frozenset[str]:
    """A type that is no union, as text: one text for each value of a `Literal`."""
    if is_special_form(annotation, "Literal"):
        return frozenset(f"Literal[{element}]" for element in elements_of(annotation))
    return frozenset({text_of(annotation)})


def is_union(annotation: Expression) -> TypeGuard[griffe.ExprBinOp]:
    """Whether an annotation has the form `A | B`."""
    return isinstance(annotation, griffe.ExprBinOp) and annotation.operator == "|"


def is_special_form(annotation: Expression, name: str) -> TypeGuard[griffe.ExprSubscript]:
    """Whether an annotation has the form `Name[…]`, for a name of the module `typing`."""
    if not isinstance(annotation, griffe.ExprSubscript):
        return False
    return annotation.canonical_path.endswith(f".{name}")


def elements_of(annotation: griffe.ExprSubscript) -> Sequence[Expression]:
    """The elements between the brackets of an annotation."""
    if isinstance(annotation.slice, griffe.ExprTuple):
        return annotation.slice.elements
    return [annotation.slice]


def value_of_private_name(expression: Expression) -> Expression:
    """The value of a private constant or type alias; None for other expressions.

    Users cannot see a private name, only what it stands for.
    """
    if not isinstance(expression, griffe.ExprName) or not expression.name.startswith("_"):
        return None
    scope = expression.parent
    if not isinstance(scope, griffe.Object):
        return None
    try:
        target = scope.modules_collection[expression.canonical_path]
    except KeyError:
        return None
    return target.value if isinstance(target, griffe.Attribute) else None


def text_of(annotation: Expression) -> str:
    """An annotation as text, with only the last part of each dotted name.

    The order of the members of a union, or of the values of a `Literal`, does not matter.
    """
    if not isinstance(annotation, griffe.Expr):
        return annotation or ""
    if isinstance(annotation, griffe.ExprName | griffe.ExprAttribute):
        # The name in its own module, whatever the import calls it.
        return annotation.canonical_path.rpartition(".")[2]
    alternatives = list(alternatives_of(annotation))
    if len(alternatives) > 1 or is_special_form(annotation, "Literal"):
        return " | ".join(sorted(members_of(annotation))) or "Any"
    return "".join(text_of(part) for part in annotation)


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
