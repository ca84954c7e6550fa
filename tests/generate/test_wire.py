"""Parameters and bodies are on the wire as OpenAPI 3.1 says.

Independent parsers read the requests: those of the standard library.
"""

from __future__ import annotations

import datetime
import email.parser
import email.policy
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import httpx
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generate.packages import loaded_client
from tests.generate.wire_spec import SPEC

TIME = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
UID = UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")


@dataclass
class Api:
    """A client, and the requests that it has sent."""

    package: Any
    models: Any
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    response: httpx.Response = field(default_factory=lambda: httpx.Response(204))

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.response

    def send(self, method: str, *arguments: object, **keywords: object) -> httpx.Request:
        """Call a method, and return its request."""
        self.call(method, *arguments, **keywords)
        return self.requests[-1]

    def call(self, method: str, *arguments: object, **keywords: object) -> Any:
        transport = httpx.MockTransport(self.respond)
        with self.package.LeadConnector(token="t", transport=transport) as client:
            call: Callable[..., Any] = getattr(client.things, method)
            return call(*arguments, **keywords)


@pytest.fixture(scope="module", name="package")
def wire_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with loaded_client(SPEC, tmp_path_factory.mktemp("wire"), "wire_client") as package:
        yield package.module()


@pytest.fixture(scope="module", name="api")
def wire_api(package: Any) -> Api:
    return Api(package, package.models)


@pytest.fixture(autouse=True)
def reset(api: Api) -> None:
    api.response = httpx.Response(204)


class Stream(io.RawIOBase):
    """A file that cannot seek, such as a pipe."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._chunks.pop(0) if self._chunks else b""
        buffer[: len(chunk)] = chunk
        return len(chunk)


def file_of(api: Api, content: bytes, *names: str) -> Any:
    return api.package.File(io.BytesIO(content), *names)


def query_of(request: httpx.Request) -> str:
    return request.url.query.decode()


def multipart_parts(request: httpx.Request) -> list[EmailMessage]:
    """The parts of a multipart body, as the standard library reads them."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.content)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    parts = cast("list[object]", message.get_payload())
    return [part for part in parts if isinstance(part, EmailMessage)]


def name_of(part: EmailMessage, parameter: str = "name") -> Any:
    return part.get_param(parameter, header="Content-Disposition")


