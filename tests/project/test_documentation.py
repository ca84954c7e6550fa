"""The code blocks of the documentation run, and the names in it exist."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from leadconnector import Finding, LeadConnector, LeadConnectorError, errors
from leadconnector_emulator import Emulator, EmulatorTransport, Fault
from specdrift.loading import read_file
from specdrift.waivers import read_waivers

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tools/*/README.md")]
)
NAMED_TEST = re.compile(r"`((?:\w+/)?test_\w+\.py)((?:::\w+)+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[Any]:
    """The code blocks in a language, as parameters whose id is the file and line."""
    parameters: list[Any] = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            if match[1] == language:
                line = text[: match.start()].count("\n") + 1
                block_id = f"{document.relative_to(ROOT)}:{line}"
                parameters.append(pytest.param(match[2], id=block_id))
    return parameters


def test_each_code_block_names_its_language() -> None:
    languages = {
        match[1]
        for document in DOCUMENTS
        for match in BLOCK.finditer(document.read_text(encoding="utf-8"))
    }

    assert languages == {"python", "sh", "toml", "yaml"}
    assert len(blocks("python")) >= 6


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_runs_as_it_is(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the default transport is replaced, by the emulator. The rest is as for a reader."""
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    def default_transport(proxy: str | None = None) -> EmulatorTransport:
        return transport

    monkeypatch.setattr(
        "leadconnector.LeadConnector._default_transport", staticmethod(default_transport)
    )
    monkeypatch.setattr(
        "leadconnector.AsyncLeadConnector._default_transport", staticmethod(default_transport)
    )

    exec(compile(code, "block", "exec"), {"__name__": "__main__"})


def test_the_blocks_run_against_an_emulator_that_checks_the_token() -> None:
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    async def status_without_token() -> int:
        request = httpx.Request("PUT", "http://localhost/conversations/x")
        return (await transport.handle_async_request(request)).status_code

    assert asyncio.run(status_without_token()) == 401


@pytest.mark.parametrize("code", blocks("sh"))
def test_a_shell_block_parses_and_calls_targets_and_files_that_exist(
    code: str, tmp_path: Path
) -> None:
    script = tmp_path / "block.sh"
    script.write_text(code, encoding="utf-8")
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=10)

    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"^make ([a-z]+)", code, re.MULTILINE)) <= targets
    assert all((ROOT / path).exists() for path in re.findall(r"\S+\.py\b", code))


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_yaml_block_is_a_waiver_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    assert [waiver.reason for waiver in read_waivers(read_file(str(path)))] == [
        "The page's list is older."
    ]


def test_every_exception_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    names = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(names) > 15
    assert [name for name in names if not name.startswith("_") and f"`{name}`" not in readme] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_within_the_project_has_a_target(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_option_of_a_client_is_in_the_table_of_the_readme() -> None:
    names = inspect.signature(LeadConnector).parameters

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(names) == 12
    assert [name for name in sorted(names) if f"\n| `{name}` |" not in readme] == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(undocumented="conversation.new"),
        Fault(unknown_enum="conversation.lastMessageType"),
        Fault(wrong_type="conversation.deleted"),
        Fault(null="conversation.id"),
        Fault(missing="conversation.deleted"),
        Fault(status=418),
    ],
)
def test_the_kind_and_the_rule_of_each_finding_are_documented(fault: Fault) -> None:
    emulator = Emulator(tokens=[TOKEN])
    findings: list[Finding] = []
    emulator.set_faults(fault)
    transport = EmulatorTransport(emulator)
    with (
        LeadConnector(token=TOKEN, transport=transport, on_drift=findings.append) as client,
        suppress(LeadConnectorError),
    ):
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    documented = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
    assert findings
    assert [finding.kind for finding in findings if f"`{finding.kind}`" not in documented] == []
    assert [finding.rule for finding in findings if f"`{finding.rule}`" not in documented] == []


def names_of_tests(file: Path) -> set[str]:
    """The tests in a file, by pytest's names for them: `::test_…` or `::TestClass::test_…`."""
    names: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(f"::{node.name}")
        if isinstance(node, ast.ClassDef):
            methods = [member for member in node.body if isinstance(member, ast.FunctionDef)]
            names |= {f"::{node.name}::{method.name}" for method in methods}
    return names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_that_a_document_names_exists(document: Path) -> None:
    named = NAMED_TEST.findall(document.read_text(encoding="utf-8"))

    assert [
        (file, name) for file, name in named if name not in names_of_tests(ROOT / "tests" / file)
    ] == []


def test_each_promise_names_a_test_that_verifies_it() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    promised = text[text.index("## Guaranteed") : text.index("## Not guaranteed")]

    promises = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert len(promises) >= 15
    assert [promise for promise in promises if not NAMED_TEST.search(promise)] == []
