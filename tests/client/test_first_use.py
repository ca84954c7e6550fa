"""A client imports and parses only what it uses, so that its start does not grow with the API."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import leadconnector
import pytest
from leadconnector import LeadConnector
from leadconnector._generated import contract_text, load_contract
from leadconnector._runtime import contract_file, lazy_asyncio
from leadconnector._runtime.contract_file import ContractSection, contract_value

from tests.support.calling import SUCCESS_BODY
from tests.support.paths import ROOT

PACKAGE = ROOT / "overrides"

ONLY_WHEN_USED = {
    "asyncio",
    "attr",
    "attrs",
    "cryptography",
    "difflib",
    "html",
    "httpcore",
    "redis",
    "subprocess",
    "uuid",
    "leadconnector._generated.client",
    "leadconnector._runtime.added_headers",
    "leadconnector._runtime.additions",
    "leadconnector._runtime.http.tunnels",
    "leadconnector._runtime.limit_status",
    "leadconnector._runtime.request_options",
    "leadconnector._runtime.undocumented",
    "leadconnector.models",
    "leadconnector.oauth",
    "leadconnector.rate_limit.shared",
    "leadconnector.tracing",
    "opentelemetry",
    "leadconnector.webhooks",
}
"""Modules that a sync client needs only for some of its features, or for a call."""

CALL = """
import httpx
from leadconnector import LeadConnector
transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"success": True}))
with LeadConnector(token="t", base_url="https://api.test", transport=transport) as client:
    client.conversations.update_conversation("c", location_id="l")
"""


LOOKALIKES = {
    "operations": {"a": 1, "server": 2, "schemas": {"a": 5}},
    "schemas": {"a": 2, "server": 3, "operations": {"a": 6}},
    "server": 4,
}
"""A contract with equal names in different places."""


def modules_after(code: str, folder: Path = PACKAGE) -> set[str]:
    """The modules that a new process has imported after some code, beside those of httpx.

    httpx imports its command line where that is installed, which a client does not need.
    """
    program = f"""
import sys
sys.path.insert(0, {str(folder)!r})
sys.modules["httpx._main"] = None
import httpx
httpx_modules = set(sys.modules)
{code}
print(*set(sys.modules) - httpx_modules)
"""
    command = [sys.executable, "-I", "-B", "-W", "error", "-c", program]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return set(result.stdout.split())


def test_a_sync_client_and_its_transport_import_no_part_of_rare_use() -> None:
    code = """
from leadconnector import LeadConnector
client = LeadConnector(token="t")
client._connections.transport()
"""
    modules = modules_after(code)
    assert "leadconnector._runtime.http.pool" in modules
    assert modules & ONLY_WHEN_USED == set()
    generated = {name for name in modules if name.startswith("leadconnector._generated.")}
    assert generated == {"leadconnector._generated.api", "leadconnector._generated.types"}


def test_a_sync_call_imports_its_operation_but_no_part_of_rare_use() -> None:
    modules = modules_after(CALL)
    assert "leadconnector._generated.api.conversations.update_conversation" in modules
    assert "leadconnector._generated.models.update_conversation_response" in modules
    assert "leadconnector._generated.api.conversations.with_raw_response" not in modules
    assert modules & ONLY_WHEN_USED <= {"attr", "attrs", "uuid"}


def test_an_async_client_imports_asyncio() -> None:
    code = """
import leadconnector
async def call():
    async with leadconnector.AsyncLeadConnector(token="t") as client:
        client._connections.transport()
