"""docs/changing-the-spec.md: its examples can be generated, and its tables are complete."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main
from generate.document import is_list, is_mapping
from generate.templates import read_templates
from generate.unsupported.keywords import ROLES
from leadconnector_emulator import Emulator, Server

from tests.support.calling import LOCATION_ID
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "changing-the-spec.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

LISTS = (ROOT / "docs" / "lists.md").read_text(encoding="utf-8")
LIST_EXAMPLES = re.findall(r"^```text\n(.*?)^```$", LISTS, re.MULTILINE | re.DOTALL)
"""Code for the list operation that is one of `EXAMPLES`."""


def extend(existing: Any, addition: Any) -> Any:
    """The spec with an example: mappings are merged, and lists are continued."""
    if is_mapping(existing) and is_mapping(addition):
        merged = dict(existing)
        for key, value in addition.items():
            merged[key] = extend(merged[key], value) if key in merged else value
        return merged
    if is_list(existing) and is_list(addition):
        return [*existing, *addition]
    raise AssertionError(f"the example replaces {existing!r}")


def section(title: str) -> str:
    """The text below a heading, up to the next heading of the same level."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_examples_add_what_the_page_says(spec_with_examples: Path, tmp_path: Path) -> None:
    output = tmp_path / "generated"
    assert main(["--spec", str(spec_with_examples), "--output", str(output)]) == 0

    assert len(EXAMPLES) == 5
    contract = json.loads((output / "contract.json").read_bytes())
    update = contract["operations"]["updateConversation"]
    arguments = {argument["argument"] for argument in update["arguments"]}
    assert {"snoozed_until", "notify_user"} <= arguments
    assert "404" in update["responses"]
    assert contract["operations"]["getConversation"]["python"] == "conversations.get_conversation"
    search = contract["operations"]["search-conversation"]
    assert search["python_iteration"] == "conversations.iter_search_conversation"


@pytest.fixture(scope="module", name="spec_with_examples")
def written_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed spec with all examples."""
    spec: Any = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_bytes())
    for example in EXAMPLES:
        spec = extend(spec, yaml.safe_load(example))
    path = tmp_path_factory.mktemp("examples") / "openapi.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module", name="client_folder")
def folder_with_generated_client(spec_with_examples: Path) -> Path:
    """A folder with the client that is generated from the spec with the examples."""
    folder = spec_with_examples.parent / "client"
    ignored = shutil.ignore_patterns("_generated", "__pycache__")
    shutil.copytree(ROOT / "overrides" / "leadconnector", folder / "leadconnector", ignore=ignored)
    output = folder / "leadconnector" / "_generated"
    assert main(["--spec", str(spec_with_examples), "--output", str(output)]) == 0
    return folder


@pytest.mark.parametrize("code", LIST_EXAMPLES, ids=["sync", "async", "errors"])
def test_the_list_of_the_example_is_iterated_as_the_page_about_lists_says(
    code: str, spec_with_examples: Path, client_folder: Path
) -> None:
    emulator = Emulator(spec_with_examples, tokens=["your-token"], conversations=[])
    for name in ("c1", "c2"):
        emulator.put("conversations", {"id": name, "locationId": LOCATION_ID})
    with Server(emulator) as server:
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=client_folder,
            env={**os.environ, "LEADCONNECTOR_BASE_URL": server.url, "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (result.stdout, result.stderr) == ("c1\nc2\n", "")


def test_each_message_in_the_table_is_one_of_the_generation_step() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tools/generate").rglob("*.py")]
    rows = re.findall(r"^\| (`.*?`) \|", section("What `make generate` rejects"), re.MULTILINE)

    assert len(rows) > 20
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    source = "\n".join(sources)
    assert [message for message in messages if message not in source] == []


def test_each_role_is_in_the_table() -> None:
    rows = re.findall(r"^\| (?:`x-role`)? ?\| `([\w-]+)` \|", PAGE, re.MULTILINE)

    assert sorted(rows) == sorted(ROLES)


def test_each_override_is_in_the_table() -> None:
    table = "\n".join(
        line for line in section("Change the generated code").splitlines() if line.startswith("|")
    )

    names = re.findall(r"`([\w/.]+\.jinja)`", table)
    assert sorted(names) == sorted(read_templates(ROOT / "templates"))


@pytest.mark.parametrize("name", sorted(read_templates(ROOT / "templates")))
def test_each_override_states_its_reason_the_upstream_issue_and_its_end(name: str) -> None:
    text = (ROOT / "templates" / name).read_text(encoding="utf-8")

    comment = text.partition("#}")[0]
    for topic in ("why", "upstream", "delete"):
        assert topic in comment.lower()
