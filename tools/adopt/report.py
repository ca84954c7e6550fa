"""Says what an adoption did, and what a person should review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .adoption import Adoption, Comparison
from .spec_text import Edit


def report(adoption: Adoption, edits: Sequence[Edit], spec_name: str) -> Iterator[str]:
    """The lines of the report.

    Args:
        adoption: what was done.
        edits: the changes of the spec's text.
        spec_name: the name of the spec.
    """
    if adoption.conversions:
        yield from _changed_parts(adoption)
    for comparison in adoption.comparisons:
        if comparison.is_equal:
            yield f"already up to date: {comparison.label}"
            continue
        yield _verdict(comparison)
        for change in comparison.changes:
            yield f"differs: {change.level} {change.operation}: {change.text}"
    for edit in edits:
        if edit.start < edit.end:
            verb = "replaced" if edit.lines else "removed"
            yield f"{verb}: {edit.place} (was {spec_name}:{edit.start + 1})"
    if adoption.has_unadopted_changes:
        yield (
            f"{spec_name} keeps these operations as they are. To replace them by what is published,"
            " add UPGRADE=1. What you edited in them is then replaced too, and listed."
        )
    if edits:
        yield f"Review the changes of {spec_name}. Then run `make generate`."


def _verdict(comparison: Comparison) -> str:
    if comparison.is_upgraded:
        return f"upgraded: {comparison.label}"
    if comparison.changes:
        return f"not up to date: {comparison.label}"
    return f"already up to date, except for texts or examples: {comparison.label}"


def _changed_parts(adoption: Adoption) -> Iterator[str]:
    for conversion in adoption.conversions:
        for operation in conversion.operations:
            yield f"added: {operation}"
    yield from _changed_components(adoption)
    for role in dict.fromkeys(adoption.roles):
        yield f"role: {role.name} is the {role.role}"
    for repair in adoption.repairs:
        yield f"repaired: {repair.action.description.strip()} ({repair.action.source})"
    for conversion in adoption.conversions:
        for review in conversion.reviews:
            yield f"review: {review}"


def _changed_components(adoption: Adoption) -> Iterator[str]:
    new_components: list[str] = []
    shared_components: list[str] = []
    for conversion in adoption.conversions:
        new_components += conversion.new_components
        shared_components += conversion.reused_components
    if new_components:
        yield f"new components: {', '.join(new_components)}"
    for separation in adoption.separations:
        yield f"separate: {separation}"
    if adoption.removed_components:
        yield f"removed components: {', '.join(adoption.removed_components)}"
    if shared_components:
        yield f"shared with the spec: {', '.join(dict.fromkeys(shared_components))}"
