"""Types shared by the generated modules."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from http import HTTPStatus
from pathlib import PurePath
from typing import (
    Any,
    BinaryIO,
    Generic,
    Literal,
    Self,
    TypeAlias,
    TypeGuard,
    TypeVar,
    cast,
)
from urllib.parse import quote, urlencode


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


_FORMATS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\d[Tt ].+"),
    "uuid": re.compile(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
}
"""What a text of a format begins with or looks like (RFC 3339, RFC 9562)."""


def has_format(data: object, name: str) -> TypeGuard[str]:
    """Whether data is a text that looks like one of a format.

    Python converts more: a date without a time to midnight, `20210102` to a date. A text of another
    branch of a union can look like that.
    """
    return isinstance(data, str) and _FORMATS[name].fullmatch(data) is not None


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


class UnsendableError(ValueError):
    """A value cannot be written where the spec puts it. The message does not contain the value."""


# The entries of `files=` that httpx accepts.
RequestFiles = list[tuple[str, tuple[str | None, bytes, str]]]


@dataclass(slots=True)
class File:
    """A file to upload: its content, its name and its media type.

    A file that can seek is sent from its start, also by a second call.
    """

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None
    """It is sent if the spec does not say the type, or allows several ones."""

    def read(self) -> bytes:
        """The whole content. A retry sends it again."""
        if self.payload.seekable():
            self.payload.seek(0)
        # A file that was opened as text returns a `str`.
        content = cast("object", self.payload.read())
        if not isinstance(content, bytes | bytearray):
            raise UnsendableError("a file must be opened in binary mode")
        return bytes(content)

    def media_type(self, expected: str) -> str:
        """The media type to send.

        Args:
            expected: what the spec allows: a type, a range such as `image/*`, or a list of both.
        """
        if "*" not in expected and "," not in expected:
            return expected
        media_type = self.mime_type or "application/octet-stream"
        if not (media_type.isascii() and media_type.isprintable()):
            raise UnsendableError("the mime_type of a file must be printable ASCII")
        essence = media_type.partition(";")[0].strip().lower()
        main_type = essence.partition("/")[0]
        allowed = [
            item.partition(";")[0].strip().lower() for item in expected.split(",")
        ]
        if not {essence, f"{main_type}/*", "*/*"}.isdisjoint(allowed):
            return media_type
        raise UnsendableError(f"the mime_type of the file must be one of {expected}")

    def name(self) -> str:
        """The name to send. Without one, servers would take the file for a text."""
        if self.file_name:
            return self.file_name
        path = getattr(self.payload, "name", None)
        return PurePath(path).name if isinstance(path, str) else "upload"


FileTypes: TypeAlias = File
"""A file in the data of a form. The generator uses this name for it."""


# How parameters are written: OpenAPI 3.1.1, "Style Examples". A value that is left out or null, and
# an empty list or object, are "undefined" there, so that nothing is sent (RFC 6570, section 2.3).

_QUERY_DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}


def scalar_text(value: object) -> str:
    """A scalar as text: a boolean or a number as in JSON, a time as in RFC 3339."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value, allow_nan=False)
    if isinstance(value, date):
        return value.isoformat()
    # Whoever has a UUID has imported the module already.
    import uuid  # noqa: PLC0415

    if isinstance(value, uuid.UUID):
        return str(value)
    raise UnsendableError(
        "a parameter or a part of a form must be a text, number or boolean"
    )


def query_pairs(
    name: str, value: object, style: str = "form", *, explode: bool = True
) -> list[str]:
    """A parameter of the query as encoded pairs, such as `name=value`."""
    data = _parameter_data(value)
    if data is None:
        return []
    if isinstance(data, str):
        return [_encoded_pair(name, data)]
    if style == "deepObject" and isinstance(data, dict):
        return [_encoded_pair(f"{name}[{key}]", text) for key, text in data.items()]
    if explode and isinstance(data, dict):
        return [_encoded_pair(key, text) for key, text in data.items()]
    if explode:
        return [_encoded_pair(name, text) for text in data]
    delimiter = _QUERY_DELIMITERS[style]
    parts = [_encoded(part) for part in _flat(data)]
    # The encoded form of a comma differs from the delimiter. That of a space or a bar does not.
    if any(delimiter in part for part in parts):
        raise UnsendableError(
            f"a value must not contain the delimiter of the style {style}"
        )
    return [f"{_encoded(name)}={delimiter.join(parts)}"]


def query_string(*parameters: list[str]) -> str:
    """The query of a URL with its question mark; empty without parameters."""
    pairs = [pair for pairs in parameters for pair in pairs]
    return f"?{'&'.join(pairs)}" if pairs else ""


