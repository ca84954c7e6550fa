"""Reads how a list operation is paginated, from the roles (`x-role`) in the spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .document import Document, Node, Operation, is_list, is_mapping


class PagingRole(StrEnum):
    """What a part of a list operation is for the iteration over its pages."""

    CURSOR = "page-cursor"
    """A parameter that says where a page starts, with a value of the page before it."""
    AFTER_ID = "page-after-id"
    """A parameter that is the id of the last item of the page before it."""
    OFFSET = "page-offset"
    """A parameter that is the number of items before the page."""
    NUMBER = "page-number"
    """A parameter that is the number of the page."""
    SIZE = "page-size"
    """A parameter that is the largest number of items of a page."""
    ITEMS = "page-items"
    """The array of items in a response."""
    NEXT_CURSOR = "next-page-cursor"
    """The property with the value for the cursor parameter, beside the items or in each item."""
    TOTAL = "page-total"
    """The property with the number of items of all pages."""
    HAS_NEXT = "has-next-page"
    """The property that says whether another page follows."""
    ITEM_ID = "item-id"
    """The property of an item that no other item has the same value of."""


CURSOR_ROLES = frozenset({PagingRole.CURSOR, PagingRole.AFTER_ID})
"""The roles of parameters that get a value of the page before."""

START_ROLES = CURSOR_ROLES | {PagingRole.OFFSET, PagingRole.NUMBER}
"""The roles of parameters that say where a page starts."""

_ROLES = frozenset(PagingRole)

PARAMETER_ROLES = START_ROLES | {PagingRole.SIZE}
"""The roles of parameters and of properties of a request body."""

PAGE_ROLES = frozenset(
    {PagingRole.ITEMS, PagingRole.NEXT_CURSOR, PagingRole.TOTAL, PagingRole.HAS_NEXT}
)
"""The roles of properties of a response, outside of its items."""

ITEM_ROLES = frozenset({PagingRole.NEXT_CURSOR, PagingRole.ITEM_ID})
"""The roles of properties of an item itself, not of the objects in it."""


@dataclass(frozen=True)
class PagingParameter:
    """A parameter, or a property of the request body, with a role of pagination."""

    role: PagingRole
    name: str
    pointer: str
    """The JSON pointer of the parameter, or of the body property."""
    schema: Node
    required: bool


@dataclass(frozen=True)
class PagingProperty:
    """A property of a response, or of its items, with a role of pagination."""

    role: PagingRole
    path: tuple[str, ...]
    """The names of the properties that lead to it. Empty: the response or the item itself."""
    schema: Node

    @property
    def name(self) -> str:
        """The name of the property; empty for the response or the item itself."""
        return self.path[-1] if self.path else ""


@dataclass(frozen=True)
class Paging:
    """All parts of an operation with a role of pagination."""

    parameters: Sequence[PagingParameter]
    responses: Sequence[Node]
    """The JSON schemas of its successes."""
    page: Sequence[PagingProperty]
    """Outside of the items."""
    item: Sequence[PagingProperty]
    """In an item. Empty without a list of items."""

    @property
    def is_iterable(self) -> bool:
        """Whether there is a parameter that says where a page starts."""
        return bool(self.start_parameters)

    @property
    def start_parameters(self) -> list[PagingParameter]:
        """The parameters that say where a page starts: one, or several cursors."""
        return [parameter for parameter in self.parameters if parameter.role in START_ROLES]

    @property
    def items(self) -> PagingProperty:
        """The array of items. There must be one."""
        return next(self.properties(PagingRole.ITEMS))

    def properties(self, role: PagingRole) -> Iterator[PagingProperty]:
        """The properties outside of the items with a role."""
        return (item for item in self.page if item.role is role)

    @property
    def item_id(self) -> PagingProperty | None:
        """The id of an item, if the spec marks one."""
        ids = (item for item in self.item if item.role is PagingRole.ITEM_ID)
        return next(ids, None)

    @property
    def next_cursors(self) -> list[PagingProperty]:
        """The properties with the next cursors: those beside the items, else those in an item.

        Several lists can have the same items, and only some of them have a cursor beside them.
        """
        beside_items = list(self.properties(PagingRole.NEXT_CURSOR))
        if beside_items:
            return beside_items
        return [item for item in self.item if item.role is PagingRole.NEXT_CURSOR]

    def next_cursor_of(self, parameter: PagingParameter) -> PagingProperty | None:
        """The property with the value of a cursor parameter for the next page.

        One parameter and one property belong together. Several do by their names.
        """
        if parameter.role is PagingRole.AFTER_ID:
            return self.item_id
        cursors = self.next_cursors
        if len(self.start_parameters) == 1 and len(cursors) == 1:
            return cursors[0]
        same_name = [cursor for cursor in cursors if cursor.name == parameter.name]
        return same_name[0] if len(same_name) == 1 else None


def read_paging(document: Document, operation: Operation) -> Paging:
    """The parts of an operation with a role of pagination. They may be contradictory.

    Of an operation that is not iterable, only the parameters: nothing reads its responses as pages.
    """
    parameters = list(_parameters(document, operation))
    if all(parameter.role not in START_ROLES for parameter in parameters):
        # Most operations. Their responses have thousands of properties to look at.
        return Paging(parameters, responses=[], page=[], item=[])
    responses = list(_success_schemas(document, operation))
    page = [item for schema in responses for item in _page_properties(document, schema)]
    return Paging(
        parameters=parameters,
        responses=responses,
        page=page,
        item=list(_item_properties(document, page)),
    )


def role_of(document: Document, node: Node) -> PagingRole | None:
    """The role of pagination of a parameter or schema."""
    schema = document.resolve(node.child("schema"))
    # The role of the parameter itself precedes that of its schema, which may be shared.
    role = node.get("x-role") or schema.get("x-role")
    if role in _ROLES:
        return PagingRole(role)
    return None


def json_types(document: Document, schema: Node) -> frozenset[str]:
    """The JSON types that a schema allows, without null. Empty: it does not say."""
    return _json_types(document, schema, frozenset())


def _json_types(document: Document, schema: Node, ancestors: frozenset[str]) -> frozenset[str]:
    node = document.resolve(schema)
    if node.pointer in ancestors or not is_mapping(node.value):
        return frozenset()
    types: set[str] = set()
    type_keyword = node.get("type")
    if isinstance(type_keyword, str):
        types.add(type_keyword)
    elif is_list(type_keyword):
        types.update(name for name in type_keyword if isinstance(name, str))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in node.child(keyword).elements():
            types |= _json_types(document, branch, ancestors | {node.pointer})
    return frozenset(types - {"null"})


def _parameters(document: Document, operation: Operation) -> Iterator[PagingParameter]:
    for parameter in document.parameters(operation):
        role = role_of(document, parameter)
        if role is not None:
            yield PagingParameter(
                role=role,
                name=str(parameter.get("name")),
                pointer=parameter.pointer,
                schema=document.resolve(parameter.child("schema")),
                required=parameter.get("required") is True,
            )
    body = document.resolve(operation.node.child("requestBody"))
    media_types = [media_type for _, media_type in body.child("content").entries()]
    if len(media_types) != 1:
        # The method takes such a body as one argument.
        return
    for name, child in document.properties(media_types[0].child("schema")).items():
        schema = document.resolve(child.schema)
        role = role_of(document, schema)
        if role is not None:
            yield PagingParameter(role, name, child.schema.pointer, schema, child.required)


def _success_schemas(document: Document, operation: Operation) -> Iterator[Node]:
    responses = operation.node.child("responses")
    statuses = [str(status) for status, _ in responses.entries()]
    has_success = any(status.startswith("2") for status in statuses)
    for status, reference in responses.entries():
        is_default = str(status) == "default" and not has_success
        if not str(status).startswith("2") and not is_default:
            continue
        content = document.resolve(reference).child("content")
        for media_type, node in content.entries():
            if "json" in media_type:
                yield node.child("schema")


def _page_properties(document: Document, schema: Node) -> Iterator[PagingProperty]:
    for item in _properties_below(document, schema, (), frozenset()):
        # An object beside the items can have an id that is one in another list.
        if item.role in PAGE_ROLES:
            yield item


def _item_properties(
    document: Document, page: Sequence[PagingProperty]
) -> Iterator[PagingProperty]:
    for items in page:
        if items.role is PagingRole.ITEMS:
            item_schema = items.schema.child("items")
            for item in _properties_below(document, item_schema, (), frozenset()):
                # An object inside of the item has an id of its own.
                if item.role in ITEM_ROLES and len(item.path) == 1:
                    yield item


def _properties_below(
    document: Document, schema: Node, path: tuple[str, ...], ancestors: frozenset[str]
) -> Iterator[PagingProperty]:
    """The properties with a role at or below a schema, but not inside of arrays."""
    node = document.resolve(schema)
    if node.pointer in ancestors or not is_mapping(node.value):
        return
    role = node.get("x-role")
    if role in _ROLES:
        yield PagingProperty(PagingRole(role), path, node)
        # What is inside of such a property has no role of its own.
        return
    only_branch = _branch_beside_null(document, node)
    if only_branch is not None:
        yield from _properties_below(document, only_branch, path, ancestors | {node.pointer})
        return
    for name, child in document.properties(node).items():
        yield from _properties_below(
            document, child.schema, (*path, name), ancestors | {node.pointer}
        )


def _branch_beside_null(document: Document, node: Node) -> Node | None:
    """The only other branch of a union with null; `None` if the schema is no such union."""
    for keyword in ("anyOf", "oneOf"):
        branches = list(node.child(keyword).elements())
        others = [item for item in branches if document.resolve(item).get("type") != "null"]
        if len(branches) == 2 and len(others) == 1:
            return others[0]
    return None
