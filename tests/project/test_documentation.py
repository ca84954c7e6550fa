"""Every code block of the documentation runs, and what the documentation names exists."""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from leadconnector import Finding, LeadConnector, LeadConnectorError, errors
from leadconnector.client import Options
from leadconnector_emulator import Emulator, EmulatorTransport, Fault
from specdrift.loading import read
from specdrift.waivers import waivers

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.paths import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMED_TEST = re.compile(r"`((?:\w+/)?test_\w+\.py)((?:::\w+)+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[Any]:
    found: list[Any] = []
    for document in DOCUMENTS:
        for match in BLOCK.finditer(document.read_text(encoding="utf-8")):
            if match[1] == language:
                line = document.read_text(encoding="utf-8")[: match.start()].count("\n") + 1
                found.append(pytest.param(match[2], id=f"{document.relative_to(ROOT)}:{line}"))
    return found


def test_there_are_code_blocks_and_each_says_its_language() -> None:
    languages = {
        match[1]
        for document in DOCUMENTS
        for match in BLOCK.finditer(document.read_text(encoding="utf-8"))
    }

    assert languages == {"python", "sh", "yaml"}
    assert len(blocks("python")) >= 6


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_runs_as_it_is(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default transport is the emulator here; all else is as a reader would run it."""
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


def test_what_the_blocks_run_against_is_the_emulator() -> None:
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    async def answer() -> int:
        request = httpx.Request("PUT", "http://localhost/conversations/x")
        return (await transport.handle_async_request(request)).status_code

    assert asyncio.run(answer()) == 401


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
    assert [each.reason for each in waivers(read(str(path)))] == ["The page's list is older."]


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
def test_a_link_within_the_project_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_option_of_a_client_is_in_the_table_of_the_readme() -> None:
    names = {*LeadConnector.__init__.__annotations__, *Options.__annotations__} - {
        "return",
        "options",
    }

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(names) == 11
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
def test_the_kind_and_the_rule_of_each_drift_are_documented(fault: Fault) -> None:
    emulator, found = Emulator(tokens=[TOKEN]), list[Finding]()
    emulator.set_faults(fault)
    transport = EmulatorTransport(emulator)
    with (
        LeadConnector(token=TOKEN, transport=transport, on_drift=found.append) as client,
        suppress(LeadConnectorError),
    ):
        client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)

    documented = (ROOT / "docs" / "dependability.md").read_text(encoding="utf-8")
    assert found
    assert [
        x for x in found if f"`{x.kind}`" not in documented or f"`{x.rule}`" not in documented
    ] == []


def defined(file: Path) -> set[str]:
    """The tests in a file, each as pytest names it."""
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        prefix, members = (
            (f"::{node.name}", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        )
        found |= {f"{prefix}::{each.name}" for each in members if isinstance(each, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_that_is_named_exists(document: Path) -> None:
    named = NAMED_TEST.findall(document.read_text(encoding="utf-8"))

    assert [
        (file, name) for file, name in named if name not in defined(ROOT / "tests" / file)
    ] == []


def test_each_promise_names_a_test_that_holds_it() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    promised = text[text.index("## What is promised") : text.index("## What is not promised")]

    promises = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]
    assert len(promises) >= 15
    assert [promise for promise in promises if not NAMED_TEST.search(promise)] == []
