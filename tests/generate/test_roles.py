"""HighLevel's names imply roles, which the client and the emulator know alike."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from generate.__main__ import main
from leadconnector import UNSET
from leadconnector._runtime.request import Arguments
from leadconnector._runtime.request import rate_limit_key as key_of
from leadconnector_emulator import Emulator

from tests.generate.programs import run_program, write_client
from tests.generate.samples import SPEC_TEXT

WITHOUT_ROLES = re.sub(r" *x-role: [a-z-]+\n", "", SPEC_TEXT)

Spec = dict[str, Any]


def contract_of(spec: Spec, folder: Path) -> dict[str, Any]:
    """The contract that is generated from a spec."""
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    assert main(["--spec", str(folder / "spec.yaml"), "--output", str(folder / "output")]) == 0
    contract: dict[str, Any] = json.loads((folder / "output" / "contract.json").read_text())
    return contract


def roles_of(contract: dict[str, Any]) -> dict[str, str]:
    """The arguments with a role."""
    arguments = contract["operations"]["updateConversation"]["arguments"]
    return {entry["argument"]: entry["role"] for entry in arguments if "role" in entry}


def rate_limit_key(folder: Path) -> str | None:
    """The rate-limit key of the emulator's only operation."""
    (operation,) = Emulator(folder / "spec.yaml").spec.operations
    return operation.rate_limit_key


def put(spec: Spec) -> Any:
    return spec["paths"]["/conversations/{conversationId}"]["put"]


def body_properties(spec: Spec) -> Any:
    return spec["components"]["schemas"]["UpdateConversationRequest"]["properties"]


def test_names_imply_the_roles_that_the_committed_spec_marks(tmp_path: Path) -> None:
    contract = contract_of(yaml.safe_load(WITHOUT_ROLES), tmp_path)
    assert roles_of(contract) == {"version": "api-version", "location_id": "rate-limit-key"}
    assert contract["error_messages"] == ["message"]
    assert contract["version_header"] == {"name": "Version", "default": "2021-07-28"}
    assert rate_limit_key(tmp_path) == "locationId"


def test_a_mark_in_the_operation_precedes_a_name(tmp_path: Path) -> None:
    spec = yaml.safe_load(WITHOUT_ROLES)
    body_properties(spec)["starred"]["x-role"] = "rate-limit-key"
    spec["components"]["schemas"]["BadRequest"]["properties"]["statusCode"]["x-role"] = (
        "error-messages"
    )
    contract = contract_of(spec, tmp_path)
    assert roles_of(contract) == {"version": "api-version", "starred": "rate-limit-key"}
    # That is the role of one error. The others have their message.
    assert contract["error_messages"] == ["message", "statusCode"]
    assert rate_limit_key(tmp_path) == "starred"


def test_one_of_several_locations_is_the_key(tmp_path: Path) -> None:
    spec = yaml.safe_load(WITHOUT_ROLES)
    put(spec)["parameters"].append(
        {"name": "locationId", "in": "query", "schema": {"type": "string"}}
    )
    contract = contract_of(spec, tmp_path)
    assert roles_of(contract) == {"version": "api-version", "location_id": "rate-limit-key"}
    places = {
        entry["in"]
        for entry in contract["operations"]["updateConversation"]["arguments"]
        if entry.get("role") == "rate-limit-key"
    }
    assert places == {"query"}


def test_an_optional_header_named_version_has_no_role(tmp_path: Path) -> None:
    spec = yaml.safe_load(WITHOUT_ROLES)
    spec["components"]["parameters"]["Version"]["required"] = False
    assert "version" not in roles_of(contract_of(spec, tmp_path))


def test_the_property_error_has_the_message_of_an_error_without_the_other(tmp_path: Path) -> None:
    spec = yaml.safe_load(WITHOUT_ROLES)
    properties = spec["components"]["schemas"]["Unauthorized"]["properties"]
    del properties["message"]
    assert contract_of(spec, tmp_path)["error_messages"] == ["error", "message"]


PROGRAM = """
import asyncio
import json

from leadconnector import APIStatusError, AsyncLeadConnector, LeadConnector
from leadconnector_emulator import Emulator, EmulatorTransport, RateLimits

emulator = Emulator("spec.yaml", tokens=["test-token"], additional_versions=["v3"])
conversation = emulator.example
options = {
    "token": "test-token",
    "transport": EmulatorTransport(emulator),
    "version": "v3",
    "retries": 0,
}
location = conversation["locationId"]


def failure(error):
    return [error.status_code, error.messages]


def call_blocking():
    with LeadConnector(**options) as client:
        client.conversations.update_conversation(conversation["id"], location_id=location)
        limits = [client.rate_limit(name).reserved for name in (location, "other")]
        failures = []
        for version, name in (("v9", location), ("v3", "other")):
            try:
                client.conversations.update_conversation(
                    conversation["id"], location_id=name, version=version
                )
            except APIStatusError as error:
                failures.append(failure(error))
        return {"limits": limits, "failures": failures}


async def call_async():
    async with AsyncLeadConnector(**options) as client:
        await client.conversations.update_conversation(conversation["id"], location_id=location)
        limits = [(await client.rate_limit(name)).reserved for name in (location, "other")]
        failures = []
        for version, name in (("v9", location), ("v3", "other")):
            try:
                await client.conversations.update_conversation(
                    conversation["id"], location_id=name, version=version
                )
            except APIStatusError as error:
                failures.append(failure(error))
        return {"limits": limits, "failures": failures}


results = {"sync": call_blocking(), "async": asyncio.run(call_async())}
versions = [exchange.request.headers["version"] for exchange in emulator.exchanges]
print(json.dumps({**results, "versions": versions}))
"""


@pytest.mark.parametrize("text", [SPEC_TEXT, WITHOUT_ROLES], ids=["marked", "by name"])
def test_the_client_and_the_emulator_agree_on_the_roles(text: str, tmp_path: Path) -> None:
    write_client(text, tmp_path)
    result = run_program(PROGRAM, tmp_path)
    expected = {
        "limits": [1, None],
        "failures": [
            [401, ["version header is invalid"]],
            [400, ["conversations: this one has another locationId"]],
        ],
    }
    assert result["sync"] == result["async"] == expected
    # A 401 is tried again with the same token source.
    assert set(result["versions"]) == {"v3", "v9"}


def test_a_key_that_the_caller_leaves_out_is_empty() -> None:
    contract: Any = SimpleNamespace(rate_limit_key=["location_id", "other"])
    assert key_of(contract, Arguments(location_id=UNSET, other=UNSET)) == ""
    assert key_of(contract, Arguments(location_id="l", other=UNSET)) == "l"
