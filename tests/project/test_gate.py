"""`make gate`: a change that breaks users fails, unless the changelog says what changed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project.gate.base import CLIENT_PATHS, Base, GateError, changed_files, choose_base
from project.gate.changelog import announced_names, read_entries
from project.gate.code import collect_code
from project.gate.gate import (
    BrokenCode,
    Evidence,
    broken_runs,
    check_out_base,
    code_that_mentions,
    collect_evidence,
    decide,
    text_of,
)
from project.gate.report import write_report
from project.gate.runs import failed_runs
from project.gate.type_checks import CheckerError, without_consequences

from tests.support.make import make
from tests.support.paths import ROOT

BIN = Path(sys.executable).parent

CLIENT = '''
"""A small client."""


class Client:
    """Updates things."""

    def update(self, key: str, *, starred: bool = False) -> str:
        """Update a thing."""
        return f"{key} {starred}"
'''
CONSUMER = """
from typing import assert_type

from leadconnector import Client


def star(client: Client) -> None:
    assert_type(client.update("a", starred=True), str)
"""
EXAMPLE = """
from leadconnector import Client

print(Client().update("example", starred=True))
"""
PROJECT_EXAMPLE = """
from generate import nothing

nothing()
"""
README = """# Client

```python
from leadconnector import Client

assert Client().update("block", starred=True) == "block True"
```
"""
EXAMPLE_TEST = """
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_runs():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "overrides")}
    command = [sys.executable, "-B", str(ROOT / "examples" / "star.py")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("example True\\n", "")
"""
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- A client. `starred` stars.
"""
FILES = {
    "overrides/leadconnector/__init__.py": "from ._client import Client\n\n__all__ = ['Client']\n",
    "overrides/leadconnector/_client.py": CLIENT,
    "overrides/leadconnector/py.typed": "",
    "tests/typing/consumer.py": CONSUMER,
    "tests/project/test_examples.py": EXAMPLE_TEST,
    "examples/star.py": EXAMPLE,
    "examples/demo.py": PROJECT_EXAMPLE,
    "README.md": README,
    "CHANGELOG.md": CHANGELOG,
    "tools/README": "",
}
STARRED = "starred: bool = False"
RENAMED = CLIENT.replace(STARRED, "favourite: bool = False").replace("{starred}", "{favourite}")
EXTENDED = CLIENT.replace(STARRED, f"{STARRED}, note: str = ''")


def git(repository: Path, *arguments: str) -> str:
    """Run git, independently of the user's settings, and return its output."""
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repository), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def write(repository: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text, encoding="utf-8")


def commit(repository: Path, message: str = "Change") -> None:
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")


def create_repository(folder: Path) -> Path:
    """A repository with a small client, and one commit."""
    repository = folder / "repository"
    write(repository, FILES)
    git(repository, "init", "--quiet", "--initial-branch=main")
    commit(repository, "First")
    return repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A new repository with a small client."""
    return create_repository(tmp_path)


def evidence_of(repository: Path, client: str) -> Evidence:
    """The differences after a change of the client in the working tree."""
    write(repository, {"overrides/leadconnector/_client.py": client})
    workspace = repository.parent / "workspace"
    workspace.mkdir()
    return collect_evidence(repository, "main", workspace)


@pytest.fixture(scope="module", name="evidence")
def evidence_of_renamed_argument(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The differences after an argument was renamed."""
    return evidence_of(create_repository(tmp_path_factory.mktemp("renamed")), RENAMED)


