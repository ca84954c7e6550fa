"""Filters, sorts and paginates the resources of a list operation, by its documented parameters.

The spec does not say what a parameter does. Its name does: it is the name of a property, or one of
the usual names of pagination. The vendor's API has most of them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias, cast

from .operation import Operation, Parameter, ResourceShape
from .rejection import RejectionError
from .schema import CompiledSchema, JsonObject

Query: TypeAlias = Mapping[str, list[str]]
"""The values of a query by name."""


class Role(Enum):
    """What a query parameter of a list operation does."""

    LIMIT = auto()
    """The largest number of resources in a response."""
    OFFSET = auto()
    """The number of resources before the first one of the response."""
    PAGE = auto()
    AFTER = auto()
    """The id of the resource before the first one of the response."""
    SORT = auto()
    """The property to sort by, the direction, or both."""
    DIRECTION = auto()


ROLE_BY_NAME: Mapping[str, Role] = {
    "limit": Role.LIMIT,
    "pagesize": Role.LIMIT,
    "pagelimit": Role.LIMIT,
    "perpage": Role.LIMIT,
    "offset": Role.OFFSET,
    "skip": Role.OFFSET,
    "page": Role.PAGE,
    "pagenumber": Role.PAGE,
    "startafterid": Role.AFTER,
    "startafter": Role.AFTER,
    "startingafter": Role.AFTER,
    "lastid": Role.AFTER,
    "cursor": Role.AFTER,
    "nextcursor": Role.AFTER,
    "sort": Role.SORT,
    "sortby": Role.SORT,
    "sortfield": Role.SORT,
    "orderby": Role.SORT,
    "order": Role.DIRECTION,
    "sortorder": Role.DIRECTION,
    "sortdirection": Role.DIRECTION,
}
"""Roles by the name of a parameter, without its case and underscores."""

IS_DESCENDING: Mapping[str, bool] = {
    "asc": False,
    "ascend": False,
    "ascending": False,
    "desc": True,
    "descend": True,
    "descending": True,
}
"""The directions by their names in the vendor's API."""


