"""Compares a request with what the document says about the values of its parameters and body."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.long.conformance.data import difference, same_data
from benchmarks.long.conformance.documents import (
    Document,
    Json,
    MediaType,
    Operation,
    Parameter,
    is_array,
    is_container,
    is_object,
)
from benchmarks.long.conformance.reports import Mismatch
from benchmarks.long.conformance.schemas import Schemas
from benchmarks.long.conformance.wire import (
    Part,
    SentRequest,
    encoded,
    normal_path,
    normal_query,
    parts_of,
    with_moments,
)

STANDARD_HEADERS = frozenset(
    {
        "host", "user-agent", "accept", "accept-encoding", "connection", "content-type",
        "content-length", "cookie",
    }
)  # fmt: skip
"""Headers that a client may send without documentation."""


class Absent:
    """The type of `ABSENT`."""


ABSENT = Absent()
"""Stands for a body that is not sent. `None` is a body: null."""


@dataclass(frozen=True)
class Values:
    """The values of a call, as JSON data."""

    parameters: Mapping[str, Json]
    """By `Parameter.key`."""
    body: Json = ABSENT
    media_type: MediaType | None = None
    """Of the body."""


class Requests:
    """Compares requests.

    Args:
        document: the document.
        schemas: the schemas of requests.
        token: the token of the client.
    """

    def __init__(self, document: Document, schemas: Schemas, token: str) -> None:
        self._schemas = schemas
        self._base_path = urlsplit(document.base_url()).path.rstrip("/")
        self._token = token

    def mismatches(
        self, operation: Operation, values: Values, request: SentRequest
    ) -> Iterator[Mismatch]:
        """What is wrong with a request."""
        if request.method != operation.method:
            yield Mismatch("method", operation.method, request.method)
        yield from self._path(operation, values, request)
        yield from _query(operation, values, request)
        yield from self._headers(operation, values, request)
        yield from _cookies(operation, values, request)
        yield from self._body(values, request)

    def _path(
        self, operation: Operation, values: Values, request: SentRequest
    ) -> Iterator[Mismatch]:
        path = self._base_path + operation.path
        for parameter in operation.parameters:
            if parameter.place == "path":
                text = _path_text(parameter, values.parameters[parameter.key])
                path = path.replace(f"{{{parameter.name}}}", text)
        if normal_path(path) != normal_path(request.path):
            yield Mismatch("path", path, request.path)

    def _headers(
        self, operation: Operation, values: Values, request: SentRequest
    ) -> Iterator[Mismatch]:
        expected: dict[str, str] = {}
        if operation.sends_token:
            expected["authorization"] = f"Bearer {self._token}"
        for parameter in operation.parameters:
            if parameter.place == "header" and parameter.key in values.parameters:
                value = values.parameters[parameter.key]
                expected[parameter.name.lower()] = _listed(value, ",", parameter.explode, str)
        for name, text in expected.items():
            sent = request.header_values(name)
            if [with_moments(value) for value in sent] != [with_moments(text)]:
                yield Mismatch(f"header {name}", f"once {text!r}", f"{sent}")
        for name in sorted({name for name, _ in request.headers} - set(expected)):
            if name not in STANDARD_HEADERS:
                yield Mismatch(f"header {name}", "no such header", f"{request.header_values(name)}")
        yield from _accept(operation, request)

    def _body(self, values: Values, request: SentRequest) -> Iterator[Mismatch]:
        content_types = request.header_values("content-type")
        if values.body is ABSENT or values.media_type is None:
            if request.content:
                yield Mismatch("body", "no body", f"{request.content!r:.100}")
            return
        name = values.media_type.name
        if [value.partition(";")[0].strip() for value in content_types] != [name]:
            yield Mismatch("header content-type", f"once {name}", f"{content_types}")
            return
        if values.media_type.is_json:
            yield from _json_body(values.body, request)
        elif name == "application/x-www-form-urlencoded":
            yield from self._form(values.media_type, values.body, request)
        elif name == "multipart/form-data":
            yield from self._multipart(values.media_type, values.body, request)
        elif request.content != str(values.body).encode():
            yield Mismatch("body", f"{values.body!r}", f"{request.content!r:.100}")

    def _form(
        self, media_type: MediaType, body: Mapping[str, Json], request: SentRequest
    ) -> Iterator[Mismatch]:
        expected: dict[str, list[str]] = {}
        for name, value in body.items():
            encoding = media_type.encoding.get(name, {})
            parameter = Parameter(
                name,
                "query",
                False,
                {},
                encoding.get("style", "form"),
                encoding.get("explode", True),
            )
            expected |= _query_values(parameter, value, is_form="style" not in encoding)
        yield from _compare_pairs("body", expected, request.content.decode())

    def _multipart(
        self, media_type: MediaType, body: Mapping[str, Json], request: SentRequest
    ) -> Iterator[Mismatch]:
        parts = parts_of(request)
        view = self._schemas.view(media_type.schema)
        for name, value in body.items():
            schema: Json = view.properties.get(name, view.additional_schema)
            encoding = media_type.encoding.get(name, {})
            sent = [part for part in parts if part.name == name]
            values = value if is_array(value) else [value]
            if len(sent) != len(values):
                yield Mismatch(f"part {name}", f"{len(values)} parts", f"{len(sent)}")
                continue
            if is_array(value):
                schema = self._schemas.view(schema).item_schema
            for part, item in zip(sent, values, strict=True):
                yield from self._part(part, schema, item, encoding.get("contentType"))
        for part in parts:
            if part.name not in body:
                yield Mismatch(f"part {part.name}", "no such part", f"{part.content!r:.60}")

    def _part(
        self, part: Part, schema: Json, value: Json, media_type: str | None
    ) -> Iterator[Mismatch]:
        place = f"part {part.name}"
        view = self._schemas.view(schema)
        is_file = view.keywords.get("format") == "binary" or "contentMediaType" in view.keywords
        if is_file:
            if part.file_name is None:
                yield Mismatch(place, "a file name", "none")
            if part.content != str(value).encode():
                yield Mismatch(place, f"{value!r}", f"{part.content!r:.60}")
            return
        if part.file_name is not None:
            yield Mismatch(place, "no file name", part.file_name)
        if is_container(value):
            expected_types = {media_type or "application/json"}
            is_equal = same_data(_json_or_none(part.content), value)
        else:
            # RFC 7578, section 4.4: without a type, a part is text.
            expected_types = {media_type} if media_type else {"text/plain", ""}
            is_equal = with_moments(part.content.decode()) == with_moments(_text(value))
        if part.media_type not in expected_types:
            yield Mismatch(f"{place}, type", f"{expected_types}", part.media_type)
        if not is_equal:
            yield Mismatch(place, f"{value!r:.60}", f"{part.content!r:.60}")


def _json_or_none(content: bytes) -> Json:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _json_body(body: Json, request: SentRequest) -> Iterator[Mismatch]:
    try:
        sent: Json = json.loads(request.content, object_pairs_hook=_unique_names)
    except ValueError as error:
        yield Mismatch("body", "JSON", f"{error}")
        return
    if not same_data(sent, body):
        yield difference(body, sent, "body")


def _unique_names(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _accept(operation: Operation, request: SentRequest) -> Iterator[Mismatch]:
    """The header Accept must allow all documented media types of responses."""
    accepted = request.header_values("accept")
    if len(accepted) != 1:
        yield Mismatch("header accept", "one", f"{accepted}")
        return
    ranges = {item.partition(";")[0].strip() for item in accepted[0].split(",")}
    for response in operation.responses:
        for media_type in response.content:
            main_type = media_type.name.partition("/")[0]
            if not ranges & {media_type.main_name, f"{main_type}/*", "*/*"}:
                yield Mismatch("header accept", f"a range with {media_type.name}", accepted[0])


def _query(operation: Operation, values: Values, request: SentRequest) -> Iterator[Mismatch]:
    expected: dict[str, list[str]] = {}
    for parameter in operation.parameters:
        if parameter.place == "query" and parameter.key in values.parameters:
            expected |= _query_values(parameter, values.parameters[parameter.key])
    yield from _compare_pairs("query", expected, request.query)


def _compare_pairs(place: str, expected: Mapping[str, list[str]], text: str) -> Iterator[Mismatch]:
    """Compare pairs in a query or form. Pairs with different names may have any order."""
    sent: dict[str, list[str]] = defaultdict(list)
    for pair in normal_query(text).split("&"):
        if pair:
            name, _, value = pair.partition("=")
            sent[name].append(value)
    normal = {
        normal_query(name): [normal_query(value) for value in values]
        for name, values in expected.items()
    }
    for name in sorted({*normal, *sent}):
        if normal.get(name, []) != sent.get(name, []):
            yield Mismatch(f"{place} {name}", f"{normal.get(name, [])}", f"{sent.get(name, [])}")


def _cookies(operation: Operation, values: Values, request: SentRequest) -> Iterator[Mismatch]:
    expected: dict[str, str] = {}
    for parameter in operation.parameters:
        if parameter.place == "cookie" and parameter.key in values.parameters:
            value = values.parameters[parameter.key]
            expected[parameter.name] = _listed(value, ",", parameter.explode, str)
    sent: dict[str, str] = {}
    for header in request.header_values("cookie"):
        for pair in header.split("; "):
            name, _, text = pair.partition("=")
            sent[name] = text
    if sent != expected:
        yield Mismatch("cookies", f"{expected}", f"{sent}")


def _text(value: Json) -> str:
    """A scalar as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _listed(value: Json, delimiter: str, explode: bool, encode: Callable[[str], str]) -> str:
    """A value in the style `simple`, also with another delimiter (RFC 6570, section 3.2.2)."""
    if is_array(value):
        return delimiter.join(encode(_text(item)) for item in value)
    if not is_object(value):
        return encode(_text(value))
    pairs = [(encode(name), encode(_text(item))) for name, item in value.items()]
    if explode:
        return delimiter.join(f"{name}={item}" for name, item in pairs)
    return delimiter.join(f"{name}{delimiter}{item}" for name, item in pairs)


