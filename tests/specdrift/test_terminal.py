"""No name of a document controls the terminal or the CI log that a report is written to."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift.cli import main
from specdrift.report.formats import WRITERS
from specdrift.terminal import html_text, json_text, visible

Json = dict[str, Any]

HOSTILE_NAMES = {
    "an escape sequence": "a\x1b[31mred",
    "a workflow command": "a\n::error::all is lost",
    "a workflow command after spaces": "a\r\n   ::set-output name=x::y",
    "a log command": "a##[error]all is lost",
    "a log command at the start": "##[group]hidden",
    "a workflow command at the start": "::error::all is lost",
    "a command of another CI system": "##vso[task.setvariable variable=x]y",
    "a changed direction": "a\u202eb",
    "other line ends": "a\x85::error::b\u2028::error::c\x0b::error::d",
}

names = pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)

log_text = st.text(st.sampled_from("#[]:\n\r\x1b vsoa\u202e\u2028\u3000\xa0"))


def is_interpreted(output: str) -> bool:
    """Whether a terminal or a CI log would interpret something in an output."""
    # The ideographic space is an ordinary character of Chinese and Japanese.
    if not output.replace("\n", "").replace("\u3000", "").isprintable():
        return True
    if re.search(r"##\w*\[", output):
        return True
    return has_workflow_command(output)


def has_workflow_command(output: str) -> bool:
    """Whether a line of an output starts with a command of GitHub's runner."""
    return any(line.lstrip().startswith("::") for line in re.split("[\r\n]", output))


@given(log_text)
@settings(deadline=None)
def test_visible_text_is_one_line_that_nothing_interprets(text: str) -> None:
    assert "\n" not in visible(text)
    assert not is_interpreted(visible(text))
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(categories=["L", "N"], include_characters=" \u3000")))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_space_that_looks_like_an_ordinary_one_is_escaped() -> None:
    assert visible("a\xa0b\u2003c\u202fd") == r"a\xa0b\u2003c\u202fd"


@pytest.mark.parametrize("html_lines", ["::error::x", "<p>\n  ::error::x", "a\r::error::x"])
def test_no_line_of_html_is_a_workflow_command(html_lines: str) -> None:
    assert html_text(html_lines) == html_lines.replace("::error", "&#58;:error")


@given(log_text)
@settings(deadline=None)
def test_escaped_formats_mean_the_same(text: str) -> None:
    assert json.loads(json_text({"a": text})) == {"a": text}
    assert not re.search(r"##\w*\[", json_text({"a": text}))
    escaped_text = html.escape(text)
    assert html.unescape(html_text(escaped_text)) == text
    assert not re.search(r"##\w*\[", html_text(escaped_text))
    assert not has_workflow_command(html_text(escaped_text))


def document(name: str, *, is_new: bool) -> Json:
    """A document with a name in every place; the revision has each of them in a new element too."""
    schema: Json = {
        "type": "object",
        "properties": {name: {"type": "string", "enum": ["a", name]}},
        "required": [name],
    }
    operation: Json = {
        "operationId": name,
        "tags": [name],
        "summary": name,
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": name, "headers": {}}},
    }
    if is_new:
        schema["properties"][name]["enum"] = [f"{name}2"]
        schema["properties"][f"{name}2"] = {"type": "string", "default": name}
        operation["operationId"] = f"{name}2"
        operation["parameters"].append({**operation["parameters"][0], "name": f"{name}2"})
        operation["responses"]["200"]["headers"][name] = {"schema": {"type": "string"}}
        operation["responses"]["404"] = {"$ref": f"#/components/responses/{name}"}
    paths: Json = {f"/{name}": {"put": operation}}
    if is_new:
        paths[f"/{name}/2"] = {"get": {"responses": {}}}
    return {"openapi": "3.1.0", "info": {"title": name, "version": name}, "paths": paths}


@names
@pytest.mark.parametrize("format_name", WRITERS)
def test_no_report_is_interpreted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format_name: str, name: str
) -> None:
    base = tmp_path / "base.yaml"
    revision = tmp_path / "revision.json"
    base.write_text(yaml.safe_dump(document(name, is_new=False)), encoding="utf-8")
    revision.write_text(json.dumps(document(name, is_new=True)), encoding="utf-8")

    assert main([str(base), str(revision), "--format", format_name, "--advise"]) == 1

    output = capsys.readouterr().out
    assert "enum" in output
    if format_name == "github":
        # The commands of the report itself are the only ones, one on each line.
        lines = output.splitlines()
        assert all(re.match(r"::(error|warning|notice) ", line) for line in lines)
        output = output.replace("\n::", "\n").removeprefix("::")
    assert not is_interpreted(output)


@names
@pytest.mark.parametrize(
    "template",
    [
        "openapi: %s\n",
        "swagger: %s\n",
        "openapi: 3.1.0\n%s: 1\n%s: 2\n",
        "openapi: 3.1.0\npaths: {a: {$ref: %s}, b: {$ref: '../x.yaml'}}\n",
        "openapi: 3.1.0\npaths: !%s {}\n",
    ],
)
def test_no_error_is_interpreted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, template: str
) -> None:
    base = tmp_path / "base.yaml"
    quoted = json.dumps(name)
    base.write_text(template.replace("%s", quoted), encoding="utf-8")

    assert main([str(base), str(base)]) == 2

    output = capsys.readouterr().err
    assert output.startswith("specdrift: ")
    assert output.count("\n") == 1
    assert not is_interpreted(output)
