"""Every code block of the documentation runs, and what the documentation names exists."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ROOT
from leadconnector import errors
from leadconnector_emulator import Emulator, EmulatorTransport

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
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
    languages = {match[1] for document in DOCUMENTS for match in BLOCK.finditer(document.read_text(encoding="utf-8"))}

    assert languages == {"python", "sh"}
    assert len(blocks("python")) >= 6


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_runs_as_it_is(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default transport is the emulator here; all else is as a reader would run it."""
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    def default_transport(proxy: str | None = None) -> EmulatorTransport:
        return transport

    monkeypatch.setattr("leadconnector.LeadConnector._default_transport", staticmethod(default_transport))
    monkeypatch.setattr("leadconnector.AsyncLeadConnector._default_transport", staticmethod(default_transport))

    exec(compile(code, "block", "exec"), {"__name__": "__main__"})


def test_what_the_blocks_run_against_is_the_emulator() -> None:
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    async def answer() -> int:
        request = httpx.Request("PUT", "http://localhost/conversations/x")
        return (await transport.handle_async_request(request)).status_code

    assert asyncio.run(answer()) == 401


@pytest.mark.parametrize("code", blocks("sh"))
def test_a_shell_block_parses_and_calls_targets_and_files_that_exist(code: str, tmp_path: Path) -> None:
    script = tmp_path / "block.sh"
    script.write_text(code, encoding="utf-8")
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=10)

    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", code, re.MULTILINE)) <= targets
    assert all((ROOT / path).exists() for path in re.findall(r"\S+\.py\b", code))


def test_every_exception_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    names = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(names) > 15
    assert [name for name in names if not name.startswith("_") and f"`{name}`" not in readme] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_within_the_project_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []
