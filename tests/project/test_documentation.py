"""The code blocks of the documentation run, and the names in it exist."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import yaml
from leadconnector import Finding, LeadConnector, LeadConnectorError, errors
from leadconnector_emulator import Emulator, EmulatorTransport, Fault
from specdrift.loading import read_file
from specdrift.waivers import read_waivers

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.documents import DOCUMENTS, LINK, Block, anchors_of, blocks, blocks_in
from tests.support.paths import ROOT

NAMED_TEST = re.compile(r"`((?:\w+/)?test_\w+\.py)((?:::\w+)+)`")
LANGUAGES = {"console", "json", "py", "python", "sh", "text", "toml", "yaml"}
"""The tests run or check a block of each. `text` is output: it is neither.

`py` needs a vendored copy: tests/emulator/test_fixtures.py runs it.
"""

PYTHON_BLOCKS = blocks_in("python")

SCHEMA_BY_KEY = {
    "jobs": "vendor.github-workflows",
    "runs": "vendor.github-actions",
    "updates": "vendor.dependabot",
    "services": "vendor.compose-spec",
}
"""Schemas that check-jsonschema contains, by a key of the files that they describe."""


def test_each_code_block_names_its_language() -> None:
    assert [block for block in blocks() if block.language not in LANGUAGES] == []
    assert len(PYTHON_BLOCKS) >= 15


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=str)
def test_a_python_block_runs_as_it_is(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    # A block can write a file.
    monkeypatch.chdir(tmp_path)

    exec(compile(block.code, str(block), "exec"), {"__name__": "__main__"})


def write_python_blocks(folder: Path) -> list[str]:
    """Write each Python block to a file, and return the names of the files."""
    names: list[str] = []
    for block in PYTHON_BLOCKS:
        stem = re.sub(r"\W", "_", str(block))
        name = f"test_{stem}.py"
        (folder / name).write_text(block.code, encoding="utf-8")
        names.append(name)
    return names


def run_module(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a module with the packages of this checkout, as if they were installed."""
    packages = [str(ROOT / name) for name in ("overrides", "tools")]
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(packages), "MYPYPATH": ":".join(packages)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_every_python_block_passes_mypy_in_strict_mode(tmp_path: Path) -> None:
    write_python_blocks(tmp_path)
    # Without a cache of an earlier run, this takes several times as long.
    cache = str(ROOT / ".mypy_cache" / "documentation")

    result = run_module("mypy", "--strict", "--cache-dir", cache, ".", folder=tmp_path)

    assert (result.stdout.splitlines()[-1], result.stderr) == (
        f"Success: no issues found in {len(PYTHON_BLOCKS)} source files",
        "",
    ), result.stdout


def test_every_python_block_passes_pyright_in_strict_mode(tmp_path: Path) -> None:
    write_python_blocks(tmp_path)
    configuration = {
        "typeCheckingMode": "strict",
        # docs/api.md lists the names of the models as an import.
        "reportUnusedImport": False,
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / name) for name in ("overrides", "tools")],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(configuration), encoding="utf-8")

    result = run_module(
        "pyright", "--outputjson", "--pythonpath", sys.executable, ".", folder=tmp_path
    )

    report = json.loads(result.stdout)
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] == len(PYTHON_BLOCKS)


def test_every_test_and_fixture_in_a_python_block_runs_in_pytest(tmp_path: Path) -> None:
    """Running a block only defines its tests."""
    names = write_python_blocks(tmp_path)
    names_for_pytest = [
        name
        for name, block in zip(names, PYTHON_BLOCKS, strict=True)
        if re.search(r"^(async )?def test_", block.code, re.MULTILINE)
    ]

    plugin = "leadconnector_emulator.pytest_plugin"
    result = run_module("pytest", "-q", "-p", plugin, *names_for_pytest, folder=tmp_path)

    assert result.returncode == 0, result.stdout
    assert f"{len(names_for_pytest)} passed" in result.stdout


def test_the_blocks_run_against_an_emulator_that_checks_the_token() -> None:
    transport = EmulatorTransport(Emulator(tokens=["your-token"]))

    async def status_without_token() -> int:
        request = httpx.Request("PUT", "http://localhost/conversations/x")
        return (await transport.handle_async_request(request)).status_code

    assert asyncio.run(status_without_token()) == 401


# `test_changing_the_spec.py` generates a client from the YAML of that page.
DATA_BLOCKS = [
    block
    for language in ("yaml", "toml", "json")
    for block in blocks_in(language)
    if block.document != "docs/changing-the-spec.md"
]


@pytest.mark.parametrize("block", DATA_BLOCKS, ids=str)
def test_a_block_of_data_is_what_it_documents(block: Block, tmp_path: Path) -> None:
    path = tmp_path / f"block.{block.language}"
    path.write_text(block.code, encoding="utf-8")

    check_data(path)


def check_data(path: Path) -> None:
    """Read a file as the program does that reads such files.

    Raises:
        AssertionError: it is no such file, or of no known kind.
    """
    if path.suffix == ".toml":
        assert tomllib.loads(path.read_text(encoding="utf-8"))
        return
    if path.suffix == ".json":
        assert json.loads(path.read_text(encoding="utf-8"))
        return
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "waivers" in content:
        assert read_waivers(read_file(str(path)))
        return
    if "repos" in content:
        # A configuration of pre-commit. check-jsonschema has no schema for it.
        assert all(repository["repo"] and repository["hooks"] for repository in content["repos"])
        return
    schema = next((schema for key, schema in SCHEMA_BY_KEY.items() if key in content), None)
    assert schema is not None, f"add the kind of this file to SCHEMA_BY_KEY: {sorted(content)}"
    result = run_module("check_jsonschema", "--builtin-schema", schema, str(path), folder=ROOT)
    assert result.returncode == 0, result.stdout


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
def test_a_link_within_the_project_has_a_target_on_github(document: Path) -> None:
    broken_links: list[str] = []
    for path, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / path if path else document
        if not target.exists():
            broken_links.append(path)
        elif anchor and anchor not in anchors_of(target):
            broken_links.append(f"{path}#{anchor}")

    assert broken_links == []


def test_every_option_of_a_client_is_in_the_table_of_the_readme() -> None:
    names = inspect.signature(LeadConnector).parameters

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(names) == 14
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
