"""docs/changing-the-spec.md: its examples can be generated, and its tables are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from generate.__main__ import main
from generate.document import is_list, is_mapping
from generate.templates import read_templates
from generate.unsupported.keywords import ROLES

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "changing-the-spec.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


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


def test_the_examples_add_what_the_page_says(tmp_path: Path) -> None:
    spec: Any = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_bytes())
    for example in EXAMPLES:
        spec = extend(spec, yaml.safe_load(example))
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")

    assert main(["--spec", str(path), "--output", str(tmp_path / "generated")]) == 0

    assert len(EXAMPLES) == 4
    contract = json.loads((tmp_path / "generated" / "contract.json").read_bytes())
    update = contract["operations"]["updateConversation"]
    arguments = {argument["argument"] for argument in update["arguments"]}
    assert {"snoozed_until", "notify_user"} <= arguments
    assert "404" in update["responses"]
    assert contract["operations"]["getConversation"]["python"] == "conversations.get_conversation"


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
