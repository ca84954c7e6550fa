"""Rules for the roles of pagination: an iteration that ends early or never is worse than none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from ..document import Document, Operation, SpecError
from ..paging import (
    PARAMETER_ROLES,
    Paging,
    PagingParameter,
    PagingProperty,
    PagingRole,
    json_types,
    read_paging,
)
from ..walk import all_schemas

_NUMBER_TYPES = frozenset({"integer", "number"})

_COUNT_TYPES = _NUMBER_TYPES | {"string"}
"""The types of offsets, page numbers and sizes. HighLevel types many of them as texts."""

_TYPED_FORMATS = frozenset({"date", "date-time", "uuid"})
"""The formats of texts for which generated code has a type of its own."""

_TYPES_BY_ROLE = {
    PagingRole.OFFSET: _COUNT_TYPES,
    PagingRole.NUMBER: _COUNT_TYPES,
    PagingRole.SIZE: _COUNT_TYPES,
    PagingRole.AFTER_ID: _COUNT_TYPES,
    PagingRole.CURSOR: _NUMBER_TYPES | {"string", "array"},
    PagingRole.ITEMS: frozenset({"array"}),
    PagingRole.NEXT_CURSOR: _NUMBER_TYPES | {"string", "array"},
    PagingRole.TOTAL: _NUMBER_TYPES,
    PagingRole.HAS_NEXT: frozenset({"boolean"}),
    PagingRole.ITEM_ID: _COUNT_TYPES,
}

_UNTYPED_ROLES = frozenset({PagingRole.CURSOR, PagingRole.NEXT_CURSOR})
"""Their values are only passed on, so their schema need not say a type."""


def find_unusable_paging(document: Document, operation: Operation) -> Iterator[SpecError]:
    """The roles of an operation must describe one way to get all of its pages."""
    paging = read_paging(document, operation)
    yield from _misplaced_roles(document, paging.parameters)
    parameters = [item for item in paging.parameters if item.role in PARAMETER_ROLES]
    if not parameters:
        # A response with these roles can be shared with an operation that has the parameter.
        return
    if not paging.is_iterable:
        yield document.error(
            parameters[0].pointer,
            f"x-role {parameters[0].role} has no effect without a parameter that is a page-cursor,"
            " page-after-id, page-offset or page-number",
        )
        return
    yield from _ambiguous_parameters(document, paging)
    yield from _unusable_items(document, operation, paging)
    for parameter in paging.parameters:
        yield from _wrong_type(document, parameter)
    for item in chain(paging.page, paging.item):
        yield from _wrong_type(document, item)
    if all(item.role is PagingRole.CURSOR for item in paging.start_parameters):
        yield from _unusable_cursors(document, paging)
    if paging.start_parameters[0].role is PagingRole.AFTER_ID:
        yield from _unusable_id(document, paging)


def find_unused_paging_roles(document: Document) -> Iterator[SpecError]:
    """A role at a place where no operation reads it has no effect."""
    used: set[str] = set()
    for operation in document.operations():
        used.update(_used_pointers(read_paging(document, operation)))
    for schema in all_schemas(document):
        role = schema.get("x-role")
        if role in set(PagingRole) and schema.pointer not in used:
            place = _place_of(PagingRole(role))
            yield document.error(
                schema.pointer, f"x-role {role} has no effect here: it belongs {place}"
            )


def _used_pointers(paging: Paging) -> Iterator[str]:
    """The JSON pointers of the schemas whose role an operation reads."""
    for parameter in paging.parameters:
        yield parameter.schema.pointer
    if not paging.is_iterable:
        return
    for item in chain(paging.page, paging.item):
        if item.role is not PagingRole.NEXT_CURSOR:
            yield item.schema.pointer
    if paging.start_parameters[0].role is PagingRole.CURSOR:
        yield from (cursor.schema.pointer for cursor in paging.next_cursors)


def _place_of(role: PagingRole) -> str:
    """Where a role belongs, for a message."""
    if role in PARAMETER_ROLES:
        return "to a parameter or to a property of a request body"
    response = "the success response of an operation with a page-cursor"
    if role is PagingRole.NEXT_CURSOR:
        return f"into {response}, beside the page-items or into the items"
    response += ", page-after-id, page-offset or page-number"
    if role is PagingRole.ITEM_ID:
        return f"into the page-items in {response}"
    return f"into {response}"


def _misplaced_roles(
    document: Document, parameters: Sequence[PagingParameter]
) -> Iterator[SpecError]:
    for parameter in parameters:
        if parameter.role not in PARAMETER_ROLES:
            yield document.error(
                parameter.pointer,
                f"x-role {parameter.role} is the role of a response, not of a parameter",
            )


def _ambiguous_parameters(document: Document, paging: Paging) -> Iterator[SpecError]:
    first, *others = paging.start_parameters
    for parameter in others:
        if parameter.role is first.role is PagingRole.CURSOR:
            # A cursor can have several parts, such as a date and an id.
            continue
        yield document.error(
            parameter.pointer,
            f"{first.name} says already where a page starts ({first.role}): remove one of the"
            " roles",
        )
    sizes = [item for item in paging.parameters if item.role is PagingRole.SIZE]
    for parameter in sizes[1:]:
        yield document.error(
            parameter.pointer, f"{sizes[0].name} is already the page-size: remove one of the roles"
        )


def _unusable_items(
    document: Document, operation: Operation, paging: Paging
) -> Iterator[SpecError]:
    start = paging.start_parameters[0]
    if len(paging.responses) != 1:
        yield document.error(
            f"{operation.pointer}/responses",
            f"a {start.role} needs exactly one success response, with one JSON content",
        )
        return
    if not list(paging.properties(PagingRole.ITEMS)):
        yield document.error(
            start.pointer,
            f"a {start.role} needs an array with x-role page-items in the success response",
        )
    for role in (PagingRole.ITEMS, PagingRole.TOTAL, PagingRole.HAS_NEXT):
        yield from _second_of_one_kind(document, list(paging.properties(role)))
    ids = [item for item in paging.item if item.role is PagingRole.ITEM_ID]
    yield from _second_of_one_kind(document, ids)


def _second_of_one_kind(
    document: Document, properties: Sequence[PagingProperty]
) -> Iterator[SpecError]:
    for second in properties[1:]:
        first = ".".join(properties[0].path)
        yield document.error(
            second.schema.pointer, f"{first} is already the {second.role}: remove one of the roles"
        )


def _wrong_type(document: Document, item: PagingParameter | PagingProperty) -> Iterator[SpecError]:
    expected_types = _TYPES_BY_ROLE[item.role]
    types = json_types(document, item.schema)
    if not types and item.role in _UNTYPED_ROLES:
        return
    if types and types <= expected_types:
        return
    pointer = item.pointer if isinstance(item, PagingParameter) else item.schema.pointer
    expected = " or ".join(sorted(expected_types))
    yield document.error(pointer, f"a {item.role} must have the type {expected}")


def _unusable_cursors(document: Document, paging: Paging) -> Iterator[SpecError]:
    cursors = paging.next_cursors
    for parameter in paging.start_parameters:
        cursor = paging.next_cursor_of(parameter)
        if cursor is None and not cursors:
            yield document.error(
                parameter.pointer,
                "a page-cursor needs a property with x-role next-page-cursor, beside the"
                " page-items or in the items",
            )
        elif cursor is None:
            yield document.error(
                parameter.pointer,
                f"no next-page-cursor belongs to {parameter.name}: where there are several"
                " cursors, the property must have the name of the parameter",
            )
        else:
            yield from _unequal_formats(document, parameter, cursor)
    matched = [paging.next_cursor_of(parameter) for parameter in paging.start_parameters]
    for cursor in cursors:
        if None not in matched and cursor not in matched:
            yield document.error(
                cursor.schema.pointer, "no page-cursor belongs to this next-page-cursor"
            )


def _unusable_id(document: Document, paging: Paging) -> Iterator[SpecError]:
    parameter = paging.start_parameters[0]
    if paging.item_id is None:
        yield document.error(
            parameter.pointer,
            "a page-after-id needs a property with x-role item-id in the page-items",
        )
    else:
        yield from _unequal_formats(document, parameter, paging.item_id)


def _unequal_formats(
    document: Document, parameter: PagingParameter, cursor: PagingProperty
) -> Iterator[SpecError]:
    """A text that generated code turns into another type must have that type at both places."""
    parameter_format = _typed_format(parameter)
    cursor_format = _typed_format(cursor)
    accepts_text = "string" in json_types(document, parameter.schema) or not json_types(
        document, parameter.schema
    )
    if parameter_format is not None and parameter_format != cursor_format:
        yield document.error(
            cursor.schema.pointer,
            f"the {cursor.role} must have the format of the {parameter.role}: {parameter_format}",
        )
    elif cursor_format is not None and not accepts_text:
        yield document.error(
            cursor.schema.pointer,
            f"the {parameter.role} {parameter.name} accepts no text of the format {cursor_format}",
        )


def _typed_format(item: PagingParameter | PagingProperty) -> str | None:
    name = item.schema.get("format")
    return name if name in _TYPED_FORMATS else None