import asyncio
asyncio.run(call())
"""
    assert "asyncio" in modules_after(code)


def test_a_replaced_name_of_asyncio_is_used_only_while_it_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replacement: Any = object()
    monkeypatch.setattr(asyncio, "timeout", replacement)
    assert lazy_asyncio.timeout is replacement
    monkeypatch.undo()
    assert lazy_asyncio.timeout is asyncio.timeout


def test_a_subclass_can_have_an_attribute_of_its_own_called_session() -> None:
    class Subclass(LeadConnector):
        @property
        def _session(self) -> str:
            return "of the subclass"

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=SUCCESS_BODY))
    with Subclass(token="t", transport=transport) as client:
        assert client.conversations.update_conversation("c", location_id="l").success
        assert client._session == "of the subclass"


@pytest.mark.parametrize("name", ["AuthenticatedClient", "Client"])
def test_the_client_of_the_generator_is_imported_at_its_first_use(name: str) -> None:
    code = f"from leadconnector._generated import {name}"
    assert "leadconnector._generated.client" in modules_after(code)


def test_one_model_is_imported_without_the_others() -> None:
    modules = modules_after("from leadconnector.models import LastMessageType")
    models = {name for name in modules if name.startswith("leadconnector._generated.models.")}
    assert models == {"leadconnector._generated.models.last_message_type"}


@pytest.mark.parametrize(
    "value",
    [
        leadconnector.LeadConnector,
        leadconnector.LeadConnector.__init__,
        leadconnector.AsyncLeadConnector,
        leadconnector.AsyncLeadConnector.__init__,
        leadconnector.LeadConnector.conversations.__init__,
        leadconnector.LeadConnector.conversations.update_conversation,
        leadconnector.AsyncLeadConnector.conversations.update_conversation,
        leadconnector.LeadConnector.conversations.with_raw_response.update_conversation,
        leadconnector.LeadConnector.request,
        leadconnector.AsyncLeadConnector.request,
        leadconnector.LeadConnector.rate_limit,
        leadconnector.AsyncLeadConnector.rate_limit,
        leadconnector.OpenTelemetryTracing.__init__,
        leadconnector.RedisRateLimit.__init__,
        leadconnector.RequestOptions.__init__,
        leadconnector.OAuth.__init__,
    ],
    ids=lambda value: value.__qualname__,
)
def test_the_types_in_a_signature_are_available_at_run_time(value: object) -> None:
    # Frameworks that make tools or dependencies from functions evaluate them.
    assert get_type_hints(value)


def test_a_section_has_every_operation_and_every_schema() -> None:
    contract = load_contract()
    for name in ("operations", "schemas"):
        section = ContractSection(contract_text(), name)
        assert {key: section[key] for key in contract[name]} == contract[name]
        assert dict(section) == contract[name]


def test_values_of_the_contract_are_read_without_its_sections() -> None:
    for key, value in load_contract().items():
        assert contract_value(key) == value


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_a_section_of_a_contract_that_was_formatted_is_the_same(indent: int | str | None) -> None:
    contract = load_contract()
    text = json.dumps(contract, indent=indent)
    for name in ("operations", "schemas"):
        section = ContractSection(text, name)
        assert {key: section[key] for key in contract[name]} == contract[name]


def aligned(text: str) -> str:
    """The text with all values of a line below each other, as some formatters write it."""
    return text.replace('": ', '":     ')


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(LOOKALIKES),
        json.dumps(LOOKALIKES, indent=1),
        json.dumps(LOOKALIKES, indent=2),
        json.dumps(LOOKALIKES, indent=3),
        aligned(json.dumps(LOOKALIKES, indent=2)),
        json.dumps(LOOKALIKES, indent=2).replace("\n", "\r\n"),
        '{\n  "operations": {"a": 1},\n  "schemas": {\n    "a": 2,\n    "server": 3\n  },\n'
        '  "server": 4\n}',
    ],
    ids=["one line", "1 blank", "2 blanks", "3 blanks", "aligned", "CRLF", "mixed"],
)
def test_a_contract_of_any_layout_is_read_correctly(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_file, "contract_text", lambda: text)
    monkeypatch.setattr(contract_file, "load_contract", lambda: json.loads(text))

    assert ContractSection(text, "operations")["a"] == 1
    assert ContractSection(text, "schemas")["a"] == 2
    assert ContractSection(text, "schemas")["server"] == 3
    # Without the cache.
    assert contract_value.__wrapped__("server") == 4


def test_a_missing_part_of_the_contract_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="missing"):
        ContractSection(contract_text(), "operations")["missing"]
    with pytest.raises(KeyError, match="missing"):
        contract_value("missing")


def test_a_schema_is_not_confused_with_a_part_of_the_same_name() -> None:
    names = ["servers", "operations", "schemas", 'a "quoted" name', "ä\n"]
    contract = {
        "error_messages": names,
        "operations": {name: {"name": name} for name in names},
        "schemas": {name: {"type": name} for name in names},
    }
    text = json.dumps(contract, indent=2, ensure_ascii=False)
    for name in names:
        assert ContractSection(text, "operations")[name] == {"name": name}
        assert ContractSection(text, "schemas")[name] == {"type": name}