class TestRenamedArgument:
    def test_it_fails_and_the_report_says_what_breaks_and_where(self, evidence: Evidence) -> None:
        verdict = decide(evidence)

        assert not verdict.passes
        assert {code.place for code in verdict.unannounced_code} == {
            "tests/typing/consumer.py:8",
            "examples/star.py:4",
            "README.md:6",
            "test_the_example_runs",
        }
        text = write_report(verdict)
        assert "leadconnector.Client.update: The parameter starred was removed." in text
        assert "overrides/leadconnector/_client.py:8" in text
        assert "below `### Removed` or `### Changed` of `[Unreleased]`" in text
        assert "The entry names them in backticks: `starred`\n" in text
        assert text.endswith("\nFailed.\n")

    @pytest.mark.parametrize("kind", ["Removed", "Changed"])
    def test_it_passes_if_the_changelog_mentions_it(self, evidence: Evidence, kind: str) -> None:
        entry = f"\n### {kind}\n\n- `Client.update(starred=)`: use `favourite=`.\n"

        verdict = decide(replace(evidence, changelog=f"{CHANGELOG}{entry}"))

        assert verdict.passes
        assert len(verdict.announced_code) == len(evidence.broken_code)
        text = write_report(verdict)
        assert "Breaking, and mentioned in CHANGELOG.md:" in text
        assert text.endswith("\nPassed: CHANGELOG.md mentions each breaking change.\n")

    @pytest.mark.parametrize(
        "entry",
        [
            "### Added\n\n- `starred` is now `favourite`.\n",
            "### Removed\n\n- starred\n",
            "### Removed\n\n- `unstarred`, `update` and `Client`.\n",
        ],
    )
    def test_it_fails_if_the_changelog_mentions_something_else(
        self, evidence: Evidence, entry: str
    ) -> None:
        assert not decide(replace(evidence, changelog=f"{CHANGELOG}\n{entry}")).passes


def test_an_optional_addition_passes_and_is_listed(repository: Path) -> None:
    verdict = decide(evidence_of(repository, EXTENDED))

    assert verdict.passes
    assert verdict.evidence.broken_code == []
    text = write_report(verdict)
    assert "The parameter note was added, and is optional." in text
    assert text.endswith("\nPassed: nothing breaks.\n")


def test_code_that_fails_without_a_change_of_names_fails_the_gate() -> None:
    code = BrokenCode("test_the_example_runs", "assert 'a' == 'b'", "starred: 'a' is not 'b'")
    announced = f"{CHANGELOG}\n### Removed\n\n- `starred` is unrelated.\n"
    evidence = Evidence(
        Base("v1.0", "the latest release"), ["overrides/a.py"], [], [code], CHANGELOG, announced
    )

    verdict = decide(evidence)

    assert not verdict.passes
    text = write_report(verdict)
    assert "Code of v1.0 that fails with the changed client:" in text
    assert "Restore what this code uses." in text


def test_only_consequences_of_other_errors_in_the_file_are_left_out() -> None:
    cause = CheckerError("b.py", 3, "No parameter named x  [reportCallIssue]")
    consequence = CheckerError("b.py", 4, "Type of y is unknown  [reportUnknownMemberType]")
    lone_error = CheckerError("a.py", 9, "Type of z is unknown  [reportUnknownVariableType]")

    assert without_consequences([consequence, cause, lone_error]) == [lone_error, cause]


def test_an_announced_name_excuses_the_other_errors_in_its_file_only() -> None:
    code = [
        BrokenCode("a.py:1", "no x", "x", "a.py"),
        BrokenCode("a.py:2", "unknown", "y", "a.py"),
        BrokenCode("b.py:2", "unknown", "y", "b.py"),
        BrokenCode("test_x", "fails", "y"),
        BrokenCode("test_y", "fails", "uses x"),
    ]

    places = [item.place for item in code_that_mentions(code, ["x"])]
    assert places == ["a.py:1", "a.py:2", "test_y"]


def test_a_run_that_fails_in_the_base_too_is_left_out(repository: Path, tmp_path: Path) -> None:
    write(repository, {"examples/star.py": "raise SystemExit(1)\n"})
    commit(repository)
    (tmp_path / "workspace").mkdir()
    base = Base("main", "a test")
    check_out_base(repository, base, tmp_path / "workspace" / "base")

    assert broken_runs(repository, base, tmp_path / "workspace") == []


LONG_REPORT_TEST = """
def test_the_example_runs():
    # The name is in no line of this source, because a report quotes the source too.
    name = "".join(reversed("derrats"))
    errors = "a line\\n" * 200 + name + "\\n" + "another line\\n" * 200
    assert errors == ""
"""


@pytest.mark.parametrize("ci", ["", "true"])
def test_the_name_in_a_long_report_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str
) -> None:
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    monkeypatch.setenv("CI", ci)
    write(tmp_path, {"tests/project/test_examples.py": LONG_REPORT_TEST})

    (failure,) = failed_runs(tmp_path, tmp_path / "report.xml")
    assert "starred" in failure.text


