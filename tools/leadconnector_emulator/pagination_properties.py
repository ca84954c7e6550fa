"""Sets the properties of a list response that describe its page, such as `total` and `nextPage`.

The spec does not say what such a property means. Its name does: see `VALUE_BY_NAME`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from .lists import ListPage, plain_name
from .schema import CompiledSchema, JsonObject

Value: TypeAlias = bool | int | str | None


@dataclass(frozen=True)
class PaginationProperty:
    """A property of a response that describes the page."""

    parent: str | None
    """The object that contains the property, such as `meta`. `None`: the response itself."""
    name: str
    schema: CompiledSchema
    is_required: bool


def set_pagination_properties(
    content: JsonObject, properties: Sequence[PaginationProperty], page: ListPage
) -> None:
    """Set the properties in the content of a response, in the types that the spec documents."""
    for pagination_property in properties:
        node: object = content
        if pagination_property.parent is not None:
            node = content.get(pagination_property.parent)
        if isinstance(node, dict):
            _set(cast("JsonObject", node), pagination_property, page)


def is_pagination_property(name: str) -> bool:
    """Whether a property with this name describes the page."""
    return plain_name(name) in VALUE_BY_NAME


def _set(node: JsonObject, pagination_property: PaginationProperty, page: ListPage) -> None:
    name = pagination_property.name
    value_of = VALUE_BY_NAME[plain_name(name)]
    for form in _forms_of(value_of(page)):
        if pagination_property.schema.is_valid(form):
            node[name] = form
            return
    # The spec has no form for the value. A required property keeps the value of the example, since
    # a response without it would deviate from the spec. An example of an optional one would be
    # wrong, so it is removed.
    if not pagination_property.is_required:
        node.pop(name, None)


def _forms_of(value: Value) -> list[Value]:
    """The forms of a value that specs document, the best one first.

    Some specs type numbers as texts. `nextPage` can be a number, or whether there is one.
    """
    if value is None:
        return [None, False]
    if isinstance(value, bool):
        return [value]
    return [value, str(value), True]


# The values. `None` stands for a value that the page does not have.


def _total(page: ListPage) -> int:
    return page.total


def _limit(page: ListPage) -> int | None:
    return page.request.limit


def _offset(page: ListPage) -> int:
    return page.start


def _page_size(page: ListPage) -> int:
    """The limit, or without one the size of the only page. Never 0, since others divide by it."""
    if page.request.limit is None:
        return max(1, page.total)
    return page.request.limit


def _page_number(page: ListPage) -> int:
    return page.request.first_page + page.start // _page_size(page)


def _page_count(page: ListPage) -> int:
    return math.ceil(page.total / _page_size(page))


def _next_page(page: ListPage) -> int | None:
    if not page.has_more:
        return None
    return _page_number(page) + 1


def _previous_page(page: ListPage) -> int | None:
    if not _has_previous(page):
        return None
    return _page_number(page) - 1


def _has_more(page: ListPage) -> bool:
    return page.has_more


def _has_previous(page: ListPage) -> bool:
    return page.start > 0


def _cursor(page: ListPage) -> str | None:
    """The id after which the next page starts."""
    if not page.resources or not page.has_more:
        return None
    return str(page.resources[-1].get("id"))


def _no_url(page: ListPage) -> None:
    """The emulator does not know under which address the client reaches it."""


VALUE_BY_NAME: Mapping[str, Callable[[ListPage], Value]] = {
    "total": _total,
    "totalcount": _total,
    "totalitems": _total,
    "count": _total,
    "limit": _limit,
    "pagesize": _limit,
    "perpage": _limit,
    "pagelimit": _limit,
    "offset": _offset,
    "skip": _offset,
    "page": _page_number,
    "currentpage": _page_number,
    "pagenumber": _page_number,
    "totalpages": _page_count,
    "pagecount": _page_count,
    "nextpage": _next_page,
    "prevpage": _previous_page,
    "previouspage": _previous_page,
    "hasmore": _has_more,
    "hasnext": _has_more,
    "hasnextpage": _has_more,
    "hasprev": _has_previous,
    "hasprevious": _has_previous,
    "haspreviouspage": _has_previous,
    "startafterid": _cursor,
    "startafter": _cursor,
    "lastid": _cursor,
    "lastmessageid": _cursor,
    "lastfaqid": _cursor,
    "lastknowledgebaseid": _cursor,
    "cursor": _cursor,
    "nextcursor": _cursor,
    "nextpagetoken": _cursor,
    "nextpageurl": _no_url,
    "prevpageurl": _no_url,
    "previouspageurl": _no_url,
}
"""The value of a property by its plain name; see `plain_name`."""
