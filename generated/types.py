"""Types shared by the generated modules."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import IO, Any, BinaryIO, Generic, Literal, Self, TypeVar, cast


class Unset:
    """The type of `UNSET`, which stands for an omitted field or argument.

    There is one instance. It is false in a condition.
    """

    _instance: Self | None = None

    def __new__(cls) -> Self:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()


UNSET: Unset = Unset()


@dataclass(frozen=True, slots=True)
class UnionBranch:
    """A value of `anyOf` or `oneOf`, and the branch that the client has chosen for it.

    The client compares a response with the spec before models read it. A model that reads other data
    takes the first branch that fits.
    """

    pointer: str
    """The JSON pointer of the branch's schema in the spec."""
    value: object


def json_value(value: object) -> Any:
    """The JSON data of a value that models contain: a model, an enum member, a time or a list.

    JSON data and `UNSET` stay as they are.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | float | int | dict | Unset):
        return cast("Any", value)
    if isinstance(value, list | tuple):
        return [json_value(item) for item in cast("list[object]", value)]
    for name in ("to_dict", "isoformat"):
        convert = getattr(value, name, None)
        if convert is not None:
            return convert()
    # A UUID.
    return str(value)


def json_object(
    properties: Mapping[str, Any],
    additional_properties: Mapping[str, Any] | Unset = UNSET,
) -> dict[str, Any]:
    """A JSON object with the properties that are set."""
    data: dict[str, Any] = {}
    if not isinstance(additional_properties, Unset):
        data.update(additional_properties)
    for name, value in properties.items():
        if value is not UNSET:
            data[name] = value
    return data


def parameter_text(value: object) -> Any:
    """The text of a value in a path, a header or a cookie. `UNSET` stays as it is."""
    data = json_value(value)
    if isinstance(data, Unset):
        return data
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, list):
        return ",".join([parameter_text(item) for item in cast("list[object]", data)])
    return str(data)


# The entries of `files=` that httpx accepts.
FileContent = IO[bytes] | bytes | str
FileTypes = (
    tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = list[tuple[str, FileTypes]]


@dataclass(slots=True)
class File:
    """A file to upload: its content, its name and its media type."""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """The file as an entry of httpx's `files=`."""
        return self.file_name, self.payload, self.mime_type


T = TypeVar("T")


class RequestOptions:
    """The base class of the options of one call.

    `leadconnector.RequestOptions` has the options, and checks them. Calls take no other subclass.
    """

    __slots__ = ()


class APIResponse(Generic[T]):
    """A successful response of the API: status, headers, bytes, and the result of the call.

    The methods of `with_raw_response` return it. Its repr shows no data.
    """

    # Not a dataclass: error reporters show the fields of a dataclass one by one.
    __slots__ = (
        "_parse",
        "attempts",
        "content",
        "headers",
        "request_id",
        "status_code",
    )

    def __init__(
        self,
        *,
        status_code: int,
        headers: Mapping[str, str],
        request_id: str | None,
        attempts: int,
        content: bytes,
        parse: Callable[[], T],
    ) -> None:
        self.status_code = status_code
        """The HTTP status. It is 2xx, since any other status raises an exception."""
        self.headers = headers
        """The lookup ignores case."""
        self.request_id = request_id
        """Identifies the call to the API's support, if the response has such an id."""
        self.attempts = attempts
        """How many requests the call sent."""
        self.content = content
        """The bytes of the body, decompressed."""
        self._parse = parse

    def parse(self) -> T:
        """The result of the plain call. It uses no network, and reports no deviation again.

        Raises:
            APIDecodingError: no model fits the body.
            DriftError: the response deviates from the spec, and the client is strict.
        """
        parse = self._parse
        # It can raise, and a traceback can show the variables of this frame.
        del self
        return parse()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status_code}, {len(self.content)} bytes)"


PageT = TypeVar("PageT")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class PageCursor(Generic[PageT, ItemT]):
    """A parameter whose value for the next page is in the page before it."""

    argument: str
    types: frozenset[str]
    """The JSON types that the parameter accepts. Empty: any."""
    read: Callable[[PageT, ItemT | None], object]
    """Takes a page and its last item. Returns the value for the next page, or `UNSET`."""


@dataclass(frozen=True, slots=True)
class PageCounter:
    """A parameter that is the number of items before a page, or the number of the page."""

    argument: str
    is_page_number: bool
    first: int
    """Its value for the first page."""
    is_text: bool
    """Whether the spec types the number as a text."""
    is_required: bool


@dataclass(frozen=True, slots=True)
class Pagination(Generic[PageT, ItemT]):
    """How to iterate over the pages of a list operation, as the roles in the spec say."""

    items: Callable[[PageT], list[ItemT]]
    cursors: tuple[PageCursor[PageT, ItemT], ...] = ()
    counter: PageCounter | None = None
    """`None`: the cursors say where a page starts."""
    item_id: Callable[[ItemT], object] | None = None
    total: Callable[[PageT], object] | None = None
    """Returns the number of items of all pages."""
    has_next: Callable[[PageT], object] | None = None
    """Returns whether another page follows."""


@dataclass(slots=True)
class Response(Generic[T]):
    """The return type of the generated `…_detailed` functions."""

    status_code: HTTPStatus
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


__all__ = [
    "UNSET",
    "APIResponse",
    "File",
    "FileTypes",
    "PageCounter",
    "PageCursor",
    "Pagination",
    "RequestFiles",
    "RequestOptions",
    "Response",
    "Unset",
]
