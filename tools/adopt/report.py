"""Says what an adoption did, and what a person should review."""

from __future__ import annotations

from collections.abc import Iterator

from .adoption import Adoption


def report(adoption: Adoption, spec_name: str) -> Iterator[str]:
    """The lines of the report."""
    if adoption.conversions:
        yield from _added_parts(adoption)
    for label in adoption.unchanged:
        yield f"unchanged: {label}"
    for change in adoption.changes:
        yield f"differs: {change.level} {change.operation}: {change.text}"
    if adoption.changes:
        yield (
            f"What is published differs from {spec_name}."
            " Edit the operation, or delete it and adopt it again."
        )
    if adoption.conversions:
        yield f"Review the changes of {spec_name}. Then run `make generate`."


def _added_parts(adoption: Adoption) -> Iterator[str]:
    new_components: list[str] = []
    shared_components: list[str] = []
    for conversion in adoption.conversions:
        for operation in conversion.operations:
            yield f"added: {operation}"
        new_components += conversion.new_components
        shared_components += conversion.reused_components
    if new_components:
        yield f"new components: {', '.join(new_components)}"
    if shared_components:
        yield f"shared with the spec: {', '.join(dict.fromkeys(shared_components))}"
    for role in dict.fromkeys(adoption.roles):
        yield f"role: {role.name} is the {role.role}"
    for repair in adoption.repairs:
        yield f"repaired: {repair.action.description.strip()} ({repair.action.source})"
    for conversion in adoption.conversions:
        for review in conversion.reviews:
            yield f"review: {review}"
