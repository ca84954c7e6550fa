"""The report of `make diff` on a pull request: annotations, SARIF, and the text of the comment."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from project.surface import Severity, SurfaceChange
from project.surface.__main__ import main as run_surface
from project.surface.formats import write_github, write_markdown, write_text

from tests.support.make import make
from tests.support.paths import ROOT

HOSTILE = "@octocat #1 GH-1 <img src=x> [a](https://evil.example) | ``` \n::error::x ##[error]y"


def change(severity: Severity = "ERR", text: str = "It was removed.") -> SurfaceChange:
    return SurfaceChange(severity, "removed", "leadconnector.Client", text, "overrides/a.py", 7)


class TestFormats:
    def test_each_change_is_an_annotation_of_its_line(self) -> None:
        changes = [change("ERR"), change("WARN"), change("INFO")]

        lines = write_github(changes, "main").splitlines()

        assert lines[0] == (
            "::error file=overrides/a.py,line=7,title=Python API%3A removed"
            "::leadconnector.Client: It was removed."
        )
        assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
        assert write_github([], "main") == ""

    @pytest.mark.parametrize(
        ("severities", "headline"),
        [
            (["INFO", "ERR"], "Breaks code that uses the package."),
            (["INFO", "WARN"], "May break code that uses the package."),
            (["INFO"], "Breaks no code that uses the package."),
        ],
    )
    def test_the_markdown_begins_with_the_worst_that_happens(
        self, severities: list[Severity], headline: str
    ) -> None:
        text = write_markdown([change(severity) for severity in severities], "main")

        assert text.startswith(f"## {headline}\n")
        html = MarkdownIt("commonmark").enable("table").render(text)
        assert html.count("<tr>") == 1 + len(severities)

    @pytest.mark.parametrize("revision", ["main", "<b>@octocat"])
    def test_without_changes_each_format_for_people_says_so(self, revision: str) -> None:
        assert write_text([], revision) == (
            f"The public Python surface is as it was in {revision}.\n"
        )
        markdown = write_markdown([], revision)
        assert markdown.startswith("## Nothing changed.\n")
        assert "<b>" not in markdown
        assert "@o" not in markdown

    def test_names_in_code_cannot_add_markup_or_commands(self) -> None:
        changes = [change(text=HOSTILE)]

        markdown = write_markdown(changes, "main")
        html = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
        assert "<img" not in html
        assert "<a " not in html
        assert html.count("<tr>") == 2
        for text in ("@octocat", "#1 ", "GH-1", "GH\\-1"):
            assert text not in markdown
        for output in (write_github(changes, "main"), write_text(changes, "main")):
            assert len(output.splitlines()) == 1
            assert "##[error]" not in output

    @pytest.mark.parametrize("value", ["json=a", "markdown", "markdown=", "=a"])
    def test_an_unknown_format_is_rejected(
        self, value: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit_info:
            run_surface(["HEAD", "--write", value])

        assert exit_info.value.code == 2
        assert "is not FORMAT=FILE, where FORMAT is text, markdown, github" in (
            capsys.readouterr().err
        )


@dataclass
class PullRequest:
    """A repository with a commit, and changes on top of it."""

    root: Path

    @property
    def report(self) -> Path:
        return self.root / "build" / "diff"

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, base: str = "HEAD", **environment: str) -> subprocess.CompletedProcess[str]:
        variables = [f"BIN={Path(sys.executable).parent}", "DEV=", f"BASE={base}"]
        return make(
            "diff",
            "REPORT=build/diff",
            *variables,
            cwd=self.root,
            PYTHONPATH=str(ROOT / "tools"),
            **environment,
        )

    def comment(self) -> str:
        return (self.report / "comment.md").read_text(encoding="utf-8")


@pytest.fixture
def pull_request(tmp_path: Path) -> PullRequest:
    root = tmp_path / "a checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("spec", "generated", "overrides", "tools/leadconnector_emulator"):
        shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "Makefile", root)
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *settings, *arguments], cwd=root, check=True, timeout=60)
    return PullRequest(root)


class TestReport:
    def test_changes_are_annotated_and_the_comment_has_both_parts(
        self, pull_request: PullRequest, tmp_path: Path
    ) -> None:
        pull_request.edit(
            "spec/openapi.yaml", "required: [locationId]", "required: [locationId, starred]"
        )
        pull_request.edit(
            "overrides/leadconnector/errors.py", "class NotFoundError", "class MissingError"
        )
        summary = tmp_path / "summary.md"
        summary.write_text("An earlier step.\n", encoding="utf-8")

        result = pull_request.run(GITHUB_STEP_SUMMARY=str(summary))

        # A change is no failure: a failure means that nothing was compared.
        assert (result.returncode, result.stderr) == (0, "")
        annotations = [line for line in result.stdout.splitlines() if line]
        assert all(line.startswith(("::error file=", "::notice file=")) for line in annotations)
        assert any("request-property-became-required" in line for line in annotations)
        assert any("NotFoundError" in line for line in annotations)

        comment = pull_request.comment()
        spec_part, python_part = comment.split("# Changes of the Python API\n")
        assert spec_part.startswith("# Changes of the spec\n\n## Breaks the contract.")
        assert "became required" in spec_part
        assert "NotFoundError" in python_part
        assert summary.read_text(encoding="utf-8") == f"An earlier step.\n{comment}\n"

        sarif = json.loads((pull_request.report / "spec.sarif").read_text(encoding="utf-8"))
        [finding] = sarif["runs"][0]["results"]
        assert finding["ruleId"] == "request-property-became-required"
        location = finding["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location == {"uri": "spec/openapi.yaml"}

    def test_without_changes_the_comment_is_empty(
        self, pull_request: PullRequest, tmp_path: Path
    ) -> None:
        summary = tmp_path / "summary.md"

        result = pull_request.run(GITHUB_STEP_SUMMARY=str(summary))

        assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "", "")
        assert pull_request.comment() == ""
        # Code scanning needs this empty analysis of the main branch.
        sarif = json.loads((pull_request.report / "spec.sarif").read_text(encoding="utf-8"))
        assert sarif["runs"][0]["results"] == []
        assert "Neither the spec nor the public Python API changes." in summary.read_text(
            encoding="utf-8"
        )

    def test_a_failed_comparison_leaves_no_comment_of_an_earlier_run(
        self, pull_request: PullRequest, tmp_path: Path
    ) -> None:
        pull_request.report.mkdir(parents=True)
        for name in ("comment.md", "spec.md", "python.md", "spec.sarif"):
            (pull_request.report / name).write_text("old", encoding="utf-8")
        summary = tmp_path / "summary.md"

        result = pull_request.run("nowhere", GITHUB_STEP_SUMMARY=str(summary))

        assert result.returncode == 2
        assert "specdrift: nowhere:spec/openapi.yaml: cannot be read" in result.stderr
        assert list(pull_request.report.iterdir()) == []
        assert not summary.exists()

    @pytest.mark.parametrize(
        ("base", "arguments"), [("", ""), ("HEAD", "'"), ("HEAD", "--help"), ("HEAD", "--nonsense")]
    )
    def test_after_invalid_variables_no_comment_of_an_earlier_run_remains(
        self, pull_request: PullRequest, base: str, arguments: str
    ) -> None:
        pull_request.report.mkdir(parents=True)
        (pull_request.report / "comment.md").write_text("old", encoding="utf-8")
        (pull_request.report / "spec.sarif").write_text("old", encoding="utf-8")

        result = pull_request.run(base, ARGS=arguments)

        assert result.returncode == 2
        assert not (pull_request.report / "comment.md").exists()
        assert not (pull_request.report / "spec.sarif").exists()

    def test_a_folder_that_cannot_be_created_is_one_line(self, pull_request: PullRequest) -> None:
        (pull_request.root / "build").write_text("a file", encoding="utf-8")

        result = pull_request.run()

        assert result.returncode == 2
        assert "build/diff: cannot be written: Not a directory\n" in result.stderr