def content_of(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def texts(request: httpx.Request) -> list[tuple[str, str, str]]:
    """The parts of a multipart body: name, media type and text."""
    return [
        (name_of(part), str(part["Content-Type"]), content_of(part).decode())
        for part in multipart_parts(request)
    ]


class TestPath:
    """Style `simple`."""

    def test_a_list_and_an_object_are_separated_by_commas(self, api: Api) -> None:
        point = api.models.Point(r=1, g="x,y=z")

        request = api.send("path", True, ["a", "b,c", "/?#"], point, point)

        assert request.url.raw_path == (
            b"/base/path/true/a,b%2Cc,%2F%3F%23/R,1,G,x%2Cy%3Dz/R=1,G=x%2Cy%3Dz"
        )

    @pytest.mark.parametrize("tags", [[], ["."], [".."], [""], ["a", "\n"]])
    def test_a_list_that_would_change_the_path_is_rejected(self, api: Api, tags: list[str]) -> None:
        with pytest.raises(api.package.ArgumentError, match="tags"):
            api.call("path", True, tags, {"R": 1}, {"R": 1})

    def test_an_object_of_nulls_is_rejected(self, api: Api) -> None:
        with pytest.raises(api.package.ArgumentError, match="of the path must have a value"):
            api.call("path", True, ["a"], {"G": None}, {"R": 1})


class TestQuery:
    """Styles `form`, `spaceDelimited`, `pipeDelimited` and `deepObject`."""

    @pytest.mark.parametrize(
        ("arguments", "query"),
        [
            ({"query": ["a", "b,c"]}, "query=a&query=b%2Cc"),
            ({"listed": ["a", "b,c", "é"]}, "listed=a,b%2Cc,%C3%A9"),
            ({"spaces": ["a", "b"]}, "spaces=a%20b"),
            ({"bars": [1, 2]}, "bars=1%7C2"),
            ({"deep": {"R": 1, "G": "x y"}}, "deep%5BR%5D=1&deep%5BG%5D=x%20y"),
            ({"flat": {"R": 1, "G": "x"}}, "flat=R,1,G,x"),
            ({"spread": {"R": 1, "G": None}}, "R=1"),
            ({"free": {"a b": True, "c": 0.5}}, "free%5Ba%20b%5D=true&free%5Bc%5D=0.5"),
            ({"kinds": ["a", "b,c"]}, "kinds=a&kinds=b%2Cc"),
            ({"day": datetime.date(2026, 1, 2)}, "day=2026-01-02"),
            ({"number": 1e22}, "number=1e%2B22"),
            ({"flag": False}, "flag=false"),
            ({"flag": None}, ""),
            ({"either": "a,b"}, "either=a%2Cb"),
            ({"either": ["a", "b"]}, "either=a,b"),
            ({"query": []}, ""),
            ({"query": [""]}, "query="),
            ({"deep": {}}, ""),
            ({}, ""),
        ],
    )
    def test_each_style_is_that_of_the_standard(
        self, api: Api, arguments: dict[str, Any], query: str
    ) -> None:
        assert query_of(api.send("query", **arguments)) == query

    def test_a_model_is_written_as_a_mapping_is(self, api: Api) -> None:
        point = api.models.Point(r=1)

        assert query_of(api.send("query", deep=point, flat=point)) == "deep%5BR%5D=1&flat=R,1"

    @pytest.mark.parametrize(
        "arguments", [{"spaces": ["a b"]}, {"free": {"a": {"b": 1}}}, {"deep": {"R": "x"}}]
    )
    def test_a_value_that_the_style_cannot_write_is_rejected(
        self, api: Api, arguments: dict[str, Any]
    ) -> None:
        with pytest.raises(api.package.ArgumentError, match=next(iter(arguments))):
            api.call("query", **arguments)

    def test_an_addition_of_the_options_is_behind_the_arguments(self, api: Api) -> None:
        options = api.package.RequestOptions(query={"more": ["1", "2"]})

        request = api.send("query", listed=["a", "b"], options=options)

        assert query_of(request) == "listed=a,b&more=1&more=2"
        assert query_of(api.send("query", options=options)) == "more=1&more=2"

    @settings(max_examples=60, deadline=None)
    @given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
    def test_each_list_can_be_read_from_the_query(self, api: Api, values: list[str]) -> None:
        query = query_of(api.send("query", query=values, listed=values))

        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        assert [value for name, value in pairs if name == "query"] == values
        _, _, listed = query.rpartition("&listed=")
        assert [unquote(part) for part in listed.split(",")] == values


class TestHeadersAndCookies:
    """Style `simple` in headers, and `form` in cookies."""

    def test_each_type_is_written_as_text(self, api: Api) -> None:
        point = api.models.Point(r=1, g="x")

        request = api.send(
            "headers",
            x_list=["a", "b c"],
            x_flat=point,
            x_pairs=point,
            x_time=TIME,
            x_flag=True,
            x_kind="a",
            headers="h",
            ids=[1, 2],
            flag=False,
            cookies=UID,
        )

        assert request.headers["X-List"] == "a,b c"
        assert request.headers["X-Flat"] == "R,1,G,x"
        assert request.headers["X-Pairs"] == "R=1,G=x"
        assert request.headers["X-Time"] == "2026-01-02T03:04:05+00:00"
        assert request.headers["X-Flag"] == "true"
        assert request.headers["X-Kind"] == "a"
        assert request.headers["headers"] == "h"
        assert request.headers["Cookie"] == f"ids=1,2; flag=false; cookies={UID}"

    def test_headers_of_the_transfer_are_no_arguments(self, api: Api) -> None:
        request = api.send("headers", flag=True)

        assert request.headers["Host"] == "api.example.com"
        assert "content-length" not in request.headers
        assert request.headers["Cookie"] == "flag=true"
        with pytest.raises(TypeError, match="host"):
            api.send("headers", host="5")

    def test_what_is_left_out_is_not_sent(self, api: Api) -> None:
        request = api.send("headers", x_list=[], x_flat={"G": None}, ids=[])

        assert not {"x-list", "x-flat", "cookie"} & request.headers.keys()

    @pytest.mark.parametrize(
        "arguments", [{"x_list": ["a,b"]}, {"x_list": ["a", "b\r\nX: 1"]}, {"x_flat": {"G": ","}}]
    )
    def test_a_part_that_headers_cannot_carry_is_rejected(
        self, api: Api, arguments: dict[str, Any]
    ) -> None:
        with pytest.raises(api.package.ArgumentError, match=next(iter(arguments))):
            api.call("headers", **arguments)


class TestIntegers:
    """JSON Schema counts 5.0 as an integer. A text that is a number in a URL or a form does not."""

    @pytest.mark.parametrize(
        ("value", "text"), [(5.0, "5"), (1e20, "1" + "0" * 20), (-0.0, "0"), (7, "7")]
    )
    def test_a_path_has_no_decimal_point(self, api: Api, value: float, text: str) -> None:
        request = api.send("integers", value, [value, 1])

        assert request.url.raw_path == f"/base/integers/{text}/{text},1".encode()

    @pytest.mark.parametrize(
        ("arguments", "query"),
        [
            ({"one": 5.0}, "one=5"),
            ({"one": 1e20}, f"one=1{'0' * 20}"),
            ({"one": numpy.float64(5)}, "one=5"),
            ({"many": [5.0, 1e16, 6]}, "many=5&many=10000000000000000&many=6"),
            ({"point": {"R": 5.0}}, "R=5"),
            ({"maybe": 5.0}, "maybe=5"),
            ({"either": 5.0}, "either=5"),
            ({"either": "5.0"}, "either=5.0"),
            ({"level": 2.0}, "level=2"),
            ({"constant": 3.0}, "constant=3"),
            ({"number": 5.0}, "number=5.0"),
        ],
    )
    def test_a_query_has_no_decimal_point(
        self, api: Api, arguments: dict[str, Any], query: str
    ) -> None:
        assert query_of(api.send("integers", 1, [1], **arguments)) == query

    def test_a_model_has_no_decimal_point(self, api: Api) -> None:
        request = api.send("integers", 1, [1], point=api.models.Point(r=5.0))

        assert query_of(request) == "R=5"

    def test_headers_and_cookies_have_no_decimal_point(self, api: Api) -> None:
        request = api.send("integers", 1, [1], x_count=5.0, x_counts=[5.0, 6.0], visits=5.0)

        assert request.headers["X-Count"] == "5"
        assert request.headers["X-Counts"] == "5,6"
        assert request.headers["Cookie"] == "visits=5"

    def test_an_urlencoded_form_has_no_decimal_point(self, api: Api) -> None:
        request = api.send("form", name="n", maybe=5.0, counts=[5.0, 1e16], point={"R": 5.0})

        assert parse_qsl(request.content.decode("ascii")) == [
            ("name", "n"),
            ("point", '{"R":5}'),
            ("maybe", "5"),
            ("counts", "5"),
            ("counts", "10000000000000000"),
        ]

    @pytest.mark.parametrize("method", ["upload", "choice"])
    def test_a_multipart_form_has_no_decimal_point(self, api: Api, method: str) -> None:
        form = api.models.Upload(title="t", count=5.0, counts=[5.0, 1e16], number=5.0)

        parts = [(name, text) for name, _, text in texts(api.send(method, body=form))]

        assert sorted(parts) == [
            ("count", "5"),
            ("counts", "10000000000000000"),
            ("counts", "5"),
            ("number", "5.0"),
            ("title", "t"),
        ]

    def test_a_form_that_is_one_of_several_types_has_no_decimal_point(self, api: Api) -> None:
        request = api.send("choice", body=api.models.Form(name="n", maybe=5.0))

        assert parse_qsl(request.content.decode("ascii")) == [("name", "n"), ("maybe", "5")]

    def test_a_fraction_is_rejected(self, api: Api) -> None:
        with pytest.raises(api.package.ArgumentError, match="one must be of type integer"):
            api.call("integers", 1, [1], one=5.5)


class TestJson:
    """A body that is no object."""

    @pytest.mark.parametrize("value", [0, 5, None])
    def test_a_scalar_or_null_is_sent(self, api: Api, value: int | None) -> None:
        request = api.send("value", body=value)

        assert request.content == json.dumps(value).encode()
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Content-Length"] == str(len(request.content))

    def test_null_is_sent_beside_a_cookie(self, api: Api) -> None:
        request = api.send("value", body=None, session="s")

        assert (request.content, request.headers["Cookie"]) == (b"null", "session=s")

    def test_an_enum_is_sent_as_member_or_value(self, api: Api) -> None:
        assert api.send("kind", body=api.models.Kind.A).content == b'"a"'
        assert api.send("kind", body="b,c").content == b'"b,c"'

    def test_a_list_of_dates_is_sent(self, api: Api) -> None:
        assert api.send("days", body=[datetime.date(2026, 1, 2)]).content == b'["2026-01-02"]'

    def test_a_body_that_is_left_out_has_no_media_type(self, api: Api) -> None:
        request = api.send("kind")

        assert request.content == b""
        assert "Content-Type" not in request.headers


class TestMultipart:
    """Bodies of `multipart/form-data`."""

    def test_each_type_has_the_default_encoding(self, api: Api) -> None:
        point = api.models.Point(r=1, g="é")
        body = api.models.Upload(
            title="t",
            tags=["x", "y"],
            point=point,
            points=[point, api.models.Point(g=None)],
            flag=True,
            number=0.5,
            day=TIME.date(),
            time=TIME,
            uid=UID,
            kind=api.models.Kind("b,c"),
            maybe=None,
            maybe_file=None,
            xml="<a/>",
            json="text",
            base64="AAAA",
            any_=5,
        )
        body["extra"] = False

        assert sorted(texts(api.send("upload", body=body))) == sorted(
            [
                ("title", "text/plain", "t"),
                ("tags", "text/plain", "x"),
                ("tags", "text/plain", "y"),
                ("point", "application/json", '{"R":1,"G":"é"}'),
                ("points", "application/json", '{"R":1,"G":"é"}'),
                ("points", "application/json", '{"G":null}'),
                ("flag", "text/plain", "true"),
                ("number", "text/plain", "0.5"),
                ("day", "text/plain", "2026-01-02"),
                ("time", "text/plain", "2026-01-02T03:04:05+00:00"),
                ("uid", "text/plain", str(UID)),
                ("kind", "text/plain", "b,c"),
                ("xml", "application/xml", "<a/>"),
                ("json", "application/json", '"text"'),
                ("base64", "application/octet-stream", "AAAA"),
                ("any", "text/plain", "5"),
                ("extra", "text/plain", "false"),
            ]
        )

    def test_files_have_names_and_media_types(self, api: Api) -> None:
        body = api.models.Upload(
            title="t",
            file=file_of(api, b"\x00\xff"),
            files=[file_of(api, b"1", "a.bin"), file_of(api, b"2", "b.txt", "text/plain")],
            image=file_of(api, b"3", "c.jpg", "image/jpeg"),
        )

        parts = multipart_parts(api.send("upload", body=body))

        files = [
            (name_of(part), name_of(part, "filename"), part["Content-Type"], content_of(part))
            for part in parts
            if name_of(part) != "title"
        ]
        assert files == [
            ("file", "upload", "application/octet-stream", b"\x00\xff"),
            ("files", "a.bin", "application/octet-stream", b"1"),
            ("files", "b.txt", "text/plain", b"2"),
            ("image", "c.jpg", "image/jpeg", b"3"),
        ]

    def test_a_file_that_the_spec_does_not_allow_is_rejected(self, api: Api) -> None:
        body = api.models.Upload(title="t", image=file_of(api, b"3", "c.gif", "image/gif"))

        with pytest.raises(api.package.ArgumentError, match="one of image/png, image/jpeg"):
            api.call("upload", body=body)

    @pytest.mark.parametrize("value", [b"private", object(), {"a": b"private"}])
    def test_a_value_without_a_form_is_rejected_without_its_text(
        self, api: Api, value: object
    ) -> None:
        body = api.models.Upload(title="t")
        body["extra"] = value

        with pytest.raises(api.package.ArgumentError) as caught:
            api.call("upload", body=body)

        assert "private" not in str(caught.value)

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"kind": "c"}, "body.kind must be"),
            ({"short": "a"}, "body.short must be"),
            ({"few": ["a", "b"]}, "body.few must be"),
            ({"point": {"R": "x"}}, "body.point.R must be"),
            ({"title": None}, "body.title must be"),
            ({"number": True}, "body.number must be"),
        ],
    )
    def test_a_part_that_deviates_from_the_spec_is_rejected(
        self, api: Api, fields: dict[str, Any], problem: str
    ) -> None:
        body = api.models.Upload.from_dict({"title": "t", **fields})

        with pytest.raises(api.package.ArgumentError, match=problem):
            api.call("upload", body=body)

    @pytest.mark.parametrize("fields", [{}, {"text": None}])
    def test_a_form_without_parts_is_sent(self, api: Api, fields: dict[str, Any]) -> None:
        request = api.send("note", body=api.models.Note.from_dict(fields))

        content_type, _, boundary = request.headers["Content-Type"].partition("; boundary=")
        assert content_type == "multipart/form-data"
        assert request.content == f"--{boundary}--\r\n".encode()
        assert request.headers["Content-Length"] == str(len(request.content))

    def test_the_length_of_a_file_is_not_that_of_a_text(self, api: Api) -> None:
        request = api.send("note", body=api.models.Note(file=file_of(api, b"")))

        (part,) = multipart_parts(request)
        assert content_of(part) == b""

    def test_each_request_has_another_boundary(self, api: Api) -> None:
        body = api.models.Upload(title="t")

        boundaries = {api.send("upload", body=body).headers["Content-Type"] for _ in range(5)}

        assert len(boundaries) == 5

    @settings(max_examples=60, deadline=None)
    @given(
        content=st.binary()
        | st.from_regex(rb"(\r\n)?--[+a-f0-9]*(--)?\r\nContent-.*", fullmatch=True),
        title=st.text(st.characters(exclude_categories=["Cs"])),
    )
    def test_no_content_forges_a_part(self, api: Api, content: bytes, title: str) -> None:
        body = api.models.Upload(title=title, file=file_of(api, content))

        parts = {name_of(part): part for part in multipart_parts(api.send("upload", body=body))}

        assert parts.keys() == {"title", "file"}
        assert content_of(parts["file"]) == content
        assert content_of(parts["title"]).decode() == title

    @settings(max_examples=60, deadline=None)
    @given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_no_file_name_forges_a_header_or_a_part(self, api: Api, name: str) -> None:
        body = api.models.Upload(title="t", file=file_of(api, b"1", name))

        content = api.send("upload", body=body).content

        line = next(line for line in content.split(b"\r\n") if b"filename=" in line)
        # As browsers do (HTML, "Multipart form data"): UTF-8, and quotes and line ends are encoded.
        quoted_name = line.partition(b"; filename=")[2].decode()
        assert quoted_name[0] == quoted_name[-1] == '"'
        assert not set('"\r\n') & set(quoted_name[1:-1])
        assert len(multipart_parts(api.requests[-1])) == 2

    @pytest.mark.parametrize("mime_type", ["text/plain\r\nX: 1", "té/xt"])
    def test_no_media_type_forges_a_header(self, api: Api, mime_type: str) -> None:
        body = api.models.Upload(title="t", file=file_of(api, b"1", "n", mime_type))

        with pytest.raises(api.package.ArgumentError, match="mime_type"):
            api.call("upload", body=body)