def path_text(value: object, *, explode: bool = False) -> str:
    """A parameter of the path, encoded, in the style `simple`."""
    data = _parameter_data(value)
    if data is None:
        raise UnsendableError("a parameter of the path must have a value")
    if isinstance(data, str):
        return _encoded(data)
    if explode and isinstance(data, dict):
        return ",".join(_encoded_pair(key, text) for key, text in data.items())
    return ",".join(_encoded(part) for part in _flat(data))


def add_text(
    texts: dict[str, Any], name: str, value: object, *, explode: bool = False
) -> None:
    """Add a parameter to headers or cookies, unless it is left out.

    The style is `simple`. For cookies, `form` without `explode` gives the same text. These texts
    are not percent-encoded (OpenAPI 3.1.1, appendix D).
    """
    data = _parameter_data(value)
    if data is None:
        return
    if isinstance(data, str):
        texts[name] = data
        return
    parts = _flat(data)
    if explode and isinstance(data, dict):
        parts = [f"{key}={text}" for key, text in data.items()]
    is_ambiguous = (
        explode and isinstance(data, dict) and any("=" in key for key in data)
    )
    if is_ambiguous or any("," in part for part in parts):
        raise UnsendableError(
            "a value in a list or object in a header must not contain a comma"
        )
    texts[name] = ",".join(parts)


def _parameter_data(value: object) -> str | list[str] | dict[str, str] | None:
    """The texts of a parameter; `None` if it is undefined."""
    if value is None or isinstance(value, Unset):
        return None
    # Most parameters are texts. A member of an enum is of another type.
    if type(value) is str:
        return value
    # A generated model. A protocol that is checked at run time takes ten times as long.
    to_dict: Callable[[], object] | None = getattr(value, "to_dict", None)
    data = value if to_dict is None else to_dict()
    if isinstance(data, list | tuple):
        items = cast("list[object]", data)
        return [scalar_text(item) for item in items if item is not None] or None
    if isinstance(data, Mapping):
        members = cast("Mapping[str, object]", data)
        texts = {
            name: scalar_text(item)
            for name, item in members.items()
            if item is not None
        }
        return texts or None
    return scalar_text(data)


def _flat(data: list[str] | dict[str, str]) -> list[str]:
    """The items of a list, or the names and values of an object in turn."""
    if isinstance(data, list):
        return data
    return [part for member in data.items() for part in member]


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _encoded_pair(name: str, text: str) -> str:
    return f"{_encoded(name)}={_encoded(text)}"


# How bodies are written: OpenAPI 3.1.1, "Encoding Object". By default, a part is text, an object is
# JSON, and each item of a list is a part of its own. That applies to both kinds of forms: 3.1.0 had
# the style `form` for objects in urlencoded forms, and 3.1.1 clarified it ("URL Encoded Form with
# JSON Values"). A form has no null, so that null is left out, as in parameters.


def form_body(
    data: Mapping[str, object],
    media_types: Mapping[str, str],
    integers: Collection[str] = (),
) -> bytes:
    """The body of an urlencoded form.

    Args:
        data: the data of the form.
        media_types: those of properties that do not have the default.
        integers: the names of properties that are integers, or lists of them.
    """
    pairs = [
        (name, _part_text(part, media_types.get(name)))
        for name, part in _parts(data, integers)
    ]
    return urlencode(pairs).encode("ascii")


def multipart_body(
    data: Mapping[str, object],
    media_types: Mapping[str, str],
    integers: Collection[str] = (),
) -> RequestFiles:
    """The parts of a multipart form. httpx writes them, with a random boundary.

    Args:
        data: the data of the form, in which files are a `File`.
        media_types: those of properties that do not have the default.
        integers: the names of properties that are integers, or lists of them.
    """
    files: RequestFiles = []
    for name, part in _parts(data, integers):
        media_type = media_types.get(name)
        if isinstance(part, File):
            media_type = part.media_type(media_type or "*/*")
            files.append((name, (part.name(), part.read(), media_type)))
            continue
        text = _part_text(part, media_type)
        default = "application/json" if isinstance(part, dict | list) else "text/plain"
        files.append((name, (None, text.encode(), media_type or default)))
    return files


def _parts(
    data: Mapping[str, object], integers: Collection[str]
) -> Iterator[tuple[str, object]]:
    for name, value in data.items():
        parts = cast("list[object]", value) if isinstance(value, list) else [value]
        for part in parts:
            if part is None or isinstance(part, Unset):
                continue
            if name in integers and isinstance(part, float) and part.is_integer():
                # 5.0 is an integer in JSON. A form has no numbers, so that a server expects `5`.
                yield name, int(part)
            else:
                yield name, part


def _part_text(value: object, media_type: str | None) -> str:
    if media_type == "application/json" or isinstance(value, dict | list):
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    return scalar_text(value)


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
    "UnsendableError",
    "Unset",
]
