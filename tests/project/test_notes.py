"""`make notes`: which tags can be released, and what their notes are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from project.notes import ReleaseError, release_notes, version_of_tag

from tests.support.make import clean_environment
from tests.support.paths import ROOT

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something new.

## [1.2.0] - 2026-11-27

### Fixed

- A [link] and [another](https://HOST/PATH).

```text
## [1.1.0] - 2026-11-01
```

## [1.1.0](https://HOST/PATH) - 2026-11-01

- The oldest entry.

[link]: https://HOST/LINK
[1.2.0]: https://HOST/COMPARE
"""


@dataclass(frozen=True)
class Checkout:
    root: Path

    @property
    def notes(self) -> Path:
        return self.root / "build" / "release-notes.md"

    def write_notes(self, tag: str | None) -> subprocess.CompletedProcess[str]:
        variables = {} if tag is None else {"TAG": tag}
        return subprocess.run(
            [sys.executable, "-m", "project.notes"],
            cwd=self.root,
            env={
                **clean_environment(),
                "PYTHONPATH": str(ROOT / "tools"),
                "GITHUB_STEP_SUMMARY": str(self.root / "summary.md"),
                "GITHUB_OUTPUT": str(self.root / "output"),
                **variables,
            },
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    version_file = tmp_path / "overrides" / "leadconnector" / "_version.py"
    version_file.parent.mkdir(parents=True)
    version_file.write_text('"""A version."""\n\n__version__ = "1.2.0"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    return Checkout(tmp_path)


class TestProgram:
    def test_the_notes_are_the_section_of_the_version(self, checkout: Checkout) -> None:
        result = checkout.write_notes("v1.2.0")

        assert (result.returncode, result.stderr) == (0, "")
        notes = checkout.notes.read_text(encoding="utf-8")
        assert notes.startswith("### Fixed\n\n- A [link] and")
        # The definition of the link is at the end of the changelog.
        assert notes.endswith("```\n\n[link]: https://HOST/LINK\n".replace("[link]", "[LINK]"))
        assert "oldest" not in notes
        assert "Something new" not in notes
        assert (checkout.root / "output").read_text(encoding="utf-8") == "prerelease=false\n"
        summary = (checkout.root / "summary.md").read_text(encoding="utf-8")
        assert summary.startswith("## 1.2.0\n\n### Fixed\n")

    @pytest.mark.parametrize(
        ("tag", "message"),
        [
            (None, "no tag is named: make notes TAG=v1.2.3"),
            ("", "no tag is named: make notes TAG=v1.2.3"),
            ("v1.2.1", "_version.py has 1.2.0: the tag must be v1.2.0. Delete the tag"),
            ("1.2.0", "the tag must be v1.2.0"),
            ("v1.2.0 ", "the tag must be v1.2.0"),
            ("v1.2", "the tag must be v1.2.0"),
        ],
    )
    def test_another_tag_is_rejected_and_nothing_is_written(
        self, checkout: Checkout, tag: str | None, message: str
    ) -> None:
        result = checkout.write_notes(tag)

        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
        assert not checkout.notes.parent.exists()
        assert not (checkout.root / "output").exists()

    @pytest.mark.parametrize("name", ["CHANGELOG.md", "overrides/leadconnector/_version.py"])
    def test_a_missing_file_is_named(self, checkout: Checkout, name: str) -> None:
        (checkout.root / name).unlink()

        result = checkout.write_notes("v1.2.0")

        assert (result.returncode, result.stdout) == (2, "")
        assert name in result.stderr
        assert "Traceback" not in result.stderr

    @pytest.mark.parametrize("name", ["CHANGELOG.md", "overrides/leadconnector/_version.py"])
    @pytest.mark.parametrize("content", [b"\xff", b"__version__ = (\n", b"__version__ = f()\n"])
    def test_an_unreadable_file_is_one_line(
        self, checkout: Checkout, name: str, content: bytes
    ) -> None:
        (checkout.root / name).write_bytes(content)

        result = checkout.write_notes("v1.2.0")

        assert (result.returncode, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"make notes: {name}")

    def test_a_file_in_place_of_the_folder_is_one_line(self, checkout: Checkout) -> None:
        (checkout.root / "build").touch()

        result = checkout.write_notes("v1.2.0")

        assert (result.returncode, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert "build" in line
        assert not (checkout.root / "output").exists()

    def test_after_a_failure_there_are_no_notes_of_an_earlier_run(self, checkout: Checkout) -> None:
        assert checkout.write_notes("v1.2.0").returncode == 0

        assert checkout.write_notes("v1.2.1").returncode == 2
        assert not checkout.notes.exists()

    def test_a_version_file_without_a_version_is_named(self, checkout: Checkout) -> None:
        (checkout.root / "overrides" / "leadconnector" / "_version.py").write_text("a = 1\n")

        assert "has no `__version__`" in checkout.write_notes("v1.2.0").stderr

    def test_the_version_of_this_project_can_be_a_tag(self) -> None:
        module: dict[str, str] = {}
        text = (ROOT / "overrides" / "leadconnector" / "_version.py").read_text(encoding="utf-8")
        exec(text, module)
        version = module["__version__"]

        assert str(version_of_tag(f"v{version}", version)) == version


class TestVersion:
    @pytest.mark.parametrize("version", ["1.0rc1", "1.0.dev2", "2.0a1"])
    def test_an_early_version_is_a_prerelease(self, version: str) -> None:
        assert version_of_tag(f"v{version}", version).is_prerelease

    @pytest.mark.parametrize("version", ["1.0", "1.0.post1", "0.1.0"])
    def test_other_versions_are_none(self, version: str) -> None:
        assert not version_of_tag(f"v{version}", version).is_prerelease

    @pytest.mark.parametrize(
        ("version", "message"),
        [
            ("1.0-rc1", "write 1.0-rc1 as 1.0rc1"),
            ("v1.0", "write v1.0 as 1.0"),
            ("one", "Invalid version: 'one'"),
            ("1.0+local", "package indexes reject"),
        ],
    )
    def test_a_version_that_no_index_accepts_is_rejected(self, version: str, message: str) -> None:
        with pytest.raises(ReleaseError, match=message.replace("+", r"\+")):
            version_of_tag(f"v{version}", version)


class TestChangelog:
    def test_the_heading_of_a_version_can_be_a_link(self) -> None:
        assert release_notes(CHANGELOG, Version("1.1.0")) == "- The oldest entry.\n"

    @pytest.mark.parametrize(
        ("changelog", "message"),
        [
            ("", "no section"),
            ("## [Unreleased]\n\n- a\n", "move the entries of `## \\[Unreleased\\]` to it"),
            ("## 1.0 - 2026-11-27\n\n- a\n", "no section `## \\[1.0\\] - YYYY-MM-DD`"),
            ("## [1.0]\n\n- a\n", "no section"),
            ("## [1.0] - 27 November\n\n- a\n", "no section"),
            ("### [1.0] - 2026-11-27\n\n- a\n", "no section"),
            ("> ## [1.0] - 2026-11-27\n>\n> - a\n", "no section"),
            ("## [1.0] - 2026-11-27\n", "says nothing below"),
            ("## [1.0] - 2026-11-27\n\n[1.0]: https://HOST/PATH\n", "says nothing below"),
            ("## [1.0] - 2026-11-27\n\n### Added\n\n### Fixed\n", "says nothing below"),
            ("## [1.0] - 2026-11-27\n\n<!-- - a -->\n", "says nothing below"),
            ("## [1.0] - 2026-11-27\n\n- <!-- a -->\n", "says nothing below"),
            ("## [1.0] - 2026-11-27\n\n-\n\n---\n", "says nothing below"),
            ("## [1.0] - 2026-99-99\n\n- a\n", "no day of the calendar in"),
            ("## [1.0] - 2026-02-30\n\n- a\n", "no day of the calendar in"),
            (
                "## [1.0] - 2026-11-27\n\n- a\n\n## [1.0] - 2026-11-28\n\n- b\n",
                "two sections for 1.0: merge them",
            ),
        ],
    )
    def test_a_version_without_one_section_with_entries_is_rejected(
        self, changelog: str, message: str
    ) -> None:
        with pytest.raises(ReleaseError, match=message):
            release_notes(changelog, Version("1.0"))

    @given(
        separator=st.sampled_from(["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c", "\r\n", "\r"]),
        count=st.integers(1, 5),
    )
    def test_only_line_ends_of_markdown_end_a_line(self, separator: str, count: int) -> None:
        preface = f"# Changelog\n\na{separator * count}b\n\n"
        sections = "## [1.1] - 2026-11-28\n\n- newer\n\n## [1.0] - 2026-11-27\n\n- one\n- two\n"

        assert release_notes(preface + sections, Version("1.0")) == "- one\n- two\n"

    @given(
        before=st.lists(st.sampled_from(["- a", "### Added", "```", "text", "    ## x", ""])),
        after=st.lists(st.sampled_from(["- b", "### Fixed", "text", ""])),
    )
    def test_the_notes_end_where_the_next_version_begins(
        self, before: list[str], after: list[str]
    ) -> None:
        # An open code block would contain the next heading.
        if before.count("```") % 2:
            before = [*before, "```"]
        changelog = "\n".join(
            [
                "## [1.0] - 2026-11-27",
                "",
                "- The entry.",
                "",
                *before,
                "",
                "## [0.9] - 2026-11-26",
                "",
                "- Older.",
                *after,
            ]
        )

        expected = "\n".join(["- The entry.", "", *before]).strip()
        assert release_notes(changelog, Version("1.0")) == f"{expected}\n"
