"""Compares the public surfaces of two checkouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import griffe

from .annotations import (
    describe,
    members_of,
    severity_of_input_change,
    severity_of_output_change,
    value_of_private_name,
)
from .loading import load_surface
from .model import (
    DOCUMENTED_MODULES,
    PACKAGES,
    SEVERITIES,
    Expression,
    Severity,
    Surface,
    SurfaceChange,
    SurfaceError,
)

FUNCTION_LABELS = ("async", "classmethod", "staticmethod")
"""Labels of a function that change how it is called."""


@dataclass(frozen=True)
class Difference:
    """A difference between two objects at the same path."""

    severity: Severity
    kind: str
    """Such as `parameter-removed`."""
    text: str
    """A sentence."""
    parameter: str = ""
    """The parameter that differs; empty if it is the object itself."""


def surface_changes(
    base: Path, revision: Path, packages: Mapping[str, str] = PACKAGES
) -> list[SurfaceChange]:
    """The changes from one checkout to another, the worst first.

    Args:
        base: the root of the older checkout.
        revision: the root of the newer checkout.
        packages: the folder of each package, relative to the roots.

    Raises:
        SurfaceError: a checkout cannot be read, or the older one has none of the packages.
    """
    base_surface = load_surface(base, packages)
    revision_surface = load_surface(revision, packages)
    if not base_surface.objects:
        raise SurfaceError(
            f"there is no package in it ({', '.join(packages)}): name a revision that has one"
        )
    changes = distinct_changes(base_surface, revision_surface)
    return sorted(changes, key=sort_key)


def sort_key(change: SurfaceChange) -> tuple[int, str]:
    """The order of changes: the worst first, then by path."""
    return SEVERITIES.index(change.severity), change.path


def distinct_changes(base: Surface, revision: Surface) -> list[SurfaceChange]:
    """All changes. A definition with several public paths is reported once, at the first path."""
    changes: dict[tuple[str, ...], SurfaceChange] = {}
    for path in sorted(base.objects | revision.objects, key=path_order):
        parent, _, name = path.rpartition(".")
        if (parent in base.objects) != (parent in revision.objects):
            # The parent was added or removed. That change includes this one.
            continue
        side = revision if path in revision.objects else base
        location = side.location(path)
        for difference in differences_at(path, base, revision):
            change = SurfaceChange(
                severity_in(side.module_of(path), difference.severity),
                difference.kind,
                path,
                difference.text,
                location.file,
                location.line,
                difference.parameter,
            )
            # A name may leave one module and remain in another. So each module is reported.
            is_module_member = parent not in side.bases
            is_name_change = change.kind in ("added", "removed")
            subject = path if is_name_change and is_module_member else name
            place = (location.file, str(location.line))
            changes.setdefault((change.kind, subject, change.text, *place), change)
    return list(changes.values())


def severity_in(module: str, severity: Severity) -> Severity:
    """The severity of a difference in a module.

    Code that uses an undocumented module may break at any time, so it is not correct code.
    """
    if severity == "ERR" and module not in DOCUMENTED_MODULES:
        return "WARN"
    return severity


def path_order(path: str) -> tuple[int, str]:
    """The order in which paths are compared: short paths first."""
    return path.count("."), path


def differences_at(path: str, base: Surface, revision: Surface) -> Iterator[Difference]:
    """The differences of the objects at a public path."""
    parent = path.rpartition(".")[0]
    parent_bases = revision.bases.get(parent, frozenset())
    if path not in revision.objects:
        kind = base.objects[path].kind.value
        yield Difference("ERR", "removed", f"The {kind} was removed.")
        return
    revision_object = revision.objects[path]
    if path not in base.objects:
        # A class that implements the protocol lacks the new member.
        severity: Severity = "WARN" if "typing.Protocol" in parent_bases else "INFO"
        yield Difference(severity, "added", f"The {revision_object.kind.value} was added.")
        return
    base_object = base.objects[path]
    if base_object.kind is not revision_object.kind:
        text = f"The {base_object.kind.value} became a {revision_object.kind.value}."
        yield Difference("ERR", "kind-changed", text)
    yield from base_class_differences(path, base, revision)
    if isinstance(base_object, griffe.Function) and isinstance(revision_object, griffe.Function):
        yield from function_differences(base_object, revision_object)
    if isinstance(base_object, griffe.Attribute) and isinstance(revision_object, griffe.Attribute):
        is_in_enum = any(name.startswith("enum.") for name in parent_bases)
        yield from attribute_differences(base_object, revision_object, is_in_enum)


def base_class_differences(path: str, base: Surface, revision: Surface) -> Iterator[Difference]:
    """The differences in the base classes of a class."""
    base_names = base.bases.get(path, frozenset())
    revision_names = revision.bases.get(path, frozenset())
    for name in sorted(base_names - revision_names):
        # `isinstance` and `except` with this class no longer match.
        yield Difference("ERR", "base-removed", f"It is no longer a {name}.")
    for name in sorted(revision_names - base_names):
        yield Difference("INFO", "base-added", f"It is now a {name}.")


def attribute_differences(
    base: griffe.Attribute, revision: griffe.Attribute, is_in_enum: bool
) -> Iterator[Difference]:
    """The differences of an attribute, a property or a member of an enum."""
    yield from output_differences("attribute", "It", base.annotation, revision.annotation)
    if is_in_enum and str(base.value) != str(revision.value):
        text = f"Its value was {base.value}, and is now {revision.value}."
        yield Difference("ERR", "enum-value-changed", text)


def function_differences(base: griffe.Function, revision: griffe.Function) -> Iterator[Difference]:
    """The differences of a function: how it is called, what it returns, its parameters."""
    if is_fixture(base) and is_fixture(revision):
        # pytest calls it.
        return
    for label in FUNCTION_LABELS:
        is_new = label not in base.labels and label in revision.labels
        is_gone = label in base.labels and label not in revision.labels
        if is_new:
            yield Difference("ERR", f"{label}-changed", f"It is now {label}.")
        if is_gone:
            yield Difference("ERR", f"{label}-changed", f"It is no longer {label}.")
    yield from output_differences("return", "The return type", base.returns, revision.returns)
    base_parameters = parameters_of(base)
    revision_parameters = parameters_of(revision)
    yield from removed_parameters(base_parameters, revision_parameters)
    for name, parameter in revision_parameters.items():
        if name in base_parameters:
            yield from parameter_differences(name, base_parameters, revision_parameters)
        elif parameter.required:
            text = f"The parameter {name} was added, and is required."
            yield Difference("ERR", "parameter-added", text, name)
        else:
            text = f"The parameter {name} was added, and is optional."
            yield Difference("INFO", "parameter-added", text, name)


def is_fixture(function: griffe.Function) -> bool:
    """Whether a function is a fixture of pytest. Users only name it."""
    return any(
        isinstance(decorator.value, griffe.Expr)
        and decorator.value.canonical_path == "pytest.fixture"
        for decorator in function.decorators
    )


def parameters_of(function: griffe.Function) -> dict[str, griffe.Parameter]:
    """The parameters that a caller passes, by name: without `self` and `cls`."""
    parameters = list(function.parameters)
    is_method = function.parent is not None and function.parent.is_class
    if is_method and "staticmethod" not in function.labels:
        parameters = parameters[1:]
    return {parameter.name: parameter for parameter in parameters}


def removed_parameters(
    base: dict[str, griffe.Parameter], revision: dict[str, griffe.Parameter]
) -> Iterator[Difference]:
    """The parameters that a function no longer accepts."""
    kinds = {parameter.kind for parameter in revision.values()}
    accepts_any_keyword = griffe.ParameterKind.var_keyword in kinds
    for name, parameter in base.items():
        if name in revision:
            continue
        if accepts_any_keyword and parameter.kind is griffe.ParameterKind.keyword_only:
            continue
        yield Difference("ERR", "parameter-removed", f"The parameter {name} was removed.", name)


def parameter_differences(
    name: str, base: dict[str, griffe.Parameter], revision: dict[str, griffe.Parameter]
) -> Iterator[Difference]:
    """The differences of a parameter that both sides have."""
    base_parameter = base[name]
    revision_parameter = revision[name]
    if revision_parameter.required and not base_parameter.required:
        text = f"The parameter {name} became required."
        yield Difference("ERR", "parameter-became-required", text, name)
    elif base_parameter.required and not revision_parameter.required:
        text = f"The parameter {name} became optional."
        yield Difference("INFO", "parameter-became-optional", text, name)
    else:
        yield from default_differences(name, base_parameter.default, revision_parameter.default)
    lost_forms = argument_forms(name, base) - argument_forms(name, revision)
    if lost_forms:
        text = f"The parameter {name} can no longer be passed {' or '.join(sorted(lost_forms))}."
        yield Difference("ERR", "parameter-moved", text, name)
    yield from input_differences(name, base_parameter.annotation, revision_parameter.annotation)


def default_differences(
    name: str, base_default: Expression, revision_default: Expression
) -> Iterator[Difference]:
    """The difference of a parameter's default."""
    # The name of a private constant may change. Its value may not.
    base_value = value_of_private_name(base_default) or base_default
    revision_value = value_of_private_name(revision_default) or revision_default
    if str(base_value) == str(revision_value):
        return
    text = f"The default of the parameter {name} was {base_value}, and is now {revision_value}."
    yield Difference("WARN", "parameter-default-changed", text, name)