def _path_text(parameter: Parameter, value: Json) -> str:
    """A path parameter as text (RFC 6570, sections 3.2.2, 3.2.5 and 3.2.7)."""
    if parameter.style == "label":
        delimiter = "." if parameter.explode else ","
        return "." + _listed(value, delimiter, parameter.explode, encoded)
    if parameter.style == "matrix":
        name = encoded(parameter.name)
        if parameter.explode and is_array(value):
            items = value
            return "".join(f";{name}={encoded(_text(item))}" for item in items)
        if parameter.explode and is_object(value):
            return ";" + _listed(value, ";", True, encoded)
        return f";{name}={_listed(value, ',', False, encoded)}"
    return _listed(value, ",", parameter.explode, encoded)


def _query_values(
    parameter: Parameter, value: Json, *, is_form: bool = False
) -> dict[str, list[str]]:
    """The encoded values of a query parameter by encoded name."""
    name = encoded(parameter.name)
    if is_array(value):
        return _query_items(parameter, [encoded(_text(item)) for item in value])
    if is_object(value) and is_form:
        # The default content type of an object in a form (OpenAPI 3.1.1, section 4.8.15.1.1).
        return {name: [encoded(json.dumps(value))]}
    if is_object(value):
        return _query_properties(parameter, value)
    return {name: [encoded(_text(value))]}


def _query_items(parameter: Parameter, items: list[str]) -> dict[str, list[str]]:
    name = encoded(parameter.name)
    if not items:
        return {}
    if parameter.explode:
        return {name: items}
    delimiter = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}.get(parameter.style, ",")
    return {name: [delimiter.join(items)]}


def _query_properties(parameter: Parameter, value: Mapping[str, Json]) -> dict[str, list[str]]:
    name = encoded(parameter.name)
    texts = {encoded(key): [encoded(_text(item))] for key, item in value.items()}
    if parameter.style == "deepObject":
        return {f"{name}%5B{key}%5D": items for key, items in texts.items()}
    if parameter.explode:
        return texts
    return {name: [_listed(value, ",", False, encoded)]}
