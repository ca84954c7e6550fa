"""The servers of a spec: which one is the default base URL, and which operations it may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from generate.document import raise_together
from generate.notes import find_notes
from generate.reading import load_document
from generate.servers import default_base_url
from generate.unsupported import find_unsupported

from tests.generate.packages import loaded_client

Json = dict[str, Any]

US = "https://us.example/v1"
EU = "https://eu.example/v1"
REGIONS = {
    "url": "https://{region}.example/v1",
    "variables": {"region": {"default": "us", "enum": ["us", "eu"]}},
}


def spec_with(root: Any = None, path: Any = None, operation: Any = None) -> Json:
    """A spec with servers of the document, of one of its paths, and of one of its operations."""
    methods = {"getA": "/a", "getB": "/b"}
    paths: Json = {}
    for operation_id, name in methods.items():
        responses = {"204": {"description": "Nothing"}}
        paths[name] = {
            "get": {"operationId": operation_id, "tags": ["Things"], "responses": responses}
        }
    spec: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Servers", "version": "1"},
        "paths": paths,
    }
    for owner, servers in ((spec, root), (paths["/a"], path), (paths["/b"]["get"], operation)):
        if servers is not None:
            owner["servers"] = servers
    return spec


def urls(*values: str) -> list[Json]:
    return [{"url": value} for value in values]


SUPPORTED: dict[str, tuple[Json, str | None]] = {
    "no servers": (spec_with(), None),
    "an empty list": (spec_with([], [], []), None),
    "a relative server": (spec_with(urls("/v1")), None),
    "the same servers everywhere": (spec_with(urls(US), urls(US), urls(US)), US),
    "equal servers after their variables": (spec_with(urls(US), [REGIONS], [REGIONS]), US),
    "servers of all operations alone": (spec_with(None, urls(US, EU), urls(US)), US),
    "another order of alternatives": (spec_with(urls(US, EU), urls(EU, US)), US),
    "a scheme in capitals": (spec_with(urls("HTTPS://us.example")), "HTTPS://us.example"),
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_spec_whose_operations_share_a_server_is_supported(name: str, tmp_path: Path) -> None:
    spec, expected = SUPPORTED[name]
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")

    document = load_document(path)

    raise_together(find_unsupported(document))
    assert default_base_url(document) == expected
    notes = [note for note in find_notes(document) if "each client needs `base_url=`" in note]
    assert bool(notes) == (expected is None)


@pytest.mark.parametrize(
    ("spec", "pointers"),
    [
        (spec_with(urls(US), urls(EU)), ["/paths/~1a/servers"]),
        (spec_with(urls(US), None, urls(EU)), ["/paths/~1b/get/servers"]),
        (spec_with(None, urls(US), urls(EU)), ["/paths/~1a/servers", "/paths/~1b/get/servers"]),
        (spec_with(None, urls(US)), ["/paths/~1a/servers"]),
    ],
    ids=["path", "operation", "no common server", "one operation alone"],
)
def test_an_operation_at_another_server_is_rejected_with_its_place(
    spec: Json, pointers: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")

    errors = list(find_unsupported(load_document(path)))

    assert [error.pointer for error in errors] == pointers
    assert all("the client has one base URL" in str(error) for error in errors)


def test_a_client_of_a_relative_server_needs_a_base_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEADCONNECTOR_BASE_URL", raising=False)
    text = yaml.safe_dump(spec_with(urls("/v1")))
    with loaded_client(text, tmp_path, "relative_server_client") as package:
        module = package.module()
        with pytest.raises(module.ConfigurationError, match="pass base_url="):
            module.LeadConnector(token="test-token")
        with pytest.raises(module.ConfigurationError, match="pass base_url="):
            module.AsyncLeadConnector(token="test-token")
        requests: list[str] = []

        def respond(request: httpx.Request) -> httpx.Response:
            requests.append(str(request.url))
            return httpx.Response(204)

        transport = httpx.MockTransport(respond)
        with module.LeadConnector(
            token="test-token", base_url="https://api.example/v1", transport=transport
        ) as client:
            client.things.get_a()
    assert requests == ["https://api.example/v1/a"]