class TestCommandLine:
    def run(self, repository: Path, *arguments: str) -> tuple[int, str, str]:
        """Run the Makefile of this project in a repository."""
        python_path = str(ROOT / "tools")
        options = ["--file", str(ROOT / "Makefile"), f"BIN={BIN}", "DEV="]
        result = make("gate", *options, *arguments, cwd=repository, PYTHONPATH=python_path)
        return result.returncode, result.stdout, result.stderr

    def test_a_change_outside_the_client_needs_no_comparison(self, repository: Path) -> None:
        write(repository, {"README.md": "# Another text\n", "tests/new.py": "x = 1\n"})

        status, output, error = self.run(repository, "BASE=main")

        assert (status, error) == (0, "")
        assert output == (
            "Compared with main (there is no release yet).\n"
            "The client is as it was: nothing can break.\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "there is no release yet, so name a revision: make gate BASE=REVISION"),
            (["BASE=nothing"], "gate: nothing: git cannot read it in "),
            (["BASE=--help"], "gate: --help: a revision does not start with `-`"),
        ],
    )
    def test_a_wrong_revision_is_one_line(
        self, repository: Path, arguments: list[str], message: str
    ) -> None:
        status, output, error = self.run(repository, *arguments)

        assert (status, output) == (2, "")
        assert message in error

    def test_a_changelog_that_is_not_utf8_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "CHANGELOG.md").write_bytes(b"\xff")

        with pytest.raises(GateError, match=r"CHANGELOG\.md is not UTF-8"):
            text_of(tmp_path / "CHANGELOG.md")


class TestBase:
    def test_the_latest_release_that_the_branch_contains_wins(self, repository: Path) -> None:
        for tag in ("v1.9.0", "v1.10.0", "v2.0.0rc1", "vendored", "v1"):
            commit(repository)
            git(repository, "tag", tag)
        git(repository, "checkout", "--quiet", "-b", "other", "v1")
        commit(repository)
        git(repository, "tag", "v3.0.0")
        git(repository, "checkout", "--quiet", "main")

        assert choose_base(repository, "") == Base("v1.10.0", "the latest release")
        assert choose_base(repository, "main").revision == "v1.10.0"

    def test_without_a_release_the_named_revision_is_used(self, repository: Path) -> None:
        git(repository, "tag", "v2.0.0rc1")

        assert choose_base(repository, "main") == Base("main", "there is no release yet")

    def test_a_shallow_clone_without_releases_is_rejected(
        self, repository: Path, tmp_path: Path
    ) -> None:
        commit(repository)
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(clone))

        with pytest.raises(GateError, match="fetch-depth: 0"):
            choose_base(clone, "main")

    def test_a_folder_without_a_repository_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(GateError, match="not a git repository"):
            choose_base(tmp_path, "main")

    def test_every_part_of_the_client_counts_also_a_new_and_a_removed_file(
        self, repository: Path
    ) -> None:
        files = [name if "." in name else f"{name}/file.py" for name in CLIENT_PATHS]
        new_files = [name if "." in name else f"{name}/new.py" for name in CLIENT_PATHS]
        write(repository, {**dict.fromkeys(files, "1\n"), "overrides/old.py": ""})
        commit(repository)
        (repository / "overrides" / "old.py").unlink()
        write(repository, {**dict.fromkeys([*files, *new_files], "2\n"), "docs/page.md": "text\n"})

        expected = {*files, *new_files, "overrides/old.py"}
        assert changed_files(repository, "main") == sorted(expected)


NAMES = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)


