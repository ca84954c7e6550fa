"""The check finds each fault that is planted into a client, or into what it sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from benchmarks.long.conformance.wire import SentRequest
from tests.conformance.clients import GeneratedClient


class Damage(NamedTuple):
    """A change of the generated code, and where the check must report it."""

    file: str
    code: str
    changed_code: str
    operation: str
    place: str


PUT = "PUT /orders/{orderId}"
POST = "POST /orders"
PUT_FILE = "api/orders/put_order.py"
ORDER = "models/order.py"

DAMAGES = {
    "another name in the data of a model": Damage(
        ORDER, 'field_dict["orderedAt"]', 'field_dict["ordered_at"]', PUT,
        "response 200 $.orderedAt",
    ),
    "a constant in the data of a model": Damage(
        ORDER, "state = self.state.value", 'state = "new"', PUT, "response 200 $.state"
    ),
    "a property that is not decoded": Damage(
        ORDER, 'd.pop("note", UNSET)', 'd.get("note", UNSET)', PUT, "response 200 $"
    ),
    "a value of another type": Damage(
        ORDER, 'number = d.pop("number", UNSET)', 'number = str(d.pop("number", UNSET))', PUT,
        "response 200 $.number",
    ),
    "a value of another property": Damage(
        "models/line.py", 'sku = d.pop("sku", UNSET)', 'sku = d.pop("amount", UNSET)', PUT,
        "response 200 $.lines[].sku",
    ),
    "a model of another branch": Damage(
        ORDER, "Company.from_dict(", "Person.from_dict(", PUT, "response 200 $.buyer"
    ),
    "an attribute with another name": Damage(
        "models/missing.py", "reason", "cause", PUT, "response 404 $.reason"
    ),
    "an error of another model": Damage(
        PUT_FILE, "return response_404", "return Line.from_dict(data)", PUT, "response 404 $"
    ),
    "a documented value that is reported": Damage(
        "contract.json", '"paid"', '"payed"', PUT, "response 200 $.state"
    ),
    "an enum that is closed": Damage(
        "models/order_state.py", "unknown = str.__new__(cls, value)", "return None", PUT,
        "response 200 $",
    ),
    "another class for the async client": Damage(
        "api/orders/__init__.py", "async def put_order(", "async def set_order(", PUT, "client"
    ),
    "an argument that is missing": Damage(
        "api/orders/__init__.py", "x_trace: str | Unset = UNSET,", "", PUT,
        "argument for header X-Trace",
    ),
    "an argument with a default": Damage(
        "api/orders/__init__.py", "number: int,", "number: int | Unset = UNSET,", PUT,
        "argument number",
    ),
}  # fmt: skip


Change = Callable[[SentRequest], SentRequest]


def change_path(old: str, new: str) -> Change:
    return lambda request: replace(request, path=request.path.replace(old, new))


def change_query(old: str, new: str) -> Change:
    return lambda request: replace(request, query=request.query.replace(old, new))


def change_content(old: bytes, new: bytes) -> Change:
    return lambda request: replace(request, content=request.content.replace(old, new))


def without_header(name: str) -> Change:
    def change(request: SentRequest) -> SentRequest:
        headers = tuple(header for header in request.headers if header[0] != name)
        return replace(request, headers=headers)

    return change


def add_header(name: str, value: str) -> Change:
    return lambda request: replace(request, headers=(*request.headers, (name, value)))


WIRE_DAMAGES: dict[str, tuple[Change, str, str]] = {
    "another method": (lambda request: replace(request, method="TRACE"), PUT, "request method"),
    "another path": (change_path("orders", "order"), PUT, "request path"),
    "a path that is encoded twice": (change_path("%", "%25"), PUT, "request path"),
    "a value in the path that is not encoded": (change_path("%2F", "/"), PUT, "request path"),
    "a path without that of the server": (change_path("/v1", ""), PUT, "request path"),
    "another name in the query": (
        change_query("dryRun", "dry_run"),
        PUT,
        "request query dryRun",
    ),
    "a boolean of Python": (change_query("true", "True"), PUT, "request query dryRun"),
    "a list in one text": (change_query("&tags=", ","), PUT, "request query tags"),
    "a query that is missing": (
        lambda request: replace(request, query=""),
        PUT,
        "request query tags",
    ),
    "a header that is missing": (without_header("x-trace"), PUT, "request header x-trace"),
    "a version that is missing": (without_header("version"), PUT, "request header version"),
    "a token that is missing": (
        without_header("authorization"),
        PUT,
        "request header authorization",
    ),
    "a second token": (
        add_header("authorization", "Bearer conformance-token"),
        PUT,
        "request header authorization",
    ),
    "a header that is not documented": (add_header("x-other", "a"), PUT, "request header x-other"),
    "a cookie that is not documented": (add_header("cookie", "a=b"), PUT, "request cookies"),
    "another media type": (
        without_header("content-type"),
        PUT,
        "request header content-type",
    ),
    "no range of media types": (without_header("accept"), PUT, "request header accept"),
    "another name in the body": (
        change_content(b'"orderedAt"', b'"ordered_at"'),
        PUT,
        "request body.orderedAt",
    ),
    "another type in the body": (change_content(b":7", b':"7"'), PUT, "request body.number"),
    "a null that is left out": (
        change_content(b'"note":null,', b""),
        PUT,
        "request body.note",
    ),
    "a body that is cut": (
        lambda request: replace(request, content=request.content[:-1]),
        PUT,
        "request body",
    ),
    "a part with another name": (
        change_content(b'name="count"', b'name="number"'),
        POST,
        "request part count",
    ),
    "a part without a file name": (
        change_content(b'; filename="name.txt"', b""),
        POST,
        "request part file",
    ),
    "a part with other content": (
        change_content(b"content of a file", b"File object"),
        POST,
        "request part file",
    ),
}
"""The damage, the operation, and the place of the fault."""


@pytest.fixture(scope="module", name="client")
def generated_client(tmp_path_factory: pytest.TempPathFactory) -> GeneratedClient:
    return GeneratedClient("planted.yaml", tmp_path_factory.mktemp("planted"))


def test_the_client_without_damage_has_no_fault(client: GeneratedClient) -> None:
    assert client.check().faults == []


@pytest.mark.parametrize("name", DAMAGES)
def test_a_planted_fault_is_reported_with_its_place(client: GeneratedClient, name: str) -> None:
    damage = DAMAGES[name]

    def apply(generated: Path) -> None:
        file = generated / damage.file
        text = file.read_text(encoding="utf-8")
        assert damage.code in text
        file.write_text(text.replace(damage.code, damage.changed_code), encoding="utf-8")

    faults = client.check(apply).faults
    assert (damage.operation, damage.place) in [(fault.operation, fault.place) for fault in faults]


@pytest.mark.parametrize("name", WIRE_DAMAGES)
def test_a_planted_fault_in_a_request_is_reported_with_its_place(
    client: GeneratedClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, operation, place = WIRE_DAMAGES[name]
    read = SentRequest.of

    def changed(request: httpx.Request) -> SentRequest:
        return change(read(request))

    monkeypatch.setattr(SentRequest, "of", changed)
    faults = client.check().faults
    assert (operation, place) in [(fault.operation, fault.place) for fault in faults]
