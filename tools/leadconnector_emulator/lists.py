"""Filters, sorts and paginates the resources of a list operation, by its documented parameters.

The spec does not say what a parameter does. Its name does: it is the name of a property, or one of
the usual names of pagination (`ROLE_BY_NAME`). Most of these are names of the vendor's API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias, cast

from .operation import Operation, Parameter, ResourceShape
from .rejection import RejectionError
from .schema import JsonObject

Query: TypeAlias = Mapping[str, list[str]]
"""The values of a query by name."""


class Role(Enum):
    """What a query parameter of a list operation does."""

    LIMIT = auto()
    """The largest number of resources in a response."""
    OFFSET = auto()
    """The number of resources before the first one of the response."""
    PAGE = auto()
    """The number of the page."""
    AFTER = auto()
    """The id of the resource before the first one of the response."""
    AFTER_VALUE = auto()
    """The value of the sort property before those of the response."""
    SORT = auto()
    """The property to sort by, the direction, or both."""
    DIRECTION = auto()
    """Whether the order is ascending or descending."""


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
    "lastmessageid": Role.AFTER,
    "lastfaqid": Role.AFTER,
    "lastknowledgebaseid": Role.AFTER,
    "cursor": Role.AFTER,
    "nextcursor": Role.AFTER,
    "pagetoken": Role.AFTER,
    "startafterdate": Role.AFTER_VALUE,
    "sort": Role.SORT,
    "sortby": Role.SORT,
    "sortfield": Role.SORT,
    "orderby": Role.SORT,
    "order": Role.DIRECTION,
    "sortorder": Role.DIRECTION,
    "sortdirection": Role.DIRECTION,
}
"""Roles by the plain name of a parameter; see `plain_name`."""

SORT_VALUES = "sort"
"""The property with the values by which the vendor's API sorted a resource of a list."""

DIRECTION_IS_DESCENDING: Mapping[str, bool] = {
    "asc": False,
    "ascend": False,
    "ascending": False,
    "desc": True,
    "descend": True,
    "descending": True,
}
"""Directions by their names in the vendor's API."""


def plain_name(name: str) -> str:
    """The lower-case letters and digits of a name: `startafterid` of `start_after_id`.

    So names are equal if they differ only in their case, or in underscores and hyphens.
    """
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
        values: list[object] = [value]
        if isinstance(value, list):
            values = cast("list[object]", value)
        return any(_equals(item, text) for item in values for text in self.texts)


@dataclass(frozen=True)
class Cursor:
    """The resource before the first one of the response, and how the request names it."""

    resource_id: str
    parameter_name: str


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
    cursor: Cursor | None = None
    after_value: str | None = None
    """The value of the sort property after which the response starts."""


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
    sorted_resources = _in_requested_order(matches, request)
    start = min(_start(request, sorted_resources), len(matches))
    end = len(matches)
    if request.limit is not None:
        end = start + request.limit
    return ListPage(sorted_resources[start:end], len(matches), start, request)


def with_sort_values(shape: ResourceShape, resources: Sequence[JsonObject]) -> list[JsonObject]:
    """The resources of a list, with their sort values where the spec documents these.

    A missing one is the number of the resource, so that each one has a cursor of its own.
    """
    if SORT_VALUES not in shape.properties or not shape.accepts(SORT_VALUES, [1]):
        return list(resources)
    return [
        {SORT_VALUES: [number], **resource} for number, resource in enumerate(resources, start=1)
    ]


def read_list_request(operation: Operation, shape: ResourceShape, query: Query) -> ListRequest:
    """What the documented parameters of a request ask for. Their values are valid."""
    reader = _Reader(operation, shape, query)
    return ListRequest(
        filters=tuple(reader.filters()),
        sort_property=reader.sort_property(),
        is_descending=reader.is_descending(),
        limit=reader.limit(),
        offset=reader.offset(),
        page=reader.number(Role.PAGE),
        first_page=reader.first_page(),
        cursor=reader.cursor(),
        after_value=reader.after_value(),
    )


def query_of_body(operation: Operation, body: JsonObject) -> Query:
    """The properties of the body of a search, as the texts that a query would have.

    Objects, and lists of them, have no such text: their meaning is the API's own.
    """
    query: dict[str, list[str]] = {}
    for search_property in operation.search_properties:
        value: object = body.get(search_property.name)
        values: list[object] = [value]
        if isinstance(value, list):
            values = cast("list[object]", value)
        if values and all(isinstance(item, str | int | float) for item in values):
            query[search_property.name] = [_text_of(item) for item in values]
    return query