class TestFiles:
    """Files are read in a way that a retry and a second call can send them again."""

    def test_a_retry_sends_the_same_body(self, api: Api) -> None:
        responses = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(204)]
        requests: list[httpx.Request] = []

        def respond(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return responses[len(requests) - 1]

        body = api.models.Upload(title="t", file=file_of(api, b"content"))
        transport = httpx.MockTransport(respond)
        with api.package.LeadConnector(token="t", transport=transport) as client:
            client.things.upload(body=body)

        assert len(requests) == 2
        assert requests[0].content == requests[1].content
        assert requests[0].headers["Content-Type"] == requests[1].headers["Content-Type"]
        assert content_of(multipart_parts(requests[1])[1]) == b"content"

    def test_a_second_call_sends_the_file_again(self, api: Api) -> None:
        file = file_of(api, b"content")
        body = api.models.Upload(title="t", file=file)

        for _ in range(2):
            parts = multipart_parts(api.send("upload", body=body))
            assert content_of(parts[1]) == b"content"

    def test_a_stream_has_a_length(self, api: Api) -> None:
        file = api.package.File(Stream([b"ab", b"c"]))
        api.response = httpx.Response(200, content=b"")

        request = api.send("put_any", body=file)

        assert request.content == b"abc"
        assert request.headers["Content-Length"] == "3"
        assert "Transfer-Encoding" not in request.headers

    def test_a_file_in_text_mode_is_rejected(self, api: Api) -> None:
        file = api.package.File(io.StringIO("a"))

        with pytest.raises(api.package.ArgumentError, match="binary mode"):
            api.call("put_any", body=file)


class TestForms:
    """Bodies of `application/x-www-form-urlencoded`."""

    def test_a_list_can_have_mappings_in_place_of_models(self, api: Api) -> None:
        request = api.send("form", name="n", points=[{"R": 1}, api.models.Point(r=2, g=None)])

        pairs = parse_qsl(request.content.decode("ascii"), strict_parsing=True)
        assert pairs == [
            ("name", "n"),
            ("points", '{"R":1}'),
            ("points", '{"R":2,"G":null}'),
        ]

    def test_each_type_has_the_default_encoding(self, api: Api) -> None:
        request = api.send(
            "form",
            name="é &=+\r\n",
            flag=True,
            number=5,
            tags=["x", "y"],
            point={"R": 1, "G": "a b"},
            points=[api.models.Point(r=1), api.models.Point(r=2)],
            time=TIME,
            maybe=None,
        )

        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        pairs = parse_qsl(request.content.decode("ascii"), strict_parsing=True)
        assert sorted(pairs) == sorted(
            [
                ("name", "é &=+\r\n"),
                ("flag", "true"),
                ("number", "5"),
                ("tags", "x"),
                ("tags", "y"),
                ("point", '{"R":1,"G":"a b"}'),
                ("points", '{"R":1}'),
                ("points", '{"R":2}'),
                ("time", "2026-01-02T03:04:05+00:00"),
            ]
        )

    @settings(max_examples=40, deadline=None)
    @given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_each_text_can_be_read(self, api: Api, name: str) -> None:
        request = api.send("form", name=name)

        assert parse_qsl(request.content.decode("ascii"), strict_parsing=True) == [("name", name)]


class TestRangeOfStatuses:
    """`2XX` also describes statuses that have no body."""

    @pytest.mark.parametrize("status", [204, 205])
    def test_a_status_without_a_body_is_a_result_without_properties(
        self, api: Api, status: int
    ) -> None:
        findings: list[Any] = []
        transport = httpx.MockTransport(lambda _: httpx.Response(status))
        with api.package.LeadConnector(
            token="t", transport=transport, on_drift=findings.append, strict=True
        ) as client:
            result = client.things.range_()

        assert result.to_dict() == {}
        assert findings == []

    def test_an_empty_body_of_another_status_raises(self, api: Api) -> None:
        api.response = httpx.Response(200, headers={"Content-Type": "application/json"})

        with pytest.raises(api.package.APIDecodingError, match="is empty"):
            api.call("range_")


class TestCharsets:
    """A text is read in the charset of its `Content-Type`."""

    @staticmethod
    def read(api: Api, content: bytes, content_type: str) -> tuple[str, list[str]]:
        """The text of a response, and the kinds of its findings."""
        findings: list[Any] = []
        response = httpx.Response(200, content=content, headers={"Content-Type": content_type})
        transport = httpx.MockTransport(lambda _: response)
        with api.package.LeadConnector(
            token="t", transport=transport, on_drift=findings.append
        ) as client:
            text = client.things.csv(body="x")
        return text, [finding.kind for finding in findings]

    @pytest.mark.parametrize(
        ("charset", "codec"),
        [
            ("; charset=iso-8859-1", "latin-1"),
            (";charset=ISO-8859-1", "latin-1"),
            ('; header=present; Charset="windows-1252"', "cp1252"),
            ("; charset=utf-16", "utf-16"),
            ("; charset=utf-8", "utf-8"),
            ("; charset=no-such-charset", "utf-8"),
            ("; charset=zlib", "utf-8"),
            ("; charset=rot13", "utf-8"),
            ("; charset=unicode_escape", "utf-8"),
            ("; charset=idna", "utf-8"),
            ("; charset=undefined", "utf-8"),
            ("; charset=", "utf-8"),
            ("", "utf-8"),
        ],
    )
    def test_a_known_charset_is_used_and_utf_8_otherwise(
        self, api: Api, charset: str, codec: str
    ) -> None:
        content = "Zoë;5".encode(codec)

        assert self.read(api, content, f"text/csv{charset}") == ("Zoë;5", [])

    @pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=ascii"])
    def test_bytes_that_the_charset_does_not_have_are_a_finding(
        self, api: Api, charset: str
    ) -> None:
        text, kinds = self.read(api, b"Zo\xeb", f"text/csv{charset}")

        assert (text, kinds) == ("Zo\ufffd", ["invalid-encoding"])

    def test_bytes_that_the_charset_does_not_have_raise_if_the_client_is_strict(
        self, api: Api
    ) -> None:
        response = httpx.Response(200, content=b"\xeb", headers={"Content-Type": "text/csv"})
        transport = httpx.MockTransport(lambda _: response)
        with (
            api.package.LeadConnector(token="t", transport=transport, strict=True) as client,
            pytest.raises(api.package.DriftError, match="charset"),
        ):
            client.things.csv(body="x")


class TestTextsAndFiles:
    """Bodies that are neither JSON nor forms."""

    def test_a_text_is_sent_and_returned(self, api: Api) -> None:
        api.response = httpx.Response(
            200, content="é".encode(), headers={"Content-Type": "text/csv"}
        )

        assert api.call("csv", body="é;1\r\n") == "é"

        request = api.requests[-1]
        assert request.content == "é;1\r\n".encode()
        assert request.headers["Content-Type"] == "text/csv; charset=utf-8"

    def test_xml_is_a_text(self, api: Api) -> None:
        api.response = httpx.Response(
            200, content=b"<b/>", headers={"Content-Type": "application/xml"}
        )

        assert api.call("xml", body="<a/>") == "<b/>"
        assert api.requests[-1].content == b"<a/>"
        assert api.requests[-1].headers["Content-Type"] == "application/xml"

    @pytest.mark.parametrize(
        ("method", "mime_type", "sent_type"),
        [
            ("png", None, "image/png"),
            ("png", "image/jpeg", "image/png"),
            ("image", "image/jpeg", "image/jpeg"),
            ("put_any", None, "application/octet-stream"),
            ("put_any", "audio/ogg", "audio/ogg"),
        ],
    )
    def test_a_file_is_sent_and_returned(
        self, api: Api, method: str, mime_type: str | None, sent_type: str
    ) -> None:
        api.response = httpx.Response(200, content=b"\xff\xfe", headers={"Content-Type": sent_type})
        file = file_of(api, b"\x00\r\n\xff")
        file.mime_type = mime_type

        returned = api.call(method, body=file)

        assert returned.payload.read() == b"\xff\xfe"
        assert api.requests[-1].content == b"\x00\r\n\xff"
        assert api.requests[-1].headers["Content-Type"] == sent_type

    def test_a_file_outside_of_the_range_is_rejected(self, api: Api) -> None:
        with pytest.raises(api.package.ArgumentError, match=r"one of image/\*"):
            api.call("image", body=file_of(api, b"a"))


class TestChoice:
    """Several content types: the class of the argument decides."""

    def test_the_class_of_the_body_decides(self, api: Api) -> None:
        bodies = {
            "application/json": api.models.Point(r=1),
            "application/x-www-form-urlencoded": api.models.Form(name="n"),
            "multipart/form-data": api.models.Upload(title="t"),
            "text/plain": "text",
            "application/pdf": file_of(api, b"a"),
        }
        for content_type, body in bodies.items():
            request = api.send("choice", body=body)

            assert request.headers["Content-Type"].partition(";")[0] == content_type
            assert request.content
