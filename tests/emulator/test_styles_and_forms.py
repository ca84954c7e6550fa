"""The emulator reads parameters and forms in every style in which the client writes them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leadconnector_emulator import Emulator, Request
from leadconnector_emulator.validation import parameter_texts, parse_body

from tests.generate.packages import loaded_client
from tests.generate.wire_spec import SPEC

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1)


@dataclass
class Api:
    """A client, and the emulator that responds to it."""

    package: Any
    emulator: Emulator

    def call(self, method: str, *arguments: object, **keywords: object) -> Request:
        """Call a method, and return the request that the emulator has accepted."""
        requests: list[Request] = []

        def respond(request: httpx.Request) -> httpx.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            target = request.url.raw_path.decode().removeprefix("/base")
            requests.append(Request(request.method, target, headers, request.content))
            response = self.emulator.respond(requests[-1])
            return httpx.Response(response.status, content=response.body)

        transport = httpx.MockTransport(respond)
        with self.package.LeadConnector(token="t", transport=transport) as client:
            getattr(client.things, method)(*arguments, **keywords)
        return requests[-1]

    def texts(self, request: Request, name: str) -> list[str]:
        """The texts of a parameter, as the emulator reads them."""
        operation = self._operation(request)
        parameter = next(item for item in operation.parameters if item.name == name)
        return parameter_texts(parameter, operation, request)

    def data(self, request: Request) -> Any:
        """The data of a body, as the emulator reads it."""
        return parse_body(self._operation(request), request).data

    def status(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> int:
        """The status of a request that the client does not send."""
        all_headers = {"authorization": "Bearer t", **headers}
        return self.emulator.respond(Request(method, target, all_headers, body)).status

    def _operation(self, request: Request) -> Any:
        operations = self.emulator.spec.operations
        return next(
            operation
            for operation in operations
            if operation.method == request.method and operation.pattern.fullmatch(request.path)
        )


@pytest.fixture(scope="module", name="api")
def emulated_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("styles")
    with loaded_client(SPEC, folder, "styles_client") as package:
        emulator = Emulator(folder / "spec.yaml", tokens=["t"], create_missing=True)
        yield Api(package.module(), emulator)


class TestParameters:
    """Values of the client arrive unchanged."""

    @settings(max_examples=50, deadline=None)
    @given(values=TEXTS)
    def test_lists_in_the_query_arrive(self, api: Api, values: list[str]) -> None:
        request = api.call("query", query=values, listed=[*values, "end"])

        assert api.texts(request, "query") == values
        assert api.texts(request, "listed") == [*values, "end"]

    @settings(max_examples=50, deadline=None)
    @given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=99))
    def test_a_list_and_an_object_in_the_path_arrive(self, api: Api, text: str) -> None:
        values = [f"{text}x", "end"]
        point = {"R": 1, "G": f"{text}x"}

        request = api.call("path", True, values, point, point)

        assert api.texts(request, "tags") == values
        assert api.texts(request, "point") == ["R", "1", "G", f"{text}x"]
        assert api.texts(request, "pairs") == ["R", "1", "G", f"{text}x"]

    def test_objects_and_delimited_lists_arrive(self, api: Api) -> None:
        point = {"R": 1, "G": "a,b=c"}

        request = api.call(
            "query", spaces=["a", "b"], bars=[1, 2], deep=point, flat=point, spread=point
        )

        assert api.texts(request, "spaces") == ["a", "b"]
        assert api.texts(request, "bars") == ["1", "2"]
        for name in ("deep", "flat", "spread"):
            assert api.texts(request, name) == ["R", "1", "G", "a,b=c"]

    def test_headers_and_cookies_arrive(self, api: Api) -> None:
        request = api.call(
            "headers", x_list=["a", "b c"], x_pairs={"R": 1}, x_flag=True, ids=[1, 2], flag=False
        )

        assert api.texts(request, "X-List") == ["a", "b c"]
        assert api.texts(request, "X-Pairs") == ["R", "1"]
        assert api.texts(request, "ids") == ["1", "2"]
        assert api.texts(request, "flag") == ["false"]

    @pytest.mark.parametrize(
        ("target", "headers"),
        [
            ("/query?bars=1%7Cx", {}),
            ("/query?deep%5BR%5D=x", {}),
            ("/query?flat=R,x", {}),
            ("/query?R=x", {}),
            ("/query?kinds=a&kinds=z", {}),
            ("/headers", {"x-flat": "R,x"}),
            ("/headers", {"cookie": "ids=1,x"}),
            ("/path/yes/a/R,1/R=1", {}),
            ("/path/true/a/R,1/R=x", {}),
        ],
    )
    def test_an_invalid_value_is_rejected_in_each_style(
        self, api: Api, target: str, headers: dict[str, str]
    ) -> None:
        assert api.status("GET", target, headers) == 400


class TestForms:
    """Bodies of forms are read and validated."""

    def test_an_urlencoded_form_arrives(self, api: Api) -> None:
        form: dict[str, Any] = {
            "name": "5 &=+",
            "flag": True,
            "number": 5,
            "tags": ["1"],
            "point": {"R": 1, "G": "x"},
        }
        points = [api.package.models.Point(r=1)]

        request = api.call("form", points=points, **form)

        assert api.data(request) == {**form, "points": [{"R": 1}]}

    def test_a_multipart_form_arrives(self, api: Api) -> None:
        models = api.package.models
        body = models.Upload(
            title="5",
            file=api.package.File(io.BytesIO(b"\x00\xff\r\n--")),
            tags=["a", "b"],
            point=models.Point(r=1),
            flag=False,
            number=0.5,
        )

        assert api.data(api.call("upload", body=body)) == {
            "title": "5",
            "file": "\x00\xff\r\n--",
            "tags": ["a", "b"],
            "point": {"R": 1},
            "flag": False,
            "number": 0.5,
        }

    @pytest.mark.parametrize(
        ("media_type", "body"),
        [
            ("application/x-www-form-urlencoded", b"flag=true"),
            ("application/x-www-form-urlencoded", b"name=a&name=b"),
            ("application/x-www-form-urlencoded", b"name=a&flag=True"),
            ("application/x-www-form-urlencoded", b"name=a&point=%7B%27R%27%3A1%7D"),
            ("application/x-www-form-urlencoded", b"name=\xff"),
        ],
    )
    def test_an_invalid_urlencoded_form_is_rejected(
        self, api: Api, media_type: str, body: bytes
    ) -> None:
        assert api.status("POST", "/form", {"content-type": media_type}, body) == 400

    @pytest.mark.parametrize(
        "body",
        [
            b"no form",
            b"--b\r\n\r\nno name\r\n--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="flag"\r\n\r\ntrue\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nno end',
        ],
    )
    def test_an_invalid_multipart_form_is_rejected(self, api: Api, body: bytes) -> None:
        headers = {"content-type": "multipart/form-data; boundary=b"}

        assert api.status("PUT", "/upload", headers, body) == 400

    @pytest.mark.parametrize("body", [b"--b--\r\n", b"--b--", b"\r\n--b--\r\n"])
    def test_a_multipart_form_without_parts_is_valid(self, api: Api, body: bytes) -> None:
        headers = {"content-type": "multipart/form-data; boundary=b"}

        assert api.status("PUT", "/note", headers, body) == 204