class TestChangelog:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("### Removed\n\n- `starred` is gone.\n", {"starred"}),
            ("### Changed\n\n- Renamed\n  `Model.starred`.\n", {"Model", "starred"}),
            (
                "### Changed\n\n| before | now |\n|---|---|\n| `starred` | `x=` |\n",
                {"starred", "x"},
            ),
            ("### Changed\n\nAll of it:\n\n- `a`\n- `b`\n", {"a", "b"}),
            ("### Added\n\n- `starred` is new.\n", set[str]()),
            ("### Fixed\n\n- `starred`.\n", set[str]()),
            ("### Removed\n\n- starred without backticks.\n", set[str]()),
            ("- `starred` below no heading.\n", set[str]()),
        ],
    )
    def test_only_names_in_backticks_below_removed_or_changed_count(
        self, text: str, names: set[str]
    ) -> None:
        assert announced_names("", f"# Changelog\n\n## [Unreleased]\n\n{text}") == names

    @pytest.mark.parametrize(
        "heading",
        [
            "## [Unreleased](https://HOST/COMPARE)",
            "## [Unreleased][compare]",
            "## Unreleased ##",
            "[Unreleased]\n---",
            "## [unreleased] - YYYY-MM-DD",
        ],
    )
    def test_the_heading_can_have_any_form_of_markdown(self, heading: str) -> None:
        base = "[compare]: https://HOST/COMPARE\n[Unreleased]: https://HOST/COMPARE\n\n"
        base += f"{heading}\n\n### Added\n\n- A client.\n"

        assert announced_names(base, f"{base}\n### Removed\n\n- `starred`.\n") == {"starred"}

    @pytest.mark.parametrize(
        "heading", ["Removed", "removed", "Removed (breaking)", "**Removed**", "Changed: API"]
    )
    def test_the_first_word_of_a_heading_is_the_kind_of_change(self, heading: str) -> None:
        changelog = f"## [Unreleased]\n\n### {heading}\n\n- `starred`.\n"

        assert announced_names("", changelog) == {"starred"}

    @pytest.mark.parametrize(
        "text",
        [
            "<!-- - `starred` -->",
            "<!--\n- `starred`\n-->",
            "- Something <!-- `starred` -->",
            "```\n- `starred`\n```",
            "~~~~\n### Removed\n- `starred`\n~~~~",
            "Text\n\n    - `starred`",
            "#### `starred`\n\n- Something",
            "> ## [2.0]\n> ### Removed\n\n### Added\n\n- `starred`",
            "- `` ` `` and \\`starred\\`",
        ],
    )
    def test_a_name_that_readers_do_not_see_as_an_entry_does_not_count(self, text: str) -> None:
        changelog = f"## [Unreleased]\n\n### Removed\n\n- `other`.\n\n{text}\n"

        assert announced_names("", changelog) == {"other"}

    def test_an_entry_that_is_wrapped_again_is_not_new(self) -> None:
        base = "## [Unreleased]\n\n### Removed\n\n- Use something\n  instead of `old`.\n"

        assert announced_names(base, base.replace("\n  instead", " instead")) == set()

    def test_an_entry_of_the_base_does_not_count(self) -> None:
        base = "## [Unreleased]\n\n### Removed\n\n- `old`.\n"

        assert announced_names(base, f"{base}- `new`.\n") == {"new"}

    def test_an_entry_of_an_earlier_release_does_not_count(self) -> None:
        base = "## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n### Removed\n\n- `old`.\n"

        assert announced_names(base, f"{base}- `late`.\n") == set()

    def test_the_entries_of_a_release_that_is_being_prepared_count(self) -> None:
        base = "## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n### Removed\n\n- `old`.\n"
        release = "## [Unreleased]\n\n## [2.0.0] - 2026-02-01\n\n### Removed\n\n- `new`.\n"

        assert announced_names(base, release + base.removeprefix("## [Unreleased]\n")) == {"new"}

    @given(names=st.lists(NAMES, unique=True), kind=st.sampled_from(["Removed", "Changed"]))
    def test_every_name_of_every_item_counts(self, names: list[str], kind: str) -> None:
        items = "".join(f"- Use something else\n  instead of `{name}`.\n" for name in names)

        assert announced_names("", f"## [Unreleased]\n\n### {kind}\n\n{items}") == set(names)

    def test_the_changelog_of_this_project_can_be_read(self) -> None:
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

        entries = read_entries(text)

        assert "RedisQuota" in announced_names("", text)
        assert {entry.section for entry in entries if entry.kind} == {"unreleased"}


def test_the_code_of_users_is_collected_with_its_lines(repository: Path, tmp_path: Path) -> None:
    code = collect_code(repository, tmp_path / "code")

    assert sorted(code.sources.values()) == [
        "README.md",
        "examples/star.py",
        "tests/typing/consumer.py",
    ]
    (block,) = [file for file, source in code.sources.items() if source == "README.md"]
    assert code.line_of(block, 6) == README.splitlines()[5]