def plain_name(name: str) -> str:
    """A name without its case, underscores and hyphens: `start_after_id` is `startAfterId`."""
    return re.sub("[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Filter:
    """The values of a property that the resources of a list have."""

    property_name: str
    texts: tuple[str, ...]
    keeps_missing: bool
    """Whether a resource without the property matches."""

    def matches(self, resource: JsonObject) -> bool:
        """Whether a resource has one of the values, or a list with one of them."""
        if self.property_name not in resource:
            return self.keeps_missing
        value: object = resource[self.property_name]
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        return any(_equals(item, text) for item in values for text in self.texts)


@dataclass(frozen=True)
class ListRequest:
    """What a request asks of a list operation."""

    filters: tuple[Filter, ...] = ()
    sort_property: str | None = None
    is_descending: bool = False
    limit: int | None = None
    offset: int = 0
    page: int | None = None
    """The page, from `first_page`; `None` if the request names none."""
    first_page: int = 1
    after: str | None = None
    after_parameter: str = ""


@dataclass(frozen=True)
class ListPage:
    """The resources of a response, and its place in the whole list."""

    resources: list[JsonObject]
    total: int
    """The number of resources that match the filters."""
    start: int
    """The number of resources before those of this response."""
    request: ListRequest

    @property
    def has_more(self) -> bool:
        """Whether resources follow."""
        return self.start + len(self.resources) < self.total


def select_page(request: ListRequest, resources: Sequence[JsonObject]) -> ListPage:
    """Filter, sort and paginate.

    Raises:
        RejectionError: 400, the list does not contain the resource after which it starts.
    """
    matches = [
        resource
        for resource in resources
        if all(list_filter.matches(resource) for list_filter in request.filters)
    ]
    sorted_resources = _sorted(matches, request)
    start = min(_start(request, sorted_resources), len(matches))
    end = len(matches)
    if request.limit is not None:
        end = start + request.limit
    return ListPage(sorted_resources[start:end], len(matches), start, request)


def read_list_request(operation: Operation, shape: ResourceShape, query: Query) -> ListRequest:
    """What the documented parameters of a request ask for. Their values are valid."""
    reader = _Reader(operation, shape, query)
    after = reader.after()
    return ListRequest(
        filters=tuple(reader.filters()),
        sort_property=reader.sort_property(),
        is_descending=reader.is_descending(),
        limit=reader.limit(),
        offset=reader.number(Role.OFFSET) or 0,
        page=reader.number(Role.PAGE),
        first_page=reader.first_page(),
        after=None if after is None else after[1],
        after_parameter="" if after is None else after[0],
    )


class _Reader:
    """Reads the query parameters of one request."""

    def __init__(self, operation: Operation, shape: ResourceShape, query: Query) -> None:
        self._operation = operation
        self._query = query
        self._property_names = {plain_name(name): name for name in shape.properties}
        self._parameters = [
            parameter for parameter in operation.parameters if parameter.location == "query"
        ]

    def filters(self) -> list[Filter]:
        """The parameters with the name of a property."""
        filters: list[Filter] = []
        for parameter in self._parameters:
            texts = self._texts(parameter)
            # A text without characters is no value: forms send it for an empty field.
            if not texts or texts == [""]:
                continue
            is_location = parameter.name == self._operation.rate_limit_key
            name = self._property_names.get(plain_name(parameter.name))
            if name is None and is_location:
                # A request may have stored the location, also where no response shows it.
                name = parameter.name
            if name is None or _role(parameter) is not None:
                continue
            if parameter.is_array and not parameter.explode:
                texts = texts[0].split(",")
            filters.append(Filter(name, tuple(texts), keeps_missing=is_location))
        return filters

    def sort_property(self) -> str | None:
        """The property that the request, or the default of a parameter, sorts by."""
        for text in self._values(Role.SORT):
            for candidate in (text, _without_direction(text)):
                name = self._property_names.get(plain_name(candidate))
                if name is not None:
                    return name
        return None

    def is_descending(self) -> bool:
        """Whether the request, or the default of a parameter, reverses the order."""
        for text in [*self._values(Role.DIRECTION), *self._values(Role.SORT)]:
            if text.startswith("-"):
                return True
            last_part = re.split("[^a-z]", text.lower())[-1]
            if last_part in IS_DESCENDING:
                return IS_DESCENDING[last_part]
        return False

    def limit(self) -> int | None:
        """The largest number of resources; `None` for no limit, which 0 stands for."""
        limit = self.number(Role.LIMIT)
        return limit or None

    def number(self, role: Role) -> int | None:
        """The number of a parameter; `None` if there is none."""
        for text in self._values(role):
            try:
                number = int(float(text))
            except (ValueError, OverflowError):
                # The spec types it as a text, and this one is no number.
                continue
            return max(0, number)
        return None

    def first_page(self) -> int:
        """The number of the first page: 0 where the spec allows it, otherwise 1."""
        for parameter in self._with_role(Role.PAGE):
            schema = parameter.schema.schema
            if 0 in (schema.get("minimum"), schema.get("default")):
                return 0
        return 1

    def after(self) -> tuple[str, str] | None:
        """The parameter and the id after which the list starts."""
        # `startAfterId` precedes `startAfter`, which is a time in some lists.
        parameters = sorted(
            self._with_role(Role.AFTER),
            key=lambda parameter: "id" not in plain_name(parameter.name),
        )
        for parameter in parameters:
            texts = self._texts(parameter)
            # A number or a list is a sort value of the last resource, not its id.
            if texts and texts[0] and parameter.schema.is_valid("id") and not parameter.is_array:
                return parameter.name, texts[0]
        return None

    def _with_role(self, role: Role) -> list[Parameter]:
        return [parameter for parameter in self._parameters if _role(parameter) is role]

    def _values(self, role: Role) -> list[str]:
        """The values of the parameters with a role. A default stands for a missing value."""
        values: list[str] = []
        for parameter in self._with_role(role):
            texts = self._texts(parameter)
            default = parameter.schema.schema.get("default")
            if not texts and default is not None:
                texts = [str(default)]
            values += [text for text in texts if text]
        return values

    def _texts(self, parameter: Parameter) -> list[str]:
        return self._query.get(parameter.name, [])


def _role(parameter: Parameter) -> Role | None:
    return ROLE_BY_NAME.get(plain_name(parameter.name))


def _without_direction(text: str) -> str:
    """The property of `-name`, `name:desc` or `name_desc`."""
    match = re.fullmatch("-?(.*?)(?:[^a-zA-Z0-9](asc|desc)[a-z]*)?", text, re.IGNORECASE)
    return text if match is None else match[1]


def _equals(value: object, text: str) -> bool:
    """Whether a value is that of a URL, where numbers and booleans are texts."""
    if isinstance(value, bool):
        return text == json.dumps(value)
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except (ValueError, OverflowError):
            return False
    return value == text


def _sorted(resources: list[JsonObject], request: ListRequest) -> list[JsonObject]:
    """The resources in the order of the request, or in that in which they were stored."""
    name = request.sort_property
    if name is None:
        # Later ones are newer.
        return resources[::-1] if request.is_descending else resources
    # Resources without a value follow the others in both directions.
    with_value = [resource for resource in resources if resource.get(name) is not None]
    without_value = [resource for resource in resources if resource.get(name) is None]
    with_value.sort(key=lambda resource: _sort_key(resource[name]), reverse=request.is_descending)
    return with_value + without_value


def _sort_key(value: Any) -> tuple[bool, float, str]:
    """Numbers precede texts. Other values are compared as JSON."""
    if isinstance(value, int | float):
        return False, value, ""
    if isinstance(value, str):
        return True, 0.0, value
    return True, 0.0, json.dumps(value, sort_keys=True)


def _start(request: ListRequest, resources: list[JsonObject]) -> int:
    """The number of resources before the first one of the response."""
    if request.after is not None:
        for index, resource in enumerate(resources):
            if str(resource.get("id")) == request.after:
                return index + 1
        raise RejectionError(
            400, f"{request.after_parameter} in the query is the id of no resource of this list"
        )
    if request.page is None or request.limit is None:
        return request.offset
    return request.offset + max(0, request.page - request.first_page) * request.limit


# The facts about a page that a response shows


def page_facts(page: ListPage) -> dict[str, Any]:
    """The values of the usual properties besides the list, by their plain name.

    `None` stands for a fact that the page does not have, such as the next page of the last one.
    """
    request = page.request
    limit = request.limit or max(1, page.total)
    number = page.start // limit + request.first_page
    last_id = str(page.resources[-1].get("id")) if page.resources and page.has_more else None
    next_page = number + 1 if page.has_more else None
    previous_page = number - 1 if page.start > 0 else None
    pages = math.ceil(page.total / limit)
    facts: dict[str, Any] = {
        "limit": request.limit,
        "offset": page.start,
        "skip": page.start,
        "nextpage": next_page,
        "prevpage": previous_page,
        "previouspage": previous_page,
    }
    facts |= dict.fromkeys(("total", "totalcount", "totalitems", "count"), page.total)
    facts |= dict.fromkeys(("page", "currentpage", "pagenumber"), number)
    facts |= dict.fromkeys(("totalpages", "pagecount"), pages)
    facts |= dict.fromkeys(("pagesize", "perpage", "pagelimit"), request.limit)
    facts |= dict.fromkeys(("hasmore", "hasnext", "hasnextpage"), page.has_more)
    facts |= dict.fromkeys(("hasprev", "hasprevious", "haspreviouspage"), page.start > 0)
    facts |= dict.fromkeys(("startafterid", "startafter", "lastid"), last_id)
    facts |= dict.fromkeys(("cursor", "nextcursor", "nextpagetoken"), last_id)
    # The emulator does not know under which address the client reaches it.
    facts |= dict.fromkeys(("nextpageurl", "prevpageurl", "previouspageurl"), None)
    return facts


@dataclass(frozen=True)
class FactPlace:
    """A property of a response that shows a fact about the page."""

    parent: str | None
    """The object that contains the property, such as `meta`. `None`: the response itself."""
    name: str
    schema: CompiledSchema
    is_required: bool


def show_facts(content: JsonObject, places: Sequence[FactPlace], page: ListPage) -> None:
    """Set the facts that the spec has properties for, in the type that it documents."""
    facts = page_facts(page)
    for place in places:
        node: object = content if place.parent is None else content.get(place.parent)
        if not isinstance(node, dict):
            continue
        parent = cast("JsonObject", node)
        values = [
            value
            for value in _forms_of(facts[plain_name(place.name)])
            if place.schema.is_valid(value)
        ]
        if values:
            parent[place.name] = values[0]
        elif not place.is_required:
            parent.pop(place.name, None)


def _forms_of(fact: Any) -> list[Any]:
    """A fact as a response may show it: some specs type numbers as texts, or `nextPage` as true."""
    if fact is None:
        return [None, False]
    if isinstance(fact, bool):
        return [fact]
    return [fact, str(fact), True]


FACT_NAMES = frozenset(page_facts(ListPage([], 0, 0, ListRequest())))
"""The plain names of the properties that show a fact."""
