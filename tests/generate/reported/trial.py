"""Makes the calls of a case with a generated client, and compares what it sends and returns."""

from __future__ import annotations

import datetime
import io
import json
import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any, cast

import attrs
import httpx
import pytest

from tests.generate.packages import ClientPackage

from .case import ABSENT, Case, Check, Invalid, Reading, Sending


def run_case(package: ClientPackage, case: Case) -> None:
    """Make every call of a case."""
    for check in case.checks:
        match check:
            case Reading():
                _check_reading(package, case, check)
            case Sending():
                _check_sending(package, case, check)
            case Invalid():
                _check_invalid(package, case, check)


def describe(value: Any) -> str:
    """A value as text that shows its type, such as `Cup(size=1, colour=Colour.RED)`.

    Attributes without a value are left out.
    """
    if hasattr(value, "to_dict"):
        return f"{type(value).__name__}({_described_attributes(value)})"
    if isinstance(value, Enum):
        member: Any = value
        name = f"unknown {member.value!r}" if member.is_unknown else member.name
        return f"{type(value).__name__}.{name}"
    if isinstance(value, list):
        items = [describe(item) for item in cast("list[object]", value)]
        return f"[{', '.join(items)}]"
    if isinstance(value, datetime.datetime | datetime.date):
        return f"{type(value).__name__}({value.isoformat()})"
    if type(value).__name__ == "File":
        return f"File({value.payload.read()!r})"
    return repr(value)


def _described_attributes(model: Any) -> str:
    attributes = {
        name: value
        for name, value in attrs.asdict(model, recurse=False).items()
        if repr(value) != "UNSET" and name != "additional_properties"
    }
    texts = [f"{name}={describe(value)}" for name, value in attributes.items()]
    additional = getattr(model, "additional_properties", {})
    texts += [f"{name!r}: {describe(value)}" for name, value in additional.items()]
    return ", ".join(texts)


def _compare(actual: object, expected: object) -> None:
    # pytest explains the assertions of test modules only.
    assert actual == expected, f"{actual!r} is not {expected!r}"


def _check_reading(package: ClientPackage, case: Case, reading: Reading) -> None:
    response = _response(reading)
    value = _call(package, case, reading, lambda _: response)
    _compare(describe(value), reading.returns)
    if hasattr(value, "to_dict"):
        _compare(value.to_dict(), reading.body)


def _response(reading: Reading) -> httpx.Response:
    if reading.body is ABSENT:
        return httpx.Response(reading.status)
    content = reading.body
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    headers = {"Content-Type": reading.content_type}
    return httpx.Response(reading.status, headers=headers, content=content)


def _check_sending(package: ClientPackage, case: Case, sending: Sending) -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    _call(package, case, sending, respond)
    (request,) = requests
    if sending.target:
        _compare(request.url.raw_path.decode(), sending.target)
    for name, value in sending.headers.items():
        _compare(request.headers.get(name), value)
    if sending.body is ABSENT:
        _compare(request.content, b"")
    elif isinstance(sending.body, bytes):
        _compare(request.content, sending.body)
    else:
        _compare(json.loads(request.content), sending.body)


def _check_invalid(package: ClientPackage, case: Case, invalid: Invalid) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"the client sent {request.url}")

    with pytest.raises(package.module().ArgumentError) as error:
        _call(package, case, invalid, respond)
    assert invalid.message in str(error.value), f"the message is {error.value}"


def _call(
    package: ClientPackage,
    case: Case,
    check: Check,
    respond: Callable[[httpx.Request], httpx.Response],
) -> Any:
    transport = httpx.MockTransport(respond)
    # A strict client raises if a response deviates from the spec.
    client = package.module().LeadConnector(
        token="test-token", transport=transport, strict=True, retries=0
    )
    with client:
        names = {**_names(package), "client": client}
        return eval(f"client.things.{case.method or case.key}({check.arguments})", names)


def _names(package: ClientPackage) -> dict[str, Any]:
    """What the code of arguments can use."""
    models = package.module("_generated.models")
    return {
        **{name: getattr(models, name) for name in models.__all__},
        "datetime": datetime,
        "io": io,
        "UUID": uuid.UUID,
        "File": package.module("_generated.types").File,
        "UNSET": package.module().UNSET,
    }