def _text_of(value: object) -> str:
    """A value as a URL contains it."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


class _Reader:
    """Reads the query parameters of one request, and the properties of a search."""

    def __init__(self, operation: Operation, shape: ResourceShape, query: Query) -> None:
        self._operation = operation
        self._query = query
        self._property_names = {plain_name(name): name for name in shape.properties}
        self._parameters = [
            parameter for parameter in operation.parameters if parameter.location == "query"
        ]
        self._parameters += operation.search_properties

    def filters(self) -> list[Filter]:
        """The filters of the request: parameters with the name of a property."""
        filters: list[Filter] = []
        for parameter in self._parameters:
            if _role(parameter) is not None:
                continue
            property_name = self._filtered_property(parameter)
            texts = self._texts(parameter)
            # A text without characters is no value: forms send it for an empty field.
            if property_name is None or texts in ([], [""]):
                continue
            if parameter.is_array and not parameter.explode:
                texts = parameter.split(texts[0])
            keeps_missing = self._names_location(parameter)
            filters.append(Filter(property_name, tuple(texts), keeps_missing))
        return filters

    def _filtered_property(self, parameter: Parameter) -> str | None:
        """The property that a parameter filters by; `None` if it is no filter."""
        property_name = self._property_names.get(plain_name(parameter.name))
        if property_name is None and self._names_location(parameter):
            # A request may have stored the location, also where no response shows it.
            return parameter.name
        return property_name

    def _names_location(self, parameter: Parameter) -> bool:
        """Whether a parameter names the location, by which the vendor's API counts requests.

        A resource that was stored without a location belongs to each of them.
        """
        return parameter.name == self._operation.rate_limit_key

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
            # The direction alone, or at the end: `name:desc` and `name_desc`.
            last_word = re.split("[^a-z]", text.lower())[-1]
            if last_word in DIRECTION_IS_DESCENDING:
                return DIRECTION_IS_DESCENDING[last_word]
        return False

    def limit(self) -> int | None:
        """The largest number of resources; `None` for no limit. A limit of 0 is none."""
        limit = self.number(Role.LIMIT)
        if limit == 0:
            return None
        return limit

    def offset(self) -> int:
        """The number of resources to skip."""
        offset = self.number(Role.OFFSET)
        if offset is None:
            return 0
        return offset

    def number(self, role: Role) -> int | None:
        """The number of a parameter; `None` if there is none.

        A negative number counts as 0. It arrives only if the spec states no minimum.
        """
        for text in self._values(role):
            try:
                # JSON Schema accepts `2.0` and `1e2` as integers too.
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

    def cursor(self) -> Cursor | None:
        """The resource after which the list starts; `None` if the request names none."""
        parameters = self._with_role(Role.AFTER)
        # A request can have both `startAfterId` and `startAfter`, which is a time in some lists.
        names_with_id = [parameter for parameter in parameters if _names_id(parameter)]
        other_names = [parameter for parameter in parameters if not _names_id(parameter)]
        for parameter in names_with_id + other_names:
            texts = self._texts(parameter)
            if texts in ([], [""]) or not _is_id(parameter, texts[0]):
                continue
            return Cursor(texts[0], parameter.name)
        return None

    def after_value(self) -> str | None:
        """The value after which the list starts; `None` if the request names none."""
        return next(iter(self._values(Role.AFTER_VALUE)), None)

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


def _names_id(parameter: Parameter) -> bool:
    """Whether the name of a parameter says that its value is an id, such as `startAfterId`."""
    return plain_name(parameter.name).endswith("id")


def _is_id(parameter: Parameter, text: str) -> bool:
    """Whether a value after which a list starts is the id of a resource.

    Numbers and lists are not: some lists start after the sort values of the last resource.
    """
    if parameter.is_array:
        return False
    # Valid as a text, so the schema does not type it as a number.
    return parameter.schema.is_valid(text)


def _without_direction(text: str) -> str:
    """The property of `-name`, `name:desc` or `name_desc`."""
    match = re.fullmatch("-?(.*?)(?:[^a-zA-Z0-9](asc|desc)[a-z]*)?", text, re.IGNORECASE)
    if match is None:
        return text
    return match[1]


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


def _in_requested_order(resources: list[JsonObject], request: ListRequest) -> list[JsonObject]:
    """The resources in the order of the request, or in that in which they were stored."""
    name = request.sort_property
    if name is None and request.is_descending:
        # The newest resource was stored last.
        return resources[::-1]
    if name is None:
        return resources
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
    if request.cursor is not None:
        return _start_after(request.cursor, resources)
    if request.after_value is not None:
        start = _start_after_sort_value(request.after_value, resources)
        if start is not None:
            return start
    if request.after_value is not None and request.sort_property is not None:
        return _start_after_value(request.after_value, request, resources)
    if request.page is None:
        return request.offset
    if request.limit is None:
        # Without a limit there is one page, whatever number the request has.
        return request.offset
    previous_pages = max(0, request.page - request.first_page)
    return request.offset + previous_pages * request.limit


def _start_after(cursor: Cursor, resources: list[JsonObject]) -> int:
    """The number of resources up to and with that of a cursor.

    Raises:
        RejectionError: 400, the list does not contain it.
    """
    for index, resource in enumerate(resources):
        if str(resource.get("id")) == cursor.resource_id:
            return index + 1
    raise RejectionError(
        400, f"{cursor.parameter_name} in the query is the id of no resource of this list"
    )


def _start_after_sort_value(text: str, resources: list[JsonObject]) -> int | None:
    """The number of resources up to the last one with a sort value; `None` if none has it."""
    for index in range(len(resources) - 1, -1, -1):
        values: object = resources[index].get(SORT_VALUES)
        if isinstance(values, list) and values and _equals(cast("list[object]", values)[0], text):
            return index + 1
    return None


def _start_after_value(text: str, request: ListRequest, resources: list[JsonObject]) -> int:
    """The number of resources up to those with a value of the sort property.

    Resources with the same value are skipped together, as by the vendor's API.
    """
    value_key = _sort_key(_number_in(text))
    start = 0
    for resource in resources:
        value = resource.get(request.sort_property or "")
        if value is None:
            # These follow the others.
            break
        # The spec can type the property as a text, and the parameter as a number.
        key = _sort_key(_number_in(value))
        is_after = key < value_key if request.is_descending else key > value_key
        if is_after:
            break
        start += 1
    return start


def _number_in(value: Any) -> Any:
    """The number of a text, or the value itself."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
