"""Which operations get the token, and which ones the client cannot call."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.document import SpecError
from generate.reading import load_document
from generate.unsupported import find_unsupported

from tests.generate.packages import loaded_client
from tests.support.wire import receive_request, serving

Json = dict[str, Any]

SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "Bearer"},
    "oauth": {"type": "oauth2", "flows": {}},
    "openid": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "header": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "password": {"type": "http", "scheme": "basic"},
}

ABSENT: Any = object()


def spec_with(root: Any = ABSENT, **operations: Any) -> str:
    """A spec with a `security` of the document, and operations with theirs."""
    paths: Json = {}
    for name, security in operations.items():
        operation: Json = {
            "operationId": name,
            "tags": ["Things"],
            "responses": {"204": {"description": "Nothing"}},
        }
        if security is not ABSENT:
            operation["security"] = security
        paths[f"/{name}"] = {"get": operation}
    spec: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Credentials", "version": "1"},
        "servers": [{"url": "https://api.example"}],
        "components": {"securitySchemes": SCHEMES},
        "paths": paths,
    }
    if root is not ABSENT:
        spec["security"] = root
    return yaml.safe_dump(spec, sort_keys=False)


def errors_of(text: str, folder: Path) -> list[SpecError]:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return list(find_unsupported(load_document(path)))


WITH_TOKEN: Json = {
    "inherited": ABSENT,
    "optional": [{}, {"bearer": []}],
    "or_key": [{"key": []}, {"password": []}, {"bearer": []}],
    "or_both": [{"key": [], "password": []}, {"oauth": ["read"]}],
    "openid": [{"openid": []}],
    "two_tokens": [{"bearer": [], "oauth": []}],
}

WITHOUT_TOKEN: Json = {
    "public": [],
    "anonymous": [{}],
    "optional_key": [{"key": []}, {}],
}


@dataclass
class Api:
    """A client of a generated package, and the heads of the requests that it has sent."""

    module: Any
    base_url: str
    heads: list[bytes] = field(default_factory=list[bytes])
    status: bytes = b"204 No Content"
    token_requests: int = 0

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while True:
                self.heads.append(receive_request(connection))
                connection.sendall(b"HTTP/1.1 " + self.status + b"\r\nContent-Length: 0\r\n\r\n")

    def token(self) -> str:
        """The token source of the client."""
        self.token_requests += 1
        return "test-token"

    def call(self, method: str) -> None:
        with self.module.LeadConnector(token=self.token, base_url=self.base_url) as client:
            getattr(client.things, method)()

    def call_raw(self, method: str) -> None:
        with self.module.LeadConnector(token=self.token, base_url=self.base_url) as client:
            getattr(client.things.with_raw_response, method)()

    def call_async(self, method: str) -> None:
        async def call() -> None:
            async with self.module.AsyncLeadConnector(
                token=self.token, base_url=self.base_url
            ) as client:
                await getattr(client.things, method)()
                await getattr(client.things.with_raw_response, method)()

        asyncio.run(call())


@pytest.fixture(scope="module", name="module")
def generated_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    text = spec_with([{"bearer": []}], **WITH_TOKEN, **WITHOUT_TOKEN)
    with loaded_client(text, tmp_path_factory.mktemp("credentials"), "credentials") as package:
        yield package.module()


@pytest.fixture(name="api")
def serving_api(module: Any) -> Iterator[Api]:
    api = Api(module, "")
    with serving(api.serve) as server:
        api.base_url = server.url
        yield api


CALLS = {"blocking": Api.call, "raw": Api.call_raw, "async": Api.call_async}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("method", [*WITH_TOKEN, *WITHOUT_TOKEN])
def test_a_request_has_the_token_unless_the_operation_is_public(
    method: str, kind: str, api: Api
) -> None:
    call: Callable[[Api, str], None] = CALLS[kind]
    call(api, method)
    assert api.heads
    for head in api.heads:
        names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
        assert (b"authorization" in names) == (method in WITH_TOKEN)
        assert (b"test-token" in head) == (method in WITH_TOKEN)
    # A public operation works while no token is available.
    assert (api.token_requests > 0) == (method in WITH_TOKEN)


def test_a_401_of_a_public_operation_is_raised_without_another_token(api: Api) -> None:
    api.status = b"401 Unauthorized"
    with pytest.raises(api.module.AuthenticationError):
        api.call("public")
    assert len(api.heads) == 1
    assert api.token_requests == 0


def test_the_docstring_of_a_public_operation_says_that_no_token_is_sent(module: Any) -> None:
    things = module.LeadConnector(token="test-token").things
    sentence = "The operation is public: the client sends no token."
    for method in WITHOUT_TOKEN:
        assert sentence in getattr(things, method).__doc__
    for method in WITH_TOKEN:
        assert sentence not in getattr(things, method).__doc__


def test_a_spec_that_says_nothing_about_security_gets_the_token(tmp_path: Path) -> None:
    with loaded_client(spec_with(silent=ABSENT), tmp_path, "silent_client") as package:
        api = Api(package.module(), "")
        with serving(api.serve) as server:
            api.base_url = server.url
            api.call("silent")
    assert b"test-token" in api.heads[0]


def test_a_scheme_that_is_no_bearer_token_is_rejected_once_at_its_line(tmp_path: Path) -> None:
    text = spec_with(
        [{"key": []}, {"password": []}], a=ABSENT, b=ABSENT, c=[{"bearer": [], "header": []}]
    )
    errors = errors_of(text, tmp_path)
    assert [error.pointer for error in errors] == [
        "/components/securitySchemes/key",
        "/components/securitySchemes/password",
        "/components/securitySchemes/header",
    ]
    lines = text.splitlines()
    for error, name in zip(errors, ["key", "password", "header"], strict=True):
        assert lines[error.line - 1].strip() == f"{name}:"
        assert "describe it as an alternative of type http with scheme: bearer" in str(error)
    assert "2 operations, such as GET /a, need the scheme 'key'" in str(errors[0])
    assert "GET /c needs the scheme 'header'" in str(errors[2])


def test_an_undefined_scheme_is_rejected_where_it_is_required(tmp_path: Path) -> None:
    (error,) = errors_of(spec_with(a=[{"missing": []}]), tmp_path)
    assert error.pointer == "/paths/~1a/get/security"
    assert "there is no security scheme 'missing'" in str(error)