def argument_forms(name: str, parameters: dict[str, griffe.Parameter]) -> set[str]:
    """The forms in which a caller can pass an argument."""
    kind = parameters[name].kind
    position = f"as number {list(parameters).index(name) + 1}"
    if kind is griffe.ParameterKind.keyword_only:
        return {"by name"}
    if kind is griffe.ParameterKind.positional_only:
        return {position}
    if kind is griffe.ParameterKind.positional_or_keyword:
        return {"by name", position}
    # `*args` or `**kwargs`
    return {f"as {kind.value if kind else ''}"}


def input_differences(
    name: str, base_annotation: Expression, revision_annotation: Expression
) -> Iterator[Difference]:
    """The difference of a parameter's type."""
    base_type = members_of(base_annotation)
    revision_type = members_of(revision_annotation)
    if base_type == revision_type:
        return
    severity = severity_of_input_change(base_type, revision_type)
    text = f"The parameter {name} was {describe(base_type)}, and is now {describe(revision_type)}."
    yield Difference(severity, "parameter-type-changed", text, name)


def output_differences(
    kind: str, subject: str, base_annotation: Expression, revision_annotation: Expression
) -> Iterator[Difference]:
    """The difference of the type of a return value or an attribute."""
    base_type = members_of(base_annotation)
    revision_type = members_of(revision_annotation)
    if base_type == revision_type:
        return
    severity = severity_of_output_change(base_type, revision_type)
    text = f"{subject} was {describe(base_type)}, and is now {describe(revision_type)}."
    yield Difference(severity, f"{kind}-type-changed", text)
