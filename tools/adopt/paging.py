"""Suggests the roles of pagination for a list operation, by the names that the vendor uses.

HighLevel's documents do not say what a parameter is for. Their names are nearly always the same. A
suggestion is either complete, so that the client can iterate over all pages, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generate.document import Document, Node, Operation
from generate.paging import PagingRole, json_types

_COUNT_TYPES = frozenset({"integer", "number", "string"})
_NUMBER_TYPES = frozenset({"integer", "number"})
_VALUE_TYPES = _COUNT_TYPES | {"array"}

_SIZE_NAMES = frozenset({"limit", "pagelength", "pagelimit", "pagesize", "perpage"})
_OFFSET_NAMES = frozenset({"offset", "skip"})
_NUMBER_NAMES = frozenset({"page", "pagenumber"})

_CURSOR_NAMES: Mapping[str, Sequence[str]] = {
    "cursor": ("nextcursor", "cursor"),
    "lastfaqid": ("lastfaqid",),
    "lastknowledgebaseid": ("lastknowledgebaseid",),
    "lastmessageid": ("lastmessageid",),
    "pagetoken": ("nextpagetoken",),
    "searchafter": ("searchafter",),
    "startafter": ("startafter",),
    # "Should contain the sort value of the last document". A date of the last item is not always
    # that value, since another parameter says by what the items are sorted.
    "startafterdate": ("sort",),
    "startafterid": ("startafterid",),
}
"""The properties with the next value of each cursor parameter, the best one first."""

# Not `count`: in some lists of the vendor it is the number of items of the page.
_TOTAL_NAMES = frozenset({"total", "totalcount"})
_HAS_NEXT_NAMES = frozenset({"hasmore", "hasnext", "hasnextpage", "nextpage"})
_ID_NAMES = ("id", "_id")


@dataclass(frozen=True)
class SuggestedRole:
    """A role for one part of an operation."""

    pointer: str
    """The JSON pointer of the parameter, or of the schema of the property."""
    role: PagingRole


def paging_roles(document: Document, operation: Operation) -> list[SuggestedRole]:
    """The roles of the parts of an operation; empty if it is no list, or is not understood.

    Args:
        document: the spec with the operation. It is not changed.
        operation: the operation.
    """
    response = _success_schema(document, operation)
    if response is None:
        return []
    page = list(_members(document, response, is_nested=True))
    items = _items(document, response, page)
    if items is None:
        return []
    item = list(_members(document, items.schema.child("items"), is_nested=False))
    arguments = list(_arguments(document, operation))
    start = _start(document, arguments, page, item)
    if not start:
        return []
    roles = [
        *start,
        *_only(document, arguments, _SIZE_NAMES, _COUNT_TYPES, PagingRole.SIZE),
        SuggestedRole(items.schema.pointer, PagingRole.ITEMS),
        *_only(document, page, _TOTAL_NAMES, _NUMBER_TYPES, PagingRole.TOTAL),
        *_only(document, page, _HAS_NEXT_NAMES, frozenset({"boolean"}), PagingRole.HAS_NEXT),
        *_item_id(document, item),
    ]
    if len({role.pointer for role in roles}) < len(roles):
        # One part cannot have two roles.
        return []
    return roles


@dataclass(frozen=True)
class _Part:
    """A parameter, or a property of a body, of a response or of an item."""

    name: str
    pointer: str
    schema: Node
    required: bool = False
    description: str = ""

    @property
    def plain_name(self) -> str:
        """The name in lower case, without underscores and hyphens."""
        return re.sub("[^a-z0-9]", "", self.name.lower())


def _success_schema(document: Document, operation: Operation) -> Node | None:
    """The schema of the only success response, if its only content is JSON."""
    successes = [
        document.resolve(reference)
        for status, reference in operation.node.child("responses").entries()
        if str(status).startswith("2")
    ]
    if len(successes) != 1:
        return None
    media_types = list(successes[0].child("content").entries())
    if len(media_types) != 1 or "json" not in media_types[0][0]:
        return None
    return document.resolve(media_types[0][1].child("schema"))


def _arguments(document: Document, operation: Operation) -> Iterator[_Part]:
    for parameter in document.parameters(operation):
        # Operations share components, and not all of them are lists.
        if parameter.get("in") == "query" and not parameter.pointer.startswith("/components/"):
            schema = document.resolve(parameter.child("schema"))
            required = parameter.get("required") is True
            description = str(parameter.get("description", ""))
            yield _Part(
                str(parameter.get("name")), parameter.pointer, schema, required, description
            )
    body = document.resolve(operation.node.child("requestBody"))
    media_types = [media_type for _, media_type in body.child("content").entries()]
    if len(media_types) == 1:
        yield from _members(document, media_types[0].child("schema"), is_nested=False)


def _members(document: Document, schema: Node, *, is_nested: bool) -> Iterator[_Part]:
    """The properties of an object, and of the objects in it if `is_nested`."""
    for name, child in document.properties(schema).items():
        if "$ref" not in child.schema.mapping:
            # A role in the target of a reference would apply to all that refer to it.
            description = str(child.schema.get("description", ""))
            yield _Part(name, child.schema.pointer, child.schema, child.required, description)
        if is_nested:
            yield from _members(document, child.schema, is_nested=False)


def _items(document: Document, response: Node, page: Sequence[_Part]) -> _Part | None:
    """The only list of objects in a response, or the response itself."""
    if json_types(document, response) == frozenset({"array"}):
        return _Part("", response.pointer, response)
    lists = [part for part in page if _is_list_of_objects(document, part.schema)]
    # An object of the response can have lists of its own, such as the filters of the request.
    outer_names = set(document.properties(response))
    outer_lists = [part for part in lists if part.name in outer_names]
    candidates = outer_lists or lists
    return candidates[0] if len(candidates) == 1 else None


def _is_list_of_objects(document: Document, schema: Node) -> bool:
    if json_types(document, schema) != frozenset({"array"}):
        return False
    return bool(document.properties(schema.child("items")))


def _start(
    document: Document, arguments: Sequence[_Part], page: Sequence[_Part], item: Sequence[_Part]
) -> list[SuggestedRole]:
    """The roles of the parameters that say where a page starts, and of their next values."""
    cursors = _cursors(document, arguments, page, item)
    offsets = _only(document, arguments, _OFFSET_NAMES, _COUNT_TYPES, PagingRole.OFFSET)
    numbers = _only(document, arguments, _NUMBER_NAMES, _COUNT_TYPES, PagingRole.NUMBER)
    if not cursors:
        cursors = _id_cursor(document, arguments, page, item)
    if cursors:
        counters = {role.pointer for role in (*offsets, *numbers)}
        if any(part.required for part in arguments if part.pointer in counters):
            # The document does not say what a page number beside a cursor means.
            return []
        return cursors
    if offsets and numbers:
        return []
    return offsets or numbers


def _cursors(
    document: Document, arguments: Sequence[_Part], page: Sequence[_Part], item: Sequence[_Part]
) -> list[SuggestedRole]:
    """The roles of all cursors and their next values; empty if one of them has no next value."""
    parameters = [part for part in arguments if part.plain_name in _CURSOR_NAMES]
    roles: list[SuggestedRole] = []
    for container in (page, item):
        pairs = [(part, _next_value(document, part, container)) for part in parameters]
        found = [(part, value) for part, value in pairs if value is not None]
        # Several cursors belong to properties by their names.
        has_equal_names = all(part.name == value.name for part, value in found)
        if len(found) < len(parameters) or (len(found) > 1 and not has_equal_names):
            continue
        for part, value in found:
            roles.append(SuggestedRole(part.pointer, PagingRole.CURSOR))
            roles.append(SuggestedRole(value.pointer, PagingRole.NEXT_CURSOR))
        return roles
    return []


def _id_cursor(
    document: Document, arguments: Sequence[_Part], page: Sequence[_Part], item: Sequence[_Part]
) -> list[SuggestedRole]:
    """The role of a parameter that is the id of the last item, if the page has no next value."""
    parameters = [part for part in arguments if part.plain_name in _CURSOR_NAMES]
    if len(parameters) != 1 or not _item_id(document, item):
        return []
    parameter = parameters[0]
    names = _CURSOR_NAMES[parameter.plain_name]
    if any(part.plain_name in names for part in (*page, *item)):
        return []
    types = json_types(document, parameter.schema)
    if not _says_id(parameter) or not types or not types <= _COUNT_TYPES:
        return []
    return [SuggestedRole(parameter.pointer, PagingRole.AFTER_ID)]


def _says_id(parameter: _Part) -> bool:
    """Whether the name or the description of a parameter says that it is an id."""
    if parameter.plain_name != "startafter":
        return parameter.plain_name.endswith("id")
    return re.search(r"\bid\b", parameter.description, re.IGNORECASE) is not None


def _next_value(document: Document, parameter: _Part, properties: Sequence[_Part]) -> _Part | None:
    """The property with the next value of a cursor parameter, if there is only one."""
    if not json_types(document, parameter.schema) <= _VALUE_TYPES:
        return None
    for name in _CURSOR_NAMES[parameter.plain_name]:
        matches = [part for part in properties if part.plain_name == name]
        if len(matches) == 1:
            types = json_types(document, matches[0].schema)
            return matches[0] if types and types <= _VALUE_TYPES else None
    return None


def _only(
    document: Document,
    parts: Sequence[_Part],
    names: frozenset[str],
    types: frozenset[str],
    role: PagingRole,
) -> list[SuggestedRole]:
    """The role of the only part with one of the names and types; empty for none or several."""
    matches: list[_Part] = []
    for part in parts:
        part_types = json_types(document, part.schema)
        if part.plain_name in names and part_types and part_types <= types:
            matches.append(part)
    if len(matches) != 1:
        return []
    return [SuggestedRole(matches[0].pointer, role)]


def _item_id(document: Document, item: Sequence[_Part]) -> list[SuggestedRole]:
    for name in _ID_NAMES:
        for part in item:
            types = json_types(document, part.schema)
            if part.name == name and types and types <= _COUNT_TYPES:
                return [SuggestedRole(part.pointer, PagingRole.ITEM_ID)]
    return []
