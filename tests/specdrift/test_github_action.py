"""The GitHub action: its inputs and outputs, and its steps as GitHub runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from specdrift.github_action import SUMMARY_LIMIT, InputError, main, options, read_inputs, shorten

from tests.specdrift.test_git_hook import BREAKING, DOCUMENT
from tests.support.make import clean_environment
from tests.support.paths import ROOT

ACTION = ROOT / ".github" / "actions" / "specdrift" / "action.yml"


def action() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return content


@dataclass(frozen=True)
class Step:
    """A folder with two documents, in which the action runs."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def run(self, **inputs: str) -> int:
        values = {"BASE": "base.yaml", "HEAD": "head.yaml", **inputs}
        for name, value in values.items():
            self.monkeypatch.setenv(f"INPUT_{name}", value)
        return main()

    @property
    def outputs(self) -> dict[str, str]:
        text = (self.folder / "output").read_text(encoding="utf-8")
        return dict(line.split("=", 1) for line in text.splitlines())

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text(encoding="utf-8")


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    (tmp_path / "base.yaml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "head.yaml").write_text(BREAKING, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("INPUT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return Step(tmp_path, monkeypatch)


class TestComparison:
    def test_a_breaking_change_fails_with_an_annotation_and_a_summary(
        self, step: Step, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert step.run() == 1
        assert capsys.readouterr().out.startswith("::error file=head.yaml,line=")
        assert step.outputs == {"exit-code": "1", "changes": "1", "severity": "ERR"}
        assert "The query parameter q became required" in step.summary

    def test_equal_documents_pass(self, step: Step) -> None:
        assert step.run(HEAD="base.yaml") == 0
        assert step.outputs == {"exit-code": "0", "changes": "0", "severity": ""}

    def test_with_never_the_step_passes_and_the_outputs_report_the_change(self, step: Step) -> None:
        assert step.run(FAIL_ON="never") == 0
        assert step.outputs == {"exit-code": "1", "changes": "1", "severity": "ERR"}

    @pytest.mark.parametrize("fail_on", ["", "never"])
    def test_a_document_that_cannot_be_read_always_fails(
        self, step: Step, fail_on: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert step.run(HEAD="missing.yaml", FAIL_ON=fail_on) == 2
        assert step.outputs == {"exit-code": "2", "changes": "", "severity": ""}
        assert "missing.yaml" in capsys.readouterr().err

    def test_the_report_is_also_written_to_a_file(self, step: Step) -> None:
        step.run(REPORT="sarif=report.sarif", FORMAT="text")

        assert '"2.1.0"' in (step.folder / "report.sarif").read_text(encoding="utf-8")

    def test_a_name_is_never_an_option(self, step: Step) -> None:
        assert step.run(BASE="--help") == 2


class TestInputs:
    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("BASE", "", "the input `base` is missing"),
            ("HEAD", "", "the input `head` is missing"),
            ("FORMAT", "pdf", "the input `format` is 'pdf': write one of text, "),
            (
                "FAIL_ON",
                "fatal",
                "`fail-on` is 'fatal': write one of ERR, WARN, INFO, never",
            ),
            ("WITHIN_BASE", "yes", "the input `within-base` is 'yes': write one of true, false"),
            ("REPORT", "report.sarif", "the input `report` is 'report.sarif': write FORMAT=FILE"),
            ("REPORT", "sarif=", "write FORMAT=FILE"),
        ],
    )
    def test_an_invalid_input_is_named_in_an_annotation(
        self,
        step: Step,
        capsys: pytest.CaptureFixture[str],
        name: str,
        value: str,
        message: str,
    ) -> None:
        assert step.run(**{name: value}) == 2
        output = capsys.readouterr().out
        assert output.startswith("::error title=specdrift::")
        assert message in output

    def test_a_value_cannot_add_a_workflow_command(
        self, step: Step, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert step.run(FORMAT="a\n::warning::b") == 2
        assert len(capsys.readouterr().out.splitlines()) == 1

    def test_all_inputs_become_options(self) -> None:
        inputs = read_inputs(
            {
                "INPUT_BASE": "a",
                "INPUT_HEAD": "b",
                "INPUT_FORMAT": "text",
                "INPUT_FAIL_ON": "warning",
                "INPUT_SEVERITY_LEVELS": "levels.yaml",
                "INPUT_WAIVERS": "waivers.yaml",
                "INPUT_WITHIN_BASE": "true",
                "INPUT_REPORT": "html=report.html",
            }
        )

        assert options(inputs) == [
            *("--format", "text"),
            *("--fail-on", "WARN"),
            *("--severity-levels", "levels.yaml"),
            *("--waivers", "waivers.yaml"),
            "--within-base",
            *("--write", "html=report.html"),
        ]

    def test_without_inputs_the_first_required_one_is_named(self) -> None:
        with pytest.raises(InputError, match="`base`"):
            read_inputs({})


class TestSummary:
    @pytest.mark.parametrize("line", ["a" * 100, "ü" * 100])
    def test_a_long_report_is_shortened_to_complete_lines(self, line: str) -> None:
        text = f"{line}\n" * 20_000

        short_text = shorten(text)

        assert len(short_text.encode()) < SUMMARY_LIMIT
        first_line, *_, last_line = short_text.splitlines()
        assert first_line == line
        assert "too long for a job summary" in last_line
        assert set(short_text.splitlines()[:-2]) == {line}

    def test_a_short_report_is_complete(self) -> None:
        assert shorten("a\n") == "a\n"


class TestAction:
    def test_every_input_reaches_the_program_by_the_name_that_it_reads(self) -> None:
        *_, compare = action()["runs"]["steps"]

        names = list(action()["inputs"])
        assert compare["env"] == {
            f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in names
        }

    def test_the_defaults_are_those_of_the_program(self) -> None:
        defaults = {
            f"INPUT_{name.upper().replace('-', '_')}": entry.get("default", "")
            for name, entry in action()["inputs"].items()
        }
        required = {"INPUT_BASE": "a", "INPUT_HEAD": "b"}

        assert read_inputs(defaults | required) == read_inputs(required)

    def test_no_input_is_part_of_a_shell_command(self) -> None:
        commands = [step["run"] for step in action()["runs"]["steps"]]

        assert len(commands) == 2
        assert not any("${{" in command for command in commands)

    def test_every_output_is_one_of_the_step(self, step: Step) -> None:
        step.run()

        values = {name: entry["value"] for name, entry in action()["outputs"].items()}
        assert values == {name: f"${{{{ steps.compare.outputs.{name} }}}}" for name in step.outputs}

    def test_the_installed_package_is_in_this_repository(self) -> None:
        install, _ = action()["runs"]["steps"]

        [path] = re.findall(r'"\$GITHUB_ACTION_PATH/([\w./]+)"', install["run"])
        assert (ACTION.parent / path).resolve() == ROOT / "tools" / "specdrift"

    def test_the_last_step_runs_in_bash_as_github_runs_it(self, step: Step) -> None:
        # In place of the environment that the first step creates.
        python = step.folder / "specdrift" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        script = step.folder / "step.sh"
        script.write_text(action()["runs"]["steps"][-1]["run"], encoding="utf-8")

        result = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=step.folder,
            env={
                **clean_environment(),
                "PYTHONPATH": str(ROOT / "tools"),
                "RUNNER_TEMP": str(step.folder),
                "INPUT_BASE": "base.yaml",
                "INPUT_HEAD": "head.yaml",
            },
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

        assert (result.returncode, result.stderr) == (1, "")
        assert step.outputs["severity"] == "ERR"

    def test_every_input_and_output_is_documented(self) -> None:
        text = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
        section = text[text.index("## In other repositories") :]

        for name in [*action()["inputs"], *action()["outputs"]]:
            assert f"`{name}`" in section
